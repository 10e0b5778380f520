"""What lives as long as the server for the audit trail: batch writer, sealer, anchors, pruning."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog
from psycopg.types.json import Jsonb

from identity import audit
from identity.actor import SYSTEM
from identity.audit_anchor import FILE, Anchor, append_anchor, last_anchor, note_anchor
from identity.audit_batch import AuditBatch, Hourly
from identity.audit_chain import START, ChainSealer, Head, find_head
from identity.audit_head import read_head, write_head
from identity.audit_verify import Progress, Verification, verify_database
from identity.sealing import Sealer
from twin.db import Conn, Database, row
from twin.errors import Unavailable
from twin.settings import Settings

log = structlog.get_logger()
MARK_S: Final = 1.0  # what somebody who rules the database may cut unseen
CLOSING_S: Final = 10.0  # the database may be away just then
PRUNE_EVERY: Final = timedelta(days=1)
VERIFIED: Final = "audit_verified"  # key in `installation`


@dataclass(frozen=True, slots=True)
class ChainState:
    """How the chain stands. `intact` compares with the last anchor only; a verification looks at everything."""

    seq: int  # the newest sealed entry; 0: none
    hash: str
    unsealed: int
    pruned: int  # entries up to this one are gone, they had come of age
    anchored: int | None  # the newest anchored entry
    anchored_at: datetime | None
    intact: bool
    verified: dict[str, Any] | None  # the last verification: at, ok, entries, findings


class AuditTrail:
    """`loops` to run beside the server, and `close` at its end."""

    def __init__(self, db: Database, settings: Settings, sealer: Sealer) -> None:
        self._db = db
        self._key = sealer
        self._keep = settings.audit_keep
        self._every = settings.audit_anchor_every.total_seconds()
        self.anchors = anchors_path(settings)
        self.batch = AuditBatch(db)
        self.hourly = Hourly()
        self.intact = True  # as far as the last anchor can tell
        self.sealer = ChainSealer(db)

    def loops(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs until the server ends."""
        found = {
            "audit-batch": self.batch.run,
            "audit-seal": self.sealer.run,
            "audit-anchor": self._anchor_forever,
            "audit-mark": self._mark_forever,
        }
        return found | ({"audit-prune": self._prune_forever} if self._keep else {})

    async def close(self) -> None:
        """Write, seal and anchor what is left. To be called when nobody asks anything any more."""
        try:
            async with asyncio.timeout(CLOSING_S):
                await self.batch.flush()
                await self.sealer.seal()
                await self.anchor()
                await self.mark()
        except (psycopg.Error, Unavailable, TimeoutError) as error:
            log.error("audit.unfinished", waiting=len(self.batch), reason=str(error).strip())

    async def anchor(self, now: datetime | None = None) -> Anchor | None:
        """Anchor the head when it is new; returns the line. Says it loudly when the last anchor no longer holds."""
        last = await asyncio.to_thread(last_anchor, self.anchors)
        async with self._db.connection() as conn:
            head = await find_head(conn)
            self.intact = await _holds(conn, last, head) and await self._marked(conn, head)
            if not self.intact:
                log.error("audit.tampered", anchored=last and last.seq, head=head.seq, fix="run twin audit verify")
        if head.seq <= (last.seq if last else 0):
            return None
        return await self._append("head", head, now or datetime.now(UTC))

    async def mark(self, now: datetime | None = None) -> None:
        """Keep the newest head beside the anchors: what is cut between two of them is missed too."""
        async with self._db.connection() as conn:
            head = await find_head(conn)
            if not await self._marked(conn, head):
                self.intact = False
                log.error("audit.tampered", head=head.seq, fix="run twin audit verify")
                return
        if head.seq:
            await asyncio.to_thread(write_head, self.anchors, self._key, head, now or datetime.now(UTC))

    async def _marked(self, conn: Conn, head: Head) -> bool:
        """Whether the chain still has the head that was kept last."""
        try:
            kept = await asyncio.to_thread(read_head, self.anchors, self._key)
        except ValueError:
            return False
        return kept is None or await _holds(conn, kept[0], head)

    async def _mark_forever(self) -> None:
        marked = -1
        while True:
            sealed = self.sealer.sealed
            if sealed != marked:
                try:
                    await self.mark()
                    marked = sealed
                except Unavailable as error:
                    log.error("audit.not_anchored", reason=error.text("en"))
            await asyncio.sleep(MARK_S)

    async def _append(self, kind: Any, head: Head, now: datetime) -> Anchor:
        file, anchor = await asyncio.to_thread(append_anchor, self.anchors, self._key, kind, head, now)
        async with self._db.connection() as conn:
            await note_anchor(conn, file, self.anchors, anchor)
        # The log is a third place: a shipped log line contradicts whoever has changed both others.
        log.info("audit.anchored", kind=kind, seq=head.seq, hash=head.hash.hex(), n=anchor.n)
        return anchor

    async def _anchor_forever(self) -> None:
        while True:
            try:
                await self.anchor()
            except Unavailable as error:
                log.error("audit.not_anchored", reason=error.text("en"))
            await asyncio.sleep(self._every)

    async def _prune_forever(self) -> None:
        while self._keep:
            await self.prune(datetime.now(UTC) - self._keep)
            await asyncio.sleep(PRUNE_EVERY.total_seconds())

    async def prune(self, before: datetime) -> int:
        """Delete the whole stretch of sealed entries from the beginning that are older than `before`; returns how many.

        The anchor is written first: a file that tells too early is no harm, a missing line would look like a theft.
        """
        async with self._db.connection() as conn:
            head = await find_head(conn)
            young = await row(
                conn, "SELECT seq FROM audit WHERE seq IS NOT NULL AND at >= %s ORDER BY seq LIMIT 1", (before,)
            )
            last = min(head.seq, young["seq"] if young else head.seq) - 1  # the head stays: the next one follows on it
            found = await row(conn, "SELECT seq, hash FROM audit WHERE seq = %s", (last,))
        if found is None:
            return 0
        await self._append("pruned", Head(found["seq"], found["hash"]), datetime.now(UTC))
        async with self._db.transaction() as conn:
            await conn.execute("INSERT INTO audit_pruned (seq, hash) VALUES (%s, %s)", (found["seq"], found["hash"]))
            gone = (await conn.execute("DELETE FROM audit WHERE seq <= %s", (found["seq"],))).rowcount
            after = {"until": found["seq"], "entries": gone, "older_than": before}
            await audit.record(conn, SYSTEM, "audit.prune", after=after)
        return gone

    async def state(self) -> ChainState:
        """How the chain stands now."""
        last = await asyncio.to_thread(last_anchor, self.anchors)
        async with self._db.connection() as conn:
            head = await find_head(conn)
            found = await row(
                conn,
                """SELECT (SELECT count(*) FROM audit WHERE seq IS NULL) AS unsealed,
                          (SELECT coalesce(max(seq), 0) FROM audit_pruned) AS pruned,
                          (SELECT value FROM installation WHERE key = %s) AS verified""",
                (VERIFIED,),
            )
            assert found is not None
            return ChainState(
                seq=head.seq,
                hash=head.hash.hex(),
                **found,
                anchored=last.seq if last else None,
                anchored_at=last.at if last else None,
                intact=await _holds(conn, last, head),
            )

    async def verify(
        self, start: int = 1, *, others: Sequence[Path] = (), progress: Progress | None = None
    ) -> Verification:
        """Check everything from entry `start` on, with the anchors here and in `others`; remember what came of it."""
        files = [self.anchors, *others]
        report = await verify_database(self._db, files, self._key, start=start, progress=progress)
        shown = report.shown() | {"at": datetime.now(UTC).isoformat()}
        async with self._db.connection() as conn:
            await conn.execute(
                """INSERT INTO installation (key, value) VALUES (%s, %s)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value""",
                (VERIFIED, Jsonb(shown)),
            )
        if not report.ok:
            log.error("audit.tampered", findings=[asdict(each) for each in report.findings])
        return report


def anchors_path(settings: Settings) -> Path:
    """Where the anchors of an installation are."""
    return settings.audit_anchors or settings.data / FILE


async def _holds(conn: Conn, last: Anchor | Head | None, head: Head) -> bool:
    """Whether the chain still has the last anchored entry, unless that was pruned."""
    if last is None or last.seq == START.seq:
        return True
    found = await row(conn, "SELECT hash FROM audit WHERE seq = %s", (last.seq,))
    if found is None:
        pruned = await row(conn, "SELECT FROM audit_pruned WHERE seq >= %s", (last.seq,))
        return pruned is not None and head.seq > last.seq
    return bool(found["hash"] == last.hash)
