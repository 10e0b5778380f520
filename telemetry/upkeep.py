"""The history's own housekeeping, by itself once a day: remove what is due, compress what is old, count what there is.

A job of the queue (`history_upkeep`), so that a worker beside the server can do it, one at a time; what it did stands
in `history_run` and the audit trail, and is told as an event (clause 6.1.3f).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from psycopg import sql

from identity import SYSTEM, audit
from telemetry.history import History
from telemetry.parts import Part, Storage, bytes_of, compress_part, list_parts, storage_of, table_of
from telemetry.retention import Removed, remove_due
from telemetry.rollups import Rollups
from twin.db import Conn, Database, objects, row, rows
from twin.errors import Unavailable
from twin.events import emit
from twin.jobs import JobContext, create_job
from twin.page import Page, decode_cursor, page_of

log = structlog.get_logger()

UPKEEP: Final = "history_upkeep"  # kind of job
EVERY: Final = timedelta(days=1)
CLEARED_AT_ONCE: Final = 5_000  # refused readings of one transaction
LOOK_S: Final = 300.0  # how often a server looks whether a run is due


@dataclass(frozen=True, slots=True)
class Run:
    """What retention or compression did for one policy, or to one part of the table."""

    id: int
    kind: str  # retention | compression | quarantine
    policy: str | None
    part: str | None  # partition or chunk that was dropped or compressed
    started_at: datetime
    finished_at: datetime
    points: int
    readings: int  # removed, or compressed
    rollups: int  # removed
    held_back: int  # readings due that are not rolled up yet: with a later run
    oldest: datetime | None
    newest: datetime | None
    bytes_before: int | None
    bytes_after: int | None
    error: str | None


async def list_runs(conn: Conn, *, kind: str | None = None, limit: int = 100, cursor: str | None = None) -> Page[Run]:
    """What was done, newest first."""
    before = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Run,
        """SELECT id, kind, policy, part, started_at, finished_at, points, readings, rollups, held_back, oldest,
                  newest, bytes_before, bytes_after, error
           FROM history_run WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
             AND (%(kind)s::text IS NULL OR kind = %(kind)s)
           ORDER BY id DESC LIMIT %(limit)s""",
        {"before": before and before[0], "kind": kind, "limit": limit + 1},
    )
    return page_of(found, limit, lambda run: [run.id])


async def ask_for_upkeep(conn: Conn, actor_name: str | None) -> UUID:
    """A run as soon as a worker is free; the job to watch."""
    return await create_job(conn, UPKEEP, {}, building_id=None, actor_name=actor_name, lock=UPKEEP)


async def ask_when_due(db: Database, *, now: datetime) -> UUID | None:
    """Ask for the daily run if its time has come; of several servers one does."""
    async with db.transaction() as conn:
        due = await row(
            conn,
            "UPDATE history_schedule SET next_at = %s WHERE next_at <= %s RETURNING 1 AS due",
            (now + EVERY, now),
        )
        return await ask_for_upkeep(conn, SYSTEM.name) if due else None


async def run(db: Database) -> None:
    """Ask for the daily run whenever it is due, until cancelled."""
    while True:
        try:
            await ask_when_due(db, now=datetime.now(UTC))
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("history.schedule_failed", reason=str(error).strip())
        await asyncio.sleep(LOOK_S)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Handler of the job: run once, now. How long refused readings stay; None: for ever."""

    quarantine_open: timedelta | None
    quarantine_settled: timedelta | None

    async def __call__(self, job: JobContext) -> Mapping[str, Any]:
        now = datetime.now(UTC)
        await job.report("removing", 0.0)
        removed = await remove(job.db, now=now)
        refused = await clear_quarantine(job.db, self.quarantine_open, self.quarantine_settled, now=now)
        await job.report("compressing", 0.5)
        compressed = await compress(job.db, now=datetime.now(UTC))
        await job.report("counting", 0.8)
        async with job.db.connection() as conn:
            await count_parts(conn)
        done = sum(each.readings for each in removed)
        return {"removed": done, "refused": refused, "parts": len(compressed), "runs": len(removed)}


async def remove(db: Database, *, now: datetime) -> list[Removed]:
    """Remove what policies no longer keep, and tell of it. Rolls up first, so that little is held back."""
    history = History(db)
    await history.start(now=now)
    await Rollups(db).catch_up(now=now)
    done = await remove_due(db, history.engine, now=now)
    async with db.transaction() as conn:
        for each in done:
            await _tell_removed(conn, each)
    return done


