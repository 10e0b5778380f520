"""Rollups of 5 minutes and an hour, kept from raw readings on every engine, right under late data.

`settled` and `rolled` (table `rollup_state`) move forward with the clock: what lies before `rolled` is rolled up.
Ingest marks the hours of readings that come in for the time before `settled`; they are worked off from the raw
readings, whole hours at a time, and until then readers take such an hour from the raw readings too
(`telemetry/aggregate.py`): an answer is never wrong, only slower.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

import psycopg
import structlog

from telemetry import arrays
from telemetry.store import Readings
from twin.db import Conn, Database, row, rows
from twin.errors import Unavailable

log = structlog.get_logger()

LOCK: Final = 1953983090  # of `settled`; shared by ingest, as in rollup_settled()
WORK_LOCK: Final = 1953983091  # one server at a time rolls up
EVERY_S: Final = 30.0
BEHIND: Final = timedelta(minutes=1)  # a reading may take so long before it counts as late
FINE: Final = timedelta(minutes=5)
COARSE: Final = timedelta(hours=1)
STRIDE: Final = timedelta(hours=6)  # of new readings per transaction
DIRTY_HOURS: Final = 2_000  # per transaction
WIDTHS: Final = (60, 5)  # min; coarsest first

# The columns of `rollup_5m` from readings r(point_id, ts, num, q) that are usable, by bucket.
_FROM_READINGS: LiteralString = """
    INSERT INTO rollup_5m (point_id, ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted)
    SELECT point_id, bucket, count(*), count(*) FILTER (WHERE q = 0), sum(num), min(num), max(num),
           min(num) FILTER (WHERE seconds_before IS NULL), min(num) FILTER (WHERE is_last), min(ts), max(ts),
           coalesce(sum(before * seconds_before), 0), coalesce(sum((before + num) / 2 * seconds_before), 0)
    FROM (SELECT point_id, bucket, ts, num, q, lag(num) OVER w AS before,
                 date_part('epoch', ts - lag(ts) OVER w) AS seconds_before, lead(ts) OVER w IS NULL AS is_last
          FROM (SELECT r.point_id, r.ts, r.num, r.q, date_bin('5 minutes', r.ts, 'epoch') AS bucket
                FROM {readings} AND r.q < 2 AND r.num IS NOT NULL) AS usable
          WINDOW w AS (PARTITION BY point_id, bucket ORDER BY ts)) AS neighbours
    GROUP BY point_id, bucket
"""
_HOURS: LiteralString = """
    INSERT INTO rollup_1h (point_id, ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted)
    SELECT point_id, hour, sum(n), sum(good), sum(sum), min(min), max(max),
           min(first) FILTER (WHERE last_before IS NULL), min(last) FILTER (WHERE is_last), min(first_ts), max(last_ts),
           sum(held + coalesce(last_before * seconds_before, 0)),
           sum(slanted + coalesce((last_before + first) / 2 * seconds_before, 0))
    FROM (SELECT *, lag(last) OVER w AS last_before,
                 date_part('epoch', first_ts - lag(last_ts) OVER w) AS seconds_before,
                 lead(ts) OVER w IS NULL AS is_last
          FROM (SELECT f.*, date_bin('1 hour', f.ts, 'epoch') AS hour FROM {fine}) AS fine
          WINDOW w AS (PARTITION BY point_id, hour ORDER BY ts)) AS neighbours
    GROUP BY point_id, hour
