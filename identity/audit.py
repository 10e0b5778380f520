"""Who did what: append-only rows, written in the transaction of the change they tell of."""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from identity.actor import Actor
from twin.db import Conn


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


def _json(values: Mapping[str, Any] | None) -> Jsonb | None:
    return None if values is None else Jsonb(values)
