"""Plans, footprints, rounds and who is nearest, over HTTP, on real models."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import shapely

from tests.serving import Server, until, upload

FILES = {"Plan duplex": ("arch/Duplex_A_20110907.ifc", "mep/Duplex_Electrical_20121207.ifc"),
         "Plan mapped": ("ifc4x3_infra/PCERT_Building-Architecture_4X3.ifc",),
         "Plan rooms": ("mep/3rooms_Heater_AirTerminal_with_SB.ifc",)}  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


SWINGS = re.compile(r"\.SINGLE_SWING_(LEFT|RIGHT)\.")


@pytest.fixture(scope="module", autouse=True)
def models(server: Server, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A house of two models with electricity in it, one with a map conversion, one that says nothing of its place; a
    large building as it is, and without a word about how its doors open.
    """
    silent = tmp_path_factory.mktemp("plans") / "silent.ifc"
    whole = shared / "ifc/arch/LargeBuilding_whale.ifc"
    silent.write_text(SWINGS.sub(".NOTDEFINED.", whole.read_text(encoding="latin-1")), encoding="latin-1")
    with server.client() as client:
        for building, file in {"Plan whale": whole, "Plan silent": silent}.items():
            client.post("/buildings", json={"name": building}).raise_for_status()
            assert upload(client, file, building)["state"] == "done"
        for building, files in FILES.items():
            client.post("/buildings", json={"name": building}).raise_for_status()
            for name in files:
                assert upload(client, shared / "ifc" / name, building)["state"] == "done"


def spaces(client: httpx.Client, building: str) -> dict[str, str]:
    """Rooms by name."""
    query = {"building": building, "ifc_class": "IfcSpace", "limit": "1000"}
    items = client.get("/elements", params=query).raise_for_status().json()["items"]
    return {room["name"]: room["id"] for room in items}


def sheet(client: httpx.Client, storey: str, building: str = "Plan duplex", **query: Any) -> ET.Element:
    answer = client.get(f"/buildings/{building}/plan/{storey}.svg", params=query).raise_for_status()
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return ET.fromstring(answer.text)


def of_class(root: ET.Element, *classes: str) -> list[ET.Element]:
    return [each for each in root.iter() if each.get("data-class") in classes]


def test_a_plan_shows_walls_doors_rooms_and_the_equipment_of_the_other_model(client: httpx.Client) -> None:
    root = sheet(client, "Level 1", lang="en")
    assert root.get("role") == "img" and root.find(f"{SVG}title") is not None
    desc = root.find(f"{SVG}desc")
    assert desc is not None and desc.text is not None and "10 rooms" in desc.text
    named = (
        client.get("/elements", params={"building": "Plan duplex", "limit": 1000}).raise_for_status().json()["items"]
    )
    known = {each["global_id"]: each["ifc_class"] for each in named}
    drawn = {each.get("data-global-id"): each.get("data-class") for each in root.iter() if each.get("data-global-id")}
    assert drawn.items() <= known.items()
    assert len({e.get("data-global-id") for e in of_class(root, "IfcSpace")}) == 10
    assert len({e.get("data-global-id") for e in of_class(root, "IfcDoor")}) == 6
    assert len(of_class(root, "IfcWallStandardCase", "IfcWall")) > 15
    symbols = [use.get("href") for use in root.iter(f"{SVG}use")]
    assert {"#s-luminaire", "#s-smoke", "#s-socket", "#s-board"} <= set(symbols)
    text = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert "Living Room" in text and "27.7 m²" in text and "1:75" in text and "UP" in text


def test_a_sheet_prints_true_to_scale(client: httpx.Client) -> None:
    root = sheet(client, "Level 1", page="A2", scale=50)
    assert sorted((root.get("width"), root.get("height"))) == ["420mm", "594mm"] and root.get("data-scale") == "50"  # type: ignore[type-var]
    a, b, c, d, _, _ = map(float, str(root.get("data-matrix")).split())
    assert (abs(a * d - b * c)) ** 0.5 == pytest.approx(1000 / 50, rel=1e-4)  # mm per m
    paths = of_class(root, "IfcSpace")
    start = re.match(r"M(\d+) (\d+)l", next(str(each.get("d")) for each in paths if each.get("d")))
    assert start and 0 < int(start[1]) < 59_400 and 0 < int(start[2]) < 59_400
    small = sheet(client, "Level 1", page="A4")
    assert int(str(small.get("data-scale"))) > 75


