"""Alarms in the database: reading them, and writing down what the state machine said."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from identity import SYSTEM
from maintenance.alarm_state import Change, ChangeKind, Life, RuleKind, State, Threshold
from maintenance.alarm_table import timer_of
from maintenance.place import Place, place_of, plain
from telemetry.units import get_unit
from twin.db import Conn, object_or_none, objects, rows
from twin.errors import Invalid, Language, NotFound, text_of
from twin.events import emit
from twin.page import Page, decode_cursor, page_of
from twin.viewpoint import Viewpoint

STATES = ("unacked", "acked", "rtn_unacked", "latched_unacked", "latched_acked", "shelved", "closed")
SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, from its first rise until it is closed (ISA-18.2). `state` is derived from the fields below it."""

    id: UUID
    state: str  # unacked | acked | rtn_unacked | latched_unacked | latched_acked | shelved | closed
    active: bool
    acked: bool
    latched: bool
    shelved_until: datetime | None
    severity: str
    code: str  # alarm.high | low | on | off; `params` fill its text in any language
    params: dict[str, Any]
    message: str  # that text in the language of the installation
    rule_id: UUID
    rule: str
    point: str  # key
    point_id: UUID
    unit: str | None
    value: float  # that made it rise, the last time
    limit: float
    count: int
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
    position: list[float] | None  # m, building frame, z up
    viewpoint: Viewpoint | None
    raised_at: datetime
    rose_at: datetime
    returned_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None
    closed_at: datetime | None
    work_order_id: UUID | None  # the newest that is not cancelled


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One line of an alarm's history."""

    at: datetime
    kind: str  # a ChangeKind, comment or work_order
    actor: str
    value: float | None
    comment: str | None


_ALARM: LiteralString = """
    SELECT a.id, a.state, a.active, a.acked, a.latched, a.shelved_until, a.severity, a.code, a.params, a.message,
           a.rule_id, r.name AS rule, p.key AS point, p.id AS point_id, p.unit, a.value, r.alarm_setpoint AS "limit",
           a.count, a.building_id, a.storey_id, storey.name AS storey, a.space_id,
           coalesce(space.long_name, space.name) AS space, a.element_id, e.global_id,
           coalesce(e.name, e.long_name) AS element, e.ifc_class, a.asset_id, a.position, a.viewpoint,
           a.raised_at, a.rose_at, a.returned_at, a.acked_at, a.acked_by, a.closed_at,
           (SELECT w.id FROM work_order w WHERE w.alarm_id = a.id AND w.state <> 'cancelled'
            ORDER BY w.number DESC LIMIT 1) AS work_order_id
    FROM alarm a JOIN alarm_rule r ON r.id = a.rule_id JOIN point p ON p.handle = a.point_id
    LEFT JOIN storey ON storey.id = a.storey_id
    LEFT JOIN element space ON space.id = a.space_id
    LEFT JOIN element e ON e.id = a.element_id
"""


