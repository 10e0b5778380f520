"""Readings of a derived point into history: what is new goes through ingest, what changed is put right in place.

A derived reading that is worked out anew is no conflict and no correction by a person: it replaces the one before.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry import arrays
from telemetry.decode import Columns
from telemetry.derived_values import Made, micros, moment_of
from telemetry.ingest import Ingest
from telemetry.rollups import mark_late
from telemetry.sources import SourceRef
from telemetry.store import Readings
from twin.db import Conn, row, rows

SAME: Final = 1e-9  # relative: the same sum in another order


@dataclass(frozen=True, slots=True)
class Change:
    """How many readings were new, put right, taken back."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    latest: tuple[int, float, int] | None = field(default=None, compare=False)  # put right: µs, value, quality

    def __add__(self, other: "Change") -> "Change":
        latest = other.latest or self.latest
        return Change(self.new + other.new, self.changed + other.changed, self.removed + other.removed, latest)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a derived point in a range, rising in time."""

    ts: NDArray[np.int64]
    num: NDArray[np.float64]
    quality: NDArray[np.int64]


async def read_stored(conn: Conn, handle: int, start: int, end: int) -> Stored:
    """The readings of a point in [start, end), µs since 1970 UTC."""
    found = await rows(
        conn,
        "SELECT ts, num, q FROM reading WHERE point_id = %s AND ts >= %s AND ts < %s ORDER BY ts",
        (handle, moment_of(start), moment_of(end)),
    )
    return Stored(
        np.array([micros(each["ts"]) for each in found], np.int64),
        np.array([np.nan if each["num"] is None else each["num"] for each in found], np.float64),
        np.array([each["q"] for each in found], np.int64),
    )


async def write_made(
    conn: Conn,
    ingest: Ingest,
    source: SourceRef,
    to: tuple[int, str],
    made: Made,
    end: int,
    *,
    remove: bool,
    live: bool,
) -> Change:
    """Bring the stored readings of the point `to` (handle, key) in [made.ts[0], end) in line with `made`.

    With `remove` unknown ones are taken back; not `live`: history, which lets live readings pass.

    Ingest stores in a transaction of its own, which must come first: once this one has marked rollups it holds what
    ingest waits for.
    """
    handle, key = to
    if not len(made.ts):
        return Change()
    stored = await read_stored(conn, handle, int(made.ts[0]), end)
    at = np.searchsorted(stored.ts, made.ts)
    there = np.zeros(len(made.ts), bool)
    inside = at < len(stored.ts)
    there[inside] = stored.ts[at[inside]] == made.ts[inside]
    new = made.known & ~there
    if new.any():
        columns = Columns(
            np.arange(int(new.sum())),
            [key] * int(new.sum()),
            made.ts[new],
            made.num[new].tolist(),
            made.quality[new].astype(np.uint8),
        )
        await ingest.submit_columns(source, columns, live=live, computed=True)
    differs = np.zeros(len(made.ts), bool)
    was = at[there]
    same = np.isclose(stored.num[was], made.num[there], rtol=SAME, atol=0.0)
    differs[there] = ~(same & (stored.quality[was] == made.quality[there]))
    changed = differs & made.known
    gone = np.isin(stored.ts, made.ts[made.known], invert=True) if remove else np.zeros(len(stored.ts), bool)
    latest = await _replace(conn, handle, source, made, changed)
    removed = await _remove(conn, handle, source, stored.ts[gone])
    touched = np.concatenate([made.ts[changed], stored.ts[gone] if removed else stored.ts[:0]])
    await _mark(conn, handle, source, np.sort(touched))
    return Change(int(new.sum()), int(changed.sum()), removed, latest)


async def _replace(
    conn: Conn, handle: int, source: SourceRef, made: Made, changed: NDArray[np.bool_]
) -> tuple[int, float, int] | None:
    """Put readings right; return the newest reading of the point if it is among them."""
    if not changed.any():
        return None
    values = {
        "handle": handle,
        "source": source.id,
        "t": arrays.timestamptz(made.ts[changed]),
        "n": arrays.float8(made.num[changed]),
        "q": arrays.int2(made.quality[changed].astype(np.int16)),
        "low": moment_of(int(made.ts[changed].min())),
        "high": moment_of(int(made.ts[changed].max())),
    }
    await conn.execute(
        """UPDATE reading r SET num = u.n, q = u.q, source_id = %(source)s, stored_at = now()
           FROM unnest(%(t)s, %(n)s, %(q)s) AS u(t, n, q)
           WHERE r.point_id = %(handle)s AND r.ts = u.t AND r.ts BETWEEN %(low)s AND %(high)s""",
        values,
    )
    latest = await row(
        conn,
        """UPDATE latest l SET num = u.n, q = u.q, source_id = %(source)s, stored_at = now()
           FROM unnest(%(t)s, %(n)s, %(q)s) AS u(t, n, q) WHERE l.point_id = %(handle)s AND l.ts = u.t
           RETURNING l.ts, l.num, l.q""",
        values,
    )
    return None if latest is None else (micros(latest["ts"]), latest["num"], latest["q"])


async def _remove(conn: Conn, handle: int, source: SourceRef, ts: NDArray[np.int64]) -> int:
    """Take back readings that were worked out and no longer are; return how many."""
    if not len(ts):
        return 0
    values: dict[str, Any] = {
        "handle": handle,
        "source": source.id,
        "t": arrays.timestamptz(ts),
        "low": moment_of(int(ts.min())),
        "high": moment_of(int(ts.max())),
    }
    found = await rows(
        conn,
        """DELETE FROM reading WHERE point_id = %(handle)s AND ts = ANY(%(t)s) AND ts BETWEEN %(low)s AND %(high)s
             AND source_id = %(source)s RETURNING ts""",
        values,
    )
    newest = await row(conn, "SELECT ts FROM latest WHERE point_id = %s", (handle,))
    if newest is not None and newest["ts"] in {each["ts"] for each in found}:
        await _latest_from_history(conn, handle, newest["ts"])
    return len(found)


async def _latest_from_history(conn: Conn, handle: int, before: datetime) -> None:
    await conn.execute("DELETE FROM latest WHERE point_id = %s", (handle,))
    await conn.execute(
        """INSERT INTO latest (point_id, ts, num, txt, q, source_id, stored_at)
           SELECT point_id, ts, num, txt, q, source_id, stored_at FROM reading
           WHERE point_id = %s AND ts < %s ORDER BY ts DESC LIMIT 1""",
        (handle, before),
    )


async def _mark(conn: Conn, handle: int, source: SourceRef, ts: NDArray[np.int64]) -> None:
    """Have the rollups of changed readings made anew, and what is derived from them."""
    if len(ts):
        n = len(ts)
        columns = Readings(np.full(n, handle), ts, np.zeros(n), np.zeros(n, np.uint8), np.full(n, source.id))
        await mark_late(conn, columns)
