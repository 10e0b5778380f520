"""Lifts, outdoor units on the roof and parking bays: what belongs to no pipe, duct or cable trade."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample.architecture import Floor
from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.model import Item, Model, Product
from ifc_models.sample.plan import WIDTH
from ifc_models.sample.shapes import Box, Prism, Shape, Tube, rectangle
from ifc_models.sample.step import Value


def write_lifts(model: Model, floors: Sequence[Floor]) -> dict[str, Item]:
    """Write two lifts: machine and controller on the roof, the car standing somewhere (seeded)."""
    powered: dict[str, Item] = {}
    roof = floors[-1].room("lift_machines")
    random = model.random(floors[0].place.path + "/lifts")
    for number, x in ((1, 15.2), (2, 17.8)):
        floor = random.choice(floors[:-1])
        place = floor.room(f"lift{number}")
        key = f"lift{number}"
        points = [("LiftPosition", ""), ("LiftRun", ""), ("LiftFault", "")]
        name = f"{number}号电梯 Lift {number}"
        psets = {"Twin_Location": {"ParkedAt": floor.level.key}}
        lift_key = floors[0].place.key.removesuffix("b1") + key
        car_place = type(place)(place.ref, place.placement, f"{floors[0].place.path}/{key}", lift_key)
        car = model.install(
            PRODUCTS["lift_car"], "car", name, car_place, (x, 13.35, 0.0), points=points, psets=psets, Tag=f"L{number}"
        )
        machine = model.install(
            PRODUCTS["lift_machine"],
            f"machine/{number}",
            f"{number}号电梯曳引机 Traction machine",
            roof,
            (x, 13.2, 0.0),
        )
        control = model.install(
            PRODUCTS["lift_control"],
            f"control/{number}",
            f"{number}号电梯控制柜 Lift controller",
            roof,
            (x + 0.6, 10.3, 0.0),
            x=FACING["N"],
        )
        system = model.system(
            f"{floors[0].place.path}/{key}/system", f"T{number} {number}号电梯", f"Lift {number}", "CONVEYING", "CABLE"
        )
        model.chain(system, control, machine, car)
        powered[f"roof/{key}"] = control
    return powered


def write_roof_units(model: Model, floor: Floor) -> dict[str, Item]:
    """Write the outdoor units of the common areas' cooling."""
    terrace = floor.room("terrace")
    units = {}
    for number in range(3):
        name = f"多联机室外机 VRF-{number + 1} Outdoor unit"
        units[f"roof/vrf{number}"] = model.install(
            PRODUCTS["vrf"], f"vrf/{number}", name, terrace, (4.5 + number * 2.0, 5.0, 0.0), Tag=f"VRF-{number + 1}"
        )
    return units


def write_outdoor_units(model: Model, floor: Floor) -> None:
    """Write the air-conditioning unit on each flat's balcony."""
    for flat, x in (("01", 5.85), ("02", 13.5), ("03", WIDTH - 13.5), ("04", WIDTH - 5.85)):
        model.install(
            PRODUCTS["outdoor_unit"],
            "outdoor_unit",
            f"{flat} 空调室外机 Outdoor unit",
            floor.room(f"{flat}.balcony"),
            (x, -0.95, 0.02),
        )


# -- parking ---------------------------------------------------------------------------------------------------------

_BAY = (2.5, 5.3)  # width and depth, m


def _car(colour: str) -> Shape:
    """A saloon car seen from the side, pulled across its width; front towards -y."""
    body = ((-2.25, 0.3), (2.25, 0.3), (2.3, 0.75), (2.1, 0.95), (-1.2, 0.95), (-2.2, 0.8), (-2.3, 0.55))
    cabin = ((-1.25, 0.95), (1.7, 0.95), (1.15, 1.42), (-0.45, 1.42))
    wheel = (-1.0, 0.0, 0.0)
    side = {"axis": (1.0, 0.0, 0.0), "x": (0.0, 1.0, 0.0)}
    return (
        Prism(body, 1.78, colour, start=(-0.89, 0.0, 0.0), axis=side["axis"], x=side["x"]),
        Prism(cabin, 1.5, "glass_dark", start=(-0.75, 0.0, 0.0), axis=side["axis"], x=side["x"]),
        *[Tube((x, y, 0.33), 0.33, 0.22, "black", wheel) for x in (-0.67, 0.89) for y in (-1.4, 1.4)],
    )


_CARS = tuple(
    Product(f"car_{c}", "IfcBuildingElementProxy", "NOTDEFINED", "汽车 Car", _car(c))
    for c in ("white", "black", "steel", "pump_blue", "fire_red")
)


def write_parking(model: Model, floor: Floor) -> None:
    """Write the bays as spaces with their markings, and cars in some of them (seeded)."""
    width, depth = _BAY
    random = model.random(f"{floor.place.path}/cars")
    number = 0
    rows = ((-17.0, 17), (-5.6, 17))
    for y, count in rows:
        for column in range(count):
            x = round(-5.25 + column * (width + 0.12), 2)
            number += 1
            _write_bay(model, floor, number, x, y)
            if random.random() < 0.45:
                product = random.choice(_CARS)
                place = floor.rooms[f"bay{number:02d}"]
                turn = None if y < -10 else FACING["N"]
                model.install(product, "car", product.name, place, (x + width / 2, y + depth / 2, 0.02), x=turn)


def _write_bay(model: Model, floor: Floor, number: int, x: float, y: float) -> None:
    width, depth = _BAY
    key = f"bay{number:02d}"
    path = f"{floor.place.path}/{key}"
    ref = model.root(
        "IfcSpace",
        path,
        f"{floor.wing}B1-{number:03d} 车位",
        LongName=f"车位 Parking bay {number}",
        ObjectType="parking",
        ObjectPlacement=model.placement(floor.place.placement, (x, y, 0.02)),
        Representation=model.space_shape(rectangle(0, 0, width, depth), 2.2),
        CompositionType="PARTIAL",
        PredefinedType="PARKING",
    )
    model.bays += 1
    model.part(floor.rooms["garage"].ref, ref)
    model.describe(
        ref, {"Pset_SpaceCommon": {"Reference": Value("IfcIdentifier", f"B1-{number:03d}"), "IsExternal": False}}
    )
    wing = floor.wing
    model.group(f"{wing}zone/parking", f"{wing}停车区", "Parking", [ref])
    place = type(floor.place)(ref, floor.place.placement, path, f"{floor.place.key}.{key}")
    floor.rooms[key] = place
    lines = (
        Box((x, y, 0.02), (0.1, depth, 0.006), "paint_line"),
        Box((x + width, y, 0.02), (0.1, depth, 0.006), "paint_line"),
        Box((x, y if y < -10 else y + depth - 0.1, 0.02), (width, 0.1, 0.006), "paint_line"),
    )
    model.element(
        "IfcCovering",
        "marking",
        "车位划线 Bay marking",
        place,
        lines,
        PredefinedType="USERDEFINED",
        ObjectType="MARKING",
    )
