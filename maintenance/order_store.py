"""Work orders in the database: reading them, and writing new ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from maintenance.order_state import OrderState, Standing
from maintenance.place import Place, plain
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Invalid, NotFound
from twin.events import emit
from twin.page import Page, decode_cursor, page_of
from twin.viewpoint import Viewpoint


class CheckItem(TypedDict):
    """One line of a checklist."""

    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Something to be done at a place, by someone, until a time."""

    id: UUID
    number: int
    title: str
    description: str | None
    state: str  # open | assigned | in_progress | done | verified | cancelled
    priority: str
    origin: str  # alarm | plan | manual
    alarm_id: UUID | None
    plan_id: UUID | None
    plan_due: datetime | None
    building_id: UUID
    storey_id: UUID | None
    storey: str | None
    space_id: UUID | None
    space: str | None
    element_id: UUID | None
    global_id: str | None
    element: str | None
    ifc_class: str | None
    asset_id: UUID | None
    asset: str | None  # its code
    position: list[float] | None  # m, building frame, z up
    viewpoint: Viewpoint | None
    assignee: str | None  # account name
    crew: str | None  # role or account
    checklist: list[CheckItem]
    due_at: datetime | None
    result: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    done_by: str | None
    closed_at: datetime | None
    closed_by: str | None

    @property
    def standing(self) -> Standing:
        """What the state machine looks at."""
        unchecked = sum(not item["done"] for item in self.checklist)
        return Standing(OrderState(self.state), self.assignee, self.crew, self.done_by, unchecked)


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One line of an order's trace (7.7.1b)."""

    at: datetime
    kind: str
    actor: str
    comment: str | None
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order that is to be made."""

    title: str
    origin: str
    place: Place
    created_by: str
    created_at: datetime
    description: str | None = None
    priority: str = "medium"
    alarm_id: UUID | None = None
    plan_id: UUID | None = None
    plan_due: datetime | None = None
    assignee: str | None = None
    crew: str | None = None
    checklist: Sequence[str] = field(default_factory=tuple)
    due_at: datetime | None = None  # None: as the service level of its priority says


_ORDER: LiteralString = """
    SELECT w.id, w.number, w.title, w.description, w.state, w.priority, w.origin, w.alarm_id, w.plan_id, w.plan_due,
           w.building_id, w.storey_id, storey.name AS storey, w.space_id,
           coalesce(space.long_name, space.name) AS space, w.element_id,
           e.global_id, coalesce(e.name, e.long_name) AS element, e.ifc_class,
           w.asset_id, asset.code AS asset, w.position, w.viewpoint, w.assignee, w.crew, w.checklist, w.due_at,
           w.result, w.created_by, w.created_at, w.started_at, w.done_at, w.done_by, w.closed_at, w.closed_by
    FROM work_order w
    LEFT JOIN storey ON storey.id = w.storey_id
    LEFT JOIN element space ON space.id = w.space_id
    LEFT JOIN element e ON e.id = w.element_id
    LEFT JOIN asset ON asset.id = w.asset_id
