"""Readings that were refused: kept as they came, with the reason, until a person puts them in again or dismisses them.

What is put in again goes through ingest like everything else, perhaps under another point's key or at another time; the
readings and the state of their rows are committed together. What is refused once more stays open.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, LiteralString

from psycopg.types.json import Jsonb

from identity import Actor, audit
from identity.access import limited
from telemetry.decode import check_each
from telemetry.ingest import Ingest
from telemetry.sources import SourceRef, ensure_source
from telemetry.submission import Outcome
from twin.db import Conn, Database, objects, row, rows
from twin.errors import Invalid, Language, NotFound
from twin.page import Page, decode_cursor, page_of
from twin.places import get_building

State = Literal["open", "replayed", "dismissed"]
AT_ONCE: Final = 10_000  # refused readings that one request settles
PIECE: Final = 2_000  # of them in one transaction
REPLAY: Final = "replay"  # the source of what comes from none that is known


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused reading. `ts` and `value` are as they came; a value that JSON has no word for is text."""

    id: int
    source: str | None
    point: str
    ts: str | None
    value: Any
    quality: str | None
    code: str
    message: str
    received_at: datetime
    state: State
    settled_at: datetime | None
    settled_by: str | None
    became: dict[str, Any] | None  # replayed: the point and the time it was put in with


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which refused readings are meant; what is None says nothing. [start, end) of the time they came."""

    building: str | None = None  # id or name
    source: str | None = None  # id or name
    point: str | None = None  # key
    code: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many refused readings have the same reason, source and point."""

    code: str
    source: str | None
    point: str
    count: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of refused readings that were put in again; `items`: those refused once more, the first hundred."""

    chosen: int
    accepted: int
    duplicate: int
    rejected: int
    items: list["StillRefused"]


@dataclass(frozen=True, slots=True)
class StillRefused:
    """A reading that is refused once more, and why now."""

    id: int
    code: str
    message: str


_COLUMNS: LiteralString = """
    SELECT q.id, s.name AS source, q.point_key AS point, q.ts, q.value, q.quality, q.code, q.message, q.received_at,
           q.state, q.settled_at, q.settled_by, q.became
"""
_FROM: LiteralString = " FROM quarantine q LEFT JOIN source s ON s.id = q.source_id"
_NEWEST: LiteralString = " ORDER BY q.received_at DESC, q.id DESC"
_PAGE: LiteralString = _NEWEST + " LIMIT %(limit)s"
# Of a building: its points, and sources that are its own.
_POINTS: LiteralString = "SELECT key FROM point WHERE building_id::text = %(building)s"
_SOURCES: LiteralString = "SELECT id FROM source WHERE building_id::text = %(building)s"
_INSIDE: LiteralString = "(q.point_key IN (" + _POINTS + ") OR q.source_id IN (" + _SOURCES + "))"
# One who sees some points only: these, and what he sent himself. The row filters say the same, row by row.
_SEEN_POINTS: LiteralString = "SELECT key FROM point"
_SEEN_SOURCES: LiteralString = "SELECT id FROM source WHERE name = (SELECT current_setting('twin.actor', true))"
# Few of many rows are looked for where they are: the newest of each of these points and sources tells which of them can
# have rows on the page (no more than stand on it), and these give theirs.
_WALK: LiteralString = """
    WITH points AS MATERIALIZED ({points}), sources AS MATERIALIZED ({sources}),
    first_points AS MATERIALIZED (
        SELECT p.key FROM points p CROSS JOIN LATERAL (
            SELECT q.received_at, q.id FROM quarantine q WHERE q.point_key = p.key AND {where} {newest} LIMIT 1) AS q
        {newest} LIMIT %(limit)s),
    found AS (
        SELECT r.id FROM first_points p CROSS JOIN LATERAL (
            SELECT q.id FROM quarantine q WHERE q.point_key = p.key AND {where} {newest} LIMIT %(limit)s) AS r
        UNION
        SELECT r.id FROM sources o CROSS JOIN LATERAL (
            SELECT q.id FROM quarantine q WHERE q.source_id = o.id AND {where} {newest} LIMIT %(limit)s) AS r)
"""


def _parameters(chosen: Filter) -> dict[str, Any]:
    return {name: getattr(chosen, name) for name in Filter.__slots__}


def _where(chosen: Filter, *, inside: bool = True) -> LiteralString:
    """The conditions on rows q that a filter makes; those that say nothing are left out, for the planner's sake."""
    said: list[tuple[object, LiteralString]] = [
        (chosen.source, "q.source_id IN (SELECT id FROM source WHERE name = %(source)s OR uuid::text = %(source)s)"),
        (chosen.point, "q.point_key = %(point)s"),
        (chosen.code, "q.code = %(code)s"),
        (chosen.start, "q.received_at >= %(start)s"),
        (chosen.end, "q.received_at < %(end)s"),
        (chosen.state, "q.state = %(state)s"),
        (chosen.building if inside else None, _INSIDE),
    ]
    return " AND ".join(["true", *(condition for given, condition in said if given is not None)])


