"""GlobalIds as bytes: 128 bits as 22 characters of IFC's own base-64 alphabet (ISO 16739-1, IfcGloballyUniqueId)."""

from __future__ import annotations

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"
_DIGIT: Final = {character: i for i, character in enumerate(ALPHABET)}


def bytes_of_global_id(global_id: str) -> bytes | None:
    """The 16 bytes of a GlobalId; None where it is not one that these bytes could be turned back into."""
    if len(global_id) != 22 or global_id[0] not in "0123":
        return None
    number = 0
    for character in global_id:
        digit = _DIGIT.get(character)
        if digit is None:
            return None
        number = (number << 6) | digit
    return number.to_bytes(16, "big")


def global_id_of_bytes(data: bytes) -> str:
    """The GlobalId of 16 bytes."""
    number = int.from_bytes(data, "big")
    return "".join(ALPHABET[(number >> shift) & 63] for shift in range(126, -1, -6))
