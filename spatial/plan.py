"""A storey's plan: what is drawn of its elements, as the caller may see them. Metres in the building frame.

Made of the storey's section (`spatial.section`), which is the same for everybody, and of the elements' rows, which are
not: what a caller may not see is not on its plan. `spatial.plan_svg` and `spatial.plan_features` write it down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import shapely

from spatial.climbs import Climb
from spatial.plan_doors import DoorSymbol, door_symbol
from spatial.plan_symbols import RUNS, symbol_of
from spatial.section import Drawn, StoreySection
from twin.db import Conn, row, rows

STAIRS: Final = frozenset({"IfcStair", "IfcStairFlight", "IfcRamp", "IfcRampFlight"})
SANITARY: Final = frozenset({"IfcSanitaryTerminal", "IfcElectricAppliance", "IfcSpaceHeater"})
SERVICES: Final = frozenset({"IfcDistributionElement", "IfcElectricalElement", "IfcEquipmentElement"})
_MATERIALS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("insulation", ("insul", "dämm", "daemm", "mineralw", "wool", "eps", "xps", "保温", "岩棉")),
    ("glass", ("glas", "glaz", "玻璃")),
    ("masonry", ("brick", "masonry", "block", "ziegel", "mauerwerk", "kalksand", "ytong", "poren", "砖", "砌")),
    ("concrete", ("concrete", "beton", "c20", "c25", "c30", "c35", "c40", "混凝土")),
    ("metal", ("steel", "stahl", "metal", "alumin", "stud", "钢", "铝")),
    ("wood", ("wood", "holz", "timber", "wooden", "木")),
    ("light", ("gyps", "gips", "plaster", "石膏", "轻钢")),
)


@dataclass(frozen=True, slots=True)
class PlanElement:
    """An element as a plan knows it."""

    id: UUID
    global_id: str
    ifc_class: str
    ancestors: frozenset[str]
    name: str | None
    storey_id: UUID | None


@dataclass(frozen=True, slots=True)
class PlanShape:
    """What is drawn of an element by its section."""

    element: PlanElement
    layer: str  # slab | below | furniture | stair | wall | column | window | services | runs
    material: str | None  # of what is cut
    drawn: Drawn


@dataclass(frozen=True, slots=True)
class PlanDoor:
    """A door."""

    element: PlanElement
    symbol: DoorSymbol


@dataclass(frozen=True, slots=True)
class PlanStair:
    """The arrow of a flight, a stair or a ramp: it points up."""

    element: PlanElement
    climb: Climb
    leaves: bool  # it leads up from this storey; else it arrives here from below


@dataclass(frozen=True, slots=True)
class PlanSymbol:
    """A piece of equipment."""

    element: PlanElement
    symbol: str
    x: float
    y: float
    z: float


@dataclass(frozen=True, slots=True)
class PlanRoom:
    """A room. `polygon` in metres."""

    element: PlanElement
    number: str | None
    title: str | None
    area: float
    polygon: Any


@dataclass(frozen=True, slots=True)
class PlanModel:
    """A model that is on the plan."""

    name: str
    discipline: str
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A storey as it is drawn."""

    building: str
    storey_id: UUID
    storey: str
    elevation: float | None  # m
    north: float  # degrees clockwise from the y axis to true north
    key: str  # of its section
    models: list[PlanModel]
    rooms: list[PlanRoom]
    shapes: list[PlanShape]
    doors: list[PlanDoor]
    stairs: list[PlanStair]
    symbols: list[PlanSymbol]

    def extent(self) -> tuple[float, float, float, float] | None:
        """Return the box around all that is drawn (m), None when there is nothing."""
        drawn = [shape.drawn.cut for shape in self.shapes if shape.drawn.cut is not None and shape.layer != "services"]
        drawn += [room.polygon for room in self.rooms]
        drawn += [s.drawn.below for s in self.shapes if s.layer in ("slab", "stair") and s.drawn.below is not None]
        if not drawn:
            drawn = [s.drawn.below for s in self.shapes if s.drawn.below is not None]
            drawn += [s.drawn.cut for s in self.shapes if s.drawn.cut is not None]
        if not drawn:
            return None
        x0, y0, x1, y1 = shapely.total_bounds(drawn).tolist()
        return x0, y0, x1, y1


_ELEMENTS = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.long_name, e.object_type, e.predefined_type, e.storey_id,
           e.bbox, e.placement, e.materials, t.ifc_class AS type_class, t.name AS type_name,
           t.materials AS type_materials,
           coalesce(nullif(e.attributes->'OperationType'->>'value', 'NOTDEFINED'),
                    t.attributes->'OperationType'->>'value') AS operation,
           t.attributes->'PredefinedType'->>'value' AS type_predefined,
           ARRAY(SELECT c.ancestor FROM ifc_class c WHERE c.name = e.ifc_class) AS ancestors
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    LEFT JOIN element_type t ON t.id = e.type_id
    WHERE e.building_id = %(building)s AND e.bbox IS NOT NULL AND e.ifc_class <> 'IfcSpace'
      AND (e.id = ANY(%(drawn)s) OR e.storey_id = %(storey)s)
    ORDER BY e.ifc_class, e.global_id, e.id
