"""Footprints of rooms, storeys and the building as GeoJSON (RFC 7946): WGS 84, rings by the right-hand rule."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
import shapely.ops

from spatial.georef import Georeference
from twin.db import Conn, rows

LAYERS: Final = ("rooms", "storeys", "building")
DIGITS: Final = 7  # of a degree: a centimetre
WALL: Final = 0.5  # m; rooms closer than that have a wall between them, which belongs to the storey's footprint

_ROOMS = """
    SELECT e.id, e.global_id, e.name, e.long_name, e.storey_id, t.name AS storey, t.elevation, s.area, s.height,
           e.bbox[3] AS bottom, s.footprint::text AS footprint
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    JOIN space s ON s.element_id = e.id LEFT JOIN storey t ON t.id = e.storey_id
    WHERE e.building_id = %(building)s AND s.footprint IS NOT NULL
      AND (%(storey)s::uuid IS NULL OR e.storey_id = %(storey)s)
    ORDER BY t.elevation, e.name, e.global_id
"""


async def footprints(
    conn: Conn,
    building: UUID,
    place: Georeference,
    *,
    layers: Sequence[str] = ("rooms",),
    storey: UUID | None = None,
    doubles: frozenset[UUID] = frozenset(),
) -> dict[str, Any]:
    """Return the footprints as a FeatureCollection.

    Where the model does not say where it lies, coordinates are metres in the building frame: `twin:crs` is `building`,
    and `twin:note` says what is missing.
    """
    where = {"building": building, "storey": storey}
    found = [each for each in await rows(conn, _ROOMS, where) if each["id"] not in doubles]
    for each in found:
        each["polygon"] = shapely.make_valid(shapely.from_geojson(each["footprint"]))
    features: list[dict[str, Any]] = []
    if "rooms" in layers:
        features += [_room(each, place) for each in found]
    if "storeys" in layers:
        features += _storeys(found, place)
    if "building" in layers:
        features += _building(found, place, building)
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "twin:crs": "EPSG:4326" if place.known else "building",
        "twin:source": place.source,
        "twin:note": place.note,
        "twin:map_crs": place.crs if place.source == "map_conversion" else None,
        "features": features,
    }
    boxes = [feature["bbox"] for feature in features if feature.get("bbox")]
    if boxes:
        low, high = np.array(boxes)[:, :2].min(axis=0), np.array(boxes)[:, 2:].max(axis=0)
        collection["bbox"] = [*low.tolist(), *high.tolist()]
    return collection


def _feature(id: str, polygon: Any, place: Georeference, properties: dict[str, Any]) -> dict[str, Any]:
    geometry = to_geojson(polygon, place)
    corners = np.array(list(_corners(geometry)))
    box = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()] if len(corners) else None
    return {"type": "Feature", "id": id, "bbox": box, "geometry": geometry, "properties": properties}


def _corners(geometry: dict[str, Any]) -> Iterable[list[float]]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in polygons:
        for ring in polygon:
            yield from ring


def to_geojson(polygon: Any, place: Georeference) -> dict[str, Any]:
    """Return a polygon as GeoJSON geometry: outer rings counter-clockwise, seven digits of a degree."""
    parts = [part for part in shapely.get_parts(polygon) if part.geom_type == "Polygon"]
    digits = DIGITS if place.known else 3
    rings = []
    for part in parts:
        oriented = shapely.ops.orient(part, sign=1.0)
        rings.append([_ring(ring, place, digits) for ring in (oriented.exterior, *oriented.interiors)])
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _ring(ring: Any, place: Georeference, digits: int) -> list[list[float]]:
    points = np.round(place.degrees(np.asarray(ring.coords)[:, :2]), digits)
    points[-1] = points[0]
    return [[float(x), float(y)] for x, y in points]


def _room(each: dict[str, Any], place: Georeference) -> dict[str, Any]:
    return _feature(
        str(each["id"]),
        each["polygon"],
        place,
        {
            "layer": "room",
            "global_id": each["global_id"],
            "number": each["name"],
            "name": each["long_name"],
            "storey": each["storey"],
            "storey_id": str(each["storey_id"]) if each["storey_id"] else None,
            "area": each["area"],
            "height": each["height"],
            "elevation": each["bottom"],
        },
    )


def _outline(polygons: Sequence[Any]) -> Any:
    """Return the outline of rooms with the walls between them."""
    grown = shapely.union_all([shapely.buffer(polygon, WALL / 2, join_style="mitre") for polygon in polygons])
    return shapely.buffer(grown, -WALL / 2, join_style="mitre").simplify(0.01)


def _storeys(found: Sequence[dict[str, Any]], place: Georeference) -> list[dict[str, Any]]:
    of: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for each in found:
        if each["storey_id"] is not None:
            of[each["storey_id"]].append(each)
    features = []
    for id, rooms in of.items():
        outline = _outline([each["polygon"] for each in rooms])
        area = sum(float(each["area"] or 0.0) for each in rooms)
        said = {"layer": "storey", "name": rooms[0]["storey"], "elevation": rooms[0]["elevation"]}
        features.append(_feature(str(id), outline, place, {**said, "rooms": len(rooms), "area": area}))
    return features


def _building(found: Sequence[dict[str, Any]], place: Georeference, building: UUID) -> list[dict[str, Any]]:
    if not found:
        return []
    outline = _outline([each["polygon"] for each in found])
    return [_feature(str(building), outline, place, {"layer": "building", "rooms": len(found)})]
