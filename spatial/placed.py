"""Where every element of a building is, worked out from all of its models together and written down (6.4.2b).

The file's word stands. What it leaves open, an import has derived from its own rooms (`spatial.placement`); here come
the rooms of the building's other models (the architect's rooms for the engineer's ducts), how sure all of that is, and
what is hidden. Runs in the transaction of each import; `element_place` holds what differs from "as the file says".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL, Composed, Literal

from spatial.bulk import BOOL, FLOAT, INT, NO_ID, UUID_, read_table
from spatial.joins import RoomPlan
from spatial.placing import (
    HIDDEN,
    IN_ROOMS,
    LOOSE,
    NEAR,
    REASONS,
    SHOWN_FACE,
    Covers,
    RoomsHere,
    choose_rooms,
    find_hidden,
    judge,
)
from spatial.room_plans import plans_of, read_rooms, without_doubles
from spatial.statements import stated_area, stated_height, stated_use
from twin.db import Conn, rows

IN_ROOM: Final = 1  # bits of the column `kind`
SHOWS: Final = 2
LOOSE_THING: Final = 4
_ELEMENTS: Final = {
    "id": UUID_, "kind": INT, "space": UUID_, "own_space": BOOL, "storey": UUID_, "elevation": FLOAT,
    "own_storey": BOOL, "space_derived": BOOL, "storey_derived": BOOL,
    "x0": FLOAT, "y0": FLOAT, "z0": FLOAT, "x1": FLOAT, "y1": FLOAT, "z1": FLOAT,
}  # fmt: skip
_READ: Final = SQL("""
    SELECT e.id, k.kind, coalesce(e.space_id, {none}), p.filled_space IS DISTINCT FROM e.space_id,
           coalesce(e.storey_id, {none}), coalesce(t.elevation, 'NaN'::float8),
           p.filled_storey IS DISTINCT FROM e.storey_id OR NOT e.storey_derived, e.space_derived, e.storey_derived,
           coalesce(e.bbox[1], 'NaN'::float8), coalesce(e.bbox[2], 'NaN'::float8), coalesce(e.bbox[3], 'NaN'::float8),
           coalesce(e.bbox[4], 'NaN'::float8), coalesce(e.bbox[5], 'NaN'::float8), coalesce(e.bbox[6], 'NaN'::float8)
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    JOIN unnest({classes}::text[], {kinds}::int4[]) AS k(name, kind) ON k.name = e.ifc_class
    LEFT JOIN element_place p ON p.element_id = e.id LEFT JOIN storey t ON t.id = e.storey_id
    WHERE e.building_id = {building}
