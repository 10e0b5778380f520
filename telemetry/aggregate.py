"""Readings in buckets: mean, min, max, sum, count, first, last and the time-weighted mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from zoneinfo import ZoneInfo

from telemetry.buckets import Bucket, edges
from twin.db import Conn, row, rows
from twin.errors import Invalid

# What each aggregate needs of the readings r(b, ts, num, previous_b, next_b, until) of a bucket.
_SQL: Final[Mapping[str, LiteralString]] = {
    "mean": "avg(num) AS mean",
    "min": "min(num) AS min",
    "max": "max(num) AS max",
    "sum": "sum(num) AS sum",
    "count": "count(*) AS count",
    "first": "min(num) FILTER (WHERE previous_b IS DISTINCT FROM b) AS first",
    "last": "min(num) FILTER (WHERE next_b IS DISTINCT FROM b) AS last",
    "twa": """min(ts) AS first_ts, sum(num * greatest(extract(epoch FROM until - ts)::float8, 0)) AS area,
              min(num) FILTER (WHERE next_b IS DISTINCT FROM b) AS carry""",
}
AGGREGATES: Final = tuple(_SQL)
ORDERED: Final = frozenset({"first", "last", "twa"})

_PLAIN: LiteralString = """
    SELECT width_bucket(ts, %(edges)s::timestamptz[]) AS b, ts, num FROM reading
    WHERE point_id = %(handle)s AND ts >= %(start)s AND ts < %(end)s AND q < 2 AND num IS NOT NULL
"""
_WINDOWED: LiteralString = (
    """
    SELECT b, ts, num, lag(b) OVER w AS previous_b, lead(b) OVER w AS next_b,
           least(coalesce(lead(ts) OVER w, %(until)s), (%(edges)s::timestamptz[])[b + 1], %(until)s) AS until
    FROM ("""
    + _PLAIN
    + ") AS plain WINDOW w AS (ORDER BY ts)"
)


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
    unknown = [name for name in names if name not in _SQL]
    if unknown or not names:
        raise Invalid("history.aggregate", where="agg", unknown=", ".join(unknown)[:60], known=", ".join(AGGREGATES))
    return names


async def read_buckets(conn: Conn, handle: int, span: Span, aggregates: Sequence[str]) -> list[dict[str, Any]]:
    """One item `{"ts": start of the bucket, aggregate: value…}` per bucket that has usable readings (good, uncertain).

    Aggregates cover what of the bucket lies in [start, end). The time-weighted mean holds each value until the next
    reading, across bucket edges. Raises Invalid for a bad range or too many buckets.
    """
    cuts = edges(span.bucket, span.zone, span.start, span.end)
    until = max(min(span.end, span.now), span.start)
    source = _WINDOWED if ORDERED & set(aggregates) else _PLAIN
    columns: LiteralString = ", ".join(_SQL[name] for name in aggregates)
    found = await rows(
        conn,
        "SELECT b, " + columns + " FROM (" + source + ") AS r GROUP BY b ORDER BY b",
        {"handle": handle, "start": span.start, "end": span.end, "edges": cuts, "until": until},
    )
    if "twa" in aggregates:
        before = await _value_before(conn, handle, span.start)
        _weigh(found, cuts, span.start, until, before)
    return [{"ts": cuts[each["b"] - 1], **{name: each[name] for name in aggregates}} for each in found]


async def _value_before(conn: Conn, handle: int, start: datetime) -> float | None:
    found = await row(
        conn,
        """SELECT num FROM reading WHERE point_id = %s AND ts < %s AND q < 2 AND num IS NOT NULL
           ORDER BY ts DESC LIMIT 1""",
        (handle, start),
    )
    return found["num"] if found else None


def _weigh(
    found: Sequence[dict[str, Any]], cuts: Sequence[datetime], start: datetime, until: datetime, before: float | None
) -> None:
    """Add `twa` to each bucket: the area under its readings and the value carried into it, divided by its time."""
    for each in found:
        begin, end = max(cuts[each["b"] - 1], start), min(cuts[each["b"]], until)
        area, since = each["area"], each["first_ts"]
        if before is not None:
            area += before * (each["first_ts"] - begin).total_seconds()
            since = begin
        seconds = (end - since).total_seconds()
        # Readings may lie ahead of now by up to an hour: such a bucket has no time to weigh with yet.
        each["twa"] = area / seconds if seconds > 0 else each["carry"]
        before = each["carry"]
