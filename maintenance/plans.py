"""Maintenance plans: defining them, what is due when and where, and the loop that makes the orders (6.4.3e, 7.7.3a)."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg.types.json import Jsonb

from identity import SYSTEM, Actor, audit
from maintenance import notifications
from maintenance.alarm_store import SEVERITIES
from maintenance.order_store import NewOrder, insert_order
from maintenance.orders import announce_made, checked_text
from maintenance.place import place_of
from maintenance.plan_dates import Due, due, first_due, parse_recurrence
from maintenance.plan_store import ELEMENT_LIMIT, Plan, elements_of, find_target, get_plan
from twin.db import Conn, Database, row, rows
from twin.errors import Invalid, Unavailable
from twin.events import emit

log = structlog.get_logger()

LEAD_DAYS: Final = 366
LOOK_EVERY_S: Final = 5.0
WINDOW_DAYS: Final = 3 * 366
START_DAYS: Final = 10 * 366
CHECKLIST_LIMIT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInput:
    """All that can be chosen of a plan, but for its target."""

    name: str
    rrule: str | None
    starts_at: datetime
    description: str | None = None
    lead: float = 0.0  # s
    priority: str = "medium"
    crew: str | None = None
    checklist: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a plan falls due, or fell."""

    due_at: datetime
    state: str  # planned | made | missed
    orders: int


@dataclass(frozen=True, slots=True)
class DueElement:
    """An element at which something is due; with its order, where that has been made."""

    element_id: UUID
    global_id: str
    storey_id: UUID | None
    work_order_id: UUID | None
    order_state: str | None


@dataclass(frozen=True, slots=True)
class DueWork:
    """What is due when and where, for the viewer to show in the model."""

    plan_id: UUID
    plan: str
    priority: str
    due_at: datetime
    state: str  # planned | made
    elements: list[DueElement]


async def create_plan(
    conn: Conn, actor: Actor, building_id: UUID, target: Mapping[str, str | None], given: PlanInput, now: datetime
) -> Plan:
    """Define a plan. `target` has exactly one of `element`, `type_`, `system`, `ifc_class`.

    It cares for what falls due from now on; what fell due within the last day still counts.
    """
    _check_start(given.starts_at, now)
    found = await find_target(conn, building_id, **target)
    count = len(await elements_of(conn, building_id, found))
    if count > ELEMENT_LIMIT:
        raise Invalid("plan.too_many_elements", where="element", count=count, limit=ELEMENT_LIMIT)
    fields = await _checked(conn, building_id, given, now)
    if fields["next_due"] is None:
        raise Invalid("plan.never_due", where="starts_at")
    made = await row(
        conn,
        """INSERT INTO plan (building_id, name, description, rrule, starts_at, lead, priority, target_kind, element_id,
             type_id, group_id, ifc_class, crew, checklist, enabled, next_due, created_by, created_at)
           VALUES (%(building)s, %(name)s, %(description)s, %(rrule)s, %(starts_at)s, %(lead_time)s, %(priority)s,
             %(kind)s, %(element_id)s, %(type_id)s, %(group_id)s, %(ifc_class)s, %(crew)s, %(checklist)s, %(enabled)s,
             %(next_due)s, %(actor)s, %(now)s) RETURNING id""",
        {**fields, **asdict(found), "building": building_id, "actor": actor.name, "now": now},
    )
    assert made is not None
    plan = await get_plan(conn, made["id"])
    await _recorded(conn, actor, "create", plan)
    return plan


async def change_plan(conn: Conn, actor: Actor, plan_id: UUID, changes: Mapping[str, Any], now: datetime) -> Plan:
    """Change some fields of a plan (those of `PlanInput`). What fell due before, or while it was off, is not made."""
    before = await get_plan(conn, plan_id, lock=True)
    if "starts_at" in changes:
        _check_start(changes["starts_at"], now)
    current = {name: getattr(before, name) for name in PlanInput.__dataclass_fields__}
    given = PlanInput(**{**current, **changes, "checklist": tuple(changes.get("checklist", before.checklist))})
    fields = await _checked(conn, before.building_id, given, now)
    same_dates = (given.rrule, given.starts_at, given.enabled) == (before.rrule, before.starts_at, before.enabled)
    if same_dates:
        fields["next_due"] = before.next_due
    else:
        latest = await row(conn, "SELECT max(due_at) AS at FROM plan_occurrence WHERE plan_id = %s", (plan_id,))
        handled = latest["at"] if latest else None
        after = now if handled is None else max(now, handled + timedelta(microseconds=1))
        fields["next_due"] = parse_recurrence(fields["rrule"], given.starts_at, ZoneInfo(before.time_zone)).next(after)
    await conn.execute(
        """UPDATE plan SET name = %(name)s, description = %(description)s, rrule = %(rrule)s,
             starts_at = %(starts_at)s, lead = %(lead_time)s, priority = %(priority)s, crew = %(crew)s,
             checklist = %(checklist)s, enabled = %(enabled)s, next_due = %(next_due)s WHERE id = %(id)s""",
        {**fields, "id": plan_id},
    )
    plan = await get_plan(conn, plan_id)
    await _recorded(conn, actor, "update", plan, before)
    return plan


