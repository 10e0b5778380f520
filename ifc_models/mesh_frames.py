"""Placements of products as matrices, computed for all of them at once.

A frame is the product's local coordinate system in metres; together with the operator of its mapped item where the
body is mapped. Frames serve to find equal shapes and to share one mesh between products; a product whose placement
is not a chain of IfcLocalPlacement and of IfcLinearPlacement that could be followed (a grid) has none and is meshed
where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.mesh_linear import linear_matrices
from ifc_models.units import Units

Floats = NDArray[np.float64]

_Z = (0.0, 0.0, 1.0)
_X = (1.0, 0.0, 0.0)
_O = (0.0, 0.0, 0.0)


class Frames:
    """Collects placements with `add`, gives all matrices with `matrices`."""

    def __init__(self, file: ifcopenshell.file, linear: Mapping[int, Floats] | None = None) -> None:
        """`linear`: matrices of the file's placements along alignments, found here if None."""
        self.unit = Units(file).length_scale  # metres per length unit of the file
        self.linear = linear_matrices(file, self.unit) if linear is None else linear
        self._given: dict[int, Floats] = {}  # row → matrix that stands for its axes
        self._row_of: dict[int, int] = {}  # placement id → row, -1 for one that is not plain
        self._parent: list[int] = []
        self._depth: list[int] = []
        self._axes: list[tuple[float, ...]] = []  # origin, z, x
        self._operators: dict[int, tuple[int, tuple[float, ...]]] = {}  # id → row, its numbers
        self._frames: list[tuple[int, int]] = []  # placement row (-1: the world), operator row (-1: none)

    def add(self, placement: ifcopenshell.entity_instance | None, operator: ifcopenshell.entity_instance | None) -> int:
        """The frame's row in `matrices`; -1 where the placement is not a plain chain."""
        row = self._add_placement(placement)
        if row < -1:
            return -1
        operator_row = -1
        if operator is not None:
            key = operator.id()
            if key not in self._operators:
                self._operators[key] = (len(self._operators), _operator(operator))
            operator_row = self._operators[key][0]
        self._frames.append((row, operator_row))
        return len(self._frames) - 1

    def matrices(self) -> Floats:
        """(n, 4, 4) f64: frame → world, metres, column vectors."""
        placements = self._placement_matrices()
        if not self._frames:
            return np.empty((0, 4, 4))
        frames = np.array(self._frames)
        rows = frames[:, 0]
        out = np.where((rows >= 0)[:, None, None], placements[np.maximum(rows, 0)], np.eye(4))
        mapped = np.flatnonzero(frames[:, 1] >= 0)
        if len(mapped):
            numbers = np.array([numbers for _, numbers in self._operators.values()])
            out[mapped] = out[mapped] @ operator_matrices(numbers, self.unit)[frames[mapped, 1]]
        return out

    @staticmethod
    def one_operator(operator: ifcopenshell.entity_instance, unit: float) -> Floats:
        """4×4 of one IfcCartesianTransformationOperator."""
        matrices = operator_matrices(np.array([_operator(operator)]), unit)
        return matrices.reshape(4, 4)

    @staticmethod
    def one_placement(position: ifcopenshell.entity_instance | None, unit: float) -> Floats | None:
        """4×4 of one IfcAxis2Placement (identity for None); None where it is another kind."""
        axes = _axes(position)
        if axes is None:
            return None
        numbers = np.array([axes])
        return axis_matrices(numbers[:, 0:3] * unit, numbers[:, 3:6], numbers[:, 6:9]).reshape(4, 4)

    def _add_placement(self, placement: ifcopenshell.entity_instance | None) -> int:
        """Row of the placement's matrix, -1 for the world, -2 where it is not plain."""
        chain: list[ifcopenshell.entity_instance] = []
        seen: set[int] = set()
        row = -1
        while placement is not None:
            key = placement.id()
            if key in self._row_of:
                row = self._row_of[key]
                break
            if key in seen or not (placement.is_a("IfcLocalPlacement") or key in self.linear):
                row = -2
                break
            seen.add(key)
            chain.append(placement)
            placement = placement[0]
        for link in reversed(chain):
            row = self._add_link(link, row)
        return row

    def _add_link(self, placement: ifcopenshell.entity_instance, parent: int) -> int:
        given = self.linear.get(placement.id())
        axes = None if parent == -2 else _axes(placement[1]) if given is None else _O + _Z + _X
        if axes is None:
            row = -2
        else:
            row = len(self._axes)
            if given is not None:
                self._given[row] = given
            self._axes.append(axes)
            self._parent.append(parent)
            self._depth.append(self._depth[parent] + 1 if parent >= 0 else 0)
        self._row_of[placement.id()] = row
        return row

    def _placement_matrices(self) -> Floats:
        if not self._axes:
            return np.broadcast_to(np.eye(4), (1, 4, 4)).copy()
        axes = np.array(self._axes)
        out = axis_matrices(axes[:, 0:3] * self.unit, axes[:, 3:6], axes[:, 6:9])
        for row, matrix in self._given.items():
            out[row] = matrix
        depth, parent = np.array(self._depth), np.array(self._parent)
        order = np.argsort(depth, kind="stable")
        starts = np.searchsorted(depth[order], np.arange(1, depth.max() + 2))
        for start, end in zip(starts[:-1], starts[1:], strict=True):
            rows = order[start:end]
            out[rows] = out[parent[rows]] @ out[rows]
        return out


