"""Reading back as plain Python would do it, slowly, from a list of all readings: what the database is compared with."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telemetry.buckets import parse_bucket
from telemetry.points import Sampling

MONDAY = date(1970, 1, 5)


@dataclass(frozen=True)
class Known:
    """A stored reading."""

    ts: datetime
    value: float
    quality: str


def bucket_start(width: str, zone: ZoneInfo, start: datetime, ts: datetime) -> datetime:
    """The start of the bucket that holds `ts`: up to an hour by elapsed time, else by the wall clock of the zone."""
    count, unit = int(width.rstrip("smhdwo")), width.lstrip("0123456789")
    if unit in ("s", "m") or (unit == "h" and count not in (2, 3, 4, 6, 8, 12, 24)):
        seconds = count * {"s": 1, "m": 60, "h": 3600}[unit]
        offset = start.astimezone(zone).utcoffset() or timedelta()
        shifted = (ts - datetime(1970, 1, 1, tzinfo=UTC) + offset).total_seconds() // seconds * seconds
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=shifted) - offset
    local = ts.astimezone(zone)
    if unit == "h":
        wall = datetime(local.year, local.month, local.day, local.hour // count * count, tzinfo=zone)
    elif unit == "d":
        day = (local.date() - MONDAY).days // count * count
        first = MONDAY + timedelta(days=day)
        wall = datetime(first.year, first.month, first.day, tzinfo=zone)
    elif unit == "w":
        first = local.date() - timedelta(days=local.weekday())
        wall = datetime(first.year, first.month, first.day, tzinfo=zone)
    else:
        wall = datetime(local.year, local.month, 1, tzinfo=zone)
    return wall.astimezone(UTC)


class Reference:
    """One point's readings; good and uncertain ones are usable."""

    def __init__(self, readings: Sequence[Known]) -> None:
        self.all = sorted(readings, key=lambda each: each.ts)
        self.usable = [each for each in self.all if each.quality in ("good", "uncertain")]
        self._times = [each.ts for each in self.usable]

    def between(self, start: datetime, end: datetime) -> list[Known]:
        """Usable readings of [start, end)."""
        return self.usable[bisect_left(self._times, start) : bisect_left(self._times, end)]

    def before(self, moment: datetime) -> Known | None:
        """The last usable reading before a moment."""
        i = bisect_left(self._times, moment)
        return self.usable[i - 1] if i else None

    def after(self, moment: datetime) -> Known | None:
        """The first usable reading at or after a moment."""
        i = bisect_left(self._times, moment)
        return self.usable[i] if i < len(self.usable) else None

    def value_at(self, moment: datetime, sampling: Sampling) -> float:
        """Between readings: the value before, or on the straight line; after the last one it holds."""
        i = bisect_right(self._times, moment) - 1
        one = self.usable[i]
        if sampling == "hold" or i + 1 == len(self.usable):
            return one.value
        two = self.usable[i + 1]
        return one.value + (two.value - one.value) * ((moment - one.ts) / (two.ts - one.ts))

    def area(self, start: datetime, end: datetime, sampling: Sampling) -> float:
        """Value × s of [start, end), cut where readings are."""
        cuts = [start, *(each.ts for each in self.between(start, end) if each.ts > start), end]
        total = 0.0
        for one, two in zip(cuts, cuts[1:], strict=False):
            seconds = (two - one).total_seconds()
            first = self.value_at(one, sampling)
            last = first if sampling == "hold" else self._left_of(two, sampling)
            total += (first + last) / 2 * seconds
        return total

    def _left_of(self, moment: datetime, sampling: Sampling) -> float:
        """The value just before a moment; straight lines have no jumps."""
        return self.value_at(moment, sampling)

    def buckets(
        self, width: str, zone: ZoneInfo, start: datetime, end: datetime, sampling: Sampling
    ) -> dict[datetime, dict[str, Any]]:
        """Start of a bucket → all aggregates of its readings in [start, end)."""
        grouped: dict[datetime, list[Known]] = {}
        for each in self.between(start, end):
            grouped.setdefault(bucket_start(width, zone, start, each.ts), []).append(each)
        return {begin: self._facts(found, width, zone, start, end, sampling) for begin, found in grouped.items()}

    def _facts(
        self, found: Sequence[Known], width: str, zone: ZoneInfo, start: datetime, end: datetime, sampling: Sampling
    ) -> dict[str, Any]:
        values = [each.value for each in found]
        begin = bucket_start(width, zone, start, found[0].ts)
        since, until = max(begin, start), min(next_start(width, zone, start, begin), end)
        if self.before(since) is None:
            since = found[0].ts
        area = self.area(since, until, sampling)
        return {
            "mean": sum(values) / len(values),
            "min": min(values),
            "max": max(values),
            "sum": sum(values),
            "count": len(values),
            "good": sum(each.quality == "good" for each in found) / len(found),
            "first": values[0],
            "last": values[-1],
            "twa": area / (until - since).total_seconds() if until > since else values[-1],
        }


def next_start(width: str, zone: ZoneInfo, start: datetime, begin: datetime) -> datetime:
    """The start of the bucket after one: looked for in quarters of an hour from shortly before it must come."""
    bucket = parse_bucket(width)
    if bucket.seconds < 7200:
        return begin + timedelta(seconds=bucket.seconds)
    moment = begin + timedelta(seconds=bucket.seconds * 0.9) - timedelta(hours=2)
    moment = bucket_start("15m", zone, start, max(moment, begin))
    while bucket_start(width, zone, start, moment) <= begin:
        moment += timedelta(minutes=15)
    return moment
