"""Domestic cold water: B1 tank, booster pumps, riser in the water shaft, a valve and a meter for each flat, taps."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample import runs
from ifc_models.sample.equipment import PRODUCTS
from ifc_models.sample.floor import Floor
from ifc_models.sample.furniture import FLATS, FURNITURE, write_sanitary
from ifc_models.sample.model import Item, Model, System
from ifc_models.sample.plan import WIDTH
from ifc_models.sample.shapes import Point, Y

RISER = (19.45, 10.85)  # x, y in the water shaft
TEE = 2.5  # height of the branches over each floor, m
_PUMPS = (4.4, 5.6, 6.8)  # y of the booster pumps
# Where each flat's pipe leaves the corridor: y there, x of the entry, y of the drop in the kitchen.
_ENTRIES = {"01": (8.5, 9.2, 12.5), "02": (8.62, 12.3, 7.7), "03": (8.74, 20.7, 7.7), "04": (8.86, 23.8, 12.5)}


def write_water(model: Model, floors: Sequence[Floor]) -> dict[str, Item]:
    """Write the system of one wing, from tank to taps; return its pumps, which need power."""
    wing = floors[0].place.path.removesuffix("B1")
    system = model.system(f"{wing}system/water", "J 生活给水系统", "Domestic cold water", "DOMESTICCOLDWATER", "PIPE")
    main, pumps = _write_pump_room(model, system, floors[0])
    below, height = main, floors[0].level.height
    for floor in floors[1:-1]:
        below = _write_storey(model, system, floor, below, height)
        height = floor.level.height
    return pumps


def _write_pump_room(model: Model, system: System, floor: Floor) -> tuple[Item, dict[str, Item]]:
    """Write tank, pumps and main up to the riser's foot; return the main's last segment and the pumps."""
    pumps: dict[str, Item] = {}
    room = floor.room("water_pumps")
    put, link = model.install, model.link
    inlet = put(
        PRODUCTS["water_meter_main"],
        "meter",
        "市政进水总表 Mains meter",
        room,
        (-5.4, 7.6, 2.2),
        x=Y,
        points=[("Water", "mains")],
    )
    tank = put(PRODUCTS["tank_domestic"], "tank", "生活水箱 1 Domestic tank", room, (-3.8, 5.6, 0.0))
    feed = runs.bent(
        model, room, "feed", runs.WATER_MAIN, [(-5.4, 7.6, 2.2), (-5.4, 6.0, 2.2), (-5.4, 6.0, 2.45), (-4.9, 6.0, 2.45)]
    )
    model.chain(system, inlet, feed, tank)
    level = put(
        PRODUCTS["sensor_level"],
        "tank_level",
        "水箱液位计 Tank level sensor",
        room,
        (-3.0, 5.0, 2.3),
        points=[("Level", "")],
    )
    model.control(tank, level)
    outlet = runs.run(model, system, room, "outlet", runs.WATER_MAIN, [(-2.0, 5.6, 0.42), (-1.6, 5.6, 0.42)], tank)
    suction = runs.bent(model, room, "suction", runs.WATER_MAIN, [(-1.6, 4.2, 0.42), (-1.6, 7.0, 0.42)])
    discharge = runs.bent(model, room, "discharge", runs.WATER_MAIN, [(0.6, 4.2, 0.42), (0.6, 7.2, 0.42)])
    link(system, outlet, suction)
    for number, y in enumerate(_PUMPS, 1):
        valve = put(
            PRODUCTS["valve_gate"], f"valve/{number}", f"水泵进口阀 {number} Suction valve", room, (-1.2, y, 0.42)
        )
        name = f"生活变频泵 {number} Domestic booster pump {number}"
        points = [
            ("PumpRun", f"dw_pump{number}"),
            ("PumpFault", f"dw_pump{number}"),
            ("Power", f"dw_pump{number}"),
        ]
        pump = put(
            PRODUCTS["pump_domestic"], f"pump/{number}", name, room, (-0.6, y, 0.12), points=points, Tag=f"DWP-{number}"
        )
        pumps[f"water/{number}"] = pump
        check = put(PRODUCTS["valve_check"], f"check/{number}", f"止回阀 {number} Check valve", room, (-0.1, y, 0.42))
        stub = runs.bent(model, room, f"stub/{number}", runs.WATER_RISER, [(0.0, y, 0.42), (0.6, y, 0.42)])
        model.chain(system, suction, valve, pump, check, stub, discharge)
    flow = put(
        PRODUCTS["sensor_flow"],
        "flow",
        "供水流量计 Supply flow sensor",
        room,
        (0.6, 7.4, 1.4),
        points=[("Flow", "dw_supply")],
    )
    pressure = put(
        PRODUCTS["sensor_pressure"],
        "pressure",
        "供水压力变送器 Supply pressure sensor",
        room,
        (0.6, 6.2, 0.47),
        points=[("Pressure", "dw_supply")],
    )
    model.control(discharge, flow)
    model.control(discharge, pressure)
    path: list[Point] = [(0.6, 7.2, 0.42), (0.6, 7.2, 3.0), (0.6, 9.6, 3.0), (RISER[0], 9.6, 3.0), (*RISER, 3.0)]
    return runs.run(model, system, floor.place, "water_main", runs.WATER_MAIN, path, discharge), pumps


def riser(
    model: Model,
    system: System,
    floor: Floor,
    line: runs.Line,
    at: tuple[float, float],
    below: Item,
    height: float,
    z: float,
) -> Item:
    """Write one storey of a riser, from the branch of the storey below (`height` m lower) to a tee at `z`; return it.

    Below the entrance storey the riser starts at the basement's main, 3.0 m over its floor.
    """
    start = 3.0 - height if floor.level.index == 0 else z - height
    shaft = floor.room("water" if at[0] > WIDTH / 2 else "air")
    name = f"riser/{line.segment[1]}/{at[0]:g}"
    segment = runs.run(model, system, shaft, name, line, [(*at, start), (*at, z)], below)
    tee = runs.fitting(model, shaft, name + "/tee", line, (*at, z), branch=True)
    model.link(system, segment, tee)
    return tee


def _write_storey(model: Model, system: System, floor: Floor, below: Item, height: float) -> Item:
    tee = riser(model, system, floor, runs.WATER_RISER, RISER, below, height, TEE)
    shaft = floor.room("water")
    put = model.install
    leak = put(
        PRODUCTS["sensor_leak"],
        "leak",
        "水井水浸传感器 Leak sensor",
        shaft,
        (20.0, 10.5, 0.0),
        points=[("WaterLeak", "")],
    )
    model.control(tee, leak)
    if floor.level.index == 0:
        valve = put(PRODUCTS["valve_flat"], "toilet_valve", "公卫截止阀 Stop valve", shaft, (19.45, 10.4, 1.3))
        path: list[Point] = [
            (19.45, 10.3, 1.3),
            (19.45, 10.3, 2.7),
            (19.45, 8.5, 2.7),
            (9.0, 8.5, 2.7),
            (9.0, 12.5, 2.7),
            (9.0, 12.5, 0.8),
        ]
        pipe = runs.bent(model, floor.place, "toilet_pipe", runs.WATER_FLAT, path)
        model.chain(system, tee, valve, pipe)
        model.link(system, pipe, *_write_toilet(model, floor))
        return tee
    isolating = put(
        PRODUCTS["valve_gate"], "isolating", f"楼层阀 {floor.level.key} Floor valve", shaft, (19.45, 10.65, TEE), x=Y
    )
    manifold = runs.bent(
        model, shaft, "manifold", runs.WATER_FLAT, [(19.45, 10.5, TEE), (19.45, 10.3, TEE), (19.45, 10.3, 0.9)]
    )
    model.chain(system, tee, isolating, manifold)
    for number, flat in enumerate(FLATS):
        _write_flat(model, system, floor, manifold, flat, 1.0 + number * 0.32)
    return tee


def _write_flat(model: Model, system: System, floor: Floor, manifold: Item, flat: str, z: float) -> None:
    """Write valve, meter, pipe and taps of one flat."""
    shaft = floor.room("water")
    unit = f"{floor.wing}{floor.level.index + 1}{flat}"
    put = model.install
    valve = put(PRODUCTS["valve_flat"], f"{flat}/valve", f"{unit} 截止阀 Stop valve", shaft, (19.55, 10.3, z))
    name = f"{unit} 水表 Water meter"
    meter = put(PRODUCTS["water_meter"], f"{flat}/meter", name, shaft, (19.75, 10.3, z), points=[("Water", flat)])
    y, x, drop = _ENTRIES[flat]
    out = 19.95 + int(flat) * 0.05
    points: list[Point] = [
        (19.83, 10.3, z),
        (out, 10.3, z),
        (out, 10.3, 2.7),
        (out, y, 2.7),
        (x, y, 2.7),
        (x, drop, 2.7),
        (x, drop, 1.0),
    ]
    pipe = runs.bent(model, floor.place, f"{flat}/water", runs.WATER_FLAT, points)
    taps = write_sanitary(model, floor, flat)
    model.chain(system, manifold, valve, meter, pipe)
    model.link(system, pipe, *taps)


def _write_toilet(model: Model, floor: Floor) -> list[Item]:
    room = floor.room("toilet")
    rows = (("basin", 5.6), ("basin", 6.6), ("wc", 8.3), ("wc", 9.2))
    return [
        model.install(FURNITURE[key], f"{key}/{n}", FURNITURE[key].name, room, (x, 12.75, 0.02))
        for n, (key, x) in enumerate(rows)
    ]
