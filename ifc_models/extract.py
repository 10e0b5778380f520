"""The extract: what the sandboxed worker hands over to the server, as files in one folder.

`model.msgpack` holds an `Extract`, `geometry.msgpack` one `ElementGeometry` per meshed or lost element, and the
mesh lies beside them as `.npy` arrays (`MeshArrays`). Elements are referred to by their index in `Extract.elements`.
This module imports neither ifcopenshell nor a geometry kernel: the server reads extracts with it.

Lengths are metres in the building frame (the IFC world frame), z up. What goes into a `jsonb` column is JSON text
already (`bytes`), made once in the worker, so that the server's event loop neither parses nor writes it.
"""

from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
import numpy as np
import numpy.typing as npt

MODEL_FILE = "model.msgpack"
GEOMETRY_FILE = "geometry.msgpack"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something in the file that is wrong or unusual but did not stop the reading.

    `severity` is `info`, `warning` or `error` (an error lost something of the file); `count` says how many places,
    `where` names the first few (`#id`, a GlobalId or a line).
    """

    code: str
    message: str
    severity: str = "warning"
    where: tuple[str, ...] = ()
    count: int = 1
    params: dict[str, str] = {}  # what the text of `code` is filled with


class Header(msgspec.Struct, frozen=True):
    """What the file says about itself, and how much of what it holds."""

    schema: str  # as read: IFC2X3 | IFC4 | IFC4X3_ADD2
    declared_schema: str  # as written in FILE_SCHEMA
    file_name: str
    bytes: int
    application: str | None = None
    timestamp: str | None = None
    project: str | None = None
    entities: int = 0
    by_class: dict[str, int] = {}  # every concrete subclass of IfcProduct
    elements: int = 0  # IfcElement without IfcFeatureElementSubtraction
    length_unit: str = "m"
    length_scale: float = 1.0  # metres per length unit of the file


class Georeference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the building frame lies on Earth. All of it as the file says, lengths in metres."""

    latitude: float | None = None  # IfcSite, degrees
    longitude: float | None = None
    elevation: float | None = None  # m
    true_north: float | None = None  # degrees from the y axis, clockwise
    crs: str | None = None  # e.g. EPSG:25832
    eastings: float | None = None
    northings: float | None = None
    orthogonal_height: float | None = None
    rotation: float | None = None  # degrees, counterclockwise from grid east to the x axis
    scale: float | None = None  # map units per file unit, as in the file


class StoreyEntry(msgspec.Struct, frozen=True):
    """An IfcBuildingStorey: index of its element, name and elevation in the building frame (m)."""

    element: int
    name: str
    elevation: float | None


class TypeEntry(msgspec.Struct, frozen=True):
    """An IfcTypeObject. The JSON fields are as in table `element_type`."""

    global_id: str
    ifc_class: str
    occurrence: int = 0
    name: str | None = None
    description: str | None = None
    attributes: bytes = b"{}"
    psets: bytes = b"{}"
    quantities: bytes = b"{}"
    materials: bytes = b"[]"
    classifications: bytes = b"[]"
    documents: bytes = b"[]"


class ElementEntry(msgspec.Struct):
    """An IfcProduct. The JSON fields are as in table `element`.

    `parent` is the whole it is part of, else its port's or opening's owner, else the structure that contains it;
    `storey` and `space` follow the chain of parents and are what the *file* says (-1: nothing). `placement` is a
    row-major 4x4 in metres.
    """

    step_id: int
    global_id: str
    ifc_class: str
    occurrence: int = 0
    predefined_type: str | None = None
    name: str | None = None
    long_name: str | None = None
    description: str | None = None
    object_type: str | None = None
    tag: str | None = None
    attributes: bytes = b"{}"
    psets: bytes = b"{}"
    quantities: bytes = b"{}"
    materials: bytes = b"[]"
    classifications: bytes = b"[]"
    documents: bytes = b"[]"
    type: int = -1  # index in Extract.types
    parent: int = -1
    storey: int = -1
    space: int = -1
    elevation: float | None = None  # m, storeys only
    placement: tuple[float, ...] | None = None  # 16 values
    has_body: bool = False  # the file gives it a body representation
    unsafe: str | None = None  # why no kernel may touch its geometry (a cycle, a chain too deep)
    content_hash: bytes = b""  # 16 bytes over everything above but step_id


