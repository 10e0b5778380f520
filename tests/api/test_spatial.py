"""Where is it, what feeds it, what else is affected, how do I get there: over HTTP, on real models."""

from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import Server, run_twin, upload

FILES = {"Institute": "arch/AC11-Institute-Var-2.ifc", "Duplex": "arch/Duplex_A_20110907.ifc"}
HEATING = "mep/hvac_heating_luartx.ifc"


@pytest.fixture(scope="module", autouse=True)
def models(server: Server, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The buildings of this module: two real houses, a real heating system, a sample tower."""
    sample = tmp_path_factory.mktemp("sample") / "spatial tower.ifc"
    made = run_twin("sample", str(sample), "--storeys", "3", data=sample.parent / "data", database=None)
    assert made.returncode == 0, made.stderr
    files = {name: shared / "ifc" / file for name, file in FILES.items()}
    with server.client() as client:
        for building, file in {**files, "Heating": shared / "ifc" / HEATING, "Spatial tower": sample}.items():
            client.post("/buildings", json={"name": building}).raise_for_status()
            assert upload(client, file, building)["state"] == "done"


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
            {"rooms": 21, "doors": 14, "doors_joining_two": 10, "doors_leading_outside": 4, "islands": [10, 10, 1]},
        ),
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
    assert [step["kind"] for step in route["steps"]].count("stair") == 3
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
    assert "stair" in [step["kind"] for step in route["steps"]]
    assert route["steps"][-1]["kind"] == "door"
    closed = client.get("/route", params={"from": found["A203"], "to": "outside", "closed": route["doors"][-1]["id"]})
    assert closed.raise_for_status().json()["doors"][-1] != route["doors"][-1]


def test_a_real_heating_system_is_one_circuit(client: httpx.Client) -> None:
    report = client.get("/buildings/Heating/network").raise_for_status().json()
    assert (report["flow_elements"], report["flow_edges"], report["circuits"]) == (219, 228, [197])
    assert report["loose_ports"]["count"] == 8


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
