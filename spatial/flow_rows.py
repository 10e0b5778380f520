"""The flow graph of a building from its rows: what files join, what touches, what Brick graphs add."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np

from spatial.contact import Contact, Part, Port, contacts
from spatial.flow import GENERATORS, ISOLATORS, SOURCES, FlowGraph, Join, through_ports, unconnected
from twin.db import Conn, rows

NOT_SHUTTING: Final = frozenset(
    # valves that let through, let off or mix
    {"AIRRELEASE", "ANTIVACUUM", "CHECK", "DOUBLECHECK", "DRAWOFFCOCK", "FAUCET", "FLUSHING", "GASTAP", "MIXING"}
    | {"DIVERTING", "CHANGEOVER", "PRESSUREREDUCING", "PRESSURERELIEF", "STEAMTRAP"}
    # dampers that the air itself moves
    | {"BACKDRAFTDAMPER", "BLASTDAMPER", "GRAVITYDAMPER", "GRAVITYRELIEFDAMPER", "RELIEFDAMPER"}
    # what protects without breaking the circuit, and what only asks for it
    | {"VARISTOR", "ANTI_ARCING_DEVICE", "SPARKGAP", "VOLTAGELIMITER", "EARTHINGSWITCH", "KEYPAD", "DIMMERSWITCH"}
)
"""Predefined types of valves, dampers and switches with which nobody shuts anything off."""
METERS: Final = frozenset({"IfcFlowMeterType", "IfcFlowInstrumentType", "IfcAirTerminalBoxType"})
_MEDIA: Final = {"IfcPipe": "pipe", "IfcDuct": "duct", "IfcCable": "cable"}
_CURRENT: Final = "element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version"
_ANY: Final = "EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%(classes)s))"


@dataclass(frozen=True, slots=True)
class FlowRows:
    """What the flow graph is built from. Elements by id."""

    edges: list[dict[str, Any]] = field(default_factory=list)  # kind, from_id, to_id
    parts: list[dict[str, Any]] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)
    ports: list[dict[str, Any]] = field(default_factory=list)
    brick: list[tuple[UUID, UUID]] = field(default_factory=list)  # feeds, as Brick graphs say


@dataclass(frozen=True, slots=True)
class Flows:
    """The flow graph and what its numbers are."""

    graph: FlowGraph
    ids: list[UUID]
    numbers: Mapping[UUID, int]
    isolators: frozenset[int]
    runs: frozenset[int]  # segments
    contacts: list[Contact]
    joined_to_itself: list[UUID]  # elements two ports of which the file joins
    loose_ports: list[UUID]
    loose_by_owner: Mapping[int, int]  # how many of an element's ports are loose
    loose_ends: list[UUID]  # segments and fittings without ports, an opening of which nothing touches

    def number(self, element: UUID) -> int | None:
        """The element's number; None: nothing flows through it."""
        return self.numbers.get(element)


async def read_flows(conn: Conn, building: UUID, *, without: UUID | None = None) -> FlowRows:
    """Read what flows through a building, all its models together; `without`: but for what one Brick graph says."""
    of = {"building": building, "without": without}
    return FlowRows(
        edges=await rows(
            conn,
            f"""SELECT r.kind, r.from_id, r.to_id FROM element_relation r JOIN ({_CURRENT}) ON e.id = r.from_id
                WHERE e.building_id = %(building)s AND r.kind IN ('feeds', 'connects', 'has_port')""",
            of,
        ),
        parts=await rows(conn, _PARTS, {**of, "classes": ["IfcDistributionElement"]}),
        ends=await rows(
            conn,
            f"""SELECT o.element_id, o.position, o.direction, o.size
                FROM element_end o JOIN ({_CURRENT}) ON e.id = o.element_id
                WHERE e.building_id = %(building)s ORDER BY o.element_id, o.n""",
            of,
        ),
        ports=await rows(
            conn,
            f"""SELECT e.id, e.placement, e.attributes->'FlowDirection'->>'value' AS direction,
                       nullif(e.attributes->'SystemType'->>'value', 'NOTDEFINED') AS system
                FROM {_CURRENT} WHERE e.building_id = %(building)s AND {_ANY} ORDER BY e.id""",
            {**of, "classes": ["IfcPort"]},
        ),
        brick=[(found["one"], found["other"]) for found in await rows(conn, _BRICK_FEEDS, of)],
    )


