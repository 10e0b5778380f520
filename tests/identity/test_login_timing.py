"""Figure S12: how long a refused sign-in takes does not tell whether the name exists, is disabled or is locked.

`make test` counts the work instead (test_login.py); this measures it, interleaved, over a real server, and prints it.
"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import Cluster
from tests.serving import Server, serving

ROUNDS = 60
PASSWORD = "correct horse battery"
WRONG = "a guess, and wrong"


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Iterator[Server]:
    """A server that goes on answering: the limit per address is out of the way."""
    name = f"timed_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    limits = {"TWIN_LOGIN_ATTEMPTS_ADDRESS": "100000", "TWIN_RATE_GUESSES": "100000", "TWIN_LOGIN_ATTEMPTS": "5"}
    with serving(tmp_path, cluster.url(name), **limits) as running:
        yield running
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.mark.drill
@pytest.mark.clause("6.5.2b-2")
def test_the_time_of_a_refusal_says_nothing_about_the_name(server: Server) -> None:
    with server.client() as admin, httpx.Client(base_url=server.api, timeout=60) as guesser:
        # Every wrong guess is at a fresh account: the fifth at the same one would be a guess at a locked one.
        fresh = [f"wrong{number}x" for number in range(ROUNDS // 4 + 1)]
        for name in ("disabled", "locked", *fresh):
            made = admin.post("/accounts", json={"name": name, "password": PASSWORD, "roles": ["crew"]})
            assert made.status_code == 201, made.text
        admin.patch("/accounts/disabled", json={"disabled": True}).raise_for_status()

        def refuse(name: str, password: str) -> float:
            started = time.perf_counter()
            answer = guesser.post("/session", json={"name": name, "password": password})
            taken = time.perf_counter() - started
            assert (answer.status_code, answer.json()["code"]) == (401, "login.wrong")
            return taken

        for _ in range(5):
            refuse("locked", WRONG)
        seconds: dict[str, list[float]] = {
            "wrong": [],
            "unknown": [],
            "disabled": [],
            "locked": [],
            "locked, right": [],
        }
        for number in range(ROUNDS):
            seconds["wrong"].append(refuse(fresh[number // 4], WRONG))
            seconds["unknown"].append(refuse(f"nobody{number}", WRONG))
            seconds["disabled"].append(refuse("disabled", PASSWORD))
            seconds["locked"].append(refuse("locked", WRONG))
            seconds["locked, right"].append(refuse("locked", PASSWORD))
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
    for kind, taken in seconds.items():
        low, _, high = (each * 1e3 for each in statistics.quantiles(taken, n=4))
        print(f"{kind:>14}: median {medians[kind] * 1e3:6.1f} ms, quartiles {low:.1f}-{high:.1f}")
    spread = statistics.median(_spread(taken) for taken in seconds.values())
    assert max(medians.values()) - min(medians.values()) < max(0.1 * medians["wrong"], spread), medians


def _spread(taken: list[float]) -> float:
    """Half the distance of the quartiles: what one has to tell the kinds apart against."""
    low, _, high = statistics.quantiles(taken, n=4)
    return (high - low) / 2
