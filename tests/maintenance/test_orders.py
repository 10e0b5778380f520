"""Work orders with a real database: made, moved, traced, located, told of."""

from datetime import timedelta

import pytest

from maintenance import alarm_actions, alarm_store, notifications, orders
from maintenance.order_state import Act
from maintenance.order_store import WorkOrder, get_order, list_orders, order_trace
from maintenance.orders import ActInput, OrderInput, act_on_order, create_order
from tests.maintenance.conftest import ADMIN, ENGINEER, LI, NOON, WANG, Plant, World, at, columns
from twin.db import Conn, rows
from twin.errors import Conflict, Denied, Invalid, NotFound


async def an_order(conn: Conn, world: World, **fields: object) -> WorkOrder:
    wish = OrderInput(**{"title": "Grease the bearing", "element_id": world.pump, **fields})  # type: ignore[arg-type]
    return await create_order(conn, ENGINEER, world.building, wish, NOON)


async def test_an_order_is_located_like_an_alarm_and_tied_to_the_asset(conn: Conn, world: World) -> None:
    order = await an_order(conn, world)
    assert (order.state, order.origin, order.created_by) == ("open", "manual", "account:zhao")
    assert (order.element_id, order.element, order.space, order.storey) == (world.pump, "Pump 1", "Pump room", "B1")
    assert (order.asset_id, order.asset) == (world.asset, "P-001")
    assert order.position == [3.0, 2.0, -3.5]
    assert order.viewpoint is not None


async def test_an_order_for_an_asset_stands_where_the_asset_is(conn: Conn, world: World) -> None:
    order = await an_order(conn, world, element_id=None, asset_id=world.asset)
    assert (order.element_id, order.asset_id) == (world.pump, world.asset)


@pytest.mark.parametrize(("priority", "hours"), [("critical", 2), ("high", 8), ("medium", 72), ("low", 14 * 24)])
async def test_its_priority_says_until_when(conn: Conn, world: World, priority: str, hours: int) -> None:
    order = await an_order(conn, world, priority=priority)
    assert order.due_at == NOON + timedelta(hours=hours)


@pytest.mark.clause("7.7.1b")
@pytest.mark.clause("6.4.3f")
async def test_the_whole_repair_is_traceable(conn: Conn, world: World) -> None:
    order = await an_order(conn, world, checklist=("Power off", "Grease"))
    steps = [
        (ENGINEER, Act.ASSIGN, ActInput(assignee="li")),
        (LI, Act.START, ActInput()),
        (LI, Act.CHECK, ActInput(item=0)),
        (LI, Act.CHECK, ActInput(item=1)),
        (LI, Act.COMMENT, ActInput(comment="noisy")),
        (LI, Act.DONE, ActInput(result="greased")),
        (ENGINEER, Act.REOPEN, ActInput(comment="still noisy")),
        (LI, Act.DONE, ActInput(result="bearing replaced")),
        (ENGINEER, Act.VERIFY, ActInput()),
    ]
    for minute, (actor, act, given) in enumerate(steps, 1):
        order = await act_on_order(conn, actor, order.id, act, given, at(60 * minute))
    assert (order.state, order.result, order.closed_by) == ("verified", "bearing replaced", "account:zhao")
    assert (order.started_at, order.done_at, order.closed_at) == (at(120), at(480), at(540))
    trace = await order_trace(conn, order.id)
    assert [(each.kind, each.actor.removeprefix("account:"), each.comment) for each in trace] == [
        ("created", "zhao", None),
        ("assigned", "zhao", None),
        ("started", "li", None),
        ("checked", "li", None),
        ("checked", "li", None),
        ("comment", "li", "noisy"),
        ("done", "li", None),
        ("reopened", "zhao", "still noisy"),
        ("done", "li", None),
        ("verified", "zhao", None),
    ]
    assert trace[6].data == {"result": "greased", "from": "in_progress", "to": "done"}
    audited = await rows(conn, "SELECT action FROM audit WHERE object = %s ORDER BY id", (f"work_order:{order.id}",))
    assert len(audited) == 10
    events = await rows(conn, "SELECT data, storey_id FROM event WHERE topic = 'work_order' ORDER BY id")
    assert [each["data"]["change"] for each in events] == [each.kind for each in trace]
    assert {each["storey_id"] for each in events} == {world.storey}


