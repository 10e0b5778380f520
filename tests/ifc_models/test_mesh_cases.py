"""Cases in which a kernel was wrong, each found by `tests.benchmarks.fidelity` on a real file; and how things look."""

from pathlib import Path

import ifcopenshell
import ifcopenshell.geom
import numpy as np
import pytest

from ifc_models.mesh import mesh_model
from ifc_models.mesh_plan import plan
from tests.benchmarks.fidelity import Shape, open_cascade, ours
from tests.conftest import SHARED
from tests.ifc_models import hostile

IFC = SHARED / "ifc"
A, B = "000000000000000000000A", "000000000000000000000B"


def model(name: str) -> Path:
    """A public model by the end of its path."""
    found = sorted(IFC.rglob(name))
    if not found:
        pytest.skip(f"{name} is not in {IFC}")
    return found[0]


def compared(path: Path, ids: list[int], out: Path) -> list[tuple[Shape, Shape]]:
    """Our mesh and OpenCASCADE's of each element."""
    file = ifcopenshell.open(str(path))
    mesh_model(path, file, out, only=set(ids))
    found = ours(out)
    return [(found[i], theirs) for i, theirs, _ in open_cascade(file, ids) if theirs is not None]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("hvac_heating_luartx.ifc", [1223, 8327]),  # the body is named twice in one definition
        ("Duplex_baseline.ifc", [13197, 14067]),  # an opening through a cupboard of eight solids
        ("V_L_Constructief_revit2014.ifc", [53524]),  # a cut that leaves a gap
        ("slab-openings.ifc", [303]),  # a wide arc
        ("basin-advanced-brep.ifc", [213]),  # a free-form surface
    ],
)
def test_an_element_that_a_kernel_gets_wrong_comes_out_right(name: str, ids: list[int], tmp_path: Path) -> None:
    pairs = compared(model(name), ids, tmp_path)
    assert len(pairs) == len(ids)
    for mine, theirs in pairs:
        assert np.abs(mine.box() - theirs.box()).max() < 0.005
        assert mine.area() == pytest.approx(theirs.area(), rel=0.01)


def test_a_swept_course_has_the_volume_of_its_section_times_its_length(tmp_path: Path) -> None:
    """Who is right where OpenCASCADE's mesh of a course has a third of its volume: 2.7768 m2 × 50 m."""
    path = model("ACCA_RFI_01_Track_Cancello_San_Felice_a_Cancello.ifc")
    result = mesh_model(path, None, tmp_path, only={14040})
    assert result.rung == {14040: "sweep"}
    assert ours(tmp_path)[14040].volume() == pytest.approx(138.84, rel=1e-3)


def test_what_its_openings_take_is_really_gone(tmp_path: Path) -> None:
    """Both kernels agree that nothing is left of a wall that is one window; without the opening it is there."""
    path = model("janesville_restaurant_revit2012.ifc")
    file = ifcopenshell.open(str(path))
    result = mesh_model(path, file, tmp_path, only={388305})
    assert result.rung == {388305: "lost"} and "openings take all" in result.note[388305]
    ((_, cut, uncut),) = open_cascade(file, [388305])
    assert cut is None and uncut is not None


