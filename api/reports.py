"""Reports: what people want told of a building again and again (docs/reports.md; 7.1.3: reports are user-defined)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg.errors
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from api.report_periods import PeriodKind, check_days
from identity.actor import Actor
from maintenance.notifications import check_crew
from maintenance.plan_dates import parse_recurrence
from telemetry import points
from telemetry.consumption import Medium
from telemetry.history import zone_of
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Conflict, Invalid, NotFound, TooLarge
from twin.page import Page, decode_cursor, page_of

MOST: Final = 200  # per person and building
MOST_SECTIONS: Final = 20
MOST_POINTS: Final = 100  # of a table
MOST_LINES: Final = 8  # of a chart
SCHEDULE_DAYS: Final = 10 * 366
OFTEN: Final = timedelta(hours=20)  # a report tells of days at least: it is not made more often

Title = Annotated[str, Field(max_length=200)]
PointKey = Annotated[str, Field(min_length=1, max_length=200, description="key or id")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title | None = None


class TextSection(_Part):
    """Words of one's own; empty lines separate paragraphs."""

    kind: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class OverviewSection(_Part):
    """The owner's figures as they are when the report is made."""

    kind: Literal["overview"]


class UseSection(_Part):
    """Energy and water of the period beside the one before, the year before and the quota (8.4.8b-1, 8.4.8c)."""

    kind: Literal["use"]
    media: list[Medium] | None = None  # null: all that are measured


class ChartSection(_Part):
    """Points over the period."""

    kind: Literal["chart"]
    points: Annotated[list[PointKey], Field(min_length=1, max_length=MOST_LINES)]


