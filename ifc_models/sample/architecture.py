"""Architecture of the sample tower: storeys with walls, doors, windows, spaces, slabs, stairs, balconies, lifts."""

from __future__ import annotations

from ifc_models.sample import plan as plans
from ifc_models.sample.floor import SLAB, Floor, clear, room_height, room_key
from ifc_models.sample.model import Item, Model, Place, Psets, Scalar
from ifc_models.sample.openings import KINDS
from ifc_models.sample.plan import Opening, Room, Wall
from ifc_models.sample.shapes import Box, Part, Prism, Shape, Y, rectangle
from ifc_models.sample.stairs import LANDING, write_stair
from ifc_models.sample.step import Attribute, Ref, Value


def write_floor(model: Model, floor: Floor) -> None:
    """Write everything built of one floor; the rooms come first, so that elements can go into them."""
    for room in floor.level.plan.rooms:
        _write_room(model, floor, room)
    _write_walls(model, floor)
    _write_slabs(model, floor)
    for stair in ("stair1", "stair2"):
        if floor.level.key != "RF":
            write_stair(model, floor, stair)
    for room in floor.level.plan.rooms:
        if room.kind == "balcony":
            _write_balcony(model, floor, room)
    if floor.level.index > 0 and floor.level.key != "RF":
        _write_facade_fins(model, floor)


# -- rooms -----------------------------------------------------------------------------------------------------------

_FLOORING = {
    "living": ("parquet", "木地板 Parquet"),
    "bedroom": ("parquet", "木地板 Parquet"),
    "study": ("parquet", "木地板 Parquet"),
    "wardrobe": ("parquet", "木地板 Parquet"),
    "hall": ("parquet", "木地板 Parquet"),
    "kitchen": ("tile", "瓷砖 Tiles"),
    "bath": ("tile", "瓷砖 Tiles"),
    "balcony": ("tile_warm", "防滑砖 Non-slip tiles"),
    "corridor": ("granite", "花岗岩 Granite"),
    "lobby": ("granite", "花岗岩 Granite"),
    "entrance": ("tile_warm", "大理石 Marble"),
    "office": ("tile_warm", "地砖 Tiles"),
    "community": ("parquet", "运动木地板 Sports parquet"),
    "control": ("tile", "防静电地板 Antistatic floor"),
    "telecom": ("tile", "防静电地板 Antistatic floor"),
    "garage": ("epoxy", "环氧地坪 Epoxy coating"),
    "plant": ("concrete_dark", "耐磨地坪 Hardened floor"),
    "electric": ("concrete_dark", "绝缘地坪 Insulating floor"),
    "store": ("tile", "地砖 Tiles"),
    "refuse": ("tile", "地砖 Tiles"),
}
_COVER = 0.02  # thickness of floor coverings, m


def _write_room(model: Model, floor: Floor, room: Room) -> None:
    level = floor.level
    key = room_key(room)
    x0, y0, x1, y1 = clear(room, level.plan)
    width, depth, height = round(x1 - x0, 4), round(y1 - y0, 4), room_height(floor, room)
    outside = room.kind in ("balcony", "terrace")
    number = f"{level.key.lstrip('F0')}{room.flat}" if room.flat else level.key
    name = f"{floor.wing}{number} {room.zh}"
    path = f"{floor.place.path}/{key}"
    ref = model.root(
        "IfcSpace",
        path,
        name,
        LongName=f"{room.zh} {room.en}",
        ObjectType=room.kind,
        ObjectPlacement=model.placement(floor.place.placement, (x0, y0, 0.0)),
        Representation=model.space_shape(rectangle(0, 0, width, depth), height),
        CompositionType="ELEMENT",
        PredefinedType="EXTERNAL" if outside else "INTERNAL",
    )
    model.part(floor.place.ref, ref)
    place = Place(ref, floor.place.placement, path, f"{floor.place.key}.{key}")
    floor.rooms[key] = place
    model.describe(ref, _room_psets(room, number, width, depth, height))
    _zones(model, floor, room, ref, number)
    if room.kind in _FLOORING:
        style, finish = _FLOORING[room.kind]
        model.element(
            "IfcCovering",
            "floor",
            finish,
            place,
            (Box((x0, y0, 0.0), (width, depth, _COVER), style),),
            PredefinedType="FLOORING",
        )


def _room_psets(room: Room, number: str, width: float, depth: float, height: float) -> Psets:
    area = width * depth
    return {
        "Pset_SpaceCommon": {
            "Reference": Value("IfcIdentifier", f"{number}-{room.key}"),
            "IsExternal": room.kind in ("balcony", "terrace"),
            "PubliclyAccessible": room.kind in ("corridor", "lobby", "entrance", "stair", "garage", "terrace"),
            "HandicapAccessible": room.kind not in ("stair", "lift", "shaft"),
        },
        "Qto_SpaceBaseQuantities": {
            "Height": height,
            "GrossFloorArea": area,
            "NetFloorArea": area,
            "GrossVolume": area * height,
            "NetPerimeter": 2 * (width + depth),
        },
    }


