"""Point lists in and out: CSV, XLSX and Brick Turtle; and the points that a model's sensors stand for."""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from api.clients import expensive
from api.point_files import read_points
from api.problems import language_of
from api.route import Caller, Router, Tx, allow, no_transaction, once, transaction_of, twin_of
from identity import audit
from telemetry.model_points import points_of_devices
from telemetry.point_export import MEDIA, Format, export_points
from telemetry.point_import import ImportReport, import_points
from twin import places
from twin.errors import Invalid

router = Router(tags=["points"])
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "building"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV, XLSX or Turtle"},
                        "building": {"type": "string"},
                        "dry_run": {"type": "boolean", "default": False},
                    },
                }
            }
        },
    }
}


class FromModel(BaseModel):
    """Whose sensors and actuators become points."""

    building: str
    model: str | None = Field(None, description="id or name; all models of the building unless given")
    dry_run: bool = False


@router.post("/points/import", response_model=ImportReport, openapi_extra=BODY)
@allow("point.write")
@no_transaction
@expensive
async def add_points(request: Request, caller: Caller) -> Response:
    """Make and change points as a list says, row by row; the same list again changes nothing.

    Rows with a problem are left out and named. `dry_run` answers the same and writes nothing.
    """
    data, name, building, dry_run = await _form(request)
    lang = language_of(request.headers.get("accept-language"))
    twin = twin_of(request)
    async with transaction_of(request) as conn:
        place = await places.get_building(conn, building)
    found = await read_points(twin.importer.workers, twin.settings, data, name, lang)
    async with transaction_of(request) as conn:

        async def act() -> Response:
            report = await import_points(
                conn, caller, place.id, found.drafts, dry_run=dry_run, source=name, lang=lang, strange=found.strange
            )
            return JSONResponse(jsonable_encoder(report))

        return await once(request, conn, act)


async def _form(request: Request) -> tuple[bytes, str, str, bool]:
    """The file, what it is called, the building, and whether it is a dry run."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        raise Invalid("point.import_file", where="file")
    async with request.form(max_files=1, max_fields=10) as form:
        file, building, dry_run = form.get("file"), form.get("building"), form.get("dry_run", "false")
        if not isinstance(file, UploadFile):
            raise Invalid("point.import_file", where="file")
        if not isinstance(building, str) or not building or dry_run not in ("true", "false", "1", "0"):
            raise Invalid("point.import_form", where="building")
        return await file.read(), PurePath(file.filename or "points").name[:200], building, dry_run in ("true", "1")


@router.post("/points/from-model")
@allow("point.write")
async def add_points_of_model(tx: Tx, request: Request, caller: Caller, body: FromModel) -> ImportReport:
    """Make points of the sensors and actuators of a building's models, bound and with what the models say of them."""
    place = await places.get_building(tx, body.building)
    drafts = await points_of_devices(tx, place.id, model=body.model)
    lang = language_of(request.headers.get("accept-language"))
    return await import_points(tx, caller, place.id, drafts, dry_run=body.dry_run, source="model", lang=lang)


@router.get("/points/export", response_class=Response)
@allow("point.read")
@expensive
async def get_point_list(
    tx: Tx, caller: Caller, building: str, form: Annotated[Format, Query(alias="format")] = "csv"
) -> Response:
    """The points in use of a building as a list that can be changed and handed in again."""
    place = await places.get_building(tx, building)
    data = await export_points(tx, place.id, form)
    await audit.record(tx, caller, "point.export", f"building:{place.id}", after={"format": form})
    name = f"points-{place.id}-{datetime.now(UTC):%Y%m%d}.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=MEDIA[form], headers=headers)
