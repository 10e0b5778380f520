"""Answers to queries of the search language (api/query_language.py): how many, which, and what one can ask for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg.sql import SQL, Composable, Composed

from api.query_language import ANY, HAS, KEYS, NONE, Node, Term
from api.query_sql import GROUPS, condition, property_values
from ifc_models.element_list import ElementRow
from twin.db import Conn, objects, row, rows
from twin.page import decode_cursor, page_of

MOST_IDS: Final = 200_000
_FROM: Final = SQL("""
    FROM element e
    JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN element_type t ON t.id = e.type_id
    LEFT JOIN storey st ON st.id = e.storey_id
    LEFT JOIN element ro ON ro.id = e.space_id
    WHERE e.building_id = %(building)s AND {condition}
""")
_PLAIN_FROM: Final = """
    FROM element e
    JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN element_type t ON t.id = e.type_id
    {grouped}
    WHERE e.building_id = %(building)s AND {condition}
"""
_ROW: Final = SQL("""
    SELECT e.id, e.global_id, e.ifc_class, e.predefined_type, e.name, e.long_name, e.tag, t.name AS type_name,
           e.model_id, e.building_id, e.storey_id, st.name AS storey_name, e.space_id,
           coalesce(ro.long_name, ro.name) AS space_name, e.geometry
""")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, and how many there are in all."""

    items: list[ElementRow]
    next: str | None
    count: int


@dataclass(frozen=True, slots=True)
class FoundIds:
    """GlobalIds of what was found; `count` is of all, also where the list ends before them."""

    global_ids: list[str]
    count: int


@dataclass(frozen=True, slots=True)
class Branch:
    """One value of what a tree is grouped by; `query` finds its elements. Null: those that have none."""

    value: str | None
    count: int
    query: str


@dataclass(frozen=True, slots=True)
class SearchWords:
    """What a query may ask for in a building: for suggestions while one types."""

    keys: list[str]
    has: list[str]
    classes: list[str]
    storeys: list[str]
    systems: list[str]
    properties: list[str]  # Set.Name


async def search(conn: Conn, building: UUID, query: Node | None, *, limit: int, cursor: str | None) -> Found:
    """Shown elements of a building that a query finds, by name."""
    where, params = condition(query)
    params |= {"building": building, "limit": limit + 1}
    after = decode_cursor(cursor, 2)
    counted = await row(conn, SQL("SELECT count(*) AS n") + _FROM.format(condition=where), params)
    more: Composable = SQL(" ORDER BY coalesce(e.name, ''), e.id LIMIT %(limit)s")
    if after is not None:
        params["after_name"], params["after_id"] = after
        more = SQL(" AND (coalesce(e.name, ''), e.id) > (%(after_name)s, %(after_id)s::uuid)") + more
    found = await objects(conn, ElementRow, Composed([_ROW, _FROM.format(condition=where), more]), params)
    page = page_of(found, limit, lambda element: (element.name or "", element.id))
    return Found(page.items, page.next, counted["n"] if counted else 0)


async def search_ids(conn: Conn, building: UUID, query: Node | None) -> FoundIds:
    """The GlobalIds that a query finds, each once."""
    where, params = condition(query)
    asked = SQL("SELECT DISTINCT e.global_id") + _FROM.format(condition=where) + SQL(" ORDER BY 1")
    found = [each["global_id"] for each in await rows(conn, asked, {**params, "building": building})]
    return FoundIds(found[:MOST_IDS], len(found))


