"""Anchors: how far the chain had come, written where the database cannot reach.

Whoever rules the database can rewrite the whole chain, for anyone can compute its hashes. What they cannot do is make
the result agree with a file outside: one JSON line for every head that was anchored, each with a keyed hash (HMAC) over
itself and the line before. The key is the installation's (identity/sealing.py), which is not in the database either.
Put the file on another machine's mount, or on storage that only appends: `TWIN_AUDIT_ANCHORS`.

    {"n":1,"at":"2026-05-04T08:00:00Z","kind":"begin","file":"<uuid>","seq":0,"hash":"00…","mac":"…"}
    {"n":2,"at":"2026-05-04T08:01:00Z","kind":"head","seq":4711,"hash":"<SM3 of entry 4711>","mac":"…"}
    {"n":3,"at":"2026-11-04T08:00:00Z","kind":"pruned","seq":4000,"hash":"<SM3 of entry 4000>","mac":"…"}

`pruned`: entries up to `seq` may be missing, they had come of age. As `seq` has no gaps it also counts the entries. The
database remembers how many lines each file has, so that a file that was cut or replaced is missed.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal
from uuid import UUID, uuid4

from identity.audit_chain import GENESIS, Head
from identity.audit_head import read_head
from identity.sealing import Sealer
from twin.db import Conn
from twin.errors import Unavailable

FILE: Final = "audit-anchors.jsonl"
CONTEXT: Final = "audit-anchor"
TAIL: Final = 4096  # bytes; several lines

Kind = Literal["begin", "head", "pruned"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """One line of the file. `n` counts from 1."""

    n: int
    at: datetime
    kind: Kind
    seq: int
    hash: bytes
    mac: str
    file: UUID | None = None  # only in the first line


@dataclass(slots=True)
class AnchorFile:
    """The lines of a file that are right; `broken_at` is the first one that is not, counted from 1."""

    path: Path
    file: UUID | None = None
    anchors: list[Anchor] = field(default_factory=list)
    broken_at: int | None = None
    ends: int = 0  # the number that the last line gives itself

    @property
    def last(self) -> Anchor | None:
        return self.anchors[-1] if self.anchors else None

    def pruned(self) -> int:
        """Entries up to this number may be gone."""
        return max((each.seq for each in self.anchors if each.kind == "pruned"), default=0)


def read_anchors(path: Path, sealer: Sealer) -> AnchorFile:
    """Read a file from its beginning and check every line against the one before. Raises OSError.

    A line that was never finished (the machine lost power) is passed over when the next one follows on the one before
    it: only who has the key can write that.
    """
    found = AnchorFile(path)
    mac, n = "", 0
    unfinished: int | None = None
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            body = _parse(line)
            if body is None:
                unfinished = unfinished or number
                continue
            claimed = body.pop("mac")
            if body["n"] == n + 1 and claimed == _mac(sealer, mac, body):
                anchor = _anchor(body, claimed)
                found.file = found.file or anchor.file
                found.anchors.append(anchor)
            else:
                found.broken_at = found.broken_at or unfinished or number
            # Whether this line is right or not: the next one is when it follows on it, for that takes the key.
            mac, n, unfinished = claimed, body["n"], None
    found.ends = n
    if unfinished and not _torn(path):
        found.broken_at = found.broken_at or unfinished
    _read_newest(found, sealer)
    return found


def _read_newest(found: AnchorFile, sealer: Sealer) -> None:
    """The head that is kept beside the lines is an anchor as they are."""
    try:
        newest = read_head(found.path, sealer)
    except ValueError:
        found.broken_at = found.broken_at or found.ends + 1
        return
    if newest is not None:
        head, at = newest
        found.anchors.append(Anchor(found.ends, at, "head", head.seq, head.hash, ""))


def append_anchor(path: Path, sealer: Sealer, kind: Kind, head: Head, now: datetime) -> tuple[UUID, Anchor]:
    """Write a line and wait until it is on the disk; returns the file's id and the line. Blocks.

    Makes the file when there is none. Raises Unavailable when it cannot be written or does not end as it should.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # servers that share the folder write one after the other
            last, torn = _end(file)
            if torn:
                file.write(b"\n")
            if last is None:
                last = _write(file, sealer, None, "begin", Head(0, GENESIS), now, uuid4())
            written = _write(file, sealer, last, kind, head, now)
            os.fsync(file.fileno())
            file.seek(0)
            first = _parse(file.readline(TAIL))
    except OSError as error:
        raise Unavailable("audit.anchor", where=str(path), reason=error.strerror or str(error)) from error
    if first is None or "file" not in first:
        raise Unavailable("audit.anchor", where=str(path), reason="its first line is not a beginning")
    return UUID(first["file"]), written


def last_anchor(path: Path) -> Anchor | None:
    """The last whole line, as it claims to be; None when there is none or it cannot be read. Blocks."""
    try:
        with path.open("rb") as file:
            return _end(file)[0]
    except OSError:
        return None


async def note_anchor(conn: Conn, file: UUID, place: Path, anchor: Anchor) -> None:
    """Remember in the database how far a file has been written."""
    await conn.execute(
        """INSERT INTO audit_anchor (file, place, n, seq, mac) VALUES (%(file)s, %(place)s, %(n)s, %(seq)s, %(mac)s)
           ON CONFLICT (file) DO UPDATE SET place = excluded.place, n = excluded.n, mac = excluded.mac, at = now(),
             seq = greatest(audit_anchor.seq, excluded.seq)
           WHERE audit_anchor.n < excluded.n""",
        {"file": file, "place": str(place), "n": anchor.n, "seq": anchor.seq, "mac": bytes.fromhex(anchor.mac)},
    )


def _write(
    file: Any, sealer: Sealer, last: Anchor | None, kind: Kind, head: Head, now: datetime, name: UUID | None = None
) -> Anchor:
    body: dict[str, Any] = {
        "n": last.n + 1 if last else 1,
        "at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "kind": kind,
        "seq": head.seq,
        "hash": head.hash.hex(),
    }
    if name:
        body["file"] = str(name)
    mac = _mac(sealer, last.mac if last else "", body)
    file.write(json.dumps({**body, "mac": mac}, separators=(",", ":")).encode() + b"\n")
    return _anchor(body, mac)


def _mac(sealer: Sealer, previous: str, body: dict[str, Any]) -> str:
    """HMAC over the previous line's own and this line's content, keys sorted."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return sealer.digest(f"{previous}\n{text}", CONTEXT).hex()


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(line)
        _anchor(body, body["mac"])
        return dict(body)
    except (ValueError, KeyError, TypeError):
        return None


def _anchor(body: dict[str, Any], mac: str) -> Anchor:
    return Anchor(
        n=int(body["n"]),
        at=datetime.fromisoformat(body["at"]),
        kind=body["kind"],
        seq=int(body["seq"]),
        hash=bytes.fromhex(body["hash"]),
        mac=mac,
        file=UUID(body["file"]) if "file" in body else None,
    )


def _lines_from_the_end(file: BinaryIO) -> Iterator[bytes]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL))
    yield from reversed(file.read().splitlines())


def _end(file: Any) -> tuple[Anchor | None, bool]:
    """The last whole line, and whether something unfinished stands behind it."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return None, False
    file.seek(size - 1)
    torn = file.read(1) != b"\n"
    for line in _lines_from_the_end(file):
        body = _parse(line)
        if body is not None:
            return _anchor(body, body.pop("mac")), torn
    raise OSError(0, "its end cannot be read")


def _torn(path: Path) -> bool:
    """Whether the file ends within a line: its writer was cut off."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
