"""What tiles show of some elements, as triangles and edges; what is repeated is read once.

A restaurant has four hundred chairs of a thousand triangles each: a section of one of them is that of all which stand
upright at the same height, turned and moved in plan.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import atan2, cos, sin
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

from spatial.section import Section, Soup
from viewer.glb_read import Piece, TileShapes

Floats = NDArray[np.float64]
ALIKE: Final = 1e-3  # m, and of turns: copies at one height that differ by less are cut alike
KINDS: Final = ("cut", "open", "below", "edges", "above")


@dataclass(frozen=True, slots=True)
class Shown:
    """Elements by number: their triangles and edges, and which of them repeat another's shape."""

    soup: Soup  # of those that repeat nobody
    ids: list[UUID]  # of all, by number
    repeats: Mapping[int, tuple[int, Floats]]  # number → whose shape, and (2, 3) how that is turned and moved in plan


@dataclass(frozen=True, slots=True)
class _Copy:
    """A piece of a tile as an element has it."""

    piece: Piece
    name: bytes  # of the piece: equal for equal ones, in whatever tile
    turn: Floats  # (3, 3)
    shift: Floats  # (3,)

    def corners(self) -> Floats:
        return np.asarray(self.piece.corners @ self.turn.T + self.shift)


class SoupReader:
    """Gathers what tiles show of elements, one tile after the other.

    `kinds`: those wanted, by their name in the tiles, as id and what else has to be equal of two elements for them to
    be cut alike; None: whatever it is, it is read for itself.
    """

    def __init__(self, kinds: Mapping[tuple[UUID, str, int], tuple[UUID, Hashable | None]]) -> None:
        self._kinds = kinds
        self._numbers: dict[UUID, int] = {}
        self._likes: list[Hashable | None] = []
        self._parts: list[Soup] = []
        self._copies: defaultdict[int, list[_Copy]] = defaultdict(list)
        self._alone: set[int] = set()  # shown, in part, as something that nobody else has

    def add(self, shapes: TileShapes, model: UUID) -> None:
        """Take in a tile of a model."""
        of = np.full(len(shapes.names), -1, dtype=np.int64)
        for feature, (name, occurrence) in enumerate(shapes.names):
            found = self._kinds.get((model, name, occurrence))
            if found is not None:
                of[feature] = self._number(*found)
        for piece in shapes.pieces:
            owner = of[piece.features]
            if piece.turns is None or piece.shifts is None:
                kept = owner >= 0
                self._alone.update(np.unique(owner[kept]).tolist())
                self._parts.append(_soup(piece.corners[kept], owner[kept]))
                continue
            same = hashlib.sha256(np.ascontiguousarray(piece.corners).tobytes()).digest()
            for number, turn, shift in zip(owner.tolist(), piece.turns, piece.shifts, strict=True):
                if number >= 0:
                    self._copies[number].append(_Copy(piece, same, turn, shift))

    def _number(self, id: UUID, like: Hashable | None) -> int:
        number = self._numbers.setdefault(id, len(self._numbers))
        if number == len(self._likes):
            self._likes.append(like)
        return number

    def shown(self) -> Shown:
        """Return what has been gathered."""
        first: dict[Hashable, int] = {}
        repeats: dict[int, tuple[int, Floats]] = {}
        parts = list(self._parts)
        for number, copies in self._copies.items():
            like = self._likes[number]
            if like is not None and number not in self._alone:
                copies.sort(key=lambda copy: copy.name)
                model = first.setdefault((like, _family(copies)), number)
                if model != number:
                    repeats[number] = (model, _move(self._copies[model][0], copies[0]))
                    continue
            parts.extend(_soup(c.corners(), np.full(len(c.piece.corners), number, dtype=np.int64)) for c in copies)
        return Shown(_joined(parts), list(self._numbers), repeats)


def _soup(corners: Floats, owner: NDArray[np.int64]) -> Soup:
    """Return triangles (C, 3, 3) or edges (C, 2, 3) as a soup."""
    none = np.zeros(0, dtype=np.int64)
    if corners.shape[1] == 2:
        return Soup(np.zeros((0, 3, 3)), none, corners, owner)
    return Soup(corners, owner, np.zeros((0, 2, 3)), none)


def _joined(parts: Iterable[Soup]) -> Soup:
    parts = [_soup(np.zeros((0, 3, 3)), np.zeros(0, dtype=np.int64)), *parts]
    return Soup(
        np.concatenate([part.triangles for part in parts]),
        np.concatenate([part.triangle_owner for part in parts]),
        np.concatenate([part.edges for part in parts]),
        np.concatenate([part.edge_owner for part in parts]),
    )


def _family(copies: list[_Copy]) -> Hashable:
    """Return what is equal of elements that differ by a turn about the vertical and a move in plan only."""
    turn, shift = copies[0].turn, copies[0].shift
    told: list[Any] = [_rounded(turn[2]), _rounded(shift[2:])]  # how far it leans, how high it is
    for copy in copies:
        told += [copy.name, _rounded(turn.T @ copy.turn), _rounded(turn.T @ (copy.shift - shift))]
    return tuple(told)


def _rounded(values: Floats) -> bytes:
    return np.rint(values / ALIKE).astype(np.int64).tobytes()


def _move(model: _Copy, copy: _Copy) -> Floats:
    """Return (2, 3) the turn and the move in plan from one copy to another."""
    turn = copy.turn @ model.turn.T
    angle = atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])
    plan = np.array([(cos(angle), -sin(angle)), (sin(angle), cos(angle))])
    return np.column_stack([plan, copy.shift[:2] - plan @ model.shift[:2]])


def with_repeats(section: Section, repeats: Mapping[int, tuple[int, Floats]]) -> Section:
    """Return a section with what is repeated in it."""
    made = {}
    for kind in KINDS:
        of: Mapping[int, Any] = getattr(section, kind)
        numbers = [number for number, (model, _) in repeats.items() if model in of]
        shapes = np.array([of[repeats[number][0]] for number in numbers], dtype=object)
        made[kind] = {**of, **dict(zip(numbers, _moved(shapes, [repeats[n][1] for n in numbers]), strict=True))}
    top = {number: section.top[model] for number, (model, _) in repeats.items() if model in section.top}
    return replace(section, **made, top={**section.top, **top})


def _moved(shapes: NDArray[np.object_], moves: list[Floats]) -> list[Any]:
    """Return shapes, each turned and moved by its own (2, 3)."""
    if not len(shapes):
        return []
    points, at = shapely.get_coordinates(shapes, return_index=True)
    move = np.array(moves)[at]
    turned = np.einsum("nij,nj->ni", move[:, :, :2], points) + move[:, :, 2]
    return list(shapely.set_coordinates(shapes.copy(), turned))
