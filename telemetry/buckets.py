"""Time buckets of any width: `7s`, `5m`, `1h`, `1d`, `1w`, `1mo`, cut on the clock and the calendar of the site. Pure.

Up to an hour a bucket is a stretch of elapsed time; longer ones follow the wall clock, so the day on which the
clocks change has 23 or 25 hours and a `6h` bucket on it 5 or 7. A width that does not divide its day (`7m`, `90m`,
`5h`) is elapsed time too, counted from 1 January 1970 on the site's clock. Half-open: a reading at an edge is in the
later bucket.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin.errors import Invalid

Unit = Literal["s", "m", "h", "d", "w", "mo"]

MAX_BUCKETS: Final = 10_000
SECONDS: Final[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_629_746}
DAY_HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
LADDER: Final = ("1s", "5s", "15s", "30s", "1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "1w", "1mo", "3mo")
MOST: Final = {"d": 3660, "w": 520, "mo": 1200}
MONDAY: Final = date(1970, 1, 5)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket's width: `count` × `unit`."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def seconds(self) -> int:
        """About how long one is, s; a month counts as a twelfth of a year."""
        return self.count * SECONDS[self.unit]

    @property
    def is_elapsed(self) -> bool:
        """Whether it is a stretch of elapsed time: whatever does not follow the wall clock."""
        return self.unit in ("s", "m") or (self.unit == "h" and (self.count == 1 or self.count not in DAY_HOURS))


def parse_bucket(text: str) -> Bucket:
    """A width as in `5m`. Raises Invalid `history.bucket` for what is none.

    >>> parse_bucket("15m").seconds
    900
    """
    match = re.fullmatch(r"([1-9][0-9]{0,3})(s|m|h|d|w|mo)", text)
    if match is None or int(match[1]) > MOST.get(match[2], 9999):
        raise Invalid("history.bucket", where="bucket", bucket=text[:20])
    return Bucket(int(match[1]), match[2])  # type: ignore[arg-type]


def auto_bucket(start: datetime, end: datetime, most: int = 600) -> Bucket:
    """The finest round width that cuts [start, end) into at most about `most` buckets."""
    span = (end - start).total_seconds()
    for text in LADDER:
        bucket = parse_bucket(text)
        if span / bucket.seconds <= most:
            return bucket
    return parse_bucket("12mo")


def edges(bucket: Bucket, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The edges (UTC, rising) of all buckets that touch [start, end): n + 1 of them for n buckets.

    Raises Invalid `history.range` when end is not after start, `history.too_many_buckets` above `MAX_BUCKETS`.
    """
    if end <= start:
        raise Invalid("history.range", where="to")
    if (end - start).total_seconds() / bucket.seconds > MAX_BUCKETS:
        raise Invalid("history.too_many_buckets", where="bucket", bucket=str(bucket), limit=MAX_BUCKETS)
    if bucket.is_elapsed:
        return _elapsed(bucket.seconds, zone, start, end)
    try:
        return _calendar(bucket, zone, start, end)
    except (ValueError, OverflowError):  # the calendar ends with the year 9999
        raise Invalid("history.range", where="to") from None


def _calendar(bucket: Bucket, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    for edge in _wall_clock(bucket, zone, start):
        if found and edge <= found[-1]:
            continue  # an hour that the clocks skip
        if edge <= start:
            found = [edge]
        else:
            found.append(edge)
        if edge >= end:
            return found
    raise AssertionError("unreachable")


def _elapsed(seconds: int, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Aligned to the wall clock at `start`: zones may be half an hour or a quarter off."""
    offset = start.astimezone(zone).utcoffset() or timedelta()
    shift = int(offset.total_seconds())
    first = (int(start.timestamp() // 1) + shift) // seconds * seconds - shift
    last = -int(-end.timestamp() // 1)
    count = max(1, -(-(last - first) // seconds))
    origin = datetime.fromtimestamp(first, UTC)
    return [origin + timedelta(seconds=seconds * i) for i in range(count + 1)]


def _wall_clock(bucket: Bucket, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Edges from one at or before `start` on, endless."""
    day = start.astimezone(zone).date()
    if bucket.unit == "mo":
        month = (day.year * 12 + day.month - 1) // bucket.count * bucket.count
        while True:
            yield _midnight(date(month // 12, month % 12 + 1, 1), zone)
            month += bucket.count
    days = bucket.count * (7 if bucket.unit == "w" else 1) if bucket.unit in "dw" else 1
    hours = bucket.count if bucket.unit == "h" else 24
    day = MONDAY + (day - MONDAY) // timedelta(days=days) * timedelta(days=days)
    while True:
        for hour in range(0, 24, hours):
            yield datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
        day += timedelta(days=days)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
