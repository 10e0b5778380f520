"""Points: what is measured or set, bound to an element of the model. Unit and kind are fixed facts of a point."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from identity import Actor, audit
from telemetry.units import get_unit
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound
from twin.events import emit
from twin.page import Page, decode_cursor, page_of

Kind = Literal["number", "bool", "enum", "text"]
Sampling = Literal["hold", "interpolate"]
Quality = Literal["good", "uncertain", "bad", "stale"]
Value = float | bool | str

KINDS: Final[tuple[Kind, ...]] = ("number", "bool", "enum", "text")
QUALITIES: Final[tuple[Quality, ...]] = ("good", "uncertain", "bad", "stale")  # the index is the stored number
KEY_SHAPE: Final = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,198}[^\s\x00-\x1f])?")


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
    quantity: str | None  # QUDT quantity kind
    brick_class: str | None
    labels: dict[str, str] | None  # enum: code → label
    writable: bool
    min_value: float | None  # readings and commands outside are refused
    max_value: float | None
    expected_interval: float  # s between readings
    sampling: Sampling  # between readings: the value before holds, or a straight line
    properties: dict[str, Any]
    retired_at: datetime | None
    latest: Latest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPoint:
    """What is needed to define a point; see `Point` for the fields."""

    key: str
    name: str
    kind: Kind
    unit: str | None = None
    quantity: str | None = None
    brick_class: str | None = None
    labels: dict[str, str] | None = None
    element_id: UUID | None = None
    writable: bool = False
    min_value: float | None = None
    max_value: float | None = None
    expected_interval: float = 300.0
    sampling: Sampling = "hold"
    properties: dict[str, Any] | None = None


_SELECT: LiteralString = """
    SELECT p.*, e.global_id, coalesce(e.name, e.long_name) AS element_name, e.ifc_class, e.storey_id,
           CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END AS space_id,
           l.ts, l.num, l.txt, l.q
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
        quantity=found["quantity"],
        brick_class=found["brick_class"],
        labels=found["labels"],
        writable=found["writable"],
        min_value=found["min_value"],
        max_value=found["max_value"],
        expected_interval=found["expected_interval"].total_seconds(),
        sampling=found["sampling"],
        properties=found["properties"],
        retired_at=found["retired_at"],
        latest=latest_of(found),
    )


def latest_of(found: Mapping[str, Any]) -> Latest | None:
    """The newest reading in a row with the columns kind, ts, num, txt, q of `point` and `latest`."""
    if found["ts"] is None:
        return None
    return Latest(found["ts"], value_of(found["kind"], found["num"], found["txt"]), QUALITIES[found["q"]])


def check_point(point: NewPoint) -> None:
    """Raise Invalid `point.invalid` that names every field that is wrong and how to put it right."""
    wrong: list[FieldError] = []
    if not KEY_SHAPE.fullmatch(point.key):
        wrong.append(FieldError("key", "point.key"))
    if not 1 <= len(point.name.strip()) <= 200:
        wrong.append(FieldError("name", "point.name"))
    if point.kind not in KINDS:
        wrong.append(FieldError("kind", "point.kind", {"kind": point.kind, "kinds": ", ".join(KINDS)}))
    wrong += _wrong_unit(point) + _wrong_range(point)
    if point.labels is not None and (point.kind != "enum" or not all(_is_code(code) for code in point.labels)):
        wrong.append(FieldError("labels", "point.labels"))
    if point.sampling == "interpolate" and point.kind != "number":
        wrong.append(FieldError("sampling", "point.sampling", {"kind": point.kind}))
    if not 0 < point.expected_interval <= 366 * 86400:
        wrong.append(FieldError("expected_interval", "point.expected_interval"))
    if wrong:
        raise Invalid("point.invalid", fields=wrong, where=point.key)


def _is_code(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,9}", text) is not None


def _wrong_unit(point: NewPoint) -> list[FieldError]:
    if point.unit is None:
        return []
    if point.kind != "number" and point.unit != "UNITLESS":
        return [FieldError("unit", "point.unit_kind", {"kind": point.kind})]
    try:
        get_unit(point.unit)
    except Invalid as error:
        return [FieldError("unit", error.code, error.params)]
    return []


def _wrong_range(point: NewPoint) -> list[FieldError]:
    if point.min_value is not None and point.max_value is not None and point.min_value > point.max_value:
        return [FieldError("min_value", "point.range", {"min": point.min_value, "max": point.max_value})]
    return []


async def create_point(conn: Conn, actor: Actor, building_id: UUID, new: NewPoint) -> Point:
    """Define a point. Raises Invalid, NotFound (element), Conflict (`point.exists`: the key is taken)."""
    check_point(new)
    await _check_element(conn, new.element_id, building_id)
    made = await row(
        conn,
        """INSERT INTO point (building_id, key, name, kind, unit, quantity, brick_class, labels, element_id, writable,
                              min_value, max_value, expected_interval, sampling, properties)
           VALUES (%(building_id)s, %(key)s, %(name)s, %(kind)s, %(unit)s, %(quantity)s, %(brick_class)s, %(labels)s,
                   %(element_id)s, %(writable)s, %(min_value)s, %(max_value)s, %(expected_interval)s, %(sampling)s,
                   %(properties)s)
           ON CONFLICT (key) DO NOTHING RETURNING id""",
        {"building_id": building_id, "key": new.key, **_columns(new)},
    )
    if made is None:
        raise Conflict("point.exists", where="key", key=new.key)
    point = await get_point(conn, made["id"])
    await _tell(conn, "created", point)
    told = {name: value for name, value in asdict(new).items() if value is not None}
    await audit.record(conn, actor, "point.create", f"point:{point.id}", after=told)
    return point


