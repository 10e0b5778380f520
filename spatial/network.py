"""The spatial network of a building, made from its rows: rooms, what joins them, what flows where.

Read once per state of the building's models, kept in memory, shared by all callers. It knows ids and geometry only:
whoever answers with it reads the elements' rows with the caller's own connection, which sees what the caller may.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely

from spatial.adjacency import Adjacency, Beside, DoorJoin
from spatial.climbs import Climb
from spatial.contact import TOLERANCE
from spatial.flow_rows import FlowRows, Flows, build_flows, read_flows
from spatial.joins import (
    Neighbours,
    RoomIndex,
    RoomPlan,
    doorway,
    joined,
    neighbours,
    open_sides,
)
from spatial.near import Boxes, read_boxes
from spatial.room_plans import plans_of, read_rooms, without_doubles
from spatial.shafts import shaft_ways
from spatial.walk import WalkGraph
from spatial.ways import Place, Way
from twin.db import Conn, Database, row, rows

NEAREST: Final = 5.0  # m; what stands further from every room of its level is in none
FLIGHT_GAP: Final = 0.5  # m between flights of one stair

_CURRENT = "element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version"
_IS = "EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%(classes)s))"


@dataclass(frozen=True, slots=True)
class Network:
    """Everything about one building that is walked or that flows."""

    plans: Mapping[UUID, RoomPlan]
    index: RoomIndex
    without_floor: list[UUID]  # rooms that have no floor polygon
    doubles: Mapping[UUID, UUID]  # rooms that another model has too, left out → the room that they are
    neighbours: list[Neighbours]
    boundaries: Mapping[UUID, frozenset[UUID]]  # room → rooms beside it, as the file's space boundaries say
    doors: list[DoorJoin]
    passages: list[DoorJoin]  # openings in walls that nothing fills and people walk through
    adjacency: Adjacency
    walk: WalkGraph
    flows: Flows

    def beside(self, room: UUID) -> Mapping[UUID, Beside]:
        """Return the rooms beside a room."""
        return self.adjacency.beside(room)

    def place(self, position: Sequence[float], room: UUID | None) -> Place | None:
        """Return where somebody stands who goes to `position`; None: no room is near it."""
        x, y, z = position
        if room is not None and room in self.plans:
            return Place(room, (x, y, self.plans[room].bottom))
        at = self.index.at(x, y, z)
        if at is None:
            level = [plan for plan in self.plans.values() if plan.reaches(z)]
            away = shapely.distance(np.array([plan.polygon for plan in level], dtype=object), shapely.Point(x, y))
            if not level or float(np.min(away)) > NEAREST:
                return None
            at = level[int(np.argmin(away))]
        return Place(at.id, (x, y, at.bottom))


ClimbsOf = Callable[[UUID], Awaitable[Mapping[UUID, Climb]]]


class Networks:
    """The networks of the buildings asked for lately."""

    def __init__(
        self, db: Database, *, keep: int, tolerance: float = TOLERANCE, climbs: ClimbsOf | None = None
    ) -> None:
        """`climbs`: finds how a building's stairs are walked, which their tiles show."""
        self._db, self._keep, self._tolerance, self._climbs = db, keep, tolerance, climbs
        self._known: OrderedDict[UUID, tuple[str, Network]] = OrderedDict()
        self._boxes: OrderedDict[UUID, tuple[str, Boxes]] = OrderedDict()
        self._building: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def boxes(self, building: UUID) -> Boxes:
        """Return the boxes of a building's elements as its models are now."""
        async with self._building[building], self._db.connection() as conn:
            stamp = await _stamp(conn, building)
            known = self._boxes.get(building)
            if known is None or known[0] != stamp:
                known = self._boxes[building] = (stamp, await read_boxes(conn, building))
            self._boxes.move_to_end(building)
            while len(self._boxes) > self._keep:
                self._boxes.popitem(last=False)
            return known[1]

    async def without(self, building: UUID, graph: UUID) -> Network:
        """Return the network of a building as it would be had this Brick graph never been taken in; not kept."""
        whole = await self.of(building)
        async with self._db.connection() as conn:
            read = await read_flows(conn, building, without=graph)
        return replace(whole, flows=await asyncio.to_thread(build_flows, read, self._tolerance))

    async def of(self, building: UUID) -> Network:
        """Return the network of a building as its models are now."""
        async with self._building[building], self._db.connection() as conn:
            stamp = await _stamp(conn, building)
            known = self._known.get(building)
            if known is None or known[0] != stamp:
                read = await _read(conn, building)
                climbs = await self._climbs(building) if self._climbs is not None else {}
                made = await asyncio.to_thread(build, read, self._tolerance, climbs)
                known = self._known[building] = (stamp, made)
            self._known.move_to_end(building)
            while len(self._known) > self._keep:
                self._known.popitem(last=False)
            return known[1]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a network is built from, as read. Elements by id."""

    rooms: list[dict[str, Any]]  # as spatial.room_plans reads them
    doors: list[dict[str, Any]]  # id, bbox, placement
    passages: list[dict[str, Any]]  # the same of empty openings (api/passage_boxes.py); placement of their wall
    bounds: list[dict[str, Any]]  # from_id, to_id, ifc_class of from
    shafts: list[dict[str, Any]]  # id, parent_id, kind, bbox
    flows: FlowRows


async def _stamp(conn: Conn, building: UUID) -> str:
    found = await row(
        conn,
        """SELECT concat((SELECT string_agg(id || ':' || current_version, ',' ORDER BY id)
                          FROM model WHERE building_id = %(building)s),
                         (SELECT string_agg(id::text, ',' ORDER BY id)
                          FROM brick_import WHERE building_id = %(building)s)) AS stamp""",
        {"building": building},
    )
    return str(found["stamp"] if found else "")


async def _read(conn: Conn, building: UUID) -> Rows:
    async def of_class(columns: str, classes: Iterable[str], more: str = "") -> list[dict[str, Any]]:
        query = f"SELECT {columns} FROM {_CURRENT} WHERE e.building_id = %(building)s AND {_IS} {more}"
        return await rows(conn, query, {"building": building, "classes": list(classes)})

    relations = f"""
        SELECT r.kind, r.from_id, r.to_id, e.ifc_class FROM element_relation r JOIN ({_CURRENT}) ON e.id = r.from_id
        WHERE e.building_id = %(building)s AND r.kind = ANY(%(kinds)s)"""
    return Rows(
        rooms=await read_rooms(conn, building),
        doors=await of_class("e.id, e.bbox, e.placement", ["IfcDoor"], "AND e.bbox IS NOT NULL ORDER BY e.id"),
        passages=await of_class(
            "e.id, e.bbox, (SELECT w.placement FROM element w WHERE w.id = e.parent_id) AS placement",
            ["IfcOpeningElement"],
            "AND e.bbox IS NOT NULL ORDER BY e.id",
        ),
        bounds=await rows(conn, relations, {"building": building, "kinds": ["bounds"]}),
        shafts=await of_class(
            "e.id, e.parent_id, e.ifc_class, e.predefined_type, e.attributes, e.bbox",
            ["IfcStair", "IfcStairFlight", "IfcRamp", "IfcRampFlight", "IfcTransportElement"],
            "ORDER BY e.id",
        ),
        flows=await read_flows(conn, building),
    )


def build(read: Rows, tolerance: float = TOLERANCE, climbs: Mapping[UUID, Climb] | None = None) -> Network:
    """Return the network of what was read; what touches within `tolerance` (m) is joined.

    `climbs`: how stairs and ramps with a mesh are walked, by element.
    """
    all_plans, without = plans_of(read.rooms)
    plans, doubles = without_doubles(all_plans, read.rooms)
    index = RoomIndex(plans.values())
    pairs = neighbours(list(plans.values()))
    bounding = _bounding(read.bounds, plans)
    doors = [_join(door, bounding.get(door["id"], frozenset()), index) for door in read.doors]
    passages = [_join(each, bounding.get(each["id"], frozenset()), index) for each in read.passages]
    open_sides_ = _openings(read.bounds, bounding, pairs) + _doors(passages, read.passages, "open")
    door_ways = _doors(doors, read.doors, "door")
    ways = door_ways + open_sides_ + shaft_ways(read.shafts, index, climbs or {}, door_ways)
    beside = _beside(bounding)
    return Network(
        plans=plans,
        index=index,
        without_floor=without,
        doubles=doubles,
        neighbours=pairs,
        boundaries=beside,
        doors=doors,
        passages=passages,
        adjacency=Adjacency(pairs, beside, doors, ways),
        walk=WalkGraph(plans.values(), ways),
        flows=build_flows(read.flows, tolerance),
    )


def _bounding(bounds: Sequence[dict[str, Any]], plans: Mapping[UUID, RoomPlan]) -> dict[UUID, frozenset[UUID]]:
    """Return the rooms that each element bounds, as the file says."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for bound in bounds:
        if bound["to_id"] in plans:
            found[bound["from_id"]].add(bound["to_id"])
    return {element: frozenset(of) for element, of in found.items()}


