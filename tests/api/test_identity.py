"""Signing in, staying signed in, keys and the trail, over HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from tests.serving import Server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def operator(server: Server) -> str:
    """The name of an account that may acknowledge alarms and not much more."""
    with server.client() as admin:
        answer = admin.post(
            "/accounts", json={"name": "wang", "password": PASSWORD, "roles": ["duty_operator"], "display_name": "王芳"}
        )
        assert answer.status_code in (201, 409), answer.text
    return "wang"


@pytest.fixture
def browser(server: Server, operator: str) -> Iterator[httpx.Client]:
    """A client that signed in as a browser does: a cookie and no key."""
    with httpx.Client(base_url=server.api, timeout=60) as client:
        answer = client.post("/session", json={"name": operator, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


def test_a_browser_signs_in_asks_who_it_is_and_signs_out(browser: httpx.Client) -> None:
    me = browser.get("/session").json()
    assert (me["name"], me["display_name"], me["roles"]) == ("wang", "王芳", ["duty_operator"])
    assert "alarm.acknowledge" in me["permissions"]
    assert "account.write" not in me["permissions"]
    assert browser.delete("/session").status_code == 403
    assert browser.delete("/session", headers={"X-CSRF-Token": me["csrf_token"]}).status_code == 204
    assert browser.get("/session").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: httpx.Client, operator: str) -> None:
    answer = browser.post("/session", json={"name": operator, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # this server speaks http


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wrong_password_is_a_problem_document_in_the_callers_language(browser: httpx.Client, language: str) -> None:
    answer = browser.post(
        "/session", json={"name": "nobody", "password": "a guess, wrong"}, headers={"Accept-Language": language}
    )
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "login.wrong"
    assert ("密码" in answer.json()["detail"]) == (language == "zh")


def test_what_a_role_does_not_hold_is_denied(browser: httpx.Client) -> None:
    for path in ("/accounts", "/api-keys", "/audit"):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission.missing"), path


def test_a_key_works_at_once_is_shown_once_and_ends_when_revoked(server: Server) -> None:
    with server.client() as admin:
        made = admin.post("/api-keys", json={"name": "bms", "role": "integration"}).json()
        assert made["secret"].startswith("twin_")
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        assert admin.get("/session", headers=bearer).json()["name"] == "key:bms"
        assert made["secret"] not in admin.get("/api-keys").text
        assert admin.delete(f"/api-keys/{made['key']['id']}").status_code == 200
        assert admin.get("/session", headers=bearer).status_code == 401
        trail = admin.get("/audit", params={"action": "key.write"}).json()["items"]
        assert [entry["object"] for entry in trail][:2] == [f"key:{made['key']['id']}"] * 2
        assert made["secret"] not in admin.get("/audit").text
