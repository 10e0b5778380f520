"""Files of readings from strangers, read in the sandbox: CSV (also zipped with gzip, in whatever encoding) and Parquet.

A file is looked at once (`preview`), made seekable (`prepare`), then read in parts: each call takes a cursor, writes
some chunks of readings and says where the next call goes on. So memory, and what a crash costs, does not grow with the
file. A generic reader, like `ifc_models.sheets`: whose readings they are is the caller's business.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from ifc_models.protocol import Request
from ifc_models.reading_chunks import Chunk, Cursor, Table, chunk_of
from ifc_models.reading_mapping import (
    DELIMITERS,
    ISO,
    TableMapping,
    check_names,
    guess_decimal,
    guess_format,
    guess_mapping,
    kind_of,
    mapping_of,
    parts_of,
)
from twin.errors import Invalid, TooLarge

READY: Final = "table.csv"  # what `prepare` makes of a file that is no plain UTF-8
CELLS: Final = 50_000  # readings of a chunk, about
CHUNKS: Final = 4  # of one call
SHOWN: Final = 200  # rows of a preview that are looked at
MOST_COLUMNS: Final = 2_000
LONGEST_LINE: Final = 1 << 20
HEAD: Final = 4 << 20  # bytes that a preview reads
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def run(request: Request) -> dict[str, Any]:
    """Do what option `do` says: preview, prepare or read."""
    path, out, options = Path(request.path), Path(request.out), request.options
    if options["do"] == "preview":
        return _preview(path, options)
    if options["do"] == "prepare":
        return _prepare(path, out, request.limits.input_bytes)
    return _read(path, out, options)


def is_parquet(path: Path) -> bool:
    """Say whether a file is Parquet: by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


# Preview


