"""How stairs and ramps are walked: foot, head and the line between them, from the mesh of each flight.

A stair's walking line goes through the middles of its treads; a ramp's from the middle of its lowest edge to that of
its highest. Metres in the building frame, z up.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import dist
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

LEVEL: Final = 0.02  # m; treads that differ by less are one
RISER: Final = (0.08, 0.35)  # m; less is a nosing or a threshold, more is no step
TREAD: Final = 0.25  # share of a tread's usual area that a smaller level must have to be one
MIN_AREA: Final = 0.02  # m2
STEPS_OFF: Final = 0.3  # m in front of the first and behind the last edge: where one stands before the climb
JOINED: Final = 2.5  # m between the head of one flight and the foot of the next on a landing
SAME: Final = 0.6  # m of height between them

Position = tuple[float, float, float]


class Climb(msgspec.Struct, frozen=True):
    """The way up a flight, a stair or a ramp."""

    points: list[Position]  # foot to head
    risers: int  # 0: a ramp
    rise: float  # m of one riser; of a ramp, of all of it
    width: float  # m, of a usual tread; 0 where it is not known

    @property
    def foot(self) -> Position:
        return self.points[0]

    @property
    def head(self) -> Position:
        return self.points[-1]

    @property
    def length(self) -> float:
        """m, along the slope."""
        return sum(dist(a, b) for a, b in pairwise(self.points))


def climbs_of(triangles: NDArray[np.float64], owner: NDArray[np.int64]) -> dict[int, Climb]:
    """Return the climb of each stair and ramp among elements; `triangles` (T, 3, 3), `owner` (T,)."""
    found: dict[int, Climb] = {}
    for number in np.unique(owner).tolist():
        climb = climb_of(triangles[owner == number])
        if climb is not None:
            found[number] = climb
    return found


def climb_of(triangles: NDArray[np.float64]) -> Climb | None:
    """Return how one element is climbed, None when its triangles (T, 3, 3) have no treads and no slope."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    length = np.linalg.norm(normals, axis=1)
    real = length > 1e-9
    triangles, area = triangles[real], length[real] / 2
    up = normals[real, 2] / length[real]
    level = (up > 0.97) & (np.ptp(triangles[:, :, 2], axis=1) < LEVEL)  # a ramp for wheelchairs is nearly level
    return _stair(triangles[level], area[level]) or _ramp(triangles, area, up)


def _stair(treads: NDArray[np.float64], area: NDArray[np.float64]) -> Climb | None:
    """Return the climb over level faces (T, 3, 3), None when they are fewer than two steps."""
    levels = _levels(treads, area)
    if len(levels) < 2:
        return None
    steps = [after[2] - before[2] for before, after in pairwise(levels)]
    regular = [step for step in steps if RISER[0] <= step <= RISER[1]]
    if len(regular) < max(1, len(steps) // 2):
        return None
    rise = float(np.median(regular))
    foot = _beyond(levels[1], levels[0], levels[0][2] - rise)
    head = _beyond(levels[-2], levels[-1], levels[-1][2])
    points = [foot, *((x, y, z) for x, y, z, _ in levels), head]
    return Climb(_apart(points), round((levels[-1][2] - foot[2]) / rise), rise, _width(levels))


Level = tuple[float, float, float, float]  # x y z of the middle, m; m2


def _levels(treads: NDArray[np.float64], area: NDArray[np.float64]) -> list[Level]:
    """Return the levels one steps on, lowest first."""
    if not len(treads):
        return []
    middle = treads.mean(axis=1)
    order = np.argsort(middle[:, 2])
    middle, area = middle[order], area[order]
    cuts = np.flatnonzero(np.diff(middle[:, 2]) > LEVEL) + 1
    levels: list[Level] = []
    for rows in np.split(np.arange(len(area)), cuts):
        whole = float(area[rows].sum())
        if whole >= MIN_AREA:
            x, y, z = np.average(middle[rows], axis=0, weights=area[rows]).tolist()
            levels.append((x, y, z, whole))
    if not levels:
        return []
    usual = float(np.median([level[3] for level in levels]))
    kept: list[Level] = []
    for level in (level for level in levels if level[3] >= TREAD * usual):
        if kept and level[2] - kept[-1][2] < RISER[0]:  # a nosing: the larger face is the tread
            if level[3] > kept[-1][3]:
                kept[-1] = level
            continue
        kept.append(level)
    return kept


def _beyond(before: Sequence[float], last: Sequence[float], height: float) -> Position:
    """Return where one stands a step after `last`, coming from `before`."""
    along = np.array(last[:2]) - np.array(before[:2])
    run = float(np.hypot(*along))
    if run < 1e-6:
        return float(last[0]), float(last[1]), height
    x, y = np.array(last[:2]) + along / run * (min(run, 0.6) / 2 + STEPS_OFF)
    return float(x), float(y), height


def _width(levels: Sequence[Level]) -> float:
    runs = [dist(a[:2], b[:2]) for a, b in pairwise(levels)]
    going = float(np.median(runs)) if runs else 0.0
    return float(np.median([level[3] for level in levels]) / going) if going > 0.1 else 0.0


def _ramp(triangles: NDArray[np.float64], area: NDArray[np.float64], up: NDArray[np.float64]) -> Climb | None:
    """Return the climb over the faces that slope, None when there are none to speak of."""
    sloping = (up > 0.8) & (up < 0.9999)
    if area[sloping].sum() < 0.3:
        return None
    points = triangles[sloping].reshape(-1, 3)
    low, high = float(points[:, 2].min()), float(points[:, 2].max())
    if high - low < 0.05:
        return None
    band = 0.02 * (high - low)
    ends = [points[points[:, 2] <= low + band], points[points[:, 2] >= high - band]]
    foot, head = (((end.min(axis=0) + end.max(axis=0)) / 2).tolist() for end in ends)
    if dist(foot[:2], head[:2]) < 0.3:
        return None
    line = [(foot[0], foot[1], low), (head[0], head[1], high)]
    return Climb(line, 0, high - low, 0.0)


def _apart(points: Sequence[Position]) -> list[Position]:
    kept: list[Position] = []
    for point in points:
        if not kept or dist(point, kept[-1]) > 1e-3:
            kept.append((round(point[0], 4), round(point[1], 4), round(point[2], 4)))
    return kept


def joined_climbs(climbs: Sequence[Climb]) -> list[list[Climb]]:
    """Return the flights of one stair as ways up, each flight beginning where the one before it ends.

    Two flights that leave a landing in two directions make two ways up.
    """
    ways: list[list[Climb]] = []
    for climb in sorted(climbs, key=lambda climb: (climb.foot[2], climb.head[2])):
        before = [
            way
            for way in ways
            if abs(way[-1].head[2] - climb.foot[2]) <= SAME and dist(way[-1].head[:2], climb.foot[:2]) <= JOINED
        ]
        if before:
            min(before, key=lambda way: dist(way[-1].head, climb.foot)).append(climb)
        else:
            ways.append([climb])
    return ways
