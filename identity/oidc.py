"""Signing in at an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 9700).

A sign-in sets out with a row (state, nonce, PKCE verifier) and a cookie that binds it to the browser, and comes back
once, within ten minutes, in the same browser. The ID token is verified with the provider's keys: signature, issuer,
audience, nonce, time, `at_hash`.

Who comes is known by (issuer, subject). Somebody new is linked to the account of that name when an administrator has
made it without a password for this purpose, or gets a new account where the provider's setting says `create`; never
to an account with a password of its own, or whoever names himself `administrator` at the provider would be that here.
Roles that the provider's groups stand for are given and taken away at each sign-in; those given here stay.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from identity import audit, login
from identity.accounts import Account, create_account, find_account, get_account
from identity.actor import Actor
from identity.grants import give_grant, grants_of, take_grant
from identity.login import NOBODY, Gate, SignedIn, Ticket
from identity.names import normal_name
from identity.permissions import PERMISSIONS
from identity.sessions import Origin, hash_token
from twin.db import Conn, row
from twin.errors import Conflict, Denied, Invalid, NotFound, TwinError, Unavailable
from twin.settings import OidcProvider

log = structlog.get_logger()
LIFE: Final = timedelta(minutes=10)
LEEWAY_S: Final = 30
TIMEOUT_S: Final = 10.0
KNOWN_S: Final = 600.0  # how long a provider's description is not asked for again
LONGEST: Final = 1 << 20  # bytes of an answer
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Only with a key of the provider's: never `none`, never the shared secret."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A provider's description of itself, believed for a while."""

    about: Mapping[str, Any]
    until: float  # monotonic, s


_known: dict[str, _Known] = {}  # by issuer


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie with which it comes back."""

    url: str
    browser: str


def provider_of(gate: Gate, provider: str) -> OidcProvider:
    """The provider with that id. Raises NotFound."""
    for each in gate.settings.oidc_providers:
        if each.id == provider:
            return each
    raise NotFound("oidc.unknown", id=provider[:60])


async def depart(gate: Gate, provider: OidcProvider, redirect_uri: str) -> Departure:
    """Set out for a provider. Raises Unavailable when it does not answer."""
    about = await _metadata(provider)
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    async with gate.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO oidc_login (state_hash, browser_hash, provider, nonce, code_verifier, redirect_uri, ends_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (
                hash_token(state),
                hash_token(browser),
                provider.id,
                nonce,
                verifier,
                redirect_uri,
                gate.clock.now().steady + LIFE,
            ),
        )
    url = prepare_grant_uri(
        about["authorization_endpoint"],
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=redirect_uri,
        scope=provider.scopes,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return Departure(str(url), browser)


async def arrive(
    gate: Gate,
    provider: OidcProvider,
    given: Mapping[str, str],
    origin: Origin,
    *,
    browser: str | None,
    before: str | None = None,
) -> SignedIn | Ticket:
    """Come back from a provider; `given` are the parameters of the callback, `browser` its cookie.

    Raises Denied, Unavailable or Conflict; every refusal stands in the audit trail, but for what did not set out here:
    anybody can ask for that without end, and entries stay.
    """
    try:
        claims = await _claims(gate, provider, given, browser)
        return await _enter(gate, provider, claims, origin, before)
    except TwinError as error:
        if error.code == "oidc.state":
            log.info("oidc.state", provider=provider.id, address=origin.address)
            raise
        async with gate.db.transaction() as conn:
            after = {"why": error.code, "provider": provider.id}
            await audit.record(
                conn, Actor(NOBODY, address=origin.address), "session.login", after=after, result="refused"
            )
        raise


async def _claims(gate: Gate, provider: OidcProvider, given: Mapping[str, str], browser: str | None) -> dict[str, Any]:
    """What the provider says about who comes, verified."""
    held = await _take(gate, given.get("state", ""), browser or "", provider)
    if held is None:
        raise Denied("oidc.state")
    if "error" in given:
        log.info("oidc.refused", provider=provider.id, error=given["error"][:100])
        raise Denied("oidc.refused")
    if "iss" in given and given["iss"] != provider.issuer:  # RFC 9207: another provider's answer
        raise Denied("oidc.state")
    about = await _metadata(provider)
    async with _http() as http:
        tokens = await _exchange(http, provider, about, given.get("code", ""), held)
        claims = await _verified(gate, http, provider, about, tokens, held["nonce"])
        return claims | await _userinfo(http, about, tokens, claims["sub"])


async def _take(gate: Gate, state: str, browser: str, provider: OidcProvider) -> dict[str, Any] | None:
    """The sign-in that set out with this state from this browser; it comes back once."""
    async with gate.db.transaction() as conn:
        return await row(
            conn,
            """DELETE FROM oidc_login WHERE state_hash = %(state)s AND browser_hash = %(browser)s
                 AND provider = %(provider)s AND ends_at > %(now)s RETURNING nonce, code_verifier, redirect_uri""",
            {
                "state": hash_token(state),
                "browser": hash_token(browser),
                "provider": provider.id,
                "now": gate.clock.now().steady,
            },
        )


async def _exchange(
    http: httpx.AsyncClient, provider: OidcProvider, about: Mapping[str, Any], code: str, held: Mapping[str, Any]
) -> dict[str, Any]:
    """The tokens for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": held["redirect_uri"],
        "code_verifier": held["code_verifier"],
    }
    secret = provider.client_secret.get_secret_value() if provider.client_secret else None
    basic = "client_secret_basic" in about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    auth = (provider.client_id, secret) if secret and basic else None
    if auth is None:
        form |= {"client_id": provider.client_id} | ({"client_secret": secret} if secret else {})
    tokens = await _json(http.build_request("POST", about["token_endpoint"], data=form), http, provider, auth=auth)
    if not isinstance(tokens.get("id_token"), str):
        raise Denied("oidc.code")
    return tokens


