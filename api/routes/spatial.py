"""Rooms, what feeds what, and the way there."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from api.route import Router, Tx, allow, twin_of
from spatial.affected import Affected, affected
from spatial.directions import Directions, directions
from spatial.network import Network
from spatial.reach import ReachedElement, reached
from spatial.report import NetworkReport, network_report
from spatial.rooms import Room, get_room
from spatial.ways import Options
from twin import places
from twin.db import Conn
from twin.page import Page

router = Router(tags=["spatial"])
Depth = Annotated[int, Query(ge=1, le=100_000, description="at most so many elements away")]
OUTSIDE = "outside"


async def _found(tx: Conn, request: Request, ref: str, building: str | None) -> tuple[UUID, Network]:
    """Return the element and the network of its building."""
    building_id = (await places.get_building(tx, building)).id if building else None
    element = await places.resolve_element(tx, ref, building=building_id)
    where = await places.locate(tx, element)
    return element, await twin_of(request).networks.of(where.building_id)


@router.get("/spaces/{space}")
@allow("building.read")
async def get_space(tx: Tx, request: Request, space: str, building: str | None = None) -> Room:
    """A room: its floor polygon, what stands in it, its doors, neighbours and points."""
    element, network = await _found(tx, request, space, building)
    return await get_room(tx, network, element)


@router.get("/elements/{element}/upstream")
@allow("model.read")
async def get_upstream(
    tx: Tx, request: Request, element: str, building: str | None = None, depth: Depth = 100_000
) -> Page[ReachedElement]:
    """What feeds the element, nearest first."""
    found, network = await _found(tx, request, element, building)
    return Page(await reached(tx, network, found, upstream=True, depth=depth))


@router.get("/elements/{element}/downstream")
@allow("model.read")
async def get_downstream(
    tx: Tx, request: Request, element: str, building: str | None = None, depth: Depth = 100_000
) -> Page[ReachedElement]:
    """What the element feeds, nearest first."""
    found, network = await _found(tx, request, element, building)
    return Page(await reached(tx, network, found, upstream=False, depth=depth))


@router.get("/elements/{element}/affected")
@allow("model.read")
async def get_affected(tx: Tx, request: Request, element: str, building: str | None = None) -> Affected:
    """What an outage of the element touches: equipment, rooms, points; and what to shut to isolate it."""
    found, network = await _found(tx, request, element, building)
    return await affected(tx, network, found)


@router.get("/route")
@allow("building.read")
async def get_route(
    tx: Tx,
    request: Request,
    start: Annotated[str, Query(alias="from", description="element, room or anything placed: id or GlobalId")],
    end: Annotated[str, Query(alias="to", description=f"the same, or `{OUTSIDE}`: to the nearest exit, without lifts")],
    building: str | None = None,
    step_free: Annotated[bool, Query(description="no stairs or escalators")] = False,
    lifts: Annotated[bool, Query(description="false: lifts are out of order")] = True,
    closed: Annotated[list[str] | None, Query(description="doors, stairs or lifts that cannot be passed")] = None,
) -> Directions:
    """The quickest way between two places over doors, stairs and lifts; 404 with the reason when there is none."""
    from_, network = await _found(tx, request, start, building)
    where = await places.locate(tx, from_)
    shut = [await places.resolve_element(tx, each, building=where.building_id) for each in closed or []]
    to = None if end == OUTSIDE else await places.resolve_element(tx, end, building=where.building_id)
    options = Options(step_free, lifts and to is not None, frozenset(shut))
    return await directions(tx, network, from_, to, options)


@router.get("/buildings/{building}/network")
@allow("building.read")
async def get_network(tx: Tx, request: Request, building: str) -> NetworkReport:
    """What the models say of rooms, doors, islands, systems and breaks; what is derived, what is missing."""
    found = await places.get_building(tx, building)
    return await network_report(tx, await twin_of(request).networks.of(found.id), found.id)
