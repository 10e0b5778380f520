"""A year of readings in a real Chromium: drawn, zoomed, read out, taken along."""

import csv
import io
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.accessible import barriers
from tests.browser.test_app import SLOW, open_page, sign_in, width
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STEP = timedelta(minutes=5)
COUNT = 365 * 288
GAP = range(100 * 288, 115 * 288)  # numbers of readings that never came
SPIKE = 200 * 288 + 60  # number of the one that is far too high
LINE = (11, 107, 138)  # of the first point, light
# How many pixels of the line's colour each column of the plot has, and the highest of them.
COLUMNS = """(canvas, [r, g, b]) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const found = [];
  for (let x = 0; x < width; x++) {
    let count = 0, top = height;
    for (let y = 0; y < height; y++) {
      const i = (y * width + x) * 4;
      const near = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 60;
      if (near && data[i + 3] > 150) { count++; top = Math.min(top, y); }
    }
    found.push([count, top]);
  }
  return found;
}"""


def value_of(number: int) -> float:
    """What the seeded sensor says: a year's wave with a day's on it."""
    if number == SPIKE:
        return 60.0
    return round(15 + 10 * math.sin(2 * math.pi * number / COUNT) + 2 * math.sin(2 * math.pi * number / 288), 3)


class Year:
    """A building with a point of five-minute readings over a year, one of hours beside it."""

    def __init__(self, server: Server) -> None:
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        self.start = now - timedelta(minutes=now.minute % 5) - COUNT * STEP
        with server.client() as client:
            self.building = str(client.post("/buildings", json={"name": "Year"}).raise_for_status().json()["id"])
            for key, name, unit, interval in (
                ("year.t", "Roof temperature", "DEG_C", 300),
                ("year.p", "Chiller power", "KiloW", 3600),
            ):
                body = {"key": key, "name": name, "building": self.building, "kind": "number", "unit": unit}
                made = client.post("/points", json=body | {"expected_interval": interval, "sampling": "interpolate"})
                made.raise_for_status()
            came = [number for number in range(COUNT) if number not in GAP]
            for at in range(0, len(came), 10_000):
                self._send(client, [self.reading(number) for number in came[at : at + 10_000]])
            hours = [(self.start + hour * timedelta(hours=1), 40.0 + hour % 24) for hour in range(8760)]
            self._send(client, [{"point": "year.p", "ts": ts.isoformat(), "value": value} for ts, value in hours])

    @staticmethod
    def _send(client: object, readings: list[dict[str, object]]) -> None:
        answer = client.post("/readings", json={"readings": readings}).raise_for_status().json()  # type: ignore[attr-defined]
        assert answer["accepted"] == len(readings)

    def at(self, number: int) -> datetime:
        return self.start + number * STEP

    def reading(self, number: int) -> dict[str, object]:
        return {"point": "year.t", "ts": self.at(number).isoformat(), "value": value_of(number)}


@pytest.fixture(scope="module")
def year(fresh_server: Server) -> Year:
    return Year(fresh_server)


@pytest.fixture(scope="module")
def page(chromium: Browser, fresh_server: Server, year: Year) -> Iterator[Page]:
    contexts: list[BrowserContext] = []
    page, errors = open_page(
        chromium,
        contexts,
        locale="en-US",
        timezone_id="UTC",
        color_scheme="light",
        viewport={"width": 1280, "height": 800},
    )
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    yield page
    contexts[0].close()
    assert errors == []


def legend(page: Page, name: str) -> Locator:
    return page.locator(".trend-legend-item").filter(has_text=name).locator("b")


def move_to(page: Page, share: float) -> None:
    """The mouse to a share of the first plot's width."""
    plot, box = page.locator(".trend-plot .u-over").first, None
    for _ in range(20):  # a chart whose axes change is made anew: the one just found may be gone
        plot.wait_for()
        if box := plot.bounding_box():
            break
    assert box
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def shown_number(page: Page, name: str) -> float:
    return float(legend(page, name).inner_text().split()[0].replace("−", "-").replace(",", ""))


def test_a_year_is_drawn_with_its_gap_and_its_peak_zoomed_into_read_and_taken_along(
    page: Page, fresh_server: Server, year: Year
) -> None:
    page.goto(f"{fresh_server.address}b/{year.building}/trends")
    search = page.get_by_role("textbox", name="Search points")
    search.fill("roof")
    page.get_by_role("button", name="Draw Roof temperature").click()
    search.fill("chiller")
    page.get_by_text("Chiller power", exact=True).drag_to(page.get_by_text("Drop a point here for a chart of its own"))
    expect(page.get_by_test_id("chart-1")).to_be_visible()
    page.get_by_text("1 y", exact=True).click()
    expect(legend(page, "Roof temperature")).to_contain_text("°C")

    canvas = page.get_by_test_id("chart-0").locator("canvas")
    over = page.get_by_test_id("chart-0").locator(".u-over")
    left = over.evaluate("one => one.offsetLeft")
    wide = over.evaluate("one => one.clientWidth")

    def columns() -> list[tuple[int, int]]:
        found = canvas.evaluate(COLUMNS, list(LINE))
        return [(count, top) for count, top in found[left : left + wide]]

    page.wait_for_function(  # the day before is shown until the year has come
        f"([one, colour, least]) => ({COLUMNS})(one, colour).filter(([count]) => count > 0).length > least",
        arg=[canvas.element_handle(), list(LINE), 0.9 * wide],
        timeout=SLOW,
    )
    drawn = columns()
    day = wide / 365
    empty = [x for x, (count, _) in enumerate(drawn) if count == 0 and 4 < x < wide - 4]
    inside = [x for x in empty if 101 * day < x < 114 * day]
    assert len(inside) >= 10 * day, "nothing is drawn while nothing was said"
    assert len(empty) - len(inside) <= 4 * day, "and everywhere else there is a line"
    highest = {
        part: min(top for count, top in drawn[int(a * wide) : int(b * wide)] if count)
        for part, (a, b) in {"summer": (0.2, 0.27), "winter": (0.72, 0.78)}.items()
    }
    assert highest["summer"] < highest["winter"] - 30, "higher values stand higher"

    move_to(page, 0.25)
    expected = 15 + 10 * math.sin(2 * math.pi * 0.25)
    assert abs(shown_number(page, "Roof temperature") - expected) < 1.0, "a day's mean, the day's wave averaged out"
    expect(page.locator(".trend-legend-item").filter(has_text="Chiller power").locator("b")).to_contain_text("kW")
    move_to(page, 107 / 365)
    expect(legend(page, "Roof temperature")).to_have_text("–")

    _zoom_in(page, year)
    _back_and_live(page, fresh_server)
    _statistics_and_table(page)
    _files(page, year)
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("nav.tab-bar").wait_for()
    assert width(page) <= 390
    page.set_viewport_size({"width": 1280, "height": 800})


