"""Meshes of real files against ifcopenshell's OpenCASCADE kernel, and what happens where a kernel fails."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.geom
import numpy as np
import pytest
from numpy.typing import NDArray

from ifc_models.mesh import MeshLimits, MeshResult, mesh_model
from ifc_models.mesh_child import ChildFailed, in_child, stream_from_child
from ifc_models.mesh_plan import body_representations
from ifc_models.mesh_rungs import Mesh, exact
from ifc_models.mesh_shapes import clustered
from ifc_models.units import Units
from tests.conftest import SHARED

IFC = SHARED / "ifc"
REAL = ["arch/OpenSmartHome_04_Flat.ifc", "mep/3rooms_Heater_AirTerminal_with_SB.ifc", "arch/KIT-EDC_with_SB.ifc"]
SLOW = ["arch/Duplex_A_20110907.ifc", "struct/HHS_Office_construction.ifc"]


@dataclass(frozen=True)
class Meshed:
    """The arrays of a mesh folder, put together per product in world metres."""

    result: MeshResult
    folder: Path

    def array(self, name: str) -> NDArray[Any]:
        loaded: NDArray[Any] = np.load(self.folder / f"{name}.npy")
        return loaded

    def products(self) -> Iterator[tuple[int, NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """STEP id, (n, 3) world vertices, (m, 3) triangles, (m, 4) RGBA."""
        positions, triangles = self.array("positions"), self.array("triangles")
        v, t = self.array("shape_vertices").astype(int), self.array("shape_triangles").astype(int)
        colours = self.array("materials")[self.array("triangle_material")]
        rows = zip(
            self.array("instance_step_id").tolist(),
            self.array("instance_shape").tolist(),
            self.array("instance_matrix"),
            strict=True,
        )
        for step_id, s, m in rows:
            local = positions[v[s] : v[s + 1]].astype(float)
            yield step_id, local @ m[:3, :3].T + m[:3, 3], triangles[t[s] : t[s + 1]], colours[t[s] : t[s + 1]]


@pytest.fixture(scope="session")
def meshed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Meshed]:
    @cache
    def run(name: str) -> Meshed:
        folder = tmp_path_factory.mktemp("mesh")
        return Meshed(mesh_model(IFC / name, None, folder), folder)

    return run


def area(vertices: NDArray[Any], triangles: NDArray[Any]) -> float:
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def open_cascade(path: Path) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    settings.set("weld-vertices", True)
    file = ifcopenshell.open(str(path))
    for entity in file.by_type("IfcProduct"):
        if entity.is_a("IfcFeatureElementSubtraction") or not body_representations(entity):
            continue
        geometry = ifcopenshell.geom.create_shape(settings, entity).geometry
        vertices = np.frombuffer(geometry.verts_buffer).reshape(-1, 3)
        yield entity.id(), vertices, np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3)


@pytest.mark.parametrize("name", REAL + SLOW)
def test_every_element_has_the_box_and_the_area_that_opencascade_gives_it(
    meshed: Callable[[str], Meshed], name: str
) -> None:
    found = {step_id: (vertices, triangles) for step_id, vertices, triangles, _ in meshed(name).products()}
    areas = []
    for step_id, vertices, triangles in open_cascade(IFC / name):
        if not len(triangles):
            continue
        own, own_triangles = found[step_id]
        used = own[np.unique(own_triangles)]
        assert np.abs(used.min(axis=0) - vertices.min(axis=0)).max() < 0.005, step_id
        assert np.abs(used.max(axis=0) - vertices.max(axis=0)).max() < 0.005, step_id
        areas.append(abs(area(own, own_triangles) / area(vertices, triangles) - 1))
    assert np.mean(np.array(areas) < 0.01) >= 0.99


@pytest.mark.parametrize("name", REAL + SLOW)
def test_every_product_with_a_body_has_a_rung(meshed: Callable[[str], Meshed], name: str) -> None:
    file = ifcopenshell.open(str(IFC / name))
    wanted = {
        e.id()
        for e in file.by_type("IfcProduct")
        if not e.is_a("IfcFeatureElementSubtraction") and body_representations(e)
    }
    assert set(meshed(name).result.rung) == wanted
    assert set(meshed(name).result.rung.values()) <= {"ifclite", "manifold"}


def test_glass_is_glass_and_frames_are_not(meshed: Callable[[str], Meshed]) -> None:
    model = meshed("arch/AC20-FZK-Haus.ifc")
    file = ifcopenshell.open(str(IFC / "arch/AC20-FZK-Haus.ifc"))
    windows = {e.id() for e in file.by_type("IfcWindow")}
    alphas = {step_id: set(colours[:, 3].tolist()) for step_id, _, _, colours in model.products()}
    assert windows
    for window in windows:
        assert 255 in alphas[window]
        assert min(alphas[window]) < 255


def test_equal_windows_share_one_shape(meshed: Callable[[str], Meshed]) -> None:
    model = meshed("arch/AC11-Institute-Var-2.ifc")
    assert len(model.array("instance_shape")) == 782
    assert len(model.array("shape_triangles")) - 1 < 120


def test_products_without_a_body_are_not_lost_but_absent(meshed: Callable[[str], Meshed]) -> None:
    file = ifcopenshell.open(str(IFC / "arch/AC20-FZK-Haus.ifc"))
    annotations = {e.id() for e in file.by_type("IfcAnnotation")}
    assert annotations
    assert annotations.isdisjoint(meshed("arch/AC20-FZK-Haus.ifc").result.rung)


def test_what_its_openings_take_away_is_named_and_not_shown(meshed: Callable[[str], Meshed]) -> None:
    result = meshed("arch/IFC-houten_kozijnen_archicad.ifc").result
    lost = [step_id for step_id, rung in result.rung.items() if rung == "lost"]
    assert len(lost) == 64
    assert {result.note[step_id] for step_id in lost} == {"its openings take all of its body"}


def test_a_model_far_from_the_origin_keeps_its_millimetres(tmp_path: Path) -> None:
    file = ifcopenshell.open(str(IFC / "arch/OpenSmartHome_04_Flat.ifc"))
    site = file.by_type("IfcSite")[0]
    placement = site.ObjectPlacement.RelativePlacement
    old = site.ObjectPlacement
    scale = Units(file).length_scale
    near = tmp_path / "near.ifc"
    file.write(str(near))
    moved_by = np.array([3_456_789.0, 5_432_109.0, 0.0])
    there = np.array(placement.Location.Coordinates) + moved_by / scale
    # New entities: exporters share one origin between many placements.
    axes = file.create_entity("IfcAxis2Placement3D", file.create_entity("IfcCartesianPoint", there.tolist()))
    axes.Axis, axes.RefDirection = placement.Axis, placement.RefDirection
    site.ObjectPlacement = file.create_entity("IfcLocalPlacement", None, axes)
    for child in file.by_type("IfcLocalPlacement"):
        if child.PlacementRelTo == old:
            child.PlacementRelTo = site.ObjectPlacement
    far = tmp_path / "far.ifc"
    file.write(str(far))
    for name in ("near", "far"):
        mesh_model(tmp_path / f"{name}.ifc", None, tmp_path / name)
    a, b = (np.load(tmp_path / n / "positions.npy") for n in ("near", "far"))
    assert np.abs(a - b).max() < 1e-4
    moved = np.load(tmp_path / "far/instance_matrix.npy") - np.load(tmp_path / "near/instance_matrix.npy")
    assert np.abs(moved[:, :3, 3] - moved_by).max() < 1e-3


def test_an_element_that_no_kernel_may_touch_gets_a_box_with_the_reason(tmp_path: Path) -> None:
    path = IFC / "arch/OpenSmartHome_04_Flat.ifc"
    file = ifcopenshell.open(str(path))
    wall = file.by_type("IfcWall")[0].id()
    result = mesh_model(path, file, tmp_path, only={wall}, unsafe={wall: "its placement is relative to itself"})
    assert result.rung == {wall: "box"}
    assert "relative to itself" in result.note[wall]


def test_the_box_of_an_extruded_wall_is_its_bounding_box(tmp_path: Path) -> None:
    path = IFC / "arch/OpenSmartHome_04_Flat.ifc"
    file = ifcopenshell.open(str(path))
    wall = file.by_type("IfcWall")[0].id()
    boxes = []
    reasons: dict[str, dict[int, str]] = {"mesh": {}, "box": {wall: "to see"}}
    for folder, unsafe in reasons.items():
        result = mesh_model(path, file, tmp_path / folder, only={wall}, unsafe=unsafe)
        ((_, vertices, triangles, _),) = Meshed(result, tmp_path / folder).products()
        boxes.append((vertices.min(axis=0), vertices.max(axis=0)))
        assert triangles.max() < len(vertices)
    assert np.abs(np.array(boxes[0]) - np.array(boxes[1])).max() < 0.005


def test_a_model_above_its_limit_is_coarsened_and_says_so(tmp_path: Path) -> None:
    path = IFC / "mep/hvac_heating_luartx.ifc"
    result = mesh_model(path, None, tmp_path, limits=MeshLimits(model_triangles=20_000))
    assert result.triangles <= 20_000
    assert any(note.startswith("coarsened from") for note in result.note.values())
    assert set(result.rung.values()) == {"ifclite"}


def test_coarsening_keeps_the_bounding_box() -> None:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    positions = np.concatenate([ring, ring + np.array([0, 0, 1])]).astype(np.float32)
    i = np.arange(400)
    j = (i + 1) % 400
    faces = np.concatenate([np.stack([i, j, j + 400], 1), np.stack([i, j + 400, i + 400], 1)]).astype(np.uint32)
    coarse, triangles, materials = clustered(positions, faces, np.zeros(800, np.uint16), 100)
    assert 12 <= len(triangles) <= 100
    assert len(materials) == len(triangles)
    used = coarse[np.unique(triangles)]
    assert np.allclose(used.min(axis=0), positions.min(axis=0))
    assert np.allclose(used.max(axis=0), positions.max(axis=0))
    for goal in (1, 12):  # too little for a ring: its box, and nothing flat
        coarse, triangles, _ = clustered(positions, faces, np.zeros(800, np.uint16), goal)
        assert 4 <= len(triangles) <= 12
        assert np.allclose(np.ptp(coarse[np.unique(triangles)], axis=0), np.ptp(positions, axis=0))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_child_that_crashes_is_named_and_hurts_nobody() -> None:
    with pytest.raises(ChildFailed, match="crashed"):
        in_child(_die, seconds=10)


def test_a_child_that_hangs_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(ChildFailed, match="too long"):
        in_child(time.sleep, 60, seconds=0.2)
    assert time.monotonic() - started < 10


def test_what_a_child_said_before_it_crashed_is_kept() -> None:
    def answers() -> Iterator[int]:
        yield 1
        yield 2
        _die()

    got: list[int] = []
    with pytest.raises(ChildFailed):
        got.extend(stream_from_child(answers, seconds=10))
    assert got == [1, 2]


def test_the_exact_kernel_sends_shared_geometry_once_and_agrees_with_the_fast_one(
    meshed: Callable[[str], Meshed],
) -> None:
    path = IFC / "arch/Duplex_A_20110907.ifc"
    file = ifcopenshell.open(str(path))
    boxes = {
        step_id: np.array([v[np.unique(t)].min(axis=0), v[np.unique(t)].max(axis=0)])
        for step_id, v, t, _ in meshed("arch/Duplex_A_20110907.ifc").products()
    }
    doors = [door.id() for door in file.by_type("IfcDoor")]
    answers = {step_id: answer for step_id, answer, _ in exact(file, doors, seconds=100, element_seconds=20)}
    shown = {step_id: answer for step_id, answer in answers.items() if isinstance(answer, Mesh)}
    assert set(answers) == set(shown) == set(doors)
    for step_id, answer in shown.items():
        assert answer.matrix is not None
        world = answer.vertices @ answer.matrix[:3, :3].T + answer.matrix[:3, 3]
        assert np.abs(np.array([world.min(axis=0), world.max(axis=0)]) - boxes[step_id]).max() < 0.005
        assert len(answer.palette) > 1  # frame, leaf, glass
    assert len({id(answer.vertices) for answer in shown.values()}) < len(doors)
