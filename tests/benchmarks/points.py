"""How often the suggested element is the right one, on real point lists whose answers are known.

`python -m tests.benchmarks points`: precision and recall of the first suggestion (assigned, score ≥ 0.4), with nothing
bound yet and with every second point bound. Precision: right / suggested; recall: right / points.
"""

import csv
import io
import random
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import RdfFormat, parse

from telemetry.suggest import Loose, Thing, suggest
from telemetry.suggestions import loose_point, thing_of
from tests.benchmarks.figures import figure
from twin.brick import brick_classes

SHARED: Final = Path(__file__).parents[3] / "shared" / "telemetry"
SURE: Final = 0.4  # from which score on a suggestion is taken at its word
NAMESPACE: Final = UUID(int=7)


@dataclass
class Case:
    """Points, elements, and which belongs to which."""

    name: str
    points: list[Loose] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    truth: dict[UUID, UUID] = field(default_factory=dict)

    def point(self, key: str, thing: str | None, *, name: str = "", brick: str | None = None,
              series: NDArray[np.float64] | None = None) -> None:  # fmt: skip
        id = uuid5(NAMESPACE, f"{self.name}:point:{key}")
        facts = {"id": id, "key": key, "name": name or key, "brick_class": brick, "quantity": None, "tags": [],
                 "element_id": None}  # fmt: skip
        self.points.append(loose_point(facts, series))
        if thing is not None:
            self.truth[id] = self.id(thing)

    def id(self, thing: str) -> UUID:
        return uuid5(NAMESPACE, f"{self.name}:thing:{thing}")

    def thing(self, ref: str, ifc_class: str, name: str, **more: str | None) -> None:
        facts: dict[str, object] = dict.fromkeys(
            (
                "long_name",
                "tag",
                "object_type",
                "predefined",
                "type_class",
                "room",
                "room_name",
                "storey",
                "brick_class",
            )
        )
        facts |= {"id": self.id(ref), "ifc_class": ifc_class, "name": name, "systems": [], **more}
        self.things.append(thing_of(facts))


def measured(case: Case, *, half: bool) -> tuple[float, float]:
    """Precision and recall of the first suggestions."""
    points = sorted(case.points, key=lambda each: each.label)
    random.Random(1).shuffle(points)
    known = {p.id for p in points[::2] if p.id in case.truth} if half else set()
    bound = [replace(each, element=case.truth[each.id]) for each in points if each.id in known]
    loose = [each for each in points if each.id not in known]
    found = suggest(loose, bound, case.things, frozenset())
    first = {id: choices[0] for id, choices in found.items() if choices and choices[0].score >= SURE}
    right = sum(case.truth.get(id) == choice.thing.id for id, choice in first.items())
    if "-v" in sys.argv:
        for each in loose:
            choice = first.get(each.id)
            if (choice and choice.thing.id) != case.truth.get(each.id):
                print(case.name, half, each.label, "->", choice and (choice.thing.name, choice.score, choice.reasons))
    return right / max(len(first), 1), right / max(sum(each.id in case.truth for each in loose), 1)


def smart_home(*, bms: bool) -> Case:
    """A flat with its own IFC; truth: the room that a sensor is in. Keys: names of files, or of the controller."""
    import ifcopenshell

    folder = SHARED / "opensmarthome"
    case = Case("opensmarthome_controller" if bms else "opensmarthome")
    model = ifcopenshell.open(folder / "04_Flat.ifc")
    for each in (*model.by_type("IfcSpace"), *model.by_type("IfcSpaceHeater")):
        long_name = getattr(each, "LongName", None)
        case.thing(str(each.id()), each.is_a(), each.Name, long_name=long_name, object_type=each.ObjectType)
    links = re.findall(r"osh:(\w+)\s+skos:related ifc4osh:IfcSpace_(\d+)", (folder / "01_LinkOsh.ttl").read_text())
    rooms = dict(links)
    text = (folder / "00_OpenSmartHomeData.ttl").read_text("utf-8")
    if not bms:
        for path in sorted((folder / "Measurements").glob("*.csv")):
            room = path.stem.split("_")[0]
            if "Outdoor" not in path.stem:
                case.point(path.stem, rooms[room], series=_smart_home_series(path))
        return case
    for key in re.findall(r"identifier \"(\w+)\"", text):
        place = next((name for name in rooms if key.startswith(name)), "Kitchen" if key.startswith("KI") else None)
        if place and "Out" not in key and key not in {each.label for each in case.points}:
            case.point(key, rooms[place])
    return case


