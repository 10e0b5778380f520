"""Shapes as they are shown: turned, coloured, and cut into four kinds of surface.

A *variant* is a shape in one orientation and one set of colours. Instances of a variant differ by a translation only,
so everything but that is computed once per variant. Its triangles are flat or smooth, opaque or transparent. Flat ones
have no normals on the wire (a reader of glTF takes those of the triangles) and share vertices across creases; a
triangle so thin that rounding would turn it counts as smooth. Vertices of flat triangles lie first. The vertices of
each kind are filled up to a multiple of `ALIGN` by repeating the last: the encoder packs vertices in sixteens, so
copies of a variant become equal bytes, and what is repeated costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import meshopt
import numpy as np
from numpy.typing import NDArray

from viewer.surfaces import Surfaces

Index = NDArray[np.int64]
Rows = NDArray[np.int32]

ALIGN: Final = 16  # vertices that the encoder packs together
_ALIGN_FROM: Final = 40  # vertices; shorter parts are not worth filling up
_NORMAL_BITS: Final = 7  # one degree
_TIE: Final = 1e-3  # steps: equal shapes must round alike where noise would decide
_TURNED_COS: Final = float(np.cos(np.radians(2.0)))  # what rounding may do to the normal of a flat triangle
_AREA_OFF: Final = 0.005  # what rounding may do to the area of a variant
KINDS: Final = 4  # of surface: flat and opaque, flat and transparent, smooth and opaque, smooth and transparent
_SMOOTH: Final = 2


@dataclass(frozen=True, slots=True)
class Variants:
    """Rows of variant `i` are `starts[i]:starts[i + 1]` of the array named like the starts. Indices count from the
    variant's first vertex."""

    of_instance: Index  # (I,) variant of each instance
    vertices: NDArray[np.float64]  # (3, V) m, building axes, from the instance's own translation
    normals: NDArray[np.uint32]  # (V,) four bytes each, as the octahedral filter stores them
    colours: NDArray[np.uint32]  # (V,) four bytes each: linear RGBA
    starts: Index  # (N + 1,)
    flat_vertices: Index  # (N,) the first so many, filled up
    triangles: Rows  # (T, 3) ordered by kind
    triangle_starts: Index
    kinds: Index  # (N, KINDS) triangles of each kind
    edges: Rows  # (E, 2)
    edge_starts: Index
    low: NDArray[np.float64]  # (N, 3) m
    high: NDArray[np.float64]
    fine: NDArray[np.bool_]  # (N,) so thin that the usual grid would change its area

    def steps(self, exponent: int) -> Rows:
        """(V, 3) vertices in whole steps of 2^exponent m."""
        return _rounded(self.vertices, exponent)


def make_variants(
    surfaces: Surfaces,
    shape: Index,
    matrix: NDArray[np.float64],
    look: Index,
    colours: NDArray[np.uint8],
    exponent: int,
) -> Variants:
    """Variants of instances given by `shape` (I,), `matrix` (I, 4, 4) and `look` (I,), the row of `colours`.

    `colours` (L, M, 4): sRGB and alpha of each material as each look shows it. `exponent` of the grid that they are
    likely to be rounded to: a step is 2^exponent m.
    """
    first, of_instance = _distinct(shape, matrix, look)
    shape, linear, look = shape[first], matrix[first, :3, :3], look[first]
    take, owner = ragged(surfaces.vertex_starts, shape)
    shown = colours[look[owner], surfaces.materials[take]]
    vertices = _turned(surfaces.positions[take], linear, owner)
    normals = _turned(surfaces.normals[take], _normal_matrices(linear), owner)
    own = np.searchsorted(owner, np.arange(len(shape) + 1))  # where the vertices of each variant start, not filled up
    triangles, flat, triangle_owner = _triangles(surfaces, shape, linear, own)
    turned, area = _rounding(_rounded(vertices, exponent), normals, triangles)
    flat &= ~turned
    rounded = np.bincount(triangle_owner, area, minlength=len(shape)) * 4.0**exponent
    exact = surfaces.areas[shape] * np.abs(np.linalg.det(linear)) ** (2 / 3)
    points = surfaces.points[take] + own[owner]
    triangles[flat] = points[triangles[flat]]
    layout = _Layout.of(triangles, flat, shown[:, 3] < 255, owner, len(shape))
    kind = _SMOOTH * ~flat + (shown[triangles[:, 0], 3] < 255)
    order = np.argsort(KINDS * triangle_owner + kind, kind="stable")
    edge_take, edge_owner = ragged(surfaces.edge_starts, shape)
    edges = np.sort(layout.ends(surfaces.edges[edge_take] + own[edge_owner][:, None], points), axis=1)
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]  # near numbers are cheap; variants stay together
    vertices = vertices[:, layout.rows]
    low, high = _bounds(vertices, layout.starts)
    return Variants(
        of_instance=of_instance,
        vertices=vertices,
        normals=_octahedral(normals[:, layout.rows]),
        colours=np.ascontiguousarray(_linear(shown[layout.rows])).view(np.uint32).reshape(-1),
        starts=layout.starts,
        flat_vertices=layout.flat_vertices,
        triangles=(layout.place(triangles, flat) - layout.starts[triangle_owner][:, None]).astype(np.int32)[order],
        triangle_starts=np.searchsorted(triangle_owner, np.arange(len(shape) + 1)),
        kinds=np.bincount(KINDS * triangle_owner + kind, minlength=KINDS * len(shape)).reshape(-1, KINDS),
        edges=(edges - layout.starts[edge_owner][:, None]).astype(np.int32),
        edge_starts=np.searchsorted(edge_owner, np.arange(len(shape) + 1)),
        low=low,
        high=high,
        fine=np.abs(rounded - exact) > _AREA_OFF * exact,
    )


