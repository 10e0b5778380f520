"""The horizontal section of a storey: what a plane at breast height cuts, and what is seen below it.

Triangles and crease edges of elements in the building frame (metres, z up) in, plan geometry per element out. Elements
are numbered 0 … N-1 by their owner's number in the arrays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

CUT: Final = 1.15  # m above the floor; GB/T 50001 and ISO 128: through the windows, 1.0 … 1.5 m
DEPTH: Final = 0.35  # m below the floor that is still looked at: slabs, thresholds
SNAP: Final = 1e-3  # m; ends of cut lines closer than that are one
FLAT: Final = 0.05  # cosine; what faces up less than this is seen from its edge
MAX_TRIANGLES: Final = 250  # per element; an outline of more is that of the hulls of its bodies
DENSE: Final = 400  # per element; of more triangles the largest decide the hulls
BODIES: Final = 60  # per element
MAX_EDGES: Final = 400  # per element; more are a texture, not a drawing
SHORT: Final = 0.02  # m; shorter edges are not drawn
BUMP: Final = 3.7e-5  # m: off every grid on which vertices lie, so that the plane goes through none

Numbers = NDArray[np.int64]
Geometry = Any  # shapely has no types


@dataclass(frozen=True, slots=True)
class Soup:
    """Triangles and crease edges of N elements."""

    triangles: NDArray[np.float64]  # (T, 3, 3)
    triangle_owner: Numbers  # (T,)
    edges: NDArray[np.float64]  # (E, 2, 3)
    edge_owner: Numbers  # (E,)


@dataclass(frozen=True, slots=True)
class Section:
    """Plan geometry by owner. Polygons and lines are two-dimensional."""

    cut: Mapping[int, Geometry]  # polygons where the plane goes through an element
    open: Mapping[int, Geometry]  # lines where it goes through one that encloses nothing (a sheet)
    below: Mapping[int, Geometry]  # outline of what is seen below the plane
    edges: Mapping[int, Geometry]  # its edges
    above: Mapping[int, Geometry]  # outline of what is only above the plane
    top: Mapping[int, float]  # m, of what is below: lower things are drawn first


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a section has of one element, as shapely geometries."""

    cut: Geometry = None
    open: Geometry = None
    below: Geometry = None
    edges: Geometry = None
    above: Geometry = None
    top: float = 0.0


@dataclass(frozen=True, slots=True)
class StoreySection:
    """The section of a storey: its floor and the plane (m), and what is drawn of each element."""

    floor: float
    plane: float
    key: str  # equal: nothing in it has changed
    shapes: Mapping[UUID, Drawn]


def cut_section(
    soup: Soup, plane: float, *, lowest: Mapping[int, float], outlined: set[int], above: set[int]
) -> Section:
    """Cut at height `plane` (m).

    `lowest`: how far down each element is looked at (m), none for those that are only cut. `outlined`: those whose
    whole outline is wanted, whatever their height. `above`: those whose outline above the plane is wanted as well.
    """
    plane += BUMP
    cut, open_ = _cut(soup, plane)
    wanted = np.isin(soup.triangle_owner, sorted(lowest))
    corners, owner = _facing_up(soup.triangles[wanted], soup.triangle_owner[wanted])
    below, top = _outlines(corners, owner, lowest, plane, outlined)
    edges = _edges(soup, corners, owner, lowest, plane, outlined)
    return Section(cut, open_, below, edges, _above(soup, plane, above), top)


def _cut(soup: Soup, plane: float) -> tuple[dict[int, Geometry], dict[int, Geometry]]:
    """Return polygons and, of what does not close, lines."""
    heights = soup.triangles[:, :, 2]
    over = heights > plane
    hit = over.any(axis=1) & ~over.all(axis=1)
    if not hit.any():
        return {}, {}
    owner, segments = soup.triangle_owner[hit], _crossings(soup.triangles[hit], over[hit], plane)
    real = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) > 1e-7
    owner, segments = owner[real], segments[real]
    order = np.argsort(owner, kind="stable")
    owner, segments = owner[order], segments[order]
    numbers, first = np.unique(owner, return_index=True)
    lines = shapely.multilinestrings(shapely.linestrings(segments), indices=np.searchsorted(numbers, owner))
    # Bodies of one element share faces: their lines are split where they meet, and each is kept once.
    lines = shapely.node(shapely.set_precision(lines, SNAP, mode="pointwise"))
    areas = shapely.build_area(lines)
    ends = [*first[1:].tolist(), len(owner)]
    cut: dict[int, Geometry] = {}
    open_: dict[int, Geometry] = {}
    for i, number in enumerate(numbers.tolist()):
        area = areas[i]
        if shapely.area(area) < 1e-4:
            open_[number] = lines[i]
        else:
            cut[number] = _without_false_holes(area, segments[int(first[i]) : ends[i]])
    return cut, open_


