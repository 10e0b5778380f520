"""Where an element is, how sure that is and why, what hides it, and which rooms it serves (6.4.2b, 6.4.3b)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from spatial.flow_rows import Flows
from spatial.zones import Zone, zones_of
from twin.db import Conn, objects, row
from twin.errors import text_of
from twin.places import Location

LISTED = 500  # served rooms that are given; `serves_count` says how many there are


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an element is where it is. `code`: of spatial/messages.toml; `numbers`: what its text is filled with."""

    code: str
    en: str
    zh: str
    numbers: dict[str, float]


@dataclass(frozen=True, slots=True)
class Served:
    """A room, storey, zone or building that an element or its system is for. `reason`: contains | feeds | system."""

    id: UUID
    name: str | None
    ifc_class: str
    reason: str


@dataclass(frozen=True, slots=True)
class Whereabouts(Location):
    """A location with how sure it is. Without a room, `confidence` and `reason` are the storey's."""

    confidence: float | None  # 0 … 1; None: it is nowhere
    reason: Reason | None
    storey_confidence: float | None
    storey_reason: Reason | None
    hidden: str | None  # ceiling_void | behind_wall | under_floor; null: in plain sight, or nothing is known
    zones: list[Zone]
    serves: list[Served]
    serves_count: int


_PLACE = """
    SELECT p.*, (e.space_id IS NOT NULL OR e.ifc_class = 'IfcSpace') AS in_room, e.storey_id IS NOT NULL AS on_storey,
           e.ifc_class, EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcFlowTerminal')
               AS is_terminal,
           EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcDistributionElement')
               AS is_distribution
    FROM element e LEFT JOIN element_place p ON p.element_id = e.id WHERE e.id = %s
"""
_SERVED = """
    WITH served AS (
        SELECT DISTINCT e.space_id AS id, 'feeds' AS reason FROM element e
        WHERE e.id = ANY (%(fed)s) AND e.space_id IS NOT NULL AND EXISTS (
            SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcFlowTerminal')
        UNION ALL SELECT %(room)s, 'contains' WHERE %(room)s::uuid IS NOT NULL
        UNION ALL
        SELECT s.element_id, 'system' FROM element_group_member m JOIN element_group_serves s ON s.group_id = m.group_id
        JOIN element_group g ON g.id = m.group_id JOIN model v ON v.id = g.model_id
        WHERE m.element_id = %(element)s AND v.current_version = g.last_version
    )
    SELECT e.id, coalesce(e.long_name, e.name) AS name, e.ifc_class, min(s.reason) AS reason
    FROM served s JOIN element e ON e.id = s.id GROUP BY e.id ORDER BY min(s.reason), 2, e.id
"""


async def is_distribution(conn: Conn, element: UUID) -> bool:
    """Say whether something may flow through an element, so that it may feed rooms."""
    found = await row(conn, _PLACE, (element,))
    return bool(found and found["is_distribution"])


async def whereabouts(conn: Conn, location: Location, flows: Flows | None) -> Whereabouts:
    """Return a location with its reasons; `flows`: what flows in its building, None: nothing through this element."""
    found = await row(conn, _PLACE, (location.element_id,)) or {}
    space, storey = _of_space(found), _of_storey(found)
    number = flows.number(location.element_id) if flows is not None else None
    fed = [flows.ids[each.element] for each in flows.graph.downstream(number)] if flows and number is not None else []
    served = await objects(
        conn,
        Served,
        _SERVED,
        {
            "fed": fed,
            "room": location.space_id if found.get("is_terminal") else None,
            "element": location.element_id,
        },
    )
    own = {name: getattr(location, name) for name in Location.__slots__}
    best = space if found.get("in_room") else storey
    return Whereabouts(
        **own,
        confidence=best[0],
        reason=best[1],
        storey_confidence=storey[0],
        storey_reason=storey[1],
        hidden=found.get("hidden"),
        zones=await zones_of(conn, [id for id in (location.element_id, location.space_id) if id]),
        serves=served[:LISTED],
        serves_count=len(served),
    )


def _of_space(found: Mapping[str, Any]) -> tuple[float | None, Reason | None]:
    if not found.get("in_room"):
        return None, None
    if found["space_reason"] is None:
        return 1.0, reason_of("placed.file", {})
    rooms = found["space_rooms"] or 0
    numbers = {"share": round(100 * (found["space_share"] or 0)), "gap": round(found["space_gap"] or 0, 2)}
    code = f"placed.{found['space_reason']}"
    if rooms > 1 and found["space_reason"] == "inside":
        return found["space_confidence"], reason_of("placed.inside_several", numbers | {"rooms": rooms})
    return found["space_confidence"], reason_of(code, numbers)


def _of_storey(found: Mapping[str, Any]) -> tuple[float | None, Reason | None]:
    if not found.get("on_storey"):
        return None, None
    if found["storey_reason"] is None:
        return 1.0, reason_of("placed.file", {})
    numbers = {} if found["storey_gap"] is None else {"gap": round(found["storey_gap"], 2)}
    code = "placed.storey_room" if found["storey_reason"] == "room" else "placed.storey_elevation"
    return found["storey_confidence"], reason_of(code, numbers)


def reason_of(code: str, numbers: Mapping[str, float]) -> Reason:
    """Return a reason with its texts."""
    return Reason(code, text_of(code, "en", numbers), text_of(code, "zh", numbers), dict(numbers))
