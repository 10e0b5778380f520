"""Which new elements are old ones with another GlobalId: geometry, placement, class, name, tag and type compared.

A re-export may give everything new GlobalIds while the building stays what it was. Pure: arrays in, matches out. A
match is *certain* where shape, position and class agree and nothing else comes near; *likely* ones are for a person to
decide. Lengths are metres in the building frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT: Final = 0.005  # m: the same place, but for what exporters round
NEAR: Final = 1.0  # m: further away, position says nothing
NEIGHBOURS: Final = 8
LIKELY: Final = 0.55  # least score of a match worth a person's time
CERTAIN: Final = 0.7  # least score of a match that is applied at once
CLEAR: Final = 0.08  # by how much the best candidate must lead for the match to be certain
WEIGHTS: Final = {"position": 0.35, "shape": 0.3, "tag": 0.15, "name": 0.12, "type": 0.08}
"""What agreement is worth; what neither of the two has is left out and the rest scaled up. Class must agree."""
_BARE: Final = "bare"  # neither has a name or a shape: where they are is all there is to know
_VARIANTS: Final = ("StandardCase", "ElementedCase")  # IFC4 names that IFC4X3 took back


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is compared of an element. `position`: middle of its box, else its placement; None where it has neither."""

    ifc_class: str
    name: str | None = None
    tag: str | None = None
    type_name: str | None = None
    place: str | None = None  # the storey or whole it belongs to: tells equal things without a position apart
    position: tuple[float, float, float] | None = None
    shape: bytes | None = None  # hash of its mesh
    measure: tuple[float, ...] | None = None  # ifc_models.measures


@dataclass(frozen=True, slots=True)
class Match:
    """Old and new element by their index. `distance` in m, None where one has no position."""

    old: int
    new: int
    certain: bool
    score: float
    distance: float | None
    reasons: tuple[str, ...]  # what agrees


def match(old: Sequence[Candidate], new: Sequence[Candidate]) -> list[Match]:
    """Return the best one-to-one matches, the certain ones first; what is in none is lost (old) or added (new)."""
    if not old or not new:
        return []
    sides = _Sides(old, new)
    pairs = sides.candidates()
    if not len(pairs):
        return []
    score, agreed, distance = sides.compare(pairs)
    kept = score >= LIKELY
    return _choose(pairs[kept], score[kept], {name: a[kept] for name, a in agreed.items()}, distance[kept])


class _Sides:
    """Both lists as columns of comparable numbers."""

    def __init__(self, old: Sequence[Candidate], new: Sequence[Candidate]) -> None:
        self._n = len(old)
        both = [*old, *new]
        self._class = _codes([_plain(c.ifc_class) for c in both])
        self._texts = {
            "name": _codes([c.name or None for c in both]),
            "tag": _codes([c.tag or None for c in both]),
            "type": _codes([c.type_name or None for c in both]),
        }
        self._place = _codes([c.place or None for c in both])
        self._shape = _codes([c.shape for c in both])
        nowhere = (np.nan, np.nan, np.nan)
        self._position = np.array([c.position or nowhere for c in both], dtype=np.float64).reshape(-1, 3)
        width = max((len(c.measure) for c in both if c.measure), default=1)
        self._measure = np.array([c.measure or (np.nan,) * width for c in both], dtype=np.float64)

    def candidates(self) -> NDArray[np.int64]:
        """(P, 2) pairs worth comparing: near ones of a class, and those whose shape, tag or name only they share."""
        named = np.column_stack([self._class, self._texts["name"], self._place])
        found = [
            self._near(),
            self._sharing(np.column_stack([self._class, self._texts["tag"]]), self._texts["tag"] >= 0),
            self._sharing(np.column_stack([self._class, self._shape]), self._shape >= 0),
            self._sharing(named, self._texts["name"] >= 0),
            self._sharing(named[:, :2], self._nowhere() & (self._texts["name"] >= 0)),
        ]
        return np.unique(np.concatenate(found), axis=0)

    def _nowhere(self) -> NDArray[np.bool_]:
        return np.asarray(np.isnan(self._position[:, 0]), dtype=np.bool_)

    def _near(self) -> Index:
        """Pairs of one class within `NEAR` of each other, the nearest few of each element."""
        where = ~self._nowhere()
        here, there = np.flatnonzero(where[: self._n]), np.flatnonzero(where[self._n :]) + self._n
        if not len(here) or not len(there):
            return np.zeros((0, 2), dtype=np.int64)
        # Classes far apart on a fourth axis: one tree for all of them.
        points = np.column_stack([self._position, self._class * (10 * NEAR)])
        count = min(NEIGHBOURS, len(there))
        distance, index = cKDTree(points[there]).query(points[here], k=count, distance_upper_bound=NEAR)
        distance, index = distance.reshape(len(here), count), index.reshape(len(here), count)
        row, column = np.nonzero(np.isfinite(distance))
        return np.column_stack([here[row], there[index[row, column]] - self._n])

    def _sharing(self, key: Index, valid: NDArray[np.bool_]) -> Index:
        """Pairs whose key exactly one old and one new element have."""
        _, group = np.unique(key, axis=0, return_inverse=True)
        group = np.where(valid, group.reshape(-1), -1)
        size = int(group.max()) + 1 if len(group) else 0
        olds, news = group[: self._n], group[self._n :]
        old_count = np.bincount(olds[olds >= 0], minlength=size)
        new_count = np.bincount(news[news >= 0], minlength=size)
        alone = np.flatnonzero((old_count == 1) & (new_count == 1))
        old_of, new_of = np.full(size, -1), np.full(size, -1)
        old_of[olds[olds >= 0]] = np.flatnonzero(olds >= 0)
        new_of[news[news >= 0]] = np.flatnonzero(news >= 0)
        return np.column_stack([old_of[alone], new_of[alone]]).astype(np.int64)

    def compare(self, pairs: Index) -> tuple[Floats, dict[str, NDArray[np.bool_]], Floats]:
        """Score 0…1 of each pair, what agrees, and how far apart they are (m, NaN where one is nowhere)."""
        a, b = pairs[:, 0], pairs[:, 1] + self._n
        distance = np.linalg.norm(self._position[a] - self._position[b], axis=1)
        worth = {name: self._equal(codes, a, b) for name, codes in self._texts.items()}
        worth["shape"] = self._shapes(a, b)
        closeness = np.clip(1 - distance / NEAR, 0, 1)
        worth["position"] = np.where(distance <= EXACT, 1.0, closeness)
        total, weight = np.zeros(len(pairs)), np.zeros(len(pairs))
        for name, share in WEIGHTS.items():
            known = ~np.isnan(worth[name])
            total += np.where(known, worth[name], 0) * share
            weight += known * share
        score = np.divide(total, weight, out=np.zeros(len(pairs)), where=weight > 0)
        same_class = self._class[a] == self._class[b]
        agreed = {name: worth[name] == 1.0 for name in WEIGHTS}
        agreed["place"] = self._equal(self._place, a, b) == 1.0
        agreed[_BARE] = np.isnan(worth["name"]) & np.isnan(worth["shape"])
        # With neither position nor shape a name alone is thin; the same place in the tree makes up for it.
        thin = np.isnan(worth["position"]) & np.isnan(worth["shape"])
        score *= np.where(thin, np.where(agreed["place"], 1.0, 0.6), 1.0)
        return score * same_class, agreed, distance

    @staticmethod
    def _equal(codes: Index, a: Index, b: Index) -> Floats:
        """1 where equal, 0 where not, NaN where neither has a value."""
        x, y = codes[a], codes[b]
        return np.where((x < 0) & (y < 0), np.nan, ((x == y) & (x >= 0)).astype(np.float64))

    def _shapes(self, a: Index, b: Index) -> Floats:
        """1 for one shape (by hash or by figures), less for a similar one, NaN where neither has a mesh."""
        same = self._equal(self._shape, a, b)
        x, y = self._measure[a], self._measure[b]
        size = np.maximum(np.maximum(np.abs(x), np.abs(y)), 1e-3)
        off = (np.abs(x - y) / size)[:, :5].max(axis=1, initial=0.0)
        alike = np.where(off <= 1e-3, 1.0, np.clip(1 - off * 2, 0, 0.8))
        return np.where((same == 0) & ~np.isnan(off), alike, same)