def _crossings(corners: NDArray[np.float64], over: NDArray[np.bool_], plane: float) -> NDArray[np.float64]:
    """Return where triangles (T, 3, 3) meet the plane, (T, 2, 2), the solid on the left of each."""
    # The corner that is alone on its side comes first.
    alone_over = over.sum(axis=1) == 1
    first = np.argmax(np.where(alone_over[:, None], over, ~over), axis=1)
    rows = np.arange(len(corners))[:, None]
    turned = corners[rows, (first[:, None] + np.arange(3)) % 3]
    a, b, c = turned[:, 0], turned[:, 1], turned[:, 2]

    def between(end: NDArray[np.float64]) -> NDArray[np.float64]:
        share = (plane - a[:, 2]) / (end[:, 2] - a[:, 2])
        return np.asarray(a[:, :2] + share[:, None] * (end[:, :2] - a[:, :2]))

    pairs = np.stack([between(b), between(c)], axis=1)
    pairs[alone_over] = pairs[alone_over][:, ::-1]
    return pairs


def _without_false_holes(area: Geometry, segments: NDArray[np.float64]) -> Geometry:
    """Fill holes that are inside a second body of the same element: areas are built with every inner ring a hole."""
    if shapely.get_num_interior_rings(shapely.get_parts(area)).sum() == 0:
        return area
    parts = []
    for part in shapely.get_parts(area):
        holes = [ring for ring in part.interiors if not _solid(shapely.Polygon(ring), segments)]
        parts.append(shapely.Polygon(part.exterior, holes))
    return shapely.union_all(parts) if len(parts) > 1 else parts[0]


def _solid(hole: Geometry, segments: NDArray[np.float64]) -> bool:
    """Say by its winding number whether material lies inside a ring."""
    inside = shapely.point_on_surface(hole)
    x, y = float(inside.x), float(inside.y) + 1e-6
    low = segments[:, 0, 1] <= y
    crosses = low != (segments[:, 1, 1] <= y)
    chosen, rises = segments[crosses], low[crosses]
    share = (y - chosen[:, 0, 1]) / (chosen[:, 1, 1] - chosen[:, 0, 1])
    right = chosen[:, 0, 0] + share * (chosen[:, 1, 0] - chosen[:, 0, 0]) > x
    return int(np.sum(np.where(rises[right], 1, -1))) != 0


def _outlines(
    corners: NDArray[np.float64], owner: Numbers, lowest: Mapping[int, float], plane: float, outlined: set[int]
) -> tuple[dict[int, Geometry], dict[int, float]]:
    """Return the outline and the top of what is seen of each element between its lowest height and the plane."""
    if not len(owner):
        return {}, {}
    bottom, ceiling = _range_of(owner, lowest, plane, outlined)
    high, low = corners[:, :, 2].max(axis=1), corners[:, :, 2].min(axis=1)
    kept = (low < ceiling) & (high > bottom)
    corners, owner, high, ceiling = corners[kept], owner[kept], high[kept], ceiling[kept]
    found: dict[int, Geometry] = {}
    top: dict[int, float] = {}
    for number, rows in _by_owner(owner):
        through = rows[high[rows] > ceiling[rows]]
        outline = _union(corners[rows[high[rows] <= ceiling[rows]]], corners[through], float(ceiling[rows[0]]))
        if outline is not None:
            found[number] = outline
            top[number] = float(min(high[rows].max(), ceiling[rows[0]]))
    return found, top


