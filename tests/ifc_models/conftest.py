"""Public models, each read once for all tests of this folder; test_worker reads some in real workers."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ifc_models import tasks
from ifc_models.extract import Extract, load_extract
from ifc_models.protocol import Request
from ifc_models.sandbox import WorkerLimits
from twin.errors import TwinError

SHARED = Path(__file__).parents[3] / "shared"
MODELS = sorted((SHARED / "ifc").rglob("*.ifc")) + sorted((SHARED / "ifc").rglob("*.ifc[zx]*"))

Read = Callable[[Path], Extract | TwinError]
Find = Callable[[str], Extract]


def name_of(path: Path) -> str:
    """The name a test shows for a model."""
    return str(path.relative_to(SHARED))


def read_here(path: Path, out: Path) -> Extract:
    """What a worker would read of a file, in this process; raises TwinError."""
    request = Request(task="check", path=str(path), file_name=path.name, out=str(out), limits=WorkerLimits())
    tasks.run(request, lambda stage, progress, counted=None: None)
    return load_extract(out)


def read_or_error(path: Path, out: Path) -> Extract | TwinError:
    """The extract, or the error that refuses the file."""
    try:
        return read_here(path, out)
    except TwinError as error:
        return error


@pytest.fixture(scope="session")
def read_model() -> Read:
    """Reads a public model, once for all tests; gives the error that refused it."""

    @cache
    def read(path: Path) -> Extract | TwinError:
        with tempfile.TemporaryDirectory() as out:
            return read_or_error(path, Path(out))

    return read


@pytest.fixture(scope="session")
def extract_of(read_model: Read) -> Find:
    """The extract of a model by its path under ../shared/ifc."""

    def find(name: str) -> Extract:
        path = SHARED / "ifc" / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        found = read_model(path)
        assert isinstance(found, Extract), found
        return found

    return find
