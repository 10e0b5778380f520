"""A morning in the workspace: searching, choosing several, colouring, undoing, keeping, drawing, moving panels."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.api.odd_building import Odd
from tests.browser.accessible import barriers
from tests.serving import Server, upload

SLOW = 60_000  # ms; software OpenGL on two busy cores
expect.set_options(timeout=SLOW)


RATINGS = ("EI 30", "EI 60", "EI 30", None)  # of the doors


def write_house(path: Path) -> None:
    """Two rooms behind a wall with four doors, three of them with a fire rating. Small: drawing is the dear part."""
    house = Odd()
    building = house.root("IfcBuilding", "House")
    storey = house.root("IfcBuildingStorey", "Ground", ObjectPlacement=house.at(0.0, 0.0, 0.0), Elevation=0.0)
    house.inside(house.project, building)
    house.inside(building, storey)
    house.inside(storey, *(house.block("IfcSpace", f"Room {x}", (x, 0.2, 0, x + 4.8, 4, 2.6)) for x in (0, 5)))
    wall = house.block("IfcWall", "Wall", (0, 0, 0, 10, 0.2, 2.8))
    doors = [house.block("IfcDoor", f"Door {n}", (2.4 * n, 0, 0, 2.4 * n + 1, 0.2, 2.1)) for n in range(len(RATINGS))]
    house.contained(storey, wall, *doors)
    make = house.file.create_entity
    for door, rating in zip(doors, RATINGS, strict=True):
        if rating is not None:
            value = make("IfcPropertySingleValue", "FireRating", None, make("IfcLabel", rating))
            properties = house.root("IfcPropertySet", "Pset_DoorCommon", HasProperties=[value])
            house.root("IfcRelDefinesByProperties", "", RelatedObjects=[door], RelatingPropertyDefinition=properties)
    house.file.write(str(path))


@pytest.fixture(scope="module")
def building(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The house on the server, its first door measured; its id."""
    write_house(file := tmp_path_factory.mktemp("model") / "house.ifc")
    with fresh_server.client() as client:
        made = str(client.post("/buildings", json={"name": "House"}).raise_for_status().json()["id"])
        assert upload(client, file, "House")["state"] == "done"
        door = client.get(f"/buildings/{made}/search", params={"q": 'name:"Door 0"'}).json()["items"][0]
        point = {"key": "door", "name": "Door contact", "building": made, "kind": "number", "element": door["id"]}
        client.post("/points", json=point).raise_for_status()
    return made


@pytest.fixture
def view(chromium: Browser, fresh_server: Server, building: str) -> Page:
    """The 3D view of somebody who had put the tree on the right elsewhere."""
    context = chromium.new_context(viewport={"width": 960, "height": 520}, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    api = f"{fresh_server.address}api/v1/"
    login = {"name": "administrator", "password": fresh_server.password}
    assert context.request.post(f"{api}session", data=login).ok
    token = context.request.get(f"{api}session").json()["csrf_token"]
    kept = {"panels": {"building": "right"}, "group": "class", "right": {"size": 300}}
    assert context.request.put(f"{api}me/workspace", data=kept, headers={"X-CSRF-Token": token}).ok
    page.goto(f"{fresh_server.address}b/{building}")
    page.wait_for_function("() => window.twin")
    page.evaluate("() => window.twin.ready")
    return page


def complaints_of(page: Page) -> list[str]:
    """What the page's console complains of from now on; a query that cannot be read is a 422 on purpose."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "422" not in m.text else None)
    return errors


def menu(page: Page, opens: Locator, chosen: str) -> None:
    """Choose from the menu that a button opens."""
    opens.click()
    page.get_by_role("menuitem", name=chosen).click()


def command(page: Page, typed: str, found: str) -> None:
    """Run the first command of the palette that fits what is typed."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Commands").fill(typed)
    expect(page.get_by_role("option").first).to_contain_text(found)
    page.keyboard.press("Enter")


def keep(page: Page, name: str | None = None) -> None:
    """Save what the open dialog asks about."""
    if name is not None:
        page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def kept_layout(page: Page) -> Any:
    """Waits until the server is told how the panels stand."""
    return page.expect_response(lambda a: a.url.endswith("/me/workspace") and a.request.method == "PUT" and a.ok)


