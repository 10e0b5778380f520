"""Catalogue of what moves water and air: tanks, pumps, valves, terminals, fans, air handlers."""

from __future__ import annotations

from ifc_models.sample.model import Psets
from ifc_models.sample.products import block, measure, product, wall
from ifc_models.sample.shapes import Box, Part, Shape, Tube, X


def _louvre(width: float, height: float, style: str) -> Shape:
    rows = int(height / 0.1)
    slats: list[Part] = [
        Box((-width / 2 + 0.03, -0.04, 0.04 + i * 0.1), (width - 0.06, 0.03, 0.06), style) for i in range(rows)
    ]
    return (
        Box((-width / 2, -0.05, 0.0), (width, 0.05, 0.03), style),
        Box((-width / 2, -0.05, height - 0.03), (width, 0.05, 0.03), style),
        Box((-width / 2, -0.05, 0.03), (0.03, 0.05, height - 0.06), style),
        Box((width / 2 - 0.03, -0.05, 0.03), (0.03, 0.05, height - 0.06), style),
        *slats,
    )


def _pump(style: str, scale: float) -> Shape:
    """A vertical multistage pump: base, barrel, motor; flanges on both sides along x at 0.3 m."""
    s = scale
    return (
        Box((-0.3 * s, -0.25 * s, 0.0), (0.6 * s, 0.5 * s, 0.12), "concrete"),
        Tube((0.0, 0.0, 0.12), 0.16 * s, 0.7 * s, "steel"),
        Tube((0.0, 0.0, 0.12 + 0.7 * s), 0.19 * s, 0.45 * s, style),
        Tube((0.0, 0.0, 0.12 + 1.15 * s), 0.12 * s, 0.06 * s, "black"),
        Tube((-0.32 * s, 0.0, 0.3), 0.07 * s, 0.64 * s, style, X),
    )


def _valve(radius: float, style: str) -> Shape:
    """A valve along x with a hand wheel on top."""
    return (
        Tube((-0.1, 0.0, 0.0), radius * 1.25, 0.2, style, X),
        Tube((0.0, 0.0, 0.0), 0.015, radius + 0.12, "steel"),
        Tube((0.0, 0.0, radius + 0.12), 0.07, 0.02, "fire_red"),
    )


def _fan(radius: float, length: float, style: str) -> Shape:
    """An axial fan along x, on two feet."""
    return (
        Tube((-length / 2, 0.0, 0.0), radius, length, style, X),
        Tube((-length / 2 - 0.05, 0.0, 0.0), radius + 0.05, 0.05, "steel_dark", X),
        Tube((length / 2, 0.0, 0.0), radius + 0.05, 0.05, "steel_dark", X),
        Box((-0.2, -0.15, radius - 0.02), (0.4, 0.3, 0.15), "cabinet"),
    )


def _pump_psets(flow: float, head: float, power: float) -> Psets:
    """Flow in m3/h, head in kPa, power in kW."""
    return {
        "Pset_PumpTypeCommon": {
            "FlowRateRange": measure("MassFlowRate", round(flow / 3.6, 3)),
            "ConnectionSize": measure("PositiveLength", 0.1),
            "NetPositiveSuctionHead": measure("Pressure", 35_000.0),
        },
        "Pset_ElectricalDeviceCommon": {
            "RatedVoltage": measure("ElectricVoltage", 380.0),
            "NumberOfPoles": 3,
            "RatedCurrent": measure("ElectricCurrent", round(power * 1.9, 1)),
        },
        "Twin_Rating": {"Flow m3/h": flow, "Head kPa": head, "Power kW": power},
    }


def _fan_psets(flow: float, power: float) -> Psets:
    """Flow in m3/h, power in kW."""
    return {
        "Twin_Rating": {"Flow m3/h": flow, "Power kW": power},
        "Pset_FanTypeCommon": {"OperationTemperature": 293.15},
    }


_TANK_STAYS: tuple[Part, ...] = tuple(
    Box((-1.8 + i * 0.9, -1.325, 0.3), (0.04, 2.65, 2.02), "galvanised") for i in range(5)
)