def _zones(model: Model, floor: Floor, room: Room, ref: Ref, number: str) -> None:
    wing = floor.wing
    if room.flat:
        path = f"{floor.place.path}/flat/{room.flat}"
        model.group(path, f"{wing}{number}室", f"Flat {wing}{number}", [ref])
    elif room.kind not in ("plant", "electric", "shaft"):
        model.group(f"{wing}zone/public", f"{wing}公共区域", "Public areas", [ref])
    model.group(
        f"{floor.place.path}/fire", f"{wing}{floor.level.key} 防火分区", f"Fire compartment {floor.level.key}", [ref]
    )


# -- walls and what is in them ---------------------------------------------------------------------------------------

_LAYERS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "external": ("外墙 250", (("真石漆 Stone paint", 0.01), ("岩棉 Rock wool", 0.04), ("混凝土 Concrete C35", 0.2))),
    "core": ("核心筒墙 200", (("混凝土 Concrete C35", 0.2),)),
    "party": ("分户墙 200", (("加气混凝土 Aerated concrete", 0.2),)),
    "partition": ("隔墙 100", (("轻钢龙骨石膏板 Plasterboard", 0.1),)),
}


def _wall_style(floor: Floor, wall: Wall) -> str:
    if wall.kind != "external":
        return "plaster" if floor.level.index >= 0 else "concrete"
    if floor.level.index < 0:
        return "concrete"
    if floor.level.index == 0:
        return "stone"
    x = (wall.start[0] + wall.end[0]) / 2
    deep = (wall.horizontal and wall.start[1] > 0 and 9 < x < 24) or (not wall.horizontal and 9 < x < 24)
    return "terracotta" if deep else "ivory"


_SKIN = 0.05  # thickness of the coloured outer layer of external walls, m


def _wall_shape(floor: Floor, wall: Wall, height: float) -> Shape:
    """A box; external walls have a skin in the colour of the facade, which also covers free ends."""
    style, thick = _wall_style(floor, wall), wall.thickness
    if wall.kind != "external" or floor.level.index < 0:
        return (Box((0.0, -thick / 2, 0.0), (wall.length, thick, height), style),)
    before, after = floor.level.plan.beside(wall)
    if _is_outside(before) == _is_outside(after):
        return (Box((0.0, -thick / 2, 0.0), (wall.length, thick, height), style),)
    outer_low = _is_outside(before) == wall.horizontal  # is the outside at y < 0 of the wall's own frame?
    skin = -thick / 2 if outer_low else thick / 2 - _SKIN
    core = -thick / 2 + _SKIN if outer_low else -thick / 2
    start, end = (_SKIN if free else 0.0 for free in floor.level.plan.free_ends(wall))
    parts: list[Part] = [
        Box((0.0, skin, 0.0), (wall.length, _SKIN, height), style),
        Box((start, core, 0.0), (round(wall.length - start - end, 4), thick - _SKIN, height), "plaster"),
    ]
    if start:
        parts.append(Box((0.0, core, 0.0), (_SKIN, thick - _SKIN, height), style))
    if end:
        parts.append(Box((round(wall.length - _SKIN, 4), core, 0.0), (_SKIN, thick - _SKIN, height), style))
    return tuple(parts)


def wall_height(floor: Floor) -> float:
    """Return the height of this floor's walls, m: to the underside of the slab above."""
    return round(floor.z_ceiling, 4)


def _write_walls(model: Model, floor: Floor) -> None:
    height = wall_height(floor)
    walls: dict[Wall, Item] = {}
    for number, wall in enumerate(floor.level.plan.walls, 1):
        length, thick = wall.length, wall.thickness
        name, layers = _LAYERS[wall.kind]
        external = wall.kind == "external"
        sizes: dict[str, Scalar] = {"Length": length, "Height": height, "Width": thick, "NetSideArea": length * height}
        common: dict[str, Scalar] = {
            "IsExternal": external,
            "LoadBearing": wall.kind in ("external", "core"),
            "FireRating": "2.00 h",
        }
        walls[wall] = model.element(
            "IfcWall",
            f"wall/{number}",
            f"{name} {floor.level.key}-{number:02d}",
            floor.place,
            _wall_shape(floor, wall, height),
            at=(*wall.start, 0.0),
            x=None if wall.horizontal else Y,
            psets={"Pset_WallCommon": common, "Qto_WallBaseQuantities": sizes},
            material=model.layers(name, layers),
            PredefinedType="PARTITIONING" if wall.kind == "partition" else "SOLIDWALL",
        )
    for opening in (*floor.level.plan.doors, *floor.level.plan.windows):
        wall = floor.level.plan.wall_of(opening)
        _write_opening(model, floor, opening, wall, walls[wall])


