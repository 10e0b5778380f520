"""A process beside the server for work that would hold up its loop, in a pool of one."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def side_process() -> ProcessPoolExecutor:
    """A pool of one process, started with the first task; it ends with this process, however that ends."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    # A child of a killed process waits for its next task for ever: it holds both ends of the pipe that brings them.
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
