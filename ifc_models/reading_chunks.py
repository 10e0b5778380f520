"""A table's rows as readings, and readings as they are handed from the sandbox to the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ifc_models.reading_cells import BAD, Clock, Unreadable, values_of
from ifc_models.reading_mapping import (
    QUALITIES,
    TableMapping,
    check_names,
    guess_decimal,
    guess_format,
    is_empty,
    parts_of,
)
from twin.errors import Invalid

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(msgspec.Struct):
    """Where in a file reading goes on: byte of a CSV or row of a Parquet file, lines done, whether it is the end.

    `skip`: readings of the chunk that begins here which are stored already.
    """

    at: int = 0
    line: int = 0
    over: bool = False
    high: dict[str, int] = {}  # of `reading_cells.Clock`
    skip: int = 0


@dataclass(slots=True)
class Table:
    """Some rows of text; `lines`: where each stands in the file, from 1; `header`: the line of the names."""

    names: list[str]
    rows: list[list[str]]
    lines: list[int]
    header: int = 0
    times: NDArray[np.int64] | None = None  # (n,) µs UTC, where the file has real times (Parquet)
    naive: bool = False  # `times` are local

    def column(self, name: str) -> list[str]:
        """The cells of a column; a row that is too short has an empty one."""
        i = self.names.index(name)
        return [row[i] if i < len(row) else "" for row in self.rows]

    def filled(self, template: str, taken: Sequence[str]) -> list[str]:
        """A template filled from the columns that it takes, per row."""
        if list(taken) == [template]:
            return self.column(template)
        cells = {name: self.column(name) for name in taken}
        made = []
        for i in range(len(self.rows)):
            text = template
            for name in taken:
                text = text.replace(f"{{{name}}}", cells[name][i].strip())
            made.append(text)
        return made


class Chunk(msgspec.Struct):
    """Readings as columns of length n, numbers as bytes; `texts` and `bools` stand instead of numbers."""

    keys: list[str]
    row: bytes  # (n,) int64: where in the file
    key: bytes  # (n,) int32: of `keys`
    ts: bytes  # (n,) int64: µs since 1970 UTC
    num: bytes  # (n,) float64
    quality: bytes  # (n,) uint8
    texts: list[tuple[int, str]]
    bools: list[int]
    unreadable: list[Unreadable]
    empty: int
    cursor: Cursor

    def columns(self, most: int | None = None) -> tuple[list[int], list[int], list[str], list[Any]]:
        """Rows, keys, times as text and values of the first readings."""
        row, key, ts, values = self.arrays()
        end = len(row) if most is None else most
        times = [(_EPOCH + timedelta(microseconds=micros)).isoformat() for micros in ts[:end].tolist()]
        return row[:end].tolist(), key[:end].tolist(), times, values[:end]

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], list[Any]]:
        """(n,) rows, (n,) keys, (n,) µs since 1970 UTC, n values."""
        values: list[Any] = np.frombuffer(self.num, np.float64).tolist()
        for i in self.bools:
            values[i] = bool(values[i])
        for i, text in self.texts:
            values[i] = text
        row, ts = np.frombuffer(self.row, np.int64), np.frombuffer(self.ts, np.int64)
        return row, np.frombuffer(self.key, np.int32), ts, values


def load_chunk(folder: Path, number: int) -> Chunk:
    """A chunk that the worker wrote."""
    return msgspec.msgpack.decode((folder / f"chunk-{number}").read_bytes(), type=Chunk)


def chunk_of(
    table: Table, mapping: TableMapping, zone: str, cursor: Cursor, texts: frozenset[str] = frozenset()
) -> Chunk:
    """The readings of rows. `zone` is that of times without one; `texts`: keys whose values stay as they are written.

    Raises Invalid: a column that is not there, times of which nothing is known.
    """
    check_names(mapping, table.names)
    written = table.filled(mapping.ts, parts_of(mapping.ts, table.names))
    decimal = mapping.decimal or guess_decimal(
        [cell for name in _value_columns(mapping) for cell in table.column(name)[:500]], mapping.delimiter
    )
    points = table.filled(mapping.point or "", parts_of(mapping.point or "", table.names)) if mapping.is_long else None
    times = _times(table, mapping, zone, cursor, written, points)
    parts = []
    for name in _value_columns(mapping):
        keys = _keys(mapping, name, points, len(table.rows))
        codes = _qualities(table.column(mapping.quality)) if mapping.quality else None
        parts.append(_part(table, name, keys, times, written, decimal, codes, texts))
    return _joined(parts, cursor)


def _value_columns(mapping: TableMapping) -> list[str]:
    return [mapping.value or ""] if mapping.is_long else list(mapping.columns or ())


def _keys(mapping: TableMapping, column: str, points: Sequence[str] | None, count: int) -> list[str]:
    columns = mapping.columns or {}
    if points is None:
        return [columns[column]] * count
    stripped = [point.strip() for point in points]
    return [columns.get(point, point) for point in stripped] if columns else stripped


def _times(
    table: Table, mapping: TableMapping, zone: str, cursor: Cursor, written: Sequence[str], points: Sequence[str] | None
) -> NDArray[np.int64]:
    zone = mapping.timezone or zone
    if table.times is not None:
        return Clock("", zone, cursor.high).localise(table.times, points) if table.naive else table.times
    form = mapping.format or guess_format(written)
    if form is None:
        if not any(not is_empty(cell) for cell in written):
            return np.full(len(written), BAD)
        example = next(cell for cell in written if not is_empty(cell))
        raise Invalid("table.times", where=mapping.ts, example=example[:60])
    return Clock(form, zone, cursor.high).read([cell.strip() for cell in written], points)


def _qualities(cells: Sequence[str]) -> list[int | None]:
    return [QUALITIES.get(cell.strip().lower().removesuffix(".0")) for cell in cells]


@dataclass(slots=True)
class _Part:
    """The readings of one column."""

    keys: list[str]
    row: NDArray[np.int64]
    ts: NDArray[np.int64]
    values: list[Any]
    quality: NDArray[np.uint8]
    unreadable: list[Unreadable]
    empty: int


def _part(
    table: Table,
    name: str,
    keys: list[str],
    times: NDArray[np.int64],
    written: Sequence[str],
    decimal: str,
    codes: list[int | None] | None,
    texts: frozenset[str],
) -> _Part:
    cells = table.column(name)
    values = values_of(cells, decimal)
    if texts:
        values = [
            cell.strip() if key in texts and value is not None else value
            for cell, key, value in zip(cells, keys, values, strict=True)
        ]
    lines = np.array(table.lines, np.int64)
    keep = np.array([value is not None for value in values], bool)
    empty = int(len(keep) - keep.sum())
    bad = keep & (times == BAD)
    unreadable = []
    for i in np.flatnonzero(bad).tolist():
        params = {"ts": written[i][:60], "row": table.lines[i], "column": name}
        unreadable.append(
            Unreadable(table.lines[i], name, "reading.file_time", params, keys[i], written[i][:200], cells[i][:200])
        )
    quality = np.zeros(len(values), np.uint8)
    if codes is not None:
        for i in np.flatnonzero(keep & ~bad).tolist():
            code = codes[i]
            if code is None:
                bad[i] = True
                params = {"row": table.lines[i], "column": name}
                unreadable.append(
                    Unreadable(
                        table.lines[i], name, "reading.file_quality", params, keys[i], written[i], cells[i][:200]
                    )
                )
            else:
                quality[i] = code
    keep &= ~bad
    chosen = np.flatnonzero(keep).tolist()
    return _Part(
        [keys[i] for i in chosen],
        lines[keep],
        times[keep],
        [values[i] for i in chosen],
        quality[keep],
        unreadable,
        empty,
    )


def _joined(parts: Sequence[_Part], cursor: Cursor) -> Chunk:
    keys = [key for part in parts for key in part.keys]
    values = [value for part in parts for value in part.values]
    row = np.concatenate([part.row for part in parts])
    names = sorted(set(keys))
    number = {name: i for i, name in enumerate(names)}
    key = np.array([number[each] for each in keys], np.int32)
    order = np.argsort(row, kind="stable")  # in the order of the file, whatever the column
    values = [values[i] for i in order.tolist()]
    num = [value if type(value) is float or type(value) is int else float(value is True) for value in values]
    return Chunk(
        keys=names,
        row=row[order].tobytes(),
        key=key[order].tobytes(),
        ts=np.concatenate([part.ts for part in parts])[order].tobytes(),
        num=np.array(num, np.float64).tobytes(),
        quality=np.concatenate([part.quality for part in parts])[order].tobytes(),
        texts=[(i, value) for i, value in enumerate(values) if isinstance(value, str)],
        bools=[i for i, value in enumerate(values) if isinstance(value, bool)],
        unreadable=[each for part in parts for each in part.unreadable],
        empty=sum(part.empty for part in parts),
        cursor=cursor,
    )
