"""Dashboards of a building: widgets on a grid of twelve columns, private or shared (docs/dashboards.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

import psycopg.errors
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from identity.actor import Actor
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Conflict, NotFound, TooLarge
from twin.page import Page, decode_cursor, page_of

COLUMNS: Final = 12

Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Span = Literal["hour", "day", "week", "month", "year"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Widget(_Strict):
    """Where a widget lies, in columns and rows of the grid, and what stands above it."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    x: Annotated[int, Field(ge=0, lt=COLUMNS)]
    y: Annotated[int, Field(ge=0, le=1000)]
    w: Annotated[int, Field(ge=1, le=COLUMNS)]
    h: Annotated[int, Field(ge=1, le=50)]
    title: Text = ""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.x + self.w > COLUMNS:
            raise ValueError(f"the widget ends at column {self.x + self.w} of {COLUMNS}")
        return self


class PointWidget(_Widget):
    """One point: a large number, a gauge or a light."""

    kind: Literal["value", "gauge", "light"]
    point: Key
    low: float | None = None
    high: float | None = None


class PointsWidget(_Widget):
    """Several points over a period: lines, bars against the last period, or a table of latest values."""

    kind: Literal["chart", "comparison", "table"]
    points: Annotated[list[Key], Field(min_length=1, max_length=20)]
    span: Span = "day"


class ListWidget(_Widget):
    """The open alarms or work orders of the building."""

    kind: Literal["alarms", "orders", "clock"]


class PlaceWidget(_Widget):
    """A storey's rooms coloured by a quantity, as a plan or in 3D; `view` as the address of the 3D view has it."""

    kind: Literal["plan", "scene"]
    storey: UUID | None = None
    quantity: Text = ""
    view: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$", max_length=8000)] = ""


class TextWidget(_Widget):
    """Markdown, shown without HTML."""

    kind: Literal["text"]
    text: Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]


Widget = Annotated[PointWidget | PointsWidget | ListWidget | PlaceWidget | TextWidget, Field(discriminator="kind")]


class DashboardLayout(_Strict):
    """What a dashboard shows."""

    widgets: Annotated[list[Widget], Field(max_length=1000)]  # the settings allow fewer

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len({each.id for each in self.widgets}) < len(self.widgets):
            raise ValueError("two widgets have the same id")
        return self


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard that the caller may see."""

    id: UUID
    building_id: UUID
    name: str
    owner: str
    shared: bool
    mine: bool
    widgets: int  # how many
    revision: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WholeDashboard(Dashboard):
    """A dashboard with what it shows."""

    layout: dict[str, Any]


def check_size(layout: DashboardLayout, most: int) -> None:
    """Raise TooLarge where it has more than `most` widgets."""
    if len(layout.widgets) > most:
        raise TooLarge("dashboard.too_many_widgets", where="layout.widgets", count=len(layout.widgets), limit=most)


_SEEN: Final = "(owner = %(me)s OR shared)"
_COLUMNS: Final = """
    id, building_id, name, regexp_replace(owner, '^[a-z]+:', '') AS owner, shared, owner = %(me)s AS mine,
    jsonb_array_length(layout->'widgets') AS widgets, revision, created_at, changed_at
"""


async def list_dashboards(conn: Conn, me: Actor, building: UUID, *, limit: int, cursor: str | None) -> Page[Dashboard]:
    """One's own and the shared ones of a building, by name."""
    after_name, after_id = decode_cursor(cursor, 2) or (None, None)
    found = await objects(
        conn,
        Dashboard,
        f"""SELECT {_COLUMNS} FROM dashboard
            WHERE building_id = %(building)s AND {_SEEN}
              AND (%(after_id)s::uuid IS NULL OR (name, id) > (%(after_name)s, %(after_id)s::uuid))
            ORDER BY name, id LIMIT %(limit)s""",
        {"me": me.name, "building": building, "limit": limit + 1, "after_name": after_name, "after_id": after_id},
    )
    return page_of(found, limit, lambda each: (each.name, each.id))


async def get_dashboard(conn: Conn, me: Actor, id: UUID) -> WholeDashboard:
    """One that the caller may see. Raises NotFound."""
    found = await object_or_none(
        conn,
        WholeDashboard,
        f"SELECT {_COLUMNS}, layout FROM dashboard WHERE id = %(id)s AND {_SEEN}",
        {"me": me.name, "id": id},
    )
    if found is None:
        raise NotFound("dashboard.unknown", dashboard=str(id))
    return found


async def own_dashboard(conn: Conn, me: Actor, id: UUID) -> WholeDashboard:
    """One that the caller may change: their own. Raises NotFound, Conflict."""
    found = await get_dashboard(conn, me, id)
    if not found.mine:
        raise Conflict("dashboard.not_yours", owner=found.owner)
    return found


async def create_dashboard(
    conn: Conn, me: Actor, building: UUID, name: str, layout: DashboardLayout, *, shared: bool, most: int
) -> WholeDashboard:
    """Make one. Raises Conflict where the caller has one of that name, TooLarge beyond `most` of one's own here."""
    mine = await row(
        conn, "SELECT count(*) AS n FROM dashboard WHERE building_id = %s AND owner = %s", (building, me.name)
    )
    if mine is not None and mine["n"] >= most:
        raise TooLarge("dashboard.too_many", limit=most)
    made = await row(
        conn,
        """INSERT INTO dashboard (building_id, name, owner, shared, layout) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING RETURNING id""",
        (building, name, me.name, shared, Jsonb(layout.model_dump(mode="json"))),
    )
    if made is None:
        raise Conflict("dashboard.name_taken", name=name)
    return await get_dashboard(conn, me, made["id"])


async def replace_dashboard(
    conn: Conn, me: Actor, id: UUID, name: str, layout: DashboardLayout, *, shared: bool, revision: int
) -> WholeDashboard:
    """Save one's own over `revision`. Raises NotFound, Conflict where it has been changed since."""
    await own_dashboard(conn, me, id)
    try:
        async with conn.transaction():
            saved = await row(
                conn,
                """UPDATE dashboard SET name = %s, layout = %s, shared = %s, revision = revision + 1, changed_at = now()
                   WHERE id = %s AND revision = %s RETURNING id""",
                (name, Jsonb(layout.model_dump(mode="json")), shared, id, revision),
            )
    except psycopg.errors.UniqueViolation:
        raise Conflict("dashboard.name_taken", name=name) from None
    if saved is None:
        raise Conflict("dashboard.changed", revision=revision)
    return await get_dashboard(conn, me, id)


async def delete_dashboard(conn: Conn, me: Actor, id: UUID) -> WholeDashboard:
    """Remove one's own; what it was. Raises NotFound, Conflict."""
    before = await own_dashboard(conn, me, id)
    await conn.execute("DELETE FROM dashboard WHERE id = %s", (id,))
    return before
