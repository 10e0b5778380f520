"""The points that a model's sensors and actuators stand for: what they measure, in what, where, bound to them.

Clause 6.3c: each is known by the element's GlobalId (in `properties`), so that the same model again, or its next
version, changes nothing of what people made of them. `device_points.toml` says which class means what.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, LiteralString
from uuid import UUID

from telemetry.dimensions import convertible, scale
from telemetry.point_import import Draft
from telemetry.point_values import unit_code
from twin.db import Conn, row, rows
from twin.errors import NotFound

_DEVICES: LiteralString = """
    SELECT e.id, e.global_id, e.ifc_class, coalesce(nullif(e.name, ''), e.long_name, e.object_type) AS name, e.tag,
           replace(coalesce(t.ifc_class, ''), 'Type', '') AS type_class, t.name AS type_name, e.object_type,
           coalesce(nullif(nullif(e.predefined_type, 'NOTDEFINED'), 'USERDEFINED'),
                    t.attributes->'PredefinedType'->>'value') AS predefined,
           coalesce(t.psets, '{}') || e.psets AS psets, e.psets ? 'Twin_Points' AS described,
           room.name AS room, room.long_name AS room_name, e.space_id IS NOT NULL AS in_room
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN element_type t ON t.id = e.type_id LEFT JOIN element room ON room.id = e.space_id
    WHERE e.building_id = %(building)s AND (%(model)s::uuid IS NULL OR e.model_id = %(model)s)
      AND EXISTS (SELECT FROM ifc_class c WHERE c.name IN (e.ifc_class, replace(coalesce(t.ifc_class, ''), 'Type', ''))
                  AND c.ancestor IN ('IfcDistributionControlElement', 'IfcFlowMeter', 'IfcSensor', 'IfcActuator'))
    ORDER BY e.ifc_class, e.name, e.global_id
"""


@cache
def device_points() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Points by IFC class, or class and predefined type."""
    table = tomllib.loads(files("telemetry").joinpath("device_points.toml").read_text("utf-8"))
    return {name: entry["points"] for name, entry in table.items()}


async def points_of_devices(conn: Conn, building_id: UUID, *, model: str | None = None) -> list[Draft]:
    """Drafts of the points of all sensors, actuators, instruments and meters of a building, or of one model.

    Devices that describe their points themselves (`Twin_Points`), or that have points already, are left out, but for
    those that were made here: they come again, for what changed in the model. Raises NotFound `model.unknown`.
    """
    found = await rows(conn, _DEVICES, {"building": building_id, "model": await _model(conn, building_id, model)})
    made = await rows(
        conn,
        """SELECT key, element_id, properties->>'device' AS device, properties->>'part' AS part FROM point
           WHERE building_id = %s AND (properties ? 'device' OR element_id = ANY(%s))""",
        (building_id, [each["id"] for each in found]),
    )
    keys = {(each["device"], each["part"]): each["key"] for each in made if each["device"]}
    taken = {each["element_id"] for each in made if not each["device"]}
    name = await row(conn, "SELECT name FROM building WHERE id = %s", (building_id,))
    slug = _slug(name["name"] if name else "") or "building"
    called = Counter(_slug(each["tag"] or each["name"] or "") for each in found)
    drafts: list[Draft] = []
    for device in found:
        if not device["described"] and device["id"] not in taken:
            drafts += _drafts(device, slug, called, keys, len(drafts))
    return drafts


async def _model(conn: Conn, building_id: UUID, ref: str | None) -> UUID | None:
    if ref is None:
        return None
    sql = "SELECT id FROM model WHERE building_id = %(building)s AND (id::text = %(ref)s OR name = %(ref)s)"
    found = await row(conn, sql, {"building": building_id, "ref": ref})
    if found is None:
        raise NotFound("model.unknown", where="model", id=ref, model=ref)
    return UUID(str(found["id"]))


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.strip().lower()).strip("-_")[:80]


def _drafts(
    device: Mapping[str, Any], slug: str, called: Mapping[str, int], keys: Mapping[tuple[str, str], str], count: int
) -> Iterator[Draft]:
    facts = _facts_of(device)
    own = _slug(device["tag"] or device["name"] or "")
    part = own if own and called[own] == 1 else device["global_id"]
    place = " ".join(each for each in (device["room"], device["room_name"]) if each)
    for n, point in enumerate(facts, 1):
        kind = point.get("kind", "number")
        word = _slug(point["en"])
        known = keys.get((device["global_id"], word))
        low, high = _range(device["psets"], point.get("unit"))
        label = device["name"] or device["tag"] or device["type_name"] or device["ifc_class"]
        name = " · ".join(each for each in (label, place, f"{point['zh']} {point['en']}") if each)[:200]
        stated = {
            "key": known or f"{slug}.{part}.{word}",
            "quantity": point.get("quantity"),
            "unit": point.get("unit"),
            "brick_class": point.get("in_room") if device["in_room"] and "in_room" in point else point["brick"],
        }
        # A point that is there keeps what people made of it: its name, its range, its element.
        first = {} if known else {
            "name": name, "kind": kind, "writable": bool(point.get("writable")), "element_id": device["id"],
            "labels": point.get("labels"), "min_value": point.get("low", low), "max_value": point.get("high", high),
            "properties": {"device": device["global_id"], "part": word, "ifc": _class_of(device)},
        }  # fmt: skip
        given = {name: value for name, value in {**stated, **first}.items() if value is not None}
        key = given.pop("key")
        yield Draft(count + n, {"key": f"'{key}" if key[0] in "=+-@'" else key}, facts=given if not known else {})


def _class_of(device: Mapping[str, Any]) -> str:
    name = device["type_class"] if device["type_class"] in _CLASSES else device["ifc_class"]
    return f"{name}.{device['predefined']}" if device["predefined"] else str(name)


_CLASSES: Final = frozenset(name.split(".")[0] for name in device_points())


def _facts_of(device: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The points of its class and predefined type; where the type says nothing, those that its name speaks of."""
    name = _class_of(device)
    found = device_points().get(name) or device_points().get(name.split(".")[0])
    if found:
        return found
    base = name.split(".")[0]
    text = " ".join(str(device[each] or "") for each in ("name", "object_type", "type_name", "predefined")).casefold()
    for entry, points in device_points().items():
        if entry.startswith((f"{base}.", "IfcSensor.")) and any(
            re.search(rf"{re.escape(word.casefold())}", text) for each in points for word in (each["en"], each["zh"])
        ):
            return points
    return ()


def _range(psets: Mapping[str, Any], unit: str | None) -> tuple[float | None, float | None]:
    """What the sensor measures from and to, as its property sets say (…Range, bounded), in the point's unit."""
    for entries in psets.values():
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            value = entry.get("value") if isinstance(entry, dict) else None
            if not (name.endswith("Range") and isinstance(value, dict) and entry.get("kind") == "bounded"):
                continue
            given = unit_code(str(entry.get("unit") or unit or ""))
            if unit is None or not convertible(given, unit):
                continue
            a, b = scale(given, unit)
            low, high = value.get("lower"), value.get("upper")
            numbers = [None if not isinstance(each, int | float) else a * each + b for each in (low, high)]
            return numbers[0], numbers[1]
    return None, None