"""
# A point without a reading since `start` has none to roll up: the others are found by their newest value.
_NEW_READINGS: LiteralString = """latest l JOIN reading r ON r.point_id = l.point_id
    WHERE l.ts >= %(start)s AND r.ts >= %(start)s AND r.ts < %(end)s"""
_NEW_FINE: LiteralString = """latest l JOIN rollup_5m f ON f.point_id = l.point_id
    WHERE l.ts >= %(start)s AND f.ts >= %(start)s AND f.ts < %(end)s"""
_DIRTY_READINGS: LiteralString = """unnest(%(points)s::int[], %(hours)s::timestamptz[]) AS d(point_id, hour)
    JOIN reading r ON r.point_id = d.point_id AND r.ts >= d.hour AND r.ts < d.hour + interval '1 hour'
    WHERE r.ts >= %(low)s AND r.ts < %(high)s"""
_DIRTY_FINE: LiteralString = """unnest(%(points)s::int[], %(hours)s::timestamptz[]) AS d(point_id, hour)
    JOIN rollup_5m f ON f.point_id = d.point_id AND f.ts >= d.hour AND f.ts < d.hour + interval '1 hour'"""
# Where retention took the readings away, a rollup gives way only to one of at least as many readings: one that came
# late, or is sent again, must not stand for all that were there.
_UNLESS_FEWER: LiteralString = """
    ON CONFLICT (point_id, ts) DO UPDATE SET n = excluded.n, good = excluded.good, sum = excluded.sum,
        min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
        first_ts = excluded.first_ts, last_ts = excluded.last_ts, held = excluded.held, slanted = excluded.slanted
    WHERE rollup_5m.n <= excluded.n
"""
_FORGET: LiteralString = """
    DELETE FROM {table} f USING unnest(%(points)s::int[], %(hours)s::timestamptz[]) AS d(point_id, hour)
    WHERE f.point_id = d.point_id AND f.ts >= d.hour AND f.ts < d.hour + interval '1 hour'"""
ROLL_NEW: Final = _FROM_READINGS.format(readings=_NEW_READINGS)
ROLL_NEW_HOURS: Final = _HOURS.format(fine=_NEW_FINE)
ROLL_DIRTY: Final = _FROM_READINGS.format(readings=_DIRTY_READINGS)
ROLL_CUT: Final = ROLL_DIRTY + _UNLESS_FEWER
ROLL_DIRTY_HOURS: Final = _HOURS.format(fine=_DIRTY_FINE)


async def mark_late(conn: Conn, readings: Readings) -> None:
    """Mark the hours of readings, just stored in this transaction, that lie before `settled`."""
    found = await row(conn, "SELECT rollup_settled() AS settled", ())
    if found is None or found["settled"] is None:
        return
    late = readings.ts < int(found["settled"].timestamp() * 1e6)
    if not late.any():
        return
    chosen = readings.take(late)
    await conn.execute(
        """INSERT INTO rollup_dirty (point_id, hour)
           SELECT DISTINCT p, date_bin('1 hour', t, 'epoch') FROM unnest(%s, %s) AS u(p, t)""",
        (arrays.int4(chosen.handle), arrays.timestamptz(chosen.ts)),
    )


async def start_rollups(conn: Conn, *, now: datetime) -> None:
    """Begin at this moment; readings that are there already are marked, so that they are rolled up next."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    if await row(conn, "SELECT 1 FROM rollup_state"):
        return
    begin = floor(now, COARSE)
    await conn.execute("INSERT INTO rollup_state (settled, rolled) VALUES (%(at)s, %(at)s)", {"at": begin})
    await conn.execute(
        """INSERT INTO rollup_dirty (point_id, hour)
           SELECT DISTINCT point_id, date_bin('1 hour', ts, 'epoch') FROM reading WHERE ts < %s""",
        (begin,),
    )


