"""The simulator: a source like any other, for demos and tests. Its models are in `sim_behaviours`.

Values are a deterministic function of seed, time and the commands given. Live, a point speaks when its value has
changed, and at least once a minute.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from telemetry.commands import Command, CommandFailed
from telemetry.history import zone_of
from telemetry.ingest import Ingest
from telemetry.sim_behaviours import values_of
from telemetry.sim_models import Building, SimPoint
from telemetry.sim_world import Fault, FaultKind, Floats, World, hash_of
from telemetry.sources import SourceRef, ensure_source
from twin.db import Conn, Database, rows
from twin.errors import Unavailable

log = structlog.get_logger()

TICK_S: Final = 5.0
SPEAK_S: Final = 60.0  # a point that does not change speaks so often
CHUNK: Final = 10_000  # readings of one submission while history is made
SHOW: Final[Sequence[tuple[float, FaultKind, float]]] = (
    (45.0, "overheat", 900.0),
    (150.0, "pump_trip", 420.0),
    (330.0, "high_co", 480.0),
    (600.0, "leak", 300.0),
)  # s after the start of a demo, what fails, for how many s
# How much a value must change to be worth a reading.
STEPS: Final[dict[str, float]] = {
    "room_temperature": 0.1, "room_co2": 10, "room_humidity": 1, "outside_temperature": 0.1, "outside_humidity": 1,
    "garage_co": 0.5, "pump_flow": 0.2, "pump_pressure": 2, "tank_level": 0.01, "filter_pressure": 2,
    "ahu_supply_temperature": 0.1, "energy_meter": 0.05, "power": 0.05, "voltage": 0.5, "current": 1,
    "transformer_temperature": 0.2, "water_meter": 0.01, "lift_position": 0.05,
}  # fmt: skip

_POINTS: LiteralString = """
    SELECT p.handle, p.key, p.properties->>'sim' AS sim, p.kind, p.unit,
           coalesce(p.element_id::text, p.key) AS element,
           coalesce(room.id::text, e.storey_id::text, p.building_id::text) AS place,
           coalesce(e.storey_id::text, p.building_id::text) AS storey,
           concat_ws(' ', p.name, room.name, room.long_name, storey.name) AS text,
           coalesce(space.area, 20.0) AS area
    FROM point p LEFT JOIN element e ON e.id = p.element_id
    LEFT JOIN element room ON room.id = CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END
    LEFT JOIN space ON space.element_id = room.id LEFT JOIN storey ON storey.id = e.storey_id
    WHERE p.building_id = %s AND p.retired_at IS NULL AND p.properties->>'sim' IS NOT NULL ORDER BY p.key
