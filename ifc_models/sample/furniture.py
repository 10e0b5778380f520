"""Furniture and sanitary fittings of flats and common rooms, and where they stand."""

from __future__ import annotations

from ifc_models.sample.equipment import FACING
from ifc_models.sample.floor import Floor
from ifc_models.sample.model import Item, Model, Product
from ifc_models.sample.plan import WIDTH
from ifc_models.sample.shapes import Box, Part, Shape, Tube


def _furniture(key: str, predefined: str, name: str, *parts: Part) -> Product:
    return Product(key, "IfcFurniture", predefined, name, parts)


def _sanitary(key: str, predefined: str, name: str, article: str, *parts: Part) -> Product:
    return Product(key, "IfcSanitaryTerminal", predefined, name, parts, "九牧", article)


def _bed(width: float) -> Shape:
    pillows = 2 if width > 1.4 else 1
    each = (width - 0.2) / pillows
    return (
        Box((-width / 2, -2.1, 0.08), (width, 2.05, 0.22), "walnut"),
        Box((-width / 2 - 0.05, -0.06, 0.0), (width + 0.1, 0.06, 0.95), "walnut"),
        Box((-width / 2 + 0.03, -2.06, 0.3), (width - 0.06, 2.0, 0.2), "linen"),
        Box((-width / 2 + 0.01, -2.08, 0.4), (width - 0.02, 1.35, 0.13), "textile"),
        *[Box((-width / 2 + 0.1 + i * each, -0.5, 0.5), (each - 0.06, 0.4, 0.1), "white") for i in range(pillows)],
    )


def _dining() -> Shape:
    chairs: list[Part] = []
    for x in (-0.42, 0.42):
        for y, back in ((-0.62, -0.84), (0.62, 0.8)):
            chairs += [
                Box((x - 0.2, y - 0.2, 0.42), (0.4, 0.4, 0.05), "textile_warm"),
                Box((x - 0.2, back, 0.47), (0.4, 0.04, 0.42), "textile_warm"),
            ]
            chairs += [Box((x - 0.18, y - 0.18, 0.0), (0.36, 0.36, 0.42), "walnut")]
    return (
        Box((-0.75, -0.42, 0.71), (1.5, 0.84, 0.04), "oak"),
        Box((-0.1, -0.1, 0.0), (0.2, 0.2, 0.71), "walnut"),
        *chairs,
    )


