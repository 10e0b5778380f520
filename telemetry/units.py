"""Units of points: a table of QUDT codes with their symbols, quantities and names (`units.toml`)."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from twin.errors import Invalid


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of measure."""

    code: str  # of QUDT, e.g. KiloW-HR
    symbol: str  # as written behind a number, e.g. kW·h
    quantities: tuple[str, ...]  # QUDT quantity kinds it measures, the default first
    en: str
    zh: str


@cache
def units() -> MappingProxyType[str, Unit]:
    """All units by code."""
    table = tomllib.loads(files("telemetry").joinpath("units.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            code: Unit(code, entry["symbol"], tuple(entry["quantities"]), entry["en"], entry["zh"])
            for code, entry in table.items()
        }
    )


def get_unit(code: str) -> Unit:
    """Return the unit of a QUDT code; Invalid `unit.unknown` names the nearest ones.

    >>> get_unit("DEG_C").symbol
    '°C'
    """
    unit = units().get(code)
    if unit is None:
        near = get_close_matches(code.upper(), [name.upper() for name in units()], n=3, cutoff=0.5)
        names = {name.upper(): name for name in units()}
        hint = [names[name] for name in near] or ["DEG_C", "PERCENT", "KiloW-HR"]
        raise Invalid("unit.unknown", unit=code, near=", ".join(hint))
    return unit
