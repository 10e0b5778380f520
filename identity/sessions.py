"""Staying signed in: opaque tokens whose hashes are rows, so that any of them can be ended (6.5.2b-4).

A session ends when idle, after its life, when it is ended (by its owner, an administrator, another login beyond the
limit, a new password), and it is of no use while its account is disabled or restricted. Its row stays for a day after
that, so that its owner is told why. All its times are steady ones (identity/clock.py).

Against fixation a token is made by the server only, a new one with every sign-in and with every change of what the
session may do: the token before a second factor is no session at all (identity/login.py), and a changed password or
second factor gives the session a new token and ends the account's others.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity.accounts import COLUMNS, Account, account_of
from identity.actor import Actor
from identity.clock import Now, SteadyClock
from identity.grants import actor_of_account
from identity.policy import policy_of
from identity.user_agents import plain_words
from twin.db import Conn, row, rows
from twin.errors import Denied, Unauthenticated
from twin.settings import Settings

SEEN_EVERY = timedelta(seconds=30)  # a session's last use is written no more often than that
TOLD_FOR = timedelta(days=1)  # how long who comes back is told why the session ended
MUST_CHANGE = "password.must_change"
MUST_ENROL = "second_factor.must_enrol"
_LIVE = """session.ended_at IS NULL AND session.expires_at > %(now)s
           AND session.seen_at + session.idle_limit > %(now)s"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from."""

    address: str | None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A login that holds. Mutations through the cookie carry `csrf_token`.

    `restriction`: the code of what has to be done first; until then the actor may do nothing else.
    """

    id: UUID
    account: Account
    actor: Actor
    csrf_token: str
    expires_at: datetime  # steady
    idle_limit: timedelta
    restriction: str | None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as its owner sees it; times are the wall's."""

    id: UUID
    address: str | None
    user_agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


async def create_session(
    conn: Conn, account: UUID, origin: Origin, *, method: str, settings: Settings, now: Now
) -> tuple[Session, str]:
    """A new session and its token. The account's oldest ends when there would be too many."""
    # Logins of one account at the same time go one after the other, so that the count is right.
    await conn.execute("SELECT FROM account WHERE id = %s FOR UPDATE", (account,))
    await conn.execute(
        f"""UPDATE session SET ended_at = %(now)s, end_reason = 'limit' WHERE id IN
              (SELECT id FROM session WHERE account_id = %(account)s AND {_LIVE}
               ORDER BY created_at DESC, id OFFSET %(others)s)""",
        {"account": account, "now": now.steady, "others": settings.session_count - 1},
    )
    token = secrets.token_urlsafe(32)
    await conn.execute(
        """INSERT INTO session (token_hash, account_id, csrf_token, address, user_agent, method, created_at, seen_at,
                                idle_limit, expires_at)
           VALUES (%(hash)s, %(account)s, %(csrf)s, %(address)s, %(agent)s, %(method)s, %(now)s, %(now)s, %(idle)s,
                   %(end)s)""",
        {
            "hash": hash_token(token),
            "account": account,
            "csrf": secrets.token_urlsafe(32),
            "address": origin.address,
            "agent": (origin.user_agent or "")[:300] or None,
            "method": method,
            "now": now.steady,
            "idle": settings.session_idle,
            "end": now.steady + settings.session_life,
        },
    )
    await conn.execute("UPDATE account SET last_login_at = %s WHERE id = %s", (now.wall, account))
    session = await find_session(conn, token, address=origin.address, settings=settings, now=now)
    assert session is not None
    return session, token


async def find_session(
    conn: Conn, token: str, *, address: str | None, settings: Settings, now: Now, touch: bool = True
) -> Session | None:
    """The session of a token; None when there never was one. Raises Unauthenticated, with the reason, when it is over
    or its account may not be used now or from here.

    `touch`: this is use, and the session stays for another idle limit. Pass False for what no person does.
    """
    found = await row(
        conn,
        f"""SELECT {COLUMNS}, account.password_hash IS NOT NULL AS has_password, account.password_changed_at,
                   session.id AS session_id, session.csrf_token, session.expires_at, session.seen_at,
                   session.idle_limit, session.method, session.end_reason
            FROM session JOIN account ON account.id = session.account_id WHERE session.token_hash = %s""",
        (hash_token(token),),
    )
    if found is None:
        return None
    if over := _why_over(found, now):
        raise Unauthenticated(over)
    account = account_of(found)
    try:
        account.restrictions.check(now.wall, address)
    except Denied as error:
        raise Unauthenticated(error.code, **error.params) from error
    if touch and now.steady - found["seen_at"] > SEEN_EVERY:
        # SKIP LOCKED: requests of one session must not wait for each other, an upload takes minutes.
        await conn.execute(
            """UPDATE session SET seen_at = %(now)s WHERE id IN
                 (SELECT id FROM session WHERE id = %(id)s FOR UPDATE SKIP LOCKED)""",
            {"id": found["session_id"], "now": now.steady},
        )
    restriction = _restriction(found, account, settings, now)
    actor = await actor_of_account(conn, account.id, account.name, address=address)
    if restriction:
        actor = Actor(actor.name, actor.roles, address=address)
    actor = replace(actor, account_id=account.id, session=found["session_id"])
    return Session(
        found["session_id"],
        account,
        actor,
        found["csrf_token"],
        found["expires_at"],
        found["idle_limit"],
        restriction,
    )