""")
_BOXES: Final = SQL("""
    SELECT e.bbox[1], e.bbox[2], e.bbox[3], e.bbox[4], e.bbox[5], e.bbox[6]
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    WHERE e.building_id = {building} AND e.bbox IS NOT NULL AND {which}
""")
_OF_WALLS: Final = SQL("EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = 'IfcWall')")
_OF_COVERINGS: Final = SQL("e.ifc_class = 'IfcCovering' AND e.predefined_type = {}")


@dataclass(frozen=True, slots=True)
class Storeys:
    """The storeys of a building that have a height, lowest first."""

    ids: list[UUID]
    elevations: NDArray[np.float64]  # (S,) m


async def place_building(conn: Conn, building: UUID) -> int:
    """Work out and write down where the elements of a building are; return how many rows say more than the files."""
    found = await read_rooms(conn, building)
    await _write_statements(conn, building)
    plans, _ = plans_of(found)
    kept, _ = without_doubles(plans, found)
    table = await _elements(conn, building)
    if not len(table):
        await conn.execute("DELETE FROM element_place WHERE building_id = %s", (building,))
        return 0
    covers = Covers(
        await _boxes(conn, building, _OF_COVERINGS.format(Literal("CEILING"))),
        await _boxes(conn, building, _OF_COVERINGS.format(Literal("FLOORING"))),
        await _boxes(conn, building, _OF_WALLS),
    )
    work = _Work(table, found, plans, set(kept), await _storeys(conn, building))
    return await _write(conn, building, work, covers)


async def _elements(conn: Conn, building: UUID) -> NDArray[Any]:
    kinds: dict[str, int] = {}
    for each in await rows(
        conn,
        """SELECT name, bool_or(ancestor = ANY(%s)) AS in_room, bool_or(ancestor = ANY(%s)) AS shows,
                  bool_or(ancestor = 'IfcFurnishingElement') AS loose
           FROM ifc_class GROUP BY name
           HAVING bool_or(ancestor = 'IfcElement') AND NOT bool_or(ancestor = 'IfcFeatureElement')""",
        (list(IN_ROOMS), list(SHOWN_FACE)),
    ):
        kinds[each["name"]] = IN_ROOM * each["in_room"] + SHOWS * each["shows"] + LOOSE_THING * each["loose"]
    query = _READ.format(
        none=Literal(UUID(bytes=NO_ID)),
        classes=Literal(list(kinds)),
        kinds=Literal(list(kinds.values())),
        building=Literal(building),
    )
    return await read_table(conn, query, _ELEMENTS)


async def _boxes(conn: Conn, building: UUID, which: SQL | Composed) -> NDArray[np.float64]:
    names = ("x0", "y0", "z0", "x1", "y1", "z1")
    found = await read_table(conn, _BOXES.format(building=Literal(building), which=which), dict.fromkeys(names, FLOAT))
    return np.column_stack([found[name] for name in names]).astype(np.float64).reshape(-1, 6)


async def _storeys(conn: Conn, building: UUID) -> Storeys:
    found = await rows(
        conn,
        """SELECT id, elevation FROM storey s WHERE building_id = %s AND elevation IS NOT NULL AND EXISTS (
               SELECT FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
               WHERE e.storey_id = s.id)
           ORDER BY elevation, id""",
        (building,),
    )
    return Storeys([each["id"] for each in found], np.array([each["elevation"] for each in found], dtype=np.float64))


class _Work:
    """The elements of a building beside its rooms, as arrays."""

    def __init__(
        self,
        table: NDArray[Any],
        found: Sequence[Mapping[str, Any]],
        plans: Mapping[UUID, RoomPlan],
        kept: set[UUID],
        storeys: Storeys,
    ) -> None:
        of = {room["id"]: room for room in found}
        self.ids, self.storeys = list(plans), storeys
        heights = [np.nan if of[id]["elevation"] is None else of[id]["elevation"] for id in plans]
        self.rooms = RoomsHere.of(list(plans.values()), heights)
        self.room_storeys = [of[id]["storey_id"] for id in plans]
        self.kept = np.array([at for at, id in enumerate(self.ids) if id in kept], dtype=np.int64)
        self.table = table
        self.boxes = np.column_stack([table[name] for name in ("x0", "y0", "z0", "x1", "y1", "z1")]).astype(np.float64)
        self.in_room = (table["kind"] & IN_ROOM) != 0
        self.shows_face = (table["kind"] & SHOWS) != 0
        self.has_space = (table["space"] != np.void(NO_ID)) & table["own_space"]
        self.has_storey = (table["storey"] != np.void(NO_ID)) & table["own_storey"]
        index = {id.bytes: at for at, id in enumerate(self.ids)}
        own = [index.get(id, -1) for id in table["space"].tolist()]
        self.room = np.where(self.has_space, np.array(own, dtype=np.int64), -1)
        self.filled_room = self._fill_rooms()
        self.filled_storey = self._fill_storeys()

    def _fill_rooms(self) -> NDArray[np.bool_]:
        """Choose rooms for what stands in rooms and is in none by its own model; say which got one."""
        self.overlapping = np.zeros(len(self.table), dtype=np.int64)
        wanted = self.in_room & ~self.has_space
        derived = self.in_room & self.has_space & self.table["space_derived"]
        at = np.flatnonzero(wanted | derived)
        rooms = self.rooms
        some = RoomsHere(
            rooms.polygons[self.kept], rooms.bottom[self.kept], rooms.top[self.kept], rooms.storey[self.kept]
        )
        said = self.has_storey[at] & ~self.table["storey_derived"][at]
        reach = np.where((self.table["kind"][at] & LOOSE_THING) != 0, LOOSE, NEAR)
        elevation = np.where(said, self.table["elevation"][at].astype(np.float64), np.nan)
        chosen, self.overlapping[at] = choose_rooms(self.boxes[at], elevation, reach, some)
        got = (chosen >= 0) & wanted[at]
        self.room[at[got]] = self.kept[chosen[got]]
        filled = np.zeros(len(self.table), dtype=bool)
        filled[at[got]] = True
        return filled

    def _fill_storeys(self) -> NDArray[np.bool_]:
        """Choose storeys for what has none by its own model: its room's, else by height."""
        self.storey: list[UUID | None] = [None] * len(self.table)
        filled = np.zeros(len(self.table), dtype=bool)
        for at in np.flatnonzero(~self.has_storey & np.isfinite(self.boxes[:, 0])).tolist():
            room = self.room[at]
            if room >= 0:
                self.storey[at] = self.room_storeys[room]
            elif len(self.storeys.ids):
                below = np.searchsorted(self.storeys.elevations, self.boxes[at, 2] + 0.3, side="right") - 1
                self.storey[at] = self.storeys.ids[max(int(below), 0)]
            filled[at] = self.storey[at] is not None
        return filled


