"""What is wrong with a model's geometry, judged by its boxes once it is meshed: each with the GlobalIds to fly to."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ALL_OPENING, CURVES_ONLY, ElementGeometry, Extract, Finding
from ifc_models.findings import Findings

FAR_MODEL: Final = 5_000.0  # m from the origin; single precision is a millimetre there
FAR_ELEMENT: Final = 2_000.0  # m from where the rest of the model is
FLAT: Final = 1e-6  # m; a mesh thinner than that in two directions has no area
TINY_MODEL, HUGE_MODEL = 0.5, 20_000.0  # m; no building is smaller or larger
OFF_STOREY: Final = 0.5  # m that an element may reach over the edge of its storey
_OPENINGS: Final = "IfcFeatureElementSubtraction"
_LACKS_NOTHING: Final = {CURVES_ONLY: "ifc.curves_only", ALL_OPENING: "ifc.all_opening"}


def check_shapes(
    extract: Extract,
    geometry: Sequence[ElementGeometry],
    boxes: NDArray[np.float64],
    shapes: Mapping[int, bytes] | None = None,
) -> list[Finding]:
    """Findings of a meshed model. `boxes`: (N, 6) min and max in metres, NaN where there is no mesh.

    `shapes`: element index → hash of its mesh in its own frame; without it, doubled elements are not looked for.
    """
    found = Findings()
    _check_rungs(found, extract, geometry)
    bodies = _bodies(extract, boxes)
    if len(bodies):
        _check_extents(found, extract, boxes, bodies)
        _check_storeys(found, extract, boxes, bodies)
    if shapes is not None:
        _check_doubles(found, extract, boxes, bodies, shapes)
    return found.list()


def _bodies(extract: Extract, boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of elements with a mesh, openings left out."""
    openings = {name for name, chain in extract.class_ancestors.items() if _OPENINGS in chain}
    solid = np.array([element.ifc_class not in openings for element in extract.elements], dtype=bool)
    return np.flatnonzero(np.isfinite(boxes).all(axis=1) & solid)


def _check_rungs(found: Findings, extract: Extract, geometry: Sequence[ElementGeometry]) -> None:
    openings = {name for name, chain in extract.class_ancestors.items() if _OPENINGS in chain}
    for entry in geometry:
        element = extract.elements[entry.element]
        if element.ifc_class in openings:
            continue
        if entry.rung == "lost":
            found.add(_LACKS_NOTHING.get(entry.note or "", "ifc.geometry_lost"), element.global_id)
        elif entry.rung == "box" or entry.note is not None:
            found.add("ifc.geometry_degraded", element.global_id)


def _check_extents(found: Findings, extract: Extract, boxes: NDArray[np.float64], bodies: NDArray[np.int64]) -> None:
    box = boxes[bodies]
    size, centre = box[:, 3:] - box[:, :3], (box[:, 3:] + box[:, :3]) / 2
    for i in bodies[(np.sort(size, axis=1)[:, 1] < FLAT)]:
        found.add("ifc.zero_area", extract.elements[i].global_id)
    middle = np.median(centre, axis=0)
    distance = float(np.hypot(middle[0], middle[1]))
    if distance > FAR_MODEL:
        found.add("ifc.model_far_away", None, kilometres=f"{distance / 1000:.1f}")
    away = np.linalg.norm(centre - middle, axis=1)
    reach = max(FAR_ELEMENT, 20 * float(np.median(away)))  # a railway line is long; one stray bolt is not
    for i in bodies[away > reach]:
        found.add("ifc.element_far_away", extract.elements[i].global_id)
    near = box[away <= reach]
    span = float((near[:, 3:].max(axis=0) - near[:, :3].min(axis=0)).max()) if len(near) else 0.0
    if len(bodies) > 1 and not TINY_MODEL <= span <= HUGE_MODEL:
        found.add("ifc.size_implausible", None, metres=f"{span:.3g}", unit=extract.header.length_unit)


def _check_storeys(found: Findings, extract: Extract, boxes: NDArray[np.float64], bodies: NDArray[np.int64]) -> None:
    """Elements that lie wholly below their storey, or wholly above the next but one."""
    heights = sorted({s.elevation for s in extract.storeys if s.elevation is not None})
    elevation = {s.element: s.elevation for s in extract.storeys if s.elevation is not None}
    ceilings = {h: heights[n + 2] if n + 2 < len(heights) else np.inf for n, h in enumerate(heights)}
    placed = {name for name, chain in extract.class_ancestors.items() if "IfcElement" in chain or name == "IfcSpace"}
    for i in bodies:
        element = extract.elements[i]
        floor = elevation.get(element.storey)
        if floor is None or element.ifc_class not in placed:
            continue
        lowest = max([h for h in heights if h < floor], default=-np.inf)  # foundations and beams hang below
        if boxes[i, 5] < max(lowest, floor - 4.0) - OFF_STOREY or boxes[i, 2] > ceilings[floor] + OFF_STOREY:
            found.add("ifc.element_off_storey", element.global_id)


def _check_doubles(
    found: Findings,
    extract: Extract,
    boxes: NDArray[np.float64],
    bodies: NDArray[np.int64],
    shapes: Mapping[int, bytes],
) -> None:
    """Elements of one class with the same mesh in the same place: one hides the other, and both are counted."""
    seen: set[tuple[object, ...]] = set()
    rounded = np.rint(np.where(np.isfinite(boxes), boxes, 0.0) * 1000).astype(np.int64)
    for i in bodies.tolist():
        element = extract.elements[i]
        if i not in shapes or element.ifc_class == "IfcSpace":
            continue
        turned = tuple(round(v, 4) for v in element.placement) if element.placement else ()
        key = (element.ifc_class, shapes[i], rounded[i].tobytes(), turned)
        if key in seen:
            found.add("ifc.doubled_element", element.global_id)
        seen.add(key)
