"""Signing in: equal answers, the lock, what the trail tells (S12)."""

import asyncio
from datetime import timedelta

import pytest

from identity import audit, passwords, throttle
from identity.login import NOBODY, Gate
from identity.passwords import Work
from identity.permissions import ROLES
from identity.sessions import Origin
from tests.identity.conftest import GOOD, WRONG, Clocks, attempt, change, enter, find, make
from twin.db import Conn, rows
from twin.errors import TooMany, TwinError, Unauthenticated, Unavailable
from twin.settings import Settings


async def refused(gate: Gate, name: str = "li", password: str = WRONG, *, address: str = "192.0.2.1") -> TwinError:
    with pytest.raises(TwinError) as error:
        await attempt(gate, name, password, address=address)
    return error.value


async def lock(gate: Gate, name: str = "li", *, address: str = "192.0.2.1") -> None:
    for _ in range(gate.settings.login_attempts):
        await refused(gate, name, address=address)


@pytest.mark.clause("6.5.2a")
async def test_who_signs_in_may_do_what_the_role_says(gate: Gate) -> None:
    await make(gate)
    signed_in = await enter(gate, "LI")
    actor = signed_in.session.actor
    assert (actor.name, actor.permissions, actor.address) == ("account:li", ROLES["duty_operator"], "192.0.2.1")
    found = await find(gate, signed_in.token)
    assert found and found.csrf_token == signed_in.session.csrf_token
    assert found.account.last_login_at == gate.clock.now().wall


