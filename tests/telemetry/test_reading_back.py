"""Whatever is asked of the history is answered as plain Python answers it from a list, on every engine."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from telemetry.aggregate import AGGREGATES, Fill, Span, read_buckets
from telemetry.buckets import auto_bucket, parse_bucket
from telemetry.decode import RawReading
from telemetry.history import read_raw
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, Point, Sampling
from telemetry.reading_back import read_aligned, read_distribution
from telemetry.reading_export import export_arrow, export_csv
from telemetry.rollups import Rollups
from telemetry.states import latest_readings, read_as_of
from tests.telemetry.conftest import make_months, make_points, source_of
from tests.telemetry.reference import Known, Reference, bucket_start, next_start
from twin.db import Database
from twin.settings import Settings

# Six weeks in which New York's clocks go back (1 November 2026) and one in which Kathmandu's stay at +05:45.
FIRST = datetime(2026, 10, 4, 3, 17, 29, tzinfo=UTC)
WEEKS = 6
END = FIRST + timedelta(weeks=WEEKS)
ZONES = [ZoneInfo(name) for name in ("America/New_York", "Asia/Kathmandu", "Asia/Shanghai")]
WIDTHS = ("7s", "1m", "7m", "90m", "5h", "5m", "15m", "1h", "2h", "6h", "12h", "1d", "3d", "1w", "1mo")
QUALITIES = ("good", "good", "good", "uncertain", "bad", "stale")


@dataclass(frozen=True)
class Asked:
    """A question with its answer's ingredients."""

    width: str
    zone: ZoneInfo
    start: datetime
    end: datetime
    sampling: Sampling


def some_history(random: Random) -> list[Known]:
    """Readings at odd times with silences of days, every quality, single and in bursts."""
    found: dict[datetime, Known] = {}
    moment = FIRST
    while moment < END:
        pause: float = random.choice((1, 40, 300, 3600, 3600, 7200))
        if random.random() < 0.01:
            pause = 86_400 * random.uniform(1, 5)
        moment += timedelta(seconds=round(random.uniform(0.2, 1.8) * pause, 3))
        if moment < END:
            found[moment] = Known(moment, round(random.uniform(-20, 40), 3), random.choice(QUALITIES))
    return list(found.values())


async def store(db: Database, key: str, readings: Sequence[Known]) -> None:
    async with Ingest(db, Settings(), clock=lambda: END.timestamp() + 400 * 86_400) as ingest:
        raw = [RawReading(key, each.ts, each.value, quality=each.quality) for each in readings]  # type: ignore[arg-type]
        receipt = await ingest.submit(await source_of(ingest), raw)
    assert (receipt.accepted, receipt.rejected) == (len(readings), [])


async def told(db: Database, keys: Sequence[str], random: Random) -> dict[str, tuple[Point, Reference]]:
    """Points with a history that came in three parts, in no order, rolled up after the first and the second."""
    points = await make_points(db, *(NewPoint(key=key, name=key, kind="number", unit="DEG_C") for key in keys))
    await make_months(db, FIRST, END)
    histories = {key: some_history(random) for key in keys}
    parts: dict[str, list[list[Known]]] = {key: [[], [], []] for key in keys}
    for key, found in histories.items():
        for each in random.sample(found, len(found)):
            parts[key][random.choice((0, 0, 0, 1, 1, 2))].append(each)
    for n in range(3):
        for key in keys:
            await store(db, key, parts[key][n])
        if n < 2:  # of the third the hours are marked, and answered from the readings
            await Rollups(db).catch_up(now=END + timedelta(days=30))
    return {point.key: (point, Reference(histories[point.key])) for point in points}


def question(random: Random, width: str) -> Asked:
    """Some range: a minute to everything, edges at odd times or on the hour."""
    seconds = parse_bucket(width).seconds
    length = min(timedelta(weeks=WEEKS), timedelta(seconds=seconds * random.uniform(0.3, 150)))
    start = FIRST + (END - FIRST) * random.random() - length / 2
    if random.random() < 0.3:
        start = start.replace(minute=0, second=0, microsecond=0)
    return Asked(width, random.choice(ZONES), start, start + length, random.choice(("hold", "interpolate")))


def assert_close(found: dict[str, Any], expected: dict[str, Any], about: Any) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-7), (name, about)


