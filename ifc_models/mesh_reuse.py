"""What a new version of a file need not mesh again: products none of whose geometry the new file says differently.

Most tools that edit a file keep its STEP ids. Then the lines that differ from the previous version's file are quickly
found, and what stands on them is found by following the references backwards; every other product has the mesh it
had, and one that only stands elsewhere has it there. A file that was numbered anew differs everywhere and is meshed
whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ifcopenshell
import numpy as np
from ifcopenshell import entity_instance as Entity

from ifc_models.extract import MeshArrays
from ifc_models.mesh_kept import Kept, joined_arrays
from ifc_models.mesh_plan import voided
from ifc_models.placed_before import Floats, Placements
from ifc_models.units import Units

WORTHWHILE: Final = 0.5  # of the lines or products: where more differ, everything is meshed

_STEPS: Final = 20_000  # records that differ, after which the rest is compared as sets
_APART: Final = 1e-9  # of a matrix, m: what moves otherwise than its openings
_END: Final = b";\n"
_RECORD: Final = re.compile(rb"#(\d+)\s*=\s*(\w+)\s*\(")
_REFERENCE: Final = re.compile(rb"#(\d+)")
_EVERYWHERE: Final = ("UNIT", "IFCPROJECT", "IFCMEASUREWITHUNIT", "IFCDIMENSIONALEXPONENTS")
_OUTWARD: Final = {
    "IfcStyledItem": (0,),
    "IfcIndexedColourMap": (0,),
    "IfcMaterialDefinitionRepresentation": (3,),
}
"""Entities that change what they refer to: class → attributes that name it."""
_RELATIONS: Final = {"IfcRelVoidsElement": (4,), "IfcRelAssociatesMaterial": (4,), "IfcRelDefinesByType": (4,)}
"""Relations that change how products look: class → attributes that name these."""


class TooMuch(Exception):
    """So much differs that meshing everything is quicker."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs from the file before. `moved`: STEP id → how far, a (4, 4) matrix in the world, m."""

    products: set[int]  # STEP ids of those whose mesh or colour may differ
    moved: dict[int, Floats]  # of those that only stand elsewhere


def changed_products(path: Path, file: ifcopenshell.file, before: Path) -> Changed:
    """The products whose mesh, colour or place may differ from the file `before`. Raises TooMuch."""
    differing, gone = differing_records(_data(path), _data(before))
    follower = _Follower(file)
    was = _by_id(gone)
    for number, (name, text) in _by_id(differing).items():
        if any(part in name for part in _EVERYWHERE):
            raise TooMuch
        follower.changed(number, text, was.get(number))
    follower.gone(text for number, (_, text) in was.items())
    products, elsewhere = follower.products()
    if not elsewhere:
        return Changed(products, {})
    return _moved(file, products, elsewhere, {number: text for number, (_, text) in was.items()})


def _moved(file: ifcopenshell.file, products: set[int], elsewhere: set[int], was: dict[int, bytes]) -> Changed:
    """Those whose placement differs, with how far they are from where they were. A body moves with all that opens it,
    or has another shape."""
    unit = Units(file).length_scale
    old, new = Placements(file, unit, was), Placements(file, unit, {})
    ways: dict[int, Floats] = {}
    for step_id in elsewhere - products:
        placement = file.by_id(step_id)[5]
        there, here = old.matrix(placement.id()), new.matrix(placement.id())
        if there is None or here is None:
            products = products | {step_id}
        else:
            ways[step_id] = here @ np.linalg.inv(there)
    still = np.eye(4)
    for step_id, openings in voided(file).items():
        way = ways.get(step_id, still)
        if any(np.abs(ways.get(i, still) - way).max() > _APART for i in openings):
            products = products | {step_id}
    return Changed(products, {step_id: way for step_id, way in ways.items() if step_id not in products})


def _data(path: Path) -> bytes:
    """The instances of a STEP file as text; what a line break splits oddly differs as a whole."""
    _, _, data = path.read_bytes().partition(b"DATA;")
    return data.replace(b"\r\n", b"\n")


