"""Alarms, what operators do to them, and the rules that raise them."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow
from maintenance import alarm_actions, alarm_store, orders, rules
from maintenance.alarm_store import Alarm, AlarmEvent
from maintenance.order_store import WorkOrder
from maintenance.rules import AlarmRule, RuleInput, RuleTest
from twin.page import Page
from twin.places import Location, get_building, locate, resolve_element

router = Router(tags=["alarms"])

Severity = Literal["low", "medium", "high", "critical"]
Words = Annotated[list[str] | None, Query(description="one or several, repeated or separated by commas")]


def _near(moment: datetime) -> datetime:
    """A time that can be told in every time zone."""
    if not 1900 <= moment.year <= 2200:
        raise ValueError("the year must lie between 1900 and 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_near)]


class Said(BaseModel):
    """A remark for the history."""

    comment: str | None = Field(None, max_length=orders.TEXT_LIMIT)

    @property
    def text(self) -> str | None:
        """None where nothing was said."""
        return (self.comment or "").strip() or None


class CommentBody(BaseModel):
    """A remark for the history of an alarm."""

    comment: str


class ShelveBody(Said):
    """Until when an alarm shall be hidden: a time, or so many minutes from now."""

    until: Moment | None = None
    minutes: float = Field(60, gt=0, allow_inf_nan=False, le=alarm_actions.SHELVE_DAYS * 1440)


class AlarmOrderBody(BaseModel):
    """The work order to make; all of it may be left out."""

    title: str | None = None
    description: str | None = None
    assignee: str | None = None
    crew: str | None = None
    due_at: Moment | None = None


class RuleBody(BaseModel):
    """A new rule. `limit` and `deadband` are in the point's unit."""

    name: str
    point: str = Field(description="key or id")
    kind: Literal["high", "low"]
    limit: float
    severity: Severity
    deadband: float = 0.0
    on_delay: float = Field(0.0, description="s")
    latching: bool = Field(False, description="stays after return until it is reset")
    enabled: bool = True
    work_order: bool = Field(False, description="makes a work order at once")
    crew: str | None = Field(None, description="role or account told of that order")


class RulePatch(BaseModel):
    """What may change of a rule; fields that are left out stay."""

    name: str | None = None
    kind: Literal["high", "low"] | None = None
    limit: float | None = None
    severity: Severity | None = None
    deadband: float | None = None
    on_delay: float | None = None
    latching: bool | None = None
    enabled: bool | None = None
    work_order: bool | None = None
    crew: str | None = None


class TestBody(BaseModel):
    """The stretch of history to try a rule on, `[from, to)`; the last seven days unless given."""

    start: Moment | None = Field(None, alias="from")
    end: Moment | None = Field(None, alias="to")


@dataclass(frozen=True, slots=True)
class AlarmDetail(Alarm):
    """An alarm with everything that happened to it, and where its element is now."""

    history: list[AlarmEvent]
    location: Location | None


def words(given: list[str] | None) -> list[str]:
    """The words of a repeatable query parameter."""
    return [word for each in given or () for word in each.split(",") if word]


