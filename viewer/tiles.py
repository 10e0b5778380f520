"""Extract → tiles: GLB files by storey and layer, as docs/architecture.md describes them.

Pure numpy; the same extract gives the same bytes. A tile is stored as it travels: compressed (`ENCODING`), named by
the hash of what is stored, and served with that Content-Encoding.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ifc_models.extract import Extract, MeshArrays, load_extract
from ifc_models.mesh_kept import with_shapes
from viewer.glb import FINEST, Copies, TileMesh, exponent_for, write_glb
from viewer.palette import ROOM_ALPHA, Layer, colour_of, layer_of
from viewer.surfaces import Surfaces, prepare
from viewer.tile_keys import KnownTile, group_keys
from viewer.variants import Variants, make_variants, ragged, ragged_rows

Index = NDArray[np.int64]
Key = bytes
Box = tuple[float, float, float, float, float, float]

CONTENT_TYPE: Final = "model/gltf-binary"
ENCODING: Final = "gzip"  # every browser takes it over plain http too, which brotli is not
_LAYERS: Final[tuple[Layer, ...]] = ("shell", "spaces", "services", "furniture")
_WORTH_COPYING: Final = 300  # vertices saved; fewer cost less than the words to say that they are copies
_THREADS: Final = min(4, os.cpu_count() or 1)
_MAX_FEATURES: Final = 65_535  # _FEATURE_ID_0 is u16
_MAX_TRIANGLES: Final = 500_000
_MAX_EXTENT: Final = 300.0  # m: 65 535 steps of position keep 2.5 mm


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
    bbox: Box
    content_type: str = f"{CONTENT_TYPE}; encoding={ENCODING}"
    key: Key | None = None  # of all that the tile was made of; equal: so is the tile
    is_stored: bool = False  # with an earlier version: nothing is at `path`


class Placed(Protocol):
    """What tiles need of `spatial.placement.Placement`."""

    @property
    def storey(self) -> NDArray[np.int64]: ...


def build_tiles(
    extract: Extract, mesh: MeshArrays, placement: Placed, out: Path, known: Sequence[KnownTile] = ()
) -> list[Tile]:
    """Write the tiles of a model into `out` and return them, ordered by storey, layer and part.

    Those that would come out as `known` ones are not written.
    """
    out.mkdir(parents=True, exist_ok=True)
    if len(mesh.instance_element) == 0:
        return []
    storeys = np.asarray(placement.storey)
    element = np.asarray(mesh.instance_element, dtype=np.int64)
    classes, layers, _ = _looks(extract, element, np.asarray(mesh.materials))
    group = (storeys[element] + 1) * len(_LAYERS) + layers[classes]
    names = [_LAYERS[number % len(_LAYERS)] for number in range(int(group.max()) + 1)]
    keys = group_keys(extract, mesh, group, names)
    tiles = [tile for number, key in keys.items() for tile in _known(number, key, known, out)]
    reused = {number for number, key in keys.items() if any(tile.key == key for tile in known)}
    left = ~np.isin(group, list(reused))
    if left.any():
        model = _Model.of(extract, _instances(mesh, left), storeys)
        with ThreadPoolExecutor(_THREADS) as pool:  # encoding and compression let go of the interpreter's lock
            tiles += pool.map(lambda each: _write(model, each, out, keys[each.number]), model.groups())
    return sorted(tiles, key=lambda tile: (_number(tile), tile.part))


def _number(tile: Tile) -> int:
    """The group of instances that a tile shows."""
    return (-1 if tile.storey_index is None else tile.storey_index) * len(_LAYERS) + _LAYERS.index(tile.layer)


def _known(number: int, key: Key, known: Sequence[KnownTile], out: Path) -> Iterator[Tile]:
    storey = number // len(_LAYERS) - 1
    for tile in known:
        if tile.key == key:
            yield Tile(
                storey_index=storey if storey >= 0 else None,
                layer=_LAYERS[number % len(_LAYERS)],
                part=tile.part,
                hash=tile.hash,
                path=out / f"{tile.hash}.glb",
                bytes=tile.size,
                elements=tile.elements,
                triangles=tile.triangles,
                bbox=cast("Box", tuple(tile.bbox)),
                key=key,
                is_stored=True,
            )


def _instances(mesh: MeshArrays, chosen: NDArray[np.bool_]) -> MeshArrays:
    """The mesh with some of its instances, and the shapes that these show."""
    if chosen.all():
        return mesh
    used = np.unique(mesh.instance_shape[chosen]).astype(np.int64)
    return replace(
        with_shapes(mesh, used),
        instance_element=np.asarray(mesh.instance_element)[chosen],
        instance_shape=np.searchsorted(used, np.asarray(mesh.instance_shape)[chosen]).astype(np.uint32),
        instance_matrix=np.asarray(mesh.instance_matrix)[chosen],
    )


@dataclass(frozen=True, slots=True)
class Assembled:
    """A whole model as plain arrays, for viewers that read no tiles. Positions are m in the building frame."""

    positions: NDArray[np.float64]  # (V, 3)
    normals: NDArray[np.float32]  # (V, 3)
    colours: NDArray[np.float32]  # (V, 4) linear, 0…1
    opaque: NDArray[np.uint32]  # (T, 3)
    transparent: NDArray[np.uint32]  # (U, 3)
    edges: NDArray[np.uint32]  # (E, 2)


def assemble_whole(
    extract: Extract, mesh: MeshArrays, placement: Placed, layers: Sequence[Layer] = _LAYERS
) -> Assembled | None:
    """The layers of a model in one piece; None where they show nothing."""
    if len(mesh.instance_element) == 0:
        return None
    model = _Model.of(extract, mesh, np.asarray(placement.storey), copying=False)
    rows = np.flatnonzero(np.isin(model.layer, [_LAYERS.index(layer) for layer in layers]))
    if not len(rows):
        return None
    low, high = model.low[rows].min(axis=0), model.high[rows].max(axis=0)
    tile = _assemble(model, rows, np.zeros(len(rows), dtype=np.int64), low, high)
    return Assembled(
        positions=tile.low + tile.steps * 2.0**tile.exponent,
        normals=tile.plain_normals(),
        colours=(tile.colours.view(np.uint8).reshape(-1, 4) / 255).astype(np.float32),
        opaque=tile.opaque,
        transparent=tile.transparent,
        edges=tile.edges,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Instances that make one tile."""

    storey: int
    layer: Layer
    part: int
    instances: Index

    @property
    def number(self) -> int:
        """Of the storey's layer."""
        return (self.storey + 1) * len(_LAYERS) + _LAYERS.index(self.layer)