_ALL = (
    _furniture("bed_double", "BED", "双人床 Double bed", *_bed(1.8)),
    _furniture("bed_single", "BED", "单人床 Single bed", *_bed(1.2)),
    _furniture(
        "wardrobe",
        "FILECABINET",
        "衣柜 Wardrobe",
        Box((-0.9, -0.58, 0.0), (1.8, 0.58, 2.3), "oak"),
        Box((-0.005, -0.59, 0.05), (0.01, 0.01, 2.2), "walnut"),
    ),
    _furniture(
        "sofa",
        "SOFA",
        "沙发 Sofa",
        Box((-1.15, -0.9, 0.1), (2.3, 0.9, 0.32), "textile"),
        Box((-1.15, -0.22, 0.42), (2.3, 0.22, 0.4), "textile"),
        Box((-1.15, -0.9, 0.42), (0.2, 0.68, 0.2), "textile"),
        Box((0.95, -0.9, 0.42), (0.2, 0.68, 0.2), "textile"),
        Box((-0.85, -0.4, 0.44), (0.5, 0.16, 0.36), "textile_warm"),
    ),
    _furniture(
        "coffee_table",
        "TABLE",
        "茶几 Coffee table",
        Box((-0.55, -0.3, 0.34), (1.1, 0.6, 0.05), "walnut"),
        Box((-0.45, -0.2, 0.0), (0.9, 0.4, 0.34), "steel_dark"),
    ),
    _furniture("rug", "USERDEFINED", "地毯 Rug", Box((-1.2, -0.9, 0.02), (2.4, 1.8, 0.012), "linen")),
    _furniture(
        "tv",
        "USERDEFINED",
        "电视柜 TV unit",
        Box((-1.0, -0.4, 0.08), (2.0, 0.4, 0.36), "oak"),
        Box((-0.65, -0.08, 0.75), (1.3, 0.05, 0.75), "black"),
    ),
    _furniture("dining", "TABLE", "餐桌椅 Dining set", *_dining()),
    _furniture(
        "desk",
        "DESK",
        "书桌 Desk",
        Box((-0.7, -0.6, 0.71), (1.4, 0.6, 0.04), "oak"),
        Box((-0.66, -0.55, 0.0), (0.05, 0.5, 0.71), "white"),
        Box((0.61, -0.55, 0.0), (0.05, 0.5, 0.71), "white"),
        Box((-0.25, -1.1, 0.42), (0.5, 0.5, 0.06), "textile"),
        Box((-0.03, -0.88, 0.0), (0.06, 0.06, 0.42), "steel_dark"),
        Box((-0.25, -1.12, 0.48), (0.5, 0.05, 0.45), "textile"),
        Box((-0.28, -0.2, 0.8), (0.56, 0.03, 0.34), "black"),
    ),
    _furniture("shelf", "SHELF", "书柜 Bookcase", Box((-0.6, -0.32, 0.0), (1.2, 0.32, 2.0), "walnut")),
    _furniture(
        "kitchen",
        "USERDEFINED",
        "橱柜 Kitchen units",
        Box((-1.2, -0.6, 0.1), (2.4, 0.6, 0.74), "white"),
        Box((-1.2, -0.62, 0.84), (2.4, 0.62, 0.04), "granite"),
        Box((0.45, -0.5, 0.88), (0.6, 0.4, 0.02), "black"),
        Box((0.35, -0.36, 1.6), (0.8, 0.36, 0.5), "steel"),
    ),
    _furniture(
        "fridge",
        "USERDEFINED",
        "冰箱 Refrigerator",
        Box((-0.34, -0.68, 0.0), (0.68, 0.66, 1.8), "steel"),
        Box((-0.34, -0.685, 1.1), (0.68, 0.006, 0.01), "black"),
    ),
    _furniture("shoe_cabinet", "FILECABINET", "鞋柜 Shoe cabinet", Box((-0.6, -0.35, 0.0), (1.2, 0.35, 1.1), "oak")),
    _furniture(
        "reception",
        "DESK",
        "前台 Reception desk",
        Box((-1.5, -0.7, 0.0), (3.0, 0.7, 1.05), "walnut"),
        Box((-1.6, -0.78, 1.05), (3.2, 0.84, 0.05), "granite"),
    ),
    _furniture(
        "lockers",
        "FILECABINET",
        "快递柜 Parcel lockers",
        Box((-1.6, -0.5, 0.0), (3.2, 0.5, 2.1), "pump_blue"),
        *[Box((-1.58 + i * 0.4, -0.512, 0.1), (0.37, 0.012, 1.9), "cabinet") for i in range(8)],
    ),
    _furniture(
        "bins",
        "USERDEFINED",
        "分类垃圾桶 Waste bins",
        *[
            Box((-1.4 + i * 0.72, -0.6, 0.0), (0.6, 0.55, 1.0), c)
            for i, c in enumerate(("pump_blue", "water_green", "fire_red", "steel_dark"))
        ],
    ),
    _furniture(
        "bikes",
        "USERDEFINED",
        "自行车架 Bicycle rack",
        *[Tube((-1.8 + i * 0.6, -1.5, 0.35), 0.03, 1.4, "steel_dark", (0.0, 1.0, 0.0)) for i in range(7)],
        *[Tube((-1.81 + i * 0.6, -1.4, 0.34), 0.33, 0.02, "black", (1.0, 0.0, 0.0)) for i in range(7)],
        *[Tube((-1.81 + i * 0.6, -0.4, 0.34), 0.33, 0.02, "black", (1.0, 0.0, 0.0)) for i in range(7)],
    ),
    _furniture(
        "ping_pong",
        "TABLE",
        "乒乓球台 Table-tennis table",
        Box((-1.37, -0.76, 0.72), (2.74, 1.52, 0.04), "pump_blue"),
        Box((-0.01, -0.8, 0.76), (0.02, 1.6, 0.15), "white"),
        Box((-1.0, -0.5, 0.0), (0.1, 1.0, 0.72), "steel_dark"),
        Box((0.9, -0.5, 0.0), (0.1, 1.0, 0.72), "steel_dark"),
    ),
    _sanitary(
        "sink",
        "SINK",
        "厨房水槽 Kitchen sink",
        "JM-S1",
        Box((-0.35, -0.5, 0.885), (0.7, 0.42, 0.012), "steel"),
        Tube((0.0, -0.08, 0.9), 0.015, 0.28, "steel"),
        Tube((0.0, -0.08, 1.17), 0.012, 0.2, "steel", (0.0, -1.0, 0.0)),
    ),
    _sanitary(
        "basin",
        "WASHHANDBASIN",
        "洗手盆 Washbasin",
        "JM-B2",
        Box((-0.4, -0.5, 0.45), (0.8, 0.5, 0.35), "oak"),
        Box((-0.42, -0.52, 0.8), (0.84, 0.52, 0.06), "ceramic"),
        Tube((0.0, -0.06, 0.86), 0.014, 0.16, "steel"),
        Box((-0.4, -0.03, 1.15), (0.8, 0.025, 0.8), "glass_dark"),
    ),
    _sanitary(
        "wc",
        "WCSEAT",
        "坐便器 Toilet",
        "JM-W3",
        Box((-0.19, -0.2, 0.0), (0.38, 0.2, 0.78), "ceramic"),
        Box((-0.18, -0.68, 0.0), (0.36, 0.48, 0.4), "ceramic"),
        Box((-0.19, -0.69, 0.4), (0.38, 0.49, 0.03), "white"),
    ),
    _sanitary(
        "shower",
        "SHOWER",
        "淋浴房 Shower",
        "JM-S4",
        Box((-0.45, -0.9, 0.0), (0.9, 0.9, 0.06), "ceramic"),
        Box((-0.45, -0.9, 0.06), (0.9, 0.01, 1.9), "glass"),
        Tube((0.0, -0.05, 1.0), 0.012, 1.1, "steel"),
        Tube((0.0, -0.3, 2.08), 0.1, 0.02, "steel"),
    ),
)
FURNITURE: dict[str, Product] = {p.key: p for p in _ALL}

