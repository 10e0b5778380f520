"""What it costs to know who calls and what he may see, against the same request with nobody asking.

One real server over HTTP, one connection, in turns: `none` (authentication and authorisation are short-circuited),
`known` (a caller who was looked up lately), `fresh` (looked up in the database each time), `limited` (a known caller
with grants on one building, whose transaction is filtered). Figures are medians of the wall clock at the client, and
processor time of the server and of its database together.
"""

import asyncio
import http.client
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from fastapi import Request

from api import route, serve
from api.app import Twin
from identity import keys
from identity.actor import CLI, Actor
from identity.grants import give_grant
from tests.access import world
from tests.benchmarks.figures import figure
from twin.db import Conn
from twin.settings import Settings

ELEMENTS = 30_000
ROUNDS = 15
CALLS = 20  # of each kind in a round
KINDS = ("none", "known", "fresh", "limited")


def short_circuit() -> None:
    """Let a request say in a header that nobody asks who calls, or that nobody is remembered."""
    asked = route.authorise

    async def authorise(request: Request, access: route.Access) -> Actor | None:
        kind = request.headers.get("x-kind")
        if kind == "none":
            request.state.caller = CLI
            return CLI
        if kind == "fresh":
            route.twin_of(request).callers.clear()
        return await asked(request, access)

    route.authorise = authorise


async def _furnish(twin: Twin) -> dict[str, Any]:
    async with twin.db.transaction() as conn:
        made = await world.build(conn, twin.blobs, "Tower")
        other = await world.build(conn, twin.blobs, "Other")
        for building in (made, other):
            await conn.execute(
                """INSERT INTO element (model_id, building_id, global_id, ifc_class, name, storey_id, space_id, psets,
                                        content_hash, first_version, last_version)
                   SELECT %(model)s, %(building)s, left(gen_random_uuid()::text, 22), 'IfcPump', 'Pump ' || n,
                          %(storey)s, %(space)s, '{"Pset_PumpTypeCommon": {"FlowRate": {"value": 1.5}}}', '', 1, 1
                   FROM generate_series(1, %(n)s) n""",
                {**building.ids, "n": ELEMENTS // 2},
            )
        every = (await keys.create_key(conn, "every", "administrator", created_by=CLI))[1]
        key, some = await keys.create_key(conn, "some", "facility_engineer", created_by=CLI, buildings=[made.id])
        _, storey = await _key_at(conn, "storey", made.ids["storey"])
        _, system = await _key_at(conn, "system", made.ids["system"])
    async with twin.db.connection() as conn:
        await conn.execute("ANALYZE")
    ids = {name: str(value) for name, value in made.ids.items()}
    return ids | {"every": every, "some": some, "at_storey": storey, "at_system": system, "id": str(key.id)}


async def _key_at(conn: Conn, kind: Any, place: UUID) -> tuple[UUID, str]:
    key, secret = await keys.create_key(conn, f"{kind} {uuid4().hex[:6]}", "facility_engineer", created_by=CLI)
    await conn.execute("DELETE FROM role_grant WHERE key_id = %s", (key.id,))
    await give_grant(conn, CLI, "facility_engineer", key=key.id, place=(kind, place))
    return key.id, secret


def _server(data: Path, told: Connection) -> None:
    """The process of the server; it tells its address and what there is to ask for."""
    short_circuit()

    async def started(twin: Twin, address: str) -> None:
        postmaster = int((data / "postgres" / "postmaster.pid").read_text().split()[0])
        told.send((address, await _furnish(twin), postmaster))
        await asyncio.Event().wait()

    rates = dict.fromkeys(("rate_account", "rate_key", "rate_anonymous", "rate_expensive"), 10**9)
    settings = Settings(data=data, port=0, worker=False, log_level="error", **rates)  # type: ignore[arg-type]
    asyncio.run(serve.serve_forever(settings, started=started))


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, Any], list[int]]]:
    with tempfile.TemporaryDirectory(prefix="twin-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=_server, args=(Path(folder) / "data", theirs))
        process.start()
        try:
            address, ids, postmaster = ours.recv()
            yield address, ids, [process.pid or 0, postmaster]
        finally:
            process.terminate()
            process.join(30)


def _ask(connection: http.client.HTTPConnection, path: str, key: str, kind: str) -> float:
    started = time.perf_counter()
    connection.request("GET", path, headers={"authorization": f"Bearer {key}", "x-kind": kind})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body[:300]
    return time.perf_counter() - started


def _processor(pids: list[int]) -> float:
    """Processor time of these processes, those that ended for them, and their children, s."""
    total = 0.0
    for pid in pids:
        own = psutil.Process(pid)
        ended = own.cpu_times()
        total += ended.children_user + ended.children_system
        for each in (own, *own.children()):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def small_read(
    name: str, connection: http.client.HTTPConnection, path: str, ids: dict[str, Any], pids: list[int]
) -> None:
    """Compare the kinds of callers on one route."""
    wall: dict[str, list[float]] = {kind: [] for kind in KINDS}
    cpu = dict.fromkeys(KINDS, 0.0)
    for turn in range(ROUNDS + 2):
        for kind in KINDS:
            key = ids["some" if kind == "limited" else "every"]
            for _ in range(3):  # `fresh` has everyone forgotten
                _ask(connection, path, key, kind)
            before = _processor(pids)
            times = [_ask(connection, path, key, kind) for _ in range(CALLS)]
            after = _processor(pids)
            if turn >= 2:  # prepared statements and caches are warm
                wall[kind].append(statistics.median(times))
                cpu[kind] += after - before
    base = statistics.median(wall["none"])
    for kind in KINDS[1:]:
        figure(f"access.{name}.{kind}", statistics.median(wall[kind]) * 1e3, "ms", baseline="nobody asks",
               baseline_value=base * 1e3)  # fmt: skip
        figure(f"access.{name}.{kind}.processor", cpu[kind] / ROUNDS / CALLS * 1e3, "ms", baseline="nobody asks",
               baseline_value=cpu["none"] / ROUNDS / CALLS * 1e3)  # fmt: skip


def lists(connection: http.client.HTTPConnection, ids: dict[str, Any]) -> None:
    """Lists over 30 000 elements, for callers who see all of them, a building, a storey, a system."""
    building = ids["building"]
    paths = {
        "elements": "/elements?limit=100",
        "search": f"/elements?building={building}&q=Pump+14",
        "property": "/elements?property=Pset_PumpTypeCommon.FlowRate:1.5",
        "tree": f"/buildings/{building}/tree",
        "points": "/points",
        "alarms": "/alarms",
    }
    for name, path in paths.items():
        callers = ("every", "some", "at_storey", "at_system")
        found = {caller: _often(connection, f"/api/v1{path}", ids[caller]) for caller in callers}
        for caller, value in found.items():
            figure(f"access.list.{name}.{caller}", value * 1e3, "ms", baseline="unlimited",
                   baseline_value=found["every"] * 1e3)  # fmt: skip


def _often(connection: http.client.HTTPConnection, path: str, key: str) -> float:
    return statistics.median(_ask(connection, path, key, "known") for _ in range(7))


def main() -> None:
    with serving() as (address, ids, pids):
        host = address.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host)
        for name, path in (("point", f"points/{ids['point']}"), ("element", f"elements/{ids['element']}")):
            small_read(name, connection, f"/api/v1/{path}", ids, pids)
        lists(connection, ids)


if __name__ == "__main__":
    main()
