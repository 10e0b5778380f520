"""What the finishing process says while it works, line by line in a file: how far it is, which tiles are written.

A file, because it cannot get out of step when a process dies, and because it goes with the import's folder.
"""

from pathlib import Path
from typing import Final

import msgspec

LOG: Final = "said.jsonl"


class ReadyTile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile in the folder of the log, with what may be said of its storey before it has a row of its own."""

    storey_index: int  # of the storey's element; -1: on no storey
    storey_name: str | None
    elevation: float | None  # m
    layer: str
    part: int
    hash: str
    size: int  # bytes
    elements: int
    triangles: int
    bbox: tuple[float, ...]
    key: bytes | None
    content_type: str


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`done` of `total` elements are through the stage; `tile` is there since the last line."""

    stage: str
    done: int = 0
    total: int = 0
    tile: ReadyTile | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Said).decode


class Log:
    """The finishing process's end."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG

    def say(self, said: Said) -> None:
        """Append a line."""
        with self._path.open("ab") as file:
            file.write(_encode(said) + b"\n")


class Listener:
    """The server's end: `new` gives what was said since the last time."""

    def __init__(self, folder: Path) -> None:
        self._path, self._at = folder / LOG, 0

    def new(self) -> list[Said]:
        """Whole lines since the last call; none where nothing was said yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self._at += end
        return [_decode(line) for line in data[:end].splitlines()]