def patched(body: BaseModel, *, nullable: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields that were sent; null only where it means something."""
    return {
        name: value
        for name, value in body.model_dump(exclude_unset=True).items()
        if value is not None or name in nullable
    }


@router.get("/alarms")
@allow("alarm.read")
async def list_alarms(
    tx: Tx,
    building: str | None = None,
    element: str | None = None,
    state: Words = None,
    severity: Words = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[Alarm]:
    """Alarms, newest first. `state` may also be `open` (not closed) and `active` (the condition holds)."""
    building_id = (await get_building(tx, building)).id if building else None
    element_id = await resolve_element(tx, element, building=building_id) if element else None
    return await alarm_store.list_alarms(
        tx,
        building=building_id,
        element=element_id,
        states=words(state),
        severities=words(severity),
        limit=limit,
        cursor=cursor,
    )


@router.get("/alarms/{alarm}")
@allow("alarm.read")
async def get_alarm(tx: Tx, alarm: UUID) -> AlarmDetail:
    """One alarm with its history (6.4.3b)."""
    found = await alarm_store.get_alarm(tx, alarm)
    return AlarmDetail(
        **{each.name: getattr(found, each.name) for each in fields(found)},
        history=await alarm_store.alarm_history(tx, alarm),
        location=None if found.element_id is None else await locate(tx, found.element_id),
    )


@router.post("/alarms/{alarm}/ack")
@allow("alarm.acknowledge")
async def acknowledge(tx: Tx, caller: Caller, alarm: UUID, body: Said | None = None) -> Alarm:
    """Say that you know (8.1.3-1)."""
    return await alarm_actions.acknowledge(
        tx, caller, alarm, now=datetime.now(UTC), comment=body.text if body else None
    )


@router.post("/alarms/{alarm}/comment")
@allow("alarm.acknowledge")
async def comment(tx: Tx, caller: Caller, alarm: UUID, body: CommentBody) -> Alarm:
    """Write into an alarm's history."""
    return await alarm_actions.comment(tx, caller, alarm, text=body.comment, now=datetime.now(UTC))


@router.post("/alarms/{alarm}/shelve")
@allow("alarm.shelve")
async def shelve(tx: Tx, caller: Caller, alarm: UUID, body: ShelveBody | None = None) -> Alarm:
    """Hide an alarm for a while; it comes back by itself."""
    given, now = body or ShelveBody.model_validate({}), datetime.now(UTC)
    until = given.until or now + timedelta(minutes=given.minutes)
    return await alarm_actions.shelve(tx, caller, alarm, until=until, now=now, comment=given.text)


@router.post("/alarms/{alarm}/unshelve")
@allow("alarm.shelve")
async def unshelve(tx: Tx, caller: Caller, alarm: UUID, body: Said | None = None) -> Alarm:
    """Show a shelved alarm again."""
    return await alarm_actions.unshelve(tx, caller, alarm, now=datetime.now(UTC), comment=body.text if body else None)


@router.post("/alarms/{alarm}/reset")
@allow("alarm.acknowledge")
async def reset(tx: Tx, caller: Caller, alarm: UUID, body: Said | None = None) -> Alarm:
    """Release the latch of a latching alarm whose condition is gone."""
    return await alarm_actions.reset(tx, caller, alarm, now=datetime.now(UTC), comment=body.text if body else None)


@router.post("/alarms/{alarm}/work-order", status_code=201)
@allow("work_order.write")
async def make_order(tx: Tx, caller: Caller, alarm: UUID, body: AlarmOrderBody | None = None) -> WorkOrder:
    """Make the work order of an alarm, at its place (7.7.1a)."""
    given = (body or AlarmOrderBody()).model_dump()
    return await orders.order_from_alarm(tx, caller, alarm, now=datetime.now(UTC), **given)


@router.get("/alarm-rules")
@allow("alarm.read")
async def list_rules(
    tx: Tx, building: str | None = None, point: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[AlarmRule]:
    """Rules in the order of their making; `point` is a key or an id."""
    building_id = (await get_building(tx, building)).id if building else None
    return await rules.list_rules(tx, building=building_id, point=point, limit=limit, cursor=cursor)


@router.post("/alarm-rules", status_code=201)
@allow("alarm_rule.write")
async def create_rule(tx: Tx, caller: Caller, body: RuleBody) -> AlarmRule:
    """Define a rule; it counts at once, also for the latest reading (6.4.3c)."""
    return await rules.create_rule(tx, caller, body.point, RuleInput(**body.model_dump(exclude={"point"})))


@router.get("/alarm-rules/{rule}")
@allow("alarm.read")
async def get_rule(tx: Tx, rule: UUID) -> AlarmRule:
    """One rule."""
    return await rules.get_rule(tx, rule)


@router.patch("/alarm-rules/{rule}")
@allow("alarm_rule.write")
async def change_rule(tx: Tx, caller: Caller, rule: UUID, body: RulePatch) -> AlarmRule:
    """Change a rule; an alarm whose condition no longer holds returns."""
    return await rules.change_rule(tx, caller, rule, patched(body, nullable=("crew",)))


@router.delete("/alarm-rules/{rule}", status_code=204)
@allow("alarm_rule.write")
async def delete_rule(tx: Tx, caller: Caller, rule: UUID) -> None:
    """Delete a rule; its alarms stay, an active one returns."""
    await rules.delete_rule(tx, caller, rule)


@router.post("/alarm-rules/{rule}/test")
@allow("alarm.read")
async def try_rule(tx: Tx, rule: UUID, body: TestBody | None = None) -> RuleTest:
    """Say what the rule would have raised from the stored readings."""
    given = body or TestBody.model_validate({})
    end = given.end or datetime.now(UTC)
    return await rules.check_against_history(tx, rule, given.start or end - timedelta(days=7), end)
