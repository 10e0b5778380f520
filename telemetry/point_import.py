"""Point lists taken in: planned row by row, then written in one go; the same list again changes nothing.

A row is a point, known by its key. A point that is there takes what the row says and keeps the rest. A row with a
problem is left out and named; the others are written. A dry run answers the same without writing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from telemetry.point_facts import COLUMNS, columns_of_point, wrong_fields
from telemetry.point_values import read_values
from telemetry.points import NewPoint, Point, points_by_key, with_changes
from twin.db import Conn, rows
from twin.errors import Conflict, FieldError, Language
from twin.events import emit

Action = Literal["created", "updated", "unchanged"]
SHOWN: Final = 200  # items of a report
PROBLEMS: Final = 1000  # problems of a report
BATCH: Final = 5000


@dataclass(frozen=True, slots=True)
class Draft:
    """What a row says of a point, as text by field (`point_values`).

    `element`: any name of it. `facts`: what needs no reading.
    """

    row: int
    cells: Mapping[str, str]
    wrong: Sequence[FieldError] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or a column (row 1), was left out."""

    row: int
    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportItem:
    """What becomes of a row."""

    row: int
    key: str
    name: str
    action: Action
    element: UUID | None


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    dry_run: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bound: int = 0  # points that got an element, or another one
    problems: list[Problem] = field(default_factory=list)  # the first of them
    problem_count: int = 0
    items: list[ImportItem] = field(default_factory=list)  # the first of them


@dataclass(frozen=True, slots=True)
class _Plan:
    row: int
    action: Action
    new: NewPoint
    before: Point | None

    @property
    def binds(self) -> bool:
        before = self.before.element.id if self.before and self.before.element else None
        return self.new.element_id is not None and self.new.element_id != before


class _Refused(Exception):
    def __init__(self, *wrong: FieldError) -> None:
        self.wrong = wrong


async def import_points(
    conn: Conn,
    actor: Actor,
    building_id: UUID,
    drafts: Iterable[Draft],
    *,
    dry_run: bool,
    source: str,
    lang: Language = "en",
    strange: Sequence[Problem] = (),
) -> ImportReport:
    """Make and change the points of a building as a list says. `strange`: problems found before."""
    drafts = list(drafts)
    planner = await _Planner.of(conn, building_id, drafts)
    report = ImportReport(dry_run)
    report.problems, report.problem_count = list(strange), len(strange)
    plans: list[_Plan] = []
    for draft in drafts:
        try:
            plans.append(planner.plan(draft))
        except _Refused as refused:
            report.problem_count += len(refused.wrong)
            report.problems += [Problem(draft.row, w.field, w.code, w.text(lang)) for w in refused.wrong]
    del report.problems[PROBLEMS:]
    counted = Counter(plan.action for plan in plans)
    report.created, report.updated, report.unchanged = (counted[name] for name in ("created", "updated", "unchanged"))
    report.bound = sum(plan.binds for plan in plans)
    report.items = [ImportItem(p.row, p.new.key, p.new.name, p.action, p.new.element_id) for p in plans[:SHOWN]]
    if not dry_run:
        await _write(conn, building_id, plans)
        await _tell(conn, actor, building_id, plans, source)
    return report


