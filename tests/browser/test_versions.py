"""Versions in the browser: what changed as a list and in 3D, recognised elements, going back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.api.test_versions import HOUSE, Edited, edit, upload
from tests.browser.test_app import PHONE, SLOW, open_page, sign_in
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def house(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    return edit(shared / "ifc" / HOUSE, tmp_path_factory.mktemp("edited") / "house.ifc")


@pytest.fixture(scope="module")
def building(fresh_server: Server, shared: Path, house: Edited) -> str:
    """The house in two versions; its id."""
    with fresh_server.client() as client:
        made = str(client.post("/buildings", json={"name": "House"}).raise_for_status().json()["id"])
        for path in (shared / "ifc" / HOUSE, house.path):
            upload(client, made, path)
        return made


@pytest.fixture
def contexts() -> Iterator[list[BrowserContext]]:
    made: list[BrowserContext] = []
    yield made
    for context in made:
        context.close()


def signed_in(chromium: Browser, contexts: list[BrowserContext], server: Server, **options: object) -> Page:
    page, _ = open_page(chromium, contexts, **options)
    sign_in(page, server)
    page.get_by_role("navigation").wait_for()
    return page


def test_what_changed_is_listed_shown_in_3d_confirmed_and_taken_back(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str, house: Edited
) -> None:
    page = signed_in(chromium, contexts, fresh_server, locale="en-US", viewport={"width": 1100, "height": 760})
    page.goto(f"{fresh_server.address}b/{building}/models")
    page.get_by_role("link", name="What changed").first.click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name=re.compile("^Removed")).click()
    expect(page.locator(".change:not(.match)").filter(has_text=house.deleted)).to_be_visible()
    page.get_by_role("tab", name="Recognised elements").click()
    moved = page.locator(".match").filter(has_text=house.moved)
    if house.moved in house.keys:
        moved.get_by_role("button", name="Same element").click()
        expect(moved.get_by_text("confirmed")).to_be_visible()
    page.get_by_role("tab", name="Differences").click()
    page.get_by_role("button", name=re.compile("^Moved")).click()
    expect(page.locator(".change:not(.match)").filter(has_text=house.now(house.moved))).to_contain_text(
        "moved by 0.25 m"
    )

    page.get_by_role("link", name="Show in 3D").first.click()
    note = page.locator(".stage-note")
    expect(note).to_contain_text("Version 1 → 2", timeout=SLOW)
    expect(note).to_contain_text("Removed")
    page.wait_for_function(
        "id => window.twin.scene.flyTo(id).then(() => true)", arg=f"{house.deleted}~", timeout=SLOW
    )  # what went is there again
    note.get_by_role("button", name="Show all").click()
    expect(note).to_be_hidden()

    page.goto(f"{fresh_server.address}b/{building}/models")
    first = page.locator("details.version").filter(has_text="v1")
    first.locator("summary").first.click()
    first.get_by_role("button", name="Go back to this").click()
    page.get_by_role("dialog").get_by_role("button", name="Show version 1 again").click()
    expect(page.get_by_text("Version 1 is shown again")).to_be_visible(timeout=SLOW)
    expect(page.locator("details.version").first).to_contain_text("again v1")


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_the_list_of_changes_fits_a_phone(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str, locale: str
) -> None:
    page = signed_in(chromium, contexts, fresh_server, locale=locale, **PHONE)
    with fresh_server.client() as client:
        model = client.get("/models").json()["items"][0]["id"]
    for tab in ("differences", "matches"):
        page.goto(f"{fresh_server.address}b/{building}/models/{model}/changes?from=1&to=2&tab={tab}")
        page.locator(".change").first.wait_for()
        wide = page.evaluate(
            "Math.max(document.documentElement.scrollWidth, document.querySelector('main.page').scrollWidth)"
        )
        assert wide <= 390, tab
