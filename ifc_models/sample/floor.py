"""A storey of one wing while it is being written, and the sizes of its rooms."""

from __future__ import annotations

from dataclasses import dataclass, field

from ifc_models.sample.model import Item, Place
from ifc_models.sample.plan import Plan, Room, Wall

SLAB = 0.15  # thickness of a typical floor slab, m


@dataclass(frozen=True, slots=True)
class Level:
    """A storey: `z` is its finished floor above F1, `height` floor to floor; both metres."""

    key: str  # B1, F01, …, RF
    zh: str
    en: str
    z: float
    height: float
    plan: Plan
    index: int  # B1 -1, F1 0, …


@dataclass(slots=True)
class Floor:
    """One wing's part of a storey while it is being written."""

    level: Level
    place: Place  # of elements that belong to no room
    wing: str  # "" when there is only one
    rooms: dict[str, Place] = field(default_factory=dict)  # by room key, flats as "01.living"
    doors: dict[tuple[float, float], Item] = field(default_factory=dict)

    def room(self, key: str) -> Place:
        """Return the place of a room."""
        return self.rooms[key]

    @property
    def z_ceiling(self) -> float:
        """Underside of the slab above, over this storey's floor, m."""
        return self.level.height - (0.8 if self.level.index < 0 else SLAB)


def room_key(room: Room) -> str:
    """Return the key of a room within its floor."""
    return f"{room.flat}.{room.key}" if room.flat else room.key


def clear(room: Room, plan: Plan) -> tuple[float, float, float, float]:
    """Return the room's rectangle between wall faces: each side moved in by half its thickest wall."""
    x0, y0, x1, y1 = room.rect
    sides = [(x0, y0, x0, y1), (x0, y0, x1, y0), (x1, y0, x1, y1), (x0, y1, x1, y1)]
    inset = [max((w.thickness / 2 for w in plan.walls if _along(w, s)), default=0.0) for s in sides]
    return (x0 + inset[0], y0 + inset[1], x1 - inset[2], y1 - inset[3])


def _along(wall: Wall, side: tuple[float, float, float, float]) -> bool:
    x0, y0, x1, y1 = side
    (a, b), (c, d) = wall.start, wall.end
    if wall.horizontal:
        return y0 == y1 == b and min(c, x1) - max(a, x0) > 0.3
    return x0 == x1 == a and min(d, y1) - max(b, y0) > 0.3


def room_height(floor: Floor, room: Room) -> float:
    """Return the clear height of a room, m: shafts, stairs and lifts run through to the next storey."""
    if room.kind in ("stair", "lift", "shaft"):
        return floor.level.height
    if room.kind in ("balcony", "terrace"):
        return 2.7
    return round(floor.z_ceiling, 4)
