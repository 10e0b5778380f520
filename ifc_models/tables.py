"""Tables as files: CSV for people and programs, XLSX and ODS. What a model's author wrote is text, never a formula.

A cell of a CSV that a spreadsheet would take for a formula (it begins with = + - @, a tab or a return) gets an
apostrophe in front; numbers stay numbers. In XLSX and ODS such a cell is marked as text, and nothing is changed.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

BOM: Final = "\ufeff"  # without it, Excel in Chinese reads UTF-8 as GBK
MAX_CELL: Final = 32_767  # characters that Excel takes
MAX_SHEET_ROWS: Final = 1_048_575  # below the header
_FORMULA: Final = re.compile(r"^[=+\-@\t\r]")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0 cannot hold them

Cell = str | int | float | bool | None


def csv_lines(header: Sequence[str] | None, rows: Iterable[Sequence[Cell]], *, bom: bool = False) -> Iterator[str]:
    """The lines of a CSV (RFC 4180), one at a time; `bom` for spreadsheets that guess. No header: a part of a table."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if bom:
        yield BOM
    for row in rows if header is None else _with_header(header, rows):
        writer.writerow([harmless(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _with_header(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield header
    yield from rows


def harmless(cell: Cell) -> Cell:
    """A CSV cell that no spreadsheet runs (OWASP, CSV injection)."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _is_number(cell):
        return "'" + cell
    return cell


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+([.,]\d+)?", text) is not None


def write_xlsx(path: Path, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]) -> None:
    """Write (name, header, rows) as worksheets, row by row; rows beyond what Excel opens are left out."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    for name, header, rows in sheets:
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", "_", name)[:31] or "Sheet")
        sheet.freeze_panes = "A2"
        titles = [WriteOnlyCell(sheet, title) for title in header]
        for title in titles:
            title.font = Font(bold=True)
        sheet.append(titles)
        for n, row in enumerate(rows):
            if n >= MAX_SHEET_ROWS:
                break
            sheet.append([_xlsx_cell(sheet, cell) for cell in row])
    book.save(path)


def _xlsx_cell(sheet: Any, value: Cell) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, _ILLEGAL.sub("\ufffd", value)[:MAX_CELL])
    cell.data_type = "s"  # or what begins with = would be a formula, what begins with # an error
    return cell


def write_ods(path: Path, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]) -> None:
    """Write (name, header, rows) as an OpenDocument spreadsheet (ISO/IEC 26300), cell by cell."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS, zipfile.ZIP_STORED)  # first and not packed, so that it can be sniffed
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        with archive.open("content.xml", "w", force_zip64=True) as file:
            file.write(_CONTENT.encode())
            for name, header, rows in sheets:
                file.write(f"<table:table table:name={quoteattr(name)}>".encode())
                for row in _with_header(header, rows):
                    line = "".join(map(_ods_cell, row))
                    file.write(f"<table:table-row>{line}</table:table-row>".encode())
                file.write(b"</table:table>")
            file.write(b"</office:spreadsheet></office:body></office:document-content>")


def _ods_cell(cell: Cell) -> str:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        value = f'office:value-type="float" office:value="{cell!r}"'
        return f"<table:table-cell {value}><text:p>{cell}</text:p></table:table-cell>"
    text = escape(_ILLEGAL.sub("\ufffd", "" if cell is None else str(cell)))
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


_ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_MANIFEST: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?><m:manifest xmlns:m="{_NAMES}manifest:1.0" m:version="1.2">'
    f'<m:file-entry m:full-path="/" m:media-type="{_ODS}"/>'
    '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
)
_CONTENT: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{_NAMES}office:1.0"'
    f' xmlns:table="{_NAMES}table:1.0" xmlns:text="{_NAMES}text:1.0" office:version="1.2">'
    "<office:body><office:spreadsheet>"
)
