"""Points, sources, readings, commands and quarantine."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from api.auditing import by_machines
from api.problems import language_of
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, twin_of
from telemetry import commands, points, quarantine, sources
from telemetry.commands import Command
from telemetry.ingest import Receipt
from telemetry.points import Kind, NewPoint, Point, Sampling
from telemetry.quarantine import Quarantined
from telemetry.source_settings import configure_source
from telemetry.sources import Source, SourceKind
from telemetry.units import Unit, units
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["telemetry"])

READINGS_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["readings"],
                    "properties": {
                        "readings": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["point", "ts", "value"],
                                "properties": {
                                    "point": {"type": "string", "description": "key of the point"},
                                    "ts": {"type": "string", "format": "date-time", "description": "with zone"},
                                    "value": {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]},
                                    "quality": {"type": "string", "enum": list(points.QUALITIES), "default": "good"},
                                },
                            },
                        }
                    },
                }
            }
        },
    }
}


class PointBody(BaseModel):
    """A new point. `unit` is a QUDT code; `element` an id, or a GlobalId of the building."""

    key: str
    name: str
    building: str
    kind: Kind
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element: str | None = None
    writable: bool = False
    min_value: float | None = Field(None, allow_inf_nan=False)
    max_value: float | None = Field(None, allow_inf_nan=False)
    expected_interval: float = Field(300.0, description="s between readings", allow_inf_nan=False)
    sampling: Sampling = Field("hold", description="between readings: the value before, or a straight line")
    properties: dict[str, Any] = Field(default_factory=dict)


class PointPatch(BaseModel):
    """What may change of a point; fields that are left out stay. `retired` takes it out of use or brings it back."""

    name: str | None = None
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element: str | None = None
    writable: bool | None = None
    min_value: float | None = Field(None, allow_inf_nan=False)
    max_value: float | None = Field(None, allow_inf_nan=False)
    expected_interval: float | None = Field(None, allow_inf_nan=False)
    sampling: Sampling | None = None
    properties: dict[str, Any] | None = None
    retired: bool | None = None


class CommandBody(BaseModel):
    """A value to set. Priority 1 is the highest, 16 the lowest."""

    value: bool | float | str
    priority: int = 8
    expires_s: float = Field(commands.EXPIRES_S, description="s until it fails or expires", allow_inf_nan=False)


class SourceBody(BaseModel):
    """A source to expect readings from."""

    name: str
    kind: SourceKind = "http"
    building: str | None = None
    expected_interval: float = Field(300.0, description="s between readings", allow_inf_nan=False)
    settings: dict[str, Any] | None = Field(None, description="of a broker: see docs/telemetry.md")
    password: str | None = Field(None, max_length=1000, description="of a broker; never shown again")


class SourcePatch(BaseModel):
    """What may change of a source; what is left out stays."""

    enabled: bool | None = None
    settings: dict[str, Any] | None = None
    password: str | None = Field(None, max_length=1000)


@router.get("/units")
@allow.signed_in
async def list_units() -> Page[Unit]:
    """The units that points may have."""
    return Page(list(units().values()))


@router.get("/points")
@allow("point.read")
async def list_points(
    tx: Tx,
    building: str | None = None,
    element: str | None = None,
    storey: UUID | None = None,
    space: UUID | None = None,
    q: str | None = None,
    retired: bool = False,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[Point]:
    """Points by key, with their newest values."""
    building_id = (await get_building(tx, building)).id if building else None
    element_id = await resolve_element(tx, element, building=building_id) if element else None
    return await points.list_points(
        tx,
        building_id=building_id,
        element_id=element_id,
        storey_id=storey,
        space_id=space,
        q=q,
        retired=retired,
        limit=limit,
        cursor=cursor,
    )


@router.post("/points", status_code=201)
@allow("point.write")
async def create_point(tx: Tx, caller: Caller, body: PointBody) -> Point:
    """Define a point."""
    building = await get_building(tx, body.building)
    values = body.model_dump(exclude={"building", "element"})
    element_id = await resolve_element(tx, body.element, building=building.id) if body.element else None
    return await points.create_point(tx, caller, building.id, NewPoint(**values, element_id=element_id))


@router.get("/points/{point}")
@allow("point.read")
async def get_point(tx: Tx, point: str) -> Point:
    """One point, by id or key."""
    return await points.get_point(tx, point)


@router.patch("/points/{point}")
@allow("point.write")
async def update_point(tx: Tx, caller: Caller, point: str, body: PointPatch) -> Point:
    """Change, rebind or retire a point."""
    before = await points.get_point(tx, point)
    changes = body.model_dump(exclude_unset=True, exclude={"retired", "element"})
    for name in ("name", "writable", "expected_interval", "sampling", "properties"):
        if changes.get(name, 0) is None:
            del changes[name]  # null means nothing for a field that is never empty
    if "element" in body.model_fields_set:
        element = body.element and await resolve_element(tx, body.element, building=before.building_id)
        changes["element_id"] = element or None
    return await points.update_point(tx, caller, before.id, changes, now=datetime.now(UTC), retired=body.retired)


@router.post("/points/{point}/commands", status_code=202)
@allow("point.command")
async def create_command(tx: Tx, caller: Caller, point: str, body: CommandBody) -> Command:
    """Set a writable point; watch the command until it is verified."""
    return await commands.request_command(
        tx, caller, point, body.value, priority=body.priority, expires_s=body.expires_s, now=datetime.now(UTC)
    )


@router.get("/commands/{command}")
@allow("point.read")
async def get_command(tx: Tx, request: Request, command: str) -> Command:
    """How far a command has come."""
    return await commands.get_command(tx, command, lang=language_of(request.headers.get("accept-language")))


@router.post("/readings", openapi_extra=READINGS_BODY)
@allow("reading.write")
@no_transaction
@by_machines
async def create_readings(request: Request) -> Receipt:
    """Store readings; answered after the commit. Sending the same again does no harm."""
    ingest, sender = twin_of(request).ingest, request.state.actor
    source = await ingest.source(sender.name)
    language = language_of(request.headers.get("accept-language"))
    return await ingest.submit_body(source, await request.body(), lang=language, sender=sender)


@router.get("/quarantine")
@allow("reading.read")
async def list_quarantine(
    tx: Tx, source: str | None = None, code: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Quarantined]:
    """Readings that were refused, newest first, and why."""
    return await quarantine.list_quarantine(tx, source=source, code=code, limit=limit, cursor=cursor)


@router.get("/sources")
@allow("point.read")
async def list_sources(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[Source]:
    """Where readings come from, and whether it still speaks."""
    return await sources.list_sources(tx, limit=limit, cursor=cursor)


@router.post("/sources", status_code=201)
@allow("source.write")
async def create_source(tx: Tx, request: Request, caller: Caller, body: SourceBody) -> Source:
    """Declare a source before it speaks, or a broker to go to. Keys and the simulator declare themselves."""
    building_id = (await get_building(tx, body.building)).id if body.building else None
    made = await sources.create_source(
        tx, caller, body.name, body.kind, building_id=building_id, expected_interval=body.expected_interval
    )
    if body.settings is None and body.password is None:
        return made
    sealer = twin_of(request).sealer
    return await configure_source(tx, caller, made.id, sealer, settings=body.settings, password=body.password)


@router.get("/sources/{source}")
@allow("point.read")
async def get_source(tx: Tx, source: str) -> Source:
    """One source, by id or name."""
    return await sources.get_source(tx, source)


@router.patch("/sources/{source}")
@allow("source.write")
async def update_source(tx: Tx, request: Request, caller: Caller, source: str, body: SourcePatch) -> Source:
    """Switch a source off and on, change how a broker is reached; taken up within seconds."""
    sealer = twin_of(request).sealer
    return await configure_source(
        tx, caller, source, sealer, enabled=body.enabled, settings=body.settings, password=body.password
    )
