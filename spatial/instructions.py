"""A route in words, as somebody would say it: where to turn, which door, which stair, how many steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import atan2, degrees, dist
from typing import Final, Literal
from uuid import UUID

from spatial.ways import Position, Route, Step

TURN: Final = 35.0  # degrees; less is straight on
SHARP: Final = 135.0
WORTH: Final = 0.8  # m; less is not worth a line
LEG: Final = 1.2  # m; shorter legs are a bend around something, not a turn

Kind = Literal["start", "door", "stairs_up", "stairs_down", "ramp", "lift", "escalator", "corridor", "turn", "arrive"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do on the way. `from_index` and `to_index` are rows of the polyline."""

    kind: Kind
    element: UUID | None  # the door, stair or lift; at the end, what one came for
    room: UUID | None  # the room walked through or entered
    text: Text
    length: float  # m
    seconds: float
    from_index: int
    to_index: int


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called, as far as the caller may see them; what is missing has no name."""

    rooms: Mapping[UUID, str]
    elements: Mapping[UUID, str]
    storey_of: Mapping[UUID, str]  # name of a room's storey


@dataclass(frozen=True, slots=True)
class _Leg:
    """A step with the rows of the polyline it covers."""

    step: Step
    first: int
    last: int


def instructions_of(route: Route, names: Names, *, target: UUID | None, to_outside: bool) -> list[Instruction]:
    """Return what to do, in order. `target`: what one goes to; it may be a room."""
    legs = _legs(route)
    if not legs:
        return []
    room = legs[0].step.room  # none for who sets out in a lift's shaft: the next room is not where one starts
    found = [Instruction("start", None, room, _start(names, room), 0.0, 0.0, 0, 0)]
    heading: float | None = None  # which way one faces: along the last leg worth the name, or through the last door
    for number, leg in enumerate(legs):
        if leg.step.kind == "walk":
            found += _walk(leg, route.polyline, names, heading)
            heading = _facing(route.polyline[leg.first : leg.last + 1], heading)
        elif leg.step.kind in ("door", "opening"):
            through = _heading(route.polyline[: leg.last + 1], last=True)
            found.append(_door(leg, legs[number + 1 :], names, _side(heading, through)))
            heading = through
        else:
            found.append(_climb(leg, legs[number + 1 :], names))
            heading = _heading(leg.step.points, last=True) if leg.step.kind != "lift" else None
    last = len(route.polyline) - 1
    room = None if to_outside else next((leg.step.room for leg in reversed(legs) if leg.step.room), None)
    found.append(Instruction("arrive", target, room, _arrive(names, target, to_outside), 0.0, 0.0, last, last))
    return [each for each in found if each.kind != "corridor" or each.length >= 0.05]


def _legs(route: Route) -> list[_Leg]:
    legs: list[_Leg] = []
    count = 0
    last: Position | None = None
    for step in route.steps:
        first = max(count - 1, 0)
        for point in step.points:
            if last is None or dist(point, last) > 1e-6:
                count, last = count + 1, point
        legs.append(_Leg(step, first if step.points and count > 1 else 0, max(count - 1, 0)))
    return legs


def _walk(leg: _Leg, line: Sequence[Position], names: Names, heading: float | None) -> list[Instruction]:
    """A walk, cut where it turns."""
    found: list[Instruction] = []
    points = line[leg.first : leg.last + 1]
    start = 0
    for i in range(len(points) - 1):
        if dist(points[i], points[i + 1]) < LEG:
            continue  # around a corner of the furniture
        ahead = _heading(points[i : i + 2], last=False)
        turned = _between(heading, ahead) if heading is not None and ahead is not None else 0.0
        if abs(turned) >= TURN:
            before = _along(leg, points, start, i, names)
            if before.length >= WORTH:
                found.append(before)
                before = _along(leg, points, i, i, names)
            # A pace or two before a turn is part of it.
            found.append(replace(before, kind="turn", text=_turn(turned)))
            start = i
        heading = ahead
    if len(points) > 1:
        found.append(_along(leg, points, start, len(points) - 1, names))
    return found


def _facing(points: Sequence[Position], heading: float | None) -> float | None:
    """Return which way one faces at the end of a walk: along its last leg that is one."""
    for a, b in reversed(list(zip(points, points[1:], strict=False))):
        if dist(a, b) >= LEG:
            return _heading((a, b), last=False)
    return heading


def _side(heading: float | None, through: float | None) -> Text | None:
    """Return on which side a door is, None ahead."""
    if heading is None or through is None or abs(_between(heading, through)) < TURN:
        return None
    return Text("左侧", "on the left") if _between(heading, through) > 0 else Text("右侧", "on the right")


def _along(leg: _Leg, points: Sequence[Position], start: int, end: int, names: Names) -> Instruction:
    length = sum(dist(a, b) for a, b in zip(points[start:end], points[start + 1 : end + 1], strict=True))
    room = names.rooms.get(leg.step.room) if leg.step.room else None
    metres = max(1, round(length))
    text = Text(
        f"沿 {room} 走 {metres} 米" if room else f"直行 {metres} 米",
        f"Walk {metres} m through {room}" if room else f"Walk {metres} m",
    )
    share = length / leg.step.length if leg.step.length > 0 else 0.0
    return Instruction(
        "corridor", None, leg.step.room, text, length, leg.step.seconds * share, leg.first + start, leg.first + end
    )


def _heading(points: Sequence[Position], *, last: bool) -> float | None:
    """Return the direction in which a line begins or ends, degrees counter-clockwise from x."""
    pairs = list(zip(points, points[1:], strict=False))
    for a, b in reversed(pairs) if last else pairs:
        if dist(a[:2], b[:2]) > 0.05:
            return degrees(atan2(b[1] - a[1], b[0] - a[0]))
    return None


def _between(before: float, after: float) -> float:
    """Return the angle turned, degrees, left positive, -180 … 180."""
    return (after - before + 180.0) % 360.0 - 180.0


def _turn(angle: float) -> Text:
    if abs(angle) >= SHARP:
        return Text("掉头", "Turn around")
    return Text("左转", "Turn left") if angle > 0 else Text("右转", "Turn right")


def _start(names: Names, room: UUID | None) -> Text:
    name = names.rooms.get(room) if room else None
    return Text(f"从 {name} 出发", f"Start in {name}") if name else Text("出发", "Start")


def _arrive(names: Names, target: UUID | None, to_outside: bool) -> Text:
    if to_outside:
        return Text("到达室外", "You are outside")
    name = (names.rooms.get(target) or names.elements.get(target)) if target else None
    return Text(f"到达 {name}", f"You are at {name}") if name else Text("到达", "You have arrived")


def _door(leg: _Leg, after: Sequence[_Leg], names: Names, side: Text | None) -> Instruction:
    step = leg.step
    room = next((later.step.room for later in after if later.step.room), None)
    into = names.rooms.get(room) if room else None
    if step.kind == "opening":
        text = Text(f"进入 {into}" if into else "继续前行", f"Go on into {into}" if into else "Go straight on")
    else:
        door = names.elements.get(step.element) if step.element else None
        zh = f"经{side.zh if side else ''}门" + (f" {door} " if door else "")
        en = ("Through door " + door if door else "Through the door") + (f" {side.en}" if side else "")
        if not after:
            text = Text(f"{zh}到室外", f"{en} to the outside")
        else:
            text = Text(f"{zh}进入 {into}" if into else zh.strip(), f"{en} into {into}" if into else en)
    return Instruction("door", step.element, room, text, step.length, step.seconds, leg.last, leg.last)


_VERTICAL: Final[Mapping[str, tuple[str, str]]] = {
    "stair": ("楼梯", "stair"),
    "ramp": ("坡道", "ramp"),
    "lift": ("电梯", "lift"),
    "escalator": ("自动扶梯", "escalator"),
}


def _climb(leg: _Leg, after: Sequence[_Leg], names: Names) -> Instruction:
    step = leg.step
    rises = step.points[-1][2] >= step.points[0][2]
    room = next((later.step.room for later in after if later.step.room), None)
    level = names.storey_of.get(room) if room else None
    zh, en = _VERTICAL[step.kind]
    name = names.elements.get(step.element) if step.element else None
    called_zh, called_en = (f"{zh} {name} ", f"{en} {name}") if name else (zh, f"the {en}")
    up_zh, up_en = ("上", "up") if rises else ("下", "down")
    steps_zh = f"，{step.risers} 级" if step.risers else ""
    steps_en = f", {step.risers} steps" if step.risers else ""
    text = Text(
        f"乘{called_zh}{up_zh}到 {level}" if step.kind in ("lift", "escalator") and level
        else f"走{called_zh}{up_zh}到 {level}{steps_zh}" if level else f"走{called_zh}{up_zh}{steps_zh}",
        f"Take {called_en} {up_en} to {level}{steps_en}" if level else f"Take {called_en} {up_en}{steps_en}",
    )  # fmt: skip
    kinds: Mapping[str, Kind] = {
        "stair": "stairs_up" if rises else "stairs_down",
        "ramp": "ramp",
        "lift": "lift",
        "escalator": "escalator",
    }
    return Instruction(kinds[step.kind], step.element, room, text, step.length, step.seconds, leg.first, leg.last)
