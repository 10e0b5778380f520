"""For how long a point was within its limits, and when nothing was heard of it: from its readings themselves.

A value holds until the next reading. Silence for longer than the point is patient (`point.patience`) is a gap, from
the last reading to the next, and counts neither as within nor as outside. A point that usually speaks more rarely than
it was said to (history that was read in, a slower device) is given three times its usual interval: it is slow, and no
reading of it is a gap.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from telemetry.aggregate import find_cut
from twin.db import Conn, row

# The reading before the start holds into it; the end closes the last one.
_COVERAGE: LiteralString = """
    WITH heard AS (
      (SELECT ts, num FROM reading WHERE point_id = %(handle)s AND q < 2 AND num IS NOT NULL AND ts < %(start)s
       ORDER BY ts DESC LIMIT 1)
      UNION ALL
      SELECT ts, num FROM reading
      WHERE point_id = %(handle)s AND q < 2 AND num IS NOT NULL AND ts >= %(start)s AND ts < %(end)s),
    stretches AS (
      SELECT ts, num, lead(ts) OVER (ORDER BY ts) AS next FROM heard
      UNION ALL
      SELECT NULL, NULL, (SELECT min(ts) FROM heard)),
    usual AS (
      SELECT greatest(p.patience, CASE WHEN count(*) >= 12 THEN 3 * percentile_cont(0.5) WITHIN GROUP (
               ORDER BY next - ts) END) AS patience
      FROM stretches, (SELECT patience FROM point WHERE handle = %(handle)s) AS p
      WHERE ts IS NOT NULL AND next IS NOT NULL GROUP BY p.patience
      UNION ALL
      SELECT patience FROM point WHERE handle = %(handle)s ORDER BY patience DESC LIMIT 1),
    cut AS (
      SELECT num, greatest(coalesce(ts, %(start)s), %(start)s) AS since,
             least(coalesce(next, %(end)s), %(end)s) AS until,
             ts IS NULL OR coalesce(next, %(end)s) - ts > p.patience AS silent
      FROM stretches, usual AS p),
    timed AS (SELECT *, extract(epoch FROM until - since)::float8 AS seconds FROM cut WHERE until > since)
    SELECT coalesce(sum(seconds) FILTER (WHERE NOT silent), 0) AS covered,
           coalesce(sum(seconds) FILTER (WHERE NOT silent AND num >= coalesce(%(low)s, num)
                                         AND num <= coalesce(%(high)s, num)), 0) AS within,
           count(*) FILTER (WHERE silent) AS gaps, coalesce(sum(seconds) FILTER (WHERE silent), 0) AS silent,
           coalesce(max(seconds) FILTER (WHERE silent), 0) AS longest,
           (array_agg(since ORDER BY seconds DESC, since) FILTER (WHERE silent))[1] AS longest_from
    FROM timed
"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of a stretch of time is known, all in s: `covered` + `silent` is its length. `within`: the covered time
    in which the value lay within the limits. `since`: retention removed the readings before; it counts from there."""

    covered: float
    within: float
    gaps: int
    silent: float
    longest: float
    longest_from: datetime | None
    since: datetime | None


async def read_coverage(
    conn: Conn, handle: int, start: datetime, end: datetime, *, low: float | None = None, high: float | None = None
) -> Coverage:
    """How [start, end) is covered by usable readings of a point; without limits everything is within them."""
    cut = await find_cut(conn, handle)
    since = cut if cut and cut > start else None
    begin = min(since or start, end)
    limits: dict[str, float | None] = {"low": low, "high": high}
    found = await row(conn, _COVERAGE, {"handle": handle, "start": begin, "end": end, **limits})
    assert found is not None
    return Coverage(**found, since=since)
