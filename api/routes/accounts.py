"""Accounts: who may sign in, when and from where (6.2.1b, 6.5.2)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from api.auditing import personal_data
from api.route import Caller, Limit, Router, Tx, allow, session_of, twin_of
from api.routes.me import Sessions
from identity import accounts, audit, second_factor, sessions, throttle
from identity.accounts import Account
from identity.grants import HeldGrant, check_not_above, grants_of
from identity.policy import policy_of
from identity.restrictions import LoginHours, Window
from twin.db import Conn
from twin.errors import Conflict, NotFound
from twin.page import Page

router = Router(tags=["identity"])
Secret = Annotated[str, Field(min_length=1, max_length=1000)]


class Hours(BaseModel):
    """Weekly windows; without a time zone they are in the one of the first site."""

    time_zone: str | None = Field(None, max_length=60)
    windows: list[Window] = Field(max_length=100)


class NewAccount(BaseModel):
    """A person who may sign in; without a password only through a provider."""

    name: str
    password: Secret | None = None
    roles: list[str] = Field([], max_length=50, description="held everywhere; what is held at a place is a grant")
    display_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, pattern="^(zh|en)$")
    must_change_password: bool = False


class AccountChanges(BaseModel):
    """What is left out stays; null takes a restriction away."""

    display_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, pattern="^(zh|en)$")
    disabled: bool = False
    valid_until: datetime | None = None
    login_hours: Hours | None = None
    login_networks: list[str] | None = Field(None, max_length=100)
    require_second_factor: bool = False


class PasswordReset(BaseModel):
    """A password that someone else sets; by default it has to be changed at the next sign-in."""

    password: Secret
    must_change: bool = True


@dataclass(frozen=True, slots=True)
class AccountView(Account):
    """An account with the roles it holds and where."""

    grants: list[HeldGrant] = field(default_factory=list)


async def _viewed(tx: Conn, request: Request, found: Sequence[Account]) -> list[AccountView]:
    """The accounts with what stands beside them: locks and grants."""
    twin = twin_of(request)
    held = await grants_of(tx, [account.id for account in found])
    accounts_ = await accounts.with_locks(tx, found, twin.settings, twin.clock.now())
    names = [each.name for each in fields(Account)]
    return [AccountView(**{name: getattr(each, name) for name in names}, grants=held[each.id]) for each in accounts_]


async def _the_account(tx: Tx, request: Request, account: str) -> AccountView:
    """The account of the path: its name or id."""
    return (await _viewed(tx, request, [await accounts.get_account(tx, account)]))[0]


Named = Annotated[AccountView, Depends(_the_account)]


@router.get("/accounts")
@allow("account.read")
@personal_data
async def list_accounts(tx: Tx, request: Request, limit: Limit = 100, cursor: str | None = None) -> Page[AccountView]:
    """Accounts, by name."""
    page = await accounts.list_accounts(tx, limit=limit, cursor=cursor)
    return Page(await _viewed(tx, request, page.items), page.next)


@router.post("/accounts", status_code=201)
@allow("account.write")
async def create_account(tx: Tx, request: Request, caller: Caller, body: NewAccount) -> AccountView:
    """Make an account."""
    account = await accounts.create_account(
        tx,
        body.name,
        body.password,
        body.roles,
        display_name=body.display_name,
        language=body.language,
        policy=policy_of(twin_of(request).settings),
        must_change=body.must_change_password,
        actor=caller,
    )
    after = {"name": account.name, "roles": account.roles}
    await audit.record(tx, caller, "account.write", f"account:{account.id}", after=after)
    return await _the_account(tx, request, account.name)


@router.get("/accounts/{account}")
@allow("account.read")
@personal_data
async def get_account(named: Named) -> AccountView:
    """One account, by name or id."""
    return named


@router.patch("/accounts/{account}")
@allow("account.write")
async def change_account(tx: Tx, request: Request, caller: Caller, named: Named, body: AccountChanges) -> AccountView:
    """Change an account. Disabled, it loses its sessions at once."""
    await check_not_above(tx, caller, named.id)
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    own = session_of(request)
    shut_out = {"disabled", "valid_until", "login_hours", "login_networks"} & {n for n, v in changes.items() if v}
    if own and own.account.id == named.id and shut_out:
        raise Conflict("account.own")
    if body.login_hours is not None:
        zone = body.login_hours.time_zone or await accounts.default_time_zone(tx)
        changes["login_hours"] = LoginHours(zone, body.login_hours.windows)
    changed = await accounts.change_account(tx, named, changes)
    if changed.disabled:
        await sessions.end_sessions(tx, named.id, "administrator", twin_of(request).clock.now())
    before, after = _told(named, changes), _told(changed, changes)
    await audit.record(tx, caller, "account.write", f"account:{named.id}", before=before, after=after)
    return await _the_account(tx, request, named.name)


@router.post("/accounts/{account}/password")
@allow("account.write")
async def reset_password(tx: Tx, request: Request, caller: Caller, named: Named, body: PasswordReset) -> AccountView:
    """Set somebody's password; all sessions of the account end, and a lock ends as well."""
    await check_not_above(tx, caller, named.id)
    twin = twin_of(request)
    now = twin.clock.now()
    await accounts.set_password(
        tx, named, body.password, policy=policy_of(twin.settings), must_change=body.must_change, now=now.wall
    )
    await sessions.end_sessions(tx, named.id, "password", now)
    await throttle.forget(tx, f"account:{named.id}")
    after = {"must_change": body.must_change}
    await audit.record(tx, caller, "account.password", f"account:{named.id}", after=after)
    return await _the_account(tx, request, named.name)


