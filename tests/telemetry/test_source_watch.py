"""A source that falls silent or whose clock is wrong is told, once; the readings keep both times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.source_notices import tell_people
from identity.actor import CLI
from identity.sealing import open_sealer
from telemetry.decode import RawReading
from telemetry.ingest import Ingest
from telemetry.points import NewPoint
from telemetry.source_settings import configure_source
from telemetry.source_watch import look
from telemetry.sources import Source, ensure_source, get_source
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


async def heard(db: Database, name: str, seconds_ago: float, **facts: Any) -> None:
    """A source of this name was last heard of so long ago; `facts` are columns."""
    async with db.transaction() as conn:
        await ensure_source(conn, name, facts.pop("kind", "http"))
        await conn.execute(
            """UPDATE source SET seen_at = now() - %(ago)s, created_at = now() - %(made)s,
                 expected_interval = interval '1 minute', clock_skew = %(skew)s WHERE name = %(name)s""",
            {
                "name": name,
                "ago": timedelta(seconds=seconds_ago),
                "made": timedelta(days=facts.get("made", 2)),
                "skew": timedelta(seconds=facts.get("skew", 0)),
            },
        )


async def notices(db: Database) -> list[tuple[str, str, dict[str, Any]]]:
    async with db.connection() as conn:
        found = await rows(conn, "SELECT role, code, params FROM notification ORDER BY id")
    return [(each["role"], each["code"].rpartition(".")[2], each["params"]) for each in found]


async def test_who_looks_after_sources_is_told_of_those_that_are_missed(db: Database) -> None:
    """Of a gateway; not of a script that spoke once, nor of a file, nor where nobody wants to know."""
    await heard(db, "gateway", 600)
    await heard(db, "script", 600, made=601 / 86_400)
    await heard(db, "export.csv", 600, kind="file")
    await heard(db, "muted", 600)
    async with db.transaction() as conn:
        muted = await configure_source(conn, CLI, "muted", await open_sealer(conn, Settings()), watched=False)
        assert not muted.watched
    assert await look(db, tell_people) == 3
    silent = {"source": "gateway", "minutes": 10}
    assert await notices(db) == [("administrator", "silent", silent), ("facility_engineer", "silent", silent)]
    for minutes, ago in ((20, 0), (20, 600), (15, 0), (10, 600), (0, 0)):  # it comes and goes: told once an hour
        async with db.transaction() as conn:
            await conn.execute(
                "UPDATE source SET told_at = told_at - make_interval(mins => %(m)s),"
                " offline_since = offline_since - make_interval(mins => %(m)s)",
                {"m": minutes},
            )
        await heard(db, "gateway", ago)
        await look(db, tell_people)
    assert [code for _, code, _ in await notices(db)][2::2] == ["speaks", "silent", "speaks"]
    await heard(db, "gateway", 0, skew=-7200)
    await look(db, tell_people)
    assert (await notices(db))[-1] == ("facility_engineer", "clock", {"source": "gateway", "seconds": -7200})


async def test_while_nobody_listened_no_source_fell_silent(db: Database) -> None:
    await heard(db, "gateway", 86_400)
    assert await look(db, tell_people, since=datetime.now(UTC)) == 0, "we were away for a day"
    assert await look(db, tell_people, since=datetime.now(UTC) - timedelta(minutes=4)) == 1
    assert await look(db, tell_people, since=datetime.now(UTC)) == 0, "it was silent before we went away once more"
    assert {code for _, code, _ in await notices(db)} == {"silent"}
