"""Statistics: what is usual, what goes together, what comes next; each with a true error, or refused."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import pytest_asyncio

from telemetry import forecasting
from telemetry.aggregate import Span
from telemetry.buckets import parse_bucket
from telemetry.decode import RawReading
from telemetry.hourly import read_hourly
from telemetry.ingest import Ingest
from telemetry.point_facts import NewPoint
from telemetry.profiles import correlate, read_correlation, read_profile
from telemetry.statistics_pool import Statistician
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database
from twin.errors import Invalid, Unavailable
from twin.settings import Settings

BERLIN = ZoneInfo("Europe/Berlin")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def statistician() -> AsyncIterator[Statistician]:
    made = Statistician(limit_s=30)
    yield made
    made.close()


def wave(hours: int, *, noise: float = 0.3, seed: int = 1) -> list[float]:
    """A day's wave, a week's wave and noise, on 20."""
    random = Random(seed)
    return [
        20
        + 5 * math.sin(2 * math.pi * h / 24)
        + 2 * math.sin(2 * math.pi * h / 168)
        + random.gauss(0, noise)
        for h in range(hours)
    ]  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.clause("6.1.4c")
async def test_a_forecast_is_as_good_as_it_says(statistician: Statistician) -> None:
    whole = wave(28 * 24 + 24)
    seen = whole[: 28 * 24]
    for gap in (100, 101, 102, 103, 250):
        seen[gap] = math.nan
    told = await statistician.run("one", forecasting.forecast, seen, 24)
    truth = np.array(whole[28 * 24 :])
    assert told.model == "structural" and told.seasons == [24, 168]
    assert np.abs(np.array(told.value) - truth).mean() < 0.6  # noise alone is 0.24 on the average
    inside = (truth >= told.low) & (truth <= told.high)
    assert inside.mean() >= 0.75 and np.all(np.array(told.low) < told.high)
    error = told.error
    assert error.hours == 7 * 24 and error.mae < error.naive_mae and error.skill and 0 < error.skill < 1
    assert error.mase and error.mase < 1 and error.r2 and error.r2 > 0.9 and 0.75 <= error.coverage <= 1
    again = await statistician.run("one", forecasting.forecast, [], 24)
    assert again is told  # kept: the same question is not worked out twice


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_not_to_be_expected_stands_out(statistician: Statistician) -> None:
    values = wave(23 * 24)
    first = 21 * 24
    for hour in range(first + 30, first + 34):
        values[hour] += 8
    values[first + 5] = math.nan
    told = await statistician.run("odd", forecasting.expect, values, first)
    assert len(told.score) == 48 and told.score[5] is None and told.value[5] is not None
    scores = [score or 0.0 for score in told.score]
    assert min(scores[30:34]) > 4 > max(scores[:30] + scores[40:])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([20.0, 21.0] * 50, "statistics.too_little"),
        ([21.5] * 400, "statistics.constant"),
        ([math.nan if h % 2 else float(h % 24) for h in range(400)], "statistics.gaps"),
        ([], "statistics.too_little"),
    ],
    ids=["short", "constant", "gaps", "none"],
)
async def test_nothing_is_foretold_from_too_little(statistician: Statistician, values: list[float], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await statistician.run(code, forecasting.forecast, values, 24)
    assert refused.value.code == code and "{" not in refused.value.text("zh")


def _for_ever() -> None:
    while True:
        pass


async def test_what_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    short = Statistician(limit_s=1)
    try:
        with pytest.raises(Invalid) as refused:
            await short.run("slow", _for_ever)
        assert refused.value.code == "statistics.slow"
        assert await short.run("quick", abs, -3) == 3
        short._waiting = 8
        with pytest.raises(Unavailable):
            await short.run("more", abs, -3)
    finally:
        short.close()


@pytest.mark.clause("6.1.4g")
async def test_profiles_and_correlation_of_real_rows_over_a_change_of_clocks(readings_db: Database) -> None:
    a, b, c = await make_points(
        readings_db,
        NewPoint(key="a", name="a", kind="number", time_zone="Europe/Berlin"),
        NewPoint(key="b", name="b", kind="number"),
        NewPoint(key="c", name="c", kind="number"),
    )
    start = datetime(2026, 3, 25, tzinfo=BERLIN).astimezone(UTC)  # clocks change on the 29th
    hours = 8 * 24 - 1
    readings = []
    for h in range(hours):
        ts = start + timedelta(hours=h)
        local = ts.astimezone(BERLIN)
        readings += [
            RawReading("a", ts, float(local.hour)),
            RawReading("b", ts + timedelta(hours=2), -3.0 * local.hour),
            RawReading("c", ts, 7.0),
        ]
    async with Ingest(readings_db, Settings()) as ingest:
        receipt = await ingest.submit(await source_of(ingest), readings)
    assert not receipt.rejected
    now = start + timedelta(hours=hours)
    async with readings_db.connection() as conn:
        span = Span(start, now, parse_bucket("1h"), BERLIN, now)
        profile = await read_profile(conn, a, span, "day")
        assert profile.days == 8 and [each.slot for each in profile.items] == [f"{h:02d}:00" for h in range(24)]
        assert [each.p50 for each in profile.items] == [float(h) for h in range(24)]
        assert [each.days for each in profile.items] == [8, 8, 7, *[8] * 21]  # at two o'clock the clocks skip an hour
        weekly = await read_profile(conn, a, span, "weekday")
        assert {each.weekday for each in weekly.items} == {1, 2, 3, 4, 5, 6, 7}
        together = await read_correlation(conn, [a, b, c], span, 4)
        pair = together.pairs[0]
        assert (pair.a, pair.b, pair.best_lag, pair.best_lag_seconds) == ("a", "b", 2, 7200.0)
        assert pair.best_r == pytest.approx(-1.0) and together.matrix[0][0] == pytest.approx(1.0)
        assert together.matrix[0][2] is None and together.count[0][2] == hours  # constant: there is no correlation
        hourly = await read_hourly(conn, a, start, now, now)
        assert len(hourly.values) == 8 * 24 and np.isnan(hourly.values[4 * 24 + 2])
        assert hourly.moments(4 * 24 + 2, 1) == [[]] and len(hourly.moments(0, 3)) == 3
        with pytest.raises(Invalid) as refused:
            await read_profile(conn, c, Span(start, now, parse_bucket("1d"), BERLIN, now), "day")
        assert refused.value.code == "statistics.slot"
    empty = correlate([a, b], np.full((2, 20), np.nan), parse_bucket("1h"), 2)
    assert empty.matrix == [[None, None], [None, None]] and empty.pairs[0].best_lag is None
