"""The meshes of a version, kept in one file for the next version, and joined with what that one meshes anew.

Imports no kernel: the server writes the file when an import is over.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ElementGeometry, Extract, MeshArrays, load_geometry

CONTENT_TYPE: Final = "application/vnd.twin.meshes+npz"
BEFORE_FILE: Final = "before_file"  # inputs of a mesh request: the previous version's file …
BEFORE_MESHES: Final = "before_meshes"  # … and what `write_meshes` kept of it


@dataclass(slots=True)
class Kept:
    """The meshes of a version by STEP id, as `write_meshes` keeps them."""

    mesh: MeshArrays  # instance_element holds STEP ids
    rung: dict[int, str]
    note: dict[int, str]


class _How(msgspec.Struct):
    rung: dict[int, str]
    note: dict[int, str]


def write_meshes(path: Path, folder: Path, extract: Extract) -> None:
    """Keep the meshes of an extract folder in one file, for the next version."""
    mesh = MeshArrays.load(folder, mmap=True)
    step_ids = np.array([element.step_id for element in extract.elements], dtype=np.uint32)
    geometry: list[ElementGeometry] = load_geometry(folder)
    how = _How(
        {int(step_ids[g.element]): g.rung for g in geometry},
        {int(step_ids[g.element]): g.note for g in geometry if g.note is not None},
    )
    arrays: dict[str, Any] = {name: getattr(mesh, name) for name in MeshArrays.__slots__}
    arrays["instance_element"] = step_ids[np.asarray(mesh.instance_element, dtype=np.int64)]
    with path.open("wb") as file:
        np.savez(file, how=np.frombuffer(msgspec.msgpack.encode(how), np.uint8), **arrays)


def load_meshes(path: Path) -> Kept:
    """Read what `write_meshes` kept. Raises OSError or ValueError where it is not that."""
    with np.load(path, allow_pickle=False) as arrays:
        try:
            mesh = MeshArrays(*(arrays[name] for name in MeshArrays.__slots__))
            how = msgspec.msgpack.decode(arrays["how"].tobytes(), type=_How)
        except (KeyError, msgspec.MsgspecError) as error:
            raise ValueError(str(error)) from error
    return Kept(mesh, how.rung, how.note)


def with_shapes(mesh: MeshArrays, shapes: NDArray[np.int64]) -> MeshArrays:
    """The mesh with some of its shapes only, in this order; its instances are for the caller to number anew."""
    return replace(
        mesh,
        positions=_rows(mesh.positions, mesh.shape_vertices, shapes),
        triangles=_rows(mesh.triangles, mesh.shape_triangles, shapes),
        triangle_material=_rows(mesh.triangle_material, mesh.shape_triangles, shapes),
        shape_vertices=_starts([_counts(mesh.shape_vertices)[shapes]]),
        shape_triangles=_starts([_counts(mesh.shape_triangles)[shapes]]),
    )


def joined_arrays(old: MeshArrays, chosen: NDArray[np.bool_], new: MeshArrays) -> MeshArrays:
    """The chosen instances of `old` and all of `new`; equal shapes are stored once, shapes nobody shows left out."""
    materials, rows = _materials(old.materials, new.materials)
    recoloured = MeshArrays(
        new.positions, new.triangles, rows[new.triangle_material].astype(np.uint16), new.shape_vertices,
        new.shape_triangles, materials, new.instance_element, new.instance_shape, new.instance_matrix,
    )  # fmt: skip
    used = np.unique(old.instance_shape[chosen]).astype(np.int64)
    known = {digest: at for at, digest in enumerate(_hashes(old, used))}
    target = np.zeros(len(new.shape_vertices) - 1, dtype=np.int64)
    fresh: list[int] = []
    for at, digest in enumerate(recoloured.shape_hashes()):
        if digest not in known:
            known[digest] = len(used) + len(fresh)
            fresh.append(at)
        target[at] = known[digest]
    both = [(old, used), (recoloured, np.array(fresh, dtype=np.int64))]
    place = np.zeros(len(old.shape_vertices), dtype=np.int64)
    place[used] = np.arange(len(used))
    return MeshArrays(
        np.concatenate([_rows(m.positions, m.shape_vertices, s) for m, s in both]),
        np.concatenate([_rows(m.triangles, m.shape_triangles, s) for m, s in both]),
        np.concatenate([_rows(m.triangle_material, m.shape_triangles, s) for m, s in both]),
        _starts([_counts(m.shape_vertices)[s] for m, s in both]),
        _starts([_counts(m.shape_triangles)[s] for m, s in both]),
        materials,
        np.concatenate([old.instance_element[chosen], new.instance_element]).astype(np.uint32),
        np.concatenate([place[old.instance_shape[chosen]], target[new.instance_shape]]).astype(np.uint32),
        np.concatenate([old.instance_matrix[chosen], new.instance_matrix]),
    )


def _hashes(mesh: MeshArrays, used: NDArray[np.int64]) -> list[bytes]:
    hashes = mesh.shape_hashes()
    return [hashes[at] for at in used.tolist()]


def _materials(old: NDArray[np.uint8], new: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One table of both, the old rows first, and where the new rows are in it."""
    table = [tuple(row) for row in old.tolist()]
    at = {row: i for i, row in reversed(list(enumerate(table)))}
    rows = []
    for row in map(tuple, new.tolist()):
        if row not in at:
            at[row] = len(table)
            table.append(row)
        rows.append(at[row])
    if len(table) > np.iinfo(np.uint16).max:
        raise ValueError("more colours than a mesh can tell apart")
    return np.array(table, dtype=np.uint8).reshape(-1, 4), np.array(rows, dtype=np.int64)


def _counts(starts: NDArray[np.uint64]) -> NDArray[np.int64]:
    edges: NDArray[np.int64] = starts.astype(np.int64)
    return edges[1:] - edges[:-1]


def _starts(counts: list[NDArray[np.int64]]) -> NDArray[np.uint64]:
    return np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.uint64)


def _rows(table: NDArray[Any], starts: NDArray[np.uint64], shapes: NDArray[np.int64]) -> NDArray[Any]:
    """The rows of some shapes, one shape after another."""
    first, counts = starts.astype(np.int64)[shapes], _counts(starts)[shapes]
    ends = np.cumsum(counts)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
    chosen: NDArray[Any] = table[np.repeat(first, counts) + within]
    return chosen
