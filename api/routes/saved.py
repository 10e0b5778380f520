"""The workspace: search over everything, and what people keep of it (searches, colouring rules, viewpoints, panels)."""

from collections.abc import AsyncGenerator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api import saved, searching
from api.clients import expensive
from api.element_history import ElementVersion, element_versions
from api.query_language import parse_property
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, transaction_of
from api.saved import Content, Kind, Saved
from api.searching import Branch, Found, FoundIds, SearchWords
from api.streams import begun
from identity import audit
from ifc_models.tables import csv_lines
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["workspace"])

Asked = Annotated[str, Query(max_length=2000, description="the search language, docs/workspace.md; empty: everything")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]
Grouping = Literal["class", "type", "system", "zone", "space", "discipline", "model", "property"]
Property = Annotated[str, Query(max_length=500, description="`Set.Name` as in a query; with `by=property`")]
_HEADER = ["global_id", "ifc_class", "predefined_type", "name", "long_name", "tag", "type", "storey", "space"]


class NewSaved(BaseModel):
    """A search, a set of colouring rules or a viewpoint to keep; `picture` is base64 of a PNG or JPEG."""

    kind: Kind
    name: Name
    content: Content
    shared: bool = False
    picture: Annotated[str, Field(max_length=saved.PICTURE_KB * 1400)] | None = None


class SavedPatch(BaseModel):
    """What may change of one's own; what is left out stays."""

    name: Name | None = None
    shared: bool | None = None
    content: Content | None = None


PanelName = Annotated[str, Field(max_length=40)]
Side = Literal["left", "right", "bottom", "beside", "closed"]


class Dock(BaseModel):
    """A panel: how wide or high it is (CSS pixels), and whether it is open."""

    size: Annotated[int, Field(ge=0, le=10_000)] | None = None
    open: bool | None = None


Charts = Annotated[list[Annotated[list[UUID], Field(min_length=1, max_length=12)]], Field(max_length=8)]
"""Ids of the points of each chart."""


class Layout(BaseModel):
    """How somebody has arranged the 3D view's panels, the same on every machine."""

    model_config = ConfigDict(extra="forbid")

    left: Dock | None = None
    right: Dock | None = None
    plan: Dock | None = None
    bottom: Dock | None = None
    panels: Annotated[dict[PanelName, Side], Field(max_length=20)] | None = None  # where each one is, if moved
    front: Annotated[dict[PanelName, PanelName], Field(max_length=10)] | None = None  # by side: the tab on top
    tab: Annotated[str, Field(max_length=40)] | None = None
    group: Annotated[str, Field(max_length=600)] | None = None  # what the tree is grouped by
    charts: Annotated[dict[UUID, Charts], Field(max_length=50)] | None = None  # by building: what is drawn below


@router.get("/buildings/{building}/search")
@allow("model.read")
async def search(
    tx: Tx, caller: Caller, building: str, q: Asked = "", limit: Limit = 100, cursor: str | None = None
) -> Found:
    """What a query finds among the elements that are shown, by name, and how many there are (6.4.3b)."""
    place = (await get_building(tx, building)).id
    query = await saved.asked(tx, caller, place, q)
    return await searching.search(tx, place, query, limit=limit, cursor=cursor)


@router.get("/buildings/{building}/search/ids")
@allow("model.read")
async def search_ids(tx: Tx, caller: Caller, building: str, q: Asked = "") -> FoundIds:
    """The GlobalIds of what a query finds: to select, isolate or colour."""
    place = (await get_building(tx, building)).id
    return await searching.search_ids(tx, place, await saved.asked(tx, caller, place, q))


@router.get("/buildings/{building}/search/groups")
@allow("model.read")
async def search_groups(
    tx: Tx, caller: Caller, building: str, by: Grouping, q: Asked = "", property: Property = ""
) -> list[Branch]:
    """What a query finds, grouped by class, type, system, zone, room, discipline, model or the values of a property."""
    key = parse_property(property) if by == "property" else by
    place = (await get_building(tx, building)).id
    return await searching.branches(tx, place, key, await saved.asked(tx, caller, place, q))


@router.get("/buildings/{building}/search/words")
@allow("model.read")
async def search_words(tx: Tx, building: str) -> SearchWords:
    """What a query may ask for here: classes, storeys, systems, properties."""
    return await searching.search_words(tx, (await get_building(tx, building)).id)


