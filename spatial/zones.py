"""Zones: rooms that belong together (IfcZone and other groups of rooms, IfcSpatialZone), as the files say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString
from uuid import UUID

from twin.db import Conn, objects


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone. `id`: of its group, or of its element where it is an IfcSpatialZone."""

    id: UUID
    name: str | None
    ifc_class: str


MEMBERSHIP: Final[LiteralString] = """
    WITH RECURSIVE up (element_id, id) AS (
        SELECT m.element_id, m.group_id FROM element_group_member m JOIN element e ON e.id = m.element_id
        WHERE e.ifc_class = 'IfcSpace' AND (e.building_id = %(building)s OR e.id = ANY (%(elements)s))
        UNION
        SELECT up.element_id, c.group_id FROM up JOIN element_group_child c ON c.child_id = up.id
    )
    SELECT up.element_id, g.id, coalesce(g.long_name, g.name) AS name, g.ifc_class
    FROM up JOIN element_group g ON g.id = up.id
    JOIN model m ON m.id = g.model_id AND m.current_version = g.last_version
    WHERE g.ifc_class = 'IfcZone' OR NOT EXISTS (
        SELECT FROM ifc_class c WHERE c.name = g.ifc_class AND c.ancestor = 'IfcSystem')
    UNION
    SELECT e.id, z.id, coalesce(z.long_name, z.name), z.ifc_class
    FROM element_relation r JOIN element e ON e.id = r.to_id JOIN element z ON z.id = r.from_id
    JOIN model m ON m.id = z.model_id AND m.current_version = z.last_version
    WHERE z.ifc_class = 'IfcSpatialZone' AND r.kind IN ('references', 'contains', 'aggregates')
      AND (e.building_id = %(building)s OR e.id = ANY (%(elements)s))
"""
"""Which element is in which zone: `element_id, id, name, ifc_class`. Parameters: `building` or `elements`, the
other null. Groups within groups count: a fire compartment made of flats holds the flats' rooms. Systems are no zones,
though IFC 4 makes IfcZone one of them."""


async def zones_of(conn: Conn, elements: Sequence[UUID]) -> list[Zone]:
    """Return the zones that rooms or other elements are in, by name, as the caller may see them."""
    return await objects(
        conn,
        Zone,
        f"SELECT DISTINCT id, name, ifc_class FROM ({MEMBERSHIP}) z ORDER BY name, id",
        {"building": None, "elements": list(elements)},
    )
