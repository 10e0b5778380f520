"""Brick graphs taken in for what IFC does not say: stored apart with their source, used by flow, places and points.

What a file says wins: a statement that it makes too is known, one against it is named and not taken. Rooms that
geometry gave an element are no statement of a file: there the graph knows better.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import networkx
from psycopg.types.json import Jsonb

from spatial.brick_graph import PREDICATES, BrickGraph, Entity, Said
from spatial.brick_match import Match, match_entities, read_things
from spatial.brick_names import ROOM_FEEDERS
from spatial.network import Network
from twin.db import Conn, row, rows
from twin.errors import NotFound

NAMED: Final = 200  # of what was not understood or contradicts


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An entity that is nothing here."""

    uri: str
    label: str | None
    brick_class: str | None
    reason: str  # unmatched | ambiguous: several things are called so
    candidates: int
    statements: int  # that speak of it


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A statement against what a file or a binding says; it was not taken."""

    subject: str
    predicate: str
    object: str


@dataclass(frozen=True, slots=True)
class GraphReport:
    """What became of a graph. Counts by predicate: feeds, isPartOf, hasLocation, isPointOf."""

    triples: int
    entities: int
    matched: dict[str, int]  # by uri, global_id, timeseries, name
    taken: dict[str, int]
    known: dict[str, int]
    apart: dict[str, int]  # between entities none of which leads to anything here: not taken
    contradicting: list[Contradiction]
    contradictions: int
    not_understood: list[Unmatched]
    unmatched: int
    joined_to_itself: int
    unknown_classes: dict[str, int]
    other_predicates: dict[str, int]


@dataclass(frozen=True, slots=True)
class BrickImport:
    """A graph that was taken in."""

    id: UUID
    building_id: UUID
    name: str
    triples: int
    report: GraphReport
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A graph that was just taken in, and the points that it binds to elements that had none."""

    graph: BrickImport
    bindings: list[tuple[UUID, UUID]]  # point, element


@dataclass(frozen=True, slots=True)
class Source:
    """Where a graph comes from."""

    name: str
    hash: str  # SHA-256 of the file
    triples: int
    others: Mapping[str, int]
    by: str


async def take_in(conn: Conn, network: Network, building: UUID, graph: BrickGraph, source: Source) -> Taken:
    """Store what a graph says beyond what is known. The caller has removed an earlier import of the same file."""
    things = await read_things(conn, building)
    matches, ambiguous = match_entities(things, graph)
    facts = await _facts(conn, network, building, matches)
    verdicts = {said: facts.verdict(said, matches) for said in graph.said}
    news = [said for said, verdict in verdicts.items() if verdict == "new"]
    near = _reachable(news, matches)
    taken = [said for said in news if said.subject in near]
    report = _report(graph, source, matches, ambiguous, verdicts, taken)
    id = uuid4()
    await conn.execute(
        """INSERT INTO brick_import (id, building_id, name, hash, triples, report, created_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (id, building, source.name, source.hash, source.triples, Jsonb(asdict(report)), source.by),
    )
    await _store(conn, id, graph, matches, taken)
    bindings = {
        matches[said.subject].id: matches[said.object].id
        for said in taken
        if said.predicate == "isPointOf" and said.subject in matches and said.object in matches
        if matches[said.subject].point and matches[said.object].element
    }
    return Taken(await get_import(conn, building, id), list(bindings.items()))


async def list_imports(conn: Conn, building: UUID) -> list[BrickImport]:
    """Return the graphs of a building, newest first."""
    found = await rows(conn, f"{_SELECT} WHERE building_id = %s ORDER BY created_at DESC, id", (building,))
    return [_import(each) for each in found]


async def get_import(conn: Conn, building: UUID, id: UUID) -> BrickImport:
    """Return one. Raises NotFound."""
    found = await row(conn, f"{_SELECT} WHERE building_id = %s AND id = %s", (building, id))
    if found is None:
        raise NotFound("graph.unknown", graph=str(id))
    return _import(found)


async def find_import(conn: Conn, building: UUID, hash: str) -> BrickImport | None:
    """Return the import of a file, by its SHA-256."""
    found = await row(conn, f"{_SELECT} WHERE building_id = %s AND hash = %s", (building, hash))
    return _import(found) if found else None


async def delete_import(conn: Conn, building: UUID, id: UUID) -> tuple[BrickImport, list[UUID]]:
    """Forget a graph; return it and the points that were bound to elements because of it. Raises NotFound."""
    found = await get_import(conn, building, id)
    bound = await rows(
        conn,
        """SELECT p.id FROM brick_statement s JOIN brick_entity b ON b.id = s.subject
           JOIN brick_entity o ON o.id = s.object JOIN point p ON p.handle = b.point_id
           WHERE s.import_id = %s AND s.predicate = 'isPointOf' AND p.element_id = o.element_id""",
        (id,),
    )
    await conn.execute("DELETE FROM brick_import WHERE id = %s", (id,))
    return found, [point["id"] for point in bound]


_SELECT: Final = "SELECT id, building_id, name, triples, report, created_by, created_at FROM brick_import"


def _import(found: Mapping[str, Any]) -> BrickImport:
    told = dict(found["report"])
    told["contradicting"] = [Contradiction(**each) for each in told["contradicting"]]
    told["not_understood"] = [Unmatched(**each) for each in told["not_understood"]]
    return BrickImport(**{**found, "report": GraphReport(**told)})


async def _store(conn: Conn, id: UUID, graph: BrickGraph, matches: Mapping[str, Match], taken: Sequence[Said]) -> None:
    used = list(dict.fromkeys(uri for said in taken for uri in (said.subject, said.object)))
    ids = {uri: uuid4() for uri in used}
    handles = await rows(
        conn,
        "SELECT id, handle FROM point WHERE id = ANY(%s)",
        ([matches[uri].point for uri in used if uri in matches and matches[uri].point],),
    )
    handle = {each["id"]: each["handle"] for each in handles}
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """INSERT INTO brick_entity
                   (id, import_id, uri, label, brick_class, matched_by, element_id, group_id, point_id)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [_entity_row(ids[uri], id, graph.entities[uri], matches.get(uri), handle) for uri in used],
        )
        await cursor.executemany(
            "INSERT INTO brick_statement (import_id, subject, predicate, object) VALUES (%s, %s, %s, %s)",
            [(id, ids[said.subject], said.predicate, ids[said.object]) for said in taken],
        )


