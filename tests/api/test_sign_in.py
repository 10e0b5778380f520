"""A server behind a proxy, with an OpenID provider and the rules of 等级保护: signing in as a browser sees it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import Cluster
from tests.provider import providing, visit
from tests.serving import Server, serving

PUBLIC = "https://twin.example.org"
CALLBACK = f"{PUBLIC}/api/v1/session/oidc/idp/callback"
PROXY = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
PASSWORD = "Correct horse 7"


@pytest.fixture(scope="module")
def strict(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with everything that the others leave at its default."""
    name = f"strict_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    data: Path = tmp_path_factory.mktemp("strict")
    with providing(CALLBACK) as issuer:
        provider = {
            "id": "idp",
            "title": "集团账号",
            "issuer": issuer,
            "client_id": "twin",
            "client_secret": "a shared secret",
            "create": True,
            "roles_claim": "groups",
            "roles": {"engineers": ["facility_engineer"]},
        }
        settings = {
            "TWIN_TRUSTED_PROXIES": "127.0.0.1",
            "TWIN_PUBLIC_URL": PUBLIC,
            "TWIN_PASSWORD_POLICY": "dengbao",
            "TWIN_SECOND_FACTOR_ROLES": "auditor",
            "TWIN_OIDC_PROVIDERS": json.dumps([provider]),
        }
        with serving(data, cluster.url(name), **settings) as running:
            yield running
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def browser(strict: Server) -> Iterator[httpx.Client]:
    """A browser whose requests come through the proxy."""
    with httpx.Client(base_url=strict.address, timeout=60, headers=PROXY) as client:
        yield client


def make(strict: Server, role: str, password: str = PASSWORD) -> str:
    name = f"b{uuid4().hex[:12]}"
    with strict.client() as admin:
        answer = admin.post("/accounts", json={"name": name, "password": password, "roles": [role]})
        assert answer.status_code == 201, answer.text
    return name


def cookie_of(answer: httpx.Response, name: str) -> str:
    """The value of a cookie; the browser sends it over https only, which this client does not speak."""
    found = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(name + "="))
    return found.split(";")[0].split("=", 1)[1]


def test_behind_a_trusted_proxy_addresses_and_https_are_the_browsers(strict: Server, browser: httpx.Client) -> None:
    name = make(strict, "duty_operator")
    answer = browser.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert "secure" in answer.headers["set-cookie"].lower()
    with strict.client() as admin:
        sessions = admin.get(f"/accounts/{name}/sessions").json()["items"]
        assert [each["address"] for each in sessions] == ["203.0.113.9"]
        admin.patch(f"/accounts/{name}", json={"login_networks": ["203.0.113.0/24"]})
    spoofed = {"x-forwarded-for": "203.0.113.9, 198.51.100.1"}  # the proxy adds who really came
    refused = browser.post("/api/v1/session", json={"name": name, "password": PASSWORD}, headers=spoofed)
    assert (refused.status_code, refused.json()["code"]) == (403, "login.not_here")


def test_without_a_trusted_proxy_nobody_chooses_his_own_address(server: Server) -> None:
    with server.client() as admin:
        name = f"b{uuid4().hex[:12]}"
        made = {"name": name, "password": PASSWORD, "roles": ["duty_operator"]}
        assert admin.post("/accounts", json=made).status_code == 201
        credentials = {"name": name, "password": PASSWORD}
        answer = httpx.post(server.api + "/session", json=credentials, headers=PROXY, timeout=60)
        assert "secure" not in answer.headers["set-cookie"].lower()
        sessions = admin.get(f"/accounts/{name}/sessions").json()["items"]
        assert [each["address"] for each in sessions] == ["127.0.0.1"]


@pytest.mark.clause("6.5.2b-2")
def test_the_rules_of_dengbao_are_told_and_kept(strict: Server, browser: httpx.Client) -> None:
    with strict.client() as admin:
        for password, code in (("correct horse battery", "password.kinds"), ("Password2024", "password.common")):
            made = {"name": "somebody", "password": password, "roles": ["crew"]}
            answer = admin.post("/accounts", json=made)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
        policy = admin.get("/password-policy").json()
    assert (policy["profile"], policy["kinds"], policy["age_days"], policy["history"]) == ("dengbao", 3, 90, 5)
    answer = browser.post("/api/v1/session", json={"name": make(strict, "crew"), "password": PASSWORD})
    headers = {
        "cookie": f"twin_session={cookie_of(answer, 'twin_session')}",
        "x-csrf-token": answer.json()["csrf_token"],
    }
    same = browser.post("/api/v1/me/password", json={"current": PASSWORD, "new": PASSWORD}, headers=headers)
    assert (same.status_code, same.json()["code"]) == (422, "password.used_before")


