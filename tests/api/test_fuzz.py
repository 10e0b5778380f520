"""Figure S4: schemathesis over the whole OpenAPI, as an administrator and as a key that is limited to one building.

Every operation gets values from its schema, and with them what breaks programs: NUL, half surrogates, numbers out of
range, times that no calendar has. No answer is a 5xx, every answer is one that the document declares.

`make test` tries a few per operation, the same every time; `make drill` many, at random.
"""

import json
import os
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from tests.api.conftest import served
from tests.conftest import Cluster
from tests.serving import Server
from twin.page import encode_cursor

SCHEMA = schemathesis.openapi.from_dict(create_app(None).openapi())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW, MANY = 3, int(os.environ.get("TWIN_TEST_FUZZ", "150"))
AT_ONCE = 6  # operations tried side by side: most of a small request is waiting


# What breaks programs. Strings go into paths, queries and bodies, the rest into bodies.
TEXTS = [
    "\0", "a\0b", "\ud800", "\u202e", "💥" * 3000, "9" * 400, "-1", "1e400", "NaN", "Infinity", "%s%n", "'; --", "..",
    "../../etc/passwd", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00", str(UUID(int=0)), "W10", "bnVsbA",
    urlsafe_b64encode(b"[" * 9000).decode(),
    encode_cursor("\0"), encode_cursor(10**30), encode_cursor("x", "\0"), encode_cursor(1, 2),
    encode_cursor(None, 1, "x"),
]  # fmt: skip
VALUES = [
    *TEXTS,
    None,
    True,
    -1,
    2**31,
    2**63,
    10**400,
    float("inf"),
    float("nan"),
    1e308,
    [],
    {},
    [None],
    [["\0"]],
    {"\0": 1},
]


