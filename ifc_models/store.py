"""A read model becomes rows: one new version, in the caller's transaction.

An element is known for ever: by its GlobalId, by one it had before, or recognised (`ifc_models.resolving`). Rows that
the new version does not have stay and keep their `last_version`; rows that say the same as before only get the new
one; what a rewritten row said goes into `element_past`. Everything else is copied in binary.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import shapely
from psycopg import sql

from ifc_models.copying import copy_rows
from ifc_models.diff import Counts, count_changes
from ifc_models.element_rows import COLUMNS, KEPT, Diff, ElementRows, Known
from ifc_models.extract import Extract
from ifc_models.history import keep_past, write_aliases, write_matches
from ifc_models.resolving import Resolved, known_rows, resolve
from ifc_models.stable_ids import stable_ids
from ifc_models.text import to_json
from ifc_models.version import NewVersion, StoredVersion
from twin.db import Conn, row, rows
from twin.errors import NotFound

__all__ = ["NewVersion", "StoredVersion", "finish_version", "store_version"]

_STOREY: Final = "IfcBuildingStorey"
SAME_STOREY: Final = 0.1  # m; storeys of one name closer than this are one storey of the building


async def store_version(
    conn: Conn, new: NewVersion, complete: Callable[[], Awaitable[NewVersion]] | None = None
) -> StoredVersion:
    """Write a new version of a model and make it the shown one. Raises NotFound for an unknown model.

    `complete` is awaited when all is written but tiles and package; it gives the version with them, which may still
    be made until then.
    """
    # Not FOR UPDATE: tiles that are shown already refer to the model meanwhile.
    found = await row(conn, "SELECT current_version FROM model WHERE id = %s FOR NO KEY UPDATE", (new.model_id,))
    if found is None:
        raise NotFound("model.unknown", model=str(new.model_id))
    previous = found["current_version"] or 0
    highest = await row(conn, "SELECT max(n) AS n FROM model_version WHERE model_id = %s", (new.model_id,))
    version = ((highest["n"] if highest else None) or 0) + 1
    known = await known_rows(conn, new.model_id)
    storeys = await _store_storeys(conn, new, known)
    types = await _store_types(conn, new)
    resolved = await resolve(conn, new, known, previous)
    diff = await _store_elements(conn, new, version, previous, storeys, types, resolved)
    await _store_relations(conn, new, diff.ids)
    await _store_groups(conn, new, version, diff.ids)
    await _store_spaces(conn, new, diff.ids)
    await _store_ends(conn, new, diff.ids)
    await _store_classes(conn, new.extract)
    await _store_row(conn, new, version)
    await write_aliases(conn, new.model_id, version, diff.renamed)
    names = [e.global_id for e in new.extract.elements]
    await write_matches(conn, new.model_id, version, resolved.found, diff.ids, names)
    counts = await count_changes(conn, new.model_id, previous, version) if previous else Counts(added=len(names))
    if complete is not None:
        new = await complete()
        await conn.execute(
            "UPDATE model_version SET package = %s WHERE model_id = %s AND n = %s", (new.package, new.model_id, version)
        )
    await _store_tiles(conn, new, version, storeys)
    changed = counts.moved + counts.changed + counts.rekeyed
    return StoredVersion(
        version, counts.added, changed, counts.removed, len(names) - counts.added - changed, resolved.counts
    )


async def finish_version(conn: Conn, model_id: UUID, version: int, report: Mapping[str, Any]) -> None:
    """Put the report, which needs the version's figures, into the version's row."""
    await conn.execute(
        "UPDATE model_version SET report = %s::jsonb WHERE model_id = %s AND n = %s",
        (to_json(report).decode(), model_id, version),
    )


async def _store_storeys(conn: Conn, new: NewVersion, elements: Sequence[Known]) -> dict[int, UUID]:
    """Element index of each IfcBuildingStorey → the building's storey.

    A storey that got another name or height stays the storey it was, if no other model and no other storey of this
    file stands on it: what people bound to it (grants, topics, places of orders) stays with it.
    """
    await conn.execute("SELECT 1 FROM building WHERE id = %s FOR NO KEY UPDATE", (new.building_id,))
    known = await rows(conn, "SELECT id, name, elevation FROM storey WHERE building_id = %s", (new.building_id,))
    storeys: dict[int, UUID] = {}
    near_of = {
        entry.element: [s for s in known if s["name"] == entry.name and _same_height(s["elevation"], entry.elevation)]
        for entry in new.extract.storeys
    }
    taken = {s["id"] for near in near_of.values() for s in near}
    was = {(e["global_id"], e["occurrence"]): e["storey_id"] for e in elements if e["ifc_class"] == _STOREY}
    for entry in new.extract.storeys:
        # Two buildings of one file have a ground floor each: the second finds what the first has made.
        near = near_of[entry.element] or [
            s for s in known if s["name"] == entry.name and _same_height(s["elevation"], entry.elevation)
        ]
        if not near:
            element = new.extract.elements[entry.element]
            before = was.get((element.global_id, element.occurrence))
            if before is not None and before not in taken and not await _shared(conn, before, new.model_id):
                taken.add(before)
                await conn.execute(
                    "UPDATE storey SET name = %s, elevation = %s WHERE id = %s", (entry.name, entry.elevation, before)
                )
                known.append({"id": before, "name": entry.name, "elevation": entry.elevation})
                storeys[entry.element] = before
                continue
            made = await row(
                conn,
                "INSERT INTO storey (building_id, name, elevation) VALUES (%s, %s, %s) RETURNING id, name, elevation",
                (new.building_id, entry.name, entry.elevation),
            )
            assert made is not None
            known.append(made)
            near = [made]
        best = min(near, key=lambda s: abs((s["elevation"] or 0.0) - (entry.elevation or 0.0)))
        storeys[entry.element] = best["id"]
    return storeys


async def _shared(conn: Conn, storey_id: UUID, model_id: UUID) -> bool:
    """Say whether another model's shown version stands on the storey."""
    found = await row(
        conn,
        """SELECT 1 FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE e.storey_id = %s AND e.model_id <> %s LIMIT 1""",
        (storey_id, model_id),
    )
    return found is not None


