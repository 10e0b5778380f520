"""Models: upload, versions, reports, the original file."""

from pathlib import PurePath
from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Request, UploadFile
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from api.clients import expensive
from api.importing import IFC, ask_for_import
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, once, transaction_of, twin_of
from api.routes.jobs import JobView, view
from identity import audit
from ifc_models import models
from ifc_models.models import Model, Version
from twin import jobs, places
from twin.page import Page

router = Router(prefix="/models", tags=["models"])


@router.post("", status_code=202, response_model=JobView)
@allow("model.upload")
@no_transaction
@expensive
async def upload(
    request: Request,
    caller: Caller,
    file: Annotated[UploadFile, File(description="IFC-SPF (.ifc) or zipped (.ifczip)")],
    building: Annotated[str, Form(description="id or name; it must exist")],
    model: Annotated[
        str | None, Form(description="the same name means a new version (default: the file's stem)")
    ] = None,
    discipline: Annotated[str, Form()] = "arc",
) -> Response:
    """Upload an IFC file; answers with the job that imports it (6.4.2a-1)."""
    twin = twin_of(request)
    file_name = PurePath(file.filename or "model.ifc").name[:200]
    blob = await run_in_threadpool(twin.blobs.put_open_file, file.file, IFC)

    async with transaction_of(request) as conn:

        async def act() -> Response:
            place = await places.get_building(conn, building)
            name = model or PurePath(file_name).stem
            job_id = await ask_for_import(conn, place, name, discipline, blob, file_name, caller)
            await audit.record(conn, caller, "model.upload", f"job:{job_id}", after={"file": file_name, "model": name})
            job = view(await jobs.get_job(conn, job_id), request)
            return JSONResponse(jsonable_encoder(job), 202, {"location": f"/api/v1/jobs/{job_id}"})

        return await once(request, conn, act)


@router.get("")
@allow("model.read")
async def list_models(
    tx: Tx, building: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Model]:
    """Models with what is shown of them."""
    building_id = (await places.get_building(tx, building)).id if building else None
    return await models.list_models(tx, building=building_id, limit=limit, cursor=cursor)


@router.get("/{model}/versions")
@allow("model.read")
async def list_versions(tx: Tx, model: UUID, limit: Limit = 100, cursor: str | None = None) -> Page[Version]:
    """Versions of a model, newest first."""
    return await models.list_versions(tx, model, limit=limit, cursor=cursor)


@router.get("/{model}/versions/{n}")
@allow("model.read")
async def get_version(tx: Tx, model: UUID, n: int) -> Version:
    """One version with its import report."""
    return await models.get_version(tx, model, n)


@router.get("/{model}/versions/{n}/original", response_class=FileResponse)
@allow("model.read")
async def get_original(tx: Tx, request: Request, model: UUID, n: int) -> Response:
    """The file as it was uploaded."""
    version = await models.get_version(tx, model, n)
    path = twin_of(request).blobs.path(version.file_hash)
    return FileResponse(path, media_type=IFC, filename=version.file_name, content_disposition_type="attachment")
