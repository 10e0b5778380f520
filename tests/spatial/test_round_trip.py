"""Round trips, words of a route, heat classes, georeference: what can be said without a server."""

from dataclasses import replace
from itertools import permutations
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.footprints import to_geojson
from spatial.georef import Georeference, map_conversion
from spatial.instructions import Names, instructions_of
from spatial.joins import RoomPlan
from spatial.plan_doors import door_symbol
from spatial.plan_heat import breaks_of
from spatial.round_trip import length_of, order_of
from spatial.walk import WalkGraph
from spatial.ways import WALK, Place, Way, paced


def distances(points: list[tuple[float, float]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    at = np.array(points)
    return np.asarray(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)))


PLACES = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=7, unique=True)


@settings(max_examples=25, deadline=None)
@given(points=PLACES, end=st.sampled_from([None, 0]))
def test_a_short_round_is_the_shortest_there_is(points: list[tuple[float, float]], end: int | None) -> None:
    costs = distances(points)
    order = order_of(costs, end)
    assert order is not None and sorted(order) == list(range(1, len(points)))
    best = min(length_of(costs, each, end) for each in permutations(range(1, len(points))))
    assert length_of(costs, order, end) == pytest.approx(best)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), end=st.sampled_from([None, 0, 14]))
def test_a_long_round_is_never_longer_than_in_the_order_given(seed: int, end: int | None) -> None:
    costs = distances([(float(x), float(y)) for x, y in np.random.default_rng(seed).uniform(0, 100, (15, 2))])
    order = order_of(costs, end)
    assert order is not None and sorted(order) == list(range(1, 15))
    given_order = [i for i in range(1, 15) if i != end]
    assert length_of(costs, [i for i in order if i != end], end) <= length_of(costs, given_order, end) + 1e-9


def test_a_round_with_a_place_that_no_way_leads_to_is_none() -> None:
    costs = distances([(0, 0), (1, 0), (2, 0)])
    costs[2, :] = costs[:, 2] = np.inf
    assert order_of(costs) is None


def corridor() -> WalkGraph:
    """A room north of a corridor, another one south of it further on, and a stair at its end."""
    ids = [UUID(int=n) for n in range(1, 5)]
    plans = [
        RoomPlan(ids[0], shapely.box(0, 2.2, 4, 6), 0, 3),
        RoomPlan(ids[1], shapely.box(0, 0, 30, 2), 0, 3),
        RoomPlan(ids[2], shapely.box(18, -4, 22, -0.2), 0, 3),
        RoomPlan(ids[3], shapely.box(0, 0, 30, 2), 3, 6),
    ]
    stair = UUID(int=50)
    up = tuple((25.0 + 0.25 * i, 1.0, 0.2 * i) for i in range(1, 15))
    return WalkGraph(
        plans,
        [
            Way("door", UUID(int=10), (2.0, 2.1, 0.0), (ids[0], ids[1])),
            Way("door", UUID(int=11), (20.0, -0.1, 0.0), (ids[1], ids[2])),
            Way("stair", stair, (25.0, 1.0, 0.0), (ids[1],), stair, up, 15),
            Way("stair", stair, (29.0, 1.0, 3.0), (ids[3],), stair),
        ],
    )


NAMES = Names(
    {UUID(int=1): "101", UUID(int=2): "Corridor", UUID(int=3): "102", UUID(int=4): "Corridor 2"},
    {UUID(int=11): "D-12", UUID(int=50): "B"},
    {UUID(int=4): "Level 3"},
)


def test_a_route_is_told_by_turns_doors_and_stairs() -> None:
    graph = corridor()
    route = graph.route(Place(UUID(int=1), (2, 5, 0)), Place(UUID(int=3), (20, -3, 0)))
    assert route is not None
    told = instructions_of(route, NAMES, target=UUID(int=3), to_outside=False)
    assert [each.kind for each in told] == [
        "start",
        "corridor",
        "door",
        "turn",
        "corridor",
        "door",
        "corridor",
        "arrive",
    ]
    texts = [each.text.en for each in told]
    assert texts[2:6] == [
        "Through the door into Corridor",
        "Turn left",
        "Walk 18 m through Corridor",
        "Through door D-12 on the right into 102",
    ]
    assert told[5].text.zh == "经右侧门 D-12 进入 102"
    assert sum(each.length for each in told) == pytest.approx(route.length)
    assert sum(each.seconds for each in told) == pytest.approx(route.seconds)
    assert (told[0].from_index, told[-1].to_index) == (0, len(route.polyline) - 1)