_CLEAR: LiteralString = """
    WITH due AS (
      (SELECT id FROM quarantine WHERE state = 'open' AND received_at < %(open)s
       ORDER BY received_at, id LIMIT %(most)s)
      UNION ALL
      (SELECT id FROM quarantine WHERE state = 'replayed' AND received_at < %(settled)s AND settled_at < %(settled)s
       ORDER BY received_at, id LIMIT %(most)s)
      UNION ALL
      (SELECT id FROM quarantine WHERE state = 'dismissed' AND received_at < %(settled)s AND settled_at < %(settled)s
       ORDER BY received_at, id LIMIT %(most)s)),
    gone AS (DELETE FROM quarantine q USING due WHERE q.id = due.id RETURNING q.point_key, q.received_at, q.state)
    SELECT count(*) AS n, count(*) FILTER (WHERE state = 'open') AS waiting, min(received_at) AS oldest,
           max(received_at) AS newest
    FROM gone
"""


async def clear_quarantine(
    db: Database, keep_open: timedelta | None, keep_settled: timedelta | None, *, now: datetime
) -> int:
    """Remove refused readings that have been kept long enough, and tell of it; how many. None keeps for ever."""
    removed, waiting, oldest, newest = 0, 0, None, None
    due = {
        "open": now - keep_open if keep_open else None,
        "settled": now - keep_settled if keep_settled else None,
        "most": CLEARED_AT_ONCE,
    }
    while True:
        async with db.transaction() as conn:  # short ones: ingest counts in the same rows
            found = await row(conn, _CLEAR, due)
        assert found is not None
        if not found["n"]:
            break
        removed, waiting = removed + found["n"], waiting + found["waiting"]
        oldest = min(filter(None, (oldest, found["oldest"])))
        newest = max(filter(None, (newest, found["newest"])))
    if removed:
        async with db.transaction() as conn:
            told = {"kind": "quarantine", "started_at": now, "readings": removed, "oldest": oldest, "newest": newest}
            await _tell(conn, {**told, "held_back": 0, "waiting": waiting})
    return removed


async def _tell_removed(conn: Conn, done: Removed) -> None:
    told = {
        "kind": "retention",
        "policy_id": done.policy_id,
        "policy": done.policy,
        "part": done.part,
        "started_at": done.started_at,
        "points": len(done.points),
        "readings": 0 if done.error else done.readings,
        "rollups": done.rollups,
        "held_back": done.held_back,
        "oldest": done.oldest,
        "newest": done.newest,
        "bytes_before": done.bytes_before,
        "bytes_after": (done.bytes_before if done.error else 0) if done.part else None,
        "error": done.error,
    }
    await _tell(conn, told)


_TOLD: LiteralString = """
    INSERT INTO history_run (kind, policy_id, policy, part, started_at, finished_at, points, readings, rollups,
                             held_back, oldest, newest, bytes_before, bytes_after, error)
    VALUES (%(kind)s, %(policy_id)s, %(policy)s, %(part)s, %(started_at)s, clock_timestamp(), %(points)s, %(readings)s,
            %(rollups)s, %(held_back)s, %(oldest)s, %(newest)s, %(bytes_before)s, %(bytes_after)s, %(error)s)
    RETURNING id
"""
_NOTHING: Final[dict[str, Any]] = dict.fromkeys(
    ("policy_id", "policy", "part", "oldest", "newest", "bytes_before", "bytes_after", "error")
) | {"points": 0, "readings": 0, "rollups": 0, "held_back": 0}


async def _tell(conn: Conn, told: Mapping[str, Any]) -> None:
    """A row, an audit entry and an event of what was done."""
    made = await row(conn, _TOLD, {**_NOTHING, **told})
    assert made is not None
    plain = {
        name: value if isinstance(value, int) else str(value) for name, value in told.items() if value not in (None, 0)
    }
    await audit.record(conn, SYSTEM, f"history.{told['kind']}", f"history_run:{made['id']}", after=plain)
    await emit(conn, "history", {"change": told["kind"], "run": made["id"], **plain}, building_id=None)


