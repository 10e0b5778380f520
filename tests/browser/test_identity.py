"""The pages of accounts and rights on a real server: what is clicked there counts, and the trail tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 45_000  # ms; two busy cores
REFUSED = ("Failed to load resource", "WebSocket connection to")
OWN_PASSWORD = "quiet-harbour-lantern-42"


@dataclass
class Visitor:
    """A browser of its own, and what its console complained of."""

    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def visit(chromium: Browser, fresh_server: Server) -> Iterator[list[Visitor]]:
    """Visitors of this module, gone before the server goes. In the end none of their consoles may have complained.

    The browser reports every refused request and socket as an error; the tests provoke them, so those are left out.
    """
    made: list[Visitor] = []
    yield made
    for visitor in made:
        visitor.context.close()
        assert [error for error in visitor.errors if not error.startswith(REFUSED)] == []


def new_visitor(chromium: Browser, visit: list[Visitor]) -> Visitor:
    context = chromium.new_context(locale="en-US", reduced_motion="reduce", viewport={"width": 1280, "height": 860})
    visitor = Visitor(context, context.new_page())
    visit.append(visitor)
    visitor.page.set_default_timeout(SLOW)
    expect.set_options(timeout=SLOW)
    visitor.page.on("console", lambda m: visitor.errors.append(m.text) if m.type == "error" else None)
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    return visitor


def sign_in(page: Page, address: str, name: str, password: str) -> None:
    page.goto(address)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="module")
def building(fresh_server: Server) -> str:
    with fresh_server.client() as client:
        return str(client.post("/buildings", json={"name": "Harbour Tower"}).json()["id"])


@pytest.fixture(scope="module")
def admin(chromium: Browser, visit: list[Visitor], fresh_server: Server, building: str) -> Page:
    """The administrator, who was on the way to the accounts and gets there after signing in."""
    page = new_visitor(chromium, visit).page
    sign_in(page, f"{fresh_server.address}admin/accounts", "administrator", fresh_server.password)
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    return page


def choose(page: Page, field: str, option: str) -> None:
    """Choose in a list of Ant Design, by typing a part of it."""
    box = page.get_by_role("dialog").get_by_role("combobox", name=field)
    box.click()
    box.fill(option)
    page.locator(".ant-select-item-option", has_text=option).first.click()


def create_account(admin: Page, server: Server, name: str) -> str:
    """A duty operator of the one building, made in the browser; the password that is to be handed over."""
    admin.goto(f"{server.address}admin/accounts")
    admin.get_by_role("button", name="New account").click()
    admin.get_by_label("Sign-in name").fill(name)
    admin.get_by_role("button", name="Suggest one").click()
    choose(admin, "First role", "Duty operator")
    admin.get_by_role("dialog").get_by_text("Building", exact=True).click()
    choose(admin, "Building", "Harbour Tower")
    admin.get_by_role("button", name="Create account").click()
    password = admin.get_by_test_id("secret").inner_text()
    done = admin.get_by_role("button", name="Done")
    expect(done).to_be_disabled()
    admin.get_by_label("I have stored it safely").check()
    done.click()
    return password


@pytest.mark.clause("6.5.2b-2")
@pytest.mark.clause("6.5.2b-4")
def test_a_new_account_protects_itself_and_loses_its_session_to_the_administrator(
    chromium: Browser, visit: list[Visitor], admin: Page, fresh_server: Server, building: str
) -> None:
    first = create_account(admin, fresh_server, "li.wei")
    page = new_visitor(chromium, visit).page
    sign_in(page, f"{fresh_server.address}account", "li.wei", "not-the-password-0")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong.")
    sign_in(page, f"{fresh_server.address}account", "li.wei", first)
    _choose_own_password(page, first)
    expect(page.get_by_role("listitem").filter(has_text="Duty operator")).to_contain_text("Harbour Tower")
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    codes = _enrol(page)
    page.get_by_role("button", name="Sign out", exact=True).click()
    _sign_in_with_code(page, codes[0])
    expect(page.get_by_text("This device")).to_be_visible()
    page.goto(f"{fresh_server.address}admin/audit")
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
    _end_sessions_of(admin, "li.wei")
    dialog = page.get_by_role("dialog", name="Please sign in again")
    expect(dialog).to_contain_text("ended by an administrator", timeout=60_000)  # by itself: its socket was cut
    _sign_in_with_code(page, codes[1], name=None)
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="My account").click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()


def _choose_own_password(page: Page, first: str) -> None:
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    page.get_by_label("Current password").fill(first)
    page.get_by_label("New password", exact=True).fill("short")
    hint = page.get_by_role("listitem").filter(has_text="At least 12 characters")
    expect(hint).to_have_class("is-open")
    page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    expect(hint).to_have_class("is-met")
    page.get_by_label("New password again").fill(OWN_PASSWORD)
    page.get_by_role("button", name="Save new password").click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()


def _enrol(page: Page) -> list[str]:
    """Set up the second factor as an authenticator would; the recovery codes."""
    page.get_by_role("button", name="Set up second factor").click()
    assert page.get_by_alt_text("QR code").evaluate("img => img.decode().then(() => img.naturalWidth)") > 20
    secret = page.get_by_test_id("totp-secret").inner_text().replace(" ", "")
    page.get_by_label("Six-digit code").fill(pyotp.TOTP(secret).now())
    shown = page.get_by_test_id("recovery-codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_label("I have stored it safely").check()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Turn off second factor")).to_be_visible()
    return codes


def _sign_in_with_code(page: Page, code: str, name: str | None = "li.wei") -> None:
    if name:
        page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(OWN_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(code)
    page.get_by_role("button", name="Confirm").click()


def _end_sessions_of(admin: Page, name: str) -> None:
    admin.get_by_role("tab", name="Sessions").click()
    admin.get_by_role("button", name="End").first.click()
    admin.locator(".ant-popconfirm").get_by_role("button", name="End").click()
    expect(admin.get_by_text("Not signed in anywhere.")).to_be_visible()


@pytest.mark.clause("6.2.1d")
def test_a_permission_that_is_ticked_in_the_matrix_counts_at_once(
    chromium: Browser, visit: list[Visitor], admin: Page, fresh_server: Server
) -> None:
    with fresh_server.client() as client:
        made = client.post("/accounts", json={"name": "zhang.min", "password": OWN_PASSWORD})
        assert made.status_code == 201, made.text
    admin.goto(f"{fresh_server.address}admin/roles")
    admin.get_by_role("button", name="New role").click()
    admin.get_by_label("Name", exact=True).fill("Night shift lead")
    expect(admin.get_by_label("Name for programs")).to_have_value("night_shift_lead")
    admin.get_by_role("button", name="Create role").click()
    with fresh_server.client() as client:
        admin.get_by_role("columnheader").filter(has_text="Night shift lead").wait_for()
        given = client.post("/grants", json={"account": "zhang.min", "role": "night_shift_lead"})
        assert given.status_code == 201, given.text
    page = new_visitor(chromium, visit).page
    sign_in(page, f"{fresh_server.address}account", "zhang.min", OWN_PASSWORD)
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    _tick(admin, "Read the audit trail", "Night shift lead")
    page.reload()
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation", name="Administration").get_by_role("link")).to_have_count(1)


def _tick(admin: Page, permission: str, role: str) -> None:
    """By keyboard: into the matrix with one tab stop, along the row with the End key, on with the space bar."""
    row = admin.get_by_role("row").filter(has_text=permission)
    row.get_by_role("checkbox").first.focus()
    admin.keyboard.press("End")
    box = admin.get_by_role("checkbox", name=f"{permission} · {role}")
    expect(box).to_be_focused()
    admin.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(row.get_by_role("checkbox").first).to_be_disabled()  # a built-in role is to read
    admin.get_by_role("button", name="Save changes").click()
    expect(admin.get_by_text("Roles saved")).to_be_visible()


@pytest.mark.clause("6.1.5a")
@pytest.mark.clause("6.2.1e")
@pytest.mark.clause("6.5.2a")
def test_a_key_is_shown_once_works_until_it_is_revoked_and_the_trail_tells_of_it(
    admin: Page, fresh_server: Server
) -> None:
    admin.goto(f"{fresh_server.address}admin/keys")
    admin.get_by_role("button", name="New key").click()
    admin.get_by_label("Name", exact=True).fill("Energy dashboard")
    choose(admin, "Only these permissions", "See sites")
    admin.keyboard.press("Escape")
    admin.get_by_role("button", name="Create key").click()
    secret = admin.get_by_test_id("secret").inner_text()
    admin.get_by_label("I have stored it safely").check()
    admin.get_by_role("button", name="Done").click()
    with httpx.Client(base_url=fresh_server.api, headers={"authorization": f"Bearer {secret}"}) as program:
        assert program.get("/buildings").status_code == 200
        assert program.get("/points").status_code == 403, "its role may, its scopes do not"
        admin.get_by_role("tab", name="Roles and places").click()
        expect(admin.get_by_role("listitem").filter(has_text="building.read")).to_be_visible()
        expect(admin.get_by_text("Nothing: it only reads.")).to_be_visible()
        admin.get_by_role("button", name="Revoke", exact=True).first.click()
        admin.locator(".ant-modal-confirm").get_by_role("button", name="Revoke").click()
        expect(admin.get_by_role("button", name="Energy dashboard")).to_have_count(0)
        assert program.get("/buildings").status_code == 401
    _see_it_in_the_trail(admin, fresh_server)


def _see_it_in_the_trail(admin: Page, server: Server) -> None:
    admin.goto(f"{server.address}admin/audit?action=key.write&q=Energy")
    rows = admin.get_by_role("row").filter(has_text="API key changed")
    expect(rows).to_have_count(2)
    rows.first.click()
    expect(admin.locator(".diff").first).to_contain_text("revoked")
    with admin.expect_download() as exported:
        admin.get_by_role("button", name="Export").click()
        admin.get_by_role("link", name="CSV for spreadsheets").click()
    assert "key.write" in exported.value.path().read_text("utf-8")
    admin.get_by_role("button", name="Verify now").click()
    expect(admin.get_by_text("entries verified")).to_be_visible()
    expect(admin.get_by_text("The audit trail is whole")).to_be_visible()