def test_what_a_reader_leaves_out_is_not_drawn_and_themes_and_languages_differ(client: httpx.Client) -> None:
    bare = sheet(client, "Level 1", labels=False, equipment="none", theme="dark", lang="zh")
    assert not list(bare.iter(f"{SVG}use")) and bare.get("data-theme") == "dark"
    assert not [each for each in bare.iter(f"{SVG}text") if "Living Room" in "".join(each.itertext())]
    assert "平面图" in str(bare.findtext(f"{SVG}title"))
    marked = sheet(client, "Level 1", room=[spaces(client, "Plan duplex")["A101"]])
    assert [each for each in marked.iter(f"{SVG}path") if each.get("class") == "chosen"]


def test_a_plan_that_is_known_already_is_not_sent_again(client: httpx.Client) -> None:
    address = "/buildings/Plan duplex/plan/Level 2.svg"
    first = client.get(address).raise_for_status()
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["content-encoding"] == "gzip" and "style-src" in first.headers["content-security-policy"]
    unknown = client.get("/buildings/Plan duplex/plan/Level 9.svg")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "storey.unknown")


def test_features_are_the_same_plan_in_metres(client: httpx.Client) -> None:
    plan = client.get("/buildings/Plan duplex/plan/Level 1.json").raise_for_status().json()
    layers: dict[str, list[Any]] = {}
    for feature in plan["features"]:
        layers.setdefault(feature["properties"]["layer"], []).append(feature)
    assert {"room", "wall", "door", "window", "symbol", "climb", "stair", "furniture"} <= layers.keys()
    rooms = [shapely.geometry.shape(each["geometry"]) for each in layers["room"]]
    walls = shapely.union_all(
        [shapely.geometry.shape(w["geometry"]) for w in layers["wall"] if w["properties"]["part"] == "cut"]
    )
    # Rooms are drawn to the faces of walls: what is cut of these lies between them.
    assert sum(room.intersection(walls).area for room in rooms) < 0.05 * sum(room.area for room in rooms)
    for each, room in zip(layers["room"], rooms, strict=True):
        assert room.covers(shapely.Point(each["properties"]["label"]))
        assert each["properties"]["area"] == pytest.approx(room.area, rel=0.01)


def test_doors_of_which_the_file_says_nothing_open_as_their_leaves_and_walls_tell(client: httpx.Client) -> None:
    said, guessed = (
        {
            feature["properties"]["global_id"]: feature["properties"]
            for feature in client.get(f"/buildings/{name}/plan/Level 1.json").raise_for_status().json()["features"]
            if feature["properties"]["layer"] == "door"
        }
        for name in ("Plan whale", "Plan silent")
    )
    assert said.keys() == guessed.keys() and not any(door["derived"] for door in said.values())
    sides, hinges = [], []
    for name in [name for name, door in guessed.items() if door["derived"]]:
        (one,), (other,) = said[name]["leaves"], guessed[name]["leaves"]
        middle = said[name]["middle"]
        opens = [[leaf["open"][k] - leaf["hinge"][k] for k in (0, 1)] for leaf in (one, other)]
        sides.append(opens[0][0] * opens[1][0] + opens[0][1] * opens[1][1] > 0)
        hinges.append(sum((one["hinge"][k] - middle[k]) * (other["hinge"][k] - middle[k]) for k in (0, 1)) > 0)
    assert len(sides) == 16 and all(sides)
    assert sum(hinges) >= 4  # those beside a wall; of a door in the middle of a wall nobody knows


def test_what_stands_outside_a_sheet_does_not_run_over_its_frame(client: httpx.Client) -> None:
    root = sheet(client, "Level 1", "Plan whale")
    frame = root.find(f"{SVG}defs/{SVG}clipPath/{SVG}rect")
    assert frame is not None
    box = [float(frame.get(name, "")) for name in ("x", "y", "width", "height")]
    assert box == [10, 10, 400, 297 - 20 - 20]
    inside = next(each for each in root.iter(f"{SVG}g") if each.get("clip-path"))
    assert inside.get("clip-path") == "url(#plan-frame)"
    ids = [each for each in root.iter() if each.get("data-global-id")]
    assert ids and len(ids) == len([each for each in inside.iter() if each.get("data-global-id")])