def _zoom_in(page: Page, year: Year) -> None:
    """A stretch is pulled up around the peak until single readings are drawn; the address carries it."""
    wanted = (year.at(SPIKE) - timedelta(hours=6), year.at(SPIKE) + timedelta(hours=6))
    shares = [
        1 + (at - datetime.now(UTC)) / timedelta(days=365)
        for at in (wanted[0] - timedelta(days=4), wanted[1] + timedelta(days=4))
    ]
    move_to(page, shares[0])
    page.mouse.down()
    move_to(page, shares[1])
    page.mouse.up()
    page.wait_for_url(re.compile(r"r=\d{8}T\d+-"))
    chart = page.get_by_test_id("chart-0").get_by_role("application")
    chart.focus()
    chart.press("End")
    for _ in range(4):
        chart.press("ArrowLeft")
    expect(page.locator(".sr-only[aria-live=polite]").first).to_contain_text("Roof temperature")
    before = page.url
    chart.press("Escape")
    chart.press("+")
    page.wait_for_url(lambda url: url != before)
    text = "{:%Y%m%dT%H%M}-{:%Y%m%dT%H%M}".format(*wanted)
    page.goto(re.sub(r"r=[^&]+", f"r={text}", page.url))
    expect(page.get_by_test_id("chart-0").locator(".trend-wait")).to_have_count(0, timeout=SLOW)
    move_to(page, 0.5)
    expect(legend(page, "Roof temperature")).to_have_text(f"{value_of(SPIKE):g} °C")
    assert abs(shown_number(page, "Chiller power") - 52) <= 24


def _back_and_live(page: Page, server: Server) -> None:
    """A step earlier with Shift and an arrow, back with Backspace; then the present, which goes on by itself."""
    chart = page.get_by_test_id("chart-0").get_by_role("application")
    first = page.url
    chart.focus()
    chart.press("Shift+ArrowLeft")
    page.wait_for_url(lambda url: url != first)
    chart.press("Backspace")
    page.wait_for_url(first)
    page.mouse.move(5, 5)
    page.get_by_text("1 h", exact=True).click()
    expect(page.locator(".trends-live")).to_be_visible()
    with server.client() as client:
        now = datetime.now(UTC).isoformat()
        client.post("/readings", json={"readings": [{"point": "year.t", "ts": now, "value": -3.5}]}).raise_for_status()
    expect(legend(page, "Roof temperature")).to_have_text("-3.5 °C", timeout=SLOW)


def _statistics_and_table(page: Page) -> None:
    page.get_by_text("1 y", exact=True).click()
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("menuitem", name="Statistics").click()
    page.get_by_role("menuitem", name="Values as a table").click()
    page.keyboard.press("Escape")
    row = page.locator(".trend-statistics").first.get_by_role("row").filter(has_text="Roof temperature")
    expect(row).to_contain_text("60", timeout=SLOW)
    expect(row).to_contain_text(re.compile("100,(79|80)"))  # readings: all but the gap
    expect(row.locator("svg[role=img]")).to_be_visible()
    table = page.get_by_role("table", name=re.compile("Roof temperature: mean"))
    expect(table.get_by_role("columnheader", name="Roof temperature (°C)")).to_be_visible()
    assert table.get_by_role("row").count() > 5


def _files(page: Page, year: Year) -> None:
    """What is shown as CSV, every reading of it; and as a picture."""
    for _ in range(2):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as wanted:
            page.get_by_role("menuitem", name="Picture (PNG)" if _ else "Readings as CSV").click()
        path = wanted.value.path()
        if _:
            data = path.read_bytes()
            assert data.startswith(b"\x89PNG") and int.from_bytes(data[16:20]) > 800 and len(data) > 20_000
        else:
            rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
            whole = 1 + COUNT - len(GAP) + 8760 + 1
            assert whole - 12 <= len(rows) <= whole, (
                "all readings, both points, and the live one; the oldest have gone by"
            )
            assert [float(row[2]) for row in rows if row[0] == "year.t" and float(row[2]) > 50] == [60.0], (
                "the peak as it came"
            )
            assert "readings-" in wanted.value.suggested_filename
