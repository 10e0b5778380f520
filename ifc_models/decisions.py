"""A person decides about matches: confirms a likely one, rejects one, names another element.

To confirm is to merge: the old element, with everything bound to it, becomes what the new one says, and the new one's
row goes. To reject one that is in force is to split them again. What the files say is never changed.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import errors as pg
from psycopg import sql

from ifc_models.element_rows import COLUMNS
from ifc_models.history import keep_past
from ifc_models.text import to_json
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Conflict, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

KINDS: Final = ("certain", "likely", "lost")
_CONTENT: Final = [name for name in COLUMNS if name not in ("id", "model_id", "building_id", "first_version")]
_STRUCTURE: Final = (
    ("element", "parent_id"), ("element", "space_id"), ("element_relation", "from_id"), ("element_relation", "to_id"),
    ("element_group_member", "element_id"), ("element_group_serves", "element_id"), ("space", "element_id"),
    ("element_place", "element_id"), ("element_place", "filled_space"),
)  # fmt: skip
"""What the model's file says about an element, as against what people bound to it."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """An element whose GlobalId a version no longer has, and the new element that it is, may be, or null."""

    id: UUID
    model_id: UUID
    version: int
    kind: str  # certain | likely | lost
    state: str  # applied | waiting | lost | confirmed | rejected | corrected
    old_id: UUID
    new_id: UUID | None
    old_global_id: str
    new_global_id: str | None
    score: float
    distance: float | None  # m
    reasons: list[str]  # shape | position | name | tag | type | place
    ifc_class: str
    old_name: str | None
    new_name: str | None
    storey_name: str | None
    bindings: dict[str, int]  # points, assets, orders, alarms, plans, properties of the old element; absent: none
    decided_by: str | None
    decided_at: datetime | None


_MATCH: Final = """
    SELECT m.id, m.model_id, m.version, m.kind, m.state, m.old_id, m.new_id, m.old_global_id, m.new_global_id, m.score,
           m.distance, m.reasons, o.ifc_class, coalesce(o.name, o.long_name) AS old_name,
           coalesce(n.name, n.long_name) AS new_name, s.name AS storey_name, m.decided_by, m.decided_at,
           jsonb_strip_nulls(jsonb_build_object(
               'points', (SELECT nullif(count(*), 0) FROM point p WHERE p.element_id = o.id),
               'assets', (SELECT nullif(count(*), 0) FROM asset_binding b WHERE b.element_id = o.id),
               'orders', (SELECT nullif(count(*), 0) FROM work_order w WHERE o.id IN (w.element_id, w.space_id)),
               'alarms', (SELECT nullif(count(*), 0) FROM alarm a WHERE o.id IN (a.element_id, a.space_id)),
               'plans', (SELECT nullif(count(*), 0) FROM plan p WHERE p.element_id = o.id),
               'properties', (SELECT nullif(count(*), 0) FROM jsonb_object_keys(o.own_properties)))) AS bindings
    FROM element_match m JOIN element o ON o.id = m.old_id
    LEFT JOIN element n ON n.id = m.new_id LEFT JOIN storey s ON s.id = o.storey_id
"""


