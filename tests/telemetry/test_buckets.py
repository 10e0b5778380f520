"""Buckets follow the clock and the calendar of the site, on days of 23 and 25 hours too."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.buckets import MAX_BUCKETS, auto_bucket, edges, parse_bucket
from telemetry.decode import moment
from twin.errors import Invalid

SHANGHAI, BERLIN, KATHMANDU = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def local(cuts: list[datetime], zone: ZoneInfo) -> list[str]:
    return [cut.astimezone(zone).isoformat(timespec="minutes") for cut in cuts]


def test_days_start_at_the_sites_midnight() -> None:
    cuts = edges(parse_bucket("1d"), SHANGHAI, at("2026-03-01T10:00", SHANGHAI), at("2026-03-03T00:00", SHANGHAI))
    assert local(cuts, SHANGHAI) == ["2026-03-01T00:00+08:00", "2026-03-02T00:00+08:00", "2026-03-03T00:00+08:00"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_the_day_on_which_clocks_change_has_its_own_length(day: str, hours: int) -> None:
    start = at(f"{day}T00:00", BERLIN)
    cuts = edges(parse_bucket("1d"), BERLIN, start, start + timedelta(hours=12))
    assert cuts[1] - cuts[0] == timedelta(hours=hours)
    assert len(edges(parse_bucket("1h"), BERLIN, cuts[0], cuts[1])) == hours + 1


def test_six_hours_stay_on_the_wall_clock_across_the_change() -> None:
    cuts = edges(parse_bucket("6h"), BERLIN, at("2026-03-29T00:00", BERLIN), at("2026-03-30T00:00", BERLIN))
    assert [cut.astimezone(BERLIN).hour for cut in cuts] == [0, 6, 12, 18, 0]
    assert cuts[1] - cuts[0] == timedelta(hours=5)


def test_both_hours_that_the_clock_shows_twice_are_buckets() -> None:
    cuts = edges(parse_bucket("1h"), BERLIN, at("2026-10-25T01:00", BERLIN), at("2026-10-25T04:00", BERLIN))
    assert local(cuts, BERLIN)[1:4] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"]


def test_hours_are_cut_where_the_sites_clock_strikes() -> None:
    [first, *_] = edges(
        parse_bucket("1h"), KATHMANDU, at("2026-01-01T10:20", KATHMANDU), at("2026-01-01T12:00", KATHMANDU)
    )
    assert first == at("2026-01-01T10:00", KATHMANDU)


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    start, end = at("2026-03-04T12:00", BERLIN), at("2026-04-02T00:00", BERLIN)
    assert all(cut.astimezone(BERLIN).weekday() == 0 for cut in edges(parse_bucket("1w"), BERLIN, start, end))
    assert local(edges(parse_bucket("1mo"), BERLIN, start, end), BERLIN) == [
        "2026-03-01T00:00+01:00",
        "2026-04-01T00:00+02:00",
        "2026-05-01T00:00+02:00",
    ]
    [quarter, *_] = edges(parse_bucket("3mo"), BERLIN, start, end)
    assert local([quarter], BERLIN) == ["2026-01-01T00:00+01:00"]


@given(
    st.sampled_from(["1s", "30s", "5m", "15m", "1h", "2h", "6h", "12h", "1d", "3d", "1w", "1mo", "12mo"]),
    st.sampled_from(
        ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Santiago", "UTC"]
    ),
    st.integers(315_532_800_000_000, 2_208_988_800_000_000).map(moment),
    st.integers(1, 400),
)
def test_buckets_cover_the_range_without_gap_or_overlap(text: str, zone: str, start: datetime, count: int) -> None:
    bucket = parse_bucket(text)
    until = start + timedelta(seconds=bucket.seconds * count / 2)
    cuts = edges(bucket, ZoneInfo(zone), start, until)
    assert cuts[0] <= start < cuts[1]
    assert cuts[-2] < until <= cuts[-1]
    assert all(a < b for a, b in zip(cuts, cuts[1:], strict=False))


@pytest.mark.parametrize("text", ["", "5", "m", "0d", "05m", "-1h", "5 m", "1y", "99999s", "1.5h", "٣h"])
def test_what_is_no_width_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_bucket(text)
    assert refused.value.code == "history.bucket"


def test_too_many_buckets_and_empty_ranges_are_refused() -> None:
    start = at("2026-01-01T00:00", SHANGHAI)
    with pytest.raises(Invalid) as refused:
        edges(parse_bucket("1s"), SHANGHAI, start, start + timedelta(seconds=MAX_BUCKETS + 1))
    assert refused.value.code == "history.too_many_buckets"
    with pytest.raises(Invalid) as empty:
        edges(parse_bucket("1h"), SHANGHAI, start, start)
    assert empty.value.code == "history.range"


@pytest.mark.parametrize(
    ("span", "width"),
    [(timedelta(minutes=5), "1s"), (timedelta(hours=1), "15s"), (timedelta(days=1), "5m"), (timedelta(days=7), "30m"),
     (timedelta(days=365), "1d"), (timedelta(days=10_000), "1mo")],
)  # fmt: skip
def test_automatic_resolution_draws_a_chart_well(span: timedelta, width: str) -> None:
    start = at("2026-01-01T00:00", SHANGHAI)
    assert str(auto_bucket(start, start + span)) == width
