"""Definitions of derived points as they are shown: how far the past is worked out, and what went wrong."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

from telemetry.derived import Derived, DerivedPoint, Fault
from twin.db import Conn, rows
from twin.errors import Language, NotFound, text_of
from twin.page import Page, decode_cursor, page_of

_SELECT: LiteralString = """
    SELECT d.*, p.id AS point, p.key, p.name, p.kind AS point_kind, p.unit,
           (SELECT count(*) FROM derived_input i WHERE i.derived_id = d.id) AS members,
           (SELECT jsonb_object_agg(i.name, q.key) FROM derived_input i JOIN point q ON q.handle = i.point_id
            WHERE i.derived_id = d.id AND i.name <> '') AS inputs,
           CASE WHEN d.state <> 'filling' THEN 1.0 WHEN d.done IS NULL OR d.fill_from IS NULL THEN 0.0
                ELSE least(1, greatest(0, date_part('epoch', d.done - d.fill_from)
                     / nullif(date_part('epoch', (SELECT settled FROM rollup_state) - d.fill_from), 0))) END AS progress
    FROM derived d JOIN point p ON p.handle = d.point_id
"""


async def list_derived(
    conn: Conn,
    *,
    building: UUID | None = None,
    lang: Language = "en",
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Derived]:
    """Definitions by the key of their point."""
    after = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        _SELECT
        + """ WHERE (%(after)s::text IS NULL OR p.key > %(after)s)
             AND (%(building)s::uuid IS NULL OR d.building_id = %(building)s) ORDER BY p.key LIMIT %(limit)s""",
        {"after": after and after[0], "building": building, "limit": limit + 1},
    )
    return page_of([_derived(each, lang) for each in found], limit, lambda each: [each.point.key])


async def get_derived(conn: Conn, ref: str | UUID, *, lang: Language = "en") -> Derived:
    """One definition, by its id or its point's key. Raises NotFound `derived.unknown`."""
    found = await rows(conn, _SELECT + " WHERE d.id::text = %(ref)s OR p.key = %(ref)s", {"ref": str(ref)})
    if not found:
        raise NotFound("derived.unknown", ref=str(ref))
    return _derived(found[0], lang)


def _derived(found: Mapping[str, Any], lang: Language) -> Derived:
    settings, error = found["settings"], found["error"]
    return Derived(
        id=found["id"],
        point=DerivedPoint(
            found["point"], found["key"], found["name"], found["building_id"], found["point_kind"], found["unit"]
        ),
        kind=found["kind"],
        expression=settings.get("expression"),
        inputs=found["inputs"] or {},
        over=settings.get("over"),
        base=settings.get("base"),
        mode=settings.get("mode"),
        above=settings.get("above"),
        states=settings.get("states"),
        every=found["every"],
        members=found["members"],
        state=found["state"],
        progress=float(found["progress"] or 0.0),
        done=found["done"],
        error=error and Fault(error["code"], text_of(error["code"], lang, error.get("params", {}))),
        created_by=found["created_by"],
        created_at=found["created_at"],
    )