# Room, product, x, y, facing: of the western flats; the eastern ones mirror them. Facing is where the front looks.
_FLAT_A = (
    ("living", "sofa", 9.45, 3.0, "W"),
    ("living", "rug", 7.4, 3.0, "S"),
    ("living", "coffee_table", 7.4, 3.0, "W"),
    ("living", "tv", 5.2, 3.0, "E"),
    ("living", "dining", 7.6, 7.6, "S"),
    ("living", "shoe_cabinet", 9.1, 7.6, "W"),
    ("master", "bed_double", 0.15, 2.5, "E"),
    ("master", "wardrobe", 1.1, 4.12, "S"),
    ("wardrobe", "shelf", 4.02, 2.3, "E"),
    ("bedroom2", "bed_double", 3.82, 7.5, "W"),
    ("bedroom2", "wardrobe", 1.4, 9.5, "S"),
    ("study", "desk", 0.15, 11.4, "E"),
    ("study", "bed_single", 3.2, 12.75, "S"),
    ("kitchen", "kitchen", 8.25, 12.75, "S"),
    ("kitchen", "fridge", 7.3, 11.6, "E"),
)
_FLAT_B = (
    ("living", "sofa", 16.38, 2.6, "W"),
    ("living", "rug", 14.7, 2.6, "S"),
    ("living", "coffee_table", 14.9, 2.6, "W"),
    ("living", "tv", 13.0, 1.2, "E"),
    ("living", "dining", 15.5, 5.6, "E"),
    ("bedroom", "bed_double", 9.72, 2.0, "E"),
    ("bedroom", "wardrobe", 10.8, 3.82, "S"),
    ("kitchen", "kitchen", 11.0, 8.0, "S"),
    ("kitchen", "fridge", 9.72, 6.6, "E"),
)
_WET_A = (
    ("kitchen", "sink", 7.7, 12.75, "S"),
    ("bath", "basin", 6.82, 10.8, "W"),
    ("bath", "wc", 6.45, 12.75, "S"),
    ("bath", "shower", 5.65, 12.75, "S"),
    ("master_bath", "basin", 1.9, 6.22, "S"),
    ("master_bath", "wc", 0.75, 6.22, "S"),
    ("master_bath", "shower", 3.35, 6.22, "S"),
)
_WET_B = (
    ("kitchen", "sink", 10.4, 8.0, "S"),
    ("bath", "basin", 11.6, 5.92, "S"),
    ("bath", "wc", 10.75, 5.92, "S"),
    ("bath", "shower", 10.1, 4.5, "E"),
)
_MIRRORED = {"E": "W", "W": "E", "N": "N", "S": "S"}
FLATS = ("01", "02", "03", "04")


