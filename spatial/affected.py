"""What an outage of an element touches: equipment, rooms, points, alarms, people's functions; and how to isolate it.

Everything is read with the caller's connection: lists hold what the caller may see (6.1.4d, 6.4.3b).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from spatial.flow_rows import Flows
from spatial.functions import TouchedFunction, functions
from spatial.isolation import Cut, isolate
from spatial.network import Network
from spatial.reach import ElementBrief, ReachedElement, briefs, described
from spatial.rooms import RoomPoint
from twin.db import Conn, objects, rows

SPATIAL: Final = frozenset({"IfcSpace", "IfcSpatialZone", "IfcBuildingStorey", "IfcBuilding", "IfcSite"})


@dataclass(frozen=True, slots=True)
class TouchedRoom:
    """A room that an outage touches."""

    room: ElementBrief
    reason: str  # fed: flow leads into it | located: what is in it stops | served: a system that stops serves it
    use: str | None  # what it is for, in the file's words
    because: UUID | None  # the first element that stops in it


@dataclass(frozen=True, slots=True)
class FollowingAlarm:
    """An alarm rule on a point that the outage touches: it will rise, or stay silent when it should not."""

    rule: UUID
    name: str
    severity: str
    point: UUID


@dataclass(frozen=True, slots=True)
class Isolation:
    """What to shut so that nothing flows into or out of an element."""

    elements: list[ElementBrief]
    complete: bool  # False: shutting these is not enough, or nobody knows
    reason: str  # isolated | no_isolator: sources reach it unstopped | unknown_source | no_flow
    unstopped: list[ElementBrief]  # those sources
    also_off: int  # other elements that go off with it


@dataclass(frozen=True, slots=True)
class GraphThing:
    """Something that only a Brick graph knows."""

    uri: str
    label: str | None
    brick_class: str | None


@dataclass(frozen=True, slots=True)
class Affected:
    """What an outage of an element touches. Lists hold what the caller may see."""

    element: ElementBrief
    equipment: list[ReachedElement]
    rooms: list[TouchedRoom]
    points: list[RoomPoint]
    alarms: list[FollowingAlarm]  # gravest first
    functions: list[TouchedFunction]  # life safety first
    outside_model: list[GraphThing]
    isolation: Isolation
    circuit: int  # elements that feed each other in a circle with this one; 0: none


async def affected(conn: Conn, network: Network, element: UUID) -> Affected:
    """Return what an outage of an element, with all its parts, touches."""
    flows = network.flows
    parts = [element, *await _parts(conn, element)]
    numbers = [number for part in parts if (number := flows.number(part)) is not None]
    fed = {each.element: each for number in reversed(numbers) for each in flows.graph.downstream(number)}
    order = sorted((each for number, each in fed.items() if number not in numbers), key=lambda each: each.distance)
    start = numbers[0] if numbers else -1
    reached = await described(conn, flows, numbers, order, upstream=False)
    ids = [*parts, *(flows.ids[each.element] for each in order)]
    fed_rooms = [each.element.id for each in reached if each.element.ifc_class == "IfcSpace"]
    touched = await _rooms(conn, ids, fed_rooms, serving=bool(order))
    points = await _points(conn, ids, [room.room.id for room in touched])
    return Affected(
        element=(await briefs(conn, [element]))[element],
        equipment=[each for each in reached if each.element.ifc_class not in SPATIAL],
        rooms=touched,
        points=points,
        alarms=await _alarms(conn, [point.id for point in points]),
        functions=functions(await rows(conn, _KINDS, {"ids": ids})),
        outside_model=await objects(
            conn, GraphThing, "SELECT uri, label, brick_class FROM brick_entity WHERE id = ANY(%s) ORDER BY uri", (ids,)
        ),
        isolation=await isolation(conn, flows, element),
        circuit=len(flows.graph.circuit(start)) if numbers else 0,
    )


async def isolation(conn: Conn, flows: Flows, element: UUID) -> Isolation:
    """Return what to shut to isolate an element."""
    number = flows.number(element)
    if number is None:
        return Isolation([], complete=False, reason="no_flow", unstopped=[], also_off=0)
    cut = isolate(flows.graph.graph, number, isolators=flows.isolators, sources=flows.graph.sources, runs=flows.runs)
    known = await briefs(conn, (flows.ids[each] for each in (*cut.shut, *cut.unstopped)))
    return Isolation(
        elements=[known[flows.ids[each]] for each in cut.shut if flows.ids[each] in known],
        complete=cut.complete,
        reason=_reason(cut),
        unstopped=[known[flows.ids[each]] for each in cut.unstopped if flows.ids[each] in known],
        also_off=cut.also_off,
    )


def _reason(cut: Cut) -> str:
    if not cut.sources:
        return "unknown_source"
    return "isolated" if cut.complete else "no_isolator"


async def _parts(conn: Conn, element: UUID) -> list[UUID]:
    """What an element consists of, by the file and by Brick graphs: an air handler's fan stops with it."""
    found = await rows(
        conn,
        """WITH RECURSIVE part (id) AS (
               SELECT %(id)s::uuid
               UNION
               SELECT below.id FROM part JOIN LATERAL (
                   SELECT e.id FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
                   WHERE e.parent_id = part.id AND EXISTS (
                       SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcDistributionElement')
                   UNION ALL
                   SELECT coalesce(b.element_id, b.id) FROM brick_statement s JOIN brick_entity b ON b.id = s.subject
                   JOIN brick_entity o ON o.id = s.object
                   WHERE s.predicate = 'isPartOf' AND coalesce(o.element_id, o.id) = part.id
               ) below ON true
           )
           SELECT part.id FROM part LEFT JOIN element e ON e.id = part.id
           WHERE part.id <> %(id)s AND e.ifc_class IS DISTINCT FROM 'IfcSpace' ORDER BY part.id""",
        {"id": element},
    )
    return [each["id"] for each in found]


