import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from identity import PERMISSIONS, ROLES, accounts, audit, keys, sessions
from identity.actor import CLI, Actor
from twin.db import Conn, Database, row, rows
from twin.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated
from twin.settings import Settings

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
GOOD = "correct horse battery"


@pytest.fixture
def limits() -> Settings:
    return Settings(login_attempts=3)


async def make(db: Database, name: str = "li") -> None:
    async with db.transaction() as conn:
        await accounts.create_account(conn, name, GOOD, ["duty_operator"])


async def login(
    db: Database, limits: Settings, name: str = "li", password: str = GOOD, *, address: str = "::1", now: datetime = NOW
) -> tuple[sessions.Session, str]:
    return await sessions.login(db, name, password, address=address, user_agent="test", settings=limits, now=now)


async def find(db: Database, token: str, now: datetime) -> sessions.Session | None:
    async with db.transaction() as conn:
        return await sessions.find_session(conn, token, address=None, now=now)


async def test_who_signs_in_may_do_what_the_role_says(db: Database, limits: Settings) -> None:
    await make(db)
    session, token = await login(db, limits, "LI")
    assert session.actor.name == "account:li"
    assert session.actor.permissions == ROLES["duty_operator"]
    assert session.actor.may("alarm.acknowledge")
    assert not session.actor.may("account.write")
    found = await find(db, token, NOW)
    assert found and found.csrf_token == session.csrf_token


async def test_a_session_ends_when_unused_and_in_any_case_in_the_end(db: Database, limits: Settings) -> None:
    await make(db)
    _, unused = await login(db, limits)
    assert await find(db, unused, NOW + timedelta(minutes=15)) is None
    _, used = await login(db, limits)
    now = NOW
    while now < NOW + timedelta(hours=12) - timedelta(minutes=10):
        now += timedelta(minutes=10)
        assert await find(db, used, now) is not None, now
    assert await find(db, used, NOW + timedelta(hours=12)) is None


async def test_what_no_person_does_keeps_no_session_alive(db: Database, limits: Settings) -> None:
    await make(db)
    _, token = await login(db, limits)
    async with db.transaction() as conn:
        for minutes in (10, 14):
            later = NOW + timedelta(minutes=minutes)
            assert await sessions.find_session(conn, token, address=None, now=later, touch=False)
        assert await sessions.find_session(conn, token, address=None, now=NOW + timedelta(minutes=16)) is None


async def test_signing_out_and_disabling_end_a_session(db: Database, limits: Settings) -> None:
    await make(db)
    _, first = await login(db, limits)
    _, second = await login(db, limits)
    async with db.transaction() as conn:
        await sessions.logout(conn, first)
    assert await find(db, first, NOW) is None
    assert await find(db, second, NOW) is not None
    async with db.transaction() as conn:
        await conn.execute("UPDATE account SET disabled = true")
    assert await find(db, second, NOW) is None
    with pytest.raises(Unauthenticated, match="wrong"):
        await login(db, limits)


async def test_a_stolen_table_of_sessions_and_keys_opens_nothing(db: Database, limits: Settings) -> None:
    await make(db)
    _, token = await login(db, limits)
    async with db.transaction() as conn:
        _, secret = await keys.create_key(conn, "bms", "integration", created_by=CLI)
        stored = str(await rows(conn, "SELECT token_hash FROM session")) + str(
            await rows(conn, "SELECT * FROM api_key")
        )
    assert token not in stored
    assert secret not in stored


async def test_too_many_wrong_passwords_lock_a_name_at_that_address_for_a_while(db: Database, limits: Settings) -> None:
    await make(db)
    for _ in range(limits.login_attempts):
        with pytest.raises(Unauthenticated, match="wrong"):
            await login(db, limits, password="a guess, wrong")
    with pytest.raises(Unauthenticated, match="try again in 15 minutes"):
        await login(db, limits)
    await login(db, limits, address="192.0.2.7")
    await login(db, limits, now=NOW + timedelta(minutes=15))


