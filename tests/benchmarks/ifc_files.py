"""P1–P4 over every file: our import, the fragments importer and OpenCASCADE on each in turn, as one table.

`python -m tests.benchmarks.ifc_files [--occ SECONDS] [--runs N] [--generated MB,MB…] [FILE…]`; without files, all of
../shared/ifc that is no older schema. Ours: job start → tiles servable, on a warm server. fragments: warm, file to
`.frag`. OpenCASCADE: ifcopenshell's kernel on two threads, meshes only, opening included, ended after SECONDS (default
60; the table says after how many products). Lost: elements without a mesh of ours that OpenCASCADE has one for. A file
that the fragments importer cannot read has no ratio.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.app import Twin
from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import SHARED, WARM_UP, Fragments, imported, server
from tests.benchmarks.ifc_memory import BASE, replicated

OLDER = "legacy_schema"
HEAD = (
    "| file | MB | elements | ours, s | fragments, s | ratio | OpenCASCADE, s | rungs | tiles, KB/MB "
    "| of .frag | lost |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)
OCC = """
import json, sys, time
import ifcopenshell, ifcopenshell.geom
path, limit = sys.argv[1], float(sys.argv[2])
started, found = time.perf_counter(), []
file = ifcopenshell.open(path)
iterator = ifcopenshell.geom.iterator(ifcopenshell.geom.settings(), file, 2)
going, ended = iterator.initialize(), True
while going:
    shape = iterator.get()
    if len(shape.geometry.faces_buffer):
        found.append(shape.guid)
    if time.perf_counter() - started > limit:
        ended = False
        break
    going = bool(iterator.next())
print(json.dumps({"seconds": time.perf_counter() - started, "ended": ended, "found": found}), flush=True)
import os
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Exact:
    """OpenCASCADE's answer; None where it has none."""

    seconds: float | None
    ended: bool
    found: frozenset[str]


def exact(path: Path, seconds: float) -> Exact:
    """All products by ifcopenshell's OpenCASCADE kernel, in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", OCC, str(path), str(seconds)], capture_output=True, text=True, timeout=3 * seconds
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return Exact(None, False, frozenset())
    return Exact(answer["seconds"], answer["ended"], frozenset(answer["found"]))


class Theirs:
    """The fragments importer, warm; started again after a file that it fails on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Fragments | None = None

    async def convert(self, file: Path) -> tuple[float, int] | None:
        """Seconds and bytes; None where it fails or takes five minutes."""
        if self._process is None:
            self._process = Fragments(self._folder)
            await asyncio.to_thread(self._process.convert, SHARED / WARM_UP)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._process.convert, file), 300)
        except (ValueError, KeyError, TimeoutError, OSError):
            self.close()
            return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None


async def compare(twin: Twin, theirs: Theirs, file: Path, runs: int, occ_seconds: float) -> str:
    """A row of the table; the figures of the file are printed."""
    reports: list[dict[str, Any]] = []
    answers: list[tuple[float, int]] = []
    for _ in range(runs):
        reports.append(await imported(twin, file))
        answer = await theirs.convert(file)
        if answer is not None:
            answers.append(answer)
    return row(file, reports, answers, await asyncio.to_thread(exact, file, occ_seconds))


def row(file: Path, reports: Sequence[dict[str, Any]], theirs: Sequence[tuple[float, int]], occ: Exact) -> str:
    """One line of the table."""
    report, name = reports[0], f"{file.parent.name}/{file.name}"
    seconds = statistics.median(each["seconds"]["total"] for each in reports)
    other = statistics.median(s for s, _ in theirs) if theirs else None
    size = file.stat().st_size / 1e6
    lost = sum(each["global_id"] in occ.found for each in report["without_geometry"])
    figure(f"P1.files.{name}", seconds, "s", baseline="fragments", baseline_value=other)
    figure(f"P2.lost.{name}", lost, "elements")
    rungs = ", ".join(f"{rung} {n}" for rung, n in report["rungs"].items()) or "no geometry"
    exact_s = "fails" if occ.seconds is None else f"{occ.seconds:.2f}"
    if occ.seconds is not None and not occ.ended:
        exact_s = f"> {occ.seconds:.0f} ({len(occ.found)} products)"
    cells = (
        name, f"{size:.2f}", report["elements"], f"{seconds:.2f}",
        f"{other:.2f}" if other else "fails", f"{seconds / other:.2f}" if other else "",
        exact_s, rungs, f"{report['tile_bytes'] / 1e3 / size:.0f}",
        f"{report['tile_bytes'] / theirs[0][1]:.2f}" if theirs and theirs[0][1] else "", lost,
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


async def run(files: Sequence[Path], generated: Sequence[float], runs: int, occ_seconds: float) -> None:
    """All rows; the table comes last."""
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    folder.chmod(0o711)
    rows, theirs = [HEAD], Theirs(folder)
    try:
        async with server(folder) as twin:
            await imported(twin, SHARED / WARM_UP)
            for file in files:
                rows.append(await compare(twin, theirs, file.resolve(), runs, occ_seconds))  # noqa: PERF401
            for megabytes in generated:
                made = await asyncio.to_thread(replicated, BASE, folder / f"restaurants-{megabytes:.0f}.ifc", megabytes)
                rows.append(await compare(twin, theirs, made, 1, occ_seconds))
                made.unlink()
    finally:
        theirs.close()
        shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.write("\n".join(rows) + "\n")


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--occ", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--generated", default="")
    chosen = parser.parse_args()
    found = sorted(path for path in SHARED.rglob("*") if path.suffix.lower() == ".ifc" and OLDER not in path.parts)
    generated = [float(each) for each in chosen.generated.split(",") if each]
    files = chosen.files or ([] if generated else found)
    asyncio.run(run(files, generated, chosen.runs, chosen.occ))


if __name__ == "__main__":
    main()
