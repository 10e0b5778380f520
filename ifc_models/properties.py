"""Property sets and quantities as JSON: `{set: {property: {value, type, unit?}}}`, values in the file's units.

Every entity is turned into JSON once, by its id; elements that share a set share the bytes. A property that is not a
single value says so in `kind`: `enumeration`, `list`, `bounded` (value `{lower, upper, set_point}`), `table` (value
`[[defining, defined]…]`), `reference`, `complex` (value `{property: …}`).
"""

from collections.abc import Callable
from typing import Any, Final

import ifcopenshell
import msgspec
from ifcopenshell import entity_instance as Entity

from ifc_models.schema import Schema
from ifc_models.text import Json, Keys, add_unique, clean, join_object, to_json
from ifc_models.units import Units

MAX_NESTING: Final = 16  # complex properties within complex properties; a cycle ends here


class Properties:
    """Turns property and quantity sets of one file into JSON fragments."""

    def __init__(self, units: Units, schema: Schema) -> None:
        self._units = units
        self._schema = schema
        self._sets: dict[int, tuple[str, bool, bytes]] = {}  # id → name, is a quantity set, JSON object
        self._properties: dict[int, tuple[str, bytes]] = {}
        self._joined: dict[tuple[int, ...], tuple[bytes, bytes]] = {}
        self.keys = Keys()
        self._readers: dict[str, Callable[[Entity], dict[str, Json]]] = {
            "IfcPropertyEnumeratedValue": self._enumerated,
            "IfcPropertyListValue": self._list,
            "IfcPropertyBoundedValue": self._bounded,
            "IfcPropertyTableValue": self._table,
            "IfcPropertyReferenceValue": self._reference,
        }

    def of(self, sets: list[Entity]) -> tuple[bytes, bytes]:
        """JSON objects of the property sets and of the quantity sets among `sets`."""
        if not sets:
            return b"{}", b"{}"
        if len(sets) > 1 or sets[0].id() == 0:
            key = tuple([s.id() for s in sets])
        else:
            key = (sets[0].id(),)
        found = self._joined.get(key)
        if found is None:
            psets: dict[str, bytes] = {}
            quantities: dict[str, bytes] = {}
            for definition in sets:
                name, is_quantity, body = self._set(definition)
                _merge(quantities if is_quantity else psets, name, body)
            found = self._joined[key] = (join_object(psets, self.keys), join_object(quantities, self.keys))
        return found

    def _set(self, definition: Entity) -> tuple[str, bool, bytes]:
        key = definition.id()
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = self._read_set(definition)
        return found

    def _read_set(self, definition: Entity) -> tuple[str, bool, bytes]:
        kind = definition.is_a()
        name = clean(str(definition.get_argument(2) or kind))
        if kind == "IfcPropertySet":
            return name, False, self._members(definition.get_argument(4))
        if kind == "IfcElementQuantity":
            return name, True, self._members(definition.get_argument(5))
        # IfcDoorLiningProperties and the like: a set whose properties are attributes.
        entries: dict[str, bytes] = {}
        for i, attribute, measure in self._schema.info(kind).others:
            value = definition.get_argument(i)
            if value is None or (isinstance(value, Entity) and value.id()):
                continue
            entry: dict[str, Json] = {"value": plain(value)}
            if measure is not None:
                entry["type"] = measure
                self._add_unit(entry, None, measure)
            entries[attribute] = to_json(entry)
        return name, False, join_object(entries, self.keys)

    def _members(self, members: Any) -> bytes:
        if not members:
            return b"{}"
        entries: dict[str, bytes] = {}
        known = self._properties
        for member in members:
            key = member.id()
            found = known.get(key)
            if found is None:
                found = known[key] = self._read_member(member)
            name, body = found
            if name in entries:
                add_unique(entries, name, body)
            else:
                entries[name] = body
        return join_object(entries, self.keys)

    def _read_member(self, member: Entity) -> tuple[str, bytes]:
        name = member.get_argument(0)
        entry = self.entry(member)
        return (clean(name) if name.__class__ is str else str(name)), to_json(entry)

    def entry(self, member: Entity, depth: int = 0) -> dict[str, Json]:
        """One IfcProperty or IfcPhysicalQuantity as `{value, type, unit?, kind?, description?}`."""
        kind = member.is_a()
        if kind == "IfcPropertySingleValue":
            entry = self._single(member)
        elif kind in _QUANTITIES:
            entry = self._quantity(member, kind)
        else:
            reader = self._readers.get(kind)
            if reader is not None:
                entry = reader(member)
            elif kind in ("IfcComplexProperty", "IfcPhysicalComplexQuantity"):
                entry = self._complex(member, depth)
            else:
                entry = {"value": None, "type": kind}
        description = member.get_argument(1)
        if description.__class__ is str and description:
            entry["description"] = clean(description)
        return entry

    def _single(self, member: Entity) -> dict[str, Json]:
        value = member.get_argument(2)
        if value is None:
            return {"value": None}
        measure = value.is_a()
        entry: dict[str, Json] = {"value": plain(value.get_argument(0)), "type": measure}
        self._add_unit(entry, member.get_argument(3), measure)
        return entry

    def _quantity(self, member: Entity, kind: str) -> dict[str, Json]:
        entry: dict[str, Json] = {"value": plain(member.get_argument(3)), "type": kind}
        self._add_unit(entry, member.get_argument(2), kind)
        return entry

    def _add_unit(self, entry: dict[str, Json], own: Entity | None, measure: str | None, key: str = "unit") -> None:
        symbol = self._units.own(own) if own is not None else None
        if symbol is None and measure is not None:
            symbol = self._units.of_measure(measure)
        if symbol:
            entry[key] = symbol

    def _enumerated(self, member: Entity) -> dict[str, Json]:
        values = member.get_argument(2) or ()
        entry: dict[str, Json] = {"value": [plain(v) for v in values], "kind": "enumeration"}
        if values:
            entry["type"] = _measure(values[0])
            self._add_unit(entry, None, _measure(values[0]))
        return entry

    def _list(self, member: Entity) -> dict[str, Json]:
        values = member.get_argument(2) or ()
        entry: dict[str, Json] = {"value": [plain(v) for v in values], "kind": "list"}
        measure = _measure(values[0]) if values else None
        if measure:
            entry["type"] = measure
        self._add_unit(entry, member.get_argument(3), measure)
        return entry

    def _bounded(self, member: Entity) -> dict[str, Json]:
        upper, lower = member.get_argument(2), member.get_argument(3)
        set_point = member.get_argument(5) if len(member) > 5 else None
        value: dict[str, Json] = {"lower": plain(lower), "upper": plain(upper)}
        if set_point is not None:
            value["set_point"] = plain(set_point)
        entry: dict[str, Json] = {"value": value, "kind": "bounded"}
        measure = next((_measure(v) for v in (upper, lower, set_point) if v is not None), None)
        if measure:
            entry["type"] = measure
        self._add_unit(entry, member.get_argument(4), measure)
        return entry

    def _table(self, member: Entity) -> dict[str, Json]:
        defining, defined = member.get_argument(2) or (), member.get_argument(3) or ()
        rows: list[Json] = [[plain(a), plain(b)] for a, b in zip(defining, defined, strict=False)]
        entry: dict[str, Json] = {"value": rows, "kind": "table"}
        if defined:
            entry["type"] = _measure(defined[0])
        self._add_unit(entry, member.get_argument(6), _measure(defined[0]) if defined else None)
        self._add_unit(entry, member.get_argument(5), _measure(defining[0]) if defining else None, "defining_unit")
        return entry

    def _reference(self, member: Entity) -> dict[str, Json]:
        target = member.get_argument(3)
        return {
            "value": describe(target) if target is not None else None,
            "type": target.is_a() if target is not None else None,
            "kind": "reference",
        }

    def _complex(self, member: Entity, depth: int) -> dict[str, Json]:
        parts: dict[str, Json] = {}
        index = 2 if member.is_a() == "IfcPhysicalComplexQuantity" else 3
        if depth < MAX_NESTING:
            for part in member.get_argument(index) or ():
                parts[clean(str(part.get_argument(0)))] = self.entry(part, depth + 1)
        return {"value": parts, "type": member.is_a(), "kind": "complex"}


