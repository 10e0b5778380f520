"""Retention: readings and rollups that a policy no longer keeps are removed, and what was removed is told (6.1.3f).

Three rules hold on every engine. A reading goes only when its hour stands in the rollups: removal of a point's history
stops at its first hour that is marked dirty. Of a point's history only the oldest goes, so one time (`history_cut`)
says where it begins. And ingest does not wait: rows go in batches, each a short transaction, and a whole part is
dropped only if its lock is to be had at once.

A batch is one snapshot (REPEATABLE READ): a late reading that comes meanwhile is either seen together with its mark,
and removal stops before it, or not at all, and it stays.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from psycopg import sql

from telemetry.parts import Engine, Part, drop_part, list_parts, lock_part, table_of
from telemetry.rollups import COARSE, WORK_LOCK, floor
from twin.db import Conn, Database, row, rows

log = structlog.get_logger()

BATCH: Final = 20_000  # rows of one transaction
TRIES: Final = 3  # of a batch that lost against somebody who changed one of its rows

# Until when readings and rollups of a point are due: full hours, and readings never beyond what is rolled up.
_DUE: LiteralString = """
    SELECT o.handle, c.id AS policy_id, c.name AS policy, k.raw_from, k.rollup_from,
           date_bin('1 hour', least(%(now)s - c.raw_for, s.rolled), 'epoch') AS raw_before,
           date_bin('1 hour', %(now)s - c.rollup_for, 'epoch') AS rollup_before
    FROM point_policy_of o JOIN history_policy c ON c.id = o.policy_id CROSS JOIN rollup_state s
    LEFT JOIN history_cut k ON k.point_id = o.handle
    WHERE c.raw_for IS NOT NULL AND (%(policy)s::uuid IS NULL OR c.id = %(policy)s)
    ORDER BY o.handle
"""
_WITH_READINGS: LiteralString = """
    SELECT d.handle FROM unnest(%(handles)s::int[], %(before)s::timestamptz[]) AS d(handle, before)
    WHERE EXISTS (SELECT FROM reading r WHERE r.point_id = d.handle AND r.ts < d.before)
"""
_WITH_ROLLUPS: LiteralString = """
    SELECT d.handle FROM unnest(%(handles)s::int[], %(before)s::timestamptz[]) AS d(handle, before)
    WHERE EXISTS (SELECT FROM rollup_1h r WHERE r.point_id = d.handle AND r.ts < d.before)
       OR EXISTS (SELECT FROM rollup_5m r WHERE r.point_id = d.handle AND r.ts < d.before)
"""
# The first hour that must stay, and the reading after a whole batch of them.
_BOUND: LiteralString = """
    SELECT (SELECT min(hour) FROM rollup_dirty WHERE point_id = %(point)s AND hour < %(before)s
              AND (%(raw_from)s::timestamptz IS NULL OR hour >= %(raw_from)s)) AS dirty,
           (SELECT ts FROM reading WHERE point_id = %(point)s AND ts < %(before)s
            ORDER BY ts OFFSET %(most)s LIMIT 1) AS far
"""
_REMOVE: LiteralString = """
    WITH gone AS (DELETE FROM reading WHERE point_id = %(point)s AND ts < %(upto)s RETURNING ts)
    SELECT count(*) AS n, min(ts) AS oldest, max(ts) AS newest FROM gone
"""
_CUT: LiteralString = """
    INSERT INTO history_cut (point_id, raw_from) SELECT p, %(upto)s FROM unnest(%(points)s::int[]) AS p
    ON CONFLICT (point_id) DO UPDATE SET raw_from = greatest(history_cut.raw_from, excluded.raw_from)
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a point's history a policy no longer keeps: readings before `raw_before`, rollups before the other."""

    handle: int
    policy_id: UUID
    policy: str
    raw_from: datetime | None
    rollup_from: datetime | None
    raw_before: datetime
    rollup_before: datetime | None


