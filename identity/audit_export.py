"""The audit trail as a file that can be checked without this server: CSV and JSON Lines (docs/audit.md).

Both carry `FIELDS` as the texts that were hashed, then `previous` and `hash` in hex. `before` and `after` are JSON
*texts*: put through another program's JSON a number may look different, and would no longer be what was hashed.

A spreadsheet runs what begins with `=`, `+`, `-`, `@`, a tab or a line break. A cell of the CSV that begins so (or with
an apostrophe) therefore has an apostrophe in front, and whoever reads it back takes exactly one away. An empty cell is
nothing: no field that is there is empty.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from identity.audit import MATCHES, Filter, parameters
from identity.audit_chain import FIELDS
from twin.db import Conn, row
from twin.errors import Invalid

Format = Literal["csv", "jsonl"]
MEDIA: Final[Mapping[str, str]] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
COLUMNS: Final = (*FIELDS, "previous", "hash")
NUMBERS: Final = ("seq", "id")
RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
BATCH: Final = 500
MARK: Final = "\ufeff"  # spreadsheets take a CSV for UTF-8 only with it


async def span(conn: Conn, wanted: Filter, head: int) -> tuple[int, int]:
    """The first and the last number up to `head` of sealed entries that match; (1, 0) when there are none.

    Times do not rise with numbers (a long transaction is sealed late), so the run from the first to the last one may
    hold a neighbour from just outside. It has no gaps, and that is worth more.
    """
    found = await row(
        conn,
        f"SELECT min(seq) AS first, max(seq) AS last FROM audit WHERE seq <= %(head)s AND {MATCHES}",
        {**parameters(wanted), "head": head},
    )
    return (found["first"], found["last"]) if found and found["first"] else (1, 0)


def header(form: Format) -> str:
    """What stands before the first entry."""
    return MARK + ",".join(COLUMNS) + "\r\n" if form == "csv" else ""


def lines(form: Format, entries: Sequence[Mapping[str, Any]]) -> str:
    """The lines of some entries, as `read_entries` gives them."""
    if form == "jsonl":
        return "".join([_json_line(entry) for entry in entries])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([[_safe(value) for value in _values(entry)] for entry in entries])
    return out.getvalue()


def _values(entry: Mapping[str, Any]) -> list[str | None]:
    return [*(entry[name] for name in FIELDS), entry["previous"].hex(), entry["hash"].hex()]


def _json_line(entry: Mapping[str, Any]) -> str:
    values: dict[str, Any] = dict(zip(COLUMNS, _values(entry), strict=True))
    values |= {name: int(values[name]) for name in NUMBERS}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def _safe(value: str | None) -> str:
    if value is None:
        return ""
    return f"'{value}" if value.startswith(RISKY) else value


def read_export(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The entries of an exported file, some hundred at a time. Raises Invalid for anything else."""
    csv.field_size_limit(1 << 30)
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.read(1)
            file.seek(0)
            entries = _json_entries(file) if first == "{" else _csv_entries(file)
            while batch := [_checked(entry) for entry in islice(entries, BATCH)]:
                yield batch
                number += len(batch)
    except OSError as error:
        raise Invalid("audit.export_file", where=str(path), reason=error.strerror) from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        where = f"{path}, after entry {number}"
        raise Invalid("audit.export_file", where=where, reason=f"{type(error).__name__} {error}") from error


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {name: entry[name] for name in FIELDS}
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        raise ValueError("a field is not a text")
    if not str(texts["seq"]).isdecimal():
        raise ValueError("seq is not a number")
    return texts | {name: bytes.fromhex(entry[name]) for name in ("previous", "hash")}


def _json_entries(file: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in file:
        values = json.loads(line)
        yield {**values, **{name: str(values[name]) for name in NUMBERS}}


def _csv_entries(file: Iterable[str]) -> Iterator[dict[str, Any]]:
    reader = csv.reader(file, strict=True)
    if tuple(next(reader, ())) != COLUMNS:
        raise ValueError("its first line does not name the columns")
    for cells in reader:
        values = [cell[1:] if cell.startswith("'") else cell or None for cell in cells]
        yield dict(zip(COLUMNS, values, strict=True))
