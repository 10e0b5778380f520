"""The spatial graph in a real Chromium: rooms, what feeds what, routes, values of rooms, plans."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_story import changed, shot
from tests.serving import Server, furnish, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

SLOW = 90_000  # ms; software OpenGL on two busy cores


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small tower: two storeys, pipes with ports, rooms with doors, stairs."""
    folder: Path = tmp_path_factory.mktemp("spatial")
    with serving(folder / "data", None, TWIN_DATABASE_DURABLE="false") as server:
        furnish(server, folder, "Tower", storeys=2, rooms=6)
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """A signed-in page without motion: what it shows does not depend on the speed of the machine."""
    context = chromium.new_context(viewport={"width": 1000, "height": 640}, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    expect.set_options(timeout=SLOW)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.address)
    page.locator("input[autocomplete=username]").fill("administrator")
    page.locator("input[type=password]").fill(server.password)
    page.locator("button[type=submit]").click()
    page.get_by_test_id("scene").wait_for()
    yield page
    context.close()
    assert errors == []


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={"building": "Tower", "limit": 1000, **query})
    return list(answer.raise_for_status().json()["items"])


def open_scene(page: Page, server: Server, client: httpx.Client, query: str) -> None:
    """The 3D view at an address, with all of its tiles."""
    building = client.get("/buildings/Tower").raise_for_status().json()["id"]
    page.goto(f"{server.address}b/{building}?{query}")
    page.get_by_test_id("scene").wait_for()
    page.wait_for_function("window.twin")
    page.evaluate("window.twin.ready")


@pytest.mark.clause("6.4.2b")
def test_a_room_shows_its_size_its_ways_out_and_its_neighbours(
    page: Page, server: Server, client: httpx.Client
) -> None:
    rooms = items(client, "/elements", ifc_class="IfcSpace")
    details = [client.get(f"/spaces/{room['id']}").raise_for_status().json() for room in rooms]
    room = next(each for each in details if len(each["neighbours"]) >= 2 and each["doors"])
    open_scene(page, server, client, f"element={room['id']}")
    expect(page.get_by_text("Floor area")).to_be_visible()
    expect(page.get_by_text("Neighbour").or_(page.get_by_text("Next to it")).first).to_be_visible()
    before = shot(page)
    page.get_by_role("button", name="Show neighbours").click()
    expect(page.get_by_role("button", name="Neighbours shown")).to_be_visible()
    expect(page.locator(".marker-spatial.is-room").first).to_be_visible()
    assert changed(before, shot(page)) > 100, "the neighbours are not seen in the picture"
    neighbour = room["neighbours"][0]
    page.locator(".own .line-button", has_text=neighbour["name"]).first.click()
    expect(page.locator(".inspector-title h2")).to_contain_text(neighbour["name"].split()[0])


@pytest.mark.clause("6.4.3b", "6.1.4d")
def test_what_a_pump_feeds_and_what_its_outage_touches_is_drawn_and_listed(
    page: Page, server: Server, client: httpx.Client
) -> None:
    answers = {
        pump["global_id"]: client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()
        for pump in items(client, "/elements", ifc_class="IfcPump")
    }
    pump, affected = max(answers.items(), key=lambda each: len(each[1]["equipment"]))
    assert affected["equipment"] and affected["rooms"], "the sample's pumps feed nothing"
    open_scene(page, server, client, f"downstream={pump}")
    expect(page.get_by_test_id("reached")).to_contain_text(str(len(affected["equipment"])))
    draws = page.evaluate("window.twin.scene.stats().drawCalls")
    page.get_by_text("Affected", exact=True).click()
    expect(page.get_by_test_id("affected-rooms")).to_contain_text(str(len(affected["rooms"])))
    expect(page.locator(".marker-spatial.is-start")).to_be_visible()
    assert f"affected={pump}" in page.url.replace("%24", "$")
    assert page.evaluate("window.twin.scene.stats().drawCalls") <= draws + 40, "flow must stay one draw"
    page.locator(".spatial-list .element-row").first.click()
    expect(page.locator(".spatial-list .element-row.is-selected")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".spatial-panel")).to_have_count(0)


