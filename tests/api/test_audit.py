"""The audit trail over HTTP and on the command line: everything leaves its entry, nobody changes one."""

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from api.openapi import document
from api.route import SAFE_METHODS, TwinRoute
from api.routes import ROUTERS
from tests.serving import Server, until

PASSWORD = "correct horse battery staple"
MUTATING = sorted(
    (method, route.path, route.transactional)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, TwinRoute)
    for method in (route.methods or set()) - SAFE_METHODS
)
PUBLIC = {"/session", "/session/second-factor", "/session/display"}


@pytest.fixture
def trail(server: Server) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Entries of the served database by a condition."""
    assert server.database
    with psycopg.connect(server.database, autocommit=True, row_factory=dict_row) as conn:

        def read(condition: str, *values: object) -> list[dict[str, Any]]:
            return conn.execute(f"SELECT * FROM audit WHERE {condition} ORDER BY id", values).fetchall()

        yield read


@pytest.fixture
def person(server: Server) -> Iterator[httpx.Client]:
    """A facility engineer who signed in as a browser does."""
    name = f"engineer-{secrets.token_hex(4)}"
    with server.client() as admin, httpx.Client(base_url=server.api, timeout=60) as client:
        made = admin.post(
            "/accounts",
            json={"name": name, "password": PASSWORD, "roles": ["facility_engineer"], "must_change_password": False},
        )
        assert made.status_code == 201, made.text
        me = client.post("/session", json={"name": name, "password": PASSWORD})
        assert me.status_code == 200, me.text
        client.headers["x-csrf-token"] = me.json()["csrf_token"]
        client.headers["x-test-actor"] = f"account:{name}"
        yield client


def test_every_route_that_changes_something_is_of_the_class_that_records() -> None:
    """The route class sees to the entry; a route of another class would not have one."""
    paths = json.loads(document())["paths"]
    served = {(method.upper(), path) for path in paths for method in paths[path]}
    mutating = {(method, path) for method, path in served if method not in SAFE_METHODS}
    assert mutating == {(method, f"/api/v1{path}") for method, path, _ in MUTATING}
    assert len(mutating) > 60


def test_a_mutation_whose_handler_records_nothing_is_recorded_by_the_route(
    person: httpx.Client, trail: Callable[..., list[dict[str, Any]]]
) -> None:
    answer = person.post("/notifications/read", json={})
    assert answer.status_code == 200, answer.text
    entry = trail("request_id = %s", answer.headers["x-request-id"])[0]
    assert entry["actor"] == person.headers["x-test-actor"]
    assert (entry["object"], entry["result"]) == ("path:/notifications/read", "done")
    assert entry["credential"].startswith("session:") and entry["account_id"] and entry["address"]


def test_a_change_tells_before_and_after_and_shares_its_number_with_the_answer(
    client: httpx.Client, trail: Callable[..., list[dict[str, Any]]]
) -> None:
    building = client.post("/buildings", json={"name": f"Audited {uuid4()}"}).json()
    answer = client.patch(f"/buildings/{building['id']}", json={"properties": {"floors": 7}})
    (entry,) = trail("request_id = %s", answer.headers["x-request-id"])
    assert entry["before"]["properties"] == {} and entry["after"]["properties"] == {"floors": 7}
    assert entry["actor"] == "key:test" and entry["credential"].startswith("key:")
    found = client.get("/audit", params={"object": f"building:{building['id']}"}).json()["items"]
    assert [each["action"] for each in found] == ["building.write", "building.write"]
    until(lambda: client.get("/audit", params={"object": found[0]["object"]}).json()["items"][0]["seq"])


def test_a_repeated_request_is_one_entry(client: httpx.Client, trail: Callable[..., list[dict[str, Any]]]) -> None:
    headers = {"idempotency-key": str(uuid4())}
    body = {"name": f"Once {uuid4()}"}
    answers = [client.post("/buildings", json=body, headers=headers) for _ in range(3)]
    assert len(trail("object = %s", f"building:{answers[0].json()['id']}")) == 1
    assert trail("request_id = ANY (%s)", [each.headers["x-request-id"] for each in answers[1:]]) == []


def test_what_cannot_be_recorded_is_not_done_and_says_so(
    server: Server, client: httpx.Client, trail: Callable[..., list[dict[str, Any]]]
) -> None:
    assert server.database
    name = f"Unrecorded {uuid4()}"
    with psycopg.connect(server.database, autocommit=True) as conn:
        conn.execute("ALTER TABLE audit ADD CONSTRAINT broken CHECK (action <> 'building.write') NOT VALID")
        try:
            answer = client.post("/buildings", json={"name": name}, headers={"accept-language": "zh"})
        finally:
            conn.execute("ALTER TABLE audit DROP CONSTRAINT broken")
    assert (answer.status_code, answer.json()["code"]) == (503, "audit.unwritable")
    assert "审计" in answer.json()["detail"]
    assert client.get(f"/buildings/{name}").status_code == 404
    (entry,) = until(lambda: trail("request_id = %s", answer.headers["x-request-id"]))
    assert (entry["result"], entry["after"]["code"]) == ("failed", "audit.unwritable")


def test_reads_of_personal_data_are_recorded_with_what_was_asked_for(
    client: httpx.Client, trail: Callable[..., list[dict[str, Any]]]
) -> None:
    for path in (
        "/accounts",
        "/accounts/administrator",
        "/accounts/administrator/sessions",
        "/grants",
        "/audit?q=wang",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        (entry,) = until(lambda: trail("request_id = %s", answer.headers["x-request-id"]))  # noqa: B023
        assert (entry["actor"], entry["object"]) == ("key:test", f"path:{path.split('?')[0]}")
        assert entry["after"] == {"request": "GET"} | ({"query": {"q": "wang"}} if "?" in path else {})


def test_who_may_not_read_the_trail_is_refused_and_that_is_recorded(
    person: httpx.Client, trail: Callable[..., list[dict[str, Any]]]
) -> None:
    for path in ("/audit", "/audit/export", "/audit/chain"):
        answer = person.get(path)
        assert answer.status_code == 403
        (entry,) = until(lambda: trail("request_id = %s", answer.headers["x-request-id"]))  # noqa: B023
        assert (entry["action"], entry["result"]) == ("audit.read", "refused")
        assert entry["after"]["code"] == "permission.missing"


def test_nobody_can_change_the_trail_and_auditors_cannot_administer(server: Server) -> None:
    """Separation of duty: no route writes entries, and the auditor's role carries nothing that changes anything."""
    with server.client() as admin:
        assert admin.get("/session").json()["roles"] == ["administrator"]
        entry = admin.get("/audit").json()["items"][0]
        for method in ("PUT", "PATCH", "DELETE", "POST"):
            for path in ("/audit", f"/audit/{entry['id']}", "/audit/export", "/audit/chain"):
                assert admin.request(method, path, json={}).status_code in (404, 405)
        made = admin.post("/api-keys", json={"name": "auditor", "role": "auditor"}).json()
    bearer = {"authorization": f"Bearer {made['secret']}"}
    with httpx.Client(base_url=server.api, headers=bearer, timeout=60) as auditor:
        assert auditor.get("/audit").status_code == 200
        for method, path, _ in MUTATING:
            if path in PUBLIC | {"/audit/verify", "/session"} or "/me" in path or "{" in path:
                continue
            answer = auditor.request(method, path, json={})
            assert answer.status_code in (403, 409, 422, 429) or path.endswith(("/read", "/test")), f"{method} {path}"
            if answer.status_code == 422:
                assert path.endswith(("/test", "/read", "/readings/export", "/derived/preview")), (
                    f"{method} {path}: {answer.text}"
                )


