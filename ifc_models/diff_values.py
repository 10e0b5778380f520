"""The values that differ between two contents of an element, as people read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from twin.db import Conn, rows


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changed. `set` is a property or quantity set, or empty for what the element says itself."""

    change: str
    set: str
    name: str
    before: Any
    after: Any


_SAID: Final = (
    "predefined_type",
    "name",
    "long_name",
    "description",
    "object_type",
    "tag",
    "elevation",
)
_SETS: Final = ("psets", "quantities")
_LISTS: Final = ("materials", "classifications", "documents")
COMPARED: Final[tuple[LiteralString, ...]] = (
    "predefined_type", "name", "long_name", "description", "object_type", "tag", "elevation", "attributes", "psets",
    "quantities", "materials", "classifications", "documents", "ifc_class", "type_id", "parent_id", "storey_id",
    "space_id", "shape_measure", "geometry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What ids on a page are called."""

    elements: Mapping[UUID, str]
    storeys: Mapping[UUID, str]
    types: Mapping[UUID, str]

    @classmethod
    async def of(cls, conn: Conn, found: Sequence[Mapping[str, Any]]) -> "Names":
        def ids(*columns: str) -> list[UUID]:
            return list({each[c] for each in found for c in columns if each[c] is not None})

        elements = ids("a_parent_id", "b_parent_id", "a_space_id", "b_space_id")
        return cls(
            await _named(conn, "SELECT id, coalesce(long_name, name, global_id) AS name FROM element", elements),
            await _named(conn, "SELECT id, name FROM storey", ids("a_storey_id", "b_storey_id")),
            await _named(
                conn, "SELECT id, coalesce(name, global_id) AS name FROM element_type", ids("a_type_id", "b_type_id")
            ),
        )


async def _named(conn: Conn, query: LiteralString, ids: list[UUID]) -> dict[UUID, str]:
    return {each["id"]: each["name"] for each in await rows(conn, query + " WHERE id = ANY(%s)", (ids,))} if ids else {}


def differences(found: Mapping[str, Any], names: Names) -> Iterator[Difference]:
    """Each value that changed; `found` has the columns `COMPARED` twice, as `a_…` (before) and `b_…` (after)."""
    changes = found["changes"]
    if "global_id" in changes:
        yield Difference("global_id", "", "global_id", found["old_global_id"], found["global_id"])
    if "properties" in changes:
        yield from _of_properties(found)
    if "type" in changes:
        yield from _one("type", "", "ifc_class", found["a_ifc_class"], found["b_ifc_class"])
        before, after = names.types.get(found["a_type_id"]), names.types.get(found["b_type_id"])
        yield Difference("type", "", "type", before, after)
    if "containment" in changes:
        yield from _of_containment(found, names)
    if "shape" in changes:
        yield from _of_shape(found["a_shape_measure"], found["b_shape_measure"])


def _of_properties(found: Mapping[str, Any]) -> Iterator[Difference]:
    for name in _SAID:
        yield from _one("properties", "", name, found[f"a_{name}"], found[f"b_{name}"])
    before, after = found["a_attributes"], found["b_attributes"]
    for name in sorted(before.keys() | after.keys()):
        yield from _one("properties", "", name, _plain(before.get(name)), _plain(after.get(name)))
    for column in _SETS:
        yield from _of_sets(found[f"a_{column}"], found[f"b_{column}"])
    for name in _LISTS:
        yield from _one("properties", "", name, found[f"a_{name}"], found[f"b_{name}"])


def _of_containment(found: Mapping[str, Any], names: Names) -> Iterator[Difference]:
    for name, table in (("storey", names.storeys), ("space", names.elements), ("parent", names.elements)):
        a, b = found[f"a_{name}_id"], found[f"b_{name}_id"]
        if a != b:
            yield Difference("containment", "", name, table.get(a), table.get(b))


def _one(change: str, set_: str, name: str, before: Any, after: Any) -> Iterator[Difference]:
    if before != after:
        yield Difference(change, set_, name, before, after)


def _of_sets(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for set_ in sorted(before.keys() | after.keys()):
        a, b = before.get(set_, {}), after.get(set_, {})
        for name in sorted(a.keys() | b.keys()):
            yield from _one("properties", set_, name, _plain(a.get(name)), _plain(b.get(name)))


def _plain(entry: Any) -> Any:
    """A property's value with its unit as people read it."""
    if isinstance(entry, dict) and "value" in entry:
        return f"{entry['value']} {entry['unit']}" if entry.get("unit") else entry["value"]
    return entry


_MEASURES: Final = ("area", "volume", "extent_x", "extent_y", "extent_z")


def _of_shape(before: Sequence[float] | None, after: Sequence[float] | None) -> Iterator[Difference]:
    for at, name in enumerate(_MEASURES):
        a = round(before[at], 4) if before else None
        b = round(after[at], 4) if after else None
        yield from _one("shape", "", name, a, b)
