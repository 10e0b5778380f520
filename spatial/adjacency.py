"""Which rooms are beside which, through what, over what length; which doors, passages and stairs lead out of a room."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from spatial.joins import Neighbours
from spatial.ways import Way

Kind = Literal["wall", "open", "door"]


@dataclass(frozen=True, slots=True)
class DoorJoin:
    """The rooms a door or an empty opening joins: two, or one and the outside, or none that is known."""

    door: UUID
    rooms: tuple[UUID, ...]
    derived: bool  # from geometry, not from the file's space boundaries


@dataclass(frozen=True, slots=True)
class Beside:
    """How a room is beside another one. `kind`: the best way through what is between them."""

    kind: Kind
    shared_length: float | None  # m over which their outlines face each other; None: only the file says so
    derived: bool  # from geometry, not from the file's space boundaries


class Adjacency:
    """The neighbours, doors and shafts of every room of a building."""

    def __init__(
        self,
        pairs: Sequence[Neighbours],
        given: Mapping[UUID, Iterable[UUID]],
        doors: Sequence[DoorJoin],
        ways: Sequence[Way],
    ) -> None:
        """`given`: neighbours by the file's space boundaries. `ways`: open sides and landings of shafts among them."""
        through: dict[frozenset[UUID], Kind] = {frozenset(w.rooms): "open" for w in ways if w.kind == "open"}
        through |= {frozenset(join.rooms): "door" for join in doors}
        length = {frozenset((pair.first, pair.second)): pair.facing for pair in pairs}
        said = {frozenset((room, other)) for room, others in given.items() for other in others}
        self._beside: defaultdict[UUID, dict[UUID, Beside]] = defaultdict(dict)
        for key in sorted(said | length.keys() | {k for k in through if len(k) == 2}, key=sorted):
            one, other = sorted(key)
            how = Beside(through.get(key, "wall"), length.get(key), key not in said)
            self._beside[one][other] = self._beside[other][one] = how
        self._doors: defaultdict[UUID, list[DoorJoin]] = defaultdict(list)
        for join in doors:
            for room in join.rooms:
                self._doors[room].append(join)
        self._shafts: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._landings: defaultdict[UUID, list[Way]] = defaultdict(list)
        for way in ways:
            if way.shaft is not None and len(way.rooms) == 1:
                self._shafts[way.rooms[0]].add(way.shaft)
                self._landings[way.shaft].append(way)

    def beside(self, room: UUID) -> Mapping[UUID, Beside]:
        """Return the rooms beside a room."""
        return self._beside.get(room, {})

    def pairs(self) -> Iterable[tuple[UUID, UUID, Beside]]:
        """Return every two rooms that are beside each other, once."""
        return ((one, other, how) for one in self._beside for other, how in self._beside[one].items() if one < other)

    def doors_of(self, room: UUID) -> Sequence[DoorJoin]:
        """Return the doors and passages that open on a room."""
        return self._doors.get(room, [])

    def links_of(self, room: UUID) -> dict[UUID, tuple[str, list[UUID]]]:
        """Return the stairs, ramps and lifts that are entered from a room: kind, and the rooms they lead to."""
        found: dict[UUID, tuple[str, list[UUID]]] = {}
        for shaft in sorted(self._shafts.get(room, ())):
            landings = self._landings[shaft]
            others = [way.rooms[0] for way in sorted(landings, key=lambda way: way.position[2])]
            found[shaft] = (landings[0].kind, [other for other in dict.fromkeys(others) if other != room])
        return found
