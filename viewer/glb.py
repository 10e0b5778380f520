"""One tile's arrays → a GLB with quantised, meshopt-encoded attributes and a table of GlobalIds.

All primitives share their vertices: opaque triangles use the first of them, transparent ones the rest, crease edges
(LINES) any. So edges cost no positions of their own on the wire.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import meshopt
import numpy as np
from numpy.typing import NDArray

from viewer.guid import bytes_of_global_id

Rows = NDArray[np.uint32]

FINEST: Final = -12  # positions are rounded to 2^-12 m, a quarter of a millimetre; a tube of 10 mm stays round
_STEPS: Final = 65_535  # of a u16; a tile bigger than that many steps (16 m) has f32 positions on the same grid
_MANTISSA_BITS: Final = 23  # without sign; a tile bigger than 2 km has a coarser grid
_LINES, _TRIANGLES = 1, 4
_I8, _U8, _I16, _U16, _U32, _F32 = 5120, 5121, 5122, 5123, 5125, 5126
_VERTICES, _INDICES = 34962, 34963
_EXTENSIONS: Final = ["EXT_mesh_features", "EXT_meshopt_compression", "EXT_structural_metadata",
                      "KHR_materials_unlit", "KHR_mesh_quantization"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copies:
    """A shape that is stored once and shown several times. Its rows count from the tile's first copied vertex."""

    opaque: Rows  # (T, 3)
    transparent: Rows  # (U, 3)
    edges: Rows  # (E, 2)
    translations: NDArray[np.float64]  # (k, 3) m from the tile's `low`
    rotations: NDArray[np.float64]  # (k, 4) unit quaternions x y z w
    features: NDArray[np.uint16]  # (k,)


@dataclass(frozen=True, slots=True)
class TileMesh:
    """Vertices of one tile: the placed ones, of them the opaque ones first, then those of `copies`.

    Building axes. A placed vertex is `low` + `steps` × 2^`exponent` m; a copied one is turned and moved by its copy.
    """

    steps: NDArray[np.int32]  # (V, 3) not negative
    normals: NDArray[np.uint32]  # (V,) four bytes each, as the octahedral filter stores them
    colours: NDArray[np.uint32]  # (V,) four bytes each: linear RGBA
    features: NDArray[np.uint16]  # (P,) of the placed vertices
    opaque: Rows  # (T, 3) vertex rows
    transparent: Rows  # (U, 3) vertex rows
    edges: Rows  # (E, 2) vertex rows
    opaque_vertices: int
    low: NDArray[np.float64]  # (3,) m
    exponent: int  # of the grid: a step is 2^exponent m
    copies: Sequence[Copies] = ()

    def plain_normals(self) -> NDArray[np.float32]:
        """(V, 3) unit normals."""
        x, y, unit = (self.normals.view(np.int8).reshape(-1, 4)[:, i].astype(np.float32) for i in range(3))
        x, y = x / unit, y / unit
        z = 1 - np.abs(x) - np.abs(y)
        fold = np.maximum(-z, 0)
        normals = np.stack([x - np.copysign(fold, x), y - np.copysign(fold, y), z], axis=1)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.asarray(normals / length, dtype=np.float32)


