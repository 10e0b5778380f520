"""What goes in is stored once, answered after the commit, and what cannot be used is kept and told."""

import asyncio
import json
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from telemetry import ingest as ingest_module
from telemetry.decode import RawReading, columns_of
from telemetry.ingest import MAX_WAITING, Ingest
from telemetry.points import NewPoint, Value
from telemetry.sources import SourceRef, ensure_source
from telemetry.store import Readings, write_readings
from telemetry.validate import skew_of
from tests.telemetry.conftest import Sink, make_points, source_of
from twin.db import Database, row, rows
from twin.errors import Invalid, TooLarge, Unavailable
from twin.events import Event
from twin.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
TEMPERATURE = NewPoint(key="room.temperature", name="Temperature", kind="number", unit="DEG_C")
PUMP = NewPoint(key="pump.run", name="Pump runs", kind="bool")
MODE = NewPoint(key="ahu.mode", name="Mode", kind="enum", labels={"0": "off", "1": "auto", "2": "hand"})
PANEL = NewPoint(key="panel.text", name="Panel", kind="text")


def reading(key: str = "room.temperature", value: Value = 21.5, seconds: float = 0, **rest: object) -> RawReading:
    return RawReading(key, NOW + timedelta(seconds=seconds), value, **rest)  # type: ignore[arg-type]


def body(*readings: object) -> bytes:
    return json.dumps({"readings": readings}).encode()


def item(key: str = "room.temperature", value: object = 21.5, ts: object = None, **rest: object) -> dict[str, object]:
    return {"point": key, "ts": NOW.isoformat() if ts is None else ts, "value": value, **rest}


async def stored(db: Database) -> list[dict[str, object]]:
    async with db.connection() as conn:
        return await rows(
            conn,
            """SELECT p.key, r.ts, r.num, r.txt, r.q FROM reading r JOIN point p ON p.handle = r.point_id
               ORDER BY p.key, r.ts""",
        )


async def test_a_reading_is_stored_with_its_newest_value_and_reaches_the_sinks(storage: Database) -> None:
    [point] = await make_points(storage, TEMPERATURE)
    sink = Sink()
    async with Ingest(storage, Settings(), [sink]) as ingest:
        receipt = await ingest.submit(await source_of(ingest), [reading(), reading(value=22.0, seconds=10)])
    assert (receipt.accepted, receipt.duplicate, receipt.rejected) == (2, 0, [])
    assert [each["num"] for each in await stored(storage)] == [21.5, 22.0]
    async with storage.connection() as conn:
        latest = await row(conn, "SELECT num, ts FROM latest WHERE point_id = %s", (point.handle,))
        source = await row(conn, "SELECT accepted, duplicate, rejected, seen_at FROM source")
    assert latest == {"num": 22.0, "ts": NOW + timedelta(seconds=10)}
    assert source is not None and (source["accepted"], source["seen_at"] is not None) == (2, True)
    [(handle, _, value, quality)] = [newest for batch in sink.batches for newest in batch.newest()]
    assert (handle, value, quality) == (point.handle, 22.0, 0)


async def test_every_kind_is_stored_as_it_is_meant(storage: Database) -> None:
    await make_points(storage, TEMPERATURE, PUMP, MODE, PANEL)
    async with Ingest(storage, Settings()) as ingest:
        receipt = await ingest.submit_body(
            await source_of(ingest),
            body(
                item(value=21),
                item("pump.run", True),
                item("ahu.mode", "auto"),
                item("ahu.mode", 2, (NOW + timedelta(seconds=1)).isoformat(), quality="uncertain"),
                item("panel.text", "过滤器脏"),
            ),
        )
    assert receipt.rejected == []
    assert [(each["key"], each["num"], each["txt"], each["q"]) for each in await stored(storage)] == [
        ("ahu.mode", 1.0, None, 0),
        ("ahu.mode", 2.0, None, 1),
        ("panel.text", None, "过滤器脏", 0),
        ("pump.run", 1.0, None, 0),
        ("room.temperature", 21.0, None, 0),
    ]


