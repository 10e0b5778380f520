"""Signing in and out, and who one is."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request, Response
from pydantic import BaseModel, Field

from api.route import SESSION_COOKIE, Caller, Router, Tx, allow, authenticate, no_transaction, twin_of
from identity import accounts, audit, sessions
from identity.accounts import Account
from identity.actor import Actor

router = Router(tags=["identity"])


class Credentials(BaseModel):
    """What a person signs in with."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class Me:
    """Who calls and what they may do. `csrf_token` is null for API keys, which need none."""

    name: str
    display_name: str | None
    roles: list[str]
    permissions: list[str]
    language: str | None
    csrf_token: str | None


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
