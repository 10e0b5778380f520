"""Files of readings: looked at in the sandbox, then stored by a job that goes on where it was after a crash (6.1.1).

The readings go through the one door as history, so live data does not wait for them; what is repeated, contradicts or
cannot be used counts and is kept as from every source. How far a file is, is committed with its readings.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
from psycopg.types.json import Jsonb

from api.reading_names import keys_of, named, zone_of
from identity.actor import Actor
from ifc_models import reading_chunks, reading_mapping
from ifc_models.reading_cells import Unreadable
from ifc_models.reading_chunks import Chunk, Cursor
from ifc_models.reading_mapping import TableMapping
from ifc_models.worker import WorkerPool
from telemetry.decode import Columns, Refusal
from telemetry.history import History
from telemetry.ingest import Ingest
from telemetry.sources import SourceRef
from telemetry.submission import Outcome, Receipt
from twin import jobs
from twin.blobs import Blob, BlobStore, record_blob
from twin.db import Conn, Database, row, rows
from twin.errors import Conflict, Denied, Invalid, Language, NotFound, Unavailable, text_of
from twin.jobs import JobCancelled, JobContext
from twin.settings import Settings

KIND: Final = "readings"
TABLE: Final = "application/octet-stream"
PIECE: Final = 5_000  # readings of one transaction: about 25 ms of PostgreSQL's time
RETRY_S: Final = (0.1, 0.5, 2.0, 5.0)
JUDGED: Final = 10_000  # readings after which a file of which hardly anything is usable is given up
HOPELESS: Final = 0.9
SHOWN: Final = 100  # refused readings that the result names


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants imported."""

    building: UUID
    file_name: str
    mapping: TableMapping
    source: str | None = None


