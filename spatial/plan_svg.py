"""A plan as an SVG sheet that prints true to scale, and that a page can pick in: every shape names its element."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import atan2, cos, degrees, dist, pi, sin
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
import shapely.affinity

from spatial.plan import Plan, PlanElement, PlanRoom, PlanShape, PlanStair
from spatial.plan_doors import DoorSymbol, turns_left
from spatial.plan_frame import frame_of
from spatial.plan_heat import Heat
from spatial.plan_sheet import Sheet, main_direction, sheet_for
from spatial.plan_style import THEME, WORDS, patterns, style_of, text_width
from spatial.plan_symbols import SYMBOLS
from spatial.section import StoreySection

MAX_BYTES: Final = 2_000_000  # a sheet with more lines than that is drawn with less detail
SYMBOL: Final = 1.3  # mm, half of a symbol's side
APART: Final = 2.4  # mm between symbols
LABEL: Final = (2.6, 1.5)  # mm, largest and smallest letters of a room's label
BEARING: Final = ("wall", "column")
OUTLINED: Final = (*BEARING, "window")  # has to be on the sheet


@dataclass(frozen=True, slots=True)
class PlanStyle:
    """What the reader of a plan chooses."""

    theme: str = "print"
    lang: str = "zh"
    labels: bool = True
    equipment: str = "symbols"  # none | symbols | all: pipes, ducts and cables too
    rooms: frozenset[UUID] = frozenset()  # to be marked
    page: str | None = None
    scale: int | None = None


def plan_svg(plan: Plan, section: StoreySection, style: PlanStyle, heat: Heat | None = None) -> str:
    """Return the sheet. A drawing with too many lines is drawn with fewer: furniture's edges go first."""
    for detail in (2, 1, 0):
        drawn = _Drawing(plan, section, style, heat, detail).svg()
        if len(drawn) <= MAX_BYTES:
            break
    return drawn


