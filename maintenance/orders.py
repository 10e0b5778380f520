"""Work orders: making them freely, from an alarm or for a plan, and everything people do to them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from maintenance import alarm_store, notifications
from maintenance.order_state import RULES, Act, OrderState, step
from maintenance.order_store import CheckItem, NewOrder, WorkOrder, add_trace, announce, get_order, insert_order
from maintenance.place import Place, place_of
from twin.db import Conn, row
from twin.errors import Conflict, Invalid

VERIFIERS = "facility_engineer"  # the role that is told when an order is done
TEXT_LIMIT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInput:
    """What somebody asks for. Without `due_at` the service level of the priority says until when."""

    title: str
    description: str | None = None
    priority: str = "medium"
    element_id: UUID | None = None
    asset_id: UUID | None = None
    assignee: str | None = None
    crew: str | None = None
    checklist: tuple[str, ...] = ()
    due_at: datetime | None = None


async def create_order(conn: Conn, actor: Actor, building_id: UUID, wish: OrderInput, now: datetime) -> WorkOrder:
    """Make an order freely. An asset without an element stands where it is bound now."""
    await _check_people(conn, wish.assignee, wish.crew)
    place = await _place_of_asset(conn, wish, building_id, now)
    order = await insert_order(
        conn,
        NewOrder(
            title=checked_text(wish.title, "title", 200),
            description=wish.description,
            priority=wish.priority,
            origin="manual",
            place=place,
            assignee=wish.assignee,
            crew=wish.crew,
            checklist=wish.checklist,
            due_at=wish.due_at,
            created_by=actor.name,
            created_at=now,
        ),
    )
    assert order is not None  # only a plan's occurrence can be there already
    return await made(conn, actor, order)


async def needs_order(conn: Conn, alarm_id: UUID) -> bool:
    """Whether the rule's work order is still to be made: there is none yet, or the last was verified and yet it rose.

    A cancelled one counts as made: somebody decided that there is nothing to do.
    """
    found = await row(conn, "SELECT 1 FROM work_order WHERE alarm_id = %s AND state <> 'verified'", (alarm_id,))
    return found is None


async def order_from_alarm(
    conn: Conn,
    actor: Actor,
    alarm_id: UUID,
    *,
    now: datetime,
    title: str | None = None,
    description: str | None = None,
    assignee: str | None = None,
    crew: str | None = None,
    due_at: datetime | None = None,
) -> WorkOrder:
    """Make the work order of an alarm, at the alarm's place (7.7.1a). Raises Conflict when it has an open one."""
    await _check_people(conn, assignee, crew)
    await conn.execute("SELECT FROM alarm WHERE id = %s FOR UPDATE", (alarm_id,))
    alarm = await alarm_store.get_alarm(conn, alarm_id)
    existing = await row(
        conn,
        "SELECT number FROM work_order WHERE alarm_id = %s AND state NOT IN ('verified', 'cancelled')",
        (alarm_id,),
    )
    if existing is not None:
        raise Conflict("work_order.exists", number=existing["number"])
    place = Place(
        building_id=alarm.building_id,
        storey_id=alarm.storey_id,
        space_id=alarm.space_id,
        element_id=alarm.element_id,
        asset_id=alarm.asset_id,
        position=alarm.position,
        viewpoint=alarm.viewpoint,
    )
    new = NewOrder(
        title=checked_text(title, "title", 200) if title else alarm.message[:200],
        description=description,
        priority=alarm.severity,
        origin="alarm",
        place=place,
        alarm_id=alarm_id,
        assignee=assignee,
        crew=crew,
        due_at=due_at,
        created_by=actor.name,
        created_at=now,
    )
    order = await insert_order(conn, new)
    assert order is not None
    await alarm_store.add_history(conn, alarm_id, "work_order", actor.name, now, comment=str(order.number))
    await alarm_store.announce(conn, {alarm_id: ["work_order"]})
    return await made(conn, actor, order)


async def made(conn: Conn, actor: Actor, order: WorkOrder) -> WorkOrder:
    """Say that an order was made, to who shall do it too (7.7.1a-2)."""
    await announce_made(conn, actor, order)
    await _tell(conn, order, "assigned" if order.assignee else "created", order.assignee or order.crew)
    return order


async def announce_made(conn: Conn, actor: Actor, order: WorkOrder) -> None:
    """Say that an order was made: to the audit trail and to those who watch."""
    after = {"number": order.number, "title": order.title, "state": order.state, "origin": order.origin}
    await audit.record(conn, actor, "work_order.create", f"work_order:{order.id}", after=after)
    await announce(conn, order, "created")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActInput:
    """What goes with an act; each act takes what it needs."""

    comment: str | None = None
    assignee: str | None = None  # assign
    crew: str | None = None  # assign
    due_at: datetime | None = None  # assign
    result: str | None = None  # done
    item: int | None = None  # check: which line, from 0
    done: bool = True  # check: ticked or not


async def act_on_order(conn: Conn, actor: Actor, order_id: UUID, act: Act, given: ActInput, now: datetime) -> WorkOrder:
    """Do something to an order: the state machine decides, then trace, audit, event and those concerned are told."""
    order = await get_order(conn, order_id, lock=True)
    state = step(order.standing, act, actor)
    changed, data = await _apply(conn, actor, order, act, given, now)
    changed = replace(changed, state=str(state))
    await _write(conn, changed)
    comment = None if given.comment is None else checked_text(given.comment, "comment", TEXT_LIMIT)
    trace = {**data, "from": order.state, "to": changed.state} if changed.state != order.state else data
    await add_trace(conn, order_id, RULES[act].trace, actor.name, now, comment=comment, data=trace or None)
    before = {"state": order.state} | {name: getattr(order, name) for name in data if hasattr(order, name)}
    after = {"state": changed.state, **data} | ({"comment": comment} if comment else {})
    await audit.record(conn, actor, f"work_order.{act}", f"work_order:{order_id}", before=before, after=after)
    await announce(conn, changed, RULES[act].trace)
    await _tell_after(conn, actor, changed, act)
    if state in (OrderState.VERIFIED, OrderState.CANCELLED) and act is not Act.COMMENT:
        await _comment_alarm(conn, actor, changed, now, comment)
    return await get_order(conn, order_id)


