"""Joins of ducts, pipes and cables that no file states: ports at one place, openings that touch.

What is joined here is always derived. Three kinds, tried in this order, each end used once:

port  two loose ports at one place
end   two openings that face each other
body  an opening on the body of a machine, terminal or fitting
side  an opening on the side of a run: a tap

Nothing joins across different systems of one model, nor a pipe to a duct. Lengths in metres, building frame.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TOLERANCE: Final = 0.015  # m
FACING: Final = -0.9  # cosine between the directions of two openings that may be joined
SOCKET: Final = 0.5  # share of its size by which a pipe may be pushed into a socket,
DEEP: Final = (0.06, 0.2)  # and m: so far at most where it is small, and where it is a sewer
DEEP_SHARE: Final = 0.2
LATERAL: Final = 0.1  # share of an opening's size by which middles may be off, where that is more than the tolerance
ASLANT: Final = 0.8  # cosine between a run and what taps it, at most
SMALLER: Final = 0.4  # size of the smaller of two openings that may be joined, as a share of the larger

_ENDS_IN: Final = {("run", "fitting"), ("run", "machine"), ("fitting", "machine")}
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """An element through which something flows."""

    number: int
    medium: str | None  # pipe | duct | cable; None: any
    role: str  # run: a segment, it has two ends and sides | fitting | machine: valves and terminals too
    model: int
    systems: frozenset[str]  # names of those it belongs to
    kinds: frozenset[str]  # their predefined types
    box: tuple[float, ...] | None  # min x y z, max x y z
    ends: NDArray[np.float64]  # (n, 7) `spatial.ends.END_COLUMNS`


@dataclass(frozen=True, slots=True)
class Port:
    """A port that the file joins to nothing."""

    number: int  # of its element
    position: tuple[float, float, float]
    direction: str | None  # SOURCE | SINK | SOURCEANDSINK
    system: str | None  # SystemType


@dataclass(frozen=True, slots=True)
class Contact:
    """A derived join. `directed`: flow is from `one` to `other`, by the ports' directions."""

    one: int
    other: int
    kind: str  # port | end | body | side
    directed: bool = False


@dataclass(frozen=True, slots=True)
class _Ends:
    """All ends that are still free, row by row."""

    owner: NDArray[np.int64]
    at: NDArray[np.float64]
    out: NDArray[np.float64]
    size: NDArray[np.float64]
    free: NDArray[np.bool_]


def contacts(
    parts: Sequence[Part],
    ports: Sequence[Port],
    joined: Collection[Pair],
    taken: Mapping[int, Sequence[Sequence[float]]],
    tolerance: float = TOLERANCE,
) -> list[Contact]:
    """Return the derived joins. `joined`: what the files join; `taken`: positions of their connected ports by element.

    An element all of whose ports are connected has no business here: the caller leaves it out of `parts`, and out of
    `ports` those of an element that has all of them at one place: the file does not say where they are.
    """
    of = {part.number: part for part in parts}
    known = {_key(*pair) for pair in joined}
    found: list[Contact] = []
    for contact in _of_ports(ports, of, tolerance):
        if _key(contact.one, contact.other) not in known:
            known.add(_key(contact.one, contact.other))
            found.append(contact)
    ends = _free_ends(parts, taken, [port for port in ports if _was_joined(port, found)], tolerance)
    if not len(ends.owner):
        return found
    for step in (_end_to_end, _end_to_body, _end_to_side):
        for one, other, kind in step(ends, of, known, tolerance):
            known.add(_key(one, other))
            found.append(Contact(one, other, kind))
    return found


def may_join(one: Part, other: Part) -> bool:
    """Say whether two elements that touch may be one system.

    Supply and return are systems of one kind and meet; two models name the same system differently.
    """
    if one.medium and other.medium and one.medium != other.medium:
        return False
    if one.kinds and other.kinds:
        return not one.kinds.isdisjoint(other.kinds)
    return one.model != other.model or not one.systems or not other.systems or not one.systems.isdisjoint(other.systems)


