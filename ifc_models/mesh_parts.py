"""What becomes of the mesher's answer: STEP ids become element indices, parts become one mesh, gaps become entries."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from ifc_models.extract import (
    ElementGeometry,
    Extract,
    MeshArrays,
    load_extract,
    write_extract,
    write_geometry,
)
from ifc_models.findings import Findings
from ifc_models.protocol import MESH_RESULT, MeshedProducts

MAX_PARTS: Final = 64  # processes started to find a culprit; what is then unmeshed is lost with a reason
_INSTANCES: Final = "instance_step_id.npy"
_OPENINGS: Final = "IfcFeatureElementSubtraction"


def merge_result(out: Path) -> Extract:
    """Join what the reader and the mesher wrote into `out`; every body gets an entry in `geometry.msgpack`."""
    extract = load_extract(out)
    meshed = msgspec.msgpack.decode((out / MESH_RESULT).read_bytes(), type=MeshedProducts)
    index: dict[int, int] = {}
    for i, element in enumerate(extract.elements):
        index.setdefault(element.step_id, i)
    _renumber(out, index)
    write_geometry(out, _geometry(extract, meshed, index))
    found = Findings()
    for step_id, reason in meshed.unsafe.items():
        at = index.get(step_id)
        if at is not None and extract.elements[at].unsafe is None:
            extract.elements[at].unsafe = reason
            found.add("ifc.unsafe_geometry", extract.elements[at].global_id)
    extract.warnings.extend(found.list())
    extract.seconds.update(meshed.seconds)
    write_extract(out, extract)
    return extract


def _renumber(out: Path, index: dict[int, int]) -> None:
    path = out / _INSTANCES
    if path.exists():
        step_ids = np.load(path)
        np.save(out / "instance_element.npy", np.array([index[s] for s in step_ids.tolist()], np.uint32))
        path.unlink()


def _geometry(extract: Extract, meshed: MeshedProducts, index: dict[int, int]) -> list[ElementGeometry]:
    openings = {name for name, chain in extract.class_ancestors.items() if _OPENINGS in chain}
    entries: list[ElementGeometry] = []
    for i, element in enumerate(extract.elements):
        rung = meshed.rung.get(element.step_id) if index[element.step_id] == i else None
        if rung is not None:
            entries.append(ElementGeometry(i, rung, meshed.note.get(element.step_id)))
        elif element.has_body and element.ifc_class not in openings:
            entries.append(ElementGeometry(i, "lost", meshed.note.get(element.step_id, "it was not meshed")))
    return entries


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the products, meshed by one process."""

    number: int
    step_ids: list[int]


@dataclass(slots=True)
class Parts:
    """Which products are still to be meshed after a mesher died, and what the parts gave."""

    step_ids: list[int]
    reason: str
    _waiting: list[list[int]] = field(default_factory=list)
    _folders: list[Path] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)  # STEP id → why no kernel meshes it
    _started: int = 0

    def __post_init__(self) -> None:
        self._waiting = list(_halves(self.step_ids))

    def next(self, *, give_up: bool = False) -> Part | None:
        """The next part to try; None when all is done, enough processes died, or time is up (`give_up`)."""
        if self._started >= MAX_PARTS or give_up:
            for step_ids in self._waiting:
                self.lost.update(dict.fromkeys(step_ids, f"meshing was given up: {self.reason}"))
            self._waiting.clear()
        if not self._waiting:
            return None
        self._started += 1
        return Part(self._started, self._waiting.pop(0))

    def failed(self, part: Part, reason: str) -> None:
        """A part died: halve it, or give its only product up."""
        if len(part.step_ids) > 1:
            self._waiting[:0] = _halves(part.step_ids)
        else:
            self.lost[part.step_ids[0]] = f"it killed the mesher ({reason})"

    def done(self, folder: Path) -> None:
        """A part was meshed into `folder`."""
        self._folders.append(folder)

    def boxed(self, folder: Path) -> None:
        """Those that were lost have boxes, in `folder`."""
        self._folders.append(folder)

    def join(self, out: Path) -> None:
        """Write the parts as one mesh and one result into `out`."""
        rung: dict[int, str] = dict.fromkeys(self.lost, "lost")
        note, triangles = dict(self.lost), 0
        unsafe: dict[int, str] = {}
        seconds: dict[str, float] = {}
        meshes: list[tuple[MeshArrays, np.typing.NDArray[np.uint32]]] = []
        for folder in self._folders:
            answer = msgspec.msgpack.decode((folder / MESH_RESULT).read_bytes(), type=MeshedProducts)
            rung.update(answer.rung)
            note.update(answer.note)
            unsafe.update(answer.unsafe)
            triangles += answer.triangles
            for name, value in answer.seconds.items():
                seconds[name] = seconds.get(name, 0.0) + value
            meshes.append(_load_part(folder))
        joined, step_ids = join_meshes(meshes)
        joined.save(out)
        np.save(out / _INSTANCES, step_ids)
        result = MeshedProducts(rung, note, unsafe, seconds, triangles)
        (out / MESH_RESULT).write_bytes(msgspec.msgpack.encode(result))


