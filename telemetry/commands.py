"""Commands to writable points: requested → sent → verified by the fed-back reading, or failed, or expired.

The state is in the table alone, so a restart goes on where it was. A command is marked as sent *before* it goes out:
after a crash in between it fails for want of an answer, and no equipment is ever switched twice.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, LiteralString, Protocol
from uuid import UUID

import psycopg
import structlog
from psycopg.types.json import Jsonb

from identity import SYSTEM, Actor, audit
from telemetry.ingest import AcceptedBatch
from telemetry.points import Value, get_point, value_of
from telemetry.registry import PointInfo
from telemetry.validate import coerce
from twin.db import Conn, Database, row, rows
from twin.errors import Conflict, Invalid, Language, NotFound, Unavailable, text_of
from twin.events import Event, emit

log = structlog.get_logger()

State = Literal["requested", "sent", "verified", "failed", "expired"]

EXPIRES_S: Final = 60.0  # unless told otherwise
LONGEST_S: Final = 86_400.0
POLL_S: Final = 1.0
RETRY_S: Final = 5.0  # after the database was away
CLOCK_SLACK: Final = timedelta(seconds=2)  # a device's clock may be so far behind ours and its answer still count
RELATIVE_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Command:
    """An order to a point. `value`: bool, number, enum code or text. Priority 1 is the highest, 16 the lowest."""

    id: UUID
    point_id: UUID
    point: str  # key
    handle: int
    value: Value
    priority: int
    state: State
    code: str | None  # why it failed or expired
    message: str | None
    requested_by: str
    requested_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime


class CommandFailed(Exception):
    """A target could not set the point; the text says why."""


class CommandTarget(Protocol):
    """What can set points: the simulator, later BACnet, Modbus, MQTT."""

    def sets(self, handle: int) -> bool:
        """Whether this target can set the point."""
        ...

    async def send(self, command: Command) -> None:
        """Pass the value on. Its effect is told by a reading of the point, not by the return. Raises CommandFailed."""
        ...


_SELECT: LiteralString = """
    SELECT c.*, p.id AS point_uuid, p.key, p.kind, p.handle, p.building_id, p.properties, e.storey_id
    FROM command c JOIN point p ON p.handle = c.point_id LEFT JOIN element e ON e.id = p.element_id
