"""The way there, the short way round, who is nearest (8.4.9b)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import numpy as np
from fastapi import Query, Request
from pydantic import BaseModel, Field

from api.auditing import personal_data
from api.problems import language_of
from api.route import Router, Tx, allow, twin_of
from spatial.crews import CrewMember, nearest_crew
from spatial.directions import Directions, described, directions, no_route, place_of
from spatial.network import Network
from spatial.reach import ElementBrief, briefs
from spatial.round_trip import length_of, order_of
from spatial.ways import Options, Place, paced
from twin import places
from twin.db import Conn
from twin.errors import Invalid
from twin.page import Page

router = Router(tags=["spatial"])
OUTSIDE: Final = "outside"
MAX_STOPS: Final = 30
Speed = Annotated[
    float | None, Query(ge=0.2, le=3.0, description="walking speed, m/s; the server's setting unless given")
]
Variant = Literal["walk", "step_free", "evacuate"]


@router.get("/route")
@allow("building.read")
async def get_route(
    tx: Tx,
    request: Request,
    start: Annotated[str, Query(alias="from", description="element, room or anything placed: id or GlobalId")],
    end: Annotated[
        str | None, Query(alias="to", description=f"the same, or `{OUTSIDE}`: to the nearest exit, without lifts")
    ] = None,
    building: str | None = None,
    variant: Annotated[Variant, Query(description="evacuate: to the nearest exit, without lifts")] = "walk",
    step_free: Annotated[bool, Query(description="no stairs or escalators; as the variant")] = False,
    lifts: Annotated[bool, Query(description="false: lifts are out of order")] = True,
    closed: Annotated[list[str] | None, Query(description="doors, stairs or lifts that cannot be passed")] = None,
    speed: Speed = None,
) -> Directions:
    """The quickest way between two places over doors, stairs and lifts; 404 with the reason when there is none."""
    building_id = (await places.get_building(tx, building)).id if building else None
    from_ = await places.resolve_element(tx, start, building=building_id)
    where = (await places.locate(tx, from_)).building_id
    network = await twin_of(request).networks.of(where)
    if end is None and variant != "evacuate":
        raise Invalid("route.no_end", where="to")
    out = variant == "evacuate" or end == OUTSIDE
    to = None if out or end is None else await places.resolve_element(tx, end, building=where)
    options = await _options(tx, where, variant == "step_free" or step_free, lifts and not out, closed)
    return await directions(tx, network, from_, to, options, speed=_speed(request, speed))


async def _options(tx: Conn, building: UUID, step_free: bool, lifts: bool, closed: list[str] | None) -> Options:
    shut = [await places.resolve_element(tx, each, building=building) for each in closed or []]
    return Options(step_free, lifts, frozenset(shut))


def _speed(request: Request, speed: float | None) -> float:
    return speed if speed is not None else twin_of(request).settings.walking_speed


class RoundOptions(BaseModel):
    """What the way round may use, and how fast it is walked."""

    step_free: bool = False
    lifts: bool = True
    closed: list[str] = Field(default_factory=list, max_length=200)
    speed: float | None = Field(None, ge=0.2, le=3.0)


class RoundRequest(BaseModel):
    """Places to visit: elements or rooms, by id or GlobalId."""

    start: str
    stops: list[str] = Field(min_length=1, max_length=MAX_STOPS)
    end: str | None = Field(None, description="`start`: back where it began; an element; null: at the last stop")
    options: RoundOptions = Field(default_factory=RoundOptions)


@dataclass(frozen=True, slots=True)
class RoundLeg:
    """The way from one place of a round to the next."""

    start: ElementBrief | None
    end: ElementBrief | None
    route: Directions


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that no way leads to from where the round begins."""

    id: UUID
    code: str  # that of the error a route there would answer with
    reason: str  # in the caller's language


@dataclass(frozen=True, slots=True)
class Round:
    """A short way round. `saved`: seconds less than in the order that was given."""

    stops: list[UUID]  # in the order to visit them
    left_out: list[LeftOut]
    legs: list[RoundLeg]
    length: float  # m
    seconds: float
    saved: float


