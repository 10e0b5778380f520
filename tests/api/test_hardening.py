"""What the web may not do to this server: figure S11, headers, hosts, oversized and slow requests, uploads."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.app import Twin, create_app, open_twin
from api.guard import ACTIVE_TYPES, API_POLICY, SecureHeaders, allowed_hosts, page_policy
from api.http import Http
from api.openapi import document
from api.web import mount_web
from identity import keys
from identity.actor import CLI
from tests.serving import Server
from twin.settings import Settings

PASSWORD = "correct horse battery staple"
MUTATING = ("post", "put", "patch", "delete")
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin"}


def routes(*methods: str) -> list[tuple[str, str]]:
    """Method and path of every route with one of the methods, ids filled in."""
    paths = json.loads(document())["paths"]
    found = [(method, re.sub(r"\{[^}]+\}", str(uuid4()), path)) for path in paths for method in paths[path]]
    return [each for each in found if each[0] in methods]


@dataclass
class Browser:
    """Signed in with a cookie."""

    client: httpx.Client
    csrf: str


@pytest.fixture(scope="module")
def browsers(server: Server) -> Iterator[tuple[Browser, Browser]]:
    """Two sessions of one administrator."""
    name = f"admin-{uuid4().hex[:8]}"
    with server.client() as key:
        made = key.post("/accounts", json={"name": name, "password": PASSWORD, "roles": ["administrator"]})
        assert made.status_code == 201, made.text
    clients = [httpx.Client(base_url=server.address, timeout=60) for _ in range(2)]
    answers = [each.post("/api/v1/session", json={"name": name, "password": PASSWORD}) for each in clients]
    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    first, second = (Browser(c, a.json()["csrf_token"]) for c, a in zip(clients, answers, strict=True))
    yield first, second
    for each in clients:
        each.close()


def test_a_cookie_alone_changes_nothing_on_any_route(browsers: tuple[Browser, Browser]) -> None:
    """Without the token, with a wrong one, with that of another session of the same account."""
    mine, other = browsers
    tokens: tuple[dict[str, str], ...] = (
        {},
        {"x-csrf-token": "wrong"},
        {"x-csrf-token": other.csrf},
        {"x-csrf-token": mine.csrf.swapcase()},
    )
    public = {"/api/v1/session", "/api/v1/session/second-factor", "/api/v1/session/display"}
    tried = 0
    for method, path in routes(*MUTATING):
        if method == "post" and path in public:
            continue  # signing in: there is no session yet
        for headers in tokens:
            answer = mine.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "session.csrf"), f"{method} {path} {headers}"
            tried += 1
    assert tried > 100
    assert mine.client.get("/api/v1/session").json()["csrf_token"] == mine.csrf  # nobody signed it out
    accepted = mine.client.patch("/api/v1/me", json={"language": "en"}, headers={"x-csrf-token": mine.csrf})
    assert accepted.status_code == 200, accepted.text


def test_a_page_of_another_site_changes_nothing_on_any_route(browsers: tuple[Browser, Browser]) -> None:
    """Not even with the right token, and it signs nobody in."""
    mine, _ = browsers
    own = str(mine.client.base_url).rstrip("/")
    foreign: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": own + "0"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": own},
    ]
    for method, path in routes(*MUTATING):
        for headers in foreign:
            answer = mine.client.request(method, path, headers={"x-csrf-token": mine.csrf, **headers})
            assert (answer.status_code, answer.json()["code"]) == (403, "request.foreign_origin"), f"{method} {path}"
    headers = {"x-csrf-token": mine.csrf, "origin": own, "sec-fetch-site": "same-origin"}
    assert mine.client.patch("/api/v1/me", json={"language": "zh"}, headers=headers).status_code == 200


def test_no_other_origin_may_read_anything(browsers: tuple[Browser, Browser]) -> None:
    mine, _ = browsers
    asks = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for _, path in routes("get", *MUTATING):
        answer = mine.client.options(path, headers={**asks, "access-control-request-headers": "authorization"})
        assert answer.status_code >= 400, path
        assert not [name for name in answer.headers if name.startswith("access-control-")], path
    answer = mine.client.get("/api/v1/session", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def handshake(server: Server, path: str, *headers: str) -> bytes:
    """What the server answers to the opening of a socket that it refuses."""
    host = urlsplit(server.address)
    lines = [f"GET {path} HTTP/1.1", f"Host: {host.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers]
    return raw(server, "\r\n".join([*lines, "", ""]).encode())


def raw(server: Server, sent: bytes) -> bytes:
    """Everything the server answers to some bytes, until it closes the connection."""
    host = urlsplit(server.address)
    with socket.create_connection((host.hostname, host.port), timeout=30) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_every_answer_has_the_secure_headers(server: Server, browsers: tuple[Browser, Browser]) -> None:
    mine, _ = browsers
    answers = {
        "page": mine.client.get("/"),
        "page inside": mine.client.get("/b/x/alarms"),
        "no such asset": mine.client.get("/assets/nothing.js"),
        "list": mine.client.get("/api/v1/buildings"),
        "not found": mine.client.get(f"/api/v1/jobs/{uuid4()}"),
        "no route": mine.client.get("/api/v1/nothing"),
        "method": mine.client.put("/api/v1/session", headers={"x-csrf-token": mine.csrf}),
        "invalid": mine.client.get("/api/v1/buildings?limit=0"),
        "forbidden": mine.client.post("/api/v1/buildings"),
        "anonymous": httpx.get(server.api + "/buildings"),
        "openapi": mine.client.get("/api/v1/openapi.json"),
        "too large": httpx.post(
            server.api + "/buildings", headers={"authorization": "Bearer x"}, content=iter([b"x" * 17_000_000])
        ),
    }
    for name, answer in answers.items():
        for header, value in HEADERS.items():
            assert answer.headers.get(header) == value, f"{name}: {header}"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], name
        assert "strict-transport-security" not in answer.headers, name  # this server speaks http
    for name in ("list", "not found", "no route", "method", "anonymous"):
        assert answers[name].headers["cache-control"] == "no-store", name
        assert answers[name].headers["content-security-policy"] == API_POLICY, name
    for refused, status in (
        (handshake(server, "/api/v1/live"), b"401"),
        (handshake(server, "/api/v1/nothing"), b"404"),
        (handshake(server, "/api/v1/live", "Origin: https://evil.example"), b"403"),
    ):
        assert refused.split(b" ", 2)[1] == status
        assert b"\r\nx-content-type-options: nosniff\r\n" in refused.lower()
        assert b"application/problem+json" in refused


async def test_pages_run_only_our_scripts_and_style_sheets(tmp_path: Path) -> None:
    """The page carries a nonce of its own each time; nothing inline without it."""
    (tmp_path / "index.html").write_text('<meta property="csp-nonce" nonce="CSP_NONCE">', "utf-8")
    app = FastAPI()
    mount_web(app, tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://twin") as client:
        seen = []
        for path in ("/", "/sign-in", "/index.html"):
            answer = await client.get(path)
            nonce = re.search(r'nonce="([\w-]{20,})"', answer.text)
            assert nonce, path
            assert answer.headers["content-security-policy"] == page_policy(nonce[1])
            seen.append(nonce[1])
        assert len(set(seen)) == 3
        for path in ("/%00", "/" + "x" * 5000):
            assert (await client.get(path)).status_code == 404
    policies = dict(each.split(" ", 1) for each in page_policy("abc").split("; "))
    assert policies["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policies["style-src"] == "'self' 'nonce-abc'"
    assert policies["object-src"] == "'none'"


def test_another_hosts_name_is_not_answered(server: Server) -> None:
    for host in ("evil.example", "localhost.evil.example", "", "192.0.2.7"):
        answer = httpx.get(server.api + "/health", headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "request.host"), host
    for host in ("localhost", "127.0.0.1:1234", "[::1]:80", "twin.localhost", "LOCALHOST."):
        assert httpx.get(server.api + "/health", headers={"host": host}).status_code == 200, host


def test_which_hosts_are_answered() -> None:
    assert allowed_hosts("127.0.0.1", None) == frozenset({"localhost", "127.0.0.1", "::1"})
    assert allowed_hosts("0.0.0.0", None) is None
    assert allowed_hosts("127.0.0.1", "*") is None
    assert allowed_hosts("0.0.0.0", "Twin.example.com, 10.0.0.5") == frozenset({"twin.example.com", "10.0.0.5"})


@pytest.mark.parametrize("size", [40_000, 1_000_000])
def test_an_oversized_header_is_refused_and_the_server_goes_on(server: Server, size: int) -> None:
    host = urlsplit(server.address).netloc
    for name in ("x-padding", "cookie", "authorization", "x-csrf-token"):
        answer = raw_head(server, f"GET /api/v1/health HTTP/1.1\r\nHost: {host}\r\n{name}: {'x' * size}\r\n\r\n")
        assert answer.startswith("HTTP/1.1 431 "), answer[:200]
        assert "request.head_too_large" in answer
    assert httpx.get(server.api + "/health").status_code == 200


def raw_head(server: Server, sent: str) -> str:
    """As `raw`, for a server that answers before it has read everything, and may cut the connection on that."""
    host = urlsplit(server.address)
    found = b""
    with socket.create_connection((host.hostname, host.port), timeout=30) as connection:
        try:
            connection.sendall(sent.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while piece := connection.recv(65536):
                found += piece
        except ConnectionResetError:
            pass
    return found.decode()


def test_what_is_no_http_gets_an_answer_that_says_so(server: Server) -> None:
    for sent in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"HELO twin\r\n\r\n"):
        answer = raw(server, sent)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"request.not_http" in answer and b"nosniff" in answer


@pytest.fixture
async def twin(settings: Settings) -> AsyncIterator[Twin]:
    async with open_twin(settings.model_copy(update={"worker": False})) as made:
        yield made


async def asgi(app: Any, method: str, path: str, pieces: list[bytes], *, end: bool, **headers: str) -> tuple[int, Any]:
    """Send a request whose body comes in pieces; without `end` it stalls after them. Return status and JSON."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
    }
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http"}
    scope |= {"headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()], "state": {}}
    scope |= {"client": ("127.0.0.1", 1), "server": ("twin", 80)}
    left, sent = list(pieces), list[Message]()

    async def receive() -> Message:
        if left:
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left) or not end}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(each.get("body", b"") for each in sent[1:]))


