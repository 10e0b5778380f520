"""Dashboards: list, create, save, remove. A copy or an import is a POST of what GET gave."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api import dashboards
from api.dashboards import Dashboard, DashboardLayout, WholeDashboard
from api.route import Caller, Limit, Router, Tx, allow, twin_of
from identity import audit
from twin.page import Page
from twin.places import get_building

router = Router(tags=["dashboards"])

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]


class NewDashboard(BaseModel):
    """A dashboard to make; `shared` with all who see the building."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    layout: DashboardLayout
    shared: bool = False


class ChangedDashboard(NewDashboard):
    """What a dashboard becomes; `revision` is the one that was read before it was changed."""

    revision: Annotated[int, Field(ge=1, le=2_000_000_000)]


@router.get("/buildings/{building}/dashboards")
@allow("building.read")
async def list_dashboards(
    tx: Tx, caller: Caller, building: str, limit: Limit = 100, cursor: str | None = None
) -> Page[Dashboard]:
    """One's own dashboards and the shared ones, by name."""
    place = (await get_building(tx, building)).id
    return await dashboards.list_dashboards(tx, caller, place, limit=limit, cursor=cursor)


@router.post("/buildings/{building}/dashboards", status_code=201)
@allow("building.read")
async def create_dashboard(
    request: Request, tx: Tx, caller: Caller, building: str, body: NewDashboard
) -> WholeDashboard:
    """Make a dashboard of one's own; sharing it takes `topic.write`."""
    settings = twin_of(request).settings
    place = (await get_building(tx, building)).id
    if body.shared:
        caller.require("topic.write", place)
    dashboards.check_size(body.layout, settings.dashboard_widgets)
    made = await dashboards.create_dashboard(
        tx, caller, place, body.name, body.layout, shared=body.shared, most=settings.dashboards_of_one
    )
    await audit.record(tx, caller, "dashboard.write", f"dashboard:{made.id}", after=_told(made))
    return made


@router.get("/dashboards/{dashboard_id}")
@allow("building.read")
async def get_dashboard(tx: Tx, caller: Caller, dashboard_id: UUID) -> WholeDashboard:
    """One dashboard with what it shows."""
    return await dashboards.get_dashboard(tx, caller, dashboard_id)


@router.put("/dashboards/{dashboard_id}")
@allow("building.read")
async def replace_dashboard(
    request: Request, tx: Tx, caller: Caller, dashboard_id: UUID, body: ChangedDashboard
) -> WholeDashboard:
    """Save one's own; 409 where it was saved since `revision`. Sharing it takes `topic.write`."""
    before = await dashboards.own_dashboard(tx, caller, dashboard_id)
    if body.shared:
        caller.require("topic.write", before.building_id)
    dashboards.check_size(body.layout, twin_of(request).settings.dashboard_widgets)
    after = await dashboards.replace_dashboard(
        tx, caller, dashboard_id, body.name, body.layout, shared=body.shared, revision=body.revision
    )
    await audit.record(
        tx, caller, "dashboard.write", f"dashboard:{dashboard_id}", before=_told(before), after=_told(after)
    )
    return after


@router.delete("/dashboards/{dashboard_id}", status_code=204)
@allow("building.read")
async def delete_dashboard(tx: Tx, caller: Caller, dashboard_id: UUID) -> None:
    """Remove one's own."""
    gone = await dashboards.delete_dashboard(tx, caller, dashboard_id)
    await audit.record(tx, caller, "dashboard.write", f"dashboard:{dashboard_id}", before=_told(gone))


def _told(one: WholeDashboard) -> dict[str, object]:
    """What the audit trail says of it."""
    return {"name": one.name, "shared": one.shared, "revision": one.revision, "layout": one.layout}