def test_the_trail_exported_over_http_is_verified_by_the_command_line(
    server: Server, client: httpx.Client, tmp_path: Path
) -> None:
    client.post("/buildings", json={"name": f"=HYPERLINK {uuid4()}"})
    until(lambda: client.get("/audit/chain").json()["unsealed"] == 0)
    with client.stream("GET", "/audit/export", params={"format": "csv"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        content = answer.read()
    cells = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert_verified(server, tmp_path / "audit.csv", content)


def test_the_trail_exported_by_the_command_line_is_verified_by_it(server: Server, tmp_path: Path) -> None:
    made = server.twin("audit", "export", "--from", "2020-01-01", "--to", "2100-01-01T00:00:00Z")
    assert made.returncode == 0, made.stderr
    last = json.loads(made.stdout.splitlines()[-1])
    assert (last["actor"], last["action"]) == ("cli", "audit.export") and last["credential"].startswith("os:")
    assert_verified(server, tmp_path / "audit.jsonl", made.stdout.encode())
    assert server.twin("audit", "export", "--from", "yesterday").returncode == 2


def assert_verified(server: Server, file: Path, content: bytes) -> None:
    """The file is intact, and no longer when a word in it is another."""
    file.write_bytes(content)
    good = server.twin("audit", "verify", str(file), "--json")
    assert good.returncode == 0, good.stdout + good.stderr
    report = json.loads(good.stdout)
    assert report["ok"] and report["first"] == 1 and report["entries"] == report["last"]

    file.write_bytes(content.replace(b"key.write", b"key.wrote", 1))
    bad = server.twin("audit", "verify", str(file))
    assert bad.returncode == 1 and "edited" in bad.stderr and "NOT intact" in bad.stdout


def test_a_selection_is_exported_by_the_filters_of_the_search(client: httpx.Client, tmp_path: Path) -> None:
    name = f"Chosen {uuid4()}"
    building = client.post("/buildings", json={"name": name}).json()["id"]
    until(lambda: client.get("/audit/chain").json()["unsealed"] == 0)
    answer = client.get("/audit/export", params={"object": f"building:{building}"})
    (line,) = answer.text.splitlines()
    assert json.loads(json.loads(line)["after"])["name"] == name
    (entry,) = client.get("/audit", params={"action": "audit.export", "limit": 1}).json()["items"]
    assert entry["after"]["object"] == f"building:{building}"


def test_the_trail_is_verified_as_a_job_and_on_the_command_line(server: Server, client: httpx.Client) -> None:
    job = client.post("/audit/verify").json()
    done = until(lambda: (found := client.get(f"/jobs/{job['id']}").json())["state"] == "done" and found, 60)
    assert done["result"]["ok"], done["result"]
    chain = client.get("/audit/chain").json()
    assert chain["verified"]["ok"] and chain["intact"] and chain["seq"] >= done["result"]["entries"]
    checked = server.twin("audit", "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.endswith("intact\n")


def test_pages_of_the_trail_neither_repeat_nor_skip(client: httpx.Client) -> None:
    client.post("/buildings", json={"name": f"Paged {uuid4()}"})
    wanted: dict[str, str | int] = {"action": "building.", "limit": 2}
    seen: list[tuple[datetime, int]] = []
    page = client.get("/audit", params=wanted).json()
    for _ in range(3):
        seen += [(datetime.fromisoformat(entry["at"]), entry["id"]) for entry in page["items"]]
        if not page["next"]:
            break
        page = client.get("/audit", params={**wanted, "cursor": page["next"]}).json()
    assert seen == sorted(set(seen), reverse=True)


def test_every_answer_has_a_number_of_its_own_also_those_to_errors(client: httpx.Client) -> None:
    answers = [client.get("/health"), client.get("/nowhere"), client.get("/health", headers={"host": "["})]
    answers.append(client.get("/health", headers={"x-request-id": "mine"}))
    numbers = {each.headers["x-request-id"] for each in answers}
    assert len(numbers) == len(answers) and "mine" not in numbers
