"""Rooms that are drawn badly, and what is beside what: networks built from rows."""

import json
from itertools import pairwise
from typing import Any
from uuid import UUID

import hypothesis
import numpy as np
import pytest
import shapely
import trimesh
from hypothesis import strategies as st

from spatial.flow_rows import FlowRows
from spatial.network import Network, Rows, build
from spatial.passages import Wall, passages
from spatial.statements import stated_area, stated_height, stated_use

DOOR = UUID(int=900)
Corner = tuple[float, float]


def room(number: int, corners: list[Corner] | None, bottom: float = 0.0, top: float = 2.8) -> dict[str, Any]:
    """A row of a room; `corners` None: it has no geometry."""
    outline = None if corners is None else shapely.Polygon(corners)
    footprint = None if outline is None else json.dumps(shapely.geometry.mapping(outline))
    box = None if outline is None else [*outline.bounds[:2], bottom, *outline.bounds[2:], top]
    return {"id": UUID(int=number), "model_id": UUID(int=1), "discipline": "arc", "bbox": box, "footprint": footprint}


def box(x0: float, y0: float, x1: float, y1: float) -> list[Corner]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def network(rooms: list[dict[str, Any]], **more: Any) -> Network:
    empty: dict[str, Any] = {"doors": [], "passages": [], "bounds": [], "shafts": [], "flows": FlowRows()}
    return build(Rows(rooms=rooms, **(empty | more)))


def door(number: int, x: float, y: float) -> dict[str, Any]:
    """A door 0.9 m wide in a wall along x."""
    matrix = [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, 0, 0, 0, 0, 1]
    return {"id": UUID(int=number), "bbox": [x, y - 0.05, 0, x + 0.9, y + 0.05, 2.1], "placement": matrix}


def test_a_room_without_geometry_is_reported_and_the_others_stay() -> None:
    made = network([room(1, box(0, 0, 4, 3)), room(2, None)])
    assert made.without_floor == [UUID(int=2)] and list(made.plans) == [UUID(int=1)]


def test_an_outline_that_crosses_itself_keeps_what_it_encloses() -> None:
    bow_tie = [(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]
    plan = network([room(1, bow_tie), room(2, box(4.1, 0, 8, 4))]).plans[UUID(int=1)].polygon
    assert plan.is_valid and plan.area == pytest.approx(8)


def test_rooms_that_overlap_are_neighbours_and_a_place_in_both_is_in_the_smaller() -> None:
    made = network([room(1, box(0, 0, 10, 10)), room(2, box(2, 2, 4, 4))])
    found = made.index.at(3, 3, 0.5)
    assert found is not None and found.id == UUID(int=2)


def test_a_door_in_no_wall_joins_nothing() -> None:
    made = network([room(1, box(0, 0, 4, 3))], doors=[door(900, 50, 50), door(901, 1, 3.05)])
    assert [join.rooms for join in made.doors] == [(), (UUID(int=1),)]
    assert len(made.adjacency.doors_of(UUID(int=1))) == 1


def test_two_buildings_of_one_file_are_two_islands_and_no_neighbours() -> None:
    house = [box(0, 0, 4, 3), box(0, 3.2, 4, 6)]
    rooms = [room(n + 1, house[n]) for n in (0, 1)]
    rooms += [room(n + 11, [(x + 100, y) for x, y in house[n]]) for n in (0, 1)]
    made = network(rooms, doors=[door(900, 1, 3.1), door(901, 101, 3.1)])
    assert len(set(made.walk.islands.values())) == 2
    for one in (1, 2, 11, 12):
        assert {other.int // 10 for other in made.beside(UUID(int=one))} == {one // 10}


def test_the_way_between_rooms_is_the_best_there_is() -> None:
    """Below a door, on the right a passage with no door, above nothing but a wall."""
    rooms = [room(1, box(0, 0, 4, 3)), room(2, box(0, -3, 4, -0.2)), room(3, box(4.2, 0, 8, 3))]
    rooms.append(room(4, box(0, 3.2, 4, 6)))
    passage = {"id": UUID(int=950), "bbox": [4, 1, 0, 4.2, 2, 2.1]}
    turned = [0, -1, 0, 4.1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    made = network(rooms, doors=[door(900, 1, -0.1)], passages=[{**passage, "placement": turned}])
    kinds = {other.int: how.kind for other, how in made.beside(UUID(int=1)).items()}
    assert kinds == {2: "door", 3: "open", 4: "wall"}
    assert made.beside(UUID(int=1))[UUID(int=4)].shared_length == pytest.approx(4, abs=0.2)
    assert made.walk.islands[UUID(int=1)] == made.walk.islands[UUID(int=3)] != made.walk.islands[UUID(int=4)]


@hypothesis.given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 3)), max_size=12, unique=True)
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_being_beside_is_mutual(squares: list[tuple[int, int, int]]) -> None:
    made = network([room(n + 1, box(x, y, x + size, y + size)) for n, (x, y, size) in enumerate(squares)])
    for one in made.plans:
        for other, how in made.beside(one).items():
            assert other != one and made.beside(other)[one] == how
    assert len(list(made.adjacency.pairs())) * 2 == sum(len(made.beside(one)) for one in made.plans)