@dataclass(frozen=True, slots=True)
class _Planner:
    """What must be known to judge rows: the points that have their keys, and what their elements' names mean."""

    building_id: UUID
    known: Mapping[str, Point]
    lived: frozenset[int]  # handles of points with readings
    elements: Mapping[str, Sequence[UUID]]
    policies: Mapping[str, UUID]
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def of(cls, conn: Conn, building_id: UUID, drafts: Sequence[Draft]) -> "_Planner":
        keys = {read_values({"key": each.cells.get("key", "")})[0].get("key", "") for each in drafts}
        known = await points_by_key(conn, [key for key in keys if key and "\0" not in key])
        lived = await rows(
            conn,
            "SELECT handle FROM unnest(%s::int[]) AS h(handle) WHERE point_has_history(handle)",
            ([point.handle for point in known.values()],),
        )
        names = {
            str(read_values({"element": each.cells.get("element", "")})[0].get("element") or "") for each in drafts
        }
        policies = await rows(conn, "SELECT id, name FROM history_policy")
        return cls(
            building_id,
            known,
            frozenset(each["handle"] for each in lived),
            await elements_called(conn, building_id, names - {""}),
            {str(each[name]): each["id"] for each in policies for name in ("id", "name")},
        )

    def plan(self, draft: Draft) -> _Plan:
        facts, wrong = read_values(draft.cells)
        if wrong or draft.wrong:
            raise _Refused(*draft.wrong, *wrong)
        facts |= draft.facts
        key = str(facts.pop("key", ""))
        if not key:
            raise _Refused(FieldError("key", "point.key"))
        if key in self.seen:
            raise _Refused(FieldError("key", "point.import_twice", {"key": key, "row": self.seen[key]}))
        self.seen[key] = draft.row
        if "element" in facts:
            facts["element_id"] = self._element(facts.pop("element"))
        if "policy" in facts:
            facts["policy_id"] = self._policy(facts.pop("policy"))
        before = self.known.get(key)
        new = self._new(key, facts) if before is None else self._changed(before, facts)
        if wrong := wrong_fields(new):
            raise _Refused(*wrong)
        if before is None:
            return _Plan(draft.row, "created", new, None)
        same = _comparable(new) == _comparable(with_changes(before, {}))
        return _Plan(draft.row, "unchanged" if same else "updated", new, before)

    def _new(self, key: str, facts: dict[str, Any]) -> NewPoint:
        cleared = {name for name, value in facts.items() if value is None}
        given = {name: value for name, value in facts.items() if name not in cleared}
        return NewPoint(**{"key": key, "name": key[:200], "kind": "number", **given})

    def _changed(self, before: Point, facts: dict[str, Any]) -> NewPoint:
        if before.building_id != self.building_id:
            raise _Refused(FieldError("key", "point.exists", {"key": before.key}))
        if before.retired_at is not None:
            raise _Refused(FieldError("key", "point.retired", {"point": before.key}))
        if facts.pop("kind", before.kind) != before.kind:
            raise _Refused(FieldError("kind", "point.unchangeable"))
        if facts.get("unit", before.unit) != before.unit and before.handle in self.lived:
            raise _Refused(FieldError("unit", "point.unit_history", {"point": before.key, "unit": before.unit or "–"}))
        return with_changes(before, facts)

    def _element(self, name: str | None) -> UUID | None:
        if name is None:
            return None
        found = self.elements.get(name, ())
        if len(found) == 1:
            return found[0]
        if found:
            raise _Refused(FieldError("element", "point.import_ambiguous", {"element": name[:80], "count": len(found)}))
        raise _Refused(FieldError("element", "point.import_element", {"element": name[:80]}))

    def _policy(self, name: str | None) -> UUID | None:
        if name is None:
            return None
        if name not in self.policies:
            raise _Refused(FieldError("policy", "point.policy", {"policy": name[:80]}))
        return self.policies[name]


def _comparable(new: NewPoint) -> dict[str, Any]:
    columns = columns_of_point(new)
    return {name: value.obj if isinstance(value, Jsonb) else value for name, value in columns.items()}