async def test_a_repeat_is_a_duplicate_and_another_value_a_conflict(storage: Database) -> None:
    await make_points(storage, TEMPERATURE, PANEL)
    async with Ingest(storage, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading(), reading("panel.text", "a")])
        again = await ingest.submit(
            source, [reading(), reading(value=30.0), reading("panel.text", "a"), reading(seconds=1)]
        )
        text = await ingest.submit(source, [reading("panel.text", "b")])
    assert (again.accepted, again.duplicate) == (1, 2)
    assert [(each.index, each.code) for each in again.rejected] == [(1, "reading.conflict")]
    assert [each.code for each in text.rejected] == ["reading.conflict"]
    assert [each["num"] or each["txt"] for each in await stored(storage)] == ["a", 21.5, 21.5]
    async with storage.connection() as conn:
        kept = await rows(conn, "SELECT point_key, value, code FROM quarantine ORDER BY id")
    assert kept == [
        {"point_key": "room.temperature", "value": 30.0, "code": "reading.conflict"},
        {"point_key": "panel.text", "value": "b", "code": "reading.conflict"},
    ]


async def test_of_two_values_in_one_request_the_first_one_counts(storage: Database) -> None:
    await make_points(storage, TEMPERATURE)
    async with Ingest(storage, Settings()) as ingest:
        source = await source_of(ingest)
        first = await ingest.submit(source, [reading(value=1.0), reading(value=2.0), reading(value=1.0)])
        second = await ingest.submit(source, [reading(value=2.0), reading(value=1.0)])
    assert (first.accepted, first.duplicate, [each.index for each in first.rejected]) == (1, 1, [1])
    assert (second.accepted, second.duplicate, [each.index for each in second.rejected]) == (0, 1, [0])


async def test_a_late_reading_does_not_replace_the_newest_one(storage: Database) -> None:
    await make_points(storage, TEMPERATURE)
    async with Ingest(storage, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading(value=25.0)])
        await ingest.submit(source, [reading(value=19.0, seconds=-3600)])
    async with storage.connection() as conn:
        assert await row(conn, "SELECT num FROM latest") == {"num": 25.0}


@pytest.mark.clause("6.1.1f")
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_readings_sent_three_times_and_shuffled_are_stored_once(
    readings_db: Database, triples: list[tuple[int, int, int]], shuffle: random.Random
) -> None:
    keys = ["a", "b", "c"]
    async with readings_db.transaction() as conn:
        await conn.execute("TRUNCATE reading, latest, quarantine, point, building CASCADE")
    await make_points(readings_db, *(NewPoint(key=key, name=key, kind="number") for key in keys))
    wanted = {(keys[k], second): float(v) for k, second, v in triples}
    sent = [reading(key, value, second) for (key, second), value in wanted.items()] * 3
    shuffle.shuffle(sent)
    cut = shuffle.randrange(len(sent) + 1)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        receipts = await asyncio.gather(ingest.submit(source, sent[:cut]), ingest.submit(source, sent[cut:]))
    assert sum(receipt.accepted for receipt in receipts) == len(wanted)
    assert sum(receipt.duplicate for receipt in receipts) == 2 * len(wanted)
    assert {(each["key"], each["ts"]): each["num"] for each in await stored(readings_db)} == {
        (key, NOW + timedelta(seconds=second)): value for (key, second), value in wanted.items()
    }
    async with readings_db.connection() as conn:
        latest = await rows(conn, "SELECT p.key, l.ts FROM latest l JOIN point p ON p.handle = l.point_id")
    newest: dict[str, int] = {}
    for key, second in wanted:
        newest[key] = max(second, newest.get(key, 0))
    assert {each["key"]: each["ts"] for each in latest} == {k: NOW + timedelta(seconds=s) for k, s in newest.items()}


