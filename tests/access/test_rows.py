"""Row filters: storeys and systems, every table, and what each family of rows takes."""

import ast
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from api.app import Twin, create_app, open_twin
from api.sight import TOPICS
from identity import access
from identity.actor import CLI, Actor, Grant, Place, Scope, held
from identity.permissions import FAMILIES, PERMISSIONS, ROLES
from identity.roles import create_role
from tests.access import world
from tests.access.requests import request_of, routes
from tests.access.world import Building
from tests.conftest import Cluster
from twin.db import Conn, Database, row, rows
from twin.settings import Settings

SERVER_WIDE_TABLES = {
    # who calls, and what is kept of it
    "account", "api_key", "api_key_secret", "api_key_usage", "audit", "audit_anchor", "audit_pruned",
    "external_identity", "login_throttle", "login_place", "login_ticket", "oidc_login", "password_history",
    "rate_lease", "rate_window",
    "recovery_code", "role", "role_grant", "second_factor", "session", "steady_clock", "idempotency",
    "workspace",
    # the installation, and words that mean the same everywhere
    "alembic_version", "blob", "ifc_class", "installation", "service_level",
    "procrastinate_events", "procrastinate_jobs", "procrastinate_periodic_defers", "procrastinate_workers",
    # reached through point only (decision 12); kept by whoever keeps the rollups
    "reading", "rollup_5m", "rollup_1h", "rollup_dirty", "rollup_state",
    "history_cut", "history_run", "history_part", "history_count", "history_schedule",
}  # fmt: skip


async def test_every_table_has_a_row_filter_or_concerns_the_whole_server(db: Database) -> None:
    from telemetry.history import History

    await History(db).start()
    async with db.connection() as conn:
        found = await rows(
            conn,
            """SELECT c.relname AS name, c.relrowsecurity AS filtered FROM pg_class c
               WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace""",
        )
        views = await rows(
            conn,
            """SELECT relname AS name, coalesce(reloptions::text LIKE '%%security_invoker=true%%', false) AS asks
               FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace""",
        )
    open_tables = {each["name"] for each in found if not each["filtered"]}
    assert not open_tables - SERVER_WIDE_TABLES, "say limit_rows(…) in the migration that makes the table"
    assert not SERVER_WIDE_TABLES & {each["name"] for each in found if each["filtered"]}
    assert all(each["asks"] for each in views), "a view needs WITH (security_invoker = true)"


async def test_nobody_limited_sees_a_row_of_any_filtered_table(db: Database, tmp_path: Path) -> None:
    """Without a single grant the filters leave nothing, whatever the table."""
    from twin.blobs import BlobStore

    async with db.transaction() as conn:
        await world.build(conn, BlobStore(tmp_path), "Tower")
        filtered = await rows(conn, "SELECT relname AS name FROM pg_class WHERE relrowsecurity")
    counted = 0
    for table in (each["name"] for each in filtered):
        async with db.transaction() as conn:
            before = await row(conn, f"SELECT count(*) AS n FROM {table}")
        async with access.limited(db, Actor("account:nobody"), None) as conn:
            after = await row(conn, f"SELECT count(*) AS n FROM {table}")
        assert before and after and after["n"] == 0, table
        counted += before["n"] > 0
    assert counted > 30


def emitted(folder: Path) -> Iterable[str]:
    """The topics that the code under `folder` gives to `emit`."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "emit":
                topic = node.args[1]
                assert isinstance(topic, ast.Constant), f"{path}:{node.lineno}: the topic of an event is a literal"
                yield str(topic.value)


def test_every_topic_of_the_socket_declares_its_permission() -> None:
    root = Path(__file__).parents[2]
    packages = ("twin", "identity", "ifc_models", "spatial", "telemetry", "maintenance", "viewer", "api")
    topics = {topic for package in packages for topic in emitted(root / package)}
    assert {"alarm", "work_order", "point", "model"} <= topics
    assert not topics - TOPICS.keys(), "say in api/sight.py which permission it takes"


def test_every_family_of_rows_has_a_permission_to_read_it() -> None:
    assert all(PERMISSIONS[f"{family}.read"].scoped for family in FAMILIES)


# Storeys and systems


@dataclass
class Corner:
    """Two furnished buildings, and clients of accounts that see a corner of the first."""

    twin: Twin
    own: Building
    foreign: Building
    clients: dict[str, httpx.AsyncClient]


async def signed_in(twin: Twin, conn: Conn, name: str) -> httpx.AsyncClient:
    """A client of the account's own session."""
    from api.route import SESSION_COOKIE
    from identity import sessions
    from identity.sessions import Origin

    found = await row(conn, "SELECT id FROM account WHERE name = %s", (name,))
    assert found is not None
    session, token = await sessions.create_session(
        conn, found["id"], Origin(None), method="password", settings=twin.settings, now=twin.clock.now()
    )
    headers = {"cookie": f"{SESSION_COOKIE}={token}", "x-csrf-token": session.csrf_token}
    transport = httpx.ASGITransport(create_app(twin))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def corner(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corner]:
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", "corner", "template_twin")
    settings = Settings(data=tmp_path_factory.mktemp("corner"), database=cluster.url("corner"), worker=False)
    async with open_twin(settings) as twin:
        async with twin.db.transaction() as conn:
            own = await world.build(conn, twin.blobs, "Ownbuilding")
            foreign = await world.build(conn, twin.blobs, "Foreignbuilding")
            await world.account(conn, "low", "facility_engineer", ("storey", own.ids["storey"]))
            await world.account(conn, "water", "facility_engineer", ("system", own.ids["system"]))
            await world.account(conn, "site", "facility_engineer", ("site", own.ids["site"]))
            await create_role(conn, CLI, "viewer", "Viewer", ["building.read", "model.read", "point.read"])
            await world.account(conn, "viewer", "viewer")
            clients = {name: await signed_in(twin, conn, name) for name in ("low", "water", "site", "viewer")}
        yield Corner(twin, own, foreign, clients)
        for client in clients.values():
            await client.aclose()
    cluster.execute("DROP DATABASE {} WITH (FORCE)", "corner")


