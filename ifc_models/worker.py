"""Files are read in processes of their own, which may crash, hang or run out of memory without hurting the server.

`WorkerPool` has them forked from a process that has imported everything already (`ifc_models.worker_nursery`); each
serves one task on one file inside its sandbox and ends. Reading and meshing are two tasks and run side by side: when
meshing dies, what was read is on disk, and the products are meshed again in parts until the culprit is alone.

One process's two ends: `ifc_models.worker_process` here, `ifc_models.worker_main` there.
"""

import asyncio
import contextlib
import inspect
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from ifc_models.extract import Extract, load_extract
from ifc_models.mesh_parts import Parts, merge_result
from ifc_models.protocol import Line, Request, Task
from ifc_models.sandbox import WorkerLimits
from ifc_models.worker_process import Nursery, Worker, WorkerDied
from twin.errors import Invalid, TwinError


@dataclass(frozen=True, slots=True)
class Step:
    """How far a task is: `progress` 0…1 of its stage, and where the stage counts something, how many of how many."""

    stage: str
    progress: float
    done: int | None = None
    total: int | None = None


Progress = Callable[[Step], Awaitable[None] | None]
Preview = Callable[[Path], None]
"""Is told a folder of mesh arrays (`instance_step_id` for `instance_element`) with storeys that are complete."""

log = structlog.get_logger()
MESH_SHARE: Final = 0.7  # of the wall clock is the ladder's; then boxes stand in
PATIENCE: Final = 0.75  # of the wall clock until a mesher that has not answered is ended, and its parts tried
LAST_SHARE: Final = 0.1  # of the wall clock, kept for giving boxes to what could not be meshed
_OPENINGS: Final = "IfcFeatureElementSubtraction"


async def run_worker(
    path: Path, out: Path, *, limits: WorkerLimits | None = None, on_progress: Progress | None = None
) -> Extract:
    """Read and mesh one file in processes started for it; see `WorkerPool.run`."""
    async with WorkerPool(limits=limits) as pool:
        return await pool.run(path, out, on_progress=on_progress)


