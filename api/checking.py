"""`twin check`: validate a file in the sandbox, without a database; print what is wrong and how to fix it."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import click

from ifc_models.extract import Extract, Finding, MeshArrays, load_geometry
from ifc_models.findings import NAMED
from ifc_models.ids_result import (
    Facet,
    IdsResult,
    Outcome,
    SpecificationResult,
    facet_text,
    load_result,
    reason_text,
)
from ifc_models.report import warning
from ifc_models.sandbox import WorkerLimits
from ifc_models.shape_checks import check_shapes
from ifc_models.worker import WorkerPool
from twin.errors import NotFound
from twin.settings import Settings

LANGUAGES: Final = ("en", "zh")


async def check_and_print(
    settings: Settings, file: Path, *, ids: Path | None = None, as_json: bool, strict: bool = False
) -> None:
    """Check one file. Raises when it cannot be used at all; `strict`: ends with 1 when something is wrong with it."""
    from api.app import worker_limits  # the application needs nothing of this module

    for each in (file, ids) if ids else (file,):
        if not await asyncio.to_thread(each.is_file):
            raise NotFound("import.no_file", where=str(each))
    limits = worker_limits(settings)
    extract, findings = await check_file(file, limits)
    report = check_report(extract, findings)
    if ids is not None:
        report["ids"] = ids_report(await check_ids_file(file, ids, limits))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print(report, file.name)
    if strict and (report["errors"] or report.get("ids", {}).get("status") == "fail"):
        raise SystemExit(1)


def _print(report: dict[str, Any], name: str) -> None:
    click.echo(f"{name}: {report['schema']}, {report['entities']} entities, {report['elements']} elements")
    for finding in report["findings"]:
        places = f" at {', '.join(finding['where'])}" if finding["where"] else ""
        click.echo(f"  {finding['severity']}: {finding['message']}{places} [{finding['code']}]")
        if "fix" in finding:
            click.echo(f"    {finding['fix']['en']}")
    if not report["findings"]:
        click.echo("  nothing to complain about")
    if "ids" in report:
        _print_ids(report["ids"])


def _print_ids(report: dict[str, Any]) -> None:
    click.echo(f"{report['info'].get('title', 'IDS')}: {report['status']}")
    for each in report["specifications"]:
        click.echo(f"  {each['status']}: {each['name']} ({each['passed']} of {each['applicable']} pass)")
        for requirement in each["requirements"]:
            if requirement["failed"]:
                click.echo(f"    {requirement['text']['en']}: {requirement['failed']} fail")
        for element in each["failing"][:NAMED]:
            reasons = "; ".join(reason["en"] for reason in element["reasons"])
            click.echo(f"      {element['global_id']} {element['ifc_class']}: {reasons}")


async def check_file(file: Path, limits: WorkerLimits) -> tuple[Extract, list[Finding]]:
    """Read and mesh a file in the sandbox; what it is and what is wrong with it, as an upload would report it."""
    with tempfile.TemporaryDirectory(prefix="twin-check-") as folder:
        out = Path(folder)
        async with WorkerPool(limits=limits) as pool:
            extract = await pool.run(file, out)
        return extract, await asyncio.to_thread(findings_of, extract, out)


async def check_ids_file(file: Path, ids: Path, limits: WorkerLimits) -> IdsResult:
    """Check a file against an IDS document in the sandbox."""
    with tempfile.TemporaryDirectory(prefix="twin-ids-") as folder:
        async with WorkerPool(limits=limits) as pool:
            await pool.do("ids", file, Path(folder), inputs={"ids": ids})
        return await asyncio.to_thread(load_result, Path(folder))


def ids_report(result: IdsResult) -> dict[str, Any]:
    """An IDS result as JSON: per specification its requirements and every failing element, in both languages."""
    return {
        "info": result.info,
        "status": "fail" if any(each.status == "fail" for each in result.specifications) else "pass",
        "specifications": [_specification(each) for each in result.specifications],
    }


def _specification(each: SpecificationResult) -> dict[str, Any]:
    def reasons(outcome: Outcome) -> list[dict[str, str]]:
        blank = Facet("entity", {})
        of = [(each.requirements[f.requirement] if f.requirement >= 0 else blank, f) for f in outcome.failures]
        return [{language: reason_text(facet, failure, language) for language in LANGUAGES} for facet, failure in of]

    return {
        "name": each.name,
        "usage": each.usage,
        "status": each.status,
        "applicable": each.applicable,
        "passed": each.passed,
        "failed": each.failed,
        "requirements": [
            {
                "text": {language: facet_text(facet, language) for language in LANGUAGES},
                "passed": facet.passed,
                "failed": facet.failed,
            }
            for facet in each.requirements
        ],
        "failing": [
            {"global_id": one.global_id, "ifc_class": one.ifc_class, "name": one.name, "reasons": reasons(one)}
            for one in each.outcomes
            if one.failures
        ],
    }


def findings_of(extract: Extract, out: Path) -> list[Finding]:
    """Every finding of a file that was read and meshed into the folder `out`, geometry included."""
    mesh = MeshArrays.load(out, mmap=True)
    boxes = mesh.element_bounds(len(extract.elements))
    return [*extract.warnings, *check_shapes(extract, load_geometry(out), boxes, mesh.element_shape_hashes())]


def check_report(extract: Extract, findings: list[Finding]) -> dict[str, Any]:
    """Return what was checked: header, counts, findings with severity, explanation and fix in both languages."""
    header = extract.header
    return {
        "schema": header.schema,
        "declared_schema": header.declared_schema,
        "application": header.application,
        "entities": header.entities,
        "elements": header.elements,
        "by_class": header.by_class,
        "storeys": len(extract.storeys),
        "errors": sum(finding.severity == "error" for finding in findings),
        "warnings": sum(finding.severity == "warning" for finding in findings),
        "findings": [warning(finding) for finding in findings],
    }
