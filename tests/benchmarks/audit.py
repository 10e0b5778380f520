"""The audit trail: what it costs writers, how fast it is sealed, verified, exported and searched."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psutil

from identity import audit
from identity.actor import Actor
from identity.audit import Filter
from identity.audit_chain import ChainSealer, Head, entry_hash, find_head, read_entries, seal_all
from identity.audit_export import lines
from identity.audit_verify import verify_database
from identity.sealing import Sealer
from tests.benchmarks.figures import figure
from tests.benchmarks.ground import RUNS, WRITERS, folder, write_for
from twin import db as twin_db
from twin import migrations
from twin.db import Conn, Database
from twin.embedded import EmbeddedPostgres

ENTRIES = 200_000
LI = Actor("account:li", address="192.0.2.7")
_chain = Head(0, bytes(32))


async def change(conn: Conn) -> None:
    """A change without its entry."""
    await conn.execute("INSERT INTO job (kind, args) VALUES ('x', '{}')")


async def recorded(conn: Conn) -> None:
    """The same with its entry."""
    await change(conn)
    await _entry(conn)


async def _entry(conn: Conn) -> None:
    await audit.record(
        conn, LI, "alarm.acknowledge", "alarm:1", before={"state": "unacked"}, after={"state": "acked", "by": "li"}
    )


async def chained_inside(conn: Conn) -> None:
    """The alternative: hashed in the transaction, under a lock that lasts until the commit."""
    global _chain  # noqa: PLW0603  held under the lock
    await change(conn)
    await conn.execute("SELECT pg_advisory_xact_lock(2)")
    texts = dict.fromkeys(("id", "at", "account_id", "credential", "request_id", "before", "after"))
    entry = {**texts, "seq": "1", "actor": "a", "address": "b", "action": "c", "object": "d", "result": "done"}
    _chain = Head(_chain.seq + 1, entry_hash(_chain.hash, entry))
    await _entry(conn)


@asynccontextmanager
async def sealing(db: Database) -> AsyncIterator[None]:
    """With a sealer beside it."""
    task = asyncio.create_task(ChainSealer(db).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def writers(*, durable: bool) -> None:
    """Writers without entries, with entries and a sealer, and chained in the transaction."""
    kind = "durable" if durable else "no_fsync"
    with folder() as data, EmbeddedPostgres(data, durable=durable) as server:
        migrations.migrate(server.url)
        async with twin_db.connect(server.url, WRITERS + 2) as db:
            found: dict[str, list[float]] = {"without": [], "with": [], "locked": []}
            for _ in range(RUNS):  # in turns: the machine's mood is the same for all
                found["without"].append(await write_for(db, change))
                async with sealing(db):
                    found["with"].append(await write_for(db, recorded))
                found["locked"].append(await write_for(db, chained_inside))
                async with db.connection() as conn:
                    await seal_all(conn)
            without, sealed, locked = (statistics.median(values) for values in found.values())
            name, unit = f"audit.write_{kind}", "transactions/s"
            figure(name, sealed, unit, baseline="the same changes without entries", baseline_value=without)
            figure(f"{name}_against_lock", sealed, unit, baseline="chained in the transaction", baseline_value=locked)


async def many() -> None:
    """A trail of `ENTRIES`: seal, verify, export, search."""
    with folder() as data, EmbeddedPostgres(data, durable=False) as server:
        migrations.migrate(server.url)
        async with twin_db.connect(server.url, 4) as db:
            async with db.connection() as conn:
                await conn.execute(
                    """INSERT INTO audit (at, actor, address, action, object, before, after)
                       SELECT now() - (%(n)s - n) * interval '1 second', 'account:' || n %% 50, '192.0.2.7',
                              (ARRAY['alarm.acknowledge', 'work_order.start', 'point.update'])[1 + n %% 3],
                              'alarm:' || gen_random_uuid(), '{"state":"unacked"}',
                              ('{"state":"acked","comment":"seen it, on my way, number ' || n || '"}')::json
                       FROM generate_series(1, %(n)s) n""",
                    {"n": ENTRIES},
                )
                await rate("audit.seal", lambda: seal_all(conn))
                await conn.execute("VACUUM ANALYZE audit")
            await rate("audit.verify", lambda: verify_database(db, [], Sealer(b"k" * 32)))
            await export(db)
            await search(db)


async def rate(name: str, work: Callable[[], Awaitable[object]]) -> None:
    started = time.perf_counter()
    await work()
    figure(name, ENTRIES / (time.perf_counter() - started), "entries/s")


async def export(db: Database) -> None:
    """As the route does it, with the memory it takes."""
    process = psutil.Process(os.getpid())
    before = peak = process.memory_info().rss

    async def whole() -> None:
        nonlocal peak
        async with db.connection() as conn:
            until = (await find_head(conn)).seq
        async for entries in read_entries(db, after=0, until=until):
            lines("csv", entries)
            peak = max(peak, process.memory_info().rss)

    await rate("audit.export_csv", whole)
    figure("audit.export_memory", (peak - before) / 2**20, "MiB")


async def search(db: Database) -> None:
    """One page of a hundred: p95 of the common searches, and a text that is nowhere (everything is read)."""
    wanted = {
        "newest": Filter(),
        "actor": Filter(actor="account:7"),
        "action": Filter(action="point.update", actor="account:8"),
        "text": Filter(text="number 150000"),
        "text_nowhere": Filter(text="not there"),
    }
    async with db.connection() as conn:
        for name, each in wanted.items():
            taken = []
            for _ in range(20 if not name.startswith("text") else 3):
                started = time.perf_counter()
                await audit.list_entries(conn, wanted=each)
                taken.append(time.perf_counter() - started)
            figure(f"audit.search_{name}", sorted(taken)[int(len(taken) * 0.95)], "s")


def main() -> None:
    """All of it."""
    asyncio.run(writers(durable=False))
    asyncio.run(writers(durable=True))
    asyncio.run(many())


if __name__ == "__main__":
    main()
