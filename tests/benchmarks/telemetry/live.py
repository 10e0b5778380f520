"""Live values (P7): from a reading's arrival at the server to 1 000 sockets, at 10 000 readings a second.

10 000 points on ten storeys, each read once a second; every socket watches one storey of 1 000 points. A reading's
value is the number of the body that brought it, so each frame says when what it shows was sent; the clients (in this
process, like the sender) parse frames themselves, for a library would take the processor that the server needs.
`TWIN_BENCH_SOCKETS`, `TWIN_BENCH_SECONDS` change the size.
"""

import asyncio
import base64
import json
import os
import secrets
import struct
import time
from functools import partial
from urllib.parse import urlsplit

import numpy as np
import psutil
import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.places import ENGINE, installation
from tests.serving import Server

POINTS = 10_000
STOREYS = 10
SOCKETS = int(os.environ.get("TWIN_BENCH_SOCKETS", "1000"))
SECONDS = int(os.environ.get("TWIN_BENCH_SECONDS", "30"))
BODIES_PER_S = 10
GOAL_MS = 250.0
HEADER = 16  # bytes of a binary frame before its handles


def add_building(conn: psycopg.Connection) -> None:
    """Points on storeys, by elements of a model that has nothing else."""
    conn.execute(
        """WITH model AS (
             INSERT INTO model (building_id, name) SELECT id, 'bench' FROM building RETURNING id, building_id),
           storeys AS (INSERT INTO storey (building_id, name, elevation)
             SELECT building_id, 'S' || n, 4 * n FROM model, generate_series(0, %(storeys)s - 1) n
             RETURNING id, name, building_id),
           sensors AS (INSERT INTO element (model_id, building_id, global_id, ifc_class, name, storey_id, content_hash,
                                            first_version, last_version)
             SELECT model.id, model.building_id, lpad(storeys.name, 22, '0'), 'IfcSensor', storeys.name, storeys.id, '',
                    1, 1
             FROM model, storeys RETURNING id, name, building_id)
           INSERT INTO point (building_id, element_id, key, name, kind, unit)
           SELECT building_id, id, 'bench.' || n, 'Bench ' || n, 'number', 'DEG_C'
           FROM generate_series(0, %(points)s - 1) n JOIN sensors ON sensors.name = 'S' || n %% %(storeys)s""",
        {"storeys": STOREYS, "points": POINTS},
    )


