"""What elements said before: rows of `element_past`, aliases, and what a version's elements were matched with."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg import sql

from ifc_models.copying import copy_rows
from ifc_models.resolving import Found
from twin.db import Conn

_NOT_PAST: Final = frozenset(("id", "first_version", "last_version"))


async def keep_past(conn: Conn, ids: Sequence[UUID], columns: Sequence[str]) -> None:
    """Remember what these rows say before they are rewritten; `columns` are those of table `element`."""
    names = [name for name in columns if name not in _NOT_PAST]
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    await conn.execute(
        sql.SQL(
            "INSERT INTO element_past (element_id, until, {0}) SELECT id, last_version + 1, {0} FROM element "
            "WHERE id = ANY(%s)"
        ).format(listed),
        (list(ids),),
    )


async def write_aliases(conn: Conn, model_id: UUID, version: int, renamed: Sequence[tuple[UUID, str, int]]) -> None:
    """Remember the GlobalIds that elements had before this version; one that is in use again is no alias."""
    if renamed:
        await conn.execute(
            """INSERT INTO element_alias (model_id, global_id, occurrence, element_id, until)
               SELECT %s, name, occurrence, id, %s
               FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS was(id, name, occurrence)
               ON CONFLICT (model_id, global_id, occurrence)
               DO UPDATE SET element_id = excluded.element_id, until = excluded.until""",
            (model_id, version, *(list(each) for each in zip(*renamed, strict=True))),
        )
    await conn.execute(
        """DELETE FROM element_alias a USING element e
           WHERE a.model_id = %s AND e.model_id = a.model_id AND e.global_id = a.global_id
             AND e.occurrence = a.occurrence""",
        (model_id,),
    )


_MATCH: Final = {
    "model_id": "uuid",
    "version": "int4",
    "kind": "text",
    "state": "text",
    "old_id": "uuid",
    "new_id": "uuid",
    "old_global_id": "text",
    "new_global_id": "text",
    "score": "float8",
    "distance": "float8",
}
_STATES: Final = {"certain": "applied", "likely": "waiting", "lost": "lost"}


async def write_matches(
    conn: Conn, model_id: UUID, version: int, found: Sequence[Found], ids: Sequence[UUID], names: Sequence[str]
) -> None:
    """Write the report of matches; `ids` and `names` are the server ids and GlobalIds of the new elements."""
    if not found:
        return
    made = []
    for each in found:
        m = each.match
        made.append((
            model_id, version, each.kind, _STATES[each.kind], each.row["id"], ids[m.new] if m else None,
            each.row["global_id"], names[m.new] if m else None, m.score if m else 0.0, m.distance if m else None,
        ))  # fmt: skip
    await copy_rows(conn, "element_match", _MATCH, made)
    reasons = [(each.row["id"], ",".join(each.match.reasons)) for each in found if each.match]
    if reasons:
        await conn.execute(
            """UPDATE element_match SET reasons = string_to_array(said.reasons, ',')
               FROM unnest(%s::uuid[], %s::text[]) AS said(id, reasons)
               WHERE model_id = %s AND version = %s AND old_id = said.id""",
            (*(list(each) for each in zip(*reasons, strict=True)), model_id, version),
        )
