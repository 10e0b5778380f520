"""The kernels that turn bodies into triangles, fastest first: `ifclite`, `occ`.

Each runs on STEP ids and answers in world metres (float64), so that callers need not know which one was at work.
The native ones run in a child process (`mesh_child`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ALL_OPENING
from ifc_models.mesh_child import ChildFailed, in_child, stream_from_child
from ifc_models.mesh_styles import Colour

Floats = NDArray[np.float64]
Faces = NDArray[np.uint32]
Quality = Literal["lowest", "low", "medium", "high", "highest"]

LARGEST = 1e5  # m: a single element bigger than 100 km is a mistake of a kernel
PRECISE = 0.001  # m: what a kernel may be wrong by
SINGLE = 2.0**-24  # the fast kernel works in single precision about an origin of its own choice
LOT: Final = 10_000  # products per call of the fast kernel at most; their meshes are in its memory
_SAMPLE = 100


@dataclass(frozen=True, slots=True)
class Mesh:
    """A mesh in metres. `colours` (f,) rows of `palette`; None: all of it in the colour that was planned."""

    vertices: Floats  # (v, 3) in the world, or where `matrix` maps from
    faces: Faces  # (f, 3)
    colours: NDArray[np.uint16] | None = None
    palette: tuple[Colour, ...] = ()
    matrix: Floats | None = None  # 4×4, to the world
    error: float = 0.0  # m: how far vertices may lie from where they should


def usable(vertices: Floats, faces: Faces) -> bool:
    """Whether a kernel's answer can be a body: not empty, finite, with valid indices, of a possible size, not flat
    to a line."""
    if len(faces) == 0 or len(vertices) < 3 or int(faces.max()) >= len(vertices):
        return False
    size = vertices.max(axis=0) - vertices.min(axis=0)  # NaN and inf spread into the size
    return bool(np.isfinite(size).all()) and 0 < float(size.max()) < LARGEST


def has_gaps(vertices: Floats, faces: Faces) -> bool:
    """Whether a surface is not closed: more than one edge in two hundred belongs to an odd number of triangles."""
    rounded = np.rint((vertices - vertices[0]) * 2e4).astype(np.int64)
    _, point = np.unique(rounded @ (1, 1 << 21, 1 << 42), return_inverse=True)
    corner = point.reshape(-1)[faces]
    edges = np.sort(np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [2, 0]]]), axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]]
    _, count = np.unique(edges[:, 0] * len(rounded) + edges[:, 1], return_counts=True)
    return len(count) == 0 or float((count % 2).mean()) > 0.005


# --- ifclite -------------------------------------------------------------------------------------------------------


def fast(
    path: Path,
    added_text: str,
    ids: Sequence[int],
    scratch: Path,
    *,
    seconds: float,
    quality: Quality = "medium",
    report: Callable[[int], None] | None = None,
    origin: Floats | None = None,
    order: Mapping[int, int] | None = None,
    on_found: Callable[[Iterable[int], dict[int, Mesh]], None] | None = None,
) -> dict[int, Mesh]:
    """Meshes by STEP id from `ifclite-geom`; products that it cannot mesh are missing.

    `added_text` are STEP lines to stand in the data section besides the file's own. `report` gets the number of
    products done. `origin` (3,) m: what to add to where things stand in the file at `path`. `order`: what is wanted
    first, of a big model; `on_found` gets the ids that were asked for until now and the meshes found, after each lot.
    """
    found: dict[int, Mesh] = {}
    end = time.monotonic() + seconds
    waiting = asked_in_lots(ids, order)
    done, answered = 0, set[int]()
    while waiting and (left := end - time.monotonic()) > 0:
        lot = waiting.pop(0)
        try:
            in_child(_fast_child, path, added_text, lot, scratch, quality, seconds=left)
            found.update(_read_scratch(scratch, origin))
        except ChildFailed:
            if len(lot) > 1:
                # halve until the culprit is alone; the exact kernel tries that one
                waiting[:0] = [lot[: len(lot) // 2], lot[len(lot) // 2 :]]
                continue
        done += len(lot)
        answered.update(lot)
        if report is not None:
            report(done)
        if waiting and on_found is not None:
            on_found(answered, found)
        if len(found) > _SAMPLE and all(mesh.error > PRECISE for mesh in found.values()):
            break  # the whole model is too far away for single precision
    return found


def asked_in_lots(ids: Sequence[int], order: Mapping[int, int] | None) -> list[list[int]]:
    """Lots of ids, each for one call, which reads the whole file and has threads of its own: as few as can be.

    Where an order is wanted, what is first in it goes before the rest: whole ranks of it, a quarter or more of the ids;
    but not where that would be most of them.
    """
    first = 0
    if order is not None:
        ids = sorted(ids, key=lambda i: order.get(i, len(order)))
        first = len(ids) // 4
        while 0 < first < len(ids) and order.get(ids[first]) == order.get(ids[first - 1]):
            first += 1
        first = 0 if first > len(ids) // 2 else first
    parts = ids[:first], ids[first:]
    return [list(part[at : at + LOT]) for part in parts for at in range(0, len(part), LOT)]


def _fast_child(path: Path, added_text: str, ids: list[int], scratch: Path, quality: Quality) -> None:
    import ifclite_geom  # here: its thread pool must belong to the child

    data = path.read_bytes()
    if added_text:
        at = data.rfind(b"ENDSEC")
        data = b"".join([data[:at], b"\n", added_text.encode("ascii", "replace"), b"\n", data[at:]])
    answer = ifclite_geom.geometry_data_buffers(data, quality=quality, ids=set(ids))
    elements = answer["elements"]
    np.save(scratch / "origin.npy", np.array(answer["rtc_offset"]))
    sizes = [(key, len(e["vertices"]) // 24, len(e["faces"]) // 12) for key, e in elements.items()]
    np.save(scratch / "sizes.npy", np.array(sizes, dtype=np.int64).reshape(-1, 3))
    with (scratch / "vertices.bin").open("wb") as vertices, (scratch / "faces.bin").open("wb") as faces:
        for element in elements.values():
            vertices.write(element["vertices"])
            faces.write(element["faces"])


def _read_scratch(scratch: Path, moved: Floats | None) -> dict[int, Mesh]:
    sizes, origin = np.load(scratch / "sizes.npy"), np.load(scratch / "origin.npy")
    vertices = np.fromfile(scratch / "vertices.bin", dtype=np.float64).reshape(-1, 3)
    faces = np.fromfile(scratch / "faces.bin", dtype=np.uint32).reshape(-1, 3)
    v = np.concatenate([[0], np.cumsum(sizes[:, 1])]).tolist()
    f = np.concatenate([[0], np.cumsum(sizes[:, 2])]).tolist()
    found: dict[int, Mesh] = {}
    for i, key in enumerate(sizes[:, 0].tolist()):
        own, own_faces = vertices[v[i] : v[i + 1]], faces[f[i] : f[i + 1]]
        if usable(own, own_faces):
            error = float(np.abs(own[0] - origin).max()) * SINGLE
            found[key] = Mesh(own if moved is None else own + moved, own_faces, error=error)
    return found


# --- OpenCASCADE ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a kernel gave no mesh. `final`: a slower rung would only show what the file does not say."""

    reason: str
    final: bool = False


