"""The import job: an IFC file becomes elements, rooms, points and tiles, in one transaction.

Sandboxed worker (read, mesh) → finishing process (place, tiles) → blobs → one transaction with the event. Until that
transaction commits, the building shows its previous version; if anything fails, it still does.
"""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog
from psycopg.errors import DiskFull

from api.finisher import Finisher
from api.finishing import Finished, make_tiles, place_model
from api.finishing import preview as finish_early
from api.finishing_log import Listener, Said
from api.previewing import FIRST_AFTER, Preview
from identity import audit
from identity.actor import SYSTEM, Actor
from ifc_models import models, store
from ifc_models.converter import converter
from ifc_models.disciplines import find_misalignment
from ifc_models.extract import Extract, Finding, load_geometry
from ifc_models.findings import Findings
from ifc_models.mesh_kept import BEFORE_FILE, BEFORE_MESHES, write_meshes
from ifc_models.mesh_kept import CONTENT_TYPE as MESHES
from ifc_models.package import CONTENT_TYPE as PACKAGE
from ifc_models.package import Package, load_package
from ifc_models.repeating import (
    EqualVersion,
    find_equal_version,
    find_meshed_version,
    get_kept_version,
    repeat_version,
)
from ifc_models.report import build_report
from ifc_models.shape_checks import check_shapes
from ifc_models.store import NewVersion
from ifc_models.worker import Step, WorkerPool
from spatial.placed import place_building
from telemetry import seeding
from twin import jobs, places
from twin.blobs import Blob, BlobStore, is_full, record_blob
from twin.db import Conn, Database, objects
from twin.errors import Conflict, Invalid, TwinError, Unavailable
from twin.events import emit
from twin.jobs import JobContext
from twin.settings import Settings
from viewer.tile_keys import KnownTile

log = structlog.get_logger()
IFC: Final = "application/x-step"
READ_SHARE: Final = 0.15  # of the progress bar; meshing goes on meanwhile
WORKER_SHARE: Final = 0.6  # of the progress bar: reading and meshing
PLACED_SHARE: Final = 0.65
FINISHED_SHARE: Final = 0.85
LISTEN_EVERY: Final = 0.1  # s between two looks at what the finishing process says
LEFT_OVER: Final = timedelta(days=1)  # after which the folder of an import that was killed and not taken up goes
STAGES: Final = {"checking": "check", "opening": "open", "reading": "read", "meshing": "mesh"}
"""The worker's stages as the job shows them; then come place and store."""


async def ask_for_import(
    conn: Conn, building: places.Building, model: str, discipline: str, blob: Blob, file_name: str, actor: Actor
) -> UUID:
    """Create the job that imports a stored file, in the caller's transaction. Versions of one model come in order."""
    if not 1 <= len(discipline) <= 20:
        raise Invalid("model.discipline", where="discipline")
    await record_blob(conn, blob)
    made = await models.ensure_model(conn, building.id, model, discipline)
    return await jobs.create_job(
        conn,
        "import",
        {
            "model_id": str(made.id),
            "model": made.name,
            "file_hash": blob.hash,
            "file_name": file_name,
            "bytes": blob.bytes,
        },
        building_id=building.id,
        actor_name=actor.name,
        lock=f"model:{made.id}",
    )


async def ask_for_rollback(conn: Conn, model: models.Model, version: int, actor: Actor) -> UUID:
    """Create the job that shows an earlier version again, in the caller's transaction. Raises NotFound, Conflict."""
    await get_kept_version(conn, model.id, version)
    if version == model.current_version:
        raise Conflict("model.version_shown", version=version)
    return await jobs.create_job(
        conn,
        "rollback",
        {"model_id": str(model.id), "model": model.name, "version": version},
        building_id=model.building_id,
        actor_name=actor.name,
        lock=f"model:{model.id}",
    )


