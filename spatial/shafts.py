"""Stairs, ramps and lifts as ways between storeys: where each is entered on a level, and how it is walked up.

A stair whose flights have a mesh is entered at its foot and left at its head, over the landings between its flights
(`spatial.climbs`). One without is entered where most of the ground around its box is. A lift is entered in its shaft,
where that is a room, else at its door.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import dist, hypot
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np
import shapely

from spatial.climbs import Climb, joined_climbs
from spatial.joins import RoomIndex, RoomPlan, Shaft, landings
from spatial.ways import Position, Way

FLIGHT_GAP: Final = 0.5  # m between flights of one stair
STOP: Final = 0.45  # m of height between a floor and the point of a stair at which it is left for that floor
BESIDE: Final = 1.2  # m from the foot or head of a stair to its room
LIFT_DOOR: Final = 0.8  # m between a lift and its door


def shaft_ways(
    found: Sequence[dict[str, Any]], index: RoomIndex, climbs: Mapping[UUID, Climb], doors: Sequence[Way]
) -> list[Way]:
    """Return the landings of all stairs, ramps and lifts that join at least two levels.

    `found`: their rows; `climbs`: how those with a mesh are walked, by element; `doors`: the doors of the building.
    """
    ways: list[Way] = []
    for shaft, members in _whole(found):
        flights = [climbs[id] for id in members if id in climbs] if shaft.kind in ("stair", "ramp", "escalator") else []
        stops = _climbed(shaft, flights, index) if flights else []
        if not stops and shaft.kind == "lift":
            stops = _ridden(shaft, index, doors)
        if not stops:
            stops = [
                Way(shaft.kind, shaft.id, (stop.x, stop.y, stop.z), (stop.room,), shaft.id)
                for stop in landings(shaft, index)
            ]
        if len(stops) > 1:
            ways += stops
    return ways


def _climbed(shaft: Shaft, flights: Sequence[Climb], index: RoomIndex) -> list[Way]:
    """Return the landings of a stair along its walking line, each with the way up to the next."""
    ways: list[Way] = []
    for number, chain in enumerate(joined_climbs(flights)):
        line: list[Position] = [point for climb in chain for point in climb.points]
        stops = _stops(line, index)
        if len(stops) < 2:
            continue
        key = shaft.id if number == 0 else uuid5(shaft.id, str(number))
        risers = sum(climb.risers for climb in chain)
        rise = line[-1][2] - line[0][2]
        for (at, room), following in zip(stops, [*stops[1:], None], strict=True):
            x, y, _ = line[at]
            up: tuple[Position, ...] = ()
            steps = 0
            if following is not None:
                up = tuple(line[at + 1 : following[0]])
                steps = round(risers * (line[following[0]][2] - line[at][2]) / rise) if rise > 0 else 0
            ways.append(Way(shaft.kind, shaft.id, (x, y, room.bottom), (room.id,), key, up, steps))
    return ways


def _stops(line: Sequence[Position], index: RoomIndex) -> list[tuple[int, RoomPlan]]:
    """Return the points of a walking line at which a storey's floor is stepped on, lowest first."""
    found: list[tuple[int, RoomPlan]] = []
    floors = sorted({round(room.bottom, 2) for room in index.rooms})
    for floor in floors:
        near = [(abs(z - floor), i) for i, (_, _, z) in enumerate(line) if abs(z - floor) <= STOP]
        if not near:
            continue
        least = min(near)[0]
        # Foot and head are stepped on before any tread that is as high.
        at = next((i for away, i in near if away <= least + 0.2 and i in (0, len(line) - 1)), min(near)[1])
        room = _room_at(line[at], floor, index)
        if room is None:
            continue
        if found and found[-1][0] >= at:
            continue
        if found and floor - found[-1][1].bottom < 2 * STOP:
            continue  # a platform a step higher is the same level
        found.append((at, room))
    return found


def _room_at(point: Position, floor: float, index: RoomIndex) -> RoomPlan | None:
    """Return the room of a floor in which a stair begins or ends: around the point, else the nearest beside it."""
    x, y, _ = point
    spot = shapely.Point(x, y)
    near = [room for room in index.near(spot.buffer(BESIDE)) if abs(room.bottom - floor) <= 0.05]
    if not near:
        return None
    away = [float(shapely.distance(room.polygon, spot)) for room in near]
    least = min(away)
    return min(
        (room for room, distance in zip(near, away, strict=True) if distance <= least + 1e-6),
        key=lambda room: float(room.polygon.area),
    )


