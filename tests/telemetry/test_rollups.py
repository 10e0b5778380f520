"""Rollups: an answer is the same whether it comes from rollups or from the readings, whatever comes in when."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telemetry.aggregate import AGGREGATES, Fill, Span, read_buckets
from telemetry.buckets import parse_bucket
from telemetry.decode import RawReading
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, Point, Sampling
from telemetry.rollups import Rollups
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database, row
from twin.settings import Settings

NOW = datetime.now(UTC).replace(minute=7, second=11, microsecond=0)  # the table of readings begins at the real now
NUMBER = NewPoint(key="n", name="Number", kind="number")
KATHMANDU, NEW_YORK = ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York")


async def send(db: Database, *readings: tuple[float, float, str]) -> None:
    """Store (hours before NOW, value, quality) of the point `n`."""
    async with Ingest(db, Settings(), clock=lambda: NOW.timestamp() + 86_400) as ingest:
        raw = [RawReading("n", NOW - timedelta(hours=hours), value, quality=q) for hours, value, q in readings]  # type: ignore[arg-type]
        receipt = await ingest.submit(await source_of(ingest), raw)
    assert not receipt.rejected


async def ask(
    db: Database,
    point: Point,
    bucket: str,
    hours: tuple[float, float],
    *,
    zone: ZoneInfo = KATHMANDU,
    agg: Sequence[str] = AGGREGATES,
    sampling: Sampling = "hold",
    fill: Fill = "none",
) -> list[dict[str, Any]]:
    start, end = (NOW - timedelta(hours=each) for each in hours)
    async with db.connection() as conn:
        span = Span(start, end, parse_bucket(bucket), zone, NOW + timedelta(days=1))
        return await read_buckets(conn, point.handle, span, agg, sampling=sampling, fill=fill)


async def count(db: Database, table: str) -> int:
    async with db.connection() as conn:
        found = await row(conn, "SELECT count(*) AS n FROM rollup_5m" if table == "rollup" else
                          "SELECT count(*) AS n FROM rollup_dirty")  # fmt: skip
    assert found
    return int(found["n"])


async def from_readings(db: Database) -> None:
    """Forget all rollups, so that answers come from the readings alone."""
    async with db.transaction() as conn:
        await conn.execute("UPDATE rollup_state SET rolled = '1970-01-01Z'")


def assert_same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert [each["ts"] for each in one] == [each["ts"] for each in other]
    for left, right in zip(one, other, strict=True):
        assert left.keys() == right.keys()
        numbers = {name: value for name, value in right.items() if isinstance(value, float | int)}
        assert {name: left[name] for name in numbers} == pytest.approx(numbers, rel=1e-9, abs=1e-9)
        assert left == right | {name: left[name] for name in numbers}


def some_readings(seed: int, hours: float, n: int) -> list[tuple[float, float, str]]:
    random = Random(seed)
    moments = sorted({round(random.uniform(0, hours) * 3600) for _ in range(n)})
    qualities = ("good", "good", "uncertain", "bad")
    return [(at / 3600, round(random.uniform(-5, 30), 3), random.choice(qualities)) for at in moments]


ASKED: list[dict[str, Any]] = [
    {"bucket": "1h", "hours": (60.3, 0.2)},  # Kathmandu is a quarter of an hour off: from the fine ones
    {"bucket": "1h", "hours": (60.3, 0.2), "zone": NEW_YORK},
    {"bucket": "5m", "hours": (9.9, 3.01)},
    {"bucket": "1d", "hours": (71.0, -1.0), "zone": NEW_YORK, "sampling": "interpolate"},
    {"bucket": "15m", "hours": (31.7, 29.1), "sampling": "interpolate", "fill": "linear"},
    {"bucket": "1h", "hours": (72.0, 0.0), "fill": "previous"},
    {"bucket": "12h", "hours": (72.0, 0.0), "agg": ("mean", "min", "max", "count", "good"), "fill": "null"},
]


async def test_rollups_answer_as_the_readings_do_late_ones_included(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    readings = some_readings(1, 70, 900)
    late, rest = readings[::7], [each for i, each in enumerate(readings) if i % 7]
    await send(anywhere, *rest)
    rollups = Rollups(anywhere)
    assert await rollups.catch_up(now=NOW) > 0
    assert await count(anywhere, "rollup") > 400
    assert await count(anywhere, "dirty") == 0
    await send(anywhere, *late)
    assert await count(anywhere, "dirty") > 0
    at_once = [await ask(anywhere, point, **asked) for asked in ASKED]
    await rollups.catch_up(now=NOW)
    assert await count(anywhere, "dirty") == 0
    afterwards = [await ask(anywhere, point, **asked) for asked in ASKED]
    await from_readings(anywhere)
    for one, two, asked in zip(at_once, afterwards, ASKED, strict=True):
        exact = await ask(anywhere, point, **asked)
        assert len(exact) > 2
        assert_same(one, exact)
        assert_same(two, exact)


async def test_what_comes_in_between_settling_and_rolling_up_is_in_the_rollup_once(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    rollups = Rollups(readings_db)
    for step in range(6):  # each reading is new, the last of each hour comes a step late
        await send(readings_db, (-step, float(step), "good"))
        await rollups.catch_up(now=NOW + timedelta(hours=step))
        await send(readings_db, (-step + 0.02, 10.0 + step, "good"))
    await rollups.catch_up(now=NOW + timedelta(hours=6))
    rolled = await ask(readings_db, point, "1h", (1.0, -6.0))
    await from_readings(readings_db)
    assert_same(rolled, await ask(readings_db, point, "1h", (1.0, -6.0)))
    assert sum(each["count"] for each in rolled) == 12


async def test_two_servers_roll_up_once(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    await send(readings_db, *some_readings(2, 20, 200))
    await asyncio.gather(*(Rollups(readings_db).catch_up(now=NOW) for _ in range(3)))
    rolled = await ask(readings_db, point, "1h", (22.0, 0.0))
    await from_readings(readings_db)
    assert_same(rolled, await ask(readings_db, point, "1h", (22.0, 0.0)))


async def test_a_straight_line_between_readings_has_its_middle_as_mean(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    await send(readings_db, (4.0, 0.0, "good"), (2.0, 20.0, "good"), (1.0, 20.0, "good"))
    found = await ask(readings_db, point, "1h", (4.0, 1.0), agg=("twa",), sampling="interpolate", zone=ZoneInfo("UTC"))
    start = NOW - timedelta(hours=4)
    edge = (60 - start.minute - start.second / 60) / 60  # h to the first full hour
    assert found[0]["twa"] == pytest.approx(10 * edge / 2)
    at = start.minute / 60 + start.second / 3600  # h from the full hour to the reading of 20, on a slope of 10 an hour
    assert found[-1]["twa"] == pytest.approx(20.0 - 10 * at * at / 2)


async def test_gaps_are_filled_as_asked(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    at = NOW.minute / 60 + NOW.second / 3600  # h since the full hour
    await send(readings_db, (4 + at - 0.5, 10.0, "good"), (0 + at - 0.5, 50.0, "good"))
    hours, utc, agg = (4 + at, at - 1), ZoneInfo("UTC"), ("mean", "count")
    answers = {
        fill: [each["mean"] for each in await ask(readings_db, point, "1h", hours, zone=utc, agg=agg, fill=fill)]
        for fill in ("none", "null", "previous", "linear")
    }
    assert answers["none"] == [10.0, 50.0]
    assert answers["null"] == [10.0, None, None, None, 50.0]
    assert answers["previous"] == [10.0, 10.0, 10.0, 10.0, 50.0]
    assert answers["linear"] == pytest.approx([10.0, 20.0, 30.0, 40.0, 50.0])


@pytest.mark.clause("6.1.3f")
async def test_readings_that_come_three_times_shuffled_and_from_wrong_clocks_are_rolled_up_once(
    readings_db: Database,
) -> None:
    """R9: three times each, within ten minutes of their turn; clocks a day slow, never set (1970) and in 2099."""
    [point] = await make_points(readings_db, NUMBER)
    chance, start = Random(9), NOW - timedelta(hours=7)
    true = {start + timedelta(seconds=30 * i): round(chance.uniform(-5, 30), 3) for i in range(720)}
    slow = {ts - timedelta(days=1): value for ts, value in list(true.items())[::40]}
    unset = {datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=i): float(i) for i in range(7)}
    ahead = {datetime(2099, 1, 1, tzinfo=UTC) + timedelta(minutes=i): float(i) for i in range(5)}
    jitter = timedelta(minutes=10).total_seconds()
    turns = [(ts.timestamp() + chance.uniform(-jitter, jitter), ts, value) for ts, value in true.items() for _ in "123"]
    turns += [
        (chance.uniform(start.timestamp(), NOW.timestamp()), ts, value)
        for each in (slow, unset, ahead) for ts, value in each.items() for _ in "123"
    ]  # fmt: skip
    turns.sort()
    sums = [0, 0, 0]
    rollups = Rollups(readings_db)
    async with Ingest(readings_db, Settings(), clock=NOW.timestamp) as ingest:
        source = await source_of(ingest)
        for n in range(0, len(turns), 150):
            piece = [RawReading("n", ts, value) for _, ts, value in turns[n : n + 150]]
            receipt = await ingest.submit(source, piece)
            assert {each.code for each in receipt.rejected} <= {"reading.ahead"}
            counts = (receipt.accepted, receipt.duplicate, len(receipt.rejected))
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
            await rollups.catch_up(now=datetime.fromtimestamp(turns[min(n + 150, len(turns)) - 1][0], UTC))
    kept = true | slow | unset
    assert sums == [len(kept), 2 * len(kept), 3 * len(ahead)]
    await rollups.catch_up(now=NOW)
    hours = await ask(readings_db, point, "1h", (8.0, 0.0), zone=ZoneInfo("UTC"), agg=("count", "mean", "min", "max"))
    assert sum(each["count"] for each in hours) == len(true)
    for each in hours:
        there = [value for ts, value in true.items() if each["ts"] <= ts < each["ts"] + timedelta(hours=1)]
        assert each["count"] == len(there) and each["mean"] == pytest.approx(sum(there) / len(there))
        assert (each["min"], each["max"]) == (min(there), max(there))
    asked: list[dict[str, Any]] = [
        {"bucket": "1h", "hours": (9.0, 0.0)}, {"bucket": "5m", "hours": (7.0, 5.0)},
        {"bucket": "1d", "hours": (48.0, 0.0)},
    ]  # fmt: skip
    rolled = [await ask(readings_db, point, **each) for each in asked]
    await from_readings(readings_db)
    for one, each in zip(rolled, asked, strict=True):
        assert_same(one, await ask(readings_db, point, **each))
