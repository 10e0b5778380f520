"""Rooms: their floor, what stands in them, what leads out of them, which rooms touch them, what they belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from spatial.adjacency import Beside, DoorJoin, Kind
from spatial.network import Network
from spatial.zones import Zone, zones_of
from twin.db import Conn, objects, row, rows
from twin.errors import NotFound


@dataclass(frozen=True, slots=True)
class Located:
    """An element in or beside a room."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    derived: bool  # placed by geometry, not by the file


@dataclass(frozen=True, slots=True)
class Equipment(Located):
    """Something that stands in the room. `hidden`: ceiling_void, behind_wall or under_floor; null: in plain sight."""

    confidence: float  # 0 … 1
    hidden: str | None


@dataclass(frozen=True, slots=True)
class Leading(Located):
    """A door, or a passage that no door fills, and the other rooms it leads to; `outside`: out of the house."""

    leads_to: list[UUID]
    outside: bool


@dataclass(frozen=True, slots=True)
class Neighbour(Located):
    """A room beside this one, and the best way through what is between them."""

    kind: Kind
    shared_length: float | None  # m over which they face each other; null: only the file says that they are neighbours


@dataclass(frozen=True, slots=True)
class Link:
    """A stair, ramp or lift that is entered from the room, and the rooms where one leaves it, lowest first."""

    id: UUID
    global_id: str
    kind: str  # stair | ramp | lift | escalator
    name: str | None
    leads_to: list[UUID]


@dataclass(frozen=True, slots=True)
class StatedValue:
    """What the file says, and where: `Set.Name`."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class RoomPoint:
    """A data point of the room or of something in it."""

    id: UUID
    key: str
    name: str
    unit: str | None
    quantity: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """An IfcSpace (ISO 16739-1). Lengths in metres in the building frame.

    `area` and `height` are the mesh's, and what the file states where there is none. `area_difference` and
    `height_difference`: how much more the mesh has than the file states, as a share of what it states.
    """

    id: UUID
    global_id: str
    name: str | None
    long_name: str | None
    storey_id: UUID | None
    storey_name: str | None
    area: float | None  # m2
    area_source: str | None  # mesh | Set.Name
    area_stated: StatedValue | None
    area_difference: float | None
    height: float | None  # m
    height_source: str | None
    height_stated: StatedValue | None
    height_difference: float | None
    use: str | None
    use_source: str | None
    footprint: dict[str, Any] | None  # GeoJSON geometry
    zones: list[Zone]
    equipment: list[Equipment]
    doors: list[Leading]
    passages: list[Leading]
    links: list[Link]
    neighbours: list[Neighbour]
    points: list[RoomPoint]
    same_as: UUID | None  # another model's room that this one is too; the network knows only that


_DETAIL = """
    SELECT e.id, e.global_id, e.name, e.long_name, e.storey_id, s.name AS storey_name, p.area, p.height, p.footprint,
           p.stated_area, p.stated_area_source, p.stated_height, p.stated_height_source, p.use, p.use_source
    FROM element e LEFT JOIN storey s ON s.id = e.storey_id LEFT JOIN space p ON p.element_id = e.id
    WHERE e.id = %(id)s AND e.ifc_class = 'IfcSpace'
"""
_EQUIPMENT = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.space_derived AS derived,
           coalesce(p.space_confidence, 1) AS confidence, p.hidden
    FROM element e JOIN model m ON m.id = e.model_id LEFT JOIN element_place p ON p.element_id = e.id
    WHERE e.space_id = ANY(%(ids)s) AND e.last_version = m.current_version
      AND NOT EXISTS (SELECT 1 FROM ifc_class c WHERE c.name = e.ifc_class
                      AND c.ancestor IN ('IfcPort', 'IfcFeatureElement'))
    ORDER BY e.ifc_class, e.name
"""
_BESIDE = """
    SELECT id, global_id, ifc_class, coalesce(long_name, name) AS name FROM element WHERE id = ANY(%(ids)s)
    ORDER BY name, global_id
"""
_POINTS = """
    SELECT p.id, p.key, p.name, p.unit, p.quantity FROM point p JOIN element e ON e.id = p.element_id
    WHERE (e.id = ANY(%(ids)s) OR e.space_id = ANY(%(ids)s)) AND p.retired_at IS NULL ORDER BY p.name
"""


async def get_room(conn: Conn, network: Network, element_id: UUID) -> Room:
    """Return the room with that element id; raise NotFound when it is none."""
    found = await row(conn, _DETAIL, {"id": element_id})
    if found is None:
        raise NotFound("space.unknown", space=str(element_id))
    ids = {"ids": [element_id, *(double for double, room in network.doubles.items() if room == element_id)]}
    leading = {join.door: join for join in network.adjacency.doors_of(element_id)}
    passages = {join.door: join for join in network.passages if element_id in join.rooms}
    links = network.adjacency.links_of(element_id)
    beside = network.beside(element_id)
    mentioned = {room for join in (*leading.values(), *passages.values()) for room in join.rooms}
    mentioned |= {room for _, others in links.values() for room in others}
    known = await _known(conn, {*leading, *passages, *links, *beside, *mentioned})
    return Room(
        **{name: found[name] for name in ("id", "global_id", "name", "long_name", "storey_id", "storey_name")},
        **_measured("area", "m2", found),
        **_measured("height", "m", found),
        use=found["use"],
        use_source=found["use_source"],
        footprint=found["footprint"],
        zones=await zones_of(conn, [element_id]),
        equipment=await objects(conn, Equipment, _EQUIPMENT, ids),
        doors=_leading(leading, known, element_id),
        passages=_leading(passages, known, element_id),
        links=[
            Link(id, known[id]["global_id"], kind, known[id]["name"], [other for other in others if other in known])
            for id, (kind, others) in links.items()
            if id in known
        ],
        neighbours=_neighbours(beside, known),
        points=await objects(conn, RoomPoint, _POINTS, ids),
        same_as=network.doubles.get(element_id),
    )


def _measured(what: str, unit: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value with its source, what the file states, and the difference."""
    meshed, stated, source = found[what], found[f"stated_{what}"], found[f"stated_{what}_source"]
    return {
        what: stated if meshed is None else meshed,
        f"{what}_source": source if meshed is None else "mesh",
        f"{what}_stated": None if stated is None else StatedValue(stated, unit, source),
        f"{what}_difference": None if meshed is None or not stated else (meshed - stated) / stated,
    }


async def _known(conn: Conn, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the elements among `ids` that the caller may see, by name."""
    return {each["id"]: each for each in await rows(conn, _BESIDE, {"ids": list(ids)})}


def _leading(joins: Mapping[UUID, DoorJoin], known: Mapping[UUID, dict[str, Any]], room: UUID) -> list[Leading]:
    return [
        Leading(
            **known[id],
            derived=joins[id].derived,
            leads_to=[other for other in joins[id].rooms if other != room and other in known],
            outside=len(joins[id].rooms) == 1,
        )
        for id in known
        if id in joins
    ]


def _neighbours(beside: Mapping[UUID, Beside], known: Mapping[UUID, dict[str, Any]]) -> list[Neighbour]:
    return [
        Neighbour(**known[id], derived=beside[id].derived, kind=beside[id].kind, shared_length=beside[id].shared_length)
        for id in known
        if id in beside
    ]
