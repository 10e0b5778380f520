"""What every request passes before it reaches a route: size limits and secure headers. Plain ASGI, no buffering."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from twin.errors import TooLarge

_POLICIES: Final = (
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",  # meshopt's decoder is WebAssembly
    "style-src 'self' 'unsafe-inline'",  # Ant Design writes its styles at run time
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' blob: data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
CONTENT_SECURITY_POLICY: Final = "; ".join(_POLICIES)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}


class SecureHeaders:
    """Add the headers above to every answer, and `no-store` to API answers that say nothing about caching."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuse bodies over the limit: at once by Content-Length, else at the byte that goes over.

    `limits` maps a path to its own limit in bytes; every other path has `default`.
    """

    def __init__(self, app: ASGIApp, *, default: int, limits: Mapping[str, int]) -> None:
        self.app, self.default, self.limits = app, default, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limits.get(scope["path"], self.default)
        headers = Headers(scope=scope)
        error = TooLarge("request.too_large", limit=limit)
        language = problems.language_of(headers.get("accept-language"))
        if int(headers.get("content-length", "0") or 0) > limit and _authenticated(headers):
            response: Response = problems.of_error(error, language)
            response.headers["connection"] = "close"
            await response(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # FastAPI passes HTTPException through where it would turn any other error of a body into 400.
                raise HTTPException(413, error.text(language))
            return message

        await self.app(scope, limited, send)


def _authenticated(headers: Headers) -> bool:
    """Without any credentials the answer is 401 before anything else, so the route has to give it."""
    return "authorization" in headers or "cookie" in headers
