"""API keys: programs that may call, what each may do, and what it calls (6.1.5a, 6.1.5c, 6.1.5d, 6.2.1e)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow, answers_secret
from identity import audit, keys
from identity.actor import held
from identity.grants import HeldGrant, actor_of_key, check_key_not_above, list_grants
from identity.keys import OVERLAP, ApiKey
from identity.permissions import PERMISSIONS
from identity.usage import MOST_HOURS, NOTHING, Figures, RouteUsage, usage_by_hour, usage_by_route, usage_of_keys
from twin import places
from twin.db import Conn
from twin.errors import Invalid
from twin.page import Page

router = Router(tags=["identity"])
WEEK: Final = timedelta(days=7)
Rate = Annotated[int | None, Field(ge=1, le=10_000_000, description="calls a minute; null: the server's setting")]
Concurrency = Annotated[int | None, Field(ge=1, le=10_000, description="calls at once; null: the server's setting")]
Scopes = Annotated[list[str] | None, Field(description="permissions at most; null: all that its grants give")]
Networks = Annotated[list[str], Field(description="addresses and networks it may call from; empty: any")]
From = Annotated[AwareDatetime | None, Query(alias="from", description="default: a week ago")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="default: now; its hour included")]


class NewKey(BaseModel):
    """A program that may call. It holds `role` everywhere, or in the `buildings` (id or name) alone."""

    name: str
    role: str = "integration"
    buildings: list[str] | None = Field(None, min_length=1, max_length=500)
    scopes: Scopes = None
    networks: Networks = []
    expires_at: AwareDatetime | None = None
    rate: Rate = None
    concurrency: Concurrency = None


class KeyChange(BaseModel):
    """What to change of a key; its role and buildings are grants."""

    name: str | None = None
    scopes: Scopes = None
    networks: Networks = []
    expires_at: AwareDatetime | None = None
    rate: Rate = None
    concurrency: Concurrency = None


class Rotation(BaseModel):
    """How long the old secret works beside the new one."""

    overlap: timedelta = Field(OVERLAP, description="seconds or ISO 8601; at most 30 days")


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key with a new secret, which is shown only here."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What a key called in whole hours of [from, to): in all, by route, by hour. Latencies are seconds."""

    since: Annotated[datetime, Field(serialization_alias="from")]
    until: Annotated[datetime, Field(serialization_alias="to")]
    total: Figures
    routes: list[RouteUsage]
    hours: list[RouteUsage]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One program: what it may read and write, where, and how it behaves."""

    key: ApiKey
    reads: list[str]  # permissions
    writes: list[str]
    grants: list[HeldGrant]
    usage: Figures


@router.get("/api-keys")
@allow("key.write")
async def list_keys(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[ApiKey]:
    """Keys that are not revoked, newest first."""
    return await keys.list_keys(tx, limit=limit, cursor=cursor)


@router.post("/api-keys", status_code=201)
@allow("key.write")
@answers_secret
async def create_key(tx: Tx, caller: Caller, body: NewKey) -> CreatedKey:
    """Make a key; its secret is shown only in this answer."""
    buildings = [(await places.get_building(tx, each)).id for each in body.buildings or []]
    key, secret = await keys.create_key(
        tx,
        body.name,
        body.role,
        created_by=caller,
        buildings=list(dict.fromkeys(buildings)),
        scopes=body.scopes,
        networks=body.networks,
        rate=body.rate,
        concurrency=body.concurrency,
        expires_at=body.expires_at,
    )
    await audit.record(tx, caller, "key.write", f"key:{key.id}", after=_shown(key))
    return CreatedKey(key, secret)


@router.get("/api-keys/{key_id}")
@allow("key.write")
async def get_key(tx: Tx, key_id: UUID) -> ApiKey:
    """One key, also a revoked one."""
    return await keys.get_key(tx, key_id)


@router.patch("/api-keys/{key_id}")
@allow("key.write")
async def change_key(tx: Tx, caller: Caller, key_id: UUID, body: KeyChange) -> ApiKey:
    """Change a key's limits; fields that are left out stay as they are."""
    await check_key_not_above(tx, caller, key_id)
    before, after = await keys.change_key(tx, key_id, body.model_dump(exclude_unset=True))
    await audit.record(tx, caller, "key.write", f"key:{key_id}", before=_shown(before), after=_shown(after))
    return after


