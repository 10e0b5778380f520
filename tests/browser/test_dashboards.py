"""Dashboards in a real Chromium: made from what a building has, arranged by keys, live, on a wall."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser.accessible import barriers
from tests.browser.test_app import SLOW
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def send(client: httpx.Client, value: float, at: datetime) -> None:
    reading = {"point": "board.t", "ts": at.isoformat(), "value": value}
    told = client.post("/readings", json={"readings": [reading]}).raise_for_status().json()
    assert told["rejected"] == []


@pytest.fixture(scope="module")
def building(fresh_server: Server) -> str:
    """A building without a model, with a temperature that has spoken."""
    with fresh_server.client() as client:
        made = client.post("/buildings", json={"name": "Board"}).raise_for_status().json()["id"]
        point = {"key": "board.t", "name": "Hall", "building": made, "kind": "number", "unit": "DEG_C"}
        client.post("/points", json={**point, "brick_class": "Air_Temperature_Sensor"}).raise_for_status()
        send(client, 21.5, datetime.now(UTC) - timedelta(minutes=5))
    return str(made)


@pytest.fixture
def page(chromium: Browser, fresh_server: Server) -> Iterator[Page]:
    context = chromium.new_context(locale="en-US", reduced_motion="reduce", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    login = {"name": "administrator", "password": fresh_server.password}
    assert context.request.post(f"{fresh_server.address}api/v1/session", data=login).ok
    yield page
    context.close()


def test_a_dashboard_is_made_arranged_by_keys_followed_live_and_hung_on_the_wall(
    page: Page, fresh_server: Server, building: str, tmp_path: Path
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    listed = f"{fresh_server.address}b/{building}/dashboards"
    page.goto(listed)
    page.get_by_role("button", name="Make one from this building").click()
    value = page.get_by_test_id("widget-value")
    expect(value).to_contain_text("21.5°C", timeout=SLOW)

    grip = page.get_by_role("button", name="Move Hall", exact=True)
    before = value.bounding_box()
    grip.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    after = value.bounding_box()
    assert before is not None and after is not None
    assert after["x"] < before["x"] - before["width"] / 2 and after["width"] > before["width"] * 1.2
    expect(grip).to_be_focused(timeout=SLOW)
    expect(page.get_by_text("Column 7, row")).to_have_count(1, timeout=SLOW)
    page.get_by_role("button", name="Add widget").click()
    page.get_by_role("menuitem", name="Text").click()
    page.get_by_role("textbox", name="Text").fill("# Rota\n<b>not HTML</b> **bold** [x](javascript:alert(1))")
    text = page.get_by_test_id("widget-text")
    expect(text.get_by_role("heading", name="Rota")).to_be_visible(timeout=SLOW)
    expect(text).to_contain_text("<b>not HTML</b>", timeout=SLOW)
    assert text.locator("a").count() == 0
    page.get_by_text("Shared", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible(timeout=SLOW)
    assert barriers(page) == []

    one = page.url.rsplit("/", 1)[1]
    saved = page.context.request.get(f"{fresh_server.address}api/v1/dashboards/{one}").json()["layout"]["widgets"]
    kept = {each["kind"]: each for each in saved}
    assert (kept["value"]["x"], kept["value"]["w"]) == (6, 4)
    with fresh_server.client() as client:
        send(client, 23.25, datetime.now(UTC))
        expect(value).to_contain_text("23.25°C", timeout=SLOW)

        page.goto(listed)
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save Board as a file").click()
        file = tmp_path / "board.json"
        saving.value.save_as(file)
        assert json.loads(file.read_text("utf-8"))["layout"]["widgets"] == saved
        page.get_by_label("From a file").set_input_files(file)
        expect(page.get_by_role("textbox", name="Name")).to_have_value("Board (2)", timeout=SLOW)

        sockets: list[WebSocketRoute] = []

        def connect(socket: WebSocketRoute) -> None:
            socket.connect_to_server()
            sockets.append(socket)

        page.route_web_socket("**/live", connect)
        page.goto(f"{listed}/wall?show={one}&every=5")
        wall = page.get_by_test_id("wall")
        expect(wall.get_by_test_id("widget-value")).to_contain_text("23.25°C", timeout=SLOW)
        assert page.evaluate("""() => {
          const { width, height } = document.querySelector(".db-wall").getBoundingClientRect();
          const widgets = [...document.querySelectorAll(".db-widget")];
          const low = Math.max(...widgets.map(one => one.getBoundingClientRect().bottom));
          return width === innerWidth && height === innerHeight && low <= innerHeight;
        }"""), "nothing but the dashboard, and all of it"
        assert barriers(page, "[data-testid=wall]") == []
        page.route_web_socket("**/live", lambda socket: socket.close())
        sockets[-1].close()
        expect(wall.get_by_role("alert")).to_contain_text("No connection to the server since", timeout=SLOW)
        page.route_web_socket("**/live", connect)
        expect(wall.get_by_role("alert")).to_have_count(0, timeout=SLOW)
        client.post("/points/board.t/retire").raise_for_status()
        page.reload()
        expect(wall.get_by_test_id("widget-value")).to_contain_text("Retired", timeout=SLOW)
    page.keyboard.press("Escape")
    page.wait_for_url(listed)
    open_a_screen(page)
    assert errors == []


def open_a_screen(page: Page) -> None:
    """A link that is shown once makes another browser a screen, where nobody ever signed in."""
    page.get_by_role("button", name="On the wall").click()
    dialog = page.get_by_role("dialog", name="On the wall")
    make = dialog.get_by_role("button", name="Make a link for a screen")
    expect(make).to_be_disabled(timeout=SLOW)  # one of both is not shared
    dialog.get_by_role("checkbox", name="Board (2)").uncheck()
    make.click()
    link = page.get_by_test_id("secret").inner_text()
    assert page.context.browser
    screen = page.context.browser.new_context(locale="en-US").new_page()
    asked: list[str] = []
    screen.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer')}"))
    screen.goto(link)
    expect(screen.get_by_test_id("wall").get_by_test_id("widget-value")).to_contain_text("Retired", timeout=SLOW)
    key = link.partition("#")[2]
    assert key.startswith("twin_") and key not in screen.url
    assert not any(key in each for each in asked), "the key is in no address that is asked for, nor told to the next"
    screen.reload()
    expect(screen.get_by_test_id("wall").get_by_test_id("widget-value")).to_contain_text("Retired", timeout=SLOW)
    screen.context.close()


def test_a_screen_on_the_wall_opens_by_its_link_alone_and_says_so_when_its_key_is_withdrawn(
    chromium: Browser, fresh_server: Server, building: str
) -> None:
    with fresh_server.client() as client:
        widget = {"kind": "value", "id": "v", "x": 0, "y": 0, "w": 6, "h": 4, "title": "", "point": "board.t"}
        board = {"name": "Wall", "shared": True, "layout": {"widgets": [{**widget, "low": None, "high": None}]}}
        shown = client.post(f"/buildings/{building}/dashboards", json=board).raise_for_status().json()["id"]
        reads = ["building.read", "model.read", "point.read", "reading.read", "alarm.read", "work_order.read"]
        key = {"name": "Wall screen", "role": "owner", "buildings": [building], "scopes": reads}
        made = client.post("/api-keys", json=key).raise_for_status().json()
        context = chromium.new_context(locale="en-US", reduced_motion="reduce")
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.goto(f"{fresh_server.address}display?building={building}&show={shown}#{made['secret']}")
        expect(page.get_by_test_id("widget-value")).to_contain_text("°C", timeout=SLOW)
        assert made["secret"] not in page.url
        page.reload()  # after a power cut
        expect(page.get_by_test_id("widget-value")).to_contain_text("°C", timeout=SLOW)
        client.delete(f"/api-keys/{made['key']['id']}").raise_for_status()
        told = page.get_by_role("dialog", name="This screen was turned off")
        expect(told).to_be_visible(timeout=SLOW)
        assert page.get_by_label("Password").count() == 0  # nobody before it has one
        assert barriers(page) == []
        address = page.url
        page.wait_for_timeout(2000)
        assert page.url == address  # it does not go round in circles
        expect(told).to_be_visible()
        context.close()
