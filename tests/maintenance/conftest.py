"""A small building for the tests: a pump in a pump room in the basement, with an asset, a point and people."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import hypothesis
import numpy as np
import numpy.typing as npt
import pytest

from identity import Actor, permissions_of
from maintenance.alarm_table import microseconds
from maintenance.alarms import AlarmEngine
from maintenance.rules import AlarmRule, RuleInput, create_rule
from twin import assets, places
from twin.db import Conn, Database, row, rows
from twin.settings import Settings

hypothesis.settings.register_profile("twin", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("twin")

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # a Monday, 12:00 in Shanghai


def someone(name: str, *roles: str) -> Actor:
    return Actor(f"account:{name}", roles, permissions_of(roles))


ADMIN = someone("admin", "administrator")
ENGINEER = someone("zhao", "facility_engineer")
LI = someone("li", "crew")
WANG = someone("wang", "crew")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def one(conn: Conn, sql: LiteralString, *params: Any) -> Any:
    """The first value of the first row."""
    found = await row(conn, sql, params)
    assert found is not None
    return next(iter(found.values()))


@dataclass(frozen=True)
class World:
    """What the tests play with. The pump is 1 m long, in the middle of its room."""

    building: UUID
    storey: UUID
    room: UUID
    pump: UUID
    valve: UUID
    pump_type: UUID
    system: UUID
    asset: UUID
    handle: int
    point: str = "b1.pump.temp"


async def build(conn: Conn) -> World:
    """Make the building, in the caller's transaction."""
    building = (await places.create_building(conn, "Tower")).id
    storey = await one(
        conn, "INSERT INTO storey (building_id, name, elevation) VALUES (%s, 'B1', -4.0) RETURNING id", building
    )
    model = await one(
        conn, "INSERT INTO model (building_id, name, current_version) VALUES (%s, 'mep', 1) RETURNING id", building
    )
    pump_type = await one(
        conn,
        "INSERT INTO element_type (model_id, global_id, ifc_class, name)"
        " VALUES (%s, '2type0000000000000000A', 'IfcPumpType', 'P-50') RETURNING id",
        model,
    )

    async def element(n: int, ifc_class: str, name: str, bbox: list[float], space: UUID | None = None) -> UUID:
        made: UUID = await one(
            conn,
            "INSERT INTO element (model_id, building_id, global_id, ifc_class, name, bbox, storey_id, space_id,"
            " type_id, content_hash, first_version, last_version)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '', 1, 1) RETURNING id",
            model,
            building,
            f"2element00000000000{n:03}",
            ifc_class,
            name,
            [float(value) for value in bbox],
            storey,
            space,
            pump_type if ifc_class == "IfcPump" else None,
        )
        return made

    room = await element(1, "IfcSpace", "Pump room", [0, 0, -4, 6, 4, -1])
    pump = await element(2, "IfcPump", "Pump 1", [2.5, 1.5, -4, 3.5, 2.5, -3], room)
    valve = await element(3, "IfcValve", "Valve 1", [1, 1, -3, 1.2, 1.2, -2.8], room)
    for name, ancestor in [("IfcPump", "IfcPump"), ("IfcPump", "IfcElement"), ("IfcValve", "IfcElement")]:
        await conn.execute("INSERT INTO ifc_class VALUES (%s, %s)", (name, ancestor))
    system = await one(
        conn,
        "INSERT INTO element_group (model_id, building_id, global_id, ifc_class, name, last_version)"
        " VALUES (%s, %s, '2system00000000000001A', 'IfcDistributionSystem', 'Domestic water', 1) RETURNING id",
        model,
        building,
    )
    for member in (pump, valve):
        await conn.execute("INSERT INTO element_group_member VALUES (%s, %s)", (system, member))
    asset = (await assets.create_asset(conn, building, "P-001", "Pump 1")).id
    await assets.bind_asset(conn, asset, pump, since=NOON - timedelta(days=1))
    handle = await one(
        conn,
        "INSERT INTO point (building_id, key, name, kind, unit, element_id, expected_interval)"
        " VALUES (%s, 'b1.pump.temp', 'Bearing temperature', 'number', 'DEG_C', %s, '10 minutes') RETURNING handle",
        building,
        pump,
    )
    for actor in (ADMIN, ENGINEER, LI, WANG):
        await conn.execute(
            """WITH made AS (INSERT INTO account (name, password_hash) VALUES (%s, '') RETURNING id)
               INSERT INTO role_grant (account_id, role, granted_by) SELECT id, unnest(%s::text[]), 'cli' FROM made""",
            (actor.account, list(actor.roles)),
        )
    return World(building, storey, room, pump, valve, pump_type, system, asset, handle)


