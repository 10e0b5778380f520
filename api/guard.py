"""What every request passes before it reaches a route: hosts, origins, size and time limits, secure headers.

Plain ASGI, no buffering. The order, outermost first: `SecureHeaders`, `HostNames`, `SameOrigin`, `RequestLimits`.
"""

import asyncio
import ipaddress
import re
import time
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from api import problems
from twin.errors import Denied, Language, TooLarge

log = structlog.get_logger()
API: Final = "/api/"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]*)(?::\d{1,5})?", re.ASCII)
SLOWEST_BODY: Final = 1024  # bytes/s on average, once the first `stall` seconds are over
STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})

_PAGE_POLICIES: Final = (
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",  # meshopt's decoder is WebAssembly
    "style-src 'self'{nonce}",
    "style-src-attr 'unsafe-inline'",  # attributes of elements that a script made; no style sheet
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' blob: data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
# Opened as a page of its own, an answer of the API can do nothing: no script, no form, no origin.
API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}
HSTS: Final = "max-age=31536000; includeSubDomains"
# What a browser would run or draw with scripts: from the API only ever as a download.
ACTIVE_TYPES: Final = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript"}
    | {"application/javascript", "application/x-shockwave-flash", "application/wasm", "text/xsl"}
)


def page_policy(nonce: str | None = None) -> str:
    """The Content-Security-Policy of the app's pages; style sheets made at run time carry `nonce`."""
    return "; ".join(_PAGE_POLICIES).replace("{nonce}", f" 'nonce-{nonce}'" if nonce else "")


class SecureHeaders:
    """Add the headers above to every answer, errors, files and refused sockets included; to those of the API also
    `no-store` unless they say how they may be cached, and a policy that lets them do nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._page_policy = page_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        accepted = False

        async def send_with_headers(message: Message) -> None:
            nonlocal accepted
            if message["type"] in STARTS:
                self._add(scope, MutableHeaders(scope=message))
            accepted |= message["type"] in ("websocket.accept", "websocket.http.response.start")
            if message["type"] == "websocket.close" and not accepted:
                # Nobody answers sockets there; without this the server's bare 403 would.
                answer = problems.problem(404, "route.unknown", "There is no live socket at this address.", "en")
                await WebSocket(scope, receive, send_with_headers).send_denial_response(answer)
                return
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if scope["scheme"] in ("https", "wss"):
            headers.setdefault("strict-transport-security", HSTS)
        if not scope["path"].startswith(API):
            headers.setdefault("content-security-policy", self._page_policy)
            return
        headers.setdefault("content-security-policy", API_POLICY)
        headers.setdefault("cache-control", "no-store")
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        disposition = headers.get("content-disposition", "")
        if content_type in ACTIVE_TYPES and not disposition.lower().startswith("attachment"):
            headers["content-disposition"] = "attachment"


class HostNames:
    """Refuse requests for a name that is not this server's: a page that rebinds its own name to our address.

    `allowed` None: any name. One that is none (`a/b`, half a bracket) is refused in any case: put together with the
    path it would be another address.
    """

    def __init__(self, app: ASGIApp, *, allowed: frozenset[str] | None) -> None:
        self.app, self.allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            name = _host_name(headers.get("host", ""))
            known = self.allowed is None or name in self.allowed or (name or "").endswith(".localhost")
            if name is None or not known:
                error = Denied("request.host", host=headers.get("host", "")[:200])
                answer = problems.of_error(error, _language(headers), status=421)
                await _refuse(answer, scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host_name(host: str) -> str | None:
    """The name in a Host header, without port; None when it is none."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower().rstrip(".") if found else None


def allowed_hosts(host: str, hosts: str | None) -> frozenset[str] | None:
    """The names of `TWIN_HOSTS`; without it the loopback ones when listening there only, else any (None)."""
    if hosts is not None:
        names = frozenset(each.strip().lower() for each in hosts.split(",") if each.strip())
        return None if "*" in names else names
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return frozenset({"localhost", "127.0.0.1", "::1", host}) if local else None


class SameOrigin:
    """Refuse changes that a page of another site asks for, whatever credentials the browser adds to them.

    Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`. Programs send neither; a Bearer key is
    nothing that a browser adds by itself (what Basic credentials are).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and scope["path"].startswith(API):
            headers = Headers(scope=scope)
            bearer = headers.get("authorization", "").lower().startswith("bearer ")
            if not bearer and (foreign := foreign_origin(headers)) is not None:
                error = Denied("request.foreign_origin", origin=foreign[:200])
                await _refuse(problems.of_error(error, _language(headers)), scope, receive, send)
                return
        await self.app(scope, receive, send)


def foreign_origin(headers: Headers) -> str | None:
    """The other site whose page sends this request; None: our own page, or no browser."""
    origin = headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != headers.get("host", "").lower():
        return origin
    site = headers.get("sec-fetch-site")
    return site if site in ("cross-site", "same-site") else None


class RequestLimits:
    """Refuse heads and bodies that are too large or too slow.

    A body over its limit is refused at once by Content-Length, else at the byte that goes over. One that brings
    nothing for `stall` seconds, or on average less than `SLOWEST_BODY` after them, is ended with 408. `limits` maps a
    path to its own limit in bytes; every other path has `default`. `head` bounds all header fields together, bytes.
    """

    def __init__(
        self, app: ASGIApp, *, default: int, limits: Mapping[str, int], head: int = 1 << 15, stall: float = 30
    ) -> None:
        self.app, self.default, self.limits, self.head, self.stall = app, default, limits, head, stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        language = _language(headers)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self.head:
            answer = problems.of_error(TooLarge("request.head_too_large", limit=self.head), language, status=431)
            await _refuse(answer, scope, receive, send)
            return
        limit = self.limits.get(scope["path"], self.default)
        error = TooLarge("request.too_large", limit=limit)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit and _authenticated(headers):
            await _refuse(problems.of_error(error, language), scope, receive, send)
            return
        seen, waited, complete = 0, 0.0, False

        async def limited() -> Message:
            nonlocal seen, waited, complete
            if complete:  # what comes now is the disconnect, which may take its time
                return await receive()
            asked = time.monotonic()
            try:
                async with asyncio.timeout(max(0.01, self.stall + min(0, seen / SLOWEST_BODY - waited))):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, problems.message("request.stalled", language)) from None
            waited += time.monotonic() - asked  # for the caller only: how slow we are is not its fault
            seen += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if seen > limit:
                # FastAPI passes HTTPException through where it would turn any other error of a body into 400.
                raise HTTPException(413, error.text(language))
            return message

        await self.app(scope, limited, send)


class TakenAnswers:
    """Break off an answer of which nothing is taken for `stall` seconds: it holds what makes it (a file, an export)."""

    def __init__(self, app: ASGIApp, *, stall: float) -> None:
        self.app, self.stall = app, stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stalled = False

        async def taken(message: Message) -> None:
            nonlocal stalled
            try:
                async with asyncio.timeout(self.stall):
                    await send(message)
            except TimeoutError:
                stalled = True
                raise

        try:
            await self.app(scope, receive, taken)
        except Exception:
            if not stalled:
                raise
            log.info("download.stalled", path=scope["path"], seconds=self.stall)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading the body, so the connection cannot be used again."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
        return
    answer.headers["connection"] = "close"
    await answer(scope, receive, send)


def _language(headers: Headers) -> Language:
    return problems.language_of(headers.get("accept-language"))


def _authenticated(headers: Headers) -> bool:
    """Without any credentials the answer is 401 before anything else, so the route has to give it."""
    return "authorization" in headers or "cookie" in headers
