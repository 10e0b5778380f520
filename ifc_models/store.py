"""Write one version of a model: everything the extract holds, in the caller's transaction.

Rows keep their ids: an element is known by (model, GlobalId) for ever, so points, assets, alarms and orders stay
bound. What the new version lacks keeps its row with an older `last_version`. Ids are handed out here, before the
rows are written, so that each table is written once and every reference is right the first time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString, Protocol
from uuid import UUID, uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCopy
from psycopg.types.json import Jsonb

from ifc_models.extract import ElementEntry, ElementGeometry, Extract
from ifc_models.models import lock_model
from twin.db import Conn, row, rows

SAME_LEVEL: Final = 0.1  # m; storeys of two models this close are the same storey
Key = tuple[str, int]  # GlobalId and occurrence


class Floor(Protocol):
    """What is stored of spatial.placement.Footprint."""

    @property
    def polygon(self) -> Any: ...
    @property
    def area(self) -> float: ...
    @property
    def height(self) -> float: ...


class Placed(Protocol):
    """What is stored of spatial.placement.Placement; arrays by element index, -1: none."""

    @property
    def storey(self) -> NDArray[np.int64]: ...
    @property
    def space(self) -> NDArray[np.int64]: ...
    @property
    def storey_derived(self) -> NDArray[np.bool_]: ...
    @property
    def space_derived(self) -> NDArray[np.bool_]: ...
    @property
    def footprints(self) -> Mapping[int, Any]: ...


class StoredTile(Protocol):
    """What is stored of viewer.tiles.Tile."""

    @property
    def storey_index(self) -> int | None: ...
    @property
    def layer(self) -> str: ...
    @property
    def part(self) -> int: ...
    @property
    def hash(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def elements(self) -> int: ...
    @property
    def triangles(self) -> int: ...
    @property
    def bbox(self) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """What one version is made of. `boxes` (N, 6) m, NaN without a mesh; `shapes`: element index → mesh hash."""

    model_id: UUID
    building_id: UUID
    file_hash: str
    file_name: str
    extract: Extract
    geometry: Sequence[ElementGeometry]
    placement: Placed
    boxes: NDArray[np.float64]
    shapes: Mapping[int, bytes]
    tiles: Sequence[StoredTile]
    actor_name: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The version's number and what it changed, in elements."""

    version: int
    added: int
    changed: int
    removed: int
    unchanged: int


async def store_version(conn: Conn, new: NewVersion) -> Stored:
    """Write the version and make it the one that is shown. The report is written by `finish_version`."""
    n = await lock_model(conn, new.model_id)
    await _write_classes(conn, new.extract.class_ancestors)
    storeys = await _match_storeys(conn, new)
    types = await _write_types(conn, new)
    ids, counts = await _write_elements(conn, new, n, storeys, types)
    await _write_spaces(conn, new, ids)
    await _write_groups(conn, new, n, ids)
    await _write_relations(conn, new, ids)
    await _write_version(conn, new, n, storeys)
    return Stored(n, **counts)


async def finish_version(conn: Conn, model_id: UUID, n: int, report: Mapping[str, Any]) -> None:
    """Keep the import report with its version."""
    await conn.execute(
        "UPDATE model_version SET report = %s WHERE model_id = %s AND n = %s", (Jsonb(dict(report)), model_id, n)
    )


async def _write_classes(conn: Conn, ancestors: Mapping[str, Sequence[str]]) -> None:
    pairs = sorted({(name, ancestor) for name, chain in ancestors.items() for ancestor in (name, *chain)})
    await conn.execute(
        """INSERT INTO ifc_class (name, ancestor) SELECT * FROM unnest(%s::text[], %s::text[])
           ON CONFLICT DO NOTHING""",
        ([name for name, _ in pairs], [ancestor for _, ancestor in pairs]),
    )


