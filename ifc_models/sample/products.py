"""What the product catalogues are written with.

Frame of a product: floor- or ceiling-mounted ones stand (hang) at their origin; wall-mounted ones have their back at
y = 0 and look towards -y, so `FACING` turns them. Lengths in metres. Makers are real brands of the trade, article
numbers invented.
"""

from __future__ import annotations

from collections.abc import Mapping

from ifc_models.sample.model import Product, Scalar
from ifc_models.sample.shapes import Box, Part, Point, Shape, Tube
from ifc_models.sample.step import Value

FACING: dict[str, Point | None] = {"S": None, "N": (-1.0, 0.0, 0.0), "E": (0.0, 1.0, 0.0), "W": (0.0, -1.0, 0.0)}


def measure(kind: str, value: float) -> Value:
    return Value(f"Ifc{kind}Measure", value)


def product(
    key: str,
    ifc_class: str,
    predefined: str | None,
    name: str,
    shape: Shape,
    made: str = "",
    psets: Mapping[str, Mapping[str, Scalar]] | None = None,
) -> Product:
    """`made` is "maker article"."""
    maker, _, article = made.partition(" ")
    return Product(key, ifc_class, predefined, name, shape, maker, article, psets or {})


def block(width: float, depth: float, height: float, style: str, *more: Part, z: float = 0.0) -> Shape:
    """A box standing centred on the origin."""
    return (Box((-width / 2, -depth / 2, z), (width, depth, height), style), *more)


def wall(width: float, depth: float, height: float, style: str, *more: Part) -> Shape:
    """A box on a wall: back at y = 0."""
    return (Box((-width / 2, -depth, 0.0), (width, depth, height), style), *more)


def disc(radius: float, height: float, style: str, *more: Part) -> Shape:
    """A disc hanging from its origin."""
    return (Tube((0.0, 0.0, -height), radius, height, style), *more)


def cubicle(width: float, depth: float, height: float, colour: str) -> Shape:
    return (
        Box((-width / 2, -depth, 0.1), (width, depth, height - 0.1), "cabinet"),
        Box((-width / 2 + 0.02, -depth + 0.03, 0.0), (width - 0.04, depth - 0.06, 0.1), "black"),
        Box((-width / 2 + 0.05, -depth - 0.015, height - 0.45), (width - 0.1, 0.015, 0.3), "black"),
        Box((-width / 2 + 0.05, -depth - 0.012, height - 0.1), (width - 0.1, 0.012, 0.05), colour),
        Tube((width / 2 - 0.08, -depth, height / 2), 0.02, 0.04, "steel_dark", (0.0, -1.0, 0.0)),
    )
