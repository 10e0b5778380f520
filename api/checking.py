"""`twin check`: validate a file in the sandbox, without a database; print what is wrong and how to fix it."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import click

from ifc_models.extract import Extract, Finding, MeshArrays, load_geometry
from ifc_models.report import warning
from ifc_models.sandbox import WorkerLimits
from ifc_models.shape_checks import check_shapes
from ifc_models.worker import WorkerPool
from twin.errors import NotFound
from twin.settings import Settings


async def check_and_print(settings: Settings, file: Path, *, ids: Path | None = None, as_json: bool) -> None:
    """Check one file; raises when it cannot be used at all."""
    from api.app import worker_limits  # the application needs nothing of this module

    for each in (file, ids) if ids else (file,):
        if not await asyncio.to_thread(each.is_file):
            raise NotFound("import.no_file", where=str(each))
    extract, findings = await check_file(file, worker_limits(settings))
    report = check_report(extract, findings)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"{file.name}: {report['schema']}, {report['entities']} entities, {report['elements']} elements")
    for finding in report["findings"]:
        places = f" at {', '.join(finding['where'])}" if finding["where"] else ""
        click.echo(f"  {finding['severity']}: {finding['message']}{places} [{finding['code']}]")
        if "fix" in finding:
            click.echo(f"    {finding['fix']['en']}")
    if not report["findings"]:
        click.echo("  nothing to complain about")


async def check_file(file: Path, limits: WorkerLimits) -> tuple[Extract, list[Finding]]:
    """Read and mesh a file in the sandbox; what it is and what is wrong with it, as an upload would report it."""
    with tempfile.TemporaryDirectory(prefix="twin-check-") as folder:
        out = Path(folder)
        async with WorkerPool(spares=0, limits=limits) as pool:
            extract = await pool.run(file, out)
        return extract, await asyncio.to_thread(findings_of, extract, out)


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
        "findings": [warning(finding) for finding in findings],
    }
