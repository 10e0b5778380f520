"""How every route is declared, authorised, made one transaction and made idempotent.

A route declares who may call it with `@allow("permission")`, `@allow.signed_in` or `@allow.public`; one that
declares nothing fails when the router is built, so the server does not start with it. One request is one
transaction: it commits before the answer leaves, and it rolls back on any error. `@no_transaction` is for routes
that hand their work to something with transactions of its own (ingest).
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from api.auditing import watched
from api.callers import Identified, digest_of
from identity import PERMISSIONS, Actor, keys, sessions
from identity.access import limited
from identity.sessions import Session
from twin.db import Conn, row
from twin.errors import Conflict, Denied, Invalid, Unauthenticated

if TYPE_CHECKING:
    from api.app import Twin

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
SESSION_COOKIE: Final = "twin_session"
SIGNED_IN_COOKIE: Final = "twin_signed_in"  # readable beside it: whether it is worth asking who one is; no secret
DISPLAY_COOKIE: Final = "twin_display"  # of a screen on a wall: an API key that can only look, out of reach of scripts
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_KEY_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route: anyone (`public`), any signed-in caller, or one whose roles carry `permission`.

    `unfinished`: also a session that has to change its password or to enrol a second factor before anything else.
    """

    permission: str | None = None
    public: bool = False
    unfinished: bool = False


class _Allow:
    """`@allow("alarm.read")`, `@allow.signed_in`, `@allow.public`."""

    def __call__(self, permission: str) -> Callable[[Endpoint], Endpoint]:
        return self._declare(Access(permission=permission))

    def signed_in(self, endpoint: Endpoint) -> Endpoint:
        """Any account or key, whatever its roles."""
        return self._declare(Access())(endpoint)

    def unfinished(self, endpoint: Endpoint) -> Endpoint:
        """Any account or key, also a session that may do nothing else yet."""
        return self._declare(Access(unfinished=True))(endpoint)

    def public(self, endpoint: Endpoint) -> Endpoint:
        """Anyone; only for the routes that the contract lists as public."""
        return self._declare(Access(public=True))(endpoint)

    @staticmethod
    def _declare(access: Access) -> Callable[[Endpoint], Endpoint]:
        def mark(endpoint: Endpoint) -> Endpoint:
            endpoint.__dict__["twin_access"] = access
            return endpoint

        return mark


allow: Final = _Allow()


def answers_secret(endpoint: Endpoint) -> Endpoint:
    """The answer holds a secret that is shown once: it is not kept for a repeated Idempotency-Key, which gets 409."""
    endpoint.__dict__["twin_answers_secret"] = True
    return endpoint


def no_transaction(endpoint: Endpoint) -> Endpoint:
    """Authenticate in a short transaction of its own, then run the route without one (`Tx` must not be used)."""
    endpoint.__dict__["twin_no_transaction"] = True
    return endpoint


class TwinRoute(APIRoute):
    """An APIRoute that knows its access rule and wraps its handler in one transaction."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        access = getattr(endpoint, "twin_access", None)
        if access is None:
            raise RuntimeError(f"{path}: the route {endpoint.__qualname__} declares no permission: add @allow(…)")
        self.access: Access = access
        self.transactional = not getattr(endpoint, "twin_no_transaction", False)
        self.answers_secret: bool = getattr(endpoint, "twin_answers_secret", False)
        super().__init__(path, endpoint, **options)
        self.changes_access = not SAFE_METHODS.issuperset(self.methods or ()) and _concerns_access(access)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            twin = twin_of(request)
            request.state.permission = self.access.permission
            asked = (request, twin.audit, self.endpoint, self.access.permission)
            with watched(*asked, settled=self.transactional) as watch:
                if not self.transactional:
                    request.state.actor = await authorise(request, self.access)
                    watch.begin()
                    response = await handler(request)
                else:

                    async def act() -> Response:
                        watch.begin()
                        response = await handler(request)
                        await watch.ensure(conn)
                        return response

                    request.state.actor = await authorise(request, self.access)
                    await _take_body(request)
                    async with transaction_of(request) as conn:
                        request.state.tx = conn
                        # The block commits on its way out, before the answer goes anywhere.
                        response = await once(request, conn, act, keep=not self.answers_secret)
            if self.changes_access:
                twin.callers.clear()
            return response

        return handle


async def _take_body(request: Request) -> None:
    """Read a body before the transaction begins: who sends it slowly must not hold a database connection meanwhile.

    Files are streamed, as ever.
    """
    if request.method in SAFE_METHODS or request.headers.get("content-type", "").startswith("multipart/"):
        return
    await request.body()


def _concerns_access(access: Access) -> bool:
    """Say whether what a route changes may be what some caller may do: accounts, sessions, keys, roles, sites."""
    if access.permission is None:
        return True
    return access.permission == "building.write" or not PERMISSIONS[access.permission].scoped


class Router(APIRouter):
    """An APIRouter whose routes are `TwinRoute`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=TwinRoute, **options)


