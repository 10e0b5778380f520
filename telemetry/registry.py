"""What ingest must know of a point to judge a reading, by key and by handle, kept in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from telemetry.dimensions import scale
from telemetry.points import Kind
from twin.db import Conn, rows

NUMBER, BOOL, ENUM, TEXT = 1, 2, 3, 4  # 0: no such point
KIND_CODES: Final[Mapping[str, int]] = {"number": NUMBER, "bool": BOOL, "enum": ENUM, "text": TEXT}


@dataclass(frozen=True, slots=True)
class PointInfo:
    """The facts of a point that decide what becomes of its readings."""

    handle: int
    id: UUID
    key: str
    kind: Kind
    building_id: UUID
    labels: dict[str, str] | None
    min_value: float | None
    max_value: float | None
    writable: bool
    retired: bool
    derived: bool = False  # worked out by the server: nobody else's readings are taken
    scale: tuple[float, float] = (1.0, 0.0)  # (a, b): a reading x is kept as a * x + b, in the point's unit
    aliases: list[str] = field(default_factory=list, compare=False)  # addresses of its device that were asked for


_BY_KEY: Final = """
    SELECT p.handle, p.id, p.key, p.kind, p.building_id, p.labels, p.min_value, p.max_value, p.writable,
           p.retired_at IS NOT NULL AS retired, p.unit, p.reading_unit, k.key AS asked,
           EXISTS (SELECT FROM derived d WHERE d.point_id = p.handle) AS derived
    FROM unnest(%(keys)s::text[]) AS k(key) JOIN point p ON p.key = k.key
    UNION ALL
    SELECT p.handle, p.id, p.key, p.kind, p.building_id, p.labels, p.min_value, p.max_value, p.writable,
           false, p.unit, p.reading_unit, k.key, EXISTS (SELECT FROM derived d WHERE d.point_id = p.handle)
    FROM unnest(%(keys)s::text[]) AS k(key)
    JOIN LATERAL (SELECT min(h.point_id) AS handle FROM point_hardware h JOIN point q ON q.handle = h.point_id
                  WHERE h.address = k.key AND upper_inf(h.during) AND q.retired_at IS NULL
                  HAVING count(*) = 1) one ON true
    JOIN point p ON p.handle = one.handle
    WHERE NOT EXISTS (SELECT FROM point o WHERE o.key = k.key)
"""
# A point's key comes first; else the address of a device that is in place, unless several points have it.


class PointRegistry:
    """Points by key; kinds and ranges as arrays over the handle. Filled on demand, forgotten on events."""

    def __init__(self) -> None:
        self.handles: dict[str, int] = {}
        self.infos: dict[int, PointInfo] = {}
        self.kinds: NDArray[np.uint8] = np.zeros(1024, np.uint8)
        self.low: NDArray[np.float64] = np.full(1024, -np.inf)
        self.high: NDArray[np.float64] = np.full(1024, np.inf)
        self.factor: NDArray[np.float64] = np.ones(1024)
        self.shift: NDArray[np.float64] = np.zeros(1024)
        self.derived: NDArray[np.bool_] = np.zeros(1024, bool)
        self.derives = False  # any of them is a derived point
        self.converts = False  # any point's readings come in another unit

    async def load(self, conn: Conn, keys: Collection[str]) -> None:
        """Look up the points of these keys, or of the devices with these addresses; the others stay unknown."""
        found = await rows(conn, _BY_KEY, {"keys": [key for key in keys if "\x00" not in key]})
        for each in found:
            self._add(each)

    def _add(self, found: Mapping[str, Any]) -> None:
        facts = dict(found)
        asked, unit, reading_unit = facts.pop("asked"), facts.pop("unit"), facts.pop("reading_unit")
        info = PointInfo(**facts, scale=scale(reading_unit, unit))
        while info.handle >= len(self.kinds):
            self.kinds = np.concatenate([self.kinds, np.zeros_like(self.kinds)])
            self.low = np.concatenate([self.low, np.full_like(self.low, -np.inf)])
            self.high = np.concatenate([self.high, np.full_like(self.high, np.inf)])
            self.factor = np.concatenate([self.factor, np.ones_like(self.factor)])
            self.shift = np.concatenate([self.shift, np.zeros_like(self.shift)])
            self.derived = np.concatenate([self.derived, np.zeros_like(self.derived)])
        before = self.infos.get(info.handle)
        info.aliases.extend(before.aliases if before else ())
        if asked != info.key:
            info.aliases.append(asked)
        self.handles[asked] = info.handle
        self.infos[info.handle] = info
        self.kinds[info.handle] = 0 if info.retired else KIND_CODES[info.kind]
        self.low[info.handle] = -np.inf if info.min_value is None else info.min_value
        self.high[info.handle] = np.inf if info.max_value is None else info.max_value
        self.factor[info.handle], self.shift[info.handle] = info.scale
        self.derived[info.handle] = info.derived
        self.derives |= info.derived
        self.converts |= info.scale != (1.0, 0.0)

    def forget(self, handle: int) -> None:
        """Drop a point that changed: its next reading looks it up again."""
        info = self.infos.pop(handle, None)
        if info is not None:
            for key in (info.key, *info.aliases):
                self.handles.pop(key, None)

    def clear(self) -> None:
        """Drop everything: points changed in ways unknown."""
        self.handles.clear()
        self.infos.clear()
