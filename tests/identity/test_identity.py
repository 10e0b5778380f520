import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from identity import PERMISSIONS, ROLES, accounts, audit, keys
from identity.actor import CLI, Actor
from identity.login import Gate, SignedIn
from tests.identity.conftest import attempt
from twin.db import Conn, Database, rows
from twin.errors import Conflict, Invalid, NotFound, Unauthenticated

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
GOOD = "correct horse battery"


async def test_a_stolen_table_of_keys_opens_nothing(conn: Conn) -> None:
    _, secret = await keys.create_key(conn, "bms", "integration", created_by=CLI)
    stored = await rows(conn, "SELECT * FROM api_key") + await rows(conn, "SELECT * FROM api_key_secret")
    assert secret not in str(stored)


async def test_the_first_administrator_is_made_once(gate: Gate) -> None:
    async def first() -> str | None:
        async with gate.db.transaction() as conn:
            return await accounts.ensure_administrator(conn)

    passwords = [made for made in await asyncio.gather(*(first() for _ in range(4))) if made]
    assert len(passwords) == 1
    signed_in = await attempt(gate, "administrator", passwords[0])
    assert isinstance(signed_in, SignedIn) and signed_in.session.actor.permissions == frozenset(PERMISSIONS)


async def test_the_last_administrator_is_not_disabled(conn: Conn) -> None:
    await accounts.ensure_administrator(conn)
    first = await accounts.get_account(conn, "administrator")
    with pytest.raises(Conflict) as error:
        async with conn.transaction():
            await accounts.change_account(conn, first, {"disabled": True})
    assert error.value.code == "grant.last_administrator"
    await accounts.create_account(conn, "wang", "correct horse battery", ["administrator"])
    assert (await accounts.change_account(conn, first, {"disabled": True})).disabled


async def test_a_key_works_until_it_is_revoked_or_expires(conn: Conn) -> None:
    key, secret = await keys.create_key(conn, "bms", "integration", created_by=CLI, expires_at=NOW)
    assert secret.startswith("twin_") and len(secret) >= 48
    actor = await keys.authenticate(conn, secret, address="192.0.2.7", now=NOW - timedelta(seconds=1))
    assert (actor.name, actor.roles, actor.address) == ("key:bms", ("integration",), "192.0.2.7")
    with pytest.raises(Unauthenticated):
        await keys.authenticate(conn, secret, address=None, now=NOW)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(conn, secret + "x", address=None, now=NOW - timedelta(seconds=1))
    await keys.revoke_key(conn, key.id)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(conn, secret, address=None, now=NOW - timedelta(seconds=1))
    with pytest.raises(NotFound):
        await keys.revoke_key(conn, key.id)
    assert (await keys.list_keys(conn)).items == []


async def test_requests_of_one_key_do_not_wait_for_each_other(db: Database) -> None:
    async with db.transaction() as conn:
        _, secret = await keys.create_key(conn, "bms", created_by=CLI)
    async with db.transaction() as slow, db.transaction() as quick, asyncio.timeout(5):
        for conn in (slow, quick):
            await keys.authenticate(conn, secret, address=None, now=NOW)


async def test_an_unknown_role_is_refused(conn: Conn) -> None:
    with pytest.raises(Invalid, match="facility_engineer"):
        await accounts.create_account(conn, "li", GOOD, ["root"])
    with pytest.raises(Invalid):
        await keys.create_key(conn, "x", "root", created_by=CLI)


def test_roles_only_grant_permissions_that_exist() -> None:
    for role, granted in ROLES.items():
        assert granted <= set(PERMISSIONS), role


async def test_the_audit_trail_comes_in_pages(conn: Conn) -> None:
    who = Actor("account:li")
    for n in range(5):
        await audit.record(conn, who, "alarm.acknowledge", f"alarm:{n}", after={"acked": True})
    first = await audit.list_entries(conn, limit=3)
    second = await audit.list_entries(conn, limit=3, cursor=first.next)
    assert [entry.object for entry in first.items + second.items] == [f"alarm:{n}" for n in (4, 3, 2, 1, 0)]
    assert second.next is None
    assert (await audit.list_entries(conn, object="alarm:2")).items[0].after == {"acked": True}