@dataclass(slots=True)
class Removed:
    """What was removed for a policy, or with a part."""

    policy_id: UUID | None
    policy: str | None
    started_at: datetime
    points: set[int] = field(default_factory=set)
    readings: int = 0
    rollups: int = 0
    held_back: int = 0  # readings that are due and not rolled up yet
    oldest: datetime | None = None
    newest: datetime | None = None
    part: str | None = None
    bytes_before: int | None = None
    error: str | None = None

    def add(self, handle: int, found: dict[str, Any]) -> None:
        """Count a batch of a point's readings."""
        if found["n"]:
            self.points.add(handle)
            self.readings += found["n"]
            self.oldest = min(filter(None, (self.oldest, found["oldest"])))
            self.newest = max(filter(None, (self.newest, found["newest"])))

    @property
    def is_worth_telling(self) -> bool:
        """Whether anything happened, or should have."""
        return bool(self.readings or self.rollups or self.held_back or self.part or self.error)


async def list_due(conn: Conn, now: datetime, policy: UUID | None = None) -> list[Due]:
    """The points whose policy does not keep everything, and until when they are due."""
    return [Due(**each) for each in await rows(conn, _DUE, {"now": now, "policy": policy})]


async def remove_due(db: Database, engine: Engine, *, now: datetime) -> list[Removed]:
    """Remove all that is due by `now`: whole parts where everything in them is, else row by row; then rollups."""
    async with db.transaction() as conn:
        due = await list_due(conn, now)
    if not due:
        return []
    done = await _drop_parts(db, engine, due, now)
    policies = {each.policy_id: Removed(each.policy_id, each.policy, now) for each in due}
    await _remove_readings(db, due, policies)
    await _remove_rollups(db, due, policies)
    return [each for each in (*done, *policies.values()) if each.is_worth_telling]


async def _drop_parts(db: Database, engine: Engine, due: Sequence[Due], now: datetime) -> list[Removed]:
    """Drop parts, oldest first, until one must stay: what comes after it may not go before it."""
    dropped: list[Removed] = []
    async with db.connection() as conn:
        parts = await list_parts(conn, engine)
    for part in parts:
        ready = [each for each in due if each.raw_before >= part.end]
        if not ready:
            break
        done = Removed(None, None, now, part=part.name, bytes_before=part.bytes)
        try:
            if not await _drop(db, engine, part, ready, done):
                break
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            # Somebody reads for long, an export say: with the next run.
            log.warning("history.part_busy", part=part.name, reason=str(error).strip())
            done.error = "the part is being read or written: tried again with the next run"
            return [*dropped, done]
        dropped.append(done)
    return dropped


async def _drop(db: Database, engine: Engine, part: Part, ready: Sequence[Due], done: Removed) -> bool:
    """Drop a part if nobody needs what is in it; whether it was."""
    handles = [each.handle for each in ready]
    async with db.connection() as conn:
        if await _is_needed(conn, engine, part, handles):
            return False  # looked up without a lock first: most of the time that settles it
        counted = sql.SQL("SELECT point_id, count(*) AS n, min(ts) AS oldest, max(ts) AS newest FROM {} GROUP BY 1")
        for each in await rows(conn, counted.format(table_of(part))):
            done.add(each["point_id"], each)
    concerned = {each.policy_id: each.policy for each in ready if each.handle in done.points}
    done.policy = ", ".join(sorted(concerned.values())) or None
    done.policy_id = next(iter(concerned)) if len(concerned) == 1 else None
    async with db.transaction() as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (WORK_LOCK,))
        await lock_part(conn, part)
        if await _is_needed(conn, engine, part, handles):
            return False
        cut = list(done.points & set(handles))
        await conn.execute(_CUT, {"points": cut, "upto": part.end})
        await drop_part(conn, engine, part)
    return True


async def _is_needed(conn: Conn, engine: Engine, part: Part, ready: list[int]) -> bool:
    """Whether a part has readings of a point that is not due, or hours that are not rolled up; or older ones wait."""
    needed = await row(
        conn,
        sql.SQL(
            """SELECT EXISTS (SELECT FROM rollup_dirty WHERE hour >= %(start)s AND hour < %(end)s)
                   OR EXISTS (SELECT FROM point p WHERE p.handle <> ALL (%(ready)s)
                              AND EXISTS (SELECT FROM {} r WHERE r.point_id = p.handle)) AS needed"""
        ).format(table_of(part)),
        {"start": part.start, "end": part.end, "ready": ready},
    )
    if engine == "partitions" and needed and not needed["needed"]:
        return bool(await row(conn, "SELECT 1 FROM reading_default WHERE ts < %s LIMIT 1", (part.end,)))
    return bool(needed and needed["needed"])


