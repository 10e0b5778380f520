"""P12, P13: what a frame, a recolouring and a pick cost, beside the fragments viewer and plain three.js.

`python -m tests.benchmarks.viewer [--gpu] [--rounds N] [--tower] [--only VIEWER,…] [FILE…]`. Without files: three
of ../shared/ifc and a generated tower of 30 000 elements; `--tower`: that, after the files. What takes how long is told
on stderr. Every viewer draws the same file into the same canvas (960 × 540, antialiased) along the same way of the
camera, in Chromium;
software OpenGL unless `--gpu`. The three take turns. What a baseline cannot do (it says so on stderr) has no value.

`script`: ms of script from the start of a frame to its last WebGL call. `thread`: processor time of the page's main
thread per frame, with all that goes on beside the script (`idle.thread`: what a page costs that draws nothing); other
threads and the GPU are not in it. Of a recolouring and a pick, `answer` is how long one waits and `thread` as above.
Memory: the JavaScript heap after a collection, with the buffers that it holds; the resident set of the page's process,
workers included; `gpu_buffers`: what lives of what was given to WebGL as buffers, counted in the page. P13: navigation
to first storey drawn, everything in the browser's cache (fragments and plain: the whole model, they know no storeys).
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import SHARED, Fragments
from tests.benchmarks.viewer.models import Prepared, generated, prepare, serve

NODE: Final = Path(__file__).parent / "node"
WEB: Final = Path(__file__).parents[3] / "viewer" / "web"
FILES: Final = [
    "arch/AC11-Institute-Var-2.ifc",
    "mep/b03_heating_with_building_props_bonsai.ifc",
    "arch/janesville_restaurant_revit2012.ifc",
]
VIEWERS: Final = ("ours", "fragments", "plain")
ROUNDS: Final = 3
FRAMES: Final = 60  # or as many as fit into FRAMES_FOR, but at least FEWEST
FEWEST: Final = 12
FRAMES_FOR: Final = 10.0  # s
RECOLOURINGS: Final = 4
PICKS: Final = 20
BASE: Final = ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SOFTWARE: Final = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-sandbox"]
GPU: Final = ["--use-gl=angle", "--use-angle=vulkan", "--enable-features=Vulkan", "--ignore-gpu-blocklist"]
UNITS: Final = {
    "idle.thread": "ms",
    "frame.script": "ms", "frame.thread": "ms", "recolour.answer": "ms", "recolour.thread": "ms", "pick.thread": "ms",
    "pick.answer": "ms", "draws": "calls", "triangles": "triangles", "gpu_buffers": "byte", "heap": "byte",
    "resident": "byte", "visible": "s", "elements": "elements",
}  # fmt: skip
Figures = dict[str, float]


class Probe:
    """Processor time and memory of a page, told by the browser itself."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def thread(self) -> float:
        """Milliseconds of processor time that the main thread has spent in tasks."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    def heap(self) -> float:
        """Bytes of living objects and of the buffers that they hold."""
        self._session.send("HeapProfiler.collectGarbage")
        usage = self._session.send("Runtime.getHeapUsage")
        return float(usage["usedSize"] + usage.get("backingStorageSize", 0))


def resident() -> float:
    """Resident bytes of the greatest page process of the browser that this process has started."""
    sizes = [0]
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in child.cmdline():
                sizes.append(child.memory_info().rss)
    return float(max(sizes))


def build_pages(out: Path, fragments: Fragments) -> None:
    """The three pages, bundled; the baselines' packages as their lock file names them."""
    if not (NODE / "node_modules").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, env=fragments.env, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["node", str(NODE / "build.mjs"), str(out)], cwd=WEB, env=fragments.env, check=True)


