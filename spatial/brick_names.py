"""What IFC calls things and what Brick calls them: one table.

Brick has no pipes and ducts: what only carries is `Equipment`, and `feeds` runs through it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from twin.brick import brick_classes

EQUIPMENT: Final[Mapping[str, str]] = {
    # IfcClass or IfcClass.PREDEFINEDTYPE: Brick class; the first that fits of the class's own and its ancestors'
    "IfcAirTerminal": "Air_Diffuser",
    "IfcAirTerminalBox": "Terminal_Unit",
    "IfcAirTerminalBox.CONSTANTFLOW": "CAV",
    "IfcAirTerminalBox.VARIABLEFLOWPRESSUREDEPENDANT": "VAV",
    "IfcAirTerminalBox.VARIABLEFLOWPRESSUREINDEPENDANT": "VAV",
    "IfcAirToAirHeatRecovery": "Heat_Exchanger",
    "IfcAirToAirHeatRecovery.ROTARYWHEEL": "Heat_Wheel",
    "IfcAlarm": "Fire_Alarm",
    "IfcAlarm.BREAKGLASSBUTTON": "Fire_Alarm_Manual_Call_Point",
    "IfcAlarm.MANUALPULLBOX": "Fire_Alarm_Pull_Station",
    "IfcAudioVisualAppliance": "Audio_Visual_Equipment",
    "IfcAudioVisualAppliance.CAMERA": "Camera",
    "IfcBoiler": "Boiler",
    "IfcBurner": "HVAC_Equipment",
    "IfcChiller": "Chiller",
    "IfcChiller.AIRCOOLED": "Air_Cooled_Chiller",
    "IfcChiller.WATERCOOLED": "Water_Cooled_Chiller",
    "IfcCoil": "Coil",
    "IfcCoil.DXCOOLINGCOIL": "Direct_Expansion_Cooling_Coil",
    "IfcCoil.WATERCOOLINGCOIL": "Chilled_Water_Coil",
    "IfcCoil.WATERHEATINGCOIL": "Hot_Water_Coil",
    "IfcCommunicationsAppliance": "ICT_Equipment",
    "IfcCommunicationsAppliance.NETWORKAPPLIANCE": "Data_Network_Equipment",
    "IfcCommunicationsAppliance.ROUTER": "Network_Router",
    "IfcCommunicationsAppliance.SWITCH": "Ethernet_Switch",
    "IfcCompressor": "Compressor",
    "IfcCondenser": "Condenser_Heat_Exchanger",
    "IfcController": "Controller",
    "IfcCooledBeam": "Chilled_Beam",
    "IfcCooledBeam.ACTIVE": "Active_Chilled_Beam",
    "IfcCooledBeam.PASSIVE": "Passive_Chilled_Beam",
    "IfcCoolingTower": "Cooling_Tower",
    "IfcDamper": "Damper",
    "IfcDamper.RELIEFDAMPER": "Relief_Damper",
    "IfcDistributionElement": "Equipment",
    "IfcDuctSilencer": "HVAC_Equipment",
    "IfcElectricDistributionBoard": "Switchgear",
    "IfcElectricDistributionBoard.DISTRIBUTIONBOARD": "Breaker_Panel",
    "IfcElectricDistributionBoard.MOTORCONTROLCENTRE": "Motor_Control_Center",
    "IfcElectricDistributionPoint": "Breaker_Panel",
    "IfcElectricFlowStorageDevice": "Energy_Storage",
    "IfcElectricFlowStorageDevice.BATTERY": "Battery",
    "IfcElectricGenerator": "Electrical_Equipment",
    "IfcElectricMotor": "Motor",
    "IfcElectricAppliance": "Electrical_Equipment",
    "IfcElectricalElement": "Electrical_Equipment",
    "IfcEvaporativeCooler": "HVAC_Equipment",
    "IfcEvaporator": "Evaporative_Heat_Exchanger",
    "IfcFan": "Fan",
    "IfcFilter": "Filter",
    "IfcFilter.AIRPARTICLEFILTER": "Filter",
    "IfcFireSuppressionTerminal": "Fire_Safety_Equipment",
    "IfcFlowMeter": "Meter",
    "IfcFlowMeter.ENERGYMETER": "Electrical_Meter",
    "IfcFlowMeter.GASMETER": "Gas_Meter",
    "IfcFlowMeter.WATERMETER": "Water_Meter",
    "IfcHeatExchanger": "Heat_Exchanger",
    "IfcHeatExchanger.PLATE": "Plate_Heat_Exchanger",
    "IfcHumidifier": "Humidifier",
    "IfcInterceptor": "Equipment",
    "IfcInterceptor.GREASE": "Grease_Interceptor",
    "IfcLamp": "Light_Source",
    "IfcLightFixture": "Luminaire",
    "IfcMedicalDevice": "Equipment",
    "IfcMotorConnection": "Motor",
    "IfcOutlet": "Electrical_Equipment",
    "IfcProtectiveDevice": "Circuit_Breaker",
    "IfcProtectiveDevice.FUSEDISCONNECTOR": "Disconnect_Switch",
    "IfcPump": "Pump",
    "IfcPump.CIRCULATOR": "Circulator_Pump",
    "IfcSanitaryTerminal": "Equipment",
    "IfcSensor": "Sensor_Equipment",
    "IfcSensor.HEATSENSOR": "Heat_Detector",
    "IfcSensor.MOVEMENTSENSOR": "Occupancy_Sensor_Equipment",
    "IfcSensor.SMOKESENSOR": "Smoke_Detector",
    "IfcShadingDevice": "Shading_Equipment",
    "IfcSolarDevice": "Solar_Thermal_Collector",
    "IfcSolarDevice.SOLARPANEL": "PV_Panel",
    "IfcSpaceHeater": "Space_Heater",
    "IfcSpaceHeater.RADIATOR": "Radiator",
    "IfcSwitchingDevice": "Switch",
    "IfcSwitchingDevice.DIMMERSWITCH": "Dimmer",
    "IfcSwitchingDevice.RELAY": "Relay",
    "IfcSwitchingDevice.SWITCHDISCONNECTOR": "Disconnect_Switch",
    "IfcTank": "Tank",
    "IfcTank.EXPANSION": "Thermal_Expansion_Tank",
    "IfcTank.STORAGE": "Storage_Tank",
    "IfcTransformer": "Transformer",
    "IfcTransportElement": "Equipment",
    "IfcTransportElement.ELEVATOR": "Elevator",
    "IfcTubeBundle": "Heat_Exchanger",
    "IfcUnitaryControlElement": "Controller",
    "IfcUnitaryControlElement.THERMOSTAT": "Thermostat",
    "IfcUnitaryControlElement.WEATHERSTATION": "Weather_Station",
    "IfcUnitaryEquipment": "HVAC_Equipment",
    "IfcUnitaryEquipment.AIRCONDITIONINGUNIT": "Air_Handling_Unit",
    "IfcUnitaryEquipment.AIRHANDLER": "Air_Handling_Unit",
    "IfcUnitaryEquipment.ROOFTOPUNIT": "Rooftop_Unit",
    "IfcUnitaryEquipment.SPLITSYSTEM": "Condensing_Unit",
    "IfcValve": "Valve",
    "IfcValve.CHECK": "Check_Valve",
    "IfcValve.GASCOCK": "Gas_Valve",
    "IfcValve.ISOLATING": "Isolation_Valve",
    "IfcValve.MIXING": "Mixing_Valve",
    "IfcValve.PRESSUREREDUCING": "Pressure_Reducing_Valve",
    "IfcValve.PRESSURERELIEF": "Pressure_Relief_Valve",
}
SYSTEMS: Final[Mapping[str, str]] = {
    # PredefinedType of an IfcDistributionSystem: Brick class
    "AIRCONDITIONING": "Heating_Ventilation_Air_Conditioning_System",
    "CHILLEDWATER": "Chilled_Water_System",
    "CONDENSERWATER": "Condenser_Water_System",
    "DOMESTICCOLDWATER": "Water_System",
    "DOMESTICHOTWATER": "Domestic_Hot_Water_System",
    "ELECTRICAL": "Electrical_System",
    "EXHAUST": "Ventilation_Air_System",
    "FIREPROTECTION": "Fire_Safety_System",
    "GAS": "Gas_System",
    "HEATING": "Hot_Water_System",
    "LIGHTING": "Lighting_System",
    "POWERGENERATION": "Energy_Generation_System",
    "REFRIGERATION": "Refrigeration_System",
    "VENTILATION": "Ventilation_Air_System",
    "WATERSUPPLY": "Water_System",
}
ROOM_FEEDERS: Final = ("IfcAirTerminal", "IfcSpaceHeater", "IfcCooledBeam", "IfcLightFixture")
"""What conditions the room it stands in: it `feeds` it."""


def equipment_class(ifc_class: str, type_class: str | None, predefined: str | None, ancestors: Iterable[str]) -> str:
    """Return the Brick class of an element; `ancestors` from the class up. IFC2X3 tells a boiler from its type only."""
    typed = (type_class or "").removesuffix("Type")
    for name in (ifc_class, typed, *ancestors):
        found = EQUIPMENT.get(f"{name}.{predefined}") or EQUIPMENT.get(name)
        if found and (name != "IfcDistributionElement" or typed not in EQUIPMENT):
            return found
    return "Equipment"


def system_class(ifc_class: str, predefined: str | None) -> str:
    """Return the Brick class of a system or zone."""
    if ifc_class in ("IfcZone", "IfcSpatialZone"):
        return "Zone"
    return SYSTEMS.get(predefined or "", "System")


def point_class(name: str | None) -> str:
    """Return a point's Brick class, `Point` where it has none that Brick knows."""
    return name if name is not None and brick_classes().get(name) == "point" else "Point"