def axis_matrices(origin: Floats, z: Floats, x: Floats) -> Floats:
    """(n, 4, 4) matrices from origins, axes and reference directions, as IfcBuildAxes makes them."""
    z = _unit_vectors(z, _Z)
    x = x - z * np.sum(x * z, axis=1, keepdims=True)
    flat = np.linalg.norm(x, axis=1) < 1e-9  # the reference direction lies along the axis
    x[flat] = np.cross(z[flat], np.where(np.abs(z[flat, :1]) < 0.9, _X, (0.0, 1.0, 0.0)))
    x = _unit_vectors(x, _X)
    out = np.zeros((len(origin), 4, 4))
    out[:, :3, 0], out[:, :3, 1], out[:, :3, 2], out[:, :3, 3] = x, np.cross(z, x), z, origin
    out[:, 3, 3] = 1.0
    return out


def _unit_vectors(vectors: Floats, default: tuple[float, float, float]) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), np.array(default))


def _axes(placement: ifcopenshell.entity_instance | None) -> tuple[float, ...] | None:
    """Origin, axis and reference direction of an IfcAxis2Placement; None where it is another kind."""
    if placement is None:
        return _O + _Z + _X
    three = placement.is_a("IfcAxis2Placement3D")
    if not three and not placement.is_a("IfcAxis2Placement2D"):
        return None
    location = placement[0]
    if location is None or not location.is_a("IfcCartesianPoint"):
        return None
    z = _direction(placement[1], _Z) if three else _Z
    return _three(location[0]) + z + _direction(placement[2 if three else 1], _X)


def _direction(
    direction: ifcopenshell.entity_instance | None, default: tuple[float, float, float]
) -> tuple[float, float, float]:
    return _three(direction[0]) if direction is not None else default


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    padded = (*values, 0.0, 0.0, 0.0)
    return (padded[0], padded[1], padded[2])


def operator_matrices(numbers: Floats, unit: float) -> Floats:
    """(n, 4, 4) of IfcCartesianTransformationOperators: `numbers` (n, 15) as `_operator` reads them; m."""
    out = axis_matrices(numbers[:, 0:3] * unit, numbers[:, 3:6], numbers[:, 6:9])
    mirrored = np.sum(numbers[:, 9:12] * out[:, :3, 1], axis=1) < 0
    out[mirrored, :3, 1] *= -1
    out[:, :3, :3] *= numbers[:, None, 12:15]
    return out


def _operator(operator: ifcopenshell.entity_instance) -> tuple[float, ...]:
    """Origin, axis 3, axis 1, axis 2 (0 where not given) and three scales: 15 numbers."""
    three = operator.is_a("IfcCartesianTransformationOperator3D")
    scale = float(operator[3]) if operator[3] is not None else 1.0
    scales = [scale, scale, scale]
    if operator.is_a("IfcCartesianTransformationOperator3DnonUniform"):
        scales[1:] = [float(s) if s is not None else scale for s in (operator[5], operator[6])]
    return (
        _three(operator[2][0])
        + _direction(operator[4] if three else None, _Z)
        + _direction(operator[0], _X)
        + _direction(operator[1], _O)
        + tuple(scales)
    )
