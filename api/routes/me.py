"""One's own account: names, password, sessions, second factor."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from api.route import (
    SESSION_COOKIE,
    Caller,
    Router,
    Tx,
    allow,
    answers_secret,
    no_transaction,
    session_of,
    twin_of,
)
from api.routes.session import Me, me_of, origin_of, set_session_cookie
from identity import accounts, audit, login, second_factor, sessions
from identity.policy import PasswordPolicy, policy_of
from identity.second_factor import Enrolment
from identity.sessions import Session, SessionInfo
from twin.db import Conn
from twin.errors import Conflict, Denied, NotFound

router = Router(tags=["identity"])
FRESH: Final = timedelta(minutes=5)
Language = Annotated[str, Field(pattern="^(zh|en)$")]
Secret = Annotated[str, Field(min_length=1, max_length=1000)]


class OwnChanges(BaseModel):
    """What people may change about themselves; what is left out stays."""

    display_name: str | None = Field(None, max_length=200)
    language: Language | None = None


class NewPassword(BaseModel):
    """The password until now and the one from now on."""

    current: Secret
    new: Secret


class OwnPassword(BaseModel):
    """The password, to show that it is still the same person."""

    password: Secret


class MaybePassword(BaseModel):
    """The password, for who signed in a while ago."""

    password: Secret | None = None


class Code(BaseModel):
    """A code of the authenticator."""

    code: str = Field(min_length=1, max_length=50)


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of an account that hold."""

    items: list[SessionInfo]


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Ten codes, shown only here; each signs in once in place of a code of the authenticator."""

    recovery_codes: list[str]


def _own_session(request: Request) -> Session:
    session = session_of(request)
    if session is None:
        raise Denied("session.no_account")
    return session


Own = Annotated[Session, Depends(_own_session)]


@router.patch("/me")
@allow.signed_in
async def change_me(tx: Tx, request: Request, caller: Caller, own: Own, body: OwnChanges) -> Me:
    """Change one's display name and language."""
    changes = body.model_dump(exclude_unset=True)
    before = {name: getattr(own.account, name) for name in changes}
    await accounts.change_account(tx, own.account, changes)
    await audit.record(tx, caller, "me.write", f"account:{own.account.id}", before=before, after=changes)
    return await _renewed(tx, request)


@router.post("/me/password")
@allow.unfinished
@no_transaction
async def change_password(request: Request, response: Response, caller: Caller, own: Own, body: NewPassword) -> Me:
    """Change one's password. All other sessions end, and this one gets a new token."""
    twin = twin_of(request)
    await login.prove_password(twin.gate, own.account, body.current, origin_of(request))
    async with twin.db.transaction() as conn:
        now = twin.clock.now().wall
        await accounts.set_password(conn, own.account, body.new, policy=policy_of(twin.settings), now=now)
        await audit.record(conn, caller, "me.password", f"account:{own.account.id}")
        return await _stronger(conn, request, response, own, "password")


@router.get("/password-policy")
@allow.unfinished
async def password_policy(request: Request) -> PasswordPolicy:
    """What a password has to be."""
    return policy_of(twin_of(request).settings)


@router.get("/me/sessions")
@allow.signed_in
async def my_sessions(tx: Tx, request: Request, own: Own) -> Sessions:
    """One's sessions that hold, the latest first."""
    return Sessions(await sessions.list_sessions(tx, own.account.id, twin_of(request).clock, current=own.id))


@router.delete("/me/sessions/{session_id}", status_code=204)
@allow.signed_in
async def end_my_session(tx: Tx, request: Request, caller: Caller, own: Own, session_id: UUID) -> None:
    """End one of one's sessions, for instance the one on a lost phone."""
    now = twin_of(request).clock.now()
    if not await sessions.end_sessions(tx, own.account.id, "revoked", now, only=session_id):
        raise NotFound("session.unknown")
    await audit.record(tx, caller, "session.end", f"session:{session_id}")


