"""Weak current: fire alarm, CCTV, access control and the building management system with its room sensors."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample import runs
from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.fire import write_detection
from ifc_models.sample.floor import Floor
from ifc_models.sample.furniture import FLATS
from ifc_models.sample.model import Item, Model, System
from ifc_models.sample.shapes import Point

_FIRE, _DATA = (12.9, 10.75), (13.05, 10.75)  # cable risers in the electrical shaft


def write_signals(model: Model, floors: Sequence[Floor]) -> None:
    """Write the signal systems of one wing: from fire control and telecom room down and up the shaft."""
    wing = floors[0].place.path.removesuffix("B1")
    alarm = model.system(f"{wing}system/alarm", "FAS 火灾自动报警系统", "Fire alarm", "SIGNAL", "CABLE")
    data = model.system(f"{wing}system/data", "SDS 综合布线系统", "Data network", "DATA", "CABLE")
    control = model.system(f"{wing}system/control", "BAS 楼宇自控系统", "Building management", "CONTROL", "CABLE")
    panel, core = _write_control_rooms(model, data, floors[1])
    loop = _trunk(model, alarm, floors, 1, _FIRE, runs.CABLE_FIRE, panel, (8.8, 4.3))
    fibre = _trunk(model, data, floors, 1, _DATA, runs.CABLE_DATA, core, (30.8, 10.4))
    for index, floor in enumerate(floors):
        shaft = floor.rooms.get("elec", floor.rooms.get("lift_machines", floor.place))
        north = 14.46 if floor.level.key == "RF" else 10.0
        x = 16.0 if floor.level.key == "RF" else 12.75
        side = "S" if floor.level.key == "RF" else "N"
        module = model.install(
            PRODUCTS["fire_module"],
            "fire_module",
            f"消防模块箱 {floor.level.key} Fire loop module",
            shaft,
            (12.5 if side == "N" else x, north, 1.9),
            x=FACING[side],
        )
        switch = model.install(
            PRODUCTS["switch_floor"],
            "switch",
            f"楼层交换机 {floor.level.key} Floor switch",
            shaft,
            (13.65 if side == "N" else x + 1.0, north, 2.3),
            x=FACING[side],
        )
        controller = model.install(
            PRODUCTS["ddc"],
            "ddc",
            f"DDC控制器 {floor.level.key} BMS controller",
            shaft,
            (13.6 if side == "N" else x + 2.0, north, 1.4 if side == "N" else 1.2),
            x=FACING[side],
        )
        model.link(alarm, loop[index], module)
        model.link(data, fibre[index], switch)
        model.link(data, switch, controller)
        write_detection(model, alarm, floor, module)
        _write_cameras(model, data, floor, switch)
        _write_sensors(model, control, floor, controller)


def _write_control_rooms(model: Model, data: System, ground: Floor) -> tuple[Item, Item]:
    """Write fire control and telecom room; return fire panel and core switch."""
    put = model.install
    room, telecom = ground.room("fire_control"), ground.room("telecom")
    panel = put(PRODUCTS["fire_panel"], "panel", "火灾报警主机 Fire alarm panel", room, (8.8, 4.35, 0.0), Tag="FACP-1")
    put(PRODUCTS["console"], "console", "消控室操作台 Operator console", room, (8.4, 2.4, 0.02), x=FACING["N"])
    screens = put(PRODUCTS["display"], "display", "监控大屏 Monitor wall", room, (6.12, 2.2, 1.0), x=FACING["E"])
    core = put(PRODUCTS["switch_core"], "core", "核心交换机 Core switch", telecom, (30.6, 12.7, 0.02))
    recorder = put(PRODUCTS["recorder"], "recorder", "网络录像机 Video recorder", telecom, (31.4, 12.7, 0.02))
    temperature = put(
        PRODUCTS["sensor_temperature"],
        "temperature",
        "机房温度 Telecom room temperature",
        telecom,
        (32.3, 12.76, 1.5),
        points=[("Temperature", "")],
    )
    model.control(core, temperature)
    model.link(data, core, recorder)
    model.link(data, recorder, screens)
    return panel, core


def _trunk(
    model: Model,
    system: System,
    floors: Sequence[Floor],
    start: int,
    at: tuple[float, float],
    line: runs.Line,
    source: Item,
    exit_at: tuple[float, float],
) -> list[Item]:
    """Write the cable from `source` on the entrance storey to the shaft and along it; return each storey's segment."""
    x, y = exit_at
    way: list[Point] = [(x, y, 2.0), (x, y, 3.6), (x, 9.2, 3.6), (at[0], 9.2, 3.6), (*at, 3.6), (*at, 2.0)]
    feeder = runs.bent(model, floors[start].place, f"trunk/{at[0]:g}", line, way)
    model.link(system, source, feeder)
    segments: dict[int, Item] = {start: feeder}
    for step in (1, -1):
        previous, index = feeder, start + step
        while 0 <= index < len(floors):
            floor = floors[index]
            between = floors[min(index, index - step)].level.height
            shaft = floor.rooms.get("elec", floor.place)
            top = (*at, 2.0 - between) if step > 0 else (*at, 2.0 + between)
            previous = runs.run(
                model,
                system,
                shaft,
                f"trunk/{at[0]:g}",
                line,
                [top, (*at, 1.0 if floor.level.key == "RF" else 2.0)],
                previous,
            )
            segments[index] = previous
            index += step
    return [segments[i] for i in range(len(floors))]


