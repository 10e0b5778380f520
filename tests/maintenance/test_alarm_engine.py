"""The engine with a real database: what rises, where, once, and after a restart."""

import asyncio
from datetime import timedelta

import pytest

from maintenance import alarm_actions, alarm_store, rules
from maintenance.alarms import AlarmEngine
from tests.maintenance.conftest import ADMIN, ENGINEER, NOON, Plant, at, columns, running
from twin.settings import Settings


@pytest.mark.clause("6.4.3c")
@pytest.mark.clause("6.4.3b")
async def test_a_threshold_raises_an_alarm_that_knows_where_it_is(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 79), (1, 85))
    async with plant.db.connection() as conn:
        page = await alarm_store.list_alarms(conn, building=plant.site.building)
    (alarm,) = page.items
    assert (alarm.state, alarm.value, alarm.raised_at, alarm.severity) == ("unacked", 85, at(1), "high")
    assert (alarm.point, alarm.limit, alarm.unit) == ("b1.pump.temp", 80, "DEG_C")
    assert (alarm.element_id, alarm.element, alarm.ifc_class) == (plant.site.pump, "Pump 1", "IfcPump")
    assert (alarm.space_id, alarm.space) == (plant.site.room, "Pump room")
    assert (alarm.storey_id, alarm.storey, alarm.asset_id) == (plant.site.storey, "B1", plant.site.asset)
    assert alarm.position == [3.0, 2.0, -3.5]
    assert alarm.viewpoint is not None
    assert alarm.viewpoint["eye"][2] > -4  # never through the floor
    assert alarm.code == "alarm.high"
    assert alarm.params["place"] == "B1 / Pump room / Pump 1"
    assert alarm.message == "Bearing temperature：85 °C，高于限值 80 °C"


@pytest.mark.parametrize(
    ("kind", "value", "code", "message"), [("high", 1, "alarm.on", "Fault：开"), ("low", 0, "alarm.off", "Fault：关")]
)
async def test_a_switch_is_on_or_off_and_not_above_a_limit(
    plant: Plant, kind: str, value: int, code: str, message: str
) -> None:
    await plant.rows("UPDATE point SET name = 'Fault', kind = 'bool', unit = NULL RETURNING id")
    await plant.rule(kind=kind, limit=0.5)
    await plant.send((0, 1 - value), (1, value))
    (alarm,) = await plant.rows("SELECT code, message FROM alarm")
    assert (alarm["code"], alarm["message"]) == (code, message)


async def test_an_alarm_is_told_in_the_transaction_of_its_change(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 85))
    await plant.send((1, 20))
    events = await plant.rows("SELECT * FROM event WHERE topic = 'alarm' ORDER BY id")
    assert [each["data"]["changes"] for each in events] == [["raised"], ["returned"]]
    assert columns(events, "building_id", "storey_id") == [(plant.site.building, plant.site.storey)] * 2
    assert [each["data"]["state"] for each in events] == ["unacked", "rtn_unacked"]
    assert events[0]["data"]["global_id"] == "2element00000000000002"
    assert await plant.history() == ["raised", "returned"]


@pytest.mark.clause("8.1.8-4")
async def test_a_thousand_equal_alarms_are_one(plant: Plant) -> None:
    await plant.rule()
    for start in range(0, 1000, 100):
        await plant.send(*((second, 90.0) for second in range(start, start + 100)))
    assert columns(await plant.rows("SELECT count, closed_at FROM alarm"), "count", "closed_at") == [(1, None)]
    assert await plant.history() == ["raised"]


@pytest.mark.clause("8.1.8-4")
async def test_a_flapping_signal_is_one_open_alarm_with_a_count(plant: Plant) -> None:
    await plant.rule()
    for start in range(0, 1000, 100):
        await plant.send(*((second, 90.0 if second % 2 == 0 else 20.0) for second in range(start, start + 100)))
    (alarm,) = await plant.rows("SELECT count, state FROM alarm")
    assert (alarm["count"], alarm["state"]) == (500, "rtn_unacked")
    assert len(await plant.rows("SELECT FROM event WHERE topic = 'alarm'")) == 10  # one per batch


