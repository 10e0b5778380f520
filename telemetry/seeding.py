"""Points for a whole building at once: those its model describes, or a believable set for any other model.

`twin sample` describes points in the property set `Twin_Points` of an element: one property per point, its name the
role (`roles.toml`), its value compact JSON with key, kind, unit, brick, quantity, writable and sim.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import Actor, audit
from telemetry.points import NewPoint, check_point
from telemetry.units import get_unit
from twin.db import Conn, row, rows
from twin.errors import Invalid
from twin.events import emit

BIG_ROOM_M2: Final = 12.0  # rooms from this size on get a CO2 sensor
MOST_ROOMS: Final = 400
MOST_MACHINES: Final = 300
INTERVAL_S: Final = 60.0  # what the simulator keeps

_SHOWN: LiteralString = """
    FROM element e JOIN model m ON m.id = e.model_id AND e.last_version = m.current_version
    LEFT JOIN storey st ON st.id = e.storey_id LEFT JOIN space sp ON sp.element_id = e.id
    WHERE e.building_id = %(building)s
"""


@dataclass(frozen=True, slots=True)
class Role:
    """What a point of a role is like."""

    kind: str
    unit: str | None
    brick: str
    sim: str
    writable: bool = False


ROLES: Final[Mapping[str, Role]] = {
    "Temperature": Role("number", "DEG_C", "Zone_Air_Temperature_Sensor", "room_temperature"),
    "CO2": Role("number", "PPM", "Zone_CO2_Level_Sensor", "room_co2"),
    "PumpRun": Role("bool", None, "On_Off_Status", "pump_run"),
    "PumpFault": Role("bool", None, "Fault_Status", "fault"),
    "Power": Role("number", "KiloW", "Active_Power_Sensor", "power"),
    "FanRun": Role("bool", None, "Fan_On_Off_Status", "fan_run"),
    "FanSpeed": Role("number", "PERCENT", "Fan_Speed_Command", "fan_speed_command", True),
    "SupplyTemperature": Role("number", "DEG_C", "Supply_Air_Temperature_Sensor", "ahu_supply_temperature"),
    "SupplySetpoint": Role("number", "DEG_C", "Supply_Air_Temperature_Setpoint", "ahu_supply_setpoint", True),
    "Energy": Role("number", "KiloW-HR", "Energy_Sensor", "energy_meter"),
    "Level": Role("number", "M", "Water_Level_Sensor", "tank_level"),
    "Light": Role("bool", None, "On_Off_Command", "light_command", True),
    "LiftPosition": Role("number", "M", "Position_Sensor", "lift_position"),
    "LiftRun": Role("bool", None, "On_Off_Status", "lift_run"),
    "Smoke": Role("bool", None, "Smoke_Detection_Alarm", "smoke"),
    "DoorOpen": Role("bool", None, "Contact_Sensor", "door_open"),
    "OutsideTemperature": Role("number", "DEG_C", "Outside_Air_Temperature_Sensor", "outside_temperature"),
}
# Which machines get which points: classes of IFC4, and of IFC2X3 by what their name or type says.
MACHINES: Final[Sequence[tuple[str, str, tuple[str, ...]]]] = (
    (r"IfcPump$", r"\bpump|水泵|pumpe", ("PumpRun", "PumpFault", "Power")),
    (r"IfcUnitaryEquipment$|IfcAirToAirHeatRecovery$", r"air.?handl|\bahu\b|空调机组|lüftungsger",
     ("FanRun", "FanSpeed", "SupplyTemperature", "SupplySetpoint", "Power")),
    (r"IfcFan$", r"\bfan\b|风机|ventilator", ("FanRun", "FanSpeed", "Power")),
    (r"IfcBoiler$|IfcChiller$|IfcCoolingTower$|IfcHeatPump$", r"boiler|chiller|heat pump|kessel|锅炉|冷水机组|热泵",
     ("FanRun", "Power")),
    (r"IfcTank$", r"\btank\b|水箱|speicher", ("Level",)),
    (r"IfcElectricDistributionBoard$|IfcElectricDistributionPoint$|IfcTransformer$", r"panelboard|switchboard|配电",
     ("Power", "Energy")),
    (r"IfcTransportElement$", r"\blift\b|elevator|电梯|aufzug", ("LiftRun", "LiftPosition")),
    (r"IfcFlowMeter$", r"\bmeter\b|电表", ("Energy",)),
)  # fmt: skip


@cache
def _role_names() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("telemetry").joinpath("roles.toml").read_text("utf-8"))


def _name(element: str, role: str) -> str:
    names = _role_names().get(role, {"en": role, "zh": role})
    return f"{element} · {names['zh']} {names['en']}"[:200]


async def points_from_elements(conn: Conn, actor: Actor, building_id: UUID) -> int:
    """Make the points that the building's model describes in `Twin_Points`; returns how many are new.

    A key that another building has is prefixed with this building's name. Points that are there already keep what
    users made of them. Raises Invalid where a description makes no sense, naming the element.
    """
    found = await rows(
        conn,
        "SELECT e.id, e.global_id, coalesce(e.name, e.long_name, e.ifc_class) AS name, e.psets->'Twin_Points' AS points"
        + _SHOWN
        + " AND e.psets ? 'Twin_Points' ORDER BY e.ifc_class, e.name, e.global_id",
        {"building": building_id},
    )
    return await _write(conn, actor, building_id, [point for each in found for point in _described(each)])


def _described(element: Mapping[str, Any]) -> Iterator[NewPoint]:
    for role, entry in element["points"].items():
        try:
            facts = json.loads(entry["value"])
            kind = facts["kind"]
            yield NewPoint(
                key=facts["key"],
                name=_name(element["name"], role),
                kind=kind,
                unit=facts.get("unit") if kind == "number" else None,
                quantity=facts.get("quantity"),
                brick_class=facts.get("brick"),
                element_id=element["id"],
                writable=bool(facts.get("writable")),
                expected_interval=INTERVAL_S,
                properties={"sim": facts.get("sim"), "role": role},
                min_value=_limits(facts.get("sim"))[0],
                max_value=_limits(facts.get("sim"))[1],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid("point.description", where=element["global_id"], role=role, reason=str(error)) from None


def _limits(sim: str | None) -> tuple[float | None, float | None]:
    """What a writable setpoint may be set to: (lowest, highest)."""
    ranges = {"ahu_supply_setpoint": (12.0, 30.0), "fan_speed_command": (0.0, 100.0)}
    return ranges.get(sim or "", (None, None))


async def points_for_demo(conn: Conn, actor: Actor, building_id: UUID) -> int:
    """Make believable points for any model: rooms, machines, and the weather; returns how many are new."""
    rooms = await rows(
        conn,
        "SELECT e.id, e.global_id, coalesce(e.long_name, e.name, 'Room') AS name, e.name AS number, sp.area"
        + _SHOWN
        + " AND e.ifc_class = 'IfcSpace' ORDER BY st.elevation NULLS LAST, e.name, e.global_id LIMIT %(limit)s",
        {"building": building_id, "limit": MOST_ROOMS},
    )
    machines = await rows(
        conn,
        "SELECT e.id, e.global_id, e.ifc_class, coalesce(e.name, e.ifc_class) AS name,"
        " concat_ws(' ', e.name, e.object_type) AS text"
        + _SHOWN
        + """ AND EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class
                          AND c.ancestor IN ('IfcDistributionElement', 'IfcTransportElement', 'IfcElectricalElement'))
             AND NOT EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor IN
                             ('IfcFlowSegment', 'IfcFlowFitting', 'IfcDistributionPort'))
             ORDER BY e.ifc_class, e.name, e.global_id""",
        {"building": building_id},
    )
    slug = await _slug(conn, building_id)
    new = [*_rooms(slug, rooms), *_machines(slug, machines)]
    outside = _make(slug, None, "outside", "Weather 天气", "OutsideTemperature")
    return await _write(conn, actor, building_id, [outside, *new])


def _rooms(slug: str, rooms: Iterable[Mapping[str, Any]]) -> Iterator[NewPoint]:
    for room in rooms:
        number = "" if room["number"] in (None, room["name"]) else f"{room['number']} "
        yield _make(slug, room, room["global_id"], number + room["name"], "Temperature")
        if (room["area"] or 0.0) >= BIG_ROOM_M2:
            yield _make(slug, room, room["global_id"], number + room["name"], "CO2")


def _machines(slug: str, machines: Iterable[Mapping[str, Any]]) -> Iterator[NewPoint]:
    count = 0
    for machine in machines:
        for classes, words, roles in MACHINES:
            if re.search(classes, machine["ifc_class"]) or (
                machine["ifc_class"].startswith("IfcFlow") and re.search(words, machine["text"], re.IGNORECASE)
            ):
                count += 1
                if count > MOST_MACHINES:
                    return
                yield from (_make(slug, machine, machine["global_id"], machine["name"], role) for role in roles)
                break


def _make(slug: str, element: Mapping[str, Any] | None, part: str, name: str, role: str) -> NewPoint:
    facts = ROLES[role]
    return NewPoint(
        key=f"{slug}.{part}.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', role).lower()}",
        name=_name(name, role),
        kind=facts.kind,  # type: ignore[arg-type]
        unit=facts.unit,
        brick_class=facts.brick,
        element_id=element["id"] if element else None,
        writable=facts.writable,
        expected_interval=INTERVAL_S,
        properties={"sim": facts.sim, "role": role},
        min_value=_limits(facts.sim)[0],
        max_value=_limits(facts.sim)[1],
    )


async def _slug(conn: Conn, building_id: UUID) -> str:
    found = await row(conn, "SELECT name FROM building WHERE id = %s", (building_id,))
    name = found["name"] if found else str(building_id)
    return re.sub(r"[^\w]+", "_", name.strip().lower()).strip("_")[:60] or "building"


async def _write(conn: Conn, actor: Actor, building_id: UUID, new: Sequence[NewPoint]) -> int:
    """Insert points in one statement. Keys of other buildings get this one's prefix; points it has stay as they are."""
    taken = await rows(
        conn,
        "SELECT key FROM point WHERE key = ANY(%s) AND building_id <> %s",
        ([point.key for point in new], building_id),
    )
    foreign = {each["key"] for each in taken}
    slug = await _slug(conn, building_id)
    for point in new:
        check_point(point)
    made = await conn.execute(
        """INSERT INTO point (building_id, key, name, kind, unit, quantity, brick_class, element_id, writable,
                              min_value, max_value, expected_interval, properties)
           SELECT %(building)s, r.key, r.name, r.kind, r.unit, r.quantity, r.brick_class, r.element_id, r.writable,
                  r.min_value, r.max_value, make_interval(secs => r.expected_interval), r.properties
           FROM jsonb_to_recordset(%(points)s) AS r(key text, name text, kind text, unit text, quantity text,
                brick_class text, element_id uuid, writable bool, min_value float8, max_value float8,
                expected_interval float8, properties jsonb)
           ON CONFLICT (key) DO NOTHING""",
        {"building": building_id, "points": Jsonb([_row(point, slug, foreign) for point in new])},
    )
    if made.rowcount:
        await emit(conn, "point", {"change": "created", "count": made.rowcount}, building_id=building_id)
        await audit.record(conn, actor, "point.create", f"building:{building_id}", after={"count": made.rowcount})
    return made.rowcount


def _row(point: NewPoint, slug: str, foreign: set[str]) -> dict[str, Any]:
    return {
        "key": f"{slug}.{point.key}" if point.key in foreign else point.key,
        "name": point.name,
        "kind": point.kind,
        "unit": point.unit,
        "quantity": point.quantity or (get_unit(point.unit).quantities[0] if point.unit else None),
        "brick_class": point.brick_class,
        "element_id": str(point.element_id) if point.element_id else None,
        "writable": point.writable,
        "min_value": point.min_value,
        "max_value": point.max_value,
        "expected_interval": point.expected_interval,
        "properties": point.properties or {},
    }
