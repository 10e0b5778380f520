"""What real readings take on disk: bytes a reading, before and after old parts are compressed, and removing them.

The public series of `../shared/telemetry` (rooms of a home, of offices and of an institute; their times kept) come in
as sources send them: all points together, in the order of time. On PostgreSQL and TimescaleDB's Apache edition only
the index of an old part is packed; the community edition (WebAssembly, `tests/pglite`) has the columnstore.
`TWIN_BENCH_SERIES=home` takes those of the home alone.
"""

import asyncio
import csv
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from identity.actor import CLI
from telemetry import policies, upkeep
from telemetry.history import History
from telemetry.points import NewPoint, create_point
from telemetry.policies import NewPolicy
from telemetry.rollups import Rollups
from tests import pglite
from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.places import ENGINE, database
from twin import db as twin_db
from twin import migrations
from twin.db import Database, row
from twin.places import create_building

SHARED = Path(__file__).parents[4] / "shared" / "telemetry"
Series = dict[str, list[tuple[datetime, float]]]
ONLY = os.environ.get("TWIN_BENCH_SERIES", "")  # series whose name begins like this
DAY = timedelta(days=1)
BATCH = 50_000


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _add(found: Series, key: str, ts: datetime, text: str) -> None:
    if key.startswith(ONLY) and (value := _number(text)) is not None:
        found.setdefault(key, []).append((ts, value))


def real_series() -> Series:
    """Every public series with a time and numbers."""
    found: Series = {}
    for path in sorted((SHARED / "opensmarthome" / "Measurements").glob("*.csv")):
        for line in path.read_text().splitlines():
            seconds, _, value = line.replace(";", ",").replace("\t", ",").partition(",")
            if seconds.isdigit():
                _add(found, f"home.{path.stem}", datetime.fromtimestamp(int(seconds), UTC), value)
    for path in sorted((SHARED / "robod" / "Data").glob("*.csv")):
        for each in csv.DictReader(path.open()):
            ts = datetime.strptime(each.pop("timestamp"), "%Y-%m-%d %H:%M %z")
            for name, value in each.items():
                _add(found, f"{path.stem}.{name}", ts, value)
    for path in sorted((SHARED / "uci_occupancy").glob("*.txt")):
        for cells in csv.reader(path.read_text().splitlines()[1:]):
            ts = datetime.fromisoformat(cells[1]).replace(tzinfo=UTC)
            for name, value in zip(("temperature", "humidity", "light", "co2"), cells[2:6], strict=True):
                _add(found, f"uci.{path.stem}.{name}", ts, value)
    return found


def in_order(found: Series, handles: dict[str, int]) -> Iterator[list[tuple[int, datetime, float]]]:
    """All readings by time, in batches; one of each point and moment."""
    every = {(ts, handles[key]): value for key, readings in found.items() for ts, value in readings}
    ordered = sorted(every)
    for n in range(0, len(ordered), BATCH):
        yield [(handle, ts, every[ts, handle]) for ts, handle in ordered[n : n + BATCH]]


async def fill(db: Database, found: Series) -> tuple[int, UUID]:
    """Points and their readings, rolled up; how many, and the building."""
    handles = {}
    async with db.transaction() as conn:
        building = (await create_building(conn, "Real")).id
        for key in found:
            made = await create_point(conn, CLI, building, NewPoint(key=key, name=key, kind="number"))
            handles[key] = made.handle
    history = History(db)
    months = sorted({ts.astimezone(UTC).replace(day=1, hour=0, minute=0) for each in found.values() for ts, _ in each})
    await history.start(now=months[0])
    for month in {(each.year, each.month): each for each in months}.values():
        await history.ensure_months(month, month + timedelta(hours=1))
    count = 0
    for batch in in_order(found, handles):
        async with db.transaction() as conn:
            columns = list(map(list, zip(*batch, strict=True)))
            await conn.execute(
                """INSERT INTO reading (point_id, ts, num, q, source_id, stored_at)
                   SELECT p, t, n, 0, 1, t FROM unnest(%s::int[], %s::timestamptz[], %s::float8[]) AS u(p, t, n)""",
                columns,
            )
        count += len(batch)
    async with db.transaction() as conn:
        await conn.execute(
            """INSERT INTO latest (point_id, ts, num, stored_at)
               SELECT DISTINCT ON (point_id) point_id, ts, num, ts FROM reading ORDER BY point_id, ts DESC"""
        )
    await Rollups(db).catch_up(now=datetime.now(UTC))
    return count, building


async def measure(db: Database, name: str) -> None:
    """Fill, count, compress, remove."""
    count, building = await fill(db, real_series())
    async with db.connection() as conn:
        await conn.execute("VACUUM ANALYZE reading, rollup_5m, rollup_1h")
        await upkeep.count_parts(conn)
        before = await upkeep.storage_use(conn, building)
    figure(f"storage.bytes_per_reading.{name}", before.bytes / count, "B")
    figure(f"storage.rollup_bytes_per_reading.{name}", before.rollup_bytes / count, "B")
    async with db.transaction() as conn:
        policy = await policies.create_policy(conn, CLI, NewPolicy(name="All", compress_after=DAY))
    begun = time.perf_counter()
    await upkeep.compress(db, now=datetime.now(UTC))
    taken = time.perf_counter() - begun
    async with db.connection() as conn:
        after = await upkeep.storage_use(conn, building)
    figure(f"storage.compressed_bytes_per_reading.{name}", after.bytes / count, "B",
           baseline="as it came", baseline_value=before.bytes / count)  # fmt: skip
    figure(f"storage.compressed.{name}", count / taken, "readings/s")
    middle = await _middle(db)
    async with db.transaction() as conn:
        await policies.update_policy(conn, CLI, policy.id, {"raw_for": datetime.now(UTC) - middle})
    begun = time.perf_counter()
    removed = await upkeep.remove(db, now=datetime.now(UTC))
    gone = sum(each.readings for each in removed)
    figure(f"storage.removed.{name}", gone / (time.perf_counter() - begun), "readings/s")


async def _middle(db: Database) -> datetime:
    """A time that half of the readings lie before."""
    async with db.connection() as conn:
        found = await row(conn, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ts) AS at FROM reading")
    assert found
    at: datetime = found["at"]
    return at


async def connected(url: str, name: str, connections: int) -> None:
    """On a migrated database."""
    async with twin_db.connect(url, connections) as db:
        await measure(db, name)


def main() -> None:
    """On the engine of this run; the community edition, in its one process, after plain PostgreSQL."""
    with database() as url:
        migrations.migrate(url)
        asyncio.run(connected(url, ENGINE, 4))
    if ENGINE == "postgresql" and not os.environ.get("TWIN_BENCH_ENGINE"):
        with pglite.serving() as server:
            migrations.migrate(server.url)
            with psycopg.connect(server.url, autocommit=True) as conn:
                conn.execute("CREATE EXTENSION timescaledb")
            asyncio.run(connected(server.url, "timescaledb_community", 1))


if __name__ == "__main__":
    main()
