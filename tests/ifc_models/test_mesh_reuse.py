"""Meshing an edited file with the earlier version's meshes gives what meshing all of it gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ifcopenshell
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifc_models import tasks
from ifc_models.extract import Extract, MeshArrays
from ifc_models.mesh_kept import BEFORE_FILE, BEFORE_MESHES, write_meshes
from ifc_models.mesh_parts import merge_result
from ifc_models.mesh_reuse import differing_records
from ifc_models.protocol import Request
from ifc_models.sandbox import WorkerLimits

HOUSE = "arch/AC20-FZK-Haus.ifc"


def meshed(path: Path, out: Path, **inputs: Path) -> tuple[Extract, MeshArrays, int]:
    """Read and mesh a file as a worker does; the extract, its meshes, and how many products were meshed."""
    out.mkdir()
    given = {name: str(each) for name, each in inputs.items()}
    request = {"path": str(path), "file_name": path.name, "out": str(out), "limits": WorkerLimits(), "inputs": given}
    tasks.run(Request(task="read", **request), lambda *_: None)  # type: ignore[arg-type]
    done = tasks.run(Request(task="mesh", **request), lambda *_: None)  # type: ignore[arg-type]
    return merge_result(out), MeshArrays.load(out), done["meshed"]


def move(file: ifcopenshell.file) -> None:
    window = file.by_type("IfcWindow")[0]
    placement = file.create_entity("IfcAxis2Placement3D", file.create_entity("IfcCartesianPoint", (1.0, 2.0, 3.0)))
    window.ObjectPlacement.RelativePlacement = placement


def move_a_wall_with_its_windows(file: ifcopenshell.file) -> None:
    wall = next(relation.RelatingBuildingElement for relation in file.by_type("IfcRelVoidsElement"))
    turned = file.create_entity("IfcDirection", (0.6, 0.8, 0.0))
    point = file.create_entity("IfcCartesianPoint", (7.0, 1.0, 0.5))
    wall.ObjectPlacement.RelativePlacement = file.create_entity("IfcAxis2Placement3D", point, None, turned)


def move_a_storey(file: ifcopenshell.file) -> None:
    placement = file.by_type("IfcBuildingStorey")[1].ObjectPlacement.RelativePlacement
    x, y, z = placement.Location.Coordinates
    placement.Location.Coordinates = (x + 0.25, y, z + 1.5)


def move_an_opening(file: ifcopenshell.file) -> None:
    opening = file.by_type("IfcRelVoidsElement")[0].RelatedOpeningElement
    point = opening.ObjectPlacement.RelativePlacement.Location
    point.Coordinates = (point.Coordinates[0] + 0.1, *point.Coordinates[1:])


def move_a_wall_but_not_its_window(file: ifcopenshell.file) -> None:
    relation = file.by_type("IfcRelVoidsElement")[0]
    wall, opening = relation.RelatingBuildingElement, relation.RelatedOpeningElement
    opening.ObjectPlacement.PlacementRelTo = wall.ObjectPlacement.PlacementRelTo
    point = wall.ObjectPlacement.RelativePlacement.Location
    point.Coordinates = (point.Coordinates[0] + 0.1, *point.Coordinates[1:])


def repaint(file: ifcopenshell.file) -> None:
    colour = file.by_type("IfcColourRgb")[0]
    colour.Red = 1.0 - colour.Red


def widen_an_opening(file: ifcopenshell.file) -> None:
    for relation in file.by_type("IfcRelVoidsElement"):
        for solid in file.traverse(relation.RelatedOpeningElement.Representation):
            if solid.is_a("IfcRectangleProfileDef"):
                solid.XDim *= 1.2
                return
    solid = next(
        s for s in file.traverse(relation.RelatedOpeningElement.Representation) if s.is_a("IfcExtrudedAreaSolid")
    )
    solid.Depth *= 1.2


def remove_an_opening(file: ifcopenshell.file) -> None:
    file.remove(file.by_type("IfcRelVoidsElement")[0])


def rename(file: ifcopenshell.file) -> None:
    file.by_type("IfcWall")[0].Name = "Renamed"


def change_the_unit(file: ifcopenshell.file) -> None:
    unit = next(u for u in file.by_type("IfcSIUnit") if u.UnitType == "LENGTHUNIT")
    unit.Prefix = "MILLI"


@pytest.mark.parametrize(
    ("edit", "most"),
    [
        (move, 0),
        (move_a_wall_with_its_windows, 0),
        (move_a_storey, 0),
        (move_an_opening, 1),
        (move_a_wall_but_not_its_window, 1),
        (repaint, 90),
        (widen_an_opening, 4),
        (remove_an_opening, 4),
        (rename, 0),
        (change_the_unit, 90),
    ],
)
def test_an_edited_file_comes_out_as_if_all_of_it_were_meshed(
    shared: Path, tmp_path: Path, edit: Callable[[ifcopenshell.file], Any], most: int
) -> None:
    file = ifcopenshell.open(str(shared / "ifc" / HOUSE))
    base, edited = tmp_path / "base.ifc", tmp_path / "edited.ifc"
    file.write(str(base))
    edit(file)
    file.write(str(edited))
    extract, was, everything = meshed(base, tmp_path / "base")
    write_meshes(tmp_path / "meshes", tmp_path / "base", extract)
    before = {BEFORE_FILE: base, BEFORE_MESHES: tmp_path / "meshes"}
    found, quick, count = meshed(edited, tmp_path / "quick", **before)
    _, whole, _ = meshed(edited, tmp_path / "whole")
    assert count <= most < everything or most >= everything
    hashes, all_anew, had = (mesh.element_shape_hashes() for mesh in (quick, whole, was))
    assert hashes.keys() == all_anew.keys()
    moving = edit.__name__.startswith("move")
    assert not moving or count == most
    # A body that only moved has the very shape that it had; meshed anew its last digits may be others.
    assert all(hashes[i] == all_anew[i] or (moving and hashes[i] == had[i]) for i in hashes)
    n = len(found.elements)
    assert np.allclose(quick.element_bounds(n), whole.element_bounds(n), atol=1e-5, equal_nan=True)


def test_a_file_that_was_numbered_anew_is_meshed_whole(shared: Path, tmp_path: Path) -> None:
    base = shared / "ifc" / HOUSE
    text = base.read_bytes()
    again = tmp_path / "again.ifc"
    head, _, data = text.partition(b"DATA;")
    again.write_bytes(head + b"DATA;" + data.replace(b"#", b"#9"))
    extract, mesh, everything = meshed(base, tmp_path / "base")
    write_meshes(tmp_path / "meshes", tmp_path / "base", extract)
    _, other, count = meshed(again, tmp_path / "other", **{BEFORE_FILE: base, BEFORE_MESHES: tmp_path / "meshes"})
    assert count == everything
    assert other.element_shape_hashes() == mesh.element_shape_hashes()


SAME = [f"#{number}=IFCX(0)" for number in range(1, 101)]
_RECORDS = st.lists(st.tuples(st.integers(101, 112), st.integers(0, 2)), max_size=12, unique_by=lambda each: each[0])


@settings(max_examples=200, deadline=None)
@given(_RECORDS, _RECORDS, st.booleans(), st.booleans())
def test_the_records_that_differ_are_those_of_one_file_and_not_of_the_other(
    new: list[tuple[int, int]], old: list[tuple[int, int]], in_order: bool, is_whole: bool
) -> None:
    def data(records: list[tuple[int, int]], end: str) -> bytes:
        lines = [f"#{number}=IFCX({value})" for number, value in (sorted(records) if in_order else records)]
        return "".join(f"{line};\n" for line in [*SAME, *lines, end]).encode()

    def instances(records: set[bytes]) -> set[bytes]:
        return {record for record in records if record.startswith(b"#")}

    one, other = data(new, "ENDSEC"), data(old, "ENDSEC" if is_whole else "#113=IFCX(0)")
    every, every_old = instances(set(one.split(b";\n"))), instances(set(other.split(b";\n")))
    come, gone = differing_records(one, other)
    assert (instances(come), instances(gone)) == (every - every_old, every_old - every)
