"""Storeys are named by their id, by the GlobalId of an IfcBuildingStorey of any model, or by their name."""

from uuid import UUID

from twin.db import Conn, rows
from twin.errors import Conflict, NotFound

_FIND = """
    SELECT s.id, s.id::text = %(ref)s OR EXISTS (
        SELECT 1 FROM element e WHERE e.storey_id = s.id AND e.global_id = %(ref)s AND e.ifc_class = 'IfcBuildingStorey'
    ) AS exact
    FROM storey s WHERE s.building_id = %(building)s
    AND (s.id::text = %(ref)s OR s.name = %(ref)s OR EXISTS (
        SELECT 1 FROM element e
        WHERE e.storey_id = s.id AND e.global_id = %(ref)s AND e.ifc_class = 'IfcBuildingStorey'))
    ORDER BY exact DESC, s.elevation
"""


async def resolve_storey(conn: Conn, building: UUID, ref: str) -> UUID:
    """Return the id of a storey of the building; raise NotFound, or Conflict when several have that name."""
    found = await rows(conn, _FIND, {"building": building, "ref": ref})
    if not found:
        raise NotFound("storey.unknown", storey=ref)
    if len(found) > 1 and not found[0]["exact"]:
        raise Conflict("storey.ambiguous", storey=ref, candidates=[str(storey["id"]) for storey in found])
    return UUID(str(found[0]["id"]))