class ReadingFiles:
    """Previews files of readings and runs the jobs that store them."""

    def __init__(
        self, db: Database, blobs: BlobStore, settings: Settings, workers: WorkerPool, ingest: Ingest, history: History
    ) -> None:
        self._db, self._blobs, self._settings, self._workers = db, blobs, settings, workers
        self._ingest, self._history = ingest, history

    @asynccontextmanager
    async def _folder(self) -> AsyncIterator[Path]:
        work = self._settings.data / "work"
        await asyncio.to_thread(work.mkdir, mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="readings-", dir=work, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    async def _do(self, what: str, path: Path, out: Path, name: str, **options: Any) -> dict[str, Any]:
        await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
        await asyncio.to_thread(out.mkdir)
        return await self._workers.do("readings", path, out, file_name=name, options={"do": what, **options})

    async def preview(
        self, building: UUID, path: Path, name: str, given: object, lang: Language = "en"
    ) -> dict[str, Any]:
        """What a file holds and what is made of its first rows; the mapping is guessed where none is given.

        Raises Invalid and TooLarge `table.…`.
        """
        mapping = None if given is None else msgspec.to_builtins(reading_mapping.mapping_of(given))
        async with self._db.connection() as conn:
            zone, keys = await zone_of(conn, building), await keys_of(conn, building)
        async with self._folder() as folder:
            found = await self._do("preview", path, folder / "out", name, mapping=mapping, zone=zone)
            guessed = found["mapping"]
            renamed = named(guessed, found["keys"], keys) if mapping is None else guessed
            if renamed != guessed and (renamed["layout"] == "long" or renamed["columns"]):
                found = await self._do("preview", path, folder / "out", name, mapping=renamed, zone=zone)
        known = set(keys.values())
        found["unknown"] = [key for key in found["keys"] if key not in known]
        if renamed["layout"] == "wide" and mapping is None:
            left = set(guessed["columns"] or ()) - set(renamed["columns"] or ())
            found["unknown"] = [each["name"] for each in found["columns"] if each["name"] in left]
        for each in found.pop("unreadable"):
            found.setdefault("problems", []).append(_problem(each, lang))
        problem = found.pop("problem")
        found["problem"] = problem and {**problem, "message": text_of(problem["code"], lang, problem["params"])}
        return {**found, "mapping": renamed, "zone": renamed.get("timezone") or zone}

    async def complete(self, building: UUID, path: Path, name: str, given: object) -> TableMapping:
        """A mapping with all that it leaves open settled. Raises Invalid `table.…` where it does not fit the file."""
        found = await self.preview(building, path, name, given)
        if found["problem"] is not None:
            problem = found["problem"]
            raise Invalid(problem["code"], where=problem["where"], **problem["params"])
        return reading_mapping.mapping_of(found["mapping"])

    async def ask(self, conn: Conn, order: Order, blob: Blob, actor: Actor) -> UUID:
        """Create the job, in the caller's transaction. Raises Denied, Conflict `source.exists`."""
        await record_blob(conn, blob)
        source = await _file_source(conn, order.source, order)
        args = {"file_name": order.file_name, "source": source.name, "file": blob.hash}
        job = await jobs.create_job(
            conn, KIND, args, building_id=order.building, actor_name=actor.name, lock=f"readings:{order.building}"
        )
        await conn.execute(
            """INSERT INTO reading_import (job_id, building_id, source_id, file_hash, file_name, mapping)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            (
                job,
                order.building,
                source.id,
                blob.hash,
                order.file_name,
                Jsonb(msgspec.to_builtins(order.mapping)),
            ),
        )
        return job

    async def run(self, job: JobContext) -> dict[str, Any]:
        """Store a file's readings from where the last attempt ended."""
        if self._ingest.is_open:
            return await self._run(job, self._ingest)
        async with Ingest(self._db, self._settings) as ingest:  # a worker without a server
            return await self._run(job, ingest)

    async def _run(self, job: JobContext, ingest: Ingest) -> dict[str, Any]:
        async with self._db.connection() as conn:
            found = await row(conn, _IMPORT, (job.id,))
            if found is None or found["file_hash"] is None:
                raise NotFound("job.unknown", id=str(job.id))
            zone = await zone_of(conn, found["building_id"])
            texts = await rows(
                conn, "SELECT key FROM point WHERE building_id = %s AND kind = 'text'", (found["building_id"],)
            )
        async with self._folder() as folder:
            reader = _Reader(self, self._blobs.path(found["file_hash"]), folder, found, zone)
            reader.texts = [each["key"] for each in texts]
            await job.report("preparing", 0.0)
            await reader.prepare()
            storing = _Storing(self._db, self._history, ingest, job, found, reader.bytes)
            async for chunk, start in reader.chunks():
                await storing.store(chunk, start)
        async with self._db.transaction() as conn:
            counts = await row(conn, _COUNTS, (job.id,))
            await conn.execute("UPDATE reading_import SET file_hash = NULL WHERE job_id = %s", (job.id,))
            result = {**(counts or {}), "problems": storing.problems}
            await job.finish(conn, result)
        return result


_IMPORT: Final = """
    SELECT i.*, s.name AS source FROM reading_import i JOIN source s ON s.id = i.source_id WHERE i.job_id = %s
"""
_COUNTS: Final = "SELECT lines, accepted, duplicate, rejected, empty FROM reading_import WHERE job_id = %s"
_ADVANCE: Final = """
    UPDATE reading_import SET cursor = %(to)s, lines = %(lines)s, accepted = accepted + %(accepted)s,
      duplicate = duplicate + %(duplicate)s, rejected = rejected + %(rejected)s, empty = empty + %(empty)s
    WHERE job_id = %(job)s AND cursor IS NOT DISTINCT FROM %(from)s
"""


class _Reader:
    """A file's chunks, the next ones read while the last are stored."""

    def __init__(self, files: ReadingFiles, path: Path, folder: Path, found: Mapping[str, Any], zone: str) -> None:
        self._files, self._path, self._folder, self._zone = files, path, folder, zone
        self._name, self._mapping = found["file_name"], found["mapping"]
        self._cursor = msgspec.convert(found["cursor"] or {}, Cursor)
        self.texts: list[str] = []
        self.bytes = 0

    async def prepare(self) -> None:
        out = self._folder / "ready"
        made = await self._files._do("prepare", self._path, out, self._name)  # noqa: SLF001  its other half
        self._path = out / made["ready"] if made["ready"] else self._path
        self.bytes = made["bytes"]

    async def chunks(self) -> AsyncIterator[tuple[Chunk, Cursor]]:
        """Each chunk and the cursor that it begins at."""
        cursor, turn = self._cursor, 0
        reading = asyncio.create_task(self._read(cursor, turn))
        try:
            while not cursor.over:
                chunks = await reading
                turn += 1
                if not chunks[-1].cursor.over:
                    reading = asyncio.create_task(self._read(chunks[-1].cursor, turn))
                for chunk in chunks:
                    yield chunk, cursor
                    cursor = chunk.cursor
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, cursor: Cursor, turn: int) -> list[Chunk]:
        out = self._folder / f"out-{turn % 2}"
        given = {**msgspec.to_builtins(cursor), "skip": 0}
        options = {"mapping": self._mapping, "cursor": given, "zone": self._zone, "texts": self.texts}
        made = await self._files._do("read", self._path, out, self._name, **options)  # noqa: SLF001
        return [await asyncio.to_thread(reading_chunks.load_chunk, out, n) for n in range(made["chunks"])]


@dataclass(slots=True)
class _Storing:
    """Puts chunks through ingest, a piece per transaction, and says how far it is."""

    db: Database
    history: History
    ingest: Ingest
    job: JobContext
    found: Mapping[str, Any]
    bytes: int
    problems: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("accepted", "duplicate", "rejected"), 0))
    months: set[tuple[int, int]] = field(default_factory=set)

    async def store(self, chunk: Chunk, start: Cursor) -> None:
        """Store what is not stored of a chunk; `start` is the cursor that it begins at."""
        lines, key, ts, values = chunk.arrays()
        await self._make_room(ts)
        keys = [chunk.keys[i] for i in key.tolist()]
        quality = np.frombuffer(chunk.quality, np.uint8)
        at = start.skip
        while True:
            end = min(at + PIECE, len(keys))
            last = end == len(keys)
            columns = Columns(lines[at:end], keys[at:end], ts[at:end], values[at:end], quality[at:end])
            if last:
                columns.refused = [_refusal(each) for each in chunk.unreadable]
            after = chunk.cursor if last else msgspec.structs.replace(start, skip=end)
            before = start if at == start.skip else msgspec.structs.replace(start, skip=at)
            await self._submit(columns, before, after, chunk.empty if last else 0)
            share = (after.at if last else start.at + (chunk.cursor.at - start.at) * end / max(1, len(keys))) / max(
                1, self.bytes
            )
            await self.job.report("storing", min(share, 1.0), bytes=self.bytes, done=after.line, **self.counts)
            if last:
                return
            at = end

    async def _submit(self, columns: Columns, before: Cursor, after: Cursor, empty: int) -> None:
        async def advance(conn: Conn, outcome: Outcome) -> None:
            await self._advance(conn, before, after, outcome, empty)

        source = SourceRef(self.found["source_id"], self.found["source"])
        building, tries = self.found["building_id"], 0
        while True:
            try:
                receipt = await self.ingest.submit_columns(
                    source, columns, live=False, building=building, together=advance
                )
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
                await self.job.report("storing", 0.0)  # ends it where the job was cancelled meanwhile
        self._count(receipt)

    async def _advance(self, conn: Conn, before: Cursor, after: Cursor, outcome: Outcome, empty: int) -> None:
        began = before == Cursor()
        moved = await conn.execute(
            _ADVANCE,
            {
                "job": self.job.id,
                "from": None if began else Jsonb(msgspec.to_builtins(before)),
                "to": Jsonb(msgspec.to_builtins(after)),
                "lines": after.line,
                "accepted": outcome.accepted,
                "duplicate": outcome.duplicate,
                "rejected": len(outcome.refused),
                "empty": empty,
            },
        )
        if moved.rowcount:
            return
        # What an earlier life of this job had handed over was stored meanwhile: then this very piece is there.
        is_at = "SELECT FROM reading_import WHERE job_id = %s AND cursor = %s"
        if await row(conn, is_at, (self.job.id, Jsonb(msgspec.to_builtins(after)))) is None:
            raise JobCancelled  # somebody else has taken the job up

    def _count(self, receipt: Receipt) -> None:
        for name, count in (
            ("accepted", receipt.accepted),
            ("duplicate", receipt.duplicate),
            ("rejected", len(receipt.rejected)),
        ):
            self.counts[name] += count
        room = SHOWN - len(self.problems)
        self.problems += [
            {"row": each.index, "code": each.code, "message": each.message} for each in receipt.rejected[:room]
        ]
        judged, rejected = sum(self.counts.values()), self.counts["rejected"]
        if judged >= JUDGED and rejected > HOPELESS * judged:
            first = receipt.rejected[0].message if receipt.rejected else ""
            raise Invalid(
                "table.hopeless", where=self.found["file_name"], share=round(100 * rejected / judged), first=first
            )

    async def _make_room(self, ts: np.ndarray[Any, Any]) -> None:
        """Partitions for the months of a chunk, before its readings come."""
        sound = ts[(ts >= 0) & (ts < 7_258_118_400_000_000)]  # 1970 to 2200
        for month in np.unique(sound.astype("datetime64[us]").astype("datetime64[M]")).astype(object).tolist():
            if (month.year, month.month) not in self.months:
                self.months.add((month.year, month.month))
                start = datetime(month.year, month.month, 1, tzinfo=UTC)
                await self.history.ensure_months(start, start + timedelta(days=1))