@pytest.mark.clause("6.5.2b-2")
async def test_five_wrong_passwords_lock_a_name_at_that_address_for_fifteen_minutes(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    await make(gate, "wang")
    await lock(gate)
    assert (await refused(gate, password=GOOD)).code == "login.wrong"
    await enter(gate, address="192.0.2.2")
    await enter(gate, "wang")
    clocks.go(minutes=14.9)
    assert (await refused(gate, password=GOOD)).code == "login.wrong"
    clocks.go(minutes=0.2)
    await enter(gate)


@pytest.mark.clause("6.5.2b-2")
@pytest.mark.parametrize("rules", [Settings(login_attempts_account=9)])
async def test_guesses_from_everywhere_count_together_and_lock_nobody_out_of_the_usual_place(
    gate: Gate, clocks: Clocks
) -> None:
    await make(gate)
    await enter(gate, address="192.0.2.1")
    for number in range(gate.settings.login_attempts_account):
        await refused(gate, address=f"198.51.100.{number}")
    assert (await refused(gate, password=GOOD, address="203.0.113.9")).code == "login.wrong"
    await enter(gate, address="192.0.2.1")
    clocks.go(minutes=2)  # it drains away: nine attempts in fifteen minutes
    await enter(gate, address="203.0.113.9")
    async with gate.db.transaction() as conn:
        await throttle.prune(conn, lock=timedelta(), keep=timedelta(), now=gate.clock.now())
        assert not await rows(conn, "SELECT FROM login_place")


async def test_what_is_refused_does_not_make_a_lock_longer(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    await lock(gate)
    for _ in range(2):
        clocks.go(minutes=7)
        await refused(gate)
    clocks.go(minutes=1)
    await enter(gate)


async def test_four_wrong_passwords_count_until_a_right_one_or_a_quiet_quarter_of_an_hour(
    gate: Gate, clocks: Clocks
) -> None:
    await make(gate)
    for _ in range(2):
        for _ in range(4):
            await refused(gate)
        await enter(gate)
    for _ in range(4):
        await refused(gate)
    clocks.go(minutes=15)
    await refused(gate)
    await enter(gate)


@pytest.mark.clause("6.5.2b-2")
async def test_unknown_disabled_locked_and_wrong_get_the_same_answer_for_the_same_work(gate: Gate) -> None:
    await make(gate)
    await make(gate, "locked")
    disabled = await make(gate, "disabled")
    await change(gate, disabled, disabled=True)
    await lock(gate, "locked")
    answers, work = [], []
    for name, password in (
        ("li", WRONG),
        ("nobody", WRONG),
        ("no/name at all", WRONG),
        ("disabled", GOOD),
        ("disabled", WRONG),
        ("locked", GOOD),
        ("locked", WRONG),
        ("li", "x" * 1000),
    ):
        before = Work.operations
        error = await refused(gate, name, password)
        work.append(Work.operations - before)
        answers.append((type(error), error.code, error.params, error.where))
    assert work == [1] * len(work)  # one argon2 computation each, and nothing beside it takes time
    assert len({str(answer) for answer in answers}) == 1


async def test_each_of_these_answers_takes_the_same_statements(gate: Gate) -> None:
    """What is not argon2 is a handful of statements: as many for a name that nobody has as for a known one."""
    await make(gate)
    counted = {name: [await _statements(gate, name) for _ in range(3)] for name in ("li", "nobody")}
    # Numbers of transactions are the whole server's: what others do meanwhile can only add to them.
    assert min(counted["li"]) == min(counted["nobody"])


async def _statements(gate: Gate, name: str) -> int:
    """How many writing transactions one wrong password takes."""
    async with gate.db.connection() as conn:
        before = await _transactions(conn)
    await refused(gate, name)
    async with gate.db.connection() as conn:
        return await _transactions(conn) - before


async def _transactions(conn: Conn) -> int:
    found = await rows(conn, "SELECT pg_current_xact_id()::text AS id")  # takes a number, as every writing one does
    return int(found[0]["id"])


@pytest.mark.clause("6.5.2b-2")
async def test_a_hundred_wrong_logins_at_once_are_no_way_round_the_limit_and_cost_bounded_memory(gate: Gate) -> None:
    await make(gate)
    before = Work.operations
    most = 0

    async def guess(number: int) -> str:
        nonlocal most
        try:
            await attempt(gate, password=f"guess number {number}")
        except TwinError as error:
            most = max(most, Work.waiting)
            return error.code
        raise AssertionError("got in")

    answers = await asyncio.gather(*(guess(number) for number in range(100)))
    looked_at = await _attempts(gate, "account:%")
    assert looked_at == gate.settings.login_attempts
    assert answers.count("login.wrong") == gate.settings.login_attempts_address
    assert answers.count("login.too_many") == 50
    assert Work.operations - before == 50
    assert passwords._threads._max_workers == 2  # each 64 MiB: what waits holds a password and nothing else
    assert (await refused(gate, password=GOOD, address="192.0.2.1")).code == "login.too_many"


async def _attempts(gate: Gate, subject: str) -> int:
    async with gate.db.connection() as conn:
        found = await rows(
            conn, "SELECT attempts FROM login_throttle WHERE subject LIKE %s AND address <> '*'", (subject,)
        )
    return int(sum(each["attempts"] for each in found))


async def test_when_too_many_wait_for_argon2_the_next_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 1)
    outcomes = await asyncio.gather(*(passwords.hash_password(GOOD) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 2
    assert Work.waiting == 0


@pytest.mark.parametrize("rules", [Settings(login_attempts_address=10)])
async def test_one_address_that_tries_many_names_is_slowed_down(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    for number in range(10):
        assert (await refused(gate, f"name{number}")).code == "login.wrong"
    before = Work.operations
    slow_down = await refused(gate, "another")
    assert isinstance(slow_down, TooMany)
    assert slow_down.params["retry_after"] == 90
    assert Work.operations == before
    await enter(gate, address="192.0.2.2")
    clocks.go(seconds=91)
    await enter(gate)


async def test_an_ipv6_subscriber_counts_as_one_address(gate: Gate) -> None:
    await make(gate)
    for number in range(gate.settings.login_attempts):
        await refused(gate, address=f"2001:db8::{number + 1:x}")
    assert (await refused(gate, password=GOOD, address="2001:db8::ffff")).code == "login.wrong"
    await enter(gate, address="2001:db8:0:1::1")
    assert throttle.place_of("::ffff:192.0.2.1") == "192.0.2.1"


async def test_an_administrator_can_unlock(gate: Gate) -> None:
    account = await make(gate)
    await lock(gate)
    async with gate.db.transaction() as conn:
        now, rules = gate.clock.now(), gate.settings
        limits = {"most": rules.login_attempts, "lock": rules.login_lock, "now": now}
        assert await throttle.locked_accounts(conn, [account.id], **limits) == {account.id}  # type: ignore[arg-type]
        await throttle.forget(conn, f"account:{account.id}")
        assert await throttle.locked_accounts(conn, [account.id], **limits) == set()  # type: ignore[arg-type]
    await enter(gate)


@pytest.mark.clause("9.1.3-2")
async def test_every_login_stands_in_the_audit_trail_and_no_password_does(gate: Gate) -> None:
    await make(gate)
    await refused(gate, password="hunter2 hunter2")
    await refused(gate, "my password, in the wrong field")
    await enter(gate)
    async with gate.db.connection() as conn:
        trail = (await audit.list_entries(conn, action="session.login")).items
        everything = str(await rows(conn, "SELECT * FROM audit")) + str(
            await rows(conn, "SELECT * FROM login_throttle")
        )
    assert [(each.actor, each.result, (each.after or {}).get("why")) for each in trail] == [
        ("account:li", "done", None),
        (NOBODY, "refused", "unknown"),
        ("account:li", "refused", "wrong"),
    ]
    assert {each.address for each in trail} == {"192.0.2.1"}
    for secret in ("hunter2", GOOD, "wrong field"):
        assert secret not in everything


async def test_a_password_is_compared_exactly_as_given(gate: Gate) -> None:
    await make(gate)
    for close in (GOOD + " ", " " + GOOD, GOOD.upper(), GOOD[:-1], GOOD + "x" * 300):
        assert (await refused(gate, password=close)).code == "login.wrong"
        async with gate.db.transaction() as conn:
            await conn.execute("DELETE FROM login_throttle")


async def test_a_disabled_account_loses_its_session_and_cannot_sign_in(gate: Gate) -> None:
    account = await make(gate)
    token = (await enter(gate)).token
    await change(gate, account, disabled=True)
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token)
    assert error.value.code == "session.account_disabled"
    assert (await refused(gate, password=GOOD)).code == "login.wrong"


async def test_signing_in_again_ends_the_session_that_the_browser_held(gate: Gate) -> None:
    await make(gate)
    first = await enter(gate)
    second = await enter(gate, before=first.token)
    assert second.token != first.token
    with pytest.raises(Unauthenticated) as error:
        await find(gate, first.token)
    assert error.value.code == "session.ended_replaced"


async def test_a_token_that_was_planted_before_signing_in_is_worth_nothing(gate: Gate) -> None:
    await make(gate)
    planted = "attackers-choice-of-a-token-0123456789abcdef"
    signed_in = await enter(gate, before=planted)
    assert signed_in.token != planted
    assert await find(gate, planted) is None


def test_where_a_request_comes_from_may_be_unknown() -> None:
    assert throttle.place_of(Origin(None).address) == ""
    assert throttle.place_of("not an address") == "not an address"
    assert timedelta(0) < Settings().login_lock
