"""The arrays of one tile: variants placed on its grid, and shapes stored once for several copies. Pure numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from viewer.glb import FINEST, Copies, TileMesh, exponent_for
from viewer.tile_model import Index, Model
from viewer.variants import ragged, ragged_rows


def assemble(
    model: Model,
    rows: Index,
    feature: Index,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> TileMesh:
    """Place the variants of a tile on its grid, and append what is copied."""
    exponent = exponent_for(float((high - low).max()))
    step = 2.0**exponent
    low = (np.floor(low / step) - 1) * step  # one step of room for what is rounded twice
    all_steps = model.steps if exponent == FINEST else model.variants.steps(exponent)
    copied = model.copied[rows]
    placed = _placed(model, rows[~copied], feature[~copied], all_steps, low, exponent)
    if not copied.any():
        return placed
    return _with_copies(model, rows[copied], feature[copied], all_steps, placed)


def _placed(
    model: Model,
    rows: Index,
    feature: Index,
    all_steps: NDArray[np.int32],
    low: NDArray[np.float64],
    exponent: int,
) -> TileMesh:
    """Variants moved to where they are.

    A variant is rounded before it is moved, by a whole number of steps: repetitions of it then differ by a constant
    only, which is what compression is good at.
    """
    v = model.variants
    variant = v.of_instance[rows]
    offset = np.rint((model.matrix[rows, :3, 3] - low) * 2.0**-exponent).astype(np.int32)
    first, count, opaque = v.starts[variant], np.diff(v.starts)[variant], v.opaque_vertices[variant]
    clear = count - opaque
    take, owner = ragged_rows(np.concatenate([first, first + opaque]), np.concatenate([opaque, clear]))
    owner %= max(len(rows), 1)
    steps = all_steps[take]
    steps += offset[owner]
    opaque_starts = np.cumsum(opaque) - opaque
    total = int(opaque.sum())
    clear_starts = np.cumsum(clear) - clear + total
    t_first, t_opaque = v.triangle_starts[variant], v.opaque_triangles[variant]
    t_clear = np.diff(v.triangle_starts)[variant] - t_opaque
    opaque_take, opaque_owner = ragged_rows(t_first, t_opaque)
    clear_take, clear_owner = ragged_rows(t_first + t_opaque, t_clear)
    edge_take, edge_owner = ragged(v.edge_starts, variant)
    edges = v.edges[edge_take]
    in_clear = edges >= opaque[edge_owner][:, None]
    moved = np.where(in_clear, (clear_starts - opaque)[edge_owner][:, None], opaque_starts[edge_owner][:, None])
    return TileMesh(
        steps=np.maximum(steps, 0, out=steps),
        normals=v.normals[take],
        colours=v.colours[take],
        features=feature[owner].astype(np.uint16),
        opaque=(v.triangles[opaque_take] + opaque_starts[opaque_owner][:, None]).astype(np.uint32),
        transparent=(v.triangles[clear_take] + (clear_starts - opaque)[clear_owner][:, None]).astype(np.uint32),
        edges=(edges + moved).astype(np.uint32),
        opaque_vertices=total,
        low=low,
        exponent=exponent,
    )


def _with_copies(model: Model, rows: Index, feature: Index, all_steps: NDArray[np.int32], placed: TileMesh) -> TileMesh:
    """The tile with the shapes that are stored once; each is moved so that its own coordinates start at zero."""
    v = model.variants
    variants, of = np.unique(v.of_instance[rows], return_inverse=True)
    take, _ = ragged(v.starts, variants)
    steps = all_steps[take]
    ends = np.cumsum(np.diff(v.starts)[variants])
    copies: list[Copies] = []
    for i, variant in enumerate(variants.tolist()):
        start, end = int(ends[i - 1]) if i else 0, int(ends[i])
        corner = steps[start:end].min(axis=0)
        steps[start:end] -= corner
        mine = rows[of == i]
        linear = model.matrix[mine, :3, :3]
        moves = model.matrix[mine, :3, 3] - placed.low + linear @ (corner * 2.0**placed.exponent)
        triangles = v.triangles[v.triangle_starts[variant] : v.triangle_starts[variant + 1]] + start
        opaque = int(v.opaque_triangles[variant])
        copies.append(
            Copies(
                opaque=triangles[:opaque].astype(np.uint32),
                transparent=triangles[opaque:].astype(np.uint32),
                edges=(v.edges[v.edge_starts[variant] : v.edge_starts[variant + 1]] + start).astype(np.uint32),
                translations=moves,
                rotations=Rotation.from_matrix(linear).as_quat(),
                features=feature[of == i].astype(np.uint16),
            )
        )
    return replace(
        placed,
        steps=np.concatenate([placed.steps, steps]),
        normals=np.concatenate([placed.normals, v.normals[take]]),
        colours=np.concatenate([placed.colours, v.colours[take]]),
        copies=copies,
    )
