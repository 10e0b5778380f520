"""Geometry that would kill a recursive kernel: entities that refer to themselves or are nested too deep.

ifcopenshell opens such files; its kernels follow them to a stack overflow. The products that depend on them are found
here, without recursion, so that no kernel is asked for them.
"""

from typing import Any, Final

import ifcopenshell
from ifcopenshell import entity_instance as Entity

from ifc_models.placements import Chains
from ifc_models.schema import Schema

MAX_DEPTH: Final = 400  # operands within operands; real clippings stay under a hundred
MAX_COPIES: Final = 100_000  # of what one item maps or combines, all levels multiplied; real ones stay under a thousand

# Classes whose instances can hold, through these attributes, another instance of the same list.
_RECURSIVE: Final = {
    "IfcBooleanResult": (1, 2),
    "IfcCsgSolid": (0,),
    "IfcMappedItem": (0,),
    "IfcRepresentationMap": (1,),
    "IfcCompositeCurve": (0,),
    "IfcTrimmedCurve": (0,),
    "IfcOffsetCurve2D": (0,),
    "IfcOffsetCurve3D": (0,),
    "IfcPcurve": (0, 1),
    "IfcSurfaceCurve": (0, 1),
    "IfcRectangularTrimmedSurface": (0,),
    "IfcCurveBoundedPlane": (0, 1, 2),
    "IfcOffsetCurve": (0,),
    "IfcDerivedProfileDef": (2,),
    "IfcCompositeProfileDef": (2,),
    "IfcSegmentedReferenceCurve": (2,),
    "IfcGradientCurve": (2,),
}
_SEGMENTS: Final = frozenset(("IfcCompositeCurveSegment", "IfcReparametrisedCompositeCurveSegment"))


def unsafe_products(file: ifcopenshell.file) -> dict[int, str]:
    """STEP id of each product that no kernel may touch → why."""
    schema = Schema(file.schema_identifier)
    found = _unsafe_placements(file)
    seen: set[int] = set()
    for item, reason in _unsafe_items(file, schema):
        for product in users_of(file, item, seen):
            found.setdefault(product, reason)
    return found


def _unsafe_placements(file: ifcopenshell.file) -> dict[int, str]:
    placements = Chains()
    rows: dict[int, int] = {}
    for product in file.by_type("IfcProduct"):
        placement = product.get_argument(5)
        if placement is not None:
            rows[product.id()] = placements.add(placement)
    return {key: reason for key, row in rows.items() if (reason := placements.chain_hazard(row)) is not None}


def _unsafe_items(file: ifcopenshell.file, schema: Schema) -> list[tuple[int, str]]:
    """Ids of items on a cycle, too deep above others or too often repeated, with the reason; the deepest first."""
    nodes: dict[int, tuple[Entity, tuple[int, ...]]] = {}
    for ifc_class, attributes in _RECURSIVE.items():
        for entity in schema.instances(file, ifc_class):
            nodes[entity.id()] = (entity, attributes)
    edges = {key: _inner(entity, attributes, nodes) for key, (entity, attributes) in nodes.items()}
    height = _heights(edges)
    copies = _copies(edges, height)
    reasons: dict[int, str] = {}
    for key in sorted(edges, key=lambda k: (height[k], k), reverse=True):
        if height[key] < 0:
            reasons[key] = "its geometry refers to itself"
        elif height[key] > MAX_DEPTH:
            reasons[key] = f"its geometry is nested {height[key]} levels deep"
        elif copies[key] > MAX_COPIES:
            reasons[key] = "its geometry multiplies itself beyond measure"
    return list(reasons.items())


def _copies(edges: dict[int, list[int]], height: dict[int, int]) -> dict[int, int]:
    """How many items each node comes to when everything it refers to is written out; 0 on and above cycles.

    A few dozen lines that each show the one before twice are a billion bodies.
    """
    copies: dict[int, int] = {}
    for key in sorted(edges, key=lambda k: height[k]):
        inner = edges[key] if height[key] >= 0 else []
        copies[key] = min(MAX_COPIES + 1, 1 + sum(copies.get(n, 1) for n in inner))
    return copies


def _inner(entity: Entity, attributes: tuple[int, ...], nodes: dict[int, Any]) -> list[int]:
    inner: list[int] = []
    count = len(entity)
    stack = [entity.get_argument(i) for i in attributes if i < count]
    while stack:
        value = stack.pop()
        if isinstance(value, Entity):
            key = value.id()
            if key in nodes:
                inner.append(key)
                continue
            kind = value.is_a()
            if kind == "IfcShapeRepresentation":
                stack.extend(value.get_argument(3) or ())
            elif kind in _SEGMENTS:
                stack.append(value.get_argument(2))
        elif isinstance(value, tuple):
            stack.extend(value)
    return inner


def _heights(edges: dict[int, list[int]]) -> dict[int, int]:
    """How deep each node reaches; -1 for nodes on or above a cycle."""
    height: dict[int, int] = {}
    walking: set[int] = set()
    for start in edges:
        stack = [start]
        while stack:
            node = stack[-1]
            if node in height:
                stack.pop()
                continue
            walking.add(node)
            waiting = [n for n in edges[node] if n not in height and n not in walking]
            if waiting:
                stack.extend(waiting)
                continue
            inner = [height.get(n, -1) for n in edges[node]]
            height[node] = -1 if -1 in inner else max(inner, default=-1) + 1
            walking.discard(node)
            stack.pop()
    return height


def users_of(file: ifcopenshell.file, item: int, seen: set[int]) -> list[int]:
    """Products that show the item, found upwards through what refers to it; ids in `seen` were gone through before."""
    products: list[int] = []
    waiting = [item]
    while waiting:
        for entity in file.get_inverse(file.by_id(waiting.pop())):
            key = entity.id()
            if key in seen:
                continue
            seen.add(key)
            if entity.is_a("IfcProduct"):
                products.append(key)
            elif not entity.is_a("IfcRoot"):
                waiting.append(key)
    return products
