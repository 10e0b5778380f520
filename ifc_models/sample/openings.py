"""Doors and windows of the catalogue. Frame: x along the wall from the opening's left jamb, y across it, z up."""

from __future__ import annotations

from dataclasses import dataclass

from ifc_models.sample.model import Product, Psets
from ifc_models.sample.shapes import Box, Part, Shape


@dataclass(frozen=True, slots=True)
class OpeningKind:
    """A kind of door or window and how it sits in its wall. Lengths in metres."""

    product: Product | None  # None: a cased opening without a leaf
    width: float
    height: float
    sill: float


def _frame(width: float, height: float, depth: float, bar: float, style: str, *, foot: bool = False) -> list[Part]:
    y = -depth / 2
    parts: list[Part] = [
        Box((0, y, 0), (bar, depth, height), style),
        Box((width - bar, y, 0), (bar, depth, height), style),
        Box((bar, y, height - bar), (width - 2 * bar, depth, bar), style),
    ]
    if foot:
        parts.append(Box((bar, y, 0), (width - 2 * bar, depth, bar), style))
    return parts


def _leaf(x: float, width: float, height: float, style: str, handle: float) -> list[Part]:
    """A solid leaf with a lever on both faces; `handle` is its distance from the leaf's left edge."""
    return [
        Box((x, -0.022, 0.01), (width, 0.044, height), style),
        Box((x + handle - 0.06, -0.075, 1.0), (0.12, 0.15, 0.025), "steel"),
    ]


def _single(width: float, height: float, leaf: str, frame: str, depth: float) -> Shape:
    inner = width - 0.1
    return (*_frame(width, height, depth, 0.05, frame), *_leaf(0.05, inner, height - 0.06, leaf, inner - 0.1))


def _double(width: float, height: float, leaf: str, frame: str, depth: float) -> Shape:
    inner = (width - 0.11) / 2
    left = _leaf(0.05, inner, height - 0.06, leaf, inner - 0.1)
    right = _leaf(0.06 + inner, inner, height - 0.06, leaf, 0.1)
    return (*_frame(width, height, depth, 0.05, frame), *left, *right)


def _glazed(width: float, height: float, panes: int, style: str, *, depth: float = 0.09, glass: str = "glass") -> Shape:
    """Frame with `panes` lights side by side, each with its own slim sash."""
    parts = _frame(width, height, depth, 0.055, style, foot=True)
    pane = (width - 0.11) / panes
    for index in range(panes):
        x = 0.055 + index * pane
        if index:
            parts.append(Box((x - 0.025, -depth / 2, 0.055), (0.05, depth, height - 0.11), style))
        left, right = (0.025 if index else 0.0), (0.025 if index < panes - 1 else 0.0)
        parts.append(Box((x + left, -0.008, 0.055), (pane - left - right, 0.016, height - 0.11), glass))
    return tuple(parts)


def _window(width: float, height: float, panes: int) -> Shape:
    """A window with a projecting sill and a slim surround on the outside (y < 0)."""
    return (*_glazed(width, height, panes, "frame"), Box((-0.04, -0.18, -0.05), (width + 0.08, 0.18, 0.05), "band"))


def _shutter(width: float, height: float) -> Shape:
    slats: list[Part] = [
        Box((0.06, -0.02, 0.02 + i * 0.3), (width - 0.12, 0.04, 0.28), "galvanised") for i in range(int(height / 0.3))
    ]
    return (*_frame(width, height, 0.2, 0.06, "signal_yellow"), *slats)


_FIRE: Psets = {
    "Pset_DoorCommon": {"FireRating": "甲级 A1.50", "IsExternal": False, "SelfClosing": True, "FireExit": True}
}
_SHAFT: Psets = {"Pset_DoorCommon": {"FireRating": "丙级 C0.50", "IsExternal": False, "SelfClosing": True}}
_PLAIN: Psets = {"Pset_DoorCommon": {"IsExternal": False, "HandicapAccessible": True}}
_OUTER: Psets = {"Pset_DoorCommon": {"IsExternal": True, "ThermalTransmittance": 2.2}}
_FLAT: Psets = {"Pset_DoorCommon": {"FireRating": "乙级 B1.00", "IsExternal": False, "SecurityRating": "乙级"}}


def _door(key: str, name: str, width: float, height: float, shape: Shape, psets: Psets, operation: str) -> OpeningKind:
    extra = {"OperationType": operation}
    maker, article = ("盼盼安居", "PP-" + key.removeprefix("door_").upper())
    return OpeningKind(
        Product(key, "IfcDoor", "DOOR", name, shape, maker, article, psets, extra=extra), width, height, 0.0
    )


def _pane(key: str, name: str, width: float, height: float, sill: float, panes: int) -> OpeningKind:
    partition = {1: "SINGLE_PANEL", 2: "DOUBLE_PANEL_VERTICAL", 3: "TRIPLE_PANEL_VERTICAL"}[panes]
    psets = {"Pset_WindowCommon": {"IsExternal": True, "ThermalTransmittance": 1.8, "GlazingAreaFraction": 0.82}}
    shape = _window(width, height, panes)
    extra = {"PartitioningType": partition}
    product = Product(
        key, "IfcWindow", "WINDOW", name, shape, "南玻", f"NB-{width:.1f}x{height:.1f}", psets, extra=extra
    )
    return OpeningKind(product, width, height, sill)


