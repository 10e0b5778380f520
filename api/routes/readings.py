"""Reading back what was stored: raw, in buckets, side by side, as it was, how it is spread, as a file."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from api.clients import expensive
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, transaction_of, twin_of
from api.streams import begun
from api.times import End, Start, TimeText, time_of
from identity import audit
from telemetry import history, points
from telemetry.aggregate import Fill, Span, find_cut, parse_aggregates, read_buckets
from telemetry.buckets import auto_bucket, parse_bucket
from telemetry.history import Reading
from telemetry.points import Point
from telemetry.reading_back import Aligned, Distribution, read_aligned, read_distribution
from telemetry.reading_export import MEDIA, Format, export_arrow, export_csv
from telemetry.rollups import FINE
from telemetry.states import PointState, latest_readings, read_as_of
from twin.db import Conn, rows
from twin.errors import Invalid, NotFound
from twin.page import Page
from twin.places import get_building

router = Router(tags=["telemetry"])

RawLimit = Annotated[int, Query(ge=1, le=10_000, description="raw readings per page")]
Lookback = Annotated[float, Query(gt=0, le=366, description="days of silence after which a point is left out")]


@dataclass(frozen=True, slots=True)
class BucketPage:
    """Aggregates per bucket: `{"ts": its start, "mean": …}`. `bucket` is the width, chosen by the server for `auto`."""

    items: list[dict[str, Any]]
    next: None
    bucket: str
    raw_from: datetime | None  # retention removed the readings before: there the answer is made of five-minute rollups


@router.get("/points/{point}/readings")
@allow("reading.read")
async def list_readings(
    tx: Tx,
    point: str,
    start: Start = None,
    end: End = None,
    bucket: str | None = None,
    agg: str = "mean,min,max",
    fill: Annotated[Fill, Query(description="what a bucket without readings shows")] = "none",
    order: Literal["asc", "desc"] = "asc",
    limit: RawLimit = 100,
    cursor: str | None = None,
) -> Page[Reading] | BucketPage:
    """Raw readings of [from, to), or aggregates in buckets (`5m`, `1h`, `1d`, `auto`) of the site's clock.

    With `bucket`, to defaults to now and from to a day before it.
    """
    found = await points.get_point(tx, point)
    since, until = time_of(start, "from"), time_of(end, "to")
    if bucket is None:
        if since and until and until <= since:
            raise Invalid("history.range", where="to")
        return await history.read_raw(
            tx,
            found.handle,
            found.kind,
            start=since,
            end=until,
            newest_first=order == "desc",
            limit=limit,
            cursor=cursor,
        )
    span = await _span([found], tx, since, until, bucket)
    items = await read_buckets(tx, found.handle, span, parse_aggregates(agg), sampling=found.sampling, fill=fill)
    cut = await find_cut(tx, found.handle)
    return BucketPage(items, None, str(span.bucket), cut if cut and cut > span.start else None)


@router.get("/readings/latest")
@allow("reading.read")
async def list_latest(
    tx: Tx, building: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[PointState]:
    """The newest reading of each point, by key."""
    building_id = (await get_building(tx, building)).id if building else None
    return await latest_readings(tx, building_id, limit=limit, cursor=cursor)


@router.get("/readings/at")
@allow("reading.read")
async def list_past(
    tx: Tx, building: str, ts: TimeText, lookback: Lookback = 7.0, limit: Limit = 100, cursor: str | None = None
) -> Page[PointState]:
    """What every point of a building said at a moment, by key: the building as it was."""
    moment = time_of(ts, "ts")
    if moment is None:
        raise Invalid("history.time", where="ts", time="")
    found = await get_building(tx, building)
    return await read_as_of(tx, found.id, moment, lookback=timedelta(days=lookback), limit=limit, cursor=cursor)


@router.get("/readings/aligned")
@allow("reading.read")
async def list_aligned(
    tx: Tx,
    point: Annotated[list[str], Query(description="keys or ids, once each")],
    start: Start = None,
    end: End = None,
    bucket: str = "auto",
    agg: str = "mean",
    fill: Fill = "none",
) -> Aligned:
    """Several points in the same buckets, cut on the clock of the first one's site."""
    found = [await points.get_point(tx, each) for each in dict.fromkeys(point)]
    span = await _span(found, tx, time_of(start, "from"), time_of(end, "to"), bucket)
    return await read_aligned(tx, found, span, parse_aggregates(agg), fill)


