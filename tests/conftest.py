"""A real PostgreSQL for the tests: migrated once into a template, cloned or rolled back per test.

`conn`: one connection whose transaction is rolled back. `db`: a whole database of its own, for several connections.
"""

import contextlib
import faulthandler
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest
from psycopg import sql

from twin import db as twin_db
from twin import migrations
from twin.blobs import BlobStore
from twin.db import Conn, Database
from twin.embedded import EmbeddedPostgres
from twin.settings import Settings

SHARED = Path(__file__).parents[2] / "shared"


@dataclass(frozen=True)
class Cluster:
    """The test run's PostgreSQL with a migrated template database."""

    server: EmbeddedPostgres

    def url(self, name: str) -> str:
        return self.server.home.url(name)

    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    for name in [name for name in os.environ if name.startswith("TWIN_") and not name.startswith("TWIN_TEST_")]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _clear_abandoned() -> None:
    """End and remove what a killed test run of ours left: a cluster whose lock nobody holds."""
    for folder in Path("/tmp").glob("twin-test-*"):
        users = folder / "data" / "postgres.users"
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            if folder.stat().st_uid != os.geteuid() or time.time() - folder.stat().st_mtime < 3600:
                continue
            with users.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                pid_file = folder / "data" / "postgres" / "postmaster.pid"
                if pid_file.exists():
                    process = psutil.Process(int(pid_file.read_text().split()[0]))
                    if str(pid_file.parent) in process.cmdline():
                        process.terminate()
                        process.wait(10)
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One per pytest process."""
    _clear_abandoned()
    folder = Path(tempfile.mkdtemp(prefix="twin-test-", dir="/tmp"))
    server = EmbeddedPostgres(folder / "data", durable=False)
    folder.chmod(0o711)
    try:
        with server:
            made = Cluster(server)
            made.execute("CREATE DATABASE {}", "template_twin")
            migrations.migrate(made.url("template_twin"))
            made.execute("CREATE DATABASE {} TEMPLATE {}", "rolled_back", "template_twin")
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def conn(cluster: Cluster) -> AsyncIterator[Conn]:
    """A connection in a transaction that is rolled back after the test."""
    async with (
        await Conn.connect(
            cluster.url("rolled_back"), autocommit=True, row_factory=psycopg.rows.dict_row
        ) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def database_url(cluster: Cluster) -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    yield cluster.url(name)
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of this test's own, with a pool."""
    async with twin_db.connect(database_url, 8) as database:
        yield database


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an installation of this test's own: its database and an empty data folder."""
    return Settings(data=tmp_path / "data", database=database_url, port=0)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public models and the standard's text, beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return SHARED


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """What still hangs after the last test says where, and ends."""
    faulthandler.dump_traceback_later(300, exit=True, file=2)
