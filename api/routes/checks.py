"""Checks of a model version: our own rules and IDS documents, with every element, as pages, BCF, CSV and HTML."""

from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Query, Request, UploadFile
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import problems
from api.check_reports import check_html, check_topics, csv_header, csv_row, csv_rows, pack_topics
from api.clients import expensive
from api.out_again import ask_for_check
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, once, transaction_of, twin_of
from api.routes.jobs import JobView, view
from identity import audit
from ifc_models import checks, models
from ifc_models.checks import CheckDetail, CheckRun, ElementOutcome
from ifc_models.tables import csv_lines
from twin import jobs
from twin.blobs import record_blob
from twin.errors import Language
from twin.page import Page

router = Router(tags=["checks"])
IDS = "application/xml"
Tongue = Annotated[str | None, Query(pattern="^(en|zh)$", description="default: as Accept-Language says")]


def _language(request: Request, language: str | None) -> Language:
    if language in ("en", "zh"):
        return "zh" if language == "zh" else "en"
    return problems.language_of(request.headers.get("accept-language"))


@router.post("/models/{model}/checks", status_code=202, response_model=JobView)
@allow("model.check")
@no_transaction
@expensive
async def start_check(
    request: Request,
    caller: Caller,
    model: UUID,
    ids: Annotated[UploadFile | None, File(description="an IDS 1.0 document; without it our own rules")] = None,
    version: Annotated[int | None, Form(description="default: the shown one")] = None,
) -> Response:
    """Check a version of a model; answers with the job that does it."""
    twin = twin_of(request)
    name = PurePath(ids.filename or "document.ids").name[:200] if ids else ""
    blob = await run_in_threadpool(twin.blobs.put_open_file, ids.file, IDS) if ids else None

    async with transaction_of(request) as conn:

        async def act() -> Response:
            found = await models.get_model(conn, model)
            chosen = await models.get_version(conn, model, version or found.current_version or 0)
            if blob is not None:
                await record_blob(conn, blob)
            job_id = await ask_for_check(conn, found, chosen, (blob, name) if blob else None, caller)
            about = {"job": str(job_id), "version": chosen.version, "ids": name or None}
            await audit.record(conn, caller, "model.check", f"model:{model}", after=about)
            job = view(await jobs.get_job(conn, job_id), request)
            return JSONResponse(jsonable_encoder(job), 202, {"location": f"/api/v1/jobs/{job_id}"})

        return await once(request, conn, act)


@router.get("/models/{model}/checks")
@allow("model.read")
async def list_checks(tx: Tx, model: UUID, limit: Limit = 100, cursor: str | None = None) -> Page[CheckRun]:
    """The checks of a model, newest first."""
    await models.get_model(tx, model)
    return await checks.list_runs(tx, model, limit=limit, cursor=cursor)


@router.get("/checks/{check}.bcf", response_class=Response)
@allow("model.read")
async def check_as_bcf(
    tx: Tx, request: Request, caller: Caller, check: UUID, version: str = "3.0", language: Tongue = None
) -> Response:
    """What failed as issues: one per finding or failing specification, its elements selected (BCF 2.1 or 3.0)."""
    tongue = _language(request, language)
    made = await check_topics(tx, await checks.get_detail(tx, check, tongue), tongue, caller.name)
    data = pack_topics(made, version, str(check))
    return _download(data, "application/octet-stream", f"check-{check}.bcf")


@router.get("/checks/{check}.csv", response_class=StreamingResponse)
@allow("model.read")
@expensive
@no_transaction
async def check_as_csv(request: Request, check: UUID, language: Tongue = None, *, bom: bool = True) -> Response:
    """What failed as a table, one row per element and reason; `bom` for Excel."""
    tongue = _language(request, language)
    async with transaction_of(request) as conn:
        detail = await checks.get_detail(conn, check, tongue)

    async def lines() -> AsyncIterator[str]:
        async with transaction_of(request) as conn:
            header = csv_header(tongue)
            yield "".join(csv_lines(header, [], bom=bom))
            for finding in detail.findings:
                yield "".join(csv_lines(None, csv_row(finding, tongue)))
            names = {each.n: each.name for each in detail.specifications}
            async for each in checks.every_failure(conn, check, tongue):
                yield "".join(csv_lines(None, csv_rows(each, names[each.specification], tongue)))

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=_attachment(f"check-{check}.csv"))


@router.get("/checks/{check}.html", response_class=HTMLResponse)
@allow("model.read")
async def check_as_html(tx: Tx, request: Request, check: UUID, language: Tongue = None) -> Response:
    """The report as a page to keep or print; the first hundred failing elements of each specification."""
    tongue = _language(request, language)
    detail = await checks.get_detail(tx, check, tongue)
    failing = {
        each.n: (await checks.list_elements(tx, check, tongue, specification=each.n)).items
        for each in detail.specifications
        if each.failed
    }
    return HTMLResponse(check_html(detail, failing, tongue), headers=_attachment(f"check-{check}.html"))


@router.get("/checks/{check}")
@allow("model.read")
async def get_check(tx: Tx, request: Request, check: UUID, language: Tongue = None) -> CheckDetail:
    """One check: its findings, or per specification how many elements pass and fail."""
    return await checks.get_detail(tx, check, _language(request, language))


@router.get("/checks/{check}/elements")
@allow("model.read")
async def list_check_elements(
    tx: Tx,
    request: Request,
    check: UUID,
    specification: int | None = None,
    *,
    failed: bool | None = True,
    language: Tongue = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[ElementOutcome]:
    """The elements a check is about, failing ones unless told otherwise, with our ids for colouring them in 3D."""
    tongue = _language(request, language)
    return await checks.list_elements(
        tx, check, tongue, specification=specification, failed=failed, limit=limit, cursor=cursor
    )


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _download(data: bytes, media_type: str, name: str) -> Response:
    return Response(data, media_type=media_type, headers=_attachment(name))
