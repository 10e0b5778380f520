"""Two real server processes on one database: what they keep together, and how they stop."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api import serve
from tests.conftest import Cluster
from tests.serving import Server, serving


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[str]:
    name = f"processes_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    yield cluster.url(name)
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def request(server: Server, head: str, key: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which the beginning of a request was sent."""
    where = urlsplit(server.address)
    with closing(socket.create_connection(("127.0.0.1", where.port or 80), timeout=30)) as connection:
        lines = [head, f"Host: {where.netloc}", f"Authorization: Bearer {key}"]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        yield connection


def ask(server: Server, key: str) -> httpx.Response:
    return httpx.get(f"{server.api}/buildings", headers={"authorization": f"Bearer {key}"}, timeout=30)


def test_calls_at_once_are_counted_over_processes_and_live_sockets_are_told_to_come_back(
    database: str, tmp_path: Path
) -> None:
    options = {"TWIN_WORKER": "false"}
    with serving(tmp_path, database, **options) as one:
        with one.client() as client:
            made = client.post("/api-keys", json={"name": "narrow", "role": "integration", "concurrency": 1})
            made_key = made.raise_for_status().json()
            key, name = made_key["secret"], f"key/{made_key['key']['id']}"
        with serving(tmp_path, database, key=one.key, **options) as two:
            unfinished = "POST /api/v1/readings HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100"
            with request(one, unfinished, key, b'{"readings": ['):
                wait_until_held(database, name)  # asked sooner, the second call might be the one that is let in
                refused = ask(two, key)
                assert refused.status_code == 429, refused.text
                assert refused.json()["code"] == "rate.concurrency"
                assert refused.headers["retry-after"] == "1"
                one.kill()  # it cannot give back what it held
            assert wait_for(lambda: ask(two, key), 200).status_code == 200
            _tells_sockets_to_come_back(two)


def wait_until_held(database: str, name: str) -> None:
    """Until some server holds a place of this limit."""
    with psycopg.connect(database, autocommit=True) as conn:
        deadline = time.monotonic() + 30
        while conn.execute("SELECT FROM rate_lease WHERE name = %s AND n > 0", (name,)).rowcount == 0:
            assert time.monotonic() < deadline, "no place was taken"
            time.sleep(0.02)


def wait_for(act: Callable[[], httpx.Response], status: int, seconds: float = 30) -> httpx.Response:
    """Call until the answer has that status."""
    deadline = time.monotonic() + seconds
    while True:
        answer = act()
        if answer.status_code == status or time.monotonic() > deadline:
            assert answer.status_code == status, answer.text
            return answer
        time.sleep(0.05)


UPGRADE = """GET /api/v1/live HTTP/1.1
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==""".replace("\n", "\r\n")


def _tells_sockets_to_come_back(server: Server) -> None:
    with request(server, UPGRADE, server.key) as live, httpx.Client() as idle:
        assert live.recv(4096).startswith(b"HTTP/1.1 101")
        idle.get(f"{server.api}/health")  # its connection stays open
        server.process.terminate()
        assert server.process.wait(30) == 0
        told = b""
        while piece := live.recv(4096):
            told += piece
        assert told[:4] == bytes([0x88, told[1], 1012 >> 8, 1012 & 255])
    assert not any("graceful shutdown exceeded" in line for line in server.said)


async def test_a_live_socket_whose_browser_sleeps_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """It takes nothing any more, so what it was sent stays in the server."""
    full = asyncio.Event()

    async def talkative(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        await send({"type": "websocket.accept"})
        full.set()
        while True:
            await send({"type": "websocket.send", "bytes": bytes(1 << 20)})

    config = uvicorn.Config(
        talkative, ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=serve.GRACE_S
    )
    server, listener = serve._Server(config), serve.bind("127.0.0.1", 0)
    serving_ = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=1024)
    writer.write(f"{UPGRADE}\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(full.wait(), 30)
    server.stop()
    await asyncio.wait_for(serving_, 60)
    assert "graceful shutdown exceeded" not in caplog.text
    writer.close()
    del reader


async def test_what_is_accepted_does_not_wait_for_acknowledgements() -> None:
    """Without TCP_NODELAY the second piece of an answer waits 40 ms for the client's acknowledgement of the first."""
    accepted = asyncio.Event()
    delays: list[int] = []

    async def met(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delays.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        accepted.set()
        writer.close()

    listener = serve.bind("127.0.0.1", 0)
    async with await asyncio.start_server(met, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        await asyncio.wait_for(accepted.wait(), 30)
        writer.close()
    assert delays and delays[0]
