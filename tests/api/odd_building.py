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

    def port(self, element: Any, direction: str = "NOTDEFINED") -> Any:
        """A port of an element, where the element is."""
        port = self.root("IfcDistributionPort", "", ObjectPlacement=element.ObjectPlacement, FlowDirection=direction)
        self.root("IfcRelNests", "", RelatingObject=element, RelatedObjects=[port])
        return port

    def joined(self, one: Any, other: Any) -> None:
        """From one element to the other."""
        out, into = self.port(one, "SOURCE"), self.port(other, "SINK")
        self.root("IfcRelConnectsPorts", "", RelatingPort=out, RelatedPort=into)

    def system(self, name: str, *elements: Any) -> None:
        system = self.root("IfcDistributionSystem", name, PredefinedType="HEATING")
        self.root("IfcRelAssignsToGroup", "", RelatedObjects=list(elements), RelatingGroup=system)


def write_odd_building(path: Path) -> None:
    """Two houses 100 m apart, each with storeys given top first; in the first a room without geometry, two rooms that
    overlap, one whose outline crosses itself, a door in no wall, a storey without rooms. A heating system leads from
    one house to the other; pipes are joined in a circle, to themselves and to nothing. A spatial zone holds a room of
    each house."""
    odd = Odd()
    houses, halls, pumps = [], [], []
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
        halls.append(hall)
        pumps.append(pump)
    odd.inside(odd.project, *houses)
    _join_badly(odd, houses[0], pumps)
    fire = odd.root("IfcSpatialZone", "Fire compartment", PredefinedType="FIRESAFETY")
    odd.inside(odd.project, fire)
    odd.root("IfcRelReferencedInSpatialStructure", "", RelatingStructure=fire, RelatedElements=[*halls, pumps[0]])
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


def _join_badly(odd: Odd, house: Any, pumps: Sequence[Any]) -> None:
    main = odd.block("IfcPipeSegment", "Main", (1.5, 1.2, 0.4, 101, 1.3, 0.5))
    valve = odd.block("IfcValve", "Valve", (101, 1.2, 0.4, 101.1, 1.3, 0.5), PredefinedType="ISOLATING")
    ring = [odd.block("IfcPipeSegment", f"Ring {n}", (40 + 5 * n, 40, 0, 41 + 5 * n, 40.1, 0.1)) for n in range(3)]
    itself = odd.block("IfcPipeSegment", "Itself", (60, 40, 0, 61, 40.1, 0.1))
    alone = odd.block("IfcPipeSegment", "Alone", (70, 40, 0, 71, 40.1, 0.1))
    for one, other in ((pumps[0], main), (main, valve), (valve, pumps[1]), (itself, itself)):
        odd.joined(one, other)
    for number, pipe in enumerate(ring):
        odd.joined(pipe, ring[(number + 1) % 3])
    odd.port(alone)
    odd.contained(house, main, valve, *ring, itself, alone)
    odd.system("District heating", *pumps, main, valve)
    odd.system("Ring", *ring, itself, alone)
