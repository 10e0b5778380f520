"""Points, readings, history and commands as a script speaks to them."""

import csv
import io
import json
import time
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pyarrow
import pytest
import websockets.exceptions
import websockets.sync.client
from pyarrow import parquet

from tests.serving import Server, wait_for_job

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
        ({"bucket": "0m"}, "history.bucket"), ({"bucket": "5m", "agg": "median"}, "history.aggregate"),
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


def test_a_source_shows_what_it_brought_and_that_it_is_online(client: httpx.Client, server: Server, make: Make) -> None:
    name = f"meters {uuid4().hex[:8]}"
    secret = client.post("/api-keys", json={"name": name, "role": "integration"}).json()["secret"]
    with httpx.Client(base_url=server.api, headers={"authorization": f"Bearer {secret}"}, timeout=60) as meters:
        send(meters, reading(make(), 1.0))
    source = client.get(f"/sources/key:{name}").json()
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


def test_a_building_is_shown_as_it_was_at_a_moment(client: httpx.Client, building: str, make: Make) -> None:
    lamp, hot, silent = make("lamp", kind="bool"), make("hot", unit="DEG_C"), make("silent")
    send(client, reading(lamp, True, -3600), reading(lamp, False, -1800), reading(hot, 20.0, -1900), reading(hot, 30.0))
    send(client, reading(silent, 1.0, -9 * 86_400))
    asked = {"building": building, "ts": (NOW - timedelta(seconds=1850)).isoformat()}
    found = client.get("/readings/at", params=asked).raise_for_status().json()["items"]
    assert {each["point"]: each["value"] for each in found} == {lamp["key"]: True, hot["key"]: 20.0}
    longer = client.get("/readings/at", params={**asked, "lookback": 10}).json()["items"]
    assert {each["point"] for each in longer} == {lamp["key"], hot["key"], silent["key"]}


def test_points_come_side_by_side_in_the_same_buckets(client: httpx.Client, make: Make) -> None:
    one, two = make("one"), make("two", sampling="interpolate")
    start = NOW.replace(minute=0, second=0) - timedelta(hours=6)
    at = (start - NOW).total_seconds()
    send(client, *(reading(one, float(i), at + 3600 * i) for i in range(4)))
    send(client, reading(two, 10.0, at), reading(two, 40.0, at + 3 * 3600))
    asked: dict[str, Any] = {"point": [one["key"], two["id"]], "agg": "mean,count"}
    asked |= {"bucket": "1h", "from": start.isoformat(), "to": (start + timedelta(hours=4)).isoformat()}
    found = client.get("/readings/aligned", params=asked).raise_for_status().json()
    assert len(found["ts"]) == 4
    assert [each["values"]["mean"] for each in found["series"]] == [[0.0, 1.0, 2.0, 3.0], [10.0, None, None, 40.0]]
    filled = client.get("/readings/aligned", params={**asked, "fill": "linear"}).json()
    assert filled["series"][1]["values"] == {
        "mean": [10.0, pytest.approx(25.0), pytest.approx(35.0), 40.0],
        "count": [1, 0, 0, 1],
    }


def test_how_values_are_spread(client: httpx.Client, make: Make) -> None:
    point = make()
    send(client, *(reading(point, float(i), -i) for i in range(101)))
    asked: dict[str, Any] = {"bins": 4, "percentiles": "0,50,95", "from": (NOW - timedelta(hours=1)).isoformat()}
    asked |= {"to": (NOW + timedelta(seconds=1)).isoformat()}
    found = client.get(f"/points/{point['id']}/distribution", params=asked).raise_for_status().json()
    assert (found["count"], found["min"], found["max"], found["mean"]) == (101, 0.0, 100.0, 50.0)
    assert found["percentiles"] == {"0": 0.0, "50": 50.0, "95": 95.0}
    assert (found["edges"], found["counts"]) == ([0.0, 25.0, 50.0, 75.0, 100.0], [25, 25, 25, 26])
    assert client.get(f"/points/{point['id']}/distribution", params={"bins": 0}).json()["code"] == "history.bins"


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
def test_readings_leave_as_a_file_and_are_what_was_stored(client: httpx.Client, make: Make, form: str) -> None:
    number, words, lamp = make("number", unit="DEG_C"), make("words", kind="text"), make("lamp", kind="bool")
    send(client, *(reading(number, i / 4, -i) for i in range(1, 50)))
    send(client, reading(words, 'a "b",\nc', -7), reading(lamp, True, -8))
    body = {"points": [lamp["key"], number["id"], words["key"]], "format": form}
    body |= {"from": (NOW - timedelta(hours=1)).isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()}
    answer = client.post("/readings/export", json=body).raise_for_status()
    found = table(answer.content, form)
    assert len(found) == 51
    assert found[0] == (lamp["key"], NOW - timedelta(seconds=8), 1.0, None, "good", None)
    assert found[1] == (number["key"], NOW - timedelta(seconds=49), 49 / 4, None, "good", "DEG_C")
    assert found[-1] == (words["key"], NOW - timedelta(seconds=7), None, 'a "b",\nc', "good", None)
    assert client.post("/readings/export", json={**body, "points": ["no such"]}).status_code == 404


