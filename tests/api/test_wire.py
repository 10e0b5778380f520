"""Finished frames: the bytes that a library of another hand reads, and only where nothing else waits."""

import asyncio
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from api.live import Client
from api.wire import EXTENSION, SharedFrames, frame_of
from identity import Actor

BIG = bytes([1]) + bytes(70_000)
MESSAGES = [bytes([1, 1]) + b"short", bytes([1]) + bytes(300), BIG, b'{"op": "values"}']


@pytest.mark.parametrize("message", MESSAGES, ids=["short", "two bytes of length", "eight bytes of length", "text"])
async def test_a_finished_frame_is_what_the_protocol_would_have_sent(message: bytes) -> None:
    """Written to the transport beside it, between messages that it sends itself."""
    clients: list[Client] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        client = Client(None, Actor("key:test"), wire=scope["extensions"][EXTENSION])  # type: ignore[arg-type]
        clients.append(client)
        await send({"type": "websocket.send", "text": "before"})
        assert client.write_now([frame_of(message)]) == 0, "its writer is at work"
        client.idle = True
        assert client.write_now([frame_of(message)] * 2) == 2
        client.lane.append(b"{}")
        assert client.write_now([frame_of(message)]) == 0, "an event waits: nothing overtakes it"
        client.lane.clear()
        client.skipped.add(1)
        assert client.write_now([frame_of(message)]) == 0, "it has to catch up first"
        await send({"type": "websocket.send", "text": "after"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = uvicorn.Config(app, ws=SharedFrames, ws_per_message_deflate=False, lifespan="off", log_config=None, port=0)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/") as socket:
        expected: str | bytes = message.decode() if message[:1] == b"{" else message
        assert [await socket.recv() for _ in range(4)] == ["before", expected, expected, "after"]
    server.should_exit = True
    await serving
    clients[0].skipped.clear()
    assert clients[0].write_now([frame_of(message)]) == 0, "it is gone"


async def test_a_socket_that_does_not_take_any_more_keeps_the_rest_for_its_turn() -> None:
    class Full:
        """Takes one frame."""

        taken = 0

        def write_now(self, frame: bytes) -> bool:
            self.taken += 1
            return self.taken == 1

    client = Client(None, Actor("key:test"), wire=Full(), idle=True)  # type: ignore[arg-type]
    assert client.write_now([b"1", b"2", b"3"]) == 1
