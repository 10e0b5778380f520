"""What a series of readings comes to in buckets: means, areas, times and edges, each with the quality it deserves.

A reading says what is true until the next one, but for no longer than `hold`: after that nothing is known. `hold`
sampling keeps its value, `interpolate` draws a straight line to the next one (and keeps the value where that one is too
far away). A bad or stale reading says that nothing is known from then on. Everything is worked out from pieces between
two neighbouring edges (of readings or of buckets), on which a value is a straight line. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOOD, UNCERTAIN, BAD = 0, 1, 2
WHOLE: Final = 0.999  # of a bucket that is covered counts as all of it
HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one point, rising in time, those next to the range on both sides included."""

    ts: Ints  # (n,) µs since 1970 UTC
    num: Floats  # (n,)
    quality: NDArray[np.int64]  # (n,)
    hold_us: int  # for so long a reading holds
    interpolate: bool = False


@dataclass(frozen=True, slots=True)
class Pieces:
    """Straight pieces of a series within buckets, m of them."""

    bucket: Ints  # (m,) which one
    seconds: Floats  # (m,)
    start: Floats  # (m,) value at its start
    end: Floats  # (m,) just before its end
    quality: Ints  # (m,)
    count: int  # of buckets
    width: Floats  # (count,) s


@dataclass(frozen=True, slots=True)
class Values:
    """One value per bucket: NaN and `covered` 0 where nothing is known."""

    value: Floats  # (count,)
    quality: Ints  # (count,) the worst of what was used; at least uncertain where a part of the bucket is unknown
    covered: Floats  # (count,) 0 … 1, share of the bucket of which something is known

    @property
    def known(self) -> NDArray[np.bool_]:
        """(count,) whether there is a value at all."""
        return (self.covered > 0) & np.isfinite(self.value)


