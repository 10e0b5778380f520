"""Clean-up of blobs: what is used, young, or waited for stays."""

import os
from datetime import UTC, datetime, timedelta

from twin.blob_upkeep import remove_unused_blobs
from twin.blobs import Blob, BlobStore, record_blob
from twin.db import Database, rows
from twin.jobs import create_job
from twin.places import create_building

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOW = LONG_AGO + timedelta(days=30)


async def put(db: Database, blobs: BlobStore, data: bytes, at: datetime, *, known: bool = True) -> Blob:
    """Store a blob as if it had been then."""
    blob = blobs.put_bytes(data, "text/plain")
    os.utime(blobs.path(blob.hash), (at.timestamp(), at.timestamp()))
    if known:
        async with db.transaction() as conn:
            await record_blob(conn, blob)
            await conn.execute("UPDATE blob SET created_at = %s WHERE hash = %s", (at, blob.hash))
    return blob


async def test_only_old_blobs_that_nothing_names_are_removed(db: Database, blobs: BlobStore) -> None:
    unused = await put(db, blobs, b"unused", LONG_AGO)
    without_row = await put(db, blobs, b"without row", LONG_AGO, known=False)
    young = await put(db, blobs, b"young", NOW - timedelta(hours=23))
    waiting = await put(db, blobs, b"waiting", LONG_AGO)
    used = await put(db, blobs, b"used", LONG_AGO)
    half = blobs.folder / ".new-half"
    half.write_bytes(b"half")
    os.utime(half, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    async with db.transaction() as conn:
        building = await create_building(conn, "B")
        await create_job(conn, "import", {"file_hash": waiting.hash}, building_id=building.id, actor_name=None)
        await conn.execute("INSERT INTO model (building_id, name) VALUES (%s, 'm')", (building.id,))
        await conn.execute(
            """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, report)
               SELECT id, 1, %s, 'a.ifc', 4, 'IFC4', '{}' FROM model""",
            (used.hash,),
        )
    assert await remove_unused_blobs(db, blobs, NOW) == 3
    async with db.connection() as conn:
        left = {each["hash"] for each in await rows(conn, "SELECT hash FROM blob")}
    assert left == {young.hash, waiting.hash, used.hash}
    assert {blob.hash for blob in (young, waiting, used) if blobs.exists(blob.hash)} == left
    assert not blobs.exists(unused.hash) and not blobs.exists(without_row.hash) and not half.exists()
    assert await remove_unused_blobs(db, blobs, NOW) == 0


async def test_a_blob_that_is_stored_again_counts_as_new(db: Database, blobs: BlobStore) -> None:
    blob = await put(db, blobs, b"again", LONG_AGO)
    assert blobs.put_bytes(b"again", "text/plain") == blob
    async with db.transaction() as conn:
        await record_blob(conn, blob)
    assert await remove_unused_blobs(db, blobs, datetime.now(UTC)) == 0
    assert blobs.exists(blob.hash)
