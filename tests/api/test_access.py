"""Who gets in, how big a request may be, and that a write happens once."""

import asyncio
import json
import re
import socket
import time
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from api.openapi import document
from tests.serving import Server

PUBLIC = {
    ("get", "/api/v1/health"),
    ("post", "/api/v1/session"),
    ("post", "/api/v1/session/second-factor"),
    ("post", "/api/v1/session/display"),
    ("get", "/api/v1/session/providers"),
}


def routes() -> list[tuple[str, str]]:
    """Every method and path that the OpenAPI document names, with ids filled in."""
    paths = json.loads(document())["paths"]
    return [(method, re.sub(r"\{[^}]+\}", str(uuid4()), path)) for path in paths for method in paths[path]]


def test_without_credentials_every_route_answers_401_before_anything_else(server: Server) -> None:
    with httpx.Client(base_url=server.address, timeout=30) as anonymous:
        for method, path in routes():
            if (method, path) not in PUBLIC and not path.startswith("/api/v1/session/oidc/"):
                answer = anonymous.request(method, path, content=b"{")
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "session.missing"


def test_the_public_routes_answer_without_credentials(server: Server) -> None:
    with httpx.Client(base_url=server.api, timeout=30) as anonymous:
        assert anonymous.get("/health").json()["status"] == "ok"
        assert anonymous.get("/openapi.json").json()["openapi"].startswith("3.")


def test_a_problem_speaks_the_callers_language(server: Server) -> None:
    with httpx.Client(base_url=server.api, timeout=30) as anonymous:
        chinese = anonymous.get("/buildings", headers={"accept-language": "zh-CN,zh;q=0.9"}).json()
        english = anonymous.get("/buildings", headers={"accept-language": "en"}).json()
    assert chinese["code"] == english["code"] and "登录" in chinese["detail"] and "Sign in" in english["detail"]


def test_an_upload_over_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    host = urlsplit(server.address)
    with socket.create_connection((host.hostname, host.port), timeout=20) as connection:
        connection.sendall(
            f"POST /api/v1/models HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000000000\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()  # head and body may come apart
    assert answer.startswith("HTTP/1.1 413"), answer
    assert "request.too_large" in answer


@pytest.mark.parametrize("wrong", ["nowhere", "00000000-0000-4000-8000-000000000000"])
def test_a_wrong_building_is_404_and_says_so(client: httpx.Client, wrong: str) -> None:
    for path in (f"/buildings/{wrong}/tree", f"/elements?building={wrong}", f"/readings/latest?building={wrong}"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "building.unknown"), path
    answer = client.post("/models", data={"building": wrong}, files={"file": ("a.ifc", b"ISO-10303-21;")})
    assert (answer.status_code, answer.json()["code"]) == (404, "building.unknown")


async def test_one_idempotency_key_a_hundred_times_at_once_is_one_effect(server: Server) -> None:
    headers = {"authorization": f"Bearer {server.key}", "idempotency-key": str(uuid4())}
    name = f"Once {uuid4()}"
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=server.api, headers=headers, timeout=60, limits=limits) as client:
        answers = await asyncio.gather(*[client.post("/buildings", json={"name": name}) for _ in range(100)])
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotent-replayed" in answer.headers for answer in answers) == 99
        other = await client.post("/buildings", json={"name": f"Other {uuid4()}"})
        assert (other.status_code, other.json()["code"]) == (409, "idempotency.other_request")


def test_a_file_that_is_no_ifc_fails_its_job_with_a_code_and_a_place(client: httpx.Client) -> None:
    client.post("/buildings", json={"name": "Bad files"})
    for content, code in ((b"%PDF-1.7 not a model", "ifc."), (b"", "ifc.")):
        answer = client.post("/models", data={"building": "Bad files"}, files={"file": ("bad.ifc", content)})
        assert answer.status_code == 202, answer.text
        job = answer.json()
        deadline = time.monotonic() + 60
        while job["state"] not in ("done", "failed") and time.monotonic() < deadline:
            time.sleep(0.1)
            job = client.get(f"/jobs/{job['id']}").json()
        assert job["state"] == "failed"
        assert job["error"]["code"].startswith(code) and job["error"]["message"] and job["error"]["where"]
