"""The pages of telemetry in a real Chromium, one after the other, and what each step did, asked of the API."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.accessible import barriers
from tests.browser.test_app import SLOW, open_page, sign_in, width
from tests.serving import Server, furnish

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STEP = timedelta(minutes=5)
LIVE = 30  # readings of the point that is worked with, up to now
OLD = 48  # readings in the file, of 60 days ago
REFUSED = 62  # more than one page


class Plant:
    """A house with rooms that nothing measures yet, a few points, and readings that were refused."""

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self.server, self.client = server, client
        self.building = str(self.get("/buildings")["items"][0]["id"])
        moment = datetime.now(UTC).replace(second=0, microsecond=0)
        self.now = moment - timedelta(minutes=moment.minute % 5)  # on the steps of what is worked out
        rooms = self.get("/elements", building=self.building, ifc_class="IfcSpace", limit=100)["items"]
        self.rooms = sorted(
            {room["name"]: room for room in rooms if room["name"]}.values(), key=lambda one: one["name"]
        )
        for room in self.rooms[:5]:
            self._point(
                f"BMS/{room['name']}/ZN-T", f"{room['name']} zone temp", brick_class="Zone_Air_Temperature_Sensor"
            )
        self._point("wiz.live", "Boiler flow")
        self._point("wiz.file", "Boiler return", brick_class="Hot_Water_Return_Temperature_Sensor")
        live = [("wiz.live", self.now - STEP * n, 40.0 + n) for n in range(LIVE)]
        refused = [("gw.unknown", self.now - timedelta(days=1) - STEP * n, float(n)) for n in range(REFUSED)]
        readings = [{"point": key, "ts": ts.isoformat(), "value": value} for key, ts, value in live + refused]
        answer = client.post("/readings", json={"readings": readings}).raise_for_status().json()
        assert (answer["accepted"], len(answer["rejected"])) == (LIVE, REFUSED)

    def _point(self, key: str, name: str, **more: str) -> None:
        body = {"key": key, "name": name, "building": self.building, "kind": "number", "unit": "DEG_C"}
        self.client.post("/points", json=body | {"expected_interval": 300} | more).raise_for_status()

    def get(self, path: str, **query: object) -> Any:
        return self.client.get(path, params=query).raise_for_status().json()  # type: ignore[arg-type]

    def values(self, point: str, **query: object) -> list[float]:
        return [one["value"] for one in self.get(f"/points/{point}/readings", limit=1000, **query)["items"]]

    def url(self, page: str) -> str:
        return f"{self.server.address}b/{self.building}/telemetry/{page}"


@pytest.fixture(scope="module")
def plant(fresh_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    furnish(fresh_server, tmp_path_factory.mktemp("model"), "House", storeys=1, rooms=8)
    with fresh_server.client() as client:
        yield Plant(fresh_server, client)


@pytest.fixture(scope="module")
def page(chromium: Browser, fresh_server: Server, plant: Plant) -> Iterator[Page]:
    contexts: list[BrowserContext] = []
    page, errors = open_page(
        chromium, contexts, locale="en-US", timezone_id="UTC", color_scheme="light", reduced_motion="reduce",
        viewport={"width": 1280, "height": 800},
    )  # fmt: skip
    sign_in(page, fresh_server)
    page.get_by_role("navigation").wait_for()
    yield page
    contexts[0].close()
    refused = [error for error in errors if "the server responded with a status of 4" in error]
    assert [error for error in errors if error not in refused] == []
    assert len(refused) <= 2, "the expression that was not finished, and the answer to it"


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """What a page shows after an answer takes as long as the machine is busy."""
    expect.set_options(timeout=SLOW)
    yield
    expect.set_options(timeout=5_000)


def choose(page: Page, field: Locator, typed: str, option: str) -> None:
    """Type into a field with a list, and take an option of it."""
    field.focus()
    if typed:
        field.fill(typed)
    else:
        field.press("ArrowDown")
    page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option").filter(
        has_text=option
    ).first.click()


def test_suggestions_show_where_and_are_confirmed_one_by_one_and_in_bulk(page: Page, plant: Plant) -> None:
    suggested = plant.get("/points/suggestions", building=plant.building, limit=200)["items"]
    rooms = [one for one in suggested if one["point"]["key"].startswith("BMS/")]
    best = {one["point"]["key"]: one["candidates"][0] for one in rooms}
    assert len(best) == 5 and all(one["assigned"] and one["score"] > 0.5 for one in best.values())

    page.goto(plant.url("suggestions"))
    rows = page.locator(".suggestion")
    expect(rows.first).to_be_visible(timeout=SLOW)
    one, dropped, *others = best
    row = rows.filter(has_text=one)
    row.get_by_role("button", name="Show ").first.click()
    plan = page.get_by_test_id("place-map")
    expect(plan.locator("g[data-ring]")).to_have_count(1)
    link = page.locator(".place-map").get_by_role("link", name="Show in 3D")
    assert str(link.get_attribute("href")).endswith(f"?element={best[one]['element']['id']}")
    near = plan.locator("svg").first.get_attribute("viewBox")
    page.get_by_role("button", name="Whole storey").click()
    whole = plan.locator("svg").first.get_attribute("viewBox")
    assert near and whole and float(near.split()[2]) < float(whole.split()[2]), "it was seen from near"
    assert barriers(page) == []

    row.get_by_role("button", name="Bind", exact=True).first.click()
    expect(row).to_have_count(0)
    assert plant.get(f"/points/{_id(rooms, one)}")["element"]["id"] == best[one]["element"]["id"]

    turned_down = rows.filter(has_text=dropped)
    turned_down.get_by_role("button", name="Not ").first.click()
    expect(turned_down.locator(".suggestion-candidate b").first).not_to_have_text(best[dropped]["element"]["name"])
    again = plant.get("/points/suggestions", building=plant.building, point=dropped)["items"]
    assert best[dropped]["element"]["id"] not in [c["element"]["id"] for i in again for c in i["candidates"]]

    for key in others:
        rows.filter(has_text=key).get_by_role("checkbox").first.check()
    page.get_by_role("button", name=f"Bind {len(others)} points").click()
    expect(page.get_by_text(f"{len(others)} points bound")).to_be_visible()
    for key in others:
        assert plant.get(f"/points/{_id(rooms, key)}")["element"]["id"] == best[key]["element"]["id"]


def _id(items: list[dict[str, Any]], key: str) -> str:
    return next(str(one["point"]["id"]) for one in items if one["point"]["key"] == key)


def test_a_file_is_looked_at_mapped_and_imported(page: Page, plant: Plant, tmp_path: Path) -> None:
    start = (plant.now - timedelta(days=60)).replace(minute=0)
    file = tmp_path / "boiler.csv"
    lines = [f"{start + STEP * n:%Y-%m-%d %H:%M};{60 + n / 10:.1f};x" for n in range(OLD)]
    file.write_text("Zeit;Kanal 1;Kanal 2\n" + "\n".join(lines), "utf-8")
    page.goto(plant.url("sources"))
    page.get_by_role("button", name="Import readings").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_role("cell", name="60.1")).to_be_visible(timeout=SLOW)
    dialog.get_by_text("One column per point").click()
    choose(
        page,
        dialog.locator(".mapping-columns > div").filter(has_text="Kanal 1").get_by_role("combobox"),
        "wiz.file",
        "wiz.file",
    )
    choose(page, dialog.get_by_label("Time zone of times without one"), "UTC", "UTC")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Start import").click()
    stored = dialog.locator(".report-numbers > div").filter(has_text="Stored")
    expect(stored).to_contain_text(str(OLD))
    expect(dialog.locator(".ant-progress-status-success")).to_be_visible(timeout=SLOW)
    dialog.get_by_role("button", name="Close").last.click()
    values = plant.values("wiz.file", **{"from": start.isoformat(), "to": (start + STEP * OLD).isoformat()})
    assert values == [60 + n / 10 for n in range(OLD)]


def test_a_broker_with_foreign_messages_and_a_certificate_is_added_and_switched_off(page: Page, plant: Plant) -> None:
    page.goto(plant.url("sources"))
    page.get_by_role("button", name="Add source").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Garage LoRa")
    dialog.get_by_label("Address").fill("mqtts://user:secret@127.0.0.1:1")
    dialog.get_by_label("User name").fill("twin")
    dialog.get_by_label("Password").fill("not-told")
    choose(page, dialog.get_by_label("Messages", exact=True), "", "ChirpStack")
    dialog.get_by_label("Topics").fill("application/{app}/device/{device}/event/up")
    dialog.get_by_label("Key of the point").fill("{device}.{metric}")
    dialog.get_by_text("Version, sharing, certificates").click()
    dialog.get_by_label("CA certificates (PEM)").fill("no certificate")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("without name and password")).to_be_visible()
    dialog.get_by_label("Address").fill("mqtts://127.0.0.1:1")
    assert barriers(page) == []
    dialog.get_by_label("CA certificates (PEM)").fill("")
    dialog.get_by_label("Shared subscription").fill("twins")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    (made,) = [one for one in plant.get("/sources")["items"] if one["name"] == "Garage LoRa"]
    settings = made["settings"]
    assert (settings["url"], settings["username"], settings["share"]) == ("mqtts://127.0.0.1:1", "twin", "twins")
    assert settings["messages"] == {
        "format": "chirpstack", "topic": "application/{app}/device/{device}/event/up", "key": "{device}.{metric}",
    }  # fmt: skip
    assert "not-told" not in str(made)

    page.get_by_role("button", name="Garage LoRa").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("switch", name="Enabled").click()
    expect(dialog.get_by_role("switch", name="Enabled")).not_to_be_checked()
    expect(dialog.get_by_text("Off", exact=True)).to_be_visible()
    assert plant.get(f"/sources/{made['id']}")["enabled"] is False
    dialog.get_by_label("Expected interval").fill("20")
    dialog.get_by_role("button", name="Save").first.click()
    expect(dialog.get_by_role("switch", name=re.compile("Tell people.*1 h"))).to_be_visible()
    assert plant.get(f"/sources/{made['id']}")["expected_interval"] == 1200
    page.keyboard.press("Escape")


def test_a_policy_says_what_it_would_remove_before_it_is_saved(page: Page, plant: Plant) -> None:
    page.goto(plant.url("history"))
    page.get_by_role("tab", name="Retention policies").click()
    page.get_by_role("button", name="New retention policy").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Boilers")
    dialog.get_by_label("Brick class").fill("Hot_Water_Return_Temperature_Sensor")
    dialog.get_by_label("Readings", exact=True).fill("30")
    dialog.get_by_role("button", name="What would it remove?").click()
    expect(dialog.get_by_role("status")).to_contain_text(f"would remove {OLD} readings")
    expect(dialog.get_by_role("status")).to_contain_text("of 1 points")
    assert barriers(page) == []
    assert plant.get("/history/policies")["items"] == [], "looking saves nothing"
    dialog.get_by_label("Readings", exact=True).fill("90")
    expect(dialog.get_by_role("status")).to_have_count(0)
    dialog.get_by_role("button", name="What would it remove?").click()
    expect(dialog.get_by_role("status")).to_contain_text("nothing would be removed now")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="Boilers")).to_contain_text("90 days")
    (policy,) = plant.get("/history/policies")["items"]
    assert (policy["points"], policy["match"]["brick_class"]) == (1, "Hot_Water_Return_Temperature_Sensor")


def test_a_derived_point_is_seen_while_it_is_written_and_then_has_values(page: Page, plant: Plant) -> None:
    page.goto(plant.url("derived"))
    page.get_by_role("button", name="New derived point").click()
    dialog = page.get_by_role("dialog")
    choose(page, dialog.get_by_role("combobox", name="Search points"), "wiz.live", "wiz.live")
    dialog.get_by_role("textbox", name="Expression").fill("a * ")
    preview = dialog.locator(".derived-preview")
    expect(preview.get_by_role("alert")).to_be_visible(timeout=SLOW)
    dialog.get_by_role("textbox", name="Expression").fill("a * 2.0 + 1.0")
    expect(preview.get_by_text("steps have a value, from 1 points")).to_be_visible(timeout=SLOW)
    expect(preview.locator("canvas")).to_be_visible()
    assert barriers(page) == []
    dialog.get_by_label("Name", exact=True).fill("Twice and one")
    dialog.get_by_label("Key", exact=True).fill("wiz.double")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="Twice and one").get_by_text("Live", exact=True)).to_be_visible(
        timeout=SLOW
    )
    found = plant.values("wiz.double", **{"from": (plant.now - STEP * LIVE).isoformat()})
    assert found and set(found) <= {2 * (40 + n) + 1 for n in range(LIVE)}


def test_refused_readings_are_paged_through_replayed_and_dismissed(page: Page, plant: Plant) -> None:
    page.goto(plant.url("quarantine?point=gw.unknown"))
    pager = page.get_by_role("navigation", name="Pages")
    expect(pager.get_by_role("status")).to_have_text(f"1–50 of {REFUSED}")
    pager.get_by_role("button", name="Older").click()
    expect(pager.get_by_role("status")).to_have_text(f"51–{REFUSED} of {REFUSED}")
    expect(pager.get_by_role("button", name="Older")).to_be_disabled()
    checks = page.get_by_role("checkbox", name="Choose the reading of gw.unknown")
    expect(checks).to_have_count(REFUSED - 50)
    checks.last.check()
    assert barriers(page) == []
    oldest = plant.get("/quarantine", point="gw.unknown", limit=1000)["items"][-1]
    page.get_by_role("button", name="Replay 1").click()
    dialog = page.get_by_role("dialog")
    choose(page, dialog.get_by_role("combobox"), "wiz.file", "wiz.file")
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog.get_by_text("1 stored, 0 known already, 0 refused again")).to_be_visible(timeout=SLOW)
    dialog.get_by_role("button", name="Close").last.click()
    (replayed,) = plant.get("/quarantine", state="replayed")["items"]
    assert (replayed["id"], replayed["became"]["point"]) == (oldest["id"], "wiz.file")
    assert plant.values("wiz.file", **{"from": (plant.now - timedelta(days=3)).isoformat()}) == [oldest["value"]]

    expect(pager.get_by_role("status")).to_have_text(f"1–50 of {REFUSED - 1}")
    page.get_by_role("button", name="Dismiss all").click()
    page.get_by_role("dialog").get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("No reading matches")).to_be_visible(timeout=SLOW)
    assert plant.get("/quarantine/summary", state="open")["items"] == []
    assert [one["count"] for one in plant.get("/quarantine/summary", state="dismissed")["items"]] == [REFUSED - 1]


def test_a_point_is_set_its_device_replaced_a_reading_put_right_and_it_is_retired_and_back(
    page: Page, plant: Plant
) -> None:
    page.goto(plant.url("points?point=wiz.live"))
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="Boiler flow")).to_be_visible(timeout=SLOW)
    drawer.get_by_role("tab", name="Settings").click()
    drawer.get_by_label("Highest value").fill("-5")
    drawer.get_by_label("Lowest value").fill("10")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.get_by_text("Must not be below the lowest value")).to_be_visible()
    drawer.get_by_label("Highest value").fill("120")
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    kept = plant.get("/points/wiz.live")
    assert (kept["min_value"], kept["max_value"]) == (10, 120)

    drawer.get_by_role("tab", name="Devices").click()
    for button, device in (("Put a device in place", "PT100-77"), ("Replace the device", "PT1000-9")):
        drawer.get_by_role("button", name=button).click()
        drawer.get_by_label("Device", exact=True).fill(device)
        drawer.get_by_role("button", name="Save").last.click()
        expect(drawer.locator(".timeline")).to_contain_text(device)
    new, old = plant.get("/points/wiz.live/hardware")["items"]
    assert (new["device"], new["to"], old["device"], old["to"]) == ("PT1000-9", None, "PT100-77", new["from"])

    drawer.get_by_role("tab", name="Corrections").click()
    drawer.get_by_role("button", name="Correct a reading").click()
    wrong = plant.now - STEP
    drawer.get_by_label("Time of the reading").fill(f"{wrong:%Y-%m-%d %H:%M:%S}")
    drawer.get_by_label("Time of the reading").press("Enter")
    drawer.get_by_label("Right value").fill("44.5")
    drawer.get_by_label("Reason").fill("read on site")
    drawer.get_by_role("button", name="Save").last.click()
    expect(drawer.locator(".timeline:visible")).to_contain_text("41 °C → 44.5 °C")
    assert barriers(page) == []
    at = {"from": wrong.isoformat(), "to": (wrong + timedelta(minutes=1)).isoformat()}
    assert plant.values("wiz.live", **at) == [44.5]
    (noted,) = plant.get("/points/wiz.live/corrections")["items"]
    assert (noted["old_value"], noted["value"], noted["reason"]) == (41, 44.5, "read on site")

    drawer.get_by_role("button", name="Retire").click()
    page.locator(".ant-modal-confirm").get_by_role("button", name="Retire").click()
    expect(drawer.get_by_role("button", name="Restore")).to_be_visible(timeout=SLOW)
    assert plant.get("/points/wiz.live")["retired_at"] is not None
    drawer.get_by_role("button", name="Restore").click()
    expect(drawer.get_by_role("button", name="Retire")).to_be_visible(timeout=SLOW)
    assert plant.get("/points/wiz.live")["retired_at"] is None
    assert width(page) <= 1280
