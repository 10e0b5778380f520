"""Rooms by the newest value of a quantity: the classes of a heat map (6.1.4c)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10
from typing import Final
from uuid import UUID

from twin.db import Conn, rows
from twin.errors import NotFound

CLASSES: Final = 6
COLOURS: Final = ("#fffbd6", "#feeaa5", "#fed070", "#fdae4a", "#ef8636", "#d35f27")
"""Yellow to red-brown, lighter to darker: read alike with and without colour vision and in grey, and walls, doors and
names stay legible on all of them."""


@dataclass(frozen=True, slots=True)
class RoomValue:
    """The newest value of a room: the mean of its points."""

    value: float
    points: int
    ts: datetime  # of the oldest of them


@dataclass(frozen=True, slots=True)
class Heat:
    """A quantity on a storey."""

    quantity: str
    unit: str | None
    breaks: list[float]  # upper limits of all classes but the last
    values: Mapping[UUID, RoomValue]  # by room

    def class_of(self, value: float) -> int:
        """Return the number of a value's class, 0 the lowest."""
        return sum(value >= limit for limit in self.breaks)

    def colour(self, number: int) -> str:
        """Return the colour of a class."""
        last = max(len(self.breaks), 1)
        return COLOURS[round(number * (len(COLOURS) - 1) / last)]


async def heat_of(conn: Conn, building: UUID, storey: UUID, quantity: str) -> Heat:
    """Return the newest good values of a quantity on a storey, as the caller may see them.

    A point counts for its room when it belongs to the room itself or to something in it; where the room has points of
    its own, only these. Points are found by quantity, unit or Brick class. Raises NotFound when the building has none.
    """
    found = await rows(
        conn,
        """SELECT p.unit, p.quantity, l.num, l.ts, (e.ifc_class = 'IfcSpace') AS own,
                  CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS room
           FROM point p JOIN element e ON e.id = p.element_id LEFT JOIN latest l ON l.point_id = p.handle AND l.q < 2
           WHERE p.building_id = %(building)s AND p.retired_at IS NULL AND p.kind = 'number'
             AND e.storey_id = %(storey)s
             AND lower(%(quantity)s) IN (lower(p.quantity), lower(p.unit), lower(p.brick_class))""",
        {"building": building, "storey": storey, "quantity": quantity},
    )
    if not found:
        known = await rows(
            conn,
            """SELECT DISTINCT quantity FROM point WHERE building_id = %s AND quantity IS NOT NULL
               AND retired_at IS NULL ORDER BY quantity LIMIT 40""",
            (building,),
        )
        raise NotFound(
            "plan.no_quantity", quantity=quantity, known=", ".join(each["quantity"] for each in known) or "—"
        )
    units = [each["unit"] for each in found if each["unit"]]
    unit = max(set(units), key=units.count) if units else None
    of_room: dict[UUID, list[tuple[bool, float, datetime]]] = {}
    for each in found:
        if each["room"] is not None and each["num"] is not None and each["unit"] in (unit, None):
            of_room.setdefault(each["room"], []).append((each["own"], float(each["num"]), each["ts"]))
    values = {room: _mean(points) for room, points in of_room.items()}
    return Heat(quantity, unit, breaks_of([value.value for value in values.values()]), values)


def _mean(points: Sequence[tuple[bool, float, datetime]]) -> RoomValue:
    chosen = [point for point in points if point[0]] or list(points)
    return RoomValue(sum(value for _, value, _ in chosen) / len(chosen), len(chosen), min(ts for _, _, ts in chosen))


def breaks_of(values: Sequence[float]) -> list[float]:
    """Return round limits that cut the range of values into at most six classes of one width."""
    if not values:
        return []
    low, high = min(values), max(values)
    if high - low < 1e-9:
        return []
    step = _round_step((high - low) / CLASSES)
    first = floor(low / step) + 1
    return [round(n * step, 10) for n in range(first, ceil(high / step))][: CLASSES - 1]


def _round_step(step: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return float(next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= step * (1 - 1e-9)))
