"""What is usual: daily profiles of a point, and how several points go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from telemetry.aggregate import Span, read_buckets
from telemetry.buckets import Bucket, edges
from telemetry.hourly import must_have_numbers
from telemetry.points import Point
from twin.db import Conn
from twin.errors import Invalid

By = Literal["day", "weekday"]

SHORTEST_SLOT_S, LONGEST_SLOT_S = 300, 6 * 3600
MAX_POINTS: Final = 20
MAX_LAGS: Final = 48
LEAST_PAIRS: Final = 10  # of buckets in which both have a value


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of the day: how its values are spread over the days. `weekday`: 1 is Monday; null: all days."""

    weekday: int | None
    slot: str  # local time at which it begins, HH:MM
    mean: float
    p10: float
    p50: float
    p90: float
    days: int  # with a value


@dataclass(frozen=True, slots=True)
class Profile:
    """The daily profile of a point, by weekday and time."""

    items: list[Slot]
    next: None
    unit: str | None
    bucket: str
    time_zone: str
    days: int  # local days with any value


@dataclass(frozen=True, slots=True)
class LaggedPair:
    """How two points go together when the second follows the first by `lag` buckets."""

    a: str  # key
    b: str
    lags: list[int]  # buckets; positive: b comes after a
    r: list[float | None]
    best_lag: int | None
    best_lag_seconds: float | None
    best_r: float | None


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's correlation of points in the same buckets. Null: too few common values, or one of them is constant."""

    points: list[str]
    names: list[str]
    bucket: str
    matrix: list[list[float | None]]
    count: list[list[int]]  # buckets in which both have a value
    pairs: list[LaggedPair]


async def read_profile(conn: Conn, point: Point, span: Span, by: By) -> Profile:
    """How a point's values are spread over the times of the local day, in slots of `span.bucket`.

    On a day on which the clocks change an hour is missing, or counts twice. Raises Invalid `statistics.slot`,
    `statistics.no_days`, `statistics.kind`, and what `read_buckets` raises.
    """
    must_have_numbers(point)
    if not SHORTEST_SLOT_S <= span.bucket.seconds <= LONGEST_SLOT_S or span.bucket.unit not in ("m", "h"):
        raise Invalid("statistics.slot", where="slot")
    items = await read_buckets(conn, point.handle, span, ["twa"], sampling=point.sampling)
    local = [(each["ts"].astimezone(span.zone), each["twa"]) for each in items]
    days = {moment.date() for moment, _ in local}
    if not days:
        raise Invalid("statistics.no_days", point=point.key)
    return Profile(_slots(local, span.bucket, by), None, point.unit, str(span.bucket), str(span.zone), len(days))


def _slots(local: Sequence[tuple[datetime, float]], bucket: Bucket, by: By) -> list[Slot]:
    groups: dict[tuple[int, int], list[tuple[Any, float]]] = {}
    for moment, value in local:
        second = (moment.hour * 3600 + moment.minute * 60) // bucket.seconds * bucket.seconds
        weekday = moment.isoweekday() if by == "weekday" else 0
        groups.setdefault((weekday, second), []).append((moment.date(), value))
    slots = []
    for (weekday, second), found in sorted(groups.items()):
        values = np.array([value for _, value in found])
        low, middle, high = (float(each) for each in np.percentile(values, [10, 50, 90]))
        time = f"{second // 3600:02d}:{second % 3600 // 60:02d}"
        days = len({day for day, _ in found})
        slots.append(Slot(weekday or None, time, float(values.mean()), low, middle, high, days))
    return slots


async def read_correlation(conn: Conn, points: Sequence[Point], span: Span, lags: int) -> Correlation:
    """How points go together over [start, end), at the same time and up to `lags` buckets apart.

    Raises Invalid `statistics.two_points`, `statistics.lags`, `statistics.kind`, and what `read_buckets` raises.
    """
    if not 2 <= len(points) <= MAX_POINTS:
        raise Invalid("statistics.two_points", where="point", most=MAX_POINTS)
    if not 0 <= lags <= MAX_LAGS:
        raise Invalid("statistics.lags", where="lags", most=MAX_LAGS)
    starts = edges(span.bucket, span.zone, span.start, span.end)[:-1]
    number = {start: i for i, start in enumerate(starts)}
    columns = np.full((len(points), len(starts)), np.nan)
    for i, point in enumerate(points):
        must_have_numbers(point)
        for item in await read_buckets(conn, point.handle, span, ["twa"], sampling=point.sampling):
            columns[i, number[item["ts"]]] = item["twa"]
    return correlate(points, columns, span.bucket, lags)


def correlate(points: Sequence[Point], columns: NDArray[np.float64], bucket: Bucket, lags: int) -> Correlation:
    """The correlation of the rows of `columns` ((points, buckets), NaN: no value). Pure."""
    n = len(points)
    matrix: list[list[float | None]] = [[None] * n for _ in range(n)]
    count = [[0] * n for _ in range(n)]
    pairs: list[LaggedPair] = []
    for i in range(n):
        for j in range(n):
            matrix[i][j], count[i][j] = _pearson(columns[i], columns[j])
        pairs += [_lagged(points[i].key, points[j].key, columns[i], columns[j], bucket, lags) for j in range(i + 1, n)]
    return Correlation([each.key for each in points], [each.name for each in points], str(bucket), matrix, count, pairs)


def _lagged(
    a: str, b: str, one: NDArray[np.float64], two: NDArray[np.float64], bucket: Bucket, lags: int
) -> LaggedPair:
    shifts = list(range(-lags, lags + 1))
    found = [_pearson(one[: len(one) - k], two[k:])[0] if k >= 0 else _pearson(one[-k:], two[:k])[0] for k in shifts]
    known = [(abs(r), -abs(k), k, r) for k, r in zip(shifts, found, strict=True) if r is not None]
    best = max(known) if known else None
    return LaggedPair(
        a,
        b,
        shifts,
        found,
        best[2] if best else None,
        float(best[2] * bucket.seconds) if best else None,
        best[3] if best else None,
    )


def _pearson(one: NDArray[np.float64], two: NDArray[np.float64]) -> tuple[float | None, int]:
    both = np.isfinite(one) & np.isfinite(two)
    n = int(both.sum())
    if n < LEAST_PAIRS:
        return None, n
    x, y = one[both] - one[both].mean(), two[both] - two[both].mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    near = 1e-12 * n * max(1.0, float(np.abs(one[both]).max())) * max(1.0, float(np.abs(two[both]).max()))
    if scale <= near:
        return None, n
    return max(-1.0, min(1.0, float((x * y).sum() / scale))), n