async def test_bad_readings_are_told_and_kept_and_the_rest_goes_through(readings_db: Database) -> None:
    limited = NewPoint(key="limited", name="Limited", kind="number", min_value=0, max_value=100)
    await make_points(readings_db, TEMPERATURE, PUMP, MODE, PANEL, limited)
    cases: list[tuple[object, str]] = [
        (item("no.such.point"), "reading.unknown_point"),
        (item("bad\x00key"), "reading.unknown_point"),
        (item(value=math.nan), "reading.not_finite"),
        (item(value=math.inf), "reading.not_finite"),
        (item(value=10**400), "reading.not_finite"),
        (item(value="warm"), "reading.kind"),
        (item(value=True), "reading.kind"),
        (item(value=None), "reading.no_value"),
        (item(value={"a": 1}), "reading.no_value"),
        (item(ts="2099-01-01T00:00:00Z"), "reading.ahead"),
        (item(ts="1969-12-31T23:59:59Z"), "reading.too_old"),
        (item(ts="2026-01-01T00:00:00"), "reading.naive_time"),
        (item(ts="yesterday"), "reading.time"),
        (item(ts=1767225600), "reading.time"),
        (item(quality="excellent"), "reading.quality"),
        (item("pump.run", 2), "reading.kind"),
        (item("pump.run", "on"), "reading.kind"),
        (item("ahu.mode", "turbo"), "reading.label"),
        (item("ahu.mode", 7), "reading.label"),
        (item("ahu.mode", 1.5), "reading.kind"),
        (item("panel.text", 5), "reading.kind"),
        (item("panel.text", "x" * 5000), "reading.text"),
        (item("panel.text", "a\x00b"), "reading.text"),
        (item("panel.text", "\ud800"), "reading.text"),
        (item("limited", 100.5), "reading.range"),
        ({"ts": NOW.isoformat(), "value": 1}, "reading.no_point"),
        ("rubbish", "reading.shape"),
    ]
    good = item(value=20.5)
    async with Ingest(readings_db, Settings()) as ingest:
        receipt = await ingest.submit_body(await source_of(ingest), body(good, *(case for case, _ in cases)))
    assert receipt.accepted == 1
    assert [(each.index, each.code) for each in receipt.rejected] == [(i, code) for i, (_, code) in enumerate(cases, 1)]
    assert all(each.message and "{" not in each.message for each in receipt.rejected)
    async with readings_db.connection() as conn:
        kept = await rows(conn, "SELECT code FROM quarantine ORDER BY id")
        source = await row(conn, "SELECT accepted, rejected FROM source")
    assert sorted(each["code"] for each in kept) == sorted(code for _, code in cases)
    assert source == {"accepted": 1, "rejected": len(cases)}


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"", "readings.not_json"), (b"{", "readings.not_json"), (b"\xff\xfe", "readings.not_json"),
     (b"[]", "readings.body"), (b'{"readings": 5}', "readings.body"), (b"[" * 100_000, "readings.not_json")],
)  # fmt: skip
async def test_a_body_that_holds_no_readings_is_refused_as_a_whole(
    readings_db: Database, text: bytes, code: str
) -> None:
    async with Ingest(readings_db, Settings()) as ingest:
        with pytest.raises(Invalid) as refused:
            await ingest.submit_body(await source_of(ingest), text)
    assert refused.value.code == code


async def test_too_many_readings_are_refused_before_any_is_stored(readings_db: Database) -> None:
    async with Ingest(readings_db, Settings(readings_limit=3)) as ingest:
        with pytest.raises(TooLarge):
            await ingest.submit_body(await source_of(ingest), body(*[item()] * 4))


async def test_a_naive_time_is_refused(readings_db: Database) -> None:
    async with Ingest(readings_db, Settings()) as ingest:
        with pytest.raises(Invalid) as refused:
            await ingest.submit(await source_of(ingest), [RawReading("a", NOW.replace(tzinfo=None), 1.0)])
    assert refused.value.code == "reading.naive_time"


