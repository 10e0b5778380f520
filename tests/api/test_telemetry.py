"""Points, readings, history and commands as a script speaks to them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

NOW = datetime.now(UTC).replace(microsecond=0)
Make = Callable[..., dict[str, object]]


@pytest.fixture
def building(client: httpx.Client) -> str:
    name = f"Tower {uuid4().hex[:8]}"
    client.post("/buildings", json={"name": name}).raise_for_status()
    return name


@pytest.fixture
def make(client: httpx.Client, building: str) -> Make:
    """Defines points with keys of this test's own."""

    def make_one(name: str = "point", **facts: object) -> dict[str, object]:
        key = f"{uuid4().hex[:8]}.{name}"
        body = {"key": key, "name": name, "building": building, "kind": "number", **facts}
        answer = client.post("/points", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return make_one


def send(client: httpx.Client, *readings: dict[str, object]) -> dict[str, object]:
    answer = client.post("/readings", json={"readings": readings})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def reading(point: dict[str, object], value: object, seconds: float = 0) -> dict[str, object]:
    return {"point": point["key"], "ts": (NOW + timedelta(seconds=seconds)).isoformat(), "value": value}


def test_a_point_is_defined_found_changed_and_retired(client: httpx.Client, building: str, make: Make) -> None:
    point = make(unit="DEG_C")
    assert point["element"] is None
    assert point["quantity"] == "Temperature"
    assert client.get(f"/points/{point['id']}").json() == client.get(f"/points/{point['key']}").json() == point
    assert [each["id"] for each in client.get("/points", params={"building": building}).json()["items"]] == [
        point["id"]
    ]
    changed = client.patch(f"/points/{point['id']}", json={"name": "New", "unit": None, "writable": None}).json()
    assert (changed["name"], changed["unit"], changed["writable"]) == ("New", None, False)
    assert client.patch(f"/points/{point['id']}", json={"retired": True}).json()["retired_at"]
    assert client.get("/points", params={"building": building}).json()["items"] == []
    refused = send(client, reading(point, 1.0))
    assert [each["code"] for each in refused["rejected"]] == ["reading.retired_point"]  # type: ignore[attr-defined]


def test_a_wrong_point_is_refused_with_the_fields_in_the_callers_language(client: httpx.Client, building: str) -> None:
    body = {"key": " k", "name": "", "building": building, "kind": "number", "unit": "degC"}
    answer = client.post("/points", json=body, headers={"accept-language": "zh-CN"})
    assert (answer.status_code, answer.json()["code"]) == (422, "point.invalid")
    assert {each["field"] for each in answer.json()["errors"]} == {"key", "name", "unit"}
    assert any("未知的 QUDT 单位代码" in each["message"] for each in answer.json()["errors"])
    assert client.get("/points/no-such-point").status_code == 404
    assert client.post("/points", json={**body, "building": "nowhere"}).json()["code"] == "building.unknown"


def test_readings_are_answered_with_what_became_of_each(client: httpx.Client, make: Make) -> None:
    point = make()
    unknown = {"point": "nobody", "ts": NOW.isoformat(), "value": 1}
    late = {"point": point["key"], "ts": "2099-01-01T00:00:00Z", "value": 1}
    first = send(client, reading(point, 21.5), unknown, late, reading(point, 22.0, 1))
    assert (first["accepted"], first["duplicate"]) == (2, 0)
    assert [(each["index"], each["code"]) for each in first["rejected"]] == [  # type: ignore[attr-defined]
        (1, "reading.unknown_point"),
        (2, "reading.ahead"),
    ]
    again = send(client, reading(point, 21.5), reading(point, 99.0, 1))
    assert (again["accepted"], again["duplicate"]) == (0, 1)
    assert [each["code"] for each in again["rejected"]] == ["reading.conflict"]  # type: ignore[attr-defined]
    latest = client.get(f"/points/{point['id']}").json()["latest"]
    assert (latest["value"], latest["quality"]) == (22.0, "good")
    kept = client.get("/quarantine", params={"limit": 3}).json()["items"]
    assert [each["code"] for each in kept] == ["reading.conflict", "reading.ahead", "reading.unknown_point"]
    assert kept[0]["source"] == "key:test"


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "readings.not_json"), (b"[1]", "readings.body"), (b'{"readings": {}}', "readings.body")],
)
def test_a_body_without_readings_is_refused(client: httpx.Client, body: bytes, code: str) -> None:
    answer = client.post("/readings", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_nan_costs_only_its_own_reading(client: httpx.Client, make: Make) -> None:
    point = make()
    text = f'{{"readings": [{{"point": "{point["key"]}", "ts": "{NOW.isoformat()}", "value": NaN}},'
    text += f'{{"point": "{point["key"]}", "ts": "{NOW.isoformat()}", "value": 1}}]}}'
    answer = client.post("/readings", content=text.encode()).json()
    assert (answer["accepted"], [each["code"] for each in answer["rejected"]]) == (1, ["reading.not_finite"])


def test_history_comes_raw_and_in_buckets(client: httpx.Client, make: Make) -> None:
    point = make()
    start = NOW.replace(minute=0, second=0) - timedelta(hours=2)
    minutes = [reading(point, float(n)) | {"ts": (start + timedelta(minutes=n)).isoformat()} for n in range(20)]
    assert send(client, *minutes)["accepted"] == 20
    path = f"/points/{point['id']}/readings"
    span = {"from": start.isoformat(), "to": (start + timedelta(minutes=20)).isoformat()}
    page = client.get(path, params={**span, "limit": 15}).json()
    rest = client.get(path, params={**span, "limit": 15, "cursor": page["next"]}).json()
    assert [each["value"] for each in page["items"] + rest["items"]] == [float(n) for n in range(20)]
    assert set(page["items"][0]) == {"ts", "value", "quality"}
    buckets = client.get(path, params={**span, "bucket": "5m", "agg": "mean,min,max,count"}).json()["items"]
    assert [each["mean"] for each in buckets] == [2.0, 7.0, 12.0, 17.0]
    assert [each["count"] for each in buckets] == [5, 5, 5, 5]
    assert datetime.fromisoformat(buckets[0]["ts"]) == start
    assert client.get(path, params={**span, "bucket": "auto"}).json()["bucket"] == "5s"
    assert len(client.get(path, params={"bucket": "1h"}).json()["items"]) == 1, "without from and to: the last day"
    newest = client.get(path, params={"order": "desc", "limit": 1}).json()["items"]
    assert [each["value"] for each in newest] == [19.0]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from": "yesterday"}, "history.time"), ({"from": "2026-01-01T00:00:00"}, "history.time"),
        ({"bucket": "7m"}, "history.bucket"), ({"bucket": "5m", "agg": "median"}, "history.aggregate"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "history.range"),
        ({"from": "2000-01-01T00:00:00Z", "bucket": "1s"}, "history.too_many_buckets"),
        ({"cursor": "rubbish"}, "cursor.invalid"), ({"from": "9999-12-31T23:59:59Z"}, "history.time"),
    ],
)  # fmt: skip
def test_a_range_that_makes_no_sense_is_refused(
    client: httpx.Client, make: Make, params: dict[str, str], code: str
) -> None:
    answer = client.get(f"/points/{make()['id']}/readings", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_offset_whose_plus_was_not_encoded_is_understood(client: httpx.Client, make: Make) -> None:
    point = make()
    assert client.get(f"/points/{point['id']}/readings?from=2026-01-01T00:00:00+08:00").status_code == 200


def test_the_newest_reading_of_each_point_of_a_building(client: httpx.Client, building: str, make: Make) -> None:
    points = [make(name, kind=kind) for name, kind in (("a", "number"), ("b", "bool"), ("c", "text"))]
    values = [1.5, True, "ok"]
    send(client, *(reading(point, value) for point, value in zip(points, values, strict=True)))
    items = client.get("/readings/latest", params={"building": building}).json()["items"]
    assert {each["point"]: each["value"] for each in items} == {
        point["key"]: value for point, value in zip(points, values, strict=True)
    }


def test_a_source_shows_what_it_brought_and_that_it_is_online(client: httpx.Client, make: Make) -> None:
    send(client, reading(make(), 1.0))
    source = client.get("/sources/key:test").json()
    assert (source["kind"], source["online"]) == ("http", True)
    assert source["accepted"] >= 1
    declared = client.post("/sources", json={"name": f"gateway {uuid4()}"}).json()
    assert (declared["online"], declared["seen_at"]) == (False, None)


def test_a_command_waits_for_something_that_can_set_the_point(client: httpx.Client, make: Make) -> None:
    point = make("setpoint", writable=True, min_value=10, max_value=30)
    answer = client.post(f"/points/{point['id']}/commands", json={"value": 21, "priority": 4, "expires_s": 1})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["state"], answer.json()["value"], answer.json()["priority"]) == ("requested", 21.0, 4)
    assert client.get(f"/commands/{answer.json()['id']}").json()["point"] == point["key"]
    for value, code in ((99, "reading.range"), ("warm", "reading.kind")):
        refused = client.post(f"/points/{point['id']}/commands", json={"value": value})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    fixed = client.post(f"/points/{make()['id']}/commands", json={"value": 1})
    assert (fixed.status_code, fixed.json()["code"]) == (409, "command.not_writable")


def test_without_credentials_nothing_is_told(server: object) -> None:
    anonymous = httpx.Client(base_url=server.api)  # type: ignore[attr-defined]
    with anonymous:
        for path in ("/points", "/readings/latest", "/sources", "/quarantine", "/units"):
            assert anonymous.get(path).status_code == 401
        assert anonymous.post("/readings", json={"readings": []}).status_code == 401
