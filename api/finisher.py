"""The finishing process as the server sees it: kept warm, replaced when it dies."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

import structlog

from twin.errors import Invalid
from twin.side_process import side_process

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger()


class Finisher:
    """Runs the functions of `api.finishing` one after the other in a process of their own."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns; a process that died is replaced once. Raises Invalid when that dies too."""
        assert not kwargs
        for attempt in (1, 2):
            if self._pool is None:
                self._pool = side_process()
            try:
                return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
            except BrokenProcessPool:
                log.warning("import.finisher_died", attempt=attempt)
                self._pool = None
        raise Invalid("import.finish_failed")

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
