"""An opened IFC file → `Extract`: every product, type and group with what is said about them.

Runs in the worker only. Each entity is visited once and its JSON made there; see `relations` for the edges,
`properties` for psets and quantities, `placements` for matrices, `findings` for what is wrong with the file.
"""

import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

import ifcopenshell
from ifcopenshell import entity_instance as Entity

from ifc_models import findings, georeference
from ifc_models.associations import Associations
from ifc_models.check import Prepared
from ifc_models.extract import ElementEntry, Extract, GroupEntry, Header, Relation, StoreyEntry, TypeEntry
from ifc_models.mesh_plan import body_representations
from ifc_models.model_checks import ReadModel, check_structure
from ifc_models.opening import OpenedFile
from ifc_models.placements import Placements
from ifc_models.properties import Properties, describe, plain
from ifc_models.relations import read_relations
from ifc_models.schema import ClassInfo, Schema
from ifc_models.text import Json, clean_or_none, to_json
from ifc_models.units import Units

REPORT_EVERY: Final = 500  # products
_ROOM: Final = "IfcSpace"
_STOREY: Final = "IfcBuildingStorey"


class _Reader:
    """The state of one reading: what is looked up again and again."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self.file = file
        self.schema = Schema(file.schema_identifier)
        self.units = Units(file)
        self.properties = Properties(self.units, self.schema)
        self.associations = Associations(self.units)
        self.findings = findings.Findings()
        self.products: list[Any] = sorted(file.by_type("IfcProduct"), key=_step_id)
        self.index: dict[int, int] = {}
        for i, product in enumerate(self.products):
            self.index.setdefault(product.id(), i)
        ports = frozenset(port.id() for port in self.schema.instances(file, "IfcPort"))
        self.related = read_relations(file, self.schema, self.index, ports)
        self._infos: dict[str, ClassInfo] = {}

    def attributes(self, entity: Entity, info: ClassInfo) -> bytes:
        """The class's other direct attributes as `{name: {value, type?, unit?}}`; JSON."""
        result: dict[str, Json] = {}
        for position, name, measure in info.others:
            value = entity.get_argument(position)
            if value is None:
                continue
            entry = self._attribute(value, measure)
            if entry is not None:
                result[name] = entry
        return to_json(result) if result else b"{}"

    def _attribute(self, value: Any, measure: str | None) -> dict[str, Json] | None:
        kind = value.__class__
        if kind is tuple and any(isinstance(v, Entity) for v in value):
            return None
        if isinstance(value, Entity) and value.id():
            return {"value": describe(value)} if value.is_a() in _ADDRESSES else None
        shown = plain(value)
        if shown is None:
            return None
        entry: dict[str, Json] = {"value": shown}
        if measure is not None and measure.endswith("Measure"):
            entry["type"] = measure
            unit = self.units.of_measure(measure)
            if unit:
                entry["unit"] = unit
        return entry

    def described(self, key: int) -> tuple[bytes, bytes, bytes]:
        """Materials, classifications and documents of the object with this STEP id; JSON lists."""
        related, json = self.related, self.associations.json
        materials, classes, documents = (
            related.materials.get(key),
            related.classifications.get(key),
            related.documents.get(key),
        )
        return (
            json(materials) if materials else b"[]",
            json(classes) if classes else b"[]",
            json(documents) if documents else b"[]",
        )


_ADDRESSES: Final = frozenset(("IfcPostalAddress", "IfcTelecomAddress"))


def _step_id(entity: Entity) -> int:
    return int(entity.id())


class GlobalIds:
    """Hands out (GlobalId, occurrence): a repeated one is counted, a missing one is made from what it stands for."""

    def __init__(self, found: findings.Findings) -> None:
        self._seen: Counter[str] = Counter()
        self._findings = found

    def take(self, entity: Entity, ifc_class: str, name: str | None) -> tuple[str, int]:
        """The GlobalId to know `entity` by and how many before it had the same."""
        raw = entity.get_argument(0)
        if isinstance(raw, str) and raw:
            global_id = clean_or_none(raw) or ""
        else:
            digest = blake2b(f"{ifc_class}\0{name}".encode("utf-8", "replace"), digest_size=16).hexdigest()
            global_id = str(ifcopenshell.guid.compress(digest))
            self._findings.add("ifc.global_id_missing", f"#{entity.id()}")
        occurrence = self._seen[global_id]
        self._seen[global_id] += 1
        if occurrence:
            self._findings.add("ifc.global_id_repeated", global_id)
        elif not findings.is_global_id(global_id):
            self._findings.add("ifc.global_id_malformed", global_id)
        return global_id, occurrence


