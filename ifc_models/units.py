"""Units of an IFC file: readable symbols, and the factor from the file's lengths to metres."""

import math
from typing import Any, Final

import ifcopenshell

from ifc_models.text import clean

_PREFIX: Final = {
    "EXA": ("E", 1e18),
    "PETA": ("P", 1e15),
    "TERA": ("T", 1e12),
    "GIGA": ("G", 1e9),
    "MEGA": ("M", 1e6),
    "KILO": ("k", 1e3),
    "HECTO": ("h", 1e2),
    "DECA": ("da", 1e1),
    "DECI": ("d", 1e-1),
    "CENTI": ("c", 1e-2),
    "MILLI": ("m", 1e-3),
    "MICRO": ("µ", 1e-6),
    "NANO": ("n", 1e-9),
    "PICO": ("p", 1e-12),
    "FEMTO": ("f", 1e-15),
    "ATTO": ("a", 1e-18),
}
_SI: Final = {
    "AMPERE": "A",
    "BECQUEREL": "Bq",
    "CANDELA": "cd",
    "COULOMB": "C",
    "CUBIC_METRE": "m3",
    "DEGREE_CELSIUS": "°C",
    "FARAD": "F",
    "GRAM": "g",
    "GRAY": "Gy",
    "HENRY": "H",
    "HERTZ": "Hz",
    "JOULE": "J",
    "KELVIN": "K",
    "LUMEN": "lm",
    "LUX": "lx",
    "METRE": "m",
    "MOLE": "mol",
    "NEWTON": "N",
    "OHM": "Ω",
    "PASCAL": "Pa",
    "RADIAN": "rad",
    "SECOND": "s",
    "SIEMENS": "S",
    "SIEVERT": "Sv",
    "SQUARE_METRE": "m2",
    "STERADIAN": "sr",
    "TESLA": "T",
    "VOLT": "V",
    "WATT": "W",
    "WEBER": "Wb",
}
_CONVERSION: Final = {
    "ACRE": "acre",
    "BAR": "bar",
    "BTU": "Btu",
    "CUBIC FOOT": "ft3",
    "CUBIC INCH": "in3",
    "CUBIC YARD": "yd3",
    "DAY": "d",
    "DEGREE": "°",
    "FAHRENHEIT": "°F",
    "FOOT": "ft",
    "HOUR": "h",
    "INCH": "in",
    "KIP": "kip",
    "KSI": "ksi",
    "LBF": "lbf",
    "LITRE": "l",
    "MILE": "mi",
    "MINUTE": "min",
    "OUNCE": "oz",
    "POUND": "lb",
    "POUND-FORCE": "lbf",
    "PSI": "psi",
    "SQUARE FOOT": "ft2",
    "SQUARE INCH": "in2",
    "SQUARE MILE": "mi2",
    "SQUARE YARD": "yd2",
    "TON": "t",
    "YARD": "yd",
}
# Measures whose unit type is not simply their name.
_MEASURE: Final = {
    "IfcPositiveLengthMeasure": "LENGTHUNIT",
    "IfcNonNegativeLengthMeasure": "LENGTHUNIT",
    "IfcPositivePlaneAngleMeasure": "PLANEANGLEUNIT",
    "IfcMonetaryMeasure": "MONETARY",
    "IfcQuantityWeight": "MASSUNIT",
}


def unit_symbol(unit: Any) -> str | None:
    """A readable name such as `mm`, `m2`, `°C`, `W/(m2·K)`; None where the entity is no unit."""
    kind = unit.is_a()
    if kind == "IfcSIUnit":
        name = str(unit.get_argument(3) or "")
        prefix = unit.get_argument(2)
        return (_PREFIX[prefix][0] if prefix in _PREFIX else "") + _SI.get(name, name.lower())
    if kind in ("IfcConversionBasedUnit", "IfcConversionBasedUnitWithOffset", "IfcContextDependentUnit"):
        name = clean(str(unit.get_argument(2) or ""))
        return _CONVERSION.get(name.upper().replace("_", " "), name)
    if kind == "IfcMonetaryUnit":
        return clean(str(unit.get_argument(0) or ""))
    if kind == "IfcDerivedUnit":
        return _derived_symbol(unit)
    return None