class _Drawing:
    """One sheet in the making."""

    def __init__(self, plan: Plan, section: StoreySection, style: PlanStyle, heat: Heat | None, detail: int) -> None:
        self.plan, self.section, self.style, self.heat, self.detail = plan, section, style, heat, detail
        self.theme, self.words = THEME[style.theme], WORDS[style.lang]
        self.taken: list[Any] = []  # squares of symbols, which labels keep clear of
        self.symbols = plan.symbols if style.equipment != "none" else []
        extent = plan.extent()
        self.empty = extent is None
        bearing = [s.drawn.cut for s in plan.shapes if s.layer in BEARING and s.drawn.cut is not None]
        turn = -main_direction(bearing or [room.polygon for room in plan.rooms])
        self.sheet = sheet_for(
            extent or (0.0, 0.0, 10.0, 10.0),
            self._outline(extent),
            turn,
            page=style.page,
            scale=style.scale,
            legend=bool(self.symbols) or heat is not None,
        )

    def _outline(self, extent: Sequence[float] | None) -> Any:
        corners = [s.drawn.cut for s in self.plan.shapes if s.layer in OUTLINED and s.drawn.cut is not None]
        corners += [room.polygon for room in self.plan.rooms]
        corners += [
            s.drawn.below for s in self.plan.shapes if s.layer in ("slab", "stair") and s.drawn.below is not None
        ]
        hull = shapely.convex_hull(shapely.geometrycollections(corners)) if corners else None
        box = shapely.box(*(extent or (0.0, 0.0, 10.0, 10.0)))
        return hull if hull is not None and hull.area > 0 else box

    def svg(self) -> str:
        sheet, names = self.sheet, {"building": self.plan.building, "storey": self.plan.storey}
        title = self.words["title"].format(**names)
        desc = self.words["desc"].format(
            **names,
            scale=sheet.scale,
            rooms=len(self.plan.rooms),
            doors=len(self.plan.doors),
            symbols=len(self.symbols),
            cut=round(self.section.plane - self.section.floor, 2),
        )
        pen = 0.5 if sheet.scale <= 100 else 0.35 if sheet.scale <= 250 else 0.25
        used = sorted({symbol.symbol for symbol in self.symbols})
        body = "" if self.empty else f'<g class="g" transform="scale(.01)">{"".join(self._geometry())}</g>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width:g}mm" height="{sheet.height:g}mm" '
            f'viewBox="0 0 {sheet.width:g} {sheet.height:g}" role="img" aria-labelledby="plan-title plan-desc" '
            f'lang="{self.style.lang}" data-scale="{sheet.scale}" data-theme="{self.style.theme}" '
            f'data-storey="{self.plan.storey_id}" data-matrix="{self._matrix()}">'
            f'<title id="plan-title">{escape(title)}</title><desc id="plan-desc">{escape(desc)}</desc>'
            f"<style>{style_of(self.theme, pen)}</style>"
            f"<defs>{_clip(sheet)}{patterns(self.theme)}{_symbols(used)}</defs>"
            f'<rect width="100%" height="100%" fill="{self.theme.paper}"/>'
            f'<g clip-path="url(#plan-frame)">{body}{"".join(self._equipment())}{"".join(self._labels())}</g>'
            f"{frame_of(self.plan, sheet, self.words, self.theme, self._legend(used), self.heat)}</svg>"
        )

    def _matrix(self) -> str:
        """a b c d e f: metres in the building frame to millimetres on the sheet, as SVG writes matrices."""
        origin, x, y = self.sheet.place(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        return " ".join(f"{v:.6g}" for v in (*(x - origin), *(y - origin), *origin))

    def _legend(self, used: Iterable[str]) -> list[tuple[str, str, int]]:
        count = Counter(symbol.symbol for symbol in self.symbols)
        chinese = self.style.lang == "zh"
        return [(name, SYMBOLS[name].zh if chinese else SYMBOLS[name].en, count[name]) for name in used]

    def _path(self, classes: str, geometry: Any, element: PlanElement | None = None, more: str = "") -> str:
        data = self.sheet.path(geometry) if geometry is not None else ""
        if not data:
            return ""
        return f'<path class="{classes}"{_names(element)}{more} d="{data}"/>'

    def _geometry(self) -> Iterable[str]:
        yield from self._rooms()
        shapes = sorted(self.plan.shapes, key=lambda shape: (shape.drawn.top, shape.element.global_id))
        yield from (self._path("slab", each.drawn.below, each.element) for each in shapes if each.layer == "slab")
        for shape in shapes:
            if shape.layer not in ("slab", "runs") and (shape.layer != "furniture" or self.detail > 0):
                yield from self._below(shape)
        yield from self._stairs()
        if self.style.equipment == "all":
            yield from (self._path("run", each.drawn.below, each.element) for each in shapes if each.layer == "runs")
        yield from self._cut()
        for door in self.plan.doors:
            yield f"<g{_names(door.element)}>{_title(door.element)}{''.join(self._door(door.symbol))}</g>"
        for room in self.plan.rooms:
            if room.element.id in self.style.rooms:
                yield self._path("chosen", room.polygon)

    def _below(self, shape: PlanShape) -> Iterable[str]:
        """What is seen of an element below the plane: it hides what is lower."""
        drawn, bearing = shape.drawn, shape.layer in BEARING
        if bearing and drawn.cut is not None:
            yield self._path("low", _without(drawn.below, drawn.cut))
        else:
            yield self._path("low" if self.heat is not None else "low solid", drawn.below, shape.element)
        if drawn.edges is not None and not bearing and (self.detail == 2 or shape.layer == "stair"):
            yield self._path("tread" if shape.layer == "stair" else "edge", drawn.edges)
        yield self._path("over", _without(drawn.above, drawn.below))

    def _rooms(self) -> Iterable[str]:
        for room in self.plan.rooms:
            more, classes = "", "room"
            if self.heat is not None:
                found = self.heat.values.get(room.element.id)
                classes = "nodata" if found is None else "heat"
                if found is not None:
                    colour = self.heat.colour(self.heat.class_of(found.value))
                    opacity = 0.55 if self.style.theme == "dark" else 0.85
                    more = f' style="fill:{colour};fill-opacity:{opacity}" data-value="{found.value:.6g}"'
            data = self.sheet.path(room.polygon)
            if data:
                told = escape(" ".join(filter(None, (room.number, room.title))) or self.words["room"])
                yield f'<path class="{classes}"{_names(room.element)}{more} d="{data}"><title>{told}</title></path>'

    def _cut(self) -> Iterable[str]:
        """What the plane goes through: each element for itself to be picked, its outline together with its like."""
        alike: dict[str, list[Any]] = {}
        for shape in self.plan.shapes:
            cut = shape.drawn.cut
            if cut is None:
                if shape.drawn.open is not None and shape.layer != "runs":
                    yield self._path("win", shape.drawn.open, shape.element)
            elif shape.layer in BEARING:
                yield self._path(f"cut m-{shape.material or 'none'}", cut, shape.element)
                alike.setdefault(shape.material or "", []).append(cut)
            elif shape.layer == "window":
                yield self._path("win", cut, shape.element)
            elif shape.layer != "runs" or self.style.equipment == "all":
                yield self._path("low", cut, shape.element)
        for cuts in alike.values():
            yield self._path("outline", shapely.union_all(cuts, grid_size=0.001))

    def _door(self, door: DoorSymbol) -> Iterable[str]:
        guess = " guess" if door.derived else ""
        for leaf in door.leaves:
            yield self._path("door" if leaf.closed else f"door{guess}", shapely.LineString([leaf.hinge, leaf.tip]))
            if leaf.closed is None:
                continue
            (x0, y0), (x1, y1) = self.sheet.at(*leaf.closed), self.sheet.at(*leaf.tip)
            radius = dist(leaf.hinge, leaf.tip) * 1e5 / self.sheet.scale
            # The sheet's y runs down: what turns left on the plan turns against the clock there too.
            sweep = 0 if turns_left(leaf) else 1
            start, end = f"{x0 * 100:.0f} {y0 * 100:.0f}", f"{x1 * 100:.0f} {y1 * 100:.0f}"
            yield f'<path class="arc{guess}" d="M{start}A{radius:.0f} {radius:.0f} 0 0 {sweep} {end}"/>'

    def _stairs(self) -> Iterable[str]:
        covering = [s.drawn.below for s in self.plan.shapes if s.layer == "stair" and s.drawn.below is not None]
        leaving = {stair.element.id for stair in self.plan.stairs if stair.leaves}
        over = [s.drawn.below for s in self.plan.shapes if s.element.id in leaving and s.drawn.below is not None]
        hidden = shapely.union_all(over, grid_size=0.001) if over else None
        for stair in self.plan.stairs if covering else ():
            line = self._walked(stair)
            if len(line) < 2:
                continue
            if not stair.leaves and hidden is not None:
                seen = shapely.difference(shapely.LineString(line), hidden)
                parts = [part for part in shapely.get_parts(seen) if part.length > 0.4]
                if not parts:
                    continue
                line = list(max(parts, key=lambda part: part.length).coords)
            yield from self._arrow(stair, line)

    def _walked(self, stair: PlanStair) -> list[tuple[float, float]]:
        """Return the line of an arrow: up to the plane, or down from this storey."""
        points = stair.climb.points
        if not stair.leaves:
            return [(x, y) for x, y, z in reversed(points) if z <= self.section.plane]
        line = [(x, y) for x, y, z in points if z <= self.section.plane and z >= self.section.floor - 0.3]
        if points[0][2] > self.section.plane:
            return []
        return line

    def _arrow(self, stair: PlanStair, line: Sequence[tuple[float, float]]) -> Iterable[str]:
        yield self._path("arrow", shapely.LineString(line), stair.element)
        placed = self.sheet.place(np.array(line))
        if dist(placed[0], placed[-1]) < 2.0:
            return
        (x0, y0), (x1, y1) = placed[-2], placed[-1]
        angle = degrees(atan2(y1 - y0, x1 - x0))
        yield (
            f'<path class="tip" transform="translate({x1 * 100:.0f} {y1 * 100:.0f}) rotate({angle:.1f})" '
            f'd="M0 0-160 45V-45z"/>'
        )
        x, y = placed[0]
        back = atan2(placed[1][1] - y, placed[1][0] - x)
        x, y = x - 1.6 * cos(back), y - 1.6 * sin(back)
        word = self.words["up" if stair.leaves else "down"]
        at = f'x="{x * 100:.0f}" y="{y * 100 + 70:.0f}"'
        yield f'<text class="label" {at} style="font-size:200px;stroke-width:40">{word}</text>'
        if stair.leaves and stair.climb.head[2] > self.section.plane:
            yield self._break(stair, line)

    def _break(self, stair: PlanStair, line: Sequence[tuple[float, float]]) -> str:
        """The line at which a flight is cut, with its zigzag, a little wider than the flight."""
        (x0, y0), (x1, y1) = line[-2], line[-1]
        slant = atan2(y1 - y0, x1 - x0) + pi / 2 + pi / 8
        dx, dy = cos(slant), sin(slant)
        drawn = self.section.shapes[stair.element.id]
        whole = shapely.union_all([each for each in (drawn.below, drawn.above) if each is not None], grid_size=0.001)
        across = shapely.LineString([(x1 - 4 * dx, y1 - 4 * dy), (x1 + 4 * dx, y1 + 4 * dy)]).intersection(whole)
        here = [part for part in shapely.get_parts(across) if part.distance(shapely.Point(x1, y1)) < 0.05]
        if not here:
            return ""
        ends = self.sheet.place(np.asarray(here[0].coords)[[0, -1]])
        middle, half = ends.mean(axis=0), dist(ends[0], ends[1]) / 2 + 1.0
        ux, uy = (ends[1] - ends[0]) / max(dist(ends[0], ends[1]), 1e-9)
        jag = [(-half, 0.0), (-0.9, 0.0), (-0.35, 1.1), (0.35, -1.1), (0.9, 0.0), (half, 0.0)]
        points = [(middle[0] + t * ux - n * uy, middle[1] + t * uy + n * ux) for t, n in jag]
        return f'<path class="arrow" d="M{"L".join(f"{x * 100:.0f} {y * 100:.0f}" for x, y in points)}"/>'

    def _equipment(self) -> Iterable[str]:
        taken: set[tuple[int, int]] = set()
        for symbol in sorted(self.symbols, key=lambda each: (each.z, each.element.global_id)):
            x, y = self._free(*self.sheet.at(symbol.x, symbol.y), taken)
            self.taken.append(shapely.box(x - SYMBOL, y - SYMBOL, x + SYMBOL, y + SYMBOL))
            family = SYMBOLS[symbol.symbol].family
            yield (
                f'<g class="y-{family}"{_names(symbol.element)}>{_title(symbol.element)}'
                f'<use href="#s-{symbol.symbol}" transform="translate({x:.2f} {y:.2f}) scale({SYMBOL})"/></g>'
            )

    def _free(self, x: float, y: float, taken: set[tuple[int, int]]) -> tuple[float, float]:
        """Return a place for a symbol beside others, never far from its own."""
        for step_x, step_y in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)):
            at = x + step_x * APART, y + step_y * APART
            cell = round(at[0] / APART), round(at[1] / APART)
            if cell not in taken:
                taken.add(cell)
                return at
        return x, y

    def _labels(self) -> Iterable[str]:
        if not self.style.labels:
            return
        # Bays lie within halls: the smaller ones are told first, the larger ones keep clear of them.
        for room in sorted(self.plan.rooms, key=lambda room: (room.area, room.element.global_id)):
            lines = self._label_lines(room)
            placed = _fitting(self.sheet, room, lines, self.taken)
            if placed is None:
                continue
            x, y, size, kept = placed
            wide = max(text_width(text, size) for _, text in kept) / 2
            high = len(kept) * size * 0.62
            self.taken.append(shapely.box(x - wide, y - high, x + wide, y + high))
            top = y - (len(kept) - 1) * size * 0.62 + size * 0.36
            spans = "".join(
                f'<tspan class="{kind}" x="{x:.2f}" y="{top + i * size * 1.24:.2f}">{escape(text)}</tspan>'
                for i, (kind, text) in enumerate(kept)
            )
            yield f'<text class="label" font-size="{size:.2f}"{_names(room.element)}>{spans}</text>'

    def _label_lines(self, room: PlanRoom) -> list[tuple[str, str]]:
        lines = [("n", room.number)] if room.number else []
        if room.title:
            lines.append(("t", room.title))
        found = self.heat.values.get(room.element.id) if self.heat is not None else None
        lines.append(("v", f"{found.value:.1f}") if found is not None else ("a", f"{room.area:.1f} m²"))
        return lines


def _fitting(
    sheet: Sheet, room: PlanRoom, lines: Sequence[tuple[str, str]], taken: Sequence[Any]
) -> tuple[float, float, float, list[tuple[str, str]]] | None:
    """Return where a room's label goes, how large, and which of its lines; None when not even its number fits.

    It stands clear of symbols, where there is room for that.
    """
    parts = [part for part in shapely.get_parts(room.polygon) if part.geom_type == "Polygon"]
    if not parts:
        return None
    largest = max(parts, key=lambda part: part.area)
    outline = shapely.make_valid(shapely.Polygon(sheet.place(np.asarray(largest.exterior.coords))))
    shapely.prepare(outline)
    near = [box for box in taken if outline.intersects(box)]
    free = shapely.difference(outline, shapely.union_all(near)) if near else outline
    places = [_middle(outline), _widest(free), _widest(outline)] if near else [_middle(outline), _widest(outline)]
    choices = [list(lines), [line for line in lines if line[0] != "t"], list(lines[:1])]
    for clear in (True, False) if near else (False,):
        for size in (LABEL[0], (LABEL[0] + LABEL[1]) / 2, LABEL[1]):
            for kept in choices if size == LABEL[1] else choices[:1]:
                width = max(text_width(text, size) for _, text in kept) + 0.6
                height = len(kept) * size * 1.24
                for x, y in places:
                    box = shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
                    if (free if clear else outline).covers(box):
                        return x, y, size, kept
    return None


def _middle(outline: Any) -> tuple[float, float]:
    middle = outline.centroid
    return float(middle.x), float(middle.y)


def _widest(outline: Any) -> tuple[float, float]:
    """Return the middle of the largest ellipse twice as wide as high: labels are."""
    parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon" and part.area > 0]
    if not parts:
        return _middle(outline)
    part = shapely.affinity.scale(max(parts, key=lambda part: part.area), 0.5, 1.0, origin=(0, 0))
    x, y = shapely.maximum_inscribed_circle(part, tolerance=max(0.2, part.area**0.5 / 30)).coords[0]
    return float(x) * 2, float(y)


def _without(geometry: Any, covered: Any) -> Any:
    if geometry is None or covered is None:
        return geometry
    return shapely.difference(geometry, covered, grid_size=0.001)


def _names(element: PlanElement | None) -> str:
    if element is None:
        return ""
    return f' data-global-id="{escape(element.global_id)}" data-id="{element.id}" data-class="{element.ifc_class}"'


def _title(element: PlanElement) -> str:
    return f"<title>{escape(element.name)}</title>" if element.name else ""


def _clip(sheet: Sheet) -> str:
    """Return the frame without title block and legend: gardens and their trees may reach beyond it."""
    x, y, width, height = sheet.drawing()
    return f'<clipPath id="plan-frame"><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/></clipPath>'


def _symbols(used: Iterable[str]) -> str:
    return "".join(f'<g id="s-{name}" class="s"><circle r="1" class="bg"/>{SYMBOLS[name].body}</g>' for name in used)
