"""How a door is drawn: its leaves standing open, the arcs they swing through, sliding leaves beside their opening.

From OperationType (ISO 16739-1, IfcDoorTypeOperationEnum): a leaf opens towards the y axis of the door's placement,
left and right are seen along it. Where a file says nothing it is guessed, and said to be a guess: what kind from its
words and width, to which side from where its leaf lies in its frame, its hinges where a wall is nearer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, pi, sin
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely

from spatial.joins import doorway

JAMB: Final = 0.05  # m of frame on each side of a leaf
_NOBODY: Final = UUID(int=0)
THICK: Final = 0.04  # m of a leaf
DOUBLE: Final = 1.35  # m; a door of unknown kind that is wider has two leaves
WIDE: Final = 2.6  # m; and one wider than that does not swing
OFF: Final = 0.012  # m that a leaf lies out of the middle of its frame, on the side to which it opens
CORNER: Final = 0.3  # m by which a wall has to be nearer on one side: doors open against walls
REACH: Final = 6.0  # m
KINDS: Final = tuple(
    (kind, re.compile(words, re.IGNORECASE))
    for kind, words in (
        ("ROLLINGUP", r"garage|overhead|\broll(er|ing|tor|laden)|shutter|se[ck]tional|卷帘|卷闸"),
        ("FOLDING_TO_LEFT", r"\bfold|\bfalt|accordion|折叠"),
        ("REVOLVING", r"revolv|karussell|旋转门"),
        ("SLIDING", r"\bslid|schieb|\bpocket|推拉|移门|平移"),
    )
)
"""What a door of unknown kind is by its name or its type's."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a door. Metres."""

    hinge: Point
    tip: Point  # of the leaf as drawn
    closed: Point | None  # where the tip is when it is shut; None: it does not swing


@dataclass(frozen=True, slots=True)
class DoorSymbol:
    """A door as it is drawn. Metres."""

    middle: Point
    along: Point  # unit, along the wall
    width: float
    depth: float  # of the frame, across the wall
    leaves: list[Leaf]
    kind: str  # swing | sliding | folding | revolving | rolling | fixed
    derived: bool  # the file does not say how it opens


def door_symbol(
    box: Sequence[float],
    placement: Sequence[float] | None,
    operation: str | None,
    cut: Any | None,
    *,
    words: str = "",
    walls: shapely.STRtree | None = None,
) -> DoorSymbol:
    """Return how a door is drawn; `cut`: its section, as wide as the opening is.

    `words`: names of it, `walls`: sections of what stands around it, for doors of which no file says how they open.
    """
    way = doorway(_NOBODY, box, placement)
    along = np.array([way.normal[1], -way.normal[0]])
    across = np.array(way.normal)
    if placement is not None:
        matrix = np.asarray(placement, dtype=np.float64).reshape(4, 4)
        if float(along @ matrix[:2, 0]) < 0:
            along = -along
        if float(across @ matrix[:2, 1]) < 0:
            across = -across
    middle = np.array([way.x, way.y])
    corners = _corners(box, cut) - middle
    low, high = float((corners @ along).min()), float((corners @ along).max())
    middle = middle + along * (low + high) / 2
    width = high - low
    depth = float((corners @ across).max() - (corners @ across).min())
    name = operation if operation and operation not in ("NOTDEFINED", "USERDEFINED") else None
    derived = name is None
    if name is None:
        across = across * (_side(cut, middle, along, across, width) or 1)
        name = _guess(words, middle, along, across, width, walls)
    kind, leaves = _leaves(name, middle, along, across, width)
    return DoorSymbol(
        (float(middle[0]), float(middle[1])),
        (float(along[0]), float(along[1])),
        width,
        min(depth, 0.6),
        leaves,
        kind,
        derived,
    )


def _side(cut: Any | None, middle: Any, along: Any, across: Any, width: float) -> int:
    """Return to which side of its frame a leaf lies, 1 or -1 along `across`; 0: in the middle, or there is none."""
    if cut is None or cut.is_empty:
        return 0
    frame = (shapely.get_coordinates(cut) - middle) @ across
    low, high = float(frame.min()), float(frame.max())
    off = []
    for share in (-0.25, -0.15, 0.15, 0.25):
        at = middle + along * share * width
        line = shapely.LineString([at + across * (low - 0.1), at + across * (high + 0.1)])
        leaf = shapely.get_coordinates(shapely.intersection(line, cut))
        if len(leaf):
            off.append(float(((leaf - middle) @ across).mean()) - (low + high) / 2)
    if not off:
        return 0
    return 1 if min(off) > OFF else -1 if max(off) < -OFF else 0


