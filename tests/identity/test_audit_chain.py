"""The chain and its anchors: every way of tampering is found and named (S14)."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes

from identity import audit
from identity.actor import Actor
from identity.audit_chain import GENESIS, ChainSealer, entry_hash, find_head, read_entries, seal, seal_all
from identity.audit_head import head_file
from identity.audit_trail import AuditTrail
from identity.audit_verify import Verification, verify_database
from identity.sealing import Sealer
from twin import db as twin_db
from twin.db import Database, row, rows
from twin.errors import Unavailable
from twin.settings import Settings

LI = Actor("account:li", address="192.0.2.7")
KEY = Sealer(b"k" * 32)


@pytest.fixture
def trail(db: Database, settings: Settings) -> AuditTrail:
    return AuditTrail(db, settings, KEY)


async def write(db: Database, count: int) -> None:
    async with db.transaction() as conn:
        for n in range(count):
            await audit.record(conn, LI, "alarm.acknowledge", f"alarm:{n}", after={"n": n})


@pytest.fixture
async def chained(db: Database, trail: AuditTrail) -> AuditTrail:
    """Ten sealed entries, anchored after the fifth and after the tenth."""
    for _ in range(2):
        await write(db, 5)
        await trail.sealer.seal()
        assert await trail.anchor()
    assert (await trail.verify()).ok
    return trail


async def tamper(db: Database, *statements: str) -> None:
    """As a superuser who has switched all triggers off."""
    async with db.transaction() as conn:
        await conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        for statement in statements:
            await conn.execute(statement)
        await conn.execute("ALTER TABLE audit ENABLE TRIGGER USER")


async def make_anew(db: Database, first: int) -> None:
    """Hash everything from `first` on again, as one can who has read how it is done."""
    async with db.transaction() as conn:
        before = await row(conn, "SELECT hash FROM audit WHERE seq = %s", (first - 1,))
        last = before["hash"] if before else GENESIS
        async for entries in read_entries(db, after=first - 1, until=1_000):
            for entry in entries:
                new = entry_hash(last, entry)
                await conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
                await conn.execute(
                    "UPDATE audit SET previous = %s, hash = %s WHERE id = %s", (last, new, int(entry["id"]))
                )
                last = new
        await conn.execute("ALTER TABLE audit ENABLE TRIGGER USER")


def found(report: Verification) -> list[tuple[str, int | None]]:
    return [(each.trouble, each.seq) for each in report.findings]


async def test_an_untouched_trail_is_intact(chained: AuditTrail) -> None:
    report = await chained.verify()
    assert (report.entries, report.first, report.last, report.unsealed, report.anchors) == (10, 1, 10, 0, 3)
    assert report.anchored == 10 and report.ok
    state = await chained.state()
    assert (state.seq, state.anchored, state.intact, state.unsealed) == (10, 10, True, 0)
    assert state.verified and state.verified["ok"] and state.verified["entries"] == 10


@pytest.mark.parametrize("seq", [1, 4, 10])
async def test_a_deleted_entry_is_missed(db: Database, chained: AuditTrail, seq: int) -> None:
    await tamper(db, f"DELETE FROM audit WHERE seq = {seq}")
    first = (await chained.verify()).findings[0]
    assert (first.trouble, first.seq) == ("cut" if seq == 10 else "deleted", seq)


async def test_entries_deleted_and_the_rest_numbered_and_hashed_anew_are_missed(
    db: Database, chained: AuditTrail
) -> None:
    await tamper(db, "DELETE FROM audit WHERE seq = 4", "UPDATE audit SET seq = seq - 1 WHERE seq > 4")
    await make_anew(db, 4)
    assert ("rewritten", 1) in found(await chained.verify())


CHANGES = (
    "id = 9999",
    "at = at + interval '1 microsecond'",
    "actor = 'account:wang'",
    "account_id = gen_random_uuid()",
    "credential = 'key:1'",
    "address = NULL",
    "request_id = 'x'",
    "action = 'alarm.acknowledge2'",
    "object = 'alarm:4'",
    "result = 'refused'",
    "before = '{}'",
    "after = '{\"n\": 3}'",  # the same JSON, another text
    "hash = previous",
    "previous = hash",
)


async def test_an_edit_of_any_field_is_found(db: Database, chained: AuditTrail) -> None:
    async with db.connection() as conn:
        await conn.execute("ALTER TABLE audit ALTER COLUMN id DROP IDENTITY")
        await conn.execute("CREATE TABLE copy AS SELECT * FROM audit WHERE seq = 4")
        columns = {each["column_name"] for each in await rows(conn, COLUMNS)}
    assert columns == {change.split(" ")[0] for change in CHANGES} | {"seq"}
    for change in CHANGES:
        await tamper(db, f"UPDATE audit SET {change} WHERE seq = 4")
        first = (await chained.verify()).findings[0]
        expected = "reordered" if change.startswith("previous") else "edited"
        assert (first.trouble, first.seq) == (expected, 4), change
        await tamper(db, "DELETE FROM audit WHERE seq = 4", "INSERT INTO audit SELECT * FROM copy")
        assert (await chained.verify()).ok


COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'audit'"


async def test_an_edit_with_all_hashes_made_anew_contradicts_the_anchors(db: Database, chained: AuditTrail) -> None:
    await tamper(db, "UPDATE audit SET actor = 'account:wang' WHERE seq = 7")
    await make_anew(db, 7)
    assert found(await chained.verify()) == [("rewritten", 6)]  # the anchor of 5 still holds
    assert not (await chained.state()).intact


@pytest.mark.parametrize("with_chain", [False, True])
async def test_two_entries_that_changed_places_are_found(db: Database, chained: AuditTrail, with_chain: bool) -> None:
    """`with_chain`: only the contents change places, numbers and hashes stay, so that every link looks right."""
    swap = "UPDATE audit SET seq = CASE seq WHEN 3 THEN 103 WHEN 4 THEN 104 ELSE seq END"
    back = "UPDATE audit SET seq = CASE seq WHEN 103 THEN 4 WHEN 104 THEN 3 ELSE seq END"
    chain = """UPDATE audit a SET previous = b.previous, hash = b.hash FROM audit b
               WHERE (a.seq, b.seq) IN ((3, 4), (4, 3))"""
    await tamper(db, swap, back, *([chain] if with_chain else []))
    first = (await chained.verify()).findings[0]
    assert (first.trouble, first.seq) == ("reordered", 3)


async def test_a_cut_tail_is_missed_even_when_the_trail_has_grown_again(db: Database, chained: AuditTrail) -> None:
    await tamper(db, "DELETE FROM audit WHERE seq > 7", "DELETE FROM installation WHERE key LIKE 'audit%%'")
    assert found(await chained.verify()) == [("cut", 8)]
    assert not (await chained.state()).intact
    await write(db, 6)
    await chained.sealer.seal()
    assert found(await chained.verify()) == [("rewritten", 6)]


async def test_a_trail_that_is_gone_altogether_is_missed(db: Database, chained: AuditTrail) -> None:
    await tamper(db, "TRUNCATE audit")
    assert found(await chained.verify()) == [("cut", 1)]


async def test_anchors_that_were_edited_cut_or_replaced_are_found(db: Database, chained: AuditTrail) -> None:
    path = chained.anchors
    good = path.read_bytes()
    lines = good.splitlines(keepends=True)
    assert len(lines) == 3

    async def troubles() -> list[str]:
        return [each.trouble for each in (await chained.verify()).findings]

    path.write_bytes(lines[0] + lines[1].replace(b'"seq":5', b'"seq":4') + lines[2])
    assert await troubles() == ["anchor_edited"]
    path.write_bytes(lines[0] + lines[2])
    assert await troubles() == ["anchor_edited"]
    path.write_bytes(b"".join(lines[:2]))
    assert await troubles() == ["anchor_cut"]
    path.write_bytes(lines[0] + lines[1] + lines[2][:40])
    assert await troubles() == ["anchor_cut"]
    path.unlink()
    assert await troubles() == ["anchor_missing"]
    await write(db, 1)
    await chained.sealer.seal()
    await chained.anchor()  # a new file
    assert await troubles() == ["anchor_missing"]
    path.write_bytes(good)
    assert "anchor_missing" in await troubles()


async def test_anchors_cannot_be_forged_without_the_key(db: Database, chained: AuditTrail, settings: Settings) -> None:
    other = AuditTrail(db, settings, Sealer(secrets.token_bytes(32)))
    await write(db, 1)
    await chained.sealer.seal()
    await other.anchor()
    assert [(each.trouble, each.line) for each in (await chained.verify()).findings] == [("anchor_edited", 4)]


async def test_a_line_that_a_power_cut_left_unfinished_is_no_tampering(db: Database, chained: AuditTrail) -> None:
    with chained.anchors.open("ab") as file:
        file.write(b'{"n":4,"at":"2026-')
    assert (await chained.verify()).ok
    await write(db, 1)
    await chained.sealer.seal()
    assert await chained.anchor()
    report = await chained.verify()
    assert report.ok and report.anchors == 4 and report.anchored == 11


async def test_an_anchor_that_cannot_be_written_is_an_error_that_says_where(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    trail = AuditTrail(db, replace_settings(settings, tmp_path / "file" / "anchors"), KEY)
    await write(db, 1)
    await trail.sealer.seal()
    with pytest.raises(Unavailable, match="TWIN_AUDIT_ANCHORS"):
        await trail.anchor()


def replace_settings(settings: Settings, anchors: Path) -> Settings:
    return settings.model_copy(update={"audit_anchors": anchors})


async def test_entries_are_numbered_without_gaps_in_the_order_of_their_commits(db: Database) -> None:
    async with db.connection() as slow, db.connection() as quick:
        async with slow.transaction():
            await audit.record(slow, LI, "slow")  # takes the lower id
            await audit.record(quick, LI, "quick")
            assert await seal(quick) == 1
        with pytest.raises(ZeroDivisionError):
            async with slow.transaction():
                await audit.record(slow, LI, "undone")
                raise ZeroDivisionError
        assert await seal_all(quick) == 1
        assert await rows(quick, "SELECT seq, action FROM audit ORDER BY seq") == [
            {"seq": 1, "action": "quick"},
            {"seq": 2, "action": "slow"},
        ]


async def test_two_servers_seal_one_chain_while_many_write(db: Database, settings: Settings) -> None:
    writers, each = 6, 30

    async def writer() -> None:
        for n in range(each):
            async with db.transaction() as conn:
                await audit.record(conn, LI, "alarm.acknowledge", f"alarm:{n}")
                if n % 7 == 0:
                    await conn.execute("SELECT pg_sleep(0.003)")

    async with twin_db.connect(db.url, 4) as other, asyncio.timeout(60):
        sealers = [ChainSealer(server) for server in (db, other)]
        loops = [asyncio.create_task(sealer.run()) for sealer in sealers]
        await asyncio.gather(*(writer() for _ in range(writers)))
        async with db.connection() as conn:
            while (await find_head(conn)).seq < writers * each:
                for sealer in sealers:
                    sealer.wake()
                await asyncio.sleep(0.01)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    report = await verify_database(db, [], KEY)
    assert report.ok and (report.entries, report.last) == (writers * each, writers * each)


async def test_what_waits_is_written_sealed_and_anchored_at_the_end(trail: AuditTrail) -> None:
    trail.batch.add(LI, "account.read", "path:/accounts")
    await trail.close()
    report = await trail.verify()
    assert report.ok and (report.entries, report.unsealed, report.anchored) == (1, 0, 1)
    assert await trail.anchor() is None  # nothing new


async def test_the_server_says_by_itself_that_the_last_anchor_no_longer_holds(
    db: Database, chained: AuditTrail
) -> None:
    await chained.anchor()
    assert chained.intact
    await tamper(db, "DELETE FROM audit WHERE seq = 10")
    await chained.anchor()
    assert not chained.intact


async def test_what_is_cut_between_two_anchors_is_missed(db: Database, chained: AuditTrail) -> None:
    await write(db, 2)
    await chained.sealer.seal()
    await chained.mark()  # a second later, with the next anchor a minute away
    assert (await chained.verify()).ok
    await tamper(db, "DELETE FROM audit WHERE seq > 10")
    assert [kind for kind, _ in found(await chained.verify())] == ["cut"]
    await write(db, 1)
    await chained.sealer.seal()
    await chained.mark()
    assert not chained.intact, "and the file still tells of what was there"
    await write(db, 5)
    await chained.sealer.seal()
    await chained.mark()
    assert [kind for kind, _ in found(await chained.verify())] == ["rewritten"]
    head_file(chained.anchors).write_text('{"at":"2026-05-04T08:00:41Z","seq":11,"hash":"00","mac":"00"}')
    assert "anchor_edited" in [kind for kind, _ in found(await chained.verify())]


async def test_a_part_of_the_chain_can_be_checked(db: Database, chained: AuditTrail) -> None:
    await tamper(db, "UPDATE audit SET actor = 'account:wang' WHERE seq = 4")
    assert (await chained.verify(6)).ok
    assert (await chained.verify(6)).entries == 5
    assert found(await chained.verify(4)) == [("edited", 4)]


async def test_only_old_entries_are_pruned_and_the_rest_stays_verifiable(db: Database, chained: AuditTrail) -> None:
    now = datetime.now(UTC)
    assert await chained.prune(now - timedelta(days=183)) == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # the database counts the days itself
        await chained.prune(now + timedelta(days=1))
    async with db.connection() as conn:
        assert await row(conn, "SELECT count(*) AS n FROM audit") == {"n": 10}

    await tamper(db, "UPDATE audit SET at = at - interval '200 days' WHERE seq <= 7")
    await make_anew(db, 1)
    trail = AuditTrail(db, replace_settings(chained_settings(chained), chained.anchors.with_name("new")), KEY)
    await trail.anchor(now)
    assert await trail.prune(now - timedelta(days=190)) == 7
    await trail.sealer.seal()
    report = await verify_database(db, [trail.anchors], KEY)
    assert [each.trouble for each in report.findings] == ["anchor_missing"]  # the first file, of the old times
    assert (report.first, report.last) == (8, 11)
    state = await trail.state()
    assert state.pruned == 7 and state.intact

    without = trail.anchors.read_bytes().splitlines(keepends=True)
    trail.anchors.write_bytes(b"".join(line for line in without if b"pruned" not in line))
    assert ("deleted", 1) in found(await verify_database(db, [trail.anchors], KEY))


def chained_settings(trail: AuditTrail) -> Settings:
    return Settings(data=trail.anchors.parent)


def test_the_hash_is_what_the_document_says() -> None:
    """Made by hand from docs/audit.md, not with our own function."""
    entry = {
        "seq": "1",
        "id": "1",
        "at": "2026-05-04T08:00:00.123456Z",
        "actor": "account:王芳",
        "account_id": None,
        "credential": None,
        "address": "192.0.2.7",
        "request_id": None,
        "action": "alarm.acknowledge",
        "object": "alarm:1",
        "result": "done",
        "before": None,
        "after": '{"acked":true}',
    }
    message = (
        b"twin-audit-1\n" + bytes(32) + b"1:1" + b"1:1" + b"27:2026-05-04T08:00:00.123456Z"
        b"14:account:\xe7\x8e\x8b\xe8\x8a\xb3" + b"-" + b"-" + b"9:192.0.2.7" + b"-" + b"17:alarm.acknowledge"
        b"7:alarm:1" + b"4:done" + b"-" + b'14:{"acked":true}'
    )
    digest = hashes.Hash(hashes.SM3())
    digest.update(message)
    assert entry_hash(GENESIS, entry) == digest.finalize()
    # SM3 itself, by the example in GB/T 32905-2016, A.1
    example = hashes.Hash(hashes.SM3())
    example.update(b"abc")
    assert example.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_no_two_entries_are_hashed_alike_by_moving_text_between_fields() -> None:
    names = ("seq", "id", "at", "actor", "account_id", "credential", "address", "request_id", "action", "object")
    entry: dict[str, str | None] = dict.fromkeys((*names, "result", "before", "after"))
    entry |= {"seq": "1", "id": "1", "actor": "a", "action": "b", "result": "done"}
    variants = [
        entry,
        entry | {"actor": "a1:b", "action": ""},
        entry | {"actor": "ab", "action": ""},
        entry | {"object": "-"},
        entry | {"object": ""},
        entry | {"actor": "", "action": "ab"},
        entry | {"before": "{}", "after": None},
        entry | {"before": None, "after": "{}"},
    ]
    assert len({entry_hash(GENESIS, each) for each in variants}) == len(variants)


async def test_anchors_are_lines_of_json_that_a_person_can_read(chained: AuditTrail) -> None:
    lines = [json.loads(line) for line in chained.anchors.read_text().splitlines()]
    assert [(line["n"], line["kind"], line["seq"]) for line in lines] == [
        (1, "begin", 0),
        (2, "head", 5),
        (3, "head", 10),
    ]
    assert chained.anchors.stat().st_mode & 0o077 == 0
