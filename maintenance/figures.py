"""Alarms and work orders of a stretch of time in numbers (7.7.1c): what came, what was done in time, what stayed open.

The numbers come from the times that alarms and orders keep, so a past month tells the same whenever it is asked about;
only what is still to happen to them can change it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from maintenance.alarm_store import SEVERITIES
from twin.db import Conn, row, rows

STANDING: Final = timedelta(hours=24)  # a condition that holds for so long is a standing alarm (ISA-18.2, stale)
MOST: Final = 10  # of each list


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Alarms of one severity. `timely`: acknowledged in time; `late`: not; the rest still had time."""

    severity: str
    raised: int
    timely: int
    late: int
    open: int  # at the end


@dataclass(frozen=True, slots=True)
class Named:
    """How often something came."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class LongAlarm:
    """An alarm and for how long: open, or with its condition holding, s up to the end of the time asked about."""

    id: UUID
    code: str
    params: dict[str, Any]
    message: str
    severity: str
    element: str | None
    storey: str | None
    raised_at: datetime
    seconds: float
    open: bool  # at the end


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """The alarms of a stretch of time. `seconds_to_acknowledge`: the mean of those that were."""

    raised: int
    timely: int
    late: int
    open: int
    seconds_to_acknowledge: float | None
    severities: list[AlarmCount]  # the gravest first
    classes: list[Named]  # IFC classes of what they are about; "" without an element
    rules: list[Named]  # which rules they come from, the most frequent first
    longest: list[LongAlarm]  # open for the longest time
    standing: list[LongAlarm]  # whose condition held for more than 24 h at the end


@dataclass(frozen=True, slots=True)
class OrderCount:
    """Orders of one priority or origin."""

    name: str
    created: int
    done: int
    timely: int  # of those done that had a due time: by then
    timed: int
    open: int  # at the end
    overdue: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that was open at the end."""

    id: UUID
    number: int
    title: str
    priority: str
    created_at: datetime
    due_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """The work orders of a stretch of time. `seconds_to_done`: mean from made to done."""

    created: int
    done: int
    verified: int
    cancelled: int
    timely: int
    timed: int
    open: int
    overdue: int
    seconds_to_done: float | None
    ratings: int
    stars: float | None
    priorities: list[OrderCount]
    origins: list[OrderCount]
    oldest: list[OpenOrder]


_HERE: LiteralString = "a.building_id = %(building)s AND a.raised_at < %(end)s"
_RAISED: LiteralString = "a.raised_at >= %(start)s"
_OPEN: LiteralString = "(a.closed_at IS NULL OR a.closed_at >= %(end)s)"
_TIMELY: LiteralString = "a.acked_at <= a.raised_at + %(within)s"
_ALARMS: LiteralString = (
    "SELECT a.severity, count(*) FILTER (WHERE " + _RAISED + ") AS raised,"
    " count(*) FILTER (WHERE " + _RAISED + " AND " + _TIMELY + ") AS timely,"
    " count(*) FILTER (WHERE " + _RAISED + " AND NOT coalesce(" + _TIMELY + ", false)"
    "                  AND a.raised_at + %(within)s <= %(now)s) AS late,"
    " count(*) FILTER (WHERE " + _OPEN + ") AS open"
    " FROM alarm a WHERE " + _HERE + " AND (" + _RAISED + " OR " + _OPEN + ")"
    " GROUP BY a.severity ORDER BY array_position(%(severities)s::text[], a.severity) DESC"
)  # fmt: skip
_TO_ACKNOWLEDGE: LiteralString = (
    "SELECT extract(epoch FROM avg(a.acked_at - a.raised_at))::float8 AS seconds FROM alarm a WHERE "
    + _HERE + " AND " + _RAISED + " AND a.acked_at >= a.raised_at"
)  # fmt: skip
_CLASSES: LiteralString = (
    "SELECT coalesce(e.ifc_class, '') AS name, count(*) AS count"
    " FROM alarm a LEFT JOIN element e ON e.id = a.element_id"
    " WHERE " + _HERE + " AND " + _RAISED + " GROUP BY 1 ORDER BY 2 DESC, 1"
)
_RULES: LiteralString = (
    "SELECT r.name, count(*) AS count FROM alarm a JOIN alarm_rule r ON r.id = a.rule_id"
    " WHERE " + _HERE + " AND " + _RAISED + " GROUP BY r.id ORDER BY 2 DESC, 1, r.id LIMIT %(most)s"
)
_LISTED: LiteralString = """
    SELECT a.id, a.code, a.params, a.message, a.severity, coalesce(e.name, e.long_name) AS element, s.name AS storey,
           a.raised_at, extract(epoch FROM {seconds})::float8 AS seconds, """ + _OPEN + """ AS open
    FROM alarm a LEFT JOIN element e ON e.id = a.element_id LEFT JOIN storey s ON s.id = a.storey_id
    WHERE """ + _HERE + """ AND {which} ORDER BY 9 DESC, a.id LIMIT %(most)s
"""  # fmt: skip
_LONGEST: LiteralString = _LISTED.format(
    seconds="least(coalesce(a.closed_at, 'infinity'), %(end)s) - a.raised_at",
    which="coalesce(a.closed_at, 'infinity') > %(start)s",
)
# What rose again after the end held before it for as long as nobody knows: it is told by its first rise.
_STANDING: LiteralString = _LISTED.format(
    seconds="%(end)s - CASE WHEN a.rose_at < %(end)s THEN a.rose_at ELSE a.raised_at END",
    which="coalesce(a.returned_at, 'infinity') >= %(end)s"
    " AND CASE WHEN a.rose_at < %(end)s THEN a.rose_at ELSE a.raised_at END <= %(end)s - %(standing)s",
)


