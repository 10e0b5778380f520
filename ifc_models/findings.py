"""What is wrong or unusual in a model, counted by kind. Texts stand in `findings.toml` in Chinese and English."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ifc_models.extract import ElementEntry, Finding, StoreyEntry

if TYPE_CHECKING:  # this module explains findings in the server too, which never imports ifcopenshell
    import ifcopenshell

    from ifc_models.relations import Related
    from ifc_models.units import Units

NAMED: Final = 10  # places named per finding; the rest is counted
_GLOBAL_ID: Final = re.compile(r"[0-3][0-9A-Za-z_$]{21}")


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Code → severity, en, zh, fix_en, fix_zh."""
    return tomllib.loads(Path(__file__).with_name("findings.toml").read_text(encoding="utf-8"))


def is_global_id(value: str) -> bool:
    """22 characters of the alphabet 0-9A-Za-z_$ that hold 128 bits."""
    return _GLOBAL_ID.fullmatch(value) is not None


def explain(finding: Finding, language: str) -> tuple[str, str]:
    """What a finding means and how to fix it, in `en` or `zh`."""
    text = texts()[finding.code]
    return text[language].format(count=_Count(finding.count), **finding.params), text[f"fix_{language}"]


class _Count(int):
    """A number that takes its words along: `{count:element is|elements are}`."""

    def __format__(self, words: str) -> str:
        one, _, many = words.partition("|")
        return f"{int(self)} {one if self == 1 else many}" if words else str(int(self))


class Findings:
    """Counts findings by code and keeps the first places of each; a place that has several of a kind is named once."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}
        self._where: dict[str, list[str]] = {}
        self._parameters: dict[str, dict[str, str]] = {}

    def add(self, code: str, where: str | None = None, /, *, count: int = 1, **parameters: object) -> None:
        """One more place of kind `code`."""
        self._count[code] = self._count.get(code, 0) + count
        places = self._where.setdefault(code, [])
        if where is not None and len(places) < NAMED and where not in places:
            places.append(where)
        self._parameters.setdefault(code, {key: str(value) for key, value in parameters.items()})

    def list(self) -> list[Finding]:
        """The findings with their English text; `explain` gives the others."""
        result: list[Finding] = []
        for code, count in self._count.items():
            text = texts()[code]
            message = text["en"].format(count=_Count(count), **self._parameters[code])
            places = tuple(self._where[code])
            result.append(Finding(code, message, text["severity"], places, count, self._parameters[code]))
        return result


def check_model(
    found: Findings,
    file: "ifcopenshell.file",
    elements: list[ElementEntry],
    storeys: list[StoreyEntry],
    units: "Units",
    related: "Related",
) -> None:
    """Judge a read model: what facility work will miss in it."""
    projects = len(file.by_type("IfcProject"))
    if projects != 1:
        found.add("ifc.no_project" if projects == 0 else "ifc.several_projects")
    if not units.assigned:
        found.add("ifc.no_units")
    if not storeys:
        found.add("ifc.no_storeys")
    if not elements:
        found.add("ifc.empty")
    for key in related.dangling:
        found.add("ifc.dangling_relation", f"#{key}")
    for i in related.twice_contained:
        found.add("ifc.contained_twice", elements[i].global_id)
    _check_elements(found, elements)


def _check_elements(found: Findings, elements: list[ElementEntry]) -> None:
    for element in elements:
        if element.unsafe is not None:
            found.add("ifc.unsafe_geometry", element.global_id)
        if element.parent < 0 and element.has_body and element.ifc_class not in _TOP:
            found.add("ifc.not_contained", element.global_id)
        if element.has_body and element.placement is None and element.unsafe is None:
            found.add("ifc.no_placement", element.global_id)


_TOP: Final = frozenset(("IfcSite", "IfcBuilding", "IfcBuildingStorey", "IfcFacility", "IfcGrid", "IfcAnnotation"))
