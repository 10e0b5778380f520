"""No room on the disk: readings are refused aloud, nothing acknowledged is lost, and it goes on when there is room."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.serving import serving

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 400 MB, in a folder that the user whom PostgreSQL runs as may enter."""
    folder = Path(tempfile.mkdtemp(prefix="twin-disk-", dir="/tmp"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(folder)], check=False, timeout=60
    )
    try:
        folder.chmod(0o755)
        if made.returncode != 0:
            pytest.skip("no right to mount a small file system here")
        yield folder
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True, timeout=60)
        folder.rmdir()


def fill(filler: Path) -> None:
    """Let the file take all the room that there is."""
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def send(client: httpx.Client, batch: int) -> httpx.Response:
    """5 000 readings that no other batch has."""
    start = START + timedelta(seconds=5_000 * batch)
    readings = [
        {"point": "disk", "ts": (start + timedelta(seconds=i)).isoformat(), "value": batch + i / 5_000}
        for i in range(5_000)
    ]
    return client.post("/readings", json={"readings": readings})


def test_a_full_disk_is_told_with_every_refusal_and_over_when_there_is_room(small_disk: Path) -> None:
    with serving(small_disk / "data", None) as server, server.client() as client:
        client.post("/buildings", json={"name": "Disk"}).raise_for_status()
        point = {"key": "disk", "name": "Disk", "building": "Disk", "kind": "number"}
        client.post("/points", json=point).raise_for_status()
        assert (small_disk / "data" / "postgres").is_dir()
        send(client, 0).raise_for_status()
        filler = small_disk / "filler"
        acknowledged, refused = [0], []
        for batch in range(1, 200):
            fill(filler)  # a checkpoint may have made room
            answer = send(client, batch)
            if answer.status_code == 200:
                acknowledged.append(batch)
                continue
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            refused.append(answer.json()["code"])
            if len(refused) == 3:
                break
        assert len(refused) == 3, "the disk never was full"
        loud = client.get("/health")
        assert loud.status_code == 503 or loud.json()["status"] == "degraded", loud.text
        filler.unlink()
        deadline = time.monotonic() + 90
        while (after := send(client, 500)).status_code == 503:
            assert time.monotonic() < deadline, after.text
            time.sleep(0.2)
        assert after.json()["accepted"] == 5_000
        assert stored(client) == 5_000 * (len(acknowledged) + 1)
        assert client.get("/health").json()["readings"] == "ok"
        assert refused[0] in ("ingest.disk_full", "ingest.unavailable", "database.away"), refused


def stored(client: httpx.Client) -> int:
    window = {"from": START.isoformat(), "to": (START + timedelta(days=60)).isoformat()}
    answer = client.get("/points/disk/readings", params={**window, "bucket": "1d", "agg": "count"}).raise_for_status()
    return int(sum(each["count"] for each in answer.json()["items"]))
