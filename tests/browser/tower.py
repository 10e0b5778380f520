"""Tiles of a made-up tower, written by the real writer: what the renderer is tested and measured with."""

from pathlib import Path
from uuid import UUID

import ifcopenshell.guid
import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ElementEntry, Extract, Header, MeshArrays, StoreyEntry
from viewer.tile_folder import FileStoreys, unpack
from viewer.tiles import build_tiles
from viewer.tileset import tileset_of

HEIGHT = 3.0  # m, floor to floor
SIZE = 40.0  # m, side of a storey

_ANCESTORS = {
    "IfcBuildingStorey": ["IfcBuildingStorey", "IfcSpatialStructureElement", "IfcProduct"],
    "IfcSlab": ["IfcSlab", "IfcBuildingElement", "IfcElement", "IfcProduct"],
    "IfcWall": ["IfcWall", "IfcBuildingElement", "IfcElement", "IfcProduct"],
    "IfcSpace": ["IfcSpace", "IfcSpatialStructureElement", "IfcProduct"],
    "IfcFurniture": ["IfcFurniture", "IfcFurnishingElement", "IfcElement", "IfcProduct"],
}
_COLOURS = {  # sRGB and alpha, by class; furniture takes turns
    "IfcSlab": [(190, 190, 186, 255)],
    "IfcWall": [(226, 220, 210, 255)],
    "IfcSpace": [(120, 170, 220, 70)],
    "IfcFurniture": [(196, 164, 132, 255), (150, 170, 190, 255), (210, 190, 150, 255), (170, 190, 160, 255)],
}
_CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=np.float32)
_FACES = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
_TRIANGLES = np.array([t for a, b, c, d in _FACES for t in ((a, b, c), (a, c, d))], dtype=np.uint32)


def global_id(storey: int, ifc_class: str, number: int = 0) -> str:
    """The GlobalId of the n-th element of a class on a storey."""
    kind = list(_ANCESTORS).index(ifc_class)
    return str(ifcopenshell.guid.compress(UUID(int=(storey << 64) | (kind << 32) | number).hex))


def write_tower(out: Path, storeys: int, per_storey: int, origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> int:
    """Write tiles and `tileset.json` of a tower whose lower corner is `origin`; the number of its elements.

    Every storey has a slab 0.3 m thick below its floor, a wall along the west side, one room over the whole floor, and
    `per_storey - 3` cupboards 1 m high in a grid.
    """
    tower = _Tower()
    for storey in range(storeys):
        tower.add_storey(storey, per_storey, np.array(origin) + np.array([0, 0, storey * HEIGHT]))
    extract, mesh = tower.extract(), tower.mesh()
    levels = np.array([entry.storey for entry in extract.elements])
    tiles = build_tiles(extract, mesh, FileStoreys(levels), out)
    unpack(tiles)
    (out / "tileset.json").write_bytes(tileset_of(extract, tiles))
    return len(mesh.instance_element)


class _Tower:
    """Collects elements; each is one of a few unit cubes, stretched."""

    def __init__(self) -> None:
        self.elements: list[ElementEntry] = []
        self.storeys: list[StoreyEntry] = []
        self.instances: list[tuple[int, int, NDArray[np.float64]]] = []  # element, shape, matrix
        self.colours = [colour for colours in _COLOURS.values() for colour in colours]

    def add_storey(self, storey: int, count: int, corner: NDArray[np.float64]) -> None:
        self.level = len(self.elements)
        self.elements.append(self._entry(storey, "IfcBuildingStorey", 0))
        self.storeys.append(StoreyEntry(self.level, f"L{storey}", float(corner[2])))
        clear = HEIGHT - 0.3
        self._add(storey, "IfcSlab", 0, corner + np.array([0, 0, -0.3]), (SIZE, SIZE, 0.3))
        self._add(storey, "IfcWall", 0, corner, (0.3, SIZE, clear))
        self._add(storey, "IfcSpace", 0, corner + np.array([0.3, 0, 0]), (SIZE - 0.3, SIZE, clear))
        side = int(np.ceil(np.sqrt(max(count - 3, 1))))
        step = (SIZE - 2) / side
        for n in range(count - 3):
            at = corner + np.array([1 + (n % side) * step, 1 + (n // side) * step, 0])
            self._add(storey, "IfcFurniture", n, at, (step * 0.6, step * 0.6, 1.0))

    def _entry(self, storey: int, ifc_class: str, number: int) -> ElementEntry:
        made = ElementEntry(
            step_id=len(self.elements) + 1, global_id=global_id(storey, ifc_class, number), ifc_class=ifc_class
        )
        made.storey = self.level
        return made

    def _add(
        self, storey: int, ifc_class: str, number: int, low: NDArray[np.float64], size: tuple[float, float, float]
    ) -> None:
        choices = _COLOURS[ifc_class]
        shape = self.colours.index(choices[number % len(choices)])
        matrix = np.diag([*size, 1.0])
        matrix[:3, 3] = low
        self.instances.append((len(self.elements), shape, matrix))
        self.elements.append(self._entry(storey, ifc_class, number))

    def extract(self) -> Extract:
        header = Header("IFC4", "IFC4", "tower.ifc", 0)
        return Extract(header, None, self.storeys, self.elements, [], [], [], [], _ANCESTORS, {})

    def mesh(self) -> MeshArrays:
        count = len(self.colours)
        return MeshArrays(
            positions=np.tile(_CORNERS, (count, 1)),
            triangles=np.tile(_TRIANGLES, (count, 1)),
            triangle_material=np.repeat(np.arange(count, dtype=np.uint16), len(_TRIANGLES)),
            shape_vertices=np.arange(count + 1, dtype=np.uint64) * len(_CORNERS),
            shape_triangles=np.arange(count + 1, dtype=np.uint64) * len(_TRIANGLES),
            materials=np.array(self.colours, dtype=np.uint8),
            instance_element=np.array([i[0] for i in self.instances], dtype=np.uint32),
            instance_shape=np.array([i[1] for i in self.instances], dtype=np.uint32),
            instance_matrix=np.array([i[2] for i in self.instances]),
        )
