"""The jobs beside the import: checking a version, and making files of it. All of it in sandboxed workers."""

import asyncio
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from api.checking import findings_of
from identity import audit
from identity.actor import SYSTEM, Actor
from ifc_models import checks, exports, models
from ifc_models.enrichment import Enrichment
from ifc_models.ids_result import load_result
from ifc_models.models import Version
from ifc_models.report import warning
from ifc_models.worker import Step, WorkerPool
from twin import jobs
from twin.blobs import Blob, BlobStore
from twin.db import Conn, Database
from twin.errors import Invalid
from twin.jobs import JobContext
from twin.settings import Settings

IFC: Final = "application/x-step"
COBIE_FORMATS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "csv": "application/zip",
}
KINDS: Final = (exports.IFC, *(f"{exports.COBIE}.{name}" for name in COBIE_FORMATS))


async def ask_for_check(
    conn: Conn, model: models.Model, version: Version, ids: tuple[Blob, str] | None, actor: Actor
) -> UUID:
    """Create the job that checks a version, in the caller's transaction; `ids`: the stored document and its name."""
    run = await checks.create_run(
        conn,
        model_id=model.id,
        version=version.version,
        building_id=model.building_id,
        ids=(ids[0].hash, ids[1]) if ids else None,
        actor_name=actor.name,
    )
    args = {"run": str(run), "model": model.name, "file_name": ids[1] if ids else version.file_name}
    job = await jobs.create_job(conn, "check", args, building_id=model.building_id, actor_name=actor.name)
    await conn.execute("UPDATE check_run SET job_id = %s WHERE id = %s", (job, run))
    return job


async def ask_for_export(conn: Conn, model: models.Model, version: Version, kind: str, actor: Actor) -> UUID:
    """Create the job that makes a file of a version. Raises Invalid for an unknown kind."""
    if kind not in KINDS:
        raise Invalid("export.format", where="kind", format=kind, known=", ".join(KINDS))
    args = {"model_id": str(model.id), "version": version.version, "kind": kind, "model": model.name}
    return await jobs.create_job(
        conn, "export", args | {"file_name": version.file_name}, building_id=model.building_id, actor_name=actor.name
    )


