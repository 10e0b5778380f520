"""What meters count in a period: whole, begun within, silent, exchanged, in another unit, and after retention."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.consumption import Meter, Period, Used, list_meters, medium_of, read_used, together
from telemetry.points import NewPoint
from tests.telemetry.conftest import make_months, make_points
from twin.db import Database

START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period(START, START + timedelta(days=31))
ENERGY = "Energy_Sensor"


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def about(amount: float, *, complete: bool, since: datetime | None = None) -> Used:
    return Used(pytest.approx(amount), complete, since)  # type: ignore[arg-type]


async def count(db: Database, handle: int, *readings: tuple[float, float]) -> None:
    async with db.transaction() as conn, conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO reading (point_id, ts, num, q, stored_at) VALUES (%s, %s, %s, 0, now())",
            [(handle, day(at), value) for at, value in readings],
        )


def meter(key: str, unit: str = "KiloW-HR", brick: str = ENERGY) -> NewPoint:
    return NewPoint(key=key, name=key, kind="number", unit=unit, brick_class=brick)


@pytest.mark.clause("8.4.8a")
@pytest.mark.clause("8.4.8c")
async def test_a_period_is_counted_from_the_readings_next_to_its_edges(readings_db: Database) -> None:
    await make_months(readings_db, day(-40), day(80))
    keys = ("whole", "begun", "stopped", "across", "exchanged", "cut", "empty")
    points = await make_points(readings_db, *(meter(key) for key in keys), meter("mega", "MegaW-HR"))
    handle = {point.key: point.handle for point in points}
    # Read at odd moments: both edges lie between two readings.
    await count(readings_db, handle["whole"], (-1, 90), (1, 110), (15, 200), (30, 390), (32, 410))
    await count(readings_db, handle["begun"], (10, 5), (20, 25), (31.5, 48))
    await count(readings_db, handle["stopped"], (-0.5, 0), (0.5, 10), (12, 100))
    await count(readings_db, handle["across"], (-1, 0), (32, 330))  # silent all month, and heard on both sides
    await count(readings_db, handle["exchanged"], (0, 900), (10, 1000), (10.5, 0), (30, 70), (31, 80))
    await count(readings_db, handle["mega"], (0, 1.0), (31, 1.5))
    await count(readings_db, handle["cut"], (20, 60), (31, 90))
    async with readings_db.transaction() as conn:  # retention took the readings before the twentieth and left the hour
        await conn.execute("INSERT INTO history_cut (point_id, raw_from) VALUES (%s, %s)", (handle["cut"], day(20)))
        await conn.execute(
            """INSERT INTO rollup_1h
                 (point_id, ts, n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted)
               VALUES (%(p)s, %(t)s, 2, 2, 61, 30, 31, 30, 31, %(t)s, %(t)s + interval '30 min', 0, 0)""",
            {"p": handle["cut"], "t": day(0)},
        )
    async with readings_db.connection() as conn:
        meters = await list_meters(conn, points[0].building_id)
        assert {each.key for each in meters} == {*keys, "mega"}
        used, before = await read_used(conn, meters, [MARCH, Period(day(-365), day(-334))])
    assert before == {}, "nobody counted a year ago"
    by_key = {key: used.get(number) for key, number in handle.items()}
    assert by_key["whole"] == about(300.0, complete=True)
    assert by_key["begun"] == about(47.0 - 5.0, complete=False, since=day(10))
    assert by_key["stopped"] == about(95.0, complete=False)
    assert by_key["across"] == about(310.0, complete=True)
    assert by_key["exchanged"] == about(100 + 0 + 80, complete=True)
    assert by_key["mega"] == about(500.0, complete=True), "in kWh"
    assert by_key["cut"] is not None and by_key["cut"].amount == pytest.approx(60.0, abs=0.5)
    assert by_key["empty"] is None
    _sums(meters, used)


def _sums(meters: list[Meter], used: dict[int, Used]) -> None:
    chosen = {each.key: each for each in meters}
    assert together(used, [chosen["whole"], chosen["mega"]]) == about(800.0, complete=True)
    assert not together(used, [chosen["whole"], chosen["empty"]]).complete, "one meter says nothing"
    assert together(used, [chosen["begun"], chosen["whole"]]).since == day(10)
    assert together(used, [chosen["empty"]]) == Used(None, complete=False)


@pytest.mark.parametrize(
    ("unit", "brick", "kind", "medium"),
    [
        ("KiloW-HR", "Energy_Sensor", None, "electricity"),
        ("GigaJ", "Thermal_Energy_Usage_Sensor", None, "heat"),
        ("L", "Water_Usage_Sensor", None, "water"),
        ("M3", None, "GASMETER", "gas"),
        ("M3", "Energy_Sensor", None, None),  # cubic metres are no energy
        ("KiloW", "Energy_Sensor", None, None),  # nor is power
        ("M3", None, None, None),  # a tank's content is not used
        ("KiloW-HR", "Energy_Generation_Sensor", "ENERGYMETER", None),  # what is made is not used
    ],
)
def test_what_a_point_counts_is_known_by_its_class_and_unit(
    unit: str, brick: str | None, kind: str | None, medium: str | None
) -> None:
    assert medium_of(unit, brick, kind) == medium
