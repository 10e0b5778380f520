"""Signing in and out, and who one is (6.5.2b-2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.route import (
    DISPLAY_COOKIE,
    SESSION_COOKIE,
    SIGNED_IN_COOKIE,
    Caller,
    Router,
    Tx,
    allow,
    display_actor,
    is_display,
    no_transaction,
    session_of,
    twin_of,
)
from identity import audit, login, sessions
from identity.actor import Actor
from identity.grants import GrantedPlace, grants_of
from identity.login import SignedIn, Ticket
from identity.sessions import Origin, Session
from twin.db import Conn

router = Router(tags=["identity"])
DISPLAY_LIFE: Final = timedelta(days=400)  # as long as browsers keep a cookie; from each look on


class Credentials(BaseModel):
    """What a person signs in with."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


class SecondStep(BaseModel):
    """The code of the authenticator, or a recovery code, with the ticket that the password brought."""

    ticket: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=50)


class DisplayKey(BaseModel):
    """The key of a screen on a wall."""

    key: str = Field(min_length=1, max_length=200)


@dataclass(frozen=True, slots=True)
class OwnGrant:
    """A role that one holds; `place` null: everywhere."""

    id: UUID
    role: str
    place: GrantedPlace | None


@dataclass(frozen=True, slots=True)
class Me:
    """Who calls and what they may do. What belongs to a session is null for API keys."""

    name: str
    display_name: str | None
    roles: list[str]
    permissions: list[str]
    grants: list[OwnGrant]
    language: str | None
    csrf_token: str | None
    must_change_password: bool
    second_factor: bool
    restriction: str | None  # what has to be done before anything else: password.must_change, second_factor.must_enrol
    expires_at: datetime | None
    idle_seconds: int | None


def origin_of(request: Request) -> Origin:
    """Where a request comes from; behind a trusted proxy the address that the proxy tells."""
    return Origin(request.client.host if request.client else None, request.headers.get("user-agent"))


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """Hand the token to the browser: out of reach of scripts and of other sites, and under https only over https."""
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
    response.set_cookie(SIGNED_IN_COOKIE, "1", samesite="strict", secure=secure, path="/")
    response.delete_cookie(DISPLAY_COOKIE, path="/")


def _set_display_cookie(request: Request, response: Response, key: str) -> None:
    """As that of a session, but it outlives the browser: nobody stands at a screen to sign in after a power cut."""
    secure, life = request.url.scheme == "https", int(DISPLAY_LIFE.total_seconds())
    response.set_cookie(DISPLAY_COOKIE, key, httponly=True, samesite="strict", secure=secure, path="/", max_age=life)
    response.set_cookie(SIGNED_IN_COOKIE, "1", samesite="strict", secure=secure, path="/", max_age=life)
    response.delete_cookie(SESSION_COOKIE, path="/")


async def me_of(conn: Conn, request: Request, actor: Actor, session: Session | None) -> Me:
    """What the page is told about its user."""
    account = session.account if session else None
    held = (await grants_of(conn, [account.id]))[account.id] if account else []
    return Me(
        name=account.name if account else actor.name,
        display_name=account.display_name if account else None,
        roles=list(actor.roles),
        permissions=sorted(actor.permissions),
        grants=[OwnGrant(each.id, each.role, each.place) for each in held],
        language=account.language if account else None,
        csrf_token=session.csrf_token if session else None,
        must_change_password=session is not None and session.restriction == sessions.MUST_CHANGE,
        second_factor=account.second_factor if account else False,
        restriction=session.restriction if session else None,
        expires_at=twin_of(request).clock.shown(session.expires_at) if session else None,
        idle_seconds=int(session.idle_limit.total_seconds()) if session else None,
    )


SECOND_STEP: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Ticket, "description": "The password is right; a code is awaited."}
}


@router.post("/session", responses=SECOND_STEP)
@allow.public
@no_transaction
async def sign_in(request: Request, response: Response, body: Credentials) -> Me:
    """Sign in with name and password; the cookie is the session. With a second factor: 202 and a ticket."""
    before = request.cookies.get(SESSION_COOKIE)
    outcome = await login.sign_in(twin_of(request).gate, body.name, body.password, origin_of(request), before=before)
    if isinstance(outcome, Ticket):
        return _second_step(outcome)  # type: ignore[return-value]  # FastAPI passes a response through
    return await _signed_in(request, response, outcome)


@router.post("/session/second-factor")
@allow.public
@no_transaction
async def second_step(request: Request, response: Response, body: SecondStep) -> Me:
    """Sign in, second step: the ticket and a code of the authenticator or a recovery code."""
    before = request.cookies.get(SESSION_COOKIE)
    outcome = await login.pass_second_factor(
        twin_of(request).gate, body.ticket, body.code, origin_of(request), before=before
    )
    return await _signed_in(request, response, outcome)


@router.post("/session/display")
@allow.public
async def open_display(tx: Tx, request: Request, response: Response, body: DisplayKey) -> Me:
    """Make this browser a screen on a wall: an API key that can only look becomes its cookie, until it is revoked."""
    actor = await display_actor(tx, body.key, address=origin_of(request).address)
    await audit.record(tx, actor, "session.display")
    _set_display_cookie(request, response, body.key)
    return await me_of(tx, request, actor, None)


@router.get("/session")
@allow.unfinished
async def who_am_i(tx: Tx, request: Request, response: Response, caller: Caller) -> Me:
    """Who am I, what may I do, my CSRF token."""
    if is_display(request):
        _set_display_cookie(request, response, request.cookies[DISPLAY_COOKIE])
    return await me_of(tx, request, caller, session_of(request))


@router.delete("/session", status_code=204)
@allow.unfinished
async def sign_out(tx: Tx, request: Request, response: Response, caller: Caller) -> None:
    """Sign out: the session ends everywhere."""
    token = request.cookies.get(SESSION_COOKIE)
    if token and session_of(request):
        await sessions.logout(tx, token, twin_of(request).clock.now())
        await audit.record(tx, caller, "session.logout")
    for name in (SESSION_COOKIE, SIGNED_IN_COOKIE, DISPLAY_COOKIE):
        response.delete_cookie(name, path="/")


async def _signed_in(request: Request, response: Response, outcome: SignedIn) -> Me:
    set_session_cookie(request, response, outcome.token)
    async with twin_of(request).db.connection() as conn:
        return await me_of(conn, request, outcome.session.actor, outcome.session)


def _second_step(ticket: Ticket) -> JSONResponse:
    body = {
        "second_factor": ticket.second_factor,
        "ticket": ticket.ticket,
        "expires_at": ticket.expires_at.isoformat(),
    }
    return JSONResponse(body, 202)
