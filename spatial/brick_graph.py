"""What a Brick graph says, in the four relations that are kept: feeds, isPartOf, hasLocation, isPointOf.

Made from triples; knows nothing of the building. Inverses are turned round, older Brick, RealEstateCore and BOT names
mean the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from twin.brick import BOT, RDF, RDFS, REC, brick_classes

PREDICATES: Final = ("feeds", "isPartOf", "hasLocation", "isPointOf")
_RELATIONS: Final[Mapping[str, tuple[str, bool]]] = {
    # local name: what it means, and whether subject and object change places
    "feeds": ("feeds", False),
    "isFedBy": ("feeds", True),
    "isPartOf": ("isPartOf", False),
    "hasPart": ("isPartOf", True),
    "includes": ("isPartOf", True),
    "hasLocation": ("hasLocation", False),
    "locatedIn": ("hasLocation", False),
    "isLocationOf": ("hasLocation", True),
    "isPointOf": ("isPointOf", False),
    "hasPoint": ("isPointOf", True),
    "hasStorey": ("isPartOf", True),
    "hasSpace": ("isPartOf", True),
    "containsElement": ("hasLocation", True),
}
_FACTS: Final = ("type", "label", "hasExternalReference", "ifcGlobalID", "hasTimeseriesId", "timeseries")
WANTED: Final = (*_RELATIONS, *_FACTS)
"""Local names of the predicates that mean something here."""

_BRICK: Final = re.compile(r"https?://brickschema\.org/schema/(?:[\d.]+/)?(?:Brick|BrickFrame)(?:/ref)?#(.+)")
_PLACES: Final = frozenset({"Space", "Room", "Zone", "Level", "Building", "Site", "Storey", "Apartment", "Wing"})


class Triple(Protocol):
    """`ifc_models.turtle.Statement`."""

    @property
    def subject(self) -> str: ...
    @property
    def predicate(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def literal(self) -> bool: ...


@dataclass(slots=True)
class Entity:
    """Something that the graph speaks of."""

    uri: str
    label: str | None = None
    brick_class: str | None = None  # local name
    kind: str | None = None  # equipment | point | location | system | collection | other; None: no class that is known
    global_ids: list[str] = field(default_factory=list)
    series: list[str] = field(default_factory=list)  # timeseries ids


@dataclass(frozen=True, slots=True)
class Said:
    """One relation between two entities, by their names."""

    subject: str
    predicate: str
    object: str


@dataclass(slots=True)
class BrickGraph:
    """A graph in our terms."""

    entities: dict[str, Entity] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)  # each once, in the file's order
    itself: list[str] = field(default_factory=list)  # what is said to feed, or be part of, itself

    @property
    def unknown_classes(self) -> dict[str, int]:
        """Brick classes that no Brick from 1.3 to 1.5 has, and how many entities are said to be of each."""
        named = [each.brick_class for each in self.entities.values() if each.kind is None and each.brick_class]
        return dict(Counter(named))


def understand(triples: Iterable[Triple]) -> BrickGraph:
    """Return what the triples say."""
    reader = _Reader()
    for triple in triples:
        name = _known_name(triple.predicate)
        if name is not None and name in _RELATIONS:
            reader.relation(triple, *_RELATIONS[name])
        elif name is not None and name in _FACTS:
            reader.fact(name, triple)
    return reader.end()


class _Reader:
    """Collects what is said in whatever order: a class may come after the relations, a reference after its GlobalId."""

    def __init__(self) -> None:
        self.graph = BrickGraph()
        self._known: dict[str, Entity] = {}
        self._said: dict[Said, None] = {}
        self._references: list[tuple[str, str]] = []  # who, which node says more of it
        self._identities: dict[str, list[tuple[str, str]]] = {}  # node → what it says

    def relation(self, triple: Triple, meaning: str, inverse: bool) -> None:
        if triple.literal:
            return
        one, other = (triple.object, triple.subject) if inverse else (triple.subject, triple.object)
        if one == other:
            self.graph.itself.append(one)
        else:
            self._said[Said(one, meaning, other)] = None

    def fact(self, name: str, triple: Triple) -> None:
        if name in ("ifcGlobalID", "hasTimeseriesId"):
            self._identities.setdefault(triple.subject, []).append((name, triple.object))
        elif name in ("hasExternalReference", "timeseries"):
            self._references.append((triple.subject, triple.object))
        elif name == "type" and not triple.literal:
            _classify(self._entity(triple.subject), triple.object)
        elif name == "label" and triple.literal:
            entity = self._entity(triple.subject)
            entity.label = entity.label or triple.object

    def _entity(self, uri: str) -> Entity:
        return self._known.setdefault(uri, Entity(uri))

    def end(self) -> BrickGraph:
        """Return the graph; entities of which no relation speaks are left out."""
        holders: dict[str, list[str]] = {node: [node] for node in self._identities}
        for subject, node in self._references:
            if node in holders:
                holders[node].append(subject)
        for node, found in self._identities.items():
            for holder in holders[node]:
                _identify(self._entity(holder), found)
        self.graph.said = list(self._said)
        for each in self.graph.said:
            for uri in (each.subject, each.object):
                self.graph.entities.setdefault(uri, self._entity(uri))
        return self.graph


def _known_name(predicate: str) -> str | None:
    """The local name of a predicate of a vocabulary that is understood."""
    brick = _BRICK.fullmatch(predicate)
    if brick:
        return brick[1]
    for start in (RDF, RDFS, REC, BOT):
        if predicate.startswith(start):
            return predicate[len(start) :]
    return None


def _classify(entity: Entity, iri: str) -> None:
    """Take the first Brick class that is known; a place of RealEstateCore or BOT is one too."""
    brick = _BRICK.fullmatch(iri)
    name = brick[1] if brick else iri.removeprefix(REC).removeprefix(BOT)
    kind = brick_classes().get(name) if brick else ("location" if name in _PLACES else None)
    if entity.kind is None and (kind is not None or brick):
        entity.brick_class, entity.kind = name[:200], kind


def _identify(entity: Entity, facts: Iterable[tuple[str, str]]) -> None:
    for name, value in facts:
        (entity.global_ids if name == "ifcGlobalID" else entity.series).append(value)
