"""Signing in at an OpenID provider: there, and back."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.route import SESSION_COOKIE, Router, allow, no_transaction, twin_of
from api.routes.session import origin_of, set_session_cookie
from identity import oidc
from identity.login import Ticket
from twin.errors import TwinError

router = Router(tags=["identity"])
COOKIE: Final = "twin_oidc"
PATH: Final = "/api/v1/session/oidc"


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider that people may sign in at."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers, as buttons of the sign-in page."""

    items: list[Provider]


@router.get("/session/providers")
@allow.public
@no_transaction
async def list_providers(request: Request) -> Providers:
    """Where else one may sign in."""
    return Providers([Provider(each.id, each.title) for each in twin_of(request).settings.oidc_providers])


@router.get("/session/oidc/{provider}", status_code=302, response_class=Response)
@allow.public
@no_transaction
async def depart(request: Request, provider: str) -> Response:
    """Send the browser to the provider."""
    gate = twin_of(request).gate
    chosen = oidc.provider_of(gate, provider)
    base = (gate.settings.public_url or str(request.base_url)).rstrip("/")
    try:
        departure = await oidc.depart(gate, chosen, f"{base}{PATH}/{chosen.id}/callback")
    except TwinError as error:
        return _back(error=error.code)
    answer = RedirectResponse(departure.url, 302)
    # Lax: the provider's page brings the browser back, and the cookie has to come along.
    answer.set_cookie(
        COOKIE,
        departure.browser,
        max_age=int(oidc.LIFE.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/session/oidc/{provider}/callback", status_code=302, response_class=Response)
@allow.public
@no_transaction
async def arrive(request: Request, provider: str) -> Response:
    """The browser comes back: to the start page signed in, or to the sign-in page with the code of what was wrong."""
    gate = twin_of(request).gate
    try:
        outcome = await oidc.arrive(
            gate,
            oidc.provider_of(gate, provider),
            dict(request.query_params),
            origin_of(request),
            browser=request.cookies.get(COOKIE),
            before=request.cookies.get(SESSION_COOKIE),
        )
    except TwinError as error:
        answer = _back(error=error.code)
    else:
        if isinstance(outcome, Ticket):
            # In the fragment: it is for the page, and goes into no log.
            answer = RedirectResponse(f"/sign-in#{urlencode({'ticket': outcome.ticket})}", 302)
        else:
            answer = RedirectResponse("/", 302)
            set_session_cookie(request, answer, outcome.token)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


def _back(*, error: str) -> RedirectResponse:
    return RedirectResponse(f"/sign-in?{urlencode({'error': error})}", 302)
