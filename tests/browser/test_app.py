"""The app around the 3D view: signing in, two languages, two themes, phone size, keys, nobody kept out."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.accessible import barriers
from tests.serving import Server, furnish, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 60_000  # ms; software OpenGL on two busy cores
FIRST_LOAD = 400_000  # bytes, compressed, of a page without the 3D view
DIST = Path(__file__).parents[2] / "viewer" / "web" / "dist"
TELEMETRY = ("points", "suggestions", "derived", "sources", "quarantine", "history")
OF_BUILDING = (
    *("overview", "alarms", "orders", "plans", "models", "issues", "checks", "trends", "dashboards", "reports"),
    *(f"telemetry/{name}" for name in TELEMETRY),
)
OF_SERVER = ("overview", "account", "admin/accounts", "admin/roles", "admin/grants", "admin/keys", "admin/audit")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def building(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small building on the server; its id."""
    return furnish(fresh_server, tmp_path_factory.mktemp("model"), "House", storeys=1, rooms=8)


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


def enter(page: Page, server: Server) -> None:
    """Signed in without the page of it, and without the 3D view that follows."""
    login = {"name": "administrator", "password": server.password}
    assert page.context.request.post(f"{server.address}api/v1/session", data=login).ok


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
    """Somebody else ends the session while no page is open: the mark that the browser has is stale."""
    page.goto("about:blank")
    with server.client() as client:
        client.delete("/accounts/administrator/sessions").raise_for_status()
    assert any(one.get("name") == "twin_signed_in" for one in page.context.cookies(server.address))


@pytest.mark.parametrize(("locale", "theme", "desk"), [("zh-CN", "dark", False), ("en-US", "light", True)])
def test_every_page_fits_a_phone_and_keeps_nobody_out_on_a_desk_either(
    chromium: Browser,
    contexts: list[BrowserContext],
    fresh_server: Server,
    building: str,
    locale: str,
    theme: str,
    desk: bool,
) -> None:
    page, errors = open_page(chromium, contexts, locale=locale, color_scheme=theme, reduced_motion="reduce", **PHONE)
    enter(page, fresh_server)
    found: list[str] = []
    for path in (*(f"b/{building}/{name}" for name in OF_BUILDING), *OF_SERVER):
        page.goto(fresh_server.address + path)
        page.locator("main.page h1").first.wait_for()
        expect(page.locator(".ant-skeleton, [aria-busy=true]")).to_have_count(0, timeout=SLOW)
        assert width(page) <= 390, path
        found += barriers(page)
        if desk:
            page.set_viewport_size({"width": 1280, "height": 800})
            page.locator(".rail").wait_for()
            found += barriers(page)
            page.set_viewport_size(PHONE["viewport"])  # type: ignore[arg-type]
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
    search = page.get_by_role("combobox", name="Search")
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


def first_load(page: Page) -> dict[str, int]:
    """What the page has fetched of the app's files, compressed as a proxy in front of the server does it."""
    names = page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)")
    files = {name: DIST / name.removeprefix("/") for name in names if name.startswith("/assets/")}
    small = {name: file.read_bytes() for name, file in files.items()}
    return {name: len(data if name.endswith(".woff2") else gzip.compress(data)) for name, data in small.items()}


SEVEN_HOURS_SLOW = """
    const Right = Date;
    const wrong = () => Right.now() - 7 * 3600e3;
    Date = class extends Right {
        constructor(...given) { if (given.length) super(...given); else super(wrong()); }
        static now() { return wrong(); }
    };
"""


