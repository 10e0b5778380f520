"""What happened, for everyone who watches: an outbox, numbered after the commit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from twin.db import Conn


async def emit(
    conn: Conn, topic: str, data: Mapping[str, Any], *, building_id: UUID | None, storey_id: UUID | None = None
) -> None:
    """Write an event in the transaction of the change it tells of; watchers get it after the commit.

    `topic`: alarm | work_order | model | point | command | notification. `building_id` None: concerns the whole server.
    """
    await conn.execute(
        "INSERT INTO event (building_id, storey_id, topic, data) VALUES (%s, %s, %s, %s)",
        (building_id, storey_id, topic, Jsonb(data)),
    )
