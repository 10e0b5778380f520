"""The whole line over HTTP and the live socket: IFC → room → reading → alarm → work order → closed."""

import asyncio
import json
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.serving import Server, run_twin, upload

LIMIT = 28.0


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample building."""
    out = tmp_path_factory.mktemp("sample") / "tower.ifc"
    done = run_twin("sample", str(out), "--storeys", "2", data=out.parent / "data", database=None)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def building(server: Server, sample: Path) -> str:
    """A building with the sample uploaded through the API; its id."""
    with server.client() as client:
        made = client.post("/buildings", json={"name": "Story tower"})
        assert made.status_code == 201, made.text
        job = upload(client, sample, "Story tower")
        assert job["state"] == "done", job["error"]
        assert job["result"]["without_geometry"] == []
        return str(made.json()["id"])


@pytest.fixture(scope="module")
def room(server: Server, building: str) -> dict[str, Any]:
    """A room of the building."""
    with server.client() as client:
        tree = client.get(f"/buildings/{building}/tree").raise_for_status().json()
    spaces: list[dict[str, Any]] = [space for storey in tree["storeys"] for space in storey["spaces"]]
    return next(space for space in spaces if space["area"] and space["area"] > 8)


@pytest.fixture(scope="module")
def point(server: Server, building: str, room: dict[str, Any]) -> str:
    """A temperature point of the room; its key."""
    with server.client() as client:
        body = {
            "key": "story.room.temperature", "name": "Room temperature", "building": building, "kind": "number",
            "unit": "DEG_C", "element": room["global_id"],
        }  # fmt: skip
        made = client.post("/points", json=body)
        assert made.status_code == 201, made.text
    return "story.room.temperature"


def send(client: httpx.Client, key: str, value: float, at: datetime) -> dict[str, Any]:
    """Send one reading; return the receipt."""
    answer = client.post("/readings", json={"readings": [{"point": key, "ts": at.isoformat(), "value": value}]})
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


class Listener:
    """A live socket that remembers what it got."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.values: dict[int, float] = {}

    async def until(self, wanted: Any) -> Any:
        """Read until `wanted(message)` gives something; binary frames only update `values`."""
        async with asyncio.timeout(20):
            async for message in self.socket:
                if isinstance(message, bytes):
                    self._take(message)
                    found = wanted(None)
                else:
                    found = wanted(json.loads(message))
                if found:
                    return found
        raise AssertionError("the socket was closed")

    def _take(self, frame: bytes) -> None:
        version, kind, _, count, _ = struct.unpack_from("<BBHIq", frame)
        assert (version, kind) == (1, 1) and len(frame) == 16 + 9 * count
        handles = struct.unpack_from(f"<{count}I", frame, 16)
        values = struct.unpack_from(f"<{count}f", frame, 16 + 4 * count)
        self.values.update(zip(handles, values, strict=True))


def live(server: Server) -> connect:
    """Open the live socket with the server's key."""
    address = server.api.replace("http", "ws", 1) + "/live"
    return connect(address, additional_headers={"authorization": f"Bearer {server.key}"})


@pytest.mark.clause("6.4.3b")
@pytest.mark.clause("6.4.3c")
@pytest.mark.clause("7.7.1a-1")
async def test_a_hot_room_becomes_an_alarm_where_it_is_and_an_order_that_is_closed(
    server: Server, building: str, room: dict[str, Any], point: str
) -> None:
    with server.client() as client:
        async with live(server) as socket:
            listener = Listener(socket)
            await socket.send(json.dumps({"op": "subscribe", "id": 1, "building": building}))
            snapshot = await listener.until(lambda m: m if m and m["op"] == "snapshot" else None)
            handle = next(each["handle"] for each in snapshot["handles"] if each["point"] == point)
            rule = client.post(
                "/alarm-rules",
                json={"name": "Too warm", "point": point, "kind": "high", "limit": LIMIT, "severity": "high",
                      "work_order": True, "crew": "crew"},
            )  # fmt: skip
            assert rule.status_code == 201, rule.text
            now = datetime.now(UTC)
            assert send(client, point, 21.5, now - timedelta(minutes=2))["accepted"] == 1
            await listener.until(lambda _: listener.values.get(handle) == 21.5)
            send(client, point, 31.0, now)
            raised = await listener.until(_alarm_event)
            assert listener.values.get(handle) == 31.0 or await listener.until(
                lambda _: listener.values[handle] == 31.0
            )

        alarm = client.get(f"/alarms/{raised['id']}").raise_for_status().json()
        assert (alarm["global_id"], alarm["space_id"], alarm["active"]) == (room["global_id"], room["id"], True)
        assert alarm["storey"] and len(alarm["position"]) == 3 and set(alarm["viewpoint"]) == {"eye", "target"}
        orders = client.get("/work-orders", params={"building": building}).raise_for_status().json()["items"]
        order = next(each for each in orders if each["alarm_id"] == raised["id"])
        for action, body in (("start", {}), ("done", {"result": "Valve opened"}), ("verify", {})):
            answer = client.post(f"/work-orders/{order['id']}/{action}", json=body)
            assert answer.status_code == 200, (action, answer.text)
        assert answer.json()["state"] == "verified"
        assert client.post(f"/alarms/{raised['id']}/ack", json={"comment": "seen"}).status_code == 200
        send(client, point, 22.0, datetime.now(UTC))
        closed = await _until_closed(client, raised["id"])
        assert closed["closed_at"] is not None


