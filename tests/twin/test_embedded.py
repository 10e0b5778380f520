"""The launcher against what happens to servers: shared, killed, restarted, put into odd folders."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from twin import embedded, postgres_home
from twin.db import open_database
from twin.embedded import EmbeddedPostgres
from twin.errors import Conflict, Unavailable
from twin.places import create_building, find_building
from twin.settings import Settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

USER = """
import sys
from pathlib import Path
from twin.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
sys.stdin.readline()
server.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that PostgreSQL's own user can reach; whatever runs in it is ended."""
    folder = Path(tempfile.mkdtemp(prefix="twin-test-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "data"
    for cluster in folder.rglob("postmaster.pid"):
        with contextlib.suppress(psutil.Error, ValueError, OSError):
            psutil.Process(int(cluster.read_text().split()[0])).kill()
    shutil.rmtree(folder, ignore_errors=True)


def user(data: Path) -> "subprocess.Popen[str]":
    """Another process that uses the database in `data` until it gets a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline().startswith("postgresql://")
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    assert process.communicate("go\n", timeout=60)[0] == "stopped\n"


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    return psutil.Process(int((server.home.cluster / "postmaster.pid").read_text().split()[0]))


def runs(process: psutil.Process) -> bool:
    """A process that nobody has collected yet (there may be no init) has ended all the same."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_data_is_there_again_after_a_stop_and_a_start(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 42 AS n")
        process = postmaster(server)
    assert not runs(process)
    with EmbeddedPostgres(data) as server:
        assert execute(server.url, "SELECT n FROM kept") == [(42,)]


def test_two_processes_share_one_server_and_the_last_one_out_stops_it(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        other = user(data)
        process = postmaster(server)
        leave(other)
        assert execute(server.url, "SELECT 1") == [(1,)]
        other = user(data)
    assert runs(process)
    assert execute(server.url, "SELECT 1") == [(1,)]
    leave(other)
    assert not runs(process)


def test_several_processes_may_begin_at_the_same_moment_on_a_fresh_folder(data: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    outputs = {process.communicate("go\n", timeout=90)[0].split("\n")[0] for process in processes}
    assert len(outputs) == 1
    assert outputs.pop().startswith("postgresql://")


def test_the_server_outlives_a_killed_process_and_serves_the_next_one(data: Path) -> None:
    killed = user(data)
    killed.kill()
    killed.communicate(timeout=30)
    with EmbeddedPostgres(data, durable=False) as server:
        process = postmaster(server)
        assert process.create_time() < psutil.Process().create_time() + 1e9
        assert execute(server.url, "SELECT 1") == [(1,)]
    assert not runs(process)


def test_committed_rows_survive_kill_9_of_the_whole_server(data: Path) -> None:
    server = EmbeddedPostgres(data)
    server.start()
    execute(server.url, "CREATE TABLE kept AS SELECT generate_series(1, 10000) AS n")
    family = [postmaster(server), *postmaster(server).children()]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    with EmbeddedPostgres(data) as again:
        assert execute(again.url, "SELECT count(*) FROM kept") == [(10000,)]
    server.stop()


def test_a_start_waits_for_the_backends_of_a_killed_postmaster(data: Path) -> None:
    server = EmbeddedPostgres(data)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (n int)")
        postmaster(server).kill()
        with EmbeddedPostgres(data) as again:
            assert execute(again.url, "SELECT count(*) FROM kept") == [(0,)]
    server.stop()


async def test_a_process_that_uses_it_starts_a_killed_server_again(data: Path) -> None:
    async with open_database(Settings(data=data)) as db:
        async with db.transaction() as conn:
            await create_building(conn, "Tower")
        server = EmbeddedPostgres(data)
        server.start()
        family = [postmaster(server), *postmaster(server).children()]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        found = None
        async with asyncio.timeout(60):
            while found is None:
                with contextlib.suppress(psycopg.OperationalError, Unavailable):
                    async with db.transaction() as conn:
                        found = await find_building(conn, "Tower")
                await asyncio.sleep(0.05)
        assert found.name == "Tower"
        server.stop()


def test_a_pid_file_whose_number_now_belongs_to_another_program_is_no_obstacle(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        cluster = server.home.cluster
    left = f"{os.getppid()}\n{cluster}\n1700000000\n5432\n{server.home.socket}\n\n  0 0\nready   \n"
    (cluster / "postmaster.pid").write_text(left)
    with EmbeddedPostgres(data) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]


def test_a_killed_set_up_leaves_no_half_cluster(data: Path) -> None:
    half = data / "postgres.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data, durable=False) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_nobody_else_gets_in(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        for folder in (data, server.home.cluster, server.home.socket):
            assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0, folder
        for file in ("pg_hba.conf", "twin.conf"):
            assert stat.S_IMODE((server.home.cluster / file).stat().st_mode) & 0o077 == 0
        assert "trust" not in "".join(
            line for line in (server.home.cluster / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")
        )
        assert execute(server.url, "SHOW listen_addresses") == [("",)]
        with pytest.raises(psycopg.OperationalError, match=r"Peer authentication|no pg_hba.conf entry"):
            psycopg.connect(server.url.replace("twin@", "postgres@"))


def as_user(name: str, program: str, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a Python program as another system user. The interpreter may lie where that user cannot go: import first."""
    entry = pwd.getpwnam(name)
    become = f"import os; os.setgroups([]); os.setgid({entry.pw_gid}); os.setuid({entry.pw_uid}); os.chdir('/')\n"
    imports = "import encodings.idna, concurrent.futures.thread, psycopg\n"
    return subprocess.run(
        [sys.executable, "-c", imports + "from twin.embedded import EmbeddedPostgres\n" + become + program, *args],
        input="go\n", text=True, capture_output=True, check=False, timeout=90,
    )  # fmt: skip


@as_root
def test_another_system_user_is_refused_even_with_the_socket_in_reach(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        connect = f"psycopg.connect({server.url!r})"
        assert "Permission denied" in as_user("nobody", connect).stderr
        assert server.home.user
        refused = as_user(server.home.user, connect).stderr
        assert "Peer authentication failed" in refused, "not even the cluster's own system user has a role"


def test_it_is_durable_unless_a_test_says_otherwise(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert execute(server.url, f"SHOW {name}") == [("on",)]


def test_a_data_path_that_is_too_long_for_a_socket_gets_a_short_private_one(data: Path) -> None:
    long = data / ("long-" * 20)
    with EmbeddedPostgres(long, durable=False) as server:
        assert len(os.fsencode(server.home.socket)) <= postgres_home.SOCKET_LIMIT
        assert stat.S_IMODE(server.home.socket.stat().st_mode) == 0o700
        assert execute(server.url, "SELECT 1") == [(1,)]
    shutil.rmtree(server.home.socket)


@as_root
def test_a_closed_parent_stays_closed_and_the_cluster_goes_elsewhere(data: Path) -> None:
    closed = data.parent / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data", durable=False)
    try:
        with server:
            assert server.home.cluster.is_relative_to(postgres_home.SYSTEM_FOLDER)
            execute(server.url, "CREATE TABLE kept AS SELECT 1 AS n")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        with EmbeddedPostgres(closed / "data", durable=False) as again:
            assert execute(again.url, "SELECT n FROM kept") == [(1,)]
        assert (closed / "data" / "postgres.folder").read_text().strip() == str(server.home.cluster.parent)
    finally:
        shutil.rmtree(server.home.cluster.parent, ignore_errors=True)


@as_root
def test_programs_in_a_folder_that_is_closed_to_the_system_user_are_copied_for_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data.parent / "closed"
    installed = postgres_home.binaries().parents[1]
    for folder in (installed, installed.with_name(f"{installed.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, closed / folder.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(postgres_home, "binaries", lambda: closed / installed.name / "pginstall" / "bin")
    with EmbeddedPostgres(data, durable=False) as server:
        copy = server.home.bin.parents[2]
        assert copy.is_relative_to(postgres_home.SYSTEM_FOLDER)
        assert execute(server.url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == [(1,)]
    shutil.rmtree(copy)


@as_root
def test_it_works_for_an_ordinary_user_too(data: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    folder = data.parent / "nobody"
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    if not postgres_home.is_reachable(postgres_home.binaries(), "nobody"):
        pytest.skip("the virtual environment is closed to ordinary users")
    done = as_user("nobody", USER, str(folder / "data"))
    assert done.stdout.endswith("stopped\n"), done.stderr


def test_data_of_another_postgresql_is_left_alone(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        version = server.home.cluster / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(Conflict, match="twin backup"):
        EmbeddedPostgres(data, durable=False).start()


def test_a_server_that_cannot_start_says_why(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 1.5)
    with EmbeddedPostgres(data, durable=False) as server:
        cluster = server.home.cluster
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("max_connections = 'many'\n")
    with pytest.raises(Unavailable, match="max_connections"):
        EmbeddedPostgres(data, durable=False).start()
