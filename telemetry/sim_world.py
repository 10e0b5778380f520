"""What the simulated building lives in: clock, weather, people, faults. Pure functions of (seed, time).

Everything random comes from a hash of (seed, name, slot of time): the same moment always looks the same, in whatever
order and step it is asked for. Times are `(n,) float64` seconds since 1970 UTC.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FaultKind = Literal["pump_trip", "overheat", "high_co", "leak", "lift_stuck"]

DAY: Final = 86_400.0
YEAR: Final = 365.2425 * DAY
FAULT_SLOT: Final = 1_800.0  # s; at most one chance fault begins in each
FAULTS_PER_DAY: Final = 4.0
FAULT_LENGTH: Final = 480.0  # s
ECHO: Final = 7_200.0  # s that a fault may be felt after its end
LAG_STEP: Final = 900.0  # s between the samples of a lagged quantity


def hash_of(*parts: object) -> int:
    """A 64-bit number that depends on `parts` alone, on any machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest)


def unit_of(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    return hash_of(*parts) / 2.0**64


def clip(values: Floats, low: float | None, high: float | None) -> Floats:
    """(n,) values kept within [low, high]; None: no bound."""
    return np.asarray(np.clip(values, low, high), np.float64)


def chance(seed: int, slot: NDArray[np.int64]) -> Floats:
    """(n,) numbers in [0, 1), one per slot: splitmix64."""
    z = slot.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed & (2**64 - 1))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))).astype(np.float64) / 2.0**64


