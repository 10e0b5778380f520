"""The table of docs/spatial.md: what the spatial network of real models is made of, and where it breaks.

`python -m tests.benchmarks spatial_table` imports the models of ../shared/ifc into a server of its own and prints one
row of Markdown per building. With `--plans FOLDER` it also draws every storey's rooms and doors as SVG, to be
compared with the drawings by eye.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.figures import figure
from tests.serving import serving, upload

SHARED = Path(__file__).parents[3] / "shared" / "ifc"
BUILDINGS: Mapping[str, Sequence[tuple[str, str]]] = {
    "AC11-Institute": [("arch/AC11-Institute-Var-2.ifc", "arc")],
    "AC20-FZK-Haus": [("arch/AC20-FZK-Haus.ifc", "arc")],
    "Duplex A + Electrical": [("arch/Duplex_A_20110907.ifc", "arc"), ("mep/Duplex_Electrical_20121207.ifc", "mep")],
    "KIT-EDC": [("arch/KIT-EDC_with_SB.ifc", "arc")],
    "OpenSmartHome Flat": [("arch/OpenSmartHome_04_Flat.ifc", "arc")],
    "SampleHouse4": [("arch/SampleHouse4.ifc", "arc")],
    "Janesville restaurant": [("arch/janesville_restaurant_revit2012.ifc", "arc")],
    "3rooms with heater": [("mep/3rooms_Heater_AirTerminal_with_SB.ifc", "mep")],
    "b03 heating": [("mep/b03_heating_with_building_props_bonsai.ifc", "mep")],
    "hvac_heating": [("mep/hvac_heating_luartx.ifc", "mep")],
    "house_3x3 (no rooms)": [("arch/house_3x3_bonsai.ifc", "arc")],
}
HEAD = (
    "| building | rooms (without floor, doubled) | adjacencies (by the file) | doors: two rooms / outside / none "
    "| passages | equipment: file / derived / not | derived rooms, m² | flow: elements, parts, circuits | breaks |"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=Path)
    parser.add_argument("--only", help="buildings whose name has one of these in it: a,b")
    asked = parser.parse_args()
    plans: Path | None = asked.plans
    print(HEAD)
    print("|" + "---|" * 9)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), None) as server, server.client() as client:
        client.timeout = httpx.Timeout(600)
        for building, files in BUILDINGS.items():
            if asked.only and not any(each in building for each in asked.only.split(",")):
                continue
            client.post("/buildings", json={"name": building}).raise_for_status()
            for file, discipline in files:
                done = upload(client, SHARED / file, building)
                assert done["state"] == "done", (file, discipline, done)
            print(_row(building, client), flush=True)
            if plans is not None:
                _draw(building, client, plans)


def _row(building: str, client: httpx.Client) -> str:
    report = client.get(f"/buildings/{building}/network").raise_for_status().json()
    derived = client.get(f"/buildings/{building}/derived-rooms").raise_for_status().json()["items"]
    rooms = [room for storey in derived for room in storey["derived"]]
    placed = [report["equipment_in_room_by_file"], report["equipment_in_room_derived"]]
    breaks = [
        f"{len(report['islands'])} islands {report['islands'][:4]}" if len(report["islands"]) > 1 else "",
        f"{report['loose_ports']['count']} loose ports" if report["loose_ports"]["count"] else "",
        f"{report['loose_ends']['count']} loose ends" if report["loose_ends"]["count"] else "",
        f"storeys without rooms: {len(report['storeys_without_rooms'])}" if report["storeys_without_rooms"] else "",
    ]
    if report["equipment"]:
        figure(f"spatial.placed.{building}", sum(placed) / report["equipment"], "of equipment in a room")
    cells = (
        building,
        f"{report['rooms']} ({report['rooms_without_floor']['count']}, {report['rooms_doubled']['count']})",
        f"{report['adjacencies']} ({report['adjacencies_given']})",
        f"{report['doors_joining_two']} / {report['doors_leading_outside']} / {report['doors_joining_none']['count']}",
        report["passages"],
        f"{placed[0]} / {placed[1]} / {report['equipment'] - sum(placed)}",
        f"{len(rooms)}, {sum(room['area'] for room in rooms):.0f}",
        f"{report['flow_elements']}, {len(report['flow_parts'])}, {len(report['circuits'])}",
        "; ".join(each for each in breaks if each) or "none",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _draw(building: str, client: httpx.Client, folder: Path) -> None:
    """Draw each storey as SVG: the file's rooms with names, doors and passages as dots, derived rooms in ochre."""
    spaces = client.get(f"/buildings/{building}/spaces", params={"limit": 1000}).raise_for_status().json()["items"]
    derived = client.get(f"/buildings/{building}/derived-rooms").raise_for_status().json()["items"]
    folder.mkdir(parents=True, exist_ok=True)
    for storey in derived:
        rooms = [
            client.get(f"/spaces/{each['id']}").raise_for_status().json()
            for each in spaces
            if each["storey_id"] == storey["storey_id"] and each["has_floor"]
        ]
        shapes = [_polygon(room["footprint"], "#fde9c8") for room in storey["derived"]]
        shapes += [_polygon(room["footprint"], "#e8f0f8") for room in rooms]
        corners = [c for each in [*storey["derived"], *rooms] for ring in _rings(each["footprint"]) for c in ring]
        for room in rooms:
            ring = _rings(room["footprint"])[0]
            x, y = (sum(c[k] for c in ring) / len(ring) for k in (0, 1))
            words = escape(f"{room['name']} {room['long_name'] or ''} {room['area']:.1f}")
            shapes.append(f'<text x="{x:.2f}" y="{-y:.2f}" font-size=".3" text-anchor="middle">{words}</text>')
            shapes += [_door(client, door, "#0b7a3b") for door in room["doors"]]
            shapes += [_door(client, door, "#7b1fa2") for door in room["passages"]]
        if corners:
            x0, y1 = min(c[0] for c in corners) - 1, max(c[1] for c in corners) + 1
            view = f"{x0} {-y1} {max(c[0] for c in corners) - x0 + 1} {y1 - min(c[1] for c in corners) + 1}"
            name = f"{building}-{storey['storey']}.svg".replace("/", "_").replace(" ", "_")
            body = "\n".join(shapes)
            (folder / name).write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{body}</svg>')


def _polygon(geometry: Mapping[str, Any], colour: str) -> str:
    path = " ".join("M" + " L".join(f"{c[0]:.3f},{-c[1]:.3f}" for c in ring) + " Z" for ring in _rings(geometry))
    return f'<path d="{path}" fill="{colour}" stroke="#30506f" stroke-width=".03" fill-rule="evenodd"/>'


def _door(client: httpx.Client, door: Mapping[str, Any], colour: str) -> str:
    """A dot: red where it leads outside."""
    box = client.get(f"/elements/{door['id']}").raise_for_status().json()["bbox"]
    x, y = (box[0] + box[3]) / 2, (box[1] + box[4]) / 2
    return f'<circle cx="{x:.2f}" cy="{-y:.2f}" r=".18" fill="{"#d0021b" if door["outside"] else colour}"/>'


def _rings(geometry: Mapping[str, Any]) -> list[list[list[float]]]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [ring for polygon in polygons for ring in polygon]


if __name__ == "__main__":
    main()
