"""The app around the 3D view: signing in, two languages, two themes, phone size, keys, nobody kept out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.accessible import barriers
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 60_000  # ms; software OpenGL on two busy cores
OF_BUILDING = ("overview", "alarms", "orders", "plans", "models", "issues", "checks")
OF_SERVER = ("account", "admin/accounts", "admin/roles", "admin/grants", "admin/keys", "admin/audit")
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
    """A page of a new visitor, and what its console complains of."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    contexts.append(context)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page, errors


def sign_in(page: Page, server: Server, password: str | None = None) -> None:
    page.goto(server.address)
    page.locator("input[autocomplete=username]").fill("administrator")
    page.locator("input[type=password]").fill(password or server.password)
    page.locator("button[type=submit]").click()


def width(page: Page) -> int:
    """How wide the page wants to be, px."""
    return int(
        page.evaluate("Math.max(document.documentElement.scrollWidth, document.querySelector('main.page').scrollWidth)")
    )


def test_signing_in_is_quiet_until_it_goes_wrong_and_the_choice_of_language_and_theme_stays(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    page, errors = open_page(chromium, contexts, locale="zh-CN", color_scheme="light")
    page.goto(fresh_server.address)
    page.locator("button[type=submit]").wait_for()
    assert barriers(page) == []
    assert errors == [], "nobody is signed in, and the page knows without asking"
    sign_in(page, fresh_server, "not-the-password")
    expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert len(errors) == 1 and "401" in errors.pop()
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    assert page.evaluate("document.cookie") == "twin_signed_in=1", "the session itself is out of reach of scripts"
    page.goto(f"{fresh_server.address}b/{building}/settings")
    page.get_by_text("English", exact=True).click()
    page.get_by_text("Dark", exact=True).click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    expect(page.locator("html[data-theme=dark][lang=en]")).to_be_attached()
    _end_of_session(page, fresh_server)
    page.goto(fresh_server.address)
    page.locator("input[autocomplete=username]").wait_for()
    assert "twin_signed_in" not in page.evaluate("document.cookie")
    assert [error for error in errors if "401" not in error] == []


def _end_of_session(page: Page, server: Server) -> None:
    """Somebody else ends the session: the mark that the browser has is stale."""
    with server.client() as client:
        client.delete("/accounts/administrator/sessions").raise_for_status()
    assert "twin_signed_in=1" in page.evaluate("document.cookie")


@pytest.mark.parametrize(("locale", "theme"), [("zh-CN", "dark"), ("en-US", "light")])
def test_every_page_fits_a_phone_and_keeps_nobody_out(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str, locale: str, theme: str
) -> None:
    page, errors = open_page(chromium, contexts, locale=locale, color_scheme=theme, reduced_motion="reduce", **PHONE)
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    found: list[str] = []
    for path in (*(f"b/{building}/{name}" for name in OF_BUILDING), *OF_SERVER):
        page.goto(fresh_server.address + path)
        page.locator("main.page h1").first.wait_for()
        expect(page.locator(".ant-skeleton, [aria-busy=true]")).to_have_count(0, timeout=SLOW)
        assert width(page) <= 390, path
        found += barriers(page)
    assert found == []
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
    expect(search).to_be_focused(timeout=SLOW)
    page.keyboard.type("zzz-nothing")
    expect(page.get_by_text("Nothing found for “zzz-nothing”")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Alarms", exact=True)).to_be_visible()
    assert errors == []
