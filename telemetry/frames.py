"""What all points of a building said over a window of time, in equal steps: for showing a building as it was.

A frame holds, for every point, its newest usable number at that moment. It comes from the rollups (decision 20), whose
`last` is the last reading of a bucket, and from the readings where they are not rolled up yet; a late reading may be
missing for the half minute until its hour is rolled up again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

import numpy as np
import numpy.typing as npt

from telemetry.rollups import COARSE, FINE
from twin.db import Conn, row, rows
from twin.errors import Invalid

MOST_FRAMES: Final = 500
MOST_VALUES: Final = 4_000_000  # points × frames of one answer: 16 MB
LOOKBACK: Final = timedelta(days=7)  # of silence after which a point is shown without a value
_SCAN_FOR: Final = timedelta(days=60)  # beyond it a search per point and frame reads less than a scan


@dataclass(frozen=True, slots=True)
class Frames:
    """`values[i, j]`: float32 of point `handles[j]` at `start + i * step`; NaN: none."""

    start: datetime
    step: timedelta
    handles: list[int]
    values: npt.NDArray[np.float32]


_POINTS: LiteralString = """
    SELECT handle FROM point
    WHERE building_id = %(building)s AND kind <> 'text' AND (retired_at IS NULL OR retired_at > %(start)s)
    ORDER BY handle
"""
_BEFORE: LiteralString = """
    SELECT p.handle, r.num FROM unnest(%(handles)s::int[]) AS p (handle) CROSS JOIN LATERAL (
        SELECT num FROM reading WHERE point_id = p.handle AND ts <= %(start)s AND ts > %(start)s - %(lookback)s
          AND q < 2 AND num IS NOT NULL ORDER BY ts DESC LIMIT 1) AS r
"""
# The frame that a reading is first seen in: the first one that is not before it.
_SCAN: LiteralString = """
    SELECT DISTINCT ON (point_id, frame) point_id AS handle, frame, last AS num
    FROM (SELECT point_id, ceil(date_part('epoch', last_ts - %(start)s) / %(step)s)::int AS frame, last, last_ts
          FROM {table}
          WHERE point_id = ANY(%(handles)s) AND ts >= %(start)s - %(width)s AND ts < %(end)s
            AND last_ts > %(start)s) AS r
    ORDER BY point_id, frame, last_ts DESC
"""
_FINE: LiteralString = _SCAN.replace("{table}", "rollup_5m")
_COARSE: LiteralString = _SCAN.replace("{table}", "rollup_1h")
_PROBE: LiteralString = """
    SELECT p.handle, f.frame, r.last AS num
    FROM unnest(%(handles)s::int[]) AS p (handle) CROSS JOIN generate_series(1, %(count)s - 1) AS f (frame)
    CROSS JOIN LATERAL (
        SELECT last FROM rollup_1h
        WHERE point_id = p.handle AND ts <= %(start)s + f.frame * %(step)s * interval '1 s' - %(width)s
          AND ts > %(start)s + f.frame * %(step)s * interval '1 s' - %(lookback)s
        ORDER BY ts DESC LIMIT 1) AS r
"""
_RECENT: LiteralString = """
    SELECT DISTINCT ON (point_id, frame) point_id AS handle, frame, num
    FROM (SELECT point_id, ceil(date_part('epoch', ts - %(start)s) / %(step)s)::int AS frame, ts, num
          FROM reading
          WHERE point_id = ANY(%(handles)s) AND ts > %(from)s AND ts <= %(end)s AND q < 2 AND num IS NOT NULL) AS r
    ORDER BY point_id, frame, ts DESC
"""


async def read_frames(conn: Conn, building: UUID, start: datetime, end: datetime, count: int) -> Frames:
    """Return `count` frames from `start` to `end`, both of them included.

    Raises Invalid `history.range`, `history.frames` (2 to `MOST_FRAMES`, and at most `MOST_VALUES` values).
    """
    if end <= start:
        raise Invalid("history.range", where="to")
    found = [each["handle"] for each in await rows(conn, _POINTS, {"building": building, "start": start})]
    most = min(MOST_FRAMES, MOST_VALUES // max(1, len(found)))
    if not 2 <= count <= most:
        raise Invalid("history.frames", where="frames", limit=most)
    step = (end - start) / (count - 1)
    values = np.full((count, len(found)), np.nan, dtype=np.float32)
    column = {handle: j for j, handle in enumerate(found)}
    asked = {"handles": found, "start": start, "end": end, "step": step.total_seconds(), "count": count}
    for each in await rows(conn, _BEFORE, {**asked, "lookback": LOOKBACK}):
        values[0, column[each["handle"]]] = each["num"]
    rolled = await row(conn, "SELECT rolled FROM rollup_state")
    # Nothing is rolled up on a server that has only just begun; within one bucket readings alone know the order.
    settled = min(rolled["rolled"], end) if rolled and step >= FINE else start
    pieces: list[tuple[LiteralString, dict[str, object]]] = []
    if settled > start:
        width = FINE if step < COARSE else COARSE
        query = _FINE if step < COARSE else _PROBE if end - start > _SCAN_FOR else _COARSE
        pieces.append((query, {**asked, "end": settled, "width": width, "lookback": LOOKBACK}))
    if settled < end:
        pieces.append((_RECENT, {**asked, "from": settled}))
    for query, parameters in pieces:
        for each in await rows(conn, query, parameters):
            values[min(each["frame"], count - 1), column[each["handle"]]] = each["num"]
    return Frames(start, step, found, _held(values, int(LOOKBACK / step)))


def _held(values: npt.NDArray[np.float32], longest: int) -> npt.NDArray[np.float32]:
    """Each value until the next one, at most `longest` frames long."""
    frames = np.arange(len(values))[:, None]
    seen = np.where(np.isnan(values), -1, frames)
    latest = np.maximum.accumulate(seen, axis=0)
    held = np.take_along_axis(values, np.maximum(latest, 0), axis=0)
    held[(latest < 0) | (frames - latest > longest)] = np.nan
    return held
