"""The devices that measure for a point, each for a time range: the role keeps its history when a device is replaced.

A device that sends under a key of its own (its EUI, a gateway's register) says so in `address`: readings of that key go
to the point while the device is in place. Clause 6.3f: what was there, and when, stays known for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from identity import Actor, audit
from telemetry.points import Point, get_point, tell
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(minutes=5)  # clocks of those who write it down


@dataclass(frozen=True, slots=True)
class Hardware:
    """A device in the role of a point, in `[start, end)`; `end` None: it is there now."""

    id: UUID
    device: str
    address: str | None  # the key under which its readings come, where it is not the point's
    source: str | None
    start: datetime
    end: datetime | None
    note: str | None
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHardware:
    """What is said of a device that is put in place."""

    device: str
    address: str | None = None
    source: str | None = None  # id or name
    start: datetime | None = None  # None: now
    note: str | None = None


_SELECT: LiteralString = """
    SELECT h.id, h.device, h.address, s.name AS source, lower(h.during) AS start, upper(h.during) AS end, h.note,
           h.created_by
    FROM point_hardware h LEFT JOIN source s ON s.id = h.source_id
"""


async def list_hardware(conn: Conn, point: Point, *, at: datetime | None = None) -> list[Hardware]:
    """The devices of a point, newest first; `at`: the one that was there at a moment."""
    found = await rows(
        conn,
        _SELECT
        + """ WHERE h.point_id = %(point)s AND (%(at)s::timestamptz IS NULL OR h.during @> %(at)s)
              ORDER BY lower(h.during) DESC""",
        {"point": point.handle, "at": at},
    )
    return [Hardware(**each) for each in found]


async def put_hardware(conn: Conn, actor: Actor, ref: str | UUID, new: NewHardware, *, now: datetime) -> Hardware:
    """Put a device in place; the one before ends there. Raises Invalid, NotFound, Conflict `hardware.order`."""
    point = await get_point(conn, ref)
    start = new.start or now
    _check(point, new, start, now)
    source = await _source(conn, new.source)
    await conn.execute("SELECT FROM point WHERE handle = %s FOR UPDATE", (point.handle,))
    last = next(iter(await list_hardware(conn, point)), None)
    if last is not None and (start <= last.start or (last.end is not None and start < last.end)):
        raise Conflict("hardware.order", where="from", device=last.device, start=(last.end or last.start).isoformat())
    if last is not None and last.end is None:
        await _end(conn, last.id, start)
    made = await row(
        conn,
        """INSERT INTO point_hardware (point_id, device, address, source_id, note, during, created_by)
           VALUES (%(point)s, %(device)s, %(address)s, %(source)s, %(note)s, tstzrange(%(start)s, NULL), %(by)s)
           RETURNING id""",
        {"point": point.handle, "device": new.device.strip(), "address": new.address, "source": source,
         "note": new.note, "start": start, "by": actor.name},
    )  # fmt: skip
    assert made is not None
    await tell(conn, "changed", point)
    before = {} if last is None else {"device": last.device, "address": last.address}
    after = {"device": new.device, "address": new.address, "from": start.isoformat()}
    await audit.record(conn, actor, "point.hardware", f"point:{point.id}", before=before, after=after)
    return await _get(conn, made["id"])


async def end_hardware(conn: Conn, actor: Actor, ref: str | UUID, *, at: datetime, now: datetime) -> Hardware:
    """Take the device away with nothing in its place. Raises Conflict `hardware.none`, `hardware.order`."""
    point = await get_point(conn, ref)
    if wrong := _wrong_time("to", at, now):
        raise Invalid("hardware.invalid", fields=wrong, where=point.key)
    await conn.execute("SELECT FROM point WHERE handle = %s FOR UPDATE", (point.handle,))
    last = next((each for each in await list_hardware(conn, point) if each.end is None), None)
    if last is None:
        raise Conflict("hardware.none", point=point.key)
    if at <= last.start:
        raise Conflict("hardware.order", where="to", device=last.device, start=last.start.isoformat())
    await _end(conn, last.id, at)
    await tell(conn, "changed", point)
    after = {"device": last.device, "to": at.isoformat()}
    await audit.record(conn, actor, "point.hardware", f"point:{point.id}", before={"device": last.device}, after=after)
    return await _get(conn, last.id)


def _check(point: Point, new: NewHardware, start: datetime, now: datetime) -> None:
    wrong: list[FieldError] = []
    if point.retired_at is not None:
        raise Conflict("point.retired", point=point.key)
    texts: Mapping[str, tuple[str | None, int]] = {
        "device": (new.device.strip(), 200), "address": (new.address, 200), "note": (new.note, 2000)
    }  # fmt: skip
    for name, (text, most) in texts.items():
        if text is not None and (not 1 <= len(text) <= most or "\0" in text):
            wrong.append(FieldError(name, "hardware.text", {"most": most}))
    wrong += _wrong_time("from", start, now)
    if wrong:
        raise Invalid("hardware.invalid", fields=wrong, where=point.key)


def _wrong_time(field: str, at: datetime, now: datetime) -> list[FieldError]:
    if at.tzinfo is None:
        return [FieldError(field, "reading.naive_time", {"ts": str(at)})]
    return [] if EARLIEST <= at <= now + AHEAD else [FieldError(field, "hardware.time")]


async def _source(conn: Conn, ref: str | None) -> int | None:
    if ref is None:
        return None
    found = await row(conn, "SELECT id FROM source WHERE uuid::text = %(ref)s OR name = %(ref)s", {"ref": ref})
    if found is None:
        raise NotFound("source.unknown", where="source", ref=ref)
    return int(found["id"])


async def _end(conn: Conn, id: UUID, at: datetime) -> None:
    await conn.execute("UPDATE point_hardware SET during = tstzrange(lower(during), %s) WHERE id = %s", (at, id))


async def _get(conn: Conn, id: UUID) -> Hardware:
    found: dict[str, Any] | None = await row(conn, _SELECT + " WHERE h.id = %s", (id,))
    assert found is not None
    return Hardware(**found)
