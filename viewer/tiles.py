"""Extract → tiles: GLB files by storey and layer, as docs/architecture.md describes them.

Pure numpy; the same extract gives the same bytes. A tile is stored as it travels: compressed (`ENCODING`), named by
the hash of what is stored, and served with that Content-Encoding.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays
from viewer.glb import write_glb
from viewer.palette import Layer
from viewer.tile_keys import KnownTile, group_keys
from viewer.tile_mesh import assemble
from viewer.tile_model import LAYERS, Group, Model, looks, with_instances

Key = bytes
Box = tuple[float, float, float, float, float, float]

CONTENT_TYPE: Final = "model/gltf-binary"
ENCODING: Final = "gzip"  # every browser takes it over plain http too, which brotli is not
_THREADS: Final = min(4, os.cpu_count() or 1)


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
    extract: Extract,
    mesh: MeshArrays,
    placement: Placed,
    out: Path,
    known: Sequence[KnownTile] = (),
    on_tile: Callable[[Tile], None] | None = None,
) -> list[Tile]:
    """Write the tiles of a model into `out` and return them, ordered by storey, layer and part.

    Those that would come out as `known` ones are not written. `on_tile` gets each one that is, storey by storey.
    """
    out.mkdir(parents=True, exist_ok=True)
    if len(mesh.instance_element) == 0:
        return []
    storeys = np.asarray(placement.storey)
    element = np.asarray(mesh.instance_element, dtype=np.int64)
    classes, layers, _ = looks(extract, element, np.asarray(mesh.materials))
    group = (storeys[element] + 1) * len(LAYERS) + layers[classes]
    names = [LAYERS[number % len(LAYERS)] for number in range(int(group.max()) + 1)]
    keys = group_keys(extract, mesh, group, names)
    tiles = [tile for number, key in keys.items() for tile in _known(number, key, known, out)]
    reused = {number for number, key in keys.items() if any(tile.key == key for tile in known)}
    left = ~np.isin(group, list(reused))
    if left.any():
        model = Model.of(extract, with_instances(mesh, left), storeys)
        with ThreadPoolExecutor(_THREADS) as pool:  # encoding and compression let go of the interpreter's lock
            for tile in pool.map(lambda each: _write(model, each, out, keys[each.number]), model.groups()):
                tiles.append(tile)
                if on_tile is not None:
                    on_tile(tile)
    return sorted(tiles, key=lambda tile: (_number(tile), tile.part))


def _number(tile: Tile) -> int:
    """The group of instances that a tile shows."""
    return (-1 if tile.storey_index is None else tile.storey_index) * len(LAYERS) + LAYERS.index(tile.layer)


def _known(number: int, key: Key, known: Sequence[KnownTile], out: Path) -> Iterator[Tile]:
    storey = number // len(LAYERS) - 1
    for tile in known:
        if tile.key == key:
            yield Tile(
                storey_index=storey if storey >= 0 else None,
                layer=LAYERS[number % len(LAYERS)],
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


def _write(model: Model, group: Group, out: Path, key: Key) -> Tile:
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
    mesh = assemble(model, rows, feature, low, high)
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
