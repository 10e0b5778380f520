"""The past in a real Chromium: going there, playing, comparing two moments, taking a clip and pictures along; what is
open; and the example notebook, executed against the same server. The browser's clock is two hours slow meanwhile."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.accessible import barriers
from tests.browser.test_app import open_page, sign_in
from tests.browser.test_story import changed, shot
from tests.serving import Server, furnish

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 90_000  # ms; software OpenGL on two busy cores
CLIP = 900_000  # ms; each of its 48 pictures is drawn, read back and encoded without a graphics card
NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "temperatures.ipynb"
COLD, WARM = 18.0, 26.0  # degC: the day before yesterday, and from half an hour ago
SLOW_CLOCK = "{ const right = Date.now; Date.now = () => right() - 7_200_000; }"
# How long a film is, where it is after going to its middle, its size, and its first and last picture on a coarse grid.
PLAY = """async (data) => {
  const film = Object.assign(document.createElement("video"), { muted: true, src: "data:video/webm;base64," + data });
  await new Promise((done, failed) => { film.onloadeddata = done; film.onerror = () => failed(film.error.message); });
  const pen = new OffscreenCanvas(160, 100).getContext("2d");
  const at = async (moment) => {
    film.currentTime = moment;
    await new Promise((done) => (film.onseeked = done));
    pen.drawImage(film, 0, 0, 160, 100);
    return [...pen.getImageData(0, 0, 160, 90).data].filter((_, i) => i % 4 < 3);
  };
  const first = await at(0);
  await at(film.duration / 2);
  const middle = film.currentTime;
  return [film.duration, middle, film.videoWidth, film.videoHeight, first, await at(film.duration - 0.02)];
}"""

GRID = """async (data) => {
  const image = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([image]), { resizeWidth: 160, resizeHeight: 100 });
  const pen = new OffscreenCanvas(160, 100).getContext("2d");
  pen.drawImage(bitmap, 0, 0);
  return [...pen.getImageData(0, 0, 160, 90).data].filter((_, i) => i % 4 < 3);
}"""  # less the line below, which tells the time


class Past:
    """A building with a warm room, an alarm that came with the warmth, and a door that stands open."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.building = furnish(server, folder, "Riverside Tower", storeys=1, rooms=4)
        with server.client() as client:
            tree = client.get(f"/buildings/{self.building}/tree").json()
            self.storey = next(each for each in tree["storeys"] if (each["name"] or "").startswith("F01"))
            self.room = self.storey["spaces"][0]
            query = {"building": self.building, "ifc_class": "IfcDoor", "storey": self.storey["id"]}
            self.door = client.get("/elements", params=query).json()["items"][0]
            self._points(client)
            self.say(client, ("warm", timedelta(hours=30), COLD), ("warm", timedelta(minutes=30), WARM))
            self.say(client, ("door", timedelta(minutes=5), True))

    def _points(self, client: httpx.Client) -> None:
        room = {"kind": "number", "unit": "DEG_C", "element": self.room["id"], "quantity": "Temperature"}
        door = {"kind": "bool", "brick_class": "Contact_Sensor", "element": self.door["id"]}
        for key, given in (("warm", room), ("door", door)):
            body = {"key": key, "name": key, "building": self.building, "expected_interval": 36_000} | given
            client.post("/points", json=body).raise_for_status()
        rule = {"name": "Too warm", "point": "warm", "kind": "high", "limit": 25, "severity": "high"}
        client.post("/alarm-rules", json=rule).raise_for_status()

    @staticmethod
    def say(client: httpx.Client, *readings: tuple[str, timedelta, float | bool]) -> None:
        now = datetime.now(UTC)
        sent = [{"point": key, "ts": (now - ago).isoformat(), "value": value} for key, ago, value in readings]
        answer = client.post("/readings", json={"readings": sent}).raise_for_status().json()
        assert answer["accepted"] == len(readings), answer


