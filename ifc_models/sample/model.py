"""The IFC side of the sample: from products, shapes and property sets to entities of a `StepFile`.

Everything a caller names by a path ("F05/0501/living/door") gets a GlobalId derived from seed and path, so the same
seed writes the same bytes. Relations are collected and written once at the end, one entity per relating object.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ifc_models.sample.geometry import Geometry
from ifc_models.sample.points import ROLES, Role
from ifc_models.sample.shapes import Point, Shape
from ifc_models.sample.step import Attribute, Ref, StepFile, Value

Scalar: TypeAlias = str | bool | int | float | Value
Psets: TypeAlias = Mapping[str, Mapping[str, Scalar]]

_GUID_CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"


@dataclass(frozen=True, slots=True)
class Place:
    """Where elements go: a spatial element and the placement that coordinates are relative to (wing and storey)."""

    ref: Ref
    placement: Ref
    path: str
    key: str  # start of the point keys, e.g. "f05"


@dataclass(frozen=True, slots=True)
class Item:
    """An element that was written: enough to connect, group and name it. `at` is in its floor's frame."""

    ref: Ref
    path: str
    name: str
    at: Point
    placement: Ref  # its own


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the catalogue: written as an IfcTypeProduct with one shape that all its occurrences map."""

    key: str
    ifc_class: str  # of the occurrence; the type is `ifc_class + "Type"`
    predefined: str | None
    name: str
    shape: Shape
    maker: str = ""
    article: str = ""
    psets: Psets = field(default_factory=dict)
    material: str = ""
    extra: Mapping[str, Attribute] = field(default_factory=dict)  # further attributes of the type

    @property
    def user_kind(self) -> str:
        """What a USERDEFINED product is, e.g. "TREE"."""
        return self.key.split("_")[0].upper()


@dataclass(slots=True)
class System:
    """A distribution system being collected."""

    path: str
    name: str
    long_name: str
    predefined: str
    flow: str
    members: dict[Ref, None] = field(default_factory=dict)
    ports: list[Ref] = field(default_factory=list)


class Model(Geometry):
    """A sample being written: geometry, elements, types, property sets, ports and relations."""

    def __init__(self, step: StepFile, seed: int) -> None:
        super().__init__(step)
        self.seed = seed
        self.counts: dict[str, int] = {}
        self.points = 0  # data points so far
        self.elements = 0  # IfcElement instances so far, openings left out
        self.bays = 0  # parking bays among the spaces
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"bim-twin/sample/{seed}")
        self._types: dict[str, tuple[Ref, Ref]] = {}  # product key -> type, representation map
        self._typed: dict[Ref, list[Ref]] = {}
        self._contained: dict[Ref, list[Ref]] = {}
        self._parts: dict[Ref, list[Ref]] = {}
        self._ports: dict[Item, list[Ref]] = {}
        self._psets: dict[str, tuple[Ref, list[Ref]]] = {}
        self._materials: dict[Ref, list[Ref]] = {}
        self._groups: dict[str, tuple[str, str, str, list[Ref]]] = {}
        self._systems: list[System] = []
        self._controls: dict[Ref, list[Ref]] = {}

    # -- identity ----------------------------------------------------------------------------------------------

    def guid(self, path: str) -> str:
        """Return the GlobalId of `path`: the 128 bits of a UUIDv5 as 22 characters."""
        number = uuid.uuid5(self._namespace, path).int
        out = []
        for _ in range(21):
            number, digit = divmod(number, 64)
            out.append(_GUID_CHARS[digit])
        return _GUID_CHARS[number] + "".join(reversed(out))

    def random(self, path: str) -> random.Random:
        """Return a generator of its own for `path`, so that one part's choices do not shift another's."""
        return random.Random(f"{self.seed}/{path}")  # noqa: S311 - repeatable, not secret

    # -- elements ----------------------------------------------------------------------------------------------

    def root(self, ifc_class: str, path: str, name: str | None, **named: Attribute) -> Ref:
        """Write a rooted entity with its GlobalId and name."""
        self.counts[ifc_class] = self.counts.get(ifc_class, 0) + 1
        return self.step.add(ifc_class, self.guid(path), None, name, **named)

    def element(
        self,
        ifc_class: str,
        path: str,
        name: str,
        place: Place,
        shape: Shape | Ref | None,
        *,
        at: Point = (0.0, 0.0, 0.0),
        x: Point | None = None,
        part_of: Item | None = None,
        psets: Psets | None = None,
        material: Ref | None = None,
        more: Mapping[str, Attribute] | None = None,
        **named: Attribute,
    ) -> Item:
        """Write an element in `place` at `at` (relative to the place's frame), or as a part of another element.

        `named` and `more` are further attributes of the class.
        """
        placement = self.placement(place.placement, at, x)
        body = self.shape(shape) if isinstance(shape, tuple) else shape
        path = f"{place.path}/{path}"
        named |= {"ObjectPlacement": placement, "Representation": body, **(more or {})}
        ref = self.root(ifc_class, path, name, **named)
        self.elements += 1
        if part_of is None:
            self._contained.setdefault(place.ref, []).append(ref)
        else:
            self._parts.setdefault(part_of.ref, []).append(ref)
        self.describe(ref, psets or {})
        if material is not None:
            self._materials.setdefault(material, []).append(ref)
        return Item(ref, path, name, at, placement)

    def install(
        self,
        product: Product,
        path: str,
        name: str,
        place: Place,
        at: Point,
        *,
        x: Point | None = None,
        psets: Psets | None = None,
        points: Iterable[tuple[str, str]] = (),
        more: Mapping[str, Attribute] | None = None,
        **named: Attribute,
    ) -> Item:
        """Write an occurrence of a catalogue product. `points` are (role, device) pairs for its Twin_Points."""
        type_ref, source = self._type(product)
        own = dict(psets or {})
        if product.maker:
            serial = f"{product.article}-{self.random(place.path + '/' + path).randrange(10**6):06d}"
            own["Pset_ManufacturerOccurrence"] = {"SerialNumber": Value("IfcIdentifier", serial)}
        bound = {r: (".".join(filter(None, (place.key, d, ROLES[r].code))), ROLES[r]) for r, d in points}
        if bound:
            own["Twin_Points"] = {r: Value("IfcText", point_json(k, role)) for r, (k, role) in bound.items()}
            self.points += len(bound)
        if product.predefined is not None:
            named["PredefinedType"] = product.predefined
        if product.predefined == "USERDEFINED":
            named["ObjectType"] = product.user_kind
        named |= more or {}
        shape = self.mapped(source)
        item = self.element(product.ifc_class, path, name, place, shape, at=at, x=x, psets=own, more=named)
        self._typed.setdefault(type_ref, []).append(item.ref)
        return item

    def _type(self, product: Product) -> tuple[Ref, Ref]:
        if product.key not in self._types:
            origin = self.axes((0.0, 0.0, 0.0))
            source = self.step.add("IfcRepresentationMap", origin, self.representation(product.shape))
            psets = dict(product.psets)
            if product.maker:
                psets["Pset_ManufacturerTypeInformation"] = {
                    "ArticleNumber": Value("IfcIdentifier", product.article),
                    "ModelReference": product.article,
                    "Manufacturer": product.maker,
                }
            sets = tuple(self._pset(name, values)[0] for name, values in psets.items()) or None
            named: dict[str, Attribute] = dict(product.extra)
            if product.predefined is not None:
                named["PredefinedType"] = product.predefined
            if product.predefined == "USERDEFINED":
                named["ElementType"] = product.user_kind
            if product.ifc_class == "IfcFurniture":
                named["AssemblyPlace"] = "NOTDEFINED"
            ref = self.root(
                product.ifc_class + "Type",
                "type/" + product.key,
                product.name,
                HasPropertySets=sets,
                RepresentationMaps=(source,),
                Tag=product.article or None,
                **named,
            )
            if product.material:
                self._materials.setdefault(self.material(product.material), []).append(ref)
            self._types[product.key] = ref, source
        return self._types[product.key]

    # -- properties --------------------------------------------------------------------------------------------

    def _pset(self, name: str, values: Mapping[str, Scalar]) -> tuple[Ref, list[Ref]]:
        key = f"{name}{values!r}"
        if key not in self._psets:
            share = self.step.share
            if name.startswith("Qto_"):
                properties = tuple(self._quantity(n, v) for n, v in values.items())
                args: tuple[Attribute, ...] = (None, None, properties)
                ref = self.step.add("IfcElementQuantity", self.guid("pset/" + key), None, name, *args)
            else:
                single = tuple(share("IfcPropertySingleValue", n, None, _value(v), None) for n, v in values.items())
                ref = self.step.add("IfcPropertySet", self.guid("pset/" + key), None, name, None, single)
            self._psets[key] = ref, []
        return self._psets[key]

    def _quantity(self, name: str, value: Scalar) -> Ref:
        kind = "Area" if "Area" in name else "Volume" if "Volume" in name else "Length"
        assert isinstance(value, float)
        return self.step.share(f"IfcQuantity{kind}", name, None, None, round(value, 4), None)

    def describe(self, ref: Ref, psets: Psets) -> None:
        """Attach property and quantity sets (`Qto_…`, metres); equal sets are shared."""
        for name, values in psets.items():
            self._pset(name, values)[1].append(ref)

    # -- openings, boundaries, groups, systems -----------------------------------------------------------------

    def opening(self, wall: Item, path: str, shape: Shape, at: Point, filling: Item | None) -> None:
        """Cut `shape` (in the wall's frame) out of `wall`, and fill it."""
        wall_placement = self.placement(wall.placement, at)
        ref = self.root(
            "IfcOpeningElement",
            f"{wall.path}/{path}",
            "Opening",
            ObjectPlacement=wall_placement,
            Representation=self.shape(shape),
            PredefinedType="OPENING",
        )
        self.step.add("IfcRelVoidsElement", self.guid(f"{wall.path}/{path}/voids"), None, None, None, wall.ref, ref)
        if filling is not None:
            path = f"{filling.path}/fills"
            self.step.add("IfcRelFillsElement", self.guid(path), None, None, None, ref, filling.ref)

    def boundary(self, space: Ref, element: Item, side: str, *, external: bool) -> None:
        """Write a space boundary without geometry: `element` lies between `space` and its neighbour."""
        self.step.add(
            "IfcRelSpaceBoundary",
            self.guid(f"{element.path}/boundary/{side}"),
            None,
            None,
            None,
            space,
            element.ref,
            None,
            "PHYSICAL",
            "EXTERNAL" if external else "INTERNAL",
        )

    def part(self, whole: Ref, part: Ref) -> None:
        """Aggregate `part` under `whole`."""
        self._parts.setdefault(whole, []).append(part)

    def group(self, path: str, name: str, long_name: str, members: Iterable[Ref], ifc_class: str = "IfcZone") -> None:
        """Add members to a zone (or other group), made on first use."""
        self._groups.setdefault(path, (ifc_class, name, long_name, []))[3].extend(members)

    def system(self, path: str, name: str, long_name: str, predefined: str, flow: str) -> System:
        """Start an IfcDistributionSystem; `flow` is the ports' IfcDistributionPortTypeEnum: PIPE, DUCT, CABLE."""
        system = System(path, name, long_name, predefined, flow)
        self._systems.append(system)
        return system

    def control(self, element: Item, controller: Item) -> None:
        """Say that a sensor or actuator belongs to a flow element (IfcRelFlowControlElements)."""
        self._controls.setdefault(element.ref, []).append(controller.ref)

    def link(self, system: System, source: Item, *sinks: Item) -> None:
        """Connect a source port of `source` to a sink port of each of `sinks`: what flows goes that way."""
        for sink in sinks:
            name = f"{source.path}>{sink.path}/{system.path}"
            out = self._port(system, source, name + "/out", "SOURCE")
            into = self._port(system, sink, name + "/in", "SINK")
            self.step.add("IfcRelConnectsPorts", self.guid(name), None, None, None, out, into, None)
            system.members[source.ref] = None
            system.members[sink.ref] = None

    def chain(self, system: System, *items: Item) -> None:
        """Connect items one after the other."""
        for source, sink in zip(items, items[1:], strict=False):
            self.link(system, source, sink)

    def _port(self, system: System, item: Item, path: str, direction: str) -> Ref:
        ports = self._ports.setdefault(item, [])
        ref = self.root(
            "IfcDistributionPort",
            path,
            f"{'out' if direction == 'SOURCE' else 'in'} {len(ports) + 1}",
            ObjectPlacement=self.step.share("IfcLocalPlacement", item.placement, self.axes((0.0, 0.0, 0.0))),
            FlowDirection=direction,
            PredefinedType=system.flow,
            SystemType=system.predefined,
        )
        ports.append(ref)
        return ref

    # -- tail --------------------------------------------------------------------------------------------------

    def finish(self, building: Ref) -> None:
        """Write the collected relations."""
        self._relations("contained", "IfcRelContainedInSpatialStructure", self._contained, related_first=True)
        self._relations("parts", "IfcRelAggregates", self._parts)
        nests = {item.ref: ports for item, ports in self._ports.items()}
        self._relations("ports", "IfcRelNests", nests)
        self._relations("typed", "IfcRelDefinesByType", self._typed, related_first=True)
        self._relations("material", "IfcRelAssociatesMaterial", self._materials, related_first=True)
        self._relations("control", "IfcRelFlowControlElements", self._controls, related_first=True)
        psets = {ref: members for ref, members in self._psets.values() if members}
        self._relations("psets", "IfcRelDefinesByProperties", psets, related_first=True)
        for path, (ifc_class, name, long_name, members) in self._groups.items():
            named = {"LongName": long_name} if ifc_class == "IfcZone" else {"Description": long_name}
            self._assign(path, self.root(ifc_class, path, name, **named), members)
        for system in self._systems:
            if system.members:
                self._finish_system(system, building)

    def _finish_system(self, system: System, building: Ref) -> None:
        kind = {"PredefinedType": system.predefined, "LongName": system.long_name}
        ref = self.root("IfcDistributionSystem", system.path, system.name, **kind)
        self._assign(system.path, ref, list(system.members))
        path = system.path + "/serves"
        self.step.add("IfcRelServicesBuildings", self.guid(path), None, None, None, ref, (building,))

    def _assign(self, path: str, group: Ref, members: list[Ref]) -> None:
        self.step.add("IfcRelAssignsToGroup", self.guid(path + "/m"), None, None, None, tuple(members), None, group)

    def _relations(
        self, path: str, ifc_class: str, table: Mapping[Ref, list[Ref]], *, related_first: bool = False
    ) -> None:
        for relating, related in table.items():
            ends = (tuple(related), relating) if related_first else (relating, tuple(related))
            self.step.add(ifc_class, self.guid(f"{path}/{int(relating)}"), None, None, None, *ends)


def point_json(key: str, role: Role) -> str:
    """Return the value of a Twin_Points property."""
    fields = {
        "key": key,
        "kind": role.kind,
        "unit": role.unit,
        "brick": role.brick,
        "quantity": role.quantity,
        "writable": role.writable,
        "sim": role.sim,
    }
    return json.dumps(fields, separators=(",", ":"))


def _value(value: Scalar) -> Value:
    if isinstance(value, Value):
        return value
    if isinstance(value, bool):
        return Value("IfcBoolean", value)
    if isinstance(value, int):
        return Value("IfcInteger", value)
    if isinstance(value, float):
        return Value("IfcReal", value)
    return Value("IfcLabel", value)