def test_walls_with_equal_holes_share_one_mesh_and_others_do_not(tmp_path: Path) -> None:
    hole = "#67=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,0.5,9.);\n#68=IFCEXTRUDEDAREASOLID(#67,#6,#11,1.);\n"
    body = hostile.BASE + hole
    for n, x in ((100, 5.0), (200, 10.0), (300, 15.0)):
        shift = 0.1 if n == 300 else 0.0  # the third wall's hole is higher
        body += (
            f"#{n + 50}=IFCCARTESIANPOINT(({x},0.,0.));\n#{n + 51}=IFCAXIS2PLACEMENT3D(#{n + 50},$,$);\n"
            f"#{n + 52}=IFCLOCALPLACEMENT($,#{n + 51});\n"
            f"#{n + 53}=IFCCARTESIANPOINT((0.,0.,{1 + shift}));\n#{n + 54}=IFCAXIS2PLACEMENT3D(#{n + 53},$,$);\n"
            f"#{n + 55}=IFCLOCALPLACEMENT(#{n + 52},#{n + 54});\n"
            f"#{n + 60}=IFCOPENINGELEMENT('00000000000000000000{n:02d}',$,'O',$,$,#{n + 55},#{n + 61},$,$);\n"
            f"#{n + 61}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{n + 62}));\n"
            f"#{n + 62}=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#68));\n"
            f"#{n + 70}=IFCRELVOIDSELEMENT('0000000000000000000{n:03d}',$,$,$,#{n},#{n + 60});\n"
        ) + hostile.wall(n, f"000000000000000000001{n // 100}", placement=n + 52)
    path = hostile.write(tmp_path / "walls.ifc", body)
    groups = plan(ifcopenshell.open(str(path))).groups
    assert sorted(len(group) for group in groups) == [1, 2]
    mesh_model(path, None, tmp_path / "out")
    found = ours(tmp_path / "out")
    for n, x in ((100, 5.0), (200, 10.0), (300, 15.0)):
        assert found[n].volume() == pytest.approx(1 * 2 * 3 - 0.5 * 2 * 1)
        assert found[n].box()[:, 0] == pytest.approx([x - 0.5, x + 0.5])


@pytest.mark.parametrize(
    ("operator", "low", "high"),
    [
        ("IFCCARTESIANTRANSFORMATIONOPERATOR3D($,$,#7,$,$)", (0, 0, 0), (1, 2, 3)),
        ("IFCCARTESIANTRANSFORMATIONOPERATOR3D(#90,#91,#7,$,#11)", (-1, 0, 0), (0, 2, 3)),  # mirrored in x
        ("IFCCARTESIANTRANSFORMATIONOPERATOR3DNONUNIFORM($,$,#7,2.,$,3.,0.5)", (0, 0, 0), (2, 6, 1.5)),
        ("IFCCARTESIANTRANSFORMATIONOPERATOR3DNONUNIFORM(#90,#91,#7,2.,#11,3.,0.5)", (-2, 0, 0), (0, 6, 1.5)),
    ],
    ids=["plain", "mirrored", "not uniform", "mirrored and not uniform"],
)
def test_a_mapped_body_is_mirrored_and_stretched_as_the_file_says(
    operator: str, low: tuple[float, ...], high: tuple[float, ...], tmp_path: Path
) -> None:
    corner = "#80=IFCCARTESIANPOINT((0.5,1.,0.));\n#81=IFCAXIS2PLACEMENT3D(#80,$,$);\n"
    mapped = (
        corner
        + "#82=IFCEXTRUDEDAREASOLID(#10,#81,#11,3.);\n#83=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#82));\n"
        "#84=IFCREPRESENTATIONMAP(#6,#83);\n#90=IFCDIRECTION((-1.,0.,0.));\n#91=IFCDIRECTION((0.,1.,0.));\n"
        f"#85={operator};\n#86=IFCMAPPEDITEM(#84,#85);\n"
    )
    wall = hostile.wall(20, A, item=86).replace("SweptSolid", "MappedRepresentation")
    path = hostile.write(tmp_path / "mapped.ifc", hostile.BASE + mapped + wall)
    mesh_model(path, None, tmp_path / "out")
    shape = ours(tmp_path / "out")[20]
    assert shape.box()[0] == pytest.approx(low, abs=1e-4)
    assert shape.box()[1] == pytest.approx(high, abs=1e-4)


def test_a_real_mirrored_mapping_lies_where_opencascade_puts_it(tmp_path: Path) -> None:
    path = model("mapped-shape-with-transformation.ifc")
    file = ifcopenshell.open(str(path))
    ids = [e.id() for e in file.by_type("IfcElement") if e.Representation]
    for mine, theirs in compared(path, ids, tmp_path):
        assert np.abs(mine.box() - theirs.box()).max() < 0.005
        assert mine.area() == pytest.approx(theirs.area(), rel=0.01)
