"""The wire format is what contract.md says, byte for byte."""

import struct

import numpy as np
import pytest

from api import frames


def test_a_frame_is_a_header_then_handles_values_and_qualities() -> None:
    frame = frames.encode(
        np.array([7, 9], np.uint32), np.array([21.5, -3.0]), np.array([0, 2], np.uint8), 1_700_000_000_123
    )
    assert frame == struct.pack("<BBHIq", 1, 1, 0, 2, 1_700_000_000_123) + struct.pack(
        "<2I2f2B", 7, 9, 21.5, -3.0, 0, 2
    )


@pytest.mark.parametrize(("value", "fits"), [(21.5, True), (2.0**24, True), (2.0**24 + 1, False), (16777217.5, True)])
def test_big_whole_numbers_stay_exact_by_travelling_as_json(value: float, fits: bool) -> None:
    assert frames.fits_f32(value) is fits


def test_json_values_carry_their_own_time() -> None:
    message = frames.values_message([(7, "open", 1_700_000_000_000_000, 1)])
    assert message == {
        "op": "values",
        "values": [{"handle": 7, "value": "open", "ts": "2023-11-14T22:13:20Z", "quality": "uncertain"}],
    }
