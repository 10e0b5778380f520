"""The socket for gateways (6.1.1): who may use it, what it makes of nonsense, and that it cannot be flooded."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.serving import Server

NOW = datetime.now(UTC).replace(microsecond=0)
MARK = uuid4().hex[:8]
HERE, THERE = f"{MARK}.here", f"{MARK}.there"


@pytest.fixture(scope="module")
def points(server: Server) -> None:
    """A point in each of two buildings."""
    with server.client() as client:
        for building, key in (("Here", HERE), ("There", THERE)):
            client.post("/buildings", json={"name": f"{building} {MARK}"}).raise_for_status()
            point = {"key": key, "name": building, "building": f"{building} {MARK}", "kind": "number"}
            client.post("/points", json=point).raise_for_status()


def new_key(client: httpx.Client, role: str, **facts: Any) -> tuple[str, str]:
    """Id and secret."""
    answer = client.post("/api-keys", json={"name": f"gateway {uuid4().hex[:8]}", "role": role, **facts})
    made = answer.raise_for_status().json()
    return made["key"]["id"], made["secret"]


def gateway(server: Server, key: str | None = None, **headers: str) -> ClientConnection:
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return connect(server.api.replace("http://", "ws://") + "/ingest", additional_headers=headers, ping_interval=None)


def frame(number: int, key: str = HERE, pad: int = 0, minutes: int = 0) -> str:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    said = {"op": "readings", "id": number, "readings": [{"point": key, "ts": at, "value": number}]}
    return json.dumps(said | ({"pad": "x" * pad} if pad else {}))


@contextmanager
def nothing_is_stored(server: Server) -> Iterator[None]:
    """Hold what every batch has to wait for."""
    with psycopg.connect(server.database or "") as conn:
        conn.execute("LOCK TABLE ONLY reading IN EXCLUSIVE MODE")
        yield
        conn.rollback()


@pytest.mark.clause("6.1.1c")
def test_only_keys_that_may_write_get_in_and_only_to_their_own_points(server: Server, points: None) -> None:
    with server.client() as client:
        _, looker = new_key(client, "owner")
        _, limited = new_key(client, "integration", buildings=[f"Here {MARK}"])
    session = httpx.post(f"{server.api}/session", json={"name": "administrator", "password": server.password})
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    assert cookie
    refused: list[tuple[int, dict[str, str]]] = [
        (401, {}),
        (401, {"Authorization": "Bearer twin_no_such_key"}),
        (401, {"Authorization": "Basic YWRtaW46YWRtaW4="}),
        (401, {"Cookie": cookie}),  # a page could be made to send it along
        (403, {"Authorization": f"Bearer {looker}"}),
        (403, {"Authorization": f"Bearer {server.key}", "Origin": "https://elsewhere.example"}),
    ]
    for status, headers in refused:
        with pytest.raises(InvalidStatus) as answer:
            gateway(server, **headers)
        assert answer.value.response.status_code == status, headers
    with gateway(server, limited) as socket:
        socket.send(frame(1, HERE, minutes=1))
        socket.send(frame(2, THERE, minutes=1))
        mine, theirs = (json.loads(socket.recv(20)) for _ in range(2))
    assert (mine["op"], mine["accepted"]) == ("ack", 1)
    assert [each["code"] for each in theirs["rejected"]] == ["reading.unknown_point"], "as if it were not there"


def test_nonsense_is_answered_and_too_much_of_it_ends_the_connection(server: Server, points: None) -> None:
    nonsense: list[tuple[str | bytes, str]] = [
        ("", "live.not_json"),
        ("[]", "ingest.frame"),
        ("null", "ingest.frame"),
        (b"\x00\xff\xfe", "live.not_json"),
        ('{"op": "readings", "id": null}', "ingest.frame"),
        ('{"op": 1, "id": 1}', "ingest.frame"),
        ('{"op": "readings", "id": 1, "readings": {"a": 1}}', "readings.body"),
        ('{"op": "readings", "id": "%s", "readings": 1}' % ("n" * 10_000), "readings.body"),
        ("[" * 50_000, "ingest.frame"),
        ('{"op": "subscribe", "id": 1}', "live.unknown_op"),
        ('{"op": "readings", "id": 1, "readings": [' + "1," * 10_001 + "1]}", "readings.too_many"),
    ]
    with gateway(server, server.key, **{"Accept-Language": "zh"}) as socket:
        for said, code in nonsense:
            socket.send(said)
            answer = json.loads(socket.recv(20))
            assert (answer["op"], answer["code"]) == ("error", code), said[:80]
            assert not answer["message"].isascii() and len(str(answer["id"])) <= 100
        socket.send(frame(7, minutes=2).encode())  # in binary frames too
        assert json.loads(socket.recv(20))["accepted"] == 1
        odd = [1, None, {"point": 1}, {"point": HERE, "ts": "soon", "value": 1}]
        socket.send(json.dumps({"op": "readings", "id": 8, "readings": odd}))
        answer = json.loads(socket.recv(20))
        assert [each["code"] for each in answer["rejected"]] == [
            "reading.shape", "reading.shape", "reading.no_point", "reading.time",
        ]  # fmt: skip
        with pytest.raises(ConnectionClosed) as ended:
            for _ in range(100):
                socket.send("{")
            while True:
                socket.recv(20)
        assert ended.value.rcvd is not None and ended.value.rcvd.code == 1008
    with gateway(server, server.key) as socket, pytest.raises(ConnectionClosed) as large:
        socket.send(frame(1, pad=1 << 20))
        socket.recv(20)
    assert large.value.rcvd is not None and large.value.rcvd.code == 1009


def test_who_sends_more_than_can_be_stored_has_to_wait_and_loses_nothing(server: Server, points: None) -> None:
    """Frames are not read while eight are on their way: the sender's own line fills, the server's does not."""
    most, sent, enough = 200, [0], threading.Event()  # megabytes; the kernel's buffers hold some 40 of them
    with gateway(server, server.key) as socket:

        def send_until_enough() -> None:
            while sent[0] < most and not enough.is_set():
                socket.send(frame(sent[0], pad=1_000_000, minutes=10 + sent[0]))
                sent[0] += 1

        sender = threading.Thread(target=send_until_enough, daemon=True)
        try:
            with nothing_is_stored(server):
                sender.start()
                before = -1
                while before != sent[0]:
                    before = sent[0]
                    time.sleep(0.5)
                assert 8 <= sent[0] < most and sender.is_alive()
        finally:
            enough.set()
        answers = [json.loads(socket.recv(60)) for _ in range(sent[0])]
        sender.join(20)
        answers += [json.loads(socket.recv(60)) for _ in range(sent[0] - len(answers))]
    assert [each["id"] for each in answers] == list(range(sent[0])), "in the order they came"
    assert {(each["op"], each["accepted"]) for each in answers} == {("ack", 1)}


def test_a_key_that_is_revoked_is_cut_off(server: Server, points: None) -> None:
    with server.client() as client:
        id, secret = new_key(client, "integration")
        with gateway(server, secret) as socket:
            socket.send(frame(1, minutes=3))
            assert json.loads(socket.recv(20))["op"] == "ack"
            client.delete(f"/api-keys/{id}").raise_for_status()
            with pytest.raises(ConnectionClosed) as ended:
                socket.recv(20)
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 4401
