"""Sections swept along an alignment (IfcSectionedSolidHorizontal, IFC4X3), meshed here.

Rails, ballast and road courses. The fast kernel cuts the corners of clothoids by more than a metre; the exact one takes
about a second for fifty metres of rail. The curve is asked for frames (`mesh_linear`), as many as keep the sagitta
within `TOLERANCE`, and the outline is drawn through them: ruled strips between stations, a cap at either end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import ifcopenshell
import numpy as np
import shapely
from numpy.typing import NDArray

from ifc_models.mesh_linear import Curves

Floats = NDArray[np.float64]
Faces = NDArray[np.uint32]

TOLERANCE: Final = 0.001  # m: between a chord and the curve it stands for
_FIRST_STEP: Final = 10.0  # m: finer steps where the curve bends
_SHORTEST: Final = 0.05  # m


def is_swept(items: Sequence[ifcopenshell.entity_instance]) -> bool:
    """Whether a body is nothing but sections along an alignment."""
    return bool(items) and all(item.is_a("IfcSectionedSolidHorizontal") for item in items)


def follows_alignment(items: Sequence[ifcopenshell.entity_instance]) -> bool:
    """Whether a body is drawn along a curve that the fast kernel may follow wrongly."""
    return any(
        item.is_a(name)
        for item in items
        for name in ("IfcSectionedSolid", "IfcSectionedSurface", "IfcDirectrixCurveSweptAreaSolid")
        if not item.is_a("IfcSurfaceCurveSweptAreaSolid")
    )


def swept(items: Sequence[ifcopenshell.entity_instance], curves: Curves) -> tuple[Floats, Faces] | None:
    """Vertices (n, 3) m in the product's frame and triangles (m, 3); None for what the exact kernel must do."""
    meshes = [_solid(item, curves) for item in items]
    vertices: list[Floats] = []
    faces: list[Faces] = []
    start = 0
    for mesh in meshes:
        if mesh is None:
            return None
        vertices.append(mesh[0])
        faces.append(mesh[1] + np.uint32(start))
        start += len(mesh[0])
    return np.concatenate(vertices), np.concatenate(faces)


def _solid(solid: ifcopenshell.entity_instance, curves: Curves) -> tuple[Floats, Faces] | None:
    """Directrix, CrossSections, CrossSectionPositions."""
    outlines = [outline(profile, curves.unit) for profile in solid[1]]
    places = [curves.distance(position, solid[0]) for position in solid[2]]
    if len(outlines) < 2 or len(outlines) != len(places):
        return None
    known = [_counterclockwise(corners) for corners in outlines if corners is not None]
    at = np.array([place for place in places if place is not None], dtype=np.float64).reshape(-1, 4)
    if len(known) != len(outlines) or len(at) != len(places) or len({len(corners) for corners in known}) != 1:
        return None
    if (np.diff(at[:, 0]) <= 0).any() or not np.isfinite(at).all():
        return None
    stations = list(_stations(curves, solid[0], at[:, 0], float(np.abs(np.array(known)).max())))
    distances = np.array([d for d, _ in stations])
    frames = np.array([frame for _, frame in stations])
    between = [_interpolated(distances, at[:, 0], np.array(known)[:, :, axis]) for axis in (0, 1)]
    x, y = between  # of the outline: to the side and up
    moves = _interpolated(distances, at[:, 0], at[:, 1:])
    local = np.stack([np.broadcast_to(moves[:, :1], x.shape), x + moves[:, 1:2], y + moves[:, 2:3]], axis=2)
    vertices = np.einsum("nij,nkj->nki", frames[:, :3, :3], local) + frames[:, None, :3, 3]
    cap = _cap(known[0])
    return None if cap is None else (vertices.reshape(-1, 3), _faces(len(distances), x.shape[1], cap))


def _interpolated(at: Floats, known: Floats, values: Floats) -> Floats:
    """(n, k) linear between the rows of `values` (m, k), which stand at `known` (m,)."""
    return np.stack([np.interp(at, known, values[:, column]) for column in range(values.shape[1])], axis=1)


def _stations(curves: Curves, directrix: Any, sections: Floats, reach: float) -> Iterator[tuple[float, Floats]]:
    """Distances and frames such that chords of points `reach` m from the curve stay within the tolerance."""
    steps = [
        np.linspace(a, b, max(2, int((b - a) / _FIRST_STEP) + 1)) for a, b in zip(sections, sections[1:], strict=False)
    ]
    waiting = np.unique(np.concatenate(steps)).tolist()[::-1]
    done = waiting.pop()
    frame = curves.frame(directrix, done)
    yield done, frame
    while waiting:
        following = curves.frame(directrix, waiting[-1])
        middle = curves.frame(directrix, (done + waiting[-1]) / 2)
        error = np.abs((frame + following) / 2 - middle)
        off = float(error[:3, 3].max() + reach * error[:3, :3].max())
        if off > TOLERANCE and waiting[-1] - done > 2 * _SHORTEST:
            waiting.append((done + waiting[-1]) / 2)
            continue
        done, frame = waiting.pop(), following
        yield done, frame


