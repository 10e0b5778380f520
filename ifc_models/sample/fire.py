"""Fire protection: tanks, hydrant and sprinkler pumps, risers, hydrants, sprinklers; detection and alarm."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample import runs
from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.floor import Floor, clear
from ifc_models.sample.model import Item, Model, Place, System
from ifc_models.sample.plan import Room
from ifc_models.sample.shapes import Point, Y
from ifc_models.sample.water import TEE, riser

_HYDRANT = (19.95, 10.85)  # risers in the water shaft
_SPRINKLER = (20.4, 10.85)
_SPRINKLERS = ((10.8, 9.2), (13.6, 9.2), (16.5, 9.2), (19.4, 9.2), (22.2, 9.2))  # over the corridor


def write_fire_water(model: Model, floors: Sequence[Floor]) -> dict[str, Item]:
    """Write hydrants and sprinklers of one wing, from tank to terminal; return the pumps, which need power."""
    pumps: dict[str, Item] = {}
    wing = floors[0].place.path.removesuffix("B1")
    hydrants = model.system(f"{wing}system/hydrant", "X 消火栓系统", "Fire hydrant system", "FIREPROTECTION", "PIPE")
    sprinklers = model.system(
        f"{wing}system/sprinkler", "ZP 自动喷水灭火系统", "Sprinkler system", "FIREPROTECTION", "PIPE"
    )
    basement = floors[0]
    tank = model.install(
        PRODUCTS["tank_fire"], "tank", "消防水池 Fire water tank", basement.room("fire_pumps"), (9.6, 5.8, 0.0)
    )
    room = basement.room("fire_pumps")
    level = model.install(
        PRODUCTS["sensor_level"],
        "level",
        "消防水池液位计 Fire tank level",
        room,
        (9.6, 5.8, 3.0),
        points=[("Level", "")],
    )
    model.control(tank, level)
    wet = _write_pumps(
        model,
        hydrants,
        basement,
        tank,
        "pump_hydrant",
        "消火栓泵 Hydrant pump",
        "pump_fire",
        6.4,
        _HYDRANT,
        9.45,
        pumps,
    )
    dry = _write_pumps(
        model,
        sprinklers,
        basement,
        tank,
        "pump_sprinkler",
        "喷淋泵 Sprinkler pump",
        "pump_sprinkler",
        2.6,
        _SPRINKLER,
        9.75,
        pumps,
    )
    height = basement.level.height
    _write_garage_hydrants(model, hydrants, sprinklers, basement, wet, dry)
    for floor in floors[1:-1]:
        wet = riser(model, hydrants, floor, runs.FIRE_RISER, _HYDRANT, wet, height, TEE)
        dry = riser(model, sprinklers, floor, runs.FIRE_RISER, _SPRINKLER, dry, height, TEE)
        _write_hydrants(model, hydrants, floor, wet)
        _write_sprinklers(model, sprinklers, floor, dry)
        height = floor.level.height
    pumps["roof/jockey"] = _write_roof_tank(model, hydrants, floors[-1], wet)
    return pumps


def _write_pumps(
    model: Model,
    system: System,
    floor: Floor,
    tank: Item,
    path: str,
    name: str,
    product: str,
    y: float,
    at: tuple[float, float],
    main_y: float,
    pumps: dict[str, Item],
) -> Item:
    """Write a duty and a standby pump and the main to the riser at `at`; return the main's last segment."""
    room = floor.room("fire_pumps")
    put = model.install
    suction = runs.bent(
        model, room, f"{path}/suction", runs.FIRE_MAIN, [(8.1, y, 0.42), (7.3, y, 0.42), (7.3, y - 1.6, 0.42)]
    )
    header = runs.bent(model, room, f"{path}/header", runs.FIRE_MAIN, [(4.4, y - 1.6, 0.42), (4.4, y + 0.4, 0.42)])
    model.link(system, tank, suction)
    key = "fh" if "hydrant" in path else "fs"
    for number, py in enumerate((y, y - 1.5), 1):
        valve = put(
            PRODUCTS["valve_gate"], f"{path}/valve/{number}", f"泵进口阀 {number} Suction valve", room, (6.9, py, 0.42)
        )
        points = [("PumpRun", f"{key}_pump{number}"), ("PumpFault", f"{key}_pump{number}")]
        pump = put(
            PRODUCTS[product],
            f"{path}/{number}",
            f"{name} {number}",
            room,
            (6.1, py, 0.0),
            points=points,
            Tag=f"{key.upper()}P-{number}",
        )
        pumps[f"fire/{key}{number}"] = pump
        check = put(
            PRODUCTS["valve_check"], f"{path}/check/{number}", f"止回阀 {number} Check valve", room, (5.3, py, 0.42)
        )
        stub = runs.bent(model, room, f"{path}/stub/{number}", runs.FIRE_BRANCH, [(5.2, py, 0.42), (4.4, py, 0.42)])
        model.chain(system, suction, valve, pump, check, stub, header)
    sensor = put(
        PRODUCTS["sensor_pressure"],
        f"{path}/pressure",
        f"{name} 压力 pressure",
        room,
        (4.4, y - 0.6, 0.49),
        points=[("Pressure", key)],
    )
    model.control(header, sensor)
    end: Item = header
    if key == "fs":
        end = put(
            PRODUCTS["valve_alarm"], f"{path}/alarm_valve", "湿式报警阀 Wet alarm valve", room, (4.4, y + 0.4, 1.2)
        )
        model.link(system, header, end)
    z = 2.75 if key == "fs" else 3.0
    way: list[Point] = [(4.4, y + 0.4, 0.42), (4.4, y + 0.4, z), (4.4, main_y, z), (at[0], main_y, z), (*at, z)]
    if z != 3.0:
        way.append((*at, 3.0))
    return runs.run(model, system, floor.place, f"{path}/main", runs.FIRE_MAIN, way, end)


