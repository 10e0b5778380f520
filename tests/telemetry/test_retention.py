"""Retention and compression: what a policy no longer keeps goes, what stands in rollups stays, and it is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from identity.actor import CLI
from telemetry import policies, retention, upkeep
from telemetry.aggregate import Span, read_buckets
from telemetry.buckets import parse_bucket
from telemetry.decode import RawReading
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, Point
from telemetry.policies import NewPolicy
from telemetry.rollups import Rollups
from telemetry.states import read_as_of
from tests.telemetry.conftest import make_months, make_points, source_of
from twin.db import Database, row, rows
from twin.errors import Invalid
from twin.settings import Settings

NOW = datetime.now(UTC).replace(minute=17, second=0, microsecond=0)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
NUMBER = NewPoint(key="n", name="N", kind="number", unit="DEG_C", brick_class="Zone_Air_Temperature_Sensor")
OTHER = NewPoint(key="o", name="O", kind="number", unit="KiloW", brick_class="Electric_Power_Sensor")


async def send(db: Database, *readings: RawReading) -> None:
    async with Ingest(db, Settings(), clock=lambda: NOW.timestamp() + 86_400) as ingest:
        receipt = await ingest.submit(await source_of(ingest), readings)
    assert not receipt.rejected


def hourly(key: str, days: float, *, minutes: int = 20) -> list[RawReading]:
    """A reading every `minutes` of the last `days`, none of them equal."""
    n = int(days * 1440 / minutes)
    return [RawReading(key, NOW - timedelta(minutes=minutes * i), float(i)) for i in range(n, 0, -1)]


async def two_points(db: Database, days: float = 100) -> tuple[Point, Point]:
    """`n` and `o` with so many days of readings, rolled up."""
    one, two = await make_points(db, NUMBER, OTHER)
    await make_months(db, NOW - days * DAY, NOW)
    await send(db, *hourly("n", days), *hourly("o", days))
    await Rollups(db).catch_up(now=NOW)
    return one, two


async def policy(db: Database, name: str, **facts: Any) -> policies.Policy:
    async with db.transaction() as conn:
        return await policies.create_policy(conn, CLI, NewPolicy(name=name, **facts))


async def answers(db: Database, point: Point, days: tuple[float, float]) -> list[list[dict[str, Any]]]:
    found = []
    async with db.connection() as conn:
        for width in ("15m", "1h", "1d", "1w"):
            span = Span(NOW - days[0] * DAY, NOW - days[1] * DAY, parse_bucket(width), BERLIN, NOW)
            found.append(await read_buckets(conn, point.handle, span, ("mean", "min", "max", "count", "last", "twa")))
    return found


async def raw(db: Database, point: Point) -> list[datetime]:
    async with db.connection() as conn:
        found = await rows(conn, "SELECT ts FROM reading WHERE point_id = %s ORDER BY ts", (point.handle,))
    return [each["ts"] for each in found]


async def one(db: Database, query: str, *parameters: Any) -> Any:
    async with db.connection() as conn:
        found = await row(conn, query, parameters)
    return None if found is None else next(iter(found.values()))


def full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@pytest.mark.clause("6.1.3f")
async def test_old_readings_go_row_by_row_and_every_answer_from_rollups_stays(anywhere: Database) -> None:
    point, other = await two_points(anywhere)
    kept = await policy(anywhere, "Temperatures", brick_class="Temperature_Sensor", raw_for=30 * DAY)
    assert kept.points == 1
    whole = (NOW - 99 * DAY).replace(minute=0)  # on an edge of all widths but days: those are cut off alike
    days = ((NOW - whole) / DAY, 0.5)
    before = await answers(anywhere, point, days)
    async with anywhere.connection() as conn:
        seen = await retention.preview(conn, kept.id, now=NOW)
        past = await read_as_of(conn, point.building_id, NOW - 60 * DAY)
    cut = full_hour(NOW - 30 * DAY)
    due = [ts for ts in await raw(anywhere, point) if ts < cut]
    assert (seen.points, seen.readings, seen.raw_before, seen.exact) == (1, len(due), cut, True)
    assert len(due) > 4_900
    [told] = await upkeep.remove(anywhere, now=NOW)
    assert (told.policy, told.readings, told.points, told.held_back) == ("Temperatures", len(due), {point.handle}, 0)
    assert (await raw(anywhere, point))[0] >= cut
    assert len(await raw(anywhere, other)) == 7_200
    assert await answers(anywhere, point, days) == before
    async with anywhere.connection() as conn:
        assert await read_as_of(conn, point.building_id, NOW - 60 * DAY) == past
    assert await upkeep.remove(anywhere, now=NOW) == []
    await _it_is_told(anywhere, len(due))
    await _late_and_repeated_readings_do_not_undo_it(anywhere, point, before, days, cut)


async def _it_is_told(db: Database, readings: int) -> None:
    async with db.connection() as conn:
        page = await upkeep.list_runs(conn)
        entry = await row(conn, "SELECT actor, after FROM audit WHERE action = 'history.retention'")
        event = await row(conn, "SELECT data FROM event WHERE topic = 'history' AND data->>'change' = 'retention'")
    [run] = page.items
    assert (run.kind, run.policy, run.readings, run.error) == ("retention", "Temperatures", readings, None)
    assert run.oldest and run.newest and run.oldest < run.newest < NOW - 30 * DAY
    assert entry and entry["actor"] == "system"
    assert event and event["data"]["readings"] == readings


async def _late_and_repeated_readings_do_not_undo_it(
    db: Database, point: Point, before: Sequence[Any], days: tuple[float, float], cut: datetime
) -> None:
    """Sent again or late, for a time whose readings are gone: the rollup of what was there stands; they go again."""
    again = [each for each in hourly("n", 100) if each.ts < cut][1000:1400]
    late = RawReading("n", again[7].ts + timedelta(seconds=1), 1e6)
    await send(db, *again, late)
    assert await answers(db, point, days) == before  # the marks of those hours do not count
    [told] = await upkeep.remove(db, now=NOW)
    assert told.readings == 401
    now = await answers(db, point, days)
    changed = [(a, b) for a, b in zip(before[0], now[0], strict=True) if a["count"] != b["count"]]
    assert len(changed) == 1 and changed[0][1]["max"] == 1e6  # all that was there had come again, and one more


@pytest.mark.clause("6.1.3f")
async def test_a_part_in_which_all_is_due_is_dropped_and_rollups_go_when_their_time_comes(anywhere: Database) -> None:
    point, other = await two_points(anywhere, days=130)
    await policy(anywhere, "All", raw_for=40 * DAY, rollup_for=90 * DAY)
    # On plain PostgreSQL months are dropped, on TimescaleDB weeks.
    told = await upkeep.remove(anywhere, now=NOW)
    dropped = [each for each in told if each.part]
    assert dropped and all(each.readings > 0 and each.points == {point.handle, other.handle} for each in dropped)
    assert sum(each.readings for each in told) == 2 * (130 - 40) * 72
    for each in (point, other):
        assert (await raw(anywhere, each))[0] >= full_hour(NOW - 40 * DAY)
        oldest = await one(anywhere, "SELECT min(ts) FROM rollup_1h WHERE point_id = %s", each.handle)
        assert oldest == full_hour(NOW - 90 * DAY)
        assert await one(anywhere, "SELECT min(ts) FROM rollup_5m WHERE point_id = %s", each.handle) >= oldest
    assert sum(each.rollups for each in told) > 2 * 39 * 24 * 4
    async with anywhere.connection() as conn:
        await upkeep.count_parts(conn)
        use = await upkeep.storage_use(conn, point.building_id)
    assert use.readings == 2 * len(await raw(anywhere, point)) == sum(each.readings for each in use.items)
    assert {each.raw_from for each in use.items} == {full_hour(NOW - 40 * DAY)}
    assert use.bytes_per_reading and use.bytes >= sum(each.bytes for each in use.items) > 0


async def test_what_is_not_rolled_up_yet_is_held_back(anywhere: Database) -> None:
    [point] = await make_points(anywhere, NUMBER)
    history = await make_months(anywhere, NOW - 20 * DAY, NOW)
    await send(anywhere, *hourly("n", 20))
    await policy(anywhere, "Short", raw_for=2 * DAY)
    waiting = full_hour(NOW - 9 * DAY)
    await Rollups(anywhere).catch_up(now=NOW)
    async with anywhere.transaction() as conn:
        await conn.execute("INSERT INTO rollup_dirty VALUES (%s, %s)", (point.handle, waiting))
    told = await retention.remove_due(anywhere, history.engine, now=NOW)  # whole weeks before it may go at once
    assert told[-1].held_back == 7 * 72
    assert (await raw(anywhere, point))[0] >= waiting
    await upkeep.remove(anywhere, now=NOW)  # rolls up first
    assert (await raw(anywhere, point))[0] >= full_hour(NOW - 2 * DAY)


@pytest.mark.clause("6.1.3f")
async def test_old_parts_are_compressed_and_answer_as_before(anywhere: Database) -> None:
    point, _ = await two_points(anywhere)
    await policy(anywhere, "All", compress_after=20 * DAY)
    days = (99.0, 0.5)
    before = await answers(anywhere, point, days)
    readings = await raw(anywhere, point)
    done = await upkeep.compress(anywhere, now=NOW)
    assert done
    assert await answers(anywhere, point, days) == before
    assert await raw(anywhere, point) == readings
    assert await upkeep.compress(anywhere, now=NOW) == []
    async with anywhere.connection() as conn:
        runs = (await upkeep.list_runs(conn, kind="compression")).items
        use = await upkeep.storage_use(conn, None)
    assert {each.part for each in runs} == set(done)
    assert all(each.error is None and each.bytes_after is not None and each.readings > 0 for each in runs)
    assert use.compression_ratio is not None
    # A week of two points is a few pages; of real data much more is saved (docs/benchmarks.md).
    assert use.compression_ratio > (2 if use.compression == "columnstore" else 0.9)
    # A late reading finds its way into what is compressed, once; retention takes it and the others out again.
    late = RawReading("n", NOW - 60 * DAY + timedelta(seconds=1), 5.0)
    await send(anywhere, late)
    await send(anywhere, late)
    assert len(await raw(anywhere, point)) == len(readings) + 1
    async with anywhere.transaction() as conn:
        await policies.update_policy(conn, CLI, await _policy_id(conn), {"raw_for": 50 * DAY})
    await upkeep.remove(anywhere, now=NOW)
    assert (await raw(anywhere, point))[0] >= full_hour(NOW - 50 * DAY)


async def _policy_id(conn: Any) -> Any:
    found = await row(conn, "SELECT id FROM history_policy")
    assert found
    return found["id"]


async def test_the_policy_that_says_most_counts_and_a_points_own_before_all(readings_db: Database) -> None:
    point, other = await make_points(readings_db, NUMBER, OTHER)
    whole = await policy(readings_db, "All", raw_for=10 * DAY)
    await policy(readings_db, "Classes", brick_class="Temperature_Sensor", raw_for=20 * DAY)
    most = await policy(
        readings_db, "Here", brick_class="Temperature_Sensor", building_id=point.building_id, raw_for=30 * DAY
    )
    own = await policy(readings_db, "Own", quantity="NothingHasThis", raw_for=40 * DAY)

    async def names() -> dict[int, str]:
        async with readings_db.connection() as conn:
            return {each.handle: each.policy for each in await retention.list_due(conn, NOW)}

    assert await names() == {point.handle: "Here", other.handle: "All"}
    async with readings_db.transaction() as conn:
        await conn.execute("UPDATE point SET policy_id = %s WHERE handle = %s", (own.id, other.handle))
        await policies.delete_policy(conn, CLI, most.id)
    assert await names() == {point.handle: "Classes", other.handle: "Own"}
    async with readings_db.transaction() as conn:
        await policies.delete_policy(conn, CLI, own.id)
        assert (await policies.get_policy(conn, whole.id)).points == 1
    assert await names() == {point.handle: "Classes", other.handle: "All"}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": " "}, "name"),
        ({"raw_for": timedelta(minutes=5)}, "raw_for"),
        ({"rollup_for": 90 * DAY}, "rollup_for"),
        ({"raw_for": 90 * DAY, "rollup_for": 30 * DAY}, "rollup_for"),
        ({"compress_after": -DAY}, "compress_after"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        policies.check_policy(NewPolicy(**{"name": "P", **facts}))
    assert [each.field for each in refused.value.fields] == [field]


async def test_the_daily_run_is_asked_for_once(readings_db: Database) -> None:
    first = [await upkeep.ask_when_due(readings_db, now=datetime.now(UTC) + timedelta(seconds=1)) for _ in range(3)]
    assert [each is not None for each in first] == [True, False, False]
    assert await upkeep.ask_when_due(readings_db, now=datetime.now(UTC) + timedelta(days=1, seconds=2)) is not None
