"""Calls at once, over all processes. A `Leases` stands for a server process."""

import asyncio

import psycopg
import pytest

from identity import keys, leases
from identity.actor import CLI
from identity.leases import Leases
from twin.db import Conn, Database, rows
from twin.errors import Conflict


async def take(process: Leases, n: int, limit: int) -> int:
    return sum(await asyncio.gather(*(process.take("key/1", limit) for _ in range(n))))


async def table(db: Database) -> int:
    async with db.connection() as conn:
        return sum(each["n"] for each in await rows(conn, "SELECT n FROM rate_lease"))


@pytest.mark.clause("6.1.5b")
async def test_processes_keep_a_limit_together_exactly(db: Database) -> None:
    mine, other = Leases(db), Leases(db)
    assert sorted(await asyncio.gather(take(mine, 5, 7), take(other, 5, 7))) in ([2, 5], [3, 4])
    assert await take(mine, 3, 7) + await take(other, 3, 7) == 0
    await mine.free("key/1", 7)
    assert await take(other, 2, 7) == 1
    assert await table(db) == 7


async def test_who_calls_one_process_after_the_other_needs_one_place(db: Database) -> None:
    mine, other = Leases(db), Leases(db)
    for process in (mine, other, mine, mine, other):
        assert await take(process, 1, 1) == 1
        await process.free("key/1", 1)
    assert await table(db) == 0


async def test_what_a_process_no_longer_needs_goes_to_the_others_at_the_second_settlement_at_last(db: Database) -> None:
    mine, other = Leases(db), Leases(db)
    assert await take(mine, 40, 40) == 40
    for _ in range(30):
        await mine.free("key/1", 40)
    await mine.settle()
    assert (await take(other, 1, 40), await table(db)) == (0, 40), "forty ran within the last second"
    await mine.settle()
    assert (await take(other, 40, 40), await table(db)) == (30, 40)
    await mine.close()
    assert await table(db) == 30


async def test_what_a_killed_process_held_is_free_after_its_lease(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, other = Leases(db), Leases(db)
    monkeypatch.setattr(leases, "LEASE_S", 0.05)
    assert await take(killed, 2, 2) == 2
    await asyncio.sleep(0.1)
    assert await take(other, 2, 2) == 2


async def test_without_the_database_a_process_keeps_the_limit_by_itself(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Leases(db)

    async def away(*_: object) -> None:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(process, "_ask", away)
    assert await take(process, 5, 3) == 3
    await process.free("key/1", 3)
    assert await take(process, 5, 3) == 1


async def test_living_keys_have_names_of_their_own(conn: Conn) -> None:
    key, _ = await keys.create_key(conn, "BMS", "integration", created_by=CLI)
    other, _ = await keys.create_key(conn, "other", "integration", created_by=CLI)
    for name in ("BMS", " bms ", "ＢＭＳ"):
        with pytest.raises(Conflict, match=str(key.id)) as refused:
            await keys.create_key(conn, name, "integration", created_by=CLI)
        assert refused.value.code == "key.exists"
    with pytest.raises(Conflict):
        await keys.change_key(conn, other.id, {"name": "bms"})
    await keys.change_key(conn, key.id, {"name": "bms"})  # its own
    await keys.revoke_key(conn, key.id)
    await keys.create_key(conn, "BMS", "integration", created_by=CLI)