@router.get("/points/{point}/distribution")
@allow("reading.read")
async def get_distribution(
    tx: Tx,
    point: str,
    start: Start = None,
    end: End = None,
    percentiles: Annotated[str, Query(description="0 to 100, separated by commas")] = "5,25,50,75,95",
    bins: int = 20,
) -> Distribution:
    """Histogram, percentiles, mean and deviation of a point's readings; the last day unless told."""
    found = await points.get_point(tx, point)
    _must_have_numbers(found)
    since, until = history.default_range(time_of(start, "from"), time_of(end, "to"), datetime.now(UTC))
    try:
        wanted = [float(each) for each in percentiles.split(",") if each.strip()]
    except ValueError:
        raise Invalid("history.percentiles", where="percentiles") from None
    return await read_distribution(tx, found.handle, since, until, wanted, bins)


class ExportBody(BaseModel):
    """Which readings to take out: of these points, or of all points of a building, of [from, to)."""

    points: list[str] = Field(default_factory=list, max_length=10_000)
    building: str | None = None
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    format: Format = "csv"


@router.post("/readings/export", response_class=StreamingResponse)
@allow("reading.read")
@no_transaction
@expensive
async def export_readings(request: Request, caller: Caller, body: ExportBody) -> Response:
    """Readings as CSV, Parquet or Arrow, by point and time; written while they are read. Leaves an audit entry."""
    since, until = time_of(body.start, "from"), time_of(body.end, "to")
    if since is None or until is None or until <= since:
        raise Invalid("history.range", where="to")
    headers = {"content-disposition": f'attachment; filename="readings-{since:%Y%m%d}-{until:%Y%m%d}.{body.format}"'}
    pieces = await begun(_pieces(request, body, since, until), 1)
    async with twin_of(request).db.transaction() as conn:
        told = {
            "building": body.building,
            "points": len(body.points),
            "from": since,
            "to": until,
            "format": body.format,
        }
        await audit.record(conn, caller, "reading.export", after=told)
    return StreamingResponse(pieces, media_type=MEDIA[body.format], headers=headers)


async def _pieces(request: Request, body: ExportBody, start: datetime, end: datetime) -> AsyncGenerator[bytes, None]:
    async with transaction_of(request) as conn:
        handles = await _handles(conn, body)
        stream = (
            export_csv(conn, handles, start, end)
            if body.format == "csv"
            else export_arrow(conn, handles, start, end, body.format)
        )
        async for piece in stream:
            yield piece


async def _handles(conn: Conn, body: ExportBody) -> list[int]:
    """The points of an export, as far as the caller may see them."""
    if body.building is not None:
        building: UUID = (await get_building(conn, body.building)).id
        found = await rows(conn, "SELECT handle FROM point WHERE building_id = %s ORDER BY key", (building,))
        return [each["handle"] for each in found]
    found = await rows(
        conn,
        """SELECT handle, key, id::text FROM point WHERE key = ANY(%(refs)s) OR id::text = ANY(%(refs)s)""",
        {"refs": body.points},
    )
    by_ref = {each[name]: each["handle"] for each in found for name in ("key", "id")}
    missing = [ref for ref in body.points if ref not in by_ref]
    if missing:
        raise NotFound("point.unknown", where="points", key=missing[0])
    return list(dict.fromkeys(by_ref[ref] for ref in body.points))


def _must_have_numbers(point: Point) -> None:
    if point.kind == "text":
        raise Invalid("history.text_buckets", where="point", point=point.key)


async def _span(wanted: Sequence[Point], conn: Conn, start: datetime | None, end: datetime | None, bucket: str) -> Span:
    """The span of a question about points, in the zone of the first one, or of its site."""
    for point in wanted:
        _must_have_numbers(point)
    now = datetime.now(UTC)
    since, until = history.default_range(start, end, now)
    width = auto_bucket(since, until) if bucket == "auto" else parse_bucket(bucket)
    if bucket == "auto" and width.seconds < FINE.total_seconds() and await _any_cut(conn, wanted, since):
        width = parse_bucket("5m")
    zone = ZoneInfo(wanted[0].time_zone or await history.zone_of(conn, wanted[0].building_id))
    return Span(since, until, width, zone, now)


async def _any_cut(conn: Conn, wanted: Sequence[Point], start: datetime) -> bool:
    """Whether retention left only rollups of one of these points after `start`."""
    cuts = [await find_cut(conn, point.handle) for point in wanted]
    return any(cut is not None and cut > start for cut in cuts)
