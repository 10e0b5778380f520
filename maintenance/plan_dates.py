"""When a plan falls due: functions of their inputs, the clock among them.

A recurrence (RFC 5545 RRULE) is of the wall clock at the site, so "every Monday at 08:00" stays at 08:00 when
summer time comes. A wall time that the change skips falls due when it would have been by the clock before the
change; one that comes twice falls due the first time. All times in and out are aware, out in UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rrule

from twin.errors import Invalid

CATCH_UP = timedelta(days=1)  # a new plan still makes what fell due so shortly before
_PART = re.compile(r"(?!INTERVAL=0)[A-Z]+=[-+A-Z0-9,]+", re.ASCII)  # with INTERVAL=0 dateutil would never end
_FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The times of a plan. `rule` None: once, at `starts_at`."""

    rule: str | None
    starts_at: datetime
    zone: ZoneInfo

    @property
    def first_wall(self) -> datetime:
        """The start by the wall clock at the site, naive, in whole seconds."""
        return self.starts_at.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def __iter__(self) -> Iterator[datetime]:
        """All times from the start on; may be endless."""
        first = self.first_wall
        if self.rule is None:
            yield first.replace(tzinfo=self.zone).astimezone(UTC)
            return
        last = None
        for wall in dateutil_rrule.rrulestr(_until_at_the_wall(self.rule, self.zone), dtstart=first):
            at = wall.replace(tzinfo=self.zone).astimezone(UTC)
            if last is None or at > last:  # two wall times around a skipped hour can be one moment
                last = at
                yield at

    def between(self, start: datetime, end: datetime, limit: int = 10_000) -> list[datetime]:
        """The times in `[start, end)`, at most `limit` of them."""
        found: list[datetime] = []
        for at in self:
            if at >= end or len(found) == limit:
                break
            if at >= start:
                found.append(at)
        return found

    def next(self, start: datetime) -> datetime | None:
        """The first time at or after `start`; None when there is none."""
        return next((at for at in self if at >= start), None)


@dataclass(frozen=True, slots=True)
class Due:
    """What a plan owes at a moment: occurrences to make, those to record as missed, and the next one after them."""

    make: list[datetime]
    missed: list[datetime]
    next_due: datetime | None


def parse_recurrence(rule: str | None, starts_at: datetime, zone: ZoneInfo) -> Recurrence:
    """A checked recurrence. Raises Invalid for a rule that cannot be read, is too frequent or never falls due."""
    if rule is None:
        return Recurrence(None, starts_at, zone)
    text = rule.strip().upper().removeprefix("RRULE:")
    parts = text.split(";")
    frequency = next((part[5:] for part in parts if part.startswith("FREQ=")), None)
    if not all(_PART.fullmatch(part) for part in parts) or frequency not in _FREQUENCIES or len(text) > 500:
        raise Invalid("plan.rrule", where="rrule", rrule=rule, frequencies=", ".join(_FREQUENCIES))
    recurrence = Recurrence(text, starts_at, zone)
    try:
        first = _falls_due_at_all(parts, recurrence.first_wall) and next(iter(recurrence), None)
    except (ValueError, OverflowError) as error:
        raise Invalid("plan.rrule", where="rrule", rrule=rule, frequencies=", ".join(_FREQUENCIES)) from error
    if not first:
        raise Invalid("plan.never_due", where="rrule")
    return recurrence


def _falls_due_at_all(parts: list[str], first: datetime) -> bool:
    """Whether a rule matches any date within its first 12 to 39 years.

    dateutil looks for the next match until the year 9999, whatever UNTIL says: 10 s for days, minutes for hours. So
    it is asked about a start shortly before that, in a year with the same calendar.
    """
    year = next(
        year
        for year in range(9960, 9988)
        if year % 4 == first.year % 4 and date(year, 1, 1).weekday() == date(first.year, 1, 1).weekday()
    )
    endless = ";".join(part for part in parts if not part.startswith(("COUNT=", "UNTIL=")))
    try:
        return next(iter(dateutil_rrule.rrulestr(endless, dtstart=first.replace(year=year))), None) is not None
    except OverflowError:  # it met the end of the calendar
        return False


def first_due(recurrence: Recurrence, now: datetime) -> datetime | None:
    """The first time that a plan made at `now` cares for: the last of the day before, or else the next."""
    recent = recurrence.between(now - CATCH_UP, now + timedelta(microseconds=1))
    return recent[-1] if recent else recurrence.next(now)


def due(recurrence: Recurrence, next_due: datetime, lead: timedelta, now: datetime) -> Due:
    """What falls due from `next_due` on until `now + lead`.

    What lies ahead is made. Of what has passed, only the latest: nobody wants last month's daily rounds after the
    server was down for a month.
    """
    owed = recurrence.between(next_due, now + lead + timedelta(microseconds=1))
    passed = [at for at in owed if at <= now]
    following = recurrence.next((owed[-1] if owed else now + lead) + timedelta(microseconds=1))
    return Due(owed[max(len(passed) - 1, 0) :], passed[:-1], following)


def _until_at_the_wall(rule: str, zone: ZoneInfo) -> str:
    """dateutil compares UNTIL with wall times here; RFC 5545 gives it in UTC."""

    def convert(match: re.Match[str]) -> str:
        at = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone(zone)
        return f"UNTIL={at:%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=(\d{8}T\d{6})Z", convert, rule)