async def test_a_failing_sink_costs_no_reading_and_no_other_sink(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    sink = Sink()

    async def broken(batch: object) -> None:
        raise RuntimeError("a sink broke")

    async with Ingest(readings_db, Settings(), [broken, sink]) as ingest:
        source = await source_of(ingest)
        for second in range(3):
            assert (await ingest.submit(source, [reading(seconds=second)])).accepted == 1
    assert len(sink.readings()) == 3 == len(await stored(readings_db))


async def test_sinks_get_only_what_is_new(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    sink = Sink()
    async with Ingest(readings_db, Settings(), [sink]) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading()])
        await ingest.submit(source, [reading(), reading(value=1.0), reading(seconds=5)])
    assert sum(len(batch) for batch in sink.batches) == 2


async def test_a_full_line_answers_busy_and_what_waits_is_stored(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading()])
        waiting = asyncio.create_task(ingest.submit(source, [reading(seconds=1)]))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await ingest.submit(source, [reading(seconds=2)] * MAX_WAITING)
        assert refused.value.code == "ingest.busy"
        assert (await waiting).accepted == 1
    assert len(await stored(readings_db)) == 2


async def test_closing_stores_what_is_in_line(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading()])
        waiting = [asyncio.create_task(ingest.submit(source, [reading(seconds=n)])) for n in range(1, 30)]
        await asyncio.sleep(0)
    assert [(await each).accepted for each in waiting] == [1] * 29
    with pytest.raises(Unavailable):
        await ingest.submit(source, [reading(seconds=99)])


async def test_a_database_that_goes_away_is_told_and_ingest_goes_on_afterwards(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading()])
        async with readings_db.listener() as conn:
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        outcomes = [await asyncio.gather(ingest.submit(source, [reading(seconds=n)]), return_exceptions=True)
                    for n in range(1, 20)]  # fmt: skip
    flat = [outcome for [outcome] in outcomes]
    assert all(isinstance(each, Unavailable) or each.accepted == 1 for each in flat)  # type: ignore[union-attr]
    assert not isinstance(flat[-1], Unavailable)
    acknowledged = 1 + sum(not isinstance(each, BaseException) for each in flat)
    assert len(await stored(readings_db)) >= acknowledged


async def test_a_changed_point_is_judged_by_its_new_facts(readings_db: Database) -> None:
    [point] = await make_points(readings_db, TEMPERATURE)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        assert (await ingest.submit(source, [reading()])).accepted == 1
        async with readings_db.transaction() as conn:
            await conn.execute("UPDATE point SET retired_at = now()")
        event = Event(1, point.building_id, None, "point", {"handle": point.handle}, NOW)
        await ingest.on_events([event])
        refused = await ingest.submit(source, [reading(seconds=1)])
    assert [each.code for each in refused.rejected] == ["reading.retired_point"]


async def test_a_clock_that_is_a_day_off_shows_in_its_source(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE)
    async with Ingest(readings_db, Settings()) as ingest:
        for second in range(5):
            await ingest.submit(await source_of(ingest), [reading(seconds=86_400 + second)])
    async with readings_db.connection() as conn:
        found = await row(conn, "SELECT clock_skew FROM source")
    assert found is not None
    assert timedelta(hours=23) < found["clock_skew"] < timedelta(hours=25)


async def test_readings_of_a_point_that_is_gone_with_its_building_do_no_lasting_harm(readings_db: Database) -> None:
    await make_points(readings_db, TEMPERATURE, PUMP)
    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading(), reading("pump.run", True)])
        async with readings_db.transaction() as conn:
            await conn.execute("DELETE FROM point WHERE key = 'pump.run'")
        with pytest.raises(Unavailable):
            await ingest.submit(source, [reading(seconds=1), reading("pump.run", True, 1)])
        receipt = await ingest.submit(source, [reading(seconds=1), reading("pump.run", True, 1)])
    assert (receipt.accepted, [each.code for each in receipt.rejected]) == (1, ["reading.unknown_point"])


