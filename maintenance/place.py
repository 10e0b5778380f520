"""Where an alarm or an order is, as it was when it was made: the place keeps its history, the asset its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from twin.assets import asset_of
from twin.db import Conn
from twin.errors import Invalid
from twin.places import locate
from twin.viewpoint import Viewpoint


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a building. `position`: m, building frame, z up; `viewpoint`: from where to look at it."""

    building_id: UUID
    storey_id: UUID | None = None
    space_id: UUID | None = None
    element_id: UUID | None = None
    asset_id: UUID | None = None
    position: list[float] | None = None
    viewpoint: Viewpoint | None = None
    label: str = ""  # for a person: storey, room, thing


async def place_of(conn: Conn, element_id: UUID | None, building_id: UUID, at: datetime) -> Place:
    """The place of an element, and the asset that is bound there at that time; without one the building itself.

    Raises NotFound for an unknown element, Invalid when it stands in another building.
    """
    if element_id is None:
        return Place(building_id)
    found = await locate(conn, element_id)
    if found.building_id != building_id:
        raise Invalid("maintenance.other_building", where="element", element=str(element_id))
    names = (found.storey_name, found.space_name, found.name or found.ifc_class)
    return Place(
        building_id=building_id,
        storey_id=found.storey_id,
        space_id=found.space_id,
        element_id=element_id,
        asset_id=await asset_of(conn, element_id, at),
        position=found.position,
        viewpoint=found.viewpoint,
        label=" / ".join(dict.fromkeys(name for name in names if name)),
    )


def plain(noun: object) -> dict[str, Any]:
    """A dataclass as JSON would hold it, for events: the same shape that the routes answer."""
    made: dict[str, Any] = orjson.loads(orjson.dumps(noun, option=orjson.OPT_UTC_Z))
    return made
