"""Accounts: people who sign in (6.5.2a, 6.2.1b)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import throttle
from identity.actor import CLI, Actor
from identity.clock import Now
from identity.grants import check_administrator_left, give_roles
from identity.names import normal_name, plain_name, skeleton
from identity.passwords import hash_password, new_password
from identity.policy import DEFAULT, PasswordPolicy, check_history, check_password
from identity.restrictions import LoginHours, Restrictions, check_hours, check_networks, hours_of
from twin.db import Conn, row, rows
from twin.errors import Conflict, NotFound
from twin.page import Page, decode_cursor, page_of
from twin.settings import Settings

FIRST = "administrator"  # name and role
FIRST_LOCK = 0x61646D6E  # "admn"
COLUMNS = """account.id, account.name, account.display_name, account.roles, account.disabled, account.language,
             account.created_at, account.valid_until, account.login_hours,
             account.login_networks::text[] AS login_networks, account.require_second_factor,
             account.must_change_password, account.last_login_at,
             EXISTS (SELECT FROM second_factor WHERE account_id = account.id AND confirmed_at IS NOT NULL)
               AS second_factor"""


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
    valid_until: datetime | None = None
    login_hours: LoginHours | None = None
    login_networks: list[str] | None = None
    require_second_factor: bool = False
    must_change_password: bool = False
    last_login_at: datetime | None = None
    second_factor: bool = False  # confirmed
    locked: bool = False  # by wrong passwords or codes, at one address or more

    @property
    def restrictions(self) -> Restrictions:
        """When and from where it may be used."""
        return Restrictions(self.valid_until, self.login_hours, self.login_networks)


def account_of(found: Mapping[str, Any]) -> Account:
    """An account from a row of `COLUMNS`; other columns are left alone."""
    values = {name: found[name] for name in Account.__dataclass_fields__ if name in found}
    return Account(**values | {"login_hours": hours_of(found["login_hours"])})


async def create_account(
    conn: Conn,
    name: str,
    password: str | None,
    roles: Sequence[str],
    *,
    display_name: str | None = None,
    language: str | None = None,
    policy: PasswordPolicy = DEFAULT,
    must_change: bool = False,
    actor: Actor = CLI,
) -> Account:
    """A new account with these roles everywhere; without a password it signs in through a provider only.

    Raises Invalid (name, password, role), Conflict (name taken, or looks like one that is), or Denied: `actor` may not
    do as much himself.
    """
    plain = normal_name(name)
    if password is not None:
        check_password(policy, password, await context_of(conn, plain, display_name))
    alike = await row(conn, "SELECT name FROM account WHERE name = %s OR skeleton = %s", (plain, skeleton(plain)))
    made = None
    if alike is None:
        made = await row(
            conn,
            """INSERT INTO account (name, skeleton, display_name, password_hash, language, must_change_password)
               VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id""",
            (
                plain,
                skeleton(plain),
                display_name,
                await hash_password(password) if password is not None else None,
                language,
                must_change,
            ),
        )
    if made is None:
        if alike is not None and alike["name"] != plain:
            raise Conflict("account.looks_like", where="name", name=plain, other=alike["name"])
        raise Conflict("account.exists", where="name", name=plain)
    if roles:  # without any, one is given later, at a place perhaps: until then it may sign in and see nothing
        await give_roles(conn, actor, roles, account=made["id"])
    return await get_account(conn, plain)


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
    found = await rows(
        conn,
        f"""SELECT {COLUMNS} FROM account WHERE %(after)s::text IS NULL OR name > %(after)s
            ORDER BY name LIMIT %(limit)s""",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of([account_of(each) for each in found], limit, lambda account: [account.name])


async def with_locks(conn: Conn, found: Iterable[Account], settings: Settings, now: Now) -> list[Account]:
    """The same accounts, each saying whether it is locked."""
    accounts = list(found)
    ids = [account.id for account in accounts]
    locked = await throttle.locked_accounts(conn, ids, most=settings.login_attempts, lock=settings.login_lock, now=now)
    return [replace(account, locked=account.id in locked) for account in accounts]


async def find_account(conn: Conn, name: str) -> Account | None:
    """The account with that name, or None."""
    found = await row(conn, f"SELECT {COLUMNS} FROM account WHERE name = %s", (plain_name(name),))
    return account_of(found) if found else None


async def get_account(conn: Conn, name: str) -> Account:
    """The account with that name or id. Raises NotFound."""
    found = await row(
        conn, f"SELECT {COLUMNS} FROM account WHERE name = %s OR id::text = %s", (plain_name(name), name.lower())
    )
    if found is None:
        raise NotFound("account.unknown", name=name[:100])
    return account_of(found)


async def change_account(conn: Conn, account: Account, changes: Mapping[str, Any]) -> Account:
    """Change what `changes` names: display_name, language, disabled, valid_until, login_hours, login_networks,
    require_second_factor. Raises Invalid; Conflict for who would leave the installation without an administrator."""
    values = dict(changes)
    if isinstance(values.get("login_hours"), LoginHours):
        values["login_hours"] = Jsonb(asdict(check_hours(values["login_hours"])))
    if values.get("login_networks") is not None:
        values["login_networks"] = check_networks(values["login_networks"])
    columns = ("display_name", "language", "disabled", "valid_until", "login_hours", "login_networks")
    for column in (*columns, "require_second_factor"):
        if column in values:
            cast = "::text[]::cidr[]" if column == "login_networks" else ""
            # `column` is one of the names above, never a value of the request.
            await conn.execute(
                f"UPDATE account SET {column} = %s{cast} WHERE id = %s",
                (values[column], account.id),
            )
    if values.get("disabled") and FIRST in account.roles:
        await check_administrator_left(conn)
    return await get_account(conn, account.name)


async def default_time_zone(conn: Conn) -> str:
    """The time zone of the first site: what login hours are meant in when they do not say."""
    found = await row(conn, "SELECT time_zone FROM site ORDER BY created_at, name LIMIT 1")
    return found["time_zone"] if found else "Asia/Shanghai"


async def set_password(
    conn: Conn,
    account: Account,
    password: str,
    *,
    policy: PasswordPolicy = DEFAULT,
    must_change: bool = False,
    now: datetime,
) -> None:
    """A new password. The sessions of the account are the caller's to end. Raises Invalid."""
    check_password(policy, password, await context_of(conn, account.name, account.display_name))
    await check_history(conn, account.id, password, policy)
    hashed = await hash_password(password)
    await conn.execute(
        """INSERT INTO password_history (account_id, password_hash, at)
           SELECT id, password_hash, %(now)s FROM account WHERE id = %(id)s AND password_hash IS NOT NULL
           ON CONFLICT DO NOTHING""",
        {"id": account.id, "now": now},
    )
    await conn.execute(
        """DELETE FROM password_history WHERE account_id = %(id)s AND at NOT IN
             (SELECT at FROM password_history WHERE account_id = %(id)s ORDER BY at DESC LIMIT 24)""",
        {"id": account.id},
    )
    await conn.execute(
        "UPDATE account SET password_hash = %s, password_changed_at = %s, must_change_password = %s WHERE id = %s",
        (hashed, now, must_change, account.id),
    )


async def context_of(conn: Conn, name: str, display_name: str | None) -> list[str]:
    """Words that others would guess first: the names of the account and of what stands on the site."""
    places = await rows(conn, "(SELECT name FROM site LIMIT 100) UNION ALL (SELECT name FROM building LIMIT 200)")
    return [name, display_name or "", *(each["name"] for each in places)]
