"""A real Chromium, drawing with software OpenGL, for tests of pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.engine import engine_pages
from tests.serving import Server, serving

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-gpu-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser that `make test` set up.

    Not for the whole session: Playwright keeps an event loop running in this thread for as long as it is open, and
    asynchronous tests that come after it in the same process could not start theirs.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def engine_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The renderer's page and towers of tiles."""
    with engine_pages(tmp_path_factory.mktemp("engine")) as address:
        yield address


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as a newcomer has it: embedded database, empty data folder."""
    data: Path = tmp_path_factory.mktemp("fresh")
    with serving(data, None, TWIN_DATABASE_DURABLE="false") as server:
        yield server
