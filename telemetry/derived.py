"""Definitions of derived points: points whose readings are worked out from those of other points (clause 6.1.4).

A definition makes one reading per bucket of `every`, at the start of the bucket; `telemetry/derived_work.py` computes
them. What a definition is: `Rule`; what it is worked out from: `Source`s, rows of `derived_input`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from telemetry.buckets import Bucket, parse_bucket
from telemetry.derived_expression import CLOCK, NAME, RESERVED, Input, compile_expression
from telemetry.derived_members import Over, check_place, check_whole, find_members, over_of
from telemetry.dimensions import MEASURES, POWER, TEMPERATURE, TIME, convertible
from telemetry.point_facts import Kind, NewPoint
from telemetry.points import Point, create_point, find_point, get_point, update_point
from telemetry.units import get_unit
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound

DerivedKind = Literal["expression", "sum", "degree_hours", "energy", "run_hours", "starts"]
Mode = Literal["heating", "cooling"]
State = Literal["filling", "live", "failed"]

KINDS: Final[tuple[DerivedKind, ...]] = ("expression", "sum", "degree_hours", "energy", "run_hours", "starts")
SINGLE: Final = frozenset({"degree_hours", "energy", "run_hours", "starts"})  # worked out from one input
MAX_INPUTS: Final = 20
SHORTEST_S, LONGEST_S = 60, 86_400
CHANGE_LOCK: Final = 1953983092  # who changes inputs: two at once could close a circle between them
UNITS: Final[dict[str, str]] = {"degree_hours": "DEG_C-HR", "run_hours": "HR", "starts": "NUM"}  # unless told otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a derived point is worked out; which fields count depends on `kind`."""

    kind: DerivedKind
    every: str = "5m"
    expression: str | None = None  # CEL over the names of the inputs
    over: Over | None = None  # sum
    base: float | None = None  # degree hours: °C
    mode: Mode = "heating"
    above: float | None = None  # run hours and starts: running where the value is higher
    states: tuple[float, ...] | None = None  # …or one of these codes; neither: where it is not zero or false

    @property
    def bucket(self) -> Bucket:
        """The width of a bucket."""
        return parse_bucket(self.every)

    def settings(self) -> dict[str, Any]:
        """What is stored beside kind and width."""
        told: dict[str, Any] = {"over": self.over and self.over.told()}
        if self.kind == "expression":
            told["expression"] = self.expression
        if self.kind == "degree_hours":
            told |= {"base": self.base, "mode": self.mode}
        if self.kind in ("run_hours", "starts"):
            told |= {"above": self.above, "states": self.states and list(self.states)}
        return {name: value for name, value in told.items() if value is not None}


def rule_of(kind: DerivedKind, every: str, settings: Mapping[str, Any]) -> Rule:
    """A rule as `settings()` wrote it."""
    told = dict(settings)
    states = told.pop("states", None)
    over = told.pop("over", None)
    return Rule(kind=kind, every=every, over=over and over_of(over), states=states and tuple(states), **told)


@dataclass(frozen=True, slots=True)
class Source:
    """A point that a derived one is worked out from; `name` is empty for members of a sum."""

    name: str
    handle: int
    key: str
    kind: Kind
    unit: str | None
    labels: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DerivedPoint:
    """What shows of the point that a definition makes."""

    id: UUID
    key: str
    name: str
    building_id: UUID
    kind: Kind
    unit: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a definition makes nothing."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A definition. `filling`: the past is being worked out, and new readings come all the same."""

    id: UUID
    point: DerivedPoint
    kind: DerivedKind
    expression: str | None
    inputs: dict[str, str]  # name → key; of a sum none
    over: dict[str, Any] | None
    base: float | None
    mode: Mode | None
    above: float | None
    states: list[float] | None
    every: str
    members: int  # points that it is worked out from
    state: State
    progress: float  # 0 … 1 of the past
    done: datetime | None  # worked out up to here
    error: Fault | None
    created_by: str
    created_at: datetime


