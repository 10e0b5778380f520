"""What goes out again: enriched IFC, COBie workbooks, element lists."""

import os
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from api.clients import expensive
from api.out_again import ask_for_export
from api.route import Caller, Router, Tx, allow, no_transaction, transaction_of, twin_of
from api.routes.elements import storey_id_of
from api.routes.jobs import JobView, view
from api.streams import begun
from identity import audit
from ifc_models import element_table, exports, models
from ifc_models.tables import csv_lines, write_xlsx
from twin import jobs, places
from twin.errors import Invalid

router = Router(tags=["exports"])
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NewExport(BaseModel):
    """What to make: `ifc` (enriched), `cobie.xlsx`, `cobie.ods` or `cobie.csv`."""

    kind: str


@router.post("/models/{model}/versions/{n}/exports", status_code=202, response_model=JobView)
@allow("model.export")
@expensive
async def start_export(tx: Tx, request: Request, caller: Caller, model: UUID, n: int, body: NewExport) -> Response:
    """Make a file of a version; answers with the job that does it."""
    found, version = await models.get_model(tx, model), await models.get_version(tx, model, n)
    job_id = await ask_for_export(tx, found, version, body.kind, caller)
    await audit.record(tx, caller, "model.export", f"model:{model}", after={"version": n, "kind": body.kind})
    job = view(await jobs.get_job(tx, job_id), request)
    return JSONResponse(jsonable_encoder(job), 202, {"location": f"/api/v1/jobs/{job_id}"})


@router.get("/models/{model}/versions/{n}/enriched.ifc", response_class=FileResponse)
@allow("model.export")
@expensive
async def get_enriched(tx: Tx, request: Request, model: UUID, n: int) -> Response:
    """The newest enriched file of a version."""
    return await _file(tx, request, model, n, exports.IFC)


@router.get("/models/{model}/versions/{n}/cobie.{suffix}", response_class=FileResponse)
@allow("model.export")
@expensive
async def get_cobie_of_version(tx: Tx, request: Request, model: UUID, n: int, suffix: str) -> Response:
    """The newest COBie workbook of a version: xlsx, ods, or csv (one per sheet, zipped)."""
    return await _file(tx, request, model, n, f"{exports.COBIE}.{suffix}")


@router.get("/models/{model}/cobie.{suffix}", response_class=FileResponse)
@allow("model.export")
@expensive
async def get_cobie(tx: Tx, request: Request, model: UUID, suffix: str) -> Response:
    """The newest COBie workbook of the shown version."""
    found = await models.get_model(tx, model)
    return await _file(tx, request, model, found.current_version or 0, f"{exports.COBIE}.{suffix}")


async def _file(tx: Tx, request: Request, model: UUID, n: int, kind: str) -> Response:
    await models.get_version(tx, model, n)
    found = await exports.get_export(tx, model, n, kind)
    path = twin_of(request).blobs.path(found.hash)
    return FileResponse(
        path, media_type=found.content_type, filename=found.file_name, content_disposition_type="attachment"
    )


@router.get("/elements/export", response_class=StreamingResponse)
@allow("model.export")
@no_transaction
@expensive
async def export_elements(
    request: Request,
    format: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "csv",
    columns: Annotated[str | None, Query(description="names, comma-separated; Pset.Name for any property")] = None,
    building: str | None = None,
    model: UUID | None = None,
    storey: str | None = None,
    space: str | None = None,
    ifc_class: str | None = None,
    system: UUID | None = None,
    q: str | None = None,
    property: str | None = None,
    *,
    bom: bool = True,
) -> Response:
    """A list of elements as CSV (`bom` for Excel) or XLSX: the filters of GET /elements, the columns of your choice."""
    chosen = element_table.columns_of(columns)
    async with transaction_of(request) as conn:
        building_id = (await places.get_building(conn, building)).id if building else None
        filters: dict[str, Any] = {
            "building": building_id,
            "model": model,
            "storey": await storey_id_of(conn, storey, building_id),
            "space": await places.resolve_element(conn, space, building=building_id, model=model) if space else None,
            "ifc_class": ifc_class,
            "system": system,
            "q": q,
            "property": property,
        }
        if format == "xlsx":
            rows = [
                each async for each in element_table.element_rows(conn, chosen, filters, most=element_table.MAX_XLSX)
            ]
            return await run_in_threadpool(_xlsx, twin_of(request).settings.data / "work", chosen, rows)

    async def lines() -> AsyncGenerator[str, None]:
        yield "".join(csv_lines(chosen, [], bom=bom))
        async with transaction_of(request) as conn:
            batch: list[list[Any]] = []
            async for each in element_table.element_rows(conn, chosen, filters):
                batch.append(each)
                if len(batch) >= 500:
                    yield "".join(csv_lines(None, batch))
                    batch = []
            if batch:
                yield "".join(csv_lines(None, batch))

    headers = {"content-disposition": 'attachment; filename="elements.csv"'}
    return StreamingResponse(await begun(lines()), media_type="text/csv; charset=utf-8", headers=headers)


def _xlsx(folder: Path, columns: list[str], rows: list[list[Any]]) -> Response:
    if len(rows) >= element_table.MAX_XLSX:
        raise Invalid("export.too_many", where="format", limit=element_table.MAX_XLSX)
    folder.mkdir(mode=0o700, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix="elements-", suffix=".xlsx", dir=folder)
    os.close(fd)
    path = Path(name)
    try:
        write_xlsx(path, [("Elements", columns, rows)])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    after = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=XLSX, filename="elements.xlsx", background=after)
