"""What API keys call: calls, errors and latency by route and hour (6.1.5d, 6.2.1e).

Recorded in memory and added to the table in batches, so that no call waits for it; what the last seconds before a
crash called is not counted.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from twin.db import Conn, Database, rows

# Upper limits of the latency classes, s; the last class has none.
BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
MOST_HOURS: Final = 24 * 400


@dataclass(slots=True)
class _Tally:
    calls: int = 0
    errors: int = 0
    failures: int = 0
    refused: int = 0
    seconds: float = 0.0
    histogram: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls of a key. Errors are 4xx and 5xx; of these `failures` are 5xx, and `refused` were over a limit (429).

    Latencies are seconds from the request's head to the answer's last byte; `p95` is read from a histogram.
    """

    calls: int
    errors: int
    failures: int
    refused: int
    latency_mean: float | None
    latency_p95: float | None


NOTHING: Final = Figures(0, 0, 0, 0, None, None)


@dataclass(frozen=True, slots=True)
class RouteUsage:
    """Calls of one route, or in one hour."""

    route: str | None
    hour: datetime | None
    figures: Figures


class UsageRecorder:
    """Collects what keys call and writes it in batches."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._tallies: dict[tuple[UUID, datetime, str], _Tally] = {}
        self._seen: dict[UUID, tuple[datetime, str | None]] = {}
        self._writing = asyncio.Lock()

    def record(self, key: UUID, route: str, status: int, seconds: float, *, address: str | None, now: datetime) -> None:
        """Count one answered call; `seconds` is how long it took."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        tally = self._tallies.get((key, hour, route))
        if tally is None:
            tally = self._tallies[key, hour, route] = _Tally()
        tally.calls += 1
        tally.errors += status >= 400
        tally.failures += status >= 500
        tally.refused += status == 429
        tally.seconds += seconds
        tally.histogram[bisect_left(BOUNDS, seconds)] += 1
        self._seen[key] = (now, address)

    async def flush(self) -> None:
        """Write what was recorded; when that fails it is kept for the next time."""
        async with self._writing:  # whoever flushes knows that everything is written, by whomever
            await self._flush()

    async def _flush(self) -> None:
        tallies, self._tallies = self._tallies, {}
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            async with self._db.transaction() as conn:
                await _add(conn, tallies)
                await _mark_used(conn, seen)
        except BaseException:
            for key, tally in tallies.items():
                _merge(self._tallies.setdefault(key, _Tally()), tally)
            self._seen = seen | self._seen
            raise


def _merge(into: _Tally, other: _Tally) -> None:
    for name in ("calls", "errors", "failures", "refused", "seconds"):
        setattr(into, name, getattr(into, name) + getattr(other, name))
    into.histogram = [a + b for a, b in zip(into.histogram, other.histogram, strict=True)]


async def _add(conn: Conn, tallies: dict[tuple[UUID, datetime, str], _Tally]) -> None:
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """INSERT INTO api_key_usage AS u
                 (key_id, hour, route, calls, errors, failures, refused, seconds, histogram)
               SELECT %(key)s, %(hour)s, %(route)s, %(calls)s, %(errors)s, %(failures)s, %(refused)s, %(seconds)s,
                 %(histogram)s FROM api_key WHERE id = %(key)s
               ON CONFLICT (key_id, hour, route) DO UPDATE SET calls = u.calls + excluded.calls,
                 errors = u.errors + excluded.errors, failures = u.failures + excluded.failures,
                 refused = u.refused + excluded.refused, seconds = u.seconds + excluded.seconds,
                 histogram = (SELECT array_agg(a + b ORDER BY i)
                   FROM unnest(u.histogram, excluded.histogram) WITH ORDINALITY AS t (a, b, i))""",
            [
                {
                    "key": key,
                    "hour": hour,
                    "route": route,
                    "calls": tally.calls,
                    "errors": tally.errors,
                    "failures": tally.failures,
                    "refused": tally.refused,
                    "seconds": tally.seconds,
                    "histogram": tally.histogram,
                }
                for (key, hour, route), tally in sorted(tallies.items())  # in one order: no deadlocks
            ],
        )


