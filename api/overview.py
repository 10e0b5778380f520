"""The owner's page in numbers: is the building safe, comfortable, economical, and what is being repaired."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

from api.safety import Safety, Spot, safety
from twin.db import Conn, row, rows
from twin.places import Building

COMFORT_DEG_C: Final = (18.0, 28.0)  # a lived-in room outside this range is not comfortable (GB 50736, 3.0.2)
MOST_WORKS: Final = 5

_ALARMS = """
    SELECT severity, count(*) AS count, count(*) FILTER (WHERE NOT acked) AS unacked FROM alarm
    WHERE building_id = %(building)s AND closed_at IS NULL GROUP BY severity
"""
_ORDERS = """
    SELECT count(*) FILTER (WHERE state IN ('open', 'assigned', 'in_progress', 'done')) AS open,
           count(*) FILTER (WHERE state IN ('open', 'assigned', 'in_progress') AND due_at < now()) AS overdue,
           count(*) FILTER (WHERE closed_at > now() - interval '30 days' AND state = 'verified') AS verified_30_days,
           count(*) FILTER (WHERE done_at > now() - interval '90 days' AND due_at IS NOT NULL) AS timed,
           count(*) FILTER (WHERE done_at > now() - interval '90 days' AND done_at <= due_at) AS in_time
    FROM work_order WHERE building_id = %(building)s
"""
_RATINGS = """
    SELECT count(*) AS count, avg(r.stars)::float8 AS stars FROM work_order_rating r
    JOIN work_order w ON w.id = r.work_order_id
    WHERE w.building_id = %(building)s AND r.rated_at > now() - interval '90 days'
"""
# What comes next: orders by when they are due, and plans whose orders are not made yet. In two weeks, five at most.
_WORKS = """
    SELECT * FROM (
      SELECT 'order' AS kind, w.id, w.number, w.title, w.due_at, w.state, w.storey_id, w.space_id, w.element_id
      FROM work_order w WHERE w.building_id = %(building)s AND w.state IN ('open', 'assigned', 'in_progress')
        AND w.due_at < now() + interval '14 days'
      UNION ALL
      SELECT 'plan', p.id, NULL, p.name, p.next_due, 'planned', e.storey_id, e.space_id, e.id
      FROM plan p LEFT JOIN element e ON e.id = p.element_id
      WHERE p.building_id = %(building)s AND p.enabled AND p.deleted_at IS NULL
        AND p.next_due < now() + interval '14 days') AS works
    ORDER BY due_at, kind, id LIMIT %(most)s
"""
_ALARM_SPOTS = """
    SELECT storey_id, space_id, CASE WHEN severity IN ('critical', 'high') THEN 'bad' ELSE 'warn' END AS tone
    FROM alarm WHERE building_id = %(building)s AND closed_at IS NULL AND storey_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 3, 1, 2 LIMIT 200
"""
_ORDER_SPOTS = """
    SELECT storey_id, space_id, CASE WHEN bool_or(due_at < now()) THEN 'bad' ELSE 'warn' END AS tone
    FROM work_order WHERE building_id = %(building)s AND state IN ('open', 'assigned', 'in_progress')
      AND storey_id IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 200
"""
_ROOM_SPOTS = """
    SELECT e.storey_id, CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS space_id,
           CASE WHEN bool_and(l.num BETWEEN %(low)s AND %(high)s) THEN 'ok' ELSE 'bad' END AS tone
    FROM point p JOIN latest l ON l.point_id = p.handle JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL AND p.unit = 'DEG_C' AND l.q < 2
      AND (e.ifc_class = 'IfcSpace' OR e.space_id IS NOT NULL)
      AND coalesce(p.brick_class, '')
          IN ('Zone_Air_Temperature_Sensor', 'Air_Temperature_Sensor', 'Temperature_Sensor', '')
    GROUP BY 1, 2 ORDER BY 3, 1, 2 LIMIT 2000
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
class Work:
    """An order that is to be done, or a plan that falls due. `state`: of the order, or planned."""

    kind: str  # order | plan
    id: UUID
    number: int | None
    title: str
    due_at: datetime
    state: str
    storey_id: UUID | None
    space_id: UUID | None
    element_id: UUID | None


@dataclass(frozen=True, slots=True)
class Service:
    """The last 90 days: orders done that had a due time, those done by then, and what people think (1 to 5 stars)."""

    timed: int
    in_time: int
    ratings: int
    stars: float | None


@dataclass(frozen=True, slots=True)
class Spots:
    """Where in the building, by what it is about."""

    alarms: list[Spot]
    comfort: list[Spot]
    orders: list[Spot]
    works: list[Spot]


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
    safety: Safety
    service: Service
    works: list[Work]  # due within two weeks, the next five
    spots: Spots
    at: datetime  # when this was true, on the server's clock


async def overview(conn: Conn, building: Building) -> Overview:
    """Return the numbers of a building as they are now."""
    where = {"building": building.id, "low": COMFORT_DEG_C[0], "high": COMFORT_DEG_C[1], "most": MOST_WORKS}
    alarms = [SeverityCount(**found) for found in await rows(conn, _ALARMS, where)]
    orders = await row(conn, _ORDERS, where) or {}
    points = await row(conn, _POINTS, where) or {}
    rooms = await row(conn, _ROOMS, where) or {}
    power = await row(conn, _POWER, where) or {}
    size = await row(conn, _SIZE, where) or {}
    ratings = await row(conn, _RATINGS, where) or {}
    works = [Work(**found) for found in await rows(conn, _WORKS, where)]
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
        safety=await safety(conn, building.id),
        service=Service(orders["timed"], orders["in_time"], ratings["count"], ratings["stars"]),
        works=works,
        spots=Spots(
            await _spots(conn, _ALARM_SPOTS, where),
            await _spots(conn, _ROOM_SPOTS, where),
            await _spots(conn, _ORDER_SPOTS, where),
            [Spot(each.storey_id, each.space_id, each.element_id, "warn") for each in works if each.storey_id],
        ),
        at=datetime.now(UTC),
    )


async def _spots(conn: Conn, query: LiteralString, where: Mapping[str, object]) -> list[Spot]:
    return [Spot(element_id=None, **found) for found in await rows(conn, query, where)]
