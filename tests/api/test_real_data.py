"""Public building data in a real server: every value accounted for, a flat's rooms with their true values."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.real_data import RECIPES, Recipe, load
from tests.serving import Server, upload

SINCE = datetime(2017, 5, 26, tzinfo=UTC)  # the last days of the flat's spring
FLAT = "OpenSmartHome"


def recipe_of(name: str, shared: Path) -> Recipe:
    return Recipe(RECIPES / f"{name}.toml", shared / "telemetry")


def room_ids(shared: Path) -> dict[str, str]:
    """Room → GlobalId, as the flat's own Turtle links them: room → instance of the model ← GlobalId in hexadecimal."""
    text = (shared / "telemetry/opensmarthome/01_LinkOsh.ttl").read_text("utf-8")
    rooms = dict(re.findall(r"osh:(\w+)\s+skos:related (ifc4osh:IfcSpace_\d+)", text))
    ids = {
        instance: bytes.fromhex(code.replace("_", "")).decode()
        for code, instance in re.findall(r"geom4osh:i_((?:_[0-9A-F]{2})+)_\d{5} skos:related (\S+)", text)
    }
    return {room: ids[instance] for room, instance in rooms.items()}


@pytest.fixture(scope="module")
def flat(server: Server, shared: Path) -> Iterator[httpx.Client]:
    """The flat's model and the last days of its measurements."""
    with server.client() as client:
        site = client.post("/sites", json={"name": FLAT, "time_zone": "Europe/Berlin"}).json()["id"]
        client.post("/buildings", json={"name": FLAT, "site": site}).raise_for_status()
        job = upload(client, shared / "telemetry/opensmarthome/04_Flat.ifc", FLAT)
        assert job["state"] == "done", job
        yield client


def last_line(file: Path) -> tuple[datetime, float]:
    lines = [line.split("\t") for line in file.read_text("utf-8").splitlines() if line]
    ts, value = max(lines, key=lambda line: int(line[0]))
    return datetime.fromtimestamp(int(ts), UTC), float(value)


