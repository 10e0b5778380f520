"""How each simulated point behaves: one function per behaviour, of the world and the time.

| sim | what it does |
|---|---|
| room_temperature | follows weather, sun and people through the walls' lag; overheats when a fault says so |
| room_co2, room_humidity | CO2 follows people with half an hour's lag; humidity follows season and temperature |
| outside_temperature, outside_humidity | season, day, weather |
| pump_run, pump_flow, pump_pressure, tank_level | pumps take turns (duty, standby), a tank rises and falls with them |
| | fire pumps rest but for a test on Mondays at ten |
| fault | the fault contact of a pump or lift |
| fan_run, fan_speed_command | by schedule or command; garage fans by rush hour; smoke fans rest |
| ahu_supply_temperature, ahu_supply_setpoint | supply air follows its setpoint |
| filter_pressure | a filter clogs over 90 days |
| energy_meter, water_meter | daily and weekly load; meters only rise |
| power, voltage, current, transformer_temperature | daily load; of pumps and fans, what they draw when they run |
| lift_position, lift_run | trips between storeys, more of them at rush hour |
| smoke, manual_alarm, sprinkler_flow, water_leak | 0; leaks now and then |
| door_open, light_command | doors by people, lights by the clock or by command |
| garage_co | traffic at rush hour, and a fault that sends it high |
"""

import math
import re
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.sim_models import GARAGE, PUBLIC, Building, PumpGroup, SimPoint
from telemetry.sim_world import DAY, YEAR, Floats, chance, clip, noise, unit_of

HOT: Final = 35.5  # °C of a room whose heating valve is stuck open
METER_EPOCH: Final = 1_704_067_200.0  # 2024-01-01: meters were at their first reading then
WEEK: Final = 7 * DAY
STEP: Final = 900.0
WEEK_STEPS: Final = np.arange(0, WEEK + STEP, STEP)
MID_JANUARY: Final = METER_EPOCH + 14 * DAY
# How consumption goes up and down: (share, s from peak to peak, a peak). Homes are cooled and heated; people wash more
# in summer; and no year is like the one before.
SEASONS: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "energy": ((0.20, YEAR / 2, MID_JANUARY), (0.05, 1.7 * YEAR, MID_JANUARY + 1.1 * YEAR), (0.03, 0.31 * YEAR, 0.0)),
    "water": ((0.10, YEAR, MID_JANUARY + YEAR / 2), (0.04, 2.3 * YEAR, MID_JANUARY), (0.03, 0.23 * YEAR, 0.0)),
}
LIFT_SLOT: Final = 83.0  # s; a prime, so that readings every five minutes do not always meet the same part of a trip
DOOR_SLOT: Final = 61.0  # s
LIFT_SPEED: Final = 1.75  # m/s
LIFT_MEMORY: Final = 48  # slots


def values_of(building: Building, point: SimPoint, t: Floats) -> Floats:
    """(n,) values of a point, in its unit, rounded to what a sensor resolves; bools as 0 and 1."""
    value = BEHAVIOURS.get(point.sim, _steady)(building, point, t)
    if point.kind in ("bool", "enum"):
        return np.asarray(np.rint(value), np.float64)
    scale, digits = SCALES.get((point.sim, point.unit or ""), (1.0, DIGITS.get(point.sim, 2)))
    return np.asarray(np.round(value * scale, digits), np.float64)


# Rooms


def _room_temperature(b: Building, p: SimPoint, t: Floats) -> Floats:
    w = b.world
    public = PUBLIC.search(p.text) is not None
    people = b.slow_rush(t) if public else b.slow_home(t)
    comfort = p.unit_between(22.4, 24.6, "comfort")
    through_walls = p.unit_between(0.08, 0.17, "wall") * (b.slow_outside(t) - comfort)
    sun = p.unit_between(0.0, 1.6, "sun") * b.slow_sun(t)
    heat = w.fault_strength("overheat", p.key, t, rise=90, fall=900)
    air = _supplied(b, t) if public else np.zeros(len(t))
    small = 0.25 * noise(p.seed, t, 3000) + 0.05 * noise(p.seed + 1, t, 300)
    calm = clip(comfort + through_walls, 15.0, 28.0) + sun + 0.7 * people + air
    return calm + heat * (HOT - calm) + small