def test_the_app_is_small_can_be_installed_and_says_when_the_server_is_away(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    page, errors = open_page(chromium, contexts, locale="en-US", reduced_motion="reduce")
    page.goto(fresh_server.address)
    page.locator("button[type=submit]").wait_for()
    assert sum(first_load(page).values()) <= FIRST_LOAD, "the very first page, its font included"
    enter(page, fresh_server)
    page.goto(f"{fresh_server.address}b/{building}/overview")
    page.get_by_role("heading", name="Safety").wait_for()
    loaded = first_load(page)
    assert not any("building-view" in name or "three" in name for name in loaded), (
        "the 3D view waits until it is asked for"
    )
    assert any(name.endswith(".woff2") for name in loaded), "the letters count too"
    assert sum(loaded.values()) <= FIRST_LOAD, sorted(loaded.items(), key=lambda one: -one[1])[:8]

    session = page.context.new_cdp_session(page)
    missing = {one["errorId"] for one in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert missing <= {"in-incognito"}, "which a test's browser always is"
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == [] and manifest["url"].endswith("/manifest.webmanifest")
    for icon in json.loads(manifest["data"])["icons"]:
        assert page.context.request.get(fresh_server.address.rstrip("/") + icon["src"]).ok
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    assert page.evaluate("caches.keys()") == [], "nothing is kept: no page is ever older than the server's"
    assert errors == []

    page.context.set_offline(True)
    page.goto(f"{fresh_server.address}b/{building}/alarms")
    expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    assert barriers(page) == []
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Alarms", exact=True)).to_be_visible(timeout=SLOW)  # by itself


def test_ages_are_told_by_the_servers_clock(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    page, errors = open_page(chromium, contexts, locale="en-US", reduced_motion="reduce")
    page.add_init_script(SEVEN_HOURS_SLOW)
    with fresh_server.client() as client:
        order = client.post(
            "/work-orders", json={"building": building, "title": "Look at the clock", "priority": "critical"}
        )
        assert order.status_code == 201, order.text
    enter(page, fresh_server)
    page.goto(f"{fresh_server.address}b/{building}/orders")
    row = page.locator(".order-card, .row").filter(has_text="Look at the clock").first
    expect(row).to_contain_text("hr.")  # due in two hours; by this machine's clock it would be nine
    assert "9 hr" not in row.inner_text() and "8 hr" not in row.inner_text()
    assert errors == []


CHOSEN = "document.querySelector('.inspector-head .guid')?.textContent.trim()"


@pytest.mark.drill
def test_the_view_stays_while_the_session_ends_the_line_is_cut_and_the_server_starts_again(
    chromium: Browser, contexts: list[BrowserContext], fresh_server: Server, building: str
) -> None:
    """The last of this module: afterwards its server is another one."""
    page, errors = open_page(
        chromium, contexts, locale="en-US", reduced_motion="reduce", viewport={"width": 1100, "height": 640}
    )
    with fresh_server.client() as client:
        wanted = {"building": building, "ifc_class": "IfcSpace"}
        room = client.get("/elements", params=wanted).json()["items"][0]["global_id"]
    enter(page, fresh_server)
    page.goto(f"{fresh_server.address}b/{building}?element={room}")
    page.wait_for_function("() => window.twin")
    page.evaluate("window.twin.ready")
    expect(page.locator(".inspector-head")).to_be_visible(timeout=SLOW)
    before = page.evaluate(CHOSEN)
    page.get_by_test_id("scene").evaluate("canvas => canvas.dataset.same = 'yes'")
    expect(page.locator(".live-dot.is-live")).to_be_visible(timeout=SLOW)

    with fresh_server.client() as client:  # the token expires under one's hands
        client.delete("/accounts/administrator/sessions").raise_for_status()
    over = page.get_by_role("dialog")
    expect(over.locator("input[type=password]")).to_be_visible(timeout=SLOW)
    assert barriers(page) == []
    over.locator("input[type=password]").fill(fresh_server.password)
    over.locator("button[type=submit]").click()
    expect(over).to_have_count(0)
    expect(page.locator(".live-dot.is-live")).to_be_visible(timeout=SLOW)
    assert page.evaluate(CHOSEN) == before
    expect(page.locator("canvas[data-same=yes]")).to_be_attached()
    assert [error for error in errors if "401" not in error and "WebSocket" not in error] == []

    port = fresh_server.address.rstrip("/").rpartition(":")[2]
    fresh_server.process.terminate()
    fresh_server.process.wait(30)
    banner = page.get_by_text("No connection to the server")
    expect(banner).to_be_visible(timeout=SLOW)
    expect(page.locator(".live-dot.is-offline")).to_be_visible()
    assert barriers(page) == []
    with serving(fresh_server.data, None, port=port, key=fresh_server.key, TWIN_DATABASE_DURABLE="false") as again:
        with again.client() as client:
            body = {"building": building, "title": "Made while nobody looked"}
            client.post("/work-orders", json=body).raise_for_status()
        expect(banner).to_have_count(0, timeout=SLOW)
        expect(page.locator(".live-dot.is-live")).to_be_visible(timeout=SLOW)
        expect(page.locator("canvas[data-same=yes]")).to_be_attached()
        assert page.evaluate(CHOSEN) == before, "what one looked at is still there"
        page.keyboard.press("o")
        expect(page.get_by_text("Made while nobody looked").first).to_be_visible(timeout=SLOW)
        page.close()
