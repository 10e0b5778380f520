"""buildingSMART's own IDS test cases, hostile documents, and the texts of what failed."""

import re
from pathlib import Path
from typing import Any

import ifcopenshell
import pytest

from ifc_models.ids_check import MAX_BYTES, check_ids, parse_ids
from ifc_models.ids_result import IdsResult, facet_text, load_result, reason_text, write_result
from ifc_models.sandbox import WorkerLimits
from ifc_models.worker import WorkerPool
from tests.conftest import SHARED
from twin.errors import Invalid, TooLarge, TwinError

CASES = sorted((SHARED / "ids" / "bs_testcases").rglob("*.ids"))
DEVIATIONS = {
    # ifctester reads what the IDS schema allows; that a number written 42. is no integer is beyond the XSD.
    "invalid-integers_cannot_be_expressed_as_floating_point_numbers_2_2": "integer written with a decimal point",
    "invalid-integer_values_cannot_be_stored_with_decimal_2_4": "integer written with a decimal point",
    "invalid-integer_values_cannot_be_stored_with_decimal_3_4": "integer written with a decimal point",
}
HEAD = '<ids xmlns="http://standards.buildingsmart.org/IDS" xmlns:xs="http://www.w3.org/2001/XMLSchema">'


def run(path: Path) -> IdsResult:
    return check_ids(path, ifcopenshell.open(path.with_suffix(".ifc")), lambda done: None)


def _sampled(paths: list[Path]) -> list[Any]:
    """Every sixth case and every departure in each run, all of them as a drill."""
    return [
        pytest.param(
            path,
            id=f"{path.parent.name}/{path.stem}",
            marks=() if n % 6 == 0 or path.stem in DEVIATIONS else pytest.mark.drill,
        )
        for n, path in enumerate(paths)
    ]


@pytest.mark.parametrize("path", _sampled(CASES))
def test_buildingsmart_cases_come_out_as_their_names_say(path: Path) -> None:
    expected = "pass" if path.stem in DEVIATIONS else path.name.split("-")[0]
    if expected == "invalid":  # beyond the XSD: what such a document asks for can at least not be met
        assert outcome(path) != "pass"
    else:
        assert outcome(path) == expected


def outcome(path: Path) -> str:
    """pass, fail, or invalid where the document is refused or is not even applicable."""
    try:
        passed = all(each.status == "pass" for each in run(path).specifications)
    except Invalid as error:
        return "invalid" if error.code == "ids.invalid" else error.code
    return "pass" if passed else "fail"


@pytest.mark.parametrize("path", sorted((SHARED / "ids" / "audit_tool").rglob("*.ids")), ids=lambda path: path.stem)
def test_documents_of_the_audit_tool_are_read_or_refused_with_a_place(path: Path) -> None:
    refused: TwinError | None = None
    try:
        parse_ids(path)
    except TwinError as error:
        refused = error
    if refused is not None:
        assert refused.code in ("ids.invalid", "ids.not_xml", "ids.too_large")
        assert refused.where
        assert refused.text("zh") != refused.text("en")


def test_a_real_document_is_reported_per_specification_requirement_and_element(tmp_path: Path) -> None:
    document = SHARED / "ids" / "bs_development" / "IDS_wooden-windows.ids"
    model = ifcopenshell.open(SHARED / "ids" / "bs_development" / "IDS_wooden-windows_IFC.ifc")
    write_result(tmp_path, check_ids(document, model, lambda done: None))
    result = load_result(tmp_path)
    assert result.info["title"]
    for each in result.specifications:
        assert each.applicable == each.passed + each.failed == len(each.outcomes)
        assert each.failed == sum(bool(outcome.failures) for outcome in each.outcomes)
        for n, requirement in enumerate(each.requirements):
            failing = sum(any(f.requirement == n for f in outcome.failures) for outcome in each.outcomes)
            assert requirement.failed == failing
    assert sum(each.applicable for each in result.specifications) > 0


def test_requirements_and_reasons_read_in_both_languages() -> None:
    seen = 0
    for path in CASES[::7]:
        if not path.name.startswith("fail"):
            continue
        for each in run(path).specifications:
            for outcome in each.outcomes:
                for failure in outcome.failures:
                    if failure.requirement < 0:
                        continue
                    facet = each.requirements[failure.requirement]
                    for text in (facet_text(facet, "en"), reason_text(facet, failure, "en")):
                        assert text
                        assert "{" not in text
                    assert re.search("[一-鿿]", facet_text(facet, "zh") + reason_text(facet, failure, "zh"))
                    seen += 1
    assert seen > 10


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('<!DOCTYPE ids [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><ids>&b;</ids>', "ids.not_xml"),
        ('<!DOCTYPE ids SYSTEM "http://example.org/evil.dtd"><ids/>', "ids.not_xml"),
        ('<!DOCTYPE ids [<!ENTITY x SYSTEM "file:///etc/passwd">]><ids>&x;</ids>', "ids.not_xml"),
        ("<ids>", "ids.not_xml"),
        ("not xml", "ids.not_xml"),
        ("<html/>", "ids.invalid"),
        (f"{HEAD}<info><title>x</title></info></ids>", "ids.invalid"),
    ],
)
def test_hostile_and_broken_documents_are_refused(tmp_path: Path, document: str, code: str) -> None:
    path = tmp_path / "bad.ids"
    path.write_text(document)
    with pytest.raises(Invalid) as error:
        parse_ids(path)
    assert error.value.code == code
    assert error.value.where


def test_a_document_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.ids"
    path.write_bytes(b"<ids>" + b" " * MAX_BYTES + b"</ids>")
    with pytest.raises(TooLarge):
        parse_ids(path)
    path.write_text("<ids>" + "<a/>" * 200_001 + "</ids>")
    with pytest.raises(TooLarge):
        parse_ids(path)


async def test_the_sandboxed_worker_checks_a_model_and_refuses_a_bad_document(tmp_path: Path) -> None:
    folder = SHARED / "ids" / "bs_testcases" / "ids"
    case = folder / "fail-a_minimal_ids_can_check_a_minimal_ifc_1_2.ids"
    bad = tmp_path / "bad.ids"
    bad.write_text("<ids>")
    async with WorkerPool(limits=WorkerLimits(seconds=60)) as pool:
        await pool.do("ids", case.with_suffix(".ifc"), tmp_path, inputs={"ids": case})
        assert [each.status for each in load_result(tmp_path).specifications] == ["fail"]
        with pytest.raises(Invalid) as error:
            await pool.do("ids", case.with_suffix(".ifc"), tmp_path, inputs={"ids": bad})
    assert error.value.code == "ids.not_xml"