def wall(*holes: tuple[float, float, float, float]) -> Wall:
    """A wall 6 m long, 0.2 m thick and 3 m high along x with holes (x0, x1, z0, z1): blocks around them, as a mesh."""
    across = sorted({0.0, 6.0, *(x for hole in holes for x in hole[:2])})
    upward = sorted({0.0, 3.0, *(z for hole in holes for z in hole[2:])})
    blocks = [
        np.asarray(trimesh.creation.box(bounds=[[x0, 0, z0], [x1, 0.2, z1]]).triangles)
        for x0, x1 in pairwise(across)
        for z0, z1 in pairwise(upward)
        if not any(h[0] <= x0 and x1 <= h[1] and h[2] <= z0 and z1 <= h[3] for h in holes)
    ]
    return Wall(np.concatenate(blocks), np.eye(4))


@pytest.mark.parametrize(
    ("hole", "is_passage"),
    [
        ((2, 3, 0, 2.1), True),
        ((2, 3, 0, 3), True),  # up to the ceiling: the wall is in two parts
        ((2, 3, 1, 2.1), False),  # a window or a hatch
        ((2, 2.4, 0, 2.1), False),  # too narrow
        ((2, 3, 2.3, 2.8), False),  # a duct
    ],
)
def test_a_hole_is_a_way_when_nothing_is_in_it_from_shin_to_head(
    hole: tuple[float, float, float, float], is_passage: bool
) -> None:
    found = passages(wall(hole), np.array([[hole[0], 0, hole[2]]]), np.zeros((0, 3)), [0.0])
    assert bool(found) == is_passage
    if is_passage:
        assert found[0].tolist() == pytest.approx([2, 0, 0, 3, 0.2, 2], abs=1e-6)


def test_a_hole_with_a_door_in_it_is_the_doors() -> None:
    two = wall((1, 2, 0, 2.1), (4, 5, 0, 2.1))
    found = passages(two, np.array([[4.0, 0, 0]]), np.array([[1.5, 0.1, 1.05]]), [0.0])
    assert list(found) == [0] and found[0][0] == pytest.approx(4)


def test_stated_values_come_in_si_and_name_their_source() -> None:
    quantities = {"Qto_SpaceBaseQuantities": {"NetFloorArea": {"value": 200.0, "unit": "ft2"}}}
    psets = {"Dimensions": {"Unbounded Height": {"value": 2600.0, "unit": "mm"}, "Area": {"value": 1.0, "unit": "m2"}}}
    area, height = stated_area([quantities, psets]), stated_height([quantities, psets])
    assert area is not None and area.value == pytest.approx(18.58, abs=0.01)
    assert area.source == "Qto_SpaceBaseQuantities.NetFloorArea"
    assert height is not None and height.value == pytest.approx(2.6)
    assert stated_area([{"A": {"Area": {"value": 3.0, "unit": "acre"}}}]) is None
    assert stated_area([{"A": {"Area": {"value": "3"}}}]) is None


@pytest.mark.parametrize(
    ("given", "use"),
    [
        ({"object_type": "Office", "predefined_type": "INTERNAL", "long_name": "12"}, ("Office", "object_type")),
        ({"object_type": None, "predefined_type": "PARKING", "long_name": "P1"}, ("PARKING", "predefined_type")),
        ({"object_type": None, "predefined_type": "INTERNAL", "long_name": "Bedroom 2"}, ("Bedroom", "long_name")),
        ({"object_type": None, "predefined_type": None, "long_name": "012"}, None),
    ],
)
def test_the_use_of_a_room_is_in_the_files_words(given: dict[str, Any], use: tuple[str, str] | None) -> None:
    assert stated_use([], [], **given) == use
    told = {"Pset_SpaceOccupancyRequirements": {"OccupancyType": {"value": "A1 Assembly"}}}
    assert stated_use([told], [], **given) == ("A1 Assembly", "Pset_SpaceOccupancyRequirements.OccupancyType")