def _write_garage_hydrants(
    model: Model, hydrants: System, sprinklers: System, floor: Floor, wet: Item, dry: Item
) -> None:
    """Write hydrants on the garage's walls and sprinklers over its lanes."""
    garage = floor.room("garage")
    path: list[Point] = [(19.95, 9.45, 2.72), (17.6, 9.45, 2.72), (17.6, -0.3, 2.72)]
    branch = runs.bent(
        model, floor.place, "garage/hydrants", runs.FIRE_BRANCH, [*path, (35.5, -0.3, 2.72), (35.5, -0.3, 1.8)]
    )
    west = runs.bent(
        model,
        garage,
        "garage/hydrants_w",
        runs.FIRE_BRANCH,
        [(17.6, -0.3, 2.72), (-3.5, -0.3, 2.72), (-3.5, -0.3, 1.8)],
    )
    model.chain(hydrants, wet, branch, west)
    for number, (x, source) in enumerate(((-3.5, west), (9.6, west), (23.0, branch), (35.5, branch))):
        cabinet = model.install(
            PRODUCTS["hydrant"], f"hydrant/{number}", f"消火栓 B1-{number + 1} Hydrant", garage, (x, -0.1, 0.8)
        )
        model.link(hydrants, source, cabinet)
    way: list[Point] = [(20.4, 9.75, 2.75), (15.4, 9.75, 2.75), (15.4, -8.7, 2.75)]
    feed = runs.bent(model, floor.place, "garage/sprinkler_feed", runs.FIRE_BRANCH, way)
    model.link(sprinklers, dry, feed)
    for number, y in enumerate((-14.4, -8.7, -3.0)):
        line = (
            runs.bent(
                model,
                garage,
                f"garage/sprinklers/{number}",
                runs.FIRE_BRANCH,
                [(15.4, -8.7, 2.75), (15.4, y, 2.75), (-4.0, y, 2.75)],
            )
            if y != -8.7
            else runs.bent(
                model, garage, f"garage/sprinklers/{number}", runs.FIRE_BRANCH, [(-4.0, y, 2.75), (37.0, y, 2.75)]
            )
        )
        model.link(sprinklers, feed, line)
        for index in range(12 if y == -8.7 else 6):
            at = (round(-4.0 + index * 3.5, 2), y, 2.72)
            head = model.install(PRODUCTS["sprinkler"], f"sprinkler/{number}/{index}", "喷头 Sprinkler", garage, at)
            model.link(sprinklers, line, head)


