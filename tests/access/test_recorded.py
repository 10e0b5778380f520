"""Every route that changes something leaves an entry in the audit trail: made from the routers themselves."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from api.app import Twin, create_app, open_twin
from api.route import SAFE_METHODS, SESSION_COOKIE
from identity import sessions
from identity.sessions import Origin
from tests.access import world
from tests.access.requests import API, request_of, routes
from tests.access.world import Building
from tests.conftest import Cluster
from twin.db import Conn, Database, rows
from twin.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHANGING = [each for each in routes() if each.method not in SAFE_METHODS and not each.access.public]
IN_BATCHES = {"POST /readings"}
"""Readings keep their source themselves; who sends them is recorded beside, at most a second later."""
ENTRIES = "SELECT request_id, action, object, result, before, after FROM audit WHERE request_id = %s"


class Observed(Database):
    """The same database, but nothing stays; what a transaction has recorded is read before it is rolled back."""

    def __init__(self, db: Database) -> None:
        super().__init__(db.url, db._pool, db._limited)
        self.recorded: list[dict[str, Any]] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        async with self.connection() as conn, conn.transaction(force_rollback=True):
            yield conn
            # Everything else is rolled back: what is seen here is this transaction's own.
            self.recorded += await rows(conn, ENTRIES.replace("= %s", "IS NOT NULL"))


class Place:
    """The application in this process, a furnished building, and its administrator."""

    def __init__(self, twin: Twin, building: Building, others: dict[str, Any], token: str, csrf: str) -> None:
        self.twin, self.building, self.others = twin, building, others
        self.db = Observed(twin.db)
        transport = httpx.ASGITransport(create_app(replace(twin, db=self.db)))
        headers = {"cookie": f"{SESSION_COOKIE}={token}", "x-csrf-token": csrf}
        self.client = httpx.AsyncClient(transport=transport, base_url=f"http://localhost{API}", headers=headers)

    async def batched(self, number: str) -> list[dict[str, Any]]:
        """The entries of a request that did not come with a change."""
        await self.twin.audit.batch.flush()
        async with self.twin.db.connection() as conn:
            return await rows(conn, ENTRIES, (number,))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    database = f"recorded_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database, "template_twin")
    rates = dict.fromkeys(("rate_account", "rate_anonymous", "rate_guesses", "rate_expensive"), 10**9)
    data = tmp_path_factory.mktemp("recorded")
    settings = Settings(data=data, database=cluster.url(database), worker=False, **rates)  # type: ignore[arg-type]
    async with open_twin(settings) as twin:
        async with twin.db.transaction() as conn:
            building = await world.build(conn, twin.blobs, "Recorded")
            victim = await world.account(conn, "somebody", "crew")
            administrator = await world.account(conn, "boss", "administrator")
            session, token = await sessions.create_session(
                conn, administrator, Origin("192.0.2.7"), method="password", settings=settings, now=twin.clock.now()
            )
        others = {"account": victim, "role": "crew", "provider": "none", "session_id": victim}
        others |= {"key_id": victim, "key": victim, "grant": victim, "user": "somebody", "policy": victim}
        made = Place(twin, building, others, token, session.csrf_token)
        yield made
        await made.client.aclose()
    cluster.execute("DROP DATABASE {} WITH (FORCE)", database)


@pytest.mark.clause("9.1.3-2")
@pytest.mark.clause("6.5.2a")
async def test_every_change_is_recorded_in_its_own_transaction(place: Place) -> None:
    done = 0
    for route in CHANGING:
        place.db.recorded.clear()
        answer = await place.client.request(**request_of(route, place.building, place.others))
        assert answer.status_code < 500, f"{route}: {answer.text}"
        number = answer.headers["x-request-id"]
        entries = [each for each in place.db.recorded if each["request_id"] == number]
        if not answer.is_success:
            entries = await place.batched(number)
            assert [each["result"] for each in entries] in (["failed"], ["refused"]), f"{route}: {entries}"
            assert entries[0]["after"]["code"] == answer.json()["code"]
            continue
        done += 1
        if str(route) in IN_BATCHES:
            entries = await place.batched(number)
        assert entries, f"{route} changed something and recorded nothing"
        assert entries[-1]["result"] == "done"
        for secret in secrets_in(answer):
            assert secret not in json.dumps(entries), f"{route} told a secret to the audit trail"
    assert done > 40


async def test_every_change_that_is_refused_is_recorded(place: Place) -> None:
    for route in CHANGING:
        url = re.sub(r"\{[^}]+\}", str(uuid4()), route.path)
        answer = await place.client.request(route.method, url, headers={"x-csrf-token": "wrong"})
        assert (answer.status_code, answer.json()["code"]) == (403, "session.csrf"), route
        (entry,) = await place.batched(answer.headers["x-request-id"])
        assert (entry["object"], entry["result"]) == (f"path:{url}", "refused")
        assert entry["after"] == {"request": route.method, "code": "session.csrf"}


def secrets_in(answer: httpx.Response) -> list[str]:
    """What an answer shows only once."""
    found = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else {}
    return [each for name in ("secret", "recovery_codes") for each in flat(found.get(name))]


def flat(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
