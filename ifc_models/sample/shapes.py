"""Solids that the sample's products are made of. Lengths in metres, z up, in the product's own frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float, float]
Outline: TypeAlias = tuple[tuple[float, float], ...]  # closed polygon, first point not repeated

Z: Point = (0.0, 0.0, 1.0)
X: Point = (1.0, 0.0, 0.0)
Y: Point = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box between `low` and `low + size`."""

    low: Point
    size: Point
    style: str


@dataclass(frozen=True, slots=True)
class Tube:
    """A round bar of radius `radius` from `start` along `axis` (a unit vector)."""

    start: Point
    radius: float
    length: float
    style: str
    axis: Point = Z


@dataclass(frozen=True, slots=True)
class Prism:
    """`outline`, in the plane of `x` and `axis` × `x` through `start`, pulled `length` along `axis`; less `holes`."""

    outline: Outline
    length: float
    style: str
    start: Point = (0.0, 0.0, 0.0)
    axis: Point = Z
    x: Point = X
    holes: tuple[Outline, ...] = ()


@dataclass(frozen=True, slots=True)
class Mesh:
    """A closed triangle mesh, counter-clockwise seen from outside; `triangles` count from 0."""

    vertices: tuple[Point, ...]
    triangles: tuple[tuple[int, int, int], ...]
    style: str


Part: TypeAlias = Box | Tube | Prism | Mesh
Shape: TypeAlias = tuple[Part, ...]

# Red, green, blue, transparency (0 opaque … 1 invisible).
PALETTE: dict[str, tuple[float, float, float, float]] = {
    "stone": (0.46, 0.43, 0.40, 0.0),
    "ivory": (0.91, 0.88, 0.82, 0.0),
    "terracotta": (0.70, 0.42, 0.31, 0.0),
    "band": (0.97, 0.96, 0.93, 0.0),
    "plaster": (0.95, 0.94, 0.92, 0.0),
    "concrete": (0.72, 0.72, 0.71, 0.0),
    "concrete_dark": (0.52, 0.53, 0.54, 0.0),
    "roof": (0.60, 0.60, 0.58, 0.0),
    "bronze": (0.32, 0.28, 0.25, 0.0),
    "frame": (0.22, 0.24, 0.27, 0.0),
    "glass": (0.62, 0.77, 0.84, 0.62),
    "glass_dark": (0.38, 0.52, 0.60, 0.45),
    "oak": (0.76, 0.58, 0.39, 0.0),
    "walnut": (0.45, 0.31, 0.21, 0.0),
    "parquet": (0.80, 0.66, 0.49, 0.0),
    "tile": (0.86, 0.87, 0.87, 0.0),
    "tile_warm": (0.88, 0.84, 0.77, 0.0),
    "granite": (0.66, 0.64, 0.62, 0.0),
    "epoxy": (0.50, 0.60, 0.58, 0.0),
    "paint_line": (0.96, 0.96, 0.92, 0.0),
    "asphalt": (0.33, 0.34, 0.36, 0.0),
    "paving": (0.78, 0.74, 0.68, 0.0),
    "lawn": (0.52, 0.66, 0.40, 0.0),
    "leaf": (0.37, 0.55, 0.30, 0.0),
    "leaf_light": (0.53, 0.68, 0.36, 0.0),
    "leaf_autumn": (0.80, 0.60, 0.28, 0.0),
    "bark": (0.42, 0.33, 0.26, 0.0),
    "water": (0.42, 0.66, 0.76, 0.0),
    "white": (0.96, 0.96, 0.96, 0.0),
    "ceramic": (0.98, 0.98, 0.97, 0.0),
    "textile": (0.56, 0.61, 0.66, 0.0),
    "textile_warm": (0.78, 0.66, 0.56, 0.0),
    "linen": (0.93, 0.91, 0.86, 0.0),
    "steel": (0.74, 0.76, 0.78, 0.0),
    "steel_dark": (0.38, 0.41, 0.44, 0.0),
    "galvanised": (0.80, 0.82, 0.83, 0.0),
    "cabinet": (0.84, 0.85, 0.83, 0.0),
    "fire_red": (0.80, 0.16, 0.14, 0.0),
    "water_green": (0.22, 0.56, 0.45, 0.0),
    "pump_blue": (0.16, 0.40, 0.66, 0.0),
    "power_orange": (0.90, 0.55, 0.15, 0.0),
    "signal_yellow": (0.95, 0.78, 0.20, 0.0),
    "car_glass": (0.20, 0.24, 0.28, 0.0),
    "black": (0.12, 0.12, 0.13, 0.0),
    "lamp": (1.00, 0.96, 0.84, 0.0),
    "space": (0.55, 0.75, 0.90, 0.80),
}


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Outline:
    """Return the rectangle as an outline, counter-clockwise."""
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def crown(radius: float, height: float, z: float, style: str, wobble: tuple[float, ...]) -> Mesh:
    """Return a tree crown: an icosphere of 80 triangles, stretched, each vertex pushed by `wobble` (relative)."""
    t = (1 + math.sqrt(5)) / 2
    raw: list[Point] = [(-1, t, 0), (1, t, 0), (-1, -t, 0), (1, -t, 0), (0, -1, t), (0, 1, t)]
    raw += [(0, -1, -t), (0, 1, -t), (t, 0, -1), (t, 0, 1), (-t, 0, -1), (-t, 0, 1)]
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6)]
    faces += [(7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10)]
    faces += [(8, 6, 7), (9, 8, 1)]
    points = [_unit(p) for p in raw]
    middle: dict[tuple[int, int], int] = {}
    triangles: list[tuple[int, int, int]] = []
    for a, b, c in faces:
        ab, bc, ca = (_halfway(points, middle, p, q) for p, q in ((a, b), (b, c), (c, a)))
        triangles += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    vertices = []
    for index, (x, y, up) in enumerate(points):
        push = 1 + wobble[index % len(wobble)]
        vertices.append(
            (round(x * radius * push, 3), round(y * radius * push, 3), round(z + (up * push + 1) * height / 2, 3))
        )
    return Mesh(tuple(vertices), tuple(triangles), style)


def _unit(p: Point) -> Point:
    length = math.hypot(*p)
    return (p[0] / length, p[1] / length, p[2] / length)


def _halfway(points: list[Point], middle: dict[tuple[int, int], int], a: int, b: int) -> int:
    key = (min(a, b), max(a, b))
    if key not in middle:
        p, q = points[a], points[b]
        middle[key] = len(points)
        points.append(_unit(((p[0] + q[0]) / 2, (p[1] + q[1]) / 2, (p[2] + q[2]) / 2)))
    return middle[key]


def post(radius: float, height: float, style: str) -> Mesh:
    """Return a six-sided post standing on the origin, as a mesh (meshes and extrusions do not mix in one body)."""
    ring = [
        (round(radius * math.cos(n * math.pi / 3), 4), round(radius * math.sin(n * math.pi / 3), 4)) for n in range(6)
    ]
    vertices = (*[(x, y, 0.0) for x, y in ring], *[(x, y, height) for x, y in ring])
    sides = [t for n in range(6) for t in ((n, (n + 1) % 6, n + 6), ((n + 1) % 6, (n + 1) % 6 + 6, n + 6))]
    caps = [t for n in range(1, 5) for t in ((0, n + 1, n), (6, n + 6, n + 7))]
    return Mesh(vertices, (*sides, *caps), style)
