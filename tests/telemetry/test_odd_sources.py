"""Sources that do what no source should: everything is counted, nothing breaks, the others go on."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.decode import RawReading, columns_of
from telemetry.ingest import Ingest
from telemetry.payloads import MessageMap, decoder_of
from telemetry.points import NewPoint, Value
from tests.telemetry.conftest import make_points
from twin.db import Database, row, rows
from twin.errors import Unavailable
from twin.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPS = (
    MessageMap(topic="site/{device}/{metric}", key="{device}.{metric}"),
    MessageMap(format="json", topic="#", key="{topic}", value="$.v", ts="$.t", quality="$.q"),
    MessageMap(format="json", topic="{device}/#", key="{device}.{metric}", metrics="$.all", value="$.v"),
    MessageMap(format="thingsboard", topic="v1/devices/{device}/telemetry", key="{device}.{metric}"),
    MessageMap(format="thingsboard", topic="v1/gateway/telemetry", key="{device}.{metric}"),
    MessageMap(format="chirpstack", topic="application/{app}/device/{eui}/event/up", key="{device}.{metric}"),
    MessageMap(format="sparkplug", key="{group}/{node}/{device}/{metric}"),
)
TOPICS = ("site/a/T", "a/b", "v1/devices/d/telemetry", "v1/gateway/telemetry", "application/1/device/e/event/up",
          "spBv1.0/G/NBIRTH/N", "spBv1.0/G/DDATA/N/D")  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["v", "t", "q", "all", "ts", "values", "object", "T"]) | st.text(max_size=4), inner, max_size=4
    ),
    max_leaves=8,
)  # fmt: skip
payloads = st.binary(max_size=60) | anything.map(lambda each: json.dumps(each).encode())
topics = st.sampled_from(TOPICS) | st.text(max_size=20)
message = st.tuples(topics, payloads)
MANY = 100_000


async def all_counted(db: Database, sent: list[tuple[str, bytes]]) -> None:
    decoders = [decoder_of(each) for each in MAPS]
    async with Ingest(db, Settings(), clock=NOW.timestamp) as ingest:
        source = await ingest.source("mqtt:odd", "mqtt")
        for decoder in decoders:
            readings, refused = [], []
            for topic, payload in sent:
                decoded = decoder.decode(topic, payload, NOW)
                readings += decoded.readings
                refused += decoded.refused
            columns = columns_of(readings)
            columns.refused += refused
            if readings or refused:
                receipt = await ingest.submit_columns(source, columns)
                counted = receipt.accepted + receipt.duplicate + len(receipt.rejected)
                assert counted == len(readings) + len(refused)


@given(st.lists(message, min_size=1, max_size=100))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_a_broker_brings_is_counted(readings_db: Database, sent: list[tuple[str, bytes]]) -> None:
    await all_counted(readings_db, sent)


@pytest.mark.drill
@pytest.mark.timeout(3000)
@pytest.mark.drill
@pytest.mark.timeout(3000)
async def test_a_hundred_thousand_messages_are_counted(readings_db: Database) -> None:
    """By seven decoders each, through the one door."""
    made: dict[tuple[str, bytes], None] = {}  # each is another one

    @given(st.lists(st.tuples(topics, st.binary(min_size=2, max_size=80) | payloads), min_size=25, max_size=25))
    @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def collect(sent: list[tuple[str, bytes]]) -> None:
        made.update(dict.fromkeys(sent))

    while len(made) < MANY:
        collect()
    messages = list(made)
    for start in range(0, len(messages), 500):
        await all_counted(readings_db, messages[start : start + 500])
    async with readings_db.connection() as conn:
        found = await row(conn, "SELECT count(*) AS kept, (SELECT rejected FROM source) AS told FROM quarantine")
    assert found and found["kept"] == found["told"] >= MANY
    print(f"{len(made)} different messages, {found['kept']} refusals kept")


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
