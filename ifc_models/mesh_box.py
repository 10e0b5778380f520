"""The last rung that shows anything: a box around what the points of a body tell."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import CURVES_ONLY
from ifc_models.mesh_frames import Frames
from ifc_models.mesh_plan import body_representations
from ifc_models.mesh_rungs import LARGEST, Faces, Failure, Mesh
from ifc_models.mesh_sweep import follows_alignment

Floats = NDArray[np.float64]

_BOX_FACES: Faces = np.array(
    [[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6],
     [1, 3, 5], [3, 7, 5]], dtype=np.uint32)  # fmt: skip
_NO_POINTS: Floats = np.empty((0, 3))
_POINTS = 200_000  # entities looked at for one box


def box(file: ifcopenshell.file, step_id: int, linear: Mapping[int, Floats] | None = None) -> Mesh | Failure:
    """A box around what the body's points tell, in world metres. `linear`: what `Frames` knows of the file already."""
    entity = file.by_id(step_id)
    representations = body_representations(entity)
    if only_curves(representations):
        return Failure(CURVES_ONLY, final=True)
    if follows_alignment([item for r in representations for item in r[3]]):
        return Failure("no kernel could mesh it along its alignment")  # its points say nothing about where it is
    frames = Frames(file, linear)
    row = frames.add(entity[5], None)
    points = [corners for r in representations for corners in _corners(r, frames.unit)]
    if row < 0:
        return Failure("its placement cannot be followed")
    if not points:
        return Failure("no kernel could mesh it and its extent is not known")
    matrix = frames.matrices()[0]
    local = np.concatenate(points)
    low, high = local.min(axis=0), local.max(axis=0)
    if not np.isfinite(high - low).all() or not 0 < float((high - low).max()) < LARGEST:
        return Failure("its body is flat to a point or endless")
    high = np.maximum(high, low + 1e-3)
    grid = np.array([[x, y, z] for z in (low[2], high[2]) for y in (low[1], high[1]) for x in (low[0], high[0])])
    return Mesh(grid @ matrix[:3, :3].T + matrix[:3, 3], _BOX_FACES)


def only_curves(representations: list[ifcopenshell.entity_instance]) -> bool:
    """Whether no item of the body can have a surface."""
    items = [item for r in representations for item in r[3]]
    for _ in range(16):  # mapped within mapped, sets within sets
        if not any(item.is_a("IfcMappedItem") or item.is_a() == "IfcGeometricSet" for item in items):
            break
        # By number: what is mapped ten times ten times over is looked at once.
        items = list({inner.id(): inner for item in items for inner in _inside(item)}.values())
    return bool(items) and all(
        any(item.is_a(name) for name in ("IfcCurve", "IfcPoint", "IfcGeometricCurveSet", "IfcSegment"))
        for item in items
    )


def _inside(item: ifcopenshell.entity_instance) -> list[ifcopenshell.entity_instance]:
    if item.is_a("IfcMappedItem"):
        return list(item[0][1][3])
    return list(item[0]) if item.is_a() == "IfcGeometricSet" else [item]


def _corners(start: ifcopenshell.entity_instance, unit: float) -> Iterator[Floats]:
    """Points (n, 3) (m, product frame) that bound a representation, lot by lot: of breps and tessellations as they are,
    of extrusions their profile's points at both ends. Mapped ones count where their target is."""
    waiting: list[tuple[ifcopenshell.entity_instance, Floats]] = [(start, np.eye(4))]
    seen: set[tuple[int, bytes]] = set()
    while waiting and len(seen) < _POINTS:
        entity, matrix = waiting.pop()
        key = (entity.id(), matrix.tobytes())
        if entity.id() and key in seen:
            continue
        seen.add(key)
        if entity.is_a("IfcParameterizedProfileDef"):
            matrix = matrix @ _or_identity(Frames.one_placement(entity.Position, unit))
        own = _own_points(entity)
        if len(own):
            yield own * unit @ matrix[:3, :3].T + matrix[:3, 3]
            continue
        if entity.is_a("IfcMappedItem"):
            waiting.append((entity[0][1], matrix @ Frames.one_operator(entity[1], unit)))
        elif entity.is_a("IfcExtrudedAreaSolid"):
            waiting += _extrusion_ends(entity, matrix, unit)
        elif entity.is_a("IfcBooleanResult"):
            waiting.append((entity[1], matrix))  # what is cut cannot reach beyond it
        else:
            waiting += [(child, matrix) for child in _children(entity)]


def _or_identity(matrix: Floats | None) -> Floats:
    return np.eye(4) if matrix is None else matrix


def _own_points(entity: ifcopenshell.entity_instance) -> Floats:
    """The points (n, 3) of one entity, in the file's unit."""
    if entity.is_a("IfcCartesianPoint"):
        return np.array([(*entity[0], 0.0, 0.0)[:3]], dtype=np.float64)
    if entity.is_a("IfcCartesianPointList"):
        flat = np.array(entity[0], dtype=np.float64)  # at once: one line may hold millions
        return np.pad(flat, ((0, 0), (0, 3 - flat.shape[1])))
    if not entity.is_a("IfcParameterizedProfileDef"):
        return _NO_POINTS
    for (name_x, name_y), share in _PROFILE_SIZES.items():
        x, y = getattr(entity, name_x, None), getattr(entity, name_y, None)
        if isinstance(x, float) and isinstance(y, float):
            return np.array([(sx * x * share, sy * y * share, 0.0) for sx in (-1, 1) for sy in (-1, 1)])
    return _NO_POINTS


_PROFILE_SIZES = {  # names of a profile's sizes: share of them on either side of its centre
    ("XDim", "YDim"): 0.5,
    ("OverallWidth", "OverallDepth"): 0.5,
    ("SemiAxis1", "SemiAxis2"): 1.0,
    ("Radius", "Radius"): 1.0,
    ("FlangeWidth", "Depth"): 0.5,
    ("Width", "Depth"): 0.5,
    ("Depth", "Depth"): 0.5,
}


def _extrusion_ends(
    solid: ifcopenshell.entity_instance, matrix: Floats, unit: float
) -> list[tuple[ifcopenshell.entity_instance, Floats]]:
    position = Frames.one_placement(solid[1], unit)
    if position is None:
        return []
    base = matrix @ position
    direction = np.array([*solid[2][0], 0.0, 0.0, 0.0][:3], dtype=np.float64)
    top = base.copy()
    top[:3, 3] += base[:3, :3] @ direction / max(float(np.linalg.norm(direction)), 1e-12) * float(solid[3]) * unit
    return [(solid[0], base), (solid[0], top)]


def _children(entity: ifcopenshell.entity_instance) -> Iterator[ifcopenshell.entity_instance]:
    for i in range(len(entity)):
        value = None
        with contextlib.suppress(RuntimeError):
            value = entity[i]
        if isinstance(value, ifcopenshell.entity_instance):
            if not value.is_a("IfcRepresentationContext") and not value.is_a("IfcPlacement"):
                yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, ifcopenshell.entity_instance):
                    yield item
