"""Whole storeys are seen while the rest of a model is imported, and only as long as nothing better is there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from api.app import Twin, create_app, open_twin
from api.importing import IFC, ask_for_import
from api.route import SESSION_COOKIE
from identity import Actor, sessions
from identity.sessions import Origin
from tests.access.world import account
from tests.conftest import Cluster
from tests.ifc_models.test_preview import STOREYS, WALLS, tower
from twin import jobs, places
from twin.db import Conn, row, rows
from twin.jobs import Job, JobContext
from twin.settings import Settings

ACTOR = Actor("account:li")


@dataclass
class Seen:
    """What a viewer sees at each stage of an import."""

    client: httpx.AsyncClient
    building: str
    tiles: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cancel_at: str = ""

    async def look(self, stage: str) -> None:
        answer = (await self.client.get(f"/buildings/{self.building}/tileset.json")).json()
        self.tiles[stage] = [each["content"] for each in answer["root"].get("children", [])]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twin(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Twin]:
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", "previewed", "template_twin")
    settings = Settings(data=tmp_path_factory.mktemp("previewed"), database=cluster.url("previewed"), worker=False)
    async with open_twin(settings, serving=False) as made:
        made.importer.preview_after = 0.0
        made.importer.workers.preview_groups = 100
        yield made
    cluster.execute("DROP DATABASE {} WITH (FORCE)", "previewed")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tower(tmp_path_factory.mktemp("tower") / "tower.ifc")


async def viewer(twin: Twin, conn: Conn, name: str) -> httpx.AsyncClient:
    """A client with the session of an account that is there."""
    found = await row(conn, "SELECT id FROM account WHERE name = %s", (name,))
    assert found is not None
    session, token = await sessions.create_session(
        conn, found["id"], Origin(None), method="password", settings=twin.settings, now=twin.clock.now()
    )
    headers = {"cookie": f"{SESSION_COOKIE}={token}", "x-csrf-token": session.csrf_token}
    transport = httpx.ASGITransport(create_app(twin))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=headers)


async def watched(twin: Twin, file: Path, seen: Seen, model: str) -> Job:
    """Import a file; `seen` looks at the building whenever a stage begins."""

    async def handler(job: JobContext) -> Any:
        said = job.report

        async def report(stage: str, progress: float, **detail: int | None) -> None:
            if stage not in seen.tiles:
                await seen.look(stage)
            if stage == seen.cancel_at:
                async with twin.db.transaction() as conn:
                    await jobs.cancel_job(conn, job.id)
            await said(stage, progress, **detail)

        job.report = report  # type: ignore[method-assign]
        return await twin.importer.run(job)

    worker = asyncio.create_task(jobs.run_worker(twin.db, {"import": handler}))
    try:
        blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
        async with twin.db.transaction() as conn:
            building = await places.get_building(conn, seen.building)
            job_id = await ask_for_import(conn, building, model, "arc", blob, file.name, ACTOR)
        job = [each async for each in jobs.follow_job(twin.db, job_id)][-1]
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    await seen.look(job.state)
    return job


async def told(twin: Twin, building: UUID) -> list[tuple[str, int | None]]:
    async with twin.db.connection() as conn:
        found = await rows(conn, "SELECT topic, data FROM event WHERE building_id = %s ORDER BY id", (building,))
    return [(each["topic"], each["data"].get("tiles")) for each in found if each["topic"].startswith("model")]


def wall_of(storey: int) -> bytes:
    """The GlobalId of the first wall of a storey of the tower, whose file begins with the highest."""
    return b"0000000000000000%06d" % (1000 + 10 * (1 + WALLS * (STOREYS - 1 - storey)))


async def versions_are_seen_by_those_who_may(
    twin: Twin, everywhere: httpx.AsyncClient, outsider: httpx.AsyncClient, building: str
) -> None:
    [model] = (await everywhere.get("/models", params={"building": building})).json()["items"]
    at = f"/models/{model['id']}"
    reads = ("/versions", "/versions/1", "/versions/2", "/versions/2/original", "/versions/2/tileset.json",
             "/versions/2/matches", "/diff?from=1&to=2", "/diff.csv?from=1&to=2")  # fmt: skip
    for path in reads:
        assert (await everywhere.get(at + path)).status_code == 200, path
        assert (await outsider.get(at + path)).status_code == 404, path
    assert (await outsider.get("/models")).json()["items"] == []
    assert len((await everywhere.get(f"{at}/versions/2/matches")).json()["items"]) == 1

    async with twin.db.transaction() as conn:
        found = await row(conn, "SELECT id FROM storey WHERE name = 'S1'")
        assert found is not None
        await account(conn, "low", "facility_engineer", ("storey", found["id"]))
        low = await viewer(twin, conn, "low")
    for path in reads:
        answer = await low.get(at + path)
        assert answer.status_code in (200, 404), path
        assert not [each for each in (wall_of(2), wall_of(3)) if each.decode() in answer.text], path
    await low.aclose()


inside = pytest.mark.asyncio(loop_scope="module")


@inside
async def test_whole_storeys_are_seen_before_the_job_is_done_and_never_half_a_version(twin: Twin, file: Path) -> None:
    async with twin.db.transaction() as conn:
        building = await places.create_building(conn, "Seen")
        other = await places.create_building(conn, "Other")
        await account(conn, "everywhere", "facility_engineer")
        await account(conn, "elsewhere", "facility_engineer", ("building", other.id))
        client, outsider = await viewer(twin, conn, "everywhere"), await viewer(twin, conn, "elsewhere")
    seen = Seen(client, str(building.id))
    job = await watched(twin, file, seen, "m")
    assert job.state == "done", job.error

    # Meshing was over when `place` began: what is seen there came from the mesher, storey by storey from the lowest.
    early, late = seen.tiles["place"], seen.tiles["store"]
    assert seen.tiles["check"] == seen.tiles["read"] == []
    names = [each["extras"]["preview"] for each in early]
    assert 0 < len(names) < STOREYS and names == [f"S{i}" for i in range(len(names))]
    assert len(late) >= len(early) and all(each["extras"]["storey"] is None for each in late)
    final = {each["uri"] for each in seen.tiles["done"]}
    assert {each["uri"] for each in early} <= final  # made once
    assert all("preview" not in each["extras"] and each["extras"]["storey"] for each in seen.tiles["done"])
    topics = await told(twin, building.id)
    assert [topic for topic, _ in topics][-1] == "model" and ("model_preview", 0) not in topics

    # A model that is shown is shown whole until the next version is there.
    again = Seen(client, str(building.id))
    edited = file.with_name("edited.ifc")
    renamed, rekeyed = wall_of(3), wall_of(2)  # on the highest storey, and on the one below
    text = file.read_bytes().replace(b"'S0'", b"'Ground'").replace(rekeyed, rekeyed[:-1] + b"Z")
    edited.write_bytes(text.replace(renamed + b"',$,'W'", renamed + b"',$,'Renamed'"))
    assert (await watched(twin, edited, again, "m")).state == "done"
    assert all(tiles == seen.tiles["done"] for stage, tiles in again.tiles.items() if stage != "done")

    # Who may see nothing of the building learns nothing of its versions; who may see a storey, that storey's part.
    await versions_are_seen_by_those_who_may(twin, client, outsider, str(building.id))

    # A cancelled first import takes everything back, and says so.
    gone = Seen(client, str(other.id), cancel_at="store")
    assert (await watched(twin, file, gone, "n")).state == "cancelled"
    assert gone.tiles["store"] and gone.tiles["cancelled"] == []
    assert (await told(twin, other.id))[-1] == ("model_preview", 0)

    for each in (client, outsider):
        await each.aclose()


@inside
async def test_a_preview_is_served_to_those_who_may_see_the_building_and_goes_with_its_job(
    twin: Twin, file: Path
) -> None:
    async with twin.db.transaction() as conn:
        building = await places.create_building(conn, "Third")
        foreign = await places.create_building(conn, "Fourth")
        await account(conn, "here", "facility_engineer", ("building", building.id))
        await account(conn, "there", "facility_engineer", ("building", foreign.id))
        client, outsider = await viewer(twin, conn, "here"), await viewer(twin, conn, "there")
    served: list[tuple[int, int, int]] = []

    class Looking(Seen):
        async def look(self, stage: str) -> None:
            await super().look(stage)
            if stage == "place":
                tile = f"/tiles/{self.tiles[stage][0]['uri'].rsplit('/', 1)[1]}"
                tileset = f"/buildings/{building.id}/tileset.json"
                served.append(
                    (
                        (await client.get(tile)).status_code,
                        (await outsider.get(tile)).status_code,
                        (await outsider.get(tileset)).status_code,
                    )
                )
                # The worker's death, as the database sees it.
                async with twin.db.transaction() as conn:
                    await conn.execute("UPDATE job SET state = 'queued', worker = NULL WHERE state = 'running'")
                await super().look("died")
                async with twin.db.transaction() as conn:
                    await conn.execute("UPDATE job SET state = 'cancelled' WHERE state = 'queued'")

    seen = Looking(client, str(building.id))
    assert (await watched(twin, file, seen, "m")).state == "cancelled"
    assert served == [(200, 404, 404)]
    assert seen.tiles["place"] and seen.tiles["died"] == []
    for each in (client, outsider):
        await each.aclose()