def _supplied(b: Building, t: Floats) -> Floats:
    """(n,) K that a commanded supply temperature shifts the public rooms by, with a quarter hour's lag."""
    shift = np.zeros(len(t))
    handler = next((each for each in b.points.values() if each.sim == "ahu_supply_setpoint"), None)
    setting = b.settings.get(handler.key) if handler else None
    if handler is None or setting is None:
        return shift
    before = 18.0
    for at, value in setting.changes:
        shift += 0.35 * (value - before) * (1 - np.exp(-clip(t - at, 0, None) / 900))
        before = value
    return shift


def _room_co2(b: Building, p: SimPoint, t: Floats) -> Floats:
    people = b.slow_rush(t) if PUBLIC.search(p.text) else b.slow_home(t)
    return (
        425 + p.unit_between(300, 560, "people") * people + 18 * noise(p.seed, t, 900) + 6 * noise(p.seed + 1, t, 120)
    )


def _room_humidity(b: Building, p: SimPoint, t: Floats) -> Floats:
    season = 9 * b.world.season(t)
    return np.asarray(
        clip(47 + season + 5 * noise(p.seed, t, 14_000) + 3 * b.slow_home(t) + noise(p.seed + 1, t, 700), 15, 95),
        np.float64,
    )


def _outside_temperature(b: Building, _: SimPoint, t: Floats) -> Floats:
    return b.world.outside(t)


def _outside_humidity(b: Building, p: SimPoint, t: Floats) -> Floats:
    warm = np.cos(2 * np.pi * (b.world.local_hour(t) - 15) / 24)
    return np.asarray(clip(66 + 8 * b.world.season(t) - 12 * warm + 10 * noise(p.seed, t, 30_000), 12, 100), np.float64)


def _garage_co(b: Building, p: SimPoint, t: Floats) -> Floats:
    traffic = p.unit_between(16, 30, "traffic") * b.slow_rush(t)
    fault = 140 * b.world.fault_strength("high_co", p.key, t, rise=70, fall=500)
    return clip(3.5 + traffic + 1.5 * noise(p.seed, t, 400) + fault, 0, None)


# Water


def _cycle(group: PumpGroup, b: Building, t: Floats) -> tuple[Floats, Floats, Floats]:
    """(number of the cycle, how far it has come 0…1, share of it that a pump runs), each (n,)."""
    position = t / group.period + unit_of(group.seed, "phase")
    number = np.floor(position)
    # The share is that of the cycle's beginning: it must not jump while the cycle lasts.
    start = (number - unit_of(group.seed, "phase")) * group.period
    return number, position - number, 0.25 + 0.45 * b.world.water_demand(start)