@pytest.fixture(scope="module")
def past(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Past:
    return Past(fresh_server, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def page(chromium: Browser, fresh_server: Server, past: Past) -> Iterator[Page]:
    contexts: list[BrowserContext] = []
    page, errors = open_page(
        chromium, contexts, locale="en-US", color_scheme="light", reduced_motion="reduce",
        viewport={"width": 800, "height": 520},
    )  # fmt: skip
    expect.set_options(timeout=SLOW)
    page.add_init_script(SLOW_CLOCK)
    sign_in(page, fresh_server)
    page.get_by_test_id("scene").wait_for()
    page.evaluate("window.twin.ready")
    yield page
    contexts[0].close()
    assert errors == []


def grid(page: Page, png: bytes) -> list[int]:
    """A picture, decoded by the browser, on a coarse grid."""
    pixels: list[int] = page.evaluate(GRID, base64.b64encode(png).decode())
    return pixels


def take(page: Page, bar: Locator, kind: str, size: str) -> tuple[str, bytes]:
    """Choose what to take along; its name and what is in it."""
    bar.get_by_role("button", name="Take along").click()
    choice = page.get_by_role("group", name="Take along")
    choice.get_by_text(kind, exact=True).click()
    choice.get_by_text(size, exact=True).click()
    with page.expect_download(timeout=SLOW * 2 if kind == "Pictures" else CLIP) as download:
        choice.get_by_role("button", name="Take along").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def colour(page: Page) -> None:
    """Rooms by their temperature; it may be so already."""
    if not page.get_by_role("region", name="Legend").is_visible():
        page.get_by_role("button", name="Colour by value").click()
        page.get_by_role("menuitem", name=re.compile("Temperature °C")).first.dispatch_event("click")


def wait_for_frames(bar: Locator) -> None:
    expect(bar.get_by_role("button", name="Compare two moments")).to_be_enabled()


@pytest.mark.clause("6.4.3b")
def test_the_building_is_shown_as_it_was_and_back(page: Page, fresh_server: Server, past: Past) -> None:
    with fresh_server.client() as client:  # the socket tells the right time with it
        past.say(client, ("warm", timedelta(0), WARM))
    colour(page)
    label = page.locator(".marker-room", has_text="°C")  # only one has a value
    expect(label).to_contain_text("26 °C")
    expect(page.locator(".marker-storey")).to_contain_text("1")
    page.get_by_role("button", name="Timeline", exact=True).click()
    bar = page.get_by_role("region", name="Timeline")
    moment = bar.get_by_role("slider", name="Moment")
    end = float(moment.get_attribute("aria-valuemax") or "nan") / 1000
    assert abs(end - datetime.now(UTC).timestamp()) < 120, "the window ends by the server's clock"
    bar.get_by_role("combobox", name="Window").press("Enter")
    page.locator(".ant-select-item-option", has_text="1 hour").click()
    wait_for_frames(bar)
    moment.drag_to(bar.get_by_role("button", name="Earlier", exact=True))  # beyond the left end of the window
    expect(label).to_contain_text("18 °C")
    expect(bar).to_contain_text("0 alarms")
    expect(page.locator(".marker-storey")).to_have_count(0)
    bar.get_by_role("button", name=re.compile("^Go to: ")).first.click()
    expect(label).to_contain_text("26 °C")
    expect(bar).to_contain_text("1 alarm ")
    moment.press("Home")
    expect(label).to_contain_text("18 °C")
    bar.get_by_role("combobox", name="Speed").press("Enter")
    page.locator(".ant-select-item-option", has_text="10,000").click()
    bar.get_by_role("button", name="Play").click()
    expect(label).to_contain_text("26 °C")  # an hour in a third of a second: it ends by itself
    expect(bar.get_by_role("button", name="Play")).to_be_visible()
    bar.get_by_role("button", name="Back to now").click()
    expect(bar.get_by_role("button", name="Back to now")).to_have_count(0)
    expect(page.locator(".marker-storey")).to_contain_text("1")


@pytest.mark.clause("6.4.3b")
def test_two_moments_are_compared_and_the_time_between_is_taken_along(page: Page) -> None:
    """After the test above: the window of an hour is open, rooms are coloured."""
    bar = page.get_by_role("region", name="Timeline")
    bar.get_by_role("button", name="Compare two moments").click()
    expect(bar.get_by_role("slider", name="Earlier moment")).to_be_attached()
    expect(page.locator(".marker-room", has_text="18 → 26 °C")).to_be_attached()
    expect(bar).to_contain_text("0 alarms · 0 open orders → 1 alarm")
    line = page.get_by_role("slider", name="Line between both moments")
    line.press("Home")
    expect(line).to_have_attribute("aria-valuenow", "0")
    later = shot(page)
    line.press("End")
    expect(line).to_have_attribute("aria-valuenow", "100")
    earlier = shot(page)
    assert changed(later, earlier) > 20, "both sides of the line show the same moment"
    assert barriers(page, ".timeline") == []
    bar.get_by_text("Difference", exact=True).click()
    legend = page.get_by_role("region", name="Legend")
    expect(legend).to_contain_text("Change of Temperature")
    expect(legend).to_contain_text("+8")
    expect(line).to_have_count(0)
    bar.get_by_text("Side by side", exact=True).click()
    name, archive = take(page, bar, "Pictures", "12")
    assert name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(archive)) as pictures:
        assert pictures.testzip() is None
        names = pictures.namelist()
        assert len(names) == 12
        assert names == sorted(names)
        first, last = (grid(page, pictures.read(each)) for each in (names[0], names[-1]))
        assert changed(first, last) > 20, "time does not go on in them"
    bar.get_by_role("button", name="End comparing").click()


def check_clip(page: Page, bar: Locator) -> None:
    """A clip of two seconds is made, and any player plays it: here one of a page that is not ours."""
    name, film = take(page, bar, "Clip", "2 s")
    assert name.endswith(".webm")
    player = page.context.new_page()
    duration, middle, wide, high, first, last = player.evaluate(PLAY, base64.b64encode(film).decode())
    player.close()
    assert (duration, middle) == (pytest.approx(2, abs=0.05), pytest.approx(1, abs=0.05))
    scene = page.get_by_test_id("scene").bounding_box()
    assert scene
    assert abs(wide - scene["width"]) <= 2
    assert 0 < high - scene["height"] < 60, "the line below is part of it"
    assert changed(first, last) > 20, "time does not go on in it"


@pytest.mark.drill  # 96 pictures drawn by software
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("maker", ["encoder", "stills"])
def test_a_clip_of_the_time_between_plays(page: Page, maker: str) -> None:
    """With the browser's encoder; and without it, as on a page that has no https."""
    bar = page.get_by_role("region", name="Timeline")
    if maker == "stills":
        page.evaluate("delete window.VideoEncoder")
    wait_for_frames(bar)
    check_clip(page, bar)


@pytest.mark.clause("6.4.2b")
def test_a_storey_shows_what_stands_open(page: Page, past: Past) -> None:
    if (close := page.get_by_role("button", name="Close the timeline")).is_visible():
        close.click()
    page.locator(".marker-storey").dispatch_event("click")  # the alarm may lie over it in a picture this small
    door = page.locator(".marker-device.state-open")
    expect(door).to_have_attribute("title", f"{past.door['name']} · open", timeout=SLOW)


def test_the_example_notebook_runs_on_the_sample_building(fresh_server: Server, past: Past) -> None:
    with fresh_server.client() as client:  # what came late is in the notebook's coarse frames half a minute later
        past.say(client, ("warm", timedelta(0), WARM))
    run = subprocess.run(
        [sys.executable, "-m", "tests.browser.run_notebook", NOTEBOOK],
        env=os.environ | {"TWIN_SERVER": fresh_server.address, "TWIN_API_KEY": fresh_server.key},
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    notebook = json.loads(run.stdout)
    widgets = [kinds for kinds in notebook["shown"] if "application/vnd.jupyter.widget-view+json" in kinds]
    assert len(widgets) == 2, "the model, and the storey with its slider"
    assert f"{WARM:.1f} °C ({WARM - COLD:+.1f} in a day)" in notebook["said"]
    assert past.room["global_id"] in notebook["said"]
