"""An IFC file of very many rooms: on each storey a corridor with rooms on both sides, and heating for all of them."""

from collections.abc import Iterator
from pathlib import Path

import ifcopenshell.guid

STEP = 4.0  # m, width of a room with its wall
DEPTH = 5.0  # m
HEIGHT = 3.2  # m, of a storey
HEAD = """ISO-10303-21;
HEADER;FILE_DESCRIPTION((''),'2;1');FILE_NAME('many.ifc','2026-01-01T00:00:00',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));ENDSEC;
DATA;
#1=IFCCARTESIANPOINT((0.,0.,0.));
#2=IFCAXIS2PLACEMENT3D(#1,$,$);
#3=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#2,$);
#4=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);
#5=IFCUNITASSIGNMENT((#4));
#6=IFCDIRECTION((0.,0.,1.));
#7=IFCCARTESIANPOINT((0.,0.));
#8=IFCAXIS2PLACEMENT2D(#7,$);
"""


class Writer:
    """Numbers lines of a STEP file; a box is one of its shapes at a place."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._shapes: dict[tuple[float, float, float], int] = {}

    def add(self, text: str) -> int:
        self.lines.append(text)
        return len(self.lines) + 8

    def root(self, ifc_class: str, name: str, *rest: str) -> int:
        return self.add(f"{ifc_class}('{ifcopenshell.guid.new()}',$,'{name}',{','.join(rest)})")

    def placement(self, x: float, y: float, z: float) -> int:
        at = self.add(f"IFCCARTESIANPOINT(({x:.3f},{y:.3f},{z:.3f}))")
        return self.add(f"IFCLOCALPLACEMENT($,#{self.add(f'IFCAXIS2PLACEMENT3D(#{at},$,$)')})")

    def shape(self, dx: float, dy: float, dz: float) -> int:
        """A box around its own origin in plan; the same one for all of a size."""
        if (dx, dy, dz) not in self._shapes:
            profile = self.add(f"IFCRECTANGLEPROFILEDEF(.AREA.,$,#8,{dx:.3f},{dy:.3f})")
            body = self.add(f"IFCEXTRUDEDAREASOLID(#{profile},#2,#6,{dz:.3f})")
            shape = self.add(f"IFCSHAPEREPRESENTATION(#3,'Body','SweptSolid',(#{body}))")
            self._shapes[dx, dy, dz] = self.add(f"IFCPRODUCTDEFINITIONSHAPE($,$,(#{shape}))")
        return self._shapes[dx, dy, dz]

    def block(self, ifc_class: str, name: str, box: tuple[float, float, float, float, float, float], tail: str) -> int:
        """An element: min x y z, max x y z; `tail`: what its class has after the shape."""
        x0, y0, z0, x1, y1, z1 = box
        at = self.placement((x0 + x1) / 2, (y0 + y1) / 2, z0)
        shape = self.shape(round(x1 - x0, 3), round(y1 - y0, 3), round(z1 - z0, 3))
        return self.root(ifc_class, name, "$", "$", f"#{at}", f"#{shape}", tail)

    def related(self, ifc_class: str, whole: int, parts: list[int], *, whole_first: bool = True) -> None:
        many = f"({','.join(f'#{part}' for part in parts)})"
        both = (f"#{whole}", many) if whole_first else (many, f"#{whole}")
        self.root(ifc_class, "", "$", *both)

    def joined(self, one: int, other: int) -> None:
        ports = [
            self.root("IFCDISTRIBUTIONPORT", "", "$", "$", "$", "$", f".{direction}.", "$", "$")
            for direction in ("SOURCE", "SINK")
        ]
        for element, port in zip((one, other), ports, strict=True):
            self.related("IFCRELNESTS", element, [port])
        self.root("IFCRELCONNECTSPORTS", "", "$", f"#{ports[0]}", f"#{ports[1]}", "$")


def write_many_rooms(path: Path, storeys: int, rooms: int) -> None:
    """`rooms` on each of `storeys`, one of them the corridor; a radiator in each of them, a valve on each storey."""
    out = Writer()
    project = out.root("IFCPROJECT", "Many", "$", "$", "$", "$", "(#3)", "#5")
    house = out.root("IFCBUILDING", "Many", "$", "$", "$", "$", "$", ".ELEMENT.", "$", "$", "$")
    out.related("IFCRELAGGREGATES", project, [house])
    pump = out.block("IFCPUMP", "Pump", (0.5, -1.5, 0.2, 0.9, -1.1, 0.6), "$,$")
    levels = list(_storeys(out, storeys, rooms, pump))
    out.related("IFCRELAGGREGATES", house, levels)
    body = "\n".join(f"#{number}={text};" for number, text in enumerate(out.lines, 9))
    path.write_text(f"{HEAD}{body}\nENDSEC;\nEND-ISO-10303-21;\n", encoding="ascii")


def _storeys(out: Writer, storeys: int, rooms: int, pump: int) -> Iterator[int]:
    side = rooms // 2
    end = side * STEP
    for number in range(storeys):
        z = number * HEIGHT
        at = out.placement(0.0, 0.0, z)
        level = out.root("IFCBUILDINGSTOREY", f"Level {number}", "$", "$", f"#{at}", "$", "$", ".ELEMENT.", f"{z:.3f}")
        inside = [_space(out, f"{number:02}000", (0, -2, z, end, 0, z + 2.8))]
        valve = out.block("IFCVALVE", f"Valve {number}", (1.0, -1.5, z + 0.2, 1.1, -1.4, z + 0.3), "$,.ISOLATING.")
        out.joined(pump, valve)
        placed = [valve] + ([pump] if number == 0 else [])
        placed += [out.block("IFCSTAIR", f"Stair {number}", (end / 2, -1.2, z, end / 2 + 3, -0.2, z + HEIGHT), "$,$")]
        for k in range(rooms - 1):
            x, up = STEP * (k % side), k < side
            y0, y1, wall = (0.2, 0.2 + DEPTH, 0.0) if up else (-2.2 - DEPTH, -2.2, -2.2)
            inside.append(_space(out, f"{number:02}{k + 1:03}", (x + 0.1, y0, z, x + STEP - 0.1, y1, z + 2.8)))
            door = out.block("IFCDOOR", "", (x + 1.5, wall, z, x + 2.4, wall + 0.2, z + 2.1), "$,2.1,0.9,$,$,$")
            wall_ = out.block("IFCWALL", "", (x - 0.1, y0, z, x + 0.1, y1, z + 2.8), "$,$")
            heater = out.block("IFCSPACEHEATER", "", (x + 1, y0 + 2, z + 0.1, x + 2, y0 + 2.1, z + 0.6), "$,$")
            out.joined(valve, heater)
            placed += [door, wall_, heater]
        out.related("IFCRELAGGREGATES", level, inside)
        out.related("IFCRELCONTAINEDINSPATIALSTRUCTURE", level, placed, whole_first=False)
        yield level


def _space(out: Writer, name: str, box: tuple[float, float, float, float, float, float]) -> int:
    x0, y0, z0, x1, y1, z1 = box
    at = out.placement((x0 + x1) / 2, (y0 + y1) / 2, z0)
    shape = out.shape(round(x1 - x0, 3), round(y1 - y0, 3), round(z1 - z0, 3))
    return out.root("IFCSPACE", name, "$", "$", f"#{at}", f"#{shape}", "$", ".ELEMENT.", ".INTERNAL.", "$")