def _same_height(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) <= SAME_STOREY


async def _store_types(conn: Conn, new: NewVersion) -> list[UUID]:
    """The ids of the types, by their index."""
    known = await rows(
        conn, "SELECT id, global_id, occurrence, ifc_class, name FROM element_type WHERE model_id = %s", (new.model_id,)
    )
    entries = new.extract.types
    ids = stable_ids(known, entries)
    columns = {
        "id": "uuid",
        "model_id": "uuid",
        "global_id": "text",
        "occurrence": "int4",
        "ifc_class": "text",
        "name": "text",
        "description": "text",
        "attributes": "jsonb",
        "psets": "jsonb",
        "quantities": "jsonb",
        "materials": "jsonb",
        "classifications": "jsonb",
        "documents": "jsonb",
    }
    made = [
        (
            id_,
            new.model_id,
            t.global_id,
            t.occurrence,
            t.ifc_class,
            t.name,
            t.description,
            t.attributes,
            t.psets,
            t.quantities,
            t.materials,
            t.classifications,
            t.documents,
        )
        for id_, t in zip(ids, entries, strict=True)
    ]
    await _upsert(conn, "element_type", columns, made)
    return ids


async def _upsert(conn: Conn, table: str, columns: Mapping[str, str], made: Iterable[Sequence[Any]]) -> None:
    """Copy rows into a table; those whose id is there are rewritten where they differ."""
    names = list(columns)
    await conn.execute("DROP TABLE IF EXISTS incoming")
    await conn.execute(
        sql.SQL("CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            _list(names), sql.Identifier(table)
        )
    )
    await copy_rows(conn, "incoming", columns, made)
    rest = [name for name in names if name not in KEPT]  # the GlobalId too: a re-export may give others
    await conn.execute(
        sql.SQL(
            "INSERT INTO {} AS old ({}) SELECT {} FROM incoming ON CONFLICT (id) "
            "DO UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})"
        ).format(
            sql.Identifier(table),
            _list(names),
            _list(names),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(n)) for n in rest),
            sql.SQL(", ").join(sql.SQL("old.{}").format(sql.Identifier(n)) for n in rest),
            sql.SQL(", ").join(sql.SQL("excluded.{}").format(sql.Identifier(n)) for n in rest),
        )
    )


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