@router.post("/api-keys/{key_id}/rotate")
@allow("key.write")
@answers_secret
async def rotate_key(tx: Tx, caller: Caller, key_id: UUID, body: Rotation | None = None) -> CreatedKey:
    """Give a key a new secret; the old one works on until the overlap ends."""
    await check_key_not_above(tx, caller, key_id)
    overlap = body.overlap if body else OVERLAP
    key, secret = await keys.rotate_key(tx, key_id, overlap=overlap, now=datetime.now(UTC))
    until = key.rotating_until and key.rotating_until.isoformat()
    await audit.record(tx, caller, "key.rotate", f"key:{key_id}", after={"name": key.name, "old_works_until": until})
    return CreatedKey(key, secret)


@router.delete("/api-keys/{key_id}")
@allow("key.write")
async def revoke_key(tx: Tx, caller: Caller, key_id: UUID) -> ApiKey:
    """Revoke a key; it works no more from now on."""
    key = await keys.revoke_key(tx, key_id)
    await audit.record(tx, caller, "key.write", f"key:{key.id}", before=_shown(key), after={"revoked": True})
    return key


@router.get("/api-keys/{key_id}/usage")
@allow("key.write")
async def get_usage(tx: Tx, key_id: UUID, since: From = None, until: To = None) -> KeyUsage:
    """Calls, errors and latency of a key by route and by hour; written every few seconds."""
    since, until = _span(since, until)
    await keys.get_key(tx, key_id)
    total = (await usage_of_keys(tx, [key_id], since, until)).get(key_id, NOTHING)
    routes = await usage_by_route(tx, key_id, since, until)
    return KeyUsage(since, until, total, routes, await usage_by_hour(tx, key_id, since, until))


@router.get("/api-catalogue")
@allow("key.write")
async def get_catalogue(
    tx: Tx, since: From = None, until: To = None, limit: Limit = 100, cursor: str | None = None
) -> Page[CatalogueEntry]:
    """Who uses the API: what each key may read and write, where, its calls, errors and latency (6.1.5c, 6.2.1e)."""
    since, until = _span(since, until)
    page = await keys.list_keys(tx, limit=limit, cursor=cursor)
    usage = await usage_of_keys(tx, [key.id for key in page.items], since, until)
    return Page([await _entry(tx, key, usage.get(key.id, NOTHING)) for key in page.items], page.next)


async def _entry(conn: Conn, key: ApiKey, usage: Figures) -> CatalogueEntry:
    actor = await actor_of_key(conn, key.id, key.name, scopes=key.scopes)
    may = [each for each in PERMISSIONS if each in held(actor.grants)]
    reads = [each for each in may if each.endswith(".read")]
    writes = [each for each in may if not each.endswith(".read")]
    return CatalogueEntry(key, reads, writes, (await list_grants(conn, key=key.id, limit=1000)).items, usage)


def _span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """Whole hours. Raises Invalid for an empty or endless span."""
    try:
        end = _hour((until or datetime.now(UTC)).astimezone(UTC) + timedelta(hours=1) - timedelta(microseconds=1))
        start = _hour((since or end - WEEK).astimezone(UTC))
    except OverflowError:
        raise Invalid("usage.span", where="from", hours=MOST_HOURS) from None
    if not timedelta(0) < end - start <= timedelta(hours=MOST_HOURS):
        raise Invalid("usage.span", where="from", hours=MOST_HOURS)
    return start, end


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _shown(key: ApiKey) -> dict[str, Any]:
    """What the trail keeps of a key."""
    return {
        "name": key.name,
        "roles": key.roles,
        "scopes": key.scopes,
        "networks": key.networks,
        "rate": key.rate,
        "concurrency": key.concurrency,
        "expires_at": key.expires_at and key.expires_at.isoformat(),
    }
