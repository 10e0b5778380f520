"""Brick graphs that callers hand in: read in the sandbox, understood, stored; their points bound."""

import asyncio
import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from uuid import UUID

from identity.actor import Actor
from ifc_models.turtle import Statements, load_statements
from ifc_models.worker import WorkerPool
from spatial import brick_import
from spatial.brick_graph import WANTED, BrickGraph, understand
from spatial.brick_import import BrickImport, Source
from spatial.network import Networks
from telemetry.points import update_point
from twin.db import Conn
from twin.settings import Settings


class Graphs:
    """Reads Turtle with the importer's pool of warm, sandboxed workers."""

    def __init__(self, settings: Settings, workers: WorkerPool) -> None:
        self._settings, self._workers = settings, workers

    async def read(self, data: bytes, name: str, by: str) -> tuple[BrickGraph, Source]:
        """Return what a Turtle file says. Raises Invalid `graph.syntax`, TooLarge `graph.too_many`."""
        work = self._settings.data / "work"
        await asyncio.to_thread(work.mkdir, mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="graph-", dir=work) as folder:
            path, out = Path(folder) / "graph.ttl", Path(folder) / "out"
            await asyncio.to_thread(out.mkdir)
            await asyncio.to_thread(path.write_bytes, data)
            options = {"predicates": list(WANTED), "most": self._settings.graph_triples}
            await self._workers.do("turtle", path, out, file_name=name, options=options)
            read = await asyncio.to_thread(load_statements, out)
        return await asyncio.to_thread(_understood, read, data, name, by)


def _understood(read: Statements, data: bytes, name: str, by: str) -> tuple[BrickGraph, Source]:
    return understand(read.kept), Source(name, hashlib.sha256(data).hexdigest(), read.triples, read.others, by)


async def take_in(
    conn: Conn, networks: Networks, building: UUID, graph: BrickGraph, source: Source, actor: Actor, now: datetime
) -> BrickImport:
    """Store a graph; the same file again replaces itself. Points that it gives an element are bound to it.

    What it says is judged by what is known without it: an earlier import of the file has no say. It also turns joins
    that touch, whose direction nobody gives, and so would change what is known.
    """
    # One at a time: of the same file handed in twice at once, the second replaces the first.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('graph ' || %s::text, 0))", (building,))
    before = await brick_import.find_import(conn, building, source.hash)
    if before is None:
        network = await networks.of(building)
    else:
        network = await networks.without(building, before.id)
        await forget(conn, building, before.id, actor, now)
    taken = await brick_import.take_in(conn, network, building, graph, source)
    if _may_bind(actor, building):
        for point, element in taken.bindings:
            await update_point(conn, actor, point, {"element_id": element}, now=now)
    return taken.graph


async def forget(conn: Conn, building: UUID, id: UUID, actor: Actor, now: datetime) -> BrickImport:
    """Forget a graph, and unbind the points that it bound. Raises NotFound."""
    found, bound = await brick_import.delete_import(conn, building, id)
    if _may_bind(actor, building):
        for point in bound:
            await update_point(conn, actor, point, {"element_id": None}, now=now)
    return found


def _may_bind(actor: Actor, building: UUID) -> bool:
    if not actor.may("point.write"):
        return False
    scope = actor.scope("point.write")
    return scope.everywhere or building in scope.buildings
