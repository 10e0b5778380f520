"""Site → building → storey → space → how many elements of which class: what the viewer's tree shows."""

from dataclasses import dataclass
from uuid import UUID

from twin.db import Conn, row, rows


@dataclass(frozen=True, slots=True)
class SpaceNode:
    """A room and what stands in it."""

    id: UUID  # of its element
    global_id: str
    name: str | None
    long_name: str | None
    area: float | None  # m2
    elements: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many elements of one IFC class a storey has, rooms left out."""

    ifc_class: str
    count: int


@dataclass(frozen=True, slots=True)
class StoreyNode:
    """A storey with its rooms, lowest first in the tree."""

    id: UUID | None  # None: elements that no storey has
    name: str | None
    elevation: float | None  # m
    elements: int
    classes: list[ClassCount]
    spaces: list[SpaceNode]


@dataclass(frozen=True, slots=True)
class Tree:
    """One building."""

    site_id: UUID
    site: str
    building_id: UUID
    building: str
    elements: int
    storeys: list[StoreyNode]


_SHOWN = """
    SELECT e.* FROM element e JOIN model m ON m.id = e.model_id
    WHERE e.building_id = %(building)s AND e.last_version = m.current_version
      AND NOT EXISTS (SELECT 1 FROM ifc_class c WHERE c.name = e.ifc_class
                      AND c.ancestor IN ('IfcSpatialStructureElement', 'IfcSpatialElement', 'IfcPort', 'IfcGrid',
                                         'IfcFeatureElementSubtraction', 'IfcAnnotation')
                      AND e.ifc_class <> 'IfcSpace')
"""


async def building_tree(conn: Conn, building_id: UUID) -> Tree:
    """Return the tree of a building (must exist); openings, ports, grids and annotations are not counted."""
    place = await row(
        conn,
        """SELECT s.id AS site_id, s.name AS site, b.id AS building_id, b.name AS building
           FROM building b JOIN site s ON s.id = b.site_id WHERE b.id = %(building)s""",
        {"building": building_id},
    )
    assert place is not None, "the caller has resolved the building"
    classes = await rows(
        conn,
        f"""SELECT storey_id, ifc_class, count(*) AS count FROM ({_SHOWN}) e WHERE ifc_class <> 'IfcSpace'
            GROUP BY storey_id, ifc_class ORDER BY count DESC, ifc_class""",
        {"building": building_id},
    )
    spaces = await rows(
        conn,
        f"""WITH shown AS MATERIALIZED ({_SHOWN}),
                 inside AS (SELECT space_id, count(*) AS count FROM shown WHERE space_id IS NOT NULL GROUP BY space_id)
            SELECT e.id, e.global_id, e.name, e.long_name, e.storey_id, p.area, coalesce(i.count, 0) AS elements
            FROM shown e LEFT JOIN space p ON p.element_id = e.id LEFT JOIN inside i ON i.space_id = e.id
            WHERE e.ifc_class = 'IfcSpace' ORDER BY e.name, e.global_id""",
        {"building": building_id},
    )
    storeys = await rows(
        conn,
        """SELECT id, name, elevation FROM storey s WHERE building_id = %(building)s
           AND EXISTS (SELECT 1 FROM element e JOIN model m ON m.id = e.model_id
                       WHERE e.storey_id = s.id AND e.last_version = m.current_version)
           ORDER BY elevation NULLS LAST, name""",
        {"building": building_id},
    )
    without = {"id": None, "name": None, "elevation": None}
    nodes = [_storey(storey, classes, spaces) for storey in [*storeys, without]]
    nodes = [node for node in nodes if node.id is not None or node.elements]
    return Tree(**place, elements=sum(node.elements for node in nodes), storeys=nodes)


def _storey(storey: dict[str, object], classes: list[dict[str, object]], spaces: list[dict[str, object]]) -> StoreyNode:
    own_classes = [
        ClassCount(str(c["ifc_class"]), int(str(c["count"]))) for c in classes if c["storey_id"] == storey["id"]
    ]
    own_spaces = [
        SpaceNode(**{key: value for key, value in space.items() if key != "storey_id"})  # type: ignore[arg-type]
        for space in spaces
        if space["storey_id"] == storey["id"]
    ]
    total = sum(count.count for count in own_classes) + len(own_spaces)
    return StoreyNode(**storey, elements=total, classes=own_classes, spaces=own_spaces)  # type: ignore[arg-type]
