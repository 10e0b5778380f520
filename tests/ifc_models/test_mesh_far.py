"""Models with survey coordinates are meshed to the millimetre, wherever the file keeps its large numbers."""

from collections import Counter
from functools import cache
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import numpy as np
import pytest
from numpy.typing import NDArray

from ifc_models.mesh import MeshLimits, MeshResult, mesh_model
from ifc_models.mesh_far import moved_near
from tests.conftest import SHARED
from tests.ifc_models import hostile

RAIL = SHARED / "ifc/ifc4x3_infra/ACCA_RFI_01_Track_Cancello_San_Felice_a_Cancello.ifc"
FZK = SHARED / "ifc/arch/AC20-FZK-Haus.ifc"
FAR = np.array([451_295.0, 4_538_799.0, 0.0])
Boxes = dict[int, NDArray[np.float64]]


def boxes(folder: Path) -> Boxes:
    """(2, 3) world box of every product in a mesh folder, m, by STEP id."""
    array = {p.stem: np.load(p) for p in folder.glob("*.npy")}
    v, t = array["shape_vertices"].astype(int), array["shape_triangles"].astype(int)
    corners = [
        array["positions"][v[s] : v[s + 1]][np.unique(array["triangles"][t[s] : t[s + 1]])].astype(float)
        for s in range(len(v) - 1)
    ]
    found: Boxes = {}
    rows = zip(array["instance_step_id"].tolist(), array["instance_shape"], array["instance_matrix"], strict=True)
    for step_id, s, m in rows:
        world = corners[s] @ m[:3, :3].T + m[:3, 3]
        found[step_id] = np.array([world.min(axis=0), world.max(axis=0)])
    return found