async def branches(conn: Conn, building: UUID, by: str | Term, query: Node | None) -> list[Branch]:
    """What a query finds, grouped, by a property where `by` is a term; an element of two systems counts in both."""
    where, params = condition(query)
    asked = SQL(
        "SELECT x.v AS value, count(DISTINCT e.id) AS n {found} GROUP BY x.v ORDER BY x.v NULLS LAST LIMIT 5000"
    )
    values = property_values(by, params) if isinstance(by, Term) else SQL(GROUPS[by])
    grouped = SQL("LEFT JOIN element ro ON ro.id = e.space_id LEFT JOIN LATERAL ({}) x ON true").format(values)
    found = SQL(_PLAIN_FROM).format(condition=where, grouped=grouped)
    key = _property_key(by) if isinstance(by, Term) else "is" if by == "class" else by
    return [
        Branch(each["value"], each["n"], f"{key}:{NONE if each['value'] is None else quoted(each['value'])}")
        for each in await rows(conn, asked.format(found=found), {**params, "building": building})
    ]


def _property_key(term: Term) -> str:
    """The property of a term as a query writes it."""
    return ".".join(part if part == "*" or part.isidentifier() else quoted(part) for part in term.path or ())


def quoted(text: str) -> str:
    """A text as a value of the search language; `none` and `any` mean something else, `none*` is near."""
    if text.lower() in (NONE, ANY):
        text += "*"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def search_rows(conn: Conn, building: UUID, query: Node | None) -> AsyncIterator[ElementRow]:
    """All that a query finds, read as it is asked for."""
    cursor: str | None = None
    where, params = condition(query)
    params |= {"building": building, "limit": 1001}
    while True:
        after = decode_cursor(cursor, 2)
        more: Composable = SQL(" ORDER BY coalesce(e.name, ''), e.id LIMIT %(limit)s")
        if after is not None:
            params["after_name"], params["after_id"] = after
            more = SQL(" AND (coalesce(e.name, ''), e.id) > (%(after_name)s, %(after_id)s::uuid)") + more
        found = await objects(conn, ElementRow, Composed([_ROW, _FROM.format(condition=where), more]), params)
        page = page_of(found, 1000, lambda element: (element.name or "", element.id))
        for each in page.items:
            yield each
        if (cursor := page.next) is None:
            return


# Of each class a hundred elements tell what properties it has; to read all of a large building takes seconds.
_PROPERTIES: Final = """
    WITH sampled AS (
        SELECT e.psets, e.quantities, t.psets AS of_type, t.quantities AS sizes,
               row_number() OVER (PARTITION BY e.ifc_class ORDER BY e.id) AS n
        FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
        LEFT JOIN element_type t ON t.id = e.type_id WHERE e.building_id = %(building)s
    )
    SELECT DISTINCT s.key || '.' || p AS name
    FROM sampled, LATERAL (VALUES (psets), (quantities), (of_type), (sizes)) d (j), jsonb_each(d.j) s,
         jsonb_object_keys(CASE jsonb_typeof(s.value) WHEN 'object' THEN s.value ELSE '{}' END) p
    WHERE n <= 100 ORDER BY name LIMIT 3000
"""
_CLASSES: Final = """
    SELECT DISTINCT e.ifc_class AS name FROM element e
    JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    WHERE e.building_id = %(building)s ORDER BY name
"""
_STOREYS: Final = "SELECT name FROM storey WHERE building_id = %(building)s ORDER BY elevation, name"
_SYSTEMS: Final = """
    SELECT DISTINCT coalesce(g.name, g.long_name) AS name FROM element_group g
    JOIN model m ON m.id = g.model_id AND g.last_version = m.current_version
    WHERE g.building_id = %(building)s AND coalesce(g.name, g.long_name) IS NOT NULL ORDER BY name LIMIT 1000
"""


async def search_words(conn: Conn, building: UUID) -> SearchWords:
    """What a query may ask for in a building."""

    async def names(query: Any) -> list[str]:
        return [each["name"] for each in await rows(conn, query, {"building": building})]

    return SearchWords(
        keys=[*KEYS],
        has=sorted(HAS),
        classes=await names(_CLASSES),
        storeys=await names(_STOREYS),
        systems=await names(_SYSTEMS),
        properties=await names(_PROPERTIES),
    )