async def _store_elements(
    conn: Conn,
    new: NewVersion,
    version: int,
    previous: int,
    storeys: dict[int, UUID],
    types: list[UUID],
    resolved: Resolved,
) -> Diff:
    made = await asyncio.to_thread(ElementRows, new, version, previous, storeys, types, resolved.rows)
    diff = made.diff
    if diff.new:
        await copy_rows(conn, "element", COLUMNS, made.rows(diff.new))
    if diff.rewritten:
        await keep_past(conn, [diff.ids[i] for i in diff.rewritten], list(COLUMNS))
        await conn.execute("CREATE TEMP TABLE rewritten (LIKE element) ON COMMIT DROP")
        await conn.execute("ALTER TABLE rewritten ALTER own_properties DROP NOT NULL")
        await copy_rows(conn, "rewritten", COLUMNS, made.rows(diff.rewritten))
        await conn.execute(
            sql.SQL("UPDATE element SET {} FROM rewritten WHERE element.id = rewritten.id").format(
                sql.SQL(", ").join(
                    sql.SQL("{0} = rewritten.{0}").format(sql.Identifier(n)) for n in COLUMNS if n not in KEPT
                )
            )
        )
        await conn.execute("DROP TABLE rewritten")
    if diff.same:
        await conn.execute(
            "UPDATE element SET last_version = %s WHERE id = ANY(%s)", (version, [diff.ids[i] for i in diff.same])
        )
    return diff


async def _store_relations(conn: Conn, new: NewVersion, ids: list[UUID]) -> None:
    """Only edges that differ are written: another version of a model has most of them, and each costs three checks."""
    edges = [(r.kind, ids[r.from_], ids[r.to]) for r in new.extract.relations]
    known = await rows(conn, "SELECT kind, from_id, to_id FROM element_relation WHERE model_id = %s", (new.model_id,))
    had = {(each["kind"], each["from_id"], each["to_id"]) for each in known}
    gone = list(had.difference(edges))
    if gone:
        await conn.execute(
            """DELETE FROM element_relation r
               USING unnest(%s::text[], %s::uuid[], %s::uuid[]) AS gone (kind, from_id, to_id)
               WHERE r.model_id = %s AND r.kind = gone.kind AND r.from_id = gone.from_id AND r.to_id = gone.to_id""",
            (*(list(column) for column in zip(*gone, strict=True)), new.model_id),
        )
    columns = {"model_id": "uuid", "kind": "text", "from_id": "uuid", "to_id": "uuid", "derived": "bool"}
    come = ((new.model_id, *edge, False) for edge in edges if edge not in had)
    await copy_rows(conn, "element_relation", columns, come)


async def _store_groups(conn: Conn, new: NewVersion, version: int, ids: list[UUID]) -> None:
    groups = new.extract.groups
    known = await rows(
        conn,
        "SELECT id, global_id, occurrence, ifc_class, name FROM element_group WHERE model_id = %s",
        (new.model_id,),
    )
    of = stable_ids(known, groups)
    columns = {
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
        "psets": "jsonb",
        "last_version": "int4",
    }
    made = [
        (
            of[i],
            new.model_id,
            new.building_id,
            g.global_id,
            g.occurrence,
            g.ifc_class,
            g.predefined_type,
            g.name,
            g.long_name,
            g.description,
            g.psets,
            version,
        )
        for i, g in enumerate(groups)
    ]
    await _upsert(conn, "element_group", columns, made)
    # The three tables hang on groups that are this model's; members that left the file leave the group.
    for statement in (
        "DELETE FROM element_group_member WHERE group_id IN (SELECT id FROM element_group WHERE model_id = %s)",
        "DELETE FROM element_group_child WHERE group_id IN (SELECT id FROM element_group WHERE model_id = %s)",
        "DELETE FROM element_group_serves WHERE group_id IN (SELECT id FROM element_group WHERE model_id = %s)",
    ):
        await conn.execute(statement, (new.model_id,))
    members = ((of[i], ids[m]) for i, g in enumerate(groups) for m in g.members)
    await copy_rows(conn, "element_group_member", {"group_id": "uuid", "element_id": "uuid"}, members)
    children = ((of[i], of[c]) for i, g in enumerate(groups) for c in g.children)
    await copy_rows(conn, "element_group_child", {"group_id": "uuid", "child_id": "uuid"}, children)
    serves = ((of[i], ids[s]) for i, g in enumerate(groups) for s in g.serves)
    await copy_rows(conn, "element_group_serves", {"group_id": "uuid", "element_id": "uuid"}, serves)


