"""The table of readings, made for the database at hand, and what is read back from it.

TimescaleDB is detected, never assumed: there `reading` is a hypertable; elsewhere it has one native partition a month
and a default one that catches what lies outside, so that no reading is ever refused for its time. Which it is stands
in `installation`. Readers use the same SQL on both.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from psycopg import sql
from psycopg.types.json import Jsonb

from telemetry.parts import Engine, enable_columnstore, storage_of
from telemetry.points import QUALITIES, Quality, Value, value_of
from telemetry.rollups import start_rollups
from twin.db import Conn, Database, row, rows
from twin.errors import Unavailable
from twin.page import Page, decode_cursor, page_of

log = structlog.get_logger()

SETUP_LOCK: Final = 0x74776E68  # one server at a time makes the table or its partitions
CHUNK: Final = "7 days"
MONTHS_AHEAD: Final = 2
UPKEEP_S: Final = 3600.0
TRIES: Final = 3  # of a transaction that lost a deadlock

_COLUMNS: LiteralString = """
    point_id  int NOT NULL,             -- point.handle; checked at ingest, no foreign key
    ts        timestamptz NOT NULL,
    num       float8,                   -- bools as 0 and 1, enums as their code
    txt       text,
    q         smallint NOT NULL,        -- 0 good, 1 uncertain, 2 bad, 3 stale
    source_id int,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (point_id, ts)
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One stored reading."""

    ts: datetime
    value: Value | None
    quality: Quality


class History:
    """The table `reading`: `await start()` makes it, `run()` looks after it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.engine: Engine = "partitions"

    async def start(self, *, now: datetime | None = None) -> None:
        """Make the table if it is not there, and the partitions of these months. Safe in several servers at once."""
        await self._find_extension()
        async with self._db.transaction() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", (SETUP_LOCK,))
            known = await row(conn, "SELECT value FROM installation WHERE key = 'history'")
            if known is None:
                self.engine = await _create(conn)
            else:
                self.engine = known["value"]["engine"]
            if (await storage_of(conn)).compression == "columnstore":
                await enable_columnstore(conn)
            await start_rollups(conn, now=now or datetime.now(UTC))
        await self.maintain(now=now or datetime.now(UTC))

    async def _find_extension(self) -> None:
        """Create the extension where the server offers it ready to use; it must not share a transaction with others."""
        async with self._db.connection() as conn:
            offered = await row(
                conn,
                """SELECT installed_version FROM pg_available_extensions WHERE name = 'timescaledb'
                     AND current_setting('shared_preload_libraries') LIKE '%%timescaledb%%'
                     AND to_regclass('reading') IS NULL""",
                {},
            )
            if offered is None or offered["installed_version"] is not None:
                return
        try:
            # A connection of its own: the extension must be created before anything else happens in a session.
            async with self._db.listener() as conn:
                await conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.Error as error:
            log.warning("history.no_extension", reason=str(error).strip())

    async def maintain(self, *, now: datetime) -> None:
        """Make the partitions of this month and the next ones, and empty the default partition into its own months."""
        if self.engine != "partitions":
            return
        async with self._db.transaction() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", (SETUP_LOCK,))
            stray = await rows(conn, "SELECT DISTINCT date_trunc('month', ts, 'UTC') AS month FROM reading_default")
            months = {each["month"] for each in stray} | set(_months(now, MONTHS_AHEAD + 1))
            for month in sorted(months):
                await _add_partition(conn, month)

    async def ensure_months(self, start: datetime, end: datetime) -> None:
        """Make the partitions for [start, end) before many readings of that time come in."""
        if self.engine != "partitions":
            return
        months = [month for month in _months(start, 12 * 200) if month < end]
        for left in reversed(range(TRIES)):
            try:
                async with self._db.transaction() as conn:
                    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (SETUP_LOCK,))
                    for month in months:
                        await _add_partition(conn, month)
                return
            except psycopg.errors.DeadlockDetected:  # with somebody who locks the table and its partitions himself
                if not left:
                    raise

    async def run(self) -> None:
        """Look after the partitions until cancelled."""
        while True:
            await asyncio.sleep(UPKEEP_S)
            try:
                await self.maintain(now=datetime.now(UTC))
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("history.upkeep_failed", reason=str(error).strip())


