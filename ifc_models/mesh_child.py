"""Runs a function in a forked child that may crash, hang or eat memory without hurting its caller.

Geometry kernels are native code; a hostile or unlucky file kills them. Forking keeps the opened file and costs
milliseconds. Where there is no fork (Windows) the function runs in this process: the worker around it is then the only
fence.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection
from typing import Any, Final

_KILLED_SECONDS: Final = 10.0  # within which the kernel ends what it was told to kill; else it is left to it


class ChildFailed(Exception):
    """The child crashed or ran out of time; `args[0]` says which in words fit for a report."""


def in_child(function: Callable[..., Any], *args: Any, seconds: float) -> Any:
    """Return `function(*args)`, computed in a child. Raises ChildFailed after a crash or `seconds`."""
    stream = stream_from_child(lambda: iter([function(*args)]), seconds=seconds)
    try:
        return next(stream)
    finally:
        stream.close()


def stream_from_child(
    function: Callable[[], Iterator[Any]], *, seconds: float, patience: float | None = None
) -> Generator[Any, None, None]:
    """Yield what the generator `function()` yields in a child, which starts at once.

    `seconds` bounds the whole, `patience` the wait for one item. Raises ChildFailed after a crash or when time is up.
    """
    if not hasattr(os, "fork"):
        return (item for item in function())
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(function, sending), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads: the child only computes
        child.start()
    sending.close()
    stream = _received(child, receiving, time.monotonic() + seconds, patience)
    next(stream)  # up to where its `finally` holds: the child ends with the generator
    return stream


def _received(
    child: multiprocessing.process.BaseProcess, receiving: Connection, end: float, patience: float | None
) -> Generator[Any, None, None]:
    try:
        yield None
        while True:
            wait = end - time.monotonic()
            if not receiving.poll(max(0.0, wait if patience is None else min(wait, patience))):
                raise ChildFailed("took too long")
            try:
                kind, value = receiving.recv()
            except (EOFError, OSError):  # it died between two items, or in the middle of one
                child.join(5)
                raise ChildFailed(f"crashed the geometry kernel (exit {child.exitcode})") from None
            if kind == "end":
                return
            if kind == "error":
                raise ChildFailed(value)
            yield value
    finally:
        receiving.close()
        if child.is_alive():
            child.kill()
        child.join(_KILLED_SECONDS)


def _run(function: Callable[[], Iterator[Any]], sending: Connection) -> None:
    try:
        for item in function():
            sending.send(("item", item))
        sending.send(("end", None))
    except BrokenPipeError:
        pass
    except Exception as error:
        sending.send(("error", f"{type(error).__name__}: {error}"[:500]))
    finally:
        sending.close()
        os._exit(0)