@router.post("/buildings/{building}/round")
@allow("building.read")
async def find_round(tx: Tx, request: Request, building: str, body: RoundRequest) -> Round:
    """In which order to visit some places so that the walk is short, and the way from each to the next (7.7.1a).

    Stops that cannot be reached are left out, with the reason; 404 when none can be, or not the end.
    """
    where = (await places.get_building(tx, building)).id
    network = await twin_of(request).networks.of(where)
    ids = [await places.resolve_element(tx, each, building=where) for each in (body.start, *body.stops)]
    end: int | None = None
    if body.end == "start":
        end = 0
    elif body.end is not None:
        ids.append(await places.resolve_element(tx, body.end, building=where))
        end = len(ids) - 1
    spots = [await place_of(tx, network, id) for id in ids]
    chosen = body.options
    options = await _options(tx, where, chosen.step_free, chosen.lifts, chosen.closed)
    costs = await asyncio.to_thread(_costs, network, spots, options)
    reached = np.flatnonzero(np.isfinite(costs[0])).tolist()
    lost = [i for i in range(1, len(ids)) if i not in reached]
    why = {i: await no_route(tx, network, spots[0], spots[i]) for i in lost}
    if lost and (end in lost or lost == list(range(1, len(body.stops) + 1))):
        raise why[end if end in why else lost[0]]
    language = language_of(request.headers.get("accept-language"))
    return await _round(
        tx,
        network,
        [ids[i] for i in reached],
        [spots[i] for i in reached],
        costs[np.ix_(reached, reached)],
        options,
        None if end is None else reached.index(end),
        _speed(request, chosen.speed),
        [LeftOut(ids[i], error.code, error.text(language)) for i, error in why.items()],
    )


def _costs(network: Network, spots: list[Place], options: Options) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(n, n) seconds between places; ways are as long there as back."""
    costs = np.zeros((len(spots), len(spots)))
    for i, one in enumerate(spots):
        for j in range(i + 1, len(spots)):
            route = network.walk.route(one, spots[j], options)
            costs[i, j] = costs[j, i] = route.seconds if route is not None else np.inf
    return costs


async def _round(
    tx: Conn,
    network: Network,
    ids: list[UUID],
    spots: list[Place],
    costs: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    options: Options,
    end: int | None,
    speed: float,
    left_out: list[LeftOut],
) -> Round:
    """The way round places that can all be reached from the first; `end`: which is the last, 0: back at the first."""
    order = order_of(costs, end)
    assert order is not None  # ways lead back
    line = [0, *order, *([0] if end == 0 else [])]
    known = await briefs(tx, ids)
    legs = []
    for a, b in zip(line, line[1:], strict=False):
        route = network.walk.route(spots[a], spots[b], options)
        assert route is not None
        described_ = await described(tx, paced(route, speed), ids[b])
        legs.append(RoundLeg(known.get(ids[a]), known.get(ids[b]), described_))
    stops = len(ids) - 1 if end in (None, 0) else len(ids) - 2
    given = length_of(costs, range(1, stops + 1), end)
    best = sum(float(costs[a, b]) for a, b in zip(line, line[1:], strict=False))
    return Round(
        stops=[ids[i] for i in line[1:] if 0 < i <= stops],
        left_out=left_out,
        legs=legs,
        length=sum(leg.route.length for leg in legs),
        seconds=sum(leg.route.seconds for leg in legs),
        saved=max(0.0, given - best),
    )


@router.get("/buildings/{building}/nearest-crew")
@allow("work_order.assign")
@personal_data
async def find_nearest_crew(
    tx: Tx,
    request: Request,
    building: str,
    to: Annotated[str, Query(description="element or room: id or GlobalId")],
    within_hours: Annotated[float, Query(gt=0, le=168, description="who was seen in so many hours")] = 12.0,
    crew: Annotated[str | None, Query(max_length=100, description="only who worked for this crew (role)")] = None,
    step_free: bool = False,
    lifts: bool = True,
    speed: Speed = None,
) -> Page[CrewMember]:
    """Who is nearest to an element by the walk from where they last worked on an order; reading it is audited."""
    where = (await places.get_building(tx, building)).id
    target = await places.resolve_element(tx, to, building=where)
    network = await twin_of(request).networks.of(where)
    found = await nearest_crew(
        tx,
        network,
        where,
        target,
        now=datetime.now(UTC),
        within=timedelta(hours=within_hours),
        crew=crew,
        options=Options(step_free, lifts),
        speed=_speed(request, speed),
    )
    return Page(found)