class OutAgain:
    """Runs check and export jobs with the importer's pool of warm workers."""

    def __init__(self, db: Database, blobs: BlobStore, settings: Settings, workers: WorkerPool) -> None:
        self._db, self._blobs, self._workers = db, blobs, workers
        self._work = settings.data / "work"

    def handlers(self) -> dict[str, jobs.Handler]:
        return {"check": self.check, "export": self.export}

    async def _folder(self) -> Path:
        def make() -> Path:
            self._work.mkdir(mode=0o700, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="out-", dir=self._work))

        return await asyncio.to_thread(make)

    async def check(self, job: JobContext) -> dict[str, Any]:
        """Check what the job's run names; return the run's id and how it came out."""
        run_id = UUID(job.args["run"])
        async with self._db.transaction() as conn:
            run = await checks.get_run(conn, run_id)
            version = await models.get_version(conn, run.model_id, run.version)
            ids_hash = await _ids_hash(conn, run_id)
        folder = await self._folder()
        try:
            return await self._check(job, run, version, ids_hash, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _check(
        self, job: JobContext, run: checks.CheckRun, version: Version, ids_hash: str | None, folder: Path
    ) -> dict[str, Any]:
        async def progress(step: Step) -> None:
            await job.report("check", step.progress, done=step.done, total=step.total)

        path = self._blobs.path(version.file_hash)
        if ids_hash is not None:
            document = {"ids": self._blobs.path(ids_hash)}
            names = {"ids": run.file_name} if run.file_name else {}
            await self._workers.do(
                "ids",
                path,
                folder,
                file_name=version.file_name,
                inputs=document,
                input_names=names,
                on_progress=progress,
            )
            result = await asyncio.to_thread(load_result, folder)
            async with self._db.transaction() as conn:
                await checks.finish_ids(conn, run.id, result)
                return await self._finish(conn, job, run)
        extract = await self._workers.run(path, folder, file_name=version.file_name, on_progress=progress)
        found = await asyncio.to_thread(findings_of, extract, folder)
        async with self._db.transaction() as conn:
            await checks.finish_findings(conn, run.id, [warning(each) for each in found])
            return await self._finish(conn, job, run)

    @staticmethod
    async def _finish(conn: Conn, job: JobContext, run: checks.CheckRun) -> dict[str, Any]:
        done = await checks.get_run(conn, run.id)
        answer = {"check": str(run.id), "kind": run.kind, "status": done.status, "summary": done.summary}
        actor = Actor(job.created_by or SYSTEM.name)
        about = {"check": str(run.id), "version": run.version, "status": done.status}
        await audit.record(conn, actor, "model.check", f"model:{run.model_id}", after=about)
        await job.finish(conn, answer)
        return answer

    async def export(self, job: JobContext) -> dict[str, Any]:
        """Make the file that the job names; return where it is."""
        model_id, n, kind = UUID(job.args["model_id"]), int(job.args["version"]), str(job.args["kind"])
        async with self._db.transaction() as conn:
            model = await models.get_model(conn, model_id)
            version = await models.get_version(conn, model_id, n)
            what = await exports.enrichment_of(conn, model_id, n)
        folder = await self._folder()
        try:
            blob, name, summary = await self._make(job, version, what, kind, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        async with self._db.transaction() as conn:
            actor = job.created_by or SYSTEM.name
            place = (model_id, n, model.building_id)
            await exports.store_export(
                conn, version=place, kind=kind, blob=blob, file_name=name, summary=summary, actor=actor
            )
            about = {"version": n, "kind": kind, "hash": blob.hash, "bytes": blob.bytes}
            await audit.record(conn, Actor(actor), "model.export", f"model:{model_id}", after=about)
            answer = {"kind": kind, "file_name": name, "bytes": blob.bytes, "href": href(model_id, n, kind), **summary}
            await job.finish(conn, answer)
        return answer

    async def _make(
        self, job: JobContext, version: Version, what: Enrichment, kind: str, folder: Path
    ) -> tuple[Blob, str, dict[str, Any]]:
        stem = Path(version.file_name).stem[:150] or "model"
        given = folder / "enrichment.msgpack"
        await asyncio.to_thread(given.write_bytes, msgspec.msgpack.encode(what))
        await job.report("enrich", 0.1)
        original = self._blobs.path(version.file_hash)
        summary = await self._workers.do(
            "enrich", original, folder, file_name=version.file_name, inputs={"enrichment": given}
        )
        enriched = folder / "enriched.ifc"
        if kind == exports.IFC:
            blob = await asyncio.to_thread(self._blobs.put_file, enriched, IFC)
            return blob, f"{stem}.enriched.ifc", summary
        await job.report("cobie", 0.5)
        suffix = kind.partition(".")[2]
        summary = await self._workers.do("cobie", enriched, folder, options={"format": suffix})
        made = await asyncio.to_thread(_pack_sheets, folder) if suffix == "csv" else folder / f"cobie.{suffix}"
        blob = await asyncio.to_thread(self._blobs.put_file, made, COBIE_FORMATS[suffix])
        return blob, f"{stem}.cobie.{'zip' if suffix == 'csv' else suffix}", summary


def href(model_id: UUID, version: int, kind: str) -> str:
    """Where the newest file of a kind is, under the API."""
    name = "enriched.ifc" if kind == exports.IFC else kind
    return f"/models/{model_id}/versions/{version}/{name}"


def _pack_sheets(folder: Path) -> Path:
    made = folder / "cobie.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in sorted(folder.glob("*.csv")):
            archive.write(sheet, sheet.name)
    return made


async def _ids_hash(conn: Conn, run_id: UUID) -> str | None:
    found = await (await conn.execute("SELECT ids_hash FROM check_run WHERE id = %s", (run_id,))).fetchone()
    return found["ids_hash"] if found else None