def _alarm_event(message: Any) -> Any:
    wanted = message and message["op"] == "event" and message["topic"] == "alarm"
    return message["data"] if wanted else None


async def _until_closed(client: httpx.Client, alarm: str) -> dict[str, Any]:
    for _ in range(100):
        answer = await asyncio.to_thread(client.get, f"/alarms/{alarm}")
        found: dict[str, Any] = answer.raise_for_status().json()
        if found["closed_at"]:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"the alarm stays open: {found}")


def test_the_tree_the_rooms_and_the_tiles_belong_together(server: Server, building: str) -> None:
    with server.client() as client:
        tree = client.get(f"/buildings/{building}/tree").raise_for_status().json()
        tileset = client.get(f"/buildings/{building}/tileset.json").raise_for_status().json()
        known = {storey["id"] for storey in tree["storeys"]}
        contents = [child["content"] for child in _tiles(tileset["root"])]
        assert contents
        assert {content["extras"]["storey"] for content in contents} <= known | {None}
        tile = client.get(
            urljoin(f"{server.api}/buildings/{building}/tileset.json", contents[0]["uri"])
        ).raise_for_status()
        assert tile.content[:4] == b"glTF" and "immutable" in tile.headers["cache-control"]


def _tiles(node: dict[str, Any]) -> list[dict[str, Any]]:
    own = [node] if "content" in node else []
    return own + [tile for child in node.get("children", []) for tile in _tiles(child)]


def test_the_same_reading_twice_is_one_and_another_value_is_kept_apart(server: Server, point: str) -> None:
    at = datetime.now(UTC) - timedelta(hours=3)
    with server.client() as client:
        assert send(client, point, 20.0, at) == {"accepted": 1, "duplicate": 0, "rejected": []}
        assert send(client, point, 20.0, at) == {"accepted": 0, "duplicate": 1, "rejected": []}
        conflict = send(client, point, 20.5, at)
        assert conflict["rejected"][0]["code"] == "reading.conflict"
        kept = client.get("/quarantine").raise_for_status().json()["items"]
        assert any(each["code"] == "reading.conflict" for each in kept)


def test_what_cannot_be_used_is_refused_one_by_one_and_the_rest_goes_through(server: Server, point: str) -> None:
    now = datetime.now(UTC)
    readings = [
        {"point": "no.such.point", "ts": now.isoformat(), "value": 1},
        {"point": point, "ts": "2099-01-01T00:00:00Z", "value": 1},
        {"point": point, "ts": "yesterday", "value": 1},
        {"point": point, "ts": now.isoformat(), "value": "warm"},
        {"point": point, "ts": (now - timedelta(hours=5)).isoformat(), "value": 19.5},
    ]
    with server.client() as client:
        body = json.dumps({"readings": [*readings, {"point": point, "ts": now.isoformat(), "value": float("nan")}]})
        receipt = client.post("/readings", content=body, headers={"content-type": "application/json"}).json()
    assert receipt["accepted"] == 1, receipt
    assert sorted(each["index"] for each in receipt["rejected"]) == [0, 1, 2, 3, 5]
    assert all(each["code"].startswith("reading.") and each["message"] for each in receipt["rejected"])


async def test_a_socket_that_sends_rubbish_is_told_and_goes_on(server: Server, building: str) -> None:
    async with live(server) as socket:
        listener = Listener(socket)
        for rubbish in (
            "{",
            "[]",
            '{"op": "dance"}',
            '{"op": "subscribe", "id": 1, "building": "nowhere"}',
            b"\x00\x01",
        ):
            await socket.send(rubbish)
            error = await listener.until(lambda m: m if m and m["op"] == "error" else None)
            assert error["code"] and error["message"]
        await socket.send(json.dumps({"op": "ping"}))
        assert await listener.until(lambda m: m and m["op"] == "pong")


async def test_missed_events_are_replayed_in_order_after_a_reconnect(server: Server, building: str, point: str) -> None:
    async with live(server) as socket:
        listener = Listener(socket)
        await socket.send(json.dumps({"op": "subscribe", "id": 1, "building": building}))
        seq = (await listener.until(lambda m: m if m and m["op"] == "snapshot" else None))["seq"]
    with server.client() as client:
        for n in range(3):
            made = client.post("/work-orders", json={"building": building, "title": f"Missed {n}"})
            assert made.status_code == 201, made.text
    titles: list[str] = []
    last = seq
    async with live(server) as socket:
        listener = Listener(socket)
        await socket.send(json.dumps({"op": "subscribe", "id": 2, "building": building, "since": seq}))

        def collect(message: Any) -> bool:
            nonlocal last
            if message and message["op"] == "event" and message["topic"] == "work_order":
                assert message["seq"] > last
                last = message["seq"]
                titles.append(message["data"]["title"])
            return len(titles) == 3

        await listener.until(collect)
    assert titles == ["Missed 0", "Missed 1", "Missed 2"]
