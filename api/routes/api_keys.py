"""API keys: programs that may call."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.route import Caller, Limit, Router, Tx, allow
from identity import audit, keys
from identity.keys import ApiKey
from twin.page import Page

router = Router(tags=["identity"])


class NewKey(BaseModel):
    """A program that may call."""

    name: str
    role: str = "integration"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key with its secret, which is shown only here."""

    key: ApiKey
    secret: str


@router.get("/api-keys")
@allow("key.write")
async def list_keys(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[ApiKey]:
    """Keys that are not revoked, newest first."""
    return await keys.list_keys(tx, limit=limit, cursor=cursor)


@router.post("/api-keys", status_code=201)
@allow("key.write")
async def create_key(tx: Tx, caller: Caller, body: NewKey) -> CreatedKey:
    """Make a key; its secret is shown only in this answer."""
    key, secret = await keys.create_key(tx, body.name, body.role, created_by=caller, expires_at=body.expires_at)
    await audit.record(tx, caller, "key.write", f"key:{key.id}", after={"name": key.name, "roles": key.roles})
    return CreatedKey(key, secret)


@router.delete("/api-keys/{key_id}")
@allow("key.write")
async def revoke_key(tx: Tx, caller: Caller, key_id: UUID) -> ApiKey:
    """Revoke a key; it works no more from now on."""
    key = await keys.revoke_key(tx, key_id)
    await audit.record(tx, caller, "key.write", f"key:{key.id}", before={"name": key.name, "roles": key.roles})
    return key
