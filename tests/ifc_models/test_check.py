"""Files that cannot be used are refused with a code and a place; what is odd in the others is said."""

import json
import zipfile
from pathlib import Path

import pytest

from ifc_models.check import escape_raw_text, prepare
from ifc_models.extract import Extract
from ifc_models.findings import explain, texts
from tests.ifc_models import hostile
from tests.ifc_models.conftest import SHARED, read_here, read_or_error
from twin.errors import Invalid, TooLarge, TwinError


def read(path: Path) -> Extract:
    """What a worker would read, in this process: only for files that are known not to kill it."""
    return read_here(path, path.parent)


def codes(extract: Extract) -> set[str]:
    return {finding.code for finding in extract.warnings}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "ifc.empty_file"),
        (b" \n\r\n", "ifc.empty_file"),
        (b"%PDF-1.7 something", "ifc.not_ifc"),
        (b"hello", "ifc.not_ifc"),
        (b"<?xml version='1.0'?><ifc/>", "ifc.xml"),
        (b"PK\x03\x04 no archive", "ifc.zip_broken"),
        (b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n", "ifc.no_schema"),
        (b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n#1=IFCWALL('x", "ifc.truncated"),
    ],
)
def test_what_is_no_whole_ifc_file_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.ifc"
    path.write_bytes(content)
    with pytest.raises(Invalid) as error:
        prepare(path, tmp_path, max_bytes=1 << 30)
    assert error.value.code == code
    assert error.value.where
    assert error.value.text("zh") != error.value.text("en")


@pytest.mark.parametrize("packed", [False, True])
def test_who_reads_a_prepared_file_keeps_it_while_another_process_prepares_it(tmp_path: Path, packed: bool) -> None:
    """Reading and meshing do, side by side and in one folder; a file that is written anew is empty for a moment."""
    path = hostile.good(tmp_path / "whole.ifc")
    path.write_bytes(path.read_bytes().replace(b"'IFC4'", b"'IFC4X3'"))  # repaired, too
    if packed:
        with zipfile.ZipFile(tmp_path / "whole.ifczip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "whole.ifc")
        path = tmp_path / "whole.ifczip"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    prepare(path, scratch, max_bytes=1 << 30)
    before = {each: each.stat().st_ino for each in scratch.iterdir()}
    assert len(before) == 1 + packed
    reading = [each.open("rb") for each in before]
    prepare(path, scratch, max_bytes=1 << 30)
    after = {each: each.stat().st_ino for each in scratch.iterdir()}
    assert after.keys() == before.keys()
    assert all(after[each] != before[each] for each in before)  # never the file that somebody has open
    for each in reading:
        with each:
            assert each.read().rstrip().endswith(b"END-ISO-10303-21;")


def test_a_truncated_file_says_where_it_ends(tmp_path: Path) -> None:
    path = hostile.good(tmp_path / "whole.ifc")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"#31=") + 20])
    with pytest.raises(Invalid) as error:
        read(path)
    assert error.value.code == "ifc.truncated"
    assert "after #30" in (error.value.where or "")


@pytest.mark.parametrize("schema", ["IFC2X_FINAL", "IFC2X2_FINAL", "AUTOMOTIVE_DESIGN"])
def test_schemas_nobody_can_read_are_refused(tmp_path: Path, schema: str) -> None:
    with pytest.raises(Invalid) as error:
        read(hostile.write(tmp_path / "old.ifc", hostile.BASE, schema=schema))
    assert error.value.code == "ifc.schema_unsupported"
    assert error.value.where == "line 5"


@pytest.mark.parametrize("schema", ["IFC4X3", "IFC4X3_ADD1", "IFC4X3_RC4", "ifc4x3_add2"])
def test_the_many_names_of_ifc4x3_are_read_as_one(tmp_path: Path, schema: str) -> None:
    extract = read(hostile.write(tmp_path / "new.ifc", hostile.BASE, schema=schema))
    assert extract.header.schema == "IFC4X3_ADD2"
    assert ("ifc.schema_mapped" in codes(extract)) == (schema.upper() != "IFC4X3_ADD2")


def test_a_model_without_units_storeys_or_project_is_read_and_said_to_be_so(tmp_path: Path) -> None:
    extract = read(hostile.write(tmp_path / "bare.ifc", "#1=IFCWALL('0000000000000000000001',$,'W',$,$,$,$,$,$);\n"))
    assert {"ifc.no_project", "ifc.no_units", "ifc.no_storeys"} <= codes(extract)
    assert len(extract.elements) == 1


def test_an_empty_model_is_read_and_said_to_be_so(tmp_path: Path) -> None:
    assert "ifc.empty" in codes(read(hostile.write(tmp_path / "empty.ifc", "")))


def test_repeated_missing_and_malformed_global_ids_are_told_apart_and_counted(tmp_path: Path) -> None:
    body = "".join(
        f"#{n}=IFCWALL({gid},$,'W{n}',$,$,$,$,$,$);\n"
        for n, gid in enumerate(["'0000000000000000000001'", "'0000000000000000000001'", "$", "'short'"], 20)
    )
    extract = read(hostile.write(tmp_path / "ids.ifc", hostile.BASE + body))
    walls = [e for e in extract.elements if e.ifc_class == "IfcWall"]
    assert [w.occurrence for w in walls] == [0, 1, 0, 0]
    assert len({(w.global_id, w.occurrence) for w in walls}) == 4
    assert {"ifc.global_id_repeated", "ifc.global_id_missing", "ifc.global_id_malformed"} <= codes(extract)


