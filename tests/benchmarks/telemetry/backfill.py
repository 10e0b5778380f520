"""What a backfill costs those who send live: time to the acknowledgement with and without a file import beside it.

2 000 readings a second in ten bodies, first alone, then while a file of two million older readings is imported, then
alone again. Reported: median and p99 from writing a body to its acknowledgement, which comes after the commit; and how
fast the file went. `TWIN_BENCH_LINES` changes the size.
"""

import os
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from tests.benchmarks.figures import figure
from tests.benchmarks.telemetry.live import add_building
from tests.benchmarks.telemetry.places import ENGINE, installation
from tests.serving import Server

LINES = int(os.environ.get("TWIN_BENCH_LINES", "2000000"))
SECONDS = 20.0  # alone
EVERY_S = 0.1
BODY = 200
KEYS = 100  # points of the file


class Live(threading.Thread):
    """Sends a body every `EVERY_S`; `delays`: ms of each, by the phase in which it was written."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.phase, self.delays = server, "before", dict[str, list[float]]()
        self.over = threading.Event()

    def run(self) -> None:
        """Send until `over`."""
        with self.server.client() as client:
            due = time.perf_counter()
            while not self.over.is_set():
                due += EVERY_S
                ts = datetime.now(UTC).isoformat()
                body = {"readings": [{"point": f"bench.{n}", "ts": ts, "value": 1.5} for n in range(BODY)]}
                phase, begun = self.phase, time.perf_counter()
                client.post("/readings", json=body).raise_for_status()
                self.delays.setdefault(phase, []).append((time.perf_counter() - begun) * 1000)
                self.over.wait(max(0.0, due - time.perf_counter()))


def write_file(path: Path) -> None:
    """Readings of a second each, the newest a day old."""
    newest = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    with path.open("w") as file:
        file.write("time,key,value\n")
        for n in range(LINES // KEYS):
            at = (newest - timedelta(seconds=n)).isoformat()
            file.writelines(f"{at},bench.{5000 + key},{n % 50}\n" for key in range(KEYS))


def import_file(client: httpx.Client, path: Path) -> float:
    """Import the file; how long its job ran, s."""
    with path.open("rb") as file:
        asked = client.post("/readings/import", data={"building": "Bench"}, files={"file": (path.name, file)})
    job = asked.raise_for_status().json()["id"]
    begun = time.perf_counter()
    while (found := client.get(f"/jobs/{job}").raise_for_status().json())["state"] not in ("done", "failed"):
        time.sleep(0.2)
    assert found["state"] == "done" and found["result"]["accepted"] == LINES, found
    return time.perf_counter() - begun


def main() -> None:
    """One server, one file."""
    with tempfile.TemporaryDirectory() as folder, installation() as (server, conn):
        add_building(conn)
        conn.execute("INSERT INTO event (building_id, topic, data) SELECT id, 'point', '{}' FROM building")
        write_file(path := Path(folder) / "years.csv")
        live = Live(server)
        time.sleep(2)
        live.start()
        time.sleep(SECONDS)
        with server.client() as client:
            live.phase = "beside"
            took = import_file(client, path)
        live.phase = "after"
        time.sleep(SECONDS)
        live.over.set()
        with suppress(RuntimeError):
            live.join(30)
    alone = np.array(live.delays["before"] + live.delays["after"])
    beside = np.array(live.delays["beside"])
    for name, share in (("median", 50), ("p99", 99), ("most", 100)):
        value, baseline = float(np.percentile(beside, share)), float(np.percentile(alone, share))
        figure(f"backfill.live_{name}.{ENGINE}", value, "ms", baseline="without import", baseline_value=baseline)
    figure(f"backfill.file.{ENGINE}", LINES / took, "readings/s")


if __name__ == "__main__":
    main()
