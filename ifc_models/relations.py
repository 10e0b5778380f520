"""The IfcRel… instances of a file, each walked once.

Asking every element for its inverses costs a call per element and relation; walking the relations costs one per
relation. Edges are (kind, from, to) between element indices; what each kind means:

aggregates   whole → part (IfcRelAggregates, features and projections on their element)
nests        host → nested (IfcRelNests)
has_port     element → port (IfcRelNests of a port, IfcRelConnectsPortToElement)
contains     structure → element (IfcRelContainedInSpatialStructure)
references   structure → element it also belongs to (IfcRelReferencedInSpatialStructure)
voids        opening → element it is cut out of
fills        door, window … → opening
connects     port → port, element → element (no direction of flow)
path         wall → wall (IfcRelConnectsPathElements)
feeds        element → element downstream, where port directions say so
bounds       element → space (IfcRelSpaceBoundary)
covers       covering → element or space
controls     control element (sensor, actuator, valve) → flow element (IfcRelFlowControlElements)
assigned_to  object → product it is assigned to (IfcRelAssignsToProduct)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import ifcopenshell
from ifcopenshell import entity_instance as Entity

from ifc_models.schema import Schema


@dataclass(slots=True)
class Related:
    """What the relations of a file say. Keys and values are STEP ids, but for `edges`: element indices."""

    edges: dict[tuple[str, int, int], None] = field(default_factory=dict)  # in file order, without duplicates
    psets: dict[int, list[Entity]] = field(default_factory=dict)
    materials: dict[int, list[Entity]] = field(default_factory=dict)
    classifications: dict[int, list[Entity]] = field(default_factory=dict)
    documents: dict[int, list[Entity]] = field(default_factory=dict)
    type_of: dict[int, int] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)  # group → members and groups in it
    serves: dict[int, list[int]] = field(default_factory=dict)  # system → spatial elements
    parent: dict[int, int] = field(default_factory=dict)  # element index → element index
    container: dict[int, int] = field(default_factory=dict)  # element index → structure that contains it
    dangling: list[int] = field(default_factory=list)  # relations that point nowhere
    twice_contained: list[int] = field(default_factory=list)  # element indices with several containers


@dataclass(frozen=True, slots=True)
class _Edge:
    """How one class of relation becomes edges: attribute positions of the two ends."""

    ifc_class: str
    kind: str
    from_: int
    to: int
    parent: str | None = None  # which end is the parent of the other: "from" or "to"


# Parents are claimed in this order: the whole before the host, the host before the place.
_EDGES: Final = (
    _Edge("IfcRelAggregates", "aggregates", 4, 5, "from"),
    _Edge("IfcRelProjectsElement", "aggregates", 4, 5, "from"),
    _Edge("IfcRelAdheresToElement", "aggregates", 4, 5, "from"),
    _Edge("IfcRelNests", "nests", 4, 5, "from"),
    _Edge("IfcRelConnectsPortToElement", "has_port", 5, 4, "from"),
    _Edge("IfcRelVoidsElement", "voids", 5, 4, "to"),
    _Edge("IfcRelContainedInSpatialStructure", "contains", 5, 4, "from"),
    _Edge("IfcRelFillsElement", "fills", 5, 4, "to"),
    _Edge("IfcRelReferencedInSpatialStructure", "references", 5, 4),
    _Edge("IfcRelConnectsPorts", "connects", 4, 5),
    _Edge("IfcRelConnectsElements", "connects", 5, 6),
    _Edge("IfcRelSpaceBoundary", "bounds", 5, 4),
    _Edge("IfcRelCoversBldgElements", "covers", 5, 4),
    _Edge("IfcRelCoversSpaces", "covers", 5, 4),
    _Edge("IfcRelFlowControlElements", "controls", 4, 5),
    _Edge("IfcRelAssignsToProduct", "assigned_to", 4, 6),
)


def read_relations(file: ifcopenshell.file, schema: Schema, index: dict[int, int], ports: frozenset[int]) -> Related:
    """Walk every relation. `index`: STEP id → element index; `ports`: STEP ids of ports."""
    related = Related()
    for edge in _EDGES:
        for relation in schema.instances(file, edge.ifc_class):
            _add_edges(related, edge, relation, index, ports)
    _collect(related, file, schema)
    _add_flow(related, file, schema, index)
    return related


def _ids(value: Any) -> list[int]:
    """STEP ids of an attribute that holds an entity, a list of them, or nothing."""
    if value is None:
        return []
    if isinstance(value, tuple):
        return [v.id() for v in value]
    return [value.id()] if isinstance(value, Entity) else []


def _add_edges(related: Related, edge: _Edge, relation: Entity, index: dict[int, int], ports: frozenset[int]) -> None:
    starts, ends = _ids(relation.get_argument(edge.from_)), _ids(relation.get_argument(edge.to))
    if not starts or not ends:
        if edge.kind == "bounds" and starts + ends:
            return  # a virtual boundary has no element, by the standard
        related.dangling.append(relation.id())
        return
    kind = edge.kind
    if edge.ifc_class == "IfcRelConnectsElements" and relation.is_a().startswith("IfcRelConnectsPath"):
        kind = "path"
    known_starts = [index[key] for key in starts if key in index]
    known_ends = [(index[key], key in ports) for key in ends if key in index]
    for a in known_starts:
        for b, is_port in known_ends:
            if a != b:
                related.edges["has_port" if kind == "nests" and is_port else kind, a, b] = None
                _claim(related, edge, a, b)


def _claim(related: Related, edge: _Edge, a: int, b: int) -> None:
    """Note the parent that an edge from `a` to `b` gives one of them; the first claim stands."""
    if edge.parent == "to":
        related.parent.setdefault(a, b)
    elif edge.parent == "from":
        if edge.kind == "contains" and related.container.setdefault(b, a) != a:
            related.twice_contained.append(b)
        related.parent.setdefault(b, a)


def _collect(related: Related, file: ifcopenshell.file, schema: Schema) -> None:
    for objects, target in _assignments(related, file, schema, "IfcRelDefinesByProperties", 5):
        definitions = list(target) if isinstance(target, tuple) else _unpack(target)
        for key in objects:
            related.psets.setdefault(key, []).extend(definitions)
    for objects, target in _assignments(related, file, schema, "IfcRelDefinesByType", 5):
        for key in objects:
            related.type_of.setdefault(key, target.id())
    for ifc_class, into in (
        ("IfcRelAssociatesMaterial", related.materials),
        ("IfcRelAssociatesClassification", related.classifications),
        ("IfcRelAssociatesDocument", related.documents),
    ):
        for objects, target in _assignments(related, file, schema, ifc_class, 5):
            for key in objects:
                into.setdefault(key, []).append(target)
    for objects, target in _assignments(related, file, schema, "IfcRelAssignsToGroup", 6):
        related.members.setdefault(target.id(), []).extend(objects)
    _collect_served(related, file, schema)


def _collect_served(related: Related, file: ifcopenshell.file, schema: Schema) -> None:
    for relation in schema.instances(file, "IfcRelServicesBuildings"):
        for system in _ids(relation.get_argument(4)):
            related.serves.setdefault(system, []).extend(_ids(relation.get_argument(5)))


def _unpack(definition: Entity) -> list[Entity]:
    """IFC4 allows a typed set of definitions (IfcPropertySetDefinitionSet) where one is expected."""
    if definition.id() == 0 and definition.is_a() == "IfcPropertySetDefinitionSet":
        return list(definition.get_argument(0) or ())
    return [definition]


def _assignments(
    related: Related, file: ifcopenshell.file, schema: Schema, ifc_class: str, position: int
) -> Iterator[tuple[list[int], Any]]:
    """(ids of its objects, what they get) of every complete relation of a class."""
    for relation in schema.instances(file, ifc_class):
        objects, target = _ids(relation.get_argument(4)), relation.get_argument(position)
        if not objects or target is None:
            related.dangling.append(relation.id())
            continue
        yield objects, target


def _add_flow(related: Related, file: ifcopenshell.file, schema: Schema, index: dict[int, int]) -> None:
    """`feeds` edges from connected ports whose directions say which way it flows."""
    direction: dict[int, str] = {}
    for port in schema.instances(file, "IfcDistributionPort"):
        where = port.get_attribute_names().index("FlowDirection")
        direction[index[port.id()]] = str(port.get_argument(where))
    owner = {b: a for kind, a, b in related.edges if kind == "has_port"}
    for kind, a, b in list(related.edges):
        if kind != "connects" or a not in owner or b not in owner or owner[a] == owner[b]:
            continue
        if direction.get(a) == "SOURCE" and direction.get(b) != "SOURCE":
            related.edges["feeds", owner[a], owner[b]] = None
        elif direction.get(a) == "SINK" and direction.get(b) != "SINK":
            related.edges["feeds", owner[b], owner[a]] = None
        elif direction.get(b) == "SINK" and direction.get(a) != "SINK":
            related.edges["feeds", owner[a], owner[b]] = None
        elif direction.get(b) == "SOURCE" and direction.get(a) != "SOURCE":
            related.edges["feeds", owner[b], owner[a]] = None
