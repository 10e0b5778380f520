"""Checks of model versions as the database has them: our own findings, or an IDS document with all its elements."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from ifc_models.ids_result import Facet, Failure, IdsResult, SpecificationResult, facet_text, reason_text
from ifc_models.text import to_json
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import NotFound
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One check. `status` null: not done; its job says how far it is or why it failed."""

    id: UUID
    model_id: UUID
    model: str
    version: int
    building_id: UUID
    kind: str  # model | ids
    file_name: str | None
    title: str | None
    job_id: UUID | None
    state: str | None  # of the job
    status: str | None  # pass | fail
    summary: dict[str, Any]
    created_by: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequirementView:
    """A requirement in words, and how many elements meet it."""

    kind: str
    text: str
    instructions: str | None
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class SpecificationView:
    """A specification of an IDS document and what came of it."""

    n: int
    name: str
    identifier: str | None
    description: str | None
    instructions: str | None
    usage: str  # required | optional | prohibited
    status: str  # pass | fail
    other_schema: bool  # it is written for other IFC versions; checked all the same
    applicable: int
    passed: int
    failed: int
    applicability: list[str]
    requirements: list[RequirementView]


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A check with its findings (kind model) or its specifications (kind ids)."""

    run: CheckRun
    findings: list[dict[str, Any]]
    specifications: list[SpecificationView]


@dataclass(frozen=True, slots=True)
class FailureView:
    """Why an element fails; `requirement` is the requirement's place, -1: it should not be there at all."""

    requirement: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ElementOutcome:
    """An element that a specification is about."""

    specification: int
    element_id: UUID | None
    global_id: str | None
    ifc_class: str
    name: str | None
    storey: str | None
    bbox: list[float] | None  # min x y z, max x y z; m
    passed: bool
    failures: list[FailureView]


_RUN: Final = """
    SELECT r.id, r.model_id, m.name AS model, r.version, r.building_id, r.kind, r.file_name, r.title, r.job_id,
           j.state, r.status, r.summary, r.created_by, r.created_at, r.finished_at
    FROM check_run r JOIN model m ON m.id = r.model_id LEFT JOIN job j ON j.id = r.job_id
"""


