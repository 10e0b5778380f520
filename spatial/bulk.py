"""Many rows of fixed width at once: PostgreSQL's binary COPY read straight into a numpy table.

Thirty thousand elements with their boxes take tens of milliseconds instead of half a second of Python objects.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL, Composed

from twin.db import Conn

UUID_: Final = "V16"
FLOAT: Final = ">f8"
INT: Final = ">i4"
BOOL: Final = "?"
NO_ID: Final = bytes(16)  # stands for a null id
_HEADER: Final = 19  # bytes: signature, flags, length of the extension
_TRAILER: Final = 2


async def read_table(conn: Conn, query: Composed, columns: Mapping[str, str]) -> NDArray[Any]:
    """Return the rows of a query as a structured array. No value may be null: say coalesce.

    `columns`: name → `UUID_`, `FLOAT` (float8), `INT` (int4) or `BOOL`, in the query's order. Raises ValueError where
    a value is null or of another type.
    """
    fields = [("columns", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name} bytes", ">i4"), (name, kind)]
    async with conn.cursor() as cursor, cursor.copy(SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)) as copy:
        pieces = [bytes(piece) async for piece in copy]
    table = np.frombuffer(b"".join(pieces)[_HEADER:-_TRAILER], np.dtype(fields))
    for name, kind in columns.items():
        if len(table) and (table[f"{name} bytes"] != np.dtype(kind).itemsize).any():
            raise ValueError(f"column {name} is null or of another type than {kind}")
    return table
