"""The chain of the audit trail: one sealer numbers committed entries and hashes each with the one before.

Nothing is chained inside the transaction of a change: that takes a lock until the commit and makes all writers queue
(design.md, section 3). The sealer takes what has been committed, in the order of ids, under an advisory lock, so that
any number of servers may run one. It polls and is woken within the process: a NOTIFY would make commits queue again.

**What is hashed.** With `||` for concatenation, `previous` the 32 bytes of the entry before (32 zero bytes before the
first), and SM3 the hash of GB/T 32905-2016:

    hash = SM3( "twin-audit-1\\n" || previous || field(seq) || field(id) || field(at) || field(actor)
                || field(account_id) || field(credential) || field(address) || field(request_id) || field(action)
                || field(object) || field(result) || field(before) || field(after) )

    field(nothing) = "-"
    field(text)    = number of bytes of the text in UTF-8, in decimal || ":" || those bytes

seq and id are decimal, account_id is in lower case with hyphens, `at` is UTC as `2026-05-04T08:00:00.123456Z`, always
with six digits, before and after are the stored JSON texts, character for character. No two entries have the same
bytes: every field says where it ends. An export (docs/audit.md) carries the same texts, so that anyone can check it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
import structlog
from cryptography.hazmat.primitives import hashes

from identity.audit import MATCHES, Filter, parameters
from twin.db import Conn, Database, row, rows

log = structlog.get_logger()

SEAL_LOCK: Final = 0x61756474  # "audt"
BATCH: Final = 1000
POLL: Final = 1.0  # s; what another process wrote is sealed after that long at most
GATHER: Final = 0.05  # s; commits that come together are sealed together
RETRY: Final = 5.0  # s
TAG: Final = b"twin-audit-1\n"
GENESIS: Final = bytes(32)

FIELDS: Final = (
    "seq",
    "id",
    "at",
    "actor",
    "account_id",
    "credential",
    "address",
    "request_id",
    "action",
    "object",
    "result",
    "before",
    "after",
)
"""What is hashed, in this order."""
TEXTS: Final[LiteralString] = """
    seq::text, id::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor,
    account_id::text, credential, address, request_id, action, object, result, before::text, after::text"""
"""The columns that give `FIELDS` as the texts that are hashed."""

Texts = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Head:
    """An entry that is sealed: its number and hash. Before the first entry: 0 and zeros."""

    seq: int
    hash: bytes


START: Final = Head(0, GENESIS)


def entry_hash(previous: bytes, entry: Texts) -> bytes:
    """The hash of an entry, given the texts of its `FIELDS` and the hash of the one before."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(TAG + previous + b"".join([_field(entry[name]) for name in FIELDS]))
    return digest.finalize()


def _field(text: str | None) -> bytes:
    if text is None:
        return b"-"
    encoded = text.encode()
    return b"%d:%b" % (len(encoded), encoded)


async def find_head(conn: Conn) -> Head:
    """The newest sealed entry."""
    found = await row(conn, "SELECT seq, hash FROM audit WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1")
    return Head(found["seq"], found["hash"]) if found else START


async def seal(conn: Conn) -> int:
    """Chain all committed entries that are not yet, at most `BATCH`; returns how many.

    `conn` commits every statement. Does nothing while another server is at it.
    """
    waiting = await row(conn, "SELECT FROM audit WHERE seq IS NULL LIMIT 1")
    if waiting is None:
        return 0
    async with conn.transaction():
        lock = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS mine", (SEAL_LOCK,))
        if not lock or not lock["mine"]:
            return 0
        head = await find_head(conn)
        entries = await rows(conn, f"SELECT {TEXTS} FROM audit WHERE seq IS NULL ORDER BY audit.id LIMIT {BATCH}")
        sealed = _chained(head, entries)
        await conn.execute(
            """UPDATE audit SET seq = s.seq, previous = s.previous, hash = s.hash
               FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[]) AS s (id, seq, previous, hash)
               WHERE audit.id = s.id""",
            sealed,
        )
        return len(entries)


def _chained(head: Head, entries: Sequence[dict[str, Any]]) -> tuple[list[int], list[int], list[bytes], list[bytes]]:
    """Ids, numbers, previous hashes and hashes of `entries`, following on `head`."""
    ids, numbers, before, after = [], [], [], []
    seq, last = head.seq, head.hash
    for entry in entries:
        seq += 1
        ids.append(int(entry["id"]))
        numbers.append(seq)
        before.append(last)
        last = entry_hash(last, {**entry, "seq": str(seq)})
        after.append(last)
    return ids, numbers, before, after


async def seal_all(conn: Conn) -> int:
    """Chain everything that is committed; returns how many entries."""
    total = 0
    while sealed := await seal(conn):
        total += sealed
    return total


class ChainSealer:
    """Seals for ever: `wake` after a commit, or whatever there is every `POLL` seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._woken = asyncio.Event()
        self.sealed = 0  # by this process so far

    def wake(self) -> None:
        """Something was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. Survives a database that is away for a while."""
        while True:
            try:
                await self.seal()
            except psycopg.OperationalError as error:
                log.warning("audit.sealing_waits", reason=str(error).strip(), retry_in=RETRY)
                await asyncio.sleep(RETRY)
                continue
            try:
                async with asyncio.timeout(POLL):
                    await self._woken.wait()
                    await asyncio.sleep(GATHER)
            except TimeoutError:
                pass

    async def seal(self) -> int:
        """Chain everything that is committed, now."""
        self._woken.clear()
        async with self._db.connection() as conn:
            sealed = await seal_all(conn)
        self.sealed += sealed
        return sealed


async def read_entries(
    db: Database, *, after: int, until: int, wanted: Filter | None = None, batch: int = BATCH
) -> AsyncIterator[list[dict[str, Any]]]:
    """Sealed entries with `after` < seq ≤ `until`, in order, as texts with the bytes `previous` and `hash`.

    Every batch is a query on a connection of its own: nothing stays open while somebody reads slowly.
    """
    values = parameters(wanted or Filter())
    while after < until:
        async with db.connection() as conn:
            found = await rows(
                conn,
                f"""SELECT {TEXTS}, previous, hash FROM audit
                    WHERE seq > %(after)s AND seq <= %(until)s AND {MATCHES}
                    ORDER BY audit.seq LIMIT %(batch)s""",
                {**values, "after": after, "until": until, "batch": batch},
            )
        if not found:
            return
        yield found
        after = int(found[-1]["seq"])