def _preview(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Columns, first rows and the likeliest meaning; with a mapping, what it makes of the first rows."""
    given = None if options.get("mapping") is None else mapping_of(options["mapping"])
    if is_parquet(path):
        from ifc_models import reading_parquet

        table, total = reading_parquet.head(path, SHOWN)
        delimiter = encoding = None
    else:
        text, encoding = _head(path)
        delimiter = (given and given.delimiter) or _guess_delimiter(text)
        table, total = _csv_head(text, delimiter, None if given is None else given.header), None
    columns = [[row[i] if i < len(row) else "" for row in table.rows] for i in range(len(table.names))]
    decimal = (given and given.decimal) or guess_decimal([cell for each in columns for cell in each], delimiter)
    kinds = [kind_of(each, decimal) for each in columns]
    mapping = given or guess_mapping(table.names, kinds, columns)
    # What is not said is settled here, so that no later part of the file is understood in another way.
    mapping.format = mapping.format or guess_format(_times(mapping, table))
    mapping.decimal, mapping.delimiter = mapping.decimal or decimal, mapping.delimiter or delimiter
    mapping.header = table.header if mapping.header is None else mapping.header
    said = _try(table, mapping, options["zone"])
    return {
        "columns": [
            {"name": n, "type": k, "sample": c[:5]} for n, k, c in zip(table.names, kinds, columns, strict=True)
        ],
        "rows": [row[:MOST_COLUMNS] for row in table.rows[:20]],
        "mapping": msgspec.to_builtins(mapping),
        "encoding": encoding,
        "total": total,
        **said,
    }


def _times(mapping: TableMapping, table: Table) -> list[str]:
    taken = parts_of(mapping.ts, table.names)
    return table.filled(mapping.ts, taken) if taken else []


def _try(table: Table, mapping: TableMapping, zone: str) -> dict[str, Any]:
    """What a mapping makes of the first rows, or why it makes nothing of them."""
    try:
        chunk = chunk_of(table, mapping, zone, Cursor())
    except Invalid as error:
        return {"keys": [], "readings": [], "unreadable": [], "problem": _described(error)}
    readings = [
        {"row": row, "point": chunk.keys[key], "ts": ts, "value": value}
        for row, key, ts, value in zip(*chunk.columns(10), strict=True)
    ]
    refused = [msgspec.to_builtins(each) for each in chunk.unreadable[:20]]
    return {"keys": chunk.keys, "readings": readings, "unreadable": refused, "problem": None}


def _described(error: Invalid) -> dict[str, Any]:
    return {"code": error.code, "params": error.params, "where": error.where}


# CSV


def _open(path: Path) -> BinaryIO:
    """The file, unzipped where it is zipped."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if zipped else path.open("rb")


def _head(path: Path) -> tuple[str, str]:
    """The first lines of a text file and their encoding."""
    try:
        with _open(path) as file:
            data = file.read(HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid("table.gzip", reason=str(error)[:200]) from None
    encoding = _encoding_of(data)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    if len(data) == HEAD:
        text = text[: text.rfind("\n") + 1] or text
    if not text.strip():
        raise Invalid("table.empty")
    return text, encoding


def _encoding_of(data: bytes) -> str:
    """As the mark says, else UTF-8, else GB 18030 (Excel in China); a byte that is no text ends it."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            text = decoder.decode(data)
        except UnicodeError:
            continue
        if "\0" not in text:
            return name
    raise Invalid("table.encoding")


def _guess_delimiter(text: str) -> str:
    """What splits the first lines into the same number of columns, and most of them."""
    lines = [line for line in text.splitlines()[:60] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:  # told when the file is read
            return 0, 0
        common = max(set(widths), key=widths.count)
        return (widths.count(common) if common > 1 else 0), common

    return max(DELIMITERS, key=score)


def _csv_head(text: str, delimiter: str, header: int | None) -> Table:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, cells))
            if len(rows) > SHOWN + 20:
                break
    except csv.Error as error:
        raise Invalid("table.csv", where=f"line {reader.line_num}", reason=str(error)) from None
    number = _guess_header([cells for _, cells in rows], [n for n, _ in rows]) if header is None else header
    below = [(n, cells) for n, cells in rows if n > number]
    names = _names(next((cells for n, cells in rows if n == number), None), below)
    return Table(names, [cells for _, cells in below][:SHOWN], [n for n, _ in below][:SHOWN], number)


def _guess_header(rows: Sequence[Sequence[str]], lines: Sequence[int]) -> int:
    """The line that names the columns: that before the first with a time, 0: none; else the first as wide as most."""
    first = next((i for i, cells in enumerate(rows) if any(kind_of([cell], ".") == "time" for cell in cells)), None)
    if first is not None:
        return lines[first - 1] if first else 0
    widths = [len(cells) for cells in rows]
    common = max(set(widths), key=widths.count, default=0)
    return next((n for n, width in zip(lines, widths, strict=True) if width == common), 0)


def _names(header: Sequence[str] | None, rows: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """What columns are called: different names, also where the file repeats or leaves out some."""
    width = len(header) if header is not None else max((len(cells) for _, cells in rows), default=0)
    if width > MOST_COLUMNS:
        raise TooLarge("table.too_wide", limit=MOST_COLUMNS)
    names: list[str] = []
    taken: set[str] = set()
    for i in range(width):
        name = (header[i].strip().removeprefix("\ufeff") if header is not None else "") or str(i + 1)
        while name in taken:
            name += f" ({i + 1})"
        names.append(name)
        taken.add(name)
    return names


def _prepare(path: Path, out: Path, most: int) -> dict[str, Any]:
    """See to it that a file can be read from any place: what is zipped or no UTF-8 is written anew."""
    if is_parquet(path):
        return {"ready": None, "bytes": path.stat().st_size}
    _, encoding = _head(path)
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    if encoding == "utf-8" and not zipped and _is_utf8(path):
        return {"ready": None, "bytes": path.stat().st_size}
    written = 0
    try:
        with _open(path) as file, (out / READY).open("wb") as ready:
            decoder = codecs.getincrementaldecoder(encoding)("strict" if encoding != "utf-8" else "replace")
            while data := file.read(1 << 20):
                written += ready.write(decoder.decode(data).encode())
                if written > most:
                    raise TooLarge("table.unpacked", limit=most >> 20)
            written += ready.write(decoder.decode(b"", True).encode())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid("table.gzip", reason=str(error)[:200]) from None
    except UnicodeError:
        raise Invalid("table.encoding") from None
    return {"ready": READY, "bytes": written}


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                decoder.decode(data)
        decoder.decode(b"", True)
    except UnicodeError:
        return False
    return True


@dataclass(slots=True)
class _Lines:
    """The lines of a file from a place on; `at`: how far they have been taken, bytes."""

    file: BinaryIO
    at: int

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise TooLarge("table.line", limit=LONGEST_LINE >> 10)
            self.at += len(line)
            yield line.decode()


def _csv_parts(path: Path, mapping: TableMapping, cursor: Cursor) -> Iterator[tuple[Table, Cursor]]:
    """Rows from the cursor on, in tables of about `CELLS` readings, each with the cursor after it."""
    csv.field_size_limit(LONGEST_LINE)
    table = _csv_head(_head(path)[0], mapping.delimiter or ",", mapping.header)
    most = max(1, CELLS // (1 if mapping.is_long else len(mapping.columns or ())))
    with path.open("rb") as file:
        file.seek(cursor.at)
        lines = _Lines(file, cursor.at)
        reader = csv.reader(lines, delimiter=mapping.delimiter or ",")
        rows: list[list[str]] = []
        numbers: list[int] = []
        try:
            for cells in reader:
                number = cursor.line + reader.line_num
                if number > table.header and any(cells):
                    rows.append(cells)
                    numbers.append(number)
                if len(rows) >= most:
                    yield Table(table.names, rows, numbers, table.header), Cursor(lines.at, number)
                    rows, numbers = [], []
        except csv.Error as error:
            raise Invalid("table.csv", where=f"line {cursor.line + reader.line_num}", reason=str(error)) from None
        yield (
            Table(table.names, rows, numbers, table.header),
            Cursor(lines.at, cursor.line + reader.line_num, over=True),
        )


# Reading


def _read(path: Path, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write the next chunks into `out`; how many, and the cursor after each is in it."""
    mapping = mapping_of(options["mapping"])
    cursor = msgspec.convert(options["cursor"] or {}, Cursor)
    if is_parquet(path):
        from ifc_models import reading_parquet

        parts = reading_parquet.parts(path, mapping, cursor, CELLS)
    else:
        parts = _csv_parts(path, mapping, cursor)
    count = 0
    for table, after in parts:
        after.high = cursor.high
        chunk: Chunk = chunk_of(table, mapping, options["zone"], after, frozenset(options.get("texts", ())))
        cursor = chunk.cursor = after
        (out / f"chunk-{count}").write_bytes(msgspec.msgpack.encode(chunk))
        count += 1
        if count >= CHUNKS:
            break
    return {"chunks": count, "over": cursor.over}


__all__ = ["ISO", "READY", "check_names", "is_parquet", "run"]
