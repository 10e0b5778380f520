"""What a person sets of a source: whether it is used, how a broker is reached, its password."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from identity.sealing import Sealer
from telemetry.mqtt import check_broker
from telemetry.sources import Source, get_source
from twin.db import Conn
from twin.errors import Invalid


async def configure_source(
    conn: Conn,
    actor: Actor,
    ref: str | UUID,
    sealer: Sealer,
    *,
    enabled: bool | None = None,
    settings: dict[str, Any] | None = None,
    password: str | None = None,
) -> Source:
    """Change what is given; servers take it up within seconds. A password is kept sealed and never shown.

    Raises NotFound, Invalid `source.not_mqtt` (settings are a broker's), Invalid `source.invalid`.
    """
    before = await get_source(conn, ref)
    if before.kind != "mqtt" and (settings is not None or password is not None):
        raise Invalid("source.not_mqtt", where="settings", kind=before.kind)
    if settings is not None:
        check_broker(settings)
    await conn.execute(
        """UPDATE source SET enabled = coalesce(%(enabled)s, enabled), settings = coalesce(%(settings)s, settings),
             secret = coalesce(%(secret)s, secret), revision = revision + 1,
             state = CASE WHEN %(enabled)s IS FALSE THEN NULL ELSE state END
           WHERE uuid = %(id)s""",
        {
            "id": before.id,
            "enabled": enabled,
            "settings": None if settings is None else Jsonb(settings),
            "secret": None if password is None else sealer.seal(password, f"source:{before.id}"),
        },
    )
    after = await get_source(conn, before.id)
    told = {"enabled": enabled, "settings": settings, "password": None if password is None else "changed"}
    given = {name: value for name, value in told.items() if value is not None}
    old = {name: getattr(before, name) for name in given if name != "password"}
    await audit.record(conn, actor, "source.configure", f"source:{before.id}", before=old, after=given)
    return after