def _entity_row(
    id: UUID, import_id: UUID, entity: Entity, match: Match | None, handle: Mapping[UUID, int]
) -> tuple[Any, ...]:
    about = (id, import_id, entity.uri, entity.label, entity.brick_class)
    if match is None:
        return (*about, None, None, None, None)
    return (*about, match.by, match.element, match.group, handle[match.point] if match.point else None)


def _reachable(news: Sequence[Said], matches: Mapping[str, Match]) -> set[str]:
    """Entities that hang together, over news, with something that is known here."""
    graph = networkx.Graph()
    graph.add_edges_from((said.subject, said.object) for said in news)
    parts = networkx.connected_components(graph)
    return {uri for part in parts if any(each in matches for each in part) for uri in part}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What files and bindings say of the matched things. Ids of elements, groups and points."""

    network: Network
    whole: Mapping[UUID, frozenset[UUID]]  # thing → what it is part of
    fixed: Mapping[UUID, frozenset[UUID]]  # element → where a file says that it is: its room and its storey
    room: Mapping[UUID, UUID]  # element → its room, as a file says
    owner: Mapping[UUID, UUID]  # point → its element
    terminals: frozenset[UUID]  # what feeds the room that it is in

    def verdict(self, said: Said, matches: Mapping[str, Match]) -> str:
        """new | known | contradicting"""
        one, other = matches.get(said.subject), matches.get(said.object)
        if one is None or other is None:
            return "new"
        judge = {
            "feeds": self._feeds,
            "isPartOf": self._part,
            "hasLocation": self._location,
            "isPointOf": self._point,
        }
        return judge[said.predicate](one.id, other.id)

    def _feeds(self, one: UUID, other: UUID) -> str:
        flows = self.network.flows
        a, b = flows.number(one), flows.number(other)
        edge = flows.graph.graph.get_edge_data(a, b) if a is not None and b is not None else None
        back = flows.graph.graph.get_edge_data(b, a) if a is not None and b is not None else None
        if back is not None and not back["derived"] and edge is None:
            return "contradicting"
        in_room = one in self.terminals and other in self.fixed.get(one, ())
        return "known" if in_room or (edge is not None and edge["how"] != "brick") else "new"

    def _part(self, one: UUID, other: UUID) -> str:
        return "known" if other in self.whole.get(one, ()) else "new"

    def _location(self, one: UUID, other: UUID) -> str:
        if other in self.fixed.get(one, ()):
            return "known"
        said = self.room.get(one)
        return "contradicting" if said is not None and other in self.network.plans else "new"

    def _point(self, one: UUID, other: UUID) -> str:
        owner = self.owner.get(one)
        return "new" if owner is None else "known" if owner == other else "contradicting"


async def _facts(conn: Conn, network: Network, building: UUID, matches: Mapping[str, Match]) -> _Facts:
    of = {"building": building, "ids": list({match.id for match in matches.values()})}
    whole: dict[UUID, set[UUID]] = defaultdict(set)
    fixed: dict[UUID, set[UUID]] = defaultdict(set)
    room: dict[UUID, UUID] = {}
    terminals = set()
    for each in await rows(conn, _WHERE, {**of, "feeders": list(ROOM_FEEDERS)}):
        id = each["id"]
        whole[id].update({each["parent_id"], *each["levels"], *each["groups"]} - {None})
        fixed[id].update({each["space_id"], *each["levels"]} - {None})
        if each["space_id"] is not None and not each["space_derived"]:
            room[id] = each["space_id"]
        if each["feeder"]:
            terminals.add(id)
    owners = await rows(conn, "SELECT id, element_id FROM point WHERE id = ANY(%(ids)s) AND element_id IS NOT NULL", of)
    return _Facts(
        network=network,
        whole={id: frozenset(found) for id, found in whole.items()},
        fixed={id: frozenset(found) for id, found in fixed.items()},
        room=room,
        owner={each["id"]: each["element_id"] for each in owners},
        terminals=frozenset(terminals),
    )


# A storey is several elements where several models have it, a system several groups; of a building there may be one
# per model too.
_WHERE: Final = """
    SELECT e.id, e.parent_id, e.space_id, e.space_derived,
           ARRAY(SELECT l.id FROM element l WHERE l.storey_id = e.storey_id AND l.ifc_class = 'IfcBuildingStorey'
                   AND e.ifc_class <> 'IfcBuildingStorey'
                 UNION ALL SELECT b.id FROM element b WHERE b.building_id = e.building_id
                   AND b.ifc_class = 'IfcBuilding' AND e.ifc_class = 'IfcBuildingStorey'
                 UNION ALL SELECT s.id FROM element s WHERE s.building_id = e.building_id
                   AND s.ifc_class = 'IfcSite' AND e.ifc_class = 'IfcBuilding') AS levels,
           ARRAY(SELECT same.id FROM element_group_member m JOIN element_group g ON g.id = m.group_id
                 JOIN element_group same ON same.building_id = g.building_id AND same.global_id = g.global_id
                   WHERE m.element_id = e.id
                 UNION ALL SELECT z.id FROM element_relation r JOIN element z ON z.id = r.from_id
                   AND z.ifc_class = 'IfcSpatialZone'
                   WHERE r.to_id = e.id AND r.kind IN ('references', 'contains', 'aggregates')) AS groups,
           e.ifc_class = ANY(%(feeders)s) OR replace(coalesce(t.ifc_class, ''), 'Type', '') = ANY(%(feeders)s) AS feeder
    FROM element e LEFT JOIN element_type t ON t.id = e.type_id WHERE e.id = ANY(%(ids)s)
