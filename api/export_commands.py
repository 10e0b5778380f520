"""`twin export`: enriched IFC, COBie, issues and element lists from the command line, without a server."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from api.out_again import ask_for_export
from identity import audit
from identity.actor import CLI
from ifc_models import element_table, exports, models
from ifc_models.bcf_exchange import export_bcf
from ifc_models.models import Model
from ifc_models.tables import csv_lines, write_xlsx
from twin import jobs, places
from twin.blobs import BlobStore
from twin.db import Conn, open_database
from twin.errors import Invalid, NotFound
from twin.settings import Settings


async def export_model(
    settings: Settings, building: str, model: str, version: int | None, kind: str, out: Path
) -> dict[str, Any]:
    """Make a file of a model version (`ifc`, `cobie.xlsx` …) and copy it to `out`."""
    from api.app import open_twin  # the application needs nothing of this module

    async with open_twin(settings, serving=False) as twin:
        async with twin.db.transaction() as conn:
            found = await _model(conn, building, model)
            chosen = await models.get_version(conn, found.id, version or found.current_version or 0)
            job_id = await ask_for_export(conn, found, chosen, kind, CLI)
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings))
        try:
            last = [each async for each in jobs.follow_job(twin.db, job_id)][-1]
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        if last.state != "done" or last.result is None:
            error = last.error or {"code": "import.cancelled"}
            raise Invalid(error["code"], where=error.get("where"), **error.get("params", {}))
        async with twin.db.transaction() as conn:
            made = await exports.get_export(conn, found.id, chosen.version, kind)
        await _copy(twin.blobs, made.hash, out)
        return {"file": str(out), "bytes": made.bytes, **made.summary}


async def _model(conn: Conn, building: str, model: str) -> Model:
    """A model by id, or by its name in the building. Raises NotFound."""
    place = await places.get_building(conn, building)
    cursor: str | None = None
    while True:
        page = await models.list_models(conn, building=place.id, limit=1000, cursor=cursor)
        found = next((each for each in page.items if model in (each.name, str(each.id))), None)
        if found is not None:
            return found
        if page.next is None:
            raise NotFound("model.unknown", model=model)
        cursor = page.next


async def _copy(blobs: BlobStore, blob: str, out: Path) -> None:
    try:
        await asyncio.to_thread(shutil.copyfile, blobs.path(blob), out)
    except OSError as error:
        raise Invalid("export.unwritable", where=str(out), reason=error.strerror or str(error)) from error


async def export_issues(settings: Settings, building: str, version: str, out: Path) -> dict[str, Any]:
    """Write the building's issues as BCF."""
    async with open_database(settings) as db, db.transaction() as conn:
        place = await places.get_building(conn, building)
        data = await export_bcf(conn, BlobStore(settings.blobs), place.id, version)
        await audit.record(conn, CLI, "topic.export", f"building:{place.id}", after={"version": version})
    await _write(out, data)
    return {"file": str(out), "bytes": len(data)}


async def _write(out: Path, data: bytes) -> None:
    try:
        await asyncio.to_thread(out.write_bytes, data)
    except OSError as error:
        raise Invalid("export.unwritable", where=str(out), reason=error.strerror or str(error)) from error


async def export_elements(
    settings: Settings, building: str, columns: str | None, filters: Mapping[str, str | None], out: Path
) -> dict[str, Any]:
    """Write a list of elements; the suffix of `out` chooses CSV or XLSX."""
    chosen = element_table.columns_of(columns)
    async with open_database(settings) as db, db.transaction() as conn:
        place = await places.get_building(conn, building)
        given: dict[str, Any] = {**filters, "building": place.id}
        if given.get("system"):
            given["system"] = UUID(str(given["system"]))
        rows = [each async for each in element_table.element_rows(conn, chosen, given)]
    if out.suffix.lower() == ".xlsx":
        if len(rows) > element_table.MAX_XLSX:
            raise Invalid("export.too_many", where=str(out), limit=element_table.MAX_XLSX)
        await asyncio.to_thread(write_xlsx, out, [("Elements", chosen, rows)])
    else:
        text = "".join(csv_lines(chosen, rows, bom=True))
        await _write(out, text.encode())
    return {"file": str(out), "rows": len(rows)}


def tell(made: Mapping[str, Any]) -> None:
    """One line on what was written."""
    rest = ", ".join(
        f"{name} {value}" for name, value in made.items() if name != "file" and not isinstance(value, dict)
    )
    click.echo(f"{made['file']}: {rest}")
