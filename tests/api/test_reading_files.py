"""Files of readings: understood without being asked, stored once, taken up again where a crash left them."""

import asyncio
import csv
import gzip
import io
import json
import os
import pty
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pytest
import pytest_asyncio
from click.testing import CliRunner
from pyarrow import parquet

from api import reading_files
from api.app import Twin, create_app, open_twin
from api.cli import main
from identity import keys
from identity.actor import CLI
from telemetry.points import NewPoint, create_point
from tests.conftest import Cluster
from tests.serving import TWIN, environment, run_twin
from twin import jobs
from twin.db import row, rows
from twin.places import create_building
from twin.settings import Settings

START = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass
class Here:
    """A twin in this process, and a client of it."""

    twin: Twin
    client: httpx.AsyncClient

    async def points(self, *points: NewPoint) -> tuple[str, str]:
        """A building with points whose keys begin with what is returned second."""
        mark = uuid4().hex[:6]
        async with self.twin.db.transaction() as conn:
            building = (await create_building(conn, f"Tower {mark}")).id
            for point in points:
                await create_point(conn, CLI, building, NewPoint(**{**_facts(point), "key": f"{mark}.{point.key}"}))
        return str(building), mark

    async def preview(self, building: str, data: bytes, name: str = "t.csv", mapping: Any = None) -> dict[str, Any]:
        return (await self.send("/readings/import/preview", building, data, name, mapping)).raise_for_status().json()  # type: ignore[no-any-return]

    async def send(self, path: str, building: str, data: bytes, name: str, mapping: Any = None) -> httpx.Response:
        form = {"building": building} | ({"mapping": json.dumps(mapping)} if mapping is not None else {})
        return await self.client.post(path, data=form, files={"file": (name, data)})

    async def take_in(self, building: str, data: bytes, name: str = "t.csv", mapping: Any = None) -> jobs.Job:
        answer = await self.send("/readings/import", building, data, name, mapping)
        assert answer.status_code == 202, answer.text
        return await self.finish(answer.json()["id"])

    async def finish(self, id: str) -> jobs.Job:
        """Run jobs until this one is over."""
        worker = asyncio.create_task(jobs.run_worker(self.twin.db, self.twin.handlers(), settings=self.twin.settings))
        try:
            async for job in jobs.follow_job(self.twin.db, id, every=0.02):  # type: ignore[arg-type]
                last = job
            return last
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def stored(self, mark: str) -> dict[str, list[tuple[datetime, Any, int]]]:
        async with self.twin.db.connection() as conn:
            found = await rows(
                conn,
                """SELECT p.key, r.ts, coalesce(to_jsonb(r.txt), to_jsonb(r.num)) AS value, r.q
                   FROM reading r JOIN point p ON p.handle = r.point_id WHERE p.key LIKE %s ORDER BY p.key, r.ts""",
                (f"{mark}.%",),
            )
        made: dict[str, list[tuple[datetime, Any, int]]] = {}
        for each in found:
            made.setdefault(each["key"].removeprefix(f"{mark}."), []).append((each["ts"], each["value"], each["q"]))
        return made


def _facts(point: NewPoint) -> dict[str, Any]:
    return {name: getattr(point, name) for name in point.__slots__}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", "files", "template_twin")
    settings = Settings(data=tmp_path_factory.mktemp("files"), database=cluster.url("files"), worker=False)
    async with open_twin(settings, serving=False) as twin, twin.ingest:
        async with twin.db.transaction() as conn:
            _, secret = await keys.create_key(conn, "files", created_by=CLI)
        transport = httpx.ASGITransport(create_app(twin))
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost/api/v1", headers=headers
        ) as client:
            yield Here(twin, client)
    cluster.execute("DROP DATABASE {} WITH (FORCE)", "files")


inside = pytest.mark.asyncio(loop_scope="module")
T, PUMP, NOTE = (
    NewPoint(key="T", name="Room temperature", kind="number", max_value=100),
    NewPoint(key="pump", name="Pump", kind="bool"),
    NewPoint(key="note", name="Note", kind="text"),
)


def table(*lines: Sequence[object], delimiter: str = ",") -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter).writerows(lines)
    return made.getvalue()


def minutes(count: int) -> list[datetime]:
    return [START + timedelta(minutes=i) for i in range(count)]