def floor(moment: datetime, width: timedelta) -> datetime:
    """The last whole `width` since 1970 UTC at or before a moment."""
    return datetime.fromtimestamp(moment.timestamp() // width.total_seconds() * width.total_seconds(), UTC)


class Rollups:
    """Keeps the rollups: `await run()`; `await catch_up(now=…)` once, for tests and tools."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Roll up every `EVERY_S` until cancelled."""
        while True:
            try:
                await self.catch_up(now=datetime.now(UTC))
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("rollups.failed", reason=str(error).strip())
            await asyncio.sleep(EVERY_S)

    async def catch_up(self, *, now: datetime) -> int:
        """Roll up all that is settled by `now` and all that is dirty; return how many dirty hours there were."""
        await self._settle(floor(now - BEHIND, FINE))
        while await self._roll_new():
            pass
        done = 0
        while worked := await self._roll_dirty():
            done += worked
        return done

    async def _settle(self, moment: datetime) -> None:
        """Move `settled`. Waits for the transactions that store readings now; later ones see the new value."""
        async with self._db.transaction() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            await conn.execute("UPDATE rollup_state SET settled = %(to)s WHERE settled < %(to)s", {"to": moment})

    async def _roll_new(self) -> bool:
        """Roll up a stride of what is settled; whether there is more."""
        async with self._db.transaction() as conn:
            if not await _alone(conn):
                return False
            state = await row(conn, "SELECT settled, rolled FROM rollup_state")
            if state is None or state["rolled"] >= state["settled"]:
                return False
            start: datetime = state["rolled"]
            end = min(floor(start, COARSE) + STRIDE, state["settled"])
            await conn.execute(ROLL_NEW, {"start": start, "end": end})
            hours = {"start": floor(start, COARSE), "end": floor(end, COARSE)}
            await conn.execute(ROLL_NEW_HOURS, hours)
            await conn.execute("UPDATE rollup_state SET rolled = %s", (end,))
            return bool(end < state["settled"])

    async def _roll_dirty(self) -> int:
        """Work off some dirty hours; return how many."""
        async with self._db.transaction() as conn:
            if not await _alone(conn):
                return 0
            state = await row(conn, "SELECT rolled FROM rollup_state")
            if state is None:
                return 0
            taken = await rows(
                conn,
                """WITH taken AS (
                     DELETE FROM rollup_dirty WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM rollup_dirty WHERE hour < %(rolled)s ORDER BY point_id, hour LIMIT %(most)s))
                     RETURNING point_id, hour)
                   SELECT t.point_id, t.hour, coalesce(t.hour < c.raw_from, false) AS cut,
                          coalesce(t.hour < c.rollup_from, false) AS gone
                   FROM taken t LEFT JOIN history_cut c ON c.point_id = t.point_id""",
                {"rolled": state["rolled"], "most": DIRTY_HOURS},
            )
            kept = {(each["point_id"], each["hour"]): each["cut"] for each in taken if not each["gone"]}
            for cut in (False, True):
                hours = {hour for hour, is_cut in kept.items() if is_cut == cut}
                if hours:
                    await _roll_again(conn, hours, state["rolled"], cut=cut)
            return len(taken)


async def _alone(conn: Conn) -> bool:
    found = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS got", (WORK_LOCK,))
    return bool(found and found["got"])


async def _roll_again(conn: Conn, dirty: set[tuple[int, datetime]], rolled: datetime, *, cut: bool) -> None:
    """Make the rollups of these (point, hour) anew; of the hour that is being rolled up, as far as it is.

    `cut`: retention removed readings of these hours, so that what is left of them is not all there was.
    """
    ordered = sorted(dirty)
    hours = [hour for _, hour in ordered]
    whole = {
        "points": [point for point, _ in ordered],
        "hours": hours,
        "low": min(hours),
        "high": min(max(hours) + COARSE, rolled),
    }
    if not cut:
        await conn.execute(_FORGET.format(table="rollup_5m"), whole)
    await conn.execute(_FORGET.format(table="rollup_1h"), whole)
    await conn.execute(ROLL_CUT if cut else ROLL_DIRTY, whole)
    complete = [(point, hour) for point, hour in ordered if hour + COARSE <= rolled]
    await conn.execute(
        ROLL_DIRTY_HOURS, {"points": [point for point, _ in complete], "hours": [hour for _, hour in complete]}
    )
