"""The tasks beside reading and meshing, as the worker does them: IDS checks, enriched export, COBie.

Imported only in worker processes that are asked for one of them: ifctester and ifcfm take their time to import.
"""

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ifcopenshell

from ifc_models.check import Prepared
from ifc_models.opening import OpenedFile, open_model, read_or_explain
from ifc_models.protocol import Request

Report = Callable[[str, float], None]


def run(request: Request, prepared: Prepared, report: Report) -> dict[str, Any]:
    """Do the task; its files lie in `request.out` then. Raises TwinError."""
    work = {"ids": _ids, "enrich": _enrich, "cobie": _cobie}[request.task]
    report(request.task, 0.0)
    answer: dict[str, Any] = read_or_explain(
        open_model(prepared.path), prepared.path, lambda opened: work(request, prepared, opened, report)
    )
    return answer


def _ids(request: Request, prepared: Prepared, opened: OpenedFile, report: Report) -> dict[str, Any]:  # noqa: ARG001
    mimetypes.knownfiles.clear()  # urllib, which xmlschema reads schemas with, would open lists outside the sandbox
    from ifc_models.ids_check import check_ids
    from ifc_models.ids_result import write_result

    result = check_ids(Path(request.inputs["ids"]), opened.file, lambda done: report("ids", done))
    write_result(Path(request.out), result)
    return {"specifications": len(result.specifications)}


def _enrich(request: Request, prepared: Prepared, opened: OpenedFile, report: Report) -> dict[str, Any]:  # noqa: ARG001
    from ifc_models.enrich import enrich_file, load_enrichment

    what = load_enrichment(Path(request.inputs["enrichment"]))
    return enrich_file(prepared.path, opened.file, what, Path(request.out) / "enriched.ifc")


def _cobie(request: Request, prepared: Prepared, opened: OpenedFile, report: Report) -> dict[str, Any]:  # noqa: ARG001
    from ifc_models.cobie import write_cobie

    file: ifcopenshell.file = opened.file
    return write_cobie(file, Path(request.out), request.options["format"])