"""


def _report(
    graph: BrickGraph,
    source: Source,
    matches: Mapping[str, Match],
    ambiguous: Mapping[str, int],
    verdicts: Mapping[Said, str],
    taken: Sequence[Said],
) -> GraphReport:
    def by_predicate(found: Sequence[Said]) -> dict[str, int]:
        counted = Counter(said.predicate for said in found)
        return {name: counted[name] for name in PREDICATES if counted[name]}

    against = [said for said, verdict in verdicts.items() if verdict == "contradicting"]
    kept = set(taken)
    spoken = Counter(uri for said in graph.said for uri in (said.subject, said.object))
    strange = [entity for uri, entity in graph.entities.items() if uri not in matches]
    return GraphReport(
        triples=source.triples,
        entities=len(graph.entities),
        matched=dict(Counter(match.by for match in matches.values())),
        taken=by_predicate(taken),
        known=by_predicate([said for said, verdict in verdicts.items() if verdict == "known"]),
        apart=by_predicate([said for said, verdict in verdicts.items() if verdict == "new" and said not in kept]),
        contradicting=[Contradiction(s.subject, s.predicate, s.object) for s in against[:NAMED]],
        contradictions=len(against),
        not_understood=[
            Unmatched(
                uri=each.uri,
                label=each.label,
                brick_class=each.brick_class,
                reason="ambiguous" if each.uri in ambiguous else "unmatched",
                candidates=ambiguous.get(each.uri, 0),
                statements=spoken[each.uri],
            )
            for each in sorted(strange, key=lambda each: -spoken[each.uri])[:NAMED]
        ],
        unmatched=len(strange),
        joined_to_itself=len(graph.itself),
        unknown_classes=dict(Counter(graph.unknown_classes).most_common(NAMED)),
        other_predicates=dict(source.others),
    )
