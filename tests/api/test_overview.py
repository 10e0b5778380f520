"""The owner's numbers over HTTP: use beside last year and the quota, mains and what stands behind them, opinions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import networkx
import pytest

from api.consumption import mains_and_leaves, state_of
from spatial.flow import FlowGraph, Join
from spatial.flow_rows import Flows
from telemetry.consumption import Meter
from tests.serving import Server

ZONE = ZoneInfo("Asia/Shanghai")
LAST_YEAR, THIS_YEAR = 10.0, 12.0  # kWh a day


def total(at: datetime, turn: datetime) -> float:
    """What the main meter shows: so much a day, and more from the turn of the year on."""
    days = (at - turn) / timedelta(days=1)
    return 5000 + (THIS_YEAR if days > 0 else LAST_YEAR) * days


@pytest.fixture(scope="module")
def building(server: Server) -> str:
    """A building with a main meter that has counted since before last year, one behind it, and one of water."""
    now = datetime.now(UTC)
    turn = datetime(now.astimezone(ZONE).year, 1, 1, tzinfo=ZONE).astimezone(UTC)
    with server.client() as client:
        made = client.post("/buildings", json={"name": "Metered"}).raise_for_status().json()["id"]
        for key, unit, brick, meter in (
            ("metered.main", "KiloW-HR", "Energy_Sensor", "main"),
            ("metered.flat", "KiloW-HR", "Energy_Sensor", "sub"),
            ("metered.water", "L", "Water_Usage_Sensor", None),
        ):
            about = {"key": key, "name": key, "building": made, "kind": "number", "unit": unit, "brick_class": brick}
            client.post("/points", json=about | {"properties": {"meter": meter}}).raise_for_status()
        days = [turn + timedelta(days=n) for n in range(-367, (now - turn).days + 1)]
        readings = [
            {"point": "metered.main", "ts": at.isoformat(), "value": total(at, turn)}
            for at in [*days, now]
            if at <= now
        ]
        readings += [{"point": "metered.flat", "ts": at.isoformat(), "value": 1.0} for at in days[-2:]]
        readings += [
            {"point": "metered.water", "ts": (now - timedelta(hours=n)).isoformat(), "value": 9000.0 - n}
            for n in range(3, -1, -1)
        ]
        told = client.post("/readings", json={"readings": readings}).raise_for_status().json()
        assert told["rejected"] == []
    return str(made)


def use_of(client: httpx.Client, building: str, medium: str) -> dict[str, Any]:
    told = client.get(f"/buildings/{building}/consumption").raise_for_status().json()
    return next(use for use in told["media"] if use["medium"] == medium)


@pytest.mark.clause("8.4.8b-1")
@pytest.mark.clause("8.4.8c")
def test_use_is_told_beside_last_year_and_the_quota(client: httpx.Client, building: str) -> None:
    use = use_of(client, building, "electricity")
    assert (use["meters"], use["measured"], use["unit"]) == (1, "supply", "KiloW-HR")
    here = datetime.now(ZONE)
    month_days = (here - here.replace(day=1, hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)
    assert use["month"]["amount"] == pytest.approx(THIS_YEAR * month_days, abs=0.1)
    assert use["month"]["before"] == pytest.approx(LAST_YEAR * month_days, abs=10.1), "29 February may be missing"
    assert use["month"]["complete"] and use["month"]["quota"] is None and use["month"]["state"] is None
    assert [(one["year"], one["month"]) for one in use["months"]][-1] == (here.year, here.month)
    assert len({(one["year"], one["month"]) for one in use["months"]}) == 12
    water = use_of(client, building, "water")
    assert water["unit"] == "M3" and water["month"]["before"] is None, "nothing is made up for last year"
    assert water["month"]["amount"] <= 0.003 + 1e-9, "litres are told as cubic metres"

    wish = {"medium": "electricity", "year": here.year, "months": [1.0] * 12}
    put = client.put(f"/buildings/{building}/quotas", json=wish)
    assert put.json()["items"] == [
        {"medium": "electricity", "unit": "KiloW-HR", "year": here.year, "months": [1.0] * 12}
    ]
    use = use_of(client, building, "electricity")
    assert use["month"]["quota"] == 1.0 and use["year"]["quota"] == 12.0
    assert use["month"]["state"] == ("over" if use["month"]["amount"] > 1 else use["month"]["state"])
    later = client.get(f"/buildings/{building}/quotas", params={"year": here.year + 3}).json()["items"]
    assert later == put.json()["items"], "a year without its own keeps those of the year before"
    client.put(f"/buildings/{building}/quotas", json=wish | {"months": [None] * 12}).raise_for_status()
    assert client.get(f"/buildings/{building}/quotas").json()["items"] == []
    for bad in ({"months": [1.0] * 11}, {"months": [0.0] * 12}, {"medium": "steam"}, {"year": 1999}):
        assert client.put(f"/buildings/{building}/quotas", json=wish | bad).status_code == 422, bad


@pytest.mark.clause("7.2.4c")
def test_finished_work_gets_stars_once_from_each_account(client: httpx.Client, building: str) -> None:
    order = (
        client.post("/work-orders", json={"building": building, "title": "Fix the tap"}).raise_for_status().json()["id"]
    )
    early = client.put(f"/work-orders/{order}/rating", json={"stars": 5})
    assert (early.status_code, early.json()["code"]) == (409, "work_order.rating_early")
    for act in ("start", "done"):
        client.post(f"/work-orders/{order}/{act}", json={}).raise_for_status()
    client.put(f"/work-orders/{order}/rating", json={"stars": 2}).raise_for_status()
    client.put(f"/work-orders/{order}/rating", json={"stars": 4, "comment": "Quick"}).raise_for_status()
    (said,) = client.get(f"/work-orders/{order}/ratings").json()["items"]
    assert (said["stars"], said["comment"]) == (4, "Quick"), "the last word counts"
    told = client.get(f"/buildings/{building}/overview").json()
    assert told["service"] == {"timed": 1, "in_time": 1, "ratings": 1, "stars": 4.0}
    assert client.put(f"/work-orders/{order}/rating", json={"stars": 6}).status_code == 422


@pytest.mark.clause("7.3.3a-1")
def test_what_the_model_lacks_is_said_plainly(client: httpx.Client, building: str) -> None:
    told = client.get(f"/buildings/{building}/overview").json()
    assert told["safety"] == {"fire": {"devices": 0, "points": 0, "speaking": 0, "alarms": 0}, "lifts": [], "spots": []}
    picture = client.get(f"/buildings/{building}/picture")
    assert picture.json() == {"storeys": [], "rooms": []}
    again = client.get(f"/buildings/{building}/picture", headers={"if-none-match": picture.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def meter(number: int, said: str | None = None) -> Meter:
    return Meter(number, f"m{number}", f"m{number}", "electricity", 1.0, UUID(int=number), None, said)


def flows_of(*feeds: tuple[int, int]) -> Flows:
    graph = FlowGraph([Join(one, other) for one, other in feeds], [])
    assert isinstance(graph.graph, networkx.DiGraph)
    ids = [UUID(int=n) for n in range(10)]
    numbers = {id: n for n, id in enumerate(ids)}
    nothing: Any = frozenset()
    return Flows(graph, ids, numbers, nothing, nothing, [], [], [], {}, [])


def test_meters_behind_another_are_not_added_again() -> None:
    one, _, three, four = meters = [meter(n) for n in (1, 2, 3, 4)]
    tree = flows_of((1, 5), (5, 2), (2, 6), (6, 3))  # 1 feeds 2 feeds 3; 4 stands alone
    assert mains_and_leaves(meters, tree) == ([one, four], [three, four])
    assert mains_and_leaves(meters, flows_of((1, 2), (2, 1))) == (meters, meters), "in a circle nobody is first"
    assert mains_and_leaves(meters, None) == (meters, meters), "nothing is known of what feeds what"
    chosen = [one, meter(2, "main"), meter(3, "sub")]
    assert mains_and_leaves(chosen, tree)[0] == [chosen[1]], "people know better"
    assert mains_and_leaves([one, meter(4, "sub")], None)[0] == [one]


def test_a_quota_is_close_before_it_is_exceeded() -> None:
    assert [state_of(amount, 100) for amount in (95, 95.1, 100, 100.1)] == ["within", "near", "near", "over"]
