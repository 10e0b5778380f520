"""Shapes as they are shown: turned, coloured, their transparent part told from the opaque one.

A *variant* is a shape in one orientation and one set of colours. Instances of a variant differ by a translation only,
so everything but that is computed once per variant. Its vertices lie opaque ones first; either part is filled up to a
multiple of `ALIGN` by repeating its last vertex: the encoder packs vertices in sixteens, so copies of a variant become
equal bytes, and what is repeated costs next to nothing.
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
_TIE: Final = 1e-3  # steps: equal shapes must round alike where noise would decide


@dataclass(frozen=True, slots=True)
class Variants:
    """Rows of variant `i` are `starts[i]:starts[i + 1]` of the array named like the starts. Indices count from the
    variant's first vertex."""

    of_instance: Index  # (I,) variant of each instance
    vertices: NDArray[np.float64]  # (3, V) m, building axes, from the instance's own translation
    normals: NDArray[np.uint32]  # (V,) four bytes each, as the octahedral filter stores them
    colours: NDArray[np.uint32]  # (V,) four bytes each: linear RGBA
    starts: Index  # (N + 1,)
    opaque_vertices: Index  # (N,) the first so many, filled up
    triangles: Rows  # (T, 3) opaque ones first
    triangle_starts: Index
    opaque_triangles: Index  # (N,)
    edges: Rows  # (E, 2)
    edge_starts: Index
    low: NDArray[np.float64]  # (N, 3) m
    high: NDArray[np.float64]

    def steps(self, exponent: int) -> Rows:
        """(V, 3) vertices in whole steps of 2^exponent m."""
        return np.rint(self.vertices.T * 2.0**-exponent + _TIE).astype(np.int32)


def make_variants(
    surfaces: Surfaces, shape: Index, matrix: NDArray[np.float64], look: Index, colours: NDArray[np.uint8]
) -> Variants:
    """Variants of instances given by `shape` (I,), `matrix` (I, 4, 4) and `look` (I,), the row of `colours`.

    `colours` (L, M, 4): sRGB and alpha of each material as each look shows it.
    """
    first, of_instance = _distinct(shape, matrix, look)
    shape, linear, look = shape[first], matrix[first, :3, :3], look[first]
    take, owner = ragged(surfaces.vertex_starts, shape)
    shown = colours[look[owner], surfaces.materials[take]]
    layout = _Layout.of(shown[:, 3] < 255, owner, len(shape))
    take, owner = take[layout.order], owner[layout.order]
    vertices = _turned(surfaces.positions[take], linear, owner)
    normals = _turned(surfaces.normals[take], _normal_matrices(linear), owner)
    triangles, triangle_starts, opaque_triangles = _triangles(surfaces, shape, linear, layout)
    edge_take, edge_owner = ragged(surfaces.edge_starts, shape)
    edges = surfaces.edges[edge_take] + layout.unpadded_starts[edge_owner][:, None]
    low, high = _bounds(vertices, layout.starts)
    return Variants(
        of_instance=of_instance,
        vertices=vertices,
        normals=_octahedral(normals),
        colours=np.ascontiguousarray(_linear(shown[layout.order])).view(np.uint32).reshape(-1),
        starts=layout.starts,
        opaque_vertices=layout.opaque,
        triangles=triangles,
        triangle_starts=triangle_starts,
        opaque_triangles=opaque_triangles,
        edges=(layout.place[edges] - layout.starts[edge_owner][:, None]).astype(np.int32),
        edge_starts=np.searchsorted(edge_owner, np.arange(len(shape) + 1)),
        low=low,
        high=high,
    )


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
    """Where vertices go: opaque part, then transparent part of each variant, each filled up."""

    order: Index  # (P,) unpadded vertex of each padded one
    place: Index  # (U,) padded row of each unpadded vertex
    starts: Index  # (N + 1,) padded
    unpadded_starts: Index  # (N + 1,)
    opaque: Index  # (N,) padded
    clear: NDArray[np.bool_]  # (U,)

    @classmethod
    def of(cls, clear: NDArray[np.bool_], owner: Index, variants: int) -> _Layout:
        key = 2 * owner + clear
        sorted_rows = np.argsort(key, kind="stable")
        counts = np.bincount(key, minlength=2 * variants)
        room = np.where(counts >= _ALIGN_FROM, -(-counts // ALIGN) * ALIGN, counts)
        first = np.cumsum(counts) - counts
        starts = np.concatenate([[0], np.cumsum(room)])
        within, run = ragged_rows(np.zeros(2 * variants, dtype=np.int64), room)
        order = sorted_rows[first[run] + np.minimum(within, counts[run] - 1)]
        place = np.empty(len(clear), dtype=np.int64)
        place[sorted_rows] = np.arange(len(clear)) + (starts[:-1] - first)[key[sorted_rows]]
        unpadded = np.concatenate([[0], np.cumsum(counts.reshape(-1, 2).sum(axis=1))])
        return cls(order, place, starts[::2], unpadded, room[::2], clear)


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
    return np.ascontiguousarray(meshopt.encode_filter_oct(rows, 4, 8)).view(np.uint32).reshape(-1)


def _triangles(
    surfaces: Surfaces, shape: Index, linear: NDArray[np.float64], layout: _Layout
) -> tuple[Rows, Index, Index]:
    """Triangles opaque first, turned round where the matrix mirrors; their starts; how many are opaque."""
    take, owner = ragged(surfaces.triangle_starts, shape)
    triangles = surfaces.triangles[take] + layout.unpadded_starts[owner][:, None]
    flip = (np.linalg.det(linear) < 0)[owner]
    if flip.any():
        triangles[flip] = triangles[flip][:, ::-1]
    key = 2 * owner + layout.clear[triangles[:, 0]]
    order = np.argsort(key, kind="stable")
    counts = np.bincount(key, minlength=2 * len(shape))
    rows = (layout.place[triangles] - layout.starts[owner][:, None]).astype(np.int32)[order]
    return rows, np.concatenate([[0], np.cumsum(counts.reshape(-1, 2).sum(axis=1))]), counts[::2]


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
