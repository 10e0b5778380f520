"""A stored tile → triangles and crease edges in the building frame: for what is worked out from what is shown.

The way back of `viewer.glb`. It reads our own tiles only; what other glTF files may say is not understood.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import meshopt
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from viewer.guid import global_id_of_bytes

_TYPES: Final = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS: Final = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
_LINES: Final = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Triangles (K = 3) or crease edges (K = 2) that a tile shows, once or as N copies of one shape.

    `corners`: (C, K, 3), where they are, or before each copy's turn and shift. `features`: (C,) whose each of them is,
    or (N,) whose each copy is; numbers in `TileShapes.names`. `colours`: (C, 4) linear RGBA, 0…1, where asked for and
    the tile gives any.
    """

    corners: NDArray[np.float64]
    features: NDArray[np.int64]
    turns: NDArray[np.float64] | None = None  # (N, 3, 3)
    shifts: NDArray[np.float64] | None = None  # (N, 3)
    colours: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class TileShapes:
    """What a tile shows. Metres, building frame, z up."""

    names: list[tuple[str, int]]  # GlobalId and occurrence of each feature
    pieces: list[Piece]


def read_tile(data: bytes, *, colours: bool = False) -> TileShapes:
    """Return what a stored tile (gzip or plain GLB) shows; raise ValueError when it is none."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 20 or data[:4] != b"glTF":
        raise ValueError("not a GLB file")
    size = struct.unpack_from("<I", data, 12)[0]
    try:
        return _Reader(json.loads(data[20 : 20 + size]), data[28 + size :], colours).read()
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not a tile of ours: {error!r}") from error


class _Reader:
    """Walks the nodes of one tile. The outermost one turns z up into y up, which nothing here wants."""

    def __init__(self, document: dict[str, Any], binary: bytes, colours: bool) -> None:
        self._document, self._binary, self._coloured = document, binary, colours
        self._views: dict[int, bytes] = {}

    def read(self) -> TileShapes:
        nodes = self._document["nodes"]
        pieces = [piece for number in nodes[0].get("children", ()) for piece in self._node(nodes[number])]
        return TileShapes(self._names(), pieces)

    def _node(self, node: dict[str, Any]) -> Iterator[Piece]:
        move = np.array(node.get("translation", (0.0, 0.0, 0.0)))
        scale = np.array(node.get("scale", (1.0, 1.0, 1.0)))
        copies = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        for primitive in self._document["meshes"][node["mesh"]]["primitives"]:
            points = self._accessor(primitive["attributes"]["POSITION"]) * scale
            rows = self._accessor(primitive["indices"]).reshape(-1, 2 if primitive["mode"] == _LINES else 3)
            corners = rows.astype(np.int64)
            colour = primitive["attributes"].get("COLOR_0") if self._coloured else None
            colours = None if colour is None else self._accessor(colour)[corners[:, 0]]
            if copies is None:
                feature = self._accessor(primitive["attributes"]["_FEATURE_ID_0"]).reshape(-1).astype(np.int64)
                yield Piece(points[corners] + move, feature[corners[:, 0]], colours=colours)
                continue
            given = {name: self._accessor(number) for name, number in copies["attributes"].items()}
            turns = Rotation.from_quat(given["ROTATION"]).as_matrix()
            features = given["_FEATURE_ID_0"].reshape(-1).astype(np.int64)
            yield Piece(points[corners], features, turns, given["TRANSLATION"] + move, colours)

    def _accessor(self, number: int) -> NDArray[np.float64]:
        accessor = self._document["accessors"][number]
        view = self._document["bufferViews"][accessor["bufferView"]]
        kind: np.dtype[Any] = np.dtype(_TYPES[accessor["componentType"]])
        width = _WIDTHS[accessor["type"]]
        data = self._view(accessor["bufferView"])
        stride = view.get("byteStride", kind.itemsize * width)
        start = accessor.get("byteOffset", 0)
        table = np.frombuffer(data, np.uint8)[start : start + accessor["count"] * stride]
        table = np.pad(table, (0, accessor["count"] * stride - len(table))).reshape(accessor["count"], stride)
        values = np.ascontiguousarray(table[:, : kind.itemsize * width]).view(kind).astype(np.float64)
        if accessor.get("normalized"):
            values = np.maximum(values / np.iinfo(kind).max, -1.0)
        return values

    def _view(self, number: int) -> bytes:
        if number not in self._views:
            view = self._document["bufferViews"][number]
            packed = view.get("extensions", {}).get("EXT_meshopt_compression")
            if packed is None:
                found = self._binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
            else:
                source = self._binary[packed["byteOffset"] : packed["byteOffset"] + packed["byteLength"]]
                rows = meshopt.decode_gltf_buffer(
                    source, packed["count"], packed["byteStride"], packed["mode"], packed.get("filter")
                )
                found = rows.tobytes()
            self._views[number] = found
        return self._views[number]

    def _names(self) -> list[tuple[str, int]]:
        metadata = self._document["extensions"]["EXT_structural_metadata"]
        table = metadata["propertyTables"][0]
        declared = metadata["schema"]["classes"][table["class"]]["properties"]
        given = table["properties"]["global_id"]
        values = self._view(given["values"])
        if declared["global_id"]["type"] == "STRING":
            ends = np.frombuffer(self._view(given["stringOffsets"]), np.uint32).tolist()
            names = [values[a:b].decode() for a, b in zip(ends, ends[1:], strict=False)]
        else:
            names = [global_id_of_bytes(values[i * 16 : i * 16 + 16]) for i in range(table["count"])]
        repeated = table["properties"].get("occurrence")
        if repeated is None:
            return [(name, 0) for name in names]
        numbers = np.frombuffer(self._view(repeated["values"]), np.uint32).tolist()
        return list(zip(names, numbers, strict=True))