class Watcher(asyncio.Protocol):
    """A WebSocket client that hears: the server's frames come unmasked and whole."""

    def __init__(self, server: Server, subscribe: bytes, sent: dict[int, float]) -> None:
        self.subscribe, self.sent = subscribe, sent
        self.delays: list[float] = []  # ms, of each body that a frame shows readings of
        self.weights: list[int] = []  # how many
        self.address, self.key = urlsplit(server.api), server.key
        self.buffer = bytearray()
        self.open = False
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the socket."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        nonce = base64.b64encode(secrets.token_bytes(16)).decode()
        transport.write(
            f"GET {self.address.path}/live HTTP/1.1\r\nHost: {self.address.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n"
            f"Authorization: Bearer {self.key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take what frames are whole."""
        self.buffer += data
        if not self.open:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self.ready.set_exception(RuntimeError(head.decode(errors="replace")))
                return
            self.open, self.buffer = True, rest
            mask = bytes(4)  # of zeros: the text stays as it is
            self.transport.write(struct.pack("!BBH", 0x81, 0xFE, len(self.subscribe)) + mask + self.subscribe)
        while (size := self._frame()) is not None:
            del self.buffer[:size]

    def _frame(self) -> int | None:
        """Look at the first frame; its size, None while it is not whole."""
        if len(self.buffer) < 2:
            return None
        length, at = self.buffer[1] & 0x7F, 2
        if length >= 126:
            at = 4 if length == 126 else 10
            if len(self.buffer) < at:
                return None
            length = int.from_bytes(self.buffer[2:at])
        if len(self.buffer) < at + length:
            return None
        kind, payload = self.buffer[0] & 0x0F, self.buffer[at : at + length]
        if kind == 2:
            self._readings(payload)
        elif kind == 1 and not self.ready.done():
            said = json.loads(payload)
            if said["op"] == "snapshot":
                self.ready.set_result(None)
            elif said["op"] == "error":
                self.ready.set_exception(RuntimeError(str(said)))
        elif kind == 9:
            self.transport.write(bytes((0x8A, 0x80 | length)) + bytes(4) + payload)
        return at + length

    def _readings(self, frame: bytes | bytearray) -> None:
        now = time.perf_counter()
        count = int.from_bytes(frame[4:8], "little")
        numbers = np.frombuffer(frame, "<f4", count, HEADER + 4 * count)
        for number, times in zip(*np.unique(numbers, return_counts=True), strict=True):
            if (begun := self.sent.get(int(number))) is not None:
                self.delays.append((now - begun) * 1000)
                self.weights.append(int(times))


def _same(watcher: Watcher) -> Watcher:
    return watcher


async def watch(server: Server, building: str, storeys: list[str], sent: dict[int, float]) -> list[Watcher]:
    """Open the sockets, fifty at a time."""
    address = urlsplit(server.api)
    made: list[Watcher] = []
    for n in range(SOCKETS):
        asked = {"op": "subscribe", "id": 1, "building": building, "storeys": [storeys[n % len(storeys)]]}
        text = json.dumps(asked).encode()
        watcher = Watcher(server, text, sent)
        await asyncio.get_running_loop().create_connection(
            partial(_same, watcher), address.hostname or "", address.port or 0
        )
        made.append(watcher)
        if n % 50 == 49:
            await asyncio.gather(*(each.ready for each in made[-50:]))
    await asyncio.gather(*(each.ready for each in made))
    return made


async def send(server: Server, sent: dict[int, float]) -> None:
    """`BODIES_PER_S` bodies a second, each of a tenth of the points, on one kept connection each tenth."""
    address = urlsplit(server.api)
    lines = [await asyncio.open_connection(address.hostname, address.port) for _ in range(BODIES_PER_S)]
    per_body = POINTS // BODIES_PER_S
    started = time.perf_counter()
    for n in range(1, SECONDS * BODIES_PER_S + 1):
        await asyncio.sleep(max(0.0, started + n / BODIES_PER_S - time.perf_counter()))
        part = range((n % BODIES_PER_S) * per_body, (n % BODIES_PER_S + 1) * per_body)
        ts = np.datetime_as_string(np.datetime64(time.time_ns() // 1000, "us"))
        body = '{"readings":[' + ",".join(f'{{"point":"bench.{p}","ts":"{ts}Z","value":{n}}}' for p in part) + "]}"
        reader, writer = lines[n % BODIES_PER_S]
        if n > BODIES_PER_S:  # the answer of a second ago
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            if not head.startswith(b"http/1.1 200"):
                raise RuntimeError(head.decode())
        sent[n] = time.perf_counter()
        writer.write(
            f"POST {address.path}/readings HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    await asyncio.sleep(2)


async def measure(server: Server, building: str, storeys: list[str]) -> None:
    """Weighted by readings: each reading that a socket was shown counts."""
    sent: dict[int, float] = {}
    watchers = await watch(server, building, storeys, sent)
    ours, theirs = time.process_time(), psutil.Process(server.process.pid)
    before = sum(theirs.cpu_times()[:2])
    await send(server, sent)
    used = sum(theirs.cpu_times()[:2]) - before
    delays = np.concatenate([each.delays for each in watchers])
    weights = np.concatenate([each.weights for each in watchers])
    order = np.argsort(delays)
    share = np.cumsum(weights[order]) / weights.sum()
    p50, p99 = (float(delays[order][np.searchsorted(share, at)]) for at in (0.5, 0.99))
    shown = weights.sum() / (SOCKETS * SECONDS * POINTS / STOREYS)
    figure(f"live.delay_p99.{ENGINE}", p99, "ms", baseline="goal", baseline_value=GOAL_MS)
    figure(f"live.delay_median.{ENGINE}", p50, "ms")
    figure(f"live.shown.{ENGINE}", float(shown), "of the readings", baseline="all", baseline_value=1.0)
    figure(f"live.server_cpu.{ENGINE}", used / SECONDS, "cores")
    figure(f"live.clients_cpu.{ENGINE}", (time.process_time() - ours) / SECONDS, "cores")
    for each in watchers:
        each.transport.close()


def main() -> None:
    """One server, one building."""
    with installation() as (server, conn):
        add_building(conn)
        [building] = conn.execute("SELECT id::text FROM building").fetchone() or ("",)
        storeys = [name for (name,) in conn.execute("SELECT id::text FROM storey ORDER BY name").fetchall()]
        conn.execute("INSERT INTO event (building_id, topic, data) SELECT id, 'point', '{}' FROM building")
        asyncio.run(measure(server, building, storeys))


if __name__ == "__main__":
    main()