def _refusal(each: Unreadable) -> Refusal:
    return Refusal(each.row, each.code, each.params, each.point, each.ts, each.value, None)


def _problem(each: Sequence[Any], lang: Language) -> dict[str, Any]:
    row, column, code, params = each[:4]
    return {"row": row, "column": column, "code": code, "message": text_of(code, lang, params)}


def require_scope(actor: Actor, building: UUID) -> None:
    """Raise Denied unless an actor may write to all points of a building: a file is not looked at point by point."""
    scope = actor.scope("reading.write")
    if not scope.everywhere and building not in scope.buildings:
        raise Denied("readings.scope")


async def _file_source(conn: Conn, name: str | None, order: Order) -> SourceRef:
    """The source of a file, made if there is none. Raises Conflict: something else has the name."""
    building = order.building
    name = name or f"file:{building.hex[:8]}/{order.file_name}"
    await conn.execute(
        """INSERT INTO source (name, kind, building_id, expected_interval) VALUES (%s, 'file', %s, interval '10 years')
           ON CONFLICT (name) DO NOTHING""",
        (name, building),
    )
    found = await row(conn, "SELECT id, kind, building_id FROM source WHERE name = %s", (name,))
    if found is None or found["kind"] != "file" or found["building_id"] != building:
        raise Conflict("source.exists", where="source", name=name)
    return SourceRef(found["id"], name)


