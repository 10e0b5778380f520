"""The graph of a building as Brick and BOT in Turtle, written while it is read (6.4.3b).

Every thing is `urn:uuid:` and its id here, with its GlobalId beside it (`ref:IFCReference`); points carry their key
(`ref:TimeseriesReference`). The caller's connection decides what is in it.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from spatial.brick_names import ROOM_FEEDERS, equipment_class, point_class, system_class
from spatial.network import Network
from twin.brick import BOT, BRICK, QUANTITY, QUDT, RDF, RDFS, REF, UNIT, XSD
from twin.db import Conn, row, rows

BATCH: Final = 500  # things per piece
PREFIXES: Final = {
    "brick": BRICK,
    "bot": BOT,
    "ref": REF,
    "rdfs": RDFS,
    "qudt": QUDT,
    "unit": UNIT,
    "quantitykind": QUANTITY,
    "xsd": XSD,
}
_TYPE: Final = NamedNode(f"{RDF}type")
_LABEL: Final = NamedNode(f"{RDFS}label")
_DOUBLE: Final = NamedNode(f"{XSD}double")


def _brick(name: str) -> NamedNode:
    return NamedNode(BRICK + name)


def _bot(name: str) -> NamedNode:
    return NamedNode(BOT + name)


def _ref(name: str) -> NamedNode:
    return NamedNode(REF + name)


def thing(id: UUID) -> NamedNode:
    """The name of a thing in the graph."""
    return NamedNode(id.urn)


def turtle(triples: Iterable[Triple], *, header: bool = False) -> bytes:
    """Return triples as Turtle; `header` with the prefixes that every piece uses."""
    written: bytes = serialize(triples, format=RdfFormat.TURTLE, prefixes=PREFIXES)  # type: ignore[assignment]
    return written if header else written[_HEADER:]


_HEADER: Final = len(serialize([], format=RdfFormat.TURTLE, prefixes=PREFIXES) or b"")


async def export_graph(
    conn: Conn, network: Network, building: UUID, *, derived: bool = True
) -> AsyncGenerator[bytes, None]:
    """Yield the graph of a building in pieces. Without `derived` it holds what files and Brick graphs say, no more."""
    yield turtle(await _places(conn, building), header=True)
    async for found in _batches(conn, _ROOMS, building):
        yield turtle(await _rooms(conn, network, found, derived=derived))
    async for found in _batches(conn, _ELEMENTS, building):
        yield turtle(await _elements(conn, network, found, derived=derived))
    async for found in _batches(conn, _GROUPS, building):
        yield turtle(_of_each(found, _group))
    async for found in _batches(conn, _MEMBERS, building):
        yield turtle(Triple(thing(m["element_id"]), _brick("isPartOf"), thing(m["group_id"])) for m in found)
    async for found in _batches(conn, _POINTS, building):
        yield turtle(_of_each(found, _point))
    async for found in _batches(conn, _STATEMENTS, building):
        yield turtle(_of_each(found, _statement))


async def _batches(conn: Conn, query: str, building: UUID) -> AsyncGenerator[list[dict[str, Any]], None]:
    async with conn.cursor(name="graph") as cursor:
        await cursor.execute(query, {"building": building})
        while found := await cursor.fetchmany(BATCH):
            yield found


def _of_each(found: Iterable[Mapping[str, Any]], of: Any) -> Iterator[Triple]:
    for each in found:
        yield from of(each)


def _named(node: NamedNode | BlankNode, *names: str | None) -> Iterator[Triple]:
    name = next((each for each in names if each), None)
    if name:
        yield Triple(node, _LABEL, Literal(name))


def _reference(node: NamedNode, global_id: str, name: str | None) -> Iterator[Triple]:
    reference = BlankNode()
    yield Triple(node, _ref("hasExternalReference"), reference)
    yield Triple(reference, _TYPE, _ref("IFCReference"))
    yield Triple(reference, _ref("ifcGlobalID"), Literal(global_id))
    if name:
        yield Triple(reference, _ref("ifcName"), Literal(name))


async def _places(conn: Conn, building: UUID) -> list[Triple]:
    """The site, the building and its storeys, each with the GlobalIds that its models give it."""
    found = await row(
        conn,
        """SELECT b.id, b.name, s.id AS site, s.name AS site_name FROM building b LEFT JOIN site s ON s.id = b.site_id
           WHERE b.id = %s""",
        (building,),
    )
    assert found is not None, "the caller has resolved the building"
    node, made = thing(found["id"]), []
    made += [Triple(node, _TYPE, _brick("Building")), Triple(node, _TYPE, _bot("Building"))]
    made += _named(node, found["name"])
    if found["site"] is not None:
        site = thing(found["site"])
        made += [Triple(site, _TYPE, _brick("Site")), Triple(site, _TYPE, _bot("Site"))]
        made += [*_named(site, found["site_name"]), Triple(site, _bot("hasBuilding"), node)]
    storeys = await rows(
        conn,
        """SELECT s.id, s.name, array_agg(e.global_id ORDER BY e.id) AS global_ids
           FROM storey s JOIN element e ON e.storey_id = s.id AND e.ifc_class = 'IfcBuildingStorey'
           JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE s.building_id = %s GROUP BY s.id, s.name, s.elevation ORDER BY s.elevation NULLS LAST, s.name""",
        (building,),
    )
    for storey in storeys:
        level = thing(storey["id"])
        made += [Triple(level, _TYPE, _brick("Storey")), Triple(level, _TYPE, _bot("Storey"))]
        made += [*_named(level, storey["name"]), Triple(level, _brick("isPartOf"), node)]
        made.append(Triple(node, _bot("hasStorey"), level))
        made += [each for global_id in storey["global_ids"] for each in _reference(level, global_id, None)]
    return made


_CURRENT: Final = "JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version"
_ROOMS: Final = f"""
    SELECT e.id, e.global_id, e.name, e.long_name, e.storey_id, p.area FROM element e {_CURRENT}
    LEFT JOIN space p ON p.element_id = e.id
    WHERE e.building_id = %(building)s AND e.ifc_class = 'IfcSpace' ORDER BY e.id
