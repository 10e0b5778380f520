"""What people think of finished work: one to five stars from each account, of each order (7.2.4c)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from identity import Actor, audit
from maintenance.order_store import get_order
from twin.db import Conn, row, rows
from twin.errors import Conflict

COMMENT_LIMIT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rating:
    """One opinion."""

    rated_by: str  # account name
    stars: int  # 1…5
    comment: str | None
    rated_at: datetime


async def rate(conn: Conn, actor: Actor, order_id: UUID, stars: int, comment: str | None, now: datetime) -> Rating:
    """Say what one thinks of an order whose work is done; the last word counts.

    Raises Conflict `work_order.rating_early` before that.
    """
    order = await get_order(conn, order_id, lock=True)
    if order.state not in ("done", "verified"):
        raise Conflict("work_order.rating_early", number=order.number)
    made = await row(
        conn,
        """INSERT INTO work_order_rating (work_order_id, rated_by, stars, comment, rated_at)
           VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (work_order_id, rated_by) DO UPDATE
             SET stars = excluded.stars, comment = excluded.comment, rated_at = excluded.rated_at
           RETURNING rated_by, stars, comment, rated_at""",
        (order_id, actor.name, stars, comment, now),
    )
    assert made is not None
    await audit.record(conn, actor, "work_order.rate", f"work_order:{order_id}", after={"stars": stars})
    return Rating(**made)


async def ratings_of(conn: Conn, order_id: UUID) -> list[Rating]:
    """What people said of an order, the newest first."""
    await get_order(conn, order_id)
    found = await rows(
        conn,
        """SELECT rated_by, stars, comment, rated_at FROM work_order_rating WHERE work_order_id = %s
           ORDER BY rated_at DESC, rated_by""",
        (order_id,),
    )
    return [Rating(**each) for each in found]
