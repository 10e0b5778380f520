"""API clients over HTTP: what a key may, how much, from where and how long; what it called; writes that happen once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.app import Twin, create_app, open_twin
from api.key_admin import expiry_of
from identity import keys
from identity.actor import CLI
from identity.permissions import ROLES
from tests.serving import Server, run_twin
from twin.db import rows
from twin.errors import Invalid
from twin.settings import Settings

Calls = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def twin(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twin]:
    """Small limits: what is tested is that they hold."""
    small = {"rate_account": 40, "rate_expensive": 3, "rate_anonymous": 30, "rate_guesses": 10, "worker": False}
    async with open_twin(settings.model_copy(update=small)) as made:
        hold_the_clock(made, monkeypatch)
        yield made


def hold_the_clock(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all calls fall into one window of the limits, however slow the machine is."""
    start = time.time() // 60 * 60 + 60
    monkeypatch.setattr(twin.clients.rates.storage, "now", lambda: start)


@pytest.fixture
def calls(twin: Twin) -> Calls:
    """Calls with a key's secret, from an address."""
    app = create_app(twin)

    @asynccontextmanager
    async def client(secret: str | None = None, address: str = "192.0.2.7") -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, client=(address, 4711))
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1", headers=headers) as made:
            yield made

    return client


@pytest.fixture
async def admin(twin: Twin, calls: Calls) -> AsyncIterator[httpx.AsyncClient]:
    """Calls as an administrator's key."""
    async with twin.db.transaction() as conn:
        _, secret = await keys.create_key(conn, "admin", created_by=CLI)
    async with calls(secret) as client:
        yield client


