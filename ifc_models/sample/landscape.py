"""What stands around the tower: ground, paths, plaza, pond, trees, garage ramp, entrance canopy."""

from __future__ import annotations

from ifc_models.sample.model import Model, Place, Product
from ifc_models.sample.shapes import Box, Part, Prism, Shape, crown, post, rectangle

_GROUND = -0.3  # top of the lawn, m
_RAMP = (-11.8, -5.6)  # y of the garage ramp, open to the sky east of the basement
_RAMP_LENGTH = 30.0


def write_landscape(model: Model, site: Place, wings: int, pitch: float) -> None:
    """Write the site's elements around `wings` towers that stand `pitch` metres apart."""
    east = 39.0 + (wings - 1) * pitch  # east edge of the basement
    _write_ground(model, site, east)
    _write_paths(model, site, east, wings, pitch)
    _write_ramp(model, site, east)
    for wing in range(wings):
        _write_canopy(model, site, wing, wing * pitch)
    _write_trees(model, site, east)


def _surface(model: Model, site: Place, path: str, name: str, parts: Shape) -> None:
    kind = {"PredefinedType": "USERDEFINED", "ObjectType": path.split("/", maxsplit=1)[0]}
    model.element("IfcGeographicElement", path, name, site, parts, more=kind)


def _write_ground(model: Model, site: Place, east: float) -> None:
    x0, x1, y0, y1 = -26.0, east + 40.0, -36.0, 34.0
    cut_end = east + _RAMP_LENGTH
    hole = rectangle(east + 0.125, _RAMP[0], cut_end, _RAMP[1])
    ground = Prism(rectangle(x0, y0, x1, y1), 0.14, "lawn", start=(0.0, 0.0, _GROUND - 0.14), holes=(hole,))
    kind = {"PredefinedType": "TERRAIN"}
    model.element("IfcGeographicElement", "ground", "绿地 Lawn", site, (ground,), more=kind)


def _write_paths(model: Model, site: Place, east: float, wings: int, pitch: float) -> None:
    top, thick = _GROUND, 0.06
    road = Box((-26.0, -31.0, top), (east + 66.0, 6.0, thick), "asphalt")
    lines: list[Part] = [
        Box((x, -28.06, top + thick), (2.0, 0.12, 0.01), "paint_line") for x in range(-24, int(east) + 38, 5)
    ]
    drive = Box((east + _RAMP_LENGTH, -25.0, top), (6.2, 19.4, thick), "asphalt")
    _surface(model, site, "drive", "地库车道 Driveway", (drive,))
    _surface(model, site, "road", "小区道路 Access road", (road, *lines))
    around: list[Part] = [
        Box((-3.4, -4.6, top), (1.8, 21.6, thick), "paving"),
        Box((-3.4, 17.0, top), (east - 39.0 + 39.8, 1.8, thick), "paving"),
    ]
    _surface(model, site, "path", "散步道 Footpath", tuple(around))
    for wing in range(wings):
        x = wing * pitch
        plaza: list[Part] = [
            Box((x + 10.5, -25.0, top), (12.0, 23.0, thick), "paving"),
            Box((x - 3.4, -4.6, top), (13.9, 1.8, thick), "paving"),
            Box((x + 22.5, -4.6, top), (13.9, 1.8, thick), "paving"),
        ]
        plaza += [Box((x + 10.5, y, top + thick), (12.0, 0.3, 0.012), "granite") for y in (-22.0, -17.0, -12.0, -7.0)]
        _surface(model, site, f"plaza/{wing}", "入口广场 Entrance plaza", tuple(plaza))
        _write_pond(model, site, wing, x)


def _write_pond(model: Model, site: Place, wing: int, x: float) -> None:
    for side, left in (("w", x + 0.5), ("e", x + 25.5)):
        outline = rectangle(left, -19.0, left + 7.0, -12.0)
        inner = rectangle(left + 0.35, -18.65, left + 6.65, -12.35)
        rim = Prism(outline, 0.45, "granite", start=(0.0, 0.0, _GROUND), holes=(inner,))
        filling = "water" if side == "w" else "leaf_light"
        bed = Prism(inner, 0.3 if side == "w" else 0.5, filling, start=(0.0, 0.0, _GROUND))
        name = "景观水池 Pond" if side == "w" else "花坛 Flower bed"
        _surface(model, site, f"garden/{wing}/{side}", name, (rim, bed))