@router.post("/me/second-factor")
@allow.unfinished
@answers_secret
async def begin_second_factor(
    tx: Tx, request: Request, caller: Caller, own: Own, body: MaybePassword | None = None
) -> Enrolment:
    """Begin to enrol an authenticator; it counts once confirmed with a code.

    Takes the password, unless one has signed in within the last five minutes: who finds a signed-in browser must not
    make the account his own.
    """
    twin = twin_of(request)
    if body is not None and body.password is not None:
        await login.prove_password(twin.gate, own.account, body.password, origin_of(request))
    elif twin.clock.now().steady > own.expires_at - twin.settings.session_life + FRESH:
        raise Denied("password.needed", minutes=int(FRESH.total_seconds() // 60))
    enrolment = await second_factor.begin(tx, twin.sealer, own.account.id, own.account.name)
    await audit.record(tx, caller, "second_factor.begin", f"account:{own.account.id}")
    return enrolment


@router.post("/me/second-factor/confirm")
@allow.unfinished
@answers_secret
async def confirm_second_factor(
    tx: Tx, request: Request, response: Response, caller: Caller, own: Own, body: Code
) -> RecoveryCodes:
    """Confirm the authenticator with a first code. All other sessions end, and this one gets a new token."""
    twin = twin_of(request)
    codes = await second_factor.confirm(tx, twin.sealer, own.account.id, body.code, twin.clock.now().wall)
    await audit.record(tx, caller, "second_factor.enable", f"account:{own.account.id}")
    await _stronger(tx, request, response, own, "second_factor")
    return RecoveryCodes(codes)


@router.post("/me/second-factor/disable")
@allow.signed_in
@no_transaction
async def disable_second_factor(
    request: Request, response: Response, caller: Caller, own: Own, body: OwnPassword
) -> Me:
    """Take one's second factor away. All other sessions end, and this one gets a new token."""
    twin = twin_of(request)
    await login.prove_password(twin.gate, own.account, body.password, origin_of(request))
    if sessions.needs_second_factor(own.account, twin.settings):
        raise Denied("second_factor.needed")
    async with twin.db.transaction() as conn:
        if not await second_factor.remove(conn, own.account.id):
            raise Conflict("second_factor.off")
        await audit.record(conn, caller, "second_factor.disable", f"account:{own.account.id}")
        return await _stronger(conn, request, response, own, "second_factor")


@router.delete("/me/second-factor")
@allow.signed_in
@no_transaction
async def delete_second_factor(request: Request, response: Response, caller: Caller, own: Own, body: OwnPassword) -> Me:
    """The same as POST /me/second-factor/disable, for clients that send a body with DELETE."""
    return await disable_second_factor(request, response, caller, own, body)


@router.post("/me/recovery-codes")
@allow.signed_in
@no_transaction
async def new_recovery_codes(request: Request, caller: Caller, own: Own, body: OwnPassword) -> RecoveryCodes:
    """Ten new recovery codes; the old ones are void."""
    twin = twin_of(request)
    await login.prove_password(twin.gate, own.account, body.password, origin_of(request))
    if not own.account.second_factor:
        raise Conflict("second_factor.off")
    async with twin.db.transaction() as conn:
        await audit.record(conn, caller, "second_factor.codes", f"account:{own.account.id}")
        return RecoveryCodes(await second_factor.new_recovery_codes(conn, twin.sealer, own.account.id))


async def _stronger(conn: Conn, request: Request, response: Response, own: Session, reason: Any) -> Me:
    """After a change of how the account is proved: only this session stays, under a new token."""
    await sessions.end_sessions(conn, own.account.id, reason, twin_of(request).clock.now(), but=own.id)
    token = await sessions.renew_token(conn, own.id)
    set_session_cookie(request, response, token)
    return await _renewed(conn, request, token)


async def _renewed(conn: Conn, request: Request, token: str | None = None) -> Me:
    """The session as it is after the change."""
    twin = twin_of(request)
    origin = origin_of(request)
    token = token or request.cookies[SESSION_COOKIE]
    session = await sessions.find_session(
        conn, token, address=origin.address, settings=twin.settings, now=twin.clock.now()
    )
    assert session is not None
    return await me_of(conn, request, session.actor, session)
