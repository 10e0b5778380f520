"""Sites and buildings, their tree, tiles and overview."""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from api.overview import Overview, overview
from api.route import Caller, Limit, Router, Tx, allow, twin_of
from identity import audit
from spatial.tree import Tree, building_tree
from twin import places
from twin.db import row
from twin.errors import NotFound
from twin.page import Page
from twin.places import Building, Site
from viewer.tileset import tileset

router = Router(tags=["places"])
YEAR_S: Final = 31_536_000


class NewSite(BaseModel):
    """A property; its time zone cuts days and months."""

    name: str = Field(min_length=1, max_length=200)
    time_zone: str = "Asia/Shanghai"
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)


class NewBuilding(BaseModel):
    """A building; without a site it belongs to the default one."""

    name: str
    site: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)


class BuildingPatch(BaseModel):
    """A new name, or own properties to lay over the present ones (null removes one)."""

    name: str | None = None
    properties: dict[str, Any] | None = None


@router.get("/sites")
@allow("building.read")
async def list_sites(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[Site]:
    """All sites, by name."""
    return await places.list_sites(tx, limit=limit, cursor=cursor)


@router.post("/sites", status_code=201)
@allow("building.write")
async def create_site(tx: Tx, caller: Caller, body: NewSite) -> Site:
    """Make a site."""
    site = await places.create_site(tx, **body.model_dump())
    await audit.record(tx, caller, "building.write", f"site:{site.id}", after=body.model_dump())
    return site


@router.get("/buildings")
@allow("building.read")
async def list_buildings(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[Building]:
    """All buildings, by name."""
    return await places.list_buildings(tx, limit=limit, cursor=cursor)


@router.post("/buildings", status_code=201)
@allow("building.write")
async def create_building(tx: Tx, caller: Caller, body: NewBuilding) -> Building:
    """Make a building."""
    building = await places.create_building(tx, body.name, site=body.site, properties=body.properties)
    await audit.record(tx, caller, "building.write", f"building:{building.id}", after=body.model_dump())
    return building


@router.get("/buildings/{building}")
@allow("building.read")
async def get_building(tx: Tx, building: str) -> Building:
    """One building, by id or name."""
    return await places.get_building(tx, building)


@router.patch("/buildings/{building}")
@allow("building.write")
async def update_building(tx: Tx, caller: Caller, building: str, body: BuildingPatch) -> Building:
    """Rename a building or change its own properties."""
    before = await places.get_building(tx, building)
    after = await places.update_building(tx, before.id, name=body.name, properties=body.properties)
    old, new = ({"name": each.name, "properties": each.properties} for each in (before, after))
    await audit.record(tx, caller, "building.write", f"building:{before.id}", before=old, after=new)
    return after


@router.get("/buildings/{building}/tree")
@allow("building.read")
async def get_tree(tx: Tx, building: str) -> Tree:
    """Site, building, storeys, rooms and how many elements of which class (6.4.2b)."""
    return await building_tree(tx, (await places.get_building(tx, building)).id)


@router.get("/buildings/{building}/overview")
@allow("building.read")
async def get_overview(tx: Tx, building: str) -> Overview:
    """How the building is doing, in a few numbers."""
    return await overview(tx, await places.get_building(tx, building))


@router.get("/buildings/{building}/tileset.json")
@allow("model.read")
async def get_tileset(tx: Tx, building: str) -> dict[str, Any]:
    """3D Tiles 1.1 of all current models of the building."""
    return await tileset(tx, (await places.get_building(tx, building)).id)


@router.get("/tiles/{name}", response_class=FileResponse)
@allow("model.read")
async def get_tile(tx: Tx, request: Request, name: str) -> Response:
    """One tile, `{hash}.glb`: immutable, cached for ever."""
    tile_hash = name.removesuffix(".glb")
    tile = await row(
        tx,
        """SELECT b.content_type FROM blob b WHERE b.hash = %(hash)s
           AND (EXISTS (SELECT 1 FROM tile t WHERE t.hash = b.hash)
                OR EXISTS (SELECT 1 FROM tile_preview t WHERE t.hash = b.hash))""",
        {"hash": tile_hash},
    )
    if tile is None or not name.endswith(".glb"):
        raise NotFound("tile.unknown", tile=name)
    headers = {"cache-control": f"private, max-age={YEAR_S}, immutable", "etag": f'"{tile_hash}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    # Tiles are stored as they travel: see viewer/tiles.py.
    media_type, _, encoding = str(tile["content_type"]).partition("; encoding=")
    if encoding:
        headers["content-encoding"] = encoding
    return FileResponse(twin_of(request).blobs.path(tile_hash), media_type=media_type, headers=headers)
