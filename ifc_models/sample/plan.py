"""Floor plans of the sample tower: rooms, doors and windows as plain data, and the walls that follow from them.

Coordinates are metres in the wing's frame: x east 0…33, y north, rooms as rectangles between wall centre lines. A
storey has four flats around a core with two lifts, two stairs and shafts; the plan is symmetric about x = 16.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

WIDTH = 33.0
GARAGE = (-6.0, -17.1, 39.0, 14.6)  # outline of the basement
FOOTPRINT = ((0.0, 0.0), (33.0, 0.0), (33.0, 12.9), (23.4, 12.9), (23.4, 14.6), (9.6, 14.6), (9.6, 12.9), (0.0, 12.9))

# How thick a wall is, m, by what it separates.
THICKNESS = {"external": 0.25, "core": 0.2, "party": 0.2, "partition": 0.1}


@dataclass(frozen=True, slots=True)
class Room:
    """A space between wall centre lines. `flat` is the number within the storey ("01"), empty for common areas."""

    key: str
    zh: str
    en: str
    kind: str  # living, bedroom, kitchen, bath, hall, balcony, corridor, lobby, stair, lift, shaft, office, plant, …
    rect: tuple[float, float, float, float]  # x0, y0, x1, y1
    flat: str = ""

    def contains(self, x: float, y: float) -> bool:
        """Is the point strictly inside?"""
        x0, y0, x1, y1 = self.rect
        return x0 < x < x1 and y0 < y < y1


@dataclass(frozen=True, slots=True)
class Opening:
    """A door or window: centre on a wall's centre line, and the catalogue key."""

    x: float
    y: float
    product: str