async def compress(db: Database, *, now: datetime) -> list[str]:
    """Compress the parts that are old enough for every class that asks for it, and tell of it; their names.

    A part holds readings of all classes, so the class that wants it last decides.
    """
    async with db.connection() as conn:
        storage = await storage_of(conn)
        before = await _compress_before(conn, now)
        parts = await list_parts(conn, storage.engine) if before else []
        packed = {each["name"] for each in await rows(conn, _PACKED)}
    chosen = [
        part
        for part in parts
        if before and part.end <= before and (part.changed or not (part.compressed or part.name in packed))
    ]
    return [part.name for part in chosen if await _compress_one(db, storage, part, now)]


_PACKED: LiteralString = "SELECT name FROM history_part WHERE compressed_at IS NOT NULL"


async def _compress_before(conn: Conn, now: datetime) -> datetime | None:
    """Parts that end by then are due: old enough, and rolled up. None: no class that has points asks for it."""
    found = await row(
        conn,
        """SELECT least(%(now)s - max(c.compress_after), (SELECT rolled FROM rollup_state)) AS before
           FROM history_policy c WHERE c.compress_after IS NOT NULL
             AND EXISTS (SELECT FROM point_policy_of o WHERE o.policy_id = c.id)""",
        {"now": now},
    )
    assert found is not None
    before: datetime | None = found["before"]
    return before


async def _compress_one(db: Database, storage: Storage, part: Part, now: datetime) -> bool:
    async with db.connection() as conn:
        dirty = await row(
            conn, "SELECT 1 FROM rollup_dirty WHERE hour >= %s AND hour < %s LIMIT 1", (part.start, part.end)
        )
        if dirty:
            return False  # still being rolled up
        error = None
        try:
            await compress_part(conn, storage.compression, part)
        except psycopg.Error as failed:
            log.warning("history.compression_failed", part=part.name, reason=str(failed).strip())
            error = str(failed).strip()
        after = await bytes_of(conn, storage.engine, part)
        counted = {} if error else await _count_part(conn, storage, part.name)
    before = part.bytes
    async with db.transaction() as conn:
        if not error:
            await conn.execute(
                """UPDATE history_part SET bytes_before = coalesce(bytes_before, %s), compressed_at = %s
                   WHERE name = %s""",
                (before, now, part.name),
            )
        told = {"part": part.name, "started_at": now, "bytes_before": before, "bytes_after": after, "error": error}
        await _tell(conn, {"kind": "compression", **told, **counted})
    return error is None


async def count_parts(conn: Conn) -> None:
    """Count the readings of each point in every part that has changed since, and forget parts that are gone."""
    storage = await storage_of(conn)
    parts = await list_parts(conn, storage.engine)
    known = {each["name"]: each for each in await rows(conn, "SELECT name, bytes, changes FROM history_part")}
    await conn.execute("DELETE FROM history_part WHERE name <> ALL (%s)", ([part.name for part in parts],))
    for part in parts:
        before = known.get(part.name)
        if before is None or (before["bytes"], before["changes"]) != (part.bytes, part.changes):
            await _count_part(conn, storage, part.name)


async def _count_part(conn: Conn, storage: Storage, name: str) -> dict[str, int]:
    """Count one part anew; its points and readings."""
    async with conn.transaction():
        part = next((each for each in await list_parts(conn, storage.engine) if each.name == name), None)
        if part is None:
            return {}
        await conn.execute(
            """INSERT INTO history_part (name, readings, bytes, changes, counted_at)
               VALUES (%s, 0, %s, %s, clock_timestamp())
               ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes, changes = excluded.changes,
                   counted_at = excluded.counted_at""",
            (name, part.bytes, part.changes),
        )
        await conn.execute("DELETE FROM history_count WHERE part = %s", (name,))
        counted = sql.SQL(
            """INSERT INTO history_count (part, point_id, readings, first_ts, last_ts)
               SELECT {}, point_id, count(*), min(ts), max(ts) FROM {} GROUP BY point_id"""
        )
        await conn.execute(counted.format(sql.Literal(name), table_of(part)))
        total = await row(
            conn,
            """UPDATE history_part SET readings = (SELECT coalesce(sum(readings), 0) FROM history_count
                                                   WHERE part = history_part.name)
               WHERE name = %(name)s
               RETURNING readings, (SELECT count(*) FROM history_count WHERE part = %(name)s)::int AS points""",
            {"name": name},
        )
    return {"readings": total["readings"], "points": total["points"]} if total else {}


