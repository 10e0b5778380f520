"""From an IFC file to triangles: the mesh arrays of docs/architecture.md, and how each element got there.

A ladder of kernels, each answer checked (`mesh_rungs`): `ifclite` for all at once, `occ` for what that lost, a
bounding `box`, and `lost` with a reason. Products that share a body are meshed once (`mesh_plan`); equal meshes of
different bodies are found afterwards. Everything is keyed by STEP id, so that meshing and reading can run side by side.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ifcopenshell
import numpy as np

from ifc_models.mesh_plan import Plan, Product, plan
from ifc_models.mesh_rungs import PRECISE, Failure, Mesh, Quality, box, exact, fast
from ifc_models.mesh_shapes import ShapeStore


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshLimits:
    """What meshing one model may cost."""

    seconds: float = 600.0  # for all of it
    exact_seconds: float = 120.0  # for all that only the exact kernel can do; then a rougher mesh or a box stands in
    element_seconds: float = 20.0  # for one element in the exact kernel
    element_triangles: int = 400_000  # a heavier element is coarsened
    model_triangles: int = 8_000_000  # shown at once, every instance counted; heavier models are coarsened
    quality: Quality = "medium"  # of curved surfaces


@dataclass(slots=True)
class MeshResult:
    """How each product with a body got its mesh, by STEP id.

    `rung` is `ifclite`, `occ`, `box` or `lost`; `note` says what is less than the file says. Products without a body
    representation are in neither.
    """

    rung: dict[int, str] = field(default_factory=dict)
    note: dict[int, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # per stage
    triangles: int = 0  # every instance counted


def mesh_model(
    path: Path,
    file: ifcopenshell.file | None,
    out: Path,
    *,
    only: set[int] | None = None,
    unsafe: Mapping[int, str] | None = None,
    limits: MeshLimits | None = None,
    report: Callable[[int, int], None] | None = None,
) -> MeshResult:
    """Mesh the products of the STEP file at `path` and write the arrays into `out`.

    `file` is the same file opened (opened here if None). `only` restricts it to these STEP ids; `unsafe` names
    products that no kernel may touch, with the reason. Writes the arrays of `ifc_models.extract.MeshArrays`, but
    `instance_step_id` (u32) instead of `instance_element`. `report(done, total)` counts products.
    """
    limits = limits or MeshLimits()
    clock = _Clock()
    file = file if file is not None else ifcopenshell.open(str(path))
    clock.stage("open")
    wanted = plan(file, only)
    matrices = wanted.frames.matrices()
    clock.stage("plan")
    result = MeshResult()
    out.mkdir(parents=True, exist_ok=True)
    ladder = _Ladder(path, file, wanted, limits, dict(unsafe or {}), result, report or _silent)
    meshes = ladder.climb(out, clock)
    store = ShapeStore()
    for group in wanted.groups:
        store.add_group(group, meshes, matrices)
    clock.stage("shapes")
    for step_id, note in store.coarsen(limits.element_triangles, limits.model_triangles):
        result.note[step_id] = note
    store.save(out)
    result.triangles = store.shown_triangles()
    clock.stage("write")
    result.seconds = clock.seconds
    return result


def _silent(_done: int, _total: int) -> None:
    """Report to nobody."""


class _Clock:
    """Seconds per stage; `stage` closes the one that just ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


