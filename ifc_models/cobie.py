"""A COBie 2.4 workbook of a model, by ifcfm: contacts, facility, floors, spaces, types, components, systems, documents.

ifcfm gives up at the first element that it does not understand; here such an element is left out and counted, so that
one of them does not cost the other ten thousand. Runs in the worker.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import ifcfm
import ifcopenshell

from ifc_models.cobie_repair import repair
from ifc_models.findings import Findings
from ifc_models.tables import Cell, csv_lines, write_ods, write_xlsx
from ifc_models.text import clean_or_none
from twin.errors import Invalid

PRESET: Final = "cobie24"
FORMATS: Final = ("xlsx", "ods", "csv")
NOT_GIVEN: Final = "n/a"  # what COBie writes where a value is missing

_LEFT_OUT: Final = frozenset(("Coordinate",))  # ifcfm 0.9 stumbles there, and would ask a kernel for every room

Sheet = tuple[str, list[str], list[list[Cell]]]
_STUMBLES = (AttributeError, KeyError, TypeError, ValueError, IndexError, RuntimeError, ZeroDivisionError)


def write_cobie(file: ifcopenshell.file, out: Path, kind: str) -> dict[str, Any]:
    """Write `cobie.xlsx`, `cobie.ods` or a CSV per sheet into the folder `out`; rows per sheet, what was skipped."""
    if kind not in FORMATS:
        raise Invalid("export.format", where="format", format=kind, known=", ".join(FORMATS))
    found = Findings()
    sheets = cobie_sheets(file, found)
    if kind == "csv":
        for name, header, rows in sheets:
            lines = csv_lines(header, rows, bom=True)
            (out / f"{name}.csv").write_text("".join(lines), encoding="utf-8", newline="")
    else:
        (write_xlsx if kind == "xlsx" else write_ods)(out / f"cobie.{kind}", sheets)
    skipped = sum(each.count for each in found.list())
    return {"rows": {name: len(rows) for name, _, rows in sheets}, "skipped": skipped}


def cobie_sheets(file: ifcopenshell.file, found: Findings) -> list[Sheet]:
    """Every worksheet of COBie 2.4 with its rows. Names in the opened file are made distinct."""
    repair(file)
    parser = ifcfm.Parser(preset=copy.deepcopy(ifcfm.get_presets_configs()[PRESET]))
    _take_people(file, parser.config["categories"])
    for name, category in parser.config["categories"].items():
        if name in _LEFT_OUT:
            continue
        for element in _elements(file, category, found):
            data = _data(file, element, category, found)
            if data:
                _keep(parser.categories[name], name, data, category["keys"])
    return [
        (name, list(category["headers"]), _rows(parser.categories.get(name, {}), category))
        for name, category in parser.config["categories"].items()
    ]


def _keep(rows: dict[str, dict[str, Any]], sheet: str, data: dict[str, Any], keys: list[str]) -> None:
    """Put a row under its key. What else tells rows apart that COBie has one key for: people by name where they have no
    address, properties of one name by their set."""
    if sheet == "Contact" and not data.get("Email"):
        keys = ["Company", "GivenName", "FamilyName"]
    key = _key(data, keys)
    if sheet == "Attribute" and key in rows and rows[key]["Value"] != data["Value"]:
        data["Name"] = f"{data['Name']} ({data['ExternalObject']})"
        key = _key(data, keys)
    rows[key] = data


def _key(data: dict[str, Any], keys: list[str]) -> str:
    return "-".join(str(data.get(key)) for key in keys)


def _take_people(file: ifcopenshell.file, categories: dict[str, Any]) -> None:
    """Contacts are IfcActor in COBie 2.4; files made before it have IfcPersonAndOrganization only."""
    if not file.by_type("IfcActor"):
        categories["Contact"] = copy.deepcopy(ifcfm.get_presets_configs()["cobie24legacy"]["categories"]["Contact"])


def _elements(file: ifcopenshell.file, category: dict[str, Any], found: Findings) -> Iterator[Any]:
    try:
        elements = iter(category["get_category_elements"](file))
    except _STUMBLES:
        found.add("ifc.cobie_skipped", None)
        return
    while True:
        try:
            yield next(elements)
        except StopIteration:
            return
        except _STUMBLES:
            found.add("ifc.cobie_skipped", None)
            return


def _data(file: ifcopenshell.file, element: Any, category: dict[str, Any], found: Findings) -> dict[str, Any]:
    try:
        return dict(category["get_element_data"](file, element) or {})
    except _STUMBLES:
        found.add("ifc.cobie_skipped", getattr(element, "GlobalId", None))
        return {}


def _rows(data: dict[str, dict[str, Any]], category: dict[str, Any]) -> list[list[Cell]]:
    rows = [[_cell(row.get(header)) for header in category["headers"]] for row in data.values()]
    for sort in reversed(category.get("sort") or ()):
        at = category["headers"].index(sort["name"])
        rows.sort(key=lambda row: str(row[at]).lower(), reverse=sort["order"] == "DESC")
    return rows


def _cell(value: Any) -> Cell:
    if value is None or value == "":
        return NOT_GIVEN
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple, set)):
        return ",".join(str(_cell(each)) for each in value) or NOT_GIVEN
    return clean_or_none(str(value)) or NOT_GIVEN
