"""What happened, for everyone who watches: an outbox, numbered after the commit.

A change and its event row commit together. The row has no number then: numbers given inside transactions do not
rise in commit order (a slow transaction commits a low number late, and a watcher that has gone past never sees it),
and handing them out under a lock makes writers queue. So one sealer numbers committed rows right afterwards:
`seq` rises in the order in which rows became visible, and whoever has read up to `seq` has missed nothing below.
Numbers may have gaps. Any number of servers may run a feed; an advisory lock lets one of them seal at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg.types.json import Jsonb

from twin.db import Conn, Database, objects, row

log = structlog.get_logger()

SEAL_LOCK = 0x7365616C  # "seal"
BATCH = 1000
POLL = 1.0  # s; a server that died between its commit and its sealing is caught up with after that long
RETRY = (0.2, 1.0, 5.0)  # s between attempts to get a lost connection back


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered event. `building_id` None: concerns the whole server; `storey_id` None: no storey or all of them."""

    seq: int
    building_id: UUID | None
    storey_id: UUID | None
    topic: str  # alarm | work_order | model | point | command | notification
    data: dict[str, Any]
    at: datetime


async def emit(
    conn: Conn, topic: str, data: Mapping[str, Any], *, building_id: UUID | None, storey_id: UUID | None = None
) -> None:
    """Write an event in the transaction of the change it tells of; watchers get it after the commit.

    `data` holds what JSON can: ids and times as text.
    """
    await conn.execute(
        "INSERT INTO event (building_id, storey_id, topic, data) VALUES (%s, %s, %s, %s)",
        (building_id, storey_id, topic, Jsonb(data)),
    )


async def newest_seq(conn: Conn) -> int:
    """The number of the newest sealed event; 0 before the first."""
    found = await row(conn, "SELECT coalesce(max(seq), 0) AS seq FROM event")
    pruned = await _pruned(conn)
    return max(int(found["seq"]) if found else 0, pruned)


async def seal(conn: Conn) -> int:
    """Number all committed events that have no number yet; returns how many. `conn` commits every statement.

    Does nothing while another server is at it: that one was told of the same events.
    """
    waiting = await row(conn, "SELECT EXISTS (SELECT FROM event WHERE seq IS NULL) AS any")
    if not waiting or not waiting["any"]:
        return 0
    async with conn.transaction():
        lock = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS mine", (SEAL_LOCK,))
        if not lock or not lock["mine"]:
            return 0
        # Within one batch the order of ids is the order of cause: what reacts to a commit has the higher id.
        sealed = await conn.execute(
            """WITH unsealed AS MATERIALIZED (SELECT id FROM event WHERE seq IS NULL ORDER BY id),
                    numbered AS MATERIALIZED (SELECT id, nextval('event_seq') AS seq FROM unsealed)
               UPDATE event SET seq = numbered.seq FROM numbered WHERE event.id = numbered.id"""
        )
        if sealed.rowcount:
            await conn.execute("NOTIFY twin_sealed")
        return sealed.rowcount


class EventFeed:
    """Seals, and gives every event after `after` once, in order: `async for events in EventFeed(db): …`.

    Without `after` it starts with the first event sealed after the iteration began; to begin where a state was
    read, take `newest_seq` before reading it. Survives a restart of the database. For one consumer: what it does
    not take waits in the database, not in memory.
    """

    def __init__(self, db: Database, *, after: int | None = None) -> None:
        self._db = db
        self.after = after

    async def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        failures = 0
        while True:
            try:
                async with self._db.listener() as conn:
                    await conn.execute("LISTEN twin_event")
                    await conn.execute("LISTEN twin_sealed")
                    if self.after is None:
                        self.after = await newest_seq(conn)
                    while True:
                        await seal(conn)
                        while events := await _read(conn, self.after):
                            self.after = events[-1].seq
                            yield events
                        failures = 0
                        await _wait(conn)
            except psycopg.OperationalError as error:
                delay = RETRY[min(failures, len(RETRY) - 1)]
                failures += 1
                log.warning("events.connection_lost", reason=str(error).strip(), retry_in=delay)
                await asyncio.sleep(delay)


async def _wait(conn: Conn) -> None:
    """Until something was written or sealed, at most `POLL`."""
    async for notify in conn.notifies(timeout=POLL):
        if notify.pid != conn.info.backend_pid:  # our own sealing
            return


async def _read(conn: Conn, after: int) -> list[Event]:
    return await objects(
        conn,
        Event,
        """SELECT seq, building_id, storey_id, topic, data, at FROM event WHERE seq > %s ORDER BY seq LIMIT %s""",
        (after, BATCH),
    )


async def replay(conn: Conn, building_id: UUID, since: int, limit: int) -> list[Event] | None:
    """The events of a building (and of the whole server) with seq > `since`, oldest first, at most `limit`.

    None when some of them are gone, or `since` was never given out here: the watcher must read the state anew.
    """
    if since < await _pruned(conn) or since > await newest_seq(conn):
        return None
    return await objects(
        conn,
        Event,
        """SELECT seq, building_id, storey_id, topic, data, at FROM event
           WHERE seq > %s AND (building_id = %s OR building_id IS NULL) ORDER BY seq LIMIT %s""",
        (since, building_id, limit),
    )


async def prune_events(conn: Conn, before: datetime) -> int:
    """Forget events older than `before`; returns how many. Remembers up to which number they are gone."""
    found = await row(
        conn,
        """WITH gone AS (DELETE FROM event WHERE at < %s AND seq IS NOT NULL RETURNING seq)
           SELECT count(*) AS n, max(seq) AS seq FROM gone""",
        (before,),
    )
    if not found or not found["n"]:
        return 0
    await conn.execute(
        """INSERT INTO installation (key, value) VALUES ('events_pruned', to_jsonb(%s::bigint))
           ON CONFLICT (key) DO UPDATE
           SET value = to_jsonb(greatest(installation.value::bigint, excluded.value::bigint))""",
        (found["seq"],),
    )
    return int(found["n"])


async def _pruned(conn: Conn) -> int:
    found = await row(conn, "SELECT value FROM installation WHERE key = 'events_pruned'")
    return int(found["value"]) if found else 0