def test_a_stair_is_told_with_its_steps_and_walked_over_its_treads() -> None:
    graph = corridor()
    there = graph.route(Place(UUID(int=2), (5, 1, 0)), Place(UUID(int=4), (5, 1, 3)))
    back = graph.route(Place(UUID(int=4), (5, 1, 3)), Place(UUID(int=2), (5, 1, 0)))
    assert there and back
    told = [e for e in instructions_of(there, NAMES, target=None, to_outside=False) if e.kind == "stairs_up"]
    assert [each.text.en for each in told] == ["Take stair B up to Level 3, 15 steps"]
    assert [each.text.zh for each in told] == ["走楼梯 B 上到 Level 3，15 级"]
    on_it = replace(there, steps=[step for step in there.steps if step.kind != "walk" or step.room == UUID(int=4)])
    first = instructions_of(on_it, NAMES, target=None, to_outside=False)[0]
    assert first.text.en == "Start", "who sets out on a stair is not in the room that it leads to"
    assert any(point == (26.0, 1.0, 0.8) for point in there.polyline)
    assert back.length == pytest.approx(there.length) and back.polyline == there.polyline[::-1]
    assert [s.risers for s in back.steps if s.kind == "stair"] == [15]


def test_who_walks_at_half_the_speed_takes_twice_as_long_but_opens_doors_as_fast() -> None:
    route = corridor().route(Place(UUID(int=1), (2, 5, 0)), Place(UUID(int=3), (20, -3, 0)))
    assert route is not None
    slow = paced(route, WALK / 2)
    assert slow.length == route.length
    assert slow.seconds - 4.0 == pytest.approx(2 * (route.seconds - 4.0))  # two doors of 2 s


@pytest.mark.parametrize(
    ("operation", "leaves", "kind"),
    [
        ("SINGLE_SWING_LEFT", 1, "swing"),
        ("DOUBLE_DOOR_SINGLE_SWING", 2, "swing"),
        ("DOUBLE_DOOR_DOUBLE_SWING", 4, "swing"),
        ("SLIDING_TO_LEFT", 1, "sliding"),
        ("REVOLVING", 2, "revolving"),
        (None, 1, "swing"),
    ],
)
def test_a_door_is_drawn_as_it_opens(operation: str | None, leaves: int, kind: str) -> None:
    matrix = [1.0, 0, 0, 10, 0, 1, 0, 20, 0, 0, 1, 0, 0, 0, 0, 1]
    symbol = door_symbol((10, 20, 0, 11, 20.1, 2), matrix, operation, None)
    assert (len(symbol.leaves), symbol.kind, symbol.derived) == (leaves, kind, operation is None)
    assert symbol.width == pytest.approx(1.0)


def test_a_left_door_has_its_hinge_on_the_left_and_opens_along_its_y_axis() -> None:
    matrix = [1.0, 0, 0, 10, 0, 1, 0, 20, 0, 0, 1, 0, 0, 0, 0, 1]
    left = door_symbol((10, 20, 0, 11, 20.1, 2), matrix, "SINGLE_SWING_LEFT", None).leaves[0]
    right = door_symbol((10, 20, 0, 11, 20.1, 2), matrix, "SINGLE_SWING_RIGHT", None).leaves[0]
    assert left.hinge[0] < 10.5 < right.hinge[0]
    assert left.tip[1] > left.hinge[1] and right.tip[1] > right.hinge[1]


FRAME = [1.0, 0, 0, 10, 0, 1, 0, 20, 0, 0, 1, 0, 0, 0, 0, 1]


def cut_of(width: float, leaf: tuple[float, float]) -> shapely.Geometry:
    """A door in section: jambs 0.2 m deep at y 20 … 20.2, its leaf between two heights of y."""
    jambs = [shapely.box(10, 20, 10.05, 20.2), shapely.box(9.95 + width, 20, 10 + width, 20.2)]
    return shapely.union_all([*jambs, shapely.box(10.05, leaf[0], 9.95 + width, leaf[1])])


