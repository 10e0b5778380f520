"""What a file of readings may call the points of a building: keys, addresses of devices, names of their own."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from twin.db import Conn, row, rows


def named(mapping: dict[str, Any], found: Sequence[str], keys: Mapping[str, str]) -> dict[str, Any]:
    """A guessed mapping with the keys of the points that the file names in other words."""
    if mapping["layout"] == "wide":
        columns = {name: keys[_plain(name)] for name in mapping["columns"] or {} if _plain(name) in keys}
        return {**mapping, "columns": columns}
    renamed = {name: keys[_plain(name)] for name in found if keys.get(_plain(name), name) != name}
    return {**mapping, "columns": renamed or None}


def _plain(name: str) -> str:
    return name.strip().casefold()


async def keys_of(conn: Conn, building: UUID) -> dict[str, str]:
    """What a file may call the points of a building, in small letters: key, device's address, a name of its own."""
    found = await rows(
        conn,
        """SELECT said, min(key) AS key FROM (
             SELECT p.key, lower(btrim(s.said)) AS said, s.rank,
                    min(s.rank) OVER (PARTITION BY lower(btrim(s.said))) AS best
             FROM point p CROSS JOIN LATERAL (
               SELECT p.key AS said, 1 AS rank
               UNION SELECT h.address, 2 FROM point_hardware h
                 WHERE h.point_id = p.handle AND upper_inf(h.during) AND h.address IS NOT NULL
               UNION SELECT p.name, 3) s
             WHERE p.building_id = %s AND p.retired_at IS NULL) AS named
           WHERE rank = best GROUP BY said HAVING count(DISTINCT key) = 1""",
        (building,),
    )
    return {each["said"]: each["key"] for each in found} | {each["key"].casefold(): each["key"] for each in found}


async def zone_of(conn: Conn, building: UUID) -> str:
    """The time zone of a building's site."""
    query = "SELECT s.time_zone FROM building b JOIN site s ON s.id = b.site_id WHERE b.id = %s"
    found = await row(conn, query, (building,))
    return str(found["time_zone"]) if found else "UTC"
