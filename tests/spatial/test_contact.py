"""What touches is joined, what only passes is not; and where a mesh ends."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import trimesh

from spatial.contact import Contact, Part, Port, contacts
from spatial.ends import element_ends

NO_ENDS = np.zeros((0, 7))


def run(number: int, start: tuple[float, ...], stop: tuple[float, ...], *, size: float = 0.1, **more: Any) -> Part:
    """A straight pipe with its two openings."""
    a, b = np.array(start, dtype=float), np.array(stop, dtype=float)
    out = (b - a) / np.linalg.norm(b - a)
    ends = np.array([[*a, *-out, size], [*b, *out, size]])
    box = (*(np.minimum(a, b) - size / 2), *(np.maximum(a, b) + size / 2))
    given = {"medium": "pipe", "role": "run", "model": 0, "systems": frozenset(), "kinds": frozenset(), **more}
    return Part(number, box=tuple(map(float, box)), ends=ends, **given)


def machine(number: int, box: tuple[float, ...], **more: Any) -> Part:
    """Something with a body and no openings of its own."""
    given = {"medium": None, "role": "machine", "model": 0, "systems": frozenset(), "kinds": frozenset(), **more}
    return Part(number, box=box, ends=NO_ENDS, **given)


def joined(
    *parts: Part, ports: tuple[Port, ...] = (), known: tuple[tuple[int, int], ...] = ()
) -> set[tuple[int, int, str]]:
    found = contacts(parts, ports, known, {})
    return {(min(each.one, each.other), max(each.one, each.other), each.kind) for each in found}


WEST = run(1, (0, 0, 0), (2, 0, 0))


@pytest.mark.clause("6.4.3b")
@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (run(2, (2, 0, 0), (4, 0, 0)), "end"),
        (run(2, (2.014, 0, 0), (4, 0, 0)), "end"),  # a gap within the tolerance
        (run(2, (1.96, 0, 0), (4, 0, 0)), "end"),  # pushed into a socket
        (run(2, (2.02, 0, 0), (4, 0, 0)), None),  # a gap
        (run(2, (2, 0.03, 0), (4, 0.03, 0)), None),  # beside it
        (run(2, (2, 0, 0), (4, 0, 0), size=0.03), None),  # far thinner
        (run(2, (2, 0, 0), (2, 3, 0)), None),  # at a right angle without an elbow
        (run(2, (1, -1, 0), (1, 1, 0)), None),  # it crosses: no end is there
        (run(2, (2, 0, 0), (4, 0, 0), medium="duct"), None),
        (run(2, (1, 0.05, 0), (1, 2, 0), size=0.05), "side"),  # a tap
        (run(2, (1, 0.05, 0), (1, 2, 0), size=0.2), None),  # no tap is wider than what it taps
        (run(2, (1, 0.3, 0), (1, 2, 0), size=0.05), None),
        (machine(2, (2, -0.5, -0.5, 3, 0.5, 0.5)), "body"),
        (machine(2, (2.1, -0.5, -0.5, 3, 0.5, 0.5)), None),
        (machine(2, (-3, -3, 0.2, 5, 3, 1)), None),  # above it
    ],
)
def test_what_ends_at_each_other_is_joined_and_what_passes_is_not(other: Part, kind: str | None) -> None:
    assert joined(WEST, other) == ({(1, 2, kind)} if kind else set())


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ({"systems": {"supply"}}, {"systems": {"return"}}, False),
        ({"systems": {"supply", "return"}}, {"systems": {"return"}}, True),
        ({"systems": {"supply"}}, {}, True),
        ({"systems": {"VL"}, "kinds": {"HEATING"}}, {"systems": {"RL"}, "kinds": {"HEATING"}}, True),
        ({"kinds": {"HEATING"}}, {"kinds": {"DOMESTICCOLDWATER"}}, False),
        ({"systems": {"CHW 1"}}, {"systems": {"Chilled water"}, "model": 1}, True),  # two models, two names
        ({"kinds": {"HEATING"}}, {"kinds": {"CHILLEDWATER"}, "model": 1}, False),
    ],
)
def test_different_systems_are_not_joined_unless_they_are_of_one_kind_or_of_two_models(
    one: dict[str, Any], other: dict[str, Any], may: bool
) -> None:
    def of(part: Part, about: dict[str, Any]) -> Part:
        changes: dict[str, Any] = {name: frozenset(v) if isinstance(v, set) else v for name, v in about.items()}
        return replace(part, **changes)

    assert bool(joined(of(WEST, one), of(run(2, (2, 0, 0), (4, 0, 0)), other))) == may


def test_a_sewer_is_pushed_as_deep_into_its_socket_as_it_is_wide_for() -> None:
    """As in the PCERT plumbing model: 700 mm pipes overlap by 75 mm."""
    west, east = run(1, (0, 0, 0), (2.5, 0, 0), size=0.7), run(2, (2.425, 0, 0), (5, 0, 0), size=0.7)
    assert joined(west, east) == {(1, 2, "end")}
    assert joined(replace(west, ends=west.ends * [1, 1, 1, 1, 1, 1, 0.1]), run(2, (2.425, 0, 0), (5, 0, 0))) == set()


def test_an_opening_is_used_once_and_the_best_fit_gets_it() -> None:
    good, worse = run(2, (2, 0, 0), (4, 0, 0)), run(3, (2.01, 0, 0), (4, 0, 0))
    assert joined(WEST, worse, good) == {(1, 2, "end")}


def test_what_the_file_joins_is_not_joined_again() -> None:
    assert joined(WEST, run(2, (2, 0, 0), (4, 0, 0)), known=((2, 1),)) == set()


def test_loose_ports_at_one_place_are_joined_in_the_direction_they_give() -> None:
    source, sink = Port(7, (5, 0, 0), "SOURCE", "HEATING"), Port(8, (5, 0.01, 0), "SINK", "HEATING")
    assert contacts([], [sink, source], (), {}) == [Contact(7, 8, "port", directed=True)]
    assert contacts([], [source, replace(sink, direction="SOURCE")], (), {}) == []
    assert contacts([], [source, replace(sink, system="GAS")], (), {}) == []
    assert contacts([], [source, replace(sink, number=7)], (), {}) == []
    assert contacts([], [source, replace(sink, direction=None)], (), {}) == [Contact(7, 8, "port")]


def test_an_end_with_a_connected_port_is_taken() -> None:
    other = run(2, (2, 0, 0), (4, 0, 0))
    assert contacts([WEST, other], [], (), {1: [(2, 0, 0)]}) == []


@dataclass(frozen=True)
class Shapes:
    """Meshes as the extract has them, each shown once."""

    positions: np.ndarray[Any, Any]
    triangles: np.ndarray[Any, Any]
    shape_vertices: np.ndarray[Any, Any]
    shape_triangles: np.ndarray[Any, Any]
    instance_element: np.ndarray[Any, Any]
    instance_shape: np.ndarray[Any, Any]
    instance_matrix: np.ndarray[Any, Any]


def shapes(*made: trimesh.Trimesh, matrix: np.ndarray[Any, Any] | None = None) -> Shapes:
    n = len(made)
    return Shapes(
        np.concatenate([each.vertices for each in made]).astype(np.float32),
        np.concatenate([each.faces for each in made]).astype(np.uint32),
        np.cumsum([0, *(len(each.vertices) for each in made)]).astype(np.uint64),
        np.cumsum([0, *(len(each.faces) for each in made)]).astype(np.uint64),
        np.arange(n, dtype=np.uint32),
        np.arange(n, dtype=np.uint32),
        np.repeat((np.eye(4) if matrix is None else matrix)[None], n, axis=0),
    )


def test_a_pipe_a_hollow_duct_and_a_tray_end_where_their_caps_are() -> None:
    pipe = trimesh.creation.cylinder(radius=0.05, height=3, sections=16)
    disc = trimesh.creation.cylinder(radius=0.2, height=0.1, sections=24)  # shorter than it is wide
    hollow = trimesh.creation.annulus(r_min=0.08, r_max=0.1, height=2)
    tray = trimesh.creation.box((0.3, 0.1, 4))
    ends = element_ends(shapes(pipe, disc, hollow, tray), range(4), ())
    for number, (length, size) in enumerate([(3, 0.1), (0.1, 0.4), (2, 0.2), (4, np.hypot(0.3, 0.1))]):
        found = ends[number][np.argsort(ends[number][:, 2])]
        assert found[:, :3] == pytest.approx(np.array([[0, 0, -length / 2], [0, 0, length / 2]]), abs=1e-4)
        assert found[:, 3:6] == pytest.approx(np.array([[0, 0, -1], [0, 0, 1]]), abs=1e-4)
        assert found[:, 6] == pytest.approx([size, size], rel=0.02)


def test_ends_move_and_turn_with_their_element() -> None:
    matrix = trimesh.transformations.rotation_matrix(np.pi / 2, (0, 1, 0))
    matrix[:3, 3] = (10, 20, 30)
    ends = element_ends(shapes(trimesh.creation.cylinder(radius=0.05, height=2), matrix=matrix), [0], ())[0]
    assert sorted(ends[:, 0]) == pytest.approx([9, 11])
    assert np.abs(ends[:, 3:6]) == pytest.approx(np.array([[1, 0, 0], [1, 0, 0]]), abs=1e-6)


def elbow(bend: float = 0.2, radius: float = 0.05, around: int = 16, along: int = 8) -> trimesh.Trimesh:
    """A quarter bend in the xy plane from the origin (facing -x) to (bend, bend, 0) (facing +y), with flat caps."""
    turn = np.linspace(0, np.pi / 2, along)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rings = [
        [[s * (bend + radius * np.cos(a)), bend - c * (bend + radius * np.cos(a)), radius * np.sin(a)] for a in angle]
        for s, c in zip(np.sin(turn), np.cos(turn), strict=True)
    ]
    faces = [
        face
        for i in range(along - 1)
        for j in range(around)
        for a, b in [(i * around + j, i * around + (j + 1) % around)]
        for face in ([a, a + around, b], [b, a + around, b + around])
    ]
    last = (along - 1) * around
    caps = [face for k in range(1, around - 1) for face in ([0, k, k + 1], [last, last + k + 1, last + k])]
    made = trimesh.Trimesh(np.concatenate(rings), faces + caps, process=False)
    made.fix_normals()
    return made


def test_an_elbow_ends_at_its_two_caps_and_a_ball_nowhere() -> None:
    ends = element_ends(shapes(elbow(), trimesh.creation.icosphere(subdivisions=2)), (), [0, 1])
    found = ends[0][np.argsort(ends[0][:, 0])]
    assert found[:, :3] == pytest.approx(np.array([[0, 0, 0], [0.2, 0.2, 0]]), abs=1e-3)
    assert found[:, 3:6] == pytest.approx(np.array([[-1, 0, 0], [0, 1, 0]]), abs=1e-3)
    assert 1 not in ends
