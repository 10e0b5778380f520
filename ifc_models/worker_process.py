"""The server's end of worker processes: start them, ask them, end them."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from ifc_models.protocol import Failed, Line, Request, Task
from ifc_models.worker_nursery import MESSAGE, Asked, Told
from twin import errors
from twin.errors import Invalid, TwinError

READY_SECONDS: Final = 120.0  # for a process to import everything on a busy machine
END_SECONDS: Final = 60.0  # for the nursery to end a worker on a busy machine; then it is ended itself
LINE_BYTES: Final = 1 << 20  # of what a worker says in one go
_ROOT: Final = str(Path(__file__).resolve().parents[1])

_encode_request = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(Line).decode
_encode_asked = msgspec.json.Encoder().encode
_decode_told = msgspec.json.Decoder(Told).decode

Show = Callable[[Task, Line], Awaitable[None]]
"""Is told each line that a process says of its progress."""


class WorkerDied(Exception):
    """The process ended without an answer: `reason` in words, `memory` or `time` where a limit was the cause."""

    def __init__(self, reason: str, *, memory: bool = False, time: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.memory, self.time = reason, memory, time


class Child(Protocol):
    """A process that was started for one file."""

    async def wait(self) -> int:
        """Its exit code, when it has ended; negative: the signal that ended it."""

    async def end(self) -> None:
        """Kill it and all it started, and close what leads to it."""


class Worker:
    """The server's end of one worker process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, child: Child) -> None:
        self._reader, self._writer, self._child = reader, writer, child
        self._is_ready = False
        self.peak_bytes = 0

    @classmethod
    async def start(cls) -> "Worker":
        """Start a process of its own; it imports what it needs while we go on."""
        process = await _start_process("ifc_models.worker_main", stdin=PIPE, stdout=PIPE, limit=LINE_BYTES)
        assert process.stdin is not None and process.stdout is not None
        return cls(process.stdout, process.stdin, _Process(process))

    async def ready(self) -> None:
        """Wait until it has imported everything."""
        if not self._is_ready:
            async with asyncio.timeout(READY_SECONDS):
                line = await self._line()
            if not line.ready:
                raise WorkerDied("it did not start properly")
            self._is_ready = True

    async def ask(self, request: Request, show: Show) -> dict[str, Any]:
        """Send the request and follow it to its end. Raises TwinError for a bad file, WorkerDied for a dead process."""
        await self.ready()
        try:
            self._writer.write(_encode_request(request) + b"\n")
            await self._writer.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise WorkerDied(_how_it_ended(await self._child.wait())) from None
        while True:
            line = await self._line()
            self.peak_bytes = max(self.peak_bytes, line.peak_bytes)
            if line.failed is not None:
                raise _error(line.failed)
            if line.done is not None:
                return line.done
            if line.stage is not None or line.preview is not None:
                await show(request.task, line)

    async def _line(self) -> Line:
        try:
            data = await self._reader.readline()
        except ConnectionResetError:
            data = b""
        if not data:
            code = await self._child.wait()
            raise WorkerDied(_how_it_ended(code), time=code == -getattr(signal, "SIGXCPU", 0))
        return _decode_line(data)

    async def end(self) -> None:
        """Kill the process and all it started."""
        self._writer.close()
        await self._child.end()
        self._writer.transport.abort()  # nobody reads any more what has not been sent
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await self._writer.wait_closed()