inside = pytest.mark.asyncio(loop_scope="module")
READS = [route for route in routes() if route.method == "GET" and route.scoped]


async def got(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@inside
async def test_a_storey_ends_at_its_ceiling_for_every_route(corner: Corner) -> None:
    client, own = corner.clients["low"], corner.own
    above = {str(each) for name, each in own.up.items() if name not in own.ids or own.ids[name] != each}
    above = {each for each in above if len(each) > 20}  # ids and hashes
    answered = 0
    for route in READS:
        answer = await client.request(**request_of(route, own, {}))
        told = {mark for mark in above | corner.foreign.marks if mark in answer.text}
        assert not told, f"{route} tells of another storey: {answer.text}"
        answered += answer.is_success
    assert answered > 40


@inside
async def test_what_is_on_another_storey_is_not_there(corner: Corner) -> None:
    client, up = corner.clients["low"], corner.own.up
    for path in (
        f"/elements/{up['element']}", f"/spaces/{up['space']}", f"/points/{up['point']}", f"/alarms/{up['alarm']}",
        f"/alarm-rules/{up['rule']}", f"/work-orders/{up['order']}", f"/plans/{up['plan']}", f"/assets/{up['asset']}",
        f"/commands/{up['command']}", f"/tiles/{up['tile']}", f"/points/{up['point']}/readings",
    ):  # fmt: skip
        answer = await client.get(path)
        assert answer.status_code == 404, f"{path}: {answer.text}"
    sent = await client.post(f"/alarms/{up['alarm']}/ack", json={})
    assert sent.status_code == 404


@inside
async def test_counts_and_lists_of_a_storey_are_its_own(corner: Corner) -> None:
    client, own = corner.clients["low"], corner.own
    tree = await got(client, f"/buildings/{own.id}/tree")
    assert [storey["id"] for storey in tree["storeys"]] == [str(own.ids["storey"])]
    assert tree["elements"] == 4 and tree["building"] == "Ownbuilding tower"
    overview = await got(client, f"/buildings/{own.id}/overview")
    assert (overview["points"], overview["orders_open"], overview["spaces"]) == (2, 1, 1)  # one is derived
    assert [each["count"] for each in overview["alarms"]] == [1]
    assert [each["key"] for each in (await got(client, "/points"))["items"]] == [
        own.ids["key"], f"{own.ids['key']} twice",
    ]  # fmt: skip
    assert [each["id"] for each in (await got(client, "/work-orders"))["items"]] == [str(own.ids["order"])]
    tiles = (await got(client, f"/buildings/{own.id}/tileset.json"))["root"]["children"]
    assert [each["content"]["uri"] for each in tiles] == [f"../../tiles/{own.ids['tile']}"]
    assert (await client.get(f"/tiles/{own.ids['tile']}")).status_code == 200


@inside
async def test_the_original_and_the_report_take_the_whole_building(corner: Corner) -> None:
    model = corner.own.ids["model"]
    for caller, status in (("low", 404), ("water", 404), ("site", 200)):
        for path in (f"/models/{model}/versions/1/original", f"/models/{model}/versions/1"):
            assert (await corner.clients[caller].get(path)).status_code == status, (caller, path)
    assert (await got(corner.clients["low"], "/models"))["items"][0]["name"] == "Ownbuilding mep"


@inside
async def test_a_system_is_its_members_on_every_storey_and_nothing_else(corner: Corner) -> None:
    client, own = corner.clients["water"], corner.own
    found = {each["id"] for each in (await got(client, "/elements"))["items"]}
    assert found == {str(own.ids["pump"]), str(own.up["duct"])}
    assert {each["id"] for each in (await got(client, "/systems", building=str(own.id)))["items"]} == {
        str(own.ids["system"])
    }
    assert (await got(client, "/points"))["items"] == []  # the points are at other elements
    tree = await got(client, f"/buildings/{own.id}/tree")
    assert {storey["name"] for storey in tree["storeys"]} == {"Ownbuilding low", "Ownbuilding high"}
    assert tree["elements"] == 2
    assert (await client.get(f"/elements/{own.ids['element']}")).status_code == 404


@inside
async def test_a_grant_on_a_site_covers_buildings_that_come_later(corner: Corner) -> None:
    client, own = corner.clients["site"], corner.own
    assert [each["name"] for each in (await got(client, "/buildings"))["items"]] == ["Ownbuilding tower"]
    async with corner.twin.db.transaction() as conn:
        await conn.execute("INSERT INTO building (site_id, name) VALUES (%s, 'Annex')", (own.ids["site"],))
    corner.twin.callers.clear()
    assert "Annex" in {each["name"] for each in (await got(client, "/buildings"))["items"]}


@inside
async def test_what_one_may_not_read_is_missing_inside_of_other_answers(corner: Corner) -> None:
    """A role without alarms and orders: they are not in the element, nor in the overview."""
    client, own = corner.clients["viewer"], corner.own
    element = await got(client, f"/elements/{own.ids['element']}")
    assert (element["alarms"], element["orders"]) == ([], [])
    assert element["points"][0]["latest"] is None
    overview = await got(client, f"/buildings/{own.id}/overview")
    assert (overview["alarms"], overview["orders_open"], overview["points_online"]) == ([], 0, 0)
    assert (await client.get("/alarms")).status_code == 403


@inside
async def test_a_building_seen_in_part_is_not_renamed(corner: Corner) -> None:
    async with corner.twin.db.transaction() as conn:
        await world.account(conn, "modeller", "bim_modeller", ("storey", corner.own.ids["storey"]))
        client = await signed_in(corner.twin, conn, "modeller")
    answer = await client.patch(f"/buildings/{corner.own.id}", json={"name": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope.outside")
    await client.aclose()


@inside
async def test_a_sender_reaches_the_points_of_its_building_only(corner: Corner) -> None:
    from datetime import UTC, datetime

    async with corner.twin.db.transaction() as conn:
        await create_role(conn, CLI, "sender", "Sender", ["reading.write"])
        await world.account(conn, "gateway", "sender", ("building", corner.own.id))
        client = await signed_in(corner.twin, conn, "gateway")
    now = datetime.now(UTC).isoformat()
    keys = [corner.own.ids["key"], corner.foreign.ids["key"], "no such point"]
    answer = await client.post("/readings", json={"readings": [{"point": k, "ts": now, "value": 1} for k in keys]})
    assert answer.json()["accepted"] == 1
    assert [(each["index"], each["code"]) for each in answer.json()["rejected"]] == [
        (1, "reading.unknown_point"),
        (2, "reading.unknown_point"),
    ]
    assert (await client.get("/points")).status_code == 403
    await client.aclose()


# Scopes


A, B = (Place("building", UUID(int=n), frozenset({UUID(int=n)})) for n in (1, 2))
STOREY_OF_A = Place("storey", UUID(int=3), A.buildings)


def actor(*grants: tuple[str, Place | None]) -> Actor:
    made = tuple(Grant(role, ROLES[role], place) for role, place in grants)
    return Actor("account:li", tuple(role for role, _ in grants), held(made), grants=made)


def test_who_acknowledges_in_one_building_and_reads_in_two_acknowledges_in_one() -> None:
    both = actor(("duty_operator", A), ("owner", B))
    limits = access.limits_of(both, "alarm.acknowledge")
    assert limits is not None and limits["twin.alarm_buildings"] == f"{{{A.id}}}"
    limits = access.limits_of(both, "alarm.read")
    assert limits is not None and set(limits["twin.alarm_buildings"].strip("{}").split(",")) == {str(A.id), str(B.id)}


def test_a_storey_and_its_building_meet_in_the_storey() -> None:
    met = actor(("crew", STOREY_OF_A)).scope("alarm.read") & actor(("crew", A)).scope("alarm.read")
    assert met == Scope(storeys={STOREY_OF_A.id: A.id}) and met.seen == A.buildings


def test_a_limited_grant_gives_nothing_of_the_whole_server() -> None:
    limited = actor(("administrator", A))
    assert limited.may("alarm.read") and not limited.may("account.write") and not limited.may("audit.read")
    assert actor(("administrator", None)).may("account.write")


def test_unlimited_callers_cost_nothing() -> None:
    assert all(access.limits_of(actor((role, None)), None) is None for role in ROLES)
