"""Points: what is measured or set, and what it is bound to."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow
from telemetry import points
from telemetry.points import Kind, NewPoint, Point, Sampling
from telemetry.units import Unit, units
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["telemetry"])


class PointBody(BaseModel):
    """A new point. `unit` is a QUDT code; `element` an id, or a GlobalId of the building."""

    key: str
    name: str
    building: str
    kind: Kind
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element: str | None = None
    writable: bool = False
    min_value: float | None = Field(None, allow_inf_nan=False)
    max_value: float | None = Field(None, allow_inf_nan=False)
    expected_interval: float = Field(300.0, description="s between readings", allow_inf_nan=False)
    sampling: Sampling = Field("hold", description="between readings: the value before, or a straight line")
    properties: dict[str, Any] = Field(default_factory=dict)


class PointPatch(BaseModel):
    """What may change of a point; fields that are left out stay. `retired` takes it out of use or brings it back."""

    name: str | None = None
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element: str | None = None
    writable: bool | None = None
    min_value: float | None = Field(None, allow_inf_nan=False)
    max_value: float | None = Field(None, allow_inf_nan=False)
    expected_interval: float | None = Field(None, allow_inf_nan=False)
    sampling: Sampling | None = None
    properties: dict[str, Any] | None = None
    retired: bool | None = None


@router.get("/units")
@allow.signed_in
async def list_units() -> Page[Unit]:
    """The units that points may have."""
    return Page(list(units().values()))


@router.get("/points")
@allow("point.read")
async def list_points(
    tx: Tx,
    building: str | None = None,
    element: str | None = None,
    storey: UUID | None = None,
    space: UUID | None = None,
    q: str | None = None,
    retired: bool = False,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[Point]:
    """Points by key, with their newest values."""
    building_id = (await get_building(tx, building)).id if building else None
    element_id = await resolve_element(tx, element, building=building_id) if element else None
    return await points.list_points(
        tx,
        building_id=building_id,
        element_id=element_id,
        storey_id=storey,
        space_id=space,
        q=q,
        retired=retired,
        limit=limit,
        cursor=cursor,
    )


@router.post("/points", status_code=201)
@allow("point.write")
async def create_point(tx: Tx, caller: Caller, body: PointBody) -> Point:
    """Define a point."""
    building = await get_building(tx, body.building)
    values = body.model_dump(exclude={"building", "element"})
    element_id = await resolve_element(tx, body.element, building=building.id) if body.element else None
    return await points.create_point(tx, caller, building.id, NewPoint(**values, element_id=element_id))


@router.get("/points/{point}")
@allow("point.read")
async def get_point(tx: Tx, point: str) -> Point:
    """One point, by id or key."""
    return await points.get_point(tx, point)


@router.patch("/points/{point}")
@allow("point.write")
async def update_point(tx: Tx, caller: Caller, point: str, body: PointPatch) -> Point:
    """Change, rebind or retire a point."""
    before = await points.get_point(tx, point)
    changes = body.model_dump(exclude_unset=True, exclude={"retired", "element"})
    for name in ("name", "writable", "expected_interval", "sampling", "properties"):
        if changes.get(name, 0) is None:
            del changes[name]  # null means nothing for a field that is never empty
    if "element" in body.model_fields_set:
        element = body.element and await resolve_element(tx, body.element, building=before.building_id)
        changes["element_id"] = element or None
    return await points.update_point(tx, caller, before.id, changes, now=datetime.now(UTC), retired=body.retired)
