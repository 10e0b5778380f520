"""Which room, how sure, what hides it: on small floor plans with known answers, and properties on many."""

from uuid import UUID

import hypothesis
import numpy as np
import pytest
import shapely
from hypothesis import strategies as st

from spatial.joins import RoomPlan
from spatial.placing import HIDDEN, LOOSE, NEAR, REASONS, Covers, RoomsHere, choose_rooms, find_hidden, judge

NO_COVERS = Covers(np.zeros((0, 6)), np.zeros((0, 6)), np.zeros((0, 6)))


def rooms_of(*plans: tuple[float, float, float, float, float, float], storey: list[float] | None = None) -> RoomsHere:
    """Rooms from boxes: min x y z, max x y z."""
    made = [RoomPlan(UUID(int=n), shapely.box(b[0], b[1], b[3], b[4]), b[2], b[5]) for n, b in enumerate(plans)]
    return RoomsHere.of(made, storey or [np.nan] * len(made))


HOUSE = rooms_of((0, 0, 0, 4, 3, 2.6), (4.2, 0, 0, 8, 3, 2.6), (0, 0, 3, 8, 3, 5.6), storey=[0, 0, 3])


def placed(box: list[float], storey: float = np.nan, reach: float = NEAR) -> tuple[int, str | None, float]:
    """The room, reason and confidence of one element in the house."""
    boxes = np.array([box], dtype=np.float64)
    chosen, count = choose_rooms(boxes, np.array([storey]), np.array([reach]), HOUSE)
    found = judge(boxes, chosen, count, HOUSE)
    return int(chosen[0]), REASONS[found.reason[0]] if found.reason[0] >= 0 else None, float(found.confidence[0])


@pytest.mark.clause("6.4.2b")
def test_what_stands_wholly_in_a_room_is_surely_there() -> None:
    room, reason, confidence = placed([1, 1, 0, 2, 2, 1])
    assert (room, reason) == (0, "inside") and confidence == pytest.approx(0.95)


def test_what_reaches_through_a_wall_is_where_its_middle_is_and_less_sure() -> None:
    room, reason, confidence = placed([3, 1, 1, 4.8, 1.2, 1.2])
    assert (room, reason) == (0, "inside") and 0.5 < confidence < 0.95


def test_a_duct_in_the_void_belongs_to_the_room_below_unless_the_file_says_the_storey_above() -> None:
    assert placed([1, 1, 2.7, 2, 2, 2.9])[:2] == (0, "ceiling")
    assert placed([1, 1, 2.7, 2, 2, 2.9], storey=3.0)[:2] == (2, "floor")


def test_two_models_storeys_of_one_level_are_one_though_their_elevations_differ() -> None:
    assert placed([1, 1, 0.2, 2, 2, 1], storey=0.15)[0] == 0
    assert placed([1, 1, 0.2, 2, 2, 1], storey=3.0)[0] == -1


def test_a_socket_in_a_wall_belongs_to_the_room_it_faces_a_chair_outside_to_none() -> None:
    room, reason, confidence = placed([-0.1, 1, 0.3, 0.02, 1.1, 0.4])
    assert (room, reason) == (0, "nearest") and 0.5 < confidence < 0.9
    assert placed([-0.9, 1, 0, -0.2, 1.7, 0.9], reach=LOOSE)[0] == -1
    assert placed([-0.9, 1, 0, -0.2, 1.7, 0.9])[0] == 0, "within reach of what is fixed to walls"
    assert placed([-1.5, 1, 0, -0.5, 1.7, 0.9])[0] == -1


def test_where_rooms_overlap_the_smallest_is_taken_and_doubted() -> None:
    rooms = rooms_of((0, 0, 0, 10, 10, 3), (2, 2, 0, 4, 4, 3))
    boxes = np.array([[2.5, 2.5, 0, 3, 3, 1], [6, 6, 0, 7, 7, 1]], dtype=np.float64)
    chosen, count = choose_rooms(boxes, np.full(2, np.nan), np.full(2, NEAR), rooms)
    assert chosen.tolist() == [1, 0] and count.tolist() == [2, 1]
    confidence = judge(boxes, chosen, count, rooms).confidence
    assert confidence[0] < confidence[1]


