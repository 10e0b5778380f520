"""Tiles of an extract folder."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import MeshArrays, load_extract
from viewer.tiles import Tile, build_tiles
from viewer.tileset import tileset_of


@dataclass(frozen=True, slots=True)
class FileStoreys:
    """The storeys as the file itself says, for tiles without derived placement."""

    storey: NDArray[np.int64]


def build_folder(folder: Path, out: Path, storey: Sequence[int] | None = None) -> list[Tile]:
    """Tiles of an extract folder; `storey` by element, as the file says unless given."""
    extract = load_extract(folder)
    where = np.array(storey if storey is not None else [e.storey for e in extract.elements], dtype=np.int64)
    return build_tiles(extract, MeshArrays.load(folder), FileStoreys(where), out)


def main(arguments: Sequence[str]) -> int:
    """`python -m viewer.tile_folder EXTRACT OUT`: plain tiles and a tileset.json of one extract folder, to look at."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m viewer.tile_folder EXTRACT OUT\n")
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
