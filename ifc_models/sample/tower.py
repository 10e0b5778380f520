"""Put the sample together: project, site, building, storeys, wings, and what fills them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ifc_models.sample import plan as plans
from ifc_models.sample.air import write_air
from ifc_models.sample.architecture import write_floor
from ifc_models.sample.fire import write_fire_water
from ifc_models.sample.floor import Floor, Level
from ifc_models.sample.furniture import write_common_furniture, write_furniture
from ifc_models.sample.garage import write_parking, write_structure
from ifc_models.sample.geometry import NORTH
from ifc_models.sample.landscape import write_landscape
from ifc_models.sample.lifts import write_lifts, write_outdoor_units, write_roof_units
from ifc_models.sample.model import Model, Place, Scalar
from ifc_models.sample.power import write_power
from ifc_models.sample.signals import write_signals
from ifc_models.sample.step import StepFile, Value
from ifc_models.sample.water import write_water

_APPLICATION = "BIM twin sample generator"
_TIMESTAMP = "2024-01-01T00:00:00"  # fixed: the same seed writes the same bytes
_MAX_STOREYS = 33  # of one wing: about the 100 m up to which Chinese towers are built like this one
_PITCH = 45.0  # m between wings: their basements join


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written. `storeys` counts those above ground, `rooms` every IfcSpace but the parking bays."""

    path: Path
    bytes: int
    wings: int
    storeys: int
    rooms: int
    elements: int
    points: int


def write_sample(path: Path, *, storeys: int = 12, rooms: int | None = None, seed: int = 1) -> SampleSummary:
    """Write a sample building to `path`.

    `storeys` counts the storeys above ground (at least 2). `rooms`, where given, wins: the tower grows to at least so
    many rooms, up to 33 storeys, and further wings are added on a common garage beyond that (10 000 rooms: 8 wings).
    The same arguments write the same bytes. Errors: ValueError for fewer than 2 storeys or 1 room.
    """
    wings = 1
    if rooms is not None:
        wings, storeys = _size(rooms)
    if storeys < 2:
        raise ValueError(f"storeys is {storeys}: the tower needs an entrance storey and one of flats, so at least 2")
    with path.open("w", encoding="ascii", newline="\n") as stream:
        step = StepFile(stream, name="sample.ifc", timestamp=_TIMESTAMP, application=_APPLICATION)
        model = Model(step, seed)
        _write_building(model, storeys, wings)
        step.close()
    counts = model.counts
    return SampleSummary(
        path=path,
        bytes=path.stat().st_size,
        wings=wings,
        storeys=storeys,
        rooms=counts["IfcSpace"] - model.bays,
        elements=model.elements,
        points=model.points,
    )


def _size(rooms: int) -> tuple[int, int]:
    """Return wings and storeys for at least so many rooms."""
    if rooms < 1:
        raise ValueError(f"rooms is {rooms}: give at least 1")
    fixed = sum(len(p().rooms) for p in (plans.basement, plans.ground, plans.roof))
    typical = len(plans.typical().rooms)
    wings = max(1, math.ceil(rooms / (fixed + typical * (_MAX_STOREYS - 1))))
    storeys = 1 + max(1, math.ceil((rooms / wings - fixed) / typical))
    return wings, storeys


def levels(storeys: int) -> Iterator[Level]:
    """Yield the storeys from B1 to the roof: F1 is 4.5 m high, B1 4.2 m, storeys of flats 3.0 m."""
    yield Level("B1", "地下一层", "Basement 1", -4.2, 4.2, plans.basement(), -1)
    yield Level("F01", "一层", "Ground floor", 0.0, 4.5, plans.ground(), 0)
    z = 4.5
    for number in range(2, storeys + 1):
        yield Level(f"F{number:02d}", f"{_chinese(number)}层", f"Floor {number}", z, 3.0, plans.typical(), number - 1)
        z += 3.0
    yield Level("RF", "屋面层", "Roof", z, 3.6, plans.roof(), storeys)


