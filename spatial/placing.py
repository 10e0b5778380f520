"""Which room an element is in, how sure that is, and what hides it: plan geometry of many elements at once.

Building frame, metres, z up. Elements are rows 0 … N-1, rooms indices into a list of plans; -1 means none. Nothing
here knows where rows come from: `spatial.placed` reads and writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from spatial.joins import RoomPlan

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEAR: Final = 0.3  # m; what is fixed to a wall's face or set into it is no further from its room
LOOSE: Final = 0.02  # m; furniture further from a room stands outside the house
VOID: Final = 1.5  # m; the deepest ceiling void or raised floor
SURE: Final = 0.95  # of what lies wholly inside a room's outline and heights
DOUBTED: Final = 0.5  # of what has only its middle there
TOUCHING: Final = 0.7  # of what reaches into a room from a wall, as sockets do; less the further away it is
OVERLAP: Final = 0.7  # factor where several rooms claim the place
IN_VOID: Final = 0.8  # factor for the void above a ceiling or below a floor
BEHIND: Final = 0.01  # m; nearer than this an element is at the wall, not in it
FLUSH: Final = 0.02  # m
HEADROOM: Final = 1.5  # m; a ceiling hangs higher than this over its floor

ONE_STOREY: Final = 1.0  # m between the elevations that two models give one storey
IN_ROOMS: Final = frozenset(
    {
        "IfcDistributionElement",
        "IfcFurnishingElement",
        "IfcTransportElement",
        "IfcBuildingElementProxy",
        "IfcElectricalElement",
        "IfcEquipmentElement",
        "IfcElementComponent",
    }
)
"""What stands in a room, as against what bounds it; subclasses included."""
SHOWN_FACE: Final = frozenset({"IfcFlowTerminal", "IfcDistributionControlElement"})
"""What is set into ceilings and walls to be seen: hidden only when it is well behind them."""

REASONS: Final = ("inside", "ceiling", "floor", "nearest")
HIDDEN: Final = ("ceiling_void", "behind_wall", "under_floor")
INSIDE, CEILING, FLOOR, NEAREST = range(4)
CEILING_VOID, BEHIND_WALL, UNDER_FLOOR = range(3)


@dataclass(frozen=True, slots=True)
class RoomsHere:
    """The rooms of a building as arrays: outlines, heights, elevations of their storeys (NaN: none is known)."""

    polygons: NDArray[np.object_]  # (R,)
    bottom: Floats
    top: Floats
    storey: Floats

    @classmethod
    def of(cls, plans: Sequence[RoomPlan], storey: Sequence[float]) -> "RoomsHere":
        """Rooms in the order of `plans`."""
        polygons = np.array([plan.polygon for plan in plans], dtype=object).reshape(-1)
        shapely.prepare(polygons)
        return cls(
            polygons,
            np.array([plan.bottom for plan in plans], dtype=np.float64),
            np.array([plan.top for plan in plans], dtype=np.float64),
            np.array(storey, dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """How well each of N elements fits the room it was given; rows without a room say nothing."""

    reason: Ints  # (N,) index of REASONS, -1: no room
    confidence: Floats  # (N,) 0 … 1
    share: Floats  # (N,) of the element's plan inside the room's
    gap: Floats  # (N,) m from the room: in plan, or above its top or below its floor


def choose_rooms(boxes: Floats, storey: Floats, reach: Floats, rooms: RoomsHere) -> tuple[Ints, Ints]:
    """Return for each box (N, 6) the room that it is in, -1 for none, and how many rooms overlap there.

    The middle decides: first rooms whose heights hold it, then those it is above or below of by a void's depth, the
    smallest outline first. What is in none belongs to the nearest room within its `reach` (N,) m, a run through several
    rooms to the one that holds most of it. A room on another storey than the one the file names for the element
    (`storey`, (N,) its elevation, NaN: none) is no candidate; storeys of two models are one where their elevations are.
    """
    chosen = np.full(len(boxes), -1, dtype=np.int64)
    count = np.zeros(len(boxes), dtype=np.int64)
    if not len(rooms.polygons) or not len(boxes):
        return chosen, count
    tree = shapely.STRtree(rooms.polygons)
    middle = (boxes[:, :3] + boxes[:, 3:]) / 2
    known = np.flatnonzero(np.isfinite(middle).all(axis=1))
    hit, room = tree.query(shapely.points(middle[known, :2]), predicate="intersects")
    element = known[hit]
    area = shapely.area(rooms.polygons)
    z = middle[element, 2]
    # Between a ceiling and the floor above it there is more often a ceiling's void than a raised floor.
    off = np.maximum(np.maximum(1.5 * (rooms.bottom[room] - z), z - rooms.top[room]), 0.0)
    allowed = (off <= VOID) & _same_storey(storey[element], rooms.storey[room])
    element, room, off = element[allowed], room[allowed], off[allowed]
    order = np.lexsort((room, area[room], off, element))
    element, room, off = element[order], room[order], off[order]
    first = np.unique(element, return_index=True)[1]
    chosen[element[first]] = room[first]
    count += np.bincount(element[off == 0], minlength=len(boxes))
    _add_nearest(boxes, storey, reach, rooms, tree, known[chosen[known] < 0], chosen)
    return chosen, count


def _same_storey(wanted: Floats, has: Floats) -> Bools:
    return np.asarray(~(np.abs(wanted - has) > ONE_STOREY))  # true for NaN


def _plans(boxes: Floats) -> NDArray[np.object_]:
    return np.asarray(shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 3], boxes[:, 4]), dtype=object).reshape(-1)


def _add_nearest(
    boxes: Floats, storey: Floats, reach: Floats, rooms: RoomsHere, tree: shapely.STRtree, left: Ints, chosen: Ints
) -> None:
    plans = _plans(boxes[left])
    hit, room = tree.query(plans, predicate="dwithin", distance=reach[left])
    element = left[hit]
    level = (boxes[element, 2] < rooms.top[room]) & (boxes[element, 5] > rooms.bottom[room])
    level &= _same_storey(storey[element], rooms.storey[room])
    hit, element, room = hit[level], element[level], room[level]
    away = shapely.distance(plans[hit], rooms.polygons[room])
    shared = np.round(shapely.area(shapely.intersection(plans[hit], rooms.polygons[room])), 6)
    corner = shapely.bounds(rooms.polygons)[room]  # numbers of rooms differ from import to import, places do not
    order = np.lexsort((room, corner[:, 1], corner[:, 0], -shared, away, element))
    element, room = element[order], room[order]
    first = np.unique(element, return_index=True)[1]
    chosen[element[first]] = room[first]


def judge(boxes: Floats, room: Ints, overlapping: Ints, rooms: RoomsHere) -> Judged:
    """Return how well each box (N, 6) fits its room; `overlapping` (N,): rooms that hold its middle."""
    n = len(boxes)
    reason = np.full(n, -1, dtype=np.int64)
    confidence, share, gap = np.zeros(n), np.zeros(n), np.zeros(n)
    at = np.flatnonzero((room >= 0) & np.isfinite(boxes).all(axis=1))
    if not len(at):
        return Judged(reason, confidence, share, gap)
    of, box = room[at], boxes[at]
    floor = rooms.polygons[of]
    plans = _plans(box)
    share[at] = _shares(plans, floor)
    away = shapely.distance(shapely.points((box[:, 0] + box[:, 3]) / 2, (box[:, 1] + box[:, 4]) / 2), floor)
    z = (box[:, 2] + box[:, 5]) / 2
    above, below = np.maximum(z - rooms.top[of], 0.0), np.maximum(rooms.bottom[of] - z, 0.0)
    outside = away > 1e-9
    reason[at] = np.select([outside, above > 0, below > 0], [NEAREST, CEILING, FLOOR], INSIDE)
    gap[at] = np.where(outside, shapely.distance(plans, floor), above + below)
    sure = DOUBTED + (SURE - DOUBTED) * share[at]
    sure *= np.where(above + below > 0, IN_VOID * (1 - 0.5 * (above + below) / VOID).clip(0.5, 1), 1.0)
    sure = np.where(outside, TOUCHING * (1 - gap[at] / (1.5 * NEAR)).clip(0.1, 1), sure)
    confidence[at] = sure * np.where(overlapping[at] > 1, OVERLAP, 1.0)
    return Judged(reason, confidence, share, gap)


def _shares(plans: NDArray[np.object_], floors: NDArray[np.object_]) -> Floats:
    """Return how much of each plan lies in its floor; something flat (a sensor drawn as a line) is in or out."""
    whole = np.asarray(shapely.covers(floors, plans), dtype=np.float64)
    part = np.flatnonzero(whole == 0)
    if len(part):
        area = shapely.area(plans[part])
        shared = shapely.area(shapely.intersection(plans[part], floors[part]))
        whole[part] = np.divide(shared, area, out=np.zeros(len(part)), where=area > 1e-9)
    return whole


@dataclass(frozen=True, slots=True)
class Covers:
    """What hides things: boxes (k, 6) of suspended ceilings, raised floors and walls."""

    ceilings: Floats
    floorings: Floats
    walls: Floats


def find_hidden(boxes: Floats, room: Ints, shows_face: Bools, rooms: RoomsHere, covers: Covers) -> Ints:
    """Return what hides each element (N,): index of HIDDEN, -1 for nothing.

    Hidden is what lies wholly above the underside of its room's ceiling (without one: above the room), wholly below
    its floor, or wholly outside its room's outline and inside a wall. What is in no room is not judged.
    """
    hidden = np.full(len(boxes), -1, dtype=np.int64)
    at = np.flatnonzero((room >= 0) & np.isfinite(boxes).all(axis=1))
    if not len(at):
        return hidden
    box, of = boxes[at], room[at]
    margin = np.where(shows_face[at], 2.5 * FLUSH, -FLUSH)  # how far behind the ceiling's face or the floor it must be
    bottom, top = rooms.bottom[of], rooms.top[of]
    found = np.full(len(at), -1, dtype=np.int64)
    hit, cover = _over_middle(box, covers.ceilings)
    under = covers.ceilings[cover, 2]
    own = (under > bottom[hit] + HEADROOM) & (under < top[hit] + VOID) & (box[hit, 2] >= under + margin[hit])
    found[hit[own]] = CEILING_VOID
    found[box[:, 2] >= top + margin] = CEILING_VOID
    hit, cover = _over_middle(box, covers.floorings)
    under = covers.floorings[cover, 2]
    own = (np.abs(covers.floorings[cover, 5] - bottom[hit]) <= VOID / 2) & (box[hit, 5] <= under - margin[hit])
    found[hit[own]] = UNDER_FLOOR
    found[box[:, 5] <= bottom - margin] = UNDER_FLOOR
    out = np.flatnonzero((found < 0) & (shapely.distance(_plans(box), rooms.polygons[of]) > BEHIND))
    if len(out) and len(covers.walls):
        hit, wall = shapely.STRtree(_plans(covers.walls)).query(_plans(box[out]), predicate="intersects")
        level = (covers.walls[wall, 2] < box[out[hit], 5]) & (covers.walls[wall, 5] > box[out[hit], 2])
        found[out[hit[level]]] = BEHIND_WALL
    hidden[at] = found
    return hidden


def _over_middle(boxes: Floats, covers: Floats) -> tuple[Ints, Ints]:
    """Return the pairs of a box and a covering over or under its middle."""
    none = np.zeros(0, dtype=np.int64)
    if not len(covers):
        return none, none
    middle = (boxes[:, :2] + boxes[:, 3:5]) / 2
    hit, cover = shapely.STRtree(_plans(covers)).query(shapely.points(middle), predicate="intersects")
    return hit, cover
