"""Work orders, maintenance plans and notifications."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow
from api.routes.alarms import Moment, Said, Words, patched, words
from identity import Actor
from maintenance import notifications, order_store, orders, plan_store, plans
from maintenance.notifications import Notification
from maintenance.order_state import Act, open_acts
from maintenance.order_store import OrderEvent, WorkOrder
from maintenance.orders import ActInput, OrderInput
from maintenance.plan_store import Plan
from maintenance.plans import DueWork, Occurrence, PlanInput
from twin.db import Conn
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["maintenance"])

Priority = Literal["low", "medium", "high", "critical"]
From = Annotated[Moment | None, Query(alias="from", description="RFC 3339 time with zone; now unless given")]
Assignee = Annotated[str | None, Query(description="account; `me` or one's own: the crew's untaken orders too")]
To = Annotated[Moment | None, Query(alias="to", description="excluded; 90 days after `from` unless given")]


class OrderBody(BaseModel):
    """A new order. Without `due_at` its priority says until when."""

    building: str
    title: str
    description: str | None = Field(None, max_length=orders.TEXT_LIMIT)
    priority: Priority = "medium"
    element: str | None = Field(None, description="id, or a GlobalId of the building")
    asset: UUID | None = None
    assignee: str | None = Field(None, description="account")
    crew: str | None = Field(None, description="role or account")
    checklist: list[str] = Field(default_factory=list, max_length=plans.CHECKLIST_LIMIT)
    due_at: Moment | None = None


class AssignBody(Said):
    """Whom to give an order to: an account, or a crew (a role or an account)."""

    assignee: str | None = None
    crew: str | None = None
    due_at: Moment | None = None


class DoneBody(Said):
    """What was done."""

    result: str | None = Field(None, max_length=orders.TEXT_LIMIT)


class CheckBody(Said):
    """A line of the checklist, counted from 0, ticked or not."""

    item: int
    done: bool = True


class PlanBody(BaseModel):
    """A new plan, about exactly one of `element`, `type`, `system` and `ifc_class`."""

    building: str
    name: str
    description: str | None = Field(None, max_length=orders.TEXT_LIMIT)
    rrule: str | None = Field(None, description="RFC 5545 RRULE in the site's time zone; null: once, at `starts_at`")
    starts_at: Moment | None = Field(None, description="now unless given")
    lead: float = Field(0.0, description="s that orders are made before they are due", allow_inf_nan=False)
    priority: Priority = "medium"
    element: str | None = Field(None, description="id, or a GlobalId of the building")
    type: str | None = Field(None, description="id, GlobalId or name of an element type")
    system: str | None = Field(None, description="id, GlobalId or name of a system or other group")
    ifc_class: str | None = Field(None, description="with its subclasses")
    crew: str | None = Field(None, description="role or account told of the orders")
    checklist: list[str] = Field(default_factory=list, max_length=plans.CHECKLIST_LIMIT)
    enabled: bool = True


class PlanPatch(BaseModel):
    """What may change of a plan; fields that are left out stay. What it is about does not change."""

    name: str | None = None
    description: str | None = Field(None, max_length=orders.TEXT_LIMIT)
    rrule: str | None = None
    starts_at: Moment | None = None
    lead: float | None = Field(None, allow_inf_nan=False)
    priority: Priority | None = None
    crew: str | None = None
    checklist: list[str] | None = Field(None, max_length=plans.CHECKLIST_LIMIT)
    enabled: bool | None = None


class ReadBody(BaseModel):
    """Which notifications have been read; all of one's own unless given."""

    ids: list[Annotated[int, Field(ge=1, lt=2**63)]] | None = Field(None, max_length=1_000)


@dataclass(frozen=True, slots=True)
class WorkOrderDetail(WorkOrder):
    """An order with its whole trace (7.7.1b) and what the caller may do with it now."""

    acts: list[Act]
    history: list[OrderEvent]


@dataclass(frozen=True, slots=True)
class MarkedRead:
    """How many notifications were new."""

    count: int


# Work orders


