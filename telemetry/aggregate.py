"""Readings in buckets: mean, min, max, sum, count, share of good ones, first, last and the time-weighted mean.

A bucket is put together from pieces: whole rollups where they are fine enough and true, single readings at the edges
of the range, after what is rolled up, and in hours that are dirty (`telemetry/rollups.py`). Both kinds of piece have
the same columns and join in the same way, so the answer does not depend on which were taken. Where retention removed
the readings (`history_cut`) there are rollups only: a bucket then has those that begin in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, LiteralString
from zoneinfo import ZoneInfo

import numpy as np

from telemetry import arrays
from telemetry.buckets import Bucket, edges
from telemetry.points import Sampling
from telemetry.rollups import COARSE, WIDTHS, floor
from twin.db import Conn, row, rows
from twin.errors import Invalid

Fill = Literal["none", "null", "previous", "linear"]

AGGREGATES: Final = ("mean", "min", "max", "sum", "count", "good", "first", "last", "twa")
ORDERED: Final = frozenset({"first", "last", "twa"})
LEVELS: Final = frozenset({"mean", "min", "max", "first", "last", "twa"})  # what a gap can be filled with

# Pieces q(ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted), `ts` within their bucket.
_COLUMNS: LiteralString = """
    SELECT r.ts, 1 AS n, (r.q = 0)::int AS good, r.num AS sum, r.num AS min, r.num AS max, r.num AS first,
           r.num AS last, r.ts AS first_ts, r.ts AS last_ts, 0::float8 AS held, 0::float8 AS slanted
    FROM reading r WHERE r.point_id = %(handle)s AND r.q < 2 AND r.num IS NOT NULL
"""
_READINGS: LiteralString = _COLUMNS + " AND r.ts >= %(start)s AND r.ts < %(end)s "
_EDGES: LiteralString = (
    _COLUMNS + " AND r.ts >= %(start)s AND r.ts < %(low)s UNION ALL"
    + _COLUMNS + " AND r.ts >= %(high)s AND r.ts < %(end)s UNION ALL "
)  # fmt: skip
_WHOLE: LiteralString = """
    SELECT ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted FROM {table}
    WHERE point_id = %(handle)s AND ts >= %(low)s AND ts < %(high)s
"""
# Hours that are dirty come from the readings instead.
_CLEAN: LiteralString = _WHOLE + " AND date_bin('1 hour', ts, 'epoch') <> ALL(%(dirty)s::timestamptz[]) UNION ALL"
# What retention left of the time before `raw_from`.
_CUT: LiteralString = """
    UNION ALL SELECT ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted FROM {cut_table}
    WHERE point_id = %(handle)s AND ts >= %(cut_low)s AND ts < %(cut_high)s
"""
_DIRTY: LiteralString = (
    _CLEAN + _COLUMNS
    + """ AND r.ts >= %(low)s AND r.ts < %(high)s AND r.ts >= %(first_dirty)s AND r.ts <= %(last_dirty)s
          AND date_bin('1 hour', r.ts, 'epoch') = ANY(%(dirty)s::timestamptz[])"""
)  # fmt: skip
_PLAIN: LiteralString = """
    SELECT b, sum(n)::bigint AS n, sum(good)::bigint AS good, sum(sum) AS sum, min(min) AS min, max(max) AS max
    FROM (SELECT width_bucket(ts, %(edges)s) AS b, * FROM ({pieces}) AS q) AS cut GROUP BY b ORDER BY b
"""
_JOINED: LiteralString = """
    SELECT b, sum(n)::bigint AS n, sum(good)::bigint AS good, sum(sum) AS sum, min(min) AS min, max(max) AS max,
           min(first) FILTER (WHERE last_before IS NULL) AS first, min(last) FILTER (WHERE is_last) AS last,
           min(first_ts) AS first_ts, max(last_ts) AS last_ts,
           sum(held + coalesce(last_before * seconds_before, 0)) AS held,
           sum(slanted + coalesce((last_before + first) / 2 * seconds_before, 0)) AS slanted
    FROM (SELECT *, lag(last) OVER w AS last_before,
                 date_part('epoch', first_ts - lag(last_ts) OVER w) AS seconds_before, lead(b) OVER w IS NULL AS is_last
          FROM (SELECT width_bucket(ts, %(edges)s) AS b, * FROM ({pieces}) AS q) AS cut
          WINDOW w AS (PARTITION BY b ORDER BY first_ts)) AS neighbours
    GROUP BY b ORDER BY b
"""
_TABLES: Final[dict[int, LiteralString]] = {5: "rollup_5m", 60: "rollup_1h"}


@dataclass(frozen=True, slots=True)
class Span:
    """What to read: [start, end) in buckets of a zone. Time after `now` does not weigh."""

    start: datetime
    end: datetime
    bucket: Bucket
    zone: ZoneInfo
    now: datetime


def parse_aggregates(text: str) -> list[str]:
    """`mean,min,max` as a list. Raises Invalid `history.aggregate`."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in AGGREGATES]
    if unknown or not names:
        raise Invalid("history.aggregate", where="agg", unknown=", ".join(unknown)[:60], known=", ".join(AGGREGATES))
    return names