Answer = tuple[int, Mesh | Failure, str | None]


def exact(file: ifcopenshell.file, ids: Sequence[int], *, seconds: float, element_seconds: float) -> Iterator[Answer]:
    """Yield (STEP id, mesh or failure, note) from ifcopenshell's OpenCASCADE kernel.

    All at once first (the kernel keeps what elements share), then the missing one by one: an element that crashes the
    kernel or takes longer than `element_seconds` fails alone.
    """
    end = time.monotonic() + seconds
    waiting = dict.fromkeys(ids)
    if len(waiting) > 1:
        with contextlib.suppress(ChildFailed):
            for answer in _streamed(lambda: _all_at_once(file, list(waiting)), end, 3 * element_seconds):
                del waiting[answer[0]]
                yield answer
    left = list(waiting)
    while left:
        if time.monotonic() > end:
            for step_id in left:
                yield step_id, Failure("no time left for the exact kernel"), None
            return
        try:
            for answer in _streamed(lambda: _one_by_one(file, left), end, element_seconds):
                left.remove(answer[0])
                yield answer
        except ChildFailed as failure:
            yield left.pop(0), Failure(str(failure)), None


def _streamed(work: Callable[[], Iterator[Answer]], end: float, patience: float) -> Iterator[Answer]:
    """Answers of a child; vertices and faces that it has sent before come as a reference and are put back."""
    sent: dict[str, Mesh] = {}
    for step_id, answer, note in stream_from_child(work, seconds=end - time.monotonic(), patience=patience):
        if isinstance(answer, _Again):
            first = sent[answer.geometry]
            yield step_id, replace(first, matrix=answer.matrix), note
            continue
        if isinstance(answer, Mesh) and note is not None and note.startswith(_GEOMETRY):
            sent[note.removeprefix(_GEOMETRY)] = answer
            note = None
        yield step_id, answer, note