def area(folder: Path) -> float:
    """Of the only shape of a mesh folder, m2."""
    positions, triangles = (np.load(folder / f"{name}.npy").astype(float) for name in ("positions", "triangles"))
    a, b, c = (positions[triangles[:, i].astype(int)] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def meshed(path: Path, out: Path) -> tuple[MeshResult, Boxes]:
    result = mesh_model(path, None, out, limits=MeshLimits(model_triangles=10**9))
    return result, boxes(out)


def wall_with_opening(at: NDArray[np.float64], placed: NDArray[np.float64]) -> str:
    """A wall with a hole. Solids stand at `at` of a placement that stands at `placed`; both placements are its own."""
    x, y, z = (repr(float(v)) for v in at)
    px, py, pz = (repr(float(v)) for v in placed)
    return (
        hostile.BASE
        + f"""#60=IFCCARTESIANPOINT(({px},{py},{pz}));
#61=IFCAXIS2PLACEMENT3D(#60,$,$);
#62=IFCLOCALPLACEMENT($,#61);
#63=IFCCARTESIANPOINT(({x},{y},{z}));
#64=IFCAXIS2PLACEMENT3D(#63,$,$);
#65=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,4.123,0.234);
#66=IFCEXTRUDEDAREASOLID(#65,#64,#11,2.345);
#67=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,1.01,1.);
#68=IFCEXTRUDEDAREASOLID(#67,#64,#11,2.011);
#80=IFCOPENINGELEMENT('000000000000000000000O',$,'O',$,$,#62,#81,$,$);
#81=IFCPRODUCTDEFINITIONSHAPE($,$,(#82));
#82=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#68));
#90=IFCRELVOIDSELEMENT('000000000000000000000V',$,$,$,#20,#80);
"""
        + hostile.wall(20, "000000000000000000000A", placement=62, item=66)
    )


@pytest.mark.parametrize(
    ("at", "placed"),
    [((0, 0, 0), (1, 0, 0)), ((1, 0, 0), (0, 0, 0)), ((1, 0, 0), (-1, 0, 0)), ((2, 0, 0), (-1, 0, 0))],
    ids=["placement", "solid", "solid and back", "twice out and once back"],
)
def test_large_numbers_may_stand_in_placements_in_solids_or_in_both(
    tmp_path: Path, at: tuple[int, int, int], placed: tuple[int, int, int]
) -> None:
    far = hostile.write(tmp_path / "far.ifc", wall_with_opening(at[0] * FAR, placed[0] * FAR))
    near = hostile.write(tmp_path / "near.ifc", wall_with_opening(0 * FAR, 0 * FAR))
    result, found = meshed(far, tmp_path / "far")
    _, expected = meshed(near, tmp_path / "near")
    assert set(result.rung.values()) <= {"ifclite", "manifold", "occ"}
    assert result.note == {}
    assert np.abs(found[20] - (expected[20] + (at[0] + placed[0]) * FAR)).max() < 0.005
    a, b = (area(tmp_path / name) for name in ("near", "far"))
    assert a == pytest.approx(b, rel=1e-4)
    assert a < 2 * (4.123 * 2.345 + 4.123 * 0.234 + 2.345 * 0.234) - 1.0  # the hole is there


@cache
def _text(path: Path) -> bytes:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def test_a_house_with_survey_coordinates_is_the_same_house(tmp_path: Path) -> None:
    """The placement that all of FZK-Haus hangs from, moved by 4.5 · 10⁶ m."""
    near, far = tmp_path / "near.ifc", tmp_path / "far.ifc"
    near.write_bytes(_text(FZK))
    file = ifcopenshell.open(str(near))
    roots = [p for p in file.by_type("IfcLocalPlacement") if p.PlacementRelTo is None]
    assert roots
    for root in roots:
        old = root.RelativePlacement
        moved = file.create_entity("IfcCartesianPoint", [float(v) for v in np.array(old.Location.Coordinates) + FAR])
        root.RelativePlacement = file.create_entity("IfcAxis2Placement3D", moved, old.Axis, old.RefDirection)
    file.write(str(far))
    _, expected = meshed(near, tmp_path / "a")
    result, found = meshed(far, tmp_path / "b")
    assert set(result.rung.values()) == {"ifclite"}
    assert found.keys() == expected.keys()
    for step_id, box in found.items():
        assert np.abs(box - expected[step_id] - FAR).max() < 0.005, step_id


def test_a_railway_with_survey_coordinates_is_meshed_whole_and_exactly(tmp_path: Path) -> None:
    _text(RAIL)
    file = ifcopenshell.open(str(RAIL))
    rails, sleepers, courses = (file.by_type(name) for name in ("IfcRail", "IfcTrackElement", "IfcCourse"))
    result, found = meshed(RAIL, tmp_path / "rail")
    assert Counter(result.rung.values()) == {"ifclite": 9238, "sweep": 476}
    assert len(np.load(tmp_path / "rail/shape_triangles.npy")) - 1 < 600  # a sleeper is stored once
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    for element in (rails[0], rails[200], sleepers[0], sleepers[7000], courses[0], courses[237]):
        shape = ifcopenshell.geom.create_shape(settings, element)
        exact = np.frombuffer(shape.geometry.verts_buffer).reshape(-1, 3)
        box = np.array([exact.min(axis=0), exact.max(axis=0)])
        assert np.abs(found[element.id()] - box).max() < 0.005, element


def test_a_height_profile_keeps_its_distances() -> None:
    """Points (distance along, height) of a long alignment are large too, and are no place."""
    text = b"".join(
        [
            b"#1=IFCCARTESIANPOINT((451000.,4538000.));\n#2=IFCCARTESIANPOINT((452000.5,4539000.25));\n",
            b"#3=IFCCARTESIANPOINT((19000.,41.5));\n#4= IFCCARTESIANPOINT ( ( 1.E0, 2., 3.) ) ;\n",
            b"#5=IFCCARTESIANPOINTLIST3D(((451500.,4538500.,36.),(451501.,4538500.,36.5)),$);\n",
        ]
    )
    moved = moved_near(text, 1.0)
    assert moved is not None
    assert b"#3=IFCCARTESIANPOINT((19000.,41.5))" in moved.text
    assert b"#4= IFCCARTESIANPOINT ( ( 1.E0, 2., 3.) )" in moved.text
    x, y = moved.origin[:2]
    assert f"#2=IFCCARTESIANPOINT(({452000.5 - x},{4539000.25 - y}))".encode() in moved.text
    assert f"(({451500 - x},{4538500 - y},36.0),({451501 - x},{4538500 - y},36.5))".encode() in moved.text


def test_a_model_near_its_origin_is_left_alone() -> None:
    assert moved_near(b"#1=IFCCARTESIANPOINT((4000.,3.,2.));\n", 1.0) is None
    assert moved_near(b"#1=IFCCARTESIANPOINT((400000.,3.,2.));\n", 0.001) is None
