"""A process of its own for statistics that take seconds: kept warm, replaced when it dies, never waited for too long.

A task that takes more than `LIMIT_S` of processor time ends its process, by a timer it sets itself. Answers are kept
for a while.
"""

import asyncio
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, ParamSpec, TypeVar, cast

import structlog

from twin.errors import Invalid, Unavailable
from twin.side_process import side_process

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger()

LIMIT_S: Final = 60  # s of processor time
MAX_WAITING: Final = 8
KEPT: Final = 256
KEPT_S: Final = 900.0


class Statistician:
    """Runs functions of `telemetry.forecasting`, one after the other."""

    def __init__(self, limit_s: int = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    async def run(self, key: Hashable, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns; for the same `key` what it returned up to a quarter of an hour ago.

        Raises what the function raises; Unavailable `statistics.busy`; Invalid `statistics.slow` past the limit.
        """
        assert not kwargs
        kept = self._kept.get(key)
        if kept is not None and kept[0] > time.monotonic():
            return cast("R", kept[1])
        if self._waiting >= MAX_WAITING:
            raise Unavailable("statistics.busy")
        self._waiting += 1
        try:
            found = await self._run(function, *args)
        finally:
            self._waiting -= 1
        self._kept[key] = time.monotonic() + KEPT_S, found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    async def _run(self, function: Callable[..., R], *args: Any) -> R:
        if self._pool is None:
            self._pool = side_process()
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _limited, self._limit_s, function, *args)
        except BrokenProcessPool:
            log.warning("statistics.process_died", function=function.__name__)
            if self._pool is pool:
                self._pool = None
            raise Invalid("statistics.slow", limit=self._limit_s) from None

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _limited(limit_s: int, function: Callable[..., R], *args: Any) -> R:
    """In the process: run under a timer of processor time that ends it (where the system has one)."""
    timed = hasattr(signal, "setitimer")
    if timed:
        signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        return function(*args)
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_PROF, 0)