def _columns(new: NewPoint) -> dict[str, Any]:
    quantity = new.quantity or (get_unit(new.unit).quantities[0] if new.unit else None)
    return {
        "name": new.name.strip(),
        "kind": new.kind,
        "unit": new.unit,
        "quantity": quantity,
        "brick_class": new.brick_class,
        "labels": None if new.labels is None else Jsonb(new.labels),
        "element_id": new.element_id,
        "writable": new.writable,
        "min_value": new.min_value,
        "max_value": new.max_value,
        "expected_interval": timedelta(seconds=new.expected_interval),
        "sampling": new.sampling,
        "properties": Jsonb(new.properties or {}),
    }


async def _check_element(conn: Conn, element_id: UUID | None, building_id: UUID) -> None:
    if element_id is None:
        return
    found = await row(conn, "SELECT building_id FROM element WHERE id = %s", (element_id,))
    if found is None:
        raise NotFound("element.unknown", where="element", ref=str(element_id))
    if found["building_id"] != building_id:
        raise Invalid("point.other_building", where="element", element=str(element_id))


async def _tell(conn: Conn, change: str, point: Point) -> None:
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


async def list_points(
    conn: Conn,
    *,
    building_id: UUID | None = None,
    element_id: UUID | None = None,
    storey_id: UUID | None = None,
    space_id: UUID | None = None,
    q: str | None = None,
    retired: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Point]:
    """Points by key. `q`: part of key or name, any case. `retired`: those out of use too."""
    after = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        _SELECT
        + """ WHERE (%(after)s::text IS NULL OR p.key > %(after)s)
             AND (%(building)s::uuid IS NULL OR p.building_id = %(building)s)
             AND (%(element)s::uuid IS NULL OR p.element_id = %(element)s)
             AND (%(storey)s::uuid IS NULL OR e.storey_id = %(storey)s)
             AND (%(space)s::uuid IS NULL OR %(space)s IN (e.space_id, e.id))
             AND (%(q)s::text IS NULL OR strpos(lower(p.key || ' ' || p.name), lower(%(q)s)) > 0)
             AND (%(retired)s OR p.retired_at IS NULL)
           ORDER BY p.key LIMIT %(limit)s""",
        {
            "after": after and after[0],
            "building": building_id,
            "element": element_id,
            "storey": storey_id,
            "space": space_id,
            "q": q or None,
            "retired": retired,
            "limit": limit + 1,
        },
    )
    return page_of([_point(each) for each in found], limit, lambda point: [point.key])


CHANGEABLE: Final = frozenset(
    {"name", "unit", "quantity", "brick_class", "labels", "element_id", "writable", "min_value", "max_value"}
    | {"expected_interval", "sampling", "properties"}
)


async def update_point(
    conn: Conn, actor: Actor, ref: str | UUID, changes: Mapping[str, Any], *, now: datetime, retired: bool | None = None
) -> Point:
    """Change what may change (not key and kind: history would no longer mean what it says) and retire or revive."""
    before = await get_point(conn, ref)
    unknown = [FieldError(name, "point.unchangeable") for name in changes if name not in CHANGEABLE]
    if unknown:
        raise Invalid("point.invalid", fields=unknown, where=before.key)
    new = _with_changes(before, changes)
    check_point(new)
    if new.element_id != (before.element and before.element.id):
        await _check_element(conn, new.element_id, before.building_id)
    keep = before.retired_at if retired is None else ((before.retired_at or now) if retired else None)
    try:
        await conn.execute(
            """UPDATE point SET name = %(name)s, unit = %(unit)s, quantity = %(quantity)s, labels = %(labels)s,
                 brick_class = %(brick_class)s, element_id = %(element_id)s, writable = %(writable)s,
                 min_value = %(min_value)s, max_value = %(max_value)s, expected_interval = %(expected_interval)s,
                 properties = %(properties)s, retired_at = %(retired_at)s
               WHERE handle = %(handle)s""",
            {**_columns(new), "retired_at": keep, "handle": before.handle},
        )
    except pg.ForeignKeyViolation:
        raise NotFound("element.unknown", where="element", ref=str(new.element_id)) from None
    after = await get_point(conn, before.id)
    await _tell(conn, "retired" if after.retired_at else "changed", after)
    kept = {} if retired is None else {"retired": before.retired_at is not None}
    old = {name: getattr(_with_changes(before, {}), name) for name in changes} | kept
    told = {name: getattr(new, name) for name in changes} | ({} if retired is None else {"retired": retired})
    await audit.record(conn, actor, "point.update", f"point:{after.id}", before=old, after=told)
    return after


def _with_changes(point: Point, changes: Mapping[str, Any]) -> NewPoint:
    values: dict[str, Any] = {name: getattr(point, name) for name in CHANGEABLE - {"element_id"}}
    values["element_id"] = point.element.id if point.element else None
    if "unit" in changes and "quantity" not in changes:
        values["quantity"] = None  # follows the unit
    return NewPoint(key=point.key, kind=point.kind, **{**values, **changes})
