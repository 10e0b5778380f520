"""A source that falls silent or whose clock is wrong is told, once; the readings keep both times."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.decode import RawReading
from telemetry.ingest import Ingest
from telemetry.points import NewPoint
from telemetry.source_watch import look
from telemetry.sources import Source, get_source
from tests.telemetry.conftest import make_points
from twin.db import Database, row, rows
from twin.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)


async def told(db: Database) -> list[dict[str, object]]:
    async with db.connection() as conn:
        found = await rows(conn, "SELECT data FROM event WHERE topic = 'source' ORDER BY id")
    return [each["data"] for each in found]


async def source(db: Database) -> Source:
    async with db.connection() as conn:
        return await get_source(conn, "key:logger")


@pytest.mark.clause("6.1.1f")
async def test_clocks_off_by_a_day_and_silence_are_flagged_and_what_lies_ahead_is_refused(
    readings_db: Database,
) -> None:
    """R9: three times each, shuffled; one clock a day slow, and readings from 1970 and 2099."""
    db = readings_db
    await make_points(db, NewPoint(key="T", name="T", kind="number"))
    day = [NOW - timedelta(days=1, minutes=i) for i in range(50)]
    odd = [datetime(1970, 1, 2, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)]
    sent = [RawReading("T", ts, float(i)) for i, ts in enumerate(day + odd)]
    async with Ingest(db, Settings()) as ingest:
        logger = await ingest.source("key:logger")
        receipts = [await ingest.submit(logger, [*sent[k::2], *sent[1 - k :: 2]]) for k in (0, 1, 0)]
        assert [(each.accepted, each.duplicate, len(each.rejected)) for each in receipts] == [
            (51, 0, 1), (0, 51, 1), (0, 51, 1),
        ]  # fmt: skip
        assert await look(db) == 1 and await look(db) == 0
        found = await source(db)
        assert found.clock_suspect and found.skewed_since is not None and found.offline_since is None
        assert found.clock_skew == pytest.approx(-86_400, rel=0.05)
        for i in range(80):  # somebody sets the clock
            await ingest.submit(logger, [RawReading("T", datetime.now(UTC), float(i))])
    assert await look(db) == 1
    async with db.transaction() as conn:
        await conn.execute("UPDATE source SET seen_at = now() - interval '1 hour'")
    assert await look(db) == 1
    silent = await source(db)
    assert (silent.online, silent.skewed_since, silent.offline_since) == (False, None, silent.seen_at)
    assert [(each["clock_suspect"], each["online"]) for each in await told(db)] == [
        (True, True), (False, True), (False, False),
    ]  # fmt: skip
    async with db.connection() as conn:
        apart = await row(conn, "SELECT max(stored_at - ts) > interval '50 years' AS kept FROM reading")
    assert apart == {"kept": True}
