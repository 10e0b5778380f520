"""What a building's models say about rooms, doors and systems, what was derived, and what is missing."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from spatial.network import Network
from spatial.reach import ElementBrief, briefs
from twin.db import Conn, row, rows

EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the models leave out: how often, and the first few."""

    count: int
    examples: list[ElementBrief]


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """The quality of a building's spatial network."""

    rooms: int
    rooms_without_floor: Missing
    storeys_without_rooms: list[str]  # names of those with walls but no room; /derived-rooms says what they enclose
    rooms_area_differs: Missing  # the mesh has over a tenth more or less than the file states
    rooms_doubled: Missing  # another model of the building has them too
    adjacencies: int
    adjacencies_given: int  # by the file's space boundaries
    doors: int
    doors_joining_two: int
    doors_leading_outside: int
    doors_derived: int  # joined by geometry
    doors_joining_none: Missing
    passages: int  # openings in walls that no door fills and that join two rooms or lead outside
    ways: dict[str, int]  # by kind: door, open, stair, lift …
    islands: list[int]  # rooms of each part one can walk around in, largest first
    equipment: int
    equipment_in_room_by_file: int
    equipment_in_room_derived: int
    flow_elements: int
    flow_edges: int
    flow_edges_derived: int
    flow_parts: list[int]  # elements of each part that hangs together, largest first
    circuits: list[int]  # elements of each circle, largest first
    flow_joined: dict[str, int]  # edges by what says so: file, brick, port, end, body, side
    joined_to_itself: Missing  # elements two ports of which the file joins
    loose_ports: Missing
    loose_ends: Missing  # segments and fittings without ports that nothing touches


async def network_report(conn: Conn, network: Network, building: UUID) -> NetworkReport:
    """Return the report of a building."""
    placed = await _equipment(conn, building)
    given = sum(len(others) for others in network.boundaries.values()) // 2
    sides = Counter(min(len(join.rooms), 2) for join in network.doors)
    flows = network.flows
    graph = flows.graph.graph
    return NetworkReport(
        rooms=len(network.plans) + len(network.without_floor) + len(network.doubles),
        rooms_without_floor=await _missing(conn, network.without_floor),
        storeys_without_rooms=await _without_rooms(conn, building),
        rooms_area_differs=await _missing(conn, await _differing(conn, building)),
        rooms_doubled=await _missing(conn, list(network.doubles)),
        adjacencies=sum(len(network.beside(room)) for room in network.plans) // 2,
        adjacencies_given=given,
        doors=len(network.doors),
        doors_joining_two=sides[2],
        doors_leading_outside=sides[1],
        doors_derived=sum(join.derived for join in network.doors),
        doors_joining_none=await _missing(conn, [join.door for join in network.doors if not join.rooms]),
        passages=sum(1 for join in network.passages if join.rooms),
        ways=dict(Counter(way.kind for way in network.walk.ways)),
        islands=sorted(Counter(network.walk.islands.values()).values(), reverse=True),
        **placed,
        flow_elements=graph.number_of_nodes(),
        flow_edges=graph.number_of_edges(),
        flow_edges_derived=sum(1 for _, _, derived in graph.edges(data="derived") if derived),
        flow_parts=[len(part) for part in flows.graph.parts()],
        circuits=[len(circuit) for circuit in flows.graph.loops()],
        flow_joined=dict(Counter(how for _, _, how in graph.edges(data="how"))),
        joined_to_itself=await _missing(conn, flows.joined_to_itself),
        loose_ports=await _missing(conn, flows.loose_ports),
        loose_ends=await _missing(conn, flows.loose_ends),
    )


async def _missing(conn: Conn, ids: list[UUID]) -> Missing:
    return Missing(len(ids), list((await briefs(conn, ids[:EXAMPLES])).values()))


async def _without_rooms(conn: Conn, building: UUID) -> list[str]:
    found = await rows(
        conn,
        """SELECT s.name FROM storey s WHERE s.building_id = %s AND EXISTS (
               SELECT FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
               JOIN ifc_class c ON c.name = e.ifc_class AND c.ancestor = 'IfcWall' WHERE e.storey_id = s.id)
           AND NOT EXISTS (
               SELECT FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
               WHERE e.storey_id = s.id AND e.ifc_class = 'IfcSpace')
           ORDER BY s.elevation, s.name""",
        (building,),
    )
    return [each["name"] for each in found]


async def _differing(conn: Conn, building: UUID) -> list[UUID]:
    found = await rows(
        conn,
        """SELECT e.id FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           JOIN space s ON s.element_id = e.id
           WHERE e.building_id = %s AND abs(s.area - s.stated_area) > 0.1 * s.stated_area ORDER BY e.id""",
        (building,),
    )
    return [each["id"] for each in found]


async def _equipment(conn: Conn, building: UUID) -> dict[str, int]:
    found = await row(
        conn,
        """SELECT count(*) AS equipment,
                  count(*) FILTER (WHERE space_id IS NOT NULL AND NOT space_derived) AS equipment_in_room_by_file,
                  count(*) FILTER (WHERE space_id IS NOT NULL AND space_derived) AS equipment_in_room_derived
           FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE e.building_id = %s AND EXISTS (
               SELECT FROM ifc_class c WHERE c.name = e.ifc_class
               AND c.ancestor IN ('IfcDistributionElement', 'IfcFurnishingElement', 'IfcTransportElement'))""",
        (building,),
    )
    assert found is not None
    return {name: int(value) for name, value in found.items()}
