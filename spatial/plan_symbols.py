"""Symbols of equipment on a plan: which one a class has, how it is drawn, what it is called.

Drawn after GB/T 50786 (electrical), GB/T 50114 (heating and ventilation), GB/T 4327 and ISO 6790 (fire protection), as
far as these agree; simple enough to be told apart at 3 mm. A symbol fills the square from -1 to 1, y down as in SVG.
"""
# ruff: noqa: E501 - a table is read by its rows

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: SVG elements inside the square from -1 to 1, and its names."""

    body: str
    zh: str
    en: str
    family: str  # electrical | fire | hvac | water | security | transport


def _circle(inside: str, r: float = 0.95) -> str:
    return f'<circle r="{r}"/>{inside}'


def _text(letters: str, size: float = 1.05) -> str:
    return f'<text y="{size * 0.36:.2f}" font-size="{size}">{letters}</text>'


def _square(inside: str) -> str:
    return f'<path d="M-.9-.9H.9V.9H-.9z"/>{inside}'


SYMBOLS: Final[dict[str, Symbol]] = {
    "luminaire": Symbol(_circle('<path d="M-.67-.67.67.67M-.67.67.67-.67"/>'), "灯具", "Luminaire", "electrical"),
    "emergency": Symbol(_square(_text("E", 1.3)), "应急照明/疏散标志", "Emergency light, exit sign", "fire"),
    "socket": Symbol('<path d="M-.9.35A.9.9 0 0 1 .9.35zM0-.55V-1"/>', "插座", "Socket", "electrical"),
    "switch": Symbol('<circle cx="-.5" cy=".5" r=".4"/><path d="M-.22.22.9-.9 .9-.3"/>', "开关", "Switch", "electrical"),
    "board": Symbol('<path d="M-1-.6H1V.6H-1z"/><path class="f" d="M-1 .6 1-.6V.6z"/>', "配电箱", "Board", "electrical"),
    "transformer": Symbol('<circle cx="-.35" r=".6"/><circle cx=".35" r=".6"/>', "变压器", "Transformer", "electrical"),
    "generator": Symbol(_circle(_text("G")), "发电机", "Generator", "electrical"),
    "motor": Symbol(_circle(_text("M")), "电动机", "Motor", "electrical"),
    "junction": Symbol('<circle r=".45" class="f"/>', "接线盒", "Junction box", "electrical"),
    "network": Symbol(
        '<circle r=".2" class="f" cy=".7"/><path d="M-.45.3A.6.6 0 0 1 .45.3M-.8-.1A1.05 1.05 0 0 1 .8-.1"/>',
        "通信设备", "Communications", "security"),
    "camera": Symbol('<path d="M-.95-.45H.35V.45H-.95zM.35-.1.95-.45V.45L.35.1"/>', "摄像机", "Camera", "security"),
    "access": Symbol(_square(_text("AC", 0.95)), "门禁", "Access control", "security"),
    "smoke": Symbol(_square('<path d="M.35-.6-.35.1.3.0-.3.65"/>'), "感烟探测器", "Smoke detector", "fire"),
    "heat": Symbol(_square('<path d="M0-.6V.3"/><circle cy=".4" r=".22" class="f"/>'), "感温探测器", "Heat detector", "fire"),
    "fire_alarm": Symbol(_square('<path d="M-.5.4H.5L.3.1V-.2A.3.3 0 0 0-.3-.2V.1z"/>'), "火灾报警器", "Fire alarm", "fire"),
    "sprinkler": Symbol('<circle r=".5"/><circle r=".16" class="f"/><path d="M0-1V-.5M0 .5V1M-1 0H-.5M.5 0H1"/>',
                        "喷头", "Sprinkler", "fire"),
    "hydrant": Symbol('<path d="M-1-.5H1V.5H-1z"/><path class="f" d="M-1-.5 1 .5H-1z"/>', "消火栓", "Hydrant, hose reel", "fire"),
    "extinguisher": Symbol('<path class="f" d="M0-.9 .85.8H-.85z"/>', "灭火器", "Fire extinguisher", "fire"),
    "sensor": Symbol(_circle(_text("S")), "传感器", "Sensor", "hvac"),
    "temperature": Symbol(_circle(_text("T")), "温度传感器", "Temperature sensor", "hvac"),
    "humidity": Symbol(_circle(_text("H")), "湿度传感器", "Humidity sensor", "hvac"),
    "co2": Symbol(_circle(_text("CO₂", 0.72)), "CO₂ 传感器", "CO₂ sensor", "hvac"),
    "pressure": Symbol(_circle(_text("P")), "压力传感器", "Pressure sensor", "hvac"),
    "flow": Symbol(_circle(_text("F")), "流量传感器", "Flow sensor", "hvac"),
    "motion": Symbol(_circle('<path d="M-.5.45 0-.5.5.45"/>'), "人体感应", "Presence sensor", "security"),
    "meter": Symbol(_square('<path d="M-.9-.3H.9"/>' + '<path d="M-.3.6 .3 0"/>'), "计量表", "Meter", "electrical"),
    "controller": Symbol(_square(_text("DDC", 0.72)), "控制器", "Controller", "hvac"),
    "actuator": Symbol('<circle cy="-.35" r=".5"/><path d="M0 .15V1M-.5 1H.5"/>', "执行器", "Actuator", "hvac"),
    "fan_coil": Symbol('<path d="M-1-.55H1V.55H-1z"/><path d="M-.6.3Q-.3-.6 0 0T.6-.3"/>', "风机盘管", "Fan coil", "hvac"),
    "fan": Symbol(_circle('<path d="M-.75-.55.8 0-.75.55"/>'), "风机", "Fan", "hvac"),
    "air_handler": Symbol('<path d="M-1-.7H1V.7H-1zM-.3-.7V.7M-1 .7-.3-.7"/><circle cx=".35" r=".42"/>',
                          "空调机组", "Air handling unit", "hvac"),
    "diffuser": Symbol(_square('<path d="M-.9-.9.9.9M-.9.9.9-.9M-.45-.45H.45V.45H-.45z"/>'), "风口", "Air terminal", "hvac"),
    "damper": Symbol('<path d="M-1-.6V.6M1-.6V.6M-.7.5.7-.5"/><circle r=".15" class="f"/>', "风阀", "Damper", "hvac"),
    "fire_damper": Symbol('<path d="M-1-.6V.6M1-.6V.6M-.7.5.7-.5M-.7-.5.7.5"/>', "防火阀", "Fire damper", "fire"),
    "radiator": Symbol('<path d="M-1-.4H1V.4H-1zM-.5-.4V.4M0-.4V.4M.5-.4V.4"/>', "散热器", "Radiator", "hvac"),
    "boiler": Symbol(_square('<path d="M0-.55Q.6.0.25.5H-.25Q-.6.0 0-.55z"/>'), "锅炉", "Boiler", "hvac"),
    "chiller": Symbol(_square('<path d="M0-.6V.6M-.52-.3.52.3M-.52.3.52-.3"/>'), "冷水机组", "Chiller", "hvac"),
    "cooling_tower": Symbol('<path d="M-.9.8H.9L.55-.8H-.55zM-.35-.2H.35M-.5.3H.5"/>', "冷却塔", "Cooling tower", "hvac"),
    "heat_exchanger": Symbol(_square('<path d="M-.9.9.9-.9M-.9.3.3-.9"/>'), "换热器", "Heat exchanger", "hvac"),
    "pump": Symbol(_circle('<path class="f" d="M-.55-.75.95 0-.55.75z"/>'), "水泵", "Pump", "water"),
    "valve": Symbol('<path d="M-1-.6V.6L1-.6V.6z"/>', "阀门", "Valve", "water"),
    "tank": Symbol('<path d="M-.7-.7V.9H.7V-.7A.7.35 0 0 0-.7-.7zM-.7-.7A.7.35 0 0 0 .7-.7"/>', "水箱", "Tank", "water"),
    "filter": Symbol(_square('<path stroke-dasharray=".25 .2" d="M0-.9V.9"/>'), "过滤器", "Filter", "hvac"),
    "drain": Symbol('<circle r=".7"/><circle r=".2" class="f"/>', "地漏", "Drain", "water"),
    "appliance": Symbol(_square('<path d="M-.9-.9.9.9"/>'), "设备", "Appliance", "electrical"),
    "equipment": Symbol(_square(""), "设备", "Equipment", "hvac"),
}  # fmt: skip

_BY_TYPE: Final[dict[tuple[str, str], str]] = {
    ("IfcLightFixture", "SECURITYLIGHTING"): "emergency",
    ("IfcSensor", "SMOKESENSOR"): "smoke",
    ("IfcSensor", "HEATSENSOR"): "heat",
    ("IfcSensor", "FIRESENSOR"): "smoke",
    ("IfcSensor", "TEMPERATURESENSOR"): "temperature",
    ("IfcSensor", "HUMIDITYSENSOR"): "humidity",
    ("IfcSensor", "CO2SENSOR"): "co2",
    ("IfcSensor", "PRESSURESENSOR"): "pressure",
    ("IfcSensor", "FLOWSENSOR"): "flow",
    ("IfcSensor", "MOVEMENTSENSOR"): "motion",
    ("IfcSensor", "IDENTIFIERSENSOR"): "access",
    ("IfcFireSuppressionTerminal", "SPRINKLER"): "sprinkler",
    ("IfcFireSuppressionTerminal", "SPRINKLERDEFLECTOR"): "sprinkler",
    ("IfcUnitaryEquipment", "AIRHANDLER"): "air_handler",
    ("IfcDamper", "FIREDAMPER"): "fire_damper",
    ("IfcDamper", "FIRESMOKEDAMPER"): "fire_damper",
    ("IfcDamper", "SMOKEDAMPER"): "fire_damper",
    ("IfcAudioVisualAppliance", "CAMERA"): "camera",
    ("IfcWasteTerminal", "FLOORTRAP"): "drain",
    ("IfcWasteTerminal", "FLOORWASTE"): "drain",
}
_BY_WORD: Final[tuple[tuple[str, str], ...]] = (
    ("灭火器", "extinguisher"), ("extinguisher", "extinguisher"), ("摄像", "camera"), ("camera", "camera"),
    ("风机盘管", "fan_coil"), ("fan coil", "fan_coil"), ("fcu", "fan_coil"), ("smoke detector", "smoke"),
    ("烟感", "smoke"), ("感烟", "smoke"), ("应急", "emergency"), ("exit sign", "emergency"), ("疏散", "emergency"),
    ("门禁", "access"), ("sprinkler", "sprinkler"), ("喷头", "sprinkler"), ("消火栓", "hydrant"),
)  # fmt: skip
_BY_CLASS: Final[dict[str, str]] = {
    "IfcLightFixture": "luminaire", "IfcLamp": "luminaire", "IfcOutlet": "socket", "IfcSwitchingDevice": "switch",
    "IfcElectricDistributionBoard": "board", "IfcElectricDistributionPoint": "board", "IfcProtectiveDevice": "board",
    "IfcTransformer": "transformer", "IfcElectricGenerator": "generator", "IfcElectricMotor": "motor",
    "IfcJunctionBox": "junction", "IfcCommunicationsAppliance": "network", "IfcAudioVisualAppliance": "network",
    "IfcSensor": "sensor", "IfcAlarm": "fire_alarm", "IfcController": "controller",
    "IfcUnitaryControlElement": "controller", "IfcActuator": "actuator", "IfcFlowMeter": "meter",
    "IfcFlowInstrument": "meter", "IfcFireSuppressionTerminal": "hydrant", "IfcUnitaryEquipment": "fan_coil",
    "IfcCoil": "fan_coil", "IfcFan": "fan", "IfcAirTerminal": "diffuser", "IfcAirTerminalBox": "damper",
    "IfcDamper": "damper", "IfcSpaceHeater": "radiator", "IfcBoiler": "boiler", "IfcChiller": "chiller",
    "IfcCoolingTower": "cooling_tower", "IfcHeatExchanger": "heat_exchanger", "IfcPump": "pump", "IfcValve": "valve",
    "IfcTank": "tank", "IfcFilter": "filter", "IfcStackTerminal": "drain", "IfcElectricAppliance": "appliance",
    "IfcElectricFlowStorageDevice": "generator", "IfcCompressor": "motor", "IfcCondenser": "heat_exchanger",
    "IfcEvaporator": "heat_exchanger", "IfcAirToAirHeatRecovery": "air_handler", "IfcInterceptor": "tank",
    "IfcMedicalDevice": "appliance", "IfcMobileTelecommunicationsAppliance": "network", "IfcSolarDevice": "equipment",
    "IfcHumidifier": "air_handler", "IfcCooledBeam": "fan_coil", "IfcBurner": "boiler", "IfcEngine": "generator",
    "IfcEnergyConversionDevice": "equipment", "IfcFlowMovingDevice": "pump", "IfcFlowStorageDevice": "tank",
    "IfcFlowController": "valve", "IfcFlowTreatmentDevice": "filter",
}  # fmt: skip
RUNS: Final = frozenset({"IfcFlowSegment", "IfcFlowFitting"})
"""Pipes, ducts and cables: lines, not symbols."""


def symbol_of(ancestors: Sequence[str], type_class: str | None, predefined: str | None, words: str) -> str | None:
    """Return the symbol of an element, None for what has none.

    `ancestors`: its class and those above it; `type_class`: that of its type (IFC2X3 says there what a thing is);
    `words`: its names.
    """
    kinds = [type_class.removesuffix("Type")] if type_class else []
    named = set(ancestors)
    kind = next((name for name in (*kinds, *_BY_CLASS) if name in _BY_CLASS and (name in kinds or name in named)), None)
    if kind is None and not named & {"IfcFlowTerminal", "IfcDistributionControlElement", "IfcFlowSegment"}:
        return None
    if kind is not None and predefined and (kind, predefined) in _BY_TYPE:
        return _BY_TYPE[(kind, predefined)]
    lower = words.lower()
    spoken = next((symbol for word, symbol in _BY_WORD if word in lower), None)
    return spoken or (_BY_CLASS[kind] if kind is not None else None)
