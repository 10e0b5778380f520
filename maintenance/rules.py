"""Alarm rules: defining them, and asking what one would have raised in the past (6.4.3c)."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from identity import Actor, audit
from maintenance import notifications
from maintenance.alarm_state import ChangeKind, Quality, Reading, RuleKind, State, Threshold, advance, observe
from maintenance.alarm_store import SEVERITIES
from maintenance.orders import checked_text
from twin.db import Conn, object_or_none, objects, row
from twin.errors import FieldError, Invalid, NotFound
from twin.events import emit
from twin.page import Page, decode_cursor, page_of

TEST_DAYS = 366
TEST_ROWS = 5_000  # fetched at a time
DELAY_DAYS = 7


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When a point's value is alarming, how bad that is, and what follows. `limit` is ISA's alarm setpoint."""

    id: UUID
    building_id: UUID
    point: str  # key
    point_id: UUID
    unit: str | None  # of limit and deadband: the point's
    name: str
    kind: str  # high | low
    limit: float
    deadband: float
    on_delay: float  # s
    severity: str  # low | medium | high | critical
    latching: bool
    enabled: bool
    work_order: bool  # makes a work order at once
    crew: str | None  # role or account told of it
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInput:
    """All that can be chosen of a rule."""

    name: str
    kind: str
    limit: float
    severity: str
    deadband: float = 0.0
    on_delay: float = 0.0  # s
    latching: bool = False
    enabled: bool = True
    work_order: bool = False
    crew: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that the condition held, as a test against history found it."""

    rose_at: datetime
    returned_at: datetime | None  # None: it still held at the end
    value: float


@dataclass(frozen=True, slots=True)
class RuleTest:
    """What a rule would have done with the readings in `[start, end)`, had nobody acknowledged anything."""

    start: datetime
    end: datetime
    readings: int
    unusable: int  # bad, stale or no number
    episodes: list[Episode]
    active_seconds: float


_RULE: LiteralString = """
    SELECT r.id, r.building_id, p.key AS point, p.id AS point_id, p.unit, r.name, r.kind, r.alarm_setpoint AS "limit",
           r.deadband, extract(epoch FROM r.on_delay)::float8 AS on_delay, r.severity, r.latching, r.enabled,
           r.work_order, r.crew, r.created_at, r.changed_at
    FROM alarm_rule r JOIN point p ON p.handle = r.point_id
