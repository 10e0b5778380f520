"""Everything that was read, meshed and placed of a version, as one blob: it brings the version back without its file.

A version is restored, or a file imported that the model had before, by storing its package again. Written where the
extract is at hand (not in the server process), read in a thread.
"""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from ifc_models.extract import ElementGeometry, Extract
from ifc_models.version import ElementPlacement, FloorShape, StoredTile

CONTENT_TYPE: Final = "application/vnd.twin.version+msgpack; encoding=zlib"


class PackedTile(msgspec.Struct, frozen=True):
    """A tile that is stored already."""

    storey_index: int | None
    layer: str
    part: int
    hash: str
    key: bytes | None
    bytes: int
    elements: int
    triangles: int
    bbox: tuple[float, ...]


class _Floor(msgspec.Struct, frozen=True):
    wkb: bytes
    area: float
    height: float

    @property
    def polygon(self) -> Any:
        return shapely.from_wkb(self.wkb)


class _Packed(msgspec.Struct):
    extract: Extract
    geometry: list[ElementGeometry]
    arrays: dict[str, bytes]  # little-endian, as `_ARRAYS` says
    floors: dict[int, _Floor]
    shapes: dict[int, bytes]
    tiles: list[PackedTile]
    ends: dict[int, bytes] = {}  # rows of seven f8


_ARRAYS: Final = {
    "storey": np.dtype("<i8"),
    "space": np.dtype("<i8"),
    "storey_derived": np.dtype("?"),
    "space_derived": np.dtype("?"),
    "boxes": np.dtype("<f8"),
    "measures": np.dtype("<f8"),
}


class Package:
    """A version as it was stored; an `ElementPlacement` itself."""

    def __init__(self, packed: _Packed) -> None:
        self.extract, self.geometry = packed.extract, packed.geometry
        self.shapes, self.tiles = packed.shapes, packed.tiles
        arrays: dict[str, NDArray[Any]] = {
            name: np.frombuffer(packed.arrays[name], dtype) for name, dtype in _ARRAYS.items()
        }
        n = len(self.extract.elements)
        self.boxes: NDArray[np.float64] = arrays["boxes"].reshape(n, -1)
        self.measures: NDArray[np.float64] = arrays["measures"].reshape(n, -1)
        self.storey: NDArray[np.int64] = arrays["storey"]
        self.space: NDArray[np.int64] = arrays["space"]
        self.storey_derived: NDArray[np.bool_] = arrays["storey_derived"]
        self.space_derived: NDArray[np.bool_] = arrays["space_derived"]
        self.footprints: Mapping[int, FloorShape] = packed.floors
        self.ends = {index: np.frombuffer(data, "<f8").reshape(-1, 7) for index, data in packed.ends.items()}


def write_package(
    path: Path,
    extract: Extract,
    geometry: Sequence[ElementGeometry],
    placement: ElementPlacement,
    boxes: NDArray[np.float64],
    measures: NDArray[np.float64],
    shapes: Mapping[int, bytes],
    tiles: Sequence[StoredTile],
    ends: Mapping[int, NDArray[np.float64]],
) -> None:
    """Write a version's package to `path`. Equal versions give equal bytes."""
    arrays = {
        "storey": placement.storey,
        "space": placement.space,
        "storey_derived": placement.storey_derived,
        "space_derived": placement.space_derived,
        "boxes": boxes,
        "measures": measures,
    }
    floors = {
        index: _Floor(shapely.to_wkb(floor.polygon), float(floor.area), float(floor.height))
        for index, floor in placement.footprints.items()
    }
    timeless = msgspec.structs.replace(extract, seconds={})
    packed = _Packed(
        timeless,
        list(geometry),
        {name: np.ascontiguousarray(arrays[name], dtype).tobytes() for name, dtype in _ARRAYS.items()},
        floors,
        dict(shapes),
        [
            PackedTile(
                t.storey_index, t.layer, t.part, t.hash, t.key, t.bytes, t.elements, t.triangles, tuple(t.bbox)
            )
            for t in tiles
        ],
        {index: np.ascontiguousarray(rows, "<f8").tobytes() for index, rows in ends.items()},
    )  # fmt: skip
    path.write_bytes(zlib.compress(msgspec.msgpack.encode(packed), 1))


_decoder = msgspec.msgpack.Decoder(_Packed)


def load_package(path: Path) -> Package:
    """Read a package. Raises OSError for one that is not there, ValueError for a damaged one."""
    try:
        return Package(_decoder.decode(zlib.decompress(path.read_bytes())))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(str(error)) from error
