"""Sections of storeys and climbs of stairs, worked out from the tiles of a building's shown models.

Tiles are what there is for good of an import's meshes. A section is made when it is first asked for, outside the
server's loop, kept in the blob store under the hashes of the tiles it was made of, and then read back. It is of the
whole building: what a caller may see of it is decided by the elements' rows.
"""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
import shapely
import structlog

from spatial.climbs import Climb, climbs_of
from spatial.derived_rooms import Enclosures
from spatial.section import CUT, DEPTH, Drawn, Section, StoreySection, cut_section
from twin.blobs import BlobStore
from twin.db import Conn, Database, row, rows
from viewer.glb_read import read_tile
from viewer.plan_soup import KINDS, Shown, SoupReader, with_repeats

log = structlog.get_logger()
REVISION: Final = b"plans 6"  # change it when the same tiles give another section or other climbs
CONTENT_TYPE: Final = "application/x-twin-shapes"
DRAWN_BYTES: Final = 16 << 20
STOREY_HEIGHT: Final = 3.0  # m, of the uppermost storey

NOT_DRAWN: Final = ("IfcSpatialElement", "IfcSpatialStructureElement", "IfcFeatureElement", "IfcPort", "IfcAnnotation",
                    "IfcGrid", "IfcVirtualElement", "IfcGeographicElement", "IfcReinforcingElement",
                    "IfcStructuralItem", "IfcStructuralActivity")  # fmt: skip
STAIRS: Final = ("IfcStair", "IfcStairFlight", "IfcRamp", "IfcRampFlight")
UNDERFOOT: Final = ("IfcSlab", "IfcRoof", "IfcCovering", "IfcFooting", "IfcPavement")
SERVICES: Final = ("IfcDistributionElement", "IfcElectricalElement", "IfcEquipmentElement")
CUT_ONLY: Final = ("IfcDoor", "IfcCurtainWall")  # a door is drawn with its leaf open

