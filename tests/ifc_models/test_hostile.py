"""S6: files made to kill are refused with a clear error or read with a report; what they cost stays in the worker.

Each goes through the whole import of a file, in fenced workers. Memory is what the workers' own accounts say (the
kernel's high-water marks of the process and its children); the server's process must not grow.
"""

import gc
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ifc_models.extract import Extract, load_geometry
from ifc_models.report import geometry_figures
from ifc_models.sandbox import MIB, WorkerLimits
from ifc_models.worker import WorkerPool
from tests.ifc_models import hostile
from tests.ifc_models.conftest import SHARED
from twin.errors import TwinError

A, B = "000000000000000000000A", "000000000000000000000B"
SECONDS = 120.0
MEMORY = 2048 * MIB
SERVER_GROWTH = 50 * MIB

REFUSED: list[tuple[Callable[[Path], Path], str]] = [
    (hostile.truncated, "ifc.truncated"),
    (hostile.wrong_magic, "ifc.not_ifc"),
    (hostile.parentheses, "ifc.too_deep"),
    (hostile.big_ids, "ifc.id_too_large"),
    (hostile.zip_bomb, "ifc.zip_bomb"),
]
NAMED: list[tuple[Callable[[Path], Path], list[str]]] = [  # which elements the report names as less than they should be
    (hostile.self_placed, [A]),
    (hostile.self_boolean, [A]),
    (hostile.deep_booleans, [A]),
    (hostile.deep_placements, [A]),
    (hostile.doubling_boolean, [A]),
    (hostile.mapped_bomb, [A]),
    (hostile.endless_numbers, [A]),
    (hostile.empty_attributes, [A, B]),
    (hostile.slipping_zip, []),
]


async def bounded(path: Path, out: Path) -> Extract | TwinError:
    """What came of a file; fails when it took too long or too much memory, or when our own process grew."""
    gc.collect()
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    answer: Extract | TwinError
    async with WorkerPool(limits=WorkerLimits(seconds=SECONDS)) as pool:
        try:
            answer = await pool.run(path, out)
        except TwinError as error:
            answer = error
    assert time.monotonic() - started < SECONDS + 10
    assert 0 < pool.peak_bytes <= MEMORY
    gc.collect()
    assert psutil.Process().memory_info().rss - before <= SERVER_GROWTH
    return answer


@pytest.mark.parametrize(("make", "code"), REFUSED, ids=lambda value: getattr(value, "__name__", value))
async def test_a_file_that_cannot_be_used_is_refused_with_a_place(
    tmp_path: Path, make: Callable[[Path], Path], code: str
) -> None:
    answer = await bounded(make(tmp_path / "hostile.ifc"), tmp_path / "out")
    assert isinstance(answer, TwinError)
    assert (answer.code, bool(answer.where)) == (code, True)
    assert answer.text("zh") != answer.text("en")


@pytest.mark.parametrize(("make", "named"), NAMED, ids=lambda value: getattr(value, "__name__", "named"))
async def test_a_hostile_element_costs_itself_and_no_other(
    tmp_path: Path, make: Callable[[Path], Path], named: list[str]
) -> None:
    out = tmp_path / "out"
    answer = await bounded(make(tmp_path / "hostile.ifc"), out)
    assert isinstance(answer, Extract), answer
    figures = geometry_figures(answer, load_geometry(out))
    less = {entry["global_id"]: entry["reason"] for entry in (*figures["degraded"], *figures["without_geometry"])}
    assert sorted(less) == named
    assert all(less.values())
    unsafe = {element.global_id for element in answer.elements if element.unsafe}
    assert unsafe <= set(named)
    assert bool(unsafe) == ("ifc.unsafe_geometry" in [finding.code for finding in answer.warnings])
    assert figures["with_geometry"] + len(figures["without_geometry"]) == 2
    assert not Path("/tmp/slipped.ifc").exists()


@pytest.mark.drill
@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", [hostile.many_entities, hostile.a_list_of_millions])
async def test_millions_of_lines_stay_within_bounds(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    answer = await bounded(make(tmp_path / "many.ifc"), tmp_path / "out")
    assert isinstance(answer, Extract) or answer.code.startswith("ifc.")


@pytest.mark.drill
@pytest.mark.timeout(3600)
async def test_every_malformed_public_file_is_meshed_or_refused(tmp_path: Path) -> None:
    files = sorted((SHARED / "malformed").rglob("*.ifc"))
    if not files:
        pytest.skip(f"{SHARED / 'malformed'} is not there")
    for number, file in enumerate(files):
        answer = await bounded(file, tmp_path / str(number))
        if isinstance(answer, TwinError):
            assert answer.code.startswith("ifc.") and answer.where, file
            assert answer.code not in ("ifc.worker_crashed", "ifc.worker_timeout", "ifc.worker_memory"), (file, answer)
            continue
        for entry in load_geometry(tmp_path / str(number)):
            assert entry.rung not in ("box", "lost") or entry.note, file