def check_rule(rule: Rule, names: Sequence[str]) -> None:
    """Raise Invalid `derived.invalid` that names every field that is wrong. `names`: of the inputs."""
    wrong = [] if _is_width(rule.every) else [FieldError("every", "derived.every")]
    wrong += [FieldError(f"inputs.{name}", "derived.name", {"name": name[:64]}) for name in names if not _is_name(name)]
    wrong += _wrong_sum(rule, names) if rule.kind == "sum" else _wrong_inputs(rule, names)
    if rule.kind == "expression" and not (rule.expression or "").strip():
        wrong.append(FieldError("expression", "derived.expression_empty"))
    if rule.kind == "degree_hours" and rule.base is None:
        wrong.append(FieldError("base", "derived.base"))
    if rule.above is not None and rule.states is not None:
        wrong.append(FieldError("above", "derived.above"))
    if wrong:
        raise Invalid("derived.invalid", fields=wrong)


def _is_width(every: str) -> bool:
    try:
        seconds = parse_bucket(every).seconds
        return SHORTEST_S <= seconds <= LONGEST_S and (3600 % seconds == 0 or 24 % (seconds / 3600) == 0)
    except Invalid:
        return False


def _wrong_sum(rule: Rule, names: Sequence[str]) -> list[FieldError]:
    wrong = [] if rule.over else [FieldError("over", "derived.over")]
    return wrong + ([FieldError("inputs", "derived.inputs_none")] if names else [])


def _wrong_inputs(rule: Rule, names: Sequence[str]) -> list[FieldError]:
    if rule.over is not None:
        return [FieldError("over", "derived.over_sum")]
    if rule.kind in SINGLE and len(names) != 1:
        return [FieldError("inputs", "derived.inputs_one", {"kind": rule.kind})]
    if not 1 <= len(names) <= MAX_INPUTS:
        return [FieldError("inputs", "derived.inputs_many", {"limit": MAX_INPUTS})]
    return []


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in RESERVED and name not in CLOCK


def check_units(rule: Rule, kind: Kind, unit: str | None, sources: Sequence[Source]) -> None:
    """Raise Invalid where the kinds or units of the inputs do not lead to the point's. `kind`, `unit`: of the point."""
    for each in sources:
        if each.kind == "text" or (each.kind != "number" and rule.kind in ("sum", "degree_hours", "energy")):
            raise Invalid("derived.input_kind", where=f"inputs.{each.name}", point=each.key, kind=each.kind)
    if rule.kind == "expression":
        if kind == "text":
            raise Invalid("derived.point_kind", where="point.kind", kind=kind)
        compile_expression(rule.expression or "", inputs_of(sources), kind=kind, unit=unit)
        return
    if kind != "number":
        raise Invalid("derived.point_kind", where="point.kind", kind=kind)
    if rule.kind == "sum":
        _check_members(unit, sources)
    else:
        _check_result(rule, unit, sources[0])


def inputs_of(sources: Sequence[Source]) -> dict[str, Input]:
    """The inputs of an expression by name."""
    return {each.name: Input(each.kind, each.unit) for each in sources}


def _check_members(unit: str | None, members: Sequence[Source]) -> None:
    wanted = unit or next((each.unit for each in members if each.unit), None)
    for each in members:
        if (each.unit is None) != (wanted is None) or (each.unit and wanted and not convertible(each.unit, wanted)):
            raise Invalid("derived.member_unit", where="over", point=each.key, unit=each.unit or "-", wanted=wanted)