@dataclass(frozen=True, slots=True)
class _Model:
    """Everything that tiles are cut from, per instance."""

    extract: Extract
    variants: Variants
    element: Index  # (I,)
    matrix: NDArray[np.float64]  # (I, 4, 4)
    copied: NDArray[np.bool_]  # (I,) stored once for several
    storey: Index  # (I,) -1: none
    layer: Index  # (I,) row of _LAYERS
    low: NDArray[np.float64]  # (I, 3) m
    high: NDArray[np.float64]
    triangles: Index  # (I,)
    steps: NDArray[np.int32]  # (V, 3) of the variants on the usual grid

    @classmethod
    def of(cls, extract: Extract, mesh: MeshArrays, storeys: NDArray[np.int64], *, copying: bool = True) -> _Model:
        surfaces = prepare(mesh)
        element = np.asarray(mesh.instance_element, dtype=np.int64)
        shape = np.asarray(mesh.instance_shape, dtype=np.int64)
        shown = np.diff(surfaces.triangle_starts)[shape] > 0
        element, shape = element[shown], shape[shown]
        matrix = np.asarray(mesh.instance_matrix)[shown]
        classes, layers, colours = _looks(extract, element, np.asarray(mesh.materials))
        storey, layer = storeys[element], layers[classes]
        copied = _worth_copying(surfaces, matrix, shape, np.column_stack([shape, classes, storey, layer]))
        copied &= copying
        turned = matrix.copy()
        turned[copied, :3, :3] = np.eye(3)  # copies are turned by the viewer
        variants = make_variants(surfaces, shape, turned, classes, colours)
        low, high = _boxes(variants, matrix, copied)
        return cls(
            extract, variants, element, matrix, copied, storey, layer, low, high,
            np.diff(variants.triangle_starts)[variants.of_instance], variants.steps(FINEST),
        )  # fmt: skip

    def groups(self) -> Iterator[_Group]:
        """The instances of each tile. An element is in one tile, whole."""
        key = (self.storey + 1) * len(_LAYERS) + self.layer
        for k in np.unique(key).tolist():
            rows = np.flatnonzero(key == k)
            storey, layer = k // len(_LAYERS) - 1, _LAYERS[k % len(_LAYERS)]
            for part, instances in enumerate(self._cut(rows)):
                yield _Group(storey, layer, part, instances)

    def _cut(self, rows: Index) -> Iterator[Index]:
        """Cut instances into tile-sized lots, near ones together."""
        elements, of = np.unique(self.element[rows], return_inverse=True)
        weight = np.bincount(of, weights=self.triangles[rows]).astype(np.int64)
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


