"""Meshes in world metres become shapes in frames of their own, each kept once however often it is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifc_models.mesh_plan import Product
from ifc_models.mesh_rungs import Mesh
from ifc_models.mesh_styles import NO_COLOUR, Colour

Floats = NDArray[np.float64]

_GRID = 1e4  # shapes are equal when they are so to 0.1 mm
_CELLS = (256, 208, 168, 136, 112, 92, 76, 64, 54, 46, 39, 33, 28, 24, 20, 17, 14, 12, 10, 8, 6, 4, 3, 2, 1)
_PACKED = np.array([1, 1 << 10, 1 << 20])  # three numbers of cells (at most 256 a side) in one
_OFFSET = 0.37  # moves the rounding's edges away from the round numbers that drawings are full of


class ShapeStore:
    """Collects shapes and instances; `save` writes the arrays. Material row 0 is "no colour in the file"."""

    def __init__(self) -> None:
        self._materials: dict[Colour, int] = {NO_COLOUR: 0}
        self._shape_of: dict[bytes, int] = {}
        self._positions: list[NDArray[np.float32]] = []
        self._faces: list[NDArray[np.uint32]] = []
        self._face_materials: list[NDArray[np.uint16]] = []
        self._step_ids: list[int] = []
        self._shapes: list[int] = []
        self._matrices: list[Floats] = []

    def add_group(self, group: list[Product], meshes: Mapping[int, Mesh], frames: Floats) -> None:
        """Add the products of a group, all shown by the mesh of the first; nothing where it has none."""
        leader = group[0]
        parts = [(meshes[part.kernel_id], part.colour) for part in leader.parts if part.kernel_id in meshes]
        if not parts:
            return
        vertices, faces, materials = self._joined(parts)
        frame = _frame(leader, frames, shared=len(group) > 1)
        given = parts[0][0].matrix
        if given is None:
            local = (vertices - frame[:3, 3]) @ np.linalg.inv(frame[:3, :3]).T
            to_frame = np.eye(4)
        elif len(group) == 1:
            local, frame, to_frame = vertices.copy(), given, np.eye(4)
        else:
            local, to_frame = vertices.copy(), np.linalg.inv(frame) @ given
        origin = local[0].copy()
        local -= origin
        shape = self._shape(local, faces, materials)
        for member in group:
            matrix = (frame if member is leader else frames[member.frame]) @ to_frame
            matrix[:3, 3] += matrix[:3, :3] @ origin
            self._step_ids.append(member.step_id)
            self._shapes.append(shape)
            self._matrices.append(matrix)

    def shown_triangles(self) -> int:
        """Triangles of the model, every instance counted."""
        return int(self._shown().sum())

    def coarsen(self, element_triangles: int, model_triangles: int) -> Iterator[tuple[int, str]]:
        """Coarsen shapes until no element and not the whole model has more triangles; yield (STEP id, note)."""
        sizes = np.array([len(faces) for faces in self._faces], dtype=np.int64)
        goal = np.minimum(sizes, element_triangles)
        uses = np.bincount(self._shapes, minlength=len(sizes)) if len(sizes) else sizes
        goal = _within(goal, uses, model_triangles)
        coarse: dict[int, str] = {}
        for shape in np.flatnonzero(goal < sizes).tolist():
            self._simplify(shape, int(goal[shape]))
            coarse[shape] = f"coarsened from {sizes[shape]} to {len(self._faces[shape])} triangles"
        for step_id, shape in zip(self._step_ids, self._shapes, strict=True):
            if shape in coarse:
                yield step_id, coarse[shape]

    def save(self, out: Path, only: Collection[int] | None = None) -> bool:
        """Write the arrays of `MeshArrays`, with `instance_step_id` for `instance_element`.

        `only`: the instances of these products and the shapes that they show; False where there are none of them.
        """
        rows: Sequence[int] = range(len(self._step_ids))
        if only is not None:
            rows = [i for i in rows if self._step_ids[i] in only]
        used: Sequence[int] = range(len(self._positions)) if only is None else sorted({self._shapes[i] for i in rows})
        number = {shape: i for i, shape in enumerate(used)}
        counts_v = [len(self._positions[s]) for s in used]
        counts_f = [len(self._faces[s]) for s in used]
        arrays = {
            "positions": _joined([self._positions[s] for s in used], (0, 3), np.float32),
            "triangles": _joined([self._faces[s] for s in used], (0, 3), np.uint32),
            "triangle_material": _joined([self._face_materials[s] for s in used], (0,), np.uint16),
            "shape_vertices": np.concatenate([[0], np.cumsum(counts_v)]).astype(np.uint64),
            "shape_triangles": np.concatenate([[0], np.cumsum(counts_f)]).astype(np.uint64),
            "materials": np.array(list(self._materials), dtype=np.uint8).reshape(-1, 4),
            "instance_step_id": np.array([self._step_ids[i] for i in rows], dtype=np.uint32),
            "instance_shape": np.array([number[self._shapes[i]] for i in rows], dtype=np.uint32),
            "instance_matrix": _joined([self._matrices[i][None] for i in rows], (0, 4, 4), np.float64),
        }
        for name, array in arrays.items():
            np.save(out / f"{name}.npy", array, allow_pickle=False)
        return bool(rows)

    def _shown(self) -> NDArray[np.int64]:
        sizes = np.array([len(faces) for faces in self._faces], dtype=np.int64)
        return sizes[self._shapes] if len(sizes) else sizes

    def _joined(self, parts: list[tuple[Mesh, Colour]]) -> tuple[Floats, NDArray[np.uint32], NDArray[np.uint16]]:
        if len(parts) == 1:
            mesh, colour = parts[0]
            return mesh.vertices, mesh.faces, self._face_rows(mesh, colour)
        starts = np.cumsum([0] + [len(mesh.vertices) for mesh, _ in parts])
        return (
            np.concatenate([mesh.vertices for mesh, _ in parts]),
            np.concatenate([mesh.faces + np.uint32(start) for (mesh, _), start in zip(parts, starts, strict=False)]),
            np.concatenate([self._face_rows(mesh, colour) for mesh, colour in parts]),
        )

    def _face_rows(self, mesh: Mesh, colour: Colour) -> NDArray[np.uint16]:
        if mesh.colours is None:
            return np.full(len(mesh.faces), self._material(colour), dtype=np.uint16)
        return np.array([self._material(c) for c in mesh.palette], dtype=np.uint16)[mesh.colours]

    def _material(self, colour: Colour) -> int:
        if len(self._materials) >= 65_535:  # the last row of a u16; nobody tells so many colours apart
            return self._materials.get(colour, 0)
        return self._materials.setdefault(colour, len(self._materials))

    def _shape(self, local: Floats, faces: NDArray[np.uint32], materials: NDArray[np.uint16]) -> int:
        rounded = np.floor(local * _GRID + _OFFSET).astype(np.int32)
        digest = blake2b(rounded.tobytes(), digest_size=16)
        digest.update(faces.tobytes())
        digest.update(materials.tobytes())
        key = digest.digest()
        shape = self._shape_of.get(key)
        if shape is None:
            shape = self._shape_of[key] = len(self._positions)
            self._positions.append(local.astype(np.float32))
            self._faces.append(faces)
            self._face_materials.append(materials)
        return shape

    def _simplify(self, shape: int, goal: int) -> None:
        positions, faces, materials = clustered(
            self._positions[shape], self._faces[shape], self._face_materials[shape], goal
        )
        self._positions[shape], self._faces[shape], self._face_materials[shape] = positions, faces, materials


def clustered(
    positions: NDArray[np.float32], faces: NDArray[np.uint32], materials: NDArray[np.uint16], goal: int
) -> tuple[NDArray[np.float32], NDArray[np.uint32], NDArray[np.uint16]]:
    """A coarser mesh of at most `goal` triangles (at least the 12 of a box): vertices in one cell of a grid become one.

    The bounding box stays: vertices on it keep their coordinate there.
    """
    low, high = positions.min(axis=0), positions.max(axis=0)
    size = float((high - low).max()) or 1.0
    most, fits = max(goal, 12), None
    first_cell, after = 0, len(_CELLS)
    while first_cell < after:  # the finest grid that is coarse enough: fewer cells leave fewer triangles
        middle = (first_cell + after) // 2
        found = _on_grid(positions, faces, low, size / _CELLS[middle])
        if len(found[2]) > most:
            first_cell = middle + 1
        else:
            after, fits = middle, found if len(found[2]) >= 4 else fits  # less encloses nothing
    if fits is not None:
        first, inverse, kept = fits
        new = positions[first].copy()
        for axis in range(3):
            least, largest = np.full(len(first), np.inf), np.full(len(first), -np.inf)
            np.minimum.at(least, inverse, positions[:, axis])
            np.maximum.at(largest, inverse, positions[:, axis])
            on_high = np.where(largest == high[axis], high[axis], new[:, axis])
            new[:, axis] = np.where(least == low[axis], low[axis], on_high)
        return new, inverse[faces[kept]].astype(np.uint32), materials[kept]
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)]) * (high - low) + low
    box = np.array([[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7],
                    [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5]], dtype=np.uint32)  # fmt: skip
    return corners.astype(np.float32), box, np.full(12, materials[0], dtype=np.uint16)


def _on_grid(
    positions: NDArray[np.float32], faces: NDArray[np.uint32], low: NDArray[np.float32], step: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """One vertex of each cell that has any, every vertex's cell, and the faces that are left, each once."""
    cell = np.rint((positions - low) / step).astype(np.int64)
    _, first, inverse = np.unique(cell @ _PACKED, return_index=True, return_inverse=True)
    corners = np.sort(inverse[faces], axis=1)
    real = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2])
    kept = np.flatnonzero(real)
    a, b, c = corners[kept].T
    _, once = np.unique((a * len(first) + b) * len(first) + c, return_index=True)
    return first, inverse, kept[np.sort(once)]