def _wanted(group: PumpGroup, b: Building, t: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Whether the group has to pump, and the number of the pump whose turn it is, each (n,)."""
    if group.fire:
        hour = b.world.local_hour(t)
        monday = b.world.weekday(t) == 0
        minutes = (hour - 10) * 60
        test = monday & (minutes >= 0) & (minutes < 5.0 * len(group.pumps))
        return test, clip(minutes // 5, 0, len(group.pumps) - 1)
    number, part, share = _cycle(group, b, t)
    return part < share, number % len(group.pumps)


def _pump_run(b: Building, p: SimPoint, t: Floats) -> Floats:
    group = b.pumps.get((p.place, p.fire)) or PumpGroup([p.element], p.fire, p.seed)
    wanted, turn = _wanted(group, b, t)
    mine = group.pumps.index(p.element) if p.element in group.pumps else 0
    trip = np.stack([b.world.failing("pump_trip", element, t) for element in group.pumps])
    # The standby takes over at once where the duty pump has tripped.
    running = turn.astype(np.int64)
    for _ in range(len(group.pumps) - 1):
        running = np.where(trip[running, np.arange(len(t))], (running + 1) % len(group.pumps), running)
    return np.asarray(wanted & (running == mine) & ~trip[mine], np.float64)


def _pumping(b: Building, p: SimPoint, t: Floats) -> Floats:
    """(n,) 1 where any pump of the point's group runs."""
    group = b.group_of(p)
    if group is None:
        return np.zeros(len(t))
    wanted, _ = _wanted(group, b, t)
    down = np.all([b.world.failing("pump_trip", element, t) for element in group.pumps], axis=0)
    return np.asarray(wanted & ~down, np.float64)


def _pump_flow(b: Building, p: SimPoint, t: Floats) -> Floats:
    rated = p.unit_between(14, 22, "flow")
    return _pumping(b, p, t) * rated * (0.8 + 0.15 * b.world.water_demand(t) + 0.03 * noise(p.seed, t, 40))


def _pump_pressure(b: Building, p: SimPoint, t: Floats) -> Floats:
    rest = p.unit_between(560, 600, "rest") if p.fire else p.unit_between(350, 380, "rest")
    return rest + 95 * _pumping(b, p, t) - 18 * b.world.water_demand(t) * (not p.fire) + 3 * noise(p.seed, t, 25)


def _tank_level(b: Building, p: SimPoint, t: Floats) -> Floats:
    group = b.group_of(p)
    low, high = 1.15, 2.35
    if group is None or group.fire:
        return high - 0.05 + 0.02 * noise(p.seed, t, 3600)
    _, part, share = _cycle(group, b, t)
    emptying = high - (high - low) * part / share
    filling = low + (high - low) * (part - share) / (1 - share)
    return np.where(part < share, emptying, filling) + 0.004 * noise(p.seed, t, 20)


def _fault(b: Building, p: SimPoint, t: Floats) -> Floats:
    return (b.world.failing("pump_trip", p.element, t) | b.world.failing("lift_stuck", p.element, t)).astype(np.float64)


# Air


def _schedule(b: Building, p: SimPoint, t: Floats) -> Floats:
    """(n,) fan speed in % that nobody has asked for otherwise."""
    hour = b.world.local_hour(t)
    if p.fire:
        return np.zeros(len(t))
    if GARAGE.search(f"{p.key} {p.text}"):
        return np.where(b.slow_rush(t) > 0.22, 70.0, np.where(hour % 3 < 0.25, 40.0, 0.0))
    return np.where((hour >= 6.5) & (hour < 22.5), np.where(b.world.weekend(t), 55.0, 72.0), 0.0)


def _fan_speed(b: Building, p: SimPoint, t: Floats) -> Floats:
    return b.commanded(p, t, _schedule(b, p, t))


def _speed_of(b: Building, p: SimPoint, t: Floats) -> Floats:
    drive = b.beside(p, "fan_speed_command")
    return _fan_speed(b, drive, t) if drive else _schedule(b, p, t)


def _fan_run(b: Building, p: SimPoint, t: Floats) -> Floats:
    return b.commanded(p, t, (_speed_of(b, p, t) > 0).astype(np.float64))


def _supply_setpoint(b: Building, p: SimPoint, t: Floats) -> Floats:
    return b.commanded(p, t, np.full(len(t), 18.0))


def _supply_temperature(b: Building, p: SimPoint, t: Floats) -> Floats:
    wanted = np.full(len(t), 18.0)
    point = b.beside(p, "ahu_supply_setpoint")
    before = 18.0
    for at, value in b.settings[point.key].changes if point and point.key in b.settings else ():
        wanted += (value - before) * (1 - np.exp(-clip(t - at, 0, None) / 240))
        before = value
    running = _speed_of(b, p, t) > 0
    return np.where(
        running, wanted + 0.25 * noise(p.seed, t, 500), 21.5 + 0.1 * (b.slow_outside(t) - 18)
    ) + 0.05 * noise(p.seed + 1, t, 60)


def _filter_pressure(b: Building, p: SimPoint, t: Floats) -> Floats:
    clogged = (t / DAY + 90 * unit_of(p.key, "filter")) % 90 / 90
    return (_speed_of(b, p, t) / 100) ** 2 * (95 + 150 * clogged + 1.5 * noise(p.seed, t, 60))


# Electricity and meters


def _nominal(p: SimPoint) -> float:
    """Mean power in kW of what a meter or board serves."""
    text = f"{p.key} {p.text}".lower()
    if re.search(r"transformer|main|incom|总|变压|进线", text):
        return p.unit_between(85, 110, "kW")
    if re.search(r"pump|水泵|泵", text):
        return p.unit_between(4.0, 7.5, "kW")
    if re.search(r"fan|ahu|风机|空调机", text):
        return p.unit_between(2.2, 5.5, "kW")
    if re.search(r"board|panel|配电", text):
        return p.unit_between(5, 12, "kW")
    return p.unit_between(0.25, 0.75, "kW")


def _power(b: Building, p: SimPoint, t: Floats) -> Floats:
    run = b.beside(p, "pump_run") or b.beside(p, "fan_run")
    if run is not None:
        on = BEHAVIOURS[run.sim](b, run, t)
        speed = _speed_of(b, run, t) / 70 if run.sim == "fan_run" else np.ones(len(t))
        return _nominal(p) * on * (clip(speed, 0.2, 1.4) ** 3 + 0.02 * noise(p.seed, t, 30))
    return _nominal(p) * clip(
        b.load(t) * (1 + 0.12 * noise(p.seed, t, 700) + 0.03 * noise(p.seed + 1, t, 60)), 0.1, None
    )


def _voltage(b: Building, p: SimPoint, t: Floats) -> Floats:
    return 402 - 4 * (b.load(t) - 1) + 1.6 * noise(p.seed, t, 600) + 0.4 * noise(p.seed + 1, t, 30)


def _current(b: Building, p: SimPoint, t: Floats) -> Floats:
    power = b.beside(p, "power")
    kilowatts = _power(b, power, t) if power else p.unit_between(85, 110, "kW") * b.load(t)
    return kilowatts * 1000 / (math.sqrt(3) * 400 * 0.93)


def _transformer_temperature(b: Building, p: SimPoint, t: Floats) -> Floats:
    return 40 + 19 * b.load(t) + 0.5 * (b.slow_outside(t) - 18) + 0.4 * noise(p.seed, t, 1200)


def _rising(b: Building, profile: str, t: Floats) -> Floats:
    """(n,) hours' worth that a weekly profile, more or less of it by season and year, has added up since
    `METER_EPOCH`; never falls.

    With the profile's mean m, its sum P without that mean, and the season f: m ∫f + f P, whose slope is f p but for the
    little that f changes within a week.
    """
    total = b.weekly.get(profile)
    if total is None:
        moments = METER_EPOCH + WEEK_STEPS[:-1]
        rate = b.world.water_demand(moments) if profile == "water" else b.habits(moments)
        total = np.concatenate([[0.0], np.cumsum(clip(rate, 0.02, None) * STEP / 3600)])
        b.weekly[profile] = total
    mean = float(total[-1]) * 3600 / WEEK
    since = t - METER_EPOCH
    within = since - np.floor(since / WEEK) * WEEK
    wave = np.interp(within, WEEK_STEPS, total) - mean * within / 3600
    season, added = np.ones(len(t)), since.copy()
    for size, period, peak in SEASONS[profile]:
        turn = 2 * np.pi / period
        season += size * np.cos(turn * (t - peak))
        added += size / turn * (np.sin(turn * (t - peak)) - np.sin(turn * (METER_EPOCH - peak)))
    return np.asarray(mean * added / 3600 + season * wave, np.float64)


def _energy_meter(b: Building, p: SimPoint, t: Floats) -> Floats:
    return p.unit_between(0, 2000, "start") + _nominal(p) * _rising(b, "energy", t)


def _water_meter(b: Building, p: SimPoint, t: Floats) -> Floats:
    mains = re.search(r"main|总", f"{p.key} {p.text}".lower()) is not None
    rate = p.unit_between(1.6, 2.4, "m3") if mains else p.unit_between(0.012, 0.03, "m3")  # m3/h at full demand
    return p.unit_between(0, 300, "start") + rate * _rising(b, "water", t)


# Lifts, doors, lights, safety


def _lift_targets(b: Building, p: SimPoint, slot: NDArray[np.int64]) -> Floats:
    """(n,) m: where the car stands at the end of each slot. A car without a call stays where it was."""
    k = (slot[:, None] - np.arange(LIFT_MEMORY)).ravel()
    called = chance(p.seed, k) < 0.06 + 0.7 * clip(b.world.rush(k.astype(np.float64) * LIFT_SLOT), 0, 1)
    last = called.reshape(len(slot), LIFT_MEMORY).argmax(axis=1)  # slots back to the last call
    asked = called.reshape(len(slot), LIFT_MEMORY).any(axis=1)
    k = slot - last
    floor = np.where(chance(p.seed + 1, k) < 0.5, 0, (chance(p.seed + 2, k) * len(b.stops)).astype(np.int64))
    return np.asarray(np.where(asked, np.array(b.stops)[floor], b.stops[0]), np.float64)


def _lift(b: Building, p: SimPoint, t: Floats) -> tuple[Floats, Floats]:
    """(height of the car in m, whether it moves), each (n,)."""
    slot = np.floor(t / LIFT_SLOT).astype(np.int64)
    start, end = _lift_targets(b, p, slot - 1), _lift_targets(b, p, slot)
    way = (t - slot * LIFT_SLOT) * LIFT_SPEED
    moved = np.minimum(way, np.abs(end - start))
    stuck = b.world.failing("lift_stuck", p.element, t)
    moving = (moved < np.abs(end - start)) & ~stuck
    return np.where(stuck, b.stops[0], start + np.sign(end - start) * moved), moving.astype(np.float64)


def _lift_position(b: Building, p: SimPoint, t: Floats) -> Floats:
    twin = b.beside(p, "lift_run") or p
    return _lift(b, twin, t)[0]


def _lift_run(b: Building, p: SimPoint, t: Floats) -> Floats:
    return _lift(b, p, t)[1]


def _water_leak(b: Building, p: SimPoint, t: Floats) -> Floats:
    return b.world.failing("leak", p.key, t).astype(np.float64)


def _door_open(b: Building, p: SimPoint, t: Floats) -> Floats:
    slot = np.floor(t / DOOR_SLOT).astype(np.int64)
    opened = chance(p.seed, slot) < 0.03 + 0.35 * b.world.rush(slot.astype(np.float64) * DOOR_SLOT)
    return (opened & (t - slot * DOOR_SLOT < 6 + 14 * chance(p.seed + 1, slot))).astype(np.float64)


def _light_command(b: Building, p: SimPoint, t: Floats) -> Floats:
    hour = b.world.local_hour(t)
    dark = (hour < 7.0) | (hour >= 18.0)
    return b.commanded(p, t, (dark & ((hour >= 5.5) & (hour < 23.75))).astype(np.float64))


def _never(_b: Building, _p: SimPoint, t: Floats) -> Floats:
    return np.zeros(len(t))


def _steady(b: Building, p: SimPoint, t: Floats) -> Floats:
    """A behaviour nobody has written: a value that hardly moves; what can be set keeps what it was set to."""
    still = np.zeros(len(t)) if p.kind != "number" else p.unit_between(10, 50) + 0.5 * noise(p.seed, t, 3600)
    return b.commanded(p, t, still)


Behaviour = Callable[[Building, SimPoint, Floats], Floats]
BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "room_temperature": _room_temperature,
    "room_co2": _room_co2,
    "room_humidity": _room_humidity,
    "outside_temperature": _outside_temperature,
    "outside_humidity": _outside_humidity,
    "garage_co": _garage_co,
    "pump_run": _pump_run,
    "pump_flow": _pump_flow,
    "pump_pressure": _pump_pressure,
    "tank_level": _tank_level,
    "fault": _fault,
    "fan_run": _fan_run,
    "fan_speed_command": _fan_speed,
    "ahu_supply_temperature": _supply_temperature,
    "ahu_supply_setpoint": _supply_setpoint,
    "filter_pressure": _filter_pressure,
    "energy_meter": _energy_meter,
    "power": _power,
    "voltage": _voltage,
    "current": _current,
    "transformer_temperature": _transformer_temperature,
    "water_meter": _water_meter,
    "lift_position": _lift_position,
    "lift_run": _lift_run,
    "smoke": _never,
    "manual_alarm": _never,
    "sprinkler_flow": _never,
    "water_leak": _water_leak,
    "door_open": _door_open,
    "light_command": _light_command,
}

