"""Elements as the database has them: one element with all that the model says of it; `element_list` for many.

Only what the shown version of a model still has is listed; an element that is gone can still be read by its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ifc_models.element_list import OWN, ElementRow, list_elements
from ifc_models.text import to_json
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Invalid, NotFound
from twin.places import Location, locate

__all__ = [
    "OWN",
    "Element",
    "ElementLink",
    "ElementRow",
    "ElementType",
    "Group",
    "Port",
    "class_counts",
    "get_element",
    "list_elements",
    "list_groups",
    "patch_element",
]

LISTED: Final = 500  # children and relations of one element that are given; the counts say how many there are


@dataclass(frozen=True, slots=True)
class ElementLink:
    """Another element and what it has to do with this one; `direction`: "from" here to there, or "to" here."""

    kind: str  # see ifc_models/relations.py
    direction: str
    id: UUID
    global_id: str
    ifc_class: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Port:
    """A connection of a distribution element, and the element that is connected there."""

    id: UUID
    global_id: str
    name: str | None
    flow_direction: str | None  # SOURCE | SINK | SOURCEANDSINK | NOTDEFINED
    predefined_type: str | None
    connected_port_id: UUID | None
    connected_element_id: UUID | None
    connected_element: str | None  # its name, else its GlobalId


@dataclass(frozen=True, slots=True)
class Group:
    """A system, zone or other group of elements."""

    id: UUID
    model_id: UUID
    global_id: str
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    description: str | None
    members: int
    parent_id: UUID | None  # a group that this one is in


@dataclass(frozen=True, slots=True)
class ElementType:
    """The type of an element; what it hands down stands in the element's psets, marked as inherited."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    description: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Element:
    """An IfcProduct with all that its model says of it.

    `psets` and `quantities` are `{set: {property: {value, type, unit?, inherited?, own?}}}`: values in the file's
    units, the type's merged in where the element has none, own properties laid over both.
    """

    id: UUID
    model_id: UUID
    model: str
    building_id: UUID
    global_id: str
    occurrence: int
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    description: str | None
    object_type: str | None
    tag: str | None
    attributes: dict[str, Any]
    psets: dict[str, Any]
    quantities: dict[str, Any]
    own_properties: dict[str, Any]
    materials: list[Any]
    classifications: list[Any]
    documents: list[Any]
    type: ElementType | None
    location: Location
    storey_derived: bool  # placed by geometry, not by the file
    space_derived: bool
    parent: ElementLink | None
    children: list[ElementLink]
    children_count: int
    ports: list[Port]
    systems: list[Group]
    relations: list[ElementLink]
    placement: list[float] | None  # row-major 4x4, m, building frame
    bbox: list[float] | None  # min x y z, max x y z; m
    geometry: str
    geometry_note: str | None
    first_version: int
    last_version: int
    current: bool  # the shown version of the model has it


_ELEMENT: Final = """
    SELECT e.*, m.name AS model, coalesce(e.last_version = m.current_version, false) AS current,
           t.global_id AS type_global_id, t.ifc_class AS type_class, t.name AS type_name,
           t.description AS type_description, t.attributes AS type_attributes, t.psets AS type_psets,
           t.quantities AS type_quantities, t.materials AS type_materials,
           t.classifications AS type_classifications, t.documents AS type_documents
    FROM element e JOIN model m ON m.id = e.model_id LEFT JOIN element_type t ON t.id = e.type_id
    WHERE e.id = %s
"""


async def get_element(conn: Conn, element_id: UUID) -> Element:
    """One element with everything its model says of it. Raises NotFound."""
    found = await row(conn, _ELEMENT, (element_id,))
    if found is None:
        raise NotFound("element.unknown", ref=str(element_id))
    own = found["own_properties"]
    children = await _children(conn, element_id)
    return Element(
        **{name: found[name] for name in _PLAIN},
        psets=overlay(inherit(found["psets"], found["type_psets"]), own),
        quantities=inherit(found["quantities"], found["type_quantities"]),
        materials=found["materials"] or _marked(found["type_materials"]),
        classifications=[*found["classifications"], *_marked(found["type_classifications"])],
        documents=[*found["documents"], *_marked(found["type_documents"])],
        type=_type(found),
        location=await locate(conn, element_id),
        parent=await _parent(conn, found["parent_id"]),
        children=children[:LISTED],
        children_count=await _count_children(conn, element_id) if len(children) > LISTED else len(children),
        ports=await objects(conn, Port, _PORTS, (element_id,)),
        systems=await _groups_of(conn, element_id),
        relations=await objects(conn, ElementLink, _RELATIONS, {"id": element_id, "limit": LISTED}),
    )