async def delete_plan(conn: Conn, actor: Actor, plan_id: UUID) -> None:
    """Delete a plan. The orders that it made stay."""
    before = await get_plan(conn, plan_id, lock=True)
    await conn.execute("UPDATE plan SET deleted_at = now() WHERE id = %s", (plan_id,))
    await _recorded(conn, actor, "delete", before)


async def list_occurrences(conn: Conn, plan_id: UUID, start: datetime, end: datetime) -> list[Occurrence]:
    """Every time that a plan falls due in `[start, end)`: what was made of those that passed, and those to come."""
    _check_window(start, end)
    plan = await get_plan(conn, plan_id)
    found = await rows(
        conn,
        """SELECT due_at, state, orders FROM plan_occurrence
           WHERE plan_id = %s AND due_at >= %s AND due_at < %s ORDER BY due_at""",
        (plan_id, start, end),
    )
    past = [Occurrence(each["due_at"].astimezone(UTC), each["state"], each["orders"]) for each in found]
    return past + [Occurrence(at, "planned", 0) for at in _to_come(plan, start, end)]


async def list_due(conn: Conn, building_id: UUID, start: datetime, end: datetime) -> list[DueWork]:
    """What is due where in `[start, end)` in a building, the earliest first: orders already made, and those to come."""
    _check_window(start, end)
    found = await rows(
        conn,
        """SELECT w.plan_id, p.name, w.priority, w.plan_due, w.id, w.state, w.element_id, e.global_id, w.storey_id
           FROM work_order w JOIN plan p ON p.id = w.plan_id JOIN element e ON e.id = w.element_id
           WHERE w.building_id = %s AND w.plan_due >= %s AND w.plan_due < %s AND w.state <> 'cancelled'
           ORDER BY w.plan_due, w.plan_id, w.number""",
        (building_id, start, end),
    )
    work: dict[tuple[UUID, datetime], DueWork] = {}
    for each in found:
        key = each["plan_id"], each["plan_due"]
        one = work.setdefault(key, DueWork(each["plan_id"], each["name"], each["priority"], key[1], "made", []))
        one.elements.append(
            DueElement(each["element_id"], each["global_id"], each["storey_id"], each["id"], each["state"])
        )
    plans = await rows(
        conn, "SELECT id FROM plan WHERE building_id = %s AND enabled AND deleted_at IS NULL", (building_id,)
    )
    planned = []
    for each in plans:
        plan = await get_plan(conn, each["id"])
        if dates := _to_come(plan, start, end):
            elements = [
                DueElement(element.element_id, element.global_id, element.storey_id, None, None)
                for element in await elements_of(conn, building_id, plan)
            ]
            planned += [DueWork(plan.id, plan.name, plan.priority, at, "planned", elements) for at in dates]
    return sorted([*work.values(), *planned], key=lambda one: (one.due_at, one.plan))


def _to_come(plan: Plan, start: datetime, end: datetime) -> list[datetime]:
    if plan.next_due is None or not plan.enabled:
        return []
    return plan.recurrence.between(max(start, plan.next_due), end, limit=1_000)


def _check_start(starts_at: datetime, now: datetime) -> None:
    """Every look at a plan counts from its start."""
    if abs(starts_at - now) > timedelta(days=START_DAYS):
        raise Invalid("plan.start", where="starts_at", days=START_DAYS)


def _check_window(start: datetime, end: datetime) -> None:
    if not timedelta(0) < end - start <= timedelta(days=WINDOW_DAYS):
        raise Invalid("maintenance.window", where="from", days=WINDOW_DAYS)


async def _checked(conn: Conn, building_id: UUID, given: PlanInput, now: datetime) -> dict[str, Any]:
    """The columns of a plan, with when it is due first. Raises Invalid."""
    zone = await row(
        conn,
        "SELECT time_zone FROM site JOIN building ON site_id = site.id WHERE building.id = %s",
        (building_id,),
    )
    assert zone is not None
    # In a thread: a rule that never falls due takes a second to be found out.
    recurrence = await asyncio.to_thread(parse_recurrence, given.rrule, given.starts_at, ZoneInfo(zone["time_zone"]))
    if given.priority not in SEVERITIES:
        choices = ", ".join(SEVERITIES)
        raise Invalid("maintenance.choice", where="priority", value=given.priority, choices=choices)
    if not 0 <= given.lead <= LEAD_DAYS * 86_400:
        raise Invalid("plan.lead", where="lead", days=LEAD_DAYS)
    if len(given.checklist) > CHECKLIST_LIMIT:
        raise Invalid("plan.checklist", where="checklist", limit=CHECKLIST_LIMIT)
    await notifications.check_crew(conn, given.crew)
    return {
        **asdict(given),
        "name": checked_text(given.name, "name", 200),
        "rrule": recurrence.rule,
        "lead_time": timedelta(seconds=given.lead),
        "checklist": Jsonb([checked_text(text, "checklist", 500) for text in given.checklist]),
        "next_due": first_due(recurrence, now),
    }


