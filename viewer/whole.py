"""A whole model as plain arrays, for viewers that read no tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays
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
    return Assembled(
        positions=tile.low + tile.steps * 2.0**tile.exponent,
        normals=tile.plain_normals(),
        colours=(tile.colours.view(np.uint8).reshape(-1, 4) / 255).astype(np.float32),
        opaque=tile.opaque,
        transparent=tile.transparent,
        edges=tile.edges,
    )
