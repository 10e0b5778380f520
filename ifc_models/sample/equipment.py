"""Catalogue of technical products: water, fire, air, power, signals, lifts.

Frame of a product: floor- or ceiling-mounted ones stand (hang) at their origin; wall-mounted ones have their back at
y = 0 and look towards -y, so `FACING` turns them. Lengths in metres. Makers are real brands of the trade, article
numbers invented.
"""

from __future__ import annotations

from collections.abc import Mapping

from ifc_models.sample.model import Product, Psets, Scalar
from ifc_models.sample.shapes import Box, Part, Point, Shape, Tube, X, Y
from ifc_models.sample.step import Value

FACING: dict[str, Point | None] = {"S": None, "N": (-1.0, 0.0, 0.0), "E": (0.0, 1.0, 0.0), "W": (0.0, -1.0, 0.0)}


def _measure(kind: str, value: float) -> Value:
    return Value(f"Ifc{kind}Measure", value)


def _product(
    key: str,
    ifc_class: str,
    predefined: str | None,
    name: str,
    shape: Shape,
    made: str = "",
    psets: Mapping[str, Mapping[str, Scalar]] | None = None,
) -> Product:
    """`made` is "maker article"."""
    maker, _, article = made.partition(" ")
    return Product(key, ifc_class, predefined, name, shape, maker, article, psets or {})


def _block(width: float, depth: float, height: float, style: str, *more: Part, z: float = 0.0) -> Shape:
    """A box standing centred on the origin."""
    return (Box((-width / 2, -depth / 2, z), (width, depth, height), style), *more)


def _wall(width: float, depth: float, height: float, style: str, *more: Part) -> Shape:
    """A box on a wall: back at y = 0."""
    return (Box((-width / 2, -depth, 0.0), (width, depth, height), style), *more)


def _disc(radius: float, height: float, style: str, *more: Part) -> Shape:
    """A disc hanging from its origin."""
    return (Tube((0.0, 0.0, -height), radius, height, style), *more)


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


