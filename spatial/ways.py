"""What a route is made of: ways through, places, steps; and how fast people are.

Lengths in metres in the building frame, times in seconds.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import dist
from typing import Final
from uuid import UUID

WALK: Final = 1.3  # m/s on the level
DOOR: Final = 2.0  # s to open a door
STAIR: Final = 0.5  # m/s along the slope of a stair
RAMP: Final = 1.0  # m/s
ESCALATOR: Final = 0.5  # m/s
LIFT_WAIT: Final = 30.0  # s
LIFT: Final = 1.0  # m/s
FASTEST: Final = 1.3  # m/s; no way through anything is quicker, which makes the search's lower bound true
SPEED: Final = {"stair": STAIR, "ramp": RAMP, "escalator": ESCALATOR, "lift": LIFT}
STEPS: Final = frozenset({"stair", "escalator"})

Position = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Way:
    """A way through. `rooms`: the one or two rooms it opens on; one, for a door, means that it leads outside."""

    kind: str  # door | opening | open (no wall) | stair | ramp | lift | escalator
    element: UUID | None
    position: Position
    rooms: tuple[UUID, ...]
    shaft: UUID | None = None  # of a landing
    up: tuple[Position, ...] = ()  # of a landing: the points passed on the way up to the next one
    risers: int = 0  # steps up to the next one; 0: none, or not known

    @property
    def leads_outside(self) -> bool:
        return self.shaft is None and len(self.rooms) == 1


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in a room; one walks to the spot on its floor."""

    room: UUID
    position: Position


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a route: across a room, through a door, up or down a shaft."""

    kind: str  # walk | door | opening | stair | ramp | lift | escalator
    element: UUID | None  # the door or shaft
    room: UUID | None  # the room walked through
    points: list[Position]
    length: float  # m
    seconds: float
    risers: int = 0  # steps climbed, up or down


@dataclass(frozen=True, slots=True)
class Route:
    """The quickest way, as steps in order."""

    steps: list[Step]
    length: float  # m
    seconds: float

    @property
    def polyline(self) -> list[Position]:
        """All its points, each once."""
        points: list[Position] = []
        for step in self.steps:
            points += [point for point in step.points if not points or dist(point, points[-1]) > 1e-6]
        return points

    @property
    def doors(self) -> list[UUID]:
        """The doors passed, in order."""
        return [step.element for step in self.steps if step.kind == "door" and step.element is not None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a route may use. `closed`: elements (doors, stairs, lifts) that cannot be passed."""

    step_free: bool = False  # no stairs or escalators
    lifts: bool = True
    closed: Collection[UUID] = ()

    def allows(self, way: Way) -> bool:
        if self.step_free and way.kind in STEPS:
            return False
        if not self.lifts and way.kind == "lift":
            return False
        return not self.closed or way.element not in self.closed


ANY: Final = Options()
WITHOUT_LIFTS: Final = Options(lifts=False)


def half(way: Way) -> float:
    return DOOR / 2 if way.kind == "door" else 0.0


def through(way: Way) -> Step:
    kind = "opening" if way.kind == "open" else way.kind
    return Step(kind, way.element, None, [way.position], 0.0, DOOR if way.kind == "door" else 0.0)


def route_of(steps: list[Step]) -> Route:
    return Route(steps, sum(step.length for step in steps), sum(step.seconds for step in steps))


def paced(route: Route, speed: float) -> Route:
    """Return a route as walked at `speed` (m/s on the level): ways on foot take as much more or less time.

    Lifts, escalators and doors take their own time.
    """
    if speed == WALK:
        return route
    on_foot = {"walk", "stair", "ramp"}
    return route_of([replace(s, seconds=s.seconds * WALK / speed) if s.kind in on_foot else s for s in route.steps])