def write_glb(mesh: TileMesh, names: Sequence[tuple[str, int]]) -> bytes:
    """The GLB. `names`: GlobalId and occurrence (0 unless the GlobalId is repeated) of each feature."""
    writer = _Writer()
    small = not mesh.copies and int(mesh.steps.max()) <= _STEPS
    layout = _attributes(writer, mesh, small=small)
    place: dict[str, Any] = {"translation": mesh.low.tolist()}
    if small:
        place["scale"] = [2.0**mesh.exponent * _STEPS] * 3
    features = {"featureIds": [{"featureCount": len(names), "attribute": 0, "propertyTable": 0}]}
    meshes, nodes = [], []
    if len(mesh.features):
        meshes.append(
            _primitives(writer, (mesh.opaque, mesh.transparent, mesh.edges), layout[:3], mesh.opaque_vertices)
        )
        nodes.append({"mesh": 0, **place})
        for primitive in meshes[0]:
            primitive["extensions"] = {"EXT_mesh_features": features}
    for copy, instances in zip(mesh.copies, _instances(writer, mesh), strict=True):
        extensions = {"EXT_mesh_gpu_instancing": {"attributes": instances}, "EXT_instance_features": features}
        nodes.append({"mesh": len(meshes), **place, "extensions": extensions})
        meshes.append(_primitives(writer, (copy.opaque, copy.transparent, copy.edges), layout[3:], 0))
    # glTF is y up: the outer node turns the building's z up into it.
    turn = {"rotation": [-(0.5**0.5), 0.0, 0.0, 0.5**0.5], "children": list(range(1, len(nodes) + 1))}
    instancing = ["EXT_mesh_gpu_instancing"] if mesh.copies else []
    return writer.finish({
        "asset": {"version": "2.0", "generator": "bim-twin"},
        "extensionsUsed": [*_EXTENSIONS, *instancing, *(["EXT_instance_features"] if mesh.copies else [])],
        "extensionsRequired": ["EXT_meshopt_compression", "KHR_mesh_quantization", *instancing],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [turn, *nodes],
        "meshes": [{"primitives": primitives} for primitives in meshes],
        "materials": _MATERIALS,
        "extensions": {"EXT_structural_metadata": _property_table(writer, names)},
    })  # fmt: skip


_MATERIALS: Final = [
    {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.9}, "doubleSided": True},
    {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.4}, "doubleSided": True, "alphaMode": "BLEND"},
    {"pbrMetallicRoughness": {"baseColorFactor": [0.06, 0.07, 0.08, 1]}, "extensions": {"KHR_materials_unlit": {}}},
]


def exponent_for(extent: float) -> int:
    """The grid of a tile that is `extent` m long: its step is 2 to the power of what is returned, m."""
    return max(FINEST, math.ceil(math.log2(max(extent, 1e-9))) + 1 - _MANTISSA_BITS)


def _attributes(writer: _Writer, mesh: TileMesh, *, small: bool) -> list[dict[str, int]]:
    """Attribute accessors for opaque, transparent and all placed vertices, then for copied ones: as surface twice,
    and as edges."""
    steps, exponent, count = mesh.steps, mesh.exponent, len(mesh.steps)
    kind, stored = _U16, np.asarray(steps)
    if small:
        padded = np.zeros((count, 4), dtype=np.uint16)
        padded[:, :3] = steps
        place = writer.attributes(padded)
    else:
        kind, stored = _F32, steps * 2.0**exponent  # type: ignore[assignment]
        place = writer.attributes(_fixed_point(steps, exponent), "EXPONENTIAL")
    placed = len(mesh.features)
    names = -1
    if placed:
        features = np.zeros((placed, 2), dtype=np.uint16)  # a row is at least four bytes
        features[:, 0] = mesh.features
        names = writer.attributes(features)
    normals = writer.attributes(mesh.normals, "OCTAHEDRAL")
    colours = writer.attributes(mesh.colours)

    def accessors(start: int, end: int, *, surface: bool, named: bool) -> dict[str, int]:
        if start == end:
            return {}
        n = end - start
        columns = [stored[start:end, axis] for axis in range(3)]  # numpy is slow along short rows
        box = {"min": [c.min().item() for c in columns], "max": [c.max().item() for c in columns]}
        found = {"POSITION": writer.accessor(place, start, n, kind, "VEC3", small, **box)}
        if named:
            found["_FEATURE_ID_0"] = writer.accessor(names, start, n, _U16, "SCALAR")
        if surface:
            found["NORMAL"] = writer.accessor(normals, start, n, _I8, "VEC3", True)
            found["COLOR_0"] = writer.accessor(colours, start, n, _U8, "VEC4", True)
        return found

    copied = accessors(placed, count, surface=True, named=False)
    return [
        accessors(0, mesh.opaque_vertices, surface=True, named=True),
        accessors(mesh.opaque_vertices, placed, surface=True, named=True),
        accessors(0, placed, surface=False, named=True),
        copied,
        copied,
        {name: accessor for name, accessor in copied.items() if name == "POSITION"},
    ]


