"""Keeps derived points: works out the past of new definitions, then each bucket as it ends, and again what came late.

`done` of a definition moves forward with `rollup_state.settled`: buckets before it stand. Readings of inputs that come
in for the time before `settled` mark their hour (`derived_dirty`, by a trigger on the marks of the rollups, in the
transaction of the readings); the buckets that such an hour reaches are worked out again and written where they differ.
What has ended after `settled` is worked out in every round until it is settled, so that a value is there seconds after
its bucket, and right soon after. One server at a time works, a definition in a transaction (`WORK_LOCK`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import structlog
from psycopg.types.json import Jsonb

from telemetry.derived import Source, check_units, rule_of, write_inputs
from telemetry.derived_members import find_members
from telemetry.derived_store import Change, write_made
from telemetry.derived_values import Feed, Target, cuts_of, floor_cut, make_values, micros
from telemetry.ingest import AcceptedBatch, Ingest
from telemetry.rollups import COARSE
from telemetry.sources import SourceRef
from twin.db import Conn, Database, row, rows
from twin.errors import Invalid, TwinError, Unavailable
from twin.events import Event

log = structlog.get_logger()

WORK_LOCK: Final = 1953983093  # one server at a time works out
EVERY_S: Final = 10.0
SOURCE: Final = "derived"
CHUNK_BUCKETS: Final = 500  # of the past, per transaction
CHUNK_LONGEST: Final = timedelta(days=7)
DIRTY_HOURS: Final = 200  # of a definition, per transaction
CHUNKS_PER_ROUND: Final = 20  # of a definition, before the others have their turn
HOLD_LONGEST: Final = timedelta(days=366)

_DEFINITIONS: LiteralString = """
    SELECT d.id, d.point_id, d.kind, d.every, d.settings, d.error, d.fill_from, d.done, d.revision, p.key,
           p.kind AS point_kind, p.unit, p.labels, p.min_value, p.max_value,
           coalesce(p.time_zone, s.time_zone) AS time_zone,
           coalesce((SELECT jsonb_agg(jsonb_build_object('name', i.name, 'handle', q.handle, 'key', q.key,
                       'kind', q.kind, 'unit', q.unit, 'labels', q.labels, 'sampling', q.sampling,
                       'patience', date_part('epoch', q.patience), 'retired_at', q.retired_at) ORDER BY i.name, q.key)
                     FROM derived_input i JOIN point q ON q.handle = i.point_id
                     WHERE i.derived_id = d.id), '[]') AS inputs
    FROM derived d JOIN point p ON p.handle = d.point_id JOIN building b ON b.id = p.building_id
    JOIN site s ON s.id = b.site_id WHERE p.retired_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as the worker needs it."""

    id: UUID
    handle: int
    key: str
    revision: int
    target: Target
    feeds: tuple[Feed, ...]
    fill_from: datetime | None
    done: datetime | None
    error: Mapping[str, Any] | None


class Derivations:
    """The worker: `await run()`; `await catch_up(now=…)` once, for tests and tools."""

    def __init__(self, db: Database, ingest: Ingest) -> None:
        self._db = db
        self._ingest = ingest
        self._wake = asyncio.Event()
        self._members_stale = True
        self._changed = Change()

    async def run(self) -> None:
        """Work every `EVERY_S`, and when points change, until cancelled."""
        while True:
            more = False
            try:
                more = await self._round(datetime.now(UTC))
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("derived.failed", reason=str(error).strip())
            if not more:
                try:
                    await asyncio.wait_for(self._wake.wait(), EVERY_S)
                except TimeoutError:
                    continue
                self._wake.clear()

    async def on_events(self, events: Sequence[Event]) -> None:
        """Find the members of sums anew when points or models changed. `api` calls it with every lot of events."""
        if any(event.topic in ("point", "model") for event in events):
            self._members_stale = True
            self._wake.set()

    async def catch_up(self, *, now: datetime) -> Change:
        """Work out all that there is to work out by `now`; return what became of readings."""
        self._changed, self._members_stale = Change(), True
        while await self._round(now):
            pass
        return self._changed

    async def _round(self, now: datetime) -> bool:
        """Give every definition its turn; whether one has more to do."""
        async with self._db.connection() as conn:
            if await row(conn, "SELECT 1 FROM derived LIMIT 1") is None:
                return False
        if self._members_stale:
            self._members_stale = False
            await self._find_members()
        async with self._db.connection() as conn:
            found = [_definition(each) for each in await rows(conn, _DEFINITIONS)]
        ordered, circles = in_order(found)
        for each in circles:
            await self._fail(each, Invalid("derived.cycle", path=each.key, point=each.key))
        more = False
        for each in ordered:
            try:
                more |= await self._advance(each, now, {other.handle for other in found})
            except TwinError as error:
                if isinstance(error, Unavailable):
                    raise
                await self._fail(each, error)
        return more

    async def _advance(self, definition: Definition, now: datetime, derived: set[int]) -> bool:
        """Up to `CHUNKS_PER_ROUND` steps of a definition, then what ended just now; whether it has more to do."""
        for _ in range(CHUNKS_PER_ROUND):
            if not await self._step(definition, derived):
                break
        else:
            await self._step(definition, derived, fresh=now)
            return True
        await self._step(definition, derived, fresh=now)
        return False

    async def _step(self, definition: Definition, derived: set[int], *, fresh: datetime | None = None) -> bool:
        """One piece of work in one transaction: late hours, then the past; with `fresh`, what ended up to then."""
        source = await self._ingest.source(SOURCE, "derived")
        async with self._db.transaction() as conn:
            if not await _alone(conn):
                return False
            state = await row(conn, "SELECT settled FROM rollup_state")
            known = await row(
                conn,
                "SELECT revision, fill_from, done FROM derived WHERE id = %s FOR NO KEY UPDATE",
                (definition.id,),
            )
            if state is None or known is None or known["revision"] != definition.revision:
                return False
            current = replace(definition, fill_from=known["fill_from"], done=known["done"])
            limit = await _limit(conn, current, state["settled"], derived)
            work = _Work(conn, self._ingest, source, current)
            if current.done is None:
                return await work.begin(limit)
            moved = await work.newest(limit, fresh) if fresh else await work.late() or await work.forward(limit)
        self._changed += work.change
        await self._tell(current, work.change)
        return moved

    async def _tell(self, definition: Definition, change: Change) -> None:
        """Show a newest value that was put right to whoever shows values; ingest tells of new ones itself."""
        info = self._ingest.registry.infos.get(definition.handle)
        if change.latest is None or info is None:
            return
        ts, num, quality = change.latest
        batch = AcceptedBatch(
            handles=np.array([definition.handle]),
            ts=np.array([ts]),
            num=np.array([num]),
            quality=np.array([quality], np.uint8),
            txt=None,
            points={definition.handle: info},
        )
        for sink in self._ingest.sinks:
            await sink(batch)

    async def _find_members(self) -> None:
        """Bring the members of sums up to date; a sum whose members changed is worked out anew."""
        async with self._db.transaction() as conn:
            if not await _alone(conn):
                return
            found = await rows(
                conn,
                """SELECT d.id, d.kind, d.every, d.settings, p.building_id, p.unit, p.kind AS point_kind,
                          ARRAY(SELECT point_id FROM derived_input i WHERE i.derived_id = d.id) AS members
                   FROM derived d JOIN point p ON p.handle = d.point_id WHERE d.kind = 'sum'""",
            )
            for each in found:
                rule = rule_of(each["kind"], each["every"], each["settings"])
                assert rule.over is not None
                try:
                    members = await find_members(conn, each["building_id"], rule.over)
                    sources = [Source("", one.handle, one.key, one.kind, one.unit) for one in members]
                    check_units(rule, each["point_kind"], each["unit"], sources)
                except Invalid as error:
                    await _write_fault(conn, each["id"], error)
                    continue
                if {one.handle for one in members} != set(each["members"]):
                    await write_inputs(conn, each["id"], sources)
                    await conn.execute(
                        """UPDATE derived SET revision = revision + 1, state = 'filling', error = NULL,
                             fill_from = NULL, done = NULL WHERE id = %s""",
                        (each["id"],),
                    )

    async def _fail(self, definition: Definition, error: TwinError) -> None:
        told = {"code": error.code, "params": error.params}
        if definition.error == told:
            return
        log.warning("derived.definition_failed", point=definition.key, code=error.code)
        async with self._db.transaction() as conn:
            await _write_fault(conn, definition.id, error)


async def _write_fault(conn: Conn, id: UUID, error: TwinError) -> None:
    told = Jsonb({"code": error.code, "params": {name: str(value) for name, value in error.params.items()}})
    await conn.execute("UPDATE derived SET state = 'failed', error = %s WHERE id = %s", (told, id))


@dataclass(slots=True)
class _Work:
    """The pieces of work of one definition, in the caller's transaction."""

    conn: Conn
    ingest: Ingest
    source: SourceRef
    of: Definition
    change: Change = field(default_factory=Change)

    async def begin(self, limit: datetime) -> bool:
        """Find where the past begins: where every input (of a sum: any) has readings."""
        found = await rows(
            self.conn,
            """SELECT (SELECT ts FROM reading WHERE point_id = u.p AND num IS NOT NULL ORDER BY ts LIMIT 1) AS ts
               FROM unnest(%s::int[]) AS u(p)""",
            ([feed.source.handle for feed in self.of.feeds],),
        )
        moments = [each["ts"] for each in found if each["ts"] is not None]
        if not moments or (len(moments) < len(found) and self.of.target.rule.kind != "sum"):
            await self.conn.execute("UPDATE derived SET state = 'live', error = NULL WHERE id = %s", (self.of.id,))
            return False
        first = min(moments) if self.of.target.rule.kind == "sum" else max(moments)
        start = min(self._floor(first), limit)
        await self.conn.execute(
            "UPDATE derived SET fill_from = %(at)s, done = %(at)s, error = NULL, state = 'filling' WHERE id = %(id)s",
            {"at": start, "id": self.of.id},
        )
        # The past is read from its start on: marks made before this transaction tell nothing new.
        await self.conn.execute("DELETE FROM derived_dirty WHERE derived_id = %s", (self.of.id,))
        return True

    async def forward(self, limit: datetime) -> bool:
        """Work out the next chunk of what is settled; whether there was one."""
        start = self.of.done
        assert start is not None
        if start >= limit:
            await self.conn.execute(
                "UPDATE derived SET state = 'live', error = NULL WHERE id = %s AND state <> 'live'", (self.of.id,)
            )
            return False
        end = await self._next(start, limit) or await self._make(start, min(start + self._stride(), limit), remove=True)
        await self.conn.execute("UPDATE derived SET done = %(to)s WHERE id = %(id)s", {"to": end, "id": self.of.id})
        return True

    async def _next(self, start: datetime, limit: datetime) -> datetime | None:
        """Where to go on when no reading of any input reaches the next chunk, so that empty years are not worked out.

        None: there is something to do here; readings that an earlier definition made are something too.
        """
        found = await row(
            self.conn,
            """SELECT least(
                 (SELECT min(next.ts) FROM unnest(%(handles)s::int[], %(holds)s::interval[]) AS u(p, hold)
                  CROSS JOIN LATERAL (
                    SELECT ts FROM reading WHERE point_id = u.p AND num IS NOT NULL AND ts >= %(start)s - u.hold
                    ORDER BY ts LIMIT 1) AS next),
                 (SELECT ts FROM reading WHERE point_id = %(own)s AND ts >= %(start)s ORDER BY ts LIMIT 1)) AS ts""",
            {
                "handles": [feed.source.handle for feed in self.of.feeds],
                "holds": [feed.hold for feed in self.of.feeds],
                "own": self.of.handle,
                "start": start,
            },
        )
        to = limit if found is None or found["ts"] is None else min(self._floor(found["ts"]), limit)
        return to if to > start + self._stride() else None

    async def late(self) -> bool:
        """Work out again what late readings reach; whether there was any."""
        taken = await rows(
            self.conn,
            """DELETE FROM derived_dirty WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM derived_dirty WHERE derived_id = %s ORDER BY hour LIMIT %s))
               RETURNING point_id, hour""",
            (self.of.id, DIRTY_HOURS),
        )
        cut = await row(
            self.conn,
            "SELECT max(raw_from) AS raw_from FROM history_cut WHERE point_id = ANY(%s)",
            ([feed.source.handle for feed in self.of.feeds],),
        )
        done, low = self.of.done, cut["raw_from"] if cut else None
        assert done is not None
        # Where retention took the readings of an input away, what they came to stays as it is.
        kept = {(each["point_id"], each["hour"]) for each in taken if low is None or each["hour"] >= low}
        reach = [await self._reach(point, hour) for point, hour in sorted(kept)]
        for start, end in _joined([(self._floor(a), min(b, done)) for a, b in reach if a < done]):
            at = start
            while at < end:
                at = await self._make(at, min(at + self._stride(), end), remove=False)
        return bool(taken)

    async def newest(self, limit: datetime, now: datetime) -> bool:
        """Work out what has ended but is not settled. Never more to do."""
        end = self._floor(now)
        start = max(self.of.done or limit, limit)
        if start < end:
            await self._make(max(start, self._floor(end - self._stride())), end, remove=False, live=True)
        return False

    async def _make(self, start: datetime, end: datetime, *, remove: bool, live: bool = False) -> datetime:
        """Work out the buckets that touch [start, end) and write them; return where the last one ends.

        What is unknown now is taken back with `remove`, or where every input was heard.
        """
        target = self.of.target
        cuts = cuts_of(target.rule, target.zone, start, end)
        made = await make_values(self.conn, target, self.of.feeds, cuts)
        to, last = (self.of.handle, self.of.key), micros(cuts[-1])
        remove = remove or made.heard
        self.change += await write_made(self.conn, self.ingest, self.source, to, made, last, remove=remove, live=live)
        return cuts[-1]

    async def _reach(self, point: int, hour: datetime) -> tuple[datetime, datetime]:
        """What a reading in this hour can change: up to the reading after it, and with straight lines from the one
        before it, both no further than readings hold."""
        feed = next((each for each in self.of.feeds if each.source.handle == point), None)
        if feed is None:
            return hour, hour
        end, start = hour + COARSE, hour
        after = await row(
            self.conn,
            """SELECT ts FROM reading WHERE point_id = %s AND ts >= %s AND ts <= %s AND num IS NOT NULL
               ORDER BY ts LIMIT 1""",
            (point, end, end + feed.hold),
        )
        if feed.interpolate:
            before = await row(
                self.conn,
                """SELECT ts FROM reading WHERE point_id = %s AND ts < %s AND ts >= %s AND num IS NOT NULL
                   ORDER BY ts DESC LIMIT 1""",
                (point, hour, hour - feed.hold),
            )
            start = before["ts"] if before else start
        return start, after["ts"] + timedelta(microseconds=1) if after else end + feed.hold

    def _floor(self, moment: datetime) -> datetime:
        return floor_cut(self.of.target.rule, self.of.target.zone, moment)

    def _stride(self) -> timedelta:
        bucket = timedelta(seconds=self.of.target.rule.bucket.seconds)
        return min(CHUNK_BUCKETS * bucket, max(CHUNK_LONGEST, bucket))


async def _alone(conn: Conn) -> bool:
    found = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS got", (WORK_LOCK,))
    return bool(found and found["got"])


async def _limit(conn: Conn, definition: Definition, settled: datetime, derived: set[int]) -> datetime:
    """Up to where buckets may stand: what is settled, and where its inputs are derived, what stands of these."""
    limit = settled
    inputs = [feed.source.handle for feed in definition.feeds if feed.source.handle in derived]
    if inputs:
        found = await rows(conn, "SELECT done FROM derived WHERE point_id = ANY(%s)", (inputs,))
        limit = min([settled, *(each["done"] for each in found if each["done"] is not None)])
    return floor_cut(definition.target.rule, definition.target.zone, limit)


def _joined(ranges: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The same ranges, those that touch as one."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        elif start < end:
            joined.append((start, end))
    return joined


def in_order(definitions: Sequence[Definition]) -> tuple[list[Definition], list[Definition]]:
    """Definitions so that each comes after those it is worked out from; and those that stand in or behind a circle."""
    waiting = {each.handle: each for each in definitions}
    ordered: list[Definition] = []
    while waiting:
        free = [each for each in waiting.values() if not any(feed.source.handle in waiting for feed in each.feeds)]
        if not free:
            return ordered, list(waiting.values())
        ordered.extend(waiting.pop(each.handle) for each in free)
    return ordered, []


def _definition(found: Mapping[str, Any]) -> Definition:
    rule = rule_of(found["kind"], found["every"], found["settings"])
    return Definition(
        id=found["id"],
        handle=found["point_id"],
        key=found["key"],
        revision=found["revision"],
        target=Target(
            rule,
            found["point_kind"],
            found["unit"],
            ZoneInfo(found["time_zone"]),
            found["labels"],
            found["min_value"],
            found["max_value"],
        ),
        feeds=tuple(feed_of(each) for each in found["inputs"]),
        fill_from=found["fill_from"],
        done=found["done"],
        error=found["error"],
    )


def feed_of(told: Mapping[str, Any]) -> Feed:
    """An input from the facts of its point."""
    until = told["retired_at"]
    return Feed(
        Source(told["name"], told["handle"], told["key"], told["kind"], told["unit"], told["labels"]),
        hold=min(timedelta(seconds=told["patience"]), HOLD_LONGEST),
        interpolate=told["sampling"] == "interpolate",
        until=datetime.fromisoformat(until) if until else None,
    )
