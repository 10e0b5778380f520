"""A morning in the workspace: searching, choosing several, colouring, undoing, keeping, sharing, moving panels."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server

SLOW = 90_000  # ms; software OpenGL on two busy cores
expect.set_options(timeout=SLOW)


@pytest.fixture(scope="module")
def building(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small building on the server; its id."""
    model: Path = tmp_path_factory.mktemp("model") / "house.ifc"
    for arguments in (
        ("sample", str(model), "--storeys", "1", "--rooms", "4"),
        ("import", str(model), "--building", "House"),
    ):
        done = fresh_server.twin(*arguments)
        assert done.returncode == 0, done.stderr
    with fresh_server.client() as client:
        return str(client.get("/buildings").json()["items"][0]["id"])


def opened(chromium: Browser, server: Server, building: str) -> tuple[Page, list[str]]:
    """The 3D view of somebody who has signed in, and what its console complains of. Small: drawing is the dear part."""
    context = chromium.new_context(viewport={"width": 1180, "height": 600}, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "422" not in m.text else None)
    login = {"name": "administrator", "password": server.password}
    assert page.context.request.post(f"{server.address}api/v1/session", data=login).ok
    arrive(page, f"{server.address}b/{building}")
    return page, errors


def arrive(page: Page, address: str) -> None:
    """Open the 3D view and wait until it is drawn."""
    page.goto(address)
    page.wait_for_function("() => window.twin")
    page.evaluate("() => window.twin.ready")


@pytest.mark.drill
def test_what_is_found_is_chosen_coloured_kept_and_undone_and_panels_stay_where_they_were_put(
    chromium: Browser, fresh_server: Server, building: str
) -> None:
    page, errors = opened(chromium, fresh_server, building)
    with fresh_server.client() as client:
        doors = client.get(f"/buildings/{building}/search", params={"q": "class:Door"}).json()["count"]
    assert doors > 2

    search = page.get_by_role("combobox", name="Search", exact=True)
    search.fill("nmae:x")
    expect(page.get_by_role("status").filter(has_text="character 1")).to_contain_text("name")
    search.fill("class:Do")
    page.get_by_title("class:IfcDoor", exact=True).click()
    expect(page.get_by_test_id("found-count")).to_have_text(f"{doors} elements")

    # Several at once: chosen in the list, told together, hidden together, undone.
    rows = page.locator(".element-row")
    rows.nth(0).click()
    rows.nth(2).click(modifiers=["Shift"])
    expect(page.get_by_test_id("chosen-count")).to_have_text("3 selected")
    rows.nth(1).click(modifiers=["Control"])
    expect(page.get_by_test_id("chosen-count")).to_have_text("2 selected")
    details = page.get_by_role("complementary", name="Selected elements")
    expect(details.get_by_text("Doors", exact=True).first).to_be_visible()
    details.get_by_role("button", name="Save as a set").click()
    page.get_by_label("Name").fill("Two doors")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    # A colouring of what was found, and back.
    page.get_by_role("toolbar", name="With what was found").get_by_role("button", name="Colour", exact=True).click()
    legend = page.get_by_role("region", name="Legend").filter(has_text="class:IfcDoor")
    expect(legend.get_by_role("button").filter(has_text=re.compile(rf"{doors}$"))).to_be_visible()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_enabled()
    page.get_by_test_id("scene").focus()
    page.keyboard.press("Control+z")
    expect(legend).to_have_count(0)
    page.keyboard.press("Control+y")
    expect(legend).to_be_visible()

    # Rules and a view are kept, the rules shared.
    page.get_by_text("Saved", exact=True).click()
    expect(page.locator(".saved-row").filter(has_text="Two doors")).to_be_visible()
    page.get_by_role("button", name="Colouring rules").click()
    page.get_by_label("Share with all").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Legend")).to_contain_text("Fire rating missing")
    page.get_by_role("button", name="Save view").click()
    page.get_by_label("Name").fill("From the door")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".saved-list img")).to_be_visible()

    # The details go to the left as a tab; the server keeps it, another machine has it.
    with page.expect_response(lambda a: a.url.endswith("/me/workspace") and a.request.method == "PUT" and a.ok):
        page.get_by_role("button", name="Move Details to").click()
        page.get_by_role("menuitem", name="On the left").click()
    left = page.get_by_role("region", name="On the left")
    expect(left.get_by_role("button", name="Details", exact=True)).to_have_attribute("aria-pressed", "true")
    assert not errors
    page.evaluate("() => localStorage.removeItem('twin.layout')")
    arrive(page, f"{fresh_server.address}b/{building}")
    page.get_by_role("combobox", name="Arranged by").click()
    page.get_by_title("Class", exact=True).click()
    page.get_by_role("treeitem").filter(has_text=re.compile(rf"{doors}$")).first.click()
    page.get_by_role("treeitem", level=2).first.click()
    expect(left.get_by_role("button", name="Details", exact=True)).to_be_visible()

    # The palette finds what was kept, and the panels go back.
    for typed, found in (("fire rating", "Fire rating missing"), ("panels as", "Panels as they were at first")):
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Commands").fill(typed)
        expect(page.get_by_role("option").first).to_contain_text(found)
        page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Legend")).to_contain_text("Fire rating missing")
    expect(
        page.get_by_role("region", name="On the right").get_by_role("button", name="Move Details to")
    ).to_be_visible()
    assert not errors
