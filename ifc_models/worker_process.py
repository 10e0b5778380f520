"""The server's end of a worker process: start it, ask it, end it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from ifc_models.protocol import Failed, Line, Request, Task
from twin import errors
from twin.errors import Invalid, TwinError

READY_SECONDS: Final = 120.0  # for a process to import everything on a busy machine
_ROOT: Final = str(Path(__file__).resolve().parents[1])

_encode_request = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(Line).decode

Show = Callable[[Task, Line], Awaitable[None]]
"""Is told each line that a process says of its progress."""


class WorkerDied(Exception):
    """The process ended without an answer: `reason` in words, `memory` or `time` where a limit was the cause."""

    def __init__(self, reason: str, *, memory: bool = False, time: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.memory, self.time = reason, memory, time


class Worker:
    """The server's end of one worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._is_ready = False
        self.peak_bytes = 0

    @classmethod
    async def start(cls) -> "Worker":
        """Start a process; it imports what it needs while we go on."""
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ifc_models.worker_main",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env=_environment(_ROOT),
                cwd="/" if os.name == "posix" else None,
                limit=1 << 20,
            )
        )
        try:
            return cls(await asyncio.shield(starting))
        except asyncio.CancelledError:  # whoever waited is gone, the process is not
            await cls(await starting).end()
            raise

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
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(_encode_request(request) + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise WorkerDied(_how_it_ended(await self._process.wait())) from None
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
        assert self._process.stdout is not None
        data = await self._process.stdout.readline()
        if not data:
            code = await self._process.wait()
            raise WorkerDied(_how_it_ended(code), time=code == -getattr(signal, "SIGXCPU", 0))
        return _decode_line(data)

    async def end(self) -> None:
        """Kill the process and all it started."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.returncode is None:
            self._process.kill()
        with contextlib.suppress(ProcessLookupError):
            await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        # Close the pipes now: a transport that the collector finds open is a ResourceWarning.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()


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
