import math

from hypothesis import assume, given
from hypothesis import strategies as st

from twin.viewpoint import look_at

Box = list[float]


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    low = [draw(st.floats(-1000, 1000)) for _ in range(3)]
    size = [draw(st.floats(0, 50)) for _ in range(3)]
    return low + [low[axis] + size[axis] for axis in range(3)]


@given(boxes(), st.floats(-1000, 1000))
def test_the_eye_is_never_under_the_floor_and_never_in_the_thing(box: Box, floor: float) -> None:
    view = look_at(box, floor=floor)
    assert view["eye"][2] > floor
    assert math.dist(view["eye"], view["target"]) > 0.1


@given(st.floats(0.4, 20), st.floats(0.4, 20), st.floats(2, 6), st.floats(0, 1), st.floats(0, 1))
def test_the_eye_stays_in_the_room(width: float, depth: float, height: float, x: float, y: float) -> None:
    room = [0.0, 0.0, 0.0, width, depth, height]
    thing = [x * width * 0.8, y * depth * 0.8, 0.0, x * width * 0.8 + width * 0.1, y * depth * 0.8 + depth * 0.1, 0.5]
    assume(width > 0.6 and depth > 0.6)
    eye = look_at(thing, room=room, floor=0.0)["eye"]
    assert 0 <= eye[0] <= width
    assert -0.1 <= eye[1] <= depth
    assert 0 < eye[2] <= height


def test_a_room_is_looked_at_from_outside_and_above() -> None:
    room = [0.0, 0.0, 0.0, 5.0, 4.0, 3.0]
    eye = look_at(room, room=room, floor=0.0)["eye"]
    assert eye[2] > 3.0