async def read_buckets(
    conn: Conn,
    handle: int,
    span: Span,
    aggregates: Sequence[str],
    *,
    sampling: Sampling = "hold",
    fill: Fill = "none",
) -> list[dict[str, Any]]:
    """One item `{"ts": start of the bucket, aggregate: value…}` per bucket that has usable readings (good, uncertain).

    Aggregates cover what of the bucket lies in [start, end). The time-weighted mean holds each value until the next
    reading, or draws a straight line to it (`interpolate`), across bucket edges. `fill`: buckets without readings come
    too, with null, with the value before, or on the line between their neighbours. Raises Invalid for a bad range or
    too many buckets.
    """
    cuts = edges(span.bucket, span.zone, span.start, span.end)
    ordered = bool(ORDERED & set(aggregates)) or fill in ("previous", "linear")
    found = await _read(conn, handle, span, cuts, ordered=ordered)
    around = _Around(None, None)
    if ordered:
        around = await _around(conn, handle, span, after=sampling == "interpolate" or fill == "linear")
    if "twa" in aggregates:
        _weigh(found, cuts, span, around, sampling)
    items = [_item(each, cuts, aggregates) for each in found]
    return items if fill == "none" else _filled(items, found, cuts, span, aggregates, fill, around)


def _item(found: dict[str, Any], cuts: Sequence[datetime], aggregates: Sequence[str]) -> dict[str, Any]:
    values = {**found, "mean": found["sum"] / found["n"], "count": found["n"], "good": found["good"] / found["n"]}
    return {"ts": cuts[found["b"] - 1], **{name: values[name] for name in aggregates}}


async def _read(
    conn: Conn, handle: int, span: Span, cuts: Sequence[datetime], *, ordered: bool
) -> list[dict[str, Any]]:
    raw_from = await find_cut(conn, handle)
    begin = max(span.start, raw_from) if raw_from else span.start
    parameters: dict[str, Any] = {"handle": handle, "start": begin, "end": span.end, "edges": _array(cuts)}
    part = await _rolled_part(conn, handle, begin, span.end, cuts)
    pieces = _READINGS
    if part is not None:
        pieces = _EDGES + (_DIRTY if part["dirty"] else _WHOLE).format(table=_TABLES[part["width"]])
        parameters |= part
    if begin > span.start:
        width = next((w for w in WIDTHS if _fits(cuts, w)), WIDTHS[-1])
        pieces += _CUT.format(cut_table=_TABLES[width])
        parameters |= {"cut_low": span.start, "cut_high": min(begin, span.end)}
    return await rows(conn, (_JOINED if ordered else _PLAIN).format(pieces=pieces), parameters)


def _array(cuts: Sequence[datetime]) -> arrays.TimestamptzArray:
    """Edges, which are whole seconds, in one piece: half of what a chart costs Python otherwise."""
    return arrays.timestamptz(np.array([int(cut.timestamp()) * 1_000_000 for cut in cuts], np.int64))


async def find_cut(conn: Conn, handle: int) -> datetime | None:
    """From when on a point's readings are whole; None: retention removed none."""
    found = await row(conn, "SELECT raw_from FROM history_cut WHERE point_id = %s", (handle,))
    return found["raw_from"] if found else None


async def _rolled_part(
    conn: Conn, handle: int, start: datetime, end: datetime, cuts: Sequence[datetime]
) -> dict[str, Any] | None:
    """Which part of [start, end) rollups can answer: their `width` (min), [low, high) and the `dirty` hours in it."""
    width = next((w for w in WIDTHS if _fits(cuts, w)), None)
    if width is None:
        return None
    state = await row(conn, "SELECT rolled FROM rollup_state")
    if state is None:
        return None
    step = timedelta(minutes=width)
    low, high = floor(start, step), floor(min(end, state["rolled"]), step)
    if low < start:
        low += step
    if low >= high:
        return None
    dirty = await rows(
        conn,
        "SELECT DISTINCT hour FROM rollup_dirty WHERE point_id = %s AND hour >= %s AND hour < %s ORDER BY hour",
        (handle, floor(low, COARSE), high),
    )
    hours = [each["hour"] for each in dirty]
    ends = {"first_dirty": hours[0], "last_dirty": hours[-1] + COARSE} if hours else {}
    return {"width": width, "low": low, "high": high, "dirty": hours, **ends}


def _fits(cuts: Sequence[datetime], width: int) -> bool:
    """Whether every edge is one of that width's; zones may be a quarter of an hour off."""
    return all(cut.timestamp() % (width * 60) == 0 for cut in cuts)


@dataclass(frozen=True, slots=True)
class _Around:
    """The readings next to a span: time and value."""

    before: tuple[datetime, float] | None
    after: tuple[datetime, float] | None


