"""Rows of table `element`: which are new, which change, which say what they said before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ElementEntry, TypeEntry
from ifc_models.ordered_ids import ordered_ids
from ifc_models.version import ElementPlacement, NewVersion

COLUMNS: Final = {
    "id": "uuid",
    "model_id": "uuid",
    "building_id": "uuid",
    "global_id": "text",
    "occurrence": "int4",
    "ifc_class": "text",
    "predefined_type": "text",
    "name": "text",
    "long_name": "text",
    "description": "text",
    "object_type": "text",
    "tag": "text",
    "attributes": "jsonb",
    "psets": "jsonb",
    "quantities": "jsonb",
    "materials": "jsonb",
    "classifications": "jsonb",
    "documents": "jsonb",
    "type_id": "uuid",
    "type_hash": "bytea",
    "parent_id": "uuid",
    "storey_id": "uuid",
    "space_id": "uuid",
    "storey_derived": "bool",
    "space_derived": "bool",
    "elevation": "float8",
    "placement": "float8[]",
    "bbox": "float8[]",
    "geometry": "text",
    "geometry_note": "text",
    "shape_hash": "bytea",
    "shape_measure": "float8[]",
    "content_hash": "bytea",
    "since": "int4",
    "first_version": "int4",
    "last_version": "int4",
}
KEPT: Final = frozenset(("id", "model_id", "building_id", "first_version"))
"""Columns that an element's row keeps whatever a new version says."""

Known = dict[str, Any]  # a row of table element, some columns of it


@dataclass(slots=True)
class Diff:
    """Element indices by what the new version does to them."""

    ids: list[UUID]
    hashes: list[bytes]
    new: list[int] = field(default_factory=list)  # no row yet
    rewritten: list[int] = field(default_factory=list)  # a row whose columns change
    same: list[int] = field(default_factory=list)  # a row that only gets the new version's number
    renamed: list[tuple[UUID, str, int]] = field(default_factory=list)  # id, GlobalId and occurrence it had before


class ElementRows:
    """Compares the new elements with the known rows that they are, and makes rows of them."""

    def __init__(
        self,
        new: NewVersion,
        version: int,
        previous: int,
        storeys: dict[int, UUID],
        types: list[UUID],
        matches: Sequence[Known | None],
    ) -> None:
        self._new, self._version, self._types = new, version, types
        elements = new.extract.elements
        self._type_hashes = [_type_hash(entry) for entry in new.extract.types]
        self._geometry = {g.element: g for g in new.geometry}
        self._place(elements, new.placement)
        self._storey_ids = [storeys.get(i) for i in self._storey]
        self._first = [m["first_version"] if m else version for m in matches]
        fresh = iter(ordered_ids(sum(m is None for m in matches)))
        self.diff = Diff(
            [m["id"] if m else next(fresh) for m in matches], [self._hash(i, e) for i, e in enumerate(elements)]
        )
        for i, match in enumerate(matches):
            self._compare(i, match, previous)

    def _place(self, elements: Sequence[ElementEntry], placement: ElementPlacement | None) -> None:
        n = len(elements)
        if placement is None:
            self._storey = [i if e.ifc_class == "IfcBuildingStorey" else e.storey for i, e in enumerate(elements)]
            self._space = [e.space for e in elements]
            self._storey_derived = self._space_derived = [False] * n
        else:
            self._storey, self._space = placement.storey.tolist(), placement.space.tolist()
            self._storey_derived = placement.storey_derived.tolist()
            self._space_derived = placement.space_derived.tolist()

    def _hash(self, i: int, element: ElementEntry) -> bytes:
        geometry = self._geometry.get(i)
        seen = f"{geometry.rung} {geometry.note}" if geometry else ""
        return blake2b(element.content_hash + self._new.shapes.get(i, b"") + seen.encode(), digest_size=16).digest()

    def _compare(self, i: int, match: Known | None, previous: int) -> None:
        diff = self.diff
        if match is None:
            diff.new.append(i)
            return
        element = self._new.extract.elements[i]
        links = (*self._links(i), self._storey_derived[i], self._space_derived[i])
        was = tuple(match[c] for c in _LINKS)
        differs = match["content_hash"] != diff.hashes[i] or links != was
        key = (match["global_id"], match["occurrence"])
        if key != (element.global_id, element.occurrence):
            diff.renamed.append((match["id"], *key))
            differs = True
        # One that was gone and is back gets a new span of versions, though it says what it said.
        (diff.rewritten if differs or match["last_version"] != previous else diff.same).append(i)

    def _links(self, i: int) -> tuple[UUID | None, bytes | None, UUID | None, UUID | None, UUID | None]:
        """Type, hash of the type, parent, storey and space of an element."""
        element, ids = self._new.extract.elements[i], self.diff.ids
        return (
            self._types[element.type] if element.type >= 0 else None,
            self._type_hashes[element.type] if element.type >= 0 else None,
            ids[element.parent] if element.parent >= 0 else None,
            self._storey_ids[i],
            ids[self._space[i]] if self._space[i] >= 0 else None,
        )

    def rows(self, indices: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Rows in the order of `COLUMNS`."""
        new, diff = self._new, self.diff
        for i in indices:
            e, geometry = new.extract.elements[i], self._geometry.get(i)
            yield (
                diff.ids[i],
                new.model_id,
                new.building_id,
                e.global_id,
                e.occurrence,
                e.ifc_class,
                e.predefined_type,
                e.name,
                e.long_name,
                e.description,
                e.object_type,
                e.tag,
                e.attributes,
                e.psets,
                e.quantities,
                e.materials,
                e.classifications,
                e.documents,
                *self._links(i),
                self._storey_derived[i],
                self._space_derived[i],
                e.elevation,
                e.placement,
                _finite_row(new.boxes, i),
                geometry.rung if geometry else "none",
                geometry.note if geometry else None,
                new.shapes.get(i),
                _finite_row(new.measures, i),
                diff.hashes[i],
                self._version,
                self._first[i],
                self._version,
            )


_LINKS: Final = ("type_id", "type_hash", "parent_id", "storey_id", "space_id", "storey_derived", "space_derived")


def _type_hash(entry: TypeEntry) -> bytes:
    """16 bytes of what a type says of the elements that have it."""
    said = repr((entry.ifc_class, entry.name, entry.description)).encode()
    parts = (said, entry.attributes, entry.psets, entry.quantities, entry.materials, entry.classifications)
    return blake2b(b"\0".join((*parts, entry.documents)), digest_size=16).digest()


def _finite_row(table: NDArray[np.float64] | None, i: int) -> list[float] | None:
    """A row of a table as a list; None where it is not finite. One at a time: lists of numbers are large."""
    if table is None or not np.isfinite(table[i]).all():
        return None
    values: list[float] = table[i].tolist()
    return values
