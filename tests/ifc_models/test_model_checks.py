"""What is wrong with a model is found, counted, placed and explained: on public files and on files with one fault."""

from pathlib import Path

import numpy as np
import pytest

from ifc_models.extract import (
    ALL_OPENING,
    CURVES_ONLY,
    ElementEntry,
    ElementGeometry,
    Extract,
    Finding,
    Header,
    StoreyEntry,
)
from ifc_models.findings import NAMED, explain, texts
from ifc_models.shape_checks import check_shapes
from tests.ifc_models import hostile
from tests.ifc_models.conftest import MODELS, SHARED, Read, read_here

MALFORMED = sorted((SHARED / "malformed").rglob("*.ifc"))
GOLDEN: tuple[tuple[str, dict[str, int]], ...] = (
    ("ifc/arch/AC20-FZK-Haus.ifc", {}),
    (
        "ifc/cobie_fm/2012-03-23-Duplex-Handover.ifc",
        {
            "dangling_relation": 2, "contained_twice": 12, "header_view": 1, "header_fields": 1, "storey_empty": 1,
            "storeys_same_height": 3, "no_space_boundaries": 22, "space_without_geometry": 22,
            "system_serves_nothing": 10, "element_without_system": 97,
        },
    ),
    ("ifc/mep/B01_5_HeatExchanger_mixConnection.ifc", {"system_serves_nothing": 1, "port_unconnected": 12}),
    (
        "ifc/arch/house_3x3_bonsai.ifc",
        {"not_contained": 304, "header_fields": 1, "storey_unnamed": 1, "opening_without_host": 32},
    ),
    (
        "malformed/bim2sim/AC20-FZK-Haus_NoneAndDoubleGUID.ifc",
        {"global_id_repeated": 2, "global_id_missing": 1, "global_id_malformed": 1, "syntax_noted": 2},
    ),
)  # fmt: skip


def counts(extract: Extract) -> dict[str, int]:
    return {finding.code.removeprefix("ifc."): finding.count for finding in extract.warnings}


def read(path: Path, body: str) -> dict[str, int]:
    """What is found in a small file of ours."""
    return counts(read_here(hostile.write(path / "small.ifc", hostile.BASE + body), path))