async def _match_storeys(conn: Conn, new: NewVersion) -> dict[int, UUID]:
    """Return the building's storey of each IfcBuildingStorey, by element index.

    Same name and level first; then, for what is left, a storey of another model at the same level.
    """
    known = await rows(conn, "SELECT id, name, elevation FROM storey WHERE building_id = %s", (new.building_id,))
    found: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for by_name in (True, False):
        for entry in new.extract.storeys:
            if entry.element in found:
                continue
            for storey in known:
                fits = storey["name"] == entry.name if by_name else storey["id"] not in taken
                if fits and _same_level(storey["elevation"], entry.elevation, by_name):
                    found[entry.element] = storey["id"]
                    taken.add(storey["id"])
                    break
    for entry in new.extract.storeys:
        if entry.element not in found:
            made = await row(
                conn,
                """INSERT INTO storey (building_id, name, elevation) VALUES (%(b)s, %(name)s, %(elevation)s)
                   ON CONFLICT (building_id, name, elevation) DO UPDATE SET name = excluded.name RETURNING id""",
                {"b": new.building_id, "name": entry.name, "elevation": entry.elevation},
            )
            assert made is not None
            found[entry.element] = made["id"]
    return found


def _same_level(one: float | None, other: float | None, by_name: bool) -> bool:
    if one is None or other is None:
        return by_name and one is other
    return abs(one - other) <= SAME_LEVEL


async def _known_ids(conn: Conn, query: LiteralString, model_id: UUID) -> dict[Key, UUID]:
    return {(each["global_id"], each["occurrence"]): each["id"] for each in await rows(conn, query, (model_id,))}


_TYPE_COLUMNS: Final = (
    "id", "model_id", "global_id", "ifc_class", "name", "description", "attributes", "psets", "quantities",
    "materials", "classifications", "documents", "occurrence",
)  # fmt: skip


async def _write_types(conn: Conn, new: NewVersion) -> list[UUID]:
    known = await _known_ids(conn, "SELECT id, global_id, occurrence FROM element_type WHERE model_id = %s", new.model_id)
    ids = [known.get((each.global_id, each.occurrence)) or uuid4() for each in new.extract.types]
    lines = (
        (
            id_, new.model_id, each.global_id, each.ifc_class, each.name, each.description, each.attributes.decode(),
            each.psets.decode(), each.quantities.decode(), each.materials.decode(), each.classifications.decode(),
            each.documents.decode(), each.occurrence,
        )
        for id_, each in zip(ids, new.extract.types, strict=True)
    )  # fmt: skip
    await _upsert(conn, "element_type", _TYPE_COLUMNS, lines, empty=not known)
    return ids


_ELEMENT_COLUMNS: Final = (
    "id", "model_id", "building_id", "global_id", "occurrence", "ifc_class", "predefined_type", "name", "long_name",
    "description", "object_type", "tag", "attributes", "psets", "quantities", "materials", "classifications",
    "documents", "type_id", "parent_id", "storey_id", "space_id", "storey_derived", "space_derived", "elevation",
    "placement", "bbox", "geometry", "geometry_note", "shape_hash", "content_hash", "first_version", "last_version",
)  # fmt: skip
_KNOWN_ELEMENTS: Final = """
    SELECT e.id, e.global_id, e.occurrence, e.content_hash, e.shape_hash, e.bbox,
           e.last_version = m.current_version AS shown
    FROM element e JOIN model m ON m.id = e.model_id WHERE e.model_id = %s
"""


async def _write_elements(
    conn: Conn, new: NewVersion, n: int, storeys: Mapping[int, UUID], types: Sequence[UUID]
) -> tuple[list[UUID], dict[str, int]]:
    known = {(each["global_id"], each["occurrence"]): each for each in await rows(conn, _KNOWN_ELEMENTS, (new.model_id,))}
    entries = new.extract.elements
    ids = [known[key]["id"] if (key := (each.global_id, each.occurrence)) in known else uuid4() for each in entries]
    writer = _ElementLines(new, n, ids, storeys, types, {each.element: each for each in new.geometry})
    await _upsert(
        conn, "element", _ELEMENT_COLUMNS, (writer.line(i) for i in range(len(entries))), empty=not known,
        keep=("first_version",),
    )  # fmt: skip
    shown = {key: each for key, each in known.items() if each["shown"]}
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    for index, each in enumerate(entries):
        before = shown.pop((each.global_id, each.occurrence), None)
        counts["added" if before is None else "unchanged" if writer.same(index, before) else "changed"] += 1
    return ids, counts | {"removed": len(shown)}


