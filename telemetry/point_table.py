"""A table's rows as drafts of points: which column says what, and what is said in a way that cannot be used."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from telemetry.point_import import Draft, Problem
from telemetry.point_values import field_of
from twin.errors import FieldError, Invalid, Language, text_of


class Row(Protocol):
    """`ifc_models.sheets.SheetRow`."""

    @property
    def number(self) -> int: ...
    @property
    def cells(self) -> list[str]: ...
    @property
    def formulas(self) -> list[int]: ...


def drafts_of(header: Sequence[str], rows: Iterable[Row], lang: Language) -> tuple[list[Draft], list[Problem]]:
    """Drafts, and the columns that were left out. Raises Invalid where nothing names the points, or two columns do."""
    fields = [field_of(heading) if heading else None for heading in header]
    known = [field for field in fields if field]
    twice = next((heading for n, heading in enumerate(header) if fields[n] and fields[n] in fields[:n]), None)
    if twice is not None:
        raise Invalid("point.import_column_twice", where=twice[:80], column=twice[:80])
    if "key" not in known:
        raise Invalid("point.import_no_key", where=", ".join(header)[:200])
    strange = [
        Problem(1, heading[:80], "point.import_column", text_of("point.import_column", lang, {"column": heading[:80]}))
        for heading, field in zip(header, fields, strict=True)
        if heading and field is None
    ]
    return [_draft(row, fields) for row in rows], strange


def _draft(row: Row, fields: Sequence[str | None]) -> Draft:
    wrong: list[FieldError] = []
    cells: dict[str, str] = {}
    for n, cell in enumerate(row.cells):
        field = fields[n] if n < len(fields) else None
        if n >= len(fields) and cell.strip():
            wrong.append(FieldError("", "point.import_cells"))
            break
        if field is None:
            continue
        if n in row.formulas:
            wrong.append(FieldError(field, "point.import_formula"))
        elif cell.strip():
            cells[field] = cell
    return Draft(row.number, cells, wrong)