# The usable reading next to a span; where readings were removed, the last or first one of a rollup.
_BEFORE: LiteralString = """
    (SELECT ts, num FROM reading WHERE point_id = %(handle)s AND q < 2 AND num IS NOT NULL AND ts < %(at)s
     ORDER BY ts DESC LIMIT 1)
"""
_BEFORE_CUT: LiteralString = _BEFORE + """ UNION ALL
    (SELECT last_ts AS ts, last AS num FROM rollup_5m f JOIN history_cut c ON c.point_id = f.point_id
     WHERE f.point_id = %(handle)s AND f.ts < least(%(at)s, c.raw_from) AND f.last_ts < %(at)s
     ORDER BY f.ts DESC LIMIT 1) ORDER BY ts DESC LIMIT 1
"""  # fmt: skip
_AFTER: LiteralString = """
    (SELECT ts, num FROM reading WHERE point_id = %(handle)s AND q < 2 AND num IS NOT NULL AND ts >= %(at)s
     ORDER BY ts LIMIT 1)
"""
_AFTER_CUT: LiteralString = _AFTER + """ UNION ALL
    (SELECT first_ts AS ts, first AS num FROM rollup_5m f JOIN history_cut c ON c.point_id = f.point_id
     WHERE f.point_id = %(handle)s AND f.ts < c.raw_from AND f.ts >= %(at)s ORDER BY f.ts LIMIT 1)
    ORDER BY ts LIMIT 1
"""  # fmt: skip


async def _around(conn: Conn, handle: int, span: Span, *, after: bool) -> _Around:
    cut = await find_cut(conn, handle)
    before = await row(conn, _BEFORE_CUT if cut else _BEFORE, {"handle": handle, "at": span.start})
    follows = None
    if after:
        follows = await row(conn, _AFTER_CUT if cut else _AFTER, {"handle": handle, "at": span.end})
    return _Around(
        (before["ts"], before["num"]) if before else None, (follows["ts"], follows["num"]) if follows else None
    )


def _weigh(
    found: Sequence[dict[str, Any]], cuts: Sequence[datetime], span: Span, around: _Around, sampling: Sampling
) -> None:
    """Add `twa` to each bucket: the area under its readings and up to both edges, divided by its time."""
    until = max(min(span.end, span.now), span.start)
    before = around.before
    for i, each in enumerate(found):
        begin, end = max(cuts[each["b"] - 1], span.start), max(min(cuts[each["b"]], until), each["last_ts"])
        first, last = (each["first_ts"], each["first"]), (each["last_ts"], each["last"])
        following = found[i + 1] if i + 1 < len(found) else None
        after = (following["first_ts"], following["first"]) if following else around.after
        area = each["held"] if sampling == "hold" else each["slanted"]
        since = begin if before else first[0]
        if before:
            area += _area(before, first, begin, first[0], sampling)
        area += _area(last, after or (end, last[1]), last[0], end, sampling)
        seconds = (end - since).total_seconds()
        # Readings may lie ahead of now by up to an hour: such a bucket has no time to weigh with yet.
        each["twa"] = area / seconds if seconds > 0 else last[1]
        before = last


def _area(
    one: tuple[datetime, float], two: tuple[datetime, float], start: datetime, end: datetime, sampling: Sampling
) -> float:
    """Value × s in [start, end), which lies between two readings."""
    seconds = (end - start).total_seconds()
    if sampling == "hold":
        return one[1] * seconds
    return (_between(one, two, start) + _between(one, two, end)) / 2 * seconds


def _between(one: tuple[datetime, float], two: tuple[datetime, float], moment: datetime) -> float:
    """The value at a moment on the line through two readings."""
    span = (two[0] - one[0]).total_seconds()
    return one[1] if span <= 0 else one[1] + (two[1] - one[1]) * (moment - one[0]).total_seconds() / span


def _filled(
    items: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]],
    cuts: Sequence[datetime],
    span: Span,
    aggregates: Sequence[str],
    fill: Fill,
    around: _Around,
) -> list[dict[str, Any]]:
    """The items and, between them, those of buckets without readings that have begun by now."""
    result: list[dict[str, Any]] = []
    there = {each["b"] - 1: i for i, each in enumerate(found)}
    before, next_ = around.before, 0
    for number in range(len(cuts) - 1):
        if number in there:
            next_ = there[number] + 1
            result.append(items[next_ - 1])
            if fill != "null":
                before = (found[next_ - 1]["last_ts"], found[next_ - 1]["last"])
        elif cuts[number] <= span.now:
            following = found[next_] if next_ < len(found) and fill == "linear" else None
            after = (following["first_ts"], following["first"]) if following else around.after
            middle = cuts[number] + (cuts[number + 1] - cuts[number]) / 2
            value = before[1] if before and fill == "previous" else None
            if fill == "linear" and before and after:
                value = _between(before, after, middle)
            result.append(_empty(cuts[number], aggregates, value))
    return result


def _empty(start: datetime, aggregates: Sequence[str], value: float | None) -> dict[str, Any]:
    counts = {"count": 0, "sum": 0.0, "good": None}
    return {"ts": start, **{name: value if name in LEVELS else counts[name] for name in aggregates}}
