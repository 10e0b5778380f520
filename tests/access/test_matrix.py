"""S1: every route × every role × {anonymous, own building, foreign building}, made from the routers themselves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from api.app import Twin, create_app, open_twin
from api.route import SESSION_COOKIE
from identity import ROLES, sessions
from identity.permissions import PERMISSIONS
from identity.sessions import Origin
from tests.access import world
from tests.access.requests import API, Route, request_of, routes
from tests.access.world import Building, RolledBack
from tests.conftest import Cluster
from twin.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERY = list(routes())
WHOLE_SERVER = {"POST /sites", "POST /buildings"}
"""What they make lies in no building: a caller with one building may not."""
ONE_BY_ONE = {"POST /readings"}
"""They answer for each part of the body on its own."""


class Matrix:
    """The application in this process on a database where nothing stays, and a session for every kind of caller."""

    def __init__(self, twin: Twin, own: Building, foreign: Building, others: dict[str, Any]) -> None:
        self.own, self.foreign, self.others = own, foreign, others
        self.app = create_app(replace(twin, db=RolledBack(twin.db)))
        self.clients: dict[str, httpx.AsyncClient] = {"anonymous": self._client()}

    def _client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=f"http://localhost{API}", headers=headers)

    def add(self, name: str, token: str, csrf: str) -> None:
        self.clients[name] = self._client(cookie=f"{SESSION_COOKIE}={token}", **{"x-csrf-token": csrf})

    async def call(self, caller: str, route: Route, place: Building) -> httpx.Response:
        return await self.clients[caller].request(**request_of(route, place, self.others))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """A limited and an unlimited account of every built-in role, two furnished buildings."""
    database = f"matrix_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database, "template_twin")
    rates = dict.fromkeys(("rate_account", "rate_anonymous", "rate_guesses", "rate_expensive"), 10**9)
    settings = Settings(data=tmp_path_factory.mktemp("matrix"), database=cluster.url(database), worker=False, **rates)  # type: ignore[arg-type]
    async with open_twin(settings) as twin:
        async with twin.db.transaction() as conn:
            own = await world.build(conn, twin.blobs, "Ownbuilding")
            foreign = await world.build(conn, twin.blobs, "Foreignbuilding")
            victim = await world.account(conn, "somebody", "crew")
            others = {"account": victim, "role": "crew", "provider": "none", "session_id": victim}
            others |= {"key_id": victim, "key": victim, "grant": victim, "user": "somebody", "policy": victim}
            made = Matrix(twin, own, foreign, others)
            for role in ROLES:
                for name, places in ((role, [("building", own.id)]), (f"{role} everywhere", [])):
                    holder = await world.account(conn, name.replace(" ", "."), role, *places)  # type: ignore[arg-type]
                    session, token = await sessions.create_session(
                        conn, holder, Origin(None), method="password", settings=settings, now=twin.clock.now()
                    )
                    made.add(name, token, session.csrf_token)
        yield made
        for client in made.clients.values():
            await client.aclose()
    cluster.execute("DROP DATABASE {} WITH (FORCE)", database)


def about(route: Route, caller: str, answer: httpx.Response) -> str:
    return f"{route} as {caller}: {answer.status_code} {answer.text[:300]}"


@pytest.mark.clause("6.2.1b")
async def test_without_credentials_only_the_public_routes_answer(matrix: Matrix) -> None:
    for route in EVERY:
        answer = await matrix.call("anonymous", route, matrix.own)
        if not route.access.public:
            assert answer.status_code == 401, about(route, "anonymous", answer)
            assert answer.json()["code"] == "session.missing"


@pytest.mark.clause("6.2.1b")
@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_in_its_building_what_it_declares(matrix: Matrix, role: str) -> None:
    for route in EVERY:
        if route.access.public:
            continue
        answer = await matrix.call(role, route, matrix.own)
        permission, code = route.access.permission, answer.status_code
        if permission is not None and (permission not in ROLES[role] or not PERMISSIONS[permission].scoped):
            assert (code, answer.json()["code"]) == (403, "permission.missing"), about(route, role, answer)
        elif str(route) in WHOLE_SERVER:
            assert (code, answer.json()["code"]) == (403, "scope.outside"), about(route, role, answer)
        else:
            _allowed(route, role, answer)
            told = {mark for mark in matrix.foreign.marks if mark in answer.text}
            assert not told, f"{route} as {role} tells of another building: {answer.text}"


def _allowed(route: Route, caller: str, answer: httpx.Response) -> None:
    """The gate let it through; what the act itself says against it (a state, a rule) is not asked here."""
    if str(route) == "DELETE /session":
        assert answer.status_code == 204
        return
    fine = answer.is_success or answer.status_code in (409, 422) or _about_oneself(route, answer)
    assert fine, about(route, caller, answer)
    if answer.status_code == 422:
        assert answer.json()["code"] != "request.invalid", "the request is malformed: " + about(route, caller, answer)


def _about_oneself(route: Route, answer: httpx.Response) -> bool:
    """Routes of one's own account refuse what one does not have: a password, a second factor, that session."""
    return route.access.permission is None and answer.json()["code"] not in ("permission.missing", "session.missing")


@pytest.mark.clause("9.1.3-1")
@pytest.mark.parametrize("role", ROLES)
async def test_what_lies_in_another_building_is_not_there(matrix: Matrix, role: str) -> None:
    asked = 0
    for route in EVERY:
        permission = route.access.permission
        if permission is None or not route.scoped or permission not in ROLES[role] or not route.names_a_place:
            continue
        answer = await matrix.call(role, route, matrix.foreign)
        asked += 1
        if str(route) in ONE_BY_ONE:
            found = answer.json()
            assert (found["accepted"], found["rejected"][0]["code"]) == (0, "reading.unknown_point"), found
        else:
            # A name in the body that means nothing is 422 with some routes; it must not matter why it means nothing.
            unknown = answer.status_code == 422 and answer.json()["code"].endswith("unknown")
            assert answer.status_code == 404 or unknown, about(route, role, answer)
            sent = request_of(route, matrix.foreign, matrix.others)
            told = {mark for mark in matrix.foreign.marks if mark in answer.text and mark not in str(sent)}
            assert not told, f"{route} as {role} tells {told}: {answer.text}"
    assert asked > 20


@pytest.mark.parametrize("role", ROLES)
async def test_permissions_of_the_whole_server_come_with_unlimited_grants(matrix: Matrix, role: str) -> None:
    for route in EVERY:
        permission = route.access.permission
        if permission is None or route.scoped:
            continue
        answer = await matrix.call(f"{role} everywhere", route, matrix.own)
        if permission in ROLES[role]:
            assert answer.status_code not in (401, 500), about(route, role, answer)
            assert answer.status_code != 403 or answer.json()["code"] != "permission.missing", about(
                route, role, answer
            )
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "permission.missing"), about(
                route, role, answer
            )
