"""Alarm rules (P10): evaluations per CPU second, and how long an accepted reading takes to become an alarm event."""

import asyncio
import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from identity import Actor, permissions_of
from maintenance.alarms import AlarmEngine
from maintenance.rules import RuleInput, create_rule
from telemetry.history import History
from telemetry.ingest import Ingest
from telemetry.sources import SourceRef, ensure_source
from tests.benchmarks.figures import figure
from twin import places
from twin.db import Database, open_database, row
from twin.events import EventFeed
from twin.settings import Settings

POINTS = 10_000
ROUNDS = 200_000  # readings per measurement
LIMIT = 30.0
ALARMS = 300
LOAD_PER_S = 5_000
BENCH = Actor("bench", ("administrator",), permissions_of(["administrator"]))


@dataclass(frozen=True)
class Batch:
    """As ingest hands it to the engine."""

    handles: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    num: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


def private_folder() -> Path:
    """A folder of this run, that the database's system user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    made.chmod(0o711)
    return made


@asynccontextmanager
async def building() -> AsyncIterator[tuple[Database, Settings]]:
    """An embedded database with `POINTS` points and a rule on each; every tenth rule has an on-delay."""
    folder = private_folder()
    settings = Settings(data=folder / "data")
    try:
        async with open_database(settings) as db:
            await History(db).start()
            async with db.transaction() as conn:
                tower = await places.create_building(conn, "Tower")
                await conn.execute(
                    """INSERT INTO point (building_id, key, name, kind, unit)
                       SELECT %s, 'p' || n, 'Point ' || n, 'number', 'DEG_C' FROM generate_series(1, %s) n""",
                    (tower.id, POINTS),
                )
                await conn.execute(
                    """INSERT INTO alarm_rule (building_id, point_id, name, kind, alarm_setpoint, deadband, on_delay,
                         severity)
                       SELECT building_id, handle, name, 'high', %s, 1,
                              CASE WHEN handle %% 10 = 0 THEN interval '1 hour' ELSE '0' END, 'medium' FROM point""",
                    (LIMIT,),
                )
            yield db, settings
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def batches(size: int, clock: int, moving: float = 0.0) -> list[Batch]:
    """`ROUNDS` readings of random points a millisecond apart, of which a share `moving` crosses the limit."""
    random, made = np.random.default_rng(7), []
    handles = np.arange(1, POINTS + 1)
    handles = handles[handles % 10 != 1]  # those are for `telling`
    for n in range(min(ROUNDS // size, 5_000)):
        values = random.normal(22.0, 2.0, size).clip(max=LIMIT - 1.5)
        values[random.random(size) < moving] = LIMIT + 1
        chosen = random.choice(handles, size, replace=False)
        made.append(Batch(chosen, np.full(size, clock + n * 1_000), values, np.zeros(size, np.uint8)))
    return made


def delayed(clock: int) -> list[Batch]:
    """As many readings beyond the limit of the rules whose on-delay runs, so that none can be rejected quickly."""
    handles = np.arange(10, POINTS + 1, 10)
    n, high, good = len(handles), np.full(len(handles), LIMIT + 1), np.zeros(len(handles), np.uint8)
    return [Batch(handles, np.full(n, clock + tick * 1_000), high, good) for tick in range(ROUNDS // n)]


async def evaluating(db: Database, settings: Settings) -> None:
    """CPU of this process, writing what changes included: the batches are made before the clock starts."""
    engine = AlarmEngine(db, settings)
    task = asyncio.create_task(engine.run())
    await engine.settle()
    now = int(time.time() * 1e6)
    minute = 60_000_000
    cases = {
        "batch_1000": batches(1_000, now - 9 * minute),
        "batch_100": batches(100, now - 8 * minute),
        "batch_10": batches(10, now - 7 * minute),
        "moving": batches(1_000, now - 6 * minute, 0.001),
        "delayed": delayed(now),
    }
    try:
        for name, made in cases.items():
            await engine(made[0])  # what it changes is written before the clock starts
            await engine.settle()
            before, started = engine.evaluations, time.process_time()
            for batch in made[1:]:
                await engine(batch)
                await asyncio.sleep(0)
            await engine.settle()
            rate = (engine.evaluations - before) / (time.process_time() - started)
            figure(f"alarms.evaluations.{name}", rate, "1/CPU s", baseline="goal", baseline_value=200_000)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def telling(db: Database, settings: Settings) -> None:
    """From the answer of ingest to the numbered event that sockets get, beside a steady load of quiet readings."""
    engine = AlarmEngine(db, settings)
    told: dict[str, float] = {}
    async with db.transaction() as conn:
        source = await ensure_source(conn, "bench", "http")
        found = await row(conn, "SELECT key FROM point WHERE handle = 1")
        assert found is not None
        await create_rule(conn, BENCH, found["key"], RuleInput(name="x", kind="low", limit=-99.0, severity="low"))
    async with Ingest(db, settings, [engine]) as ingest:
        tasks = [
            asyncio.create_task(engine.run()),
            asyncio.create_task(_watch(db, told)),
            asyncio.create_task(_load(ingest, source)),
        ]
        await engine.settle()
        await asyncio.sleep(1)
        accepted: dict[str, float] = {}
        for n in range(1, ALARMS + 1):
            key = f"p{n * 10 + 1}"  # without on-delay, and not in the load
            stamp = np.array([int(time.time() * 1e6)], np.int64)
            await ingest.submit_arrays(source, [key], stamp, np.array([LIMIT + 5]))
            accepted[key] = time.perf_counter()
            await asyncio.sleep(0.02)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                while not accepted.keys() <= told.keys():
                    await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    delays = sorted((told[key] - accepted[key]) * 1e3 for key in accepted if key in told)
    assert len(delays) == ALARMS, f"only {len(delays)} of {ALARMS} alarms were told"
    figure("alarms.told.median", statistics.median(delays), "ms")
    figure("alarms.told.p99", delays[int(len(delays) * 0.99)], "ms", baseline="goal", baseline_value=200)


async def _watch(db: Database, told: dict[str, float]) -> None:
    async for events in EventFeed(db):
        now = time.perf_counter()
        for event in events:
            if event.topic == "alarm":
                told.setdefault(event.data["point"], now)


async def _load(ingest: Ingest, source: SourceRef) -> None:
    """`LOAD_PER_S` readings a second that change nothing, ten submissions a second."""
    keys = [f"p{n}" for n in range(1, POINTS + 1) if n % 10 != 1][: LOAD_PER_S // 10]
    while True:
        started = time.perf_counter()
        stamps = np.full(len(keys), int(datetime.now(UTC).timestamp() * 1e6), np.int64)
        await ingest.submit_arrays(source, keys, stamps, np.full(len(keys), 20.0))
        await asyncio.sleep(max(0.0, 0.1 - (time.perf_counter() - started)))


async def main() -> None:
    async with building() as (db, settings):
        await evaluating(db, settings)
        await telling(db, settings)


if __name__ == "__main__":
    asyncio.run(main())
