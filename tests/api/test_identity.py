"""Signing in, staying signed in and one's own account, over HTTP; keys and the trail in passing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import psycopg
import pyotp
import pytest

from tests.serving import Server

PASSWORD = "correct horse battery"
OTHER = "staple the horse again"


@contextmanager
def sign_in(server: Server, name: str, password: str = PASSWORD, **headers: str) -> Iterator[httpx.Client]:
    """A client that signed in as a browser does: a cookie, the CSRF token and no key."""
    with httpx.Client(base_url=server.api, timeout=60, headers=headers) as client:
        answer = client.post("/session", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        yield client


def make(server: Server, role: str = "duty_operator", **given: object) -> str:
    """A new account; its name."""
    name = f"a{uuid4().hex[:12]}"
    with server.client() as admin:
        answer = admin.post("/accounts", json={"name": name, "password": PASSWORD, "roles": [role]} | given)
        assert answer.status_code == 201, answer.text
    return name


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def person(server: Server) -> str:
    """The name of an account that may acknowledge alarms and not much more."""
    return make(server, display_name="王芳")


@pytest.fixture
def browser(server: Server, person: str) -> Iterator[httpx.Client]:
    with sign_in(server, person) as client:
        yield client


def test_a_browser_signs_in_asks_who_it_is_and_signs_out(browser: httpx.Client, person: str) -> None:
    me = browser.get("/session").json()
    assert (me["name"], me["display_name"], me["roles"]) == (person, "王芳", ["duty_operator"])
    assert [(grant["role"], grant["place"]) for grant in me["grants"]] == [("duty_operator", None)]
    assert "alarm.acknowledge" in me["permissions"]
    assert "account.write" not in me["permissions"]
    assert (me["must_change_password"], me["second_factor"], me["idle_seconds"]) == (False, False, 900)
    token = browser.cookies["twin_session"]
    del browser.headers["x-csrf-token"]
    assert browser.delete("/session").status_code == 403
    assert browser.delete("/session", headers={"X-CSRF-Token": me["csrf_token"]}).status_code == 204
    assert browser.get("/session").status_code == 401
    replayed = browser.get("/session", headers={"cookie": f"twin_session={token}"})
    assert code_of(replayed) == (401, "session.ended_logout")


@pytest.mark.clause("6.5.2b-2")
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server, person: str) -> None:
    with httpx.Client(base_url=server.api, timeout=60) as client:
        client.cookies.set("twin_session", "planted-by-somebody-else")
        answer = client.post("/session", json={"name": person, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # this server speaks http
    assert "planted" not in cookie


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wrong_password_is_a_problem_document_in_the_callers_language(server: Server, language: str) -> None:
    with httpx.Client(base_url=server.api, timeout=60) as client:
        answer = client.post(
            "/session", json={"name": "nobody", "password": "a guess, wrong"}, headers={"Accept-Language": language}
        )
    assert code_of(answer) == (401, "login.wrong")
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert ("密码" in answer.json()["detail"]) == (language == "zh")


def test_what_a_role_does_not_hold_is_denied(browser: httpx.Client) -> None:
    for path in ("/accounts", "/api-keys", "/audit"):
        assert code_of(browser.get(path)) == (403, "permission.missing"), path


def test_people_change_their_own_names_and_nothing_else(browser: httpx.Client) -> None:
    me = browser.patch("/me", json={"display_name": "王小芳", "language": "zh", "roles": ["administrator"]}).json()
    assert (me["display_name"], me["language"], me["roles"]) == ("王小芳", "zh", ["duty_operator"])
    assert browser.patch("/me", json={"language": "en"}).json()["display_name"] == "王小芳"


def test_a_new_password_ends_the_other_sessions_and_renews_this_ones_token(
    server: Server, browser: httpx.Client, person: str
) -> None:
    with sign_in(server, person) as other:
        before = browser.cookies["twin_session"]
        wrong = browser.post("/me/password", json={"current": OTHER, "new": OTHER})
        assert code_of(wrong) == (403, "password.wrong")
        weak = browser.post("/me/password", json={"current": PASSWORD, "new": "password1234"})
        assert code_of(weak) == (422, "password.common")
        changed = browser.post("/me/password", json={"current": PASSWORD, "new": OTHER})
        assert changed.status_code == 200, changed.text
        assert browser.cookies["twin_session"] != before
        assert browser.get("/session").json()["csrf_token"] == changed.json()["csrf_token"]
        assert code_of(other.get("/session")) == (401, "session.ended_password")
        other.cookies.set("twin_session", before)
        assert other.get("/session").status_code == 401
    with sign_in(server, person, OTHER):
        pass


@pytest.mark.clause("6.5.2b-2")
def test_a_password_that_somebody_else_set_has_to_be_changed_before_anything_else(
    server: Server, client: httpx.Client, person: str
) -> None:
    with sign_in(server, person) as before:
        reset = client.post(f"/accounts/{person}/password", json={"password": OTHER})
        assert reset.json()["must_change_password"] is True
        assert code_of(before.get("/session")) == (401, "session.ended_password")
    with sign_in(server, person, OTHER) as browser:
        me = browser.get("/session").json()
        assert (me["must_change_password"], me["permissions"]) == (True, [])
        for method, path in (("GET", "/buildings"), ("PATCH", "/me"), ("GET", "/me/sessions"), ("GET", "/alarms")):
            assert code_of(browser.request(method, path, json={})) == (403, "password.must_change"), path
        assert browser.get("/password-policy").json()["shortest"] == 12
        done = browser.post("/me/password", json={"current": OTHER, "new": "another long sentence"}).json()
        assert done["must_change_password"] is False and "alarm.read" in done["permissions"]
        browser.headers["x-csrf-token"] = done["csrf_token"]
        assert browser.get("/buildings").status_code == 200


@pytest.mark.clause("6.5.2b-4")
def test_people_see_their_sessions_and_end_them(server: Server, browser: httpx.Client, person: str) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    with sign_in(server, person, **{"user-agent": agent}) as other, sign_in(server, make(server)) as stranger:
        listed = browser.get("/me/sessions").json()["items"]
        assert [(each["user_agent"], each["current"]) for each in listed] == [
            ("Firefox 140, Linux", False),
            ("Python", True),
        ]
        assert listed[0]["address"] == "127.0.0.1"
        theirs = f"/me/sessions/{listed[0]['id']}"
        assert code_of(stranger.delete(theirs)) == (404, "session.unknown")
        assert browser.delete(theirs).status_code == 204
        assert code_of(other.get("/session")) == (401, "session.ended_revoked")
        assert browser.delete(theirs).status_code == 404


def test_a_fourth_session_ends_the_first_and_says_so(server: Server, browser: httpx.Client, person: str) -> None:
    for _ in range(3):
        with sign_in(server, person):
            pass
    assert code_of(browser.get("/buildings")) == (401, "session.ended_limit")


def test_a_second_factor_from_enrolment_to_its_end(server: Server, browser: httpx.Client, person: str) -> None:
    enrolment = browser.post("/me/second-factor").json()
    totp = pyotp.TOTP(enrolment["secret"])
    assert enrolment["qr_svg"].startswith("<svg") and enrolment["uri"].startswith(f"otpauth://totp/Twin:{person}?")
    assert code_of(browser.post("/me/second-factor/confirm", json={"code": "abc"})) == (422, "second_factor.code")
    before = browser.cookies["twin_session"]
    confirmed = browser.post("/me/second-factor/confirm", json={"code": totp.now()})
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10 and browser.cookies["twin_session"] != before

    with httpx.Client(base_url=server.api, timeout=60) as client:
        asked = client.post("/session", json={"name": person, "password": PASSWORD})
        assert asked.status_code == 202 and "set-cookie" not in asked.headers
        assert asked.json()["second_factor"] == ["totp", "recovery"]
        ticket = asked.json()["ticket"]
        used = client.post("/session/second-factor", json={"ticket": ticket, "code": totp.now()})
        assert code_of(used) == (401, "second_factor.wrong")  # the step was used at enrolment
        entered = client.post("/session/second-factor", json={"ticket": ticket, "code": codes[0].upper()})
        assert entered.json()["name"] == person and entered.json()["second_factor"] is True
        again = client.post("/session/second-factor", json={"ticket": ticket, "code": codes[1]})
        assert code_of(again) == (401, "login.ticket")
        client.headers["x-csrf-token"] = entered.json()["csrf_token"]
        assert code_of(client.post("/me/recovery-codes", json={"password": OTHER})) == (403, "password.wrong")
        assert len(client.post("/me/recovery-codes", json={"password": PASSWORD}).json()["recovery_codes"]) == 10
        assert code_of(client.post("/me/second-factor")) == (409, "second_factor.exists")
        assert code_of(client.post("/me/second-factor", json={"password": "a guess"})) == (403, "password.wrong")
        off = client.post("/me/second-factor/disable", json={"password": PASSWORD})
        assert off.json()["second_factor"] is False
    with sign_in(server, person):
        pass
    with server.client() as admin:
        trail = admin.get("/audit", params={"actor": f"account:{person}"})
    for secret in (enrolment["secret"], *codes, PASSWORD):
        assert secret not in trail.text
    actions = [entry["action"] for entry in trail.json()["items"]]
    for action in ("begin", "enable", "recovery", "codes", "disable"):
        assert f"second_factor.{action}" in actions


def test_who_needs_a_second_factor_enrols_one_before_anything_else(
    server: Server, client: httpx.Client, person: str
) -> None:
    assert client.patch(f"/accounts/{person}", json={"require_second_factor": True}).status_code == 200
    with sign_in(server, person) as browser:
        assert browser.get("/session").json()["restriction"] == "second_factor.must_enrol"
        assert code_of(browser.get("/buildings")) == (403, "second_factor.must_enrol")
        secret = browser.post("/me/second-factor").json()["secret"]
        assert browser.post("/me/second-factor/confirm", json={"code": pyotp.TOTP(secret).now()}).status_code == 200
        me = browser.get("/session").json()
        assert me["restriction"] is None
        browser.headers["x-csrf-token"] = me["csrf_token"]
        assert browser.get("/buildings").status_code == 200
        kept = browser.post("/me/second-factor/disable", json={"password": PASSWORD})
        assert code_of(kept) == (403, "second_factor.needed")
        assert client.delete(f"/accounts/{person}/second-factor").json()["second_factor"] is False
        assert code_of(browser.get("/session")) == (401, "session.ended_second_factor")


def test_a_browser_left_signed_in_is_not_enough_to_take_an_account_over(server: Server, person: str) -> None:
    with sign_in(server, person) as browser:
        with psycopg.connect(str(server.database), autocommit=True) as conn:
            conn.execute(
                """UPDATE session SET expires_at = expires_at - interval '6 minutes'
                   FROM account WHERE account.id = account_id AND account.name = %s""",
                (person,),
            )
        assert code_of(browser.post("/me/second-factor", json={})) == (403, "password.needed")
        assert code_of(browser.post("/me/second-factor", json={"password": "a guess"})) == (403, "password.wrong")
        assert browser.post("/me/second-factor", json={"password": PASSWORD}).status_code == 200


def test_a_secret_that_is_shown_once_is_not_kept_for_a_repeated_request(browser: httpx.Client) -> None:
    key = {"idempotency-key": str(uuid4())}
    assert browser.post("/me/second-factor", headers=key).status_code == 200
    assert code_of(browser.post("/me/second-factor", headers=key)) == (409, "idempotency.secret")


@pytest.mark.clause("6.2.1b", "6.5.2b-2")
def test_an_administrator_limits_when_and_from_where_an_account_is_used(
    server: Server, client: httpx.Client, person: str
) -> None:
    def login() -> httpx.Response:
        return httpx.post(server.api + "/session", json={"name": person, "password": PASSWORD}, timeout=60)

    with sign_in(server, person) as browser:
        for changes, code in (
            ({"login_networks": ["192.0.2.0/24"]}, "login.not_here"),
            ({"valid_until": "2020-01-01T00:00:00Z"}, "login.no_longer_valid"),
            ({"login_hours": {"windows": [{"days": [1], "start": "03:00", "end": "03:01"}]}}, "login.not_now"),
        ):
            changed = client.patch(f"/accounts/{person}", json=changes)
            assert changed.status_code == 200, changed.text
            assert code_of(login()) == (403, code)
            assert code_of(browser.get("/session")) == (401, code)
            client.patch(f"/accounts/{person}", json=dict.fromkeys(changes))
            assert browser.get("/session").status_code == 200
    office = {"time_zone": "Mars/Olympus", "windows": [{"days": [1], "start": "08:00", "end": "18:00"}]}
    faults: list[dict[str, object]] = [
        {"login_networks": ["192.0.2.0/33"]},
        {"login_networks": []},
        {"login_hours": office},
        {"login_hours": {"windows": [{"days": [8], "start": "08:00", "end": "18:00"}]}},
        {"login_hours": {"windows": [{"days": [1], "start": "8", "end": "18:00"}]}},
    ]
    for fault in faults:
        assert client.patch(f"/accounts/{person}", json=fault).status_code == 422, fault


def test_a_locked_account_says_so_to_administrators_and_is_unlocked(
    server: Server, client: httpx.Client, person: str
) -> None:
    with httpx.Client(base_url=server.api, timeout=60) as guesser:
        for _ in range(5):
            guesser.post("/session", json={"name": person, "password": "a guess, wrong"})
        assert client.get(f"/accounts/{person}").json()["locked"] is True
        locked = guesser.post("/session", json={"name": person, "password": PASSWORD})
        assert code_of(locked) == (401, "login.wrong")
        assert client.post(f"/accounts/{person}/unlock").json()["locked"] is False
        with sign_in(server, person):
            pass


def test_an_administrator_sees_and_ends_sessions_and_disables(
    server: Server, client: httpx.Client, person: str
) -> None:
    with sign_in(server, person) as first, sign_in(server, person) as second:
        listed = client.get(f"/accounts/{person}/sessions").json()["items"]
        assert len(listed) == 2 and not any(each["current"] for each in listed)
        assert client.delete(f"/accounts/{person}/sessions/{listed[1]['id']}").status_code == 204
        assert code_of(first.get("/session")) == (401, "session.ended_administrator")
        assert client.delete(f"/accounts/{person}/sessions").status_code == 204
        assert code_of(second.get("/session")) == (401, "session.ended_administrator")
    with sign_in(server, person) as browser:
        assert client.patch(f"/accounts/{person}", json={"disabled": True}).json()["disabled"] is True
        assert code_of(browser.get("/session")) == (401, "session.ended_administrator")
    answer = httpx.post(server.api + "/session", json={"name": person, "password": PASSWORD}, timeout=60)
    assert code_of(answer) == (401, "login.wrong")


def test_accounts_are_found_by_name_and_by_id_and_nobody_locks_himself_out(
    server: Server, client: httpx.Client
) -> None:
    name = make(server, "administrator")
    by_name = client.get(f"/accounts/{name.upper()}").json()
    assert client.get(f"/accounts/{by_name['id']}").json() == by_name
    assert [grant["role"] for grant in by_name["grants"]] == ["administrator"]
    assert code_of(client.get("/accounts/nobody")) == (404, "account.unknown")
    with sign_in(server, name) as browser:
        for changes in ({"disabled": True}, {"login_networks": ["192.0.2.0/24"]}):
            assert code_of(browser.patch(f"/accounts/{name}", json=changes)) == (409, "account.own")


def test_nobody_sets_the_password_of_who_may_do_more(server: Server, client: httpx.Client) -> None:
    role = f"accounts_{uuid4().hex[:8]}"
    permissions = ["account.read", "account.write"]
    made = client.post("/roles", json={"name": role, "title": "Front desk", "permissions": permissions})
    assert made.status_code == 201, made.text
    boss, equal = make(server, "administrator"), make(server, role)
    with sign_in(server, make(server, role)) as browser:
        for method, path, body in (
            ("POST", f"/accounts/{boss}/password", {"password": OTHER}),
            ("PATCH", f"/accounts/{boss}", {"disabled": True}),
            ("DELETE", f"/accounts/{boss}/second-factor", {}),
        ):
            assert code_of(browser.request(method, path, json=body)) == (403, "grant.beyond"), path
        assert browser.post(f"/accounts/{equal}/password", json={"password": OTHER}).status_code == 200


def test_what_belongs_to_a_person_is_not_for_keys(client: httpx.Client) -> None:
    for method, path in (("GET", "/me/sessions"), ("PATCH", "/me"), ("POST", "/me/second-factor")):
        assert code_of(client.request(method, path, json={})) == (403, "session.no_account")


def test_a_name_that_looks_like_another_is_refused(server: Server, client: httpx.Client, person: str) -> None:
    for name, code in (
        ("\u0430dministrator", "account.mixed_scripts"),
        (person.replace("0", "o") if "0" in person else person.upper(), None),
    ):
        answer = client.post("/accounts", json={"name": name, "password": PASSWORD, "roles": ["crew"]})
        assert answer.status_code in (409, 422)
        assert code is None or answer.json()["code"] == code


def test_a_key_works_at_once_is_shown_once_and_ends_when_revoked(server: Server) -> None:
    with server.client() as admin:
        made = admin.post("/api-keys", json={"name": "bms", "role": "integration"}).json()
        assert re.fullmatch(r"twin_\S{43}", made["secret"])
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        assert admin.get("/session", headers=bearer).json()["name"] == "key:bms"
        assert made["secret"] not in admin.get("/api-keys").text
        assert admin.delete(f"/api-keys/{made['key']['id']}").status_code == 200
        assert admin.get("/session", headers=bearer).status_code == 401
        trail = admin.get("/audit", params={"action": "key.write"}).json()["items"]
        assert [entry["object"] for entry in trail][:2] == [f"key:{made['key']['id']}"] * 2
        assert made["secret"] not in admin.get("/audit").text
