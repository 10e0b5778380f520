"""Where a model lies on Earth: IfcSite's coordinates, true north, IfcMapConversion."""

import math
from typing import Any

import ifcopenshell
from ifcopenshell import entity_instance as Entity

from ifc_models.extract import Georeference
from ifc_models.schema import Schema
from ifc_models.text import clean_or_none
from ifc_models.units import Units, unit_scale


def read(file: ifcopenshell.file, schema: Schema, units: Units) -> Georeference | None:
    """What the file says about its place, None where it says nothing."""
    values: dict[str, Any] = {}
    for site in file.by_type("IfcSite"):
        values["latitude"] = _degrees(site.get_argument(9))
        values["longitude"] = _degrees(site.get_argument(10))
        elevation = site.get_argument(11)
        values["elevation"] = elevation * units.length_scale if isinstance(elevation, float) else None
        break
    values["true_north"] = _true_north(file)
    for conversion in schema.instances(file, "IfcMapConversion"):
        values.update(_map_conversion(conversion, units))
        break
    known = {key: value for key, value in values.items() if value is not None}
    return Georeference(**known) if known else None


def _degrees(value: Any) -> float | None:
    """Degrees from IfcCompoundPlaneAngleMeasure (degrees, minutes, seconds, millionths), all with the same sign."""
    if not isinstance(value, tuple) or len(value) < 3 or not all(isinstance(v, int) for v in value):
        return None
    parts = (*value, 0)
    return float(parts[0] + parts[1] / 60 + (parts[2] + parts[3] / 1e6) / 3600)


def _true_north(file: ifcopenshell.file) -> float | None:
    for context in file.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        north = context.get_argument(5)
        ratios = north.get_argument(0) if isinstance(north, Entity) else None
        if isinstance(ratios, tuple) and len(ratios) >= 2 and (ratios[0] or ratios[1]):
            return math.degrees(math.atan2(ratios[0], ratios[1]))
    return None


def _map_conversion(conversion: Entity, units: Units) -> dict[str, Any]:
    """SourceCRS, TargetCRS, Eastings, Northings, OrthogonalHeight, XAxisAbscissa, XAxisOrdinate, Scale."""
    crs = conversion.get_argument(1)
    scale = units.length_scale
    if isinstance(crs, Entity) and crs.is_a() == "IfcProjectedCRS" and isinstance(crs.get_argument(6), Entity):
        scale = unit_scale(crs.get_argument(6))
    x, y = conversion.get_argument(5), conversion.get_argument(6)
    return {
        "crs": clean_or_none(crs.get_argument(0)) if isinstance(crs, Entity) else None,
        "eastings": _metres(conversion.get_argument(2), scale),
        "northings": _metres(conversion.get_argument(3), scale),
        "orthogonal_height": _metres(conversion.get_argument(4), scale),
        "rotation": math.degrees(math.atan2(y, x)) if isinstance(x, float) and isinstance(y, float) else None,
        "scale": conversion.get_argument(7),
    }


def _metres(value: Any, scale: float) -> float | None:
    return value * scale if isinstance(value, float) else None
