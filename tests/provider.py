"""A real OpenID provider in a process of its own, and a person at its pages (tests/identity/provider.mjs)."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.node import NODE

SCRIPT = Path(__file__).parent / "identity" / "provider.mjs"
HOPS = 12


@contextmanager
def providing(callback: str) -> Iterator[str]:
    """Run the provider for clients that come back to `callback`; its issuer."""
    process = subprocess.Popen([str(NODE), str(SCRIPT), callback], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for line in process.stdout:
            if found := re.match(r"issuer (\S+)", line):
                yield found[1]
                return
        raise RuntimeError("the provider did not start: is viewer/web/node_modules there? `make setup` installs it")
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def visit(url: str, login: str, *, callback: str, deny: bool = False) -> dict[str, str]:
    """Sign in as `login` on the provider's pages and agree, as a browser does; the parameters of the way back."""
    with httpx.Client(timeout=20) as browser:
        answer = browser.get(url)
        for _ in range(HOPS):
            if answer.is_redirect:
                onward = urljoin(str(answer.url), answer.headers["location"])
                if onward.startswith(callback):
                    return dict(parse_qsl(urlsplit(onward).query))
                answer = browser.get(onward)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert answer.status_code == 200 and form, answer.text
            if deny:
                answer = browser.get(form[1] + "/abort")
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt, answer.text
            answer = browser.post(form[1], data={"prompt": prompt[1], "login": login, "password": "any"})
    raise AssertionError("the provider sends the browser round in circles")