def _guess(words: str, middle: Any, along: Any, across: Any, width: float, walls: shapely.STRtree | None) -> str:
    """Return the operation type of a door of which no file says it."""
    named = next((kind for kind, pattern in KINDS if pattern.search(words)), None)
    if named == "SLIDING":
        return "DOUBLE_DOOR_SLIDING" if width > 2 * DOUBLE else "SLIDING_TO_LEFT"
    if named is not None or width > WIDE:
        return named or "ROLLINGUP"
    if width > DOUBLE:
        return "DOUBLE_DOOR_SINGLE_SWING"
    left, right = (
        _to_wall(middle + along * side * (width / 2 - JAMB) + across * 0.6, along * side, walls) for side in (-1, 1)
    )
    return "SINGLE_SWING_RIGHT" if right < left - CORNER else "SINGLE_SWING_LEFT"


def _to_wall(start: Any, direction: Any, walls: shapely.STRtree | None) -> float:
    """Return how far it is to the next wall (m), at most `REACH`."""
    if walls is None:
        return REACH
    ray = shapely.LineString([start, start + direction * REACH])
    met = shapely.intersection(walls.geometries[walls.query(ray, predicate="intersects")], ray)
    return float(np.min(shapely.distance(met, shapely.Point(start)), initial=REACH))


def _corners(box: Sequence[float], cut: Any | None) -> Any:
    if cut is not None and not cut.is_empty:
        return shapely.get_coordinates(cut)
    return np.array([(box[0], box[1]), (box[3], box[1]), (box[0], box[4]), (box[3], box[4])])


def _leaves(name: str, middle: Any, along: Any, across: Any, width: float) -> tuple[str, list[Leaf]]:
    half = max(width / 2 - JAMB, 0.1)
    left, right = middle - along * half, middle + along * half

    def swing(hinge: Any, tip: Any, side: Any, angle: float = pi / 2) -> Leaf:
        reach = tip - hinge
        length = float(np.hypot(*reach))
        turned = reach * cos(angle) + side * length * sin(angle)
        return Leaf(_point(hinge), _point(hinge + turned), _point(tip))

    if name.startswith("REVOLVING"):
        ends = [middle + (along * cos(a) + across * sin(a)) * half for a in (pi / 4, 3 * pi / 4)]
        return "revolving", [Leaf(_point(2 * middle - end), _point(end), None) for end in ends]
    if name.startswith("ROLLINGUP"):
        return "rolling", [Leaf(_point(left), _point(right), None)]
    if "FIXED" in name and "SWING" not in name:
        return "fixed", [Leaf(_point(left), _point(right), None)]
    if "SLIDING" in name or "LIFTING_VERTICAL" in name:
        return "sliding", _sliding(name, left, right, middle, across)
    if "FOLDING" in name:
        quarter = half / 2
        bend = left + along * quarter + across * quarter
        return "folding", [
            Leaf(_point(left), _point(bend), None),
            Leaf(_point(bend), _point(left + along * half), None),
        ]
    sides = [across, -across] if "DOUBLE_SWING" in name or "DOUBLE_DOOR_DOUBLE" in name else [across]
    if name.startswith(("DOUBLE_DOOR", "DOUBLE_PANEL")):
        second = -across if "OPPOSITE" in name else across
        leaves = [swing(left, middle, sides[0]), swing(right, middle, second)]
        if len(sides) > 1:
            leaves += [swing(left, middle, sides[1]), swing(right, middle, sides[1])]
        return "swing", leaves
    hinge, tip = (right, left) if name.endswith("RIGHT") else (left, right)
    return "swing", [swing(hinge, tip, side) for side in sides]


def _sliding(name: str, left: Any, right: Any, middle: Any, across: Any) -> list[Leaf]:
    off = across * THICK
    if name.startswith("DOUBLE_DOOR"):
        quarter = (middle - left) / 2
        return [
            Leaf(_point(left + off - quarter), _point(middle + off - quarter), None),
            Leaf(_point(middle - off + quarter), _point(right - off + quarter), None),
        ]
    shift = (right - left) * (0.4 if name.endswith("RIGHT") else -0.4)
    return [Leaf(_point(left + off + shift), _point(right + off + shift), None)]


def _point(at: Any) -> Point:
    return round(float(at[0]), 4), round(float(at[1]), 4)


def turns_left(leaf: Leaf) -> bool:
    """Say whether a leaf opens counter-clockwise as seen on the plan."""
    assert leaf.closed is not None
    shut = atan2(leaf.closed[1] - leaf.hinge[1], leaf.closed[0] - leaf.hinge[0])
    open_ = atan2(leaf.tip[1] - leaf.hinge[1], leaf.tip[0] - leaf.hinge[0])
    return sin(open_ - shut) > 0
