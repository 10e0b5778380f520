"""Where on Earth a point of the building is: by the file's map conversion, else by its site's coordinates.

With IfcMapConversion and a known IfcProjectedCRS: scaled, turned and moved to the map, then to WGS 84 (PROJ). Else with
the site's latitude and longitude, or those that somebody gave the site here: the building's origin is put there and
turned by true north, on the tangent plane, which is exact to a centimetre within a kilometre.
"""

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from twin.db import Conn, row, rows

WGS84: Final = "EPSG:4326"
_A: Final = 6_378_137.0  # m, semi-major axis of WGS 84
_E2: Final = 6.694_379_990_14e-3  # its eccentricity, squared


@dataclass(frozen=True, slots=True)
class Georeference:
    """How building metres become degrees."""

    source: str  # map_conversion | site | none
    crs: str | None  # of the map, as the file names it
    note: str | None  # what is missing or uncertain: a code, see docs/plans.md
    eastings: float = 0.0  # m, or of site: longitude in degrees
    northings: float = 0.0  # m, or of site: latitude in degrees
    rotation: float = 0.0  # degrees counter-clockwise from east to the building's x axis
    scale: float = 1.0
    origin: tuple[float, float] = (0.0, 0.0)  # m of the building frame that lies there

    @property
    def known(self) -> bool:
        return self.source != "none"

    def degrees(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) building metres → (n, 2) longitude and latitude, WGS 84; as they are where nothing is known."""
        if not self.known:
            return points
        c, s = cos(radians(self.rotation)), sin(radians(self.rotation))
        moved = (points - self.origin) * self.scale
        east, north = moved[:, 0] * c - moved[:, 1] * s, moved[:, 0] * s + moved[:, 1] * c
        if self.source == "map_conversion":
            assert self.crs is not None
            to_earth = Transformer.from_crs(self.crs, WGS84, always_xy=True)
            longitude, latitude = to_earth.transform(east + self.eastings, north + self.northings)
            return np.column_stack([longitude, latitude])
        phi = radians(self.northings)
        w = 1 - _E2 * sin(phi) ** 2
        meridian, parallel = _A * (1 - _E2) / w**1.5, _A / w**0.5 * cos(phi)
        return np.column_stack(
            [self.eastings + np.degrees(east / parallel), self.northings + np.degrees(north / meridian)]
        )


async def georeference_of(conn: Conn, building: UUID) -> Georeference:
    """Return where a building lies, by the best that its models say: the architect's before the others'."""
    found = await rows(
        conn,
        """SELECT v.georeference, v.origin FROM model m
           JOIN model_version v ON v.model_id = m.id AND v.n = m.current_version
           WHERE m.building_id = %s AND v.georeference IS NOT NULL ORDER BY m.discipline <> 'arc', m.name""",
        (building,),
    )
    note: str | None = None
    for each in found:
        mapped = map_conversion(each["georeference"], each["origin"])
        if isinstance(mapped, Georeference):
            return mapped
        note = note or mapped
    for each in found:
        placed = _site(each["georeference"], each["origin"], note)
        if placed is not None:
            return placed
    site = await row(
        conn,
        "SELECT s.latitude, s.longitude FROM site s JOIN building b ON b.site_id = s.id WHERE b.id = %s",
        (building,),
    )
    if site and site["latitude"] is not None and site["longitude"] is not None:
        north = next((g["georeference"]["true_north"] for g in found if "true_north" in g["georeference"]), None)
        said = {"latitude": site["latitude"], "longitude": site["longitude"], "true_north": north}
        by_hand = _site(said, [0.0, 0.0, 0.0], note or "site_by_hand")
        if by_hand is not None:
            return by_hand
    return Georeference("none", None, note or "no_georeference")


def map_conversion(said: dict[str, Any], origin: list[float]) -> Georeference | str | None:
    """Return the map conversion of a file, a note why it cannot be used, or None when it has none."""
    if said.get("eastings") is None or said.get("northings") is None:
        return None
    name = said.get("crs")
    if not name:
        return "map_without_crs"
    try:
        crs = CRS.from_user_input(name)
        Transformer.from_crs(crs, WGS84, always_xy=True).transform(said["eastings"], said["northings"], errcheck=True)
    except (CRSError, ProjError):
        return "unknown_crs"
    if not crs.is_projected:
        return "crs_not_projected"
    # The file's scale is map units per file unit; coordinates here are metres on both sides.
    return Georeference(
        "map_conversion",
        name,
        None,
        float(said["eastings"]),
        float(said["northings"]),
        float(said.get("rotation") or 0.0),
        1.0,
        (-float(origin[0]), -float(origin[1])),
    )


def _site(said: dict[str, Any], origin: list[float], note: str | None) -> Georeference | None:
    latitude, longitude = said.get("latitude"), said.get("longitude")
    # Exactly 0, 0 is what programs write that know nothing.
    if latitude is None or longitude is None or (latitude == 0.0 and longitude == 0.0):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    # True north is clockwise from y: the y axis points so many degrees counter-clockwise of north.
    rotation = float(said.get("true_north") or 0.0)
    place = (-float(origin[0]), -float(origin[1]))
    return Georeference("site", WGS84, note or "site_point", float(longitude), float(latitude), rotation, 1.0, place)