async def new_key(admin: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await admin.post("/api-keys", json={"name": f"bms {uuid4().hex[:8]}", **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.clause("6.1.5a")
@pytest.mark.clause("6.2.1e")
async def test_a_key_may_what_its_role_gives_at_most_its_scopes(admin: httpx.AsyncClient, calls: Calls) -> None:
    made = await new_key(admin, role="integration", scopes=["building.read", "account.write"])
    async with calls(made["secret"]) as client:
        assert (await client.get("/session")).json()["permissions"] == ["building.read"]
        assert (await client.get("/buildings")).status_code == 200
        for path in ("/points", "/accounts", "/alarms"):
            assert (await client.get(path)).json()["code"] == "permission.missing", path
        changed = await admin.patch(f"/api-keys/{made['key']['id']}", json={"scopes": None})
        assert changed.json()["scopes"] is None
        assert (await client.get("/session")).json()["permissions"] == sorted(ROLES["integration"])
    wrong = await admin.post("/api-keys", json={"name": "x", "scopes": ["everything"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "key.scope")


@pytest.mark.clause("6.1.5f")
async def test_a_key_of_a_building_sees_no_other(admin: httpx.AsyncClient, calls: Calls) -> None:
    for name in ("Mine", "Other"):
        assert (await admin.post("/buildings", json={"name": name})).status_code == 201
    made = await new_key(admin, role="facility_engineer", buildings=["Mine"])
    async with calls(made["secret"]) as client:
        assert [each["name"] for each in (await client.get("/buildings")).json()["items"]] == ["Mine"]
        assert (await client.get("/buildings/Other/tree")).status_code == 404
        point = {"key": "p", "name": "P", "kind": "number", "unit": "DEG_C"}
        assert (await client.post("/points", json={**point, "building": "Other"})).status_code == 404
        assert (await client.post("/points", json={**point, "building": "Mine"})).status_code == 201


@pytest.mark.clause("6.1.5g")
async def test_a_key_works_from_its_networks_only(admin: httpx.AsyncClient, calls: Calls) -> None:
    made = await new_key(admin, networks=["192.0.2.0/25", "2001:db8::7"])
    assert made["key"]["networks"] == ["192.0.2.0/25", "2001:db8::7/128"]
    for address, status in (
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("2001:db8::7", 200),
        ("192.0.2.200", 401),
        ("2001:db8::8", 401),
    ):
        async with calls(made["secret"], address) as client:
            assert (await client.get("/buildings")).status_code == status, address
    wrong = await admin.post("/api-keys", json={"name": "x", "networks": ["the office"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "key.networks")


async def test_rotation_leaves_two_secrets_for_a_while_and_revocation_none(
    admin: httpx.AsyncClient, calls: Calls
) -> None:
    made = await new_key(admin)
    path = f"/api-keys/{made['key']['id']}"
    second = (await admin.post(f"{path}/rotate", json={"overlap": 3600})).json()
    until = datetime.fromisoformat(second["key"]["rotating_until"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < until <= timedelta(hours=1)
    assert await works(calls, made["secret"]) and await works(calls, second["secret"])
    third = (await admin.post(f"{path}/rotate", json={"overlap": "PT0S"})).json()
    assert [await works(calls, each["secret"]) for each in (made, second, third)] == [False, False, True]
    assert (await admin.post(f"{path}/rotate", json={"overlap": 10_000_000})).json()["code"] == "key.overlap"
    assert (await admin.delete(path)).status_code == 200
    assert not await works(calls, third["secret"])
    assert (await admin.post(f"{path}/rotate")).status_code == 404
    assert (await admin.get(path)).json()["revoked_at"] is not None
    everything = (await admin.get("/audit")).text + (await admin.get("/api-keys")).text
    for each in (made, second, third):
        assert each["secret"] not in everything


async def works(calls: Calls, secret: str) -> bool:
    async with calls(secret) as client:
        return (await client.get("/session")).status_code == 200


async def test_an_expired_a_foreign_and_a_malformed_key_are_refused_alike(
    admin: httpx.AsyncClient, calls: Calls, twin: Twin
) -> None:
    made = await new_key(admin, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert await works(calls, made["secret"])
    async with twin.db.transaction() as conn:
        await conn.execute("UPDATE api_key SET expires_at = now() WHERE id = %s", (made["key"]["id"],))
    twin.callers.forget()  # as the database tells every server; here at once
    answers = []
    for secret in (made["secret"], "twin_" + "x" * 43, "%00", "Bearer"):
        async with calls(secret) as client:
            answer = await client.get("/buildings")
            answers.append((answer.status_code, answer.json()))
    assert answers == [answers[0]] * 4
    assert answers[0][0] == 401


async def test_nobody_makes_a_key_that_may_more_than_himself(admin: httpx.AsyncClient, calls: Calls) -> None:
    role = {"name": "key_keeper", "title": "Key keeper", "permissions": ["key.write", "building.read"]}
    assert (await admin.post("/roles", json=role)).status_code == 201
    keeper, strong = await new_key(admin, role="key_keeper"), await new_key(admin, role="administrator")
    async with calls(keeper["secret"]) as client:
        answers = [
            await client.post("/api-keys", json={"name": "x", "role": "administrator"}),
            await client.post(f"/api-keys/{strong['key']['id']}/rotate"),
            await client.patch(f"/api-keys/{strong['key']['id']}", json={"networks": []}),
        ]
        assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "grant.beyond")] * 3
        assert (await client.post("/api-keys", json={"name": "x", "role": "key_keeper"})).status_code == 201


@pytest.mark.clause("6.1.5b")
async def test_a_key_over_its_rate_waits_and_others_do_not(admin: httpx.AsyncClient, calls: Calls) -> None:
    made, other = await new_key(admin, rate=5), await new_key(admin, name="other", rate=5)
    async with calls(made["secret"]) as client, calls(other["secret"]) as neighbour:
        answers = [await client.get("/buildings") for _ in range(8)]
        assert [each.status_code for each in answers] == [200] * 5 + [429] * 3
        assert answers[0].headers["ratelimit-policy"] == '"calls";q=5;w=60'
        assert answers[0].headers["ratelimit"].startswith('"calls";r=4;t=')
        for refused in answers[5:]:
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["code"] == "rate.exceeded"
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.headers["ratelimit"].startswith('"calls";r=0;t=')
        assert (await neighbour.get("/buildings")).status_code == 200
        chinese = await client.get("/buildings", headers={"accept-language": "zh"})
        assert "重试" in chinese.json()["detail"]


async def test_the_refused_cost_no_look_into_the_database(admin: httpx.AsyncClient, calls: Calls, twin: Twin) -> None:
    made = await new_key(admin, rate=2)
    async with calls(made["secret"]) as client:
        assert [(await client.get("/buildings")).status_code for _ in range(3)] == [200, 200, 429]
    no_database: Any = None
    without = replace(twin, db=no_database)  # whoever asks it fails
    transport = httpx.ASGITransport(create_app(without), client=("192.0.2.7", 4711), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1") as client:
        for secret, status in ((made["secret"], 429), ("twin_another", 500)):
            answer = await client.get("/buildings", headers={"authorization": f"Bearer {secret}"})
            assert answer.status_code == status


async def test_two_servers_share_the_limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two applications with pools of their own on one database are two server processes to it."""
    async with (
        open_twin(settings.model_copy(update={"worker": False})) as one,
        open_twin(settings.model_copy(update={"worker": False})) as two,
    ):
        async with one.db.transaction() as conn:
            _, secret = await keys.create_key(conn, "bms", "integration", created_by=CLI, rate=12)
        headers = {"authorization": f"Bearer {secret}"}
        transports = [httpx.ASGITransport(create_app(each)) for each in (one, two)]
        statuses = []
        for each in (one, two):
            hold_the_clock(each, monkeypatch)
        for turn in range(16):
            async with httpx.AsyncClient(
                transport=transports[turn % 2], base_url="http://twin/api/v1", headers=headers
            ) as client:
                statuses.append((await client.get("/buildings")).status_code)
    assert sorted(statuses) == [200] * 12 + [429] * 4


async def test_what_costs_much_has_a_limit_of_its_own(admin: httpx.AsyncClient, calls: Calls) -> None:
    made = await new_key(admin, role="administrator")
    async with calls(made["secret"]) as client:
        answers = [await client.post("/models", data={"building": "none"}, files={"file": b""}) for _ in range(4)]
        assert [each.status_code for each in answers] == [404] * 3 + [429]
        assert '"expensive";q=3;w=60' in answers[0].headers["ratelimit-policy"]
        assert (await client.get("/buildings")).status_code == 200


async def test_only_so_many_calls_of_a_key_run_at_once(admin: httpx.AsyncClient, calls: Calls, twin: Twin) -> None:
    made = await new_key(admin, role="administrator", concurrency=2)
    async with calls(made["secret"]) as client, twin.db.transaction() as blocking:
        await blocking.execute("LOCK TABLE asset IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(client.get("/assets")) for _ in range(2)]
        async with asyncio.timeout(20):
            while await held(twin, made) < 2:
                await asyncio.sleep(0.01)
        refused = await client.get("/points")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate.concurrency")
        assert refused.headers["retry-after"] == "1"
        await blocking.execute("ROLLBACK")
        assert [(await each).status_code for each in waiting] == [200, 200]
        assert (await client.get("/points")).status_code == 200
    assert await held(twin, made) == 0


async def held(twin: Twin, made: dict[str, Any]) -> int:
    """Places among the calls of a key at once that are taken."""
    async with twin.db.connection() as conn:
        found = await rows(conn, "SELECT n FROM rate_lease WHERE name = %s", (f"key/{made['key']['id']}",))
    return sum(each["n"] for each in found)


@pytest.mark.clause("6.5.2b-3")
async def test_who_guesses_has_to_wait_and_his_neighbours_with_good_keys_do_not(
    admin: httpx.AsyncClient, calls: Calls
) -> None:
    good = await new_key(admin)
    assert await works(calls, good["secret"])
    for turn in range(12):
        async with calls(f"twin_guess{turn}") as client:
            answer = await client.get("/buildings")
            assert answer.status_code == (401 if turn < 10 else 429), turn
    assert answer.json()["code"] == "rate.guesses"
    async with calls() as anonymous:
        blocked = await anonymous.post("/session", json={"name": "li", "password": "a guess, wrong"})
    assert (blocked.status_code, blocked.json()["code"]) == (429, "rate.guesses")
    assert await works(calls, good["secret"])
    async with calls("twin_guess", "192.0.2.8") as elsewhere:
        assert (await elsewhere.get("/buildings")).status_code == 401


async def test_wrong_passwords_count_as_guesses(calls: Calls) -> None:
    async with calls() as client:
        statuses = [
            (await client.post("/session", json={"name": f"li{n}", "password": "a guess, wrong"})).status_code
            for n in range(12)
        ]
    assert statuses == [401] * 10 + [429] * 2


async def test_calls_without_credentials_are_limited_by_address(calls: Calls) -> None:
    async with calls(address="2001:db8::1") as client, calls(address="2001:db8::2") as same_line:
        assert {(await client.get("/health")).status_code for _ in range(30)} == {200}
        assert (await same_line.get("/health")).status_code == 429
    async with calls() as other:
        assert (await other.get("/health")).status_code == 200


async def test_an_account_is_limited_over_all_its_sessions(admin: httpx.AsyncClient, calls: Calls) -> None:
    person = {"name": "li", "password": "correct horse battery", "roles": ["crew"]}
    assert (await admin.post("/accounts", json=person)).status_code == 201
    statuses = []
    for _ in range(2):
        async with calls() as browser:
            signed = await browser.post("/session", json={"name": "li", "password": "correct horse battery"})
            assert signed.status_code == 200, signed.text
            statuses += [(await browser.get("/buildings")).status_code for _ in range(25)]
    assert statuses == [200] * 40 + [429] * 10


@pytest.mark.clause("6.1.5c")
@pytest.mark.clause("6.1.5d")
@pytest.mark.clause("6.2.1e")
async def test_the_catalogue_tells_what_each_key_may_and_does(
    admin: httpx.AsyncClient, calls: Calls, twin: Twin
) -> None:
    await admin.post("/buildings", json={"name": "Tower"})
    made = await new_key(
        admin, role="facility_engineer", buildings=["Tower"], scopes=["point.read", "alarm.acknowledge"], rate=5
    )
    async with calls(made["secret"]) as client:
        for path in ("/points", "/points?limit=2", f"/points/{uuid4()}", "/accounts", "/nothing", "/points", "/points"):
            await client.get(path)
    await twin.clients.usage.flush()
    entry = next(
        each for each in (await admin.get("/api-catalogue")).json()["items"] if each["key"]["id"] == made["key"]["id"]
    )
    assert (entry["reads"], entry["writes"]) == (["point.read"], ["alarm.acknowledge"])
    assert [(each["role"], each["place"]["name"]) for each in entry["grants"]] == [("facility_engineer", "Tower")]
    assert (entry["usage"]["calls"], entry["usage"]["errors"], entry["usage"]["refused"]) == (6, 3, 1)
    assert 0 < entry["usage"]["latency_mean"] < 30
    assert entry["key"]["used_from"] == "192.0.2.7"
    assert datetime.now(UTC) - datetime.fromisoformat(entry["key"]["used_at"]) < timedelta(minutes=1)
    usage = (await admin.get(f"/api-keys/{made['key']['id']}/usage")).json()
    assert {each["route"]: (each["figures"]["calls"], each["figures"]["errors"]) for each in usage["routes"]} == {
        "GET /points": (4, 1),
        "GET /points/{point}": (1, 1),
        "GET /accounts": (1, 1),
    }
    assert sum(each["figures"]["calls"] for each in usage["hours"]) == usage["total"]["calls"] == 6
    assert datetime.fromisoformat(usage["to"]) - datetime.fromisoformat(usage["from"]) == timedelta(days=7)
    for wrong in ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=0001-01-01T00:00:00Z", "from=now"):
        assert (await admin.get(f"/api-keys/{made['key']['id']}/usage?{wrong}")).status_code == 422, wrong
    assert (await admin.get(f"/api-keys/{uuid4()}/usage")).status_code == 404


@pytest.mark.clause("6.1.5e")
async def test_an_idempotency_key_a_hundred_times_at_once_under_a_limited_role(
    admin: httpx.AsyncClient, calls: Calls, twin: Twin
) -> None:
    """R11 for callers whose transactions are limited: one effect, one answer; another caller has keys of his own."""
    await admin.post("/buildings", json={"name": "Tower"})
    limited = [await new_key(admin, role="facility_engineer", buildings=["Tower"]) for _ in range(2)]  # of one name
    body = {"key": "p1", "name": "P", "building": "Tower", "kind": "number", "unit": "DEG_C"}
    once = {"idempotency-key": "the same"}
    async with calls(limited[0]["secret"]) as client, calls(limited[1]["secret"]) as other:
        answers = await asyncio.gather(*(client.post("/points", json=body, headers=once) for _ in range(100)))
        assert {each.status_code for each in answers} == {201}
        assert len({each.json()["id"] for each in answers}) == 1
        assert sum("idempotent-replayed" in each.headers for each in answers) == 99
        changed = await client.post("/points", json={**body, "key": "p2"}, headers=once)
        assert (changed.status_code, changed.json()["code"]) == (409, "idempotency.other_request")
        own = await other.post("/points", json={**body, "key": "p2"}, headers=once)
        assert (own.status_code, own.json()["key"]) == (201, "p2")
    async with twin.db.connection() as conn:
        assert [each["key"] for each in await rows(conn, "SELECT key FROM point ORDER BY key")] == ["p1", "p2"]


async def test_a_secret_is_not_kept_for_a_repeated_request(admin: httpx.AsyncClient, twin: Twin) -> None:
    once = {"idempotency-key": "make it once"}
    first = await admin.post("/api-keys", json={"name": "bms"}, headers=once)
    again = await admin.post("/api-keys", json={"name": "bms"}, headers=once)
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "idempotency.secret")
    async with twin.db.connection() as conn:
        assert first.json()["secret"] not in str(await rows(conn, "SELECT * FROM idempotency"))


def test_keys_from_the_command_line(server: Server, tmp_path: Path) -> None:
    name = f"cli {uuid4()}"
    with server.client() as admin:
        building = admin.post("/buildings", json={"name": f"B {uuid4()}"}).json()["name"]
        made = server.twin("key", "add", name, "--role", "integration", "--scope", "reading.write", "--scope",
                           "building.read", "--building", building, "--expires", "90d")  # fmt: skip
        assert made.returncode == 0, made.stderr
        secret = made.stdout.strip()
        assert made.stdout == secret + "\n"
        bearer = {"authorization": f"Bearer {secret}"}
        me = admin.get("/session", headers=bearer).json()
        assert me["permissions"] == ["building.read", "reading.write"]
        line = next(each for each in server.twin("key", "list").stdout.splitlines() if name in each)
        assert "integration" in line and "until" in line
        rotated = server.twin("key", "rotate", name, "--overlap", "0")
        assert admin.get("/session", headers=bearer).status_code == 401
        bearer = {"authorization": f"Bearer {rotated.stdout.strip()}"}
        assert admin.get("/session", headers=bearer).status_code == 200
        assert server.twin("key", "revoke", name).returncode == 0
        assert admin.get("/session", headers=bearer).status_code == 401
    for wrong in (("revoke", name), ("add", "x", "--scope", "no.such"), ("add", "x", "--expires", "yesterday")):
        refused = run_twin("key", *wrong, data=server.data, database=server.database)
        assert (refused.returncode, refused.stdout) == (1, ""), wrong
        assert "twin: " in refused.stderr


NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90d", NOON + timedelta(days=90)),
        ("2026-05-04", datetime(2026, 5, 5, tzinfo=UTC)),
        ("2026-05-04T18:00:00+08:00", None),
        ("2026-05-04T20:30:00+08:00", NOON + timedelta(minutes=30)),
        ("0d", None),
        ("99999999999d", None),
        ("soon", None),
    ],
)
def test_when_a_key_ends(text: str, end: datetime | None) -> None:
    if end is None:
        with pytest.raises(Invalid):
            expiry_of(text, NOON)
    else:
        assert expiry_of(text, NOON) == end
