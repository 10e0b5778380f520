"""Signing in with a name, a password and, where there is one, a second factor (6.5.2b-2).

Whatever is wrong, the answer is the same and takes as long: an unknown name, a disabled account, a locked one, a wrong
password. Each costs one argon2 computation and the same statements. Only who knows the password is told that the
account may not be used now or from here.

Attempts are counted in transactions of their own: a wrong password must count although its request fails.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity import audit, second_factor, sessions, throttle
from identity.accounts import COLUMNS, Account, account_of
from identity.actor import Actor
from identity.clock import Now, SteadyClock
from identity.names import plain_name
from identity.passwords import verify_password
from identity.sealing import Sealer
from identity.sessions import Origin, Session, hash_token
from twin.db import Conn, Database, row
from twin.errors import Denied, TooMany, TwinError, Unauthenticated
from twin.settings import Settings

TICKET_LIFE = timedelta(minutes=5)
NOBODY = "anonymous"
"""Whose sign-in it was when the name is no account's: it may be a password, typed into the wrong field."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What signing in needs."""

    db: Database
    settings: Settings
    sealer: Sealer
    clock: SteadyClock


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the token for its cookie."""

    session: Session
    token: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The password was right and a code is awaited; the ticket goes with it, from the same address."""

    ticket: str
    second_factor: list[str]
    expires_at: datetime  # wall


async def sign_in(
    gate: Gate, name: str, password: str, origin: Origin, *, before: str | None = None
) -> SignedIn | Ticket:
    """Check a name and a password. `before`: the token of the session that the browser holds, which ends.

    Raises Unauthenticated (wrong, unknown, disabled, locked: it does not say which), Denied (not now, not from here)
    or TooMany (too many wrong ones from this address).
    """
    now = gate.clock.now()
    place = throttle.place_of(origin.address)
    plain = plain_name(name)
    async with gate.db.transaction() as conn:
        found = await row(conn, f"SELECT {COLUMNS}, password_hash FROM account WHERE name = %s", (plain,))
        subject = f"account:{found['id']}" if found else f"name:{gate.sealer.digest(plain, 'name').hex()}"
        await _count_place(conn, gate.settings, place, now)
        open_ = await _count_name(conn, gate.settings, subject, place, now)
        known = await throttle.is_known(conn, found["id"] if found else None, place)
        open_ = open_ and (known or await _count_strange(conn, gate.settings, subject, now))
    fits = await verify_password(password, found["password_hash"] if found else None)
    if found is None or found["disabled"] or not open_ or not fits:
        why = "unknown" if not found else "disabled" if found["disabled"] else "wrong" if open_ else "locked"
        await _refused(gate, found["name"] if found else None, origin, why)
        raise Unauthenticated("login.wrong", minutes=_minutes(gate.settings.login_lock))
    account = account_of(found)
    await _check_restrictions(gate, account, origin, now)
    async with gate.db.transaction() as conn:
        await throttle.take_back(conn, throttle.ADDRESS, place)
        await throttle.take_back(conn, subject, throttle.STRANGE)
        if account.second_factor:
            # Not forgotten: who knows the password must not wipe out the count of wrong codes with it.
            await throttle.take_back(conn, subject, place)
            return await make_ticket(conn, gate, account.id, origin, "second_factor")
        await throttle.forget(conn, subject, place)
        return await open_session(conn, gate, account.id, origin, "password", before)


async def pass_second_factor(
    gate: Gate, ticket: str, code: str, origin: Origin, *, before: str | None = None
) -> SignedIn:
    """Check the code that belongs to a ticket. Raises Unauthenticated: no such ticket (any more), or a wrong code.

    Wrong codes count for the account wherever they come from: only who has the password gets so far, and six
    digits must not be tried from a thousand addresses.
    """
    now = gate.clock.now()
    place = throttle.place_of(origin.address)
    async with gate.db.transaction() as conn:
        held = await _use_ticket(conn, gate, ticket, place, now)
        await _count_place(conn, gate.settings, place, now)
        subject = f"factor:{held['account_id']}" if held else "factor:"
        open_ = await _count_name(conn, gate.settings, subject, "", now) if held else False
        found = await row(conn, f"SELECT {COLUMNS} FROM account WHERE id = %s", (held["account_id"],)) if held else None
        used = None
        if found and open_ and not found["disabled"]:
            used = await second_factor.check_code(conn, gate.sealer, found["id"], code, now.wall)
    if held is None or found is None:
        raise Unauthenticated("login.ticket")
    if used is None:
        await _refused(gate, found["name"], origin, "code" if open_ else "locked")
        raise Unauthenticated("second_factor.wrong", minutes=_minutes(gate.settings.login_lock))
    account = account_of(found)
    await _check_restrictions(gate, account, origin, now)
    async with gate.db.transaction() as conn:
        await conn.execute("DELETE FROM login_ticket WHERE token_hash = %s", (hash_token(ticket),))
        await throttle.take_back(conn, throttle.ADDRESS, place)
        await throttle.forget(conn, subject)
        await throttle.forget(conn, f"account:{account.id}", place)
        signed_in = await open_session(conn, gate, account.id, origin, held["method"], before)
        if used == "recovery":
            left = await second_factor.recovery_codes_left(conn, account.id)
            await audit.record(
                conn, signed_in.session.actor, "second_factor.recovery", f"account:{account.id}", after={"left": left}
            )
        return signed_in


