"""Rows as PostgreSQL's binary COPY format, made outside the event loop and sent in large pieces.

Building the bytes ourselves takes a third of the time that row-wise adaptation takes, and none of it on the loop.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from twin.db import Conn

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_NULL: Final = struct.pack(">i", -1)
_PIECE: Final = 1 << 18  # bytes per write

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


def encode_rows(types: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The binary COPY data of `rows`; None is NULL."""
    encoders = [ENCODERS[name] for name in types]
    start = struct.pack(">h", len(encoders))
    parts: list[bytes] = [_HEADER]
    for row in rows:
        parts.append(start)
        parts += [_NULL if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)]
    parts.append(_TRAILER)
    return b"".join(parts)


async def copy_into(conn: Conn, table: LiteralString, columns: Sequence[str], data: bytes) -> None:
    """Send encoded rows into a table."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for at in range(0, len(data), _PIECE):
            await copy.write(data[at : at + _PIECE])