@pytest.mark.clause("7.7.1a-2")
async def test_who_has_to_act_next_is_told(conn: Conn, world: World) -> None:
    order = await an_order(conn, world, crew="crew")
    assert [each.code for each in (await notifications.list_notifications(conn, LI)).items] == [
        "notification.work_order.created"
    ]
    await act_on_order(conn, ENGINEER, order.id, Act.ASSIGN, ActInput(assignee="li"), at(1))
    mine = (await notifications.list_notifications(conn, LI)).items
    assert [(each.account, each.role) for each in mine] == [("li", None), (None, "crew")]
    assert str(order.number) in mine[0].message
    assert len((await notifications.list_notifications(conn, WANG)).items) == 1
    await act_on_order(conn, LI, order.id, Act.START, ActInput(), at(2))
    await act_on_order(conn, LI, order.id, Act.DONE, ActInput(), at(3))
    assert (await notifications.list_notifications(conn, ENGINEER)).items[0].code == "notification.work_order.done"


async def test_what_one_of_a_crew_has_read_is_still_new_to_the_others(conn: Conn, world: World) -> None:
    await an_order(conn, world, crew="crew")
    await an_order(conn, world, assignee="wang")
    assert await notifications.mark_read(conn, LI, at(1)) == 1
    assert await notifications.mark_read(conn, LI, at(2)) == 0
    assert (await notifications.list_notifications(conn, LI, unread=True)).items == []
    unread = (await notifications.list_notifications(conn, WANG, unread=True)).items
    assert len(unread) == 2
    assert await notifications.mark_read(conn, LI, at(3), [each.id for each in unread]) == 0


async def test_starting_an_order_of_the_crew_takes_it(conn: Conn, world: World) -> None:
    order = await an_order(conn, world, crew="crew")
    order = await act_on_order(conn, LI, order.id, Act.START, ActInput(), at(1))
    assert order.assignee == "li"
    with pytest.raises(Denied):
        await act_on_order(conn, WANG, order.id, Act.DONE, ActInput(), at(2))


async def test_nobody_verifies_his_own_work(conn: Conn, world: World) -> None:
    order = await an_order(conn, world)
    for act in (Act.START, Act.DONE):
        order = await act_on_order(conn, ENGINEER, order.id, act, ActInput(), at(1))
    with pytest.raises(Denied) as caught:
        await act_on_order(conn, ENGINEER, order.id, Act.VERIFY, ActInput(), at(2))
    assert caught.value.code == "work_order.own_work"
    assert (await act_on_order(conn, ADMIN, order.id, Act.VERIFY, ActInput(), at(3))).state == "verified"


async def test_bad_input_says_what_is_wrong(conn: Conn, world: World) -> None:
    with pytest.raises(Invalid, match="nobody"):
        await an_order(conn, world, assignee="nobody")
    with pytest.raises(Invalid, match="crews"):
        await an_order(conn, world, crew="crews")
    with pytest.raises(Invalid):
        await an_order(conn, world, title="   ")
    with pytest.raises(NotFound):
        await an_order(conn, world, element_id=world.building)
    order = await an_order(conn, world, checklist=("one",))
    await act_on_order(conn, ENGINEER, order.id, Act.START, ActInput(), at(1))
    with pytest.raises(Invalid, match="no item 1"):
        await act_on_order(conn, ENGINEER, order.id, Act.CHECK, ActInput(item=1), at(2))
    with pytest.raises(Conflict, match="1 items"):
        await act_on_order(conn, ENGINEER, order.id, Act.DONE, ActInput(), at(2))
    assert (await get_order(conn, order.id)).state == "in_progress"


