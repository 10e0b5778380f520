"""P5: memory of an import per MB of IFC, above what the same processes need for a tiny file, on generated files.

`python -m tests.benchmarks.ifc_memory [MB…]` (default 50 100 300). The files are the sample's towers, with as many
storeys as the size asks for: some 1100 elements per MB, several times as many as authoring tools write. One process:
the highest resident set of any of them. All: the highest sum of proportional set sizes, sampled every 0.2 s, of this
process and all it started but the database.
"""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from ifc_models.sample import write_sample
from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import imported, server

SIZES = (50, 100, 300)  # MB
PROBE = 24  # storeys of the tower that tells how many storeys a MB takes
EVERY = 0.2  # s
MB = 1e6


def grown(out: Path, megabytes: float) -> Path:
    """A tower of about `megabytes`."""
    probe = write_sample(out.with_suffix(".probe"), storeys=PROBE, seed=1)
    storeys = max(4, round(PROBE * megabytes * MB / probe.bytes))
    write_sample(out, storeys=storeys, seed=1)
    out.with_suffix(".probe").unlink()
    return out


class Meter:
    """Samples the memory of this process and its descendants until it is stopped."""

    def __init__(self) -> None:
        self.one = self.all = 0
        self.parts: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Meter":
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _sample(self) -> None:
        while True:
            total = 0
            for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    name = " ".join(process.cmdline())
                    if "postgres" in name:
                        continue
                    memory = process.memory_full_info()
                    total += memory.pss
                    self.one = max(self.one, memory.rss)
                    kind = "worker" if "ifc_models.worker" in name else "finisher" if "spawn" in name else "server"
                    self.parts[kind] = max(self.parts.get(kind, 0), memory.rss)
            self.all = max(self.all, total)
            await asyncio.sleep(EVERY)


async def run(sizes: list[float]) -> None:
    """All figures, the smallest file first; a tiny one before all gives the base."""
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        async with server(folder) as twin:
            tiny = write_sample(folder / "tiny.ifc", storeys=4, seed=1).path
            await imported(twin, tiny)
            async with Meter() as base:
                await imported(twin, tiny)
            for size in sizes:
                file = await asyncio.to_thread(grown, folder / f"{size:.0f}.ifc", size)
                async with Meter() as meter:
                    report = await imported(twin, file)
                written = file.stat().st_size / MB
                file.unlink()
                figure(f"P5.{size:.0f}MB.one", (meter.one - base.one) / MB / written, "MB/MB")
                figure(f"P5.{size:.0f}MB.all", (meter.all - base.all) / MB / written, "MB/MB")
                for kind, most in meter.parts.items():
                    figure(f"P5.{size:.0f}MB.rss.{kind}", most / MB, "MB")
                for stage, seconds in report["seconds"].items():
                    figure(f"P5.{size:.0f}MB.seconds.{stage}", seconds, "s")
                figure(f"P5.{size:.0f}MB.elements", report["elements"], "elements")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run([float(size) for size in sys.argv[1:]] or list(SIZES)))
