"""Tiles → arrays that a notebook's widgets draw: triangles, whose they are, colours. Metres, building frame, z up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from viewer.glb_read import Piece, read_tile

_GREY: Final = (0.55, 0.55, 0.53, 1.0)  # linear, of what a tile gives no colour


@dataclass(frozen=True, slots=True)
class Soup:
    """Triangles of several tiles, in no order. `owner`: number in `names` of the element that each belongs to."""

    names: list[str]  # GlobalIds
    triangles: NDArray[np.float32]  # (T, 3, 3)
    owner: NDArray[np.int64]  # (T,)
    colours: NDArray[np.uint8]  # (T, 4) sRGB and alpha
    edges: NDArray[np.float32]  # (E, 2, 3)
    edge_owner: NDArray[np.int64]  # (E,)

    def of(self, wanted: NDArray[np.bool_], edges: NDArray[np.bool_] | None = None) -> Soup:
        """Some of the triangles, and some of the edges or none."""
        kept = np.zeros(len(self.edges), dtype=bool) if edges is None else edges
        return Soup(
            self.names,
            self.triangles[wanted],
            self.owner[wanted],
            self.colours[wanted],
            self.edges[kept],
            self.edge_owner[kept],
        )

    def rows_of(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """(T,) which triangles belong to one of these elements."""
        return self._is(set(names))[self.owner]

    def edge_rows_of(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """(E,) which edges do."""
        return self._is(set(names))[self.edge_owner]

    def _is(self, names: set[str]) -> NDArray[np.bool_]:
        return np.array([name in names for name in self.names], dtype=bool)


def soup_of(tiles: Iterable[bytes]) -> Soup:
    """Everything that some tiles show; an element that lies in several of them is one. ValueError: one is no tile."""
    numbers: dict[str, int] = {}
    faces: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]] = []
    lines: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]] = []
    for data in tiles:
        shapes = read_tile(data, colours=True)
        own = np.array([numbers.setdefault(name, len(numbers)) for name, _ in shapes.names], dtype=np.int64)
        for piece in shapes.pieces:
            placed = _placed(piece, own)
            (faces if placed[0].shape[1] == 3 else lines).append(placed)
    triangles, owner, colours = _joined(faces, 3)
    edges, edge_owner, _ = _joined(lines, 2)
    return Soup(list(numbers), triangles, owner, colours, edges, edge_owner)


def _placed(piece: Piece, own: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]:
    """Corners of every copy, each one's element, its colour."""
    given = piece.colours if piece.colours is not None else np.tile(_GREY, (len(piece.corners), 1))
    colours = srgb_of(given)
    owners = own[piece.features]
    if piece.turns is None or piece.shifts is None:
        return piece.corners.astype(np.float32), owners, colours
    turned = np.einsum("nij,ckj->ncki", piece.turns, piece.corners) + piece.shifts[:, None, None, :]
    count = len(piece.corners)
    copies = len(piece.turns)
    corners = turned.reshape(copies * count, piece.corners.shape[1], 3).astype(np.float32)
    return corners, np.repeat(owners, count), np.tile(colours, (copies, 1))


def srgb_of(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(n, 4) linear RGBA, 0…1 → sRGB and alpha, 0…255 (IEC 61966-2-1)."""
    rgb = np.clip(linear[:, :3], 0, 1)
    bent = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * np.power(np.maximum(rgb, 1e-9), 1 / 2.4) - 0.055)
    made: NDArray[np.uint8] = np.rint(np.column_stack([bent, linear[:, 3:4]]) * 255).astype(np.uint8)
    return made


def _joined(
    parts: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]], corners: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.uint8]]:
    if not parts:
        empty = np.zeros((0, corners, 3), dtype=np.float32)
        return empty, np.zeros(0, dtype=np.int64), np.zeros((0, 4), dtype=np.uint8)
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
