"""What a socket may see: every topic of events, and the values, declare the permission that they take.

Where a permission is held everywhere, for a whole building or for a storey, memory knows the answer. For the rest (what
belongs to no storey, systems) the row filters of the database are asked, so that lists and sockets never disagree.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from identity import Actor
from identity.access import limited, limits_of
from twin.db import Database, rows
from twin.events import Event

TO_RECEIVER: Final = "to its receiver"
TOPICS: Final[Mapping[str, str]] = {
    "alarm": "alarm.read",
    "alarm_rule": "alarm.read",
    "work_order": "work_order.read",
    "plan": "work_order.read",
    "model": "model.read",
    "model_preview": "model.read",
    "point": "point.read",
    "source": "point.read",
    "command": "point.read",
    "history": "reading.read",
    "topic": "topic.read",
    "notification": TO_RECEIVER,
}
"""Which permission an event takes. One of a topic that is not here is sent to nobody, and a test fails."""
READINGS: Final = "reading.read"


def verdict(actor: Actor, event: Event) -> bool | None:
    """Say whether an actor may see an event; None: only the row filters know."""
    permission = TOPICS.get(event.topic)
    if permission is None:
        return False
    if permission == TO_RECEIVER:
        if not is_receiver(actor, event.data):
            return False
        return True if limits_of(actor, None) is None else None
    scope = actor.scope(permission)
    if scope.everywhere:
        return True
    if event.building_id is None or event.building_id not in scope.seen:
        return False
    if event.building_id in scope.buildings or event.storey_id in scope.storeys:
        return True
    return None


def is_receiver(actor: Actor, data: Mapping[str, Any]) -> bool:
    """Say whether a notification is for this account, or for one of its roles."""
    account, role = data.get("account"), data.get("role")
    return (account is not None and account == actor.account) or (role is not None and role in actor.roles)


async def visible(db: Database, actor: Actor, events: Sequence[Event]) -> frozenset[int]:
    """The numbers of those events that the row filters let an actor see."""
    async with limited(db, actor, None) as conn:
        found = await rows(conn, "SELECT seq FROM event WHERE seq = ANY(%s)", ([event.seq for event in events],))
    return frozenset(each["seq"] for each in found)


async def seen_of(db: Database, actor: Actor, events: Sequence[Event]) -> list[Event]:
    """Those events that an actor may see."""
    verdicts = {event.seq: verdict(actor, event) for event in events}
    unknown = [event for event in events if verdicts[event.seq] is None]
    asked = await visible(db, actor, unknown) if unknown else frozenset[int]()
    return [event for event in events if verdicts[event.seq] or event.seq in asked]


async def handles_of(db: Database, actor: Actor, building: UUID) -> frozenset[int] | None:
    """The handles of the points of a building whose values an actor may see; None: of all, those to come too."""
    scope = actor.scope(READINGS)
    if scope.everywhere or building in scope.buildings:
        return None
    if building not in scope.seen:
        return frozenset()
    async with limited(db, actor, READINGS) as conn:
        found = await rows(conn, "SELECT handle FROM point WHERE building_id = %s AND retired_at IS NULL", (building,))
    return frozenset(each["handle"] for each in found)


def may_listen(actor: Actor) -> bool:
    """Say whether there is anything that a socket could tell."""
    return any(actor.may(permission) for permission in (READINGS, *TOPICS.values()))