"""
_ELEMENTS: Final = f"""
    SELECT e.id, e.global_id, e.name, e.ifc_class, t.ifc_class AS type_class, e.storey_id, e.space_id, e.space_derived,
           coalesce(nullif(e.predefined_type, 'NOTDEFINED'), t.attributes->'PredefinedType'->>'value') AS predefined,
           whole.id AS whole, a.ancestors && ARRAY['IfcDistributionElement', 'IfcTransportElement'] AS equipment,
           a.ancestors
    FROM element e {_CURRENT} LEFT JOIN element_type t ON t.id = e.type_id
    LEFT JOIN element whole ON whole.id = e.parent_id AND EXISTS (
        SELECT FROM ifc_class c WHERE c.name = whole.ifc_class AND c.ancestor = 'IfcDistributionElement')
    JOIN LATERAL (SELECT array_agg(c.ancestor) AS ancestors FROM ifc_class c WHERE c.name = e.ifc_class) a ON true
    WHERE e.building_id = %(building)s
      AND a.ancestors && ARRAY['IfcDistributionElement', 'IfcTransportElement', 'IfcDoor', 'IfcElectricalElement']
    ORDER BY e.id
"""
_GROUPS: Final = f"""
    SELECT g.id, g.global_id, g.ifc_class, g.predefined_type, g.name, g.long_name
    FROM element_group g JOIN model m ON m.id = g.model_id AND m.current_version = g.last_version
    WHERE g.building_id = %(building)s AND (g.ifc_class = 'IfcZone' OR g.ifc_class LIKE 'Ifc%%System'
                                            OR g.ifc_class LIKE 'Ifc%%Circuit')
    UNION ALL
    SELECT e.id, e.global_id, e.ifc_class, e.predefined_type, e.name, e.long_name FROM element e {_CURRENT}
    WHERE e.building_id = %(building)s AND e.ifc_class = 'IfcSpatialZone' ORDER BY id
"""
_MEMBERS: Final = f"""
    SELECT s.group_id, s.element_id FROM (
        SELECT group_id, element_id FROM element_group_member
        UNION ALL SELECT from_id, to_id FROM element_relation WHERE kind IN ('references', 'contains', 'aggregates')
    ) s JOIN ({_GROUPS}) g ON g.id = s.group_id
    JOIN element e ON e.id = s.element_id {_CURRENT}
    WHERE NOT EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcPort')
    ORDER BY s.group_id, s.element_id
"""
_POINTS: Final = """
    SELECT p.id, p.key, p.name, p.unit, p.quantity, p.brick_class, p.element_id FROM point p
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL ORDER BY p.handle
"""


# What Brick graphs added, with what only they know under its own name.
_STATEMENTS: Final = """
    SELECT s.predicate, one.uri AS one_uri, one.label AS one_label, one.brick_class AS one_class,
           coalesce(one.element_id, one.group_id, p1.id) AS one_id, other.uri AS other_uri, other.label AS other_label,
           other.brick_class AS other_class, coalesce(other.element_id, other.group_id, p2.id) AS other_id
    FROM brick_statement s JOIN brick_import i ON i.id = s.import_id
    JOIN brick_entity one ON one.id = s.subject LEFT JOIN point p1 ON p1.handle = one.point_id
    JOIN brick_entity other ON other.id = s.object LEFT JOIN point p2 ON p2.handle = other.point_id
    WHERE i.building_id = %(building)s ORDER BY s.subject, s.predicate, s.object
