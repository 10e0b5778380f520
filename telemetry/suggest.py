"""Which element a point belongs to: evidence weighed for each pair, then all points of a building decided together.

Evidence: words that the point shares with the element's names, or with where the element is; what kind of thing has
such a point; how points that are bound already are called; values that move together with those of a bound point. Each
is 0…1; they are joined as chances that err independently. Of points that mean the same (two zone temperatures) each
element gets one, as a rule: who gets which is one assignment over the building, not the first choice of each.

Pure: `telemetry.suggestions` reads what it needs.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.optimize import linear_sum_assignment

from telemetry.point_words import Meaning, words, words_of

NAME, PLACE, PATTERN, BEHAVIOUR, SOLE = 0.9, 0.65, 0.85, 0.6, 0.55  # what each evidence is worth at its best
LEAST: Final = 0.2  # no suggestion is worth less
CANDIDATES: Final = 12  # elements that are weighed up to the end, for each point
NEAR: Final = 40  # elements whose names are compared word by word, for each point
COMMON: Final = 300  # elements that share a word which says little
COPIES: Final = 4  # points of one meaning that an element may have
SOLES: Final = 3  # so few elements of the kind that has such points are worth naming for that alone
AGAIN: Final = 0.7  # of the score where the element has such a point already
FUZZY: Final = 86.0  # per cent that a misspelt word is alike
FEW: Final = 12  # hours that two series must have in common
FOLLOWS: Final = 0.5  # correlation of changes from which on one value follows another


@dataclass(frozen=True, slots=True)
class Loose:
    """A point to find an element for, or (`element`) one that has found it."""

    id: UUID
    label: str
    meaning: Meaning
    measure: str | None  # what it measures, by quantity, class or name
    series: NDArray[np.float64] | None = None  # (hours,) hourly means, NaN where there is none
    element: UUID | None = None

    @property
    def slot(self) -> tuple[object, ...]:
        """What an element has one of, as a rule."""
        meant = self.meaning
        qualifiers = words().qualifiers.intersection(meant.identity)
        return (self.measure or meant.measures, meant.media, meant.roles - {"sensor"}, qualifiers)


@dataclass(frozen=True, slots=True)
class Thing:
    """An element that points may belong to."""

    id: UUID
    name: str
    equipment: frozenset[str]  # what it is, by the vocabulary
    own: frozenset[str]  # words of its names that say which one it is
    place: frozenset[str]  # words of its room, storey and systems
    place_name: str = ""
    measure: str | None = None  # of a sensor: what it measures


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code and what fills its text."""

    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """An element for a point. `assigned`: the one that the point gets when all are decided together."""

    thing: Thing
    score: float
    reasons: tuple[Reason, ...]
    assigned: bool = False


@dataclass(slots=True)
class _Pair:
    thing: Thing
    score: float = 0.0
    reasons: list[Reason] = field(default_factory=list)


def suggest(
    points: Sequence[Loose], bound: Sequence[Loose], things: Sequence[Thing], dismissed: frozenset[tuple[UUID, UUID]]
) -> dict[UUID, list[Choice]]:
    """For each point the elements it may belong to: the one it gets first, the others by score."""
    weigher = _Weigher(bound, things)
    pairs = {
        point.id: [pair for pair in weigher.weigh(point) if (point.id, pair.thing.id) not in dismissed]
        for point in points
    }
    taken = {(each.element, each.slot) for each in bound}
    for point in points:
        for pair in pairs[point.id]:
            if (pair.thing.id, point.slot) in taken:
                pair.score *= AGAIN
                pair.reasons.append(Reason("suggest.again", {}))
    chosen = _assign(points, pairs)
    return {point.id: _ranked(pairs[point.id], chosen.get(point.id)) for point in points}


def _ranked(pairs: Sequence[_Pair], chosen: UUID | None) -> list[Choice]:
    found = [
        Choice(pair.thing, round(pair.score, 3), tuple(pair.reasons), pair.thing.id == chosen)
        for pair in pairs
        if pair.score >= LEAST
    ]
    return sorted(found, key=lambda each: (not each.assigned, -each.score, each.thing.name, str(each.thing.id)))


def _assign(points: Sequence[Loose], pairs: Mapping[UUID, Sequence[_Pair]]) -> dict[UUID, UUID]:
    """Which element each point gets, so that all of them together are as likely as can be."""
    slots: dict[tuple[object, ...], list[Loose]] = defaultdict(list)
    for point in points:
        slots[point.slot].append(point)
    chosen: dict[UUID, UUID] = {}
    for group in slots.values():
        columns = list(dict.fromkeys(pair.thing.id for point in group for pair in pairs[point.id]))
        place = {id: n for n, id in enumerate(columns)}
        wide = len(columns)
        gain = np.zeros((len(group), COPIES * wide + len(group)))  # an element again at a discount, or none
        for row, point in enumerate(group):
            for pair in pairs[point.id]:
                if pair.score >= LEAST:
                    at = place[pair.thing.id]
                    gain[row, at : COPIES * wide : wide] = pair.score * AGAIN ** np.arange(COPIES)
        for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if column < COPIES * wide and gain[row, column] > 0:
                chosen[group[row].id] = columns[column % wide]
    return chosen