def _write_hydrants(model: Model, system: System, floor: Floor, tee: Item) -> None:
    corridor = floor.room("corridor")
    key = floor.level.key
    for side, x in (("w", 12.1), ("e", 20.9)):
        path: list[Point] = [(*_HYDRANT, TEE), (_HYDRANT[0], 9.65, TEE), (x, 9.65, TEE), (x, 8.35, TEE), (x, 8.35, 1.8)]
        branch = runs.bent(model, floor.place, f"hydrant/{side}", runs.FIRE_BRANCH, path)
        name = f"消火栓 {key}-{side.upper()} Hydrant"
        cabinet = model.install(PRODUCTS["hydrant"], f"hydrant_{side}", name, corridor, (x, 8.2, 0.8), x=FACING["N"])
        model.chain(system, tee, branch, cabinet)


def _write_sprinklers(model: Model, system: System, floor: Floor, tee: Item) -> None:
    shaft, corridor, lobby = floor.room("water"), floor.room("corridor"), floor.room("lobby")
    put = model.install
    x = _SPRINKLER[0]
    valve = put(
        PRODUCTS["valve_signal"],
        "signal_valve",
        f"信号阀 {floor.level.key} Supervised valve",
        shaft,
        (x, 10.6, TEE),
        x=Y,
    )
    switch = put(
        PRODUCTS["sensor_flowswitch"],
        "flow_switch",
        f"水流指示器 {floor.level.key} Flow switch",
        shaft,
        (x, 10.3, TEE),
        x=Y,
        points=[("WaterFlow", "sprinkler")],
    )
    path: list[Point] = [(x, 10.5, TEE), (x, 9.2, TEE), (10.8, 9.2, TEE)]
    branch = runs.bent(model, floor.place, "sprinklers", runs.FIRE_BRANCH, path)
    model.chain(system, tee, valve, branch)
    model.control(branch, switch)
    for number, (px, py) in enumerate(_SPRINKLERS):
        head = put(PRODUCTS["sprinkler"], f"sprinkler/{number}", "喷头 Sprinkler", corridor, (px, py, TEE - 0.03))
        model.link(system, branch, head)
    spur = runs.bent(model, lobby, "sprinkler_spur", runs.FIRE_BRANCH, [(17.6, 9.2, TEE), (17.6, 11.2, TEE)])
    head = put(PRODUCTS["sprinkler"], "sprinkler", "喷头 Sprinkler", lobby, (17.6, 11.15, TEE - 0.03))
    model.chain(system, branch, spur, head)


def _write_roof_tank(model: Model, system: System, floor: Floor, wet: Item) -> Item:
    """Write the roof tank that fills the hydrant riser from above, and its jockey pump, which is returned."""
    terrace = floor.room("terrace")
    put = model.install
    tank = put(PRODUCTS["tank_roof"], "fire_tank", "屋顶消防水箱 Roof fire tank", terrace, (26.5, 6.5, 0.0))
    level = put(
        PRODUCTS["sensor_level"],
        "fire_level",
        "屋顶水箱液位计 Roof tank level",
        terrace,
        (26.0, 6.5, 2.3),
        points=[("Level", "fire_tank")],
    )
    model.control(tank, level)
    points = [("PumpRun", "jockey"), ("PumpFault", "jockey")]
    pump = put(PRODUCTS["pump_jockey"], "jockey", "消防稳压泵 Jockey pump", terrace, (23.4, 6.5, 0.0), points=points)
    valve = put(PRODUCTS["valve_check"], "jockey_check", "止回阀 Check valve", terrace, (22.6, 6.5, 0.42))
    suction = runs.bent(model, terrace, "jockey_suction", runs.FIRE_BRANCH, [(24.7, 6.5, 0.42), (23.6, 6.5, 0.42)])
    down: list[Point] = [(22.5, 6.5, 0.42), (21.1, 6.5, 0.42), (21.1, 9.6, 0.42), (21.1, 9.6, -0.3)]
    pipe = runs.bent(model, terrace, "jockey_pipe", runs.FIRE_BRANCH, down)
    model.chain(system, tank, suction, pump, valve, pipe)
    model.link(system, pipe, wet)
    return pump