@pytest.mark.clause("6.1.1f")
@inside
async def test_a_wide_table_in_local_time_with_decimal_commas_is_understood_and_stored(here: Here) -> None:
    """What Excel makes in Germany, zipped: names of points instead of keys, days before months, semicolons."""
    building, mark = await here.points(T, PUMP)
    local = [(START + timedelta(days=i)).strftime("%d.%m.%Y %H:%M") for i in range(28)]
    lines = [[at, f"{20 + i / 4:.2f}".replace(".", ","), "true" if i % 2 else "false"] for i, at in enumerate(local)]
    lines[5][1], lines[6][1], lines[7][0] = "", "warm", "yesterday"
    text = "Export of plant 7\n" + table(["Zeit", "Room temperature", f"{mark}.PUMP", "other"], *lines, delimiter=";")
    data = gzip.compress(text.encode("utf-16"))
    found = await here.preview(building, data, "plant.csv.gz")
    assert found["mapping"] | {"quality": None} == {
        "layout": "wide", "ts": "Zeit", "point": None, "value": None, "quality": None, "format": "%d.%m.%Y %H:%M",
        "columns": {"Room temperature": f"{mark}.T", f"{mark}.PUMP": f"{mark}.pump"}, "timezone": None,
        "delimiter": ";", "decimal": ",", "header": 2,
    }  # fmt: skip
    assert (found["zone"], found["encoding"], found["unknown"]) == ("Asia/Shanghai", "utf-16", [])
    assert found["readings"][0] == {"row": 3, "point": f"{mark}.T", "ts": "2024-02-29T16:00:00+00:00", "value": 20.0}
    assert [(each["row"], each["column"]) for each in found["problems"]] == [
        (10, "Room temperature"),
        (10, f"{mark}.PUMP"),
    ]
    job = await here.take_in(building, data, "plant.csv.gz")
    assert job.state == "done", job.error
    assert job.result is not None
    assert {name: job.result[name] for name in ("lines", "accepted", "duplicate", "rejected", "empty")} == {
        "lines": 30, "accepted": 52, "duplicate": 0, "rejected": 3, "empty": 1,
    }  # fmt: skip
    assert {(each["row"], each["code"]) for each in job.result["problems"]} == {
        (10, "reading.file_time"), (9, "reading.kind"),
    }  # fmt: skip
    stored = await here.stored(mark)
    assert stored["T"][1] == (START + timedelta(days=1, hours=-8), 20.25, 0)
    again = await here.take_in(building, data, "plant.csv.gz")
    assert again.result is not None and (again.result["accepted"], again.result["duplicate"]) == (0, 52)


