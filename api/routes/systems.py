"""Systems: what belongs to them, how it hangs together, where it is broken."""

from uuid import UUID

from fastapi import Request

from api.route import Router, Tx, allow, twin_of
from spatial.systems import System, SystemBrief, describe_system, get_system, list_systems
from twin import places
from twin.page import Page

router = Router(tags=["spatial"])


@router.get("/buildings/{building}/systems")
@allow("model.read")
async def get_systems(tx: Tx, request: Request, building: str) -> Page[SystemBrief]:
    """The systems of a building: members, joins, breaks, loops and loose ends of each (6.4.3b)."""
    found = await places.get_building(tx, building)
    return Page(await list_systems(tx, await twin_of(request).networks.of(found.id), found.id))


@router.get("/systems/{system}")
@allow("model.read")
async def get_one_system(tx: Tx, request: Request, system: UUID) -> System:
    """A system: its members in the order of flow, and the edges between them."""
    building = await get_system(tx, system)
    return await describe_system(tx, await twin_of(request).networks.of(building), system)
