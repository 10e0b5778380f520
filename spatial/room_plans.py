"""The rooms of a building as its models have them now: floor polygons, heights, and which of them are the same room."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import shapely

from spatial.joins import RoomPlan
from twin.db import Conn, rows

DOUBLE: Final = 0.9  # share of a room that another model's room covers, to be the same room


async def read_rooms(conn: Conn, building: UUID) -> list[dict[str, Any]]:
    """Return the rooms as shown: id, model_id, discipline, storey_id, elevation, bbox, footprint (text)."""
    return await rows(
        conn,
        """SELECT e.id, e.model_id, m.discipline, e.storey_id, t.elevation, e.bbox, s.footprint::text AS footprint
           FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
           LEFT JOIN space s ON s.element_id = e.id LEFT JOIN storey t ON t.id = e.storey_id
           WHERE e.building_id = %s AND e.ifc_class = 'IfcSpace' ORDER BY e.id""",
        (building,),
    )


def plans_of(found: Sequence[Mapping[str, Any]]) -> tuple[dict[UUID, RoomPlan], list[UUID]]:
    """Return the plans of rooms as read, and the rooms that have no floor."""
    plans: dict[UUID, RoomPlan] = {}
    without: list[UUID] = []
    for room in found:
        polygon = shapely.from_geojson(room["footprint"]) if room["footprint"] else None
        if polygon is None or polygon.is_empty or room["bbox"] is None:
            without.append(room["id"])
        else:
            plans[room["id"]] = RoomPlan(room["id"], shapely.make_valid(polygon), room["bbox"][2], room["bbox"][5])
    return plans, without


def without_doubles(
    plans: dict[UUID, RoomPlan], found: Sequence[Mapping[str, Any]]
) -> tuple[dict[UUID, RoomPlan], dict[UUID, UUID]]:
    """Leave out rooms that another model of the building has too: the architect's are kept, then the larger model's.

    The second mapping says for each that is left out which room it is.
    """
    models = {room["id"]: (room["model_id"], room["discipline"]) for room in found}
    size: dict[UUID, int] = defaultdict(int)
    for id in plans:
        size[models[id][0]] += 1
    if len(size) < 2:
        return plans, {}
    order = sorted(plans, key=lambda id: (models[id][1] != "arc", -size[models[id][0]], models[id][0], id))
    tree = shapely.STRtree([plans[id].polygon for id in order])
    kept: set[UUID] = set()
    doubles: dict[UUID, UUID] = {}
    for id in order:
        near = (order[hit] for hit in tree.query(plans[id].polygon, predicate="intersects").tolist())
        same = (o for o in near if o in kept and models[o][0] != models[id][0] and _same(plans[id], plans[o]))
        twin = next(same, None)
        if twin is None:
            kept.add(id)
        else:
            doubles[id] = twin
    return {id: plan for id, plan in plans.items() if id in kept}, doubles


def _same(one: RoomPlan, other: RoomPlan) -> bool:
    shared = float(one.polygon.intersection(other.polygon).area)
    height = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared >= DOUBLE * one.polygon.area and height >= DOUBLE * (one.top - one.bottom)
