"""API keys for programs: 256 random bits, shown once, stored as their hash (6.1.5a, 6.2.1e).

A key may do what its grants give, at most what its scopes name, and only from its networks. While a rotation lasts
two secrets stand for it.
"""

import hashlib
import ipaddress
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from identity.actor import Actor, KeyTerms
from identity.grants import actor_of_key, give_grant
from identity.permissions import PERMISSIONS
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Conflict, Invalid, NotFound, Unauthenticated
from twin.page import Page, decode_cursor, page_of

PREFIX: Final = "twin_"  # lets secret scanners and people know what they see
OVERLAP: Final = timedelta(days=1)  # how long the old secret works after a rotation, unless told otherwise
LONGEST_OVERLAP: Final = timedelta(days=30)
MOST_NETWORKS: Final = 50
_COLUMNS = """id, name, api_key.roles, scopes, networks, rate, concurrency, created_by, created_at, expires_at, used_at,
              used_from, revoked_at, (SELECT max(s.expires_at) FROM api_key_secret s
                WHERE s.key_id = api_key.id AND s.expires_at > now()) AS rotating_until"""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: UUID
    name: str
    roles: list[str]
    scopes: list[str] | None  # permissions at most; null: all that its grants give
    networks: list[str]  # CIDR; empty: from anywhere
    rate: int | None  # calls a minute; null: the setting
    concurrency: int | None  # calls at once; null: the setting
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    used_from: str | None  # address of the last use
    revoked_at: datetime | None
    rotating_until: datetime | None  # the secret before this one works until then


async def create_key(
    conn: Conn,
    name: str,
    role: str = "administrator",
    *,
    created_by: Actor,
    buildings: Sequence[UUID] = (),
    scopes: Sequence[str] | None = None,
    networks: Sequence[str] = (),
    rate: int | None = None,
    concurrency: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept. It holds the role everywhere, or at each of the buildings.

    Raises Invalid: unknown role or scope, empty name, bad network; Conflict: a living key has that name; Denied: the
    creator may not do as much himself.
    """
    plain = _usable_name(name)
    await _check_free(conn, plain)
    found = await row(
        conn,
        """INSERT INTO api_key (name, scopes, networks, rate, concurrency, created_by, expires_at)
           VALUES (%(name)s, %(scopes)s, %(networks)s, %(rate)s, %(concurrency)s, %(by)s, %(expires)s)
           RETURNING id""",
        {
            "name": plain,
            "scopes": None if scopes is None else _known_scopes(scopes),
            "networks": normal_networks(networks),
            "rate": rate,
            "concurrency": concurrency,
            "by": created_by.name,
            "expires": expires_at,
        },
    )
    assert found is not None
    if not buildings:
        await give_grant(conn, created_by, role, key=found["id"])
    for building in buildings:
        await give_grant(conn, created_by, role, key=found["id"], place=("building", building))
    secret = await _new_secret(conn, found["id"])
    return await get_key(conn, found["id"]), secret


async def _new_secret(conn: Conn, key_id: UUID) -> str:
    secret = PREFIX + secrets.token_urlsafe(32)
    await conn.execute("INSERT INTO api_key_secret (hash, key_id) VALUES (%s, %s)", (_hash(secret), key_id))
    return secret


async def authenticate(conn: Conn, secret: str, *, address: str | None, now: datetime) -> Actor:
    """Who a key stands for. Raises Unauthenticated when it is wrong, expired, revoked or used from elsewhere; it does
    not say which."""
    found = await row(
        conn,
        """SELECT k.id, k.name, k.scopes, k.networks, k.rate, k.concurrency
           FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
           WHERE s.hash = %(hash)s AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
             AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %(now)s)""",
        {"hash": _hash(secret), "now": now},
    )
    if found is None or not allows(found["networks"], address):
        raise Unauthenticated("key.invalid")
    terms = KeyTerms(found["id"], found["rate"], found["concurrency"])
    return await actor_of_key(conn, found["id"], found["name"], address=address, scopes=found["scopes"], terms=terms)


async def get_key(conn: Conn, key_id: UUID) -> ApiKey:
    """One key. Raises NotFound."""
    key = await object_or_none(conn, ApiKey, f"SELECT {_COLUMNS} FROM api_key WHERE id = %s", (key_id,))
    if key is None:
        raise NotFound("key.unknown", id=str(key_id))
    return key


async def find_live_keys(conn: Conn, reference: str) -> list[UUID]:
    """Keys that are not revoked and have that id or name."""
    query = "SELECT id FROM api_key WHERE revoked_at IS NULL AND (id::text = %(ref)s OR name = %(ref)s)"
    found = await rows(conn, query, {"ref": reference.strip()})
    return [each["id"] for each in found]


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


async def change_key(conn: Conn, key_id: UUID, changes: dict[str, Any]) -> tuple[ApiKey, ApiKey]:
    """Change some of `scopes`, `networks`, `rate`, `concurrency`, `expires_at`, `name`; return it before and after.

    Raises NotFound (also for a revoked key), Conflict (another key has the name) or Invalid.
    """
    before = await _live(conn, key_id)
    values = {field: getattr(before, field) for field in _CHANGEABLE} | changes
    if values["scopes"] is not None:
        values["scopes"] = _known_scopes(values["scopes"])
    values["networks"] = normal_networks(values["networks"] or ())
    values["name"] = _usable_name(values["name"] or "")
    await _check_free(conn, values["name"], but=key_id)
    await conn.execute(
        """UPDATE api_key SET name = %(name)s, scopes = %(scopes)s, networks = %(networks)s, rate = %(rate)s,
             concurrency = %(concurrency)s, expires_at = %(expires_at)s WHERE id = %(id)s""",
        {**values, "id": key_id},
    )
    return before, await get_key(conn, key_id)


_CHANGEABLE: Final = ("name", "scopes", "networks", "rate", "concurrency", "expires_at")


async def rotate_key(conn: Conn, key_id: UUID, *, overlap: timedelta, now: datetime) -> tuple[ApiKey, str]:
    """A new secret; the one before works on for `overlap`, any older one ends now. Raises NotFound or Invalid."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("key.overlap", where="overlap", days=LONGEST_OVERLAP.days)
    await _live(conn, key_id)
    await conn.execute("DELETE FROM api_key_secret WHERE key_id = %s AND expires_at IS NOT NULL", (key_id,))
    await conn.execute("UPDATE api_key_secret SET expires_at = %s WHERE key_id = %s", (now + overlap, key_id))
    secret = await _new_secret(conn, key_id)
    return await get_key(conn, key_id), secret


