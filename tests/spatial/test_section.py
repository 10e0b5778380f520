"""Sections: what a plane cuts of bodies, what is seen below it; how stairs are walked."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from shapely import symmetric_difference

from spatial.climbs import climb_of, joined_climbs
from spatial.section import Section, Soup, cut_section
from viewer.glb_read import Piece, TileShapes
from viewer.plan_soup import SoupReader, with_repeats

FACES = np.array(
    [[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6],
     [3, 0, 4], [3, 4, 7]]
)  # fmt: skip


def box(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float) -> NDArray[np.float64]:
    """(12, 3, 3) triangles of a closed box, seen from outside."""
    corners = np.array(
        [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0), (x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)]
    )
    return np.asarray(corners[FACES])


def soup(*elements: NDArray[np.float64]) -> Soup:
    """Elements 0, 1, … without edges."""
    owner = np.concatenate([np.full(len(each), i) for i, each in enumerate(elements)]).astype(np.int64)
    return Soup(np.concatenate(elements), owner, np.zeros((0, 2, 3)), np.zeros(0, dtype=np.int64))


def cut(*elements: NDArray[np.float64], plane: float = 1.2) -> dict[int, float]:
    """Area cut of each element."""
    section = cut_section(soup(*elements), plane, lowest={}, outlined=set(), above=set())
    return {number: float(shape.area) for number, shape in section.cut.items()}


def test_a_wall_is_cut_where_the_plane_goes_through_it() -> None:
    wall, low, high = box(0, 0, 0, 5, 0.2, 3), box(0, 2, 0, 5, 2.2, 1), box(0, 4, 2, 5, 4.2, 3)
    assert cut(wall, low, high) == {0: pytest.approx(1.0, rel=1e-3)}


def test_bodies_of_one_element_that_touch_are_cut_as_one() -> None:
    layers = np.concatenate([box(0, 0, 0, 5, 0.1, 3), box(0, 0.1, 0, 5, 0.3, 3), box(0, 0.3, 0, 5, 0.36, 3)])
    assert cut(layers) == {0: pytest.approx(5 * 0.36, rel=1e-3)}


def test_a_hollow_is_a_hole_and_a_body_inside_another_is_none() -> None:
    outer, inner = box(0, 0, 0, 2, 2, 3), box(0.5, 0.5, -1, 1.5, 1.5, 4)
    hollow = np.concatenate([outer, inner[:, ::-1]])
    assert cut(hollow) == {0: pytest.approx(3.0, rel=1e-3)}
    filled = np.concatenate([outer, inner])
    assert cut(filled) == {0: pytest.approx(4.0, rel=1e-3)}


MODEL = UUID(int=1)
CHAIR = np.concatenate([box(-0.25, -0.25, 0, 0.25, 0.25, 0.45), box(-0.25, 0.2, 0.45, 0.2, 0.25, 1.4)])


def section_of(pieces: list[Piece], count: int, *, alike: bool) -> tuple[Section, int]:
    """The section of elements 0 … count - 1 as tiles show them, and how many triangles it was made of."""
    names = [(f"name {number}", 0) for number in range(count)]
    reader = SoupReader(
        {(MODEL, name, 0): (UUID(int=number + 2), "any" if alike else None) for number, (name, _) in enumerate(names)}
    )
    reader.add(TileShapes(names, pieces), MODEL)
    shown = reader.shown()
    assert [id.int for id in shown.ids] == [number + 2 for number in range(count)]
    lowest = dict.fromkeys(range(count), -1.0)
    section = cut_section(shown.soup, 1.2, lowest=lowest, outlined=set(), above=set())
    return with_repeats(section, shown.repeats), len(shown.soup.triangles)


@given(
    st.lists(
        st.tuples(st.floats(-3, 3), st.floats(-50, 50), st.floats(-50, 50), st.sampled_from([0.0, 0.0, 0.0, 0.4])),
        min_size=2,
        max_size=6,
    ),
    st.floats(0, 0.5),
)
@settings(max_examples=15, deadline=None)
def test_copies_of_one_shape_are_cut_once_and_drawn_where_each_stands(
    stands: list[tuple[float, float, float, float]], lean: float
) -> None:
    turns = Rotation.from_euler("xz", [(lean, angle) for angle, _, _, _ in stands]).as_matrix()
    shifts = np.array([(x, y, z) for _, x, y, z in stands])
    every = np.arange(len(stands))
    pieces = [Piece(CHAIR[:12], every, turns, shifts), Piece(CHAIR[12:], every, turns, shifts)]
    once, few = section_of(pieces, len(stands), alike=True)
    each, many = section_of(pieces, len(stands), alike=False)
    assert many == len(CHAIR) * len(stands)
    assert few == len(CHAIR) * len({z for _, _, _, z in stands})
    for kind in ("cut", "below"):
        mine, theirs = getattr(once, kind), getattr(each, kind)
        assert mine.keys() == theirs.keys()
        for number, shape in theirs.items():
            assert symmetric_difference(mine[number], shape).area < 0.005 + 0.02 * shape.area
    assert once.top == pytest.approx(each.top, abs=2e-3)


def test_what_is_shown_as_a_copy_and_besides_for_itself_repeats_nothing() -> None:
    turns, shifts = np.stack([np.eye(3)] * 2), np.array([(0.0, 0, 0), (5, 0, 0)])
    own = Piece(box(5, 2, 0, 6, 3, 2), np.ones(12, dtype=np.int64))
    section, triangles = section_of([Piece(CHAIR, np.arange(2), turns, shifts), own], 2, alike=True)
    assert triangles == 2 * len(CHAIR) + 12
    assert section.cut[1].area == pytest.approx(section.cut[0].area + 1, abs=1e-3)


def test_walls_that_show_nothing_from_above_are_cut_all_the_same() -> None:
    wall = box(0, 0, 0, 5, 0.2, 3)
    section = cut_section(soup(wall[4:]), 1.2, lowest={0: 0.0}, outlined=set(), above={0})
    assert section.cut[0].area == pytest.approx(1.0, rel=1e-3) and not section.below and not section.above


def test_what_encloses_nothing_is_cut_as_a_line() -> None:
    sheet = np.array([[(0, 0, 0), (4, 0, 0), (4, 0, 3)], [(0, 0, 0), (4, 0, 3), (0, 0, 3)]], dtype=np.float64)
    section = cut_section(soup(sheet), 1.2, lowest={}, outlined=set(), above=set())
    assert not section.cut and section.open[0].length == pytest.approx(4.0, rel=1e-3)


def test_below_the_plane_an_element_shows_its_outline_and_no_more_than_reaches_up_to_it() -> None:
    table, ramp = box(0, 0, 0.7, 2, 1, 0.75), np.array([[(0, 5, 0), (4, 5, 2), (0, 6, 0)]], dtype=np.float64)
    section = cut_section(soup(table, ramp), 1.0, lowest={0: 0.0, 1: 0.0}, outlined=set(), above={1})
    assert section.below[0].area == pytest.approx(2.0, rel=0.02)
    assert section.below[1].bounds[2] == pytest.approx(2.0, abs=0.01)  # half way up
    assert section.top[0] == pytest.approx(0.75)


@settings(max_examples=15, deadline=None)
@given(
    x=st.floats(-50, 50),
    width=st.floats(0.05, 9),
    depth=st.floats(0.05, 9),
    turn=st.floats(0, 3.1),
    z=st.floats(0.1, 2.9),
)
def test_the_cut_of_a_turned_box_has_its_area(x: float, width: float, depth: float, turn: float, z: float) -> None:
    flat = box(0, 0, 0, width, depth, 3)
    c, s = np.cos(turn), np.sin(turn)
    flat[..., :2] = flat[..., :2] @ np.array([[c, s], [-s, c]]) + x
    assert cut(flat, plane=z)[0] == pytest.approx(width * depth, abs=0.003 * (width + depth) + 1e-4)


def stair(steps: int, *, rise: float = 0.17, going: float = 0.28, z: float = 0.0) -> NDArray[np.float64]:
    """Treads as boxes that walk along x; the last is the upper floor's edge."""
    return np.concatenate(
        [box(i * going, 0, z + i * rise, (i + 1) * going, 1.2, z + (i + 1) * rise) for i in range(steps)]
    )


