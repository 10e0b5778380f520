"""More ways to read history: several points side by side, and how values are spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from telemetry.aggregate import Fill, Span, find_cut, read_buckets
from telemetry.buckets import edges
from telemetry.points import Point
from twin.db import Conn, row, rows
from twin.errors import Invalid

MAX_ALIGNED: Final = 50  # points of one question
MAX_BINS: Final = 200


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
    raw_from: datetime | None  # retention removed the readings before: they are not among these


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
    cut = await find_cut(conn, handle)
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
        cut if cut and cut > start else None,
    )
