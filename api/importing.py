"""The import job: an IFC file becomes elements, rooms, points and tiles, in one transaction.

Sandboxed worker (read, mesh) → finishing process (place, tiles) → blobs → one transaction with the event. Until that
transaction commits, the building shows its previous version; if anything fails, it still does.
"""

import asyncio
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import orjson
import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.finishing import Finished, finish
from identity import audit
from identity.actor import CLI, SYSTEM, Actor
from ifc_models import models, store
from ifc_models.extract import Extract, Finding, load_geometry
from ifc_models.report import build_report
from ifc_models.store import NewVersion
from ifc_models.worker import WorkerPool
from telemetry import seeding
from twin import jobs, places
from twin.blobs import Blob, BlobStore, record_blob
from twin.db import Conn, Database
from twin.errors import Invalid
from twin.events import emit
from twin.jobs import JobContext
from twin.settings import Settings

log = structlog.get_logger()
IFC: Final = "application/x-step"
WORKER_SHARE: Final = 0.75  # of the progress bar: reading and meshing
FINISHED_SHARE: Final = 0.9
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


class Importer:
    """Runs import jobs. Holds warm processes, so the first import of a server is as fast as the second."""

    def __init__(self, db: Database, blobs: BlobStore, settings: Settings, workers: WorkerPool) -> None:
        self._db, self._blobs, self._settings, self._workers = db, blobs, settings, workers
        self._finisher: ProcessPoolExecutor | None = None
        self._work = settings.data / "work"

    def close(self) -> None:
        """End the finishing process."""
        if self._finisher:
            self._finisher.shutdown(wait=False, cancel_futures=True)

    async def run(self, job: JobContext) -> dict[str, Any]:
        """Import the file that the job names; return the report."""
        started = time.perf_counter()
        self._work.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="import-", dir=self._work))
        try:
            return await self._import(job, folder, started)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _import(self, job: JobContext, folder: Path, started: float) -> dict[str, Any]:
        out, tiles = folder / "extract", folder / "tiles"
        out.mkdir()
        tiles.mkdir()

        async def progress(stage: str, done: float) -> None:
            await job.report(STAGES.get(stage, stage), WORKER_SHARE * done)

        path = self._blobs.path(job.args["file_hash"])
        extract = await self._workers.run(path, out, file_name=job.args["file_name"], on_progress=progress)
        await job.report("place", WORKER_SHARE)
        finished = await self._finish(out, tiles)
        await job.report("store", FINISHED_SHARE)
        blobs = await asyncio.to_thread(self._keep, finished)
        async with self._db.transaction() as conn:
            for blob in blobs:
                await record_blob(conn, blob)
            report = await self._store(conn, job, extract, out, finished, started)
            await job.finish(conn, report)
        return report

    async def _finish(self, out: Path, tiles: Path) -> Finished:
        """Place and tile in the finishing process; one that died is replaced once."""
        for attempt in (1, 2):
            if self._finisher is None:
                self._finisher = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            try:
                return await asyncio.get_running_loop().run_in_executor(self._finisher, finish, out, tiles)
            except BrokenProcessPool:
                log.warning("import.finisher_died", attempt=attempt)
                self._finisher = None
        raise Invalid("import.finish_failed")

    def _keep(self, finished: Finished) -> list[Blob]:
        return [self._blobs.put_file(tile.path, tile.content_type) for tile in finished.tiles]

    async def _store(
        self, conn: Conn, job: JobContext, extract: Extract, out: Path, finished: Finished, started: float
    ) -> dict[str, Any]:
        model = await models.get_model(conn, UUID(job.args["model_id"]))
        geometry = load_geometry(out)
        before = time.perf_counter()
        stored = await store.store_version(
            conn,
            NewVersion(
                model_id=model.id,
                building_id=model.building_id,
                file_hash=job.args["file_hash"],
                file_name=job.args["file_name"],
                extract=extract,
                geometry=geometry,
                placement=finished.placement,
                boxes=finished.boxes,
                shapes=finished.shapes,
                tiles=finished.tiles,
                actor_name=job.created_by or SYSTEM.name,
            ),
        )
        actor = Actor(job.created_by or SYSTEM.name)
        await self._make_points(conn, actor, model.building_id, extract)
        now = time.perf_counter()
        report = build_report(
            model=model.name,
            extract=extract,
            geometry=geometry,
            boxes=finished.boxes,
            shapes=finished.shapes,
            tiles=finished.tiles,
            stored=stored,
            seconds={"total": now - started, **extract.seconds, **finished.seconds, "store": now - before},
        )
        await store.finish_version(conn, model.id, stored.version, report)
        about = {"model": str(model.id), "name": model.name, "version": stored.version}
        await audit.record(conn, actor, "model.upload", f"model:{model.id}", after=about)
        await emit(conn, "model", about, building_id=model.building_id)
        return report

    @staticmethod
    async def _make_points(conn: Conn, actor: Actor, building_id: UUID, extract: Extract) -> None:
        """Make the points that the file describes; descriptions that make no sense are a warning, not the end."""
        try:
            async with conn.transaction():
                await seeding.points_from_elements(conn, actor, building_id)
        except Invalid as error:
            extract.warnings.append(Finding(error.code, str(error), where=(error.where,) if error.where else ()))


async def import_files(
    settings: Settings, files: Sequence[Path], building: str, model: str | None, discipline: str, *, as_json: bool
) -> None:
    """Import files one after the other and print what came of each; the first that fails ends it."""
    from api.app import open_twin  # the application needs this module

    async with open_twin(settings, serving=False) as twin:
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings))
        try:
            for file in files:
                blob = await asyncio.to_thread(_keep_file, twin.blobs, file)
                async with twin.db.transaction() as conn:
                    place = await places.find_building(conn, building) or await places.create_building(conn, building)
                    job_id = await ask_for_import(conn, place, model or file.stem, discipline, blob, file.name, CLI)
                _print_report(await _watch(twin.db, job_id, file.name), as_json=as_json)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


def _keep_file(blobs: BlobStore, file: Path) -> Blob:
    try:
        return blobs.put_file(file, IFC)
    except OSError as error:
        raise Invalid("import.unreadable", where=str(file), reason=error.strerror) from error


async def _watch(db: Database, job_id: UUID, name: str) -> dict[str, Any]:
    """Follow a job to its end, with a bar on a terminal; return its report or raise what went wrong."""
    columns = TextColumn("{task.fields[name]}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.description}")
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("waiting", total=1.0, name=name)
        last: jobs.Job | None = None
        async for last in jobs.follow_job(db, job_id):
            bar.update(shown, completed=last.progress, description=last.stage or last.state)
    assert last is not None
    if last.state != "done" or last.result is None:
        error = last.error or {"code": "import.cancelled"}
        raise Invalid(error["code"], where=error.get("where"), **error.get("params", {}))
    return last.result


def _print_report(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(report).decode())
        return
    click.echo(
        f"{report['model']} version {report['version']} ({report['schema']}): {report['elements']} elements, "
        f"{report['storeys']} storeys, {report['spaces']} rooms, {report['with_geometry']} with geometry, "
        f"{len(report['degraded'])} degraded, {len(report['without_geometry'])} without, "
        f"{report['tiles']} tiles of {report['tile_bytes'] / 1e6:.2f} MB, {report['seconds']['total']:.2f} s"
    )
    for warning in report["warnings"]:
        click.echo(f"  {warning['severity']}: {warning['message']} [{warning['code']}]", err=True)