def outline(profile: ifcopenshell.entity_instance, unit: float) -> Floats | None:
    """(k, 2) m: the corners of a straight-sided profile in their order; None for any other."""
    if profile.is_a("IfcDerivedProfileDef"):
        parent = outline(profile[2], unit) if profile[2] is not None else None
        return None if parent is None or profile[3] is None else _transformed(parent, profile[3], unit)
    return outline_of_curve(profile[2], unit) if profile.is_a() == "IfcArbitraryClosedProfileDef" else None


def outline_of_curve(curve: ifcopenshell.entity_instance, unit: float) -> Floats | None:
    """(k, 2) m: the corners of a closed curve of straight lines; None for any other."""
    if curve.is_a("IfcPolyline"):
        points = [point[0] for point in curve[0]]
    elif curve.is_a("IfcIndexedPolyCurve"):
        segments = curve[1]
        if segments is not None and any(not segment.is_a("IfcLineIndex") for segment in segments):
            return None
        listed = curve[0][0]
        order = [i for s in segments for i in s[0]] if segments is not None else range(1, len(listed) + 1)
        points = [listed[i - 1] for i in order]
    else:
        return None
    corners = np.array([point[:2] for point in points], dtype=np.float64) * unit
    again = np.concatenate([[False], np.abs(np.diff(corners, axis=0)).max(axis=1) < 1e-9])
    corners = corners[~again]
    if len(corners) > 1 and np.abs(corners[0] - corners[-1]).max() < 1e-9:
        corners = corners[:-1]
    return corners if len(corners) >= 3 else None


def _counterclockwise(outline: Floats) -> Floats:
    x, y = outline[:, 0], outline[:, 1]
    turn = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return outline if turn > 0 else outline[::-1]


def _transformed(outline: Floats, operator: ifcopenshell.entity_instance, unit: float) -> Floats | None:
    """An outline under an IfcCartesianTransformationOperator2D (Axis1, Axis2, LocalOrigin, Scale)."""
    if operator.is_a() != "IfcCartesianTransformationOperator2D":
        return None
    x = np.array(operator[0][0][:2] if operator[0] is not None else (1.0, 0.0), dtype=np.float64)
    length = float(np.linalg.norm(x))
    if length == 0:
        return None
    x /= length
    y = np.array([-x[1], x[0]])
    if operator[1] is not None and float(np.dot(operator[1][0][:2], y)) < 0:
        y = -y
    scale = float(operator[3]) if operator[3] is not None else 1.0
    moved: Floats = outline @ (np.array([x, y]) * scale) + np.array(operator[2][0][:2]) * unit
    return moved


def _cap(outline: Floats) -> Faces | None:
    """Triangles that fill the outline; None where it crosses itself."""
    polygon = shapely.Polygon(outline)
    if not polygon.is_valid or polygon.area == 0:
        return None
    triangles = [np.array(piece.exterior.coords)[:3] for piece in shapely.constrained_delaunay_triangles(polygon).geoms]
    row = {(x, y): i for i, (x, y) in enumerate(outline.tolist())}
    found = [[row.get((x, y), -1) for x, y in corners.tolist()] for corners in triangles]
    if not found or min(map(min, found)) < 0:
        return None
    cap = np.array(found, dtype=np.uint32)
    a, b, c = (outline[cap[:, i]] for i in range(3))
    clockwise = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    cap[clockwise] = cap[clockwise][:, ::-1]
    return cap


def _faces(stations: int, corners: int, cap: Faces) -> Faces:
    ring = np.arange(corners, dtype=np.uint32)
    following = np.roll(ring, -1)
    strip = np.concatenate([
        np.stack([ring, following, following + corners], axis=1),
        np.stack([ring, following + corners, ring + corners], axis=1),
    ])  # fmt: skip
    rows = np.arange(stations - 1, dtype=np.uint32) * corners
    strips = (strip[None] + rows[:, None, None]).reshape(-1, 3)
    end = np.uint32((stations - 1) * corners)
    return np.concatenate([strips, cap[:, ::-1], cap + end]).astype(np.uint32)
