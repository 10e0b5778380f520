"""One real server for the API tests of a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import Cluster
from tests.serving import Server, serving


@contextmanager
def served(cluster: Cluster, data: Path) -> Iterator[Server]:
    """A `twin serve` on a database of its own."""
    name = f"served_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    with serving(data, cluster.url(name)) as running:
        yield running
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The one that most tests share."""
    with served(cluster, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Calls as an administrator's key."""
    with server.client() as made:
        yield made
