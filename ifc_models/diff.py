"""What differs between two versions of a model, element by element (6.4.2a).

Rows that hold for both versions are left out before anything is compared, so the price is that of the changes. What is
below a tenth of a millimetre is the exporter's rounding and no change.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, LiteralString, get_args
from uuid import UUID

from psycopg.sql import SQL, Composed

from ifc_models.diff_values import COMPARED, Difference, Names, differences
from ifc_models.models import get_version
from twin.db import Conn, rows
from twin.errors import Invalid
from twin.page import decode_cursor, page_of

Kind = Literal["added", "removed", "moved", "changed", "rekeyed"]
"""moved: nothing but where it is; rekeyed: nothing but its GlobalId."""
Change = Literal["placement", "shape", "properties", "type", "containment", "global_id"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
CHANGES: Final[tuple[str, ...]] = get_args(Change)


@dataclass(frozen=True, slots=True)
class Counts:
    """Elements by what became of them."""

    added: int = 0
    removed: int = 0
    moved: int = 0
    changed: int = 0
    rekeyed: int = 0


@dataclass(frozen=True, slots=True)
class DiffItem:
    """An element that differs; what describes it is the later version's, or the earlier one's where it is removed."""

    element_id: UUID
    kind: str  # added | removed | moved | changed | rekeyed
    changes: list[str]  # placement | shape | properties | type | containment | global_id
    global_id: str
    old_global_id: str | None
    ifc_class: str
    name: str | None
    tag: str | None
    storey_id: UUID | None
    storey_name: str | None
    distance: float | None  # m that it moved
    bbox: list[float] | None  # min x y z, max x y z; m, building frame
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class DiffFilter:
    """Which differences are wanted; None: all."""

    kind: str | None = None
    change: str | None = None
    ifc_class: str | None = None
    storey: UUID | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class DiffPage:
    """A page of differences. The first one has the counts of the whole comparison, unfiltered."""

    items: list[DiffItem]
    next: str | None
    counts: Counts | None


_TOLERANCE: Final = 1e-4  # m, and of a rotation's cosines
_PAIRS: Final = SQL("""
    WITH a AS (
        SELECT * FROM element_state WHERE model_id = %(model)s AND since <= %(a)s AND until > %(a)s
           AND NOT (since <= %(b)s AND until > %(b)s)
    ), b AS (
        SELECT * FROM element_state WHERE model_id = %(model)s AND since <= %(b)s AND until > %(b)s
           AND NOT (since <= %(a)s AND until > %(a)s)
    ), compared AS (
        SELECT a.element_id IS NULL AS added, b.element_id IS NULL AS removed,
               coalesce(b.element_id, a.element_id) AS element_id, a.since AS a_since, b.since AS b_since,
               coalesce(b.global_id, a.global_id) AS global_id, nullif(a.global_id, b.global_id) AS old_global_id,
               coalesce(b.ifc_class, a.ifc_class) AS ifc_class,
               coalesce(b.name, b.long_name, a.name, a.long_name) AS name, coalesce(b.tag, a.tag) AS tag,
               CASE WHEN b.element_id IS NULL THEN a.storey_id ELSE b.storey_id END AS storey_id,
               coalesce(b.bbox, a.bbox) AS bbox, a.bbox AS a_bbox, b.bbox AS b_bbox,
               a.placement AS a_placement, b.placement AS b_placement,
               shapes_differ(a.shape_hash, b.shape_hash, a.shape_measure, b.shape_measure) AS shape,
               (a.predefined_type, a.name, a.long_name, a.description, a.object_type, a.tag, a.elevation,
                a.attributes, a.psets, a.quantities, a.materials, a.classifications, a.documents)
                   IS DISTINCT FROM
               (b.predefined_type, b.name, b.long_name, b.description, b.object_type, b.tag, b.elevation,
                b.attributes, b.psets, b.quantities, b.materials, b.classifications, b.documents) AS properties,
               (a.ifc_class, a.type_hash) IS DISTINCT FROM (b.ifc_class, b.type_hash) AS type,
               (a.parent_id, a.storey_id, a.space_id) IS DISTINCT FROM (b.parent_id, b.storey_id, b.space_id)
                   AS containment,
               a.global_id IS DISTINCT FROM b.global_id AS rekeyed
        FROM a FULL JOIN b ON b.element_id = a.element_id
    ), judged AS (
        SELECT *, CASE WHEN added OR removed THEN '{{}}'::text[] ELSE array_remove(ARRAY[
                   CASE WHEN arrays_differ(a_placement, b_placement, {tolerance})
                          OR (NOT shape AND arrays_differ(a_bbox, b_bbox, 10 * {tolerance})) THEN 'placement' END,
                   CASE WHEN shape THEN 'shape' END,
                   CASE WHEN properties THEN 'properties' END,
                   CASE WHEN type THEN 'type' END,
                   CASE WHEN containment THEN 'containment' END,
                   CASE WHEN rekeyed THEN 'global_id' END], NULL) END AS changes
        FROM compared
    ), item AS (
        SELECT *, CASE WHEN added THEN 'added' WHEN removed THEN 'removed'
                       WHEN changes = '{{global_id}}' THEN 'rekeyed'
                       WHEN changes <@ '{{placement,containment,global_id}}' AND 'placement' = ANY(changes) THEN 'moved'
                       ELSE 'changed' END AS kind
        FROM judged WHERE added OR removed OR changes <> '{{}}'
    )