async def test_a_body_that_stalls_is_ended(settings: Settings) -> None:
    quick = settings.model_copy(update={"request_stall": settings.request_stall / 300, "worker": False})
    async with open_twin(quick) as twin, asyncio.timeout(60):
        app, json_ = create_app(twin), {"content_type": "application/json"}
        answer = await asgi(app, "POST", "/api/v1/session", [b'{"name": "li"'], end=False, **json_)
        assert (answer[0], answer[1]["code"]) == (408, "request.stalled")
        answer = await asgi(app, "POST", "/api/v1/session", [b'{"name": "li",', b'"password": "x"}'], end=True, **json_)
        assert (answer[0], answer[1]["code"]) == (401, "login.wrong")


async def test_slow_bodies_hold_no_database_connections(settings: Settings) -> None:
    async with open_twin(settings.model_copy(update={"worker": False, "database_connections": 4})) as twin:
        app, headers = create_app(twin), {"authorization": f"Bearer {await key_for(twin)}"}
        slow = [
            asyncio.create_task(asgi(app, "POST", "/api/v1/sites", [b"{"], end=False, **headers)) for _ in range(20)
        ]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1", headers=headers) as client:
            async with asyncio.timeout(20):  # a pool without a free connection makes callers wait for 30 s
                assert (await client.get("/sites")).status_code == 200
                assert (await client.post("/sites", json={"name": "Quick"})).status_code == 201
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_a_head_that_stalls_is_ended_however_often_it_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Http):
        head_timeout = 0.3

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("fine")(scope, receive, send)

    config = uvicorn.Config(app, http=Impatient, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    monkeypatch.setattr(server, "capture_signals", contextlib.nullcontext)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    port = listener.getsockname()[1]
    async with asyncio.timeout(30):
        while not server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: twin\r\n\r\n")
        assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200")
        dripping = asyncio.create_task(drip(writer))
        answer = await reader.read()
        dripping.cancel()
        assert answer.startswith(b"HTTP/1.1 408 ") and b"request.stalled" in answer
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)  # opened and never used: closed, no answer
        assert await reader.read() == b""
        writer.close()
    server.should_exit = True
    await serving


