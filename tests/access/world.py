"""Two buildings with one of everything each: what is granted in the one must not reach into the other.

Every path parameter of the API finds an object here by its name (`Building.ref`); a route with a new parameter fails
the matrix until an object is made for it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID, uuid4

import orjson
from psycopg.types.json import Jsonb

from identity.actor import CLI, PlaceKind
from identity.grants import give_grant
from twin.blobs import BlobStore
from twin.db import Conn, Database, row
from twin.places import create_building, create_site

CLASSES = (
    ("IfcDistributionSystem", "IfcGroup"),
    ("IfcPump", "IfcElement"),
    ("IfcPump", "IfcPump"),
    ("IfcSpace", "IfcSpatialElement"),
)


@dataclass
class Building:
    """A building and the ids of what is in it; `mark` is in every name. `up`: a second storey, with less on it."""

    mark: str
    ids: dict[str, Any] = field(default_factory=dict)
    up: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        found: UUID = self.ids["building"]
        return found

    def ref(self, name: str, path: str) -> Any:
        """The object for a parameter called `name` of the route at `path`."""
        for prefix, names in SPECIAL.items():
            if path.startswith(prefix) and name in names:
                return self.ids[names[name]]
        return self.ids[name]

    @property
    def marks(self) -> set[str]:
        """Whatever would give this building away in an answer."""
        return {str(each) for each in [*self.ids.values(), *self.up.values()] if isinstance(each, UUID)} | {self.mark}


SPECIAL: Mapping[str, Mapping[str, str]] = {
    "/tiles/": {"name": "tile"},
    "/commands/": {"command": "command"},
    "/jobs/": {"job_id": "job"},
    "/route": {"from": "element", "to": "pump"},
    "/buildings/{building}/nearest": {"to": "element"},
    "/buildings/{building}/within": {"to": "element"},
}


async def one(conn: Conn, sql: LiteralString, values: Mapping[str, Any]) -> Any:
    """The first value of the first row."""
    found = await row(conn, sql, values)
    assert found is not None
    return next(iter(found.values()))


async def build(conn: Conn, blobs: BlobStore, mark: str) -> Building:
    """Make a building with one of everything on the storey `ids`, and a little on the storey `up`."""
    made = Building(mark)
    site = (await create_site(conn, f"{mark} site")).id
    building = (await create_building(conn, f"{mark} tower", site=site)).id
    made.ids |= {"site": site, "building": building, "mark": mark, "n": 1, "suffix": "xlsx"}
    await _model(conn, blobs, made)
    for storey, name, elevation in ((made.ids, "low", 0.0), (made.up, "high", 4.0)):
        storey |= {
            "site": site,
            "building": building,
            "mark": mark,
            "model": made.ids["model"],
            "hash": made.ids["hash"],
        }
        await _storey(conn, blobs, storey, name, elevation)
        await _telemetry(conn, storey, name)
        await _work(conn, storey, name)
    await _of_the_building(conn, made)
    return made


async def _model(conn: Conn, blobs: BlobStore, made: Building) -> None:
    ids = made.ids
    original = blobs.put_bytes(f"ISO-10303-21; {made.mark} {uuid4()}".encode(), "application/x-step")
    ids["hash"] = original.hash
    await conn.execute("INSERT INTO blob VALUES (%s, %s, %s)", (original.hash, original.bytes, original.content_type))
    ids["model"] = await one(
        conn,
        """INSERT INTO model (building_id, name, current_version) VALUES (%(building)s, %(mark)s || ' mep', 1)
           RETURNING id""",
        ids,
    )
    for n in (1, 2):  # of the second there is a report only; the first is shown
        await conn.execute(
            """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, report)
               VALUES (%s, %s, %s, %s, 10, 'IFC4', '{}')""",
            (ids["model"], n, original.hash, f"{made.mark}.ifc"),
        )
    for name, ancestor in CLASSES:
        await conn.execute("INSERT INTO ifc_class VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, ancestor))


async def _storey(conn: Conn, blobs: BlobStore, ids: dict[str, Any], name: str, elevation: float) -> None:
    ids |= {"name": name, "elevation": elevation}
    ids["storey"] = await one(
        conn,
        """INSERT INTO storey (building_id, name, elevation)
           VALUES (%(building)s, %(mark)s || ' ' || %(name)s, %(elevation)s) RETURNING id""",
        ids,
    )
    tile = blobs.put_bytes(f"glTF {ids['mark']} {name} {uuid4()}".encode(), "model/gltf-binary")
    ids |= {"tile": f"{tile.hash}.glb", "tile_hash": tile.hash}
    await conn.execute("INSERT INTO blob VALUES (%s, %s, %s)", (tile.hash, tile.bytes, tile.content_type))
    await conn.execute(
        """INSERT INTO tile (model_id, version, storey_id, layer, part, hash, bytes, elements, triangles, bbox)
           VALUES (%(model)s, 1, %(storey)s, 'services', 0, %(tile_hash)s, 10, 1, 1, '{0,0,0,1,1,1}')""",
        ids,
    )
    ids["element_type"] = ids["type"] = await one(
        conn,
        """INSERT INTO element_type (model_id, global_id, ifc_class, name)
           VALUES (%(model)s, gen_random_uuid(), 'IfcPumpType', %(mark)s || ' type ' || %(name)s) RETURNING id""",
        ids,
    )
    for key, ifc_class in (("space", "IfcSpace"), ("element", "IfcPump"), ("pump", "IfcPump"), ("duct", "IfcPump")):
        ids[key] = await one(
            conn,
            """INSERT INTO element (model_id, building_id, global_id, ifc_class, name, bbox, storey_id, space_id,
                                    type_id, content_hash, first_version, last_version)
               VALUES (%(model)s, %(building)s, left(gen_random_uuid()::text, 22), %(ifc_class)s,
                       %(mark)s || ' ' || %(key)s || ' ' || %(name)s, '{0,0,0,1,1,1}', %(storey)s, %(space)s,
                       %(type_id)s, '', 1, 1) RETURNING id""",
            {**ids, "ifc_class": ifc_class, "key": key, "space": ids.get("space"),
             "type_id": None if key == "space" else ids["type"]},
        )  # fmt: skip
    floor = Jsonb({"type": "Polygon", "coordinates": [[[0, 0], [5, 0], [5, 4], [0, 4], [0, 0]]]})
    await conn.execute("INSERT INTO space VALUES (%s, %s, 20, 3)", (ids["space"], floor))
    await conn.execute(
        """INSERT INTO element_relation (model_id, kind, from_id, to_id)
           VALUES (%(model)s, 'feeds', %(element)s, %(pump)s)""",
        ids,
    )


async def _telemetry(conn: Conn, ids: dict[str, Any], name: str) -> None:
    ids["key"] = f"{ids['mark']}.{name}.temperature"
    found = await row(
        conn,
        """INSERT INTO point (building_id, key, name, kind, element_id, writable)
           VALUES (%(building)s, %(key)s, %(key)s, 'number', %(element)s, true) RETURNING id, handle""",
        ids,
    )
    assert found is not None
    ids |= {"point": found["id"], "handle": found["handle"]}
    await conn.execute("INSERT INTO latest (point_id, ts, num) VALUES (%(handle)s, now(), 21.5)", ids)
    await conn.execute(
        "INSERT INTO quarantine (point_key, code, message) VALUES (%(key)s, 'reading.range', %(mark)s || ' too much')",
        ids,
    )
    ids["command"] = await one(
        conn,
        """INSERT INTO command (point_id, value, priority, requested_by, expires_at, state)
           VALUES (%(handle)s, '21.5', 8, 'cli', now() + interval '1 hour', 'verified') RETURNING id""",
        ids,
    )
    await _derived(conn, ids)
    ids["source"] = await one(
        conn,
        """INSERT INTO source (name, kind, building_id)
           VALUES (%(mark)s || ' gateway ' || %(name)s, 'http', %(building)s) RETURNING uuid""",
        ids,
    )


async def _derived(conn: Conn, ids: dict[str, Any]) -> None:
    """A point that is worked out from the temperature, on the same element."""
    ids["derived_point"] = await one(
        conn,
        """INSERT INTO point (building_id, key, name, kind, element_id)
           VALUES (%(building)s, %(key)s || ' twice', %(key)s, 'number', %(element)s) RETURNING handle""",
        ids,
    )
    ids["derived"] = await one(
        conn,
        """INSERT INTO derived (point_id, building_id, kind, every, settings, created_by)
           VALUES (%(derived_point)s, %(building)s, 'expression', '5m', '{"expression": "x * 2"}', 'cli')
           RETURNING id""",
        ids,
    )
    await conn.execute("INSERT INTO derived_input VALUES (%(derived)s, %(handle)s, 'x')", ids)
    await conn.execute("INSERT INTO derived_dirty VALUES (%(derived)s, %(handle)s, date_trunc('hour', now()))", ids)


async def _work(conn: Conn, ids: dict[str, Any], name: str) -> None:
    ids["rule"] = await one(
        conn,
        """INSERT INTO alarm_rule (building_id, point_id, name, kind, alarm_setpoint, severity)
           VALUES (%(building)s, %(handle)s, %(mark)s || ' hot ' || %(name)s, 'high', 30, 'high') RETURNING id""",
        ids,
    )
    await conn.execute(
        "INSERT INTO alarm_timer (rule_id, since, due_at, value) VALUES (%(rule)s, now(), now(), 1)", ids
    )
    ids["alarm"] = await one(
        conn,
        """INSERT INTO alarm (rule_id, point_id, building_id, storey_id, space_id, element_id, severity, code, message,
                              value, raised_at, rose_at)
           VALUES (%(rule)s, %(handle)s, %(building)s, %(storey)s, %(space)s, %(element)s, 'high', 'alarm.high',
                   %(mark)s || ' alarm', 31, now(), now()) RETURNING id""",
        ids,
    )
    await conn.execute(
        "INSERT INTO alarm_event (alarm_id, kind, actor, comment) VALUES (%(alarm)s, 'raised', 'system', %(mark)s)", ids
    )
    ids["plan"] = await one(
        conn,
        """INSERT INTO plan (building_id, name, starts_at, target_kind, element_id, created_by, rrule, next_due)
           VALUES (%(building)s, %(mark)s || ' grease ' || %(name)s, now(), 'element', %(element)s, 'cli', 'FREQ=DAILY',
                   now() + interval '1 day') RETURNING id""",
        ids,
    )
    await conn.execute("INSERT INTO plan_occurrence (plan_id, due_at, state) VALUES (%(plan)s, now(), 'made')", ids)
    ids["order"] = await one(
        conn,
        """INSERT INTO work_order (building_id, title, origin, storey_id, space_id, element_id, created_by)
           VALUES (%(building)s, %(mark)s || ' order', 'manual', %(storey)s, %(space)s, %(element)s, 'cli')
           RETURNING id""",
        ids,
    )
    await conn.execute(
        """INSERT INTO work_order_event (work_order_id, kind, actor, comment)
           VALUES (%(order)s, 'created', 'cli', %(mark)s)""",
        ids,
    )
    await conn.execute(
        """INSERT INTO notification (role, code, building_id, work_order_id)
           VALUES ('crew', 'notification.assigned', %(building)s, %(order)s)""",
        ids,
    )
    ids["asset"] = await one(
        conn,
        """INSERT INTO asset (building_id, code, name)
           VALUES (%(building)s, 'P-' || %(name)s, %(mark)s || ' asset') RETURNING id""",
        ids,
    )
    await conn.execute(
        "INSERT INTO asset_binding VALUES (%(asset)s, %(element)s, tstzrange(now() - interval '1 day', NULL))", ids
    )
    ids["job"] = await one(
        conn,
        """INSERT INTO job (kind, building_id, args, state, created_by)
           VALUES ('import', %(building)s, '{}', 'done', 'cli') RETURNING id""",
        ids,
    )


async def _of_the_building(conn: Conn, made: Building) -> None:
    """What is for more than one storey: a system whose members are the pump below and the duct above; checks, issues,
    events."""
    ids, up = made.ids, made.up
    ids["system"] = await one(
        conn,
        """INSERT INTO element_group (model_id, building_id, global_id, ifc_class, name, last_version)
           VALUES (%(model)s, %(building)s, left(gen_random_uuid()::text, 22), 'IfcDistributionSystem',
                   %(mark)s || ' water', 1) RETURNING id""",
        ids,
    )
    for member in (ids["pump"], up["duct"]):
        await conn.execute("INSERT INTO element_group_member VALUES (%s, %s)", (ids["system"], member))
    for storey in (ids, up):
        for topic, subject in (("alarm", "alarm"), ("work_order", "order"), ("command", "command"), ("point", "point")):
            await conn.execute(
                "INSERT INTO event (building_id, storey_id, topic, data) VALUES (%s, %s, %s, %s)",
                (made.id, storey["storey"], topic, Jsonb({"id": str(storey[subject]), "mark": made.mark})),
            )
    ids["saved_id"] = await one(
        conn,
        """INSERT INTO saved (building_id, kind, name, owner, shared, content, picture, picture_type)
           VALUES (%(building)s, 'search', %(mark)s || ' pumps', 'cli', true, '{"query": "pump"}', 'png', 'image/png')
           RETURNING id""",
        ids,
    )
    ids["dashboard_id"] = await one(
        conn,
        """INSERT INTO dashboard (building_id, name, owner, shared, layout)
           VALUES (%(building)s, %(mark)s || ' board', 'cli', true, '{"widgets": []}') RETURNING id""",
        ids,
    )
    await _reported(conn, ids)
    ids["match"] = await one(
        conn,
        """INSERT INTO element_match (model_id, version, kind, state, old_id, new_id, old_global_id)
           VALUES (%(model)s, 1, 'likely', 'waiting', %(element)s, %(pump)s, 'x') RETURNING id""",
        ids,
    )
    await _checked(conn, ids)
    await _graph(conn, ids)


async def _graph(conn: Conn, ids: dict[str, Any]) -> None:
    """A Brick graph that says that the pump feeds the element, and where the pump's pipe ends."""
    counts = ("matched", "taken", "known", "apart", "unknown_classes", "other_predicates")
    numbers = dict.fromkeys(("triples", "entities", "contradictions", "unmatched", "joined_to_itself"), 0)
    report = {**{name: {} for name in counts}, **numbers, "contradicting": [], "not_understood": []}
    ids["graph"] = await one(
        conn,
        """INSERT INTO brick_import (building_id, name, hash, triples, report, created_by)
           VALUES (%(building)s, %(mark)s || '.ttl', %(mark)s, 1, %(report)s, 'cli') RETURNING id""",
        {**ids, "report": Jsonb(report)},
    )
    about = [
        await one(
            conn,
            """INSERT INTO brick_entity (import_id, uri, matched_by, element_id)
               VALUES (%(graph)s, 'urn:uuid:' || %(id)s, 'uri', %(id)s) RETURNING id""",
            {**ids, "id": ids[name]},
        )
        for name in ("pump", "element")
    ]
    await conn.execute("INSERT INTO brick_statement VALUES (%s, %s, 'feeds', %s)", (ids["graph"], *about))
    await conn.execute("INSERT INTO element_end VALUES (%(pump)s, 0, '{0,0,0}', '{0,0,1}', 0.1)", ids)


