"""Write a STEP physical file (ISO 10303-21) line by line.

`ifcopenshell.file` holds every entity in memory and costs some 20 µs per keyword call; the sample needs millions of
entities at 10 000 rooms, each written once and never read back. So text goes straight to the file, while attribute
order and enumerations are looked up in ifcopenshell's schema, and `ifcopenshell.validate` judges the result in tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple, TextIO, TypeAlias

import ifcopenshell


class Ref(int):
    """Number of an entity instance in the file, written `#n`."""


class Value(NamedTuple):
    """A typed value of a SELECT, e.g. `Value("IfcLabel", "A-01")`."""

    kind: str
    value: object


Attribute: TypeAlias = object  # None, bool, int, float, str, Ref, Value or a tuple or list of these

_SCHEMA = "IFC4"


class _Layout(NamedTuple):
    """How a class is written: its keyword, attribute names in file order, which are enumerations, which derived."""

    keyword: str
    names: tuple[str, ...]
    enumerations: tuple[int, ...]
    derived: tuple[int, ...]


@cache
def _layout(ifc_class: str) -> _Layout:
    declaration = ifcopenshell.schema_by_name(_SCHEMA).declaration_by_name(ifc_class).as_entity()
    if declaration is None:
        raise ValueError(f"{ifc_class} is no entity of {_SCHEMA}")
    attributes = declaration.all_attributes()
    enumerations = []
    for index, attribute in enumerate(attributes):
        named = attribute.type_of_attribute().as_named_type()
        if named is not None and named.declared_type().as_enumeration_type() is not None:
            enumerations.append(index)
    derived = [index for index, flag in enumerate(declaration.derived()) if flag]
    return _Layout(ifc_class.upper(), tuple(a.name() for a in attributes), tuple(enumerations), tuple(derived))


def _real(value: float) -> str:
    text = f"{value:.6f}".rstrip("0")
    return "0." if text == "-0." else text


@lru_cache(maxsize=65536)
def _text(value: str) -> str:
    """Encode as ISO 10303-21 string: quotes and backslashes doubled, other than ASCII as UTF-16 in \\X2\\…\\X0\\."""
    if value.isascii():
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    out: list[str] = []
    wide: list[str] = []
    for char in value:
        if " " <= char <= "~":
            if wide:
                out.append("\\X2\\" + "".join(wide) + "\\X0\\")
                wide.clear()
            out.append(char * 2 if char in "'\\" else char)
        else:
            wide.append(char.encode("utf-16-be").hex().upper())
    if wide:
        out.append("\\X2\\" + "".join(wide) + "\\X0\\")
    return "'" + "".join(out) + "'"


def _sequence(values: tuple[Attribute, ...] | list[Attribute]) -> str:
    return "(" + ",".join([_encode(v) for v in values]) + ")"


_ENCODERS: dict[type, Callable[..., str]] = {
    type(None): lambda _: "$",
    bool: lambda v: ".T." if v else ".F.",
    int: str,
    Ref: lambda v: f"#{int(v)}",
    float: _real,
    str: _text,
    tuple: _sequence,
    list: _sequence,
    Value: lambda v: f"{v.kind.upper()}({_encode(v.value)})",
}


def _encode(value: Attribute) -> str:
    return _ENCODERS[type(value)](value)


class StepFile:
    """An IFC4 file being written. Entities may only refer to earlier ones, which the caller has by their `Ref`."""

    def __init__(self, stream: TextIO, *, name: str, timestamp: str, application: str) -> None:
        self._stream = stream
        self._count = 0
        self._lines: list[str] = []
        self._shared: dict[tuple[object, ...], Ref] = {}
        stream.write(
            "ISO-10303-21;\nHEADER;\n"
            "FILE_DESCRIPTION(('ViewDefinition [DesignTransferView]'),'2;1');\n"
            f"FILE_NAME({_text(name)},'{timestamp}',(''),(''),{_text(application)},{_text(application)},'');\n"
            f"FILE_SCHEMA(('{_SCHEMA}'));\nENDSEC;\nDATA;\n"
        )

    @property
    def count(self) -> int:
        """Entities written so far."""
        return self._count

    def add(self, ifc_class: str, *values: Attribute, **named: Attribute) -> Ref:
        """Write one entity, attributes by position, by name, or both; enumerations are given as plain strings."""
        keyword, names, enumerations, derived = _layout(ifc_class)
        parts = [_encode(v) for v in values]
        if named:
            parts += [_encode(named.pop(n, None)) for n in names[len(values) :]]
            if named:
                raise TypeError(f"{ifc_class} has no attribute {', '.join(named)}")
        else:
            parts += ["$"] * (len(names) - len(parts))
        for index in enumerations:
            if parts[index] != "$":
                parts[index] = f".{parts[index][1:-1]}."
        for index in derived:
            parts[index] = "*"
        self._count += 1
        self._lines.append(f"#{self._count}={keyword}({','.join(parts)});\n")
        if len(self._lines) > 20_000:
            self._flush()
        return Ref(self._count)

    def share(self, ifc_class: str, *values: Attribute) -> Ref:
        """Return the entity with exactly these attributes, written on first use. `values` must be hashable."""
        key = (ifc_class, values)
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self.add(ifc_class, *values)
        return found

    def close(self) -> None:
        """Write the end marker; the stream stays open."""
        self._flush()
        self._stream.write("ENDSEC;\nEND-ISO-10303-21;\n")

    def _flush(self) -> None:
        self._stream.writelines(self._lines)
        self._lines.clear()
