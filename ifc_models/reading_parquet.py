"""Parquet files of readings: rows of text with real times, a row group at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from ifc_models.reading_chunks import Cursor, Table
from ifc_models.reading_mapping import TableMapping, check_names, parts_of
from twin.errors import Invalid, TooLarge

MOST_COLUMNS: Final = 2_000


def head(path: Path, most: int) -> tuple[Table, int]:
    """The first rows of a file, times as ISO text, and how many rows there are. Raises Invalid `table.parquet`."""
    file = _open(path)
    names = _columns(file)
    batch = next(_batches(file, 0, most, names), None)
    if batch is None:
        raise Invalid("table.empty")
    rows = _rows(batch.slice(0, most), names)
    return Table(names, rows, list(range(1, len(rows) + 1))), int(file.metadata.num_rows)


def parts(path: Path, mapping: TableMapping, cursor: Cursor, cells: int) -> Iterator[tuple[Table, Cursor]]:
    """Rows from the cursor on, in tables of about `cells` readings, each with the cursor after it."""
    file = _open(path)
    names = _columns(file)
    check_names(mapping, names)
    wanted = {*parts_of(mapping.ts, names), *parts_of(mapping.point or "", names), *(mapping.columns or ())}
    wanted |= {each for each in (mapping.value, mapping.quality) if each is not None}
    used = [name for name in names if name in wanted]
    total, at = int(file.metadata.num_rows), cursor.at
    most = max(1, cells // (1 if mapping.is_long else len(mapping.columns or ())))
    for batch in _batches(file, at, most, used):
        lines = list(range(at + 1, at + 1 + len(batch)))
        at += len(batch)
        table = Table(used, _rows(batch, used), lines)
        _real_times(table, batch, mapping)
        yield table, Cursor(at, at, over=at >= total)
    if at >= total and cursor.at >= total:
        yield Table(used, [], []), Cursor(total, total, over=True)


def _open(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_cpu_count(1)
    try:
        return parquet.ParquetFile(path, memory_map=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Invalid("table.parquet", reason=str(error)[:300]) from None


def _columns(file: Any) -> list[str]:
    import pyarrow as pa

    schema = file.schema_arrow
    if len(schema) > MOST_COLUMNS:
        raise TooLarge("table.too_wide", limit=MOST_COLUMNS)
    nested = next((field.name for field in schema if pa.types.is_nested(field.type)), None)
    if nested is not None:
        raise Invalid("table.parquet", where=nested, reason="a column of lists or structs")
    return [str(field.name) for field in schema]


def _batches(file: Any, at: int, most: int, names: list[str]) -> Iterator[Any]:
    """Batches of at most `most` rows from row `at` on; row groups before it are not read."""
    import pyarrow as pa

    first, before = 0, 0
    metadata = file.metadata
    while first < metadata.num_row_groups and before + metadata.row_group(first).num_rows <= at:
        before += metadata.row_group(first).num_rows
        first += 1
    skip = at - before
    try:
        groups = list(range(first, metadata.num_row_groups))
        for batch in file.iter_batches(batch_size=most, row_groups=groups, columns=names, use_threads=False):
            dropped = min(skip, len(batch))
            skip -= dropped
            if dropped < len(batch):
                yield batch.slice(dropped)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Invalid("table.parquet", reason=str(error)[:300]) from None


def _rows(batch: Any, names: list[str]) -> list[list[str]]:
    columns = [_texts(batch.column(name)) for name in names]
    return [list(row) for row in zip(*columns, strict=True)] if columns else []


def _texts(column: Any) -> list[str]:
    """Cells as text that reads back as the same value."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        zulu = "" if column.type.tz is None else "Z"
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
        texts = np.datetime_as_string(np.array(micros.fill_null(0), np.int64).astype("datetime64[us]"))
        return [
            "" if null else str(text) + zulu for text, null in zip(texts, column.is_null().to_pylist(), strict=True)
        ]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return ["" if each is None else each if type(each) is str else _text(each) for each in column.to_pylist()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return repr(value) if isinstance(value, float) else str(value)


def _real_times(table: Table, batch: Any, mapping: TableMapping) -> None:
    """Take the times as they are where their column has a type for it."""
    import pyarrow as pa

    if mapping.ts not in table.names:
        return
    column = batch.column(mapping.ts)
    if not pa.types.is_timestamp(column.type):
        return
    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    table.times = np.array(micros.fill_null(np.iinfo(np.int64).min), np.int64)
    table.naive = column.type.tz is None
