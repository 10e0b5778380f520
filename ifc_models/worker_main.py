"""The worker's side: serve one request from stdin in the sandbox, end.

Forked by `ifc_models.worker_nursery`, which has imported everything; where there is none, `python -m
ifc_models.worker_main`.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from ifc_models.protocol import Failed, Line, Request
from ifc_models.sandbox import confine, die_with_parent, peak_memory
from twin.blobs import is_full
from twin.errors import TwinError


def main() -> None:
    """A process of its own."""
    die_with_parent()
    serve()


def serve() -> None:
    """Import what is not there yet, say so, serve one request from stdin, end the process."""
    say = _own_stdout()
    from ifc_models import tasks

    say(Line(ready=True))
    data = sys.stdin.buffer.readline()
    if not data:
        os._exit(0)
    request = msgspec.json.decode(data, type=Request)
    if hasattr(os, "nice"):
        os.nice(5)
    tempfile.tempdir = request.out
    try:
        readable = [Path(request.path), *map(Path, request.inputs.values())]
        fences = confine(request.limits, readable, [Path(request.out)])
        say(Line(fences=fences))

        def report(stage: str, progress: float, counted: tuple[int, int] | None = None) -> None:
            say(Line(stage=stage, progress=progress, counted=counted))

        done = tasks.run(request, report, lambda folder: say(Line(preview=folder)))
        say(Line(done=done, peak_bytes=peak_memory()))
    except TwinError as error:
        failed = Failed(family=type(error).__name__, code=error.code, where=error.where, params=error.params)
        say(Line(failed=failed, peak_bytes=peak_memory()))
    except Exception as error:
        say(Line(failed=_failure(error, request), peak_bytes=peak_memory()))
    os._exit(0)  # no destructors: freeing a large model takes as long as reading it


def _failure(error: Exception, request: Request) -> Failed:
    """What an exception means that nobody foresaw: too little memory, no room on the disk, or a crash."""
    if isinstance(error, OSError) and is_full(error):
        return Failed(family="Unavailable", code="disk.full", where=request.file_name)
    if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "bad alloc" in str(error):
        return Failed(family="Invalid", code="memory")
    reason = f"{type(error).__name__}: {error} {_last_frame(error)}"[:500]
    params = {"reason": reason, "stage": request.task}
    return Failed(family="Invalid", code="ifc.worker_crashed", where=request.file_name, params=params)


def _last_frame(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"({Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno})" if at is not None else ""


def _own_stdout() -> Callable[[Line], None]:
    """Keep stdout for our lines; what native libraries print goes nowhere."""
    mine = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    encode = msgspec.json.Encoder().encode

    def say(line: Line) -> None:
        os.write(mine, encode(line) + b"\n")

    return say


if __name__ == "__main__":
    main()
