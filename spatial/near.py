"""What is near a place, within a radius, inside a polygon or on a floor: of all elements of a building at once.

Boxes of a building's elements as arrays, once per state of its models, shared by all callers: the distances to all
of 30 000 boxes, in order and through any filter, are a few milliseconds of arithmetic. Who may see which of them is
said by the caller's own connection, which reads the rows of the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg.sql import SQL, Literal

from spatial.bulk import FLOAT, INT, NO_ID, UUID_, read_table
from twin.db import Conn, rows
from twin.errors import Invalid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AT_ONCE: Final = 500  # rows asked for first; twice as many each time that what the caller sees is too little
MAX_CORNERS: Final = 1000
_LEFT_OUT: Final = [
    "IfcFeatureElement", "IfcPort", "IfcGrid", "IfcAnnotation", "IfcSpatialStructureElement", "IfcSpatialElement",
    "IfcVirtualElement",
]  # fmt: skip
_COLUMNS: Final = {
    "id": UUID_, "class": INT, "storey": UUID_,
    "x0": FLOAT, "y0": FLOAT, "z0": FLOAT, "x1": FLOAT, "y1": FLOAT, "z1": FLOAT,
}  # fmt: skip
_READ: Final = SQL("""
    SELECT e.id, k.number, coalesce(e.storey_id, {none}),
           e.bbox[1], e.bbox[2], e.bbox[3], e.bbox[4], e.bbox[5], e.bbox[6]
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    JOIN unnest({classes}::text[], {numbers}::int4[]) AS k(name, number) ON k.name = e.ifc_class
    WHERE e.building_id = {building} AND e.bbox IS NOT NULL ORDER BY e.id
""")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which elements are meant. `classes`: with their subclasses; None: all that stand somewhere, rooms left out."""

    classes: str | None = None
    storey: UUID | None = None


@dataclass(frozen=True, slots=True)
class NearElement:
    """An element of the answer. `distance`: straight from box to box, m, 0 where they meet; None: not asked for."""

    id: UUID
    global_id: str
    ifc_class: str
    name: str | None
    storey_id: UUID | None
    space_id: UUID | None
    position: list[float]  # middle of its box, m
    distance: float | None


class Boxes:
    """The elements of a building that have a box."""

    def __init__(self, table: NDArray[Any], class_names: Sequence[str], ancestors: dict[str, frozenset[str]]) -> None:
        self._ids, self._class, self._storey = table["id"], table["class"].astype(np.int64), table["storey"]
        self.boxes = np.column_stack([table[name] for name in list(_COLUMNS)[3:]]).astype(np.float64).reshape(-1, 6)
        self.middles = (self.boxes[:, :3] + self.boxes[:, 3:]) / 2
        self._names, self._ancestors = list(class_names), ancestors

    def ids(self, chosen: Ints) -> list[UUID]:
        """Return the ids of rows."""
        return [UUID(bytes=id) for id in self._ids[chosen].tolist()]

    def row_of(self, id: UUID) -> int | None:
        """Return the row of an element, None where it has none."""
        found = np.flatnonzero(self._ids == np.void(id.bytes))
        return int(found[0]) if len(found) else None

    def meant(self, wanted: Filter) -> Ints:
        """Return the rows that a filter lets through."""
        if wanted.classes is None:
            classes = [n for n, name in enumerate(self._names) if "IfcSpace" not in self._ancestors[name]]
        else:
            classes = [n for n, name in enumerate(self._names) if wanted.classes in self._ancestors[name]]
        passed = np.isin(self._class, classes)
        if wanted.storey is not None:
            passed &= self._storey == np.void(wanted.storey.bytes)
        return np.flatnonzero(passed)

    def nearest(self, box: Floats, wanted: Filter, radius: float | None = None) -> tuple[Ints, Floats]:
        """Return rows and their distances from a box (6,) or a point as one, nearest first."""
        rows_ = self.meant(wanted)
        away = box_distances(self.boxes[rows_], box)
        if radius is not None:
            rows_, away = rows_[away <= radius], away[away <= radius]
        middle = (box[:3] + box[3:]) / 2
        order = np.lexsort((rows_, np.linalg.norm(self.middles[rows_] - middle, axis=1), away))
        return rows_[order], away[order]

    def inside(self, polygon: shapely.Polygon, wanted: Filter) -> Ints:
        """Return the rows whose middle lies in a polygon seen from above, its outline included."""
        rows_ = self.meant(wanted)
        shapely.prepare(polygon)
        in_it = np.asarray(shapely.intersects_xy(polygon, self.middles[rows_, 0], self.middles[rows_, 1]), dtype=bool)
        return np.asarray(rows_[in_it])


