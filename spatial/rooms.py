"""Rooms: their floor, what stands in them, which doors lead out of them, which rooms touch them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from spatial.network import Network
from twin.db import Conn, objects, row, rows
from twin.errors import NotFound


@dataclass(frozen=True, slots=True)
class Located:
    """An element in or beside a room."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    derived: bool  # placed by geometry, not by the file


@dataclass(frozen=True, slots=True)
class RoomPoint:
    """A data point of the room or of something in it."""

    id: UUID
    key: str
    name: str
    unit: str | None
    quantity: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """An IfcSpace (ISO 16739-1). Lengths in metres in the building frame."""

    id: UUID
    global_id: str
    name: str | None
    long_name: str | None
    storey_id: UUID | None
    storey_name: str | None
    area: float | None  # m2, of the floor polygon
    height: float | None
    footprint: dict[str, Any] | None  # GeoJSON geometry
    equipment: list[Located]
    doors: list[Located]
    neighbours: list[Located]
    points: list[RoomPoint]


_DETAIL = """
    SELECT e.id, e.global_id, e.name, e.long_name, e.storey_id, s.name AS storey_name, p.area, p.height, p.footprint
    FROM element e LEFT JOIN storey s ON s.id = e.storey_id LEFT JOIN space p ON p.element_id = e.id
    WHERE e.id = %(id)s AND e.ifc_class = 'IfcSpace'
"""
_EQUIPMENT = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.space_derived AS derived
    FROM element e JOIN model m ON m.id = e.model_id
    WHERE e.space_id = %(id)s AND e.last_version = m.current_version
      AND NOT EXISTS (SELECT 1 FROM ifc_class c WHERE c.name = e.ifc_class
                      AND c.ancestor IN ('IfcPort', 'IfcFeatureElement'))
    ORDER BY e.ifc_class, e.name
"""
_BESIDE = """
    SELECT id, global_id, ifc_class, coalesce(long_name, name) AS name FROM element WHERE id = ANY(%(ids)s)
    ORDER BY name, global_id
"""
_POINTS = """
    SELECT p.id, p.key, p.name, p.unit, p.quantity FROM point p JOIN element e ON e.id = p.element_id
    WHERE (e.id = %(id)s OR e.space_id = %(id)s) AND p.retired_at IS NULL ORDER BY p.name
"""


async def get_room(conn: Conn, network: Network, element_id: UUID) -> Room:
    """Return the room with that element id; raise NotFound when it is none."""
    detail = await row(conn, _DETAIL, {"id": element_id})
    if detail is None:
        raise NotFound("space.unknown", space=str(element_id))
    doors = {join.door: join.derived for join in network.doors_of(element_id)}
    return Room(
        **detail,
        equipment=await objects(conn, Located, _EQUIPMENT, {"id": element_id}),
        doors=await _located(conn, doors),
        neighbours=await _located(conn, network.beside(element_id)),
        points=await objects(conn, RoomPoint, _POINTS, {"id": element_id}),
    )


async def _located(conn: Conn, derived: Mapping[UUID, bool]) -> list[Located]:
    found = await rows(conn, _BESIDE, {"ids": list(derived)})
    return [Located(**element, derived=derived[element["id"]]) for element in found]