async def drip(writer: asyncio.StreamWriter) -> None:
    for byte in b"GET / HTTP/1.1\r\n" + b"x-a: b\r\n" * 1000:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


def test_a_body_of_unknown_length_over_the_limit_is_refused(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000_000

    with server.client() as client:
        answer = client.post("/buildings", content=endless(), headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
        assert client.get("/buildings").status_code == 200


async def test_under_https_browsers_are_told_to_stay_there(twin: Twin) -> None:
    transport = httpx.ASGITransport(create_app(twin))
    async with httpx.AsyncClient(transport=transport, base_url="https://twin") as client:
        for path in ("/", "/api/v1/health", "/api/v1/buildings"):
            answer = await client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", path


async def test_an_error_nobody_expected_has_the_secure_headers_too(twin: Twin) -> None:
    app = create_app(twin)

    async def broken() -> None:
        raise RuntimeError("on purpose")

    app.add_api_route("/api/v1/broken", broken)
    app.router.routes.insert(0, app.router.routes.pop())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://twin") as client:
        answer = await client.get("/api/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "server.error")
    assert "on purpose" not in answer.text
    for header, value in HEADERS.items():
        assert answer.headers[header] == value


@pytest.mark.parametrize("content_type", sorted(ACTIVE_TYPES))
async def test_the_api_never_serves_what_a_browser_would_run(content_type: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response = HTMLResponse("<script>alert(1)</script>", media_type=f"{content_type}; charset=utf-8")
        answer.headers["content-disposition"] = "inline; filename=a.html"
        await answer(scope, receive, send)

    transport = httpx.ASGITransport(SecureHeaders(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://twin") as client:
        answer = await client.get("/api/v1/files/a")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"] == API_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_original_named_like_a_page_is_a_download_of_its_own_kind(twin: Twin) -> None:
    file = twin.settings.data / "evil"
    file.write_bytes(b"<script>alert(1)</script>")
    with file.open("rb") as opened:
        blob = twin.blobs.put_open_file(opened, "application/x-step")
    async with twin.db.transaction() as conn:
        await conn.execute(
            "INSERT INTO blob (hash, bytes, content_type) VALUES (%s, 25, 'application/x-step')", (blob.hash,)
        )
        await conn.execute(
            """WITH s AS (INSERT INTO site (name) VALUES ('S') RETURNING id),
                 b AS (INSERT INTO building (site_id, name) SELECT id, 'B' FROM s RETURNING id),
                 m AS (INSERT INTO model (building_id, name, current_version) SELECT id, 'M', 1 FROM b RETURNING id)
               INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, report)
               SELECT id, 1, %s, 'evil".html', 25, 'IFC4', '{}' FROM m""",
            (blob.hash,),
        )
    secret = await key_for(twin)
    transport = httpx.ASGITransport(create_app(twin))
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://twin/api/v1", headers=headers) as client:
        model = (await client.get("/models")).json()["items"][0]["id"]
        answer = await client.get(f"/models/{model}/versions/1/original")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-step")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert 'evil".html' not in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"] == API_POLICY
    assert answer.headers["cache-control"] == "no-store"


async def key_for(twin: Twin) -> str:
    """The secret of an administrator's key."""
    async with twin.db.transaction() as conn:
        _, secret = await keys.create_key(conn, "test", created_by=CLI)
    return secret


@pytest.mark.parametrize("host", ["[", "[::1", "localhost/x", "localhost@evil", "local host", "localhost:99999999"])
def test_a_host_that_is_none_is_refused_and_is_no_server_error(server: Server, host: str) -> None:
    answer = httpx.get(f"{server.api}/health", headers={"host": host}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (421, "request.host")


@pytest.mark.parametrize("origin", ["http://[", "http://", "null", "\x7f"])
def test_an_origin_that_is_none_is_a_foreign_one(server: Server, origin: str) -> None:
    answer = httpx.post(f"{server.api}/session", json={"name": "a", "password": "b"}, headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "request.foreign_origin")


def test_credentials_that_a_browser_adds_by_itself_do_not_open_the_door_to_other_sites(server: Server) -> None:
    foreign = {"origin": "http://evil.example", "authorization": "Basic eDp5"}
    answer = httpx.post(f"{server.api}/session", json={"name": "a", "password": "b"}, headers=foreign, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (403, "request.foreign_origin")