async def test_what_is_rolled_back_leaves_neither_history_nor_a_newest_value(storage: Database) -> None:
    [point] = await make_points(storage, TEMPERATURE)
    one = np.array([point.handle])
    readings = Readings(one, np.array([1_767_225_600_000_000]), np.array([1.0]), np.zeros(1, np.uint8), one * 0)
    with pytest.raises(RuntimeError):
        async with storage.transaction() as conn:
            source = await ensure_source(conn, "s", "http")
            readings.source[:] = source.id
            assert (await write_readings(conn, readings)).tolist() == [0]
            raise RuntimeError("the power went")
    async with storage.connection() as conn:
        assert await rows(conn, "SELECT 1 FROM latest UNION ALL SELECT 1 FROM reading") == []


async def test_two_servers_that_store_the_same_readings_at_once_store_them_once(storage: Database) -> None:
    await make_points(storage, TEMPERATURE, PUMP)
    sent = [reading(value=float(n), seconds=n) for n in range(400)]
    async with Ingest(storage, Settings()) as one, Ingest(storage, Settings()) as other:
        source = await source_of(one)
        shuffled = random.Random(3).sample(sent, len(sent))
        receipts = await asyncio.gather(*(
            ingest.submit(source, part[i : i + 50])
            for i in range(0, 400, 50)
            for ingest, part in ((one, sent), (other, shuffled))
        ))  # fmt: skip
    assert sum(receipt.accepted for receipt in receipts) == 400
    assert sum(receipt.duplicate for receipt in receipts) == 400
    assert len(await stored(storage)) == 400


async def test_history_waits_for_live_data_and_gets_its_turn_all_the_same(
    readings_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One piece of it after four batches of live data, and all of it once those end."""
    await make_points(readings_db, TEMPERATURE)
    monkeypatch.setattr(ingest_module, "MAX_ROWS", 1)  # each submission is a batch
    order: list[str] = []

    async def send(ingest: Ingest, source: SourceRef, what: str, second: int, *, live: bool) -> None:
        await ingest.submit_columns(source, columns_of([reading(seconds=-second)]), live=live)
        order.append(what)

    async with Ingest(readings_db, Settings()) as ingest:
        source = await source_of(ingest)
        await ingest.submit(source, [reading()])  # the point is known: nobody has to wait for a look-up
        waiting = [send(ingest, source, "history", n, live=False) for n in range(1, 4)]
        waiting += [send(ingest, source, "live", n, live=True) for n in range(4, 13)]
        await asyncio.gather(*waiting)
    assert "".join(each[0] for each in order) == "lllhllllhllh", "the first live one has had its turn above"


@pytest.mark.clause("6.1.1f")
@pytest.mark.parametrize(
    ("minutes_ago", "skew_min"),
    [
        ([0, 0.1, -0.1], 0),  # of one moment: the middle one
        (range(15), 0),  # a quarter of an hour gathered in between and sent at once
        (range(1440), 0),  # a day at once: the newest is of now
        (range(120, 135), -120),  # a clock that is two hours slow
        (range(10_000, 20_000, 5), None),  # a history that somebody sends
        (range(-30, 1440), 30),  # whatever is ahead of us is wrong
        ([], None),
    ],
)
def test_a_clock_is_judged_by_the_newest_and_not_by_history(minutes_ago: Sequence[float], skew_min: int | None) -> None:
    now = 1_772_366_400_000_000
    ts = np.array([now - round(each * 60e6) for each in minutes_ago], np.int64)
    handles, ahead = np.zeros(len(ts), np.int64), 3_600_000_000
    found = skew_of(handles, ts, now, ahead)
    assert found == (skew_min if skew_min is None else pytest.approx(skew_min * 60e6))
    if (
        len(ts) > 100 and skew_min is not None
    ):  # of three points, one with a battery that is empty and one that lives in 2099
        three, odd = np.concatenate([handles, handles + 1, [7, 1]]), [now - 10**15, now + 10**15]
        assert skew_of(three, np.concatenate([ts, ts, odd]), now, ahead) == pytest.approx(skew_min * 60e6)
