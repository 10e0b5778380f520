"""Who did what: append-only rows, written in the transaction of the change they tell of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from identity.actor import Actor
from twin.db import Conn, objects
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. `actor`: account:NAME, key:NAME, cli or system; `object`: kind:id."""

    id: int
    at: datetime
    actor: str
    address: str | None
    action: str
    object: str | None
    result: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def record(
    conn: Conn,
    actor: Actor,
    action: str,
    object: str | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    result: str = "done",
) -> None:
    """Record an act. `object` is `kind:id`; `before` and `after` hold what changed and never a secret."""
    await conn.execute(
        "INSERT INTO audit (actor, address, action, object, result, before, after) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (actor.name, actor.address, action, object, result, _json(before), _json(after)),
    )


async def list_entries(
    conn: Conn,
    *,
    actor: str | None = None,
    object: str | None = None,
    action: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """The trail, newest first."""
    before = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        AuditEntry,
        """SELECT id, at, actor, address, action, object, result, before, after FROM audit
           WHERE (%(actor)s::text IS NULL OR actor = %(actor)s) AND (%(object)s::text IS NULL OR object = %(object)s)
             AND (%(action)s::text IS NULL OR action = %(action)s) AND (%(before)s::bigint IS NULL OR id < %(before)s)
           ORDER BY id DESC LIMIT %(limit)s""",
        {"actor": actor, "object": object, "action": action, "before": before and before[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda entry: [entry.id])


def _json(values: Mapping[str, Any] | None) -> Jsonb | None:
    return None if values is None else Jsonb(values)
