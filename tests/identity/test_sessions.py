"""Sessions: how they end, how many there are, what their owner sees (6.5.2b-4)."""

import asyncio
from datetime import timedelta

import pytest

from identity import sessions
from identity.login import Gate
from tests.identity.conftest import NOON, Clocks, attempt, enter, find, make
from twin.db import rows
from twin.errors import Denied, Unauthenticated
from twin.settings import Settings


async def why(gate: Gate, token: str, *, address: str = "192.0.2.1") -> str:
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token, address=address)
    return error.value.code


@pytest.mark.clause("6.5.2b-4")
async def test_a_session_ends_when_unused_and_in_any_case_in_the_end(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    unused, used = (await enter(gate)).token, (await enter(gate)).token
    for _ in range(71):
        clocks.go(minutes=10)
        assert await find(gate, used)
    assert await why(gate, unused) == "session.idle"
    clocks.go(minutes=10)
    assert await why(gate, used) == "session.expired"


async def test_what_no_person_does_keeps_no_session_alive(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    token = (await enter(gate)).token
    for _ in range(2):
        clocks.go(minutes=7)
        assert await find(gate, token, touch=False)
    clocks.go(minutes=1)
    assert await why(gate, token) == "session.idle"


@pytest.mark.clause("6.5.2b-4")
async def test_one_session_more_than_allowed_ends_the_oldest_and_its_owner_is_told(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    await make(gate, "wang")
    others = (await enter(gate, "wang")).token
    tokens = []
    for _ in range(4):
        tokens.append((await enter(gate)).token)
        clocks.go(seconds=1)
    assert await why(gate, tokens[0]) == "session.ended_limit"
    assert all([await find(gate, token) for token in (*tokens[1:], others)])


async def test_many_logins_at_once_leave_as_many_sessions_as_allowed(gate: Gate) -> None:
    await make(gate)
    await asyncio.gather(*(attempt(gate) for _ in range(5)))
    async with gate.db.connection() as conn:
        live = await rows(conn, "SELECT FROM session WHERE ended_at IS NULL")
    assert len(live) == gate.settings.session_count == 3


@pytest.mark.parametrize("rules", [Settings(session_count=1, session_idle=timedelta(minutes=2))])
async def test_an_installation_chooses_how_many_and_how_long(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    first = (await enter(gate)).token
    clocks.go(seconds=1)
    second = (await enter(gate)).token
    assert await why(gate, first) == "session.ended_limit"
    clocks.go(minutes=2)
    assert await why(gate, second) == "session.idle"


async def test_a_cookie_that_is_replayed_after_signing_out_is_refused(gate: Gate) -> None:
    await make(gate)
    token = (await enter(gate)).token
    async with gate.db.transaction() as conn:
        await sessions.logout(conn, token, gate.clock.now())
    for _ in range(2):
        assert await why(gate, token) == "session.ended_logout"


async def test_a_foreign_or_changed_token_is_no_session(gate: Gate) -> None:
    await make(gate)
    token = (await enter(gate)).token
    for other in ("", "x", token[:-1], token + "x", token.swapcase()):
        assert await find(gate, other) is None


async def test_the_list_names_each_session_in_plain_words_and_marks_the_current_one(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    first = await enter(gate)
    clocks.go(minutes=3)
    second = await enter(gate, address="2001:db8::7")
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
    async with gate.db.transaction() as conn:
        await conn.execute("UPDATE session SET user_agent = %s WHERE id = %s", (agent, second.session.id))
        listed = await sessions.list_sessions(conn, account.id, gate.clock, current=second.session.id)
    assert [(each.address, each.user_agent, each.current) for each in listed] == [
        ("2001:db8::7", "Chrome 140, Windows", True),
        ("192.0.2.1", "test", False),
    ]
    assert listed[1].created_at == NOON
    assert listed[1].id == first.session.id


async def test_owner_and_administrator_end_sessions_and_each_says_so(gate: Gate) -> None:
    account = await make(gate)
    other = await make(gate, "wang")
    first, second, third = [await enter(gate) for _ in range(3)]
    now = gate.clock.now()
    async with gate.db.transaction() as conn:
        assert await sessions.end_sessions(conn, other.id, "revoked", now, only=first.session.id) == 0  # not his
        assert await sessions.end_sessions(conn, account.id, "revoked", now, only=first.session.id) == 1
        assert await sessions.end_sessions(conn, account.id, "revoked", now, only=first.session.id) == 0  # ended
        assert await sessions.end_sessions(conn, account.id, "administrator", now, but=third.session.id) == 1
    assert await why(gate, first.token) == "session.ended_revoked"
    assert await why(gate, second.token) == "session.ended_administrator"
    assert await find(gate, third.token)


async def test_a_new_token_makes_the_old_one_worthless(gate: Gate) -> None:
    await make(gate)
    old = await enter(gate)
    async with gate.db.transaction() as conn:
        token = await sessions.renew_token(conn, old.session.id)
    assert await find(gate, old.token) is None
    renewed = await find(gate, token)
    assert renewed and renewed.id == old.session.id and renewed.csrf_token != old.session.csrf_token


async def test_a_stolen_table_of_sessions_opens_nothing(gate: Gate) -> None:
    await make(gate)
    token = (await enter(gate)).token
    async with gate.db.connection() as conn:
        assert token not in str(await rows(conn, "SELECT * FROM session"))


async def test_sessions_that_are_long_over_are_forgotten_and_others_are_not(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    old = (await enter(gate)).token
    clocks.go(hours=24, minutes=16)
    new = (await enter(gate)).token
    async with gate.db.transaction() as conn:
        await sessions.prune(conn, gate.clock.now())
    assert await find(gate, old) is None
    assert await find(gate, new)


def test_a_request_with_the_cookie_alone_is_no_mutation() -> None:
    sessions.check_csrf("token", "token")
    for given in (None, "", "Token", "tökén"):
        with pytest.raises(Denied):
            sessions.check_csrf("token", given)