def _smart_home_series(path: Path) -> NDArray[np.float64]:
    """Two weeks of hourly means out of the middle of a file."""
    lines = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    stamps = np.array([float(line[0]) for line in lines])
    values = np.array([float(line[1]) for line in lines])
    start = 1_490_000_000
    series = np.full(24 * 14, np.nan)
    hour = ((stamps - start) // 3600).astype(int)
    inside = (hour >= 0) & (hour < len(series))
    sums, counts = np.zeros(len(series)), np.zeros(len(series))
    np.add.at(sums, hour[inside], values[inside])
    np.add.at(counts, hour[inside], 1)
    series[counts > 0] = sums[counts > 0] / counts[counts > 0]
    return series


def bms_files() -> Case:
    """Ten VAV boxes and their air handler: a controller's names of trends; truth: the unit that a name starts with."""
    case = Case("open_fdd_files")
    for n in range(1, 11):
        case.thing(f"VAV-{n}", "IfcAirTerminalBox", f"VAV {n:02}")
    case.thing("S-7", "IfcUnitaryEquipment", "AHU S-7", predefined="AIRHANDLER")
    for path in sorted((SHARED / "open_fdd_bms").glob("*_data/*.csv")):
        match = re.match(r"(VAV-\d+|S[-_]7)[-_]", path.stem)
        if match:
            case.point(path.stem, match[1].replace("_", "-"), series=None)
    return case


def brick_models() -> Iterator[Case]:
    """The Brick graphs with equipment of names of its own; truth: `isPointOf`."""
    for path in sorted((SHARED / "open_fdd_bms" / "brick").glob("*.ttl")):
        facts: dict[str, dict[str, list[str]]] = {}
        for triple in parse(path=path, format=RdfFormat.TURTLE, base_iri="urn:x:"):
            about = facts.setdefault(str(triple.subject), {})
            about.setdefault(re.split(r"[#/]", triple.predicate.value)[-1], []).append(
                getattr(triple.object, "value", str(triple.object))
                if "label" in triple.predicate.value
                else str(triple.object)
            )
        case = Case(f"brick_{path.stem[:6]}")
        _brick_case(case, facts)
        names = [thing.name for thing in case.things]
        if len(names) > 1 and len(set(names)) == len(names) and len(case.truth) > 4:
            yield case


def _brick_case(case: Case, facts: Mapping[str, Mapping[str, list[str]]]) -> None:
    def name_of(uri: str) -> str:
        return next(iter(facts.get(uri, {}).get("label", ())), re.split(r"[#/]", uri.strip("<>"))[-1])

    owners = set()  # equipment; what hangs on the site's list of points belongs to no element
    for owner, about in sorted(facts.items()):
        classes = [re.split(r"[#/]", each.strip("<>"))[-1] for each in about.get("type", ())]
        brick = next((each for each in classes if brick_classes().get(each) == "equipment"), None)
        if (brick is not None or "HVAC_Zone" in classes) and not owner.rstrip(">").endswith("_points"):
            owners.add(owner)
            case.thing(owner, "IfcDistributionElement", name_of(owner), brick_class=brick or "HVAC_Zone")
    for uri, said in sorted(facts.items()):
        if "isPointOf" in said:
            about = said
            classes = [re.split(r"[#/]", each.strip("<>"))[-1] for each in about.get("type", ())]
            brick = next((each for each in classes if brick_classes().get(each) == "point"), None)
            local = re.split(r"[#/]", uri.strip("<>"))[-1]
            owner = about["isPointOf"][0]
            case.point(local, owner if owner in owners else None, name=name_of(uri), brick=brick)


def robod() -> Case:
    """Five rooms of a campus building, columns of a file each; the weather and the unit's own are the building's."""
    case = Case("robod")
    case.thing("building", "IfcBuilding", "ROBOD")
    for n, kind in enumerate(("Lecture room", "Lecture room", "Office", "Office", "Library"), 1):
        case.thing(f"Room{n}", "IfcSpace", f"{n}", long_name=f"{kind} {n}")
    for path in sorted((SHARED / "robod" / "Data").glob("combined_Room*.csv")):
        room = path.stem.removeprefix("combined_")
        with path.open() as file:
            names = next(csv.reader(io.StringIO(file.readline())))
        for name in names[1:]:
            outside = re.search(r"outdoor|dry_bulb|solar|wind|baromatic|rainfall", name)
            if not outside:
                case.point(f"{room}.{name}", room)
    return case


def main() -> None:
    """Print the figures of every data set."""
    brick = list(brick_models())
    for case in (smart_home(bms=False), smart_home(bms=True), bms_files(), robod(), *brick):
        for half in (False, True):
            precision, recall = measured(case, half=half)
            setting = "half_bound" if half else "nothing_bound"
            figure(f"points.{case.name}.{setting}.precision_at_1", precision, f"of {len(case.points)} points")
            figure(f"points.{case.name}.{setting}.recall_at_1", recall, f"of {len(case.truth)} with an answer")
    case = Case("tower")
    for n in range(2000):
        case.thing(str(n), "IfcSpace", f"{n // 40 + 1:02}.{n % 40:02}", long_name=f"Office {n % 40}")
        case.point(f"B1.L{n // 40 + 1:02}.R{n % 40:02}.ZN-T", str(n))
        case.point(f"B1.L{n // 40 + 1:02}.R{n % 40:02}.CO2", str(n))
    started = time.process_time()
    precision, recall = measured(case, half=False)
    figure("points.tower.seconds", time.process_time() - started, "CPU s for 4 000 points and 2 000 rooms")
    figure("points.tower.recall_at_1", recall, "made up")


if __name__ == "__main__":
    main()
