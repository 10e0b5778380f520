"""A building with points and an ingest on a database of the test's own; with `-m timescale` on a real TimescaleDB."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from identity.actor import CLI
from telemetry.history import History
from telemetry.ingest import AcceptedBatch, Ingest
from telemetry.points import NewPoint, Point, create_point
from telemetry.sources import SourceRef
from tests import pglite
from twin import db as twin_db
from twin import migrations
from twin.db import Database
from twin.places import create_building
from twin.settings import Settings

ENGINES = ["partitions", pytest.param("timescaledb", marks=pytest.mark.timescale)]
ALL_ENGINES = [*ENGINES, pytest.param("community", marks=pytest.mark.timescale)]
"""PostgreSQL alone; the TimescaleDB that is given (`make test-timescale` brings the Apache edition); the community
edition, as WebAssembly."""


@dataclass(frozen=True)
class Given:
    """A migrated database of this test's own; `connections`: as many as it can have."""

    engine: str
    url: str
    connections: int = 8


@pytest.fixture(scope="session")
def wasm() -> Iterator[pglite.PGlite]:
    """A community edition with our schema, one connection; as new for each test."""
    if not os.environ.get("TWIN_TEST_COMMUNITY"):
        pytest.skip("`make test-timescale` runs these")
    with pglite.serving() as server:
        migrations.migrate(server.url)
        server.keep()
        yield server


def _given(request: pytest.FixtureRequest) -> Iterator[Given]:
    if request.param == "partitions":
        yield Given("partitions", request.getfixturevalue("database_url"))
    elif request.param == "community":
        server: pglite.PGlite = request.getfixturevalue("wasm")
        server.renew()
        with psycopg.connect(server.url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION timescaledb")
        yield Given("community", server.url, connections=1)
    else:
        yield from _on_timescale()


def _on_timescale() -> Iterator[Given]:
    server = os.environ.get("TWIN_TEST_TIMESCALE_URL")
    if not server:
        pytest.skip("no TimescaleDB here: `make test-timescale` starts one")
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = psycopg.conninfo.make_conninfo(server, dbname=name)
        migrations.migrate(url)
        yield Given("timescaledb", url)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


several = pytest.fixture(params=ENGINES, name="several")(_given)
given = pytest.fixture(params=ALL_ENGINES, name="given")(_given)


@pytest.fixture
async def storage(several: Given) -> AsyncIterator[Database]:
    """A database with a pool and the table of readings, on the engines that have several connections."""
    async with twin_db.connect(several.url, several.connections) as database:
        await History(database).start()
        yield database


@pytest.fixture
async def anywhere(given: Given) -> AsyncIterator[Database]:
    """The same on every engine: on the community edition there is one connection, so ask one thing at a time."""
    async with twin_db.connect(given.url, given.connections) as database:
        await History(database).start()
        yield database


@pytest.fixture
async def readings_db(db: Database) -> Database:
    """The embedded database with the table of readings, for tests that storage makes no difference to."""
    await History(db).start()
    return db


@pytest.fixture
def plain_settings() -> Settings:
    return Settings(readings_limit=10_000)


async def make_building(db: Database, name: str = "Tower") -> UUID:
    async with db.transaction() as conn:
        return (await create_building(conn, name)).id


async def make_months(db: Database, start: datetime, end: datetime) -> History:
    """Room for readings of [start, end), where that has to be made."""
    history = History(db)
    await history.start()
    await history.ensure_months(start, end)
    return history


MakePoint = Callable[..., Awaitable[Point]]


async def make_points(db: Database, *points: NewPoint) -> list[Point]:
    """Define points in the building `Tower`, made if it is not there."""
    async with db.transaction() as conn:
        found = await (await conn.execute("SELECT id FROM building WHERE name = 'Tower'")).fetchone()
        building = found["id"] if found else (await create_building(conn, "Tower")).id
        return [await create_point(conn, CLI, building, point) for point in points]


class Sink:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[AcceptedBatch] = []

    async def __call__(self, batch: AcceptedBatch) -> None:
        self.batches.append(batch)

    def readings(self) -> set[tuple[int, int]]:
        return {pair for b in self.batches for pair in zip(b.handles.tolist(), b.ts.tolist(), strict=True)}


async def source_of(ingest: Ingest) -> SourceRef:
    return await ingest.source("key:test")
