"""Data points of the sample's elements, as data.

Each element that has data carries a property set `Twin_Points`; the property's name is the role, its value compact
JSON: `{"key":"b1.dw_pump1.run","kind":"bool","unit":"UNITLESS","brick":"On_Off_Status","quantity":"Dimensionless",
"writable":false,"sim":"pump_run"}`. Units are QUDT unit codes, quantities QUDT quantity kinds, classes Brick classes.
A key is the storey and room, the device where the room has several, and the role's code: `f05.corridor.smoke1.alarm`;
in a building of several wings the wing comes first. `sim` names the behaviour that the simulator gives the point:

| role | kind | unit | sim | where |
|---|---|---|---|---|
| Temperature | number | DEG_C | room_temperature | living rooms, lobbies, corridors, plant rooms |
| CO2 | number | PPM | room_co2 | lobbies, corridors, offices |
| Humidity | number | PERCENT | room_humidity | lobbies, corridors, switch room |
| OutsideTemperature | number | DEG_C | outside_temperature | weather station on the roof |
| OutsideHumidity | number | PERCENT | outside_humidity | weather station on the roof |
| PumpRun | bool | UNITLESS | pump_run | pumps |
| PumpFault | bool | UNITLESS | fault | pumps |
| Flow | number | M3-PER-HR | pump_flow | flow sensors behind the pumps |
| Pressure | number | KiloPA | pump_pressure | pressure sensors behind the pumps and at hydrant risers |
| Level | number | M | tank_level | tanks |
| FanRun | bool | UNITLESS | fan_run | fans, air handlers |
| FanSpeed | number | PERCENT | fan_speed_command | fans with a drive, air handlers; writable |
| SupplyTemperature | number | DEG_C | ahu_supply_temperature | air handlers |
| SupplySetpoint | number | DEG_C | ahu_supply_setpoint | air handlers; writable |
| FilterPressure | number | PA | filter_pressure | air handlers |
| Energy | number | KiloW-HR | energy_meter | meters of flats, boards |
| Power | number | KiloW | power | boards, transformer |
| Voltage | number | V | voltage | main board |
| Current | number | A | current | main board |
| OilTemperature | number | DEG_C | transformer_temperature | transformer winding |
| Water | number | M3 | water_meter | meters of flats and of the mains |
| LiftPosition | number | M | lift_position | lifts: height of the car above F1 |
| LiftRun | bool | UNITLESS | lift_run | lifts |
| LiftFault | bool | UNITLESS | fault | lifts |
| Smoke | bool | UNITLESS | smoke | smoke and heat detectors |
| ManualAlarm | bool | UNITLESS | manual_alarm | break-glass buttons |
| DoorOpen | bool | UNITLESS | door_open | door contacts |
| WaterLeak | bool | UNITLESS | water_leak | leak sensors |
| CO | number | PPM | garage_co | garage |
| Light | bool | UNITLESS | light_command | lighting circuits of public areas; writable |
| WaterFlow | bool | UNITLESS | sprinkler_flow | sprinkler flow switches |
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """What kind of point a role is. `unit` and `quantity` are QUDT codes, `brick` a Brick class."""

    code: str  # last part of the point's key
    kind: str  # number | bool
    unit: str
    quantity: str
    brick: str
    sim: str
    writable: bool = False


def _state(code: str, brick: str, sim: str, *, writable: bool = False) -> Role:
    return Role(code, "bool", "UNITLESS", "Dimensionless", brick, sim, writable)


ROLES: dict[str, Role] = {
    "Temperature": Role(
        "temperature", "number", "DEG_C", "Temperature", "Zone_Air_Temperature_Sensor", "room_temperature"
    ),
    "CO2": Role("co2", "number", "PPM", "DimensionlessRatio", "Zone_CO2_Level_Sensor", "room_co2"),
    "Humidity": Role("humidity", "number", "PERCENT", "RelativeHumidity", "Zone_Air_Humidity_Sensor", "room_humidity"),
    "OutsideTemperature": Role(
        "temperature", "number", "DEG_C", "Temperature", "Outside_Air_Temperature_Sensor", "outside_temperature"
    ),
    "OutsideHumidity": Role(
        "humidity", "number", "PERCENT", "RelativeHumidity", "Outside_Air_Humidity_Sensor", "outside_humidity"
    ),
    "PumpRun": _state("run", "On_Off_Status", "pump_run"),
    "PumpFault": _state("fault", "Fault_Status", "fault"),
    "Flow": Role("flow", "number", "M3-PER-HR", "VolumeFlowRate", "Water_Flow_Sensor", "pump_flow"),
    "Pressure": Role("pressure", "number", "KiloPA", "Pressure", "Water_Pressure_Sensor", "pump_pressure"),
    "Level": Role("level", "number", "M", "Height", "Water_Level_Sensor", "tank_level"),
    "FanRun": _state("run", "Fan_On_Off_Status", "fan_run"),
    "FanSpeed": Role(
        "speed", "number", "PERCENT", "DimensionlessRatio", "Fan_Speed_Command", "fan_speed_command", writable=True
    ),
    "SupplyTemperature": Role(
        "supply_temperature",
        "number",
        "DEG_C",
        "Temperature",
        "Supply_Air_Temperature_Sensor",
        "ahu_supply_temperature",
    ),
    "SupplySetpoint": Role(
        "supply_setpoint",
        "number",
        "DEG_C",
        "Temperature",
        "Supply_Air_Temperature_Setpoint",
        "ahu_supply_setpoint",
        writable=True,
    ),
    "FilterPressure": Role(
        "filter_pressure", "number", "PA", "Pressure", "Filter_Differential_Pressure_Sensor", "filter_pressure"
    ),
    "Energy": Role("energy", "number", "KiloW-HR", "Energy", "Energy_Sensor", "energy_meter"),
    "Power": Role("power", "number", "KiloW", "ActivePower", "Active_Power_Sensor", "power"),
    "Voltage": Role("voltage", "number", "V", "Voltage", "Voltage_Sensor", "voltage"),
    "Current": Role("current", "number", "A", "ElectricCurrent", "Current_Sensor", "current"),
    "OilTemperature": Role(
        "winding_temperature", "number", "DEG_C", "Temperature", "Temperature_Sensor", "transformer_temperature"
    ),
    "Water": Role("water", "number", "M3", "Volume", "Water_Usage_Sensor", "water_meter"),
    "LiftPosition": Role("position", "number", "M", "Height", "Position_Sensor", "lift_position"),
    "LiftRun": _state("run", "On_Off_Status", "lift_run"),
    "LiftFault": _state("fault", "Fault_Status", "fault"),
    "Smoke": _state("alarm", "Smoke_Detection_Alarm", "smoke"),
    "ManualAlarm": _state("alarm", "Emergency_Alarm", "manual_alarm"),
    "DoorOpen": _state("open", "Contact_Sensor", "door_open"),
    "WaterLeak": _state("leak", "Leak_Alarm", "water_leak"),
    "CO": Role("co", "number", "PPM", "DimensionlessRatio", "CO_Level_Sensor", "garage_co"),
    "Light": _state("light", "On_Off_Command", "light_command", writable=True),
    "WaterFlow": _state("flow", "Water_Alarm", "sprinkler_flow"),
}
