"""The renderer's page (viewer/web/engine.html) as tests of it use it: built once, served with towers of tiles."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.tower import global_id, write_tower
from tests.node import NODE

WEB = Path(__file__).parents[2] / "viewer" / "web"
SLAB, WALL, ROOM, CUPBOARD = (
    global_id(1, ifc_class) for ifc_class in ("IfcSlab", "IfcWall", "IfcSpace", "IfcFurniture")
)
STOREY = global_id(1, "IfcBuildingStorey")
FAR = (500_000.0, 3_400_000.0, 0.0)  # where a building with map coordinates stands

BUILD = """
import { build } from "vite";
await build({ root: process.argv[1], configFile: false, logLevel: "error", base: "./",
  build: { outDir: process.argv[2], emptyOutDir: false, target: "es2023", rollupOptions: { input: "engine.html" } },
  worker: { format: "es" } });
"""

HELPERS = """
window.pixel = async (x, y) => {
  const bitmap = await createImageBitmap(await scene.screenshot());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  return [...canvas.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3);
};
window.at = (id, inset) => {
  const { min, max } = scene.boxOf(id);
  const to = (i) => (inset === undefined ? (min[i] + max[i]) / 2 : min[i] + inset);
  return scene.project([to(0), to(1), max[2]]);
};
window.pickAt = (p) => scene.pick(p.x, p.y)?.globalId ?? null;
0;
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def engine_pages(folder: Path) -> Iterator[str]:
    """The page as it is built for production, and towers of tiles in `folder`; its address."""
    if not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("viewer/web has no node_modules: run make setup")
    command = [str(NODE), "--input-type=module", "-e", BUILD, str(WEB), str(folder)]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=100)
    write_tower(folder / "tower", storeys=3, per_storey=31)
    (folder / "tower" / "tileset.json").rename(folder / "tower" / "next.json")  # a later version beside the first
    write_tower(folder / "tower", storeys=3, per_storey=30)
    write_tower(folder / "crowd", storeys=3, per_storey=2500)
    write_tower(folder / "far", storeys=3, per_storey=30, origin=FAR)
    write_tower(folder / "broken", storeys=3, per_storey=30)
    max((folder / "broken").glob("*.glb"), key=lambda p: p.stat().st_size).write_bytes(b"glTF but not really")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def open_tower(browser: Browser, site: str, name: str, more: str = "") -> Page:
    """A page that shows a tower; `more`: options of the page, as `&memory=1000`."""
    page = browser.new_page(viewport={"width": 400, "height": 300}, reduced_motion="reduce")
    page.goto(f"{site}/engine.html?tileset={name}/tileset.json{more}")
    page.evaluate(HELPERS)
    assert page.evaluate("loaded")
    return page


def look_into(page: Page) -> None:
    """Open storey 1 and look straight down."""
    page.evaluate(
        "async id => { scene.cutAbove(id); await scene.setView('top', {duration: 0}); scene.render(); }", STOREY
    )


def pick(page: Page, element: str) -> str | None:
    """What is picked where the top of `element` is drawn."""
    found: str | None = page.evaluate("id => pickAt(at(id))", element)
    return found
