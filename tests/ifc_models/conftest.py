"""Public models, read once by real workers for all tests of this folder."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from ifc_models import tasks
from ifc_models.extract import Extract, load_extract
from ifc_models.protocol import Request
from ifc_models.sandbox import WorkerLimits
from ifc_models.worker import WorkerPool
from twin.errors import TwinError

SHARED = Path(__file__).parents[3] / "shared"
MODELS = sorted((SHARED / "ifc").rglob("*.ifc")) + sorted((SHARED / "ifc").rglob("*.ifc[zx]*"))


def name_of(path: Path) -> str:
    """The name a test shows for a model."""
    return str(path.relative_to(SHARED))


SMALL = 200_000  # bytes; models under it are read without a process of their own, which would take longer than they do


def _read_here(path: Path) -> Extract | TwinError:
    with tempfile.TemporaryDirectory() as out:
        request = Request(task="check", path=str(path), file_name=path.name, out=out, limits=WorkerLimits())
        try:
            tasks.run(request, lambda stage, progress: None)
        except TwinError as error:
            return error
        return load_extract(Path(out))


async def _read_all() -> dict[Path, Extract | TwinError]:
    read: dict[Path, Extract | TwinError] = {path: _read_here(path) for path in MODELS if path.stat().st_size < SMALL}
    waiting = sorted(MODELS, key=lambda path: -path.stat().st_size)
    waiting = [path for path in waiting if path not in read]

    async with WorkerPool(spares=2) as pool:

        async def reader() -> None:
            while waiting:
                path = waiting.pop(0)
                try:
                    read[path] = await pool.check(path)
                except TwinError as error:
                    read[path] = error

        await asyncio.gather(reader(), reader())
    return read


@pytest.fixture(scope="session")
def all_models() -> dict[Path, Extract | TwinError]:
    """Every model of ../shared/ifc, read by a worker of its own, or the error that refused it."""
    return asyncio.run(_read_all())


@pytest.fixture(scope="session")
def extract_of(all_models: dict[Path, Extract | TwinError]):
    """The extract of a model by the end of its path."""

    def find(end: str) -> Extract:
        found = [e for path, e in all_models.items() if str(path).endswith(end)]
        if not found:
            pytest.skip(f"../shared/ifc/…{end} is not there")
        assert isinstance(found[0], Extract), found[0]
        return found[0]

    return find
