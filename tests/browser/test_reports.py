"""A report in the browser: defined, made, read, printed, taken along, in the language of the page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessible import barriers
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SLOW = 60_000  # ms


@pytest.fixture(scope="module")
def building(fresh_server: Server) -> str:
    """A building with a point that has spoken twice today."""
    with fresh_server.client() as client:
        made = client.post("/buildings", json={"name": "Reported"}).raise_for_status().json()["id"]
        point = {"key": "hall.t", "name": "Hall temperature", "building": made, "kind": "number", "unit": "DEG_C"}
        client.post("/points", json=point).raise_for_status()
        client.post("/work-orders", json={"building": made, "title": "Oil the door"}).raise_for_status()
    return str(made)


@pytest.fixture
def page(chromium: Browser, fresh_server: Server) -> Iterator[Page]:
    # Its reader is in the building's zone: elsewhere the reader's today may be a day that is over there.
    zone = "Asia/Shanghai"
    context = chromium.new_context(locale="en-US", timezone_id=zone, reduced_motion="reduce", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    login = {"name": "administrator", "password": fresh_server.password}
    assert context.request.post(f"{fresh_server.address}api/v1/session", data=login).ok
    yield page
    context.close()


@pytest.mark.clause("7.1.3-2")
@pytest.mark.clause("7.7.4c")
def test_a_report_is_defined_made_read_printed_and_taken_along(page: Page, fresh_server: Server, building: str) -> None:
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{fresh_server.address}b/{building}/reports")
    expect(page.get_by_text("No report yet")).to_be_visible()
    page.get_by_role("button", name="New report").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Day of the hall")
    form.get_by_text("Day", exact=True).click()
    form.get_by_role("button", name="Add section").click()
    page.get_by_role("menuitem", name=re.compile("^Points")).click()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Choose a point at least")).to_be_visible()
    form.get_by_role("combobox", name="Points").fill("hall")
    page.locator(".ant-select-item-option").filter(has_text="Hall temperature").click()
    form.get_by_role("spinbutton", name="hall.t: to").fill("24")
    form.get_by_role("combobox", name="Points").press("Escape")
    assert barriers(page) == []
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)

    page.get_by_role("button", name="Make", exact=True).click()
    today = page.get_by_role("textbox", name="Which period")
    today.click()
    page.locator(".ant-picker-cell-today").click()
    page.get_by_role("tooltip").get_by_role("button", name="Make").click()
    sheet = page.locator(".rp-sheet")
    expect(sheet).to_be_visible()
    expect(page.get_by_role("heading", name="Day of the hall")).to_be_visible()
    expect(sheet.get_by_text("The period was not over")).to_be_visible()
    expect(sheet.get_by_role("link", name=re.compile("Oil the door"))).to_be_visible()
    row = sheet.get_by_role("row").filter(has_text="Hall temperature")
    expect(row).to_contain_text("No readings")
    expect(row).to_contain_text("… – 24")
    assert barriers(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert re.fullmatch(r"Day of the hall \d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    assert "Hall temperature" in download.value.path().read_text("utf-8")

    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    page.set_viewport_size({"width": 690, "height": 900})  # what A4 leaves
    assert page.evaluate("document.documentElement.scrollWidth") <= 690
    page.emulate_media(media="screen")
    page.evaluate("localStorage.setItem('twin.language', 'zh-CN')")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{fresh_server.address}b/{building}/reports")
    made = page.locator(".rp-made .row")
    expect(made).to_have_count(1)
    expect(made).to_contain_text("申请人 administrator")
    made.get_by_role("link").click()
    expect(sheet.get_by_role("heading", name="工单", exact=True)).to_be_visible()
    assert barriers(page) == []
    assert errors == []
