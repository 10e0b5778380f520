"""The spatial network of 10 000 rooms, the placing of 30 000 elements, and nearest among them.

Nearest is asked of our arrays, of shapely's STRtree and of PostgreSQL, which reads the same boxes from a table. CPU
seconds of this process but for PostgreSQL, whose seconds are the client's.
"""

import statistics
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import shapely

from spatial.flow_rows import FlowRows
from spatial.joins import RoomPlan
from spatial.near import _COLUMNS, Boxes, Filter
from spatial.network import Rows, build
from spatial.placing import NEAR, Covers, RoomsHere, choose_rooms, find_hidden, judge
from tests.benchmarks import routes
from tests.benchmarks.figures import figure
from twin.embedded import EmbeddedPostgres

ELEMENTS = 30_000
QUERIES = 100


def main() -> None:
    plans, ways = routes.building()
    _network(plans, ways)
    boxes = _boxes(plans)
    _placing(plans, boxes)
    _nearest(boxes)


def _network(plans: list[RoomPlan], ways: list[Any]) -> None:
    """The whole network from rows, doors joined by geometry alone."""
    rooms = [
        {
            "id": plan.id,
            "model_id": UUID(int=1),
            "discipline": "arc",
            "bbox": [*plan.polygon.bounds[:2], plan.bottom, *plan.polygon.bounds[2:], plan.top],
            "footprint": shapely.to_geojson(plan.polygon),
        }
        for plan in plans
    ]
    doors = [
        {
            "id": way.element,
            "bbox": [way.position[0] - 0.4, way.position[1] - 0.1, way.position[2],
                     way.position[0] + 0.4, way.position[1] + 0.1, way.position[2] + 2.1],
            "placement": None,
        }
        for way in ways
        if way.kind == "door"
    ]  # fmt: skip
    started = time.process_time()
    made = build(Rows(rooms=rooms, doors=doors, passages=[], bounds=[], shafts=[], flows=FlowRows()))
    figure(f"spatial.network.{len(plans)}_rooms", time.process_time() - started, "CPU s")
    figure("spatial.network.adjacencies", sum(1 for _ in made.adjacency.pairs()), "pairs")
    figure("spatial.network.doors_joining_two", sum(len(join.rooms) == 2 for join in made.doors), "doors")


def _boxes(plans: list[RoomPlan]) -> np.ndarray[Any, np.dtype[np.float64]]:
    random = Random(5)
    made = np.empty((ELEMENTS, 6))
    for at in range(ELEMENTS):
        plan = random.choice(plans)
        x0, y0, x1, y1 = plan.polygon.bounds
        low = (random.uniform(x0, x1), random.uniform(y0, y1), random.uniform(plan.bottom - 0.3, plan.top + 0.5))
        made[at] = [*low, *(value + random.uniform(0.05, 1) for value in low)]
    return made


def _placing(plans: list[RoomPlan], boxes: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    started = time.process_time()
    rooms = RoomsHere.of(plans, [np.nan] * len(plans))
    chosen, count = choose_rooms(boxes, np.full(len(boxes), np.nan), np.full(len(boxes), NEAR), rooms)
    judge(boxes, chosen, count, rooms)
    none = np.zeros((0, 6))
    find_hidden(boxes, chosen, np.zeros(len(boxes), dtype=bool), rooms, Covers(none, none, none))
    figure(f"spatial.placing.{ELEMENTS}_elements_{len(plans)}_rooms", time.process_time() - started, "CPU s")
    figure("spatial.placing.placed", float(np.mean(chosen >= 0)), "of elements")


def _nearest(boxes: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    table = np.zeros(ELEMENTS, dtype=np.dtype(list(_COLUMNS.items())))
    table["id"] = [UUID(int=at).bytes for at in range(ELEMENTS)]
    for column, name in enumerate(("x0", "y0", "z0", "x1", "y1", "z1")):
        table[name] = boxes[:, column]
    ours = Boxes(table, ["IfcPump"], {"IfcPump": frozenset({"IfcPump"})})
    tree = shapely.STRtree(shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 3], boxes[:, 4]))
    chosen = Random(6).sample(range(ELEMENTS), QUERIES)
    arrays, trees = [], []
    for at in chosen:
        started = time.process_time()
        found, _ = ours.nearest(boxes[at], Filter("IfcPump"))
        arrays.append(time.process_time() - started)
        assert found[0] == at or (boxes[found[0]] == boxes[at]).any() or len(found) == ELEMENTS
        started = time.process_time()
        tree.query_nearest(shapely.box(*boxes[at, :2], *boxes[at, 3:5]), all_matches=False)
        trees.append(time.process_time() - started)
    figure("spatial.nearest.ordered_all", statistics.median(arrays), "CPU s")
    figure("spatial.nearest.strtree_one_in_plan", statistics.median(trees), "CPU s")
    theirs = _postgres(boxes, chosen[:20])
    figure(
        "spatial.nearest",
        statistics.median(arrays),
        "s",
        baseline="PostgreSQL, boxes of one building from a table, 10 nearest",
        baseline_value=statistics.median(theirs),
    )


def _postgres(boxes: np.ndarray[Any, np.dtype[np.float64]], chosen: list[int]) -> list[float]:
    """Seconds of asking PostgreSQL for the ten nearest to each."""
    folder = Path(tempfile.mkdtemp(prefix="twin-test-", dir="/tmp"))
    folder.chmod(0o711)
    with (
        EmbeddedPostgres(folder / "data", durable=False) as server,
        psycopg.connect(server.url, autocommit=True) as conn,
    ):
        conn.execute("CREATE TABLE box (id int PRIMARY KEY, bbox float8[6])")
        with conn.cursor() as cursor, cursor.copy("COPY box FROM STDIN") as copy:
            for at, box in enumerate(boxes.tolist()):
                copy.write_row((at, box))
        conn.execute("ANALYZE box")
        seconds = []
        for at in chosen:
            started = time.perf_counter()
            conn.execute(
                """SELECT id FROM box, (SELECT %s::float8[] AS b) o ORDER BY
                   power(greatest(bbox[1] - b[4], b[1] - bbox[4], 0), 2)
                   + power(greatest(bbox[2] - b[5], b[2] - bbox[5], 0), 2)
                   + power(greatest(bbox[3] - b[6], b[3] - bbox[6], 0), 2) LIMIT 10""",
                (boxes[at].tolist(),),
            ).fetchall()
            seconds.append(time.perf_counter() - started)
    return seconds


if __name__ == "__main__":
    main()