def twin_of(request: Request) -> "Twin":
    """Everything long-lived: database, settings, blobs, ingest, alarms, live hub."""
    return cast("Twin", request.app.state.twin)


@asynccontextmanager
async def transaction_of(request: Request) -> AsyncIterator[Conn]:
    """A transaction for a `@no_transaction` route: it sees and changes what the caller may, as `Tx` does elsewhere."""
    actor: Actor | None = request.state.actor
    db = twin_of(request).db
    async with db.transaction() if actor is None else limited(db, actor, request.state.permission) as conn:
        yield conn


async def authorise(request: Request, access: Access) -> Actor | None:
    """Return who calls; raise Unauthenticated or Denied. A cookie on a mutating route needs its CSRF token."""
    if access.public:
        return None
    caller = await authenticate(request, None)
    if caller is None:
        raise Unauthenticated("session.missing")
    actor, session = caller.actor, caller.session
    request.state.caller = actor
    await twin_of(request).clients.admit(request, actor)
    if request.method not in SAFE_METHODS:
        if session is not None:
            sessions.check_csrf(session.csrf_token, request.headers.get("x-csrf-token"))
        elif is_display(request) and not access.unfinished:  # signing out is all that it may do
            raise Denied("display.looks_only")
    if session and session.restriction and not access.unfinished:
        raise Denied(session.restriction)
    if access.permission is not None and access.permission not in actor.permissions:
        raise Denied("permission.missing", permission=access.permission)
    return actor


async def authenticate(request: HTTPConnection, conn: Conn | None, *, touch: bool = True) -> Identified | None:
    """Return the caller: by an API key, else by the session cookie, else by that of a screen; None without any of them
    or for a token never given.

    `touch`: this is use, and a session lives on; a recheck is none. A key or session that is wrong, expired or revoked
    raises Unauthenticated. Without `conn` a look-up has its own transaction.
    """
    callers = cast("Twin", request.app.state.twin).callers
    kind, credential = credential_of(request)
    if not credential and kind != "bearer":
        return None
    digest = digest_of(kind, credential, _address(request))
    found = callers.find(digest)
    if found is None:
        changes = callers.changes
        found = await _look_up(request, conn, kind, credential, touch=touch)
        if found is not None and touch:
            callers.remember(digest, found, changes)
    request.state.session = found.session if found else None
    return found


