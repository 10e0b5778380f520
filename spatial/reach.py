"""What feeds an element, what it feeds, and what its outage touches, as the caller may see it (6.4.3b, 6.1.4d)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from spatial.flow import Reached
from spatial.network import Network
from spatial.rooms import RoomPoint
from twin.db import Conn, objects, rows


@dataclass(frozen=True, slots=True)
class ElementBrief:
    """An element in a list."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    storey_id: UUID | None
    space_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReachedElement:
    """An element up- or downstream, nearest first."""

    element: ElementBrief
    distance: int  # elements passed; 1: directly joined
    via: UUID  # the element before it on the way
    derived: bool  # the direction of the flow does not stand in the file


@dataclass(frozen=True, slots=True)
class TouchedRoom:
    """A room that an outage touches."""

    room: ElementBrief
    reason: str  # located: what is in it stops | served: a system that stops serves it


@dataclass(frozen=True, slots=True)
class Isolation:
    """What to shut so that nothing flows into or out of an element."""

    elements: list[ElementBrief]
    complete: bool  # False: some way to it has nothing that could be shut


@dataclass(frozen=True, slots=True)
class Affected:
    """What an outage of an element touches. Lists hold what the caller may see."""

    element: ElementBrief
    equipment: list[ReachedElement]
    rooms: list[TouchedRoom]
    points: list[RoomPoint]
    isolation: Isolation
    circuit: int  # elements that feed each other in a circle with this one; 0: none


async def briefs(conn: Conn, ids: Iterable[UUID]) -> dict[UUID, ElementBrief]:
    """Return the elements among `ids` that the caller may see."""
    found = await objects(
        conn,
        ElementBrief,
        "SELECT id, global_id, ifc_class, name, storey_id, space_id FROM element WHERE id = ANY(%s)",
        (list(ids),),
    )
    return {element.id: element for element in found}


async def reached(conn: Conn, network: Network, element: UUID, *, upstream: bool, depth: int) -> list[ReachedElement]:
    """Return what is up- or downstream of an element, at most `depth` elements away, nearest first."""
    number = network.numbers.get(element)
    if number is None:
        return []
    found = network.flow.upstream(number) if upstream else network.flow.downstream(number)
    return await _described(conn, network, [each for each in found if each.distance <= depth])


async def _described(conn: Conn, network: Network, found: Sequence[Reached]) -> list[ReachedElement]:
    known = await briefs(conn, (network.ids[each.element] for each in found))
    return [
        ReachedElement(known[network.ids[each.element]], each.distance, network.ids[each.via], each.derived)
        for each in found
        if network.ids[each.element] in known
    ]


async def affected(conn: Conn, network: Network, element: UUID) -> Affected:
    """Return what an outage of an element touches: what it feeds, the rooms with any of it, their points."""
    number = network.numbers.get(element)
    fed = network.flow.downstream(number) if number is not None else []
    equipment = await _described(conn, network, fed)
    shut, complete = network.flow.isolating(number, network.isolators) if number is not None else ([], False)
    ids = [element, *(network.ids[each.element] for each in fed)]
    known = await briefs(conn, [element, *(network.ids[each] for each in shut)])
    return Affected(
        element=known[element],
        equipment=equipment,
        rooms=await _rooms(conn, ids, serving=bool(fed)),
        points=await _points(conn, ids),
        isolation=Isolation([known[network.ids[n]] for n in shut if network.ids[n] in known], complete),
        circuit=len(network.flow.circuit(number)) if number is not None else 0,
    )


async def _rooms(conn: Conn, ids: list[UUID], *, serving: bool) -> list[TouchedRoom]:
    """Rooms with any of the elements in them; where the flow goes on, those too that its systems are said to serve."""
    found = await rows(
        conn,
        """WITH located AS (
                    SELECT DISTINCT space_id AS id FROM element WHERE id = ANY(%(ids)s) AND space_id IS NOT NULL),
                served AS (
                    SELECT DISTINCT s.element_id AS id FROM element_group_member m
                    JOIN element_group_serves s ON s.group_id = m.group_id
                    WHERE %(serving)s AND m.element_id = %(start)s)
           SELECT e.id, e.global_id, e.ifc_class, coalesce(e.long_name, e.name) AS name, e.storey_id, e.space_id,
                  CASE WHEN e.id IN (SELECT id FROM located) THEN 'located' ELSE 'served' END AS reason
           FROM element e WHERE e.ifc_class = 'IfcSpace'
             AND (e.id IN (SELECT id FROM located) OR e.id IN (SELECT id FROM served))
           ORDER BY reason, name, e.id""",
        {"ids": ids, "serving": serving, "start": ids[0]},
    )
    return [TouchedRoom(reason=found_room.pop("reason"), room=ElementBrief(**found_room)) for found_room in found]


async def _points(conn: Conn, ids: list[UUID]) -> list[RoomPoint]:
    return await objects(
        conn,
        RoomPoint,
        """SELECT id, key, name, unit, quantity FROM point WHERE element_id = ANY(%s) AND retired_at IS NULL
           ORDER BY name, key""",
        (ids,),
    )
