"""Points: what is measured or set, bound to an element of the model. Kind and key are fixed facts of a point.

A unit may change only while there is no history; after that only what it was called may be put right (`relabel`), and
devices that speak another unit are converted when their readings come (`reading_unit`). History is never rewritten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from psycopg import errors as pg

from identity import Actor, audit
from telemetry.point_facts import COLUMNS, Kind, NewPoint, Sampling, check_point, columns_of_point
from telemetry.units import get_unit
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound
from twin.events import emit
from twin.page import Page, decode_cursor, page_of

Quality = Literal["good", "uncertain", "bad", "stale"]
Value = float | bool | str

QUALITIES: Final[tuple[Quality, ...]] = ("good", "uncertain", "bad", "stale")  # the index is the stored number


@dataclass(frozen=True, slots=True)
class ElementRef:
    """The element that a point belongs to."""

    id: UUID
    global_id: str
    name: str | None
    ifc_class: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of a point. `value`: a number, a bool, an enum's code, or a text."""

    ts: datetime
    value: Value | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class Point:
    """Something measured (or set, when `writable`). `handle` is its server-wide number in live frames."""

    id: UUID
    handle: int
    key: str  # unique on the server; what sources call it
    name: str
    building_id: UUID
    element: ElementRef | None
    storey_id: UUID | None
    space_id: UUID | None
    kind: Kind
    unit: str | None  # QUDT code
    unit_symbol: str | None
    reading_unit: str | None  # QUDT code in which readings come; None: in `unit`
    quantity: str | None  # QUDT quantity kind
    brick_class: str | None
    labels: dict[str, str] | None  # enum, bool: code → label
    writable: bool
    min_value: float | None  # readings and commands outside are refused
    max_value: float | None
    deadband: float | None  # smaller changes are kept, and not told to live viewers
    expected_interval: float  # s between readings
    stale_after: float | None  # s of silence after which it is stale; None: three expected intervals
    sampling: Sampling  # between readings: the value before holds, or a straight line
    time_zone: str | None  # IANA; None: the site's
    tags: list[str]
    policy: UUID | None  # of retention; None: as its class says
    properties: dict[str, Any]
    created_at: datetime
    retired_at: datetime | None
    stale: bool  # silent for too long; retired points are not
    latest: Latest | None


_SELECT: LiteralString = """
    SELECT p.*, e.global_id, coalesce(e.name, e.long_name) AS element_name, e.ifc_class, e.storey_id,
           CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS space_id,
           l.ts, l.num, l.txt, l.q,
           p.retired_at IS NULL AND coalesce(l.ts, p.created_at) < now() - p.patience AS stale
    FROM point p LEFT JOIN element e ON e.id = p.element_id LEFT JOIN latest l ON l.point_id = p.handle
"""


def value_of(kind: str, num: float | None, txt: str | None) -> Value | None:
    """A stored value as the user knows it: text, bool, an enum's code (int), or a number."""
    if kind == "text":
        return txt
    if num is None:
        return None
    if kind == "bool":
        return num != 0
    return int(num) if kind == "enum" else num


def _point(found: Mapping[str, Any]) -> Point:
    element = found["element_id"]
    return Point(
        id=found["id"],
        handle=found["handle"],
        key=found["key"],
        name=found["name"],
        building_id=found["building_id"],
        element=element and ElementRef(element, found["global_id"], found["element_name"], found["ifc_class"]),
        storey_id=found["storey_id"],
        space_id=found["space_id"],
        kind=found["kind"],
        unit=found["unit"],
        unit_symbol=get_unit(found["unit"]).symbol if found["unit"] else None,
        reading_unit=found["reading_unit"],
        quantity=found["quantity"],
        brick_class=found["brick_class"],
        labels=found["labels"],
        writable=found["writable"],
        min_value=found["min_value"],
        max_value=found["max_value"],
        deadband=found["deadband"],
        expected_interval=found["expected_interval"].total_seconds(),
        stale_after=None if found["stale_after"] is None else found["stale_after"].total_seconds(),
        sampling=found["sampling"],
        time_zone=found["time_zone"],
        tags=found["tags"],
        policy=found["policy_id"],
        properties=found["properties"],
        created_at=found["created_at"],
        retired_at=found["retired_at"],
        stale=found["stale"],
        latest=latest_of(found),
    )