def _merge(into: dict[str, bytes], name: str, body: bytes) -> None:
    """Add a set; where the element has one of that name, its properties join it, or `name (2)` where they disagree."""
    if name not in into:
        into[name] = body
        return
    there: dict[str, object] = msgspec.json.decode(into[name])
    more: dict[str, object] = msgspec.json.decode(body)
    other = {key: entry for key, entry in more.items() if key in there and there[key] != entry}
    joined = {**there, **{key: entry for key, entry in more.items() if key not in there}}
    into[name] = to_json(dict(sorted(joined.items())))
    if other:
        add_unique(into, f"{name} (2)", to_json(other))


_QUANTITIES: Final = frozenset(
    f"IfcQuantity{kind}" for kind in ("Length", "Area", "Volume", "Weight", "Time", "Count", "Number")
)


def _measure(value: object) -> str | None:
    return str(value.is_a()) if isinstance(value, Entity) else None


def plain(value: Any) -> Json:
    """A value as JSON: strings cleaned, typed values unwrapped, `UNKNOWN` for the third logical value."""
    kind = value.__class__
    if kind is str:
        return clean(value)
    if kind is float or kind is int or kind is bool or value is None:
        return value  # type: ignore[no-any-return]
    if kind is tuple or kind is list:
        return [plain(v) for v in value]
    if isinstance(value, Entity):
        return describe(value) if value.id() else plain(value.get_argument(0))
    return None if isinstance(value, ifcopenshell.ifcopenshell_wrapper.attribute_value_derived) else clean(str(value))


def describe(entity: Entity, depth: int = 0) -> Json:
    """A resource entity (an address, a person, a reference) as an object of its attributes, three levels deep."""
    names = entity.get_attribute_names()
    if names and names[0] == "GlobalId":
        return {
            "type": entity.is_a(),
            "global_id": plain(entity.get_argument(0)),
            "name": plain(entity.get_argument(2)),
        }
    result: dict[str, Json] = {"type": entity.is_a()}
    for i, name in enumerate(names):
        value = entity.get_argument(i)
        if value is None:
            continue
        if isinstance(value, Entity) and value.id():
            if depth < 2:
                result[name] = describe(value, depth + 1)
        elif isinstance(value, tuple) and any(isinstance(v, Entity) and v.id() for v in value):
            if depth < 2:
                result[name] = [describe(v, depth + 1) for v in value[:64]]
        else:
            result[name] = plain(value)
    return result
