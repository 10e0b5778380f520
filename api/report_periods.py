"""The stretches of time that reports are about: days, weeks, months, quarters and years of the site's calendar. Pure.

A day is as long as the clocks make it: the one on which they change has 23 or 25 hours.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin.errors import Invalid

PeriodKind = Literal["day", "week", "month", "quarter", "year", "range"]
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
LONGEST_DAYS: Final = 3 * 366
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days, both included; what lies in them is `[start, end)` in UTC."""

    kind: PeriodKind
    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + DAY, self.zone)

    def before(self) -> "Days":
        """The same just before: the month before a month; of a range as many days as it has."""
        if self.kind == "range":
            return Days("range", self.first - (self.last - self.first + DAY), self.first - DAY, self.zone)
        return days_around(self.kind, self.first - DAY, self.zone)

    def a_year_before(self) -> "Days":
        """The same a year earlier; of a week the one 52 weeks earlier, so that it has the same days of the week."""
        if self.kind == "week":
            return Days("week", self.first - 364 * DAY, self.last - 364 * DAY, self.zone)
        if self.kind in _MONTHS:
            return days_around(self.kind, a_year_earlier(self.first), self.zone)
        return Days(self.kind, a_year_earlier(self.first), a_year_earlier(self.last), self.zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def a_year_earlier(day: date) -> date:
    """The same day a year earlier; of 29 February the 28th."""
    return day.replace(year=day.year - 1, day=min(day.day, monthrange(day.year - 1, day.month)[1]))


def days_around(kind: PeriodKind, day: date, zone: ZoneInfo) -> Days:
    """The day, week (from Monday), month, quarter or year that a day lies in.

    >>> days_around("quarter", date(2026, 11, 23), ZoneInfo("Asia/Shanghai")).last
    datetime.date(2026, 12, 31)
    """
    if kind == "week":
        first = day - timedelta(days=day.weekday())
        return Days(kind, first, first + 6 * DAY, zone)
    if kind in _MONTHS:
        count = _MONTHS[kind]
        month = (day.month - 1) // count * count + 1
        until = month + count - 1
        return Days(kind, date(day.year, month, 1), date(day.year, until, monthrange(day.year, until)[1]), zone)
    return Days(kind, day, day, zone)


def last_whole(kind: PeriodKind, now: datetime, zone: ZoneInfo) -> Days:
    """The latest day, week, month, quarter or year that is over."""
    return days_around(kind, now.astimezone(zone).date(), zone).before()


def check_days(first: date, last: date) -> None:
    """Raise Invalid for a range that ends before it begins, is too long, or is not of this century."""
    if not first <= last or (last - first).days >= LONGEST_DAYS or first < EARLIEST or last > LATEST:
        raise Invalid("report.range", where="last_day", days=LONGEST_DAYS, earliest=EARLIEST, latest=LATEST)


def quota_of(days: Days, end: datetime, months: dict[tuple[int, int], float | None]) -> float | None:
    """What quotas of months allow from the first of `days` up to `end`: of a part of a month its share by days.

    None: a month of them has no quota.
    """
    total, day = 0.0, days.first
    while day <= days.last and _midnight(day, days.zone) < end:
        month = months.get((day.year, day.month))
        if month is None:
            return None
        length = _midnight(day + DAY, days.zone) - _midnight(day, days.zone)
        share = min(end - _midnight(day, days.zone), length) / length
        total += month / monthrange(day.year, day.month)[1] * share
        day += DAY
    return total
