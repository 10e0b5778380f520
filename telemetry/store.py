"""One batch of readings into the database: history, newest values, refusals, counts, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from telemetry import arrays
from telemetry.decode import Refusal, moment
from telemetry.validate import clean_text, message, quarantine_value
from twin.db import Conn, rows

ACCEPTED, DUPLICATE, CONFLICT = 0, 1, 2
KEEP_KEY = 200  # characters of a refused reading's key: no point has a longer one, and an index takes no more

# The aggregate brings back in one row which readings were new, without a Python object for each.
_INSERT: LiteralString = """
    WITH fresh AS (
        INSERT INTO reading (point_id, ts, num, txt, q, source_id, stored_at)
        SELECT p, t, nullif(n, 'NaN'), {text}, q, s, now() FROM unnest({arrays}) AS u(p, t, n, q, s{column})
        ON CONFLICT (point_id, ts) DO NOTHING RETURNING point_id, ts)
    SELECT count(*) AS n, array_agg(point_id) AS points, array_agg(ts) AS times FROM fresh
"""
_LATEST: LiteralString = """
    INSERT INTO latest (point_id, ts, num, txt, q, source_id, stored_at)
    SELECT p, t, nullif(n, 'NaN'), {text}, q, s, now() FROM unnest({arrays}) AS u(p, t, n, q, s{column})
    ON CONFLICT (point_id) DO UPDATE SET ts = excluded.ts, num = excluded.num, txt = excluded.txt, q = excluded.q,
        source_id = excluded.source_id, stored_at = excluded.stored_at
    WHERE excluded.ts >= latest.ts
"""
_NUMBERS: LiteralString = "%(p)s, %(t)s, %(n)s, %(q)s, %(s)s"
_INSERT_NUMBERS = _INSERT.format(text="NULL", arrays=_NUMBERS, column="")
_INSERT_TEXTS = _INSERT.format(text="x", arrays=_NUMBERS + ", %(x)s::text[]", column=", x")
_LATEST_NUMBERS = _LATEST.format(text="NULL", arrays=_NUMBERS, column="")
_LATEST_TEXTS = _LATEST.format(text="x", arrays=_NUMBERS + ", %(x)s::text[]", column=", x")


@dataclass(slots=True)
class Readings:
    """Readings as columns of the same length n."""

    handle: NDArray[np.int64]
    ts: NDArray[np.int64]  # µs since 1970 UTC
    num: NDArray[np.float64]  # NaN: a text
    quality: NDArray[np.uint8]
    source: NDArray[np.int64]
    txt: NDArray[np.object_] | None = None  # None: there is no text among them

    def __len__(self) -> int:
        return len(self.handle)

    def take(self, rows: NDArray[Any]) -> "Readings":
        """The readings at these indices, or where this mask is true."""
        txt = None if self.txt is None else self.txt[rows]
        return Readings(self.handle[rows], self.ts[rows], self.num[rows], self.quality[rows], self.source[rows], txt)


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What one source brought with a batch."""

    source_id: int
    accepted: int
    duplicate: int
    rejected: int
    skew_us: float | None


async def write_readings(conn: Conn, readings: Readings) -> NDArray[np.uint8]:
    """Store readings and newest values; return (n,) what became of each: ACCEPTED, DUPLICATE or CONFLICT.

    Of several readings with the same point and time the first wins. Rows go in sorted by point and time, so that
    several servers lock them in the same order.
    """
    outcome = np.zeros(len(readings), np.uint8)
    if not len(readings):
        return outcome
    order = np.lexsort((readings.ts, readings.handle))
    ordered = readings.take(order)
    first = _first_of_group(ordered)
    result = np.where(_equal_to_first(ordered, first), DUPLICATE, CONFLICT).astype(np.uint8)
    heads = np.flatnonzero(first == np.arange(len(first)))
    unique = ordered.take(heads)
    result[heads] = await _insert(conn, unique)
    # A repeat of a reading that the table held with another value is a conflict like its first one; a repeat that
    # differs from its first one may still be what the table holds.
    stale = np.flatnonzero((result[first] != ACCEPTED) & (first != np.arange(len(first))))
    if len(stale):
        result[stale] = await _compare(conn, ordered.take(stale))
    fresh = ordered.take(result == ACCEPTED)
    if len(fresh):
        await _write_latest(conn, fresh)
    outcome[order] = result
    return outcome


def _first_of_group(ordered: Readings) -> NDArray[np.int64]:
    """(n,) for each reading the index of the first one with its point and time; `ordered` is sorted by both."""
    n = len(ordered)
    starts = np.ones(n, bool)
    starts[1:] = (ordered.handle[1:] != ordered.handle[:-1]) | (ordered.ts[1:] != ordered.ts[:-1])
    return np.maximum.accumulate(np.where(starts, np.arange(n), 0))


def _equal_to_first(ordered: Readings, first: NDArray[np.int64]) -> NDArray[np.bool_]:
    same = (ordered.num == ordered.num[first]) | (np.isnan(ordered.num) & np.isnan(ordered.num[first]))
    if ordered.txt is not None:
        same &= np.equal(ordered.txt, ordered.txt[first]).astype(bool)
    return np.asarray(same, np.bool_)


