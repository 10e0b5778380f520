"""What waits for others: downloads that nobody takes, events that cannot be handed out yet."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from starlette.types import Message, Receive, Scope, Send

from api import live
from api.guard import TakenAnswers
from api.live import LiveHub
from api.streams import Streamed, begun
from twin.db import Database
from twin.events import Event

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/api/v1/audit/export", "headers": []}


async def test_a_download_that_nobody_takes_gives_its_place_back() -> None:
    places = asyncio.Semaphore(1)

    async def endless() -> AsyncGenerator[str, None]:
        async with places:
            while True:
                yield "an entry\r\n" * 1000

    async def export(scope: Scope, receive: Receive, send: Send) -> None:
        await Streamed(await begun(endless()))(scope, receive, send)

    taken: list[Message] = []

    async def send(message: Message) -> None:
        taken.append(message)
        if len(taken) > 3:
            await asyncio.Event().wait()  # the client's window is full

    async def receive() -> Message:
        await asyncio.Event().wait()  # and it stays
        raise AssertionError

    async with asyncio.timeout(20):
        await TakenAnswers(export, stall=0.1)(SCOPE, receive, send)
        async with places:
            pass
    assert len(taken) == 4


async def test_a_batch_of_events_is_handed_out_when_the_database_is_back(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, tried = LiveHub(db, ticks_per_second=10), 0
    monkeypatch.setattr(live, "RETRY_S", 0.01)
    load = hub.load

    async def away(building: UUID | None = None) -> None:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise psycopg.OperationalError("connection refused")
        await load(building)

    monkeypatch.setattr(hub, "load", away)

    async def feed() -> AsyncIterator[Sequence[Event]]:
        yield [Event(7, uuid4(), None, "point", {}, datetime.now(UTC))]

    await hub._events_forever(feed())
    assert (tried, hub.seq) == (3, 7)