async def elements_called(conn: Conn, building_id: UUID, names: Iterable[str]) -> dict[str, list[UUID]]:
    """The elements of a building that each text may mean: by id, by GlobalId, else by name, long name or tag.

    Elements that a model's shown version still has go before those that are gone.
    """
    found = await rows(
        conn,
        """SELECT w.name, called.id, called.last_version = m.current_version AS shown, max(called.by) AS by
           FROM unnest(%(names)s::text[]) AS w(name)
           JOIN (SELECT e.id, e.model_id, e.last_version, v.name, v.by FROM element e
                 CROSS JOIN LATERAL (
                   VALUES (e.id::text, 2), (e.global_id, 1), (e.name, 0), (e.long_name, 0), (e.tag, 0))
                   AS v(name, by) WHERE e.building_id = %(building)s) called ON called.name = w.name
           JOIN model m ON m.id = called.model_id GROUP BY w.name, called.id, shown ORDER BY w.name, called.id""",
        {"building": building_id, "names": [name for name in names if "\0" not in name]},
    )
    best: dict[str, tuple[tuple[bool, int], list[UUID]]] = {}
    for each in found:
        rank = (bool(each["shown"]), int(each["by"]))
        held = best.get(each["name"])
        if held is None or rank > held[0]:
            best[each["name"]] = (rank, [each["id"]])
        elif rank == held[0]:
            held[1].append(each["id"])
    return {name: ids for name, (_, ids) in best.items()}


_TYPES: Final[Mapping[str, LiteralString]] = {
    "labels": "jsonb", "element_id": "uuid", "writable": "bool", "min_value": "float8", "max_value": "float8",
    "deadband": "float8", "expected_interval": "interval", "stale_after": "interval", "tags": "text[]",
    "policy_id": "uuid", "properties": "jsonb",
}  # fmt: skip


async def _write(conn: Conn, building_id: UUID, plans: Sequence[_Plan]) -> None:
    made = [plan.new for plan in plans if plan.action == "created"]
    columns = ", ".join(COLUMNS)
    types = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in COLUMNS)
    for start in range(0, len(made), BATCH):
        batch = [_json(each, building_id) for each in made[start : start + BATCH]]
        done = await conn.execute(
            f"INSERT INTO point (building_id, key, {columns}) SELECT building_id, key, {columns}"
            f" FROM jsonb_to_recordset(%s) AS r(building_id uuid, key text, {types}) ON CONFLICT (key) DO NOTHING",
            (Jsonb(batch),),
        )
        if done.rowcount != len(batch):
            raise Conflict("point.import_meanwhile")
    changed = [plan for plan in plans if plan.action == "updated"]
    update = f"UPDATE point SET {', '.join(f'{name} = %({name})s' for name in COLUMNS)} WHERE handle = %(handle)s"
    async with conn.cursor() as cursor:
        for plan in changed:
            assert plan.before is not None
            await cursor.execute(update, {**columns_of_point(plan.new), "handle": plan.before.handle})


def _json(new: NewPoint, building_id: UUID) -> dict[str, Any]:
    made: dict[str, Any] = {"building_id": str(building_id), "key": new.key}
    for name, value in _comparable(new).items():
        plain = f"{value.total_seconds()} s" if isinstance(value, timedelta) else value
        made[name] = str(plain) if isinstance(plain, UUID) else plain
    return made


async def _tell(conn: Conn, actor: Actor, building_id: UUID, plans: Sequence[_Plan], source: str) -> None:
    changed = [plan for plan in plans if plan.action != "unchanged"]
    if not changed:
        return
    counts: dict[str, int] = dict(Counter(str(plan.action) for plan in changed))
    # No handle: whoever remembers points of the building looks all of them up again.
    await emit(conn, "point", {"change": "imported", **counts}, building_id=building_id)
    differences = [_difference(plan) for plan in changed[:SHOWN] if plan.before is not None]
    before = {each["key"]: each["before"] for each in differences}
    after = {"source": source, **counts, "changed": {each["key"]: each["after"] for each in differences}}
    await audit.record(conn, actor, "point.import", f"building:{building_id}", before=before or None, after=after)


def _difference(plan: _Plan) -> dict[str, Any]:
    assert plan.before is not None
    old, new = asdict(with_changes(plan.before, {})), asdict(plan.new)
    names = [name for name in new if old[name] != new[name]]
    return {
        "key": plan.new.key,
        "before": {name: _plain(old[name]) for name in names},
        "after": {name: _plain(new[name]) for name in names},
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
