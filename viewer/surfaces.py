"""Triangle soup → render vertices: corners split at creases, smooth normals between them, crease edges as lines.

Where a surface is flat its normal follows from its triangles, so that its vertices need none of their own and the faces
of a box can share eight corners: `points` says which vertex stands for all others at its place.

Works on all shapes of a model at once, vectorised; every shape is prepared once however often it is shown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import meshopt
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ifc_models.extract import MeshArrays

Floats = NDArray[np.float32]
Index = NDArray[np.int64]

CREASE_COS: Final = float(np.cos(np.radians(38.0)))  # sharper is an edge; a pipe of twelve sides is still round
_WELD: Final = 1e4  # vertices closer than 0.1 mm are one
_OFFSET: Final = 0.37  # keeps the weld's borders away from round numbers
_FLAT_COS: Final = float(np.cos(np.radians(0.5)))  # surfaces that bend less have one normal
_LOT: Final = 1 << 14  # triangles that are prepared at once
_SHARED: Final = 0.5  # vertices saved per triangle, from which sharing them across creases pays


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Shapes ready to be placed. Vertex, triangle and edge rows of shape `s` are `starts[s]:starts[s + 1]`;
    points, triangles and edges count from the shape's first vertex."""

    positions: Floats  # (V, 3) m, shape frame
    normals: Floats  # (V, 3) unit
    materials: NDArray[np.uint16]  # (V,)
    points: NDArray[np.uint32]  # (V,) one vertex for all that are at the same place and of the same material
    vertex_starts: Index  # (S + 1,)
    triangles: NDArray[np.uint32]  # (T, 3)
    flat: NDArray[np.bool_]  # (T,) all around each corner is as flat as the triangle
    triangle_starts: Index
    edges: NDArray[np.uint32]  # (E, 2)
    edge_starts: Index
    areas: NDArray[np.float64]  # (S,) m²


def prepare(mesh: MeshArrays) -> Surfaces:
    """Prepare every shape of a model. Triangles without area are dropped.

    In lots of shapes, side by side: what the steps sort fits the processor's cache then, and they let go of the
    interpreter's lock. Lots depend on the model only, so the same model gives the same bytes everywhere.
    """
    lots = _lots(np.asarray(mesh.shape_triangles, dtype=np.int64))
    if len(lots) == 1:
        return _prepare(mesh, *lots[0])
    with ThreadPoolExecutor(min(len(lots), os.cpu_count() or 1)) as pool:
        return _joined(list(pool.map(lambda lot: _prepare(mesh, *lot), lots)))