def _derived_symbol(unit: Any) -> str | None:
    over: list[str] = []
    under: list[str] = []
    for element in unit.get_argument(0) or ():
        base, exponent = element.get_argument(0), element.get_argument(1)
        if base is None or not isinstance(exponent, int) or exponent == 0:
            continue
        name = unit_symbol(base) or "?"
        power = abs(exponent)
        (over if exponent > 0 else under).append(name if power == 1 else f"{name}{power}")
    if not over and not under:
        return None
    top = "·".join(over) or "1"
    if not under:
        return top
    return f"{top}/{under[0]}" if len(under) == 1 else f"{top}/({'·'.join(under)})"


def unit_scale(unit: Any, *, depth: int = 0) -> float:
    """SI units per `unit` for a named unit without offset; 1.0 where the file does not say."""
    kind = unit.is_a()
    if kind == "IfcSIUnit":
        prefix, name = unit.get_argument(2), str(unit.get_argument(3) or "")
        factor = _PREFIX[prefix][1] if prefix in _PREFIX else 1.0
        return float(factor ** (2 if name.startswith("SQUARE") else 3 if name.startswith("CUBIC") else 1))
    if kind.startswith("IfcConversionBasedUnit") and depth < 8:
        factor = unit.get_argument(3)
        if factor is not None and factor.get_argument(0) is not None and factor.get_argument(1) is not None:
            value = factor.get_argument(0).get_argument(0)
            scale = float(value) * unit_scale(factor.get_argument(1), depth=depth + 1)
            return scale if math.isfinite(scale) and scale > 0 else 1.0
    return 1.0


class Units:
    """The units a file assigns to its project, and those that single properties name.

    `length_scale` is metres per length unit, `angle_scale` radians per plane angle unit. `assigned` is False where
    the file names no length unit at all (then metres are assumed).
    """

    def __init__(self, file: ifcopenshell.file) -> None:
        self._by_type: dict[str, str] = {}
        self._by_measure: dict[str, str | None] = {}
        self._own: dict[int, str | None] = {}
        self.length_scale = 1.0
        self.angle_scale = 1.0
        self.assigned = False
        for unit in self._project_units(file):
            self._assign(unit)
        self.length_unit = self._by_type.get("LENGTHUNIT", "m")

    @staticmethod
    def _project_units(file: ifcopenshell.file) -> list[Any]:
        for project in file.by_type("IfcProject"):
            assignment = project.get_argument(8)
            if assignment is not None:
                return [unit for unit in assignment.get_argument(0) or () if unit is not None]
        return []

    def _assign(self, unit: Any) -> None:
        symbol = unit_symbol(unit)
        if symbol is None:
            return
        kind = unit.is_a()
        unit_type = "MONETARY" if kind == "IfcMonetaryUnit" else str(unit.get_argument(1))
        self._by_type[unit_type] = symbol
        if unit_type == "LENGTHUNIT":
            self.length_scale, self.assigned = unit_scale(unit), True
        elif unit_type == "PLANEANGLEUNIT":
            self.angle_scale = unit_scale(unit)

    def own(self, unit: Any) -> str | None:
        """The symbol of a unit that a property names itself."""
        key = unit.id()
        if key not in self._own:
            self._own[key] = unit_symbol(unit)
        return self._own[key]

    def of_measure(self, measure: str) -> str | None:
        """The project's unit for a measure (`IfcAreaMeasure`) or quantity class (`IfcQuantityArea`), if any."""
        try:
            return self._by_measure[measure]
        except KeyError:
            unit_type = _MEASURE.get(measure)
            if unit_type is None:
                unit_type = (
                    measure.removeprefix("Ifc").removeprefix("Quantity").removesuffix("Measure").upper() + "UNIT"
                )
            symbol = self._by_measure[measure] = self._by_type.get(unit_type)
            return symbol