def _write_ramp(model: Model, site: Place, east: float) -> None:
    """The ramp down into the garage, between retaining walls."""
    low, length = -4.2, _RAMP_LENGTH
    y0, y1 = _RAMP
    side = ((0.0, low - 0.3), (length, _GROUND - 0.3), (length, _GROUND), (0.0, low))
    body = Prism(side, y1 - y0 - 0.5, "asphalt", start=(east + 0.125, y1 - 0.25, 0.0), axis=(0.0, -1.0, 0.0))
    ramp = model.element("IfcRamp", "ramp", "汽车坡道 Garage ramp", site, None, PredefinedType="STRAIGHT_RUN_RAMP")
    kind = {"PredefinedType": "STRAIGHT"}
    model.element("IfcRampFlight", "ramp/flight", "坡道段 Ramp flight", site, (body,), part_of=ramp, more=kind)
    for name, y in (("n", y1 - 0.25), ("s", y0)):
        wall = ((0.0, low - 0.3), (length, _GROUND - 0.3), (length, 0.7), (0.0, 0.7))
        shape = (Prism(wall, 0.25, "concrete", start=(east + 0.125, y + 0.25, 0.0), axis=(0.0, -1.0, 0.0)),)
        kinds = {"PredefinedType": "SOLIDWALL"}
        model.element("IfcWall", f"ramp/wall/{name}", "坡道挡墙 Retaining wall", site, shape, more=kinds)


def _write_canopy(model: Model, site: Place, wing: int, x: float) -> None:
    """Steps and canopy of the main entrance."""
    steps: Shape = (
        Box((x + 12.9, -2.6, _GROUND), (7.2, 2.44, 0.3), "granite"),
        Box((x + 12.5, -3.0, _GROUND), (8.0, 2.84, 0.15), "granite"),
    )
    kind = {"PredefinedType": "USERDEFINED", "ObjectType": "ENTRANCE_STEPS"}
    model.element("IfcSlab", f"entrance/{wing}/steps", "入口台阶 Entrance steps", site, steps, more=kind)
    roof: list[Part] = [
        Box((x + 12.6, -3.6, 3.6), (7.8, 3.45, 0.22), "bronze"),
        Box((x + 12.75, -3.45, 3.58), (7.5, 3.2, 0.02), "oak"),
    ]
    roof += [Box((x + px, -3.3, -0.0), (0.2, 0.2, 3.6), "bronze") for px in (13.0, 19.8)]
    kind = {"PredefinedType": "USERDEFINED", "ObjectType": "CANOPY"}
    model.element("IfcRoof", f"entrance/{wing}/canopy", "入口雨棚 Entrance canopy", site, tuple(roof), more=kind)


def _tree_products(model: Model) -> list[Product]:
    products = []
    for number, (style, radius, height, trunk) in enumerate(
        (
            ("leaf", 1.9, 4.2, 1.8),
            ("leaf_light", 1.5, 3.2, 1.5),
            ("leaf", 1.2, 5.6, 1.0),
            ("leaf_autumn", 1.6, 3.4, 1.6),
            ("leaf_light", 0.8, 1.1, 0.0),
        )
    ):
        random = model.random(f"tree/{number}")
        wobble = tuple(random.uniform(-0.12, 0.12) for _ in range(42))
        parts: list[Part] = [crown(radius, height, trunk * 0.85, style, wobble)]
        if trunk:
            parts.append(post(0.14, trunk + height * 0.4, "bark"))
        names = ("香樟 Camphor tree", "桂花 Osmanthus", "水杉 Dawn redwood", "银杏 Ginkgo", "灌木 Shrub")
        key = f"tree_{number}"
        product = Product(key, "IfcGeographicElement", "USERDEFINED", names[number], tuple(parts))
        products.append(product)
    return products


def _write_trees(model: Model, site: Place, east: float) -> None:
    """A row along the road, groves in the lawn, shrubs at the plaza; seeded, never on paths or the ramp."""
    random = model.random("trees")
    products = _tree_products(model)
    spots: list[tuple[float, float, int]] = []
    spots += [(x, -23.4, 3) for x in range(-22, int(east) + 36, 7) if not 8 < (x % 45) < 25 and not 27 < x - east < 38]
    spots += [(x, 22.5 + random.uniform(-1, 1), random.choice((0, 2, 2))) for x in range(-20, int(east) + 36, 6)]
    for _ in range(int((east + 60) / 2.2)):
        x, y = random.uniform(-24, east + 36), random.uniform(-21, 31)
        on_ramp = x > east - 1 and (-14.5 < y < -3 or (x > east + 27 and y < -3))
        if not (on_ramp or (-6 < x < east and -21 < y < 20)):
            spots.append((x, y, random.choice((0, 0, 1, 2, 3))))
    for wing_x in range(0, int(east), 45):
        spots += [(wing_x + side, y, 4) for side in (9.6, 23.4) for y in (-21.0, -18.0, -15.0, -12.0, -9.0)]
        spots += [(wing_x + x, -7.0, 1) for x in (-3.5, 1.5, 6.5, 26.5, 31.5, 36.5)]
    placed: list[tuple[float, float]] = []
    for number, (x, y, kind) in enumerate(spots):
        if all((x - a) ** 2 + (y - b) ** 2 > 9.0 for a, b in placed) or kind == 4:
            placed.append((x, y))
            turn = random.choice(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.6, 0.8, 0.0)))
            product = products[kind]
            model.install(product, f"tree/{number}", product.name, site, (round(x, 2), round(y, 2), _GROUND), x=turn)