class Importer:
    """Runs import jobs. Holds warm processes, so the first import of a server is as fast as the second."""

    preview_after = FIRST_AFTER

    def __init__(self, db: Database, blobs: BlobStore, settings: Settings, workers: WorkerPool) -> None:
        self._db, self._blobs, self._settings, self.workers = db, blobs, settings, workers
        self._finisher = Finisher()
        self._work = settings.data / "work"
        self._converter = converter(workers.limits)

    async def warm(self) -> None:
        """Wait until the processes that read and mesh are ready, for measuring."""
        await self.workers.warm()

    def close(self) -> None:
        """End the finishing process."""
        self._finisher.close()

    async def run(self, job: JobContext) -> dict[str, Any]:
        """Import the file that the job names; return the report."""
        started = time.perf_counter()
        self._work.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(_clear_left_over, self._work, f"import-{job.id}-")
        folder = Path(tempfile.mkdtemp(prefix=f"import-{job.id}-", dir=self._work))
        try:
            return await self._import(job, folder, started)
        except OSError as error:
            if is_full(error):
                raise Unavailable("disk.full", where=str(self._work)) from error
            raise
        except DiskFull as error:
            raise Unavailable("disk.full", where="database") from error
        finally:
            await _undisturbed(asyncio.to_thread(_remove_folder, folder))

    async def _import(self, job: JobContext, folder: Path, started: float) -> dict[str, Any]:
        model_id, file_hash = UUID(job.args["model_id"]), job.args["file_hash"]
        async with self._db.connection() as conn:
            known = await find_equal_version(conn, model_id, file_hash, self._converter)
        if known is not None and known.is_shown:
            return await self._repeat(job, known, started)
        if known is not None and (package := await self._load(known.package)) is not None:
            return await self._store_package(job, package, known, started)
        return await self._convert(job, folder, started)

    async def _convert(self, job: JobContext, folder: Path, started: float) -> dict[str, Any]:
        """Read, mesh, place and tile the file, then store it."""
        out, tiles = folder / "extract", folder / "tiles"
        out.mkdir()
        tiles.mkdir()

        preview = Preview(self._db, self._blobs, job, first_after=self.preview_after)
        await preview.start()
        extract = await self._extract(job, preview, out)
        await job.report("place", WORKER_SHARE)
        placed = await self._finisher.run(place_model, out)
        geometry = await asyncio.to_thread(load_geometry, out)
        seconds = {**extract.seconds, **placed.seconds}
        async with self._tiles(job, preview, out, tiles) as tiling, self._db.transaction() as conn:
            model = await models.get_model(conn, UUID(job.args["model_id"]))
            new = NewVersion(
                model_id=model.id,
                building_id=model.building_id,
                file_hash=job.args["file_hash"],
                file_name=job.args["file_name"],
                extract=extract,
                geometry=geometry,
                placement=placed.placement,
                boxes=placed.boxes,
                shapes=placed.shapes,
                measures=placed.measures,
                ends=placed.ends,
                actor_name=job.created_by or SYSTEM.name,
                converter=self._converter,
            )

            async def complete() -> NewVersion:
                """The rows of the elements are written: now the tiles are waited for."""
                finished = await tiling
                seconds.update(finished.seconds)
                await job.report("store", FINISHED_SHARE)
                tile_blobs, package = await asyncio.to_thread(self._keep, finished, preview.kept)
                for blob in sorted((*tile_blobs, package), key=lambda each: each.hash):  # several imports, one order
                    await record_blob(conn, blob)
                return replace(new, tiles=finished.tiles, package=package.hash)

            report = await self._store(conn, job, model, new, seconds, started, complete=complete)
        await self._keep_meshes(model.id, report["version"], out, extract)
        return report

    async def _extract(self, job: JobContext, preview: Preview, out: Path) -> Extract:
        """Read and mesh the file in the sandbox; a big model's storeys are shown as they come."""

        async def progress(step: Step) -> None:
            share = READ_SHARE * step.progress
            if step.stage == "meshing":
                share = READ_SHARE + (WORKER_SHARE - READ_SHARE) * step.progress
            counted = {"done": step.done, "total": step.total, "bytes": job.args["bytes"]}
            await job.report(STAGES.get(step.stage, step.stage), share, **counted)

        path, meshed = self._blobs.path(job.args["file_hash"]), asyncio.Queue[Path | None]()
        showing = asyncio.create_task(self._show_early(preview, out, meshed))
        try:
            extract = await self.workers.run(
                path,
                out,
                file_name=job.args["file_name"],
                inputs=await self._before(job),
                on_progress=progress,
                on_preview=meshed.put_nowait if preview.is_wanted else None,
            )
            while not meshed.empty():  # these come with the version now
                meshed.get_nowait()
            meshed.put_nowait(None)
            await showing
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        return extract

    async def _before(self, job: JobContext) -> dict[str, Path]:
        """The newest version's file and meshes: what is the same in both need not be meshed again."""
        async with self._db.connection() as conn:
            known = await find_meshed_version(conn, UUID(job.args["model_id"]), self._converter)
        if known is None or known.meshes is None:
            return {}
        file, meshes = self._blobs.path(known.file_hash), self._blobs.path(known.meshes)
        return {BEFORE_FILE: file, BEFORE_MESHES: meshes} if file.exists() and meshes.exists() else {}

    async def _keep_meshes(self, model_id: UUID, version: int, out: Path, extract: Extract) -> None:
        """Keep the meshes for the next version. The version is there already: without them the next takes longer."""
        path = out / "meshes"
        try:
            await asyncio.to_thread(write_meshes, path, out, extract)
            blob = await asyncio.to_thread(self._blobs.put_file, path, MESHES)
        except (OSError, Unavailable) as error:
            log.warning("import.meshes_not_kept", reason=str(error))
            return
        async with self._db.transaction() as conn:
            await record_blob(conn, blob)
            await conn.execute(
                "UPDATE model_version SET meshes = %s WHERE model_id = %s AND n = %s", (blob.hash, model_id, version)
            )

    async def _repeat(self, job: JobContext, known: EqualVersion, started: float) -> dict[str, Any]:
        """The shown version's own file: a new version that shares everything with it."""
        await job.report("store", FINISHED_SHARE)
        async with self._db.transaction() as conn:
            model = await models.get_model(conn, known.model_id)
            actor = job.created_by or SYSTEM.name
            report = await repeat_version(conn, known, job.args["file_name"], actor)
            report["seconds"] = {"total": round(time.perf_counter() - started, 4)}
            await store.finish_version(conn, model.id, report["version"], report)
            await self._tell(conn, job, model, report, "model.upload")
            await job.finish(conn, report)
        return report

    async def _store_package(
        self, job: JobContext, package: Package, known: EqualVersion, started: float, restored: int | None = None
    ) -> dict[str, Any]:
        """Store a version again that the model had before; nothing is read or meshed."""
        await job.report("store", FINISHED_SHARE)
        async with self._db.transaction() as conn:
            model = await models.get_model(conn, known.model_id)
            new = NewVersion(
                model_id=model.id,
                building_id=model.building_id,
                file_hash=known.file_hash,
                file_name=job.args.get("file_name") or known.file_name,
                extract=package.extract,
                geometry=package.geometry,
                placement=package,
                boxes=package.boxes,
                shapes=package.shapes,
                measures=package.measures,
                ends=package.ends,
                tiles=package.tiles,
                actor_name=job.created_by or SYSTEM.name,
                restored=restored,
                converter=known.converter,
                package=known.package,
                meshes=known.meshes,
            )
            return await self._store(conn, job, model, new, {}, started, reused=known.n)

    async def roll_back(self, job: JobContext) -> dict[str, Any]:
        """Show an earlier version again, as a new version; return its report (6.4.2a)."""
        started = time.perf_counter()
        async with self._db.connection() as conn:
            known = await get_kept_version(conn, UUID(job.args["model_id"]), job.args["version"])
        package = await self._load(known.package)
        if package is None:
            raise Conflict("model.version_not_kept", version=known.n)
        return await self._store_package(job, package, known, started, restored=known.n)

    async def _load(self, hash: str | None) -> Package | None:
        """A version's package; None where it is missing or damaged."""
        if hash is None:
            return None
        try:
            return await asyncio.to_thread(load_package, self._blobs.path(hash))
        except (OSError, ValueError) as error:
            log.warning("import.package_unreadable", blob=hash, reason=str(error))
            return None

    async def _known_tiles(self, job: JobContext) -> list[KnownTile]:
        """The tiles of the shown version."""
        async with self._db.connection() as conn:
            return await objects(
                conn,
                KnownTile,
                """SELECT t.key, t.part, t.hash, t.bytes AS size, t.elements, t.triangles, t.bbox
                   FROM tile t JOIN model m ON m.id = t.model_id AND m.current_version = t.version
                   WHERE m.id = %s AND t.key IS NOT NULL ORDER BY t.part""",
                (UUID(job.args["model_id"]),),
            )

    @asynccontextmanager
    async def _tiles(
        self, job: JobContext, preview: Preview, out: Path, tiles: Path
    ) -> AsyncIterator["asyncio.Task[Finished]"]:
        """Make the tiles in the finishing process while the caller does something else; ended with the caller."""
        known = [*await self._known_tiles(job), *await preview.known_tiles()]
        making = asyncio.create_task(self._make_tiles(job, preview, out, tiles, known))
        try:
            yield making
        finally:
            making.cancel()
            await asyncio.wait([making])

    async def _make_tiles(
        self, job: JobContext, preview: Preview, out: Path, tiles: Path, known: list[KnownTile]
    ) -> Finished:
        """Storeys are shown as their tiles are written."""
        work = asyncio.ensure_future(self._finisher.run(make_tiles, out, tiles, known))
        listener = Listener(tiles)
        try:
            while not work.done():
                await asyncio.wait([work], timeout=LISTEN_EVERY)
                said = listener.new()
                await preview.add((each.tile for each in said if each.tile is not None), tiles)
                if said and not work.done():
                    await self._report_tiles(job, preview, said[-1])
        finally:
            work.cancel()
            await asyncio.wait([work])
        return work.result()

    @staticmethod
    async def _report_tiles(job: JobContext, preview: Preview, said: Said) -> None:
        share = PLACED_SHARE + (FINISHED_SHARE - PLACED_SHARE) * said.done / max(said.total, 1)
        counted = {"done": said.done, "total": said.total, "bytes": job.args["bytes"]}
        await job.report(said.stage, share, **counted, storeys_shown=len(preview.storeys) or None)

    async def _show_early(self, preview: Preview, out: Path, meshed: "asyncio.Queue[Path | None]") -> None:
        """Show storeys whose meshes come before the others'; one that cannot be shown comes with the version."""
        while (folder := await meshed.get()) is not None:
            tiles = folder / "tiles"
            try:
                await preview.show(await self._finisher.run(finish_early, out, folder, tiles), tiles)
            except (OSError, TwinError) as error:
                log.warning("import.preview_failed", reason=str(error))

    def _keep(self, finished: Finished, kept: Mapping[str, Blob]) -> tuple[list[Blob], Blob]:
        new = [tile for tile in finished.tiles if not tile.is_stored and tile.hash not in kept]
        tiles = [self._blobs.put_file(tile.path, tile.content_type) for tile in new]
        return [*tiles, *kept.values()], self._blobs.put_file(finished.package, PACKAGE)

    async def _store(
        self,
        conn: Conn,
        job: JobContext,
        model: models.Model,
        new: NewVersion,
        seconds: dict[str, float],
        started: float,
        reused: int | None = None,
        complete: Callable[[], Awaitable[NewVersion]] | None = None,
    ) -> dict[str, Any]:
        before = time.perf_counter()
        tiles, geometry = new.tiles, new.geometry
        of_shapes: list[Finding] = []

        async def completed() -> NewVersion:
            """The rows are there: what follows from them is worked out while tiles may still be made."""
            nonlocal tiles, of_shapes
            if new.boxes is not None:
                of_shapes = await asyncio.to_thread(check_shapes, new.extract, geometry, new.boxes, new.shapes)
                new.extract.warnings.extend(await find_misalignment(conn, model.building_id, model.id, new.boxes))
            await place_building(conn, model.building_id)
            actor = Actor(job.created_by or SYSTEM.name)
            new.extract.warnings.extend(await make_points(conn, actor, model.building_id))
            whole = await complete() if complete is not None else new
            tiles = whole.tiles
            return whole

        stored = await store.store_version(conn, new, completed)
        now = time.perf_counter()
        report = build_report(
            model=model.name,
            extract=new.extract,
            geometry=geometry,
            tiles=tiles,
            stored=stored,
            seconds={"total": now - started, **seconds, "store": now - before},
            of_shapes=of_shapes,
        )
        report |= {"restored": new.restored} if new.restored is not None else {}
        report |= {"reused": reused} if reused is not None else {}
        await store.finish_version(conn, model.id, stored.version, report)
        await self._tell(conn, job, model, report, "model.upload" if new.restored is None else "model.rollback")
        await job.finish(conn, report)
        return report

    @staticmethod
    async def _tell(conn: Conn, job: JobContext, model: models.Model, report: dict[str, Any], action: str) -> None:
        """Say on record and to open viewers that another version is shown."""
        about = {"model": str(model.id), "name": model.name, "version": report["version"]}
        about |= {"restored": report["restored"]} if "restored" in report else {}
        await audit.record(conn, Actor(job.created_by or SYSTEM.name), action, f"model:{model.id}", after=about)
        await emit(conn, "model", about, building_id=model.building_id)


async def make_points(conn: Conn, actor: Actor, building_id: UUID) -> list[Finding]:
    """Make the points that the building's models describe; one that makes no sense is a finding, not the end."""
    found = Findings()
    try:
        async with conn.transaction():
            await seeding.points_from_elements(conn, actor, building_id)
    except Invalid as error:
        found.add("ifc.points_unclear", error.where, reason_en=error.text("en"), reason_zh=error.text("zh"))
    return found.list()


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Wait for the end of `work`; a cancellation meanwhile is obeyed afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _clear_left_over(work: Path, mine: str) -> None:
    """Remove folders of imports that were killed with their server: the last attempt at this one, and old ones."""
    for left in work.glob("import-*"):
        with contextlib.suppress(FileNotFoundError):
            if left.name.startswith(mine) or time.time() - left.stat().st_mtime > LEFT_OVER.total_seconds():
                _remove_folder(left)


def _remove_folder(folder: Path) -> None:
    """Remove a folder into which a process that is no longer wanted may still be writing."""
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)
