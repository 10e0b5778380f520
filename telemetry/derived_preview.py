"""What a definition would make of a past range, without storing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from identity import Actor
from telemetry.derived import Rule, prepare
from telemetry.derived_values import Target, cuts_of, make_values, moment_of
from telemetry.derived_work import feed_of
from telemetry.history import Reading, zone_of
from telemetry.point_facts import NewPoint
from telemetry.points import QUALITIES, value_of
from twin.db import Conn, rows
from twin.errors import Invalid

MAX_DAYS: Final = 31
MAX_BUCKETS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Preview:
    """Values by bucket; buckets without a value are left out. `members`: how many points they were worked out from."""

    items: list[Reading]
    next: None
    unit: str | None
    members: int
    buckets: int


async def preview(
    conn: Conn,
    actor: Actor,
    building: UUID,
    rule: Rule,
    point: NewPoint,
    inputs: Mapping[str, str],
    *,
    start: datetime,
    end: datetime,
) -> Preview:
    """The values of the buckets in [start, end). Raises what `create_derived` raises, and Invalid `derived.range`."""
    prepared = await prepare(conn, actor, building, rule, point, inputs)
    rule = prepared.rule
    if end <= start:
        raise Invalid("history.range", where="to")
    if end - start > timedelta(days=MAX_DAYS) or (end - start).total_seconds() > MAX_BUCKETS * rule.bucket.seconds:
        raise Invalid("derived.range", where="to", days=MAX_DAYS, buckets=MAX_BUCKETS)
    found = await rows(
        conn,
        """SELECT handle, sampling, date_part('epoch', patience) AS patience, retired_at FROM point
           WHERE handle = ANY(%s)""",
        ([each.handle for each in prepared.sources],),
    )
    facts = {each["handle"]: each for each in found}
    feeds = []
    for source in prepared.sources:
        told = facts[source.handle]
        retired = told["retired_at"] and told["retired_at"].isoformat()
        own = {name: getattr(source, name) for name in ("name", "handle", "key", "kind", "unit", "labels")}
        feeds.append(feed_of({**told, **own, "retired_at": retired}))
    zone = ZoneInfo(prepared.point.time_zone or await zone_of(conn, building))
    new = prepared.point
    target = Target(rule, new.kind, new.unit, zone, new.labels, new.min_value, new.max_value)
    cuts = cuts_of(rule, zone, start, end)
    made = await make_values(conn, target, feeds, cuts)
    items = [
        Reading(
            ts=moment_of(int(made.ts[i])),
            value=value_of(new.kind, float(made.num[i]), None),
            quality=QUALITIES[int(made.quality[i])],
        )
        for i in made.known.nonzero()[0].tolist()
    ]
    return Preview(items, None, new.unit, len(feeds), len(cuts) - 1)
