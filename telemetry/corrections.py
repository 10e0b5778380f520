"""Putting a stored reading right: somebody's explicit act, with a reason; the value it had is kept for good (6.1.1f).

Rollups, the newest value, derived points and live viewers follow, in the same transaction or right after it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import numpy as np

from identity import Actor, audit
from telemetry.decode import QUALITY_CODES
from telemetry.ingest import AcceptedBatch, Ingest
from telemetry.points import QUALITIES, Point, Quality, Value, get_point, value_of
from telemetry.registry import PointInfo
from telemetry.rollups import mark_late
from telemetry.store import Readings
from telemetry.validate import clean_text, coerce
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid
from twin.page import Page, decode_cursor, page_of

MAX_REASON: Final = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Correction:
    """One act: what the reading was and what it is since. Values as readings have them."""

    id: int
    point: str  # key
    ts: datetime
    old_value: Value | None
    old_quality: Quality
    old_source: str | None
    old_stored_at: datetime | None
    value: Value | None
    quality: Quality
    reason: str
    corrected_by: str
    corrected_at: datetime


_SELECT: LiteralString = """
    SELECT c.*, p.key, p.kind, s.name AS old_source FROM correction c JOIN point p ON p.handle = c.point_id
    LEFT JOIN source s ON s.id = c.old_source_id
"""


def _correction(found: dict[str, Any]) -> Correction:
    return Correction(
        id=found["id"],
        point=found["key"],
        ts=found["ts"],
        old_value=value_of(found["kind"], found["old_num"], found["old_txt"]),
        old_quality=QUALITIES[found["old_q"] or 0],
        old_source=found["old_source"],
        old_stored_at=found["old_stored_at"],
        value=value_of(found["kind"], found["num"], found["txt"]),
        quality=QUALITIES[found["q"]],
        reason=found["reason"],
        corrected_by=found["corrected_by"],
        corrected_at=found["corrected_at"],
    )


async def list_corrections(
    conn: Conn, point: Point, *, limit: int = 100, cursor: str | None = None
) -> Page[Correction]:
    """What was put right of a point, newest act first."""
    before = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        _SELECT
        + """ WHERE c.point_id = %(handle)s AND (%(before)s::bigint IS NULL OR c.id < %(before)s)
              ORDER BY c.id DESC LIMIT %(limit)s""",
        {"handle": point.handle, "before": before and before[0], "limit": limit + 1},
    )
    return page_of([_correction(each) for each in found], limit, lambda each: [each.id])


async def correct(
    conn: Conn, actor: Actor, ref: str, ts: datetime, value: Value, *, reason: str, quality: str | None = None
) -> tuple[Correction, AcceptedBatch]:
    """Give the reading at `ts` another value (in the point's unit); its quality stays unless given.

    The second is for the sinks, after the commit (`tell`). Raises NotFound `point.unknown`,
    Invalid `reading.…`, `correction.invalid`, `correction.no_reading`, Conflict `reading.derived_point`.
    """
    point = await get_point(conn, ref)
    _check(ts, reason, quality)
    if await row(conn, "SELECT 1 AS found FROM derived WHERE point_id = %s", (point.handle,)):
        raise Conflict("reading.derived_point", where="point", point=point.key)
    info = _info(point)
    num, txt = coerce(info, value)
    # The lock keeps a second correction, and readings of the same moment, out until this one is committed.
    found = await row(
        conn,
        "SELECT num, txt, q, source_id, stored_at FROM reading WHERE point_id = %s AND ts = %s FOR UPDATE",
        (point.handle, ts),
    )
    if found is None:
        raise Invalid("correction.no_reading", where="ts", point=point.key, ts=ts.isoformat())
    q = found["q"] if quality is None else QUALITY_CODES[quality]
    new = {
        "handle": point.handle,
        "ts": ts,
        "num": None if txt is not None else num,
        "txt": txt,
        "q": q,
    }
    made = await row(
        conn,
        """INSERT INTO correction (point_id, ts, old_num, old_txt, old_q, old_source_id, old_stored_at, num, txt, q,
                                   reason, corrected_by)
           VALUES (%(handle)s, %(ts)s, %(old_num)s, %(old_txt)s, %(old_q)s, %(old_source)s, %(old_stored)s, %(num)s,
                   %(txt)s, %(q)s, %(reason)s, %(by)s) RETURNING id""",
        {
            **new,
            "old_num": found["num"],
            "old_txt": found["txt"],
            "old_q": found["q"],
            "old_source": found["source_id"],
            "old_stored": found["stored_at"],
            "reason": clean_text(reason.strip()),
            "by": actor.name,
        },
    )
    assert made is not None
    for table in ("reading", "latest"):
        await conn.execute(
            f"""UPDATE {table} SET num = %(num)s, txt = %(txt)s, q = %(q)s, stored_at = now()
                WHERE point_id = %(handle)s AND ts = %(ts)s""",
            new,
        )
    batch = _batch(info, ts, num, txt, q)
    await mark_late(conn, Readings(batch.handles, batch.ts, batch.num, batch.quality, np.zeros(1, np.int64)))
    told = _correction((await rows(conn, _SELECT + " WHERE c.id = %s", (made["id"],)))[0])
    before = {"value": told.old_value, "quality": told.old_quality}
    after = {"ts": ts.isoformat(), "value": told.value, "quality": told.quality, "reason": told.reason}
    await audit.record(conn, actor, "reading.correct", f"point:{point.id}", before=before, after=after)
    return told, batch


async def tell(ingest: Ingest, batch: AcceptedBatch) -> None:
    """Show a corrected reading to whoever shows readings; older than the newest it changes nothing there."""
    for sink in ingest.sinks:
        await sink(batch)


def _check(ts: datetime, reason: str, quality: str | None) -> None:
    wrong: list[FieldError] = []
    if ts.tzinfo is None:
        wrong.append(FieldError("ts", "reading.naive_time", {"ts": str(ts)}))
    if not 1 <= len(reason.strip()) <= MAX_REASON:
        wrong.append(FieldError("reason", "correction.reason", {"limit": MAX_REASON}))
    if quality is not None and quality not in QUALITIES:
        wrong.append(
            FieldError("quality", "reading.quality", {"quality": quality[:40], "qualities": ", ".join(QUALITIES)})
        )
    if wrong:
        raise Invalid("correction.invalid", fields=wrong)


def _info(point: Point) -> PointInfo:
    return PointInfo(
        handle=point.handle,
        id=point.id,
        key=point.key,
        kind=point.kind,
        building_id=point.building_id,
        labels=point.labels,
        min_value=point.min_value,
        max_value=point.max_value,
        writable=point.writable,
        retired=point.retired_at is not None,
    )


def _batch(info: PointInfo, ts: datetime, num: float, txt: str | None, quality: int) -> AcceptedBatch:
    return AcceptedBatch(
        handles=np.array([info.handle]),
        ts=np.array([round(ts.timestamp() * 1e6)]),
        num=np.array([num]),
        quality=np.array([quality], np.uint8),
        txt=None if txt is None else np.array([txt], object),
        points={info.handle: info},
    )
