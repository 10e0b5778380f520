"""The generated tower: valid IFC, connected systems, walkable rooms, data points, same bytes for the same seed."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.util.placement
import ifcopenshell.validate
import networkx as nx
import pytest
from ifcopenshell import entity_instance as Entity

from ifc_models.sample import SampleSummary, write_sample
from ifc_models.sample.points import ROLES


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample") / "tower.ifc")


@pytest.fixture(scope="module")
def tower(written: SampleSummary) -> ifcopenshell.file:
    return ifcopenshell.open(str(written.path))


@pytest.fixture(scope="module")
def flows(tower: ifcopenshell.file) -> nx.DiGraph:
    """Elements by id, an edge from the owner of each source port to the owner of the sink port."""
    owner = {port.id(): rel.RelatingObject.id() for rel in tower.by_type("IfcRelNests") for port in rel.RelatedObjects}
    graph = nx.DiGraph()
    for rel in tower.by_type("IfcRelConnectsPorts"):
        assert (rel.RelatingPort.FlowDirection, rel.RelatedPort.FlowDirection) == ("SOURCE", "SINK")
        graph.add_edge(owner[rel.RelatingPort.id()], owner[rel.RelatedPort.id()])
    return graph


def _flat_count(written: SampleSummary) -> int:
    return 4 * (written.storeys - 1) * written.wings


def _validate(path: Path, *, rules: bool) -> list[str]:
    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(ifcopenshell.open(str(path)), log, express_rules=rules)
    return [str(statement["message"]) for statement in log.statements]


def test_the_sample_breaks_no_schema_rule(written: SampleSummary) -> None:
    assert _validate(written.path, rules=False) == []


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_small_sample_breaks_no_express_rule(tmp_path: Path) -> None:
    small = write_sample(tmp_path / "small.ifc", storeys=2)
    # IFC4 itself misspells the class in the transformer's rule, so no typed transformer can obey it.
    assert [m for m in _validate(small.path, rules=True) if "ifctranformertype" not in m] == []


def test_the_summary_counts_what_the_file_holds(written: SampleSummary, tower: ifcopenshell.file) -> None:
    openings = len(tower.by_type("IfcFeatureElementSubtraction"))
    spaces = tower.by_type("IfcSpace")
    assert written.elements == len(tower.by_type("IfcElement")) - openings
    assert written.rooms == sum(s.PredefinedType != "PARKING" for s in spaces)
    assert written.bytes == written.path.stat().st_size < 8_000_000
    assert 2_500 <= written.elements <= 5_000
    assert len(tower.by_type("IfcBuildingStorey")) == written.storeys + 2


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_ids(written: SampleSummary, tmp_path: Path) -> None:
    again = write_sample(tmp_path / "again.ifc")
    other = write_sample(tmp_path / "other.ifc", seed=2)
    assert again.path.read_bytes() == written.path.read_bytes()
    ids = [set(re.findall(r"IFCWALL\('([^']{22})'", p.read_text())) for p in (written.path, other.path)]
    assert ids[0] and not ids[0] & ids[1]


def test_global_ids_are_unique(tower: ifcopenshell.file) -> None:
    counts = Counter(e.GlobalId for e in tower.by_type("IfcRoot"))
    assert [g for g, n in counts.items() if n > 1] == []


def test_every_element_is_in_a_space_a_storey_or_on_the_site(tower: ifcopenshell.file) -> None:
    for element in tower.by_type("IfcElement"):
        if element.is_a("IfcFeatureElement"):
            continue
        whole = ifcopenshell.util.element.get_container(element)
        assert whole is not None and whole.is_a() in ("IfcSpace", "IfcBuildingStorey", "IfcSite"), element


def test_the_file_says_where_on_earth_it_stands(tower: ifcopenshell.file) -> None:
    (conversion,) = tower.by_type("IfcMapConversion")
    (site,) = tower.by_type("IfcSite")
    assert conversion.TargetCRS.Name == "EPSG:4549"
    assert site.RefLatitude[:2] == (31, 13) and site.RefLongitude[:2] == (121, 32)
    context = tower.by_type("IfcGeometricRepresentationContext", include_subtypes=False)[0]
    assert context.TrueNorth.DirectionRatios[0] == pytest.approx(-0.2079, abs=1e-3)
    (length,) = [u for u in tower.by_type("IfcSIUnit") if u.UnitType == "LENGTHUNIT"]
    assert (length.Prefix, length.Name) == (None, "METRE")


# -- ways ------------------------------------------------------------------------------------------------------------


def _bounded(tower: ifcopenshell.file) -> dict[int, list[Entity]]:
    spaces: dict[int, list[Entity]] = {}
    for rel in tower.by_type("IfcRelSpaceBoundary"):
        spaces.setdefault(rel.RelatedBuildingElement.id(), []).append(rel.RelatingSpace)
    return spaces


def test_every_door_fills_an_opening_and_lies_between_two_spaces_or_leads_outside(tower: ifcopenshell.file) -> None:
    spaces = _bounded(tower)
    outside = 0
    for door in tower.by_type("IfcDoor"):
        assert door.FillsVoids[0].RelatingOpeningElement.VoidsElements[0].RelatingBuildingElement.is_a("IfcWall")
        between = spaces[door.id()]
        assert 1 <= len(between) <= 2 and len(set(between)) == len(between), door
        outside += len(between) == 1
    assert outside == 7  # entrance, fire control, refuse, bicycles, two fire exits, garage shutter


def test_every_room_can_be_reached_through_doors_and_stairs(tower: ifcopenshell.file) -> None:
    graph = nx.Graph()
    rooms = [s for s in tower.by_type("IfcSpace") if s.PredefinedType != "PARKING"]
    graph.add_nodes_from(s.id() for s in rooms)
    spaces = _bounded(tower)
    for door in tower.by_type("IfcDoor"):
        between = spaces[door.id()]
        if len(between) == 2:
            graph.add_edge(between[0].id(), between[1].id())
    for stair in ("1号楼梯间", "2号楼梯间"):
        wells = sorted((s for s in rooms if s.LongName.startswith(stair)), key=_height)
        assert len(wells) == 14
        nx.add_path(graph, [s.id() for s in wells])
    assert nx.number_connected_components(graph) == 1


def _height(space: Entity) -> float:
    return float(ifcopenshell.util.placement.get_local_placement(space.ObjectPlacement)[2][3])


def test_stairs_rise_from_each_storey_to_the_next(tower: ifcopenshell.file) -> None:
    for stair in tower.by_type("IfcStair"):
        flights = [p for p in stair.IsDecomposedBy[0].RelatedObjects if p.is_a("IfcStairFlight")]
        place = ifcopenshell.util.element.get_container(stair)
        storey = ifcopenshell.util.element.get_aggregate(place)
        elevations = sorted(s.Elevation for s in tower.by_type("IfcBuildingStorey"))
        height = elevations[elevations.index(storey.Elevation) + 1] - storey.Elevation
        assert sum(f.NumberOfRisers * f.RiserHeight for f in flights) == pytest.approx(height, abs=1e-3)
        assert all(0.14 <= f.RiserHeight <= 0.18 and f.TreadLength >= 0.25 for f in flights), storey.Name


# -- systems ---------------------------------------------------------------------------------------------------------


def test_every_port_is_connected(tower: ifcopenshell.file) -> None:
    ports = Counter(p.id() for r in tower.by_type("IfcRelConnectsPorts") for p in (r.RelatingPort, r.RelatedPort))
    assert len(ports) == len(tower.by_type("IfcDistributionPort")) and set(ports.values()) == {1}


def test_water_runs_from_the_tank_over_pumps_to_every_tap(tower: ifcopenshell.file, flows: nx.DiGraph) -> None:
    tank = next(t for t in tower.by_type("IfcTank") if t.Name.startswith("生活水箱"))
    below = nx.descendants(flows, tank.id())
    taps = tower.by_type("IfcSanitaryTerminal")
    assert len(taps) > 200 and all(t.id() in below for t in taps)
    pumps = {p.id() for p in tower.by_type("IfcPump") if "生活变频泵" in p.Name}
    assert len(pumps) == 3
    without = flows.copy()
    without.remove_nodes_from(pumps)
    assert not nx.descendants(without, tank.id()) & {t.id() for t in taps}


def test_power_runs_from_the_transformer_to_every_flat_board_pump_and_lift(
    written: SampleSummary, tower: ifcopenshell.file, flows: nx.DiGraph
) -> None:
    (transformer,) = tower.by_type("IfcTransformer")
    below = nx.descendants(flows, transformer.id())
    boards = [b for b in tower.by_type("IfcElectricDistributionBoard") if b.PredefinedType == "CONSUMERUNIT"]
    assert len(boards) == _flat_count(written)
    fed = boards + [
        e for c in ("IfcPump", "IfcFan", "IfcTransportElement", "IfcLightFixture") for e in tower.by_type(c)
    ]
    assert [e.Name for e in fed if e.id() not in below] == []


@pytest.mark.parametrize(
    ("source", "ifc_class", "kind"),
    [
        ("消防水池", "IfcFireSuppressionTerminal", "FIREHYDRANT"),
        ("消防水池", "IfcFireSuppressionTerminal", "SPRINKLER"),
        ("新风空调机组", "IfcAirTerminal", "DIFFUSER"),
        ("火灾报警主机", "IfcSensor", "SMOKESENSOR"),
        ("火灾报警主机", "IfcAlarm", "BREAKGLASSBUTTON"),
        ("核心交换机", "IfcAudioVisualAppliance", "CAMERA"),
    ],
)
def test_each_system_reaches_its_terminals(
    tower: ifcopenshell.file, flows: nx.DiGraph, source: str, ifc_class: str, kind: str
) -> None:
    (start,) = [
        e for e in tower.by_type("IfcDistributionElement") if e.Name.startswith(source) and "液位" not in e.Name
    ]
    terminals = [e for e in tower.by_type(ifc_class) if e.PredefinedType == kind]
    below = nx.descendants(flows, start.id())
    assert len(terminals) > 20
    assert [e.Name for e in terminals if e.id() not in below] == []


def test_each_flat_has_its_meters(written: SampleSummary, tower: ifcopenshell.file) -> None:
    meters = Counter(m.PredefinedType for m in tower.by_type("IfcFlowMeter"))
    assert meters == {"WATERMETER": _flat_count(written) + 1, "ENERGYMETER": _flat_count(written)}


def test_systems_say_what_they_are_and_serve_the_building(tower: ifcopenshell.file) -> None:
    systems = tower.by_type("IfcDistributionSystem")
    kinds = {s.PredefinedType for s in systems}
    assert {"DOMESTICCOLDWATER", "FIREPROTECTION", "VENTILATION", "EXHAUST", "ELECTRICAL", "LIGHTING"} <= kinds
    assert {"SIGNAL", "DATA", "CONTROL"} <= kinds
    assert all(s.ServicesBuildings and s.IsGroupedBy[0].RelatedObjects for s in systems)


# -- data points -----------------------------------------------------------------------------------------------------


def _points(tower: ifcopenshell.file) -> list[tuple[str, dict[str, object]]]:
    psets = [p for p in tower.by_type("IfcPropertySet") if p.Name == "Twin_Points"]
    rows = [(v.Name, json.loads(v.NominalValue.wrappedValue)) for p in psets for v in p.HasProperties]
    assert all(len(p.DefinesOccurrence[0].RelatedObjects) == 1 for p in psets)
    return rows


def test_points_have_unique_keys_and_follow_their_role(written: SampleSummary, tower: ifcopenshell.file) -> None:
    points = _points(tower)
    keys = [p["key"] for _, p in points]
    assert 300 <= len(points) == written.points <= 600
    assert [k for k, n in Counter(keys).items() if n > 1] == []
    for name, point in points:
        role = ROLES[name]
        facts = (role.kind, role.unit, role.brick, role.quantity, role.writable, role.sim)
        assert tuple(point[f] for f in ("kind", "unit", "brick", "quantity", "writable", "sim")) == facts
    assert {name for name, _ in points} == set(ROLES)


def test_rooms_have_areas_zones_and_footprints(written: SampleSummary, tower: ifcopenshell.file) -> None:
    zones = [z for z in tower.by_type("IfcZone") if z.LongName.startswith("Flat")]
    assert len(zones) == _flat_count(written)
    for space in tower.by_type("IfcSpace"):
        kinds = {r.RepresentationIdentifier for r in space.Representation.Representations}
        assert kinds == {"Body", "FootPrint"}
        if space.PredefinedType != "PARKING":
            quantities = ifcopenshell.util.element.get_pset(space, "Qto_SpaceBaseQuantities")
            assert quantities["NetFloorArea"] > 1.0 and quantities["Height"] > 2.0


# -- size ------------------------------------------------------------------------------------------------------------


def test_rooms_asked_for_are_given(tmp_path: Path) -> None:
    assert 90 <= write_sample(tmp_path / "a.ifc", rooms=90).rooms < 130
    assert 300 <= write_sample(tmp_path / "b.ifc", rooms=300).rooms < 340


@pytest.mark.parametrize("wrong", [{"storeys": 1}, {"rooms": 0}])
def test_a_size_that_makes_no_tower_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        write_sample(tmp_path / "x.ifc", **wrong)
    assert not (tmp_path / "x.ifc").exists()


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_ten_thousand_rooms_are_written_and_valid(tmp_path: Path) -> None:
    big = write_sample(tmp_path / "big.ifc", rooms=10_000)
    assert 10_000 <= big.rooms < 10_700
    model = ifcopenshell.open(str(big.path))
    assert len(model.by_type("IfcElement")) - len(model.by_type("IfcOpeningElement")) == big.elements
    assert len({e.GlobalId for e in model.by_type("IfcRoot")}) == len(model.by_type("IfcRoot"))
