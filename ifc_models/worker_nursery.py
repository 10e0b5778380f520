"""The process that workers are forked from: it has imported everything, so a worker costs milliseconds, not a second.

`python -m ifc_models.worker_nursery FD`. It reads no file and knows no secret; what it is asked comes over the socket
`FD` from `ifc_models.worker_process`, one message each way: start a worker on the socket that comes along, kill one; it
is ready, a worker has ended. It must stay single-threaded, or a fork could copy a lock that somebody holds.
"""

import contextlib
import errno
import gc
import os
import select
import signal
import socket
import sys
from typing import Final, NoReturn

import msgspec

MESSAGE: Final = 256  # bytes, at most


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """To the nursery: `start` worker number n on the socket that comes along, or `kill` it and all it started."""

    start: int | None = None
    kill: int | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """From the nursery: it is `ready`, or worker number `ended` did, with an exit code (negative: by that signal)."""

    ready: bool = False
    ended: int | None = None
    code: int = 0


_encode = msgspec.json.Encoder().encode
_decode_asked = msgspec.json.Decoder(Asked).decode


class _Nursery:
    """The children by their numbers, and the loop that serves the server's wishes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pids: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()  # by SIGCHLD
        for fd in (self._woken, self._wakes):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # or the descriptor below is not written to
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)

    def run(self) -> None:
        """Serve until the server closes its end."""
        self._tell(Told(ready=True))
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [])
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, 4096)
                self._bury()
            if self._control.fileno() in ready:
                data, fds, _, _ = socket.recv_fds(self._control, MESSAGE, 1)
                if not data:
                    return
                self._obey(_decode_asked(data), fds)

    def _obey(self, asked: Asked, fds: list[int]) -> None:
        if asked.kill in self._pids:
            _kill(self._pids[asked.kill])
        if asked.start is not None:
            try:
                if not fds:
                    raise OSError(errno.EMFILE, "no descriptor is left for the worker's socket")
                self._start(asked.start, fds[0])
            except OSError as error:  # no more processes, or no memory for one
                self._tell(Told(ended=asked.start, code=error.errno or 1))
        for fd in fds:
            os.close(fd)

    def _start(self, number: int, fd: int) -> None:
        here = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(fd, here)
        self._pids[number] = pid

    def _become_worker(self, fd: int, parent: int) -> NoReturn:
        """In the child: let go of all that is the nursery's, then serve one request."""
        try:
            from ifc_models import worker_main
            from ifc_models.sandbox import die_with_parent

            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent()
            if os.getppid() == parent:  # or it died before that
                self._control.close()
                os.close(self._woken)
                os.close(self._wakes)
                os.setsid()
                os.dup2(fd, 0)
                os.dup2(fd, 1)
                os.close(fd)
                worker_main.serve()
        finally:
            os._exit(70)

    def _bury(self) -> None:
        """Say of every worker that has ended how, and end what it left behind."""
        for number, pid in list(self._pids.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # its number is still taken: nobody else's group can have it
            _, status = os.waitpid(pid, 0)
            del self._pids[number]
            self._tell(Told(ended=number, code=os.waitstatus_to_exitcode(status)))

    def _tell(self, told: Told) -> None:
        self._control.send(_encode(told))


def _kill(pid: int) -> None:
    """Kill a worker and what it started; it may not have come to be a group's leader yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def main() -> None:
    """Import everything, then serve."""
    from ifc_models.sandbox import die_with_parent

    die_with_parent()
    control = socket.socket(fileno=int(sys.argv[1]))
    from ifc_models import tasks  # noqa: F401  what this process is for

    gc.collect()
    gc.freeze()  # or the first collection of every worker copies all pages
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _Nursery(control).run()
    os._exit(0)


if __name__ == "__main__":
    main()
