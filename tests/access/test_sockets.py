"""What grants show on the live socket, and S3: what is taken away is gone, over a real server."""

import asyncio
import json
import os
import signal
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from identity import keys
from identity.actor import CLI, PlaceKind
from identity.grants import give_grant, take_grant
from identity.roles import create_role
from tests.access import world
from tests.access.world import Building
from tests.conftest import Cluster
from tests.serving import Server, serving
from twin.blobs import BlobStore
from twin.db import Conn

CUT_S = 5.0


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of this module's own."""
    name = f"sockets_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    with serving(tmp_path_factory.mktemp("sockets"), cluster.url(name)) as running:
        yield running
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@asynccontextmanager
async def transaction(server: Server) -> AsyncIterator[Conn]:
    """A transaction on the server's database, as another process would have it."""
    assert server.database
    connection = await Conn.connect(server.database, autocommit=True, row_factory=dict_row)
    async with connection, connection.transaction():
        yield connection


@pytest.fixture
async def tower(server: Server) -> Building:
    """A furnished building of this test's own; the server has read it."""
    mark = f"Tower{uuid4().hex[:8]}"
    async with transaction(server) as conn:
        made = await world.build(conn, BlobStore(server.data / "blobs"), mark)
    await _settled(server, made)
    return made


async def _settled(server: Server, tower: Building) -> None:
    """Wait until the server's hub knows the points: they were written behind its back and told as events."""
    async with listening(server, server.key) as socket, asyncio.timeout(20):
        while len((await subscribe(socket, tower))["handles"]) < 2:
            await asyncio.sleep(0.05)


async def key_for(server: Server, role: str, *places: tuple[PlaceKind, UUID]) -> tuple[UUID, str]:
    """A key that holds a role at these places."""
    async with transaction(server) as conn:
        key, secret = await keys.create_key(conn, f"key {uuid4().hex[:8]}", "crew", created_by=CLI)
        await conn.execute("DELETE FROM role_grant WHERE key_id = %s", (key.id,))
        for place in places or (None,):
            await give_grant(conn, CLI, role, key=key.id, place=place)
    return key.id, secret


@asynccontextmanager
async def listening(server: Server, key: str) -> AsyncIterator[ClientConnection]:
    address = server.api.replace("http", "ws", 1) + "/live"
    async with connect(address, additional_headers={"authorization": f"Bearer {key}"}) as socket:
        yield socket


async def subscribe(socket: ClientConnection, tower: Building, **more: Any) -> dict[str, Any]:
    await socket.send(json.dumps({"op": "subscribe", "id": 1, "building": str(tower.id), **more}))
    return await until(socket, lambda message: message["op"] in ("snapshot", "error"))


async def until(socket: ClientConnection, wanted: Any) -> dict[str, Any]:
    """The next JSON message that is wanted."""
    async with asyncio.timeout(20):
        while True:
            raw = await socket.recv()
            if isinstance(raw, str) and wanted(message := json.loads(raw)):
                found: dict[str, Any] = message
                return found


async def heard_until(socket: ClientConnection, mark: str) -> tuple[list[dict[str, Any]], set[int]]:
    """Events up to the one with `mark`, and the handles of all values that came before it."""
    events, handles = [], set[int]()
    async with asyncio.timeout(20):
        while True:
            raw = await socket.recv()
            if isinstance(raw, bytes):
                count = struct.unpack_from("<I", raw, 4)[0]
                handles |= set(struct.unpack_from(f"<{count}I", raw, 16))
                continue
            message = json.loads(raw)
            if message["op"] == "event":
                events.append(message)
                if message["data"].get("mark") == mark:
                    return events, handles


async def tell(server: Server, tower: Building, *told: tuple[str, dict[str, Any], str | None]) -> None:
    """Write events about objects: topic, data, and on which storey of the building."""
    async with transaction(server) as conn:
        for topic, data, storey in told:
            where = None if storey is None else getattr(tower, storey)["storey"]
            await conn.execute(
                "INSERT INTO event (building_id, storey_id, topic, data) VALUES (%s, %s, %s, %s)",
                (tower.id, where, topic, Jsonb(data)),
            )


def every_topic(tower: Building) -> list[tuple[str, dict[str, Any], str | None]]:
    """One event of each kind on both storeys, then one that everybody who sees the building hears."""
    told: list[tuple[str, dict[str, Any], str | None]] = []
    for name in ("up", "ids"):
        storey = getattr(tower, name)
        told += [
            (topic, {"id": str(storey[subject]), "on": name}, name)
            for topic, subject in (("alarm", "alarm"), ("work_order", "order"), ("command", "command"))
        ]
    return [*told, ("model", {"mark": "end"}, None)]


