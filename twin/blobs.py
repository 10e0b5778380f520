"""Files by content hash: originals, tiles, photos. Immutable; equal bytes are stored once.

A file is complete when it has its name: it is written beside, synced, then renamed. A `blob` row says that the
database knows it; rows are written in the transaction that refers to them.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from twin.db import Conn
from twin.errors import NotFound, Unavailable
from twin.postgres_home import make_private

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its SHA-256 in hex, its size, its media type."""

    hash: str
    bytes: int
    content_type: str


class BlobStore:
    """A folder of blobs, `ab/ab12…`. Blocking: call it in a thread where it matters."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_private(folder)

    def path(self, hash: str) -> Path:
        """Where the blob lies, whether it is there or not. Raises NotFound for what is no hash."""
        if len(hash) != 64 or not set(hash) <= set("0123456789abcdef"):
            raise NotFound("blob.unknown", hash=hash)
        return self.folder / hash[:2] / hash

    def exists(self, hash: str) -> bool:
        return self.path(hash).exists()

    def put_bytes(self, data: bytes, content_type: str) -> Blob:
        """Store `data`."""
        return self._put([data], content_type)

    def put_file(self, path: Path, content_type: str) -> Blob:
        """Store a copy of the file at `path`; hashed while it is copied."""
        with path.open("rb") as file:
            return self._put(iter(lambda: file.read(CHUNK), b""), content_type)

    def put_open_file(self, file: BinaryIO, content_type: str) -> Blob:
        """Store what is left to read of an open file."""
        return self._put(iter(lambda: file.read(CHUNK), b""), content_type)

    def _put(self, chunks: Iterable[bytes], content_type: str) -> Blob:
        digest, size = hashlib.sha256(), 0
        fd, name = tempfile.mkstemp(prefix=".new-", dir=self.folder)
        half = Path(name)
        try:
            with os.fdopen(fd, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            blob = Blob(digest.hexdigest(), size, content_type)
            target = self.path(blob.hash)
            if _touched(target, size):
                half.unlink()
            else:
                target.parent.mkdir(mode=0o700, exist_ok=True)
                half.rename(target)
                _sync_folder(target.parent)
            return blob
        except BaseException as error:
            half.unlink(missing_ok=True)
            if isinstance(error, OSError) and is_full(error):
                raise Unavailable("disk.full", where=str(self.folder)) from error
            raise

    def delete(self, hash: str) -> None:
        """Remove the bytes; only for blobs without a row."""
        self.path(hash).unlink(missing_ok=True)

    def copy_to(self, hash: str, target: Path) -> None:
        """A copy of the blob at `target`."""
        shutil.copyfile(self.path(hash), target)


def is_full(error: OSError) -> bool:
    """Say whether there was no room to write: the disk, a quota or a limit on file sizes."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _touched(target: Path, size: int) -> bool:
    """Say whether the blob is there, and that it is wanted again: clean-up spares what was stored lately."""
    try:
        os.utime(target)
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


async def record_blob(conn: Conn, blob: Blob) -> None:
    """Tell the database of a complete blob; one that it knows counts as new, so that clean-up spares it."""
    await conn.execute(
        """INSERT INTO blob (hash, bytes, content_type) VALUES (%s, %s, %s)
           ON CONFLICT (hash) DO UPDATE SET created_at = now()""",
        (blob.hash, blob.bytes, blob.content_type),
    )