async def list_quarantine(
    conn: Conn, chosen: Filter, *, everywhere: bool = True, limit: int = 100, cursor: str | None = None
) -> Page[Quarantined]:
    """Refused readings, newest first. Those of a building: of its points, and of sources that are its own.

    `building` of the filter is an id here. Not `everywhere`: the caller sees some points only.
    """
    before = decode_cursor(cursor, 2)
    past: LiteralString = " AND (q.received_at, q.id) < (%(at)s::timestamptz, %(before)s::bigint)" if before else ""
    asked = {"at": before and before[0], "before": before and before[1], "limit": limit + 1}
    where = _where(chosen, inside=False) + past
    query: LiteralString
    if chosen.point is None and (chosen.building is not None or not everywhere):
        points, sources = (_POINTS, _SOURCES) if chosen.building is not None else (_SEEN_POINTS, _SEEN_SOURCES)
        query = _WALK.format(points=points, sources=sources, where=where, newest=_NEWEST) + _COLUMNS
        query += " FROM found f JOIN quarantine q ON q.id = f.id LEFT JOIN source s ON s.id = q.source_id" + _PAGE
    else:
        query = _COLUMNS + _FROM + " WHERE " + _where(chosen) + past + _PAGE
    found = await objects(conn, Quarantined, query, {**_parameters(chosen), **asked})
    return page_of(found, limit, lambda each: [each.received_at, each.id])


async def summarise(conn: Conn, chosen: Filter, *, limit: int = 100) -> list[Count]:
    """How many there are of each reason, source and point, the most first. `building` of the filter is an id."""
    if chosen.state == "open" and chosen.start is None and chosen.end is None:
        counted: LiteralString = (
            "SELECT q.source_id, q.point_key, q.code, q.n, q.oldest, q.newest FROM quarantine_count q"
        )
        where, grouped = _where(replace(chosen, state=None)), ""
    else:
        counted = """SELECT q.source_id, q.point_key, q.code, count(*) AS n, min(q.received_at) AS oldest,
                            max(q.received_at) AS newest FROM quarantine q"""
        where, grouped = _where(chosen), " GROUP BY 1, 2, 3"
    return await objects(
        conn,
        Count,
        "SELECT c.code, s.name AS source, c.point_key AS point, c.n AS count, c.oldest, c.newest FROM ("
        + counted
        + " WHERE "
        + where
        + grouped
        + " ORDER BY 4 DESC LIMIT %(limit)s) AS c LEFT JOIN source s ON s.id = c.source_id"
        + " ORDER BY c.n DESC, c.code, s.name, c.point_key",
        {**_parameters(chosen), "limit": limit},
    )


async def choose(conn: Conn, ids: Sequence[int] | None, chosen: Filter | None) -> list[dict[str, Any]]:
    """The open rows with these numbers, or that a filter finds, oldest first; at most `AT_ONCE`.

    Raises Invalid `quarantine.choice` unless exactly one of the two is given, NotFound `quarantine.unknown`, and for a
    building that is not there.
    """
    if (ids is None) == (chosen is None) or (ids is not None and not 1 <= len(ids) <= AT_ONCE):
        raise Invalid("quarantine.choice", limit=AT_ONCE)
    if chosen is not None and chosen.building:
        chosen = replace(chosen, building=str((await get_building(conn, chosen.building)).id))
    found = await rows(
        conn,
        "SELECT q.id, q.source_id, s.name AS source, q.point_key, q.ts, q.value, q.quality "
        + _FROM
        + " WHERE q.state = 'open' AND "
        + ("true" if ids is None else "q.id = ANY(%(ids)s)")
        + " AND "
        + _where(replace(chosen, state=None) if chosen else Filter())
        + " ORDER BY q.received_at, q.id LIMIT %(most)s",
        {**_parameters(chosen or Filter()), "ids": None if ids is None else list(ids), "most": AT_ONCE},
    )
    if ids is not None and not found:
        raise NotFound("quarantine.unknown", id=ids[0])
    return found


