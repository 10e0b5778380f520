"""Systems of real files with their joins taken away, and Brick graphs out and in, over HTTP."""

import re
from pathlib import Path
from typing import Any

import httpx
import ifcopenshell
import pytest
from pyoxigraph import QuerySolution, QuerySolutions, RdfFormat, Store, parse

from tests.serving import Server, run_twin, upload
from twin.brick import brick_classes

HEATING = "mep/hvac_heating_luartx.ifc"
HOUSE = "mep/b03_heating_with_building_props_bonsai.ifc"  # the rooms around it, and all of it once more
JOINS = re.compile(r"^#\d+\s*=\s*IFCREL(CONNECTSPORTS|NESTS)\(.*\n", re.MULTILINE)
PREFIXES = """
PREFIX brick: <https://brickschema.org/schema/Brick#> PREFIX bot: <https://w3id.org/bot#>
PREFIX ref: <https://brickschema.org/schema/Brick/ref#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""


@pytest.fixture(scope="module", autouse=True)
def models(server: Server, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A heating system as it is, in the architect's rooms, and torn in two models without a word about what is joined;
    a sample tower.
    """
    folder = tmp_path_factory.mktemp("systems")
    tower = folder / "graph tower.ifc"
    made = run_twin("sample", str(tower), "--storeys", "2", data=folder / "data", database=None)
    assert made.returncode == 0, made.stderr
    files = {
        "Joined": [shared / "ifc" / HEATING],
        "Pair": [rooms_alone(shared / "ifc" / HOUSE, folder / "rooms.ifc"), shared / "ifc" / HEATING],
        "Bare": halves(shared / "ifc" / HEATING, folder),
        "Loose ports": [shared / "ifc/mep/B01_4_HeatExchanger_noConnection.ifc"],
        "Graph tower": [tower],
    }
    with server.client() as client:
        for building, parts in files.items():
            client.post("/buildings", json={"name": building}).raise_for_status()
            for file in parts:
                assert upload(client, file, building)["state"] == "done"


def halves(file: Path, folder: Path) -> list[Path]:
    """Two models of every other element each, so that most of what touches touches the other model."""
    text, count = JOINS.subn("", file.read_text(encoding="latin-1"))
    assert count == 228 + 220
    made = []
    for half in (0, 1):
        model = ifcopenshell.file.from_string(text)
        elements = sorted(model.by_type("IfcDistributionFlowElement"), key=lambda element: str(element.GlobalId))
        for gone in (*model.by_type("IfcPort"), *elements[half::2]):
            model.remove(gone)
        made.append(folder / f"half {half}.ifc")
        model.write(str(made[-1]))
    return made


def rooms_alone(file: Path, to: Path) -> Path:
    """The architect's model: a house without what flows in it."""
    model = ifcopenshell.open(str(file))
    for gone in (*model.by_type("IfcDistributionElement"), *model.by_type("IfcPort"), *model.by_type("IfcSystem")):
        model.remove(gone)
    model.write(str(to))
    return to


def edges(client: httpx.Client, building: str) -> set[frozenset[str]]:
    """Pairs of GlobalIds that `feeds` joins, in whatever direction."""
    store = graph_of(client, building)
    found = select(
        store,
        """SELECT ?one ?other WHERE { ?a brick:feeds ?b .
             ?a ref:hasExternalReference/ref:ifcGlobalID ?one . ?b ref:hasExternalReference/ref:ifcGlobalID ?other }""",
    )
    return {frozenset((each["one"].value, each["other"].value)) for each in found}


def select(store: Store, query: str) -> list[QuerySolution]:
    found = store.query(PREFIXES + query)
    assert isinstance(found, QuerySolutions)
    return list(found)


def graph_of(client: httpx.Client, building: str) -> Store:
    store = Store()
    store.load(turtle_of(client, building), format=RdfFormat.TURTLE)
    return store


def turtle_of(client: httpx.Client, building: str) -> bytes:
    answer = client.get(f"/buildings/{building}/graph.ttl").raise_for_status()
    assert answer.headers["content-type"].startswith("text/turtle")
    return answer.content


