"""Empty openings that a person walks through get the box of their gap: they have no mesh, but they are a place."""

from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays
from spatial.passages import Wall, passages

MANY: Final = 50_000  # triangles; a wall of more is no wall that gaps are looked for in


def add_passages(extract: Extract, mesh: MeshArrays, boxes: NDArray[np.float64]) -> None:
    """Put the boxes of passages through walls into `boxes` (N, 6) m, at the rows of their openings."""
    elements = extract.elements
    filled = {r.to: r.from_ for r in extract.relations if r.kind == "fills"}
    walls = {name for name, chain in extract.class_ancestors.items() if "IfcWall" in chain}
    empty: dict[int, list[int]] = defaultdict(list)
    fillings: dict[int, list[int]] = defaultdict(list)
    for r in extract.relations:
        if r.kind == "voids" and elements[r.to].ifc_class in walls and elements[r.from_].placement is not None:
            if r.from_ in filled:
                fillings[r.to].append(filled[r.from_])
            else:
                empty[r.to].append(r.from_)
    if not empty:
        return
    floors = [storey.elevation for storey in extract.storeys if storey.elevation is not None]
    meshes = _world(mesh, set(empty))
    for wall, openings in empty.items():
        placement, triangles = elements[wall].placement, meshes.get(wall)
        if placement is None or triangles is None:
            continue
        doors = boxes[fillings[wall]]
        doors = doors[np.isfinite(doors[:, 0])]
        frames = np.array([elements[each].placement for each in openings], dtype=np.float64).reshape(-1, 4, 4)
        origins = frames[:, :3, 3]
        found = passages(
            Wall(triangles, np.reshape(np.array(placement), (4, 4))), origins, (doors[:, :3] + doors[:, 3:]) / 2, floors
        )
        for at, box in found.items():
            boxes[openings[at]] = box


def _world(mesh: MeshArrays, wanted: set[int]) -> dict[int, NDArray[np.float64]]:
    """Return the triangles (T, 3, 3) of elements in the building frame."""
    pieces: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for at in np.flatnonzero(np.isin(mesh.instance_element, sorted(wanted))).tolist():
        shape, matrix = int(mesh.instance_shape[at]), mesh.instance_matrix[at]
        v0, v1 = (int(mesh.shape_vertices[shape + k]) for k in (0, 1))
        t0, t1 = (int(mesh.shape_triangles[shape + k]) for k in (0, 1))
        if t0 < t1 <= t0 + MANY:
            world = mesh.positions[v0:v1] @ matrix[:3, :3].T + matrix[:3, 3]
            pieces[int(mesh.instance_element[at])].append(world[mesh.triangles[t0:t1].astype(np.int64)])
    return {element: np.concatenate(parts) for element, parts in pieces.items()}
