"""Storeys of a model that are seen while the rest of its first version is still being imported (decision 16)."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from api.finishing_log import ReadyTile
from twin.blobs import Blob, BlobStore, record_blob
from twin.db import Database, objects, row
from twin.events import emit
from twin.jobs import JobContext
from viewer.tile_keys import KnownTile

FIRST_AFTER: Final = 1.0  # s from the start of a job: what takes no longer needs no preview
SLOWER: Final = 1.5  # each pause between two previews is so much longer than the last


class Preview:
    """Shows tiles of one job's model, if that has no version to be seen. The database takes them back with the job."""

    def __init__(self, db: Database, blobs: BlobStore, job: JobContext, *, first_after: float = FIRST_AFTER) -> None:
        self._db, self._blobs, self._job = db, blobs, job
        self._model_id = UUID(job.args["model_id"])
        self._pause = first_after
        self._next = time.monotonic() + first_after
        self._waiting: dict[int, list[ReadyTile]] = {}  # storey → its tiles, written and not shown yet
        self._last: int | None = None  # storey whose tiles are being written
        self.is_wanted = False
        self.kept: dict[str, Blob] = {}  # tiles that are in the blob store already
        self.storeys: set[int] = set()  # that are seen

    async def start(self) -> None:
        """Take back what an earlier attempt at the job left; find out whether a preview is wanted."""
        async with self._db.transaction() as conn:
            await conn.execute("DELETE FROM tile_preview WHERE job_id = %s", (self._job.id,))
            model = await row(conn, "SELECT current_version FROM model WHERE id = %s", (self._model_id,))
        self.is_wanted = model is not None and model["current_version"] is None

    @property
    def is_due(self) -> bool:
        """Whether it is time to show what is there."""
        return self.is_wanted and time.monotonic() >= self._next

    async def add(self, tiles: Iterable[ReadyTile], folder: Path) -> None:
        """Take note of tiles as they are written, storey by storey; show the storeys that are whole, now and then."""
        for tile in tiles:
            self._last = tile.storey_index
            self._waiting.setdefault(tile.storey_index, []).append(tile)
        whole = [storey for storey in self._waiting if storey != self._last]
        if whole and self.is_due:
            await self.show([tile for storey in whole for tile in self._waiting.pop(storey)], folder)

    async def show(self, tiles: Sequence[ReadyTile], folder: Path) -> None:
        """Show the tiles, which are all that their storeys have."""
        if not tiles or not self.is_wanted:
            return
        new = [tile for tile in tiles if tile.hash not in self.kept and (folder / f"{tile.hash}.glb").exists()]
        blobs = await asyncio.to_thread(
            lambda: [self._blobs.put_file(folder / f"{tile.hash}.glb", tile.content_type) for tile in new]
        )
        self.kept |= {blob.hash: blob for blob in blobs}
        self.storeys |= {tile.storey_index for tile in tiles}
        async with self._db.transaction() as conn:
            for blob in sorted(blobs, key=lambda each: each.hash):
                await record_blob(conn, blob)
            await conn.execute(
                "DELETE FROM tile_preview WHERE job_id = %s AND storey_index = ANY(%s)",
                (self._job.id, [tile.storey_index for tile in tiles]),
            )
            async with conn.cursor() as cursor:
                await cursor.executemany(_INSERT, [self._row(tile) for tile in tiles])
            about = {"job": str(self._job.id), "model": str(self._model_id), "tiles": len(tiles)}
            await emit(conn, "model_preview", about, building_id=self._job.building_id)
        self._pause *= SLOWER
        self._next = time.monotonic() + self._pause

    async def known_tiles(self) -> list[KnownTile]:
        """The tiles that are seen: those that the version has too need not be made again."""
        if not self.storeys:
            return []
        async with self._db.connection() as conn:
            return await objects(
                conn,
                KnownTile,
                """SELECT key, part, hash, bytes AS size, elements, triangles, bbox FROM tile_preview
                   WHERE job_id = %s AND key IS NOT NULL ORDER BY part""",
                (self._job.id,),
            )

    def _row(self, tile: ReadyTile) -> dict[str, object]:
        return {
            "job_id": self._job.id,
            "model_id": self._model_id,
            "building_id": self._job.building_id,
            "storey_index": tile.storey_index,
            "storey_name": tile.storey_name,
            "elevation": tile.elevation,
            "layer": tile.layer,
            "part": tile.part,
            "hash": tile.hash,
            "bytes": tile.size,
            "elements": tile.elements,
            "triangles": tile.triangles,
            "bbox": list(tile.bbox),
            "key": tile.key,
        }


_INSERT: Final = """
    INSERT INTO tile_preview (job_id, model_id, building_id, storey_index, storey_name, elevation, layer, part, hash,
                              bytes, elements, triangles, bbox, key)
    SELECT %(job_id)s, %(model_id)s, %(building_id)s, %(storey_index)s, %(storey_name)s, %(elevation)s, %(layer)s,
           %(part)s, %(hash)s, %(bytes)s, %(elements)s, %(triangles)s, %(bbox)s, %(key)s
    WHERE EXISTS (SELECT FROM job WHERE id = %(job_id)s AND state = 'running')
"""