def _lots(triangle_starts: Index) -> list[tuple[int, int]]:
    """Ranges of shapes, each of at least so many triangles as are worth a turn of their own."""
    bounds = [0]
    while bounds[-1] < len(triangle_starts) - 1:
        wanted = triangle_starts[bounds[-1]] + _LOT
        end = int(np.searchsorted(triangle_starts, wanted))
        rest = triangle_starts[-1] - triangle_starts[min(end, len(triangle_starts) - 1)]
        bounds.append(len(triangle_starts) - 1 if rest < _LOT // 2 else end)
    return list(pairwise(bounds)) or [(0, 0)]


def _joined(lots: Sequence[Surfaces]) -> Surfaces:
    """All shapes of the lots in turn."""
    starts = {
        name: np.concatenate([
            [0], *(getattr(lot, name)[1:] + first for lot, first in zip(lots, _firsts(lots, name), strict=True))
        ])
        for name in ("vertex_starts", "triangle_starts", "edge_starts")
    }  # fmt: skip
    rows = {
        each.name: np.concatenate([getattr(lot, each.name) for lot in lots])
        for each in fields(Surfaces)
        if each.name not in starts
    }
    return Surfaces(**rows, **starts)


def _firsts(lots: Sequence[Surfaces], starts: str) -> Index:
    ends = np.cumsum([getattr(lot, starts)[-1] for lot in lots])
    return np.concatenate([[0], ends[:-1]])


def _prepare(mesh: MeshArrays, first: int, last: int) -> Surfaces:
    """Prepare the shapes first…last - 1."""
    shapes = last - first
    all_v, all_t = (
        np.asarray(of, dtype=np.int64)[first : last + 1] for of in (mesh.shape_vertices, mesh.shape_triangles)
    )
    starts_v, starts_t = all_v - all_v[0], all_t - all_t[0]
    shape_of_triangle = np.repeat(np.arange(shapes), np.diff(starts_t))
    triangles = mesh.triangles[all_t[0] : all_t[-1]].astype(np.int64) + starts_v[shape_of_triangle][:, None]
    positions = np.asarray(mesh.positions[all_v[0] : all_v[-1]])
    point, points = _welded(positions, np.repeat(np.arange(shapes), np.diff(starts_v)))
    corners = point[triangles]
    normals, real = _normals(positions, triangles, corners)
    corners, normals = corners[real], normals[real]
    material = np.asarray(mesh.triangle_material[all_t[0] : all_t[-1]])[real]
    shape_of_triangle = shape_of_triangle[real]
    adjacency = _Adjacency.of(corners, normals, material, len(points))
    vertex, first_corner, vertex_normal, planar = _render_vertices(corners, normals, material, adjacency)
    area = np.sqrt(np.einsum("ij,ij->i", normals, normals)) / 2
    vertex_point = corners.reshape(-1)[first_corner]
    vertex_shape = shape_of_triangle[first_corner // 3]
    return _ordered(
        positions[points[vertex_point]],
        vertex_normal,
        material[first_corner // 3],
        vertex_point,
        vertex_shape,
        planar,
        vertex.reshape(-1, 3),
        _edge_vertices(adjacency, vertex),
        np.bincount(shape_of_triangle, area, minlength=shapes).astype(np.float64),
    )


def _welded(positions: Floats, shape: Index) -> tuple[Index, Index]:
    """The point of each vertex (0…P-1), and one vertex of each point."""
    rounded = np.floor(positions.astype(np.float64) * _WELD + _OFFSET).astype(np.int64).astype(np.uint64)
    key = _mixed(_mixed(_mixed(_mixed(shape.astype(np.uint64)) ^ rounded[:, 0]) ^ rounded[:, 1]) ^ rounded[:, 2])
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return inverse.reshape(-1), first


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64: 64 well-mixed bits, one to one."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _normals(positions: Floats, triangles: Index, corners: Index) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(T, 3) normals as long as twice the area, and which triangles have one."""
    a, b, c = (positions[triangles[:, i]].astype(np.float64) for i in range(3))
    normals = _cross(b - a, c - a)
    length = np.einsum("ij,ij->i", normals, normals)
    real = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2]) & (corners[:, 2] != corners[:, 0])
    return normals, real & (length > 1e-20)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(a)
    out[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    out[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    out[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return out


@dataclass(frozen=True, slots=True)
class _Adjacency:
    """Edges between triangles. A corner is `3 * triangle + i`; side `i` of a triangle runs from corner i to i + 1."""

    smooth: tuple[Index, Index]  # pairs of corners at one point with one smooth surface between them
    crease: tuple[Index, Index]  # corners at both ends of each crease edge

    @classmethod
    def of(cls, corners: Index, normals: NDArray[np.float64], material: NDArray[np.uint16], points: int) -> _Adjacency:
        start = corners.reshape(-1)
        end = corners[:, [1, 2, 0]].reshape(-1)
        low, high = np.minimum(start, end), np.maximum(start, end)
        key = low * points + high
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(key) else order
        count = np.diff(np.concatenate([first, [len(key)]]))
        pair = first[count == 2]
        a, b = order[pair], order[pair + 1]
        same_way = start[a] == start[b]  # the two triangles do not agree which side is out
        flat = _cosine(normals[a // 3], normals[b // 3]) * np.where(same_way, -1.0, 1.0) > CREASE_COS
        flat &= material[a // 3] == material[b // 3]
        crease = np.concatenate([order[first[count != 2]], a[~flat]])
        a, b, same_way = a[flat], b[flat], same_way[flat]
        # Corners that meet: side a runs u→v; side b runs v→u (or u→v where the winding disagrees).
        b_at_u, b_at_v = np.where(same_way, b, _next(b)), np.where(same_way, _next(b), b)
        # A surface that turns its back half-way keeps its own normals: smoothing across would cancel them.
        agree = ~same_way
        smooth = (
            np.concatenate([a[agree], _next(a)[agree]]),
            np.concatenate([b_at_u[agree], b_at_v[agree]]),
        )
        return cls(smooth, (crease, _next(crease)))


def _next(corner: Index) -> Index:
    """The corner after this one in its triangle."""
    return np.where(corner % 3 == 2, corner - 2, corner + 1)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    dot = np.einsum("ij,ij->i", a, b)
    out: NDArray[np.float64] = dot / np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    return out


def _render_vertices(
    corners: Index, normals: NDArray[np.float64], material: NDArray[np.uint16], adjacency: _Adjacency
) -> tuple[Index, Index, Floats, NDArray[np.bool_]]:
    """The render vertex of each corner, one corner of each render vertex, its normal, and whether it lies in a
    plane.

    Corners at one point share a vertex when the surface between them is smooth, or their normals and material come
    out equal anyway.
    """
    n = corners.size
    a, b = adjacency.smooth
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    groups, group = connected_components(graph, directed=False)
    summed = np.stack(
        [np.bincount(group, weights=np.repeat(normals[:, i], 3), minlength=groups) for i in range(3)], axis=1
    )
    summed = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-30)
    bent = _cosine(np.repeat(normals, 3, axis=0), summed[group]) < _FLAT_COS
    bends = np.bincount(group, weights=bent, minlength=groups) > 0
    rounded = np.rint(summed * 127).astype(np.int64)
    point = np.empty(groups, dtype=np.int64)
    point[group] = corners.reshape(-1)
    colour = np.empty(groups, dtype=np.int64)
    colour[group] = np.repeat(material, 3)
    packed = ((rounded[:, 0] + 127) << 16) | ((rounded[:, 1] + 127) << 8) | (rounded[:, 2] + 127) | (colour << 24)
    key = _mixed(_mixed(point.astype(np.uint64)) ^ packed.astype(np.uint64))
    _, first, of_group = np.unique(key, return_index=True, return_inverse=True)
    of_group = of_group.reshape(-1)
    a_corner = np.empty(groups, dtype=np.int64)
    a_corner[group[::-1]] = np.arange(n)[::-1]  # the first corner of each group
    planar = np.bincount(of_group, weights=bends, minlength=len(first)) == 0
    return of_group[group], a_corner[first], summed[first].astype(np.float32), planar


def _edge_vertices(adjacency: _Adjacency, vertex: Index) -> Index:
    return np.stack([vertex[adjacency.crease[0]], vertex[adjacency.crease[1]]], axis=1)


def _ordered(
    positions: Floats,
    normals: Floats,
    materials: NDArray[np.uint16],
    points: Index,
    vertex_shape: Index,
    planar: NDArray[np.bool_],
    triangles: Index,
    edges: Index,
    areas: NDArray[np.float64],
) -> Surfaces:
    """Triangles in vertex-cache order, vertices in the order of their first use, shape by shape."""
    shapes = len(areas)
    if len(triangles):
        # Only the new order of triangles is wanted: their vertices are numbered per shape below.
        indices, remap, used_count = meshopt.reorder_mesh(triangles.astype(np.uint32), triangles=True, optsize=True)
        back = np.argsort(remap)[:used_count]
        triangles = back[indices.astype(np.int64)].reshape(-1, 3)
        triangle_shape = vertex_shape[triangles[:, 0]]
        order = np.argsort(triangle_shape, kind="stable")
        triangles, triangle_shape = triangles[order], triangle_shape[order]
    points = _first_at(points, materials)
    flat = np.asarray(planar[triangles].all(axis=1))
    flat &= _pays(points, triangles, flat, vertex_shape, shapes)[triangle_shape]
    used, rank = _first_use(triangles.reshape(-1), len(positions))
    vertex_starts = np.searchsorted(vertex_shape[used], np.arange(shapes + 1))
    points = rank[points[used]]
    edge_shape = vertex_shape[edges[:, 0]]
    edges = rank[edges]
    order = np.argsort(edge_shape, kind="stable")
    edges, edge_shape = edges[order], edge_shape[order]
    return Surfaces(
        positions[used],
        normals[used],
        materials[used],
        (points - vertex_starts[vertex_shape[used]]).astype(np.uint32),
        vertex_starts,
        (rank[triangles] - vertex_starts[triangle_shape][:, None]).astype(np.uint32),
        flat,
        np.searchsorted(triangle_shape, np.arange(shapes + 1)),
        (edges - vertex_starts[edge_shape][:, None]).astype(np.uint32),
        np.searchsorted(edge_shape, np.arange(shapes + 1)),
        areas,
    )


def _pays(
    points: Index, triangles: Index, flat: NDArray[np.bool_], vertex_shape: Index, shapes: int
) -> NDArray[np.bool_]:
    """(S,) whose flat triangles share enough vertices to be worth it: indices of shared ones cost more."""
    own, shared = (_counted(rows, vertex_shape, shapes) for rows in (triangles[flat], points[triangles[flat]]))
    count = np.bincount(vertex_shape[triangles[flat][:, 0]], minlength=shapes)
    return own - shared >= _SHARED * count


def _counted(rows: Index, vertex_shape: Index, shapes: int) -> Index:
    """(S,) how many different vertices of each shape there are among `rows`."""
    mask = np.zeros(len(vertex_shape), dtype=np.bool_)
    mask[rows.reshape(-1)] = True
    return np.bincount(vertex_shape[mask], minlength=shapes)


def _first_at(points: Index, materials: NDArray[np.uint16]) -> Index:
    """(V,) one vertex for all of the same point and material."""
    key = _mixed(points.astype(np.uint64)) ^ materials.astype(np.uint64)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return np.asarray(first[inverse.reshape(-1)], dtype=np.int64)


def _first_use(indices: Index, vertices: int) -> tuple[Index, Index]:
    """Vertices in the order of their first use, and each vertex's place in it."""
    first = np.full(vertices, len(indices), dtype=np.int64)
    first[indices[::-1]] = np.arange(len(indices))[::-1]
    used = np.argsort(first, kind="stable")
    rank = np.empty(vertices, dtype=np.int64)
    rank[used] = np.arange(vertices)
    return used, rank
