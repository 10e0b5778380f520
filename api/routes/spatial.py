"""Rooms and where things are."""

from api.route import Router, Tx, allow
from spatial.rooms import Room, get_room
from twin import places

router = Router(tags=["spatial"])


@router.get("/spaces/{space}")
@allow("building.read")
async def get_space(tx: Tx, space: str, building: str | None = None) -> Room:
    """A room: its floor polygon, what stands in it, its doors, neighbours and points."""
    building_id = (await places.get_building(tx, building)).id if building else None
    return await get_room(tx, await places.resolve_element(tx, space, building=building_id))
