"""numpy columns as PostgreSQL array parameters, in binary: no Python object per value on the hot path."""

from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

Ints = NDArray[np.int64]
EPOCH_2000 = 946_684_800_000_000  # µs from 1970 to PostgreSQL's own epoch


@dataclass(frozen=True, slots=True)
class _Array:
    """A one-dimensional array without nulls in PostgreSQL's binary form."""

    data: bytes


class Int4Array(_Array):
    """int4[]"""


class Int2Array(_Array):
    """int2[]"""


class Float8Array(_Array):
    """float8[]"""


class TimestamptzArray(_Array):
    """timestamptz[]"""


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: _Array) -> bytes:
        return obj.data


def _register(cls: type[_Array], array_oid: int) -> None:
    dumper = type(f"{cls.__name__}Dumper", (_ArrayDumper,), {"oid": array_oid})
    psycopg.adapters.register_dumper(cls, dumper)


for _cls, _oid in ((Int2Array, 1005), (Int4Array, 1007), (Float8Array, 1022), (TimestamptzArray, 1185)):
    _register(_cls, _oid)


def _encode(values: NDArray[np.generic], element_oid: int, dtype: str) -> bytes:
    element = np.dtype([("length", ">i4"), ("value", dtype)])
    body = np.empty(len(values), element)
    body["length"] = element["value"].itemsize
    body["value"] = values
    dimensions = 1 if len(values) else 0
    header = [dimensions, 0, element_oid, len(values), 1] if dimensions else [0, 0, element_oid]
    return np.array(header, ">i4").tobytes() + body.tobytes()


def int4(values: NDArray[np.integer]) -> Int4Array:
    """(n,) integers as int4[]."""
    return Int4Array(_encode(values, 23, ">i4"))


def int2(values: NDArray[np.integer]) -> Int2Array:
    """(n,) integers as int2[]."""
    return Int2Array(_encode(values, 21, ">i2"))


def float8(values: NDArray[np.float64]) -> Float8Array:
    """(n,) floats as float8[]."""
    return Float8Array(_encode(values, 701, ">f8"))


def timestamptz(micros: Ints) -> TimestamptzArray:
    """(n,) µs since 1970 UTC as timestamptz[]."""
    return TimestamptzArray(_encode(micros - EPOCH_2000, 1184, ">i8"))


def decode_int4(data: bytes | None) -> NDArray[np.int64]:
    """(n,) from a binary int4[] without nulls; None and the empty array give (0,)."""
    return _decode(data, ">i4")


def decode_timestamptz(data: bytes | None) -> NDArray[np.int64]:
    """(n,) µs since 1970 from a binary timestamptz[] without nulls."""
    values = _decode(data, ">i8")
    return values + EPOCH_2000


def _decode(data: bytes | None, dtype: str) -> NDArray[np.int64]:
    if data is None or len(data) <= 12:
        return np.empty(0, np.int64)
    element = np.dtype([("length", ">i4"), ("value", dtype)])
    return np.frombuffer(data, element, offset=20)["value"].astype(np.int64)
