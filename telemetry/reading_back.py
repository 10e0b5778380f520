"""More ways to read history: a whole building at a past moment, several points side by side, how values are spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from telemetry.aggregate import Fill, Span, read_buckets
from telemetry.buckets import edges
from telemetry.points import QUALITIES, Point, Quality, Value, value_of
from twin.db import Conn, row, rows
from twin.errors import Invalid
from twin.page import Page, decode_cursor, page_of

MAX_ALIGNED: Final = 50  # points of one question
MAX_BINS: Final = 200
LOOKBACK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PastReading:
    """What a point said at a moment: its newest reading then."""

    id: UUID
    handle: int
    point: str  # key
    element: str | None  # GlobalId
    storey_id: UUID | None
    unit: str | None
    ts: datetime
    value: Value | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class AlignedSeries:
    """One point in the buckets of `Aligned`: for each aggregate as many values as there are buckets."""

    point: str  # key
    name: str
    unit: str | None
    values: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Several points in the same buckets: `ts` are their starts."""

    bucket: str
    ts: list[datetime]
    series: list[AlignedSeries]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the usable readings of a range are spread."""

    count: int
    min: float | None
    max: float | None
    mean: float | None
    deviation: float | None  # of the sample
    percentiles: dict[str, float]  # "95": the value that 95 % of the readings do not exceed
    edges: list[float]  # n + 1, rising; equally wide
    counts: list[int]  # n; the last bin holds its upper edge too


async def read_as_of(
    conn: Conn,
    building_id: UUID,
    moment: datetime,
    *,
    lookback: timedelta = LOOKBACK,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[PastReading]:
    """The newest reading of each point of a building at a moment, by key.

    A point that had been silent for longer than `lookback` at that moment is left out; one that was retired before,
    too.
    """
    after = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        """SELECT p.id, p.handle, p.key, p.kind, p.unit, e.global_id, e.storey_id, r.ts, r.num, r.txt, r.q
           FROM point p LEFT JOIN element e ON e.id = p.element_id
           CROSS JOIN LATERAL (
             SELECT ts, num, txt, q FROM reading
             WHERE point_id = p.handle AND ts <= %(at)s AND ts > %(since)s ORDER BY ts DESC LIMIT 1) AS r
           WHERE p.building_id = %(building)s AND (p.retired_at IS NULL OR p.retired_at > %(at)s)
             AND (%(after)s::text IS NULL OR p.key > %(after)s)
           ORDER BY p.key LIMIT %(limit)s""",
        {
            "building": building_id,
            "at": moment,
            "since": moment - lookback,
            "after": after and after[0],
            "limit": limit + 1,
        },
    )
    items = [
        PastReading(
            id=each["id"],
            handle=each["handle"],
            point=each["key"],
            element=each["global_id"],
            storey_id=each["storey_id"],
            unit=each["unit"],
            ts=each["ts"],
            value=value_of(each["kind"], each["num"], each["txt"]),
            quality=QUALITIES[each["q"]],
        )
        for each in found
    ]
    return page_of(items, limit, lambda item: [item.point])


async def read_aligned(
    conn: Conn, points: Sequence[Point], span: Span, aggregates: Sequence[str], fill: Fill
) -> Aligned:
    """Several points in the same buckets; without `fill`, a bucket without readings is null.

    Raises Invalid `history.too_many_points`, and what `read_buckets` raises.
    """
    if len(points) > MAX_ALIGNED:
        raise Invalid("history.too_many_points", where="points", limit=MAX_ALIGNED)
    starts = edges(span.bucket, span.zone, span.start, span.end)[:-1]
    number = {start: i for i, start in enumerate(starts)}
    series = []
    for point in points:
        values: dict[str, list[Any]] = {name: [None] * len(starts) for name in aggregates}
        for item in await read_buckets(conn, point.handle, span, aggregates, sampling=point.sampling, fill=fill):
            for name in aggregates:
                values[name][number[item["ts"]]] = item[name]
        series.append(AlignedSeries(point.key, point.name, point.unit, values))
    return Aligned(str(span.bucket), starts, series)


async def read_distribution(
    conn: Conn, handle: int, start: datetime, end: datetime, percentiles: Sequence[float], bins: int
) -> Distribution:
    """How the usable readings of [start, end) are spread, each reading counted once.

    `percentiles` in 0 … 100. Raises Invalid for others, for more bins than `MAX_BINS`, and for an empty range.
    """
    if end <= start:
        raise Invalid("history.range", where="to")
    if not 1 <= bins <= MAX_BINS:
        raise Invalid("history.bins", where="bins", limit=MAX_BINS)
    if not all(0 <= each <= 100 for each in percentiles):
        raise Invalid("history.percentiles", where="percentiles")
    parameters = {"handle": handle, "start": start, "end": end, "bins": bins}
    facts = await row(
        conn,
        """SELECT count(*) AS n, min(num), max(num), avg(num) AS mean, stddev_samp(num) AS deviation,
                  percentile_cont(%(at)s::float8[]) WITHIN GROUP (ORDER BY num) AS found
           FROM reading
           WHERE point_id = %(handle)s AND ts >= %(start)s AND ts < %(end)s AND q < 2 AND num IS NOT NULL""",
        {**parameters, "at": [each / 100 for each in percentiles]},
    )
    assert facts is not None
    low, high = facts["min"], facts["max"]
    counts = [0] * bins
    if facts["n"] and high > low:
        spread = await rows(
            conn,
            """SELECT least(width_bucket(num, %(low)s::float8, %(high)s::float8, %(bins)s), %(bins)s) - 1 AS bin,
                      count(*) AS n
               FROM reading WHERE point_id = %(handle)s AND ts >= %(start)s AND ts < %(end)s AND q < 2
                 AND num IS NOT NULL GROUP BY bin""",
            {**parameters, "low": low, "high": high},
        )
        for each in spread:
            counts[each["bin"]] = each["n"]
    elif facts["n"]:
        counts, high = [facts["n"]], low
    width = (high - low) / len(counts) if facts["n"] else 0.0
    return Distribution(
        facts["n"],
        low,
        facts["max"],
        facts["mean"],
        facts["deviation"],
        {f"{each:g}": value for each, value in zip(percentiles, facts["found"] or [], strict=False)},
        [low + width * i for i in range(len(counts) + 1)] if facts["n"] else [],
        counts if facts["n"] else [],
    )