""").format(tolerance=_TOLERANCE)


async def count_changes(conn: Conn, model_id: UUID, a: int, b: int) -> Counts:
    """How many elements differ from version `a` to version `b`, by kind."""
    found = await rows(
        conn,
        _PAIRS + SQL("SELECT kind, count(*) AS n FROM item GROUP BY kind"),
        {"model": model_id, "a": a, "b": b},
    )
    return Counts(**{each["kind"]: each["n"] for each in found})


_FILTERS: Final[Mapping[str, LiteralString]] = {
    "kind": "kind = %(kind)s",
    "change": "%(change)s = ANY(changes)",
    "ifc_class": "ifc_class IN (SELECT name FROM ifc_class WHERE ancestor = %(ifc_class)s)",
    "storey": "storey_id = %(storey)s",
    "q": "concat_ws(' ', name, tag, global_id, old_global_id, ifc_class) ILIKE %(q)s",
}
_ORDER: Final = "array_position(ARRAY['added', 'removed', 'changed', 'moved', 'rekeyed'], kind)"


async def list_diff(
    conn: Conn,
    model_id: UUID,
    a: int,
    b: int,
    wanted: DiffFilter,
    *,
    detail: bool = True,
    limit: int = 100,
    cursor: str | None = None,
) -> DiffPage:
    """What differs from version `a` to version `b`, by kind and name; `detail`: with the values that changed.

    Raises NotFound for a version that is not there, Invalid for a filter that means nothing.
    """
    for n in (a, b):
        await get_version(conn, model_id, n)
    counts = await count_changes(conn, model_id, a, b) if cursor is None else None
    after = decode_cursor(cursor, 3)
    query, params = _query(wanted, after)
    found = await rows(conn, query, {**params, "model": model_id, "a": a, "b": b, "limit": limit + 1})
    page = page_of(found, limit, lambda each: (each["rank"], each["name"] or "", each["element_id"]))
    names = await Names.of(conn, page.items) if detail else None
    return DiffPage([_item(each, names) for each in page.items], page.next, counts)


async def all_items(conn: Conn, model_id: UUID, a: int, b: int, wanted: DiffFilter) -> AsyncIterator[DiffItem]:
    """Every difference, page by page, for exports."""
    cursor: str | None = None
    while True:
        page = await list_diff(conn, model_id, a, b, wanted, limit=500, cursor=cursor)
        for item in page.items:
            yield item
        cursor = page.next
        if cursor is None:
            return


def _query(wanted: DiffFilter, after: Sequence[Any] | None) -> tuple[Composed, dict[str, Any]]:
    if wanted.kind is not None and wanted.kind not in KINDS:
        raise Invalid("diff.kind", where="kind", value=wanted.kind, known=", ".join(KINDS))
    if wanted.change is not None and wanted.change not in CHANGES:
        raise Invalid("diff.change", where="change", value=wanted.change, known=", ".join(CHANGES))
    params: dict[str, Any] = {name: getattr(wanted, name) for name in _FILTERS if getattr(wanted, name) is not None}
    conditions: list[LiteralString] = [_FILTERS[name] for name in params]
    if "q" in params:
        text = params["q"].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        params["q"] = f"%{text}%"
    if after is not None:
        conditions.append(f"({_ORDER}, coalesce(item.name, ''), element_id) > (%(rank)s, %(name)s, %(id)s::uuid)")
        params["rank"], params["name"], params["id"] = after
    chosen = SQL(" AND ").join([SQL(each) for each in conditions]) if conditions else SQL("true")
    page = SQL(
        """SELECT page.*, s.name AS storey_name, """
        + ", ".join(f"a.{c} AS a_{c}, b.{c} AS b_{c}" for c in COMPARED)
        + f""" FROM (SELECT *, {_ORDER} AS rank FROM item WHERE {{chosen}}
                     ORDER BY {_ORDER}, coalesce(item.name, ''), element_id LIMIT %(limit)s) page
               LEFT JOIN storey s ON s.id = page.storey_id
               LEFT JOIN element_state a ON a.element_id = page.element_id AND a.since = page.a_since
               LEFT JOIN element_state b ON b.element_id = page.element_id AND b.since = page.b_since
               ORDER BY page.rank, coalesce(page.name, ''), page.element_id"""
    ).format(chosen=chosen)
    return _PAIRS + page, params


def _item(found: Mapping[str, Any], names: Names | None) -> DiffItem:
    both = not found["added"] and not found["removed"]
    return DiffItem(
        element_id=found["element_id"],
        kind=found["kind"],
        changes=list(found["changes"]),
        global_id=found["global_id"],
        old_global_id=found["old_global_id"] if both else None,
        ifc_class=found["ifc_class"],
        name=found["name"],
        tag=found["tag"],
        storey_id=found["storey_id"],
        storey_name=found["storey_name"],
        distance=_distance(found) if "placement" in found["changes"] else None,
        bbox=found["bbox"],
        differences=list(differences(found, names)) if names is not None and both else [],
    )


def _distance(found: Mapping[str, Any]) -> float | None:
    """How far the middle of the box went, else the origin of the placement, m."""
    a, b = found["a_bbox"], found["b_bbox"]
    if a and b:
        ends = [[(box[i] + box[i + 3]) / 2 for i in range(3)] for box in (a, b)]
    elif found["a_placement"] and found["b_placement"]:
        ends = [[matrix[i] for i in (3, 7, 11)] for matrix in (found["a_placement"], found["b_placement"])]
    else:
        return None
    return round(math.dist(*ends), 4)
