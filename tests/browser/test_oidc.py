"""Signing in through a real OpenID provider in a real browser: its pages, ours, and the way between them."""

import json
import re
import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.conftest import Cluster
from tests.provider import providing
from tests.serving import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
LONG = 60_000  # ms; a busy machine


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows a provider, and the provider."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = f"oidc_{uuid4().hex[:12]}"
    cluster.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, "template_twin")
    with providing(f"http://localhost:{port}/api/v1/session/oidc/idp/callback") as issuer:
        provider = {
            "id": "idp",
            "title": "Head office",
            "issuer": issuer,
            "client_id": "twin",
            "client_secret": "a shared secret",
            "create": True,
            "roles_claim": "groups",
            "roles": {"engineers": ["facility_engineer"]},
        }
        settings = {
            "TWIN_PUBLIC_URL": f"http://localhost:{port}/",
            "TWIN_OIDC_PROVIDERS": json.dumps([provider]),
        }
        with serving(tmp_path_factory.mktemp("oidc"), cluster.url(name), port=str(port), **settings) as running:
            yield running
    cluster.execute("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """A browser of somebody who is nobody yet; what it complains of is a failure."""
    context = chromium.new_context(locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(LONG)
    complaints: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if said.type == "error" and said.location["url"].startswith(server.address):  # the provider's pages are its own
            complaints.append(said.text)

    page.on("console", listen)
    page.goto(server.address)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.clause("6.5.2a")
def test_somebody_signs_in_with_the_account_of_the_head_office(page: Page, server: Server) -> None:
    page.get_by_role("link", name="Head office").click()
    page.locator("input[name=login]").fill("wang+engineers")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name=re.compile("sign.?in", re.IGNORECASE)).click()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile(re.escape(server.address)), timeout=LONG)
    page.goto(f"{server.address}account")
    expect(page.get_by_text("wang of the provider").first).to_be_visible(timeout=LONG)


def test_who_says_no_at_the_provider_is_told_so_on_the_sign_in_page(page: Page, server: Server) -> None:
    page.get_by_role("link", name="Head office").click()
    page.get_by_role("link", name=re.compile("cancel", re.IGNORECASE)).click()
    expect(page).to_have_url(re.compile(re.escape(server.address)), timeout=LONG)
    expect(page.get_by_role("alert")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("link", name="Head office")).to_be_visible(timeout=LONG)
