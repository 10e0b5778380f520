"""A whole model as plain arrays, for viewers that read no tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays
from viewer.glb import TileMesh
from viewer.palette import Layer
from viewer.tile_mesh import assemble
from viewer.tile_model import LAYERS, Model
from viewer.tiles import Placed


@dataclass(frozen=True, slots=True)
class Assembled:
    """A whole model as plain arrays, for viewers that read no tiles. Positions are m in the building frame."""

    positions: NDArray[np.float64]  # (V, 3)
    normals: NDArray[np.float32]  # (V, 3)
    colours: NDArray[np.float32]  # (V, 4) linear, 0…1
    opaque: NDArray[np.uint32]  # (T, 3)
    transparent: NDArray[np.uint32]  # (U, 3)
    edges: NDArray[np.uint32]  # (E, 2)


def assemble_whole(
    extract: Extract, mesh: MeshArrays, placement: Placed, layers: Sequence[Layer] = LAYERS
) -> Assembled | None:
    """The layers of a model in one piece; None where they show nothing."""
    if len(mesh.instance_element) == 0:
        return None
    model = Model.of(extract, mesh, np.asarray(placement.storey), copying=False)
    rows = np.flatnonzero(np.isin(model.layer, [LAYERS.index(layer) for layer in layers]))
    if not len(rows):
        return None
    low, high = model.low[rows].min(axis=0), model.high[rows].max(axis=0)
    tile = assemble(model, rows, np.zeros(len(rows), dtype=np.int64), low, high)
    return _with_all_normals(tile)


def _with_all_normals(tile: TileMesh) -> Assembled:
    """Flat triangles get vertices of their own, with the triangle's normal."""
    flat = np.concatenate(tile.surfaces[:2]).astype(np.int64)
    opaque = len(tile.surfaces[0])
    normals = np.zeros((len(tile.steps), 3), dtype=np.float32)
    normals[tile.flat_vertices :] = _octahedral(tile.normals[tile.flat_vertices :])
    corners = flat.reshape(-1)
    a, b, c = (tile.steps[flat[:, i]].astype(np.float64) for i in range(3))
    face = np.cross(b - a, c - a)
    face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-30)
    rows = np.concatenate([np.arange(len(tile.steps)), corners])
    own = (len(tile.steps) + np.arange(len(corners))).reshape(-1, 3).astype(np.uint32)
    return Assembled(
        positions=tile.low + tile.steps[rows] * 2.0**tile.exponent,
        normals=np.concatenate([normals, np.repeat(face, 3, axis=0).astype(np.float32)]),
        colours=(tile.colours[rows].view(np.uint8).reshape(-1, 4) / 255).astype(np.float32),
        opaque=np.concatenate([own[:opaque], tile.surfaces[2]]),
        transparent=np.concatenate([own[opaque:], tile.surfaces[3]]),
        edges=tile.edges,
    )


def _octahedral(stored: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(V, 3) unit normals as the octahedral filter stores them."""
    x, y, unit = (stored.view(np.int8).reshape(-1, 4)[:, i].astype(np.float32) for i in range(3))
    x, y = x / unit, y / unit
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.maximum(-z, 0)
    normals = np.stack([x - np.copysign(fold, x), y - np.copysign(fold, y), z], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), dtype=np.float32)