async def revoke_key(conn: Conn, key_id: UUID) -> ApiKey:
    """End a key and all its secrets for good. Raises NotFound."""
    await _live(conn, key_id)
    await conn.execute("UPDATE api_key SET revoked_at = now() WHERE id = %s", (key_id,))
    await conn.execute("DELETE FROM api_key_secret WHERE key_id = %s", (key_id,))
    return await get_key(conn, key_id)


async def _live(conn: Conn, key_id: UUID) -> ApiKey:
    """The key, locked against others who change it. Raises NotFound for one that is revoked."""
    if await row(conn, "SELECT FROM api_key WHERE id = %s AND revoked_at IS NULL FOR UPDATE", (key_id,)) is None:
        raise NotFound("key.unknown", id=str(key_id))
    return await get_key(conn, key_id)


def normal_networks(networks: Sequence[str]) -> list[str]:
    """Networks in one form, e.g. `192.0.2.0/24`; an address is a network of one. Raises Invalid."""
    if len(networks) > MOST_NETWORKS:
        raise Invalid("key.networks", where="networks", network=len(networks), limit=MOST_NETWORKS)
    try:
        return sorted({str(ipaddress.ip_network(each.strip(), strict=False)) for each in networks})
    except ValueError as error:
        raise Invalid("key.networks", where="networks", network=str(error)[:80], limit=MOST_NETWORKS) from None


def allows(networks: Sequence[str], address: str | None) -> bool:
    """Whether a caller at `address` is in one of the networks; no networks mean anywhere."""
    if not networks:
        return True
    try:
        here = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    if isinstance(here, ipaddress.IPv6Address) and here.ipv4_mapped:
        here = here.ipv4_mapped
    return any(here in ipaddress.ip_network(each) for each in networks)


def _known_scopes(scopes: Sequence[str]) -> list[str]:
    for scope in scopes:
        if scope not in PERMISSIONS:
            raise Invalid("key.scope", where="scopes", scope=scope)
    return sorted(set(scopes))


def _usable_name(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).strip()
    if not 1 <= len(plain) <= 100 or not plain.isprintable():
        raise Invalid("key.name", where="name")
    return plain


async def _check_free(conn: Conn, name: str, *, but: UUID | None = None) -> None:
    """Raise Conflict when a living key has that name, however its letters are cased.

    Of two that ask at once for one name the second waits here for the first.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('key ' || lower(%s), 0))", (name,))
    other = await row(
        conn, "SELECT id FROM api_key WHERE lower(name) = lower(%s) AND revoked_at IS NULL AND id IS DISTINCT FROM %s",
        (name, but),
    )  # fmt: skip
    if other is not None:
        raise Conflict("key.exists", where="name", name=name, id=str(other["id"]))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