async def _rooms(conn: Conn, ids: list[UUID], fed: Sequence[UUID], *, serving: bool) -> list[TouchedRoom]:
    """Rooms that flow leads into, with any of the elements in them, and those that its systems are said to serve."""
    found = await rows(conn, _ROOMS, {"ids": ids, "fed": list(fed), "serving": serving, "start": ids[0]})
    about = ("reason", "use", "because")
    return [TouchedRoom(**{name: each.pop(name) for name in about}, room=ElementBrief(**each)) for each in found]


_ROOMS: Final = """
    WITH stopped AS (SELECT id, n FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS u(id, n)),
    located AS (
        SELECT DISTINCT ON (room) room, id FROM (
            SELECT e.space_id AS room, e.id, n FROM stopped JOIN element e USING (id) WHERE e.space_id IS NOT NULL
            UNION ALL
            SELECT o.element_id, coalesce(b.element_id, b.id), n FROM stopped
            JOIN brick_entity b ON coalesce(b.element_id, b.id) = stopped.id
            JOIN brick_statement s ON s.subject = b.id AND s.predicate = 'hasLocation'
            JOIN brick_entity o ON o.id = s.object WHERE o.element_id IS NOT NULL
        ) all_located ORDER BY room, n
    ),
    served AS (
        SELECT DISTINCT s.element_id AS room FROM element_group_member m
        JOIN element_group_serves s ON s.group_id = m.group_id WHERE %(serving)s AND m.element_id = %(start)s
    )
    SELECT e.id, e.global_id, e.ifc_class, coalesce(e.long_name, e.name) AS name, e.storey_id, e.space_id, p.use,
           located.id AS because,
           CASE WHEN e.id = ANY(%(fed)s) THEN 'fed' WHEN located.room IS NOT NULL THEN 'located' ELSE 'served' END
               AS reason
    FROM element e LEFT JOIN located ON located.room = e.id LEFT JOIN space p ON p.element_id = e.id
    WHERE e.ifc_class = 'IfcSpace'
      AND (e.id = ANY(%(fed)s) OR located.room IS NOT NULL OR e.id IN (SELECT room FROM served))
    ORDER BY reason, name, e.id
"""

_KINDS: Final = """
    SELECT e.ifc_class, t.ifc_class AS type_class, e.name, e.space_id,
           coalesce(nullif(e.predefined_type, 'NOTDEFINED'),
                    t.attributes->'PredefinedType'->>'value') AS predefined_type,
           ARRAY(SELECT DISTINCT g.predefined_type FROM element_group_member m JOIN element_group g ON g.id = m.group_id
                 WHERE m.element_id = e.id AND g.predefined_type IS NOT NULL) AS kinds
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS u(id, n) JOIN element e USING (id)
    LEFT JOIN element_type t ON t.id = e.type_id ORDER BY n
"""


async def _points(conn: Conn, ids: list[UUID], touched: list[UUID]) -> list[RoomPoint]:
    """Points of what stops, and what is measured in the rooms that it touches."""
    return await objects(
        conn,
        RoomPoint,
        """SELECT DISTINCT p.id, p.key, p.name, p.unit, p.quantity
           FROM point p LEFT JOIN element e ON e.id = p.element_id
           WHERE p.retired_at IS NULL AND (
               p.element_id = ANY(%(ids)s) OR p.element_id = ANY(%(rooms)s)
               OR (e.space_id = ANY(%(rooms)s) AND EXISTS (
                   SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcDistributionControlElement'))
               OR p.handle IN (
                   SELECT b.point_id FROM brick_statement s JOIN brick_entity b ON b.id = s.subject
                   JOIN brick_entity o ON o.id = s.object
                   WHERE s.predicate = 'isPointOf' AND coalesce(o.element_id, o.id) = ANY(%(ids)s || %(rooms)s)))
           ORDER BY p.name, p.key""",
        {"ids": ids, "rooms": touched},
    )


async def _alarms(conn: Conn, points: list[UUID]) -> list[FollowingAlarm]:
    return await objects(
        conn,
        FollowingAlarm,
        """SELECT r.id AS rule, r.name, r.severity, p.id AS point
           FROM alarm_rule r JOIN point p ON p.handle = r.point_id
           WHERE p.id = ANY(%s) AND r.enabled AND r.deleted_at IS NULL
           ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], r.severity), r.name, r.id""",
        (points,),
    )
