"""Storey plans as SVG and as features, footprints as GeoJSON (6.1.4c)."""

import asyncio
import gzip
import hashlib
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from fastapi import Query, Request
from fastapi.responses import Response

from api.route import Caller, Router, Tx, allow, twin_of
from identity.access import limits_of
from spatial.footprints import footprints
from spatial.georef import georeference_of
from spatial.plan import Plan, read_plan
from spatial.plan_features import plan_features
from spatial.plan_heat import Heat, heat_of
from spatial.plan_svg import PlanStyle, plan_svg
from spatial.section import StoreySection
from spatial.storeys import resolve_storey
from twin import places
from twin.db import Conn, row
from twin.errors import NotFound

router = Router(tags=["plans"])
SVG: Final = "image/svg+xml; charset=utf-8"
GEOJSON: Final = "application/geo+json"
# A plan opened as a page of its own shows itself and runs nothing.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
HeatOf = Annotated[
    str | None,
    Query(max_length=100, description="colour rooms by the newest value of this quantity, unit or Brick class"),
]


@router.get(
    "/buildings/{building}/plan/{storey}.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "The sheet"}},
)
@allow("building.read")
async def get_plan_svg(
    tx: Tx,
    request: Request,
    caller: Caller,
    building: str,
    storey: str,
    theme: Literal["print", "screen", "dark"] = "print",
    lang: Literal["zh", "en"] = "zh",
    labels: Annotated[bool, Query(description="names and areas of rooms")] = True,
    equipment: Annotated[
        Literal["none", "symbols", "all"], Query(description="all: pipes, ducts and cables too")
    ] = "symbols",
    heat: HeatOf = None,
    room: Annotated[list[str] | None, Query(description="rooms to mark: id or GlobalId", max_length=100)] = None,
    page: Annotated[Literal["A4", "A3", "A2", "A1"] | None, Query(description="A3 unless told otherwise")] = None,
    scale: Annotated[
        int | None, Query(ge=5, le=50_000, description="1:scale; grows where the paper is too small")
    ] = None,
) -> Response:
    """A storey drawn as an architect draws it, on paper, true to scale; every shape names its element."""
    found = (await places.get_building(tx, building)).id
    level = await resolve_storey(tx, found, storey)
    marked = frozenset([await places.resolve_element(tx, each, building=found) for each in room or []])
    style = PlanStyle(theme, lang, labels, equipment, marked, page, scale)
    twin = twin_of(request)
    section = await twin.sections.of_storey(found, level)
    seen = limits_of(caller, request.state.permission)
    key = (level, section.key, await _stamp(tx, level), style, repr(sorted((seen or {}).items())))
    drawn = twin.sections.drawn.get(key) if heat is None else None
    if drawn is None:
        plan = await _plan(tx, request, found, level, section)
        values = await _heat(tx, caller, found, level, heat)
        drawn = await asyncio.to_thread(_packed, plan, section, style, values)
        if heat is None:
            twin.sections.keep_drawn(key, drawn)
    return _answer(request, drawn, SVG)


@router.get("/buildings/{building}/plan/{storey}.json", response_class=Response)
@allow("building.read")
async def get_plan_features(
    tx: Tx, request: Request, caller: Caller, building: str, storey: str, heat: HeatOf = None
) -> Response:
    """The same plan as features: walls, doors, rooms, stairs, symbols; coordinates are building metres."""
    found = (await places.get_building(tx, building)).id
    level = await resolve_storey(tx, found, storey)
    section = await twin_of(request).sections.of_storey(found, level)
    plan = await _plan(tx, request, found, level, section)
    values = await _heat(tx, caller, found, level, heat)
    body = await asyncio.to_thread(lambda: gzip.compress(orjson.dumps(plan_features(plan, section, values)), 4))
    return _answer(request, body, "application/json")


@router.get("/buildings/{building}/footprints.geojson", response_class=Response)
@allow("building.read")
async def get_footprints(
    tx: Tx,
    request: Request,
    building: str,
    storey: Annotated[str | None, Query(description="id, GlobalId or name")] = None,
    layer: Annotated[
        list[Literal["rooms", "storeys", "building"]] | None, Query(description="rooms unless told otherwise")
    ] = None,
) -> Response:
    """Footprints in WGS 84 (RFC 7946) where the models say where they lie, else in building metres, with a note."""
    found = (await places.get_building(tx, building)).id
    level = await resolve_storey(tx, found, storey) if storey is not None else None
    doubles = frozenset((await twin_of(request).networks.of(found)).doubles)
    place = await georeference_of(tx, found)
    made = await footprints(tx, found, place, layers=layer or ["rooms"], storey=level, doubles=doubles)
    return _answer(request, gzip.compress(orjson.dumps(made), 4), GEOJSON)


async def _plan(tx: Conn, request: Request, building: UUID, storey: UUID, section: StoreySection) -> Plan:
    twin = twin_of(request)
    climbs = await twin.sections.climbs(building)
    doubles = frozenset((await twin.networks.of(building)).doubles)
    return await read_plan(tx, building, storey, section, climbs, doubles=doubles)


async def _heat(tx: Conn, caller: Caller, building: UUID, storey: UUID, quantity: str | None) -> Heat | None:
    if quantity is None:
        return None
    caller.require("reading.read")
    return await heat_of(tx, building, storey, quantity)


async def _stamp(tx: Conn, storey: UUID) -> str:
    """Say what a plan is made of besides its section: names and versions."""
    found = await row(
        tx,
        """SELECT concat_ws('|', b.name, s.name, s.elevation,
                  (SELECT string_agg(m.id || ':' || m.current_version, ',' ORDER BY m.id) FROM model m
                   WHERE m.building_id = b.id)) AS stamp
           FROM storey s JOIN building b ON b.id = s.building_id WHERE s.id = %s""",
        (storey,),
    )
    if found is None:
        raise NotFound("storey.unknown", storey=str(storey))
    return str(found["stamp"])


def _packed(plan: Plan, section: StoreySection, style: PlanStyle, heat: Heat | None) -> bytes:
    return gzip.compress(plan_svg(plan, section, style, heat).encode(), 4, mtime=0)


def _answer(request: Request, packed: bytes, media_type: str) -> Response:
    """Answer with what is packed, as it is where the client takes gzip; 304 where it has it already."""
    etag = f'"{hashlib.sha256(packed).hexdigest()[:32]}"'
    headers: dict[str, Any] = {"etag": etag, "cache-control": "private, no-cache", "vary": "accept-encoding"}
    if media_type == SVG:
        headers["content-security-policy"] = POLICY
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type=media_type, headers=headers)
