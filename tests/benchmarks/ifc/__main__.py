"""P1, P4: IFC import on a warm server against the fragments importer, warm, on the same files in the same run.

`python -m tests.benchmarks.ifc [FILE…]`. Time: job start → tiles servable (the report's `seconds.total`) against
reading the file, converting it and writing the `.frag`. Bytes: all tiles as transferred against the `.frag`. Where the
time goes is printed per stage, without a baseline.
"""

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from api.app import Twin, open_twin
from api.importing import IFC, ask_for_import
from identity import Actor
from tests.benchmarks.figures import figure
from twin import jobs, places
from twin.settings import Settings

SHARED = Path(__file__).parents[4] / "shared" / "ifc"
NODE_FOLDER = Path(__file__).parent / "node"
FILES = [
    "struct/HHS_Office_construction.ifc",
    "arch/AC11-Institute-Var-2.ifc",
    "arch/AC20-FZK-Haus.ifc",
    "arch/Duplex_A_20110907.ifc",
    "mep/hvac_heating_luartx.ifc",
    "arch/janesville_restaurant_revit2012.ifc",
]
WARM_UP = "arch/OpenSmartHome_04_Flat.ifc"
RUNS = 3
ACTOR = Actor(name="system:bench")


class Fragments:
    """A warm node process that converts files."""

    def __init__(self, folder: Path) -> None:
        binaries = str(Path(sys.executable).parent)
        self.env = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
        if not (NODE_FOLDER / "node_modules").exists():
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund"],
                cwd=NODE_FOLDER,
                env=self.env,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        self.out = folder / "out.frag"
        self._process = subprocess.Popen(
            ["node", "convert.mjs"],
            cwd=NODE_FOLDER,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def convert(self, file: Path) -> tuple[float, int]:
        """Seconds, and bytes of the `.frag`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"file": str(file), "out": str(self.out)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["seconds"], answer["bytes"]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


@contextlib.asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Twin]:
    """Everything of a server but HTTP, on an empty database of its own."""
    async with open_twin(Settings(data=folder / "data"), serving=False) as twin:
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=twin.settings))
        try:
            yield twin
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


async def imported(twin: Twin, file: Path) -> dict[str, Any]:
    """The report of a first import: into a building of its own."""
    blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
    async with twin.db.transaction() as conn:
        building = await places.create_building(conn, f"bench {uuid4().hex}")
        job_id = await ask_for_import(conn, building, file.stem, "arc", blob, file.name, ACTOR)
    states = [state async for state in jobs.follow_job(twin.db, job_id)]
    if states[-1].result is None:
        raise SystemExit(f"{file.name}: import failed: {states[-1].error}")
    return states[-1].result


def stages(reports: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """Median seconds of each stage."""
    for name in reports[0]["seconds"]:
        if name != "total":
            yield name, statistics.median(report["seconds"].get(name, 0.0) for report in reports)


async def measure(twin: Twin, fragments: Fragments, file: Path) -> None:
    """The figures of one file; ours and theirs take turns, so that a busy machine is fair to both."""
    reports: list[dict[str, Any]] = []
    theirs: list[tuple[float, int]] = []
    for _ in range(RUNS):
        reports.append(await imported(twin, file))
        theirs.append(await asyncio.to_thread(fragments.convert, file))
    seconds = statistics.median(report["seconds"]["total"] for report in reports)
    figure(
        f"P1.import.{file.stem}",
        seconds,
        "s",
        baseline="fragments",
        baseline_value=statistics.median(s for s, _ in theirs),
    )
    for name, value in stages(reports):
        figure(f"P1.import.{file.stem}.{name}", value, "s")
    figure(
        f"P4.tiles.{file.stem}",
        reports[0]["tile_bytes"],
        "byte",
        baseline=".frag",
        baseline_value=theirs[0][1],
    )


async def run(files: list[Path]) -> None:
    """All figures."""
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    folder.chmod(0o711)
    fragments = Fragments(folder)
    try:
        async with server(folder) as twin:
            await imported(twin, SHARED / WARM_UP)
            await asyncio.to_thread(fragments.convert, SHARED / WARM_UP)
            for file in files:
                await measure(twin, fragments, file)
    finally:
        fragments.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run([Path(name).resolve() for name in sys.argv[1:]] or [SHARED / name for name in FILES]))
