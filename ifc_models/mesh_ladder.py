"""The ladder of kernels: each product with a body is taken up until one gives a mesh that can be believed.

`ifclite` for all at once and `manifold` beside it for extrusions cut by half spaces; `ifclite` again with a far-away
model moved near; `sweep` for sections along alignments; `manifold` for openings that were not cut well; `occ` for what
is left; a bounding `box`; `lost` with a reason.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ALL_OPENING
from ifc_models.mesh_box import box
from ifc_models.mesh_child import ChildFailed, stream_from_child
from ifc_models.mesh_clips import clipped, opened
from ifc_models.mesh_far import FAR, moved_near
from ifc_models.mesh_frames import Frames
from ifc_models.mesh_linear import Curves
from ifc_models.mesh_plan import UNREADABLE, Plan, Product, body_representations, voided
from ifc_models.mesh_preview import Previews
from ifc_models.mesh_rungs import PRECISE, SINGLE, Faces, Failure, Mesh, exact, fast, has_gaps, usable
from ifc_models.mesh_sweep import swept

Floats = NDArray[np.float64]
Quality = Literal["lowest", "low", "medium", "high", "highest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshLimits:
    """What meshing one model may cost."""

    seconds: float = 600.0  # for all of it
    exact_seconds: float = 120.0  # for all that only the exact kernel can do; then a rougher mesh or a box stands in
    rounder_seconds: float = 10.0  # for all whose curves the fast kernel draws coarsely; then they stay coarse
    element_seconds: float = 30.0  # for one element in the exact kernel
    element_triangles: int = 400_000  # a heavier element is coarsened
    model_triangles: int = 8_000_000  # shown at once, every instance counted; heavier models are coarsened
    quality: Quality = "medium"  # of curved surfaces
    preview_groups: int = 3000  # different bodies from which on storeys are handed over before all is meshed


@dataclass(slots=True)
class MeshResult:
    """How each product with a body got its mesh, by STEP id.

    `rung` is `ifclite`, `manifold`, `sweep`, `occ`, `box` or `lost`; `note` says what is less than the file says.
    Products without a body representation are in neither.
    """

    rung: dict[int, str] = field(default_factory=dict)
    note: dict[int, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # per stage
    triangles: int = 0  # every instance counted


class Clock:
    """Seconds per stage; `stage` closes the one that just ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        """Book the time since the last call on `name`."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


class Ladder:
    """Takes each group's first product up the rungs until one gives a mesh."""

    def __init__(
        self,
        path: Path,
        file: ifcopenshell.file,
        wanted: Plan,
        matrices: Floats,
        limits: MeshLimits,
        unsafe: dict[int, str],
        result: MeshResult,
        report: Callable[[int, int], None],
        previews: Previews | None = None,
    ) -> None:
        self._path, self._file, self._plan, self._limits = path, file, wanted, limits
        self._matrices, self._unsafe, self._result, self._report = matrices, unsafe, result, report
        self._members = {group[0].step_id: group for group in wanted.groups}
        self._total = sum(len(group) for group in wanted.groups)
        self._end = time.monotonic() + limits.seconds
        self._previews = previews
        self._rough: dict[int, str] = {}  # meshes there are, but not good ones: what they lack

    def climb(self, out: Path, clock: Clock) -> dict[int, Mesh]:
        """Meshes by STEP id of each group's first product, and by the ids of its parts."""
        scratch = Path(tempfile.mkdtemp(prefix="mesh-", dir=out))
        found: dict[int, Mesh] = {}
        try:
            with contextlib.closing(self._clips()) as clips:
                left = self._fast(found, [group[0] for group in self._plan.groups], scratch, out)
                clock.stage("ifclite")
                left = self._clipped(found, left, clips, scratch)
            clock.stage("manifold")
            left = self._near(found, left, scratch)
            clock.stage("near")
            left = self._sweep(found, left)
            clock.stage("sweep")
            left = self._opened(found, left)
            clock.stage("manifold")
            left = self._exact(found, left)
            clock.stage("occ")
            self._box(found, left)
            clock.stage("box")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for step_id, reason in self._plan.unplanned.items():
            self._result.rung[step_id], self._result.note[step_id] = "lost", reason
        self._report(self._total, self._total)
        return found

    # --- the fast kernel ------------------------------------------------------------------------------------------

    def _fast(
        self, found: dict[int, Mesh], leaders: list[Product], scratch: Path, out: Path | None = None
    ) -> list[Product]:
        asked = [p for p in leaders if self._is_for_fast(p)]
        found.update(self._ask([part.kernel_id for product in asked for part in product.parts], scratch, out=out))
        # A part may be missing because an opening takes all of it or because the kernel failed: ask for the whole.
        torn = [p for p in asked if p.apart < 0 and len(p.parts) > 1 and not self._whole(p, found)]
        if torn:
            found.update(self._ask([p.step_id for p in torn], scratch))
        for product in torn:
            self._mend(product, found)
        missing = []
        for product in asked:
            if not self._whole(product, found):
                missing.append(product)
                continue
            if product.apart >= 0:
                for part in product.parts:
                    found[part.kernel_id] = replace(found[part.kernel_id], matrix=self._matrices[product.apart])
            error = max(self._error(product, found[part.kernel_id]) for part in product.parts)
            if error > PRECISE:
                self._rough[product.step_id] = f"far from the origin: placed to within {error:.2g} m only"
                missing.append(product)
            elif product.bent:
                self._rough[product.step_id] = "its curved surfaces are drawn coarsely"
                missing.append(product)
            elif product.closed and self._gapes(product, found):
                self._rough[product.step_id] = "its surface has gaps where it was cut"
                missing.append(product)
            else:
                self._note(product, "ifclite", None)
        return missing + [p for p in leaders if not self._is_for_fast(p)]

    def _is_for_fast(self, product: Product) -> bool:
        return not (product.exact or product.swept or product.clipped or self._is_unsafe(product))

    def _ask(
        self,
        ids: list[int],
        scratch: Path,
        path: Path | None = None,
        origin: Floats | None = None,
        out: Path | None = None,
    ) -> dict[int, Mesh]:
        share = self._total / max(len(ids), 1)
        first = path is None
        return fast(
            path or self._path,
            self._plan.added_text,
            ids,
            scratch,
            seconds=self._end - time.monotonic(),
            quality=self._limits.quality,
            report=lambda done: self._report(min(self._total, round(done * share)), self._total) if first else None,
            origin=origin,
            order=self._previews.order if self._previews is not None else None,
            on_found=partial(self._preview, out) if self._previews is not None and out is not None else None,
        )

    def _preview(self, out: Path, asked: Iterable[int], found: dict[int, Mesh]) -> None:
        assert self._previews is not None

        def good(product: Product) -> bool:
            return (
                self._is_for_fast(product)
                and not (product.bent or product.apart >= 0)
                and self._whole(product, found)
                and max(self._error(product, found[part.kernel_id]) for part in product.parts) <= PRECISE
                and not (product.closed and self._gapes(product, found))
            )

        self._previews.show(asked, found, good, out)

    @staticmethod
    def _whole(product: Product, found: dict[int, Mesh]) -> bool:
        return all(part.kernel_id in found for part in product.parts)

    @staticmethod
    def _gapes(product: Product, found: dict[int, Mesh]) -> bool:
        """Whether the whole body, all its colours together, is not closed."""
        meshes = [found[part.kernel_id] for part in product.parts]
        starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
        faces = [mesh.faces + np.uint32(start) for mesh, start in zip(meshes, starts, strict=False)]
        return has_gaps(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))

    def _error(self, product: Product, mesh: Mesh) -> float:
        """How far vertices may lie from where they should, m: bodies are in single precision before they are placed."""
        if product.frame < 0 or mesh.matrix is not None:
            return mesh.error
        reach = float(np.abs(mesh.vertices[0] - self._matrices[product.frame][:3, 3]).max())
        return max(mesh.error, reach * SINGLE)

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

    # --- extrusions cut by half spaces -------------------------------------------------------------------------------

    def _clips(self) -> Generator[tuple[int, tuple[Floats, Faces] | None], None, None]:
        """Meshes of what Manifold is for, in a child that works beside the fast kernel's."""
        asked = [p.step_id for p in (group[0] for group in self._plan.groups) if p.clipped and not self._is_unsafe(p)]
        if not asked:
            return self._cut([])
        return stream_from_child(lambda: self._cut(asked), seconds=self._end - time.monotonic())

    def _cut(self, step_ids: list[int]) -> Generator[tuple[int, tuple[Floats, Faces] | None], None, None]:
        for step_id in step_ids:
            (item,) = (item for r in body_representations(self._file.by_id(step_id)) for item in r[3])
            try:
                yield step_id, clipped(item, self._plan.frames.unit)
            except UNREADABLE:
                yield step_id, None

    def _clipped(
        self,
        found: dict[int, Mesh],
        left: list[Product],
        clips: Iterable[tuple[int, tuple[Floats, Faces] | None]],
        scratch: Path,
    ) -> list[Product]:
        """Take what Manifold has cut; the rest is the fast kernel's."""
        asked = {p.step_id: p for p in left if p.clipped and not self._is_unsafe(p)}
        try:
            for step_id, answer in clips:
                matrix = self._matrices[asked[step_id].frame]
                if answer is not None and usable(*answer) and np.isfinite(matrix).all():
                    product = asked.pop(step_id)
                    self._accept(product, Mesh(*answer, matrix=matrix), found)
                    self._note(product, "manifold", None)
        except ChildFailed:
            pass  # what it did not come to is the fast kernel's, too
        done = {p.step_id for p in left if p.clipped and not self._is_unsafe(p)} - set(asked)
        for product in asked.values():
            product.clipped = False
        again = self._fast(found, list(asked.values()), scratch) if asked else []
        return [p for p in left if p.step_id not in done and p.step_id not in asked] + again

    # --- the fast kernel, with the model moved near -----------------------------------------------------------------

    def _near(self, found: dict[int, Mesh], left: list[Product], scratch: Path) -> list[Product]:
        """Ask again for what single precision cannot hold, with the far-away points of the file near the origin."""
        again = [p for p in left if self._is_for_fast(p) and p.apart < 0]
        far = any(self._error(p, found[p.parts[0].kernel_id]) > PRECISE for p in again if p.step_id in self._rough)
        # Far away, thin bodies collapse to nothing: then most of a model is missing.
        collapsed = 2 * len(again) > len(self._plan.groups) and self._has_far_numbers()
        if not (far or collapsed):
            return left
        moved = moved_near(self._path.read_bytes(), self._plan.frames.unit)
        if moved is None:
            return left
        path = scratch / "near.ifc"
        path.write_bytes(moved.text)
        ids = [part.kernel_id for product in again for part in product.parts]
        meshes = self._ask(ids, scratch, path, moved.origin)
        accepted: set[int] = set()
        for product in again:
            if self._whole(product, meshes) and all(
                self._is_believable(product, meshes[part.kernel_id], found.get(part.kernel_id))
                for part in product.parts
            ):
                found.update((part.kernel_id, meshes[part.kernel_id]) for part in product.parts)
                self._rough.pop(product.step_id, None)
                self._note(product, "ifclite", None)
                accepted.add(product.step_id)
        return [p for p in left if p.step_id not in accepted]

    def _has_far_numbers(self) -> bool:
        digits = len(str(int(FAR / self._plan.frames.unit)))
        return re.search(rb"[(,]\s*-?\d{%d,}\." % digits, self._path.read_bytes()) is not None

    def _is_believable(self, product: Product, mesh: Mesh, rough: Mesh | None) -> bool:
        """Whether a mesh made near the origin lies where the rough one does, or where the body's points do."""
        if mesh.error > PRECISE:
            return False
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        if rough is not None:
            room = 8 * max(self._error(product, rough), SINGLE * float(np.abs(rough.vertices[0]).max())) + 0.01
            off = np.abs(np.array([low - rough.vertices.min(axis=0), high - rough.vertices.max(axis=0)]))
            return bool(off.max() < room)
        answer = box(self._file, product.step_id, self._plan.frames.linear)
        if isinstance(answer, Failure):
            return False
        room = 1.0 + 0.05 * float((high - low).max())
        return bool(
            (low > answer.vertices.min(axis=0) - room).all() and (high < answer.vertices.max(axis=0) + room).all()
        )

    # --- sections along alignments -----------------------------------------------------------------------------------

    def _sweep(self, found: dict[int, Mesh], left: list[Product]) -> list[Product]:
        asked = {p.step_id: p for p in left if p.swept and not self._is_unsafe(p)}
        if not asked:
            return left
        done: set[int] = set()
        try:
            seconds = min(self._limits.exact_seconds, self._end - time.monotonic())
            for step_id, mesh in stream_from_child(lambda: self._swept(list(asked.values())), seconds=seconds):
                if mesh is not None:
                    self._accept(asked[step_id], mesh, found)
                    self._note(asked[step_id], "sweep", None)
                    done.add(step_id)
        except ChildFailed:
            pass  # what it did not come to is the exact kernel's
        return [p for p in left if p.step_id not in done]

    def _swept(self, products: list[Product]) -> Iterator[tuple[int, Mesh | None]]:
        curves = Curves(self._plan.frames.unit)
        for product in products:
            representations = body_representations(self._file.by_id(product.step_id))
            try:
                answer = swept([item for r in representations for item in r[3]], curves)
            except UNREADABLE:
                answer = None
            matrix = self._matrices[product.frame]
            believable = answer is not None and usable(*answer) and np.isfinite(matrix).all()
            yield product.step_id, Mesh(*answer, matrix=matrix) if answer is not None and believable else None

    # --- openings that the fast kernel could not cut, or left with gaps --------------------------------------------

    def _opened(self, found: dict[int, Mesh], left: list[Product]) -> list[Product]:
        """Take what Manifold has cut. That nothing is left of a body is told if the fast kernel found nothing, too."""
        asked = {p.step_id: p for p in left if self._is_for_opening(p)}
        if not asked:
            return left
        done: set[int] = set()
        try:
            seconds = min(self._limits.exact_seconds, self._end - time.monotonic())
            for step_id, answer in stream_from_child(lambda: self._open(list(asked.values())), seconds=seconds):
                product = asked[step_id]
                matrix = self._matrices[product.frame]
                if answer is not None and len(answer[1]) == 0 and step_id not in self._rough:
                    self._note(product, "lost", ALL_OPENING)
                    done.add(step_id)
                elif answer is not None and usable(*answer) and np.isfinite(matrix).all():
                    self._accept(product, Mesh(answer[0], answer[1], matrix=matrix), found)
                    self._note(product, "manifold", None)
                    done.add(step_id)
        except ChildFailed:
            pass  # what it did not come to is the exact kernel's
        return [p for p in left if p.step_id not in done]

    def _is_for_opening(self, product: Product) -> bool:
        whole = product.closed and product.frame >= 0 and len(product.parts) == 1
        return whole and not (product.exact or product.bent or self._is_unsafe(product))

    def _open(self, products: list[Product]) -> Iterator[tuple[int, tuple[Floats, Faces] | None]]:
        frames = Frames(self._file, self._plan.frames.linear)
        of = voided(self._file)
        rows = {i: frames.add(self._file.by_id(i)[5], None) for p in products for i in of[p.step_id]}
        matrices = frames.matrices()
        for product in products:
            items = [item for r in body_representations(self._file.by_id(product.step_id)) for item in r[3]]
            try:
                to_frame = np.linalg.inv(self._matrices[product.frame])
                holes = [
                    (item, to_frame @ matrices[rows[i]])
                    for i in of[product.step_id]
                    for r in body_representations(self._file.by_id(i))
                    for item in r[3]
                ]
                plain = len(items) == 1 and min(rows[i] for i in of[product.step_id]) >= 0
                yield product.step_id, opened(items[0], holes, self._plan.frames.unit) if plain else None
            except (*UNREADABLE, np.linalg.LinAlgError):
                yield product.step_id, None

    # --- the exact kernel, and boxes ---------------------------------------------------------------------------------

    def _exact(self, found: dict[int, Mesh], left: list[Product]) -> list[Product]:
        """The exact kernel; last, and for a short time only, what merely could be rounder."""
        failed = [p for p in left if self._is_unsafe(p)]  # straight to the box
        needy = [p for p in left if not self._is_unsafe(p) and not (p.bent and p.step_id in self._rough)]
        rounder = [p for p in left if not self._is_unsafe(p) and p.bent and p.step_id in self._rough]
        for products, most in ((needy, self._limits.exact_seconds), (rounder, self._limits.rounder_seconds)):
            failed += self._exactly(found, products, min(most, self._end - time.monotonic()))
        return failed

    def _exactly(self, found: dict[int, Mesh], products: list[Product], seconds: float) -> list[Product]:
        asked = {p.step_id: p for p in products}
        failed = []
        answers = exact(self._file, list(asked), seconds=seconds, element_seconds=self._limits.element_seconds)
        for step_id, answer, note in answers:
            product = asked[step_id]
            if isinstance(answer, Mesh):
                self._accept(product, answer, found)
                self._note(product, "occ", note)
            elif answer.final and step_id not in self._rough:
                self._note(product, "lost", answer.reason)
            else:
                self._unsafe.setdefault(step_id, answer.reason)  # kept as the reason, should the box fail too
                failed.append(product)
        return failed

    def _box(self, found: dict[int, Mesh], left: list[Product]) -> None:
        for product in left:
            if (lack := self._rough.get(product.step_id)) is not None:  # better than a box
                self._note(product, "ifclite", lack)
                continue
            reason = self._unsafe.get(product.step_id, "the kernels found no surface")
            try:
                answer = box(self._file, product.step_id, self._plan.frames.linear)
            except UNREADABLE as error:
                answer = Failure(f"{type(error).__name__}: {error}"[:200])
            if isinstance(answer, Mesh):
                self._accept(product, answer, found)
                self._note(product, "box", f"a box stands in: {reason}")
            else:
                known = answer.final or reason == answer.reason
                self._note(product, "lost", answer.reason if known else f"{reason}; {answer.reason}")

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