"""


def _statement(said: Mapping[str, Any]) -> Iterator[Triple]:
    ends = []
    for end in ("one", "other"):
        id, uri = said[f"{end}_id"], said[f"{end}_uri"]
        node = thing(id) if id is not None else BlankNode(uri[2:]) if uri.startswith("_:") else NamedNode(uri)
        if id is None:
            if said[f"{end}_class"]:
                yield Triple(node, _TYPE, _brick(said[f"{end}_class"]))
            yield from _named(node, said[f"{end}_label"])
        ends.append(node)
    yield Triple(ends[0], _brick(said["predicate"]), ends[1])


async def _rooms(conn: Conn, network: Network, found: Sequence[Mapping[str, Any]], *, derived: bool) -> list[Triple]:
    beside = {room["id"]: network.beside(room["id"]) for room in found}
    seen = await _seen(conn, {other for others in beside.values() for other in others})
    made: list[Triple] = []
    for room in found:
        node = thing(room["id"])
        made += [Triple(node, _TYPE, _brick("Room")), Triple(node, _TYPE, _bot("Space"))]
        made += [*_named(node, room["long_name"], room["name"]), *_reference(node, room["global_id"], room["name"])]
        if room["storey_id"] is not None:
            level = thing(room["storey_id"])
            made += [Triple(level, _bot("hasSpace"), node), Triple(node, _brick("isPartOf"), level)]
        if room["area"] is not None:
            area = BlankNode()
            made += [
                Triple(node, _brick("area"), area),
                Triple(area, _brick("value"), Literal(repr(float(room["area"])), datatype=_DOUBLE)),
                Triple(area, _brick("hasUnit"), NamedNode(f"{UNIT}M2")),
            ]
        made += [
            Triple(node, _bot("adjacentZone"), thing(other))
            for other, how in sorted(beside[room["id"]].items(), key=lambda each: each[0])
            if other in seen and (derived or not how.derived)
        ]
    return made


async def _elements(conn: Conn, network: Network, found: Sequence[Mapping[str, Any]], *, derived: bool) -> list[Triple]:
    flows, graph = network.flows, network.flows.graph.graph
    fed: dict[UUID, list[UUID]] = {}
    for element in found:
        number = flows.number(element["id"])
        if number is not None and number in graph:
            fed[element["id"]] = [
                flows.ids[other]
                for other, edge in sorted(graph[number].items())
                if edge["how"] != "brick" and (derived or not edge["derived"])
            ]
    seen = await _seen(conn, {other for others in fed.values() for other in others})
    made: list[Triple] = []
    for element in found:
        node = thing(element["id"])
        made += _element(node, element, derived=derived)
        made += [Triple(node, _brick("feeds"), thing(other)) for other in fed.get(element["id"], ()) if other in seen]
    return made


def _element(node: NamedNode, element: Mapping[str, Any], *, derived: bool) -> Iterator[Triple]:
    yield Triple(node, _TYPE, _bot("Element"))
    if element["equipment"]:
        name = equipment_class(
            element["ifc_class"], element["type_class"], element["predefined"], sorted(element["ancestors"])
        )
        yield Triple(node, _TYPE, _brick(name))
    yield from _named(node, element["name"])
    yield from _reference(node, element["global_id"], element["name"])
    if element["space_id"] is not None and (derived or not element["space_derived"]):
        room = thing(element["space_id"])
        yield Triple(room, _bot("containsElement"), node)
        if element["equipment"]:
            yield Triple(node, _brick("hasLocation"), room)
        if not {element["ifc_class"], str(element["type_class"] or "").removesuffix("Type")}.isdisjoint(ROOM_FEEDERS):
            yield Triple(node, _brick("feeds"), room)
    elif element["storey_id"] is not None:
        level = thing(element["storey_id"])
        yield Triple(level, _bot("containsElement"), node)
        if element["equipment"]:
            yield Triple(node, _brick("hasLocation"), level)
    if element["whole"] is not None:
        yield Triple(node, _brick("isPartOf"), thing(element["whole"]))


def _group(group: Mapping[str, Any]) -> Iterator[Triple]:
    node = thing(group["id"])
    yield Triple(node, _TYPE, _brick(system_class(group["ifc_class"], group["predefined_type"])))
    yield from _named(node, group["long_name"], group["name"])
    yield from _reference(node, group["global_id"], group["name"])


def _point(point: Mapping[str, Any]) -> Iterator[Triple]:
    node = thing(point["id"])
    yield Triple(node, _TYPE, _brick(point_class(point["brick_class"])))
    yield from _named(node, point["name"], point["key"])
    reference = BlankNode()
    yield Triple(node, _ref("hasExternalReference"), reference)
    yield Triple(reference, _TYPE, _ref("TimeseriesReference"))
    yield Triple(reference, _ref("hasTimeseriesId"), Literal(point["key"]))
    if point["unit"]:
        yield Triple(node, _brick("hasUnit"), NamedNode(UNIT + point["unit"]))
    if point["quantity"]:
        yield Triple(node, NamedNode(f"{QUDT}hasQuantityKind"), NamedNode(QUANTITY + point["quantity"]))
    if point["element_id"] is not None:
        yield Triple(node, _brick("isPointOf"), thing(point["element_id"]))


async def _seen(conn: Conn, ids: Iterable[UUID]) -> set[UUID]:
    """Those of some elements that the caller may see."""
    found = await rows(conn, "SELECT id FROM element WHERE id = ANY(%s)", (list(ids),))
    return {each["id"] for each in found}