@pytest.mark.clause("8.4.9b-2")
def test_a_route_leads_over_storeys_and_one_walks_along_it(page: Page, server: Server, client: httpx.Client) -> None:
    tree = client.get("/buildings/Tower/tree").raise_for_status().json()
    storeys = [storey for storey in tree["storeys"] if storey["id"] and storey["spaces"]]
    start, end = storeys[0]["spaces"][0], storeys[-1]["spaces"][-1]
    expected = client.get("/route", params={"from": start["id"], "to": end["id"]}).raise_for_status().json()
    open_scene(page, server, client, f"route={end['global_id']}&from={start['global_id']}")
    expect(page.get_by_test_id("route-length")).to_contain_text(str(round(expected["length"])))
    steps = page.locator(".route-steps li")
    assert steps.count() >= len(expected["doors"])
    overview = shot(page)
    page.get_by_label("Next step").click()
    expect(page.locator(".route-steps [aria-current=step]")).to_have_count(1)
    assert changed(overview, shot(page)) > 300, "the camera did not go to the step"
    page.get_by_role("slider", name="Position on the route").press("End")
    expect(page.locator(".route-steps [aria-current=step]")).to_have_count(1)
    page.get_by_label("Whole route").click()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Step-free").click()
    expect(page).to_have_url(re.compile("step_free=1"))
    page.get_by_label("Close", exact=True).first.click()
    expect(page).not_to_have_url(re.compile("route="))


