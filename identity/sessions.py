"""Signing in, and staying signed in: opaque tokens whose hashes are rows, so that any of them can be ended.

A login opens transactions of its own: a wrong password must be counted although its request fails.
"""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from identity import audit
from identity.accounts import Account
from identity.actor import Actor
from identity.passwords import verify_password
from identity.permissions import permissions_of
from twin.db import Conn, Database, row
from twin.errors import Denied, Unauthenticated
from twin.settings import Settings

SEEN_EVERY = timedelta(seconds=30)  # a session's last use is written no more often than that
_COLUMNS = """account.id, account.name, account.display_name, account.roles, account.disabled, account.language,
              account.created_at"""


@dataclass(frozen=True, slots=True)
class Session:
    """A login that holds. Mutations through the cookie carry `csrf_token`."""

    account: Account
    actor: Actor
    csrf_token: str
    expires_at: datetime


async def login(
    db: Database,
    name: str,
    password: str,
    *,
    address: str | None,
    user_agent: str | None,
    settings: Settings,
    now: datetime,
) -> tuple[Session, str]:
    """A new session and its token. Raises Unauthenticated: wrong (name or password, it does not say which) or locked.

    An attempt is counted before the password is looked at, so that many at once are no way round the limit.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()[:64]
    await _count_attempt(db, plain, address or "", settings, now)
    async with db.connection() as conn:
        found = await row(conn, "SELECT id, password_hash FROM account WHERE name = %s AND NOT disabled", (plain,))
    if not await verify_password(password, found["password_hash"] if found else None):
        async with db.transaction() as conn:
            await audit.record(conn, Actor(f"account:{plain}", address=address), "session.login", result="refused")
        raise Unauthenticated("login.wrong")
    assert found is not None
    async with db.transaction() as conn:
        await conn.execute("DELETE FROM login_attempt WHERE account_name = %s AND address = %s", (plain, address or ""))
        await conn.execute(
            "DELETE FROM session WHERE expires_at < %(now)s OR seen_at + idle_limit < %(now)s", {"now": now}
        )
        session, token = await _create(conn, found["id"], address, user_agent, settings, now)
        await audit.record(conn, session.actor, "session.login", f"account:{session.account.id}")
        return session, token


async def _count_attempt(db: Database, name: str, address: str, settings: Settings, now: datetime) -> None:
    async with db.transaction() as conn:
        # One after the other per name and address: the count below sees every attempt before it.
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"login {name} {address}",))
        await conn.execute("DELETE FROM login_attempt WHERE at <= %s", (now - settings.login_lock,))
        recent = await row(
            conn, "SELECT count(*) AS n FROM login_attempt WHERE account_name = %s AND address = %s", (name, address)
        )
        locked = recent is not None and recent["n"] >= settings.login_attempts
        if not locked:
            await conn.execute(
                "INSERT INTO login_attempt (account_name, address, at) VALUES (%s, %s, %s)", (name, address, now)
            )
    if locked:
        minutes = max(1, round(settings.login_lock.total_seconds() / 60))
        raise Unauthenticated("login.locked", minutes=minutes)


async def _create(
    conn: Conn, account_id: UUID, address: str | None, user_agent: str | None, settings: Settings, now: datetime
) -> tuple[Session, str]:
    token = secrets.token_urlsafe(32)
    await conn.execute(
        """INSERT INTO session (token_hash, account_id, csrf_token, address, user_agent, created_at, seen_at,
                                idle_limit, expires_at)
           VALUES (%(hash)s, %(account)s, %(csrf)s, %(address)s, %(agent)s, %(now)s, %(now)s, %(idle)s, %(end)s)""",
        {
            "hash": _hash(token),
            "account": account_id,
            "csrf": secrets.token_urlsafe(32),
            "address": address,
            "agent": (user_agent or "")[:300] or None,
            "now": now,
            "idle": settings.session_idle,
            "end": now + settings.session_life,
        },
    )
    session = await find_session(conn, token, address=address, now=now)
    assert session is not None
    return session, token


async def find_session(
    conn: Conn, token: str, *, address: str | None, now: datetime, touch: bool = True
) -> Session | None:
    """The session of a token; None when there is none, it has ended, or its account is disabled.

    `touch`: this is use, and the session stays for another idle limit. Pass False for what no person does.
    """
    found = await row(
        conn,
        f"""SELECT {_COLUMNS}, session.csrf_token, session.expires_at, session.seen_at
            FROM session JOIN account ON account.id = session.account_id
            WHERE session.token_hash = %(hash)s AND session.expires_at > %(now)s
              AND session.seen_at + session.idle_limit > %(now)s AND NOT account.disabled""",
        {"hash": _hash(token), "now": now},
    )
    if found is None:
        return None
    if touch and now - found["seen_at"] > SEEN_EVERY:
        # SKIP LOCKED: requests of one session must not wait for each other, an upload takes minutes.
        await conn.execute(
            """UPDATE session SET seen_at = %(now)s WHERE token_hash IN
                 (SELECT token_hash FROM session WHERE token_hash = %(hash)s FOR UPDATE SKIP LOCKED)""",
            {"hash": _hash(token), "now": now},
        )
    csrf_token, expires_at = found.pop("csrf_token"), found.pop("expires_at")
    found.pop("seen_at")
    account = Account(**found)
    actor = Actor(f"account:{account.name}", tuple(account.roles), permissions_of(account.roles), address)
    return Session(account, actor, csrf_token, expires_at)


async def logout(conn: Conn, token: str) -> None:
    """End the session of a token; one that has ended already is fine."""
    await conn.execute("DELETE FROM session WHERE token_hash = %s", (_hash(token),))


def check_csrf(expected: str, given: str | None) -> None:
    """Raise Denied unless the request carries the session's own CSRF token."""
    if given is None or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Denied("session.csrf")


def _hash(token: str) -> bytes:
    """Tokens have 256 random bits: a plain hash is enough, and a stolen table opens nothing."""
    return hashlib.sha256(token.encode()).digest()
