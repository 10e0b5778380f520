"""Who am I, who may sign in, which keys there are, who did what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from api.route import SESSION_COOKIE, Caller, Limit, Router, Tx, allow, authenticate, no_transaction, twin_of
from identity import PERMISSIONS, ROLES, accounts, audit, keys, sessions
from identity.accounts import Account
from identity.actor import Actor
from identity.audit import AuditEntry
from identity.keys import ApiKey
from twin.page import Page

router = Router(tags=["identity"])


class Credentials(BaseModel):
    """What a person signs in with."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


class NewAccount(BaseModel):
    """A person who may sign in."""

    name: str
    password: str
    roles: list[str] = Field(min_length=1)
    display_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, pattern="^(zh|en)$")


class NewKey(BaseModel):
    """A program that may call."""

    name: str
    role: str = "integration"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """Who calls and what they may do. `csrf_token` is null for API keys, which need none."""

    name: str
    display_name: str | None
    roles: list[str]
    permissions: list[str]
    language: str | None
    csrf_token: str | None


@dataclass(frozen=True, slots=True)
class Role:
    """A set of permissions."""

    name: str
    permissions: list[str]


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key with its secret, which is shown only here."""

    key: ApiKey
    secret: str


def _me(actor: Actor, account: Account | None, csrf_token: str | None) -> Me:
    return Me(
        name=account.name if account else actor.name,
        display_name=account.display_name if account else None,
        roles=list(actor.roles),
        permissions=sorted(actor.permissions),
        language=account.language if account else None,
        csrf_token=csrf_token,
    )


@router.post("/session")
@allow.public
@no_transaction
async def sign_in(request: Request, response: Response, body: Credentials) -> Me:
    """Sign in with name and password; the cookie is the session."""
    twin = twin_of(request)
    session, token = await sessions.login(
        twin.db,
        body.name,
        body.password,
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        settings=twin.settings,
        now=datetime.now(UTC),
    )
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
    return _me(session.actor, session.account, session.csrf_token)


@router.get("/session")
@allow.signed_in
async def who_am_i(tx: Tx, request: Request, caller: Caller) -> Me:
    """Who am I, what may I do, my CSRF token."""
    _, csrf_token = await authenticate(request, tx)
    account = await accounts.find_account(tx, caller.account) if caller.account else None
    return _me(caller, account, csrf_token)


@router.delete("/session", status_code=204)
@allow.signed_in
async def sign_out(tx: Tx, request: Request, response: Response, caller: Caller) -> None:
    """Sign out: the session ends everywhere."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await sessions.logout(tx, token)
        await audit.record(tx, caller, "session.logout")
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.get("/accounts")
@allow("account.read")
async def list_accounts(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[Account]:
    """Accounts, by name."""
    return await accounts.list_accounts(tx, limit=limit, cursor=cursor)


@router.post("/accounts", status_code=201)
@allow("account.write")
async def create_account(tx: Tx, caller: Caller, body: NewAccount) -> Account:
    """Make an account."""
    account = await accounts.create_account(
        tx, body.name, body.password, body.roles, display_name=body.display_name, language=body.language
    )
    after = {"name": account.name, "roles": account.roles}
    await audit.record(tx, caller, "account.write", f"account:{account.id}", after=after)
    return account


@router.get("/roles")
@allow("account.read")
async def list_roles() -> Page[Role]:
    """The roles and what they may do."""
    return Page([Role(name, [each for each in PERMISSIONS if each in granted]) for name, granted in ROLES.items()])


@router.get("/api-keys")
@allow("key.write")
async def list_keys(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[ApiKey]:
    """Keys that are not revoked, newest first."""
    return await keys.list_keys(tx, limit=limit, cursor=cursor)


@router.post("/api-keys", status_code=201)
@allow("key.write")
async def create_key(tx: Tx, caller: Caller, body: NewKey) -> CreatedKey:
    """Make a key; its secret is shown only in this answer."""
    key, secret = await keys.create_key(tx, body.name, body.role, created_by=caller.name, expires_at=body.expires_at)
    await audit.record(tx, caller, "key.write", f"key:{key.id}", after={"name": key.name, "role": key.role})
    return CreatedKey(key, secret)


@router.delete("/api-keys/{key_id}")
@allow("key.write")
async def revoke_key(tx: Tx, caller: Caller, key_id: UUID) -> ApiKey:
    """Revoke a key; it works no more from now on."""
    key = await keys.revoke_key(tx, key_id)
    await audit.record(tx, caller, "key.write", f"key:{key.id}", before={"name": key.name, "role": key.role})
    return key


@router.get("/audit")
@allow("audit.read")
async def list_audit(
    tx: Tx,
    actor: Annotated[str | None, Query(description="account:NAME, key:NAME, cli or system")] = None,
    object: Annotated[str | None, Query(description="kind:id")] = None,
    action: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """Who did what, newest first."""
    return await audit.list_entries(tx, actor=actor, object=object, action=action, limit=limit, cursor=cursor)