_GEOMETRY = "geometry:"


@dataclass(frozen=True, slots=True)
class _Again:
    """Stands for a geometry that was sent before."""

    geometry: str
    matrix: Floats


def _settings(**more: bool) -> Any:
    import ifcopenshell.geom

    settings = ifcopenshell.geom.settings()
    for name, value in {"weld-vertices": True, **more}.items():
        settings.set(name.replace("_", "-"), value)
    return settings


def _all_at_once(file: ifcopenshell.file, ids: list[int]) -> Iterator[tuple[int, Any, str | None]]:
    import ifcopenshell.geom

    iterator = ifcopenshell.geom.iterator(_settings(), file, 1, include=[file.by_id(i) for i in ids])
    wanted, sent = set(ids), set[str]()
    going = iterator.initialize()
    while going:
        shape: Any = iterator.get()
        step_id, name = shape.id, shape.geometry.id
        if step_id in wanted:
            wanted.discard(step_id)
            if name in sent:
                yield step_id, _Again(name, _matrix(shape)), None
            else:
                mesh = _exact_mesh(shape)
                if isinstance(mesh, Mesh):  # else: one by one finds out why
                    sent.add(name)
                    yield step_id, mesh, _GEOMETRY + name
        going = bool(iterator.next())


def _one_by_one(file: ifcopenshell.file, ids: list[int]) -> Iterator[Answer]:
    settings, uncut = _settings(), _settings(disable_opening_subtractions=True)
    for step_id in list(ids):
        answer, note = _exact_element(file.by_id(step_id), settings), None
        if isinstance(answer, Failure) and not answer.final:
            answer, note = _exact_element(file.by_id(step_id), uncut), "openings could not be cut"
        yield step_id, answer, note if isinstance(answer, Mesh) else None


def _exact_element(entity: ifcopenshell.entity_instance, settings: Any) -> Mesh | Failure:
    import ifcopenshell.geom

    try:
        shape: Any = ifcopenshell.geom.create_shape(settings, entity)  # a SWIG object without types
    except Exception as error:  # the kernel's own exceptions are bare RuntimeErrors and worse
        return Failure(f"{error}"[:200] or "the exact kernel failed")
    if len(shape.geometry.faces_buffer) == 0 and entity.is_a("IfcElement") and entity.HasOpenings:
        return Failure(ALL_OPENING, final=True)
    return _exact_mesh(shape)


def _matrix(shape: Any) -> Floats:
    return np.frombuffer(shape.transformation_buffer, dtype=np.float64).reshape(4, 4).T.copy()


def _exact_mesh(shape: Any) -> Mesh | Failure:
    geometry, matrix = shape.geometry, _matrix(shape)
    vertices = np.frombuffer(geometry.verts_buffer, dtype=np.float64).reshape(-1, 3)
    faces = np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3).astype(np.uint32)
    if not usable(vertices, faces) or not np.isfinite(matrix).all():
        return Failure("the kernels found no surface")
    palette = tuple(_exact_colour(material) for material in geometry.materials)
    colours = np.frombuffer(geometry.material_ids_buffer, dtype=np.int32)
    if len(palette) <= 1 or len(colours) != len(faces) or colours.min() < 0:
        return Mesh(vertices, faces, matrix=matrix)
    return Mesh(vertices, faces, colours.astype(np.uint16), palette, matrix)


def _exact_colour(style: Any) -> Colour:
    r, g, b = (round(max(0.0, min(1.0, c)) * 255) for c in (style.diffuse.r(), style.diffuse.g(), style.diffuse.b()))
    transparency = style.transparency
    alpha = 255 if transparency != transparency else max(26, round((1 - transparency) * 255))  # NaN: not given
    return (r, g, b, alpha)
