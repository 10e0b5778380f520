"""Points: what is measured or set, what it is bound to, which device measures for it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.route import Caller, Limit, Router, Tx, allow
from api.times import time_of
from telemetry import hardware, points
from telemetry.hardware import NewHardware
from telemetry.points import Kind, NewPoint, Point, PointFilter, Sampling
from telemetry.units import Unit, units
from twin.db import Conn, row
from twin.errors import NotFound
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["points"])
NEVER_EMPTY = ("name", "writable", "expected_interval", "sampling", "properties", "tags")


class PointFacts(BaseModel):
    """What a new point and a changed one may say. Values are in `unit`, intervals in seconds."""

    unit: str | None = Field(None, description="QUDT code")
    reading_unit: str | None = Field(None, description="in which readings come, if in another than `unit`")
    quantity: str | None = Field(None, description="QUDT quantity kind; the unit's unless given")
    brick_class: str | None = None
    labels: dict[str, str] | None = Field(None, description="enum, bool: code → label")
    element: str | None = Field(None, description="an id, or a GlobalId of the building")
    min_value: float | None = Field(None, allow_inf_nan=False, description="what is outside is refused")
    max_value: float | None = Field(None, allow_inf_nan=False)
    deadband: float | None = Field(
        None, allow_inf_nan=False, description="smaller changes are kept and not told to live viewers"
    )
    stale_after: float | None = Field(
        None, allow_inf_nan=False, description="s of silence; null: three expected intervals"
    )
    time_zone: str | None = Field(None, description="IANA; null: the site's")
    policy: str | None = Field(None, description="id or name of a retention policy; null: as the class says")


class PointBody(PointFacts):
    """A new point."""

    key: str
    name: str
    building: str
    kind: Kind
    writable: bool = False
    expected_interval: float = Field(300.0, description="s between readings", allow_inf_nan=False)
    sampling: Sampling = Field("hold", description="between readings: the value before, or a straight line")
    tags: list[str] = Field(default_factory=list)
    properties: dict[str, Any] = Field(default_factory=dict)


class PointPatch(PointFacts):
    """What may change of a point; fields that are left out stay. `retired` takes it out of use or brings it back."""

    name: str | None = None
    writable: bool | None = None
    expected_interval: float | None = Field(None, allow_inf_nan=False)
    sampling: Sampling | None = None
    tags: list[str] | None = None
    properties: dict[str, Any] | None = None
    retired: bool | None = None
    relabel: bool = Field(False, description="the readings there are were in the new unit all along")


class HardwareBody(BaseModel):
    """A device that is put in place; the one before ends at `from`."""

    model_config = ConfigDict(populate_by_name=True)
    device: str = Field(description="what it is called: serial number, EUI, name")
    address: str | None = Field(None, description="the key under which its readings come, where it is not the point's")
    source: str | None = None
    start: datetime | None = Field(None, alias="from", description="now unless given")
    note: str | None = None


class HardwareEnd(BaseModel):
    """When a device went with nothing in its place."""

    to: datetime | None = Field(None, description="now unless given")


class HardwareView(BaseModel):
    """A device in the role of a point, in `[from, to)`; `to` null: it is there now."""

    model_config = ConfigDict(populate_by_name=True)
    id: UUID
    source: str | None
    device: str
    address: str | None
    start: datetime = Field(alias="from")
    end: datetime | None = Field(alias="to")
    note: str | None
    created_by: str


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
    kind: Kind | None = None,
    brick_class: str | None = None,
    tag: str | None = None,
    bound: bool | None = None,
    stale: bool | None = None,
    retired: Annotated[bool, Query(description="those out of use too")] = False,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[Point]:
    """Points by key, with their newest values."""
    building_id = (await get_building(tx, building)).id if building else None
    wanted = PointFilter(
        building_id=building_id,
        element_id=await resolve_element(tx, element, building=building_id) if element else None,
        storey_id=storey,
        space_id=space,
        q=q,
        kind=kind,
        brick_class=brick_class,
        tag=tag,
        bound=bound,
        stale=stale,
        retired=retired,
    )
    return await points.list_points(tx, wanted, limit=limit, cursor=cursor)


@router.post("/points", status_code=201)
@allow("point.write")
async def create_point(tx: Tx, caller: Caller, body: PointBody) -> Point:
    """Define a point."""
    building = await get_building(tx, body.building)
    values = body.model_dump(exclude={"building", "element", "policy", "tags"})
    element_id = await resolve_element(tx, body.element, building=building.id) if body.element else None
    new = NewPoint(**values, element_id=element_id, policy_id=await _policy(tx, body.policy), tags=tuple(body.tags))
    return await points.create_point(tx, caller, building.id, new)


@router.get("/points/{point}")
@allow("point.read")
async def get_point(tx: Tx, point: str) -> Point:
    """One point, by id or key."""
    return await points.get_point(tx, point)


@router.patch("/points/{point}")
@allow("point.write")
async def update_point(tx: Tx, caller: Caller, point: str, body: PointPatch) -> Point:
    """Change, rebind or retire a point. The unit of one that has readings changes with `relabel` only."""
    before = await points.get_point(tx, point)
    changes = body.model_dump(exclude_unset=True, exclude={"retired", "element", "policy", "relabel"})
    for name in NEVER_EMPTY:
        if changes.get(name, 0) is None:
            del changes[name]  # null means nothing for a field that is never empty
    if "tags" in changes:
        changes["tags"] = tuple(changes["tags"])
    if "element" in body.model_fields_set:
        element = body.element and await resolve_element(tx, body.element, building=before.building_id)
        changes["element_id"] = element or None
    if "policy" in body.model_fields_set:
        changes["policy_id"] = await _policy(tx, body.policy)
    return await points.update_point(
        tx, caller, before.id, changes, now=datetime.now(UTC), retired=body.retired, relabel=body.relabel
    )


async def _policy(conn: Conn, ref: str | None) -> UUID | None:
    if not ref:
        return None
    found = await row(conn, "SELECT id FROM history_policy WHERE id::text = %(ref)s OR name = %(ref)s", {"ref": ref})
    if found is None:
        raise NotFound("point.policy", where="policy", policy=ref)
    return UUID(str(found["id"]))


@router.post("/points/{point}/retire")
@allow("point.write")
async def retire_point(tx: Tx, caller: Caller, point: str) -> Point:
    """Take a point out of use: it takes no more readings, everything it had stays (6.3f)."""
    return await points.update_point(tx, caller, point, {}, now=datetime.now(UTC), retired=True)


@router.post("/points/{point}/restore")
@allow("point.write")
async def restore_point(tx: Tx, caller: Caller, point: str) -> Point:
    """Bring a retired point back, as it was."""
    return await points.update_point(tx, caller, point, {}, now=datetime.now(UTC), retired=False)


@router.get("/points/{point}/hardware")
@allow("point.read")
async def list_hardware(
    tx: Tx, point: str, at: Annotated[str | None, Query(description="what measured at this time, RFC 3339")] = None
) -> Page[HardwareView]:
    """The devices that measured for a point, newest first."""
    found = await hardware.list_hardware(tx, await points.get_point(tx, point), at=time_of(at, "at"))
    return Page([_shown(each) for each in found])


@router.post("/points/{point}/hardware", status_code=201)
@allow("point.write")
async def put_hardware(tx: Tx, caller: Caller, point: str, body: HardwareBody) -> HardwareView:
    """Put a device in place of the one before; the point keeps its history."""
    new = NewHardware(**body.model_dump())
    return _shown(await hardware.put_hardware(tx, caller, point, new, now=datetime.now(UTC)))


@router.post("/points/{point}/hardware/end")
@allow("point.write")
async def end_hardware(tx: Tx, caller: Caller, point: str, body: HardwareEnd | None = None) -> HardwareView:
    """Take the device away with nothing in its place."""
    now = datetime.now(UTC)
    return _shown(await hardware.end_hardware(tx, caller, point, at=(body and body.to) or now, now=now))


def _shown(found: hardware.Hardware) -> HardwareView:
    return HardwareView(**asdict(found))
