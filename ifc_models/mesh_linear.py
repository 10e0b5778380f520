"""Placements along an alignment (IfcLinearPlacement, IFC4X3) as matrices.

ifcopenshell's geometry mapping knows the curves (lines, arcs, clothoids, gradients, cant); a curve is prepared once and
asked for every distance on it. Runs in a child process, as all native code that follows a stranger's file does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.mesh_child import ChildFailed, stream_from_child

Floats = NDArray[np.float64]

SECONDS: Final = 60.0  # for all placements of a file
_LOT: Final = 500


def linear_matrices(file: ifcopenshell.file, unit: float) -> dict[int, Floats]:
    """(4, 4) in metres of each IfcLinearPlacement by STEP id, relative to its PlacementRelTo.

    Placements that cannot be followed are missing. `unit`: metres per length unit of the file.
    """
    try:
        placements = file.by_type("IfcLinearPlacement")
    except RuntimeError:  # a schema without alignments
        return {}
    found: dict[int, Floats] = {}
    if placements:
        try:
            for lot in stream_from_child(lambda: _lots(placements, unit), seconds=SECONDS):
                found.update(lot)
        except ChildFailed:
            return found  # those that are missing are meshed where they stand
    return found


def _lots(placements: list[ifcopenshell.entity_instance], unit: float) -> Iterator[dict[int, Floats]]:
    curves = Curves(unit)
    for start in range(0, len(placements), _LOT):
        lot: dict[int, Floats] = {}
        for placement in placements[start : start + _LOT]:
            matrix = _matrix(placement, curves)
            if matrix is not None and np.isfinite(matrix).all():
                lot[placement.id()] = matrix
        yield lot


def _matrix(placement: ifcopenshell.entity_instance, curves: Curves) -> Floats | None:
    """The frame on the curve, moved by the offsets of the distance expression; None where it is not that simple."""
    axes = placement[1]
    if axes is None or axes[0] is None or len(axes[0]) < 5 or axes[0][4] is None:
        return None
    place = curves.distance(axes, axes[0][4])
    if place is None:
        return None
    try:
        frame = curves.frame(axes[0][4], place[0])
    except (RuntimeError, TypeError):  # a curve that the mapping does not know
        return None
    frame[:3, 3] += frame[:3, :3] @ np.array(place[1:])
    return frame


class Curves:
    """Curves prepared for being asked. Call it in a child process only."""

    def __init__(self, unit: float) -> None:
        import ifcopenshell.geom

        self.unit = unit
        self._settings: Any = ifcopenshell.geom.settings()
        self._evaluators: dict[int, Any] = {}

    def frame(self, curve: ifcopenshell.entity_instance, distance: float) -> Floats:
        """(4, 4) m: x along the curve, y to its left, z up, `distance` m from its start. Raises RuntimeError or
        TypeError for a curve that the mapping does not know."""
        from ifcopenshell import ifcopenshell_wrapper as wrapper

        key = curve.id()
        if key not in self._evaluators:
            mapped: Any = wrapper.map_shape(self._settings, curve)
            self._evaluators[key] = wrapper.function_item_evaluator(self._settings, mapped)
        return np.array(self._evaluators[key].evaluate(distance), dtype=np.float64).reshape(4, 4)

    def distance(
        self, axes: ifcopenshell.entity_instance, curve: ifcopenshell.entity_instance
    ) -> tuple[float, float, float, float] | None:
        """Distance along `curve` and the offsets along x, y and z of its frame, m, of an IfcAxis2PlacementLinear; None
        where it has directions of its own or is measured along another curve."""
        point = axes[0]
        if len(axes) < 3 or axes[1] is not None or axes[2] is not None or point is None:
            return None
        if not point.is_a("IfcPointByDistanceExpression") or point[4] is None or point[4].id() != curve.id():
            return None
        along = point[0]
        if not isinstance(along, ifcopenshell.entity_instance) or not along.is_a("IfcLengthMeasure"):
            return None  # a parameter value: not a length
        # OffsetLateral is y of the curve's frame, OffsetVertical z, OffsetLongitudinal x.
        x, y, z = ((point[i] or 0.0) * self.unit for i in (3, 1, 2))
        return along[0] * self.unit, x, y, z
