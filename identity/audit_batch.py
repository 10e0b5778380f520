"""Entries that tell of no change, written in batches: reads of personal data, refused and failed requests.

A request leaves its entry in memory and does not wait; one writer stores what has gathered at least once a second. The
same act by the same caller within a batch is one entry that says how often. Nothing is dropped: while the database is
away entries wait, and when too many do, whoever needs one is answered `audit.backlog` (503). What is lost is what a
process had in memory when it was killed, at most a second's worth.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import structlog

from identity.actor import Actor
from identity.audit import COLUMNS, Result, columns_of
from twin.db import Conn, Database
from twin.errors import Unavailable

log = structlog.get_logger()

EVERY: Final = 1.0  # s
ROWS: Final = 500  # of one statement; so many are written without waiting for the second to end
MOST: Final = 10_000  # waiting
RETRY: Final = 2.0  # s
HOUR_S: Final = 3600.0
MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class _Waiting:
    columns: dict[str, Any]
    at: datetime
    after: Mapping[str, Any]
    times: int = 1


class AuditBatch:
    """The line of entries and its writer. `add`, and `run` beside it; `flush` at the end."""

    def __init__(self, db: Database, *, most: int = MOST) -> None:
        self._db = db
        self._most = most
        self._waiting: dict[tuple[Any, ...], _Waiting] = {}
        self._writing: list[_Waiting] = []
        self._one = asyncio.Lock()
        self._full = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._writing)

    def require_room(self) -> None:
        """Before an act that has to be recorded. Raises Unavailable when too many entries wait."""
        if len(self) >= self._most:
            raise Unavailable("audit.backlog")

    def add(
        self,
        actor: Actor,
        action: str,
        object: str | None = None,
        *,
        after: Mapping[str, Any] | None = None,
        result: Result = "done",
    ) -> None:
        """Put an entry in line. Raises Unavailable when too many wait."""
        columns = {name: _plain(value) for name, value in columns_of(actor, action, object, None, None, result).items()}
        said = after or {}
        key = (actor.name, columns["address"], columns["credential"], action, columns["object"], result, repr(said))
        known = self._waiting.get(key)
        if known:
            known.times += 1
            return
        self.require_room()
        self._waiting[key] = _Waiting(columns, datetime.now(UTC), said)
        if len(self._waiting) >= ROWS:
            self._full.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                async with asyncio.timeout(EVERY):
                    await self._full.wait()
            except TimeoutError:
                pass
            try:
                await self.flush()
            except (psycopg.Error, Unavailable) as error:
                log.warning("audit.batch_waits", waiting=len(self), reason=str(error).strip(), retry_in=RETRY)
                await asyncio.sleep(RETRY)

    async def flush(self) -> int:
        """Write all that waits; returns how many entries. Raises psycopg.Error: they go on waiting."""
        written = 0
        async with self._one:
            while self._writing or self._waiting:
                if not self._writing:
                    self._writing, self._waiting = list(self._waiting.values()), {}
                    self._full.clear()
                async with self._db.transaction() as conn:
                    await _write(conn, self._writing)
                written += len(self._writing)
                self._writing = []
        return written


async def _write(conn: Conn, entries: list[_Waiting]) -> None:
    async with conn.cursor() as cursor:
        await cursor.executemany(
            f"INSERT INTO audit (at, {', '.join(COLUMNS)}) VALUES (%(at)s, {', '.join(f'%({c})s' for c in COLUMNS)})",
            [{**each.columns, "at": each.at, "after": _after(each)} for each in entries],
        )


def _after(entry: _Waiting) -> str | None:
    said = dict(entry.after) | ({"times": entry.times} if entry.times > 1 else {})
    # ASCII, with escapes: no text that a caller sends can make a whole batch unwritable.
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=str) if said else None


def _plain(value: Any) -> Any:
    """Without what PostgreSQL cannot store: NUL, and half a surrogate pair."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Hourly:
    """Says once an hour that a caller is there."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str | None], float] = {}

    def first(self, actor: Actor) -> bool:
        now, who = time.monotonic(), (actor.name, actor.address)
        if now - self._told.get(who, -HOUR_S) < HOUR_S:
            return False
        if len(self._told) >= MOST_CALLERS:
            self._told.clear()
        self._told[who] = now
        return True