def test_a_stair_is_climbed_from_before_its_first_riser_to_its_last_tread() -> None:
    climb = climb_of(stair(16))
    assert climb is not None
    assert climb.risers == 16 and climb.rise == pytest.approx(0.17, abs=1e-3)
    assert climb.foot[0] < 0 and climb.foot[2] == pytest.approx(0.0, abs=1e-3)
    assert climb.head[2] == pytest.approx(16 * 0.17, abs=1e-3) and climb.width == pytest.approx(1.2, abs=0.05)
    heights = [z for _, _, z in climb.points]
    assert heights == sorted(heights)


def test_a_ramp_is_walked_along_its_slope_and_a_slab_is_no_stair() -> None:
    slope = np.array([[(0, 0, 0), (6, 0, 0.5), (6, 2, 0.5)], [(0, 0, 0), (6, 2, 0.5), (0, 2, 0)]], dtype=np.float64)
    climb = climb_of(slope)
    assert climb is not None and climb.risers == 0
    assert climb.foot == pytest.approx((0, 1, 0)) and climb.head == pytest.approx((6, 1, 0.5))
    assert climb_of(box(0, 0, 0, 5, 5, 0.3)) is None


def test_flights_of_one_stair_follow_each_other_over_their_landing() -> None:
    lower, upper = climb_of(stair(8)), climb_of(stair(8, z=8 * 0.17) + np.array([3.0, 1.0, 0.0]))
    assert lower and upper
    assert [len(way) for way in joined_climbs([upper, lower])] == [2]
    far = climb_of(stair(8) + np.array([20.0, 0.0, 0.0]))
    assert far and [len(way) for way in joined_climbs([lower, far])] == [1, 1]