@dataclass(frozen=True, slots=True)
class _ElementLines:
    """Makes rows of table `element` from entries of the extract."""

    new: NewVersion
    n: int
    ids: Sequence[UUID]
    storeys: Mapping[int, UUID]
    types: Sequence[UUID]
    rungs: Mapping[int, ElementGeometry]

    def line(self, index: int) -> tuple[Any, ...]:
        each, placed = self.new.extract.elements[index], self.new.placement
        rung = self.rungs.get(index)
        return (
            self.ids[index], self.new.model_id, self.new.building_id, each.global_id, each.occurrence, each.ifc_class,
            each.predefined_type, each.name, each.long_name, each.description, each.object_type, each.tag,
            each.attributes.decode(), each.psets.decode(), each.quantities.decode(), each.materials.decode(),
            each.classifications.decode(), each.documents.decode(),
            self.types[each.type] if each.type >= 0 else None,
            self._id(each.parent), self.storeys.get(int(placed.storey[index])), self._id(int(placed.space[index])),
            bool(placed.storey_derived[index]), bool(placed.space_derived[index]), each.elevation,
            list(each.placement) if each.placement else None, self._box(index),
            rung.rung if rung else _without_body(each), rung.note if rung else None,
            self.new.shapes.get(index), each.content_hash, self.n, self.n,
        )  # fmt: skip

    def same(self, index: int, before: Mapping[str, Any]) -> bool:
        """Say whether an element is what it was: same content, same mesh in the same place."""
        box, old = self._box(index), before["bbox"]
        moved = (box is None) != (old is None) or (box is not None and not np.allclose(box, old, rtol=0, atol=1e-4))
        shape = self.new.shapes.get(index)
        return (
            not moved
            and bytes(before["content_hash"]) == self.new.extract.elements[index].content_hash
            and (None if before["shape_hash"] is None else bytes(before["shape_hash"])) == shape
        )

    def _id(self, index: int) -> UUID | None:
        return self.ids[index] if index >= 0 else None

    def _box(self, index: int) -> list[float] | None:
        box: list[float] = self.new.boxes[index].tolist()
        return None if box[0] != box[0] else box


def _without_body(each: ElementEntry) -> str:
    return "lost" if each.has_body else "none"


async def _write_spaces(conn: Conn, new: NewVersion, ids: Sequence[UUID]) -> None:
    await conn.execute(
        "DELETE FROM space USING element e WHERE e.id = space.element_id AND e.model_id = %s", (new.model_id,)
    )
    floors = new.placement.footprints
    lines = ((ids[i], msgspec.json.encode(geojson(f.polygon)).decode(), f.area, f.height) for i, f in floors.items())
    async with _copy(conn, "COPY space (element_id, footprint, area, height) FROM STDIN") as copy:
        for line in lines:
            await copy.write_row(line)


def geojson(polygon: Any) -> dict[str, Any]:
    """Return a shapely (multi)polygon as a GeoJSON geometry, coordinates in metres rounded to 0.1 mm."""
    parts = list(polygon.geoms) if polygon.geom_type == "MultiPolygon" else [polygon]
    rings = [[np.round(np.asarray(r.coords), 4).tolist() for r in (p.exterior, *p.interiors)] for p in parts]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


_GROUP_COLUMNS: Final = (
    "id", "model_id", "building_id", "global_id", "occurrence", "ifc_class", "predefined_type", "name", "long_name",
    "description", "psets", "serves", "last_version",
)  # fmt: skip


async def _write_groups(conn: Conn, new: NewVersion, n: int, ids: Sequence[UUID]) -> None:
    groups = new.extract.groups
    known = await _known_ids(conn, "SELECT id, global_id, occurrence FROM element_group WHERE model_id = %s", new.model_id)
    group_ids = [known.get((each.global_id, each.occurrence)) or uuid4() for each in groups]
    lines = (
        (
            id_, new.model_id, new.building_id, each.global_id, each.occurrence, each.ifc_class, each.predefined_type,
            each.name, each.long_name, each.description, each.psets.decode(), [ids[i] for i in each.serves], n,
        )
        for id_, each in zip(group_ids, groups, strict=True)
    )  # fmt: skip
    await _upsert(conn, "element_group", _GROUP_COLUMNS, lines, empty=not known)
    for table in ("element_group_member", "element_group_child"):
        await conn.execute(_FORGET_MEMBERS[table], (new.model_id,))
    async with _copy(conn, "COPY element_group_member (group_id, element_id) FROM STDIN") as copy:
        for id_, each in zip(group_ids, groups, strict=True):
            for member in sorted(set(each.members)):
                await copy.write_row((id_, ids[member]))
    async with _copy(conn, "COPY element_group_child (group_id, child_id) FROM STDIN") as copy:
        for id_, each in zip(group_ids, groups, strict=True):
            for child in sorted(set(each.children)):
                await copy.write_row((id_, group_ids[child]))