@pytest.mark.parametrize(("name", "expected"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_public_models_have_these_findings_and_no_others(read_model: Read, name: str, expected: dict[str, int]) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not there")
    extract = read_model(SHARED / name)
    assert isinstance(extract, Extract)
    assert counts(extract) == expected


@pytest.mark.parametrize("path", MALFORMED + MODELS, ids=lambda path: str(path.relative_to(SHARED)))
def test_every_finding_in_every_public_file_is_explained_in_both_languages(read_model: Read, path: Path) -> None:
    extract = read_model(path)
    if not isinstance(extract, Extract):
        assert extract.code.startswith("ifc.")
        assert extract.where
        return
    for finding in extract.warnings:
        assert finding.severity in ("info", "warning", "error")
        assert finding.count >= 1
        assert len(finding.where) <= NAMED
        (english, fix), (chinese, fix_zh) = explain(finding, "en"), explain(finding, "zh")
        assert english != chinese
        assert fix != fix_zh
        assert "{" not in english + chinese


def test_every_text_of_a_finding_is_whole() -> None:
    for code, text in texts().items():
        assert set(text) == {"severity", "en", "zh", "fix_en", "fix_zh"}, code
        assert text["severity"] in ("info", "warning", "error")


def storey(number: int, name: str, height: float, declared: float | None = None) -> str:
    """A storey placed at `height` m; uses ids `number` to `number + 3`."""
    gid, elevation = f"{number:022d}", height if declared is None else declared
    return (
        f"#{number}=IFCCARTESIANPOINT((0.,0.,{height}));\n#{number + 1}=IFCAXIS2PLACEMENT3D(#{number},$,$);\n"
        f"#{number + 2}=IFCLOCALPLACEMENT($,#{number + 1});\n"
        f"#{number + 3}=IFCBUILDINGSTOREY('{gid}',$,'{name}',$,$,#{number + 2},$,$,$,{elevation});\n"
    )


def test_storeys_on_each_other_too_close_and_out_of_order_are_named(tmp_path: Path) -> None:
    body = storey(100, "Level 1", 3.0) + storey(110, "Level 3", 6.0) + storey(120, "Level 2", 9.0)
    found = read(tmp_path, body + storey(130, "Roof", 9.0) + storey(140, "Top of roof", 9.5))
    assert found["storeys_order"] == 2
    assert found["storeys_same_height"] == 1
    assert found["storeys_close"] == 1


def test_basements_that_count_downwards_are_in_order(tmp_path: Path) -> None:
    body = storey(100, "B3", -9.0) + storey(110, "B2", -6.0) + storey(120, "B1", -3.0)
    assert "storeys_order" not in read(tmp_path, body)


def test_a_storey_whose_placement_contradicts_its_elevation_is_named(tmp_path: Path) -> None:
    body = storey(100, "A", 3.0) + storey(110, "B", 6.0) + storey(120, "C", 9.0, declared=12.0)
    assert read(tmp_path, body)["storey_elevation_differs"] == 1


def test_ports_joined_to_nothing_to_themselves_and_to_their_own_element_are_told_apart(tmp_path: Path) -> None:
    body = "#20=IFCPIPESEGMENT('000000000000000000000P',$,'P',$,$,$,$,$,$);\n"
    body += "".join(
        f"#{n}=IFCDISTRIBUTIONPORT('000000000000000000{n:04d}',$,$,$,$,$,$,$,$,$);\n" for n in range(21, 25)
    )
    body += "#30=IFCRELNESTS('00000000000000000000N1',$,$,$,#20,(#21,#22,#23));\n"
    body += "#31=IFCRELCONNECTSPORTS('00000000000000000000C1',$,$,$,#21,#22,$);\n"
    body += "#32=IFCRELCONNECTSPORTS('00000000000000000000C2',$,$,$,#23,#23,$);\n"
    found = read(tmp_path, body)
    assert {name: n for name, n in found.items() if name.startswith("port_")} == {
        "port_own_element": 1,
        "port_self_connected": 1,
        "port_unconnected": 2,
        "port_without_element": 1,
    }


def test_parts_that_contain_each_other_are_a_cycle(tmp_path: Path) -> None:
    body = "".join(f"#2{n}=IFCWALL('000000000000000000000{n}',$,'A',$,$,$,$,$,$);\n" for n in range(2))
    body += "#30=IFCRELAGGREGATES('00000000000000000000R1',$,$,$,#20,(#21));\n"
    body += "#31=IFCRELAGGREGATES('00000000000000000000R2',$,$,$,#21,(#20));\n"
    assert read(tmp_path, body)["containment_cycle"] == 2


def shapes(boxes: list[list[float]], lost: str | None = None, **options: object) -> dict[str, int]:
    """Findings of walls with these boxes, all on a storey at 0 m; `lost`: why the last one has no mesh."""
    return {finding.code.removeprefix("ifc."): finding.count for finding in shape_findings(boxes, lost, **options)}


def shape_findings(boxes: list[list[float]], lost: str | None = None, **options: object) -> list[Finding]:
    elements = [
        ElementEntry(i, f"{i:022d}", "IfcWall", storey=0, placement=(*([0.0] * 15), 1.0)) for i in range(len(boxes))
    ]
    extract = Extract(
        Header("IFC4", "IFC4", "a.ifc", 1), None, [StoreyEntry(0, "G", 0.0)], elements, [], [], [], [],
        {"IfcWall": ["IfcWall", "IfcElement"]}, {},
    )  # fmt: skip
    geometry = [ElementGeometry(i, "ifclite") for i in range(len(boxes))]
    if lost is not None:
        geometry[-1] = ElementGeometry(len(boxes) - 1, "lost", lost)
    return check_shapes(extract, geometry, np.array(boxes, np.float64), **options)  # type: ignore[arg-type]


def test_a_sound_model_has_no_geometric_findings() -> None:
    assert shapes([[0, 0, 0, 5, 0.2, 3], [5, 0, 0, 5.2, 4, 3]], shapes={0: b"a", 1: b"b"}) == {}


def test_a_body_without_a_surface_is_no_error_and_one_is_said_to_be_one() -> None:
    walls = [[0.0, i, 0.0, 5.0, i + 0.2, 3.0] for i in range(2)] + [[np.nan] * 6]
    for reason, code, severity in (
        (CURVES_ONLY, "curves_only", "info"),
        (ALL_OPENING, "all_opening", "warning"),
        ("SIGSEGV", "geometry_lost", "error"),
    ):
        [finding] = shape_findings(walls, reason)
        assert (finding.code, finding.severity, finding.count) == (f"ifc.{code}", severity, 1)
        assert finding.message.startswith("1 element ") and explain(finding, "en")[0] == finding.message
        assert explain(finding, "zh")[0].startswith("有 1 个构件")


def test_what_is_flat_stray_far_or_on_the_wrong_storey_is_named() -> None:
    walls = [[0.0, i, 0.0, 5.0, i + 0.2, 3.0] for i in range(9)]
    assert shapes([*walls, [1, 1, 0, 1, 1, 3]]) == {"zero_area": 1}
    assert shapes([*walls, [9000, 0, 0, 9001, 1, 3]]) == {"element_far_away": 1}
    assert shapes([*walls, [0, 0, -30, 1, 1, -20]]) == {"element_off_storey": 1}
    far = [[x0 + 4e6, y0, z0, x1 + 4e6, y1, z1] for x0, y0, z0, x1, y1, z1 in walls]
    assert shapes(far) == {"model_far_away": 1}
    assert shapes([[v / 1000 for v in wall] for wall in walls])["size_implausible"] == 1


def test_doubled_elements_need_the_same_shape_in_the_same_place() -> None:
    here, there = [0.0, 0, 0, 5, 0.2, 3], [0.0, 1, 0, 5, 1.2, 3]
    assert shapes([here, here], shapes={0: b"a", 1: b"a"}) == {"doubled_element": 1}
    assert shapes([here, there], shapes={0: b"a", 1: b"a"}) == {}
    assert shapes([here, here], shapes={0: b"a", 1: b"b"}) == {}