"""


async def list_rules(
    conn: Conn,
    *,
    building: UUID | None = None,
    point: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[AlarmRule]:
    """Rules in the order of their making. `point` is a key or an id."""
    after = decode_cursor(cursor, 2) or [None, None]
    found = await objects(
        conn,
        AlarmRule,
        _RULE
        + """WHERE r.deleted_at IS NULL
               AND (%(building)s::uuid IS NULL OR r.building_id = %(building)s)
               AND (%(point)s::text IS NULL OR p.key = %(point)s OR p.id::text = %(point)s)
               AND (%(at)s::timestamptz IS NULL OR (r.created_at, r.id) > (%(at)s, %(id)s::uuid))
             ORDER BY r.created_at, r.id LIMIT %(limit)s""",
        {"building": building, "point": point, "at": after[0], "id": after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda rule: [rule.created_at, rule.id])


async def get_rule(conn: Conn, rule_id: UUID) -> AlarmRule:
    """One rule that is not deleted. Raises NotFound."""
    rule = await object_or_none(conn, AlarmRule, _RULE + "WHERE r.id = %s AND r.deleted_at IS NULL", (rule_id,))
    if rule is None:
        raise NotFound("alarm_rule.unknown", id=str(rule_id))
    return rule


async def create_rule(conn: Conn, actor: Actor, point: str, given: RuleInput) -> AlarmRule:
    """Define a rule on the point with this key or id. The engine runs it from the commit on, first on `latest`."""
    found = await row(
        conn,
        """SELECT handle, building_id, kind, key FROM point
           WHERE (key = %(p)s OR id::text = %(p)s) AND retired_at IS NULL""",
        {"p": point},
    )
    if found is None:
        raise Invalid("alarm_rule.point_unknown", where="point", point=point)
    if found["kind"] == "text":
        raise Invalid("alarm_rule.point_kind", where="point", point=point)
    made = await row(
        conn,
        """INSERT INTO alarm_rule (building_id, point_id, name, kind, alarm_setpoint, deadband, on_delay, severity,
             latching, enabled, work_order, crew)
           VALUES (%(building)s, %(handle)s, %(name)s, %(kind)s, %(limit)s, %(deadband)s, %(delay)s, %(severity)s,
             %(latching)s, %(enabled)s, %(work_order)s, %(crew)s) RETURNING id""",
        {**await _checked(conn, given), "building": found["building_id"], "handle": found["handle"]},
    )
    assert made is not None
    rule = await get_rule(conn, made["id"])
    await _recorded(conn, actor, "create", rule, None)
    return rule


async def change_rule(conn: Conn, actor: Actor, rule_id: UUID, changes: Mapping[str, Any]) -> AlarmRule:
    """Change some fields of a rule (those of `RuleInput`). An alarm whose condition no longer holds then returns."""
    await conn.execute("SELECT FROM alarm_rule WHERE id = %s FOR UPDATE", (rule_id,))
    before = await get_rule(conn, rule_id)
    fields = {name: getattr(before, name) for name in RuleInput.__dataclass_fields__}
    checked = await _checked(conn, RuleInput(**{**fields, **changes}))
    await conn.execute(
        """UPDATE alarm_rule SET name = %(name)s, kind = %(kind)s, alarm_setpoint = %(limit)s,
             deadband = %(deadband)s, on_delay = %(delay)s, severity = %(severity)s, latching = %(latching)s,
             enabled = %(enabled)s, work_order = %(work_order)s, crew = %(crew)s, changed_at = now()
           WHERE id = %(id)s""",
        {**checked, "id": rule_id},
    )
    rule = await get_rule(conn, rule_id)
    await _recorded(conn, actor, "update", rule, before)
    return rule


async def delete_rule(conn: Conn, actor: Actor, rule_id: UUID) -> None:
    """Delete a rule. Its alarms stay; an active one returns."""
    await conn.execute("SELECT FROM alarm_rule WHERE id = %s FOR UPDATE", (rule_id,))
    before = await get_rule(conn, rule_id)
    await conn.execute("UPDATE alarm_rule SET deleted_at = now(), changed_at = now() WHERE id = %s", (rule_id,))
    await _recorded(conn, actor, "delete", before, before)


async def check_against_history(conn: Conn, rule_id: UUID, start: datetime, end: datetime) -> RuleTest:
    """Run a rule over the stored readings of `[start, end)`: the same state machine, the clock of the readings."""
    if not timedelta(0) < end - start <= timedelta(days=TEST_DAYS):
        raise Invalid("maintenance.window", where="from", days=TEST_DAYS)
    found = await row(
        conn,
        """SELECT r.point_id, r.kind, r.alarm_setpoint, r.deadband, r.on_delay, r.latching,
                  p.patience AS stale_after
           FROM alarm_rule r JOIN point p ON p.handle = r.point_id WHERE r.id = %s AND r.deleted_at IS NULL""",
        (rule_id,),
    )
    if found is None:
        raise NotFound("alarm_rule.unknown", id=str(rule_id))
    threshold = Threshold(
        kind=RuleKind(found["kind"]),
        setpoint=found["alarm_setpoint"],
        deadband=found["deadband"],
        on_delay=found["on_delay"],
        latching=found["latching"],
        stale_after=found["stale_after"],
    )
    return await _replay(conn, threshold, found["point_id"], start, end)


async def _replay(conn: Conn, threshold: Threshold, handle: int, start: datetime, end: datetime) -> RuleTest:
    state, changes, count, unusable = State(), [], 0, 0
    async with conn.cursor(name="rule_test") as cursor:
        cursor.itersize = TEST_ROWS
        await cursor.execute(
            "SELECT ts, num, q FROM reading WHERE point_id = %s AND ts >= %s AND ts < %s ORDER BY ts",
            (handle, start, end),
        )
        async for each in cursor:
            quality = each["q"] if each["num"] is not None else max(each["q"], Quality.BAD)
            state, more = observe(threshold, state, Reading(each["ts"], each["num"] or 0.0, quality))
            changes += more
            count += 1
            unusable += quality >= Quality.BAD
    state, more = advance(threshold, state, end - timedelta(microseconds=1))
    episodes: list[Episode] = []
    for change in [*changes, *more]:
        if change.kind in (ChangeKind.RAISED, ChangeKind.AGAIN):
            episodes.append(Episode(change.at, None, change.alarm.value))
        elif change.kind is ChangeKind.RETURNED:
            episodes[-1] = Episode(episodes[-1].rose_at, change.at, episodes[-1].value)
    held = sum(((each.returned_at or end) - each.rose_at).total_seconds() for each in episodes)
    return RuleTest(start, end, count, unusable, episodes, held)


async def _checked(conn: Conn, given: RuleInput) -> dict[str, Any]:
    """The columns of a rule. Raises Invalid with every field that cannot be."""
    wrong = []
    if not math.isfinite(given.limit):
        wrong.append(FieldError("limit", "alarm_rule.number"))
    for field in ("deadband", "on_delay"):
        value = getattr(given, field)
        if not math.isfinite(value) or value < 0:
            wrong.append(FieldError(field, "alarm_rule.not_negative"))
    for field, choices in (("kind", tuple(RuleKind)), ("severity", SEVERITIES)):
        if (value := getattr(given, field)) not in choices:
            params = {"value": value, "choices": ", ".join(choices)}
            wrong.append(FieldError(field, "maintenance.choice", params))
    if not wrong and given.on_delay > DELAY_DAYS * 86_400:
        wrong.append(FieldError("on_delay", "alarm_rule.on_delay", {"days": DELAY_DAYS}))
    if wrong:
        raise Invalid("alarm_rule.invalid", fields=wrong)
    await notifications.check_crew(conn, given.crew)
    name = checked_text(given.name, "name", 200)
    return {**asdict(given), "name": name, "delay": timedelta(seconds=given.on_delay)}


async def _recorded(conn: Conn, actor: Actor, act: str, rule: AlarmRule, before: AlarmRule | None) -> None:
    fields = RuleInput.__dataclass_fields__
    old = None if before is None else {name: getattr(before, name) for name in fields}
    new = None if act == "delete" else {name: getattr(rule, name) for name in fields}
    await audit.record(conn, actor, f"alarm_rule.{act}", f"alarm_rule:{rule.id}", before=old, after=new)
    data = {"id": str(rule.id), "point": rule.point, "name": rule.name, "change": act}
    await emit(conn, "alarm_rule", data, building_id=rule.building_id)
