"""Blobs that nothing refers to are removed after a day: uploads that failed, imports that were cancelled or killed.

A day, because a blob is stored before the transaction that refers to it.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from psycopg import sql

from twin.blobs import BlobStore
from twin.db import Conn, Database, rows

log = structlog.get_logger()
KEEP: Final = timedelta(days=1)
_TRASH: Final = ".old"


async def remove_unused_blobs(db: Database, blobs: BlobStore, now: datetime, keep: timedelta = KEEP) -> int:
    """Remove rows that nothing refers to and files without a row, older than `keep`; return how many files went."""
    async with db.transaction() as conn:
        await _remove_rows(conn, now - keep)
    old = await asyncio.to_thread(lambda: list(_old_files(blobs.folder, (now - keep).timestamp())))
    async with db.connection() as conn:
        known = await rows(conn, "SELECT hash FROM blob WHERE hash = ANY(%s)", ([path.name for path in old],))
    kept = {each["hash"] for each in known}
    gone = await asyncio.to_thread(
        lambda: sum(_remove(path, (now - keep).timestamp()) for path in old if path.name not in kept)
    )
    if gone:
        log.info("blobs.removed", files=gone)
    return gone


async def _remove_rows(conn: Conn, before: datetime) -> None:
    """Delete the rows that no foreign key and no open job names; the catalogue knows which tables refer to blobs."""
    found = await rows(
        conn,
        """SELECT c.conrelid::regclass::text AS table, a.attname AS column
           FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           WHERE c.contype = 'f' AND c.confrelid = 'blob'::regclass AND c.conparentid = 0""",
    )
    unused = sql.SQL(" AND ").join(
        sql.SQL("NOT EXISTS (SELECT FROM {} AS refers WHERE refers.{} = blob.hash)").format(
            sql.Identifier(each["table"]), sql.Identifier(each["column"])
        )
        for each in found
    )
    await conn.execute(
        sql.SQL(
            """DELETE FROM blob WHERE created_at < %s AND {}
               AND NOT EXISTS (SELECT FROM job WHERE state IN ('queued', 'running')
                               AND strpos(job.args::text, blob.hash) > 0)"""
        ).format(unused),
        (before,),
    )


def _old_files(folder: Path, before: float) -> Iterator[Path]:
    """Whole and half-written blobs that were last stored before then."""
    for each in os.scandir(folder):
        if each.is_dir(follow_symlinks=False):
            yield from (
                Path(blob.path) for blob in os.scandir(each.path) if blob.is_file() and blob.stat().st_mtime < before
            )
        elif each.name.startswith(".new-") and each.stat().st_mtime < before:
            yield Path(each.path)


def _remove(path: Path, before: float) -> bool:
    """Remove a file unless somebody stores it right now: storing touches it, so it is looked at again once aside."""
    aside = path.with_name(path.name + _TRASH)
    try:
        path.rename(aside)
        if aside.stat().st_mtime >= before and not path.exists():
            aside.rename(path)
            return False
        aside.unlink()
    except FileNotFoundError:
        return False
    return True


async def run(db: Database, blobs: BlobStore, *, every: float = 3600.0) -> None:
    """Clean up now and then, for ever."""
    while True:
        started = time.monotonic()
        await remove_unused_blobs(db, blobs, datetime.now(UTC))
        await asyncio.sleep(max(60.0, every - (time.monotonic() - started)))