def _ridden(shaft: Shaft, index: RoomIndex, doors: Sequence[Way]) -> list[Way]:
    """Return the stops of a lift: in its shaft where that is a room on every level, else at its doors."""
    x0, y0, _, x1, y1, _ = shaft.box
    middle = shapely.Point((x0 + x1) / 2, (y0 + y1) / 2)
    inside = [room for room in index.near(middle.buffer(0.05)) if shapely.contains(room.polygon, middle)]
    small = [room for room in inside if room.polygon.area <= 3 * max((x1 - x0) * (y1 - y0), 2.0)]
    stops = {round(room.bottom, 1): (middle.x, middle.y, room) for room in small}
    by_id = {room.id: room for room in index.rooms}
    box = shapely.box(x0, y0, x1, y1)
    for door in doors:
        x, y, z = door.position
        if box.distance(shapely.Point(x, y)) > LIFT_DOOR:
            continue
        outside = [by_id[id] for id in door.rooms if id in by_id and not by_id[id].polygon.contains(middle)]
        level = next((room for room in outside if abs(room.bottom - z) < 0.5), None)
        if level is not None and round(level.bottom, 1) not in stops:
            stops[round(level.bottom, 1)] = (x, y, level)
    if len(stops) < 2 or len(stops) < len(landings(shaft, index)):
        return []  # on some levels it is known by its box only
    return [
        Way("lift", shaft.id, (float(x), float(y), room.bottom), (room.id,), shaft.id)
        for _, (x, y, room) in sorted(stops.items(), key=lambda stop: stop[0])
    ]


def _whole(found: Sequence[dict[str, Any]]) -> Iterable[tuple[Shaft, list[UUID]]]:
    """Return each stair, ramp and lift as one box with the elements it is made of."""
    ids = {each["id"] for each in found}
    boxes: dict[UUID, list[Sequence[float]]] = defaultdict(list)
    members: dict[UUID, list[UUID]] = defaultdict(list)
    kinds: dict[UUID, str] = {}
    for each in found:
        whole = each["parent_id"] if each["parent_id"] in ids else each["id"]
        kinds.setdefault(whole, _kind(each))
        members[whole].append(each["id"])
        if each["bbox"] is not None:
            boxes[whole].append(each["bbox"])
    shafts = []
    for id, parts in boxes.items():
        corners = np.array(parts)
        box = (*corners[:, :3].min(axis=0).tolist(), *corners[:, 3:].max(axis=0).tolist())
        shafts.append((Shaft(id, kinds[id], box), members[id]))
    return _merged(shafts)


def _merged(shafts: Sequence[tuple[Shaft, list[UUID]]]) -> list[tuple[Shaft, list[UUID]]]:
    """Join flights that stand above each other and belong to no stair of the file."""
    done: list[tuple[Shaft, list[UUID]]] = []
    for shaft, members in sorted(shafts, key=lambda each: each[0].box[2]):
        below = next(
            (i for i, (other, _) in enumerate(done) if shaft.kind == other.kind != "lift" and _touch(other, shaft)),
            None,
        )
        if below is None:
            done.append((shaft, list(members)))
            continue
        other, parts = done[below]
        low, high = np.array(other.box), np.array(shaft.box)
        box = (*np.minimum(low, high)[:3].tolist(), *np.maximum(low, high)[3:].tolist())
        done[below] = (Shaft(other.id, other.kind, box), [*parts, *members])
    return done


def _touch(below: Shaft, above: Shaft) -> bool:
    x = min(below.box[3], above.box[3]) - max(below.box[0], above.box[0])
    y = min(below.box[4], above.box[4]) - max(below.box[1], above.box[1])
    return x > -FLIGHT_GAP and y > -FLIGHT_GAP and abs(above.box[2] - below.box[5]) <= FLIGHT_GAP


def _kind(element: dict[str, Any]) -> str:
    if element["ifc_class"].startswith("IfcStair"):
        return "stair"
    if element["ifc_class"].startswith("IfcRamp"):
        return "ramp"
    stated = json.dumps([element["predefined_type"], element["attributes"].get("OperationType")])
    return "escalator" if "ESCALATOR" in stated or "MOVINGWALKWAY" in stated else "lift"


def length_of(points: Sequence[Position]) -> float:
    """Return the length of a line, m."""
    return sum(dist(a, b) for a, b in pairwise(points))


def run_of(points: Sequence[Position]) -> float:
    """Return the length of a line on the ground plan, m."""
    return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points))