@pytest.mark.clause("6.1.4c")
def test_a_heat_map_colours_rooms_by_their_newest_value(client: httpx.Client) -> None:
    rooms = spaces(client, "Plan duplex")
    readings = []
    for name, value in (("A101", 19.5), ("A102", 23.0)):
        key = f"plan-{uuid4()}"
        point = {"key": key, "name": name, "building": "Plan duplex", "kind": "number", "unit": "DEG_C",
                 "element": rooms[name]}  # fmt: skip
        client.post("/points", json=point).raise_for_status()
        readings.append({"point": key, "ts": "2026-01-01T00:00:00Z", "value": value})
    client.post("/readings", json={"readings": readings}).raise_for_status()
    root = sheet(client, "Level 1", heat="DEG_C", lang="en")
    warm = {
        each.get("data-id"): each.get("data-value") for each in root.iter(f"{SVG}path") if each.get("class") == "heat"
    }
    assert warm == {rooms["A101"]: "19.5", rooms["A102"]: "23"}
    assert len([each for each in root.iter(f"{SVG}path") if each.get("class") == "nodata"]) == 8
    none = client.get("/buildings/Plan duplex/plan/Level 1.svg", params={"heat": "Radon"})
    assert (none.status_code, none.json()["code"]) == (404, "plan.no_quantity")


def test_footprints_lie_where_the_site_says_on_earth(client: httpx.Client) -> None:
    query = {"layer": ["rooms", "storeys", "building"], "storey": "Level 1"}
    made = client.get("/buildings/Plan duplex/footprints.geojson", params=query).raise_for_status()
    assert made.headers["content-type"] == "application/geo+json"
    collection = made.json()
    assert (collection["twin:crs"], collection["twin:source"], collection["twin:note"]) == (
        "EPSG:4326",
        "site",
        "site_point",
    )
    layers = [feature["properties"]["layer"] for feature in collection["features"]]
    assert (layers.count("room"), layers.count("storey"), layers.count("building")) == (10, 1, 1)
    for feature in collection["features"]:
        outline = shapely.geometry.shape(feature["geometry"])
        assert outline.is_valid and outline.centroid.distance(shapely.Point(-87.6394, 41.8744)) < 0.001
        for part in shapely.get_parts(outline):
            assert part.exterior.is_ccw
    west, south, east, north = collection["bbox"]
    assert west < east and south < north


def test_footprints_follow_the_map_conversion_and_say_when_nothing_is_known(client: httpx.Client) -> None:
    mapped = client.get("/buildings/Plan mapped/footprints.geojson").raise_for_status().json()
    assert (mapped["twin:source"], mapped["twin:map_crs"]) == ("map_conversion", "EPSG:32760")
    local = client.get("/buildings/Plan rooms/footprints.geojson").raise_for_status().json()
    assert (local["twin:crs"], local["twin:note"], len(local["features"])) == ("building", "no_georeference", 4)


def test_directions_are_told_in_both_languages_and_follow_the_stair(client: httpx.Client) -> None:
    found = spaces(client, "Plan duplex")
    route = client.get("/route", params={"from": found["A101"], "to": found["A203"]}).raise_for_status().json()
    stair = next(step for step in route["steps"] if step["kind"] == "stairs_up")
    assert "up to Level 2, 15 steps" in stair["text"]["en"] and "15 级" in stair["text"]["zh"]
    line = route["polyline"][stair["from_index"] : stair["to_index"] + 1]
    assert len(line) > 10 and [z for _, _, z in line] == sorted(z for _, _, z in line)
    assert (route["steps"][0]["kind"], route["steps"][-1]["kind"]) == ("start", "arrive")
    assert sum(step["seconds"] for step in route["steps"]) == pytest.approx(route["seconds"], rel=0.02)
    slow = client.get("/route", params={"from": found["A101"], "to": found["A203"], "speed": 0.65}).raise_for_status()
    assert slow.json()["seconds"] > 1.7 * route["seconds"]
    out = client.get("/route", params={"from": found["A203"], "variant": "evacuate"}).raise_for_status().json()
    assert out["steps"][-1]["text"] == {"zh": "到达室外", "en": "You are outside"}
    assert client.get("/route", params={"from": found["A203"]}).json()["code"] == "route.no_end"


