"""An IFC file that says what no building is like: two buildings, storeys in the wrong order, rooms drawn badly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.guid

Corner = tuple[float, float]


class Odd:
    """Collects the file; lengths in metres."""

    def __init__(self) -> None:
        self.file = ifcopenshell.file(schema="IFC4")
        make = self.file.create_entity
        origin = make("IfcAxis2Placement3D", make("IfcCartesianPoint", (0.0, 0.0, 0.0)))
        self.context = make("IfcGeometricRepresentationContext", None, "Model", 3, 1e-5, origin)
        metre = make("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")
        units = make("IfcUnitAssignment", [metre, make("IfcSIUnit", UnitType="AREAUNIT", Name="SQUARE_METRE")])
        self.project = self.root("IfcProject", "Odd", RepresentationContexts=[self.context], UnitsInContext=units)

    def root(self, ifc_class: str, name: str, **attributes: Any) -> Any:
        return self.file.create_entity(ifc_class, GlobalId=ifcopenshell.guid.new(), Name=name, **attributes)

    def inside(self, whole: Any, *parts: Any) -> None:
        self.root("IfcRelAggregates", "", RelatingObject=whole, RelatedObjects=list(parts))

    def contained(self, structure: Any, *elements: Any) -> None:
        self.root("IfcRelContainedInSpatialStructure", "", RelatingStructure=structure, RelatedElements=list(elements))

    def at(self, x: float, y: float, z: float) -> Any:
        make = self.file.create_entity
        return make("IfcLocalPlacement", None, make("IfcAxis2Placement3D", make("IfcCartesianPoint", (x, y, z))))

    def solid(self, corners: Sequence[Corner], height: float) -> Any:
        make = self.file.create_entity
        points = [make("IfcCartesianPoint", corner) for corner in [*corners, corners[0]]]
        profile = make("IfcArbitraryClosedProfileDef", "AREA", None, make("IfcPolyline", points))
        up = make("IfcDirection", (0.0, 0.0, 1.0))
        axes = make("IfcAxis2Placement3D", make("IfcCartesianPoint", (0.0, 0.0, 0.0)))
        body = make("IfcExtrudedAreaSolid", profile, axes, up, height)
        shape = make("IfcShapeRepresentation", self.context, "Body", "SweptSolid", [body])
        return make("IfcProductDefinitionShape", None, None, [shape])

    def block(self, ifc_class: str, name: str, box: Sequence[float], **attributes: Any) -> Any:
        """An element as a box: min x y z, max x y z."""
        x0, y0, z0, x1, y1, z1 = box
        corners = [(0.0, 0.0), (x1 - x0, 0.0), (x1 - x0, y1 - y0), (0.0, y1 - y0)]
        placement, shape = self.at(x0, y0, z0), self.solid(corners, z1 - z0)
        return self.root(ifc_class, name, ObjectPlacement=placement, Representation=shape, **attributes)


def write_odd_building(path: Path) -> None:
    """Two houses 100 m apart, each with storeys given top first; in the first a room without geometry, two rooms that
    overlap, one whose outline crosses itself, a door in no wall, a storey without rooms."""
    odd = Odd()
    houses = []
    for number, x in enumerate((0.0, 100.0)):
        house = odd.root("IfcBuilding", f"House {number}")
        upper = odd.root("IfcBuildingStorey", "Upper", ObjectPlacement=odd.at(0.0, 0.0, 3.0), Elevation=3.0)
        ground = odd.root("IfcBuildingStorey", "Ground", ObjectPlacement=odd.at(0.0, 0.0, 0.0), Elevation=0.0)
        odd.inside(house, upper, ground)
        hall = odd.block("IfcSpace", f"Hall {number}", (x, 0, 0, x + 4, 3, 2.6))
        room = odd.block("IfcSpace", f"Room {number}", (x, 3.2, 0, x + 4, 6, 2.6))
        door = odd.block("IfcDoor", f"Door {number}", (x + 1, 3.0, 0, x + 1.9, 3.2, 2.1))
        pump = odd.block("IfcPump", f"Pump {number}", (x + 1, 1, 0, x + 1.5, 1.5, 0.8))
        lamp = odd.block("IfcLightFixture", f"Lamp {number}", (x + 1, 4, 3.2, x + 1.5, 4.5, 3.3))
        wall = odd.block("IfcWall", f"Wall {number}", (x, 3.0, 3, x + 4, 3.2, 5.6))
        odd.inside(ground, hall, room)
        odd.contained(ground, door)
        odd.contained(upper, wall)
        if number == 0:
            _draw_badly(odd, ground)
        odd.contained(house, pump, lamp)
        houses.append(house)
    odd.inside(odd.project, *houses)
    odd.file.write(str(path))


def _draw_badly(odd: Odd, ground: Any) -> None:
    nowhere = odd.root("IfcSpace", "Nowhere")
    over = odd.block("IfcSpace", "Over", (3, 1, 0, 6, 2, 2.6))
    crossed = odd.root(
        "IfcSpace",
        "Crossed",
        ObjectPlacement=odd.at(20.0, 0.0, 0.0),
        Representation=odd.solid([(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)], 2.6),
    )
    lost = odd.block("IfcDoor", "Lost door", (50, 50, 0, 50.9, 50.1, 2.1))
    odd.inside(ground, nowhere, over, crossed)
    odd.contained(ground, lost)
