"""What the simulator speaks for: its points, what they share, and what was commanded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from telemetry.sim_world import FaultKind, Floats, Signal, World, clip, hash_of, lagged, unit_of

FIRE: Final = re.compile(
    r"fire|hydrant|sprinkler|jockey|smoke|pressure_fan|\.hp_|\.sp_|消|喷淋|稳压|防排烟|排烟|正压", re.IGNORECASE
)
PUBLIC: Final = re.compile(
    r"lobby|corridor|office|hall|plant|switch|room|大堂|走廊|电梯厅|办公|机房|meeting|会议", re.IGNORECASE
)
GARAGE: Final = re.compile(r"garage|park|jet|\bp-\d|车库", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SimPoint:
    """A point that the simulator speaks for."""

    handle: int
    key: str
    sim: str
    kind: str
    unit: str | None
    element: str  # id of its element, or its key: what a fault strikes
    place: str  # id of the room, else storey, else building: pumps there work together
    storey: str
    text: str  # names of point, element and room, to guess what it serves
    area: float = 20.0  # m2 of the room

    @property
    def fire(self) -> bool:
        return FIRE.search(f"{self.key} {self.text}") is not None

    @property
    def seed(self) -> int:
        return hash_of(self.key)

    def unit_between(self, low: float, high: float, what: str = "") -> float:
        """A number of this point's own in [low, high)."""
        return low + (high - low) * unit_of(self.key, what)


@dataclass(slots=True)
class Setting:
    """What was commanded, in order of time: `(s since 1970, value)`."""

    changes: list[tuple[float, float]] = field(default_factory=list)

    def over(self, t: Floats, otherwise: Floats) -> Floats:
        """(n,) the commanded value from its time on, `otherwise` before the first."""
        value = otherwise.copy()
        for at, changed in self.changes:
            value[t >= at] = changed
        return value


@dataclass(slots=True)
class PumpGroup:
    """Pumps that work together, in the order of their keys, with period and level span of their tank."""

    pumps: list[str]  # element ids
    fire: bool
    seed: int

    @property
    def period(self) -> float:
        return 2400.0 + 1800.0 * unit_of(self.seed, "period")


class Building:
    """All simulated points of one building and what they share."""

    def __init__(self, world: World, points: Sequence[SimPoint], lift_stops: Sequence[float] = ()) -> None:
        self.world = world
        self.points = {point.key: point for point in points}
        self.settings: dict[str, Setting] = {}
        self.stops = list(lift_stops) or [0.0, 3.0, 6.0, 9.0]
        self.pumps = _pump_groups(points)
        self._element: dict[tuple[str, str], SimPoint] = {(p.element, p.sim): p for p in points}
        self._place: dict[tuple[str, str], SimPoint] = {}
        for point in points:
            self._place.setdefault((point.place, point.sim), point)
        self.slow_outside = lagged(world.outside, 7200)
        self.slow_sun = lagged(world.sun, 5400)
        self.slow_rush = lagged(world.rush, 1800)
        self.slow_home = lagged(lambda t: world.at_home(t) * (0.45 + 0.55 * world.awake(t)), 2400)
        self.load = Signal(self._load)
        self.weekly: dict[str, Floats] = {}  # what a week of a profile adds up to, kept for the meters
        world.victims = _victims(points, self.pumps)

    def command(self, key: str, at: float, value: float) -> None:
        """Set a writable point from `at` (s since 1970) on."""
        self.settings.setdefault(key, Setting()).changes.append((at, value))

    def beside(self, point: SimPoint, sim: str) -> SimPoint | None:
        """The point with behaviour `sim` of the same element."""
        return self._element.get((point.element, sim))

    def commanded(self, point: SimPoint | None, t: Floats, otherwise: Floats) -> Floats:
        """(n,) what a writable point was set to, else what the schedule says."""
        setting = self.settings.get(point.key) if point else None
        return otherwise if setting is None else setting.over(t, otherwise)

    def habits(self, t: Floats) -> Floats:
        """(n,) electrical load of homes without the weather: what the meters add up."""
        return 0.35 + 0.75 * self.world.at_home(t) * (0.45 + 0.55 * self.world.awake(t))

    def _load(self, t: Floats) -> Floats:
        """(n,) electrical load of homes, about 1 on average."""
        return 0.35 + 0.75 * self.slow_home(t) + 0.35 * clip(np.abs(self.slow_outside(t) - 19) - 5, 0, 14) / 14

    def group_of(self, point: SimPoint) -> PumpGroup | None:
        """The pumps that a flow, pressure or level belongs to: in its room, else on its storey, else anywhere."""
        for key in (point.place, point.storey, ""):
            found = self.pumps.get((key, point.fire))
            if found is not None:
                return found
        return None


def _pump_groups(points: Sequence[SimPoint]) -> dict[tuple[str, bool], PumpGroup]:
    groups: dict[tuple[str, bool], PumpGroup] = {}
    for point in sorted((p for p in points if p.sim == "pump_run"), key=lambda p: p.key):
        group = groups.get((point.place, point.fire)) or PumpGroup([], point.fire, hash_of(point.place, point.fire))
        group.pumps.append(point.element)
        groups.setdefault((point.place, point.fire), group)
        groups.setdefault((point.storey, point.fire), group)
        groups.setdefault(("", point.fire), group)
    return groups


def _victims(points: Sequence[SimPoint], pumps: dict[tuple[str, bool], PumpGroup]) -> dict[FaultKind, list[str]]:
    duty = {element for (_, fire), group in pumps.items() if not fire for element in group.pumps}
    return {
        "pump_trip": sorted(duty),
        "overheat": sorted(p.key for p in points if p.sim == "room_temperature"),
        "high_co": sorted(p.key for p in points if p.sim == "garage_co"),
        "leak": sorted(p.key for p in points if p.sim == "water_leak"),
        "lift_stuck": sorted({p.element for p in points if p.sim == "lift_run"}),
    }
