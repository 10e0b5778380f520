"""Making reports: on demand or when they are due, and what becomes of their runs (docs/reports.md; 7.7.4c).

What the job finds is written once and never again; its SHA-256 stands in the audit trail. A run sees what the one who
asked for it may see at that moment: for a schedule the report's owner.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import psycopg
import structlog
from psycopg.types.json import Jsonb

from api.report_periods import Days
from api.report_runs import ask_for_run, days_of, start_run, withheld
from api.report_sections import Told, may_see, section_of
from api.reports import get_report
from identity import SYSTEM, audit
from identity.access import limited
from identity.actor import CLI, Actor
from identity.grants import actor_of_account, actor_of_key
from maintenance.notifications import notify
from maintenance.plan_dates import Recurrence
from spatial.network import Networks
from telemetry.history import zone_of
from twin import jobs
from twin.db import Conn, Database, row, rows
from twin.errors import Denied, TwinError, Unavailable
from twin.places import get_building
from twin.settings import Settings

log = structlog.get_logger()

LOOK_EVERY_S: Final = 5.0
PRUNE_EVERY: Final = timedelta(hours=1)
CATCH_UP: Final = 31  # runs that were due while nobody looked and are made all the same: the latest


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
                sections.append(withheld(section))
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