async def test_an_on_delay_runs_out_by_the_clock(plant: Plant) -> None:
    await plant.rule(on_delay=60)
    await plant.send((0, 85))
    (timer,) = await plant.rows("SELECT since, due_at, frozen_at FROM alarm_timer")
    assert tuple(timer.values()) == (at(0), at(60), None)
    await plant.wait_until(59)
    assert await plant.rows("SELECT FROM alarm") == []
    await plant.wait_until(61)
    assert columns(await plant.rows("SELECT raised_at FROM alarm"), "raised_at") == [(at(60),)]
    assert await plant.rows("SELECT FROM alarm_timer") == []


async def test_a_value_that_comes_back_within_the_delay_raises_nothing(plant: Plant) -> None:
    await plant.rule(on_delay=60)
    await plant.send((0, 85))
    await plant.send((30, 70))
    await plant.wait_until(120)
    assert await plant.rows("SELECT FROM alarm") == await plant.rows("SELECT FROM alarm_timer") == []


async def test_bad_quality_stops_the_clock_in_the_database_too(plant: Plant) -> None:
    await plant.rule(on_delay=60)
    await plant.send((0, 85))
    await plant.send((20, 0, 2))
    assert columns(await plant.rows("SELECT frozen_at FROM alarm_timer"), "frozen_at") == [(at(20),)]
    await plant.wait_until(100)
    await plant.send((120, 85))
    await plant.wait_until(159)
    assert await plant.rows("SELECT FROM alarm") == []
    await plant.wait_until(160)
    assert columns(await plant.rows("SELECT raised_at FROM alarm"), "raised_at") == [(at(160),)]


async def test_a_restart_in_the_middle_of_a_delay_loses_nothing(plant: Plant, settings: Settings) -> None:
    rule = await plant.rule(on_delay=60)
    await plant.send((0, 85))
    plant.clock.now = at(300)
    async with running(AlarmEngine(plant.db, settings, plant.clock)):
        pass
    (alarm,) = await plant.rows("SELECT rule_id, raised_at, value FROM alarm")
    assert tuple(alarm.values()) == (rule.id, at(60), 85)


async def test_what_was_stored_but_not_evaluated_is_made_up_at_start(plant: Plant, settings: Settings) -> None:
    await plant.rule()
    await plant.store((5, 91))  # committed, then the server was killed
    async with running(AlarmEngine(plant.db, settings, plant.clock)):
        pass
    assert columns(await plant.rows("SELECT raised_at, value FROM alarm"), "raised_at", "value") == [(at(5), 91)]


async def test_a_return_during_downtime_is_seen_at_start(plant: Plant, settings: Settings) -> None:
    await plant.rule()
    await plant.send((0, 85))
    await plant.store((60, 20))
    async with running(AlarmEngine(plant.db, settings, plant.clock)):
        pass
    assert columns(await plant.rows("SELECT state, returned_at FROM alarm"), "state", "returned_at") == [
        ("rtn_unacked", at(60))
    ]


async def test_two_engines_make_one_alarm(plant: Plant, settings: Settings) -> None:
    await plant.rule()
    async with running(AlarmEngine(plant.db, settings, plant.clock)) as second:
        batch = await plant.store((1, 85))
        await asyncio.gather(plant.engine(batch), second(batch))
        await asyncio.gather(plant.engine.settle(), second.settle())
    assert len(await plant.rows("SELECT FROM alarm")) == 1
    assert await plant.history() == ["raised"]


async def test_a_new_rule_looks_at_the_latest_reading_at_once(plant: Plant) -> None:
    await plant.send((0, 85))
    await plant.rule()
    assert columns(await plant.rows("SELECT state FROM alarm"), "state") == [("unacked",)]


async def test_the_engine_hears_of_a_changed_rule_by_itself(plant: Plant) -> None:
    rule = await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        await rules.change_rule(conn, ADMIN, rule.id, {"limit": 90.0})
    async with asyncio.timeout(10):
        while await plant.history() != ["raised", "returned"]:
            await asyncio.wait_for(plant.engine.settle(), 5)


