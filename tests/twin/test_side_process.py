"""The process beside the server, when the server is killed."""

import signal
import subprocess
import sys

KILLED = """
import os, signal
from twin.side_process import side_process
if __name__ == "__main__":
    print(side_process().submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_a_process_that_is_killed() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, timeout=20, check=False
    )  # returns once nobody holds its output any more; the process beside it did
    assert (killed.returncode, killed.stdout.strip().isdigit()) == (-signal.SIGKILL, True)
