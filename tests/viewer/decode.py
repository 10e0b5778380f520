"""Reads our tiles back, written against the specifications and not against the writer."""

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import meshopt
import numpy as np
from numpy.typing import NDArray

from viewer.guid import global_id_of_bytes

TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
Y_UP_TO_Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Primitive:
    mode: int
    transparent: bool
    positions: NDArray[Any]  # (V, 3) m, building frame
    normals: NDArray[Any] | None  # None on triangles: each has its own
    colours: NDArray[Any] | None  # (V, 4) 0…1, linear
    features: NDArray[Any]
    indices: NDArray[Any]


@dataclass(frozen=True)
class Decoded:
    document: dict[str, Any]
    primitives: list[Primitive]
    global_ids: list[str]
    occurrences: list[int]


def decode(path: Path, *, encoding: str = "gzip") -> Decoded:
    data = path.read_bytes()
    data = gzip.decompress(data) if encoding == "gzip" else data
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    binary = data[28 + size :]
    return _Reader(document, binary).read()


class _Reader:
    def __init__(self, document: dict[str, Any], binary: bytes) -> None:
        self.document, self.binary = document, binary

    def read(self) -> Decoded:
        document = self.document
        primitives: list[Primitive] = []
        for root in document["scenes"][document["scene"]]["nodes"]:
            self.node(root, Y_UP_TO_Z_UP, primitives)
        metadata = document["extensions"]["EXT_structural_metadata"]
        table = metadata["propertyTables"][0]
        declared = metadata["schema"]["classes"][table["class"]]["properties"]
        return Decoded(document, primitives, self.names(table, declared), self.occurrences(table))

    def node(self, index: int, parent: NDArray[Any], out: list[Primitive]) -> None:
        node = self.document["nodes"][index]
        matrix = parent @ transform(node)
        for child in node.get("children", ()):
            self.node(child, matrix, out)
        if "mesh" in node:
            primitives = self.document["meshes"][node["mesh"]]["primitives"]
            instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
            if instancing is None:
                out.extend(self.primitive(p, matrix) for p in primitives)
                return
            ids = node["extensions"]["EXT_instance_features"]["featureIds"][0]
            given = {name: self.accessor(i) for name, i in instancing["attributes"].items()}
            features = given[f"_FEATURE_ID_{ids['attribute']}"].reshape(-1)
            for move, turn, feature in zip(given["TRANSLATION"], given["ROTATION"], features, strict=True):
                turn = turn / np.linalg.norm(turn)
                there = matrix @ transform({"translation": move, "rotation": turn})
                out.extend(self.primitive(p, there, int(feature)) for p in primitives)

    def primitive(self, primitive: dict[str, Any], matrix: NDArray[Any], feature: int | None = None) -> Primitive:
        attributes = {name: self.accessor(i) for name, i in primitive["attributes"].items()}
        local = attributes["POSITION"].astype(float)
        normals = attributes.get("NORMAL")
        material = self.document["materials"][primitive["material"]]
        return Primitive(
            primitive.get("mode", 4),
            material.get("alphaMode") == "BLEND",
            local @ matrix[:3, :3].T + matrix[:3, 3],
            None if normals is None else normals @ np.linalg.inv(matrix[:3, :3]),
            attributes.get("COLOR_0"),
            np.full(len(local), feature) if feature is not None else attributes["_FEATURE_ID_0"].reshape(-1),
            self.accessor(primitive["indices"]).reshape(-1),
        )

    def accessor(self, index: int) -> NDArray[Any]:
        accessor = self.document["accessors"][index]
        view = self.document["bufferViews"][accessor["bufferView"]]
        dtype: np.dtype[Any] = np.dtype(TYPES[accessor["componentType"]])
        width = WIDTHS[accessor["type"]]
        data = self.view(accessor["bufferView"])
        stride = view.get("byteStride", dtype.itemsize * width)
        start = accessor.get("byteOffset", 0)
        rows = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, np.uint8)[start:], (accessor["count"], dtype.itemsize * width), (stride, 1)
        )
        values: NDArray[Any] = np.ascontiguousarray(rows).view(dtype)
        if "max" in accessor:
            for bound, said in ((values.max(axis=0), accessor["max"]), (values.min(axis=0), accessor["min"])):
                assert bound.tolist() == np.array(said).astype(dtype).tolist()
        if accessor.get("normalized"):
            values = np.maximum(values.astype(float) / np.iinfo(dtype).max, -1.0)
        return values

    def view(self, index: int) -> bytes:
        view = self.document["bufferViews"][index]
        packed = view.get("extensions", {}).get("EXT_meshopt_compression")
        if packed is None:
            return self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        source = self.binary[packed["byteOffset"] : packed["byteOffset"] + packed["byteLength"]]
        rows: NDArray[Any] = meshopt.decode_gltf_buffer(
            source, packed["count"], packed["byteStride"], packed["mode"], packed.get("filter")
        )
        assert rows.nbytes == view["byteLength"]
        return rows.tobytes()

    def names(self, table: dict[str, Any], declared: dict[str, Any]) -> list[str]:
        prop = table["properties"]["global_id"]
        values = self.view(prop["values"])
        if declared["global_id"]["type"] == "STRING":
            ends = np.frombuffer(self.view(prop["stringOffsets"]), np.uint32)
            return [values[a:b].decode() for a, b in zip(ends[:-1], ends[1:], strict=True)]
        return [global_id_of_bytes(values[i * 16 : i * 16 + 16]) for i in range(table["count"])]

    def occurrences(self, table: dict[str, Any]) -> list[int]:
        prop = table["properties"].get("occurrence")
        if prop is None:
            return [0] * int(table["count"])
        found: list[int] = np.frombuffer(self.view(prop["values"]), np.uint32).tolist()
        return found


def transform(node: dict[str, Any]) -> NDArray[Any]:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=float).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= node.get("scale", (1, 1, 1))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix
