"""Who calls, remembered for a moment: a small read must not cost more to authorise than to answer.

A caller is looked up in the database and then known for `KNOWN_S`. What takes something away from him, in this process,
in another one, or at the command line, tells `twin_access` when it commits, and he is looked up anew; so the time is
only a limit for when nobody can be heard: while the listening connection is away nothing is remembered at all.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
import structlog

from identity.actor import Actor
from identity.sessions import Session
from twin.db import Database

log = structlog.get_logger()
CHANNEL: Final = "twin_access"
KNOWN_S: Final = 2.0
MOST_KNOWN: Final = 10_000
RETRY_S: Final = 1.0
EVERYONE: Final = ""


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

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with each account or key (or '') whose rights may have changed, until `unlisten`."""
        self._listeners.add(listener)

    def unlisten(self, listener: Callable[[str], None]) -> None:
        """The opposite of `listen`."""
        self._listeners.discard(listener)

    async def run(self) -> None:
        """Hear of changes until cancelled."""
        while True:
            try:
                async with self._db.listener() as conn:
                    await conn.execute(f"LISTEN {CHANNEL}")
                    self.forget()  # what was missed
                    self._listening = True
                    async for notify in conn.notifies():
                        self.forget(notify.payload)
            except psycopg.OperationalError as error:
                log.warning("callers.connection_lost", reason=str(error).strip())
            finally:
                self._listening = False
                self._known.clear()
            await asyncio.sleep(RETRY_S)


def digest_of(kind: str, credential: str, address: str | None) -> bytes:
    """What stands for a credential, used from an address, in memory. The credential itself is not kept."""
    text = f"{kind} {address} {credential}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