@dataclass(frozen=True, slots=True)
class PartUse:
    """A partition or chunk: [start, end)."""

    name: str
    start: datetime
    end: datetime
    readings: int | None  # null: not counted yet
    bytes: int
    bytes_before: int | None  # before it was compressed
    compressed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PointUse:
    """What a point's readings take: their share of the parts they lie in."""

    point: str  # key
    name: str
    readings: int
    bytes: int
    first: datetime
    last: datetime
    raw_from: datetime | None  # retention removed what was before
    policy: str | None


@dataclass(frozen=True, slots=True)
class StorageUse:
    """Where the history's bytes are. Counted by the daily run, sizes as of now; `items`: points, the largest first."""

    engine: str
    version: str | None
    license: str | None
    compression: str  # columnstore | index
    counted_at: datetime | None
    readings: int
    bytes: int
    bytes_per_reading: float | None
    compression_ratio: float | None  # of what is compressed: bytes before / after
    rollup_bytes: int
    parts: list[PartUse]
    items: list[PointUse]
    next: str | None


async def storage_use(
    conn: Conn, building_id: UUID | None, *, limit: int = 100, cursor: str | None = None
) -> StorageUse:
    """Bytes and readings, in all and per point (of a building's points, or of all)."""
    storage = await storage_of(conn)
    known = {each["name"]: each for each in await rows(conn, "SELECT * FROM history_part")}
    parts = [_use(part, known.get(part.name)) for part in await list_parts(conn, storage.engine)]
    counted = [each for each in parts if each.readings]
    readings, counted_bytes = sum(each.readings or 0 for each in counted), sum(each.bytes for each in counted)
    smaller = [each for each in parts if each.bytes_before and each.bytes]
    after = sum(each.bytes for each in smaller)
    rollup = await row(
        conn, "SELECT pg_total_relation_size('rollup_5m') + pg_total_relation_size('rollup_1h') AS bytes"
    )
    page = await _point_use(conn, building_id, parts, limit, cursor)
    return StorageUse(
        **asdict(storage),
        counted_at=max((each["counted_at"] for each in known.values()), default=None),
        readings=readings,
        bytes=sum(each.bytes for each in parts),
        bytes_per_reading=counted_bytes / readings if readings else None,
        compression_ratio=sum(each.bytes_before or 0 for each in smaller) / after if after else None,
        rollup_bytes=rollup["bytes"] if rollup else 0,
        parts=parts,
        items=page.items,
        next=page.next,
    )


def _use(part: Part, known: Mapping[str, Any] | None) -> PartUse:
    facts = known or {"readings": None, "bytes_before": None, "compressed_at": None}
    return PartUse(
        part.name,
        part.start,
        part.end,
        facts["readings"],
        part.bytes,
        facts["bytes_before"],
        facts["compressed_at"],
    )


async def _point_use(
    conn: Conn, building_id: UUID | None, parts: Sequence[PartUse], limit: int, cursor: str | None
) -> Page[PointUse]:
    after = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        PointUse,
        """SELECT * FROM (
             SELECT p.key AS point, p.name, sum(c.readings)::bigint AS readings,
                    sum(c.readings * s.each)::bigint AS bytes, min(c.first_ts) AS first, max(c.last_ts) AS last,
                    k.raw_from, h.name AS policy
             FROM history_count c
             JOIN unnest(%(parts)s::text[], %(each)s::float8[]) AS s(part, each) ON s.part = c.part
             JOIN point p ON p.handle = c.point_id JOIN point_policy_of o ON o.handle = p.handle
             LEFT JOIN history_policy h ON h.id = o.policy_id LEFT JOIN history_cut k ON k.point_id = p.handle
             WHERE %(building)s::uuid IS NULL OR p.building_id = %(building)s
             GROUP BY p.key, p.name, k.raw_from, h.name) AS used
           WHERE %(bytes)s::bigint IS NULL OR (-bytes, point) > (-%(bytes)s::bigint, %(point)s)
           ORDER BY -bytes, point LIMIT %(limit)s""",
        {
            "parts": [part.name for part in parts],
            "each": [part.bytes / part.readings if part.readings else 0.0 for part in parts],
            "building": building_id,
            "bytes": after and after[0],
            "point": after and after[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda use: [use.bytes, use.point])
