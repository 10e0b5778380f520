"""The database: a pool of connections, and three words for reading (`rows`, `row`, `objects`).

Functions that read or write take a `Conn` first and never commit: who calls them owns the transaction.
Parameters are dicts (`%(name)s`) or tuples (`%s`); SQL is never put together from values.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString, TypeVar

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
LIMITED_ROLE: Final = "twin_limited"
"""The role that row filters apply to (docs/decisions/0012)."""


class LimitedConn(AsyncConnection[dict[str, Any]]):
    """A connection for callers who may not see everything: it acts as `LIMITED_ROLE` as long as it lives, so that its
    plans, which depend on the role, are made once. `said` is what its session was told that may be seen."""

    said: Mapping[str, str] | None = None  # None: unknown
    names: frozenset[str] = frozenset()  # all that it was ever told: what is not told again must not last
    own: bool = True  # False: behind a pooler that gives each transaction another session

    async def begin(self) -> None:
        """Once, when it has been opened."""
        query = "SELECT set_config('role', %s, false), pg_backend_pid() AS pid"
        found = await row(self, query, (LIMITED_ROLE,))
        self.own = found is not None and found["pid"] == self.info.backend_pid
        if not self.own:
            await self.execute("RESET ROLE")

    async def tell(self, settings: Mapping[str, str]) -> None:
        """Have the session see what `settings` allow and nothing of what another caller was allowed."""
        if self.said == settings:
            return
        self.said, self.names = None, self.names | settings.keys()
        await tell(self, {**dict.fromkeys(self.names, ""), **settings}, local=False)
        self.said = dict(settings)


async def tell(conn: Conn, settings: Mapping[str, str], *, local: bool) -> None:
    """Set settings of the database for the session, or (`local`) until the end of the transaction."""
    await conn.execute(
        "SELECT set_config(name, value, %s) FROM unnest(%s::text[], %s::text[]) AS given (name, value)",
        (local, list(settings), list(settings.values())),
    )


class Database:
    """Connections to one PostgreSQL. Use `open_database`."""

    def __init__(self, url: str, pool: AsyncConnectionPool[Conn], limited: AsyncConnectionPool[LimitedConn]) -> None:
        self.url = url
        self._pool = pool
        self._limited = limited

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """A connection in a transaction: committed at the end, rolled back by an exception."""
        async with self.connection() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def limited_transaction(self, settings: Mapping[str, str]) -> AsyncIterator[Conn]:
        """A transaction as `LIMITED_ROLE` that sees what `settings` allow (identity/access.py makes them).

        Connections are kept for this, and one is told only when its last caller was allowed something else. If it
        cannot be told there is no transaction.
        """
        try:
            async with self._limited.connection() as conn:
                if conn.own:
                    await conn.tell(settings)
                async with conn.transaction():
                    if not conn.own:
                        await tell(conn, {**settings, "role": LIMITED_ROLE}, local=True)
                    yield conn
        except PoolTimeout as error:
            raise Unavailable("database.unreachable", reason=str(error)) from error

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
    embedded = None if settings.database else EmbeddedPostgres(settings.data, durable=settings.database_durable)
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
    kwargs = {"autocommit": True, "row_factory": dict_row, "application_name": "twin"}
    pool = AsyncConnectionPool[Conn](
        url,
        connection_class=Conn,
        kwargs=kwargs,
        min_size=min(2, connections),
        max_size=connections,
        timeout=30,
        open=False,
    )
    limited = AsyncConnectionPool[LimitedConn](
        url,
        connection_class=LimitedConn,
        kwargs=kwargs,
        configure=LimitedConn.begin,
        min_size=0,
        max_size=connections,
        timeout=30,
        open=False,
    )
    try:  # opening may be cancelled: what a pool keeps running does not end by being cancelled
        await pool.open(wait=True, timeout=30)
        await limited.open()
        yield Database(url, pool, limited)
    finally:
        await limited.close()
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
