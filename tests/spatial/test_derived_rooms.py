"""What walls enclose: rooms that a file lacks."""

from uuid import UUID

import pytest
import shapely
from shapely.geometry import mapping

from spatial.derived_rooms import Closing, DerivedRoom, StoreyCover, enclosed, once_per_level

THICK = 0.2


def walls(*lines: tuple[float, float, float, float]) -> list[shapely.Polygon]:
    """Walls along lines, 0.2 m thick, square at their ends."""
    return [shapely.LineString([line[:2], line[2:]]).buffer(THICK / 2, cap_style="square") for line in lines]


HOUSE = ((0, 0, 10, 0), (10, 0, 10, 6), (10, 6, 0, 6), (0, 6, 0, 0))


def test_four_walls_enclose_their_floor() -> None:
    found = enclosed(walls(*HOUSE), [])
    assert [round(room.area, 2) for room, _, _ in found] == [round(9.8 * 5.8, 2)]
    assert found[0][2] == 0.8


def test_a_door_closes_the_hole_it_is_in_and_is_the_rooms_door() -> None:
    divided = [*HOUSE, (4, 0, 4, 2), (4, 3, 4, 6)]  # a wall with a hole of 0.8 m between 2.1 and 2.9
    leaf_open = Closing(UUID(int=1), (3.1, 2.1, 0, 4.1, 2.9, 2.1), (0, -1, 0, 4, 1, 0, 0, 2.1, 0, 0, 1, 0, 0, 0, 0, 1))
    found = enclosed(walls(*divided), [leaf_open])
    assert sorted(round(room.area) for room, _, _ in found) == [22, 34]
    assert [doors for _, doors, _ in found] == [[UUID(int=1)]] * 2
    assert len(enclosed(walls(*divided), [])) == 1, "without the door one walks through"


def test_walls_that_miss_each_other_by_little_enclose_a_room_less_surely() -> None:
    gap = [(0, 0, 10, 0), (10, 0, 10, 6), (10, 6, 0, 6), (0, 5.83, 0, 0.17)]
    found = enclosed([*walls(*gap[:3]), shapely.box(-0.1, 0.17, 0.1, 5.83)], [])
    assert [sure for _, _, sure in found] == [0.5]
    open_side = enclosed([*walls(*gap[:3]), shapely.box(-0.1, 0.8, 0.1, 5.83)], [])
    assert open_side == []


@pytest.mark.parametrize("size", [(0.5, 6.0), (0.9, 0.9)])
def test_shafts_and_slits_are_no_rooms(size: tuple[float, float]) -> None:
    w, h = size[0] + THICK, size[1] + THICK
    assert enclosed(walls((0, 0, w, 0), (w, 0, w, h), (w, h, 0, h), (0, h, 0, 0)), []) == []


def test_a_column_in_a_room_is_a_hole_in_its_floor() -> None:
    found = enclosed([*walls(*HOUSE), shapely.box(4, 2, 4.5, 2.5)], [])
    assert len(found) == 1 and found[0][0].area == pytest.approx(9.8 * 5.8 - 0.25, abs=0.01)


def test_no_walls_enclose_nothing() -> None:
    assert enclosed([], []) == []


def cover(storey: int, elevation: float, *rooms: tuple[float, float, float, float]) -> StoreyCover:
    derived = [DerivedRoom(mapping(shapely.box(*room)), shapely.box(*room).area, [], 0.8) for room in rooms]
    return StoreyCover(UUID(int=storey), str(storey), elevation, 0, 0.0, 0.0, 0.0, derived)


def test_what_two_storeys_at_nearly_one_height_both_show_is_told_by_the_upper_one() -> None:
    ceiling, floor, next_ = cover(1, 3.7, (0, 0, 5, 4), (20, 0, 23, 3)), cover(2, 3.9, (0, 0, 5, 4)), cover(3, 7.6)
    told = once_per_level([ceiling, floor, next_])
    assert [[round(room.area) for room in each.derived] for each in told] == [[9], [20], []]
    assert [each.same_level for each in told] == [floor.storey_id, None, None]
    assert once_per_level([cover(1, 0.0, (0, 0, 5, 4)), cover(2, 3.0, (0, 0, 5, 4))])[0].same_level is None