async def _mark_used(conn: Conn, seen: dict[UUID, tuple[datetime, str | None]]) -> None:
    keys = sorted(seen)
    await conn.execute(
        """UPDATE api_key SET used_at = s.at, used_from = s.address FROM
             (SELECT k.id, g.at, g.address FROM unnest(%(ids)s::uuid[], %(ats)s::timestamptz[], %(addresses)s::text[])
                AS g (id, at, address) JOIN api_key k ON k.id = g.id ORDER BY k.id FOR UPDATE OF k) s
           WHERE api_key.id = s.id AND (api_key.used_at IS NULL OR api_key.used_at < s.at)""",
        {"ids": keys, "ats": [seen[key][0] for key in keys], "addresses": [seen[key][1] for key in keys]},
    )


_SUMS: Final = """sum(calls)::bigint AS calls, sum(errors)::bigint AS errors, sum(failures)::bigint AS failures,
                  sum(refused)::bigint AS refused, sum(seconds) AS seconds"""


async def usage_of_keys(conn: Conn, keys: Sequence[UUID], since: datetime, until: datetime) -> dict[UUID, Figures]:
    """Figures per key over [since, until); keys that called nothing are absent."""
    found = await _grouped(conn, "key_id", keys, since, until)
    return {each["group"]: _figures(each) for each in found}


async def usage_by_route(conn: Conn, key: UUID, since: datetime, until: datetime) -> list[RouteUsage]:
    """Figures of a key per route over [since, until), most called first."""
    found = await _grouped(conn, "route", [key], since, until)
    usage = [RouteUsage(each["group"], None, _figures(each)) for each in found]
    return sorted(usage, key=lambda each: (-each.figures.calls, each.route or ""))


async def usage_by_hour(conn: Conn, key: UUID, since: datetime, until: datetime) -> list[RouteUsage]:
    """Figures of a key per hour over [since, until), in order of time; hours without calls are absent."""
    found = await _grouped(conn, "hour", [key], since, until)
    return sorted(
        (RouteUsage(None, each["group"], _figures(each)) for each in found), key=lambda each: each.hour or since
    )


async def _grouped(
    conn: Conn, column: str, keys: Sequence[UUID], since: datetime, until: datetime
) -> list[dict[str, Any]]:
    assert column in ("key_id", "route", "hour")
    return await rows(
        conn,
        f"""WITH chosen AS (SELECT *, {column} AS "group" FROM api_key_usage
              WHERE key_id = ANY(%(keys)s) AND hour >= %(since)s AND hour < %(until)s)
            SELECT s.*, h.histogram FROM (SELECT "group", {_SUMS} FROM chosen GROUP BY "group") s
            JOIN (SELECT "group", array_agg(n ORDER BY i) AS histogram
                  FROM (SELECT "group", i, sum(n)::bigint AS n
                        FROM chosen, unnest(histogram) WITH ORDINALITY AS t (n, i) GROUP BY "group", i) x
                  GROUP BY "group") h ON h."group" IS NOT DISTINCT FROM s."group" """,
        {"keys": list(keys), "since": since, "until": until},
    )


def _figures(found: dict[str, Any]) -> Figures:
    calls = found["calls"]
    return Figures(
        calls,
        found["errors"],
        found["failures"],
        found["refused"],
        found["seconds"] / calls if calls else None,
        quantile(found["histogram"], 0.95),
    )


def quantile(histogram: Sequence[int], part: float) -> float | None:
    """The latency (s) that `part` of the calls stayed below, interpolated within its class; None without calls.

    The last class has no upper limit: its calls count as its lower one.
    """
    wanted, below = part * sum(histogram), 0
    if not wanted:
        return None
    for number, n in enumerate(histogram):
        if below + n >= wanted:
            low = BOUNDS[number - 1] if number else 0.0
            high = BOUNDS[number] if number < len(BOUNDS) else low
            return low + (high - low) * (wanted - below) / n
        below += n
    return BOUNDS[-1]


async def prune_usage(conn: Conn, before: datetime) -> None:
    """Forget hours before that time."""
    await conn.execute("DELETE FROM api_key_usage WHERE hour < %s", (before,))
