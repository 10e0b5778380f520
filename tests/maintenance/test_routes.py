"""The maintenance routes over HTTP: the story of issue 2, from a reading to a verified work order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.app import Twin, create_app, open_twin
from identity import keys
from identity.actor import CLI
from tests.maintenance.conftest import World, build
from twin.settings import Settings


@pytest.fixture
async def twin(settings: Settings) -> AsyncIterator[Twin]:
    async with open_twin(settings) as made:
        yield made


@pytest.fixture
async def place(twin: Twin) -> World:
    async with twin.db.transaction() as conn:
        return await build(conn)


async def caller(twin: Twin, role: str) -> httpx.AsyncClient:
    async with twin.db.transaction() as conn:
        _, secret = await keys.create_key(conn, role, role, created_by=CLI)
    transport = httpx.ASGITransport(create_app(twin))
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1", headers=headers)


@pytest.fixture
async def client(twin: Twin, place: World) -> AsyncIterator[httpx.AsyncClient]:
    async with await caller(twin, "administrator") as made:
        yield made


async def done(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json() if response.content else None


async def alarms_of(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await done(await client.get("/alarms", params={"building": "Tower", **query})))[
        "items"
    ]
    return found


async def wait_for_alarm(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not (found := await alarms_of(client, **query)):
            await asyncio.sleep(0.05)
    return found[0]


def reading(value: float, ago: float = 0.0) -> dict[str, Any]:
    ts = datetime.now(UTC) - timedelta(seconds=ago)
    return {"readings": [{"point": "b1.pump.temp", "ts": ts.isoformat(), "value": value}]}


RULE = {"name": "Hot", "point": "b1.pump.temp", "kind": "high", "limit": 80, "severity": "high"}


@pytest.mark.clause("6.4.3c")
@pytest.mark.clause("7.7.1a-1")
async def test_from_a_reading_to_a_verified_order(client: httpx.AsyncClient, place: World) -> None:
    rule = await done(await client.post("/alarm-rules", json=RULE))
    assert (rule["deadband"], rule["on_delay"]) == (0, 0)
    await done(await client.post("/readings", json=reading(95, ago=5)))
    alarm = await wait_for_alarm(client, state="unacked")
    assert alarm["global_id"] == "2element00000000000002"
    acked = await done(await client.post(f"/alarms/{alarm['id']}/ack", json={"comment": ""}))
    assert (acked["state"], acked["acked_by"]) == ("acked", "key:administrator")
    order = await done(await client.post(f"/alarms/{alarm['id']}/work-order"))
    for act, body in [("assign", {"assignee": "li"}), ("start", {}), ("done", {"result": "cleaned"}), ("verify", {})]:
        order = await done(await client.post(f"/work-orders/{order['id']}/{act}", json=body))
    assert (order["state"], order["acts"], order["result"]) == ("verified", ["comment"], "cleaned")
    assert [each["kind"] for each in order["history"]] == ["created", "assigned", "started", "done", "verified"]
    await done(await client.post("/readings", json=reading(20)))
    await wait_for_alarm(client, state="closed")
    detail = await done(await client.get(f"/alarms/{alarm['id']}"))
    assert [each["kind"] for each in detail["history"]] == [
        "raised",
        "acknowledged",
        "work_order",
        "comment",
        "returned",
        "closed",
    ]
    assert detail["location"]["space_name"] == "Pump room"
    assert detail["work_order_id"] == order["id"]


async def test_a_rule_is_changed_tried_and_deleted(client: httpx.AsyncClient) -> None:
    rule = await done(await client.post("/alarm-rules", json={**RULE, "on_delay": 2.5}))
    rule = await done(await client.patch(f"/alarm-rules/{rule['id']}", json={"limit": 90, "name": None}))
    assert (rule["limit"], rule["name"], rule["on_delay"]) == (90, "Hot", 2.5)
    await done(await client.post("/readings", json=reading(95, ago=60)))
    await done(await client.post("/readings", json=reading(10, ago=30)))
    tried = await done(await client.post(f"/alarm-rules/{rule['id']}/test"))
    assert (tried["readings"], len(tried["episodes"])) == (2, 1)
    await done(await client.delete(f"/alarm-rules/{rule['id']}"))
    assert (await client.get(f"/alarm-rules/{rule['id']}")).status_code == 404
    assert (await done(await client.get("/alarm-rules")))["items"] == []


@pytest.mark.clause("6.4.3e")
async def test_a_plan_shows_what_is_due_and_makes_its_orders(client: httpx.AsyncClient, place: World) -> None:
    starts_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    body = {"building": "Tower", "name": "Round", "rrule": "FREQ=DAILY", "starts_at": starts_at.isoformat()}
    plan = await done(await client.post("/plans", json={**body, "system": "Domestic water", "crew": "crew"}))
    assert plan["target_name"] == "Domestic water"
    async with asyncio.timeout(20):
        while not (orders := (await done(await client.get("/work-orders", params={"plan": plan["id"]})))["items"]):
            await asyncio.sleep(0.1)
    assert {order["element_id"] for order in orders} == {str(place.pump), str(place.valve)}
    window = {"from": starts_at.isoformat(), "to": (starts_at + timedelta(days=2)).isoformat()}
    due = (await done(await client.get("/plans/due", params={"building": "Tower", **window})))["items"]
    assert [(each["state"], len(each["elements"])) for each in due] == [("made", 2), ("planned", 2)]
    told = (await done(await client.get(f"/plans/{plan['id']}/occurrences", params=window)))["items"]
    assert [each["state"] for each in told] == ["made", "planned"]
    plan = await done(await client.patch(f"/plans/{plan['id']}", json={"enabled": False}))
    assert plan["enabled"] is False
    await done(await client.delete(f"/plans/{plan['id']}"))
    assert (await done(await client.get("/plans")))["items"] == []


async def test_a_crew_sees_its_notifications_and_works_on_its_orders(
    client: httpx.AsyncClient, twin: Twin, place: World
) -> None:
    order = {"building": "Tower", "title": "Look", "element": "2element00000000000003", "crew": "crew"}
    order = await done(await client.post("/work-orders", json=order))
    async with await caller(twin, "crew") as crew:
        (told,) = (await done(await crew.get("/notifications", params={"unread": True})))["items"]
        assert told["work_order_id"] == order["id"]
        assert (await done(await crew.post("/notifications/read")))["count"] == 1
        assert (await done(await crew.get("/notifications", params={"unread": True})))["items"] == []
        for act, status in [("verify", 403), ("cancel", 403), ("done", 409), ("start", 200), ("done", 200)]:
            assert (await crew.post(f"/work-orders/{order['id']}/{act}")).status_code == status
        assert (await crew.post("/alarm-rules", json=RULE)).status_code == 403


BAD: list[tuple[str, str, dict[str, Any] | None, int, str]] = [
    ("GET", "/alarms?state=loud", None, 422, "maintenance.choice"),
    ("GET", "/alarms?cursor=x", None, 422, "cursor.invalid"),
    ("GET", "/alarms?building=Nowhere", None, 404, "building.unknown"),
    ("POST", "/alarms/00000000-0000-0000-0000-000000000000/ack", None, 404, "alarm.unknown"),
    ("POST", "/alarm-rules", {**RULE, "point": "no"}, 422, "alarm_rule.point_unknown"),
    ("POST", "/alarm-rules", {**RULE, "deadband": -1}, 422, "alarm_rule.invalid"),
    ("POST", "/alarm-rules", {**RULE, "kind": "sideways"}, 422, "request.invalid"),
    ("POST", "/alarm-rules", {**RULE, "limit": 1e308, "on_delay": 1e308}, 422, "alarm_rule.invalid"),
    ("GET", "/plans/due?building=Tower&from=9999-12-31T00:00:00Z", None, 422, "request.invalid"),
    ("GET", "/alarms?cursor=WyJhIiwiYiJd", None, 422, "request.unusable_value"),
    ("POST", "/work-orders", {"building": "Tower", "title": "a\u0000b"}, 422, "request.unusable_value"),
    ("POST", "/work-orders", {"building": "Tower", "title": " "}, 422, "maintenance.text_length"),
    ("POST", "/work-orders", {"building": "Tower", "title": "x", "element": "nope"}, 404, "element.unknown"),
    ("POST", "/work-orders", {"building": "Tower", "title": "x", "assignee": "nobody"}, 422, "account.not_known"),
    ("POST", "/plans", {"building": "Tower", "name": "x", "rrule": "daily"}, 422, "plan.target"),
    ("POST", "/plans", {"building": "Tower", "name": "x", "rrule": "no", "ifc_class": "IfcPump"}, 422, "plan.rrule"),
]


async def test_bad_input_gets_a_code_and_says_how_to_fix_it(client: httpx.AsyncClient) -> None:
    for method, path, body, status, code in BAD:
        response = await client.request(method, path, json=body)
        assert (response.status_code, response.json()["code"]) == (status, code), (path, response.text)
        assert response.headers["content-type"].startswith("application/problem+json")
        assert response.json()["detail"] != code  # every code has its text