def differing_records(new: bytes, old: bytes) -> tuple[set[bytes], set[bytes]]:
    """The records of `new` that are not in `old`, and of `old` that are not in `new`. Raises TooMuch.

    Both are walked side by side: what is equal is compared as bytes, a hundred times quicker than record by record.
    Where they drift apart, as files do whose records stand in another order, all records are compared.
    """
    come, gone = set[bytes](), set[bytes]()
    at, was_at = 0, 0
    for _ in range(_STEPS):
        equal = _equal_bytes(new, at, old, was_at)
        start = new.rfind(_END, at, at + equal) + len(_END) if equal >= len(_END) else 0
        skip = max(start - at, 0)  # both go on at the start of the first record that differs
        at, was_at = at + skip, was_at + skip
        if at >= len(new) or was_at >= len(old):
            come.update(new[at:].split(_END))
            gone.update(old[was_at:].split(_END))
            return _worthwhile(come - gone, sum(map(len, come)), len(new)), gone - come
        record, was = _record(new, at), _record(old, was_at)
        number, was_number = _number(record), _number(was)
        if number <= was_number:  # changed, or new: the old file's next one has a greater number
            come.add(record)
            at += len(record) + len(_END)
        if number >= was_number:
            gone.add(was)
            was_at += len(was) + len(_END)
    every, every_old = set(new.split(_END)), set(old.split(_END))
    return _worthwhile(every - every_old, len(every - every_old), len(every)), every_old - every


def _worthwhile(records: set[bytes], count: int, of: int) -> set[bytes]:
    if count > WORTHWHILE * max(of, 1):
        raise TooMuch
    return records


def _equal_bytes(new: bytes, at: int, old: bytes, was_at: int) -> int:
    """How many bytes are equal from there on."""
    length, found, window = min(len(new) - at, len(old) - was_at), 0, 1 << 10
    one, other = np.frombuffer(new, np.uint8), np.frombuffer(old, np.uint8)
    while found < length:
        size = min(window, length - found)
        differs = one[at + found : at + found + size] != other[was_at + found : was_at + found + size]
        first = int(differs.argmax())
        if differs[first]:
            return found + first
        found, window = found + size, min(window * 4, 1 << 22)
    return found


def _record(data: bytes, at: int) -> bytes:
    end = data.find(_END, at)
    return data[at:] if end < 0 else data[at:end]


def _number(record: bytes) -> int:
    """An instance's number; what is no instance stands behind all."""
    match = _RECORD.match(record.lstrip())
    return sys.maxsize if match is None else int(match[1])


def _by_id(records: Iterable[bytes]) -> dict[int, tuple[str, bytes]]:
    found: dict[int, tuple[str, bytes]] = {}
    for record in records:
        text = record.strip()
        match = _RECORD.match(text)
        if match is not None:
            found[int(match[1])] = (match[2].decode().upper(), text)
        elif text and not text.startswith((b"ENDSEC", b"END-ISO")):
            raise TooMuch  # not one instance a line: nothing can be told
    return found


