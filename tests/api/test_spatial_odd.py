"""A file no architect would sign is imported all the same, and what is wrong with it is said."""

from typing import Any

import httpx
import pytest

from tests.api.odd_building import write_odd_building
from tests.serving import Server, upload

NAME = "Odd"


@pytest.fixture(scope="module", autouse=True)
def odd(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The building and its import's report."""
    path = tmp_path_factory.mktemp("odd") / "odd.ifc"
    write_odd_building(path)
    with server.client() as client:
        client.post("/buildings", json={"name": NAME}).raise_for_status()
        job = upload(client, path, NAME)
    assert job["state"] == "done", job
    return job


def spaces(client: httpx.Client) -> dict[str, dict[str, Any]]:
    page = client.get(f"/buildings/{NAME}/spaces", params={"limit": 1000}).raise_for_status().json()
    return {each["name"]: each for each in page["items"]}


def test_what_is_wrong_with_the_rooms_is_reported(client: httpx.Client) -> None:
    report = client.get(f"/buildings/{NAME}/network").raise_for_status().json()
    assert [each["name"] for each in report["rooms_without_floor"]["examples"]] == ["Nowhere"]
    assert [each["name"] for each in report["doors_joining_none"]["examples"]] == ["Lost door"]
    assert report["storeys_without_rooms"] == ["Upper"] or report["storeys_without_rooms"] == ["Upper", "Upper"]
    assert (report["doors"], report["doors_joining_two"]) == (3, 2)
    nowhere = spaces(client)["Nowhere"]
    assert (nowhere["has_floor"], nowhere["area"]) == (False, None)
    detail = client.get(f"/spaces/{nowhere['id']}").raise_for_status().json()
    assert (detail["footprint"], detail["neighbours"], detail["area_source"]) == (None, [], None)


def test_a_room_whose_outline_crosses_itself_has_the_area_it_encloses(client: httpx.Client) -> None:
    crossed = spaces(client)["Crossed"]
    assert crossed["area"] is None or 0 < crossed["area"] <= 16


def test_storeys_given_top_first_are_used_by_their_height(client: httpx.Client) -> None:
    found = spaces(client)
    assert found["Hall 0"]["elevation"] == 0
    pump = client.get("/elements", params={"building": NAME, "q": "Pump 0"}).raise_for_status().json()["items"][0]
    location = client.get(f"/elements/{pump['id']}").raise_for_status().json()["location"]
    assert (location["space_id"], location["storey_id"]) == (found["Hall 0"]["id"], found["Hall 0"]["storey_id"])
    assert location["reason"]["code"] == "placed.inside" and location["storey_reason"]["code"] == "placed.storey_room"
    assert location["storey_name"] == "Ground" and location["confidence"] > 0.9
    lamp = client.get("/elements", params={"building": NAME, "q": "Lamp 0"}).raise_for_status().json()["items"][0]
    assert client.get(f"/elements/{lamp['id']}").raise_for_status().json()["location"]["storey_name"] == "Upper"


def test_two_buildings_in_one_file_stay_apart(client: httpx.Client) -> None:
    found = spaces(client)
    near = {"to": found["Hall 0"]["id"], "ifc_class": "IfcPump", "radius": 50}
    items = client.get(f"/buildings/{NAME}/nearest", params=near).raise_for_status().json()["items"]
    assert [each["name"] for each in items] == ["Pump 0"]
    both = client.get(f"/buildings/{NAME}/nearest", params={**near, "radius": 500}).raise_for_status().json()["items"]
    assert [each["name"] for each in both] == ["Pump 0", "Pump 1"] and both[1]["distance"] > 90
    none = client.get("/route", params={"from": found["Hall 0"]["id"], "to": found["Hall 1"]["id"]})
    assert none.status_code == 404
    way = client.get("/route", params={"from": found["Hall 1"]["id"], "to": found["Room 1"]["id"]})
    assert [each["name"] for each in way.raise_for_status().json()["doors"]] == ["Door 1"]


def test_rooms_that_overlap_are_said_to(client: httpx.Client) -> None:
    hall = client.get(f"/spaces/{spaces(client)['Hall 0']['id']}").raise_for_status().json()
    assert "Over" in {each["name"] for each in hall["neighbours"]}


def named(client: httpx.Client, name: str) -> dict[str, Any]:
    found = client.get("/elements", params={"building": NAME, "q": name}).raise_for_status().json()["items"]
    return dict(next(each for each in found if each["name"] == name))


@pytest.mark.clause("6.4.3b")
def test_a_system_over_two_buildings_says_both_and_its_outage_is_felt_in_both(client: httpx.Client) -> None:
    systems = client.get(f"/buildings/{NAME}/systems").raise_for_status().json()["items"]
    district = next(each for each in systems if each["name"] == "District heating")
    assert (district["elements"], district["edges"], district["parts"], len(district["buildings"])) == (4, 3, 1, 2)
    pump = named(client, "Pump 0")
    outage = client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()
    assert [each["element"]["name"] for each in outage["equipment"]] == ["Main", "Valve", "Pump 1"]
    # The main runs through four rooms and belongs to the one that holds most of it.
    assert {each["room"]["name"] for each in outage["rooms"]} == {"Hall 0", "Hall 1", "Over"}
    far = client.get(f"/elements/{named(client, 'Pump 1')['id']}/affected").raise_for_status().json()
    assert [each["name"] for each in far["isolation"]["elements"]] == ["Valve"] and far["isolation"]["complete"]


@pytest.mark.clause("6.4.3b")
def test_pipes_joined_in_a_circle_to_themselves_or_to_nothing_are_reported(client: httpx.Client) -> None:
    report = client.get(f"/buildings/{NAME}/network").raise_for_status().json()
    assert report["circuits"] == [3] and report["flow_parts"] == [4, 3]
    assert [each["name"] for each in report["joined_to_itself"]["examples"]] == ["Itself"]
    assert report["loose_ports"]["count"] == 1
    systems = client.get(f"/buildings/{NAME}/systems").raise_for_status().json()["items"]
    ring = next(each for each in systems if each["name"] == "Ring")
    assert (ring["loops"], ring["loose_ports"], ring["edges"]) == (1, 1, 3)
    one = named(client, "Ring 0")["id"]
    for way in ("downstream", "upstream"):
        reached = client.get(f"/elements/{one}/{way}").raise_for_status().json()["items"]
        assert {each["element"]["name"] for each in reached} == {"Ring 1", "Ring 2"}


def test_a_spatial_zone_holds_its_rooms_of_both_buildings(client: httpx.Client) -> None:
    listed = client.get(f"/buildings/{NAME}/spaces", params={"zone": "Fire compartment"}).raise_for_status().json()
    assert {each["name"] for each in listed["items"]} == {"Hall 0", "Hall 1"}
    by_zone = client.get(f"/buildings/{NAME}/statistics", params={"by": "zone"}).raise_for_status().json()["groups"]
    assert [(each["name"], each["rooms"], each["area"]) for each in by_zone if each["id"]] == [
        ("Fire compartment", 2, pytest.approx(24.0))
    ]
    location = client.get(f"/elements/{named(client, 'Pump 0')['id']}").raise_for_status().json()["location"]
    assert "Fire compartment" in {each["name"] for each in location["zones"]}
    turtle = client.get(f"/buildings/{NAME}/graph.ttl").raise_for_status().text
    assert "brick:Zone" in turtle and "Fire compartment" in turtle
    again = client.post(f"/buildings/{NAME}/graph", files={"file": ("own.ttl", turtle)}).raise_for_status().json()
    assert again["report"]["taken"] == {} and again["report"]["unmatched"] == 0
