"""Which points a sum is over: those on a storey, in a system, a room, a building, or the meters behind a meter."""

from dataclasses import dataclass
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from telemetry.point_facts import Kind
from twin.db import Conn, row, rows
from twin.errors import Denied, Invalid, NotFound

OverKind = Literal["storey", "system", "space", "building", "meter_tree"]
OVER_KINDS: Final[tuple[OverKind, ...]] = ("storey", "system", "space", "building", "meter_tree")
MAX_MEMBERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Over:
    """A place, a system or the element of a meter, and which of the points there are meant."""

    kind: OverKind
    id: UUID
    quantity: str | None = None  # QUDT quantity kind
    brick_class: str | None = None

    def told(self) -> dict[str, Any]:
        """As it is stored and shown: `{"storey": id, "quantity": …, "brick_class": …}`."""
        given = {"quantity": self.quantity, "brick_class": self.brick_class}
        return {self.kind: str(self.id), **{name: value for name, value in given.items() if value is not None}}


def over_of(told: dict[str, Any]) -> Over:
    """An `Over` as `told()` wrote it."""
    kind = next(each for each in OVER_KINDS if each in told)
    return Over(kind, UUID(told[kind]), told.get("quantity"), told.get("brick_class"))


@dataclass(frozen=True, slots=True)
class Member:
    """A point that is added up."""

    handle: int
    key: str
    kind: Kind
    unit: str | None


# Points that may be meant, wherever they are. What is itself derived is never added up: it would count twice.
_POINTS: LiteralString = """
    SELECT p.handle, p.key, p.kind, p.unit, p.element_id, e.storey_id, e.space_id
    FROM point p LEFT JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %(building)s AND p.kind = 'number'
      AND (%(quantity)s::text IS NULL OR p.quantity = %(quantity)s)
      AND (%(brick_class)s::text IS NULL OR p.brick_class = %(brick_class)s)
      AND NOT EXISTS (SELECT FROM derived d WHERE d.point_id = p.handle)
"""
# What lies downstream of a meter, by the models and by Brick graphs, no further than the next meters.
_EDGES: LiteralString = """
    SELECT r.from_id, r.to_id FROM element_relation r JOIN model m ON m.id = r.model_id
    WHERE m.building_id = %(building)s AND r.kind = 'feeds'
    UNION SELECT s.element_id, o.element_id FROM brick_statement b
      JOIN brick_import i ON i.id = b.import_id AND i.building_id = %(building)s
      JOIN brick_entity s ON s.id = b.subject JOIN brick_entity o ON o.id = b.object
    WHERE b.predicate = 'feeds' AND s.element_id IS NOT NULL AND o.element_id IS NOT NULL
"""
_WHERE: Final[dict[OverKind, LiteralString]] = {
    "building": "SELECT * FROM meant",
    "storey": "SELECT * FROM meant WHERE storey_id = %(id)s",
    "space": "SELECT * FROM meant WHERE %(id)s IN (space_id, element_id)",
    "system": """SELECT * FROM meant WHERE element_id IN (
        WITH RECURSIVE systems (id) AS (
            SELECT %(id)s::uuid UNION SELECT c.child_id FROM systems s JOIN element_group_child c ON c.group_id = s.id
        ), parts (id) AS (
            SELECT m.element_id FROM systems s JOIN element_group_member m ON m.group_id = s.id
            UNION SELECT e.id FROM parts p JOIN element e ON e.parent_id = p.id
        ) SELECT id FROM parts)""",
    "meter_tree": """SELECT * FROM meant WHERE element_id IN (
        WITH RECURSIVE edges AS MATERIALIZED ("""
    + _EDGES
    + """), down (id) AS (
            SELECT to_id FROM edges WHERE from_id = %(id)s
            UNION SELECT n.to_id FROM down d JOIN edges n ON n.from_id = d.id
            WHERE NOT EXISTS (SELECT FROM meant WHERE meant.element_id = d.id)
        ) SELECT id FROM down WHERE id <> %(id)s)""",
}


async def find_members(conn: Conn, building: UUID, over: Over) -> list[Member]:
    """The points to add up now, by key. Raises Invalid `derived.too_many_members`."""
    found = await rows(
        conn,
        "WITH meant AS MATERIALIZED (" + _POINTS + ") SELECT handle, key, kind, unit FROM (" + _WHERE[over.kind]
        + ") AS there ORDER BY key LIMIT %(most)s",
        {
            "building": building,
            "id": over.id,
            "quantity": over.quantity,
            "brick_class": over.brick_class,
            "most": MAX_MEMBERS + 1,
        },
    )  # fmt: skip
    if len(found) > MAX_MEMBERS:
        raise Invalid("derived.too_many_members", where="over", limit=MAX_MEMBERS)
    return [Member(**each) for each in found]


_THERE: Final[dict[OverKind, LiteralString]] = {
    "building": "SELECT 1 FROM building WHERE id = %(id)s AND id = %(building)s",
    "storey": "SELECT 1 FROM storey WHERE id = %(id)s AND building_id = %(building)s",
    "system": "SELECT 1 FROM element_group WHERE id = %(id)s AND building_id = %(building)s",
    "space": "SELECT 1 FROM element WHERE id = %(id)s AND building_id = %(building)s AND ifc_class = 'IfcSpace'",
    "meter_tree": "SELECT 1 FROM element WHERE id = %(id)s AND building_id = %(building)s",
}


async def check_place(conn: Conn, building: UUID, over: Over) -> None:
    """Raise NotFound `derived.place` where the building has no such place for this caller."""
    if await row(conn, _THERE[over.kind], {"id": over.id, "building": building}) is None:
        raise NotFound("derived.place", where=f"over.{over.kind}", kind=over.kind, ref=str(over.id))


async def check_whole(conn: Conn, over: Over, *, whole_building: bool, granted: frozenset[UUID]) -> None:
    """Raise Denied `derived.outside` unless the caller may see all that the sum will ever be over.

    The worker that adds up sees everything: a sum must not tell what its author may not see. `granted` are the
    storeys and systems that the caller holds whole.
    """
    if whole_building or over.id in granted:
        return
    if over.kind in ("space", "meter_tree"):
        found = await row(conn, "SELECT storey_id FROM element WHERE id = %s", (over.id,))
        if over.kind == "space" and found and found["storey_id"] in granted:
            return
    raise Denied("derived.outside", where="over")