"""


async def list_orders(
    conn: Conn,
    *,
    building: UUID | None = None,
    element: UUID | None = None,
    plan: UUID | None = None,
    alarm: UUID | None = None,
    states: Sequence[str] = (),
    assignee: str | None = None,
    crews: Sequence[str] = (),
    limit: int = 100,
    cursor: str | None = None,
) -> Page[WorkOrder]:
    """Orders, the newest first. `states` may also be `live` (not closed).

    `assignee` with `crews`: that account's orders, and those of these crews that nobody has taken.
    """
    live = [str(state) for state in OrderState if state not in (OrderState.VERIFIED, OrderState.CANCELLED)]
    wanted = [state for one in states for state in (live if one == "live" else [one])]
    for state in wanted:
        if state not in list(OrderState):
            raise Invalid("maintenance.choice", where="state", value=state, choices=", ".join([*OrderState, "live"]))
    after = decode_cursor(cursor, 2) or [None, None]
    found = await objects(
        conn,
        WorkOrder,
        _ORDER
        + """WHERE (%(building)s::uuid IS NULL OR w.building_id = %(building)s)
               AND (%(element)s::uuid IS NULL OR w.element_id = %(element)s)
               AND (%(plan)s::uuid IS NULL OR w.plan_id = %(plan)s)
               AND (%(alarm)s::uuid IS NULL OR w.alarm_id = %(alarm)s)
               AND (%(states)s::text[] = '{}' OR w.state = ANY(%(states)s))
               AND (%(assignee)s::text IS NULL OR w.assignee = %(assignee)s
                    OR (w.assignee IS NULL AND w.crew = ANY(%(crews)s)))
               AND (%(at)s::timestamptz IS NULL OR (w.created_at, w.id) < (%(at)s, %(id)s::uuid))
             ORDER BY w.created_at DESC, w.id DESC LIMIT %(limit)s""",
        {
            "building": building,
            "element": element,
            "plan": plan,
            "alarm": alarm,
            "states": wanted,
            "assignee": assignee,
            "crews": list(crews),
            "at": after[0],
            "id": after[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda order: [order.created_at, order.id])


async def get_order(conn: Conn, order_id: UUID, *, lock: bool = False) -> WorkOrder:
    """One order; with `lock` until the end of the transaction. Raises NotFound."""
    if lock:
        await conn.execute("SELECT FROM work_order WHERE id = %s FOR UPDATE", (order_id,))
    order = await object_or_none(conn, WorkOrder, _ORDER + "WHERE w.id = %s", (order_id,))
    if order is None:
        raise NotFound("work_order.unknown", id=str(order_id))
    return order


async def order_trace(conn: Conn, order_id: UUID) -> list[OrderEvent]:
    """Everything that happened to an order, the oldest first."""
    return await objects(
        conn,
        OrderEvent,
        "SELECT at, kind, actor, comment, data FROM work_order_event WHERE work_order_id = %s ORDER BY id",
        (order_id,),
    )


async def insert_order(conn: Conn, new: NewOrder) -> WorkOrder | None:
    """Write a new order with the first lines of its trace; None if the plan's occurrence already has it here."""
    assigned = new.assignee is not None or new.crew is not None
    made = await row(
        conn,
        """INSERT INTO work_order (building_id, storey_id, space_id, element_id, asset_id, position, viewpoint, title,
             description, state, priority, origin, alarm_id, plan_id, plan_due, assignee, crew, checklist, due_at,
             created_by, created_at)
           VALUES (%(building_id)s, %(storey_id)s, %(space_id)s, %(element_id)s, %(asset_id)s, %(position)s,
             %(viewpoint)s, %(title)s, %(description)s, %(state)s, %(priority)s, %(origin)s, %(alarm_id)s, %(plan_id)s,
             %(plan_due)s, %(assignee)s, %(crew)s, %(checklist)s,
             coalesce(%(due_at)s::timestamptz,
                      %(created_at)s + (SELECT within FROM service_level s WHERE s.priority = %(priority)s)),
             %(created_by)s, %(created_at)s)
           ON CONFLICT (plan_id, plan_due, element_id) DO NOTHING RETURNING id""",
        {
            **asdict(new.place),
            **{name: getattr(new, name) for name in NewOrder.__dataclass_fields__ if name != "place"},
            "viewpoint": Jsonb(new.place.viewpoint) if new.place.viewpoint else None,
            "checklist": Jsonb([{"text": text, "done": False} for text in new.checklist]),
            "state": str(OrderState.ASSIGNED if assigned else OrderState.OPEN),
        },
    )
    if made is None:
        return None
    await add_trace(conn, made["id"], "created", new.created_by, new.created_at)
    if assigned:
        told = {"assignee": new.assignee, "crew": new.crew}
        await add_trace(conn, made["id"], "assigned", new.created_by, new.created_at, data=told)
    return await get_order(conn, made["id"])


async def add_trace(
    conn: Conn,
    order_id: UUID,
    kind: str,
    actor: str,
    at: datetime,
    *,
    comment: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of an order's trace."""
    await conn.execute(
        "INSERT INTO work_order_event (work_order_id, at, kind, actor, comment, data) VALUES (%s, %s, %s, %s, %s, %s)",
        (order_id, at, kind, actor, comment, None if data is None else Jsonb(data)),
    )


async def announce(conn: Conn, order: WorkOrder, change: str) -> None:
    """Tell those who watch: the order as it is now, and what happened to it."""
    data = {**plain(order), "change": change}
    await emit(conn, "work_order", data, building_id=order.building_id, storey_id=order.storey_id)
