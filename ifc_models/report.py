"""The import report (contract.md): what came in, what is less than the file says, and why. It adds up."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ElementGeometry, Extract
from ifc_models.store import Stored, StoredTile

DEGRADED: Final = "box"


def build_report(
    *,
    model: str,
    extract: Extract,
    geometry: Sequence[ElementGeometry],
    boxes: NDArray[np.float64],
    tiles: Sequence[StoredTile],
    stored: Stored,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the report of one import. `boxes` (N, 6): finite for every element whose mesh is in the tiles."""
    header, elements = extract.header, extract.elements
    meshed = np.isfinite(boxes[:, 0]) if len(boxes) else np.zeros(0, dtype=bool)
    described = {each.element: each for each in geometry}
    degraded = [
        _entry(extract, each.element, rung=each.rung, reason=each.note or "a bounding box stands in for its shape")
        for each in geometry
        if meshed[each.element] and (each.rung == DEGRADED or each.note)
    ]
    without = [
        _entry(extract, index, reason=_reason(described.get(index), each.unsafe))
        for index, each in enumerate(elements)
        if each.has_body and not meshed[index] and not _is(extract, each.ifc_class, "IfcFeatureElementSubtraction")
    ]
    return {
        "model": model,
        "version": stored.version,
        "schema": header.schema,
        "application": header.application,
        "storeys": len(extract.storeys),
        "spaces": sum(_is(extract, each.ifc_class, "IfcSpace") for each in elements),
        "systems": sum(_is(extract, group.ifc_class, "IfcSystem") for group in extract.groups),
        "by_class": header.by_class,
        "elements": header.elements,
        "with_geometry": int(meshed.sum()),
        "degraded": degraded,
        "without_geometry": without,
        "tiles": len(tiles),
        "tile_bytes": sum(tile.bytes for tile in tiles),
        "added": stored.added,
        "changed": stored.changed,
        "removed": stored.removed,
        "unchanged": stored.unchanged,
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "warnings": [
            {"code": each.code, "message": each.message, "severity": each.severity, "where": list(each.where), "count": each.count}
            for each in extract.warnings
        ],
    }


def _entry(extract: Extract, index: int, **more: str) -> dict[str, str]:
    element = extract.elements[index]
    return {"global_id": element.global_id, "ifc_class": element.ifc_class, **more}


def _reason(geometry: ElementGeometry | None, unsafe: str | None) -> str:
    if unsafe:
        return unsafe
    return (geometry.note if geometry else None) or "no kernel could make a mesh of its body"


def _is(extract: Extract, ifc_class: str, ancestor: str) -> bool:
    return ifc_class == ancestor or ancestor in extract.class_ancestors.get(ifc_class, ())
