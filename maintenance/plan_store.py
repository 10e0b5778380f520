"""Maintenance plans in the database: reading them, and which elements one is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from maintenance.plan_dates import Recurrence
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Conflict, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of
from twin.places import resolve_element

ELEMENT_LIMIT = 1_000  # orders of one occurrence
TARGETS = {"element": "element_id", "type": "type_id", "system": "group_id", "class": "ifc_class"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Something to be done again and again at an element, at all of a type or class, or throughout a system."""

    id: UUID
    building_id: UUID
    name: str
    description: str | None
    rrule: str | None  # RFC 5545, in `time_zone`; None: once, at `starts_at`
    starts_at: datetime
    time_zone: str  # of the site
    lead: float  # s; orders are made so long before they are due
    priority: str
    target_kind: str  # element | type | class | system
    element_id: UUID | None
    type_id: UUID | None
    group_id: UUID | None  # the system
    ifc_class: str | None  # with its subclasses
    target_name: str | None
    crew: str | None
    checklist: list[str]
    enabled: bool
    next_due: datetime | None
    created_by: str
    created_at: datetime

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.rrule, self.starts_at, ZoneInfo(self.time_zone))

    @property
    def lead_time(self) -> timedelta:
        return timedelta(seconds=self.lead)


@dataclass(frozen=True, slots=True)
class Target:
    """What a plan is about: exactly one of the four."""

    kind: str
    element_id: UUID | None = None
    type_id: UUID | None = None
    group_id: UUID | None = None
    ifc_class: str | None = None


@dataclass(frozen=True, slots=True)
class PlanElement:
    """An element that a plan is about."""

    element_id: UUID
    global_id: str
    name: str | None
    storey_id: UUID | None


_PLAN: LiteralString = """
    SELECT p.id, p.building_id, p.name, p.description, p.rrule, p.starts_at, site.time_zone,
           extract(epoch FROM p.lead)::float8 AS lead, p.priority, p.target_kind, p.element_id, p.type_id,
           p.group_id, p.ifc_class,
           coalesce(e.name, e.long_name, t.name, g.name, p.ifc_class) AS target_name,
           p.crew, p.checklist, p.enabled, p.next_due, p.created_by, p.created_at
    FROM plan p JOIN building b ON b.id = p.building_id JOIN site ON site.id = b.site_id
    LEFT JOIN element e ON e.id = p.element_id
    LEFT JOIN element_type t ON t.id = p.type_id
    LEFT JOIN element_group g ON g.id = p.group_id
"""


async def list_plans(
    conn: Conn, *, building: UUID | None = None, limit: int = 100, cursor: str | None = None
) -> Page[Plan]:
    """Plans in the order of their making."""
    after = decode_cursor(cursor, 2) or [None, None]
    found = await objects(
        conn,
        Plan,
        _PLAN
        + """WHERE p.deleted_at IS NULL AND (%(building)s::uuid IS NULL OR p.building_id = %(building)s)
               AND (%(at)s::timestamptz IS NULL OR (p.created_at, p.id) > (%(at)s, %(id)s::uuid))
             ORDER BY p.created_at, p.id LIMIT %(limit)s""",
        {"building": building, "at": after[0], "id": after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda plan: [plan.created_at, plan.id])


async def get_plan(conn: Conn, plan_id: UUID, *, lock: bool = False) -> Plan:
    """One plan that is not deleted; with `lock` until the end of the transaction. Raises NotFound."""
    if lock:
        await conn.execute("SELECT FROM plan WHERE id = %s FOR NO KEY UPDATE", (plan_id,))
    plan = await object_or_none(conn, Plan, _PLAN + "WHERE p.id = %s AND p.deleted_at IS NULL", (plan_id,))
    if plan is None:
        raise NotFound("plan.unknown", id=str(plan_id))
    return plan


async def find_target(
    conn: Conn,
    building_id: UUID,
    *,
    element: str | None = None,
    type_: str | None = None,
    system: str | None = None,
    ifc_class: str | None = None,
) -> Target:
    """The target that somebody means: ids, GlobalIds, or the name of a system or type. Raises Invalid or Conflict."""
    if sum(each is not None for each in (element, type_, system, ifc_class)) != 1:
        raise Invalid("plan.target", where="element")
    if element is not None:
        return Target("element", element_id=await resolve_element(conn, element, building=building_id))
    if type_ is not None:
        found = await rows(
            conn,
            """SELECT t.id FROM element_type t JOIN model m ON m.id = t.model_id WHERE m.building_id = %(b)s
               AND (t.id::text = %(ref)s OR t.global_id = %(ref)s OR t.name = %(ref)s) LIMIT 20""",
            {"b": building_id, "ref": type_},
        )
        return Target("type", type_id=_only([each["id"] for each in found], "type", type_))
    if system is not None:
        found = await rows(
            conn,
            """SELECT g.id FROM element_group g JOIN model m ON m.id = g.model_id WHERE g.building_id = %(b)s
               AND g.last_version = m.current_version
               AND (g.id::text = %(ref)s OR g.global_id = %(ref)s OR g.name = %(ref)s) LIMIT 20""",
            {"b": building_id, "ref": system},
        )
        return Target("system", group_id=_only([each["id"] for each in found], "system", system))
    if await row(conn, "SELECT 1 FROM ifc_class WHERE ancestor = %s", (ifc_class,)) is None:
        raise Invalid("plan.target_unknown", where="ifc_class", kind="ifc_class", ref=ifc_class)
    return Target("class", ifc_class=ifc_class)


def _only(found: Sequence[UUID], kind: str, ref: str) -> UUID:
    if not found:
        raise Invalid("plan.target_unknown", where=kind, kind=kind, ref=ref)
    if len(found) > 1:
        candidates = [str(each) for each in found]
        raise Conflict("plan.target_ambiguous", where=kind, ref=ref, count=len(found), candidates=candidates)
    return found[0]


_ELEMENTS: dict[str, LiteralString] = {
    "element": "e.id = %(ref)s",
    "type": "e.type_id = %(ref)s AND e.last_version = m.current_version",
    "class": """e.building_id = %(building)s AND e.last_version = m.current_version
                AND e.ifc_class IN (SELECT name FROM ifc_class WHERE ancestor = %(ref)s)""",
    "system": """e.last_version = m.current_version AND e.ifc_class <> 'IfcDistributionPort' AND e.id IN (
                 WITH RECURSIVE inside (id) AS (
                     SELECT %(ref)s::uuid
                     UNION SELECT c.child_id FROM element_group_child c JOIN inside ON c.group_id = inside.id)
                 SELECT element_id FROM element_group_member JOIN inside ON group_id = inside.id)""",
}


async def elements_of(conn: Conn, building_id: UUID, target: Target | Plan) -> list[PlanElement]:
    """The elements that a target means now, as the shown versions of the models have them."""
    kind = target.kind if isinstance(target, Target) else target.target_kind
    refs = {"element": target.element_id, "type": target.type_id, "class": target.ifc_class, "system": target.group_id}
    return await objects(
        conn,
        PlanElement,
        """SELECT e.id AS element_id, e.global_id, coalesce(e.name, e.long_name) AS name, e.storey_id
           FROM element e JOIN model m ON m.id = e.model_id WHERE """
        + _ELEMENTS[kind]
        + " ORDER BY e.storey_id, e.id",
        {"ref": refs[kind], "building": building_id},
    )
