"""A plan as features in building metres, for pages that draw it themselves."""

from collections.abc import Iterable
from typing import Any

import orjson
import shapely

from spatial.plan import Plan, PlanElement
from spatial.plan_heat import Heat
from spatial.section import StoreySection

GRID = 0.001  # m


def plan_features(plan: Plan, section: StoreySection, heat: Heat | None = None) -> dict[str, Any]:
    """Return the plan as a GeoJSON-like collection: coordinates are metres in the building frame, not degrees."""
    features = [*_rooms(plan, heat), *_shapes(plan), *_doors(plan), *_stairs(plan), *_symbols(plan)]
    extent = plan.extent()
    return {
        "type": "FeatureCollection",
        "twin:crs": "building",
        "building": plan.building,
        "storey": {"id": str(plan.storey_id), "name": plan.storey, "elevation": plan.elevation},
        "floor": section.floor,
        "cut": section.plane,
        "north": plan.north,
        "bbox": [round(value, 3) for value in extent] if extent is not None else None,
        "models": [{"name": m.name, "discipline": m.discipline, "version": m.version} for m in plan.models],
        "heat": None
        if heat is None
        else {
            "quantity": heat.quantity,
            "unit": heat.unit,
            "breaks": heat.breaks,
            "colours": [heat.colour(number) for number in range(len(heat.breaks) + 1)],
        },
        "features": features,
    }


def _feature(layer: str, element: PlanElement, geometry: Any, **more: Any) -> dict[str, Any]:
    snapped = shapely.set_precision(geometry, GRID, mode="pointwise")
    return {
        "type": "Feature",
        "id": str(element.id),
        "geometry": orjson.loads(shapely.to_geojson(snapped)),
        "properties": {
            "layer": layer,
            "global_id": element.global_id,
            "ifc_class": element.ifc_class,
            "name": element.name,
            **more,
        },
    }


def _rooms(plan: Plan, heat: Heat | None) -> Iterable[dict[str, Any]]:
    for room in plan.rooms:
        inside = shapely.point_on_surface(room.polygon)
        found = heat.values.get(room.element.id) if heat is not None else None
        more: dict[str, Any] = {"number": room.number, "title": room.title, "area": round(room.area, 3)}
        if heat is not None:
            more |= {
                "value": found.value if found else None,
                "class": heat.class_of(found.value) if found else None,
                "ts": found.ts if found else None,
            }
        yield _feature("room", room.element, room.polygon, label=[round(inside.x, 3), round(inside.y, 3)], **more)


def _shapes(plan: Plan) -> Iterable[dict[str, Any]]:
    """What is cut, what is seen below, what is above; one feature for each."""
    for shape in plan.shapes:
        drawn = shape.drawn
        for part, geometry in (
            ("cut", drawn.cut),
            ("open", drawn.open),
            ("below", drawn.below),
            ("above", drawn.above),
        ):
            if geometry is not None and not geometry.is_empty:
                yield _feature(shape.layer, shape.element, geometry, part=part, material=shape.material, top=drawn.top)


def _doors(plan: Plan) -> Iterable[dict[str, Any]]:
    for door in plan.doors:
        symbol = door.symbol
        lines = shapely.multilinestrings([[leaf.hinge, leaf.tip] for leaf in symbol.leaves])
        swings = [{"hinge": leaf.hinge, "open": leaf.tip, "closed": leaf.closed} for leaf in symbol.leaves]
        yield _feature(
            "door",
            door.element,
            lines,
            kind=symbol.kind,
            width=round(symbol.width, 3),
            middle=symbol.middle,
            along=symbol.along,
            derived=symbol.derived,
            leaves=swings,
        )


def _stairs(plan: Plan) -> Iterable[dict[str, Any]]:
    for stair in plan.stairs:
        climb = stair.climb
        line = shapely.LineString([(x, y) for x, y, _ in climb.points])
        yield _feature(
            "climb", stair.element, line, risers=climb.risers, foot=climb.foot, head=climb.head, leaves=stair.leaves
        )


def _symbols(plan: Plan) -> Iterable[dict[str, Any]]:
    for symbol in plan.symbols:
        point = shapely.Point(symbol.x, symbol.y)
        yield _feature("symbol", symbol.element, point, symbol=symbol.symbol, z=round(symbol.z, 3))
