"""A running server, asked from a notebook: what it knows of a building, its tiles and what its points said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import urljoin

import httpx

from twin.errors import Invalid
from viewer.notebook_values import Frames, Json, read_frames

ADDRESS: Final = "http://localhost:8000"
_TIMEOUT: Final = 60.0  # s
_DOWNLOADS: Final = 6  # at a time


class Server:
    """A server's API as one account's key may see it.

    `address` and `api_key` come from TWIN_SERVER and TWIN_API_KEY unless given. Every question raises Invalid
    `viewer.no_server` (nobody answers) or `viewer.server_says` (with the server's own words).
    """

    def __init__(self, address: str | None = None, api_key: str | None = None) -> None:
        self.address = (address or os.environ.get("TWIN_SERVER") or ADDRESS).rstrip("/")
        key = api_key or os.environ.get("TWIN_API_KEY")
        if not key:
            raise Invalid("viewer.no_key")
        self._client = httpx.Client(
            base_url=f"{self.address}/api/v1", headers={"authorization": f"Bearer {key}"}, timeout=_TIMEOUT
        )

    def get(self, path: str, **query: object) -> Json:
        """The JSON object that a path answers."""
        answer: Json = self.answer(path, **query).json()
        return answer

    def answer(self, path: str, **query: object) -> httpx.Response:
        """What a path answers; paths are relative to /api/v1, or whole addresses."""
        asked: Any = {name: value for name, value in query.items() if value is not None}
        try:
            answer = self._client.get(path, params=asked or None)
        except httpx.HTTPError as error:
            raise Invalid("viewer.no_server", where=self.address, reason=str(error)) from error
        if answer.is_success:
            return answer
        raise Invalid("viewer.server_says", where=str(answer.url), status=answer.status_code, reason=_said(answer))

    def items(self, path: str, **query: object) -> Iterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=1000, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def building(self, named: str) -> Building:
        """By id, name or part of a name. Raises Invalid `viewer.unknown_building`, which lists them."""
        known = list(self.items("/buildings"))
        found = _named(named, known)
        if found is None:
            choices = ", ".join(str(each["name"]) for each in known) or "–"
            raise Invalid("viewer.unknown_building", where=named, choices=choices)
        return Building(self, found)

    def close(self) -> None:
        self._client.close()


class Building:
    """One building of a server. What was asked once is kept: make a new one to see what has changed."""

    def __init__(self, server: Server, row: Json) -> None:
        self.server, self.id, self.name = server, str(row["id"]), str(row["name"])

    @cached_property
    def tree(self) -> Json:
        return self.server.get(f"/buildings/{self.id}/tree")

    @cached_property
    def tileset(self) -> Json:
        return self.server.get(f"/buildings/{self.id}/tileset.json")

    @cached_property
    def points(self) -> list[Json]:
        return list(self.server.items("/points", building=self.id))

    @cached_property
    def rooms(self) -> dict[str, str]:
        """GlobalId by server id."""
        return {room["id"]: room["global_id"] for storey in self.tree["storeys"] for room in storey["spaces"]}

    def storey(self, named: str) -> Json:
        """The storey of a name, part of one, or an id. Raises Invalid `viewer.unknown_storey`, which lists them."""
        storeys = [each for each in self.tree["storeys"] if each["id"] is not None]
        found = _named(named, storeys)
        if found is not None:
            return found
        raise Invalid("viewer.unknown_storey", where=named, choices=", ".join(str(each["name"]) for each in storeys))

    def tiles(self, storey: str | None, layers: Sequence[str]) -> list[bytes]:
        """The tiles of some layers, of one storey (an id) or all."""
        base = f"{self.server.address}/api/v1/buildings/{self.id}/tileset.json"
        wanted = [
            urljoin(base, tile["uri"])
            for tile in (child["content"] for child in self.tileset["root"].get("children", ()))
            if tile["extras"]["layer"] in layers and storey in (None, tile["extras"]["storey"])
        ]
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            return list(pool.map(lambda address: self.server.answer(address).content, wanted))

    def element(self, global_id: str) -> Json:
        return self.server.get(f"/elements/{global_id}", building=self.id)

    def frames(self, start: datetime, end: datetime, count: int) -> Frames:
        """What every point said at `count` moments from `start` to `end`."""
        query = {"from": start.astimezone(UTC).isoformat(), "to": end.astimezone(UTC).isoformat(), "frames": count}
        return read_frames(self.server.answer(f"/buildings/{self.id}/frames", **query).content)

    def now(self) -> datetime:
        """The server's clock: this machine's may be wrong. To the second."""
        said = self.server.answer(f"/buildings/{self.id}").headers.get("date")
        if not said:
            return datetime.now(UTC)
        return datetime.strptime(said, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) + timedelta(seconds=1)


def _said(answer: httpx.Response) -> str:
    """The server's own words for what is wrong."""
    try:
        problem = answer.json()
        return f"{problem['detail'] or problem['title']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase


def _named(wanted: str, rows: Sequence[Json]) -> Json | None:
    """The one row of that id or name, or else the one whose name contains it; None: no such, or several."""
    plain = wanted.casefold()
    for found in (
        [row for row in rows if wanted == row["id"] or plain == str(row["name"]).casefold()],
        [row for row in rows if plain in str(row["name"]).casefold()],
    ):
        if len(found) == 1:
            return found[0]
    return None