def _by_owner(owner: Numbers) -> Iterable[tuple[int, Numbers]]:
    """Yield each owner with its rows."""
    order = np.argsort(owner, kind="stable")
    numbers, first = np.unique(owner[order], return_index=True)
    return zip(numbers.tolist(), np.split(order, first)[1:], strict=True)


def _range_of(
    owner: Numbers, lowest: Mapping[int, float], plane: float, outlined: set[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    numbers, of = np.unique(owner, return_inverse=True)
    bottom = np.array([lowest[number] for number in numbers.tolist()])
    ceiling = np.array([np.inf if number in outlined else plane for number in numbers.tolist()])
    return bottom[of], ceiling[of]


def _facing_up(corners: NDArray[np.float64], owner: Numbers) -> tuple[NDArray[np.float64], Numbers]:
    """Keep the triangles that are seen from above. A mesh turned inside out shows its lower side: that will do."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1)
    up = np.abs(normals[:, 2]) > FLAT * np.maximum(length, 1e-12)
    facing = normals[:, 2] > FLAT * length
    some = np.unique(owner[facing])
    chosen = np.where(np.isin(owner, some), facing, up) & (np.abs(normals[:, 2]) > 2e-6)
    return corners[chosen], owner[chosen]


def _union(whole: NDArray[np.float64], through: NDArray[np.float64], ceiling: float) -> Geometry | None:
    """Return the outline of triangles seen from above; those `through` the ceiling only up to it."""
    pieces: list[Geometry] = []
    if len(whole) > MAX_TRIANGLES:
        pieces.extend(_hulls(whole))
    elif len(whole):
        pieces.extend(shapely.polygons(whole[:, :, :2]))
    for triangle in through[:MAX_TRIANGLES]:
        clipped = _clip(triangle, ceiling)
        if len(clipped) >= 3:
            pieces.append(shapely.Polygon(clipped))
    if not pieces:
        return None
    joined = shapely.union_all(np.array(pieces, dtype=object), grid_size=SNAP)
    # Slivers that are no thicker than the grid are of the joining, not of the element.
    joined = joined.buffer(SNAP * 2, join_style="mitre").buffer(-SNAP * 2, join_style="mitre")
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon" and part.area > 1e-4]
    return shapely.MultiPolygon(parts) if parts else None


def _thinned(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out triangles of an element too dense to be seen one by one, its largest ones kept."""
    if len(triangles) <= DENSE:
        return triangles
    a, b = triangles[:, 1, :2] - triangles[:, 0, :2], triangles[:, 2, :2] - triangles[:, 0, :2]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return triangles[np.argpartition(-area, DENSE)[:DENSE]]


def _hulls(triangles: NDArray[np.float64]) -> list[Geometry]:
    """Return the hulls of the bodies that triangles make up: chairs have legs, seats and hundreds of screws."""
    points = _thinned(triangles).reshape(-1, 3)
    _, vertex = np.unique(_keys(points, np.zeros(len(points), dtype=np.int64)), return_inverse=True)
    corner = vertex.reshape(-1, 3)
    joined = np.concatenate([corner[:, :2], corner[:, 1:]])
    count = int(vertex.max()) + 1
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(count, count))
    _, body = connected_components(graph, directed=False)
    of = body[corner[:, 0]]
    order = np.argsort(np.repeat(of, 3), kind="stable")
    at = np.unique(np.repeat(of, 3)[order], return_inverse=True)[1]
    hulls = shapely.convex_hull(shapely.multipoints(shapely.points(points[order, :2]), indices=at))
    hulls = hulls[shapely.area(hulls) > 1e-4]
    largest = hulls[np.argsort(-shapely.area(hulls))[:BODIES]]
    return list(largest)


def _clip(triangle: NDArray[np.float64], ceiling: float) -> list[tuple[float, float]]:
    """Return the part of a triangle under a height, seen from above (Sutherland and Hodgman)."""
    kept: list[tuple[float, float]] = []
    for here, there in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        if here[2] <= ceiling:
            kept.append((float(here[0]), float(here[1])))
        if (here[2] <= ceiling) != (there[2] <= ceiling):
            share = (ceiling - here[2]) / (there[2] - here[2])
            kept.append((float(here[0] + share * (there[0] - here[0])), float(here[1] + share * (there[1] - here[1]))))
    return kept


def _edges(
    soup: Soup,
    faces: NDArray[np.float64],
    face_owner: Numbers,
    lowest: Mapping[int, float],
    plane: float,
    outlined: set[int],
) -> dict[int, Geometry]:
    """Return the crease edges seen from above: those of faces that look up, up to the plane."""
    kept = np.isin(soup.edge_owner, sorted(lowest))
    ends, owner = soup.edges[kept], soup.edge_owner[kept]
    if not len(owner):
        return {}
    many = np.bincount(owner) > 3 * MAX_EDGES
    ends, owner = ends[~many[owner]], owner[~many[owner]]
    if not len(owner):
        return {}
    bottom, ceiling = _range_of(owner, lowest, plane, outlined)
    height = ends[:, :, 2]
    kept = (height.min(axis=1) < ceiling) & (height.max(axis=1) > bottom)
    ends, owner, ceiling = ends[kept], owner[kept], ceiling[kept]
    kept = _of_faces(faces, face_owner, ends, owner)
    ends, owner, ceiling = ends[kept], owner[kept], ceiling[kept]
    lines = _lowered(ends, ceiling)
    long = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1) > SHORT
    lines, owner = lines[long], owner[long]
    # The same line at another height is the same line on paper.
    grid = np.rint(lines / 0.005).astype(np.int64).reshape(-1, 4)
    swap = (grid[:, 0] > grid[:, 2]) | ((grid[:, 0] == grid[:, 2]) & (grid[:, 1] > grid[:, 3]))
    grid[swap] = grid[swap][:, [2, 3, 0, 1]]
    _, first = np.unique(np.column_stack([owner, grid]), axis=0, return_index=True)
    lines, owner = lines[first], owner[first]
    found: dict[int, Geometry] = {}
    for number, rows in _by_owner(owner):
        if len(rows) <= MAX_EDGES:
            found[number] = shapely.multilinestrings(shapely.linestrings(lines[rows]))
    return found


