"""One tile's arrays → a GLB with quantised, meshopt-encoded attributes and a table of GlobalIds.

All primitives share their vertices: those of flat surfaces lie first and have no normals (a reader of glTF takes the
triangles' own), those of smooth ones follow, and crease edges (LINES) use any. So edges cost no positions of their own
on the wire, and the faces of a box share its eight corners.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import meshopt
import numpy as np
from numpy.typing import NDArray

from viewer.guid import bytes_of_global_id

Rows = NDArray[np.uint32]

USUAL: Final = -11  # positions are rounded to 2^-11 m: at most a quarter of a millimetre off
FINE: Final = -12  # where a tile shows something as thin as wire
_STEPS: Final = 65_535  # of a u16; a tile bigger than that many steps (32 m) has f32 positions on the same grid
_MANTISSA_BITS: Final = 23  # without sign; a tile bigger than 2 km has a coarser grid
_LINES, _TRIANGLES = 1, 4
_I8, _U8, _I16, _U16, _U32, _F32 = 5120, 5121, 5122, 5123, 5125, 5126
_EXTENSIONS: Final = ["EXT_meshopt_compression", "EXT_structural_metadata", "KHR_mesh_quantization"]
_Y_UP: Final = [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1]  # glTF is y up: turns the building's z up into it


@dataclass(frozen=True, slots=True)
class Copies:
    """A shape that is stored once and shown several times. Its rows count from the tile's first copied vertex."""

    surfaces: tuple[Rows, ...]  # (T, 3) of each kind, as in TileMesh
    edges: Rows  # (E, 2)
    translations: NDArray[np.float64]  # (k, 3) m from the tile's `low`
    rotations: NDArray[np.float64]  # (k, 4) unit quaternions x y z w
    features: NDArray[np.uint16]  # (k,)


@dataclass(frozen=True, slots=True)
class TileMesh:
    """Vertices of one tile: the placed ones, of them those of flat surfaces first, then those of `copies` likewise.

    Building axes. A placed vertex is `low` + `steps` × 2^`exponent` m; a copied one is turned and moved by its copy.
    """

    steps: NDArray[np.int32]  # (V, 3) not negative
    normals: NDArray[np.uint32]  # (V,) four bytes each, as the octahedral filter stores them; written of smooth ones
    colours: NDArray[np.uint32]  # (V,) four bytes each: linear RGBA
    features: NDArray[np.uint16]  # (P,) of the placed vertices
    surfaces: tuple[Rows, ...]  # (T, 3) vertex rows: flat and opaque, flat and transparent, smooth and …
    edges: Rows  # (E, 2) vertex rows
    flat_vertices: int  # of the placed ones
    low: NDArray[np.float64]  # (3,) m
    exponent: int  # of the grid: a step is 2^exponent m
    copies: Sequence[Copies] = ()
    copied_flat_vertices: int = 0


def write_glb(mesh: TileMesh, names: Sequence[tuple[str, int]]) -> bytes:
    """The GLB. `names`: GlobalId and occurrence (0 unless the GlobalId is repeated) of each feature."""
    writer = _Writer()
    small = not mesh.copies and int(mesh.steps.max()) <= _STEPS
    placed, copied = _attributes(writer, mesh, small=small)
    place: dict[str, Any] = {"translation": mesh.low.tolist()}
    if small:
        place["scale"] = [2.0**mesh.exponent * _STEPS] * 3
    features = {"featureIds": [{"featureCount": len(names), "attribute": 0, "propertyTable": 0}]}
    meshes, nodes = [], []
    if len(mesh.features):
        meshes.append(_primitives(writer, mesh.surfaces, mesh.edges, placed))
        nodes.append({"mesh": 0, **place})
        for primitive in meshes[0]:
            primitive["extensions"] = {"EXT_mesh_features": features}
    for copy, instances in zip(mesh.copies, _instances(writer, mesh), strict=True):
        extensions = {"EXT_mesh_gpu_instancing": {"attributes": instances}, "EXT_instance_features": features}
        nodes.append({"mesh": len(meshes), **place, "extensions": extensions})
        meshes.append(_primitives(writer, copy.surfaces, copy.edges, copied))
    turn = {"matrix": _Y_UP, "children": list(range(1, len(nodes) + 1))}
    used = [*_EXTENSIONS, *(["EXT_mesh_features"] if len(mesh.features) else [])]
    instancing = ["EXT_mesh_gpu_instancing"] if mesh.copies else []
    return writer.finish({
        "asset": {"version": "2.0"},
        "extensionsUsed": [*used, *instancing, *(["EXT_instance_features"] if mesh.copies else [])],
        "extensionsRequired": ["EXT_meshopt_compression", "KHR_mesh_quantization", *instancing],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [turn, *nodes],
        "meshes": [{"primitives": primitives} for primitives in meshes],
        "materials": _MATERIALS,
        "extensions": {"EXT_structural_metadata": _property_table(writer, names)},
    })  # fmt: skip