_PLACE: Final = (
    "element_id", "building_id", "space_reason", "space_confidence", "space_share", "space_gap", "space_rooms",
    "storey_reason", "storey_confidence", "storey_gap", "filled_space", "filled_storey", "hidden",
)  # fmt: skip


async def _write(conn: Conn, building: UUID, work: _Work, covers: Covers) -> int:
    table = work.table
    derived_space = work.filled_room | (work.has_space & table["space_derived"] & (work.room >= 0))
    derived_storey = work.filled_storey | (work.has_storey & table["storey_derived"])
    judged = judge(work.boxes, np.where(derived_space, work.room, -1), work.overlapping, work.rooms)
    hidden = find_hidden(work.boxes, np.where(work.in_room, work.room, -1), work.shows_face, work.rooms, covers)
    said = np.flatnonzero(derived_space | derived_storey | (hidden >= 0))
    ids = [UUID(bytes=id) for id in table["id"][said].tolist()]
    await _fill(conn, work)
    await conn.execute("DELETE FROM element_place WHERE building_id = %s", (building,))
    columns = SQL(", ").join(map(SQL, _PLACE))
    async with (
        conn.cursor() as cursor,
        cursor.copy(SQL("COPY element_place ({}) FROM STDIN").format(columns)) as copy,
    ):
        for at, id in zip(said.tolist(), ids, strict=True):
            has = judged.reason[at] >= 0
            storey = _storey_words(work, at, judged.confidence[at]) if derived_storey[at] else (None, None, None)
            await copy.write_row(
                (
                    id,
                    building,
                    REASONS[judged.reason[at]] if has else None,
                    round(float(judged.confidence[at]), 3) if has else None,
                    round(float(judged.share[at]), 3) if has else None,
                    round(float(judged.gap[at]), 3) if has else None,
                    int(work.overlapping[at]) if has else None,
                    *storey,
                    work.ids[work.room[at]] if work.filled_room[at] else None,
                    work.storey[at] if work.filled_storey[at] else None,
                    HIDDEN[hidden[at]] if hidden[at] >= 0 else None,
                )
            )
    return len(said)


def _storey_words(work: _Work, at: int, room_confidence: float) -> tuple[str, float, float | None]:
    """Return why an element is on its derived storey, how sure that is, and how far above its floor it begins."""
    elevation = float(work.table["elevation"][at])
    filled = work.storey[at]
    if filled in work.storeys.ids:
        elevation = float(work.storeys.elevations[work.storeys.ids.index(filled)])
    gap = float(work.boxes[at, 2]) - elevation
    above = work.storeys.elevations[work.storeys.elevations > elevation + 0.1]
    inside = -0.3 <= gap <= (float(above[0]) - elevation if len(above) else 6.0)
    confidence = 0.9 if inside else 0.4
    if work.room[at] >= 0:
        return "room", round(max(float(room_confidence), confidence), 3), _finite(gap)
    return "elevation", confidence, _finite(gap)


