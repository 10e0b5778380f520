"""Making reports: on demand or when they are due, each run kept as it was made (docs/reports.md; 7.7.4c).

A run is a row and a job. What the job finds is written once and never again; its SHA-256 stands in the audit trail.
A run sees what the one who asked for it may see at that moment: for a schedule the report's owner.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import psycopg
import structlog
from psycopg.types.json import Jsonb

from api.report_periods import EARLIEST, LATEST, Days, days_around, last_whole
from api.report_sections import Told, may_see, section_of
from api.reports import Report, definition_of, get_report
from identity import SYSTEM, audit
from identity.access import limited
from identity.actor import CLI, Actor
from identity.grants import actor_of_account, actor_of_key
from maintenance.notifications import notify
from maintenance.plan_dates import Recurrence
from spatial.network import Networks
from telemetry.history import zone_of
from twin import jobs
from twin.db import Conn, Database, object_or_none, objects, row, rows
from twin.errors import Denied, Invalid, Language, NotFound, TwinError, Unavailable, text_of
from twin.page import Page, decode_cursor, page_of
from twin.places import get_building
from twin.settings import Settings

log = structlog.get_logger()

KIND: Final = "report"
LOOK_EVERY_S: Final = 5.0
PRUNE_EVERY: Final = timedelta(hours=1)
CATCH_UP: Final = 31  # runs that were due while nobody looked and are made all the same: the latest
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
        each if may_see(me, each["kind"], run.building_id) else _withheld(each) for each in told["sections"]
    ]
    for section in told["sections"]:
        for alarm in [*section.get("longest", ()), *section.get("standing", ())]:
            if alarm["params"]:
                alarm["message"] = text_of(alarm["code"], lang, alarm["params"])
    return told


def _withheld(section: Mapping[str, Any]) -> dict[str, Any]:
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


# Making one


class Reports:
    """Makes reports: `make` is the job, `run` the loop that asks for what is due."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        networks: Networks,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db, self._keep, self._networks, self._clock = db, settings.report_keep, networks, clock
        self._pruned: datetime | None = None

    async def make(self, job: jobs.JobContext) -> Mapping[str, Any]:
        """Make one run; what goes wrong is written down as its error, for people to read."""
        run = UUID(job.args["run"])
        async with self._db.transaction() as conn:
            found = await row(conn, "SELECT * FROM report_run WHERE id = %s", (run,))
        if found is None or found["state"] != "waiting":
            return {"run": str(run)}
        try:
            snapshot = orjson.dumps(await self._told(job, found), option=orjson.OPT_UTC_Z)
        except TwinError as error:
            if isinstance(error, Unavailable):
                raise
            await self._failed(found, error.code, error.params, error.where)
            return {"run": str(run), "error": error.code}
        async with self._db.transaction() as conn:
            await self._made(conn, found, snapshot)
            await job.finish(conn, {"run": str(run)})
        return {"run": str(run)}

    async def _told(self, job: jobs.JobContext, run: Mapping[str, Any]) -> dict[str, Any]:
        """The snapshot: what was asked for, by whom, when it was made, and the numbers."""
        definition, now = run["definition"], self._clock()
        async with self._db.transaction() as conn:
            actor = await actor_named(conn, run["asked_by"], run["asked_key"])
            building = await get_building(conn, run["building_id"])
            zone = await zone_of(conn, building.id)
        days = Days(definition["period"], run["first_day"], run["last_day"], ZoneInfo(zone))
        told = Told(building, days, run["start_at"], run["end_at"], now, self._networks)
        chosen, sections = definition["sections"], []
        for number, section in enumerate(chosen):
            await job.report("sections", number / len(chosen), done=number, total=len(chosen))
            if not may_see(actor, section["kind"], building.id):
                sections.append(_withheld(section))
                continue
            async with limited(self._db, actor, None) as conn:
                sections.append(await section_of(conn, told, section))
        return {
            "report": definition["name"],
            "building": building.name,
            "time_zone": zone,
            "definition": definition,
            "asked_by": run["asked_by"],
            "asked_at": run["asked_at"].astimezone(UTC),
            "made_at": now,
            "first_day": days.first,
            "last_day": days.last,
            "start": told.start.astimezone(UTC),
            "end": told.end.astimezone(UTC),
            "so_far": told.end < days.end,
            "sections": sections,
        }

    async def _made(self, conn: Conn, run: Mapping[str, Any], snapshot: bytes) -> None:
        digest = hashlib.sha256(snapshot).hexdigest()
        written = await conn.execute(
            """UPDATE report_run SET state = 'done', made_at = %s, snapshot = %s, digest = %s
               WHERE id = %s AND state = 'waiting'""",
            (self._clock(), snapshot.decode(), digest, run["id"]),
        )
        if written.rowcount:
            await audit.record(conn, SYSTEM, "report.made", f"report_run:{run['id']}", after={"sha256": digest})
            await self._tell(conn, run, "notification.report.made")

    async def _failed(self, run: Mapping[str, Any], code: str, params: Mapping[str, Any], where: str | None) -> None:
        told = {"code": code, "params": {name: str(each) for name, each in params.items()}, "where": where}
        async with self._db.transaction() as conn:
            written = await conn.execute(
                "UPDATE report_run SET state = 'failed', made_at = %s, error = %s WHERE id = %s AND state = 'waiting'",
                (self._clock(), Jsonb(told), run["id"]),
            )
            if written.rowcount:
                await audit.record(conn, SYSTEM, "report.failed", f"report_run:{run['id']}", after=told)
                await self._tell(conn, run, "notification.report.failed")

    async def _tell(self, conn: Conn, run: Mapping[str, Any], code: str) -> None:
        """Tell whom the report is for, and its owner where it failed; of what somebody waits for nobody is told."""
        if run["due_at"] is None:
            return
        definition = run["definition"]
        days = {run["first_day"].isoformat(): None, run["last_day"].isoformat(): None}
        params = {"report": definition["name"], "days": " – ".join(days)}
        kind, _, name = run["asked_by"].partition(":")
        failed = code == "notification.report.failed"
        for to in dict.fromkeys([definition["tell"], name if failed and kind == "account" else None]):
            if to is not None:
                await notify(conn, to, code, params, building_id=run["building_id"])

    # The loop

    async def run(self) -> None:
        """Ask for what is due until cancelled. Survives a database that goes away."""
        while True:
            try:
                await self.run_due()
            except (psycopg.Error, Unavailable) as error:
                log.warning("reports wait for the database", error=str(error).strip())
            await asyncio.sleep(LOOK_EVERY_S)

    async def run_due(self) -> int:
        """Ask for every report that is due now, one transaction each, and look after the runs; how many were asked."""
        now, count = self._clock(), 0
        async with self._db.connection() as conn:
            due = await rows(
                conn, "SELECT id FROM report WHERE deleted_at IS NULL AND next_due <= %s ORDER BY next_due, id", (now,)
            )
        for each in due:
            try:
                async with self._db.transaction() as conn:
                    count += await ask_for_due(conn, each["id"], now)
            except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable):
                raise
            except Exception:
                log.exception("a report could not be asked for", report=str(each["id"]))
        await self._look_after(now)
        return count

    async def _look_after(self, now: datetime) -> None:
        """Give up runs whose job is over without them; let go of runs that are older than they are kept."""
        async with self._db.transaction() as conn:
            lost = await rows(
                conn,
                """SELECT u.*, j.state AS job_state, j.error AS job_error
                   FROM report_run u LEFT JOIN job j ON j.id = u.job_id
                   WHERE u.state = 'waiting' AND (j.id IS NULL OR j.state IN ('failed', 'cancelled'))
                   ORDER BY u.asked_at, u.id""",
            )
            for run in lost:
                if run["job_state"] is None:
                    await start_run(conn, run["id"])
        for run in lost:
            if run["job_state"] is not None:
                error = run["job_error"] or {"code": "report.cancelled"}
                await self._failed(run, error["code"], error.get("params", {}), error.get("where"))
        if self._keep is None or (self._pruned and now - self._pruned < PRUNE_EVERY):
            return
        self._pruned = now
        async with self._db.transaction() as conn:
            await prune_runs(conn, now - self._keep)


