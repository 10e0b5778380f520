"""The live socket's wire format (contract.md, "Live socket"). Pure: bytes and dictionaries in and out."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VERSION: Final = 1
READINGS: Final = 1
HEADER: Final = struct.Struct("<BBHIq")  # version, kind, reserved, count, server time in ms
QUALITY: Final = ("good", "uncertain", "bad", "stale")
EXACT_F32: Final = 2.0**24  # integers above this lose digits as f32 and travel as JSON


def encode(
    handles: NDArray[np.uint32], values: NDArray[np.float64], quality: NDArray[np.uint8], server_ms: int
) -> bytes:
    """Return one binary frame: count × u32 handle, count × f32 value, count × u8 quality, little-endian."""
    return b"".join(
        (
            HEADER.pack(VERSION, READINGS, 0, len(handles), server_ms),
            handles.astype("<u4").tobytes(),
            values.astype("<f4").tobytes(),
            quality.astype("u1").tobytes(),
        )
    )


def fits_f32(value: float) -> bool:
    """Say whether a value travels in a binary frame: whole numbers must stay exact, others keep 7 digits."""
    return abs(value) <= EXACT_F32 or not float(value).is_integer()


def iso(ts_us: int) -> str:
    """Return RFC 3339 in UTC for microseconds since 1970."""
    return datetime.fromtimestamp(ts_us / 1e6, UTC).isoformat().replace("+00:00", "Z")


def values_message(items: Sequence[tuple[int, Any, int, int]]) -> dict[str, Any]:
    """Return the JSON message for values that are no f32: (handle, value, ts in µs, quality) each."""
    return {
        "op": "values",
        "values": [
            {"handle": handle, "value": value, "ts": iso(ts), "quality": QUALITY[quality]}
            for handle, value, ts, quality in items
        ],
    }