async def list_alarms(
    conn: Conn,
    *,
    building: UUID | None = None,
    element: UUID | None = None,
    states: Sequence[str] = (),
    severities: Sequence[str] = (),
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Alarm]:
    """Alarms, the newest first. `states` may also be `open` (not closed) and `active` (the condition holds)."""
    wanted = [state for one in states for state in (STATES[:-1] if one == "open" else [one])]
    _check_words(wanted, (*STATES, "active"), "state")
    _check_words(severities, SEVERITIES, "severity")
    after = decode_cursor(cursor, 2) or [None, None]
    # Closed alarms only ever get more: what excludes them goes by an index that does not have them.
    closed: LiteralString = "TRUE" if not wanted or "closed" in wanted else "a.closed_at IS NULL"
    found = await objects(
        conn,
        Alarm,
        _ALARM
        + "WHERE "
        + closed
        + """ AND (%(building)s::uuid IS NULL OR a.building_id = %(building)s)
               AND (%(element)s::uuid IS NULL OR a.element_id = %(element)s)
               AND (%(states)s::text[] = '{}' OR a.state = ANY(%(states)s)
                    OR ('active' = ANY(%(states)s) AND a.active AND a.closed_at IS NULL))
               AND (%(severities)s::text[] = '{}' OR a.severity = ANY(%(severities)s))
               AND (%(at)s::timestamptz IS NULL OR (a.raised_at, a.id) < (%(at)s, %(id)s::uuid))
             ORDER BY a.raised_at DESC, a.id DESC LIMIT %(limit)s""",
        {
            "building": building,
            "element": element,
            "states": wanted,
            "severities": list(severities),
            "at": after[0],
            "id": after[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda alarm: [alarm.raised_at, alarm.id])


def _check_words(given: Sequence[str], known: Sequence[str], field: str) -> None:
    for word in given:
        if word not in known:
            raise Invalid("maintenance.choice", where=field, value=word, choices=", ".join(known))


async def get_alarm(conn: Conn, alarm_id: UUID) -> Alarm:
    """One alarm. Raises NotFound."""
    alarm = await object_or_none(conn, Alarm, _ALARM + "WHERE a.id = %s", (alarm_id,))
    if alarm is None:
        raise NotFound("alarm.unknown", id=str(alarm_id))
    return alarm


async def alarm_history(conn: Conn, alarm_id: UUID) -> list[AlarmEvent]:
    """Everything that happened to an alarm, the oldest first."""
    return await objects(
        conn,
        AlarmEvent,
        "SELECT at, kind, actor, value, comment FROM alarm_event WHERE alarm_id = %s ORDER BY id",
        (alarm_id,),
    )


async def lock_life(conn: Conn, alarm_id: UUID) -> Life:
    """The fields of an alarm for the state machine, locked until the end of the transaction. Raises NotFound."""
    life = await object_or_none(
        conn,
        Life,
        """SELECT active, acked, latched, value, raised_at, rose_at, count, shelved_until, returned_at, acked_at,
                  closed_at FROM alarm WHERE id = %s FOR UPDATE""",
        (alarm_id,),
    )
    if life is None:
        raise NotFound("alarm.unknown", id=str(alarm_id))
    return life


async def add_history(
    conn: Conn, alarm_id: UUID, kind: str, actor: str, at: datetime, *, comment: str | None = None
) -> None:
    """Write one line of an alarm's history."""
    await conn.execute(
        "INSERT INTO alarm_event (alarm_id, at, kind, actor, comment) VALUES (%s, %s, %s, %s, %s)",
        (alarm_id, at, kind, actor, comment),
    )


async def announce(conn: Conn, changes: Mapping[UUID, Sequence[str]]) -> None:
    """Tell those who watch, once per alarm: the alarm as it is now, and what happened to it."""
    for alarm in await objects(conn, Alarm, _ALARM + "WHERE a.id = ANY(%s)", (list(changes),)):
        data = {**plain(alarm), "changes": list(changes[alarm.id])}
        await emit(conn, "alarm", data, building_id=alarm.building_id, storey_id=alarm.storey_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A rule with everything the engine needs to run it and to write down the outcome."""

    rule_id: UUID
    handle: int
    building_id: UUID
    live: bool  # enabled, not deleted, its point not retired
    threshold: Threshold
    severity: str
    work_order: bool
    crew: str | None
    key: str
    point: str
    point_kind: str
    unit: str | None
    element_id: UUID | None
    state: State
    alarm_id: UUID | None
    latest: tuple[datetime, float | None, int] | None  # time, value, quality


_TRACKED: LiteralString = """
    SELECT r.id AS rule_id, r.building_id, r.kind, r.alarm_setpoint, r.deadband, r.on_delay, r.latching, r.severity,
           r.work_order, r.crew, r.enabled AND r.deleted_at IS NULL AND p.retired_at IS NULL AS live,
           p.handle, p.key, p.name AS point, p.kind AS point_kind, p.unit, p.element_id, p.patience AS stale_after,
           t.since, t.due_at, t.value AS timer_value, t.frozen_at,
           l.ts AS latest_ts, l.num AS latest_num, l.q AS latest_q,
           a.id AS alarm_id, a.active, a.acked, a.latched, a.value, a.raised_at, a.rose_at, a.count,
           a.shelved_until, a.returned_at, a.acked_at, a.closed_at
    FROM alarm_rule r JOIN point p ON p.handle = r.point_id
    LEFT JOIN alarm_timer t ON t.rule_id = r.id
    LEFT JOIN latest l ON l.point_id = r.point_id
    LEFT JOIN alarm a ON a.rule_id = r.id AND a.point_id = r.point_id AND a.closed_at IS NULL
"""


async def load_tracked(conn: Conn) -> list[Tracked]:
    """All rules that are live, and those that are not but have left something behind."""
    found = await rows(
        conn,
        _TRACKED
        + """WHERE (r.enabled AND r.deleted_at IS NULL AND p.retired_at IS NULL)
                OR t.rule_id IS NOT NULL OR a.active ORDER BY p.handle, r.id""",
    )
    return [_tracked(each) for each in found]


async def lock_tracked(conn: Conn, rule_ids: Sequence[UUID]) -> list[Tracked]:
    """The rules with these ids as they are now; nobody else runs them or touches their open alarms meanwhile."""
    ids = {"ids": sorted(rule_ids)}
    await conn.execute("SELECT FROM alarm_rule WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE", ids)
    await conn.execute(
        "SELECT FROM alarm WHERE rule_id = ANY(%(ids)s) AND closed_at IS NULL ORDER BY id FOR UPDATE", ids
    )
    return [_tracked(each) for each in await rows(conn, _TRACKED + "WHERE r.id = ANY(%(ids)s) ORDER BY r.id", ids)]


def _tracked(found: Mapping[str, Any]) -> Tracked:
    life = None
    if found["alarm_id"] is not None:
        life = Life(**{field: found[field] for field in Life.__dataclass_fields__})
    latest = None if found["latest_ts"] is None else (found["latest_ts"], found["latest_num"], found["latest_q"])
    return Tracked(
        **{name: found[name] for name in Tracked.__dataclass_fields__ if name in found},
        threshold=Threshold(
            kind=RuleKind(found["kind"]),
            setpoint=found["alarm_setpoint"],
            deadband=found["deadband"],
            on_delay=found["on_delay"],
            latching=found["latching"],
            stale_after=found["stale_after"],
        ),
        state=State(timer_of(found["since"], found["due_at"], found["timer_value"], found["frozen_at"]), life),
        latest=latest,
    )


async def write_outcome(
    conn: Conn, tracked: Tracked, state: State, changes: Sequence[Change], now: datetime, language: Language
) -> dict[UUID, list[str]]:
    """Write the timer, the alarms and their history; answer what happened to which alarm, in order."""
    if state.timer != tracked.state.timer:
        await _write_timer(conn, tracked.rule_id, state)
    lives: dict[UUID, Life] = {}
    told: dict[UUID, list[str]] = {}
    alarm_id = tracked.alarm_id
    lines = []
    for change in changes:
        if change.kind is ChangeKind.RAISED:
            alarm_id = uuid4()
        assert alarm_id is not None  # nothing but RAISED happens where there is no alarm
        lives[alarm_id] = change.alarm
        told.setdefault(alarm_id, []).append(change.kind)
        lines.append((alarm_id, change.at, change.kind, SYSTEM.name, change.value))
    for each, life in lives.items():
        if each == tracked.alarm_id:
            await write_life(conn, each, life)
        else:
            await _insert(conn, tracked, each, life, now, language)
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO alarm_event (alarm_id, at, kind, actor, value) VALUES (%s, %s, %s, %s, %s)", lines
        )
    return told


async def write_life(conn: Conn, alarm_id: UUID, life: Life, acked_by: str | None = None) -> None:
    """Write the fields of the state machine; `acked_by` stays unless it is given or the acknowledgement is gone."""
    await conn.execute(
        """UPDATE alarm SET active = %(active)s, acked = %(acked)s, latched = %(latched)s, value = %(value)s,
             rose_at = %(rose_at)s, count = %(count)s, shelved_until = %(shelved_until)s,
             returned_at = %(returned_at)s, acked_at = %(acked_at)s, closed_at = %(closed_at)s,
             acked_by = CASE WHEN %(acked)s THEN coalesce(%(acked_by)s, acked_by) END
           WHERE id = %(id)s""",
        {**asdict(life), "id": alarm_id, "acked_by": acked_by},
    )


async def _write_timer(conn: Conn, rule_id: UUID, state: State) -> None:
    timer = state.timer
    if timer is None:
        await conn.execute("DELETE FROM alarm_timer WHERE rule_id = %s", (rule_id,))
        return
    await conn.execute(
        """INSERT INTO alarm_timer (rule_id, since, due_at, value, frozen_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (rule_id) DO UPDATE SET since = excluded.since, due_at = excluded.due_at,
             value = excluded.value, frozen_at = excluded.frozen_at""",
        (rule_id, timer.since, timer.due_at, timer.value, timer.frozen_at),
    )


async def _insert(conn: Conn, tracked: Tracked, alarm_id: UUID, life: Life, now: datetime, language: Language) -> None:
    place = await place_of(conn, tracked.element_id, tracked.building_id, min(life.raised_at, now))
    code = _code(tracked)
    params = _params(tracked, life, place)
    await conn.execute(
        """INSERT INTO alarm (id, rule_id, point_id, building_id, storey_id, space_id, element_id, asset_id, position,
             viewpoint, severity, code, params, message, value, count, active, acked, latched, shelved_until,
             raised_at, rose_at, returned_at, acked_at, closed_at)
           VALUES (%(id)s, %(rule)s, %(point)s, %(building_id)s, %(storey_id)s, %(space_id)s, %(element_id)s,
             %(asset_id)s, %(position)s, %(viewpoint)s, %(severity)s, %(code)s, %(params)s, %(message)s, %(value)s,
             %(count)s, %(active)s, %(acked)s, %(latched)s, %(shelved_until)s, %(raised_at)s, %(rose_at)s,
             %(returned_at)s, %(acked_at)s, %(closed_at)s)""",
        {
            **asdict(place),
            **asdict(life),
            "id": alarm_id,
            "rule": tracked.rule_id,
            "point": tracked.handle,
            "viewpoint": Jsonb(place.viewpoint) if place.viewpoint else None,
            "severity": tracked.severity,
            "code": code,
            "params": Jsonb(params),
            "message": text_of(code, language, params),
        },
    )


def _code(tracked: Tracked) -> str:
    """What the alarm says: a switch is on or off, never "1, above the limit of 0.5"."""
    if tracked.point_kind == "bool":
        return "alarm.on" if tracked.threshold.kind is RuleKind.HIGH else "alarm.off"
    return f"alarm.{tracked.threshold.kind}"


def _params(tracked: Tracked, life: Life, place: Place) -> dict[str, Any]:
    return {
        "point": tracked.point,
        "key": tracked.key,
        "value": life.value,
        "limit": tracked.threshold.setpoint,
        "unit": tracked.unit or "",
        "sign": f" {get_unit(tracked.unit).symbol}" if tracked.unit else "",
        "place": place.label,
    }
