"""The app around the 3D view: signing in, two languages, two themes, phone size, keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 60_000  # ms; software OpenGL on two busy cores
PAGES = ("overview", "alarms", "orders", "plans", "models", "settings")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def building(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small building on the server; its id."""
    model: Path = tmp_path_factory.mktemp("model") / "house.ifc"
    for arguments in (
        ("sample", str(model), "--storeys", "1", "--rooms", "8"),
        ("import", str(model), "--building", "House"),
    ):
        done = fresh_server.twin(*arguments)
        assert done.returncode == 0, done.stderr
    with fresh_server.client() as client:
        return str(client.get("/buildings").json()["items"][0]["id"])


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[list[BrowserContext]]:
    made: list[BrowserContext] = []
    yield made
    for context in made:
        context.close()


def open_page(chromium: Browser, contexts: list[BrowserContext], **options: object) -> tuple[Page, list[str]]:
    """A page of a new visitor, and what its console complains of (but the 401 of "who am I" before signing in)."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    contexts.append(context)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "401" not in m.text else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page, errors


def sign_in(page: Page, server: Server, password: str | None = None) -> None:
    page.goto(server.address)
    page.locator("input[autocomplete=username]").fill("administrator")
    page.locator("input[type=password]").fill(password or server.password)
    page.locator("button[type=submit]").click()


def test_a_wrong_password_is_told_in_the_language_of_the_browser(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server
) -> None:
    page, _ = open_page(chromium, contexts, locale="zh-CN")
    sign_in(page, fresh_server, "not-the-password")
    expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_the_chosen_language_and_theme_are_remembered(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    page, errors = open_page(chromium, contexts, locale="zh-CN", color_scheme="light")
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    page.goto(f"{fresh_server.address}b/{building}/settings")
    page.get_by_text("English", exact=True).click()
    page.get_by_text("Dark", exact=True).click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    expect(page.locator("html[data-theme=dark][lang=en]")).to_be_attached()
    assert errors == []


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_no_page_is_wider_than_a_phone(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str, locale: str
) -> None:
    page, errors = open_page(chromium, contexts, locale=locale, **PHONE)
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    for name in PAGES:
        page.goto(f"{fresh_server.address}b/{building}/{name}")
        page.locator("main.page h1").wait_for()
        page.wait_for_load_state("networkidle")
        wide = page.evaluate(
            "Math.max(document.documentElement.scrollWidth, document.querySelector('main.page').scrollWidth)"
        )
        assert wide <= 390, name
    assert errors == []


def test_the_keyboard_searches_opens_help_and_changes_pages(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    page, errors = open_page(chromium, contexts, locale="en-US", viewport={"width": 1000, "height": 700})
    sign_in(page, fresh_server)
    page.get_by_test_id("scene").wait_for()
    page.evaluate("window.twin.ready")
    page.keyboard.press("/")
    search = page.get_by_role("textbox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.type("zzz-nothing")
    expect(page.get_by_text("Nothing found for “zzz-nothing”")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Alarms", exact=True)).to_be_visible()
    assert errors == []
