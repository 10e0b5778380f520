"""Where things are: sites, buildings, storeys, and the location of an element that alarms and orders carry."""

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Conflict, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of
from twin.viewpoint import Viewpoint, look_at

DEFAULT_SITE = "Default site"


@dataclass(frozen=True, slots=True)
class Site:
    """A plot with buildings, in one time zone (IANA name); days and months are cut in it."""

    id: UUID
    name: str
    time_zone: str
    latitude: float | None  # degrees, WGS 84
    longitude: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Building:
    """A building. `properties` are the users' own."""

    id: UUID
    site_id: UUID
    name: str
    properties: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Storey:
    """A storey, shared by all models of its building. `elevation`: m in the building frame; None: no file says."""

    id: UUID
    building_id: UUID
    name: str
    elevation: float | None


@dataclass(frozen=True, slots=True)
class Location:
    """Where an element is. `position`: centre of its box, m, building frame, z up; None: it has no geometry."""

    element_id: UUID
    global_id: str
    name: str | None
    ifc_class: str
    space_id: UUID | None
    space_name: str | None
    storey_id: UUID | None
    storey_name: str | None
    building_id: UUID
    position: list[float] | None
    viewpoint: Viewpoint | None


# Sites


async def create_site(
    conn: Conn,
    name: str,
    *,
    time_zone: str = "Asia/Shanghai",
    latitude: float | None = None,
    longitude: float | None = None,
) -> Site:
    """A new site. Raises Invalid for an unknown time zone, Conflict for a taken name."""
    if time_zone not in zoneinfo.available_timezones():
        raise Invalid("site.time_zone", where="time_zone", time_zone=time_zone)
    site = await object_or_none(
        conn,
        Site,
        """INSERT INTO site (name, time_zone, latitude, longitude) VALUES (%s, %s, %s, %s)
           ON CONFLICT (name) DO NOTHING RETURNING *""",
        (name, time_zone, latitude, longitude),
    )
    if site is None:
        raise Conflict("site.exists", where="name", name=name)
    return site


async def list_sites(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[Site]:
    """Sites by name."""
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Site,
        "SELECT * FROM site WHERE %(after)s::text IS NULL OR name > %(after)s ORDER BY name LIMIT %(limit)s",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda site: [site.name])


async def get_site(conn: Conn, ref: str | UUID) -> Site:
    """A site by id or name. Raises NotFound."""
    site = await object_or_none(
        conn, Site, "SELECT * FROM site WHERE id::text = %(r)s OR name = %(r)s", {"r": str(ref)}
    )
    if site is None:
        raise NotFound("site.unknown", ref=str(ref))
    return site


# Buildings


async def create_building(
    conn: Conn, name: str, *, site: str | UUID | None = None, properties: dict[str, Any] | None = None
) -> Building:
    """A new building; without a site on a default one. Raises Conflict for a taken name."""
    _check_building_name(name)
    site_id = (await get_site(conn, site)).id if site else await _default_site(conn)
    building = await object_or_none(
        conn,
        Building,
        """INSERT INTO building (site_id, name, properties) VALUES (%s, %s, %s)
           ON CONFLICT (name) DO NOTHING RETURNING *""",
        (site_id, name, Jsonb(properties or {})),
    )
    if building is None:
        raise Conflict("building.exists", where="name", name=name)
    return building


async def list_buildings(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[Building]:
    """Buildings by name."""
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Building,
        "SELECT * FROM building WHERE %(after)s::text IS NULL OR name > %(after)s ORDER BY name LIMIT %(limit)s",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda building: [building.name])


async def find_building(conn: Conn, ref: str | UUID) -> Building | None:
    """A building by id or name, or None."""
    return await object_or_none(
        conn, Building, "SELECT * FROM building WHERE id::text = %(r)s OR name = %(r)s", {"r": str(ref)}
    )


async def get_building(conn: Conn, ref: str | UUID) -> Building:
    """A building by id or name. Raises NotFound."""
    building = await find_building(conn, ref)
    if building is None:
        raise NotFound("building.unknown", ref=str(ref))
    return building