class _Weigher:
    """What is known of a building's elements and bound points, ready to be asked for each point."""

    def __init__(self, bound: Sequence[Loose], things: Sequence[Thing]) -> None:
        self.things = things
        self.by_id = {thing.id: thing for thing in things}
        self.bound = [each for each in bound if each.element in self.by_id]
        self.having: dict[str, list[Thing]] = defaultdict(list)
        counted: Counter[str] = Counter()
        for thing in things:
            counted.update(thing.own)
            for word in thing.own | thing.place:
                self.having[word].append(thing)
        self.rare = {word: math.log1p(len(things) / n) for word, n in counted.items()}
        self.vocabulary = [word for word in self.having if ":" not in word and len(word) > 3 and not word.isdigit()]
        self._soles: dict[object, dict[UUID, float]] = {}
        self._learn()

    def _learn(self) -> None:
        """Which words of keys and names go with which elements, as far as points are bound."""
        self.learnt: dict[str, set[UUID]] = defaultdict(set)
        self.examples: dict[UUID, Loose] = {}
        for each in self.bound:
            assert each.element is not None
            self.examples.setdefault(each.element, each)
            for word in each.meaning.identity:
                self.learnt[word].add(each.element)

    @cached_property
    def siblings(self) -> dict[str, list[Loose]]:
        """Bound points with values, by what they measure."""
        found: dict[str, list[Loose]] = defaultdict(list)
        for each in self.bound:
            if each.series is not None and each.measure is not None:
                found[each.measure].append(each)
        return found

    def weigh(self, point: Loose) -> list[_Pair]:
        """The likeliest elements of a point."""
        said = self._known(point.meaning.identity)
        names: dict[UUID, tuple[float, float]] = {}
        for thing in self._near(point, said):
            names[thing.id] = (self._shared(said, thing.own), self._placed(said, thing))
        patterns, follows, soles = self._patterns(point), self._follows(point), self._sole(point)
        found = []
        for id in names.keys() | patterns.keys() | follows.keys() | soles.keys():
            thing = self.by_id[id]
            name, place = names.get(id, (0.0, 0.0))
            pattern, (follow, sibling) = patterns.get(id, 0.0), follows.get(id, (0.0, None))
            missed = (1 - NAME * name) * (1 - PLACE * place) * (1 - PATTERN * pattern) * (1 - BEHAVIOUR * follow)
            missed *= 1 - SOLE * soles.get(id, 0.0)
            fit = _fit(point, thing)
            pair = _Pair(thing, (1 - missed) * (0.3 + 0.7 * fit))
            if pair.score < LEAST:
                continue
            pair.reasons = list(self._reasons(point, thing, said, (name, place, pattern, follow, fit), sibling))
            if soles.get(id) == 1.0:
                pair.reasons.append(Reason("suggest.only", {}))
            found.append(pair)
        found.sort(key=lambda pair: -pair.score)
        return found[:CANDIDATES]

    def _known(self, identity: Iterable[str]) -> dict[str, float]:
        """The words of a point that elements have too, and how sure it is that they are the same (misspelt, short)."""
        said: dict[str, float] = {}
        for word in identity:
            if word in self.having:
                said[word] = 1.0
            elif word.isalpha() and len(word) > 3:
                near = process.extractOne(word, self.vocabulary, scorer=fuzz.ratio, score_cutoff=FUZZY)
                if near is not None:
                    said[near[0]] = max(said.get(near[0], 0.0), 0.8)
            elif word.isalpha() and 2 <= len(word) <= 3:
                starts = [each for each in self.having if words_of(each).startswith(word) and not each.isdigit()]
                if len(starts) == 1:
                    said[starts[0]] = max(said.get(starts[0], 0.0), 0.6)
        return said

    def _near(self, point: Loose, said: Mapping[str, float]) -> list[Thing]:
        """Elements that share most, by the rarest words; where only common ones are shared, those that fit."""
        shared: dict[UUID, float] = defaultdict(float)
        for word in sorted(said, key=lambda each: len(self.having[each])):
            having = self.having[word]
            if len(having) > COMMON and shared:
                break  # it counts for those that share a rarer word
            worth = self.rare.get(word, 0.5) * said[word]
            for thing in having:
                if len(having) <= COMMON or _fit(point, thing) > 0.5:
                    shared[thing.id] += worth
        best = heapq.nlargest(NEAR, shared, key=lambda id: (shared[id], str(id)))
        return [self.by_id[id] for id in best]

    def _shared(self, said: Mapping[str, float], own: frozenset[str]) -> float:
        """How much of what the point says the element is called, and the other way round; rare words count more."""
        both = sum(self.rare[word] * sure for word, sure in said.items() if word in own)
        if not both:
            return 0.0
        asked = sum(self.rare.get(word, 0.5) for word in said)
        given = sum(self.rare[word] for word in own)
        return 0.75 * both / asked + 0.25 * min(1.0, both / given)

    def _placed(self, said: Mapping[str, float], thing: Thing) -> float:
        if not said:
            return 0.0
        total = sum(self.rare.get(word, 1.0) for word in said)
        return sum(self.rare.get(word, 1.0) * sure for word, sure in said.items() if word in thing.place) / total

    def _patterns(self, point: Loose) -> dict[UUID, float]:
        """Elements whose bound points are called like this one: shared words count by how few elements they go with."""
        elements = len({each.element for each in self.bound})
        words_ = [word for word in point.meaning.identity if word not in words().qualifiers]
        weight = {w: math.log(elements / len(self.learnt[w])) if w in self.learnt else 0.7 for w in words_}
        total = sum(weight.values())
        if elements < 2 or not total:
            return {}
        found: dict[UUID, float] = defaultdict(float)
        for word in words_:
            for element in self.learnt.get(word, ()):
                found[element] += weight[word] / total
        return {id: share for id, share in found.items() if share > 0.3}

    def _sole(self, point: Loose) -> dict[UUID, float]:
        """Where few elements of the building are of the kind that has such points: these, the less sure the more."""
        key = (point.measure, point.meaning.media, point.meaning.equipment)
        if key not in self._soles:
            said = bool(point.measure or point.meaning.media)
            best = [thing for thing in self.things if _fit(point, thing) >= 0.8] if said else []
            self._soles[key] = {thing.id: 1 / len(best) for thing in best} if 0 < len(best) <= SOLES else {}
        return self._soles[key]

    def _follows(self, point: Loose) -> dict[UUID, tuple[float, Loose | None]]:
        """Elements a bound point of which moves as this one does, and more so than those of the others."""
        siblings = self.siblings.get(point.measure or "", [])
        if point.series is None or len({each.element for each in siblings}) < 2:
            return {}
        best: dict[UUID, tuple[float, Loose]] = {}
        for each in siblings:
            assert each.series is not None and each.element is not None
            r = correlation(point.series, each.series)
            if r > best.get(each.element, (-1.0, each))[0]:
                best[each.element] = (r, each)
        if not best:
            return {}
        common = float(np.median([r for r, _ in best.values()]))
        return {
            id: ((r - common) / (1 - common), each)
            for id, (r, each) in best.items()
            if r > FOLLOWS and r - common > 0.05
        }

    def _reasons(
        self,
        point: Loose,
        thing: Thing,
        said: Mapping[str, float],
        weights: tuple[float, float, float, float, float],
        sibling: Loose | None,
    ) -> Iterable[Reason]:
        name, place, pattern, follow, fit = weights
        if name:
            shared = [word for word in said if word in thing.own]
            code = "suggest.name" if all(said[word] == 1.0 for word in shared) else "suggest.alike"
            yield Reason(code, {"words": ", ".join(map(words_of, shared))})
        if place:
            yield Reason("suggest.place", {"place": thing.place_name})
        if pattern:
            yield Reason("suggest.pattern", {"point": self.examples[thing.id].label})
        if follow and sibling is not None and point.series is not None and sibling.series is not None:
            r = correlation(point.series, sibling.series)
            yield Reason("suggest.behaviour", {"point": sibling.label, "r": f"{r:.2f}"})
        if fit >= 0.6 and (point.measure or point.meaning.media):
            yield Reason("suggest.kind", {})
        elif fit < 0.4:
            yield Reason("suggest.unusual", {})


def _fit(point: Loose, thing: Thing) -> float:
    """How usual it is that such a thing has such a point, 0…1."""
    if thing.measure is not None:
        return 1.0 if thing.measure == point.measure else 0.1
    fits: Callable[[str], tuple[str, ...]] = lambda meaning: words().fits.get(meaning, ())  # noqa: E731
    wanted = [fits(f"measures:{point.measure}")] if point.measure else []
    wanted += [fits(f"media:{each}") for each in point.meaning.media]
    ranks = [min((row.index(kind) for kind in thing.equipment if kind in row), default=None) for row in wanted if row]
    parts = [0.2 if rank is None else max(0.6, 1 - 0.05 * rank) for rank in ranks]
    usual = sum(parts) / len(parts) if parts else 0.5
    named = point.meaning.equipment
    if named:
        return max(usual, 0.9) if named & thing.equipment else 0.6 * usual
    return usual


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's r of the changes from hour to hour, -1…1; 0 where too little is known, or nothing moves."""
    a, b = np.diff(one), np.diff(other)
    both = np.isfinite(a) & np.isfinite(b)
    if int(both.sum()) < FEW:
        return 0.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-12 else 0.0
