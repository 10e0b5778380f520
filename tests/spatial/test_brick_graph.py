"""What a Brick graph says: names of several vocabularies, inverses, references; and the table of classes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ifc_models.turtle import BASE, Statements, read_turtle
from spatial.brick_graph import WANTED, BrickGraph, Said, understand
from spatial.brick_names import EQUIPMENT, SYSTEMS, equipment_class, point_class, system_class
from twin.brick import brick_classes
from twin.errors import Invalid, TooLarge

PREFIXES = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix ref: <https://brickschema.org/schema/Brick/ref#> .
@prefix rec: <https://w3id.org/rec#> .
@prefix bot: <https://w3id.org/bot#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix : <urn:x:> .
"""


def read(text: str | bytes, folder: Path, most: int = 10_000) -> Statements:
    path = folder / "graph.ttl"
    path.write_bytes(text if isinstance(text, bytes) else (PREFIXES + text).encode())
    return read_turtle(path, WANTED, most)


def graph_of(text: str, folder: Path) -> BrickGraph:
    return understand(read(text, folder).kept)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (":a brick:feeds :b .", ("a", "feeds", "b")),
        (":a brick:isFedBy :b .", ("b", "feeds", "a")),
        (":a brick:hasPart :b .", ("b", "isPartOf", "a")),
        (":a rec:isPartOf :b .", ("a", "isPartOf", "b")),
        (":a brick:hasLocation :b .", ("a", "hasLocation", "b")),
        (":a brick:isLocationOf :b .", ("b", "hasLocation", "a")),
        (":a bot:containsElement :b .", ("b", "hasLocation", "a")),
        (":a brick:hasPoint :b .", ("b", "isPointOf", "a")),
        (":a <https://brickschema.org/schema/1.0.2/BrickFrame#feeds> :b .", ("a", "feeds", "b")),
    ],
)
def test_relations_of_several_vocabularies_mean_one_of_four(
    text: str, said: tuple[str, str, str], tmp_path: Path
) -> None:
    one, predicate, other = said
    assert graph_of(text, tmp_path).said == [Said(f"urn:x:{one}", predicate, f"urn:x:{other}")]


def test_foreign_predicates_literals_and_what_feeds_itself_say_nothing(tmp_path: Path) -> None:
    graph = graph_of(
        ':a <http://example.org/feeds> :b . :a brick:feeds "b" . :a brick:feeds :a . :a brick:hasTag :c .', tmp_path
    )
    assert (graph.said, graph.itself) == ([], ["urn:x:a"])


def test_an_entity_gets_its_class_label_globalid_and_timeseries_in_whatever_order(tmp_path: Path) -> None:
    graph = graph_of(
        """:p ref:hasExternalReference [ a ref:TimeseriesReference ; ref:hasTimeseriesId "bms/p" ] .
           :p brick:isPointOf :ahu ; a brick:Zone_Air_Temperature_Sensor .
           :ahu rdfs:label "AHU 1" ; a brick:AHU .
           :ahu ref:hasExternalReference [ ref:ifcGlobalID "1kTvXnbbzCWw8lcMd1dR4o" ] .
           :old brick:isPointOf :ahu ; a brick:No_Such_Class ; brick:timeseries [ brick:hasTimeseriesId "old" ] .""",
        tmp_path,
    )
    ahu, point, old = (graph.entities[f"urn:x:{name}"] for name in ("ahu", "p", "old"))
    assert (ahu.label, ahu.brick_class, ahu.kind) == ("AHU 1", "AHU", "equipment")
    assert ahu.global_ids == ["1kTvXnbbzCWw8lcMd1dR4o"]
    assert (point.series, point.kind) == (["bms/p"], "point")
    assert (old.series, old.kind, graph.unknown_classes) == (["old"], None, {"No_Such_Class": 1})


@pytest.mark.parametrize("file", ["bldg2/bldg2.ttl", "brick_examples/soda_brick.ttl", "brick_examples/rice_brick.ttl"])
def test_real_buildings_in_brick_are_understood(file: str, shared: Path) -> None:
    read_ = read_turtle(shared / "brick" / file, WANTED, 100_000)
    graph = understand(read_.kept)
    known = sum(entity.kind is not None for entity in graph.entities.values())
    assert len(graph.said) > 60
    assert known >= 0.9 * len(graph.entities)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"@prefix a: <x> .\n\na:b a a:c ;;; [", "graph.syntax"),
        (b"<urn:a> <urn:b> <not an iri> .", "graph.syntax"),
        (b"\xff\xfe\x00", "graph.syntax"),
        (b'{"json": 1}', "graph.syntax"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>", "graph.syntax"),
        (b"[" * 200_000, "graph.syntax"),
    ],
)
def test_what_is_no_turtle_is_refused_and_says_why(data: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        read(data, tmp_path)
    assert caught.value.code == code
    assert caught.value.params["reason"]


def test_a_graph_without_end_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        read(b"(" * 200_000, tmp_path)
    with pytest.raises(TooLarge) as caught:
        read(":a brick:feeds " + ", ".join(f":b{i}" for i in range(50)) + " .", tmp_path, most=49)
    assert caught.value.code == "graph.too_many"


def test_endless_names_and_texts_and_zero_bytes_do_not_come_through(tmp_path: Path) -> None:
    text = (
        f':a brick:feeds <urn:{"x" * 5000}> . :a rdfs:label "{"y" * 5000}" . :b rdfs:label "z\\u0000z" . <rel> a :c .'
    )
    kept = read(text, tmp_path).kept
    assert all(len(each.object) <= 1000 for each in kept)
    assert not any("\0" in each.object for each in kept)
    assert f"{BASE}rel" in {each.subject for each in kept} or any(each.subject.endswith("rel") for each in kept)


@dataclass(frozen=True)
class _Case:
    ifc_class: str
    type_class: str | None
    predefined: str | None
    ancestors: tuple[str, ...]
    brick: str


@pytest.mark.parametrize(
    "case",
    [
        _Case("IfcPump", None, "CIRCULATOR", ("IfcPump", "IfcDistributionElement"), "Circulator_Pump"),
        _Case("IfcValve", None, None, ("IfcValve", "IfcDistributionElement"), "Valve"),
        # IFC2X3: the class says little, the type says it
        _Case("IfcEnergyConversionDevice", "IfcBoilerType", None, ("IfcDistributionElement",), "Boiler"),
        _Case("IfcPipeSegment", None, "RIGIDSEGMENT", ("IfcDistributionElement", "IfcPipeSegment"), "Equipment"),
        _Case("IfcTransportElement", None, "ELEVATOR", ("IfcTransportElement",), "Elevator"),
    ],
)
def test_an_ifc_class_with_its_type_becomes_a_brick_class(case: _Case) -> None:
    assert equipment_class(case.ifc_class, case.type_class, case.predefined, case.ancestors) == case.brick


def test_every_class_in_our_tables_is_a_class_of_brick() -> None:
    """`brick_classes.txt.gz` is made from the ontology's own files, 1.3 to 1.5."""
    kinds = brick_classes()
    assert {kinds.get(name) for name in EQUIPMENT.values()} == {"equipment"}
    assert {kinds.get(name) for name in SYSTEMS.values()} == {"system"}
    assert kinds[system_class("IfcZone", None)] == "location" and system_class("IfcSystem", "X") == "System"
    assert point_class("Zone_Air_Temperature_Sensor") == "Zone_Air_Temperature_Sensor"
    assert point_class("AHU") == point_class(None) == point_class("Nonsense") == "Point"
