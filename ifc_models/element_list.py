"""Lists of elements: every shown IfcProduct that passes some filters, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed

from ifc_models.text import to_json
from twin.db import Conn, objects
from twin.errors import Invalid
from twin.page import Page, decode_cursor, page_of

OWN: Final = "own"  # the set that own properties without a set's name are filtered in


@dataclass(frozen=True, slots=True)
class ElementRow:
    """An element in a list."""

    id: UUID
    global_id: str
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    tag: str | None
    type_name: str | None
    model_id: UUID
    building_id: UUID
    storey_id: UUID | None
    storey_name: str | None
    space_id: UUID | None
    space_name: str | None
    geometry: str  # none: the model gives it no body; lost: it could not be meshed


_ROW: Final = SQL("""
    SELECT e.id, e.global_id, e.ifc_class, e.predefined_type, e.name, e.long_name, e.tag, t.name AS type_name,
           e.model_id, e.building_id, e.storey_id, s.name AS storey_name, e.space_id,
           coalesce(r.long_name, r.name) AS space_name, e.geometry
    FROM element e
    JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN element_type t ON t.id = e.type_id
    LEFT JOIN storey s ON s.id = e.storey_id
    LEFT JOIN element r ON r.id = e.space_id
    WHERE {conditions}
    ORDER BY coalesce(e.name, ''), e.id
    LIMIT %(limit)s
""")
_IN_SYSTEM: Final = """
    e.id IN (
        WITH RECURSIVE inner_group(id) AS (
            SELECT %(system)s::uuid
            UNION SELECT c.child_id FROM element_group_child c JOIN inner_group g ON g.id = c.group_id
        )
        SELECT element_id FROM element_group_member WHERE group_id IN (SELECT id FROM inner_group))
"""
_SEARCH: Final = """
    (coalesce(e.name, '') || ' ' || coalesce(e.long_name, '') || ' ' || coalesce(e.tag, '') || ' ' || e.global_id)
    ILIKE %(q)s
"""
_PROPERTY: Final = """
    (e.psets @> ANY (%(sets)s::jsonb[]) OR e.quantities @> ANY (%(sets)s::jsonb[])
     OR e.own_properties @> ANY (%(own)s::jsonb[])
     OR (NOT coalesce(e.psets -> %(pset)s ? %(property)s, false)
         AND NOT coalesce(e.quantities -> %(pset)s ? %(property)s, false)
         AND (t.psets @> ANY (%(sets)s::jsonb[]) OR t.quantities @> ANY (%(sets)s::jsonb[]))))
"""
_FILTERS: Final[Mapping[str, LiteralString]] = {
    "building": "e.building_id = %(building)s",
    "model": "e.model_id = %(model)s",
    "storey": "e.storey_id = %(storey)s",
    "space": "e.space_id = %(space)s",
    "ifc_class": "e.ifc_class IN (SELECT name FROM ifc_class WHERE ancestor = %(ifc_class)s)",
    "system": _IN_SYSTEM,
    "q": _SEARCH,
    "property": _PROPERTY,
}


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
    """Every shown IfcProduct that passes all filters, by name.

    `ifc_class` includes subclasses, `system` the groups within it, `q` looks into name, long name, tag and GlobalId,
    `property` is `Pset.Name:value` (the element's or its type's; `own.Name:value` for own properties). Raises Invalid.
    """
    given = {
        "building": building,
        "model": model,
        "storey": storey,
        "space": space,
        "ifc_class": ifc_class,
        "system": system,
        "q": q,
        "property": property,
    }
    conditions, params = _conditions(given)
    params["limit"] = limit + 1
    after = decode_cursor(cursor, 2)
    if after is not None:
        conditions.append("(coalesce(e.name, ''), e.id) > (%(after_name)s, %(after_id)s::uuid)")
        params["after_name"], params["after_id"] = after
    query = _ROW.format(conditions=_all(conditions))
    found = await objects(conn, ElementRow, query, params)
    return page_of(found, limit, lambda element: (element.name or "", element.id))


def filter_conditions(filters: Mapping[str, Any]) -> tuple[Composed, dict[str, Any]]:
    """The filters of `list_elements` as a condition on element e, its type t and its parameters. Raises Invalid."""
    conditions, params = _conditions(filters)
    return _all(conditions), params


def _conditions(filters: Mapping[str, Any]) -> tuple[list[LiteralString], dict[str, Any]]:
    given = {name: filters.get(name) or None for name in _FILTERS}
    used = [name for name, value in given.items() if value is not None]
    params = {**given}
    if given["q"]:
        params["q"] = f"%{_escape_like(given['q'])}%"
    if given["property"]:
        params.update(_property_params(given["property"]))
    return [_FILTERS[name] for name in used] or ["true"], params


def _all(conditions: list[LiteralString]) -> Composed:
    return SQL(" AND ").join([SQL(condition) for condition in conditions])


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _property_params(text: str) -> dict[str, Any]:
    """`Pset.Name:value` as JSON documents that contain it; `value` may be a text, a number or a boolean."""
    path, colon, value = text.partition(":")
    pset, dot, name = path.partition(".")
    if not (colon and dot and pset and name):
        raise Invalid("element.property_filter", where="property", value=text)
    values: list[Any] = [value]
    if value.lower() in ("true", "false"):
        values.append(value.lower() == "true")
    try:
        values.append(msgspec.json.decode(value, type=float | int))
    except msgspec.DecodeError:
        pass
    own = name if pset == OWN else path
    return {
        "pset": pset,
        "property": name,
        "sets": [to_json({pset: {name: {"value": v}}}).decode() for v in values],
        "own": [to_json({own: v}).decode() for v in values],
    }