async def _reported(conn: Conn, ids: dict[str, Any]) -> None:
    """A report of everybody's, and one time that it was made."""
    ids["report_id"] = await one(
        conn,
        """INSERT INTO report (building_id, name, owner, shared, period, sections)
           VALUES (%(building)s, %(mark)s || ' report', 'cli', true, 'day', '[{"kind": "text", "text": "Said"}]')
           RETURNING id""",
        ids,
    )
    told = {"report": ids["mark"], "building": ids["mark"], "time_zone": "UTC", "asked_by": "cli",
            "made_at": "2026-01-02T00:00:00Z", "first_day": "2026-01-01", "last_day": "2026-01-01",
            "sections": [{"kind": "text", "text": ids["mark"]}]}  # fmt: skip
    ids["report_run"] = await one(
        conn,
        """INSERT INTO report_run (report_id, building_id, asked_by, state, definition, first_day, last_day, start_at,
             end_at, made_at, snapshot, digest)
           VALUES (%(report_id)s, %(building)s, 'cli', 'done',
             jsonb_build_object('name', %(mark)s::text, 'period', 'day'),
             '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-02', '2026-01-02', %(told)s, 'x') RETURNING id""",
        {**ids, "told": orjson.dumps(told).decode()},
    )


async def _checked(conn: Conn, ids: dict[str, Any]) -> None:
    ids["check"] = await one(
        conn,
        """INSERT INTO check_run (model_id, version, building_id, kind, title, status, created_by)
           VALUES (%(model)s, 1, %(building)s, 'ids', %(mark)s || ' rules', 'pass', 'cli') RETURNING id""",
        ids,
    )
    for kind in ("ifc", "cobie.xlsx"):
        await conn.execute(
            """INSERT INTO model_export (model_id, version, building_id, kind, hash, file_name, created_by)
               VALUES (%(model)s, 1, %(building)s, %(kind)s, %(hash)s, %(mark)s, 'cli')""",
            {**ids, "kind": kind},
        )
    ids["topic"] = await one(
        conn,
        """INSERT INTO topic (building_id, storey_id, element_id, guid, title, creation_author, creation_date)
           VALUES (%(building)s, %(storey)s, %(element)s, gen_random_uuid(), %(mark)s || ' issue', 'li', now())
           RETURNING id""",
        ids,
    )
    ids["viewpoint"] = await one(
        conn,
        """INSERT INTO topic_viewpoint (topic_id, guid, view, snapshot_hash)
           VALUES (%(topic)s, gen_random_uuid(), '{}', %(tile_hash)s) RETURNING guid""",
        ids,
    )


async def account(conn: Conn, name: str, role: str, *places: tuple[PlaceKind, UUID]) -> UUID:
    """An account that holds a role at these places, or everywhere without any. It has no password."""
    made: UUID = await one(conn, "INSERT INTO account (name) VALUES (%(name)s) RETURNING id", {"name": name})
    for place in places or (None,):
        await give_grant(conn, CLI, role, account=made, place=place)
    return made


class RolledBack(Database):
    """The same database, but nothing stays: what one request of the matrix changes, the next one does not see."""

    def __init__(self, db: Database) -> None:
        super().__init__(db.url, db._pool, db._limited)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        async with self.connection() as conn, conn.transaction(force_rollback=True):
            yield conn

    @asynccontextmanager
    async def limited_transaction(self, settings: Mapping[str, str]) -> AsyncIterator[Conn]:
        async with super().limited_transaction(settings) as conn, conn.transaction(force_rollback=True):
            yield conn