def box_distances(boxes: Floats, box: Floats) -> Floats:
    """Return the straight distance (m) of boxes (n, 6) from a box (6,), 0 where they meet."""
    apart = np.maximum(np.maximum(boxes[:, :3] - box[3:], box[:3] - boxes[:, 3:]), 0.0)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", apart, apart)))


async def read_boxes(conn: Conn, building: UUID) -> Boxes:
    """Read the boxes of a building's shown elements."""
    found = await rows(
        conn,
        """SELECT name, array_agg(ancestor) AS ancestors FROM ifc_class GROUP BY name
           HAVING name = 'IfcSpace' OR NOT bool_or(ancestor = ANY(%s)) ORDER BY name""",
        (_LEFT_OUT,),
    )
    names = [each["name"] for each in found]
    query = _READ.format(
        none=Literal(UUID(bytes=NO_ID)),
        classes=Literal(names),
        numbers=Literal(list(range(len(names)))),
        building=Literal(building),
    )
    ancestors = {each["name"]: frozenset(each["ancestors"]) for each in found}
    return Boxes(await read_table(conn, query, _COLUMNS), names, ancestors)


_ROWS: Final = """
    SELECT id, global_id, ifc_class, coalesce(name, long_name) AS name, storey_id, space_id,
           ARRAY[(bbox[1] + bbox[4]) / 2, (bbox[2] + bbox[5]) / 2, (bbox[3] + bbox[6]) / 2] AS position
    FROM element WHERE id = ANY(%s) AND bbox IS NOT NULL
"""


async def described(
    conn: Conn, boxes: Boxes, found: Ints, distances: Floats | None, *, limit: int, skip: int = 0
) -> tuple[list[NearElement], bool]:
    """Return `limit` of the rows after the first `skip`, as far as the caller sees them, and whether there are more."""
    answer: list[NearElement] = []
    size, start = max(AT_ONCE, limit + skip + 1), 0
    while start < len(found) and len(answer) <= skip + limit:
        some = boxes.ids(found[start : start + size])
        known = {each["id"]: each for each in await rows(conn, _ROWS, (some,))}
        answer += [
            NearElement(**known[id], distance=None if distances is None else float(distances[at]))
            for at, id in enumerate(some, start)
            if id in known
        ]
        start, size = start + size, 2 * size
    return answer[skip : skip + limit], len(answer) > skip + limit


def polygon_of(text: str) -> shapely.Polygon:
    """Return the polygon of "x,y x,y x,y …" in metres of the building frame. Raises Invalid for what is none."""
    try:
        corners = [tuple(float(each) for each in pair.split(",")) for pair in text.split()]
    except ValueError:
        raise Invalid("within.polygon", where="polygon") from None
    if not 3 <= len(corners) <= MAX_CORNERS or any(len(c) != 2 or not np.isfinite(c).all() for c in corners):
        raise Invalid("within.polygon", where="polygon")
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid or polygon.area == 0:
        raise Invalid("within.polygon_crossed", where="polygon", reason=shapely.is_valid_reason(polygon))
    return polygon


def point_of(text: str) -> Floats:
    """Return the box of a point "x,y,z" in metres of the building frame. Raises Invalid."""
    try:
        values = [float(each) for each in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3 or not np.isfinite(values).all():
        raise Invalid("near.at", where="at")
    return np.array([*values, *values])
