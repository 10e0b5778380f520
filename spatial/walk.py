"""Walking through a building: rooms joined by doors, openings, stairs and lifts; the quickest way between two places.

Nodes are the ways through (a door, an open side, a landing of a stair); two of them are joined where they open on the
same room, by the walking time between them on its real floor, or where they are landings of one shaft. Most rooms are
dead ends: they are pruned from a search that neither starts nor ends in them, which leaves corridors and stairs.
Lengths in metres in the building frame, times in seconds.
"""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import dist, inf
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from spatial.floor import Floor
from spatial.joins import RoomPlan
from spatial.ways import (
    ANY,
    FASTEST,
    LIFT_WAIT,
    SPEED,
    WALK,
    WITHOUT_LIFTS,
    Options,
    Place,
    Position,
    Route,
    Step,
    Way,
    half,
    route_of,
    through,
)


@dataclass(slots=True)
class _Room:
    plan: RoomPlan
    ways: list[int] = field(default_factory=list)
    floor: Floor | None = None
    times: NDArray[np.float64] | None = None

    def solid(self, ways: Sequence[Way]) -> Floor:
        """The floor with an anchor for each way, in the order of `ways`; made when first needed."""
        if self.floor is None:
            self.floor = Floor(self.plan.polygon, [ways[way].position[:2] for way in self.ways])
        return self.floor

    def seconds(self, ways: Sequence[Way]) -> NDArray[np.float64]:
        """(k, k) s between the middles of its ways; half of each door belongs to each side."""
        if self.times is None:
            into = np.array([self.step_in(ways, i) for i in range(len(self.ways))])
            doors = np.array([half(ways[number]) for number in self.ways])
            walked = self.solid(ways).between() + into[:, None] + into
            self.times = walked / WALK + doors[:, None] + doors
        return self.times

    def step_in(self, ways: Sequence[Way], number: int) -> float:
        """Metres from the middle of the room's way `number` onto its floor."""
        return dist(ways[self.ways[number]].position, (*self.solid(ways).anchors[number], self.plan.bottom))

    def walk(self, line: Sequence[Position | tuple[float, float]]) -> Step:
        """The walk along points, those without a height on the floor."""
        points: list[Position] = []
        for point in line:
            place = point if len(point) == 3 else (*point, self.plan.bottom)
            if not points or dist(place, points[-1]) > 1e-6:
                points.append(place)
        length = sum(dist(a, b) for a, b in zip(points, points[1:], strict=False))
        return Step("walk", None, self.plan.id, points, length, length / WALK)


@dataclass(frozen=True, slots=True)
class _Tree:
    """From one landing to the others of its level."""

    reached: list[tuple[int, float]]
    before: dict[int, int]

    def path(self, end: int) -> list[int]:
        """The ways passed after the landing, up to `end`."""
        path = [end]
        while self.before[path[-1]] != path[-1]:
            path.append(self.before[path[-1]])
        return path[-2::-1]


