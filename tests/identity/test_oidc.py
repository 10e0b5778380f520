"""Signing in through a real OpenID provider (6.5.2a): what it says is verified, who it names is known or refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pyotp
import pytest

from identity import accounts, audit, oidc, second_factor
from identity.accounts import Account
from identity.actor import CLI
from identity.clock import wall_clock
from identity.grants import give_grant, grants_of
from identity.login import Gate, SignedIn, Ticket
from identity.sessions import Origin
from tests.identity.conftest import Clocks, change, make
from tests.provider import providing, visit
from twin.db import rows
from twin.errors import TwinError
from twin.settings import OidcProvider, Settings

CALLBACK = "http://twin.test/api/v1/session/oidc/idp/callback"
HERE = Origin("192.0.2.1", "test")
ROLES = {"engineers": ("facility_engineer",), "night": ("duty_operator", "crew")}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with providing(CALLBACK) as running:
        yield running


@dataclass
class Idp:
    """The provider as an installation knows it, and people who sign in at it."""

    gate: Gate
    provider: OidcProvider

    async def enter(self, login: str, *, browser: str | None = None, **changed: str) -> SignedIn | Ticket:
        """All the way there and back; `changed` parameters of the way back, `browser` another one's cookie."""
        departure = await oidc.depart(self.gate, self.provider, CALLBACK)
        given = visit(departure.url, login, callback=CALLBACK)
        return await self.arrive(given | changed, browser or departure.browser)

    async def arrive(self, given: dict[str, str], browser: str | None) -> SignedIn | Ticket:
        return await oidc.arrive(self.gate, self.provider, given, HERE, browser=browser)

    async def refused(self, login: str, *, browser: str | None = None, **changed: str) -> str:
        with pytest.raises(TwinError) as error:
            await self.enter(login, browser=browser, **changed)
        return error.value.code

    async def roles(self, name: str) -> list[tuple[str, str]]:
        async with self.gate.db.connection() as conn:
            account = await accounts.get_account(conn, name)
            return sorted((each.role, each.granted_by) for each in (await grants_of(conn, [account.id]))[account.id])


@pytest.fixture
def idp(gate: Gate, issuer: str) -> Idp:
    """A provider whose people get accounts and whose groups are roles."""
    return with_provider(gate, issuer, create=True)


def with_provider(gate: Gate, issuer: str, **more: object) -> Idp:
    given: dict[str, object] = {
        "id": "idp",
        "title": "The company",
        "issuer": issuer,
        "client_id": "twin",
        "client_secret": "a shared secret",
        "roles_claim": "groups",
        "roles": ROLES,
    }
    provider = OidcProvider.model_validate(given | more)
    settings = Settings(oidc_providers=(provider,))
    return Idp(Gate(gate.db, settings, gate.sealer, gate.clock), provider)


async def waiting(gate: Gate, name: str) -> Account:
    """An account without a password: made for somebody who comes from a provider."""
    async with gate.db.transaction() as conn:
        return await accounts.create_account(conn, name, None, ())


@pytest.fixture(autouse=True)
def _real_time(clocks: Clocks) -> None:
    """The provider's tokens are of now."""
    clocks.wall = wall_clock()


@pytest.mark.clause("6.5.2a")
async def test_somebody_new_gets_an_account_with_the_roles_of_his_groups(idp: Idp) -> None:
    signed_in = await idp.enter("wang+engineers+chess")
    assert isinstance(signed_in, SignedIn)
    account = signed_in.session.account
    assert (account.name, account.display_name, account.roles) == (
        "wang",
        "wang of the provider",
        ["facility_engineer"],
    )
    assert signed_in.session.actor.may("point.command")
    again = await idp.enter("wang+engineers+chess")
    assert isinstance(again, SignedIn) and again.session.account.id == account.id
    async with idp.gate.db.connection() as conn:
        trail = (await audit.list_entries(conn)).items
    assert [each.action for each in trail[::-1]] == [
        "account.write",
        "account.link",
        "grant.give",
        "session.login",
        "session.login",
    ]
    assert {each.actor for each in trail} == {"oidc:idp", "account:wang"}