@pytest.mark.clause("6.5.2b-2")
def test_a_role_may_demand_a_second_factor(strict: Server, browser: httpx.Client) -> None:
    for role, restriction in (("auditor", "second_factor.must_enrol"), ("crew", None)):
        answer = browser.post("/api/v1/session", json={"name": make(strict, role), "password": PASSWORD})
        assert answer.json()["restriction"] == restriction


@pytest.mark.clause("6.5.2a")
def test_a_person_signs_in_at_the_provider_and_is_back_signed_in(browser: httpx.Client) -> None:
    assert browser.get("/api/v1/session/providers").json()["items"] == [{"id": "idp", "title": "集团账号"}]
    away = browser.get("/api/v1/session/oidc/idp")
    assert away.status_code == 302
    binding = next(each for each in away.headers.get_list("set-cookie") if each.startswith("twin_oidc=")).lower()
    for word in ("httponly", "samesite=lax", "secure", "path=/api/v1/session/oidc"):
        assert word in binding
    given = visit(away.headers["location"], "zhao+engineers", callback=CALLBACK)
    cookie = {"cookie": f"twin_oidc={cookie_of(away, 'twin_oidc')}"}
    back = browser.get("/api/v1/session/oidc/idp/callback", params=given, headers=cookie)
    assert (back.status_code, back.headers["location"]) == (302, "/")
    session = {"cookie": f"twin_session={cookie_of(back, 'twin_session')}"}
    me = browser.get("/api/v1/session", headers=session).json()
    assert (me["name"], me["roles"], me["must_change_password"]) == ("zhao", ["facility_engineer"], False)
    replayed = browser.get("/api/v1/session/oidc/idp/callback", params=given, headers=cookie)
    assert (replayed.status_code, replayed.headers["location"]) == (302, "/sign-in?error=oidc.state")
    assert not any(each.startswith("twin_session=") for each in replayed.headers.get_list("set-cookie"))


def test_what_goes_wrong_at_the_provider_is_told_on_the_sign_in_page(browser: httpx.Client) -> None:
    for path in ("?state=x&code=y", "?error=access_denied", ""):
        answer = browser.get(f"/api/v1/session/oidc/idp/callback{path}")
        assert (answer.status_code, answer.headers["location"]) == (302, "/sign-in?error=oidc.state")
    for path in ("/api/v1/session/oidc/nobody", "/api/v1/session/oidc/nobody/callback"):
        answer = browser.get(path)
        found = answer.json()["code"] if answer.status_code == 404 else answer.headers["location"]
        assert found in ("oidc.unknown", "/sign-in?error=oidc.unknown")


@pytest.mark.clause("6.2.1b")
def test_the_command_line_does_with_accounts_what_the_pages_do(strict: Server) -> None:
    def twin(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
        done = strict.twin("account", *arguments, stdin=stdin)
        return done.returncode, done.stdout + done.stderr

    name = f"c{uuid4().hex[:12]}"
    assert twin("add", name, "--role", "crew", "--password-stdin", "--must-change", stdin=PASSWORD + "\n")[0] == 0
    assert re.search(rf"^{name}\tcrew\tmust change password$", twin("list")[1], re.MULTILINE)
    weak = twin("password", name, "--password-stdin", stdin="password2024\n")
    assert weak[0] == 1 and "[password.common]" in weak[1]
    assert twin("password", name, "--password-stdin", "--keep", stdin="Another horse 8\n")[0] == 0
    assert twin("disable", name)[0] == 0
    with strict.client() as admin:
        assert admin.get(f"/accounts/{name}").json()["disabled"] is True
    assert twin("enable", name)[0] == 0
    assert twin("unlock", name)[0] == 0
    assert "[second_factor.off]" in twin("reset-second-factor", name)[1]
    answer = httpx.post(strict.api + "/session", json={"name": name, "password": "Another horse 8"}, timeout=60)
    assert answer.json()["must_change_password"] is False
    with strict.client() as admin:
        trail = admin.get("/audit", params={"actor": "cli"}).json()["items"]
    assert {"account.write", "account.password", "account.unlock"} <= {each["action"] for each in trail}
    assert "horse" not in json.dumps(trail)
