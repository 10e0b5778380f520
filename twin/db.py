"""The database: a pool of connections, and three words for reading (`rows`, `row`, `objects`).

Functions that read or write take a `Conn` first and never commit: who calls them owns the transaction.
Parameters are dicts (`%(name)s`) or tuples (`%s`); SQL is never put together from values.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL, Composed
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from twin import migrations
from twin.embedded import EmbeddedPostgres
from twin.errors import TwinError, Unavailable
from twin.postgres_home import make_private
from twin.settings import Settings

Conn = AsyncConnection[dict[str, Any]]
Params = Mapping[str, Any] | Sequence[Any] | None
Query = LiteralString | SQL | Composed
T = TypeVar("T")

log = structlog.get_logger()
WATCH_EVERY = 0.5  # s


class Database:
    """A pool of connections to one PostgreSQL. Use `open_database`."""

    def __init__(self, url: str, pool: AsyncConnectionPool[Conn]) -> None:
        self.url = url
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """A connection in a transaction: committed at the end, rolled back by an exception."""
        async with self.connection() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Conn]:
        """A connection that commits every statement; for several in one, `conn.transaction()`."""
        try:
            async with self._pool.connection() as conn:
                yield conn
        except PoolTimeout as error:
            raise Unavailable("database.unreachable", reason=str(error)) from error

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[Conn]:
        """A connection of its own, outside the pool, for LISTEN and for locks that last."""
        conn = await AsyncConnection.connect(self.url, autocommit=True, row_factory=dict_row)
        try:
            yield conn
        finally:
            await conn.close()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Start the embedded PostgreSQL (or reach the given one), bring the schema up to date, open the pool."""
    await asyncio.to_thread(make_private, settings.data)
    embedded = None if settings.database else EmbeddedPostgres(settings.data)
    try:
        url = await asyncio.to_thread(embedded.start) if embedded else str(settings.database)
        await asyncio.to_thread(migrations.migrate, url)
        async with connect(url, settings.database_connections) as db, _watched(embedded):
            yield db
    except psycopg.OperationalError as error:
        raise Unavailable("database.unreachable", reason=_without_password(str(error))) from error
    finally:
        if embedded:
            await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def _watched(embedded: EmbeddedPostgres | None) -> AsyncIterator[None]:
    """Start the embedded server again whenever it was killed; each process that uses it watches."""

    async def watch(server: EmbeddedPostgres) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if not server.is_running():
                try:
                    await asyncio.to_thread(server.revive)
                except TwinError as error:
                    log.error("database.revive", reason=str(error))

    task = asyncio.create_task(watch(embedded), name="database-watch") if embedded else None
    try:
        yield
    finally:
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def connect(url: str, connections: int = 16) -> AsyncIterator[Database]:
    """A pool on a database that is already there and up to date."""
    pool = AsyncConnectionPool[Conn](
        url,
        connection_class=Conn,
        kwargs={"autocommit": True, "row_factory": dict_row, "application_name": "twin"},
        min_size=min(2, connections),
        max_size=connections,
        timeout=30,
        open=False,
    )
    await pool.open(wait=True, timeout=30)
    try:
        yield Database(url, pool)
    finally:
        await pool.close()


def _without_password(text: str) -> str:
    return re.sub(r"(postgres(?:ql)?://[^:/@\s]*):[^@\s]*@", r"\1:…@", text).strip()


async def rows(conn: Conn, query: Query, params: Params = None) -> list[dict[str, Any]]:
    """All rows of a query."""
    return await (await conn.execute(query, params)).fetchall()


async def row(conn: Conn, query: Query, params: Params = None) -> dict[str, Any] | None:
    """The first row of a query, or None."""
    return await (await conn.execute(query, params)).fetchone()


async def objects(conn: Conn, cls: type[T], query: Query, params: Params = None) -> list[T]:
    """All rows of a query, each made into a `cls` by its column names."""
    async with _cursor(conn, cls) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def object_or_none(conn: Conn, cls: type[T], query: Query, params: Params = None) -> T | None:
    """The first row of a query as a `cls`, or None."""
    async with _cursor(conn, cls) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


def _cursor(conn: Conn, cls: type[T]) -> AsyncCursor[T]:
    return conn.cursor(row_factory=class_row(cls))
