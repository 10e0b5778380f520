"""Text and JSON as the file means them and PostgreSQL can hold them."""

import re
from typing import Final

import msgspec

Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]

_json = msgspec.json.Encoder()
_CONTROL: Final = re.compile("[\x00\ud800-\udfff]")


def clean(value: str) -> str:
    """The string without NUL (PostgreSQL refuses it), raw bytes of an 8-bit or Chinese encoding decoded.

    STEP strings are ASCII with escapes, but exporters write raw bytes all the same; they arrive as surrogates.
    """
    if value.isascii():
        return value.replace("\x00", "") if "\x00" in value else value
    if _CONTROL.search(value) is None:
        return value
    try:
        value = decode_raw(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        pass
    return _CONTROL.sub("", value)


def clean_or_none(value: object) -> str | None:
    """`clean` for an optional string attribute; anything but a string (a malformed file) becomes its text."""
    if value is None or value.__class__ is not str:
        return None if value is None else clean(str(value))
    return clean(value)


def decode_raw(raw: bytes) -> str:
    """UTF-8, else GB 18030 where the high bytes come in pairs as in Chinese text, else Windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    runs = re.findall(rb"[\x80-\xff]+", raw)
    if all(len(run) % 2 == 0 and min(run) >= 0xA1 for run in runs):
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return raw.decode("cp1252", "replace")


def to_json(value: object) -> bytes:
    """JSON text of `value`; NaN and infinities become null."""
    return _json.encode(value)


class Keys(dict[str, bytes]):
    """Name → its JSON key with the colon, encoded once."""

    def __missing__(self, name: str) -> bytes:
        key = self[name] = _json.encode(name) + b":"
        return key


def join_object(fragments: dict[str, bytes], keys: Keys) -> bytes:
    """A JSON object of already encoded values, in the order of their names: exporters shuffle theirs."""
    if not fragments:
        return b"{}"
    return b"{" + b",".join([keys[name] + fragments[name] for name in sorted(fragments)]) + b"}"


def add_unique(into: dict[str, bytes], name: str, value: bytes) -> None:
    """Put `value` under `name`; where another value is there already, under `name (2)`, so that none is lost."""
    key, n = name, 1
    while key in into:
        if into[key] == value:
            return
        n += 1
        key = f"{name} ({n})"
    into[key] = value
