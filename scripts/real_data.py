"""Public building data into a running server: `python -m scripts.real_data RECIPE… --folder ../shared/telemetry`.

A recipe (`docs/real-data/*.toml`) says of a data set which files it has, how their columns become readings, and what
the points are. Points are made by `POST /points`, readings sent by `POST /readings`; sending them again does no harm.
Every value is accounted for: stored, there already, refused with a reason (then it is in quarantine), or empty.
"""

import argparse
import csv
import json
import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx

RECIPES: Final = Path(__file__).parents[1] / "docs/real-data"
BATCH: Final = 10_000  # readings of one request
EMPTY: Final = frozenset({"", "nan", "NaN", "null"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a file as a reading."""

    key: str
    ts: datetime
    value: float | str | bool


@dataclass(slots=True)
class Counts:
    """What became of the cells of a data set."""

    points: int = 0
    cells: int = 0
    empty: int = 0
    unreadable: int = 0  # no time in the row
    sent: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def accounted(self) -> bool:
        """Whether every cell is somewhere."""
        refused = sum(self.rejected.values())
        return (
            self.cells
            == self.empty + self.unreadable + self.sent
            == (self.empty + self.unreadable + self.accepted + self.duplicate + refused)
        )


class Recipe:
    """A data set: its files, its points."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.told: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        self.folder = folder
        self.zone = ZoneInfo(self.told["time_zone"])

    @property
    def building(self) -> str:
        """Its name."""
        return str(self.told["building"])

    def cells(self, counts: Counts, since: datetime | None = None) -> Iterator[Cell]:
        """Every value of every file; with `since` only later ones, and only these are counted."""
        for files in self.told["files"]:
            found = sorted(self.folder.glob(files["glob"]))
            if not found:
                raise SystemExit(f"no file {files['glob']} in {self.folder}: say where the data is with --folder")
            for path in found:
                yield from self._read(path, files, counts, since)

    def _read(self, path: Path, files: Mapping[str, Any], counts: Counts, since: datetime | None) -> Iterator[Cell]:
        names: dict[str, str] = self.told.get("rename", {})
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.reader(lines, delimiter=files.get("delimiter", ","))
            header = files.get("header") or next(table)
            time_at = files.get("time", 0)
            for line in table:
                columns = list(enumerate(header))
                if len(line) == len(header) + 1:  # numbered lines, and no name above the numbers
                    line = line[1:]
                moment = self._moment(line[time_at], files) if len(line) > time_at else None
                if since and moment and moment < since:
                    continue
                for at, column in columns:
                    if at == time_at or at >= len(line):
                        continue
                    counts.cells += 1
                    text = line[at].strip()
                    if text in EMPTY:
                        counts.empty += 1
                    elif moment is None:
                        counts.unreadable += 1
                    else:
                        stem = names.get(path.stem, path.stem)
                        key = files["key"].format(stem=stem, column=column)
                        yield Cell(key, moment, self._value(text))

    def _moment(self, text: str, files: Mapping[str, Any]) -> datetime | None:
        if files["format"] == "epoch":
            return datetime.fromtimestamp(float(text), UTC)
        for zone, offset in self.told.get("zones", {}).items():
            text = text.replace(zone, offset)
        for shape in [files["format"], *files.get("formats", [])]:
            try:
                moment = datetime.strptime(text.strip(), shape)  # noqa: DTZ007  the site's zone comes below
            except ValueError:
                continue
            return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
        return None

    def _value(self, text: str) -> float | str | bool:
        values: dict[str, bool] = self.told.get("values", {})
        if text in values:
            return values[text]
        try:
            return float(text)
        except ValueError:
            return text

    def point(self, key: str) -> dict[str, Any]:
        """The facts of a point: those of the first pattern that its key matches."""
        for each in self.told["points"]:
            match = re.fullmatch(each["match"], key)
            if match is None:
                continue
            facts = {**self.told.get("defaults", {}), **each}
            del facts["match"]
            parts = {name: text or "" for name, text in match.groupdict().items()}
            facts["name"] = facts["name"].format(key=key, **parts)
            elements = self.told.get("elements", {})
            if parts.get("room") in elements:
                facts["element"] = elements[parts["room"]]
            return {**facts, "key": key, "building": self.building}
        raise SystemExit(f"the recipe has no pattern for the point {key}")


def load(client: httpx.Client, recipe: Recipe, since: datetime | None = None) -> Counts:
    """Make the points of a recipe that are not there and send its readings; return what became of them."""
    counts, known, batch = Counts(), set[str](), list[Cell]()
    _ensure_building(client, recipe)
    for cell in recipe.cells(counts, since):
        if cell.key not in known:
            known.add(cell.key)
            made = client.post("/points", json=recipe.point(cell.key))
            if made.status_code != 201 and made.json().get("code") != "point.exists":
                raise SystemExit(f"{cell.key}: {made.text}")
        batch.append(cell)
        if len(batch) == BATCH:
            _send(client, batch, counts)
            batch.clear()
    _send(client, batch, counts)
    counts.points = len(known)
    return counts


def _ensure_building(client: httpx.Client, recipe: Recipe) -> None:
    if client.get(f"/buildings/{recipe.building}").status_code == 200:
        return
    site = client.post("/sites", json={"name": recipe.building, "time_zone": recipe.told["time_zone"]})
    site.raise_for_status()
    client.post("/buildings", json={"name": recipe.building, "site": site.json()["id"]}).raise_for_status()


def _send(client: httpx.Client, batch: Sequence[Cell], counts: Counts) -> None:
    if not batch:
        return
    readings = [{"point": cell.key, "ts": cell.ts.isoformat(), "value": cell.value} for cell in batch]
    answer = client.post("/readings", content=json.dumps({"readings": readings}))
    answer.raise_for_status()
    told = answer.json()
    counts.sent += len(batch)
    counts.accepted += told["accepted"]
    counts.duplicate += told["duplicate"]
    counts.rejected.update(each["code"] for each in told["rejected"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Load the recipes that are named; print what became of their values; 1 where one is not accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="+", choices=sorted(path.stem for path in RECIPES.glob("*.toml")))
    parser.add_argument("--folder", type=Path, default=Path("../shared/telemetry"))
    parser.add_argument("--server", default="http://localhost:8000")
    parser.add_argument("--key", default=os.environ.get("TWIN_KEY"), help="API key; default: $TWIN_KEY")
    given = parser.parse_args(arguments)
    if not given.key:
        parser.error("an API key is needed: twin key add loader, then --key or TWIN_KEY")
    headers, right = {"authorization": f"Bearer {given.key}"}, True
    with httpx.Client(base_url=f"{given.server.rstrip('/')}/api/v1", headers=headers, timeout=60) as client:
        for name in given.recipe:
            counts = load(client, Recipe(RECIPES / f"{name}.toml", given.folder))
            right &= counts.accounted
            refused = ", ".join(f"{n} {code}" for code, n in counts.rejected.items()) or "0"
            sys.stdout.write(
                f"{name}: {counts.points} points, {counts.cells} values: {counts.accepted} stored, {counts.duplicate} "
                f"there already, refused {refused}, {counts.empty} empty, {counts.unreadable} without a time\n"
            )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
