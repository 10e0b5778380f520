"""Which element, system or point of a building an entity of a Brick graph is: by our name, GlobalId, key or label."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from spatial.brick_graph import BrickGraph, Entity
from twin.db import Conn, rows

_SPLIT: Final = re.compile(r"[\W_]+")
_LOCATIONS: Final = frozenset({"IfcSpace", "IfcBuildingStorey", "IfcBuilding", "IfcSite", "IfcSpatialZone"})
_LEVELS: Final = frozenset({"IfcBuildingStorey", "IfcBuilding", "IfcSite"})


@dataclass(frozen=True, slots=True)
class Match:
    """What an entity is here: exactly one of the three."""

    by: str  # uri | global_id | timeseries | name
    element: UUID | None = None
    group: UUID | None = None
    point: UUID | None = None

    @property
    def id(self) -> UUID:
        """The id of whatever it is."""
        found = self.element or self.group or self.point
        assert found is not None
        return found


@dataclass(slots=True)
class Things:
    """All of a building that a graph may speak of."""

    ids: dict[UUID, Match] = field(default_factory=dict)
    global_ids: dict[str, list[Match]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, Match] = field(default_factory=dict)
    names: dict[tuple[str, str], dict[UUID, Match]] = field(default_factory=lambda: defaultdict(dict))
    # (kind, folded name) → what is called so
    building: Match | None = None  # its IfcBuilding, of one model


async def read_things(conn: Conn, building: UUID) -> Things:
    """Read what the caller may see of a building: rooms, storeys, equipment, systems, points."""
    things = Things()
    levels: dict[tuple[str, UUID | str], UUID] = {}
    for element in await rows(conn, _ELEMENTS, {"building": building}):
        match = Match("uri", element=element["id"])
        things.ids[element["id"]] = match
        # A storey, a building or a site that several models have is one thing.
        id = element["id"]
        if element["ifc_class"] in _LEVELS:
            id = levels.setdefault((element["ifc_class"], element["storey_id"] or element["global_id"]), id)
        things.global_ids[element["global_id"]].append(Match("global_id", element=id))
        kind = "location" if element["ifc_class"] in _LOCATIONS else "equipment"
        _name(things, kind, Match("name", element=id), element["name"], element["long_name"], element["tag"])
        if element["ifc_class"] == "IfcBuildingStorey" and element["storey_id"] is not None:
            things.ids.setdefault(element["storey_id"], match)  # our own graphs name storeys, not their elements
        elif element["ifc_class"] == "IfcBuilding":
            things.ids.setdefault(building, match)
            things.building = things.building or match
    groups: dict[str, UUID] = {}
    for group in await rows(conn, _GROUPS, {"building": building}):
        things.ids[group["id"]] = Match("uri", group=group["id"])
        id = groups.setdefault(group["global_id"], group["id"])  # so is a system that runs through several
        things.global_ids[group["global_id"]].append(Match("global_id", group=id))
        for kind in ("system", "location", "collection"):
            _name(things, kind, Match("name", group=id), group["name"], group["long_name"])
    for point in await rows(conn, _POINTS, {"building": building}):
        things.ids[point["id"]] = Match("uri", point=point["id"])
        things.keys[point["key"]] = Match("timeseries", point=point["id"])
        _name(things, "point", Match("name", point=point["id"]), point["key"], point["name"])
    return things


_ELEMENTS: Final = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.long_name, e.tag, e.storey_id
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    WHERE e.building_id = %(building)s AND EXISTS (
        SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor IN (
            'IfcDistributionElement', 'IfcTransportElement', 'IfcElectricalElement', 'IfcDoor', 'IfcFurnishingElement',
            'IfcSpatialStructureElement', 'IfcSpatialElement'))
    ORDER BY e.id
"""
_GROUPS: Final = """
    SELECT g.id, g.global_id, g.name, g.long_name
    FROM element_group g JOIN model m ON m.id = g.model_id AND m.current_version = g.last_version
    WHERE g.building_id = %(building)s ORDER BY g.id
"""
_POINTS: Final = (
    "SELECT id, key, name FROM point WHERE building_id = %(building)s AND retired_at IS NULL ORDER BY handle"
)


def folded(name: str) -> str:
    """A name as people compare them: `VAV-RM 060` is `vavrm060`."""
    return _SPLIT.sub("", name).casefold()


def _name(things: Things, kind: str, match: Match, *names: str | None) -> None:
    for name in names:
        if name and (key := folded(name)):
            things.names[kind, key][match.id] = match


def match_entities(things: Things, graph: BrickGraph) -> tuple[dict[str, Match], dict[str, int]]:
    """Return what each entity is, and for those whose name several things have, how many."""
    found: dict[str, Match] = {}
    ambiguous: dict[str, int] = {}
    buildings = [uri for uri, entity in graph.entities.items() if entity.brick_class == "Building"]
    if len(buildings) == 1 and things.building is not None:  # whatever it is called: the graph is of this building
        found[buildings[0]] = things.building
    for uri, entity in graph.entities.items():
        if uri in found:
            continue
        match = _by_id(things, entity)
        if match is None:
            candidates = _by_name(things, entity)
            if len(candidates) == 1:
                match = candidates[0]
            elif candidates:
                ambiguous[uri] = len(candidates)
        if match is not None:
            found[uri] = match
    return found, ambiguous


def _by_id(things: Things, entity: Entity) -> Match | None:
    if entity.uri.startswith("urn:uuid:"):
        try:
            own = things.ids.get(UUID(entity.uri.removeprefix("urn:uuid:")))
        except ValueError:
            own = None
        if own is not None:
            return own
    for global_id in entity.global_ids:
        same = things.global_ids.get(global_id, [])
        if len({match.id for match in same}) == 1:
            return same[0]
    return next((things.keys[key] for key in entity.series if key in things.keys), None)


def _by_name(things: Things, entity: Entity) -> list[Match]:
    """Things of the entity's kind with its label, else with the last part of its name."""
    kinds: Iterable[str] = (entity.kind,) if entity.kind else ("location", "equipment", "point", "system")
    last = entity.uri[max(entity.uri.rfind("#"), entity.uri.rfind("/"), entity.uri.rfind(":")) + 1 :]
    for name in (entity.label, None if entity.uri.startswith("_:") else last):
        key = folded(name) if name else ""
        candidates: dict[UUID, Any] = {}
        for kind in kinds:
            candidates |= things.names.get((kind, key), {})
        if key and candidates:
            return list(candidates.values())
    return []