def measured(browser: Browser, site: str, viewer: str, model: Prepared) -> Figures:
    """All figures of a viewer with a model, in a page of its own that has seen the model before."""
    context = browser.new_context(viewport={"width": 960, "height": 540}, reduced_motion="reduce")
    page = context.new_page()
    address = f"{site}/{viewer}.html?model={model.name}"
    for _ in range(2):  # the first fills the browser's cache
        page.goto(address)
        page.wait_for_function("window.bench !== undefined", timeout=300_000)
        page.evaluate("bench.settle()")
    probe = Probe(page)
    got: Figures = {"visible": page.evaluate("bench.visible") / 1000, "elements": page.evaluate("bench.elements")}
    page.evaluate("bench.frames(6)")  # shaders and the first shadows
    start = time.perf_counter()
    page.evaluate("bench.frames(10)")  # the tenth waits for the GPU
    frames_fit = int(FRAMES_FOR / (time.perf_counter() - start) * 10)
    turns = max(FEWEST, min(FRAMES, frames_fit))

    def timed(what: str, count: int) -> tuple[Any, float]:
        before = probe.thread()
        answer = page.evaluate(f"bench.{what}({count})")
        return answer, (probe.thread() - before) / count

    _, got["idle.thread"] = timed("idle", turns)
    frames, got["frame.thread"] = timed("frames", turns)
    got["frame.script"] = statistics.median(frames)
    with forgiven(viewer, "recolouring"):
        recoloured, thread = timed("recolour", RECOLOURINGS)
        got |= {"recolour.answer": statistics.median(recoloured), "recolour.thread": thread}
    with forgiven(viewer, "picking"):
        picks, thread = timed("picks", PICKS)
        got |= {"pick.answer": statistics.median(picks["took"]), "pick.thread": thread}
        if picks["hits"] < PICKS / 4:
            raise SystemExit(f"{viewer}, {model.name}: only {picks['hits']} of {PICKS} picks hit anything")
    stats = page.evaluate("bench.stats()")
    got |= {"draws": stats["drawCalls"], "triangles": stats["triangles"], "gpu_buffers": stats["buffers"]}
    got |= {"heap": probe.heap(), "resident": resident()}
    context.close()
    return got


@contextlib.contextmanager
def forgiven(viewer: str, what: str) -> Iterator[None]:
    """Go on where a baseline fails: it has no value for that; ours must not."""
    try:
        yield
    except Error as error:
        if viewer == "ours":
            raise
        print(f"{viewer} fails at {what}: {error.message.splitlines()[0]}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Say on stderr how long it took."""
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)


def report(model: Prepared, samples: dict[str, list[Figures]]) -> None:
    """A line per figure of ours beside each baseline; the median of the rounds."""
    median: dict[str, Figures] = {}
    for viewer, rounds in samples.items():
        known = {name: [one[name] for one in rounds if name in one] for name in UNITS}
        median[viewer] = {name: statistics.median(values) for name, values in known.items() if values}
    baselines: list[str | None] = [viewer for viewer in samples if viewer != "ours"]
    for baseline in baselines or [None]:
        for name, unit in UNITS.items():
            goal = "P13" if name == "visible" else "P12"
            theirs = median[baseline].get(name) if baseline else None
            figure(f"{goal}.{name}.{model.name}", median["ours"][name], unit, baseline=baseline, baseline_value=theirs)
    figure(f"P12.transferred.{model.name}", model.tile_bytes, "byte", baseline=".frag", baseline_value=model.frag_bytes)


def run(files: list[Path], *, gpu: bool, rounds: int, tower: bool, viewers: Sequence[str] = VIEWERS) -> None:
    """All figures of all models."""
    root = Path(tempfile.mkdtemp(prefix="twin-bench-viewer-", dir="/tmp"))
    fragments = Fragments(root)
    server = serve(root)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        build_pages(root, fragments)
        with sync_playwright() as playwright:
            args = BASE + (GPU if gpu else SOFTWARE)
            browser = playwright.chromium.launch(executable_path=path, args=args)
            site = f"http://127.0.0.1:{server.server_port}"
            for file in files:
                measure(browser, site, prepared(file, root, fragments), rounds, viewers)
            if tower:
                with told("the tower's file"):
                    file = generated(root)
                measure(browser, site, prepared(file, root, fragments), rounds, viewers)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
        fragments.close()
        shutil.rmtree(root, ignore_errors=True)


def prepared(file: Path, root: Path, fragments: Fragments) -> Prepared:
    """A file in both forms."""
    with told(f"{file.name}: tiles and .frag"):
        return prepare(file, root, fragments)


def measure(browser: Browser, site: str, model: Prepared, rounds: int, viewers: Sequence[str]) -> None:
    """All figures of a model, the viewers taking turns."""
    samples: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(rounds):
        for viewer in viewers:
            with told(f"{model.name}, {viewer}"):
                samples[viewer].append(measured(browser, site, viewer, model))
            print(json.dumps(samples[viewer][-1]), file=sys.stderr, flush=True)
    report(model, samples)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--gpu", action="store_true", help="draw with the machine's GPU")
    parser.add_argument("--tower", action="store_true", help="the generated tower too")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default=",".join(VIEWERS), help="ours first, then the baselines wanted")
    given = parser.parse_args()
    chosen = [file.resolve() for file in given.files] or ([] if given.tower else [SHARED / name for name in FILES])
    tower = given.tower or not given.files
    run(chosen, gpu=given.gpu, rounds=given.rounds, tower=tower, viewers=given.only.split(","))