def _choose(pairs: Index, score: Floats, agreed: dict[str, NDArray[np.bool_]], distance: Floats) -> list[Match]:
    """Take the best pairs first, each element once. Certain: geometry agrees and no other candidate comes near."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -score))
    lead = np.minimum(_lead(pairs[:, 0], score), _lead(pairs[:, 1], score))
    nowhere = np.isnan(distance)
    bare = agreed.pop(_BARE)
    there = agreed["position"] & (agreed["shape"] | agreed["name"] | bare)
    solid = np.where(nowhere, agreed["name"] & agreed["place"], there)
    certain = solid & (lead >= CLEAR) & (score >= CERTAIN - 1e-9)
    certain |= bare & agreed["position"] & _even(pairs, score)
    used_old: set[int] = set()
    used_new: set[int] = set()
    found: list[Match] = []
    olds, news, scores = pairs[:, 0].tolist(), pairs[:, 1].tolist(), score.tolist()
    for i in order.tolist():
        if olds[i] in used_old or news[i] in used_new:
            continue
        used_old.add(olds[i])
        used_new.add(news[i])
        reasons = tuple(name for name, yes in agreed.items() if yes[i])
        far = None if nowhere[i] else float(distance[i])
        found.append(Match(olds[i], news[i], bool(certain[i]), round(scores[i], 4), far, reasons))
    return sorted(found, key=lambda each: not each.certain)


def _even(pairs: Index, score: Floats) -> NDArray[np.bool_]:
    """Pairs of as many old as new elements that nothing tells apart: any choice is right, the files' order decides."""
    full = score >= 1 - 1e-9
    old = np.bincount(pairs[:, 0], full, minlength=1)[pairs[:, 0]]
    new = np.bincount(pairs[:, 1], full, minlength=1)[pairs[:, 1]]
    return np.asarray(full & (old == new), dtype=np.bool_)


def _lead(group: Index, score: Floats) -> Floats:
    """By how much each score leads the best other one of its group; infinite where it is alone."""
    lead = np.full(len(group), np.inf)
    order = np.lexsort((-score, group))
    g, s = group[order], score[order]
    start = np.flatnonzero(np.r_[True, g[1:] != g[:-1]]) if len(g) else np.zeros(0, dtype=np.int64)
    end = np.r_[start[1:], len(g)]
    first = np.repeat(start, end - start)
    second = np.minimum(first + 1, len(g) - 1)
    several = np.repeat(end - start, end - start) > 1
    is_first = np.arange(len(g)) == first
    best_other = np.where(is_first, s[second] if len(g) else s, s[first] if len(g) else s)
    lead[order] = np.where(several, s - best_other, np.inf)
    return lead


def _plain(ifc_class: str) -> str:
    for variant in _VARIANTS:
        ifc_class = ifc_class.removesuffix(variant)
    return ifc_class


def _codes(values: Sequence[str | bytes | None]) -> Index:
    """A number per distinct value, -1 for None."""
    known: dict[str | bytes, int] = {}
    return np.array([-1 if v is None else known.setdefault(v, len(known)) for v in values], dtype=np.int64)
