"""Extrusions cut by half spaces and openings: what is meshed here must be what OpenCASCADE makes of it."""

from pathlib import Path

import ifcopenshell
import numpy as np
import pytest

from ifc_models.mesh import mesh_model
from ifc_models.mesh_clips import opened
from ifc_models.mesh_ladder import MeshLimits
from tests.benchmarks.fidelity import Shape, open_cascade, ours
from tests.ifc_models import hostile
from tests.ifc_models.test_mesh_cases import model

# The wall of `hostile.BASE` (1 × 2 × 3 m about the origin, from z = 0); planes and boundaries to cut it with.
PLANES = """#70=IFCCARTESIANPOINT((0.,0.,2.));
#71=IFCDIRECTION((0.,1.,1.));
#72=IFCAXIS2PLACEMENT3D(#70,#71,$);
#73=IFCPLANE(#72);
#74=IFCAXIS2PLACEMENT3D(#70,$,$);
#75=IFCPLANE(#74);
#80=IFCCARTESIANPOINT((-0.5,-1.));
#81=IFCCARTESIANPOINT((0.5,-1.));
#82=IFCCARTESIANPOINT((0.5,0.25));
#83=IFCCARTESIANPOINT((-0.5,0.25));
#84=IFCPOLYLINE((#80,#81,#82,#83,#80));
#85=IFCPOLYGONALBOUNDEDHALFSPACE(#75,.F.,#6,#84);
#86=IFCPOLYGONALBOUNDEDHALFSPACE(#75,.T.,#6,#84);
#87=IFCHALFSPACESOLID(#73,.F.);
"""


def chain(*spaces: int) -> str:
    """Nested clippings of the wall's body; the outermost is #100."""
    lines = ""
    for i, space in enumerate(spaces):
        first = "#12" if i == 0 else f"#{100 + len(spaces) - i}"
        lines += f"#{100 + len(spaces) - 1 - i}=IFCBOOLEANCLIPPINGRESULT(.DIFFERENCE.,{first},#{space});\n"
    return lines


@pytest.mark.parametrize(
    ("spaces", "volume"),
    [
        ((85,), 6 - 1.25),  # above z = 2, over 1.25 of the 2 m; the boundary runs along three of the wall's sides
        ((86,), 6 - 2 * 1.25),  # below
        ((85, 87), None),  # and a slope over all of it
        ((87, 87, 87), 4.0),  # z + y <= 2, three times over
    ],
)
def test_a_clipped_wall_is_what_opencascade_makes_of_it(
    spaces: tuple[int, ...], volume: float | None, tmp_path: Path
) -> None:
    body = hostile.BASE + PLANES + chain(*spaces) + hostile.wall(20, "000000000000000000000A", item=100)
    path = hostile.write(tmp_path / "clipped.ifc", body)
    result = mesh_model(path, None, tmp_path / "out")
    assert result.rung == {20: "manifold"}
    mine = ours(tmp_path / "out")[20]
    ((_, theirs, _),) = open_cascade(ifcopenshell.open(str(path)), [20])
    assert theirs is not None
    assert np.abs(mine.box() - theirs.box()).max() < 1e-4
    assert mine.area() == pytest.approx(theirs.area(), rel=1e-4)
    assert mine.volume() == pytest.approx(theirs.volume() if volume is None else volume, rel=1e-4)


@pytest.mark.parametrize(
    ("profile", "spaces"),
    [
        ("IFCCIRCLEPROFILEDEF(.AREA.,$,$,0.4)", (85,)),  # arcs
        ("IFCRECTANGLEPROFILEDEF(.AREA.,$,$,1.,2.)", (87,)),  # one plane: the fast kernel is as fast
    ],
)
def test_other_bodies_are_left_to_the_kernels(profile: str, spaces: tuple[int, ...], tmp_path: Path) -> None:
    base = hostile.BASE.replace("IFCRECTANGLEPROFILEDEF(.AREA.,$,$,1.,2.)", profile)
    body = base + PLANES + chain(*spaces) + hostile.wall(20, "000000000000000000000A", item=100)
    result = mesh_model(hostile.write(tmp_path / "clipped.ifc", body), None, tmp_path / "out")
    assert result.rung == {20: "ifclite"}


def test_what_a_cut_takes_whole_is_told_by_the_kernels(tmp_path: Path) -> None:
    """Nothing of the wall lies above and below z = 2 at once: no mesh is made up."""
    everywhere = PLANES.replace("(0.5,0.25)", "(0.5,1.)").replace("(-0.5,0.25)", "(-0.5,1.)")
    body = hostile.BASE + everywhere + chain(85, 86) + hostile.wall(20, "000000000000000000000A", item=100)
    result = mesh_model(hostile.write(tmp_path / "nothing.ifc", body), None, tmp_path / "out")
    assert result.rung[20] != "manifold"