def _write_opening(model: Model, floor: Floor, opening: Opening, wall: Wall, wall_item: Item) -> None:
    kind = KINDS[opening.product]
    assert kind.product is not None
    is_door = kind.product.ifc_class == "IfcDoor"
    before, after = floor.level.plan.sides(opening)
    sill = kind.sill
    along = (opening.x - wall.start[0] if wall.horizontal else opening.y - wall.start[1]) - kind.width / 2
    at, x = _jamb(opening, wall, kind.width, outward_before=_is_outside(before))
    place = floor.place
    inner = after if _is_outside(before) else before
    if inner is not None:
        place = floor.rooms[room_key(inner)]
    path = f"{'door' if is_door else 'window'}/{opening.x:g},{opening.y:g}"
    label = f"{kind.product.name} {floor.wing}{floor.level.key}"
    sizes: dict[str, Attribute] = {"OverallHeight": kind.height, "OverallWidth": kind.width}
    item = model.install(kind.product, path, label, place, (at[0], at[1], sill), x=x, more=sizes)
    cut = (Box((0.0, -wall.thickness / 2 - 0.05, 0.0), (kind.width, wall.thickness + 0.1, kind.height), ""),)
    model.opening(wall_item, path, cut, (along, 0.0, sill), item)
    for side, room in (("a", before), ("b", after)):
        if room is not None:
            external = _is_outside(before) or _is_outside(after)
            model.boundary(floor.rooms[room_key(room)].ref, item, side, external=external)
    if is_door:
        floor.doors[(opening.x, opening.y)] = item


def _is_outside(room: Room | None) -> bool:
    return room is None or room.kind in ("balcony", "terrace")


def _jamb(
    opening: Opening, wall: Wall, width: float, *, outward_before: bool
) -> tuple[tuple[float, float], tuple[float, float, float] | None]:
    """Return the left jamb and the x axis of a door or window whose outside (y < 0) faces out of the building."""
    half = width / 2
    if wall.horizontal:
        if outward_before:
            return (opening.x - half, opening.y), None
        return (opening.x + half, opening.y), (-1.0, 0.0, 0.0)
    if outward_before:
        return (opening.x, opening.y + half), (0.0, -1.0, 0.0)
    return (opening.x, opening.y - half), Y


# -- slabs -----------------------------------------------------------------------------------------------------------


def _holes(floor: Floor) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the holes of the floor slab: stairs and lifts of the storey below that run up through it."""
    holes = []
    for room in floor.level.plan.rooms:
        x0, y0, x1, y1 = room.rect
        if room.kind == "stair":
            holes.append(rectangle(x0 + 0.1, y0 + LANDING + 0.1, x1 - 0.1, y1 - 0.125))
        if room.kind == "lift":
            holes.append(rectangle(x0 + 0.1, y0 + 0.1, x1 - 0.1, y1 - 0.125))
    return tuple(holes)


def _outset(outline: tuple[tuple[float, float], ...], by: float) -> tuple[tuple[float, float], ...]:
    """Return the tower's footprint moved out by `by` (right-angled, convex but for the two steps in the north)."""
    moves = ((-1, -1), (1, -1), (1, 1), (1, 1), (1, 1), (-1, 1), (-1, 1), (-1, 1))
    points = zip(outline, moves, strict=True)
    return tuple((round(x + mx * by, 4), round(y + my * by, 4)) for (x, y), (mx, my) in points)


def _write_slabs(model: Model, floor: Floor) -> None:
    level = floor.level
    if level.index < 0:
        _write_basement_slabs(model, floor)
        return
    thick = 0.45 if level.index == 0 else SLAB
    style = "roof" if level.key == "RF" else "stone" if level.index == 0 else "band"
    outline = _outset(plans.FOOTPRINT, 0.16)
    shape = (Prism(outline, thick, style, start=(0.0, 0.0, -thick), holes=_holes(floor)),)
    _slab(model, floor, "slab", f"楼板 {level.key} Floor slab", shape, "ROOF" if level.key == "RF" else "FLOOR")
    if level.key == "RF":
        _write_roof(model, floor)


def _slab(model: Model, floor: Floor, path: str, name: str, shape: Shape, predefined: str) -> Item:
    psets: Psets = {"Pset_SlabCommon": {"IsExternal": predefined == "ROOF", "LoadBearing": True}}
    material = model.material("混凝土 Concrete C35")
    return model.element(
        "IfcSlab", path, name, floor.place, shape, psets=psets, material=material, PredefinedType=predefined
    )