def test_what_is_found_is_chosen_coloured_kept_drawn_and_undone_and_panels_stay_where_they_were_put(
    view: Page, building: str
) -> None:
    page, errors = view, complaints_of(view)
    doors = len(RATINGS)

    # As it was left on another machine: the tree on the right, by class. A command puts the panels back.
    left, right = (page.get_by_role("region", name=f"On the {side}") for side in ("left", "right"))
    expect(right.get_by_role("treeitem").filter(has_text=re.compile(rf"^Doors{doors}$"))).to_be_visible()
    with kept_layout(page) as told:
        command(page, "panels as", "Panels as they were at first")
    assert told.value.request.post_data_json["panels"]["building"] == "left"
    expect(left.get_by_role("treeitem").filter(has_text=re.compile(rf"^Doors{doors}$"))).to_be_visible()

    search = page.get_by_role("combobox", name="Search", exact=True)
    search.fill("nmae:x")
    expect(page.get_by_role("status").filter(has_text="character 1")).to_contain_text("name")
    search.fill("class:Do")
    page.get_by_title("class:IfcDoor", exact=True).click()
    expect(page.get_by_test_id("found-count")).to_have_text(f"{doors} elements")

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

    # The measured door dragged to where charts are: the place shows itself, and the chart stays.
    rows = page.locator(".element-row")
    measured = rows.filter(has_text="Door 0")
    box = measured.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 30, steps=3)
    place = page.get_by_text("Drop points here for a chart")
    expect(place).to_be_visible()
    target = place.bounding_box()
    assert target is not None
    page.mouse.move(target["x"] + 20, target["y"] + 10, steps=3)
    with kept_layout(page) as told:
        page.mouse.up()
    assert list(told.value.request.post_data_json["charts"]) == [building]
    charts = page.get_by_role("complementary", name="Charts")
    expect(charts.get_by_test_id("chart-0")).to_contain_text("Door contact")
    charts.get_by_role("button", name="Remove all charts").click()
    expect(charts.get_by_test_id("chart-0")).to_have_count(0)
    # The same with keys alone: the row's menu.
    measured.get_by_role("button").first.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Fly there")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Add to chart")).to_be_focused()
    page.keyboard.press("Enter")
    expect(charts.get_by_test_id("chart-0")).to_contain_text("Door contact")
    assert barriers(page) == []
    menu(page, page.get_by_role("button", name="Move Charts to"), "Close Charts")

    # Several at once: chosen in the list, told together.
    rows.nth(0).get_by_role("button").first.click()
    rows.nth(2).get_by_role("button").first.click(modifiers=["Shift"])
    expect(page.get_by_test_id("chosen-count")).to_have_text("3 selected")
    details = page.get_by_role("complementary", name="Selected elements")
    expect(details.get_by_text("Doors", exact=True).first).to_be_visible()
    details.get_by_role("button", name="Save as a set").click()
    keep(page, "Three doors")

    # One door's fire rating is a colouring of all, kept from the legend and shared.
    rows.nth(0).get_by_role("button").first.click()
    page.get_by_role("tab", name="Properties").click()
    menu(page, right.get_by_role("button", name="More about FireRating"), "Colour by FireRating")
    legend = page.get_by_role("region", name="Legend").filter(has_text="FireRating")
    for rating, count in (("EI 30", 2), ("EI 60", 1)):
        expect(legend.get_by_role("button").filter(has_text=re.compile(rf"^{rating}{count}$"))).to_be_visible()
    legend.get_by_role("button", name="Save these rules").click()
    page.get_by_label("Share with all").check()
    keep(page)

    # Rules and a view are kept; a command finds them.
    page.get_by_text("Saved", exact=True).click()
    expect(page.locator(".saved-row").filter(has_text="Three doors")).to_be_visible()
    menu(page, page.get_by_role("button", name="More about Three doors"), "Search within it")
    expect(page.get_by_test_id("found-count")).to_have_text("3 elements")
    search.fill("-in:thr")
    page.get_by_title('-in:"Three doors"').click()
    page.keyboard.type(" class:Door")
    expect(page.get_by_test_id("found-count")).to_have_text("1 element")
    search.fill("")
    page.get_by_text("Saved", exact=True).click()
    expect(page.locator(".saved-row").filter(has_text="FireRating").get_by_label("Shared")).to_be_visible()
    page.get_by_role("button", name="Colouring rules").click()
    keep(page)
    expect(page.get_by_role("region", name="Legend")).to_contain_text("Fire rating missing")
    page.get_by_role("button", name="Save view").click()
    keep(page, "From the door")
    expect(page.locator(".saved-list img")).to_be_visible()
    menu(page, right.get_by_role("button", name="Move Details to"), "On the left")
    expect(left.get_by_role("button", name="Details", exact=True)).to_have_attribute("aria-pressed", "true")
    command(page, "firerating", "FireRating")
    expect(legend).to_be_visible()
    assert not errors


def test_a_resting_mouse_is_told_the_value_its_unit_and_the_last_day(
    view: Page, fresh_server: Server, building: str
) -> None:
    page, errors = view, complaints_of(view)
    with fresh_server.client() as client:
        wall = client.get(f"/buildings/{building}/search", params={"q": 'name:"Wall"'}).json()["items"][0]
        point = {
            "key": "wall",
            "name": "Wall temperature",
            "building": building,
            "kind": "number",
            "element": wall["id"],
        }
        client.post("/points", json={**point, "unit": "DEG_C"}).raise_for_status()

        def read(*values: float) -> None:
            now = datetime.now(UTC)
            rows = [
                {"ts": (now - timedelta(minutes=10 * i)).isoformat(), "value": value}
                for i, value in enumerate(reversed(values))
            ]
            answer = client.post("/readings", json={"readings": [{"point": "wall", **row} for row in rows]})
            assert answer.raise_for_status().json()["accepted"] == len(rows)

        read(*(18 + i / 10 for i in range(30)), 21.5)
        page.reload()
        page.wait_for_function("() => window.twin")
        page.evaluate("() => window.twin.ready")
        box = page.locator("canvas").first.bounding_box()
        assert box is not None
        grid = [(x * box["width"] / 40, y * box["height"] / 30) for x in range(1, 40) for y in range(1, 30)]
        picked = page.evaluate("grid => grid.map(([x, y]) => twin.scene.pick(x, y))", grid)
        hits = [at for at, found in zip(grid, picked, strict=True) if found == wall["global_id"]]
        x, y = (offset + at for offset, at in zip((box["x"], box["y"]), hits[len(hits) // 2], strict=True))
        page.mouse.move(x, y - 2)
        page.mouse.move(x, y)
        card = page.get_by_test_id("hover-card")
        expect(card).to_contain_text("21.5 °C")
        expect(card.locator("svg path")).to_have_attribute("d", re.compile(r"^M[\d.]+[ ,][\d.]+.*L"))
        read(23.25)
        expect(card).to_contain_text("23.25 °C")  # while the mouse stays
        page.mouse.move(5, 5)
        expect(card).to_have_count(0)
    assert errors == []
