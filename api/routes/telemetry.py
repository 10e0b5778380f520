"""Sources, readings and commands."""

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel, Field

from api.auditing import by_machines
from api.problems import language_of
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, twin_of
from telemetry import commands, points, sources
from telemetry.commands import Command
from telemetry.source_settings import configure_source
from telemetry.sources import Source, SourceKind
from telemetry.submission import Receipt
from twin.page import Page
from twin.places import get_building

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
    watched: bool | None = Field(None, description="whether people are told when it falls silent")
    expected_interval: float | None = Field(None, description="s between readings", allow_inf_nan=False)
    settings: dict[str, Any] | None = None
    password: str | None = Field(None, max_length=1000)


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
    """Switch a source off and on, say how often it speaks and whether it is watched, change how a broker is reached."""
    sealer = twin_of(request).sealer
    return await configure_source(
        tx,
        caller,
        source,
        sealer,
        enabled=body.enabled,
        watched=body.watched,
        expected_interval=body.expected_interval,
        settings=body.settings,
        password=body.password,
    )
