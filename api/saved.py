"""What people keep of their work in the 3D view: searches, colouring rules, viewpoints (docs/workspace.md)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import psycopg.errors
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from api.query_language import Node, filled_in, named, parse, refuse
from identity.actor import Actor
from ifc_models.bcf_exchange import picture_type
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound, TooLarge
from twin.page import Page, decode_cursor, page_of

Kind = Literal["search", "rules", "viewpoint"]
PICTURE_KB: Final = 300
MOST: Final = 500  # per person and building
MOST_NESTED: Final = 5  # searches that name searches

Query = Annotated[str, Field(min_length=1, max_length=2000)]


Ids = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=10_000)]
"""GlobalIds."""


class ColourRule(BaseModel):
    """What a query finds takes a colour. Of several rules that find an element the first counts."""

    query: Query
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
    label: Annotated[str, Field(min_length=1, max_length=200)]


class Content(BaseModel):
    """What is kept: a search its `query`, rules their `rules`, a viewpoint its `view`."""

    query: Query | None = None
    rules: Annotated[list[ColourRule], Field(max_length=30)] | None = None
    others: Literal["show", "ghost", "hide"] | None = None  # what no rule finds
    view: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=8000)] | None = None  # as `?view=` has it
    hidden: Ids | None = None
    ghosted: Ids | None = None
    selection: Ids | None = None  # where several are chosen
    only: Ids | None = None  # shown alone, under `only_title`
    only_title: Annotated[str, Field(max_length=200)] | None = None
    rules_title: Annotated[str, Field(max_length=200)] | None = None  # of a viewpoint that rules colour
    limits: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None  # of its colour scale
    classes: bool | None = None  # colours in steps
    isolated: Query | None = None  # shown alone: what this finds
    colours: UUID | None = None  # rules that colour it
    note: Annotated[str, Field(max_length=2000)] | None = None


_NEEDS: Final[Mapping[Kind, str]] = {"search": "query", "rules": "rules", "viewpoint": "view"}


@dataclass(frozen=True, slots=True)
class Saved:
    """A search, a set of colouring rules or a viewpoint that somebody keeps."""

    id: UUID
    building_id: UUID
    kind: Kind
    name: str
    owner: str
    shared: bool
    mine: bool
    content: dict[str, Any]
    has_picture: bool
    created_at: datetime
    changed_at: datetime


_COLUMNS: Final = """
    id, building_id, kind, name, regexp_replace(owner, '^[a-z]+:', '') AS owner, shared, owner = %(me)s AS mine,
    content, picture IS NOT NULL AS has_picture, created_at, changed_at
"""
_SEEN: Final = "(owner = %(me)s OR shared)"


async def list_saved(
    conn: Conn, me: Actor, building: UUID, kind: Kind | None, *, limit: int, cursor: str | None
) -> Page[Saved]:
    """One's own and the shared ones of a building, by name."""
    after_name, after_id = decode_cursor(cursor, 2) or (None, None)
    found = await objects(
        conn,
        Saved,
        f"""SELECT {_COLUMNS} FROM saved
            WHERE building_id = %(building)s AND {_SEEN} AND (%(kind)s::text IS NULL OR kind = %(kind)s)
              AND (%(after_id)s::uuid IS NULL OR (name, id) > (%(after_name)s, %(after_id)s::uuid))
            ORDER BY name, id LIMIT %(limit)s""",
        {"me": me.name, "building": building, "kind": kind, "limit": limit + 1, "after_name": after_name,
         "after_id": after_id},
    )  # fmt: skip
    return page_of(found, limit, lambda each: (each.name, each.id))


async def get_saved(conn: Conn, me: Actor, id: UUID) -> Saved:
    """One that the caller may see. Raises NotFound."""
    found = await object_or_none(
        conn, Saved, f"SELECT {_COLUMNS} FROM saved WHERE id = %(id)s AND {_SEEN}", {"me": me.name, "id": id}
    )
    if found is None:
        raise NotFound("saved.unknown", saved=str(id))
    return found


async def asked(conn: Conn, me: Actor, building: UUID, text: str) -> Node | None:
    """A query as it is to be answered: saved searches that it names (`in:NAME`) in their place. Raises Invalid.

    One's own are meant before what others share, and of several of theirs the one kept first.
    """
    query = parse(text)
    for _ in range(MOST_NESTED):
        if query is None or not (names := named(query)):
            return query
        found = await rows(
            conn,
            f"""SELECT DISTINCT ON (name_asked) name_asked, content ->> 'query' AS query
                FROM unnest(%(names)s::text[]) name_asked JOIN saved ON lower(name) = lower(name_asked)
                WHERE building_id = %(building)s AND kind = 'search' AND {_SEEN}
                ORDER BY name_asked, owner = %(me)s DESC, created_at, id""",
            {"names": [*names], "building": building, "me": me.name},
        )
        searches = {each["name_asked"]: each["query"] for each in found}
        for name, at in names.items():
            if name not in searches:
                refuse("query.unknown_saved", at, name=name)
        query = filled_in(query, searches)
    if query is not None and (names := named(query)):
        refuse("query.nested", max(names.values()), limit=MOST_NESTED)
    return query