def test_a_made_global_id_is_the_same_next_time(tmp_path: Path) -> None:
    path = hostile.write(tmp_path / "none.ifc", "#1=IFCWALL($,$,'Wall 1',$,$,$,$,$,$);\n")
    assert read(path).elements[0].global_id == read(path).elements[0].global_id


def test_unknown_classes_and_repeated_numbers_are_counted(tmp_path: Path) -> None:
    body = "#20=IFCHOVERBOARD('x',$);\n" + "#21=IFCWALL('0000000000000000000003',$,'A',$,$,$,$,$,$);\n" * 2
    found = {f.code: f for f in read(hostile.write(tmp_path / "odd.ifc", hostile.BASE + body)).warnings}
    assert found["ifc.unreadable_entities"].where == ("line 19",)
    assert "ifc.step_id_repeated" in found


def test_a_broken_value_names_the_line(tmp_path: Path) -> None:
    body = (
        hostile.BASE + "#20=IFCPROPERTYSINGLEVALUE('n',$,IFCREAL(1.E500),$);\n#21=IFCPROPERTYSET('x',$,'P',$,(#20));\n"
    )
    body += "#22=IFCRELDEFINESBYPROPERTIES('y',$,$,$,(#8),#21);\n"
    with pytest.raises(Invalid) as error:
        read(hostile.write(tmp_path / "value.ifc", body))
    assert (error.value.code, error.value.where) == ("ifc.syntax", "line 19")


def test_numbers_beyond_31_bits_are_refused_with_the_line(tmp_path: Path) -> None:
    body = hostile.BASE + "#4294967298=IFCWALL('0000000000000000000003',$,'A',$,$,$,$,$,$);\n"
    with pytest.raises(Invalid) as error:
        read(hostile.write(tmp_path / "big.ifc", body))
    assert (error.value.code, error.value.where) == ("ifc.id_too_large", "line 19")


def test_a_million_parentheses_are_refused_before_the_parser_sees_them(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        read(hostile.parentheses(tmp_path / "deep.ifc"))
    assert (error.value.code, error.value.where) == ("ifc.too_deep", "line 19")


def test_parentheses_in_names_do_not_count(tmp_path: Path) -> None:
    body = hostile.BASE + "".join(
        f"#{n}=IFCWALL('00000000000000000000{n}',$,'((((((((((((((((((((((((((((((((((((((((',$,$,$,$,$,$);\n"
        for n in range(20, 99)
    )
    assert len(read(hostile.write(tmp_path / "smile.ifc", body)).elements) == 80


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_raw_chinese_text_is_kept(tmp_path: Path, encoding: str) -> None:
    path = hostile.good(tmp_path / "raw.ifc")
    path.write_bytes(path.read_bytes().replace(b"'S'", "'地下一层'".encode(encoding)))
    assert [s.name for s in read(path).storeys] == ["地下一层"]


def test_raw_western_text_is_kept() -> None:
    assert escape_raw_text("Stütze".encode("cp1252")) == b"St\\X2\\00FC\\X0\\tze"


def test_an_archive_that_unpacks_too_far_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge) as error:
        read(hostile.zip_bomb(tmp_path / "bomb.ifczip"))
    assert error.value.code == "ifc.zip_bomb"
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) < 150 << 20


def test_an_archive_cannot_write_outside(tmp_path: Path) -> None:
    slipped = Path("/tmp/slipped.ifc")
    assert not slipped.exists()
    extract = read(hostile.zip_slip(tmp_path / "slip.ifczip", hostile.good(tmp_path / "good.ifc")))
    assert len(extract.elements) == 3
    assert not slipped.exists()


def test_cycles_and_depth_are_found_without_recursion(tmp_path: Path) -> None:
    for make in (hostile.self_placed, hostile.deep_placements, hostile.self_boolean, hostile.deep_booleans):
        folder = tmp_path / make.__name__
        folder.mkdir()
        extract = read(make(folder / "model.ifc"))
        unsafe = {e.global_id: e.unsafe for e in extract.elements if e.unsafe}
        assert list(unsafe) == ["000000000000000000000A"], make.__name__
        assert "ifc.unsafe_geometry" in codes(extract)


def test_every_malformed_file_gives_a_clear_error_or_a_report(tmp_path: Path) -> None:
    files = sorted((SHARED / "malformed").rglob("*.ifc"))
    if not files:
        pytest.skip(f"{SHARED / 'malformed'} is not there")
    refused = 0
    for number, file in enumerate(files):
        out = tmp_path / str(number)
        out.mkdir()
        extract = read_or_error(file, out)
        if isinstance(extract, TwinError):
            assert extract.code.startswith("ifc."), file
            assert extract.where, file
            refused += 1
            continue
        for finding in extract.warnings:
            assert explain(finding, "zh") != explain(finding, "en")
        for element in extract.elements:
            assert isinstance(json.loads(element.psets), dict)
            assert isinstance(json.loads(element.attributes), dict)
    assert 0 < refused < len(files) / 10


def test_the_real_file_with_double_global_ids_is_read_whole(tmp_path: Path) -> None:
    path = SHARED / "malformed" / "bim2sim" / "AC20-FZK-Haus_NoneAndDoubleGUID.ifc"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    extract = read(copy)
    assert len({(e.global_id, e.occurrence) for e in extract.elements}) == len(extract.elements)
    assert {"ifc.global_id_repeated", "ifc.global_id_missing"} & codes(extract)


def test_every_finding_has_both_texts_a_fix_and_a_severity() -> None:
    for code, text in texts().items():
        assert text["severity"] in ("info", "warning", "error"), code
        for key in ("en", "zh", "fix_en", "fix_zh"):
            assert text[key], (code, key)
