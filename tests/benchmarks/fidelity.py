"""P2: every element of every public model against ifcopenshell's OpenCASCADE kernel.

`python -m tests.benchmarks.fidelity [--quick] [FILE…]`. For each element that OpenCASCADE can mesh: is it there, is its
bounding box within 5 mm, its surface area within 1 %. What is not is put into a category by evidence that is computed
here (`explain`), and printed with the element's number. OpenCASCADE runs in a child of its own, for at most `SECONDS` a
model; of a model that it cannot finish, the elements it came to are compared.
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.geom
import numpy as np
from numpy.typing import NDArray

from ifc_models import hazards
from ifc_models.check import prepare
from ifc_models.mesh import MeshLimits, MeshResult, mesh_model
from ifc_models.mesh_child import ChildFailed, stream_from_child
from ifc_models.mesh_plan import body_representations
from tests.benchmarks.figures import figure
from twin.errors import TwinError

SHARED = Path(__file__).parents[3] / "shared" / "ifc"
QUICK = ["arch/AC20-FZK-Haus.ifc", "arch/KIT-EDC_with_SB.ifc", "mep/Duplex_Electrical_20121207.ifc"]
SECONDS = 90.0  # of OpenCASCADE, per model
BOX = 0.005  # m
AREA = 0.01
MOST = 2000  # elements compared per model

Floats = NDArray[np.float64]
Faces = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """A mesh in the world, m. `openings`: whether cutting them was tried and worked."""

    vertices: Floats
    faces: Faces

    def area(self) -> float:
        a, b, c = self._corners()
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    def volume(self) -> float:
        """Right for a closed surface that faces outwards."""
        a, b, c = self._corners()
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)

    def box(self) -> Floats:
        used = self.vertices[np.unique(self.faces)]
        return np.array([used.min(axis=0), used.max(axis=0)])

    def doubled(self) -> float:
        """The share of its area that lies in triangles which are there twice or more."""
        a, b, c = self._corners()
        areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        keys = np.sort(
            np.rint(np.stack([a, b, c], axis=1) * 2e3).astype(np.int64).view("i8,i8,i8").reshape(-1, 3), axis=1
        )
        _, first = np.unique(keys, axis=0, return_index=True)
        return 1 - float(areas[first].sum()) / max(float(areas.sum()), 1e-12)

    def open_edges(self) -> float:
        """The share of edges that do not belong to exactly two triangles: 0 for a closed body."""
        _, point = np.unique(np.rint(self.vertices * 2e4).astype(np.int64), axis=0, return_inverse=True)
        corner = point.reshape(-1)[self.faces]
        edges = np.sort(np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [2, 0]]]), axis=1)
        edges = edges[edges[:, 0] != edges[:, 1]]
        _, count = np.unique(edges, axis=0, return_counts=True)
        return float((count % 2 == 1).mean()) if len(count) else 1.0

    def _corners(self) -> tuple[Floats, Floats, Floats]:
        local = self.vertices - self.vertices.mean(axis=0)  # far from the origin, products cancel
        return local[self.faces[:, 0]], local[self.faces[:, 1]], local[self.faces[:, 2]]


@dataclass(slots=True)
class Outcome:
    """What came of one model."""

    name: str
    products: int = 0
    compared: int = 0
    box_off: int = 0
    area_off: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    rungs: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


def ours(folder: Path) -> dict[int, Shape]:
    """Every instance of a mesh folder in the world, by STEP id."""
    array = {p.stem: np.load(p) for p in folder.glob("*.npy")}
    v, t = array["shape_vertices"].astype(int), array["shape_triangles"].astype(int)
    found: dict[int, Shape] = {}
    rows = zip(array["instance_step_id"].tolist(), array["instance_shape"], array["instance_matrix"], strict=True)
    for step_id, s, m in rows:
        local = array["positions"][v[s] : v[s + 1]].astype(float)
        found[step_id] = Shape(local @ m[:3, :3].T + m[:3, 3], array["triangles"][t[s] : t[s + 1]].astype(np.int64))
    return found


def open_cascade(file: ifcopenshell.file, ids: list[int]) -> Iterator[tuple[int, Shape | None, Shape | None]]:
    """(STEP id, shape, shape without openings where there is none with them) of each."""
    left = list(ids)
    end = time.monotonic() + SECONDS
    while left and time.monotonic() < end:
        try:
            stream = stream_from_child(partial(_work, file, list(left)), seconds=end - time.monotonic(), patience=30)
            for answer in stream:
                left.remove(answer[0])
                yield answer
        except ChildFailed:
            left.pop(0)


def _work(file: ifcopenshell.file, ids: list[int]) -> Iterator[tuple[int, Shape | None, Shape | None]]:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the kernel prints what it thinks
    settings, uncut = _settings(), _settings(uncut=True)
    for step_id in ids:
        entity = file.by_id(step_id)
        shape = _create(settings, entity)
        yield step_id, shape, _create(uncut, entity) if shape is None else None


def _settings(*, uncut: bool = False) -> Any:
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    settings.set("weld-vertices", True)
    settings.set("disable-opening-subtractions", uncut)
    return settings


def _create(settings: Any, entity: ifcopenshell.entity_instance) -> Shape | None:
    try:
        geometry = ifcopenshell.geom.create_shape(settings, entity).geometry
    except Exception:
        return None
    faces = np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3).astype(np.int64)
    if not len(faces):
        return None
    return Shape(np.frombuffer(geometry.verts_buffer).reshape(-1, 3).copy(), faces)


CURVED = ("IfcCircle", "IfcEllipse", "IfcRevolvedAreaSolid", "IfcSweptDiskSolid", "IfcBSpline", "IfcCylindricalSurface",
          "IfcSurfaceOfRevolution", "IfcRightCircular", "IfcSphere", "IfcTrimmedCurve", "IfcClothoid", "IfcArcIndex",
          "IfcToroidalSurface", "IfcCompositeCurve")  # fmt: skip


def explain(file: ifcopenshell.file, step_id: int, mine: Shape, theirs: Shape) -> str:
    """The category of a difference, by evidence."""
    doubled, their_doubled = mine.doubled(), theirs.doubled()
    if their_doubled > doubled + 0.005:
        return "OpenCASCADE shows faces twice"
    if doubled > their_doubled + 0.005:
        return "we show faces twice"
    mine_v, theirs_v = mine.volume(), theirs.volume()
    if abs(mine_v - theirs_v) < 1e-3 * abs(theirs_v):
        more = "OpenCASCADE" if theirs.area() > mine.area() else "we"
        return f"equal volume, {more} show{'s' if more != 'we' else ''} a sheet inside"
    closed, their_closed = mine.open_edges() < 0.001, theirs.open_edges() < 0.001
    if closed and not their_closed:
        return "OpenCASCADE's body is open, ours closed"
    entity = file.by_id(step_id)
    below = {e.is_a() for r in body_representations(entity) for e in file.traverse(r)}
    if any(name.startswith(CURVED) for name in below):
        return "curved: other segments"
    if any(name.startswith("IfcBoolean") for name in below):
        return "boolean of the file"
    return "openings" if entity.is_a("IfcElement") and entity.HasOpenings else "other"


def compare(path: Path) -> Outcome | None:
    """One model, None where it cannot be read."""
    outcome = Outcome(path.name)
    with tempfile.TemporaryDirectory() as folder:
        try:
            readable = prepare(path, Path(folder), max_bytes=1 << 32).path
        except TwinError as error:
            print(f"# {path.name}: refused, {error.code}", flush=True)
            return None
        file = ifcopenshell.open(str(readable))
        unsafe = hazards.unsafe_products(file)
        limits = MeshLimits(element_triangles=1 << 40, model_triangles=1 << 40)
        result = mesh_model(readable, file, Path(folder) / "mesh", unsafe=unsafe, limits=limits)
        _compare(file, result, ours(Path(folder) / "mesh"), outcome)
    return outcome


def _compare(file: ifcopenshell.file, result: MeshResult, found: dict[int, Shape], outcome: Outcome) -> None:
    outcome.products, outcome.rungs = len(result.rung), Counter(result.rung.values())
    ids = sorted(result.rung)
    random.Random(1).shuffle(ids)  # where time ends first, what was compared is a fair sample
    ids = ids[:MOST]
    for step_id, theirs, uncut in open_cascade(file, ids):
        outcome.compared += 1
        mine = found.get(step_id)
        name = f"{outcome.name} #{step_id} {file.by_id(step_id).is_a()}"
        if theirs is None or mine is None:
            if mine is None:
                there = "not even OpenCASCADE has it" if theirs is None else "OpenCASCADE HAS IT"
                reason = result.note.get(step_id, "")[:60]
                outcome.lost[f"{reason}; {there}{'' if uncut is None else ', but without openings'}"] += 1
            continue
        off = float(np.abs(mine.box() - theirs.box()).max())
        ratio = mine.area() / max(theirs.area(), 1e-12)
        if off < BOX and abs(ratio - 1) < AREA:
            continue
        why = explain(file, step_id, mine, theirs)
        outcome.box_off += off >= BOX
        outcome.area_off += abs(ratio - 1) >= AREA
        outcome.why[f"{'box' if off >= BOX else 'area'}: {why}"] += 1
        outcome.lines.append(
            f"{name} {result.rung[step_id]}: box off {off:.4f} m, area × {ratio:.4f}, volume {mine.volume():.4g} "
            f"against {theirs.volume():.4g} m3, open {mine.open_edges():.3f} against {theirs.open_edges():.3f}: {why}"
        )


def main(arguments: list[str]) -> None:
    """Print a line per model and per exception, then the figures."""
    quick = "--quick" in arguments
    names = [a for a in arguments if not a.startswith("--")]
    files = [Path(n) for n in names] or [SHARED / n for n in QUICK] if quick or names else sorted(SHARED.rglob("*.ifc"))
    total = Outcome("all")
    for path in files:
        outcome = compare(path)
        if outcome is None:
            continue
        for line in outcome.lines:
            print(f"#   {line}", flush=True)
        print(
            f"# {outcome.name}: {outcome.products} products {dict(outcome.rungs)}, {outcome.compared} compared, "
            f"box off {outcome.box_off}, area off {outcome.area_off} {dict(outcome.why)}, lost {dict(outcome.lost)}",
            flush=True,
        )
        total.compared += outcome.compared
        total.box_off += outcome.box_off
        total.area_off += outcome.area_off
        total.why.update(outcome.why)
        total.lost.update(outcome.lost)
    for why, count in sorted({**total.why, **total.lost}.items()):
        print(f"# {count} × {why}", flush=True)
    figure("P2.compared", total.compared, "elements", baseline="OpenCASCADE")
    figure("P2.lost", sum(n for why, n in total.lost.items() if "HAS IT" in why), "elements")
    figure("P2.box_off_5mm", total.box_off, "elements")
    figure("P2.area_off_1_percent", total.area_off / max(total.compared, 1), "of the elements")


if __name__ == "__main__":
    main(sys.argv[1:])
