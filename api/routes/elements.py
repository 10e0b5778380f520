"""Elements with all that hangs on them, systems, assets."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow, twin_of
from identity import audit
from ifc_models import elements
from ifc_models.elements import Element, ElementRow, Group
from spatial.network import Networks
from spatial.storeys import resolve_storey
from spatial.whereabouts import Whereabouts, is_distribution, whereabouts
from telemetry import points
from telemetry.points import Point, PointFilter
from twin import assets, places
from twin.assets import Asset, AssetBinding
from twin.db import Conn, objects
from twin.errors import Invalid
from twin.page import Page

router = Router(tags=["elements"])


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm of the element that is not closed."""

    id: UUID
    severity: str
    message: str
    active: bool
    acked: bool
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A work order of the element that is not closed."""

    id: UUID
    number: int
    title: str
    state: str
    priority: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ElementView(Element):
    """An element with its points, its asset, its open alarms and orders, and how sure its place is."""

    location: Whereabouts
    points: list[Point]
    asset: Asset | None
    alarms: list[OpenAlarm]
    orders: list[OpenOrder]


class ElementPatch(BaseModel):
    """Own properties to lay over the present ones; null removes one."""

    own_properties: dict[str, Any]


_ALARMS = """
    SELECT id, severity, message, active, acked, raised_at FROM alarm
    WHERE (element_id = %(id)s OR space_id = %(id)s) AND closed_at IS NULL ORDER BY raised_at DESC LIMIT 100
"""
_ORDERS = """
    SELECT id, number, title, state, priority, due_at FROM work_order
    WHERE (element_id = %(id)s OR space_id = %(id)s) AND closed_at IS NULL ORDER BY created_at DESC LIMIT 100
"""


@router.get("/elements")
@allow("model.read")
async def list_elements(
    tx: Tx,
    building: str | None = None,
    model: UUID | None = None,
    storey: str | None = None,
    space: str | None = None,
    ifc_class: str | None = None,
    system: UUID | None = None,
    q: str | None = None,
    property: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[ElementRow]:
    """Every IfcProduct that is shown; `ifc_class` includes subclasses, `property` is Pset.Name:value (6.4.3b)."""
    building_id = (await places.get_building(tx, building)).id if building else None
    return await elements.list_elements(
        tx,
        building=building_id,
        model=model,
        storey=await storey_id_of(tx, storey, building_id),
        space=await places.resolve_element(tx, space, building=building_id, model=model) if space else None,
        ifc_class=ifc_class,
        system=system,
        q=q,
        property=property,
        limit=limit,
        cursor=cursor,
    )


async def storey_id_of(tx: Conn, ref: str | None, building_id: UUID | None) -> UUID | None:
    """A storey by id, or by name within a building."""
    if ref is None:
        return None
    if building_id is not None:
        return await resolve_storey(tx, building_id, ref)
    try:
        return UUID(ref)
    except ValueError:
        raise Invalid("storey.needs_building", where="storey") from None


@router.get("/elements/{element}")
@allow("model.read")
async def get_element(
    tx: Tx, request: Request, element: str, building: str | None = None, model: UUID | None = None
) -> ElementView:
    """An element by server id or GlobalId, with everything known of it (6.4.3b)."""
    building_id = (await places.get_building(tx, building)).id if building else None
    element_id = await places.resolve_element(tx, element, building=building_id, model=model)
    return await _view(tx, twin_of(request).networks, element_id)


async def _view(tx: Conn, networks: Networks, element_id: UUID) -> ElementView:
    found = await elements.get_element(tx, element_id)
    asset_id = await assets.asset_of(tx, element_id, datetime.now(UTC))
    in_room = found.ifc_class == "IfcSpace"
    flows = (await networks.of(found.building_id)).flows if await is_distribution(tx, element_id) else None
    return ElementView(
        **{field.name: getattr(found, field.name) for field in fields(Element) if field.name != "location"},
        location=await whereabouts(tx, found.location, flows),
        points=await _points(tx, element_id, in_room=in_room),
        asset=await assets.get_asset(tx, asset_id) if asset_id else None,
        alarms=await objects(tx, OpenAlarm, _ALARMS, {"id": element_id}),
        orders=await objects(tx, OpenOrder, _ORDERS, {"id": element_id}),
    )


async def _points(tx: Conn, element_id: UUID, *, in_room: bool) -> list[Point]:
    where: dict[str, UUID] = {"space_id": element_id} if in_room else {"element_id": element_id}
    return (await points.list_points(tx, PointFilter(**where), limit=1000)).items  # type: ignore[arg-type]


@router.patch("/elements/{element}")
@allow("element.write")
async def patch_element(
    tx: Tx,
    request: Request,
    caller: Caller,
    element: str,
    body: ElementPatch,
    building: str | None = None,
    model: UUID | None = None,
) -> ElementView:
    """Lay own properties over the model's; they stay through new versions (6.4.2a-2)."""
    building_id = (await places.get_building(tx, building)).id if building else None
    element_id = await places.resolve_element(tx, element, building=building_id, model=model)
    before, after = await elements.patch_element(tx, element_id, body.own_properties)
    await audit.record(tx, caller, "element.write", f"element:{element_id}", before=before, after=after)
    return await _view(tx, twin_of(request).networks, element_id)


