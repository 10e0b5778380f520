"""`twin key …`: API keys from the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from identity import audit, keys
from identity.actor import CLI
from identity.keys import ApiKey
from twin import places
from twin.db import Conn, open_database
from twin.errors import Invalid, NotFound
from twin.settings import Settings


async def add_key(
    settings: Settings,
    name: str,
    role: str = "administrator",
    *,
    scopes: Sequence[str] = (),
    buildings: Sequence[str] = (),
    networks: Sequence[str] = (),
    expires: str | None = None,
) -> str:
    """Make an API key and return its secret; it is not kept."""
    async with open_database(settings) as db, db.transaction() as conn:
        key, secret = await keys.create_key(
            conn,
            name,
            role,
            created_by=CLI,
            scopes=list(scopes) or None,
            buildings=[(await places.get_building(conn, each)).id for each in buildings],
            networks=networks,
            expires_at=expiry_of(expires, datetime.now(UTC)) if expires else None,
        )
        after = {"name": name, "role": role, "scopes": key.scopes, "buildings": list(buildings)}
        await audit.record(conn, CLI, "key.write", f"key:{key.id}", after=after)
    return secret


async def key_lines(settings: Settings) -> list[str]:
    """One line per key that is not revoked: id, name, roles, until when, last use."""
    lines: list[str] = []
    async with open_database(settings) as db, db.connection() as conn:
        cursor = None
        while True:
            page = await keys.list_keys(conn, limit=1000, cursor=cursor)
            lines += [_line(key) for key in page.items]
            cursor = page.next
            if cursor is None:
                return lines


def _line(key: ApiKey) -> str:
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "no end"
    used = f"used {key.used_at:%Y-%m-%d %H:%M} UTC from {key.used_from or '?'}" if key.used_at else "never used"
    return "\t".join([str(key.id), key.name, ", ".join(key.roles), until, used])


async def revoke_key(settings: Settings, reference: str) -> str:
    """End a key, named by id or by a name that only it has; return its name."""
    async with open_database(settings) as db, db.transaction() as conn:
        key = await keys.revoke_key(conn, await _find(conn, reference))
        await audit.record(conn, CLI, "key.write", f"key:{key.id}", before={"name": key.name}, after={"revoked": True})
    return key.name


async def rotate_key(settings: Settings, reference: str, overlap_hours: float) -> str:
    """Give a key a new secret and return it; the old one works on for so long."""
    async with open_database(settings) as db, db.transaction() as conn:
        key_id = await _find(conn, reference)
        overlap = timedelta(hours=overlap_hours)
        key, secret = await keys.rotate_key(conn, key_id, overlap=overlap, now=datetime.now(UTC))
        await audit.record(conn, CLI, "key.rotate", f"key:{key.id}", after={"name": key.name})
    return secret


async def _find(conn: Conn, reference: str) -> UUID:
    found = await keys.find_live_keys(conn, reference)
    if not found:
        raise NotFound("key.unknown", id=reference)
    if len(found) > 1:
        raise Invalid("key.ambiguous", name=reference, ids=", ".join(map(str, found)))
    return found[0]


def expiry_of(text: str, now: datetime) -> datetime:
    """When a key ends: a date (its last day included, UTC), a time, or `90d` from now. Raises Invalid."""
    try:
        if text.endswith("d"):
            end = now + timedelta(days=int(text[:-1]))
        else:
            end = datetime.fromisoformat(text)
            if len(text) == len("2026-01-01"):
                end = datetime.combine(end.date() + timedelta(days=1), time.min)
            end = end if end.tzinfo else end.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid("key.expires", where="--expires", text=text) from None
    if end <= now:
        raise Invalid("key.expires", where="--expires", text=text)
    return end
