"""What tiles are cut from: every instance of a model with its variant, layer, storey and box, and the lots of instances
that make one tile each. Pure numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays
from ifc_models.mesh_kept import with_shapes
from viewer.glb import FINE, USUAL
from viewer.palette import ROOM_ALPHA, Layer, colour_of, layer_of
from viewer.surfaces import Surfaces, prepare
from viewer.variants import Variants, make_variants

Index = NDArray[np.int64]

LAYERS: Final[tuple[Layer, ...]] = ("shell", "spaces", "services", "furniture")
_WORTH_COPYING: Final = 300  # vertices saved; fewer cost less than the words to say that they are copies
_MAX_FEATURES: Final = 65_535  # _FEATURE_ID_0 is u16
_MAX_TRIANGLES: Final = 500_000
_MAX_EXTENT: Final = 300.0  # m: 65 535 steps of position keep 2.5 mm


def with_instances(mesh: MeshArrays, chosen: NDArray[np.bool_]) -> MeshArrays:
    """The mesh with some of its instances, and the shapes that these show."""
    if chosen.all():
        return mesh
    used = np.unique(mesh.instance_shape[chosen]).astype(np.int64)
    return replace(
        with_shapes(mesh, used),
        instance_element=np.asarray(mesh.instance_element)[chosen],
        instance_shape=np.searchsorted(used, np.asarray(mesh.instance_shape)[chosen]).astype(np.uint32),
        instance_matrix=np.asarray(mesh.instance_matrix)[chosen],
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Instances that make one tile."""

    storey: int
    layer: Layer
    part: int
    instances: Index

    @property
    def number(self) -> int:
        """Of the storey's layer."""
        return (self.storey + 1) * len(LAYERS) + LAYERS.index(self.layer)


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that tiles are cut from, per instance."""

    extract: Extract
    variants: Variants
    element: Index  # (I,)
    matrix: NDArray[np.float64]  # (I, 4, 4)
    copied: NDArray[np.bool_]  # (I,) stored once for several
    storey: Index  # (I,) -1: none
    layer: Index  # (I,) row of LAYERS
    low: NDArray[np.float64]  # (I, 3) m
    high: NDArray[np.float64]
    triangles: Index  # (I,)
    steps: dict[int, NDArray[np.int32]]  # (V, 3) of the variants on the grids that most tiles have

    @classmethod
    def of(cls, extract: Extract, mesh: MeshArrays, storeys: NDArray[np.int64], *, copying: bool = True) -> Model:
        surfaces = prepare(mesh)
        element = np.asarray(mesh.instance_element, dtype=np.int64)
        shape = np.asarray(mesh.instance_shape, dtype=np.int64)
        shown = np.diff(surfaces.triangle_starts)[shape] > 0
        element, shape = element[shown], shape[shown]
        matrix = np.asarray(mesh.instance_matrix)[shown]
        classes, layers, colours = looks(extract, element, np.asarray(mesh.materials))
        storey, layer = storeys[element], layers[classes]
        copied = _worth_copying(surfaces, matrix, shape, np.column_stack([shape, classes, storey, layer]))
        copied &= copying
        turned = matrix.copy()
        turned[copied, :3, :3] = np.eye(3)  # copies are turned by the viewer
        variants = make_variants(surfaces, shape, turned, classes, colours, USUAL)
        low, high = _boxes(variants, matrix, copied)
        grids = {
            exponent: variants.steps(exponent) for exponent in ((USUAL, FINE) if variants.fine.any() else (USUAL,))
        }
        return cls(
            extract, variants, element, matrix, copied, storey, layer, low, high,
            np.diff(variants.triangle_starts)[variants.of_instance], grids,
        )  # fmt: skip

    def groups(self) -> Iterator[Group]:
        """The instances of each tile. An element is in one tile, whole."""
        key = (self.storey + 1) * len(LAYERS) + self.layer
        for k in np.unique(key).tolist():
            rows = np.flatnonzero(key == k)
            storey, layer = k // len(LAYERS) - 1, LAYERS[k % len(LAYERS)]
            for part, instances in enumerate(self._cut(rows)):
                yield Group(storey, layer, part, instances)

    def _cut(self, rows: Index) -> Iterator[Index]:
        """Cut instances into tile-sized lots, near ones together."""
        elements, of = np.unique(self.element[rows], return_inverse=True)
        weight = np.bincount(of, weights=self.triangles[rows]).astype(np.int64)
        extent = float((self.high[rows].max(axis=0) - self.low[rows].min(axis=0)).max())
        if len(elements) <= _MAX_FEATURES and weight.sum() <= _MAX_TRIANGLES and extent <= _MAX_EXTENT:
            yield rows
            return
        centre = np.zeros((len(elements), 3))
        centre[of] = (self.low[rows] + self.high[rows]) / 2
        lots = _lots(centre, weight)
        for lot in range(int(lots.max()) + 1):
            chosen = rows[lots[of] == lot]
            if len(chosen):
                yield chosen


def _worth_copying(
    surfaces: Surfaces, matrix: NDArray[np.float64], shape: Index, key: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which instances are cheaper as copies of a shape stored once: `key` (I, n) is equal for what can share."""
    _, of, uses = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    vertices = np.diff(surfaces.vertex_starts)[shape]
    linear = matrix[:, :3, :3]
    square = linear @ linear.transpose(0, 2, 1)
    rigid = (np.abs(square - np.eye(3)).max(axis=(1, 2)) < 1e-6) & (np.linalg.det(linear) > 0)
    shareable = np.bincount(of.reshape(-1), weights=rigid)[of.reshape(-1)] == uses[of.reshape(-1)]
    saved = (uses[of.reshape(-1)] - 1) * vertices
    return np.asarray(rigid & shareable & (saved >= _WORTH_COPYING), dtype=np.bool_)


