"""World matrices of all local placements of a file at once.

Chains are followed without recursion, so a chain of any depth or a cycle costs time in proportion to its length and
never the process; kernels recurse, so elements on such chains are marked as unsafe for them.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ifcopenshell import entity_instance as Entity

MAX_DEPTH: Final = 1000  # kernels recurse along PlacementRelTo; real files stay under 20

_ORIGIN: Final = (0.0, 0.0, 0.0)
_Z: Final = (0.0, 0.0, 1.0)
_X: Final = (1.0, 0.0, 0.0)


class Chains:
    """What placements are relative to, and whether a kernel may follow them."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}  # placement id → row
        self._parent: list[int] = []
        self.depth: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, placement: Entity | None) -> int:
        """Register a placement and what it is relative to; its row, -1 for none."""
        first = previous = -1
        while placement is not None:
            key = placement.id()
            row = self._row.get(key)
            fresh = row is None
            if row is None:
                row = self._row[key] = len(self._parent)
                self._parent.append(-1)
                self._read(placement)
            if first < 0:
                first = row
            if previous >= 0:
                self._parent[previous] = row
            if not fresh:
                break
            previous = row
            placement = self._relative_to(placement)
        return first

    def _read(self, placement: Entity) -> None:
        """Note what a new row needs besides its parent."""

    def _relative_to(self, placement: Entity) -> Entity | None:
        above = placement.get_argument(0)
        return above if isinstance(above, Entity) and above.is_a() in _PLACEMENTS else None

    def chain_hazard(self, row: int) -> str | None:
        """Why a kernel must not follow this placement."""
        if row < 0:
            return None
        if len(self.depth) != len(self._parent):
            self.depth = _depths(self._parent)
        depth = int(self.depth[row])
        if depth < 0:
            return "its placement is relative to itself"
        return f"its placement is {depth} levels deep" if depth > MAX_DEPTH else None


class Placements(Chains):
    """Placement entities → (4, 4) float64 matrices in metres in the building frame."""

    def __init__(self, length_scale: float) -> None:
        super().__init__()
        self._scale = length_scale
        self._origin: list[tuple[float, float, float]] = []
        self._axis: list[tuple[float, float, float]] = []
        self._ref: list[tuple[float, float, float]] = []
        self._axes: dict[int, tuple[tuple[float, float, float], ...] | None] = {}
        self._known: list[bool] = []  # False: a kind of placement whose matrix cannot be computed here
        self.matrices: npt.NDArray[np.float64] = np.zeros((0, 4, 4))

    def _read(self, placement: Entity) -> None:
        axes = None
        if placement.is_a() == "IfcLocalPlacement":
            axes = self._axis_placement(placement.get_argument(1))
        elif placement.is_a() == "IfcLinearPlacement":
            axes = self._axis_placement(placement.get_argument(2))
        self._known.append(axes is not None)
        origin, axis, ref = axes or (_ORIGIN, _Z, _X)
        self._origin.append(origin)
        self._axis.append(axis)
        self._ref.append(ref)

    def _axis_placement(self, axes: Any) -> tuple[tuple[float, float, float], ...] | None:
        if not isinstance(axes, Entity):
            return None
        key = axes.id()
        if key in self._axes:
            return self._axes[key]
        found = self._axes[key] = self._read_axes(axes)
        return found

    @staticmethod
    def _read_axes(axes: Entity) -> tuple[tuple[float, float, float], ...] | None:
        kind = axes.is_a()
        location = axes.get_argument(0)
        if not isinstance(location, Entity) or location.is_a() != "IfcCartesianPoint":
            return None
        origin = _triple(location.get_argument(0), 0.0)
        if origin is None:
            return None
        axis, ref = _Z, _X
        if kind == "IfcAxis2Placement3D":
            z, x = axes.get_argument(1), axes.get_argument(2)
            axis = (_triple(z.get_argument(0), 0.0) or _Z) if isinstance(z, Entity) else _Z
            ref = (_triple(x.get_argument(0), 0.0) or _X) if isinstance(x, Entity) else _X
        elif kind == "IfcAxis2Placement2D":
            x = axes.get_argument(1)
            ref = (_triple(x.get_argument(0), 0.0) or _X) if isinstance(x, Entity) else _X
        return origin, axis, ref

    def solve(self) -> None:
        """Compute `matrices` (rows, 4, 4) and `depth` (rows,); depth -1 marks a chain that runs into a cycle.

        Rows deeper than MAX_DEPTH have no matrix.
        """
        n = len(self._parent)
        local = _local_matrices(np.array(self._origin), np.array(self._axis), np.array(self._ref), self._scale, n)
        if len(self.depth) != n:
            self.depth = _depths(self._parent)
        known = np.array(self._known, bool)
        parent = np.array(self._parent, np.int64)
        order = np.argsort(self.depth, kind="stable")
        starts = np.searchsorted(self.depth[order], np.arange(self.depth.max(initial=-1) + 2))
        for level in range(1, min(len(starts) - 1, MAX_DEPTH + 1)):
            rows = order[starts[level] : starts[level + 1]]
            above = parent[rows]
            local[rows] = local[above] @ local[rows]
            known[rows] &= known[above]
        self.matrices = local
        self._solved_known = known & (self.depth >= 0) & (self.depth <= MAX_DEPTH) & np.isfinite(local).all(axis=(1, 2))

    def matrix(self, row: int) -> tuple[float, ...] | None:
        """The 16 values of a row, row-major; None for a cycle or a placement that is not local."""
        if row < 0 or not self._solved_known[row]:
            return None
        return tuple(self.matrices[row].ravel().tolist())

    def flat(self) -> list[tuple[float, ...] | None]:
        """All rows at once, as `matrix` gives them."""
        rows = self.matrices.reshape(-1, 16).tolist()
        return [tuple(row) if known else None for row, known in zip(rows, self._solved_known.tolist(), strict=True)]


