"""`twin import`: files become versions of models, with a bar on a terminal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.importing import IFC, ask_for_import
from identity.actor import CLI
from twin import jobs, places
from twin.blobs import Blob, BlobStore
from twin.db import Database
from twin.errors import Invalid
from twin.settings import Settings


async def import_files(
    settings: Settings, files: Sequence[Path], building: str, model: str | None, discipline: str, *, as_json: bool
) -> None:
    """Import files one after the other and print what came of each; the first that fails ends it."""
    from api.app import open_twin  # the application needs this module

    async with open_twin(settings, serving=False) as twin:
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings))
        try:
            for file in files:
                blob = await asyncio.to_thread(_keep_file, twin.blobs, file)
                async with twin.db.transaction() as conn:
                    place = await places.find_building(conn, building) or await places.create_building(conn, building)
                    job_id = await ask_for_import(conn, place, model or file.stem, discipline, blob, file.name, CLI)
                _print_report(await watch(twin.db, job_id, file.name), as_json=as_json)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


def _keep_file(blobs: BlobStore, file: Path) -> Blob:
    try:
        return blobs.put_file(file, IFC)
    except OSError as error:
        raise Invalid("import.unreadable", where=str(file), reason=error.strerror) from error


async def watch(db: Database, job_id: UUID, name: str) -> dict[str, Any]:
    """Follow a job to its end, with a bar on a terminal; return its report or raise what went wrong."""
    columns = TextColumn("{task.fields[name]}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.description}")
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("waiting", total=1.0, name=name)
        last: jobs.Job | None = None
        async for last in jobs.follow_job(db, job_id):
            bar.update(shown, completed=last.progress, description=_described(last))
    assert last is not None
    if last.state != "done" or last.result is None:
        error = last.error or {"code": "import.cancelled"}
        raise Invalid(error["code"], where=error.get("where"), **error.get("params", {}))
    return last.result


def _described(job: jobs.Job) -> str:
    """What a job is at, in a few words: `mesh 120/800, 4 s left`."""
    detail = job.detail or {}
    counted = f" {detail['done']}/{detail['total']}" if "done" in detail and "total" in detail else ""
    size = f" of {detail['bytes'] / 1e6:.1f} MB" if "bytes" in detail and not counted else ""
    left = f", {detail['seconds_left']} s left" if "seconds_left" in detail else ""
    return f"{job.stage or job.state}{counted}{size}{left}"


def _print_report(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(report).decode())
        return
    click.echo(
        f"{report['model']} version {report['version']} ({report['schema']}): {report['elements']} elements, "
        f"{report['storeys']} storeys, {report['spaces']} rooms, {report['with_geometry']} with geometry, "
        f"{len(report['degraded'])} degraded, {len(report['without_geometry'])} without, "
        f"{report['tiles']} tiles of {report['tile_bytes'] / 1e6:.2f} MB, {report['seconds']['total']:.2f} s"
    )
    for warning in report["warnings"]:
        click.echo(f"  {warning['severity']}: {warning['message']} [{warning['code']}]", err=True)
