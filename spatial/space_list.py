"""The rooms of a building as a table: filtered, by storey and name, in pages."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from spatial.zones import MEMBERSHIP
from twin.db import Conn, objects
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """A room in a list. `area`, `height`: the mesh's, else as stated; the differences are shares of what is stated."""

    id: UUID
    global_id: str
    model_id: UUID
    name: str | None
    long_name: str | None
    storey_id: UUID | None
    storey_name: str | None
    elevation: float | None  # m, of its storey
    area: float | None  # m2
    area_stated: float | None
    area_difference: float | None
    height: float | None  # m
    height_stated: float | None
    use: str | None
    use_source: str | None
    zones: list[str]  # names
    has_floor: bool  # the model gives it a shape
    elements: int  # what stands in it, as far as the caller sees it
    points: int


_LIST: Final = f"""
    WITH zone AS (SELECT element_id, id, name FROM ({MEMBERSHIP}) z)
    SELECT e.id, e.global_id, e.model_id, e.name, e.long_name, e.storey_id, t.name AS storey_name, t.elevation,
           coalesce(p.area, p.stated_area) AS area, p.stated_area AS area_stated,
           (p.area - p.stated_area) / nullif(p.stated_area, 0) AS area_difference,
           coalesce(p.height, p.stated_height) AS height, p.stated_height AS height_stated, p.use, p.use_source,
           ARRAY(SELECT DISTINCT coalesce(z.name, z.id::text) FROM zone z
                 WHERE z.element_id = e.id ORDER BY 1) AS zones,
           p.footprint IS NOT NULL AS has_floor,
           (SELECT count(*) FROM element i JOIN model im ON im.id = i.model_id AND im.current_version = i.last_version
            WHERE i.space_id = e.id AND NOT EXISTS (
                SELECT FROM ifc_class c WHERE c.name = i.ifc_class AND c.ancestor IN ('IfcPort', 'IfcFeatureElement'))
           ) AS elements,
           (SELECT count(*) FROM point o WHERE o.retired_at IS NULL AND o.building_id = %(building)s
              AND (o.element_id = e.id OR o.element_id IN (SELECT i.id FROM element i WHERE i.space_id = e.id))
           ) AS points
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    LEFT JOIN space p ON p.element_id = e.id LEFT JOIN storey t ON t.id = e.storey_id
    WHERE e.building_id = %(building)s AND e.ifc_class = 'IfcSpace'
      AND (%(storey)s::uuid IS NULL OR e.storey_id = %(storey)s)
      AND (%(zone)s::text IS NULL
           OR EXISTS (SELECT FROM zone z WHERE z.element_id = e.id AND %(zone)s IN (z.id::text, z.name)))
      AND (%(use)s::text IS NULL OR p.use = %(use)s)
      AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(concat_ws(' ', e.name, e.long_name, e.global_id))) > 0)
      AND (%(after0)s::float8 IS NULL OR (coalesce(t.elevation, 'Infinity'), coalesce(e.name, ''), e.id)
           > (%(after0)s::float8, %(after1)s::text, %(after2)s::uuid))
    ORDER BY coalesce(t.elevation, 'Infinity'), coalesce(e.name, ''), e.id LIMIT %(limit)s
"""


async def list_spaces(
    conn: Conn,
    building: UUID,
    *,
    storey: UUID | None = None,
    zone: str | None = None,
    use: str | None = None,
    q: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[SpaceRow]:
    """Return the rooms of a building, lowest storey first. `zone`: id or name; `q`: part of a name or GlobalId."""
    after = decode_cursor(cursor, 3) or [None, None, None]
    params: dict[str, Any] = {
        "building": building, "elements": None, "storey": storey, "zone": zone, "use": use, "q": q,
        "after0": after[0], "after1": after[1], "after2": after[2], "limit": limit + 1,
    }  # fmt: skip
    return page_of(
        await objects(conn, SpaceRow, _LIST, params),
        limit,
        lambda each: ("Infinity" if each.elevation is None else each.elevation, each.name or "", each.id),
    )
