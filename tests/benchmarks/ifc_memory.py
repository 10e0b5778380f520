"""P5: memory of an import per MB of IFC, above what the same processes need for a tiny file, on generated files.

`python -m tests.benchmarks.ifc_memory [--dense] [MB…]` (default 50 100 300). The files are copies of the restaurant of
../shared in one file, each scaled a little so that no shape equals another's, with ids and GlobalIds of their own: 60
elements and 17 000 entities per MB, as authoring tools write. `--dense`: the sample's towers instead, with 1100
elements per MB. One process: the highest resident set of any of them. All: the highest sum of proportional set sizes,
sampled every 0.2 s, of this process and all it started but the database. Each kind of process is measured against
itself on the tiny file.
"""

import asyncio
import contextlib
import re
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from ifc_models.sample import write_sample
from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import SHARED, imported, server

SIZES = (50, 100, 300)  # MB
PROBE = 24  # storeys of the tower that tells how many storeys a MB takes
EVERY = 0.2  # s
MB = 1e6
BASE = SHARED / "arch" / "janesville_restaurant_revit2012.ifc"
SHARED_CLASSES = (b"IFCPROJECT", b"IFCUNITASSIGNMENT", b"IFCSITE", b"IFCBUILDING", b"IFCBUILDINGSTOREY",
                  b"IFCGEOMETRICREPRESENTATIONCONTEXT", b"IFCGEOMETRICREPRESENTATIONSUBCONTEXT")  # fmt: skip
_NUMBER = re.compile(rb"\s*#(\d+)\s*=")


def replicated(base: Path, out: Path, megabytes: float) -> Path:
    """Copies of `base` in one file of about `megabytes`, in the same storeys, each a little bigger than the last."""
    text = base.read_bytes()
    start, end = text.index(b"DATA;") + 5, text.rindex(b"ENDSEC;")
    body = text[start:end]
    kept = {int(i) for i in re.findall(rb"#(\d+)\s*=\s*(?:%s)\b" % b"|".join(SHARED_CLASSES), body)}
    stride = max(int(i) for i in re.findall(rb"#(\d+)\s*=", body)) + 1
    with out.open("wb") as file:
        file.write(text[:start] + body)
        for copy in range(1, max(1, round(megabytes * MB / len(text)))):
            file.write(_copied(body, copy, copy * stride, kept))
        file.write(text[end:])
    return out


def _copied(body: bytes, copy: int, offset: int, kept: set[int]) -> bytes:
    """The lines with numbers and GlobalIds of their own; those of `kept` are left out and referred to as they are."""

    def renumbered(found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            number = int(found[1])
            return found[0] if number in kept else b"#%d" % (number + offset)
        return b"'" + found[2][:1] + b"%03d" % copy + found[2][4:] + b"'"

    def scaled(found: re.Match[bytes]) -> bytes:
        return b"IFCCARTESIANPOINT((" + b",".join(b"%.9f" % (float(v) * (1 + copy / 500)) for v in found[1].split(b","))

    lines = [line for line in body.split(b"\n") if not ((own := _NUMBER.match(line)) and int(own[1]) in kept)]
    text = re.sub(rb"#(\d+)|'([0-3][0-9A-Za-z_$]{21})'", renumbered, b"\n".join(lines))
    return re.sub(rb"IFCCARTESIANPOINT\(\(([^)]*)", scaled, text) + b"\n"


def towering(out: Path, megabytes: float) -> Path:
    """A tower of the sample of about `megabytes`."""
    probe = write_sample(out.with_suffix(".probe"), storeys=PROBE, seed=1)
    storeys = max(4, round(PROBE * megabytes * MB / probe.bytes))
    write_sample(out, storeys=storeys, seed=1)
    out.with_suffix(".probe").unlink()
    return out


class Meter:
    """Samples the memory of this process and its descendants until it is stopped."""

    def __init__(self) -> None:
        self.all = 0  # bytes, proportional set sizes summed
        self.parts: dict[str, int] = {}  # bytes resident in the biggest process of each kind
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
                    kind = "worker" if "ifc_models.worker" in name else "finisher" if "spawn" in name else "server"
                    self.parts[kind] = max(self.parts.get(kind, 0), memory.rss)
            self.all = max(self.all, total)
            await asyncio.sleep(EVERY)


async def run(sizes: list[float], *, dense: bool) -> None:
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
                file = folder / f"{size:.0f}.ifc"
                if dense:
                    await asyncio.to_thread(towering, file, size)
                else:
                    await asyncio.to_thread(replicated, BASE, file, size)
                async with Meter() as meter:
                    report = await imported(twin, file)
                written = file.stat().st_size / MB
                file.unlink()
                most = max(meter.parts[kind] - base.parts.get(kind, 0) for kind in meter.parts)
                figure(f"P5.{size:.0f}MB.one", most / MB / written, "MB/MB")
                figure(f"P5.{size:.0f}MB.all", (meter.all - base.all) / MB / written, "MB/MB")
                for kind, resident in meter.parts.items():
                    figure(f"P5.{size:.0f}MB.rss.{kind}", resident / MB, "MB")
                for stage, seconds in report["seconds"].items():
                    figure(f"P5.{size:.0f}MB.seconds.{stage}", seconds, "s")
                figure(f"P5.{size:.0f}MB.elements", report["elements"], "elements")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    numbers = [float(size) for size in sys.argv[1:] if not size.startswith("--")]
    asyncio.run(run(numbers or list(SIZES), dense="--dense" in sys.argv))
