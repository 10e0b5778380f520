"""Rows of fixed width come out of PostgreSQL as they are."""

from uuid import UUID

import pytest
from psycopg.sql import SQL, Composed

from spatial.bulk import BOOL, FLOAT, INT, UUID_, read_table
from twin.db import Conn

COLUMNS = {"id": UUID_, "number": INT, "length": FLOAT, "yes": BOOL}


async def test_ids_numbers_and_flags_are_read_in_order(conn: Conn) -> None:
    query = """SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n, n / 2.0::float8, n % 2 = 0
               FROM generate_series(1, 5000) n ORDER BY n"""
    found = await read_table(conn, Composed([SQL(query)]), COLUMNS)
    assert found["number"].tolist() == list(range(1, 5001))
    assert found["length"].tolist() == [n / 2 for n in range(1, 5001)]
    assert found["yes"].tolist() == [n % 2 == 0 for n in range(1, 5001)]
    assert UUID(bytes=found["id"][41].tobytes()) == UUID("00000000-0000-4000-8000-000000000042")


async def test_no_rows_are_no_rows(conn: Conn) -> None:
    query = "SELECT gen_random_uuid(), 1, 1.0::float8, true WHERE false"
    assert len(await read_table(conn, Composed([SQL(query)]), COLUMNS)) == 0


@pytest.mark.parametrize("query", ["SELECT gen_random_uuid(), NULL::int4, 1::float8, true",
                                   "SELECT gen_random_uuid(), 1::int8, 1::float8, true"])  # fmt: skip
async def test_a_null_or_another_type_is_an_error_and_no_nonsense(conn: Conn, query: str) -> None:
    with pytest.raises(ValueError, match=r"null|size|multiple"):
        await read_table(conn, Composed([SQL(query)]), COLUMNS)
