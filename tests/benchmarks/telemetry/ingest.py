"""Ingest (P6): `POST /readings` to a real server, pre-encoded bodies, against binary COPY on one connection.

Both write the same readings into the same table of the same durable PostgreSQL, in parts of the same size. The
baseline does only that; the server also decodes JSON, checks every reading, keeps newest values and counts sources.
`TWIN_BENCH_READINGS` and `TWIN_BENCH_RUNS` make it shorter.
"""

import asyncio
import os
import statistics
import time
from urllib.parse import urlsplit

import numpy as np
import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.places import ENGINE, installation
from tests.serving import Server

POINTS = 1_000
PER_BODY = 10_000
READINGS = int(os.environ.get("TWIN_BENCH_READINGS", "2000000"))
RUNS = int(os.environ.get("TWIN_BENCH_RUNS", "3"))
CONNECTIONS = 4
LIMIT = 100.0  # of the rules; no reading reaches it
START_US = 1_767_225_600_000_000  # 2026-01-01
EPOCH_2000 = 946_684_800_000_000


def columns(part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(number of the point from 0, µs since 1970, value) of one part: each point ten times, a second apart."""
    steps = PER_BODY // POINTS
    point = np.tile(np.arange(POINTS), steps)
    ts = START_US + 1_000_000 * np.repeat(np.arange(part * steps, (part + 1) * steps), POINTS)
    value = np.round(20 + 5 * np.sin(ts / 3.6e9 + point), 2)
    return point, ts, value


def body(part: int) -> bytes:
    """One JSON body as a gateway would send it."""
    point, ts, value = columns(part)
    times = np.datetime_as_string(ts.astype("datetime64[us]"), unit="ms")
    rows = zip(point.tolist(), times.tolist(), value.tolist(), strict=True)
    items = ",".join(f'{{"point":"bench.{p}","ts":"{t}Z","value":{v}}}' for p, t, v in rows)
    return f'{{"readings":[{items}]}}'.encode()


def copy_buffer(part: int, first_handle: int) -> bytes:
    """The same readings in PostgreSQL's binary COPY format: point_id, ts, num, q, source_id, stored_at."""
    point, ts, value = columns(part)
    fields = [
        ("point_id", ">i4"),
        ("ts", ">i8"),
        ("num", ">f8"),
        ("q", ">i2"),
        ("source_id", ">i4"),
        ("stored_at", ">i8"),
    ]
    layout = [("fields", ">i2")]
    for name, kind in fields:
        layout += [(f"{name}_length", ">i4"), (name, kind)]
    rows = np.zeros(len(point), layout)
    rows["fields"] = len(fields)
    for name, kind in fields:
        rows[f"{name}_length"] = np.dtype(kind).itemsize
    rows["point_id"], rows["ts"], rows["num"] = point + first_handle, ts - EPOCH_2000, value
    rows["source_id"], rows["stored_at"] = 1, ts[-1] - EPOCH_2000
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"


def copy_all(conn: psycopg.Connection, buffers: list[bytes]) -> float:
    """Seconds of the baseline."""
    conn.execute(
        """CREATE TEMP TABLE IF NOT EXISTS staging (point_id int, ts timestamptz, num float8, q smallint,
             source_id int, stored_at timestamptz) ON COMMIT DELETE ROWS"""
    )
    started = time.perf_counter()
    for buffer in buffers:
        with conn.transaction():
            with conn.cursor().copy("COPY staging FROM STDIN (FORMAT binary)") as copy:
                copy.write(buffer)
            conn.execute(
                """INSERT INTO reading (point_id, ts, num, q, source_id, stored_at)
                   SELECT point_id, ts, num, q, source_id, stored_at FROM staging ON CONFLICT DO NOTHING"""
            )
    return time.perf_counter() - started


async def post_all(server: Server, bodies: list[bytes]) -> float:
    """Seconds until every body is acknowledged, over `CONNECTIONS` kept-alive connections."""
    address = urlsplit(server.api)
    waiting = iter(bodies)

    async def sender() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for content in waiting:
            writer.write(
                f"POST {address.path}/readings HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: Bearer {server.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            )
            writer.write(content)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            if not head.startswith(b"http/1.1 200") or f'"accepted":{PER_BODY}'.encode() not in answer:
                raise RuntimeError(f"not all readings were accepted: {head[:80]!r} {answer[:300]!r}")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(CONNECTIONS)))
    return time.perf_counter() - started


def add_points(conn: psycopg.Connection) -> None:
    """`POINTS` points of the building."""
    conn.execute(
        """INSERT INTO point (building_id, key, name, kind, unit)
           SELECT building.id, 'bench.' || n, 'Bench ' || n, 'number', 'DEG_C'
           FROM building, generate_series(0, %s) n ORDER BY n""",
        (POINTS - 1,),
    )


def add_rules(server: Server) -> None:
    """One rule per point, over HTTP as a user would."""
    with server.client() as client:
        for n in range(POINTS):
            rule = {"name": f"Bench {n}", "point": f"bench.{n}", "kind": "high", "limit": LIMIT, "severity": "low"}
            client.post("/alarm-rules", json=rule).raise_for_status()


def empty(conn: psycopg.Connection) -> None:
    conn.execute("TRUNCATE reading, latest")
    conn.execute("CHECKPOINT")


def compare(name: str, server: Server, conn: psycopg.Connection, bodies: list[bytes], buffers: list[bytes]) -> None:
    """Both in turns, so that the machine's mood is the same for both; the median of each."""
    baseline, ours = [], []
    for _ in range(RUNS):
        empty(conn)
        baseline.append(READINGS / copy_all(conn, buffers))
        empty(conn)
        ours.append(READINGS / asyncio.run(post_all(server, bodies)))
    what = "binary COPY into a staging table + INSERT … ON CONFLICT DO NOTHING, one connection"
    figure(name, statistics.median(ours), "readings/s", baseline=what, baseline_value=statistics.median(baseline))


def main() -> None:
    """Without rules, then with one on each point."""
    parts = range(READINGS // PER_BODY)
    bodies = [body(part) for part in parts]
    with installation() as (server, conn):
        add_points(conn)
        [first_handle] = conn.execute("SELECT min(handle) FROM point").fetchone() or (1,)
        buffers = [copy_buffer(part, first_handle) for part in parts]
        compare(f"ingest.{ENGINE}", server, conn, bodies, buffers)
        add_rules(server)
        compare(f"ingest_with_rules.{ENGINE}", server, conn, bodies, buffers)


if __name__ == "__main__":
    main()
