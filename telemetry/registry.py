"""What ingest must know of a point to judge a reading, by key and by handle, kept in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

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


class PointRegistry:
    """Points by key; kinds and ranges as arrays over the handle. Filled on demand, forgotten on events."""

    def __init__(self) -> None:
        self.handles: dict[str, int] = {}
        self.infos: dict[int, PointInfo] = {}
        self.kinds: NDArray[np.uint8] = np.zeros(1024, np.uint8)
        self.low: NDArray[np.float64] = np.full(1024, -np.inf)
        self.high: NDArray[np.float64] = np.full(1024, np.inf)

    async def load(self, conn: Conn, keys: Collection[str]) -> None:
        """Look up the points of these keys; those that no point has stay unknown."""
        found = await rows(
            conn,
            """SELECT handle, id, key, kind, building_id, labels, min_value, max_value, writable,
                      retired_at IS NOT NULL AS retired FROM point WHERE key = ANY(%s)""",
            ([key for key in keys if "\x00" not in key],),
        )
        for each in found:
            self._add(each)

    def _add(self, found: Mapping[str, Any]) -> None:
        info = PointInfo(**found)
        while info.handle >= len(self.kinds):
            self.kinds = np.concatenate([self.kinds, np.zeros_like(self.kinds)])
            self.low = np.concatenate([self.low, np.full_like(self.low, -np.inf)])
            self.high = np.concatenate([self.high, np.full_like(self.high, np.inf)])
        self.handles[info.key] = info.handle
        self.infos[info.handle] = info
        self.kinds[info.handle] = 0 if info.retired else KIND_CODES[info.kind]
        self.low[info.handle] = -np.inf if info.min_value is None else info.min_value
        self.high[info.handle] = np.inf if info.max_value is None else info.max_value

    def forget(self, handle: int) -> None:
        """Drop a point that changed: its next reading looks it up again."""
        info = self.infos.pop(handle, None)
        if info is not None:
            self.handles.pop(info.key, None)

    def clear(self) -> None:
        """Drop everything: points changed in ways unknown."""
        self.handles.clear()
        self.infos.clear()
