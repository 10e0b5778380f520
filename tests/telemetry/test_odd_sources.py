"""Sources that do what no source should: everything is counted, nothing breaks, the others go on."""

import asyncio
import time
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import telemetry
from telemetry.decode import RawReading, columns_of
from telemetry.ingest import Ingest
from telemetry.payloads import decoder_of
from telemetry.points import NewPoint, Value
from tests.telemetry.conftest import make_points
from tests.telemetry.odd_messages import KEYS, MAPS, Message, odd_messages
from twin.db import Database, row, rows
from twin.errors import Unavailable
from twin.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 100_000
ALL_CODES = {
    code
    for code in tomllib.loads((Path(str(telemetry.__file__)).parent / "messages.toml").read_text("utf-8"))
    if code.startswith("payload.")
}


async def all_counted(db: Database, messages: list[Message]) -> Counter[str]:
    """Give every message to seven decoders and what they find to ingest; what became of them, by code.

    Every message is readings, refusals or empty; every reading and refusal is stored, a duplicate or in quarantine, and
    what the database holds in the end is what was counted.
    """
    await make_points(db, *(NewPoint(key=key, name="T", kind="number") for key in KEYS))
    became: Counter[str] = Counter()
    async with Ingest(db, Settings(), clock=NOW.timestamp) as ingest:
        for number, mapping in enumerate(MAPS):
            source, decoder = await ingest.source(f"mqtt:{number}", "mqtt"), decoder_of(mapping)
            for start in range(0, len(messages), 2_000):
                part = enumerate(messages[start : start + 2_000], start)
                decoded = [decoder.decode(*message, NOW - timedelta(milliseconds=i)) for i, message in part]
                columns = columns_of([each for one in decoded for each in one.readings])
                columns.refused += [each for one in decoded for each in one.refused]
                receipt = await ingest.submit_columns(source, columns)
                found = sum(len(one.readings) + len(one.refused) for one in decoded)
                assert receipt.accepted + receipt.duplicate + len(receipt.rejected) == found
                became["empty"] += sum(not one.readings and not one.refused for one in decoded)
                became += Counter(accepted=receipt.accepted, duplicate=receipt.duplicate)
                became += Counter(each.code for each in receipt.rejected)
    refused = {code: n for code, n in became.items() if "." in code}
    async with db.connection() as conn:
        told = await row(
            conn,
            """SELECT sum(accepted)::int AS accepted, sum(duplicate)::int AS duplicate,
                      sum(rejected)::int AS rejected, (SELECT count(*) FROM reading) AS stored,
                      (SELECT count(*) FROM quarantine) AS kept FROM source""",
        )
        codes = await rows(conn, "SELECT code, count(*) AS n FROM quarantine GROUP BY code")
    assert told == {
        "accepted": became["accepted"], "duplicate": became["duplicate"], "rejected": sum(refused.values()),
        "stored": became["accepted"], "kept": sum(refused.values()),
    }  # fmt: skip
    assert {each["code"]: each["n"] for each in codes} == refused
    return became


def test_odd_messages_are_different_ones_of_every_kind() -> None:
    messages = odd_messages(1_000)
    assert len(set(messages)) == 1_000
    assert len({payload for _, payload in messages}) > 800
    assert len({topic for topic, _ in messages}) > 50


async def test_whatever_a_broker_brings_is_counted(readings_db: Database) -> None:
    became = await all_counted(readings_db, odd_messages(1_500))
    assert became["accepted"] > 20
    assert became.keys() >= {
        "empty",
        "payload.topic",
        "payload.unreadable",
        "payload.no_value",
        "reading.unknown_point",
    }


@pytest.mark.drill
@pytest.mark.timeout(3000)
async def test_a_hundred_thousand_different_messages_are_counted(readings_db: Database) -> None:
    messages = odd_messages(MANY)
    assert len(set(messages)) == MANY
    began = time.process_time()
    became = await all_counted(readings_db, messages)
    assert {code for code in became if code.startswith("payload.")} == ALL_CODES - {"payload.large"}
    print(f"{MANY} different messages, by {len(MAPS)} decoders: {dict(became.most_common())}; "
          f"{len({payload for _, payload in messages})} payloads, {len({topic for topic, _ in messages})} topics, "
          f"{time.process_time() - began:.0f} s of processor time")  # fmt: skip


async def test_two_writers_a_day_at_once_and_a_kind_that_changes(readings_db: Database) -> None:
    db = readings_db
    await make_points(db, NewPoint(key="T", name="T", kind="number"), NewPoint(key="on", name="on", kind="bool"))
    day = [RawReading("T", NOW - timedelta(seconds=8 * i), float(i)) for i in range(10_800)]
    async with Ingest(db, Settings()) as ingest:
        one, two = await ingest.source("key:one"), await ingest.source("key:two")
        receipts = await asyncio.gather(*(ingest.submit(who, day) for who in (one, two, one)))
        assert [(each.accepted, each.duplicate) for each in receipts] == [(10_800, 0), (0, 10_800), (0, 10_800)]
        at = NOW + timedelta(seconds=1)
        fought = await asyncio.gather(
            *(ingest.submit(who, [RawReading("T", at, v)]) for who, v in ((one, 1.0), (two, 2.0)))
        )
        assert [(each.accepted, [r.code for r in each.rejected]) for each in fought] == [
            (1, []),
            (0, ["reading.conflict"]),
        ]
        values: list[Value] = [True, "on", 3.0]
        mixed = await ingest.submit(
            one, [RawReading("T", at + timedelta(seconds=i), value) for i, value in enumerate(values, 1)]
        )
        assert (mixed.accepted, [each.code for each in mixed.rejected]) == (1, ["reading.kind", "reading.kind"])
        states: list[Value] = [1.0, True, 0.5]
        bools = await ingest.submit(
            one, [RawReading("on", at + timedelta(seconds=i), value) for i, value in enumerate(states)]
        )
        assert (bools.accepted, [each.index for each in bools.rejected]) == (2, [2])


async def test_a_point_that_is_deleted_while_its_readings_are_on_the_way_costs_only_its_own(
    readings_db: Database,
) -> None:
    db = readings_db
    await make_points(db, NewPoint(key="stays", name="s", kind="number"), NewPoint(key="goes", name="g", kind="number"))
    sent = [RawReading("stays", NOW, 1.0), RawReading("goes", NOW, 1.0)]
    async with Ingest(db, Settings()) as ingest:
        source = await ingest.source("key:one")
        await ingest.submit(source, [RawReading(each.point, each.ts - timedelta(seconds=1), 0.0) for each in sent])
        async with db.transaction() as conn:  # ingest does not hear of it: no event
            await conn.execute("DELETE FROM point WHERE key = 'goes'")
        with pytest.raises(Unavailable, match="send"):
            await ingest.submit(source, sent)
        receipt = await ingest.submit(source, sent)  # as it is told to
        assert (receipt.accepted, [each.code for each in receipt.rejected]) == (1, ["reading.unknown_point"])
    async with db.connection() as conn:
        kept = await rows(conn, "SELECT p.key FROM latest l JOIN point p ON p.handle = l.point_id")
        count = await row(conn, "SELECT accepted, rejected FROM source")
    assert (kept, count) == ([{"key": "stays"}], {"accepted": 3, "rejected": 1})