async def test_lists_are_filtered_and_come_in_pages(conn: Conn, world: World) -> None:
    made = [await an_order(conn, world, title=f"Order {n}") for n in range(5)]
    await act_on_order(conn, ENGINEER, made[0].id, Act.CANCEL, ActInput(comment="mistake"), at(1))
    first = await list_orders(conn, building=world.building, states=["live"], limit=3)
    second = await list_orders(conn, building=world.building, states=["live"], limit=3, cursor=first.next)
    assert {order.id for order in first.items + second.items} == {order.id for order in made[1:]}
    assert second.next is None
    taken = await act_on_order(conn, ENGINEER, made[1].id, Act.ASSIGN, ActInput(crew="crew"), at(2))
    assert (await list_orders(conn, assignee="li", crews=["crew"])).items == [taken]
    with pytest.raises(Invalid, match="open, assigned"):
        await list_orders(conn, states=["broken"])


@pytest.mark.clause("7.7.1a-1")
async def test_an_alarm_becomes_a_work_order_by_hand(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        (alarm,) = (await alarm_store.list_alarms(conn)).items
        order = await orders.order_from_alarm(conn, ENGINEER, alarm.id, now=at(1), assignee="li")
    assert (order.title, order.priority, order.state) == (alarm.message, "high", "assigned")
    assert (order.position, order.asset_id) == (alarm.position, plant.site.asset)
    async with plant.db.transaction() as conn:
        assert (await alarm_store.get_alarm(conn, alarm.id)).work_order_id == order.id
        with pytest.raises(Conflict, match=str(order.number)):
            await orders.order_from_alarm(conn, ENGINEER, alarm.id, now=at(2))


async def test_closing_an_order_comments_its_alarm_and_does_not_close_it(plant: Plant) -> None:
    await plant.rule()
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        (alarm,) = (await alarm_store.list_alarms(conn)).items
        order = await orders.order_from_alarm(conn, ENGINEER, alarm.id, now=at(1))
        for act in (Act.START, Act.DONE, Act.VERIFY):
            await act_on_order(conn, ADMIN, order.id, act, ActInput(result="replaced"), at(2))
        history = await alarm_store.alarm_history(conn, alarm.id)
        assert [each.kind for each in history] == ["raised", "work_order", "comment"]
        assert history[-1].comment == f"#{order.number} verified: replaced"
        assert (await alarm_store.get_alarm(conn, alarm.id)).state == "unacked"


async def test_what_operators_may_not_do_to_an_alarm_is_said(plant: Plant) -> None:
    await plant.rule(latching=True)
    await plant.send((0, 85))
    async with plant.db.transaction() as conn:
        (alarm,) = (await alarm_store.list_alarms(conn)).items
        with pytest.raises(Conflict, match="still holds"):
            await alarm_actions.reset(conn, ENGINEER, alarm.id, now=at(1))
        for until in (at(1), at(40 * 86_400)):
            with pytest.raises(Invalid, match="30 days"):
                await alarm_actions.shelve(conn, ENGINEER, alarm.id, until=until, now=at(1))
        with pytest.raises(NotFound):
            await alarm_actions.acknowledge(conn, ENGINEER, plant.site.pump, now=at(1))
    await plant.send((2, 20))
    async with plant.db.transaction() as conn:
        assert (await alarm_actions.acknowledge(conn, ENGINEER, alarm.id, now=at(3))).state == "latched_acked"
        assert (await alarm_actions.reset(conn, ENGINEER, alarm.id, now=at(4))).state == "closed"
        with pytest.raises(Conflict, match="closed"):
            await alarm_actions.acknowledge(conn, ENGINEER, alarm.id, now=at(5))
        assert (await alarm_actions.comment(conn, ENGINEER, alarm.id, text="fuse", now=at(6))).state == "closed"
    audited = await plant.rows("SELECT action, actor FROM audit WHERE object LIKE 'alarm:%%' ORDER BY id")
    assert columns(audited, "action") == [("alarm.acknowledge",), ("alarm.reset",), ("alarm.comment",)]
