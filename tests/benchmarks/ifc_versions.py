"""P3: the same file again, and one element moved, against the first import of the same file in the same run.

`python -m tests.benchmarks.ifc_versions [FILE…]`. Time: job start → tiles servable, on a warm server; the files are
written by ifcopenshell, so that the edited one differs in one element and keeps its STEP ids.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import ifcopenshell
import ifcopenshell.util.unit

from api.app import Twin
from api.importing import IFC, ask_for_import
from tests.benchmarks.figures import figure
from tests.benchmarks.ifc.__main__ import ACTOR, RUNS, SHARED, WARM_UP, imported, server
from twin import jobs, places

FILES = [
    "arch/AC11-Institute-Var-2.ifc",
    "arch/Duplex_A_20110907.ifc",
    "mep/hvac_heating_luartx.ifc",
    "arch/janesville_restaurant_revit2012.ifc",
]


def write_pair(source: Path, base: Path, edited: Path) -> None:
    """Write the file as it is and with one element moved by 0.1 m."""
    file = ifcopenshell.open(str(source))
    file.write(str(base))
    metre = ifcopenshell.util.unit.calculate_unit_scale(file)
    for element in file.by_type("IfcElement"):
        placement = element.ObjectPlacement
        if element.is_a("IfcOpeningElement") or not element.Representation or placement.ReferencedByPlacements:
            continue
        point = placement.RelativePlacement.Location
        if all(len(file.get_inverse(each)) == 1 for each in (placement, placement.RelativePlacement, point)):
            x, *rest = point.Coordinates
            point.Coordinates = (x + 0.1 / metre, *rest)
            break
    file.write(str(edited))


async def put(twin: Twin, building: places.Building, file: Path) -> dict[str, Any]:
    """The report of the model's next version; the worker processes are ready before it starts."""
    await twin.importer.warm()
    blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
    async with twin.db.transaction() as conn:
        job_id = await ask_for_import(conn, building, "m", "arc", blob, file.name, ACTOR)
    job = [state async for state in jobs.follow_job(twin.db, job_id)][-1]
    if job.result is None:
        raise SystemExit(f"{file.name}: import failed: {job.error}")
    return job.result


async def measure(twin: Twin, source: Path, folder: Path) -> None:
    """The figures of one file."""
    base, edited = folder / "base.ifc", folder / "edited.ifc"
    await asyncio.to_thread(write_pair, source, base, edited)
    seconds: list[list[float]] = []
    for _ in range(RUNS):
        async with twin.db.transaction() as conn:
            building = await places.create_building(conn, f"bench {uuid4().hex}")
        reports = [await put(twin, building, file) for file in (base, base, edited)]
        if reports[2]["changed"] != 1 or reports[2]["added"] or reports[2]["removed"]:
            raise SystemExit(f"{source.name}: one element was moved, the import found {reports[2]}")
        seconds.append([report["seconds"]["total"] for report in reports])
    first, again, moved = (statistics.median(column) for column in zip(*seconds, strict=True))
    figure(f"P3.same.{source.stem}", again, "s", baseline="first import", baseline_value=first)
    figure(f"P3.one_changed.{source.stem}", moved, "s", baseline="first import", baseline_value=first)


async def run(files: list[Path]) -> None:
    """All figures."""
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        async with server(folder) as twin:
            await imported(twin, SHARED / WARM_UP)
            for file in files:
                await measure(twin, file, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run([Path(name) for name in sys.argv[1:]] or [SHARED / name for name in FILES]))
