"""The systems of a building: what belongs to them, how it hangs together, where it is broken."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import networkx

from spatial.flow_rows import Flows
from spatial.network import Network
from spatial.reach import ElementBrief, FlowEdge, briefs
from twin.db import Conn, row, rows
from twin.errors import NotFound

CLASSES: Final = (
    "IfcSystem",
    "IfcDistributionSystem",
    "IfcDistributionCircuit",
    "IfcElectricalCircuit",
    "IfcBuildingSystem",
    "IfcBuiltSystem",
)
EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class SystemBrief:
    """A system (IfcSystem and its subtypes) and how well its model says it."""

    id: UUID
    global_id: str
    ifc_class: str
    predefined_type: str | None
    name: str | None
    long_name: str | None
    model_id: UUID
    elements: int  # members that the caller may see
    flowing: int  # of them, those that anything is joined to or could be
    classes: dict[str, int]
    storeys: list[UUID]
    edges: int  # between members
    edges_derived: int  # joined, or directed, by geometry
    parts: int  # that hang together among themselves; 1: whole
    loops: int  # parts in which flow goes in a circle
    loose_ports: int
    loose_ends: int
    leads_to: list[UUID]  # other systems that its members are joined to
    buildings: list[UUID]  # IfcBuildings that its members stand in; more than one where a file has several


@dataclass(frozen=True, slots=True)
class SystemMember:
    """An element of a system. `order`: elements from the nearest source; null where nothing says where it begins."""

    element: ElementBrief
    order: int | None
    part: int | None  # which of the parts that hang together, the largest first; null: nothing flows through it
    loose: bool  # a port or an end of it is joined to nothing
    source: bool
    shuts: bool  # a valve, damper or breaker with which somebody can shut something off


@dataclass(frozen=True, slots=True)
class System:
    """A system with its members in the order of flow."""

    brief: SystemBrief
    members: list[SystemMember]
    edges: list[FlowEdge]
    loops: list[list[UUID]]  # elements that feed each other in a circle
    serves: list[ElementBrief]  # rooms, storeys, buildings


@dataclass(frozen=True, slots=True)
class _Joined:
    """What the flow graph knows of some elements."""

    inside: networkx.DiGraph  # between them alone
    parts: list[set[int]]
    loops: list[list[int]]


async def list_systems(conn: Conn, network: Network, building: UUID) -> list[SystemBrief]:
    """Return the systems of a building with the caller's share of their members, by name."""
    found = await rows(conn, f"{_SYSTEMS} WHERE g.building_id = %(building)s {_ORDER}", {"building": building})
    members = await _members(conn, [system["id"] for system in found])
    home = await _systems_of(conn, building)
    return [_brief(network.flows, system, members.get(system["id"], []), home) for system in found]


async def get_system(conn: Conn, system: UUID) -> UUID:
    """Return the building of a system. Raises NotFound."""
    found = await row(conn, f"{_SYSTEMS} WHERE g.id = %(id)s", {"id": system})
    if found is None:
        raise NotFound("system.unknown", system=str(system))
    return UUID(str(found["building_id"]))


async def describe_system(conn: Conn, network: Network, system: UUID) -> System:
    """Return a system whole. Raises NotFound for one that is not there or not seen."""
    found = await row(conn, f"{_SYSTEMS} WHERE g.id = %(id)s", {"id": system})
    if found is None:
        raise NotFound("system.unknown", system=str(system))
    flows = network.flows
    members = (await _members(conn, [system])).get(system, [])
    known = await briefs(conn, (member["id"] for member in members))
    numbers = [number for id in known if (number := flows.number(id)) is not None]
    joined = _joined(flows, numbers)
    served = await rows(conn, "SELECT element_id AS id FROM element_group_serves WHERE group_id = %s", (system,))
    return System(
        brief=_brief(flows, found, members, await _systems_of(conn, found["building_id"])),
        members=_in_order(flows, joined, known),
        edges=[
            FlowEdge({"from": flows.ids[one], "to": flows.ids[other], "derived": data["derived"], "how": data["how"]})
            for one, other, data in sorted(joined.inside.edges(data=True), key=lambda edge: edge[:2])
        ],
        loops=[[flows.ids[number] for number in loop] for loop in joined.loops],
        serves=list((await briefs(conn, (each["id"] for each in served))).values()),
    )


_SYSTEMS: Final = f"""
    SELECT g.id, g.global_id, g.ifc_class, g.predefined_type, g.name, g.long_name, g.model_id, g.building_id
    FROM element_group g JOIN model m ON m.id = g.model_id AND m.current_version = g.last_version
      AND g.ifc_class IN ({", ".join(f"'{name}'" for name in CLASSES)})
"""
_ORDER: Final = "ORDER BY g.name NULLS LAST, g.global_id, g.occurrence"


