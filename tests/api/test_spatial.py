"""Where is it, what feeds it, what else is affected, how do I get there: over HTTP, on real models."""

from datetime import UTC, datetime
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import Server, run_twin, upload

FILES = {"Institute": "arch/AC11-Institute-Var-2.ifc", "Duplex": "arch/Duplex_A_20110907.ifc",
         "Flat": "arch/OpenSmartHome_04_Flat.ifc", "Nine": "arch/house_3x3_bonsai.ifc"}  # fmt: skip
ELECTRICAL = "mep/Duplex_Electrical_20121207.ifc"


@pytest.fixture(scope="module", autouse=True)
def models(server: Server, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The buildings of this module: real houses, a sample tower."""
    sample = tmp_path_factory.mktemp("sample") / "spatial tower.ifc"
    made = run_twin("sample", str(sample), "--storeys", "3", data=sample.parent / "data", database=None)
    assert made.returncode == 0, made.stderr
    files = {name: shared / "ifc" / file for name, file in FILES.items()}
    with server.client() as client:
        for building, file in {**files, "Spatial tower": sample}.items():
            client.post("/buildings", json={"name": building}).raise_for_status()
            assert upload(client, file, building)["state"] == "done"
        assert upload(client, shared / "ifc" / ELECTRICAL, "Duplex")["state"] == "done"  # its sockets, no rooms but one


def elements(client: httpx.Client, building: str, **filters: str) -> list[dict[str, Any]]:
    answer = client.get("/elements", params={"building": building, "limit": 1000, **filters}).raise_for_status()
    return list(answer.json()["items"])


def rooms(client: httpx.Client, building: str) -> dict[str, str]:
    """Rooms by name."""
    return {room["name"]: room["id"] for room in elements(client, building, ifc_class="IfcSpace")}


@pytest.mark.clause("6.4.2b")
@pytest.mark.parametrize(
    ("building", "golden"),
    [
        # Checked against the drawings: every door of the institute joins what its plan shows; the duplex is two flats
        # with a door each to the front and the garden, its roof is reached from nowhere.
        (
            "Institute",
            {"rooms": 82, "doors": 77, "doors_joining_two": 76, "doors_leading_outside": 1, "islands": [80, 1, 1]},
        ),
        (
            "Duplex",
            {"rooms": 22, "doors": 14, "doors_joining_two": 10, "doors_leading_outside": 4, "islands": [10, 10, 1]},
        ),
        # Room 2 is entered from room 3 through an opening of 2.4 m that no door fills.
        ("Flat", {"rooms": 9, "doors": 7, "doors_joining_two": 7, "passages": 1, "islands": [9]}),
    ],
)
def test_rooms_and_doors_of_a_real_house_hang_together_as_on_its_drawings(
    client: httpx.Client, building: str, golden: dict[str, Any]
) -> None:
    report = client.get(f"/buildings/{building}/network").raise_for_status().json()
    assert {name: report[name] for name in golden} == golden
    assert report["rooms_without_floor"]["count"] == 0 and report["doors_joining_none"]["count"] == 0


def test_being_neighbours_is_mutual(client: httpx.Client) -> None:
    beside = {
        room: {other["id"] for other in client.get(f"/spaces/{room}").raise_for_status().json()["neighbours"]}
        for room in list(rooms(client, "Duplex").values())
    }
    assert any(beside.values())
    assert all(room in beside[other] for room, others in beside.items() for other in others)


def test_a_route_leads_over_the_stairs_to_another_storey(client: httpx.Client) -> None:
    found = rooms(client, "Institute")
    start, end = found["016"], found["321"]
    route = client.get("/route", params={"from": start, "to": end}).raise_for_status().json()
    assert [part["kind"] for part in route["parts"]].count("stair") == 3
    assert len(route["storeys"]) == 4
    elevations = [storey["elevation"] for storey in route["storeys"]]
    assert elevations == sorted(elevations)
    assert route["length"] >= dist(route["polyline"][0], route["polyline"][-1])
    assert route["length"] == pytest.approx(sum(dist(a, b) for a, b in pairwise(route["polyline"])))
    back = client.get("/route", params={"from": end, "to": start}).raise_for_status().json()
    assert back["seconds"] == pytest.approx(route["seconds"])
    assert [door["id"] for door in back["doors"]] == [door["id"] for door in route["doors"]][::-1]


def test_where_no_route_is_the_answer_says_which_door_is_missing(client: httpx.Client) -> None:
    found = rooms(client, "Duplex")
    answer = client.get("/route", params={"from": found["A101"], "to": found["B101"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "route.missing_door")
    roof = client.get("/route", params={"from": found["A101"], "to": found["R301"]})
    assert (roof.status_code, roof.json()["code"]) == (404, "route.islands")


def test_step_free_needs_a_lift_and_says_so_where_there_is_none(client: httpx.Client) -> None:
    found = rooms(client, "Duplex")
    ways = {"from": found["A101"], "to": found["A203"]}
    assert client.get("/route", params=ways).raise_for_status().json()["length"] > 5
    answer = client.get("/route", params={**ways, "step_free": True})
    assert (answer.status_code, answer.json()["code"]) == (404, "route.forbidden")


def test_the_way_out_of_the_upper_floor_ends_at_a_door_to_the_outside(client: httpx.Client) -> None:
    found = rooms(client, "Duplex")
    route = client.get("/route", params={"from": found["A203"], "to": "outside"}).raise_for_status().json()
    assert "stair" in [step["kind"] for step in route["parts"]]
    assert route["parts"][-1]["kind"] == "door"
    closed = client.get("/route", params={"from": found["A203"], "to": "outside", "closed": route["doors"][-1]["id"]})
    assert closed.raise_for_status().json()["doors"][-1] != route["doors"][-1]


@pytest.mark.clause("6.4.3b")
def test_what_a_board_feeds_is_upstream_and_downstream_of_each_other(client: httpx.Client) -> None:
    board = elements(client, "Spatial tower", q="F02 AL Floor board")[0]["id"]
    fed = client.get(f"/elements/{board}/downstream").raise_for_status().json()["items"]
    assert fed and [each["distance"] for each in fed] == sorted(each["distance"] for each in fed)
    for each in (fed[0], fed[-1]):
        above = client.get(f"/elements/{each['element']['id']}/upstream").raise_for_status().json()["items"]
        assert board in {other["element"]["id"] for other in above}
    near = client.get(f"/elements/{board}/downstream", params={"depth": 1}).raise_for_status().json()["items"]
    assert near == [each for each in fed if each["distance"] == 1]


@pytest.mark.clause("6.4.3b")
@pytest.mark.clause("6.1.4d")
def test_the_outage_of_a_board_names_the_rooms_and_points_it_touches(client: httpx.Client) -> None:
    board = elements(client, "Spatial tower", q="F02 AL Floor board")[0]["id"]
    outage = client.get(f"/elements/{board}/affected").raise_for_status().json()
    assert {room["reason"] for room in outage["rooms"]} <= {"located", "served"} and len(outage["rooms"]) > 3
    spaces = {each["element"]["space_id"] for each in outage["equipment"] if each["element"]["space_id"]}
    assert spaces <= {room["room"]["id"] for room in outage["rooms"]}
    assert outage["points"]


def test_a_route_to_an_element_ends_in_its_room(client: httpx.Client) -> None:
    found = rooms(client, "Spatial tower")
    pump = elements(client, "Spatial tower", ifc_class="IfcPump")[0]
    route = client.get("/route", params={"from": min(found.values()), "to": pump["id"]}).raise_for_status().json()
    where = client.get(f"/elements/{pump['id']}").raise_for_status().json()
    assert route["steps"][-1]["room"]["id"] == where["location"]["space_id"]


@pytest.mark.parametrize("what", ["upstream", "downstream", "affected"])
def test_an_unknown_element_is_404(client: httpx.Client, what: str) -> None:
    assert client.get(f"/elements/00000000-0000-4000-8000-000000000000/{what}").status_code == 404


def space(client: httpx.Client, id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/spaces/{id}").raise_for_status().json()
    return found


@pytest.mark.clause("6.4.2b")
def test_a_room_says_what_leads_where_and_what_it_is_beside(client: httpx.Client) -> None:
    """Flat A of the duplex, checked against its drawings: the foyer has the front door, the bathroom and the stair."""
    found = rooms(client, "Duplex")
    names = {id: name for name, id in found.items()}
    foyer = space(client, found["A101"])
    doors = [(sorted(names[id] for id in door["leads_to"]), door["outside"]) for door in foyer["doors"]]
    assert sorted(doors) == [([], True), (["A104"], False)]
    kinds = {names[other["id"]]: other["kind"] for other in foyer["neighbours"]}
    assert kinds["A104"] == "door" and set(kinds.values()) <= {"door", "open", "wall"}
    assert all(other["shared_length"] is None or other["shared_length"] > 0.3 for other in foyer["neighbours"])
    stair = space(client, found["A105"])
    assert {names[id] for link in stair["links"] for id in link["leads_to"]} <= {"A101", "A201", "A102", "A202"}
    assert kinds["A103"] == "open", "the kitchen has no wall to the foyer"
    garden = [door for door in space(client, found["A102"])["doors"] if door["outside"]]
    assert len(garden) == 1 and garden[0]["leads_to"] == []


def test_what_the_file_states_of_a_room_stands_beside_what_its_mesh_has(client: httpx.Client) -> None:
    foyer = space(client, rooms(client, "Duplex")["A101"])
    assert foyer["area_source"] == "mesh" and foyer["area"] == pytest.approx(15.59, abs=0.01)
    assert foyer["area_stated"] == {
        "value": pytest.approx(17.936, abs=0.001), "unit": "m2", "source": "GSA Space Areas.GSA BIM Area",
    }  # fmt: skip
    assert foyer["area_difference"] == pytest.approx(15.59 / 17.936 - 1, abs=1e-3)
    assert foyer["height_stated"]["source"] == "PSet_Revit_Dimensions.Unbounded Height"
    institute = space(client, rooms(client, "Institute")["016"])
    assert institute["area_difference"] == pytest.approx(0, abs=1e-6)
    assert institute["zones"] and {zone["ifc_class"] for zone in institute["zones"]} == {"IfcZone"}


@pytest.mark.clause("6.4.2b")
def test_the_engineers_sockets_are_in_the_architects_rooms_and_say_why(client: httpx.Client) -> None:
    found = rooms(client, "Duplex")
    kitchen = space(client, found["A103"])
    sockets = [each for each in kitchen["equipment"] if each["name"].startswith("M_Duplex Receptacle")]
    assert sockets and all(each["derived"] and 0 < each["confidence"] < 1 for each in sockets)
    location = client.get(f"/elements/{sockets[0]['id']}").raise_for_status().json()["location"]
    assert (location["space_id"], location["confidence"]) == (kitchen["id"], sockets[0]["confidence"])
    assert location["reason"]["code"] == "placed.nearest" and location["reason"]["numbers"]["gap"] < 0.3
    assert "最近" in location["reason"]["zh"] and "nearest" in location["reason"]["en"]
    assert kitchen["id"] in {served["id"] for served in location["serves"] if served["reason"] == "contains"}
    window = elements(client, "Duplex", ifc_class="IfcWindow")[0]["id"]
    assert client.get(f"/elements/{window}").raise_for_status().json()["location"]["storey_confidence"] == 1
    report = client.get("/buildings/Duplex/network").raise_for_status().json()
    assert report["equipment_in_room_derived"] == 95


@pytest.mark.clause("6.4.3b")
def test_a_board_serves_the_rooms_of_what_it_feeds(client: httpx.Client) -> None:
    board = elements(client, "Spatial tower", q="F02 AL Floor board")[0]["id"]
    serves = client.get(f"/elements/{board}").raise_for_status().json()["location"]["serves"]
    fed = client.get(f"/elements/{board}/downstream").raise_for_status().json()["items"]
    with_room = {each["element"]["space_id"] for each in fed if each["element"]["ifc_class"] == "IfcLightFixture"}
    assert with_room - {None} and with_room - {None} <= {each["id"] for each in serves if each["reason"] == "feeds"}


def test_rooms_are_listed_by_storey_filtered_and_in_pages(client: httpx.Client) -> None:
    def listed(**filters: Any) -> list[dict[str, Any]]:
        page = client.get("/buildings/Institute/spaces", params=filters).raise_for_status().json()
        return list(page["items"])

    whole = listed(limit=1000)
    assert len(whole) == 82 and [each["elevation"] for each in whole] == sorted(each["elevation"] for each in whole)
    first = client.get("/buildings/Institute/spaces", params={"limit": 50}).raise_for_status().json()
    second = listed(limit=50, cursor=first["next"])
    assert [each["id"] for each in first["items"] + second] == [each["id"] for each in whole]
    storey, zone, use = whole[0]["storey_id"], next(z for each in whole for z in each["zones"]), whole[0]["use"]
    assert {each["storey_id"] for each in listed(storey=storey, limit=1000)} == {storey}
    assert all(zone in each["zones"] for each in listed(zone=zone)) and listed(zone=zone)
    assert {each["use"] for each in listed(use=use)} == {use}
    assert [each["name"] for each in listed(q="016")] == ["016"]


@pytest.mark.clause("6.1.4c")
@pytest.mark.clause("6.1.4d")
def test_figures_by_storey_zone_use_and_class_add_up(client: httpx.Client) -> None:
    by = {
        kind: client.get("/buildings/Institute/statistics", params={"by": kind}).raise_for_status().json()
        for kind in ("storey", "zone", "use", "class")
    }
    listed = client.get("/buildings/Institute/spaces", params={"limit": 1000}).raise_for_status().json()["items"]
    area = sum(each["area"] for each in listed)
    for kind in ("storey", "use"):
        assert sum(group["rooms"] for group in by[kind]["groups"]) == 82
        assert sum(group["area"] for group in by[kind]["groups"]) == pytest.approx(area)
    assert all(each["total"] == by["storey"]["total"] for each in by.values())
    walls = next(group for group in by["class"]["groups"] if group["name"] == "IfcWallStandardCase")
    assert walls["elements"] == len(elements(client, "Institute", ifc_class="IfcWallStandardCase"))
    zone = next(group for group in by["zone"]["groups"] if group["id"])
    in_zone = [each for each in listed if zone["name"] in each["zones"]]
    assert zone["rooms"] == len(in_zone) and zone["area"] == pytest.approx(sum(each["area"] for each in in_zone))


@pytest.mark.clause("6.1.4d")
def test_figures_hold_the_present_values_of_a_storey(client: httpx.Client) -> None:
    room = min(rooms(client, "Spatial tower").values())
    storey = client.get(f"/spaces/{room}").raise_for_status().json()["storey_id"]
    for number, value in enumerate((19.0, 23.0)):
        body = {
            "key": f"statistics.{number}", "name": "t", "building": "Spatial tower", "kind": "number",
            "unit": "DEG_C", "element": room,
        }  # fmt: skip
        client.post("/points", json=body).raise_for_status()
        reading = {"point": body["key"], "ts": datetime.now(UTC).isoformat(), "value": value}
        assert client.post("/readings", json={"readings": [reading]}).raise_for_status().json()["accepted"] == 1
    found = client.get("/buildings/Spatial tower/statistics", params={"by": "storey"}).raise_for_status().json()
    group = next(each for each in found["groups"] if each["id"] == storey)
    measured = next(each for each in group["readings"] if each["unit"] == "DEG_C")
    assert (measured["minimum"], measured["maximum"], measured["mean"]) == (19, 23, 21)


def test_the_nearest_come_in_order_and_without_the_element_itself(client: httpx.Client) -> None:
    pump = elements(client, "Spatial tower", ifc_class="IfcPump")[0]["id"]
    near = client.get("/buildings/Spatial tower/nearest", params={"to": pump, "ifc_class": "IfcValve", "limit": 20})
    items = near.raise_for_status().json()["items"]
    assert {each["ifc_class"] for each in items} == {"IfcValve"} and len(items) == 20
    assert [each["distance"] for each in items] == sorted(each["distance"] for each in items)
    whatever = client.get("/buildings/Spatial tower/nearest", params={"to": pump, "limit": 1000}).json()["items"]
    assert pump not in {each["id"] for each in whatever}
    here: dict[str, str | int] = {
        "at": ",".join(str(x) for x in items[0]["position"]),
        "ifc_class": "IfcValve",
        "limit": 1,
    }
    assert client.get("/buildings/Spatial tower/nearest", params=here).json()["items"][0]["id"] == items[0]["id"]
    lone = client.get("/buildings/Spatial tower/nearest")
    assert (lone.status_code, lone.json()["code"]) == (422, "near.from")


def test_within_a_rooms_polygon_is_what_stands_in_it(client: httpx.Client) -> None:
    kitchen = space(client, rooms(client, "Duplex")["A103"])
    ring = kitchen["footprint"]["coordinates"][0]
    asked = {"polygon": " ".join(f"{x},{y}" for x, y, *_ in ring), "storey": kitchen["storey_id"], "limit": 1000}
    items = client.get("/buildings/Duplex/within", params=asked).raise_for_status().json()["items"]
    inside = {each["id"] for each in kitchen["equipment"] if each["confidence"] > 0.9 or not each["derived"]}
    assert inside & {each["id"] for each in items}
    paged = client.get("/buildings/Duplex/within", params={"storey": kitchen["storey_id"], "limit": 10}).json()
    after = client.get(
        "/buildings/Duplex/within", params={"storey": kitchen["storey_id"], "limit": 10, "cursor": paged["next"]}
    )
    assert not {each["id"] for each in paged["items"]} & {each["id"] for each in after.json()["items"]}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "within.what"),
        ({"polygon": "1,1 2,2"}, "within.polygon"),
        ({"polygon": "0,0 1,1 1,0 0,1"}, "within.polygon_crossed"),
        ({"radius": "3"}, "near.from"),
        ({"radius": "3", "at": "1,2"}, "near.at"),
        ({"storey": "nowhere"}, "storey.unknown"),
    ],
)
def test_a_question_that_makes_no_sense_says_what_is_wrong(
    client: httpx.Client, asked: dict[str, str], code: str
) -> None:
    assert client.get("/buildings/Duplex/within", params=asked).json()["code"] == code


@pytest.mark.clause("6.4.2b")
@pytest.mark.parametrize(
    ("corridor", "behind"),
    [
        ("116", {"101", "102", "103", "104", "113", "114", "115", "117"}),
        ("118", {"105", "106", "107", "108", "109", "110", "111", "112", "117"}),
        ("117", {"116", "118", "outside"}),
    ],
)
def test_every_door_of_the_institutes_ground_floor_is_where_its_plan_shows_it(
    client: httpx.Client, corridor: str, behind: set[str]
) -> None:
    found = rooms(client, "Institute")
    names = {id: name for name, id in found.items()}
    doors = space(client, found[corridor])["doors"]
    led = {names[id] for door in doors for id in door["leads_to"]}
    assert led | {"outside" for door in doors if door["outside"]} == behind


def test_an_opening_without_a_door_leads_from_room_to_room(client: httpx.Client) -> None:
    found = rooms(client, "Flat")
    passages = space(client, found["2"])["passages"]
    assert [(each["ifc_class"], each["leads_to"]) for each in passages] == [("IfcOpeningElement", [found["8"]])]
    beside = {other["id"]: other["kind"] for other in space(client, found["2"])["neighbours"]}
    assert beside[found["8"]] == "open"


def test_rooms_that_the_file_lacks_are_derived_from_walls_and_said_to_be(client: httpx.Client) -> None:
    """The duplex has walls and no room in its foundation; its other storeys are covered by their rooms."""
    items = client.get("/buildings/Duplex/derived-rooms").raise_for_status().json()["items"]
    storeys = {each["storey"]: each for each in items}
    foundation = storeys["T/FDN"]
    assert foundation["rooms"] == 0 and len(foundation["derived"]) == 1
    room = foundation["derived"][0]
    assert room["area"] == pytest.approx(131, abs=2) and 0 < room["confidence"] < 1
    for level in ("Level 1", "Level 2"):
        assert storeys[level]["derived"] == [] and storeys[level]["rooms"] == 10
    report = client.get("/buildings/Duplex/network").raise_for_status().json()
    assert report["storeys_without_rooms"] == ["T/FDN"]


def test_a_house_of_three_by_three_rooms_that_has_none_in_its_file_gets_nine(client: httpx.Client) -> None:
    items = client.get("/buildings/Nine/derived-rooms").raise_for_status().json()["items"]
    derived = [room for storey in items for room in storey["derived"]]
    assert len(derived) == 9 and all(30 < room["area"] < 60 for room in derived)
    assert sum(room["area"] for room in derived) == pytest.approx(389, abs=2)
    assert sum(len(room["doors"]) > 0 for room in derived) >= 8


def test_who_may_see_one_storey_gets_answers_of_that_storey_only(client: httpx.Client, server: Server) -> None:
    kitchen = space(client, rooms(client, "Duplex")["A103"])
    made = client.post("/api-keys", json={"name": "level 1", "role": "owner", "buildings": ["Flat"]})
    key = made.raise_for_status().json()
    grant = {"key": key["key"]["id"], "role": "owner", "storey": kitchen["storey_id"]}
    client.post("/grants", json=grant).raise_for_status()
    asked: dict[str, dict[str, Any]] = {
        "nearest": {"to": kitchen["id"], "limit": 1000},
        "within": {"radius": 100, "at": "0,0,0", "limit": 1000},
    }
    with httpx.Client(base_url=server.api, headers={"authorization": f"Bearer {key['secret']}"}, timeout=60) as limited:
        for question, params in asked.items():
            seen = limited.get(f"/buildings/Duplex/{question}", params=params).raise_for_status().json()["items"]
            every = client.get(f"/buildings/Duplex/{question}", params=params).raise_for_status().json()["items"]
            assert {each["storey_id"] for each in seen} == {kitchen["storey_id"]}
            assert [each["id"] for each in seen] == [
                each["id"] for each in every if each["storey_id"] == kitchen["storey_id"]
            ]
        figures = limited.get("/buildings/Duplex/statistics").raise_for_status().json()
        assert [group["id"] for group in figures["groups"]] == [kitchen["storey_id"]]
        listed = limited.get("/buildings/Duplex/spaces", params={"limit": 1000}).raise_for_status().json()["items"]
        assert {each["storey_id"] for each in listed} == {kitchen["storey_id"]}
