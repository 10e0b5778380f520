"""Elements as rows of a table with chosen columns, read with a cursor: any number of them costs a page of memory."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, LiteralString
from uuid import uuid4

from psycopg.sql import SQL, Composable

from ifc_models.element_list import OWN, filter_conditions
from ifc_models.tables import Cell
from twin.db import Conn
from twin.errors import Invalid

MAX_COLUMNS: Final = 100
MAX_XLSX: Final = 200_000  # rows; more are a CSV's business
BATCH: Final = 1000
COLUMNS: Final[Mapping[str, LiteralString]] = {
    "id": "e.id::text",
    "global_id": "e.global_id",
    "ifc_class": "e.ifc_class",
    "predefined_type": "e.predefined_type",
    "name": "e.name",
    "long_name": "e.long_name",
    "description": "e.description",
    "object_type": "e.object_type",
    "tag": "e.tag",
    "type": "t.name",
    "model": "m.name",
    "building": "(SELECT b.name FROM building b WHERE b.id = e.building_id)",
    "storey": "s.name",
    "space": "coalesce(r.long_name, r.name)",
    "systems": """(SELECT string_agg(g.name, '; ' ORDER BY g.name) FROM element_group_member n
                   JOIN element_group g ON g.id = n.group_id WHERE n.element_id = e.id)""",
    "asset": """(SELECT a.code FROM asset_binding b JOIN asset a ON a.id = b.asset_id
                 WHERE b.element_id = e.id AND b.during @> now())""",
    "points": "(SELECT string_agg(p.key, '; ' ORDER BY p.key) FROM point p WHERE p.element_id = e.id)",
    "materials": "(SELECT string_agg(x ->> 'name', '; ') FROM jsonb_array_elements(e.materials) x)",
    "classifications": """(SELECT string_agg(coalesce(x ->> 'identification', x ->> 'code', x ->> 'name'), '; ')
                           FROM jsonb_array_elements(e.classifications) x)""",
    "geometry": "e.geometry",
    "x": "(e.bbox[1] + e.bbox[4]) / 2",
    "y": "(e.bbox[2] + e.bbox[5]) / 2",
    "z": "e.bbox[3]",
}
DEFAULT: Final = ("global_id", "ifc_class", "name", "type", "storey", "space", "tag")
_PROPERTY: Final = SQL("""coalesce(e.own_properties ->> {own},
    e.psets #>> ARRAY[{pset}, {name}, 'value'], e.quantities #>> ARRAY[{pset}, {name}, 'value'],
    t.psets #>> ARRAY[{pset}, {name}, 'value'], t.quantities #>> ARRAY[{pset}, {name}, 'value'])""")
_ROWS: Final = SQL("""
    SELECT {columns} FROM element e
    JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN element_type t ON t.id = e.type_id
    LEFT JOIN storey s ON s.id = e.storey_id
    LEFT JOIN element r ON r.id = e.space_id
    WHERE {conditions} ORDER BY coalesce(e.name, ''), e.id LIMIT %(most)s
""")


def columns_of(text: str | None) -> list[str]:
    """The chosen columns; without any the usual ones. Raises Invalid for a name that is neither ours nor Pset.Name."""
    chosen = [each.strip() for each in (text or "").split(",") if each.strip()] or list(DEFAULT)
    for each in chosen:
        pset, dot, name = each.partition(".")
        if each not in COLUMNS and not (dot and pset and name):
            raise Invalid("export.column", where="columns", column=each[:100], known=", ".join(COLUMNS))
    if len(chosen) > MAX_COLUMNS:
        raise Invalid("export.columns", where="columns", limit=MAX_COLUMNS)
    return chosen


async def element_rows(
    conn: Conn, columns: list[str], filters: Mapping[str, Any], *, most: int | None = None
) -> AsyncIterator[list[Cell]]:
    """One row per shown element that passes the filters of `element_list.list_elements`, by name."""
    conditions, params = filter_conditions(filters)
    made: list[Composable] = []
    for n, column in enumerate(columns):
        known = COLUMNS.get(column)
        if known is None:
            pset, _, name = column.partition(".")
            params |= {f"pset{n}": pset, f"name{n}": name, f"own{n}": name if pset == OWN else column}
            made.append(_PROPERTY.format(pset=_named(f"pset{n}"), name=_named(f"name{n}"), own=_named(f"own{n}")))
        else:
            made.append(SQL(known))
    aliased = [SQL("{} AS {}").format(each, SQL(f"c{n}")) for n, each in enumerate(made)]
    query = _ROWS.format(columns=SQL(", ").join(aliased), conditions=conditions)
    async with conn.cursor(name=f"elements_{uuid4().hex}") as cursor:
        cursor.itersize = BATCH
        await cursor.execute(query, {**params, "most": most})
        async for found in cursor:
            yield [_cell(value) for value in found.values()]


def _named(name: str) -> SQL:
    return SQL(f"%({name})s::text")


def _cell(value: Any) -> Cell:
    if not isinstance(value, str):
        return value if isinstance(value, (int, float)) or value is None else str(value)
    try:
        return (
            float(value)
            if len(value) < 24 and value.replace(".", "", 1).lstrip("-").isdigit() and "." in value
            else value
        )
    except ValueError:
        return value
