"""Point lists over HTTP: in the sandbox, with a dry run, in the caller's language; devices; out of use and back."""

import io
from typing import Any
from uuid import uuid4

import httpx
import pytest
from openpyxl import Workbook, load_workbook


def send(client: httpx.Client, building: str, data: bytes, name: str = "points.csv", **form: str) -> Any:
    return client.post("/points/import", data={"building": building, **form}, files={"file": (name, data)}, timeout=60)


@pytest.mark.clause("6.1.1d", "6.3e")
def test_a_list_goes_in_is_corrected_and_comes_out_again(client: httpx.Client) -> None:
    mark = uuid4().hex[:8]
    building = f"Lists {mark}"
    client.post("/buildings", json={"name": building}).raise_for_status()
    text = f"测点编号,名称,单位,类型\n{mark}.t,温度,℃,AI\n{mark}.bad,坏,furlong,AI\n".encode("gb18030")
    dry = send(client, building, text, dry_run="true")
    assert dry.status_code == 200, dry.text
    report = dry.json()
    assert (report["created"], report["problem_count"], report["dry_run"]) == (1, 1, True)
    assert report["items"] == [{"row": 2, "key": f"{mark}.t", "name": "温度", "action": "created", "element": None}]
    assert client.get("/points", params={"building": building}).json()["items"] == []
    chinese = send(client, building, text, dry_run="true")
    assert chinese.json() == report
    answer = client.post(
        "/points/import", data={"building": building}, files={"file": ("points.csv", text)},
        headers={"accept-language": "zh"}, timeout=60,
    )  # fmt: skip
    [problem] = answer.json()["problems"]
    assert (problem["row"], problem["field"], problem["code"]) == (3, "unit", "unit.unknown")
    assert any("一" <= letter <= "鿿" for letter in problem["message"])
    sheet = client.get("/points/export", params={"building": building, "format": "xlsx"})
    book = load_workbook(io.BytesIO(sheet.content))
    assert book.active is not None and [cell.value for cell in book.active[2]][:2] == [f"{mark}.t", "温度"]
    for form in ("csv", "xlsx", "ttl"):
        data = client.get("/points/export", params={"building": building, "format": form}).content
        again = send(client, building, data, f"points.{form}").json()
        assert "created" in again, again
        assert (again["created"], again["updated"], again["unchanged"], again["problems"]) == (0, 0, 1, []), form
    formula = Workbook()
    assert formula.active is not None
    formula.active.append(["key", "name"])
    formula.active.append([f"{mark}.f", "=1+1"])
    made = io.BytesIO()
    formula.save(made)
    assert send(client, building, made.getvalue(), "x.xlsx").json()["problems"][0]["code"] == "point.import_formula"
    assert send(client, building, b"PK\x03\x04", "x.xlsx").json()["code"] == "sheet.xlsx"
    assert send(client, building, b"@prefix : <urn:x> . :a", "x.ttl").json()["code"] == "graph.syntax"
    assert client.post("/points/import", json={}).json()["code"] == "point.import_file"
    assert send(client, "", b"key\n").json()["code"] == "point.import_form"
    made_of_model = client.post("/points/from-model", json={"building": building}).json()
    assert (made_of_model["created"], made_of_model["problems"]) == (0, [])


@pytest.mark.clause("6.3f-1", "6.3f-2")
def test_a_device_is_replaced_and_a_point_goes_out_of_use_and_back(client: httpx.Client) -> None:
    mark = uuid4().hex[:8]
    client.post("/buildings", json={"name": f"Devices {mark}"}).raise_for_status()
    facts = {"name": "T", "building": f"Devices {mark}", "kind": "number", "unit": "DEG_C", "reading_unit": "DEG_F",
             "time_zone": "Asia/Shanghai"}  # fmt: skip
    point = client.post("/points", json={"key": f"{mark}.t", "tags": ["a"], "deadband": 0.2, **facts}).json()
    for device, start in (("TF-1", "2026-01-01T00:00:00Z"), ("TF-2", "2026-02-01T00:00:00Z")):
        body = {"device": device, "address": f"{mark}-{device}", "from": start}
        assert client.post(f"/points/{point['id']}/hardware", json=body).status_code == 201
    listed = client.get(f"/points/{mark}.t/hardware").json()["items"]
    assert [(each["device"], each["from"], each["to"]) for each in listed] == [
        ("TF-2", "2026-02-01T00:00:00Z", None), ("TF-1", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
    ]  # fmt: skip
    [then] = client.get(f"/points/{mark}.t/hardware", params={"at": "2026-01-15T00:00:00Z"}).json()["items"]
    assert then["device"] == "TF-1"
    readings = [{"point": f"{mark}-TF-2", "ts": "2026-03-01T00:00:00Z", "value": 212}]
    assert client.post("/readings", json={"readings": readings}).json()["accepted"] == 1
    shown = client.get(f"/points/{mark}.t").json()
    assert (shown["latest"]["value"], shown["tags"], shown["stale"]) == (pytest.approx(100), ["a"], True)
    span = {"from": "2026-02-27T00:00:00Z", "to": "2026-03-03T00:00:00Z", "bucket": "1d"}
    days = client.get(f"/points/{mark}.t/readings", params=span).json()["items"]
    assert days[0]["ts"] == "2026-02-28T16:00:00Z", "the point's own days"
    refused = client.patch(f"/points/{mark}.t", json={"unit": "K"})
    assert (refused.status_code, refused.json()["code"]) == (409, "point.unit_history")
    assert client.post(f"/points/{mark}.t/retire").json()["retired_at"]
    building = {"building": f"Devices {mark}"}
    assert client.get("/points", params=building).json()["items"] == []
    assert len(client.get("/points", params={**building, "retired": "true"}).json()["items"]) == 1
    assert client.post(f"/points/{mark}.t/restore").json()["retired_at"] is None
    wrong = client.post(f"/points/{mark}.t/hardware/end", json={"to": "2026-03-02T00:00:00"})
    assert wrong.json()["errors"][0]["field"] == "to", "a time without a zone"
    ended = client.post(f"/points/{mark}.t/hardware/end", json={"to": "2026-03-02T00:00:00Z"}).json()
    assert (ended["device"], ended["to"]) == ("TF-2", "2026-03-02T00:00:00Z")
    assert client.post(f"/points/{mark}.t/hardware/end").json()["code"] == "hardware.none"