def read_model(
    opened: OpenedFile,
    prepared: Prepared,
    file_name: str,
    size: int,
    report: Callable[[int, int], None] | None = None,
) -> Extract:
    """Read everything but meshes. `file_name` and `size` (bytes) are those of the file as uploaded.

    `report(done, total)` counts products: all that is said about one is read at once.
    """
    started = time.perf_counter()
    reader = _Reader(opened.file)
    types, type_index = _read_types(reader)
    elements = _read_elements(reader, type_index, report)
    storeys = _place(reader, elements)
    groups = _read_groups(reader)
    opened.note(reader.findings)
    findings.check_model(reader.findings, opened.file, elements, storeys, reader.units, reader.related)
    declared = _declared_elevations(reader, elements)
    check_structure(
        reader.findings, ReadModel(opened.file, reader.schema, elements, storeys, groups, reader.related, declared)
    )
    _hash(elements, types)
    by_class = Counter(element.ifc_class for element in elements)
    return Extract(
        header=_header(reader, prepared.declared_schema, file_name, size, by_class),
        georeference=georeference.read(opened.file, reader.schema, reader.units),
        storeys=storeys,
        elements=elements,
        types=types,
        groups=groups,
        relations=[Relation(*edge) for edge in reader.related.edges],
        warnings=[*prepared.findings, *reader.findings.list()],
        class_ancestors={
            name: list(reader.schema.info(name).ancestors)
            for name in {*by_class, *(t.ifc_class for t in types), *(g.ifc_class for g in groups)}
        },
        seconds={"read": time.perf_counter() - started},
    )


def _header(reader: _Reader, declared: str, file_name: str, size: int, by_class: Counter[str]) -> Header:
    header = reader.file.header.file_name
    project = next(iter(reader.file.by_type("IfcProject")), None)
    elements = 0
    for name, n in by_class.items():
        ancestors = reader.schema.info(name).ancestors
        if "IfcElement" in ancestors and "IfcFeatureElementSubtraction" not in ancestors:
            elements += n
    return Header(
        schema=reader.file.schema_identifier,
        declared_schema=declared,
        file_name=file_name,
        bytes=size,
        application=_application(reader.file, header),
        timestamp=clean_or_none(header.time_stamp),
        project=clean_or_none(project.get_argument(2)) if project is not None else None,
        entities=len(reader.file.entity_names()),
        by_class=dict(sorted(by_class.items())),
        elements=elements,
        length_unit=reader.units.length_unit,
        length_scale=reader.units.length_scale,
    )


def _application(file: ifcopenshell.file, header: Any) -> str | None:
    for application in file.by_type("IfcApplication"):
        name, version = application.get_argument(2), application.get_argument(1)
        if name:
            return clean_or_none(f"{name} {version}" if version and version not in name else name)
    return clean_or_none(header.originating_system) or None


def _read_types(reader: _Reader) -> tuple[list[TypeEntry], dict[int, int]]:
    """All type objects and their index by STEP id."""
    types: list[TypeEntry] = []
    index: dict[int, int] = {}
    ids = GlobalIds(reader.findings)
    for entity in sorted(reader.schema.instances(reader.file, "IfcTypeObject"), key=_step_id):
        ifc_class, key, name = entity.is_a(), entity.id(), clean_or_none(entity.get_argument(2))
        global_id, occurrence = ids.take(entity, ifc_class, name)
        sets = [*(entity.get_argument(5) or ()), *reader.related.psets.get(key, ())]
        psets, quantities = reader.properties.of(sets)
        materials, classifications, documents = reader.described(key)
        info = reader.schema.info(ifc_class)
        index[key] = len(types)
        types.append(
            TypeEntry(
                global_id,
                ifc_class,
                occurrence,
                name,
                clean_or_none(entity.get_argument(3)),
                _type_attributes(reader, entity, info),
                psets,
                quantities,
                materials,
                classifications,
                documents,
            )
        )
    return types, index


def _type_attributes(reader: _Reader, entity: Entity, info: ClassInfo) -> bytes:
    """As for elements, with PredefinedType and Tag, which types have no columns for."""
    extra = tuple(
        (position, name, None)
        for position, name in ((info.predefined_type, "PredefinedType"), (info.tag, "Tag"))
        if position >= 0
    )
    return reader.attributes(entity, ClassInfo(info.name, info.ancestors, -1, -1, -1, (*extra, *info.others)))