"""


class Simulator:
    """Speaks for all points of a building that have `properties.sim`. A `CommandTarget` for the writable ones.

    `await load()` first; then `backfill` makes history, `run` goes on live until cancelled.
    """

    def __init__(
        self, ingest: Ingest, db: Database, building_id: UUID, seed: int = 1, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._ingest = ingest
        self._db = db
        self._building_id = building_id
        self._seed = seed
        self._clock = clock
        self._source: SourceRef | None = None
        self.model = Building(World(seed, UTC), [])
        self._handles: dict[int, SimPoint] = {}
        self._spoken: dict[str, tuple[float, float]] = {}  # key → (s since 1970, value)

    async def load(self) -> int:
        """Read the points and what was commanded before; returns how many points there are."""
        async with self._db.transaction() as conn:
            points = [SimPoint(**each) for each in await rows(conn, _POINTS, (self._building_id,))]
            world = World(self._seed, ZoneInfo(await zone_of(conn, self._building_id)))
            model = Building(world, points, await self._lift_stops(conn))
            await self._recall(conn, model)
            name = f"simulator:{self._building_id}"
            self._source = await ensure_source(
                conn, name, "simulator", building_id=self._building_id, interval=timedelta(seconds=SPEAK_S)
            )
        self.model = model
        self._handles = {point.handle: point for point in points}
        return len(points)

    async def _lift_stops(self, conn: Conn) -> list[float]:
        found = await rows(
            conn,
            "SELECT elevation FROM storey WHERE building_id = %s AND elevation IS NOT NULL ORDER BY elevation",
            (self._building_id,),
        )
        heights = [float(each["elevation"]) for each in found]
        # The entrance is the storey nearest to 0; the car's position is its height above it.
        entrance = min(heights, key=abs, default=0.0)
        above = [round(height - entrance, 2) for height in heights if height >= entrance]
        return above if len(above) > 1 else []

    async def _recall(self, conn: Conn, model: Building) -> None:
        """Take up what was commanded before a restart."""
        found = await rows(
            conn,
            """SELECT p.key, c.value, c.sent_at FROM command c JOIN point p ON p.handle = c.point_id
               WHERE p.building_id = %s AND c.state = 'verified' AND p.kind <> 'text' ORDER BY c.sent_at""",
            (self._building_id,),
        )
        for each in found:
            model.command(each["key"], each["sent_at"].timestamp(), float(each["value"]))

    async def backfill(
        self, start: datetime, end: datetime, step: timedelta, handles: Collection[int] | None = None
    ) -> int:
        """Make the history of [start, end) at every `step`, of these points (None: all); how many readings are new."""
        times = np.arange(start.timestamp(), end.timestamp(), step.total_seconds())
        micros = np.rint(times * 1e6).astype(np.int64)
        accepted = 0
        keys: list[str] = []
        stamps, values = [], []
        for point in self.model.points.values():
            if handles is not None and point.handle not in handles:
                continue
            keys += [point.key] * len(times)
            stamps.append(micros)
            values.append(values_of(self.model, point, times))
            await asyncio.sleep(0)  # the server goes on meanwhile
            if len(keys) >= CHUNK:
                accepted += await self._store(keys, np.concatenate(stamps), np.concatenate(values))
                keys, stamps, values = [], [], []
        if keys:
            accepted += await self._store(keys, np.concatenate(stamps), np.concatenate(values))
        log.info("simulator.history", points=len(self.model.points), readings=accepted)
        return accepted

    async def _store(self, keys: list[str], micros: NDArray[np.int64], values: Floats) -> int:
        assert self._source is not None, "load() first"
        accepted = 0
        for i in range(0, len(keys), CHUNK):
            part = slice(i, i + CHUNK)
            receipt = await self._ingest.submit_arrays(self._source, keys[part], micros[part], values[part], live=False)
            accepted += receipt.accepted
        return accepted

    def show_faults(self, at: float) -> None:
        """Let one fault after the other happen from `at` (s since 1970) on, so that a demo has something to show."""
        for after, kind, length in SHOW:
            victims = self.model.world.victims.get(kind)
            if victims:
                victim = victims[hash_of(self._seed, "show", kind) % len(victims)]
                self.model.world.extra.append(Fault(kind, victim, at + after, at + after + length))

    async def run(self) -> None:
        """Speak live until cancelled."""
        while True:
            begun = time.monotonic()
            try:
                await self.tick(self._clock())
            except Unavailable as error:
                log.warning("simulator.not_stored", reason=str(error))
            await asyncio.sleep(max(0.2, TICK_S - (time.monotonic() - begun)))

    async def tick(self, now: float) -> int:
        """Store what has changed at `now` (s since 1970); returns how many readings that were."""
        assert self._source is not None, "load() first"
        t = np.array([now])
        keys, values = [], []
        for i, point in enumerate(self.model.points.values()):
            if i % 40 == 39:
                await asyncio.sleep(0)  # the server goes on meanwhile
            value = float(values_of(self.model, point, t)[0])
            at, before = self._spoken.get(point.key, (0.0, np.nan))
            if now - at >= SPEAK_S or not abs(value - before) < STEPS.get(point.sim, 1e-9):
                keys.append(point.key)
                values.append(value)
        if not keys:
            return 0
        stamps = np.full(len(keys), round(now * 1e6), np.int64)
        receipt = await self._ingest.submit_arrays(self._source, keys, stamps, np.array(values))
        self._spoken.update({key: (now, value) for key, value in zip(keys, values, strict=True)})
        return receipt.accepted

    def sets(self, handle: int) -> bool:
        """Whether the point is one of this simulator's (`CommandTarget`)."""
        return handle in self._handles

    async def send(self, command: Command) -> None:
        """Take a command; the point reports its new value at once (`CommandTarget`)."""
        point = self._handles[command.handle]
        if self._source is None or isinstance(command.value, str):
            raise CommandFailed("the simulator sets numbers and states only")
        now = self._clock()
        self.model.command(point.key, now, float(command.value))
        value = values_of(self.model, point, np.array([now]))
        stamp = np.array([round(now * 1e6)], np.int64)
        await self._ingest.submit_arrays(self._source, [point.key], stamp, value)
        self._spoken[point.key] = (now, float(value[0]))