_CAMERAS = {
    "B1": (
        ("garage", 0.0, -8.7),
        ("garage", 16.5, -8.7),
        ("garage", 33.0, -8.7),
        ("entrance", 16.5, 1.0),
        ("switch", 30.0, 9.0),
    ),
    "F01": (
        ("entrance", 16.5, 7.0),
        ("entrance", 12.4, 1.0),
        ("corridor_w", 1.0, 9.0),
        ("corridor_e", 32.0, 9.0),
        ("parcels", 8.7, 7.4),
        ("fire_control", 10.8, 0.6),
    ),
    "RF": (("terrace", 16.5, 9.6), ("lift_machines", 18.6, 10.4)),
}
_READERS = {
    "B1": (("garage", 18.2, -0.1, "S"), ("garage", 27.0, -0.1, "S")),
    "F01": (("corridor", 18.2, 8.2, "N"), ("entrance", 11.5, 4.3, "E")),
}


def _write_cameras(model: Model, system: System, floor: Floor, switch: Item) -> None:
    key = floor.level.key
    spots = _CAMERAS.get(key, (("lobby", 14.3, 10.3), ("corridor", 22.8, 8.6)))
    for number, (room, x, y) in enumerate(spots, 1):
        z = 2.6 if room == "terrace" else round(floor.z_ceiling, 4)
        camera = model.install(
            PRODUCTS["camera"], f"camera/{number}", f"摄像机 {key}-{number} Camera", floor.room(room), (x, y, z)
        )
        model.link(system, switch, camera)
    for number, (room, x, y, side) in enumerate(_READERS.get(key, ()), 1):
        name = f"门禁读卡器 {key}-{number} Access reader"
        reader = model.install(
            PRODUCTS["reader"], f"reader/{number}", name, floor.room(room), (x, y, 1.3), x=FACING[side]
        )
        model.link(system, switch, reader)


# Room, x, y, facing of a sensor triple (temperature, CO2, humidity).
_CLIMATE = {
    "B1": (("entrance", 11.5, 4.0, "E"),),
    "F01": (
        ("entrance", 21.5, 3.0, "W"),
        ("office", 0.13, 7.0, "E"),
        ("community", 32.88, 7.4, "W"),
        ("fire_control", 7.4, 4.4, "S"),
    ),
}
_THERMOSTATS = {"01": (5.16, 4.6, "E"), "02": (13.0, 4.4, "E"), "03": (20.0, 4.4, "W"), "04": (27.84, 4.6, "W")}


def _write_sensors(model: Model, system: System, floor: Floor, controller: Item) -> None:
    key, put = floor.level.key, model.install
    sensors: list[Item] = []
    climate = _CLIMATE.get(key, (("corridor", 15.6, 8.2, "N"),) if key != "RF" else ())
    for room, x, y, side in climate:
        for number, (kind, role) in enumerate(
            (("temperature", "Temperature"), ("co2", "CO2"), ("humidity", "Humidity"))
        ):
            dx, dy = (0.2 * number, 0.0) if side in "NS" else (0.0, 0.2 * number)
            product = PRODUCTS[f"sensor_{kind}"]
            at = (round(x + dx, 3), round(y + dy, 3), 1.5)
            sensors.append(
                put(product, kind, f"{product.name} {key}", floor.room(room), at, x=FACING[side], points=[(role, "")])
            )
    for stair, x in (("stair1", 10.7), ("stair2", 22.3)):
        y = 9.8 if key == "RF" else 10.0
        place = floor.room("terrace" if key == "RF" else stair)
        name = f"防火门门磁 {key}-{stair[-1]} Fire door contact"
        facing = FACING["S"] if key == "RF" else FACING["N"]
        sensors.append(
            put(
                PRODUCTS["sensor_door"],
                f"door/{stair}",
                name,
                place,
                (x, y, 2.12),
                x=facing,
                points=[("DoorOpen", f"door_{stair}")],
            )
        )
    if floor.level.index > 0 and key != "RF":
        for flat in FLATS:
            x, y, side = _THERMOSTATS[flat]
            name = f"{floor.wing}{floor.level.index + 1}{flat} 室温传感器 Room temperature"
            sensors.append(
                put(
                    PRODUCTS["sensor_temperature"],
                    "temperature",
                    name,
                    floor.room(f"{flat}.living"),
                    (x, y, 1.4),
                    x=FACING[side],
                    points=[("Temperature", "")],
                )
            )
    sensors += _write_special(model, floor)
    if sensors:
        model.link(system, controller, *sensors)


def _write_special(model: Model, floor: Floor) -> list[Item]:
    """Return sensors that only basement and roof have."""
    put = model.install
    if floor.level.key == "RF":
        points = [("OutsideTemperature", "weather"), ("OutsideHumidity", "weather")]
        points = [("OutsideTemperature", "weather"), ("OutsideHumidity", "weather")]
        return [
            put(
                PRODUCTS["weather"],
                "weather",
                "屋顶气象站 Weather station",
                floor.room("terrace"),
                (2.0, 8.0, 0.0),
                points=points,
            )
        ]
    if floor.level.key == "B1":
        rooms = (("water_pumps", -4.0, 1.5), ("fire_pumps", 5.0, 7.0))
        name = "水泵房水浸传感器 Pump room leak sensor"
        return [
            put(PRODUCTS["sensor_leak"], "leak", name, floor.room(room), (x, y, 0.02), points=[("WaterLeak", "leak")])
            for room, x, y in rooms
        ]
    return []