class _Ladder:
    """Takes each group's first product up the rungs until one gives a mesh."""

    def __init__(
        self,
        path: Path,
        file: ifcopenshell.file,
        wanted: Plan,
        limits: MeshLimits,
        unsafe: dict[int, str],
        result: MeshResult,
        report: Callable[[int, int], None],
    ) -> None:
        self._path, self._file, self._plan, self._limits = path, file, wanted, limits
        self._unsafe, self._result, self._report = unsafe, result, report
        self._members = {group[0].step_id: group for group in wanted.groups}
        self._total = sum(len(group) for group in wanted.groups)
        self._end = time.monotonic() + limits.seconds
        self._rough: dict[int, float] = {}  # meshes there are, but not precise: m

    def climb(self, out: Path, clock: _Clock) -> dict[int, Mesh]:
        """Meshes by STEP id of each group's first product, and by the ids of its parts."""
        scratch = Path(tempfile.mkdtemp(prefix="mesh-", dir=out))
        try:
            found, left = self._fast(scratch)
            clock.stage("ifclite")
            left = self._exact(found, left)
            clock.stage("occ")
            self._box(found, left)
            clock.stage("box")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._report(self._total, self._total)
        return found

    def _leaders(self) -> list[Product]:
        return [group[0] for group in self._plan.groups]

    def _fast(self, scratch: Path) -> tuple[dict[int, Mesh], list[Product]]:
        asked = [p for p in self._leaders() if not p.exact and not self._is_unsafe(p)]
        ids = [part.kernel_id for product in asked for part in product.parts]
        share = self._total / max(len(ids), 1)

        def ask(ids: list[int], progress: Callable[[int], None] | None = None) -> dict[int, Mesh]:
            return fast(
                self._path,
                self._plan.added_text,
                ids,
                scratch,
                seconds=self._end - time.monotonic(),
                quality=self._limits.quality,
                report=progress,
            )

        found = ask(ids, lambda done: self._report(min(self._total, round(done * share)), self._total))
        # A part may be missing because an opening takes all of it or because the kernel failed: ask for the whole.
        torn = [p for p in asked if len(p.parts) > 1 and any(part.kernel_id not in found for part in p.parts)]
        if torn:
            found.update(ask([p.step_id for p in torn]))
        for product in torn:
            self._mend(product, found)
        missing = []
        for product in asked:
            if not all(part.kernel_id in found for part in product.parts):
                missing.append(product)
            elif (error := max(found[part.kernel_id].error for part in product.parts)) > PRECISE:
                self._rough[product.step_id] = error
                missing.append(product)
            else:
                self._note(product, "ifclite", None)
        return found, missing + [p for p in self._leaders() if p.exact or self._is_unsafe(p)]

    def _mend(self, product: Product, found: dict[int, Mesh]) -> None:
        """Keep the parts that are there if together they are as big as the whole; else the whole in one colour."""
        there = [part for part in product.parts if part.kernel_id in found]
        whole = found.get(product.step_id)
        if whole is None:
            return
        if there:
            low = np.min([found[part.kernel_id].vertices.min(axis=0) for part in there], axis=0)
            high = np.max([found[part.kernel_id].vertices.max(axis=0) for part in there], axis=0)
            same = np.abs(low - whole.vertices.min(axis=0)).max() < 1e-3
            if same and np.abs(high - whole.vertices.max(axis=0)).max() < 1e-3:
                product.parts[:] = there
                return
        product.parts[0].kernel_id = product.step_id
        del product.parts[1:]

    def _exact(self, found: dict[int, Mesh], left: list[Product]) -> list[Product]:
        safe = {p.step_id: p for p in left if not self._is_unsafe(p)}
        failed = [p for p in left if self._is_unsafe(p)]  # straight to the box
        answers = exact(
            self._file,
            list(safe),
            seconds=min(self._limits.exact_seconds, self._end - time.monotonic()),
            element_seconds=self._limits.element_seconds,
        )
        for step_id, answer, note in answers:
            product = safe[step_id]
            if isinstance(answer, Mesh):
                self._accept(product, answer, found)
                self._note(product, "occ", note)
            elif answer.final:
                self._note(product, "lost", answer.reason)
            else:
                self._unsafe.setdefault(step_id, answer.reason)  # kept as the reason, should the box fail too
                failed.append(product)
        return failed

    def _box(self, found: dict[int, Mesh], left: list[Product]) -> None:
        for product in left:
            if (error := self._rough.get(product.step_id)) is not None:  # better than a box
                self._note(product, "ifclite", f"far from the origin: placed to within {error:.2g} m only")
                continue
            reason = self._unsafe.get(product.step_id, "the kernels found no surface")
            try:
                answer = box(self._file, product.step_id)
            except (ArithmeticError, AttributeError, RuntimeError, TypeError, ValueError) as error:
                answer = Failure(f"{type(error).__name__}: {error}"[:200])
            if isinstance(answer, Mesh):
                self._accept(product, answer, found)
                self._note(product, "box", f"a box stands in: {reason}")
            else:
                self._note(product, "lost", f"{reason}; {answer.reason}" if reason != answer.reason else reason)

    def _accept(self, product: Product, mesh: Mesh, found: dict[int, Mesh]) -> None:
        found[product.step_id] = mesh
        product.parts[0].kernel_id = product.step_id
        del product.parts[1:]

    def _is_unsafe(self, product: Product) -> bool:
        return product.step_id in self._unsafe

    def _note(self, product: Product, rung: str, note: str | None) -> None:
        for member in self._members[product.step_id]:
            self._result.rung[member.step_id] = rung
            if note is not None:
                self._result.note[member.step_id] = note