_PLACEMENTS: Final = frozenset(("IfcLocalPlacement", "IfcGridPlacement", "IfcLinearPlacement"))


def _triple(values: Any, fill: float) -> tuple[float, float, float] | None:
    if not isinstance(values, tuple) or not values:
        return None
    padded = (*values, fill, fill)
    return (float(padded[0]), float(padded[1]), float(padded[2]))


def _depths(parents: list[int]) -> npt.NDArray[np.int64]:
    """How many placements stand above each; -1 in and under a cycle."""
    unknown, walking = -3, -2
    depth = [unknown] * len(parents)
    for start in range(len(parents)):
        path: list[int] = []
        at = start
        while at >= 0 and depth[at] == unknown:
            depth[at] = walking
            path.append(at)
            at = parents[at]
        above = -1 if at < 0 else depth[at]
        cyclic = at >= 0 and above in (walking, -1)
        for k, row in enumerate(reversed(path)):
            depth[row] = -1 if cyclic else above + 1 + k
    return np.array(depth, np.int64)


def _local_matrices(
    origin: npt.NDArray[np.float64],
    axis: npt.NDArray[np.float64],
    ref: npt.NDArray[np.float64],
    scale: float,
    n: int,
) -> npt.NDArray[np.float64]:
    """(n, 4, 4) from origins (n, 3), z axes and reference directions, made orthonormal as ISO 10303-42 says."""
    matrices = np.tile(np.eye(4), (n, 1, 1))
    if n == 0:
        return matrices
    z = _unit(axis, np.array(_Z))
    x = ref - np.einsum("ij,ij->i", ref, z)[:, None] * z
    # A reference direction parallel to the axis says nothing: any perpendicular one will do.
    spare = np.where(np.abs(z[:, :1]) < 0.9, np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 0]]))
    spare = spare - np.einsum("ij,ij->i", spare, z)[:, None] * z
    bad = np.linalg.norm(x, axis=1) < 1e-9
    x = _unit(np.where(bad[:, None], spare, x), np.array(_X))
    matrices[:, :3, 0] = x
    matrices[:, :3, 1] = np.cross(z, x)
    matrices[:, :3, 2] = z
    matrices[:, :3, 3] = origin * scale
    return matrices


def _unit(vectors: npt.NDArray[np.float64], instead: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1)
    bad = ~(length > 1e-12)
    result = vectors / np.where(bad, 1.0, length)[:, None]
    result[bad] = instead
    return result