async def test_a_public_client_needs_no_secret(gate: Gate, issuer: str) -> None:
    idp = with_provider(gate, issuer, client_id="public", client_secret=None, create=True)
    assert isinstance(await idp.enter("wang"), SignedIn)


async def test_the_request_carries_pkce_state_and_nonce_and_none_of_them_twice(idp: Idp) -> None:
    first, second = [
        parse_qs(urlsplit((await oidc.depart(idp.gate, idp.provider, CALLBACK)).url).query) for _ in range(2)
    ]
    assert first["response_type"] == ["code"] and first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43 and first[name] != second[name]
    async with idp.gate.db.connection() as conn:
        assert first["state"][0] not in str(await rows(conn, "SELECT state_hash, browser_hash FROM oidc_login"))


async def test_groups_come_and_go_and_what_was_granted_here_stays(gate: Gate, issuer: str) -> None:
    idp = with_provider(gate, issuer)
    account = await waiting(gate, "wang")
    async with gate.db.transaction() as conn:
        await give_grant(conn, CLI, "auditor", account=account.id)
    await idp.enter("wang+night")
    assert await idp.roles("wang") == [("auditor", "cli"), ("crew", "oidc:idp"), ("duty_operator", "oidc:idp")]
    async with gate.db.transaction() as conn:
        await conn.execute("UPDATE external_identity SET subject = 'wang+engineers'")  # the same person, moved
    await idp.enter("wang+engineers")
    assert await idp.roles("wang") == [("auditor", "cli"), ("facility_engineer", "oidc:idp")]


async def test_who_is_not_known_is_refused_where_no_accounts_are_made(gate: Gate, issuer: str) -> None:
    idp = with_provider(gate, issuer)
    assert await idp.refused("stranger") == "oidc.no_account"
    async with gate.db.connection() as conn:
        assert await accounts.find_account(conn, "stranger") is None
    await waiting(gate, "stranger")
    assert isinstance(await idp.enter("stranger"), SignedIn)


async def test_nobody_becomes_an_account_that_has_a_password_or_is_somebody_elses(idp: Idp) -> None:
    await make(idp.gate, "administrator", ("administrator",))
    assert await idp.refused("administrator") == "oidc.no_account"
    await idp.enter("wang")
    async with idp.gate.db.transaction() as conn:
        await conn.execute("UPDATE external_identity SET subject = 'another person'")
    assert await idp.refused("wang") == "oidc.no_account"


async def test_a_name_that_cannot_be_one_here_or_looks_like_another_is_refused(idp: Idp) -> None:
    await make(idp.gate, "coco")
    assert await idp.refused("two words") == "oidc.name"
    assert await idp.refused("\u0441\u043e\u0441\u043e") == "oidc.name"


async def test_a_disabled_or_restricted_account_is_refused(idp: Idp) -> None:
    signed_in = await idp.enter("wang")
    assert isinstance(signed_in, SignedIn)
    changed = await change(idp.gate, signed_in.session.account, login_networks=["198.51.100.0/24"])
    assert await idp.refused("wang") == "login.not_here"
    await change(idp.gate, changed, login_networks=None, disabled=True)
    assert await idp.refused("wang") == "oidc.no_account"


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("fault-audience", "oidc.id_token"),
        ("fault-issuer", "oidc.id_token"),
        ("fault-expired", "oidc.id_token"),
        ("fault-subject", "oidc.id_token"),
        ("fault-nonce", "oidc.id_token"),
        ("fault-hash", "oidc.id_token"),
        ("fault-unsigned", "oidc.id_token"),
        ("fault-key", "oidc.id_token"),
        ("fault-none", "oidc.code"),
    ],
)
async def test_an_id_token_that_is_not_ours_not_fresh_or_not_the_providers_is_refused(
    idp: Idp, login: str, code: str
) -> None:
    assert await idp.refused(login) == code
    async with idp.gate.db.connection() as conn:
        assert await rows(conn, "SELECT FROM account") == []
        trail = (await audit.list_entries(conn)).items
    assert [(each.actor, each.result, each.after) for each in trail] == [
        ("anonymous", "refused", {"why": code, "provider": "idp"})
    ]


