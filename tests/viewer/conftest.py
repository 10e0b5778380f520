"""Extracts of real files, each made once per test run."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ifc_models.worker import run_worker
from tests.conftest import SHARED


@pytest.fixture(scope="session")
def extract_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The extract folder of a file under shared/ifc."""

    @cache
    def extract(name: str) -> Path:
        folder = tmp_path_factory.mktemp("extract")
        asyncio.run(run_worker(SHARED / "ifc" / name, folder))
        return folder

    return extract
