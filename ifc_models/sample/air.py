"""Ventilation: fresh air to lobbies and corridors, smoke extract, stair pressurisation, garage exhaust, cooling."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample import runs
from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.floor import Floor
from ifc_models.sample.model import Item, Model, System
from ifc_models.sample.shapes import Point
from ifc_models.sample.water import riser

_SUPPLY = (13.0, 11.75)  # riser in the air shaft
_SMOKE = (20.0, 11.75)  # riser in the smoke extract shaft
_TEE = 2.6


def write_air(model: Model, floors: Sequence[Floor]) -> dict[str, Item]:
    """Write the air systems of one wing; return what needs power, by name."""
    wing = floors[0].place.path.removesuffix("B1")
    supply = model.system(
        f"{wing}system/supply", "S 公共区域新风系统", "Fresh air to common areas", "VENTILATION", "DUCT"
    )
    smoke = model.system(f"{wing}system/smoke", "PY 机械排烟系统", "Smoke extract", "EXHAUST", "DUCT")
    exhaust = model.system(f"{wing}system/exhaust", "P 车库通风系统", "Garage ventilation", "EXHAUST", "DUCT")
    pressure = model.system(f"{wing}system/pressure", "ZY 加压送风系统", "Stair pressurisation", "VENTILATION", "DUCT")
    powered, main = _write_handler(model, supply, floors[0])
    height = floors[0].level.height
    for floor in floors[1:-1]:
        main = riser(model, supply, floor, runs.DUCT_RISER, _SUPPLY, main, height, _TEE)
        _write_terminals(model, supply, floor, main)
        height = floor.level.height
    powered |= _write_smoke(model, smoke, floors)
    powered |= _write_pressurisation(model, pressure, floors[-1])
    return powered | _write_garage(model, exhaust, floors[0])


def _write_handler(model: Model, system: System, floor: Floor) -> tuple[dict[str, Item], Item]:
    room = floor.room("supply_fans")
    put = model.install
    louvre = put(PRODUCTS["louvre"], "louvre", "新风百叶 Fresh air louvre", room, (-4.4, 14.42, 2.2))
    intake = runs.run(
        model,
        system,
        room,
        "intake",
        runs.DUCT_MAIN,
        [(-4.4, 14.3, 2.7), (-4.4, 11.4, 2.7), (-4.4, 11.4, 1.0), (-2.6, 11.4, 1.0)],
        louvre,
    )
    points = [("FanRun", "ahu"), ("FanSpeed", "ahu"), ("SupplyTemperature", "ahu")]
    points += [("SupplySetpoint", "ahu"), ("FilterPressure", "ahu"), ("Power", "ahu")]
    handler = put(
        PRODUCTS["ahu"],
        "ahu",
        "新风空调机组 AHU-1 Air handling unit 1",
        room,
        (-0.6, 11.4, 0.0),
        points=points,
        Tag="AHU-1",
    )
    model.link(system, intake, handler)
    sensor = put(
        PRODUCTS["sensor_temperature"],
        "temperature",
        "机房温度 Plant room temperature",
        room,
        (2.0, 14.4, 1.5),
        points=[("Temperature", "")],
    )
    actuator = put(PRODUCTS["actuator"], "actuator", "水阀执行器 Valve actuator", room, (1.6, 10.5, 0.6))
    model.control(handler, sensor)
    model.control(handler, actuator)
    path: list[Point] = [
        (1.4, 11.4, 1.0),
        (3.2, 11.4, 1.0),
        (3.2, 11.4, 3.1),
        (3.2, 9.0, 3.1),
        (14.5, 9.0, 3.1),
        (14.5, 11.75, 3.1),
        (*_SUPPLY, 3.1),
    ]
    main = runs.run(model, system, floor.place, "supply_main", runs.DUCT_MAIN, path, handler)
    for number, x in enumerate((11.0, 18.0), 1):
        terminal = put(
            PRODUCTS["diffuser"], f"diffuser/{number}", "散流器 Diffuser", floor.room("corridor"), (x, 8.7, 2.95)
        )
        model.link(system, main, terminal)
    return {"air/ahu": handler}, main


def _write_terminals(model: Model, system: System, floor: Floor, tee: Item) -> None:
    lobby, corridor = floor.room("lobby"), floor.room("corridor")
    put = model.install
    damper = put(
        PRODUCTS["damper"], "damper", f"防火阀 {floor.level.key} Fire damper", floor.room("air"), (13.5, 11.75, _TEE)
    )
    path: list[Point] = [(13.6, 11.75, _TEE), (16.5, 11.75, _TEE), (16.5, 8.75, _TEE)]
    branch = runs.run(model, system, lobby, "supply", runs.DUCT_BRANCH, path, damper)
    model.link(system, tee, damper)
    for number, (place, x, y) in enumerate(((lobby, 15.2, 11.75), (lobby, 16.5, 10.6), (corridor, 16.5, 8.9)), 1):
        terminal = put(PRODUCTS["diffuser"], f"diffuser/{number}", "散流器 Diffuser", place, (x, y, _TEE - 0.09))
        model.link(system, branch, terminal)


def _write_smoke(model: Model, system: System, floors: Sequence[Floor]) -> dict[str, Item]:
    """Smoke goes up: grille and damper of each storey into the riser, the riser to the fan on the roof."""
    put = model.install
    below: Item | None = None
    for floor in floors[1:-1]:
        shaft = floor.room("smoke")
        grille = put(
            PRODUCTS["grille"],
            "grille",
            f"排烟口 {floor.level.key} Smoke grille",
            floor.room("lobby"),
            (19.0, 11.75, 2.3),
            x=FACING["W"],
        )
        damper = put(
            PRODUCTS["damper_smoke"],
            "damper",
            f"排烟阀 {floor.level.key} Smoke damper",
            shaft,
            (19.45, 11.75, _TEE - 0.1),
        )
        height = floor.level.height
        riser_part = runs.run(
            model, system, shaft, "riser", runs.DUCT_RISER, [(*_SMOKE, 2.4), (*_SMOKE, 2.4 + height)], damper
        )
        model.link(system, grille, damper)
        if below is not None:
            model.link(system, below, riser_part)
        below = riser_part
    room = floors[-1].room("smoke_fans")
    points = [("FanRun", "smoke_fan")]
    fan = put(
        PRODUCTS["fan_smoke"],
        "fan",
        "排烟风机 PY-1 Smoke extract fan 1",
        room,
        (19.95, 13.0, 1.4),
        x=(0.0, 1.0, 0.0),
        points=points,
        Tag="PY-1",
    )
    link = runs.run(
        model,
        system,
        room,
        "duct",
        runs.DUCT_RISER,
        [(19.95, 11.75, -0.4), (19.95, 11.75, 1.4), (19.95, 12.4, 1.4)],
        below,
        fan,
    )
    outlet = put(PRODUCTS["louvre"], "louvre", "排烟百叶 Smoke outlet", room, (19.95, 14.46, 0.9))
    model.link(system, fan, outlet)
    del link
    return {"roof/smoke_fan": fan}


def _write_pressurisation(model: Model, system: System, roof: Floor) -> dict[str, Item]:
    room = roof.room("pressure_fans")
    put = model.install
    louvre = put(PRODUCTS["louvre"], "louvre", "进风百叶 Intake louvre", room, (13.05, 14.46, 0.9))
    points = [("FanRun", "pressure_fan")]
    fan = put(
        PRODUCTS["fan_pressure"],
        "fan",
        "正压送风机 ZY-1 Pressurisation fan 1",
        room,
        (13.05, 12.8, 1.4),
        x=(0.0, 1.0, 0.0),
        points=points,
        Tag="ZY-1",
    )
    duct = runs.run(
        model, system, room, "duct", runs.DUCT_RISER, [(13.05, 12.2, 1.4), (13.05, 11.6, 1.4), (13.05, 11.6, -0.4)], fan
    )
    grille = put(
        PRODUCTS["grille"],
        "grille",
        "楼梯间送风口 Stair supply grille",
        roof.room("stair1"),
        (12.1, 11.6, 1.8),
        x=FACING["W"],
    )
    model.link(system, louvre, fan)
    model.link(system, duct, grille)
    return {"roof/pressure_fan": fan}


def _write_garage(model: Model, system: System, floor: Floor) -> dict[str, Item]:
    garage, room = floor.room("garage"), floor.room("exhaust_fans")
    put = model.install
    powered: dict[str, Item] = {}
    duct = runs.run(model, system, garage, "exhaust", runs.DUCT_EXHAUST, [(-3.0, -1.0, 2.4), (37.0, -1.0, 2.4)])
    for number in range(8):
        grille = put(
            PRODUCTS["grille"],
            f"grille/{number}",
            "车库排风口 Garage exhaust grille",
            garage,
            (-1.0 + number * 5.0, -1.5, 2.2),
        )
        model.link(system, grille, duct)
    for number, x in ((1, 31.8), (2, 36.6)):
        points = [("FanRun", f"fan{number}"), ("FanSpeed", f"fan{number}"), ("Power", f"fan{number}")]
        name = f"车库排风机 P-{number} Garage exhaust fan {number}"
        fan = put(
            PRODUCTS["fan_garage"],
            f"fan/{number}",
            name,
            room,
            (x, 4.0, 2.2),
            x=(0.0, 1.0, 0.0),
            points=points,
            Tag=f"P-{number}",
        )
        rising = runs.run(
            model, system, floor.place, f"exhaust/{number}", runs.DUCT_MAIN, [(x, -1.0, 2.4), (x, 3.3, 2.4)], duct, fan
        )
        outlet = put(PRODUCTS["louvre"], f"louvre/{number}", "排风井百叶 Exhaust louvre", room, (x, 7.98, 1.7))
        out = runs.run(
            model, system, room, f"outlet/{number}", runs.DUCT_MAIN, [(x, 4.7, 2.2), (x, 7.9, 2.2)], fan, outlet
        )
        powered[f"exhaust/fan{number}"] = fan
        del rising, out
    for number, (x, y) in enumerate(((-1.0, -8.7), (9.0, -8.7), (24.0, -8.7), (33.0, -8.7)), 1):
        name = f"诱导风机 {number} Jet fan {number}"
        fan = put(
            PRODUCTS["fan_jet"],
            f"jet/{number}",
            name,
            garage,
            (x, y + 0.7, 2.75),
            points=[("FanRun", f"jet{number}")],
            Tag=f"YD-{number}",
        )
        sensor = put(
            PRODUCTS["sensor_co"],
            f"co/{number}",
            f"CO探测器 {number} CO sensor",
            garage,
            (x, -0.1, 1.5),
            points=[("CO", f"co{number}")],
        )
        model.control(fan, sensor)
        powered[f"exhaust/jet{number}"] = fan
    return powered