def latest_of(found: Mapping[str, Any]) -> Latest | None:
    """The newest reading in a row with the columns kind, ts, num, txt, q of `point` and `latest`."""
    if found["ts"] is None:
        return None
    return Latest(found["ts"], value_of(found["kind"], found["num"], found["txt"]), QUALITIES[found["q"]])


_GIVEN: Final = ", ".join(f"%({name})s" for name in COLUMNS)
_SET: Final = ", ".join(f"{name} = %({name})s" for name in COLUMNS)


async def create_point(conn: Conn, actor: Actor, building_id: UUID, new: NewPoint) -> Point:
    """Define a point. Raises Invalid, NotFound (element), Conflict (`point.exists`: the key is taken)."""
    check_point(new)
    await _check_element(conn, new.element_id, building_id)
    await _check_policy(conn, new.policy_id)
    made = await row(
        conn,
        f"INSERT INTO point (building_id, key, {', '.join(COLUMNS)}) VALUES (%(building_id)s, %(key)s, {_GIVEN})"
        " ON CONFLICT (key) DO NOTHING RETURNING id",
        {"building_id": building_id, "key": new.key, **columns_of_point(new)},
    )
    if made is None:
        raise Conflict("point.exists", where="key", key=new.key)
    point = await get_point(conn, made["id"])
    await tell(conn, "created", point)
    told = {name: value for name, value in asdict(new).items() if value is not None}
    await audit.record(conn, actor, "point.create", f"point:{point.id}", after=told)
    return point


async def _check_element(conn: Conn, element_id: UUID | None, building_id: UUID) -> None:
    if element_id is None:
        return
    found = await row(conn, "SELECT building_id FROM element WHERE id = %s", (element_id,))
    if found is None:
        raise NotFound("element.unknown", where="element", ref=str(element_id))
    if found["building_id"] != building_id:
        raise Invalid("point.other_building", where="element", element=str(element_id))


async def _check_policy(conn: Conn, policy_id: UUID | None) -> None:
    if policy_id is not None and await row(conn, "SELECT FROM history_policy WHERE id = %s", (policy_id,)) is None:
        raise NotFound("point.policy", where="policy", policy=str(policy_id))


async def tell(conn: Conn, change: str, point: Point) -> None:
    """Tell watchers of a change: viewers announce or drop its handle, ingest looks it up again."""
    data = {"change": change, "id": str(point.id), "handle": point.handle, "key": point.key}
    await emit(conn, "point", data, building_id=point.building_id, storey_id=point.storey_id)


async def find_point(conn: Conn, ref: str | UUID) -> Point | None:
    """A point by id or key, or None."""
    found = await row(conn, _SELECT + " WHERE p.id::text = %(ref)s OR p.key = %(ref)s", {"ref": str(ref)})
    return None if found is None else _point(found)


async def get_point(conn: Conn, ref: str | UUID) -> Point:
    """A point by id or key. Raises NotFound `point.unknown`."""
    point = await find_point(conn, ref)
    if point is None:
        raise NotFound("point.unknown", key=str(ref))
    return point


async def points_by_key(conn: Conn, keys: Sequence[str]) -> dict[str, Point]:
    """The points that have these keys, retired ones too."""
    found = await rows(conn, _SELECT + " WHERE p.key = ANY(%s)", (list(keys),))
    return {each["key"]: _point(each) for each in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFilter:
    """Which points: all that match everything given."""

    building_id: UUID | None = None
    element_id: UUID | None = None
    storey_id: UUID | None = None
    space_id: UUID | None = None
    q: str | None = None  # part of key or name, any case
    kind: Kind | None = None
    brick_class: str | None = None  # the class, or one whose name ends with it
    tag: str | None = None
    bound: bool | None = None
    stale: bool | None = None
    retired: bool = False  # those out of use too


_FILTER: LiteralString = """
    (%(building_id)s::uuid IS NULL OR p.building_id = %(building_id)s)
    AND (%(element_id)s::uuid IS NULL OR p.element_id = %(element_id)s)
    AND (%(storey_id)s::uuid IS NULL OR e.storey_id = %(storey_id)s)
    AND (%(space_id)s::uuid IS NULL OR %(space_id)s IN (e.space_id, e.id))
    AND (%(q)s::text IS NULL OR strpos(lower(p.key || ' ' || p.name), lower(%(q)s)) > 0)
    AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
    AND (%(brick_class)s::text IS NULL OR p.brick_class = %(brick_class)s
         OR right(p.brick_class, length(%(brick_class)s) + 1) = '_' || %(brick_class)s)
    AND (%(tag)s::text IS NULL OR p.tags @> ARRAY[%(tag)s::text])
    AND (%(bound)s::bool IS NULL OR (p.element_id IS NOT NULL) = %(bound)s)
    AND (%(stale)s::bool IS NULL
         OR (p.retired_at IS NULL AND coalesce(l.ts, p.created_at) < now() - p.patience) = %(stale)s)
    AND (%(retired)s OR p.retired_at IS NULL)
"""


async def list_points(
    conn: Conn, wanted: PointFilter = PointFilter(), *, limit: int = 100, cursor: str | None = None
) -> Page[Point]:
    """Points by key."""
    after = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        f"{_SELECT} WHERE (%(after)s::text IS NULL OR p.key > %(after)s) AND {_FILTER} ORDER BY p.key LIMIT %(limit)s",
        {**asdict(wanted), "q": wanted.q or None, "after": after and after[0], "limit": limit + 1},
    )
    return page_of([_point(each) for each in found], limit, lambda point: [point.key])