_MATERIALS: Final = [
    {"pbrMetallicRoughness": {"metallicFactor": 0}, "doubleSided": True},
    {"pbrMetallicRoughness": {"metallicFactor": 0}, "doubleSided": True, "alphaMode": "BLEND"},
    {"pbrMetallicRoughness": {"baseColorFactor": [0.06, 0.07, 0.08, 1]}},  # lines have no normals: nothing is lit
]


def exponent_for(extent: float, *, fine: bool) -> int:
    """The grid of a tile that is `extent` m long: its step is 2 to the power of what is returned, m."""
    return max(FINE if fine else USUAL, math.ceil(math.log2(max(extent, 1e-9))) + 1 - _MANTISSA_BITS)


@dataclass(frozen=True, slots=True)
class _Attributes:
    """Accessors by name."""

    any: dict[str, int]  # of all vertices, for edges
    flat: dict[str, int]  # of all vertices too
    smooth: dict[str, int]  # of the later ones, with normals
    first: int  # where the later ones start


def _attributes(writer: _Writer, mesh: TileMesh, *, small: bool) -> tuple[_Attributes, _Attributes]:
    """Accessors for placed vertices and for copied ones."""
    steps, exponent, count, placed = mesh.steps, mesh.exponent, len(mesh.steps), len(mesh.features)
    kind, stored = _U16, np.asarray(steps)
    if small:
        padded = np.zeros((count, 4), dtype=np.uint16)
        padded[:, :3] = steps
        place = writer.attributes(padded)
    else:
        kind, stored = _F32, steps * 2.0**exponent  # type: ignore[assignment]
        place = writer.attributes(_fixed_point(steps, exponent), "EXPONENTIAL")
    names = -1
    if placed:
        features = np.zeros((placed, 2), dtype=np.uint16)  # a row is at least four bytes
        features[:, 0] = mesh.features
        names = writer.attributes(features)
    bends = [(mesh.flat_vertices, placed), (placed + mesh.copied_flat_vertices, count)]
    bent = np.concatenate([mesh.normals[start:end] for start, end in bends])
    normals = writer.attributes(bent, "OCTAHEDRAL") if len(bent) else -1
    colours = writer.attributes(mesh.colours)

    def accessors(start: int, end: int, *, named: bool) -> dict[str, int]:
        if start == end:
            return {}
        n = end - start
        columns = [stored[start:end, axis] for axis in range(3)]  # numpy is slow along short rows
        box = {"min": [_short(c.min()) for c in columns], "max": [_short(c.max()) for c in columns]}
        found = {"POSITION": writer.accessor(place, start, n, kind, "VEC3", small, **box)}
        if named:
            found["_FEATURE_ID_0"] = writer.accessor(names, start, n, _U16, "SCALAR")
        return found

    made, first_normal = [], 0
    for (first, end), start in zip(bends, (0, placed), strict=True):
        lines = accessors(start, end, named=end == placed)
        colour = {"COLOR_0": writer.accessor(colours, start, end - start, _U8, "VEC4", True)} if start < end else {}
        smooth: dict[str, int] = {}
        if first < end:
            smooth = accessors(first, end, named=end == placed) if first > start else dict(lines)
            smooth["COLOR_0"] = (
                writer.accessor(colours, first, end - first, _U8, "VEC4", True) if first > start else colour["COLOR_0"]
            )
            smooth["NORMAL"] = writer.accessor(normals, first_normal, end - first, _I8, "VEC3", True)
            first_normal += end - first
        made.append(_Attributes(lines, {**lines, **colour}, smooth, first - start))
    return made[0], made[1]


