"""What server and worker say to each other: one JSON request on the worker's stdin, JSON lines back on its stdout."""

from typing import Any, Final, Literal

import msgspec

from ifc_models.sandbox import WorkerLimits

MESH_RESULT: Final = "mesh.msgpack"

Task = Literal["read", "mesh", "check", "ids", "enrich", "cobie", "turtle", "sheet", "readings"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One task on one file. `only` and `unsafe` are STEP ids."""

    task: Task
    path: str
    file_name: str
    out: str
    limits: WorkerLimits
    mesh_seconds: float = 600.0
    only: list[int] | None = None
    unsafe: list[tuple[int, str]] = []
    preview: int | None = None  # different bodies from which on storeys are handed over before all is meshed
    inputs: dict[str, str] = {}  # further files that the task reads, by what they are
    options: dict[str, Any] = {}


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """The file cannot be used: a TwinError's parts."""

    family: str
    code: str
    where: str | None = None
    params: dict[str, Any] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line from the worker: ready, progress of a stage (0…1), done, or failed.

    `counted`: how many of how many, where the stage counts something. `peak_bytes`: resident memory at its highest, of
    the process or of a child, by the kernel's account. `preview`: a folder with the meshes of whole storeys.
    """

    ready: bool = False
    stage: str | None = None
    progress: float = 0.0
    counted: tuple[int, int] | None = None
    peak_bytes: int = 0
    preview: str | None = None
    fences: dict[str, bool] | None = None
    done: dict[str, Any] | None = None
    failed: Failed | None = None


class MeshedProducts(msgspec.Struct, frozen=True):
    """How the mesher fared, by STEP id (`ifc_models.mesh.MeshResult` as a file)."""

    rung: dict[int, str]
    note: dict[int, str]
    unsafe: dict[int, str]
    seconds: dict[str, float]
    triangles: int