@router.get("/buildings/{building}/search/table", response_class=StreamingResponse)
@allow("model.read")
@no_transaction
@expensive
async def search_table(request: Request, caller: Caller, building: str, q: Asked = "", *, bom: bool = True) -> Response:
    """What a query finds as CSV (`bom` for Excel)."""
    async with transaction_of(request) as conn:
        place = (await get_building(conn, building)).id
        query = await saved.asked(conn, caller, place, q)

    async def lines() -> AsyncGenerator[str, None]:
        yield "".join(csv_lines(_HEADER, [], bom=bom))
        async with transaction_of(request) as conn:
            async for e in searching.search_rows(conn, place, query):
                cells = [e.global_id, e.ifc_class, e.predefined_type, e.name, e.long_name, e.tag, e.type_name]
                yield "".join(csv_lines(None, [[*cells, e.storey_name, e.space_name]]))

    headers = {"content-disposition": 'attachment; filename="search.csv"'}
    return StreamingResponse(await begun(lines()), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/elements/{element}/versions")
@allow("model.read")
async def get_element_versions(tx: Tx, element: str, building: str | None = None) -> list[ElementVersion]:
    """What an element was in its model's versions, the latest first, with the values that each one changed."""
    place = (await get_building(tx, building)).id if building else None
    return await element_versions(tx, await resolve_element(tx, element, building=place))


@router.get("/buildings/{building}/saved")
@allow("model.read")
async def list_saved(
    tx: Tx, caller: Caller, building: str, kind: Kind | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Saved]:
    """One's own saved searches, rules and viewpoints and the shared ones, by name."""
    place = (await get_building(tx, building)).id
    return await saved.list_saved(tx, caller, place, kind, limit=limit, cursor=cursor)


@router.post("/buildings/{building}/saved", status_code=201)
@allow("model.read")
async def create_saved(tx: Tx, caller: Caller, building: str, body: NewSaved) -> Saved:
    """Keep a search, rules or a viewpoint; sharing it takes `topic.write`."""
    place = (await get_building(tx, building)).id
    if body.shared:
        caller.require("topic.write", place)
    made = await saved.create_saved(
        tx, caller, place, body.kind, body.name, body.content, shared=body.shared, picture=body.picture
    )
    await audit.record(tx, caller, "saved.write", f"saved:{made.id}", after=_told(made))
    return made


@router.get("/saved/{saved_id}")
@allow("model.read")
async def get_saved(tx: Tx, caller: Caller, saved_id: UUID) -> Saved:
    """One saved search, set of rules or viewpoint."""
    return await saved.get_saved(tx, caller, saved_id)


@router.patch("/saved/{saved_id}")
@allow("model.read")
async def update_saved(tx: Tx, caller: Caller, saved_id: UUID, body: SavedPatch) -> Saved:
    """Rename, share or change one's own; sharing it takes `topic.write`."""
    before = await saved.own_saved(tx, caller, saved_id)
    if body.shared:
        caller.require("topic.write", before.building_id)
    after = await saved.update_saved(tx, caller, saved_id, name=body.name, shared=body.shared, content=body.content)
    await audit.record(tx, caller, "saved.write", f"saved:{saved_id}", before=_told(before), after=_told(after))
    return after


@router.delete("/saved/{saved_id}", status_code=204)
@allow("model.read")
async def delete_saved(tx: Tx, caller: Caller, saved_id: UUID) -> None:
    """Remove one's own."""
    gone = await saved.delete_saved(tx, caller, saved_id)
    await audit.record(tx, caller, "saved.write", f"saved:{saved_id}", before=_told(gone))


@router.get("/saved/{saved_id}/picture", response_class=Response)
@allow("model.read")
async def get_saved_picture(tx: Tx, caller: Caller, saved_id: UUID) -> Response:
    """The picture of a viewpoint."""
    data, media_type = await saved.saved_picture(tx, caller, saved_id)
    return Response(data, media_type=media_type, headers={"cache-control": "private, max-age=3600"})


@router.get("/me/workspace", response_model_exclude_none=True)
@allow.signed_in
async def get_workspace(tx: Tx, caller: Caller) -> Layout:
    """How one has arranged the 3D view's panels."""
    return Layout.model_validate(await saved.get_layout(tx, caller))


@router.put("/me/workspace", status_code=204)
@allow.signed_in
async def set_workspace(tx: Tx, caller: Caller, body: Layout) -> None:
    """Keep how one has arranged the 3D view's panels."""
    await saved.set_layout(tx, caller, body.model_dump(mode="json", exclude_none=True))


def _told(one: Saved) -> dict[str, object]:
    """What the audit trail says of it."""
    return {"kind": one.kind, "name": one.name, "shared": one.shared, "content": one.content}
