"""The rooms of a building in lists and figures; what is near, within a radius, a polygon or a floor."""

from typing import Annotated
from uuid import UUID

import numpy as np
import shapely
from fastapi import Query, Request

from api.route import Limit, Router, Tx, allow, twin_of
from spatial.derived_rooms import StoreyCover, once_per_level, storey_cover
from spatial.near import Boxes, Filter, Floats, Ints, NearElement, described, point_of, polygon_of
from spatial.space_list import SpaceRow, list_spaces
from spatial.statistics import By, Statistics, statistics
from spatial.storeys import resolve_storey
from twin import places
from twin.db import Conn, row, rows
from twin.errors import Invalid, NotFound
from twin.page import Page, decode_cursor, encode_cursor

router = Router(tags=["spatial"])
_STOREYS = """
    SELECT s.id, s.name, s.elevation FROM storey s WHERE s.building_id = %(building)s AND s.elevation IS NOT NULL
      AND (%(storey)s::uuid IS NULL OR s.id = %(storey)s)
      AND EXISTS (SELECT FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
                  WHERE e.storey_id = s.id)
    ORDER BY s.elevation, s.name, s.id
"""
To = Annotated[str | None, Query(description="an element: id or GlobalId")]
At = Annotated[str | None, Query(description="a place: x,y,z in metres of the building frame")]
OfClass = Annotated[str | None, Query(description="an IFC class; its subclasses count too")]
Radius = Annotated[float | None, Query(ge=0, le=10_000, allow_inf_nan=False, description="m")]


@router.get("/buildings/{building}/spaces")
@allow("building.read")
async def get_spaces(
    tx: Tx,
    building: str,
    storey: str | None = None,
    zone: Annotated[str | None, Query(description="id or name")] = None,
    use: str | None = None,
    q: Annotated[str | None, Query(description="part of a name or GlobalId")] = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[SpaceRow]:
    """Rooms, lowest storey first: areas and heights as measured and as stated, use, zones, what stands in them."""
    found = (await places.get_building(tx, building)).id
    on = await resolve_storey(tx, found, storey) if storey else None
    return await list_spaces(tx, found, storey=on, zone=zone, use=use, q=q, limit=limit, cursor=cursor)


@router.get("/buildings/{building}/statistics")
@allow("building.read")
async def get_statistics(tx: Tx, request: Request, building: str, by: By = "storey") -> Statistics:
    """Areas, rooms, equipment, points, open alarms and present values by storey, zone, use or class (6.1.4c, d)."""
    found = (await places.get_building(tx, building)).id
    network = await twin_of(request).networks.of(found)
    return await statistics(tx, found, by, network.doubles)


@router.get("/buildings/{building}/derived-rooms")
@allow("model.read")
async def get_derived_rooms(tx: Tx, request: Request, building: str, storey: str | None = None) -> Page[StoreyCover]:
    """Per storey how much of what its walls enclose is rooms, and the rooms that the file lacks, derived from walls.

    They are reported, not stored: put them into the model where they belong.
    """
    found = (await places.get_building(tx, building)).id
    on = await resolve_storey(tx, found, storey) if storey else None
    twin = twin_of(request)
    plans = (await twin.networks.of(found)).plans
    storeys = await rows(tx, _STOREYS, {"building": found, "storey": on})
    covers = [
        await storey_cover(tx, each, await twin.sections.of_storey(found, each["id"]), plans, twin.sections.enclosures)
        for each in storeys
    ]
    return Page(once_per_level(covers))


@router.get("/buildings/{building}/nearest")
@allow("model.read")
async def get_nearest(
    tx: Tx,
    request: Request,
    building: str,
    to: To = None,
    at: At = None,
    ifc_class: OfClass = None,
    storey: Annotated[str | None, Query(description="on this storey only")] = None,
    radius: Radius = None,
    limit: Limit = 10,
) -> Page[NearElement]:
    """The nearest elements in a straight line from box to box, nearest first; the element itself is left out."""
    found = (await places.get_building(tx, building)).id
    box, itself = await _start(tx, found, to, at)
    on = await resolve_storey(tx, found, storey) if storey else None
    boxes = await twin_of(request).networks.boxes(found)
    near, away = boxes.nearest(box, Filter(ifc_class, on), radius)
    near, away = _without(boxes, near, away, itself)
    items, _ = await described(tx, boxes, near, away, limit=limit)
    return Page(items)


@router.get("/buildings/{building}/within")
@allow("model.read")
async def get_within(
    tx: Tx,
    request: Request,
    building: str,
    polygon: Annotated[str | None, Query(description="x,y x,y x,y … in metres of the building frame")] = None,
    storey: str | None = None,
    to: To = None,
    at: At = None,
    radius: Radius = None,
    ifc_class: OfClass = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[NearElement]:
    """Everything in a polygon seen from above, on a storey, within a radius; several of them: what is in all.

    An element is in a polygon when the middle of its box is.
    """
    if polygon is None and storey is None and radius is None:
        raise Invalid("within.what", where="polygon")
    found = (await places.get_building(tx, building)).id
    wanted = Filter(ifc_class, await resolve_storey(tx, found, storey) if storey else None)
    shape = polygon_of(polygon) if polygon is not None else None
    start = await _start(tx, found, to, at) if radius is not None else None
    boxes = await twin_of(request).networks.boxes(found)
    near, away = _chosen(boxes, wanted, shape, start, radius)
    after = decode_cursor(cursor, 1)
    skip = _count(after[0]) if after else 0
    items, more = await described(tx, boxes, near, away, limit=limit, skip=skip)
    return Page(items, encode_cursor(skip + limit) if more else None)


def _chosen(
    boxes: Boxes,
    wanted: Filter,
    shape: shapely.Polygon | None,
    start: tuple[Floats, UUID | None] | None,
    radius: float | None,
) -> tuple[Ints, Floats | None]:
    if start is None:
        return (boxes.meant(wanted) if shape is None else boxes.inside(shape, wanted)), None
    near, away = _without(boxes, *boxes.nearest(start[0], wanted, radius), start[1])
    if shape is not None:
        kept = np.isin(near, boxes.inside(shape, wanted))
        near, away = near[kept], away[kept]
    return near, away


def _without(boxes: Boxes, near: Ints, away: Floats, itself: UUID | None) -> tuple[Ints, Floats]:
    row_ = boxes.row_of(itself) if itself is not None else None
    kept = near != (-1 if row_ is None else row_)
    return near[kept], away[kept]


def _count(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 9:
        raise Invalid("cursor.invalid", where="cursor")
    return int(text)


async def _start(tx: Conn, building: UUID, to: str | None, at: str | None) -> tuple[Floats, UUID | None]:
    """Return the box from which is measured, and the element that it is. Raises Invalid, NotFound."""
    if (to is None) == (at is None):
        raise Invalid("near.from", where="to")
    if to is None:
        return point_of(at or ""), None
    element = await places.resolve_element(tx, to, building=building)
    found = await row(tx, "SELECT bbox FROM element WHERE id = %s AND building_id = %s", (element, building))
    if found is None:
        raise NotFound("element.unknown", ref=to)
    if found["bbox"] is None:
        raise Invalid("near.no_box", where="to", element=to)
    return np.array(found["bbox"], dtype=np.float64), element