class PointLimits(BaseModel):
    """A point and between which values it should lie; without any, its alarm rules say."""

    model_config = ConfigDict(extra="forbid")

    point: PointKey
    low: Annotated[float, Field(allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(allow_inf_nan=False)] | None = None


class PointsSection(_Part):
    """A table of points: mean, least, most, how long within limits, gaps (6.1.4c)."""

    kind: Literal["points"]
    points: Annotated[list[PointLimits], Field(min_length=1, max_length=MOST_POINTS)]


class AlarmsSection(_Part):
    """Alarms by severity and by what they are about; the longest, the standing, and how soon they were acknowledged."""

    kind: Literal["alarms"]
    ack_within: Annotated[float, Field(ge=60, le=86_400, description="s; so soon an alarm is acknowledged")] = 600.0


class OrdersSection(_Part):
    """Work orders by priority and origin: made, done, in time, open (7.7.1c)."""

    kind: Literal["orders"]


Section = Annotated[
    OverviewSection | UseSection | ChartSection | PointsSection | AlarmsSection | OrdersSection | TextSection,
    Field(discriminator="kind"),
]


class ReportSchedule(BaseModel):
    """When it is made by itself: by an RRULE (RFC 5545) of the site's wall clock; without one, once."""

    model_config = ConfigDict(extra="forbid")

    rrule: str | None = None
    starts_at: datetime


class ReportDefinition(BaseModel):
    """All that can be chosen of a report. `first_day` and `last_day` (both included) are those of a `range`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]
    period: PeriodKind
    sections: Annotated[list[Section], Field(min_length=1, max_length=MOST_SECTIONS)]
    shared: bool = False
    first_day: date | None = None
    last_day: date | None = None
    schedule: ReportSchedule | None = None
    tell: Annotated[str, Field(max_length=200, description="role or account told of every run")] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report that somebody defined. `next_due`: when it is made next; None: on demand only."""

    id: UUID
    building_id: UUID
    name: str
    owner: str
    shared: bool
    mine: bool
    period: PeriodKind
    first_day: date | None
    last_day: date | None
    sections: list[dict[str, Any]]
    rrule: str | None
    starts_at: datetime | None
    next_due: datetime | None
    tell: str | None
    time_zone: str
    created_at: datetime
    changed_at: datetime


_REPORT: Final = """
    SELECT r.id, r.building_id, r.name, regexp_replace(r.owner, '^[a-z]+:', '') AS owner, r.shared,
           r.owner = %(me)s AS mine, r.period, r.first_day, r.last_day, r.sections, r.rrule, r.starts_at, r.next_due,
           r.tell, site.time_zone, r.created_at, r.changed_at
    FROM report r JOIN building b ON b.id = r.building_id JOIN site ON site.id = b.site_id
    WHERE r.deleted_at IS NULL AND (r.owner = %(me)s OR r.shared)
"""


async def list_reports(conn: Conn, me: Actor, building: UUID, *, limit: int, cursor: str | None) -> Page[Report]:
    """One's own and the shared ones of a building, by name."""
    after_name, after_id = decode_cursor(cursor, 2) or (None, None)
    found = await objects(
        conn,
        Report,
        _REPORT
        + """ AND r.building_id = %(building)s
              AND (%(after_id)s::uuid IS NULL OR (r.name, r.id) > (%(after_name)s, %(after_id)s::uuid))
            ORDER BY r.name, r.id LIMIT %(limit)s""",
        {"me": me.name, "building": building, "limit": limit + 1, "after_name": after_name, "after_id": after_id},
    )
    return page_of(found, limit, lambda each: (each.name, each.id))


async def get_report(conn: Conn, me: Actor, id: UUID) -> Report:
    """One that the caller may see. Raises NotFound."""
    found = await object_or_none(conn, Report, _REPORT + " AND r.id = %(id)s", {"me": me.name, "id": id})
    if found is None:
        raise NotFound("report.unknown", report=str(id))
    return found


async def own_report(conn: Conn, me: Actor, id: UUID) -> Report:
    """One that the caller may change: their own. Raises NotFound, Conflict."""
    found = await get_report(conn, me, id)
    if not found.mine:
        raise Conflict("report.not_yours", owner=found.owner)
    return found


async def create_report(conn: Conn, me: Actor, building: UUID, given: ReportDefinition, now: datetime) -> Report:
    """Define a report. Raises Invalid, NotFound (points), Conflict (name), TooLarge."""
    columns = await _columns(conn, building, given, now)
    mine = await row(
        conn,
        "SELECT count(*) AS n FROM report WHERE building_id = %s AND owner = %s AND deleted_at IS NULL",
        (building, me.name),
    )
    if mine is not None and mine["n"] >= MOST:
        raise TooLarge("report.too_many", limit=MOST)
    made = await row(
        conn,
        """INSERT INTO report (building_id, name, owner, owner_key, shared, period, first_day, last_day, sections,
             rrule, starts_at, next_due, tell)
           VALUES (%(building)s, %(name)s, %(me)s, %(key)s, %(shared)s, %(period)s, %(first_day)s, %(last_day)s,
             %(sections)s, %(rrule)s, %(starts_at)s, %(next_due)s, %(tell)s)
           ON CONFLICT DO NOTHING RETURNING id""",
        {**columns, "building": building, "me": me.name, "key": me.key.id if me.key else None},
    )
    if made is None:
        raise Conflict("report.name_taken", name=given.name)
    return await get_report(conn, me, made["id"])


async def change_report(conn: Conn, me: Actor, before: Report, given: ReportDefinition, now: datetime) -> Report:
    """Put another definition in the place of one's own; runs that were made stay. Raises as `create_report`."""
    columns = await _columns(conn, before.building_id, given, now)
    try:
        async with conn.transaction():
            await conn.execute(
                """UPDATE report SET name = %(name)s, shared = %(shared)s, period = %(period)s,
                     first_day = %(first_day)s, last_day = %(last_day)s, sections = %(sections)s, rrule = %(rrule)s,
                     starts_at = %(starts_at)s, tell = %(tell)s, owner_key = %(key)s, changed_at = now(),
                     next_due = CASE WHEN (rrule, starts_at) IS NOT DISTINCT FROM (%(rrule)s, %(starts_at)s)
                                     THEN next_due ELSE %(next_due)s END
                   WHERE id = %(id)s""",
                {**columns, "id": before.id, "key": me.key.id if me.key else None},
            )
    except psycopg.errors.UniqueViolation:
        raise Conflict("report.name_taken", name=given.name) from None
    return await get_report(conn, me, before.id)


async def delete_report(conn: Conn, report: UUID) -> None:
    """Take a report away; its runs stay for as long as runs are kept."""
    await conn.execute("UPDATE report SET deleted_at = now(), next_due = NULL WHERE id = %s", (report,))


def definition_of(report: Report) -> dict[str, Any]:
    """What a run keeps of its definition, and what the audit trail says of it."""
    told: dict[str, Any] = {"name": report.name, "period": report.period, "sections": report.sections,
                            "shared": report.shared, "tell": report.tell, "rrule": report.rrule}  # fmt: skip
    days = {"first_day": report.first_day, "last_day": report.last_day, "starts_at": report.starts_at}
    return told | {name: each.isoformat() for name, each in days.items() if each is not None}


async def _columns(conn: Conn, building: UUID, given: ReportDefinition, now: datetime) -> dict[str, Any]:
    """What is stored of a definition. Raises Invalid, NotFound."""
    ranged = given.period == "range"
    if ranged != (given.first_day is not None) or ranged != (given.last_day is not None):
        raise Invalid("report.days", where="first_day")
    if given.first_day is not None and given.last_day is not None:
        check_days(given.first_day, given.last_day)
    await _check_points(conn, building, given.sections)
    await check_crew(conn, given.tell)
    if given.tell is not None and not given.shared:
        raise Invalid("report.tell_private", where="tell")
    schedule = given.schedule
    return {
        "name": given.name.strip(),
        "shared": given.shared,
        "period": given.period,
        "first_day": given.first_day,
        "last_day": given.last_day,
        "sections": Jsonb([each.model_dump(mode="json", exclude_none=True) for each in given.sections]),
        "tell": given.tell,
        **(
            await _due(conn, building, schedule, now) if schedule else dict.fromkeys(("rrule", "starts_at", "next_due"))
        ),
    }


async def _due(conn: Conn, building: UUID, schedule: ReportSchedule, now: datetime) -> Mapping[str, Any]:
    if schedule.starts_at.tzinfo is None or abs(schedule.starts_at - now) > timedelta(days=SCHEDULE_DAYS):
        raise Invalid("report.schedule", where="schedule.starts_at", days=SCHEDULE_DAYS)
    recurrence = parse_recurrence(schedule.rrule, schedule.starts_at, ZoneInfo(await zone_of(conn, building)))
    next_due = recurrence.next(now)
    if next_due is None:
        raise Invalid("report.never_due", where="schedule.starts_at")
    following = recurrence.next(next_due + timedelta(microseconds=1))
    if following is not None and following - next_due < OFTEN:
        raise Invalid("report.too_often", where="schedule.rrule")
    return {"rrule": recurrence.rule, "starts_at": schedule.starts_at, "next_due": next_due}


async def _check_points(conn: Conn, building: UUID, sections: Sequence[Section]) -> None:
    """Every point that is named has numbers and is this building's. Raises Invalid, NotFound."""
    for number, section in enumerate(sections):
        named: list[str] = []
        if isinstance(section, ChartSection):
            named = section.points
        elif isinstance(section, PointsSection):
            named = [each.point for each in section.points]
            for each in section.points:
                if each.low is not None and each.high is not None and each.low >= each.high:
                    raise Invalid("report.limits", where=f"sections.{number}.points", point=each.point)
        for key in named:
            found = await points.get_point(conn, key)
            if found.building_id != building:
                raise NotFound("point.unknown", key=key)
            if found.kind not in ("number", "bool"):
                raise Invalid("report.no_numbers", where=f"sections.{number}.points", point=key)
