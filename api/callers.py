"""Who calls, remembered for a moment: a small read must not cost more to authorise than to answer.

A caller is looked up in the database and then known for `KNOWN_S`. What takes something away from him, in this process,
in another one, or at the command line, tells `twin_access` when it commits, and he is looked up anew; so the time is
only a limit for when nobody can be heard: while the listening connection is away or deaf nothing is remembered at all.
That it hears is proved by a beat on the same channel, one for all sockets that wait to hear of something.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
import structlog

from identity.actor import Actor
from identity.sessions import Session
from twin.db import Database
from twin.errors import Unavailable

log = structlog.get_logger()
CHANNEL: Final = "twin_access"
KNOWN_S: Final = 2.0
MOST_KNOWN: Final = 10_000
RETRY_S: Final = 1.0
BEAT_S: Final = 1.0
DEAF_S: Final = 2.5  # without a word, not even a beat
UNHEARD_S: Final = 2.5  # so often somebody who stays is looked up while nothing is heard,
HEARD_S: Final = 10.0  # and otherwise: what ends by time alone, a session or a key, is told by nobody
EVERYONE: Final = ""
BEAT: Final = "beat"


@dataclass(frozen=True, slots=True)
class Identified:
    """A caller who was authenticated, by an API key or (`session`) by a cookie."""

    actor: Actor
    session: Session | None = None

    @property
    def subject(self) -> UUID | None:
        """The account or key."""
        if self.session is not None:
            return self.session.account.id
        return self.actor.key.id if self.actor.key is not None else None


class Callers:
    """The callers that this process knows at the moment, by a digest of their credential."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[bytes, tuple[Identified, float]] = {}
        self._listeners: set[Callable[[str], None]] = set()
        self._listening = False
        self._heard_at = 0.0  # monotonic
        self.changes = 0  # counts what was forgotten: what was looked up before is not remembered after

    def find(self, digest: bytes) -> Identified | None:
        """The caller with this credential, if known."""
        caller, until = self._known.get(digest, (None, 0.0))
        return caller if until > time.monotonic() else None

    def remember(self, digest: bytes, caller: Identified, changes: int) -> None:
        """Keep a caller for a moment; `changes` was read before he was looked up."""
        if not self._listening or changes != self.changes:
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[digest] = (caller, time.monotonic() + KNOWN_S)

    def clear(self) -> None:
        """Look everyone up anew; whose sockets are concerned is told by the database."""
        self.changes += 1
        self._known.clear()

    def forget(self, subject: str = EVERYONE) -> None:
        """Look an account or key up anew, or everyone, and have their sockets do the same."""
        if subject == EVERYONE:
            self.clear()
        else:
            self.changes += 1
            self._known = {key: each for key, each in self._known.items() if str(each[0].subject) != subject}
        for listener in self._listeners:
            listener(subject)

    async def moments(self, caller: Identified) -> AsyncGenerator[None]:
        """When a caller who stays, on a socket, is to be looked up anew; without end."""
        changed = asyncio.Event()

        def heard(subject: str) -> None:
            if subject in (EVERYONE, str(caller.subject)):
                changed.set()

        self._listeners.add(heard)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), HEARD_S if self._listening else UNHEARD_S)
                changed.clear()
                yield
        finally:
            self._listeners.discard(heard)

    async def run(self) -> None:
        """Hear of changes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat_forever())
            tasks.create_task(self._hear_forever())

    async def _hear_forever(self) -> None:
        while True:
            try:
                async with self._db.listener() as conn:
                    await conn.execute(f"LISTEN {CHANNEL}")
                    self._hear(EVERYONE)  # what was missed
                    async for notify in conn.notifies():
                        self._hear(notify.payload)
            except psycopg.OperationalError as error:
                self._stop_listening(str(error).strip())
            await asyncio.sleep(RETRY_S)

    def _hear(self, payload: str) -> None:
        self._heard_at = time.monotonic()
        if not self._listening:
            self._listening, payload = True, EVERYONE  # whatever was said in between
        if payload != BEAT:
            self.forget(payload)

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            if self._listening and time.monotonic() - self._heard_at > DEAF_S:
                self._stop_listening("nothing is heard, not even what this server says itself")
            with contextlib.suppress(psycopg.OperationalError, Unavailable):
                async with self._db.connection() as conn:
                    await conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, BEAT))

    def _stop_listening(self, reason: str) -> None:
        log.warning("callers.connection_lost", reason=reason)
        self._listening = False
        self.forget()


def digest_of(kind: str, credential: str, address: str | None) -> bytes:
    """What stands for a credential, used from an address, in memory. The credential itself is not kept."""
    text = f"{kind} {address} {credential}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
