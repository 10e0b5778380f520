"""A point's history as hourly values on the clock of its site: what statistics are made from.

An hour that the clocks skip is unknown; of the hour that comes twice the mean is taken. A gap is filled with the value
before it as long as that may hold (`stale_after`); longer ones stay unknown.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from telemetry.aggregate import Span, read_buckets
from telemetry.buckets import parse_bucket
from telemetry.history import zone_of
from telemetry.points import Point
from twin.db import Conn, row
from twin.errors import Invalid

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hourly:
    """Values of local hours from `start` (naive, local) on; NaN: unknown."""

    start: datetime
    zone: ZoneInfo
    values: NDArray[np.float64]  # (n,)

    def moments(self, first: int, count: int) -> list[list[datetime]]:
        """The hours (UTC) of `count` local hours from number `first` on: none where the clocks skip it, or two."""
        return [_moments(self.start + (first + i) * HOUR, self.zone) for i in range(count)]


def _moments(local: datetime, zone: ZoneInfo) -> list[datetime]:
    found = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == local and moment not in found:
            found.append(moment)
    return found


def must_have_numbers(point: Point) -> None:
    """Raise Invalid `statistics.kind` for texts and enums: they have no mean."""
    if point.kind in ("text", "enum"):
        raise Invalid("statistics.kind", where="point", point=point.key, kind=point.kind)


async def site_zone(conn: Conn, point: Point) -> ZoneInfo:
    """The zone that a point's days are cut in."""
    found = await row(conn, "SELECT time_zone FROM point WHERE handle = %s", (point.handle,))
    return ZoneInfo((found and found["time_zone"]) or await zone_of(conn, point.building_id))


async def patience_of(conn: Conn, point: Point) -> timedelta:
    """For how long a reading of the point holds."""
    found = await row(conn, "SELECT patience FROM point WHERE handle = %s", (point.handle,))
    patience: timedelta = found["patience"] if found else HOUR
    return patience


async def read_hourly(conn: Conn, point: Point, start: datetime, end: datetime, now: datetime) -> Hourly:
    """Time-weighted hourly means of [start, end), both cut to whole hours. Raises Invalid `statistics.kind`."""
    must_have_numbers(point)
    zone, patience = await site_zone(conn, point), await patience_of(conn, point)
    first = start.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    stop = end.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    count = max(0, int((stop - first) / HOUR))
    values = np.full(count, np.nan)
    if not count:
        return Hourly(first, zone, values)
    span = Span(first.replace(tzinfo=zone).astimezone(UTC), end, parse_bucket("1h"), zone, now)
    items = await read_buckets(conn, point.handle, span, ["twa", "last"], sampling=point.sampling)
    total, times = np.zeros(count), np.zeros(count, np.int64)
    for item in items:
        at = int((item["ts"].astimezone(zone).replace(tzinfo=None) - first) / HOUR)
        if 0 <= at < count:
            total[at] += item["twa"]
            times[at] += 1
    values[times > 0] = total[times > 0] / times[times > 0]
    _hold(values, items, first, zone, int(patience / HOUR))
    return Hourly(first, zone, values)


def _hold(values: NDArray[np.float64], items: list[dict[str, Any]], first: datetime, zone: ZoneInfo, most: int) -> None:
    """Fill up to `most` hours after an hour with readings with the last of them."""
    if most < 1:
        return
    for item in items:
        at = int((item["ts"].astimezone(zone).replace(tzinfo=None) - first) / HOUR)
        for after in range(at + 1, min(at + 1 + most, len(values))):
            if after < 1 or np.isfinite(values[after]):
                break
            values[after] = item["last"]