async def _members(conn: Conn, systems: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found = await rows(
        conn,
        """WITH RECURSIVE member AS (
               SELECT s.group_id, e.id, e.ifc_class, e.storey_id, e.model_id, e.parent_id
               FROM element_group_member s JOIN element e ON e.id = s.element_id
               JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
               WHERE s.group_id = ANY(%s) AND NOT EXISTS (
                   SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcPort')
           ), up (id, at) AS (
               SELECT id, parent_id FROM member
               UNION
               SELECT up.id, p.parent_id FROM up JOIN element p ON p.id = up.at AND p.ifc_class <> 'IfcBuilding'
           ), home AS (
               SELECT up.id, up.at FROM up JOIN element b ON b.id = up.at AND b.ifc_class = 'IfcBuilding'
           )
           SELECT e.group_id, e.id, e.ifc_class, e.storey_id, coalesce(home.at, level.parent_id) AS stands_in
           FROM member e LEFT JOIN home ON home.id = e.id
           LEFT JOIN LATERAL (
               SELECT parent_id FROM element l WHERE home.id IS NULL AND l.storey_id = e.storey_id
                 AND l.model_id = e.model_id AND l.ifc_class = 'IfcBuildingStorey' ORDER BY l.id LIMIT 1) level ON true
           ORDER BY e.id""",
        (list(systems),),
    )
    of: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for member in found:
        of[member["group_id"]].append(member)
    return of


async def _systems_of(conn: Conn, building: UUID) -> dict[UUID, set[UUID]]:
    """Element → the systems it belongs to."""
    found = await rows(
        conn,
        f"""SELECT s.element_id, s.group_id FROM element_group_member s JOIN ({_SYSTEMS}) g ON g.id = s.group_id
            WHERE g.building_id = %s""",
        (building,),
    )
    of: dict[UUID, set[UUID]] = defaultdict(set)
    for each in found:
        of[each["element_id"]].add(each["group_id"])
    return of


def _brief(
    flows: Flows, system: Mapping[str, Any], members: Sequence[Mapping[str, Any]], home: Mapping[UUID, set[UUID]]
) -> SystemBrief:
    ids = {UUID(str(member["id"])) for member in members}
    numbers = [number for id in ids if (number := flows.number(id)) is not None]
    joined = _joined(flows, numbers)
    graph = flows.graph.graph
    beside = {other for number in numbers if number in graph for other in networkx.all_neighbors(graph, number)}
    leads_to = {group for number in beside.difference(numbers) for group in home.get(flows.ids[number], ())} - {
        system["id"]
    }
    return SystemBrief(
        **{name: system[name] for name in _OWN},
        elements=len(ids),
        flowing=len(numbers),
        classes=dict(Counter(str(member["ifc_class"]) for member in members).most_common()),
        storeys=_ids(member["storey_id"] for member in members),
        edges=joined.inside.number_of_edges(),
        edges_derived=sum(1 for _, _, derived in joined.inside.edges(data="derived") if derived),
        parts=len(joined.parts),
        loops=len(joined.loops),
        loose_ports=sum(flows.loose_by_owner.get(number, 0) for number in numbers),
        loose_ends=len(ids.intersection(flows.loose_ends)),
        leads_to=_ids(leads_to),
        buildings=_ids(member["stands_in"] for member in members),
    )


def _ids(found: Iterable[object]) -> list[UUID]:
    return sorted({each for each in found if isinstance(each, UUID)})


_OWN: Final = ("id", "global_id", "ifc_class", "predefined_type", "name", "long_name", "model_id")


def _joined(flows: Flows, numbers: Collection[int]) -> _Joined:
    inside = networkx.DiGraph()
    inside.add_nodes_from(numbers)
    graph, wanted = flows.graph.graph, set(numbers)
    for number in numbers:
        if number in graph:
            inside.add_edges_from(
                (number, other, graph.edges[number, other]) for other in graph[number] if other in wanted
            )
    parts = sorted(networkx.weakly_connected_components(inside), key=lambda part: (-len(part), min(part)))
    loops = [sorted(part) for part in networkx.strongly_connected_components(inside) if len(part) > 1]
    return _Joined(inside, parts, sorted(loops, key=lambda loop: (-len(loop), loop)))


def _in_order(flows: Flows, joined: _Joined, known: Mapping[UUID, ElementBrief]) -> list[SystemMember]:
    """The members from the source on: as far from it as flow goes, part by part."""
    order: dict[int, int] = {}
    part_of: dict[int, int] = {}
    for number, part in enumerate(joined.parts):
        part_of |= dict.fromkeys(part, number)
        starts = [each for each in part if each in flows.graph.sources]
        starts = starts or [
            each for each in part if not joined.inside.in_degree(each) and joined.inside.out_degree(each)
        ]
        for level, each in enumerate(networkx.bfs_layers(joined.inside, starts) if starts else ()):
            order |= dict.fromkeys(each, level)
    loose_ends = set(flows.loose_ends)
    members = []
    for id, brief in known.items():
        number = flows.numbers.get(id, -1)
        members.append(
            SystemMember(
                element=brief,
                order=order.get(number),
                part=part_of.get(number),
                loose=id in loose_ends or number in flows.loose_by_owner,
                source=number in flows.graph.sources,
                shuts=number in flows.isolators,
            )
        )
    far = len(members)
    return sorted(
        members,
        key=lambda each: (
            far if each.part is None else each.part,
            far if each.order is None else each.order,
            each.element.name or "",
            each.element.id,
        ),
    )
