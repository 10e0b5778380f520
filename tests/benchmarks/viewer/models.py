"""Models as each viewer wants them: our tiles as the server stores them, and a `.frag`."""

import shutil
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ifc_models import tasks
from ifc_models.extract import load_extract
from ifc_models.mesh_parts import merge_result
from ifc_models.protocol import Request, Task
from ifc_models.sample import write_sample
from ifc_models.sandbox import WorkerLimits
from tests.benchmarks.ifc.__main__ import Fragments
from viewer.tile_folder import build_folder
from viewer.tileset import tileset_of

ROOMS = 3300  # of the generated tower: a little more than 30 000 elements with a shape


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder below the server's root with `tileset.json`, `*.glb` and `model.frag`."""

    name: str
    tile_bytes: int  # as transferred
    frag_bytes: int


def generated(folder: Path) -> Path:
    """An IFC file of more than 30 000 elements: the sample's tower, grown."""
    path = folder / "generated-30000.ifc"
    write_sample(path, rooms=ROOMS)
    return path


def prepare(file: Path, root: Path, fragments: Fragments) -> Prepared:
    """Both forms of a file, below `root`."""
    work, out = root / f"{file.stem}.work", root / file.stem
    work.mkdir(parents=True)
    task: Task
    for task in ("read", "mesh"):
        tasks.run(
            Request(task=task, path=str(file), file_name=file.name, out=str(work), limits=WorkerLimits()),
            lambda *_: None,
        )
    merge_result(work)
    tiles = build_folder(work, out)
    (out / "tileset.json").write_bytes(tileset_of(load_extract(work), tiles))
    shutil.rmtree(work)
    _, frag_bytes = fragments.convert(file)
    shutil.copy(fragments.out, out / "model.frag")
    return Prepared(file.stem, sum(tile.bytes for tile in tiles), frag_bytes)


class _Files(SimpleHTTPRequestHandler):
    """Files that may be kept for ever, as the server's tiles; what is stored gzipped says so."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        path = Path(self.translate_path(self.path))
        if path.suffix == ".glb" and path.is_file():
            with path.open("rb") as file:
                if file.read(2) == b"\x1f\x8b":
                    self.send_header("Content-Encoding", "gzip")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(root: Path) -> ThreadingHTTPServer:
    """A server of the folder on a free port; the caller runs and closes it."""
    return ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(root)))
