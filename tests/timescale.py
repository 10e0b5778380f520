"""A real TimescaleDB for the storage tests, without a container engine: `python -m tests.timescale`.

Debian (from trixie on) carries PostgreSQL 17 with TimescaleDB's Apache edition. This module fetches those packages
with apt, into a private apt state of its own, from the very mirror that the system's apt sources name (only the
suite is swapped), verified by Debian's archive keyring; unpacks them and the libraries they need into a cache
folder; and runs them with their own dynamic loader, so that it works on an older Debian too. Nothing is installed
on the system. `TWIN_TEST_TIMESCALE_URL` names a TimescaleDB of yours instead.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = "trixie"
PACKAGES = ("postgresql-17-timescaledb",)
KEYRINGS = [Path(f"/usr/share/keyrings/debian-archive-keyring.{ending}") for ending in ("pgp", "gpg")]
NOBODY = 65534  # PostgreSQL refuses to run as root
# Of apt's closure only the shared libraries are needed: no maintainer script runs here.
NEEDED = re.compile(r"^(postgresql-17|postgresql-17-timescaledb|lib(?!llvm|z3|perl|pam-modules|.*-perl$|c-l10n).*)$")
PROGRAMS = ("postgres", "initdb", "pg_ctl")


class TimescaleUnavailable(RuntimeError):
    """No TimescaleDB can be had here; the text says why and what to do."""


def default_cache() -> Path:
    """The folder that keeps the unpacked packages between runs; readable for the user that PostgreSQL runs as."""
    base = Path("/var/cache") if os.geteuid() == 0 else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "bim-twin" / f"timescaledb-{SUITE}"


def prepare(cache: Path) -> Path:
    """Return the folder with PostgreSQL 17 + TimescaleDB unpacked; fetch them if it is not there yet."""
    root = cache / "root"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second waits for the first
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            _unpack(_download(cache), root)
            _write_wrappers(root)
            (root / "complete").touch()
            shutil.rmtree(cache / "apt", ignore_errors=True)
    return root


def _download(cache: Path) -> list[Path]:
    if not shutil.which("apt-get"):
        raise TimescaleUnavailable("no apt-get here: set TWIN_TEST_TIMESCALE_URL to a TimescaleDB of yours")
    apt = cache / "apt"
    options = _private_apt(apt)
    _run(["apt-get", *options, "update"])
    plan = _run(["apt-get", *options, "--simulate", "--no-install-recommends", "install", *PACKAGES])
    names = [name for name in re.findall(r"^Inst (\S+)", plan, re.MULTILINE) if NEEDED.match(name)]
    archives = apt / "archives"
    archives.mkdir(exist_ok=True)
    print(f"fetching PostgreSQL 17 with TimescaleDB from Debian {SUITE} ({len(names)} packages) …", file=sys.stderr)
    _run(["apt-get", *options, "download", *names], cwd=archives)
    return sorted(archives.glob("*.deb"))


def _private_apt(apt: Path) -> list[str]:
    """Options that keep apt's state in `apt`, its sources being the system's own mirror with the suite swapped."""
    keyring = next((path for path in KEYRINGS if path.exists()), None)
    if keyring is None:
        raise TimescaleUnavailable("Debian's keys are missing: apt-get install debian-archive-keyring")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # an empty machine: apt then names every library that is needed
    (apt / "debian.sources").write_text(
        f"Types: deb\nURIs: {_mirror()}\nSuites: {SUITE}\nComponents: main\nSigned-By: {keyring}\n"
    )
    settings = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::sourcelist": apt / "debian.sources",
        "Dir::Etc::sourceparts": "-",
        "APT::Get::List-Cleanup": "0",
        "APT::Sandbox::User": "root",  # the cache folder is ours alone
        "Acquire::Retries": "3",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """The address of Debian's main archive as this system's apt sources give it."""
    listing = _run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    )
    plain = {"bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing", "unstable"}
    for line in listing.splitlines():
        uri, _, rest = line.partition(" ")
        release, _, component = rest.partition(" ")
        if release in plain and component == "main":
            return uri
    raise TimescaleUnavailable(
        "this system's apt sources name no Debian archive: set TWIN_TEST_TIMESCALE_URL to a TimescaleDB of yours"
    )


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False, timeout=900
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise TimescaleUnavailable(f"{command[0]} failed ({done.returncode}); TWIN_TEST_TIMESCALE_URL helps.\n{tail}")
    return done.stdout


def _unpack(packages: list[Path], root: Path) -> None:
    root.mkdir(parents=True)
    for package in packages:
        _run(["dpkg-deb", "--extract", str(package), str(root)])


def _bin(root: Path) -> Path:
    return root / "usr/lib/postgresql/17/bin"


def _write_wrappers(root: Path) -> None:
    """Put each program behind a script that starts it with the unpacked loader and libraries.

    initdb and pg_ctl start `postgres` beside themselves, so that one must be a wrapper too.
    """
    libraries = sorted({path.parent for path in (root / "usr/lib").rglob("*.so.*")})
    loader = next(iter([*root.glob("usr/lib*/ld-linux*.so.*"), *root.glob("usr/lib/*/ld-linux*.so.*")]), None)
    if loader is None:
        raise TimescaleUnavailable(f"no dynamic loader under {root}: delete the folder and try again")
    path = ":".join(str(folder) for folder in libraries)
    for name in PROGRAMS:
        program = _bin(root) / name
        real = program.with_name(f"{name}.real")
        program.rename(real)
        program.write_text(f'#!/bin/sh\nexec "{loader}" --library-path "{path}" --argv0 "{program}" "{real}" "$@"\n')
        program.chmod(0o755)


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """A TimescaleDB on a private socket, gone at the end; yields its URL. Raises TimescaleUnavailable.

    `durable`: waits for the disk as an installation does, with as much memory as the embedded one; for benchmarks.
    """
    given = os.environ.get("TWIN_TEST_TIMESCALE_URL")
    if given:
        yield given
        return
    if not Path("/usr/share/zoneinfo/UTC").exists():
        raise TimescaleUnavailable("PostgreSQL needs the system's time zones: apt-get install tzdata")
    root = prepare(default_cache())
    folder = Path(tempfile.mkdtemp(prefix="twin-timescale-", dir="/tmp"))  # short: socket paths are limited
    user = NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    try:
        _as_user(user, [str(_bin(root) / "initdb"), "--pgdata", str(folder / "data"), "--username", "postgres",
                        "--auth", "trust", "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C",
                        "--builtin-locale", "C.UTF-8", "--no-sync", "--no-instructions"])  # fmt: skip
        (folder / "data/postgresql.conf").open("a").write(_configuration(folder, durable))
        control = [str(_bin(root) / "pg_ctl"), "--pgdata", str(folder / "data"), "--log", str(folder / "log"), "--wait"]
        _as_user(user, [*control, "start"])
        try:
            yield f"postgresql:///postgres?host={folder}&user=postgres"
        finally:
            _as_user(user, [*control, "--mode", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(folder: Path, durable: bool) -> str:
    memory = (
        "shared_buffers = 2GB\nwork_mem = 16MB\nmaintenance_work_mem = 512MB\nmax_wal_size = 2GB\n"
        "checkpoint_timeout = 15min\nwal_compression = on\nrandom_page_cost = 1.1\neffective_cache_size = 8GB\n"
    )
    return (
        f"\nlisten_addresses = ''\nunix_socket_directories = '{folder}'\n"
        "shared_preload_libraries = 'timescaledb'\ntimescaledb.telemetry_level = off\n"
        "max_connections = 60\nmax_worker_processes = 16\njit = off\ntimezone = 'UTC'\n"
        + (memory if durable else "shared_buffers = 128MB\n")
    )


def _as_user(user: int | None, command: list[str]) -> None:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
    done = subprocess.run(
        command, user=user, group=user, extra_groups=None if user is None else [], cwd="/", env=environment,
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise TimescaleUnavailable(f"{command[0]} failed:\n{done.stdout[-2000:]}")


def main() -> int:
    """Run the storage tests on a real TimescaleDB and on the community edition from npm; arguments go to pytest."""
    try:
        with running() as url:
            return _pytest(TWIN_TEST_TIMESCALE_URL=url)
    except TimescaleUnavailable as error:
        print(f"TimescaleDB is not to be had here, its tests were not run: {error}", file=sys.stderr)
        # A run without it must not look like a pass where it is required.
        return _pytest() or (1 if os.environ.get("TWIN_TIMESCALE_REQUIRED") else 0)


def _pytest(**environment: str) -> int:
    command = [sys.executable, "-m", "pytest", "-m", "timescale", "tests/telemetry", *sys.argv[1:]]
    return subprocess.run(
        command, env={**os.environ, "TWIN_TEST_COMMUNITY": "1", **environment}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
