import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from twin import db as twin_db
from twin.db import Database, row, rows
from twin.events import Event, EventFeed, emit, newest_seq, prune_events, replay, seal
from twin.places import create_building


async def collect(db: Database, count: int, *, after: int = 0) -> list[Event]:
    """The first `count` events a feed gives."""
    seen: list[Event] = []
    async with aclosing(aiter(EventFeed(db, after=after))) as feed:  # type: ignore[type-var]
        async for events in feed:
            seen += events
            if len(seen) >= count:
                return seen
    return seen


async def test_an_event_of_a_rolled_back_change_never_happens(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as conn:
            await emit(conn, "alarm", {"n": 1}, building_id=None)
            raise ZeroDivisionError
    async with db.transaction() as conn:
        await emit(conn, "alarm", {"n": 2}, building_id=None)
    assert [event.data for event in await collect(db, 1)] == [{"n": 2}]


async def test_a_transaction_that_commits_late_is_numbered_late_and_not_lost(db: Database) -> None:
    async with db.connection() as slow, db.connection() as quick:
        async with slow.transaction():
            await emit(slow, "alarm", {"who": "slow"}, building_id=None)  # takes the lower id
            await emit(quick, "alarm", {"who": "quick"}, building_id=None)
            assert await seal(quick) == 1
            first = await newest_seq(quick)
        assert await seal(quick) == 1
        found = await rows(quick, "SELECT data, seq FROM event ORDER BY id")
        assert [each["data"]["who"] for each in found] == ["slow", "quick"]
        assert found[0]["seq"] > found[1]["seq"] == first


async def test_two_servers_deliver_everything_once_and_in_order_while_many_write(db: Database) -> None:
    writers, each = 6, 40
    total = writers * each

    async def write(writer: int) -> None:
        for n in range(each):
            async with db.transaction() as conn:
                await emit(conn, "point", {"writer": writer, "n": n}, building_id=None)
                if n % 7 == 0:
                    await conn.execute("SELECT pg_sleep(0.005)")

    async with twin_db.connect(db.url, 4) as other, asyncio.timeout(60), asyncio.TaskGroup() as group:
        feeds = [group.create_task(collect(server, total)) for server in (db, other)]
        for writer in range(writers):
            group.create_task(write(writer))
    first, second = (feed.result() for feed in feeds)
    assert len(first) == total
    assert [event.seq for event in first] == sorted({event.seq for event in first})
    assert first == second
    for writer in range(writers):  # what one writer did one after the other stays in that order
        assert [event.data["n"] for event in first if event.data["writer"] == writer] == list(range(each))


async def test_a_feed_goes_on_after_its_connection_was_cut(db: Database) -> None:
    feed = aiter(EventFeed(db, after=0))
    async with aclosing(feed), db.connection() as conn:  # type: ignore[type-var]
        await emit(conn, "alarm", {"n": 1}, building_id=None)
        assert [event.data["n"] for event in await anext(feed)] == [1]
        waiting = asyncio.ensure_future(anext(feed))
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
        async with asyncio.timeout(30):
            while not (await rows(conn, cut + " AND state = 'idle'", ("%event WHERE seq%",))):
                await asyncio.sleep(0.01)
        await emit(conn, "alarm", {"n": 2}, building_id=None)
        assert [event.data["n"] for event in await asyncio.wait_for(waiting, 20)] == [2]


async def test_replay_gives_a_buildings_own_events_or_says_that_they_are_gone(db: Database) -> None:
    async with db.connection() as conn:
        one, two = await create_building(conn, "One"), await create_building(conn, "Two")
        for n, building in enumerate((one.id, two.id, None, one.id)):
            await emit(conn, "alarm", {"n": n}, building_id=building)
        await seal(conn)
        events = await replay(conn, one.id, 0, 100)
        assert events and [event.data["n"] for event in events] == [0, 2, 3]
        assert await replay(conn, one.id, events[-1].seq, 100) == []
        assert await replay(conn, one.id, events[-1].seq + 1000, 100) is None

        await conn.execute("UPDATE event SET at = at - interval '1 day' WHERE data = '{\"n\": 0}'")
        assert await prune_events(conn, datetime.now(UTC) - timedelta(hours=1)) == 1
        assert await replay(conn, one.id, 0, 100) is None
        left = await replay(conn, one.id, events[0].seq, 100)
        assert left is not None and [event.data["n"] for event in left] == [2, 3]


async def test_numbers_do_not_start_again_after_everything_was_pruned(db: Database) -> None:
    async with db.connection() as conn:
        await emit(conn, "alarm", {}, building_id=None)
        await seal(conn)
        newest = await newest_seq(conn)
        await prune_events(conn, datetime.now(UTC) + timedelta(hours=1))
        assert await row(conn, "SELECT count(*) AS n FROM event") == {"n": 0}
        assert await newest_seq(conn) == newest