class GroupEntry(msgspec.Struct, frozen=True):
    """An IfcGroup (system, zone, …): members are elements, children are groups, `serves` are spatial elements."""

    global_id: str
    ifc_class: str
    occurrence: int = 0
    predefined_type: str | None = None
    name: str | None = None
    long_name: str | None = None
    description: str | None = None
    psets: bytes = b"{}"
    members: tuple[int, ...] = ()
    children: tuple[int, ...] = ()
    serves: tuple[int, ...] = ()


class Relation(msgspec.Struct, frozen=True, array_like=True):
    """An edge between two elements; `kind` as in table `element_relation`."""

    kind: str
    from_: int
    to: int


CURVES_ONLY: Final = "its body has curves only, no surface"
ALL_OPENING: Final = "its openings take all of its body"
"""Notes of `lost` elements that lack nothing: the file gives them no surface to show."""


class ElementGeometry(msgspec.Struct, frozen=True):
    """How an element got its mesh.

    `rung` is `ifclite`, `manifold` (cut by half spaces), `sweep` (along an alignment), `occ`, `box` (a bounding box
    stands in) or `lost` (no mesh; `note` says why).
    """

    element: int
    rung: str
    note: str | None = None


class Extract(msgspec.Struct):
    """One IFC file, read. `class_ancestors` has every class seen with all its superclasses, itself first."""

    header: Header
    georeference: Georeference | None
    storeys: list[StoreyEntry]
    elements: list[ElementEntry]
    types: list[TypeEntry]
    groups: list[GroupEntry]
    relations: list[Relation]
    warnings: list[Finding]
    class_ancestors: dict[str, list[str]]
    seconds: dict[str, float]


_model_decoder = msgspec.msgpack.Decoder(Extract)
_geometry_decoder = msgspec.msgpack.Decoder(list[ElementGeometry])


def write_extract(folder: Path, extract: Extract) -> None:
    """Write `model.msgpack`; it appears complete or not at all."""
    _write_whole(folder / MODEL_FILE, msgspec.msgpack.encode(extract))


def load_extract(folder: Path) -> Extract:
    """The extract of a folder that `run_worker` filled. Raises FileNotFoundError where the reading never finished."""
    return _model_decoder.decode((folder / MODEL_FILE).read_bytes())


def write_geometry(folder: Path, geometry: list[ElementGeometry]) -> None:
    """Write `geometry.msgpack`; it appears complete or not at all."""
    _write_whole(folder / GEOMETRY_FILE, msgspec.msgpack.encode(geometry))


def load_geometry(folder: Path) -> list[ElementGeometry]:
    """How each element was meshed; empty where nothing was. Elements without a body have no entry."""
    path = folder / GEOMETRY_FILE
    return _geometry_decoder.decode(path.read_bytes()) if path.exists() else []


