"""What points without an element may belong to: suggested with reasons, confirmed in bulk, turned down for good."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from api.clients import expensive
from api.problems import language_of
from api.route import Caller, Router, Tx, allow
from telemetry import suggestions
from telemetry.points import get_point
from telemetry.suggestions import BindingProblem, Bindings, Suggestion
from twin.errors import TwinError
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["points"])


class Binding(BaseModel):
    """A point, by id or key, and an element, by id or GlobalId."""

    point: str
    element: str


class BindingsBody(BaseModel):
    """Bindings that somebody has looked at and confirms."""

    bindings: list[Binding] = Field(max_length=suggestions.MOST)


@router.get("/points/suggestions")
@allow("point.read")
@expensive
async def list_suggestions(
    tx: Tx,
    request: Request,
    building: str,
    point: Annotated[str | None, Query(description="of this point only")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page[Suggestion]:
    """Points without an element and the elements that they may belong to, surest first.

    The first candidate of a point that is `assigned` is the one it gets when all points of the building are decided
    together; what was turned down does not come again.
    """
    place = await get_building(tx, building)
    lang = language_of(request.headers.get("accept-language"))
    now = datetime.now(UTC)
    return Page(await suggestions.list_suggestions(tx, place.id, now=now, lang=lang, point=point, limit=limit))


@router.post("/points/bindings")
@allow("point.write")
async def confirm_bindings(tx: Tx, request: Request, caller: Caller, body: BindingsBody) -> Bindings:
    """Bind points to elements, each for itself; what cannot be bound is named and the others are."""
    lang = language_of(request.headers.get("accept-language"))
    pairs, problems = [], []
    for each in body.bindings:
        try:
            point = await get_point(tx, each.point)
            pairs.append((str(point.id), await resolve_element(tx, each.element, building=point.building_id)))
        except TwinError as error:
            problems.append(BindingProblem(each.point, each.element, error.code, error.text(lang)))
    made = await suggestions.confirm_bindings(tx, caller, pairs, now=datetime.now(UTC), lang=lang)
    return Bindings(made.bound, [*problems, *made.problems])


@router.post("/points/suggestions/dismiss", status_code=204)
@allow("point.write")
async def dismiss_suggestion(tx: Tx, caller: Caller, body: Binding) -> None:
    """Never suggest this element for this point again."""
    point = await get_point(tx, body.point)
    element = await resolve_element(tx, body.element, building=point.building_id)
    await suggestions.dismiss(tx, caller, str(point.id), element, now=datetime.now(UTC))
