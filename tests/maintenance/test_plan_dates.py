"""When plans fall due: wall clocks, summer time, catching up."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintenance.plan_dates import Recurrence, due, first_due, parse_recurrence
from twin.errors import Invalid

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.clause("6.4.3e")
def test_a_weekly_plan_falls_due_at_the_wall_clock_of_the_site() -> None:
    monday = parse_recurrence("FREQ=WEEKLY;BYDAY=MO", utc("2026-03-02T00:00"), SHANGHAI)  # 08:00 there
    assert monday.between(utc("2026-03-09T00:00"), utc("2026-03-23T00:00")) == [
        utc("2026-03-09T00:00"),
        utc("2026-03-16T00:00"),
    ]


@pytest.mark.clause("6.4.3e")
def test_a_plan_without_a_rule_falls_due_once() -> None:
    once = parse_recurrence(None, utc("2026-03-02T00:00"), SHANGHAI)
    assert list(once) == [utc("2026-03-02T00:00")]
    assert once.next(utc("2026-03-02T00:01")) is None


def test_eight_in_the_morning_stays_eight_in_the_morning_in_summer() -> None:
    daily = parse_recurrence("FREQ=DAILY", utc("2026-03-27T07:00"), BERLIN)
    found = daily.between(utc("2026-03-28T00:00"), utc("2026-03-31T00:00"))
    assert found == [utc("2026-03-28T07:00"), utc("2026-03-29T06:00"), utc("2026-03-30T06:00")]


def test_a_skipped_hour_and_a_doubled_hour_fall_due_once() -> None:
    half_past_two = parse_recurrence("FREQ=DAILY", utc("2026-03-28T01:30"), BERLIN)
    assert half_past_two.between(utc("2026-03-29T00:00"), utc("2026-03-30T00:00")) == [utc("2026-03-29T01:30")]
    assert half_past_two.between(utc("2026-10-25T00:00"), utc("2026-10-26T00:00")) == [utc("2026-10-25T00:30")]


def test_until_is_in_utc_and_inclusive() -> None:
    rule = parse_recurrence("FREQ=DAILY;UNTIL=20260304T000000Z", utc("2026-03-02T00:00"), SHANGHAI)
    assert list(rule)[-1] == utc("2026-03-04T00:00")


@pytest.mark.parametrize(
    "rule",
    [
        "every monday",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "BYDAY=MO",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;NONSENSE=1",
        "DTSTART:20260101T000000\nRRULE:FREQ=DAILY",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",  # from a Monday on
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;UNTIL=20200101T000000Z",
        "FREQ=DAILY;COUNT=0",
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_recurrence(rule, utc("2026-03-02T00:00"), SHANGHAI)
    assert caught.value.code in ("plan.rrule", "plan.never_due")


def test_orders_are_made_ahead_by_the_lead_time() -> None:
    weekly = parse_recurrence("FREQ=WEEKLY", utc("2026-03-02T00:00"), SHANGHAI)
    lead = timedelta(days=3)
    early = due(weekly, utc("2026-03-09T00:00"), lead, utc("2026-03-05T23:59"))
    assert (early.make, early.next_due) == ([], utc("2026-03-09T00:00"))
    on_time = due(weekly, utc("2026-03-09T00:00"), lead, utc("2026-03-06T00:00"))
    assert (on_time.make, on_time.missed) == ([utc("2026-03-09T00:00")], [])
    assert on_time.next_due == utc("2026-03-16T00:00")


def test_after_a_month_of_downtime_only_the_latest_round_is_made() -> None:
    daily = parse_recurrence("FREQ=DAILY", utc("2026-03-01T00:00"), SHANGHAI)
    owed = due(daily, utc("2026-03-02T00:00"), timedelta(0), utc("2026-04-01T12:00"))
    assert owed.make == [utc("2026-04-01T00:00")]
    assert (len(owed.missed), owed.missed[0]) == (30, utc("2026-03-02T00:00"))
    assert owed.next_due == utc("2026-04-02T00:00")


def test_what_lies_ahead_is_never_missed() -> None:
    daily = parse_recurrence("FREQ=DAILY", utc("2026-03-01T00:00"), SHANGHAI)
    owed = due(daily, utc("2026-03-02T00:00"), timedelta(days=2), utc("2026-03-04T12:00"))
    assert owed.missed == [utc("2026-03-02T00:00"), utc("2026-03-03T00:00")]
    assert owed.make == [utc("2026-03-04T00:00"), utc("2026-03-05T00:00"), utc("2026-03-06T00:00")]


def test_a_rule_that_ends_has_no_next() -> None:
    twice = parse_recurrence("FREQ=DAILY;COUNT=2", utc("2026-03-01T00:00"), SHANGHAI)
    assert due(twice, utc("2026-03-02T00:00"), timedelta(0), utc("2026-03-02T00:00")).next_due is None


def test_a_new_plan_cares_for_today_and_not_for_last_year() -> None:
    now = utc("2026-03-01T12:00")
    assert first_due(Recurrence("FREQ=DAILY", utc("2020-01-01T00:00"), SHANGHAI), now) == utc("2026-03-01T00:00")
    assert first_due(Recurrence("FREQ=YEARLY", utc("2020-01-15T00:00"), SHANGHAI), now) == utc("2027-01-15T00:00")
    assert first_due(Recurrence(None, utc("2020-01-15T00:00"), SHANGHAI), now) is None


@given(
    st.sampled_from(["FREQ=DAILY", "FREQ=HOURLY;INTERVAL=7", "FREQ=WEEKLY;BYDAY=TU,FR", "FREQ=DAILY;COUNT=9"]),
    st.lists(st.integers(0, 72), max_size=12),
    st.integers(0, 80),
)
def test_every_occurrence_is_made_or_missed_exactly_once(rule: str, naps: list[int], lead_hours: int) -> None:
    """However irregularly the runner wakes."""
    start = utc("2026-10-20T00:00")
    recurrence, lead = parse_recurrence(rule, start, BERLIN), timedelta(hours=lead_hours)
    now, following, handled = start, recurrence.next(start), []
    for hours in naps:
        now += timedelta(hours=hours)
        if following is not None and following - lead <= now:
            owed = due(recurrence, following, lead, now)
            handled += sorted(owed.make + owed.missed)
            following = owed.next_due
    assert handled == [at for at in recurrence.between(start, now + lead + timedelta(microseconds=1)) if naps]
