"""The newest head of the chain, kept beside the anchors and written over every second while the chain grows.

Anchors are a log and come once a minute; whoever rules the database could cut what was written since the last one. This
file, `audit-anchors.jsonl.head`, has one line like an anchor's, whose keyed hash (HMAC) takes the installation's key:

    {"at":"2026-05-04T08:00:41Z","seq":4720,"hash":"<SM3 of entry 4720>","mac":"…"}

It is replaced, so it does not grow; and it never goes back: a chain that is shorter than it tells was cut.
"""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from identity.audit_chain import Head
from identity.sealing import Sealer
from twin.errors import Unavailable

CONTEXT: Final = "audit-head"


def head_file(anchors: Path) -> Path:
    """The file that belongs to a file of anchors."""
    return anchors.with_name(anchors.name + ".head")


def read_head(anchors: Path, sealer: Sealer) -> tuple[Head, datetime] | None:
    """What the file tells, and since when; None: there is none. Raises ValueError: not of this key. Blocks."""
    try:
        text = head_file(anchors).read_text("utf-8")
    except OSError:
        return None
    try:
        body: dict[str, Any] = json.loads(text)
        claimed = body.pop("mac")
        if claimed != _mac(sealer, body):
            raise ValueError("its mac is not of this key")
        return Head(int(body["seq"]), bytes.fromhex(body["hash"])), datetime.fromisoformat(body["at"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no head") from error


def write_head(anchors: Path, sealer: Sealer, head: Head, now: datetime) -> None:
    """Put a newer head in the place of an older one, on the disk. Raises Unavailable. Blocks."""
    path = head_file(anchors)
    body = {"at": now.isoformat(timespec="seconds").replace("+00:00", "Z"), "seq": head.seq, "hash": head.hash.hex()}
    line = json.dumps({**body, "mac": _mac(sealer, body)}, separators=(",", ":")) + "\n"
    half = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # servers that share it write one after the other
            known = read_head(anchors, sealer)
            if known is not None and known[0].seq >= head.seq:
                return
            with half.open("wb") as file:
                half.chmod(0o600)
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        finally:
            os.close(folder)
    except ValueError:
        return  # somebody has changed it: that is for the verification to find, not to be written over
    except OSError as error:
        raise Unavailable("audit.anchor", where=str(path), reason=error.strerror or str(error)) from error


def _mac(sealer: Sealer, body: dict[str, Any]) -> str:
    return sealer.digest(json.dumps(body, sort_keys=True, separators=(",", ":")), CONTEXT).hex()
