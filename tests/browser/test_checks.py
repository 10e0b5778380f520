"""Checks and issues in a real Chromium: an IDS check is started, read and coloured; an issue is made from the view."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_app import sign_in
from tests.conftest import SHARED
from tests.serving import Server, wait_for_job

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MODEL = SHARED / "ifc" / "arch" / "AC20-FZK-Haus.ifc"
SLOW = 45_000  # ms; software OpenGL on two busy cores
IDS = """<ids xmlns="http://standards.buildingsmart.org/IDS" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><info><title>Client's requirements</title></info><specifications>
 <specification name="Doors carry an asset tag" ifcVersion="IFC4"><applicability minOccurs="0" maxOccurs="unbounded">
 <entity><name><simpleValue>IFCDOOR</simpleValue></name></entity></applicability><requirements>
 <property dataType="IFCLABEL"><propertySet><simpleValue>Client</simpleValue></propertySet>
 <baseName><simpleValue>AssetTag</simpleValue></baseName></property></requirements></specification></specifications></ids>"""


@pytest.fixture(scope="module")
def building(fresh_server: Server) -> str:
    """A public model, imported; the building's id."""
    if not MODEL.exists():
        pytest.skip(f"{MODEL} is not there")
    with fresh_server.client() as client:
        made = client.post("/buildings", json={"name": "FZK"}).raise_for_status().json()
        with MODEL.open("rb") as file:
            job = client.post("/models", data={"building": "FZK"}, files={"file": (MODEL.name, file)}).json()
        assert wait_for_job(client, job["id"])["state"] == "done"
    return str(made["id"])


@pytest.fixture(scope="module")
def page(chromium: Browser, fresh_server: Server, building: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, fresh_server)
    expect(page.get_by_test_id("scene")).to_be_visible(timeout=SLOW)
    yield page
    context.close()
    assert [error for error in errors if "401" not in error] == []


def test_an_ids_check_is_started_read_and_coloured_in_3d(
    page: Page, fresh_server: Server, building: str, tmp_path: Path
) -> None:
    (tmp_path / "client.ids").write_text(IDS)
    page.goto(f"{fresh_server.address}b/{building}/checks")
    page.locator('input[type="file"]').set_input_files(tmp_path / "client.ids")
    expect(page.get_by_role("heading", name="Client's requirements")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("0 of 5 pass").last).to_be_visible()
    page.get_by_role("button", name="5 elements fail").click()
    expect(page.get_by_text("the property set is missing").first).to_be_visible()
    page.get_by_role("button", name="Colour in 3D").click()
    expect(page.get_by_role("link", name="Doors carry an asset tag: 0 pass, 5 fail")).to_be_visible(timeout=SLOW)


def test_an_issue_is_made_from_the_view_with_its_picture_and_leads_back_to_it(
    page: Page, fresh_server: Server, building: str
) -> None:
    page.goto(f"{fresh_server.address}b/{building}")
    expect(page.get_by_test_id("scene")).to_be_visible(timeout=SLOW)
    page.evaluate("window.twin.ready")
    page.get_by_role("button", name="New issue").click()
    page.get_by_label("Title").fill("The ridge leaks")
    expect(page.locator(".issue-picture")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="The ridge leaks")).to_be_visible(timeout=SLOW)
    page.get_by_label("Comment").fill("Seen on Monday")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator(".issue-comments").get_by_text("Seen on Monday")).to_be_visible()
    picture = page.locator(".issue-view img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1280
    page.get_by_role("link", name=re.compile("^Show in 3D")).click()
    expect(page.get_by_role("link", name="The ridge leaks")).to_be_visible(timeout=SLOW)
    with fresh_server.client() as client:
        topic = client.get("/topics", params={"building": building}).json()["items"][0]
        assert (topic["title"], topic["comments"], topic["viewpoints"]) == ("The ridge leaks", 1, 1)