Key = tuple[UUID, str, int]  # model, GlobalId, occurrence


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a section has of one element: geometries as WKB, m."""

    element: UUID
    cut: bytes | None = None
    open: bytes | None = None
    below: bytes | None = None
    edges: bytes | None = None
    above: bytes | None = None
    top: float = 0.0


class Sections:
    """Sections and climbs of buildings, the ones asked for lately in memory."""

    def __init__(self, db: Database, blobs: BlobStore, *, keep: int = 24) -> None:
        self._db, self._blobs, self._keep = db, blobs, keep
        self._known: OrderedDict[bytes, StoreySection] = OrderedDict()
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.enclosures = Enclosures()
        self.drawn: OrderedDict[Hashable, bytes] = OrderedDict()  # sheets, by all that they depend on

    def keep_drawn(self, key: Hashable, sheet: bytes) -> None:
        """Remember a sheet; the oldest go when there are too many bytes of them."""
        self.drawn[key] = sheet
        while len(self.drawn) > 1 and sum(map(len, self.drawn.values())) > DRAWN_BYTES:
            self.drawn.popitem(last=False)

    async def of_storey(self, building: UUID, storey: UUID) -> StoreySection:
        """Return the section of a storey, made now if there is none of the tiles as they are."""
        async with self._locks[building]:
            async with self._db.connection() as conn:
                floor, ceiling = await _heights(conn, building, storey)
                plane = floor + min(CUT, 0.6 * (ceiling - floor))
                tiles = await _tiles(conn, building, floor - DEPTH, ceiling + DEPTH)
            key = _key(b"section", tiles, repr((round(floor, 3), round(ceiling, 3))))
            if key not in self._known:
                self._known[key] = await self._section(building, key, tiles, floor, plane, ceiling)
            self._known.move_to_end(key)
            while len(self._known) > self._keep:
                self._known.popitem(last=False)
            return self._known[key]

    async def climbs(self, building: UUID) -> dict[UUID, Climb]:
        """Return how the stairs and ramps of a building are walked, by element."""
        async with self._db.connection() as conn:
            stairs = await _elements(conn, building, STAIRS)
            tiles = await _tiles_of(conn, building, STAIRS)
        if not stairs:
            return {}
        key = _key(b"climbs", tiles, "")
        kept = await self._kept("climbs", building, key)
        if kept is not None:
            return msgspec.msgpack.decode(kept, type=dict[UUID, Climb])
        found = await asyncio.to_thread(self._climbs, tiles, stairs)
        await self._keep_blob("climbs", building, key, msgspec.msgpack.encode(found))
        return found

    def _climbs(self, tiles: Sequence[Mapping[str, Any]], stairs: Mapping[Key, Mapping[str, Any]]) -> dict[UUID, Climb]:
        shown = self._read(tiles, {key: (stair["id"], None) for key, stair in stairs.items()})
        found = climbs_of(shown.soup.triangles, shown.soup.triangle_owner)
        return {shown.ids[number]: climb for number, climb in found.items()}

    async def _section(
        self, building: UUID, key: bytes, tiles: Sequence[Mapping[str, Any]], floor: float, plane: float, ceiling: float
    ) -> StoreySection:
        kept = await self._kept("section", building, key)
        if kept is None:
            async with self._db.connection() as conn:
                elements = await _elements(conn, building, None, floor - DEPTH, ceiling + DEPTH)
            kept = await asyncio.to_thread(self._cut, tiles, elements, floor, plane, ceiling)
            await self._keep_blob("section", building, key, kept)
        shapes = await asyncio.to_thread(_unpacked, kept)
        return StoreySection(floor, plane, key.hex(), shapes)

    def _cut(
        self,
        tiles: Sequence[Mapping[str, Any]],
        elements: Mapping[Key, Mapping[str, Any]],
        floor: float,
        plane: float,
        ceiling: float,
    ) -> bytes:
        seen = {element["id"]: _looked_at(element, floor, ceiling) for element in elements.values()}
        shown = self._read(tiles, {key: (each["id"], seen[each["id"]]) for key, each in elements.items()})
        looks = [seen[id] for id in shown.ids]
        section = cut_section(
            shown.soup,
            plane,
            lowest={number: look.lowest for number, look in enumerate(looks) if look.lowest is not None},
            outlined={number for number, look in enumerate(looks) if look.outlined},
            above={number for number, look in enumerate(looks) if look.above},
        )
        return _packed(with_repeats(section, shown.repeats), shown.ids)

    def _read(self, tiles: Sequence[Mapping[str, Any]], kinds: Mapping[Key, tuple[UUID, Hashable | None]]) -> Shown:
        """Return what tiles show of some elements; `kinds` as `viewer.plan_soup` wants them."""
        reader = SoupReader(kinds)
        for tile in tiles:
            try:
                shapes = read_tile(self._blobs.path(tile["hash"]).read_bytes())
            except (OSError, ValueError) as error:
                log.warning("plan.tile_unreadable", tile=tile["hash"], reason=str(error))
                continue  # what it shows is missing on the plan, the rest is there
            reader.add(shapes, tile["model_id"])
        return reader.shown()

    async def _kept(self, kind: str, building: UUID, key: bytes) -> bytes | None:
        async with self._db.connection() as conn:
            found = await row(
                conn,
                "SELECT hash FROM derived_shape WHERE kind = %s AND building_id = %s AND key = %s",
                (kind, building, key),
            )
        if found is None or not self._blobs.exists(found["hash"]):
            return None
        return await asyncio.to_thread(self._blobs.path(found["hash"]).read_bytes)

    async def _keep_blob(self, kind: str, building: UUID, key: bytes, data: bytes) -> None:
        blob = await asyncio.to_thread(self._blobs.put_bytes, data, CONTENT_TYPE)
        async with self._db.transaction() as conn:
            await conn.execute(
                "INSERT INTO blob (hash, bytes, content_type) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (blob.hash, blob.bytes, blob.content_type),
            )
            await conn.execute(
                """DELETE FROM derived_shape
                   WHERE building_id = %s AND kind = %s AND made_at < now() - interval '90 days'""",
                (building, kind),
            )
            await conn.execute(
                """INSERT INTO derived_shape (kind, building_id, key, hash) VALUES (%s, %s, %s, %s)
                   ON CONFLICT (kind, building_id, key) DO UPDATE SET hash = excluded.hash, made_at = now()""",
                (kind, building, key, blob.hash),
            )


class Look(NamedTuple):
    """How an element is looked at; elements of one shape, height and look are drawn alike."""

    lowest: float | None  # how far down, m; None: it is only cut
    outlined: bool  # its whole outline, whatever its height
    above: bool  # what of it is above the plane as well


def _looked_at(element: Mapping[str, Any], floor: float, ceiling: float) -> Look:
    lowest = _seen_from(element, floor, ceiling)
    return Look(
        None if lowest is None else round(lowest, 3),
        _is(element, (*SERVICES, "IfcTransportElement")),
        _is(element, STAIRS),
    )


def _is(element: Mapping[str, Any], classes: Sequence[str]) -> bool:
    return not set(classes).isdisjoint(element["ancestors"])


def _seen_from(element: Mapping[str, Any], floor: float, ceiling: float) -> float | None:
    """Return how far down an element is looked at (m), None where it is only cut."""
    low, high = element["bbox"][2], element["bbox"][5]
    if _is(element, CUT_ONLY):
        return None
    if _is(element, STAIRS):
        return float(low) if high > floor - DEPTH else None  # the flight from below is seen down its well
    if _is(element, UNDERFOOT):
        return floor - DEPTH if low < floor + 0.5 else None
    if _is(element, SERVICES):
        return float(low) if (low + high) / 2 < ceiling and high > floor else None
    return floor - DEPTH if high > floor else None


def _packed(section: Section, numbers: Sequence[UUID]) -> bytes:
    kinds = {name: getattr(section, name) for name in KINDS}
    shapes = []
    for number, id in enumerate(numbers):
        found = {name: shapely.to_wkb(of[number]) for name, of in kinds.items() if number in of}
        if found:
            shapes.append(Shape(id, top=section.top.get(number, 0.0), **found))
    return msgspec.msgpack.encode(shapes)


def _unpacked(data: bytes) -> dict[UUID, Drawn]:
    def geometry(wkb: bytes | None) -> Any:
        return shapely.from_wkb(wkb) if wkb is not None else None

    return {
        shape.element: Drawn(
            geometry(shape.cut),
            geometry(shape.open),
            geometry(shape.below),
            geometry(shape.edges),
            geometry(shape.above),
            shape.top,
        )
        for shape in msgspec.msgpack.decode(data, type=list[Shape])
    }


def _key(kind: bytes, tiles: Sequence[Mapping[str, Any]], more: str) -> bytes:
    digest = hashlib.sha256(REVISION + kind + more.encode())
    for tile in tiles:
        digest.update(f"{tile['model_id']}{tile['hash']}".encode())
    return digest.digest()


async def _heights(conn: Conn, building: UUID, storey: UUID) -> tuple[float, float]:
    """Return the heights of a storey's floor and of the next one above it (m).

    The floor is that of most of its rooms, where it has any: storeys are often drawn at the raw floor. A storey without
    an elevation begins where its lowest element does.
    """
    found = await row(
        conn,
        """SELECT (SELECT elevation FROM storey WHERE id = %(storey)s) AS elevation,
                  (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY e.bbox[3]) FROM element e
                   JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
                   WHERE e.storey_id = %(storey)s AND e.ifc_class = 'IfcSpace' AND e.bbox IS NOT NULL) AS rooms,
                  (SELECT min(e.bbox[3]) FROM element e
                   JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
                   WHERE e.storey_id = %(storey)s AND e.bbox IS NOT NULL) AS lowest""",
        {"storey": storey},
    )
    assert found is not None
    stated, rooms = found["elevation"], found["rooms"]
    floor = next((float(each) for each in (stated, rooms, found["lowest"]) if each is not None), 0.0)
    if rooms is not None and abs(rooms - floor) < 1.0:
        floor = float(rooms)
    above = await row(
        conn,
        """SELECT min(s.elevation) AS next FROM storey s WHERE s.building_id = %s AND s.elevation > %s
           AND EXISTS (SELECT FROM element e WHERE e.storey_id = s.id)""",
        (building, floor + 1.8),
    )
    following = above["next"] if above and above["next"] is not None else floor + STOREY_HEIGHT
    return floor, min(float(following), floor + 6.0)


async def _tiles(conn: Conn, building: UUID, low: float, high: float) -> list[dict[str, Any]]:
    """Return the tiles that reach into a range of heights."""
    return await rows(
        conn,
        """SELECT t.model_id, t.hash FROM tile t JOIN model m ON m.id = t.model_id AND t.version = m.current_version
           WHERE m.building_id = %s AND t.layer <> 'spaces' AND t.bbox[3] < %s AND t.bbox[6] > %s
           ORDER BY t.model_id, t.layer, t.part, t.hash""",
        (building, high, low),
    )


async def _tiles_of(conn: Conn, building: UUID, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the tiles that may show elements of some classes."""
    return await rows(
        conn,
        """SELECT DISTINCT t.model_id, t.hash FROM tile t JOIN model m ON m.id = t.model_id
             AND t.version = m.current_version
           JOIN element e ON e.model_id = m.id AND e.last_version = m.current_version
             AND e.storey_id IS NOT DISTINCT FROM t.storey_id
           WHERE m.building_id = %s AND t.layer = 'shell'
             AND EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%s))
           ORDER BY t.model_id, t.hash""",
        (building, list(classes)),
    )


async def _elements(
    conn: Conn, building: UUID, classes: Sequence[str] | None, low: float = -np.inf, high: float = np.inf
) -> dict[Key, dict[str, Any]]:
    """Return the elements with a mesh that are drawn, of some classes or of all, in a range of heights."""
    found = await rows(
        conn,
        """SELECT e.id, e.model_id, e.global_id, e.occurrence, e.bbox, e.storey_id,
                  ARRAY(SELECT c.ancestor FROM ifc_class c WHERE c.name = e.ifc_class) AS ancestors
           FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE e.building_id = %(building)s AND e.bbox IS NOT NULL AND e.bbox[3] < %(high)s AND e.bbox[6] > %(low)s
             AND (%(classes)s::text[] IS NULL OR EXISTS (
                  SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%(classes)s)))
             AND NOT EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = ANY(%(never)s))""",
        {
            "building": building,
            "classes": list(classes) if classes is not None else None,
            "never": list(NOT_DRAWN),
            "low": float(low),
            "high": float(high),
        },
    )
    return {(each["model_id"], each["global_id"], each["occurrence"]): each for each in found}