async def list_matches(
    conn: Conn,
    model_id: UUID,
    version: int,
    *,
    kind: str | None = None,
    state: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[MatchRow]:
    """The matches of a version: those that wait first, then lost ones, the best scores first. Raises Invalid."""
    if kind is not None and kind not in KINDS:
        raise Invalid("match.kind", where="kind", value=kind, known=", ".join(KINDS))
    after = decode_cursor(cursor, 3) or [None] * 3
    found = await objects(
        conn,
        MatchRow,
        _MATCH
        + """ WHERE m.model_id = %(model)s AND m.version = %(version)s
                AND (%(kind)s::text IS NULL OR m.kind = %(kind)s) AND (%(state)s::text IS NULL OR m.state = %(state)s)
                AND (%(rank)s::int IS NULL
                     OR (array_position('{likely,lost,certain}'::text[], m.kind), -m.score, m.id)
                        > (%(rank)s, %(score)s, %(id)s::uuid))
              ORDER BY array_position('{likely,lost,certain}'::text[], m.kind), -m.score, m.id LIMIT %(limit)s""",
        {
            "model": model_id,
            "version": version,
            "kind": kind,
            "state": state,
            "rank": after[0],
            "score": after[1],
            "id": after[2],
            "limit": limit + 1,
        },
    )
    order = {"likely": 1, "lost": 2, "certain": 3}
    return page_of(found, limit, lambda each: (order[each.kind], -each.score, each.id))


async def get_match(conn: Conn, model_id: UUID, version: int, match_id: UUID) -> MatchRow:
    """One match. Raises NotFound."""
    found = await object_or_none(
        conn,
        MatchRow,
        _MATCH + " WHERE m.id = %s AND m.model_id = %s AND m.version = %s",
        (match_id, model_id, version),
    )
    if found is None:
        raise NotFound("match.unknown", match=str(match_id))
    return found


@asynccontextmanager
async def _past_row_filters(conn: Conn) -> AsyncIterator[None]:
    """See every row that refers to an element: a binding that the caller may not see must move along all the same.

    What the caller may decide about has been checked by then: the match was read through the filters.
    """
    held = await row(conn, "SELECT current_setting('role') AS role")
    await conn.execute("SELECT set_config('role', 'none', true)")
    yield
    if held is not None:  # after an error the transaction is over, and with it the setting
        await conn.execute("SELECT set_config('role', %s, true)", (held["role"],))


async def confirm(conn: Conn, match: MatchRow, by: str, now: datetime) -> None:
    """The old element is the new one. Raises Conflict where it is too late or both have something that excludes it."""
    async with _past_row_filters(conn):
        await _lock(conn, match)
        if match.state == "waiting" and match.new_id is not None:
            await merge(conn, match.old_id, match.new_id)
        elif match.state != "applied":
            raise Conflict("match.decided", state=match.state)
        await _decide(conn, match.id, "confirmed", by, now)


async def reject(conn: Conn, match: MatchRow, by: str, now: datetime) -> None:
    """They are two things. One that was in force is split: what is bound stays with the old element, which is gone."""
    async with _past_row_filters(conn):
        await _lock(conn, match)
        if match.state in ("applied", "confirmed", "corrected"):
            await split(conn, match)
        elif match.state != "waiting":
            raise Conflict("match.decided", state=match.state)
        await _decide(conn, match.id, "rejected", by, now)


async def correct(conn: Conn, match: MatchRow, element_id: UUID, by: str, now: datetime) -> None:
    """The old element is another one of the shown version. Raises Conflict, Invalid."""
    async with _past_row_filters(conn):
        await _lock(conn, match)
        if element_id == match.old_id:
            raise Invalid("match.same", where="element")
        if match.state in ("applied", "confirmed", "corrected"):
            await split(conn, match)
        await merge(conn, match.old_id, element_id)
        await conn.execute(
            """UPDATE element_match m SET new_id = m.old_id, new_global_id = e.global_id
               FROM element e WHERE e.id = m.old_id AND m.id = %s""",
            (match.id,),
        )
        await _decide(conn, match.id, "corrected", by, now)


async def _lock(conn: Conn, match: MatchRow) -> None:
    """One decision at a time, none while a version is stored."""
    await conn.execute("SELECT 1 FROM model WHERE id = %s FOR UPDATE", (match.model_id,))
    state = await row(conn, "SELECT state FROM element_match WHERE id = %s", (match.id,))
    if state is None or state["state"] != match.state:
        raise Conflict("match.decided", state=state["state"] if state else "")


async def _decide(conn: Conn, match_id: UUID, state: str, by: str, now: datetime) -> None:
    await conn.execute(
        "UPDATE element_match SET state = %s, decided_by = %s, decided_at = %s WHERE id = %s",
        (state, by, now, match_id),
    )


async def merge(conn: Conn, old_id: UUID, new_id: UUID) -> None:
    """Make the gone element `old_id` what `new_id` says; all that refers to the new row refers to the old one then."""
    found = {
        each["id"]: each
        for each in await rows(
            conn,
            """SELECT e.id, e.model_id, e.global_id, e.occurrence, e.own_properties, e.last_version, e.since,
                      e.first_version, m.current_version
               FROM element e JOIN model m ON m.id = e.model_id WHERE e.id IN (%s, %s)""",
            (old_id, new_id),
        )
    }
    old, new = found.get(old_id), found.get(new_id)
    if old is None or new is None or old["model_id"] != new["model_id"]:
        raise NotFound("element.unknown", ref=str(new_id))
    if old["last_version"] == old["current_version"]:
        raise Conflict("match.old_is_there", element=old["global_id"])
    if new["last_version"] != new["current_version"] or new["first_version"] <= old["last_version"]:
        raise Conflict("match.not_new", element=new["global_id"])
    await keep_past(conn, [old_id], list(COLUMNS))
    try:
        await _refer(conn, new_id, old_id, await _references(conn))
    except (pg.ExclusionViolation, pg.UniqueViolation) as error:
        raise Conflict("match.both_bound", element=new["global_id"]) from error
    await _move_content(conn, old_id, new_id)
    await conn.execute(
        "UPDATE element SET own_properties = %s::jsonb || own_properties WHERE id = %s",
        (to_json(new["own_properties"]).decode(), old_id),
    )
    await conn.execute("UPDATE element_match SET new_id = %s WHERE new_id = %s", (old_id, new_id))
    await conn.execute("DELETE FROM element WHERE id = %s", (new_id,))
    await conn.execute(
        """INSERT INTO element_alias (model_id, global_id, occurrence, element_id, until) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (model_id, global_id, occurrence) DO UPDATE SET element_id = excluded.element_id""",
        (old["model_id"], old["global_id"], old["occurrence"], old_id, new["since"]),
    )


async def _move_content(conn: Conn, old_id: UUID, new_id: UUID) -> None:
    """Put what the new row says into the old one. The GlobalId is unique: the new row lets go of it first."""
    held = await row(conn, "SELECT global_id, occurrence FROM element WHERE id = %s", (new_id,))
    assert held is not None
    await conn.execute("UPDATE element SET global_id = id::text WHERE id = %s", (new_id,))
    columns = [name for name in _CONTENT if name not in ("global_id", "occurrence")]
    await conn.execute(
        sql.SQL("UPDATE element o SET {} FROM element n WHERE o.id = %s AND n.id = %s").format(
            sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in columns)
        ),
        (old_id, new_id),
    )
    await conn.execute(
        "UPDATE element SET global_id = %s, occurrence = %s WHERE id = %s",
        (held["global_id"], held["occurrence"], old_id),
    )