async def _verified(
    gate: Gate,
    http: httpx.AsyncClient,
    provider: OidcProvider,
    about: Mapping[str, Any],
    tokens: Mapping[str, Any],
    nonce: str,
) -> dict[str, Any]:
    """The claims of the ID token. Raises Denied for one that is not ours, not fresh, or not the provider's."""
    keys: Any = await _json(http.build_request("GET", about["jwks_uri"]), http, provider)
    offered = about.get("id_token_signing_alg_values_supported", ["RS256"])
    algorithms = sorted(ALGORITHMS & set(offered))
    try:
        registry = jws.JWSRegistry(algorithms=algorithms)
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=algorithms, registry=registry)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            params={
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(gate.clock.now().wall.timestamp()), leeway=LEEWAY_S)
    except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError) as error:
        log.warning("oidc.id_token", provider=provider.id, error=f"{type(error).__name__}: {error}")
        raise Denied("oidc.id_token") from error
    if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255:
        raise Denied("oidc.id_token")
    return dict(claims)


async def _userinfo(
    http: httpx.AsyncClient, about: Mapping[str, Any], tokens: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    """What the provider tells beside the ID token; nothing when it is about somebody else."""
    if "userinfo_endpoint" not in about or "access_token" not in tokens:
        return {}
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    try:
        answer = await http.get(about["userinfo_endpoint"], headers=headers)
        found = answer.json() if answer.is_success and len(answer.content) <= LONGEST else {}
    except (httpx.HTTPError, ValueError) as error:  # what the ID token says is enough to sign in
        log.warning("oidc.userinfo", error=repr(error))
        return {}
    return found if isinstance(found, dict) and found.get("sub") == subject else {}


async def _enter(
    gate: Gate, provider: OidcProvider, claims: Mapping[str, Any], origin: Origin, before: str | None
) -> SignedIn | Ticket:
    """Sign in the account that the claims stand for."""
    method = f"oidc:{provider.id}"
    now = gate.clock.now()
    async with gate.db.transaction() as conn:
        account = await _account(conn, provider, claims)
        if account.disabled:
            raise Denied("oidc.no_account", provider=provider.title)
        account.restrictions.check(now.wall, origin.address)
        await _give_roles(conn, provider, account, claims)
        if account.second_factor and not provider.second_factor:
            return await login.make_ticket(conn, gate, account.id, origin, method)
        return await login.open_session(conn, gate, account.id, origin, method, before)


async def _account(conn: Conn, provider: OidcProvider, claims: Mapping[str, Any]) -> Account:
    """The account of a subject: a linked one, one that waits for it, or a new one."""
    key = (provider.issuer, claims["sub"])
    # Somebody new who comes twice at once is linked once.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (" ".join(key),))
    linked = await row(
        conn,
        """SELECT name FROM account JOIN external_identity ON account_id = account.id
           WHERE issuer = %s AND subject = %s""",
        key,
    )
    if linked is not None:
        return await get_account(conn, linked["name"])
    name = claims.get(provider.name_claim)
    try:
        plain = normal_name(name if isinstance(name, str) else "")
    except Invalid as error:
        raise Denied("oidc.name", claim=provider.name_claim) from error
    actor = _actor(provider)
    account = await find_account(conn, plain)
    if account is None and provider.create:
        display = claims.get("name")
        try:
            account = await create_account(
                conn, plain, None, (), display_name=display[:200] if isinstance(display, str) else None, actor=actor
            )
        except Conflict as error:
            raise Denied("oidc.name", claim=provider.name_claim) from error
        await audit.record(conn, actor, "account.write", f"account:{account.id}", after={"name": plain})
    elif account is None or not await _waits(conn, account.id):
        raise Denied("oidc.no_account", provider=provider.title)
    await conn.execute(
        "INSERT INTO external_identity (issuer, subject, account_id) VALUES (%s, %s, %s)", (*key, account.id)
    )
    after = {"issuer": provider.issuer, "subject": claims["sub"]}
    await audit.record(conn, actor, "account.link", f"account:{account.id}", after=after)
    return account


async def _waits(conn: Conn, account: UUID) -> bool:
    """Whether an account has no password and nobody it stands for yet: it was made for somebody to come."""
    found = await row(
        conn,
        """SELECT FROM account WHERE id = %s AND password_hash IS NULL
             AND NOT EXISTS (SELECT FROM external_identity WHERE account_id = account.id) FOR UPDATE""",
        (account,),
    )
    return found is not None


async def _give_roles(conn: Conn, provider: OidcProvider, account: Account, claims: Mapping[str, Any]) -> None:
    """Make the account hold what its groups stand for, everywhere; only what came from this provider is taken away."""
    if provider.roles_claim is None:
        return
    said = claims.get(provider.roles_claim, [])
    groups = [said] if isinstance(said, str) else [each for each in said if isinstance(each, str)]
    wanted = {role for group in groups for role in provider.roles.get(group, ())}
    actor = _actor(provider)
    held = (await grants_of(conn, [account.id]))[account.id]
    for grant in held:
        if grant.granted_by == actor.name and grant.role not in wanted:
            await take_grant(conn, actor, grant.id)
    everywhere = {grant.role for grant in held if grant.place is None}
    for role in sorted(wanted - everywhere):
        await give_grant(conn, actor, role, account=account.id)


def _actor(provider: OidcProvider) -> Actor:
    return Actor(f"oidc:{provider.id}", ("administrator",), frozenset(PERMISSIONS))


async def _metadata(provider: OidcProvider) -> Mapping[str, Any]:
    """How the provider describes itself (OpenID Connect Discovery). Raises Unavailable."""
    if provider.issuer in _known and _known[provider.issuer].until > time.monotonic():
        return _known[provider.issuer].about
    async with _http() as http:
        url = get_well_known_url(provider.issuer, external=True)
        found = OpenIDProviderMetadata(await _json(http.build_request("GET", url), http, provider))
    try:
        if found.get("issuer") != provider.issuer:
            raise ValueError(f"issuer {found.get('issuer')!r} instead of {provider.issuer!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str):
                raise ValueError(f"no {name}")
    except ValueError as error:
        log.warning("oidc.metadata", provider=provider.id, error=str(error))
        raise Unavailable("oidc.unreachable", provider=provider.title) from error
    _known[provider.issuer] = _Known(dict(found), time.monotonic() + KNOWN_S)
    return _known[provider.issuer].about


def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)


async def _json(
    request: httpx.Request, http: httpx.AsyncClient, provider: OidcProvider, *, auth: tuple[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object that a provider answers. Raises Denied for a refused code, Unavailable for anything else."""
    try:
        answer = await http.send(request, auth=auth)
        body = answer.json() if len(answer.content) <= LONGEST else None
    except (httpx.HTTPError, ValueError) as error:
        log.warning("oidc.unreachable", provider=provider.id, url=str(request.url), error=repr(error))
        raise Unavailable("oidc.unreachable", provider=provider.title) from error
    if answer.is_success and isinstance(body, dict):
        return body
    log.warning("oidc.answer", provider=provider.id, url=str(request.url), status=answer.status_code)
    if request.method == "POST" and 400 <= answer.status_code < 500:  # the token endpoint does not take the code
        raise Denied("oidc.code")
    raise Unavailable("oidc.unreachable", provider=provider.title)
