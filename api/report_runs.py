"""Runs of reports: asked for, listed, read, each kept as it was made (docs/reports.md; 7.7.4c).

A run is a row and a job (`api/report_making.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from psycopg.types.json import Jsonb

from api.report_periods import EARLIEST, LATEST, Days, days_around, last_whole
from api.report_sections import may_see
from api.reports import Report, definition_of
from identity.actor import Actor
from twin import jobs
from twin.db import Conn, object_or_none, objects, row
from twin.errors import Denied, Invalid, Language, NotFound, text_of
from twin.page import Page, decode_cursor, page_of

KIND: Final = "report"
MOST_WAITING: Final = 20  # runs of one person's that are not made yet


@dataclass(frozen=True, slots=True)
class ReportRun:
    """One time that a report was made, or is to be. `due_at`: the schedule asked for it. `so_far`: its days were not
    over. `error`: `{code, params, where}`."""

    id: UUID
    report_id: UUID
    building_id: UUID
    report: str  # its name then
    shared: bool
    period: str
    first_day: date
    last_day: date
    so_far: bool
    due_at: datetime | None
    asked_by: str
    asked_at: datetime
    state: str  # waiting | done | failed
    made_at: datetime | None
    digest: str | None
    error: dict[str, Any] | None


_RUN: Final = """
    SELECT u.id, u.report_id, u.building_id, u.definition ->> 'name' AS report, r.shared,
           u.definition ->> 'period' AS period, u.first_day, u.last_day,
           u.end_at < ((u.last_day + 1)::timestamp AT TIME ZONE site.time_zone) AS so_far, u.due_at,
           regexp_replace(u.asked_by, '^[a-z]+:', '') AS asked_by, u.asked_at, u.state, u.made_at, u.digest, u.error
    FROM report_run u JOIN report r ON r.id = u.report_id
    JOIN building b ON b.id = u.building_id JOIN site ON site.id = b.site_id
    WHERE (r.owner = %(me)s OR r.shared)
"""


async def list_runs(
    conn: Conn, me: Actor, building: UUID, report: UUID | None, *, limit: int, cursor: str | None
) -> Page[ReportRun]:
    """The runs of a building's reports that the caller may see, the newest first."""
    after = decode_cursor(cursor, 2) or (None, None)
    found = await objects(
        conn,
        ReportRun,
        _RUN
        + """ AND u.building_id = %(building)s AND (%(report)s::uuid IS NULL OR u.report_id = %(report)s)
              AND (%(at)s::timestamptz IS NULL OR (u.asked_at, u.id) < (%(at)s, %(id)s::uuid))
            ORDER BY u.asked_at DESC, u.id DESC LIMIT %(limit)s""",
        {"me": me.name, "building": building, "report": report, "at": after[0], "id": after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda each: (each.asked_at, each.id))


async def get_run(conn: Conn, me: Actor, id: UUID) -> ReportRun:
    """A run that the caller may see. Raises NotFound."""
    found = await object_or_none(conn, ReportRun, _RUN + " AND u.id = %(id)s", {"me": me.name, "id": id})
    if found is None:
        raise NotFound("report.run_unknown", run=str(id))
    return found


async def snapshot_of(conn: Conn, me: Actor, run: ReportRun, lang: Language) -> dict[str, Any] | None:
    """What a run told, less what the caller may not see, alarms in their language; None: it has not been made."""
    found = await row(conn, "SELECT snapshot FROM report_run WHERE id = %s", (run.id,))
    if found is None or found["snapshot"] is None:
        return None
    told: dict[str, Any] = orjson.loads(found["snapshot"])
    told["sections"] = [
        each if may_see(me, each["kind"], run.building_id) else withheld(each) for each in told["sections"]
    ]
    for section in told["sections"]:
        for alarm in [*section.get("longest", ()), *section.get("standing", ())]:
            if alarm["params"]:
                alarm["message"] = text_of(alarm["code"], lang, alarm["params"])
    return told


def withheld(section: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": section["kind"], "title": section.get("title"), "withheld": True}


async def ask_for_run(
    conn: Conn,
    asking: Actor,
    report: Report,
    days: Days,
    now: datetime,
    *,
    due_at: datetime | None = None,
    key: UUID | None = None,
) -> UUID | None:
    """Write down that a report is to be made (`start_run` has it made); None: at `due_at` it was asked for already.

    Raises Invalid, Denied.
    """
    if days.start >= now:
        raise Invalid("report.future", where="day")
    waiting = await row(
        conn, "SELECT count(*) AS n FROM report_run WHERE asked_by = %s AND state = 'waiting'", (asking.name,)
    )
    if due_at is None and waiting is not None and waiting["n"] >= MOST_WAITING:
        raise Denied("report.waiting", limit=MOST_WAITING)
    made = await row(
        conn,
        """INSERT INTO report_run (report_id, building_id, due_at, asked_by, asked_key, asked_at, definition,
             first_day, last_day, start_at, end_at)
           VALUES (%(report)s, %(building)s, %(due)s, %(by)s, %(key)s, %(now)s, %(definition)s, %(first)s, %(last)s,
             %(start)s, %(end)s) ON CONFLICT DO NOTHING RETURNING id""",
        {"report": report.id, "building": report.building_id, "due": due_at, "by": asking.name,
         "key": asking.key.id if asking.key else key, "now": now, "definition": Jsonb(definition_of(report)),
         "first": days.first, "last": days.last, "start": days.start, "end": min(days.end, now)},
    )  # fmt: skip
    return UUID(str(made["id"])) if made else None


async def start_run(conn: Conn, run: UUID) -> None:
    """Have a worker make a run that was asked for; once. `conn` is the server's: who asks need not see jobs."""
    found = await row(
        conn,
        """SELECT building_id, asked_by FROM report_run WHERE id = %s AND state = 'waiting' AND job_id IS NULL
           FOR NO KEY UPDATE SKIP LOCKED""",
        (run,),
    )
    if found is not None:
        args = {"run": str(run)}
        job = await jobs.create_job(conn, KIND, args, building_id=found["building_id"], actor_name=found["asked_by"])
        await conn.execute("UPDATE report_run SET job_id = %s WHERE id = %s", (job, run))


def days_of(report: Report, day: date | None, now: datetime) -> Days:
    """What a run is about: the days of a range, the period that a day lies in, or the last one that is over."""
    zone = ZoneInfo(report.time_zone)
    if report.first_day is not None and report.last_day is not None:
        return Days("range", report.first_day, report.last_day, zone)
    if day is None:
        return last_whole(report.period, now, zone)
    if not EARLIEST <= day <= LATEST:
        raise Invalid("report.day", where="day", earliest=EARLIEST, latest=LATEST)
    return days_around(report.period, day, zone)
