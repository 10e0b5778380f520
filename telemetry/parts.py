"""The pieces that the table of readings is made of: monthly partitions, or the chunks of a hypertable.

One place knows how each engine lists, drops and compresses them; what is due is decided elsewhere
(`telemetry/retention.py`).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, LiteralString

from psycopg import sql

from twin.db import Conn, row, rows

Engine = Literal["timescaledb", "partitions"]
Compression = Literal["columnstore", "index"]
"""How old parts are made smaller: TimescaleDB's columnstore (community edition), or only their index is packed."""

_MONTH: Final = re.compile(r"reading_(\d{4})_(\d{2})")
LOCK_WAIT: Final = "500ms"  # that dropping a part may keep ingest waiting


@dataclass(frozen=True, slots=True)
class Storage:
    """Which engine holds the readings and what it offers."""

    engine: Engine
    version: str | None  # of TimescaleDB
    license: str | None  # timescale: the community edition; apache
    compression: Compression


@dataclass(frozen=True, slots=True)
class Part:
    """A partition or chunk: the readings of [start, end)."""

    name: str  # as SQL writes it, its schema included where it is not the public one
    start: datetime
    end: datetime
    compressed: bool
    changed: bool  # compressed, and rows came later
    bytes: int  # with indexes and what is compressed
    changes: int  # rows written since the server counts: another number, other readings


async def storage_of(conn: Conn) -> Storage:
    """What this database offers: detected each time, for an edition or a version may have been changed since."""
    chosen = await row(conn, "SELECT value->>'engine' AS engine FROM installation WHERE key = 'history'")
    if chosen is None or chosen["engine"] != "timescaledb":
        return Storage("partitions", None, None, "index")
    # Where the library is not preloaded, a session knows its settings only after the first of its functions.
    await conn.execute("SELECT 1 FROM timescaledb_information.hypertables LIMIT 1")
    facts = await row(
        conn,
        """SELECT extversion AS version, current_setting('timescaledb.license', true) AS license,
                  to_regproc('compress_chunk') IS NOT NULL AS compresses
           FROM pg_extension WHERE extname = 'timescaledb'""",
    )
    assert facts is not None
    columns = facts["license"] == "timescale" and facts["compresses"]
    return Storage("timescaledb", facts["version"], facts["license"], "columnstore" if columns else "index")


async def enable_columnstore(conn: Conn) -> None:
    """Let chunks be compressed: the readings of a point side by side, in the order of time."""
    enabled = await row(
        conn,
        """SELECT compression_enabled AS on FROM timescaledb_information.hypertables
           WHERE hypertable_schema = current_schema() AND hypertable_name = 'reading'""",
    )
    if enabled and not enabled["on"]:
        await conn.execute(
            """ALTER TABLE reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'point_id',
                                        timescaledb.compress_orderby = 'ts')"""
        )


_PARTITIONS: LiteralString = """
    SELECT i.inhrelid::regclass::text AS name, pg_total_relation_size(i.inhrelid) AS bytes,
           coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) AS changes
    FROM pg_inherits i LEFT JOIN pg_stat_all_tables s ON s.relid = i.inhrelid
    WHERE i.inhparent = 'reading'::regclass
"""
# `chunk.status` has the bits 1 (compressed) and 2, 8 (rows came later, out of order or not).
_CHUNKS: LiteralString = """
    SELECT format('%%I.%%I', i.chunk_schema, i.chunk_name) AS name, i.range_start AS start, i.range_end AS "end",
           coalesce(i.is_compressed, false) AS compressed, (c.status & 10) <> 0 AS changed,
           coalesce(d.total_bytes, 0)::bigint AS bytes, coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) AS changes
    FROM timescaledb_information.chunks i
    JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
    LEFT JOIN chunks_detailed_size('reading') d ON d.chunk_schema = i.chunk_schema AND d.chunk_name = i.chunk_name
    LEFT JOIN pg_stat_all_tables s ON s.schemaname = i.chunk_schema AND s.relname = i.chunk_name
    WHERE i.hypertable_schema = current_schema() AND i.hypertable_name = 'reading'
"""


async def list_parts(conn: Conn, engine: Engine) -> list[Part]:
    """All parts, oldest first; the default partition, which catches what has no month yet, is none of them."""
    if engine == "timescaledb":
        found = [Part(**each) for each in await rows(conn, _CHUNKS, {})]
    else:
        found = [
            Part(each["name"], *_month(match), False, False, each["bytes"], each["changes"])
            for each in await rows(conn, _PARTITIONS)
            if (match := _MONTH.fullmatch(each["name"]))
        ]
    return sorted(found, key=lambda part: part.start)


def _month(match: re.Match[str]) -> tuple[datetime, datetime]:
    year, month = int(match[1]), int(match[2])
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def table_of(part: Part) -> sql.Composed:
    """The part's name for a statement."""
    return sql.SQL(".").join(sql.Identifier(each) for each in part.name.replace('"', "").split("."))


async def lock_part(conn: Conn, part: Part) -> None:
    """Keep everybody else from this part until the transaction ends. Raises LockNotAvailable after `LOCK_WAIT`."""
    await conn.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
    await conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_of(part)))


async def drop_part(conn: Conn, engine: Engine, part: Part) -> None:
    """Take a part with all its readings away, in a transaction that has locked it."""
    if engine == "timescaledb":
        await conn.execute(
            "SELECT drop_chunks('reading', older_than => %s::timestamptz, newer_than => %s::timestamptz)",
            (part.end, part.start),
        )
    else:
        await conn.execute(sql.SQL("DROP TABLE {}").format(table_of(part)))


async def compress_part(conn: Conn, compression: Compression, part: Part) -> None:
    """Make an old part smaller. `conn` commits every statement.

    Packing an index does not keep anybody waiting; compressing a chunk lets it be read but not written meanwhile.
    """
    if compression == "columnstore":
        await conn.execute("SELECT compress_chunk(%s::regclass)", (part.name,))
    else:
        await conn.execute(sql.SQL("REINDEX TABLE CONCURRENTLY {}").format(table_of(part)))


async def bytes_of(conn: Conn, engine: Engine, part: Part) -> int:
    """How much disk a part takes now."""
    return next((each.bytes for each in await list_parts(conn, engine) if each.name == part.name), 0)