async def test_a_right_password_forgets_the_wrong_ones_before_it(db: Database, limits: Settings) -> None:
    await make(db)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await login(db, limits, password="a guess, wrong")
        await login(db, limits)


async def test_a_hundred_wrong_logins_at_once_are_no_way_round_the_limit(db: Database, limits: Settings) -> None:
    await make(db)
    outcomes = await asyncio.gather(
        *(login(db, limits, password=f"guess number {n}") for n in range(100)), return_exceptions=True
    )
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Unauthenticated)]
    assert (codes.count("login.wrong"), codes.count("login.locked")) == (limits.login_attempts, 97)


async def test_an_unknown_name_takes_as_long_and_says_the_same(db: Database) -> None:
    limits = Settings(login_attempts=1000)
    await make(db)
    seconds: dict[str, list[float]] = {"li": [], "nobody": []}
    await asyncio.gather(login(db, limits), return_exceptions=True)
    for _ in range(5):
        for name, measured in seconds.items():
            started = time.perf_counter()
            with pytest.raises(Unauthenticated) as error:
                await login(db, limits, name, "a guess, wrong")
            measured.append(time.perf_counter() - started)
            assert error.value.code == "login.wrong"
    known, unknown = (min(measured) for measured in seconds.values())
    assert 0.4 < unknown / known < 2.5


async def test_every_login_stands_in_the_audit_trail_and_no_password_does(db: Database, limits: Settings) -> None:
    await make(db)
    with pytest.raises(Unauthenticated):
        await login(db, limits, password="hunter2 hunter2")
    await login(db, limits)
    async with db.connection() as conn:
        trail = await audit.list_entries(conn)
        assert [(entry.actor, entry.action, entry.result) for entry in trail.items] == [
            ("account:li", "session.login", "done"),
            ("account:li", "session.login", "refused"),
        ]
        everything = str(await rows(conn, "SELECT * FROM audit")) + str(await rows(conn, "SELECT * FROM login_attempt"))
    assert "hunter2" not in everything
    assert GOOD not in everything


def test_a_request_with_the_cookie_alone_is_no_mutation() -> None:
    sessions.check_csrf("token", "token")
    for given in (None, "", "Token", "tökén"):
        with pytest.raises(Denied):
            sessions.check_csrf("token", given)


async def test_the_first_administrator_is_made_once(db: Database, limits: Settings) -> None:
    async def first() -> str | None:
        async with db.transaction() as conn:
            return await accounts.ensure_administrator(conn)

    passwords = [made for made in await asyncio.gather(*(first() for _ in range(4))) if made]
    assert len(passwords) == 1
    session, _ = await login(db, limits, "administrator", passwords[0])
    assert session.actor.permissions == frozenset(PERMISSIONS)


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


@pytest.mark.parametrize("name", ["", " ", "-x", "a b", "x" * 65, "a\u202eb", "a/b"])
async def test_a_name_that_could_be_mistaken_is_refused(conn: Conn, name: str) -> None:
    with pytest.raises(Invalid):
        await accounts.create_account(conn, name, GOOD, ["crew"])


async def test_a_name_in_other_width_or_case_is_the_same_name(conn: Conn) -> None:
    await accounts.create_account(conn, "王芳", GOOD, ["crew"])
    await accounts.create_account(conn, "Li", GOOD, ["crew"])
    for twin in ("LI", "\uff4c\uff49"):
        with pytest.raises(Conflict):
            await accounts.create_account(conn, twin, GOOD, ["crew"])


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "wang.xiaoming", "x" * 300])
async def test_a_weak_password_is_refused(conn: Conn, password: str) -> None:
    with pytest.raises(Invalid):
        await accounts.create_account(conn, "wang.xiaoming", password, ["crew"])
    assert await row(conn, "SELECT FROM account") is None


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
