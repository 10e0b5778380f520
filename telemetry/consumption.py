"""What meters count: the energy and water of a period (8.4.8), read from a few readings at its edges.

A meter only rises; what it counted in [start, end) is the difference of its values there, each on the line between the
readings next to that moment. A meter that begins or falls silent within the period tells of a part of it. One that was
exchanged (its value falls) is added up hour by hour.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, LiteralString, get_args
from uuid import UUID

from telemetry.dimensions import convertible, scale
from twin.db import Conn, rows

Medium = Literal["electricity", "heat", "water", "gas"]

MEDIA: Final[tuple[Medium, ...]] = get_args(Medium)
UNITS: Final[Mapping[Medium, str]] = {"electricity": "KiloW-HR", "heat": "KiloW-HR", "water": "M3", "gas": "M3"}
_BY_CLASS: Final[Mapping[str, Medium]] = {
    "Energy_Sensor": "electricity",
    "Electric_Energy_Sensor": "electricity",
    "Energy_Usage_Sensor": "electricity",
    "Electrical_Energy_Usage_Sensor": "electricity",
    "Thermal_Energy_Usage_Sensor": "heat",
    "Water_Usage_Sensor": "water",
    "Natural_Gas_Usage_Sensor": "gas",
}
_BY_METER: Final[Mapping[str, Medium]] = {"ENERGYMETER": "electricity", "WATERMETER": "water", "GASMETER": "gas"}

_METERS: LiteralString = """
    SELECT p.handle, p.key, p.name, p.unit, p.brick_class, p.element_id, e.storey_id,
           CASE WHEN e.ifc_class = 'IfcFlowMeter' THEN e.predefined_type END AS meter,
           p.properties ->> 'meter' AS said
    FROM point p LEFT JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %s AND p.retired_at IS NULL AND p.kind = 'number' AND p.unit IS NOT NULL ORDER BY p.key
"""
# Per meter and period the readings next to both edges: at most two days outside, anywhere within. Where retention
# removed readings, the hour's first and last are left.
_NEXT: LiteralString = """
    LEFT JOIN LATERAL (
      (SELECT r.ts, r.num FROM reading r WHERE r.point_id = m.handle AND r.q < 2 AND r.num IS NOT NULL
         AND r.ts {later} {low} AND r.ts {earlier} {high} ORDER BY r.ts {order} LIMIT 1)
      UNION ALL
      (SELECT h.{edge}_ts, h.{edge} FROM rollup_1h h JOIN history_cut c ON c.point_id = h.point_id
       WHERE h.point_id = m.handle AND h.ts < c.raw_from AND h.{edge}_ts {later} {low} AND h.{edge}_ts {earlier} {high}
         AND h.ts > {low} - interval '1 hour' AND h.ts <= {high} ORDER BY h.ts {order} LIMIT 1)
      ORDER BY ts {order} LIMIT 1) AS {name} ON true
