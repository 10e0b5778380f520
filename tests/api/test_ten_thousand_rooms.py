"""10 000 rooms on 40 storeys: the network, ways, outages, figures and plans of them in bounded time and memory.

Time is CPU time of the server's own process, so that a busy machine changes nothing.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from math import dist
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.api.many_rooms import write_many_rooms
from tests.serving import Server, upload

pytestmark = pytest.mark.drill
NAME, STOREYS, ROOMS = "Many rooms", 40, 250
FIRST_S, NEXT_S = 60.0, 3.0  # CPU s: of the first question of all, of each further one
MEMORY: int = 1_500_000_000  # bytes more than before


@contextmanager
def within(server: Server, seconds: float) -> Iterator[None]:
    """What is asked inside takes the server at most so much CPU time."""
    process = psutil.Process(server.process.pid)
    before = process.cpu_times()
    yield
    after = process.cpu_times()
    took = after.user + after.system - before.user - before.system
    assert took <= seconds, f"{took:.1f} CPU s"


def ask(client: httpx.Client, path: str, **query: Any) -> Any:
    return client.get(f"/buildings/{NAME}/{path}", params=query).raise_for_status().json()


@pytest.mark.clause("6.4.2b")
@pytest.mark.clause("6.4.3b")
@pytest.mark.clause("6.1.4d")
def test_ten_thousand_rooms_are_answered_for_in_bounded_time_and_memory(
    server: Server, client: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "many.ifc"
    write_many_rooms(file, STOREYS, ROOMS)
    client.timeout = httpx.Timeout(600)
    client.post("/buildings", json={"name": NAME}).raise_for_status()
    job = upload(client, file, NAME)
    assert job["state"] == "done", job
    process = psutil.Process(server.process.pid)
    memory = process.memory_info().rss

    with within(server, FIRST_S):
        report = ask(client, "network")
    doors = STOREYS * (ROOMS - 1)
    assert (report["rooms"], report["doors"], report["doors_joining_two"]) == (STOREYS * ROOMS, doors, doors)
    assert report["flow_parts"] == [1 + STOREYS * ROOMS] and report["islands"] == [STOREYS * ROOMS]

    with within(server, NEXT_S):
        low, high = (ask(client, "spaces", q=name)["items"][0] for name in ("00001", "39249"))
    with within(server, NEXT_S):
        way = client.get("/route", params={"from": low["id"], "to": high["id"]}).raise_for_status().json()
    assert [part["kind"] for part in way["parts"]].count("stair") == STOREYS - 1 and len(way["doors"]) == 2
    assert way["length"] >= dist(way["polyline"][0], way["polyline"][-1])

    with within(server, NEXT_S):
        corridor = client.get(f"/spaces/{ask(client, 'spaces', q='20000')['items'][0]['id']}").raise_for_status().json()
    assert len(corridor["doors"]) == ROOMS - 1 and len(corridor["neighbours"]) >= ROOMS - 1

    valve = client.get("/elements", params={"building": NAME, "ifc_class": "IfcValve", "q": "Valve 7"}).json()["items"]
    with within(server, NEXT_S):
        outage = client.get(f"/elements/{valve[0]['id']}/affected").raise_for_status().json()
    assert len(outage["equipment"]) == ROOMS - 1 and len(outage["rooms"]) >= ROOMS - 1
    pump = client.get("/elements", params={"building": NAME, "ifc_class": "IfcPump"}).json()["items"][0]
    with within(server, 4 * NEXT_S):
        whole = client.get(f"/elements/{pump['id']}/affected").raise_for_status().json()
    assert len(whole["equipment"]) == STOREYS * ROOMS

    with within(server, NEXT_S):
        figures = ask(client, "statistics", by="storey")
    assert figures["total"]["rooms"] == STOREYS * ROOMS and len(figures["groups"]) == STOREYS
    with within(server, 4 * NEXT_S):
        sheet = client.get(f"/buildings/{NAME}/plan/Level 20.svg").raise_for_status()
    drawn = {each.get("data-id") for each in ET.fromstring(sheet.text).iter() if each.get("data-class") == "IfcSpace"}
    assert len(drawn) == ROOMS and len(sheet.content) < 2_000_000
    with within(server, 4 * NEXT_S):
        assert len(ask(client, "derived-rooms", storey="Level 20")["items"]) == 1
    assert process.memory_info().rss - memory < MEMORY
