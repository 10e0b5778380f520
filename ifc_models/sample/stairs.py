"""Stairs of the sample: flights with real steps, landings and handrails."""

from __future__ import annotations

import math

from ifc_models.sample.floor import Floor
from ifc_models.sample.model import Item, Model, Place, Scalar
from ifc_models.sample.shapes import Box, Outline, Part, Prism, Shape
from ifc_models.sample.step import Attribute, Value

LANDING = 1.2  # depth of stair landings, m


def write_stair(model: Model, floor: Floor, key: str) -> None:
    """Write the stair from this floor to the next: flights side by side, a landing half way of each turn."""
    room = next(r for r in floor.level.plan.rooms if r.key == key)
    x0, y0, x1, y1 = (room.rect[0] + 0.1, room.rect[1] + 0.1, room.rect[2] - 0.1, room.rect[3] - 0.125)
    place, height = floor.rooms[key], floor.level.height
    flights = 2 * math.ceil(height / 3.6)
    rise = height / flights
    risers = round(rise / 0.165)
    name = f"{room.zh} {floor.level.key}"
    common: dict[str, Scalar] = {
        "NumberOfRiser": risers * flights,
        "RiserHeight": Value("IfcPositiveLengthMeasure", rise / risers),
    }
    stair = model.element(
        "IfcStair",
        "stair",
        name,
        place,
        None,
        psets={"Pset_StairCommon": common},
        PredefinedType="TWO_QUARTER_TURN_STAIR" if flights > 2 else "HALF_TURN_STAIR",
    )
    run = min(y1 - y0 - 2 * LANDING, (risers - 1) * 0.28)
    north = y0 + LANDING + run  # the landing there is what remains
    for index in range(flights):
        up = index % 2 == 0
        z = index * rise
        left = x0 if up else x1 - 1.1
        _write_flight(model, place, stair, index, (left, y0 + LANDING if up else north, z), up, rise, risers, run)
        if index < flights - 1:
            low, deep = (north, y1 - north) if up else (y0, LANDING)
            slab = (Box((x0, low, z + rise - 0.15), (x1 - x0, deep, 0.15), "concrete"),)
            label = f"休息平台 {index + 1} Landing"
            model.element("IfcSlab", f"landing/{index}", label, place, slab, part_of=stair, PredefinedType="LANDING")


def _write_flight(
    model: Model,
    place: Place,
    stair: Item,
    index: int,
    foot: tuple[float, float, float],
    up: bool,
    rise: float,
    risers: int,
    run: float,
) -> None:
    """Write one flight with its railing: a sawtooth side view, pulled across the flight's width."""
    going, step, width = run / (risers - 1), rise / risers, 1.1
    outline: list[tuple[float, float]] = [(0.0, 0.0)]
    for number in range(risers - 1):
        outline += [(number * going, (number + 1) * step), ((number + 1) * going, (number + 1) * step)]
    outline += [(run, rise - step - 0.2), (0.12, -0.12 if index else 0.0)]
    outline = [p for n, p in enumerate(outline) if n == 0 or p != outline[n - 1]]
    sign = 1.0 if up else -1.0  # profile frame: x along the flight, axis across it, so that y is up
    body = _upright(
        tuple((round(a, 4), round(b, 4)) for a, b in outline), 0.0 if up else width, width, sign, "concrete"
    )
    numbers: dict[str, Attribute] = {
        "NumberOfRisers": risers,
        "NumberOfTreads": risers - 1,
        "RiserHeight": step,
        "TreadLength": going,
    }
    label = f"梯段 {index + 1} Flight"
    model.element(
        "IfcStairFlight",
        f"flight/{index}",
        label,
        place,
        (body,),
        at=foot,
        part_of=stair,
        PredefinedType="STRAIGHT",
        more=numbers,
    )
    x = width - 0.05 if up else 0.05
    top = round(rise - step, 4)
    rail = ((0.0, step + 0.85), (round(run, 4), top + 0.85), (round(run, 4), top + 0.9), (0.0, step + 0.9))
    slope: Shape = (
        _upright(rail, x - 0.025 * sign, 0.05, sign, "steel_dark"),
        *[_baluster(n, going, step, sign, x) for n in range(0, risers - 1, 2)],
    )
    label = f"扶手 {index + 1} Handrail"
    model.element(
        "IfcRailing", f"railing/{index}", label, place, slope, at=foot, part_of=stair, PredefinedType="HANDRAIL"
    )


def _upright(outline: Outline, x: float, width: float, sign: float, style: str) -> Part:
    """A side view (along y, up) pulled across `width`; `sign` is the direction along y."""
    start = (round(x, 4), 0.0, 0.0)
    return Prism(outline, width, style, start=start, axis=(sign, 0.0, 0.0), x=(0.0, sign, 0.0))


def _baluster(number: int, going: float, step: float, sign: float, x: float) -> Part:
    y = sign * (number + 0.5) * going
    return Box(
        (round(x - 0.01, 4), round(y - 0.01, 4), round((number + 1) * step, 4)), (0.02, 0.02, 0.87), "steel_dark"
    )
