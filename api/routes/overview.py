"""The owner's page: what a building uses beside last year and its quota, its picture, and what people think."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.consumption import Consumption, consumption
from api.quotas import Quota, quotas_of, set_quota
from api.route import Caller, Router, Tx, allow, twin_of
from maintenance import ratings
from maintenance.ratings import COMMENT_LIMIT, Rating
from spatial.picture import Picture, read_picture
from telemetry.consumption import Medium
from twin import places
from twin.page import Page

router = Router(tags=["overview"])


class QuotaBody(BaseModel):
    """The quotas of one year, January first, in kWh (electricity, heat) or m3 (water, gas); null: none that month."""

    medium: Medium
    year: int = Field(ge=2000, le=2200)
    months: list[Annotated[float, Field(gt=0, le=1e12)] | None] = Field(min_length=12, max_length=12)


class RatingBody(BaseModel):
    """One to five stars, and why."""

    stars: int = Field(ge=1, le=5)
    comment: str | None = Field(None, max_length=COMMENT_LIMIT)


@router.get("/buildings/{building}/consumption")
@allow("reading.read")
async def get_consumption(tx: Tx, request: Request, building: str) -> Consumption:
    """Energy and water of this month and year beside the same part of last year and the quota (8.4.8b-1, 8.4.8c)."""
    found = await places.get_building(tx, building)
    return await consumption(tx, twin_of(request).networks, found.id, datetime.now(UTC))


@router.get("/buildings/{building}/quotas")
@allow("reading.read")
async def list_quotas(
    tx: Tx,
    building: str,
    year: Annotated[int | None, Query(ge=2000, le=2200, description="this one unless told")] = None,
) -> Page[Quota]:
    """The quotas that hold in a year (8.4.8c)."""
    found = await places.get_building(tx, building)
    return Page(await quotas_of(tx, found.id, year or datetime.now(UTC).year))


@router.put("/buildings/{building}/quotas")
@allow("alarm_rule.write")
async def put_quota(tx: Tx, caller: Caller, building: str, body: QuotaBody) -> Page[Quota]:
    """Set the quotas of a medium for a year (8.4.8c); twelve nulls take them away."""
    found = await places.get_building(tx, building)
    await set_quota(tx, caller, found.id, body.medium, body.year, body.months, datetime.now(UTC))
    return Page(await quotas_of(tx, found.id, body.year))


@router.get("/buildings/{building}/picture", response_model=Picture)
@allow("model.read")
async def get_picture(tx: Tx, request: Request, building: str) -> Response:
    """Outlines of storeys and floors of rooms, for a small picture of the building; asked for again it answers 304."""
    found = await places.get_building(tx, building)
    data = orjson.dumps(await read_picture(tx, found.id))
    etag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="application/json", headers=headers)


@router.get("/work-orders/{order}/ratings")
@allow("work_order.read")
async def list_ratings(tx: Tx, order: UUID) -> Page[Rating]:
    """What people think of an order's work (7.2.4c)."""
    return Page(await ratings.ratings_of(tx, order))


@router.put("/work-orders/{order}/rating")
@allow("work_order.read")
async def put_rating(tx: Tx, caller: Caller, order: UUID, body: RatingBody) -> Rating:
    """Say what one thinks of work that is done; once for each account, the last word counts (7.2.4c)."""
    return await ratings.rate(tx, caller, order, body.stars, body.comment, datetime.now(UTC))
