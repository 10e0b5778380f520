"""The numbers of each section of a report, read as the pages read them: one truth, told for a stretch of time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from api.consumption import by_storey, mains_and_leaves, state_of
from api.overview import overview
from api.quotas import quotas_of
from api.report_periods import Days, quota_of
from identity.actor import Actor, Place
from maintenance.figures import alarm_figures, order_figures
from spatial.flow_rows import Flows
from spatial.network import Networks
from telemetry import points
from telemetry.aggregate import Span, read_buckets
from telemetry.buckets import Bucket, auto_bucket, edges, parse_bucket
from telemetry.consumption import MEDIA, UNITS, Medium, Meter, Period, Used, list_meters, read_used, together
from telemetry.coverage import read_coverage
from telemetry.points import Point
from telemetry.reading_back import read_aligned
from twin.db import Conn, rows
from twin.places import Building

# One bucket that every report lies in: the aggregates of a bucket are those of what was asked for of it.
WHOLE: Final = Bucket(1200, "mo")
MOST_BUCKETS: Final = 370  # of a chart: the days of a year
PARTS: Final[Mapping[str, str]] = {"day": "1h", "week": "1d", "month": "1d", "quarter": "1w", "year": "1mo"}
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (),
    "overview": ("reading.read", "alarm.read", "work_order.read"),
    "use": ("reading.read",),
    "chart": ("reading.read",),
    "points": ("reading.read",),
    "alarms": ("alarm.read",),
    "orders": ("work_order.read",),
}
"""What somebody must be allowed, in the whole building, to see a section."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a report is about: `[start, end)`, `end` not after `now`."""

    building: Building
    days: Days
    start: datetime
    end: datetime
    now: datetime
    networks: Networks


Numbers = dict[str, Any]


def may_see(actor: Actor, kind: str, building: UUID) -> bool:
    """Say whether somebody may see a kind of section of a building: what it needs, and that everywhere in it."""
    place = Place("building", building, frozenset((building,)))
    return all(actor.scope(permission).covers(place) for permission in NEEDS[kind])


async def section_of(conn: Conn, told: Told, section: Mapping[str, Any]) -> Numbers:
    """A section with its numbers beside what was chosen."""
    make = _MAKERS.get(section["kind"])
    return {**section, **(await make(conn, told, section) if make else {})}


async def _overview(conn: Conn, told: Told, _: Mapping[str, Any]) -> Numbers:
    found = asdict(await overview(conn, told.building))
    found["safety"].pop("spots")
    return {"figures": {name: each for name, each in found.items() if name not in ("spots", "building_id", "works")}}


# Energy and water


async def _use(conn: Conn, told: Told, section: Mapping[str, Any]) -> Numbers:
    meters = await list_meters(conn, told.building.id)
    flows = (await told.networks.of(told.building.id)).flows if len(meters) > 1 else None
    media = []
    for medium in section.get("media") or MEDIA:
        of_it = [meter for meter in meters if meter.medium == medium]
        if of_it:
            media.append(await _medium(conn, told, medium, of_it, flows))
    return {"media": media}


async def _medium(
    conn: Conn, told: Told, medium: Medium, meters: Sequence[Meter], flows: Flows | None
) -> dict[str, Any]:
    mains, leaves = await asyncio.to_thread(mains_and_leaves, meters, flows)
    this = Period(told.start, told.end)
    others = [_same_part(told, days) for days in (told.days.before(), told.days.a_year_before())]
    cuts = edges(parse_bucket(_part(told)), told.days.zone, told.start, told.end)
    pieces = [Period(max(a, told.start), min(b, told.end)) for a, b in zip(cuts, cuts[1:], strict=False)]
    found = [together(each, mains) for each in await read_used(conn, mains, [this, *others, *pieces])]
    used, (before, year_before), parts = found[0], found[1:3], found[3:]
    quota = quota_of(told.days, told.end, await _quotas(conn, told, medium))
    state = state_of(used.amount, quota) if used.amount is not None and quota is not None else None
    names = await _storeys(conn, told.building.id)
    return {
        "medium": medium,
        "unit": UNITS[medium],
        "meters": len(mains),
        "used": asdict(used),
        "before": _known(before),
        "year_before": _known(year_before),
        "quota": quota,
        "state": state,
        "parts": [{"start": each.start, **asdict(part)} for each, part in zip(pieces, parts, strict=True)],
        "storeys": [
            {"name": names.get(each.storey_id, ""), "amount": each.amount}
            for each in await by_storey(conn, leaves, this)
        ],
    }


def _known(used: Used) -> float | None:
    """What is beside a number must be known as a whole."""
    return used.amount if used.complete else None


def _same_part(told: Told, days: Days) -> Period:
    """As much of other days as of the days that the report is about: of a month that is not over the same part."""
    if told.end >= told.days.end:
        return Period(days.start, days.end)
    return Period(days.start, min(days.end, days.start + (told.end - told.start)))


def _part(told: Told) -> str:
    if told.days.kind in PARTS:
        return PARTS[told.days.kind]
    return "1d" if told.end - told.start <= timedelta(days=62) else "1mo"


