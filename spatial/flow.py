"""What feeds what: flow through ducts, pipes and cables, and what an outage of an element touches.

Edges are `feeds` (Brick): from the element the medium leaves to the one it enters. Where the file gives ports a
direction they are the file's; connections without one are directed away from the nearest source (a pump, a boiler, a
board) and are derived. Elements are numbers; `spatial.network` knows what they are.
"""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import networkx

Id = TypeVar("Id", bound=Hashable)

SOURCES: Final = (
    "IfcEnergyConversionDevice",
    "IfcFlowMovingDevice",
    "IfcFlowStorageDevice",
    "IfcElectricDistributionBoard",
    "IfcElectricDistributionPoint",
)
"""Where a medium comes from, nearest to the source first; subclasses included."""
GENERATORS: Final = (
    "IfcBoiler",
    "IfcChiller",
    "IfcCoolingTower",
    "IfcElectricGenerator",
    "IfcHeatPump",
    "IfcSolarDevice",
    "IfcTank",
    "IfcTransformer",
    "IfcUnitaryEquipment",
)
"""Where a circuit begins and ends: what flows back to it is not fed by what it feeds."""
GIVEN: Final = frozenset({"file", "brick"})
"""What says so is somebody, not geometry."""
ISOLATORS: Final = (
    "IfcValve",
    "IfcDamper",
    "IfcProtectiveDevice",
    "IfcSwitchingDevice",
    "IfcElectricDistributionBoard",
)
"""What can shut an element off; subclasses included. IFC2X3 knows IfcFlowController only: it counts there."""


@dataclass(frozen=True, slots=True)
class Join:
    """Two elements that something flows between. `how`: file, brick, or a kind of `spatial.contact`."""

    one: int
    other: int
    how: str = "file"


@dataclass(frozen=True, slots=True)
class Reached:
    """An element up- or downstream."""

    element: int
    distance: int  # elements passed, 1: directly joined
    via: int  # the element before it on the way
    derived: bool  # any edge on the way has a derived direction, or is itself derived
    how: str = "file"  # what says that the two are joined, as in `Join`
    edge_derived: bool = False  # the last edge alone


def _ends(join: Join) -> tuple[int, int]:
    return join.one, join.other


class FlowGraph:
    """All flow of a building. `graph`: a DiGraph of element numbers, edges with `derived`."""

    def __init__(
        self,
        feeds: Iterable[Join],
        connects: Iterable[Join],
        *,
        sources: Collection[int] = (),
        generators: Collection[int] = (),
    ) -> None:
        """`feeds`: directed; `connects`: joined, no direction given; `sources`: what starts a flow."""
        self.graph = networkx.DiGraph()
        self._generators = frozenset(generators)
        self._known: list[set[int]] | None = None
        self.sources = frozenset(sources)
        # In a fixed order: rows come in any, and where two ways are equally near the first one decides the direction.
        for join in sorted(feeds, key=_ends):
            if join.one != join.other and not self.graph.has_edge(join.one, join.other):
                self.graph.add_edge(join.one, join.other, derived=join.how not in GIVEN, how=join.how)
        undirected = networkx.Graph()
        undirected.add_edges_from(
            (join.one, join.other, {"how": join.how})
            for join in sorted(connects, key=_ends)
            if join.one != join.other
            and not self.graph.has_edge(join.one, join.other)
            and not self.graph.has_edge(join.other, join.one)
        )
        for one, other in _directed(undirected, self.graph, sorted(self.sources)):
            self.graph.add_edge(one, other, derived=True, how=undirected.edges[one, other]["how"])

    def downstream(self, start: int) -> list[Reached]:
        """What the element feeds, nearest first."""
        return self._reach(start, self.graph.successors)

    def upstream(self, start: int) -> list[Reached]:
        """What feeds the element, nearest first."""
        return self._reach(start, self.graph.predecessors)

    def loops(self) -> list[list[int]]:
        """Return the circuits: sets of elements that feed each other in a circle, largest first."""
        return sorted((sorted(part) for part in self._circuits()), key=len, reverse=True)

    def parts(self) -> list[set[int]]:
        """Return the parts that hang together, largest first."""
        return sorted(networkx.weakly_connected_components(self.graph), key=len, reverse=True)

    def circuit(self, element: int) -> set[int]:
        """The elements that feed each other in a circle with this one."""
        return next((part for part in self._circuits() if element in part), set())

    def _circuits(self) -> list[set[int]]:
        if self._known is None:
            self._known = [part for part in networkx.strongly_connected_components(self.graph) if len(part) > 1]
        return self._known

    def _reach(self, start: int, onward: Callable[[int], Iterable[int]]) -> list[Reached]:
        if start not in self.graph:
            return []
        # A circuit is left at its generator: a radiator's return does not feed the radiator.
        circuit = self._generators & self.circuit(start)
        found: dict[int, Reached] = {start: Reached(start, 0, start, derived=False)}
        waiting = deque([start])
        while waiting:
            element = waiting.popleft()
            here = found[element]
            for other in onward(element):
                if other not in found and not (element != start and element in circuit):
                    edge = self.graph.get_edge_data(element, other) or self.graph.get_edge_data(other, element)
                    found[other] = Reached(
                        other, here.distance + 1, element, here.derived or edge["derived"], edge["how"], edge["derived"]
                    )
                    waiting.append(other)
        return list(found.values())[1:]


def _directed(
    undirected: networkx.Graph, directed: networkx.DiGraph, sources: Collection[int]
) -> Iterable[tuple[int, int]]:
    """Direct joined elements away from the nearest source; a part without any from its end with the lowest number.

    Whoever the directed part of the graph feeds is a source for what hangs on it.
    """
    for part in networkx.connected_components(undirected):
        starts = sorted(element for element in part if element in sources)
        if not starts:
            starts = sorted(element for element in part if element in directed and directed.in_degree(element))
        if not starts:
            ends = [element for element in part if undirected.degree(element) == 1]
            starts = [min(ends or part)]
        steps = networkx.multi_source_dijkstra_path_length(undirected.subgraph(part), starts, weight=None)
        for one, other in undirected.subgraph(part).edges():
            first, second = sorted((one, other), key=lambda element: (steps[element], element))
            yield first, second


def through_ports(joins: Iterable[tuple[Id, Id]], owner: Mapping[Id, Id]) -> Iterable[tuple[Id, Id]]:
    """Yield connections between elements for those between ports; `owner`: port → element."""
    for one, other in joins:
        first, second = owner.get(one, one), owner.get(other, other)
        if first != second:
            yield first, second


def unconnected(ports: Sequence[Id], joins: Iterable[tuple[Id, Id]]) -> list[Id]:
    """Return the ports that nothing is joined to: where a system is broken, or ends."""
    joined = {port for join in joins for port in join}
    return [port for port in ports if port not in joined]
