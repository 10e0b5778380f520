"""What a person sets of a source: whether it is used, how a broker is reached, its password."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from identity.sealing import Sealer
from telemetry.mqtt import check_broker
from telemetry.sources import Source, get_source, is_interval
from twin.db import Conn
from twin.errors import FieldError, Invalid


async def configure_source(
    conn: Conn,
    actor: Actor,
    ref: str | UUID,
    sealer: Sealer,
    *,
    enabled: bool | None = None,
    watched: bool | None = None,
    expected_interval: float | None = None,
    settings: dict[str, Any] | None = None,
    password: str | None = None,
) -> Source:
    """Change what is given; servers take it up within seconds. A password is kept sealed and never shown.

    `watched`: people are told when it falls silent, for three of its `expected_interval`s (s).

    Raises NotFound, Invalid `source.not_mqtt` (settings are a broker's), Invalid `source.invalid`.
    """
    before = await get_source(conn, ref)
    if before.kind != "mqtt" and (settings is not None or password is not None):
        raise Invalid("source.not_mqtt", where="settings", kind=before.kind)
    if settings is not None:
        check_broker(settings)
    if expected_interval is not None and not is_interval(expected_interval):
        raise Invalid("source.invalid", fields=[FieldError("expected_interval", "point.expected_interval")])
    await conn.execute(
        """UPDATE source SET enabled = coalesce(%(enabled)s, enabled), settings = coalesce(%(settings)s, settings),
             watched = coalesce(%(watched)s, watched),
             expected_interval = coalesce(%(interval)s, expected_interval),
             secret = coalesce(%(secret)s, secret),
             revision = revision + (num_nonnulls(%(enabled)s, %(settings)s, %(secret)s) > 0)::int,
             state = CASE WHEN %(enabled)s IS FALSE THEN NULL ELSE state END
           WHERE uuid = %(id)s""",
        {
            "id": before.id,
            "enabled": enabled,
            "watched": watched,
            "interval": None if expected_interval is None else timedelta(seconds=expected_interval),
            "settings": None if settings is None else Jsonb(settings),
            "secret": None if password is None else sealer.seal(password, f"source:{before.id}"),
        },
    )
    after = await get_source(conn, before.id)
    told = {
        "enabled": enabled,
        "watched": watched,
        "expected_interval": expected_interval,
        "settings": settings,
        "password": None if password is None else "changed",
    }
    given = {name: value for name, value in told.items() if value is not None}
    old = {name: getattr(before, name) for name in given if name != "password"}
    await audit.record(conn, actor, "source.configure", f"source:{before.id}", before=old, after=given)
    return after
