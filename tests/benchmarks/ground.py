"""The ground floor: how long the embedded PostgreSQL takes to start, and what numbering events costs."""

import asyncio
import functools
import os
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.benchmarks.figures import figure
from twin import db as twin_db
from twin import migrations
from twin.db import Conn, Database, row
from twin.embedded import EmbeddedPostgres
from twin.events import EventFeed, emit, seal

WRITERS = 8
SECONDS = 1.5
RUNS = 3


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    made.chmod(0o711)
    try:
        yield made / "data"
    finally:
        shutil.rmtree(made, ignore_errors=True)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def starting() -> None:
    """A fresh cluster, the schema, a warm start, joining a running one, and a start after kill -9."""
    found: dict[str, list[float]] = {}

    def measure(name: str, work: Callable[[], object]) -> None:
        found.setdefault(name, []).append(seconds(work))

    for _ in range(RUNS):
        with folder() as data:
            server = EmbeddedPostgres(data)
            measure("embedded.start_fresh", server.start)
            url = server.url
            measure("embedded.migrate", functools.partial(migrations.migrate, url))
            measure("embedded.migrate_nothing_to_do", functools.partial(migrations.migrate, url))
            second = EmbeddedPostgres(data)
            measure("embedded.join", second.start)
            second.stop()
            measure("embedded.stop", server.stop)
            measure("embedded.start_again", server.start)
            with psycopg.connect(server.url) as conn:
                conn.execute("CREATE TABLE filler AS SELECT n, repeat('x', 200) AS t FROM generate_series(1, 200000) n")
            postmaster = psutil.Process(int((server.home.cluster / "postmaster.pid").read_text().split()[0]))
            for process in [postmaster, *postmaster.children()]:
                os.kill(process.pid, signal.SIGKILL)
            third = EmbeddedPostgres(data)
            measure("embedded.start_after_kill", third.start)
            third.stop()
            server.stop()
    for name, values in found.items():
        figure(name, statistics.median(values), "s")


async def write_for(db: Database, work: Callable[[Conn], Awaitable[object]]) -> float:
    """Transactions per second of `WRITERS` writers that do nothing else."""
    done = 0
    end = time.perf_counter() + SECONDS

    async def writer() -> None:
        nonlocal done
        while time.perf_counter() < end:
            async with db.transaction() as conn:
                await work(conn)
            done += 1

    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return done / SECONDS


async def plain(conn: Conn) -> None:
    """The same write without an event."""
    await conn.execute("INSERT INTO job (kind, args) VALUES ('x', '{}')")


async def numbered_inside(conn: Conn) -> None:
    """The alternative: a number in commit order inside the transaction needs a lock until the commit."""
    await conn.execute("SELECT pg_advisory_xact_lock(1)")
    await conn.execute("INSERT INTO event (topic, data, seq) VALUES ('point', '{}', nextval('event_seq'))")


async def numbered_afterwards(conn: Conn) -> None:
    await emit(conn, "point", {}, building_id=None)


async def events() -> None:
    """Writers with the sealer beside them against writers that take their number under a lock; delay to a watcher.

    Without waiting for the disk: it is the same for all and hides what is compared.
    """
    with folder() as data, EmbeddedPostgres(data, durable=False) as server:
        migrations.migrate(server.url)
        async with twin_db.connect(server.url, WRITERS + 2) as db:
            found: dict[str, list[float]] = {"plain": [], "locked": [], "sealed": []}
            for _ in range(RUNS):  # in turns: the machine's mood is the same for all
                found["plain"].append(await write_for(db, plain))
                found["locked"].append(await write_for(db, numbered_inside))
                feed = asyncio.create_task(consume(db))
                found["sealed"].append(await write_for(db, numbered_afterwards))
                feed.cancel()
                await asyncio.gather(feed, return_exceptions=True)
                async with db.connection() as conn:
                    while await row(conn, "SELECT id FROM event WHERE seq IS NULL LIMIT 1"):
                        await seal(conn)  # the cut feed's server process may hold the lock for a moment
            without, locked, sealed = (statistics.median(values) for values in found.values())
            figure(
                "events.write", sealed, "transactions/s", baseline="an insert without events", baseline_value=without
            )
            figure("events.write_against_lock",
 sealed, "transactions/s", baseline="numbered in the transaction, locked",
                   baseline_value=locked)  # fmt: skip
            delays = await delay(db)
            figure("events.commit_to_watcher_p50", statistics.median(delays), "s")
            figure("events.commit_to_watcher_p99", statistics.quantiles(delays, n=100)[98], "s")


async def consume(db: Database) -> None:
    async for _ in EventFeed(db):
        pass


async def delay(db: Database) -> list[float]:
    """Seconds from a commit to the watcher that awaits it, 300 times."""
    found = []
    async with aclosing(aiter(EventFeed(db))) as feed:  # type: ignore[type-var]
        waiting = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0.2)
        for n in range(300):
            async with db.transaction() as conn:
                await emit(conn, "point", {"n": n}, building_id=None)
            committed = time.perf_counter()
            await waiting
            found.append(time.perf_counter() - committed)
            waiting = asyncio.ensure_future(anext(feed))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return found


def main() -> None:
    """All of it."""
    starting()
    asyncio.run(events())


if __name__ == "__main__":
    main()