def _why_over(found: dict[str, Any], now: Now) -> str | None:
    if found["end_reason"] is not None:
        return f"session.ended_{found['end_reason']}"
    if found["expires_at"] <= now.steady:
        return "session.expired"
    if found["seen_at"] + found["idle_limit"] <= now.steady:
        return "session.idle"
    return "session.account_disabled" if found["disabled"] else None


def _restriction(found: dict[str, Any], account: Account, settings: Settings, now: Now) -> str | None:
    aged = found["has_password"] and policy_of(settings).expired(found["password_changed_at"], now.wall)
    if account.must_change_password or aged:
        return MUST_CHANGE
    trusted = {f"oidc:{each.id}" for each in settings.oidc_providers if each.second_factor}
    if needs_second_factor(account, settings) and not account.second_factor and found["method"] not in trusted:
        return MUST_ENROL
    return None


def needs_second_factor(account: Account, settings: Settings) -> bool:
    """Whether an account has to have one, for itself or for one of its roles."""
    return account.require_second_factor or not set(settings.second_factor_roles).isdisjoint(account.roles)


async def renew_token(conn: Conn, session: UUID) -> str:
    """A new token, and a new CSRF token, for a session whose rights have changed; the old one is void."""
    token = secrets.token_urlsafe(32)
    await conn.execute(
        "UPDATE session SET token_hash = %s, csrf_token = %s WHERE id = %s",
        (hash_token(token), secrets.token_urlsafe(32), session),
    )
    return token


async def logout(conn: Conn, token: str, now: Now) -> None:
    """End the session of a token; one that has ended already is fine."""
    await conn.execute(
        "UPDATE session SET ended_at = %s, end_reason = 'logout' WHERE token_hash = %s AND ended_at IS NULL",
        (now.steady, hash_token(token)),
    )


async def replace_session(conn: Conn, token: str, now: Now) -> None:
    """End the session that a browser held before it signed in again."""
    await conn.execute(
        "UPDATE session SET ended_at = %s, end_reason = 'replaced' WHERE token_hash = %s AND ended_at IS NULL",
        (now.steady, hash_token(token)),
    )


async def end_sessions(
    conn: Conn, account: UUID, reason: str, now: Now, *, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End sessions of an account: all, `only` one, or all `but` one; how many there were.

    `reason`: revoked | administrator | password | second_factor, as its owner is told.
    """
    done = await conn.execute(
        f"""UPDATE session SET ended_at = %(now)s, end_reason = %(reason)s
            WHERE account_id = %(account)s AND {_LIVE} AND (%(only)s::uuid IS NULL OR id = %(only)s)
              AND (%(but)s::uuid IS NULL OR id <> %(but)s)""",
        {"account": account, "reason": reason, "now": now.steady, "only": only, "but": but},
    )
    return done.rowcount


async def list_sessions(
    conn: Conn, account: UUID, clock: SteadyClock, *, current: UUID | None = None
) -> list[SessionInfo]:
    """The sessions of an account that hold, the latest first."""
    found = await rows(
        conn,
        f"""SELECT id, address, user_agent, created_at, seen_at, expires_at FROM session
            WHERE account_id = %(account)s AND {_LIVE} ORDER BY created_at DESC, id""",
        {"account": account, "now": clock.now().steady},
    )
    return [
        SessionInfo(
            each["id"],
            each["address"],
            plain_words(each["user_agent"]),
            clock.shown(each["created_at"]),
            clock.shown(each["seen_at"]),
            clock.shown(each["expires_at"]),
            each["id"] == current,
        )
        for each in found
    ]


async def prune(conn: Conn, now: Now) -> None:
    """Forget sessions that were over long enough ago, and what a sign-in left behind."""
    await conn.execute(
        """DELETE FROM session WHERE coalesce(ended_at, least(expires_at, seen_at + idle_limit)) < %s""",
        (now.steady - TOLD_FOR,),
    )
    await conn.execute("DELETE FROM login_ticket WHERE ends_at < %s", (now.steady,))
    await conn.execute("DELETE FROM oidc_login WHERE ends_at < %s", (now.steady,))


def check_csrf(expected: str, given: str | None) -> None:
    """Raise Denied unless the request carries the session's own CSRF token."""
    if given is None or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Denied("session.csrf")


def hash_token(token: str) -> bytes:
    """Tokens have 256 random bits: a plain hash is enough, and a stolen table opens nothing."""
    return hashlib.sha256(token.encode()).digest()
