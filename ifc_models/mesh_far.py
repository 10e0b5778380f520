"""A far-away model's text moved near the origin, so that a kernel of single precision can mesh it exactly.

Survey coordinates stand wherever an exporter liked to put them: in a placement, in the points of a body, in the
segments of an alignment. What they share is the place: all of them lie near one point far from the origin, and each
chain from the world down to a vertex passes exactly one of them. So moving every point near that place by one vector
moves the whole world by it. Where a file does otherwise (a rotation above the far points, two of them in one chain) the
result disagrees with what the kernel gave before, roughly; the caller compares and does not believe it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAR: Final = 10_000.0  # m: from here on single precision is off by more than half a millimetre
_POINT: Final = re.compile(rb"(=\s*IFCCARTESIANPOINT\s*\(\s*\(\s*)([^()]+)(\)\s*\))", re.IGNORECASE)
_LIST: Final = re.compile(
    rb"(=\s*IFCCARTESIANPOINTLIST[23]D\s*\(\s*\(\s*)(\([^;]*?\))(\s*\)\s*[,)])", re.IGNORECASE | re.DOTALL
)
_TUPLE: Final = re.compile(rb"\(([^()]*)\)")
_SAMPLE: Final = 200_000  # points looked at to find where the model is


@dataclass(frozen=True, slots=True)
class Moved:
    """A file's text with the model near the origin; what stands at `x` there is really at `x + origin`."""

    text: bytes
    origin: Floats  # (3,) m


def moved_near(text: bytes, unit: float) -> Moved | None:
    """The file's text with the points around its far-away place moved to the origin; None where it has no such place.

    `unit`: metres per length unit of the file. Heights are moved only where they are far from zero too, so that the
    height profile of an alignment (distance along, height) stays what it is.
    """
    far = _far_points(text, FAR / unit)
    if len(far) == 0:
        return None
    middle = np.median(_densest(far, 100_000.0 / unit), axis=0)
    middle[np.abs(middle) < FAR / unit] = 0.0
    origin = np.rint(middle)  # whole units: subtracting them loses no digit
    reach = max(float(np.abs(origin).max()) / 2, 1.0)

    def point(numbers: bytes) -> bytes:
        return _moved_point(numbers, origin, reach)

    text = _POINT.sub(lambda found: found[1] + point(found[2]) + found[3], text)
    text = _LIST.sub(
        lambda found: found[1] + _TUPLE.sub(lambda t: b"(" + point(t[1]) + b")", found[2]) + found[3], text
    )
    return Moved(text, origin * unit)


def _densest(points: Floats, cell: float) -> Floats:
    """The points in the fullest cell of the plan: a file may know several places, the model is at one of them."""
    _, of, count = np.unique(np.floor(points[:, :2] / cell), axis=0, return_inverse=True, return_counts=True)
    fullest: Floats = points[of.reshape(-1) == np.argmax(count)]
    return fullest


def _far_points(text: bytes, far: float) -> Floats:
    """(n, 3) points far from zero in the plan, of at most `_SAMPLE`; z is 0 where they have none."""
    found: list[tuple[float, float, float]] = []
    points = (match[2] for match in _POINT.finditer(text))
    lists = (numbers[1] for match in _LIST.finditer(text) for numbers in _TUPLE.finditer(match[2]))
    for source in (points, lists):
        for count, numbers in enumerate(source):
            if count > _SAMPLE:
                break
            values = _numbers(numbers)
            if values is not None and max(abs(values[0]), abs(values[1])) > far:
                found.append((values[0], values[1], values[2] if len(values) > 2 else 0.0))
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _numbers(text: bytes) -> list[float] | None:
    """The coordinates of a point, None where they are not two or three numbers."""
    try:
        values = [float(part) for part in text.split(b",")]
    except ValueError:
        return None
    return values if 2 <= len(values) <= 3 else None


def _moved_point(text: bytes, origin: Floats, reach: float) -> bytes:
    values = _numbers(text)
    if values is None or any(abs(v - o) > reach for v, o in zip(values[:2], origin[:2].tolist(), strict=True)):
        return text
    return b",".join(_step_real(value - at) for value, at in zip(values, origin.tolist(), strict=False))


def _step_real(value: float) -> bytes:
    """A REAL as STEP writes it: with a point."""
    text = repr(value).upper()
    if "." not in text:
        text = text.replace("E", ".E") if "E" in text else text + "."
    return text.encode()
