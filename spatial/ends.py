"""Where ducts, pipes and cables end: the openings of a mesh, for files that give no ports.

An opening is a flat face that closes a run: the cap of a pipe, the ring of a hollow duct, a nozzle's face. Found at
import, where the mesh is at hand; joined when the network is built (`spatial.contact`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

MOST: Final = 12  # ends of one element; what shows more flat faces than this is no fitting
CAP: Final = 4  # triangles of a round cap at least: a flat side has two
GRID_NORMAL: Final = 1e-3
GRID_OFFSET: Final = 5e-4  # m
SMALLEST: Final = 1e-6  # m2 of an opening
OUTERMOST: Final = 1e-3  # m; nothing of a rectangular fitting lies further out than its opening

END_COLUMNS: Final = 7
"""Position x y z (m, building frame), direction out of the element x y z, size (m: largest width of the opening)."""


class Mesh(Protocol):
    """Shapes in their own frames and the instances that show them (`ifc_models.extract.MeshArrays`)."""

    @property
    def positions(self) -> NDArray[np.float32]: ...
    @property
    def triangles(self) -> NDArray[np.uint32]: ...
    @property
    def shape_vertices(self) -> NDArray[np.uint64]: ...
    @property
    def shape_triangles(self) -> NDArray[np.uint64]: ...
    @property
    def instance_element(self) -> NDArray[np.uint32]: ...
    @property
    def instance_shape(self) -> NDArray[np.uint32]: ...
    @property
    def instance_matrix(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class Faces:
    """The flat faces of some shapes: row by row."""

    shape: NDArray[np.int64]  # (F,)
    triangles: NDArray[np.int64]  # (F,) how many it is made of
    area: NDArray[np.float64]  # (F,) m2
    centre: NDArray[np.float64]  # (F, 3)
    normal: NDArray[np.float64]  # (F, 3)
    size: NDArray[np.float64]  # (F,) m, twice the distance of the furthest corner from the middle


def element_ends(mesh: Mesh, runs: Collection[int], others: Collection[int]) -> dict[int, NDArray[np.float64]]:
    """Return the ends (n, 7: `END_COLUMNS`) of elements by index.

    `runs` are segments, which have two ends; `others` fittings, valves and machines, which have any number.
    """
    chosen = np.flatnonzero(np.isin(mesh.instance_element, np.array([*runs, *others], dtype=np.int64)))
    if not len(chosen):
        return {}
    is_run = np.isin(mesh.instance_element, np.array([*runs], dtype=np.int64))
    long_shapes = set(mesh.instance_shape[chosen[is_run[chosen]]].tolist())
    shapes = np.unique(mesh.instance_shape[chosen]).astype(np.int64)
    of_shape = _ends_of_shapes(mesh, shapes, long_shapes)
    found: dict[int, list[NDArray[np.float64]]] = {}
    for instance in chosen.tolist():
        ends = of_shape.get(int(mesh.instance_shape[instance]))
        if ends is not None:
            found.setdefault(int(mesh.instance_element[instance]), []).append(
                _moved(ends, np.asarray(mesh.instance_matrix[instance], dtype=np.float64))
            )
    joined = {element: np.concatenate(parts) for element, parts in found.items()}
    return {element: ends for element, ends in joined.items() if len(ends) <= MOST}


def _moved(ends: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = ends[:, 3:6] @ matrix[:3, :3].T
    scale = np.linalg.norm(turned, axis=1)
    at = ends[:, :3] @ matrix[:3, :3].T + matrix[:3, 3]
    return np.column_stack([at, turned / scale[:, None], ends[:, 6] * scale])


def _ends_of_shapes(mesh: Mesh, shapes: NDArray[np.int64], runs: set[int]) -> dict[int, NDArray[np.float64]]:
    faces = flat_faces(mesh, shapes)
    starts = np.searchsorted(faces.shape, shapes)
    stops = np.searchsorted(faces.shape, shapes, side="right")
    found = {}
    for shape, start, stop in zip(shapes.tolist(), starts.tolist(), stops.tolist(), strict=True):
        rows = np.arange(start, stop)
        caps = rows[faces.triangles[rows] >= CAP]
        chosen = _of_run(faces, rows, caps) if shape in runs else _of_fitting(faces, mesh, shape, rows, caps)
        if len(chosen):
            found[shape] = np.column_stack([faces.centre[chosen], faces.normal[chosen], faces.size[chosen]])
    return found


def _of_run(faces: Faces, rows: NDArray[np.int64], caps: NDArray[np.int64]) -> NDArray[np.int64]:
    """The two ends of a segment: of its caps, or where it is a box of its faces, the two furthest from each other."""
    most = caps[np.argsort(-faces.triangles[caps], kind="stable")][:4]  # a bent tube's caps are no longer apart
    among = most if len(most) >= 2 else rows[np.argsort(-faces.area[rows], kind="stable")][:12]
    if len(among) < 2:
        return among[:0]
    centres = faces.centre[among]
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    one, other = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return among[[one, other]]


def _of_fitting(
    faces: Faces, mesh: Mesh, shape: int, rows: NDArray[np.int64], caps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Round caps and rings; where there are none, the flat faces that nothing lies beyond."""
    if len(caps) >= 2:
        return caps
    if len(rows) > 4 * MOST:
        return caps
    vertices = mesh.positions[int(mesh.shape_vertices[shape]) : int(mesh.shape_vertices[shape + 1])]
    beyond = (vertices @ faces.normal[rows].T - np.einsum("ij,ij->i", faces.centre[rows], faces.normal[rows])).max(0)
    outer: NDArray[np.int64] = rows[beyond <= OUTERMOST]
    return outer