async def test_a_storey_hears_of_itself(server: Server, tower: Building) -> None:
    _, key = await key_for(server, "crew", ("storey", tower.ids["storey"]))
    async with listening(server, key) as socket:
        snapshot = await subscribe(socket, tower)
        own = {tower.ids["handle"], tower.ids["derived_point"]}
        assert {each["handle"] for each in snapshot["handles"]} == own
        now = datetime.now(UTC).isoformat()
        values = [{"point": storey["key"], "ts": now, "value": 30} for storey in (tower.ids, tower.up)]
        async with httpx.AsyncClient(base_url=server.api, headers={"authorization": f"Bearer {server.key}"}) as client:
            assert (await client.post("/readings", json={"readings": values})).json()["accepted"] == 2
        async with asyncio.timeout(20):  # values are sent by a tick, events at once
            while not isinstance(frame := await socket.recv(), bytes):
                pass
        [count] = struct.unpack_from("<I", frame, 4)
        assert count and set(struct.unpack_from(f"<{count}I", frame, 16)) <= own
        await tell(server, tower, *every_topic(tower))
        events, handles = await heard_until(socket, "end")
    assert {(each["topic"], each["data"].get("on")) for each in events if "on" in each["data"]} == {
        ("alarm", "ids"), ("work_order", "ids"), ("command", "ids"),
    }  # fmt: skip
    assert handles <= own


async def test_a_system_hears_of_its_members(server: Server, tower: Building) -> None:
    async with transaction(server) as conn:  # the point above moves to the member of the system there
        await conn.execute("UPDATE point SET element_id = %s WHERE handle = %s", (tower.up["duct"], tower.up["handle"]))
        await conn.execute("UPDATE alarm SET element_id = %s WHERE id = %s", (tower.up["duct"], tower.up["alarm"]))
    _, key = await key_for(server, "crew", ("system", tower.ids["system"]))
    async with listening(server, key) as socket:
        snapshot = await subscribe(socket, tower)
        assert [each["handle"] for each in snapshot["handles"]] == [tower.up["handle"]]
        await tell(server, tower, *every_topic(tower))
        events, _ = await heard_until(socket, "end")
    assert {(each["topic"], each["data"].get("on")) for each in events if "on" in each["data"]} == {
        ("alarm", "up"), ("command", "up"),
    }  # fmt: skip


async def test_events_take_the_permission_of_their_topic(server: Server, tower: Building) -> None:
    name = f"v{uuid4().hex[:8]}"
    async with transaction(server) as conn:
        await create_role(conn, CLI, name, "No work", ["building.read", "model.read", "alarm.read"])
    _, key = await key_for(server, name)
    async with listening(server, key) as socket:
        assert (await subscribe(socket, tower))["handles"] == []
        crew = {"account": None, "role": "crew", "id": 1}
        await tell(server, tower, ("notification", crew, None), *every_topic(tower))
        events, handles = await heard_until(socket, "end")
    assert {each["topic"] for each in events} == {"alarm", "model"} and not handles


async def test_a_notification_goes_to_its_receiver(server: Server, tower: Building) -> None:
    for role, hears in (("crew", True), ("owner", False)):
        _, key = await key_for(server, role)
        async with listening(server, key) as socket:
            await subscribe(socket, tower)
            crew = {"account": None, "role": "crew", "id": 1}
            await tell(server, tower, ("notification", crew, None), ("model", {"mark": "end"}, None))
            events, _ = await heard_until(socket, "end")
            assert ("notification" in {each["topic"] for each in events}) is hears


async def test_what_was_missed_is_replayed_as_far_as_it_may_be_seen(server: Server, tower: Building) -> None:
    _, key = await key_for(server, "crew", ("storey", tower.ids["storey"]))
    async with listening(server, server.key) as everything:
        before = (await subscribe(everything, tower))["seq"]
        await tell(server, tower, *every_topic(tower))
        await heard_until(everything, "end")
    async with listening(server, key) as socket:
        await subscribe(socket, tower, since=before)
        events, _ = await heard_until(socket, "end")
    assert {each["data"]["on"] for each in events if "on" in each["data"]} == {"ids"}


async def test_a_foreign_building_and_storey_are_not_there(server: Server, tower: Building) -> None:
    _, key = await key_for(server, "crew", ("storey", tower.ids["storey"]))
    async with transaction(server) as conn:
        other = await world.build(conn, BlobStore(server.data / "blobs"), f"Other{uuid4().hex[:8]}")
    async with listening(server, key) as socket:
        assert (await subscribe(socket, other))["code"] == "building.unknown"
        assert (await subscribe(socket, tower, storeys=[str(tower.up["storey"])]))["op"] == "error"