def credential_of(request: HTTPConnection) -> tuple[Literal["bearer", "cookie", "display"], str]:
    """How a caller says who it is, and its secret; empty without one."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return "bearer", secret.strip()
    if token := request.cookies.get(SESSION_COOKIE):
        return "cookie", token
    return "display", request.cookies.get(DISPLAY_COOKIE, "")


def is_display(request: HTTPConnection) -> bool:
    """Whether a screen on a wall calls, by its cookie."""
    kind, credential = credential_of(request)
    return kind == "display" and credential != ""


async def display_actor(conn: Conn, secret: str, *, address: str | None) -> Actor:
    """Who a screen's key stands for. Raises Unauthenticated, or Denied where the key could do more than look: whoever
    passes by could use it."""
    actor = await keys.authenticate(conn, secret, address=address, now=datetime.now(UTC))
    more = sorted(each for each in actor.permissions if not each.endswith(".read") or not PERMISSIONS[each].scoped)
    if more:
        raise Denied("display.not_read_only", permission=more[0])
    return actor


async def _look_up(
    request: HTTPConnection, conn: Conn | None, kind: str, credential: str, *, touch: bool
) -> Identified | None:
    twin = cast("Twin", request.app.state.twin)
    if conn is None:
        async with twin.db.transaction() as own:
            return await _look_up(request, own, kind, credential, touch=touch)
    address = _address(request)
    if kind == "display":
        return Identified(await display_actor(conn, credential, address=address))
    if kind == "bearer":
        return Identified(await keys.authenticate(conn, credential, address=address, now=datetime.now(UTC)))
    session = await sessions.find_session(
        conn, credential, address=address, settings=twin.settings, now=twin.clock.now(), touch=touch
    )
    return Identified(session.actor, session) if session else None


def _address(request: HTTPConnection) -> str | None:
    return request.client.host if request.client else None


def session_of(request: HTTPConnection) -> Session | None:
    """The session of the cookie that a request was authenticated with; None for API keys."""
    return cast(Session | None, getattr(request.state, "session", None))


async def once(
    request: Request, conn: Conn, act: Callable[[], Coroutine[Any, Any, Response]], *, keep: bool = True
) -> Response:
    """Run `act`; with an Idempotency-Key, at most once per caller and key. `conn` is in the transaction of the act.

    A second request with the same key waits on the unique index until the first has committed, then gets the
    first one's answer, or Conflict where that was not to be kept. After a rollback it runs itself.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.method in SAFE_METHODS:
        return await act()
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise Invalid("idempotency.key_length", limit=MAX_KEY_LENGTH)
    fingerprint = await _fingerprint(request)
    names = {"key": key, "actor": _writer(request.state.actor), "hash": fingerprint}
    mine = await row(
        conn,
        """INSERT INTO idempotency (key, actor, request_hash) VALUES (%(key)s, %(actor)s, %(hash)s)
           ON CONFLICT DO NOTHING RETURNING key""",
        names,
    )
    if mine is None:
        return await _replay(conn, names)
    response = await act()
    await conn.execute(
        "UPDATE idempotency SET status = %(status)s, body = %(body)s WHERE actor = %(actor)s AND key = %(key)s",
        {**names, "status": response.status_code, "body": bytes(response.body) if keep else None},
    )
    return response


def _writer(actor: Actor | None) -> str:
    """Whose Idempotency-Key it is: two API keys may share a name, so theirs is their id."""
    if actor is None:
        return "anonymous"
    return f"key:{actor.key.id}" if actor.key else actor.name


async def _fingerprint(request: Request) -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").startswith("multipart/"):
        # A streamed upload is not read twice: its length stands for its content.
        digest.update(request.headers.get("content-length", "").encode())
    else:
        digest.update(await request.body())
    return digest.digest()


async def _replay(conn: Conn, names: dict[str, Any]) -> Response:
    first = await row(
        conn,
        "SELECT request_hash, status, body FROM idempotency WHERE actor = %(actor)s AND key = %(key)s",
        names,
    )
    if first is None or first["request_hash"] != names["hash"]:
        raise Conflict("idempotency.other_request", key=names["key"])
    if first["body"] is None:
        raise Conflict("idempotency.secret", key=names["key"])
    return Response(first["body"], first["status"], {"Idempotent-Replayed": "true"}, "application/json")


def _tx(request: Request) -> Conn:
    return cast(Conn, request.state.tx)


def _caller(request: Request) -> Actor:
    return cast(Actor, request.state.actor)


Tx = Annotated[Conn, Depends(_tx)]
Caller = Annotated[Actor, Depends(_caller)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows per page")]
