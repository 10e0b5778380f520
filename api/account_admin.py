"""What the command line does with accounts (6.2.1b)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from identity import accounts, audit, second_factor, sessions, throttle
from identity.accounts import Account
from identity.actor import CLI
from identity.clock import Now, open_clock
from identity.policy import policy_of
from twin.db import Conn, open_database, rows
from twin.errors import Conflict
from twin.settings import Settings


async def add_account(
    settings: Settings, name: str, roles: Sequence[str], password: str, *, must_change: bool = False
) -> None:
    """Make an account with roles."""
    async with open_database(settings) as db, db.transaction() as conn:
        account = await accounts.create_account(
            conn, name, password, roles, policy=policy_of(settings), must_change=must_change
        )
        await audit.record(conn, CLI, "account.write", f"account:{account.id}", after={"roles": list(roles)})


async def account_lines(settings: Settings) -> list[str]:
    """One line per account: name, roles, and what is special about it."""
    async with open_database(settings) as db, db.connection() as conn:
        now = (await open_clock(conn)).now()
        page = await accounts.list_accounts(conn, limit=1000)
        found = await accounts.with_locks(conn, page.items, settings, now)
    return [_line(each, now) for each in found]


def _line(account: Account, now: Now) -> str:
    over = account.valid_until is not None and account.valid_until <= now.wall
    special = {
        "disabled": account.disabled,
        "locked": account.locked,
        "over": over,
        "second factor": account.second_factor,
        "must change password": account.must_change_password,
    }
    return "\t".join([account.name, ", ".join(account.roles), *(word for word, holds in special.items() if holds)])


async def disable_account(settings: Settings, name: str, *, disabled: bool) -> None:
    """Disable an account, which ends its sessions, or enable it again."""
    async with _changed(settings, name) as (conn, account, now):
        await accounts.change_account(conn, account, {"disabled": disabled})
        if disabled:
            await sessions.end_sessions(conn, account.id, "administrator", now)
        before, after = {"disabled": account.disabled}, {"disabled": disabled}
        await audit.record(conn, CLI, "account.write", f"account:{account.id}", before=before, after=after)


async def set_password(settings: Settings, name: str, password: str, *, must_change: bool) -> None:
    """Set the password of an account; its sessions and locks end."""
    async with _changed(settings, name) as (conn, account, now):
        await accounts.set_password(
            conn, account, password, policy=policy_of(settings), must_change=must_change, now=now.wall
        )
        await sessions.end_sessions(conn, account.id, "password", now)
        await throttle.forget(conn, f"account:{account.id}")
        after = {"must_change": must_change}
        await audit.record(conn, CLI, "account.password", f"account:{account.id}", after=after)


async def unlock_account(settings: Settings, name: str) -> None:
    """Forget the wrong passwords and codes of an account."""
    async with _changed(settings, name) as (conn, account, _):
        await throttle.forget(conn, f"account:{account.id}")
        await throttle.forget(conn, f"factor:{account.id}")
        await audit.record(conn, CLI, "account.unlock", f"account:{account.id}")


async def reset_second_factor(settings: Settings, name: str) -> None:
    """Take the second factor of an account away. Raises Conflict when it has none."""
    async with _changed(settings, name) as (conn, account, now):
        if not await second_factor.remove(conn, account.id):
            raise Conflict("second_factor.off")
        await _without_second_factor(conn, account.id, now)


async def reset_all_second_factors(settings: Settings) -> int:
    """Take all second factors away, for when the installation's key is lost; how many there were."""
    async with open_database(settings) as db, db.transaction() as conn:
        now = (await open_clock(conn)).now()
        enrolled = await rows(conn, "SELECT account_id FROM second_factor")
        for each in enrolled:
            await second_factor.remove(conn, each["account_id"])
            await _without_second_factor(conn, each["account_id"], now)
    return len(enrolled)


async def _without_second_factor(conn: Conn, account: UUID, now: Now) -> None:
    await throttle.forget(conn, f"factor:{account}")
    await sessions.end_sessions(conn, account, "second_factor", now)
    await audit.record(conn, CLI, "second_factor.reset", f"account:{account}")


@asynccontextmanager
async def _changed(settings: Settings, name: str) -> AsyncIterator[tuple[Conn, Account, Now]]:
    """A transaction, the account of that name in it, and the time."""
    async with open_database(settings) as db, db.transaction() as conn:
        now = (await open_clock(conn)).now()
        yield conn, await accounts.get_account(conn, name), now
