"""A real server in a process of its own, for tests that speak HTTP, WebSocket or use a browser."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ifc_models.sample import write_sample

TWIN = Path(sys.executable).with_name("twin")
START_S = 60.0


@dataclass
class Server:
    """A running `twin serve`: where it is, a key and a login for it, and what it has said."""

    process: subprocess.Popen[str]
    data: Path
    database: str | None
    address: str = ""
    password: str = ""
    key: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def api(self) -> str:
        return self.address + "api/v1"

    def client(self, **options: object) -> httpx.Client:
        """An HTTP client that calls as an administrator's API key; paths are relative to /api/v1."""
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.api, headers=headers, timeout=60, **options)  # type: ignore[arg-type]

    def twin(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a `twin` command on the same installation."""
        return run_twin(*arguments, data=self.data, database=self.database, stdin=stdin)

    def kill(self) -> None:
        """SIGKILL, as the power cut does it."""
        self.process.kill()
        self.process.wait(30)


def run_twin(
    *arguments: str,
    data: Path,
    database: str | None,
    stdin: str | None = None,
    timeout: float = 300,
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Run `twin …` to its end and return what it printed; `settings` as TWIN_… in its environment."""
    return subprocess.run(
        [str(TWIN), *arguments],
        env=environment(data, database) | settings,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment(data: Path, database: str | None) -> dict[str, str]:
    """The environment of a process that uses this installation."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}
    found.pop("PYTHONDONTWRITEBYTECODE", None)  # it would double the time of every start
    found |= {"TWIN_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    return found | ({"TWIN_DATABASE": database} if database else {})


@contextmanager
def serving(
    data: Path, database: str | None, *command: str, key: str | None = None, port: str = "0", **settings: str
) -> Iterator[Server]:
    """Start `twin serve` (or another command that serves) on a port, a free one unless told; stop it at the end.

    `key`: of another server on the same database. `settings` as TWIN_… in its environment.
    """
    process = subprocess.Popen(
        [str(TWIN), *(command or ("serve",)), "--port", port],
        env=environment(data, database) | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    server = Server(process, data, database)
    listener = threading.Thread(target=_listen, args=(server,), daemon=True)
    listener.start()
    try:
        _wait_until_serving(server)
        if key is None:
            made = server.twin("key", "add", "test")
            if "[key.exists]" in made.stderr:  # started again on what another one left
                made = server.twin("key", "add", f"test {process.pid}")
            assert made.returncode == 0, made.stderr
            key = made.stdout.strip()
        server.key = key
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever of it is left: it would keep its output open
        process.wait(30)
        listener.join(30)
        # Closing what somebody still reads would wait without end, and no signal ends that.
        if process.stdout and not listener.is_alive():
            process.stdout.close()


def _listen(server: Server) -> None:
    assert server.process.stdout
    for line in server.process.stdout:
        server.said.append(line)
        if found := re.search(r"Serving on (http://\S+)", line):
            server.address = found[1]
        if found := re.search(r"administrator with the password (\S+)", line):
            server.password = found[1]


def _wait_until_serving(server: Server) -> None:
    deadline = time.monotonic() + START_S
    while not server.address:
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not start:\n" + "".join(server.said[-50:]))
        time.sleep(0.05)


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def wait_for_job(client: httpx.Client, job: str, seconds: float = 120) -> dict[str, Any]:
    """Poll a job until it is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/jobs/{job}").raise_for_status().json()
        if found["state"] in ("done", "failed", "cancelled"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"the job is still {found['state']} at {found['stage']}")


def furnish(server: Server, folder: Path, building: str, *, storeys: int, rooms: int) -> str:
    """Make a building with a model of the generator in it; its id."""
    write_sample(file := folder / "sample.ifc", storeys=storeys, rooms=rooms)
    with server.client() as client:
        made = str(client.post("/buildings", json={"name": building}).raise_for_status().json()["id"])
        assert upload(client, file, building)["state"] == "done"
        return made


def upload(client: httpx.Client, file: Path, building: str) -> dict[str, Any]:
    """Upload a model to a building that is there and wait for its import; the job as it ended."""
    with file.open("rb") as opened:
        answer = client.post("/models", data={"building": building}, files={"file": (file.name, opened)})
    return wait_for_job(client, answer.raise_for_status().json()["id"])