def _parameters(readings: Readings) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "p": arrays.int4(readings.handle),
        "t": arrays.timestamptz(readings.ts),
        "n": arrays.float8(readings.num),
        "q": arrays.int2(readings.quality.astype(np.int16)),
        "s": arrays.int4(readings.source),
    }
    if readings.txt is not None:
        parameters["x"] = readings.txt.tolist()
    return parameters


async def _insert(conn: Conn, unique: Readings) -> NDArray[np.uint8]:
    """Insert readings with distinct (point, time), sorted by both; return (n,) what became of each."""
    statement = _INSERT_NUMBERS if unique.txt is None else _INSERT_TEXTS
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(statement, _parameters(unique))
        result = cursor.pgresult
        assert result is not None
        count = int.from_bytes(result.get_value(0, 0) or b"")
        points, times = result.get_value(0, 1), result.get_value(0, 2)
    outcome = np.zeros(len(unique), np.uint8)
    if count < len(unique):
        known = ~_contained(unique, arrays.decode_int4(points), arrays.decode_timestamptz(times))
        outcome[known] = await _compare(conn, unique.take(known))
    return outcome


def _contained(unique: Readings, points: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether (points, times) holds each reading's point and time."""
    n = len(unique)
    handle, ts = (np.concatenate([unique.handle, points]), np.concatenate([unique.ts, times]))
    order = np.lexsort((ts, handle))
    handle, ts = handle[order], ts[order]
    twin = np.flatnonzero((handle[1:] == handle[:-1]) & (ts[1:] == ts[:-1]))
    found = np.zeros(n + len(points), bool)
    found[order[twin]] = True
    found[order[twin + 1]] = True
    return found[:n]


async def _compare(conn: Conn, readings: Readings) -> NDArray[np.uint8]:
    """(n,) DUPLICATE where the table holds the same value at that point and time, else CONFLICT."""
    stored = await rows(
        conn,
        """SELECT u.i, r.num, r.txt FROM unnest(%(p)s, %(t)s) WITH ORDINALITY AS u(p, t, i)
           JOIN reading r ON r.point_id = u.p AND r.ts = u.t AND r.ts BETWEEN %(low)s AND %(high)s""",
        {
            "p": arrays.int4(readings.handle),
            "t": arrays.timestamptz(readings.ts),
            "low": moment(int(readings.ts.min())),
            "high": moment(int(readings.ts.max())),
        },
    )
    outcome = np.full(len(readings), CONFLICT, np.uint8)
    for each in stored:
        i = each["i"] - 1
        text = None if readings.txt is None else readings.txt[i]
        if each["txt"] == text and (each["num"] == readings.num[i] or (each["num"] is None and text is not None)):
            outcome[i] = DUPLICATE
    return outcome


async def _write_latest(conn: Conn, ordered: Readings) -> None:
    """Keep the newest reading of each point; `ordered` is sorted by point and time."""
    last = np.append(ordered.handle[1:] != ordered.handle[:-1], True)
    newest = ordered.take(last)
    await conn.execute(_LATEST_NUMBERS if newest.txt is None else _LATEST_TEXTS, _parameters(newest))


async def newest_of(conn: Conn, stored: Readings) -> Readings:
    """Those of the readings just stored in this transaction that are now the newest of their points."""
    if not len(stored):
        return stored
    found = await rows(
        conn,
        "SELECT point_id, (extract(epoch FROM ts) * 1000000)::bigint AS us FROM latest"
        " WHERE point_id = ANY(%s) AND stored_at = now()",
        (np.unique(stored.handle).tolist(),),
    )
    newest = {each["point_id"]: each["us"] for each in found}
    wanted = np.array([newest.get(handle) for handle in stored.handle.tolist()], np.float64)
    return stored.take(wanted == stored.ts)


async def write_refusals(conn: Conn, refused: Sequence[tuple[int, Refusal]]) -> None:
    """Keep refused readings, each with its source's number, in quarantine."""
    if not refused:
        return
    kept = [
        {
            "source_id": source,
            "point_key": clean_text(each.point)[:KEEP_KEY],
            "ts": None if each.ts is None else clean_text(each.ts),
            "value": quarantine_value(each.value),
            "quality": None if each.quality is None else clean_text(each.quality),
            "code": each.code,
            "message": clean_text(message(each, "en")),
        }
        for source, each in refused
    ]
    await conn.execute(
        """INSERT INTO quarantine (source_id, point_key, ts, value, quality, code, message)
           SELECT * FROM jsonb_to_recordset(%s)
             AS r(source_id int, point_key text, ts text, value jsonb, quality text, code text, message text)""",
        (Jsonb(kept),),
    )


async def count_sources(conn: Conn, counts: Sequence[SourceCount]) -> None:
    """Add to the counts of sources, lowest number first; the clock's skew follows slowly, so that it shows drift."""
    for count in sorted(counts, key=lambda each: each.source_id):
        skew = None if count.skew_us is None else timedelta(microseconds=count.skew_us)
        await conn.execute(
            """UPDATE source SET accepted = accepted + %(accepted)s, duplicate = duplicate + %(duplicate)s,
                 rejected = rejected + %(rejected)s, seen_at = greatest(seen_at, now()),
                 clock_skew = coalesce(clock_skew * 0.9 + %(skew)s::interval * 0.1, %(skew)s::interval, clock_skew)
               WHERE id = %(id)s""",
            {
                "id": count.source_id,
                "accepted": count.accepted,
                "duplicate": count.duplicate,
                "rejected": count.rejected,
                "skew": skew,
            },
        )