DIGITS: Final[dict[str, int]] = {
    "room_temperature": 1, "room_co2": 0, "room_humidity": 0, "outside_temperature": 1, "outside_humidity": 0,
    "garage_co": 1, "pump_flow": 1, "pump_pressure": 0, "tank_level": 2, "fan_speed_command": 0, "filter_pressure": 0,
    "ahu_supply_temperature": 1, "ahu_supply_setpoint": 1, "energy_meter": 2, "power": 2, "voltage": 1, "current": 1,
    "transformer_temperature": 1, "water_meter": 3, "lift_position": 2,
}  # fmt: skip
# Where a point has another unit than the behaviour's own: factor and digits.
SCALES: Final[dict[tuple[str, str], tuple[float, int]]] = {
    ("pump_pressure", "PA"): (1e3, 0),
    ("pump_pressure", "MegaPA"): (1e-3, 3),
    ("pump_pressure", "BAR"): (1e-2, 2),
    ("pump_flow", "L-PER-SEC"): (1 / 3.6, 2),
    ("pump_flow", "L-PER-MIN"): (1000 / 60, 0),
    ("tank_level", "PERCENT"): (100 / 2.6, 1),
    ("power", "W"): (1e3, 0),
    ("energy_meter", "MegaW-HR"): (1e-3, 4),
    ("water_meter", "L"): (1e3, 0),
}
