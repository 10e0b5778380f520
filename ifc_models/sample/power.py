"""Electricity: transformer and generator, switchboard, busway, floor boards, meters, flat boards, lights, motors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ifc_models.sample import runs
from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.floor import Floor, clear, room_key
from ifc_models.sample.furniture import FLATS
from ifc_models.sample.model import Item, Model, System
from ifc_models.sample.shapes import Point

_BUSWAY = (12.4, 10.75)  # x, y in the electrical shaft
_EMERGENCY = (12.65, 10.75)
_PANELS = (
    "进线柜 AP0 Incoming",
    "住宅干线柜 AP1 Residential feeder",
    "公共负荷柜 AP2 Common loads",
    "动力柜 AP3 Motors",
)
# Consumer unit of each flat: x, y, facing; and the corridor lane of its cable.
_UNITS = {
    "01": (9.5, 7.9, "W", 9.62),
    "02": (13.3, 8.0, "S", 9.54),
    "03": (19.7, 8.0, "S", 9.46),
    "04": (23.5, 7.9, "E", 9.38),
}


def write_power(model: Model, floors: Sequence[Floor], motors: Mapping[str, Item]) -> None:
    """Write supply and lighting of one wing; `motors` are the machines that the other trades left to be fed."""
    wing = floors[0].place.path.removesuffix("B1")
    system = model.system(f"{wing}system/power", "D 低压配电系统", "Low-voltage supply", "ELECTRICAL", "CABLE")
    lighting = model.system(f"{wing}system/lighting", "ZM 照明系统", "Lighting", "LIGHTING", "CABLE")
    panels = _write_switchboard(model, system, floors[0])
    normal, emergency = panels[1], panels[-1]
    room = floors[0].place
    bus: list[Point] = [(25.8, 13.6, 2.3), (25.8, 13.6, 2.6), (25.8, 8.4, 2.6), (_BUSWAY[0], 8.4, 2.6), (*_BUSWAY, 2.6)]
    normal = runs.run(model, system, room, "busway", runs.BUSWAY, bus, normal)
    cable: list[Point] = [
        (28.2, 13.6, 2.3),
        (28.2, 13.6, 2.4),
        (28.2, 8.6, 2.4),
        (_EMERGENCY[0], 8.6, 2.4),
        (*_EMERGENCY, 2.4),
    ]
    emergency = runs.run(model, system, room, "emergency", runs.TRAY, cable, emergency)
    _write_motors(model, system, floors[0], panels[3], panels[-1], motors)
    _light_rooms(model, lighting, floors[0], panels[2])
    height = floors[0].level.height
    for floor in floors[1:]:
        top = 0.4 if floor.level.key == "RF" else 2.6
        shaft = floor.rooms.get("elec", floor.place)
        start = 2.6 - height
        if floor.level.key != "RF":
            normal = runs.run(model, system, shaft, "busway", runs.BUSWAY, [(*_BUSWAY, start), (*_BUSWAY, top)], normal)
            _write_storey(model, system, lighting, floor, normal)
        emergency = runs.run(
            model, system, shaft, "emergency", runs.TRAY, [(*_EMERGENCY, start), (*_EMERGENCY, top)], emergency
        )
        height = floor.level.height
    _write_roof(model, system, lighting, floors[-1], emergency, motors)


def _write_switchboard(model: Model, system: System, floor: Floor) -> list[Item]:
    """Write transformer, generator and the row of panels: AP0…AP3 and the emergency panel APE."""
    put, link = model.install, model.link
    room, hall = floor.room("switch"), floor.room("transformer")
    points = [("OilTemperature", "t1"), ("Power", "t1")]
    transformer = put(
        PRODUCTS["transformer"],
        "transformer",
        "1号变压器 T1 Transformer",
        hall,
        (34.6, 11.6, 0.0),
        x=FACING["W"],
        points=points,
        Tag="T1",
    )
    generator = put(
        PRODUCTS["generator"],
        "generator",
        "柴油发电机 G1 Diesel generator",
        floor.room("generator"),
        (25.8, 3.8, 0.0),
        Tag="G1",
    )
    panels: list[Item] = []
    for number, name in enumerate(_PANELS):
        points = [("Power", f"ap{number}"), ("Energy", f"ap{number}")]
        points += [("Voltage", "ap0"), ("Current", "ap0")] if number == 0 else []
        panels.append(
            put(
                PRODUCTS["mdb"],
                f"ap{number}",
                name,
                room,
                (25.0 + number * 0.8, 14.0, 0.0),
                points=points,
                Tag=f"AP{number}",
            )
        )
    panel = put(
        PRODUCTS["mdb"],
        "ape",
        "应急双电源柜 APE Emergency panel",
        room,
        (28.2, 14.0, 0.0),
        points=[("Power", "ape")],
        Tag="APE",
    )
    bar = runs.bent(
        model,
        floor.place,
        "incomer",
        runs.BUSWAY,
        [(34.6, 12.6, 1.8), (34.6, 12.6, 2.5), (25.0, 12.6, 2.5), (25.0, 13.6, 2.5), (25.0, 13.6, 2.25)],
    )
    model.chain(system, transformer, bar, panels[0])
    link(system, panels[0], *panels[1:], panel)
    cable = runs.bent(
        model,
        floor.place,
        "generator_cable",
        runs.TRAY,
        [(25.8, 3.8, 2.8), (29.0, 3.8, 2.8), (29.0, 13.6, 2.8), (28.3, 13.6, 2.8), (28.3, 13.6, 2.3)],
    )
    model.chain(system, generator, cable, panel)
    for kind, x in (("sensor_temperature", 24.2), ("sensor_humidity", 24.5)):
        role = "Temperature" if kind.endswith("temperature") else "Humidity"
        put(PRODUCTS[kind], kind, PRODUCTS[kind].name, room, (x, 14.44, 1.5), points=[(role, "")])
    leak = put(
        PRODUCTS["sensor_leak"], "leak", "水浸传感器 Leak sensor", room, (27.0, 13.0, 0.02), points=[("WaterLeak", "")]
    )
    del leak
    return [*panels, panel]


def _write_motors(
    model: Model, system: System, floor: Floor, feeder: Item, emergency: Item, motors: Mapping[str, Item]
) -> None:
    """Feed pumps and fans of the basement over control cabinets in their rooms."""
    put = model.install
    groups = (
        ("water", "water_pumps", feeder, (-5.6, 3.0), "E", "生活水泵控制柜 Booster pump control"),
        ("fire", "fire_pumps", emergency, (10.9, 0.8), "W", "消防泵控制柜 Fire pump control"),
        ("air", "supply_fans", feeder, (5.5, 14.4), "S", "空调机组控制柜 AHU control"),
        ("exhaust", "exhaust_fans", feeder, (38.7, 2.2), "W", "排风机控制柜 Exhaust fan control"),
    )
    for key, room, source, (x, y), side, name in groups:
        cabinet = put(
            PRODUCTS["mcc"], "mcc", name, floor.room(room), (x, y, 0.0), x=FACING[side], points=[("Power", "mcc")]
        )
        way: list[Point] = [
            (27.4, 13.6, 2.25),
            (27.4, 13.6, 3.2),
            (27.4, 8.3, 3.2),
            (x, 8.3, 3.2),
            (x, y, 3.2),
            (x, y, 1.9),
        ]
        if key == "exhaust":
            way = [(27.4, 13.6, 2.25), (27.4, 13.6, 3.2), (x - 0.2, 13.6, 3.2), (x - 0.2, y, 3.2), (x - 0.2, y, 1.9)]
        cable = runs.bent(model, floor.place, f"cable/{key}", runs.CABLE, way)
        model.chain(system, source, cable, cabinet)
        fed = [item for name, item in motors.items() if name.startswith(key + "/")]
        model.link(system, cabinet, *fed)


def _write_storey(model: Model, system: System, lighting: System, floor: Floor, busway: Item) -> None:
    shaft = floor.room("elec")
    put = model.install
    points = [("Power", "board"), ("Light", "board")]
    board = put(
        PRODUCTS["board_floor"],
        "board",
        f"楼层配电箱 {floor.level.key} AL Floor board",
        shaft,
        (13.3, 11.0, 1.3),
        points=points,
    )
    model.link(system, busway, board)
    common = {r.key for r in floor.level.plan.rooms if not r.flat}
    _light_rooms(model, lighting, floor, board, only=common)
    if floor.level.index == 0:
        return
    for number, flat in enumerate(FLATS):
        unit = f"{floor.wing}{floor.level.index + 1}{flat}"
        mx = 13.79
        my = round(10.15 + number * 0.2, 2)
        meter = put(
            PRODUCTS["energy_meter"],
            f"{flat}/meter",
            f"{unit} 电表 Electricity meter",
            shaft,
            (mx, my, 1.6),
            x=FACING["W"],
            points=[("Energy", flat)],
        )
        x, y, side, lane = _UNITS[flat]
        way: list[Point] = [
            (mx - 0.05, my, 1.84),
            (mx - 0.05, my, 2.76),
            (mx - 0.05, lane, 2.76),
            (x, lane, 2.76),
            (x, y, 2.76),
            (x, y, 1.9),
        ]
        cable = runs.bent(model, floor.place, f"{flat}/cable", runs.CABLE_FLAT, way)
        place = floor.room(f"{flat}.living")
        consumer = put(
            PRODUCTS["board_flat"], "board", f"{unit} 户内配电箱 Consumer unit", place, (x, y, 1.65), x=FACING[side]
        )
        model.chain(system, board, meter, cable, consumer)
        _light_rooms(
            model, lighting, floor, consumer, only={room_key(r) for r in floor.level.plan.rooms if r.flat == flat}
        )


_DARK = frozenset({"lift", "balcony", "terrace"})
_LINEAR = frozenset({"garage", "plant", "electric", "office", "control", "telecom", "store", "refuse", "shaft"})


def _light_rooms(model: Model, system: System, floor: Floor, board: Item, *, only: set[str] | None = None) -> None:
    """Light every room (or those named): a grid of fixtures, one for about 25 m2 (garage 60 m2)."""
    for room in floor.level.plan.rooms:
        key = room_key(room)
        if room.kind in _DARK or (only is not None and key not in only) or (room.kind == "shaft" and key != "elec"):
            continue
        product = PRODUCTS["light_linear" if room.kind in _LINEAR else "light"]
        z = 2.6 if room.kind in ("stair", "shaft") else round(floor.z_ceiling, 4)
        x0, y0, x1, y1 = clear(room, floor.level.plan)
        per = 60.0 if room.kind == "garage" else 12.0 if room.kind == "corridor" else 25.0
        count = max(1, round((x1 - x0) * (y1 - y0) / per))
        columns = max(1, min(count, round((count * (x1 - x0) / (y1 - y0)) ** 0.5)))
        rows = max(1, round(count / columns))
        for index in range(columns * rows):
            x = x0 + (x1 - x0) * (index % columns + 0.5) / columns
            y = y0 + (y1 - y0) * (index // columns + 0.5) / rows
            name = f"{product.name} {room.zh} {index + 1}"
            light = model.install(product, f"light/{index + 1}", name, floor.rooms[key], (round(x, 3), round(y, 3), z))
            model.link(system, board, light)


def _write_roof(
    model: Model, system: System, lighting: System, floor: Floor, emergency: Item, motors: Mapping[str, Item]
) -> None:
    """Feed lifts, smoke fans and the roof's units from the emergency riser."""
    room = floor.room("lift_machines")
    put = model.install
    board = put(
        PRODUCTS["mcc"],
        "board",
        "屋顶应急配电柜 Roof emergency board",
        room,
        (14.6, 14.4, 0.0),
        points=[("Power", "board")],
    )
    cable = runs.bent(
        model,
        floor.place,
        "roof_cable",
        runs.CABLE,
        [(*_EMERGENCY, 0.4), (*_EMERGENCY, 2.6), (14.6, 10.75, 2.6), (14.6, 14.2, 2.6), (14.6, 14.2, 1.9)],
    )
    model.chain(system, emergency, cable, board)
    model.link(system, board, *[item for name, item in motors.items() if name.startswith("roof/")])
    _light_rooms(model, lighting, floor, board)