class WorkerPool:
    """Worker processes at short notice. `async with WorkerPool() as pool: extract = await pool.run(path, out)`."""

    patience = PATIENCE
    preview_groups = 3000  # different bodies from which on two calls of the fast kernel are worth the wait

    def __init__(self, *, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self._nursery = Nursery() if Nursery.is_possible() else None
        self.peak_bytes = 0  # resident memory of the hungriest process so far, by its own account

    async def __aenter__(self) -> "WorkerPool":
        if self._nursery is not None:
            await self._nursery.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def warm(self) -> None:
        """Wait until workers start at once."""
        if self._nursery is not None:
            await self._nursery.ready()

    async def close(self) -> None:
        """End all processes."""
        if self._nursery is not None:
            await self._nursery.close()

    async def run(
        self,
        path: Path,
        out: Path,
        *,
        file_name: str | None = None,
        limits: WorkerLimits | None = None,
        inputs: Mapping[str, Path] | None = None,
        on_progress: Progress | None = None,
        on_preview: Preview | None = None,
    ) -> Extract:
        """Read and mesh the file at `path` into the folder `out`; the extract, its elements in file order.

        `file_name` is what users call the file (default: its name); `inputs` name an earlier version's files whose
        meshes may be used again (`ifc_models.mesh_reuse`). `on_preview` is called when the file has been read and
        storeys of a big model are meshed, while others still are not. Raises TwinError (`ifc.…`) for a file that cannot
        be used, or that took too long, too much memory, or killed its reader.
        """
        limits = limits or self.limits
        await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
        show = _Shown(on_progress, out, on_preview)
        job = _Job(path, file_name or path.name, out, limits, show)
        job.inputs = {name: str(each.resolve()) for name, each in (inputs or {}).items()}
        end = asyncio.get_running_loop().time() + limits.seconds
        meshing = asyncio.create_task(self._patient_mesh(job, self.patience * limits.seconds))
        try:
            async with asyncio.timeout(limits.seconds):
                await self._task("read", job)
                await show.read_done()
                failure = await _outcome(meshing)
                if failure is not None:
                    await self._mesh_in_parts(job, failure, end)
        except WorkerDied as died:
            raise _too_much(died, limits, show.stage) from died
        except TimeoutError:
            raise Invalid("ifc.worker_timeout", where=job.file_name, seconds=limits.seconds, stage=show.stage) from None
        finally:
            await _cancel(meshing)
        return await asyncio.to_thread(merge_result, out)

    async def check(self, path: Path, *, file_name: str | None = None, limits: WorkerLimits | None = None) -> Extract:
        """Read the file without meshing it, every check made."""
        with tempfile.TemporaryDirectory(prefix="twin-check-") as folder:
            await self.do("check", path, Path(folder), file_name=file_name, limits=limits)
            return await asyncio.to_thread(load_extract, Path(folder))

    async def do(
        self,
        task: Task,
        path: Path,
        out: Path,
        *,
        file_name: str | None = None,
        inputs: Mapping[str, Path] | None = None,
        input_names: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        limits: WorkerLimits | None = None,
        on_progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Do one task on one file in one sandboxed process, which writes into the folder `out`; return its answer.

        `inputs` are further files that it may read, `input_names` what users call them. Raises TwinError as `run` does.
        """
        limits = limits or self.limits
        job = _Job(path, file_name or path.name, out, limits, _Shown(on_progress, out))
        job.inputs = {name: str(each.resolve()) for name, each in (inputs or {}).items()}
        job.input_names, job.options = dict(input_names or {}), dict(options or {})
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._task(task, job)
        except WorkerDied as died:
            raise _too_much(died, limits, job.show.stage) from died
        except TimeoutError:
            raise Invalid(
                "ifc.worker_timeout", where=job.file_name, seconds=limits.seconds, stage=job.show.stage
            ) from None

    async def _task(
        self,
        task: Task,
        job: "_Job",
        out: Path | None = None,
        only: list[int] | None = None,
        unsafe: dict[int, str] | None = None,
    ) -> dict[str, Any]:
        request = Request(
            task=task,
            path=str(job.path.resolve()),
            file_name=job.file_name,
            out=str((out or job.out).resolve()),
            limits=job.limits,
            mesh_seconds=job.limits.seconds * MESH_SHARE,
            only=only,
            unsafe=list((unsafe or {}).items()),
            preview=self.preview_groups if job.show.wants_preview and only is None else None,
            inputs=job.inputs,
            options=job.options,
        )
        async with self._worker() as worker:
            try:
                return await worker.ask(request, job.show)
            except TwinError as error:
                error.where = job.called(error.where)
                raise
            finally:
                self.peak_bytes = max(self.peak_bytes, worker.peak_bytes)

    async def _patient_mesh(
        self,
        job: "_Job",
        seconds: float,
        out: Path | None = None,
        only: list[int] | None = None,
        unsafe: dict[int, str] | None = None,
    ) -> dict[str, Any]:
        """Mesh; a mesher that does not answer within `seconds` counts as dead."""
        try:
            async with asyncio.timeout(seconds):
                return await self._task("mesh", job, out, only, unsafe)
        except TimeoutError:
            raise WorkerDied(f"no answer within {seconds:.0f} s", time=True) from None

    async def _mesh_in_parts(self, job: "_Job", failure: WorkerDied, end: float) -> None:
        """Mesh in fresh processes, halving what fails until the product that kills its process is alone.

        `end` (of the loop's clock) bounds it: what is then not meshed, and every culprit, gets a box.
        """
        log.warning("mesh_worker_died", file=job.file_name, reason=failure.reason)
        extract = await asyncio.to_thread(load_extract, job.out)
        cut = {name for name, chain in extract.class_ancestors.items() if _OPENINGS in chain}
        bodies = [e.step_id for e in extract.elements if e.has_body and e.ifc_class not in cut]
        parts = Parts(bodies, failure.reason)
        now = asyncio.get_running_loop().time
        last = LAST_SHARE * job.limits.seconds
        while (part := parts.next(give_up=end - now() < 2 * last)) is not None:
            folder = job.out / f"part-{part.number}"
            folder.mkdir()
            try:
                # A part may take half of what is left, so that one that hangs leaves time for the others.
                seconds = min((end - now() - last) / 2, self.patience * job.limits.seconds)
                await self._patient_mesh(job, max(seconds, 0.1), folder, part.step_ids)
            except WorkerDied as died:
                parts.failed(part, died.reason)
            else:
                parts.done(folder)
        if parts.lost:
            await self._box(job, parts, max((end - now()) / 2, 0.1))
        await asyncio.to_thread(parts.join, job.out)

    async def _box(self, job: "_Job", parts: Parts, seconds: float) -> None:
        """Boxes for what killed the mesher: no kernel is asked for these."""
        folder = job.out / "part-boxes"
        folder.mkdir()
        try:
            await self._patient_mesh(job, seconds, folder, list(parts.lost), parts.lost)
        except WorkerDied as died:
            log.warning("mesh_boxes_failed", file=job.file_name, reason=died.reason)
        else:
            parts.boxed(folder)

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        """A worker for one task; it is ended afterwards whatever happened."""
        worker = await (self._nursery.start() if self._nursery is not None else Worker.start())
        try:
            yield worker
        finally:
            await worker.end()


class _Job:
    """One file on its way."""

    def __init__(self, path: Path, file_name: str, out: Path, limits: WorkerLimits, show: "_Shown") -> None:
        self.path, self.file_name, self.out, self.limits, self.show = path, file_name, out, limits, show
        self.inputs: dict[str, str] = {}
        self.input_names: Mapping[str, str] = {}
        self.options: dict[str, Any] = {}

    def called(self, where: str | None) -> str | None:
        """A place as users know it: a stored file has another name than the one they gave it."""
        if where is None:
            return None
        known = {self.path.name: self.file_name}
        known |= {Path(self.inputs[key]).name: name for key, name in self.input_names.items()}
        for stored, name in known.items():
            where = where.replace(stored, name)
        return where


class _Shown:
    """Progress of two tasks as one: reading until it is done, then meshing."""

    def __init__(self, on_progress: Progress | None, out: Path, on_preview: Preview | None = None) -> None:
        self._on_progress, self._on_preview, self._out = on_progress, on_preview, out
        self._early: list[str] = []  # previews of a file that is still being read
        self._reading = True
        self._meshed = Step("meshing", 0.0)
        self.stage = "checking"

    @property
    def wants_preview(self) -> bool:
        return self._on_preview is not None

    async def read_done(self) -> None:
        """Reading is over: what was said of meshing meanwhile counts from now on."""
        self._reading = False
        self.stage = "meshing"
        await self._tell(self._meshed)
        for folder in self._early:
            self._preview(folder)
        self._early.clear()

    def _preview(self, folder: str) -> None:
        if self._reading:
            self._early.append(folder)
        elif self._on_preview is not None:
            self._on_preview(self._out / folder)

    async def __call__(self, task: Task, line: Line) -> None:
        if line.preview is not None:
            self._preview(line.preview)
        if line.stage is None:
            return
        step = Step(line.stage, line.progress, *(line.counted or (None, None)))
        if task == "mesh":
            if step.stage == "meshing" and step.progress >= self._meshed.progress:
                self._meshed = step
            if self._reading:
                return
            step = self._meshed
        self.stage = step.stage
        await self._tell(step)

    async def _tell(self, step: Step) -> None:
        if self._on_progress is not None:
            answer = self._on_progress(step)
            if inspect.isawaitable(answer):
                await answer


def _too_much(died: WorkerDied, limits: WorkerLimits, stage: str) -> TwinError:
    if died.memory:
        return Invalid("ifc.worker_memory", megabytes=limits.memory >> 20, stage=stage)
    if died.time:
        return Invalid("ifc.worker_timeout", seconds=limits.cpu_seconds, stage=stage)
    return Invalid("ifc.worker_crashed", reason=died.reason, stage=stage)


async def _outcome(meshing: "asyncio.Task[dict[str, Any]]") -> WorkerDied | None:
    """None when meshing went well, the reason when its process died."""
    try:
        await meshing
    except WorkerDied as died:
        return died
    return None


async def _cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, WorkerDied, TwinError):
        await task
