"""Worker processes are fenced in, may die in any way, and lose no element when they do."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from ifc_models import worker_process
from ifc_models.extract import MeshArrays, load_extract, load_geometry
from ifc_models.protocol import Task
from ifc_models.report import geometry_figures
from ifc_models.sandbox import MIB, WorkerLimits
from ifc_models.worker import Step, WorkerPool, run_worker
from ifc_models.worker_process import WorkerDied
from tests.ifc_models import hostile
from tests.ifc_models.conftest import SHARED, Find
from twin.errors import Invalid, TwinError

A, B = "000000000000000000000A", "000000000000000000000B"


def model(name: str) -> Path:
    path = SHARED / "ifc" / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def nurseries() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "ifc_models.worker_nursery" in " ".join(p.cmdline())]


def own_workers() -> list[psutil.Process]:
    return [worker for nursery in nurseries() for worker in nursery.children()]


async def test_a_file_is_read_and_meshed(tmp_path: Path) -> None:
    stages: list[str] = []
    extract = await run_worker(
        hostile.good(tmp_path / "good.ifc"), tmp_path / "out", on_progress=lambda step: stages.append(step.stage)
    )
    mesh, geometry = MeshArrays.load(tmp_path / "out"), load_geometry(tmp_path / "out")
    assert [e.global_id for e in extract.elements if e.has_body] == [A, B]
    assert {g.rung for g in geometry} == {"ifclite"}
    boxes = mesh.element_bounds(len(extract.elements))
    walls = [i for i, e in enumerate(extract.elements) if e.has_body]
    for wall in walls:
        assert boxes[wall].tolist() == pytest.approx([-0.5, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert len(set(mesh.element_shape_hashes().values())) == 1
    assert load_extract(tmp_path / "out").elements == extract.elements
    assert stages[0] in ("checking", "opening")
    assert nurseries() == []


@pytest.mark.parametrize("name", ["arch/AC11-Institute-Var-2.ifc", "formats/AC20-FZK-Haus.ifczip",
                                  "ifc4x3_infra/Bentley_Terrain.ifc", "mep/hvac_heating_luartx.ifc"])  # fmt: skip
async def test_a_fenced_worker_reads_what_a_free_process_reads(tmp_path: Path, name: str, extract_of: Find) -> None:
    async with WorkerPool() as pool:
        fenced = await pool.check(model(name))
    free = extract_of(name)
    assert fenced.elements == free.elements
    assert (fenced.types, fenced.groups, fenced.relations) == (free.types, free.groups, free.relations)
    assert fenced.warnings == free.warnings


async def test_workers_are_forked_from_one_process_which_is_replaced_when_it_dies(tmp_path: Path) -> None:
    async with WorkerPool() as pool:
        await pool.warm()
        [before] = nurseries()
        assert before.num_threads() == 1  # or a fork could copy a lock that somebody holds
        await pool.run(hostile.good(tmp_path / "good.ifc"), tmp_path / "out")
        assert nurseries() == [before] and own_workers() == []
        before.kill()
        extract = await pool.run(tmp_path / "good.ifc", tmp_path / "again")
        assert len(extract.elements) == 3
        [after] = nurseries()
        assert after != before
    assert nurseries() == []


async def test_a_killed_reader_is_an_error_and_the_pool_goes_on(tmp_path: Path) -> None:
    async with WorkerPool() as pool:
        running = asyncio.create_task(pool.run(model("arch/janesville_restaurant_revit2012.ifc"), tmp_path / "dead"))
        while len(own_workers()) < 2:
            assert not running.done()
            await asyncio.sleep(0.01)  # processes start without telling anyone
        for process in own_workers():
            process.kill()
        with pytest.raises(TwinError) as error:
            await running
        assert error.value.code == "ifc.worker_crashed"
        assert "SIGKILL" in error.value.text("zh")
        extract = await pool.run(hostile.good(tmp_path / "good.ifc"), tmp_path / "alive")
        assert len(extract.elements) == 3


async def test_a_nursery_that_stops_answering_holds_nobody_up_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hostile.good(tmp_path / "good.ifc")
    async with WorkerPool() as pool:
        await pool.warm()
        [stopped] = nurseries()
        stopped.suspend()
        assert pool._nursery is not None and pool._nursery._control is not None
        with contextlib.suppress(BlockingIOError):
            while True:  # until no wish fits in any more: a worker is asked for in vain
                pool._nursery._control.send(b"{}")
        with pytest.raises(Invalid) as error:
            await asyncio.wait_for(pool.run(path, tmp_path / "unasked"), 60)
        assert error.value.code == "ifc.worker_crashed"
        stopped.resume()
        assert len((await pool.run(path, tmp_path / "resumed")).elements) == 3
        stopped.suspend()
        with monkeypatch.context() as patch, pytest.raises(Invalid) as error:
            patch.setattr(worker_process, "END_SECONDS", 0.1)
            await pool.run(path, tmp_path / "stopped", limits=WorkerLimits(seconds=0.5))
        assert error.value.code == "ifc.worker_timeout"
        assert len((await pool.run(path, tmp_path / "replaced")).elements) == 3
        assert stopped not in nurseries()
    assert nurseries() == []


class DyingMesher(WorkerPool):
    """A pool whose mesher dies whenever it is given a certain product."""

    culprit = 20
    asked = 0
    boxes_too = True  # it dies even when no kernel is asked
    hangs = False  # instead of dying

    async def _task(
        self,
        task: Task,
        job: Any,
        out: Path | None = None,
        only: list[int] | None = None,
        unsafe: dict[int, str] | None = None,
    ) -> dict[str, Any]:
        if task == "mesh" and (self.boxes_too or not unsafe):
            self.asked += 1
            if only is None or self.culprit in only:
                if self.hangs:
                    await asyncio.sleep(3600)
                raise WorkerDied("SIGSEGV")
        return await super()._task(task, job, out, only, unsafe)


async def test_a_mesher_that_dies_costs_one_element_and_says_which(tmp_path: Path) -> None:
    body = hostile.BASE + "".join(hostile.wall(n, f"00000000000000000000{n:02d}") for n in range(20, 60, 4))
    path = hostile.write(tmp_path / "model.ifc", body + hostile.contained(90, "#20"))
    pool = DyingMesher()
    async with pool:
        extract = await pool.run(path, tmp_path / "out")
        assert 3 <= pool.asked <= 10
    figures = geometry_figures(extract, load_geometry(tmp_path / "out"))
    assert figures["with_geometry"] == 9
    assert [e["global_id"] for e in figures["without_geometry"]] == ["0000000000000000000020"]
    assert "SIGSEGV" in figures["without_geometry"][0]["reason"]
    mesh = MeshArrays.load(tmp_path / "out")
    assert len(mesh.instance_element) == 9
    for i, box in enumerate(mesh.element_bounds(len(extract.elements))):
        if extract.elements[i].has_body and extract.elements[i].step_id != 20:
            assert box.tolist() == pytest.approx([-0.5, -1.0, 0.0, 0.5, 1.0, 3.0])


async def test_what_kills_the_mesher_gets_a_box_with_the_reason(tmp_path: Path) -> None:
    pool = DyingMesher()
    pool.boxes_too = False
    async with pool:
        extract = await pool.run(hostile.good(tmp_path / "good.ifc"), tmp_path / "out")
    figures = geometry_figures(extract, load_geometry(tmp_path / "out"))
    assert figures["with_geometry"] == 2 and figures["without_geometry"] == []
    assert [e["global_id"] for e in figures["degraded"]] == [A]
    assert "SIGSEGV" in figures["degraded"][0]["reason"]


async def test_a_mesher_that_hangs_costs_one_element_and_not_the_import(tmp_path: Path) -> None:
    pool = DyingMesher(limits=WorkerLimits(seconds=60))
    pool.boxes_too, pool.hangs, pool.patience = False, True, 0.05
    async with pool:
        extract = await pool.run(hostile.good(tmp_path / "good.ifc"), tmp_path / "out")
    entries = {extract.elements[g.element].global_id: g for g in load_geometry(tmp_path / "out")}
    assert entries[A].rung == "box" and "no answer" in (entries[A].note or "")
    assert entries[B].rung in ("ifclite", "box")


async def test_an_exception_in_the_mesher_does_not_end_the_import(tmp_path: Path) -> None:
    """A body whose attributes are of the wrong kind: what no kernel and no line of ours expects."""
    broken = "#50=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#7,$,#11));\n"
    body = hostile.BASE + broken + hostile.wall(20, A) + hostile.wall(30, B).replace("(#32)", "(#50)")
    out = tmp_path / "out"
    extract = await run_worker(hostile.write(tmp_path / "odd.ifc", body + hostile.contained(40, "#20,#30")), out)
    entries = {extract.elements[g.element].global_id: g for g in load_geometry(out)}
    assert entries[A].rung == "ifclite"
    assert entries[B].rung in ("box", "lost") and entries[B].note


async def test_progress_counts_products_and_memory_is_accounted_for(tmp_path: Path) -> None:
    steps: list[Step] = []
    async with WorkerPool() as pool:
        await pool.run(model("arch/OpenSmartHome_04_Flat.ifc"), tmp_path / "out", on_progress=steps.append)
        assert 30 * MIB < pool.peak_bytes < 1024 * MIB
    last = [step for step in steps if step.stage == "meshing"][-1]
    assert last.done == last.total == 47
    assert all(a.progress <= b.progress for a, b in zip(steps, steps[1:], strict=False) if a.stage == b.stage)


async def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    limits = WorkerLimits(seconds=0.2)
    async with WorkerPool(limits=limits) as pool:
        await pool.warm()
        with pytest.raises(Invalid) as error:
            await pool.run(model("arch/janesville_restaurant_revit2012.ifc"), tmp_path / "out")
        assert error.value.code == "ifc.worker_timeout"


async def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    limits = WorkerLimits(memory=256 * MIB)
    path = tmp_path / "big.ifc"
    rows = ",".join(f"({i}.,{i}.,{i}.)" for i in range(60_000))
    lists = "".join(f"#{n}=IFCCARTESIANPOINTLIST3D(({rows}));\n" for n in range(100, 160))
    hostile.write(path, hostile.BASE + lists + hostile.wall(20, A))
    with pytest.raises(TwinError) as error:
        await run_worker(path, tmp_path / "out", limits=limits)
    assert error.value.code in ("ifc.worker_memory", "ifc.worker_crashed")


async def test_a_bad_file_is_refused_with_the_code_of_the_check(tmp_path: Path) -> None:
    path = hostile.write(tmp_path / "old.ifc", "", schema="IFC2X_FINAL")
    with pytest.raises(Invalid) as error:
        await run_worker(path, tmp_path / "out")
    assert (error.value.code, error.value.where) == ("ifc.schema_unsupported", "line 5")


@pytest.mark.skipif(sys.platform != "linux", reason="the fences are Linux's")
def test_a_confined_process_reaches_neither_network_nor_files(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "secret").write_text("s")
    script = f"""
import os, socket
from pathlib import Path
from ifc_models.sandbox import WorkerLimits, confine
fences = confine(WorkerLimits(), [], [Path({str(tmp_path / "out")!r})])
def works(action):
    try:
        action()
    except OSError:
        return False
    return True
assert fences["limits"] and fences["privileges"], fences
if fences["network"]:
    assert not works(lambda: socket.socket(socket.AF_INET))
    assert not works(lambda: socket.socket(socket.AF_UNIX))
if fences["files"]:
    assert not works(lambda: open({str(tmp_path / "secret")!r}))
    assert not works(lambda: open("/etc/passwd"))
    assert not works(lambda: open({str(tmp_path / "new")!r}, "w"))
assert works(lambda: open({str(tmp_path / "out" / "new")!r}, "w"))
print(fences)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_servers_side_imports_no_kernel() -> None:
    script = (
        "import sys, ifc_models.worker, ifc_models.store, ifc_models.elements, ifc_models.models, ifc_models.report\n"
        "assert not {'ifcopenshell', 'ifclite_geom'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
