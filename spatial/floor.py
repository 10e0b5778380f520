"""Walking inside one room: the shortest way between two places on its floor, around its corners and columns.

The floor is the room's polygon, made smaller by half a person where there is room for it. A shortest way in a polygon
bends at reflex corners only, so the graph of what sees what between those corners and the room's doors has it exactly.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from shapely import MultiPolygon, Polygon

CLEARANCE: Final = 0.25  # m kept from walls
SIMPLE: Final = 0.05  # m; outlines are smoothed by this much, round walls would have a corner every centimetre
SEEN: Final = 1e-6  # m; a line along the outline is inside

Line = list[tuple[float, float]]


class Floor:
    """The floor of a room and the places on it from which it is entered (`anchors`, moved onto it)."""

    def __init__(
        self, polygon: Polygon | MultiPolygon, entrances: Sequence[tuple[float, float]], *, walkable: bool = False
    ) -> None:
        """`walkable`: the polygon is what `ground` of another floor was."""
        self.ground = polygon if walkable else _walkable(polygon)
        self._inside = self.ground.buffer(SEEN)
        shapely.prepare(self._inside)
        self.anchors = [self.onto(x, y) for x, y in entrances]
        self._corners = _reflex_corners(self.ground)
        self._convex = not self._corners and shapely.get_num_geometries(self.ground) == 1
        self._distances: NDArray[np.float64] | None = None
        self._before: NDArray[np.int32] | None = None
        self._nodes = np.array([*self.anchors, *self._corners], dtype=np.float64).reshape(-1, 2)

    def onto(self, x: float, y: float) -> tuple[float, float]:
        """Return the nearest place to walk on."""
        point = shapely.Point(x, y)
        if self._inside.intersects(point):
            return x, y
        near = shapely.shortest_line(self.ground, point).coords[0]
        return float(near[0]), float(near[1])

    def between(self) -> NDArray[np.float64]:
        """Return the walking distance between all anchors, (k, k) m; infinite where the floor is in parts."""
        self._solve()
        assert self._distances is not None
        count = len(self.anchors)
        return self._distances[:count, :count]

    def way(self, start: int, end: int) -> Line:
        """Return the shortest way between two anchors as points on the floor."""
        self._solve()
        return self._path(start, end)

    def distances_from(self, x: float, y: float) -> NDArray[np.float64]:
        """Return the walking distance from a place to every anchor, (k,) m."""
        self._solve()
        place, seen = self._see(x, y)
        if not len(self._nodes):
            return np.zeros(0)
        reach = np.where(seen, np.hypot(*(self._nodes - place).T), np.inf) + np.hypot(*(place - (x, y)))
        assert self._distances is not None
        return np.asarray(np.min(reach[:, None] + self._distances[:, : len(self.anchors)], axis=0))

    def way_from(self, x: float, y: float, anchor: int) -> Line:
        """Return the shortest way from a place to an anchor."""
        self._solve()
        place, seen = self._see(x, y)
        reach = np.where(seen, np.hypot(*(self._nodes - place).T), np.inf)
        assert self._distances is not None
        first = int(np.argmin(reach + self._distances[:, anchor]))
        start = (float(place[0]), float(place[1]))
        return [start, *self._path(first, anchor)]

    def way_across(self, start: tuple[float, float], end: tuple[float, float]) -> Line | None:
        """Return the shortest way between two places of this floor, None where it does not hang together."""
        floor = Floor(self.ground, [start, end], walkable=True)
        return floor.way(0, 1) if np.isfinite(floor.between()[0, 1]) else None

    def _see(self, x: float, y: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        place = np.array(self.onto(x, y))
        if self._convex:
            return place, np.ones(len(self._nodes), dtype=bool)
        lines = shapely.linestrings(np.stack([np.broadcast_to(place, self._nodes.shape), self._nodes], axis=1))
        return place, _seen(self._inside, lines)

    def _path(self, start: int, end: int) -> Line:
        found = [end]
        while found[-1] != start:
            found.append(int(self._before[start, found[-1]]) if self._before is not None else start)
        return [(float(self._nodes[node, 0]), float(self._nodes[node, 1])) for node in reversed(found)]

    def _solve(self) -> None:
        if self._distances is not None:
            return
        count = len(self._nodes)
        offsets = self._nodes[:, None] - self._nodes[None]
        straight = np.hypot(offsets[..., 0], offsets[..., 1])
        if self._convex:
            self._distances = straight
            return
        first, second = np.triu_indices(count, 1)
        lines = shapely.linestrings(np.stack([self._nodes[first], self._nodes[second]], axis=1))
        seen = _seen(self._inside, lines) if len(lines) else np.zeros(0, dtype=bool)
        graph = np.zeros((count, count))
        # Less than 1e-8 means no edge to scipy: places on top of each other are a hair apart.
        graph[first[seen], second[seen]] = np.maximum(straight[first[seen], second[seen]], 1e-6)
        self._distances, self._before = dijkstra(graph, directed=False, return_predecessors=True)


def _seen(inside: Polygon | MultiPolygon, lines: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Say for each line whether it stays inside; one without length does."""
    return np.asarray(shapely.covers(inside, lines) | (shapely.length(lines) == 0.0), dtype=bool)


def _walkable(polygon: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """Return the floor without its rim; a rim that eats a way through (a narrow passage) is made narrower."""
    pieces = shapely.get_num_geometries(polygon)
    for clearance in (CLEARANCE, CLEARANCE / 2, CLEARANCE / 5):
        smaller = polygon.buffer(-clearance, join_style="mitre").simplify(SIMPLE)
        if not smaller.is_empty and smaller.is_valid and shapely.get_num_geometries(smaller) == pieces:
            return smaller
    return polygon


def _reflex_corners(polygon: Polygon | MultiPolygon) -> Line:
    """Return the corners at which a shortest way may bend: those that push into the floor."""
    corners: Line = []
    for part in shapely.get_parts(polygon):
        for number, ring in enumerate((part.exterior, *part.interiors)):
            points = np.asarray(ring.coords)[:-1, :2]
            before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
            turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
            # Counter-clockwise around the floor; a hole's ring has the floor outside it.
            inward = turn < -1e-9 if ring.is_ccw else turn > 1e-9
            if number > 0:
                inward = ~inward & (np.abs(turn) > 1e-9)
            corners += [(float(x), float(y)) for x, y in points[inward]]
    return corners