_PARTS: Final = f"""
    SELECT e.id, e.ifc_class, t.ifc_class AS type_class, e.bbox, m.id AS model_id,
           coalesce(nullif(e.predefined_type, 'NOTDEFINED'),
                    t.attributes->'PredefinedType'->>'value') AS predefined_type,
           coalesce(s.names, '{{}}') AS systems, coalesce(s.kinds, '{{}}') AS kinds,
           ARRAY(SELECT c.ancestor FROM ifc_class c WHERE c.name = e.ifc_class) AS ancestors
    FROM {_CURRENT} LEFT JOIN element_type t ON t.id = e.type_id
    LEFT JOIN (
        SELECT gm.element_id, array_agg(DISTINCT g.name) FILTER (WHERE g.name <> '') AS names,
               array_agg(DISTINCT g.predefined_type)
                   FILTER (WHERE g.predefined_type NOT IN ('NOTDEFINED', 'USERDEFINED')) AS kinds
        FROM element_group_member gm JOIN element_group g ON g.id = gm.group_id
        WHERE g.building_id = %(building)s
          AND g.ifc_class IN ('IfcSystem', 'IfcDistributionSystem', 'IfcDistributionCircuit', 'IfcElectricalCircuit')
        GROUP BY gm.element_id
    ) s ON s.element_id = e.id
    WHERE e.building_id = %(building)s AND {_ANY} ORDER BY e.id
"""

# What a Brick graph calls a room or a zone is a room here, or the rooms of a zone; what only it knows, its own entity.
_BRICK_FEEDS: Final = """
    WITH things AS (
        SELECT b.id, coalesce(gm.element_id, b.element_id, b.id) AS thing
        FROM brick_entity b JOIN brick_import i ON i.id = b.import_id
        LEFT JOIN element_group_member gm ON gm.group_id = b.group_id
        WHERE i.building_id = %(building)s AND i.id IS DISTINCT FROM %(without)s::uuid AND b.point_id IS NULL
    )
    SELECT DISTINCT one.thing AS one, other.thing AS other
    FROM brick_statement s JOIN things one ON one.id = s.subject JOIN things other ON other.id = s.object
    WHERE s.predicate = 'feeds' AND one.thing <> other.thing ORDER BY 1, 2
"""


def build_flows(read: FlowRows, tolerance: float) -> Flows:
    """Return the flow graph of what was read; `tolerance` (m) of what touches."""
    edges: dict[str, list[tuple[UUID, UUID]]] = defaultdict(list)
    for edge in read.edges:
        edges[edge["kind"]].append((edge["from_id"], edge["to_id"]))
    owner = {port: element for element, port in edges["has_port"]}
    joins = list(through_ports(edges["connects"], owner))
    itself = {owner[a] for a, b in edges["connects"] if a in owner and owner[a] == owner.get(b)}
    parts = {part["id"]: part for part in read.parts}
    flowing = {id for id, part in parts.items() if "IfcDistributionFlowElement" in part["ancestors"]}
    ids = sorted({id for pair in (*edges["feeds"], *joins, *edges["has_port"], *read.brick) for id in pair} | flowing)
    numbers = {id: number for number, id in enumerate(ids)}
    loose = unconnected(sorted(owner), edges["connects"])
    found, open_ends = _touching(read, owner, loose, [*edges["feeds"], *joins], numbers, tolerance)
    graph = FlowGraph(
        [Join(numbers[one], numbers[other], "file") for one, other in edges["feeds"]]
        + [Join(numbers[one], numbers[other], "brick") for one, other in read.brick]
        + [Join(contact.one, contact.other, contact.kind) for contact in found if contact.directed],
        [Join(numbers[one], numbers[other], "file") for one, other in joins]
        + [Join(contact.one, contact.other, contact.kind) for contact in found if not contact.directed],
        sources=_of_class(parts.values(), numbers, SOURCES),
        generators=_of_class(parts.values(), numbers, GENERATORS),
    )
    # A derived join mends one port of an element, nobody knows which; the rest of them stay loose.
    mended = Counter(number for contact in found for number in (contact.one, contact.other))
    still = _still_loose(loose, owner, numbers, mended)
    return Flows(
        graph=graph,
        ids=ids,
        numbers=numbers,
        isolators=frozenset(numbers[part["id"]] for part in read.parts if part["id"] in numbers and shuts(part)),
        runs=frozenset(_of_class(parts.values(), numbers, ["IfcFlowSegment"])),
        contacts=found,
        joined_to_itself=sorted(itself),
        loose_ports=still,
        loose_by_owner=Counter(numbers[owner[port]] for port in still),
        loose_ends=[ids[number] for number in open_ends],
    )


def _still_loose(
    loose: Iterable[UUID], owner: Mapping[UUID, UUID], numbers: Mapping[UUID, int], mended: Counter[int]
) -> list[UUID]:
    left = Counter(mended)
    still = []
    for port in loose:
        number = numbers[owner[port]]
        if left[number]:
            left[number] -= 1
        else:
            still.append(port)
    return still