@pytest.mark.clause("7.7.1a-2", "8.4.9b-2")
def test_orders_become_a_short_round_and_one_goes_to_who_is_nearest(
    page: Page, server: Server, client: httpx.Client
) -> None:
    tree = client.get("/buildings/Tower/tree").raise_for_status().json()
    storeys = [storey for storey in tree["storeys"] if storey["id"] and storey["spaces"]]
    start, far = storeys[0]["spaces"][0], storeys[-1]["spaces"][-1]
    near = next(
        each
        for each in storeys[0]["spaces"][1:]  # some are closed: a shaft has no door
        if client.get("/route", params={"from": start["id"], "to": each["id"]}).status_code == 200
    )
    orders = [
        client.post("/work-orders", json={"building": "Tower", "title": title, "element": room and room["id"]})
        .raise_for_status()
        .json()
        for title, room in (("Upstairs", far), ("Next door", near), ("Somewhere", None))
    ]
    page.goto(f"{server.address}b/{orders[0]['building_id']}/orders")
    page.get_by_role("button", name="Round trip").click()
    expect(page.get_by_role("checkbox", name=re.compile("Somewhere"))).to_be_disabled()
    for order in orders[:2]:
        page.get_by_role("checkbox", name=re.compile(order["title"])).click()
    page.get_by_role("button", name="Find the round").click()
    expect(page.get_by_text("Where do you start?")).to_be_visible()
    page.get_by_label("From", exact=True).fill(start["name"])
    page.get_by_role("option").or_(page.locator(".place-option")).filter(has_text=start["name"]).first.click()
    asked = {"start": start["id"], "stops": [order["element_id"] for order in orders[:2]]}
    expected = client.post("/buildings/Tower/round", json=asked).raise_for_status().json()
    expect(page.get_by_test_id("route-length")).to_contain_text(str(round(expected["length"])))
    visited = [next(each for each in orders if each["element_id"] == stop)["title"] for stop in expected["stops"]]
    assert page.locator(".route-stage-head b").all_inner_texts() == visited
    expect(page.locator(".marker-spatial.is-stop")).to_have_count(2)
    page.locator(".route-stage-head [aria-expanded]").last.click()
    expect(page.locator(".route-stage.is-now")).to_contain_text(visited[-1])
    expect(page.locator(".route-stage.is-now ol li").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Leave out")).first.click()
    expect(page.locator(".route-stage")).to_have_count(1)

    _crew_is_nearest(page, server, client, orders, near)


def _crew_is_nearest(
    page: Page, server: Server, client: httpx.Client, orders: list[dict[str, Any]], near: dict[str, Any]
) -> None:
    """Nobody is anywhere until somebody starts an order; then that is who is nearest, and gets the next one."""
    page.goto(f"{server.address}b/{orders[0]['building_id']}/orders/{orders[0]['id']}")
    page.get_by_role("button", name="Who is nearest?").click()
    expect(page.get_by_text("Nobody was seen at work here")).to_be_visible()
    password = "Tower-crew-9-lamp"
    account = {"name": "li.wei", "display_name": "Li Wei", "password": password, "roles": ["crew"]}
    client.post("/accounts", json=account).raise_for_status()
    client.post(f"/work-orders/{orders[1]['id']}/assign", json={"assignee": "li.wei"}).raise_for_status()
    with httpx.Client(base_url=server.api, timeout=60) as crew:
        login = crew.post("/session", json={"name": "li.wei", "password": password}).raise_for_status().json()
        csrf = {"x-csrf-token": login["csrf_token"]}
        crew.post(f"/work-orders/{orders[1]['id']}/start", headers=csrf).raise_for_status()
    page.get_by_text("24 h", exact=True).click()
    member = page.locator(".crew li")
    expect(member).to_contain_text("Li Wei")
    expect(member).to_contain_text(near["name"])
    expect(member).to_contain_text("at work")
    member.get_by_role("button", name="Assign to Li Wei").click()
    expect(page.locator(".crew")).to_have_count(0)
    assert client.get(f"/work-orders/{orders[0]['id']}").raise_for_status().json()["assignee"] == "li.wei"


@pytest.mark.clause("6.1.4c")
def test_rooms_take_the_colour_of_their_values_and_a_plan_chooses_what_3d_shows(
    page: Page, server: Server, client: httpx.Client
) -> None:
    tree = client.get("/buildings/Tower/tree").raise_for_status().json()
    storey = next(each for each in tree["storeys"] if each["id"] and len(each["spaces"]) >= 3)
    for i, room in enumerate(storey["spaces"][:3]):
        body = {"key": f"t{i}", "name": f"T {i}", "building": "Tower", "kind": "number", "unit": "DEG_C"}
        body |= {"element": room["id"], "quantity": "ThermodynamicTemperature"}
        client.post("/points", json=body).raise_for_status()
    now = datetime.now(UTC).isoformat()
    readings = [{"point": f"t{i}", "ts": now, "value": value} for i, value in enumerate((17.0, 29.0))]
    client.post("/readings", json={"readings": readings}).raise_for_status()
    open_scene(page, server, client, f"element={storey['spaces'][0]['id']}")
    before = shot(page)
    page.get_by_label("Colour by value").click()
    page.get_by_role("menuitem").filter(has_text="°C").first.dispatch_event("click")
    expect(page.get_by_test_id("heat-count")).to_contain_text("2 coloured")
    expect(page.get_by_test_id("heat-count")).to_contain_text("without a value")
    page.get_by_text("Classes", exact=True).click()
    expect(page.locator(".legend-classes span")).to_have_count(6)
    assert changed(before, shot(page)) > 100, "no room changed its colour"
    page.get_by_label("Storey plan").click()
    drawing = page.get_by_test_id("plan")
    drawing.locator("path.room[data-global-id]").first.wait_for()
    chosen = drawing.evaluate(BARE_ROOM)
    page.mouse.click(chosen["x"], chosen["y"])
    expect(drawing.locator(".is-chosen").first).to_be_attached()
    name = client.get(f"/elements/{chosen['id']}", params={"building": "Tower"}).raise_for_status().json()["name"]
    expect(page.locator(".inspector-title h2")).to_contain_text(name)


# A room of the plan in whose middle nothing stands: its GlobalId, and where on the page that is.
BARE_ROOM = """plan => {
    const top = [plan, ...plan.querySelectorAll("*")].map(one => one.shadowRoot).find(Boolean) ?? document;
    for (const room of top.querySelectorAll("path.room[data-global-id]")) {
        const box = room.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
        if (top.elementFromPoint(x, y) === room) return { id: room.dataset.globalId, x, y };
    }
    throw new Error("something stands in the middle of every room");
}"""


def choose_tool(page: Page, name: str) -> None:
    page.get_by_role("button", name="Measure, cut, walk").click()
    page.get_by_role("menuitem", name=name).first.click()


@pytest.mark.clause("6.4.3b")
def test_one_measures_cuts_the_building_open_and_shares_the_view(
    page: Page, server: Server, client: httpx.Client
) -> None:
    room = items(client, "/elements", ifc_class="IfcSpace")[0]
    open_scene(page, server, client, f"element={room['id']}")
    title = page.locator(".inspector-title h2").inner_text()
    box = page.get_by_test_id("scene").bounding_box()
    assert box
    choose_tool(page, "Distance")
    for share in (0.45, 0.55):
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5)
    expect(page.locator(".measure-list li b")).to_have_text(re.compile(r"^\d+\.\d{3} m$"))
    expect(page.locator(".inspector-title h2")).to_have_text(title)  # the clicks were the tool's
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="End the tool")).to_have_count(0)
    before = shot(page)
    choose_tool(page, "Box around the selected one")
    top = page.get_by_role("slider", name="Upper face")
    height = float(top.get_attribute("aria-valuenow") or "nan")
    top.press("Shift+ArrowDown")
    expect(top).to_have_attribute("aria-valuenow", f"{height - 1:.2f}")
    assert changed(before, shot(page)) > 300, "the section cuts nothing"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_tool(page, "Copy a link to this view")
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".inspector-title h2")).to_have_text(title)
    expect(page.get_by_role("slider", name="Upper face")).to_have_attribute("aria-valuenow", f"{height - 1:.2f}")
    page.get_by_role("button", name="End the section").click()
    expect(page.get_by_role("slider", name="Upper face")).to_have_count(0)