def _lowered(ends: NDArray[np.float64], ceiling: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (E, 2, 2) what of edges lies under a height each, seen from above."""
    a, b = ends[:, 0], ends[:, 1]
    rise = b[:, 2] - a[:, 2]
    share = np.divide(ceiling - a[:, 2], rise, out=np.zeros(len(a)), where=np.abs(rise) > 1e-9)
    crossing = a[:, :2] + np.where(np.isfinite(share), share, 0.0)[:, None] * (b[:, :2] - a[:, :2])
    start = np.where((a[:, 2] > ceiling)[:, None], crossing, a[:, :2])
    end = np.where((b[:, 2] > ceiling)[:, None], crossing, b[:, :2])
    return np.stack([start, end], axis=1)


def _of_faces(
    faces: NDArray[np.float64], face_owner: Numbers, ends: NDArray[np.float64], owner: Numbers
) -> NDArray[np.bool_]:
    """Say which edges have both ends at corners of faces that look up: others are hidden below."""
    near = np.isin(face_owner, np.unique(owner))
    known = np.unique(_keys(faces[near].reshape(-1, 3), np.repeat(face_owner[near], 3)))
    return np.asarray(np.isin(_keys(ends[:, 0], owner), known) & np.isin(_keys(ends[:, 1], owner), known))


def _keys(points: NDArray[np.float64], owner: Numbers) -> NDArray[np.uint64]:
    """Return a number for each point of an element, equal for points within a millimetre."""
    grid = np.rint(points * 500).astype(np.int64).astype(np.uint64)
    key = owner.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for axis in range(3):
        key = (key ^ grid[:, axis]) * np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(29)
    return key


def _above(soup: Soup, plane: float, wanted: set[int]) -> dict[int, Geometry]:
    """Return the outline of what lies above the plane: the rest of a stair."""
    kept = np.isin(soup.triangle_owner, sorted(wanted)) & (soup.triangles[:, :, 2].min(axis=1) > plane)
    corners, owner = _facing_up(soup.triangles[kept], soup.triangle_owner[kept])
    found: dict[int, Geometry] = {}
    for number in np.unique(owner).tolist():
        outline = _union(corners[owner == number], corners[:0], np.inf)
        if outline is not None:
            found[number] = outline
    return found
