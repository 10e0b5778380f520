"""Tells when a source falls silent or speaks again, and when its clock goes wrong or comes right (6.1.1f).

A reading keeps both times: the device's (`ts`) and ours (`stored_at`); how far apart they are is the source's
`clock_skew`. This loop turns the two facts into states with a beginning, an event for each change, and a line in the
log. One server at a time looks (`LOCK`).
"""

import asyncio
from typing import Final, LiteralString

import psycopg
import structlog

from telemetry.sources import SKEWED_S
from twin.db import Database, row, rows
from twin.errors import Unavailable
from twin.events import emit

log = structlog.get_logger()
LOCK: Final = 1953983094
EVERY_S: Final = 5.0
RIGHT_S: Final = SKEWED_S / 2  # a clock is right again when it is this near: at the limit it would come and go

_SETTLE: LiteralString = """
    WITH now_is AS (
        SELECT s.id, s.offline_since AS was_offline, s.skewed_since AS was_skewed,
               s.enabled AND s.kind NOT IN ('file', 'derived')
                 AND s.seen_at < now() - 3 * s.expected_interval AS offline,
               abs(date_part('epoch', s.clock_skew))
                 > CASE WHEN s.skewed_since IS NULL THEN %(wrong)s ELSE %(right)s END AS skewed
        FROM source s WHERE s.seen_at IS NOT NULL),
    changed AS (
        SELECT * FROM now_is WHERE offline IS DISTINCT FROM (was_offline IS NOT NULL)
                                OR coalesce(skewed, false) IS DISTINCT FROM (was_skewed IS NOT NULL))
    UPDATE source s SET
        offline_since = CASE WHEN c.offline THEN coalesce(c.was_offline, s.seen_at) END,
        skewed_since = CASE WHEN c.skewed THEN coalesce(c.was_skewed, now()) END
    FROM changed c WHERE c.id = s.id
    RETURNING s.uuid, s.name, s.building_id, s.kind, s.seen_at, date_part('epoch', s.clock_skew) AS skew,
              c.offline, coalesce(c.skewed, false) AS skewed,
              c.offline IS DISTINCT FROM (c.was_offline IS NOT NULL) AS offline_changed,
              coalesce(c.skewed, false) IS DISTINCT FROM (c.was_skewed IS NOT NULL) AS skewed_changed
"""


async def run(db: Database) -> None:
    """Look every `EVERY_S` until cancelled."""
    while True:
        try:
            await look(db)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("sources.look_failed", reason=str(error).strip())
        await asyncio.sleep(EVERY_S)


async def look(db: Database) -> int:
    """Bring the states of all sources up to date; how many changed."""
    async with db.transaction() as conn:
        got = await row(conn, "SELECT pg_try_advisory_xact_lock(%s) AS got", (LOCK,))
        if got is None or not got["got"]:
            return 0
        changed = await rows(conn, _SETTLE, {"wrong": SKEWED_S, "right": RIGHT_S})
        for each in changed:
            data = {
                "source": str(each["uuid"]),
                "name": each["name"],
                "online": not each["offline"],
                "clock_suspect": each["skewed"],
                "clock_skew": each["skew"],
                "seen_at": each["seen_at"].isoformat(),
            }
            await emit(conn, "source", data, building_id=each["building_id"])
    for each in changed:
        if each["offline_changed"]:
            log.warning("source.offline" if each["offline"] else "source.online", source=each["name"])
        if each["skewed_changed"]:
            log.warning(
                "source.clock_wrong" if each["skewed"] else "source.clock_right", source=each["name"], skew=each["skew"]
            )
    return len(changed)
