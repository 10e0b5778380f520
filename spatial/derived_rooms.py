"""Rooms that a file lacks, derived from its walls: what they enclose at breast height, once doors and gaps are closed.

Reported, marked as derived and never stored: a room of the file is a promise of its author, this is geometry. Metres
in the building frame.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from spatial.joins import doorway
from spatial.section import StoreySection
from twin.db import Conn, rows

GAP: Final = 0.1  # m; walls that miss each other by less are closed
SMALLEST: Final = 1.0  # m2; less is a shaft or a niche
NARROWEST: Final = 0.6  # m; nothing narrower is a room
COVERED: Final = 0.5  # share of a derived room that rooms of the file cover, for it to be one of them
ONE_LEVEL: Final = 1.0  # m; storeys closer than that are cut through the same rooms
LEAF: Final = 0.15  # m to each side of a door's middle: what closes its hole
BOUNDS: Final = ("IfcWall", "IfcCurtainWall", "IfcColumn", "IfcWindow", "IfcPlate", "IfcMember", "IfcDoor")


@dataclass(frozen=True, slots=True)
class Closing:
    """A door as its box and placement (row-major 4x4), which closes the hole that it fills."""

    id: UUID
    box: Sequence[float]
    placement: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class DerivedRoom:
    """A room that walls enclose and the file does not have. `confidence`: less where gaps had to be closed."""

    footprint: dict[str, Any]  # GeoJSON geometry
    area: float  # m2
    doors: list[UUID]
    confidence: float  # 0 … 1


@dataclass(frozen=True, slots=True)
class StoreyCover:
    """What of a storey is rooms. `enclosed`: by its walls, m2; `uncovered`: what of that no room of the file covers.

    `same_level`: the storey a little above it that shows the same walls; what is derived is told there.
    """

    storey_id: UUID
    storey: str
    elevation: float | None
    rooms: int
    area: float  # m2, of the file's rooms
    enclosed: float
    uncovered: float
    derived: list[DerivedRoom]
    same_level: UUID | None = None


Enclosed = list[tuple[Polygon, list[UUID], float]]


class Enclosures:
    """What walls enclose, as found lately: many ask for the same storeys, and it takes a while to find."""

    def __init__(self, keep: int = 64) -> None:
        self._keep = keep
        self._known: OrderedDict[Hashable, Enclosed] = OrderedDict()

    async def of(self, key: Hashable, solids: Sequence[Any], doors: Sequence[Closing]) -> Enclosed:
        """Return what is enclosed; `key` is equal where the rest is."""
        if key not in self._known:
            self._known[key] = await asyncio.to_thread(enclosed, solids, doors)
        self._known.move_to_end(key)
        while len(self._known) > self._keep:
            self._known.popitem(last=False)
        return self._known[key]


def enclosed(solids: Iterable[Any], doors: Iterable[Closing]) -> Enclosed:
    """Return what walls enclose: outline, the doors on it, and how sure it is that they do.

    `solids`: polygons where the plane cuts walls, columns, windows. Sure is what is closed without closing gaps.
    """
    leaves = {door.id: _leaf(door) for door in doors}
    walls = [shapely.make_valid(each) for each in solids]
    if not walls:
        return []
    both = [*walls, *leaves.values()]
    whole = shapely.union_all(both, grid_size=1e-4)
    found = _holes(whole.buffer(GAP / 2, join_style="mitre", mitre_limit=2))
    tight = shapely.union_all(_holes(whole.buffer(1e-3)))
    tree = shapely.STRtree(list(leaves.values()))
    ids = list(leaves)
    made = []
    for hole in found:
        room = hole.buffer(GAP / 2, join_style="mitre", mitre_limit=2)
        if not isinstance(room, Polygon) or room.area < SMALLEST or room.buffer(-NARROWEST / 2).is_empty:
            continue
        sure = 0.8 if room.buffer(-GAP).difference(tight).area < 0.01 * room.area else 0.5
        near = tree.query(room, predicate="dwithin", distance=LEAF) if ids else []
        made.append((room, [ids[int(at)] for at in sorted(near)], sure))
    return made


def _holes(union: Any) -> list[Polygon]:
    """Return what rings of solids enclose, the solids inside left out."""
    inside = [
        Polygon(ring) for part in shapely.get_parts(union) if isinstance(part, Polygon) for ring in part.interiors
    ]
    left = [hole.difference(union) for hole in inside]
    return [part for each in left for part in shapely.get_parts(each) if isinstance(part, Polygon) and part.area > 0]


def _leaf(door: Closing) -> Polygon:
    """Return the rectangle in the wall that a door fills, an open leaf left out."""
    at = doorway(door.id, door.box, door.placement)
    along = np.array([at.normal[1], -at.normal[0]])
    size = np.array([door.box[3] - door.box[0], door.box[4] - door.box[1]])
    half = along * float(size @ np.abs(along)) / 2  # in slanting walls longer by the door's thickness at most
    across = np.array(at.normal) * LEAF
    middle = np.array([at.x, at.y])
    return Polygon([middle - half - across, middle + half - across, middle + half + across, middle - half + across])


async def storey_cover(
    conn: Conn,
    storey: Mapping[str, Any],
    section: StoreySection,
    plans: Mapping[UUID, Any],
    enclosures: Enclosures,
) -> StoreyCover:
    """Return what of a storey (id, name, elevation) is rooms and what walls enclose beside them.

    `plans`: the file's rooms by id (`spatial.joins.RoomPlan`). Only walls and rooms that the caller sees are counted.
    """
    bounding = await rows(
        conn,
        """SELECT e.id, e.ifc_class, e.bbox, e.placement,
                  EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcDoor') AS door
           FROM element e WHERE e.id = ANY(%s) AND EXISTS (
               SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%s)) ORDER BY e.id""",
        (list(section.shapes), list(BOUNDS)),
    )
    doors = [Closing(each["id"], each["bbox"], each["placement"]) for each in bounding if each["door"] and each["bbox"]]
    cuts = [section.shapes[each["id"]].cut for each in bounding if not each["door"]]
    key = (section.key, tuple(each["id"] for each in bounding))  # of what the caller sees
    found = await enclosures.of(key, [cut for cut in cuts if cut is not None], doors)
    seen = await rows(conn, "SELECT id FROM element WHERE storey_id = %s AND id = ANY(%s)", (storey["id"], list(plans)))
    own = [plans[each["id"]].polygon for each in seen]
    level = [plan.polygon for plan in plans.values() if plan.bottom <= section.plane < plan.top]
    covered = shapely.union_all(level) if level else MultiPolygon()
    return StoreyCover(
        storey_id=storey["id"],
        storey=storey["name"],
        elevation=storey["elevation"],
        rooms=len(own),
        area=float(sum(polygon.area for polygon in own)),
        enclosed=float(sum(room.area for room, _, _ in found)),
        uncovered=float(sum(room.difference(covered).area for room, _, _ in found)),
        derived=[
            DerivedRoom(shapely.geometry.mapping(room), float(room.area), at, sure)
            for room, at, sure in found
            if room.intersection(covered).area < COVERED * room.area
        ],
    )


def once_per_level(covers: Sequence[StoreyCover]) -> list[StoreyCover]:
    """Return storeys, lowest first, with each derived room once: of two at nearly one height the upper one tells it.

    Files have storeys for a ceiling or the raw floor just below the next floor.
    """
    told: list[StoreyCover] = []
    for cover in reversed(covers):
        upper = told[-1] if told else None
        if upper is None or not _one_level(cover, upper):
            told.append(cover)
            continue
        whole = shapely.union_all([shapely.geometry.shape(room.footprint) for room in upper.derived])
        own = [room for room in cover.derived if not _covers(whole, room)]
        same = upper.same_level or upper.storey_id
        told.append(replace(cover, derived=own, same_level=same if len(own) < len(cover.derived) else None))
    return told[::-1]


def _one_level(lower: StoreyCover, upper: StoreyCover) -> bool:
    return (
        lower.elevation is not None
        and upper.elevation is not None
        and upper.elevation - lower.elevation < ONE_LEVEL
        and bool(lower.derived and upper.derived)
    )


def _covers(whole: Any, room: DerivedRoom) -> bool:
    return bool(shapely.geometry.shape(room.footprint).intersection(whole).area >= COVERED * room.area)