_PLAIN: Final = (
    "id",
    "model_id",
    "model",
    "building_id",
    "global_id",
    "occurrence",
    "ifc_class",
    "predefined_type",
    "name",
    "long_name",
    "description",
    "object_type",
    "tag",
    "attributes",
    "own_properties",
    "storey_derived",
    "space_derived",
    "placement",
    "bbox",
    "geometry",
    "geometry_note",
    "first_version",
    "last_version",
    "current",
)


def inherit(own: Mapping[str, Any], of_type: Mapping[str, Any] | None) -> dict[str, Any]:
    """The element's sets with those of its type; per property the element's own wins (ISO 16739-1, 4.3)."""
    merged = {name: dict(properties) for name, properties in own.items()}
    for name, properties in (of_type or {}).items():
        into = merged.setdefault(name, {})
        for key, entry in properties.items():
            into.setdefault(key, {**entry, "inherited": True})
    return merged


def overlay(psets: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The sets with the users' own values: `Pset.Name` replaces or adds that property, a plain name is in `own`."""
    for path, value in own.items():
        pset, dot, name = path.partition(".")
        if dot and pset and name:
            psets.setdefault(pset, {})[name] = {"value": value, "own": True}
        else:
            psets.setdefault(OWN, {})[path] = {"value": value, "own": True}
    return psets


def _marked(entries: list[Any] | None) -> list[Any]:
    return [{**entry, "inherited": True} if isinstance(entry, dict) else entry for entry in entries or ()]


def _type(found: dict[str, Any]) -> ElementType | None:
    if found["type_id"] is None:
        return None
    return ElementType(
        found["type_id"],
        found["type_global_id"],
        found["type_class"],
        found["type_name"],
        found["type_description"],
        found["type_attributes"],
    )


_CHILDREN: Final = """
    SELECT 'part' AS kind, 'from' AS direction, e.id, e.global_id, e.ifc_class, coalesce(e.name, e.long_name) AS name
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    WHERE e.parent_id = %s AND NOT EXISTS (
        SELECT 1 FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcPort')
    ORDER BY e.ifc_class, coalesce(e.name, ''), e.id LIMIT %s
"""
_PORTS: Final = """
    SELECT p.id, p.global_id, p.name, p.attributes #>> '{FlowDirection,value}' AS flow_direction, p.predefined_type,
           other.port_id AS connected_port_id, o.id AS connected_element_id,
           coalesce(o.name, o.global_id) AS connected_element
    FROM element_relation h JOIN element p ON p.id = h.to_id
    LEFT JOIN LATERAL (
        SELECT CASE WHEN c.from_id = p.id THEN c.to_id ELSE c.from_id END AS port_id
        FROM element_relation c WHERE c.kind = 'connects' AND p.id IN (c.from_id, c.to_id) LIMIT 1
    ) other ON true
    LEFT JOIN element_relation oh ON oh.kind = 'has_port' AND oh.to_id = other.port_id
    LEFT JOIN element o ON o.id = oh.from_id
    WHERE h.kind = 'has_port' AND h.from_id = %s
    ORDER BY coalesce(p.name, ''), p.id
"""
_RELATIONS: Final = """
    SELECT * FROM (
        SELECT r.kind, 'from' AS direction, e.id, e.global_id, e.ifc_class, coalesce(e.name, e.long_name) AS name
        FROM element_relation r JOIN element e ON e.id = r.to_id
        WHERE r.from_id = %(id)s AND r.kind NOT IN ('aggregates', 'contains', 'has_port', 'nests')
        UNION ALL
        SELECT r.kind, 'to', e.id, e.global_id, e.ifc_class, coalesce(e.name, e.long_name)
        FROM element_relation r JOIN element e ON e.id = r.from_id
        WHERE r.to_id = %(id)s AND r.kind NOT IN ('aggregates', 'contains', 'has_port', 'nests')
    ) AS both_ways ORDER BY kind, direction, ifc_class, coalesce(name, ''), id LIMIT %(limit)s
"""
_GROUP: Final = """
    SELECT g.id, g.model_id, g.global_id, g.ifc_class, g.predefined_type, g.name, g.long_name, g.description,
           (SELECT count(*) FROM element_group_member n WHERE n.group_id = g.id) AS members,
           (SELECT c.group_id FROM element_group_child c WHERE c.child_id = g.id LIMIT 1) AS parent_id
    FROM element_group g JOIN model m ON m.id = g.model_id AND g.last_version = m.current_version
"""


async def _children(conn: Conn, element_id: UUID) -> list[ElementLink]:
    return await objects(conn, ElementLink, _CHILDREN, (element_id, LISTED + 1))


async def _count_children(conn: Conn, element_id: UUID) -> int:
    found = await row(conn, "SELECT count(*) AS n FROM (" + _CHILDREN + ") AS all_of_them", (element_id, None))
    return int(found["n"]) if found else 0


async def _parent(conn: Conn, parent_id: UUID | None) -> ElementLink | None:
    return await object_or_none(
        conn,
        ElementLink,
        """SELECT 'whole' AS kind, 'to' AS direction, id, global_id, ifc_class, coalesce(name, long_name) AS name
           FROM element WHERE id = %s""",
        (parent_id,),
    )


async def _groups_of(conn: Conn, element_id: UUID) -> list[Group]:
    """The groups the element is in, and the groups that those are in."""
    return await objects(
        conn,
        Group,
        _GROUP
        + """ WHERE g.id IN (
                  WITH RECURSIVE outer_group(id) AS (
                      SELECT group_id FROM element_group_member WHERE element_id = %s
                      UNION SELECT c.group_id FROM element_group_child c JOIN outer_group o ON o.id = c.child_id
                  ) SELECT id FROM outer_group)
              ORDER BY g.ifc_class, coalesce(g.name, ''), g.id""",
        (element_id,),
    )


async def list_groups(conn: Conn, building_id: UUID, *, ifc_class: str = "IfcGroup") -> list[Group]:
    """Systems, zones and other groups of a building's shown models; `ifc_class` includes subclasses."""
    return await objects(
        conn,
        Group,
        _GROUP
        + """ WHERE g.building_id = %(building)s
              AND g.ifc_class IN (SELECT name FROM ifc_class WHERE ancestor = %(ifc_class)s)
              ORDER BY g.ifc_class, coalesce(g.name, ''), g.id""",
        {"building": building_id, "ifc_class": ifc_class},
    )


async def patch_element(
    conn: Conn, element_id: UUID, own_properties: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lay own properties over the present ones; null removes one. Returns them before and after. Raises NotFound."""
    found = await row(conn, "SELECT own_properties FROM element WHERE id = %s FOR UPDATE", (element_id,))
    if found is None:
        raise NotFound("element.unknown", ref=str(element_id))
    before: dict[str, Any] = found["own_properties"]
    for name in own_properties:
        if not name.strip() or "\x00" in name:
            raise Invalid("element.own_name", where="own_properties", name=name)
    after = {k: v for k, v in {**before, **own_properties}.items() if v is not None}
    await conn.execute(
        "UPDATE element SET own_properties = %s::jsonb WHERE id = %s", (to_json(after).decode(), element_id)
    )
    return before, after


async def class_counts(conn: Conn, model_id: UUID) -> dict[str, int]:
    """How many elements of each class the shown version has."""
    found = await rows(
        conn,
        """SELECT e.ifc_class, count(*) AS n FROM element e
           JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
           WHERE e.model_id = %s GROUP BY e.ifc_class ORDER BY e.ifc_class""",
        (model_id,),
    )
    return {each["ifc_class"]: each["n"] for each in found}