@inside
async def test_a_long_table_brings_its_quality_and_texts_as_they_are_written(here: Here) -> None:
    building, mark = await here.points(T, PUMP, NOTE)
    rows_ = [[at.isoformat(), f"{mark}.{name}", value, "192" if name != "pump" else "uncertain"]
             for at in minutes(4) for name, value in (("T", 21.5), ("pump", 1), ("note", "007"))]  # fmt: skip
    data = table(
        ["timestamp", "tag", "value", "quality"], *rows_, [START.isoformat(), f"{mark}.roof", 1, "bad"]
    ).encode()
    found = await here.preview(building, data)
    assert (found["mapping"]["layout"], found["mapping"]["point"], found["unknown"]) == (
        "long",
        "tag",
        [f"{mark}.roof"],
    )
    job = await here.take_in(building, data)
    assert job.result is not None and (job.result["accepted"], job.result["rejected"]) == (12, 1)
    stored = await here.stored(mark)
    assert stored["note"][0] == (START, "007", 0)
    assert stored["pump"][3] == (START + timedelta(minutes=3), 1.0, 1)
    wrong = await here.send(
        "/readings/import", building, data, "t.csv", {"layout": "long", "ts": "when", "point": "tag", "value": "value"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "table.column")


@inside
async def test_parquet_has_its_times_and_types(here: Here) -> None:
    building, mark = await here.points(T, PUMP)
    at = minutes(3000)
    made = io.BytesIO()
    columns = {
        "when": pa.array(at, pa.timestamp("ns", "UTC")),
        f"{mark}.T": [i / 8 if i % 7 else None for i in range(3000)],
        f"{mark}.pump": [i % 2 == 0 for i in range(3000)],
    }
    parquet.write_table(pa.table(columns), made, row_group_size=700)
    found = await here.preview(building, made.getvalue(), "t.parquet")
    assert (found["total"], found["mapping"]["layout"], found["mapping"]["ts"]) == (3000, "wide", "when")
    job = await here.take_in(building, made.getvalue(), "t.parquet")
    assert job.result is not None, job.error
    assert (job.result["accepted"], job.result["empty"], job.result["rejected"]) == (3686, 429, 1885)
    stored = await here.stored(mark)
    assert stored["T"][-1] == (at[800], 100.0, 0) and len(stored["pump"]) == 3000


@inside
async def test_an_hour_that_comes_twice_comes_twice_and_one_that_never_was_is_told(here: Here) -> None:
    building, mark = await here.points(T)
    autumn = [f"2024-10-27 0{h}:{m:02}" for h in (1, 2, 2, 3) for m in (0, 30)]
    data = table(["time", f"{mark}.T"], *([at, i] for i, at in enumerate(autumn)), ["2024-03-31 02:30", 9]).encode()
    mapping = {"layout": "wide", "ts": "time", "columns": {f"{mark}.T": f"{mark}.T"}, "timezone": "Europe/Berlin"}
    job = await here.take_in(building, data, mapping=mapping)
    assert job.result is not None and (job.result["accepted"], job.result["rejected"]) == (8, 1)
    first = datetime(2024, 10, 26, 23, tzinfo=UTC)
    assert await here.stored(mark) == {"T": [(first + timedelta(minutes=30 * i), float(i), 0) for i in range(8)]}


@inside
async def test_an_import_goes_on_exactly_where_it_was_broken_off_and_does_not_put_the_newest_back(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_files, "PIECE", 400)
    building, mark = await here.points(T, PUMP)
    now = datetime.now(UTC)
    live = {"point": f"{mark}.T", "ts": now.isoformat(), "value": 50}
    (await here.client.post("/readings", json={"readings": [live]})).raise_for_status()
    data = table(
        ["time", "key", "value"], *([at.isoformat(), f"{mark}.T", i % 90] for i, at in enumerate(minutes(24_000)))
    ).encode()
    answer = await here.send("/readings/import", building, data, "long.csv")
    id = answer.json()["id"]
    worker = asyncio.create_task(jobs.run_worker(here.twin.db, here.twin.handlers(), settings=here.twin.settings))
    counted = 0
    while counted < 2:  # a few pieces are committed: the worker dies between two of them, or in one
        async with here.twin.db.connection() as conn:
            found = await row(conn, "SELECT accepted / 400 AS pieces FROM reading_import WHERE job_id = %s", (id,))
        counted = int(found["pieces"]) if found else 0
        await asyncio.sleep(0)
    async with here.twin.db.transaction() as conn:
        await conn.execute("LOCK TABLE ONLY reading IN EXCLUSIVE MODE")  # the next piece cannot be stored
        worker.cancel()
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(asyncio.shield(worker), 5)
        before = await row(
            conn,
            """SELECT accepted, (SELECT count(*) FROM reading r JOIN point p ON p.handle = r.point_id
                                 WHERE p.key = %s AND r.ts < %s) AS there
               FROM reading_import WHERE job_id = %s""",
            (f"{mark}.T", now - timedelta(days=1), id),
        )
        assert before and before["accepted"] == before["there"], "how far it is, is committed with the readings"
        assert 800 <= before["accepted"] < 24_000
        # The next life begins where that is, while a piece of the first one still waits to be stored.
        going_on = asyncio.create_task(here.finish(id))
        await asyncio.sleep(1)
    with suppress(asyncio.CancelledError):
        await worker
    job = await going_on
    assert job.result is not None, job.error
    assert (job.result["accepted"], job.result["duplicate"], job.result["lines"]) == (24_000, 0, 24_001)
    async with here.twin.db.connection() as conn:
        latest = await row(
            conn, "SELECT l.num FROM latest l JOIN point p ON p.handle = l.point_id WHERE p.key = %s", (f"{mark}.T",)
        )
    assert latest == {"num": 50.0}
    refused = await here.client.post(f"/jobs/{id}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "job.not_resumable")


@inside
@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "t.csv", "table.empty"),
        (b"PAR1 and then nothing", "t.parquet", "table.parquet"),
        (b"\x1f\x8b\x08 broken", "t.csv.gz", "table.gzip"),
        (b"\x00\x01\x02\xff\xfe" * 50, "t.csv", "table.encoding"),
        (b"a,b\n1,2\n", "t.csv", "table.times"),
        (b"time,b\n2024-01-01 10:00," + b"9" * (2 << 20), "t.csv", "table.csv"),
    ],
)
async def test_what_is_no_table_of_readings_is_told(here: Here, data: bytes, name: str, code: str) -> None:
    building, _ = await here.points(T)
    mapping = {"layout": "wide", "ts": "a", "columns": {"b": "x.T"}} if code == "table.times" else None
    answer = await here.send("/readings/import", building, data, name, mapping)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def blocked_after_the_first_piece(here: Here, building: str) -> AsyncGenerator[int, None]:
    """How many readings of the building's import are stored; while the block lasts no more can be."""
    stored, deadline = 0, asyncio.get_running_loop().time() + 60
    while not stored:
        assert asyncio.get_running_loop().time() < deadline, "nothing is stored"
        async with here.twin.db.transaction() as conn:
            await conn.execute("LOCK TABLE ONLY reading IN EXCLUSIVE MODE")
            found = await row(conn, "SELECT accepted FROM reading_import WHERE building_id = %s", (building,))
            stored = found["accepted"] if found else 0
            if stored:
                yield stored
        await asyncio.sleep(0)


