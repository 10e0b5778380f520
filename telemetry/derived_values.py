"""The values of a derived point in some buckets, from the readings of its inputs (`telemetry/derived_series.py`).

How good a value is: as good as the worst of what it was worked out from; at least uncertain where a part of the bucket
is unknown, because an input was silent for longer than it may be or reported a bad value. Where an input is not known
at all there is no value; a sum adds up the others and is uncertain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from telemetry import buckets, derived_series
from telemetry.arrays import EPOCH_2000
from telemetry.derived import Rule, Source, inputs_of
from telemetry.derived_expression import CLOCK, compile_expression
from telemetry.derived_series import Series, Values
from telemetry.dimensions import MEASURES, scale
from telemetry.point_facts import Kind
from twin.db import Conn

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCES: Final = 200  # per query

_READ: LiteralString = """
    SELECT w.handle, array_agg(r.ts ORDER BY r.ts), array_agg(r.num ORDER BY r.ts), array_agg(r.q ORDER BY r.ts)
    FROM unnest(%(handles)s::int[], %(holds)s::interval[]) AS w(handle, hold) CROSS JOIN LATERAL (
        (SELECT ts, num, q FROM reading WHERE point_id = w.handle AND num IS NOT NULL
           AND ts < %(start)s AND ts >= %(start)s - w.hold ORDER BY ts DESC LIMIT 1)
        UNION ALL SELECT ts, num, q FROM reading WHERE point_id = w.handle AND num IS NOT NULL
           AND ts >= %(start)s AND ts < %(end)s
        UNION ALL (SELECT ts, num, q FROM reading WHERE point_id = w.handle AND num IS NOT NULL
           AND ts >= %(end)s AND ts <= %(end)s + w.hold ORDER BY ts LIMIT 1)
    ) AS r GROUP BY w.handle
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """An input and how its readings are to be understood."""

    source: Source
    hold: timedelta  # for so long a reading holds
    interpolate: bool
    until: datetime | None = None  # the point went out of use; later it is no part of a sum


@dataclass(frozen=True, slots=True)
class Target:
    """What is made: the point's kind, unit and range, and the site's zone."""

    rule: Rule
    kind: Kind
    unit: str | None
    zone: ZoneInfo
    labels: dict[str, str] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Values of buckets, columns of the same length n. Where not `known` there is no value."""

    ts: NDArray[np.int64]  # (n,) µs since 1970 UTC, starts of the buckets
    num: NDArray[np.float64]  # (n,)
    quality: NDArray[np.int64]  # (n,)
    known: NDArray[np.bool_]  # (n,)
    heard: bool  # of every input there is a reading in or next to these buckets
    covered: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def micros(moment: datetime) -> int:
    """µs since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(us: int) -> datetime:
    """The moment of µs since 1970 UTC."""
    return _EPOCH + timedelta(microseconds=us)


async def make_values(conn: Conn, target: Target, feeds: Sequence[Feed], cuts: Sequence[datetime]) -> Made:
    """The values of the buckets between `cuts` (n + 1 rising moments)."""
    edges = np.array([micros(cut) for cut in cuts], np.int64)
    series = await read_series(conn, feeds, cuts[0], cuts[-1])
    return work_out(target, feeds, series, edges)


