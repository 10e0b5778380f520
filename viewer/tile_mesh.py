"""The arrays of one tile: variants placed on its grid, and shapes stored once for several copies. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from viewer.glb import Copies, Rows, TileMesh, exponent_for
from viewer.tile_model import Index, Model
from viewer.variants import KINDS, ragged, ragged_rows

_ROUND: Final = 0.5  # m: corners of tiles are round numbers, which are short


def assemble(
    model: Model,
    rows: Index,
    feature: Index,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> TileMesh:
    """Place the variants of a tile on its grid, and append what is copied."""
    fine = bool(model.variants.fine[model.variants.of_instance[rows]].any())
    exponent = exponent_for(float((high - low).max()), fine=fine)
    step = 2.0**exponent
    coarse = max(step, _ROUND)
    low = np.floor((low - step) / coarse) * coarse  # one step of room for what is rounded twice
    all_steps = model.steps[exponent] if exponent in model.steps else model.variants.steps(exponent)
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
    lay = _Lay.of(model, variant)
    steps = all_steps[lay.take]
    steps += offset[lay.owner]
    edge_take, edge_owner = ragged(v.edge_starts, variant)
    return TileMesh(
        steps=np.maximum(steps, 0, out=steps),
        normals=v.normals[lay.take],
        colours=v.colours[lay.take],
        features=feature[lay.owner].astype(np.uint16),
        surfaces=_surfaces(model, variant, lay),
        edges=lay.moved(v.edges[edge_take], edge_owner),
        flat_vertices=lay.flat_vertices,
        low=low,
        exponent=exponent,
    )


@dataclass(frozen=True, slots=True)
class _Lay:
    """Vertices of several variants in a tile: those of flat surfaces first, then those of smooth ones."""

    take: Index  # (V,) row of the variants' arrays
    owner: Index  # (V,) which of the variants
    flat: Index  # (n,) flat vertices of each
    flat_starts: Index  # (n,) where they start
    smooth_starts: Index
    flat_vertices: int  # of all

    @classmethod
    def of(cls, model: Model, variant: Index) -> _Lay:
        v = model.variants
        first, flat = v.starts[variant], v.flat_vertices[variant]
        smooth = np.diff(v.starts)[variant] - flat
        take, owner = ragged_rows(np.concatenate([first, first + flat]), np.concatenate([flat, smooth]))
        total = int(flat.sum())
        return cls(
            take,
            owner % max(len(variant), 1),
            flat,
            np.cumsum(flat) - flat,
            np.cumsum(smooth) - smooth + total,
            total,
        )

    def only(self, i: int) -> _Lay:
        """The same places for one of the variants."""
        one = slice(i, i + 1)
        return replace(
            self, flat=self.flat[one], flat_starts=self.flat_starts[one], smooth_starts=self.smooth_starts[one]
        )

    def moved(self, rows: NDArray[np.int32], owner: Index) -> NDArray[np.uint32]:
        """Vertices of the variants (n, 2 or 3) as vertices of the tile."""
        smooth = rows >= self.flat[owner][:, None]
        start = np.where(smooth, (self.smooth_starts - self.flat)[owner][:, None], self.flat_starts[owner][:, None])
        return (rows + start).astype(np.uint32)


def _surfaces(model: Model, variant: Index, lay: _Lay) -> tuple[Rows, ...]:
    """The triangles of each kind."""
    v = model.variants
    ends = np.cumsum(v.kinds[variant], axis=1) + v.triangle_starts[variant][:, None]
    made = []
    for kind in range(KINDS):
        count = v.kinds[variant, kind]
        take, owner = ragged_rows(ends[:, kind] - count, count)
        made.append(lay.moved(v.triangles[take], owner))
    return tuple(made)


def _with_copies(model: Model, rows: Index, feature: Index, all_steps: NDArray[np.int32], placed: TileMesh) -> TileMesh:
    """The tile with the shapes that are stored once; each is moved so that its own coordinates start at zero."""
    v = model.variants
    variants, of = np.unique(v.of_instance[rows], return_inverse=True)
    lay = _Lay.of(model, variants)
    steps = all_steps[lay.take]
    copies: list[Copies] = []
    for i, variant in enumerate(variants.tolist()):
        own = lay.owner == i
        corner = steps[own].min(axis=0)
        steps[own] -= corner
        mine = rows[of == i]
        linear = model.matrix[mine, :3, :3]
        edges = v.edges[v.edge_starts[variant] : v.edge_starts[variant + 1]]
        copies.append(
            Copies(
                surfaces=_surfaces(model, variants[i : i + 1], lay.only(i)),
                edges=lay.moved(edges, np.full(len(edges), i)),
                translations=model.matrix[mine, :3, 3] - placed.low + linear @ (corner * 2.0**placed.exponent),
                rotations=Rotation.from_matrix(linear).as_quat(),
                features=feature[of == i].astype(np.uint16),
            )
        )
    return replace(
        placed,
        steps=np.concatenate([placed.steps, steps]),
        normals=np.concatenate([placed.normals, v.normals[lay.take]]),
        colours=np.concatenate([placed.colours, v.colours[lay.take]]),
        copies=copies,
        copied_flat_vertices=lay.flat_vertices,
    )
