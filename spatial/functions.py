"""What people lose when equipment stops: life safety first, then the services of the building."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LIFE_SAFETY: Final = frozenset(
    {"fire_detection", "fire_alarm", "fire_suppression", "smoke_control", "lift", "emergency_lighting"}
    | {"emergency_power", "medical"}
)
NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "fire_detection": ("Fire detection", "火灾探测"),
    "fire_alarm": ("Fire alarm", "火灾报警"),
    "fire_suppression": ("Fire fighting", "灭火"),
    "smoke_control": ("Smoke control", "防排烟"),
    "lift": ("Lifts", "电梯"),
    "emergency_lighting": ("Emergency lighting", "应急照明"),
    "emergency_power": ("Emergency power", "应急电源"),
    "medical": ("Medical supply", "医疗供应"),
    "power": ("Power", "供电"),
    "lighting": ("Lighting", "照明"),
    "data": ("Data and telephone", "数据与通信"),
    "security": ("Security", "安防"),
    "heating": ("Heating", "供暖"),
    "cooling": ("Cooling", "供冷"),
    "ventilation": ("Ventilation", "通风"),
    "water": ("Drinking water", "给水"),
    "hot_water": ("Hot water", "热水"),
    "sanitary": ("Sanitary fixtures", "卫生器具"),
    "drainage": ("Drainage", "排水"),
    "gas": ("Gas", "燃气"),
    "transport": ("Escalators and conveyors", "扶梯与输送"),
}
"""(English, Chinese), the gravest first."""

_BY_TYPE: Final[Mapping[tuple[str, str], str]] = {
    **{("IfcSensor", kind): "fire_detection" for kind in ("SMOKESENSOR", "FIRESENSOR", "HEATSENSOR", "COSENSOR")},
    **{("IfcDamper", kind): "smoke_control" for kind in ("FIREDAMPER", "SMOKEDAMPER", "FIRESMOKEDAMPER")},
    ("IfcLightFixture", "SECURITYLIGHTING"): "emergency_lighting",
    ("IfcTransportElement", "ELEVATOR"): "lift",
    ("IfcElectricFlowStorageDevice", "UPS"): "emergency_power",
    ("IfcElectricFlowStorageDevice", "BATTERY"): "emergency_power",
    ("IfcOutlet", "DATAOUTLET"): "data",
    ("IfcOutlet", "TELEPHONEOUTLET"): "data",
    ("IfcOutlet", "COMMUNICATIONSOUTLET"): "data",
}
_BY_CLASS: Final[Mapping[str, str]] = {
    "IfcFireSuppressionTerminal": "fire_suppression",
    "IfcAlarm": "fire_alarm",
    "IfcElectricGenerator": "emergency_power",
    "IfcMedicalDevice": "medical",
    "IfcTransportElement": "transport",
    "IfcLightFixture": "lighting",
    "IfcLamp": "lighting",
    "IfcOutlet": "power",
    "IfcElectricAppliance": "power",
    "IfcCommunicationsAppliance": "data",
    "IfcAudioVisualAppliance": "data",
    "IfcSpaceHeater": "heating",
    "IfcAirTerminal": "ventilation",
    "IfcAirTerminalBox": "ventilation",
    "IfcSanitaryTerminal": "sanitary",
    "IfcWasteTerminal": "drainage",
}
_BY_SYSTEM: Final[Mapping[str, str]] = {
    "FIREPROTECTION": "fire_suppression",
    "CONVEYING": "lift",
    "HEATING": "heating",
    "AIRCONDITIONING": "cooling",
    "CHILLEDWATER": "cooling",
    "REFRIGERATION": "cooling",
    "VENTILATION": "ventilation",
    "EXHAUST": "ventilation",
    "DOMESTICCOLDWATER": "water",
    "DOMESTICHOTWATER": "hot_water",
    "LIGHTING": "lighting",
    "ELECTRICAL": "power",
    "DATA": "data",
    "COMMUNICATION": "data",
    "TELEPHONE": "data",
    "SECURITY": "security",
    "SIGNAL": "fire_detection",
    "GAS": "gas",
    "DRAINAGE": "drainage",
    "SEWAGE": "drainage",
    "STORMWATER": "drainage",
    "WASTEWATER": "drainage",
    "RAINWATER": "drainage",
}


@dataclass(frozen=True, slots=True)
class TouchedFunction:
    """Something people rely on that an outage takes from them, and how much of it."""

    code: str
    life_safety: bool
    name: dict[str, str]  # en, zh
    count: int  # elements
    rooms: int  # that they are in
    examples: list[str]  # names of the first few


def functions(found: Iterable[Mapping[str, Any]]) -> list[TouchedFunction]:
    """Return what elements (ifc_class, type_class, predefined_type, kinds of their systems, name, space_id) are for."""
    of: dict[str, list[Mapping[str, Any]]] = {}
    for element in found:
        for code in codes(element):
            of.setdefault(code, []).append(element)
    return [
        TouchedFunction(
            code=code,
            life_safety=code in LIFE_SAFETY,
            name={"en": NAMES[code][0], "zh": NAMES[code][1]},
            count=len(elements),
            rooms=len({each["space_id"] for each in elements if each["space_id"]}),
            examples=_examples(elements),
        )
        for code in NAMES
        if (elements := of.get(code))
    ]


def codes(element: Mapping[str, Any]) -> list[str]:
    """Return the functions of one element: of what it is, else of the systems it belongs to."""
    kind = str(element["predefined_type"] or "")
    for name in (element["ifc_class"], str(element["type_class"] or "").removesuffix("Type")):
        code = _BY_TYPE.get((name, kind)) or _BY_CLASS.get(name)
        if code:
            return [code]
    return sorted({_BY_SYSTEM[kind] for kind in element["kinds"] if kind in _BY_SYSTEM})


def _examples(elements: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(each["name"]) for each in elements if each["name"]))[:5]
