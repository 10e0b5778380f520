"""What was refused is put in again or dismissed by a person; what was stored is put right and keeps what it was."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random

import psycopg
import pytest

from identity.access import limited
from identity.actor import CLI, Actor, Grant, Place, held
from telemetry import quarantine, upkeep
from telemetry.corrections import correct, list_corrections, tell
from telemetry.ingest import Ingest
from telemetry.points import NewPoint, create_point, get_point
from telemetry.quarantine import Filter
from telemetry.rollups import Rollups, start_rollups
from tests.telemetry.conftest import Sink, make_building, make_points
from tests.telemetry.test_ingest import body, item
from twin.db import Database, row, rows
from twin.errors import Invalid, NotFound
from twin.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
OLD = NOW - timedelta(hours=5)
ROOM = NewPoint(key="room.T", name="T", kind="number", max_value=50)


async def refused(db: Database, chosen: Filter | None = None) -> list[quarantine.Quarantined]:
    async with db.connection() as conn:
        return (await quarantine.list_quarantine(conn, chosen or Filter())).items


async def counts(db: Database) -> tuple[int, int, int]:
    async with db.connection() as conn:
        found = await row(conn, "SELECT accepted, duplicate, rejected FROM source WHERE name = 'key:gateway'")
    assert found
    return found["accepted"], found["duplicate"], found["rejected"]


@pytest.mark.clause("6.1.1f")
async def test_refused_readings_are_put_in_again_once_their_point_is_there(readings_db: Database) -> None:
    db = readings_db
    await make_points(db, ROOM)
    sink = Sink()
    times = [(OLD + timedelta(minutes=i)).isoformat() for i in range(6)]
    async with Ingest(db, Settings(), [sink]) as ingest:
        source = await ingest.source("key:gateway")
        sent = body(
            *(item("roof.T", i, times[i]) for i in range(4)),
            item("room.T", 99, times[4]),
            item("rome.T", 20, times[5], quality="uncertain"),
            item("room.T", 21, times[0]),
        )
        receipt = await ingest.submit_body(source, sent)
        assert (receipt.accepted, len(receipt.rejected)) == (1, 6)
        async with db.connection() as conn:
            summary = await quarantine.summarise(conn, Filter())
        assert [(each.code, each.point, each.count) for each in summary] == [
            ("reading.unknown_point", "roof.T", 4),
            ("reading.range", "room.T", 1),
            ("reading.unknown_point", "rome.T", 1),
        ]
        still = await quarantine.replay(db, ingest, CLI, chosen=Filter(point="roof.T"))
        assert (still.accepted, still.rejected, {each.code for each in still.items}) == (
            0,
            4,
            {"reading.unknown_point"},
        )
        assert len(await refused(db)) == 6, "what is refused once more is not kept twice"
        async with db.transaction() as conn:
            building = (await get_point(conn, "room.T")).building_id
            await create_point(conn, CLI, building, NewPoint(key="roof.T", name="Roof", kind="number"))
        again = await quarantine.replay(db, ingest, CLI, chosen=Filter(point="roof.T"))
        assert (again.chosen, again.accepted, again.rejected) == (4, 4, 0)
        [typo] = await refused(db, Filter(point="rome.T"))
        fixed = await quarantine.replay(db, ingest, CLI, ids=[typo.id], point="room.T")
        assert fixed.accepted == 1
        with pytest.raises(NotFound):
            await quarantine.replay(db, ingest, CLI, ids=[typo.id])
        assert (await counts(db)) == (6, 0, 1), "each reading is counted once, as what became of it"
        async with db.transaction() as conn:
            assert await quarantine.dismiss(conn, CLI, chosen=Filter(code="reading.range")) == 1
    [became] = await refused(db, Filter(point="rome.T"))
    assert (became.state, became.settled_by) == ("replayed", "cli")
    assert became.became == {"point": "room.T", "ts": times[5]}
    assert await refused(db, Filter(state="open")) == []
    async with db.connection() as conn:
        stored = await rows(
            conn,
            """SELECT r.num, r.q, s.name FROM reading r JOIN source s ON s.id = r.source_id
               JOIN point p ON p.handle = r.point_id WHERE p.key = 'room.T' ORDER BY r.ts""",
        )
        actions = await rows(conn, "SELECT action FROM audit WHERE action LIKE 'quarantine.%%' ORDER BY seq NULLS LAST")
    assert [(each["num"], each["q"], each["name"]) for each in stored] == [
        (21, 0, "key:gateway"),
        (20, 1, "key:gateway"),
    ]
    assert {each["action"] for each in actions} == {"quarantine.replay", "quarantine.dismiss"}


async def test_a_reading_with_a_wrong_time_is_put_in_at_the_right_one(readings_db: Database) -> None:
    await make_points(readings_db, ROOM)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await ingest.source("key:gateway")
        await ingest.submit_body(source, body(item("room.T", 20, "2099-01-01T00:00:00Z"), item("room.T", 21, "soon")))
        ids = [each.id for each in await refused(readings_db)]
        with pytest.raises(Invalid, match="one time"):
            await quarantine.replay(readings_db, ingest, CLI, ids=ids, ts=OLD.isoformat())
        done = await quarantine.replay(readings_db, ingest, CLI, ids=ids[:1], ts=OLD.isoformat())
    assert done.accepted == 1
    for numbers, chosen in ((None, None), ([], None), ([1], Filter())):
        async with readings_db.connection() as conn:
            with pytest.raises(Invalid, match="ids"):
                await quarantine.choose(conn, numbers, chosen)


async def test_whoever_is_limited_to_a_building_settles_only_what_is_its_own(readings_db: Database) -> None:
    db = readings_db
    await make_points(db, ROOM)
    other = await make_building(db, "Shed")
    async with db.transaction() as conn:
        await create_point(conn, CLI, other, NewPoint(key="shed.T", name="T", kind="number", max_value=5))
    place = Place("building", other, frozenset([other]))
    permissions = frozenset({"reading.read", "reading.write", "point.read"})
    grants = (Grant("writer", permissions, place),)
    actor = Actor("account:shed", permissions=held(grants), grants=grants)
    async with Ingest(db, Settings()) as ingest:
        source = await ingest.source("key:gateway")
        await ingest.submit_body(source, body(item("room.T", 60, OLD.isoformat()), item("shed.T", 60, OLD.isoformat())))
        done = await quarantine.replay(db, ingest, actor, chosen=Filter(), point="room.T")
        assert (done.chosen, done.accepted, [each.code for each in done.items]) == (1, 0, ["reading.unknown_point"])


@pytest.mark.clause("6.1.1f")
async def test_a_correction_keeps_what_it_was_and_everything_follows(readings_db: Database) -> None:
    db = readings_db
    [point] = await make_points(db, ROOM)
    sink = Sink()
    async with db.transaction() as conn:
        await start_rollups(conn, now=OLD - timedelta(days=1))
    async with Ingest(db, Settings(), [sink]) as ingest:
        source = await ingest.source("key:gateway")
        hour = OLD.replace(minute=0, second=0)
        await ingest.submit_body(
            source, body(*(item("room.T", 10 * i, (hour + timedelta(minutes=i)).isoformat()) for i in range(3)))
        )
        await Rollups(db).catch_up(now=NOW)
        newest = hour + timedelta(minutes=2)
        async with db.transaction() as conn:
            made, batch = await correct(conn, CLI, "room.T", newest, 26, reason="the sensor was swapped")
        await tell(ingest, batch)
        async with db.transaction() as conn:
            await correct(conn, CLI, "room.T", newest, 28, reason="read again", quality="uncertain")
        await Rollups(db).catch_up(now=NOW)
    assert (made.old_value, made.value, made.old_source, made.quality) == (20, 26, "key:gateway", "good")
    assert list(sink.batches[-1].newest()) == [(point.handle, round(newest.timestamp() * 1e6), 26.0, 0)]
    async with db.connection() as conn:
        page = await list_corrections(conn, point, limit=1)
        older = await list_corrections(conn, point, limit=1, cursor=page.next)
        sums = await row(conn, "SELECT sum, max FROM rollup_1h WHERE point_id = %s", (point.handle,))
        latest = await row(conn, "SELECT num, q FROM latest WHERE point_id = %s", (point.handle,))
    assert [(each.old_value, each.value) for each in page.items + older.items] == [(26, 28), (20, 26)]
    assert (sums, latest) == ({"sum": 38.0, "max": 28.0}, {"num": 28.0, "q": 1})
    for ts, value, reason, wrong in (
        (newest, 99, "x", "range"), (newest, 1, " ", "see the fields"), (NOW, 1, "x", "no reading"),
    ):  # fmt: skip
        async with db.transaction() as conn:
            with pytest.raises((Invalid, NotFound), match=wrong):
                await correct(conn, CLI, "room.T", ts, value, reason=reason)
    async with db.connection() as conn:
        with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
            await conn.execute("UPDATE correction SET reason = 'none'")


async def test_pages_of_a_place_and_counts_are_those_of_a_plain_search(readings_db: Database) -> None:
    """Of a building, and of one who sees one building only."""
    db, chance = readings_db, Random(4)
    here, there = await make_building(db), await make_building(db, "Other")
    async with db.transaction() as conn:
        for building, keys in ((here, "abc"), (there, "xyz")):
            for key in keys:
                await create_point(conn, CLI, building, NewPoint(key=key, name=key, kind="number"))
        await conn.execute("INSERT INTO source (name, kind, building_id) VALUES ('own', 'http', %s)", (here,))
        await conn.execute("INSERT INTO source (name, kind) VALUES ('key:all', 'http'), ('key:limited', 'http')")
        ids = {each["name"]: each["id"] for each in await rows(conn, "SELECT name, id FROM source")}
    codes = ("reading.range", "reading.kind")
    facts = [
        (chance.choice([*ids.values(), None]), chance.choice("abcxyz?!"), chance.choice(codes)) for _ in range(300)
    ]  # fmt: skip
    for n in range(0, 300, 50):  # fifty at a time have one moment
        async with db.transaction() as conn:
            for each in facts[n : n + 50]:
                await conn.execute(
                    "INSERT INTO quarantine (source_id, point_key, code, message) VALUES (%s, %s, %s, '')", each
                )
    async with db.transaction() as conn:
        assert await quarantine.dismiss(conn, CLI, chosen=Filter(point="b", code="reading.kind")) > 0

    async def pages(chosen: Filter, actor: Actor | None) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            context = db.connection() if actor is None else limited(db, actor, "reading.read")
            async with context as conn:
                page = await quarantine.list_quarantine(conn, chosen, everywhere=actor is None, limit=7, cursor=cursor)
            found += [each.id for each in page.items]
            cursor = page.next
            if cursor is None:
                return found

    grants = (Grant("looker", frozenset({"reading.read"}), Place("building", here, frozenset([here]))),)
    seer = Actor("key:limited", permissions=held(grants), grants=grants)
    plain = (
        "SELECT q.id FROM quarantine q LEFT JOIN source s ON s.id = q.source_id WHERE {}"
        " ORDER BY received_at DESC, q.id DESC"
    )
    mine = "(q.point_key IN ('a', 'b', 'c') OR s.name = 'own')"
    for state, code in ((None, None), ("open", "reading.kind"), ("dismissed", None)):
        said = f"({state is None} OR q.state = '{state}') AND ({code is None} OR q.code = '{code}')"
        chosen = Filter(building=str(here), state=state, code=code)  # type: ignore[arg-type]
        async with db.connection() as conn:
            wanted = [each["id"] for each in await rows(conn, plain.format(f"{mine} AND {said}"))]
            own = "(q.point_key IN ('a', 'b', 'c') OR s.name = 'key:limited')"
            seen = [each["id"] for each in await rows(conn, plain.format(f"{own} AND {said}"))]
        assert await pages(chosen, None) == wanted
        assert await pages(replace(chosen, building=None), seer) == seen
    async with db.connection() as conn:
        counted = await rows(
            conn,
            """SELECT code, s.name AS source, point_key AS point, count(*) AS count, min(received_at) AS oldest,
                      max(received_at) AS newest FROM quarantine q LEFT JOIN source s ON s.id = q.source_id
               WHERE q.state = 'open' GROUP BY 1, 2, 3""",
        )
        summary = await quarantine.summarise(conn, Filter(state="open"))
        since = await quarantine.summarise(conn, Filter(state="open", start=datetime(2020, 1, 1, tzinfo=UTC)))
    assert [asdict(each) for each in summary] == [asdict(each) for each in since]
    by = itemgetter("point", "code", "count", "oldest")
    assert sorted(map(asdict, summary), key=by) == sorted(counted, key=by)
    assert [each.count for each in summary] == sorted((each.count for each in summary), reverse=True)


async def test_a_key_that_no_index_would_take_is_kept_as_far_as_a_key_can_be(readings_db: Database) -> None:
    chance = Random(7)
    key = "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(5_000))
    async with Ingest(readings_db, Settings()) as ingest:
        receipt = await ingest.submit_body(await ingest.source("key:odd"), body(item(key, 1.0)))
    assert [each.code for each in receipt.rejected] == ["reading.unknown_point"]
    assert [each.point for each in await refused(readings_db)] == [key[:200]]


@pytest.mark.clause("6.1.3f")
async def test_what_is_refused_goes_when_its_time_is_over_and_that_is_told(readings_db: Database) -> None:
    db, day = readings_db, timedelta(days=1)
    await make_points(db, ROOM)
    facts = (
        ("room.T", "open", 800, None),
        ("room.T", "open", 10, None),
        ("roof.T", "open", 800, None),
        ("room.T", "replayed", 400, 390),
        ("room.T", "dismissed", 400, 20),
        ("room.T", "dismissed", 20, 20),
    )
    async with db.transaction() as conn:
        for point, state, came, settled in facts:
            await conn.execute(
                """INSERT INTO quarantine (point_key, state, received_at, settled_at, code, message)
                   VALUES (%s, %s, %s, %s, 'reading.range', '')""",
                (point, state, NOW - came * day, settled and NOW - settled * day),
            )
    assert await upkeep.clear_quarantine(db, None, None, now=NOW) == 0
    assert await upkeep.clear_quarantine(db, 731 * day, 183 * day, now=NOW) == 3
    left = [(each.point, each.state, (NOW - each.received_at).days) for each in await refused(db)]
    assert left == [("room.T", "open", 10), ("room.T", "dismissed", 20), ("room.T", "dismissed", 400)]
    async with db.connection() as conn:
        [counted] = await quarantine.summarise(conn, Filter(state="open"))
        [run] = (await upkeep.list_runs(conn, kind="quarantine")).items
    assert (counted.point, counted.count, counted.oldest) == ("room.T", 1, NOW - 10 * day)
    assert (run.readings, run.oldest, run.newest) == (3, NOW - 800 * day, NOW - 400 * day)
    assert await upkeep.clear_quarantine(db, 731 * day, 183 * day, now=NOW) == 0
