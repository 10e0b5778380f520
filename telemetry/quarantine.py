"""Readings that were refused: kept as they came, with the reason, so that someone can put the cause right."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twin.db import Conn, objects
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused reading. `ts` and `value` are as they came; a value that JSON has no word for is text."""

    id: int
    source: str | None
    point: str
    ts: str | None
    value: Any
    quality: str | None
    code: str
    message: str
    received_at: datetime


async def list_quarantine(
    conn: Conn, *, source: str | None = None, code: str | None = None, limit: int = 100, cursor: str | None = None
) -> Page[Quarantined]:
    """Refused readings, newest first; of one source (name or id), with one code."""
    before = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Quarantined,
        """SELECT q.id, s.name AS source, q.point_key AS point, q.ts, q.value, q.quality, q.code, q.message,
                  q.received_at
           FROM quarantine q LEFT JOIN source s ON s.id = q.source_id
           WHERE (%(before)s::bigint IS NULL OR q.id < %(before)s)
             AND (%(source)s::text IS NULL OR s.name = %(source)s OR s.uuid::text = %(source)s)
             AND (%(code)s::text IS NULL OR q.code = %(code)s)
           ORDER BY q.id DESC LIMIT %(limit)s""",
        {"before": before and before[0], "source": source, "code": code, "limit": limit + 1},
    )
    return page_of(found, limit, lambda each: [each.id])