def _read_elements(
    reader: _Reader, type_index: dict[int, int], report: Callable[[int, int], None] | None
) -> list[ElementEntry]:
    elements: list[ElementEntry] = []
    ids = GlobalIds(reader.findings)
    psets, related = reader.related.psets, reader.related
    type_predefined = _predefined_of_types(reader, type_index)
    for entity in reader.products:
        if report is not None and len(elements) % REPORT_EVERY == 0:
            report(len(elements), len(reader.products))
        ifc_class, key = entity.is_a(), entity.id()
        info = reader.schema.info(ifc_class)
        name = clean_or_none(entity.get_argument(2))
        global_id, occurrence = ids.take(entity, ifc_class, name)
        own, quantities = reader.properties.of(psets.get(key, []))
        materials, classifications, documents = reader.described(key)
        type_of = type_index.get(related.type_of.get(key, -1), -1)
        predefined = entity.get_argument(info.predefined_type) if info.predefined_type >= 0 else None
        if predefined is None or predefined == "NOTDEFINED":
            predefined = type_predefined.get(type_of) or predefined
        elements.append(
            ElementEntry(
                key,
                global_id,
                ifc_class,
                occurrence,
                clean_or_none(predefined),
                name,
                clean_or_none(entity.get_argument(info.long_name)) if info.long_name >= 0 else None,
                clean_or_none(entity.get_argument(3)),
                clean_or_none(entity.get_argument(4)),
                clean_or_none(entity.get_argument(info.tag)) if info.tag >= 0 else None,
                reader.attributes(entity, info),
                own,
                quantities,
                materials,
                classifications,
                documents,
                type_of,
                has_body=entity.get_argument(6) is not None and bool(body_representations(entity)),
            )
        )
    return elements


def _predefined_of_types(reader: _Reader, type_index: dict[int, int]) -> dict[int, str]:
    """Index of type → its predefined type, where that says something."""
    found: dict[int, str] = {}
    for key, i in type_index.items():
        entity = reader.file.by_id(key)
        position = reader.schema.info(entity.is_a()).predefined_type
        value = entity.get_argument(position) if position >= 0 else None
        if value is not None and value != "NOTDEFINED":
            found[i] = str(value)
    return found


def _place(reader: _Reader, elements: list[ElementEntry]) -> list[StoreyEntry]:
    """Fill in placement, parent, storey, space and elevation; the storeys from low to high."""
    placements = Placements(reader.units.length_scale)
    rows = [placements.add(entity.get_argument(5)) for entity in reader.products]
    placements.solve()
    matrices = placements.flat()
    parents = [reader.related.parent.get(i, -1) for i in range(len(elements))]
    for i, row in enumerate(rows):
        element = elements[i]
        if row >= 0:
            element.placement = matrices[row]
            element.unsafe = placements.chain_hazard(row)
        element.parent = parents[i]
    for i, (storey, space) in enumerate(_up(elements, parents)):
        elements[i].storey, elements[i].space = storey, space
    return _storeys(reader, elements)


def _up(elements: list[ElementEntry], parents: list[int]) -> list[tuple[int, int]]:
    """Storey and space of each element by the chain of its parents, without recursion; cycles lead nowhere."""
    known: dict[int, tuple[int, int]] = {-1: (-1, -1)}
    for start in range(len(elements)):
        path: list[int] = []
        on_path: set[int] = set()
        at = start
        while at not in known and at not in on_path:
            path.append(at)
            on_path.add(at)
            at = parents[at]
        storey, space = known.get(at, (-1, -1))
        above_is_room = at >= 0 and elements[at].ifc_class == _ROOM
        if above_is_room:
            space = at
        for row in reversed(path):
            if elements[row].ifc_class == _STOREY:
                storey = row
            known[row] = (storey, space)
            if elements[row].ifc_class == _ROOM:
                space = row
    return [known[i] for i in range(len(elements))]


