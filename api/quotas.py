"""Quotas of what a building may use, month by month (8.4.8c); a year without its own keeps those of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity import Actor, audit
from telemetry.consumption import UNITS, Medium
from twin.db import Conn, rows


@dataclass(frozen=True, slots=True)
class Quota:
    """The quotas of a medium for a year, January first; None: none for that month. `year`: whose they are."""

    medium: Medium
    unit: str  # QUDT code
    year: int
    months: list[float | None]


async def quotas_of(conn: Conn, building: UUID, year: int) -> list[Quota]:
    """The quotas that hold in a year, one item a medium that has any."""
    found = await rows(
        conn,
        """SELECT medium, year, month, amount FROM quota q
           WHERE building_id = %(building)s AND year = (SELECT max(year) FROM quota l
             WHERE l.building_id = q.building_id AND l.medium = q.medium AND l.year <= %(year)s)
           ORDER BY medium, month""",
        {"building": building, "year": year},
    )
    made: dict[Medium, Quota] = {}
    for each in found:
        medium: Medium = each["medium"]
        quota = made.setdefault(medium, Quota(medium, UNITS[medium], each["year"], [None] * 12))
        quota.months[each["month"] - 1] = each["amount"]
    return list(made.values())


async def set_quota(
    conn: Conn,
    actor: Actor,
    building: UUID,
    medium: Medium,
    year: int,
    months: Sequence[float | None],
    now: datetime,
) -> None:
    """Put the twelve months of a year in the place of those that were there; all None: the year has none of its own."""
    before = await rows(
        conn,
        """DELETE FROM quota WHERE building_id = %s AND medium = %s AND year = %s RETURNING month, amount""",
        (building, medium, year),
    )
    chosen = [(month, amount) for month, amount in enumerate(months, 1) if amount is not None]
    await conn.execute(
        """INSERT INTO quota (building_id, medium, year, month, amount, set_by, set_at)
           SELECT %(building)s, %(medium)s, %(year)s, u.month, u.amount, %(actor)s, %(now)s
           FROM unnest(%(months)s::int[], %(amounts)s::float8[]) AS u(month, amount)""",
        {
            "building": building,
            "medium": medium,
            "year": year,
            "actor": actor.name,
            "now": now,
            "months": [month for month, _ in chosen],
            "amounts": [amount for _, amount in chosen],
        },
    )
    old = {str(each["month"]): each["amount"] for each in before}
    new = {str(month): amount for month, amount in chosen}
    await audit.record(conn, actor, "quota.set", f"building:{building}", before={f"{medium} {year}": old},
                       after={f"{medium} {year}": new})  # fmt: skip
