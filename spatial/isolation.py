"""What to shut so that an element is off: the fewest valves, dampers or breakers between it and every source.

Water runs back through an open valve, so the direction of flow does not matter: an element is isolated when no way is
left, over joins in whatever direction, from it to anything that feeds its part. Among the smallest sets the one nearest
to the element is chosen; it holds on meshed loops and rings too (a minimum cut, by maximum flow).
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import networkx

_SOURCE: Final = -1  # in the graph of regions; regions are counted from 0, isolators are ("shut", number)


@dataclass(frozen=True, slots=True)
class Cut:
    """What isolates an element. Numbers of elements."""

    shut: list[int] = field(default_factory=list)
    complete: bool = True  # False: `unstopped` are reached without anything that could be shut; `shut` stops the others
    also_off: int = 0  # other elements that are off with it
    unstopped: list[int] = field(default_factory=list)  # sources; nearest first
    sources: int = 0  # that feed its part, however far; 0: nobody knows what feeds it


def isolate(
    graph: networkx.DiGraph,
    element: int,
    *,
    isolators: Collection[int],
    sources: Collection[int],
    runs: Collection[int] = (),
) -> Cut:
    """Return what to shut. `sources`: where a medium comes from; `runs`: segments, whose open end may be an inlet.

    An isolator is never shut to isolate itself: what is to be repaired may not hold.
    """
    if element not in graph:
        return Cut()
    joined = graph.to_undirected(as_view=True)
    part = set(_around(joined, element))
    feeding = inlets(graph, part, sources=sources, runs=runs) - {element}
    able = set(isolators) & part - {element}
    near = _around(joined, element, able)
    nearest = [each for each in near if each in able]
    unstopped = [each for each in near if each in feeding and each not in able]
    if not feeding:  # nothing but itself: what is nearest parts it from what it feeds
        return Cut(nearest, complete=bool(nearest), sources=int(element in sources))
    if unstopped:
        rest = feeding.difference(unstopped)
        shut = _smallest_cut(joined, part, element, able, rest) if rest else set()
        return Cut(sorted(shut), complete=False, unstopped=unstopped, sources=len(feeding))
    shut = _smallest_cut(joined, part, element, able, feeding)
    off = set(_around(joined, element, shut)) - shut
    return Cut(sorted(shut), also_off=len(off) - 1, sources=len(feeding))


def inlets(
    graph: networkx.DiGraph, part: Collection[int], *, sources: Collection[int], runs: Collection[int]
) -> set[int]:
    """Where the medium of a part comes from: its sources, else where a file says that nothing feeds, else open ends."""
    found = {element for element in part if element in sources}
    if found:
        return found
    given = {
        element
        for element in part
        if not graph.in_degree(element) and any(not e["derived"] for _, _, e in graph.out_edges(element, data=True))
    }
    if given:
        return given
    ends = {element for element in part if graph.degree(element) == 1}
    return ends & set(runs) or ends


def _around(joined: networkx.Graph, start: int, walls: Collection[int] = ()) -> list[int]:
    """Everything joined to `start`, itself first, then the nearest; `walls` are reached but not passed."""
    seen = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here in walls:
            continue
        for other in joined[here]:
            if other not in seen:
                seen[other] = None
                waiting.append(other)
    return list(seen)


def _smallest_cut(
    joined: networkx.Graph, part: Collection[int], element: int, able: Collection[int], feeding: Collection[int]
) -> set[int]:
    """Isolators that separate the element from every source.

    What hangs together without an isolator is one region: only isolators can be cut, so only they carry a capacity.
    """
    region = _regions(joined, part, able)
    flow = networkx.DiGraph()
    for each in able:
        flow.add_edge(("in", each), ("out", each), capacity=1)
        for other in joined[each]:
            one = ("in", other) if other in able else region[other]
            flow.add_edge(("out", each), one)
            flow.add_edge(("out", other) if other in able else region[other], ("in", each))
    for source in feeding:
        # A board is a source that can be shut: its supply enters before its switch.
        flow.add_edge(_SOURCE, ("in", source) if source in able else region[source])
    _, (_, beyond) = networkx.minimum_cut(flow, _SOURCE, region[element])
    return {each for each in able if ("out", each) in beyond and ("in", each) not in beyond}


def _regions(joined: networkx.Graph, part: Collection[int], able: Collection[int]) -> Mapping[int, int]:
    region: dict[int, int] = {}
    for number, start in enumerate(part):
        if start in region or start in able:
            continue
        waiting = deque([start])
        region[start] = number
        while waiting:
            for other in joined[waiting.popleft()]:
                if other not in region and other not in able:
                    region[other] = number
                    waiting.append(other)
    return region