def _write_basement_slabs(model: Model, floor: Floor) -> None:
    x0, y0, x1, y1 = plans.GARAGE
    base = (Prism(rectangle(x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5), 0.6, "concrete", start=(0.0, 0.0, -0.6)),)
    _slab(model, floor, "base", "筏板基础 Raft foundation", base, "BASESLAB")
    top = floor.level.height - 0.8
    cover = rectangle(x0 - 0.125, y0 - 0.125, x1 + 0.125, y1 + 0.125)
    holes = tuple(
        rectangle(r[0] + 0.1, r[1] + (1.3 if k == "stair" else 0.1), r[2] - 0.1, r[3] - 0.125)
        for r, k in _shafts(floor)
    )
    _slab(
        model,
        floor,
        "cover",
        "地下室顶板 Basement roof slab",
        (Prism(cover, 0.35, "concrete", start=(0.0, 0.0, top), holes=holes),),
        "FLOOR",
    )


def _shafts(floor: Floor) -> list[tuple[tuple[float, float, float, float], str]]:
    return [(r.rect, r.kind) for r in floor.level.plan.rooms if r.kind in ("stair", "lift")]


def _write_roof(model: Model, floor: Floor) -> None:
    """Parapet around the roof and the slabs over the roof rooms."""
    outer = _outset(plans.FOOTPRINT, 0.16)
    inner = _outset(plans.FOOTPRINT, -0.06)
    shape = (
        Prism(outer, 1.1, "ivory", holes=(inner,)),
        Prism(
            _outset(plans.FOOTPRINT, 0.2),
            0.08,
            "bronze",
            start=(0.0, 0.0, 1.1),
            holes=(_outset(plans.FOOTPRINT, -0.1),),
        ),
    )
    common = {"Pset_WallCommon": {"IsExternal": True, "LoadBearing": False}}
    model.element("IfcWall", "parapet", "女儿墙 Parapet", floor.place, shape, psets=common, PredefinedType="PARAPET")
    top = floor.level.height - SLAB
    cover = (Prism(rectangle(9.1, 9.4, 23.9, 15.1), SLAB + 0.1, "bronze", start=(0.0, 0.0, top)),)
    _slab(model, floor, "head", "机房屋面 Roof of the roof rooms", cover, "ROOF")


# -- balconies -----------------------------------------------------------------------------------------------------


def _write_balcony(model: Model, floor: Floor, room: Room) -> None:
    x0, y0, x1, y1 = room.rect
    place = floor.rooms[room_key(room)]
    slab: Shape = (Box((x0 - 0.1, y0 - 0.1, -SLAB), (x1 - x0 + 0.2, y1 - y0 - 0.06, SLAB), "band"),)
    concrete = model.material("混凝土 Concrete C35")
    model.element("IfcSlab", "slab", "阳台板 Balcony slab", place, slab, material=concrete, PredefinedType="FLOOR")
    width, depth = x1 - x0, y1 - y0
    parts: list[Part] = [
        Box((0.0, 0.0, 0.08), (width, 0.015, 0.95), "glass"),
        Box((-0.02, -0.02, 1.03), (width + 0.04, 0.055, 0.05), "bronze"),
        Box((-0.02, -0.02, 0.0), (width + 0.04, 0.055, 0.08), "bronze"),
        *[Box((round(n * width / 3 - 0.02, 3), -0.01, 0.08), (0.04, 0.035, 0.95), "bronze") for n in range(1, 3)],
    ]
    model.element(
        "IfcRailing",
        "railing",
        "阳台栏板 Glass balustrade",
        place,
        tuple(parts),
        at=(x0, y0, 0.0),
        PredefinedType="GUARDRAIL",
    )
    for side, x in (("w", x0), ("e", x1 - 0.12)):
        if abs(x - 16.5) < 0.2 and side == "w":
            continue  # the middle balconies share one fin
        fin: Shape = (Box((0.0, 0.0, 0.0), (0.12, depth - 0.12, round(floor.z_ceiling, 4)), "terracotta"),)
        label = "阳台侧墙 Balcony fin"
        model.element("IfcWall", f"fin/{side}", label, place, fin, at=(x, y0, 0.0), PredefinedType="SOLIDWALL")


def _write_facade_fins(model: Model, floor: Floor) -> None:
    """Write the vertical slats on the north face of the core."""
    height = round(floor.z_ceiling, 4)
    slats = tuple(Box((round(x * 0.36, 3), 0.0, 0.0), (0.08, 0.14, height), "bronze") for x in range(24))
    name = "装饰格栅 Facade slats"
    model.element("IfcCovering", "slats", name, floor.place, slats, at=(12.3, 14.725, 0.0), PredefinedType="CLADDING")
