"""Contexts, units, placements, solids, styles and materials of a sample being written."""

from __future__ import annotations

from ifc_models.sample.shapes import PALETTE, Box, Mesh, Outline, Part, Point, Prism, Shape, Tube
from ifc_models.sample.step import Ref, StepFile

# True north in the plane of the model: the tower is turned 12° clockwise, so that its living rooms face the sun.
NORTH = (-0.207912, 0.978148)


class Geometry:
    """Writes what has a shape or a look; equal solids, points and styles are written once. Lengths are metres."""

    def __init__(self, step: StepFile) -> None:
        self.step = step
        self._shapes: dict[object, Ref] = {}
        self._styles: dict[str, Ref] = {}
        self._layers: dict[str, Ref] = {}
        self._write_head()

    def _write_head(self) -> None:
        add, share = self.step.add, self.step.share
        origin = share("IfcCartesianPoint", (0.0, 0.0, 0.0))
        axes = share("IfcAxis2Placement3D", origin, None, None)
        north = share("IfcDirection", (NORTH[0], NORTH[1]))
        self.context = add("IfcGeometricRepresentationContext", None, "Model", 3, 1e-5, axes, north)
        sub = "IfcGeometricRepresentationSubContext"
        self.body = add(sub, "Body", "Model", ParentContext=self.context, TargetView="MODEL_VIEW")
        self.footprint = add(sub, "FootPrint", "Model", ParentContext=self.context, TargetView="PLAN_VIEW")
        units = [
            add("IfcSIUnit", None, kind, None, name)
            for kind, name in (
                ("LENGTHUNIT", "METRE"),
                ("AREAUNIT", "SQUARE_METRE"),
                ("VOLUMEUNIT", "CUBIC_METRE"),
                ("PLANEANGLEUNIT", "RADIAN"),
                ("POWERUNIT", "WATT"),
                ("PRESSUREUNIT", "PASCAL"),
                ("ELECTRICVOLTAGEUNIT", "VOLT"),
                ("ELECTRICCURRENTUNIT", "AMPERE"),
                ("FREQUENCYUNIT", "HERTZ"),
                ("TIMEUNIT", "SECOND"),
            )
        ]
        self.units = add("IfcUnitAssignment", tuple(units))
        self.world = add("IfcLocalPlacement", None, axes)

    def _point(self, p: Point) -> Ref:
        return self.step.share("IfcCartesianPoint", (float(p[0]), float(p[1]), float(p[2])))

    def _direction(self, d: Point) -> Ref:
        return self.step.share("IfcDirection", (float(d[0]), float(d[1]), float(d[2])))

    def axes(self, at: Point, axis: Point | None = None, x: Point | None = None) -> Ref:
        """Return an IfcAxis2Placement3D."""
        if axis is None and x is None:
            return self.step.share("IfcAxis2Placement3D", self._point(at), None, None)
        z = self._direction(axis or (0.0, 0.0, 1.0))
        return self.step.share("IfcAxis2Placement3D", self._point(at), z, self._direction(x or (1.0, 0.0, 0.0)))

    def placement(self, relative_to: Ref | None, at: Point, x: Point | None = None) -> Ref:
        """Return an IfcLocalPlacement; `x` is the direction of its x axis (horizontal)."""
        return self.step.add("IfcLocalPlacement", relative_to, self.axes(at, None, x))

    def polyline(self, outline: Outline) -> Ref:
        """Return a closed polyline in the plane."""
        points = [self.step.share("IfcCartesianPoint", (float(x), float(y))) for x, y in outline]
        return self.step.share("IfcPolyline", (*points, points[0]))

    def _profile(self, part: Part) -> tuple[Ref, Ref, float]:
        """Return profile, position and depth of an extruded part."""
        share = self.step.share
        if isinstance(part, Box):
            (x, y, z), (dx, dy, dz) = part.low, part.size
            profile = share("IfcRectangleProfileDef", "AREA", None, None, dx, dy)
            return profile, self.axes((x + dx / 2, y + dy / 2, z)), dz
        if isinstance(part, Tube):
            profile = share("IfcCircleProfileDef", "AREA", None, None, part.radius)
            return profile, self.axes(part.start, part.axis, _across(part.axis)), part.length
        assert isinstance(part, Prism)
        outer = self.polyline(part.outline)
        if part.holes:
            holes = tuple(
                self.polyline(tuple(reversed(h))) for h in part.holes
            )  # clockwise: some kernels fill them else
            profile = share("IfcArbitraryProfileDefWithVoids", "AREA", None, outer, holes)
        else:
            profile = share("IfcArbitraryClosedProfileDef", "AREA", None, outer)
        return profile, self.axes(part.start, part.axis, part.x), part.length

    def _item(self, part: Part) -> Ref:
        found = self._shapes.get(part)
        if found is not None:
            return found
        if isinstance(part, Mesh):
            points = self.step.add("IfcCartesianPointList3D", part.vertices)
            faces = tuple((a + 1, b + 1, c + 1) for a, b, c in part.triangles)
            ref = self.step.add("IfcTriangulatedFaceSet", points, None, True, faces)
        else:
            profile, position, depth = self._profile(part)
            up = self._direction((0.0, 0.0, 1.0))
            ref = self.step.add("IfcExtrudedAreaSolid", profile, position, up, depth)
        if part.style:
            self.step.add("IfcStyledItem", ref, (self._style(part.style),))
        self._shapes[part] = ref
        return ref

    def _style(self, name: str) -> Ref:
        if name not in self._styles:
            red, green, blue, transparency = PALETTE[name]
            add = self.step.add
            colour = add("IfcColourRgb", None, red, green, blue)
            shading = add("IfcSurfaceStyleRendering", colour, transparency, ReflectanceMethod="NOTDEFINED")
            self._styles[name] = add("IfcSurfaceStyle", name, "BOTH", (shading,))
        return self._styles[name]

    def representation(self, shape: Shape) -> Ref:
        """Return a new body representation; equal solids are written once."""
        meshes = sum(isinstance(p, Mesh) for p in shape)
        kind = "SweptSolid" if not meshes else "Tessellation" if meshes == len(shape) else "SolidModel"
        items = tuple(self._item(p) for p in shape)
        return self.step.add("IfcShapeRepresentation", self.body, "Body", kind, items)

    def shape(self, shape: Shape) -> Ref:
        """Return a new IfcProductDefinitionShape with the shape as its body; equal solids are written once."""
        return self.step.add("IfcProductDefinitionShape", None, None, (self.representation(shape),))

    def space_shape(self, outline: Outline, height: float) -> Ref:
        """Return body and footprint of a space, both in its own frame."""
        body = self.representation((Prism(outline, height, "space"),))
        curve = self.polyline(outline)
        plan = self.step.add("IfcShapeRepresentation", self.footprint, "FootPrint", "Curve2D", (curve,))
        return self.step.add("IfcProductDefinitionShape", None, None, (body, plan))

    def mapped(self, source: Ref) -> Ref:
        """Return the shape of an occurrence that shows the representation map of its type."""
        share, add = self.step.share, self.step.add
        target = share("IfcCartesianTransformationOperator3D", None, None, self._point((0.0, 0.0, 0.0)), None, None)
        item = share("IfcMappedItem", source, target)
        body = add("IfcShapeRepresentation", self.body, "Body", "MappedRepresentation", (item,))
        return add("IfcProductDefinitionShape", None, None, (body,))

    def material(self, name: str) -> Ref:
        """Return the IfcMaterial of that name."""
        return self.step.share("IfcMaterial", name, None, None)

    def layers(self, name: str, layers: tuple[tuple[str, float], ...]) -> Ref:
        """Return a usage of a layer set centred on the wall's axis: (material, thickness) from outside in."""
        if name not in self._layers:
            add = self.step.add
            rows = tuple(add("IfcMaterialLayer", self.material(m), t) for m, t in layers)
            offset = -sum(t for _, t in layers) / 2
            layer_set = add("IfcMaterialLayerSet", rows, name)
            self._layers[name] = add("IfcMaterialLayerSetUsage", layer_set, "AXIS2", "POSITIVE", offset)
        return self._layers[name]


def _across(axis: Point) -> Point:
    """Return a unit vector at right angles to `axis`, one of the frame's."""
    return (1.0, 0.0, 0.0) if abs(axis[0]) < 0.5 else (0.0, 1.0, 0.0)
