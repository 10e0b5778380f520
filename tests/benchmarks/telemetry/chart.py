"""A year in a chart (P9): one point's 1-minute readings of a year in 730 buckets of 12 h, at 100 million readings.

The baseline is the same question put to the readings alone: with the index, and as a full scan of the table.
`TWIN_BENCH_POINTS` sets how many points have such a year (190: 100 million readings, 12 GB of disk, ten minutes).
On the TimescaleDB of `TWIN_BENCH_DATABASE`.
"""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from identity.actor import CLI
from telemetry.aggregate import Span, read_buckets
from telemetry.buckets import parse_bucket
from telemetry.history import History
from telemetry.points import NewPoint, create_point
from telemetry.rollups import Rollups
from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.places import ENGINE, database
from twin import db as twin_db
from twin import migrations
from twin.db import Database
from twin.places import create_building

POINTS = int(os.environ.get("TWIN_BENCH_POINTS", "190"))
ASKED = 200  # charts
YEAR = timedelta(days=365)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


async def fill(db: Database, history: History) -> list[int]:
    """A year of 1-minute readings of every point; their handles."""
    handles = []
    async with db.transaction() as conn:
        building = (await create_building(conn, "Bench")).id
        for i in range(POINTS):
            point = await create_point(conn, CLI, building, NewPoint(key=f"p{i}", name=f"P{i}", kind="number"))
            handles.append(point.handle)
    await history.ensure_months(NOW - YEAR, NOW)
    for month in range(12):
        start, end = NOW - YEAR + YEAR / 12 * month, NOW - YEAR + YEAR / 12 * (month + 1)
        async with db.transaction() as conn:
            await conn.execute(
                """INSERT INTO reading (point_id, ts, num, q, stored_at)
                   SELECT p, t, round((20 + 5 * sin(extract(epoch FROM t) / 13751 + p) + random())::numeric, 2), 0, t
                   FROM unnest(%s::int[]) AS p, generate_series(%s, %s - interval '1 minute', interval '1 minute') AS t
                   ORDER BY p, t""",
                (handles, start, end),
            )
    async with db.transaction() as conn:
        await conn.execute(
            "INSERT INTO latest (point_id, ts, num, stored_at) SELECT p, %s, 20, now() FROM unnest(%s::int[]) AS p",
            (NOW, handles),
        )
    async with db.connection() as conn:
        await conn.execute("VACUUM ANALYZE reading")
    return handles


async def charts(db: Database, handles: list[int], asked: int) -> list[float]:
    """Seconds of each chart of a random point."""
    random = np.random.default_rng(1)
    taken = []
    async with db.connection() as conn:
        for handle in random.choice(handles, asked):
            span = Span(NOW - YEAR, NOW, parse_bucket("12h"), ZoneInfo("Asia/Shanghai"), NOW)
            begun = time.perf_counter()
            found = await read_buckets(conn, int(handle), span, ("mean", "min", "max"))
            taken.append(time.perf_counter() - begun)
            assert 729 <= len(found) <= 732
    return taken


async def main() -> None:
    with database() as url:
        await asyncio.to_thread(migrations.migrate, url)
        async with twin_db.connect(url, 4) as db:
            await measure(db)


async def measure(db: Database) -> None:
    history = History(db)
    await history.start(now=NOW - YEAR)
    begun = time.perf_counter()
    handles = await fill(db, history)
    count = POINTS * int(YEAR / timedelta(minutes=1))
    print(f"# {count} readings in {time.perf_counter() - begun:.0f} s, {ENGINE}", flush=True)
    raw = await charts(db, handles, 20)
    begun = time.perf_counter()
    await Rollups(db).catch_up(now=NOW)
    rolling = time.perf_counter() - begun
    async with db.connection() as conn:
        await conn.execute("VACUUM ANALYZE rollup_5m, rollup_1h")
    await charts(db, handles, 20)
    taken = await charts(db, handles, ASKED)
    p95 = float(np.percentile(taken, 95) * 1000)
    figure(f"history.chart_p95.{ENGINE}", p95, "ms", baseline="from readings, by index, p95",
           baseline_value=float(np.percentile(raw, 95) * 1000))  # fmt: skip
    figure(f"history.chart_median.{ENGINE}", float(np.median(taken) * 1000), "ms")
    figure(f"history.rolled_up.{ENGINE}", count / rolling, "readings/s")
    async with db.connection() as conn:
        begun = time.perf_counter()
        await conn.execute("SELECT count(num), avg(num), min(num), max(num) FROM reading WHERE point_id + 0 = 1")
        scan = time.perf_counter() - begun
        figure(f"history.full_scan.{ENGINE}", p95, "ms", baseline="full scan", baseline_value=scan * 1000)
        sizes = await twin_db.row(
            conn,
            """SELECT pg_database_size(current_database()) AS all,
                      pg_total_relation_size('rollup_5m') + pg_total_relation_size('rollup_1h') AS rollup""",
        )
        assert sizes
        figure(f"history.bytes_per_reading.{ENGINE}", (sizes["all"] - sizes["rollup"]) / count, "B")
        figure(f"history.rollup_bytes_per_reading.{ENGINE}", sizes["rollup"] / count, "B")


if __name__ == "__main__":
    asyncio.run(main())