def _beside(bounding: Mapping[UUID, frozenset[UUID]]) -> dict[UUID, frozenset[UUID]]:
    """Return the rooms beside each room: those that one wall, door or virtual boundary bounds with it.

    An element that bounds many rooms (a slab, a façade) makes no neighbours of them.
    """
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for of in bounding.values():
        if len(of) == 2:
            one, other = of
            found[one].add(other)
            found[other].add(one)
    return {room: frozenset(others) for room, others in found.items()}


def _join(door: dict[str, Any], given: frozenset[UUID], index: RoomIndex) -> DoorJoin:
    """Return what a door joins: as the file says, by geometry where it says nothing or too much."""
    if 1 <= len(given) <= 2:
        return DoorJoin(door["id"], tuple(sorted(given)), derived=False)
    sides = [side.id for side in joined(doorway(door["id"], door["bbox"], door["placement"]), index) if side]
    return DoorJoin(door["id"], tuple(sides), derived=True)


def _doors(joins: Sequence[DoorJoin], doors: Sequence[dict[str, Any]], kind: str) -> list[Way]:
    ways = []
    for join, door in zip(joins, doors, strict=True):
        if join.rooms:
            at = doorway(join.door, door["bbox"], door["placement"])
            ways.append(Way(kind, join.door, (at.x, at.y, at.z), join.rooms))
    return ways


def _openings(
    bounds: Sequence[dict[str, Any]], bounding: Mapping[UUID, frozenset[UUID]], pairs: Sequence[Neighbours]
) -> list[Way]:
    """Return the ways between rooms with no wall between them: the file's virtual boundaries, then by geometry."""
    beside = {frozenset((pair.first, pair.second)): pair for pair in pairs}
    virtual = {bound["from_id"] for bound in bounds if bound["ifc_class"] == "IfcVirtualElement"}
    said = {bounding[element] for element in virtual if len(bounding.get(element, ())) == 2}
    chosen = {frozenset((pair.first, pair.second)) for pair in open_sides(pairs)} | (said & beside.keys())
    return [
        Way("open", None, (beside[key].x, beside[key].y, beside[key].z), tuple(sorted(key)))
        for key in sorted(chosen, key=sorted)
    ]
