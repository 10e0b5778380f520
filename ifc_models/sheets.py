"""Tables from strangers, read in the sandbox: CSV in whatever encoding, or the first sheet of an XLSX workbook.

A generic reader: cells become text, formulas are named and never evaluated, and everything has an end: rows, columns,
characters of a cell, bytes that a workbook unpacks to.
"""

import csv
import io
import mimetypes
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import msgspec

from ifc_models.protocol import Request
from twin.errors import Invalid, TooLarge

SHEET: Final = "sheet.msgpack"
MOST_COLUMNS: Final = 200
LONGEST: Final = 20_000  # characters of a cell
UNPACKED: Final = 256 << 20  # bytes of a workbook's parts together
ENTRIES: Final = 2_000
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS: Final = (",", ";", "\t", "|")


class SheetRow(msgspec.Struct, frozen=True, array_like=True):
    """A row with anything in it. `number` as a spreadsheet counts, from 1; `formulas`: columns that hold one."""

    number: int
    cells: list[str]
    formulas: list[int] = []


class Sheet(msgspec.Struct, frozen=True):
    """What was read: the first row with anything in it is the header."""

    header: list[str]
    rows: list[SheetRow]
    format: str  # csv | xlsx
    encoding: str | None = None
    delimiter: str | None = None


def run(request: Request) -> dict[str, Any]:
    """Read the table of a request into `SHEET`; option `most`: rows at the most."""
    sheet = read_sheet(Path(request.path), int(request.options["most"]))
    (Path(request.out) / SHEET).write_bytes(msgspec.msgpack.encode(sheet))
    return {"rows": len(sheet.rows)}


def load_sheet(folder: Path) -> Sheet:
    """What `run` wrote."""
    return msgspec.msgpack.decode((folder / SHEET).read_bytes(), type=Sheet)


def read_sheet(path: Path, most: int) -> Sheet:
    """Read a file. Raises Invalid (`sheet.…`) and TooLarge `sheet.too_many`."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return _sheet(_xlsx(path, most), "xlsx")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid("sheet.old_excel")
    text, encoding = _text(path.read_bytes())
    delimiter = _delimiter(text)
    return _sheet(_csv(text, delimiter, most), "csv", encoding, delimiter)


def _sheet(rows: Iterator[SheetRow], format: str, encoding: str | None = None, delimiter: str | None = None) -> Sheet:
    header = next(rows, None)
    if header is None:
        raise Invalid("sheet.empty")
    return Sheet([cell.strip() for cell in header.cells], list(rows), format, encoding, delimiter)


def _text(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: as its mark says, else UTF-8, else GB 18030 (Excel in China)."""
    marked = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = data.decode(name)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text, "utf-8" if name == "utf-8-sig" else name
    raise Invalid("sheet.encoding")


def _delimiter(text: str) -> str:
    """What stands most often in the first line with anything in it, outside of quotes."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=lambda each: (bare.count(each), -_DELIMITERS.index(each)))


def _csv(text: str, delimiter: str, most: int) -> Iterator[SheetRow]:
    csv.field_size_limit(LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    count = 0
    try:
        for number, cells in enumerate(reader, 1):
            if any(cell.strip() for cell in cells):
                count += 1
                yield _row(number, cells, [], count, most)
    except csv.Error as error:
        raise Invalid("sheet.csv", where=f"line {reader.line_num}", reason=str(error)) from None


def _row(number: int, cells: list[str], formulas: list[int], count: int, most: int) -> SheetRow:
    if count > most + 1:  # the header is one
        raise TooLarge("sheet.too_many", limit=most)
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise TooLarge("sheet.too_wide", limit=MOST_COLUMNS, where=f"row {number}")
    return SheetRow(number, cells, formulas)


def _xlsx(path: Path, most: int) -> Iterator[SheetRow]:
    mimetypes.knownfiles.clear()  # openpyxl would have lists opened that lie outside the sandbox
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _check_archive(path)
    try:
        book = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=False, keep_links=False)
        sheet = next((each for each in book.worksheets if each.sheet_state == "visible"), None)
        if sheet is None:
            raise Invalid("sheet.empty")
        sheet.reset_dimensions()  # what a file says of its own size is not believed
        count = 0
        for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
            formulas = [n for n, cell in enumerate(row) if cell.data_type == "f"]
            cells = [_cell(cell.value, cell.data_type) for cell in row]
            if any(cells):
                count += 1
                yield _row(number, cells, formulas, count, most)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError, OSError) as error:
        raise Invalid("sheet.xlsx", reason=f"{type(error).__name__}: {error}"[:300]) from None


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Invalid("sheet.xlsx", reason=str(error)[:300]) from None
    if len(entries) > ENTRIES or sum(each.file_size for each in entries) > UNPACKED:
        raise TooLarge("sheet.unpacked", limit=UNPACKED >> 20)
    if "[Content_Types].xml" not in {each.filename for each in entries}:
        raise Invalid("sheet.xlsx", reason="[Content_Types].xml")


def _cell(value: object, kind: str) -> str:
    """A cell as text; a formula as nothing: it is named, not evaluated."""
    if value is None or kind == "f":
        return "" if value is None else "="
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    text = str(value).replace("\0", "")
    if len(text) > LONGEST:
        raise TooLarge("sheet.cell", limit=LONGEST)
    return text
