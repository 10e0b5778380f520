"""TOTP, recovery codes, and the key that seals them (6.5.2b-2)."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from identity import login, second_factor
from identity.accounts import Account
from identity.login import Gate, SignedIn, Ticket
from identity.sealing import FILE, Sealer, load_sealer, open_sealer
from identity.sessions import Origin
from tests.identity.conftest import WRONG, Clocks, attempt, make
from twin.db import rows
from twin.errors import Conflict, Invalid, TwinError, Unauthenticated, Unavailable
from twin.settings import Settings


async def enrol(gate: Gate, account: Account, clocks: Clocks) -> tuple[pyotp.TOTP, list[str]]:
    """A confirmed second factor; the next code that is taken is the one of the next step."""
    async with gate.db.transaction() as conn:
        enrolment = await second_factor.begin(conn, gate.sealer, account.id, account.name)
        totp = pyotp.TOTP(enrolment.secret)
        codes = await second_factor.confirm(conn, gate.sealer, account.id, totp.at(clocks.wall), clocks.wall)
    clocks.go(seconds=30)
    return totp, codes


async def ticket_of(gate: Gate, *, address: str = "192.0.2.1") -> str:
    outcome = await attempt(gate, address=address)
    assert isinstance(outcome, Ticket)
    return outcome.ticket


async def enter_with(gate: Gate, code: str, *, ticket: str | None = None, address: str = "192.0.2.1") -> SignedIn:
    held = ticket or await ticket_of(gate, address=address)
    return await login.pass_second_factor(gate, held, code, Origin(address, "test"))


async def refused(gate: Gate, code: str, *, ticket: str | None = None, address: str = "192.0.2.1") -> str:
    with pytest.raises(TwinError) as error:
        await enter_with(gate, code, ticket=ticket, address=address)
    return error.value.code


@pytest.mark.clause("6.5.2b-2")
async def test_with_a_second_factor_the_password_alone_makes_no_session(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    ticket = await ticket_of(gate)
    async with gate.db.connection() as conn:
        assert await rows(conn, "SELECT FROM session") == []
        stored = str(await rows(conn, "SELECT * FROM login_ticket")) + str(
            await rows(conn, "SELECT * FROM second_factor")
        )
    assert ticket not in stored and totp.secret not in stored
    signed_in = await enter_with(gate, totp.at(clocks.wall), ticket=ticket)
    assert signed_in.session.account.second_factor
    assert await refused(gate, totp.at(clocks.wall), ticket=ticket) == "login.ticket"


async def test_what_an_authenticator_needs_comes_as_text_and_as_a_picture(gate: Gate) -> None:
    account = await make(gate, "王芳")
    async with gate.db.transaction() as conn:
        enrolment = await second_factor.begin(conn, gate.sealer, account.id, account.name)
    uri = urlsplit(enrolment.uri)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [enrolment.secret], "issuer": ["Twin"]}
    assert re.fullmatch("[A-Z2-7]{32}", enrolment.secret)
    assert enrolment.qr_svg.startswith("<svg") and "script" not in enrolment.qr_svg


async def test_a_code_counts_one_step_before_and_after_and_no_further(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    clocks.go(minutes=10)
    for steps, fits in ((-2, False), (2, False), (-1, True), (0, True), (1, True)):
        code = totp.at(clocks.wall + timedelta(seconds=30 * steps))
        async with gate.db.transaction() as conn:
            used = await second_factor.check_code(conn, gate.sealer, account.id, code, clocks.wall)
        assert used == ("totp" if fits else None), steps


async def test_a_step_is_used_once_and_older_ones_not_after_it(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    clocks.go(minutes=1)
    code, older = totp.at(clocks.wall), totp.at(clocks.wall - timedelta(seconds=30))
    await enter_with(gate, code)
    assert await refused(gate, code) == "second_factor.wrong"
    assert await refused(gate, older) == "second_factor.wrong"


async def test_of_many_requests_with_one_code_one_is_let_in(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    tickets = [await ticket_of(gate) for _ in range(4)]
    code = totp.at(clocks.wall)
    outcomes = await asyncio.gather(
        *(enter_with(gate, code, ticket=ticket) for ticket in tickets), return_exceptions=True
    )
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) == 3


@pytest.mark.clause("6.5.2b-2")
async def test_five_wrong_codes_lock_the_second_factor_wherever_they_come_from(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, codes = await enrol(gate, account, clocks)
    for number in range(5):
        assert await refused(gate, "000000", address=f"192.0.2.{number + 10}") == "second_factor.wrong"
    assert await refused(gate, totp.at(clocks.wall)) == "second_factor.wrong"
    assert await refused(gate, codes[0]) == "second_factor.wrong"
    clocks.go(minutes=15)
    await enter_with(gate, totp.at(clocks.wall))


async def test_the_right_password_does_not_wipe_out_the_count_of_wrong_ones(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    await enrol(gate, account, clocks)
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            await attempt(gate, password=WRONG)
    await ticket_of(gate)
    with pytest.raises(Unauthenticated):
        await attempt(gate, password=WRONG)
    with pytest.raises(Unauthenticated):
        await attempt(gate)


async def test_a_ticket_is_for_one_address_and_five_minutes_and_no_session(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    ticket = await ticket_of(gate)
    clocks.go(minutes=2)
    with pytest.raises(Unauthenticated) as error:
        await login.pass_second_factor(gate, ticket, totp.at(clocks.wall), Origin("198.51.100.1"))
    assert error.value.code == "login.ticket"
    clocks.go(minutes=3)
    assert await refused(gate, totp.at(clocks.wall), ticket=ticket) == "login.ticket"
    assert await refused(gate, totp.at(clocks.wall), ticket="made up") == "login.ticket"


async def test_a_recovery_code_lets_in_once_in_any_spelling(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    _, codes = await enrol(gate, account, clocks)
    assert len(set(codes)) == 10 and all(re.fullmatch("[a-z2-9]{5}-[a-z2-9]{5}", code) for code in codes)
    await enter_with(gate, codes[3].upper().replace("-", " "))
    assert await refused(gate, codes[3]) == "second_factor.wrong"
    async with gate.db.transaction() as conn:
        assert await second_factor.recovery_codes_left(conn, account.id) == 9
        assert codes[4].replace("-", "") not in str(await rows(conn, "SELECT * FROM recovery_code"))
        fresh = await second_factor.new_recovery_codes(conn, gate.sealer, account.id)
    assert await refused(gate, codes[4]) == "second_factor.wrong"
    await enter_with(gate, fresh[0])


async def test_an_enrolment_counts_only_once_confirmed(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    async with gate.db.transaction() as conn:
        with pytest.raises(Conflict, match="begin with"):
            await second_factor.confirm(conn, gate.sealer, account.id, "000000", clocks.wall)
        first = await second_factor.begin(conn, gate.sealer, account.id, account.name)
        second = await second_factor.begin(conn, gate.sealer, account.id, account.name)
        assert first.secret != second.secret
        with pytest.raises(Invalid):
            code = pyotp.TOTP(first.secret).at(clocks.wall)
            await second_factor.confirm(conn, gate.sealer, account.id, code, clocks.wall)
        assert not await second_factor.is_on(conn, account.id)
    assert isinstance(await attempt(gate), SignedIn)


async def test_without_the_key_the_table_is_worthless_and_the_server_says_which_file_is_wrong(
    gate: Gate, clocks: Clocks, tmp_path: Path
) -> None:
    account = await make(gate)
    totp, _ = await enrol(gate, account, clocks)
    stranger = Gate(gate.db, gate.settings, Sealer(b"x" * 32), gate.clock)
    with pytest.raises(Unavailable, match=r"installation\.key"):
        await enter_with(stranger, totp.at(clocks.wall))
    settings = Settings(data=tmp_path / "data")
    async with gate.db.transaction() as conn:
        await conn.execute("""INSERT INTO installation VALUES ('key', '{"fingerprint": "another"}')""")
        with pytest.raises(Conflict, match="reset-second-factor") as error:
            await open_sealer(conn, settings)
        assert error.value.where == str(tmp_path / "data" / FILE)
        await second_factor.remove(conn, account.id)
        await open_sealer(conn, settings)
        await open_sealer(conn, settings)


def test_what_is_sealed_for_one_account_opens_for_no_other() -> None:
    sealer = Sealer(b"k" * 32)
    sealed = sealer.seal("secret", "totp 1")
    assert sealer.open(sealed, "totp 1") == "secret"
    assert sealer.seal("secret", "totp 1") != sealed
    for other in (sealer, Sealer(b"l" * 32)):
        with pytest.raises(Unavailable):
            other.open(sealed, "totp 2")


def test_the_key_is_made_once_private_to_its_user_and_said_to_be_wrong_when_it_is(tmp_path: Path) -> None:
    path = tmp_path / "keys" / FILE
    first = load_sealer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_sealer(path).fingerprint == first.fingerprint
    path.chmod(0o644)
    load_sealer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [FILE]
    for content in ("", "no hex", "abcd"):
        path.write_text(content)
        with pytest.raises(Conflict) as error:
            load_sealer(path)
        assert error.value.where == str(path)