CHANGEABLE: Final = frozenset(COLUMNS) - {"kind"}


async def update_point(
    conn: Conn,
    actor: Actor,
    ref: str | UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
    retired: bool | None = None,
    relabel: bool = False,
) -> Point:
    """Change what may change (not key and kind: history would no longer mean what it says) and retire or revive.

    A unit may change while there is no reading; after that `relabel` says that the readings were in the new unit all
    along. Raises Conflict `point.unit_history` otherwise.
    """
    before = await get_point(conn, ref)
    unknown = [FieldError(name, "point.unchangeable") for name in changes if name not in CHANGEABLE]
    if unknown:
        raise Invalid("point.invalid", fields=unknown, where=before.key)
    new = with_changes(before, changes)
    check_point(new)
    if new.element_id != (before.element and before.element.id):
        await _check_element(conn, new.element_id, before.building_id)
    if new.policy_id != before.policy:
        await _check_policy(conn, new.policy_id)
    if new.unit != before.unit and not relabel and await has_history(conn, before.handle):
        raise Conflict("point.unit_history", where="unit", point=before.key, unit=before.unit or "–")
    keep = before.retired_at if retired is None else ((before.retired_at or now) if retired else None)
    try:
        await conn.execute(
            f"UPDATE point SET {_SET}, retired_at = %(retired_at)s WHERE handle = %(handle)s",
            {**columns_of_point(new), "retired_at": keep, "handle": before.handle},
        )
    except pg.ForeignKeyViolation:
        raise NotFound("element.unknown", where="element", ref=str(new.element_id)) from None
    after = await get_point(conn, before.id)
    await tell(conn, "retired" if after.retired_at else "changed", after)
    kept = {} if retired is None else {"retired": before.retired_at is not None}
    old = {name: getattr(with_changes(before, {}), name) for name in changes} | kept
    told = {name: getattr(new, name) for name in changes} | ({} if retired is None else {"retired": retired})
    await audit.record(conn, actor, _ACTIONS[retired], f"point:{after.id}", before=old, after=told)
    return after


_ACTIONS: Final[Mapping[bool | None, str]] = {None: "point.update", True: "point.retire", False: "point.restore"}


async def has_history(conn: Conn, handle: int) -> bool:
    """Say whether a point has a reading, whether or not the caller may see it."""
    found = await row(conn, "SELECT point_has_history(%s) AS any", (handle,))
    return bool(found and found["any"])


def with_changes(point: Point, changes: Mapping[str, Any]) -> NewPoint:
    """What a point says, with some of it changed. A quantity that is not given follows the unit."""
    values: dict[str, Any] = {name: getattr(point, name) for name in CHANGEABLE - {"element_id", "policy_id", "tags"}}
    values["element_id"] = point.element.id if point.element else None
    values["policy_id"] = point.policy
    values["tags"] = tuple(point.tags)
    if changes.get("unit", point.unit) != point.unit and "quantity" not in changes:
        values["quantity"] = None
    return NewPoint(key=point.key, kind=point.kind, **{**values, **changes})


__all__ = [
    "QUALITIES", "ElementRef", "Kind", "Latest", "NewPoint", "Point", "PointFilter", "Quality", "Sampling", "Value",
    "check_point", "create_point", "find_point", "get_point", "has_history", "latest_of", "list_points",
    "points_by_key", "tell", "update_point", "value_of", "with_changes",
]  # fmt: skip