async def test_the_nonce_has_to_be_the_one_that_set_out(idp: Idp) -> None:
    departure = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    url = urlsplit(departure.url)
    other = parse_qs(url.query) | {"nonce": ["an attackers own"]}
    given = visit(url._replace(query=urlencode(other, doseq=True)).geturl(), "wang", callback=CALLBACK)
    with pytest.raises(TwinError) as error:
        await idp.arrive(given, departure.browser)
    assert error.value.code == "oidc.id_token"


async def test_a_code_is_worth_nothing_without_its_verifier(idp: Idp) -> None:
    departure = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    stolen = visit(departure.url, "wang", callback=CALLBACK)
    attackers = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    state = parse_qs(urlsplit(attackers.url).query)["state"][0]
    with pytest.raises(TwinError) as error:
        await idp.arrive(stolen | {"state": state}, attackers.browser)
    assert error.value.code == "oidc.code"


async def test_a_sign_in_comes_back_once_in_time_to_the_browser_that_set_out(idp: Idp, clocks: Clocks) -> None:
    assert await idp.refused("wang", state="made up") == "oidc.state"
    assert await idp.refused("wang", state="") == "oidc.state"
    assert await idp.refused("wang", browser="of somebody else") == "oidc.state"
    assert await idp.refused("wang", iss="https://elsewhere.example") == "oidc.state"
    departure = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    given = visit(departure.url, "wang", callback=CALLBACK)
    await idp.arrive(given, departure.browser)
    for _ in range(2):
        with pytest.raises(TwinError) as error:
            await idp.arrive(given, departure.browser)
        assert error.value.code == "oidc.state"
    late = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    given = visit(late.url, "wang", callback=CALLBACK)
    clocks.go(minutes=10)
    with pytest.raises(TwinError) as error:
        await idp.arrive(given, late.browser)
    assert error.value.code == "oidc.state"


async def test_who_says_no_at_the_provider_is_back_at_the_sign_in_page(idp: Idp) -> None:
    departure = await oidc.depart(idp.gate, idp.provider, CALLBACK)
    given = visit(departure.url, "wang", callback=CALLBACK, deny=True)
    assert given["error"] == "access_denied"
    with pytest.raises(TwinError) as error:
        await idp.arrive(given, departure.browser)
    assert error.value.code == "oidc.refused"


async def test_ones_own_second_factor_is_asked_for_unless_the_provider_did(idp: Idp, issuer: str) -> None:
    signed_in = await idp.enter("wang")
    assert isinstance(signed_in, SignedIn)
    now, account = idp.gate.clock.now().wall, signed_in.session.account
    async with idp.gate.db.transaction() as conn:
        secret = (await second_factor.begin(conn, idp.gate.sealer, account.id, account.name)).secret
        await second_factor.confirm(conn, idp.gate.sealer, account.id, pyotp.TOTP(secret).at(now), now)
    assert isinstance(await idp.enter("wang"), Ticket)
    trusted = with_provider(idp.gate, issuer, second_factor=True)
    assert isinstance(await trusted.enter("wang"), SignedIn)


async def test_a_provider_that_does_not_answer_is_said_to(gate: Gate, issuer: str) -> None:
    for where in ("http://127.0.0.1:9", issuer + "/nowhere"):
        with pytest.raises(TwinError) as error:
            await oidc.depart(gate, with_provider(gate, where).provider, CALLBACK)
        assert error.value.code == "oidc.unreachable"


def test_a_provider_is_reached_over_https(issuer: str) -> None:
    assert httpx.get(issuer + "/.well-known/openid-configuration").json()["issuer"] == issuer
    with pytest.raises(ValueError, match="https"):
        OidcProvider(id="idp", title="x", issuer="http://idp.example.org", client_id="twin")