def _short(value: np.generic) -> float | int:
    """The shortest number that reads as the same float32, or a whole one."""
    whole = int(value)
    return whole if whole == value else float(str(np.float32(value)))


def _fixed_point(steps: NDArray[Any], exponent: int) -> NDArray[np.uint32]:
    """What the exponential filter reads: a byte of exponent over 24 bits of mantissa."""
    return (steps.astype(np.int64) & 0xFFFFFF).astype(np.uint32) | np.uint32((exponent & 0xFF) << 24)


def _primitives(
    writer: _Writer, surfaces: tuple[Rows, ...], edges: Rows, attributes: _Attributes
) -> list[dict[str, Any]]:
    primitives: list[dict[str, Any]] = []
    for kind, rows in enumerate((*surfaces, edges)):
        if not len(rows):
            continue
        lines, bent = kind == len(surfaces), kind in (2, 3)
        indices = (rows - np.uint32(attributes.first) if bent else rows).reshape(-1)
        primitives.append(
            {
                "attributes": attributes.any if lines else attributes.smooth if bent else attributes.flat,
                "indices": writer.indices(indices, lines=lines),
                "material": 2 if lines else kind % 2,
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


@dataclass(slots=True)
class _Stream:
    """Indices of several primitives that are encoded together."""

    mode: Literal["TRIANGLES", "INDICES"]
    rows: list[NDArray[np.uint32]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)


class _Writer:
    """Collects buffer views: encoded ones live in the binary chunk, what they stand for in a fallback buffer
    without data."""

    def __init__(self) -> None:
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._chunks: list[bytes] = []
        self._length = 0
        self._fallback = 0
        self._indices = [_Stream(mode) for mode in ("TRIANGLES", "INDICES")]

    def attributes(self, rows: NDArray[Any], filter_name: str | None = None) -> int:
        """A view of vertex rows (each a multiple of four bytes); its number."""
        data = meshopt.encode_gltf_buffer(rows, "ATTRIBUTES")
        stride = rows.nbytes // len(rows)
        return self._encoded(data, "ATTRIBUTES", len(rows), stride, filter_name)

    def indices(self, rows: Rows, *, lines: bool) -> int:
        """An accessor of indices; its number. All triangles are one stream, and all lines."""
        stream = self._indices[lines]
        self._accessors.append({"count": len(rows), "type": "SCALAR"})
        stream.accessors.append(self._accessors[-1])
        stream.rows.append(rows)
        return len(self._accessors) - 1

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
        for stream in self._indices:
            if stream.rows:
                self._encode_indices(stream)
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

    def _encode_indices(self, stream: _Stream) -> None:
        rows = np.concatenate(stream.rows)
        small = int(rows.max()) < 65_535
        size = 2 if small else 4
        view = self._encoded(meshopt.encode_gltf_buffer(rows, stream.mode), stream.mode, len(rows), size)
        at = 0
        for accessor in stream.accessors:
            accessor["bufferView"], accessor["componentType"] = view, _U16 if small else _U32
            if at:
                accessor["byteOffset"] = at * size
            at += accessor["count"]

    def _encoded(self, data: bytes, mode: str, count: int, stride: int, filter_name: str | None = None) -> int:
        packed: dict[str, Any] = {
            "buffer": 0, "byteOffset": self._append(data, 4), "byteLength": len(data),
            "byteStride": stride, "count": count, "mode": mode,
        }  # fmt: skip
        if filter_name is not None:
            packed["filter"] = filter_name
        view: dict[str, Any] = {
            "buffer": 1, "byteOffset": self._fallback, "byteLength": count * stride,
            "extensions": {"EXT_meshopt_compression": packed},
        }  # fmt: skip
        if mode == "ATTRIBUTES":
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
