"""How many calls of a caller run at once, over all server processes (6.1.5b).

A process leases places from a table that all share and admits calls to the places it has: a call waits for the database
only when its process has none free. Once a second a process gives back what it did not need meanwhile and renews the
rest; what a killed process held is free again after `LEASE_S`. So the limit is never exceeded; a call may be refused
for up to a second while another process still has places that it no longer needs. Limits below `EXACT` are given back
call by call: there a place that lies idle would be missed. While the database is away each process keeps the limit by
itself.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import psycopg
import structlog

from twin.db import Database, row
from twin.errors import TwinError

log = structlog.get_logger()
LEASE_S: Final = 5.0
EXACT: Final = 20
SECOND_TRY_S: Final = 0.05
PATIENCE_S: Final = 1.0  # how long a call waits for the database before its process goes by itself


@dataclass(slots=True)
class _Places:
    """What this process holds of one limit of one caller."""

    granted: int = 0
    running: int = 0
    peak: int = 0  # most that ran at once since the last settlement
    waiting: int = 0  # calls that ask for a place just now

    def take(self, limit: int) -> bool:
        if self.running >= min(self.granted, limit):
            return False
        self.running += 1
        self.peak = max(self.peak, self.running)
        return True


class Leases:
    """The places of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: dict[str, _Places] = {}
        self._lock = asyncio.Lock()  # one talks to the database at a time: what is written last is what holds
        self.holder: UUID = uuid4()

    async def take(self, name: str, limit: int) -> bool:
        """Take a place; False: all are taken. What was taken is to be given back with `free`.

        A caller may have the answer of a process before that has given back its place, so there is a second try.
        """
        if await self._take(name, limit):
            return True
        await asyncio.sleep(SECOND_TRY_S)
        return await self._take(name, limit)

    async def _take(self, name: str, limit: int) -> bool:
        places = self._held.setdefault(name, _Places())
        if places.take(limit):
            return True
        places.waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S), self._lock:
                if places.take(limit):  # whoever waited before brought one along
                    return True
                await self._ask(name, places, limit)
        except (TimeoutError, psycopg.Error, TwinError) as error:
            log.warning("rate.unleased", error=type(error).__name__)
            places.granted = max(places.granted, min(limit, places.running + 1))
        finally:
            places.waiting -= 1
        return places.take(limit)

    async def free(self, name: str, limit: int) -> None:
        """Give a place back; one of many stays with this process for the moment."""
        places = self._held.get(name)
        if places is None:
            return
        places.running = max(0, places.running - 1)
        if limit >= EXACT or places.waiting:  # whoever waits takes it over
            return
        places.granted = places.peak = places.running
        try:
            async with asyncio.timeout(PATIENCE_S), self._lock:
                needed = places.granted = max(places.running, places.granted)
                await self._write({name: needed} if needed else {}, [] if needed else [name])
        except (TimeoutError, psycopg.Error, TwinError) as error:
            log.warning("rate.unleased", error=type(error).__name__)  # the next settlement does it

    async def _ask(self, name: str, places: _Places, limit: int) -> None:
        """Ask for as many more places as calls wait for; takes what there is."""
        wanted = places.running + places.waiting
        async with self._db.transaction() as conn:
            await conn.execute("SET LOCAL synchronous_commit = off")
            await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('lease ' || %s, 0))", (name,))
            found = await row(
                conn,
                """SELECT coalesce(sum(n), 0)::int AS n FROM rate_lease
                   WHERE name = %s AND holder <> %s AND expires_at > clock_timestamp()""",
                (name, self.holder),
            )
            assert found is not None
            granted = min(wanted, limit - found["n"])
            if granted <= max(places.granted, 0):
                return
            await conn.execute(
                """INSERT INTO rate_lease (name, holder, n, expires_at)
                   VALUES (%(name)s, %(holder)s, %(n)s, clock_timestamp() + %(life)s)
                   ON CONFLICT (name, holder) DO UPDATE SET n = excluded.n, expires_at = excluded.expires_at""",
                {"name": name, "holder": self.holder, "n": granted, "life": timedelta(seconds=LEASE_S)},
            )
        places.granted = granted

    async def settle(self) -> None:
        """Give back what was not needed since the last time, renew the rest, and forget what others let expire."""
        async with self._lock:
            kept: dict[str, int] = {}
            gone: list[str] = []
            for name, places in list(self._held.items()):
                places.granted = needed = max(places.running, min(places.peak, places.granted))
                places.peak = places.running
                if needed:
                    kept[name] = needed
                else:
                    gone.append(name)
                    if not places.waiting:
                        del self._held[name]
            if kept or gone:
                await self._write(kept, gone)

    async def _write(self, kept: dict[str, int], gone: list[str]) -> None:
        names = sorted(kept)  # in one order: several processes never deadlock
        async with self._db.transaction() as conn:
            await conn.execute("SET LOCAL synchronous_commit = off")
            await conn.execute(
                """DELETE FROM rate_lease
                   WHERE (holder = %s AND name = ANY(%s)) OR expires_at < now() - interval '1 hour'""",
                (self.holder, gone),
            )
            await conn.execute(
                """INSERT INTO rate_lease (name, holder, n, expires_at)
                   SELECT name, %(holder)s, n, clock_timestamp() + %(life)s
                   FROM unnest(%(names)s::text[], %(n)s::int[]) AS given (name, n) ORDER BY name
                   ON CONFLICT (name, holder) DO UPDATE SET n = excluded.n, expires_at = excluded.expires_at""",
                {
                    "holder": self.holder,
                    "names": names,
                    "n": [kept[name] for name in names],
                    "life": timedelta(seconds=LEASE_S),
                },
            )

    async def close(self) -> None:
        """Give everything back."""
        async with self._lock, self._db.connection() as conn:
            self._held.clear()
            await conn.execute("DELETE FROM rate_lease WHERE holder = %s", (self.holder,))
