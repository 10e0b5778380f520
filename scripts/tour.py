"""`python -m scripts.tour OUT`: pictures of every page for the docs, the same way every time.

Starts the demo in a folder of its own, fills it (scripts/tour_content.py) and photographs each page on a desktop and a
phone, in Chinese and English, light and dark: `OUT/PAGE-LANGUAGE-THEME-SIZE.webp`. `--only scene --only issues` takes
some of the pages, `--language zh`, `--theme dark` and `--size phone` a part of the matrix; `--docs` takes those that
docs/tour.md shows. What a browser's console complains of is said and makes the exit code 1. Needs what `make test` sets
up.
"""

import base64
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import httpx
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from scripts.tour_content import Content, Filler
from tests.browser.conftest import ARGUMENTS
from tests.serving import Server, serving

SIZES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
LOCALES: Final = {"zh": "zh-CN", "en": "en-US"}
QUALITY: Final = 80  # of the WebPs: a page stays below 120 KB
LOADED_MS: Final = 15_000
SLOW_MS: Final = 60_000  # software OpenGL


def opened_by(selector: str, number: int = 0) -> Callable[[Page], None]:
    """Click, and wait for the dialog or drawer that it opens."""

    def act(page: Page) -> None:
        page.locator(selector).nth(number).click()
        page.get_by_role("dialog").first.wait_for()

    return act


def coloured(page: Page) -> None:
    """The rooms of a storey by their temperature."""
    page.get_by_test_id("scene").wait_for(timeout=SLOW_MS)
    page.evaluate("window.twin.ready")
    page.get_by_role("treeitem").get_by_text("F03").first.click()
    page.get_by_role("button", name=re.compile("Colour by value|按数值着色")).click()
    page.get_by_role("menuitem", name=re.compile("°C")).first.dispatch_event("click")
    page.get_by_test_id("heat-count").wait_for(timeout=SLOW_MS)
    for limit, value in enumerate(("21", "23")):  # narrow limits tell the rooms of a well kept building apart
        page.locator(".legend-limits input").nth(limit).fill(value)
        page.keyboard.press("Enter")
    page.mouse.move(700, 300)


def timeline(page: Page) -> None:
    """The same as it was some hours ago."""
    coloured(page)
    page.get_by_role("button", name=re.compile("^(Timeline|时间轴)$")).click()
    bar = page.get_by_role("region", name=re.compile("^(Timeline|时间轴)$"))
    bar.get_by_role("button", name=re.compile("Compare|对比")).wait_for(timeout=SLOW_MS)
    rail = bar.locator(".ant-slider").bounding_box()
    assert rail is not None
    page.mouse.click(rail["x"] + 0.6 * rail["width"], rail["y"] + rail["height"] / 2)
    page.mouse.move(700, 300)


def searched(page: Page) -> None:
    """A question to the model, and what it finds."""
    page.locator(".search-box input").fill("class:Door *.FireRating:none")
    page.get_by_test_id("found-count").wait_for(timeout=SLOW_MS)