def _worth_copying(
    surfaces: Surfaces, matrix: NDArray[np.float64], shape: Index, key: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which instances are cheaper as copies of a shape stored once: `key` (I, n) is equal for what can share."""
    _, of, uses = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    vertices = np.diff(surfaces.vertex_starts)[shape]
    linear = matrix[:, :3, :3]
    square = linear @ linear.transpose(0, 2, 1)
    rigid = (np.abs(square - np.eye(3)).max(axis=(1, 2)) < 1e-6) & (np.linalg.det(linear) > 0)
    shareable = np.bincount(of.reshape(-1), weights=rigid)[of.reshape(-1)] == uses[of.reshape(-1)]
    saved = (uses[of.reshape(-1)] - 1) * vertices
    return np.asarray(rigid & shareable & (saved >= _WORTH_COPYING), dtype=np.bool_)


def _boxes(
    variants: Variants, matrix: NDArray[np.float64], copied: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(I, 3) lower and upper corner of each instance; of a copy, those of its turned box."""
    low, high = variants.low[variants.of_instance], variants.high[variants.of_instance]
    middle, half = (low + high) / 2, (high - low) / 2
    linear = np.where(copied[:, None, None], matrix[:, :3, :3], np.eye(3))
    middle = np.einsum("nij,nj->ni", linear, middle) + matrix[:, :3, 3]
    half = np.einsum("nij,nj->ni", np.abs(linear), half)
    return middle - half, middle + half


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


def _looks(extract: Extract, element: Index, materials: NDArray[np.uint8]) -> tuple[Index, Index, NDArray[np.uint8]]:
    """Class row of each instance; layer of each class row; (classes, M, 4) colour of each material in each class."""
    names = sorted({extract.elements[e].ifc_class for e in np.unique(element).tolist()})
    row = {name: i for i, name in enumerate(names)}
    of_element = np.array([row.get(e.ifc_class, -1) for e in extract.elements], dtype=np.int64)
    ancestors = [extract.class_ancestors.get(name, [name]) for name in names]
    layers = np.array([_LAYERS.index(layer_of(a)) for a in ancestors], dtype=np.int64)
    default = np.array([colour_of(a) for a in ancestors], dtype=np.uint8).reshape(-1, 1, 4)
    colours = np.where(materials[None, :, 3:] == 0, default, materials[None])
    rooms = layers == _LAYERS.index("spaces")
    colours[rooms, :, 3] = np.minimum(colours[rooms, :, 3], ROOM_ALPHA)
    return of_element[element], layers, colours


def _write(model: _Model, group: _Group, out: Path, key: Key) -> Tile:
    rows = group.instances
    low, high = model.low[rows].min(axis=0), model.high[rows].max(axis=0)
    # Equal shapes one after another: their bytes repeat, and compression sees it.
    elements, of = np.unique(model.element[rows], return_inverse=True)
    variant = np.zeros(len(elements), dtype=np.int64)
    variant[of[::-1]] = model.variants.of_instance[rows][::-1]
    rank = np.empty(len(elements), dtype=np.int64)
    by_shape = np.lexsort((elements, variant))
    rank[by_shape] = np.arange(len(elements))
    order = np.argsort(rank[of], kind="stable")
    rows, feature = rows[order], rank[of][order]
    entries = [model.extract.elements[int(e)] for e in elements[by_shape]]
    mesh = _assemble(model, rows, feature, low, high)
    names = [(entry.global_id, entry.occurrence) for entry in entries]
    data = _packed(write_glb(mesh, names))
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
        triangles=int(model.triangles[rows].sum()),
        bbox=(*low.tolist(), *high.tolist()),
        key=key,
    )


