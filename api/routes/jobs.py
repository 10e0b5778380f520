"""Jobs: what was asked for, how far it is, what came of it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request

from api import problems, reading_files
from api.route import Caller, Limit, Router, Tx, allow
from identity import audit
from twin import jobs, places
from twin.page import Page

router = Router(prefix="/jobs", tags=["jobs"])


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its watchers see it; `progress` 0…1, `error` {code, message, where}.

    `detail` while it runs: `done` of `total` of what its stage counts, `bytes` of the file, `seconds_left`.
    """

    id: UUID
    kind: str
    building_id: UUID | None
    state: str  # queued | running | done | failed | cancelled
    stage: str | None
    progress: float
    detail: dict[str, Any] | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    file_name: str | None
    model: str | None


def view(job: jobs.Job, request: Request) -> JobView:
    """Return the job with its error in the caller's language."""
    language = problems.language_of(request.headers.get("accept-language"))
    fields = {name: value for name, value in asdict(job).items() if name in JobView.__slots__}
    fields["error"] = jobs.error_in(job, language)
    return JobView(**fields, file_name=job.args.get("file_name"), model=job.args.get("model"))


@router.get("")
@allow("job.read")
async def list_jobs(
    tx: Tx,
    request: Request,
    building: str | None = None,
    state: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[JobView]:
    """Jobs, newest first."""
    building_id = (await places.get_building(tx, building)).id if building else None
    page = await jobs.list_jobs(tx, building=building_id, state=state, limit=limit, cursor=cursor)
    return Page([view(job, request) for job in page.items], page.next)


@router.get("/{job_id}")
@allow("job.read")
async def get_job(tx: Tx, request: Request, job_id: UUID) -> JobView:
    """One job."""
    return view(await jobs.get_job(tx, job_id), request)


@router.post("/{job_id}/resume")
@allow("reading.write")
async def resume_job(tx: Tx, request: Request, caller: Caller, job_id: UUID) -> JobView:
    """Have an import of readings that failed or was cancelled go on where it was."""
    job = await reading_files.resume(tx, job_id)
    await audit.record(tx, caller, "job.resume", f"job:{job_id}")
    return view(job, request)


@router.delete("/{job_id}")
@allow("model.upload")
async def cancel_job(tx: Tx, request: Request, caller: Caller, job_id: UUID) -> JobView:
    """Cancel: a waiting job at once, a running one soon; one that is over stays as it is."""
    before = await jobs.get_job(tx, job_id)
    job = await jobs.cancel_job(tx, job_id)
    was, now = ({"state": each.state, "cancel_asked": each.cancel_asked} for each in (before, job))
    await audit.record(tx, caller, "job.cancel", f"job:{job_id}", before=was, after=now)
    return view(job, request)