async def replay(
    db: Database,
    ingest: Ingest,
    actor: Actor,
    *,
    ids: Sequence[int] | None = None,
    chosen: Filter | None = None,
    point: str | None = None,
    ts: str | None = None,
    lang: Language = "en",
) -> Replayed:
    """Put refused readings in again: as they came, or under another `point` key, or at the time `ts` (RFC 3339).

    Sees and writes what `actor` may. Raises as `choose` does, Invalid `quarantine.one_time`: one `ts`, many readings.
    """
    async with limited(db, actor, "reading.write") as conn:
        found = await choose(conn, ids, chosen)
    if ts is not None and len(found) > 1:
        raise Invalid("quarantine.one_time", where="ts", count=len(found))
    by_source: dict[tuple[int | None, str | None], list[dict[str, Any]]] = defaultdict(list)
    for each in found:
        by_source[each["source_id"], each["source"]].append(each)
    done = Replayed(len(found), 0, 0, 0, [])
    for (number, name), mine in by_source.items():
        source = await _source(db, number, name)
        for start in range(0, len(mine), PIECE):
            piece = await _put_in(ingest, actor, source, mine[start : start + PIECE], point, ts, lang)
            done = _added(done, piece)
    async with db.transaction() as conn:
        told = {"chosen": done.chosen, "accepted": done.accepted, "rejected": done.rejected, "point": point, "ts": ts}
        await audit.record(conn, actor, "quarantine.replay", "quarantine", after=told)
    return done


async def _source(db: Database, number: int | None, name: str | None) -> SourceRef:
    if number is not None and name is not None:
        return SourceRef(number, name)
    async with db.transaction() as conn:
        return await ensure_source(conn, REPLAY, "file")


async def _put_in(
    ingest: Ingest,
    actor: Actor,
    source: SourceRef,
    piece: Sequence[Mapping[str, Any]],
    point: str | None,
    ts: str | None,
    lang: Language,
) -> Replayed:
    """Submit rows of one source; mark those that are in, in the transaction that stores them."""
    items = [_reading(each, point, ts) for each in piece]
    columns = check_each(enumerate(items))

    async def settle(conn: Conn, outcome: Outcome) -> None:
        still = {each.index for each in outcome.refused}
        settled = [i for i in range(len(piece)) if i not in still]
        marked = await conn.execute(
            """UPDATE quarantine q SET state = 'replayed', settled_at = now(), settled_by = %(by)s, became = u.became
               FROM unnest(%(ids)s::bigint[], %(became)s::jsonb[]) AS u(id, became)
               WHERE q.id = u.id AND q.state = 'open'""",
            {
                "ids": [piece[i]["id"] for i in settled],
                "became": [Jsonb({"point": items[i]["point"], "ts": items[i]["ts"]}) for i in settled],
                "by": actor.name,
            },
        )
        # Each reading of a source is counted once, as what became of it in the end.
        await conn.execute(
            """UPDATE source SET accepted = accepted + %(accepted)s, duplicate = duplicate + %(duplicate)s,
                 rejected = greatest(0, rejected - %(marked)s) WHERE id = %(id)s""",
            {
                "id": source.id,
                "accepted": outcome.accepted,
                "duplicate": max(0, marked.rowcount - outcome.accepted),
                "marked": marked.rowcount,
            },
        )

    receipt = await ingest.submit_columns(
        source, columns, lang=lang, live=False, sender=actor, again=True, together=settle
    )
    items_left = [StillRefused(piece[each.index]["id"], each.code, each.message) for each in receipt.rejected]
    return Replayed(len(piece), receipt.accepted, receipt.duplicate, len(receipt.rejected), items_left)


def _reading(refused: Mapping[str, Any], point: str | None, ts: str | None) -> dict[str, Any]:
    item = {"point": point or refused["point_key"], "ts": ts or refused["ts"], "value": refused["value"]}
    return item if refused["quality"] is None else {**item, "quality": refused["quality"]}


def _added(one: Replayed, other: Replayed) -> Replayed:
    return Replayed(
        one.chosen,
        one.accepted + other.accepted,
        one.duplicate + other.duplicate,
        one.rejected + other.rejected,
        (one.items + other.items)[:100],
    )


async def dismiss(conn: Conn, actor: Actor, *, ids: Sequence[int] | None = None, chosen: Filter | None = None) -> int:
    """Mark refused readings as looked at and not wanted; they stay on record. Returns how many. Raises as `choose`."""
    found = await choose(conn, ids, chosen)
    marked = await row(
        conn,
        """WITH marked AS (
             UPDATE quarantine SET state = 'dismissed', settled_at = now(), settled_by = %(by)s
             WHERE id = ANY(%(ids)s) AND state = 'open' RETURNING 1)
           SELECT count(*) AS n FROM marked""",
        {"ids": [each["id"] for each in found], "by": actor.name},
    )
    count = int(marked["n"]) if marked else 0
    await audit.record(conn, actor, "quarantine.dismiss", "quarantine", after={"chosen": len(found), "count": count})
    return count
