"""How big the shapes of elements are, in figures that a re-export and another kernel leave as they are.

A hash says that two shapes are the same; when it differs, these say whether a person would see a difference.
"""

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import MeshArrays

COLUMNS = 8
"""area m2, volume m3, extents x y z m, the surface's middle from the box's corner x y z m; in the shape's frame."""


def element_measures(mesh: MeshArrays, elements: int) -> NDArray[np.float64]:
    """(elements, 8) float: see `COLUMNS`; several shapes of an element are added up. NaN where it has no mesh."""
    found = np.full((elements, COLUMNS), np.nan)
    if len(mesh.instance_element):
        rows = shape_measures(mesh)[np.asarray(mesh.instance_shape, dtype=np.int64)]
        index = np.asarray(mesh.instance_element, dtype=np.int64)
        scale = np.abs(np.linalg.det(np.asarray(mesh.instance_matrix)[:, :3, :3])) ** (1 / 3)
        rows = rows * np.column_stack([scale**2, scale**3, *[scale] * 6])
        found[np.unique(index)] = 0.0
        np.add.at(found, index, rows)
    return found


def shape_measures(mesh: MeshArrays) -> NDArray[np.float64]:
    """(S, 8) float of each shape."""
    starts_v = np.asarray(mesh.shape_vertices, dtype=np.int64)
    starts_t: NDArray[np.int64] = np.asarray(mesh.shape_triangles, dtype=np.int64)
    counts = starts_t[1:] - starts_t[:-1]
    owner = np.repeat(np.arange(len(counts)), counts)
    corners = np.asarray(mesh.triangles, dtype=np.int64) + starts_v[owner][:, None]
    positions = np.asarray(mesh.positions, dtype=np.float64)
    a, b, c = (positions[corners[:, i]] for i in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    area = np.bincount(owner, areas, len(counts))
    volume = np.abs(np.bincount(owner, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6, len(counts)))
    low, high = np.zeros((len(counts), 3)), np.zeros((len(counts), 3))
    full = np.flatnonzero(np.diff(starts_v) > 0)
    if len(full):
        first = starts_v[:-1][full]  # shapes lie one after another: each range ends where the next full one starts
        low[full] = np.minimum.reduceat(positions, first)
        high[full] = np.maximum.reduceat(positions, first)
    weighted = np.column_stack([np.bincount(owner, areas * (a + b + c)[:, i] / 3, len(counts)) for i in range(3)])
    middle = np.divide(weighted, area[:, None], out=low.copy(), where=area[:, None] > 0)
    return np.column_stack([area, volume, high - low, middle - low])