def noise(seed: int, t: Floats, period: float) -> Floats:
    """(n,) smooth noise in [-1, 1] that changes over about `period` seconds."""
    position = t / period
    slot = np.floor(position).astype(np.int64)
    part = position - slot
    weight = part * part * (3 - 2 * part)
    return 2 * (chance(seed, slot) * (1 - weight) + chance(seed, slot + 1) * weight) - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with one thing (`victim`: an element's id or a point's key) in [start, end), s."""

    kind: FaultKind
    victim: str
    start: float
    end: float

    def strength(self, t: Floats, rise: float, fall: float) -> Floats:
        """(n,) 0…1: builds up with time constant `rise` s and dies away with `fall` s."""
        up = 1 - np.exp(-clip(t - self.start, 0, self.end - self.start) / rise)
        return up * np.exp(-clip(t - self.end, 0, None) / fall)

    def active(self, t: Floats) -> NDArray[np.bool_]:
        """(n,) whether it is going on."""
        return (t >= self.start) & (t < self.end)


@dataclass(slots=True)
class World:
    """Clock, weather and people of one building; `victims` are what may fail, by kind."""

    seed: int
    zone: tzinfo
    victims: dict[FaultKind, list[str]] = field(default_factory=dict)
    extra: list[Fault] = field(default_factory=list)  # asked for, beside those of chance
    _known: dict[tuple[int, int], list[Fault]] = field(default_factory=dict)  # those of chance by range of slots
    _hours: dict[int, float] = field(default_factory=dict)  # s that the wall clock is ahead of UTC, by hour

    def local_hour(self, t: Floats) -> Floats:
        """(n,) hour of the day on the wall clock, 0…24."""
        return (t + self._offset(t)) % DAY / 3600

    def weekday(self, t: Floats) -> Floats:
        """(n,) 0 for Monday to 6 for Sunday, on the site's calendar."""
        return np.floor((t + self._offset(t)) / DAY + 3) % 7

    def weekend(self, t: Floats) -> NDArray[np.bool_]:
        """(n,) Saturday or Sunday."""
        return self.weekday(t) >= 5

    def _offset(self, t: Floats) -> Floats:
        """(n,) s that the wall clock is ahead of UTC; looked up once per hour."""
        hours, where = np.unique(np.floor(t / 3600), return_inverse=True)
        return np.array([self._hour_offset(int(hour)) for hour in hours.tolist()])[where]

    def _hour_offset(self, hour: int) -> float:
        if hour not in self._hours:
            offset = datetime.fromtimestamp(hour * 3600, self.zone).utcoffset()
            self._hours[hour] = offset.total_seconds() if offset else 0.0
        return self._hours[hour]

    def season(self, t: Floats) -> Floats:
        """(n,) -1 in the middle of January to 1 in the middle of July."""
        return -np.cos(2 * np.pi * (t / YEAR - 15 / 365))

    def outside(self, t: Floats) -> Floats:
        """(n,) °C: season, time of day, and weather that passes over days."""
        daily = np.cos(2 * np.pi * (self.local_hour(t) - 15) / 24)
        weather = 2.6 * noise(self.seed + 1, t, 2.7 * DAY) + 1.6 * noise(self.seed + 2, t, 0.9 * DAY)
        return 16.5 + 11.5 * self.season(t) + 4.2 * daily + weather + 0.3 * noise(self.seed + 3, t, 1800)

    def sun(self, t: Floats) -> Floats:
        """(n,) 0…1: how much the sun heats, less under clouds."""
        height = clip(np.sin(np.pi * (self.local_hour(t) - 6) / 12), 0, 1)
        return height * (0.65 + 0.35 * noise(self.seed + 4, t, 0.6 * DAY))

    def rush(self, t: Floats) -> Floats:
        """(n,) 0…1: people leaving in the morning and coming home in the evening; flatter at the weekend."""
        hour = self.local_hour(t)
        peaks = np.exp(-(((hour - 8.0) / 0.9) ** 2)) + 0.9 * np.exp(-(((hour - 18.3) / 1.2) ** 2))
        leisure = 0.45 * np.exp(-(((hour - 13.5) / 4.5) ** 2))
        return np.where(self.weekend(t), leisure + 0.25 * peaks, peaks + 0.15 * leisure)

    def at_home(self, t: Floats) -> Floats:
        """(n,) 0…1: how many of the residents are in."""
        hour = self.local_hour(t)
        away = 1 / (1 + np.exp(-(hour - 8.2) * 2.2)) - 1 / (1 + np.exp(-(hour - 18.2) * 1.8))
        return 1 - np.where(self.weekend(t), 0.35, 0.75) * away

    def awake(self, t: Floats) -> Floats:
        """(n,) 0…1: whether people are up, half past six to half past eleven."""
        hour = self.local_hour(t)
        return 1 / (1 + np.exp(-(hour - 6.8) * 3)) - 1 / (1 + np.exp(-(hour - 23.2) * 3))

    def water_demand(self, t: Floats) -> Floats:
        """(n,) 0…1: morning and evening peaks."""
        hour = self.local_hour(t)
        peaks = np.exp(-(((hour - 7.3) / 1.1) ** 2)) + np.exp(-(((hour - 19.5) / 2.0) ** 2))
        return clip(0.12 + 0.75 * peaks + 0.15 * self.awake(t), 0, 1)

    def faults(self, kind: FaultKind, start: float, end: float) -> list[Fault]:
        """The faults of a kind that touch [start, end) or still echo in it."""
        slots = int((start - ECHO) // FAULT_SLOT), int(end // FAULT_SLOT)
        if slots not in self._known:
            if len(self._known) > 8:
                self._known.clear()
            self._known[slots] = self._by_chance(*slots)
        both = [*self.extra, *self._known[slots]]
        return [fault for fault in both if fault.kind == kind and fault.start < end and fault.end > start - ECHO]

    def _by_chance(self, first: int, last: int) -> list[Fault]:
        """The faults that begin in the slots `first` to `last`."""
        found: list[Fault] = []
        kinds = sorted(kind for kind, victims in self.victims.items() if victims)
        slots = np.arange(first, last + 1)
        happens = slots[chance(self.seed + 5, slots) < FAULTS_PER_DAY * FAULT_SLOT / DAY]
        for slot in happens.tolist() if kinds else ():
            kind = kinds[hash_of(self.seed, "kind", slot) % len(kinds)]
            victims = self.victims[kind]
            begin = slot * FAULT_SLOT + unit_of(self.seed, "start", slot) * (FAULT_SLOT - FAULT_LENGTH)
            length = FAULT_LENGTH * (0.6 + 0.8 * unit_of(self.seed, "length", slot))
            victim = victims[hash_of(self.seed, "victim", slot) % len(victims)]
            found.append(Fault(kind, victim, begin, begin + length))
        return found

    def fault_strength(self, kind: FaultKind, victim: str, t: Floats, *, rise: float, fall: float) -> Floats:
        """(n,) 0…1: how strongly a kind of fault shows at one victim."""
        total = np.zeros(len(t))
        for fault in self.faults(kind, float(t.min()), float(t.max()) + 1):
            if fault.victim == victim:
                total = np.maximum(total, fault.strength(t, rise, fall))
        return total

    def failing(self, kind: FaultKind, victim: str, t: Floats) -> NDArray[np.bool_]:
        """(n,) whether a victim has that fault at the moment."""
        found = np.zeros(len(t), bool)
        for fault in self.faults(kind, float(t.min()), float(t.max()) + 1):
            if fault.victim == victim:
                found |= fault.active(t)
        return found


class Signal:
    """A function of time that many points share; the last values are kept, for they all ask for the same moments."""

    __slots__ = ("_function", "_kept")

    def __init__(self, function: Callable[[Floats], Floats]) -> None:
        self._function = function
        self._kept: dict[bytes, Floats] = {}

    def __call__(self, t: Floats) -> Floats:
        key = t.tobytes()
        if key not in self._kept:
            if len(self._kept) > 8:
                self._kept.clear()
            self._kept[key] = self._function(t)
        return self._kept[key]


def lagged(function: Callable[[Floats], Floats], time_constant: float) -> Signal:
    """A signal seen through a first-order lag of so many s: what heat and air do."""
    step = min(LAG_STEP, time_constant / 3)
    count = int(np.ceil(4 * time_constant / step))
    weights = np.exp(-np.arange(count) * step / time_constant)
    weights /= weights.sum()

    def seen(t: Floats) -> Floats:
        total = np.zeros(len(t))
        for i, weight in enumerate(weights.tolist()):
            total += weight * function(t - i * step)
        return total

    return Signal(seen)