@router.get("/systems")
@allow("model.read")
async def list_systems(tx: Tx, building: str, ifc_class: str = "IfcGroup") -> Page[Group]:
    """Systems, zones and other groups of a building; `ifc_class` includes subclasses (6.4.2b)."""
    return Page(await elements.list_groups(tx, (await places.get_building(tx, building)).id, ifc_class=ifc_class))


class NewAsset(BaseModel):
    """A thing that is maintained; with an element it is bound to it from now on."""

    building: str
    code: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    installed_on: date | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    element: str | None = None


class AssetPatch(BaseModel):
    """What may be changed; another `element` moves the asset there from now on, null takes it out."""

    name: str | None = Field(None, min_length=1, max_length=200)
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    installed_on: date | None = None
    properties: dict[str, Any] | None = None
    element: str | None = None


@dataclass(frozen=True, slots=True)
class AssetView(Asset):
    """An asset with everywhere it has been."""

    bindings: list[AssetBinding]


@router.get("/assets")
@allow("model.read")
async def list_assets(
    tx: Tx, building: str | None = None, element: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Asset]:
    """Assets by code; of a building, or at an element now (6.4.1b-3)."""
    building_id = (await places.get_building(tx, building)).id if building else None
    element_id = await places.resolve_element(tx, element, building=building_id) if element else None
    return await assets.list_assets(tx, building=building_id, element=element_id, limit=limit, cursor=cursor)


@router.post("/assets", status_code=201)
@allow("asset.write")
async def create_asset(tx: Tx, caller: Caller, body: NewAsset) -> Asset:
    """Make an asset, and with `element` bind it there from now on."""
    building = await places.get_building(tx, body.building)
    given = body.model_dump(exclude={"building", "element"})
    asset = await assets.create_asset(tx, building.id, **given)
    if body.element is not None:
        asset = await _bind(tx, asset, body.element)
    await audit.record(tx, caller, "asset.write", f"asset:{asset.id}", after=body.model_dump(mode="json"))
    return asset


@router.get("/assets/{asset}")
@allow("model.read")
async def get_asset(tx: Tx, asset: UUID) -> AssetView:
    """One asset with everywhere it has been."""
    found = await assets.get_asset(tx, asset)
    own = {field.name: getattr(found, field.name) for field in fields(Asset)}
    return AssetView(**own, bindings=await assets.bindings_of(tx, asset=asset))


@router.patch("/assets/{asset}")
@allow("asset.write")
async def update_asset(tx: Tx, caller: Caller, asset: UUID, body: AssetPatch) -> Asset:
    """Change an asset; another `element` moves it there from now on, null takes it out."""
    before = await assets.get_asset(tx, asset)
    given = body.model_dump(exclude_unset=True)
    moves, target = "element" in given, given.pop("element", None)
    after = await assets.update_asset(tx, asset, given) if given else before
    if moves:
        after = await _bind(tx, after, target)
    old = {name: getattr(before, name) for name in given} | ({"element": before.element_id} if moves else {})
    new = given | ({"element": after.element_id} if moves else {})
    await audit.record(
        tx, caller, "asset.write", f"asset:{asset}", before=jsonable_encoder(old), after=jsonable_encoder(new)
    )
    return after


async def _bind(tx: Conn, asset: Asset, element: str | None) -> Asset:
    target = await places.resolve_element(tx, element, building=asset.building_id) if element else None
    return await assets.bind_asset(tx, asset.id, target, since=datetime.now(UTC))