MECHANICAL = (
    # water
    product(
        "tank_domestic",
        "IfcTank",
        "STORAGE",
        "不锈钢生活水箱 Stainless steel tank 18 m3",
        block(
            3.6,
            2.6,
            2.0,
            "steel",
            *_TANK_STAYS,
            Box((-1.8, -1.3, 0.0), (3.6, 0.2, 0.3), "concrete"),
            Box((-1.8, 1.1, 0.0), (3.6, 0.2, 0.3), "concrete"),
            Tube((1.0, 0.6, 2.3), 0.3, 0.1, "steel"),
            z=0.3,
        ),
        "中赛 ZS-T18",
        {"Pset_TankTypeCommon": {"StorageType": "POTABLEWATER", "NominalCapacity": measure("Volume", 18.0)}},
    ),
    product(
        "tank_fire",
        "IfcTank",
        "STORAGE",
        "消防水池 Fire water tank 108 m3",
        block(3.0, 4.0, 3.0, "concrete", Box((-1.5, -2.02, 2.4), (3.0, 0.02, 0.3), "fire_red")),
        "",
        {"Pset_TankTypeCommon": {"NominalCapacity": measure("Volume", 36.0)}},
    ),
    product(
        "tank_roof",
        "IfcTank",
        "STORAGE",
        "屋顶消防水箱 Roof fire tank 18 m3",
        block(3.6, 2.6, 2.0, "steel", *_TANK_STAYS, z=0.3),
        "中赛 ZS-F18",
        {"Pset_TankTypeCommon": {"NominalCapacity": measure("Volume", 18.0)}},
    ),
    product(
        "pump_domestic",
        "IfcPump",
        "VERTICALINLINE",
        "变频生活泵 Booster pump 15 m3/h",
        _pump("water_green", 1.0),
        "南方泵业 CDLF16-12",
        _pump_psets(15.0, 850.0, 7.5),
    ),
    product(
        "pump_fire",
        "IfcPump",
        "VERTICALINLINE",
        "消火栓泵 Hydrant pump 72 m3/h",
        _pump("fire_red", 1.35),
        "凯泉 XBD8/20",
        _pump_psets(72.0, 900.0, 30.0),
    ),
    product(
        "pump_sprinkler",
        "IfcPump",
        "VERTICALINLINE",
        "喷淋泵 Sprinkler pump 108 m3/h",
        _pump("fire_red", 1.35),
        "凯泉 XBD7/30",
        _pump_psets(108.0, 800.0, 37.0),
    ),
    product(
        "pump_jockey",
        "IfcPump",
        "VERTICALINLINE",
        "稳压泵 Jockey pump",
        _pump("fire_red", 0.8),
        "凯泉 XBD3/1",
        _pump_psets(3.6, 350.0, 1.5),
    ),
    product(
        "valve_gate", "IfcValve", "ISOLATING", "闸阀 Gate valve DN80", _valve(0.06, "pump_blue"), "冠龙 Z45X-16-80"
    ),
    product(
        "valve_check", "IfcValve", "CHECK", "止回阀 Check valve DN80", _valve(0.06, "steel_dark"), "冠龙 H44X-16-80"
    ),
    product(
        "valve_signal",
        "IfcValve",
        "ISOLATING",
        "信号蝶阀 Supervised butterfly valve",
        _valve(0.06, "fire_red"),
        "冠龙 ZSDF-16",
    ),
    product(
        "valve_alarm",
        "IfcValve",
        "ISOLATING",
        "湿式报警阀 Wet alarm valve",
        (
            Tube((0.0, 0.0, -0.3), 0.12, 0.6, "fire_red"),
            Tube((0.0, 0.0, -0.05), 0.17, 0.1, "fire_red"),
            Box((0.12, -0.06, -0.1), (0.16, 0.12, 0.2), "fire_red"),
        ),
        "萃联 ZSFZ150",
    ),
    product(
        "valve_flat",
        "IfcValve",
        "ISOLATING",
        "户内截止阀 Stop valve DN20",
        (
            Tube((-0.04, 0.0, 0.0), 0.022, 0.08, "bronze", X),
            Box((-0.03, -0.006, 0.02), (0.06, 0.012, 0.03), "fire_red"),
        ),
        "伟星 J11-20",
    ),
    product(
        "water_meter",
        "IfcFlowMeter",
        "WATERMETER",
        "远传水表 Remote water meter DN20",
        (Tube((-0.08, 0.0, 0.0), 0.02, 0.16, "bronze", X), Tube((0.0, 0.0, 0.0), 0.045, 0.06, "pump_blue")),
        "宁波水表 LXSY-20",
        {"Pset_FlowMeterTypeCommon": {"ReadOutType": "DIGITAL", "RemoteReading": True}},
    ),
    product(
        "water_meter_main",
        "IfcFlowMeter",
        "WATERMETER",
        "总水表 Main water meter DN100",
        (Tube((-0.2, 0.0, 0.0), 0.08, 0.4, "pump_blue", X), Tube((0.0, 0.0, 0.0), 0.1, 0.16, "pump_blue")),
        "宁波水表 LXLC-100",
        {"Pset_FlowMeterTypeCommon": {"ReadOutType": "DIGITAL", "RemoteReading": True}},
    ),
    # fire
    product(
        "hydrant",
        "IfcFireSuppressionTerminal",
        "FIREHYDRANT",
        "室内消火栓箱 Hydrant cabinet",
        wall(0.7, 0.2, 1.0, "fire_red", Box((-0.3, -0.21, 0.45), (0.6, 0.01, 0.5), "glass_dark")),
        "天广 SG24A65",
    ),
    product(
        "sprinkler",
        "IfcFireSuppressionTerminal",
        "SPRINKLER",
        "下垂型喷头 Pendent sprinkler",
        (Tube((0.0, 0.0, -0.04), 0.012, 0.04, "fire_red"), Tube((0.0, 0.0, -0.055), 0.035, 0.004, "bronze")),
        "萃联 ZSTX15-68",
        {"Pset_FireSuppressionTerminalTypeSprinkler": {"ActivationTemperature": 341.15}},
    ),
    # air
    product(
        "ahu",
        "IfcUnitaryEquipment",
        "AIRHANDLER",
        "新风空调机组 Air handling unit 12 000 m3/h",
        (
            Box((-2.0, -0.8, 0.15), (4.0, 1.6, 1.7), "cabinet"),
            Box((-2.0, -0.7, 0.0), (4.0, 1.4, 0.15), "steel_dark"),
            *[Box((-1.95 + i * 1.0, -0.815, 0.3), (0.9, 0.015, 1.4), "galvanised") for i in range(4)],
            Box((-1.6, -0.825, 0.9), (0.3, 0.01, 0.3), "pump_blue"),
        ),
        "约克 YSM-120",
        {"Twin_Rating": {"Flow m3/h": 12000.0, "Power kW": 7.5}},
    ),
    product(
        "fan_garage",
        "IfcFan",
        "VANEAXIAL",
        "车库排风兼排烟风机 Garage exhaust fan 30 000 m3/h",
        _fan(0.6, 1.4, "galvanised"),
        "上虞 HTF-I-10",
        _fan_psets(30000.0, 11.0),
    ),
    product(
        "fan_jet",
        "IfcFan",
        "VANEAXIAL",
        "诱导风机 Jet fan",
        _fan(0.17, 1.6, "white"),
        "上虞 YDF-2",
        _fan_psets(1500.0, 0.3),
    ),
    product(
        "fan_smoke",
        "IfcFan",
        "VANEAXIAL",
        "排烟风机 Smoke extract fan 24 000 m3/h",
        _fan(0.5, 1.2, "fire_red"),
        "上虞 HTF-I-8",
        _fan_psets(24000.0, 7.5),
    ),
    product(
        "fan_pressure",
        "IfcFan",
        "VANEAXIAL",
        "正压送风机 Pressurisation fan 22 000 m3/h",
        _fan(0.5, 1.2, "galvanised"),
        "上虞 SWF-8",
        _fan_psets(22000.0, 5.5),
    ),
    product(
        "damper",
        "IfcDamper",
        "FIREDAMPER",
        "70℃防火阀 Fire damper",
        (
            Box((-0.1, -0.17, -0.12), (0.2, 0.34, 0.24), "steel"),
            Box((-0.06, -0.23, -0.06), (0.12, 0.06, 0.12), "fire_red"),
        ),
        "上虞 FFH-70",
    ),
    product(
        "damper_smoke",
        "IfcDamper",
        "SMOKEDAMPER",
        "280℃排烟阀 Smoke damper",
        (
            Box((-0.1, -0.17, -0.12), (0.2, 0.34, 0.24), "steel"),
            Box((-0.06, -0.23, -0.06), (0.12, 0.06, 0.12), "fire_red"),
        ),
        "上虞 PYF-280",
    ),
    product(
        "diffuser",
        "IfcAirTerminal",
        "DIFFUSER",
        "方形散流器 Square diffuser",
        (
            Box((-0.2, -0.2, -0.03), (0.4, 0.4, 0.03), "white"),
            Box((-0.14, -0.14, -0.045), (0.28, 0.28, 0.015), "cabinet"),
        ),
        "靖江 FK-10",
    ),
    product("grille", "IfcAirTerminal", "GRILLE", "排风口 Exhaust grille", _louvre(0.6, 0.4, "white"), "靖江 FK-19"),
    product("louvre", "IfcAirTerminal", "LOUVRE", "防雨百叶 Weather louvre", _louvre(1.6, 1.0, "frame"), "靖江 FK-54"),
    product(
        "outdoor_unit",
        "IfcUnitaryEquipment",
        "SPLITSYSTEM",
        "空调室外机 Air-conditioning outdoor unit",
        (
            Box((-0.42, -0.34, 0.08), (0.84, 0.32, 0.6), "white"),
            Tube((-0.1, -0.34, 0.38), 0.24, 0.012, "steel_dark", (0.0, -1.0, 0.0)),
            Box((-0.36, -0.3, 0.0), (0.06, 0.26, 0.08), "black"),
            Box((0.3, -0.3, 0.0), (0.06, 0.26, 0.08), "black"),
        ),
        "格力 GMV-H120",
    ),
    product(
        "vrf",
        "IfcUnitaryEquipment",
        "SPLITSYSTEM",
        "多联机室外机 VRF outdoor unit 45 kW",
        (
            Box((-0.65, -0.4, 0.12), (1.3, 0.8, 1.5), "white"),
            Tube((-0.3, 0.0, 1.62), 0.26, 0.08, "steel_dark"),
            Tube((0.3, 0.0, 1.62), 0.26, 0.08, "steel_dark"),
            Box((-0.6, -0.35, 0.0), (1.2, 0.7, 0.12), "concrete"),
            Box((-0.6, -0.41, 0.3), (1.2, 0.01, 0.7), "steel_dark"),
        ),
        "大金 RHXYQ16",
        {"Twin_Rating": {"Cooling kW": 45.0}},
    ),
)
