"""The way from one place of a building to another, in words and points, as the caller may see it (8.4.9b)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import shapely

from spatial.instructions import Instruction, Kind, Names, Text, instructions_of
from spatial.network import Network
from spatial.reach import ElementBrief, briefs
from spatial.ways import WALK, Options, Place, Position, Route, Step, paced
from twin.db import Conn, row, rows
from twin.errors import NotFound
from twin.places import Storey


@dataclass(frozen=True, slots=True)
class DirectionStep:
    """One thing to do: where to turn, which door or stair to take. Indices are rows of the polyline, both included."""

    kind: Kind
    element: ElementBrief | None  # the door, stair or lift; at the end, what one came for
    room: ElementBrief | None  # the room walked through or entered
    storey: UUID | None
    text: Text
    length: float  # m
    seconds: float
    from_index: int
    to_index: int


@dataclass(frozen=True, slots=True)
class RoutePart:
    """A part of the way: across a room, through a door, up or down a stair or lift."""

    kind: Literal["walk", "door", "opening", "stair", "ramp", "lift", "escalator"]
    element: ElementBrief | None  # the door, stair or lift
    room: ElementBrief | None  # the room walked through
    storey: UUID | None
    points: list[Position]  # m, building frame
    length: float  # m
    seconds: float
    risers: int  # steps climbed, up or down; 0: none, or not known


@dataclass(frozen=True, slots=True)
class Directions:
    """The quickest way. Lengths in metres; times in seconds, at the walking pace that was asked for."""

    polyline: list[Position]
    length: float
    seconds: float
    storeys: list[Storey]  # in the order in which they are walked on
    doors: list[ElementBrief]  # in the order in which they are passed
    steps: list[DirectionStep]
    parts: list[RoutePart]


async def place_of(conn: Conn, network: Network, element: UUID) -> Place:
    """Return where one goes to reach an element. Raises NotFound when it is near no room."""
    found = await row(
        conn,
        """SELECT e.id, e.bbox, CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS room
           FROM element e WHERE e.id = %s""",
        (element,),
    )
    plan = network.plans.get(found["room"]) if found and found["room"] == element else None
    if plan is not None:
        inside = shapely.point_on_surface(plan.polygon)
        return Place(plan.id, (inside.x, inside.y, plan.bottom))
    box = found["bbox"] if found else None
    place = network.place(_middle(box), found["room"]) if found and box else None
    if place is None:
        raise NotFound("route.no_room", element=str(element))
    return place


def _middle(box: list[float]) -> tuple[float, float, float]:
    return (box[0] + box[3]) / 2, (box[1] + box[4]) / 2, (box[2] + box[5]) / 2


async def directions(
    conn: Conn, network: Network, start: UUID, end: UUID | None, options: Options, *, speed: float = WALK
) -> Directions:
    """Return the quickest way from an element to another, or (`end` None) out of the building.

    `speed`: m/s on the level; stairs and ramps are taken that much faster or slower too. Raises NotFound with the
    reason: near no room, nothing joins the two islands, or what the options forbid.
    """
    here = await place_of(conn, network, start)
    if end is None:
        route = network.walk.evacuate(here, options)
        if route is None:
            raise NotFound("route.no_exit", island=_size(network, here.room))
    else:
        there = await place_of(conn, network, end)
        route = network.walk.route(here, there, options)
        if route is None:
            raise await no_route(conn, network, here, there)
    return await described(conn, paced(route, speed), end)


async def no_route(conn: Conn, network: Network, start: Place, end: Place) -> NotFound:
    """Return why there is no way: which door is missing between two islands, or what must not be used."""
    islands = network.walk.islands
    if islands[start.room] == islands[end.room]:
        return NotFound("route.forbidden")
    wanted = {islands[start.room], islands[end.room]}
    pair = next(
        (p for p in network.neighbours if {islands[p.first], islands[p.second]} == wanted),
        None,
    )
    if pair is None:
        here, there = _size(network, start.room), _size(network, end.room)
        return NotFound("route.islands", from_rooms=here, to_rooms=there)
    known = await briefs(conn, (pair.first, pair.second))
    names = [known[id].name or known[id].global_id if id in known else str(id) for id in (pair.first, pair.second)]
    return NotFound("route.missing_door", first=names[0], second=names[1])


def _size(network: Network, room: UUID) -> int:
    """How many rooms one can walk to from this one, itself included."""
    island = network.walk.islands[room]
    return sum(1 for other in network.walk.islands.values() if other == island)


async def described(conn: Conn, route: Route, end: UUID | None) -> Directions:
    """Return a route with the names of what the caller may see of it. `end`: what it leads to, None outside."""
    mentioned = _mentioned(route.steps) | ({end} if end else set())
    known = await briefs(conn, mentioned)
    storeys = await _storeys(conn, known)
    names = await _names(conn, mentioned, storeys)
    walked = (known[step.room].storey_id for step in route.steps if step.room is not None and step.room in known)
    order = list(dict.fromkeys(walked))
    return Directions(
        polyline=route.polyline,
        length=route.length,
        seconds=route.seconds,
        storeys=[storeys[id] for id in order if id in storeys],
        doors=[known[door] for door in route.doors if door in known],
        steps=[_told(each, known) for each in instructions_of(route, names, target=end, to_outside=end is None)],
        parts=[_part(step, known) for step in route.steps],
    )


def _told(each: Instruction, known: Mapping[UUID, ElementBrief]) -> DirectionStep:
    room = known.get(each.room) if each.room else None
    return DirectionStep(
        kind=each.kind,
        element=known.get(each.element) if each.element else None,
        room=room,
        storey=room.storey_id if room else None,
        text=each.text,
        length=each.length,
        seconds=each.seconds,
        from_index=each.from_index,
        to_index=each.to_index,
    )


def _part(step: Step, known: Mapping[UUID, ElementBrief]) -> RoutePart:
    room = known.get(step.room) if step.room else None
    return RoutePart(
        kind=step.kind,  # type: ignore[arg-type]  # the kinds of spatial.ways
        element=known.get(step.element) if step.element else None,
        room=room,
        storey=room.storey_id if room else None,
        points=step.points,
        length=step.length,
        seconds=step.seconds,
        risers=step.risers,
    )


def _mentioned(steps: Iterable[Step]) -> set[UUID]:
    return {id for step in steps for id in (step.element, step.room) if id is not None}


async def _storeys(conn: Conn, known: Mapping[UUID, ElementBrief]) -> dict[UUID, Storey]:
    ids = [each.storey_id for each in known.values() if each.storey_id is not None]
    found = await rows(conn, "SELECT id, building_id, name, elevation FROM storey WHERE id = ANY(%s)", (ids,))
    return {storey["id"]: Storey(**storey) for storey in found}


async def _names(conn: Conn, ids: Iterable[UUID], storeys: Mapping[UUID, Storey]) -> Names:
    """Return what people call things: rooms by number and name, doors and stairs without a catalogue's words."""
    found = await rows(
        conn, "SELECT id, ifc_class, name, long_name, tag, storey_id FROM element WHERE id = ANY(%s)", (list(ids),)
    )
    rooms, elements, levels = {}, {}, {}
    for each in found:
        name, long_name = each["name"] or "", each["long_name"] or ""
        if each["ifc_class"] == "IfcSpace":
            more = [word for word in long_name.split() if word not in name.split()]
            rooms[each["id"]] = long_name if name in long_name else " ".join([name, *more])
            if each["storey_id"] in storeys:
                levels[each["id"]] = storeys[each["storey_id"]].name
        else:
            # Revit writes family:type:number; the number or tag is what stands on a plan.
            short = each["tag"] or name.rsplit(":", 1)[-1] if name.count(":") >= 2 else name
            elements[each["id"]] = short
    return Names({k: v for k, v in rooms.items() if v}, {k: v for k, v in elements.items() if v}, levels)