async def answer(db: Database, point: Point, asked: Asked, fill: Fill = "none") -> list[dict[str, Any]]:
    async with db.connection() as conn:
        span = Span(asked.start, asked.end, parse_bucket(asked.width), asked.zone, END + timedelta(days=100))
        return await read_buckets(conn, point.handle, span, AGGREGATES, sampling=asked.sampling, fill=fill)


@pytest.mark.clause("6.1.3a")
async def test_buckets_of_any_width_are_what_the_readings_say(anywhere: Database) -> None:
    random = Random(4)
    histories = await told(anywhere, ["a", "b"], random)
    empty = 0
    for n, width in enumerate(WIDTHS * 3):
        asked = question(random, width)
        point, reference = histories[random.choice("ab")]
        expected = reference.buckets(asked.width, asked.zone, asked.start, asked.end, asked.sampling)
        found = await answer(anywhere, point, asked)
        assert [each["ts"] for each in found] == sorted(expected), asked
        for each in found:
            assert_close(each, expected[each["ts"]], (asked, each))
        empty += not found
        if n % 2:
            await _gaps_are_filled(anywhere, point, reference, asked, expected)
    assert empty < 18
    await _several_stand_side_by_side(anywhere, histories)
    await _the_building_is_as_it_was(anywhere, histories, random)
    await _spread(anywhere, histories, random)
    await _taken_out(anywhere, histories)


async def _gaps_are_filled(
    db: Database, point: Point, reference: Reference, asked: Asked, expected: dict[datetime, dict[str, Any]]
) -> None:
    """Every bucket is there; an empty one shows nothing, the value before, or the line at its middle."""
    answers = {fill: await answer(db, point, asked, fill) for fill in ("null", "previous", "linear")}
    for fill, found in answers.items():
        assert found[0]["ts"] == bucket_start(asked.width, asked.zone, asked.start, asked.start)
        ends = {each["ts"]: next_start(asked.width, asked.zone, asked.start, each["ts"]) for each in found}
        assert list(ends)[1:] == list(ends.values())[:-1], asked
        for each in found:
            if each["ts"] in expected:
                assert_close(each, expected[each["ts"]], (asked, fill))
                continue
            end = ends[each["ts"]]
            before, after = reference.before(max(each["ts"], asked.start)), reference.after(min(end, asked.end))
            wanted = before.value if before and fill == "previous" else None
            if fill == "linear" and before and after:
                middle = each["ts"] + (end - each["ts"]) / 2
                wanted = before.value + (after.value - before.value) * ((middle - before.ts) / (after.ts - before.ts))
            assert (each["count"], each["mean"]) == (0, pytest.approx(wanted)), (asked, fill, each)


async def _several_stand_side_by_side(db: Database, histories: dict[str, tuple[Point, Reference]]) -> None:
    """A day that has 25 hours among them; where one is silent there is a null."""
    start, end, zone = datetime(2026, 10, 30, 4, tzinfo=UTC), datetime(2026, 11, 4, 5, tzinfo=UTC), ZONES[0]
    points = [point for point, _ in histories.values()]
    async with db.connection() as conn:
        span = Span(start, end, parse_bucket("1d"), zone, END)
        aligned = await read_aligned(conn, points, span, ("mean", "count"), "none")
    lengths = [(b - a).total_seconds() / 3600 for a, b in zip(aligned.ts, aligned.ts[1:], strict=False)]
    assert lengths == [24, 24, 25, 24]
    for series, (_, reference) in zip(aligned.series, histories.values(), strict=True):
        expected = reference.buckets("1d", zone, start, end, "hold")
        means = [expected[ts]["mean"] if ts in expected else None for ts in aligned.ts]
        assert series.values["mean"] == [None if each is None else pytest.approx(each) for each in means]


async def _the_building_is_as_it_was(
    db: Database, histories: dict[str, tuple[Point, Reference]], random: Random
) -> None:
    building = next(iter(histories.values()))[0].building_id
    for _ in range(12):
        moment = FIRST + (END - FIRST) * random.random()
        lookback = timedelta(days=random.choice((0.02, 1, 30)))
        async with db.connection() as conn:
            page = await read_as_of(conn, building, moment, lookback=lookback)
        expected = {}
        for key, (_, reference) in histories.items():
            until = [each for each in reference.all if moment - lookback < each.ts <= moment]
            if until:
                expected[key] = (until[-1].ts, until[-1].value, until[-1].quality)
        assert {each.point: (each.ts, each.value, each.quality) for each in page.items} == expected
    async with db.connection() as conn:
        latest = await latest_readings(conn, building)
    newest = [(key, reference.all[-1].ts) for key, (_, reference) in sorted(histories.items())]
    assert [(each.point, each.ts) for each in latest.items] == newest


