"""Routes: never through a wall, never shorter than they can be, never longer than they must be."""

from collections.abc import Sequence
from itertools import combinations
from math import dist, hypot
from random import Random
from uuid import UUID

import networkx
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.floor import Floor
from spatial.joins import RoomPlan
from spatial.walk import WalkGraph
from spatial.ways import DOOR, WALK, Options, Place, Route, Way


def room(number: int, x0: float, y0: float, x1: float, y1: float, *, bottom: float = 0.0) -> RoomPlan:
    return RoomPlan(UUID(int=number), shapely.box(x0, y0, x1, y1), bottom, bottom + 3)


def door(number: int, x: float, y: float, *rooms: int, z: float = 0.0) -> Way:
    return Way("door", UUID(int=number), (x, y, z), tuple(UUID(int=room) for room in rooms))


def landing(shaft: int, kind: str, x: float, y: float, z: float, room: int) -> Way:
    return Way(kind, UUID(int=shaft), (x, y, z), (UUID(int=room),), UUID(int=shaft))


def at(room: int, x: float, y: float, z: float = 0.0) -> Place:
    return Place(UUID(int=room), (x, y, z))


def grid(columns: int, rows: int, seed: int) -> tuple[list[RoomPlan], list[Way]]:
    """Rooms of 4 m with walls of 0.2 m and doors in some of the walls between them.

    Three storeys; the stair from the first to the second is at one end, that to the third at the other.
    """
    random = Random(seed)
    share = random.uniform(0.3, 0.9)
    plans: list[RoomPlan] = []
    ways: list[Way] = []
    for level in range(3):
        for column in range(columns):
            for row in range(rows):
                number = 1 + row + rows * (column + columns * level)
                x, y, z = column * 4.0, row * 4.0, level * 3.2
                plans.append(room(number, x + 0.1, y + 0.1, x + 3.9, y + 3.9, bottom=z))
                if column and random.random() < share:
                    ways.append(door(10_000 + len(ways), x, y + random.uniform(1, 3), number - rows, number, z=z))
                if row and random.random() < share:
                    ways.append(door(10_000 + len(ways), x + random.uniform(1, 3), y, number - 1, number, z=z))
    storey, far = rows * columns, (columns * 4.0 - 2, rows * 4.0 - 2)
    ways += [landing(9000, "stair", 1, 1, 0, 1), landing(9000, "stair", 3, 3, 3.2, 1 + storey)]
    ways += [landing(9001, "stair", *far, 3.2, 2 * storey), landing(9001, "stair", *far, 6.4, 3 * storey)]
    ways += [landing(9002, "lift", 2, 2, 3.2 * level, 1 + storey * level) for level in range(3)]
    return plans, ways


def quickest(graph: WalkGraph, start: Place, end: Place, options: Options) -> float:
    """Seconds between two places of different rooms by networkx on the whole graph."""
    whole = networkx.Graph()
    usable = {number for number, way in enumerate(graph.ways) if options.allows(way)}
    whole.add_weighted_edges_from(edge for edge in graph.edges() if usable.issuperset(edge[:2]))
    whole.add_weighted_edges_from(("start", n, cost) for n, cost in graph._approach(start) if n in usable)
    whole.add_weighted_edges_from((n, "end", cost) for n, cost in graph._approach(end) if n in usable)
    if "start" not in whole or "end" not in whole or not networkx.has_path(whole, "start", "end"):
        return float("inf")
    return float(networkx.dijkstra_path_length(whole, "start", "end"))


def inside(route: Route, plans: Sequence[RoomPlan]) -> bool:
    """Whether every walk stays in its room, but for the step into the wall where its door is."""
    floors = {plan.id: plan.polygon.buffer(0.3) for plan in plans}
    return all(
        floors[step.room].covers(shapely.LineString([point[:2] for point in step.points]))
        for step in route.steps
        if step.kind == "walk" and step.room is not None and len(step.points) > 1
    )


