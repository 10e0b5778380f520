"""Models of one building that do not lie where the others lie are noticed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ifc_models.disciplines import Extent, misalignment
from ifc_models.extract import MeshArrays
from ifc_models.findings import explain
from ifc_models.worker import run_worker
from tests.ifc_models.conftest import SHARED

PCERT = SHARED / "ifc" / "ifc4x3_infra"


async def boxes_of(path: Path, out: Path) -> NDArray[np.float64]:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    extract = await run_worker(path, out)
    return MeshArrays.load(out).element_bounds(len(extract.elements))


def extent(name: str, boxes: NDArray[np.float64]) -> Extent:
    return Extent(name, np.nanmin(boxes[:, :3], axis=0).tolist(), np.nanmax(boxes[:, 3:], axis=0).tolist())


async def test_disciplines_of_one_building_are_aligned_and_a_moved_one_is_not(tmp_path: Path) -> None:
    """buildingSMART's certification building: architecture, structure and ventilation from different tools."""
    arc = await boxes_of(PCERT / "PCERT_Building-Architecture_4X3.ifc", tmp_path / "arc")
    structure = await boxes_of(PCERT / "PCERT_Building-Structural_4X3.ifc", tmp_path / "str")
    hvac = await boxes_of(PCERT / "PCERT_Building-Hvac_4X3.ifc", tmp_path / "mep")
    others = [extent("arc", arc), extent("str", structure)]
    assert misalignment(hvac, others) == []
    moved = hvac + np.array([250.0, 0, 0, 250.0, 0, 0])
    (finding,) = misalignment(moved, others)
    assert finding.code == "ifc.not_aligned"
    assert 200 < float(finding.params["metres"]) < 300
    assert "arc" in explain(finding, "zh")[0] or "str" in explain(finding, "zh")[0]


def test_a_model_in_another_unit_is_noticed() -> None:
    boxes = np.array([[0.0, 0, 0, 10, 10, 3], [5.0, 5, 0, 20, 10, 9]])
    (finding,) = misalignment(boxes * 1000, [extent("arc", boxes)])
    assert finding.code == "ifc.other_scale"


def test_one_stray_bolt_does_not_hide_a_misplaced_model() -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform((1000, 0, 0), (1030, 30, 30), (200, 3))
    boxes = np.hstack([low, low + 1])
    boxes[0] = (0, 0, 0, 1, 1, 1)
    assert [f.code for f in misalignment(boxes, [Extent("arc", [0, 0, 0], [30, 30, 10])])] == ["ifc.not_aligned"]
    assert misalignment(np.full((3, 6), np.nan), [Extent("arc", [0, 0, 0], [30, 30, 10])]) == []