_LEFT, _BOTH = "SINGLE_SWING_LEFT", "DOUBLE_DOOR_SINGLE_SWING"
_SLIDE, _SLIDE2 = "SLIDING_TO_LEFT", "DOUBLE_DOOR_SLIDING"

KINDS: dict[str, OpeningKind] = {
    "door_fire": _door(
        "door_fire", "防火门 Fire door", 1.0, 2.1, _single(1.0, 2.1, "cabinet", "steel_dark", 0.2), _FIRE, _LEFT
    ),
    "door_fire_double": _door(
        "door_fire_double",
        "双扇防火门 Double fire door",
        1.5,
        2.2,
        _double(1.5, 2.2, "cabinet", "steel_dark", 0.2),
        _FIRE,
        _BOTH,
    ),
    "door_shaft": _door(
        "door_shaft", "管井门 Shaft door", 0.7, 2.0, _single(0.7, 2.0, "plaster", "cabinet", 0.2), _SHAFT, _LEFT
    ),
    "door_lift": _door(
        "door_lift",
        "电梯层门 Lift landing door",
        1.1,
        2.2,
        _double(1.1, 2.2, "steel", "steel_dark", 0.22),
        _PLAIN,
        _SLIDE2,
    ),
    "door_flat": _door(
        "door_flat", "入户门 Flat entrance door", 1.1, 2.15, _single(1.1, 2.15, "walnut", "bronze", 0.22), _FLAT, _LEFT
    ),
    "door_room": _door("door_room", "房门 Room door", 0.9, 2.1, _single(0.9, 2.1, "oak", "white", 0.12), _PLAIN, _LEFT),
    "door_office": _door(
        "door_office", "办公室门 Office door", 1.0, 2.1, _single(1.0, 2.1, "oak", "white", 0.22), _PLAIN, _LEFT
    ),
    "door_bath": _door(
        "door_bath", "卫生间门 Bathroom door", 0.8, 2.1, _single(0.8, 2.1, "white", "white", 0.12), _PLAIN, _LEFT
    ),
    "door_kitchen": _door(
        "door_kitchen", "厨房推拉门 Kitchen sliding door", 1.6, 2.1, _glazed(1.6, 2.1, 2, "frame"), _PLAIN, _SLIDE
    ),
    "door_kitchen_narrow": _door(
        "door_kitchen_narrow", "厨房移门 Kitchen pocket door", 1.2, 2.1, _glazed(1.2, 2.1, 2, "frame"), _PLAIN, _SLIDE
    ),
    "door_balcony": _door(
        "door_balcony", "阳台推拉门 Balcony sliding door", 2.6, 2.4, _glazed(2.6, 2.4, 2, "frame"), _OUTER, _SLIDE
    ),
    "door_balcony_wide": _door(
        "door_balcony_wide", "阳台推拉门 Wide balcony door", 3.5, 2.4, _glazed(3.5, 2.4, 3, "frame"), _OUTER, _SLIDE
    ),
    "door_entrance": _door(
        "door_entrance", "单元入口门 Main entrance", 3.6, 3.0, _glazed(3.6, 3.0, 4, "bronze"), _OUTER, _SLIDE2
    ),
    "door_entrance_inner": _door(
        "door_entrance_inner", "门禁门 Access-controlled door", 2.4, 2.4, _glazed(2.4, 2.4, 2, "bronze"), _PLAIN, _BOTH
    ),
    "door_garage": _door(
        "door_garage", "车库卷帘门 Garage roller shutter", 5.6, 2.7, _shutter(5.6, 2.7), _OUTER, "ROLLINGUP"
    ),
    "door_opening": OpeningKind(
        Product(
            "door_opening",
            "IfcDoor",
            "NOTDEFINED",
            "垭口 Cased opening",
            tuple(_frame(1.5, 2.25, 0.14, 0.04, "oak")),
            psets=_PLAIN,
            extra={"OperationType": "NOTDEFINED"},
        ),
        1.5,
        2.25,
        0.0,
    ),
    "window_wide": _pane("window_wide", "卧室窗 Wide bedroom window", 2.4, 1.75, 0.75, 3),
    "window_room": _pane("window_room", "卧室窗 Bedroom window", 1.5, 1.6, 0.9, 2),
    "window_kitchen": _pane("window_kitchen", "厨房窗 Kitchen window", 1.2, 1.5, 1.0, 2),
    "window_slim": _pane("window_slim", "条窗 Slim window", 0.7, 1.75, 0.75, 1),
    "window_bath": _pane("window_bath", "高窗 Bathroom window", 0.7, 1.1, 1.4, 1),
    "window_shop": _pane("window_shop", "落地窗 Full-height window", 2.1, 2.7, 0.25, 2),
}