async def find_unfinished(conn: Conn, order: Order, blob: Blob) -> jobs.Job | None:
    """The newest job that has not stored all of this very file, meant as it is here; None: there is none."""
    found = await row(
        conn,
        """SELECT i.job_id FROM reading_import i JOIN job j ON j.id = i.job_id
           JOIN source s ON s.id = i.source_id
           WHERE i.building_id = %(building)s AND i.file_hash = %(file)s AND i.mapping = %(mapping)s
             AND j.state <> 'done' AND (%(source)s::text IS NULL OR s.name = %(source)s)
           ORDER BY i.created_at DESC LIMIT 1""",
        {
            "building": order.building,
            "file": blob.hash,
            "mapping": Jsonb(msgspec.to_builtins(order.mapping)),
            "source": order.source,
        },
    )
    return None if found is None else await jobs.get_job(conn, found["job_id"])


async def resume(conn: Conn, job_id: UUID) -> jobs.Job:
    """Have a job that failed or was cancelled go on where it was. Raises NotFound, Conflict `job.not_resumable`."""
    job = await jobs.get_job(conn, job_id)
    there = await row(conn, "SELECT file_hash FROM reading_import WHERE job_id = %s", (job_id,))
    if job.state not in ("failed", "cancelled") or there is None or there["file_hash"] is None:
        raise Conflict("job.not_resumable", state=job.state)
    await jobs.start_again(conn, job_id, lock=f"readings:{job.building_id}")
    return await jobs.get_job(conn, job_id)