async def alarm_figures(
    conn: Conn, building: UUID, start: datetime, end: datetime, now: datetime, *, within: timedelta
) -> AlarmFigures:
    """The alarms of [start, end) as known at `now`. `within`: so soon one is to be acknowledged."""
    asked = {
        "building": building, "start": start, "end": end, "now": now, "within": within, "most": MOST,
        "standing": STANDING, "severities": list(SEVERITIES),
    }  # fmt: skip
    counts = [AlarmCount(**each) for each in await rows(conn, _ALARMS, asked)]
    to_acknowledge = await row(conn, _TO_ACKNOWLEDGE, asked)
    return AlarmFigures(
        sum(each.raised for each in counts),
        sum(each.timely for each in counts),
        sum(each.late for each in counts),
        sum(each.open for each in counts),
        to_acknowledge["seconds"] if to_acknowledge else None,
        counts,
        [Named(**each) for each in await rows(conn, _CLASSES, asked)],
        [Named(**each) for each in await rows(conn, _RULES, asked)],
        [LongAlarm(**each) for each in await rows(conn, _LONGEST, asked)],
        [LongAlarm(**each) for each in await rows(conn, _STANDING, asked)],
    )


_ORDERS: LiteralString = """
    WITH known AS (
      SELECT w.*, w.created_at >= %(start)s AS is_created,
             coalesce(w.done_at >= %(start)s AND w.done_at < %(end)s, false) AS is_done,
             coalesce(w.closed_at >= %(start)s AND w.closed_at < %(end)s, false) AS is_closed,
             coalesce(w.done_at, 'infinity') >= %(end)s AND coalesce(w.closed_at, 'infinity') >= %(end)s AS is_open
      FROM work_order w WHERE w.building_id = %(building)s AND w.created_at < %(end)s)
"""
_COUNTED: LiteralString = """
    count(*) FILTER (WHERE is_created) AS created, count(*) FILTER (WHERE is_done) AS done,
    count(*) FILTER (WHERE is_done AND done_at <= due_at) AS timely,
    count(*) FILTER (WHERE is_done AND due_at IS NOT NULL) AS timed,
    count(*) FILTER (WHERE is_open) AS open, count(*) FILTER (WHERE is_open AND due_at < %(end)s) AS overdue
"""
_TOTAL: LiteralString = (
    _ORDERS + "SELECT " + _COUNTED + """,
      count(*) FILTER (WHERE is_closed AND state = 'verified') AS verified,
      count(*) FILTER (WHERE is_closed AND state = 'cancelled') AS cancelled,
      extract(epoch FROM avg(done_at - created_at) FILTER (WHERE is_done))::float8 AS seconds_to_done
    FROM known"""
)  # fmt: skip
_BY_PRIORITY: LiteralString = (
    _ORDERS + "SELECT priority AS name, " + _COUNTED + """ FROM known WHERE is_created OR is_done OR is_open
    GROUP BY priority ORDER BY array_position(%(severities)s::text[], priority) DESC"""
)  # fmt: skip
_BY_ORIGIN: LiteralString = (
    _ORDERS + "SELECT origin AS name, " + _COUNTED + """ FROM known WHERE is_created OR is_done OR is_open
    GROUP BY origin ORDER BY origin"""
)  # fmt: skip
_OLDEST: LiteralString = _ORDERS + """
    SELECT id, number, title, priority, created_at, due_at, coalesce(due_at < %(end)s, false) AS overdue
    FROM known WHERE is_open ORDER BY created_at, number LIMIT %(most)s
"""  # fmt: skip
_RATINGS: LiteralString = """
    SELECT count(*) AS ratings, avg(r.stars)::float8 AS stars
    FROM work_order_rating r JOIN work_order w ON w.id = r.work_order_id
    WHERE w.building_id = %(building)s AND r.rated_at >= %(start)s AND r.rated_at < %(end)s
"""


async def order_figures(conn: Conn, building: UUID, start: datetime, end: datetime) -> OrderFigures:
    """The work orders of [start, end)."""
    asked = {"building": building, "start": start, "end": end, "most": MOST, "severities": list(SEVERITIES)}
    total, ratings = await row(conn, _TOTAL, asked), await row(conn, _RATINGS, asked)
    assert total is not None and ratings is not None
    return OrderFigures(
        **total,
        **ratings,
        priorities=[OrderCount(**each) for each in await rows(conn, _BY_PRIORITY, asked)],
        origins=[OrderCount(**each) for each in await rows(conn, _BY_ORIGIN, asked)],
        oldest=[OpenOrder(**each) for each in await rows(conn, _OLDEST, asked)],
    )