async def _recorded(conn: Conn, actor: Actor, act: str, plan: Plan, before: Plan | None = None) -> None:
    def told(one: Plan) -> dict[str, Any]:
        names = ("name", "rrule", "lead", "priority", "crew", "enabled", "target_kind", "target_name")
        return {**{name: getattr(one, name) for name in names}, "starts_at": one.starts_at.isoformat()}

    after = None if act == "delete" else told(plan)
    old = plan if act == "delete" else before
    await audit.record(
        conn, actor, f"plan.{act}", f"plan:{plan.id}", before=None if old is None else told(old), after=after
    )
    await emit(conn, "plan", {"id": str(plan.id), "name": plan.name, "change": act}, building_id=plan.building_id)


async def run_plan(conn: Conn, plan_id: UUID, now: datetime) -> Due | None:
    """Make what a plan owes at `now`, in the caller's transaction; None when someone else is at it or it owes nothing.

    Exactly once: the plan is locked, each occurrence has a row under (plan, due) and each order one under
    (plan, due, element).
    """
    mine = await row(
        conn,
        """SELECT id, next_due FROM plan WHERE id = %s AND enabled AND deleted_at IS NULL AND next_due - lead <= %s
           FOR NO KEY UPDATE SKIP LOCKED""",
        (plan_id, now),
    )
    if mine is None:
        return None
    plan = await get_plan(conn, plan_id)
    owed = due(plan.recurrence, mine["next_due"], plan.lead_time, now)
    for at in owed.missed:
        await _note_occurrence(conn, plan, at, "missed", now)
    for at in owed.make:
        if await _note_occurrence(conn, plan, at, "made", now):
            await _make_orders(conn, plan, at, now)
    await conn.execute("UPDATE plan SET next_due = %s WHERE id = %s", (owed.next_due, plan_id))
    return owed


async def _note_occurrence(conn: Conn, plan: Plan, due_at: datetime, state: str, now: datetime) -> bool:
    noted = await conn.execute(
        "INSERT INTO plan_occurrence (plan_id, due_at, state, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (plan.id, due_at, state, now),
    )
    return noted.rowcount == 1


async def _make_orders(conn: Conn, plan: Plan, due_at: datetime, now: datetime) -> None:
    """One order per element; the crew is told once for all of them."""
    made = []
    for element in await elements_of(conn, plan.building_id, plan):
        new = NewOrder(
            title=plan.name,
            description=plan.description,
            priority=plan.priority,
            origin="plan",
            place=await place_of(conn, element.element_id, plan.building_id, now),
            plan_id=plan.id,
            plan_due=due_at,
            crew=plan.crew,
            checklist=plan.checklist,
            due_at=due_at,
            created_by=SYSTEM.name,
            created_at=now,
        )
        order = await insert_order(conn, new)
        if order is not None:
            made.append(order)
            await announce_made(conn, SYSTEM, order)
    await conn.execute(
        "UPDATE plan_occurrence SET orders = %s WHERE plan_id = %s AND due_at = %s", (len(made), plan.id, due_at)
    )
    if plan.crew is not None and made:
        wall = due_at.astimezone(ZoneInfo(plan.time_zone))
        await notifications.notify(
            conn,
            plan.crew,
            "notification.plan.due",
            {"plan": plan.name, "count": len(made), "due_at": f"{wall:%Y-%m-%d %H:%M}"},
            building_id=plan.building_id,
            work_order_id=made[0].id if len(made) == 1 else None,
        )


class PlanRunner:
    """Makes the orders of plans when they are due. `run` lives as long as the server; several may run at once."""

    def __init__(self, db: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock
        self._wake = asyncio.Event()

    def poke(self) -> None:
        """Look at the plans now rather than within a few seconds."""
        self._wake.set()

    async def run(self) -> None:
        """Make orders until cancelled. Survives a database that goes away."""
        while True:
            self._wake.clear()
            try:
                await self.run_due()
            except (psycopg.Error, Unavailable) as error:
                log.warning("plans wait for the database", error=str(error).strip())
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it swallows a cancellation that meets the wake-up.
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()

    async def run_due(self) -> int:
        """Run every plan that owes something now, one transaction each; answer how many did."""
        now, count = self._clock(), 0
        async with self._db.connection() as conn:
            found = await rows(
                conn,
                """SELECT id FROM plan WHERE enabled AND deleted_at IS NULL AND next_due - lead <= %s
                   ORDER BY next_due - lead""",
                (now,),
            )
        for each in found:
            try:
                async with self._db.transaction() as conn:
                    count += await run_plan(conn, each["id"], now) is not None
            except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable):
                raise
            except Exception:
                log.exception("a plan could not be run", plan=str(each["id"]))
        return count
