"""Extrusions cut by half spaces: what is meshed here must be what OpenCASCADE makes of it."""

from pathlib import Path

import ifcopenshell
import numpy as np
import pytest

from ifc_models.mesh import mesh_model
from tests.benchmarks.fidelity import open_cascade, ours
from tests.ifc_models import hostile

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