async def prove_password(gate: Gate, account: Account, password: str, origin: Origin) -> None:
    """Ask a signed-in person for the password again. Raises Denied; wrong ones count as those of a sign-in do."""
    now = gate.clock.now()
    place = throttle.place_of(origin.address)
    subject = f"account:{account.id}"
    async with gate.db.transaction() as conn:
        found = await row(conn, "SELECT password_hash FROM account WHERE id = %s", (account.id,))
        await _count_place(conn, gate.settings, place, now)
        open_ = await _count_name(conn, gate.settings, subject, place, now)
    fits = await verify_password(password, found["password_hash"] if found else None)
    if not fits or not open_:
        await _refused(gate, account.name, origin, "wrong" if open_ else "locked")
        raise Denied("password.wrong", minutes=_minutes(gate.settings.login_lock))
    async with gate.db.transaction() as conn:
        await throttle.take_back(conn, throttle.ADDRESS, place)
        await throttle.forget(conn, subject, place)


async def make_ticket(conn: Conn, gate: Gate, account: UUID, origin: Origin, method: str) -> Ticket:
    """The second step of a sign-in whose first one was right."""
    now = gate.clock.now()
    ticket = secrets.token_urlsafe(32)
    await conn.execute(
        """INSERT INTO login_ticket (token_hash, account_id, method, address, ends_at)
           VALUES (%s, %s, %s, %s, %s)""",
        (hash_token(ticket), account, method, throttle.place_of(origin.address), now.steady + TICKET_LIFE),
    )
    return Ticket(ticket, ["totp", "recovery"], now.wall + TICKET_LIFE)


async def open_session(
    conn: Conn, gate: Gate, account: UUID, origin: Origin, method: str, before: str | None
) -> SignedIn:
    """A session for someone who has proved everything; it replaces the one that the browser held `before`."""
    now = gate.clock.now()
    if before:
        await sessions.replace_session(conn, before, now)
    session, token = await sessions.create_session(
        conn, account, origin, method=method, settings=gate.settings, now=now
    )
    await throttle.know(conn, account, throttle.place_of(origin.address), now)
    actor = session.actor
    await audit.record(conn, actor, "session.login", f"account:{account}", after={"method": method})
    return SignedIn(session, token)


async def _use_ticket(conn: Conn, gate: Gate, ticket: str, place: str, now: Now) -> dict[str, Any] | None:
    """The account and method of a ticket that holds, one attempt more on it."""
    return await row(
        conn,
        """UPDATE login_ticket SET attempts = attempts + 1
           WHERE token_hash = %(hash)s AND address = %(place)s AND ends_at > %(now)s AND attempts < %(most)s
           RETURNING account_id, method""",
        {
            "hash": hash_token(ticket),
            "place": place,
            "now": now.steady,
            "most": gate.settings.login_attempts,
        },
    )


async def _count_place(conn: Conn, settings: Settings, place: str, now: Now) -> None:
    most, lock = settings.login_attempts_address, settings.login_lock
    if not await throttle.count_flow(conn, throttle.ADDRESS, place, most=most, lock=lock, now=now):
        raise TooMany("login.too_many", retry_after=max(1, round(lock.total_seconds() / most)))


async def _count_strange(conn: Conn, settings: Settings, subject: str, now: Now) -> bool:
    """Whether a place that the name never signed in from may try: guesses from a thousand addresses count together."""
    most, lock = settings.login_attempts_account, settings.login_lock
    return await throttle.count_flow(conn, subject, throttle.STRANGE, most=most, lock=lock, now=now)


async def _count_name(conn: Conn, settings: Settings, subject: str, place: str, now: Now) -> bool:
    most, lock = settings.login_attempts, settings.login_lock
    return await throttle.count_attempt(conn, subject, place, most=most, lock=lock, now=now)


async def _check_restrictions(gate: Gate, account: Account, origin: Origin, now: Now) -> None:
    try:
        account.restrictions.check(now.wall, origin.address)
    except TwinError as error:
        await _refused(gate, account.name, origin, error.code)
        raise


async def _refused(gate: Gate, name: str | None, origin: Origin, why: str) -> None:
    actor = Actor(f"account:{name}" if name else NOBODY, address=origin.address)
    async with gate.db.transaction() as conn:
        await audit.record(conn, actor, "session.login", after={"why": why}, result="refused")


def _minutes(lock: timedelta) -> int:
    return max(1, round(lock.total_seconds() / 60))
