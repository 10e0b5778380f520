"""Which rooms touch, which doors and stairs join which rooms: plan geometry, for what the file does not say.

Everything is in the building frame (metres, z up). A room is its floor polygon and the heights it reaches from and
to. What comes out is derived; what the file itself says (IfcRelSpaceBoundary) goes before it, in `spatial.network`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Point, Polygon

WALL: Final = 0.6  # m; rooms further apart than this have something else than a wall between them
FACING: Final = 0.3  # m; rooms that face each other over less than this touch at a corner only
SAME_LEVEL: Final = 0.5  # m; rooms that share less height are above each other
STEP: Final = 0.3  # m; a door's sill may lie this far under or over the floor of its room
PROBES: Final = (0.05, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)  # m from the middle of the wall, nearest first
PASSAGE: Final = 0.6  # m; narrower than this is no way through
TOUCHING: Final = 0.02  # m
DRAWN_TO_FACES: Final = 0.05  # m; a median gap under this means rooms drawn to the middle of walls
LANDING: Final = 0.6  # m around a stair or lift in which its landing begins


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room seen from above."""

    id: UUID
    polygon: Polygon | MultiPolygon
    bottom: float  # m, of the floor
    top: float  # m

    def reaches(self, z: float) -> bool:
        """Say whether a door whose sill is at `z` can be a door of this room."""
        return self.bottom - STEP <= z < self.top


@dataclass(frozen=True, slots=True)
class Doorway:
    """A door or an empty opening: its middle on the wall's axis, and the direction through the wall."""

    id: UUID
    x: float
    y: float
    z: float  # of the sill
    normal: tuple[float, float]  # unit


@dataclass(frozen=True, slots=True)
class Shaft:
    """A stair, a ramp or a lift: a box that joins rooms above each other."""

    id: UUID
    kind: str  # stair | ramp | lift | escalator
    box: tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a shaft is entered on one level."""

    room: UUID
    x: float
    y: float
    z: float


class RoomIndex:
    """Rooms, found by place."""

    def __init__(self, rooms: Iterable[RoomPlan]) -> None:
        self.rooms = list(rooms)
        self._tree = shapely.STRtree([room.polygon for room in self.rooms])

    def at(self, x: float, y: float, z: float) -> RoomPlan | None:
        """Return the smallest room with this point on its floor plan and a floor at about `z`; None: no room."""
        hits = self._tree.query(Point(x, y), predicate="intersects").tolist()
        found = [self.rooms[hit] for hit in hits if self.rooms[hit].reaches(z)]
        return min(found, key=lambda room: room.polygon.area, default=None)

    def near(self, shape: Polygon) -> list[RoomPlan]:
        """Return all rooms whose plan the shape meets, on any level."""
        return [self.rooms[hit] for hit in self._tree.query(shape, predicate="intersects").tolist()]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two rooms on one level that face each other."""

    first: UUID
    second: UUID
    gap: float  # m between their outlines: the wall's thickness where rooms are drawn to its faces
    facing: float  # m over which they face each other
    step: float  # m between their floors
    x: float  # the middle of where they do
    y: float
    z: float  # of the higher floor


def neighbours(rooms: Sequence[RoomPlan]) -> list[Neighbours]:
    """Return the pairs of rooms on one level with a common wall (or none between them), each pair once.

    Rooms that only meet at a corner are not neighbours.
    """
    if not rooms:
        return []
    polygons = np.array([room.polygon for room in rooms], dtype=object)
    first, second = shapely.STRtree(polygons).query(polygons, predicate="dwithin", distance=WALL)
    bottom, top = np.array([room.bottom for room in rooms]), np.array([room.top for room in rooms])
    level = np.minimum(top[first], top[second]) - np.maximum(bottom[first], bottom[second]) >= SAME_LEVEL
    chosen = (first < second) & level
    first, second = first[chosen], second[chosen]
    gap = shapely.distance(polygons[first], polygons[second])
    # What of the one's outline runs along the other: near it everywhere, not just where the corners meet.
    lines = shapely.intersection(shapely.boundary(polygons[first]), shapely.buffer(polygons[second], gap + 0.05))
    facing = shapely.length(lines)
    middle = shapely.point_on_surface(lines)
    return [
        Neighbours(
            rooms[first[k]].id,
            rooms[second[k]].id,
            float(gap[k]),
            float(facing[k]),
            float(abs(bottom[first[k]] - bottom[second[k]])),
            middle[k].x,
            middle[k].y,
            float(max(bottom[first[k]], bottom[second[k]])),
        )
        for k in np.flatnonzero(facing >= FACING)
    ]