"""
_BEFORE_START: LiteralString = _NEXT.format(
    name="a", edge="last", later=">", low="p.s - interval '2 days'", earlier="<=", high="p.s", order="DESC"
)
_AFTER_START: LiteralString = _NEXT.format(
    name="b", edge="first", later=">=", low="p.s", earlier="<=", high="p.e", order="ASC"
)
_BEFORE_END: LiteralString = _NEXT.format(
    name="c", edge="last", later=">", low="p.s", earlier="<=", high="p.e", order="DESC"
)
_AFTER_END: LiteralString = _NEXT.format(
    name="d", edge="first", later=">", low="p.e", earlier="<=", high="p.e + interval '2 days'", order="ASC"
)
_EDGES: LiteralString = (
    """SELECT m.handle, p.n - 1 AS period, a.ts AS a_ts, a.num AS a, b.ts AS b_ts, b.num AS b,
              c.ts AS c_ts, c.num AS c, d.ts AS d_ts, d.num AS d
       FROM unnest(%(meters)s::int[]) AS m(handle)
       CROSS JOIN unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS p(s, e, n)"""
    + _BEFORE_START + _AFTER_START + _BEFORE_END + _AFTER_END
)  # fmt: skip
# An exchanged meter: what each reading rose by, and from nothing after a fall.
_STEPS: LiteralString = """
    SELECT coalesce(sum(CASE WHEN num >= before THEN num - before ELSE num END), 0) AS amount
    FROM (SELECT num, lag(num) OVER (ORDER BY ts) AS before FROM reading
          WHERE point_id = %(meter)s AND q < 2 AND num IS NOT NULL AND ts >= %(start)s AND ts <= %(end)s) AS steps
    WHERE before IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Meter:
    """A point that counts what is used. `said`: what `properties.meter` says of it, `main` or `sub`."""

    handle: int
    key: str
    name: str
    medium: Medium
    factor: float  # its unit → kWh or m3
    element_id: UUID | None
    storey_id: UUID | None
    said: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end), UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a period, kWh or m3; None: no meter tells. `complete`: every meter tells of all of it."""

    amount: float | None
    complete: bool
    since: datetime | None = None  # the latest moment that a meter tells from, where that is not the period's start


def medium_of(unit: str, brick_class: str | None, meter: str | None) -> Medium | None:
    """What a point counts, by its Brick class, else by the kind of IfcFlowMeter it is at; None: it is no meter.

    >>> medium_of("MegaW-HR", "Energy_Sensor", None)
    'electricity'
    """
    medium = _BY_CLASS.get(brick_class or "") or (_BY_METER.get(meter or "") if brick_class is None else None)
    return medium if medium and convertible(unit, UNITS[medium]) else None


async def list_meters(conn: Conn, building: UUID) -> list[Meter]:
    """All meters of a building that the caller sees, by key."""
    found = []
    for each in await rows(conn, _METERS, (building,)):
        medium = medium_of(each["unit"], each["brick_class"], each["meter"])
        if medium:
            factor = scale(each["unit"], UNITS[medium])[0]
            place = (each["element_id"], each["storey_id"])
            found.append(Meter(each["handle"], each["key"], each["name"], medium, factor, *place, each["said"]))
    return found


async def read_used(conn: Conn, meters: Collection[Meter], periods: Sequence[Period]) -> list[dict[int, Used]]:
    """What each meter (by handle) counted in each period; a meter without a reading there is left out."""
    used: list[dict[int, Used]] = [{} for _ in periods]
    if not meters or not periods:
        return used
    found = await rows(
        conn,
        _EDGES,
        {
            "meters": [meter.handle for meter in meters],
            "starts": [period.start for period in periods],
            "ends": [period.end for period in periods],
        },
    )
    factors = {meter.handle: meter.factor for meter in meters}
    for each in found:
        period = periods[each["period"]]
        told = await _told(conn, each, period)
        if told is not None:
            amount, since, whole = told
            late = since if since > period.start else None
            used[each["period"]][each["handle"]] = Used(amount * factors[each["handle"]], whole, late)
    return used


async def _told(conn: Conn, each: Mapping[str, Any], period: Period) -> tuple[float, datetime, bool] | None:
    """(amount in the meter's unit, from when on, whether of the whole period); None: nothing within it."""
    before, first, last, after = ((each[f"{name}_ts"], each[name]) for name in "abcd")
    if last[0] is None:  # nothing within: the line between both sides, if there is one
        if before[0] is None or after[0] is None or after[1] < before[1]:
            return None
        return _at(before, after, period.end) - _at(before, after, period.start), period.start, True
    if before[0] is None or (before[1] > first[1] and before[0] < period.start):
        begin, since = first[1], first[0]
        started = first[0] == period.start
    else:
        begin, since, started = _at(before, first, period.start), period.start, True
    ended = after[0] is not None and after[1] >= last[1]
    end = _at(last, after, period.end) if ended else last[1]
    # Of a period that goes on until now nothing can follow: it is told as long as the meter speaks.
    whole = started and (ended or last[0] >= period.end - (period.end - period.start) * 0.02)
    if last[1] < first[1] or end < begin:
        left = before if started and before[0] is not None else first
        between = {"meter": each["handle"], "start": left[0], "end": last[0]}
        steps = float((await rows(conn, _STEPS, between))[0]["amount"])
        return steps - (begin - left[1]) + (end - last[1]), since, whole
    return end - begin, since, whole


def _at(one: tuple[datetime, float], two: tuple[datetime, float], moment: datetime) -> float:
    """The value at a moment on the line through two readings."""
    span = (two[0] - one[0]).total_seconds()
    return one[1] if span <= 0 else one[1] + (two[1] - one[1]) * (moment - one[0]).total_seconds() / span


def together(used: Mapping[int, Used], meters: Collection[Meter]) -> Used:
    """The sum of some meters; complete where every one of them is."""
    told = [used[meter.handle] for meter in meters if meter.handle in used]
    if not told:
        return Used(None, complete=False)
    amount = sum(each.amount or 0.0 for each in told)
    late = [each.since for each in told if each.since is not None]
    complete = len(told) == len(meters) and all(each.complete for each in told)
    return Used(amount, complete, max(late) if late else None)
