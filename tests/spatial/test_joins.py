"""Rooms that touch, doors that join, stairs that land: from plan geometry alone."""

from collections.abc import Sequence
from math import cos, radians, sin
from random import Random
from uuid import UUID

import pytest
import shapely
from shapely import affinity

from spatial.joins import RoomIndex, RoomPlan, Shaft, doorway, joined, landings, neighbours, open_sides

DOOR = UUID(int=99)


def room(number: int, x0: float, y0: float, x1: float, y1: float, *, bottom: float = 0.0) -> RoomPlan:
    return RoomPlan(UUID(int=number), shapely.box(x0, y0, x1, y1), bottom, bottom + 2.8)


def pairs(rooms: Sequence[RoomPlan]) -> set[tuple[int, int]]:
    return {(pair.first.int, pair.second.int) for pair in neighbours(rooms)}


def matrix(x: float, y: float, z: float, degrees: float = 0.0) -> list[float]:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return [c, -s, 0, x, s, c, 0, y, 0, 0, 1, z, 0, 0, 0, 1]


def sides(index: RoomIndex, box: Sequence[float], placement: Sequence[float] | None) -> set[int]:
    return {side.id.int for side in joined(doorway(DOOR, box, placement), index) if side is not None}


@pytest.mark.clause("6.4.2b")
def test_rooms_with_a_wall_between_them_are_neighbours_and_those_at_a_corner_are_not() -> None:
    quarters = [room(1, 0, 0, 4, 4), room(2, 4.3, 0, 8, 4), room(3, 0, 4.3, 4, 8), room(4, 4.3, 4.3, 8, 8)]
    assert pairs(quarters) == {(1, 2), (1, 3), (2, 4), (3, 4)}


def test_rooms_above_each_other_or_far_apart_are_no_neighbours() -> None:
    assert pairs([room(1, 0, 0, 4, 4), room(2, 0, 0, 4, 4, bottom=3.0), room(3, 5, 0, 8, 4)]) == set()


def test_being_neighbours_does_not_depend_on_order_or_place() -> None:
    random = Random(5)
    rooms = [
        room(n, *(corner := (random.uniform(0, 20), random.uniform(0, 20))), corner[0] + 3, corner[1] + 3)
        for n in range(30)
    ]
    moved = [RoomPlan(r.id, affinity.translate(r.polygon, 4e5, -3e5), r.bottom, r.top) for r in reversed(rooms)]
    assert {frozenset(pair) for pair in pairs(rooms)} == {frozenset(pair) for pair in pairs(moved)}


def test_rooms_that_touch_are_open_to_each_other_where_others_have_walls() -> None:
    walled = [room(n, 4.2 * n, 0, 4.2 * n + 4, 4) for n in range(1, 5)]
    open_pair = [room(8, 0, 10, 4, 14), room(9, 4, 10, 8, 14)]
    assert {(p.first.int, p.second.int) for p in open_sides(neighbours([*walled, *open_pair]))} == {(8, 9)}


def test_where_all_rooms_touch_nothing_is_said_to_be_open() -> None:
    assert open_sides(neighbours([room(n, 4.0 * n, 0, 4.0 * n + 4, 4) for n in range(5)])) == []


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_a_door_joins_the_rooms_on_its_two_sides_however_the_building_is_turned(degrees: float) -> None:
    rooms = [room(1, 0, 0, 4, 4), room(2, 0, 4.3, 4, 8)]
    turned = [RoomPlan(r.id, affinity.rotate(r.polygon, degrees, (0, 0)), r.bottom, r.top) for r in rooms]
    leaf = affinity.rotate(shapely.box(1, 4.05, 1.9, 4.25), degrees, (0, 0))
    x, y = affinity.rotate(shapely.Point(1, 4.15), degrees, (0, 0)).coords[0]
    x0, y0, x1, y1 = leaf.bounds
    assert sides(RoomIndex(turned), (x0, y0, 0, x1, y1, 2.1), matrix(x, y, 0, degrees)) == {1, 2}


def test_a_door_drawn_open_still_joins_both_rooms() -> None:
    index = RoomIndex([room(1, 0, 0, 4, 4), room(2, 0, 4.3, 4, 8)])
    assert sides(index, (1, 4.05, 0, 1.9, 5.0, 2.1), matrix(1, 4.15, 0)) == {1, 2}


def test_a_door_without_a_placement_goes_through_its_thin_side() -> None:
    index = RoomIndex([room(1, 0, 0, 4, 4), room(2, 0, 4.3, 4, 8)])
    assert sides(index, (1, 4.05, 0, 1.9, 4.25, 2.1), None) == {1, 2}


def test_an_outer_door_joins_one_room_and_a_door_in_no_wall_none_but_its_own() -> None:
    index = RoomIndex([room(1, 0, 0, 4, 4)])
    assert sides(index, (1, -0.3, 0, 1.9, 0.0, 2.1), matrix(1, -0.15, 0)) == {1}
    assert sides(index, (50, 50, 0, 51, 50.1, 2.1), matrix(50, 50, 0)) == set()


def test_a_door_on_another_storey_does_not_join_the_rooms_below() -> None:
    index = RoomIndex([room(1, 0, 0, 4, 4), room(2, 0, 4.3, 4, 8)])
    assert sides(index, (1, 4.05, 3.0, 1.9, 4.25, 5.1), matrix(1, 4.15, 3.0)) == set()


def test_a_stair_lands_once_on_every_level_it_reaches() -> None:
    levels = [room(n, 0, 0, 10, 10, bottom=3.0 * n) for n in range(4)]
    stair = landings(Shaft(DOOR, "stair", (2, 2, 0, 4, 6, 3.1)), RoomIndex(levels))
    assert [landing.room.int for landing in stair] == [0, 1]


def test_a_lift_stops_wherever_there_is_a_room_though_its_box_is_a_car() -> None:
    levels = [room(n, 0, 0, 10, 10, bottom=3.0 * n) for n in range(4)]
    lift = landings(Shaft(DOOR, "lift", (2, 2, 0, 4, 4, 2.2)), RoomIndex(levels))
    assert [landing.z for landing in lift] == [0.0, 3.0, 6.0, 9.0]
