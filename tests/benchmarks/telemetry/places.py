"""Where the telemetry benchmarks keep their data: an embedded PostgreSQL, or a database on `TWIN_BENCH_DATABASE`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.serving import Server, serving
from twin.embedded import EmbeddedPostgres

GIVEN = os.environ.get("TWIN_BENCH_DATABASE")
ENGINE = "timescaledb" if GIVEN else "postgresql"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of this run, that the database's system user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="twin-bench-", dir="/tmp"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def given_database() -> Iterator[str | None]:
    """The URL of an empty database on the server that is named; None: there is none."""
    if GIVEN is None:
        yield None
        return
    name = sql.Identifier(database := f"bench_{uuid4().hex[:8]}")
    with psycopg.connect(GIVEN, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield make_conninfo(GIVEN, dbname=database)
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def database() -> Iterator[str]:
    """An empty, durable database."""
    with given_database() as url:
        if url is not None:
            yield url
            return
        with folder() as data, EmbeddedPostgres(data / "data") as postgres:
            yield postgres.url


@contextmanager
def installation() -> Iterator[tuple[Server, psycopg.Connection]]:
    """A server with the building `Bench` on a durable database, and a connection to that database beside it."""
    with folder() as data, given_database() as url, serving(data / "data", url) as server:
        with server.client() as client:
            client.post("/buildings", json={"name": "Bench"}).raise_for_status()
        if url is not None:
            with psycopg.connect(url, autocommit=True) as conn:
                yield server, conn
            return
        with EmbeddedPostgres(data / "data") as postgres, psycopg.connect(postgres.url, autocommit=True) as conn:
            yield server, conn