async def create_saved(
    conn: Conn, me: Actor, building: UUID, kind: Kind, name: str, content: Content, *, shared: bool, picture: str | None
) -> Saved:
    """Keep something. Raises Invalid, Conflict where the caller has one of that name, TooLarge."""
    kept = checked(kind, content)
    data, media_type = _picture(picture)
    mine = await row(
        conn,
        "SELECT count(*) AS n FROM saved WHERE building_id = %s AND owner = %s",
        (building, me.name),
    )
    if mine is not None and mine["n"] >= MOST:
        raise TooLarge("saved.too_many", limit=MOST)
    made = await row(
        conn,
        """INSERT INTO saved (building_id, kind, name, owner, shared, content, picture, picture_type)
           VALUES (%(building)s, %(kind)s, %(name)s, %(me)s, %(shared)s, %(content)s, %(data)s, %(type)s)
           ON CONFLICT DO NOTHING RETURNING id""",
        {"building": building, "kind": kind, "name": name, "me": me.name, "shared": shared, "content": Jsonb(kept),
         "data": data, "type": media_type},
    )  # fmt: skip
    if made is None:
        raise Conflict("saved.name_taken", name=name)
    return await get_saved(conn, me, made["id"])


async def update_saved(
    conn: Conn, me: Actor, id: UUID, *, name: str | None, shared: bool | None, content: Content | None
) -> Saved:
    """Change one's own. Raises NotFound, Conflict, Invalid."""
    before = await own_saved(conn, me, id)
    try:
        async with conn.transaction():
            await conn.execute(
                """UPDATE saved SET name = coalesce(%(name)s, name), shared = coalesce(%(shared)s, shared),
                       content = coalesce(%(content)s, content), changed_at = now() WHERE id = %(id)s""",
                {"id": id, "name": name, "shared": shared,
                 "content": Jsonb(checked(before.kind, content)) if content else None},
            )  # fmt: skip
    except psycopg.errors.UniqueViolation:
        raise Conflict("saved.name_taken", name=name) from None
    return await get_saved(conn, me, id)


async def delete_saved(conn: Conn, me: Actor, id: UUID) -> Saved:
    """Remove one's own; what it was. Raises NotFound, Conflict."""
    before = await own_saved(conn, me, id)
    await conn.execute("DELETE FROM saved WHERE id = %s", (id,))
    return before


async def own_saved(conn: Conn, me: Actor, id: UUID) -> Saved:
    """One that the caller may change: their own. Raises NotFound, Conflict."""
    found = await get_saved(conn, me, id)
    if not found.mine:
        raise Conflict("saved.not_yours", owner=found.owner)
    return found


async def saved_picture(conn: Conn, me: Actor, id: UUID) -> tuple[bytes, str]:
    """The picture of a viewpoint and its media type. Raises NotFound."""
    found = await row(
        conn,
        f"SELECT picture, picture_type FROM saved WHERE id = %(id)s AND {_SEEN} AND picture IS NOT NULL",
        {"id": id, "me": me.name},
    )
    if found is None:
        raise NotFound("saved.unknown", saved=str(id))
    return bytes(found["picture"]), found["picture_type"]


def checked(kind: Kind, content: Content) -> dict[str, Any]:
    """What is stored of a content: its queries can be read, and it has what its kind needs. Raises Invalid."""
    kept = content.model_dump(mode="json", exclude_none=True)
    if not kept.get(_NEEDS[kind]):
        where = f"content.{_NEEDS[kind]}"
        params = {"kind": kind, "needs": _NEEDS[kind]}
        raise Invalid("saved.content", where=where, fields=[FieldError(where, "saved.content", params)], **params)
    for query in (content.query, content.isolated, *(each.query for each in content.rules or ())):
        if query is not None:
            parse(query)
    return kept


def _picture(text: str | None) -> tuple[bytes | None, str | None]:
    if text is None:
        return None, None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    kind = picture_type(data)
    if kind is None or len(data) > PICTURE_KB << 10:
        raise Invalid("saved.picture", where="picture", limit=PICTURE_KB)
    return data, kind[1]


async def get_layout(conn: Conn, me: Actor) -> dict[str, Any]:
    """How somebody has arranged the panels; empty until they have."""
    found = await row(conn, "SELECT layout FROM workspace WHERE owner = %s", (me.name,))
    return dict(found["layout"]) if found else {}


async def set_layout(conn: Conn, me: Actor, layout: Mapping[str, Any]) -> None:
    """Keep how somebody has arranged the panels."""
    await conn.execute(
        """INSERT INTO workspace (owner, layout) VALUES (%s, %s)
           ON CONFLICT (owner) DO UPDATE SET layout = excluded.layout, changed_at = now()""",
        (me.name, Jsonb(layout)),
    )