def open_sides(pairs: Sequence[Neighbours]) -> list[Neighbours]:
    """Return the pairs of rooms with no wall between them: one may walk from one into the other.

    Where a file draws its rooms to the faces of the walls, rooms that touch have no wall. Where it draws them to the
    walls' middle lines, all neighbours touch, and nothing can be said.
    """
    if not pairs or float(np.median([pair.gap for pair in pairs])) < DRAWN_TO_FACES:
        return []
    return [pair for pair in pairs if pair.gap < TOUCHING and pair.facing >= PASSAGE and pair.step < STEP]


def doorway(id: UUID, box: Sequence[float], placement: Sequence[float] | None) -> Doorway:
    """Return where a door's way through the wall is.

    `box`: min x y z, max x y z, which may include an open leaf; `placement`: row-major 4x4 whose origin lies in the
    wall. The wall runs along the placement's x axis, as IfcDoor wants it, unless the box clearly says otherwise.
    """
    size = np.array([box[3] - box[0], box[4] - box[1]])
    middle = np.array([(box[0] + box[3]) / 2, (box[1] + box[4]) / 2])
    if placement is None:
        along = np.array([1.0, 0.0]) if size[0] >= size[1] else np.array([0.0, 1.0])
        return Doorway(id, float(middle[0]), float(middle[1]), float(box[2]), (float(-along[1]), float(along[0])))
    matrix = np.asarray(placement, dtype=np.float64).reshape(4, 4)
    along, across = _unit(matrix[:2, 0]), _unit(matrix[:2, 1])
    straight = max(abs(along[0]), abs(along[1])) > 0.99
    if straight and float(size @ np.abs(across)) > 1.5 * float(size @ np.abs(along)):
        along = across
    # An open leaf moves the box's middle out of the wall; the placement's origin is in it.
    origin = matrix[:2, 3]
    centre = origin + along * float((middle - origin) @ along)
    return Doorway(id, float(centre[0]), float(centre[1]), float(box[2]), (float(-along[1]), float(along[0])))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.hypot(vector[0], vector[1]))
    return vector / length if length > 1e-9 else np.array([1.0, 0.0])


def joined(door: Doorway, index: RoomIndex) -> tuple[RoomPlan | None, RoomPlan | None]:
    """Return the rooms on the two sides of a door, None where no room is: outside, or where the file has none."""
    sides: list[list[RoomPlan]] = []
    for sign in (1.0, -1.0):
        found = [
            index.at(door.x + sign * step * door.normal[0], door.y + sign * step * door.normal[1], door.z + STEP / 2)
            for step in PROBES
        ]
        sides.append([room for room in found if room is not None])
    front = sides[0][0] if sides[0] else None
    # A door not quite in the wall sees its own room on both sides first.
    behind = next((room for room in sides[1] if room is not front), None)
    if front is not None and behind is None and front in sides[1]:
        front = next((room for room in sides[0] if room is not sides[1][0]), None)
        behind = sides[1][0]
    return front, behind


def landings(shaft: Shaft, index: RoomIndex) -> list[Landing]:
    """Return where a stair, ramp or lift is entered, lowest first; one per level.

    A lift's box is often its car: every level with a room at its place is one of its stops.
    """
    x0, y0, z0, x1, y1, z1 = shaft.box
    plan = shapely.box(x0, y0, x1, y1)
    rooms = index.near(plan.buffer(LANDING))
    if shaft.kind != "lift":
        rooms = [room for room in rooms if z0 - SAME_LEVEL <= room.bottom <= z1 + SAME_LEVEL]
    reach = plan.buffer(LANDING, join_style="mitre")
    levels: list[list[RoomPlan]] = []
    for room in sorted(rooms, key=lambda room: room.bottom):
        if levels and room.bottom - levels[-1][0].bottom <= 2 * SAME_LEVEL:
            levels[-1].append(room)
        else:
            levels.append([room])
    return [_landing(level, reach) for level in levels]


def _landing(rooms: Sequence[RoomPlan], reach: Polygon) -> Landing:
    """Return the landing in that room of one level which has most of the ground around the shaft."""
    shared = [shapely.intersection(room.polygon, reach) for room in rooms]
    best = int(np.argmax(shapely.area(np.array(shared, dtype=object))))
    entrance = shapely.point_on_surface(shared[best])
    return Landing(rooms[best].id, float(entrance.x), float(entrance.y), rooms[best].bottom)
