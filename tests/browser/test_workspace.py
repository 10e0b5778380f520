"""A morning in the workspace: searching, colouring by rules, keeping and sharing, undoing, finding panels again."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server

SLOW = 60_000  # ms; software OpenGL on two busy cores
expect.set_options(timeout=SLOW)


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


def opened(chromium: Browser, server: Server, building: str) -> tuple[Page, list[str]]:
    """The 3D view of a new visitor who has signed in, and what its console complains of."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
    page.set_default_timeout(SLOW)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "422" not in m.text else None)
    login = {"name": "administrator", "password": server.password}
    assert page.context.request.post(f"{server.address}api/v1/session", data=login).ok
    page.goto(f"{server.address}b/{building}")
    page.wait_for_function("() => window.twin")
    page.evaluate("() => window.twin.ready")
    return page, errors


@pytest.mark.drill
def test_a_search_becomes_a_colouring_that_is_kept_shared_undone_and_found_on_another_machine(
    chromium: Browser, fresh_server: Server, building: str
) -> None:
    page, errors = opened(chromium, fresh_server, building)
    with fresh_server.client() as client:
        doors = client.get(f"/buildings/{building}/search", params={"q": "class:Door"}).json()["count"]
    assert doors > 4

    search = page.get_by_role("combobox", name="Search", exact=True)
    search.fill("nmae:x")
    expect(page.get_by_role("status").filter(has_text="character 1")).to_contain_text("name")
    search.fill("class:Do")
    page.get_by_title("class:IfcDoor", exact=True).click()
    expect(page.get_by_test_id("found-count")).to_have_text(f"{doors} elements")

    page.get_by_role("button", name="Colour", exact=True).click()
    legend = page.get_by_role("region", name="Legend").filter(has_text="class:IfcDoor")
    expect(legend.get_by_role("button").filter(has_text=re.compile(rf"{doors}$"))).to_be_visible()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_enabled()
    page.get_by_test_id("scene").focus()
    page.keyboard.press("Control+z")
    expect(legend).to_have_count(0)
    page.keyboard.press("Control+y")
    expect(legend).to_be_visible()

    page.get_by_text("Saved", exact=True).click()
    page.get_by_role("button", name="Colouring rules").click()
    page.get_by_label("Share with all").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Legend")).to_contain_text("Fire rating missing")
    page.get_by_role("button", name="Save view").click()
    page.get_by_label("Name").fill("From the door")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".saved-list img")).to_be_visible()

    edge = page.get_by_role("separator", name="Width of the left panel")
    with page.expect_response(lambda answer: answer.url.endswith("/me/workspace") and answer.request.method == "PUT"):
        edge.press("ArrowRight")
    wide = edge.get_attribute("aria-valuenow")
    assert not errors

    other, errors = opened(chromium, fresh_server, building)
    expect(other.get_by_role("separator", name="Width of the left panel")).to_have_attribute("aria-valuenow", str(wide))
    other.get_by_role("combobox", name="Arranged by").click()
    other.get_by_title("Class", exact=True).click()
    branch = other.get_by_role("treeitem").filter(has_text=re.compile(rf"{doors}$")).first
    branch.click()
    expect(other.get_by_role("treeitem", expanded=True)).to_have_count(1)
    other.keyboard.press("Control+k")
    other.get_by_role("combobox", name="Commands").fill("fire rating")
    expect(other.get_by_role("option").first).to_contain_text("Fire rating missing")
    other.keyboard.press("Enter")
    expect(other.get_by_role("region", name="Legend")).to_contain_text("Fire rating missing")
    expect(other).not_to_have_url(re.compile("saved="))
    assert not errors