async def _spread(db: Database, histories: dict[str, tuple[Point, Reference]], random: Random) -> None:
    for point, reference in histories.values():
        start = FIRST + timedelta(days=random.uniform(0, 20))
        end = start + timedelta(days=random.uniform(15, 20))
        values = np.array([each.value for each in reference.between(start, end)])
        async with db.connection() as conn:
            found = await read_distribution(conn, point.handle, start, end, [5, 50, 99.5], 13)
        counts, edges = np.histogram(values, 13)
        assert found.count == len(values)
        assert list(found.percentiles.values()) == pytest.approx(np.percentile(values, [5, 50, 99.5]).tolist())
        assert found.counts == counts.tolist()
        assert found.edges == pytest.approx(edges.tolist())
        assert (found.mean, found.deviation) == pytest.approx((values.mean(), values.std(ddof=1)))


async def _taken_out(db: Database, histories: dict[str, tuple[Point, Reference]]) -> None:
    """Raw in pages, newest first too, and as CSV, Parquet and Arrow: every reading once, in the order of time."""
    (point, reference), (other, second) = histories["a"], histories["b"]
    start, end = FIRST + timedelta(days=3), FIRST + timedelta(days=17)
    expected = [each for each in reference.all if start <= each.ts < end]
    taken: list[Known] = []
    cursor: str | None = None
    async with db.connection() as conn:
        while True:
            page = await read_raw(conn, point.handle, "number", start=start, end=end, limit=97, cursor=cursor)
            taken += [Known(each.ts, each.value, each.quality) for each in page.items]  # type: ignore[arg-type]
            if (cursor := page.next) is None:
                break
        newest = await read_raw(conn, point.handle, "number", start=start, end=end, newest_first=True, limit=5)
    assert taken == expected
    assert [each.ts for each in newest.items] == [each.ts for each in reversed(expected[-5:])]
    both = [("a", each) for each in expected] + [("b", each) for each in second.all if start <= each.ts < end]
    handles = [point.handle, other.handle]
    async with db.connection() as conn:
        text = b"".join([piece async for piece in export_csv(conn, handles, start, end)]).decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [(each["point"], float(each["value"]), each["quality"]) for each in lines] == [
        (key, each.value, each.quality) for key, each in both
    ]
    assert [datetime.fromisoformat(each["ts"]) for each in lines] == [each.ts for _, each in both]
    forms: list[Literal["parquet", "arrow"]] = ["parquet", "arrow"]
    for form in forms:
        table = await _table(db, handles, start, end, form)
        assert table["ts"].to_pylist() == [each.ts for _, each in both]
        assert table["num"].to_pylist() == [each.value for _, each in both]
        assert table["quality"].to_pylist() == [each.quality for _, each in both]


async def _table(
    db: Database, handles: Sequence[int], start: datetime, end: datetime, form: Literal["parquet", "arrow"]
) -> pa.Table:
    async with db.transaction() as conn:
        data = b"".join([piece async for piece in export_arrow(conn, handles, start, end, form)])
    return pq.read_table(io.BytesIO(data)) if form == "parquet" else pa.ipc.open_stream(data).read_all()


@pytest.mark.clause("6.1.3a")
def test_a_chart_gets_the_finest_width_that_it_can_draw() -> None:
    """600 buckets at most, and not many fewer than rungs of the ladder allow: from a day to a week it is a seventh."""
    random = Random(9)
    for _ in range(300):
        length = timedelta(seconds=10 ** random.uniform(1.5, 8.4))
        bucket = auto_bucket(FIRST, FIRST + length)
        assert length.total_seconds() / bucket.seconds <= 600
        finer = auto_bucket(FIRST, FIRST + length, most=3000)
        assert finer.seconds <= bucket.seconds
        assert str(bucket) == "1s" or length.total_seconds() / bucket.seconds > 600 / 7.1