def _cubicle(width: float, depth: float, height: float, colour: str) -> Shape:
    return (
        Box((-width / 2, -depth, 0.1), (width, depth, height - 0.1), "cabinet"),
        Box((-width / 2 + 0.02, -depth + 0.03, 0.0), (width - 0.04, depth - 0.06, 0.1), "black"),
        Box((-width / 2 + 0.05, -depth - 0.015, height - 0.45), (width - 0.1, 0.015, 0.3), "black"),
        Box((-width / 2 + 0.05, -depth - 0.012, height - 0.1), (width - 0.1, 0.012, 0.05), colour),
        Tube((width / 2 - 0.08, -depth, height / 2), 0.02, 0.04, "steel_dark", (0.0, -1.0, 0.0)),
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
            "FlowRateRange": _measure("MassFlowRate", round(flow / 3.6, 3)),
            "ConnectionSize": _measure("PositiveLength", 0.1),
            "NetPositiveSuctionHead": _measure("Pressure", 35_000.0),
        },
        "Pset_ElectricalDeviceCommon": {
            "RatedVoltage": _measure("ElectricVoltage", 380.0),
            "NumberOfPoles": 3,
            "RatedCurrent": _measure("ElectricCurrent", round(power * 1.9, 1)),
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

_ALL = (
    # water
    _product(
        "tank_domestic",
        "IfcTank",
        "STORAGE",
        "不锈钢生活水箱 Stainless steel tank 18 m3",
        _block(
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
        {"Pset_TankTypeCommon": {"StorageType": "POTABLEWATER", "NominalCapacity": _measure("Volume", 18.0)}},
    ),
    _product(
        "tank_fire",
        "IfcTank",
        "STORAGE",
        "消防水池 Fire water tank 108 m3",
        _block(3.0, 4.0, 3.0, "concrete", Box((-1.5, -2.02, 2.4), (3.0, 0.02, 0.3), "fire_red")),
        "",
        {"Pset_TankTypeCommon": {"NominalCapacity": _measure("Volume", 36.0)}},
    ),
    _product(
        "tank_roof",
        "IfcTank",
        "STORAGE",
        "屋顶消防水箱 Roof fire tank 18 m3",
        _block(3.6, 2.6, 2.0, "steel", *_TANK_STAYS, z=0.3),
        "中赛 ZS-F18",
        {"Pset_TankTypeCommon": {"NominalCapacity": _measure("Volume", 18.0)}},
    ),
    _product(
        "pump_domestic",
        "IfcPump",
        "VERTICALINLINE",
        "变频生活泵 Booster pump 15 m3/h",
        _pump("water_green", 1.0),
        "南方泵业 CDLF16-12",
        _pump_psets(15.0, 850.0, 7.5),
    ),
    _product(
        "pump_fire",
        "IfcPump",
        "VERTICALINLINE",
        "消火栓泵 Hydrant pump 72 m3/h",
        _pump("fire_red", 1.35),
        "凯泉 XBD8/20",
        _pump_psets(72.0, 900.0, 30.0),
    ),
    _product(
        "pump_sprinkler",
        "IfcPump",
        "VERTICALINLINE",
        "喷淋泵 Sprinkler pump 108 m3/h",
        _pump("fire_red", 1.35),
        "凯泉 XBD7/30",
        _pump_psets(108.0, 800.0, 37.0),
    ),
    _product(
        "pump_jockey",
        "IfcPump",
        "VERTICALINLINE",
        "稳压泵 Jockey pump",
        _pump("fire_red", 0.8),
        "凯泉 XBD3/1",
        _pump_psets(3.6, 350.0, 1.5),
    ),
    _product(
        "valve_gate", "IfcValve", "ISOLATING", "闸阀 Gate valve DN80", _valve(0.06, "pump_blue"), "冠龙 Z45X-16-80"
    ),
    _product(
        "valve_check", "IfcValve", "CHECK", "止回阀 Check valve DN80", _valve(0.06, "steel_dark"), "冠龙 H44X-16-80"
    ),
    _product(
        "valve_signal",
        "IfcValve",
        "ISOLATING",
        "信号蝶阀 Supervised butterfly valve",
        _valve(0.06, "fire_red"),
        "冠龙 ZSDF-16",
    ),
    _product(
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
    _product(
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
    _product(
        "water_meter",
        "IfcFlowMeter",
        "WATERMETER",
        "远传水表 Remote water meter DN20",
        (Tube((-0.08, 0.0, 0.0), 0.02, 0.16, "bronze", X), Tube((0.0, 0.0, 0.0), 0.045, 0.06, "pump_blue")),
        "宁波水表 LXSY-20",
        {"Pset_FlowMeterTypeCommon": {"ReadOutType": "DIGITAL", "RemoteReading": True}},
    ),
    _product(
        "water_meter_main",
        "IfcFlowMeter",
        "WATERMETER",
        "总水表 Main water meter DN100",
        (Tube((-0.2, 0.0, 0.0), 0.08, 0.4, "pump_blue", X), Tube((0.0, 0.0, 0.0), 0.1, 0.16, "pump_blue")),
        "宁波水表 LXLC-100",
        {"Pset_FlowMeterTypeCommon": {"ReadOutType": "DIGITAL", "RemoteReading": True}},
    ),
    # fire
    _product(
        "hydrant",
        "IfcFireSuppressionTerminal",
        "FIREHYDRANT",
        "室内消火栓箱 Hydrant cabinet",
        _wall(0.7, 0.2, 1.0, "fire_red", Box((-0.3, -0.21, 0.45), (0.6, 0.01, 0.5), "glass_dark")),
        "天广 SG24A65",
    ),
    _product(
        "sprinkler",
        "IfcFireSuppressionTerminal",
        "SPRINKLER",
        "下垂型喷头 Pendent sprinkler",
        (Tube((0.0, 0.0, -0.04), 0.012, 0.04, "fire_red"), Tube((0.0, 0.0, -0.055), 0.035, 0.004, "bronze")),
        "萃联 ZSTX15-68",
        {"Pset_FireSuppressionTerminalTypeSprinkler": {"ActivationTemperature": 341.15}},
    ),
    # air
    _product(
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
    _product(
        "fan_garage",
        "IfcFan",
        "VANEAXIAL",
        "车库排风兼排烟风机 Garage exhaust fan 30 000 m3/h",
        _fan(0.6, 1.4, "galvanised"),
        "上虞 HTF-I-10",
        _fan_psets(30000.0, 11.0),
    ),
    _product(
        "fan_jet",
        "IfcFan",
        "VANEAXIAL",
        "诱导风机 Jet fan",
        _fan(0.17, 1.6, "white"),
        "上虞 YDF-2",
        _fan_psets(1500.0, 0.3),
    ),
    _product(
        "fan_smoke",
        "IfcFan",
        "VANEAXIAL",
        "排烟风机 Smoke extract fan 24 000 m3/h",
        _fan(0.5, 1.2, "fire_red"),
        "上虞 HTF-I-8",
        _fan_psets(24000.0, 7.5),
    ),
    _product(
        "fan_pressure",
        "IfcFan",
        "VANEAXIAL",
        "正压送风机 Pressurisation fan 22 000 m3/h",
        _fan(0.5, 1.2, "galvanised"),
        "上虞 SWF-8",
        _fan_psets(22000.0, 5.5),
    ),
    _product(
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
    _product(
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
    _product(
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
    _product("grille", "IfcAirTerminal", "GRILLE", "排风口 Exhaust grille", _louvre(0.6, 0.4, "white"), "靖江 FK-19"),
    _product("louvre", "IfcAirTerminal", "LOUVRE", "防雨百叶 Weather louvre", _louvre(1.6, 1.0, "frame"), "靖江 FK-54"),
    _product(
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
    _product(
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
    # power
    _product(
        "transformer",
        "IfcTransformer",
        "VOLTAGE",
        "干式变压器 Dry-type transformer 800 kVA",
        (
            Box((-1.1, -0.75, 0.0), (2.2, 1.5, 2.0), "cabinet"),
            Box((-1.05, -0.77, 0.2), (2.1, 0.02, 1.2), "glass_dark"),
            Box((-0.3, -0.78, 1.5), (0.6, 0.02, 0.3), "signal_yellow"),
        ),
        "特变电工 SCB13-800",
        {
            "Pset_TransformerTypeCommon": {
                "PrimaryVoltage": _measure("ElectricVoltage", 10000.0),
                "SecondaryVoltage": _measure("ElectricVoltage", 400.0),
                "MaximumApparentPower": _measure("Power", 800000.0),
            }
        },
    ),
    _product(
        "generator",
        "IfcElectricGenerator",
        "ENGINEGENERATOR",
        "柴油发电机组 Diesel generator 400 kW",
        (
            Box((-1.9, -0.6, 0.0), (3.8, 1.2, 0.3), "concrete"),
            Box((-1.6, -0.5, 0.3), (2.0, 1.0, 1.2), "signal_yellow"),
            Tube((0.4, 0.0, 0.95), 0.45, 1.0, "steel_dark", X),
            Box((1.5, -0.6, 0.3), (0.15, 1.2, 1.3), "black"),
            Tube((-1.0, 0.0, 1.5), 0.12, 1.6, "steel"),
        ),
        "康明斯 KTA19-G4",
    ),
    _product(
        "mdb",
        "IfcElectricDistributionBoard",
        "SWITCHBOARD",
        "低压配电柜 LV switchboard",
        _cubicle(0.8, 0.8, 2.2, "power_orange"),
        "正泰 GCS-0.4",
    ),
    _product(
        "mcc",
        "IfcElectricDistributionBoard",
        "MOTORCONTROLCENTRE",
        "水泵风机控制柜 Motor control cabinet",
        _cubicle(0.8, 0.5, 1.9, "water_green"),
        "正泰 MCC-A",
    ),
    _product(
        "board_floor",
        "IfcElectricDistributionBoard",
        "DISTRIBUTIONBOARD",
        "楼层配电箱 Floor distribution board",
        _wall(0.6, 0.2, 0.8, "cabinet", Box((-0.25, -0.21, 0.7), (0.5, 0.01, 0.05), "power_orange")),
        "正泰 PZ30-F",
    ),
    _product(
        "board_flat",
        "IfcElectricDistributionBoard",
        "CONSUMERUNIT",
        "户内配电箱 Consumer unit",
        _wall(0.36, 0.07, 0.26, "white", Box((-0.14, -0.075, 0.07), (0.28, 0.005, 0.12), "glass_dark")),
        "施耐德 Acti9-12",
    ),
    _product(
        "energy_meter",
        "IfcFlowMeter",
        "ENERGYMETER",
        "智能电表 Smart electricity meter",
        _wall(0.16, 0.09, 0.24, "white", Box((-0.05, -0.095, 0.14), (0.1, 0.005, 0.06), "black")),
        "威胜 DDZY102",
        {"Pset_FlowMeterTypeCommon": {"ReadOutType": "DIGITAL", "RemoteReading": True}},
    ),
    _product(
        "light",
        "IfcLightFixture",
        "POINTSOURCE",
        "LED吸顶灯 LED ceiling light",
        _disc(0.2, 0.06, "lamp"),
        "欧普 MX420-24W",
        {"Pset_LightFixtureTypeCommon": {"NumberOfSources": 1, "TotalWattage": _measure("Power", 24.0)}},
    ),
    _product(
        "light_linear",
        "IfcLightFixture",
        "DIRECTIONSOURCE",
        "LED支架灯 LED linear light",
        (Box((-0.6, -0.04, -0.08), (1.2, 0.08, 0.05), "lamp"), Box((-0.55, -0.02, -0.03), (1.1, 0.04, 0.03), "steel")),
        "欧普 T8-36W",
        {"Pset_LightFixtureTypeCommon": {"NumberOfSources": 1, "TotalWattage": _measure("Power", 36.0)}},
    ),
    # signals
    _product(
        "smoke", "IfcSensor", "SMOKESENSOR", "感烟探测器 Smoke detector", _disc(0.055, 0.045, "white"), "海湾 JTY-GD-G3"
    ),
    _product(
        "heat", "IfcSensor", "HEATSENSOR", "感温探测器 Heat detector", _disc(0.055, 0.05, "white"), "海湾 JTW-ZCD-G3N"
    ),
    _product(
        "button",
        "IfcAlarm",
        "BREAKGLASSBUTTON",
        "手动火灾报警按钮 Manual call point",
        _wall(0.1, 0.04, 0.1, "fire_red"),
        "海湾 J-SAP-8401",
    ),
    _product(
        "sounder", "IfcAlarm", "SIREN", "声光警报器 Sounder beacon", _wall(0.12, 0.06, 0.1, "fire_red"), "海湾 HX-100B"
    ),
    _product(
        "fire_panel",
        "IfcUnitaryControlElement",
        "ALARMPANEL",
        "火灾报警控制器 Fire alarm panel",
        _cubicle(0.6, 0.5, 1.8, "fire_red"),
        "海湾 JB-QG-GST5000",
    ),
    _product(
        "fire_module",
        "IfcController",
        "PROGRAMMABLE",
        "消防模块箱 Fire loop module",
        _wall(0.4, 0.12, 0.3, "fire_red"),
        "海湾 GST-LD-8301",
    ),
    _product(
        "console",
        "IfcFurniture",
        "DESK",
        "值班操作台 Operator console",
        (
            Box((-1.5, -0.9, 0.0), (3.0, 0.7, 0.74), "steel_dark"),
            Box((-1.55, -0.95, 0.74), (3.1, 0.85, 0.04), "white"),
            *[Box((-1.35 + i * 0.72, -0.3, 0.9), (0.62, 0.03, 0.38), "black") for i in range(4)],
        ),
    ),
    _product(
        "display",
        "IfcAudioVisualAppliance",
        "DISPLAY",
        "监控大屏 Monitor wall",
        tuple(Box((-1.8 + (i % 3) * 1.2, -0.08, 0.0 + (i // 3) * 0.7), (1.18, 0.08, 0.68), "black") for i in range(6)),
        "海康威视 DS-D2055",
    ),
    _product(
        "camera",
        "IfcAudioVisualAppliance",
        "CAMERA",
        "半球摄像机 Dome camera",
        _disc(0.06, 0.03, "white", Tube((0.0, 0.0, -0.07), 0.045, 0.04, "black")),
        "海康威视 DS-2CD2346",
        {"Pset_AudioVisualApplianceTypeCamera": {"IsOutdoors": False}},
    ),
    _product(
        "recorder",
        "IfcAudioVisualAppliance",
        "RECEIVER",
        "网络录像机 Network video recorder",
        _cubicle(0.6, 0.8, 2.0, "pump_blue"),
        "海康威视 DS-9664N",
    ),
    _product(
        "switch_core",
        "IfcCommunicationsAppliance",
        "NETWORKAPPLIANCE",
        "核心交换机机柜 Core switch rack",
        _cubicle(0.6, 0.8, 2.0, "pump_blue"),
        "华为 S6730",
    ),
    _product(
        "switch_floor",
        "IfcCommunicationsAppliance",
        "NETWORKAPPLIANCE",
        "楼层交换机 Floor switch",
        _wall(0.45, 0.15, 0.3, "black"),
        "华为 S5735-L8P",
    ),
    _product(
        "reader",
        "IfcController",
        "PROGRAMMABLE",
        "门禁读卡器 Access reader",
        _wall(0.09, 0.03, 0.14, "black"),
        "大华 DH-ASI",
    ),
    _product(
        "ddc",
        "IfcController",
        "PROGRAMMABLE",
        "楼控DDC控制器 BMS controller",
        _wall(0.5, 0.18, 0.6, "cabinet", Box((-0.2, -0.185, 0.5), (0.4, 0.005, 0.05), "pump_blue")),
        "霍尼韦尔 ML-820",
    ),
    _product(
        "sensor_temperature",
        "IfcSensor",
        "TEMPERATURESENSOR",
        "温度传感器 Temperature sensor",
        _wall(0.08, 0.025, 0.08, "white"),
        "西门子 QAA2010",
    ),
    _product(
        "sensor_co2",
        "IfcSensor",
        "CO2SENSOR",
        "二氧化碳传感器 CO2 sensor",
        _wall(0.09, 0.03, 0.1, "white"),
        "西门子 QPA2000",
    ),
    _product(
        "sensor_humidity",
        "IfcSensor",
        "HUMIDITYSENSOR",
        "湿度传感器 Humidity sensor",
        _wall(0.08, 0.025, 0.08, "white"),
        "西门子 QFA2000",
    ),
    _product(
        "sensor_pressure",
        "IfcSensor",
        "PRESSURESENSOR",
        "压力变送器 Pressure transmitter",
        (Tube((0.0, 0.0, 0.0), 0.02, 0.12, "steel"), Tube((0.0, 0.0, 0.12), 0.04, 0.06, "pump_blue")),
        "西门子 QBE2003",
    ),
    _product(
        "sensor_flow",
        "IfcSensor",
        "FLOWSENSOR",
        "电磁流量计 Electromagnetic flow sensor",
        (Tube((-0.12, 0.0, 0.0), 0.08, 0.24, "pump_blue", X), Box((-0.05, -0.05, 0.08), (0.1, 0.1, 0.12), "pump_blue")),
        "科隆 OPTIFLUX",
    ),
    _product(
        "sensor_level",
        "IfcSensor",
        "LEVELSENSOR",
        "液位计 Level sensor",
        (Tube((0.0, 0.0, 0.0), 0.05, 0.18, "pump_blue"),),
        "科隆 OPTISOUND",
    ),
    _product(
        "sensor_leak",
        "IfcSensor",
        "MOISTURESENSOR",
        "水浸传感器 Leak sensor",
        _block(0.09, 0.06, 0.03, "white"),
        "海林 WL-2",
    ),
    _product(
        "sensor_co",
        "IfcSensor",
        "COSENSOR",
        "一氧化碳探测器 CO sensor",
        _wall(0.12, 0.06, 0.16, "white"),
        "海林 CO-200",
    ),
    _product(
        "sensor_door",
        "IfcSensor",
        "CONTACTSENSOR",
        "门磁 Door contact",
        _wall(0.06, 0.015, 0.02, "white"),
        "海湾 FDC-1",
    ),
    _product(
        "sensor_flowswitch",
        "IfcSensor",
        "FLOWSENSOR",
        "水流指示器 Sprinkler flow switch",
        (Tube((-0.06, 0.0, 0.0), 0.07, 0.12, "fire_red", X), Box((-0.04, -0.04, 0.06), (0.08, 0.08, 0.1), "fire_red")),
        "萃联 ZSJZ80",
    ),
    _product(
        "weather",
        "IfcSensor",
        "TEMPERATURESENSOR",
        "气象站 Weather station",
        (
            Tube((0.0, 0.0, 0.0), 0.025, 2.2, "steel"),
            Tube((0.0, 0.0, 1.6), 0.09, 0.22, "white"),
            Box((-0.3, -0.015, 2.1), (0.6, 0.03, 0.03), "steel"),
        ),
        "维萨拉 WXT536",
    ),
    _product(
        "actuator",
        "IfcActuator",
        "ELECTRICACTUATOR",
        "电动执行器 Electric actuator",
        _block(0.12, 0.1, 0.16, "black"),
        "贝尔莫 LF24",
    ),
    # lifts
    _product(
        "lift_machine",
        "IfcElectricMotor",
        "SYNCHRONOUS",
        "曳引机 Traction machine",
        _block(
            1.0,
            0.7,
            0.3,
            "concrete",
            Tube((-0.35, 0.0, 0.65), 0.34, 0.5, "pump_blue", X),
            Tube((0.15, 0.0, 0.65), 0.4, 0.12, "steel_dark", X),
        ),
        "三菱 PML-G",
    ),
    _product(
        "lift_control",
        "IfcController",
        "PROGRAMMABLE",
        "电梯控制柜 Lift controller",
        _cubicle(0.7, 0.35, 1.8, "pump_blue"),
        "三菱 LEHY-III",
    ),
    _product(
        "lift_car",
        "IfcTransportElement",
        "ELEVATOR",
        "乘客电梯 Passenger lift 1 050 kg",
        (
            Box((-0.9, -0.75, 0.0), (1.8, 1.5, 0.12), "granite"),
            Box((-0.9, 0.7, 0.12), (1.8, 0.05, 2.2), "steel"),
            Box((-0.9, -0.75, 0.12), (0.05, 1.45, 2.2), "steel"),
            Box((0.85, -0.75, 0.12), (0.05, 1.45, 2.2), "steel"),
            Box((-0.9, -0.75, 2.32), (1.8, 1.5, 0.1), "steel_dark"),
            Box((-0.5, -0.5, 2.3), (1.0, 1.0, 0.02), "lamp"),
            Box((-0.8, 0.64, 0.95), (1.6, 0.06, 0.04), "steel_dark"),
        ),
        "三菱 LEHY-1050",
        {
            "Pset_TransportElementElevator": {"FireFightingLift": True, "ClearWidth": 1.1, "ClearHeight": 2.2},
            "Pset_TransportElementCommon": {"CapacityByWeight": _measure("Mass", 1050.0)},
        },
    ),
)

PRODUCTS: dict[str, Product] = {p.key: p for p in _ALL}
__all__ = ["FACING", "PRODUCTS", "Y"]
