"""Extract → tiles: GLB files by storey and layer, as docs/architecture.md describes them.

Pure numpy; the same extract gives the same bytes. A tile is stored as it travels: compressed (`ENCODING`), named by
the hash of what is stored, and served with that Content-Encoding.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays, load_extract
from viewer.glb import TileMesh, exponent_for, write_glb
from viewer.palette import ROOM_ALPHA, Layer, colour_of, layer_of
from viewer.surfaces import Surfaces, prepare

Index = NDArray[np.int64]

CONTENT_TYPE: Final = "model/gltf-binary"
ENCODING: Final = "gzip"  # every browser takes it over plain http too, which brotli is not
_LAYERS: Final[tuple[Layer, ...]] = ("shell", "spaces", "services", "furniture")
_MAX_FEATURES: Final = 65_535  # _FEATURE_ID_0 is u16
_MAX_TRIANGLES: Final = 250_000
_MAX_EXTENT: Final = 300.0  # m: 65 535 steps of position keep 2.5 mm
_TIE: Final = 1e-3  # steps: equal shapes must round alike where noise would decide


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile on disk. `bbox`: min x y z, max x y z, m, building frame, z up."""

    storey_index: int | None  # element index of the storey; None: on no storey
    layer: Layer
    part: int  # 0…, several where the storey's layer is too big for one
    hash: str  # SHA-256 of the file as stored
    path: Path
    bytes: int  # as stored and transferred
    elements: int
    triangles: int
    bbox: tuple[float, float, float, float, float, float]
    content_type: str = f"{CONTENT_TYPE}; encoding={ENCODING}"


class Placed(Protocol):
    """What tiles need of `spatial.placement.Placement`."""

    @property
    def storey(self) -> NDArray[np.int64]: ...


def build_tiles(extract: Extract, mesh: MeshArrays, placement: Placed, out: Path) -> list[Tile]:
    """Write the tiles of a model into `out` and return them, ordered by storey, layer and part."""
    out.mkdir(parents=True, exist_ok=True)
    if len(mesh.instance_element) == 0:
        return []
    model = _Model.of(extract, mesh, np.asarray(placement.storey))
    return [_write(model, group, out) for group in model.groups()]


@dataclass(frozen=True, slots=True)
class _Group:
    """Instances that make one tile."""

    storey: int
    layer: Layer
    part: int
    instances: Index


@dataclass(frozen=True, slots=True)
class _Model:
    """Everything that tiles are cut from, per instance."""

    extract: Extract
    surfaces: Surfaces
    materials: NDArray[np.uint8]  # (M, 4) sRGB
    element: Index  # (I,)
    shape: Index  # (I,)
    matrix: NDArray[np.float64]  # (I, 4, 4)
    storey: Index  # (I,) -1: none
    layer: NDArray[np.int64]  # (I,) row of _LAYERS
    default: NDArray[np.uint8]  # (I, 4) colour where the file has none
    low: NDArray[np.float64]  # (I, 3) m
    high: NDArray[np.float64]

    @classmethod
    def of(cls, extract: Extract, mesh: MeshArrays, storeys: NDArray[np.int64]) -> _Model:
        surfaces = prepare(mesh)
        element = np.asarray(mesh.instance_element, dtype=np.int64)
        shape = np.asarray(mesh.instance_shape, dtype=np.int64)
        shown = np.diff(surfaces.triangle_starts)[shape] > 0
        element, shape = element[shown], shape[shown]
        matrix = np.asarray(mesh.instance_matrix)[shown]
        classes, layers, colours = _looks(extract, element)
        low, high = _bounds(surfaces, shape, matrix)
        return cls(
            extract, surfaces, np.asarray(mesh.materials), element, shape, matrix,
            storeys[element], layers[classes], colours[classes], low, high,
        )  # fmt: skip

    def groups(self) -> Iterator[_Group]:
        """The instances of each tile. An element is in one tile, whole."""
        triangles = np.diff(self.surfaces.triangle_starts)[self.shape]
        key = (self.storey + 1) * len(_LAYERS) + self.layer
        for k in np.unique(key).tolist():
            rows = np.flatnonzero(key == k)
            storey, layer = k // len(_LAYERS) - 1, _LAYERS[k % len(_LAYERS)]
            for part, instances in enumerate(self._cut(rows, triangles)):
                yield _Group(storey, layer, part, instances)

    def _cut(self, rows: Index, triangles: Index) -> Iterator[Index]:
        """Cut instances into tile-sized lots, near ones together."""
        elements, of = np.unique(self.element[rows], return_inverse=True)
        weight = np.bincount(of, weights=triangles[rows]).astype(np.int64)
        extent = float((self.high[rows].max(axis=0) - self.low[rows].min(axis=0)).max())
        if len(elements) <= _MAX_FEATURES and weight.sum() <= _MAX_TRIANGLES and extent <= _MAX_EXTENT:
            yield rows
            return
        centre = np.zeros((len(elements), 3))
        centre[of] = (self.low[rows] + self.high[rows]) / 2
        lots = _lots(centre, weight)
        for lot in range(int(lots.max()) + 1):
            chosen = rows[lots[of] == lot]
            if len(chosen):
                yield chosen