"""


def _command(found: Mapping[str, Any], lang: Language = "en") -> Command:
    code, _, reason = (found["message"] or "").partition(": ")
    return Command(
        id=found["id"],
        point_id=found["point_uuid"],
        point=found["key"],
        handle=found["handle"],
        value=found["value"],
        priority=found["priority"],
        state=found["state"],
        code=code or None,
        message=text_of(code, lang, {"point": found["key"], "reason": reason}) if code else None,
        requested_by=found["requested_by"],
        requested_at=found["requested_at"],
        sent_at=found["sent_at"],
        finished_at=found["finished_at"],
        expires_at=found["expires_at"],
    )


async def request_command(
    conn: Conn,
    actor: Actor,
    point_ref: str | UUID,
    value: Value,
    *,
    priority: int = 8,
    expires_s: float = EXPIRES_S,
    now: datetime,
) -> Command:
    """Ask for a point to be set; the loop sends it after the commit.

    Raises NotFound, Invalid (value, priority, expiry), Conflict: not writable, out of use, or outranked by an open
    command of higher priority.
    """
    point = await get_point(conn, point_ref)
    if not point.writable:
        raise Conflict("command.not_writable", where="point", point=point.key)
    if point.retired_at is not None:
        raise Conflict("command.retired", where="point", point=point.key)
    if not 1 <= priority <= 16:
        raise Invalid("command.priority", where="priority", priority=priority)
    if not 1 <= expires_s <= LONGEST_S:
        raise Invalid("command.expiry", where="expires_s", seconds=expires_s)
    info = PointInfo(point.handle, point.id, point.key, point.kind, point.building_id, point.labels,
                     point.min_value, point.max_value, point.writable, False)  # fmt: skip
    number, text = coerce(info, value)
    await conn.execute("SELECT FROM point WHERE handle = %s FOR UPDATE", (point.handle,))  # one request at a time
    await _check_rank(conn, point.handle, point.key, priority)
    made = await row(
        conn,
        """INSERT INTO command (point_id, value, priority, requested_by, requested_at, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s) RETURNING id""",
        (point.handle, Jsonb(value_of(point.kind, None if math.isnan(number) else number, text)), priority, actor.name,
         now, now + timedelta(seconds=expires_s)),
    )  # fmt: skip
    assert made is not None
    command = await get_command(conn, made["id"])
    await _tell(conn, command, point.building_id, point.storey_id)
    after = {"command": str(command.id), "value": command.value, "priority": priority}
    await audit.record(conn, actor, "point.command", f"point:{point.id}", after=after)
    return command


async def _check_rank(conn: Conn, handle: int, key: str, priority: int) -> None:
    """An open command of higher priority must not be undone by a lesser one that comes right behind it."""
    higher = await row(
        conn,
        """SELECT min(priority) AS priority FROM command
           WHERE point_id = %s AND state IN ('requested', 'sent') AND priority < %s AND expires_at > now()""",
        (handle, priority),
    )
    if higher and higher["priority"] is not None:
        raise Conflict("command.outranked", where="priority", point=key, priority=higher["priority"])


async def get_command(conn: Conn, ref: str | UUID, *, lang: Language = "en") -> Command:
    """A command by id. Raises NotFound."""
    found = await row(conn, _SELECT + " WHERE c.id::text = %s", (str(ref),))
    if found is None:
        raise NotFound("command.unknown", id=str(ref))
    return _command(found, lang)


async def _tell(conn: Conn, command: Command, building_id: UUID, storey_id: UUID | None) -> None:
    data = {
        "id": str(command.id),
        "point": command.point,
        "point_id": str(command.point_id),
        "handle": command.handle,
        "value": command.value,
        "priority": command.priority,
        "state": command.state,
        "code": command.code,
    }
    await emit(conn, "command", data, building_id=building_id, storey_id=storey_id)


async def _finish(conn: Conn, found: Mapping[str, Any], state: State, message: str | None, now: datetime) -> None:
    """End a command and tell of it."""
    await conn.execute(
        "UPDATE command SET state = %s, message = %s, finished_at = %s WHERE id = %s",
        (state, message, now, found["id"]),
    )
    command = _command({**found, "state": state, "message": message, "finished_at": now})
    await _tell(conn, command, found["building_id"], found["storey_id"])
    after = {"command": str(command.id), "value": command.value, "message": command.message}
    result: audit.Result = "done" if state == "verified" else "failed"
    await audit.record(conn, SYSTEM, f"command.{state}", f"point:{command.point_id}", after=after, result=result)


def confirms(kind: str, wanted: Value, num: float | None, txt: str | None, tolerance: float | None) -> bool:
    """Whether a reading shows that the point has the wanted value; numbers within the tolerance or a thousandth."""
    if kind == "text":
        return txt == wanted
    if num is None or isinstance(wanted, str):
        return False
    if kind != "number":
        return num == float(wanted)
    return abs(num - wanted) <= max(tolerance or 0.0, RELATIVE_TOLERANCE * max(1.0, abs(wanted)))


class CommandLoop:
    """Sends commands, sees their answer, lets them expire. `await run()`; also a sink of ingest (`on_readings`)."""

    def __init__(self, db: Database, targets: Iterable[CommandTarget] = ()) -> None:
        self._db = db
        self.targets: list[CommandTarget] = list(targets)
        self._watched: set[int] = set()  # handles with a sent command
        self._wake = asyncio.Event()

    async def on_readings(self, batch: AcceptedBatch) -> None:
        """Look again at once when a point with a sent command has spoken."""
        if self._watched and not self._watched.isdisjoint(batch.points):
            self._wake.set()

    async def on_events(self, events: Sequence[Event]) -> None:
        """Send at once what was just asked for."""
        if any(event.topic == "command" and event.data.get("state") == "requested" for event in events):
            self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step(datetime.now(UTC))
                pause = POLL_S
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("commands.database_away", reason=str(error).strip())
                pause = RETRY_S
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                pass
            self._wake.clear()

    async def step(self, now: datetime) -> None:
        """Do once what there is to do: verify, expire, send."""
        async with self._db.connection() as conn:
            if await row(conn, "SELECT FROM command WHERE state IN ('requested', 'sent') LIMIT 1") is None:
                self._watched.clear()
                return  # a building at night: one question a second, no locks
        async with self._db.transaction() as conn:
            await self._verify(conn, now)
            await self._expire(conn, now)
        while (command := await self._claim(now)) is not None:
            await self._send(command, now)

    async def _verify(self, conn: Conn, now: datetime) -> None:
        found = await rows(
            conn,
            _SELECT.replace("SELECT c.*", "SELECT c.*, l.num, l.txt, l.ts, l.stored_at")
            + """ LEFT JOIN latest l ON l.point_id = c.point_id WHERE c.state = 'sent'
                 ORDER BY c.requested_at FOR UPDATE OF c SKIP LOCKED""",
        )
        self._watched = {each["handle"] for each in found}
        for each in found:
            answered = (
                each["ts"] is not None
                and each["stored_at"] >= each["sent_at"]
                and each["ts"] >= each["sent_at"] - CLOCK_SLACK
            )
            tolerance = each["properties"].get("tolerance")
            if answered and confirms(each["kind"], each["value"], each["num"], each["txt"], tolerance):
                await _finish(conn, each, "verified", None, now)

    async def _expire(self, conn: Conn, now: datetime) -> None:
        found = await rows(
            conn,
            _SELECT
            + """ WHERE c.state IN ('requested', 'sent') AND c.expires_at <= %s
                  ORDER BY c.requested_at FOR UPDATE OF c SKIP LOCKED""",
            (now,),
        )
        for each in found:
            if each["state"] == "sent":
                await _finish(conn, each, "failed", "command.not_confirmed", now)
            elif self._target_of(each["handle"]) is None:
                await _finish(conn, each, "expired", "command.no_target", now)
            else:
                await _finish(conn, each, "expired", "command.outdated", now)

    def _target_of(self, handle: int) -> CommandTarget | None:
        return next((target for target in self.targets if target.sets(handle)), None)

    async def _claim(self, now: datetime) -> Command | None:
        """Mark the first command that a target here can send as sent; None when there is none."""
        async with self._db.transaction() as conn:
            waiting = await rows(
                conn,
                _SELECT
                + """ WHERE c.state = 'requested' AND c.expires_at > %s
                      ORDER BY c.priority, c.requested_at, c.id FOR UPDATE OF c SKIP LOCKED LIMIT 100""",
                (now,),
            )
            mine = next((each for each in waiting if self._target_of(each["handle"]) is not None), None)
            if mine is None:
                return None
            sent = await row(
                conn,
                "UPDATE command SET state = 'sent', sent_at = clock_timestamp() WHERE id = %s RETURNING sent_at",
                (mine["id"],),
            )
            assert sent is not None
            command = _command({**mine, "state": "sent", "sent_at": sent["sent_at"]})
            await _tell(conn, command, mine["building_id"], mine["storey_id"])
        self._watched.add(command.handle)
        return command

    async def _send(self, command: Command, now: datetime) -> None:
        target = self._target_of(command.handle)
        assert target is not None
        try:
            await target.send(command)
        except CommandFailed as error:
            await self._fail(command, str(error), now)
        except Exception as error:
            log.exception("commands.target_failed", point=command.point)
            await self._fail(command, type(error).__name__, now)
        else:
            self._wake.set()  # the answer may have come while it was being sent

    async def _fail(self, command: Command, reason: str, now: datetime) -> None:
        async with self._db.transaction() as conn:
            found = await row(conn, _SELECT + " WHERE c.id = %s AND c.state = 'sent' FOR UPDATE OF c", (command.id,))
            if found is not None:
                await _finish(conn, found, "failed", f"command.send_failed: {reason}", now)
