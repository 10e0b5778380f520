"""Versions, checks and issues in a real Chromium: what changed, what is wrong with a model, what people say of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.api.test_versions import HOUSE, Edited, edit, upload
from tests.browser.accessible import barriers
from tests.browser.test_app import SLOW, open_page, sign_in, width
from tests.ifc_models import hostile
from tests.serving import Server, wait_for_job

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

IDS = """<ids xmlns="http://standards.buildingsmart.org/IDS" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><info><title>Client's requirements</title></info><specifications>
 <specification name="Doors carry an asset tag" ifcVersion="IFC4"><applicability minOccurs="0" maxOccurs="unbounded">
 <entity><name><simpleValue>IFCDOOR</simpleValue></name></entity></applicability><requirements>
 <property dataType="IFCLABEL"><propertySet><simpleValue>Client</simpleValue></propertySet>
 <baseName><simpleValue>AssetTag</simpleValue></baseName></property></requirements></specification></specifications></ids>"""


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


@pytest.fixture(scope="module")
def page(chromium: Browser, fresh_server: Server, building: str) -> Iterator[Page]:
    contexts: list[BrowserContext] = []
    page, errors = open_page(
        chromium, contexts, locale="en-US", reduced_motion="reduce", viewport={"width": 1280, "height": 800}
    )
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    yield page
    contexts[0].close()
    assert errors == []


def test_what_changed_is_listed_shown_in_3d_confirmed_and_taken_back(
    page: Page, fresh_server: Server, building: str, house: Edited
) -> None:
    page.goto(f"{fresh_server.address}b/{building}/models")
    page.get_by_role("link", name="What changed").first.click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name=re.compile("^Removed")).click()
    expect(page.locator(".change:not(.match)").filter(has_text=house.deleted)).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("tab", name="Recognised elements").click()
    moved = page.locator(".match").filter(has_text=house.moved)
    if house.moved in house.keys:
        moved.get_by_role("button", name="Same element").click()
        expect(moved.get_by_text("confirmed")).to_be_visible()
    page.locator(".match").first.wait_for()
    _fits_a_phone(page)
    page.get_by_role("tab", name="Differences").click()
    _fits_a_phone(page)
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


def _fits_a_phone(page: Page) -> None:
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("nav.tab-bar").wait_for()
    assert width(page) <= 390
    page.set_viewport_size(size)
    page.locator("nav.rail").wait_for()


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
    assert barriers(page) == []
    page.get_by_role("link", name="Colour in 3D").click()
    expect(page.get_by_role("link", name="Doors carry an asset tag: 0 pass, 5 fail")).to_be_visible(timeout=SLOW)


def test_an_issue_is_made_from_the_view_with_its_picture_and_leads_back_to_it(
    page: Page, fresh_server: Server, building: str
) -> None:
    page.goto(f"{fresh_server.address}b/{building}/issues")
    page.get_by_role("link", name="From the 3D view").click()  # nothing is there yet, and this is the way
    expect(page.get_by_test_id("scene")).to_be_visible(timeout=SLOW)
    page.evaluate("window.twin.ready")
    page.get_by_role("button", name="New issue").click()
    page.get_by_label("Title").fill("The ridge leaks")
    expect(page.locator("img.issue-picture")).to_be_visible(timeout=SLOW)
    assert barriers(page) == []
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
    _a_viewpoint_is_shown_as_it_says(page, fresh_server, building)


def _a_viewpoint_is_shown_as_it_says(page: Page, server: Server, building: str) -> None:
    """What somebody else's viewpoint asks of the picture is what an issue made of that picture says again."""
    plane = {"location": [6.0, 5.0, 2.0], "direction": [0.0, 0.0, 1.0]}
    view = {"eye": [-12.0, -14.0, 9.0], "target": [6.0, 5.0, 2.0], "field_of_view": 71.0, "clipping_planes": [plane]}
    with server.client() as client:
        body = {"building": building, "title": "Cut open", "viewpoint": {**view, "spaces_visible": False}}
        given = client.post("/topics", json=body).raise_for_status().json()
        page.goto(f"{server.address}b/{building}?topic={given['id']}")
        expect(page.get_by_role("link", name="Cut open")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="New issue").click()
        page.get_by_label("Title").fill("Seen there")
        expect(page.locator("img.issue-picture")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Seen there")).to_be_visible(timeout=SLOW)
        found = client.get("/topics", params={"building": building}).raise_for_status().json()["items"]
        made = next(each for each in found if each["title"] == "Seen there")
        shown = client.get(f"/topics/{made['id']}").raise_for_status().json()["all_viewpoints"][0]["view"]
    assert shown["camera"]["kind"] == "perspective"
    assert shown["camera"]["field_of_view"] == pytest.approx(71.0, abs=0.01)
    assert shown["camera"]["eye"] == pytest.approx(view["eye"], abs=0.01)
    assert [each["location"] for each in shown["clipping_planes"]] == [plane["location"]]
    assert [each["direction"] for each in shown["clipping_planes"]] == [plane["direction"]]
    assert shown["visibility"]["spaces"] is False


def test_an_upload_that_came_to_nothing_says_why_on_the_models_page(
    page: Page, fresh_server: Server, tmp_path: Path
) -> None:
    """Whoever left the page while the import ran finds the reason there, and the next upload takes it away."""
    with fresh_server.client() as client:
        made = str(client.post("/buildings", json={"name": "Nothing"}).raise_for_status().json()["id"])
        answer = client.post("/models", data={"building": made, "model": "plan"}, files={"file": ("plan.ifc", b"%PDF")})
        assert wait_for_job(client, answer.raise_for_status().json()["id"])["state"] == "failed"
        page.goto(f"{fresh_server.address}b/{made}/models")
        told = page.get_by_role("alert").filter(has_text="The last upload failed: plan.ifc")
        expect(told).to_contain_text("export IFC (STEP, .ifc)", timeout=SLOW)
        expect(told).to_contain_text("plan.ifc, byte 0")
        assert barriers(page) == []
        _fits_a_phone(page)
        whole = hostile.good(tmp_path / "plan.ifc")
        answer = client.post(
            "/models", data={"building": made, "model": "plan"}, files={"file": (whole.name, whole.read_bytes())}
        )
        assert wait_for_job(client, answer.raise_for_status().json()["id"])["state"] == "done"
        expect(page.get_by_text("plan.ifc", exact=True)).to_be_visible(timeout=SLOW)
        expect(told).to_have_count(0, timeout=SLOW)
