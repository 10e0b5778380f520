"""The sheet a plan is drawn on: paper, round scale, and from metres to hundredths of a millimetre.

Paper sizes are ISO 216, margins GB/T 14689, scales those of GB/T 50001 (4.0.4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Final

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray

PAPER: Final = {"A4": (297.0, 210.0), "A3": (420.0, 297.0), "A2": (594.0, 420.0), "A1": (841.0, 594.0)}
SCALES: Final = (5, 10, 20, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000, 2500, 5000, 10_000,
                 20_000, 50_000)  # fmt: skip
MARGIN: Final = 10.0  # mm
TITLE: Final = 20.0  # mm, height of the title block
LEGEND: Final = 44.0  # mm, width of the legend
ROOM: Final = 9.0  # mm of paper left around the drawing
FINE: Final = 0.04  # mm; detail finer than that is not seen

Geometry = Any  # shapely has no types


@dataclass(frozen=True, slots=True)
class Sheet:
    """Paper of `width` × `height` mm; the plan is turned by `turn` degrees and drawn 1 : `scale`."""

    name: str
    width: float
    height: float
    scale: int
    turn: float  # degrees counter-clockwise on the paper
    middle: tuple[float, float]  # m, comes to `centre`
    centre: tuple[float, float]  # mm
    legend: bool

    def drawing(self) -> tuple[float, float, float, float]:
        """Return x y width height (mm) of what is inside the frame, above the title block and beside the legend."""
        right = LEGEND if self.legend else 0.0
        return MARGIN, MARGIN, self.width - 2 * MARGIN - right, self.height - 2 * MARGIN - TITLE

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) m → (n, 2) mm on the paper, y down."""
        c, s = cos(radians(self.turn)), sin(radians(self.turn))
        moved = np.asarray(points, dtype=np.float64)[:, :2] - self.middle
        factor = 1000.0 / self.scale
        x = moved[:, 0] * c - moved[:, 1] * s
        y = moved[:, 0] * s + moved[:, 1] * c
        return np.column_stack([self.centre[0] + x * factor, self.centre[1] - y * factor])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """One point, m → mm."""
        placed = self.place(np.array([[x, y]]))[0]
        return float(placed[0]), float(placed[1])

    def path(self, geometry: Geometry) -> str:
        """Return SVG path data of polygons or lines in hundredths of a millimetre; '' when nothing is left of them."""
        simple = shapely.simplify(geometry, FINE * self.scale / 1000)
        return "".join(self._pieces(simple))

    def _pieces(self, geometry: Geometry) -> Iterator[str]:
        for part in shapely.get_parts(geometry):
            if part.geom_type == "Polygon":
                for ring in (part.exterior, *part.interiors):
                    yield self._line(np.asarray(ring.coords)[:-1], closed=True)
            elif part.geom_type in ("LineString", "LinearRing"):
                yield self._line(np.asarray(part.coords), closed=False)
            elif part.geom_type != "Point":
                yield from self._pieces(part)

    def _line(self, points: NDArray[np.float64], *, closed: bool) -> str:
        placed = np.rint(self.place(points) * 100).astype(np.int64)
        moves = np.diff(placed, axis=0)
        moves = moves[(moves != 0).any(axis=1)]
        if not len(moves):
            return ""
        x, y = placed[0].tolist()
        line = " ".join(f"{dx} {dy}" for dx, dy in moves.tolist())
        return f"M{x} {y}l{line}{'z' if closed else ''}"


def sheet_for(
    extent: Sequence[float], outline: Geometry, turn: float, *, page: str | None, scale: int | None, legend: bool
) -> Sheet:
    """Return the sheet for a plan: the given paper (A3 unless told otherwise) with the largest round scale that fits.

    `extent`: min x y, max x y (m); `outline`: what has to be on it. A plan too large for the given scale grows the
    paper, and if there is none, the scale.
    """
    middle = ((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2)
    turned = shapely.affinity.rotate(outline, turn, origin=middle)
    x0, y0, x1, y1 = turned.bounds
    # The middle of what is turned comes to the middle of the paper.
    c, s = cos(radians(-turn)), sin(radians(-turn))
    dx, dy = (x0 + x1) / 2 - middle[0], (y0 + y1) / 2 - middle[1]
    middle = (middle[0] + dx * c - dy * s, middle[1] + dx * s + dy * c)
    size = (max(x1 - x0, 0.1), max(y1 - y0, 0.1))
    papers = [page] if page else ["A3"]
    if scale is not None and page is None:
        papers = ["A4", "A3", "A2", "A1"]
    best: Sheet | None = None
    for name in papers:
        for flat in (True, False):
            found = _fitted(name, flat, size, turn, middle, scale, legend)
            if best is None or found.scale < best.scale:
                best = found
        if best is not None and (scale is None or best.scale == scale):
            break
    assert best is not None
    return best


def _fitted(
    name: str,
    flat: bool,
    size: tuple[float, float],
    turn: float,
    middle: tuple[float, float],
    scale: int | None,
    legend: bool,
) -> Sheet:
    width, height = PAPER[name] if flat else PAPER[name][::-1]
    free_x = width - 2 * MARGIN - (LEGEND if legend else 0.0) - 2 * ROOM
    free_y = height - 2 * MARGIN - TITLE - 2 * ROOM
    needed = max(size[0] * 1000 / free_x, size[1] * 1000 / free_y)
    chosen = next((each for each in SCALES if each >= max(needed, 20.0) - 1e-9), round(needed + 0.5))
    if scale is not None and scale >= needed:
        chosen = scale
    centre = (MARGIN + ROOM + free_x / 2, MARGIN + ROOM + free_y / 2)
    return Sheet(name, width, height, chosen, turn, middle, centre, legend)


def main_direction(polygons: Sequence[Geometry]) -> float:
    """Return by how many degrees, -45 … 45, most walls are turned against the axes; 0 when it is not clear."""
    weights = np.zeros(180)
    for polygon in polygons:
        for part in shapely.get_parts(polygon):
            if part.geom_type != "Polygon":
                continue
            moves = np.diff(np.asarray(part.exterior.coords)[:, :2], axis=0)
            angle = np.degrees(np.arctan2(moves[:, 1], moves[:, 0])) % 90.0
            np.add.at(weights, np.rint(angle * 2).astype(np.int64) % 180, np.hypot(moves[:, 0], moves[:, 1]))
    if not weights.any():
        return 0.0
    near = weights + np.roll(weights, 1) + np.roll(weights, -1)
    best = int(np.argmax(near))
    turned = best / 2 if best <= 90 else best / 2 - 90
    clear = near[best] > 0.4 * weights.sum() and near[best] > 1.5 * near[0]
    return turned if abs(turned) >= 1.0 and clear else 0.0
