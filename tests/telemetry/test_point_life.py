"""A point outlives its devices: another unit, another device, out of use and back; the history stays what it was."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.live import LivePoint
from identity.actor import CLI
from telemetry.decode import RawReading
from telemetry.hardware import NewHardware, end_hardware, list_hardware, put_hardware
from telemetry.ingest import Ingest
from telemetry.point_facts import wrong_fields
from telemetry.points import NewPoint, PointFilter, get_point, list_points, update_point
from telemetry.sources import ensure_source
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database, row, rows
from twin.errors import Conflict, Invalid
from twin.events import Event
from twin.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
AHU = NewPoint(key="ahu3.supply", name="Supply", kind="number", unit="DEG_C", min_value=-20, max_value=60)


@pytest_asyncio.fixture
async def ingest(readings_db: Database) -> AsyncIterator[Ingest]:
    async with Ingest(readings_db, Settings()) as made:
        yield made


def reading(key: str, value: float | bool | str, seconds: float = 0) -> RawReading:
    return RawReading(key, NOW + timedelta(seconds=seconds), value)


async def told(db: Database, ingest: Ingest) -> None:
    """Hand ingest the events written so far, as a server does after each commit."""
    async with db.connection() as conn:
        found = await rows(conn, "SELECT building_id, storey_id, topic, data, at FROM event ORDER BY id")
    await ingest.on_events([Event(seq=n, **each) for n, each in enumerate(found, 1)])


async def values(db: Database, key: str) -> list[float]:
    async with db.connection() as conn:
        found = await rows(
            conn,
            "SELECT r.num FROM reading r JOIN point p ON p.handle = r.point_id WHERE p.key = %s ORDER BY r.ts",
            (key,),
        )
    return [each["num"] for each in found]


async def refused(db: Database) -> list[tuple[str, str, object]]:
    async with db.connection() as conn:
        found = await rows(conn, "SELECT point_key, code, value FROM quarantine ORDER BY id")
    return [(each["point_key"], each["code"], each["value"]) for each in found]


async def test_readings_in_another_unit_are_kept_in_the_points_and_refused_as_they_came(
    readings_db: Database, ingest: Ingest
) -> None:
    await make_points(readings_db, NewPoint(**{**_facts(AHU), "reading_unit": "DEG_F"}))
    source = await source_of(ingest)
    receipt = await ingest.submit(source, [reading("ahu3.supply", 68), reading("ahu3.supply", 212, 60)])
    assert receipt.accepted == 1 and receipt.rejected[0].code == "reading.range"
    assert await values(readings_db, "ahu3.supply") == [pytest.approx(20.0)]
    await ingest.submit(source, [reading("ahu3.supply", 70)])
    assert await refused(readings_db) == [
        ("ahu3.supply", "reading.range", 212),
        ("ahu3.supply", "reading.conflict", 70),
    ]


async def test_the_unit_of_a_history_changes_only_where_it_was_written_down_wrongly(
    readings_db: Database, ingest: Ingest
) -> None:
    [point] = await make_points(readings_db, AHU)
    async with readings_db.transaction() as conn:
        await update_point(conn, CLI, point.id, {"unit": "K", "min_value": None, "max_value": None}, now=NOW)
        await update_point(conn, CLI, point.id, {"unit": "DEG_C"}, now=NOW)
    await ingest.submit(await source_of(ingest), [reading("ahu3.supply", 68)])
    async with readings_db.transaction() as conn:
        with pytest.raises(Conflict, match="reading_unit") as answer:
            await update_point(conn, CLI, point.id, {"unit": "DEG_F"}, now=NOW)
        assert answer.value.code == "point.unit_history"
        with pytest.raises(Invalid, match="see the fields"):
            await update_point(conn, CLI, point.id, {"reading_unit": "PA"}, now=NOW)
        changed = await update_point(conn, CLI, point.id, {"unit": "DEG_F"}, now=NOW, relabel=True)
    assert (changed.unit, changed.quantity, changed.latest and changed.latest.value) == ("DEG_F", "Temperature", 68.0)
    assert await values(readings_db, "ahu3.supply") == [68.0], "history is never rewritten"


@pytest.mark.clause("6.3f-2")
async def test_a_replaced_device_leaves_the_history_and_says_until_when_it_measured(
    readings_db: Database, ingest: Ingest
) -> None:
    [point] = await make_points(readings_db, AHU)
    week = timedelta(days=7)
    async with readings_db.transaction() as conn:
        await ensure_source(conn, "gateway", "http")
        old = NewHardware(device="TF-1001", address="eui-1", source="gateway", start=NOW - week)
        await put_hardware(conn, CLI, point.id, old, now=NOW)
    source = await source_of(ingest)
    assert (await ingest.submit(source, [reading("eui-1", 20)])).accepted == 1
    async with readings_db.transaction() as conn:
        new = NewHardware(device="TF-2002", address="eui-2", note="battery empty")
        await put_hardware(conn, CLI, point.id, new, now=NOW)
        with pytest.raises(Conflict, match="TF-2002"):
            await put_hardware(conn, CLI, point.id, NewHardware(device="x", start=NOW - week), now=NOW)
    await told(readings_db, ingest)
    receipt = await ingest.submit(
        source, [reading("eui-1", 21, 60), reading("eui-2", 22, 120), reading("ahu3.supply", 23, 180)]
    )
    assert (receipt.accepted, receipt.rejected[0].code) == (2, "reading.unknown_point"), "the old device is gone"
    assert await values(readings_db, "ahu3.supply") == [20.0, 22.0, 23.0]
    async with readings_db.transaction() as conn:
        [then] = await list_hardware(conn, point, at=NOW - timedelta(days=1))
        assert (then.device, then.source, then.start, then.end) == ("TF-1001", "gateway", NOW - week, NOW)
        gone = await end_hardware(conn, CLI, point.id, at=NOW + timedelta(seconds=1), now=NOW)
        assert [each.device for each in await list_hardware(conn, point)] == ["TF-2002", "TF-1001"]
        assert gone.end == NOW + timedelta(seconds=1)
        with pytest.raises(Conflict, match="no device"):
            await end_hardware(conn, CLI, point.id, at=NOW, now=NOW)
        entry = await row(conn, "SELECT count(*) AS n FROM audit WHERE action = 'point.hardware'")
        assert entry and entry["n"] == 3


async def test_an_address_that_two_points_have_is_nobodys(readings_db: Database, ingest: Ingest) -> None:
    points = await make_points(readings_db, AHU, NewPoint(key="other", name="Other", kind="number"))
    async with readings_db.transaction() as conn:
        for point in points:
            await put_hardware(conn, CLI, point.id, NewHardware(device="d", address="40001"), now=NOW)
    receipt = await ingest.submit(await source_of(ingest), [reading("40001", 20)])
    assert receipt.rejected[0].code == "reading.unknown_point"


@pytest.mark.clause("6.3f-1", "6.3f-2")
async def test_a_retired_point_takes_nothing_keeps_everything_and_comes_back(
    readings_db: Database, ingest: Ingest
) -> None:
    [point] = await make_points(readings_db, AHU)
    source = await source_of(ingest)
    await ingest.submit(source, [reading("ahu3.supply", 20)])
    async with readings_db.transaction() as conn:
        await put_hardware(conn, CLI, point.id, NewHardware(device="TF-1"), now=NOW)
        retired = await update_point(conn, CLI, point.id, {}, now=NOW, retired=True)
        assert not retired.stale and (await list_points(conn)).items == []
        assert [each.key for each in (await list_points(conn, PointFilter(retired=True))).items] == ["ahu3.supply"]
        with pytest.raises(Conflict, match="restore it first"):
            await put_hardware(conn, CLI, point.id, NewHardware(device="TF-2"), now=NOW)
    await told(readings_db, ingest)
    receipt = await ingest.submit(source, [reading("ahu3.supply", 21, 60)])
    assert receipt.rejected[0].code == "reading.retired_point"
    assert await values(readings_db, "ahu3.supply") == [20.0]
    async with readings_db.transaction() as conn:
        await update_point(conn, CLI, point.id, {}, now=NOW, retired=False)
        assert [each.device for each in await list_hardware(conn, point)] == ["TF-1"]
    await told(readings_db, ingest)
    assert (await ingest.submit(source, [reading("ahu3.supply", 22, 120)])).accepted == 1


async def test_points_are_found_by_what_they_are(readings_db: Database) -> None:
    facts = {"kind": "number", "unit": "DEG_C"}
    await make_points(
        readings_db,
        NewPoint(key="a", name="A", brick_class="Supply_Air_Temperature_Sensor", tags=("critical", "AHU 3"), **facts),  # type: ignore[arg-type]
        NewPoint(key="b", name="B", brick_class="Temperature_Sensor", stale_after=400, **facts),  # type: ignore[arg-type]
        NewPoint(key="c", name="C", kind="bool", labels={"0": "closed", "1": "open"}, time_zone="Asia/Shanghai"),
    )
    async with readings_db.transaction() as conn:
        await conn.execute("UPDATE point SET created_at = now() - interval '8 minutes'")

        async def keys(**wanted: object) -> str:
            return "".join(each.key for each in (await list_points(conn, PointFilter(**wanted))).items)  # type: ignore[arg-type]

        assert await keys(brick_class="Temperature_Sensor") == "ab"
        assert await keys(tag="critical") == "a" and await keys(kind="bool") == "c" and await keys(bound=True) == ""
        assert await keys(stale=True) == "b", (
            "silent for 8 minutes: over its 400 s, within three intervals of the others"
        )
        assert (await get_point(conn, "c")).labels == {"0": "closed", "1": "open"}


async def test_a_bool_may_come_as_its_label(readings_db: Database, ingest: Ingest) -> None:
    await make_points(readings_db, NewPoint(key="d", name="D", kind="bool", labels={"0": "closed", "1": "open"}))
    receipt = await ingest.submit(await source_of(ingest), [reading("d", "open"), reading("d", "ajar", 60)])
    assert (receipt.accepted, receipt.rejected[0].code) == (1, "reading.kind")


def test_changes_within_the_deadband_are_not_told_but_drift_quality_and_signs_of_life_are() -> None:
    minute = 60_000_000
    point = LivePoint(1, "k", "number", None, None, "K", (None, None), None, deadband=0.5, interval=5 * minute)  # type: ignore[arg-type]
    given = [(20.0, 0), (20.4, 0), (20.2, 0), (20.5, 0), (20.1, 0), (20.1, 2), (20.1, 0), (20.1, 0)]
    shown = [point.take(value, n * minute, quality) for n, (value, quality) in enumerate(given)]
    assert shown == [True, False, False, True, False, True, True, False]
    assert point.value == 20.1, "what is not told is known all the same"
    assert point.take(20.1, 12 * minute, 0), "a sign of life"


def _facts(point: NewPoint) -> dict[str, Any]:
    return {name: getattr(point, name) for name in point.__dataclass_fields__}


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"reading_unit": "KiloW"}, "reading_unit", "point.reading_unit"),
        ({"quantity": "Power"}, "quantity", "point.quantity_unit"),
        ({"brick_class": "Temprature_Sensor"}, "brick_class", "point.brick_class"),
        ({"deadband": -1.0}, "deadband", "point.deadband"),
        ({"stale_after": 10.0}, "stale_after", "point.stale_after"),
        ({"time_zone": "Mars/Base"}, "time_zone", "point.time_zone"),
        ({"tags": ("a;b",)}, "tags", "point.tags"),
        ({"min_value": float("nan")}, "min_value", "point.not_finite"),
        ({"kind": "bool", "unit": None, "labels": {"2": "half"}}, "labels", "point.labels"),
        ({"kind": "enum", "unit": None, "labels": {"0": "on", "1": "on"}}, "labels", "point.label_texts"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_of_a_point_is_named(wrong: dict[str, object], field: str, code: str) -> None:
    plain = {**_facts(AHU), "min_value": None, "max_value": None, **wrong}
    found = wrong_fields(NewPoint(**plain))
    assert [(each.field, each.code) for each in found] == [(field, code)]
    assert "{" not in found[0].text("en").replace('{"0"', "") and found[0].text("zh") != code
