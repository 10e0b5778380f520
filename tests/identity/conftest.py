"""Signing in, with clocks that a test moves by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from identity import accounts, login, sessions
from identity.accounts import Account
from identity.clock import open_clock
from identity.login import Gate, SignedIn, Ticket
from identity.passwords import hash_password
from identity.sealing import Sealer
from identity.sessions import Origin, Session
from twin.db import Database
from twin.settings import Settings

NOON = datetime(2026, 5, 4, 4, tzinfo=UTC)  # a Monday, 12:00 in Shanghai
GOOD = "correct horse battery"
WRONG = "a guess, and wrong"


@dataclass
class Clocks:
    """What the kernel and the wall show: `go` moves both, `step` only the wall."""

    ticks: float = 1000.0
    wall: datetime = NOON

    def go(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        passed = timedelta(seconds=seconds, minutes=minutes, hours=hours)
        self.ticks += passed.total_seconds()
        self.wall += passed

    def step(self, passed: timedelta) -> None:
        self.wall += passed


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def rules() -> Settings:
    return Settings()


@pytest.fixture
async def gate(db: Database, clocks: Clocks, rules: Settings) -> Gate:
    """What signing in needs, on a database of its own."""
    async with db.connection() as conn:
        clock = await open_clock(conn, boot="a boot", ticks=lambda: clocks.ticks, wall=lambda: clocks.wall)
    return Gate(db, rules, Sealer(b"k" * 32), clock)


_hashed: dict[str, str] = {}  # argon2 takes its time, and a hundred accounts with the same password need it once


async def make(gate: Gate, name: str = "li", roles: tuple[str, ...] = ("duty_operator",)) -> Account:
    """An account whose password is GOOD."""
    if GOOD not in _hashed:
        _hashed[GOOD] = await hash_password(GOOD)
    async with gate.db.transaction() as conn:
        account = await accounts.create_account(conn, name, None, roles)
        await conn.execute("UPDATE account SET password_hash = %s WHERE id = %s", (_hashed[GOOD], account.id))
        return account


async def change(gate: Gate, account: Account, **changes: object) -> Account:
    async with gate.db.transaction() as conn:
        return await accounts.change_account(conn, account, changes)


async def attempt(
    gate: Gate, name: str = "li", password: str = GOOD, *, address: str = "192.0.2.1", before: str | None = None
) -> SignedIn | Ticket:
    return await login.sign_in(gate, name, password, Origin(address, "test"), before=before)


async def enter(gate: Gate, name: str = "li", *, address: str = "192.0.2.1", before: str | None = None) -> SignedIn:
    """Sign in with the right password."""
    outcome = await attempt(gate, name, address=address, before=before)
    assert isinstance(outcome, SignedIn)
    return outcome


async def find(gate: Gate, token: str, *, address: str | None = "192.0.2.1", touch: bool = True) -> Session | None:
    """What a request with this cookie gets. Raises Unauthenticated as the request does."""
    async with gate.db.transaction() as conn:
        return await sessions.find_session(
            conn, token, address=address, settings=gate.settings, now=gate.clock.now(), touch=touch
        )