def write_furniture(model: Model, floor: Floor) -> None:
    """Furnish the flats; one in twelve stands empty (seeded), as in life."""
    for flat in FLATS:
        random = model.random(f"{floor.place.path}/{flat}/furniture")
        if random.random() < 0.08:
            continue
        for room, key, x, y, side in _FLAT_A if flat in ("01", "04") else _FLAT_B:
            _put(model, floor, flat, room, FURNITURE[key], x, y, side)


def write_sanitary(model: Model, floor: Floor, flat: str) -> list[Item]:
    """Write a flat's taps: kitchen sink first, then basins, toilets and showers."""
    rows = _WET_A if flat in ("01", "04") else _WET_B
    return [_put(model, floor, flat, room, FURNITURE[key], x, y, side) for room, key, x, y, side in rows]


def _put(model: Model, floor: Floor, flat: str, room: str, product: Product, x: float, y: float, side: str) -> Item:
    if flat in ("03", "04"):
        x, side = round(WIDTH - x, 4), _MIRRORED[side]
    place = floor.room(f"{flat}.{room}")
    z = 0.0 if product.key == "rug" else 0.02
    return model.install(product, product.key, product.name, place, (x, y, z), x=FACING[side])


_COMMON = (
    ("entrance", "reception", 13.2, 5.6, "E"),
    ("entrance", "sofa", 21.45, 5.2, "W"),
    ("entrance", "coffee_table", 19.8, 5.2, "W"),
    ("parcels", "lockers", 8.7, 4.62, "N"),
    ("office", "desk", 1.2, 7.0, "S"),
    ("office", "desk", 3.6, 4.6, "S"),
    ("office", "shelf", 5.85, 2.0, "W"),
    ("office", "desk", 1.2, 4.6, "S"),
    ("refuse", "bins", 2.4, 10.05, "N"),
    ("bicycles", "bikes", 26.0, 11.9, "S"),
    ("community", "ping_pong", 25.0, 4.0, "S"),
    ("community", "ping_pong", 29.8, 4.0, "S"),
    ("community", "sofa", 27.4, 7.0, "S"),
)


def write_common_furniture(model: Model, floor: Floor) -> None:
    """Furnish the entrance storey."""
    for number, (room, key, x, y, side) in enumerate(_COMMON):
        product = FURNITURE[key]
        model.install(product, f"{key}/{number}", product.name, floor.room(room), (x, y, 0.02), x=FACING[side])