def table(content: bytes, form: str) -> list[tuple[object, ...]]:
    """(point, time, number, text, quality, unit) of each row, read with other people's readers."""
    if form == "csv":
        lines = list(csv.DictReader(io.StringIO(content.decode())))
        return [
            (
                each["point"],
                datetime.fromisoformat(each["ts"]),
                {"true": 1.0}.get(each["value"]) or float(each["value"]) if "words" not in each["point"] else None,
                each["value"] if "words" in each["point"] else None,
                each["quality"],
                each["unit"] or None,
            )
            for each in lines
        ]
    source = pyarrow.BufferReader(content)
    found = parquet.read_table(source) if form == "parquet" else pyarrow.ipc.open_stream(source).read_all()
    return [tuple(each.values()) for each in found.to_pylist()]


@pytest.mark.clause("6.4.3b")
def test_a_building_is_seen_as_it_was_its_values_and_what_was_wrong_with_it(
    client: httpx.Client, building: str, make: Make
) -> None:
    point = make(unit="DEG_C")
    rule = {"name": "Too hot", "point": point["key"], "kind": "high", "limit": 30, "severity": "high"}
    client.post("/alarm-rules", json=rule).raise_for_status()
    for seconds, value in ((-50, 20), (-40, 35), (-30, 20), (-20, 40)):
        send(client, reading(point, value, seconds))
    window = {"from": (NOW - timedelta(seconds=60)).isoformat(), "to": NOW.isoformat()}
    answer = client.get(f"/buildings/{building}/frames", params={**window, "frames": 7}).raise_for_status()
    size = int.from_bytes(answer.content[:4], "little")
    head = json.loads(answer.content[4 : 4 + size])
    values = array("f", answer.content[4 + size :])
    assert (head["step"], head["frames"], len(head["handles"])) == (10, 7, 1)
    assert str(values.tolist()) == "[nan, 20.0, 35.0, 20.0, 40.0, 40.0, 40.0]"
    deadline = time.monotonic() + 20
    while (
        len(spans := client.get(f"/buildings/{building}/timeline", params=window).json()["alarms"]) < 1
        or len(spans[0]["spans"]) < 2
    ):
        assert time.monotonic() < deadline, spans
        time.sleep(0.1)
    [alarm] = spans
    assert (alarm["severity"], alarm["spans"][1][1]) == ("high", None)
    assert [at[:19] for at in alarm["spans"][0]] == [(NOW + timedelta(seconds=s)).isoformat()[:19] for s in (-40, -30)]
    empty = client.get(f"/buildings/{building}/timeline", params={"from": window["to"], "to": window["from"]})
    assert (empty.status_code, empty.json()["code"]) == (422, "timeline.range")