def test_two_rooms_with_a_door_are_joined_through_it() -> None:
    graph = WalkGraph([room(1, 0, 0, 4, 4), room(2, 4.2, 0, 8, 4)], [door(7, 4.1, 2, 1, 2)])
    route = graph.route(at(1, 1, 2), at(2, 7, 2))
    assert route is not None
    assert route.doors == [UUID(int=7)]
    assert route.length == pytest.approx(6.0)
    assert route.seconds == pytest.approx(6.0 / WALK + DOOR)


def test_a_route_bends_around_the_corner_of_its_room() -> None:
    shape = shapely.Polygon([(0, 0), (10, 0), (10, 10), (8, 10), (8, 2), (0, 2)])
    graph = WalkGraph([RoomPlan(UUID(int=1), shape, 0, 3)], [])
    route = graph.route(at(1, 1, 1), at(1, 9, 9))
    assert route is not None
    line = shapely.LineString([point[:2] for point in route.polyline])
    # Around the one corner that pushes into the floor, a quarter of a metre from it, and no other.
    assert shape.covers(line)
    assert line.length == pytest.approx(hypot(7.25, 0.75) + hypot(0.75, 7.25))


@given(
    st.tuples(st.floats(2, 8), st.floats(2, 8)),
    st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
    st.tuples(st.floats(0.3, 1.7), st.floats(0.3, 1.7), st.floats(0.3, 1.7), st.floats(0.3, 1.7)),
)
@settings(max_examples=25, deadline=None)
def test_a_way_across_a_room_is_as_short_as_one_over_any_of_its_corners(
    size: tuple[float, float], notch: tuple[float, float], ends: tuple[float, float, float, float]
) -> None:
    (w, d), (a, b) = (size[0] + 4, size[1] + 4), notch
    shape = shapely.Polygon([(0, 0), (w, 0), (w, b * d), (a * w, b * d), (a * w, d), (0, d)])
    floor = Floor(shape, [(w - ends[0], ends[1]), (ends[2], d - ends[3])])
    corners = [*floor.anchors, *list(floor.ground.exterior.coords)[:-1]]
    graph = networkx.Graph()
    for (i, one), (j, other) in combinations(enumerate(corners), 2):
        if floor.ground.buffer(1e-6).covers(shapely.LineString([one, other])):
            graph.add_edge(i, j, weight=dist(one, other))
    assert floor.between()[0, 1] == pytest.approx(networkx.dijkstra_path_length(graph, 0, 1), abs=1e-4)


def test_a_stair_leads_past_a_storey_that_hangs_on_nothing_else() -> None:
    plans, ways = [], []
    for level in range(4):
        z = 3.0 * level
        plans += [room(10 + level, 0, 0, 10, 2, bottom=z), room(20 + level, 0, 2.2, 4, 6, bottom=z)]
        ways += [door(100 + level, 2, 2.1, 10 + level, 20 + level, z=z), landing(500, "stair", 8, 1, z, 10 + level)]
    graph = WalkGraph(plans, ways)
    for start in range(4):
        for end in range(4):
            route = graph.route(at(20 + start, 2, 4, 3.0 * start), at(20 + end, 3, 5, 3.0 * end))
            assert route is not None and [step.kind for step in route.steps].count("stair") == abs(start - end)


@pytest.mark.parametrize("bend", [0.0, 3.0])
def test_stairs_above_each_other_are_changed_on_the_spot(bend: float) -> None:
    outline = shapely.Polygon([(0, 0), (10, 0), (10, 4), (4, 4), (4, 4 + bend), (0, 4 + bend)])
    plans = [RoomPlan(UUID(int=level + 1), outline, 3.0 * level, 3.0 * level + 2.8) for level in range(4)]
    ways = [
        landing(100 + flight, "stair", 8, 2, 3.0 * (flight + end), flight + end + 1)
        for flight in range(3)
        for end in (0, 1)
    ]
    route = WalkGraph(plans, ways).route(Place(plans[0].id, (8, 1, 0)), Place(plans[3].id, (8, 3, 9.0)))
    assert route is not None and route.length == pytest.approx(1 + 9 + 1)


