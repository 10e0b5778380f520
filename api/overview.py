"""The owner's page in numbers: is the building safe, comfortable, economical, and what is being repaired."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from twin.db import Conn, row, rows
from twin.places import Building

COMFORT_DEG_C: Final = (18.0, 28.0)  # a lived-in room outside this range is not comfortable (GB 50736, 3.0.2)

_ALARMS = """
    SELECT severity, count(*) AS count, count(*) FILTER (WHERE NOT acked) AS unacked FROM alarm
    WHERE building_id = %(building)s AND closed_at IS NULL GROUP BY severity
"""
_ORDERS = """
    SELECT count(*) FILTER (WHERE state IN ('open', 'assigned', 'in_progress', 'done')) AS open,
           count(*) FILTER (WHERE state IN ('open', 'assigned', 'in_progress') AND due_at < now()) AS overdue,
           count(*) FILTER (WHERE closed_at > now() - interval '30 days' AND state = 'verified') AS verified_30_days
    FROM work_order WHERE building_id = %(building)s
"""
_POINTS = """
    SELECT count(*) AS points,
           count(*) FILTER (WHERE l.ts > now() - p.patience AND l.q < 2) AS online
    FROM point p LEFT JOIN latest l ON l.point_id = p.handle
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL
"""
_ROOMS = """
    SELECT count(*) AS rooms, count(*) FILTER (WHERE l.num BETWEEN %(low)s AND %(high)s) AS comfortable,
           avg(l.num) AS mean
    FROM point p JOIN latest l ON l.point_id = p.handle JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL AND p.unit = 'DEG_C' AND l.q < 2
      AND (e.ifc_class = 'IfcSpace' OR e.space_id IS NOT NULL)
      AND coalesce(p.brick_class, '')
          IN ('Zone_Air_Temperature_Sensor', 'Air_Temperature_Sensor', 'Temperature_Sensor', '')
"""
# Meters stand behind each other: where the supply itself is measured, the boards behind it are not added again.
_POWER = """
    SELECT coalesce(sum(l.num) FILTER (WHERE e.ifc_class = 'IfcTransformer'), sum(l.num)) AS power,
           CASE WHEN bool_or(e.ifc_class = 'IfcTransformer') THEN 'supply' ELSE 'meters' END AS power_from
    FROM point p JOIN latest l ON l.point_id = p.handle LEFT JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL AND p.unit = 'KiloW' AND l.q < 2
"""
_SIZE = """
    SELECT count(*) FILTER (WHERE e.ifc_class = 'IfcSpace') AS spaces,
           count(*) FILTER (WHERE e.ifc_class NOT IN ('IfcSpace', 'IfcDistributionPort', 'IfcOpeningElement'))
               AS elements,
           sum(s.area) AS area
    FROM element e JOIN model m ON m.id = e.model_id LEFT JOIN space s ON s.element_id = e.id
    WHERE e.building_id = %(building)s AND e.last_version = m.current_version
"""


@dataclass(frozen=True, slots=True)
class SeverityCount:
    """Open alarms of one severity."""

    severity: str
    count: int
    unacked: int


@dataclass(frozen=True, slots=True)
class Comfort:
    """Rooms that report a temperature, how many of them are comfortable, and their mean (°C)."""

    rooms: int
    comfortable: int
    mean: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Overview:
    """One building now."""

    building_id: UUID
    building: str
    spaces: int
    elements: int
    area: float | None  # m2 of room floors
    alarms: list[SeverityCount]
    orders_open: int
    orders_overdue: int
    orders_verified_30_days: int
    points: int
    points_online: int
    comfort: Comfort
    power: float | None  # kW
    power_from: str  # supply: measured at the transformer; meters: sum of all power meters


async def overview(conn: Conn, building: Building) -> Overview:
    """Return the numbers of a building as they are now."""
    where = {"building": building.id, "low": COMFORT_DEG_C[0], "high": COMFORT_DEG_C[1]}
    alarms = [SeverityCount(**found) for found in await rows(conn, _ALARMS, where)]
    orders = await row(conn, _ORDERS, where) or {}
    points = await row(conn, _POINTS, where) or {}
    rooms = await row(conn, _ROOMS, where) or {}
    power = await row(conn, _POWER, where) or {}
    size = await row(conn, _SIZE, where) or {}
    return Overview(
        building_id=building.id,
        building=building.name,
        **size,
        alarms=alarms,
        orders_open=orders["open"],
        orders_overdue=orders["overdue"],
        orders_verified_30_days=orders["verified_30_days"],
        points=points["points"],
        points_online=points["online"],
        comfort=Comfort(**rooms, low=COMFORT_DEG_C[0], high=COMFORT_DEG_C[1]),
        **power,
    )
