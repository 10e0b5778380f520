"""Who is nearest: members of crews by the walk from where they last were (8.4.9b).

Where somebody was is told by work orders: who starts, ticks or finishes one is at its place. That is personal data:
asking for it needs the permission to assign orders and leaves an entry in the audit trail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from spatial.directions import place_of
from spatial.network import Network
from spatial.reach import ElementBrief, briefs
from spatial.ways import Options, Place, paced
from twin.db import Conn, rows
from twin.errors import NotFound

THERE: Final = ("started", "checked", "done", "verified")
"""Kinds of entries of an order's history that somebody makes where the order is."""


@dataclass(frozen=True, slots=True)
class CrewMember:
    """Somebody who can be sent, nearest first. Lengths in metres, times in seconds."""

    account: str
    display_name: str | None
    crew: str | None  # the role that the order was for
    place: ElementBrief  # where the person last was
    at: datetime
    busy: bool  # has an order in progress
    work_order_id: UUID
    length: float
    seconds: float


_LAST = """
    SELECT DISTINCT ON (v.actor) a.name AS account, a.display_name, w.crew, v.at, w.id AS work_order_id,
           coalesce(w.element_id, w.space_id) AS place,
           EXISTS (SELECT FROM work_order o WHERE o.assignee = a.name AND o.state = 'in_progress') AS busy
    FROM work_order_event v
    JOIN work_order w ON w.id = v.work_order_id
    JOIN account a ON 'account:' || a.name = v.actor AND NOT a.disabled
    WHERE w.building_id = %(building)s AND v.kind = ANY(%(kinds)s) AND v.at > %(since)s
      AND coalesce(w.element_id, w.space_id) IS NOT NULL AND (%(crew)s::text IS NULL OR w.crew = %(crew)s)
    ORDER BY v.actor, v.at DESC
"""


async def nearest_crew(
    conn: Conn,
    network: Network,
    building: UUID,
    target: UUID,
    *,
    now: datetime,
    within: timedelta,
    crew: str | None,
    options: Options,
    speed: float,
) -> list[CrewMember]:
    """Return who was seen in the building in the last time, by the walk from there to an element, nearest first.

    Who was somewhere that no way leads from is left out. Raises NotFound when the element is near no room.
    """
    goal = await place_of(conn, network, target)
    found = await rows(conn, _LAST, {"building": building, "kinds": list(THERE), "since": now - within, "crew": crew})
    known = await briefs(conn, {each["place"] for each in found})
    members = []
    for each in found:
        here = await _place(conn, network, each["place"]) if each["place"] in known else None
        route = network.walk.route(here, goal, options) if here is not None else None
        if route is None:
            continue
        route = paced(route, speed)
        place = known[each.pop("place")]
        members.append(CrewMember(**each, place=place, length=route.length, seconds=route.seconds))
    return sorted(members, key=lambda member: (member.seconds, member.account))


async def _place(conn: Conn, network: Network, element: UUID) -> Place | None:
    try:
        return await place_of(conn, network, element)
    except NotFound:
        return None
