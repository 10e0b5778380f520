"""Plans with a real database: made once, at every element, caught up without a flood."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from maintenance import notifications
from maintenance.order_store import list_orders
from maintenance.plan_store import Plan, elements_of
from maintenance.plans import (
    PlanInput,
    PlanRunner,
    change_plan,
    create_plan,
    delete_plan,
    list_due,
    list_occurrences,
    run_plan,
)
from tests.maintenance.conftest import ENGINEER, LI, NOON, Clock, World
from twin.db import Conn, Database, row
from twin.errors import Conflict, Invalid, NotFound

DAY = timedelta(days=1)


async def a_plan(conn: Conn, world: World, target: dict[str, str] | None = None, **fields: Any) -> Plan:
    given = {"name": "Monthly check", "rrule": "FREQ=DAILY", "starts_at": NOON + DAY, **fields}
    wanted: dict[str, str | None] = dict(target or {"element": str(world.pump)})
    return await create_plan(conn, ENGINEER, world.building, wanted, PlanInput(**given), NOON)


@pytest.mark.clause("6.4.3e")
@pytest.mark.clause("7.7.3a")
async def test_a_due_plan_makes_a_located_order_and_tells_the_crew(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world, crew="crew", checklist=("Oil level", "Noise"), priority="low")
    assert plan.next_due == NOON + DAY
    assert await run_plan(conn, plan.id, NOON) is None
    assert await run_plan(conn, plan.id, NOON + DAY)
    (order,) = (await list_orders(conn, plan=plan.id)).items
    assert (order.title, order.origin, order.state, order.priority) == ("Monthly check", "plan", "assigned", "low")
    assert (order.element_id, order.asset_id, order.due_at) == (world.pump, world.asset, NOON + DAY)
    assert order.position == [3.0, 2.0, -3.5]
    assert [item["text"] for item in order.checklist] == ["Oil level", "Noise"]
    (told,) = (await notifications.list_notifications(conn, LI)).items
    assert (told.code, told.work_order_id) == ("notification.plan.due", order.id)
    assert "2026-03-03 12:00" in told.message  # the site's wall clock


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ({"element": "2element00000000000002"}, ["Pump 1"]),
        ({"type_": "P-50"}, ["Pump 1"]),
        ({"ifc_class": "IfcElement"}, ["Pump 1", "Valve 1"]),
        ({"system": "Domestic water"}, ["Pump 1", "Valve 1"]),
    ],
)
async def test_a_plan_is_about_an_element_a_type_a_class_or_a_system(
    conn: Conn, world: World, target: dict[str, str], names: list[str]
) -> None:
    plan = await a_plan(conn, world, target)
    found = await elements_of(conn, world.building, plan)
    assert sorted(str(each.name) for each in found) == names
    await run_plan(conn, plan.id, NOON + DAY)
    assert len((await list_orders(conn, plan=plan.id)).items) == len(names)


async def test_orders_are_made_ahead_of_time(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world, rrule="FREQ=WEEKLY", starts_at=NOON + 7 * DAY, lead=3 * 86_400.0)
    assert await run_plan(conn, plan.id, NOON + 4 * DAY - timedelta(seconds=1)) is None
    assert await run_plan(conn, plan.id, NOON + 4 * DAY)
    assert [order.due_at for order in (await list_orders(conn, plan=plan.id)).items] == [NOON + 7 * DAY]


async def test_after_downtime_only_the_latest_occurrence_is_made_and_the_others_are_told(
    conn: Conn, world: World
) -> None:
    plan = await a_plan(conn, world)
    now = NOON + 10 * DAY + timedelta(hours=1)
    owed = await run_plan(conn, plan.id, now)
    assert owed is not None
    assert (len(owed.make), len(owed.missed)) == (1, 9)
    assert [order.due_at for order in (await list_orders(conn, plan=plan.id)).items] == [NOON + 10 * DAY]
    told = await list_occurrences(conn, plan.id, NOON, NOON + 13 * DAY)
    assert [each.state for each in told] == ["missed"] * 9 + ["made"] + ["planned"] * 2
    assert told[9].orders == 1


async def test_a_plan_without_a_rule_makes_its_orders_once(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world, rrule=None)
    await run_plan(conn, plan.id, NOON + DAY)
    assert await run_plan(conn, plan.id, NOON + 100 * DAY) is None
    assert len((await list_orders(conn, plan=plan.id)).items) == 1


async def test_several_runners_make_every_order_once(db: Database, site: World) -> None:
    async with db.transaction() as conn:
        plan = await a_plan(conn, site, {"ifc_class": "IfcElement"})
    clock = Clock(NOON + DAY)
    runners = [PlanRunner(db, clock) for _ in range(4)]
    await asyncio.gather(*(runner.run_due() for runner in runners))
    await asyncio.gather(*(runner.run_due() for runner in runners))
    async with db.connection() as conn:
        assert len((await list_orders(conn, plan=plan.id)).items) == 2
        assert [each.state for each in await list_occurrences(conn, plan.id, NOON, NOON + DAY * 2)] == ["made"]


async def test_the_loop_makes_orders_when_the_clock_says_so(db: Database, site: World) -> None:
    async with db.transaction() as conn:
        plan = await a_plan(conn, site)
    clock = Clock(NOON)
    runner = PlanRunner(db, clock)
    task = asyncio.create_task(runner.run())
    try:
        clock.now = NOON + DAY
        async with asyncio.timeout(10), db.connection() as conn:
            while not (await list_orders(conn, plan=plan.id)).items:
                runner.poke()
                await asyncio.sleep(0)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.clause("6.4.3e")
async def test_what_is_due_where_shows_made_and_planned_work(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world, {"system": "Domestic water"})
    await run_plan(conn, plan.id, NOON + DAY)
    made, planned = await list_due(conn, world.building, NOON, NOON + DAY * 2.5)
    assert [(work.due_at, work.state) for work in (made, planned)] == [
        (NOON + DAY, "made"),
        (NOON + 2 * DAY, "planned"),
    ]
    for work in (made, planned):
        assert {each.element_id for each in work.elements} == {world.pump, world.valve}
        assert {each.storey_id for each in work.elements} == {world.storey}
    assert all(each.work_order_id and each.order_state == "open" for each in made.elements)
    assert all(each.work_order_id is None for each in planned.elements)


async def test_a_plan_that_was_off_does_not_make_up_for_it(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world)
    await change_plan(conn, ENGINEER, plan.id, {"enabled": False}, NOON)
    assert await run_plan(conn, plan.id, NOON + 5 * DAY) is None
    assert await list_due(conn, world.building, NOON, NOON + 9 * DAY) == []
    plan = await change_plan(conn, ENGINEER, plan.id, {"enabled": True}, NOON + 5.5 * DAY)
    assert plan.next_due == NOON + 6 * DAY


async def test_a_changed_rule_counts_from_now_and_never_doubles(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world, lead=86_400.0)
    await run_plan(conn, plan.id, NOON)
    plan = await change_plan(conn, ENGINEER, plan.id, {"rrule": "FREQ=DAILY;INTERVAL=2", "name": "Check"}, NOON)
    assert (plan.name, plan.next_due) == ("Check", NOON + 3 * DAY)
    found = await row(conn, "SELECT before, after FROM audit WHERE action = 'plan.update'")
    assert found is not None
    assert (found["before"]["rrule"], found["after"]["rrule"]) == ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2")


async def test_a_deleted_plan_is_gone_and_its_orders_stay(conn: Conn, world: World) -> None:
    plan = await a_plan(conn, world)
    await run_plan(conn, plan.id, NOON + DAY)
    await delete_plan(conn, ENGINEER, plan.id)
    assert await run_plan(conn, plan.id, NOON + 2 * DAY) is None
    assert len((await list_orders(conn, plan=plan.id)).items) == 1
    with pytest.raises(NotFound):
        await list_occurrences(conn, plan.id, NOON, NOON + DAY)


async def test_bad_plans_are_refused(conn: Conn, world: World) -> None:
    for target in ({}, {"element": str(world.pump), "ifc_class": "IfcPump"}, {"system": "Steam"}, {"type_": "X"}):
        with pytest.raises(Invalid):
            await create_plan(
                conn, ENGINEER, world.building, target, PlanInput(name="x", rrule=None, starts_at=NOON), NOON
            )
    for fields in (
        {"rrule": "monthly"},
        {"rrule": None, "starts_at": NOON - 30 * DAY},
        {"starts_at": NOON - 4000 * DAY},
        {"lead": -1.0},
        {"crew": "nobody"},
        {"name": ""},
        {"priority": "urgent"},
    ):
        with pytest.raises(Invalid):
            await a_plan(conn, world, **fields)
    await conn.execute(
        "INSERT INTO element_group (model_id, building_id, global_id, ifc_class, name, last_version)"
        " SELECT model_id, building_id, '2system00000000000002A', ifc_class, name, 1 FROM element_group"
    )
    with pytest.raises(Conflict, match="2 of this building"):
        await a_plan(conn, world, {"system": "Domestic water"})
