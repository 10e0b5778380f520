"""The garage: parking bays as spaces with markings and cars, columns and beams."""

from __future__ import annotations

from ifc_models.sample.equipment import FACING
from ifc_models.sample.floor import Floor
from ifc_models.sample.model import Model, Product, Psets
from ifc_models.sample.shapes import Box, Prism, Shape, Tube, rectangle
from ifc_models.sample.step import Value

_BAY = (2.45, 5.3)  # width and depth, m
_GRID = 7.95  # m between columns: three bays and a column


def _car(colour: str) -> Shape:
    """A saloon car seen from the side, pulled across its width; front towards -y."""
    body = ((-2.25, 0.3), (2.25, 0.3), (2.3, 0.75), (2.1, 0.95), (-1.2, 0.95), (-2.2, 0.8), (-2.3, 0.55))
    cabin = ((-1.25, 0.95), (1.7, 0.95), (1.15, 1.42), (-0.45, 1.42))
    wheel = (-1.0, 0.0, 0.0)
    side = {"axis": (1.0, 0.0, 0.0), "x": (0.0, 1.0, 0.0)}
    return (
        Prism(body, 1.78, colour, start=(-0.89, 0.0, 0.0), axis=side["axis"], x=side["x"]),
        Prism(cabin, 1.5, "car_glass", start=(-0.75, 0.0, 0.0), axis=side["axis"], x=side["x"]),
        *[Tube((x, y, 0.33), 0.33, 0.22, "black", wheel) for x in (-0.68, 0.9) for y in (-1.4, 1.4)],
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
    rows = ((-16.95, 16), (-5.6, 16))
    for y, count in rows:
        for column in range(count):
            x = round(-5.1 + column // 3 * _GRID + column % 3 * width, 2)
            number += 1
            _write_bay(model, floor, number, x, y)
            if random.random() < 0.6:
                product = random.choice(_CARS)
                place = floor.rooms[f"bay{number:02d}"]
                turn = None if y < -10 else FACING["N"]
                model.install(product, "car", product.name, place, (x + width / 2, y + depth / 2, 0.02), x=turn)


def write_structure(model: Model, floor: Floor) -> None:
    """Write the garage's columns and the beams over them."""
    height = round(floor.z_ceiling, 4)
    concrete = model.material("混凝土 Concrete C35")
    place, beam = floor.room("garage"), 0.55
    columns = [round(-5.45 + n * _GRID, 2) for n in range(6)]
    common: Psets = {"Pset_ColumnCommon": {"IsExternal": False, "LoadBearing": True, "FireRating": "3.00 h"}}
    for row, y in enumerate((-12.2, -5.2)):
        for number, x in enumerate(columns):
            shape: Shape = (
                Box((-0.25, -0.25, 0.0), (0.5, 0.5, height), "concrete"),
                Box((-0.255, -0.255, 0.3), (0.51, 0.51, 0.25), "signal_yellow"),
            )
            at = (x, y, 0.0)
            name = f"框架柱 {'AB'[row]}{number + 1} Column"
            model.element(
                "IfcColumn",
                f"column/{row}/{number}",
                name,
                place,
                shape,
                at=at,
                psets=common,
                material=concrete,
                PredefinedType="COLUMN",
            )
    spans = [(f"x{y:g}", (-5.875, y - 0.2), (44.75, 0.4)) for y in (-12.2, -5.2)]
    spans += [(f"y{x:g}", (x - 0.2, -16.975), (0.4, 16.875)) for x in columns]
    for path, (x, y), (dx, dy) in spans:
        depth = beam if path.startswith("y") else beam - 0.05
        shape = (Box((0.0, 0.0, round(height - depth, 3)), (dx, dy, depth), "concrete"),)
        kinds: Psets = {"Pset_BeamCommon": {"IsExternal": False, "LoadBearing": True}}
        at = (round(x, 3), round(y, 3), 0.0)
        model.element("IfcBeam", f"beam/{path}", "框架梁 Beam", place, shape, at=at, psets=kinds, PredefinedType="BEAM")


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