def shown(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.wait_for(timeout=SLOW_MS)


PAGES: Final[dict[str, tuple[str, Callable[[Page], None] | None]]] = {
    "scene": ("/b/{building}", None),
    "scene-alarm": ("/b/{building}?alarm={alarm}", shown(".panel-right, .bottom-sheet")),
    "scene-versions": ("/b/{building}?changes={model}&from=1&to=2", shown(".stage-note")),
    "scene-check": ("/b/{building}?check={ids_check}&specification=2", shown(".stage-note")),
    "scene-values": ("/b/{building}", coloured),
    "scene-past": ("/b/{building}", timeline),
    "scene-search": ("/b/{building}", searched),
    "overview": ("/b/{building}/overview", shown(".ov-months")),
    "buildings": ("/overview", shown(".ov-figures")),
    "dashboards": ("/b/{building}/dashboards", None),
    "dashboard": ("/b/{building}/dashboards/{dashboard}", shown("[data-testid=widget-value]")),
    "wall": ("/b/{building}/dashboards/wall?show={dashboard}", shown("[data-testid=widget-value]")),
    "reports": ("/b/{building}/reports", None),
    "report": ("/b/{building}/reports/{report_run}", shown(".rp-sheet")),
    "trends": ("/b/{building}/trends?c={chart}&r=3d", None),
    "points": ("/b/{building}/telemetry/points", None),
    "sources": ("/b/{building}/telemetry/sources", None),
    "suggestions": ("/b/{building}/telemetry/suggestions", None),
    "derived": ("/b/{building}/telemetry/derived", None),
    "quarantine": ("/b/{building}/telemetry/quarantine", None),
    "history": ("/b/{building}/telemetry/history", None),
    "alarms": ("/b/{building}/alarms", None),
    "alarm": ("/b/{building}/alarms?alarm={alarm}", shown(".detail")),
    "orders": ("/b/{building}/orders", None),
    "order": ("/b/{building}/orders/{order}", None),
    "order-new": ("/b/{building}/orders", opened_by(".page-actions .ant-btn-primary")),
    "plans": ("/b/{building}/plans", None),
    "plan-new": ("/b/{building}/plans", opened_by(".page-actions .ant-btn-primary")),
    "issues": ("/b/{building}/issues", None),
    "issue": ("/b/{building}/issues", opened_by(".issue-row .row-main")),
    "issue-new": ("/b/{building}/issues", opened_by(".page-actions .ant-btn-primary")),
    "models": ("/b/{building}/models", None),
    "upload": ("/b/{building}/models", opened_by(".page-actions .ant-btn-primary")),
    "changes": ("/b/{building}/models/{model}/changes?from=1&to=2", None),
    "matches": ("/b/{building}/models/{model}/changes?from=1&to=2&tab=matches", None),
    "checks": ("/b/{building}/checks", None),
    "check-ids": ("/b/{building}/checks?check={ids_check}", None),
    "accounts": ("/admin/accounts", None),
    "account": ("/admin/accounts?account=li.wei", shown(".account-head")),
    "account-new": ("/admin/accounts", opened_by(".page-actions .ant-btn-primary")),
    "roles": ("/admin/roles", None),
    "grants": ("/admin/grants", None),
    "keys": ("/admin/keys", None),
    "key": ("/admin/keys", opened_by(".who-cell", 1)),
    "audit": ("/admin/audit", None),
    "my-account": ("/account", None),
    "second-factor": ("/account", opened_by(".settings .ant-btn-primary")),
    "missing": ("/b/{building}/nothing", None),
}
SIGNED_OUT: Final = {"sign-in": "", "sign-in-code": "audit.zhao", "enrol": "factor.wu", "new-password": "new.sun"}

# What docs/tour.md shows: every page once or more, and all of the matrix among them.
DOCS: Final = {
    key: names.split()
    for key, names in {
        "zh-light-desktop": "scene scene-values overview report trends order plans check-ids sign-in",
        "zh-dark-desktop": "scene-alarm wall alarms models audit",
        "zh-light-phone": "scene overview order my-account",
        "zh-dark-phone": "alarms trends",
        "en-light-desktop": "scene-past scene-check dashboard points orders changes accounts roles",
        "en-dark-desktop": "scene scene-search overview issues scene-versions sources",
        "en-light-phone": "issues plans",
        "en-dark-phone": "overview sign-in",
    }.items()
}


class Tour:
    """Takes the pictures of one size, language and theme."""

    def __init__(self, browser: Browser, address: str, out: Path, suffix: str, options: dict[str, Any]) -> None:
        self.browser, self.address, self.out, self.suffix, self.options = browser, address, out, suffix, options
        self.complaints: list[str] = []

    def page(self, context: BrowserContext, name: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(LOADED_MS)
        said = self.complaints
        page.on("console", lambda m: said.append(f"{name}{self.suffix}: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(f"{name}{self.suffix}: {error}"))
        return page

    def take(self, page: Page, name: str) -> None:
        try:
            page.wait_for_load_state("networkidle", timeout=LOADED_MS)
        except Error:
            pass  # live pages may never be idle
        for waiting in (".splash", ".ant-skeleton", ".ant-spin-spinning", "main.page [aria-busy=true]"):
            expect(page.locator(waiting).filter(visible=True)).to_have_count(0, timeout=SLOW_MS)
        if name.startswith("scene"):
            page.get_by_test_id("scene").wait_for(timeout=SLOW_MS)
            page.evaluate("window.twin.ready")
            page.locator(".load-bar").wait_for(state="hidden", timeout=SLOW_MS)
            page.wait_for_timeout(2500)  # the camera flies
        page.wait_for_timeout(700)  # drawers slide
        shoot = {"format": "webp", "quality": QUALITY}
        picture = page.context.new_cdp_session(page).send("Page.captureScreenshot", shoot)["data"]
        (self.out / f"{name}{self.suffix}.webp").write_bytes(base64.b64decode(picture))

    def signed_in(self, names: list[str], content: Content, password: str) -> None:
        context = self.browser.new_context(**self.options)
        login = {"name": "demo", "password": password}
        me = context.request.post(f"{self.address}api/v1/session", data=login).json()
        language = {"language": "zh" if "zh" in self.options["locale"] else "en"}
        token = {"X-CSRF-Token": me["csrf_token"]}
        context.request.patch(f"{self.address}api/v1/me", data=language, headers=token)
        for name in names:
            path, act = PAGES[name]
            page = self.page(context, name)
            page.goto(self.address.rstrip("/") + path.format(**asdict(content)))
            if act:
                act(page)
            self.take(page, name)
            page.close()
        context.close()

    def signed_out(self, names: list[str], password: str) -> None:
        for name in names:
            context = self.browser.new_context(**self.options)
            page = self.page(context, name)
            page.goto(self.address)
            page.locator("input[autocomplete=username]").fill(SIGNED_OUT[name])
            if SIGNED_OUT[name]:
                page.locator("input[type=password]").fill(password)
                page.locator("button[type=submit]").click()
                page.locator("input[autocomplete=username]").wait_for(state="hidden")
            self.take(page, name)
            context.close()


def fill(server: Server) -> tuple[Content, str]:
    """Wait for the demo to be there, fill it; the content and the demo's password."""
    login = server.data / "demo-login"
    while not (login.exists() and any("Faults appear" in line for line in server.said)):
        if server.process.poll() is not None:
            raise RuntimeError("".join(server.said[-20:]))
        time.sleep(0.5)
    password = login.read_text().strip()
    with httpx.Client(base_url=server.api, timeout=120) as client:
        me = client.post("/session", json={"name": "demo", "password": password}).raise_for_status().json()
        client.headers["x-csrf-token"] = me["csrf_token"]
        return Filler(client, server.data).fill(server.data / "sample.ifc"), password


@click.command(help=__doc__)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, type=click.Choice([*PAGES, *SIGNED_OUT]), help="These pages; default: all.")
@click.option("--language", multiple=True, type=click.Choice(list(LOCALES)), default=list(LOCALES))
@click.option("--theme", multiple=True, type=click.Choice(["light", "dark"]), default=["light", "dark"])
@click.option("--size", multiple=True, type=click.Choice(list(SIZES)), default=list(SIZES))
@click.option("--docs", is_flag=True, help="What docs/tour.md shows.")
def main(out: Path, only: tuple[str, ...], language: list[str], theme: list[str], size: list[str], docs: bool) -> None:
    names = list(only) or [*PAGES, *SIGNED_OUT]
    out.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with (
        tempfile.TemporaryDirectory() as data,
        serving(Path(data), None, "demo", "--data", data) as server,
        sync_playwright() as started,
    ):
        content, password = fill(server)
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=ARGUMENTS
        )
        for tongue, look, screen in ((a, b, c) for a in language for b in theme for c in size):
            options = {"locale": LOCALES[tongue], "color_scheme": look, "reduced_motion": "reduce", **SIZES[screen]}
            tour = Tour(browser, server.address, out, f"-{tongue}-{look}-{screen}", options)
            chosen = [name for name in names if not docs or name in DOCS[f"{tongue}-{look}-{screen}"]]
            tour.signed_in([name for name in chosen if name in PAGES], content, password)
            tour.signed_out([name for name in chosen if name in SIGNED_OUT], content.password)
            complaints += tour.complaints
        browser.close()
    click.echo("\n".join(complaints) or f"{len(list(out.glob('*.webp')))} pictures in {out}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