def _check_result(rule: Rule, unit: str | None, source: Source) -> None:
    given, made = MEASURES.get(source.unit or ""), MEASURES.get(unit or "")
    if rule.kind == "degree_hours" and given is not None and given.powers != TEMPERATURE:
        raise Invalid("derived.input_unit", where="inputs", point=source.key, unit=source.unit, wanted="DEG_C")
    if made is None or unit is None:
        return
    wanted = made.powers
    if rule.kind == "energy" and given is not None:
        wanted = tuple(a + b for a, b in zip(given.powers, TIME, strict=True))  # type: ignore[assignment]
    elif rule.kind in UNITS:
        wanted = MEASURES[UNITS[rule.kind]].powers
    if made.powers != wanted:
        found = f"{source.unit} × h" if rule.kind == "energy" else UNITS.get(rule.kind, source.unit or "-")
        raise Invalid("derived.units", where="point.unit", unit=unit, found=found)


def default_unit(rule: Rule, sources: Sequence[Source]) -> str | None:
    """The unit of a point that is given none."""
    if rule.kind == "energy" and sources:
        measure = MEASURES.get(sources[0].unit or "")
        return "KiloW-HR" if measure and measure.powers == POWER else None
    if rule.kind == "sum" and sources:
        return sources[0].unit
    return UNITS.get(rule.kind)


async def find_sources(conn: Conn, actor: Actor, building: UUID, rule: Rule, inputs: Mapping[str, str]) -> list[Source]:
    """The points that `inputs` (name → key or id) name, or those that a sum is over now.

    Raises NotFound `point.unknown`, `derived.place`; Denied for a sum over more than the caller may see.
    """
    if rule.over is not None:
        await check_place(conn, building, rule.over)
        scope = actor.scope("reading.read")
        await check_whole(
            conn,
            rule.over,
            whole_building=scope.everywhere or building in scope.buildings,
            granted=frozenset(scope.storeys) | frozenset(scope.systems),
        )
        members = await find_members(conn, building, rule.over)
        return [Source("", each.handle, each.key, each.kind, each.unit) for each in members]
    found = [(name, await get_point(conn, ref)) for name, ref in inputs.items()]
    return [Source(name, each.handle, each.key, each.kind, each.unit, each.labels) for name, each in found]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A definition that has been checked, not yet stored."""

    rule: Rule
    point: NewPoint
    sources: list[Source]


async def prepare(
    conn: Conn, actor: Actor, building: UUID, rule: Rule, point: NewPoint, inputs: Mapping[str, str]
) -> Prepared:
    """Check a definition. A sum without a quantity takes that of its point's unit. Raises Invalid, NotFound, Denied."""
    check_rule(rule, list(inputs))
    rule = _with_quantity(rule, point)
    sources = await find_sources(conn, actor, building, rule, inputs)
    if point.unit is None and point.kind == "number":
        point = replace(point, unit=default_unit(rule, sources))
    check_units(rule, point.kind, point.unit, sources)
    return Prepared(rule, replace(point, expected_interval=float(rule.bucket.seconds)), sources)


def _with_quantity(rule: Rule, point: NewPoint) -> Rule:
    if rule.over is None or rule.over.quantity or rule.over.brick_class:
        return rule
    quantity = point.quantity or (get_unit(point.unit).quantities[0] if point.unit else None)
    if quantity is None:
        raise Invalid("derived.invalid", fields=[FieldError("over.quantity", "derived.quantity")])
    return replace(rule, over=replace(rule.over, quantity=quantity))