def _chinese(number: int) -> str:
    """Return a number below 100 in Chinese, as floors are named."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if not tens:
        return digits[ones]
    return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")


def _write_building(model: Model, storeys: int, wings: int) -> None:
    site, building = _write_roots(model)
    floors: list[list[Floor]] = [[] for _ in range(wings)]
    for level in levels(storeys):
        placement = model.placement(building.placement, (0.0, 0.0, level.z))
        ref = model.root(
            "IfcBuildingStorey",
            level.key,
            f"{level.key} {level.zh}",
            LongName=level.en,
            ObjectPlacement=placement,
            CompositionType="ELEMENT",
            Elevation=level.z,
        )
        model.part(building.ref, ref)
        for wing in range(wings):
            floors[wing].append(_floor(model, level, Place(ref, placement, level.key, ""), wing, wings))
    for tower in floors:
        for floor in tower:
            write_floor(model, floor)
        _equip(model, tower)
    write_landscape(model, site, wings, _PITCH)
    model.finish(building.ref)


def _equip(model: Model, floors: list[Floor]) -> None:
    """Write services and furniture of one wing."""
    basement, ground, roof = floors[0], floors[1], floors[-1]
    write_structure(model, basement)
    write_parking(model, basement)
    write_common_furniture(model, ground)
    for floor in floors[2:-1]:
        write_furniture(model, floor)
        write_outdoor_units(model, floor)
    motors = write_water(model, floors) | write_fire_water(model, floors) | write_air(model, floors)
    motors |= write_lifts(model, floors) | write_roof_units(model, roof)
    write_power(model, floors, motors)
    write_signals(model, floors)


def _floor(model: Model, level: Level, storey: Place, wing: int, wings: int) -> Floor:
    """Return one wing's part of a storey; a wing has its own frame, `_PITCH` east of the one before."""
    key = level.key.lower()
    if wings == 1:
        return Floor(level, Place(storey.ref, storey.placement, level.key, key), "")
    letter = chr(ord("A") + wing) if wing < 26 else f"W{wing + 1}"
    placement = model.placement(storey.placement, (wing * _PITCH, 0.0, 0.0))
    return Floor(
        level, Place(storey.ref, placement, f"{letter}/{level.key}", f"{letter.lower()}.{key}"), f"{letter}座 "
    )


def _write_roots(model: Model) -> tuple[Place, Place]:
    add = model.step.add
    project = model.root(
        "IfcProject",
        "project",
        "锦绣华庭 1号楼",
        LongName="Jinxiu Court, Tower 1",
        Phase="运维 Operation",
        RepresentationContexts=(model.context,),
        UnitsInContext=model.units,
    )
    crs = add(
        "IfcProjectedCRS",
        "EPSG:4549",
        "CGCS2000 / 3-degree Gauss-Kruger CM 120E",
        "CGCS2000",
        "1985 national height datum",
    )
    east, north = -NORTH[0], NORTH[1]  # the model's x axis on the map
    add("IfcMapConversion", model.context, crs, 647_220.0, 3_456_380.0, 4.6, north, east, 1.0)
    address = add(
        "IfcPostalAddress",
        AddressLines=("锦绣路 1288 弄 1 号",),
        Town="上海 Shanghai",
        Region="浦东新区 Pudong",
        PostalCode="200135",
        Country="中国 China",
    )
    placement = model.placement(None, (0.0, 0.0, 0.0))
    site = model.root(
        "IfcSite",
        "site",
        "锦绣华庭 Jinxiu Court",
        ObjectPlacement=placement,
        CompositionType="ELEMENT",
        RefLatitude=(31, 13, 22, 800000),
        RefLongitude=(121, 32, 41, 500000),
        RefElevation=4.6,
        SiteAddress=address,
    )
    own = model.placement(placement, (0.0, 0.0, 0.0))
    building = model.root(
        "IfcBuilding",
        "building",
        "1号楼 Tower 1",
        LongName="锦绣华庭1号住宅楼",
        ObjectPlacement=own,
        CompositionType="ELEMENT",
        ElevationOfRefHeight=4.6,
        BuildingAddress=address,
    )
    model.part(project, site)
    model.part(site, building)
    facts: dict[str, Scalar] = {
        "OccupancyType": "住宅 Residential",
        "YearOfConstruction": "2019",
        "IsLandmarked": Value("IfcLogical", False),
    }
    model.describe(building, {"Pset_BuildingCommon": facts})
    return Place(site, placement, "site", "site"), Place(building, own, "building", "building")