async def _remove_readings(db: Database, due: Sequence[Due], policies: dict[UUID, Removed]) -> None:
    async with db.connection() as conn:
        wanted = {"handles": [each.handle for each in due], "before": [each.raw_before for each in due]}
        with_some = {each["handle"] for each in await rows(conn, _WITH_READINGS, wanted)}
    waiting = deque(each for each in due if each.handle in with_some)
    while waiting:
        await _one_batch(db, waiting, policies)


async def _one_batch(db: Database, waiting: deque[Due], policies: dict[UUID, Removed]) -> None:
    """Remove up to a batch of readings of the first points in line; those that are through leave it."""
    for attempt in range(1, TRIES + 1):
        through: list[tuple[Due, dict[str, Any], bool]] = []
        try:
            async with db.transaction() as conn:
                await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                await conn.execute("SELECT pg_advisory_xact_lock(%s)", (WORK_LOCK,))
                removed = 0
                for each in waiting:
                    found = await _remove_some(conn, each)
                    through.append((each, found, found["more"]))
                    removed += found["n"]
                    if removed >= BATCH or found["more"]:
                        break
            break
        except psycopg.errors.SerializationFailure:
            if attempt == TRIES:
                raise
    for each, found, more in through:
        policies[each.policy_id].add(each.handle, found)
        policies[each.policy_id].held_back += found["held_back"]
        if not more:
            waiting.popleft()


async def _remove_some(conn: Conn, due: Due) -> dict[str, Any]:
    """Remove the oldest readings of a point, a batch at most; `more`: there are more to be removed."""
    asked = {"point": due.handle, "before": due.raw_before, "raw_from": due.raw_from, "most": BATCH}
    bound = await row(conn, _BOUND, asked)
    assert bound is not None
    limit: datetime = bound["dirty"] or due.raw_before
    upto = limit
    if bound["far"] is not None:
        first = await row(conn, "SELECT min(ts) AS ts FROM reading WHERE point_id = %s", (due.handle,))
        assert first is not None
        upto = min(limit, max(floor(bound["far"], COARSE), floor(first["ts"], COARSE) + COARSE))
    found = await row(conn, _REMOVE, {"point": due.handle, "upto": upto})
    assert found is not None
    if found["n"]:
        await conn.execute(_CUT, {"points": [due.handle], "upto": upto})
    held = 0
    if upto == limit < due.raw_before:
        kept = await row(
            conn,
            "SELECT count(*) AS n FROM reading WHERE point_id = %s AND ts >= %s AND ts < %s",
            (due.handle, limit, due.raw_before),
        )
        held = kept["n"] if kept else 0
    return {**found, "more": upto < limit, "held_back": held}


async def _remove_rollups(db: Database, due: Iterable[Due], policies: dict[UUID, Removed]) -> None:
    old = {each.handle: each for each in due if each.rollup_before is not None}
    async with db.connection() as conn:
        wanted = {"handles": list(old), "before": [each.rollup_before for each in old.values()]}
        found = [each["handle"] for each in await rows(conn, _WITH_ROLLUPS, wanted)] if old else []
    waiting = deque(old[handle] for handle in found)
    while waiting:
        async with db.transaction() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", (WORK_LOCK,))
            removed = 0
            while waiting and removed < BATCH:
                n, more = await _remove_some_rollups(conn, waiting[0])
                removed += n
                policies[waiting[0].policy_id].rollups += n
                policies[waiting[0].policy_id].points.add(waiting[0].handle)
                if not more:
                    waiting.popleft()


