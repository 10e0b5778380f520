"""`twin check`: validate a file in the sandbox, without a database; print what is wrong and how to fix it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from ifc_models.extract import Extract
from ifc_models.findings import texts
from ifc_models.worker import WorkerPool
from twin.errors import NotFound
from twin.settings import Settings


async def check_and_print(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Check one file; raises when it cannot be used at all."""
    from api.app import worker_limits  # the application needs nothing of this module

    if not await asyncio.to_thread(file.is_file):
        raise NotFound("import.no_file", where=str(file))
    async with WorkerPool(spares=0, limits=worker_limits(settings)) as pool:
        extract = await pool.check(file)
    report = check_report(extract)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"{file.name}: {report['schema']}, {report['entities']} entities, {report['elements']} elements")
    for finding in report["findings"]:
        places = f" at {', '.join(finding['where'])}" if finding["where"] else ""
        click.echo(f"  {finding['severity']}: {finding['message']}{places} [{finding['code']}]")
        if finding["fix"]:
            click.echo(f"    {finding['fix']['en']}")
    if not report["findings"]:
        click.echo("  nothing to complain about")


def check_report(extract: Extract) -> dict[str, Any]:
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
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "message": each.message,
                "where": list(each.where),
                "count": each.count,
                "fix": _fix(each.code),
            }
            for each in extract.warnings
        ],
    }


def _fix(code: str) -> dict[str, str] | None:
    found = texts().get(code, {})
    fix = {language: found[f"fix_{language}"] for language in ("en", "zh") if f"fix_{language}" in found}
    return fix or None
