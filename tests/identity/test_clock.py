"""The clock that time-outs use: no step of the wall clock reaches it."""

from datetime import timedelta

import pytest

from identity.clock import boot_identity, boot_seconds, open_clock
from identity.login import Gate
from tests.identity.conftest import NOON, WRONG, Clocks, attempt, enter, find, make
from twin.db import Conn, row
from twin.errors import Unauthenticated

HOUR = timedelta(hours=1)


@pytest.mark.clause("6.5.2b-4")
@pytest.mark.parametrize(
    "step", [timedelta(days=400), -timedelta(days=400), timedelta(minutes=20), -timedelta(hours=2)]
)
async def test_a_step_of_the_wall_clock_neither_ends_nor_lengthens_a_session(
    gate: Gate, clocks: Clocks, step: timedelta
) -> None:
    await make(gate)
    token = (await enter(gate)).token
    clocks.step(step)
    clocks.go(minutes=14)
    assert await find(gate, token, touch=False)
    clocks.step(-step / 2)
    clocks.go(minutes=1)
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token)
    assert error.value.code == "session.idle"


async def test_stepping_the_wall_clock_back_and_back_does_not_reach_past_the_absolute_limit(
    gate: Gate, clocks: Clocks
) -> None:
    await make(gate)
    token = (await enter(gate)).token
    for _ in range(71):
        clocks.go(minutes=10)
        clocks.step(-timedelta(minutes=10))
        assert await find(gate, token)
    clocks.go(minutes=10)
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token)
    assert error.value.code == "session.expired"


async def test_a_step_of_the_wall_clock_neither_lifts_nor_lengthens_a_lock(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    for _ in range(gate.settings.login_attempts):
        with pytest.raises(Unauthenticated):
            await attempt(gate, password=WRONG)
    clocks.step(timedelta(days=1))
    with pytest.raises(Unauthenticated):
        await attempt(gate)
    clocks.step(-timedelta(days=3))
    clocks.go(minutes=15)
    await enter(gate)


async def test_all_processes_of_a_boot_tell_the_same_time_whatever_their_wall_clocks_show(conn: Conn) -> None:
    first = await open_clock(conn, boot="one", ticks=lambda: 50.0, wall=lambda: NOON)
    second = await open_clock(conn, boot="one", ticks=lambda: 50.0, wall=lambda: NOON + 5 * HOUR)
    assert first.now().steady == second.now().steady == NOON
    assert second.now().wall == NOON + 5 * HOUR


async def test_a_session_outlives_a_restart_and_a_reboot_and_ages_meanwhile(gate: Gate, clocks: Clocks) -> None:
    await make(gate)
    token = (await enter(gate)).token
    clocks.go(minutes=10)
    async with gate.db.connection() as conn:
        restarted = await open_clock(conn, boot="a boot", ticks=lambda: clocks.ticks, wall=lambda: clocks.wall + HOUR)
        rebooted = await open_clock(conn, boot="the next boot", ticks=lambda: 3.0, wall=lambda: clocks.wall)
    assert restarted.now().steady == gate.clock.now().steady
    assert rebooted.now().steady == clocks.wall
    again = Gate(gate.db, gate.settings, gate.sealer, rebooted)
    assert await find(again, token, touch=False)


async def test_after_a_reboot_with_the_wall_clock_far_back_no_session_becomes_younger(
    gate: Gate, clocks: Clocks
) -> None:
    await make(gate)
    token = (await enter(gate)).token
    clocks.go(minutes=10)
    await find(gate, token)
    seen = gate.clock.now().steady
    async with gate.db.connection() as conn:
        rebooted = await open_clock(conn, boot="the next boot", ticks=lambda: 3.0, wall=lambda: NOON - 1000 * HOUR)
    assert rebooted.now().steady == seen


async def test_people_are_shown_what_their_clocks_show(gate: Gate, clocks: Clocks) -> None:
    seen = gate.clock.now().steady
    clocks.step(3 * HOUR)
    clocks.go(minutes=5)
    assert gate.clock.shown(seen) == clocks.wall - timedelta(minutes=5)


async def test_the_machines_own_clock_is_the_boots_and_the_same_in_every_process(conn: Conn) -> None:
    clock = await open_clock(conn)
    first, second = clock.now(), clock.now()
    assert first.steady <= second.steady
    assert abs(first.steady - first.wall) < timedelta(seconds=5)
    assert boot_seconds() > 0
    stored = await row(conn, "SELECT count(*) AS n FROM steady_clock WHERE boot = %s", (boot_identity(),))
    assert stored == {"n": 1}