@pytest.mark.parametrize(("leaf", "side"), [((20.16, 20.2), 1), ((20.0, 20.04), -1), ((20.08, 20.12), 1)])
def test_a_door_of_which_nothing_is_said_opens_to_the_side_of_its_frame_on_which_its_leaf_is(
    leaf: tuple[float, float], side: int
) -> None:
    symbol = door_symbol((10, 20, 0, 11, 20.2, 2), FRAME, None, cut_of(1.0, leaf))
    assert symbol.derived and np.sign(symbol.leaves[0].tip[1] - symbol.leaves[0].hinge[1]) == side


def test_a_door_of_which_nothing_is_said_has_its_hinges_at_the_nearer_wall() -> None:
    for wall, left in ((shapely.box(8.9, 15, 9.0, 25), True), (shapely.box(12.0, 15, 12.1, 25), False)):
        far = shapely.box(14.0, 15, 14.1, 25)
        walls = shapely.STRtree([wall, far])
        symbol = door_symbol((10, 20, 0, 11, 20.2, 2), FRAME, None, cut_of(1.0, (20.16, 20.2)), walls=walls)
        assert (symbol.leaves[0].hinge[0] < 10.5) is left


@pytest.mark.parametrize(
    ("words", "width", "kind", "leaves"),
    [
        ("Door_Garage-Residential-20_Reed", 2.0, "rolling", 1),
        ("折叠门 M1", 1.0, "folding", 2),
        ("Schiebetür", 1.0, "sliding", 1),
        ("T30 controller room", 1.6, "swing", 2),
        ("", 3.2, "rolling", 1),
    ],
)
def test_what_kind_of_door_is_unsaid_is_told_by_its_words_and_width(
    words: str, width: float, kind: str, leaves: int
) -> None:
    symbol = door_symbol((10, 20, 0, 10 + width, 20.2, 2), FRAME, None, cut_of(width, (20.08, 20.12)), words=words)
    assert (symbol.kind, len(symbol.leaves), symbol.derived) == (kind, leaves, True)


def test_heat_has_round_classes_that_hold_every_value() -> None:
    assert breaks_of([19.2, 20.1, 24.9]) == [20.0, 21.0, 22.0, 23.0, 24.0]
    assert breaks_of([20.0]) == [] and breaks_of([]) == []
    assert len(breaks_of([0.0, 1e6])) <= 5


def test_a_map_conversion_puts_a_point_where_the_map_has_it() -> None:
    said = {"crs": "EPSG:25832", "eastings": 458_000.0, "northings": 5_439_000.0, "rotation": 90.0}
    place = map_conversion(said, [0.0, 0.0, 0.0])
    assert isinstance(place, Georeference)
    (lon, lat), (lon2, lat2) = place.degrees(np.array([[0.0, 0.0], [100.0, 0.0]])).tolist()
    assert (lon, lat) == (pytest.approx(8.4258, abs=2e-3), pytest.approx(49.1010, abs=2e-3))
    # Turned by 90 degrees the building's x axis points north: a hundred metres are 0.0009 degrees.
    assert lat2 - lat == pytest.approx(0.0009, abs=1e-5) and lon2 == pytest.approx(lon, abs=2e-5)
    assert map_conversion({"eastings": 1.0, "northings": 2.0, "crs": "EPSG:99999"}, [0, 0, 0]) == "unknown_crs"
    assert map_conversion({"eastings": 1.0, "northings": 2.0}, [0, 0, 0]) == "map_without_crs"
    assert map_conversion({"latitude": 1.0}, [0, 0, 0]) is None


def test_rings_follow_the_right_hand_rule_and_holes_the_other_way() -> None:
    plan = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 6, 6))
    for polygon in (plan, plan.reverse()):
        made = to_geojson(polygon, Georeference("site", None, None, 8.0, 49.0))
        outer, hole = (shapely.LinearRing(ring) for ring in made["coordinates"])
        assert outer.is_ccw and not hole.is_ccw
        assert all(
            len(f"{value:.10f}".rstrip("0").partition(".")[2]) <= 7 for x in made["coordinates"][0] for value in x
        )