@pytest.fixture
async def world(conn: Conn) -> World:
    """The building on the connection that is rolled back."""
    return await build(conn)


@pytest.fixture
async def site(db: Database) -> World:
    """The building in a database of its own, for tests with several connections."""
    async with db.transaction() as conn:
        return await build(conn)


@dataclass
class Clock:
    """A clock that stands still until it is told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Batch:
    """As ingest hands it out."""

    handles: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    num: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


@dataclass
class Plant:
    """The engine at work on the building, and a hand that sends readings."""

    db: Database
    site: World
    clock: Clock
    engine: AlarmEngine
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def store(self, *readings: tuple[float, float] | tuple[float, float, int]) -> Batch:
        """Commit readings `(second, value[, quality])` as ingest does, without telling the engine."""
        full = [(second, value, rest[0] if rest else 0) for second, value, *rest in readings]
        async with self.db.transaction() as conn:
            for second, value, quality in full:
                await conn.execute(
                    "INSERT INTO latest (point_id, ts, num, q) VALUES (%s, %s, %s, %s) ON CONFLICT (point_id) DO UPDATE"
                    " SET ts = excluded.ts, num = excluded.num, q = excluded.q WHERE excluded.ts >= latest.ts",
                    (self.site.handle, at(second), value, quality),
                )
        return Batch(
            np.full(len(full), self.site.handle, np.int64),
            np.array([microseconds(at(second)) for second, _, _ in full], np.int64),
            np.array([value for _, value, _ in full], np.float64),
            np.array([quality for _, _, quality in full], np.uint8),
        )

    async def send(self, *readings: tuple[float, float] | tuple[float, float, int]) -> None:
        """Commit readings, hand them to the engine and wait until it is through; the clock follows them."""
        batch = await self.store(*readings)
        self.clock.now = max(self.clock.now, at(max(reading[0] for reading in readings)))
        await self.engine(batch)
        await self.engine.settle()

    async def wait_until(self, second: float) -> None:
        self.clock.now = at(second)
        await self.engine.settle()

    async def rule(self, **fields: Any) -> AlarmRule:
        given: dict[str, Any] = {"name": "Hot bearing", "kind": "high", "limit": 80.0, "severity": "high"}
        async with self.db.transaction() as conn:
            rule = await create_rule(conn, ADMIN, self.site.point, RuleInput(**{**given, **fields}))
        self.engine.rules_changed()
        await self.engine.settle()
        return rule

    async def rows(self, sql: LiteralString, *params: Any) -> list[dict[str, Any]]:
        async with self.db.connection() as conn:
            return await rows(conn, sql, params)

    async def history(self) -> list[str]:
        return [each["kind"] for each in await self.rows("SELECT kind FROM alarm_event ORDER BY id")]


Running = Callable[[], AbstractAsyncContextManager[AlarmEngine]]


@asynccontextmanager
async def running(engine: AlarmEngine) -> AsyncIterator[AlarmEngine]:
    """An engine that runs inside the block; leaving it is as abrupt as a kill."""
    task = asyncio.create_task(engine.run())
    try:
        await engine.settle()
        yield engine
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def plant(db: Database, site: World, settings: Settings) -> AsyncIterator[Plant]:
    clock = Clock()
    async with running(AlarmEngine(db, settings, clock)) as engine:
        yield Plant(db, site, clock, engine)


def columns(found: Sequence[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found]