def _of_class(parts: Iterable[dict[str, Any]], numbers: Mapping[UUID, int], classes: Iterable[str]) -> set[int]:
    """The numbers of the elements of these classes; IFC2X3 tells a boiler from its type only."""
    wanted = set(classes)
    return {
        numbers[part["id"]]
        for part in parts
        if part["id"] in numbers
        and (not wanted.isdisjoint(part["ancestors"]) or str(part["type_class"] or "").removesuffix("Type") in wanted)
    }


def shuts(part: Mapping[str, Any]) -> bool:
    """Say whether somebody can shut something off with the element."""
    if part["predefined_type"] in NOT_SHUTTING:
        return False
    if not set(ISOLATORS).isdisjoint(part["ancestors"]):
        return True
    typed = str(part["type_class"] or "")
    if part["ifc_class"] == "IfcFlowController":  # IFC2X3: only the type says of what kind
        return typed not in METERS
    return typed.removesuffix("Type") in ISOLATORS


def _touching(
    read: FlowRows,
    owner: Mapping[UUID, UUID],
    loose: Iterable[UUID],
    joined: list[tuple[UUID, UUID]],
    numbers: Mapping[UUID, int],
    tolerance: float,
) -> tuple[list[Contact], list[int]]:
    """The derived joins, and the numbers of the segments and fittings without ports that nothing is joined to."""
    unjoined, placed = set(loose), _placed(read.ports, owner)
    connected = {element for port, element in owner.items() if port not in unjoined}
    open_ = {owner[port] for port in unjoined}
    located = {element for element, own in placed.items() if len(own) == 1 or _apart(own, tolerance)}
    parts = {
        id: part
        for id, part in _parts(read, numbers).items()
        # All ports connected: nothing is missing. Some connected, who knows where: nor can it be told what is.
        if id not in connected or (id in open_ and id in located)
    }
    free, taken = [], {}
    for element in sorted(located & parts.keys()):
        own = placed[element]
        free += [
            Port(numbers[element], _position(port), port["direction"], port["system"])
            for port in own
            if port["id"] in unjoined
        ]
        taken[numbers[element]] = [_position(port) for port in own if port["id"] not in unjoined]
    known = [(numbers[one], numbers[other]) for one, other in joined]
    found = contacts(list(parts.values()), free, known, taken, tolerance)
    met = {number for pair in known for number in pair} | {n for each in found for n in (each.one, each.other)}
    alone = [p.number for id, p in parts.items() if p.role != "machine" and p.number not in met and id not in open_]
    return found, alone


def _placed(ports: Iterable[dict[str, Any]], owner: Mapping[UUID, UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for port in ports:
        if port["id"] in owner and port["placement"] is not None:
            found[owner[port["id"]]].append(port)
    return found


def _position(port: Mapping[str, Any]) -> tuple[float, float, float]:
    placement = port["placement"]
    return placement[3], placement[7], placement[11]


def _apart(ports: Iterable[Mapping[str, Any]], tolerance: float) -> bool:
    """Say whether the ports of an element are at several places: else the file does not say where they are."""
    at = np.array([_position(port) for port in ports])
    return bool(np.ptp(at, axis=0).max() > tolerance)


def _parts(read: FlowRows, numbers: Mapping[UUID, int]) -> dict[UUID, Part]:
    ends: dict[UUID, list[tuple[float, ...]]] = defaultdict(list)
    for end in read.ends:
        ends[end["element_id"]].append((*end["position"], *end["direction"], end["size"]))
    models = {model: number for number, model in enumerate(sorted({part["model_id"] for part in read.parts}))}
    return {
        part["id"]: Part(
            number=numbers[part["id"]],
            medium=_medium(part),
            role=_role(part["ancestors"]),
            model=models[part["model_id"]],
            systems=frozenset(part["systems"]),
            kinds=frozenset(part["kinds"]),
            box=tuple(part["bbox"]) if part["bbox"] is not None else None,
            ends=np.array(ends.get(part["id"], ())).reshape(-1, 7),
        )
        for part in read.parts
        if "IfcDistributionFlowElement" in part["ancestors"]
    }


def _role(ancestors: Iterable[str]) -> str:
    return "run" if "IfcFlowSegment" in ancestors else "fitting" if "IfcFlowFitting" in ancestors else "machine"


def _medium(part: Mapping[str, Any]) -> str | None:
    classes = (part["ifc_class"], str(part["type_class"] or ""))
    return next((medium for start, medium in _MEDIA.items() if any(name.startswith(start) for name in classes)), None)