async def test_the_alarm_of_a_deleted_rule_returns(plant: Plant) -> None:
    rule = await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        await rules.delete_rule(conn, ADMIN, rule.id)
    plant.engine.rules_changed()
    await plant.engine.settle()
    assert columns(await plant.rows("SELECT state FROM alarm"), "state") == [("rtn_unacked",)]
    await plant.send((1, 99))
    assert await plant.history() == ["raised", "returned"]


@pytest.mark.clause("8.1.3-1")
async def test_the_whole_life_of_an_alarm_is_recorded(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        page = await alarm_store.list_alarms(conn, states=["open"])
        alarm = await alarm_actions.acknowledge(conn, ENGINEER, page.items[0].id, now=at(5), comment="on my way")
    assert (alarm.state, alarm.acked_by, alarm.acked_at) == ("acked", "account:zhao", at(5))
    await plant.send((10, 20))
    async with plant.db.connection() as conn:
        history = await alarm_store.alarm_history(conn, alarm.id)
        alarm = await alarm_store.get_alarm(conn, alarm.id)
    assert [(each.kind, each.actor, each.at, each.comment) for each in history] == [
        ("raised", "system", at(0), None),
        ("acknowledged", "account:zhao", at(5), "on my way"),
        ("returned", "system", at(10), None),
        ("closed", "system", at(10), None),
    ]
    assert (alarm.state, alarm.acked_by, alarm.closed_at) == ("closed", "account:zhao", at(10))
    await plant.send((11, 85))
    assert columns(await plant.rows("SELECT count, state FROM alarm ORDER BY raised_at"), "count", "state") == [
        (1, "closed"),
        (1, "unacked"),
    ]


async def test_a_shelving_ends_by_itself(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        (alarm,) = (await alarm_store.list_alarms(conn)).items
        shelved = await alarm_actions.shelve(conn, ENGINEER, alarm.id, until=at(600), now=at(1))
    assert shelved.state == "shelved"
    await plant.wait_until(599)
    assert await plant.history() == ["raised", "shelved"]
    await plant.wait_until(600)
    assert await plant.history() == ["raised", "shelved", "unshelved"]
    assert columns(await plant.rows("SELECT state FROM alarm"), "state") == [("unacked",)]


@pytest.mark.clause("7.7.1a-1")
@pytest.mark.clause("7.7.1a-2")
async def test_a_rule_makes_a_work_order_at_once_and_the_crew_is_told(plant: Plant) -> None:
    await plant.rule(work_order=True, crew="crew")
    await plant.send((0, 85), (1, 20), (2, 85))
    (order,) = await plant.rows("SELECT * FROM work_order")
    (alarm,) = await plant.rows("SELECT * FROM alarm")
    assert (order["alarm_id"], order["origin"], order["state"], order["crew"]) == (
        alarm["id"],
        "alarm",
        "assigned",
        "crew",
    )
    for field in ("element_id", "space_id", "storey_id", "asset_id", "position", "viewpoint"):
        assert order[field] == alarm[field] is not None
    assert order["due_at"] == NOON + timedelta(seconds=2, hours=8)  # high
    (told,) = await plant.rows("SELECT role, work_order_id, alarm_id FROM notification")
    assert tuple(told.values()) == ("crew", order["id"], alarm["id"])
    assert await plant.history() == ["raised", "returned", "again", "work_order"]
    topics = [each["topic"] for each in await plant.rows("SELECT topic FROM event ORDER BY id")]
    assert {"alarm", "work_order", "notification"} <= set(topics)
    await plant.send((3, 20), (4, 85))
    assert len(await plant.rows("SELECT FROM work_order")) == 1


async def test_the_engine_survives_a_database_that_drops_its_connections(plant: Plant) -> None:
    await plant.rule()
    batch = await plant.store((0, 85))
    async with plant.db.connection() as conn:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await plant.engine(batch)
    async with asyncio.timeout(20):
        await plant.engine.settle()
        while not await plant.rows("SELECT FROM alarm"):
            await plant.engine.settle()
    assert await plant.history() == ["raised"]
