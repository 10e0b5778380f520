"""How long a class of points keeps its readings and rollups, and when they are compressed (clause 6.1.3f).

A policy matches points by building, Brick class and quantity; of several the one that says most counts, and a point's
own `policy` before all. Without a policy everything is kept.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from identity import Actor, audit
from twin.db import Conn, objects, row
from twin.errors import Conflict, FieldError, Invalid, NotFound
from twin.events import emit
from twin.page import Page, decode_cursor, page_of

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=366 * 200)
FIELDS: Final = ("name", "building_id", "brick_class", "quantity", "raw_for", "rollup_for", "compress_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPolicy:
    """What a policy says; null durations mean for ever, or never for `compress_after`."""

    name: str
    building_id: UUID | None = None
    brick_class: str | None = None  # this class and those whose name ends with it: Temperature_Sensor
    quantity: str | None = None
    raw_for: timedelta | None = None
    rollup_for: timedelta | None = None
    compress_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy. `points`: how many it counts for now."""

    id: UUID
    name: str
    building_id: UUID | None
    brick_class: str | None
    quantity: str | None
    raw_for: timedelta | None
    rollup_for: timedelta | None
    compress_after: timedelta | None
    created_at: datetime
    points: int


_SELECT: LiteralString = """
    SELECT c.id, c.name, c.building_id, c.brick_class, c.quantity, c.raw_for, c.rollup_for, c.compress_after,
           c.created_at, (SELECT count(*) FROM point_policy_of o WHERE o.policy_id = c.id) AS points
    FROM history_policy c
"""
_INSERT: LiteralString = """
    INSERT INTO history_policy (name, building_id, brick_class, quantity, raw_for, rollup_for, compress_after)
    VALUES (%(name)s, %(building_id)s, %(brick_class)s, %(quantity)s, %(raw_for)s, %(rollup_for)s, %(compress_after)s)
    ON CONFLICT (name) DO NOTHING RETURNING id
"""
_UPDATE: LiteralString = """
    UPDATE history_policy SET name = %(name)s, building_id = %(building_id)s, brick_class = %(brick_class)s,
        quantity = %(quantity)s, raw_for = %(raw_for)s, rollup_for = %(rollup_for)s,
        compress_after = %(compress_after)s
    WHERE id = %(id)s
"""


def check_policy(policy: NewPolicy) -> None:
    """Raise Invalid `history.policy` that names every field that is wrong and how to put it right."""
    wrong: list[FieldError] = []
    if not 1 <= len(policy.name.strip()) <= 200:
        wrong.append(FieldError("name", "history.policy_name"))
    for name in ("raw_for", "rollup_for", "compress_after"):
        value = getattr(policy, name)
        if value is not None and not SHORTEST <= value <= LONGEST:
            wrong.append(FieldError(name, "history.policy_duration"))
    if policy.rollup_for is not None and (policy.raw_for is None or policy.rollup_for < policy.raw_for):
        wrong.append(FieldError("rollup_for", "history.policy_order"))
    if wrong:
        raise Invalid("history.policy", fields=wrong, where=policy.name)


async def create_policy(conn: Conn, actor: Actor, new: NewPolicy) -> Policy:
    """Define a policy; it takes effect with the next run. Raises Invalid, Conflict (the name is taken)."""
    check_policy(new)
    made = await row(conn, _INSERT, {**asdict(new), "name": new.name.strip()})
    if made is None:
        raise Conflict("history.policy_exists", where="name", name=new.name)
    policy = await get_policy(conn, made["id"])
    await audit.record(conn, actor, "history_policy.create", f"history_policy:{policy.id}", after=_told(new))
    await _tell(conn, "created", policy)
    return policy


async def get_policy(conn: Conn, policy: UUID) -> Policy:
    """A policy by id. Raises NotFound."""
    found = await objects(conn, Policy, _SELECT + " WHERE c.id = %s", (policy,))
    if not found:
        raise NotFound("history.policy_unknown", where="policy", policy=str(policy))
    return found[0]


async def list_policies(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[Policy]:
    """Policies by name."""
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Policy,
        _SELECT + " WHERE (%(after)s::text IS NULL OR c.name > %(after)s) ORDER BY c.name LIMIT %(limit)s",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda policy: [policy.name])


async def update_policy(conn: Conn, actor: Actor, policy: UUID, changes: Mapping[str, Any]) -> Policy:
    """Change a policy, with the next run. Raises NotFound, Invalid, Conflict."""
    before = await get_policy(conn, policy)
    old = NewPolicy(**{name: getattr(before, name) for name in FIELDS})
    new = NewPolicy(**{**asdict(old), **changes})
    check_policy(new)
    taken = await row(conn, "SELECT 1 FROM history_policy WHERE name = %s AND id <> %s", (new.name.strip(), policy))
    if taken:
        raise Conflict("history.policy_exists", where="name", name=new.name)
    await conn.execute(_UPDATE, {**asdict(new), "name": new.name.strip(), "id": policy})
    after = await get_policy(conn, policy)
    await audit.record(
        conn, actor, "history_policy.update", f"history_policy:{policy}", before=_told(old), after=_told(new)
    )
    await _tell(conn, "changed", after)
    return after


async def delete_policy(conn: Conn, actor: Actor, policy: UUID) -> None:
    """Its points keep everything from now on, or what another policy says. Raises NotFound."""
    before = await get_policy(conn, policy)
    await conn.execute("DELETE FROM history_policy WHERE id = %s", (policy,))
    told = _told(NewPolicy(**{name: getattr(before, name) for name in FIELDS}))
    await audit.record(conn, actor, "history_policy.delete", f"history_policy:{policy}", before=told)
    await _tell(conn, "deleted", before)


def _told(policy: NewPolicy) -> dict[str, Any]:
    """What an audit entry says of it."""
    return {name: str(value) for name, value in asdict(policy).items() if value is not None}


async def _tell(conn: Conn, change: str, policy: Policy) -> None:
    data = {"change": change, "policy": str(policy.id), "name": policy.name}
    await emit(conn, "history", data, building_id=policy.building_id)
