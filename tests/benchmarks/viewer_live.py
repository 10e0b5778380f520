"""A tick of 30 000 values in the page that people keep open: how many frames it costs.

`python -m tests.benchmarks.viewer_live [--gpu] [--points N] [--seconds N] [--trace FILE]`. A real server has the
generated tower with a point on each of about 30 000 elements that have a shape; the real page in Chromium colours them
by temperature; every point gets another value every second (as fast as the machine can where that is too much), over
HTTP, the database and the live socket, so that every element changes its colour. Chromium's own trace says what the
page's main thread did.

A frame is lost where a task of the main thread takes longer than one frame of a 60 Hz screen; processor time counts,
for the server and the sender want the same cores. Without `--gpu` the building's triangles are not drawn (software
would take seconds for its 3.5 million): everything else that the page does for a picture is done.
"""

import argparse
import itertools
import json
import math
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.places import installation
from tests.benchmarks.viewer.__main__ import BASE, GPU, SOFTWARE
from tests.benchmarks.viewer.models import generated
from tests.serving import Server, upload

POINTS: Final = 33_000
SECONDS: Final = 20
BODY: Final = 3000  # readings
FRAME: Final = 1000 / 60  # ms
NOT_DRAWN: Final = "WebGL2RenderingContext.prototype.drawElements = () => undefined;"
CATEGORIES: Final = [
    "toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "devtools.timeline.frame",
]  # fmt: skip


def add_points(conn: psycopg.Connection, points: int) -> None:
    """A temperature on each of so many elements that have a shape."""
    conn.execute(
        """INSERT INTO point (building_id, element_id, key, name, kind, unit, quantity)
           SELECT building_id, id, 'bench.' || row_number() OVER (ORDER BY id),
                  'Bench ' || row_number() OVER (ORDER BY id), 'number', 'DEG_C', 'temperature'
           FROM element WHERE ifc_class NOT IN ('IfcProject', 'IfcSite', 'IfcBuilding', 'IfcBuildingStorey', 'IfcSpace',
                                   'IfcOpeningElement', 'IfcDistributionPort')
           ORDER BY id LIMIT %s""",
        (points,),
    )
    conn.execute("INSERT INTO event (building_id, topic, data) SELECT id, 'point', '{}' FROM building")


class Sender:
    """Another value for every point every second."""

    def __init__(self, server: Server, points: int) -> None:
        self._server, self._points = server, points
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.slow = 0  # ticks that were late

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(30)

    def _run(self) -> None:
        with self._server.client() as client:
            begun = time.monotonic()
            for tick in itertools.count():
                self._post(client, tick)
                wait = begun + tick + 1 - time.monotonic()
                self.slow += wait < 0
                if self._stop.wait(max(0.0, wait)):
                    return

    def _post(self, client: httpx.Client, tick: int) -> None:
        ts = datetime.now(UTC).isoformat()
        for first in range(0, self._points, BODY):
            readings = [
                {"point": f"bench.{p + 1}", "ts": ts, "value": round(21 + 6 * math.sin(p / 97 + tick * 1.7), 2)}
                for p in range(first, min(first + BODY, self._points))
            ]
            client.post("/readings", json={"readings": readings}).raise_for_status()


def coloured(page: Page, server: Server) -> None:
    """Sign in, wait for the tower and colour it."""
    login = {"name": "administrator", "password": server.password}
    assert page.context.request.post(f"{server.api}/session", data=login).ok
    page.goto(server.address)
    page.get_by_test_id("scene").wait_for(timeout=120_000)
    page.evaluate("window.twin.ready")
    page.get_by_role("button", name="Colour by value").click()
    page.get_by_role("menuitem").filter(has_text="°C").nth(1).wait_for()  # rooms, and then everything else
    page.get_by_role("menuitem").filter(has_text="°C").last.dispatch_event("click")
    page.get_by_test_id("heat-count").wait_for()


def report(events: list[dict[str, Any]], seconds: float) -> None:
    """What the page's main thread did."""
    frames = [event for event in events if event["name"] == "FireAnimationFrame"]
    thread = (frames[0]["pid"], frames[0]["tid"])
    tasks = [
        event["tdur"] / 1000
        for event in events
        if (event["pid"], event["tid"]) == thread
        and "tdur" in event
        and event["name"] == "ThreadControllerImpl::RunTask"
    ]
    tasks.sort()
    figure("viewer_live.frames", len(frames) / seconds, "1/s")
    figure("viewer_live.busy", sum(tasks) / seconds / 1000, "of the main thread")
    figure("viewer_live.longest_task", tasks[-1], "ms", baseline="a frame", baseline_value=FRAME)
    figure("viewer_live.lost_frames", sum(int(task / FRAME) for task in tasks), "frames")


def main() -> None:
    """One server, one page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", action="store_true", help="draw with the machine's GPU")
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--trace", type=Path, help="keep Chromium's trace")
    given = parser.parse_args()
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with installation() as (server, conn), tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with server.client() as client:
            assert upload(client, generated(Path(folder)), "Bench")["state"] == "done"
        add_points(conn, given.points)
        browser = playwright.chromium.launch(executable_path=found, args=BASE + (GPU if given.gpu else SOFTWARE))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.set_default_timeout(60_000)
        if not given.gpu:
            page.add_init_script(NOT_DRAWN)
        sender = Sender(server, given.points)
        with sender.running():
            coloured(page, server)
            page.wait_for_timeout(5000)
            browser.start_tracing(page=page, categories=CATEGORIES)
            page.wait_for_timeout(1000 * given.seconds)
            trace = browser.stop_tracing()
            shown = page.get_by_test_id("heat-count").inner_text()
        browser.close()
    if given.trace:
        given.trace.write_bytes(trace)
    report(json.loads(trace)["traceEvents"], given.seconds)
    figure("viewer_live.coloured", int(shown.split()[0].replace(",", "")), "elements")
    figure("viewer_live.late_ticks", sender.slow, "ticks")


if __name__ == "__main__":
    main()
