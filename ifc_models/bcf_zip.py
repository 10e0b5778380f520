"""BCF archives: unpacked within limits, packed again. Nothing is ever written under a name that an archive gives."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ifc_models import bcf
from ifc_models.bcf_read import read_markup
from ifc_models.bcf_xml import attribute, parse_xml
from twin.errors import Invalid, TooLarge, TwinError

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 256 << 20  # unpacked, together
MAX_FILE: Final = 64 << 20
MAX_RATIO: Final = 500  # XML of many equal components deflates well; a bomb deflates to a thousandth
MARKUP: Final = "markup.bcf"


@dataclass(frozen=True, slots=True)
class TopicFolder:
    """A topic of an archive: its folder, its markup as written and as read, and all other files by their path in it."""

    folder: str
    source: bytes
    markup: bcf.Markup
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Archive:
    """A BCF archive. `shared`: the files that belong to no topic; `refused`: (folder, why) of broken topics."""

    version: str  # as written: 2.0, 2.1, 3.0
    topics: list[TopicFolder]
    shared: dict[str, bytes]
    refused: list[tuple[str, TwinError]]


def read_bcf(path: Path, name: str | None = None) -> Archive:
    """Read an archive that its user calls `name` (default: the file's). Raises Invalid or TooLarge; a topic that is
    broken only refuses itself."""
    called = name or path.name
    files = _unpack(path, called)
    version_file = next((name for name in files if name.lower() == "bcf.version"), None)
    version = attribute(parse_xml(files[version_file], version_file), "VersionId") if version_file else None
    markups = {name for name in files if name.rpartition("/")[2].lower() == MARKUP}
    if not markups and version is None:
        raise Invalid("bcf.not_bcf", where=called)
    topics: list[TopicFolder] = []
    refused: list[tuple[str, TwinError]] = []
    folders = {name.rpartition("/")[0] for name in markups}
    for name in sorted(markups):
        folder = name.rpartition("/")[0]
        try:
            markup = read_markup(parse_xml(files[name], name), name)
        except TwinError as error:
            refused.append((folder, error))
            continue
        inside = {
            n[len(folder) + 1 :]: data
            for n, data in files.items()
            if folder and n.startswith(folder + "/") and n != name
        }
        topics.append(TopicFolder(folder, files[name], markup, inside))
    shared = {n: data for n, data in files.items() if not any(f and n.startswith(f + "/") for f in folders)}
    for name in markups:
        shared.pop(name, None)
    return Archive(_version(version), topics, shared, refused)


def _version(written: str | None) -> str:
    """2.0, 2.1 or 3.0; an unknown one is read as the nearest."""
    number = re.match(r"\d+(\.\d+)?", written or "2.0")
    found = float(number[0]) if number else 2.0
    return "3.0" if found >= 3 else "2.1" if found > 2.05 else "2.0"


def _unpack(path: Path, called: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise TooLarge("bcf.too_large", where=called, files=MAX_FILES, bytes=MAX_BYTES)
            files: dict[str, bytes] = {}
            total = 0
            for entry in entries:
                name = safe_name(entry.filename)
                if name.startswith("__MACOSX/"):
                    continue
                data = _inflate(archive, entry, MAX_BYTES - total)
                total += len(data)
                files[name] = data
            return files
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise Invalid("bcf.zip_broken", where=called, reason=str(error)[:200]) from error


def safe_name(name: str) -> str:
    """A path within the archive. Raises Invalid for one that leads out of it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or re.match(r"^[A-Za-z]:", name):
        raise Invalid("bcf.unsafe_name", where=name[:200])
    return str(path)


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    limit = min(MAX_FILE, room, max(entry.compress_size, 1 << 12) * MAX_RATIO)
    with archive.open(entry) as source:
        data = source.read(limit + 1)
    if len(data) > limit:
        raise TooLarge("bcf.too_large", where=entry.filename[:200], files=MAX_FILES, bytes=MAX_BYTES)
    return data


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return out.getvalue()
