"""Accounts: people who sign in with a name and a password."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.passwords import check_strength, hash_password, new_password
from identity.permissions import ROLES
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Conflict, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

FIRST = "administrator"
FIRST_LOCK = 0x61646D6E  # "admn"
_NAME = re.compile(r"[\w][\w.@+-]{0,63}")
_COLUMNS = "id, name, display_name, roles, disabled, language, created_at"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in, and as what."""

    id: UUID
    name: str
    display_name: str | None
    roles: list[str]
    disabled: bool
    language: str | None
    created_at: datetime


def normal_name(name: str) -> str:
    """The one form of a name: look-alikes of width and composition fall together. Raises Invalid."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    if not _NAME.fullmatch(plain):
        raise Invalid("account.name", where="name")
    return plain


def check_roles(roles: Sequence[str]) -> None:
    """Raises Invalid for a role that does not exist, and for none at all."""
    for role in roles or [""]:
        if role not in ROLES:
            raise Invalid("role.unknown", where="roles", role=role, roles=", ".join(ROLES))


async def create_account(
    conn: Conn,
    name: str,
    password: str,
    roles: Sequence[str],
    *,
    display_name: str | None = None,
    language: str | None = None,
) -> Account:
    """A new account. Raises Invalid (name, password, role) or Conflict (name taken)."""
    plain = normal_name(name)
    check_strength(plain, password)
    check_roles(roles)
    account = await object_or_none(
        conn,
        Account,
        f"""INSERT INTO account (name, display_name, password_hash, roles, language) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (name) DO NOTHING RETURNING {_COLUMNS}""",
        (plain, display_name, await hash_password(password), list(roles), language),
    )
    if account is None:
        raise Conflict("account.exists", where="name", name=plain)
    return account


async def ensure_administrator(conn: Conn) -> str | None:
    """On an installation without accounts: make the first administrator and return its password, this once."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (FIRST_LOCK,))
    if await row(conn, "SELECT FROM account LIMIT 1") is not None:
        return None
    password = new_password()
    await create_account(conn, FIRST, password, [FIRST])
    return password


async def list_accounts(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[Account]:
    """Accounts by name."""
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Account,
        f"""SELECT {_COLUMNS} FROM account WHERE %(after)s::text IS NULL OR name > %(after)s
            ORDER BY name LIMIT %(limit)s""",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda account: [account.name])


async def find_account(conn: Conn, name: str) -> Account | None:
    """The account with that name, or None."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return await object_or_none(conn, Account, f"SELECT {_COLUMNS} FROM account WHERE name = %s", (plain,))


async def get_account(conn: Conn, name: str) -> Account:
    """The account with that name. Raises NotFound."""
    account = await find_account(conn, name)
    if account is None:
        raise NotFound("account.unknown", name=name)
    return account


async def set_password(conn: Conn, name: str, password: str) -> None:
    """A new password; it ends all sessions of the account."""
    account = await get_account(conn, name)
    check_strength(account.name, password)
    await conn.execute(
        "UPDATE account SET password_hash = %s WHERE id = %s", (await hash_password(password), account.id)
    )
    await conn.execute("DELETE FROM session WHERE account_id = %s", (account.id,))
