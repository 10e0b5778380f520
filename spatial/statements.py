"""What a file says of a room in its property and quantity sets: area, height, use. In SI units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Sets = Mapping[str, Mapping[str, Mapping[str, Any]]]

AREA_UNITS: Final = {"m2": 1.0, "cm2": 1e-4, "mm2": 1e-6, "dm2": 1e-2, "ft2": 0.09290304, "in2": 6.4516e-4}
LENGTH_UNITS: Final = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "dm": 0.1, "ft": 0.3048, "in": 0.0254}
AREAS: Final = (
    "NetFloorArea", "GSA BIM Area", "NetArea", "Area", "Fläche", "GrossFloorArea", "GrossArea", "NetPlannedArea",
    "GrossPlannedArea",
)  # fmt: skip
HEIGHTS: Final = (
    "FinishCeilingHeight", "ClearHeight", "NetHeight", "Height", "Unbounded Height", "CeilingHeight", "GrossHeight",
)  # fmt: skip
USES: Final = ("OccupancyType", "Occupancy", "SpaceUsage", "FunctionRequirement", "使用功能", "房间用途")
"""Names in any set, the most telling first. Net goes before gross: it is what is cleaned, heated and let."""
NO_USE: Final = frozenset({"INTERNAL", "EXTERNAL", "NOTDEFINED", "USERDEFINED", "SPACE", "", "N/A", "NONE"})


@dataclass(frozen=True, slots=True)
class Stated:
    """A value and where it stands: `Set.Name`."""

    value: float
    source: str


def stated_area(sets: Sequence[Sets]) -> Stated | None:
    """Return the floor area that the sets (quantities before properties) give, m2."""
    return _first(sets, AREAS, AREA_UNITS)


def stated_height(sets: Sequence[Sets]) -> Stated | None:
    """Return the clear height that the sets give, m."""
    return _first(sets, HEIGHTS, LENGTH_UNITS)


def _first(sets: Sequence[Sets], names: Sequence[str], units: Mapping[str, float]) -> Stated | None:
    for name in names:
        for each in sets:
            for set_name, properties in each.items():
                found = properties.get(name)
                value = found.get("value") if isinstance(found, Mapping) else None
                if found is None or isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
                    continue
                scale = units.get(str(found.get("unit") or next(iter(units))))
                if scale is not None:  # a value in a unit that we do not know says nothing
                    return Stated(float(value) * scale, f"{set_name}.{name}")
    return None


def stated_use(
    sets: Sequence[Sets],
    classifications: Sequence[Mapping[str, Any]],
    *,
    object_type: str | None,
    predefined_type: str | None,
    long_name: str | None,
) -> tuple[str, str] | None:
    """Return what a room is for and where that stands, in the file's own words; None: it does not say.

    A property that says so, then a classification, the object type, the predefined type (PARKING), and the long name
    without its number: twenty rooms "Office 12" are offices.
    """
    for name in USES:
        for each in sets:
            for set_name, properties in each.items():
                found = properties.get(name)
                text = _use(found.get("value")) if isinstance(found, Mapping) else None
                if text:
                    return text, f"{set_name}.{name}"
    for each_class in classifications:
        text = _use(each_class.get("name"))
        if text:
            return text, "classification"
    for text, source in ((_use(object_type), "object_type"), (_use(predefined_type), "predefined_type")):
        if text:
            return text, source
    text = _use((long_name or "").rstrip("0123456789 .-_#/"))
    return (text, "long_name") if text else None


def _use(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return None if text.upper() in NO_USE else text[:200]