async def update_building(
    conn: Conn, ref: str | UUID, *, name: str | None = None, properties: dict[str, Any] | None = None
) -> Building:
    """Rename a building, or lay `properties` over its own (null removes one)."""
    building = await get_building(conn, ref)
    if name is not None:
        _check_building_name(name)
    try:
        async with conn.transaction():
            changed = await object_or_none(
                conn,
                Building,
                """UPDATE building SET name = coalesce(%(name)s, name),
                     properties = jsonb_strip_nulls(properties || %(properties)s) WHERE id = %(id)s RETURNING *""",
                {"id": building.id, "name": name, "properties": Jsonb(properties or {})},
            )
    except pg.UniqueViolation:
        raise Conflict("building.exists", where="name", name=name) from None
    assert changed is not None
    return changed


def _check_building_name(name: str) -> None:
    """A name must not be taken for an id: both are accepted wherever a building is."""
    try:
        UUID(name)
    except ValueError:
        if 1 <= len(name.strip()) <= 200:
            return
    raise Invalid("building.name", where="name")


async def _default_site(conn: Conn) -> UUID:
    only = await rows(conn, "SELECT id FROM site ORDER BY created_at LIMIT 2")
    if len(only) == 1:
        return UUID(str(only[0]["id"]))
    await conn.execute("INSERT INTO site (name) VALUES (%s) ON CONFLICT (name) DO NOTHING", (DEFAULT_SITE,))
    return (await get_site(conn, DEFAULT_SITE)).id


async def list_storeys(conn: Conn, building_id: UUID) -> list[Storey]:
    """The storeys of a building from the lowest up; those without an elevation last."""
    return await objects(
        conn,
        Storey,
        "SELECT * FROM storey WHERE building_id = %s ORDER BY elevation NULLS LAST, name",
        (building_id,),
    )


# Elements


async def resolve_element(conn: Conn, ref: str, *, building: UUID | None = None, model: UUID | None = None) -> UUID:
    """The server id of an element given by that id, by its GlobalId or by one it had in an earlier version.

    Raises NotFound, or Conflict("element.ambiguous") with the candidates when several have the GlobalId. One that
    its model's shown version still has wins over those that are gone from theirs.
    """
    found = await rows(
        conn,
        """SELECT element.id, element.last_version = model.current_version AS current
           FROM element JOIN model ON model.id = element.model_id
           WHERE element.id = ANY (ARRAY(  -- an OR of the three would read all elements
                   SELECT %(id)s::uuid UNION SELECT id FROM element e WHERE e.global_id = %(ref)s
                   UNION SELECT element_id FROM element_alias a WHERE a.global_id = %(ref)s))
             AND (%(building)s::uuid IS NULL OR element.building_id = %(building)s)
             AND (%(model)s::uuid IS NULL OR element.model_id = %(model)s)
           ORDER BY element.occurrence, element.id LIMIT 20""",
        {"ref": ref, "id": _uuid_or_none(ref), "building": building, "model": model},
    )
    shown = [each for each in found if each["current"]] or found
    if not shown:
        raise NotFound("element.unknown", ref=ref)
    if len(shown) > 1:
        candidates = [str(each["id"]) for each in shown]
        raise Conflict("element.ambiguous", ref=ref, count=len(candidates), candidates=candidates)
    return UUID(str(shown[0]["id"]))


async def locate(conn: Conn, element_id: UUID) -> Location:
    """Where an element is and from where to look at it. Raises NotFound."""
    found = await row(
        conn,
        """SELECT e.id, e.global_id, coalesce(e.name, e.long_name) AS name, e.ifc_class, e.building_id, e.bbox,
                  space.id AS space_id, coalesce(space.long_name, space.name) AS space_name, space.bbox AS room,
                  storey.id AS storey_id, storey.name AS storey_name, storey.elevation
           FROM element e
           LEFT JOIN element space ON space.id = CASE WHEN e.ifc_class = 'IfcSpace' THEN e.id ELSE e.space_id END
           LEFT JOIN storey ON storey.id = e.storey_id
           WHERE e.id = %s""",
        (element_id,),
    )
    if found is None:
        raise NotFound("element.unknown", ref=str(element_id))
    box = found["bbox"] or found["room"]
    return Location(
        element_id=found["id"],
        global_id=found["global_id"],
        name=found["name"],
        ifc_class=found["ifc_class"],
        space_id=found["space_id"],
        space_name=found["space_name"],
        storey_id=found["storey_id"],
        storey_name=found["storey_name"],
        building_id=found["building_id"],
        position=[(box[axis] + box[axis + 3]) / 2 for axis in range(3)] if box else None,
        viewpoint=look_at(box, room=found["room"], floor=found["elevation"]) if box else None,
    )


def _uuid_or_none(ref: str) -> UUID | None:
    try:
        return UUID(ref)
    except ValueError:
        return None
