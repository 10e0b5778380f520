"""The way from one place of a building to another, in words and points, as the caller may see it (8.4.9b)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import shapely

from spatial.network import Network
from spatial.reach import ElementBrief, briefs
from spatial.ways import Options, Place, Position, Route, Step
from twin.db import Conn, row, rows
from twin.errors import NotFound
from twin.places import Storey


@dataclass(frozen=True, slots=True)
class DirectionStep:
    """A part of the way: across a room, through a door, up or down a stair or lift."""

    kind: Literal["walk", "door", "opening", "stair", "ramp", "lift", "escalator"]
    element: ElementBrief | None  # the door, stair or lift
    room: ElementBrief | None  # the room walked through
    storey: UUID | None
    points: list[Position]  # m, building frame
    length: float  # m
    seconds: float


@dataclass(frozen=True, slots=True)
class Directions:
    """The quickest way. Lengths in metres, times in seconds at a walking pace of 1.3 m/s."""

    polyline: list[Position]
    length: float
    seconds: float
    storeys: list[Storey]  # in the order in which they are walked on
    doors: list[ElementBrief]  # in the order in which they are passed
    steps: list[DirectionStep]


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


async def directions(conn: Conn, network: Network, start: UUID, end: UUID | None, options: Options) -> Directions:
    """Return the quickest way from an element to another, or (`end` None) out of the building.

    Raises NotFound with the reason: near no room, nothing joins the two islands, or what the options forbid.
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
            raise await _no_route(conn, network, here, there)
    return await _described(conn, route)


async def _no_route(conn: Conn, network: Network, start: Place, end: Place) -> NotFound:
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


async def _described(conn: Conn, route: Route) -> Directions:
    known = await briefs(conn, _mentioned(route.steps))
    steps = [
        DirectionStep(
            kind=step.kind,  # type: ignore[arg-type]  # the kinds of spatial.ways
            element=known.get(step.element) if step.element else None,
            room=known.get(step.room) if step.room else None,
            storey=known[step.room].storey_id if step.room in known else None,
            points=step.points,
            length=step.length,
            seconds=step.seconds,
        )
        for step in route.steps
    ]
    order = list(dict.fromkeys(step.storey for step in steps if step.storey))
    storeys = {
        storey["id"]: Storey(**storey)
        for storey in await rows(
            conn, "SELECT id, building_id, name, elevation FROM storey WHERE id = ANY(%s)", (order,)
        )
    }
    return Directions(
        polyline=route.polyline,
        length=route.length,
        seconds=route.seconds,
        storeys=[storeys[id] for id in order if id in storeys],
        doors=[known[door] for door in route.doors if door in known],
        steps=steps,
    )


def _mentioned(steps: Iterable[Step]) -> set[UUID]:
    return {id for step in steps for id in (step.element, step.room) if id is not None}