def _halves(step_ids: list[int]) -> list[list[int]]:
    middle = (len(step_ids) + 1) // 2
    return [half for half in (step_ids[:middle], step_ids[middle:]) if half]


def load_some(meshed: Path, extract: Extract) -> MeshArrays:
    """The arrays of a folder that the mesher wrote before it was done."""
    mesh, step_ids = _load_part(meshed)
    index = {element.step_id: i for i, element in reversed(list(enumerate(extract.elements)))}
    mesh.instance_element = np.array([index[s] for s in step_ids.tolist()], np.uint32)
    return mesh


def _load_part(folder: Path) -> tuple[MeshArrays, "np.typing.NDArray[np.uint32]"]:
    step_ids = np.load(folder / _INSTANCES)
    arrays = {f.name: np.load(folder / f"{f.name}.npy") for f in fields(MeshArrays) if f.name != "instance_element"}
    return MeshArrays(**arrays, instance_element=np.zeros(len(step_ids), np.uint32)), step_ids


def join_meshes(
    meshes: list[tuple[MeshArrays, "np.typing.NDArray[np.uint32]"]],
) -> tuple[MeshArrays, "np.typing.NDArray[np.uint32]"]:
    """Several meshes as one; the second value is the STEP id of each instance (I,)."""
    if not meshes:
        return MeshArrays.empty(), np.zeros(0, np.uint32)
    parts = [mesh for mesh, _ in meshes]
    materials = np.cumsum([0, *(len(p.materials) for p in parts)])
    shapes = np.cumsum([0, *(len(p.shape_vertices) - 1 for p in parts)])
    vertices = np.cumsum([0, *(len(p.positions) for p in parts)])
    triangles = np.cumsum([0, *(len(p.triangles) for p in parts)])
    joined = MeshArrays(
        np.concatenate([p.positions for p in parts]),
        np.concatenate([p.triangles for p in parts]),
        np.concatenate([p.triangle_material + np.uint16(materials[i]) for i, p in enumerate(parts)]),
        np.concatenate([[0], *(p.shape_vertices[1:] + np.uint64(vertices[i]) for i, p in enumerate(parts))]),
        np.concatenate([[0], *(p.shape_triangles[1:] + np.uint64(triangles[i]) for i, p in enumerate(parts))]),
        np.concatenate([p.materials for p in parts]),
        np.concatenate([p.instance_element for p in parts]),
        np.concatenate([p.instance_shape + np.uint32(shapes[i]) for i, p in enumerate(parts)]),
        np.concatenate([p.instance_matrix for p in parts]),
    )
    joined.shape_vertices = joined.shape_vertices.astype(np.uint64)
    joined.shape_triangles = joined.shape_triangles.astype(np.uint64)
    return joined, np.concatenate([step_ids for _, step_ids in meshes])