async def create_derived(
    conn: Conn, actor: Actor, building: UUID, rule: Rule, point: NewPoint, inputs: Mapping[str, str], *, now: datetime
) -> UUID:
    """Define a derived point and return the definition's id; its past is worked out from then on.

    A point of this key that an earlier definition left behind, out of use, is taken up again with its history. Raises
    Invalid, NotFound, Denied, Conflict `point.exists`.
    """
    prepared = await prepare(conn, actor, building, rule, point, inputs)
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (CHANGE_LOCK,))
    made = await _point_for(conn, actor, building, prepared.point, now)
    stored = await row(
        conn,
        """INSERT INTO derived (point_id, building_id, kind, every, settings, created_by)
           VALUES (%(point)s, %(building)s, %(kind)s, %(every)s, %(settings)s, %(by)s) RETURNING id""",
        {
            "point": made.handle,
            "building": building,
            "kind": prepared.rule.kind,
            "every": prepared.rule.every,
            "settings": Jsonb(prepared.rule.settings()),
            "by": actor.name,
        },
    )
    assert stored is not None
    id = UUID(str(stored["id"]))
    await write_inputs(conn, id, prepared.sources)
    await check_circle(conn, made.handle)
    told = {"point": made.key, "every": rule.every, "inputs": dict(inputs), **prepared.rule.settings()}
    await audit.record(conn, actor, "derived.create", f"derived:{id}", after=told)
    return id


async def _point_for(conn: Conn, actor: Actor, building: UUID, new: NewPoint, now: datetime) -> Point:
    left = await find_point(conn, new.key)
    if left is None or left.retired_at is None or left.building_id != building or left.kind != new.kind:
        return await create_point(conn, actor, building, new)
    if left.properties.get("derived") is not True:
        raise Conflict("point.exists", where="key", key=new.key)
    changes = {"name": new.name, "unit": new.unit, "expected_interval": new.expected_interval}
    return await update_point(conn, actor, left.id, changes, now=now, retired=False)


async def write_inputs(conn: Conn, id: UUID, sources: Sequence[Source]) -> None:
    """Store what a definition is worked out from, in place of what stood there."""
    await conn.execute("DELETE FROM derived_input WHERE derived_id = %s", (id,))
    await conn.execute(
        """INSERT INTO derived_input (derived_id, point_id, name)
           SELECT %s, u.p, u.n FROM unnest(%s::int[], %s::text[]) AS u(p, n)""",
        (id, [each.handle for each in sources], [each.name for each in sources]),
    )


async def check_circle(conn: Conn, handle: int) -> None:
    """Raise Conflict `derived.cycle` with the path when a point is, through others, worked out from itself."""
    found = await rows(
        conn,
        """SELECT d.point_id AS made, i.point_id AS used, p.key
           FROM derived_input i JOIN derived d ON d.id = i.derived_id JOIN point p ON p.handle = i.point_id""",
    )
    used: dict[int, list[int]] = {}
    keys: dict[int, str] = {}
    for each in found:
        used.setdefault(each["made"], []).append(each["used"])
        keys[each["used"]] = each["key"]
    path = circle_from(handle, used)
    if path:
        raise Conflict(
            "derived.cycle", where="inputs", path=" → ".join(keys[each] for each in path), point=keys[handle]
        )


def circle_from(start: int, used: Mapping[int, Sequence[int]]) -> list[int] | None:
    """A way from a point over what it is worked out from back to itself: `[start, …, start]`; None: there is none.

    >>> circle_from(1, {1: [2], 2: [3, 1]})
    [1, 2, 1]
    """
    before: dict[int, int] = {}
    waiting = [start]
    while waiting:
        at = waiting.pop()
        for each in used.get(at, ()):
            if each == start:
                path = [start]
                while at != start:
                    path.append(at)
                    at = before[at]
                return [start, *reversed(path[1:]), start]
            if each not in before:
                before[each] = at
                waiting.append(each)
    return None


