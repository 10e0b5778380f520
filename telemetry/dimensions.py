"""What units measure, as powers of the SI base units and a factor: whether two values may be added, and how."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Powers = tuple[float, float, float, float, float, float]  # of m, kg, s, A, K, cd

NONE: Final[Powers] = (0, 0, 0, 0, 0, 0)
ENERGY: Final[Powers] = (2, 1, -2, 0, 0, 0)
POWER: Final[Powers] = (2, 1, -3, 0, 0, 0)
TEMPERATURE: Final[Powers] = (0, 0, 0, 0, 1, 0)
TIME: Final[Powers] = (0, 0, 1, 0, 0, 0)
_DENSITY: Final[Powers] = (-3, 1, 0, 0, 0, 0)
_PRESSURE: Final[Powers] = (-1, 1, -2, 0, 0, 0)
_LENGTH: Final[Powers] = (1, 0, 0, 0, 0, 0)
_VOLUME: Final[Powers] = (3, 0, 0, 0, 0, 0)
_FLOW: Final[Powers] = (3, 0, -1, 0, 0, 0)
_RATE: Final[Powers] = (0, 0, -1, 0, 0, 0)
_VOLTAGE: Final[Powers] = (2, 1, -3, -1, 0, 0)
_CURRENT: Final[Powers] = (0, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Measure:
    """`SI value = value * factor + offset`."""

    powers: Powers
    factor: float = 1.0
    offset: float = 0.0


MEASURES: Final = MappingProxyType(
    {
        "UNITLESS": Measure(NONE),
        "NUM": Measure(NONE),
        "PERCENT": Measure(NONE, 1e-2),
        "PERCENT_RH": Measure(NONE, 1e-2),
        "PPM": Measure(NONE, 1e-6),
        "PPB": Measure(NONE, 1e-9),
        "PH": Measure(NONE),
        "NTU": Measure(NONE),
        "DeciB": Measure(NONE),
        "DEG": Measure(NONE, 0.017453292519943295),
        "MicroGM-PER-M3": Measure(_DENSITY, 1e-9),
        "MilliGM-PER-M3": Measure(_DENSITY, 1e-6),
        "MilliGM-PER-L": Measure(_DENSITY, 1e-3),
        "DEG_C": Measure(TEMPERATURE, 1.0, 273.15),
        "DEG_F": Measure(TEMPERATURE, 5 / 9, 459.67 * 5 / 9),
        "K": Measure(TEMPERATURE),
        "DEG_C-HR": Measure((0, 0, 1, 0, 1, 0), 3600.0),
        "PA": Measure(_PRESSURE),
        "KiloPA": Measure(_PRESSURE, 1e3),
        "MegaPA": Measure(_PRESSURE, 1e6),
        "BAR": Measure(_PRESSURE, 1e5),
        "M": Measure(_LENGTH),
        "CentiM": Measure(_LENGTH, 1e-2),
        "MilliM": Measure(_LENGTH, 1e-3),
        "M2": Measure((2, 0, 0, 0, 0, 0)),
        "M3": Measure(_VOLUME),
        "L": Measure(_VOLUME, 1e-3),
        "M3-PER-HR": Measure(_FLOW, 1 / 3600),
        "M3-PER-SEC": Measure(_FLOW),
        "L-PER-SEC": Measure(_FLOW, 1e-3),
        "L-PER-MIN": Measure(_FLOW, 1e-3 / 60),
        "M-PER-SEC": Measure((1, 0, -1, 0, 0, 0)),
        "MilliM-PER-SEC": Measure((1, 0, -1, 0, 0, 0), 1e-3),
        "M-PER-SEC2": Measure((1, 0, -2, 0, 0, 0)),
        "REV-PER-MIN": Measure(_RATE, 1 / 60),
        "HZ": Measure(_RATE),
        "W": Measure(POWER),
        "KiloW": Measure(POWER, 1e3),
        "MegaW": Measure(POWER, 1e6),
        "V-A": Measure(POWER),
        "KiloV-A": Measure(POWER, 1e3),
        "KiloV-A_Reactive": Measure(POWER, 1e3),
        "W-PER-M2": Measure((0, 1, -3, 0, 0, 0)),
        "W-HR": Measure(ENERGY, 3.6e3),
        "KiloW-HR": Measure(ENERGY, 3.6e6),
        "MegaW-HR": Measure(ENERGY, 3.6e9),
        "J": Measure(ENERGY),
        "MegaJ": Measure(ENERGY, 1e6),
        "GigaJ": Measure(ENERGY, 1e9),
        "V": Measure(_VOLTAGE),
        "KiloV": Measure(_VOLTAGE, 1e3),
        "A": Measure(_CURRENT),
        "MilliA": Measure(_CURRENT, 1e-3),
        "OHM": Measure((2, 1, -3, -2, 0, 0)),
        "LUX": Measure((-2, 0, 0, 0, 0, 1)),
        "KiloGM": Measure((0, 1, 0, 0, 0, 0)),
        "N": Measure((1, 1, -2, 0, 0, 0)),
        "SEC": Measure(TIME),
        "MIN": Measure(TIME, 60.0),
        "HR": Measure(TIME, 3600.0),
        "IN_H2O": Measure(_PRESSURE, 249.08891),
        "PSI": Measure(_PRESSURE, 6894.757293168),
        "FT3-PER-MIN": Measure(_FLOW, 0.028316846592 / 60),
        "GAL_US-PER-MIN": Measure(_FLOW, 3.785411784e-3 / 60),
        "BTU_IT-PER-HR": Measure(POWER, 0.29307107017),
        "TON_FG": Measure(POWER, 3516.8528421),
        "MicroS-PER-CentiM": Measure((-3, -1, 3, 2, 0, 0), 1e-4),
    }
)


def convertible(unit: str, other: str) -> bool:
    """Whether values of the one unit can be told in the other."""
    one, two = MEASURES.get(unit), MEASURES.get(other)
    return unit == other or (one is not None and two is not None and one.powers == two.powers)


def scale(unit: str | None, other: str | None) -> tuple[float, float]:
    """`(a, b)` so that `value_in_other = a * value_in_unit + b`; both units must be `convertible`, or one unknown.

    >>> scale("KiloW", "W")
    (1000.0, 0.0)
    """
    if unit is None or other is None or unit == other:
        return 1.0, 0.0
    one, two = MEASURES[unit], MEASURES[other]
    return one.factor / two.factor, (one.offset - two.offset) / two.factor
