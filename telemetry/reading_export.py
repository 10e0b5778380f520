"""Readings as a file, written while they are read: CSV, Parquet, Arrow. Memory does not grow with the range."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING, Any, Final, Literal, LiteralString

from telemetry.points import QUALITIES
from twin.db import Conn

if TYPE_CHECKING:
    import pyarrow

Format = Literal["csv", "parquet", "arrow"]
MEDIA: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
ROWS: Final = 20_000  # of a piece

# In the order of points, then of time: what the primary key gives, and what compresses best.
_READINGS: LiteralString = """
    SELECT p.key AS point, r.ts, r.num, r.txt, r.q, p.unit, p.kind
    FROM unnest(%(handles)s::int[]) WITH ORDINALITY AS wanted(handle, place)
    JOIN point p ON p.handle = wanted.handle
    JOIN reading r ON r.point_id = p.handle AND r.ts >= %(start)s AND r.ts < %(end)s
    ORDER BY wanted.place, r.ts
"""


async def export_csv(conn: Conn, handles: Sequence[int], start: datetime, end: datetime) -> AsyncGenerator[bytes]:
    """Lines `point,ts,value,quality,unit`, RFC 4180 with a header; bools as true and false, enums as their code."""
    parameters = {"handles": list(handles), "start": start, "end": end, "qualities": list(QUALITIES)}
    statement: LiteralString = (
        """COPY (SELECT point, to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ts,
                    CASE kind WHEN 'text' THEN txt WHEN 'bool' THEN (num <> 0)::text ELSE num::text END AS value,
                    (%(qualities)s::text[])[q + 1] AS quality, unit FROM ("""
        + _READINGS
        + ") AS r) TO STDOUT (FORMAT csv, HEADER)"
    )
    async with conn.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        piece = bytearray()
        async for line in copy:
            piece += line
            if len(piece) > 1 << 16:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece)


async def export_arrow(
    conn: Conn, handles: Sequence[int], start: datetime, end: datetime, form: Literal["parquet", "arrow"]
) -> AsyncGenerator[bytes]:
    """Columns point (dictionary), ts (µs, UTC), num, txt, quality (dictionary), unit (dictionary)."""
    import pyarrow as pa
    from pyarrow import parquet

    names = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            pa.field("point", names, nullable=False),
            pa.field("ts", pa.timestamp("us", tz="UTC"), nullable=False),
            pa.field("num", pa.float64()),
            pa.field("txt", pa.string()),
            pa.field("quality", names, nullable=False),
            pa.field("unit", names),
        ]
    )
    sink = _Pieces()
    if form == "parquet":
        writer: Any = parquet.ParquetWriter(sink, schema, compression="zstd")
    else:
        writer = pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True))
    with writer:
        async with conn.cursor(name="readings", binary=True) as cursor:
            await cursor.execute(_READINGS, {"handles": list(handles), "start": start, "end": end})
            while found := await cursor.fetchmany(ROWS):
                writer.write_table(_table(found, schema))
                yield sink.take()
    yield sink.take()


def _table(found: Sequence[dict[str, Any]], schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow as pa

    columns = {
        "point": [each["point"] for each in found],
        "ts": [each["ts"] for each in found],
        "num": [each["num"] for each in found],
        "txt": [each["txt"] for each in found],
        "quality": [QUALITIES[each["q"]] for each in found],
        "unit": [each["unit"] for each in found],
    }
    return pa.table(
        [
            pa.array(columns[field.name], field.type.value_type).dictionary_encode()
            if pa.types.is_dictionary(field.type)
            else pa.array(columns[field.name], field.type)
            for field in schema
        ],
        schema=schema,
    )


class _Pieces(RawIOBase):
    """A file that is only written to, and emptied as it fills."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._taken = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._data += view
        return len(view)

    def tell(self) -> int:
        return self._taken + len(self._data)

    def take(self) -> bytes:
        """What was written since it was last taken."""
        piece = bytes(self._data)
        self._taken += len(piece)
        self._data.clear()
        return piece