class _Process:
    """A process that the event loop watches."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def wait(self) -> int:
        return await self._process.wait()

    async def end(self) -> None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.returncode is None:
            self._process.kill()
        with contextlib.suppress(ProcessLookupError):
            await self._process.wait()
        # Close the pipes now: a transport that the collector finds open is a ResourceWarning.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()


class Nursery:
    """The server's end of the process that workers are forked from; started when first wanted, again when it died."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._ready = asyncio.Event()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._numbers = itertools.count(1)

    @staticmethod
    def is_possible() -> bool:
        """Whether forking from a process with native libraries in it is sound here."""
        return sys.platform == "linux"

    async def open(self) -> None:
        """Start the process; it imports everything while we go on."""
        async with self._starting:
            if self._listening is not None and not self._listening.done():
                return
            await self._close()
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            mine.setblocking(False)
            self._control = mine
            with its:
                self._process = await _start_process(
                    "ifc_models.worker_nursery", str(its.fileno()), pass_fds=[its.fileno()]
                )
            self._listening = asyncio.create_task(self._listen(mine))

    async def ready(self) -> None:
        """Wait until it has imported everything."""
        await self.open()
        async with asyncio.timeout(READY_SECONDS):
            await self._ready.wait()

    async def start(self) -> Worker:
        """A worker that is ready; asked for again where the nursery dies meanwhile. Raises WorkerDied."""
        for attempt in (1, 2):
            worker = await self._start()
            try:
                await worker.ready()
                return worker
            except BaseException as error:
                await worker.end()
                if attempt == 2 or self._ready.is_set() or not isinstance(error, WorkerDied):
                    raise
        raise AssertionError("unreachable")

    async def _start(self) -> Worker:
        await self.open()
        assert self._control is not None
        number = next(self._numbers)
        self._ends[number] = asyncio.get_running_loop().create_future()
        mine, its = socket.socketpair()
        try:
            with its:  # whatever happens, or the worker's end of the line stays open
                socket.send_fds(self._control, [_encode_asked(Asked(start=number))], [its.fileno()])
        except ConnectionError:
            pass  # the nursery has just died: whoever listens to it tells
        except OSError as error:  # it was never asked, and will never tell
            self._ends[number].set_result(error.errno or 1)
        opening = asyncio.ensure_future(asyncio.open_connection(sock=mine, limit=LINE_BYTES))
        try:
            return Worker(*await asyncio.shield(opening), _Nursed(self, number))
        except asyncio.CancelledError:  # whoever waited is gone, the process is not
            await Worker(*await opening, _Nursed(self, number)).end()
            raise

    async def wait(self, number: int) -> int:
        """The exit code of a worker, when it has ended."""
        return await asyncio.shield(self._ends[number])

    async def end(self, number: int) -> None:
        """Kill a worker that may have ended."""
        over, listening = self._ends[number], self._listening
        if not over.done() and self._control is not None and listening is not None:
            with contextlib.suppress(OSError):
                self._control.send(_encode_asked(Asked(kill=number)))
            # When the program ends, all tasks are cancelled, the one that listens too: nobody would tell.
            waited: list[asyncio.Future[Any]] = [over, listening]
            ended, _ = await asyncio.wait(waited, timeout=END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not ended and self._process is not None:  # it does not answer: its workers die with it
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await asyncio.wait([listening], timeout=END_SECONDS)
        self._ends.pop(number, None)

    async def close(self) -> None:
        """End the process and all it started."""
        async with self._starting:
            await self._close()

    async def _close(self) -> None:
        if self._control is not None and self._process is not None and self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
            self._control.close()
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._process = self._control = self._listening = None
        self._ready.clear()

    async def _listen(self, control: socket.socket) -> None:
        """Follow what it says until it dies; then its workers have died too."""
        receive = asyncio.get_running_loop().sock_recv
        try:
            while data := await receive(control, MESSAGE):
                told = _decode_told(data)
                if told.ready:
                    self._ready.set()
                if (end := self._ends.get(told.ended or 0)) is not None and not end.done():
                    end.set_result(told.code)
        except OSError:
            pass
        finally:
            self._ready.clear()
            for end in self._ends.values():
                if not end.done():
                    end.set_result(-signal.SIGKILL)


class _Nursed:
    """A process that the nursery forked and watches."""

    def __init__(self, nursery: Nursery, number: int) -> None:
        self._nursery, self._number = nursery, number

    async def wait(self) -> int:
        return await self._nursery.wait(self._number)

    async def end(self) -> None:
        await self._nursery.end(self._number)


async def _start_process(module: str, *args: str, **options: Any) -> asyncio.subprocess.Process:
    """`python -m module` with nothing of ours but what `options` give it."""
    streams = {"stdin": DEVNULL, "stdout": DEVNULL, "stderr": DEVNULL}
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *args,
            start_new_session=True,
            env=_environment(_ROOT),
            cwd="/" if os.name == "posix" else None,
            **{**streams, **options},
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # whoever waited is gone, the process is not
        await _Process(await starting).end()
        raise


def _environment(root: str) -> dict[str, str]:
    """Nothing of the server's environment but what a process needs to start: no database URL, no keys."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TZ") if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "4",
    }


def _error(failed: Failed) -> Exception:
    if failed.code == "memory":
        return WorkerDied("out of memory", memory=True)
    if failed.code == "ifc.worker_crashed":  # as if it had died: a mesher is then bisected
        return WorkerDied(str(failed.params.get("reason", "?")))
    family = getattr(errors, failed.family, Invalid)
    error: TwinError = family(failed.code, where=failed.where, **failed.params)
    return error


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
