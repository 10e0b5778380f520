"""From where to look at a thing so that it can be seen: from inside its room, from above rather than from below."""

import math
from collections.abc import Sequence

from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

HALF_VIEW = math.radians(25)  # half of the viewer's vertical angle
FILL = 0.45  # the thing's sphere fills that much of the view: its surroundings tell where it is
EYE = 1.6  # m above the floor; who looks for a valve is no taller
INSET = 0.3  # m that the eye keeps from walls and ceiling


class Viewpoint(TypedDict):
    """A camera: m, building frame, z up."""

    eye: list[float]
    target: list[float]


def look_at(box: Sequence[float], *, room: Sequence[float] | None = None, floor: float | None = None) -> Viewpoint:
    """A view of `box` (min x y z, max x y z).

    With `room` (the box of its space) the eye stays inside it, on the side where the room has most space;
    with `floor` (elevation of its storey) it stays above that. The thing itself may be the room.
    """
    target = [(box[axis] + box[axis + 3]) / 2 for axis in range(3)]
    radius = max(math.dist(box[:3], box[3:]) / 2, 0.15)
    distance = radius / math.sin(HALF_VIEW) / (2 * FILL)
    inside = room is not None and not _fills(box, room)
    east, north = _open_side(target, room) if room is not None and inside else (-0.6, -0.8)
    eye = [target[0] + east * distance, target[1] + north * distance, target[2] + 0.45 * distance]
    if room is not None and inside:
        for axis in (0, 1):
            eye[axis] = _clamp(eye[axis], room[axis] + INSET, room[axis + 3] - INSET)
        eye[2] = _clamp(max(eye[2], room[2] + EYE), room[2] + INSET, room[5] - INSET)
    if floor is not None:
        eye[2] = max(eye[2], floor + min(EYE, distance))
    if math.dist(eye[:2], target[:2]) < 0.05:  # straight down has no up: step aside
        eye[1] -= 0.3
    return {"eye": [round(value, 3) for value in eye], "target": [round(value, 3) for value in target]}


def _fills(box: Sequence[float], room: Sequence[float]) -> bool:
    """Whether the thing is as good as the room itself: then look from outside."""
    return all(box[axis + 3] - box[axis] > 0.8 * (room[axis + 3] - room[axis]) for axis in (0, 1))


def _open_side(target: Sequence[float], room: Sequence[float]) -> tuple[float, float]:
    """The horizontal unit vector from the thing to the middle of its room; in the middle, to its farther end."""
    middle = [(room[axis] + room[axis + 3]) / 2 for axis in (0, 1)]
    east, north = middle[0] - target[0], middle[1] - target[1]
    length = math.hypot(east, north)
    if length < 0.25:
        wide = room[3] - room[0] > room[4] - room[1]
        return (-1.0, 0.0) if wide else (0.0, -1.0)
    return east / length, north / length


def _clamp(value: float, low: float, high: float) -> float:
    return (low + high) / 2 if low > high else min(max(value, low), high)