_FORGET_MEMBERS: Final[Mapping[str, LiteralString]] = {
    "element_group_member": """DELETE FROM element_group_member m USING element_group g
                               WHERE g.id = m.group_id AND g.model_id = %s""",
    "element_group_child": """DELETE FROM element_group_child c USING element_group g
                              WHERE g.id = c.group_id AND g.model_id = %s""",
}


async def _write_relations(conn: Conn, new: NewVersion, ids: Sequence[UUID]) -> None:
    await conn.execute("DELETE FROM element_relation WHERE model_id = %s", (new.model_id,))
    edges = dict.fromkeys((each.kind, each.from_, each.to) for each in new.extract.relations)
    async with _copy(conn, "COPY element_relation (model_id, kind, from_id, to_id) FROM STDIN") as copy:
        for kind, from_, to in edges:
            await copy.write_row((new.model_id, kind, ids[from_], ids[to]))


async def _write_version(conn: Conn, new: NewVersion, n: int, storeys: Mapping[int, UUID]) -> None:
    header, georeference = new.extract.header, new.extract.georeference
    meshed = new.boxes[~np.isnan(new.boxes[:, 0])] if len(new.boxes) else new.boxes
    origin = np.median((meshed[:, :3] + meshed[:, 3:]) / 2, axis=0).round().tolist() if len(meshed) else [0.0, 0.0, 0.0]
    await conn.execute(
        """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, application, report, origin,
                                      georeference, created_by)
           VALUES (%(model)s, %(n)s, %(hash)s, %(file)s, %(bytes)s, %(schema)s, %(application)s, '{}', %(origin)s,
                   %(georeference)s, %(actor)s)""",
        {
            "model": new.model_id, "n": n, "hash": new.file_hash, "file": new.file_name, "bytes": header.bytes,
            "schema": header.schema, "application": header.application, "origin": origin,
            "georeference": Jsonb(msgspec.to_builtins(georeference)) if georeference else None, "actor": new.actor_name,
        },
    )  # fmt: skip
    columns = "(model_id, version, storey_id, layer, part, hash, bytes, elements, triangles, bbox)"
    async with _copy(conn, f"COPY tile {columns} FROM STDIN") as copy:
        for tile in new.tiles:
            storey = storeys.get(tile.storey_index) if tile.storey_index is not None else None
            await copy.write_row(
                (new.model_id, n, storey, tile.layer, tile.part, tile.hash, tile.bytes, tile.elements, tile.triangles,
                 list(tile.bbox))
            )  # fmt: skip
    await conn.execute("UPDATE model SET current_version = %s WHERE id = %s", (n, new.model_id))


async def _upsert(
    conn: Conn,
    table: LiteralString,
    columns: Sequence[LiteralString],
    lines: Iterable[tuple[Any, ...]],
    *,
    empty: bool,
    keep: Sequence[LiteralString] = (),
) -> None:
    """Write rows by COPY: straight into an `empty` table's model, else through a temporary table onto the old rows.

    Rows are the same when (model_id, global_id, occurrence) are; columns in `keep` stay as they were first written.
    """
    names: LiteralString = ", ".join(columns)
    target: LiteralString = table if empty else "incoming"
    if not empty:
        await conn.execute(f"CREATE TEMP TABLE incoming (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP")
    async with _copy(conn, f"COPY {target} ({names}) FROM STDIN") as copy:
        for line in lines:
            await copy.write_row(line)
    if not empty:
        changed = [name for name in columns if name not in (*keep, "id", "model_id", "global_id", "occurrence")]
        assignments: LiteralString = ", ".join([f"{name} = excluded.{name}" for name in changed])
        await conn.execute(
            f"""INSERT INTO {table} ({names}) SELECT {names} FROM incoming
                ON CONFLICT (model_id, global_id, occurrence) DO UPDATE SET {assignments}"""
        )
        await conn.execute("DROP TABLE incoming")


@asynccontextmanager
async def _copy(conn: Conn, statement: LiteralString) -> AsyncIterator[AsyncCopy]:
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy
