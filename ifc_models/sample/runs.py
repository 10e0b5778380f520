"""Pipes, ducts and cables: straight or bent segments between points, ports connected in the order of flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ifc_models.sample.model import Item, Model, Place, System
from ifc_models.sample.shapes import Box, Part, Point, Tube


@dataclass(frozen=True, slots=True)
class Line:
    """What a run is made of. `size` is the diameter of round lines, or width and height of rectangular ones, m."""

    name: str
    segment: tuple[str, str]  # class, PredefinedType
    fitting: tuple[str, str, str]  # class, PredefinedType of bends, of branches
    size: tuple[float, ...]
    style: str


_PIPE = ("IfcPipeSegment", "RIGIDSEGMENT")
_PIPE_FITTING = ("IfcPipeFitting", "BEND", "JUNCTION")
_DUCT = ("IfcDuctSegment", "RIGIDSEGMENT")
_DUCT_FITTING = ("IfcDuctFitting", "BEND", "JUNCTION")
_CABLE_FITTING = ("IfcCableCarrierFitting", "BEND", "TEE")

WATER_MAIN = Line("给水干管 DN100 Water main", _PIPE, _PIPE_FITTING, (0.1,), "water_green")
WATER_RISER = Line("给水立管 DN80 Water riser", _PIPE, _PIPE_FITTING, (0.08,), "water_green")
WATER_FLAT = Line(
    "入户给水管 PEX DN20 Flat supply pipe",
    ("IfcPipeSegment", "FLEXIBLESEGMENT"),
    _PIPE_FITTING,
    (0.032,),
    "water_green",
)
FIRE_MAIN = Line("消防干管 DN150 Fire main", _PIPE, _PIPE_FITTING, (0.14,), "fire_red")
FIRE_RISER = Line("消火栓立管 DN100 Hydrant riser", _PIPE, _PIPE_FITTING, (0.1,), "fire_red")
FIRE_BRANCH = Line("消防支管 DN65 Fire branch", _PIPE, _PIPE_FITTING, (0.06,), "fire_red")
DUCT_MAIN = Line("送风干管 600x300 Supply main duct", _DUCT, _DUCT_FITTING, (0.6, 0.3), "galvanised")
DUCT_RISER = Line("风管立管 500x300 Duct riser", _DUCT, _DUCT_FITTING, (0.5, 0.3), "galvanised")
DUCT_BRANCH = Line("支风管 300x180 Branch duct", _DUCT, _DUCT_FITTING, (0.3, 0.18), "galvanised")
DUCT_EXHAUST = Line("排风管 1000x400 Exhaust duct", _DUCT, _DUCT_FITTING, (1.0, 0.4), "galvanised")
BUSWAY = Line("母线槽 800A Busway", ("IfcCableSegment", "BUSBARSEGMENT"), _CABLE_FITTING, (0.14, 0.14), "power_orange")
CABLE = Line("电力电缆 Power cable", ("IfcCableSegment", "CABLESEGMENT"), _CABLE_FITTING, (0.04,), "power_orange")
CABLE_FLAT = Line(
    "入户电缆 3x10 Flat supply cable", ("IfcCableSegment", "CABLESEGMENT"), _CABLE_FITTING, (0.02,), "power_orange"
)
CABLE_FIRE = Line("报警总线 Fire alarm loop", ("IfcCableSegment", "CABLESEGMENT"), _CABLE_FITTING, (0.02,), "fire_red")
CABLE_DATA = Line("光缆 Fibre riser", ("IfcCableSegment", "CABLESEGMENT"), _CABLE_FITTING, (0.02,), "pump_blue")
TRAY = Line(
    "电缆桥架 200x100 Cable tray",
    ("IfcCableCarrierSegment", "CABLETRAYSEGMENT"),
    _CABLE_FITTING,
    (0.2, 0.1),
    "galvanised",
)


def _bar(line: Line, a: Point, b: Point) -> Part:
    """Return the solid between two points that differ in one coordinate."""
    delta = tuple(round(q - p, 4) for p, q in zip(a, b, strict=True))
    along = max(range(3), key=lambda i: abs(delta[i]))
    length, sign = abs(delta[along]), 1.0 if delta[along] > 0 else -1.0
    if len(line.size) == 1:
        axis = [0.0, 0.0, 0.0]
        axis[along] = sign
        return Tube(a, line.size[0] / 2, length, line.style, (axis[0], axis[1], axis[2]))
    width, height = line.size
    cross = [width, width, width] if along == 2 else [width, width, height]
    cross[along] = length
    if along == 2:
        cross[1] = height
    low = [a[i] - cross[i] / 2 for i in range(3)]
    low[along] = min(a[along], b[along])
    return Box((round(low[0], 4), round(low[1], 4), round(low[2], 4)), (cross[0], cross[1], cross[2]), line.style)


def _relative(point: Point, origin: Point) -> Point:
    x, y, z = (round(p - o, 4) for p, o in zip(point, origin, strict=True))
    return (x, y, z)


def bent(model: Model, place: Place, path: str, line: Line, points: Sequence[Point]) -> Item:
    """Write one flexible segment (cable, PEX pipe) along all points, which differ in one coordinate each."""
    origin = points[0]
    local = [_relative(p, origin) for p in points]
    parts = tuple(_bar(line, a, b) for a, b in zip(local, local[1:], strict=False))
    ifc_class, predefined = line.segment
    return model.element(ifc_class, path, line.name, place, parts, at=origin, PredefinedType=predefined)


def run(
    model: Model, system: System, place: Place, path: str, line: Line, points: Sequence[Point], *ends: Item | None
) -> Item:
    """Write straight segments with bends at the corners, connected in flow order, and return the last segment.

    `ends` are the elements before the first and (optionally) after the last segment.
    """
    previous = ends[0] if ends else None
    for number, (a, b) in enumerate(zip(points, points[1:], strict=False)):
        if number:
            bend = fitting(model, place, f"{path}/bend/{number}", line, a, branch=False)
            assert previous is not None
            model.link(system, previous, bend)
            previous = bend
        ifc_class, predefined = line.segment
        part = _bar(line, (0.0, 0.0, 0.0), _relative(b, a))
        segment = model.element(
            ifc_class, f"{path}/{number}", line.name, place, (part,), at=a, PredefinedType=predefined
        )
        if previous is not None:
            model.link(system, previous, segment)
        previous = segment
    assert previous is not None
    if len(ends) > 1 and ends[1] is not None:
        model.link(system, previous, ends[1])
    return previous


def fitting(model: Model, place: Place, path: str, line: Line, at: Point, *, branch: bool) -> Item:
    """Write a bend or a branch (tee): a sleeve a little wider than the line."""
    ifc_class, bend, tee = line.fitting
    if len(line.size) == 1:
        r = round(line.size[0] * 0.62, 4)
        shape: tuple[Part, ...] = (Tube((0.0, 0.0, -r), r, 2 * r, line.style),)
    else:
        w, h = round(line.size[0] * 1.04, 4), round(line.size[1] * 1.04, 4)
        shape = (Box((-w / 2, -w / 2, -h / 2), (w, w, h), line.style),)
    kind = "三通 Tee" if branch else "弯头 Bend"
    return model.element(ifc_class, path, kind, place, shape, at=at, PredefinedType=tee if branch else bend)
