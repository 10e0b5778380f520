"""Place what the file does not place: storey by elevation, space by footprint.

Everything is in the building frame (metres, z up). Elements are numbered 0 … N-1 as in the extract; -1 means none.
What the file itself says always wins and is never marked as derived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

FLOOR_NORMAL: Final = -0.5  # a triangle whose unit normal points further down than this belongs to the floor
BELOW_FLOOR: Final = 0.3  # m; an element may start this far under its storey's elevation (skirtings, floor boxes)
ABOVE_CEILING: Final = 0.6  # m; a detector in the ceiling void still belongs to the room below it
SNAP: Final = 1e-4  # m; grid on which floor triangles are joined


@dataclass(frozen=True, slots=True)
class Footprint:
    """The floor of a room as seen from above."""

    polygon: Polygon | MultiPolygon
    bottom: float  # m
    top: float  # m

    @property
    def area(self) -> float:
        """m2."""
        return float(self.polygon.area)

    @property
    def height(self) -> float:
        """m."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each of N elements is."""

    storey: NDArray[np.int64]  # (N,) element index of its IfcBuildingStorey, -1: none
    space: NDArray[np.int64]  # (N,) element index of its IfcSpace, -1: none
    storey_derived: NDArray[np.bool_]  # (N,)
    space_derived: NDArray[np.bool_]  # (N,)
    footprints: Mapping[int, Footprint]  # by element index of the space


def footprint(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Footprint | None:
    """Return the floor polygon of a room's mesh, or None when the mesh encloses no area.

    `vertices` (n, 3) m, `triangles` (m, 3). The floor is the union of the triangles that look down, holes kept;
    a mesh without such triangles (an open or inverted one) gives the union of all of them.
    """
    if len(triangles) == 0:
        return None
    corners = vertices[triangles]  # (m, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    kept = lengths > 1e-9
    down = np.zeros(len(triangles), dtype=bool)
    down[kept] = normals[kept, 2] / lengths[kept] < FLOOR_NORMAL
    for chosen in (down, kept & (np.abs(normals[:, 2]) > 1e-9)):
        if chosen.any():
            polygon = _union(corners[chosen][:, :, :2])
            if polygon is not None:
                return Footprint(polygon, float(vertices[:, 2].min()), float(vertices[:, 2].max()))
    return None


def _union(corners: NDArray[np.float64]) -> Polygon | MultiPolygon | None:
    """Return the union of the triangles `corners` (m, 3, 2) without slivers, or None."""
    joined = shapely.union_all(shapely.polygons(corners), grid_size=SNAP)
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon" and part.area > SNAP]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def place(
    *,
    boxes: NDArray[np.float64],
    storey: NDArray[np.int64],
    space: NDArray[np.int64],
    elevations: Mapping[int, float],
    footprints: Mapping[int, Footprint],
    stands_in_room: NDArray[np.bool_],
    hangs_below: NDArray[np.bool_],
) -> Placement:
    """Return the placement of N elements, what the file leaves open derived from geometry.

    `boxes` (N, 6): min x y z, max x y z, NaN for elements without geometry. `storey`, `space` (N,): what the file
    says. `elevations`: storey element index → m. `stands_in_room` (N,): elements that a room contains (equipment,
    furniture), as against those that bound it. `hangs_below` (N,): slabs and the like, whose top is the floor they
    belong to. An element in a space is on the storey of that space.
    """
    storey, space = storey.copy(), space.copy()
    storey_given, space_given = storey >= 0, space >= 0
    candidates = np.flatnonzero(stands_in_room & ~space_given & np.isfinite(boxes[:, 0]))
    for element, room in zip(
        candidates, _rooms_of(boxes[candidates], storey[candidates], storey, footprints), strict=True
    ):
        space[element] = room
    inherits = (storey < 0) & (space >= 0)
    storey[inherits] = storey[space[inherits]]
    open_ = np.flatnonzero((storey < 0) & np.isfinite(boxes[:, 0]))
    if len(open_) and elevations:
        reference = np.where(hangs_below[open_], boxes[open_, 5], boxes[open_, 2] + BELOW_FLOOR)
        storey[open_] = _storey_at(reference, elevations)
    return Placement(storey, space, (storey >= 0) & ~storey_given, (space >= 0) & ~space_given, footprints)


def _storey_at(heights: NDArray[np.float64], elevations: Mapping[int, float]) -> NDArray[np.int64]:
    """Return for each height (m) the highest storey at or under it; what lies under all gets the lowest."""
    ordered: Sequence[tuple[float, int]] = sorted((elevation, index) for index, elevation in elevations.items())
    levels = np.array([elevation for elevation, _ in ordered])
    indices = np.array([index for _, index in ordered], dtype=np.int64)
    found = np.searchsorted(levels, heights + 1e-6, side="right") - 1
    return indices[np.maximum(found, 0)]


def _rooms_of(
    boxes: NDArray[np.float64],
    wanted_storey: NDArray[np.int64],
    storey: NDArray[np.int64],
    footprints: Mapping[int, Footprint],
) -> NDArray[np.int64]:
    """Return for each box (n, 6) the smallest room around its centre, -1 where there is none.

    A room on another storey than the one the file names for the element is no candidate.
    """
    result = np.full(len(boxes), -1, dtype=np.int64)
    if not footprints or len(boxes) == 0:
        return result
    rooms = np.array(sorted(footprints), dtype=np.int64)
    polygons = np.array([footprints[int(room)].polygon for room in rooms], dtype=object)
    centres = (boxes[:, :3] + boxes[:, 3:]) / 2
    hits, where = shapely.STRtree(polygons).query(shapely.points(centres[:, :2]), predicate="within")
    smallest = np.full(len(boxes), np.inf)
    for hit, at in zip(hits.tolist(), where.tolist(), strict=True):
        room, floor = int(rooms[at]), footprints[int(rooms[at])]
        inside = floor.bottom - BELOW_FLOOR <= centres[hit, 2] <= floor.top + ABOVE_CEILING
        other_storey = wanted_storey[hit] >= 0 and storey[room] >= 0 and storey[room] != wanted_storey[hit]
        if inside and not other_storey and floor.area < smallest[hit]:
            smallest[hit], result[hit] = floor.area, room
    return result