async def prune_runs(conn: Conn, before: datetime) -> int:
    """Let go of the runs asked for before a moment, and of deleted reports without any; how many runs."""
    gone = await conn.execute("DELETE FROM report_run WHERE asked_at < %s AND state <> 'waiting'", (before,))
    await conn.execute(
        """DELETE FROM report r WHERE deleted_at < %s
           AND NOT EXISTS (SELECT FROM report_run u WHERE u.report_id = r.id)""",
        (before,),
    )
    return gone.rowcount


async def ask_for_due(conn: Conn, report_id: UUID, now: datetime) -> int:
    """Ask for what a report owes at `now`; 0 when someone else is at it. Each due time is asked for once."""
    mine = await row(
        conn,
        """SELECT owner, owner_key, next_due FROM report WHERE id = %s AND deleted_at IS NULL AND next_due <= %s
           FOR NO KEY UPDATE SKIP LOCKED""",
        (report_id, now),
    )
    if mine is None:
        return 0
    owner = Actor(mine["owner"])
    report = await get_report(conn, owner, report_id)
    assert report.starts_at is not None
    recurrence = Recurrence(report.rrule, report.starts_at, ZoneInfo(report.time_zone))
    owed = recurrence.between(mine["next_due"], now + timedelta(microseconds=1))[-CATCH_UP:]
    count = 0
    for at in owed:
        days = days_of(report, None, at)
        if days.start < now:  # a range may lie ahead: then there is nothing to tell yet
            count += await ask_for_run(conn, owner, report, days, now, due_at=at, key=mine["owner_key"]) is not None
    following = recurrence.next(now + timedelta(microseconds=1))
    await conn.execute("UPDATE report SET next_due = %s WHERE id = %s", (following, report_id))
    return count


async def actor_named(conn: Conn, name: str, key: UUID | None) -> Actor:
    """Who a run is made for, with what they may do now. Raises Denied when they may not do anything any more."""
    kind, _, rest = name.partition(":")
    if name == CLI.name:
        return CLI
    if kind == "key":
        found = await row(
            conn,
            """SELECT id, name, scopes FROM api_key WHERE id = %s AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > now())""",
            (key,),
        )
        if found is not None:
            return await actor_of_key(conn, found["id"], found["name"], scopes=found["scopes"])
    elif kind == "account":
        found = await row(
            conn,
            """SELECT id, name FROM account WHERE name = %s AND NOT disabled
                 AND (valid_until IS NULL OR valid_until > now())""",
            (rest,),
        )
        if found is not None:
            return await actor_of_account(conn, found["id"], found["name"])
    raise Denied("report.owner_gone", owner=rest or name)
