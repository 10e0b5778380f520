"""A model's original file with what the twin knows added: properties, points, assets, documents, classifications.

Nothing of the original is written anew: its text is copied byte for byte and the additions stand before the end of its
data section, so a difference shows additions only. GlobalIds of additions are made from what they stand for, so the
next export has the same ones.
"""

import math
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import ifcopenshell
import msgspec

from ifc_models.enrichment import Additions, Enrichment, Scalar
from ifc_models.findings import Findings
from ifc_models.text import clean_or_none
from twin.errors import Invalid

MAX_ID: Final = 2**31 - 1
_TAIL: Final = 1 << 22
_SPACE: Final = UUID("6d4c1a52-6d5b-4b7e-9d36-0f1f2a9f7a31")  # of GlobalIds made from names


def load_enrichment(path: Path) -> Enrichment:
    """Read what the server wrote for the worker."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Enrichment)


def enrich_file(path: Path, file: ifcopenshell.file, what: Enrichment, out: Path) -> dict[str, Any]:
    """Write the file at `path`, opened as `file`, with the additions to `out`; how much was added.

    Raises Invalid where the result would not be a file that opens with exactly the additions.
    """
    writer = _Writer(file, what.seed)
    missing = 0
    known = _step_ids(file)
    for each in what.elements:
        product = known.get((each.global_id, each.occurrence))
        if product is None:
            missing += 1
        else:
            writer.add(product, each)
    text = writer.finish()
    _insert(path, out, text)
    _verify(file, out, writer.written)
    return {"elements": len(what.elements) - missing, "missing": missing, "entities": writer.written}


def _step_ids(file: ifcopenshell.file) -> dict[tuple[str, int], int]:
    """(GlobalId, occurrence), as the database knows products, → STEP id."""
    from ifc_models.read import GlobalIds

    ids = GlobalIds(Findings())
    found: dict[tuple[str, int], int] = {}
    products = {product.id(): product for product in file.by_type("IfcProduct")}
    for key in sorted(products):
        product = products[key]
        found[ids.take(product, product.is_a(), clean_or_none(product.get_argument(2)))] = key
    return found


class _Writer:
    """Makes STEP lines with numbers beyond those of the file."""

    def __init__(self, file: ifcopenshell.file, seed: str) -> None:
        self._file, self._seed = file, seed
        self._old = file.schema == "IFC2X3"
        self._last = max(file.entity_names(), default=0)
        self._lines: list[str] = []
        self._taken = {entity.get_argument(0) for entity in file.by_type("IfcRoot")}
        self._owner: str | None = None
        self._systems: dict[str, int] = {}
        self._references: dict[tuple[str, str], tuple[int, list[int]]] = {}
        self._documents: dict[tuple[str, ...], tuple[int, list[int]]] = {}
        self.written = 0

    def add(self, product: int, what: Additions) -> None:
        """The additions of one product."""
        for name, properties in what.psets.items():
            values = [self._line(f"IFCPROPERTYSINGLEVALUE({_text(k)},$,{_value(v)},$)") for k, v in properties.items()]
            if values:
                pset = self._rooted(
                    "IFCPROPERTYSET", f"{what.global_id}/{what.occurrence}/{name}", f"{_text(name)},$,({_refs(values)})"
                )
                self._relate("IFCRELDEFINESBYPROPERTIES", f"{what.global_id}/{what.occurrence}/{name}", [product], pset)
        for document in what.documents:
            key = (document.location or "", document.identification or "", document.name or "")
            if key not in self._documents:
                self._documents[key] = (self._document(*key), [])
            self._documents[key][1].append(product)
        for system, code in what.classifications:
            if (system, code) not in self._references:
                self._references[system, code] = (self._reference(system, code), [])
            self._references[system, code][1].append(product)

    def finish(self) -> bytes:
        """The lines, relations of documents and classifications included."""
        for key, (document, products) in self._documents.items():
            self._relate("IFCRELASSOCIATESDOCUMENT", "/".join(key), products, document)
        for names, (reference, products) in self._references.items():
            self._relate("IFCRELASSOCIATESCLASSIFICATION", "/".join(names), products, reference)
        if self._last > MAX_ID:
            raise Invalid("ifc.id_too_large", where="DATA", id=self._last)
        return "".join(self._lines).encode("ascii")

    def _line(self, text: str) -> int:
        self._last += 1
        self.written += 1
        self._lines.append(f"#{self._last}={text};\n")
        return self._last

    def _rooted(self, ifc_class: str, name: str, rest: str) -> int:
        owner = self._owner_history()
        return self._line(f"{ifc_class}('{self._global_id(ifc_class, name)}',{owner},{rest})")

    def _relate(self, ifc_class: str, name: str, products: list[int], target: int) -> None:
        self._rooted(ifc_class, name, f"$,$,({_refs(dict.fromkeys(products))}),#{target}")

    def _global_id(self, ifc_class: str, name: str) -> str:
        for n in range(1_000_000):
            made = str(ifcopenshell.guid.compress(uuid5(_SPACE, f"{self._seed}/{ifc_class}/{name}/{n}").hex))
            if made not in self._taken:
                self._taken.add(made)
                return made
        raise AssertionError("no GlobalId is free")

    def _owner_history(self) -> str:
        """IFC2X3 demands one: the file's first, or one of ours."""
        if not self._old:
            return "$"
        if self._owner is None:
            own = next(iter(self._file.by_type("IfcOwnerHistory")), None)
            self._owner = f"#{own.id() if own is not None else self._make_owner()}"
        return self._owner

    def _make_owner(self) -> int:
        person = self._line("IFCPERSON($,$,'Twin',$,$,$,$,$)")
        organization = self._line("IFCORGANIZATION($,'Twin',$,$,$)")
        both = self._line(f"IFCPERSONANDORGANIZATION(#{person},#{organization},$)")
        application = self._line(f"IFCAPPLICATION(#{organization},'1','Twin','Twin')")
        return self._line(f"IFCOWNERHISTORY(#{both},#{application},$,.NOCHANGE.,$,$,$,0)")

    def _document(self, location: str, identification: str, name: str) -> int:
        given = ",".join(_text(text) if text else "$" for text in (location, identification, name))
        return self._line(f"IFCDOCUMENTREFERENCE({given})" if self._old else f"IFCDOCUMENTREFERENCE({given},$,$)")

    def _reference(self, system: str, code: str) -> int:
        if system not in self._systems:
            rest = f"$,{_text(system)}" + ("" if self._old else ",$,$,$")
            self._systems[system] = self._line(f"IFCCLASSIFICATION({_text(system)},'',{rest})")
        rest = "" if self._old else ",$,$"
        return self._line(f"IFCCLASSIFICATIONREFERENCE($,{_text(code)},{_text(code)},#{self._systems[system]}{rest})")


