"""The table of readings on partitions and on TimescaleDB, and what is read back from it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from telemetry.aggregate import Span, parse_aggregates, read_buckets
from telemetry.buckets import parse_bucket
from telemetry.decode import RawReading
from telemetry.history import History, read_raw
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, Point
from telemetry.states import latest_readings
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database, row, rows
from twin.errors import Invalid
from twin.settings import Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 1, tzinfo=SHANGHAI).astimezone(UTC)
NUMBER = NewPoint(key="n", name="Number", kind="number", unit="KiloW")


async def store(db: Database, *readings: RawReading) -> None:
    async with Ingest(db, Settings(), clock=lambda: START.timestamp() + 400 * 86_400) as ingest:
        receipt = await ingest.submit(await source_of(ingest), readings)
    assert receipt.rejected == []


def reading(minutes: float, value: float, **rest: object) -> RawReading:
    return RawReading("n", START + timedelta(minutes=minutes), value, **rest)  # type: ignore[arg-type]


async def buckets(
    db: Database, point: Point, width: str, agg: str, minutes: tuple[float, float]
) -> list[dict[str, object]]:
    start, end = (START + timedelta(minutes=each) for each in minutes)
    async with db.connection() as conn:
        span = Span(start, end, parse_bucket(width), SHANGHAI, START + timedelta(days=365))
        return await read_buckets(conn, point.handle, span, parse_aggregates(agg))


async def test_the_table_suits_the_database(anywhere: Database, request: pytest.FixtureRequest) -> None:
    async with anywhere.connection() as conn:
        chosen = await row(conn, "SELECT value FROM installation WHERE key = 'history'")
        kind = await row(conn, "SELECT relkind FROM pg_class WHERE relname = 'reading'")
        extension = await row(conn, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
        assert chosen is not None and kind is not None
        if "partitions" not in request.node.callspec.id:
            hypertables = await rows(conn, "SELECT hypertable_name FROM timescaledb_information.hypertables")
            assert [each["hypertable_name"] for each in hypertables] == ["reading"]
            assert chosen["value"]["engine"] == "timescaledb"
            assert chosen["value"]["license"] in ("apache", "timescale")
            assert extension is not None and chosen["value"]["version"] == extension["extversion"]
        else:
            assert (chosen["value"]["engine"], kind["relkind"], extension) == ("partitions", "p", None)


async def test_readings_of_different_months_lie_in_different_parts(anywhere: Database) -> None:
    await make_points(anywhere, NUMBER)
    history = History(anywhere)
    await history.start()
    await history.ensure_months(START, START + timedelta(days=70))
    await store(anywhere, reading(0, 1.0), reading(45 * 1440, 2.0))
    async with anywhere.connection() as conn:
        found = await rows(conn, "SELECT DISTINCT tableoid::regclass::text AS part FROM reading")
    assert len(found) == 2
    assert not {each["part"] for each in found} & {"reading", "reading_default"}


async def test_what_the_default_partition_caught_moves_to_its_month(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    old = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    await store(readings_db, RawReading("n", old, 1.0), reading(0, 2.0))
    history = History(readings_db)
    await history.start()
    await history.maintain(now=START)
    async with readings_db.connection() as conn:
        parts = await rows(conn, "SELECT tableoid::regclass::text AS part, num FROM reading ORDER BY ts")
        left = await rows(conn, "SELECT 1 FROM reading_default")
        page = await read_raw(conn, point.handle, "number")
    assert [each["part"] for each in parts] == ["reading_1970_01", "reading_2026_02"]
    assert (left, [each.value for each in page.items]) == ([], [1.0, 2.0])
    await store(readings_db, RawReading("n", old, 1.0))  # is still known as a duplicate
    async with readings_db.connection() as conn:
        assert len(await rows(conn, "SELECT 1 FROM reading")) == 2


async def test_a_second_server_finds_the_table_made(anywhere: Database) -> None:
    first, second = History(anywhere), History(anywhere)
    await first.start()
    await second.start()
    assert first.engine == second.engine


async def test_raw_readings_come_in_pages_and_the_range_is_half_open(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    await store(anywhere, *(reading(minute, float(minute)) for minute in range(10)))
    async with anywhere.connection() as conn:
        start, end = START + timedelta(minutes=2), START + timedelta(minutes=7)
        first = await read_raw(conn, point.handle, "number", start=start, end=end, limit=3)
        second = await read_raw(conn, point.handle, "number", start=start, end=end, limit=3, cursor=first.next)
        newest = await read_raw(conn, point.handle, "number", newest_first=True, limit=2)
        older = await read_raw(conn, point.handle, "number", newest_first=True, limit=2, cursor=newest.next)
    assert [[each.value for each in page.items] for page in (first, second)] == [[2.0, 3.0, 4.0], [5.0, 6.0]]
    assert second.next is None
    assert [each.value for each in [*newest.items, *older.items]] == [9.0, 8.0, 7.0, 6.0]


async def test_values_come_back_as_they_are_meant(readings_db: Database) -> None:
    made = await make_points(
        readings_db,
        NewPoint(key="b", name="B", kind="bool"),
        NewPoint(key="e", name="E", kind="enum", labels={"3": "hand"}),
        NewPoint(key="t", name="T", kind="text"),
    )
    await store(readings_db, RawReading("b", START, True), RawReading("e", START, "hand"), RawReading("t", START, "ok"))
    async with readings_db.connection() as conn:
        pages = [await read_raw(conn, point.handle, point.kind) for point in made]
        latest = await latest_readings(conn, made[0].building_id)
    assert [page.items[0].value for page in pages] == [True, 3, "ok"]
    assert [(each.point, each.value, each.quality) for each in latest.items] == [
        ("b", True, "good"),
        ("e", 3, "good"),
        ("t", "ok", "good"),
    ]


async def test_every_aggregate_of_a_bucket(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    await store(anywhere, reading(0, 4.0), reading(1, 1.0), reading(4, 7.0), reading(10, 100.0))
    [first, second] = await buckets(anywhere, point, "5m", "mean,min,max,sum,count,first,last", (0, 15))
    assert first == {
        "ts": START, "mean": 4.0, "min": 1.0, "max": 7.0, "sum": 12.0, "count": 3, "first": 4.0, "last": 7.0,
    }  # fmt: skip
    assert second["ts"] == START + timedelta(minutes=10)


async def test_the_time_weighted_mean_holds_each_value_until_the_next_across_buckets(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    await store(anywhere, reading(-3, 10.0), reading(2, 20.0), reading(12, 40.0))
    found = await buckets(anywhere, point, "5m", "twa", (0, 15))
    assert [each["ts"] for each in found] == [START, START + timedelta(minutes=10)]
    assert found[0]["twa"] == pytest.approx((2 * 10 + 3 * 20) / 5)
    assert found[1]["twa"] == pytest.approx((2 * 20 + 3 * 40) / 5)


async def test_without_a_value_before_the_range_weighing_starts_with_the_first_reading(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    await store(anywhere, reading(2, 20.0), reading(4, 50.0))
    [found] = await buckets(anywhere, point, "5m", "twa", (0, 5))
    assert found["twa"] == pytest.approx((2 * 20 + 1 * 50) / 3)


async def test_bad_readings_do_not_count_and_uncertain_ones_do(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    await store(readings_db, reading(0, 1.0), reading(1, 3.0, quality="uncertain"), reading(2, 999.0, quality="bad"))
    [found] = await buckets(readings_db, point, "5m", "count,max,twa", (0, 5))
    assert (found["count"], found["max"]) == (2, 3.0)
    assert found["twa"] == pytest.approx((1 * 1 + 4 * 3) / 5)


async def test_a_day_is_the_sites_day(readings_db: Database) -> None:
    [point] = await make_points(readings_db, NUMBER)
    await store(readings_db, reading(-1, 1.0), reading(0, 2.0), reading(1439, 3.0), reading(1440, 4.0))
    found = await buckets(readings_db, point, "1d", "count", (-1440, 2880))
    assert [each["count"] for each in found] == [1, 2, 1]
    assert [each["ts"] for each in found][1] == START


def test_an_unknown_aggregate_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Invalid, match="median is no aggregate: use mean, min"):
        parse_aggregates("mean,median")
    assert parse_aggregates(" mean, max,mean") == ["mean", "max"]
