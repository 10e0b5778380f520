"""What goes out again: enriched IFC files, COBie workbooks, tables that no spreadsheet runs."""

import csv
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.util.element
import msgspec
import openpyxl
import pytest
from odf.opendocument import load as load_ods
from odf.table import TableCell

from ifc_models.cobie import cobie_sheets, write_cobie
from ifc_models.enrich import enrich_file
from ifc_models.enrichment import Additions, Document, Enrichment
from ifc_models.findings import Findings
from ifc_models.tables import BOM, csv_lines, write_ods, write_xlsx
from ifc_models.worker import WorkerPool
from tests.conftest import SHARED
from tests.ifc_models import hostile
from twin.errors import Invalid

HANDOVER = SHARED / "ifc" / "cobie_fm" / "2012-03-23-Duplex-Handover.ifc"
MODELS = (SHARED / "ifc" / "arch" / "AC20-FZK-Haus.ifc", HANDOVER)


def additions(global_id: str) -> Enrichment:
    """One element with one of everything."""
    odd = "=1+1 'quoted' back\\slash 泵 🚰\n"
    return Enrichment(
        "model-1",
        [
            Additions(
                global_id,
                0,
                {"Twin_Own": {"Text": odd, "Flag": True, "Count": 7, "Ratio": 1e-7, "Big": 10**12}},
                [Document("https://example.org/m?a=1", "M-1", "手册")],
                [("Brick", "Zone_Air_Temperature_Sensor")],
            ),
            Additions("0000000000000000000zzz", 0, {"Twin_Own": {"a": 1}}),
        ],
    )


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_an_enriched_file_opens_and_differs_from_the_original_by_the_additions_only(path: Path, tmp_path: Path) -> None:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    before = ifcopenshell.open(path)
    product = next(e for e in before.by_type("IfcElement"))
    what = additions(product.GlobalId)
    answer = enrich_file(path, before, what, tmp_path / "out.ifc")
    assert answer["elements"] == 1
    assert answer["missing"] == 1
    original, made = path.read_bytes(), (tmp_path / "out.ifc").read_bytes()
    start = len(os.path.commonprefix([original, made]))  # noqa: RUF071  bytes, not paths
    assert made.endswith(original[start:])
    assert made[:start] == original[:start]
    added = made[start : len(made) - len(original) + start].decode("ascii")
    assert added.count("\n") == answer["entities"]

    after = ifcopenshell.open(tmp_path / "out.ifc")
    psets = ifcopenshell.util.element.get_psets(after.by_guid(product.GlobalId))
    own = {name: value for name, value in psets["Twin_Own"].items() if name != "id"}
    assert own == {**what.elements[0].psets["Twin_Own"], "Big": 1e12}
    document = next(r.RelatingDocument for r in after.by_type("IfcRelAssociatesDocument") if r not in before)
    assert (document.Location, document.Name) == ("https://example.org/m?a=1", "手册")
    brick = next(c for c in after.by_type("IfcClassificationReference") if c.Name == "Zone_Air_Temperature_Sensor")
    assert brick.ReferencedSource.Name == "Brick"
    roots = [entity.GlobalId for entity in after.by_type("IfcRoot")]
    assert {entity.GlobalId for entity in before.by_type("IfcRoot")} <= set(roots)
    assert len(roots) - len(before.by_type("IfcRoot")) == 4


def test_the_same_export_has_the_same_global_ids_and_an_export_of_an_export_has_no_repeated_ones(
    tmp_path: Path,
) -> None:
    path = hostile.good(tmp_path / "walls.ifc")
    what = additions("000000000000000000000A")
    for name in ("one", "two"):
        enrich_file(path, ifcopenshell.open(path), what, tmp_path / f"{name}.ifc")
    assert (tmp_path / "one.ifc").read_bytes() == (tmp_path / "two.ifc").read_bytes()
    enrich_file(tmp_path / "one.ifc", ifcopenshell.open(tmp_path / "one.ifc"), what, tmp_path / "again.ifc")
    roots = [entity.GlobalId for entity in ifcopenshell.open(tmp_path / "again.ifc").by_type("IfcRoot")]
    assert len(roots) == len(set(roots))


async def test_the_sandboxed_worker_enriches_a_file(tmp_path: Path) -> None:
    path = hostile.good(tmp_path / "walls.ifc")
    what = tmp_path / "what.msgpack"
    what.write_bytes(msgspec.msgpack.encode(additions("000000000000000000000A")))
    out = tmp_path / "out"
    out.mkdir()
    async with WorkerPool() as pool:
        answer = await pool.do("enrich", path, out, inputs={"enrichment": what})
        assert answer["elements"] == 1
    assert ifcopenshell.open(out / "enriched.ifc").by_type("IfcDocumentReference")