def test_a_column_in_the_room_is_walked_around() -> None:
    hall = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 6, 6))
    graph = WalkGraph([RoomPlan(UUID(int=1), hall, 0, 3)], [])
    route = graph.route(at(1, 1, 5), at(1, 9, 5))
    assert route is not None and hall.covers(shapely.LineString([point[:2] for point in route.polyline]))
    assert 8.0 < route.length < 9.5


def test_rooms_without_a_way_between_them_have_no_route() -> None:
    graph = WalkGraph([room(1, 0, 0, 4, 4), room(2, 4.2, 0, 8, 4)], [])
    assert graph.route(at(1, 1, 2), at(2, 7, 2)) is None
    assert graph.islands[UUID(int=1)] != graph.islands[UUID(int=2)]


def tower() -> WalkGraph:
    """Four storeys of one room each, with a stair and a lift, and a door to the outside below."""
    plans = [room(level + 1, 0, 0, 20, 10, bottom=3.0 * level) for level in range(4)]
    stairs = [landing(50, "stair", 18, 5, 3.0 * level, level + 1) for level in range(4)]
    lifts = [landing(60, "lift", 2, 5, 3.0 * level, level + 1) for level in range(4)]
    return WalkGraph(plans, [*stairs, *lifts, door(70, 10, 0, 1)])


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (Options(step_free=True), {"lift"}),
        (Options(lifts=False), {"stair"}),
        (Options(closed={UUID(int=50)}), {"lift"}),
    ],
)
def test_what_the_options_forbid_is_not_used(options: Options, kinds: set[str]) -> None:
    route = tower().route(at(1, 10, 5), at(4, 10, 5, 9.0), options)
    assert route is not None
    assert {step.kind for step in route.steps if step.kind != "walk"} == kinds


def test_without_stairs_and_lifts_the_top_cannot_be_reached() -> None:
    assert tower().route(at(1, 10, 5), at(4, 10, 5, 9.0), Options(step_free=True, lifts=False)) is None


def test_the_way_out_leads_down_the_stairs_to_the_nearest_exit() -> None:
    route = tower().evacuate(at(4, 10, 5, 9.0))
    assert route is not None
    assert route.doors == [UUID(int=70)]
    assert {step.kind for step in route.steps} == {"walk", "stair", "door"}
    assert tower().evacuate(at(4, 10, 5, 9.0), Options(lifts=False, closed={UUID(int=70)})) is None


def test_a_room_behind_a_room_behind_a_room_is_reached() -> None:
    plans = [room(n, 4.0 * n, 0, 4.0 * n + 3.9, 4) for n in range(1, 6)]
    graph = WalkGraph(plans, [door(10 + n, 4.0 * n + 3.95, 2, n, n + 1) for n in range(1, 5)])
    for start in range(1, 6):
        for end in range(1, 6):
            route = graph.route(at(start, 4.0 * start + 1, 2), at(end, 4.0 * end + 1, 2))
            assert route is not None and len(route.doors) == abs(start - end)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_a_route_is_the_quickest_and_stays_in_its_rooms(seed: int, data: st.DataObject) -> None:
    plans, ways = grid(4, 4, seed)
    graph = WalkGraph(plans, ways)
    one, other = data.draw(st.lists(st.sampled_from(plans), min_size=2, max_size=2, unique_by=lambda plan: plan.id))
    closed = data.draw(st.sets(st.sampled_from([way.element for way in ways if way.element]), max_size=6))
    options = Options(data.draw(st.booleans()), data.draw(st.booleans()), closed)
    start, end = (Place(plan.id, (*plan.polygon.centroid.coords[0], plan.bottom)) for plan in (one, other))
    route = graph.route(start, end, options)
    best = quickest(graph, start, end, options)
    if route is None:
        assert best == float("inf")
        return
    assert route.seconds == pytest.approx(best)
    assert graph.islands[one.id] == graph.islands[other.id]
    assert route.length >= dist(start.position, end.position) - 1e-6
    assert inside(route, plans)
    assert not closed.intersection(step.element for step in route.steps)
    back = graph.route(end, start, options)
    assert back is not None and back.seconds == pytest.approx(route.seconds)