@dataclass(frozen=True, slots=True)
class Wall:
    """A straight wall on a centre line from `start` to `end` (west to east or south to north)."""

    start: tuple[float, float]
    end: tuple[float, float]
    kind: str  # key of THICKNESS

    @property
    def thickness(self) -> float:
        """Thickness, m."""
        return THICKNESS[self.kind]

    @property
    def length(self) -> float:
        """Length, m."""
        return round(self.end[0] - self.start[0] + self.end[1] - self.start[1], 4)

    @property
    def horizontal(self) -> bool:
        """Does it run west to east?"""
        return self.start[1] == self.end[1]


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of storey."""

    rooms: tuple[Room, ...]
    doors: tuple[Opening, ...]
    windows: tuple[Opening, ...]
    walls: tuple[Wall, ...]

    def room_at(self, x: float, y: float) -> Room | None:
        """Return the room around a point, None outside."""
        return next((r for r in self.rooms if r.contains(x, y)), None)

    def sides(self, opening: Opening) -> tuple[Room | None, Room | None]:
        """Return the rooms on both sides of a door or window (south or west first)."""
        wall = self.wall_of(opening)
        dx, dy = (0.0, 0.3) if wall.horizontal else (0.3, 0.0)
        x, y = opening.x, opening.y
        return self.room_at(x - dx, y - dy), self.room_at(x + dx, y + dy)

    def beside(self, wall: Wall) -> tuple[Room | None, Room | None]:
        """Return the rooms on both sides of a wall about its middle (south or west first)."""
        x, y = (a + (b - a) * 0.47 for a, b in zip(wall.start, wall.end, strict=True))  # the middle may face a wall
        dx, dy = (0.0, 0.3) if wall.horizontal else (0.3, 0.0)
        return self.room_at(x - dx, y - dy), self.room_at(x + dx, y + dy)

    def free_ends(self, wall: Wall) -> tuple[bool, bool]:
        """Do the wall's start and end show outside? Only walls that run west to east reach a corner's outer face."""
        if not wall.horizontal:
            return False, False
        y = wall.start[1]
        start, end = ((wall.start[0] - 0.2), (wall.end[0] + 0.2))
        near = [[self.room_at(x, y + dy) for dy in (-0.3, 0.3)] for x in (start, end)]
        outside = [all(room is None or room.kind in _OPEN for room in rooms) for rooms in near]
        return outside[0], outside[1]

    def wall_of(self, opening: Opening) -> Wall:
        """Return the wall that an opening is in."""
        for wall in self.walls:
            (x0, y0), (x1, y1) = wall.start, wall.end
            if x0 - 1e-6 <= opening.x <= x1 + 1e-6 and y0 - 1e-6 <= opening.y <= y1 + 1e-6:
                inside = opening.x - x0 if wall.horizontal else opening.y - y0
                if 0.2 < inside < wall.length - 0.2:
                    return wall
        raise ValueError(f"no wall for {opening}")


def _room(key: str, zh: str, en: str, kind: str, *rect: float, flat: str = "") -> Room:
    x0, y0, x1, y1 = rect
    return Room(key, zh, en, kind, (x0, y0, x1, y1), flat)


def _mirror_room(room: Room) -> Room:
    x0, y0, x1, y1 = room.rect
    return replace(room, rect=(round(WIDTH - x1, 4), y0, round(WIDTH - x0, 4), y1))


def _mirror(openings: Iterable[Opening]) -> list[Opening]:
    return [replace(o, x=round(WIDTH - o.x, 4)) for o in openings]


_FLAT_A = (
    _room("living", "客餐厅", "Living and dining room", "living", 5.1, 0, 9.6, 9.9),
    _room("balcony", "阳台", "Balcony", "balcony", 5.1, -1.6, 9.6, 0),
    _room("master", "主卧", "Master bedroom", "bedroom", 0, 0, 3.9, 4.2),
    _room("wardrobe", "衣帽间", "Walk-in wardrobe", "wardrobe", 3.9, 0, 5.1, 3.0),
    _room("master_bath", "主卫", "Master bathroom", "bath", 0, 4.2, 3.9, 6.3),
    _room("bedroom2", "次卧", "Bedroom 2", "bedroom", 0, 6.3, 3.9, 9.6),
    _room("study", "书房", "Study", "study", 0, 9.6, 3.9, 12.9),
    _room("hall", "过道", "Hallway", "hall", 3.9, 3.0, 5.1, 12.9),
    _room("bath", "公卫", "Bathroom", "bath", 5.1, 9.9, 6.9, 12.9),
    _room("kitchen", "厨房", "Kitchen", "kitchen", 6.9, 9.9, 9.6, 12.9),
)
_FLAT_A_DOORS = (
    Opening(9.6, 9.0, "door_flat"),
    Opening(7.35, 0, "door_balcony_wide"),
    Opening(5.1, 6.3, "door_opening"),
    Opening(3.9, 3.55, "door_room"),
    Opening(3.9, 1.2, "door_room"),
    Opening(2.9, 4.2, "door_bath"),
    Opening(3.9, 8.9, "door_room"),
    Opening(3.9, 10.3, "door_room"),
    Opening(5.1, 11.0, "door_bath"),
    Opening(8.0, 9.9, "door_kitchen"),
)
_FLAT_A_WINDOWS = (
    Opening(1.95, 0, "window_wide"),
    Opening(4.5, 0, "window_slim"),
    Opening(0, 5.25, "window_bath"),
    Opening(0, 7.95, "window_room"),
    Opening(0, 2.1, "window_slim"),
    Opening(1.95, 12.9, "window_room"),
    Opening(4.5, 12.9, "window_slim"),
    Opening(6.0, 12.9, "window_bath"),
    Opening(8.25, 12.9, "window_kitchen"),
)
_FLAT_B = (
    _room("living", "客餐厅", "Living and dining room", "living", 12.9, 0, 16.5, 8.1),
    _room("balcony", "阳台", "Balcony", "balcony", 12.9, -1.6, 16.5, 0),
    _room("bedroom", "卧室", "Bedroom", "bedroom", 9.6, 0, 12.9, 3.9),
    _room("bath", "卫生间", "Bathroom", "bath", 9.6, 3.9, 12.9, 6.0),
    _room("kitchen", "厨房", "Kitchen", "kitchen", 9.6, 6.0, 12.9, 8.1),
)
_FLAT_B_DOORS = (
    Opening(14.7, 8.1, "door_flat"),
    Opening(14.7, 0, "door_balcony"),
    Opening(12.9, 3.2, "door_room"),
    Opening(12.9, 5.0, "door_bath"),
    Opening(12.9, 7.1, "door_kitchen_narrow"),
)
_FLAT_B_WINDOWS = (Opening(11.25, 0, "window_wide"),)

_STAIRS = (
    _room("stair1", "1号楼梯间", "Stair 1", "stair", 9.6, 9.9, 12.2, 14.6),
    _room("stair2", "2号楼梯间", "Stair 2", "stair", 20.8, 9.9, 23.4, 14.6),
)
_CORE = (
    _room("corridor", "公共走道", "Corridor", "corridor", 9.6, 8.1, 23.4, 9.9),
    _room("lobby", "合用前室", "Lift lobby", "lobby", 13.9, 9.9, 19.1, 12.2),
    *_STAIRS,
    _room("elec", "强电井", "Electrical shaft", "shaft", 12.2, 9.9, 13.9, 11.1),
    _room("air", "风井", "Air shaft", "shaft", 12.2, 11.1, 13.9, 14.6),
    _room("water", "水井", "Water shaft", "shaft", 19.1, 9.9, 20.8, 11.1),
    _room("smoke", "排烟井", "Smoke extract shaft", "shaft", 19.1, 11.1, 20.8, 14.6),
    _room("lift1", "1号电梯井", "Lift shaft 1", "lift", 13.9, 12.2, 16.5, 14.6),
    _room("lift2", "2号电梯井", "Lift shaft 2", "lift", 16.5, 12.2, 19.1, 14.6),
)
_CORE_DOORS_WEST = (
    Opening(10.7, 9.9, "door_fire"),
    Opening(13.05, 9.9, "door_shaft"),
    Opening(13.9, 11.65, "door_shaft"),
    Opening(15.2, 12.2, "door_lift"),
)
_LOBBY_DOOR = Opening(16.5, 9.9, "door_fire_double")


def _core_doors() -> list[Opening]:
    return [*_CORE_DOORS_WEST, *_mirror(_CORE_DOORS_WEST), _LOBBY_DOOR]


_STAIR_WINDOW = Opening(10.9, 14.6, "window_kitchen")


@lru_cache(maxsize=1)
def typical() -> Plan:
    """Return the plan of a storey with four flats."""
    flats: list[Room] = []
    for number, (rooms, mirrored) in enumerate(((_FLAT_A, False), (_FLAT_B, False), (_FLAT_B, True), (_FLAT_A, True))):
        flat = f"{number + 1:02d}"
        flats += [replace(_mirror_room(r) if mirrored else r, flat=flat) for r in rooms]
    doors = [*_FLAT_A_DOORS, *_FLAT_B_DOORS]
    windows = [*_FLAT_A_WINDOWS, *_FLAT_B_WINDOWS, _STAIR_WINDOW]
    return _plan([*_CORE, *flats], [*_core_doors(), *doors, *_mirror(doors)], [*windows, *_mirror(windows)])


@lru_cache(maxsize=1)
def ground() -> Plan:
    """Return the plan of the entrance storey."""
    rooms = [
        *_CORE,
        _room("entrance", "入口大堂", "Entrance hall", "entrance", 11.4, 0, 21.6, 8.1),
        _room("office", "物业服务中心", "Property management office", "office", 0, 0, 6.0, 8.1),
        _room("fire_control", "消防控制室", "Fire control room", "control", 6.0, 0, 11.4, 4.5),
        _room("parcels", "信报间", "Parcel and mail room", "store", 6.0, 4.5, 11.4, 8.1),
        _room("corridor_w", "西走道", "West corridor", "corridor", 0, 8.1, 9.6, 9.9),
        _room("refuse", "垃圾房", "Refuse room", "refuse", 0, 9.9, 4.8, 12.9),
        _room("toilet", "公共卫生间", "Public toilet", "bath", 4.8, 9.9, 9.6, 12.9),
        _room("community", "社区活动室", "Community room", "community", 21.6, 0, 33.0, 8.1),
        _room("corridor_e", "东走道", "East corridor", "corridor", 23.4, 8.1, 33.0, 9.9),
        _room("bicycles", "非机动车库", "Bicycle room", "store", 23.4, 9.9, 28.8, 12.9),
        _room("telecom", "弱电机房", "Telecom room", "telecom", 28.8, 9.9, 33.0, 12.9),
    ]
    doors = [
        *_core_doors(),
        Opening(16.5, 0, "door_entrance"),
        Opening(16.5, 8.1, "door_entrance_inner"),
        Opening(11.4, 3.4, "door_fire"),
        Opening(11.4, 6.5, "door_fire"),
        Opening(8.7, 0, "door_fire"),
        Opening(3.0, 8.1, "door_office"),
        Opening(9.6, 9.0, "door_fire"),
        Opening(23.4, 9.0, "door_fire"),
        Opening(0, 9.0, "door_fire"),
        Opening(33.0, 9.0, "door_fire"),
        Opening(3.4, 9.9, "door_fire"),
        Opening(1.5, 12.9, "door_fire_double"),
        Opening(7.0, 9.9, "door_office"),
        Opening(27.0, 8.1, "door_office"),
        Opening(25.2, 9.9, "door_fire"),
        Opening(26.6, 12.9, "door_fire_double"),
        Opening(30.6, 9.9, "door_fire"),
    ]
    windows = [Opening(x, 0, "window_shop") for x in (1.55, 4.35, 13.0, 20.0, 23.6, 26.1, 28.6, 31.1)]
    windows += [Opening(0, y, "window_shop") for y in (2.2, 5.4)]
    windows += [Opening(33.0, y, "window_shop") for y in (2.2, 5.4)]
    windows += [_STAIR_WINDOW, *_mirror([_STAIR_WINDOW]), Opening(7.2, 12.9, "window_bath")]
    return _plan(rooms, doors, windows)


@lru_cache(maxsize=1)
def basement() -> Plan:
    """Return the plan of B1: garage in the south, plant rooms around the core in the north."""
    rooms = [
        *_CORE,
        _room("garage", "地下车库", "Garage", "garage", -6, -17.1, 39, 0),
        _room("water_pumps", "生活水泵房", "Domestic water pump room", "plant", -6, 0, 3.0, 8.1),
        _room("fire_pumps", "消防水泵房", "Fire pump room", "plant", 3.0, 0, 11.4, 8.1),
        _room("entrance", "地下候梯厅", "Basement lift hall", "entrance", 11.4, 0, 21.6, 8.1),
        _room("generator", "柴油发电机房", "Generator room", "plant", 21.6, 0, 30.0, 8.1),
        _room("exhaust_fans", "排风机房", "Exhaust fan room", "plant", 30.0, 0, 39.0, 8.1),
        _room("switch", "低压配电室", "LV switch room", "electric", 23.4, 8.1, 31.2, 14.6),
        _room("transformer", "变压器室", "Transformer room", "electric", 31.2, 8.1, 39.0, 14.6),
        _room("supply_fans", "空调送风机房", "Air handling plant room", "plant", -6, 8.1, 9.6, 14.6),
    ]
    doors = [
        *_core_doors(),
        Opening(16.5, 0, "door_entrance_inner"),
        Opening(16.5, 8.1, "door_fire_double"),
        *[Opening(x, 0, "door_fire_double") for x in (-1.5, 7.2, 25.8, 34.5)],
        Opening(9.6, 9.0, "door_fire_double"),
        Opening(23.4, 9.0, "door_fire_double"),
        Opening(31.2, 10.2, "door_fire_double"),
        Opening(39.0, -8.7, "door_garage"),
    ]
    return _plan(rooms, doors, [])


@lru_cache(maxsize=1)
def roof() -> Plan:
    """Return the plan of the roof: stair heads, lift machine room and fan rooms north of the terrace."""
    rooms = [
        *_STAIRS,
        _room("terrace", "屋面", "Roof terrace", "terrace", 0, 0, 33, 9.9),
        _room("pressure_fans", "正压送风机房", "Pressurisation fan room", "plant", 12.2, 9.9, 13.9, 14.6),
        _room("lift_machines", "电梯机房", "Lift machine room", "plant", 13.9, 9.9, 19.1, 14.6),
        _room("smoke_fans", "排烟机房", "Smoke extract fan room", "plant", 19.1, 9.9, 20.8, 14.6),
    ]
    doors = [Opening(x, 9.9, "door_fire") for x in (10.7, 13.05, 16.5, 19.95, 22.3)]
    return _plan(rooms, doors, [Opening(15.2, 14.6, "window_bath"), Opening(17.8, 14.6, "window_bath")])


_OPEN = frozenset({"balcony", "terrace"})  # rooms under the sky: railings or parapets, not walls
_SHELL = frozenset({"corridor", "lobby", "stair", "lift", "shaft", "entrance", "plant", "electric", "garage"})


def _kind(a: Room | None, b: Room | None) -> str | None:
    """Return the kind of wall between two rooms (None is outside)."""
    open_a, open_b = (r is None or r.kind in _OPEN for r in (a, b))
    if (open_a and open_b) or a is b:
        return None
    if open_a or open_b:
        return "external"
    assert a is not None and b is not None
    if a.kind in _SHELL or b.kind in _SHELL:
        return "core"
    if a.flat != b.flat or not a.flat:
        return "party"
    return "partition"


def _plan(rooms: list[Room], doors: list[Opening], windows: list[Opening]) -> Plan:
    walls = _walls(rooms, transposed=False) + _walls(rooms, transposed=True)
    return Plan(tuple(rooms), tuple(doors), tuple(windows), tuple(_joined(walls)))


def _walls(rooms: list[Room], *, transposed: bool) -> list[Wall]:
    """Return the horizontal walls (vertical ones if `transposed`): one for each stretch of one kind."""

    def at(along: float, across: float) -> Room | None:
        x, y = (across, along) if transposed else (along, across)
        return next((r for r in rooms if r.contains(x, y)), None)

    def span(room: Room) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = room.rect
        return (y0, x0, y1, x1) if transposed else room.rect

    walls: list[Wall] = []
    for line in sorted({c for r in rooms for c in span(r)[1::2]}):
        touching = [span(r) for r in rooms if line in span(r)[1::2]]
        stops = sorted({c for s in touching for c in s[0::2]})
        kind, begin = None, 0.0
        for left, right in [*zip(stops, stops[1:], strict=False), (stops[-1], stops[-1] + 1)]:
            middle = (left + right) / 2
            here = None if left == stops[-1] else _kind(at(middle, line - 0.01), at(middle, line + 0.01))
            if here != kind:
                if kind is not None:
                    ends = ((line, begin), (line, left)) if transposed else ((begin, line), (left, line))
                    walls.append(Wall(*ends, kind))
                kind, begin = here, left
    return walls


def _joined(walls: list[Wall]) -> list[Wall]:
    """Trim wall ends so that solids meet without overlapping.

    Where two walls meet end to end at a corner, the horizontal one runs to the outer face; where one ends against
    another that passes, it stops at that one's face.
    """
    joined = []
    for wall in walls:
        ends = []
        for point, sign in ((wall.start, -1), (wall.end, 1)):
            shift = _end_shift(wall, point, walls)
            x, y = point
            ends.append((round(x + sign * shift, 4), y) if wall.horizontal else (x, round(y + sign * shift, 4)))
        joined.append(replace(wall, start=ends[0], end=ends[1]))
    return joined


def _end_shift(wall: Wall, point: tuple[float, float], walls: list[Wall]) -> float:
    """Return by how much a wall's end moves outwards (negative: inwards)."""
    crossing = [w for w in walls if w.horizontal != wall.horizontal and _touches(w, point)]
    if not crossing:
        return 0.0
    half = max(w.thickness for w in crossing) / 2
    passes = any(point not in (w.start, w.end) for w in crossing) or len(crossing) > 1
    collinear = any(w is not wall and w.horizontal == wall.horizontal and point in (w.start, w.end) for w in walls)
    if passes:
        return -half
    if collinear:  # a T whose bar is two walls of different kind: the bar meets in the middle, the stem stops
        return 0.0
    return half if wall.horizontal else -half


def _touches(wall: Wall, point: tuple[float, float]) -> bool:
    (x0, y0), (x1, y1) = wall.start, wall.end
    return x0 <= point[0] <= x1 and y0 <= point[1] <= y1
