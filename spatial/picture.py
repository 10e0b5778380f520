"""The building as a small picture is drawn from it: the outline of each storey and the floors of its rooms.

Outlines come from the rooms, grown by the walls between them; a storey without rooms has the boxes of what stands on
it. Coordinates are metres in the building frame, z up, rounded to centimetres; rings are closed by their first point.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from twin.db import Conn, rows

WALL: Final = 0.4  # m: rooms so far apart belong to one outline
FINE: Final = 0.25  # m: smaller steps of an outline are left out
LEAST: Final = 0.5  # m2: smaller rooms are not drawn
DEFAULT_HEIGHT: Final = 3.0  # m
MOST_ROOMS: Final = 3_000

Ring = list[tuple[float, float]]

_STOREYS: LiteralString = """
    SELECT s.id, s.name, s.elevation FROM storey s WHERE s.building_id = %s AND s.elevation IS NOT NULL
    ORDER BY s.elevation, s.name, s.id
"""
_ROOMS: LiteralString = """
    SELECT e.id, e.storey_id, e.bbox[3] AS bottom, e.bbox[6] AS top, sp.footprint::text AS footprint
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    JOIN space sp ON sp.element_id = e.id
    WHERE e.building_id = %s AND e.ifc_class = 'IfcSpace' AND e.storey_id IS NOT NULL AND sp.footprint IS NOT NULL
    ORDER BY sp.area DESC NULLS LAST, e.id LIMIT %s
"""
_BOXES: LiteralString = """
    SELECT e.storey_id, e.bbox FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    WHERE e.building_id = %s AND e.bbox IS NOT NULL AND e.storey_id = ANY(%s)
      AND e.ifc_class IN ('IfcWall', 'IfcWallStandardCase', 'IfcSlab', 'IfcCurtainWall', 'IfcRoof', 'IfcColumn',
                          'IfcBeam', 'IfcPlate', 'IfcMember', 'IfcBuildingElementProxy')
    ORDER BY e.id LIMIT 20000
"""


@dataclass(frozen=True, slots=True)
class DrawnStorey:
    """A storey: its outline's outer rings, from `bottom` to `top`."""

    id: UUID
    name: str
    bottom: float
    top: float
    rings: list[Ring]


@dataclass(frozen=True, slots=True)
class DrawnRoom:
    """The floor of a room."""

    id: UUID
    storey_id: UUID
    bottom: float
    rings: list[Ring]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn, from the lowest storey up; empty where the model has neither rooms nor walls."""

    storeys: list[DrawnStorey]
    rooms: list[DrawnRoom]


async def read_picture(conn: Conn, building: UUID) -> Picture:
    """What the caller sees of a building's current models."""
    storeys = await rows(conn, _STOREYS, (building,))
    rooms = await rows(conn, _ROOMS, (building, MOST_ROOMS))
    without = {each["id"] for each in storeys} - {each["storey_id"] for each in rooms}
    boxes = await rows(conn, _BOXES, (building, list(without))) if without else []
    return draw(storeys, rooms, boxes)


def draw(
    storeys: Sequence[Mapping[str, Any]], rooms: Sequence[Mapping[str, Any]], boxes: Sequence[Mapping[str, Any]]
) -> Picture:
    """The picture of what was read."""
    floors: dict[UUID, list[BaseGeometry]] = defaultdict(list)
    tops: dict[UUID, float] = {}
    drawn = []
    for room in rooms:
        polygon = shapely.make_valid(shapely.from_geojson(room["footprint"]))
        floors[room["storey_id"]].append(polygon)
        tops[room["storey_id"]] = max(tops.get(room["storey_id"], room["top"]), room["top"])
        rings = _rings(polygon.simplify(FINE / 2))
        if rings and polygon.area >= LEAST:
            drawn.append(DrawnRoom(room["id"], room["storey_id"], round(room["bottom"], 2), rings))
    for each in boxes:
        x0, y0, _, x1, y1, _ = each["bbox"]
        floors[each["storey_id"]].append(shapely.box(x0, y0, x1, y1))
    shown = []
    for i, storey in enumerate(storeys):
        rings = _outline(floors.get(storey["id"], []))
        if not rings:
            continue
        above = next((s["elevation"] for s in storeys[i + 1 :] if s["elevation"] > storey["elevation"] + 1.0), None)
        top = above if above is not None else tops.get(storey["id"], storey["elevation"] + DEFAULT_HEIGHT)
        bottom = float(storey["elevation"])
        shown.append(
            DrawnStorey(storey["id"], storey["name"] or "", round(bottom, 2), round(max(top, bottom + 0.3), 2), rings)
        )
    return Picture(shown, drawn)


def _outline(parts: Sequence[BaseGeometry]) -> list[Ring]:
    if not parts:
        return []
    whole = shapely.union_all([part.buffer(WALL, join_style="mitre") for part in parts])
    return _rings(whole.buffer(-WALL / 2, join_style="mitre").simplify(FINE))


def _rings(shape: BaseGeometry) -> list[Ring]:
    """The outer rings of a shape's polygons, the largest first."""
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
    polygons.sort(key=lambda part: -part.area)
    return [[(round(x, 2), round(y, 2)) for x, y in part.exterior.coords] for part in polygons]