# -- detection -------------------------------------------------------------------------------------------------------

_NO_DETECTOR = frozenset({"balcony", "terrace", "lift", "bath", "hall", "wardrobe", "bedroom", "study"})
_HEAT = frozenset({"kitchen", "garage", "refuse"})
_MANY = {"garage": 10, "corridor": 2, "entrance": 2, "community": 2, "plant": 1}


def write_detection(model: Model, system: System, floor: Floor, module: Item) -> None:
    """Write detectors in every common room, living room and kitchen, and call points and sounders at the stairs."""
    for room in floor.level.plan.rooms:
        if room.kind in _NO_DETECTOR or (room.kind == "shaft" and room.key != "elec"):
            continue
        _write_detectors(model, system, floor, room, module)
    if floor.level.key == "RF":
        return
    corridor = floor.room("corridor")
    put = model.install
    for side, x in (("w", 11.6), ("e", 21.4)):
        name = f"手动报警按钮 {floor.level.key}-{side.upper()} Manual call point"
        button = put(
            PRODUCTS["button"],
            f"button_{side}",
            name,
            corridor,
            (x, 9.8, 1.4),
            points=[("ManualAlarm", f"button_{side}")],
        )
        label = f"声光警报器 {floor.level.key}-{side.upper()} Sounder beacon"
        sounder = put(PRODUCTS["sounder"], f"sounder_{side}", label, corridor, (x, 9.8, 2.3))
        model.link(system, module, button, sounder)


def _write_detectors(model: Model, system: System, floor: Floor, room: Room, module: Item) -> None:
    kind = "heat" if room.kind in _HEAT else "smoke"
    place = floor.room(f"{room.flat}.{room.key}" if room.flat else room.key)
    z = _ceiling(floor, room)
    for number, (x, y) in enumerate(_spread(clear(room, floor.level.plan), _MANY.get(room.kind, 1)), 1):
        name = f"{PRODUCTS[kind].name} {floor.wing}{floor.level.key}-{room.zh}-{number}"
        ending = f"{kind}{number}"
        points = [] if room.flat and room.kind == "kitchen" else [("Smoke", ending)]
        detector = model.install(PRODUCTS[kind], f"{kind}/{number}", name, place, (x, y, z), points=points)
        model.link(system, module, detector)


def _ceiling(floor: Floor, room: Room) -> float:
    if room.kind in ("stair", "shaft"):
        return 2.6
    return round(floor.z_ceiling, 4)


def _spread(rect: tuple[float, float, float, float], count: int) -> list[tuple[float, float]]:
    """Return `count` points spread along a rectangle's longer side, off the places of the lights."""
    x0, y0, x1, y1 = rect
    points = []
    for number in range(count):
        part = (number + 0.5) / count + 0.12
        part = part - 1 if part > 1 else part
        if x1 - x0 >= y1 - y0:
            points.append((round(x0 + (x1 - x0) * part, 3), round((y0 + y1) / 2, 3)))
        else:
            points.append((round((x0 + x1) / 2, 3), round(y0 + (y1 - y0) * part, 3)))
    return points


__all__ = ["Place", "write_detection", "write_fire_water"]