def _finite(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None


async def _fill(conn: Conn, work: _Work) -> None:
    """Write rooms and storeys of other models into the elements; take back what no longer holds."""
    table = work.table
    now = {
        at: (work.ids[work.room[at]] if work.filled_room[at] else None, work.storey[at])
        for at in np.flatnonzero(work.filled_room | work.filled_storey).tolist()
    }
    before = np.flatnonzero(
        (~table["own_space"] & (table["space"] != np.void(NO_ID)))
        | (~table["own_storey"] & (table["storey"] != np.void(NO_ID)))
    )
    changed: list[tuple[UUID, UUID | None, bool, UUID | None, bool]] = []
    for at in sorted({*now, *before.tolist()}):
        space, storey = now.get(at, (None, None))
        was_space, was_storey = (_id(table[name][at]) for name in ("space", "storey"))
        space = was_space if work.has_space[at] else space
        storey = was_storey if work.has_storey[at] else storey
        if (space, storey) != (was_space, was_storey):
            space_derived = bool(table["space_derived"][at]) if work.has_space[at] else space is not None
            storey_derived = bool(table["storey_derived"][at]) if work.has_storey[at] else storey is not None
            changed.append((_id(table["id"][at]) or UUID(int=0), space, space_derived, storey, storey_derived))
    if changed:
        id, space_ids, spaces_derived, storey_ids, storeys_derived = (list(each) for each in zip(*changed, strict=True))
        await conn.execute(
            """UPDATE element e SET space_id = n.space, space_derived = n.space_derived, storey_id = n.storey,
                                    storey_derived = n.storey_derived
               FROM unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::uuid[], %s::bool[])
                    AS n(id, space, space_derived, storey, storey_derived)
               WHERE e.id = n.id""",
            (id, space_ids, spaces_derived, storey_ids, storeys_derived),
        )


def _id(value: Any) -> UUID | None:
    raw = bytes(value)
    return None if raw == NO_ID else UUID(bytes=raw)


async def _write_statements(conn: Conn, building: UUID) -> None:
    """Write what the files say of areas, heights and uses beside what the meshes have."""
    found = await rows(
        conn,
        """SELECT e.id, e.long_name, e.object_type, e.predefined_type, e.psets, e.quantities, e.classifications,
                  t.psets AS type_psets, t.quantities AS type_quantities
           FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
           LEFT JOIN element_type t ON t.id = e.type_id
           WHERE e.building_id = %s AND e.ifc_class = 'IfcSpace'""",
        (building,),
    )
    if not found:
        return
    made = []
    for room in found:
        sets = [room[name] for name in ("quantities", "psets", "type_quantities", "type_psets") if room[name]]
        area, height = stated_area(sets), stated_height(sets)
        use = stated_use(
            sets,
            room["classifications"],
            object_type=room["object_type"],
            predefined_type=room["predefined_type"],
            long_name=room["long_name"],
        )
        made.append(
            (
                room["id"],
                area and area.value,
                area and area.source,
                height and height.value,
                height and height.source,
                *(use or (None, None)),
            )
        )
    await conn.execute(
        """UPDATE space s SET stated_area = n.area, stated_area_source = n.area_source, stated_height = n.height,
                  stated_height_source = n.height_source, use = n.use, use_source = n.use_source
           FROM unnest(%s::uuid[], %s::float8[], %s::text[], %s::float8[], %s::text[], %s::text[], %s::text[])
                AS n(id, area, area_source, height, height_source, use, use_source)
           WHERE s.element_id = n.id""",
        tuple(list(each) for each in zip(*made, strict=True)),
    )