@router.get("/work-orders")
@allow("work_order.read")
async def list_orders(
    tx: Tx,
    caller: Caller,
    building: str | None = None,
    element: str | None = None,
    plan: UUID | None = None,
    alarm: UUID | None = None,
    state: Words = None,
    assignee: Annotated[
        str | None, Query(description="account; one's own or `me`: the crew's untaken orders too")
    ] = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[WorkOrder]:
    """Orders, newest first. `state` may also be `live` (not closed)."""
    building_id = (await get_building(tx, building)).id if building else None
    account = caller.account if assignee == "me" else assignee and assignee.removeprefix("account:")
    mine = account is not None and account == caller.account
    return await order_store.list_orders(
        tx,
        building=building_id,
        element=await resolve_element(tx, element, building=building_id) if element else None,
        plan=plan,
        alarm=alarm,
        states=words(state),
        assignee=account,
        crews=[*caller.roles, account or ""] if mine else [],
        limit=limit,
        cursor=cursor,
    )


@router.post("/work-orders", status_code=201)
@allow("work_order.write")
async def create_order(tx: Tx, caller: Caller, body: OrderBody) -> WorkOrder:
    """Make an order, located by its element or by where its asset is."""
    building_id = (await get_building(tx, body.building)).id
    wish = OrderInput(
        **body.model_dump(include={"title", "description", "priority", "assignee", "crew", "due_at"}),
        element_id=await resolve_element(tx, body.element, building=building_id) if body.element else None,
        asset_id=body.asset,
        checklist=tuple(body.checklist),
    )
    return await orders.create_order(tx, caller, building_id, wish, datetime.now(UTC))


@router.get("/work-orders/{order}")
@allow("work_order.read")
async def get_order(tx: Tx, caller: Caller, order: UUID) -> WorkOrderDetail:
    """One order with its trace."""
    return await _detail(tx, caller, await order_store.get_order(tx, order))


@router.post("/work-orders/{order}/assign")
@allow("work_order.assign")
async def assign(tx: Tx, caller: Caller, order: UUID, body: AssignBody) -> WorkOrderDetail:
    """Give an order to a person or a crew; they are told (7.7.1a-2)."""
    return await _act(tx, caller, order, Act.ASSIGN, body)


@router.post("/work-orders/{order}/start")
@allow("work_order.write")
async def start(tx: Tx, caller: Caller, order: UUID, body: Said | None = None) -> WorkOrderDetail:
    """Begin the work; an order of one's crew becomes one's own."""
    return await _act(tx, caller, order, Act.START, body)


@router.post("/work-orders/{order}/check")
@allow("work_order.write")
async def check(tx: Tx, caller: Caller, order: UUID, body: CheckBody) -> WorkOrderDetail:
    """Tick a line of the checklist."""
    return await _act(tx, caller, order, Act.CHECK, body)


@router.post("/work-orders/{order}/done")
@allow("work_order.write")
async def done(tx: Tx, caller: Caller, order: UUID, body: DoneBody | None = None) -> WorkOrderDetail:
    """Say that the work is done; someone else verifies it."""
    return await _act(tx, caller, order, Act.DONE, body)


@router.post("/work-orders/{order}/verify")
@allow("work_order.verify")
async def verify(tx: Tx, caller: Caller, order: UUID, body: Said | None = None) -> WorkOrderDetail:
    """Close an order: the work is good."""
    return await _act(tx, caller, order, Act.VERIFY, body)


@router.post("/work-orders/{order}/reopen")
@allow("work_order.verify")
async def reopen(tx: Tx, caller: Caller, order: UUID, body: Said | None = None) -> WorkOrderDetail:
    """Send an order back: the work is not good."""
    return await _act(tx, caller, order, Act.REOPEN, body)


@router.post("/work-orders/{order}/cancel")
@allow("work_order.assign")
async def cancel(tx: Tx, caller: Caller, order: UUID, body: Said | None = None) -> WorkOrderDetail:
    """Close an order that is not needed."""
    return await _act(tx, caller, order, Act.CANCEL, body)


@router.post("/work-orders/{order}/comment")
@allow("work_order.write")
async def comment(tx: Tx, caller: Caller, order: UUID, body: Said) -> WorkOrderDetail:
    """Write into an order's trace."""
    return await _act(tx, caller, order, Act.COMMENT, body)


async def _act(conn: Conn, caller: Actor, order_id: UUID, act: Act, body: Said | None) -> WorkOrderDetail:
    given = {**body.model_dump(), "comment": body.text} if body else {}
    order = await orders.act_on_order(conn, caller, order_id, act, ActInput(**given), datetime.now(UTC))
    return await _detail(conn, caller, order)


async def _detail(conn: Conn, caller: Actor, order: WorkOrder) -> WorkOrderDetail:
    return WorkOrderDetail(
        **{each.name: getattr(order, each.name) for each in fields(order)},
        acts=open_acts(order.standing, caller),
        history=await order_store.order_trace(conn, order.id),
    )


# Plans


@router.get("/plans")
@allow("work_order.read")
async def list_plans(tx: Tx, building: str | None = None, limit: Limit = 100, cursor: str | None = None) -> Page[Plan]:
    """Plans in the order of their making."""
    building_id = (await get_building(tx, building)).id if building else None
    return await plan_store.list_plans(tx, building=building_id, limit=limit, cursor=cursor)


@router.post("/plans", status_code=201)
@allow("plan.write")
async def create_plan(tx: Tx, caller: Caller, body: PlanBody) -> Plan:
    """Define a plan, periodic or for once (6.4.3e); what fell due within the last day still counts."""
    now = datetime.now(UTC)
    target = {"element": body.element, "type_": body.type, "system": body.system, "ifc_class": body.ifc_class}
    chosen = body.model_dump(include={"name", "description", "rrule", "lead", "priority", "crew", "enabled"})
    given = PlanInput(**chosen, starts_at=body.starts_at or now, checklist=tuple(body.checklist))
    building_id = (await get_building(tx, body.building)).id
    return await plans.create_plan(tx, caller, building_id, target, given, now)


@router.get("/plans/due")
@allow("work_order.read")
async def list_due(tx: Tx, building: str, start: From = None, end: To = None) -> Page[DueWork]:
    """What is due when and at which elements: orders already made, and those to come."""
    begin = start or datetime.now(UTC)
    building_id = (await get_building(tx, building)).id
    return Page(await plans.list_due(tx, building_id, begin, end or begin + timedelta(days=90)))


@router.get("/plans/{plan}")
@allow("work_order.read")
async def get_plan(tx: Tx, plan: UUID) -> Plan:
    """One plan."""
    return await plan_store.get_plan(tx, plan)


@router.get("/plans/{plan}/occurrences")
@allow("work_order.read")
async def list_occurrences(tx: Tx, plan: UUID, start: From = None, end: To = None) -> Page[Occurrence]:
    """When a plan falls due: what was made or missed, and what is to come."""
    begin = start or datetime.now(UTC)
    return Page(await plans.list_occurrences(tx, plan, begin, end or begin + timedelta(days=90)))


@router.patch("/plans/{plan}")
@allow("plan.write")
async def change_plan(tx: Tx, caller: Caller, plan: UUID, body: PlanPatch) -> Plan:
    """Change a plan; it counts from now on."""
    changes = patched(body, nullable=("description", "rrule", "crew"))
    return await plans.change_plan(tx, caller, plan, changes, datetime.now(UTC))


@router.delete("/plans/{plan}", status_code=204)
@allow("plan.write")
async def delete_plan(tx: Tx, caller: Caller, plan: UUID) -> None:
    """Delete a plan; the orders that it made stay."""
    await plans.delete_plan(tx, caller, plan)


# Notifications


@router.get("/notifications")
@allow.signed_in
async def list_notifications(
    tx: Tx, caller: Caller, unread: bool = False, limit: Limit = 100, cursor: str | None = None
) -> Page[Notification]:
    """What one has been told, by name or by role, newest first."""
    return await notifications.list_notifications(tx, caller, unread=unread, limit=limit, cursor=cursor)


@router.post("/notifications/read")
@allow.signed_in
async def mark_read(tx: Tx, caller: Caller, body: ReadBody | None = None) -> MarkedRead:
    """Say what one has read; it stays new to the others of a crew."""
    return MarkedRead(await notifications.mark_read(tx, caller, datetime.now(UTC), body.ids if body else None))