def flat_faces(mesh: Mesh, shapes: NDArray[np.int64]) -> Faces:
    """Return the flat faces of the shapes (sorted numbers): triangles in one plane count as one, ordered by shape."""
    first, last = mesh.shape_triangles[shapes].astype(np.int64), mesh.shape_triangles[shapes + 1].astype(np.int64)
    counts = last - first
    shape = np.repeat(shapes, counts)
    rows = np.arange(int(counts.sum())) + np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    corners_at = mesh.triangles[rows].astype(np.int64) + mesh.shape_vertices[shape].astype(np.int64)[:, None]
    corners = mesh.positions[corners_at].astype(np.float64)  # (n, 3, 3)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = _lengths(normal) / 2
    kept = area > 1e-12
    shape, corners, normal, area = shape[kept], corners[kept], normal[kept], area[kept]
    normal /= 2 * area[:, None]
    offset = np.einsum("ij,ij->i", normal, corners[:, 0])
    key = np.column_stack([shape, np.rint(normal / GRID_NORMAL), np.rint(offset / GRID_OFFSET)]).astype(np.int64)
    face, group = _grouped(key)
    total = np.bincount(group, area)
    centre = _weighted(group, area, corners.mean(axis=1)) / total[:, None]
    mean = _weighted(group, area, normal)
    middle = centre[group]
    reach = np.max([_lengths(corners[:, i] - middle) for i in range(3)], axis=0)
    furthest = np.zeros(len(total))
    np.maximum.at(furthest, group, reach)
    wide = total > SMALLEST
    return Faces(
        face[wide, 0],
        np.bincount(group)[wide].astype(np.int64),
        np.asarray(total[wide], dtype=np.float64),
        centre[wide],
        (mean / _lengths(mean)[:, None])[wide],
        2 * furthest[wide],
    )


def _grouped(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct rows of `key`, in order, and which of them each row is.

    Rows are found equal by one mixed word each: sorting words takes a sixth of the time of sorting rows, and two of a
    hundred million rows fall together once in a thousand models.
    """
    mixed = np.zeros(len(key), dtype=np.uint64)
    for column in key.T:
        mixed = _mixed(mixed ^ column.astype(np.uint64))
    words, group = np.unique(mixed, return_inverse=True)
    group = group.reshape(-1)
    some_row = np.empty(len(words), dtype=np.int64)
    some_row[group] = np.arange(len(key))
    found = key[some_row]
    order = np.lexsort(found.T[::-1])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return found[order], place[group]


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64: 64 well-mixed bits, one to one."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) of vectors (n, 3); numpy's own norm is slow along short rows."""
    x, y, z = vectors.T
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _weighted(group: NDArray[np.int64], weight: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.bincount(group, weight * of[:, axis]) for axis in range(3)])
