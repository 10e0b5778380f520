"""API keys for programs: 256 random bits, shown once, stored as their hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from identity.accounts import check_roles
from identity.actor import Actor
from identity.permissions import permissions_of
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Invalid, NotFound, Unauthenticated
from twin.page import Page, decode_cursor, page_of

PREFIX = "twin_"  # lets secret scanners and people know what they see
USED_EVERY = timedelta(minutes=1)  # a key's last use is written no more often than that
_COLUMNS = "id, name, role, created_by, created_at, expires_at, used_at, revoked_at"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: UUID
    name: str
    role: str
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


async def create_key(
    conn: Conn, name: str, role: str = "administrator", *, created_by: str, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept. Raises Invalid for an unknown role or an empty name."""
    check_roles([role])
    if not 1 <= len(name.strip()) <= 100:
        raise Invalid("key.name", where="name")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = await object_or_none(
        conn,
        ApiKey,
        f"""INSERT INTO api_key (name, secret_hash, role, created_by, expires_at) VALUES (%s, %s, %s, %s, %s)
            RETURNING {_COLUMNS}""",
        (name.strip(), _hash(secret), role, created_by, expires_at),
    )
    assert key is not None
    return key, secret


async def authenticate(conn: Conn, secret: str, *, address: str | None, now: datetime) -> Actor:
    """Who a key stands for. Raises Unauthenticated for one that is wrong, expired or revoked; it does not say which."""
    found = await row(
        conn,
        """SELECT id, name, role, used_at FROM api_key
           WHERE secret_hash = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)""",
        (_hash(secret), now),
    )
    if found is None:
        raise Unauthenticated("key.invalid")
    if found["used_at"] is None or now - found["used_at"] > USED_EVERY:
        await conn.execute(
            """UPDATE api_key SET used_at = %(now)s WHERE id IN
                 (SELECT id FROM api_key WHERE id = %(id)s FOR UPDATE SKIP LOCKED)""",
            {"id": found["id"], "now": now},
        )
    return Actor(f"key:{found['name']}", (found["role"],), permissions_of([found["role"]]), address)


async def list_keys(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[ApiKey]:
    """Keys that are not revoked, newest first."""
    after = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        ApiKey,
        f"""SELECT {_COLUMNS} FROM api_key WHERE revoked_at IS NULL
              AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(id)s::uuid))
            ORDER BY created_at DESC, id DESC LIMIT %(limit)s""",
        {"at": after and after[0], "id": after and after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda key: [key.created_at, key.id])


async def revoke_key(conn: Conn, key_id: UUID) -> ApiKey:
    """End a key for good. Raises NotFound."""
    key = await object_or_none(
        conn,
        ApiKey,
        f"UPDATE api_key SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL RETURNING {_COLUMNS}",
        (key_id,),
    )
    if key is None:
        raise NotFound("key.unknown", id=str(key_id))
    return key


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