def test_no_part_of_any_route_leaves_the_floor_it_is_on(client: httpx.Client) -> None:
    found = spaces(client, "Plan duplex")
    floors = {id: client.get(f"/spaces/{id}").raise_for_status().json()["footprint"] for id in found.values()}
    shapes = {
        id: shapely.from_geojson(str(floor).replace("'", '"')).buffer(0.35) for id, floor in floors.items() if floor
    }
    names = [name for name in sorted(found) if name.startswith("A")]
    for one, other in pairwise(names):
        ways = {"from": found[one], "to": found[other]}
        answer = client.get("/route", params=ways).raise_for_status().json()
        back = client.get("/route", params={"from": found[other], "to": found[one]}).raise_for_status().json()
        assert back["length"] == pytest.approx(answer["length"], rel=1e-6)
        assert answer["length"] >= dist(answer["polyline"][0], answer["polyline"][-1]) - 1e-6
        for part in answer["parts"]:
            if part["kind"] == "walk" and len(part["points"]) > 1:
                walked = shapely.LineString([point[:2] for point in part["points"]])
                assert shapes[part["room"]["id"]].covers(walked), (one, other, part["room"]["name"])


def test_a_round_is_short_and_ends_where_it_should(client: httpx.Client) -> None:
    found = spaces(client, "Plan duplex")
    body = {
        "start": found["A101"],
        "stops": [found["A204"], found["A103"], found["A203"], found["A104"]],
        "end": "start",
    }
    made = client.post("/buildings/Plan duplex/round", json=body).raise_for_status().json()
    assert sorted(made["stops"]) == sorted(body["stops"]) and made["saved"] > 0
    assert len(made["legs"]) == 5 and made["legs"][-1]["end"]["id"] == found["A101"]
    assert made["seconds"] == pytest.approx(sum(leg["route"]["seconds"] for leg in made["legs"]))
    island = client.post("/buildings/Plan duplex/round", json={**body, "stops": [found["B101"]]})
    assert (island.status_code, island.json()["code"]) == (404, "route.missing_door")


def test_a_stop_that_no_way_leads_to_is_left_out_of_the_round_with_the_reason(client: httpx.Client) -> None:
    found = spaces(client, "Plan duplex")
    body = {"start": found["A101"], "stops": [found["A204"], found["B101"], found["A103"]], "end": found["A104"]}
    made = client.post("/buildings/Plan duplex/round", json=body, headers={"accept-language": "zh"})
    answer = made.raise_for_status().json()
    assert sorted(answer["stops"]) == sorted([found["A204"], found["A103"]]) and len(answer["legs"]) == 3
    assert answer["legs"][-1]["end"]["id"] == found["A104"] and answer["saved"] >= 0
    assert [(each["id"], each["code"]) for each in answer["left_out"]] == [(found["B101"], "route.missing_door")]
    assert "门" in answer["left_out"][0]["reason"]
    wrong_end = client.post("/buildings/Plan duplex/round", json={**body, "end": found["B101"]})
    assert (wrong_end.status_code, wrong_end.json()["code"]) == (404, "route.missing_door")


def test_the_nearest_of_the_crew_comes_first_and_reading_it_is_audited(server: Server, client: httpx.Client) -> None:
    found = spaces(client, "Plan duplex")
    for name, room in (("near-crew", "A102"), ("far-crew", "A203")):
        password = "Gangway 42 to the attic"
        made = {"name": name, "password": password, "roles": ["crew"]}
        client.post("/accounts", json=made).raise_for_status()
        with httpx.Client(base_url=server.api) as own:
            token = (
                own.post("/session", json={"name": name, "password": password}).raise_for_status().json()["csrf_token"]
            )
            own.headers["x-csrf-token"] = token
            order = {"building": "Plan duplex", "title": f"Look at {room}", "element": found[room], "assignee": name}
            id = client.post("/work-orders", json=order).raise_for_status().json()["id"]
            own.post(f"/work-orders/{id}/start").raise_for_status()
    query = {"to": found["A101"]}
    answer = client.get("/buildings/Plan duplex/nearest-crew", params=query).raise_for_status()
    crew = answer.json()["items"]
    assert [(each["account"], each["place"]["id"]) for each in crew] == [
        ("near-crew", found["A102"]), ("far-crew", found["A203"])]  # fmt: skip
    assert crew[0]["seconds"] < crew[1]["seconds"] and crew[0]["busy"]
    path = f"path:{httpx.URL(answer.url).path.removeprefix('/api/v1')}"
    entry = until(lambda: client.get("/audit", params={"object": path}).raise_for_status().json()["items"])[0]
    assert (entry["action"], entry["after"]["query"]) == ("work_order.assign", query)
