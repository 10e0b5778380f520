import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, structlog
from twin.logs import configure_logs
from twin.settings import Settings
configure_logs(Settings())
structlog.get_logger().info("job.done", seconds=0.5)
logging.getLogger("uvicorn").warning("from a library")
structlog.get_logger().debug("too much")
def sign_in(password):
    1 / 0
try:
    sign_in("-".join(["hunter2", "hunter2"]))
except ZeroDivisionError:
    structlog.get_logger().exception("job.crashed")
print("the result")
"""


def run(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=60
    )


def test_log_lines_are_json_when_asked_for_and_never_on_stdout() -> None:
    done = run(TWIN_LOG_FORMAT="json")
    assert done.stdout == "the result\n"
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["job.done", "from a library", "job.crashed"]
    assert lines[0]["seconds"] == 0.5
    assert lines[0]["level"] == "info"
    assert lines[0]["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_log_lines_are_readable_unless_asked_otherwise() -> None:
    done = run(TWIN_LOG_LEVEL="debug")
    assert done.stdout == "the result\n"
    for word in ("job.done", "seconds", "from a library", "too much", "ZeroDivisionError"):
        assert word in done.stderr
    assert "\x1b[" not in done.stderr


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values(form: str) -> None:
    """They are passwords, keys and cookies."""
    shown = run(TWIN_LOG_FORMAT=form).stderr
    assert "sign_in" in shown
    assert "hunter2-hunter2" not in shown