async def update_derived(
    conn: Conn,
    actor: Actor,
    ref: str | UUID,
    *,
    changes: Mapping[str, Any],
    inputs: Mapping[str, str] | None = None,
) -> None:
    """Change how a point is worked out (fields of `Rule` but its kind, and the inputs); its past is worked out anew.

    Raises NotFound, Invalid, Denied, Conflict `derived.cycle`.
    """
    found = await _stored(conn, ref)
    before = rule_of(found["kind"], found["every"], found["settings"])
    rule = replace(before, **changes)
    known = await _named_inputs(conn, [found["id"]])
    given = dict(inputs) if inputs is not None else dict(known.get(found["id"], []))
    check_rule(rule, list(given))
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (CHANGE_LOCK,))
    point = await get_point(conn, found["point"])
    if rule.over is not None and rule.over != before.over and not rule.over.quantity and not rule.over.brick_class:
        rule = replace(rule, over=replace(rule.over, quantity=point.quantity))
    sources = await find_sources(conn, actor, point.building_id, rule, given)
    check_units(rule, point.kind, point.unit, sources)
    await write_inputs(conn, found["id"], sources)
    await check_circle(conn, point.handle)
    await conn.execute(
        """UPDATE derived SET every = %s, settings = %s, revision = revision + 1, state = 'filling', error = NULL,
             fill_from = NULL, done = NULL WHERE id = %s""",
        (rule.every, Jsonb(rule.settings()), found["id"]),
    )
    await conn.execute(
        "UPDATE point SET expected_interval = %s WHERE handle = %s",
        (timedelta(seconds=rule.bucket.seconds), point.handle),
    )
    old, new = before.settings() | {"every": before.every}, rule.settings() | {"every": rule.every}
    if inputs is not None:
        old["inputs"], new["inputs"] = dict(known.get(found["id"], [])), dict(inputs)
    await audit.record(conn, actor, "derived.update", f"derived:{found['id']}", before=old, after=new)


async def delete_derived(conn: Conn, actor: Actor, ref: str | UUID, *, readings: bool, now: datetime) -> None:
    """End a definition. Its point goes out of use and keeps its history; with `readings` that is removed too.

    Raises NotFound; Conflict `derived.used` while another definition is worked out from its point.
    """
    found = await _stored(conn, ref)
    user = await row(
        conn,
        """SELECT p.key FROM derived_input i JOIN derived d ON d.id = i.derived_id AND i.name <> ''
           JOIN point p ON p.handle = d.point_id WHERE i.point_id = %s LIMIT 1""",
        (found["point_id"],),
    )
    if user is not None:
        raise Conflict("derived.used", by=user["key"])
    point = await get_point(conn, found["point"])
    await conn.execute("DELETE FROM derived_dirty WHERE derived_id = %s", (found["id"],))
    await conn.execute("DELETE FROM derived WHERE id = %s", (found["id"],))
    if readings:
        for statement in _FORGET:
            await conn.execute(statement, (point.handle,))
    await update_point(
        conn, actor, point.id, {"properties": {**point.properties, "derived": True}}, now=now, retired=True
    )
    told = {"point": point.key, "kind": found["kind"], **found["settings"]}
    await audit.record(
        conn, actor, "derived.delete", f"derived:{found['id']}", before=told, after={"readings_removed": readings}
    )


_FORGET: Final = (
    "DELETE FROM reading WHERE point_id = %s",
    "DELETE FROM latest WHERE point_id = %s",
    "DELETE FROM rollup_5m WHERE point_id = %s",
    "DELETE FROM rollup_1h WHERE point_id = %s",
)


async def _stored(conn: Conn, ref: str | UUID) -> dict[str, Any]:
    found = await row(
        conn,
        """SELECT d.*, p.id AS point FROM derived d JOIN point p ON p.handle = d.point_id
           WHERE d.id::text = %(ref)s OR p.key = %(ref)s""",
        {"ref": str(ref)},
    )
    if found is None:
        raise NotFound("derived.unknown", ref=str(ref))
    return found


async def _named_inputs(conn: Conn, ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    found = await rows(
        conn,
        """SELECT i.derived_id, i.name, p.key FROM derived_input i JOIN point p ON p.handle = i.point_id
           WHERE i.derived_id = ANY(%s) AND i.name <> '' ORDER BY i.name""",
        (list(ids),),
    )
    names: dict[UUID, list[tuple[str, str]]] = {}
    for each in found:
        names.setdefault(each["derived_id"], []).append((each["name"], each["key"]))
    return names
