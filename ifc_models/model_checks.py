"""What facility work will miss in a model: its places, systems and connections, judged once it is read.

Each judgement is one walk over lists that the reader has made already; only relations that the reader drops (a port
joined to itself) are looked up in the file. `findings.toml` says what each code means and how to fix it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import ifcopenshell

from ifc_models.extract import ElementEntry, GroupEntry, StoreyEntry
from ifc_models.findings import Findings
from ifc_models.relations import Related
from ifc_models.schema import Schema

SAME_HEIGHT: Final = 0.01  # m
CLOSE: Final = 1.2  # m; nobody stands upright between such floors
_NUMBER: Final = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class ReadModel:
    """What the reader has made of a file; elements, groups and storeys are referred to by index."""

    file: ifcopenshell.file
    schema: Schema
    elements: Sequence[ElementEntry]
    storeys: Sequence[StoreyEntry]
    groups: Sequence[GroupEntry]
    related: Related
    declared_elevations: Mapping[int, float]  # storey's element index → attribute Elevation, m

    def is_a(self, ifc_class: str, wanted: str) -> bool:
        """Whether a class is, or descends from, another one."""
        return wanted in self.schema.info(ifc_class).ancestors

    def indices(self, wanted: str) -> list[int]:
        """The elements of a class or its subclasses."""
        return [i for i, element in enumerate(self.elements) if self.is_a(element.ifc_class, wanted)]


def check_structure(found: Findings, model: ReadModel) -> None:
    """Add what is wrong with places, storeys, rooms, systems and ports."""
    _check_header(found, model.file)
    _check_places(found, model)
    _check_storeys(found, model)
    _check_spaces(found, model)
    _check_containment(found, model)
    _check_systems(found, model)
    _check_ports(found, model)


_TIME_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_EMPTY_NAMES: Final = frozenset(("", "unknown", "none", "n/a", "-", "."))


def _check_header(found: Findings, file: ifcopenshell.file) -> None:
    description, name = file.header.file_description.description or (), file.header.file_name
    if not any(re.search(r"ViewDefinition\s*\[[^\]]+\]", str(text)) for text in description):
        found.add("ifc.header_view", None)
    stamp = str(name.time_stamp or "")
    if not _TIME_STAMP.fullmatch(stamp):
        found.add("ifc.header_time", None, stamp=stamp[:40] or "-")
    fields = {"author": name.author, "organization": name.organization}
    fields |= {"originating_system": name.originating_system, "preprocessor_version": name.preprocessor_version}
    empty = [field for field, value in fields.items() if _is_empty(value)]
    if empty:
        found.add("ifc.header_fields", None, what=", ".join(empty))


def _is_empty(value: object) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return all(str(each or "").strip().lower() in _EMPTY_NAMES for each in values)


def _check_places(found: Findings, model: ReadModel) -> None:
    buildings = model.indices("IfcBuilding")
    if len(buildings) > 1:
        _add_all(found, "ifc.several_buildings", _ids(model, buildings))
    has_facility = model.file.schema == "IFC4X3" and bool(model.indices("IfcFacility"))
    if model.elements and not buildings and not has_facility:
        found.add("ifc.no_building")
    if len(sites := model.indices("IfcSite")) > 1:
        _add_all(found, "ifc.several_sites", _ids(model, sites))


def _check_storeys(found: Findings, model: ReadModel) -> None:
    names = Counter(storey.name for storey in model.storeys)
    _add_all(found, "ifc.storey_name_repeated", (_gid(model, s.element) for s in model.storeys if names[s.name] > 1))
    used = {element.storey for i, element in enumerate(model.elements) if element.storey != i}
    for storey in model.storeys:
        if not storey.name:
            found.add("ifc.storey_unnamed", _gid(model, storey.element))
        if storey.elevation is None:
            found.add("ifc.storey_without_elevation", _gid(model, storey.element))
        if storey.element not in used:
            found.add("ifc.storey_empty", _gid(model, storey.element))
    _check_heights(found, model)
    _check_declared(found, model)
    for storey_element in _out_of_order(model):
        found.add("ifc.storeys_order", _gid(model, storey_element))


def _check_heights(found: Findings, model: ReadModel) -> None:
    """Storeys of one building that lie on each other or too close for people."""
    by_parent: dict[int, list[StoreyEntry]] = defaultdict(list)
    for storey in model.storeys:
        if storey.elevation is not None:
            by_parent[model.elements[storey.element].parent].append(storey)
    for storeys in by_parent.values():
        ordered = sorted(storeys, key=lambda storey: storey.elevation or 0.0)
        for low, high in zip(ordered, ordered[1:], strict=False):
            gap = (high.elevation or 0.0) - (low.elevation or 0.0)
            if gap < SAME_HEIGHT:
                found.add("ifc.storeys_same_height", _gid(model, high.element))
            elif gap < CLOSE:
                found.add("ifc.storeys_close", _gid(model, high.element))


def _check_declared(found: Findings, model: ReadModel) -> None:
    """The attribute Elevation and the placement differ by the same height for all storeys, or one of them is wrong."""
    offsets: dict[int, float] = {}
    for index, declared in model.declared_elevations.items():
        placement = model.elements[index].placement
        if placement is not None:
            offsets[index] = placement[11] - declared
    if len(offsets) > 1:
        usual = sorted(offsets.values())[len(offsets) // 2]
        wrong = [i for i, offset in offsets.items() if abs(offset - usual) > SAME_HEIGHT]
        _add_all(found, "ifc.storey_elevation_differs", _ids(model, wrong))


def _out_of_order(model: ReadModel) -> list[int]:
    """Storeys whose numbers neither rise nor fall with their height: "Level 1", "Level 3", "Level 2" from below."""
    by_form: dict[str, list[tuple[float, int, int]]] = defaultdict(list)
    for storey in model.storeys:
        numbers = _NUMBER.findall(storey.name)
        if numbers and storey.elevation is not None:
            form = f"{model.elements[storey.element].parent}:{_NUMBER.sub('#', storey.name, count=1)}"
            by_form[form].append((storey.elevation, int(numbers[0]), storey.element))
    wrong: list[int] = []
    for storeys in by_form.values():
        storeys.sort()
        numbers_up = [number for _, number, _ in storeys]
        if numbers_up not in (sorted(numbers_up), sorted(numbers_up, reverse=True)):
            rising = sorted(numbers_up)
            wrong += [e for (_, number, e), right in zip(storeys, rising, strict=True) if number != right]
    return wrong


def _check_spaces(found: Findings, model: ReadModel) -> None:
    spaces = model.indices("IfcSpace")
    bounded = {to for kind, _, to in model.related.edges if kind == "bounds"}
    if spaces and not bounded:
        found.add("ifc.no_space_boundaries", None, count=len(spaces))
    for i in spaces:
        space = model.elements[i]
        if not space.has_body:
            found.add("ifc.space_without_geometry", space.global_id)
        if bounded and i not in bounded:
            found.add("ifc.space_without_boundary", space.global_id)
        if not (space.name or space.long_name):
            found.add("ifc.space_unnamed", space.global_id)
        if space.storey < 0 and model.storeys:
            found.add("ifc.space_without_storey", space.global_id)


def _check_containment(found: Findings, model: ReadModel) -> None:
    voiding = {a for kind, a, _ in model.related.edges if kind == "voids"}
    openings, real = set(model.indices("IfcFeatureElementSubtraction")), set(model.indices("IfcElement"))
    for i in sorted(real):
        element = model.elements[i]
        if i in openings:
            if i not in voiding:
                found.add("ifc.opening_without_host", element.global_id)
        elif element.has_body and element.parent >= 0 and element.storey < 0 and model.storeys:
            found.add("ifc.element_without_storey", element.global_id)
        if element.ifc_class == "IfcBuildingElementProxy":
            found.add("ifc.proxies", element.global_id)
    _add_all(found, "ifc.containment_cycle", _ids(model, _on_cycles([element.parent for element in model.elements])))


def _on_cycles(parents: Sequence[int]) -> list[int]:
    """Elements that are, through their parents, part of themselves."""
    state = bytearray(len(parents))  # 0 not seen, 1 on the path, 2 done
    cycles: list[int] = []
    for start in range(len(parents)):
        path: list[int] = []
        at = start
        while at >= 0 and state[at] == 0:
            state[at] = 1
            path.append(at)
            at = parents[at]
        if at >= 0 and state[at] == 1:
            cycles += path[path.index(at) :]
        for each in path:
            state[each] = 2
    return cycles


def _check_systems(found: Findings, model: ReadModel) -> None:
    in_system: set[int] = set()
    systems = 0
    for group in model.groups:
        if not model.is_a(group.ifc_class, "IfcSystem") or model.is_a(group.ifc_class, "IfcZone"):
            continue
        systems += 1
        in_system.update(group.members)
        if not group.members and not group.children:
            found.add("ifc.system_empty", group.global_id)
        elif not group.serves:
            found.add("ifc.system_serves_nothing", group.global_id)
    if systems:
        for i in model.indices("IfcDistributionFlowElement"):
            element = model.elements[i]
            if i not in in_system and (element.parent < 0 or element.parent not in in_system):
                found.add("ifc.element_without_system", element.global_id)


def _check_ports(found: Findings, model: ReadModel) -> None:
    owner = {port: element for kind, element, port in model.related.edges if kind == "has_port"}
    joined: Counter[int] = Counter()
    ports = set(model.indices("IfcPort"))
    for kind, a, b in model.related.edges:
        if kind == "connects" and a in ports and b in ports:
            joined.update((a, b))
            if a in owner and owner[a] == owner.get(b):
                found.add("ifc.port_own_element", model.elements[owner[a]].global_id)
    for relation in model.schema.instances(model.file, "IfcRelConnectsPorts"):
        one, other = relation.get_argument(4), relation.get_argument(5)
        if one is not None and other is not None and one.id() == other.id():
            found.add("ifc.port_self_connected", one.get_argument(0) or f"#{one.id()}")
    for i in sorted(ports):
        place = model.elements[owner.get(i, i)].global_id  # the viewer shows elements, not ports
        if i not in owner:
            found.add("ifc.port_without_element", place)
        if joined[i] == 0:
            found.add("ifc.port_unconnected", place)
        elif joined[i] > 1:
            found.add("ifc.port_connected_twice", place)


def _gid(model: ReadModel, index: int) -> str:
    return model.elements[index].global_id


def _ids(model: ReadModel, indices: Iterable[int]) -> list[str]:
    return [model.elements[i].global_id for i in indices]


def _add_all(found: Findings, code: str, places: Iterable[str]) -> None:
    for place in places:
        found.add(code, place)
