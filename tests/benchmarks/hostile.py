"""S6: every malformed public file and the files made to kill, through the real import job of a server.

`python -m tests.benchmarks.hostile [--every N]` (default 1: all of ../shared/malformed, 630 files). Each is stored,
queued, read and meshed in fenced workers, and either shown or refused with a code and a place. Memory is what the
workers say of themselves; the server is this process. Ends with 1 where anything is outside the bounds of S6.
"""

import argparse
import asyncio
import gc
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil

from api.app import Twin
from api.importing import IFC, ask_for_import
from identity import Actor
from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import SHARED, WARM_UP, imported, server
from tests.ifc_models import hostile
from twin import jobs, places
from twin.jobs import Job

MALFORMED = SHARED.parent / "malformed"
SECONDS, WORKER, GROWTH = 120.0, 2 << 30, 50 << 20
LIMITS_HIT = ("ifc.worker_crashed", "ifc.worker_timeout", "ifc.worker_memory")
MADE: Sequence[Callable[[Path], Path]] = (
    hostile.self_placed, hostile.self_boolean, hostile.deep_booleans, hostile.deep_placements, hostile.doubling_boolean,
    hostile.mapped_bomb, hostile.endless_numbers, hostile.empty_attributes, hostile.slipping_zip, hostile.truncated,
    hostile.wrong_magic, hostile.parentheses, hostile.big_ids, hostile.zip_bomb, hostile.many_entities,
    hostile.a_list_of_millions,
)  # fmt: skip


@dataclass
class Seen:
    """What came of all files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    worker: int = 0  # bytes, the hungriest process
    growth: int = 0  # bytes, of the server over one file
    degraded: int = 0
    without: int = 0


async def over(twin: Twin, file: Path, building: UUID, number: int) -> Job:
    """The job of a file, when it is over."""
    blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
    async with twin.db.transaction() as conn:
        place = await places.get_building(conn, str(building))
        name = f"{number} {file.stem}"[:200]
        job_id = await ask_for_import(conn, place, name, "arc", blob, file.name, Actor(name="system:bench"))
    return [job async for job in jobs.follow_job(twin.db, job_id)][-1]


async def judge(twin: Twin, seen: Seen, file: Path, building: UUID, number: int) -> None:
    """Import one file and hold it against the bounds."""
    gc.collect()
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    twin.importer.workers.peak_bytes = 0
    job = await over(twin, file, building, number)
    seconds, peak = time.monotonic() - started, twin.importer.workers.peak_bytes
    gc.collect()
    growth = psutil.Process().memory_info().rss - before
    seen.seconds, seen.worker = max(seen.seconds, seconds), max(seen.worker, peak)
    seen.growth = max(seen.growth, growth)
    code = (job.error or {}).get("code", "")
    seen.outcomes[code or job.state] += 1
    if job.state == "done" and job.result is not None:
        less = [*job.result["degraded"], *job.result["without_geometry"]]
        seen.degraded += len(job.result["degraded"])
        seen.without += len(job.result["without_geometry"])
        if not all(each["reason"] for each in less):
            seen.wrong.append(f"{file.name}: an element lacks its reason")
    elif not code.startswith("ifc.") or not (job.error or {}).get("where"):
        seen.wrong.append(f"{file.name}: {job.state} {job.error}")
    elif code in LIMITS_HIT and number < len(MADE):
        pass  # files made to kill may end at a limit
    elif code in LIMITS_HIT:
        seen.wrong.append(f"{file.name}: {code}")
    if seconds > SECONDS or peak > WORKER or growth > GROWTH or (job.state == "done" and peak == 0):
        seen.wrong.append(f"{file.name}: {seconds:.0f} s, worker {peak >> 20} MiB, server + {growth >> 20} MiB")


async def run(every: int) -> int:
    """All files, one after the other; how many are outside the bounds."""
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    folder.chmod(0o711)
    seen = Seen()
    files = sorted(MALFORMED.rglob("*.ifc"))[::every]
    try:
        async with server(folder) as twin:
            await imported(twin, SHARED / WARM_UP)
            async with twin.db.transaction() as conn:
                building = (await places.create_building(conn, "Hostile")).id
            for number, file in enumerate(_all(files, folder)):
                await judge(twin, seen, file, building, number)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        tell(seen, len(files))
    return len(seen.wrong)


def _all(files: Sequence[Path], folder: Path) -> Iterator[Path]:
    for make in MADE:
        path = make(folder / f"{make.__name__}.ifc")
        yield path
        path.unlink()
    yield from files


def tell(seen: Seen, files: int) -> None:
    """Print the figures."""
    figure("S6.files", sum(seen.outcomes.values()), "files")
    figure("S6.public", files, "files")
    figure("S6.outside", len(seen.wrong), "files")
    figure("S6.seconds.most", seen.seconds, "s")
    figure("S6.worker.most", seen.worker / 2**20, "MiB")
    figure("S6.server.growth.most", seen.growth / 2**20, "MiB")
    figure("S6.elements.degraded", seen.degraded, "elements")
    figure("S6.elements.without", seen.without, "elements")
    sys.stdout.write(json.dumps({"outcomes": dict(seen.outcomes.most_common()), "outside": seen.wrong}) + "\n")


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    sys.exit(1 if asyncio.run(run(parser.parse_args().every)) else 0)


if __name__ == "__main__":
    main()
