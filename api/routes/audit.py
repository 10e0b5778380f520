"""The audit trail: searched, exported, verified. Nobody changes it: there is no route for that (6.5.2a, 9.1.3-2).

These routes read as the server does, not as a limited caller: the trail is one for the whole installation.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime

from api.audit_commands import VERIFY
from api.auditing import personal_data
from api.clients import expensive
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, twin_of
from api.routes.jobs import JobView, view
from api.streams import Streamed, begun
from identity import audit
from identity.audit import AuditEntry, Filter
from identity.audit_chain import find_head, read_entries
from identity.audit_export import MEDIA, Format, header, lines, span
from identity.audit_trail import ChainState
from twin import jobs
from twin.db import Database
from twin.errors import Unavailable
from twin.page import Page

router = Router(prefix="/audit", tags=["identity"])
EXPORTS: Final = asyncio.Semaphore(2)  # of a process, at once


def _filter(
    actor: Annotated[str | None, Query(description="account:NAME, key:NAME, cli or system")] = None,
    object: Annotated[str | None, Query(description="kind:id")] = None,
    action: Annotated[str | None, Query(description="alarm.acknowledge; alarm. for all that begin so")] = None,
    result: Literal["done", "refused", "failed"] | None = None,
    start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="excluded")] = None,
    q: Annotated[str | None, Query(max_length=200, description="anywhere in object, before or after")] = None,
) -> Filter:
    return Filter(actor=actor, object=object, action=action, result=result, start=start, end=end, text=q)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("")
@allow("audit.read")
@no_transaction
@personal_data
async def list_audit(
    request: Request, wanted: Wanted, limit: Limit = 100, cursor: str | None = None
) -> Page[AuditEntry]:
    """Who did what, newest first."""
    async with twin_of(request).db.connection() as conn:
        return await audit.list_entries(conn, wanted=wanted, limit=limit, cursor=cursor)


@router.get("/export", response_class=StreamingResponse)
@allow("audit.read")
@no_transaction
@expensive
async def export_audit(
    request: Request,
    caller: Caller,
    wanted: Wanted,
    form: Annotated[Format, Query(alias="format")] = "jsonl",
) -> Response:
    """Sealed entries, oldest first, as a file that `twin audit verify FILE` checks (docs/audit.md).

    With `from` and `to` only it has no gaps; with any other filter it is a selection.
    """
    if EXPORTS.locked():
        raise Unavailable("audit.export_busy")
    db = twin_of(request).db
    async with db.transaction() as conn:
        await audit.record(conn, caller, "audit.export", after={"format": form, **wanted.given})
    async with db.connection() as conn:
        first, last = await span(conn, wanted, (await find_head(conn)).seq)
    run = Filter() if wanted == Filter(start=wanted.start, end=wanted.end) else wanted
    headers = {"content-disposition": f'attachment; filename="audit-{first}-{last}.{form}"'}
    return Streamed(await begun(_stream(db, form, run, first, last)), media_type=MEDIA[form], headers=headers)


async def _stream(db: Database, form: Format, wanted: Filter, first: int, last: int) -> AsyncGenerator[str, None]:
    """A thousand entries at a time, however slowly they are taken."""
    async with EXPORTS:
        yield header(form)
        async for entries in read_entries(db, after=first - 1, until=last, wanted=wanted):
            yield lines(form, entries)


@router.get("/chain")
@allow("audit.read")
@no_transaction
async def get_chain(request: Request) -> ChainState:
    """How the chain stands, and what the last verification said."""
    return await twin_of(request).audit.state()


@router.post("/verify", status_code=202)
@allow("audit.read")
@expensive
async def verify_audit(tx: Tx, request: Request, caller: Caller) -> JobView:
    """Check the whole chain and its anchors, as a job; its result says what was found."""
    job_id: UUID = await jobs.create_job(tx, VERIFY, {}, building_id=None, actor_name=caller.name, lock=VERIFY)
    await audit.record(tx, caller, "audit.verify", f"job:{job_id}")
    return view(await jobs.get_job(tx, job_id), request)
