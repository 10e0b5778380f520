"""Elements as people ask for them: lists with filters, one with everything that is known of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from twin.db import Conn, objects, row, rows
from twin.errors import Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

MAX_OWN_PROPERTIES = 200


@dataclass(frozen=True, slots=True)
class ElementRow:
    """An IfcProduct in a list."""

    id: UUID
    global_id: str
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    tag: str | None
    model_id: UUID
    storey_id: UUID | None
    space_id: UUID | None
    geometry: str  # rung: ifclite | occ | cgal | box | none | lost


@dataclass(frozen=True, slots=True)
class Reference:
    """Another element or group, in short."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """Another element at the end of an edge; `outgoing`: the edge leads there."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    kind: str
    outgoing: bool
    derived: bool


@dataclass(frozen=True, slots=True)
class TypeView:
    """The element's type; what it inherits stands in its own psets, marked."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Element:
    """An IfcProduct (ISO 16739-1) with everything that the model says. Lengths: m in the building frame.

    `psets` and `quantities`: {set: {name: {value, unit?, type?, inherited?}}} in the file's own units.
    """

    id: UUID
    global_id: str
    occurrence: int
    model_id: UUID
    model: str
    building_id: UUID
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
    type: TypeView | None
    parent: Reference | None
    storey_id: UUID | None
    storey_name: str | None
    storey_derived: bool
    space: Reference | None
    space_derived: bool
    elevation: float | None
    bbox: list[float] | None
    geometry: str
    geometry_note: str | None
    shown: bool  # False: the current version of the model no longer has it
    systems: list[Reference]
    children: list[Reference]
    relations: list[Related]


_LIST = """
    SELECT e.id, e.global_id, e.ifc_class, e.predefined_type, e.name, e.long_name, e.tag, e.model_id, e.storey_id,
           e.space_id, e.geometry
    FROM element e JOIN model m ON m.id = e.model_id LEFT JOIN element_type t ON t.id = e.type_id
    WHERE e.last_version = m.current_version
      AND (%(building)s::uuid IS NULL OR e.building_id = %(building)s)
      AND (%(model)s::uuid IS NULL OR e.model_id = %(model)s)
      AND (%(storey)s::uuid IS NULL OR e.storey_id = %(storey)s)
      AND (%(space)s::uuid IS NULL OR e.space_id = %(space)s)
      AND (%(ifc_class)s::text IS NULL
           OR e.ifc_class IN (SELECT c.name FROM ifc_class c WHERE c.ancestor = %(ifc_class)s))
      AND (%(system)s::uuid IS NULL OR EXISTS (
           SELECT 1 FROM element_group_member g WHERE g.element_id = e.id AND g.group_id = %(system)s))
      AND (%(q)s::text IS NULL OR e.ifc_class ILIKE %(q)s OR (coalesce(e.name, '') || ' ' || coalesce(e.long_name, '')
           || ' ' || coalesce(e.tag, '') || ' ' || e.global_id) ILIKE %(q)s)
      AND (%(property)s::jsonpath IS NULL OR e.psets @? %(property)s::jsonpath
           OR (t.psets @? %(property)s::jsonpath AND NOT e.psets @? %(property_named)s::jsonpath))
      AND (%(after_class)s::text IS NULL OR (e.ifc_class, coalesce(e.name, ''), e.id)
           > (%(after_class)s, %(after_name)s, %(after_id)s::uuid))
    ORDER BY e.ifc_class, coalesce(e.name, ''), e.id LIMIT %(limit)s
"""


async def list_elements(
    conn: Conn,
    *,
    building: UUID | None = None,
    model: UUID | None = None,
    storey: UUID | None = None,
    space: UUID | None = None,
    ifc_class: str | None = None,
    system: UUID | None = None,
    q: str | None = None,
    property: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[ElementRow]:
    """Elements of the shown versions. `ifc_class` includes subclasses; `q` looks into names, tag, class and GlobalId;
    `property` is `Pset.Name:value`, own or inherited from the type. Raises Invalid for a malformed filter."""
    after = decode_cursor(cursor, 3)
    path, named = _property_paths(property)
    found = await objects(
        conn,
        ElementRow,
        _LIST,
        {
            "building": building,
            "model": model,
            "storey": storey,
            "space": space,
            "ifc_class": ifc_class,
            "system": system,
            "q": f"%{_escape_like(q)}%" if q else None,
            "property": path,
            "property_named": named,
            "after_class": after and after[0],
            "after_name": after and after[1],
            "after_id": after and after[2],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda each: [each.ifc_class, each.name or "", each.id])


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _property_paths(text: str | None) -> tuple[str | None, str | None]:
    """Return the JSON paths "has this property with this value" and "has this property" of `Pset.Name:value`."""
    if text is None:
        return None, None
    name, colon, value = text.partition(":")
    pset, dot, prop = name.partition(".")
    if not (colon and dot and pset and prop):
        raise Invalid("element.property_filter", where="property")
    key = f"$.{_quoted(pset)}.{_quoted(prop)}"
    choices = [f"@.value == {_quoted(value)}"]
    if value.lower() in ("true", "false"):
        choices.append(f"@.value == {value.lower()}")
    try:
        choices.append(f"@.value == {float(value)!r}")
    except ValueError:
        pass
    return f"{key} ? ({' || '.join(choices)})", key


def _quoted(text: str) -> str:
    """Return a jsonpath string literal; every character that could end it is escaped."""
    return '"' + "".join(c if c.isalnum() or c in " -_" else f"\\u{{{ord(c):x}}}" for c in text) + '"'


_DETAIL = """
    SELECT e.*, m.name AS model, s.name AS storey_name, e.last_version = m.current_version AS shown,
           t.global_id AS t_global_id, t.ifc_class AS t_class, t.name AS t_name, t.psets AS t_psets,
           t.quantities AS t_quantities, t.materials AS t_materials, t.classifications AS t_classifications,
           t.documents AS t_documents
    FROM element e JOIN model m ON m.id = e.model_id
    LEFT JOIN storey s ON s.id = e.storey_id LEFT JOIN element_type t ON t.id = e.type_id WHERE e.id = %s