def hand_in(client: httpx.Client, building: str, text: str | bytes) -> dict[str, Any]:
    answer = client.post(f"/buildings/{building}/graph", files={"file": ("ours.ttl", text)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def named(client: httpx.Client, building: str, **filters: Any) -> list[dict[str, Any]]:
    answer = client.get("/elements", params={"building": building, "limit": 1000, **filters}).raise_for_status()
    return list(answer.json()["items"])


@pytest.mark.clause("6.4.3b")
def test_a_heating_system_in_two_models_without_a_word_about_joins_is_joined_again_and_nothing_wrong_is(
    client: httpx.Client,
) -> None:
    given, touching = edges(client, "Joined"), edges(client, "Bare")
    assert len(given) == 228
    assert len(touching & given) >= 220
    assert touching <= given
    report = client.get("/buildings/Bare/network").raise_for_status().json()
    assert set(report["flow_joined"]) == {"end", "body"}
    assert report["flow_edges_derived"] == report["flow_edges"] == len(touching)
    model = {each["global_id"]: each["model_id"] for each in named(client, "Bare")}
    between = [pair for pair in touching if len({model[each] for each in pair}) == 2]
    assert len(between) > 90 and len(set(model.values())) == 2
    cuts = {
        pump["id"]: client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()
        for pump in named(client, "Bare", ifc_class="IfcPump")
    }
    whose = {each["id"]: each["model_id"] for each in named(client, "Bare")}
    shut = [{whose[each["id"]] for each in cut["isolation"]["elements"]} - {whose[pump]} for pump, cut in cuts.items()]
    off = [{whose[each["element"]["id"]] for each in cut["equipment"]} for cut in cuts.values()]
    assert any(shut) and all(len(models) == 2 for models in off), "valves and what goes off are in both models"


@pytest.mark.clause("6.1.4d")
@pytest.mark.clause("6.4.3b")
def test_an_outage_in_the_pipe_fitters_model_is_felt_in_the_rooms_of_the_architects(client: httpx.Client) -> None:
    report = client.get("/buildings/Pair/network").raise_for_status().json()
    assert (report["rooms"], report["flow_edges"], report["equipment_in_room_derived"]) == (5, 228, 220)
    pump = next(
        each for each in named(client, "Pair", ifc_class="IfcPump") if each["global_id"] == "0Up8QC41bqgqOArs5hm6FO"
    )
    outage = client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()
    # As in the file that holds both: all rooms, and the two valves that shut the pump off.
    assert len(outage["rooms"]) == 5 and len(outage["equipment"]) == 212
    rooms = {each["id"]: each["model_id"] for each in named(client, "Pair", ifc_class="IfcSpace")}
    assert pump["model_id"] not in {rooms[each["room"]["id"]] for each in outage["rooms"]}
    assert {each["global_id"] for each in outage["isolation"]["elements"]} == {
        "2U5r_OkQnyY41iWvgekBIX",
        "3IWbzWbBupaKYDANVfkxAp",
    }


def test_a_real_heating_system_is_one_circuit(client: httpx.Client) -> None:
    report = client.get("/buildings/Joined/network").raise_for_status().json()
    assert (report["flow_elements"], report["flow_edges"], report["circuits"]) == (219, 228, [197])
    assert report["loose_ports"]["count"] == 8


def test_ports_that_the_file_leaves_unconnected_are_joined_where_they_meet(client: httpx.Client) -> None:
    report = client.get("/buildings/Loose ports/network").raise_for_status().json()
    assert (report["flow_joined"], report["flow_parts"]) == ({"port": 4}, [5])  # four pipes at a heat exchanger


@pytest.mark.clause("6.4.3b")
def test_a_system_lists_its_members_in_the_order_of_flow_and_its_breaks(client: httpx.Client) -> None:
    systems = client.get("/buildings/Joined/systems").raise_for_status().json()["items"]
    assert [each["name"] for each in systems] == sorted(each["name"] for each in systems)
    hot = next(each for each in systems if each["name"] == "Heisswasser_VL")
    assert (hot["elements"], hot["edges"], hot["parts"], hot["loose_ports"]) == (18, 16, 2, 1)
    detail = client.get(f"/systems/{hot['id']}").raise_for_status().json()
    assert detail["brief"] == hot
    order = {member["element"]["id"]: member["order"] for member in detail["members"]}
    assert len(order) == 18 and len(detail["edges"]) == 16
    assert all(
        order[edge["to"]] <= order[edge["from"]] + 1 for edge in detail["edges"] if order[edge["from"]] is not None
    )
    assert client.get("/systems/00000000-0000-4000-8000-000000000000").json()["code"] == "system.unknown"


@pytest.mark.clause("6.4.3b")
def test_a_pump_between_two_valves_is_isolated_by_them_and_a_radiator_without_any_is_not(client: httpx.Client) -> None:
    outages = {
        pump["id"]: client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()["isolation"]
        for pump in named(client, "Joined", ifc_class="IfcPump")
    }
    isolated = [cut for cut in outages.values() if cut["reason"] == "isolated"]
    assert 2 in {len(cut["elements"]) for cut in isolated} and all(cut["complete"] for cut in isolated)
    assert all(valve["ifc_class"] == "IfcValve" for cut in isolated for valve in cut["elements"])
    radiator = named(client, "Joined", ifc_class="IfcSpaceHeater")[0]["id"]
    cut = client.get(f"/elements/{radiator}/affected").raise_for_status().json()["isolation"]
    assert (cut["complete"], cut["reason"]) == (False, "no_isolator") and cut["unstopped"]


@pytest.mark.clause("6.4.3b")
@pytest.mark.clause("6.1.4d")
def test_an_outage_names_what_people_lose_life_safety_first_and_the_alarms_that_follow(client: httpx.Client) -> None:
    board = next(each for each in named(client, "Graph tower", ifc_class="IfcElectricDistributionBoard"))
    outages = [
        client.get(f"/elements/{each['id']}/affected").raise_for_status().json()
        for each in named(client, "Graph tower", ifc_class="IfcElectricDistributionBoard")
    ]
    widest = max(outages, key=lambda outage: len(outage["equipment"]))
    codes = [each["code"] for each in widest["functions"]]
    assert {"lift", "lighting"} <= set(codes) and board
    safety = [each["life_safety"] for each in widest["functions"]]
    assert safety == sorted(safety, reverse=True)
    assert all(each["name"]["zh"] and each["name"]["en"] and each["count"] for each in widest["functions"])
    for each in widest["equipment"]:
        ends = {each["edge"]["from"], each["edge"]["to"]}
        assert each["element"]["id"] == each["edge"]["to"] and each["via"][0] in ends
    point = widest["points"][0]
    rule = {"name": "Follows", "point": point["key"], "kind": "low", "limit": 0, "severity": "critical"}
    client.post("/alarm-rules", json=rule).raise_for_status()
    again = client.get(f"/elements/{widest['element']['id']}/affected").raise_for_status().json()
    assert ("Follows", "critical", point["id"]) in {(a["name"], a["severity"], a["point"]) for a in again["alarms"]}


def test_the_graph_says_in_sparql_what_feeds_a_room_and_uses_only_classes_of_brick(client: httpx.Client) -> None:
    store = graph_of(client, "Graph tower")
    rooms = select(
        store,
        """SELECT ?room (COUNT(DISTINCT ?x) AS ?n) WHERE {
             ?room a brick:Room, bot:Space ; brick:isPartOf ?storey . ?storey a bot:Storey .
             ?x brick:feeds+ ?room . ?board a brick:Switchgear ; brick:feeds+ ?x } GROUP BY ?room""",
    )
    assert len(rooms) > 5
    classes = select(store, "SELECT DISTINCT ?c WHERE { ?x a ?c }")
    names = {each["c"].value for each in classes}
    brick = {name.split("#")[1] for name in names if name.startswith("https://brickschema.org/schema/Brick#")}
    assert len(brick) > 15 and brick <= set(brick_classes())
    points = select(
        store,
        """SELECT ?key WHERE { ?p brick:isPointOf ?e ; brick:hasUnit ?unit ;
             ref:hasExternalReference [ a ref:TimeseriesReference ; ref:hasTimeseriesId ?key ] }""",
    )
    keys = {each["key"].value for each in points}
    own = client.get("/points", params={"building": "Graph tower", "limit": 1000}).json()["items"]
    assert keys and keys <= {each["key"] for each in own}


def test_what_a_building_says_is_known_to_it_and_a_copy_learns_only_what_it_lacks(client: httpx.Client) -> None:
    text = turtle_of(client, "Joined")
    same = hand_in(client, "Joined", text)["report"]
    assert same["taken"] == {} and same["unmatched"] == 0 and same["known"]["feeds"] == 228
    first = hand_in(client, "Bare", text)
    assert first["report"]["taken"].keys() == {"feeds"} and first["report"]["contradictions"] == 0
    again = hand_in(client, "Bare", text)  # the same file replaces itself
    assert again["report"] == first["report"] and again["id"] != first["id"]
    assert [each["id"] for each in client.get("/buildings/Bare/graph/imports").json()["items"]] == [again["id"]]
    assert edges(client, "Bare") == edges(client, "Joined")
    pumps = named(client, "Bare", ifc_class="IfcPump")
    how = [
        each["edge"]["how"]
        for pump in pumps
        for each in client.get(f"/elements/{pump['id']}/downstream").json()["items"]
    ]
    assert "brick" in how
    assert client.delete(f"/buildings/Bare/graph/imports/{again['id']}").status_code == 204
    assert len(edges(client, "Bare")) < 228


def test_what_only_a_graph_knows_leads_on_to_rooms_and_binds_points(client: httpx.Client) -> None:
    fan = named(client, "Graph tower", ifc_class="IfcUnitaryEquipment")[0]
    room = named(client, "Graph tower", ifc_class="IfcSpace")[0]
    key = "plant/chiller/leaving"
    made = client.post("/points", json={"key": key, "name": "Leaving", "building": "Graph tower", "kind": "number"})
    point = f"/points/{made.raise_for_status().json()['id']}"
    report = hand_in(
        client,
        "Graph tower",
        f"""@prefix brick: <https://brickschema.org/schema/Brick#> . @prefix : <http://example.org/plant#> .
        @prefix ref: <https://brickschema.org/schema/Brick/ref#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :chiller a brick:Chiller ; rdfs:label "Chiller on the roof" ; brick:feeds :valve .
        :valve a brick:Valve ; brick:feeds <urn:uuid:{room["id"]}> ; brick:isFedBy :ahu .
        :ahu a brick:AHU ; ref:hasExternalReference [ ref:ifcGlobalID "{fan["global_id"]}" ] ; brick:feeds :ahu .
        :t a brick:Point ; ref:hasExternalReference [ ref:hasTimeseriesId "{key}" ] ; brick:isPointOf :ahu .
        :elsewhere brick:feeds :nowhere .""",
    )
    told = report["report"]
    assert told["taken"] == {"feeds": 3, "isPointOf": 1} and told["apart"] == {"feeds": 1}
    assert told["matched"] == {"uri": 1, "global_id": 1, "timeseries": 1} and told["joined_to_itself"] == 1
    assert {each["uri"].rsplit("#")[1] for each in told["not_understood"]} == {
        "chiller",
        "valve",
        "elsewhere",
        "nowhere",
    }
    assert client.get(point).json()["element"]["id"] == fan["id"]
    outage = client.get(f"/elements/{fan['id']}/affected").raise_for_status().json()
    assert {each["room"]["id"]: each["reason"] for each in outage["rooms"]}[room["id"]] == "fed"
    assert "http://example.org/plant#valve" in {each["uri"] for each in outage["outside_model"]}
    out = {str(triple.subject) for triple in parse(turtle_of(client, "Graph tower"), format=RdfFormat.TURTLE)}
    assert "<http://example.org/plant#chiller>" in out
    client.delete(f"/buildings/Graph tower/graph/imports/{report['id']}").raise_for_status()
    assert client.get(point).json()["element"] is None
    later = client.get(f"/elements/{fan['id']}/affected").raise_for_status().json()
    assert later["outside_model"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"files": {"file": ("x.ttl", b"<a> <b> .")}}, "graph.syntax"),
        ({"content": b"\x00\x01", "headers": {"content-type": "text/turtle"}}, "graph.syntax"),
        ({"files": {"other": ("x.ttl", b"")}}, "graph.no_file"),
    ],
)
def test_a_bad_graph_is_refused_with_its_reason(client: httpx.Client, options: dict[str, Any], code: str) -> None:
    answer = client.post("/buildings/Loose ports/graph", **options)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.get("/buildings/Loose ports/graph/imports").json()["items"] == []