def _storeys(reader: _Reader, elements: list[ElementEntry]) -> list[StoreyEntry]:
    """Storeys with elevations in the building frame.

    The placement counts, because geometry stands on it; only where it puts several storeys on one height and the
    attribute Elevation tells them apart, the attribute does.
    """
    declared = _declared_elevations(reader, elements)
    found: list[tuple[int, float | None, float | None]] = []
    for i, element in enumerate(elements):
        if element.ifc_class == _STOREY:
            found.append((i, element.placement[11] if element.placement else None, declared.get(i)))
    heights = {round(z, 3) for _, z, _ in found if z is not None}
    attributes = {round(a, 3) for _, _, a in found if a is not None}
    by_attribute = len(heights) < len(attributes)
    storeys: list[StoreyEntry] = []
    for i, z, attribute in found:
        first, second = (attribute, z) if by_attribute else (z, attribute)
        elevation = first if first is not None else second
        elements[i].elevation = elevation
        storeys.append(StoreyEntry(i, elements[i].name or elements[i].long_name or "", elevation))
    return sorted(storeys, key=lambda s: (s.elevation is None, s.elevation or 0.0, s.element))


def _declared_elevations(reader: _Reader, elements: list[ElementEntry]) -> dict[int, float]:
    """The attribute Elevation of the storeys that have one, m, by element index."""
    found: dict[int, float] = {}
    for i, element in enumerate(elements):
        if element.ifc_class == _STOREY:
            declared = reader.products[i].get_argument(9)
            if isinstance(declared, (int, float)):
                found[i] = float(declared) * reader.units.length_scale
    return found


def _read_groups(reader: _Reader) -> list[GroupEntry]:
    entities = sorted(reader.schema.instances(reader.file, "IfcGroup"), key=_step_id)
    index = {entity.id(): i for i, entity in enumerate(entities)}
    ids = GlobalIds(reader.findings)
    children = _group_parts(reader, index)
    groups: list[GroupEntry] = []
    for i, entity in enumerate(entities):
        ifc_class, key, name = entity.is_a(), entity.id(), clean_or_none(entity.get_argument(2))
        info = reader.schema.info(ifc_class)
        global_id, occurrence = ids.take(entity, ifc_class, name)
        members = dict.fromkeys(reader.related.members.get(key, ()))
        inner = {index[m] for m in members if m in index} | children.get(i, set())
        groups.append(
            GroupEntry(
                global_id,
                ifc_class,
                occurrence,
                clean_or_none(entity.get_argument(info.predefined_type)) if info.predefined_type >= 0 else None,
                name,
                clean_or_none(entity.get_argument(info.long_name)) if info.long_name >= 0 else None,
                clean_or_none(entity.get_argument(3)),
                reader.properties.of(reader.related.psets.get(key, []))[0],
                tuple(reader.index[m] for m in members if m in reader.index),
                tuple(sorted(inner - {i})),
                tuple(dict.fromkeys(reader.index[s] for s in reader.related.serves.get(key, ()) if s in reader.index)),
            )
        )
    return groups


def _group_parts(reader: _Reader, index: dict[int, int]) -> dict[int, set[int]]:
    """Groups that are parts of groups by IfcRelAggregates or IfcRelNests."""
    parts: dict[int, set[int]] = {}
    if index:
        for relation in reader.schema.instances(reader.file, "IfcRelDecomposes"):
            whole = relation.get_argument(4)
            if isinstance(whole, Entity) and whole.id() in index:
                inner = {index[p.id()] for p in relation.get_argument(5) or () if p.id() in index}
                parts.setdefault(index[whole.id()], set()).update(inner)
    return parts


def _hash(elements: list[ElementEntry], types: list[TypeEntry]) -> None:
    """Fill in `content_hash`: equal for two versions of an element that say the same."""
    type_hashes = [
        blake2b(
            b"\0".join(
                (
                    f"{t.ifc_class} {t.name}".encode(),
                    t.attributes,
                    t.psets,
                    t.quantities,
                    t.materials,
                    t.classifications,
                )
            ),
            digest_size=16,
        ).digest()
        for t in types
    ]
    known = [element.global_id.encode() for element in elements]
    for e in elements:
        said = (e.predefined_type, e.name, e.long_name, e.description, e.object_type, e.tag, e.elevation)
        where = [known[i] if i >= 0 else b"" for i in (e.parent, e.storey, e.space)]
        matrix = ",".join([f"{v:.6f}" for v in e.placement]) if e.placement else ""
        parts = [
            e.ifc_class.encode(),
            repr(said).encode(),
            e.attributes,
            e.psets,
            e.quantities,
            e.materials,
            e.classifications,
            e.documents,
            type_hashes[e.type] if e.type >= 0 else b"",
            *where,
            matrix.encode(),
        ]
        e.content_hash = blake2b(b"\0".join(parts), digest_size=16).digest()
