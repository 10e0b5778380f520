"""From an IFC file to triangles: the mesh arrays of docs/architecture.md, and how each element got there.

A ladder of kernels, each answer checked (`mesh_ladder`). Products that share a body are meshed once (`mesh_plan`);
equal meshes of different bodies are found afterwards. Everything is keyed by STEP id, so that meshing and reading can
run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import ifcopenshell

from ifc_models.mesh_ladder import Clock, Ladder, MeshLimits, MeshResult
from ifc_models.mesh_plan import plan
from ifc_models.mesh_preview import Previews
from ifc_models.mesh_shapes import ShapeStore

__all__ = ["MeshLimits", "MeshResult", "mesh_model"]


def mesh_model(
    path: Path,
    file: ifcopenshell.file | None,
    out: Path,
    *,
    only: set[int] | None = None,
    unsafe: Mapping[int, str] | None = None,
    limits: MeshLimits | None = None,
    report: Callable[[int, int], None] | None = None,
    preview: Callable[[str], None] | None = None,
) -> MeshResult:
    """Mesh the products of the STEP file at `path` and write the arrays into `out`.

    `file` is the same file opened (opened here if None). `only` restricts it to these STEP ids; `unsafe` names
    products that no kernel may touch, with the reason. Writes the arrays of `ifc_models.extract.MeshArrays`, but
    `instance_step_id` (u32) instead of `instance_element`. `report(done, total)` counts products;
    `preview` is told the name of a folder in `out` whenever further storeys of a big model are meshed.
    """
    limits = limits or MeshLimits()
    clock = Clock()
    file = file if file is not None else ifcopenshell.open(str(path))
    clock.stage("open")
    wanted = plan(file, only)
    matrices = wanted.frames.matrices()
    clock.stage("plan")
    result = MeshResult()
    out.mkdir(parents=True, exist_ok=True)
    store = ShapeStore()
    previews = None
    if preview is not None and len(wanted.groups) > limits.preview_groups:
        previews = Previews(file, wanted, matrices, store, preview)
    ladder = Ladder(path, file, wanted, matrices, limits, dict(unsafe or {}), result, report or _silent, previews)
    meshes = ladder.climb(out, clock)
    if previews is not None:
        previews.add_rest(meshes)
    else:
        for group in wanted.groups:
            store.add_group(group, meshes, matrices)
    clock.stage("shapes")
    for step_id, note in store.coarsen(limits.element_triangles, limits.model_triangles):
        result.note[step_id] = note
    store.save(out)
    result.triangles = store.shown_triangles()
    clock.stage("write")
    result.seconds = clock.seconds
    return result


def _silent(_done: int, _total: int) -> None:
    """Report to nobody."""
