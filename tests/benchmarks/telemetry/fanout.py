"""Fan-out (P8): what a frame to one more socket costs the server, against bare `websockets.broadcast` of the same size.

Both serve as many sockets, one after the other, each in a process of its own: ten frames a second of 100 points. Of the
server the processor time of the same readings while the same sockets watch a building without points is taken off: what
is left is the sending, encoding included. `TWIN_BENCH_SOCKETS`, `TWIN_BENCH_SECONDS` change the size.
"""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from urllib.parse import urlsplit

import psutil
import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.live import HEADER, Watcher
from tests.benchmarks.telemetry.places import installation
from tests.serving import Server

POINTS = 100
SOCKETS = int(os.environ.get("TWIN_BENCH_SOCKETS", "1000"))
SECONDS = int(os.environ.get("TWIN_BENCH_SECONDS", "20"))
RATE = 10  # frames a second
FRAME = HEADER + 9 * POINTS  # bytes


class Listener(Watcher):
    """Counts binary frames; what is in them is another benchmark's."""

    frames = 0

    def _readings(self, frame: bytes | bytearray) -> None:
        self.frames += 1


def add_points(conn: psycopg.Connection) -> None:
    """Points of the building itself: all sockets watch all of them."""
    conn.execute(
        """INSERT INTO point (building_id, key, name, kind) SELECT id, 'bench.' || n, 'Bench ' || n, 'number'
           FROM building, generate_series(0, %s - 1) n""",
        (POINTS,),
    )
    conn.execute("INSERT INTO event (building_id, topic, data) SELECT id, 'point', '{}' FROM building")


async def listen(server: Server, building: str) -> list[Listener]:
    """Open the sockets, fifty at a time; each is ready when it has its snapshot."""
    address, said = urlsplit(server.api), json.dumps({"op": "subscribe", "id": 1, "building": building}).encode()
    made: list[Listener] = []
    for n in range(SOCKETS):
        _, listener = await asyncio.get_running_loop().create_connection(
            lambda: Listener(server, said, {}), address.hostname or "", address.port or 0
        )
        made.append(listener)
        if n % 50 == 49:
            await asyncio.gather(*(each.ready for each in made[-50:]))
    await asyncio.gather(*(each.ready for each in made))
    return made


async def send(server: Server, first: int) -> None:
    """A reading of each point, ten times a second, over one kept connection."""
    address = urlsplit(server.api)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    started = time.perf_counter()
    for n in range(SECONDS * RATE):
        await asyncio.sleep(max(0.0, started + n / RATE - time.perf_counter()))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1_000_000:06}Z"
        readings = [{"point": f"bench.{p}", "ts": stamp, "value": first + n} for p in range(POINTS)]
        body = json.dumps({"readings": readings})
        writer.write(
            f"POST {address.path}/readings HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode())
    await asyncio.sleep(1)
    writer.close()


async def ours(server: Server, building: str) -> float:
    """Frames sent per second of processor time."""
    process = psutil.Process(server.process.pid)

    async def used(first: int) -> float:
        before = sum(process.cpu_times()[:2])
        await send(server, first)
        return float(sum(process.cpu_times()[:2]) - before)

    idle = await listen(server, "Empty")
    await used(0)  # whatever is done for the first time
    alone = await used(10_000)
    for each in idle:
        each.transport.close()
    listeners = await listen(server, building)
    before = sum(each.frames for each in listeners)
    together = await used(20_000)
    sent = sum(each.frames for each in listeners) - before
    for each in listeners:
        each.transport.close()
    figure("fanout.server_cpu", together / SECONDS, "cores", baseline="nothing to send", baseline_value=alone / SECONDS)
    figure("fanout.frames", sent / (SOCKETS * SECONDS * RATE), "of all", baseline="each tick to each", baseline_value=1)
    return sent / (together - alone)


class Bare(asyncio.Protocol):
    """A socket of the baseline: shakes hands, then counts bytes."""

    def __init__(self) -> None:
        self.bytes = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
            return
        self.bytes += len(data)


BASELINE = f"""
import asyncio, os, sys
from websockets.asyncio.server import broadcast, serve

async def main():
    clients = set()
    async def handler(socket):
        clients.add(socket)
        await socket.wait_closed()
    async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.readline)
        before, frame = sum(os.times()[:2]), bytes({FRAME})
        started = loop.time()
        for n in range({SECONDS * RATE}):
            await asyncio.sleep(max(0.0, started + n / {RATE} - loop.time()))
            broadcast(clients, frame)
        await asyncio.sleep(1)
        print(sum(os.times()[:2]) - before, flush=True)

asyncio.run(main())
"""


async def bare() -> float:
    """Frames that `websockets.broadcast` sends per second of processor time."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BASELINE, stdin=PIPE, stdout=PIPE)
    assert process.stdin and process.stdout
    port = int(await process.stdout.readline())
    made: list[Bare] = []
    for _ in range(SOCKETS):
        _, each = await asyncio.get_running_loop().create_connection(Bare, "127.0.0.1", port)
        await each.ready
        made.append(each)
    process.stdin.write(b"\n")
    used = float(await process.stdout.readline())
    sent = sum(each.bytes for each in made) / (FRAME + 4)
    process.kill()
    await process.wait()
    return sent / used


def main() -> None:
    """One server, then the baseline, on the same machine at the same size."""
    with installation() as (server, conn):
        add_points(conn)
        with server.client() as client:
            client.post("/buildings", json={"name": "Empty"}).raise_for_status()
        [building] = conn.execute("SELECT id::text FROM building").fetchone() or ("",)
        mine = asyncio.run(ours(server, building))
    theirs = asyncio.run(bare())
    figure("fanout.sends_per_cpu_second", mine, "frames/s", baseline="websockets.broadcast", baseline_value=theirs)


if __name__ == "__main__":
    main()
