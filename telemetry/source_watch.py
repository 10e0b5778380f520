"""Tells when a source falls silent or speaks again, and when its clock goes wrong or comes right (6.1.1f).

A reading keeps both times: the device's (`ts`) and ours (`stored_at`); how far apart they are is the source's
`clock_skew`. This loop turns the two facts into states with a beginning, an event for each change, and a line in the
log; people are told of sources that are missed (`is_missed`). One server at a time looks (`LOCK`).

While this server was not there, or had no database, nobody could be heard: a source has its time from then on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog

from telemetry.sources import SKEWED_S
from twin.db import Conn, Database, row, rows
from twin.errors import Unavailable
from twin.events import emit

log = structlog.get_logger()
LOCK: Final = 1953983094
EVERY_S: Final = 5.0
RIGHT_S: Final = SKEWED_S / 2  # a clock is right again when it is this near: at the limit it would come and go
STEADY: Final = timedelta(hours=1)  # who was heard for less, and was not declared, is missed by nobody: a script
TELL_EVERY: Final = timedelta(hours=1)  # of one that comes and goes people are told no more often


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A source that fell silent or speaks again, or whose clock went wrong or came right."""

    id: UUID
    name: str
    building_id: UUID | None
    seen_at: datetime
    skew: float | None  # s, its clock minus ours
    offline: bool
    offline_changed: bool
    skewed: bool
    skewed_changed: bool
    was_offline: datetime | None  # since when it was silent before
    missed: bool  # people are to be told: it is watched, and not a script that spoke for a moment
    told_at: datetime | None  # when they were last told that it is silent


Tell = Callable[[Conn, SourceChange, str, Mapping[str, Any]], Awaitable[None]]
"""Tells people: `(conn, change, what, numbers)`, `what` one of silent, speaks, clock; in the change's transaction."""

_SETTLE: LiteralString = """
    WITH now_is AS (
        SELECT s.id, s.offline_since AS was_offline, s.skewed_since AS was_skewed,
               s.enabled AND s.kind NOT IN ('file', 'derived')
                 AND greatest(s.seen_at, %(since)s) < now() - 3 * s.expected_interval AS offline,
               s.enabled AND s.kind NOT IN ('file', 'derived')
                 AND s.seen_at < now() - 3 * s.expected_interval AS silent,
               abs(date_part('epoch', s.clock_skew))
                 > CASE WHEN s.skewed_since IS NULL THEN %(wrong)s ELSE %(right)s END AS skewed
        FROM source s WHERE s.seen_at IS NOT NULL),
    changed AS (
        SELECT id, was_offline, was_skewed, skewed,
               -- Who was silent before we were away is so until it speaks.
               offline OR (was_offline IS NOT NULL AND silent) AS offline
        FROM now_is),
    different AS (
        SELECT * FROM changed WHERE offline IS DISTINCT FROM (was_offline IS NOT NULL)
                                 OR coalesce(skewed, false) IS DISTINCT FROM (was_skewed IS NOT NULL))
    UPDATE source s SET
        offline_since = CASE WHEN c.offline THEN coalesce(c.was_offline, s.seen_at) END,
        skewed_since = CASE WHEN c.skewed THEN coalesce(c.was_skewed, now()) END
    FROM different c WHERE c.id = s.id
    RETURNING s.uuid AS id, s.name, s.building_id, s.seen_at, date_part('epoch', s.clock_skew) AS skew,
              c.offline, coalesce(c.skewed, false) AS skewed,
              c.offline IS DISTINCT FROM (c.was_offline IS NOT NULL) AS offline_changed,
              coalesce(c.skewed, false) IS DISTINCT FROM (c.was_skewed IS NOT NULL) AS skewed_changed,
              c.was_offline, s.watched AND s.kind NOT IN ('file', 'derived')
                AND (s.settings IS NOT NULL OR s.building_id IS NOT NULL OR s.seen_at - s.created_at > %(steady)s)
                AS missed,
              s.told_at
"""


async def run(db: Database, tell: Tell | None = None) -> None:
    """Look every `EVERY_S` until cancelled."""
    since = datetime.now(UTC)
    while True:
        try:
            await look(db, tell, since=since)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("sources.look_failed", reason=str(error).strip())
            since = datetime.now(UTC)
        await asyncio.sleep(EVERY_S)


async def look(db: Database, tell: Tell | None = None, *, since: datetime | None = None) -> int:
    """Bring the states of all sources up to date; how many changed. `since`: from when on sources could be heard."""
    async with db.transaction() as conn:
        got = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS got", (LOCK,))
        if got is None or not got["got"]:
            return 0
        asked = {"wrong": SKEWED_S, "right": RIGHT_S, "since": since, "steady": STEADY}
        changed = [SourceChange(**each) for each in await rows(conn, _SETTLE, asked)]
        for each in changed:
            await emit(conn, "source", _event(each), building_id=each.building_id)
            if tell is not None and each.missed:
                await _tell(conn, each, tell, datetime.now(UTC))
    for each in changed:
        if each.offline_changed:
            log.warning("source.offline" if each.offline else "source.online", source=each.name)
        if each.skewed_changed:
            log.warning("source.clock_wrong" if each.skewed else "source.clock_right", source=each.name, skew=each.skew)
    return len(changed)


def _event(change: SourceChange) -> dict[str, Any]:
    return {
        "source": str(change.id),
        "name": change.name,
        "online": not change.offline,
        "clock_suspect": change.skewed,
        "clock_skew": change.skew,
        "seen_at": change.seen_at.isoformat(),
    }


async def _tell(conn: Conn, change: SourceChange, tell: Tell, now: datetime) -> None:
    """Tell people of what they would miss: silence, that it is over, and a clock that is wrong."""
    told = change.told_at
    if change.offline_changed and change.offline and (told is None or told < now - TELL_EVERY):
        minutes = max(1, round((now - change.seen_at).total_seconds() / 60))
        await tell(conn, change, "silent", {"source": change.name, "minutes": minutes})
        await conn.execute("UPDATE source SET told_at = now() WHERE uuid = %s", (change.id,))
    if change.was_offline is not None and not change.offline and told is not None and told >= change.was_offline:
        await tell(conn, change, "speaks", {"source": change.name})
    if change.skewed_changed and change.skewed and change.skew is not None:
        await tell(conn, change, "clock", {"source": change.name, "seconds": round(change.skew)})
