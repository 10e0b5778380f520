"""Ways through walls that no door fills: gaps in a wall's mesh that a person walks through.

IfcOpeningElement has no mesh of its own, and a hole for a duct is one too. What the wall looks like with its openings
cut out says which of them is a way: nothing in it at the height of the shins, the hips and the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HEIGHTS: Final = (0.35, 1.0, 1.75)  # m over the floor at which nothing may be in the way
WIDTH: Final = 0.6  # m; narrower is no way through
OPEN_TO: Final = 2.0  # m over the floor: how high a passage is taken to be
SILL: Final = 0.3  # m that a wall may begin under or over the floor


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall: its mesh in the building frame and its placement, whose x axis runs along it."""

    triangles: Floats  # (T, 3, 3) m
    placement: Floats  # (4, 4)


def passages(wall: Wall, openings: Floats, filled: Floats, floors: Sequence[float]) -> dict[int, Floats]:
    """Return which of a wall's empty openings are ways through: their index → box (6,), m, building frame.

    `openings` (n, 3): origins of the empty ones; `filled` (k, 3): middles of the doors and windows in the wall;
    `floors`: heights of the floors, m. Curved walls, whose gaps no straight axis shows, give nothing.
    """
    axes, origin = wall.placement[:3, :3], wall.placement[:3, 3]
    local = (wall.triangles - origin) @ axes
    doors = ((filled - origin) @ axes)[:, 0] if len(filled) else np.zeros(0)
    starts = ((openings - origin) @ axes)[:, 0]
    low, high = float(local[:, :, 2].min()), float(local[:, :, 2].max())
    shift = float(origin[2])
    bases = sorted({max(floor - shift, low) for floor in floors if low - SILL <= floor - shift <= high - OPEN_TO})
    found: dict[int, Floats] = {}
    for base in bases or [low]:
        for x0, x1 in _gaps(local, base):
            if ((doors > x0) & (doors < x1)).any():
                continue
            away = np.maximum(np.maximum(x0 - starts, starts - x1), 0.0)
            best = int(np.argmin(away))
            if away[best] <= x1 - x0 and best not in found:
                found[best] = _bounds(_box(local, (x0, x1), base) @ axes.T + origin)
    return found


def _gaps(local: Floats, base: float) -> list[tuple[float, float]]:
    """Return where along the wall nothing is at any of the heights, within its two ends."""
    gaps: list[tuple[float, float]] | None = None
    for height in HEIGHTS:
        here = _empty(local, base + height)
        gaps = here if gaps is None else _common(gaps, here)
    return [(a, b) for a, b in gaps or [] if b - a >= WIDTH]


def _empty(local: Floats, z: float) -> list[tuple[float, float]]:
    """Return the parts of the wall's length where a level plane meets nothing of it."""
    heights = local[:, :, 2]
    crossing = (heights.min(axis=1) < z) & (heights.max(axis=1) > z)
    if not crossing.any():
        return []
    starts, ends = _extents(local[crossing], z)
    order = np.argsort(starts)
    reached = np.maximum.accumulate(ends[order])
    breaks = np.flatnonzero(starts[order][1:] > reached[:-1])
    return [(float(reached[k]), float(starts[order][k + 1])) for k in breaks]


def _extents(corners: Floats, z: float) -> tuple[Floats, Floats]:
    """Return from where to where along x triangles (T, 3, 3) are at height z."""
    following = np.roll(corners, -1, axis=1)
    rise = following[:, :, 2] - corners[:, :, 2]
    share = np.divide(z - corners[:, :, 2], rise, out=np.full(rise.shape, np.nan), where=np.abs(rise) > 1e-12)
    x = corners[:, :, 0] + share * (following[:, :, 0] - corners[:, :, 0])
    x[(share < 0) | (share > 1)] = np.nan
    return np.nanmin(x, axis=1), np.nanmax(x, axis=1)


def _common(ones: list[tuple[float, float]], others: list[tuple[float, float]]) -> list[tuple[float, float]]:
    both = [(max(a, c), min(b, d)) for a, b in ones for c, d in others]
    return [(a, b) for a, b in both if b > a]


def _box(local: Floats, along: tuple[float, float], base: float) -> Floats:
    """Return the corners (8, 3) of a passage in the wall's own frame."""
    thick = (float(local[:, :, 1].min()), float(local[:, :, 1].max()))
    return np.array([(x, y, z) for x in along for y in thick for z in (base, base + OPEN_TO)])


def _bounds(corners: Floats) -> Floats:
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])