"""
_ROOMS = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.long_name, e.storey_id, s.area, s.footprint::text AS footprint
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    JOIN space s ON s.element_id = e.id
    WHERE e.building_id = %(building)s AND e.storey_id = %(storey)s AND s.footprint IS NOT NULL
    ORDER BY e.name, e.global_id
"""
_MODELS = """
    SELECT m.name, m.discipline, m.current_version AS version, m.created_at
    FROM model m WHERE m.building_id = %(building)s AND m.current_version IS NOT NULL
    AND EXISTS (SELECT FROM tile t WHERE t.model_id = m.id AND t.version = m.current_version)
    ORDER BY m.name
"""


async def read_plan(
    conn: Conn,
    building: UUID,
    storey: UUID,
    section: StoreySection,
    climbs: Mapping[UUID, Climb],
    *,
    doubles: frozenset[UUID] = frozenset(),
) -> Plan:
    """Return the plan of a storey as the caller may see it. `doubles`: rooms that another model has too, left out."""
    where = {"building": building, "storey": storey, "drawn": list(section.shapes)}
    head = await row(
        conn,
        """SELECT b.name AS building, s.name AS storey, s.elevation
           FROM storey s JOIN building b ON b.id = s.building_id WHERE s.id = %(storey)s""",
        where,
    )
    assert head is not None
    found = await rows(conn, _ELEMENTS, where)
    rooms = [_room(each) for each in await rows(conn, _ROOMS, where) if each["id"] not in doubles]
    shapes, doors, stairs, symbols = _drawn(found, storey, section, climbs)
    shapes = _near(shapes, rooms, storey)
    known = {shape.element.id for shape in shapes}
    stairs = [stair for stair in stairs if stair.element.id in known]
    return Plan(
        **head,
        storey_id=storey,
        north=await _north(conn, building),
        key=section.key,
        models=[PlanModel(**each) for each in await rows(conn, _MODELS, where)],
        rooms=rooms,
        shapes=shapes,
        doors=doors,
        stairs=stairs,
        symbols=symbols,
    )


async def _north(conn: Conn, building: UUID) -> float:
    """Return true north of the architect's model, degrees clockwise from the y axis; 0 where no file says."""
    found = await row(
        conn,
        """SELECT coalesce(v.georeference->>'true_north', v.georeference->>'rotation')::float8 AS north FROM model m
           JOIN model_version v ON v.model_id = m.id AND v.n = m.current_version
           WHERE m.building_id = %s AND v.georeference ?| '{true_north,rotation}'
           ORDER BY m.discipline <> 'arc', m.name LIMIT 1""",
        (building,),
    )
    return float(found["north"]) if found else 0.0


def _element(found: Mapping[str, Any]) -> PlanElement:
    name = found.get("long_name") or found["name"]
    ancestors = frozenset(found.get("ancestors") or (found["ifc_class"],))
    return PlanElement(found["id"], found["global_id"], found["ifc_class"], ancestors, name, found["storey_id"])


def _room(found: Mapping[str, Any]) -> PlanRoom:
    polygon = shapely.make_valid(shapely.from_geojson(found["footprint"]))
    number, title = found["name"], found["long_name"]
    if title and number and title.strip() in number:
        title = None
    return PlanRoom(_element(found), number, title, float(found["area"] or polygon.area), polygon)


def _drawn(
    found: Sequence[Mapping[str, Any]], storey: UUID, section: StoreySection, climbs: Mapping[UUID, Climb]
) -> tuple[list[PlanShape], list[PlanDoor], list[PlanStair], list[PlanSymbol]]:
    shapes: list[PlanShape] = []
    leaves: list[tuple[Mapping[str, Any], PlanElement, Any]] = []
    stairs: list[PlanStair] = []
    symbols: list[PlanSymbol] = []
    for each in found:
        element, drawn = _element(each), section.shapes.get(each["id"])
        if "IfcDoor" in element.ancestors:
            if _stands_here(each, storey, section):
                leaves.append((each, element, drawn.cut if drawn is not None else None))
            continue
        symbol = _symbol(each, element) if each["storey_id"] == storey else None
        if symbol is not None and not element.ancestors & SANITARY:
            box = each["bbox"]
            symbols.append(
                PlanSymbol(element, symbol, (box[0] + box[3]) / 2, (box[1] + box[4]) / 2, (box[2] + box[5]) / 2)
            )
            continue
        if drawn is None:
            continue
        layer = _layer(element, drawn)
        if layer in ("services", "runs", "furniture") and each["storey_id"] != storey and drawn.cut is None:
            continue
        material = _material(each) if drawn.cut is not None else None
        shapes.append(PlanShape(element, layer, material, _told_apart(layer, drawn)))
        if each["id"] in climbs and drawn.below is not None:
            climb = climbs[each["id"]]
            stairs.append(PlanStair(element, climb, (climb.foot[2] + climb.head[2]) / 2 > section.floor))
    return shapes, _doors(leaves, shapes), stairs, symbols


