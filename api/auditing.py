"""Every mutating request leaves an entry in the audit trail, whatever its handler does (6.5.2a, 9.1.3-2).

A handler records what it changed, with before and after. Where one records nothing, `Watch.ensure` writes that the
request was made, in the same transaction. Requests that change nothing leave theirs in batches: reads of personal data
(`@personal_data`), refused ones, failed ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from uuid import uuid4

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from identity import Actor, audit
from identity.audit import REQUEST_ID, Result
from identity.audit_trail import AuditTrail
from twin.db import Conn
from twin.errors import Denied, NotFound, TooMany, TwinError, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

Endpoint = TypeVar("Endpoint", bound="Callable[..., Any]")
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER: Final = "x-request-id"
API: Final = "/api/v1"
PAGING: Final = frozenset({"cursor", "limit"})


def personal_data(endpoint: Endpoint) -> Endpoint:
    """Mark a route that reads personal data of others: who read it, and asking for what, is recorded in batches."""
    endpoint.__dict__["twin_personal_data"] = True
    return endpoint


def by_machines(endpoint: Endpoint) -> Endpoint:
    """Mark a route that programs call all the time: a key's calls are one entry an hour, a person's are one each.

    Whose readings are whose is kept with the readings, and how many calls a key makes with its usage.
    """
    endpoint.__dict__["twin_by_machines"] = True
    return endpoint


class RequestIds:
    """Give every request an id: in the log lines, in the audit entries, in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        with structlog.contextvars.bound_contextvars(**{REQUEST_ID: number}):
            await self.app(scope, receive, send_with_id)


@dataclass(slots=True)
class Watch:
    """One request to a route, and what it has recorded so far."""

    request: Request
    trail: AuditTrail
    endpoint: Any
    permission: str | None
    written: list[str]
    settled: bool  # it has a transaction, so `ensure` sees to its entry (or it is a repeated request)

    @property
    def mutating(self) -> bool:
        return self.request.method not in SAFE_METHODS

    @property
    def personal(self) -> bool:
        return bool(getattr(self.endpoint, "twin_personal_data", False))

    @property
    def actor(self) -> Actor | None:
        """Who calls, as soon as that is known."""
        return cast(Actor | None, getattr(self.request.state, "caller", None))

    @property
    def _action(self) -> str:
        return self.permission or "request." + str(self.endpoint.__name__)

    @property
    def _object(self) -> str:
        return f"path:{self.request.scope['path'].removeprefix(API)}"[:300]

    def begin(self) -> None:
        """Before the handler. Raises Unavailable when the read could not be recorded."""
        if self.personal:
            self.trail.batch.require_room()

    async def ensure(self, conn: Conn) -> None:
        """After the handler and in its transaction. Raises Unavailable when it cannot be recorded: it rolls back."""
        if self.mutating and not self.written and self.actor is not None:
            await audit.record(conn, self.actor, self._action, self._object, after=self._asked())

    def done(self) -> None:
        """After the commit."""
        if self.written:
            self.trail.sealer.wake()
        elif self.actor is None:
            return
        elif self.personal or (self.mutating and not self.settled and self._counts(self.actor)):
            self.trail.batch.add(self.actor, self._action, self._object, after=self._asked())

    def _counts(self, actor: Actor) -> bool:
        machine = actor.key is not None and getattr(self.endpoint, "twin_by_machines", False)
        return not machine or self.trail.hourly.first(actor)

    def _asked(self) -> dict[str, Any]:
        query = {name: value for name, value in self.request.query_params.items() if name not in PAGING}
        return {"request": self.request.method} | ({"query": query} if query else {})

    def failed(self, error: Exception) -> None:
        """Instead of an answer: nothing was changed, and that it was tried is recorded."""
        result, code = outcome(error)
        actor = self.actor
        if actor is None or isinstance(error, TooMany) or not (self.mutating or self.personal or code in _RIGHTS):
            return
        try:
            after = self._asked() | {"code": code}
            self.trail.batch.add(actor, self._action, self._object, after=after, result=result)
        except TwinError:
            structlog.get_logger().error("audit.backlog", action=self._action, actor=actor.name, code=code)


_RIGHTS: Final = frozenset({"permission.missing"})


def outcome(error: Exception) -> tuple[Result, str]:
    """What the trail says of an error: refused by a missing right (404: not theirs to see), or failed; and its code."""
    if isinstance(error, TwinError):
        return "refused" if isinstance(error, Denied | NotFound | Unauthenticated) else "failed", error.code
    if isinstance(error, HTTPException):
        return "refused" if error.status_code in (401, 403, 404) else "failed", f"http.{error.status_code}"
    return "failed", "request.invalid" if isinstance(error, RequestValidationError) else "server.error"


@contextmanager
def watched(
    request: Request, trail: AuditTrail, endpoint: Any, permission: str | None, *, settled: bool
) -> Iterator[Watch]:
    """Watch one request to a route from its beginning to its end."""
    with audit.noticing() as written:
        watch = Watch(request, trail, endpoint, permission, written, settled)
        try:
            yield watch
        except Exception as error:
            watch.failed(error)
            raise
        watch.done()
