"""What the IFC schema says about a class: its attributes, where they stand, its superclasses."""

from dataclasses import dataclass
from typing import Any, Final

import ifcopenshell
from ifcopenshell import ifcopenshell_wrapper as wrapper

# Attributes that have a column or an edge of their own, or are geometry.
_ELSEWHERE: Final = frozenset(
    (
        "GlobalId",
        "OwnerHistory",
        "Name",
        "LongName",
        "Description",
        "ObjectType",
        "Tag",
        "PredefinedType",
        "ObjectPlacement",
        "Representation",
        "HasPropertySets",
        "RepresentationMaps",
        "UAxes",
        "VAxes",
        "WAxes",
    )
)


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class of the schema. Indices are attribute positions, -1 where the class has no such attribute."""

    name: str
    ancestors: tuple[str, ...]  # itself first
    predefined_type: int
    long_name: int
    tag: int
    others: tuple[tuple[int, str, str | None], ...]  # index, name, declared measure type


class Schema:
    """The classes of one schema, looked up once each."""

    def __init__(self, identifier: str) -> None:
        self._schema = wrapper.schema_by_name(identifier)
        self._names = frozenset(d.name() for d in self._schema.entities())
        self._classes: dict[str, ClassInfo] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def instances(self, file: ifcopenshell.file, name: str) -> tuple[Any, ...]:
        """All instances of a class and its subclasses; none where the schema does not have it."""
        return tuple(file.by_type(name)) if name in self._names else ()

    def info(self, name: str) -> ClassInfo:
        """What there is to know about class `name`."""
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = self._read(name)
        return found

    def _read(self, name: str) -> ClassInfo:
        declaration: Any = self._schema.declaration_by_name(name).as_entity()
        ancestors: list[str] = []
        at = declaration
        while at is not None:
            ancestors.append(at.name())
            at = at.supertype()
        attributes = declaration.all_attributes()
        index = {a.name(): i for i, a in enumerate(attributes)}
        others = tuple(
            (i, a.name(), _measure(a.type_of_attribute()))
            for i, a in enumerate(attributes)
            if a.name() not in _ELSEWHERE
        )
        return ClassInfo(
            name,
            tuple(ancestors),
            index.get("PredefinedType", -1),
            index.get("LongName", -1),
            index.get("Tag", -1),
            others,
        )


def _measure(declared: Any) -> str | None:
    named = declared.as_named_type()
    return str(named.declared_type().name()) if named is not None else None
