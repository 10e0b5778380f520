"""What feeds an element and what it feeds, as the caller may see it (6.4.3b)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from typing_extensions import TypedDict

from spatial.flow import Reached
from spatial.flow_rows import Flows
from spatial.network import Network
from twin.db import Conn, objects


@dataclass(frozen=True, slots=True)
class ElementBrief:
    """An element in a list."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    storey_id: UUID | None
    space_id: UUID | None


FlowEdge = TypedDict(
    "FlowEdge",
    {
        "from": UUID,
        "to": UUID,
        "derived": bool,  # its direction, or the join itself, does not stand in a file
        "how": str,  # file | brick | port | end | body | side
    },
)
"""Flow from one element to the next, in its own direction."""


@dataclass(frozen=True, slots=True)
class ReachedElement:
    """An element up- or downstream, nearest first."""

    element: ElementBrief
    distance: int  # elements passed; 1: directly joined
    via: list[UUID]  # the elements before it on the ways there, the one on the shortest first
    derived: bool  # something on the way there does not stand in a file
    edge: FlowEdge  # the last step of the shortest way


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
    flows = network.flows
    number = flows.number(element)
    if number is None:
        return []
    found = flows.graph.upstream(number) if upstream else flows.graph.downstream(number)
    return await described(conn, flows, [number], [each for each in found if each.distance <= depth], upstream=upstream)


async def described(
    conn: Conn, flows: Flows, starts: Sequence[int], found: Sequence[Reached], *, upstream: bool
) -> list[ReachedElement]:
    """Return what was reached from `starts` with what the caller may see of it."""
    known = await briefs(conn, (flows.ids[each.element] for each in found))
    among = {*starts, *(each.element for each in found)}
    onward = flows.graph.graph.successors if upstream else flows.graph.graph.predecessors
    items = []
    for each in found:
        brief = known.get(flows.ids[each.element])
        if brief is not None:
            others = sorted(other for other in onward(each.element) if other in among and other != each.via)
            one, other = (each.element, each.via) if upstream else (each.via, each.element)
            edge = FlowEdge(
                {"from": flows.ids[one], "to": flows.ids[other], "derived": each.edge_derived, "how": each.how}
            )
            via = [flows.ids[number] for number in (each.via, *others)]
            items.append(ReachedElement(brief, each.distance, via, each.derived, edge))
    return items
