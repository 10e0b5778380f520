"""What happened in a building in a window of time: alarms while they held, orders while they were open (6.4.3b)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from maintenance.alarm_store import SEVERITIES
from twin.db import Conn, objects
from twin.errors import Invalid

MOST: Final = 2_000  # of each kind; the worst first, then the newest


@dataclass(frozen=True, slots=True)
class PastAlarm:
    """An alarm and when its condition held: [[from, to], …], `to` null while it holds."""

    id: UUID
    severity: str
    message: str
    element: str | None  # GlobalId
    storey_id: UUID | None
    spans: list[list[datetime | None]]
    acked_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A work order that was open at some time."""

    id: UUID
    number: int
    title: str
    priority: str
    element: str | None  # GlobalId
    storey_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None


# An alarm that rises again while it is open is one alarm with several spans. Its first rise and last return are the
# row's own: events may lie later than what they tell of.
_ALARMS: LiteralString = """
    SELECT a.id, a.severity, a.message, e.global_id AS element, a.storey_id, a.acked_at, a.closed_at,
           coalesce((SELECT array_agg(ARRAY[s.since, s.until] ORDER BY s.since)
                     FROM (SELECT ev.at AS since,
                                  (SELECT min(r.at) FROM alarm_event r
                                   WHERE r.alarm_id = a.id AND r.kind = 'returned' AND r.id > ev.id) AS until
                           FROM alarm_event ev
                           WHERE ev.alarm_id = a.id AND ev.kind IN ('raised', 'again')) AS s),
                    ARRAY[ARRAY[a.raised_at, a.returned_at]]) AS spans
    FROM alarm a LEFT JOIN element e ON e.id = a.element_id
    WHERE a.building_id = %(building)s AND a.raised_at < %(end)s
      AND coalesce(a.closed_at, 'infinity') >= %(start)s
    ORDER BY array_position(%(severities)s::text[], a.severity) DESC, a.raised_at DESC LIMIT %(limit)s
"""
_ORDERS: LiteralString = """
    SELECT w.id, w.number, w.title, w.priority, e.global_id AS element, w.storey_id, w.created_at, w.started_at,
           w.done_at, w.closed_at
    FROM work_order w LEFT JOIN element e ON e.id = w.element_id
    WHERE w.building_id = %(building)s AND w.created_at < %(end)s AND coalesce(w.closed_at, 'infinity') >= %(start)s
    ORDER BY array_position(%(severities)s::text[], w.priority) DESC, w.created_at DESC LIMIT %(limit)s
"""


async def list_past_alarms(conn: Conn, building: UUID, start: datetime, end: datetime) -> list[PastAlarm]:
    """Alarms that were open at some time of [start, end). Raises Invalid `timeline.range`."""
    return await objects(conn, PastAlarm, _ALARMS, _asked(building, start, end))


async def list_past_orders(conn: Conn, building: UUID, start: datetime, end: datetime) -> list[PastOrder]:
    """Work orders that were open at some time of [start, end). Raises Invalid `timeline.range`."""
    return await objects(conn, PastOrder, _ORDERS, _asked(building, start, end))


def _asked(building: UUID, start: datetime, end: datetime) -> dict[str, object]:
    if end <= start:
        raise Invalid("timeline.range", where="to")
    return {"building": building, "start": start, "end": end, "severities": list(SEVERITIES), "limit": MOST}