@pytest.mark.parametrize(
    ("box", "shows_face", "hidden"),
    [
        ([1, 1, 2.45, 2, 2, 2.55], False, "ceiling_void"),  # a duct above the ceiling at 2.4
        ([1, 1, 2.38, 1.2, 1.2, 2.45], True, None),  # a lamp set into it
        ([1, 1, 2.40, 1.2, 1.2, 2.7], True, None),  # a diffuser flush with it
        ([5, 1, 2.45, 6, 2, 2.55], False, None),  # no ceiling in the next room
        ([5, 1, 2.7, 6, 2, 2.9], False, "ceiling_void"),  # above the room itself
        ([1, 1, -0.3, 2, 2, -0.1], False, "under_floor"),
        ([4.05, 1, 1, 4.15, 1.1, 1.1], False, "behind_wall"),  # a pipe in the wall between the rooms
        ([1, 1, 0, 2, 2, 1], False, None),
    ],
)
def test_what_a_ceiling_a_floor_or_a_wall_hides(box: list[float], shows_face: bool, hidden: str | None) -> None:
    boxes = np.array([box], dtype=np.float64)
    covers = Covers(
        np.array([[0, 0, 2.4, 4, 3, 2.42]]), np.zeros((0, 6)), np.array([[4, 0, 0, 4.2, 3, 2.8]], dtype=np.float64)
    )
    chosen, _ = choose_rooms(boxes, np.full(1, np.nan), np.full(1, NEAR), HOUSE)
    found = find_hidden(boxes, chosen, np.array([shows_face]), HOUSE, covers)
    assert (HIDDEN[found[0]] if found[0] >= 0 else None) == hidden


def test_a_pipe_under_a_raised_floor_is_hidden_by_it() -> None:
    boxes = np.array([[1, 1, 0.05, 2, 2, 0.1], [1, 1, 0.4, 2, 2, 0.9]], dtype=np.float64)
    covers = Covers(np.zeros((0, 6)), np.array([[0, 0, 0.25, 4, 3, 0.3]]), np.zeros((0, 6)))
    found = find_hidden(boxes, np.array([0, 0]), np.array([False, False]), HOUSE, covers)
    assert [HIDDEN[each] if each >= 0 else None for each in found] == ["under_floor", None]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_a_run_through_rooms_belongs_to_the_one_that_holds_most_of_it_in_whatever_order_they_come(
    order: list[int],
) -> None:
    plans = [(0, 0, 0, 4, 3, 3), (20, 0, 0, 25, 3, 3), (95, 0, 0, 99, 3, 3)]
    rooms = rooms_of(*[plans[n] for n in order])
    chosen, _ = choose_rooms(np.array([[1.0, 1, 1, 99, 1.1, 1.1]]), np.full(1, np.nan), np.full(1, NEAR), rooms)
    assert order[chosen[0]] == 1
    even = rooms_of(*[[plans[0], plans[2]][n] for n in order if n < 2])
    chosen, _ = choose_rooms(np.array([[0.0, 1, 1, 99, 1.1, 1.1]]), np.full(1, np.nan), np.full(1, NEAR), even)
    assert shapely.bounds(even.polygons[chosen[0]])[0] == 0, "of two that hold as much, the same one at every import"


numbers = st.floats(-5, 12, width=32)


@hypothesis.given(st.lists(st.tuples(numbers, numbers, st.floats(-2, 8, width=32)), min_size=1, max_size=20))
@hypothesis.settings(max_examples=30, deadline=None)
def test_every_choice_is_within_reach_and_every_confidence_between_0_and_1(
    corners: list[tuple[float, float, float]],
) -> None:
    boxes = np.array([[x, y, z, x + 0.5, y + 0.5, z + 0.5] for x, y, z in corners])
    boxes = np.concatenate([boxes, np.full((1, 6), np.nan)])
    chosen, count = choose_rooms(boxes, np.full(len(boxes), np.nan), np.full(len(boxes), NEAR), HOUSE)
    found = judge(boxes, chosen, count, HOUSE)
    assert chosen[-1] == -1 and found.reason[-1] == -1
    for box, room, confidence in zip(boxes[:-1], chosen.tolist(), found.confidence.tolist(), strict=False):
        if room < 0:
            continue
        plan = shapely.box(*box[:2], *box[3:5])
        assert plan.distance(HOUSE.polygons[room]) <= NEAR + 1e-9 and 0 < confidence <= 0.95
    assert find_hidden(boxes, chosen, np.zeros(len(boxes), dtype=bool), HOUSE, NO_COVERS)[-1] == -1


def test_a_building_without_rooms_places_nothing() -> None:
    none = rooms_of()
    chosen, count = choose_rooms(np.zeros((2, 6)), np.full(2, np.nan), np.full(2, NEAR), none)
    assert chosen.tolist() == [-1, -1] and count.tolist() == [0, 0]
