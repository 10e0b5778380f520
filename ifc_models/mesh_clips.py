"""Extrusions cut by half spaces (walls under a roof, rooms under its slopes) or by openings, meshed by Manifold.

The fast kernel's time grows with the square of a chain of half spaces: eleven bodies with up to twenty cuts were three
quarters of its time for one model, and take a tenth of that here. Openings it cuts well; what it could not cut, or left
with gaps, takes OpenCASCADE a tenth of a second and Manifold a hundredth of that. Manifold's answers are closed by
construction. Whatever is not an extrusion of straight lines, or not cut by such and by planes, is left to the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ifcopenshell
import manifold3d
import numpy as np
from numpy.typing import NDArray

from ifc_models.mesh_frames import Frames
from ifc_models.mesh_sweep import outline, outline_of_curve

Floats = NDArray[np.float64]
Faces = NDArray[np.uint32]

FEWEST: Final = (
    3  # cuts by unbounded half spaces from which on the fast kernel is the slower one; it always is by others
)
WIDER: Final = 2e-5  # m: what is drawn along a body's side would leave a skin of it, by the last digit of a number
_DEEPEST: Final = 400  # as `hazards.MAX_DEPTH`
_PLAIN_CURVES: Final = frozenset(("IfcPolyline", "IfcIndexedPolyCurve"))


def is_clipped(items: Sequence[ifcopenshell.entity_instance]) -> bool:
    """Whether a body is one chain of cuts long enough, of a kind that may be meshed here."""
    if len(items) != 1:
        return False
    item, cuts, bounded = items[0], 0, False
    while item.is_a("IfcBooleanResult") and cuts < _DEEPEST:
        space = item.get_argument(2)
        if item.get_argument(0) != "DIFFERENCE" or not space.is_a("IfcHalfSpaceSolid"):
            return False
        bounded = bounded or space.is_a("IfcPolygonalBoundedHalfSpace")
        item, cuts = item.get_argument(1), cuts + 1
    return (bounded or cuts >= FEWEST) and item.is_a() == "IfcExtrudedAreaSolid"


def clipped(item: ifcopenshell.entity_instance, unit: float) -> tuple[Floats, Faces] | None:
    """Vertices (n, 3) m in the product's frame and triangles (m, 3); None for what the kernels must do.

    `unit`: metres per length unit of the file.
    """
    solid = _solid(item, unit)
    return None if solid is None or solid.is_empty() else _mesh(solid)


def opened(
    item: ifcopenshell.entity_instance, openings: Sequence[tuple[ifcopenshell.entity_instance, Floats]], unit: float
) -> tuple[Floats, Faces] | None:
    """As `clipped`, without what lies in `openings`: items of openings, each with its matrix (4, 4) into the product's
    frame, m. No triangles where nothing is left."""
    solid = _solid(item, unit)
    if solid is None or solid.is_empty():
        return None
    whole = solid.volume()
    for opening, matrix in openings:
        hole = _solid(opening, unit, wider=WIDER)
        if hole is None:
            return None
        solid -= hole.transform(matrix[:3])
    if solid.status() != manifold3d.Error.NoError or solid.volume() > whole * (1 + 1e-9):
        return None
    return _mesh(solid)


def _mesh(solid: manifold3d.Manifold) -> tuple[Floats, Faces]:
    mesh = solid.to_mesh64()
    return np.asarray(mesh.vert_properties, np.float64)[:, :3].copy(), np.asarray(mesh.tri_verts).astype(np.uint32)


def _solid(item: ifcopenshell.entity_instance, unit: float, wider: float = 0.0) -> manifold3d.Manifold | None:
    """An extrusion, cut by half spaces or not; None where it is something else, or comes out larger than uncut."""
    spaces: list[ifcopenshell.entity_instance] = []
    while item.is_a("IfcBooleanResult") and len(spaces) < _DEEPEST:
        if item[0] != "DIFFERENCE":
            return None
        spaces.append(item[2])
        item = item[1]
    solid = _extrusion(item, unit, wider) if item.is_a() == "IfcExtrudedAreaSolid" else None
    if solid is None:
        return None
    whole = solid.volume()
    for space in reversed(spaces):
        cut = _without(solid, space, unit)
        if cut is None:
            return None
        solid = cut
    sound = solid.status() == manifold3d.Error.NoError and 0 < solid.volume() <= whole * (1 + 1e-9)
    return solid if sound else None


def _extrusion(solid: ifcopenshell.entity_instance, unit: float, wider: float) -> manifold3d.Manifold | None:
    """An IfcExtrudedAreaSolid with straight sides: SweptArea, Position, ExtrudedDirection, Depth."""
    profile, position = solid[0], Frames.one_placement(solid[1], unit)
    if position is None:
        return None
    contours = _contours(profile, unit)
    known = [contour for contour in contours if contour is not None]
    direction = np.array((*solid[2][0], 0.0, 0.0)[:3], np.float64)
    length = float(np.linalg.norm(direction))
    if len(known) != len(contours) or length == 0 or not solid[3] > 0:
        return None
    sheared = np.eye(4)
    sheared[:3, 2] = direction / length
    if abs(sheared[2, 2]) < 1e-6:
        return None
    section = manifold3d.CrossSection(known, manifold3d.FillRule.EvenOdd)
    if wider:
        section = section.offset(wider, manifold3d.JoinType.Miter)
    prism = section.extrude(float(solid[3]) * unit + 2 * wider).translate((0.0, 0.0, -wider))
    return prism.transform((position @ sheared)[:3])


def _contours(profile: ifcopenshell.entity_instance, unit: float) -> list[Floats | None]:
    """The outline of a profile and of its voids, (k, 2) m each; None for one with arcs."""
    if profile.is_a() == "IfcArbitraryProfileDefWithVoids":
        return [outline_of_curve(curve, unit) for curve in (profile[2], *profile[3])]
    if profile.is_a() != "IfcRectangleProfileDef":
        return [outline(profile, unit)]
    position = Frames.one_placement(profile[2], unit)
    if position is None:
        return [None]
    half = np.array([profile[3], profile[4]], np.float64) * unit / 2
    return [np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half @ position[:2, :2].T + position[:2, 3]]


def _without(
    solid: manifold3d.Manifold, space: ifcopenshell.entity_instance, unit: float
) -> manifold3d.Manifold | None:
    """The solid without what lies in a half space: BaseSurface, AgreementFlag, Position, PolygonalBoundary."""
    surface = space[0]
    plane = Frames.one_placement(surface[0], unit) if surface.is_a() == "IfcPlane" else None
    if plane is None or solid.is_empty():
        return None
    outward = plane[:3, 2] if space[1] else -plane[:3, 2]  # away from the half space's matter
    if space.is_a() == "IfcHalfSpaceSolid":
        return solid.trim_by_plane(outward, float(outward @ plane[:3, 3]))
    if space.is_a() != "IfcPolygonalBoundedHalfSpace" or space[3].is_a() not in _PLAIN_CURVES:
        return None
    position, boundary = Frames.one_placement(space[2], unit), outline_of_curve(space[3], unit)
    if position is None or boundary is None:
        return None
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    reach = float(np.linalg.norm(high - low) + np.linalg.norm((low + high) / 2 - position[:3, 3])) + 1.0
    section = manifold3d.CrossSection([boundary], manifold3d.FillRule.NonZero).offset(WIDER, manifold3d.JoinType.Miter)
    prism = section.extrude(2 * reach).translate((0.0, 0.0, -reach)).transform(position[:3])
    return solid - prism.trim_by_plane(-outward, -float(outward @ plane[:3, 3]))
