"""Before a file is opened: is it an IFC file, is it whole, can it be read at all.

ifcopenshell opens a truncated file without complaint, drops raw 8-bit text, dies of deep nesting and unpacks archives
without a limit. So the bytes are looked at first, cheaply; what can be repaired (an archive, an old schema name, raw
text) is written into a copy, what cannot is refused with a code and a place. Called in the worker.
"""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from ifc_models.extract import Finding
from ifc_models.findings import Findings
from ifc_models.text import decode_raw
from twin.blobs import is_full
from twin.errors import Invalid, TooLarge

MAX_NESTING: Final = 64  # parentheses within parentheses; IFC needs six
HEADER_BYTES: Final = 1 << 18
MAX_ARCHIVE_RATIO: Final = 200  # STEP text deflates to about a tenth
CHUNK: Final = 1 << 24

_READ_AS: Final = (  # first pattern that matches the declared schema wins
    (re.compile(r"IFC2X3(_.*)?"), "IFC2X3"),
    (re.compile(r"IFC4(_.*)?"), "IFC4"),
    (re.compile(r"IFC4X[123](_.*)?"), "IFC4X3_ADD2"),
)
_SCHEMA: Final = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_HEADER_PARTS: Final = (b"FILE_DESCRIPTION", b"FILE_NAME", b"FILE_SCHEMA")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that can be opened: the original or a repaired copy."""

    path: Path
    declared_schema: str
    findings: list[Finding] = field(default_factory=list)


def prepare(path: Path, scratch: Path, *, max_bytes: int) -> Prepared:
    """Check the file at `path`; copies go to `scratch`, under the same names for every process that prepares it.

    Raises Invalid or TooLarge with a code `ifc.…` and where the trouble is.
    """
    size = path.stat().st_size
    if size == 0:
        raise Invalid("ifc.empty_file", where=path.name)
    if size > max_bytes:
        raise TooLarge("ifc.too_large", where=path.name, bytes=size, limit=max_bytes)
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK\x03\x04"):
        path = _unpack(path, scratch, max_bytes)
        with path.open("rb") as file:
            start = file.read(4096)
    _check_magic(start, path.name)
    return _check_text(path, path.read_bytes(), scratch)


def _check_magic(start: bytes, name: str) -> None:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"ISO-10303-21;") or re.match(rb"ISO-10303-21\s*;", text):
        return
    if text.startswith(b"<"):
        raise Invalid("ifc.xml", where=name)
    if not text:
        raise Invalid("ifc.empty_file", where=name)
    kind = next((kind for magic, kind in _MAGIC if start.startswith(magic)), "?")
    raise Invalid("ifc.not_ifc", where=f"{name}, byte 0", found=_readable(start[:16]), kind=kind)


_MAGIC: Final = (
    (b"%PDF", "PDF"),
    (b"\xd0\xcf\x11\xe0", "Revit / OLE"),
    (b"AC10", "DWG"),
    (b"glTF", "GLB"),
    (b"\x89HDF", "HDF5"),
    (b"SQLite format 3", "SQLite"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"{", "JSON"),
)


def _check_text(path: Path, data: bytes, scratch: Path) -> Prepared:
    found = Findings()
    _check_end(data)
    head = data[: data.find(b"DATA;", 0, HEADER_BYTES) if b"DATA;" in data[:HEADER_BYTES] else HEADER_BYTES]
    match = _SCHEMA.search(head)
    if match is None:
        raise Invalid("ifc.no_schema", where="FILE_SCHEMA")
    declared = match[1].decode("ascii", "replace").strip().upper()
    schema = next((name for pattern, name in _READ_AS if pattern.fullmatch(declared)), None)
    if schema is None:
        raise Invalid("ifc.schema_unsupported", where=f"line {_line(data, match.start())}", schema=declared[:40])
    missing = [part.decode() for part in _HEADER_PARTS if part not in head.upper()]
    if missing:
        found.add("ifc.header_incomplete", None, what=", ".join(missing))
    _check_nesting(data)
    repaired = data
    if schema == "IFC4X3_ADD2" and declared != schema:
        found.add("ifc.schema_mapped", None, declared=declared, schema=schema)
    if match[1] != schema.encode():
        repaired = data[: match.start(1)] + schema.encode() + data[match.end(1) :]
    if not repaired.isascii():
        repaired = escape_raw_text(repaired)
    if repaired is not data:
        path = scratch / f"{path.stem[:80]}.repaired.ifc"
        with _appearing(path) as out:
            out.write(repaired)
    return Prepared(path, declared, found.list())


def _check_end(data: bytes) -> None:
    tail = data[-65536:].rstrip(b"\x00 \t\r\n")
    if re.search(rb"END-ISO-10303-21\s*;?\s*(/\*.*\*/\s*)?$", tail, re.DOTALL):
        return
    if b"END-ISO-10303-21" in tail:
        return  # something stands behind the end; it is never read
    end = data.rfind(b";") + 1
    last = re.findall(rb"#(\d{1,18})\s*=", data[max(0, end - 65536) : end])
    where = f"byte {len(data)}, line {_line(data, len(data))}"
    if last:
        where += f", after #{int(last[-1])}"
    raise Invalid("ifc.truncated", where=where)


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _check_nesting(data: bytes) -> None:
    """Refuse text nested deeper than any real file; a recursive parser would die of it."""
    begin, length = 0, len(data)
    while begin < length:
        end = min(begin + CHUNK, length)
        if end < length:  # cut between statements; a statement longer than a chunk is cut anywhere
            cut = data.rfind(b";", begin, end)
            end = cut + 1 if cut > begin else end
        place = _too_deep(np.frombuffer(data, np.uint8, end - begin, begin))
        if place is not None and _nesting(data, begin + place) > MAX_NESTING:
            raise Invalid("ifc.too_deep", where=f"line {_line(data, begin + place)}", limit=MAX_NESTING)
        begin = end


def _too_deep(text: "np.typing.NDArray[np.uint8]") -> int | None:
    """Where the parentheses of one statement seem too deep (those in strings count too); None: nowhere."""
    marks = np.flatnonzero((text == 40) | (text == 41) | (text == 59))
    kinds = text[marks]
    depth = np.cumsum(np.where(kinds == 40, 1, np.where(kinds == 41, -1, 0)), dtype=np.int64)
    if len(depth) == 0 or depth.max() - depth.min() <= MAX_NESTING:
        return None
    ends = np.flatnonzero(kinds == 59)
    base = np.zeros(len(depth), np.int64)
    if len(ends):
        base[ends[:-1] + 1] = np.diff(np.concatenate([[0], depth[ends[:-1]]])) if len(ends) > 1 else 0
        base = np.cumsum(base)
        base[ends[-1] + 1 :] = depth[ends[-1]]
    deep = np.flatnonzero(depth - base > MAX_NESTING)
    return int(marks[deep[0]]) if len(deep) else None


def _nesting(data: bytes, at: int) -> int:
    """The true depth of the statement around `at`, strings and comments left out."""
    begin = data.rfind(b";", 0, at) + 1
    end = data.find(b";", at)
    end = len(data) if end < 0 else end
    text = re.sub(rb"'[^']*'|/\*.*?\*/", b"", data[begin:end], flags=re.DOTALL)
    marks = np.frombuffer(text, np.uint8)
    steps = np.where(marks == 40, 1, np.where(marks == 41, -1, 0))
    return int(np.cumsum(steps).max(initial=0))


def escape_raw_text(data: bytes) -> bytes:
    """Raw 8-bit text (UTF-8, GB 18030, Windows-1252) as STEP escapes, which the parser keeps."""
    return re.sub(rb"[\x80-\xff]+", lambda run: _escape(decode_raw(run[0])), data)


def _escape(text: str) -> bytes:
    return b"".join(
        rb"\X2\%04X\X0" % ord(c) + b"\\" if ord(c) < 0x10000 else rb"\X4\%08X\X0" % ord(c) + b"\\" for c in text
    )


def _unpack(path: Path, scratch: Path, max_bytes: int) -> Path:
    """The one IFC file of an .ifczip, unpacked under a name of our own, never beyond `max_bytes`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [i for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX")]
            models = [i for i in names if i.filename.lower().endswith(".ifc")]
            if not models and any(i.filename.lower().endswith(".ifcxml") for i in names):
                raise Invalid("ifc.xml", where=path.name)
            if len(models) != 1:
                raise Invalid("ifc.zip_models", where=path.name, count=len(models))
            return _inflate(archive, models[0], scratch / f"{path.stem[:80]}.unpacked.ifc", max_bytes)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        if isinstance(error, OSError) and is_full(error):
            raise  # the disk's trouble, not the file's
        raise Invalid("ifc.zip_broken", where=path.name, reason=str(error)) from error


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, max_bytes: int) -> Path:
    limit = min(max_bytes, max(entry.compress_size, 1 << 16) * MAX_ARCHIVE_RATIO)
    written = 0
    with archive.open(entry) as source, _appearing(target) as out:
        while chunk := source.read(1 << 20):
            written += len(chunk)
            if written > limit:
                raise TooLarge("ifc.zip_bomb", where=entry.filename[:200], limit=limit)
            out.write(chunk)
    return target


@contextmanager
def _appearing(target: Path) -> Iterator[BinaryIO]:
    """A file that stands under its name only when it is whole.

    The processes that read and mesh a model prepare it side by side in one folder: neither may cut off what the other
    reads already.
    """
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as out:
        try:
            yield cast(BinaryIO, out)
        except BaseException:
            Path(out.name).unlink()
            raise
    Path(out.name).replace(target)


def _readable(data: bytes) -> str:
    """Bytes as text for people: what is no printable ASCII is a dot."""
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
