"""The audit trail in the database: append-only, in the transaction of the change, or the change does not happen."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import structlog

from identity import audit
from identity.actor import Actor
from identity.audit import Filter
from identity.audit_batch import AuditBatch, Hourly
from identity.audit_chain import seal_all
from twin.db import Conn, Database, row, rows
from twin.errors import Unavailable
from twin.places import create_building

LI = Actor("account:li", address="192.0.2.7")


async def sealed_and_not(conn: Conn) -> None:
    """One entry in the chain, one that waits for it."""
    await audit.record(conn, LI, "alarm.acknowledge", "alarm:1", before={"acked": False}, after={"acked": True})
    await seal_all(conn)
    await audit.record(conn, LI, "alarm.acknowledge", "alarm:2")


@pytest.mark.clause("6.5.2a")
@pytest.mark.clause("9.1.3-2")
async def test_an_entry_says_who_when_from_where_what_on_which_object_and_what_changed(conn: Conn) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        await audit.record(conn, LI, "point.update", "point:7", before={"name": "旧"}, after={"name": "新", "n": 1.50})
    entry = (await audit.list_entries(conn)).items[0]
    assert (entry.actor, entry.address, entry.request_id) == ("account:li", "192.0.2.7", "abc")
    assert (entry.action, entry.object, entry.result) == ("point.update", "point:7", "done")
    assert (entry.before, entry.after) == ({"name": "旧"}, {"name": "新", "n": 1.5})
    assert abs(datetime.now(UTC) - entry.at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'account:wang'",
        "UPDATE audit SET after = '{\"acked\":false}' WHERE seq IS NOT NULL",
        "UPDATE audit SET after = before",
        "UPDATE audit SET seq = NULL, previous = NULL, hash = NULL",
        "UPDATE audit SET seq = 9, previous = '\\x00', hash = '\\x00', object = 'alarm:9' WHERE seq IS NULL",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq IS NULL",
        "TRUNCATE audit",
        "INSERT INTO audit (actor, action, seq, previous, hash) SELECT 'a', 'b', 2, hash, hash FROM audit LIMIT 1",
        "INSERT INTO audit_pruned SELECT seq, hash FROM audit WHERE seq = 1",
        "INSERT INTO audit_anchor VALUES (gen_random_uuid(), 'x', 2, 1, ''); UPDATE audit_anchor SET n = 1",
        "SET LOCAL session_replication_role = replica; DELETE FROM audit",
    ],
)
async def test_the_database_refuses_to_change_the_trail_even_to_its_owner(conn: Conn, statement: str) -> None:
    await sealed_and_not(conn)
    before = await rows(conn, "SELECT * FROM audit ORDER BY id")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with conn.transaction():
            for part in statement.split("; "):
                await conn.execute(part)
    assert await rows(conn, "SELECT id::text, actor, seq FROM audit ORDER BY id") == [
        {"id": str(each["id"]), "actor": each["actor"], "seq": each["seq"]} for each in before
    ]


async def test_a_limited_caller_leaves_entries_and_sees_or_changes_none(conn: Conn) -> None:
    await sealed_and_not(conn)
    await conn.execute("SET LOCAL ROLE twin_limited")
    await audit.record(conn, LI, "alarm.acknowledge", "alarm:3")
    for statement in (
        "SELECT FROM audit",
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "SELECT FROM audit_anchor",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with conn.transaction():
                await conn.execute(statement)
    await conn.execute("RESET ROLE")
    assert [entry.object for entry in (await audit.list_entries(conn)).items] == ["alarm:3", "alarm:2", "alarm:1"]


async def test_what_cannot_be_recorded_does_not_happen(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("ALTER TABLE audit ADD CONSTRAINT broken CHECK (action <> 'building.write')")
    with pytest.raises(Unavailable) as error:
        async with db.transaction() as conn:
            building = await create_building(conn, "Never")
            await audit.record(conn, LI, "building.write", f"building:{building.id}")
    assert error.value.code == "audit.unwritable"
    async with db.connection() as conn:
        assert await row(conn, "SELECT FROM building") is None
        assert await row(conn, "SELECT FROM audit") is None


async def test_an_entry_of_a_rolled_back_change_is_gone_with_it(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as conn:
            await audit.record(conn, LI, "building.write")
            raise ZeroDivisionError
    async with db.connection() as conn:
        assert await row(conn, "SELECT FROM audit") is None


async def test_the_trail_is_found_by_everything_it_says(conn: Conn) -> None:
    wang = Actor("account:wang")
    await audit.record(conn, LI, "alarm.shelve", "alarm:1", after={"comment": "100% sure_ly"})
    await audit.record(conn, LI, "alarm.acknowledge", "alarm:2", result="refused")
    await audit.record(conn, wang, "point.update", "point:1", before={"name": "ZONE"}, after={"name": "zone 2"})
    now = datetime.now(UTC)

    async def found(wanted: Filter) -> list[str | None]:
        return [entry.object for entry in (await audit.list_entries(conn, wanted=wanted)).items]

    assert await found(Filter()) == ["point:1", "alarm:2", "alarm:1"]
    assert await found(Filter(actor="account:li")) == ["alarm:2", "alarm:1"]
    assert await found(Filter(action="alarm.")) == ["alarm:2", "alarm:1"]
    assert await found(Filter(action="alarm.shelve")) == ["alarm:1"]
    assert await found(Filter(result="refused")) == ["alarm:2"]
    assert await found(Filter(object="point:1", text="Zone")) == ["point:1"]
    assert await found(Filter(text="100% sure_")) == ["alarm:1"]
    assert await found(Filter(text="%")) == ["alarm:1"]
    assert await found(Filter(start=now - timedelta(minutes=1), end=now + timedelta(minutes=1))) == await found(
        Filter()
    )
    assert await found(Filter(end=now - timedelta(minutes=1))) == []
    assert await found(Filter(start=now + timedelta(minutes=1))) == []


async def test_batched_entries_are_written_together_and_equal_ones_are_counted(db: Database) -> None:
    batch = AuditBatch(db)
    for _ in range(3):
        batch.add(LI, "account.read", "path:/accounts")
    batch.add(LI, "account.read", "path:/accounts/wang", after={"query": {"q": "nul \0 half \ud800"}})
    batch.add(LI, "account.read", "path:/acc\0ounts\ud800")
    assert len(batch) == 3
    assert await batch.flush() == 3
    assert len(batch) == 0 and await batch.flush() == 0
    async with db.connection() as conn:
        found = (await audit.list_entries(conn)).items
    assert {entry.object: entry.after for entry in found} == {
        "path:/accounts": {"times": 3},
        "path:/accounts/wang": {"query": {"q": "nul \0 half \ud800"}},
        "path:/acc\ufffdounts?": None,
    }


async def test_batched_entries_wait_for_the_database_and_too_many_stop_what_needs_them(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("ALTER TABLE audit RENAME TO away")
    batch = AuditBatch(db, most=5)
    for n in range(5):
        batch.add(LI, "account.read", f"account:{n}")
    with pytest.raises(psycopg.Error):
        await batch.flush()
    assert len(batch) == 5
    for refused in (batch.require_room, lambda: batch.add(LI, "account.read", "account:6")):
        with pytest.raises(Unavailable) as error:
            refused()
        assert error.value.code == "audit.backlog"
    async with db.connection() as conn:
        await conn.execute("ALTER TABLE away RENAME TO audit")
    writer = asyncio.create_task(batch.run())
    async with db.connection() as conn, asyncio.timeout(20):
        while await rows(conn, "SELECT FROM audit HAVING count(*) = 5") == []:
            await asyncio.sleep(0.02)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    batch.require_room()


def test_a_machine_is_told_of_once_an_hour_and_address() -> None:
    hourly = Hourly()
    told = [hourly.first(Actor("key:bms", address=address)) for address in ("a", "a", "b", "a")]
    assert told == [True, False, True, False]
