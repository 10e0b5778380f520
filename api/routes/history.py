"""How long readings are kept, what was removed and compressed, and how much room they take (clause 6.1.3f)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow
from identity import audit
from telemetry import policies, retention, upkeep
from telemetry.policies import FIELDS, NewPolicy, Policy
from telemetry.retention import Preview
from telemetry.upkeep import Run, StorageUse
from twin.db import Conn
from twin.page import Page
from twin.places import get_building

router = Router(prefix="/history", tags=["telemetry"])

Duration = Annotated[timedelta | None, Field(description="seconds or ISO 8601; null: for ever, or never compressed")]


class Match(BaseModel):
    """Which points a policy counts for: all that are given must fit."""

    building: str | None = Field(None, description="id or name")
    brick_class: str | None = Field(None, max_length=200, description="this class and those whose name ends with it")
    quantity: str | None = Field(None, max_length=200, description="QUDT quantity kind")


class PolicyBody(BaseModel):
    """How long a class of points keeps its readings."""

    name: str
    match: Match = Field(default_factory=Match)
    raw_for: Duration = None
    rollup_for: Duration = None
    compress_after: Duration = None


class PolicyPatch(BaseModel):
    """What is left out stays."""

    name: str | None = None
    match: Match | None = None
    raw_for: Duration = None
    rollup_for: Duration = None
    compress_after: Duration = None


@dataclass(frozen=True, slots=True)
class MatchView:
    """Which points a policy counts for."""

    building: UUID | None
    brick_class: str | None
    quantity: str | None


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy; durations are ISO 8601. `points`: how many it counts for now."""

    id: UUID
    name: str
    match: MatchView
    raw_for: timedelta | None
    rollup_for: timedelta | None
    compress_after: timedelta | None
    created_at: datetime
    points: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for."""

    job: UUID


def _view(policy: Policy) -> PolicyView:
    match = MatchView(policy.building_id, policy.brick_class, policy.quantity)
    return PolicyView(
        policy.id,
        policy.name,
        match,
        policy.raw_for,
        policy.rollup_for,
        policy.compress_after,
        policy.created_at,
        policy.points,
    )


@router.get("/policies")
@allow("reading.read")
async def list_policies(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[PolicyView]:
    """Retention and compression policies by name."""
    found = await policies.list_policies(tx, limit=limit, cursor=cursor)
    return Page([_view(each) for each in found.items], found.next)


@router.post("/policies", status_code=201)
@allow("history.write")
async def create_policy(tx: Tx, caller: Caller, body: PolicyBody) -> PolicyView:
    """Define a policy; it takes effect with the next daily run. Preview it first."""
    return _view(await policies.create_policy(tx, caller, NewPolicy(**await _facts(tx, body))))


@router.post("/policies/preview")
@allow("history.write")
async def preview_new(tx: Tx, caller: Caller, body: PolicyBody) -> Preview:
    """What a policy would remove if it were defined like this; nothing is kept of it."""
    async with tx.transaction(force_rollback=True):
        made = await policies.create_policy(tx, caller, NewPolicy(**await _facts(tx, body)))
        found = await retention.preview(tx, made.id, now=datetime.now(UTC))
    # The entry of its definition went with it.
    await audit.record(tx, caller, "history_policy.preview", "history_policy:new", after={"name": body.name})
    return found


@router.patch("/policies/{policy}")
@allow("history.write")
async def update_policy(tx: Tx, caller: Caller, policy: UUID, body: PolicyPatch) -> PolicyView:
    """Change a policy, with the next daily run."""
    return _view(await policies.update_policy(tx, caller, policy, await _facts(tx, body)))


@router.delete("/policies/{policy}", status_code=204)
@allow("history.write")
async def delete_policy(tx: Tx, caller: Caller, policy: UUID) -> Response:
    """From now on its points keep everything, or what another policy says."""
    await policies.delete_policy(tx, caller, policy)
    return Response(status_code=204)


@router.post("/policies/{policy}/preview")
@allow("history.write")
async def preview_policy(tx: Tx, caller: Caller, policy: UUID, body: PolicyPatch | None = None) -> Preview:
    """What the next run would remove for a policy; with a body, if it were changed like this."""
    async with tx.transaction(force_rollback=True):
        if body is not None:
            await policies.update_policy(tx, caller, policy, await _facts(tx, body))
        else:
            await policies.get_policy(tx, policy)
        return await retention.preview(tx, policy, now=datetime.now(UTC))


@router.get("/runs")
@allow("reading.read")
async def list_runs(
    tx: Tx,
    kind: Literal["retention", "compression", "quarantine"] | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[Run]:
    """What retention and compression did, newest first."""
    return await upkeep.list_runs(tx, kind=kind, limit=limit, cursor=cursor)


@router.post("/runs", status_code=202)
@allow("history.write")
async def run_now(tx: Tx, caller: Caller) -> Asked:
    """Remove, compress and count now instead of with the next daily run; a job to watch."""
    return Asked(await upkeep.ask_for_upkeep(tx, caller.name))


@router.get("/storage")
@allow("reading.read")
async def get_storage(tx: Tx, building: str | None = None, limit: Limit = 100, cursor: str | None = None) -> StorageUse:
    """Bytes and readings in all, per part of the table and per point, the largest points first."""
    building_id = (await get_building(tx, building)).id if building else None
    return await upkeep.storage_use(tx, building_id, limit=limit, cursor=cursor)


async def _facts(tx: Conn, body: PolicyBody | PolicyPatch) -> dict[str, Any]:
    """What a body says, as the fields of `NewPolicy`."""
    said = body.model_dump(exclude_unset=True, include=set(FIELDS))
    if isinstance(body, PolicyPatch) and said.get("name", "") is None:
        del said["name"]
    if body.match is not None and "match" in body.model_fields_set:
        building = body.match.building
        said |= {
            "building_id": (await get_building(tx, building)).id if building else None,
            "brick_class": body.match.brick_class,
            "quantity": body.match.quantity,
        }
    return said
