import hashlib
import stat
from pathlib import Path

import pytest

from twin.blobs import BlobStore, record_blob
from twin.db import Conn, rows
from twin.errors import NotFound


def test_equal_bytes_are_stored_once_under_their_hash(blobs: BlobStore, tmp_path: Path) -> None:
    data = b"ISO-10303-21;" * 300_000
    file = tmp_path / "model.ifc"
    file.write_bytes(data)
    first = blobs.put_file(file, "application/x-step")
    second = blobs.put_bytes(data, "application/x-step")
    assert first == second
    assert first.hash == hashlib.sha256(data).hexdigest()
    assert blobs.path(first.hash).read_bytes() == data
    assert first.bytes == len(data)
    assert [path for path in blobs.folder.rglob("*") if path.is_file()] == [blobs.path(first.hash)]


def test_a_blob_is_private_and_outlives_its_original(blobs: BlobStore, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"a")
    blob = blobs.put_file(file, "text/plain")
    file.write_bytes(b"changed")
    assert blobs.path(blob.hash).read_bytes() == b"a"
    assert stat.S_IMODE(blobs.folder.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(blobs.path(blob.hash).stat().st_mode) & 0o077 == 0


def test_a_failed_write_leaves_nothing_behind(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.put_file(tmp_path / "missing", "text/plain")
    with pytest.raises(TypeError):
        blobs.put_bytes("no bytes", "text/plain")  # type: ignore[arg-type]
    assert list(blobs.folder.iterdir()) == []


def test_a_half_written_blob_of_the_same_hash_is_replaced(blobs: BlobStore) -> None:
    blob = blobs.put_bytes(b"whole", "text/plain")
    blobs.path(blob.hash).write_bytes(b"ha")  # a disk that lied about fsync
    assert blobs.put_bytes(b"whole", "text/plain") == blob
    assert blobs.path(blob.hash).read_bytes() == b"whole"


@pytest.mark.parametrize("hash", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63])
def test_what_is_no_hash_names_no_file(blobs: BlobStore, hash: str) -> None:
    with pytest.raises(NotFound):
        blobs.path(hash)


async def test_a_blob_may_be_recorded_twice(conn: Conn, blobs: BlobStore) -> None:
    blob = blobs.put_bytes(b"x", "text/plain")
    await record_blob(conn, blob)
    await record_blob(conn, blob)
    assert await rows(conn, "SELECT hash, bytes FROM blob") == [{"hash": blob.hash, "bytes": 1}]