async def _quotas(conn: Conn, told: Told, medium: Medium) -> dict[tuple[int, int], float | None]:
    months: dict[tuple[int, int], float | None] = {}
    for year in range(told.days.first.year, told.days.last.year + 1):
        for quota in await quotas_of(conn, told.building.id, year):
            if quota.medium == medium:
                months |= {(year, number): amount for number, amount in enumerate(quota.months, 1)}
    return months


async def _storeys(conn: Conn, building: UUID) -> dict[UUID, str]:
    found = await rows(conn, "SELECT id, name FROM storey WHERE building_id = %s", (building,))
    return {each["id"]: each["name"] for each in found}


# Points


async def _named(conn: Conn, told: Told, refs: Sequence[str]) -> tuple[dict[str, Point], list[str]]:
    """The points of this building that are there, and those that are not any more."""
    found, gone = {}, []
    for ref in refs:
        point = await points.find_point(conn, ref)
        if point is None or point.building_id != told.building.id:
            gone.append(ref)
        else:
            found[ref] = point
    return found, gone


async def _chart(conn: Conn, told: Told, section: Mapping[str, Any]) -> Numbers:
    found, gone = await _named(conn, told, section["points"])
    bucket = auto_bucket(told.start, told.end, MOST_BUCKETS)
    span = Span(told.start, told.end, bucket, told.days.zone, told.now)
    aligned = await read_aligned(conn, list(found.values()), span, ["mean", "min", "max"], "none")
    return {**asdict(aligned), "gone": gone}


async def _points(conn: Conn, told: Told, section: Mapping[str, Any]) -> Numbers:
    wanted = {each["point"]: each for each in section["points"]}
    found, gone = await _named(conn, told, list(wanted))
    places = await _places(conn, found.values())
    ruled = await _ruled(conn, found.values())
    lines = []
    for ref, point in found.items():
        low, high = wanted[ref].get("low"), wanted[ref].get("high")
        given = "report" if low is not None or high is not None else "rules" if point.handle in ruled else None
        if given == "rules":
            low, high = ruled[point.handle]
        line = await _line(conn, told, point, low, high)
        lines.append({**line, "place": places.get(point.handle), "limits": given})
    return {"points": lines, "gone": gone, "chosen": section["points"]}


async def _line(conn: Conn, told: Told, point: Point, low: float | None, high: float | None) -> dict[str, Any]:
    span = Span(told.start, told.end, WHOLE, told.days.zone, told.now)
    wanted = ["twa", "min", "max", "first", "last", "count", "good"]
    items = await read_buckets(conn, point.handle, span, wanted, sampling=point.sampling)
    values = dict.fromkeys(wanted) | {"count": 0} if not items else items[0]
    told_of = await read_coverage(conn, point.handle, told.start, told.end, low=low, high=high)
    limited = low is not None or high is not None
    return {
        "point": point.key,
        "name": point.name,
        "kind": point.kind,
        "unit": point.unit,
        "retired": point.retired_at is not None,
        "mean": values["twa"],
        **{name: values[name] for name in ("min", "max", "first", "last", "count", "good")},
        "low": low,
        "high": high,
        "within": told_of.within / told_of.covered if limited and told_of.covered else None,
        "covered": told_of.covered / (told.end - (told_of.since or told.start)).total_seconds(),
        "gaps": told_of.gaps,
        "silent": told_of.silent,
        "longest_gap": told_of.longest,
        "longest_gap_from": told_of.longest_from,
        "raw_from": told_of.since,
    }


async def _places(conn: Conn, chosen: Any) -> dict[int, str]:
    found = await rows(
        conn,
        """SELECT p.handle, concat_ws(' · ', s.name, coalesce(space.long_name, space.name)) AS place
           FROM point p JOIN element e ON e.id = p.element_id LEFT JOIN storey s ON s.id = e.storey_id
           LEFT JOIN element space ON space.id = CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END
           WHERE p.handle = ANY(%s)""",
        ([point.handle for point in chosen],),
    )
    return {each["handle"]: each["place"] for each in found if each["place"]}


async def _ruled(conn: Conn, chosen: Any) -> dict[int, tuple[float | None, float | None]]:
    """Between which values points raise no alarm: the nearest of their rules."""
    found = await rows(
        conn,
        """SELECT point_id, max(alarm_setpoint) FILTER (WHERE kind = 'low') AS low,
                  min(alarm_setpoint) FILTER (WHERE kind = 'high') AS high
           FROM alarm_rule WHERE point_id = ANY(%s) AND enabled AND deleted_at IS NULL GROUP BY point_id""",
        ([point.handle for point in chosen],),
    )
    return {each["point_id"]: (each["low"], each["high"]) for each in found}


# Alarms and orders


async def _alarms(conn: Conn, told: Told, section: Mapping[str, Any]) -> Numbers:
    within = timedelta(seconds=section.get("ack_within", 600.0))
    return asdict(await alarm_figures(conn, told.building.id, told.start, told.end, told.now, within=within))


async def _orders(conn: Conn, told: Told, _: Mapping[str, Any]) -> Numbers:
    return asdict(await order_figures(conn, told.building.id, told.start, told.end))


_MAKERS: Final[Mapping[str, Callable[[Conn, Told, Mapping[str, Any]], Awaitable[Numbers]]]] = {
    "overview": _overview,
    "use": _use,
    "chart": _chart,
    "points": _points,
    "alarms": _alarms,
    "orders": _orders,
}
