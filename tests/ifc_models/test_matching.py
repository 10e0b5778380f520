"""Which new elements are old ones: order, noise, twins, moves, and thirty thousand at once."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifc_models.matching import EXACT, Candidate, match

CLASSES = ("IfcWall", "IfcDoor", "IfcSpace", "IfcPump")
WALL = Candidate(
    ifc_class="IfcWall",
    name="W1",
    tag="101",
    type_name="Brick",
    position=(1.0, 2.0, 3.0),
    shape=b"a",
    measure=(9.0,) * 8,
)


@st.composite
def buildings(draw: st.DrawFn) -> list[Candidate]:
    """Elements a metre and more apart, as things that are not in each other are; names and tags as people give them."""
    places = draw(st.lists(st.tuples(*[st.integers(-500, 500)] * 3), min_size=1, max_size=25, unique=True))
    return [
        Candidate(
            ifc_class=draw(st.sampled_from(CLASSES)),
            name=draw(st.none() | st.sampled_from(["A", "B", "C"])),
            tag=draw(st.none() | st.text("0123456789", min_size=1, max_size=6)),
            type_name=draw(st.none() | st.sampled_from(["T1", "T2"])),
            position=(float(x) * 1.5, float(y) * 1.5, float(z) * 1.5),
            shape=draw(st.none() | st.binary(min_size=2, max_size=2)),
        )
        for x, y, z in places
    ]


@settings(deadline=None, max_examples=60)
@given(buildings(), st.randoms(use_true_random=False))
def test_a_renumbered_building_is_recognised_whole_in_any_order(
    building: list[Candidate], random: "np.random.Generator"
) -> None:
    order = list(range(len(building)))
    random.shuffle(order)
    found = match(building, [building[i] for i in order])
    assert {(m.old, order[m.new]) for m in found} == {(i, i) for i in range(len(building))}
    assert all(m.certain for m in found)


@settings(deadline=None, max_examples=60)
@given(buildings(), st.integers(0, 2**32 - 1))
def test_what_exporters_round_changes_nothing(building: list[Candidate], seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-EXACT / 2, EXACT / 2, (len(building), 3))
    moved = [
        replace(c, position=tuple((np.array(c.position) + n).tolist())) for c, n in zip(building, noise, strict=True)
    ]
    found = match(building, moved)
    assert {(m.old, m.new) for m in found if m.certain} == {(i, i) for i in range(len(building))}


@settings(deadline=None, max_examples=60)
@given(buildings(), buildings())
def test_nothing_is_matched_twice_and_never_across_classes(old: list[Candidate], new: list[Candidate]) -> None:
    found = match(old, new)
    assert len({m.old for m in found}) == len({m.new for m in found}) == len(found)
    assert all(old[m.old].ifc_class == new[m.new].ifc_class for m in found)
    assert all(0 < m.score <= 1 for m in found)


def test_twins_in_one_place_are_for_a_person_to_decide() -> None:
    twins = [replace(WALL, tag=None), replace(WALL, tag=None)]
    assert [m.certain for m in match(twins, twins)] == [False, False]
    told_apart = [WALL, replace(WALL, tag="102", name="W2")]
    assert [(m.old, m.new, m.certain) for m in match(told_apart, told_apart[::-1])] == [(0, 1, True), (1, 0, True)]


def test_lines_that_nothing_tells_apart_are_taken_in_the_order_of_the_files() -> None:
    line = Candidate(ifc_class="IfcAnnotation", position=(0.0, 0.0, 0.0))
    assert [(m.old, m.new, m.certain) for m in match([line] * 3, [line] * 3)] == [(i, i, True) for i in range(3)]
    assert not any(m.certain for m in match([line] * 3, [line] * 2))  # which one went?


def test_a_moved_element_with_a_new_global_id_is_likely_and_says_why() -> None:
    [found] = match([WALL], [replace(WALL, position=(9.0, 2.0, 3.0))])
    assert (found.certain, found.distance) == (False, 8.0)
    assert set(found.reasons) >= {"shape", "tag", "name", "type"}
    assert "position" not in found.reasons


def test_another_shape_in_the_same_place_with_the_same_name_is_still_the_element() -> None:
    [found] = match([WALL], [replace(WALL, shape=b"b", measure=(4.0,) * 8)])
    assert found.certain
    assert "shape" not in found.reasons


def test_a_stranger_in_the_same_place_is_not_certain() -> None:
    stranger = replace(WALL, name="Z", tag="7", type_name="Glass", shape=b"b", measure=(2.0,) * 8)
    assert not any(m.certain for m in match([WALL], [stranger]))


def test_storeys_and_systems_without_geometry_go_by_name_and_place() -> None:
    bare = Candidate(ifc_class="IfcBuilding", name="Main", place="Site")
    [found] = match([bare], [bare])
    assert found.certain and found.distance is None
    [elsewhere] = match([bare], [replace(bare, place="Other site")])
    assert not elsewhere.certain


@pytest.mark.parametrize(("before", "after"), [("IfcWallStandardCase", "IfcWall"), ("IfcSlab", "IfcSlabElementedCase")])
def test_the_names_that_ifc4_had_for_standard_cases_are_the_same_class(before: str, after: str) -> None:
    [found] = match([replace(WALL, ifc_class=before)], [replace(WALL, ifc_class=after)])
    assert found.certain


@pytest.mark.drill
def test_thirty_thousand_elements_are_matched_in_two_seconds() -> None:
    random = np.random.default_rng(1)
    places = random.uniform(0, 200, (30_000, 3)).tolist()
    building = [
        Candidate(
            ifc_class=CLASSES[i % 4],
            name=f"N{i % 700}",
            tag=str(i) if i % 2 else None,
            position=(x, y, z),
            shape=bytes([i % 250]),
        )
        for i, (x, y, z) in enumerate(places)
    ]
    order = random.permutation(len(building)).tolist()
    started = time.perf_counter()
    found = match(building, [building[i] for i in order])
    assert time.perf_counter() - started < 2
    assert sum(m.certain and order[m.new] == m.old for m in found) > 29_900
