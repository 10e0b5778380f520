"""Reports: defining them, having them made, reading and exporting what was made (docs/reports.md; 7.1.3, 7.7.4c)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api import report_files, report_runs, reports
from api.clients import expensive
from api.problems import language_of
from api.report_runs import ReportRun
from api.reports import Report, ReportDefinition
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, transaction_of, twin_of
from identity import audit
from twin.errors import Conflict, text_of
from twin.page import Page
from twin.places import get_building

router = Router(tags=["reports"])


class ReportRunBody(BaseModel):
    """What to tell of: the day, week, month … that `day` lies in; without it the last one that is over."""

    day: date | None = None


@dataclass(frozen=True, slots=True)
class ToldReportRun(ReportRun):
    """A run with what it told; null until it is made. Sections that the caller may not see are `withheld`.

    `message`: why it could not be made.
    """

    snapshot: dict[str, Any] | None
    message: str | None


@router.get("/buildings/{building}/reports")
@allow("building.read")
async def list_reports(
    tx: Tx, caller: Caller, building: str, limit: Limit = 100, cursor: str | None = None
) -> Page[Report]:
    """One's own reports of a building and the shared ones, by name."""
    place = (await get_building(tx, building)).id
    return await reports.list_reports(tx, caller, place, limit=limit, cursor=cursor)


@router.post("/buildings/{building}/reports", status_code=201)
@allow("building.read")
async def create_report(tx: Tx, caller: Caller, building: str, body: ReportDefinition) -> Report:
    """Define a report (7.1.3-2); sharing it takes `topic.write`."""
    place = (await get_building(tx, building)).id
    if body.shared:
        caller.require("topic.write", place)
    made = await reports.create_report(tx, caller, place, body, datetime.now(UTC))
    await audit.record(tx, caller, "report.create", f"report:{made.id}", after=reports.definition_of(made))
    return made


@router.get("/reports/{report_id}")
@allow("building.read")
async def get_report(tx: Tx, caller: Caller, report_id: UUID) -> Report:
    """One report as it is defined now."""
    return await reports.get_report(tx, caller, report_id)


@router.put("/reports/{report_id}")
@allow("building.read")
async def change_report(tx: Tx, caller: Caller, report_id: UUID, body: ReportDefinition) -> Report:
    """Define one's own anew; sharing it takes `topic.write`. What was made stays as it was."""
    before = await reports.own_report(tx, caller, report_id)
    if body.shared:
        caller.require("topic.write", before.building_id)
    after = await reports.change_report(tx, caller, before, body, datetime.now(UTC))
    told = reports.definition_of(before), reports.definition_of(after)
    await audit.record(tx, caller, "report.update", f"report:{report_id}", before=told[0], after=told[1])
    return after


@router.delete("/reports/{report_id}", status_code=204)
@allow("building.read")
async def delete_report(tx: Tx, caller: Caller, report_id: UUID) -> None:
    """Take one's own away. What was made stays for as long as runs are kept."""
    gone = await reports.own_report(tx, caller, report_id)
    await reports.delete_report(tx, report_id)
    await audit.record(tx, caller, "report.delete", f"report:{report_id}", before=reports.definition_of(gone))


@router.post("/reports/{report_id}/runs", status_code=202)
@allow("building.read")
@expensive
@no_transaction
async def make_report(request: Request, report_id: UUID, body: ReportRunBody) -> ReportRun:
    """Have a report made now, of what its caller may see; `GET /report-runs/…` until its `state` is done or failed."""
    caller, now = request.state.actor, datetime.now(UTC)
    async with transaction_of(request) as conn:
        report = await reports.get_report(conn, caller, report_id)
        days = report_runs.days_of(report, body.day, now)
        run = await report_runs.ask_for_run(conn, caller, report, days, now)
        assert run is not None
        told = {"first_day": days.first.isoformat(), "last_day": days.last.isoformat(), "run": str(run)}
        await audit.record(conn, caller, "report.run", f"report:{report_id}", after=told)
        asked = await report_runs.get_run(conn, caller, run)
    async with twin_of(request).db.transaction() as conn:
        await report_runs.start_run(conn, run)
    return asked


@router.get("/buildings/{building}/report-runs")
@allow("building.read")
async def list_runs(
    tx: Tx,
    caller: Caller,
    building: str,
    report: Annotated[UUID | None, Query(description="of one report")] = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[ReportRun]:
    """What was made of a building's reports, deleted ones too, the newest first (7.7.4c)."""
    place = (await get_building(tx, building)).id
    return await report_runs.list_runs(tx, caller, place, report, limit=limit, cursor=cursor)


@router.get("/report-runs/{report_run}")
@allow("building.read")
async def get_run(tx: Tx, request: Request, caller: Caller, report_run: UUID) -> ToldReportRun:
    """A run and what it told: the numbers as they were, by which definition, for whom."""
    run = await report_runs.get_run(tx, caller, report_run)
    lang = language_of(request.headers.get("accept-language"))
    told = await report_runs.snapshot_of(tx, caller, run, lang)
    why = text_of(run.error["code"], lang, run.error.get("params", {})) if run.error else None
    return ToldReportRun(
        **{name: getattr(run, name) for name in ReportRun.__dataclass_fields__}, snapshot=told, message=why
    )


@router.get("/report-runs/{report_run}/tables.{suffix}", response_class=Response)
@allow("building.read")
@expensive
async def get_run_tables(
    tx: Tx,
    caller: Caller,
    report_run: UUID,
    suffix: Literal["csv", "xlsx"],
    lang: Literal["zh", "en"] = "zh",
    section: Annotated[int | None, Query(ge=0, description="of one section only, the first is 0")] = None,
) -> Response:
    """The tables of a run as CSV (one below the other, or of one `section`) or XLSX (a sheet each)."""
    run = await report_runs.get_run(tx, caller, report_run)
    told = await report_runs.snapshot_of(tx, caller, run, lang)
    if told is None:
        raise Conflict("report.not_made", state=run.state)
    await audit.record(tx, caller, "report.export", f"report_run:{report_run}", after={"format": suffix})
    return await report_files.answer(told, suffix, lang, section)