@inside
async def test_the_command_shows_how_far_it_is_and_goes_on_after_it_was_killed(here: Here, tmp_path: Path) -> None:
    building, mark = await here.points(T)
    count = 15_000
    at = [each.isoformat() for each in minutes(count)]
    file = tmp_path / "plant.csv"
    file.write_text(table(["time", "key", "value"], *([ts, f"{mark}.T", i % 90] for i, ts in enumerate(at))))
    arguments = ["readings", "import", str(file), "--building", building]
    settings = environment(here.twin.settings.data, here.twin.settings.database)
    screen, terminal = pty.openpty()
    command = await asyncio.create_subprocess_exec(
        TWIN, *arguments, env={**settings, "TERM": "xterm", "COLUMNS": "120"}, stdin=DEVNULL, stdout=DEVNULL,
        stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = bytearray()

    def look() -> None:
        with suppress(OSError):  # nobody writes any more
            shown.extend(os.read(screen, 65_536))

    asyncio.get_running_loop().add_reader(screen, look)
    try:
        async with aclosing(blocked_after_the_first_piece(here, building)) as stored:
            before = await anext(stored)
            assert 0 < before < count
            async with asyncio.timeout(60):
                while b"storing" not in shown:  # the bar: what it is at, and the share that is done
                    await asyncio.sleep(0.02)
            command.kill()
            await asyncio.wait_for(command.wait(), 30)
    finally:
        if command.returncode is None:
            command.kill()
        asyncio.get_running_loop().remove_reader(screen)
        os.close(screen)
    assert b"plant.csv" in shown and b"%" in shown

    done = await asyncio.to_thread(
        run_twin, *arguments, "--json", data=here.twin.settings.data, database=here.twin.settings.database
    )
    assert done.returncode == 0, done.stderr
    assert "goes on where it was" in done.stderr
    assert {name: json.loads(done.stdout)[name] for name in ("accepted", "duplicate", "rejected", "lines")} == {
        "accepted": count, "duplicate": 0, "rejected": 0, "lines": count + 1,
    }  # fmt: skip
    assert len((await here.stored(mark))["T"]) == count
    async with here.twin.db.connection() as conn:
        asked = await row(conn, "SELECT count(*) AS n FROM reading_import WHERE building_id = %s", (building,))
    assert asked == {"n": 1}, "the same job went on"


@inside
async def test_the_command_says_what_is_wrong_with_a_file(here: Here, tmp_path: Path) -> None:
    building, _ = await here.points(T)
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b"\x00\x01\x02\xff\xfe" * 50)
    where = {"TWIN_DATA": str(here.twin.settings.data), "TWIN_DATABASE": str(here.twin.settings.database)}

    async def error(*arguments: str) -> dict[str, Any]:
        said = await asyncio.to_thread(
            CliRunner().invoke, main, ["readings", "import", *arguments, "--json"], env=where
        )
        assert said.exit_code == 1, said.output
        return json.loads(said.stdout)["error"]  # type: ignore[no-any-return]

    assert (await error(str(tmp_path / "none.csv"), "--building", building))["code"] == "import.unreadable"
    assert (await error(str(odd), "--building", building))["code"] == "table.encoding"
    assert (await error(str(odd), "--building", "Nowhere"))["code"] == "building.unknown"
    wrong = await error(str(odd), "--building", building, "--mapping", "{")
    assert (wrong["code"], wrong["where"]) == ("table.mapping", "--mapping")