def _fixed_point(steps: NDArray[Any], exponent: int) -> NDArray[np.uint32]:
    """What the exponential filter reads: a byte of exponent over 24 bits of mantissa."""
    return (steps.astype(np.int64) & 0xFFFFFF).astype(np.uint32) | np.uint32((exponent & 0xFF) << 24)


def _primitives(
    writer: _Writer, rows: tuple[Rows, Rows, Rows], layout: list[dict[str, int]], opaque_vertices: int
) -> list[dict[str, Any]]:
    primitives: list[dict[str, Any]] = []
    for material, (indices, first) in enumerate(zip(rows, (0, opaque_vertices, 0), strict=True)):
        if not len(indices):
            continue
        lines = material == len(rows) - 1
        accessor = writer.indices((indices - np.uint32(first)).reshape(-1), "INDICES" if lines else "TRIANGLES")
        primitives.append(
            {
                "attributes": layout[material],
                "indices": accessor,
                "material": material,
                "mode": _LINES if lines else _TRIANGLES,
            }
        )
    return primitives


def _instances(writer: _Writer, mesh: TileMesh) -> list[dict[str, int]]:
    """Accessors of each copy's translations (quarter steps), rotations (16 bits) and features."""
    if not mesh.copies:
        return []
    exponent = mesh.exponent - 2
    moves = np.rint(np.concatenate([c.translations for c in mesh.copies]) * 2.0**-exponent)
    turns = np.concatenate([c.rotations for c in mesh.copies]).astype(np.float32)
    features = np.zeros((len(moves), 2), dtype=np.uint16)
    features[:, 0] = np.concatenate([c.features for c in mesh.copies])
    views = (
        writer.attributes(_fixed_point(moves, exponent), "EXPONENTIAL"),
        writer.attributes(meshopt.encode_filter_quat(turns, 8, 16), "QUATERNION"),
        writer.attributes(features),
    )
    found: list[dict[str, int]] = []
    start = 0
    for copy in mesh.copies:
        n = len(copy.features)
        found.append(
            {
                "TRANSLATION": writer.accessor(views[0], start, n, _F32, "VEC3"),
                "ROTATION": writer.accessor(views[1], start, n, _I16, "VEC4", True),
                "_FEATURE_ID_0": writer.accessor(views[2], start, n, _U16, "SCALAR"),
            }
        )
        start += n
    return found


def _property_table(writer: _Writer, names: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """EXT_structural_metadata: 16 bytes per GlobalId where each one decodes, text where one does not; `occurrence`
    only where a GlobalId is repeated."""
    packed = [bytes_of_global_id(name) for name, _ in names]
    properties: dict[str, Any] = {}
    declared: dict[str, Any] = {}
    if all(p is not None for p in packed):
        properties["global_id"] = {"values": writer.plain(b"".join(p for p in packed if p is not None))}
        declared["global_id"] = {"type": "SCALAR", "componentType": "UINT8", "array": True, "count": 16}
    else:
        texts = [name.encode() for name, _ in names]
        offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts])]).astype(np.uint32)
        values, ends = writer.plain(b"".join(texts)), writer.plain(offsets.tobytes())
        properties["global_id"] = {"values": values, "stringOffsets": ends}
        declared["global_id"] = {"type": "STRING"}
    if any(occurrence for _, occurrence in names):
        numbers = np.array([occurrence for _, occurrence in names], dtype=np.uint32)
        properties["occurrence"] = {"values": writer.plain(numbers.tobytes())}
        declared["occurrence"] = {"type": "SCALAR", "componentType": "UINT32"}
    return {
        "schema": {"id": "twin", "classes": {"element": {"properties": declared}}},
        "propertyTables": [{"class": "element", "count": len(names), "properties": properties}],
    }


