"""Readings that were refused, and stored ones that are put right."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from api.clients import expensive
from api.problems import language_of
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, transaction_of, twin_of
from api.times import End, Start, time_of
from telemetry import corrections, quarantine
from telemetry.corrections import Correction
from telemetry.points import get_point
from telemetry.quarantine import Count, Filter, Quarantined, Replayed, State
from twin.page import Page
from twin.places import get_building

router = Router(tags=["telemetry"])
Chosen = Annotated[State | None, Query(description="open, replayed or dismissed; all unless given")]


class FilterBody(BaseModel):
    """Which refused readings are meant: the filters of GET /quarantine."""

    building: str | None = None
    source: str | None = None
    point: str | None = None
    code: str | None = None
    start: str | None = Field(None, alias="from", description="RFC 3339 time with zone")
    end: str | None = Field(None, alias="to", description="RFC 3339 time with zone")
    state: Literal["open"] | None = None


class SettleBody(BaseModel):
    """Which open refused readings are meant: `ids`, or all that `filter` finds (the 10 000 oldest)."""

    ids: list[int] | None = None
    filter: FilterBody | None = None


class ReplayBody(SettleBody):
    """What is put in again, and as what."""

    point: str | None = Field(None, description="key of the point that is meant instead")
    ts: str | None = Field(None, description="when it was measured instead; for a single reading")


class CorrectionBody(BaseModel):
    """A reading as it should have been."""

    ts: datetime
    value: bool | float | str
    quality: str | None = None
    reason: str = Field(description="why, for whoever looks at it later")


@dataclass(frozen=True, slots=True)
class Summary:
    """How many refused readings there are of each reason, source and point."""

    items: list[Count]


@dataclass(frozen=True, slots=True)
class Dismissed:
    """How many refused readings were dismissed."""

    dismissed: int


def _filter(body: FilterBody | None) -> Filter | None:
    if body is None:
        return None
    return Filter(
        building=body.building,
        source=body.source,
        point=body.point,
        code=body.code,
        start=time_of(body.start, "filter.from"),
        end=time_of(body.end, "filter.to"),
    )


async def _asked(
    tx: Tx,
    building: Annotated[str | None, Query(description="of its points, and of sources that are its own")] = None,
    source: Annotated[str | None, Query(description="id or name")] = None,
    point: Annotated[str | None, Query(description="key, as it came")] = None,
    code: Annotated[str | None, Query(description="why it was refused: reading.range, …")] = None,
    start: Start = None,
    end: End = None,
) -> Filter:
    """The filters that the list and its summary have in common."""
    return Filter(
        building=building and str((await get_building(tx, building)).id),
        source=source,
        point=point,
        code=code,
        start=time_of(start, "from"),
        end=time_of(end, "to"),
    )


Asked = Annotated[Filter, Depends(_asked)]


@router.get("/quarantine")
@allow("reading.read")
async def list_quarantine(
    tx: Tx, caller: Caller, asked: Asked, state: Chosen = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Quarantined]:
    """Readings that were refused, newest first, and why."""
    everywhere = caller.scope("reading.read").everywhere
    return await quarantine.list_quarantine(
        tx, replace(asked, state=state), everywhere=everywhere, limit=limit, cursor=cursor
    )


@router.get("/quarantine/summary")
@allow("reading.read")
async def summarise_quarantine(tx: Tx, asked: Asked, state: Chosen = "open", limit: Limit = 100) -> Summary:
    """How many there are of each reason, source and point, the most first."""
    return Summary(await quarantine.summarise(tx, replace(asked, state=state), limit=limit))


@router.post("/quarantine/replay")
@allow("reading.write")
@no_transaction
@expensive
async def replay_quarantine(request: Request, caller: Caller, body: ReplayBody) -> Replayed:
    """Put refused readings in again, through the same checks; what is refused once more stays open."""
    twin = twin_of(request)
    return await quarantine.replay(
        twin.db,
        twin.ingest,
        caller,
        ids=body.ids,
        chosen=_filter(body.filter),
        point=body.point,
        ts=body.ts,
        lang=language_of(request.headers.get("accept-language")),
    )


@router.post("/quarantine/dismiss")
@allow("reading.write")
async def dismiss_quarantine(tx: Tx, caller: Caller, body: SettleBody) -> Dismissed:
    """Mark refused readings as looked at and not wanted; they stay on record."""
    return Dismissed(await quarantine.dismiss(tx, caller, ids=body.ids, chosen=_filter(body.filter)))


@router.get("/points/{point}/corrections")
@allow("reading.read")
async def list_corrections(tx: Tx, point: str, limit: Limit = 100, cursor: str | None = None) -> Page[Correction]:
    """Readings of a point that somebody put right, with the values they had."""
    return await corrections.list_corrections(tx, await get_point(tx, point), limit=limit, cursor=cursor)


@router.post("/points/{point}/corrections", status_code=201)
@allow("reading.write")
@no_transaction
async def create_correction(request: Request, caller: Caller, point: str, body: CorrectionBody) -> Correction:
    """Give a stored reading another value; the old one is kept, rollups and what is derived from it follow."""
    twin = twin_of(request)
    async with transaction_of(request) as conn:
        found = await get_point(conn, point)
    async with twin.db.transaction() as conn:
        made, batch = await corrections.correct(
            conn, caller, str(found.id), body.ts, body.value, reason=body.reason, quality=body.quality
        )
    await corrections.tell(twin.ingest, batch)
    return made
