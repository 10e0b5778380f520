"""What imports survive: cancelling at any moment, a killed server, two at once, no room on the disk."""

import asyncio
import json
import resource
import subprocess
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.app import Twin, open_twin
from api.importing import IFC, ask_for_import, make_points
from identity import Actor
from ifc_models.report import warning
from tests.ifc_models import hostile
from tests.ifc_models.test_preview import tower
from tests.serving import TWIN, environment, serving, wait_for_job
from tests.telemetry.test_points import building_of, element
from twin import jobs, places
from twin.blob_upkeep import remove_unused_blobs
from twin.db import Conn, row, rows
from twin.jobs import Job, JobContext
from twin.settings import Settings

HOUSE = "arch/AC20-FZK-Haus.ifc"
ACTOR = Actor("account:li")


@asynccontextmanager
async def importing(settings: Settings) -> AsyncIterator[Twin]:
    """Everything of a server but HTTP; jobs are run by the test."""
    async with open_twin(settings, serving=False) as twin:
        yield twin


async def ask(twin: Twin, file: Path, model: str = "m") -> UUID:
    blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
    async with twin.db.transaction() as conn:
        building = await places.find_building(conn, "B") or await places.create_building(conn, "B")
        return await ask_for_import(conn, building, model, "arc", blob, file.name, ACTOR)


async def over(twin: Twin, job_id: UUID) -> Job:
    return [job async for job in jobs.follow_job(twin.db, job_id)][-1]


async def test_an_import_that_is_cancelled_at_any_stage_leaves_nothing_behind(
    settings: Settings, tmp_path: Path
) -> None:
    reached: list[str] = []
    file = tower(tmp_path / "tower.ifc")
    async with importing(settings) as twin:

        async def cancelled_on_the_way(job: JobContext) -> Any:
            stage, said = job.args["model"], job.report

            async def report(now: str, progress: float, **detail: int | None) -> None:
                if now == stage:
                    reached.append(stage)
                    async with twin.db.transaction() as conn:
                        await jobs.cancel_job(conn, job.id)
                await said(now, progress, **detail)

            job.report = report  # type: ignore[method-assign, assignment]
            return await twin.importer.run(job)

        worker = asyncio.create_task(jobs.run_worker(twin.db, {"import": cancelled_on_the_way}))
        try:
            for stage in ("check", "read", "mesh", "place", "store"):
                job = await over(twin, await ask(twin, file, model=stage))
                assert (job.state, stage) == ("cancelled", reached[-1])
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        async with twin.db.connection() as conn:
            assert await row(conn, "SELECT 1 FROM model_version") is None
            assert await row(conn, "SELECT 1 FROM element UNION ALL SELECT 1 FROM tile_preview") is None
        assert list((settings.data / "work").iterdir()) == []


async def test_versions_of_one_model_come_in_order_and_other_models_meanwhile(
    settings: Settings, shared: Path, tmp_path: Path
) -> None:
    async with importing(settings) as twin:
        baseline = shared / "ifc/versions/design_change_M1/IFC/M1.ifc"
        later = shared / "ifc/versions/design_change_M1/IFC/M1_A-MP.ifc"
        asked = [await ask(twin, baseline), await ask(twin, later), await ask(twin, baseline, "other")]
        binary = await ask(twin, hostile.wrong_magic(tmp_path / "no.ifc"), "third")  # what it says is no text
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings))
        try:
            done = [await over(twin, each) for each in asked]
            refused = await over(twin, binary)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        assert (refused.state, (refused.error or {})["code"]) == ("failed", "ifc.not_ifc")
        results = [job.result or pytest.fail(str(job.error)) for job in done]
        assert [(r["model"], r["version"]) for r in results] == [("m", 1), ("m", 2), ("other", 1)]
        assert done[1].started_at is not None and done[0].finished_at is not None
        assert done[1].started_at >= done[0].finished_at
        assert (results[1]["added"], results[1]["changed"], results[1]["removed"]) == (0, 2, 0)


@pytest.mark.timeout(180)
def test_a_server_that_is_killed_in_the_middle_of_an_import_does_it_after_its_restart(
    database_url: str, tmp_path: Path
) -> None:
    data, model_file = tmp_path / "data", tower(tmp_path / "tower.ifc")
    with serving(data, database_url) as server, server.client() as client:
        client.post("/buildings", json={"name": "B"}).raise_for_status()
        with model_file.open("rb") as file:
            job = client.post("/models", data={"building": "B"}, files={"file": ("m.ifc", file)}).json()["id"]
        while client.get(f"/jobs/{job}").raise_for_status().json()["stage"] not in ("read", "mesh", "place"):
            pass
        server.kill()
    assert [path.name for path in (data / "work").iterdir()]  # it was in the middle
    with serving(data, database_url) as server, server.client() as client:
        done = wait_for_job(client, job)
        assert (done["state"], done["error"]) == ("done", None)
        [model] = client.get("/models").json()["items"]
        assert [v["version"] for v in client.get(f"/models/{model['id']}/versions").json()["items"]] == [1]
    assert list((data / "work").iterdir()) == []


@pytest.mark.parametrize("zipped", [False, True], ids=["while it is stored", "while it is read"])
async def test_no_room_on_the_disk_is_said_and_changes_nothing(
    settings: Settings, tmp_path: Path, shared: Path, zipped: bool
) -> None:
    file = shared / "ifc" / HOUSE
    if zipped:
        with zipfile.ZipFile(tmp_path / "house.ifczip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, "house.ifc")
        file = tmp_path / "house.ifczip"
    done = await asyncio.to_thread(
        subprocess.run,
        [str(TWIN), "import", str(file), "--building", "B", "--json"],
        env=environment(settings.data, settings.database),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        capture_output=True,
        check=False,
        timeout=90,  # a thread that waits for ever would hold up the end of the whole run
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "disk.full"), done.stderr
    async with importing(settings) as twin:
        async with twin.db.connection() as conn:
            assert await rows(conn, "SELECT 1 FROM model_version UNION ALL SELECT 1 FROM element") == []
        halves = [path for path in settings.blobs.iterdir() if path.is_file()]
        assert halves == []
        assert not (settings.data / "work").exists() or list((settings.data / "work").iterdir()) == []
        tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=1)
        left = [path for path in settings.blobs.rglob("*") if path.is_file()]
        assert await remove_unused_blobs(twin.db, twin.blobs, tomorrow) == len(left)
        assert [path for path in settings.blobs.rglob("*") if path.is_file()] == []


async def test_points_that_make_no_sense_are_a_finding_in_both_languages(conn: Conn) -> None:
    building = await building_of(conn)
    await element(conn, building, "IfcPump", "Pump", Twin_Points={"PumpRun": {"value": "run it"}})
    [finding] = await make_points(conn, ACTOR, building)
    shown = warning(finding)
    assert (shown["code"], shown["severity"], len(shown["where"])) == ("ifc.points_unclear", "warning", 1)
    assert "describes no point" in shown["explanation"]["en"] and "PumpRun" in shown["explanation"]["en"]
    assert "未能描述测点" in shown["explanation"]["zh"] and "describes" not in shown["explanation"]["zh"]
    assert await rows(conn, "SELECT FROM point WHERE building_id = %s", (building,)) == []