def _packed(data: bytes) -> bytes:
    """gzip without a time stamp: equal data, equal bytes. Level 9 would take four times as long for two percent."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _assemble(
    model: _Model,
    rows: Index,
    feature: Index,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> TileMesh:
    """Place the variants of a tile on its grid, and append what is copied."""
    exponent = exponent_for(float((high - low).max()))
    step = 2.0**exponent
    low = (np.floor(low / step) - 1) * step  # one step of room for what is rounded twice
    all_steps = model.steps if exponent == FINEST else model.variants.steps(exponent)
    copied = model.copied[rows]
    placed = _placed(model, rows[~copied], feature[~copied], all_steps, low, exponent)
    if not copied.any():
        return placed
    return _with_copies(model, rows[copied], feature[copied], all_steps, placed)


def _placed(
    model: _Model,
    rows: Index,
    feature: Index,
    all_steps: NDArray[np.int32],
    low: NDArray[np.float64],
    exponent: int,
) -> TileMesh:
    """Variants moved to where they are.

    A variant is rounded before it is moved, by a whole number of steps: repetitions of it then differ by a constant
    only, which is what compression is good at.
    """
    v = model.variants
    variant = v.of_instance[rows]
    offset = np.rint((model.matrix[rows, :3, 3] - low) * 2.0**-exponent).astype(np.int32)
    first, count, opaque = v.starts[variant], np.diff(v.starts)[variant], v.opaque_vertices[variant]
    clear = count - opaque
    take, owner = ragged_rows(np.concatenate([first, first + opaque]), np.concatenate([opaque, clear]))
    owner %= max(len(rows), 1)
    steps = all_steps[take]
    steps += offset[owner]
    opaque_starts = np.cumsum(opaque) - opaque
    total = int(opaque.sum())
    clear_starts = np.cumsum(clear) - clear + total
    t_first, t_opaque = v.triangle_starts[variant], v.opaque_triangles[variant]
    t_clear = np.diff(v.triangle_starts)[variant] - t_opaque
    opaque_take, opaque_owner = ragged_rows(t_first, t_opaque)
    clear_take, clear_owner = ragged_rows(t_first + t_opaque, t_clear)
    edge_take, edge_owner = ragged(v.edge_starts, variant)
    edges = v.edges[edge_take]
    in_clear = edges >= opaque[edge_owner][:, None]
    moved = np.where(in_clear, (clear_starts - opaque)[edge_owner][:, None], opaque_starts[edge_owner][:, None])
    return TileMesh(
        steps=np.maximum(steps, 0, out=steps),
        normals=v.normals[take],
        colours=v.colours[take],
        features=feature[owner].astype(np.uint16),
        opaque=(v.triangles[opaque_take] + opaque_starts[opaque_owner][:, None]).astype(np.uint32),
        transparent=(v.triangles[clear_take] + (clear_starts - opaque)[clear_owner][:, None]).astype(np.uint32),
        edges=(edges + moved).astype(np.uint32),
        opaque_vertices=total,
        low=low,
        exponent=exponent,
    )


def _with_copies(
    model: _Model, rows: Index, feature: Index, all_steps: NDArray[np.int32], placed: TileMesh
) -> TileMesh:
    """The tile with the shapes that are stored once; each is moved so that its own coordinates start at zero."""
    v = model.variants
    variants, of = np.unique(v.of_instance[rows], return_inverse=True)
    take, _ = ragged(v.starts, variants)
    steps = all_steps[take]
    ends = np.cumsum(np.diff(v.starts)[variants])
    copies: list[Copies] = []
    for i, variant in enumerate(variants.tolist()):
        start, end = int(ends[i - 1]) if i else 0, int(ends[i])
        corner = steps[start:end].min(axis=0)
        steps[start:end] -= corner
        mine = rows[of == i]
        linear = model.matrix[mine, :3, :3]
        moves = model.matrix[mine, :3, 3] - placed.low + linear @ (corner * 2.0**placed.exponent)
        triangles = v.triangles[v.triangle_starts[variant] : v.triangle_starts[variant + 1]] + start
        opaque = int(v.opaque_triangles[variant])
        copies.append(
            Copies(
                opaque=triangles[:opaque].astype(np.uint32),
                transparent=triangles[opaque:].astype(np.uint32),
                edges=(v.edges[v.edge_starts[variant] : v.edge_starts[variant + 1]] + start).astype(np.uint32),
                translations=moves,
                rotations=Rotation.from_matrix(linear).as_quat(),
                features=feature[of == i].astype(np.uint16),
            )
        )
    return replace(
        placed,
        steps=np.concatenate([placed.steps, steps]),
        normals=np.concatenate([placed.normals, v.normals[take]]),
        colours=np.concatenate([placed.colours, v.colours[take]]),
        copies=copies,
    )


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
    """`python -m viewer.tiles EXTRACT OUT`: plain tiles and a tileset.json of one extract folder, to look at."""
    from viewer.tileset import tileset_of

    if len(arguments) != 2:
        sys.stderr.write("usage: python -m viewer.tiles EXTRACT OUT\n")
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


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