def _within(goal: NDArray[np.int64], uses: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Goals lowered to one common ceiling so that goals × uses stay within `total`; the light shapes stay whole."""
    if int((goal * uses).sum()) <= total:
        return goal
    low, high = 12, int(goal.max())
    while low < high:
        middle = (low + high + 1) // 2
        if int((np.minimum(goal, middle) * uses).sum()) <= total:
            low = middle
        else:
            high = middle - 1
    return np.minimum(goal, low)


def _frame(leader: Product, frames: Floats, *, shared: bool) -> Floats:
    """The frame a group's shape is kept in. Only the rotation matters where nothing is shared: far-away placements
    would cost precision for nothing."""
    if leader.frame < 0:
        return np.eye(4)
    frame: Floats = frames[leader.frame]
    linear = frame[:3, :3]
    if abs(np.linalg.det(linear)) < 1e-12 or not np.isfinite(frame).all():
        return np.eye(4)
    if not shared and np.abs(linear @ linear.T - np.eye(3)).max() > 1e-9:
        return np.eye(4)  # scaled: a frame of its own gains nothing
    return frame.copy()


def _joined(
    parts: list[NDArray[np.float32]] | list[NDArray[np.uint32]] | list[NDArray[np.uint16]] | list[Floats],
    empty: tuple[int, ...],
    dtype: type[np.generic],
) -> NDArray[np.generic]:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(empty, dtype=dtype)
