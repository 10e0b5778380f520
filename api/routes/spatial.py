"""Rooms, what feeds what, and the way there."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from api.route import Router, Tx, allow, twin_of
from spatial.affected import Affected, affected
from spatial.network import Network
from spatial.reach import ReachedElement, reached
from spatial.report import NetworkReport, network_report
from spatial.rooms import Room, get_room
from twin import places
from twin.db import Conn
from twin.page import Page

router = Router(tags=["spatial"])
Depth = Annotated[int, Query(ge=1, le=100_000, description="at most so many elements away")]


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


@router.get("/buildings/{building}/network")
@allow("building.read")
async def get_network(tx: Tx, request: Request, building: str) -> NetworkReport:
    """What the models say of rooms, doors, islands, systems and breaks; what is derived, what is missing."""
    found = await places.get_building(tx, building)
    return await network_report(tx, await twin_of(request).networks.of(found.id), found.id)