def _refs(ids: Iterable[int]) -> str:
    return ",".join(f"#{each}" for each in ids)


def _text(text: str) -> str:
    """A STEP string, in quotes; everything but plain ASCII escaped (ISO 10303-21, 6.4.3)."""
    made = []
    for c in text:
        if c == "'":
            made.append("''")
        elif c == "\\":
            made.append("\\\\")
        elif " " <= c <= "~":
            made.append(c)
        else:
            made.append(f"\\X2\\{ord(c):04X}\\X0\\" if ord(c) < 0x10000 else f"\\X4\\{ord(c):08X}\\X0\\")
    return "'" + "".join(made) + "'"


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return f"IFCBOOLEAN(.{'T' if value else 'F'}.)"
    if isinstance(value, int):
        return f"IFCINTEGER({value})" if abs(value) <= MAX_ID else f"IFCREAL({float(value)!r})"
    if isinstance(value, float) and math.isfinite(value):
        mantissa, e, exponent = repr(value).partition("e")
        return f"IFCREAL({mantissa if '.' in mantissa else mantissa + '.'}{'E' + exponent if e else ''})"
    return f"IFCTEXT({_text(str(value))})"


def _insert(path: Path, out: Path, text: bytes) -> None:
    """Copy `path` to `out` with `text` before the ENDSEC of its last data section."""
    size = path.stat().st_size
    with path.open("rb") as source:
        begin = max(0, size - _TAIL)
        source.seek(begin)
        tail = source.read()
        end = tail.upper().rfind(b"ENDSEC", 0, tail.upper().rfind(b"END-ISO-10303-21"))
        if end < 0:
            raise Invalid("ifc.truncated", where=f"byte {size}")
        source.seek(0)
        with out.open("wb") as target:
            _copy(source.read, target.write, begin + end)
            target.write(text)
            source.seek(begin + end)
            shutil.copyfileobj(source, target, 1 << 20)


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], int], count: int) -> None:
    while count:
        chunk = read(min(count, 1 << 20))
        count -= len(chunk)
        write(chunk)


def _verify(before: ifcopenshell.file, out: Path, written: int) -> None:
    """The result opens and holds what was there and what was added, no more and no less."""
    after = ifcopenshell.open(out, format=".ifc", lazy=True)
    there = len(after.entity_names())
    if there != len(before.entity_names()) + written:
        raise Invalid("export.incomplete", where=out.name, expected=len(before.entity_names()) + written, found=there)