# Holes that are 0.5 m wide (x), 1 m long (y) and start at z = 1: profile, direction, depth of the extrusion.
HOLE = """#200=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,{wide},{long});
#201=IFCDIRECTION(({direction}));
#202=IFCEXTRUDEDAREASOLID(#200,#6,#201,{deep});
#203=IFCCARTESIANPOINT(({at}));
#204=IFCAXIS2PLACEMENT3D(#203,$,$);
#205=IFCLOCALPLACEMENT(#9,#204);
#206=IFCOPENINGELEMENT('000000000000000000000O',$,'O',$,$,#205,#207,$,$);
#207=IFCPRODUCTDEFINITIONSHAPE($,$,(#208));
#208=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#202));
#209=IFCRELVOIDSELEMENT('000000000000000000000V',$,$,$,#20,#206);
"""


def with_hole(tmp_path: Path, wide: float, long: float, direction: str, deep: float, at: str, item: int = 12) -> Path:
    """The wall #20 with one opening."""
    hole = HOLE.format(wide=wide, long=long, direction=direction, deep=deep, at=at)
    clips = "" if item == 12 else PLANES + chain(87)
    body = hostile.BASE + clips + hostile.wall(20, "000000000000000000000A", item=item) + hole
    return hostile.write(tmp_path / "hole.ifc", body)


@pytest.mark.parametrize(
    ("hole", "item", "volume"),
    [
        ((9.0, 1.0, "0.,0.,1.", 1.0, "0.,0.,1."), 12, 6 - 1.0),  # through all of its width
        ((1.0, 1.0, "0.,0.,1.", 1.0, "0.,0.,1."), 12, 6 - 1.0),  # its sides lie in the wall's
        ((0.5, 1.0, "0.,0.,1.", 2.0, "0.,0.,1."), 12, 6 - 1.0),  # its end lies in the wall's: a niche from above
        ((0.5, 1.0, "1.,0.,1.", 1.0, "0.,0.,1."), 12, None),  # a slanting one
        ((0.5, 1.0, "0.,0.,1.", 2.0, "0.,-0.5,1."), 100, None),  # in a wall under a roof
        ((0.5, 1.0, "0.,0.,1.", 1.0, "5.,0.,1."), 12, 6.0),  # beside the wall
    ],
)
def test_a_wall_with_an_opening_is_what_opencascade_makes_of_it(
    hole: tuple[float, float, str, float, str], item: int, volume: float | None, tmp_path: Path
) -> None:
    file = ifcopenshell.open(str(with_hole(tmp_path, *hole, item=item)))
    at = np.eye(4)
    at[:3, 3] = file[203][0]
    answer = opened(file[item], [(file[202], at)], 1.0)
    assert answer is not None
    mine = Shape(answer[0], answer[1].astype(np.int64))
    ((_, theirs, _),) = open_cascade(file, [20])
    assert theirs is not None
    assert np.abs(mine.box() - theirs.box()).max() < 1e-4
    assert mine.area() == pytest.approx(theirs.area(), rel=1e-3)
    assert mine.volume() == pytest.approx(theirs.volume() if volume is None else volume, rel=1e-3)


def test_what_an_opening_takes_whole_is_told_without_the_exact_kernel(tmp_path: Path) -> None:
    path = with_hole(tmp_path, 1.0, 2.0, "0.,0.,1.", 3.0, "0.,0.,0.")  # as large as the wall
    result = mesh_model(path, None, tmp_path / "out", limits=MeshLimits(element_seconds=1e-6))
    assert result.rung == {20: "lost"} and "openings take all" in result.note[20]


def test_walls_that_the_fast_kernel_leaves_with_gaps_need_no_exact_kernel(tmp_path: Path) -> None:
    for name, step_id in (("janesville_restaurant_revit2012.ifc", 258420), ("V_L_Constructief_revit2014.ifc", 53524)):
        path = model(name)
        result = mesh_model(path, None, tmp_path / name, only={step_id}, limits=MeshLimits(element_seconds=1e-6))
        assert result.rung == {step_id: "manifold"}
        ((_, theirs, _),) = open_cascade(ifcopenshell.open(str(path)), [step_id])
        assert theirs is not None
        mine = ours(tmp_path / name)[step_id]
        assert np.abs(mine.box() - theirs.box()).max() < 1e-4
        assert mine.area() == pytest.approx(theirs.area(), rel=1e-3)
        assert mine.volume() == pytest.approx(theirs.volume(), rel=1e-3)


def test_openings_of_other_kinds_are_left_to_the_kernels(tmp_path: Path) -> None:
    round_one = HOLE.replace(
        "IFCRECTANGLEPROFILEDEF(.AREA.,$,$,{wide},{long})", "IFCCIRCLEPROFILEDEF(.AREA.,$,$,{wide})"
    )
    body = round_one.format(wide=0.3, long=0, direction="0.,0.,1.", deep=1.0, at="0.,0.,1.")
    file = ifcopenshell.open(str(hostile.write(tmp_path / "round.ifc", hostile.BASE + body)))
    assert opened(file[12], [(file[202], np.eye(4))], 1.0) is None