# S3: what is taken away


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server closes the socket, within the figure's time."""
    async with asyncio.timeout(CUT_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd else None


@pytest.mark.clause("6.5.2b-4")
@pytest.mark.parametrize("cut", ["grant taken", "key revoked", "role emptied"])
async def test_what_is_taken_from_a_key_is_gone_over_http_and_on_its_sockets(
    server: Server, tower: Building, cut: str
) -> None:
    name = f"r{uuid4().hex[:8]}"
    async with transaction(server) as conn:
        await create_role(conn, CLI, name, "Looks", ["building.read", "reading.read", "point.read"])
    key_id, key = await key_for(server, name, ("building", tower.id))
    headers = {"authorization": f"Bearer {key}"}
    async with (
        listening(server, key) as socket,
        httpx.AsyncClient(base_url=server.api, headers=headers) as client,
        httpx.AsyncClient(base_url=server.api, headers={"authorization": f"Bearer {server.key}"}) as administrator,
    ):
        await subscribe(socket, tower)
        assert (await client.get(f"/buildings/{tower.id}")).status_code == 200
        if cut == "grant taken":
            grant = (await administrator.get("/grants", params={"key": str(key_id)})).json()["items"][0]
            answer = await administrator.delete(f"/grants/{grant['id']}")
        elif cut == "key revoked":
            answer = await administrator.delete(f"/api-keys/{key_id}")
        else:
            answer = await administrator.patch(f"/roles/{name}", json={"permissions": []})
        assert answer.is_success, answer.text
        refused = await client.get(f"/buildings/{tower.id}")  # the very next request
        assert refused.status_code == (401 if cut == "key revoked" else 403), refused.text
        assert await closed(socket) == 4401


@pytest.mark.clause("6.5.2b-4")
async def test_a_smaller_grant_closes_the_socket_which_comes_back_with_less(server: Server, tower: Building) -> None:
    key_id, key = await key_for(server, "crew", ("building", tower.id))
    async with listening(server, key) as socket:
        assert len((await subscribe(socket, tower))["handles"]) == 4
        async with transaction(server) as conn:
            await give_grant(conn, CLI, "crew", key=key_id, place=("storey", tower.ids["storey"]))
            held = await (await conn.execute("SELECT id FROM role_grant WHERE building_id IS NOT NULL")).fetchall()
            for grant in held:
                await take_grant(conn, CLI, grant["id"])
        assert await closed(socket) == 4403
    async with listening(server, key) as socket:
        assert len((await subscribe(socket, tower))["handles"]) == 2


@pytest.mark.clause("6.5.2b-4")
@pytest.mark.parametrize("cut", ["signed out", "disabled", "role removed by another process"])
async def test_an_account_loses_its_sockets_with_its_session(server: Server, tower: Building, cut: str) -> None:
    name = f"a{uuid4().hex[:8]}"
    made = server.twin(
        "account", "add", name, "--role", "crew", "--password-stdin", stdin="a long enough sentence for this\n"
    )
    assert made.returncode == 0, made.stderr
    async with httpx.AsyncClient(base_url=server.api) as client:
        me = await client.post("/session", json={"name": name, "password": "a long enough sentence for this"})
        assert me.status_code == 200, me.text
        cookie = f"twin_session={client.cookies['twin_session']}"
        address = server.api.replace("http", "ws", 1) + "/live"
        async with connect(address, additional_headers={"cookie": cookie}) as socket:
            await subscribe(socket, tower)
            if cut == "signed out":
                token = {"x-csrf-token": me.json()["csrf_token"]}
                assert (await client.delete("/session", headers=token)).status_code == 204
            else:
                async with transaction(server) as conn:
                    if cut == "disabled":
                        await conn.execute("UPDATE account SET disabled = true WHERE name = %s", (name,))
                    else:
                        await conn.execute(
                            "DELETE FROM role_grant USING account a WHERE a.id = account_id AND a.name = %s", (name,)
                        )
            assert await closed(socket) == 4401
        refused = await client.get("/buildings", headers={"cookie": cookie})
        assert refused.status_code in (401, 403), refused.text


async def test_a_listening_connection_that_hears_nothing_any_more_lets_nobody_stay(
    server: Server, tower: Building
) -> None:
    key_id, key = await key_for(server, "crew", ("building", tower.id))
    async with listening(server, key) as socket:
        await subscribe(socket, tower)
        async with transaction(server) as conn:
            found = await conn.execute("SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN twin_access'")
            pids = [each["pid"] for each in await found.fetchall()]
        assert pids
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            async with transaction(server) as conn:
                await keys.revoke_key(conn, key_id)
            assert await closed(socket) == 4401
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


async def test_psycopg_is_told_at_once(server: Server) -> None:
    """The channel on which servers hear of what is taken away tells whose it is."""
    assert server.database
    key_id, _ = await key_for(server, "crew")
    async with await psycopg.AsyncConnection.connect(server.database, autocommit=True) as conn:
        await conn.execute("LISTEN twin_access")
        async with transaction(server) as other:
            await other.execute("DELETE FROM role_grant WHERE key_id = %s", (key_id,))
        async with asyncio.timeout(10):
            async for notify in conn.notifies():
                if notify.payload == str(key_id):
                    break
