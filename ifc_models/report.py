"""The import report of the contract; its figures add up.

Of the products with a body, openings left out, each is in exactly one of: a full mesh, `degraded`, `without_geometry`;
`with_geometry` counts the first two. `added + changed + unchanged` is the number of products.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from ifc_models.extract import ElementGeometry, Extract, Finding
from ifc_models.findings import explain, texts
from ifc_models.version import StoredTile, StoredVersion

_OPENINGS: Final = "IfcFeatureElementSubtraction"
_LOST: Final = "lost"
_BOX: Final = "box"


def build_report(
    *,
    model: str,
    extract: Extract,
    geometry: Sequence[ElementGeometry],
    tiles: Sequence[StoredTile],
    stored: StoredVersion,
    seconds: dict[str, float],
    of_shapes: Sequence[Finding] = (),
) -> dict[str, Any]:
    """The report of one version; `seconds` has `total` and the stages, `of_shapes` is what `check_shapes` found."""
    header = extract.header
    return {
        "model": model,
        "version": stored.version,
        "schema": header.schema,
        "declared_schema": header.declared_schema,
        "application": header.application,
        "storeys": len(extract.storeys),
        "spaces": sum(element.ifc_class == "IfcSpace" for element in extract.elements),
        "systems": _systems(extract),
        "by_class": header.by_class,
        "elements": header.elements,
        **geometry_figures(extract, geometry),
        "tiles": len(tiles),
        "tile_bytes": sum(tile.bytes for tile in tiles),
        "added": stored.added,
        "changed": stored.changed,
        "removed": stored.removed,
        "unchanged": stored.unchanged,
        "matched": asdict(stored.matched),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "warnings": [warning(finding) for finding in (*extract.warnings, *of_shapes)],
    }


def geometry_figures(extract: Extract, geometry: Sequence[ElementGeometry]) -> dict[str, Any]:
    """`with_geometry`, `rungs` (how many got their mesh how), `degraded` and `without_geometry`."""
    openings = {name for name, chain in extract.class_ancestors.items() if _OPENINGS in chain}
    shown, degraded, without = 0, [], []
    rungs = Counter(entry.rung for entry in geometry if extract.elements[entry.element].ifc_class not in openings)
    for entry in geometry:
        element = extract.elements[entry.element]
        if element.ifc_class in openings:
            continue
        named = {"global_id": element.global_id, "ifc_class": element.ifc_class}
        if entry.rung == _LOST:
            without.append({**named, "reason": entry.note or "no kernel could mesh it"})
            continue
        shown += 1
        if entry.rung == _BOX or entry.note is not None:
            degraded.append({**named, "rung": entry.rung, "reason": entry.note or "its bounding box stands in"})
    return {
        "with_geometry": shown,
        "rungs": dict(rungs.most_common()),
        "degraded": degraded,
        "without_geometry": without,
    }


def warning(finding: Finding) -> dict[str, Any]:
    """A finding as report, `twin check` and pages show it: `explanation` and `fix` in both languages."""
    shown: dict[str, Any] = {
        "code": finding.code,
        "message": finding.message,
        "severity": finding.severity,
        "count": finding.count,
        "where": list(finding.where),
    }
    if finding.code in texts():
        said = {language: explain(finding, language) for language in ("en", "zh")}
        shown["explanation"] = {language: text for language, (text, _) in said.items()}
        shown["fix"] = {language: fix for language, (_, fix) in said.items()}
    return shown


def _systems(extract: Extract) -> int:
    """IfcSystem and its subclasses; zones are systems only by accident of the schema (IFC4)."""
    systems = {
        name for name, chain in extract.class_ancestors.items() if "IfcSystem" in chain and "IfcZone" not in chain
    }
    return sum(group.ifc_class in systems for group in extract.groups)