class Caller:
    """Calls with one key; fills ids of what really is there into every other path, so that calls get beyond 404."""

    def __init__(self, server: Server, key: str, known: dict[str, str]) -> None:
        self.address, self.key, self.known = server.address.rstrip("/"), key, known
        self.of_thread = threading.local()
        self.sessions: list[requests.Session] = []

    @property
    def session(self) -> requests.Session:
        """The connection of this thread."""
        if not hasattr(self.of_thread, "session"):
            self.of_thread.session = requests.Session()
            self.of_thread.session.headers["authorization"] = f"Bearer {self.key}"
            self.sessions.append(self.of_thread.session)
        found: requests.Session = self.of_thread.session
        return found

    def close(self) -> None:
        for session in self.sessions:
            session.close()

    def check(self, case: Any, turn: int) -> None:
        if turn % 2:
            for name in case.path_parameters or {}:
                if name in self.known:
                    case.path_parameters[name] = self.known[name]
        response = case.call(base_url=self.address, session=self.session, timeout=60)
        case.validate_response(response, checks=CHECKS)

    def attack(self, case: Any, step: int, turn: int) -> list[str]:
        """Put each `step`th hostile value in the place of each part of a good request; return what went wrong.

        `turn`: the value to begin with.
        """
        wrong = []
        path = {name: self.known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        query = {each["name"]: None for each in case.operation.definition.raw.get("parameters", [])
                 if each["in"] == "query"}  # fmt: skip
        query |= {name: self.known[name] for name in query if name in self.known}
        body = case.body if isinstance(case.body, dict) and case.media_type == "application/json" else {}
        for place, part in (("ids", path), ("query", query), ("body", body)):
            for name in part:
                for value in (VALUES if place == "body" else TEXTS)[turn % step :: step]:
                    parts = {"ids": path, "query": query, "body": body} | {place: {**part, name: value}}
                    status = self.send(case.method, case.path, **parts)
                    if status >= 500:
                        wrong.append(f"{case.method} {case.path} {place} {name} = {value!r:.60}: {status}")
                turn += 1
        return wrong

    def send(self, method: str, path: str, *, ids: dict[str, Any], query: dict[str, Any], body: dict[str, Any]) -> int:
        quoted = {name: quote(str(value).encode("utf-8", "surrogatepass"), "") for name, value in ids.items()}
        words = [
            f"{name}={quote(v.encode('utf-8', 'surrogatepass'), '')}" for name, v in query.items() if v is not None
        ]
        url = f"{self.address}{path.format(**quoted)}?{'&'.join(words)}"
        content = json.dumps(body).encode() if body else None
        headers = {"content-type": "application/json"} if body else {}
        try:
            return self.session.request(method, url, data=content, headers=headers, timeout=60).status_code
        except requests.RequestException:
            return 599  # an answer that began and broke off


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: what is tried here, policies for all readings too, may come true."""
    with served(cluster, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def known(server: Server) -> dict[str, str]:
    """A little of everything, and what it is called in paths."""
    with server.client() as client:
        name = f"Fuzz {uuid4()}"
        building = made(client.post("/buildings", json={"name": name}))
        point = {"key": f"fuzz.{uuid4().hex}", "name": "Fuzz", "building": name, "kind": "number", "unit": "DEG_C"}
        found = {"building": building["id"], "point": made(client.post("/points", json=point))["id"]}
        rule = {"name": "Hot", "point": point["key"], "kind": "high", "limit": 80, "severity": "high"}
        found["rule"] = made(client.post("/alarm-rules", json=rule))["id"]
    return found


def made(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def administrator(server: Server, known: dict[str, str]) -> Iterator[Caller]:
    caller = Caller(server, server.key, known)
    yield caller
    caller.close()


@pytest.fixture(scope="module")
def limited(server: Server, known: dict[str, str]) -> Iterator[Caller]:
    with server.client() as client:
        body = {"name": f"limited {uuid4()}", "role": "facility_engineer", "buildings": [known["building"]]}
        caller = Caller(server, made(client.post("/api-keys", json=body))["secret"], known)
    yield caller
    caller.close()


def cases(examples: int, *, same: bool) -> list[list[Any]]:
    """So many cases of each operation; `same`: every time the same ones.

    Made one after the other: hypothesis looks into source code, and Python's parser is not safe in threads.
    """
    made: list[list[Any]] = []
    for result in SCHEMA.get_all_operations():
        assert isinstance(result, Ok), result
        made.append([])

        @settings(
            max_examples=examples,
            derandomize=same,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=result.ok().as_strategy())
        def collect(case: Any) -> None:
            made[-1].append(case)

        collect()
    return made


def on_every_operation(do: Callable[[int, list[Any]], list[str]], made: list[list[Any]]) -> None:
    """Call `do` with a number and the cases of each operation, several at once; fail with all that it found."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [text for texts in pool.map(do, range(len(made)), made) for text in texts]
    assert not found, "\n\n".join(found)


def check_everything(caller: Caller, examples: int, *, same: bool) -> None:
    """Try so many cases per operation."""

    def check(number: int, of_operation: list[Any]) -> list[str]:
        wrong = []
        for turn, case in enumerate(of_operation, number):
            try:
                caller.check(case, turn)
            except Exception as error:
                wrong.append(f"{case.method} {case.path}: {error!r:.1500}")
        return wrong

    on_every_operation(check, cases(examples, same=same))


def test_an_administrator_gets_no_server_error(administrator: Caller) -> None:
    check_everything(administrator, FEW, same=True)


def test_a_limited_key_gets_no_server_error(limited: Caller) -> None:
    check_everything(limited, FEW, same=True)


def attack_everything(caller: Caller, step: int) -> None:
    def attack(number: int, of_operation: list[Any]) -> list[str]:
        return [text for case in of_operation for text in caller.attack(case, step, number)]

    on_every_operation(attack, cases(1, same=True))


def test_hostile_values_anywhere_are_no_server_error(administrator: Caller) -> None:
    attack_everything(administrator, 13)


@pytest.mark.drill
def test_every_hostile_value_anywhere_is_no_server_error(administrator: Caller, limited: Caller) -> None:
    attack_everything(administrator, 1)
    attack_everything(limited, 1)


@pytest.mark.drill
def test_an_administrator_gets_no_server_error_in_the_long_run(administrator: Caller) -> None:
    check_everything(administrator, MANY, same=False)


@pytest.mark.drill
def test_a_limited_key_gets_no_server_error_in_the_long_run(limited: Caller) -> None:
    check_everything(limited, MANY, same=False)