class WalkGraph:
    """All ways through a building. Immutable but for floors, which are worked out when first needed."""

    def __init__(self, plans: Iterable[RoomPlan], ways: Sequence[Way]) -> None:
        self.ways = list(ways)
        self._rooms = {plan.id: _Room(plan) for plan in plans}
        self._edges: list[list[tuple[int, float]]] = [[] for _ in self.ways]  # across rooms
        self._climbs: list[list[tuple[int, float]]] = [[] for _ in self.ways]  # up and down shafts
        shafts: dict[UUID, list[int]] = {}
        for number, way in enumerate(self.ways):
            for room in way.rooms:
                self._rooms[room].ways.append(number)
            if way.shaft is not None:
                shafts.setdefault(way.shaft, []).append(number)
        self._exit_of = self._peel(shafts)
        self._dead = bytearray(way.leads_outside for way in self.ways)
        for number in self._exit_of.values():
            # A storey that nobody passes on the level is passed on its stairs all the same.
            self._dead[number] = self.ways[number].shaft is None
        for landings in shafts.values():
            self._join_shaft(landings)
        for each in self._rooms.values():
            self._join(each, [i for i, number in enumerate(each.ways) if not self._dead[number]], self._edges)
        self._level = self._connected(climbing=False)
        self._across: dict[int, dict[int, _Tree]] = {}
        self.islands = self._connected(climbing=True)

    def has_room(self, room: UUID) -> bool:
        """Say whether a room has a floor one can walk on."""
        return room in self._rooms

    def edges(self) -> Iterable[tuple[int, int, float]]:
        """Yield every edge, those of dead ends too: way, way, seconds."""
        whole: list[list[tuple[int, float]]] = [[] for _ in self.ways]
        for room in self._rooms.values():
            self._join(room, list(range(len(room.ways))), whole)
        for one, found in enumerate(whole):
            yield from ((one, other, seconds) for other, seconds in chain(found, self._climbs[one]))

    def _join(self, room: _Room, chosen: Sequence[int], edges: list[list[tuple[int, float]]]) -> None:
        """Join the chosen ways of a room with each other."""
        if len(chosen) < 2:
            return
        seconds = room.seconds(self.ways)[np.ix_(chosen, chosen)].tolist()
        numbers = [room.ways[i] for i in chosen]
        for number, row in zip(numbers, seconds, strict=True):
            edges[number] += [(o, cost) for o, cost in zip(numbers, row, strict=True) if o != number and cost < inf]

    def _join_shaft(self, landings: list[int]) -> None:
        landings.sort(key=lambda number: self.ways[number].position[2])
        kind = self.ways[landings[0]].kind
        for i, one in enumerate(landings):
            # A lift goes anywhere at once; a stair is climbed from landing to landing.
            for other in landings[i + 1 :] if kind == "lift" else landings[i + 1 : i + 2]:
                climbed = sum(dist(a, b) for a, b in pairwise(self._line_up(one, other)))
                seconds = climbed / SPEED[kind] + (LIFT_WAIT if kind == "lift" else 0.0)
                self._climbs[one].append((other, seconds))
                self._climbs[other].append((one, seconds))

    def _line_up(self, low: int, high: int) -> list[Position]:
        """Return the line from a landing of a shaft up to another: over the treads of a stair to the next one."""
        return [self.ways[low].position, *self.ways[low].up, self.ways[high].position]

    def _peel(self, shafts: dict[UUID, list[int]]) -> dict[UUID, int]:
        """Return for every dead end (a room or shaft with one way on) that way, outermost ones first."""
        members: dict[UUID, list[int]] = {id: list(room.ways) for id, room in self._rooms.items()} | shafts
        inside: list[list[UUID]] = [[*way.rooms, *([way.shaft] if way.shaft else [])] for way in self.ways]
        alive = {id: {number for number in ways if len(inside[number]) > 1} for id, ways in members.items()}
        exits: dict[UUID, int] = {}
        waiting = deque(id for id, ways in alive.items() if len(ways) == 1)
        while waiting:
            id = waiting.popleft()
            if len(alive[id]) != 1 or id in exits:
                continue
            number = next(iter(alive[id]))
            exits[id] = number
            for other in inside[number]:
                alive[other].discard(number)
                if len(alive[other]) == 1:
                    waiting.append(other)
        return exits

    def _chain(self, room: UUID) -> set[int]:
        """Return the ways that lead from a dead end out to the rest of the building."""
        found: set[int] = set()
        id: UUID | None = room
        while id is not None and id in self._exit_of:
            number = self._exit_of[id]
            if number in found:
                break
            found.add(number)
            way = self.ways[number]
            id = next((other for other in (*way.rooms, way.shaft) if other is not None and other != id), None)
        return found

    def _connected(self, *, climbing: bool) -> dict[UUID, int]:
        """Return for every room the number of its island: rooms one can walk between, `climbing` or on the level."""
        number: dict[UUID, int] = {}
        passed: set[int] = set()
        for count, start in enumerate(self._rooms):
            if start in number:
                continue
            number[start], waiting = count, [start]
            while waiting:
                ways = [way for way in self._rooms[waiting.pop()].ways if way not in passed]
                while ways:
                    way = ways.pop()
                    passed.add(way)
                    if climbing:
                        ways += [other for other, _ in self._climbs[way] if other not in passed]
                    fresh = [room for room in self.ways[way].rooms if room not in number]
                    number.update(dict.fromkeys(fresh, count))
                    waiting += fresh
        return number

    def _landings_across(self, level: int) -> "dict[int, _Tree]":
        """Return for every landing of a level the quickest ways to its other landings, walking on that level."""
        if level not in self._across:
            landings = [n for n, way in enumerate(self.ways) if way.shaft and self._level[way.rooms[0]] == level]
            self._across[level] = {n: self._tree(n, set(landings) - {n}) for n in landings}
        return self._across[level]

    def _tree(self, start: int, wanted: set[int]) -> "_Tree":
        """Dijkstra on one level from a landing until all `wanted` are reached."""
        ends = wanted.union(*(self._chain(self.ways[number].rooms[0]) for number in wanted), {start})
        more = self._edges_of(ends)
        best, before, heap, left = {start: 0.0}, {start: start}, [(0.0, start)], set(wanted)
        while heap and left:
            seconds, number = heapq.heappop(heap)
            if seconds > best[number]:
                continue
            left.discard(number)
            for other, cost in chain(self._edges[number], more.get(number, ())):
                if seconds + cost < best.get(other, inf) and (not self._dead[other] or other in ends):
                    best[other], before[other] = seconds + cost, number
                    heapq.heappush(heap, (seconds + cost, other))
        return _Tree([(number, best[number]) for number in wanted - left], before)

    def route(self, start: Place, end: Place, options: Options = ANY) -> Route | None:
        """Return the quickest way between two places, None where there is none that the options allow."""
        direct = self._direct(start, end)
        into = self._approach(end)
        goals = {number: seconds for number, seconds in into if self._passable(number, options)}
        limit = direct.seconds if direct is not None else inf
        target = (*end.position[:2], self._rooms[end.room].plan.bottom)
        path = self._search(start, goals, options, limit, lambda number: dist(self.ways[number].position, target))
        return self._assemble(start, path, end) if path is not None else direct

    def evacuate(self, start: Place, options: Options = WITHOUT_LIFTS) -> Route | None:
        """Return the quickest way out of the building; lifts are not used (GB 50016)."""
        goals = {n: half(way) for n, way in enumerate(self.ways) if way.leads_outside and self._passable(n, options)}
        path = self._search(start, goals, options, inf, lambda _: 0.0)
        return self._assemble(start, path, None) if path is not None else None

    def _passable(self, number: int, options: Options) -> bool:
        return options.allows(self.ways[number])

    def _approach(self, place: Place) -> list[tuple[int, float]]:
        """Return the ways out of the place's room with the seconds to the middle of each."""
        room = self._rooms[place.room]
        if not room.ways:
            return []
        walked = room.solid(self.ways).distances_from(place.position[0], place.position[1])
        found = []
        for i, number in enumerate(room.ways):
            if walked[i] < inf:
                way = self.ways[number]
                found.append((number, (float(walked[i]) + room.step_in(self.ways, i)) / WALK + half(way)))
        return found

    def _search(
        self,
        start: Place,
        goals: dict[int, float],
        options: Options,
        limit: float,
        remaining: Callable[[int], float],
    ) -> list[int] | None:
        """A* over the ways through, dead ends left out that neither end is in; None: nothing under `limit` seconds."""
        if not goals:
            return None
        ends = self._chain(start.room) | set(goals)
        for room in {room for number in goals for room in self.ways[number].rooms}:
            ends |= self._chain(room)
        more = self._edges_of(ends)
        # A level that is only passed through is crossed from landing to landing, unless one of its doors is closed.
        full = None if options.closed else {self._level[start.room], *(self._level_of(number) for number in goals)}
        best = {number: seconds for number, seconds in self._approach(start) if self._passable(number, options)}
        before: dict[int, int] = {}
        heap = [(seconds + remaining(number) / FASTEST, seconds, number) for number, seconds in best.items()]
        heapq.heapify(heap)
        reached, total = -1, limit
        while heap and heap[0][0] < total:
            _, seconds, number = heapq.heappop(heap)
            if seconds > best[number]:
                continue
            if number in goals and seconds + goals[number] < total:
                reached, total = number, seconds + goals[number]
            for other, cost in self._onward(number, more, full):
                new = seconds + cost
                if new < best.get(other, inf) and self._open(other, ends, options):
                    best[other], before[other] = new, number
                    heapq.heappush(heap, (new + remaining(other) / FASTEST, new, other))
        return self._unfold(before, reached, full) if reached >= 0 else None

    def _open(self, number: int, ends: Collection[int], options: Options) -> bool:
        """Say whether a search goes on through a way: it is no dead end but one of its own, and nothing forbids it."""
        return (not self._dead[number] or number in ends) and options.allows(self.ways[number])

    def _level_of(self, number: int) -> int:
        return self._level[self.ways[number].rooms[0]]

    def _onward(
        self, number: int, more: dict[int, list[tuple[int, float]]], full: set[int] | None
    ) -> Iterable[tuple[int, float]]:
        """Yield where one gets from a way; `full`: the levels whose every way counts, None: all."""
        if full is None or self._level_of(number) in full:
            return chain(self._edges[number], self._climbs[number], more.get(number, ()))
        return chain(self._climbs[number], self._landings_across(self._level_of(number))[number].reached)

    def _unfold(self, before: dict[int, int], end: int, full: set[int] | None) -> list[int]:
        """Return all ways passed, those between the landings of a level crossed too."""
        path = [end]
        while path[-1] in before:
            number, last = path[-1], before[path[-1]]
            crossed = (
                full is not None
                and self._level_of(number) not in full
                and self._level_of(last) == self._level_of(number)
            )
            if crossed:
                path += self._landings_across(self._level_of(number))[last].path(number)[-2::-1]
            path.append(last)
        return path[::-1]

    def _edges_of(self, ends: Collection[int]) -> dict[int, list[tuple[int, float]]]:
        """Return the edges of dead ends, left out of the graph, that a search needs after all; both ways."""
        found: dict[int, list[tuple[int, float]]] = {}
        for number in ends:
            if not self._dead[number]:
                continue
            for room in (self._rooms[id] for id in self.ways[number].rooms):
                row = room.seconds(self.ways)[room.ways.index(number)].tolist() if len(room.ways) > 1 else [inf]
                for other, cost in zip(room.ways, row, strict=True):
                    if other != number and cost < inf and (other in ends or not self._dead[other]):
                        found.setdefault(number, []).append((other, cost))
                        found.setdefault(other, []).append((number, cost))
        return found

    def _direct(self, start: Place, end: Place) -> Route | None:
        """Return the way across the room that both are in."""
        if start.room != end.room:
            return None
        room = self._rooms[start.room]
        line = room.solid(self.ways).way_across(start.position[:2], end.position[:2])
        if line is None:
            return None
        return route_of([room.walk([start.position[:2], *line, end.position[:2]])])

    def _assemble(self, start: Place, path: list[int], end: Place | None) -> Route:
        room = self._rooms[start.room]
        first = room.ways.index(path[0])
        floor = room.solid(self.ways)
        line = floor.way_from(start.position[0], start.position[1], first)
        steps = [room.walk([start.position[:2], *line, self.ways[path[0]].position])]
        for one, other in zip(path, path[1:], strict=False):
            steps += self._between(one, other)
        last = self.ways[path[-1]]
        if last.shaft is None:
            steps.append(through(last))
        if end is not None:
            room = self._rooms[end.room]
            floor = room.solid(self.ways)
            line = floor.way_from(end.position[0], end.position[1], room.ways.index(path[-1]))[::-1]
            steps.append(room.walk([last.position, *line, end.position[:2]]))
        return route_of([step for step in steps if step.length > 0 or step.kind != "walk"])

    def _between(self, one: int, other: int) -> list[Step]:
        here, there = self.ways[one], self.ways[other]
        passed = [] if here.shaft is not None else [through(here)]
        if here.shaft is not None and here.shaft == there.shaft:
            seconds = next((cost for number, cost in self._climbs[one] if number == other), None)
            if seconds is not None:
                rises = here.position[2] <= there.position[2]
                points = self._line_up(one, other) if rises else self._line_up(other, one)[::-1]
                length = sum(dist(a, b) for a, b in pairwise(points))
                risers = here.risers if rises else there.risers
                return [Step(here.kind, here.element, None, points, length, seconds, risers)]
        shared = [self._rooms[room] for room in here.rooms if room in there.rooms]
        room = min(
            shared, key=lambda room: room.solid(self.ways).between()[room.ways.index(one), room.ways.index(other)]
        )
        line = room.solid(self.ways).way(room.ways.index(one), room.ways.index(other))
        return [*passed, room.walk([here.position, *line, there.position])]