async def _remove_some_rollups(conn: Conn, due: Due) -> tuple[int, bool]:
    """Remove the oldest rollups of a point, a batch of fine ones with their hours; how many, and if more are."""
    assert due.rollup_before is not None
    far = await row(
        conn,
        "SELECT ts FROM rollup_5m WHERE point_id = %s AND ts < %s ORDER BY ts OFFSET %s LIMIT 1",
        (due.handle, due.rollup_before, BATCH),
    )
    upto = floor(far["ts"], COARSE) if far else due.rollup_before
    wanted = {"point": due.handle, "upto": upto}
    fine = await conn.execute("DELETE FROM rollup_5m WHERE point_id = %(point)s AND ts < %(upto)s", wanted)
    hours = await conn.execute("DELETE FROM rollup_1h WHERE point_id = %(point)s AND ts < %(upto)s", wanted)
    await conn.execute(
        """INSERT INTO history_cut (point_id, raw_from, rollup_from) VALUES (%(point)s, %(raw)s, %(upto)s)
           ON CONFLICT (point_id) DO UPDATE
             SET rollup_from = greatest(history_cut.rollup_from, excluded.rollup_from)""",
        {**wanted, "raw": min(upto, due.raw_before)},
    )
    return fine.rowcount + hours.rowcount, far is not None


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next run would remove for a policy. `exact`: counted, else estimated from the last count."""

    points: int  # it counts for
    raw_before: datetime | None
    rollup_before: datetime | None
    readings: int
    without_rollup: int  # of those: texts and bad readings, which no rollup holds
    rollups: int
    oldest: datetime | None
    bytes: int  # about, of the readings
    exact: bool


_COUNT_DUE: LiteralString = """
    SELECT coalesce(sum(f.n), 0)::bigint AS readings, coalesce(sum(f.bare), 0)::bigint AS without_rollup,
           min(f.oldest) AS oldest
    FROM unnest(%(handles)s::int[], %(before)s::timestamptz[]) AS d(handle, before)
    CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE num IS NULL OR q >= 2) AS bare, min(ts) AS oldest
                        FROM reading r WHERE r.point_id = d.handle AND r.ts < d.before) AS f
"""
_ESTIMATE_DUE: LiteralString = """
    SELECT coalesce(sum(c.readings * least(1, extract(epoch FROM d.before - c.first_ts)
                                              / greatest(1, extract(epoch FROM c.last_ts - c.first_ts)))), 0)::bigint
             AS readings, 0::bigint AS without_rollup, min(c.first_ts) AS oldest
    FROM unnest(%(handles)s::int[], %(before)s::timestamptz[]) AS d(handle, before)
    JOIN history_count c ON c.point_id = d.handle AND c.first_ts < d.before
"""
_COUNT_ROLLUPS: LiteralString = """
    SELECT coalesce(sum(f.n), 0)::bigint AS n
    FROM unnest(%(handles)s::int[], %(before)s::timestamptz[]) AS d(handle, before)
    CROSS JOIN LATERAL (SELECT (SELECT count(*) FROM rollup_5m WHERE point_id = d.handle AND ts < d.before)
                             + (SELECT count(*) FROM rollup_1h WHERE point_id = d.handle AND ts < d.before) AS n) AS f
"""
PREVIEW_TIME: Final = timedelta(seconds=15)


async def preview(conn: Conn, policy: UUID, *, now: datetime) -> Preview:
    """What a run by `now` would remove for a policy, whatever is not rolled up yet included."""
    due = await list_due(conn, now, policy)
    counted = await row(conn, "SELECT count(*) AS n FROM point_policy_of WHERE policy_id = %s", (policy,))
    asked = {"handles": [each.handle for each in due], "before": [each.raw_before for each in due]}
    exact, found = True, None
    try:
        async with conn.transaction():
            milliseconds = str(int(PREVIEW_TIME.total_seconds() * 1000))
            await conn.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
            found = await row(conn, _COUNT_DUE, asked)
    except psycopg.errors.QueryCanceled:
        exact, found = False, await row(conn, _ESTIMATE_DUE, asked)
    rollups = [each for each in due if each.rollup_before]
    old = await row(
        conn,
        _COUNT_ROLLUPS,
        {"handles": [each.handle for each in rollups], "before": [each.rollup_before for each in rollups]},
    )
    each_bytes = await row(
        conn, "SELECT coalesce(sum(bytes) / nullif(sum(readings), 0), 0)::float8 AS each FROM history_part"
    )
    assert found and old and counted and each_bytes
    return Preview(
        points=counted["n"],
        raw_before=due[0].raw_before if due else None,
        rollup_before=due[0].rollup_before if due else None,
        readings=found["readings"],
        without_rollup=found["without_rollup"],
        rollups=old["n"],
        oldest=found["oldest"],
        bytes=round(found["readings"] * each_bytes["each"]),
        exact=exact,
    )
