"""What is maintained. An asset is bound to an element for a time range: a replaced pump keeps its own life,
the place keeps its history."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from twin.db import Conn, object_or_none, objects, row
from twin.errors import Conflict, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

CHANGEABLE = frozenset({"name", "manufacturer", "product", "serial", "installed_on", "retired_at", "properties"})


@dataclass(frozen=True, slots=True)
class Asset:
    """A device with a label. `element_id`: where it is bound now; None: nowhere."""

    id: UUID
    building_id: UUID
    code: str
    name: str
    manufacturer: str | None
    product: str | None
    serial: str | None
    installed_on: date | None
    properties: dict[str, Any]
    created_at: datetime
    retired_at: datetime | None
    element_id: UUID | None


@dataclass(frozen=True, slots=True)
class AssetBinding:
    """Which asset was where, over a half-open time range; `until` None: still."""

    asset_id: UUID
    element_id: UUID
    since: datetime | None
    until: datetime | None


_SELECT = """SELECT asset.id, asset.building_id, asset.code, asset.name, asset.manufacturer, asset.product,
                    asset.serial, asset.installed_on, asset.properties, asset.created_at, asset.retired_at,
                    bound.element_id
             FROM asset LEFT JOIN asset_binding bound ON bound.asset_id = asset.id AND bound.during @> now()"""


async def create_asset(
    conn: Conn,
    building_id: UUID,
    code: str,
    name: str,
    *,
    manufacturer: str | None = None,
    product: str | None = None,
    serial: str | None = None,
    installed_on: date | None = None,
    properties: dict[str, Any] | None = None,
) -> Asset:
    """A new asset. Raises Conflict for a code that is taken in the building."""
    if not code.strip() or not name.strip():
        raise Invalid("asset.empty", where="name" if code.strip() else "code")
    made = await row(
        conn,
        """INSERT INTO asset (building_id, code, name, manufacturer, product, serial, installed_on, properties)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (building_id, code) DO NOTHING RETURNING id""",
        (building_id, code.strip(), name, manufacturer, product, serial, installed_on, Jsonb(properties or {})),
    )
    if made is None:
        raise Conflict("asset.exists", where="code", code=code)
    return await get_asset(conn, made["id"])


async def list_assets(
    conn: Conn,
    *,
    building: UUID | None = None,
    element: UUID | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Asset]:
    """Assets by code; of a building, or bound to an element now."""
    after = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        Asset,
        f"""{_SELECT} WHERE (%(building)s::uuid IS NULL OR asset.building_id = %(building)s)
              AND (%(element)s::uuid IS NULL OR bound.element_id = %(element)s)
              AND (%(code)s::text IS NULL OR (asset.code, asset.id) > (%(code)s, %(id)s::uuid))
            ORDER BY asset.code, asset.id LIMIT %(limit)s""",
        {
            "building": building,
            "element": element,
            "code": after and after[0],
            "id": after and after[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda asset: [asset.code, asset.id])


async def get_asset(conn: Conn, asset_id: UUID) -> Asset:
    """Raises NotFound."""
    asset = await object_or_none(conn, Asset, f"{_SELECT} WHERE asset.id = %s", (asset_id,))
    if asset is None:
        raise NotFound("asset.unknown", ref=str(asset_id))
    return asset


async def update_asset(conn: Conn, asset_id: UUID, changes: dict[str, Any]) -> Asset:
    """Change the `CHANGEABLE` fields given; `properties` are laid over (null removes one)."""
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise Invalid("asset.unchangeable", where=", ".join(sorted(unknown)))
    asset = await get_asset(conn, asset_id)
    merged = {name: changes.get(name, getattr(asset, name)) for name in CHANGEABLE}
    if not (merged["name"] or "").strip():
        raise Invalid("asset.empty", where="name")
    overlay = changes.get("properties") or {}
    kept = {**asset.properties, **overlay}
    merged["properties"] = Jsonb({key: value for key, value in kept.items() if value is not None})
    await conn.execute(
        """UPDATE asset SET name = %(name)s, manufacturer = %(manufacturer)s, product = %(product)s,
             serial = %(serial)s, installed_on = %(installed_on)s, retired_at = %(retired_at)s,
             properties = %(properties)s WHERE id = %(id)s""",
        {**merged, "id": asset_id},
    )
    return await get_asset(conn, asset_id)


async def bind_asset(
    conn: Conn, asset_id: UUID, element_id: UUID | None, *, since: datetime, until: datetime | None = None
) -> Asset:
    """From `since` on the asset is at the element, and what was there before is not; None: it is nowhere.

    Open bindings of both end at `since`. Raises Conflict where a binding begins later: history is not rewritten.
    """
    asset = await get_asset(conn, asset_id)
    if element_id is not None:
        place = await row(conn, "SELECT building_id FROM element WHERE id = %s", (element_id,))
        if place is None:
            raise NotFound("element.unknown", ref=str(element_id))
        if place["building_id"] != asset.building_id:
            raise Conflict("asset.other_building")
    try:
        async with conn.transaction():
            await _end_bindings(conn, asset_id, element_id, since)
            if element_id is not None:
                await conn.execute(
                    "INSERT INTO asset_binding (asset_id, element_id, during) VALUES (%s, %s, tstzrange(%s, %s))",
                    (asset_id, element_id, since, until),
                )
    except (pg.ExclusionViolation, pg.CheckViolation, pg.DataException):
        raise Conflict("asset.bound", where="since") from None
    return await get_asset(conn, asset_id)


async def _end_bindings(conn: Conn, asset_id: UUID, element_id: UUID | None, at: datetime) -> None:
    names = {"asset": asset_id, "element": element_id, "at": at}
    touched = "(asset_id = %(asset)s OR element_id = %(element)s) AND upper_inf(during)"
    # One that begins at the very same moment has never held: it is replaced.
    await conn.execute(f"DELETE FROM asset_binding WHERE {touched} AND lower(during) = %(at)s", names)
    await conn.execute(
        f"UPDATE asset_binding SET during = tstzrange(lower(during), %(at)s) WHERE {touched} AND during @> %(at)s",
        names,
    )


async def asset_of(conn: Conn, element_id: UUID, at: datetime) -> UUID | None:
    """The asset that was at an element at a time, or None."""
    found = await row(
        conn, "SELECT asset_id FROM asset_binding WHERE element_id = %s AND during @> %s", (element_id, at)
    )
    return UUID(str(found["asset_id"])) if found else None


async def bindings_of(conn: Conn, *, asset: UUID | None = None, element: UUID | None = None) -> list[AssetBinding]:
    """The history of an asset or of a place, newest first."""
    return await objects(
        conn,
        AssetBinding,
        """SELECT asset_id, element_id, lower(during) AS since, upper(during) AS until FROM asset_binding
           WHERE asset_id = %(asset)s OR element_id = %(element)s ORDER BY lower(during) DESC NULLS LAST""",
        {"asset": asset, "element": element},
    )
