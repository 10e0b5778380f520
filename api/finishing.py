"""The second half of an import, in a process of its own: rooms' floors, derived placement, tiles.

Runs on the extract that the sandboxed worker wrote; it parses no IFC. Imported by a child process, so it imports
nothing of FastAPI.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.finishing_log import Log, ReadyTile, Said
from api.passage_boxes import add_passages
from ifc_models.extract import Extract, MeshArrays, load_extract, load_geometry
from ifc_models.measures import element_measures
from ifc_models.mesh_parts import load_some
from ifc_models.package import write_package
from spatial.ends import element_ends
from spatial.placement import Footprint, Placement, footprint, place
from spatial.placing import IN_ROOMS
from viewer.tile_folder import FileStoreys
from viewer.tile_keys import KnownTile
from viewer.tiles import Tile, build_tiles

PLACED: Final = frozenset({"IfcElement", "IfcSpace"})
"""What may be placed by geometry at all: a site's terrain is on no storey."""
ON_TOP: Final = frozenset({"IfcSlab", "IfcCovering"})


@dataclass(frozen=True, slots=True)
class Placed:
    """What the database needs besides the extract; its rows can be written while the tiles are."""

    placement: Placement
    boxes: NDArray[np.float64]  # (N, 6) m, NaN where an element has no mesh
    shapes: dict[int, bytes]  # element index → hash of its mesh in its own frame
    measures: NDArray[np.float64]  # (N, 8) of ifc_models.measures, NaN where an element has no mesh
    ends: dict[int, NDArray[np.float64]]  # element index → where ducts, pipes and cables end (spatial.ends)
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Finished:
    """What the blob store needs."""

    tiles: list[Tile]
    package: Path  # all of it and the extract, to be kept
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Work:
    """What the process keeps of an import between its two halves."""

    folder: Path
    extract: Extract
    mesh: MeshArrays
    placed: Placed


_work: list[_Work] = []  # the last one, if any


def place_model(folder: Path) -> Placed:
    """Place the elements of an extract folder and measure their meshes."""
    started = time.perf_counter()
    _work.clear()
    extract, mesh = load_extract(folder), MeshArrays.load(folder, mmap=True)
    boxes = mesh.element_bounds(len(extract.elements))
    add_passages(extract, mesh, boxes)
    placement = place_extract(extract, mesh, boxes)
    placed = time.perf_counter()
    shapes, measures = mesh.element_shape_hashes(), element_measures(mesh, len(extract.elements))
    hashed = time.perf_counter()
    ends = ends_of(extract, mesh)
    seconds = {"place": placed - started, "hash": hashed - placed, "ends": time.perf_counter() - hashed}
    made = Placed(placement, boxes, shapes, measures, ends, seconds)
    _work.append(_Work(folder, extract, mesh, made))
    return made


def make_tiles(folder: Path, out: Path, known: Sequence[KnownTile] = ()) -> Finished:
    """Write the tiles of an extract folder into `out`, those left out that are known, and its package."""
    if not _work or _work[0].folder != folder:  # another import came between, or the process that placed it died
        place_model(folder)
    work = _work.pop()
    started = time.perf_counter()
    log, total = Log(out), len(np.unique(work.mesh.instance_element))
    tiles = build_tiles(
        work.extract, work.mesh, work.placed.placement, out, known, _Teller(work.extract, log, total).tell
    )
    tiled = time.perf_counter()
    package, placed = folder / "package", work.placed
    write_package(
        package,
        work.extract,
        load_geometry(folder),
        placed.placement,
        placed.boxes,
        placed.measures,
        placed.shapes,
        tiles,
        placed.ends,
    )
    return Finished(tiles, package, {"tiles": tiled - started, "pack": time.perf_counter() - tiled})


def preview(folder: Path, meshed: Path, out: Path) -> list[ReadyTile]:
    """Write the tiles of storeys whose meshes lie in the folder `meshed`, each element where the file says it is."""
    extract = load_extract(folder)
    mesh = load_some(meshed, extract)
    storey = np.array([element.storey for element in extract.elements], dtype=np.int64)
    tiles = build_tiles(extract, mesh, FileStoreys(storey), out)
    return [ready_tile(extract, tile) for tile in tiles if tile.storey_index is not None]


