"""What a worker process does: `read` writes the extract, `mesh` the arrays, `check` judges the file.

Imported only in worker processes; it brings ifcopenshell and the kernels with it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ifclite_geom  # noqa: F401  imported early: a spare worker has it ready
import msgspec

from ifc_models import hazards, mesh_kept, mesh_reuse
from ifc_models.check import Prepared, prepare
from ifc_models.extract import Extract, write_extract
from ifc_models.findings import Findings
from ifc_models.mesh import MeshLimits, mesh_model
from ifc_models.opening import OpenedFile, open_model, read_or_explain
from ifc_models.protocol import MESH_RESULT, MeshedProducts, Request
from ifc_models.read import read_model


class Report(Protocol):
    """Says how far a stage is, 0…1, and where it counts something, how many of how many."""

    def __call__(self, stage: str, progress: float, counted: tuple[int, int] | None = None) -> None: ...


def run(request: Request, report: Report, preview: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Do what is asked; the answer for the parent. Raises TwinError for a file that cannot be used.

    `preview` is told the folders of storeys that are meshed before the rest.
    """
    if request.task == "turtle":
        from ifc_models import turtle  # no IFC at all, but a stranger's file like any other

        return turtle.run(request)
    if request.task == "sheet":
        from ifc_models import sheets

        return sheets.run(request)
    if request.task == "readings":
        from ifc_models import reading_table

        return reading_table.run(request)
    path, out = Path(request.path), Path(request.out)
    name = Path(request.file_name)
    report("checking", 0.0)
    started = time.perf_counter()
    prepared = prepare(path, out, max_bytes=request.limits.input_bytes)
    checked = time.perf_counter()
    report("opening", 0.0)
    if request.task == "mesh":
        return _mesh(prepared, out, request, report, preview if request.preview is not None else None)
    if request.task in ("ids", "enrich", "cobie"):
        from ifc_models import more_tasks  # their libraries take a second to import, and few files need them

        return more_tasks.run(request, prepared, report)
    extract: Extract = read_or_explain(
        open_model(prepared.path),
        prepared.path,
        lambda opened: _read(opened, prepared, name, path.stat().st_size, report, unsafe=request.task == "check"),
    )
    extract.seconds = {
        "check": checked - started,
        "open": time.perf_counter() - checked - extract.seconds["read"],
        **extract.seconds,
    }
    write_extract(out, extract)
    return {"elements": len(extract.elements)}


def _read(opened: OpenedFile, prepared: Prepared, name: Path, size: int, report: Report, *, unsafe: bool) -> Extract:
    report("reading", 0.0)
    extract = read_model(
        opened, prepared, name.name, size, lambda done, total: report("reading", done / total, (done, total))
    )
    if unsafe:
        add_unsafe(extract, hazards.unsafe_products(opened.file))
    report("reading", 1.0)
    return extract


def add_unsafe(extract: Extract, unsafe: dict[int, str]) -> None:
    """Mark elements whose geometry no kernel may touch, and say so in a finding."""
    found = Findings()
    for element in extract.elements:
        if element.unsafe is None and element.step_id in unsafe:
            element.unsafe = unsafe[element.step_id]
            found.add("ifc.unsafe_geometry", element.global_id)
    extract.warnings.extend(found.list())


def _mesh(
    prepared: Prepared, out: Path, request: Request, report: Report, preview: Callable[[str], None] | None
) -> dict[str, Any]:
    started = time.perf_counter()
    opened = open_model(prepared.path)
    unsafe = {**hazards.unsafe_products(opened.file), **dict(request.unsafe)}
    ready = time.perf_counter()
    report("meshing", 0.0)
    reuse = _reuse(prepared, opened, request) if request.only is None else None
    compared = time.perf_counter()
    result = mesh_model(
        prepared.path,
        opened.file,
        out,
        only=set(request.only) if request.only is not None else reuse.changed.products if reuse is not None else None,
        unsafe=unsafe,
        limits=MeshLimits(
            seconds=request.mesh_seconds,
            exact_seconds=request.limits.exact_seconds,
            preview_groups=request.preview or 0,
        ),
        report=lambda done, total: report("meshing", done / total if total else 1.0, (done, total)),
        preview=preview,
    )
    total = len(result.rung)
    if reuse is not None:
        rung, note = mesh_reuse.join(out, reuse.kept, reuse.changed, reuse.products)
        result.rung, result.note = {**rung, **result.rung}, {**note, **result.note}
    seconds = {
        "mesh_hazards": ready - started,
        "mesh_compare": compared - ready,
        **{f"mesh_{k}": v for k, v in result.seconds.items()},
    }
    meshed = MeshedProducts(result.rung, result.note, unsafe, seconds, result.triangles)
    (out / MESH_RESULT).write_bytes(msgspec.msgpack.encode(meshed))
    return {"products": len(result.rung), "meshed": total}


@dataclass(frozen=True, slots=True)
class _Reuse:
    kept: mesh_kept.Kept
    changed: mesh_reuse.Changed
    products: set[int]


def _reuse(prepared: Prepared, opened: OpenedFile, request: Request) -> _Reuse | None:
    """What need not be meshed again; None where there is no earlier version, or too little of it is left."""
    before, meshes = request.inputs.get(mesh_kept.BEFORE_FILE), request.inputs.get(mesh_kept.BEFORE_MESHES)
    if before is None or meshes is None:
        return None
    try:
        changed = mesh_reuse.changed_products(prepared.path, opened.file, Path(before))
        kept = mesh_kept.load_meshes(Path(meshes))
    except (mesh_reuse.TooMuch, OSError, ValueError):
        return None
    return _Reuse(kept, changed, {product.id() for product in opened.file.by_type("IfcProduct")})
