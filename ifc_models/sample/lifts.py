"""Lifts, outdoor units on the roof and parking bays: what belongs to no pipe, duct or cable trade."""

from __future__ import annotations

from collections.abc import Sequence

from ifc_models.sample.equipment import FACING, PRODUCTS
from ifc_models.sample.floor import Floor
from ifc_models.sample.model import Item, Model
from ifc_models.sample.plan import WIDTH


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
