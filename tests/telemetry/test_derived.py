"""Derived points: worked out from real readings in a real database, again when these come late, never in a circle."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest

from identity.actor import CLI
from telemetry.corrections import correct
from telemetry.decode import RawReading
from telemetry.derived import Rule, create_derived, delete_derived, update_derived
from telemetry.derived_lists import get_derived
from telemetry.derived_members import Over
from telemetry.derived_preview import preview
from telemetry.derived_store import Change
from telemetry.derived_work import Derivations
from telemetry.ingest import Ingest
from telemetry.point_facts import NewPoint
from telemetry.points import update_point
from telemetry.rollups import Rollups
from tests.telemetry.conftest import Sink, make_points, source_of
from twin.db import Conn, Database, row, rows
from twin.errors import Conflict, Invalid, NotFound
from twin.settings import Settings

NOW = datetime.now(UTC).replace(minute=47, second=3, microsecond=0)
HOUR = NOW.replace(minute=0, second=0) - timedelta(hours=6)  # everything happens in the hours from here on


class World:
    """A building with points, an ingest, a worker; `at` are minutes after `HOUR`."""

    def __init__(self, db: Database, ingest: Ingest, building: UUID) -> None:
        self.db, self.ingest, self.building = db, ingest, building
        self.worker = Derivations(db, ingest)

    async def send(self, key: str, *readings: tuple[float, Any] | tuple[float, Any, str]) -> None:
        raw = [
            RawReading(key, HOUR + timedelta(minutes=each[0]), each[1], quality=each[2] if len(each) > 2 else "good")  # type: ignore[arg-type]
            for each in readings
        ]
        receipt = await self.ingest.submit(await source_of(self.ingest), raw)
        assert not receipt.rejected

    async def work(self, now: datetime = NOW) -> Change:
        await Rollups(self.db).catch_up(now=now)
        return await self.worker.catch_up(now=now)

    async def define(self, key: str, rule: Rule, inputs: Mapping[str, str], **facts: Any) -> UUID:
        async with self.db.transaction() as conn:
            new = NewPoint(**{"key": key, "name": key, "kind": "number", **facts})
            return await create_derived(conn, CLI, self.building, rule, new, inputs, now=NOW)

    async def stored(self, key: str) -> dict[float, Any]:
        """Minute after `HOUR` → (value, quality)."""
        async with self.db.connection() as conn:
            found = await rows(
                conn,
                "SELECT ts, num, q FROM reading r JOIN point p ON p.handle = r.point_id WHERE p.key = %s ORDER BY ts",
                (key,),
            )
        return {(each["ts"] - HOUR).total_seconds() / 60: (each["num"], each["q"]) for each in found}


@pytest.fixture
async def world(storage: Database) -> Any:
    points = [
        NewPoint(key=key, name=key, kind="number", unit="KiloW", expected_interval=60, stale_after=600)
        for key in ("a", "b")
    ]
    points.append(
        NewPoint(key="warm", name="warm", kind="number", unit="DEG_C", sampling="interpolate", stale_after=3600)
    )
    points.append(NewPoint(key="on", name="on", kind="bool", stale_after=7200))
    building = (await make_points(storage, *points))[0].building_id
    async with Ingest(storage, Settings()) as ingest:
        yield World(storage, ingest, building)


SUM = Rule(kind="expression", every="5m", expression="a + 2 * b")


async def test_readings_of_a_derived_point_are_the_servers_alone(world: World) -> None:
    await world.send("a", *((m, float(m)) for m in range(30)))
    await world.define("twice", Rule(kind="expression", every="5m", expression="2 * a"), {"a": "a"}, unit="KiloW")
    source = await source_of(world.ingest)
    at = HOUR + timedelta(minutes=3)
    refused = await world.ingest.submit(
        source, [RawReading("twice", at, 1.0), RawReading("a", at + timedelta(seconds=1), 3.0)], lang="zh"
    )
    assert (refused.accepted, [each.code for each in refused.rejected]) == (1, ["reading.derived_point"])
    assert "由服务器根据其他测点计算得出" in refused.rejected[0].message
    await world.work()
    stored = await world.stored("twice")
    assert stored and 3.0 not in stored
    async with world.db.transaction() as conn:
        with pytest.raises(Conflict, match="worked out by the server"):
            await correct(conn, CLI, "twice", HOUR, 5.0, reason="by hand")


async def test_an_expression_is_worked_out_for_the_past_and_follows_what_comes_late(world: World) -> None:
    await world.send("a", *((m, float(m)) for m in range(30)))
    await world.send("b", *((m, 1.0) for m in range(30)))
    id = await world.define("sum", SUM, {"a": "a", "b": "b"}, unit="KiloW")
    assert (await world.work()).new > 0
    stored = await world.stored("sum")
    # Each minute's value holds for that minute: the mean of 0 … 4 is 2.
    assert {m: stored[m] for m in (0, 5, 25)} == {0: (4.0, 0), 5: (9.0, 0), 25: (29.0, 0)}
    # The last readings hold for ten minutes (stale_after): up to 39, so that the last bucket is covered in part.
    assert stored[30] == (31.0, 0) and stored[35] == (31.0, 1) and 40 not in stored
    async with world.db.connection() as conn:
        shown = await get_derived(conn, id)
        source = await row(
            conn,
            """SELECT s.kind, s.accepted FROM source s JOIN reading r ON r.source_id = s.id
               JOIN point p ON p.handle = r.point_id WHERE p.key = 'sum' LIMIT 1""",
        )
    assert shown.state == "live" and shown.progress == 1 and shown.inputs == {"a": "a", "b": "b"}
    assert source and source["kind"] == "derived" and source["accepted"] == len(stored)

    assert await world.work() == Change()  # nothing came: nothing is written
    await world.send("b", (12.5, 101.0))  # holds for half a minute of the bucket from 10 to 15: b's mean is 11 there
    assert await world.work() == Change(changed=1)
    again = await world.stored("sum")
    assert again[10] == (12.0 + 2 * 11.0, 0)
    assert {m: v for m, v in again.items() if m != 10} == {m: v for m, v in stored.items() if m != 10}
    async with world.db.connection() as conn:
        left = await row(conn, "SELECT count(*) AS n FROM quarantine")
    assert left == {"n": 0}  # worked out again is no conflict


async def test_quality_is_that_of_the_worst_input_and_what_is_unknown_is_left_out(world: World) -> None:
    await world.send("a", *((m, 1.0) for m in range(20)))
    await world.send("b", *((m, 1.0) for m in range(5)), *((m, 1.0, "uncertain") for m in range(5, 10)))
    await world.send("b", (10, 1.0, "bad"))
    await world.define("sum", SUM, {"a": "a", "b": "b"}, unit="KiloW")
    await world.work()
    assert await world.stored("sum") == {0: (3.0, 0), 5: (3.0, 1)}
    await world.send("b", (16, 1.0))  # known again for four of five minutes
    await world.work()
    assert (await world.stored("sum"))[15] == (3.0, 1) and 10 not in await world.stored("sum")


async def test_energy_degree_hours_run_hours_and_starts(world: World) -> None:
    await world.send("a", *((m, 6.0) for m in range(60)))
    await world.send("warm", (0, 20.0), (60, 16.0), (120, 16.0))
    await world.send("on", (0, False), (10, True), (40, False), (50, True), (130, False))
    rules = {
        "energy": (Rule(kind="energy", every="15m"), {"power": "a"}, {"unit": "KiloW-HR"}),
        "joule": (Rule(kind="energy", every="15m"), {"power": "a"}, {"unit": "MegaJ"}),
        "cold": (Rule(kind="degree_hours", every="1h", base=18.0), {"t": "warm"}, {}),
        "hours": (Rule(kind="run_hours", every="1h"), {"x": "on"}, {}),
        "starts": (Rule(kind="starts", every="1h"), {"x": "on"}, {}),
        "peak": (Rule(kind="run_hours", every="1h", above=17.0), {"x": "warm"}, {"unit": "MIN"}),
    }
    for key, (rule, inputs, facts) in rules.items():
        await world.define(key, rule, inputs, **facts)
    await world.work()
    found = {key: await world.stored(key) for key in rules}
    assert [found["energy"][m] for m in (0, 15, 30, 45)] == [(1.5, 0)] * 4
    assert found["joule"][0] == (pytest.approx(5.4), 0)
    # From 20 °C to 16 °C in an hour: the second half lies below 18 °C, one degree on the average.
    assert found["cold"][0] == (pytest.approx(0.5), 0) and found["cold"][60] == (pytest.approx(2.0), 0)
    assert found["hours"] == {
        0: (pytest.approx(40 / 60), 0),
        60: (1.0, 0),
        120: (pytest.approx(1 / 6), 0),
        180: (0.0, 0),
        240: (0.0, 1),
    }
    assert found["starts"][0] == (2.0, 0) and found["starts"][60] == (0.0, 0)
    async with world.db.connection() as conn:
        units = await rows(conn, "SELECT key, unit FROM point WHERE key IN ('cold', 'hours', 'starts') ORDER BY key")
    assert [each["unit"] for each in units] == ["DEG_C-HR", "HR", "NUM"]


async def test_derived_from_derived_follows_in_order_and_a_circle_is_refused(world: World) -> None:
    await world.send("a", *((m, 6.0) for m in range(60)))
    twice = await world.define("twice", Rule(kind="expression", expression="a * 2"), {"a": "a"}, unit="KiloW")
    await world.define("four", Rule(kind="expression", expression="x + x"), {"x": "twice"}, unit="KiloW")
    await world.define("kwh", Rule(kind="energy", every="1h"), {"p": "four"})
    await world.work()
    assert (await world.stored("kwh"))[0] == (24.0, 0)
    await world.send("a", (2.5, 600.0))  # half a minute of 600 kW instead of 6
    await world.work()
    assert (await world.stored("kwh"))[0][0] == pytest.approx(24 + 4 * 594 / 120)
    with pytest.raises(Conflict) as refused:
        async with world.db.transaction() as conn:
            await update_derived(conn, CLI, twice, changes={}, inputs={"a": "four"})
    assert refused.value.code == "derived.cycle" and refused.value.params["path"] == "twice → four → twice"
    with pytest.raises(Conflict) as refused:
        async with world.db.transaction() as conn:
            await delete_derived(conn, CLI, twice, readings=False, now=NOW)
    assert refused.value.code == "derived.used"


async def test_years_without_readings_are_passed_over(world: World) -> None:
    await world.send("a", (0, 6.0), (1, 6.0))
    years = -60 * 24 * 365 * 8.0
    await world.send("a", (years, 1.0), (years + 5, 2.0))
    await world.define("d", Rule(kind="expression", expression="a"), {"a": "a"}, unit="KiloW")
    rounds = 0
    await Rollups(world.db).catch_up(now=NOW)
    while await world.worker._round(NOW):
        rounds += 1
    assert rounds == 0  # 400 weeks would take 20 rounds
    stored = await world.stored("d")
    wanted: dict[float, float] = {years + 5 * i: value for i, value in enumerate((1.0, 2.0, 2.0))}
    wanted |= {5.0 * i: 6.0 for i in range(3)}
    assert {minute: value for minute, (value, _) in stored.items()} == wanted


async def made(conn: Conn, sql: LiteralString, *values: Any) -> UUID:
    """The id that an INSERT returns."""
    found = await row(conn, sql, values)
    assert found is not None
    return UUID(str(found["id"]))


async def test_a_sum_follows_bindings_and_says_when_a_member_is_silent(world: World) -> None:
    async with world.db.transaction() as conn:
        model = await made(conn, "INSERT INTO model (building_id, name) VALUES (%s, 'm') RETURNING id", world.building)
        storeys: list[UUID] = []
        pumps: list[UUID] = []
        for name in ("low", "high"):
            storey = await made(
                conn, "INSERT INTO storey (building_id, name) VALUES (%s, %s) RETURNING id", world.building, name
            )
            pump = await made(
                conn,
                """INSERT INTO element (model_id, building_id, global_id, ifc_class, storey_id, content_hash,
                     first_version, last_version) VALUES (%s, %s, %s, 'IfcPump', %s, '', 1, 1) RETURNING id""",
                *(model, world.building, name, storey),
            )
            storeys.append(storey)
            pumps.append(pump)
        await update_point(conn, CLI, "a", {"element_id": pumps[0]}, now=NOW)
        await update_point(conn, CLI, "b", {"element_id": pumps[1]}, now=NOW)
        await conn.execute(
            "INSERT INTO element_relation (model_id, kind, from_id, to_id) VALUES (%s, 'feeds', %s, %s)",
            (model, *pumps),
        )
    await world.send("a", *((m, 1.0) for m in range(30)))
    await world.send("b", *((m, 2000.0 / 1000) for m in range(15)))
    over = {
        "low": Over("storey", storeys[0]),
        "all": Over("building", world.building, quantity="Power"),
        "behind": Over("meter_tree", pumps[0], quantity="Power"),
        "room": Over("space", pumps[1], quantity="Power"),
    }
    for key, each in over.items():
        if key == "room":
            with pytest.raises(NotFound) as refused:
                await world.define(key, Rule(kind="sum", over=each), {}, unit="W")
            assert refused.value.code == "derived.place"
            continue
        await world.define(key, Rule(kind="sum", over=each), {}, unit="W")
    await world.work()
    assert (await world.stored("low"))[0] == (1000.0, 0)
    assert (await world.stored("behind"))[0] == (2000.0, 0)
    both = await world.stored("all")
    assert both[0] == (3000.0, 0) and both[25] == (1000.0, 1)  # b has been silent for ten minutes
    async with world.db.transaction() as conn:
        await update_point(conn, CLI, "b", {"element_id": pumps[0]}, now=NOW)
    await world.work()
    assert (await world.stored("low"))[0] == (3000.0, 0)
    async with world.db.connection() as conn:
        assert (await get_derived(conn, "behind")).members == 0  # the meter itself is not behind itself


async def test_a_change_works_the_past_out_anew_and_the_end_keeps_it(world: World) -> None:
    await world.send("a", *((m, 6.0) for m in range(60)))
    id = await world.define("d", Rule(kind="expression", expression="a > 7 ? a : ln(5 - a)"), {"a": "a"})
    await world.work()
    assert await world.stored("d") == {}  # there is no logarithm of a negative number
    async with world.db.transaction() as conn:
        await update_derived(conn, CLI, id, changes={"expression": "a", "every": "15m"})
    await world.work()
    assert set(await world.stored("d")) == {0, 15, 30, 45, 60}
    async with world.db.transaction() as conn:
        await update_derived(conn, CLI, id, changes={"every": "30m"})
    await world.work()
    assert set(await world.stored("d")) == {0, 30, 60}  # what no longer is a bucket is taken back
    async with world.db.transaction() as conn:
        await delete_derived(conn, CLI, id, readings=False, now=NOW)
    assert set(await world.stored("d")) == {0, 30, 60}
    id = await world.define("d", Rule(kind="expression", expression="a + 1", every="30m"), {"a": "a"})
    await world.work()
    assert (await world.stored("d"))[30] == (7.0, 0)  # the point was taken up again
    async with world.db.transaction() as conn:
        await delete_derived(conn, CLI, id, readings=True, now=NOW)
        left = await row(conn, "SELECT latest.ts FROM latest JOIN point ON handle = point_id WHERE key = 'd'")
    assert await world.stored("d") == {} and left is None


async def test_what_has_ended_shows_at_once_and_is_put_right_until_it_is_settled(world: World) -> None:
    now = HOUR + timedelta(minutes=20, seconds=10)
    async with world.db.transaction() as conn:
        await conn.execute("UPDATE rollup_state SET rolled = %(at)s, settled = %(at)s", {"at": HOUR})
    await world.send("a", *((m, 6.0) for m in range(19)))
    await world.define("d", Rule(kind="expression", expression="a"), {"a": "a"}, unit="KiloW")
    await world.work(now)
    assert (await world.stored("d"))[15] == (6.0, 0)  # settled is 15: the bucket is not
    await world.send("a", (19, 66.0))
    sink = Sink()
    world.ingest.sinks.append(sink)
    assert await world.work(now) == Change(changed=1)
    assert sink.batches[-1].num.tolist() == [18.0]  # whoever shows values hears of it
    assert (await world.stored("d"))[15] == (18.0, 0)
    async with world.db.connection() as conn:
        newest = await row(conn, "SELECT l.num FROM latest l JOIN point p ON p.handle = l.point_id WHERE p.key = 'd'")
    assert newest == {"num": 18.0}


async def test_a_preview_stores_nothing_and_wrong_definitions_say_what_is_wrong(world: World) -> None:
    await world.send("a", *((m, 6.0) for m in range(60)))
    new = NewPoint(key="p", name="p", kind="bool")
    rule = Rule(kind="expression", expression="a > 5.5 && on", every="15m")
    await world.send("on", (0, True))
    async with world.db.transaction() as conn:
        shown = await preview(
            conn, CLI, world.building, rule, new, {"a": "a", "on": "on"}, start=HOUR, end=HOUR + timedelta(hours=1)
        )
        assert [each.value for each in shown.items] == [True] * 4 and shown.buckets == 4
        assert await row(conn, "SELECT 1 FROM point WHERE key = 'p'") is None
    warm = Over("building", world.building, quantity="Temperature")
    wrong: Sequence[tuple[Rule, Mapping[str, str], Mapping[str, Any], str]] = [
        (Rule(kind="expression", expression="a + t"), {"a": "a", "t": "warm"}, {}, "derived.expression_units"),
        (Rule(kind="expression", expression="a + a"), {"a": "a"}, {"unit": "DEG_C"}, "derived.units"),
        (Rule(kind="expression", expression="[a].map(x, x)"), {"a": "a"}, {}, "derived.expression_character"),
        (Rule(kind="expression", expression="a + c"), {"a": "a"}, {}, "derived.expression_name"),
        (Rule(kind="energy"), {"t": "warm"}, {"unit": "KiloW-HR"}, "derived.units"),
        (Rule(kind="degree_hours", base=18), {"t": "a"}, {}, "derived.input_unit"),
        (Rule(kind="sum", over=warm), {}, {"unit": "W"}, "derived.member_unit"),
        (Rule(kind="energy", every="7m"), {"p": "a"}, {}, "derived.invalid"),
    ]  # fmt: skip
    for each, inputs, facts, code in wrong:
        with pytest.raises(Invalid) as refused:
            await world.define("x", each, inputs, **facts)
        assert refused.value.code == code