async def _store_spaces(conn: Conn, new: NewVersion, ids: list[UUID]) -> None:
    await conn.execute(
        "DELETE FROM space USING element e WHERE space.element_id = e.id AND e.model_id = %s", (new.model_id,)
    )
    floors = dict(new.placement.footprints) if new.placement is not None else {}
    made = []
    for i, element in enumerate(new.extract.elements):
        if element.ifc_class == "IfcSpace":
            floor = floors.get(i)
            shape = shapely.to_geojson(floor.polygon).encode() if floor is not None else None
            made.append(
                (ids[i], shape, floor.area if floor is not None else None, floor.height if floor is not None else None)
            )
    columns = {"element_id": "uuid", "footprint": "jsonb", "area": "float8", "height": "float8"}
    await copy_rows(conn, "space", columns, made)


async def _store_ends(conn: Conn, new: NewVersion, ids: list[UUID]) -> None:
    await conn.execute(
        "DELETE FROM element_end o USING element e WHERE o.element_id = e.id AND e.model_id = %s", (new.model_id,)
    )
    made = [
        (ids[i], n, end[:3].tolist(), end[3:6].tolist(), float(end[6]))
        for i, ends in sorted(new.ends.items())
        for n, end in enumerate(ends)
    ]
    columns = {"element_id": "uuid", "n": "int4", "position": "float8[]", "direction": "float8[]", "size": "float8"}
    await copy_rows(conn, "element_end", columns, made)


async def _store_classes(conn: Conn, extract: Extract) -> None:
    pairs = [(name, ancestor) for name, chain in extract.class_ancestors.items() for ancestor in chain]
    await conn.execute(
        """INSERT INTO ifc_class (name, ancestor) SELECT * FROM unnest(%s::text[], %s::text[])
           ORDER BY 1, 2 ON CONFLICT DO NOTHING""",
        ([name for name, _ in pairs], [ancestor for _, ancestor in pairs]),
    )


async def _store_row(conn: Conn, new: NewVersion, version: int) -> None:
    header, georeference = new.extract.header, new.extract.georeference
    await conn.execute(
        """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, application, report,
                                      georeference, created_by, kind, restored, converter, package, meshes)
           VALUES (%(model_id)s, %(n)s, %(file_hash)s, %(file_name)s, %(bytes)s, %(schema)s, %(application)s, '{}',
                   %(georeference)s::jsonb, %(created_by)s, %(kind)s, %(restored)s, %(converter)s, %(package)s,
                   %(meshes)s)""",
        {
            "model_id": new.model_id,
            "n": version,
            "file_hash": new.file_hash,
            "file_name": new.file_name,
            "bytes": header.bytes,
            "schema": header.schema,
            "application": header.application,
            "georeference": to_json(georeference).decode() if georeference is not None else None,
            "created_by": new.actor_name,
            "kind": "upload" if new.restored is None else "rollback",
            "restored": new.restored,
            "converter": new.converter,
            "package": new.package,
            "meshes": new.meshes,
        },
    )
    await conn.execute("UPDATE model SET current_version = %s WHERE id = %s", (version, new.model_id))


async def _store_tiles(conn: Conn, new: NewVersion, version: int, storeys: dict[int, UUID]) -> None:
    columns = {
        "model_id": "uuid",
        "version": "int4",
        "storey_id": "uuid",
        "layer": "text",
        "part": "int4",
        "hash": "text",
        "bytes": "int8",
        "elements": "int4",
        "triangles": "int8",
        "bbox": "float8[]",
        "key": "bytea",
    }
    made = [
        (
            new.model_id,
            version,
            storeys.get(t.storey_index) if t.storey_index is not None else None,
            t.layer,
            t.part,
            t.hash,
            t.bytes,
            t.elements,
            t.triangles,
            list(t.bbox),
            t.key,
        )
        for t in new.tiles
    ]
    await copy_rows(conn, "tile", columns, made)