@router.post("/accounts/{account}/unlock")
@allow("account.write")
async def unlock_account(tx: Tx, request: Request, caller: Caller, named: Named) -> AccountView:
    """Forget the wrong passwords and codes of an account, wherever they came from."""
    await throttle.forget(tx, f"account:{named.id}")
    await throttle.forget(tx, f"factor:{named.id}")
    await audit.record(tx, caller, "account.unlock", f"account:{named.id}", before={"locked": named.locked})
    return await _the_account(tx, request, named.name)


@router.delete("/accounts/{account}/second-factor")
@allow("account.write")
async def reset_second_factor(tx: Tx, request: Request, caller: Caller, named: Named) -> AccountView:
    """Take the second factor away from who has lost it; the sessions of the account end."""
    await check_not_above(tx, caller, named.id)
    if not await second_factor.remove(tx, named.id):
        raise Conflict("second_factor.off")
    await throttle.forget(tx, f"factor:{named.id}")
    await sessions.end_sessions(tx, named.id, "second_factor", twin_of(request).clock.now())
    await audit.record(tx, caller, "second_factor.reset", f"account:{named.id}")
    return await _the_account(tx, request, named.name)


@router.get("/accounts/{account}/sessions")
@allow("account.read")
@personal_data
async def list_sessions(tx: Tx, request: Request, named: Named) -> Sessions:
    """The sessions of an account that hold, the latest first."""
    own = session_of(request)
    current = own.id if own else None
    return Sessions(await sessions.list_sessions(tx, named.id, twin_of(request).clock, current=current))


@router.delete("/accounts/{account}/sessions/{session_id}", status_code=204)
@allow("account.write")
async def end_session(tx: Tx, request: Request, caller: Caller, named: Named, session_id: UUID) -> None:
    """End one session of an account."""
    now = twin_of(request).clock.now()
    if not await sessions.end_sessions(tx, named.id, "administrator", now, only=session_id):
        raise NotFound("session.unknown")
    await audit.record(tx, caller, "session.end", f"session:{session_id}", before={"account": named.name})


@router.delete("/accounts/{account}/sessions", status_code=204)
@allow("account.write")
async def end_sessions(tx: Tx, request: Request, caller: Caller, named: Named) -> None:
    """End all sessions of an account."""
    ended = await sessions.end_sessions(tx, named.id, "administrator", twin_of(request).clock.now())
    await audit.record(tx, caller, "session.end", f"account:{named.id}", before={"sessions": ended})


def _told(account: Account, changes: dict[str, Any]) -> dict[str, Any]:
    """What the audit trail tells of a change."""
    whole = asdict(account)
    return {name: whole[name] for name in changes}