async def _apply(
    conn: Conn, actor: Actor, order: WorkOrder, act: Act, given: ActInput, now: datetime
) -> tuple[WorkOrder, dict[str, Any]]:
    """The order with the act's own fields set, and what the trace keeps of them."""
    match act:
        case Act.ASSIGN:
            if given.assignee is None and given.crew is None:
                raise Invalid("work_order.assignee_missing", where="assignee")
            await _check_people(conn, given.assignee, given.crew)
            crew = given.crew or order.crew
            changed = replace(order, assignee=given.assignee, crew=crew, due_at=given.due_at or order.due_at)
            return changed, {"assignee": given.assignee, "crew": crew}
        case Act.START:
            assignee = order.assignee or actor.account
            return replace(order, assignee=assignee, started_at=order.started_at or now), {"assignee": assignee}
        case Act.DONE:
            result = None if given.result is None else checked_text(given.result, "result", TEXT_LIMIT)
            return replace(order, done_at=now, done_by=actor.name, result=result), {"result": result}
        case Act.REOPEN:
            return replace(order, done_at=None, done_by=None), {"result": order.result}
        case Act.VERIFY | Act.CANCEL:
            return replace(order, closed_at=now, closed_by=actor.name), {}
        case Act.CHECK:
            return _tick(order, given)
        case Act.COMMENT:
            if given.comment is None:
                raise Invalid("work_order.comment_missing", where="comment")
            return order, {}


def _tick(order: WorkOrder, given: ActInput) -> tuple[WorkOrder, dict[str, Any]]:
    count = len(order.checklist)
    if given.item is None or not 0 <= given.item < count:
        raise Invalid("work_order.check_item", where="item", item=given.item, count=count)
    items = list(order.checklist)
    items[given.item] = CheckItem(text=items[given.item]["text"], done=given.done)
    return replace(order, checklist=items), {"item": given.item, "done": given.done}


async def _write(conn: Conn, order: WorkOrder) -> None:
    await conn.execute(
        """UPDATE work_order SET state = %s, assignee = %s, crew = %s, due_at = %s, checklist = %s, result = %s,
             started_at = %s, done_at = %s, done_by = %s, closed_at = %s, closed_by = %s WHERE id = %s""",
        (
            order.state,
            order.assignee,
            order.crew,
            order.due_at,
            Jsonb(order.checklist),
            order.result,
            order.started_at,
            order.done_at,
            order.done_by,
            order.closed_at,
            order.closed_by,
            order.id,
        ),
    )


async def _tell_after(conn: Conn, actor: Actor, order: WorkOrder, act: Act) -> None:
    to = order.assignee or order.crew
    if act is Act.ASSIGN and order.assignee != actor.account:
        await _tell(conn, order, "assigned" if order.assignee else "created", to)
    elif act is Act.REOPEN:
        await _tell(conn, order, "reopened", to)
    elif act is Act.DONE:
        await _tell(conn, order, "done", VERIFIERS)


async def _tell(conn: Conn, order: WorkOrder, what: str, to: str | None) -> None:
    if to is None:
        return
    await notifications.notify(
        conn,
        to,
        f"notification.work_order.{what}",
        {"number": order.number, "title": order.title},
        building_id=order.building_id,
        storey_id=order.storey_id,
        work_order_id=order.id,
        alarm_id=order.alarm_id,
    )


async def _comment_alarm(conn: Conn, actor: Actor, order: WorkOrder, now: datetime, comment: str | None) -> None:
    """Closing an order tells its alarm, and no more: an alarm closes when its condition is gone and someone knows."""
    if order.alarm_id is None:
        return
    said = ": ".join(part for part in (f"#{order.number} {order.state}", comment or order.result) if part)
    await alarm_store.add_history(conn, order.alarm_id, "comment", actor.name, now, comment=said)
    await alarm_store.announce(conn, {order.alarm_id: ["comment"]})


async def _place_of_asset(conn: Conn, wish: OrderInput, building_id: UUID, now: datetime) -> Place:
    if wish.asset_id is None:
        return await place_of(conn, wish.element_id, building_id, now)
    found = await row(
        conn,
        """SELECT b.element_id FROM asset a
           LEFT JOIN asset_binding b ON b.asset_id = a.id AND b.during @> %(now)s::timestamptz
           WHERE a.id = %(id)s AND a.building_id = %(building)s""",
        {"id": wish.asset_id, "building": building_id, "now": now},
    )
    if found is None:
        raise Invalid("work_order.asset_elsewhere", where="asset", asset=str(wish.asset_id))
    place = await place_of(conn, wish.element_id or found["element_id"], building_id, now)
    return replace(place, asset_id=wish.asset_id)


async def _check_people(conn: Conn, assignee: str | None, crew: str | None) -> None:
    if assignee is not None:
        await notifications.check_account(conn, assignee)
    await notifications.check_crew(conn, crew)


def checked_text(text: str, field: str, limit: int) -> str:
    """The text without blanks around it. Raises Invalid when nothing is left or it is too long."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= limit:
        raise Invalid("maintenance.text_length", where=field, limit=limit)
    return stripped
