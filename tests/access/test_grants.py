"""Roles and grants over HTTP: who may give what, what cannot be taken, what does not go together."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from api.app import Twin, create_app, open_twin
from identity import keys
from identity.actor import CLI
from identity.grants import actor_of_account, check_not_above
from identity.permissions import PERMISSIONS, ROLES, TITLES
from identity.roles import create_role
from tests.access import world
from tests.access.world import Building
from twin import migrations
from twin.errors import Denied
from twin.settings import Settings


@pytest.fixture
async def twin(settings: Settings) -> AsyncIterator[Twin]:
    async with open_twin(settings.model_copy(update={"worker": False})) as made:
        yield made


@pytest.fixture
async def tower(twin: Twin) -> Building:
    async with twin.db.transaction() as conn:
        return await world.build(conn, twin.blobs, "Tower")


async def client_of(twin: Twin, role: str, *, scopes: list[str] | None = None) -> httpx.AsyncClient:
    async with twin.db.transaction() as conn:
        _, secret = await keys.create_key(conn, f"{role} key", role, created_by=CLI, scopes=scopes)
    headers = {"authorization": f"Bearer {secret}", "accept-language": "en"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(twin)), base_url="http://localhost/api/v1", headers=headers
    )


@pytest.fixture
async def admin(twin: Twin) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_of(twin, "administrator") as made:
        yield made


async def answer(response: httpx.Response, status: int, code: str | None = None) -> Any:
    assert response.status_code == status, response.text
    found: Any = response.json() if response.content else {}
    assert code is None or found["code"] == code, found
    return found


@pytest.mark.clause("6.2.1c")
async def test_a_grant_is_given_at_a_place_shown_and_taken(
    twin: Twin, tower: Building, admin: httpx.AsyncClient
) -> None:
    async with twin.db.transaction() as conn:
        li = await world.account(conn, "li", "owner", ("building", tower.id))
    wish = {"account": "li", "role": "crew", "storey": str(tower.ids["storey"])}
    grant = await answer(await admin.post("/grants", json=wish), 201)
    assert grant["place"] == {
        "kind": "storey", "id": str(tower.ids["storey"]), "name": "Tower low", "building": "Tower tower",
    }  # fmt: skip
    assert (grant["account"], grant["role"], grant["granted_by"]) == ("li", "crew", "key:administrator key")
    again = await answer(await admin.post("/grants", json=wish | {"account": str(li)}), 201)
    assert again["id"] == grant["id"]  # giving twice does no harm
    held = await answer(await admin.get("/grants", params={"account": "li"}), 200)
    assert {each["role"] for each in held["items"]} == {"owner", "crew"}
    await answer(await admin.delete(f"/grants/{grant['id']}"), 204)
    await answer(await admin.delete(f"/grants/{grant['id']}"), 404, "grant.unknown")
    trail = await answer(await admin.get("/audit", params={"object": f"account:{li}"}), 200)
    assert {"grant.give", "grant.take"} <= {each["action"] for each in trail["items"]}


async def test_a_grant_has_one_holder_one_place_and_a_role_that_is_there(
    twin: Twin, tower: Building, admin: httpx.AsyncClient
) -> None:
    async with twin.db.transaction() as conn:
        await world.account(conn, "li", "owner")
    nowhere = "00000000-0000-4000-8000-000000000000"
    for wish, status, code in (
        ({"role": "crew"}, 422, "grant.holder"),
        ({"account": "li", "key": nowhere, "role": "crew"}, 422, "grant.holder"),
        ({"account": "li", "role": "king"}, 422, "role.unknown"),
        ({"account": "nobody", "role": "crew"}, 404, "account.unknown"),
        ({"key": nowhere, "role": "crew"}, 404, "key.unknown"),
        ({"account": "li", "role": "crew", "storey": nowhere}, 404, "grant.place"),
        ({"account": "li", "role": "crew", "building": "none"}, 404, "building.unknown"),
        ({"account": "li", "role": "crew", "building": str(tower.id), "site": str(tower.ids["site"])}, 422,
         "grant.one_place"),
    ):  # fmt: skip
        await answer(await admin.post("/grants", json=wish), status, code)


async def test_the_picker_lists_places(tower: Building, admin: httpx.AsyncClient) -> None:
    everywhere = await answer(await admin.get("/grants/places"), 200)
    assert [(each["kind"], each["name"]) for each in everywhere["items"]] == [
        ("site", "Tower site"),
        ("building", "Tower tower"),
    ]
    inside = await answer(await admin.get("/grants/places", params={"building": "Tower tower"}), 200)
    assert [(each["kind"], each["name"]) for each in inside["items"]] == [
        ("storey", "Tower low"),
        ("storey", "Tower high"),
        ("system", "Tower water"),
    ]


async def test_a_role_of_ones_own_is_made_changed_and_deleted_when_free(
    twin: Twin, tower: Building, admin: httpx.AsyncClient
) -> None:
    wish = {"name": "guard", "title": "保安 Guard", "permissions": ["alarm.read", "building.read"]}
    made = await answer(await admin.post("/roles", json=wish), 201)
    assert made["permissions"] == ["building.read", "alarm.read"] and not made["builtin"]
    await answer(await admin.post("/roles", json=wish), 409, "role.exists")
    await answer(await admin.post("/roles", json=wish | {"name": "crew"}), 409, "role.exists")
    await answer(await admin.post("/roles", json=wish | {"name": "Guard!"}), 422, "role.name")
    await answer(await admin.post("/roles", json=wish | {"name": "x", "permissions": ["fly"]}), 422, "role.permission")
    async with twin.db.transaction() as conn:
        await world.account(conn, "li", "owner", ("building", tower.id))
    grant = await answer(await admin.post("/grants", json={"account": "li", "role": "guard"}), 201)
    listed = {each["name"]: each for each in (await answer(await admin.get("/roles"), 200))["items"]}
    assert listed["guard"]["grants"] == 1 and listed["crew"]["builtin"] and listed["crew"]["title"]["zh"] == "维修班组"
    await answer(await admin.delete("/roles/guard"), 409, "role.in_use")
    changed = await answer(await admin.patch("/roles/guard", json={"permissions": ["alarm.read"]}), 200)
    assert changed["permissions"] == ["alarm.read"] and changed["title"]["en"] == "保安 Guard"
    await answer(await admin.delete(f"/grants/{grant['id']}"), 204)
    await answer(await admin.delete("/roles/guard"), 204)
    await answer(await admin.patch("/roles/guard", json={"title": "x"}), 404, "role.missing")
    await answer(await admin.delete("/roles/crew"), 409, "role.builtin")


@pytest.mark.clause("9.1.3-1")
async def test_nobody_gives_what_he_does_not_hold(twin: Twin, tower: Building) -> None:
    async with twin.db.transaction() as conn:
        await world.account(conn, "li", "owner", ("building", tower.id))
        await create_role(conn, CLI, "clerk", "Clerk", ["account.read", "grant.write", "role.write", "account.write",
                                                        *ROLES["crew"]])  # fmt: skip
    async with await client_of(twin, "clerk") as clerk:
        await answer(await clerk.post("/grants", json={"account": "li", "role": "crew"}), 201)
        for role in ("administrator", "facility_engineer", "auditor"):
            await answer(await clerk.post("/grants", json={"account": "li", "role": role}), 403, "grant.beyond")
        wish = {"name": "more", "title": "More", "permissions": ["audit.read"]}
        await answer(await clerk.post("/roles", json=wish), 403, "grant.beyond")
        await answer(await clerk.patch("/roles/clerk", json={"permissions": ["key.write"]}), 403, "grant.beyond")


async def test_who_may_do_less_does_not_get_at_the_account_of_who_may_do_more(twin: Twin, tower: Building) -> None:
    async with twin.db.transaction() as conn:
        boss = await world.account(conn, "boss", "administrator")
        li = await world.account(conn, "li", "crew", ("building", tower.id))
        await create_role(conn, CLI, "clerk", "Clerk", ["account.read", "account.write", *ROLES["crew"]])
        clerk = await world.account(conn, "clerk", "clerk")
        actor = await actor_of_account(conn, clerk, "clerk")
        await check_not_above(conn, actor, li)
        with pytest.raises(Denied, match="you do not hold yourself"):
            await check_not_above(conn, actor, boss)


@pytest.mark.clause("9.1.3-1")
async def test_an_auditor_does_not_administer(twin: Twin, admin: httpx.AsyncClient) -> None:
    async with twin.db.transaction() as conn:
        await world.account(conn, "li", "auditor")
        await world.account(conn, "boss", "administrator")
    refused = await answer(
        await admin.post("/grants", json={"account": "li", "role": "administrator"}), 409, "grant.apart"
    )
    assert "two accounts" in refused["detail"]
    await answer(await admin.post("/grants", json={"account": "boss", "role": "auditor"}), 409, "grant.apart")
    await answer(await admin.post("/grants", json={"account": "li", "role": "crew"}), 201)
    assert not ROLES["auditor"] & {name for name in PERMISSIONS if name.endswith((".write", ".upload", ".command"))}


@pytest.mark.clause("9.1.3-1")
async def test_the_last_administrator_stays(twin: Twin, admin: httpx.AsyncClient) -> None:
    async with twin.db.transaction() as conn:
        await world.account(conn, "first", "administrator")
        await world.account(conn, "second", "administrator")
    grants = (await answer(await admin.get("/grants", params={"role": "administrator"}), 200))["items"]
    ids = {each["account"]: each["id"] for each in grants if each["account"]}
    await answer(await admin.delete(f"/grants/{ids['first']}"), 204)
    await answer(await admin.delete(f"/grants/{ids['second']}"), 409, "grant.last_administrator")
    await answer(await admin.patch("/accounts/second", json={"disabled": True}), 409, "grant.last_administrator")


async def test_a_key_does_at_most_what_its_scopes_name(twin: Twin, tower: Building) -> None:
    async with await client_of(twin, "administrator", scopes=["alarm.read", "building.read"]) as client:
        assert len((await answer(await client.get("/alarms"), 200))["items"]) == 2
        await answer(await client.get("/points"), 403, "permission.missing")
        await answer(await client.get("/accounts"), 403, "permission.missing")


async def test_every_permission_and_built_in_role_has_a_title_in_both_languages(admin: httpx.AsyncClient) -> None:
    listed = (await answer(await admin.get("/permissions"), 200))["items"]
    assert [each["name"] for each in listed] == list(PERMISSIONS)
    assert all(each["title"]["en"] and each["title"]["zh"] for each in listed)
    assert TITLES.keys() == ROLES.keys() and all(all(titles) for titles in TITLES.values())


def test_a_database_user_who_may_not_make_roles_is_told_what_to_do(cluster: Any) -> None:
    """A PostgreSQL of one's own: the role of limited callers may have been made beforehand."""
    cluster.execute("CREATE ROLE {} LOGIN", "plain_user")
    cluster.execute("CREATE DATABASE {} OWNER {}", "plain", "plain_user")
    url = cluster.url("plain")
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm")  # as an administrator does it
        as_user = url + ("&" if "?" in url else "?") + "options=-c%20role%3Dplain_user"
        with pytest.raises(Exception, match="GRANT twin_limited TO plain_user"):
            migrations.migrate(as_user)
        cluster.execute("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE", "twin_limited", "plain_user")
        migrations.migrate(as_user)
        with psycopg.connect(as_user) as conn, conn.transaction():
            conn.execute("INSERT INTO site (name) VALUES ('A')")
            conn.execute("SELECT set_config('role', 'twin_limited', true)")
            assert conn.execute("SELECT count(*) FROM site").fetchone() == (0,)
    finally:
        cluster.execute("DROP DATABASE {} WITH (FORCE)", "plain")
        cluster.execute("DROP OWNED BY {}", "plain_user")
        cluster.execute("DROP ROLE {}", "plain_user")


async def test_roles_and_grants_of_before_are_kept_by_the_migration(cluster: Any) -> None:
    """Accounts had a list of roles and keys one role; both become grants everywhere."""
    cluster.execute("CREATE DATABASE {}", "before_grants")
    url = cluster.url("before_grants")
    try:
        with psycopg.connect(url) as conn:
            for name in sorted(path.name for path in (migrations.FOLDER / "sql").glob("*.sql")):
                if name.startswith("0007"):
                    conn.execute("INSERT INTO account (name, password_hash, roles) VALUES ('li', '', '{crew,owner}')")
                    conn.execute("INSERT INTO api_key (name, secret_hash, role) VALUES ('bms', '', 'integration')")
                conn.execute((migrations.FOLDER / "sql" / name).read_text("utf-8"))
            found = conn.execute("""SELECT a.roles, k.roles FROM account a, api_key k""").fetchone()
            assert found == (["crew", "owner"], ["integration"])
            conn.rollback()
    finally:
        cluster.execute("DROP DATABASE {} WITH (FORCE)", "before_grants")
