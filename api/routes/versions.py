"""Versions of a model: what differs between them, what elements with new GlobalIds were matched with, going back."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.importing import ask_for_rollback
from api.route import Caller, Limit, Router, Tx, allow
from api.routes.jobs import JobView, view
from identity import audit
from ifc_models import decisions, diff, models
from ifc_models.decisions import MatchRow
from ifc_models.diff import DiffFilter, DiffItem, DiffPage
from twin import jobs, places
from twin.errors import Invalid
from twin.page import Page
from viewer.tileset import version_tileset

router = Router(prefix="/models", tags=["models"])
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


class RollbackRequest(BaseModel):
    """Which version to show again."""

    version: int = Field(ge=1)


class CorrectRequest(BaseModel):
    """The element of the shown version that the old one is: server id or GlobalId."""

    element: str = Field(min_length=1, max_length=64)


@dataclass(frozen=True, slots=True)
class Versions:
    """Two versions to compare; `to` is the shown one unless given, `from` the one before it."""

    model: UUID
    a: int
    b: int


async def versions_of(
    tx: Tx,
    model: UUID,
    from_: Annotated[int | None, Query(alias="from", ge=1)] = None,
    to: Annotated[int | None, Query(ge=1)] = None,
) -> Versions:
    """Return the versions that a caller names. Raises NotFound, and Invalid where there is no earlier version."""
    found = await models.get_model(tx, model)
    b = to if to is not None else found.current_version or 0
    a = from_ if from_ is not None else b - 1
    if a < 1:
        raise Invalid("diff.one_version", where="from")
    return Versions(model, a, b)


async def filter_of(
    kind: str | None = None,
    change: str | None = None,
    ifc_class: str | None = None,
    storey: UUID | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
) -> DiffFilter:
    """Return the filter that a caller gives; `kind` and `change` as `ifc_models.diff` lists them."""
    return DiffFilter(kind, change, ifc_class, storey, q or None)


Compared = Annotated[Versions, Depends(versions_of)]
Wanted = Annotated[DiffFilter, Depends(filter_of)]


@router.get("/{model}/diff")
@allow("model.read")
async def get_diff(
    tx: Tx, compared: Compared, wanted: Wanted, detail: bool = True, limit: Limit = 100, cursor: str | None = None
) -> DiffPage:
    """What was added, removed, moved or changed between two versions, with the values before and after (6.4.2a)."""
    return await diff.list_diff(
        tx, compared.model, compared.a, compared.b, wanted, detail=detail, limit=limit, cursor=cursor
    )


@router.get("/{model}/diff.csv", response_class=Response)
@allow("model.read")
async def get_diff_csv(tx: Tx, compared: Compared, wanted: Wanted) -> Response:
    """All differences as a table: one line per changed value, elements without one in a line of their own."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_HEADER)
    async for item in diff.all_items(tx, compared.model, compared.a, compared.b, wanted):
        lines.writerows(_lines(item))
    name = f"diff-{compared.a}-{compared.b}.csv"
    return Response(
        "\ufeff" + text.getvalue(),  # spreadsheets take it for UTF-8
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


_HEADER: Final = (
    "kind", "changes", "global_id", "old_global_id", "ifc_class", "name", "tag", "storey", "distance_m", "change",
    "set", "property", "before", "after",
)  # fmt: skip


def _lines(item: DiffItem) -> list[list[str]]:
    about = [
        item.kind, " ".join(item.changes), item.global_id, item.old_global_id, item.ifc_class, item.name, item.tag,
        item.storey_name, item.distance,
    ]  # fmt: skip
    rows = [[d.change, d.set, d.name, d.before, d.after] for d in item.differences] or [[None] * 5]
    return [[_cell(value) for value in (*about, *row)] for row in rows]


def _cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


@router.post("/{model}/rollback", status_code=202, response_model=JobView)
@allow("model.upload")
async def roll_back(tx: Tx, request: Request, caller: Caller, model: UUID, wanted: RollbackRequest) -> Response:
    """Show an earlier version again, as a new version; what is bound to elements stays. Answers with the job."""
    job_id = await ask_for_rollback(tx, await models.get_model(tx, model), wanted.version, caller)
    await audit.record(tx, caller, "model.rollback", f"job:{job_id}", after={"version": wanted.version})
    job = view(await jobs.get_job(tx, job_id), request)
    return JSONResponse(jsonable_encoder(job), 202, {"location": f"/api/v1/jobs/{job_id}"})


@router.get("/{model}/versions/{n}/tileset.json")
@allow("model.read")
async def get_version_tileset(tx: Tx, model: UUID, n: int) -> dict[str, Any]:
    """The tiles of one version, as 3D Tiles 1.1: what was removed since is still to be seen in them."""
    await models.get_version(tx, model, n)
    return await version_tileset(tx, model, n)


@router.get("/{model}/versions/{n}/matches")
@allow("model.read")
async def list_matches(
    tx: Tx,
    model: UUID,
    n: int,
    kind: str | None = None,
    state: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[MatchRow]:
    """Elements whose GlobalId the version does not have: recognised for certain, likely, or lost."""
    await models.get_version(tx, model, n)
    return await decisions.list_matches(tx, model, n, kind=kind, state=state, limit=limit, cursor=cursor)


@router.post("/{model}/versions/{n}/matches/{match}/confirm")
@allow("model.upload")
async def confirm_match(tx: Tx, caller: Caller, model: UUID, n: int, match: UUID) -> MatchRow:
    """The old element is the new one: everything bound to it moves along."""
    found = await _match(tx, model, n, match)
    await decisions.confirm(tx, found, caller.name, datetime.now(UTC))
    return await _recorded(tx, caller, "match.confirm", found)


@router.post("/{model}/versions/{n}/matches/{match}/reject")
@allow("model.upload")
async def reject_match(tx: Tx, caller: Caller, model: UUID, n: int, match: UUID) -> MatchRow:
    """They are two things; a match in force is undone."""
    found = await _match(tx, model, n, match)
    await decisions.reject(tx, found, caller.name, datetime.now(UTC))
    return await _recorded(tx, caller, "match.reject", found)


@router.post("/{model}/versions/{n}/matches/{match}/correct")
@allow("model.upload")
async def correct_match(tx: Tx, caller: Caller, model: UUID, n: int, match: UUID, wanted: CorrectRequest) -> MatchRow:
    """The old element is another one than was thought."""
    found = await _match(tx, model, n, match)
    element_id = await places.resolve_element(tx, wanted.element, model=model)
    await decisions.correct(tx, found, element_id, caller.name, datetime.now(UTC))
    return await _recorded(tx, caller, "match.correct", found)


async def _match(tx: Tx, model: UUID, n: int, match: UUID) -> MatchRow:
    """Return a match that the caller may decide about: who does not see the whole version does not see it here."""
    await models.get_version(tx, model, n)
    return await decisions.get_match(tx, model, n, match)


async def _recorded(tx: Tx, caller: Caller, action: str, before: MatchRow) -> MatchRow:
    after = await decisions.get_match(tx, before.model_id, before.version, before.id)
    await audit.record(tx, caller, action, f"element:{before.old_id}", before=_about(before), after=_about(after))
    return after


def _about(match: MatchRow) -> dict[str, Any]:
    return {
        "match": str(match.id),
        "state": match.state,
        "old_global_id": match.old_global_id,
        "new_global_id": match.new_global_id,
    }