@pytest.fixture(scope="module")
def published() -> dict[str, set[Any]]:
    """The names in the workbook that was published with the model, by sheet."""
    book = openpyxl.load_workbook(SHARED / "cobie" / "bs_community" / "2012-03-23-Duplex-Handover.xlsx", read_only=True)
    return {
        name: {row[0] for row in book[name].iter_rows(min_row=2, max_col=1, values_only=True)} - {None, ""}
        for name in ("Facility", "Floor", "Space", "Type", "Component")
    }


@pytest.mark.parametrize("kind", ["xlsx", "ods", "csv"])
def test_cobie_of_the_duplex_has_as_many_rows_as_the_published_workbook(
    kind: str, published: dict[str, set[Any]], tmp_path: Path
) -> None:
    wanted = {name: len(rows) for name, rows in published.items()}
    answer = write_cobie(ifcopenshell.open(HANDOVER), tmp_path, kind)
    assert {name: answer["rows"][name] for name in wanted} == wanted
    assert answer["skipped"] == 0
    assert answer["rows"]["Contact"] == 59
    if kind == "xlsx":
        book = openpyxl.load_workbook(tmp_path / "cobie.xlsx", read_only=True)
        ours = {row[0] for row in book["Component"].iter_rows(min_row=2, values_only=True)}
        assert len(ours & published["Component"]) > 200
    elif kind == "ods":
        with zipfile.ZipFile(tmp_path / "cobie.ods") as archive:
            assert archive.read("content.xml").count(b"<table:table ") == 16
    else:
        with (tmp_path / "Component.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.reader(file))) == 233


@pytest.mark.parametrize(
    ("name", "components"),
    [("arch/KIT-EDC_with_SB", 143), ("mep/b03_heating_with_building_props_bonsai", 35)],
    ids=["doors and windows without a name or a place of their own", "a history without a user"],
)
def test_what_ifcfm_stumbles_over_costs_no_row(name: str, components: int) -> None:
    file, found = ifcopenshell.open(SHARED / "ifc" / f"{name}.ifc"), Findings()
    sheets = {sheet: (header, rows) for sheet, header, rows in cobie_sheets(file, found)}
    header, rows = sheets["Component"]
    identifier, own_name, of_type = (header.index(each) for each in ("ExternalIdentifier", "Name", "TypeName"))
    assert len({row[identifier] for row in rows}) == len({row[own_name] for row in rows}) == len(rows) == components
    assert {row[of_type] for row in rows} <= {row[0] for row in sheets["Type"][1]}
    assert found.list() == []
    assert len(sheets["Facility"][1]) == 1


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        write_cobie(ifcopenshell.open(hostile.good(tmp_path / "a.ifc")), tmp_path, "pdf")
    assert error.value.code == "export.format"


HARMFUL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def test_no_cell_of_a_csv_begins_as_a_formula_and_numbers_stay_numbers() -> None:
    text = "".join(csv_lines(["a"], [[cell] for cell in (*HARMFUL, "-12.5", "+3", "plain")], bom=True))
    assert text.startswith(BOM)
    cells = [row[0] for row in csv.reader(io.StringIO(text.removeprefix(BOM), newline=""))][1:]
    assert cells[-3:] == ["-12.5", "+3", "plain"]
    assert all(cell.startswith("'") and cell[1:] == raw for cell, raw in zip(cells, HARMFUL, strict=False))


def test_cells_of_an_xlsx_are_text_and_no_formulas(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [("Sheet/1", ["a", "b"], [[cell, 1.5] for cell in (*HARMFUL, "bad \x01 char")])])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells[:4]] == HARMFUL[:4]
    assert sheet["B2"].value == 1.5


def test_an_ods_holds_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    write_ods(tmp_path / "a.ods", [("A & B", ["a"], [["=1+1"], ["<泵> \x01"], [1.5], [None]])])
    cells = load_ods(str(tmp_path / "a.ods")).spreadsheet.getElementsByType(TableCell)
    assert [cell.getAttribute("valuetype") for cell in cells] == ["string", "string", "string", "float", "string"]
    assert [str(cell) for cell in cells] == ["a", "=1+1", "<泵> \ufffd", "1.5", ""]
