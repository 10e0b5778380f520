"""Point lists that callers hand in: read in the sandbox like any stranger's file, then planned and written."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ifc_models.sheets import load_sheet
from ifc_models.turtle import load_statements
from ifc_models.worker import WorkerPool
from telemetry import point_turtle
from telemetry.point_import import Draft, Problem
from telemetry.point_table import drafts_of
from twin.errors import Language
from twin.settings import Settings

LONGEST: Final = 20_000  # characters of a text in a graph


@dataclass(frozen=True, slots=True)
class PointList:
    """What a file says: a draft of each point, and what of it means nothing here."""

    name: str
    drafts: list[Draft]
    strange: list[Problem]


async def read_points(workers: WorkerPool, settings: Settings, data: bytes, name: str, lang: Language) -> PointList:
    """Read a point list. Raises Invalid and TooLarge: `sheet.…`, `graph.…`, `point.import_…`."""
    turtle = is_turtle(data, name)
    work = settings.data / "work"
    await asyncio.to_thread(work.mkdir, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="points-", dir=work) as folder:
        path, out = Path(folder) / ("points.ttl" if turtle else "points.dat"), Path(folder) / "out"
        await asyncio.to_thread(out.mkdir)
        await asyncio.to_thread(path.write_bytes, data)
        if turtle:
            options = {"predicates": point_turtle.WANTED, "most": settings.graph_triples, "longest": LONGEST}
            await workers.do("turtle", path, out, file_name=name, options=options)
            read = await asyncio.to_thread(load_statements, out)
            return PointList(name, await asyncio.to_thread(point_turtle.drafts_of_triples, read.kept), [])
        await workers.do("sheet", path, out, file_name=name, options={"most": settings.point_rows})
        sheet = await asyncio.to_thread(load_sheet, out)
    drafts, strange = await asyncio.to_thread(drafts_of, sheet.header, sheet.rows, lang)
    return PointList(name, drafts, strange)


def is_turtle(data: bytes, name: str) -> bool:
    """Say whether a file is Turtle: by its name, else by its first words."""
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return name.lower().endswith((".ttl", ".n3", ".nt")) or start.startswith((b"@prefix", b"@base", b"prefix "))