"""
_REFERENCES = "SELECT id, global_id, ifc_class, coalesce(name, long_name) AS name FROM element WHERE id = ANY(%s)"
_SYSTEMS = """
    SELECT g.id, g.global_id, g.ifc_class, coalesce(g.long_name, g.name) AS name
    FROM element_group_member m JOIN element_group g ON g.id = m.group_id WHERE m.element_id = %s ORDER BY 4
"""
_CHILDREN = """
    SELECT c.id, c.global_id, c.ifc_class, coalesce(c.name, c.long_name) AS name
    FROM element c JOIN model m ON m.id = c.model_id
    JOIN element_relation r ON r.to_id = c.id AND r.from_id = %s AND r.kind IN ('aggregates', 'nests', 'has_port')
    WHERE c.last_version = m.current_version ORDER BY c.ifc_class, 4 LIMIT 500
"""
_RELATED = """
    SELECT o.id, o.global_id, o.ifc_class, coalesce(o.name, o.long_name) AS name, r.kind, r.outgoing, r.derived
    FROM (SELECT to_id AS other, kind, true AS outgoing, derived FROM element_relation WHERE from_id = %(id)s
          UNION ALL
          SELECT from_id, kind, false, derived FROM element_relation WHERE to_id = %(id)s) r
    JOIN element o ON o.id = r.other
    WHERE r.kind NOT IN ('contains', 'aggregates', 'nests') ORDER BY r.kind, 4 LIMIT 500
"""


async def get_element(conn: Conn, element_id: UUID) -> Element:
    """One element with everything its model says. Raises NotFound."""
    found = await row(conn, _DETAIL, (element_id,))
    if found is None:
        raise NotFound("element.unknown", ref=str(element_id))
    near = {each.id: each for each in await objects(conn, Reference, _REFERENCES, ([found["parent_id"], found["space_id"]],))}
    kept = {name: found[name] for name in Element.__slots__ if name in found}
    kept |= {
        "psets": merged(found["psets"], found["t_psets"]),
        "quantities": merged(found["quantities"], found["t_quantities"]),
        **{name: found[name] or found[f"t_{name}"] or [] for name in ("materials", "classifications", "documents")},
    }
    type_ = TypeView(found["type_id"], found["t_global_id"], found["t_class"], found["t_name"]) if found["type_id"] else None
    return Element(
        **kept,
        type=type_,
        parent=near.get(found["parent_id"]),
        space=near.get(found["space_id"]),
        systems=await objects(conn, Reference, _SYSTEMS, (element_id,)),
        children=await objects(conn, Reference, _CHILDREN, (element_id,)),
        relations=await objects(conn, Related, _RELATED, {"id": element_id}),
    )


def merged(own: dict[str, Any], inherited: dict[str, Any] | None) -> dict[str, Any]:
    """Return property sets with those of the type laid under them, property by property, marked as inherited."""
    result = {name: dict(properties) for name, properties in own.items()}
    for name, properties in (inherited or {}).items():
        target = result.setdefault(name, {})
        for key, value in properties.items():
            target.setdefault(key, {**value, "inherited": True})
    return result


async def patch_element(conn: Conn, element_id: UUID, changes: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lay the users' own properties over the element's (null removes one); return them before and after (6.4.2a-2)."""
    found = await row(conn, "SELECT own_properties FROM element WHERE id = %s FOR UPDATE", (element_id,))
    if found is None:
        raise NotFound("element.unknown", ref=str(element_id))
    before: dict[str, Any] = found["own_properties"]
    after = {name: value for name, value in (before | changes).items() if value is not None}
    if len(after) > MAX_OWN_PROPERTIES:
        raise Invalid("element.own_properties", where="own_properties", limit=MAX_OWN_PROPERTIES)
    await conn.execute("UPDATE element SET own_properties = %s WHERE id = %s", (Jsonb(after), element_id))
    return before, after


@dataclass(frozen=True, slots=True)
class Group:
    """A system, zone or other group of a building with the number of its members."""

    id: UUID
    global_id: str
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    model_id: UUID
    elements: int


async def list_groups(conn: Conn, building_id: UUID, *, ifc_class: str | None = None) -> list[Group]:
    """Systems, zones and groups of the shown versions, `ifc_class` including subclasses."""
    found = await rows(
        conn,
        """SELECT g.id, g.global_id, g.ifc_class, g.predefined_type, g.name, g.long_name, g.model_id,
                  (SELECT count(*) FROM element_group_member m WHERE m.group_id = g.id) AS elements
           FROM element_group g JOIN model m ON m.id = g.model_id
           WHERE g.building_id = %(building)s AND g.last_version = m.current_version
             AND (%(ifc_class)s::text IS NULL
                  OR g.ifc_class IN (SELECT c.name FROM ifc_class c WHERE c.ancestor = %(ifc_class)s))
           ORDER BY g.ifc_class, coalesce(g.long_name, g.name), g.id""",
        {"building": building_id, "ifc_class": ifc_class},
    )
    return [Group(**group) for group in found]