async def create_run(
    conn: Conn,
    *,
    model_id: UUID,
    version: int,
    building_id: UUID,
    ids: tuple[str, str] | None,
    actor_name: str,
) -> UUID:
    """A check to be done; `ids` is (blob hash, file name) of a document, None: our own rules."""
    found = await row(
        conn,
        """INSERT INTO check_run (model_id, version, building_id, kind, ids_hash, file_name, created_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (
            model_id,
            version,
            building_id,
            "ids" if ids else "model",
            ids[0] if ids else None,
            ids[1] if ids else None,
            actor_name,
        ),
    )
    assert found is not None
    return UUID(str(found["id"]))


async def list_runs(conn: Conn, model_id: UUID, *, limit: int = 100, cursor: str | None = None) -> Page[CheckRun]:
    """The checks of a model, newest first."""
    after = decode_cursor(cursor, 2) or [None, None]
    found = await objects(
        conn,
        CheckRun,
        _RUN
        + """ WHERE r.model_id = %(model)s
              AND (%(at)s::timestamptz IS NULL OR (r.created_at, r.id) < (%(at)s::timestamptz, %(id)s::uuid))
              ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s""",
        {"model": model_id, "at": after[0], "id": after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda run: (run.created_at, run.id))


async def get_run(conn: Conn, run_id: UUID) -> CheckRun:
    """One check. Raises NotFound."""
    found = await object_or_none(conn, CheckRun, _RUN + " WHERE r.id = %s", (run_id,))
    if found is None:
        raise NotFound("check.unknown", check=str(run_id))
    return found


async def get_detail(conn: Conn, run_id: UUID, language: str) -> CheckDetail:
    """One check with findings or specifications, in `en` or `zh`. Raises NotFound."""
    run = await get_run(conn, run_id)
    found = await row(conn, "SELECT findings FROM check_run WHERE id = %s", (run_id,))
    specifications = await rows(
        conn,
        """SELECT n, name, status, applicable, passed, failed, body FROM check_specification
           WHERE run_id = %s ORDER BY n""",
        (run_id,),
    )
    return CheckDetail(run, found["findings"] if found else [], [_view(each, language) for each in specifications])


class _Body(msgspec.Struct):
    """What of a specification has no column."""

    usage: str
    applicability: list[Facet]
    requirements: list[Facet]
    identifier: str | None = None
    description: str | None = None
    instructions: str | None = None
    other_schema: bool = False


def _view(found: Mapping[str, Any], language: str) -> SpecificationView:
    body = msgspec.convert(found["body"], _Body)
    return SpecificationView(
        n=found["n"],
        name=found["name"],
        identifier=body.identifier,
        description=body.description,
        instructions=body.instructions,
        usage=body.usage,
        status=found["status"],
        other_schema=body.other_schema,
        applicable=found["applicable"],
        passed=found["passed"],
        failed=found["failed"],
        applicability=[facet_text(each, language) for each in body.applicability],
        requirements=[
            RequirementView(each.kind, facet_text(each, language), each.instructions, each.passed, each.failed)
            for each in body.requirements
        ],
    )


_ELEMENTS: Final = """
    SELECT c.n, c.place, c.element_id, coalesce(e.global_id, c.global_id) AS global_id, c.ifc_class, c.name,
           s.name AS storey, e.bbox, c.failures
    FROM check_element c LEFT JOIN element e ON e.id = c.element_id LEFT JOIN storey s ON s.id = e.storey_id
    WHERE c.run_id = %(run)s AND (%(n)s::int IS NULL OR c.n = %(n)s)
      AND (%(failed)s::bool IS NULL OR (c.failures <> '[]') = %(failed)s)
      AND (%(after_n)s::int IS NULL OR (c.n, c.place) > (%(after_n)s::int, %(after_place)s::int))
    ORDER BY c.n, c.place LIMIT %(limit)s
"""


async def list_elements(
    conn: Conn,
    run_id: UUID,
    language: str,
    *,
    specification: int | None = None,
    failed: bool | None = True,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[ElementOutcome]:
    """Elements that the specifications are about, in document and file order; `failed` None: all. Raises NotFound."""
    await get_run(conn, run_id)
    after = decode_cursor(cursor, 2) or [None, None]
    params = {
        "run": run_id,
        "n": specification,
        "failed": failed,
        "after_n": after[0],
        "after_place": after[1],
        "limit": limit + 1,
    }
    found = await rows(conn, _ELEMENTS, params)
    bodies = await _bodies(conn, run_id, {each["n"] for each in found})
    page = page_of(found, limit, lambda each: (each["n"], each["place"]))
    return Page([_outcome(each, bodies[each["n"]], language) for each in page.items], page.next)


async def _bodies(conn: Conn, run_id: UUID, numbers: set[int]) -> dict[int, _Body]:
    found = await rows(
        conn, "SELECT n, body FROM check_specification WHERE run_id = %s AND n = ANY (%s)", (run_id, list(numbers))
    )
    return {each["n"]: msgspec.convert(each["body"], _Body) for each in found}


def _outcome(found: Mapping[str, Any], body: _Body, language: str) -> ElementOutcome:
    failures = [msgspec.convert(each, Failure) for each in found["failures"]]
    return ElementOutcome(
        specification=found["n"],
        element_id=found["element_id"],
        global_id=found["global_id"],
        ifc_class=found["ifc_class"],
        name=found["name"],
        storey=found["storey"],
        bbox=found["bbox"],
        passed=not failures,
        failures=[_failure(each, body, language) for each in failures],
    )


def _failure(failure: Failure, body: _Body, language: str) -> FailureView:
    if not 0 <= failure.requirement < len(body.requirements):
        return FailureView(-1, "", reason_text(Facet("entity", {}), failure, language))
    facet = body.requirements[failure.requirement]
    return FailureView(failure.requirement, facet_text(facet, language), reason_text(facet, failure, language))


async def every_failure(conn: Conn, run_id: UUID, language: str) -> AsyncIterator[ElementOutcome]:
    """All failing elements of a check, page by page."""
    cursor: str | None = None
    while True:
        page = await list_elements(conn, run_id, language, limit=1000, cursor=cursor)
        for each in page.items:
            yield each
        if page.next is None:
            return
        cursor = page.next


# --- what the job writes -----------------------------------------------------------------------------------------


async def finish_findings(conn: Conn, run_id: UUID, findings: list[dict[str, Any]]) -> None:
    """Store the findings of our own rules. It passes where nothing is an error."""
    counts = {level: sum(each["severity"] == level for each in findings) for level in ("error", "warning", "info")}
    await conn.execute(
        "UPDATE check_run SET findings = %s, summary = %s, status = %s, finished_at = now() WHERE id = %s",
        (Jsonb(findings), Jsonb(counts), "fail" if counts["error"] else "pass", run_id),
    )


async def finish_ids(conn: Conn, run_id: UUID, result: IdsResult) -> None:
    """Store what came of an IDS document; what a run before this one wrote is replaced."""
    run = await get_run(conn, run_id)
    await conn.execute("DELETE FROM check_specification WHERE run_id = %s", (run_id,))
    for n, specification in enumerate(result.specifications):
        await _insert_specification(conn, run_id, n, specification)
    known = await rows(
        conn,
        """SELECT id, global_id, occurrence FROM element
           WHERE model_id = %s AND first_version <= %s AND last_version >= %s""",
        (run.model_id, run.version, run.version),
    )
    ids = {(each["global_id"], each["occurrence"]): each["id"] for each in known}
    async with conn.cursor() as cursor:
        statement = """COPY check_element (run_id, n, place, element_id, global_id, ifc_class, name, failures)
                       FROM STDIN"""
        async with cursor.copy(statement) as copy:
            for n, specification in enumerate(result.specifications):
                for place, each in enumerate(specification.outcomes):
                    element = ids.get((each.global_id or "", each.occurrence))
                    failures = to_json([msgspec.to_builtins(failure) for failure in each.failures]).decode()
                    await copy.write_row(
                        (run_id, n, place, element, each.global_id, each.ifc_class, each.name, failures)
                    )
    failed = sum(each.status == "fail" for each in result.specifications)
    summary = {"specifications": len(result.specifications), "failed": failed, "info": result.info}
    await conn.execute(
        "UPDATE check_run SET title = %s, summary = %s, status = %s, finished_at = now() WHERE id = %s",
        (result.info.get("title"), Jsonb(summary), "fail" if failed else "pass", run_id),
    )


async def _insert_specification(conn: Conn, run_id: UUID, n: int, each: SpecificationResult) -> None:
    body = _Body(
        each.usage,
        each.applicability,
        each.requirements,
        each.identifier,
        each.description,
        each.instructions,
        each.other_schema,
    )
    await conn.execute(
        """INSERT INTO check_specification (run_id, n, name, status, applicable, passed, failed, body)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            run_id,
            n,
            each.name or str(n + 1),
            each.status,
            each.applicable,
            each.passed,
            each.failed,
            Jsonb(msgspec.to_builtins(body)),
        ),
    )