def pieces_of(series: Series, edges: Ints) -> Pieces:
    """Cut a series at its readings and at the edges of the buckets ((count + 1,) µs, rising)."""
    count, width = len(edges) - 1, np.diff(edges) / 1e6
    if not len(series.ts):
        none = np.empty(0)
        return Pieces(np.empty(0, np.int64), none, none, none, np.empty(0, np.int64), count, width)
    begin = series.ts
    following = np.append(begin[1:], np.iinfo(np.int64).max // 2)
    until = np.minimum(following, begin + series.hold_us)
    cuts = np.unique(np.concatenate([begin, until, edges]))
    cuts = cuts[(cuts >= edges[0]) & (cuts <= edges[-1])]
    left, right = cuts[:-1], cuts[1:]
    segment = np.searchsorted(begin, left, side="right") - 1
    inside = segment >= 0
    inside[inside] &= (left[inside] < until[segment[inside]]) & (series.quality[segment[inside]] < BAD)
    left, right, segment = left[inside], right[inside], segment[inside]
    value, after = series.num[segment], series.num[segment]
    quality = series.quality[segment].astype(np.int64)
    if series.interpolate and len(begin) > 1:
        value, after, quality = _lines(series, segment, left, right, until)
    bucket = np.searchsorted(edges, left, side="right") - 1
    return Pieces(bucket, (right - left) / 1e6, value, after, quality, count, width)


def _lines(series: Series, segment: Ints, left: Ints, right: Ints, until: Ints) -> tuple[Floats, Floats, Ints]:
    """Value at both ends and quality of pieces on the straight lines to the next readings, where these are usable."""
    last = len(series.ts) - 1
    after = np.minimum(segment + 1, last)
    joined = (segment < last) & (until[segment] == series.ts[after]) & (series.quality[after] < BAD)
    span = np.where(joined, series.ts[after] - series.ts[segment], 1)
    slope = np.where(joined, (series.num[after] - series.num[segment]) / span, 0.0)
    first = series.num[segment]
    quality = np.where(joined, np.maximum(series.quality[segment], series.quality[after]), series.quality[segment])
    start = first + slope * (left - series.ts[segment])
    return start, first + slope * (right - series.ts[segment]), quality.astype(np.int64)


def mean(pieces: Pieces) -> Values:
    """Time-weighted means."""
    area, covered = _sum(pieces, (pieces.start + pieces.end) / 2 * pieces.seconds), _sum(pieces, pieces.seconds)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _values(pieces, area / covered)


def last(pieces: Pieces) -> Values:
    """The value at the end of each bucket, or the last one known in it."""
    value = np.full(pieces.count, np.nan)
    value[pieces.bucket] = pieces.end  # pieces rise in time: the last one stays
    return _values(pieces, value)


def area(pieces: Pieces) -> Values:
    """Value × hours: kilowatts give kilowatt hours."""
    return _values(pieces, _sum(pieces, (pieces.start + pieces.end) / 2 * pieces.seconds) / 3600)


def degree_hours(pieces: Pieces, base: float, *, heating: bool) -> Values:
    """Hours × degrees below the base (heating) or above it (cooling)."""
    one, two = (base - pieces.start, base - pieces.end) if heating else (pieces.start - base, pieces.end - base)
    high, low = np.maximum(one, two), np.minimum(one, two)
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = high * high / (high - low) / 2  # a triangle where the line crosses the base
    each = np.where(low >= 0, (one + two) / 2, np.where(high <= 0, 0.0, crossing))
    return _values(pieces, _sum(pieces, each * pieces.seconds) / 3600)


def is_on(value: Floats, above: float | None, states: frozenset[float] | None) -> NDArray[np.bool_]:
    """Whether each value counts as running: above a threshold, one of some states, or not zero."""
    if above is not None:
        return np.asarray(value > above, np.bool_)
    if states is not None:
        return np.isin(value, np.fromiter(sorted(states), np.float64))
    return np.asarray(value != 0, np.bool_)


def run_hours(pieces: Pieces, above: float | None, states: frozenset[float] | None) -> Values:
    """Hours in which the value counts as running."""
    return _values(pieces, _sum(pieces, np.where(is_on(pieces.start, above, states), pieces.seconds, 0.0)) / 3600)


def starts(series: Series, edges: Ints, above: float | None, states: frozenset[float] | None) -> Values:
    """How often it began to run: a reading that says so after one that still held and said otherwise."""
    pieces = pieces_of(series, edges)
    count = np.zeros(pieces.count)
    on, ts = is_on(series.num, above, states), series.ts
    if len(ts) > 1:
        usable = (series.quality[1:] < BAD) & (series.quality[:-1] < BAD)
        rises = on[1:] & ~on[:-1] & usable & (ts[1:] - ts[:-1] <= series.hold_us)
        moments = ts[1:][rises]
        moments = moments[(moments >= edges[0]) & (moments < edges[-1])]
        np.add.at(count, np.searchsorted(edges, moments, side="right") - 1, 1)
    return _values(pieces, count)


def total(parts: Sequence[Values], there: Sequence[NDArray[np.bool_]]) -> Values:
    """The sum of several; where one that is `there` is unknown, that of the others, uncertain."""
    present = np.array(there)
    known = np.array([each.known for each in parts]) & present
    value = np.where(known, np.array([each.value for each in parts]), 0.0).sum(axis=0)
    quality = np.where(known, np.array([each.quality for each in parts]), np.where(present, UNCERTAIN, GOOD)).max(
        axis=0
    )
    covered = np.where(present, np.array([each.covered for each in parts]), 0.0).max(axis=0)
    return Values(np.where(known.any(axis=0), value, np.nan), quality, covered)


def worst(parts: Sequence[Values]) -> tuple[NDArray[np.bool_], Ints]:
    """Where all are known, and the worst of their qualities."""
    known = np.logical_and.reduce([each.known for each in parts])
    return known, np.maximum.reduce([each.quality for each in parts])


def _sum(pieces: Pieces, each: Floats) -> Floats:
    return np.bincount(pieces.bucket, weights=each, minlength=pieces.count).astype(np.float64)


def _values(pieces: Pieces, value: Floats) -> Values:
    covered = _sum(pieces, pieces.seconds) / pieces.width
    quality = np.zeros(pieces.count, np.int64)
    np.maximum.at(quality, pieces.bucket, pieces.quality)
    quality = np.where(covered < WHOLE, np.maximum(quality, UNCERTAIN), quality)
    return Values(np.where(covered > 0, value, np.nan), quality, covered)
