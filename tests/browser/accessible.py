"""axe-core on a page: what keeps people out of it."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "viewer" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def barriers(page: Page, within: str | None = None) -> list[str]:
    """The serious and critical violations of WCAG 2.2 AA on the page as it is now; empty is right.

    `within`: a CSS selector of the only part to look at.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "([within, rules]) => axe.run(within ?? document, {runOnly: rules, resultTypes: ['violations']})"
        ".then(done => done.violations)",
        [within, RULES],
    )
    return [
        f"{page.url}: {one['id']} ({one['impact']}): {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
