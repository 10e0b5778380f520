"""Derived points: defining them, trying a definition, seeing how far the past is worked out."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from api.clients import expensive
from api.problems import language_of
from api.route import Caller, Limit, Router, Tx, allow
from api.times import time_of
from telemetry import derived as definitions
from telemetry import derived_lists
from telemetry.derived import Derived, DerivedKind, Mode, Rule
from telemetry.derived_members import OVER_KINDS, Over
from telemetry.derived_preview import Preview, preview
from telemetry.history import default_range
from telemetry.point_facts import Kind, NewPoint, Sampling
from twin.db import Conn
from twin.errors import FieldError, Invalid
from twin.page import Page
from twin.places import get_building, resolve_element

router = Router(tags=["telemetry"])

Number = Annotated[float, Field(allow_inf_nan=False)]
Code = StrictBool | StrictInt | StrictFloat
MAX_STATES: Final = 100


class DerivedPointBody(BaseModel):
    """The point to make. Without `unit` the kind's own: DEG_C-HR, KiloW-HR, HR, NUM, or that of what is added up."""

    key: str
    name: str
    building: str
    kind: Kind = "number"
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element: str | None = None
    min_value: Number | None = None
    max_value: Number | None = None
    sampling: Sampling = "hold"
    properties: dict[str, Any] = Field(default_factory=dict)


class OverBody(BaseModel):
    """What a sum is over: one place, one system, or what lies behind a meter; and which points there are meant."""

    storey: str | None = None
    system: str | None = None
    space: str | None = None
    building: str | None = None
    meter_tree: str | None = Field(None, description="element of a meter: those behind it, up to the next meters")
    quantity: str | None = Field(None, max_length=200, description="QUDT quantity kind; default: that of the unit")
    brick_class: str | None = Field(None, max_length=200)


class RuleBody(BaseModel):
    """How a point is worked out."""

    expression: str | None = Field(None, max_length=4_000, description="CEL over the names of the inputs")
    inputs: dict[str, str] = Field(default_factory=dict, description="name → key or id of a point")
    over: OverBody | None = None
    base: Number | None = Field(None, description="°C, of degree hours")
    mode: Mode = "heating"
    above: Number | None = Field(None, description="running where the value is higher")
    states: list[Code] | None = Field(None, min_length=1, max_length=MAX_STATES, description="codes that mean running")
    every: str = "5m"


class DerivedBody(RuleBody):
    """A point to derive."""

    point: DerivedPointBody
    kind: DerivedKind


class PreviewBody(DerivedBody):
    """A definition to try on [from, to): the last day unless told."""

    start: str | None = Field(None, alias="from")
    end: str | None = Field(None, alias="to")


class DerivedPatch(BaseModel):
    """What may change; what is left out stays. The past is worked out anew."""

    expression: str | None = Field(None, max_length=4_000)
    inputs: dict[str, str] | None = None
    over: OverBody | None = None
    base: Number | None = None
    mode: Mode | None = None
    above: Number | None = None
    states: list[Code] | None = Field(None, min_length=1, max_length=MAX_STATES)
    every: str | None = None


@router.get("/derived")
@allow("point.read")
async def list_derived(
    tx: Tx, request: Request, building: str | None = None, limit: Limit = 100, cursor: str | None = None
) -> Page[Derived]:
    """Derived points by key: what each is worked out from, and how far."""
    building_id = (await get_building(tx, building)).id if building else None
    lang = language_of(request.headers.get("accept-language"))
    return await derived_lists.list_derived(tx, building=building_id, lang=lang, limit=limit, cursor=cursor)


@router.post("/derived", status_code=201)
@allow("point.write")
async def create_derived(tx: Tx, request: Request, caller: Caller, body: DerivedBody) -> Derived:
    """Define a derived point. Its past is worked out from the readings that there are, then it follows them."""
    building, point, rule = await _asked(tx, body)
    id = await definitions.create_derived(tx, caller, building, rule, point, body.inputs, now=datetime.now(UTC))
    return await derived_lists.get_derived(tx, id, lang=language_of(request.headers.get("accept-language")))


@router.post("/derived/preview")
@allow("reading.read")
@expensive
async def preview_derived(tx: Tx, caller: Caller, body: PreviewBody) -> Preview:
    """What a definition would make of a past range, by bucket. Nothing is stored."""
    building, point, rule = await _asked(tx, body)
    start, end = default_range(time_of(body.start, "from"), time_of(body.end, "to"), datetime.now(UTC))
    return await preview(tx, caller, building, rule, point, body.inputs, start=start, end=end)


@router.get("/derived/{derived}")
@allow("point.read")
async def get_derived(tx: Tx, request: Request, derived: str) -> Derived:
    """One definition, by its id or its point's key."""
    return await derived_lists.get_derived(tx, derived, lang=language_of(request.headers.get("accept-language")))


@router.patch("/derived/{derived}")
@allow("point.write")
async def update_derived(tx: Tx, request: Request, caller: Caller, derived: str, body: DerivedPatch) -> Derived:
    """Change how a point is worked out; its past is worked out anew."""
    found = await derived_lists.get_derived(tx, derived)
    given = body.model_dump(exclude_unset=True, exclude={"inputs", "over"})
    changes = {name: value for name, value in given.items() if value is not None or name in ("above", "states")}
    if "states" in changes:
        changes["states"] = _codes(body.states)
    if body.over is not None:
        changes["over"] = await _over(tx, found.point.building_id, body.over)
    await definitions.update_derived(tx, caller, found.id, changes=changes, inputs=body.inputs)
    return await derived_lists.get_derived(tx, found.id, lang=language_of(request.headers.get("accept-language")))


@router.delete("/derived/{derived}", status_code=204)
@allow("point.write")
async def delete_derived(
    tx: Tx,
    caller: Caller,
    derived: str,
    readings: Annotated[bool, Query(description="remove the history of its point too")] = False,
) -> None:
    """End a definition. Its point goes out of use; the history stays unless told otherwise."""
    await definitions.delete_derived(tx, caller, derived, readings=readings, now=datetime.now(UTC))


async def _asked(tx: Conn, body: DerivedBody) -> tuple[UUID, NewPoint, Rule]:
    building = (await get_building(tx, body.point.building)).id
    facts = body.point.model_dump(exclude={"building", "element"})
    element = await resolve_element(tx, body.point.element, building=building) if body.point.element else None
    rule = Rule(
        kind=body.kind,
        every=body.every,
        expression=body.expression,
        over=await _over(tx, building, body.over) if body.over else None,
        base=body.base,
        mode=body.mode,
        above=body.above,
        states=_codes(body.states),
    )
    return building, NewPoint(**facts, element_id=element), rule


def _codes(states: list[Code] | None) -> tuple[float, ...] | None:
    return None if states is None else tuple(float(each) for each in states)


async def _over(tx: Conn, building: UUID, body: OverBody) -> Over:
    given = [(kind, getattr(body, kind)) for kind in OVER_KINDS if getattr(body, kind) is not None]
    if len(given) != 1:
        raise Invalid("derived.invalid", fields=[FieldError("over", "derived.over")])
    kind, ref = given[0]
    if kind in ("space", "meter_tree"):
        id = await resolve_element(tx, ref, building=building)
    elif kind == "building":
        id = (await get_building(tx, ref)).id
    else:
        try:
            id = UUID(ref)
        except ValueError:
            raise Invalid("derived.invalid", fields=[FieldError(f"over.{kind}", "derived.over")]) from None
    return Over(kind, id, body.quantity, body.brick_class)
