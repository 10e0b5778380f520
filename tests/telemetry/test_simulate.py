"""The simulated building behaves like one: deterministic, bounded, consistent, and it answers commands."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from identity.actor import CLI
from telemetry.commands import CommandLoop, get_command, request_command
from telemetry.ingest import Ingest
from telemetry.points import NewPoint
from telemetry.sim_behaviours import BEHAVIOURS, values_of
from telemetry.sim_models import Building, SimPoint
from telemetry.sim_world import Fault, World
from telemetry.simulate import Simulator
from tests.telemetry.conftest import make_points
from twin.db import Database, row, rows
from twin.settings import Settings

START = datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()  # a Monday
MINUTES = START + np.arange(0, 3 * 86_400, 60.0)


BOOLS = {"pump_run", "fault", "fan_run", "lift_run", "smoke", "manual_alarm", "sprinkler_flow", "water_leak"}
BOOLS |= {"door_open", "light_command"}


def point(sim: str, key: str = "", **rest: str) -> SimPoint:
    facts = {"key": key or sim, "element": key or sim, "place": "room", "storey": "B1", "text": key, "unit": None}
    kind = "bool" if sim in BOOLS else "number"
    return SimPoint(handle=1, sim=sim, kind=kind, **{**facts, **rest})  # type: ignore[arg-type]


def building(*points: SimPoint, seed: int = 7) -> Building:
    return Building(World(seed, ZoneInfo("Asia/Shanghai")), points, [0.0, 3.2, 6.4, 9.6, 12.8])


def plant() -> Building:
    return building(
        *(point(sim, f"pump{n}.{sim}", element=f"pump{n}") for n in (1, 2) for sim in ("pump_run", "fault", "power")),
        point("pump_flow"), point("pump_pressure"), point("tank_level"), point("garage_co"), point("room_temperature"),
        point("ahu_supply_temperature", element="ahu"), point("ahu_supply_setpoint", element="ahu"),
        point("fan_run", element="ahu"), point("fan_speed_command", element="ahu"),
    )  # fmt: skip


def history(model: Building, key: str, times: np.ndarray = MINUTES) -> np.ndarray:
    return values_of(model, model.points[key], times)


@pytest.mark.parametrize("sim", sorted(BEHAVIOURS))
def test_every_behaviour_is_finite_and_the_same_in_any_step(sim: str) -> None:
    whole = history(building(point(sim)), sim)
    assert np.isfinite(whole).all()
    single = [float(history(building(point(sim)), sim, MINUTES[i : i + 1])[0]) for i in (0, 777, 4000)]
    assert single == [whole[0], whole[777], whole[4000]]


@pytest.mark.parametrize("sim", ["energy_meter", "water_meter"])
def test_meters_only_rise(sim: str) -> None:
    values = history(building(point(sim)), sim)
    assert (np.diff(values) >= 0).all()
    assert values[-1] > values[0]


def test_exactly_one_pump_runs_when_water_is_wanted_and_they_take_turns() -> None:
    model = plant()
    model.world.victims["pump_trip"] = []
    runs = np.stack([history(model, f"pump{n}.pump_run") for n in (1, 2)])
    flow, level = history(model, "pump_flow"), history(model, "tank_level")
    assert runs.sum(axis=0).max() == 1
    assert runs.sum(axis=1).min() > 500, "both pumps have their share"
    assert ((flow > 1) == (runs.sum(axis=0) == 1)).all()
    assert 1.1 < level.min() < level.max() < 2.4
    assert np.diff(level)[runs.sum(axis=0)[:-1] == 1].mean() < 0 < np.diff(level)[runs.sum(axis=0)[:-1] == 0].mean()


def test_the_standby_takes_over_when_the_duty_pump_trips() -> None:
    model = plant()
    model.world.victims["pump_trip"] = []
    runs = np.stack([history(model, f"pump{n}.pump_run") for n in (1, 2)])
    at = int(np.flatnonzero((runs[0, :-5] == 1) & (runs[0, 5:] == 1))[0])
    model.world.extra.append(Fault("pump_trip", "pump1", MINUTES[at], MINUTES[at] + 240))
    after = np.stack([history(model, f"pump{n}.pump_run") for n in (1, 2)])
    assert after[:, at].tolist() == [0.0, 1.0]
    assert history(model, "pump1.fault")[at] == 1
    assert history(model, "pump1.power")[at] == 0 < history(model, "pump2.power")[at]


def test_rooms_are_comfortable_and_overheat_when_a_fault_says_so() -> None:
    model = building(point("room_temperature"))
    model.world.victims.clear()
    calm = history(model, "room_temperature")
    assert 17 < calm.min() < calm.max() < 30
    model.world.extra.append(Fault("overheat", "room_temperature", MINUTES[600], MINUTES[620]))
    hot = history(model, "room_temperature")
    assert hot[:600].tolist() == calm[:600].tolist()
    assert hot[619] - calm[619] > 8
    assert abs(hot[-1] - calm[-1]) < 0.2


def test_the_garage_smells_at_rush_hour_and_not_at_night() -> None:
    model = building(point("garage_co"))
    model.world.victims.clear()
    co = history(model, "garage_co")
    assert co[9 * 60] > co[4 * 60] + 6


def test_a_lift_moves_no_faster_than_it_can_and_is_still_when_it_does_not_run() -> None:
    model = building(point("lift_run", element="lift"), point("lift_position", element="lift"))
    model.world.victims.clear()
    seconds = START + 8 * 3600 + np.arange(0, 3600, 1.0)
    height, runs = history(model, "lift_position", seconds), history(model, "lift_run", seconds)
    assert np.abs(np.diff(height)).max() < 1.8
    assert runs.mean() > 0.02
    assert (np.abs(np.diff(height))[(runs[:-1] == 0) & (runs[1:] == 0)] < 0.01).all()


def test_lights_and_fans_obey_a_command_from_its_time_on() -> None:
    model = plant()
    model.command("fan_speed_command", MINUTES[300], 0.0)
    model.command("ahu_supply_setpoint", MINUTES[700], 24.0)
    assert history(model, "fan_run")[299:301].tolist()[1] == 0
    setpoint, supply = history(model, "ahu_supply_setpoint"), history(model, "ahu_supply_temperature")
    assert setpoint[699:701].tolist() == [18.0, 24.0]
    assert supply.shape == setpoint.shape


def test_another_seed_is_another_building_with_the_same_habits() -> None:
    one, two = (history(building(point("room_temperature"), seed=seed), "room_temperature") for seed in (1, 2))
    assert one.tolist() != two.tolist()


async def test_the_simulator_makes_history_speaks_live_and_verifies_commands(readings_db: Database) -> None:
    await make_points(
        readings_db,
        NewPoint(key="t", name="Room", kind="number", unit="DEG_C", properties={"sim": "room_temperature"}),
        NewPoint(key="p", name="Pump", kind="bool", properties={"sim": "pump_run"}),
        NewPoint(key="light", name="Light", kind="bool", writable=True, properties={"sim": "light_command"}),
    )
    async with readings_db.connection() as conn:
        found = await row(conn, "SELECT id FROM building")
    assert found is not None
    loop = CommandLoop(readings_db)
    async with Ingest(readings_db, Settings(), [loop.on_readings]) as ingest:
        simulator = Simulator(ingest, readings_db, found["id"])
        loop.targets.append(simulator)
        assert await simulator.load() == 3
        now = datetime.now(UTC)
        day = timedelta(days=1)
        assert await simulator.backfill(now - day, now, timedelta(minutes=5)) == 3 * 288
        assert await simulator.backfill(now - day, now, timedelta(minutes=5)) == 0, "the same history again is known"
        assert await simulator.tick(now.timestamp()) == 3
        assert await simulator.tick(now.timestamp() + 0.001) < 3, "what has not changed is not said again"
        async with readings_db.transaction() as conn:
            asked = await request_command(conn, CLI, "light", True, now=now)
        await loop.step(now)
        await loop.step(now)
        async with readings_db.connection() as conn:
            assert (await get_command(conn, asked.id)).state == "verified"
        again = Simulator(ingest, readings_db, found["id"])
        await again.load()
    assert "light" in again.model.settings, "a restart keeps what was commanded"
    async with readings_db.connection() as conn:
        [source] = await rows(conn, "SELECT kind, clock_skew FROM source")
    assert source["kind"] == "simulator"
    assert abs(source["clock_skew"]) < timedelta(minutes=1), "history says nothing about the clock"
