"""Files of readings: what they hold, and the job that stores them."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import File, Form, Request, UploadFile
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.clients import expensive
from api.problems import language_of
from api.reading_files import TABLE, Order, require_scope
from api.route import Caller, Router, allow, no_transaction, once, transaction_of, twin_of
from api.routes.jobs import JobView, view
from identity import audit
from twin import jobs, places
from twin.errors import Invalid

router = Router(prefix="/readings", tags=["telemetry"])
Table = Annotated[UploadFile, File(description="CSV (also .gz) or Parquet")]
Building = Annotated[str, Form(description="id or name; whose points are meant")]
MappingText = Annotated[
    str | None, Form(description="JSON: which column is what (docs/telemetry.md); guessed unless given")
]


class PreviewColumn(BaseModel):
    """A column of the file: empty, number, bool, time or text."""

    name: str
    type: str
    sample: list[str]


class Preview(BaseModel):
    """What a file holds, and what the mapping makes of its first rows."""

    columns: list[PreviewColumn]
    rows: list[list[str]]
    mapping: dict[str, Any]
    zone: str  # of times that name none
    encoding: str | None
    total: int | None  # rows, where the file says
    keys: list[str]
    unknown: list[str]  # what names no point of the building
    readings: list[dict[str, Any]]
    problems: list[dict[str, Any]] = []
    problem: dict[str, Any] | None  # why nothing can be made of it


@router.post("/import/preview")
@allow("reading.write")
@no_transaction
@expensive
async def preview_readings(
    request: Request, caller: Caller, file: Table, building: Building, mapping: MappingText = None
) -> Preview:
    """Look at a file: columns, first rows, the likeliest mapping and what it makes of them. Nothing is stored."""
    place = await _place(request, caller, building)
    async with _on_disk(request, file) as path:
        found = await twin_of(request).reading_files.preview(
            place, path, _name(file), _parsed(mapping), language_of(request.headers.get("accept-language"))
        )
    return Preview(**found)


@router.post("/import", status_code=202, response_model=JobView)
@allow("reading.write")
@no_transaction
@expensive
async def import_readings(
    request: Request,
    caller: Caller,
    file: Table,
    building: Building,
    mapping: MappingText = None,
    source: Annotated[str | None, Form(description="what they come from (default: the file's name)")] = None,
) -> Response:
    """Store the readings of a file; answers with the job that does it, which goes on where it was after a crash."""
    twin = twin_of(request)
    place, name = await _place(request, caller, building), _name(file)
    blob = await run_in_threadpool(twin.blobs.put_open_file, file.file, TABLE)
    settled = await twin.reading_files.complete(place, twin.blobs.path(blob.hash), name, _parsed(mapping))
    async with transaction_of(request) as conn:

        async def act() -> Response:
            order = Order(building=place, file_name=name, mapping=settled, source=source)
            job_id = await twin.reading_files.ask(conn, order, blob, caller)
            await audit.record(conn, caller, "reading.import", f"job:{job_id}", after={"file": name})
            job = view(await jobs.get_job(conn, job_id), request)
            return JSONResponse(jsonable_encoder(job), 202, {"location": f"/api/v1/jobs/{job_id}"})

        return await once(request, conn, act)


async def _place(request: Request, caller: Caller, building: str) -> UUID:
    async with transaction_of(request) as conn:
        place = await places.get_building(conn, building)
    require_scope(caller, place.id)
    return place.id


def _name(file: UploadFile) -> str:
    return PurePath(file.filename or "readings").name[:190]


def _parsed(mapping: str | None) -> Any:
    if mapping is None:
        return None
    try:
        return orjson.loads(mapping)
    except orjson.JSONDecodeError as error:
        raise Invalid("table.mapping", where="mapping", reason=str(error)[:200]) from None


@asynccontextmanager
async def _on_disk(request: Request, file: UploadFile) -> AsyncIterator[Path]:
    """The upload under a name, which a sandbox can be shown; removed afterwards."""
    work = twin_of(request).settings.data / "work"
    await asyncio.to_thread(work.mkdir, mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="readings-", dir=work) as kept:
        await run_in_threadpool(shutil.copyfileobj, file.file, kept)
        kept.flush()
        yield Path(kept.name)