async def read_series(conn: Conn, feeds: Sequence[Feed], start: datetime, end: datetime) -> list[Series]:
    """The readings of each input in [start, end), and the ones next to it on both sides that may reach into it."""
    found: dict[int, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = {}
    for at in range(0, len(feeds), _SOURCES):
        part = feeds[at : at + _SOURCES]
        wanted = {
            "handles": [feed.source.handle for feed in part],
            "holds": [feed.hold for feed in part],
            "start": start,
            "end": end,
        }
        async with conn.cursor(binary=True) as cursor:
            await cursor.execute(_READ, wanted)
            result = cursor.pgresult
            assert result is not None
            for i in range(result.ntuples):
                handle = int.from_bytes(result.get_value(i, 0) or b"")
                ts = _column(result.get_value(i, 1), ">i8").astype(np.int64) + EPOCH_2000
                num = _column(result.get_value(i, 2), ">f8").astype(np.float64)
                found[handle] = ts, num, _column(result.get_value(i, 3), ">i2").astype(np.int64)
    nothing = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
    series = []
    for feed in feeds:
        ts, num, quality = found.get(feed.source.handle, nothing)
        hold = int(feed.hold / timedelta(microseconds=1))
        series.append(Series(ts, num, quality, hold, feed.interpolate))
    return series


def _column(data: bytes | None, dtype: str) -> NDArray[Any]:
    """(n,) from PostgreSQL's binary form of an array without nulls."""
    if data is None or len(data) <= 12:
        return np.empty(0)
    return np.frombuffer(data, np.dtype([("length", ">i4"), ("value", dtype)]), offset=20)["value"]


def work_out(target: Target, feeds: Sequence[Feed], series: Sequence[Series], edges: NDArray[np.int64]) -> Made:
    """The values of the buckets between `edges` ((n + 1,) µs). Pure."""
    heard = bool(series) and all(len(each.ts) > 0 for each in series)
    if target.rule.kind == "expression":
        num, quality, known = _expression(target, feeds, series, edges)
    else:
        values = _values(target, feeds, series, edges)
        num, quality, known = values.value, values.quality, values.known
    known = known & np.isfinite(num)
    if target.low is not None:
        known &= ~(num < target.low)
    if target.high is not None:
        known &= ~(num > target.high)
    return Made(edges[:-1], num, quality, known, heard)


def _values(target: Target, feeds: Sequence[Feed], series: Sequence[Series], edges: NDArray[np.int64]) -> Values:
    rule = target.rule
    states = None if rule.states is None else frozenset(rule.states)
    if rule.kind == "sum":
        return _sum(target, feeds, series, edges)
    one, feed = series[0], feeds[0]
    if rule.kind == "starts":
        return derived_series.starts(one, edges, rule.above, states)
    pieces = derived_series.pieces_of(one, edges)
    if rule.kind == "run_hours":
        return _times(derived_series.run_hours(pieces, rule.above, states), *scale("HR", target.unit))
    if rule.kind == "energy":
        return _times(derived_series.area(pieces), _per_hour(feed.source.unit, target.unit), 0.0)
    factor, offset = scale(feed.source.unit if feed.source.unit in MEASURES else None, "DEG_C")
    warm = Series(one.ts, one.num * factor + offset, one.quality, one.hold_us, one.interpolate)
    made = derived_series.degree_hours(
        derived_series.pieces_of(warm, edges), rule.base or 0.0, heating=rule.mode == "heating"
    )
    return _times(made, *scale("DEG_C-HR", target.unit))


def _per_hour(unit: str | None, wanted: str | None) -> float:
    """What one hour of a unit is in the wanted one: 1 kW for an hour is 1 kW·h."""
    given, made = MEASURES.get(unit or ""), MEASURES.get(wanted or "")
    return 1.0 if given is None or made is None else given.factor * 3600.0 / made.factor


def _times(values: Values, factor: float, offset: float) -> Values:
    return Values(values.value * factor + offset, values.quality, values.covered)


def _sum(target: Target, feeds: Sequence[Feed], series: Sequence[Series], edges: NDArray[np.int64]) -> Values:
    parts, there = [], []
    for feed, each in zip(feeds, series, strict=True):
        made = derived_series.mean(derived_series.pieces_of(each, edges))
        parts.append(_times(made, *scale(feed.source.unit, target.unit)))
        there.append(np.ones(len(edges) - 1, bool) if feed.until is None else edges[:-1] < micros(feed.until))
    if not parts:
        nothing = np.zeros(len(edges) - 1)
        return Values(nothing * np.nan, nothing.astype(np.int64), nothing)
    return derived_series.total(parts, there)


def _expression(
    target: Target, feeds: Sequence[Feed], series: Sequence[Series], edges: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    sources, count = [feed.source for feed in feeds], len(edges) - 1
    text = target.rule.expression or ""
    expression = compile_expression(text, inputs_of(sources), kind=target.kind, unit=target.unit)
    columns: dict[str, Sequence[Any]] = dict(zip(CLOCK, _clock(edges, target.zone), strict=True))
    known, quality = np.ones(count, np.bool_), np.zeros(count, np.int64)
    used = [(source, each) for source, each in zip(sources, series, strict=True) if source.name in expression.names]
    if used:
        pieces = [derived_series.pieces_of(each, edges) for _, each in used]
        parts = [
            derived_series.mean(piece) if source.kind == "number" else derived_series.last(piece)
            for (source, _), piece in zip(used, pieces, strict=True)
        ]
        known, quality = derived_series.worst(parts)
        columns |= {source.name: _cells(source, part) for (source, _), part in zip(used, parts, strict=True)}
    places = np.flatnonzero(known).tolist()
    found = expression.values({name: [cells[i] for i in places] for name, cells in columns.items()}, len(places))
    num = np.full(count, np.nan)
    num[places] = [_number(value, target) for value in found]
    return num, quality, known


def _cells(source: Source, values: Values) -> list[Any]:
    """What an expression sees: numbers, bools, and enums as their labels."""
    if source.kind == "number":
        return list(values.value.tolist())
    if source.kind == "bool":
        return [value != 0 for value in values.value.tolist()]
    labels: Mapping[str, str] = source.labels or {}
    codes = [str(int(value)) if np.isfinite(value) else "" for value in values.value.tolist()]
    return [labels.get(code, code) for code in codes]


def _number(value: Any, target: Target) -> float:
    """A result as it is stored; NaN where the point has no such value."""
    if isinstance(value, bool):
        return float(value) if target.kind == "bool" else np.nan
    if isinstance(value, int | float):
        return np.nan if target.kind == "bool" else float(value)
    if isinstance(value, str) and target.kind == "enum":
        return next((float(code) for code, label in (target.labels or {}).items() if value in (label, code)), np.nan)
    return np.nan


def _clock(edges: NDArray[np.int64], zone: ZoneInfo) -> tuple[list[float], list[float]]:
    local = [moment_of(us).astimezone(zone) for us in edges[:-1].tolist()]
    return [each.hour + each.minute / 60 for each in local], [float(each.isoweekday()) for each in local]


def cuts_of(rule: Rule, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The edges of the buckets that touch [start, end)."""
    return buckets.edges(rule.bucket, zone, start, end)


def floor_cut(rule: Rule, zone: ZoneInfo, moment: datetime) -> datetime:
    """The start of the bucket that a moment is in."""
    return cuts_of(rule, zone, moment, moment + timedelta(microseconds=1))[0]
