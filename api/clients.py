"""Flow control of everyone who calls, and what API keys use (6.1.5b, 6.1.5d).

Limits, each shared by all processes: calls of a key or account, calls that cost much (`@expensive`), how many of either
run at once, and, before anything is looked up, wrong credentials from one address. `ClientGuard` sees every request
first and last; `admit` is called as soon as it is known who calls.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from api import problems
from api.route import credential_of
from identity.actor import Actor
from identity.leases import Leases
from identity.rate import SETTLE_S, Quota, Rates, Standing, network_of
from identity.usage import UsageRecorder
from twin.db import Database
from twin.errors import TooMany
from twin.settings import Settings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
log = structlog.get_logger()
PREFIX: Final = "/api/"
SIGN_IN: Final = "/api/v1/session"
KNOWN_S: Final = 60.0  # for so long a good credential is not held responsible for the wrong ones of its neighbours
USAGE_S: Final = 5.0
PRUNE_S: Final = 300.0
MOST_KNOWN: Final = 20_000
CALL: Final = "twin_call"  # where the call stands in the ASGI scope


def expensive(endpoint: Endpoint) -> Endpoint:
    """Mark a route that costs far more than a read (an upload, an export): it has a limit of its own."""
    endpoint.__dict__["twin_expensive"] = True
    return endpoint


@dataclass(slots=True)
class Call:
    """One request on its way: whose, and how that one stands with the limits."""

    address: str
    credential: bytes | None  # digest of the key or session token
    started: float
    status: int = 0
    key: UUID | None = None
    places: list[tuple[str, int]] = field(default_factory=list)  # held among calls at once, of how many
    standings: list[Standing] = field(default_factory=list)


class Clients:
    """Limits and usage of this process; they live as long as the server."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self.rates = Rates(db)
        self.leases = Leases(db)
        self.usage = UsageRecorder(db)
        self._settings = settings
        self._guesses = Quota("guesses", settings.rate_guesses)
        self._anonymous = Quota("anonymous", settings.rate_anonymous)
        self._account = Quota("calls", settings.rate_account)
        self._key = Quota("calls", settings.rate_key)
        self._expensive = Quota("expensive", settings.rate_expensive)
        self._known: dict[bytes, float] = {}
        self._refused: dict[bytes, tuple[float, Standing]] = {}

    async def greet(self, call: Call) -> None:
        """Before it is known who calls. Raises TooMany: too many wrong or missing credentials from there, or this
        credential is over its limit, which costs no look into the database until the limit is free again."""
        now = time.monotonic()
        if call.credential is None:
            call.standings.append(await self.rates.spend(self._anonymous, call.address))
        else:
            until, standing = self._refused.get(call.credential, (0.0, None))
            if standing is not None and now < until:
                call.standings.append(standing)
                raise standing.refusal()
            if self._known.get(call.credential, 0.0) > now:
                return
        guesses = await self.rates.look(self._guesses, call.address)
        if not guesses.admitted:
            raise TooMany("rate.guesses", address=call.address, retry_after=max(1, guesses.reset))
        if call.standings and not call.standings[0].admitted:
            raise call.standings[0].refusal()

    async def admit(self, connection: HTTPConnection, actor: Actor) -> None:
        """As soon as it is known who calls. Raises TooMany."""
        call: Call | None = connection.scope.get(CALL)
        if call is None:
            return
        if call.credential is not None:
            self._remember(call.credential)
        terms = actor.key
        quota, who = self._account, actor.name
        if terms is not None:
            call.key, who = terms.id, f"key/{terms.id}"
            quota = self._key if terms.rate is None else Quota("calls", terms.rate)
            await self._take_place(call, who, terms.concurrency or self._settings.rate_concurrency)
        calls = await self.rates.spend(quota, who)
        call.standings.append(calls)
        if not calls.admitted:
            if call.credential is not None:
                self._refused[call.credential] = (time.monotonic() + min(calls.reset, 5), calls)
            raise calls.refusal()
        if getattr(connection.scope.get("endpoint"), "twin_expensive", False):
            heavy = await self.rates.spend(self._expensive, who)
            call.standings.append(heavy)
            if not heavy.admitted:
                raise heavy.refusal()
            await self._take_place(call, f"expensive/{who}", self._settings.rate_expensive_concurrency)

    async def _take_place(self, call: Call, name: str, limit: int) -> None:
        if not await self.leases.take(name, limit):
            raise TooMany("rate.concurrency", limit=limit, retry_after=1)
        call.places.append((name, limit))

    def _remember(self, credential: bytes) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[credential] = time.monotonic() + KNOWN_S

    async def part(self, call: Call, scope: Scope) -> None:
        """When a call is answered: free its place, note what it was, count a wrong credential."""
        while call.places:
            await self.leases.free(*call.places.pop())
        if call.key is not None:
            took, now = time.monotonic() - call.started, datetime.now(UTC)
            address = scope["client"][0] if scope.get("client") else None
            self.usage.record(call.key, route_of(scope), call.status or 500, took, address=address, now=now)
        elif call.status == 401 and (call.credential is not None or scope["path"].startswith(SIGN_IN)):
            if call.credential is not None:
                self._known.pop(call.credential, None)
            await self.rates.spend(self._guesses, call.address)

    async def run(self) -> None:
        """Settle the limits every second, write usage every few; what is left when the server stops, too."""
        next_write = next_prune = time.monotonic()
        try:
            while True:
                await asyncio.sleep(SETTLE_S)
                await self.rates.storage.settle()
                await self.leases.settle()
                now = time.monotonic()
                self._refused = {key: each for key, each in self._refused.items() if each[0] > now}
                if now >= next_write:
                    next_write = now + USAGE_S
                    await self.usage.flush()
                if now >= next_prune:
                    next_prune = now + PRUNE_S
                    await self.rates.storage.prune()
        finally:
            await self.usage.flush()
            await self.leases.close()


class ClientGuard:
    """Sees every call of the API first and last. Plain ASGI, no buffering."""

    def __init__(self, app: ASGIApp, clients: Clients) -> None:
        self.app, self.clients = app, clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        address = network_of(scope["client"][0] if scope.get("client") else None)
        call = Call(address, _digest(connection), time.monotonic())
        scope[CALL] = call

        async def send_counted(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                call.status = message["status"]
                if call.standings:
                    answer = MutableHeaders(scope=message)
                    answer["RateLimit-Policy"] = ", ".join(each.policy for each in call.standings)
                    answer["RateLimit"] = ", ".join(each.state for each in call.standings)
            await send(message)

        try:
            try:
                await self.clients.greet(call)
            except TooMany as error:
                answer = problems.of_error(error, problems.language_of(connection.headers.get("accept-language")))
                if scope["type"] == "websocket":
                    await WebSocket(scope, receive, send_counted).send_denial_response(answer)
                else:
                    await answer(scope, receive, send_counted)
                return
            await self.app(scope, receive, send_counted)
        finally:
            if scope["type"] == "http" or call.status:
                await self.clients.part(call, scope)


def route_of(scope: Scope) -> str:
    """Method and template of the route, e.g. `GET /buildings/{building}`; never what the caller filled in."""
    path = getattr(scope.get("route"), "path", None)
    return f"{scope.get('method', 'GET')} {path.removeprefix('/api/v1') if path else '(no such route)'}"


def _digest(connection: HTTPConnection) -> bytes | None:
    """What stands for the credential in memory; None without one. The credential itself is not kept."""
    _, secret = credential_of(connection)
    return hashlib.blake2b(secret.encode("latin-1", "replace"), digest_size=16).digest() if secret else None
