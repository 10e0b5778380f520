"""Tells people of sources that fall silent, speak again, or whose clocks are wrong: those who may set them right."""

from collections.abc import Mapping
from typing import Any, Final

from identity import ROLES
from maintenance.notifications import notify
from telemetry.source_watch import SourceChange
from twin.db import Conn

RECEIVERS: Final = tuple(
    role for role, permissions in ROLES.items() if "source.write" in permissions and role != "integration"
)
CODES: Final = {
    "silent": "notification.source.silent",
    "speaks": "notification.source.speaks",
    "clock": "notification.source.clock",
}


async def tell_people(conn: Conn, change: SourceChange, what: str, numbers: Mapping[str, Any]) -> None:
    """A notification for each role that looks after sources (machines have that permission too, and are not told)."""
    for role in RECEIVERS:
        await notify(conn, role, CODES[what], numbers, building_id=change.building_id)
