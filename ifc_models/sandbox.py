"""What a worker process gives up before it touches a stranger's file.

Resource limits everywhere; on Linux also: no new privileges, no sockets and no debugging of other processes (seccomp),
and files only where they must be (Landlock, from kernel 5.13). What the system does not offer is left out and named
in the result of `confine`, so that `twin doctor` can show it. Nothing here needs privileges.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What one file may cost. The wall clock is watched from outside, the rest by the kernel."""

    seconds: float = 900.0  # wall clock, all stages
    exact_seconds: float = 120.0  # for what only the exact kernel can mesh
    cpu_seconds: int = 1800  # of one process
    memory: int = 6144 * MIB  # address space of one process, bytes
    file_bytes: int = 8192 * MIB  # largest file a worker may write
    open_files: int = 512
    input_bytes: int = 4096 * MIB  # largest IFC file, unpacked


def confine(limits: WorkerLimits, readable: Iterable[Path], writable: Iterable[Path]) -> dict[str, bool]:
    """Lock this process and its children in; which fences stand. Cannot be undone.

    `readable` is what it may read besides the Python installation and the system's libraries, `writable` where it may
    also write.
    """
    fences = {"limits": _limit(limits), "privileges": False, "files": False, "network": False}
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        fences["privileges"] = libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
        fences["files"] = _landlock(libc, [*_system_paths(), *readable], list(writable))
        fences["network"] = _seccomp(libc)
    return fences


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def peak_memory() -> int:
    """The most memory that this process or one of its finished children has had resident, bytes; 0 where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    # Linux counts for a process what its parent had when it was started: ru_maxrss survives exec, VmHWM does not.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
    return max(children, own if own is not None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _limit(limits: WorkerLimits) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    for name, value in (
        ("RLIMIT_AS", limits.memory),
        ("RLIMIT_CPU", limits.cpu_seconds),
        ("RLIMIT_FSIZE", limits.file_bytes),
        ("RLIMIT_NOFILE", limits.open_files),
        ("RLIMIT_CORE", 0),
    ):
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):  # macOS refuses RLIMIT_AS
            if name != "RLIMIT_AS":
                raise
    return True


def _system_paths() -> list[Path]:
    """Python, its packages, this project, and what the loader and the C library read."""
    here = Path(__file__).resolve().parent
    paths = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), here, here.parent / "twin"}
    paths |= {Path(p) for p in sys.path if "site-packages" in p}
    system = ("/usr", "/lib", "/lib64", "/bin", "/opt", "/proc", "/sys/devices/system/cpu", "/sys/fs/cgroup")
    files = ("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")
    return [p for p in (*paths, *map(Path, system), *map(Path, files)) if p.exists()]


# Landlock: file system rights by ABI version (linux/landlock.h).
_READ: Final = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read file, read directory
_READ_FILE: Final = (1 << 0) | (1 << 2)
_FILE_RIGHTS: Final = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 14)  # those that make sense on a file
_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_LANDLOCK: Final = (444, 445, 446)  # create ruleset, add rule, restrict self: equal on all architectures


def _landlock(libc: ctypes.CDLL, readable: list[Path], writable: list[Path]) -> bool:
    create, add, restrict = _LANDLOCK
    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    handled = _RIGHTS.get(version, _RIGHTS[4])
    attributes = ctypes.create_string_buffer(struct.pack("=Q", handled), 8)
    rules = libc.syscall(create, attributes, ctypes.c_size_t(8), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for path, rights in [*((p, _READ) for p in readable), *((p, handled) for p in writable)]:
            if not _allow(libc, add, rules, path, rights & handled):
                return False
        return bool(libc.syscall(restrict, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, add: int, rules: int, path: Path, rights: int) -> bool:
    if str(path).startswith("/dev/null"):
        rights |= 1 << 1
    if not path.is_dir():
        rights &= _FILE_RIGHTS
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return True  # not there or not ours to open: nothing to allow
    try:
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        done = libc.syscall(add, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint32(0))
        return bool(done == 0)
    finally:
        os.close(fd)


# seccomp: architecture token, number of seccomp(2), numbers of the calls that answer EPERM.
_CALLS: Final = {
    "x86_64": (
        0xC000003E,
        317,
        # socket connect ptrace mount umount2 setns unshare keyctl add_key request_key bpf perf_event_open
        # process_vm_readv process_vm_writev userfaultfd io_uring_setup io_uring_enter init_module kexec_load reboot
        (41, 42, 101, 165, 166, 308, 272, 250, 248, 249, 321, 298, 310, 311, 323, 425, 426, 175, 246, 169),
    ),
    "aarch64": (
        0xC00000B7,
        277,
        (198, 203, 117, 40, 39, 268, 97, 219, 217, 218, 280, 241, 270, 271, 282, 425, 426, 105, 104, 142),
    ),
}
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM: Final = 0x00050000 | errno.EPERM


def _seccomp(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in _CALLS:
        return False
    architecture, seccomp, denied = _CALLS[platform.machine()]
    program = _filter(architecture, denied)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(code)), 16)
    # SECCOMP_SET_MODE_FILTER, TSYNC: threads that libraries started are locked in too.
    return bool(libc.syscall(seccomp, ctypes.c_uint(1), ctypes.c_uint(1), header) == 0)


def _filter(architecture: int, denied: tuple[int, ...]) -> bytes:
    """A BPF program: foreign architectures die, denied calls answer EPERM, the rest passes."""
    n = len(denied)
    lines = [
        (_LOAD, 0, 0, 4),  # architecture
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # call number
        (_JUMP_ABOVE, n + 1, 0, 0x40000000),  # the x32 numbers of x86_64
        *[(_JUMP_EQUAL, n - i, 0, call) for i, call in enumerate(denied)],
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