async def split(conn: Conn, match: MatchRow) -> None:
    """Undo a match: the old element is gone again, a new row says what the version's file says.

    Only while that version is shown: later ones were compared with the match in force.
    """
    shown = await row(conn, "SELECT current_version FROM model WHERE id = %s", (match.model_id,))
    if shown is None or shown["current_version"] != match.version:
        raise Conflict("match.outdated", version=match.version)
    past = await row(
        conn, "SELECT since, until FROM element_past WHERE element_id = %s AND until <= %s ORDER BY until DESC LIMIT 1",
        (match.old_id, match.version),
    )  # fmt: skip
    if past is None:
        raise Conflict("match.no_past", element=match.old_global_id)
    content = sql.SQL(", ").join(map(sql.Identifier, [n for n in _CONTENT if n not in ("global_id", "occurrence")]))
    said = await row(conn, "SELECT global_id, occurrence FROM element WHERE id = %s", (match.old_id,))
    assert said is not None
    await conn.execute("UPDATE element SET global_id = id::text WHERE id = %s", (match.old_id,))
    made = await row(
        conn,
        sql.SQL(
            "INSERT INTO element (model_id, building_id, first_version, global_id, occurrence, {0}) "
            "SELECT model_id, building_id, since, %s, %s, {0} FROM element WHERE id = %s RETURNING id"
        ).format(content),
        (said["global_id"], said["occurrence"], match.old_id),
    )
    assert made is not None
    await _refer(conn, match.old_id, made["id"], _STRUCTURE)
    was = [name for name in _CONTENT if name != "last_version"]
    await conn.execute(
        sql.SQL(
            "UPDATE element e SET last_version = p.until - 1, {} FROM element_past p "
            "WHERE e.id = %s AND p.element_id = e.id AND p.since = %s"
        ).format(sql.SQL(", ").join(sql.SQL("{0} = p.{0}").format(sql.Identifier(name)) for name in was)),
        (match.old_id, past["since"]),
    )
    await conn.execute("DELETE FROM element_past WHERE element_id = %s AND since = %s", (match.old_id, past["since"]))
    await conn.execute(
        "DELETE FROM element_alias WHERE element_id = %s AND global_id = %s", (match.old_id, match.old_global_id)
    )
    await conn.execute("UPDATE element_match SET new_id = %s WHERE id = %s", (made["id"], match.id))


async def _references(conn: Conn) -> list[tuple[str, str]]:
    """Every column that refers to an element, from the catalogue: no table that comes later is forgotten."""
    found = await rows(
        conn,
        """SELECT c.conrelid::regclass::text AS table, a.attname AS column
           FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           WHERE c.contype = 'f' AND c.confrelid = 'element'::regclass AND c.conparentid = 0
           ORDER BY 1, 2""",
    )
    return [(each["table"], each["column"]) for each in found if each["table"] != "element_match"]


async def _refer(conn: Conn, from_id: UUID, to_id: UUID, columns: Iterable[tuple[str, str]]) -> None:
    """Let everything that refers to one element refer to another."""
    for table, column in columns:
        await conn.execute(
            sql.SQL("UPDATE {0} SET {1} = %s WHERE {1} = %s").format(sql.Identifier(table), sql.Identifier(column)),
            (to_id, from_id),
        )