def _key(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _was_joined(port: Port, found: Iterable[Contact]) -> bool:
    return any(port.number in (contact.one, contact.other) for contact in found)


def _of_ports(ports: Sequence[Port], of: Mapping[int, Part], tolerance: float) -> list[Contact]:
    """Ports of two elements at one place, nearest first."""
    if len(ports) < 2:
        return []
    at = np.array([port.position for port in ports])
    pairs = cKDTree(at).query_pairs(tolerance, output_type="ndarray")
    apart = np.linalg.norm(at[pairs[:, 0]] - at[pairs[:, 1]], axis=1)
    found: list[Contact] = []
    used: set[int] = set()
    for row in np.argsort(apart, kind="stable").tolist():
        i, j = (int(each) for each in pairs[row])
        one, other = ports[i], ports[j]
        if i in used or j in used or not _fit(one, other, of):
            continue
        used |= {i, j}
        if one.direction == "SINK" or other.direction == "SOURCE":
            one, other = other, one
        found.append(Contact(one.number, other.number, "port", {one.direction, other.direction} == {"SOURCE", "SINK"}))
    return found


def _fit(one: Port, other: Port, of: Mapping[int, Part]) -> bool:
    if one.number == other.number or (one.direction == other.direction and one.direction in ("SOURCE", "SINK")):
        return False
    if one.system and other.system and one.system != other.system:
        return False
    first, second = of.get(one.number), of.get(other.number)
    return first is None or second is None or may_join(first, second)


def _free_ends(
    parts: Sequence[Part], taken: Mapping[int, Sequence[Sequence[float]]], ports: Sequence[Port], tolerance: float
) -> _Ends:
    """The ends at which no connected port is: `taken`, and `ports` that were just joined."""
    used: dict[int, list[Sequence[float]]] = {number: list(at) for number, at in taken.items()}
    for port in ports:
        used.setdefault(port.number, []).append(port.position)
    owner, rows = [], []
    for part in parts:
        for end in part.ends:
            near = max(tolerance, SOCKET * end[6])
            if not any(np.linalg.norm(end[:3] - np.array(at)) <= near for at in used.get(part.number, ())):
                owner.append(part.number)
                rows.append(end)
    table = np.array(rows).reshape(-1, 7)
    return _Ends(
        np.array(owner, dtype=np.int64), table[:, :3], table[:, 3:6], table[:, 6], np.ones(len(table), dtype=bool)
    )


Found = Iterable[tuple[int, int, str]]


def _end_to_end(ends: _Ends, of: Mapping[int, Part], known: Collection[Pair], tolerance: float) -> Found:
    """Openings that face each other, the best fitting first."""
    pairs = cKDTree(ends.at).query_pairs(tolerance + DEEP[1], output_type="ndarray")
    i, j = pairs[:, 0], pairs[:, 1]
    between = ends.at[j] - ends.at[i]
    along = np.einsum("ij,ij->i", between, ends.out[i])  # > 0: a gap, < 0: pushed into each other
    off = np.linalg.norm(between - along[:, None] * ends.out[i], axis=1)
    small, large = np.minimum(ends.size[i], ends.size[j]), np.maximum(ends.size[i], ends.size[j])
    good = (
        (ends.owner[i] != ends.owner[j])
        & (np.einsum("ij,ij->i", ends.out[i], ends.out[j]) <= FACING)
        & (along <= tolerance)
        & (-along <= np.maximum(tolerance, np.minimum(SOCKET * large, np.clip(DEEP_SHARE * large, *DEEP))))
        & (off <= np.maximum(tolerance, LATERAL * large))
        & (small >= SMALLER * large)
    )
    for row in np.flatnonzero(good)[np.argsort((np.abs(along) + 2 * off)[good], kind="stable")].tolist():
        a, b = int(i[row]), int(j[row])
        one, other = int(ends.owner[a]), int(ends.owner[b])
        if not (ends.free[a] and ends.free[b]):
            continue
        if _key(one, other) in known or may_join(of[one], of[other]):
            ends.free[[a, b]] = False
            if _key(one, other) not in known:
                yield one, other, "end"


def _end_to_body(ends: _Ends, of: Mapping[int, Part], known: Collection[Pair], tolerance: float) -> Found:
    """Free ends that lie on or in the box of something that is no run, and point into it; the smallest box first.

    A fitting with openings of its own takes as many as it has free ones: not a pipe that passes its elbow.
    """
    bodies = [part for part in of.values() if part.role != "run" and part.box is not None]
    room = {part.number: _openings(ends, part) for part in bodies}
    boxes = np.array([part.box for part in bodies]).reshape(-1, 6)
    size = np.prod(boxes[:, 3:] - boxes[:, :3], axis=1)
    for end, hit in _near(ends, boxes, tolerance):
        inside = boxes[hit]
        towards = (inside[:, :3] + inside[:, 3:]) / 2 - ends.at[end]
        hit = hit[np.einsum("ij,j->i", towards, ends.out[end]) > 0]
        for body in hit[np.argsort(size[hit], kind="stable")].tolist():
            one, other = int(ends.owner[end]), bodies[body].number
            if one == other or _key(one, other) in known or room[other] == 0:
                continue
            if (of[one].role, of[other].role) in _ENDS_IN and may_join(of[one], of[other]):
                ends.free[end] = False
                room[other] -= 1
                yield one, other, "body"
                break


def _openings(ends: _Ends, part: Part) -> int:
    """How many ends may still be joined to the body of `part`; -1: any number."""
    return int(ends.free[ends.owner == part.number].sum()) if len(part.ends) else -1


def _end_to_side(ends: _Ends, of: Mapping[int, Part], known: Collection[Pair], tolerance: float) -> Found:
    """Free ends that lie on the side of a run at least as wide, between its ends, and point at it."""
    runs = [part for part in of.values() if part.role == "run" and part.box is not None and len(part.ends) == 2]
    if not runs:
        return
    boxes = np.array([part.box for part in runs])
    start, stop = np.array([part.ends[0, :3] for part in runs]), np.array([part.ends[1, :3] for part in runs])
    width = np.array([part.ends[:, 6].max() for part in runs])
    for end, hit in _near(ends, boxes, tolerance):
        axis = stop[hit] - start[hit]
        length = np.linalg.norm(axis, axis=1)
        share = np.einsum("ij,ij->i", ends.at[end] - start[hit], axis) / np.maximum(length**2, 1e-12)
        across = start[hit] + share[:, None] * axis - ends.at[end]
        away = np.linalg.norm(across, axis=1)
        aslant = np.abs(axis @ ends.out[end]) <= ASLANT * length  # what lies along a run is no tap of it
        points = aslant & (np.einsum("ij,j->i", across, ends.out[end]) >= 0.7 * away)
        between = np.minimum(share, 1 - share) * length >= ends.size[end] / 4
        good = (away <= width[hit] / 2 + tolerance) & points & between & (ends.size[end] <= 1.05 * width[hit])
        for run in hit[good][np.argsort(away[good], kind="stable")].tolist():
            one, other = int(ends.owner[end]), runs[run].number
            if one == other or _key(one, other) in known or of[one].role == "machine":
                continue
            if may_join(of[one], of[other]):
                ends.free[end] = False
                yield one, other, "side"
                break


def _near(ends: _Ends, boxes: NDArray[np.float64], tolerance: float) -> Iterable[tuple[int, NDArray[np.int64]]]:
    """Yield each free end with the boxes (n, 6) that it is in or near, where there are any."""
    free = np.flatnonzero(ends.free)
    if not len(boxes) or not len(free):
        return
    flat = shapely.box(*(boxes[:, axis] + side for axis, side in zip((0, 1, 3, 4), _widen(tolerance), strict=True)))
    which, hit = shapely.STRtree(flat).query(shapely.points(ends.at[free, :2]), predicate="intersects")
    height = ends.at[free[which], 2]
    level = (boxes[hit, 2] - tolerance <= height) & (height <= boxes[hit, 5] + tolerance)
    which, hit = which[level], hit[level]
    for number in np.unique(which).tolist():
        yield int(free[number]), hit[which == number]


_widen: Final[Callable[[float], tuple[float, ...]]] = lambda by: (-by, -by, by, by)  # noqa: E731