@pytest.mark.clause("6.1.3f")
def test_a_class_of_points_keeps_its_readings_as_long_as_its_policy_says(
    client: httpx.Client, building: str, make: Make
) -> None:
    point = make(unit="DEG_C", brick_class="Air_Temperature_Sensor")
    old = NOW - timedelta(days=400)
    readings = [reading(point, float(n), (old - NOW).total_seconds() + 600 * n) for n in range(50)]
    assert send(client, *readings, reading(point, 99.0, -60))["accepted"] == 51
    said = {"name": f"Air of {building}", "match": {"building": building, "brick_class": "Temperature_Sensor"}}
    policy = client.post("/history/policies", json={**said, "raw_for": "P800D"}).raise_for_status().json()
    assert (policy["points"], policy["raw_for"], policy["rollup_for"]) == (1, "P2Y70D", None)
    assert client.post("/history/policies", json=said).json()["code"] == "history.policy_exists"
    where = f"/history/policies/{policy['id']}"
    wrong = client.patch(where, json={"rollup_for": "P1D"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "rollup_for")
    seen = client.post(f"{where}/preview", json={"raw_for": 365 * 86_400}).raise_for_status().json()
    assert (seen["points"], seen["readings"], seen["without_rollup"], seen["exact"]) == (1, 50, 0, True)
    assert client.post(f"{where}/preview").json()["readings"] == 0  # nothing of the former was kept
    assert client.post("/history/policies/preview", json={**said, "name": "x", "raw_for": "P1Y"}).is_success
    client.patch(where, json={"raw_for": "P365D"}).raise_for_status()
    asked = client.post("/history/runs")
    assert asked.status_code == 202
    job = wait_for_job(client, asked.json()["job"])
    assert (job["state"], job["result"]["removed"]) == ("done", 50), job
    [run] = [each for each in client.get("/history/runs").json()["items"] if each["policy"] == policy["name"]]
    assert (run["kind"], run["readings"], run["points"], run["error"]) == ("retention", 50, 1, None)
    params = {"from": (old - timedelta(days=2)).isoformat(), "to": (old + timedelta(days=2)).isoformat()}
    assert client.get(f"/points/{point['id']}/readings", params=params).json()["items"] == []
    chart = client.get(f"/points/{point['id']}/readings", params={**params, "bucket": "1d", "agg": "count"}).json()
    assert sum(each["count"] for each in chart["items"]) == 50
    assert chart["raw_from"] > params["from"]
    use = client.get("/history/storage", params={"building": building}).json()
    assert [(each["point"], each["readings"], each["policy"]) for each in use["items"]] == [
        (point["key"], 1, policy["name"])
    ]
    assert use["bytes"] > use["items"][0]["bytes"] > 0 and use["parts"]
    assert client.delete(where).status_code == 204
    assert client.get(where.rsplit("/", 1)[0]).json()["items"] == []
    assert client.patch(where, json={}).status_code == 404


@pytest.mark.clause("6.1.1c")
def test_a_gateway_is_answered_after_the_commit_and_may_send_again_what_was_lost(
    server: Server, client: httpx.Client, make: Make
) -> None:
    point = make("gateway")
    address = server.api.replace("http://", "ws://") + "/ingest"
    header = {"Authorization": f"Bearer {server.key}"}
    frames = [
        json.dumps({"op": "readings", "id": n, "readings": [reading(point, float(n), -n), reading({"key": "no"}, 1)]})
        for n in range(40)
    ]
    with websockets.sync.client.connect(address, additional_headers=header) as gateway:
        for frame in frames:  # far more than are taken at once
            gateway.send(frame)
        first = [json.loads(gateway.recv(20)) for _ in frames]
        for wrong in (
            "{",
            '{"op": "readings"}',
            '{"op": "sing", "id": 1}',
            '{"op": "readings", "id": 2, "readings": 3}',
        ):
            gateway.send(wrong)
        errors = [json.loads(gateway.recv(20)) for _ in range(4)]
    assert [each["id"] for each in first] == list(range(40)), "in the order they came"
    assert {(each["op"], each["accepted"], each["duplicate"], len(each["rejected"])) for each in first} == {
        ("ack", 1, 0, 1)
    }
    assert first[0]["rejected"][0] | {"message": ""} == {"index": 1, "code": "reading.unknown_point", "message": ""}
    assert [(each["op"], each["code"]) for each in errors] == [
        ("error", "live.not_json"), ("error", "ingest.frame"), ("error", "live.unknown_op"), ("error", "readings.body"),
    ]  # fmt: skip
    with websockets.sync.client.connect(address, additional_headers=header) as gateway:  # the last answers were lost
        for frame in frames[30:]:
            gateway.send(frame)
        again = [json.loads(gateway.recv(20)) for _ in range(10)]
    assert {(each["accepted"], each["duplicate"]) for each in again} == {(0, 1)}
    for wrong_header in ({}, {"Authorization": "Bearer twin_wrong"}):
        with pytest.raises(websockets.exceptions.InvalidStatus, match="401"):
            websockets.sync.client.connect(address, additional_headers=wrong_header)


def test_refused_readings_are_listed_counted_and_put_in_again(client: httpx.Client, building: str, make: Make) -> None:
    point = make("limited", max_value=10)
    key = str(point["key"])
    send(client, reading(point, 11.0), reading({"key": key + "x"}, 5.0))
    found = client.get("/quarantine", params={"building": building, "point": key}).json()["items"]
    assert [(each["code"], each["state"]) for each in found] == [("reading.range", "open")]
    summary = client.get("/quarantine/summary", params={"point": key + "x"}).json()["items"]
    assert [(each["code"], each["count"]) for each in summary] == [("reading.unknown_point", 1)]
    wanted = {"filter": {"point": key + "x", "from": "2020-01-01T00:00:00Z"}, "point": key}
    done = client.post("/quarantine/replay", json=wanted).raise_for_status().json()
    assert (done["chosen"], done["accepted"], done["rejected"]) == (1, 1, 0)
    assert client.post("/quarantine/dismiss", json={"ids": [found[0]["id"]]}).json() == {"dismissed": 1}
    stored = client.get(f"/points/{point['id']}/readings").json()["items"]
    act = {"ts": stored[0]["ts"], "value": 6, "reason": "calibrated"}
    made = client.post(f"/points/{point['id']}/corrections", json=act)
    assert (made.status_code, made.json()["old_value"], made.json()["value"]) == (201, 5.0, 6.0)
    assert client.get(f"/points/{point['id']}").json()["latest"]["value"] == 6.0
    kept = client.get(f"/points/{point['id']}/corrections").json()["items"]
    assert [(each["old_value"], each["reason"]) for each in kept] == [(5.0, "calibrated")]
    assert client.post("/quarantine/replay", json={}).json()["code"] == "quarantine.choice"
