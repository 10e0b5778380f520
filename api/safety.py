"""Is the building safe: its fire system and its lifts, as far as points tell of them (7.3.2, 7.3.3a)."""

from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from twin.db import Conn, row, rows

FIRE_CLASSES: Final = ("IfcAlarm", "IfcFireSuppressionTerminal")
FIRE_SENSORS: Final = ("SMOKESENSOR", "FIRESENSOR", "HEATSENSOR", "IONISATIONSENSOR")
NO_LIFTS: Final = ("ESCALATOR", "MOVINGWALKWAY", "CRANEWAY", "LIFTINGGEAR")

_SHOWN: LiteralString = "JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version"
_IS_DEVICE: LiteralString = """(e.ifc_class = ANY(%(fire_classes)s)
    OR e.ifc_class = 'IfcSensor' AND e.predefined_type = ANY(%(fire_sensors)s))"""
# A flow switch of a sprinkler says "Water_Alarm", as a leak sensor in a kitchen may: it counts within fire protection.
_FIRE: LiteralString = """
    SELECT p.handle, e.id, e.storey_id, e.space_id, l.num,
           coalesce(l.ts > now() - p.patience AND l.q < 2, false) AS speaks
    FROM point p LEFT JOIN latest l ON l.point_id = p.handle LEFT JOIN element e ON e.id = p.element_id
    WHERE p.building_id = %(building)s AND p.retired_at IS NULL AND p.kind = 'bool'
      AND (p.brick_class ~ '(Smoke|Fire)' OR p.brick_class = 'Emergency_Alarm'
           OR e.id IS NOT NULL AND """ + _IS_DEVICE + """
           OR p.brick_class = 'Water_Alarm' AND EXISTS (
             SELECT FROM element_group_member g JOIN element_group s ON s.id = g.group_id
             WHERE g.element_id = e.id AND s.predefined_type = 'FIREPROTECTION'))
    ORDER BY p.handle
"""  # fmt: skip
_DEVICES: LiteralString = (
    "SELECT count(*) AS count FROM element e " + _SHOWN + " WHERE e.building_id = %(building)s AND " + _IS_DEVICE
)
_LIFTS: LiteralString = (
    """SELECT e.id, coalesce(e.name, e.long_name, e.tag, e.global_id) AS name, e.storey_id, e.space_id,
              count(p.handle) AS points,
              count(*) FILTER (WHERE l.ts > now() - p.patience AND l.q < 2) AS speaking,
              coalesce(bool_or(p.kind = 'bool' AND p.brick_class ~ '(Fault|Alarm)' AND l.num <> 0
                               AND l.ts > now() - p.patience AND l.q < 2), false) AS fault,
              EXISTS (SELECT FROM alarm a WHERE a.element_id = e.id AND a.closed_at IS NULL) AS alarm
       FROM element e """
    + _SHOWN
    + """ LEFT JOIN point p ON p.element_id = e.id AND p.retired_at IS NULL LEFT JOIN latest l ON l.point_id = p.handle
       WHERE e.building_id = %(building)s
         AND (e.ifc_class = 'IfcTransportElement' AND NOT coalesce(e.predefined_type, '') = ANY(%(no_lifts)s)
              OR e.ifc_class = 'IfcTransportationDevice' AND e.predefined_type = 'ELEVATOR')
       GROUP BY e.id ORDER BY name, e.id"""
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place to mark in the building's picture. `tone`: ok, warn or bad."""

    storey_id: UUID | None
    space_id: UUID | None
    element_id: UUID | None
    tone: str


@dataclass(frozen=True, slots=True)
class Fire:
    """`devices`: detectors, buttons and sprinklers in the model; the others count their points."""

    devices: int
    points: int
    speaking: int  # whose value is not too old
    alarms: int  # that say fire now


@dataclass(frozen=True, slots=True)
class Lift:
    """`state`: running, fault, silent (its points say nothing) or unwatched (it has none)."""

    id: UUID
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Safety:
    """Fire system and lifts; `spots`: where something is wrong with them."""

    fire: Fire
    lifts: list[Lift]
    spots: list[Spot]


async def safety(conn: Conn, building: UUID) -> Safety:
    """How the fire system and the lifts of a building are."""
    about = {"building": building, "fire_classes": list(FIRE_CLASSES), "fire_sensors": list(FIRE_SENSORS)}
    about["no_lifts"] = list(NO_LIFTS)
    points = await rows(conn, _FIRE, about)
    devices = await row(conn, _DEVICES, about) or {"count": 0}
    burning = [each for each in points if each["speaks"] and each["num"]]
    fire = Fire(devices["count"], len(points), sum(each["speaks"] for each in points), len(burning))
    found = await rows(conn, _LIFTS, about)
    lifts = [Lift(each["id"], each["name"], _state(each)) for each in found]
    spots = [Spot(each["storey_id"], each["space_id"], each["id"], "bad") for each in burning]
    spots += [
        Spot(each["storey_id"], each["space_id"], each["id"], "bad" if lift.state == "fault" else "warn")
        for each, lift in zip(found, lifts, strict=True)
        if lift.state in ("fault", "silent")
    ]
    return Safety(fire, lifts, spots)


def _state(lift: dict[str, Any]) -> str:
    if lift["fault"] or lift["alarm"]:
        return "fault"
    if not lift["points"]:
        return "unwatched"
    return "running" if lift["speaking"] else "silent"
