"""R1, R2, R3 of the figures: processes are killed under load, and what was acknowledged is there, once.

In `make test` each dies once; `make drill` kills the server 50 times and PostgreSQL 20 times, and then has `pg_amcheck`
read every page.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import psycopg
import pytest

from tests.serving import Server, serving, wait_for_job
from twin.postgres_home import binaries, home_of

BATCH = 200  # readings of one request, ten requests a second: 2 000 readings/s
EVERY_S = 0.1
POINTS = 20
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Sender:
    """A client as it should be: sends a batch until it is acknowledged, and writes down what was."""

    api: str
    key: str
    acknowledged: int = 0  # batches
    away: list[tuple[int, str | None]] = field(default_factory=list)  # status and Retry-After of what was refused
    broken: int = 0  # requests that got no answer
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(headers={"authorization": f"Bearer {self.key}"}, timeout=10) as client:
            while not self.stop.is_set():
                began = time.monotonic()
                with suppress(httpx.TransportError):
                    answer = client.post(f"{self.api}/readings", json={"readings": batch(self.acknowledged)})
                    if answer.status_code == 200:
                        told = answer.json()
                        assert told["accepted"] + told["duplicate"] == BATCH, told
                        self.acknowledged += 1
                    else:
                        self.away.append((answer.status_code, answer.headers.get("retry-after")))
                    self.stop.wait(max(0.0, EVERY_S - (time.monotonic() - began)))
                    continue
                self.broken += 1
                self.stop.wait(0.02)

    def wait_for(self, more: int, seconds: float = 90) -> float:
        """Wait for some more acknowledged batches; how long that took, s."""
        wanted, began = self.acknowledged + more, time.monotonic()
        while self.acknowledged < wanted:
            assert time.monotonic() - began < seconds, (self.acknowledged, self.away[-3:], self.broken)
            time.sleep(0.01)
        return time.monotonic() - began


def batch(number: int) -> list[dict[str, object]]:
    first = number * BATCH
    return [
        {"point": f"p{i % POINTS}", "ts": (START + timedelta(seconds=i)).isoformat(), "value": float(i)}
        for i in range(first, first + BATCH)
    ]


def prepare(server: Server) -> None:
    with server.client() as client:
        client.post("/buildings", json={"name": "T"}).raise_for_status()
        for i in range(POINTS):
            point = {"key": f"p{i}", "name": f"p{i}", "building": "T", "kind": "number"}
            client.post("/points", json=point).raise_for_status()


def kill_postgres(data: Path) -> int:
    """SIGKILL for the server process of PostgreSQL and all that it started; its number."""
    pid = int((home_of(data).cluster / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return pid


def check(data: Path, sender: Sender) -> None:
    """All that was acknowledged is stored, with its value, once; newest values and counts say the same."""
    with psycopg.connect(home_of(data).url()) as conn:
        stored = conn.execute(
            """SELECT num, extract(epoch FROM ts - %s)::bigint FROM reading r JOIN source s ON s.id = r.source_id
               WHERE s.kind = 'http'""",
            (START,),
        ).fetchall()
        numbers = {int(num) for num, _ in stored}
        assert numbers >= set(range(sender.acknowledged * BATCH)), "an acknowledged reading is lost"
        assert len(numbers) == len(stored) and all(num == at for num, at in stored), "a reading is doubled or wrong"
        counted = conn.execute("SELECT sum(accepted), sum(rejected) FROM source WHERE kind = 'http'").fetchone()
        assert counted == (len(stored), 0), "the source was told otherwise"
        newest = conn.execute(
            "SELECT count(*) FROM latest l WHERE ts <> (SELECT max(ts) FROM reading r WHERE r.point_id = l.point_id)"
        )
        assert newest.fetchone() == (0,)


@pytest.mark.timeout(300)
def test_what_was_acknowledged_survives_any_death(tmp_path: Path) -> None:
    suffer(tmp_path, servers=1, databases=1, away_s=1.0)


@pytest.mark.drill
@pytest.mark.timeout(3000)
def test_what_was_acknowledged_survives_seventy_deaths(tmp_path: Path) -> None:
    found = suffer(
        tmp_path,
        servers=int(os.environ.get("TWIN_TEST_KILLS", "50")),
        databases=int(os.environ.get("TWIN_TEST_DATABASE_KILLS", "20")),
        away_s=60.0,
    )
    print(found)


def suffer(folder: Path, *, servers: int, databases: int, away_s: float) -> dict[str, object]:
    """Kill PostgreSQL, keep it away, kill the server, all under load; what was measured."""
    data, chance = folder / "data", Random(6)
    back: list[float] = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with ExitStack() as lives:
        life = lives.enter_context(serving(data, None, port=port))
        prepare(life)
        sender = Sender(life.api, life.key)
        thread = threading.Thread(target=sender.run, daemon=True)
        thread.start()
        try:
            sender.wait_for(5)
            for _ in range(databases):
                time.sleep(chance.uniform(0, 0.3))
                kill_postgres(data)
                back.append(sender.wait_for(3))
            refused = len(sender.away)
            keep_away(data, away_s)
            drained = sender.wait_for(3)
            assert life.process.poll() is None, "the server goes on without a database"
            assert len(sender.away) > refused, "while it is away, that is said"
            job = None
            for left in range(servers, 0, -1):
                time.sleep(chance.uniform(0, 0.5))
                if servers > 1 and left <= 2:  # a job that dies three times is given up
                    job = job or import_file(life)
                    kill_in_the_middle(data, life)
                life.kill()
                began = time.monotonic()
                life = lives.enter_context(serving(data, None, key=life.key, port=port))
                sender.wait_for(1)
                back.append(time.monotonic() - began)
            sender.wait_for(3)
            if job:
                check_file(life, job)
        finally:
            sender.stop.set()
            thread.join(20)
        check(data, sender)
        if databases > 1:
            amcheck(data)
    assert {status for status, _ in sender.away} <= {503}
    assert all(after is not None for _, after in sender.away), "who is turned away is told when to come back"
    measured: dict[str, object] = {"acknowledged": sender.acknowledged * BATCH, "longest_back_s": round(max(back), 2)}
    return measured | {"back_after_away_s": round(drained, 2), "refused": len(sender.away)}


LINES = 60_000  # of the file: a dozen pieces


def import_file(server: Server) -> str:
    """Ask for a file of a point of its own; the job."""
    with server.client() as client:
        point = {"key": "file", "name": "file", "building": "T", "kind": "number"}
        client.post("/points", json=point).raise_for_status()
        lines = (f"{(START - timedelta(seconds=i)).isoformat()},file,{i}" for i in range(1, LINES + 1))
        text = "time,key,value\n" + "\n".join(lines)
        asked = client.post("/readings/import", data={"building": "T"}, files={"file": ("long.csv", text)})
        return str(asked.raise_for_status().json()["id"])


def kill_in_the_middle(data: Path, server: Server) -> None:
    """SIGKILL while a file is being stored: more of it than before, and not all."""
    with psycopg.connect(home_of(data).url()) as conn:
        there = "SELECT accepted FROM reading_import"
        before, now = conn.execute(there).fetchone(), None
        while now is None or now == before:
            conn.rollback()
            assert conn.execute("SELECT state FROM job WHERE kind = 'readings'").fetchone() != ("failed",)
            conn.execute("LOCK TABLE ONLY reading IN EXCLUSIVE MODE")
            now = conn.execute(there).fetchone()
        assert now[0] < LINES, "too late"
        server.kill()
        conn.rollback()


def check_file(server: Server, job: str) -> None:
    """The file went on where it was: each line once."""
    with server.client() as client:
        done = wait_for_job(client, job)
        assert done["state"] == "done", done
        assert [done["result"][name] for name in ("accepted", "duplicate", "rejected")] == [LINES, 0, 0], done
        found = client.get("/points/file/readings", params={"bucket": "1d", "agg": "count,sum",
            "from": (START - timedelta(days=2)).isoformat(), "to": START.isoformat()}).json()["items"]  # fmt: skip
    assert sum(each["count"] for each in found) == LINES
    assert sum(each["sum"] for each in found) == LINES * (LINES + 1) / 2


def keep_away(data: Path, seconds: float) -> None:
    """Kill PostgreSQL as often as it comes back."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            kill_postgres(data)
        time.sleep(0.05)


def amcheck(data: Path) -> None:
    """Have PostgreSQL read every page and every index."""
    program = shutil.which("pg_amcheck", path=f"{binaries()}:{os.environ['PATH']}")
    assert program is not None
    done = subprocess.run(
        [program, "--install-missing", "--heapallindexed", home_of(data).url()],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