def _write_whole(path: Path, data: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(data)
    part.replace(path)


@dataclass(slots=True)
class MeshArrays:
    """The meshes of a model: shapes in their own frames, and instances that put them into the building.

    Shape `s` owns vertices `shape_vertices[s]:shape_vertices[s + 1]` and triangles likewise; its `triangles` count
    from its own first vertex. `instance_matrix` maps shape → building frame, column vectors (`M @ [x, y, z, 1]`), m.
    """

    positions: npt.NDArray[np.float32]  # (V, 3) m
    triangles: npt.NDArray[np.uint32]  # (T, 3)
    triangle_material: npt.NDArray[np.uint16]  # (T,) row of materials
    shape_vertices: npt.NDArray[np.uint64]  # (S + 1,)
    shape_triangles: npt.NDArray[np.uint64]  # (S + 1,)
    materials: npt.NDArray[np.uint8]  # (M, 4) RGBA
    instance_element: npt.NDArray[np.uint32]  # (I,)
    instance_shape: npt.NDArray[np.uint32]  # (I,)
    instance_matrix: npt.NDArray[np.float64]  # (I, 4, 4)

    @classmethod
    def empty(cls) -> Self:
        """A model without a mesh."""
        return cls(
            np.zeros((0, 3), np.float32),
            np.zeros((0, 3), np.uint32),
            np.zeros(0, np.uint16),
            np.zeros(1, np.uint64),
            np.zeros(1, np.uint64),
            np.zeros((0, 4), np.uint8),
            np.zeros(0, np.uint32),
            np.zeros(0, np.uint32),
            np.zeros((0, 4, 4), np.float64),
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` per array into `folder`."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, *, mmap: bool = False) -> Self:
        """Read the arrays of `folder`; `MeshArrays.empty()` where there are none."""
        if not (folder / "positions.npy").exists():
            return cls.empty()
        mode: Literal["r"] | None = "r" if mmap else None
        # As plain arrays: slicing a memmap costs ten times as much, and meshes are looked at shape by shape.
        return cls(*(np.asarray(np.load(folder / f"{field.name}.npy", mmap_mode=mode)) for field in fields(cls)))

    def shape_hashes(self) -> list[bytes]:
        """16 bytes per shape over its triangles, colours and vertices rounded to 0.1 mm."""
        rounded = np.rint(self.positions.astype(np.float64) * 1e4).astype(np.int64)
        colours = self.materials[self.triangle_material] if len(self.triangle_material) else self.materials
        hashes: list[bytes] = []
        for s in range(len(self.shape_vertices) - 1):
            v0, v1 = int(self.shape_vertices[s]), int(self.shape_vertices[s + 1])
            t0, t1 = int(self.shape_triangles[s]), int(self.shape_triangles[s + 1])
            digest = blake2b(rounded[v0:v1].tobytes(), digest_size=16)
            digest.update(np.ascontiguousarray(self.triangles[t0:t1]).tobytes())
            digest.update(np.ascontiguousarray(colours[t0:t1]).tobytes())
            hashes.append(digest.digest())
        return hashes

    def element_shape_hashes(self) -> dict[int, bytes]:
        """Element index → 16 bytes over the shapes it shows, in the shapes' own frames."""
        shapes = self.shape_hashes()
        of: dict[int, list[bytes]] = {}
        for element, shape in zip(self.instance_element.tolist(), self.instance_shape.tolist(), strict=True):
            of.setdefault(element, []).append(shapes[shape])
        return {
            e: h[0] if len(h) == 1 else blake2b(b"".join(sorted(h)), digest_size=16).digest() for e, h in of.items()
        }

    def element_bounds(self, elements: int) -> npt.NDArray[np.float64]:
        """(elements, 6) float: min x y z, max x y z of each element's mesh in metres; NaN where it has none."""
        low = np.full((elements, 3), np.inf)
        high = np.full((elements, 3), -np.inf)
        starts = self.shape_vertices.astype(np.int64)
        for i, (element, shape) in enumerate(
            zip(self.instance_element.tolist(), self.instance_shape.tolist(), strict=True)
        ):
            vertices = self.positions[starts[shape] : starts[shape + 1]]
            if len(vertices):
                matrix = self.instance_matrix[i]
                world = vertices @ matrix[:3, :3].T + matrix[:3, 3]
                np.minimum(low[element], world.min(axis=0), out=low[element])
                np.maximum(high[element], world.max(axis=0), out=high[element])
        bounds = np.hstack([low, high])
        bounds[~np.isfinite(bounds).all(axis=1)] = np.nan
        return bounds