def _doors(found: Sequence[tuple[Mapping[str, Any], PlanElement, Any]], shapes: Sequence[PlanShape]) -> list[PlanDoor]:
    """Return the doors among what stands around them; `found`: row, element, section."""
    walls = shapely.STRtree(
        [shape.drawn.cut for shape in shapes if shape.layer in ("wall", "column") and shape.drawn.cut is not None]
    )
    return [
        PlanDoor(
            element,
            door_symbol(door["bbox"], door["placement"], door["operation"], cut, words=_words(door), walls=walls),
        )
        for door, element, cut in found
    ]


def _words(each: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (each["name"], each["long_name"], each["object_type"], each["type_name"])))


def _near(shapes: Sequence[PlanShape], rooms: Sequence[PlanRoom], storey: UUID) -> list[PlanShape]:
    """Leave out stairs and ramps of other storeys that do not come up within this one: a ramp down to a garage."""
    inside = [room.polygon for room in rooms]
    inside += [each.drawn.cut for each in shapes if each.layer in ("wall", "column") and each.drawn.cut is not None]
    if not inside:
        return list(shapes)
    hull = shapely.convex_hull(shapely.geometrycollections(inside))
    return [
        each
        for each in shapes
        if each.layer != "stair"
        or each.element.storey_id == storey
        or each.drawn.below is None
        or hull.intersection(each.drawn.below).area > 0.5 * each.drawn.below.area
    ]


def _stands_here(each: Mapping[str, Any], storey: UUID, section: StoreySection) -> bool:
    """Say whether a door is one of this storey: it is placed there, or is cut and placed nowhere."""
    if each["storey_id"] is not None:
        return bool(each["storey_id"] == storey and each["bbox"][2] < section.plane + 1.0)
    return bool(each["bbox"][2] < section.plane < each["bbox"][5])


def _symbol(each: Mapping[str, Any], element: PlanElement) -> str | None:
    if element.ancestors & RUNS and not (each["type_class"] or "").startswith(("IfcValve", "IfcDamper")):
        return None
    if not element.ancestors & SERVICES:
        return None
    predefined = each["predefined_type"] or each["type_predefined"]
    return symbol_of(sorted(element.ancestors), each["type_class"], predefined, _words(each))


_LAYERS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("stair", STAIRS),
    ("runs", RUNS),
    ("services", SERVICES),
    ("furniture", frozenset({"IfcFurnishingElement"})),
    ("lift", frozenset({"IfcTransportElement", "IfcTransportationDevice"})),
    ("window", frozenset({"IfcWindow", "IfcPlate", "IfcMember", "IfcCurtainWall"})),
    ("column", frozenset({"IfcColumn", "IfcPile"})),
    ("below", frozenset({"IfcRailing", "IfcBuildingElementProxy"})),
)
_UNDERFOOT: Final = frozenset({"IfcSlab", "IfcRoof", "IfcCovering", "IfcFooting"})


def _layer(element: PlanElement, drawn: Drawn) -> str:
    if element.ancestors & _UNDERFOOT and drawn.cut is None:
        return "slab"
    return next((layer for layer, kinds in _LAYERS if element.ancestors & kinds), "wall")


def _told_apart(layer: str, drawn: Drawn) -> Drawn:
    """Leave out what a layer does not show: what services are above, the inner edges of slabs."""
    return replace(drawn, edges=None) if layer in ("slab", "runs") else drawn


def _material(each: Mapping[str, Any]) -> str | None:
    """Return the kind of material of most of an element's thickness; None: the file does not say."""
    thickness: dict[str, float] = {}
    for material in [*(each["materials"] or []), *(each["type_materials"] or [])]:
        for name, size in _parts(material):
            lower = name.lower()
            kind = next((kind for kind, words in _MATERIALS if any(word in lower for word in words)), None)
            if kind is not None:
                thickness[kind] = thickness.get(kind, 0.0) + size
    bearing = {kind: size for kind, size in thickness.items() if kind in ("concrete", "masonry", "wood")}
    chosen = bearing or thickness
    return max(chosen, key=lambda kind: chosen[kind]) if chosen else None


def _parts(material: Mapping[str, Any]) -> list[tuple[str, float]]:
    layers = material.get("layers") or material.get("constituents") or material.get("profiles")
    if not layers:
        return [(str(material.get("name") or material.get("material") or ""), 1.0)]
    found = []
    for layer in layers:
        size = layer.get("thickness")
        value = size.get("value") if isinstance(size, dict) else size
        found.append((str(layer.get("material") or layer.get("name") or ""), float(value or 1.0)))
    return found