def _rounded(vertices: NDArray[np.float64], exponent: int) -> Rows:
    return np.rint(vertices.T * 2.0**-exponent + _TIE).astype(np.int32)


def _triangles(
    surfaces: Surfaces, shape: Index, linear: NDArray[np.float64], own: Index
) -> tuple[Index, NDArray[np.bool_], Index]:
    """Triangles of all variants, turned round where the matrix mirrors; which are flat; the variant of each."""
    take, owner = ragged(surfaces.triangle_starts, shape)
    triangles = surfaces.triangles[take] + own[owner][:, None]
    flip = (np.linalg.det(linear) < 0)[owner]
    if flip.any():
        triangles[flip] = triangles[flip][:, ::-1]
    return triangles, surfaces.flat[take], owner


def _rounding(
    steps: Rows, normals: NDArray[np.float64], triangles: Index
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(T,) what rounding turns to another side (nobody sees one without area), and areas in square steps."""
    a, b, c = (steps[triangles[:, i]].astype(np.float64).T for i in range(3))
    u, v = b - a, c - a
    x, y, z = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
    nx, ny, nz = normals[:, triangles[:, 0]]
    size = np.sqrt(x * x + y * y + z * z)
    turned = x * nx + y * ny + z * nz < _TURNED_COS * size * np.sqrt(nx * nx + ny * ny + nz * nz)
    return turned, size / 2


def ragged(starts: Index, chosen: Index) -> tuple[Index, Index]:
    """The rows of all of `chosen` in turn, and which of `chosen` each row belongs to."""
    counts = np.diff(starts)[chosen]
    return ragged_rows(starts[chosen], counts)


def ragged_rows(first: Index, counts: Index) -> tuple[Index, Index]:
    """`counts[i]` rows from `first[i]` on for every i, and the i of each row."""
    owner = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(owner))
    rows += (first - (np.cumsum(counts) - counts))[owner]
    return rows, owner


def _distinct(shape: Index, matrix: NDArray[np.float64], look: Index) -> tuple[Index, Index]:
    """The first instance of each variant, and the variant of each instance."""
    turn = np.rint(matrix[:, :3, :3].reshape(-1, 9) * 1e6).astype(np.int64)
    key = np.column_stack([shape, look, turn])
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where vertices go: those of each kind of each variant in turn, each filled up. A vertex that flat and smooth
    triangles use has two places."""

    rows: Index  # (P,) vertex at each place
    starts: Index  # (N + 1,) first place of each variant
    flat_vertices: Index  # (N,)
    flat_place: Index  # (U,) of each vertex; -1: none
    smooth_place: Index  # (U,)

    @classmethod
    def of(
        cls, triangles: Index, flat: NDArray[np.bool_], clear: NDArray[np.bool_], owner: Index, variants: int
    ) -> _Layout:
        used = [_used(triangles[chosen], len(clear)) for chosen in (flat, ~flat)]
        rows = np.concatenate(used)
        smooth = np.arange(len(rows)) >= len(used[0])
        key = KINDS * owner[rows] + _SMOOTH * smooth + clear[rows]
        order = np.argsort(key, kind="stable")
        counts = np.bincount(key, minlength=KINDS * variants)
        room = np.where(counts >= _ALIGN_FROM, -(-counts // ALIGN) * ALIGN, counts)
        first = np.cumsum(counts) - counts
        starts = np.concatenate([[0], np.cumsum(room)])
        within, run = ragged_rows(np.zeros(KINDS * variants, dtype=np.int64), room)
        places = np.full((2, len(clear)), -1, dtype=np.int64)
        places[smooth[order].astype(np.int64), rows[order]] = np.arange(len(order)) + (starts[:-1] - first)[key[order]]
        return cls(
            rows[order[first[run] + np.minimum(within, counts[run] - 1)]],
            starts[::KINDS],
            room.reshape(-1, KINDS)[:, :_SMOOTH].sum(axis=1),
            places[0],
            places[1],
        )

    def place(self, triangles: Index, flat: NDArray[np.bool_]) -> Index:
        """(T, 3) places of the corners."""
        return np.where(flat[:, None], self.flat_place[triangles], self.smooth_place[triangles])

    def ends(self, edges: Index, points: Index) -> Index:
        """(E, 2) places of the ends: where a flat triangle has a vertex there, that one."""
        flat = self.flat_place[points[edges]]
        return np.where(flat >= 0, flat, self.smooth_place[edges])


def _used(triangles: Index, vertices: int) -> Index:
    """The vertices that triangles use, in the order of their first use: the cheapest to encode."""
    corners = triangles.reshape(-1)
    first = np.full(vertices, -1, dtype=np.int64)
    first[corners[::-1]] = np.arange(len(corners))[::-1]
    mask = np.zeros(len(corners), dtype=np.bool_)
    mask[first[first >= 0]] = True
    return corners[mask]


def _turned(vectors: NDArray[np.float32], linear: NDArray[np.float64], owner: Index) -> NDArray[np.float64]:
    """(3, V): each vector times its owner's matrix."""
    x, y, z = (np.ascontiguousarray(vectors[:, i]).astype(np.float64) for i in range(3))
    out = np.empty((3, len(owner)))
    for axis in range(3):
        row = linear[:, axis]
        out[axis] = x * row[owner, 0]
        out[axis] += y * row[owner, 1]
        out[axis] += z * row[owner, 2]
    return out


def _normal_matrices(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3, 3) cofactor matrices: they turn normals rightly under scale and mirroring too."""
    a, b, c = linear[:, :, 0], linear[:, :, 1], linear[:, :, 2]
    out = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
    sign = np.where(np.linalg.det(linear) < 0, -1.0, 1.0)
    return out * sign[:, None, None]


def _octahedral(normals: NDArray[np.float64]) -> NDArray[np.uint32]:
    """(V,) four bytes per normal, as meshoptimizer's octahedral filter wants them."""
    if normals.shape[1] == 0:
        return np.zeros(0, np.uint32)
    length = np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2)
    rows = np.ones((normals.shape[1], 4), dtype=np.float32)
    rows[:, :3] = (normals / np.maximum(length, 1e-30)).T
    return np.ascontiguousarray(meshopt.encode_filter_oct(rows, 4, _NORMAL_BITS)).view(np.uint32).reshape(-1)


def _bounds(vertices: NDArray[np.float64], starts: Index) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.empty((len(starts) - 1, 3)), np.empty((len(starts) - 1, 3))
    for axis in range(3):
        low[:, axis] = np.minimum.reduceat(vertices[axis], starts[:-1])
        high[:, axis] = np.maximum.reduceat(vertices[axis], starts[:-1])
    return low, high


def _linear(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """sRGB → linear, alpha kept: COLOR_0 is linear in glTF."""
    out = colours.copy()
    out[:, :3] = _TO_LINEAR[colours[:, :3]]
    return out


_UNIT: Final = np.arange(256) / 255
_TO_LINEAR: Final = np.rint(255 * np.where(_UNIT <= 0.04045, _UNIT / 12.92, ((_UNIT + 0.055) / 1.055) ** 2.4)).astype(
    np.uint8
)
