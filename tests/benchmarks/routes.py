"""Routes (P11): any two of 10 000 rooms, against networkx's Dijkstra on the full graph of the same building.

A tower of 40 storeys: on each a corridor with rooms on both sides, an open plan of rooms that lead into each other,
two stairs and two lifts.
"""

import time
from random import Random
from uuid import UUID

import networkx
import numpy as np
import shapely

from spatial.joins import RoomPlan
from spatial.walk import WalkGraph
from spatial.ways import Place, Way
from tests.benchmarks.figures import figure

STOREYS = 40
SIDE = 100  # rooms on each side of the corridor
OPEN = 5  # rows of rooms that lead into each other
QUERIES = 400
HEIGHT = 3.5


class Builder:
    """Collects the rooms and ways of a building."""

    def __init__(self) -> None:
        self.plans: list[RoomPlan] = []
        self.ways: list[Way] = []

    def room(self, x0: float, y0: float, x1: float, y1: float, z: float) -> UUID:
        self.plans.append(RoomPlan(UUID(int=len(self.plans) + 1), shapely.box(x0, y0, x1, y1), z, z + 3))
        return self.plans[-1].id

    def door(self, x: float, y: float, z: float, *rooms: UUID) -> None:
        self.ways.append(Way("door", UUID(int=1_000_000 + len(self.ways)), (x, y, z), rooms))

    def storey(self, z: float) -> None:
        """Rooms of 4 x 5 m along a corridor, 400 m long, a block of 10 x 5 rooms at its end, stairs and lifts."""
        corridor = self.room(0, 0, 4.0 * SIDE, 2, z)
        for k in range(SIDE):
            for y0, y1, sill in ((2.2, 7, 2.1), (-5, -0.2, -0.1)):
                self.door(4.0 * k + 2, sill, z, corridor, self.room(4.0 * k + 0.1, y0, 4.0 * k + 3.9, y1, z))
        self.block(corridor, z)
        for number, (kind, x) in enumerate((("stair", 40), ("stair", 360), ("lift", 150), ("lift", 250))):
            shaft = UUID(int=5_000_000 + number)
            self.ways.append(Way(kind, shaft, (x, 1, z), (corridor,), shaft))

    def block(self, corridor: UUID, z: float) -> None:
        block = [[self.room(400.2 + 4 * i, 4 * j, 404 + 4 * i, 3.8 + 4 * j, z) for j in range(OPEN)] for i in range(10)]
        self.door(400.1, 1, z, corridor, block[0][0])
        for i in range(10):
            for j in range(OPEN):
                if i:
                    self.door(400.1 + 4 * i, 4 * j + 2, z, block[i - 1][j], block[i][j])
                if j:
                    self.door(402 + 4 * i, 4 * j - 0.1, z, block[i][j - 1], block[i][j])


def building() -> tuple[list[RoomPlan], list[Way]]:
    """All storeys."""
    made = Builder()
    for storey in range(STOREYS):
        made.storey(storey * HEIGHT)
    return made.plans, made.ways


def main() -> None:
    plans, ways = building()
    started = time.perf_counter()
    graph = WalkGraph(plans, ways)
    figure(f"routes.build.{len(plans)}_rooms", time.perf_counter() - started, "s")
    random = Random(11)
    pairs = [(random.choice(plans), random.choice(plans)) for _ in range(QUERIES)]
    places = [tuple(Place(plan.id, (*plan.polygon.centroid.coords[0], plan.bottom)) for plan in pair) for pair in pairs]
    ours = []
    for start, end in places:
        before = time.perf_counter()
        route = graph.route(start, end)
        ours.append(time.perf_counter() - before)
        assert route is not None
    whole = networkx.Graph()
    whole.add_weighted_edges_from(graph.edges())
    theirs = []
    for start, end in places[:20]:
        one, other = graph._approach(start)[0][0], graph._approach(end)[0][0]
        before = time.perf_counter()
        networkx.dijkstra_path(whole, one, other)
        theirs.append(time.perf_counter() - before)
    figure(
        "routes.p95",
        float(np.percentile(ours, 95)),
        "s",
        baseline="networkx Dijkstra, full graph, p95",
        baseline_value=float(np.percentile(theirs, 95)),
    )
    figure("routes.median", float(np.median(ours)), "s")


if __name__ == "__main__":
    main()
