"""A command is asked for, sent, and believed only when the point itself reports the value."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from identity.actor import CLI
from telemetry.commands import Command, CommandFailed, CommandLoop, confirms, get_command, request_command
from telemetry.decode import RawReading
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, Point, Value
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database, rows
from twin.errors import Conflict, Invalid, TwinError
from twin.settings import Settings

SETPOINT = NewPoint(
    key="setpoint", name="Setpoint", kind="number", unit="DEG_C", writable=True, min_value=5, max_value=35
)
SENSOR = NewPoint(key="sensor", name="Sensor", kind="number")


class Recorder:
    """A target that keeps what it is told to send."""

    def __init__(self, handle: int, error: Exception | None = None) -> None:
        self.handle, self.error = handle, error
        self.sent: list[Command] = []

    def sets(self, handle: int) -> bool:
        return handle == self.handle

    async def send(self, command: Command) -> None:
        self.sent.append(command)
        if self.error:
            raise self.error


async def ask(db: Database, point: Point, value: Value, **rest: object) -> Command:
    async with db.transaction() as conn:
        return await request_command(conn, CLI, point.id, value, now=datetime.now(UTC), **rest)  # type: ignore[arg-type]


async def state_of(db: Database, ref: UUID) -> tuple[str, str | None]:
    async with db.connection() as conn:
        command = await get_command(conn, ref)
    return command.state, command.code


async def test_a_command_is_verified_by_the_reading_that_comes_back(readings_db: Database) -> None:
    [point] = await make_points(readings_db, SETPOINT)
    target = Recorder(point.handle)
    loop = CommandLoop(readings_db, [target])
    async with Ingest(readings_db, Settings(), [loop.on_readings]) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [RawReading("setpoint", datetime.now(UTC) - timedelta(seconds=60), 22.0)])
        command = await ask(readings_db, point, 22.0, priority=4)
        await loop.step(datetime.now(UTC))
        assert [each.value for each in target.sent] == [22.0]
        assert await state_of(readings_db, command.id) == ("sent", None), "an older reading proves nothing"
        await ingest.submit(source, [RawReading("setpoint", datetime.now(UTC), 22.005)])
    await loop.step(datetime.now(UTC))
    assert await state_of(readings_db, command.id) == ("verified", None)
    async with readings_db.connection() as conn:
        events = await rows(conn, "SELECT data->>'state' AS state FROM event WHERE topic = 'command' ORDER BY id")
        audits = await rows(
            conn, "SELECT actor, action FROM audit WHERE object = %s ORDER BY id", (f"point:{point.id}",)
        )
    assert [each["state"] for each in events] == ["requested", "sent", "verified"]
    assert [(a["actor"], a["action"]) for a in audits[1:]] == [("cli", "point.command"), ("system", "command.verified")]


async def test_a_command_that_is_not_answered_fails_and_one_never_sent_expires(readings_db: Database) -> None:
    [point, other] = await make_points(readings_db, SETPOINT, NewPoint(key="b", name="B", kind="bool", writable=True))
    loop = CommandLoop(readings_db, [Recorder(point.handle)])
    sent, unsent = (await ask(readings_db, point, 20.0), await ask(readings_db, other, True))
    await loop.step(datetime.now(UTC))
    await loop.step(datetime.now(UTC) + timedelta(seconds=61))
    assert await state_of(readings_db, sent.id) == ("failed", "command.not_confirmed")
    assert await state_of(readings_db, unsent.id) == ("expired", "command.no_target")


async def test_a_target_that_refuses_fails_the_command_with_its_reason(readings_db: Database) -> None:
    [point] = await make_points(readings_db, SETPOINT)
    loop = CommandLoop(readings_db, [Recorder(point.handle, CommandFailed("valve is locked"))])
    command = await ask(readings_db, point, 20.0)
    await loop.step(datetime.now(UTC))
    async with readings_db.connection() as conn:
        found = await get_command(conn, command.id, lang="zh")
    assert (found.state, found.code) == ("failed", "command.send_failed")
    assert found.message == "测点 setpoint 下发失败：valve is locked"


async def test_a_new_loop_verifies_what_another_one_sent(readings_db: Database) -> None:
    [point] = await make_points(readings_db, SETPOINT)
    command = await ask(readings_db, point, 20.0)
    await CommandLoop(readings_db, [Recorder(point.handle)]).step(datetime.now(UTC))
    async with Ingest(readings_db, Settings()) as ingest:
        await ingest.submit(await source_of(ingest), [RawReading("setpoint", datetime.now(UTC), 20.0)])
    target = Recorder(point.handle)
    await CommandLoop(readings_db, [target]).step(datetime.now(UTC))
    assert await state_of(readings_db, command.id) == ("verified", None)
    assert target.sent == [], "nothing is switched twice"


async def test_the_loop_wakes_for_the_answer(readings_db: Database) -> None:
    [point] = await make_points(readings_db, SETPOINT)
    loop = CommandLoop(readings_db)
    async with Ingest(readings_db, Settings(), [loop.on_readings]) as ingest:
        source = await source_of(ingest)

        class Echo(Recorder):
            async def send(self, command: Command) -> None:
                await ingest.submit(source, [RawReading(command.point, datetime.now(UTC), command.value)])

        loop.targets.append(Echo(point.handle))
        command = await ask(readings_db, point, 19.0)
        running = asyncio.create_task(loop.run())
        try:
            async with asyncio.timeout(10):
                while (await state_of(readings_db, command.id))[0] != "verified":
                    await asyncio.sleep(0.02)
        finally:
            running.cancel()


async def test_higher_priority_goes_first_and_is_not_undone_by_a_lesser_one(readings_db: Database) -> None:
    [point, other] = await make_points(readings_db, SETPOINT, NewPoint(key="b", name="B", kind="bool", writable=True))
    low, high = Recorder(point.handle), Recorder(other.handle)
    sent: list[Command] = []
    low.sent = high.sent = sent
    await ask(readings_db, point, 20.0, priority=8)
    await ask(readings_db, other, True, priority=1)
    with pytest.raises(Conflict, match="priority 1"):
        await ask(readings_db, other, False, priority=2)
    await CommandLoop(readings_db, [low, high]).step(datetime.now(UTC))
    assert [each.point for each in sent] == ["b", "setpoint"]


@pytest.mark.parametrize(
    ("value", "rest", "code"),
    [(40.0, {}, "reading.range"), ("warm", {}, "reading.kind"), (20.0, {"priority": 17}, "command.priority"),
     (20.0, {"expires_s": 0.0}, "command.expiry")],
)  # fmt: skip
async def test_a_command_that_makes_no_sense_is_refused(
    readings_db: Database, value: Value, rest: dict[str, object], code: str
) -> None:
    [point] = await make_points(readings_db, SETPOINT)
    with pytest.raises(Invalid) as refused:
        await ask(readings_db, point, value, **rest)
    assert refused.value.code == code


async def test_a_sensor_takes_no_command(readings_db: Database) -> None:
    [point] = await make_points(readings_db, SENSOR)
    with pytest.raises(TwinError) as refused:
        await ask(readings_db, point, 1.0)
    assert refused.value.code == "command.not_writable"


def test_a_reading_confirms_within_a_tolerance() -> None:
    assert confirms("number", 100.0, 100.09, None, None)
    assert not confirms("number", 100.0, 100.2, None, None)
    assert confirms("number", 100.0, 101.0, None, 1.0)
    assert confirms("bool", True, 1.0, None, None)
    assert not confirms("bool", True, 0.0, None, None)
    assert confirms("text", "auto", None, "auto", None)