class _Writer:
    """Collects buffer views: encoded ones live in the binary chunk, what they stand for in a fallback buffer
    without data."""

    def __init__(self) -> None:
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._chunks: list[bytes] = []
        self._length = 0
        self._fallback = 0

    def attributes(self, rows: NDArray[Any], filter_name: str | None = None) -> int:
        """A view of vertex rows (each a multiple of four bytes); its number."""
        data = meshopt.encode_gltf_buffer(rows, "ATTRIBUTES")
        stride = rows.nbytes // len(rows)
        return self._encoded(data, "ATTRIBUTES", len(rows), stride, filter_name, _VERTICES)

    def indices(self, rows: Rows, mode: str) -> int:
        """Encode indices (TRIANGLES in threes, INDICES in a row); the accessor's number."""
        small = int(rows.max()) < 65_535
        data = meshopt.encode_gltf_buffer(rows, "TRIANGLES" if mode == "TRIANGLES" else "INDICES")
        view = self._encoded(data, mode, len(rows), 2 if small else 4, None, _INDICES)
        return self.accessor(view, 0, len(rows), _U16 if small else _U32, "SCALAR")

    def accessor(
        self,
        view: int,
        start: int,
        count: int,
        component: int,
        kind: str,
        normalized: bool = False,
        **bounds: list[float],
    ) -> int:
        """An accessor of rows `start`…`start + count`; its number."""
        stride = self._views[view].get("byteStride", 0)
        accessor = {"bufferView": view, "componentType": component, "count": count, "type": kind, **bounds}
        if at := start * stride:
            accessor["byteOffset"] = at
        if normalized:
            accessor["normalized"] = True
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def plain(self, data: bytes) -> int:
        """A view of bytes as they are."""
        self._views.append({"buffer": 0, "byteOffset": self._append(data, 8), "byteLength": len(data)})
        return len(self._views) - 1

    def finish(self, document: dict[str, Any]) -> bytes:
        """The whole file."""
        document["accessors"], document["bufferViews"] = self._accessors, self._views
        document["buffers"] = [
            {"byteLength": self._length},
            {"byteLength": self._fallback, "extensions": {"EXT_meshopt_compression": {"fallback": True}}},
        ]
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        binary = b"".join(self._chunks)
        binary += b"\0" * (-len(binary) % 4)
        total = 12 + 8 + len(text) + 8 + len(binary)
        return b"".join([
            struct.pack("<4sII", b"glTF", 2, total),
            struct.pack("<I4s", len(text), b"JSON"), text,
            struct.pack("<I4s", len(binary), b"BIN\0"), binary,
        ])  # fmt: skip

    def _encoded(self, data: bytes, mode: str, count: int, stride: int, filter_name: str | None, target: int) -> int:
        packed: dict[str, Any] = {
            "buffer": 0, "byteOffset": self._append(data, 4), "byteLength": len(data),
            "byteStride": stride, "count": count, "mode": mode,
        }  # fmt: skip
        if filter_name is not None:
            packed["filter"] = filter_name
        view: dict[str, Any] = {
            "buffer": 1, "byteOffset": self._fallback, "byteLength": count * stride, "target": target,
            "extensions": {"EXT_meshopt_compression": packed},
        }  # fmt: skip
        if target == _VERTICES:
            view["byteStride"] = stride
        self._fallback += count * stride + -(count * stride) % 4
        self._views.append(view)
        return len(self._views) - 1

    def _append(self, data: bytes, align: int) -> int:
        pad = -self._length % align
        self._chunks.append(b"\0" * pad + data)
        at = self._length + pad
        self._length = at + len(data)
        return at
