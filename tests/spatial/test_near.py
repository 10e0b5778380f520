"""Nearest and within, against asking every element one by one."""

from collections.abc import Sequence
from math import dist
from uuid import UUID

import hypothesis
import numpy as np
import pytest
import shapely
from hypothesis import strategies as st

from spatial.near import _COLUMNS, Boxes, Filter, point_of, polygon_of
from twin.errors import Invalid

CLASSES = ["IfcPump", "IfcSpace", "IfcWall"]
ANCESTORS = {
    "IfcPump": frozenset({"IfcPump", "IfcFlowMovingDevice", "IfcElement"}),
    "IfcWall": frozenset({"IfcWall", "IfcElement"}),
    "IfcSpace": frozenset({"IfcSpace"}),
}
LOW, HIGH = UUID(int=101), UUID(int=102)

Box = tuple[float, float, float, float, float, float]
lengths = st.floats(-20, 20, width=32)
sizes = st.floats(0, 5, width=32)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Box, int, UUID]:
    x, y, z = draw(lengths), draw(lengths), draw(lengths)
    box = (x, y, z, x + draw(sizes), y + draw(sizes), z + draw(sizes))
    return box, draw(st.integers(0, 2)), draw(st.sampled_from([LOW, HIGH]))


def made(elements: Sequence[tuple[Box, int, UUID]]) -> Boxes:
    kinds = [field for name, kind in _COLUMNS.items() for field in ((name, kind),)]
    table = np.zeros(len(elements), dtype=np.dtype(kinds))
    for at, (box, of, storey) in enumerate(elements):
        table[at] = (np.void(UUID(int=at).bytes), of, np.void(storey.bytes), *box)
    return Boxes(table, CLASSES, ANCESTORS)


def apart(a: Sequence[float], b: Sequence[float]) -> float:
    """The distance of two boxes, corner by corner."""
    near = [(max(a[k], min(b[k], a[k + 3])), max(b[k], min(a[k], b[k + 3]))) for k in range(3)]
    return dist([one for one, _ in near], [other for _, other in near])


@hypothesis.given(st.lists(boxes(), max_size=30), boxes(), st.sampled_from([None, "IfcElement", "IfcPump"]))
@hypothesis.settings(max_examples=30, deadline=None)
def test_the_nearest_are_all_there_are_in_the_order_of_their_distance(
    elements: list[tuple[Box, int, UUID]], start: tuple[Box, int, UUID], wanted: str | None
) -> None:
    found, away = made(elements).nearest(np.array(start[0], dtype=np.float64), Filter(wanted))
    expected = {
        at
        for at, (_, of, _) in enumerate(elements)
        if (wanted is None and CLASSES[of] != "IfcSpace") or wanted in ANCESTORS[CLASSES[of]]
    }
    assert set(found.tolist()) == expected and len(found) == len(expected)
    assert away.tolist() == sorted(away.tolist())
    assert away.tolist() == pytest.approx([apart(elements[at][0], start[0]) for at in found.tolist()], abs=1e-5)


@hypothesis.given(st.lists(boxes(), max_size=30), boxes(), st.floats(0, 30), st.sampled_from([None, LOW]))
@hypothesis.settings(max_examples=30, deadline=None)
def test_within_a_radius_is_whatever_is_no_further(
    elements: list[tuple[Box, int, UUID]], start: tuple[Box, int, UUID], radius: float, storey: UUID | None
) -> None:
    found, away = made(elements).nearest(np.array(start[0], dtype=np.float64), Filter(None, storey), radius)
    assert all(each <= radius for each in away)
    for at, (box, of, on) in enumerate(elements):
        asked = CLASSES[of] != "IfcSpace" and storey in (None, on)
        if asked and abs(apart(box, start[0]) - radius) > 1e-4:
            assert (at in found) == (apart(box, start[0]) < radius)


@hypothesis.given(st.lists(boxes(), max_size=30), st.lists(st.tuples(lengths, lengths), min_size=3, max_size=6))
@hypothesis.settings(max_examples=30, deadline=None)
def test_within_a_polygon_is_whatever_has_its_middle_there(
    elements: list[tuple[Box, int, UUID]], corners: list[tuple[float, float]]
) -> None:
    polygon = shapely.Polygon(corners)
    hypothesis.assume(polygon.is_valid and polygon.area > 1e-3)
    found = set(made(elements).inside(polygon, Filter()).tolist())
    for at, (box, of, _) in enumerate(elements):
        middle = shapely.Point((box[0] + box[3]) / 2, (box[1] + box[4]) / 2)
        if CLASSES[of] != "IfcSpace" and middle.distance(polygon.boundary) > 1e-6:
            assert (at in found) == polygon.contains(middle)
    assert not any(CLASSES[elements[at][1]] == "IfcSpace" for at in found)


@pytest.mark.parametrize("text", ["", "1,2", "a,b c,d e,f", "0,0 1,0 nan,1", "0,0 1,0 2,0", "0,0 1,1 1,0 0,1"])
def test_what_is_no_polygon_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        polygon_of(text)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,inf", "x,y,z", "1,2,3,4"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        point_of(text)