async def _create(conn: Conn) -> Engine:
    facts: dict[str, Any]
    if await row(conn, "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
        await conn.execute("CREATE TABLE reading (" + _COLUMNS + ")")
        await conn.execute(
            "SELECT create_hypertable('reading', by_range('ts', %s::interval), create_default_indexes => false)",
            (CHUNK,),
        )
        extension = await row(
            conn,
            """SELECT extversion AS version, current_setting('timescaledb.license', true) AS license
               FROM pg_extension WHERE extname = 'timescaledb'""",
        )
        facts = {"engine": "timescaledb", **(extension or {})}
    else:
        await conn.execute("CREATE TABLE reading (" + _COLUMNS + ") PARTITION BY RANGE (ts)")
        await conn.execute("CREATE TABLE reading_default PARTITION OF reading DEFAULT")
        facts = {"engine": "partitions"}
    await conn.execute("INSERT INTO installation (key, value) VALUES ('history', %s)", (Jsonb(facts),))
    log.info("history.created", **facts)
    engine: Engine = facts["engine"]
    return engine


def _months(start: datetime, count: int) -> list[datetime]:
    """The first instants of `count` months (UTC), from that of `start` on."""
    first = start.astimezone(UTC)
    month = first.year * 12 + first.month - 1
    return [
        datetime((month + i) // 12, (month + i) % 12 + 1, 1, tzinfo=UTC) for i in range(count) if month + i < 119_988
    ]


async def _add_partition(conn: Conn, month: datetime) -> None:
    """Make the partition of a month; rows that the default one caught for it move over."""
    name = f"reading_{month:%Y_%m}" if month.year >= 1000 else f"reading_{month.year:04d}_{month:%m}"
    if (await row(conn, "SELECT to_regclass(%s) AS found", (name,)) or {}).get("found"):
        return
    end = _months(month, 2)[1]
    table = sql.Identifier(name)
    await conn.execute(
        sql.SQL("CREATE TABLE {} (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)").format(
            table
        )
    )
    await conn.execute(
        sql.SQL(
            """WITH moved AS (DELETE FROM reading_default WHERE ts >= %s AND ts < %s RETURNING *)
               INSERT INTO {} SELECT * FROM moved"""
        ).format(table),
        (month, end),
    )
    await conn.execute(
        sql.SQL("ALTER TABLE reading ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            table, sql.Literal(month.isoformat()), sql.Literal(end.isoformat())
        )
    )


async def read_raw(
    conn: Conn,
    handle: int,
    kind: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    newest_first: bool = False,
    limit: int = 1000,
    cursor: str | None = None,
) -> Page[Reading]:
    """Readings of a point in [start, end) by time."""
    after = decode_cursor(cursor, 1)
    past: LiteralString = "r.ts < %(after)s::timestamptz" if newest_first else "r.ts > %(after)s::timestamptz"
    direction: LiteralString = "DESC" if newest_first else "ASC"
    found = await rows(
        conn,
        "SELECT r.ts, r.num, r.txt, r.q FROM reading r WHERE r.point_id = %(handle)s"
        " AND (%(start)s::timestamptz IS NULL OR r.ts >= %(start)s)"
        " AND (%(end)s::timestamptz IS NULL OR r.ts < %(end)s)"
        " AND (%(after)s::timestamptz IS NULL OR " + past + ") ORDER BY r.ts " + direction + " LIMIT %(limit)s",
        {"handle": handle, "start": start, "end": end, "after": after and after[0], "limit": limit + 1},
    )
    readings = [Reading(each["ts"], value_of(kind, each["num"], each["txt"]), QUALITIES[each["q"]]) for each in found]
    return page_of(readings, limit, lambda reading: [reading.ts])


async def zone_of(conn: Conn, building_id: UUID) -> str:
    """The IANA time zone in which a building's days are cut."""
    found = await row(
        conn,
        "SELECT site.time_zone FROM building JOIN site ON site.id = building.site_id WHERE building.id = %s",
        (building_id,),
    )
    return str(found["time_zone"]) if found else "UTC"


def default_range(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """[start, end) with what is missing filled in: up to now, and a day long."""
    end = end or (max(now, start + timedelta(days=1)) if start and start > now else now)
    return start or end - timedelta(days=1), end