def _boxes(
    variants: Variants, matrix: NDArray[np.float64], copied: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(I, 3) lower and upper corner of each instance; of a copy, those of its turned box."""
    low, high = variants.low[variants.of_instance], variants.high[variants.of_instance]
    middle, half = (low + high) / 2, (high - low) / 2
    linear = np.where(copied[:, None, None], matrix[:, :3, :3], np.eye(3))
    middle = np.einsum("nij,nj->ni", linear, middle) + matrix[:, :3, 3]
    half = np.einsum("nij,nj->ni", np.abs(linear), half)
    return middle - half, middle + half


def _lots(centre: NDArray[np.float64], weight: Index) -> Index:
    """Which lot each element goes into: cells of the largest extent, cut along the Morton curve by weight."""
    low = centre.min(axis=0)
    cell = np.floor((centre - low) / _MAX_EXTENT).astype(np.int64)
    fine = np.floor((centre - low - cell * _MAX_EXTENT) / _MAX_EXTENT * 1023).astype(np.int64)
    order = np.lexsort((_morton(fine), _morton(cell)))
    lots = np.zeros(len(centre), dtype=np.int64)
    lot, filled, count, last = 0, 0, 0, -1
    coarse = _morton(cell)
    for i in order.tolist():
        w = int(weight[i])
        full = filled + w > _MAX_TRIANGLES or count >= _MAX_FEATURES or int(coarse[i]) != last
        if count and full:
            lot, filled, count = lot + 1, 0, 0
        lots[i] = lot
        filled, count, last = filled + w, count + 1, int(coarse[i])
    return lots


def _morton(cells: Index) -> Index:
    """Interleave the lowest 10 bits of three columns."""
    out = np.zeros(len(cells), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            out |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return out


def looks(extract: Extract, element: Index, materials: NDArray[np.uint8]) -> tuple[Index, Index, NDArray[np.uint8]]:
    """Class row of each instance; layer of each class row; (classes, M, 4) colour of each material in each class."""
    names = sorted({extract.elements[e].ifc_class for e in np.unique(element).tolist()})
    row = {name: i for i, name in enumerate(names)}
    of_element = np.array([row.get(e.ifc_class, -1) for e in extract.elements], dtype=np.int64)
    ancestors = [extract.class_ancestors.get(name, [name]) for name in names]
    layers = np.array([LAYERS.index(layer_of(a)) for a in ancestors], dtype=np.int64)
    default = np.array([colour_of(a) for a in ancestors], dtype=np.uint8).reshape(-1, 1, 4)
    colours = np.where(materials[None, :, 3:] == 0, default, materials[None])
    rooms = layers == LAYERS.index("spaces")
    colours[rooms, :, 3] = np.minimum(colours[rooms, :, 3], ROOM_ALPHA)
    return of_element[element], layers, colours
