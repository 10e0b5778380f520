"""Figures of a building by storey, zone, use or class: areas, what stands there, what is measured (6.1.4c, d).

Everything is counted on the caller's connection: what the caller may not see is not counted.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from spatial.zones import MEMBERSHIP
from twin.db import Conn, rows

By = Literal["storey", "zone", "use", "class"]


@dataclass(frozen=True, slots=True)
class Measured:
    """The present values of the points of one quantity and unit; bad and outdated ones left out."""

    quantity: str | None  # QUDT quantity kind
    unit: str | None  # QUDT code
    points: int
    mean: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many elements of one class there are."""

    ifc_class: str
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one storey, zone, use or class has. `id`: of the storey or zone; both null: what belongs to none."""

    id: UUID | None
    name: str | None
    rooms: int = 0
    area: float = 0.0  # m2, of the rooms' floors, as their meshes have it, else as the file states
    area_stated: float = 0.0  # m2, of those rooms for which the file states one
    volume: float = 0.0  # m3, area times height
    elements: int = 0  # everything but rooms
    equipment: int = 0  # of these: distribution, transport and furnishing elements
    points: int = 0
    open_alarms: int = 0
    classes: list[ClassCount] = field(default_factory=list)  # of the elements, most first
    readings: list[Measured] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of a building in groups. A room in two zones counts in both, so zones need not add up to `total`."""

    by: By
    groups: list[Figures]
    total: Figures


_SHOWN: Final[LiteralString] = """
    shown AS MATERIALIZED (
        SELECT e.id, e.ifc_class, e.storey_id, CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS room
        FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
        WHERE e.building_id = %(building)s AND NOT e.id = ANY (%(doubles)s) AND NOT EXISTS (
            SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND e.ifc_class <> 'IfcSpace' AND c.ancestor IN (
                'IfcSpatialStructureElement', 'IfcSpatialElement', 'IfcPort', 'IfcGrid', 'IfcFeatureElement',
                'IfcAnnotation', 'IfcVirtualElement')))"""
_KEYED: Final[dict[By, LiteralString]] = {
    "storey": "SELECT id, storey_id AS key, NULL::text AS name FROM shown",
    "zone": f"""SELECT s.id, z.id AS key, z.name FROM shown s
                LEFT JOIN ({MEMBERSHIP}) z ON z.element_id = s.room""",
    "use": """SELECT s.id, NULL::uuid AS key, p.use AS name FROM shown s
              LEFT JOIN space p ON p.element_id = s.room""",
    "class": "SELECT id, NULL::uuid AS key, ifc_class AS name FROM shown",
}
_AREAS: Final[LiteralString] = """
    SELECT k.key, k.name, count(*) AS rooms, coalesce(sum(coalesce(p.area, p.stated_area)), 0) AS area,
           coalesce(sum(p.stated_area), 0) AS area_stated,
           coalesce(sum(coalesce(p.area, p.stated_area) * coalesce(p.height, p.stated_height)), 0) AS volume
    FROM shown s JOIN keyed k ON k.id = s.id LEFT JOIN space p ON p.element_id = s.id
    WHERE s.ifc_class = 'IfcSpace' GROUP BY k.key, k.name"""
_COUNTS: Final[LiteralString] = """
    SELECT k.key, k.name, s.ifc_class, count(*) AS count, EXISTS (
               SELECT FROM ifc_class c WHERE c.name = s.ifc_class AND c.ancestor IN (
                   'IfcDistributionElement', 'IfcTransportElement', 'IfcFurnishingElement')) AS equipment
    FROM shown s JOIN keyed k ON k.id = s.id WHERE s.ifc_class <> 'IfcSpace' GROUP BY k.key, k.name, s.ifc_class
    ORDER BY count(*) DESC, s.ifc_class"""
_READINGS: Final[LiteralString] = """
    SELECT k.key, k.name, p.quantity, p.unit, count(*) AS points, count(l.num) AS valued, avg(l.num) AS mean,
           min(l.num) AS minimum, max(l.num) AS maximum
    FROM point p JOIN keyed k ON k.id = p.element_id
    LEFT JOIN latest l ON l.point_id = p.handle AND l.q < 2 AND p.kind = 'number'
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL GROUP BY k.key, k.name, p.quantity, p.unit
    ORDER BY count(l.num) DESC, p.quantity, p.unit"""
_ALARMS: Final[LiteralString] = """
    SELECT k.key, k.name, count(*) AS open_alarms FROM alarm a JOIN keyed k ON k.id = a.element_id
    WHERE a.building_id = %(building)s AND a.closed_at IS NULL GROUP BY k.key, k.name"""
_TOTAL: Final[LiteralString] = "SELECT id, NULL::uuid AS key, NULL::text AS name FROM shown"

_Key = tuple[UUID | None, str | None]


async def statistics(conn: Conn, building: UUID, by: By, doubles: Iterable[UUID]) -> Statistics:
    """Return the figures of a building; `doubles` are rooms that another model has too and that count once."""
    params = {"building": building, "elements": None, "doubles": list(doubles)}
    groups = await _figures(conn, _KEYED[by], params)
    if by == "storey":
        groups = await _in_order(conn, building, groups)
    else:
        groups = sorted(groups, key=lambda each: (each.name is None, -each.area, -each.elements, each.name or ""))
    total = await _figures(conn, _TOTAL, params)
    return Statistics(by, groups, total[0] if total else Figures(None, None))


async def _figures(conn: Conn, keyed: LiteralString, params: dict[str, Any]) -> list[Figures]:
    head: LiteralString = f"WITH {_SHOWN}, keyed AS ({keyed})"
    found: defaultdict[_Key, dict[str, Any]] = defaultdict(dict)
    for each in await rows(conn, head + _AREAS, params):
        found[each.pop("key"), each.pop("name")].update(each)
    for each in await rows(conn, head + _COUNTS, params):
        of = found[each["key"], each["name"]]
        of["elements"] = of.get("elements", 0) + each["count"]
        of["equipment"] = of.get("equipment", 0) + (each["count"] if each["equipment"] else 0)
        of.setdefault("classes", []).append(ClassCount(each["ifc_class"], each["count"]))
    for each in await rows(conn, head + _READINGS, params):
        of = found[each["key"], each["name"]]
        of["points"] = of.get("points", 0) + each["points"]
        if each["valued"]:
            values = (each["mean"], each["minimum"], each["maximum"])
            of.setdefault("readings", []).append(Measured(each["quantity"], each["unit"], each["valued"], *values))
    for each in await rows(conn, head + _ALARMS, params):
        found[each["key"], each["name"]]["open_alarms"] = each["open_alarms"]
    return [Figures(id, name, **figures) for (id, name), figures in found.items()]


async def _in_order(conn: Conn, building: UUID, groups: list[Figures]) -> list[Figures]:
    """Return storeys with their names, lowest first, what is on none last."""
    named = await rows(
        conn,
        "SELECT id, name FROM storey WHERE building_id = %s ORDER BY elevation NULLS LAST, name, id",
        (building,),
    )
    of = {each.id: each for each in groups}
    listed = [replace(of[storey["id"]], name=storey["name"]) for storey in named if storey["id"] in of]
    return listed + [each for each in groups if each.id is None]
