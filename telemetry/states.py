"""The state of a whole building: what each point says now, or said at a past moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from telemetry.points import QUALITIES, Quality, Value, value_of
from twin.db import Conn, rows
from twin.page import Page, decode_cursor, page_of

LOOKBACK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PointState:
    """The newest reading of a point at a moment, with what is needed to show it."""

    id: UUID
    handle: int
    point: str  # key
    name: str
    element: str | None  # GlobalId
    storey_id: UUID | None
    unit: str | None
    ts: datetime
    value: Value | None
    quality: Quality


_COLUMNS: LiteralString = """
    SELECT p.id, p.handle, p.key, p.name, p.kind, p.unit, e.global_id, e.storey_id, r.ts, r.num, r.txt, r.q
    FROM point p LEFT JOIN element e ON e.id = p.element_id
"""
_PAGE: LiteralString = """
    AND (%(building)s::uuid IS NULL OR p.building_id = %(building)s)
    AND (%(after)s::text IS NULL OR p.key > %(after)s) ORDER BY p.key LIMIT %(limit)s
"""
_LATEST: LiteralString = _COLUMNS + " JOIN latest r ON r.point_id = p.handle WHERE p.retired_at IS NULL " + _PAGE
# Where retention removed the readings, the last one of a rollup stands for them: to five minutes.
_AS_OF: LiteralString = (
    _COLUMNS
    + """ LEFT JOIN history_cut k ON k.point_id = p.handle
    CROSS JOIN LATERAL (
      (SELECT ts, num, txt, q FROM reading
       WHERE point_id = p.handle AND ts <= %(at)s AND ts > %(since)s ORDER BY ts DESC LIMIT 1)
      UNION ALL
      (SELECT last_ts, last, NULL, (good < n)::int FROM rollup_5m f
       WHERE k.raw_from > %(since)s AND f.point_id = p.handle AND f.ts < least(k.raw_from, %(at)s)
         AND f.ts > %(since)s AND f.last_ts <= %(at)s ORDER BY f.ts DESC LIMIT 1)
      ORDER BY ts DESC LIMIT 1) AS r
    WHERE (p.retired_at IS NULL OR p.retired_at > %(at)s) """
    + _PAGE
)


async def latest_readings(
    conn: Conn, building_id: UUID | None, *, limit: int = 100, cursor: str | None = None
) -> Page[PointState]:
    """The newest readings of a building's points (None: all buildings), by key."""
    return await _states(conn, _LATEST, building_id, limit, cursor)


async def read_as_of(
    conn: Conn,
    building_id: UUID,
    moment: datetime,
    *,
    lookback: timedelta = LOOKBACK,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[PointState]:
    """The newest reading of each point of a building at a moment, by key.

    A point that had been silent for longer than `lookback` at that moment is left out; one that was retired before,
    too.
    """
    return await _states(conn, _AS_OF, building_id, limit, cursor, at=moment, since=moment - lookback)


async def _states(
    conn: Conn, query: LiteralString, building_id: UUID | None, limit: int, cursor: str | None, **times: datetime
) -> Page[PointState]:
    after = decode_cursor(cursor, 1)
    asked = {"building": building_id, "after": after and after[0], "limit": limit + 1, **times}
    found: Sequence[Mapping[str, Any]] = await rows(conn, query, asked)
    states = [
        PointState(
            id=each["id"],
            handle=each["handle"],
            point=each["key"],
            name=each["name"],
            element=each["global_id"],
            storey_id=each["storey_id"],
            unit=each["unit"],
            ts=each["ts"],
            value=value_of(each["kind"], each["num"], each["txt"]),
            quality=QUALITIES[each["q"]],
        )
        for each in found
    ]
    return page_of(states, limit, lambda state: [state.point])