def got(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_rooms_of_the_flat_have_live_points_with_their_true_values(flat: httpx.Client, shared: Path) -> None:
    recipe = recipe_of("opensmarthome", shared)
    linked = room_ids(shared)
    assert {room: linked[room] for room in recipe.told["elements"]} == recipe.told["elements"]
    counts = load(flat, recipe, SINCE)
    assert counts.points == 37 and counts.accounted and counts.accepted > 20_000 and not counts.rejected
    again = load(flat, recipe, SINCE)
    assert again.accounted and (again.accepted, again.duplicate) == (0, counts.accepted + counts.duplicate)

    shown = got(flat, "/points", building=FLAT, limit=200)["items"]
    assert len(shown) == 37
    rooms = {
        element["global_id"]: element
        for element in got(flat, "/elements", building=FLAT, ifc_class="IfcSpace")["items"]
    }
    for room, global_id in recipe.told["elements"].items():
        there = got(flat, f"/elements/{rooms[global_id]['id']}")
        keys = {point["key"]: point for point in there["points"]}
        for what in ("Temperature", "Humidity", "Brightness"):
            moment, value = last_line(shared / f"telemetry/opensmarthome/Measurements/{room}_{what}.csv")
            latest = keys[f"osh.{room}_{what}"]["latest"]
            assert (datetime.fromisoformat(latest["ts"]), latest["value"]) == (moment, value)


@pytest.mark.clause("6.1.4g")
def test_what_is_derived_and_foretold_of_the_flat(flat: httpx.Client, shared: Path) -> None:
    load(flat, recipe_of("opensmarthome", shared), SINCE)
    definition: dict[str, Any] = {
        "point": {"key": "osh.spread", "name": "Room 1 above the kitchen", "building": FLAT, "unit": "DEG_C"},
        "kind": "expression",
        "expression": "one - kitchen",
        "inputs": {"one": "osh.Room1_Temperature", "kitchen": "osh.Kitchen_Temperature"},
        "every": "1h",
    }
    day = {"from": "2017-06-01T00:00:00+02:00", "to": "2017-06-02T00:00:00+02:00"}
    tried = flat.post("/derived/preview", json={**definition, **day})
    assert tried.status_code == 200, tried.text
    aligned = got(
        flat,
        "/readings/aligned",
        point=["osh.Room1_Temperature", "osh.Kitchen_Temperature"],
        bucket="1h",
        agg="twa",
        **day,
    )
    one, kitchen = (series["values"]["twa"] for series in aligned["series"])
    items = tried.json()["items"]
    assert len(items) == 24 and tried.json()["members"] == 2
    compared = 0
    for item in items:
        at = [datetime.fromisoformat(ts) for ts in aligned["ts"]].index(datetime.fromisoformat(item["ts"]))
        if item["quality"] == "good" and one[at] is not None and kitchen[at] is not None:
            assert item["value"] == pytest.approx(one[at] - kitchen[at])
            compared += 1
    assert compared > 5  # in the other hours one of them said nothing, and the line between its neighbours holds
    made = flat.post("/derived", json=definition)
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    assert made.json()["state"] == "filling" and made.json()["inputs"] == definition["inputs"]
    assert [each["id"] for each in got(flat, "/derived", building=FLAT)["items"]] == [id]
    circle = flat.patch(f"/derived/{id}", json={"inputs": {"one": "osh.spread", "kitchen": "osh.Kitchen_Temperature"}})
    assert (circle.status_code, circle.json()["code"]) == (409, "derived.cycle")
    assert "osh.spread → osh.spread" in circle.json()["detail"]
    wrong = flat.patch(
        f"/derived/{id}",
        json={"expression": "one + humid", "inputs": {**definition["inputs"], "humid": "osh.Room1_Humidity"}},
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "derived.expression_units")

    profile = got(
        flat, "/points/osh.Room1_Temperature/profile", slot="1h", **{"from": SINCE.isoformat(), "to": day["to"]}
    )
    assert len(profile["items"]) == 24 and profile["time_zone"] == "Europe/Berlin"
    assert all(slot["p10"] <= slot["p50"] <= slot["p90"] for slot in profile["items"])
    pair = got(
        flat, "/readings/correlation", point=["osh.Room1_Temperature", "osh.Kitchen_Temperature"], bucket="1h", **day
    )
    assert len(pair["matrix"]) == 2 and -1 <= pair["matrix"][0][1] <= 1 and len(pair["pairs"][0]["lags"]) == 25
    foretold = got(flat, "/points/osh.Room1_Temperature/forecast", hours=12, at="2017-06-05T12:00:00+02:00")
    assert len(foretold["items"]) == 12 and foretold["items"][0]["ts"] == "2017-06-05T10:00:00Z"
    assert all(item["low"] <= item["value"] <= item["high"] for item in foretold["items"])
    assert foretold["error"]["naive_mae"] > 0 and 0 <= foretold["error"]["coverage"] <= 1
    refused = flat.get("/points/osh.Room1_Temperature/forecast")  # years after the last reading
    assert (refused.status_code, refused.json()["code"]) == (422, "statistics.too_little")
    week = {"from": "2017-06-04T00:00:00+02:00", "to": "2017-06-06T00:00:00+02:00"}
    odd = got(flat, "/points/osh.Room1_Temperature/anomalies", **week)
    assert len(odd["items"]) == 48 and any(item["score"] is not None for item in odd["items"])

    answer = flat.delete(f"/derived/{id}")
    assert answer.status_code == 204 and flat.get(f"/derived/{id}").status_code == 404
    assert got(flat, "/points/osh.spread")["retired_at"] is not None


@pytest.mark.drill
@pytest.mark.parametrize("name", ["robod", "uci_occupancy", "open_fdd_bms", "opensmarthome"])
def test_every_value_of_a_data_set_is_stored_there_already_refused_with_a_reason_or_empty(
    server: Server, shared: Path, name: str
) -> None:
    with server.client(timeout=120) as client:
        counts = load(client, recipe_of(name, shared))
        assert counts.accounted and counts.accepted > 0.9 * counts.sent
        summary = {}
        for code in counts.rejected:
            summary[code] = len(got(client, "/quarantine", code=code, limit=1000)["items"])
        assert set(summary) <= {"reading.conflict", "reading.range"} and all(summary.values())
        again = load(client, recipe_of(name, shared))
        assert again.accounted and again.accepted == 0