class _Follower:
    """Follows references backwards from what differs to the products that stand on it."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self._file = file
        self._seen: set[int] = set()
        self._products: set[int] = set()
        self._elsewhere: set[int] = set()
        self._total = len(file.by_type("IfcProduct"))
        self._pending: list[Entity] = []

    def changed(self, number: int, text: bytes, was: tuple[str, bytes] | None) -> None:
        """An instance is new or says something else."""
        entity = self._file.by_id(number)
        if entity.is_a("IfcProduct"):
            if was is None or _REFERENCE.findall(text)[1:] != _REFERENCE.findall(was[1])[1:]:
                self._product(entity)
        elif entity.is_a("IfcRoot"):
            self._relation(entity)
        elif not entity.is_a("IfcOwnerHistory"):
            self._pending.append(entity)

    def gone(self, records: Iterable[bytes]) -> None:
        """What instances of the old file that are no more, or say something else now, referred to looks different."""
        names = tuple(name.upper().encode() for name in (*_OUTWARD, *_RELATIONS))
        for text in records:
            if _RECORD.match(text)[2].upper() in names:  # type: ignore[index]
                for number in _REFERENCE.findall(text)[1:]:
                    entity = _find(self._file, int(number))
                    if entity is not None and entity.is_a("IfcProduct"):
                        self._product(entity)
                    elif entity is not None and entity.is_a("IfcRepresentationItem"):
                        self._pending.append(entity)

    def products(self) -> tuple[set[int], set[int]]:
        """All products that what differs leads to; and those that it leads to by where they stand. Raises TooMuch."""
        while self._pending:
            entity = self._pending.pop()
            if entity.id() in self._seen:
                continue
            self._seen.add(entity.id())
            self._outward(entity)
            for user in self._file.get_inverse(entity):
                if user.is_a("IfcProduct"):
                    if user[5] == entity:
                        self._elsewhere.add(user.id())
                    else:
                        self._product(user)
                elif user.is_a("IfcRoot"):
                    self._relation(user)
                elif not user.is_a("IfcOwnerHistory"):
                    self._pending.append(user)
            if len(self._products) > WORTHWHILE * self._total:
                raise TooMuch
        return self._products, self._elsewhere

    def _outward(self, entity: Entity) -> None:
        for name, attributes in _OUTWARD.items():
            if entity.is_a(name):
                self._pending += [entity[at] for at in attributes if isinstance(entity[at], Entity)]

    def _relation(self, relation: Entity) -> None:
        for name, attributes in _RELATIONS.items():
            if relation.is_a(name):
                for at in attributes:
                    value = relation[at]
                    for each in value if isinstance(value, tuple) else (value,):
                        if isinstance(each, Entity) and each.is_a("IfcProduct"):
                            self._product(each)

    def _product(self, product: Entity) -> None:
        """Its mesh may differ; so do the parts of a whole with another opening, and the wall that an opening cuts."""
        if product.id() in self._products:
            return
        self._products.add(product.id())
        for relation in self._file.get_inverse(product):
            if relation.is_a("IfcRelVoidsElement") and relation[5] == product:
                self._product(relation[4])
            elif relation.is_a("IfcRelAggregates") and relation[4] == product and product.is_a("IfcElement"):
                for part in relation[5]:
                    self._product(part)


def _find(file: ifcopenshell.file, number: int) -> Entity | None:
    try:
        return file.by_id(number)
    except RuntimeError:
        return None


def join(out: Path, kept: Kept, changed: Changed, products: set[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Add the kept meshes of other products to what was meshed into `out`, those that moved where they are now; their
    rungs and notes by STEP id."""
    step_ids = np.load(out / "instance_step_id.npy")
    new = MeshArrays(
        *(step_ids if n == "instance_element" else np.load(out / f"{n}.npy") for n in MeshArrays.__slots__)
    )
    unchanged = products - changed.products
    for row in np.flatnonzero(np.isin(kept.mesh.instance_element, list(changed.moved))).tolist():
        kept.mesh.instance_matrix[row] = (
            changed.moved[int(kept.mesh.instance_element[row])] @ kept.mesh.instance_matrix[row]
        )
    chosen = np.isin(kept.mesh.instance_element, np.fromiter(unchanged, np.uint32, len(unchanged)))
    joined = joined_arrays(kept.mesh, chosen, new)
    for name in MeshArrays.__slots__:
        target = "instance_step_id" if name == "instance_element" else name
        np.save(out / f"{target}.npy", getattr(joined, name), allow_pickle=False)
    return _only(kept.rung, unchanged), _only(kept.note, unchanged)


def _only(table: Mapping[int, str], ids: set[int]) -> dict[int, str]:
    return {number: value for number, value in table.items() if number in ids}
