"""The short way round: in which order to visit places so that the walk is shortest.

Up to nine places the order is the best there is (Held and Karp); more are visited in the best order that moving places
and turning parts of the way round (Or-opt, 2-opt) lead to, from several beginnings.
"""

from collections.abc import Sequence
from itertools import combinations
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT: Final = 9  # places; the table of the exact search doubles with each


def order_of(costs: NDArray[np.float64], end: int | None = None) -> list[int] | None:
    """Return the order in which to visit the places 1 … n from place 0, without place 0 itself.

    `costs` (n + 1, n + 1) s, infinite where there is no way. `end`: the place to end at (0: back at the start), None:
    wherever the last place is. An end other than 0 is visited last and stands last in the order. None: some place
    cannot be reached from the others.
    """
    stops = [i for i in range(1, len(costs)) if i != end]
    found = _exact(costs, stops, end) if len(stops) <= EXACT else _improved(costs, stops, end)
    if found is None or length_of(costs, found, end) == inf:
        return None
    return [*found, end] if end else found


def length_of(costs: NDArray[np.float64], order: Sequence[int], end: int | None) -> float:
    """Return the seconds of a way round from place 0, the way to its end with it. `order`: without the end."""
    line = [0, *order, *([end] if end is not None else [])]
    return float(sum(costs[a, b] for a, b in zip(line, line[1:], strict=False)))


def _exact(costs: NDArray[np.float64], stops: Sequence[int], end: int | None) -> list[int] | None:
    if not stops:
        return []
    count = len(stops)
    best: dict[tuple[int, int], tuple[float, int]] = {
        (1 << i, i): (float(costs[0, stop]), -1) for i, stop in enumerate(stops)
    }
    for size in range(2, count + 1):
        for chosen in combinations(range(count), size):
            bits = sum(1 << i for i in chosen)
            for last in chosen:
                rest = bits & ~(1 << last)
                best[bits, last] = min(
                    (best[rest, i][0] + float(costs[stops[i], stops[last]]), i) for i in chosen if i != last
                )
    whole = (1 << count) - 1
    homes = [best[whole, i][0] + (float(costs[stops[i], end]) if end is not None else 0.0) for i in range(count)]
    last = int(np.argmin(homes))
    if homes[last] == inf:
        return None
    order: list[int] = []
    bits = whole
    while last >= 0:
        order.append(stops[last])
        before = best[bits, last][1]
        bits, last = bits & ~(1 << last), before
    return order[::-1]


def _improved(costs: NDArray[np.float64], stops: Sequence[int], end: int | None) -> list[int]:
    beginnings = [list(stops), _nearest(costs, stops, None)]
    beginnings += [_nearest(costs, stops, first) for first in stops[:8]]
    return min((_settled(costs, order, end) for order in beginnings), key=lambda order: length_of(costs, order, end))


def _nearest(costs: NDArray[np.float64], stops: Sequence[int], first: int | None) -> list[int]:
    left = set(stops)
    order: list[int] = []
    here = 0
    while left:
        here = (
            first if first is not None and not order else min(left, key=lambda stop: (float(costs[here, stop]), stop))
        )
        order.append(here)
        left.discard(here)
    return order


def _settled(costs: NDArray[np.float64], order: list[int], end: int | None) -> list[int]:
    """Move and turn parts of an order until nothing makes it shorter."""
    best = length_of(costs, order, end)
    improved = True
    while improved:
        improved = False
        for candidate in _changed(order):
            length = length_of(costs, candidate, end)
            if length < best - 1e-9:
                order, best, improved = candidate, length, True
                break
    return order


def _changed(order: list[int]) -> "list[list[int]]":
    count = len(order)
    turned = [order[:i] + order[i:j][::-1] + order[j:] for i in range(count) for j in range(i + 2, count + 1)]
    moved = []
    for size in (1, 2, 3):
        for i in range(count - size + 1):
            part, rest = order[i : i + size], order[:i] + order[i + size :]
            moved += [rest[:k] + part + rest[k:] for k in range(len(rest) + 1) if k != i]
    return turned + moved
