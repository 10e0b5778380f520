"""Rows as PostgreSQL's binary COPY format, made outside the event loop and sent in large pieces.

Building the bytes ourselves takes a third of the time that row-wise adaptation takes, and none of it on the loop.
"""

import asyncio
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from twin.db import Conn

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_NULL: Final = struct.pack(">i", -1)
_PIECE: Final = 1 << 18  # bytes per write
_ROWS: Final = 1000  # encoded at once

Encoder = Callable[[Any], bytes]


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">i", len(data)) + data


def _uuid(value: UUID) -> bytes:
    return b"\x00\x00\x00\x10" + value.bytes


def _int4(value: int) -> bytes:
    return struct.pack(">ii", 4, value)


def _int8(value: int) -> bytes:
    return struct.pack(">iq", 8, value)


def _float8(value: float) -> bytes:
    return struct.pack(">id", 8, value)


def _bool(value: bool) -> bytes:
    return b"\x00\x00\x00\x01\x01" if value else b"\x00\x00\x00\x01\x00"


def _bytea(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def _jsonb(value: bytes) -> bytes:
    """`value` is JSON text; the leading 1 is jsonb's version."""
    return struct.pack(">ib", len(value) + 1, 1) + value


def _float8s(values: Sequence[float]) -> bytes:
    """A one-dimensional float8[]."""
    n = len(values)
    interleaved: list[float | int] = []
    for value in values:
        interleaved += (8, value)
    body = struct.pack(">" + "id" * n, *interleaved)
    return struct.pack(">iiiiii", 20 + len(body), 1, 0, 701, n, 1) + body


ENCODERS: Final[dict[str, Encoder]] = {
    "text": _text,
    "uuid": _uuid,
    "int4": _int4,
    "int8": _int8,
    "float8": _float8,
    "bool": _bool,
    "bytea": _bytea,
    "jsonb": _jsonb,
    "float8[]": _float8s,
}


async def copy_rows(
    conn: Conn, table: LiteralString, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Send rows into a table; None is NULL. `columns`: name → type, in the order of the rows' values.

    Rows are asked for, encoded and sent a batch at a time, so that a large model costs no more memory than a small one.
    """
    encoders = [ENCODERS[name] for name in columns.values()]
    waiting = iter(rows)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    data = await asyncio.to_thread(_batch, encoders, waiting)
    if not data:
        return
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(_HEADER)
        while data:
            for at in range(0, len(data), _PIECE):
                await copy.write(data[at : at + _PIECE])
            data = await asyncio.to_thread(_batch, encoders, waiting)
        await copy.write(_TRAILER)


def _batch(encoders: Sequence[Encoder], waiting: Iterator[Sequence[Any]]) -> bytes:
    """The next rows, encoded; empty when there are none left."""
    start = struct.pack(">h", len(encoders))
    parts: list[bytes] = []
    for row in islice(waiting, _ROWS):
        parts.append(start)
        parts += [_NULL if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)]
    return b"".join(parts)
