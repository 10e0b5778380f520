"""Curved bodies that the fast kernel draws coarsely: wide arcs (every circle gets 36 sides) and free-form surfaces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import ifcopenshell
import numpy as np

from ifc_models.hazards import users_of

SIDES: Final = 36  # of a circle, as the fast kernel draws it
COARSE: Final = 0.004  # m: between such a side and its arc; wider ones are the exact kernel's
# Where classes keep their radii. Trimmed circles are not among them: their steps follow the angle that is left, and
# real models have hundreds of wide ones that come out right.
_RADII: Final = {
    "IfcCircleProfileDef": (3,),
    "IfcEllipseProfileDef": (3, 4),
    "IfcCylindricalSurface": (1,),
    "IfcRightCircularCylinder": (2,),
    "IfcRightCircularCone": (2,),
    "IfcSphere": (1,),
}


def bent_products(file: ifcopenshell.file, unit: float) -> set[int]:
    """STEP ids of the products with arcs that 36 sides would miss by more than `COARSE`, or with B-spline surfaces.

    `unit`: metres per length unit.
    """
    limit = COARSE / (1 - math.cos(math.pi / SIDES)) / unit
    found: set[int] = set()
    seen: set[int] = set()
    for item in _wide(file, limit):
        found.update(users_of(file, item, seen))
    return found


def _wide(file: ifcopenshell.file, limit: float) -> Iterator[int]:
    for ifc_class, attributes in _RADII.items():
        for entity in _instances(file, ifc_class):
            radii = [entity[i] for i in attributes if i < len(entity)]
            if any(isinstance(radius, float) and radius > limit for radius in radii):
                yield entity.id()
    yield from (surface.id() for surface in _instances(file, "IfcBSplineSurface"))
    for curve in _instances(file, "IfcIndexedPolyCurve"):
        if curve[1] is not None and any(radius > limit for radius in _arc_radii(curve)):
            yield curve.id()


def _instances(file: ifcopenshell.file, ifc_class: str) -> list[ifcopenshell.entity_instance]:
    try:
        return list(file.by_type(ifc_class))
    except RuntimeError:  # the schema does not know it
        return []


def _arc_radii(curve: ifcopenshell.entity_instance) -> Iterator[float]:
    points = None
    for segment in curve[1]:
        if not segment.is_a("IfcArcIndex"):
            continue
        points = points if points is not None else curve[0][0]
        rows = [i - 1 for i in segment[0]]
        if len(rows) != 3 or not all(0 <= i < len(points) for i in rows):
            continue
        a, b, c = (np.array((*points[i], 0.0)[:3]) for i in rows)
        twice_area = float(np.linalg.norm(np.cross(b - a, c - a)))
        sides = float(np.linalg.norm(b - a) * np.linalg.norm(c - b) * np.linalg.norm(a - c))
        if twice_area > 1e-12 * max(sides, 1e-300):
            yield sides / (2 * twice_area)