def ready_tile(extract: Extract, tile: Tile) -> ReadyTile:
    """What may be said of a tile before its version is stored."""
    storey = next((each for each in extract.storeys if each.element == tile.storey_index), None)
    return ReadyTile(
        storey_index=tile.storey_index if tile.storey_index is not None else -1,
        storey_name=storey.name if storey is not None else None,
        elevation=storey.elevation if storey is not None else None,
        layer=tile.layer,
        part=tile.part,
        hash=tile.hash,
        size=tile.bytes,
        elements=tile.elements,
        triangles=tile.triangles,
        bbox=tile.bbox,
        key=tile.key,
        content_type=tile.content_type,
    )


class _Teller:
    """Says in the log which tiles are written, and how many elements are in them."""

    def __init__(self, extract: Extract, log: Log, total: int) -> None:
        self._extract, self._log, self._total, self._done = extract, log, total, 0

    def tell(self, tile: Tile) -> None:
        self._done += tile.elements
        said = Said(stage="tiles", done=self._done, total=self._total, tile=ready_tile(self._extract, tile))
        self._log.say(said)


def place_extract(extract: Extract, mesh: MeshArrays, boxes: NDArray[np.float64]) -> Placement:
    """Return where every element of the extract is, derived where the file does not say (6.4.2b)."""
    classes = np.array([element.ifc_class for element in extract.elements], dtype=object)
    storeys = {storey.element: storey.elevation for storey in extract.storeys}
    storey = np.array([element.storey for element in extract.elements], dtype=np.int64)
    for index in storeys:
        storey[index] = index
    return place(
        boxes=np.where(_descends(classes, PLACED, extract.class_ancestors)[:, None], boxes, np.nan),
        storey=storey,
        space=np.array([element.space for element in extract.elements], dtype=np.int64),
        elevations={index: elevation for index, elevation in storeys.items() if elevation is not None},
        footprints=footprints(extract, mesh),
        stands_in_room=_descends(classes, IN_ROOMS, extract.class_ancestors),
        hangs_below=_descends(classes, ON_TOP, extract.class_ancestors),
    )


def ends_of(extract: Extract, mesh: MeshArrays) -> dict[int, NDArray[np.float64]]:
    """Return where everything ends through which something flows, by element index; terminals have a body only."""
    classes = np.array([element.ifc_class for element in extract.elements], dtype=object)
    runs = _descends(classes, {"IfcFlowSegment"}, extract.class_ancestors)
    flows = _descends(classes, {"IfcDistributionFlowElement"}, extract.class_ancestors)
    bodies = _descends(classes, {"IfcFlowTerminal", "IfcDistributionChamberElement"}, extract.class_ancestors)
    return element_ends(mesh, np.flatnonzero(runs).tolist(), np.flatnonzero(flows & ~runs & ~bodies).tolist())


def footprints(extract: Extract, mesh: MeshArrays) -> dict[int, Footprint]:
    """Return the floor of every IfcSpace that has a mesh, by element index."""
    spaces = {index for index, element in enumerate(extract.elements) if element.ifc_class == "IfcSpace"}
    found: dict[int, Footprint] = {}
    for instance in np.flatnonzero(np.isin(mesh.instance_element, list(spaces))):
        shape = int(mesh.instance_shape[instance])
        vertices = mesh.positions[int(mesh.shape_vertices[shape]) : int(mesh.shape_vertices[shape + 1])]
        triangles = mesh.triangles[int(mesh.shape_triangles[shape]) : int(mesh.shape_triangles[shape + 1])]
        matrix = mesh.instance_matrix[instance]
        floor = footprint(vertices @ matrix[:3, :3].T + matrix[:3, 3], triangles.astype(np.int64))
        if floor is not None:
            found[int(mesh.instance_element[instance])] = floor
    return found


def _descends(
    classes: NDArray[np.object_], wanted: Iterable[str], ancestors: Mapping[str, list[str]]
) -> NDArray[np.bool_]:
    """Say for each class name whether it is or descends from one of `wanted`."""
    hits = {name for name, chain in ancestors.items() if not set(wanted).isdisjoint(chain)}
    return np.array([name in hits for name in classes], dtype=bool)