def _lots(centre: NDArray[np.float64], weight: Index) -> Index:
    """Which lot each element goes into: cells of the largest extent, cut along the Morton curve by weight."""
    low = centre.min(axis=0)
    cell = np.floor((centre - low) / _MAX_EXTENT).astype(np.int64)
    fine = np.floor((centre - low - cell * _MAX_EXTENT) / _MAX_EXTENT * 1023).astype(np.int64)
    order = np.lexsort((_morton(fine), _morton(cell)))
    lots = np.zeros(len(centre), dtype=np.int64)
    lot, filled, count, last = 0, 0, 0, -1
    coarse = _morton(cell)
    for i in order.tolist():
        w = int(weight[i])
        full = filled + w > _MAX_TRIANGLES or count >= _MAX_FEATURES or int(coarse[i]) != last
        if count and full:
            lot, filled, count = lot + 1, 0, 0
        lots[i] = lot
        filled, count, last = filled + w, count + 1, int(coarse[i])
    return lots


def _morton(cells: Index) -> Index:
    """Interleave the lowest 10 bits of three columns."""
    out = np.zeros(len(cells), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            out |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return out


def _looks(extract: Extract, element: Index) -> tuple[Index, Index, NDArray[np.uint8]]:
    """Class row of each instance; layer and default colour of each class row."""
    names = sorted(extract.class_ancestors)
    row = {name: i for i, name in enumerate(names)}
    of_element = np.array([row[e.ifc_class] for e in extract.elements], dtype=np.int64)
    ancestors = [extract.class_ancestors[name] for name in names]
    layers = np.array([_LAYERS.index(layer_of(a)) for a in ancestors], dtype=np.int64)
    colours = np.array([colour_of(a) for a in ancestors], dtype=np.uint8).reshape(-1, 4)
    return of_element[element], layers, colours


def _bounds(
    surfaces: Surfaces, shape: Index, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(I, 3) lower and upper corner of each instance, exact."""
    low, high = np.empty((len(shape), 3)), np.empty((len(shape), 3))
    starts = surfaces.vertex_starts.tolist()
    for i, s in enumerate(shape.tolist()):
        world = surfaces.positions[starts[s] : starts[s + 1]] @ matrix[i, :3, :3].T
        low[i], high[i] = world.min(axis=0), world.max(axis=0)
    return low + matrix[:, :3, 3], high + matrix[:, :3, 3]


def _write(model: _Model, group: _Group, out: Path) -> Tile:
    rows = group.instances
    low, high = model.low[rows].min(axis=0), model.high[rows].max(axis=0)
    # Equal shapes one after another: their bytes repeat, and compression sees it.
    elements, of = np.unique(model.element[rows], return_inverse=True)
    first_shape = np.zeros(len(elements), dtype=np.int64)
    first_shape[of[::-1]] = model.shape[rows][::-1]
    rank = np.empty(len(elements), dtype=np.int64)
    turn = np.zeros(len(elements), dtype=np.int64)
    turn[of[::-1]] = _turns(model.matrix[rows])[::-1]
    by_shape = np.lexsort((elements, turn, first_shape))
    rank[by_shape] = np.arange(len(elements))
    order = np.argsort(rank[of], kind="stable")
    rows, feature = rows[order], rank[of][order]
    entries = [model.extract.elements[int(e)] for e in elements[by_shape]]
    mesh = _assemble(model, rows, feature, low, high, group.layer)
    names = [(entry.global_id, entry.occurrence) for entry in entries]
    data = zlib_gzip(write_glb(mesh, names))
    digest = hashlib.sha256(data).hexdigest()
    path = out / f"{digest}.glb"
    path.write_bytes(data)
    return Tile(
        storey_index=group.storey if group.storey >= 0 else None,
        layer=group.layer,
        part=group.part,
        hash=digest,
        path=path,
        bytes=len(data),
        elements=len(elements),
        triangles=len(mesh.opaque) + len(mesh.transparent),
        bbox=(*low.tolist(), *high.tolist()),
    )


def _turns(matrix: NDArray[np.float64]) -> Index:
    """A number for each matrix, equal for those that turn alike."""
    rounded = np.rint(matrix[:, :3, :3].reshape(-1, 9) * 1e6).astype(np.int64)
    return rounded @ np.array([1, 31, 961, 29791, 923521, 28629151, 887503681, 27512614111, 852891037441])


def zlib_gzip(data: bytes) -> bytes:
    """gzip without a time stamp: equal data, equal bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _assemble(
    model: _Model,
    rows: Index,
    feature: Index,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    layer: Layer,
) -> TileMesh:
    """Place the shapes of a tile on its grid.

    A shape is rounded in the building's axes before it is moved, by a whole number of steps: copies of a shape then
    differ by a constant only, which is what compression is good at.
    """
    s = model.surfaces
    exponent = exponent_for(float((high - low).max()))
    step = 2.0**exponent
    low = (np.floor(low / step) - 1) * step
    shape, matrix = model.shape[rows], model.matrix[rows]
    take, owner = _ragged(s.vertex_starts, shape)
    linear = matrix[:, :3, :3]
    offset = np.rint((matrix[:, :3, 3] - low) / step).astype(np.int64)
    steps = np.empty((len(take), 3), dtype=np.int64)
    normals = np.empty((len(take), 3))
    turning = _normal_matrices(linear)
    local, local_normals = s.positions[take].astype(np.float64) / step, s.normals[take].astype(np.float64)
    for axis in range(3):
        steps[:, axis] = np.rint(np.einsum("ij,ij->i", local, linear[:, axis][owner]) + _TIE)
        steps[:, axis] += offset[owner, axis]
        normals[:, axis] = np.einsum("ij,ij->i", local_normals, turning[:, axis][owner])
    np.maximum(steps, 0, out=steps)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    colours = _colours(model, rows, s.materials[take], owner, layer)
    counts = np.diff(s.vertex_starts)[shape]
    start = np.concatenate([[0], np.cumsum(counts)])[:-1]
    t_take, t_owner = _ragged(s.triangle_starts, shape)
    triangles = s.triangles[t_take].astype(np.int64)
    mirrored = np.linalg.det(linear) < 0
    flip = mirrored[t_owner]
    triangles[flip] = triangles[flip][:, ::-1]
    triangles += start[t_owner][:, None]
    e_take, e_owner = _ragged(s.edge_starts, shape)
    edges = s.edges[e_take].astype(np.int64) + start[e_owner][:, None]
    return TileMesh.of(steps, normals, colours, feature[owner], triangles, edges, low, exponent, owner)


def _ragged(starts: Index, shape: Index) -> tuple[Index, Index]:
    """Rows of all shapes in turn, and which of `shape` each row belongs to."""
    counts = np.diff(starts)[shape]
    owner = np.repeat(np.arange(len(shape)), counts)
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - (ends - counts)[owner] + starts[shape][owner], owner


def _normal_matrices(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3, 3) cofactor matrices: they turn normals rightly under scale and mirroring too."""
    a, b, c = linear[:, :, 0], linear[:, :, 1], linear[:, :, 2]
    out = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
    sign = np.where(np.linalg.det(linear) < 0, -1.0, 1.0)
    return out * sign[:, None, None]


def _colours(
    model: _Model, rows: Index, material: NDArray[np.uint16], owner: Index, layer: Layer
) -> NDArray[np.uint8]:
    """(V, 4) sRGB with alpha."""
    colours = model.materials[material]
    none = colours[:, 3] == 0
    colours[none] = model.default[rows][owner[none]]
    if layer == "spaces":
        colours[:, 3] = np.minimum(colours[:, 3], ROOM_ALPHA)
    return colours


# --- in a process of its own ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileStoreys:
    """The storeys as the file itself says, for tiles without derived placement."""

    storey: NDArray[np.int64]


def build_folder(folder: Path, out: Path, storey: Sequence[int] | None = None) -> list[Tile]:
    """Tiles of an extract folder; `storey` by element, as the file says unless given."""
    extract = load_extract(folder)
    where = np.array(storey if storey is not None else [e.storey for e in extract.elements], dtype=np.int64)
    return build_tiles(extract, MeshArrays.load(folder), FileStoreys(where), out)


async def build_tiles_in_process(
    folder: Path, out: Path, storey: Sequence[int] | None = None, *, pool: Executor | None = None
) -> list[Tile]:
    """`build_folder` in another process, so that the server's loop and lock stay free; `pool` is a warm one."""
    loop = asyncio.get_running_loop()
    if pool is not None:
        return await loop.run_in_executor(pool, build_folder, folder, out, storey)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
        return await loop.run_in_executor(own, build_folder, folder, out, storey)


def main(arguments: Sequence[str]) -> int:
    """`python -m viewer.tiles EXTRACT OUT`: tiles and a tileset.json of one extract folder, uncompressed, to look at."""
    from viewer.tileset import tileset_of

    if len(arguments) != 2:
        print("usage: python -m viewer.tiles EXTRACT OUT", file=sys.stderr)
        return 2
    folder, out = Path(arguments[0]), Path(arguments[1])
    tiles = build_folder(folder, out)
    unpack(tiles)
    (out / "tileset.json").write_bytes(tileset_of(load_extract(folder), tiles))
    return 0


def unpack(tiles: Sequence[Tile]) -> None:
    """Replace stored files by plain GLBs, for tools that read folders and not our server."""
    for tile in tiles:
        tile.path.write_bytes(zlib.decompress(tile.path.read_bytes(), 31))


__all__ = ["CONTENT_TYPE", "ENCODING", "Tile", "build_folder", "build_tiles", "build_tiles_in_process", "unpack"]
_ = Mapping

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
